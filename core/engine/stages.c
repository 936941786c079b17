/* stages.c: the threads that read and shape */
#include "run.h"
#include "patience.h"
#include "record/batch-private.h"

gboolean
tally_stages_are_whole (const TallyStages *stages)
{
  return stages->pipeline->sink->plugin->flags & TALLY_PLUGIN_WHOLE || stages->sink_ctx->whole;
}

gboolean
tally_stages_go_at_once (const TallyStages *stages)
{
  return tally_pipeline_keeps_state (stages->pipeline) || stages->sink_ctx->at_once;
}

void
tally_stages_beat (const TallyStages *stages)
{
  if (stages->options->alive != NULL)
    stages->options->alive (stages->options->data);
}

void
tally_stages_fail (TallyStages *stages, GError *error)
{
  g_mutex_lock (&stages->lock);
  if (stages->error == NULL)
    stages->error = error;
  else
    g_error_free (error);
  g_mutex_unlock (&stages->lock);

  g_atomic_int_set (&stages->stop, TRUE);
  tally_queue_abort (stages->raw);
  tally_queue_abort (stages->shaped);
  if (stages->wake != NULL)
    stages->wake (stages->pipeline->sink->self);
}

GError *
tally_stages_steal_error (TallyStages *stages)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&stages->lock);

  return g_steal_pointer (&stages->error);
}

/* Asked again and again while it is waited: that is a wait that somebody asked for, and no hang. */
static gboolean
is_stopped (gpointer data)
{
  TallyStages *stages = data;

  tally_stages_beat (stages);
  if (g_thread_self () == stages->caller)
    tally_run_show (stages, stages->counts, (TallyHold){ 0 });
  return g_atomic_int_get (&stages->stop) || tally_run_is_interrupted ();
}

static void
note_wait (const char *why, gint64 until, gpointer data)
{
  TallyStages *stages = data;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&stages->lock);

  g_free (stages->waiting);
  stages->waiting = g_strdup (why);
  stages->wait_until = until;
  stages->n_retries += why != NULL;
}

static TallyPatience
patience_of (TallyStages *stages)
{
  return (TallyPatience){ .is_stopped = is_stopped, .tell = tally_warnings_add, .note = note_wait, .data = stages,
                          .tell_data = stages->warnings };
}

gboolean
tally_stages_wait_again (TallyStages *stages, TallyContext *ctx, guint *attempts, const GError *error)
{
  const TallyPatience patience = patience_of (stages);

  return tally_patience_wait (&patience, ctx, attempts, error);
}

static TallyFlow
read_batch (TallyStages *stages, TallyBatch *batch, GError **error)
{
  const TallyPatience patience = patience_of (stages);

  return tally_patience_read (&patience, stages->pipeline->source, stages->source_ctx, batch, error);
}

/* Lets a step do what it must do before the first batch, with patience.  The error says why it cannot. */
static gboolean
prepare_step (TallyStages *stages, TallyStep *step, GArray *rejects, GError **error)
{
  guint attempts = 0;

  while (!g_atomic_int_get (&stages->stop))
    {
      g_autoptr (GError) failure = NULL;
      TallyFlow flow = tally_step_prepare (step, stages->references, rejects, &failure);

      if (tally_references_failed (stages->references, error))
        return FALSE;
      if (flow == TALLY_FLOW_END)
        return TRUE;
      if (flow == TALLY_FLOW_OK)
        {
          attempts = 0;
          tally_stages_beat (stages);
        }
      else if (flow != TALLY_FLOW_RETRY || !tally_stages_wait_again (stages, NULL, &attempts, failure))
        {
          g_propagate_prefixed_error (error, g_steal_pointer (&failure), "step \"%s\": ",
                                      tally_step_name (step));
          return FALSE;
        }
    }
  return TRUE;
}

