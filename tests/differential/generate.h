/* generate.h: random expressions over the columns of differential.c
 *
 * They are grown from the tables of functions and operators that we have, and from what the typer
 * adds to these.  An integer is a bigint on both sides: results of PostgreSQL's integer are cast to
 * bigint, arguments that it wants as integer to int.
 */
#pragma once
#include <glib.h>

typedef struct _Grammar Grammar;
typedef struct _Tree Tree;

/* Whether something holds of an expression. */
typedef gboolean (*ExpressionTest) (const char *expression, gpointer data);

/* is_known: whether the server has it, whatever it gives. */
Grammar *grammar_new (ExpressionTest is_known, gpointer data);
void grammar_free (Grammar *grammar);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Grammar, grammar_free)
guint grammar_n_rules (const Grammar *grammar);

Tree *grammar_grow (const Grammar *grammar, GRand *rand);
void tree_free (Tree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Tree, tree_free)
char *tree_write (const Tree *tree);
/* The smallest part of it for which the test still holds, with plain columns where those do.
 * (unowned) */
const Tree *tree_shrink (Tree *tree, ExpressionTest holds, gpointer data);
/* A call of which nothing but leaves is left: what it says is its own. */
gboolean tree_is_single (const Tree *tree);
