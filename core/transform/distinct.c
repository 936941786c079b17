/* distinct: the first row of each key goes on
 *
 * Keys are the same as for PostgreSQL's DISTINCT: NULLs are equal, 1.0 is 1.00, and jsonb counts by
 * value.
 */
#include "kinds.h"
#include "record/bitmap.h"
#include "seen.h"
#include "step-private.h"

typedef struct
{
  TallyStep base;
  gint *columns; /* (owned) of the key */
  guint n_columns;
  TallyDigester digester;
  TallySeen *seen; /* (owned) (nullable) from open to close */
} DistinctStep;

static gboolean
distinct_open (TallyStep *step, TallyContext *ctx, GError **error)
{
  ((DistinctStep *)step)->seen = tally_seen_new (TALLY_STEP_MEMORY);
  return TRUE;
}

static void
distinct_close (TallyStep *step)
{
  g_clear_pointer (&((DistinctStep *)step)->seen, tally_seen_free);
}

static gboolean
is_first (DistinctStep *distinct, const TallyBatch *batch, guint row, gboolean *ret_is_first,
          GError **error)
{
  guint8 digest[TALLY_DIGEST_SIZE];

  tally_digester_begin (&distinct->digester);
  for (guint i = 0; i < distinct->n_columns; i++)
    tally_digester_add (&distinct->digester, batch, row, distinct->columns[i]);
  tally_digester_end (&distinct->digester, digest);
  return tally_seen_add (distinct->seen, digest, ret_is_first, error);
}

static TallyFlow
distinct_apply (TallyStep *step, TallyBatch *batch, GError **error)
{
  DistinctStep *distinct = (DistinctStep *)step;
  guint n_rows = tally_batch_n_rows (batch);
  g_autofree guint64 *keep = g_new0 (guint64, tally_bitmap_words (n_rows) + 1);

  for (guint row = 0; row < n_rows; row++)
    {
      gboolean keeps;

      if (!is_first (distinct, batch, row, &keeps, error))
        return TALLY_FLOW_FATAL;
      tally_bitmap_put (keep, row, keeps);
    }
  tally_batch_retain (batch, keep);
  return TALLY_FLOW_OK;
}

static void
distinct_clear (TallyStep *step)
{
  DistinctStep *distinct = (DistinctStep *)step;

  tally_seen_free (distinct->seen);
  tally_digester_clear (&distinct->digester);
  g_free (distinct->columns);
}

static TallyStep *
distinct_build (const TallyStepArgument *arguments, guint n_arguments, TallySchema *schema,
                GPtrArray *complaints)
{
  DistinctStep *distinct;
  gint *columns;

  if (n_arguments == 0)
    {
      tally_step_complain_of_all (complaints, "\"distinct\" names no column",
                                  "name those in which rows must differ: distinct: [email]");
      return NULL;
    }
  columns = tally_step_find_columns (complaints, arguments, n_arguments, schema);
  if (columns == NULL)
    return NULL;

  distinct = tally_step_new (sizeof (DistinctStep), tally_step_distinct.name, schema);
  distinct->columns = columns;
  distinct->n_columns = n_arguments;
  tally_digester_init (&distinct->digester);
  distinct->base.open = distinct_open;
  distinct->base.close = distinct_close;
  distinct->base.apply = distinct_apply;
  distinct->base.clear = distinct_clear;
  return &distinct->base;
}

const TallyStepKind tally_step_distinct = {
  .name = "distinct",
  .summary = "passes the first row of each key only, over the whole run: distinct: [email]",
  .form = TALLY_STEP_LIST,
  .keeps_columns = TRUE,
  .keeps_state = TRUE,
  .build = distinct_build,
};