/* A run that goes on has listed some of them already. */
static void
drop_listed (const TallyStages *stages, GArray *rejects)
{
  for (guint i = rejects->len; stages->listed != NULL && i-- > 0;)
    {
      g_autofree char *name = tally_reject_name (&g_array_index (rejects, TallyReject, i));

      if (g_hash_table_contains (stages->listed, name))
        g_array_remove_index (rejects, i);
    }
}

/* All sources are read on one thread, one after the other: those that steps have come first.  Returns (transfer full)
 * what was set aside; NULL: a step cannot work. */
static GArray *
prepare (TallyStages *stages, GError **error)
{
  g_autoptr (GArray) rejects = g_array_new (FALSE, FALSE, sizeof (TallyReject));

  g_array_set_clear_func (rejects, tally_reject_clear);
  for (guint i = 0; i < stages->pipeline->steps->len; i++)
    if (!prepare_step (stages, g_ptr_array_index (stages->pipeline->steps, i), rejects, error))
      return NULL;
  drop_listed (stages, rejects);
  return g_steal_pointer (&rejects);
}

static gpointer
reader_main (gpointer data)
{
  TallyStages *stages = data;
  GError *error = NULL;
  g_autoptr (GArray) rejects = prepare (stages, &error);
  TallyFlow flow = TALLY_FLOW_OK;

  if (rejects == NULL)
    {
      tally_stages_fail (stages, error);
      return NULL;
    }
  while (flow == TALLY_FLOW_OK && !g_atomic_int_get (&stages->stop)
         && !g_atomic_int_get (&stages->enough))
    {
      TallyBatch *batch = tally_batch_new (stages->pipeline->source_schema, stages->options->batch_rows);

      flow = read_batch (stages, batch, &error);
      if (flow == TALLY_FLOW_FATAL)
        {
          tally_batch_free (batch);
          tally_stages_fail (stages, error);
          return NULL;
        }
      if (rejects != NULL)
        tally_batch_take_rejects (batch, g_steal_pointer (&rejects));
      tally_stages_beat (stages);
      if (!tally_queue_push (stages->raw, batch))
        return NULL;
    }

  g_atomic_int_set (&stages->whole, flow == TALLY_FLOW_END);
  tally_queue_close (stages->raw);
  return NULL;
}

void
tally_stages_add_hidden_columns (const TallyPipeline *pipeline, TallyBatch *batch)
{
  guint n_columns = tally_schema_n_columns (pipeline->sink_schema);
  g_autofree gint *from = NULL;

  if (pipeline->sink_expressions->len == 0)
    return;

  from = g_new (gint, n_columns);
  for (guint i = 0; i < n_columns; i++)
    from[i] = i < pipeline->n_visible ? (gint) i : -1;
  tally_batch_rearrange (batch, pipeline->sink_schema, from);
  tally_batch_hide_from (batch, pipeline->n_visible);
  tally_batch_begin_stage (batch, "sink");
  for (guint i = 0; i < pipeline->sink_expressions->len; i++)
    tally_expression_evaluate (g_ptr_array_index (pipeline->sink_expressions, i), batch,
                               tally_batch_vector (batch, pipeline->n_visible + i),
                               tally_batch_validity (batch, pipeline->n_visible + i));
  tally_batch_end_stage (batch);
}

void
tally_stages_reject_all (TallyBatch *batch, const GError *failure)
{
  for (guint row = 0; row < tally_batch_n_rows (batch); row++)
    tally_batch_reject (batch, row, failure->message);
  tally_batch_end_stage (batch);
}

void
tally_stages_set_aside (TallyBatch *batch, TallyStep *step, const GError *failure)
{
  tally_stages_reject_all (batch, failure);
  tally_batch_give_columns (batch, tally_step_schema (step));
}

