/* assert: rows for which a condition is not true are rejected with a message
 *
 * Unlike a CHECK of PostgreSQL, NULL does not pass: what is unknown is not what was promised.
 */
#include "kinds.h"
#include "record/bitmap.h"
#include "step-private.h"

typedef struct
{
  TallyExpression *condition; /* (owned) */
  char *message;              /* (owned) */
} Promise;

typedef struct
{
  TallyStep base;
  GArray *promises; /* (owned) (element-type Promise) */
  TallyScratch scratch;
} AssertStep;

static void
promise_clear (gpointer data)
{
  Promise *promise = data;

  tally_expression_free (promise->condition);
  g_free (promise->message);
}

static TallyFlow
assert_apply (TallyStep *step, TallyBatch *batch, GError **error)
{
  AssertStep *assertion = (AssertStep *) step;
  guint n_rows = tally_batch_n_rows (batch);

  for (guint i = 0; i < assertion->promises->len; i++)
    {
      const Promise *promise = &g_array_index (assertion->promises, Promise, i);
      const guint64 *kept = tally_scratch_evaluate (&assertion->scratch, promise->condition, batch);

      for (guint row = 0; row < n_rows; row++)
        if (!tally_bitmap_get (kept, row))
          tally_batch_reject (batch, row, promise->message);
    }
  return TALLY_FLOW_OK;
}

static void
assert_clear (TallyStep *step)
{
  AssertStep *assertion = (AssertStep *) step;

  g_array_unref (assertion->promises);
  tally_scratch_clear (&assertion->scratch);
}

static TallyStep *
assert_build (const TallyStepArgument *arguments, guint n_arguments, TallySchema *schema,
              GPtrArray *complaints)
{
  guint n_before = complaints->len;
  AssertStep *assertion = tally_step_new (sizeof (AssertStep), tally_step_assert.name, schema);

  assertion->promises = g_array_new (FALSE, FALSE, sizeof (Promise));
  g_array_set_clear_func (assertion->promises, promise_clear);
  assertion->base.apply = assert_apply;
  assertion->base.clear = assert_clear;
  for (guint i = 0; i < n_arguments; i++)
    {
      Promise promise = { .condition = tally_step_compile_condition (complaints, arguments, i,
                                                                     /* in_name= */ TRUE, schema) };

      if (promise.condition == NULL)
        continue;
      promise.message = g_strdup (arguments[i].value);
      if (tally_expression_is_volatile (promise.condition))
        tally_step_warn (&assertion->base, "which rows pass changes with each run");
      g_array_append_val (assertion->promises, promise);
    }
  if (complaints->len == n_before)
    return &assertion->base;

  tally_step_free (&assertion->base);
  return NULL;
}

const TallyStepKind tally_step_assert = {
  .name = "assert",
  .summary
  = "rejects the rows for which an expression is false or NULL: assert: { id IS NOT NULL: the ticket has no id }",
  .form = TALLY_STEP_MAP,
  .keeps_columns = TRUE,
  .build = assert_build,
};
