/* limit: only the first rows of a run go on, and then the source is not read any further */
#include "kinds.h"
#include "record/bitmap.h"
#include "step-private.h"
#include <errno.h>

typedef struct
{
  TallyStep base;
  guint64 count, left;
} LimitStep;

static gboolean
limit_open (TallyStep *step, TallyContext *ctx, GError **error)
{
  LimitStep *limit = (LimitStep *) step;

  limit->left = limit->count;
  return TRUE;
}

static TallyFlow
limit_apply (TallyStep *step, TallyBatch *batch, GError **error)
{
  LimitStep *limit = (LimitStep *) step;
  guint n_rows = tally_batch_n_rows (batch);
  guint n_passed = MIN (limit->left, n_rows);
  g_autofree guint64 *keep = NULL;

  limit->left -= n_passed;
  if (n_passed < n_rows)
    {
      keep = g_new0 (guint64, tally_bitmap_words (n_rows));
      tally_bitmap_fill (keep, n_passed);
      tally_batch_retain (batch, keep);
    }
  return limit->left > 0 ? TALLY_FLOW_OK : TALLY_FLOW_END;
}

static TallyStep *
limit_build (const TallyStepArgument *arguments, guint n_arguments, TallySchema *schema,
             GPtrArray *complaints)
{
  g_autofree char *message = NULL;
  LimitStep *limit;
  guint64 count;
  char *end;

  if (n_arguments != 1)
    return NULL;
  errno = 0;
  count = g_ascii_strtoull (arguments[0].value, &end, 10);
  if (!g_ascii_isdigit (*arguments[0].value) || *end != '\0' || errno != 0 || count == 0)
    {
      message = g_strdup_printf ("\"limit\" takes a number of rows, at least 1, not \"%s\"",
                                 arguments[0].value);
      tally_step_complain (complaints, arguments, 0, /* in_name= */ FALSE, message, NULL);
      return NULL;
    }

  limit = tally_step_new (sizeof (LimitStep), tally_step_limit.name, schema);
  limit->count = count;
  limit->base.open = limit_open;
  limit->base.apply = limit_apply;
  return &limit->base;
}

const TallyStepKind tally_step_limit = {
  .name = "limit",
  .summary = "passes the first rows only: limit: 100",
  .form = TALLY_STEP_SCALAR,
  .keeps_columns = TRUE,
  .keeps_state = TRUE,
  .build = limit_build,
};
