/* plan.c: a run without its effects, on one thread
 *
 * It goes the way of run.c and asks in the same order, so that it fails where the run would fail.
 */
#include "plan.h"
#include "forecast.h"
#include "patience.h"
#include "record/batch-private.h"
#include "record/bitmap.h"
#include "run.h"
#include "trial.h"
#include "warnings.h"
#include "watch.h"
#include <string.h>

/* As many as in a run: a source may count on so much room. */
#define BATCH_ROWS 1024

typedef struct
{
  TallyPipeline *pipeline;         /* (unowned) */
  const TallyPlanOptions *options; /* (unowned) */
  TallyPlan *plan;                 /* (unowned) */
  TallyWarnings *warnings;         /* (owned) */
  TallyPatience patience;
  TallyContext *source_ctx, *sink_ctx; /* (owned) */
  TallyLedger *ledger;             /* (owned) (nullable) NULL: there is none yet */
  TallyReferences *references;     /* (owned) */
  TallyReferenceFile *found;       /* (owned) (nullable) what ref() found, where somebody asks for what it should not have */
  TallyTrial *trial;               /* (owned) (nullable) */
  TallyForecast *forecast;         /* (owned) (nullable) of a sink that delivers */
} Planner;

static const char *
ledger_uri (const Planner *self)
{
  return self->options->ledger != NULL ? self->options->ledger : self->pipeline->ledger;
}

