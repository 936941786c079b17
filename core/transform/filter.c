/* filter: only rows for which a condition is true go on */
#include "kinds.h"
#include "step-private.h"

typedef struct
{
  TallyStep base;
  TallyExpression *condition; /* (owned) */
  TallyScratch scratch;
} FilterStep;

static TallyFlow
filter_apply (TallyStep *step, TallyBatch *batch, GError **error)
{
  FilterStep *filter = (FilterStep *) step;

  tally_batch_retain (batch, tally_scratch_evaluate (&filter->scratch, filter->condition, batch));
  return TALLY_FLOW_OK;
}

static void
filter_clear (TallyStep *step)
{
  FilterStep *filter = (FilterStep *) step;

  tally_expression_free (filter->condition);
  tally_scratch_clear (&filter->scratch);
}

static TallyStep *
filter_build (const TallyStepArgument *arguments, guint n_arguments, TallySchema *schema,
              GPtrArray *complaints)
{
  TallyExpression *condition = NULL;
  FilterStep *filter;

  if (n_arguments == 1)
    condition
        = tally_step_compile_condition (complaints, arguments, 0, /* in_name= */ FALSE, schema);
  if (condition == NULL)
    return NULL;

  filter = tally_step_new (sizeof (FilterStep), tally_step_filter.name, schema);
  filter->condition = condition;
  filter->base.apply = filter_apply;
  filter->base.clear = filter_clear;
  if (tally_expression_is_volatile (condition))
    tally_step_warn (&filter->base, "which rows pass changes with each run");
  return &filter->base;
}

const TallyStepKind tally_step_filter = {
  .name = "filter",
  .summary = "keeps the rows for which an expression is true: filter: status <> 'spam'",
  .form = TALLY_STEP_SCALAR,
  .keeps_columns = TRUE,
  .build = filter_build,
};
