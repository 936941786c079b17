/* oracle.h: our answers beside PostgreSQL's
 *
 *   Oracle *oracle = oracle_new ();
 *   oracle_ask (oracle, our_answer, "abs(%s::numeric)", "-1");
 *   oracle_compare (oracle);
 *
 * Each %s of an expression is a text, which arrives at the server quoted.  All questions go to the
 * server in one statement; an error of one is its answer.
 */
#pragma once
#include <glib.h>

typedef struct _Oracle Oracle;

Oracle *oracle_new (void);
/* ours: (transfer full) as tell_value() and tell_error() give it, or NULL for SQL's NULL. */
void oracle_ask (Oracle *oracle, char *ours, const char *expression, ...);
/* Asserts that the answers agree, and frees it.  Returns the number of questions. */
guint oracle_compare (Oracle *oracle);
