/* typer.h: from PostgreSQL's parse tree to typed terms */
#pragma once
#include "term.h"
#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

/* text is what the user wrote; locations in the tree are prefix bytes further.  NULL and a
 * complaint if it cannot be typed. */
Term *tally_type_tree (TallyExpression *expression, const char *text, gsize prefix,
                       const PgQuery__Node *node, TallyComplaint **ret_complaint);
/* The length of the word, number, literal or operator at offset; at least 1. */
gsize tally_token_length (const char *text, gsize offset);
