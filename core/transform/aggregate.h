/* aggregate.h: PostgreSQL's functions over many rows: count, sum, avg, min, max and their like
 *
 * One holds what it knows of the rows so far: for all but those that put texts together that is a value or two, and these
 * have a limit.
 */
#pragma once
#include <tallyman/batch.h>

typedef struct _TallyAggregate TallyAggregate;

/* Whether there is one of this name, whatever it takes. */
gboolean tally_aggregate_is_known (const char *name);
/* For arguments of these types; count(*) is count without arguments.  NULL with a message if none takes them. */
TallyAggregate *tally_aggregate_new (const char *name, const TallyType *types, guint n_types, char **ret_message);
void tally_aggregate_free (TallyAggregate *aggregate);
TallyType tally_aggregate_type (const TallyAggregate *aggregate); /* of its result */

/* Forgets all rows. */
void tally_aggregate_begin (TallyAggregate *aggregate);
/* Sees a row whose arguments stand in this column and in those behind it. */
void tally_aggregate_add (TallyAggregate *aggregate, const TallyBatch *batch, guint row, guint column);
/* Sets its result in the last row of a batch.  FALSE if PostgreSQL would fail, or if it is too long. */
gboolean tally_aggregate_end (TallyAggregate *aggregate, TallyBatch *batch, guint column, GError **error);