/* A ledger that is not there yet knows nothing, which is no mistake.  One that went backwards would make a run stop. */
static gboolean
open_ledger (Planner *self, GError **error)
{
  g_autoptr (GError) failure = NULL;

  self->ledger = tally_ledger_open (ledger_uri (self), TALLY_LEDGER_READ, &failure);
  if (self->ledger != NULL)
    return tally_ledger_check_mark (self->ledger, error);
  if (g_error_matches (failure, TALLY_ERROR, TALLY_ERROR_NO_LEDGER))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* ---- Contexts ---- */

static TallyContext *
new_context (const Planner *self)
{
  TallyContext *ctx = tally_context_new (self->pipeline->directory);

  ctx->interrupted = tally_run_interruption ();
  ctx->warn = tally_warnings_add;
  ctx->warn_data = self->warnings;
  return ctx;
}

/* ---- The source ---- */

/* Sees what the lookups' sources give, where that is not known yet. */
static gboolean
look_at_lookups (Planner *self, GError **error)
{
  g_autoptr (TallyContext) ctx = new_context (self);

  return tally_pipeline_describe_lookups (self->pipeline, ctx, error);
}

static gboolean
open_source (Planner *self, GError **error)
{
  TallyInstance *source = self->pipeline->source;
  g_autoptr (TallySchema) schema = NULL;
  g_autoptr (GString) mistakes = NULL;

  if (!tally_instance_open (source, self->source_ctx, error)
      || (schema = source->plugin->describe (source->self, self->source_ctx, error)) == NULL)
    return tally_throw_prefix (error, "source \"%s\"", source->plugin->name);
  if (!look_at_lookups (self, error))
    return FALSE;
  if (tally_pipeline_bind (self->pipeline, schema))
    return TRUE;

  mistakes = g_string_new (NULL);
  tally_pipeline_format_diagnostics (self->pipeline, /* colour= */ FALSE, mistakes);
  return tally_throw (error, TALLY_ERROR_USAGE, "the source's columns do not fit:\n%s", mistakes->str);
}

/* A sink can only be asked once it is known which columns come. */
static gboolean
look_at_source (Planner *self, GError **error)
{
  if (tally_pipeline_is_bound (self->pipeline))
    return TRUE;
  if (!open_source (self, error))
    return FALSE;
  tally_instance_close (self->pipeline->source);
  return TRUE;
}

/* ---- The sink, and where it would go on ---- */

static gboolean
open_sink (Planner *self, GError **error)
{
  TallyInstance *sink = self->pipeline->sink;
  const TallyPlanSink *plan = sink->plugin->plan;

  self->plan->is_silent = plan == NULL && sink->plugin->delivery == NULL;
  if (self->plan->is_silent)
    return TRUE;
  if (sink->plugin->delivery != NULL)
    {
      if (!tally_instance_open (sink, self->sink_ctx, error))
        return tally_throw_prefix (error, "sink \"%s\"", sink->plugin->name);
      self->forecast = tally_forecast_new (&(const TallyForecastConfig){ .pipeline = self->pipeline,
                                                                         .ctx = self->sink_ctx,
                                                                         .ledger = self->ledger,
                                                                         .options = self->options,
                                                                         .patience = &self->patience },
                                           error);
      return self->forecast != NULL;
    }

  sink->opened = TRUE; /* so that close() comes */
  return plan->open (sink->self, self->sink_ctx, error)
         || tally_throw_prefix (error, "sink \"%s\"", sink->plugin->name);
}

static gboolean
is_whole (const Planner *self)
{
  return self->pipeline->sink->plugin->flags & TALLY_PLUGIN_WHOLE || self->sink_ctx->whole;
}

/* The checkpoint that the target keeps beside the rows, if it is to be asked. */
static gboolean
ask_sink (Planner *self, TallyCheckpoint *ret_checkpoint, GError **error)
{
  const TallyPlugin *plugin = self->pipeline->sink->plugin;
  g_autofree char *text = NULL;

  if (self->ledger == NULL || plugin->resume == NULL || plugin->plan == NULL || is_whole (self))
    return TRUE;
  self->sink_ctx->checkpoint_key
      = g_strdup_printf ("%s %s", tally_ledger_id (self->ledger), self->pipeline->name);
  return (plugin->resume (self->pipeline->sink->self, self->sink_ctx, &text, error)
          && (text == NULL || tally_checkpoint_parse (text, ret_checkpoint, error)))
         || tally_throw_prefix (error, "sink \"%s\"", plugin->name);
}

static gboolean
find_position (Planner *self, GError **error)
{
  gboolean at_once = tally_pipeline_keeps_state (self->pipeline) || self->sink_ctx->at_once, adopted = FALSE;
  gboolean keeps_position = self->pipeline->source->plugin->flags & TALLY_PLUGIN_KEEPS_POSITION;
  TallyCheckpoint checkpoint = { 0 };
  g_autofree char *position = NULL;
  TallyRunFlags flags = 0;
  gboolean known;

  if (!is_whole (self) && (!at_once || keeps_position))
    flags |= TALLY_RUN_RESUMES;
  known = ask_sink (self, &checkpoint, error)
          && (self->ledger == NULL
              || tally_ledger_peek (self->ledger, self->pipeline->name, self->sink_ctx->target, flags,
                                    checkpoint.pass, checkpoint.run, &position, &adopted, error));
  if (known)
    self->source_ctx->position = g_strdup (adopted ? checkpoint.position : position);
  tally_checkpoint_clear (&checkpoint);
  return known;
}

/* ---- Rows ---- */

static void
keep_rejects (Planner *self, const TallyBatch *batch)
{
  guint n_rejects;
  const TallyReject *rejects = tally_batch_rejects (batch, &n_rejects);

  self->plan->rejected += n_rejects;
  for (guint i = 0; i < n_rejects && self->plan->rejects->len < TALLY_PLAN_REJECTS; i++)
    {
      TallyReject copy = { .origin = g_strdup (rejects[i].origin),
                           .stage = g_strdup (rejects[i].stage),
                           .reason = g_strdup (rejects[i].reason),
                           .record = g_strdup (rejects[i].record) };

      g_array_append_val (self->plan->rejects, copy);
    }
}

static gboolean
ask_about (Planner *self, TallyBatch *batch, GError **error)
{
  TallyInstance *sink = self->pipeline->sink;

  tally_stages_add_hidden_columns (self->pipeline, batch);
  if (tally_references_failed (self->references, error))
    return FALSE;
  tally_batch_begin_stage (batch, "sink");
  if (self->options->rows != NULL)
    self->options->rows (batch, self->options->data);
  if (tally_batch_n_rows (batch) == 0 || self->plan->is_silent)
    return TRUE;
  if (self->forecast != NULL)
    return tally_forecast_take (self->forecast, batch, error);
  return sink->plugin->plan->write (sink->self, self->sink_ctx, batch, error) == TALLY_FLOW_OK
         || tally_throw_prefix (error, "sink \"%s\"", sink->plugin->name);
}

/* first: the first step that has not seen the rows. */
static gboolean
take_batch (Planner *self, guint first, TallyBatch *batch, gboolean *ret_enough, GError **error)
{
  for (guint i = first; i < self->pipeline->steps->len; i++)
    {
      TallyFlow flow = tally_trial_apply (self->trial, i, batch, error);

      if (flow != TALLY_FLOW_OK && flow != TALLY_FLOW_END)
        return FALSE;
      *ret_enough = *ret_enough || flow == TALLY_FLOW_END;
    }
  if (!ask_about (self, batch, error))
    return FALSE;

  tally_batch_end_stage (batch);
  keep_rejects (self, batch);
  self->plan->read += tally_batch_n_read (batch);
  self->plan->added += tally_batch_n_added (batch);
  self->plan->filtered += tally_batch_n_filtered (batch);
  self->plan->rows += tally_batch_n_rows (batch);
  if (self->options->progress != NULL)
    self->options->progress (self->plan->read, self->options->data);
  return TRUE;
}

/* Cuts off what is more than was asked for. */
static void
keep_first (TallyBatch *batch, guint64 n)
{
  g_autofree guint64 *keep = NULL;

  if (tally_batch_n_rows (batch) <= n)
    return;

  keep = g_new0 (guint64, tally_bitmap_words (tally_batch_n_rows (batch)));
  tally_bitmap_fill (keep, (guint) n);
  tally_batch_retain (batch, keep);
}

/* In the form of TallyPatience. */
static gboolean
is_ended (gpointer data)
{
  return tally_run_is_interrupted ();
}

static gboolean
is_stopped (GError **error)
{
  return tally_run_is_interrupted () && !tally_throw (error, TALLY_ERROR_INTERRUPTED, "stopped by a signal");
}

static gboolean
read_all (Planner *self, GError **error)
{
  gboolean enough = FALSE;

  while (!enough)
    {
      guint64 most = self->options->most, room = most > 0 ? most - self->plan->read : BATCH_ROWS;
      g_autoptr (TallyBatch) batch = NULL;
      TallyFlow flow;

      if (is_stopped (error))
        return FALSE;
      if (room == 0)
        {
          self->plan->is_partial = TRUE;
          return TRUE;
        }
      batch = tally_batch_new (self->pipeline->source_schema, MIN (room, BATCH_ROWS));
      flow = tally_patience_read (&self->patience, self->pipeline->source, self->source_ctx, batch, error);
      if (flow == TALLY_FLOW_FATAL)
        return FALSE;
      enough = flow == TALLY_FLOW_END;
      keep_first (batch, room);
      if (!take_batch (self, 0, batch, &enough, error))
        return FALSE;
    }
  return TRUE;
}

/* Gets the rows that steps hold back, from the first step to the last. */
static gboolean
drain_steps (Planner *self, GError **error)
{
  for (guint i = 0; i < self->pipeline->steps->len; i++)
    for (TallyFlow flow = TALLY_FLOW_OK; tally_trial_holds_rows (self->trial, i) && flow != TALLY_FLOW_END;)
      {
        TallyStep *step = g_ptr_array_index (self->pipeline->steps, i);
        g_autoptr (TallyBatch) batch = tally_batch_new (tally_step_schema (step), BATCH_ROWS);
        gboolean enough = FALSE;

        if (is_stopped (error))
          return FALSE;
        flow = tally_trial_drain (self->trial, i, batch, error);
        if (flow == TALLY_FLOW_FATAL || !take_batch (self, i + 1, batch, &enough, error))
          return FALSE;
      }
  return TRUE;
}

static gboolean
end_sink (Planner *self, GError **error)
{
  TallyInstance *sink = self->pipeline->sink;

  if (self->forecast != NULL)
    return tally_forecast_end (self->forecast, self->plan, error);
  if (!self->plan->is_silent && sink->plugin->plan->end != NULL
           && sink->plugin->plan->end (sink->self, self->sink_ctx, error) != TALLY_FLOW_OK)
    return tally_throw_prefix (error, "sink \"%s\"", sink->plugin->name);
  return TRUE;
}

/* What ref() found and the target has no more is to be replaced, like what is missing. */
static gboolean
tell_unfit (Planner *self, GError **error)
{
  return self->found == NULL
         || tally_reference_file_merge (self->options->missed, self->found, self->sink_ctx->unfit, error);
}

/* ---- All of it ---- */

static TallyReferences *
new_references (const Planner *self)
{
  const TallyPlugin *sink = self->pipeline->sink->plugin;
  TallyDeliveryProfile profile = { .size = sizeof profile };

  if (sink->delivery != NULL)
    sink->delivery->profile (self->pipeline->sink->self, &profile);
  return tally_references_new (
      &(const TallyReferencesConfig){ .ledger_uri = ledger_uri (self),
                                      .origin = self->pipeline->origin,
                                      .target = sink->delivery != NULL ? self->sink_ctx->target : NULL,
                                      .entity = profile.entity,
                                      .file = self->pipeline->references,
                                      .found = self->found,
                                      .missed = self->options->missed,
                                      .coming = self->options->coming,
                                      .began_at = G_MAXINT64,
                                      .warn = tally_warnings_add,
                                      .warn_data = self->warnings });
}

static gboolean
prepare (Planner *self, GError **error)
{
  if (!open_ledger (self, error) || !look_at_source (self, error) || !open_sink (self, error)
      || !find_position (self, error) || !open_source (self, error)
      || (self->options->missed != NULL && (self->found = tally_reference_file_new (error)) == NULL)
      || (self->trial = tally_trial_new (self->pipeline, error)) == NULL)
    return FALSE;

  self->references = new_references (self);
  tally_trial_set_references (self->trial, self->references);
  tally_trial_set_patience (self->trial, &self->patience);
  return TRUE;
}

static gboolean
work (Planner *self, GError **error)
{
  TallyWatch *watch = tally_watch_new (self->pipeline);
  gboolean done = tally_trial_prepare (self->trial, error) && read_all (self, error)
                  && drain_steps (self, error) && end_sink (self, error) && tell_unfit (self, error);

  tally_watch_free (watch);
  return done;
}

static TallyExit
exit_for (const TallyPlan *plan)
{
  if (g_error_matches (plan->error, TALLY_ERROR, TALLY_ERROR_INTERRUPTED))
    return TALLY_EXIT_INTERRUPTED;
  if (g_error_matches (plan->error, TALLY_ERROR, TALLY_ERROR_USAGE))
    return TALLY_EXIT_USAGE;
  if (plan->error != NULL)
    return TALLY_EXIT_FAILED;
  if (plan->in_doubt > 0)
    return TALLY_EXIT_DOUBT;
  return plan->rejected > 0 ? TALLY_EXIT_REJECTS : TALLY_EXIT_COMPLETE;
}

void
tally_plan_make (TallyPipeline *pipeline, const TallyPlanOptions *options, TallyPlan *ret_plan)
{
  Planner self = { .pipeline = pipeline, .options = options, .plan = ret_plan };

  *ret_plan = (TallyPlan){ .span = -1, .rejects = g_array_new (FALSE, FALSE, sizeof (TallyReject)) };
  g_array_set_clear_func (ret_plan->rejects, tally_reject_clear);
  self.warnings = tally_warnings_new (options->warn, options->data);
  self.patience = (TallyPatience){ .is_stopped = is_ended, .tell = tally_warnings_add, .tell_data = self.warnings };
  self.source_ctx = new_context (&self);
  self.sink_ctx = new_context (&self);
  self.sink_ctx->facts = g_array_new (FALSE, FALSE, sizeof (TallyPlanFact));
  g_array_set_clear_func (self.sink_ctx->facts, tally_plan_fact_clear);
  self.sink_ctx->requests = g_array_new (FALSE, FALSE, sizeof (TallyPlannedKind));
  g_array_set_clear_func (self.sink_ctx->requests, tally_planned_kind_clear);
  self.sink_ctx->unfit = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  /* Whoever was interrupted complains of that in words of his own. */
  if (!(prepare (&self, &ret_plan->error) && work (&self, &ret_plan->error)) && tally_run_is_interrupted ())
    {
      g_clear_error (&ret_plan->error);
      is_stopped (&ret_plan->error);
    }
  ret_plan->exit = exit_for (ret_plan);
  ret_plan->position = g_strdup (self.source_ctx->position);
  ret_plan->target = g_strdup (self.sink_ctx->target);
  ret_plan->facts = g_array_ref (self.sink_ctx->facts);

  tally_instance_close (pipeline->source);
  tally_trial_free (self.trial);
  tally_forecast_free (self.forecast);
  tally_instance_close (pipeline->sink);
  tally_references_free (self.references);
  tally_reference_file_free (self.found);
  tally_ledger_close (self.ledger);
  tally_context_free (self.source_ctx);
  tally_context_free (self.sink_ctx);
  tally_warnings_free (self.warnings);
}

void
tally_plan_clear (TallyPlan *plan)
{
  g_clear_pointer (&plan->position, g_free);
  g_clear_pointer (&plan->target, g_free);
  g_clear_pointer (&plan->rejects, g_array_unref);
  g_clear_pointer (&plan->facts, g_array_unref);
  g_clear_pointer (&plan->requests, g_array_unref);
  g_clear_pointer (&plan->first_requests, g_array_unref);
  g_clear_pointer (&plan->slowest, g_free);
  g_clear_error (&plan->error);
}