/* Runs one step over a batch, with patience.  The error says why it cannot be. */
static TallyFlow
apply_step (TallyStages *stages, TallyStep *step, TallyBatch *batch, GError **error)
{
  for (guint attempts = 0;;)
    {
      g_autoptr (GError) failure = NULL;
      TallyFlow flow = tally_step_apply (step, batch, &failure);

      if (flow == TALLY_FLOW_OK || flow == TALLY_FLOW_END)
        return flow;
      if (flow == TALLY_FLOW_REJECT)
        {
          tally_stages_set_aside (batch, step, failure);
          return TALLY_FLOW_OK;
        }
      if (flow == TALLY_FLOW_RETRY && tally_stages_wait_again (stages, NULL, &attempts, failure))
        continue;
      g_propagate_prefixed_error (error, g_steal_pointer (&failure), "step \"%s\": ",
                                  tally_step_name (step));
      return TALLY_FLOW_FATAL;
    }
}

/* ---- The shaper ---- */

typedef struct
{
  TallyStages *stages;
  gboolean at_once;
  char *position; /* (owned) (nullable) the last one that came, where it is held back */
  guint n_ended;  /* so many of the first steps want no more rows */
} Shaper;

/* Runs the steps from first on over a batch. */
static gboolean
shape (Shaper *shaper, TallyBatch *batch, guint first, GError **error)
{
  const TallyPipeline *pipeline = shaper->stages->pipeline;

  tally_batch_set_references (batch, shaper->stages->references);
  for (guint i = first; i < pipeline->steps->len; i++)
    {
      TallyStep *step = g_ptr_array_index (pipeline->steps, i);
      TallyFlow flow;

      tally_batch_begin_stage (batch, tally_step_name (step));
      flow = apply_step (shaper->stages, step, batch, error);
      if (flow == TALLY_FLOW_FATAL)
        return FALSE;
      if (flow == TALLY_FLOW_END)
        shaper->n_ended = MAX (shaper->n_ended, i + 1);
      tally_batch_end_stage (batch);
    }
  tally_stages_add_hidden_columns (pipeline, batch);
  if (tally_references_failed (shaper->stages->references, error))
    return FALSE;
  tally_batch_begin_stage (batch, "sink");
  return TRUE;
}

/* Where steps remember rows, a run that goes on in the middle would have forgotten them, and a sink may be unable to: no
 * position before the last counts. */
static void
hold_position (Shaper *shaper, TallyBatch *batch)
{
  if (!shaper->at_once || tally_batch_position (batch) == NULL)
    return;

  g_free (shaper->position);
  shaper->position = g_strdup (tally_batch_position (batch));
  tally_batch_set_position (batch, NULL);
}

static guint64
count_held (const TallyPipeline *pipeline)
{
  guint64 n = 0;

  for (guint i = 0; i < pipeline->steps->len; i++)
    n += tally_step_n_held (g_ptr_array_index (pipeline->steps, i));
  return n;
}

static gboolean
hand_on (Shaper *shaper, TallyBatch *batch)
{
  TallyStages *stages = shaper->stages;

  tally_stages_beat (stages);
  g_atomic_pointer_set (&stages->n_held, GSIZE_TO_POINTER (count_held (stages->pipeline)));
  if (!tally_queue_push (stages->shaped, batch))
    return FALSE;
  if (stages->wake != NULL)
    stages->wake (stages->pipeline->sink->self);
  return TRUE;
}

/* Takes batch through the steps from first on and hands it on.  FALSE: the run ends, and whoever ends it knows why. */
static gboolean
shape_and_hand_on (Shaper *shaper, TallyBatch *batch, guint first)
{
  GError *error = NULL;

  if (!shape (shaper, batch, first, &error))
    {
      tally_batch_free (batch);
      tally_stages_fail (shaper->stages, error);
      return FALSE;
    }
  hold_position (shaper, batch);
  return hand_on (shaper, batch);
}

