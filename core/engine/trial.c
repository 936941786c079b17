/* trial.c: one step at a time
 *
 * A step that asks for patience ends the trial with its reason, unless somebody waits.
 */
#include "trial.h"
#include "record/batch-private.h"
#include "run.h"

struct _TallyTrial
{
  TallyPipeline *pipeline; /* (unowned) */
  GPtrArray *contexts; /* (owned) (element-type TallyContext) one for each step that was opened */
  TallyReferences *references; /* (unowned) (nullable) */
  const TallyPatience *patience; /* (unowned) (nullable) */
  GPtrArray *rejects;  /* (owned) (element-type GArray) (nullable) of each step, until its first batch */
};

static gboolean
open_step (TallyTrial *trial, TallyStep *step, GError **error)
{
  TallyContext *ctx = tally_context_new (trial->pipeline->directory);

  ctx->interrupted = tally_run_interruption ();
  g_ptr_array_add (trial->contexts, ctx);
  return tally_step_open (step, ctx, error)
         || tally_throw_prefix (error, "step \"%s\"", tally_step_name (step));
}

/* After what a step said: whether it is to be asked again.  If so, failure is cleared. */
static gboolean
is_tried_again (TallyTrial *trial, TallyFlow flow, guint *attempts, GError **failure)
{
  if (flow != TALLY_FLOW_RETRY || trial->patience == NULL
      || !tally_patience_wait (trial->patience, /* ctx= */ NULL, attempts, *failure))
    return FALSE;
  g_clear_error (failure);
  return TRUE;
}

/* What a step sets aside goes to rejects. */
static gboolean
prepare_step (TallyTrial *trial, TallyStep *step, GArray *rejects, GError **error)
{
  GError *failure = NULL;
  TallyFlow flow;
  guint attempts = 0;

  do
    {
      flow = tally_step_prepare (step, trial->references, rejects, &failure);
      attempts = flow == TALLY_FLOW_OK ? 0 : attempts;
    }
  while (flow == TALLY_FLOW_OK || is_tried_again (trial, flow, &attempts, &failure));
  if (tally_references_failed (trial->references, error))
    {
      g_clear_error (&failure);
      return FALSE;
    }
  if (flow == TALLY_FLOW_END)
    return TRUE;
  g_propagate_prefixed_error (error, failure, "step \"%s\": ", tally_step_name (step));
  return FALSE;
}

TallyTrial *
tally_trial_new (TallyPipeline *pipeline, GError **error)
{
  g_autoptr (TallyTrial) trial = g_new0 (TallyTrial, 1);

  trial->pipeline = pipeline;
  trial->contexts = g_ptr_array_new_with_free_func ((GDestroyNotify)tally_context_free);
  trial->rejects = g_ptr_array_new ();
  for (guint i = 0; i < pipeline->steps->len; i++)
    if (!open_step (trial, g_ptr_array_index (pipeline->steps, i), error))
      return NULL;
  return g_steal_pointer (&trial);
}

gboolean
tally_trial_prepare (TallyTrial *trial, GError **error)
{
  for (guint i = 0; i < trial->pipeline->steps->len; i++)
    {
      GArray *rejects = g_array_new (FALSE, FALSE, sizeof (TallyReject));

      g_array_set_clear_func (rejects, tally_reject_clear);
      g_ptr_array_add (trial->rejects, rejects);
      if (!prepare_step (trial, g_ptr_array_index (trial->pipeline->steps, i), rejects, error))
        return FALSE;
    }
  return TRUE;
}

void
tally_trial_free (TallyTrial *trial)
{
  if (trial == NULL)
    return;

  for (guint i = 0; i < trial->contexts->len; i++)
    tally_step_close (g_ptr_array_index (trial->pipeline->steps, i));
  for (guint i = 0; i < trial->rejects->len; i++)
    g_clear_pointer (&trial->rejects->pdata[i], g_array_unref);
  g_ptr_array_unref (trial->rejects);
  g_ptr_array_unref (trial->contexts);
  g_free (trial);
}

/* What a step said of a batch, for a trial. */
static TallyFlow
conclude (TallyStep *step, TallyBatch *batch, TallyFlow flow, GError *failure, GError **error)
{
  tally_batch_end_stage (batch);
  if (flow == TALLY_FLOW_OK || flow == TALLY_FLOW_END)
    return flow;

  g_propagate_prefixed_error (error, failure, "step \"%s\": ", tally_step_name (step));
  return TALLY_FLOW_FATAL;
}

void
tally_trial_set_references (TallyTrial *trial, TallyReferences *references)
{
  trial->references = references;
}

void
tally_trial_set_patience (TallyTrial *trial, const TallyPatience *patience)
{
  trial->patience = patience;
}

TallyFlow
tally_trial_apply (TallyTrial *trial, guint step, TallyBatch *batch, GError **error)
{
  TallyStep *applied = g_ptr_array_index (trial->pipeline->steps, step);
  g_autoptr (GError) failure = NULL;
  TallyFlow flow;
  guint attempts = 0;

  tally_batch_set_references (batch, trial->references);
  tally_batch_begin_stage (batch, tally_step_name (applied));
  if (trial->rejects->pdata[step] != NULL)
    tally_batch_take_rejects (batch, g_steal_pointer (&trial->rejects->pdata[step]));
  do
    flow = tally_step_apply (applied, batch, &failure);
  while (is_tried_again (trial, flow, &attempts, &failure));
  if (tally_references_failed (trial->references, error))
    return TALLY_FLOW_FATAL;
  if (flow == TALLY_FLOW_REJECT)
    {
      tally_stages_set_aside (batch, applied, failure);
      return TALLY_FLOW_OK;
    }
  return conclude (applied, batch, flow, g_steal_pointer (&failure), error);
}

gboolean
tally_trial_holds_rows (const TallyTrial *trial, guint step)
{
  return tally_step_holds_rows (g_ptr_array_index (trial->pipeline->steps, step));
}

TallyFlow
tally_trial_drain (TallyTrial *trial, guint step, TallyBatch *batch, GError **error)
{
  TallyStep *drained = g_ptr_array_index (trial->pipeline->steps, step);
  GError *failure = NULL;

  tally_batch_begin_stage (batch, tally_step_name (drained));
  return conclude (drained, batch, tally_step_drain (drained, batch, &failure), failure, error);
}