/* Gets the rows out of a step that holds them back, until there are no more or a later step wants none. */
static gboolean
drain_step (Shaper *shaper, guint i)
{
  TallyStages *stages = shaper->stages;
  TallyStep *step = g_ptr_array_index (stages->pipeline->steps, i);

  while (shaper->n_ended <= i && !g_atomic_int_get (&stages->stop))
    {
      TallyBatch *batch = tally_batch_new (tally_step_schema (step), stages->options->batch_rows);
      GError *error = NULL;
      TallyFlow flow;

      tally_batch_begin_stage (batch, tally_step_name (step));
      flow = tally_step_drain (step, batch, &error);
      if (flow != TALLY_FLOW_OK && flow != TALLY_FLOW_END)
        {
          tally_batch_free (batch);
          g_prefix_error (&error, "step \"%s\": ", tally_step_name (step));
          tally_stages_fail (stages, error);
          return FALSE;
        }
      tally_batch_end_stage (batch);
      if (flow == TALLY_FLOW_END)
        shaper->n_ended = i + 1;
      if (!shape_and_hand_on (shaper, batch, i + 1))
        return FALSE;
    }
  return !g_atomic_int_get (&stages->stop);
}

/* No row comes any more: gets those that steps hold back, from the first step to the last. */
static gboolean
drain (Shaper *shaper)
{
  const GPtrArray *steps = shaper->stages->pipeline->steps;

  for (guint i = shaper->n_ended; i < steps->len; i++)
    if (tally_step_holds_rows (g_ptr_array_index (steps, i)) && !drain_step (shaper, i))
      return FALSE;
  return TRUE;
}

/* Brings the last position to the sink, and the number of rows that nobody wanted from the steps that held them. */
static void
close_books (Shaper *shaper)
{
  const TallyPipeline *pipeline = shaper->stages->pipeline;
  TallyBatch *batch;

  if (!shaper->at_once)
    return;

  batch = tally_batch_new (pipeline->sink_schema, 1);
  tally_batch_set_position (batch, shaper->position);
  tally_batch_count_filtered (batch, count_held (pipeline));
  hand_on (shaper, batch);
}

/* Shapes what is read.  FALSE: the run ends before its time. */
static gboolean
shape_all (Shaper *shaper)
{
  TallyStages *stages = shaper->stages;
  TallyBatch *batch;

  while (shaper->n_ended == 0 && (batch = tally_queue_pop (stages->raw, -1)) != NULL)
    if (!shape_and_hand_on (shaper, batch, 0))
      return FALSE;
  return shaper->n_ended > 0
         || (g_atomic_int_get (&stages->whole) && !g_atomic_int_get (&stages->stop));
}

static gpointer
shaper_main (gpointer data)
{
  TallyStages *stages = data;
  Shaper shaper = { .stages = stages, .at_once = tally_stages_go_at_once (stages) };
  gboolean done = shape_all (&shaper);

  /* What was read ahead is not wanted, and the source may be waiting for room. */
  g_atomic_int_set (&stages->enough, TRUE);
  tally_queue_abort (stages->raw);
  if (done && drain (&shaper))
    close_books (&shaper);
  g_free (shaper.position);
  tally_queue_close (stages->shaped);
  if (stages->wake != NULL)
    stages->wake (stages->pipeline->sink->self);
  return NULL;
}

void
tally_stages_start (TallyStages *stages)
{
  stages->reader = g_thread_new ("reader", reader_main, stages);
  stages->shaper = g_thread_new ("shaper", shaper_main, stages);
}

void
tally_stages_stop (TallyStages *stages)
{
  TallyInstance *source = stages->pipeline->source;

  g_atomic_int_set (&stages->stop, TRUE);
  if (source->plugin->interrupt != NULL)
    source->plugin->interrupt (source->self);
}

void
tally_stages_join (TallyStages *stages)
{
  tally_stages_stop (stages);
  tally_queue_abort (stages->raw);
  tally_queue_abort (stages->shaped);
  for (guint i = 0; i < stages->pipeline->steps->len; i++)
    tally_step_interrupt (g_ptr_array_index (stages->pipeline->steps, i));
  g_clear_pointer (&stages->reader, g_thread_join);
  g_clear_pointer (&stages->shaper, g_thread_join);
}
