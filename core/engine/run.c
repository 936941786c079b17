/* run.c: one execution of one pipeline, from the lease to the summary */
#include "identity.h"
#include "run.h"
#include "share.h"
#include "delivery/hooks.h"
#include "record/schema-private.h"
#include <string.h>

/* Batches that wait between two threads while each has one at work: more were no faster, only larger. */
#define QUEUE_LENGTH 1
/* A percentage of fewer records than this says nothing yet. */
#define FEWEST_FOR_PERCENT 1000
#define PROGRESS_EVERY (G_USEC_PER_SEC / 4)

static gint interrupted; /* atomic; set by a signal handler */

void
tally_run_interrupt (void)
{
  g_atomic_int_set (&interrupted, TRUE);
}

gboolean
tally_run_is_interrupted (void)
{
  return g_atomic_int_get (&interrupted);
}

const gint *
tally_run_interruption (void)
{
  return &interrupted;
}

gboolean
tally_rejects_within_limit (const TallyPipeline *pipeline, const TallyCounts *counts, gboolean at_end,
                            GError **error)
{
  guint64 n_records = counts->read + counts->added;
  double share = n_records > 0 ? 100.0 * counts->rejected / n_records : 0;

  if (counts->rejected > (guint64) pipeline->reject_limit)
    return tally_throw (error, TALLY_ERROR_LIMIT,
                        "more than %" G_GINT64_FORMAT " records were rejected, the limit that"
                        " \"errors\" sets", pipeline->reject_limit);
  if (share > pipeline->reject_percent && (at_end || counts->read >= FEWEST_FOR_PERCENT))
    return tally_throw (error, TALLY_ERROR_LIMIT,
                        "%.1f %% of the records were rejected, the limit that \"errors\" sets is"
                        " %g %%", share, pipeline->reject_percent);
  return TRUE;
}

/* (transfer full) (nullable) what holds the stages up */
static char *
dup_hold (TallyStages *stages, gint64 now, gint64 *ret_left)
{
  gsize n_held = GPOINTER_TO_SIZE (g_atomic_pointer_get (&stages->n_held));
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&stages->lock);

  *ret_left = stages->waiting != NULL ? MAX (stages->wait_until - now, 0) : 0;
  if (stages->waiting != NULL)
    return g_strdup (stages->waiting);
  return n_held > 0 ? g_strdup_printf ("%" G_GSIZE_FORMAT " rows, until steps let them go on", n_held) : NULL;
}

void
tally_run_show (TallyStages *stages, const TallyCounts *counts, TallyHold hold)
{
  static gint64 shown_at;
  gint64 now = g_get_monotonic_time ();
  g_autofree char *held = NULL;

  if (stages->options->progress == NULL || now - shown_at < PROGRESS_EVERY)
    return;
  if (hold.why == NULL)
    hold.why = held = dup_hold (stages, now, &hold.left);
  stages->options->progress (counts, hold.why, hold.left, stages->options->data);
  shown_at = now;
}

gboolean
tally_run_watch (TallyStages *stages, const TallyCounts *counts, TallyHold hold, GError **error)
{
  tally_run_show (stages, counts, hold);
  if (tally_run_is_interrupted ())
    return tally_throw (error, TALLY_ERROR_INTERRUPTED, "stopped by a signal");

  return tally_rejects_within_limit (stages->pipeline, counts, /* at_end= */ FALSE, error);
}

/* ---- What a run holds ---- */

typedef struct
{
  TallyPipeline *pipeline;        /* (unowned) */
  const TallyRunOptions *options; /* (unowned) */
  TallySummary *summary;          /* (unowned) */
  TallyStages stages;
  const char *ledger_uri;         /* (unowned) (nullable) */
  TallyLedger *ledger;            /* (owned) */
  TallyLedgerFlags ledger_flags;
  TallyShare *share;              /* (owned) */
  TallyDeliveryProfile profile;
  TallyLedgerRun *run;            /* (owned) (nullable) */
  gint64 epoch;                   /* 0: no lease is held */
  gint64 last_send;
  char *tag;                      /* (owned) see new_tag() */
  TallyCheckpoint adopted;        /* (owned) what the run goes on from, if is_adopted */
  gboolean is_adopted;
} Run;

static gboolean
delivers (const Run *run)
{
  return run->pipeline->sink->plugin->delivery != NULL;
}

static void
run_clear (Run *run)
{
  tally_instance_close (run->pipeline->source);
  for (guint i = 0; i < run->pipeline->steps->len; i++)
    tally_step_close (g_ptr_array_index (run->pipeline->steps, i));
  tally_instance_close (run->pipeline->sink);
  if (run->epoch != 0)
    tally_ledger_release (run->ledger, run->epoch, NULL);
  g_clear_pointer (&run->run, tally_ledger_run_free);
  tally_ledger_close (run->ledger);
  g_clear_error (&run->stages.error);
  g_free (run->stages.waiting);
  g_free (run->stages.durable);
  tally_queue_free (run->stages.raw);
  tally_queue_free (run->stages.shaped);
  tally_context_free (run->stages.source_ctx);
  tally_context_free (run->stages.sink_ctx);
  g_ptr_array_unref (run->stages.step_ctxs);
  g_atomic_rc_box_release_full (run->share, run->share->clear);
  tally_references_free (run->stages.references);
  g_clear_pointer (&run->stages.listed, g_hash_table_unref);
  tally_warnings_free (run->stages.warnings);
  g_mutex_clear (&run->stages.lock);
  tally_checkpoint_clear (&run->adopted);
  g_free (run->tag);
}

static TallyContext *
new_context (Run *run)
{
  TallyContext *ctx = tally_context_new (run->pipeline->directory);

  g_free (ctx->run_tag);
  ctx->run_tag = g_strdup (run->tag);
  ctx->interrupted = tally_run_interruption ();
  ctx->share = run->share;
  ctx->warn = tally_warnings_add;
  ctx->warn_data = run->stages.warnings;
  return ctx;
}

/* The tag that marks what this run creates: the day and a few random digits, no secret and no key. */
static char *
new_tag (void)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *day = g_date_time_format (now, "%Y%m%d");

  return g_strdup_printf ("tallyman-%s-%08x", day, g_random_int ());
}

static void
run_init (Run *run)
{
  run->tag = new_tag ();
  g_mutex_init (&run->stages.lock);
  run->stages.pipeline = run->pipeline;
  run->stages.options = run->options;
  run->stages.counts = &run->summary->counts;
  run->stages.caller = g_thread_self ();
  run->stages.warnings = tally_warnings_new (run->options->warn, run->options->data);
  run->ledger_uri = run->options->ledger != NULL ? run->options->ledger : run->pipeline->ledger;
  run->ledger_flags = run->options->unsafe_ledger ? TALLY_LEDGER_UNSAFE : 0;
  run->share = tally_share_new (run->ledger_uri, run->ledger_flags);
  run->stages.raw = tally_queue_new (QUEUE_LENGTH);
  run->stages.shaped = tally_queue_new (QUEUE_LENGTH);
  run->stages.source_ctx = new_context (run);
  run->stages.sink_ctx = new_context (run);
  run->stages.step_ctxs = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_context_free);
  run->stages.wake = run->pipeline->sink->plugin->interrupt;
}

/* ---- Getting ready, in the order in which failing is cheapest ---- */

/* Opens it, again if the other side has asked to be left alone for so long; but not while a lease is held, which nobody
 * would keep alive meanwhile. */
static gboolean
open_patiently (Run *run, TallyInstance *instance, TallyContext *ctx, GError **error)
{
  for (guint attempts = 0;;)
    {
      g_autoptr (GError) failure = NULL;

      if (tally_instance_open (instance, ctx, &failure))
        return TRUE;
      if (run->epoch != 0 || ctx->patience == 0
          || !tally_stages_wait_again (&run->stages, ctx, &attempts, failure))
        {
          if (tally_run_is_interrupted ())
            return tally_throw (error, TALLY_ERROR_INTERRUPTED, "stopped by a signal");
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      tally_instance_close (instance);
    }
}

static gboolean
open_sink (Run *run, GError **error)
{
  TallyInstance *sink = run->pipeline->sink;
  const TallyDeliveryOptions *wish = &run->pipeline->delivery;

  if (delivers (run))
    {
      run->profile = (TallyDeliveryProfile) { .size = sizeof (TallyDeliveryProfile) };
      sink->plugin->delivery->profile (sink->self, &run->profile);
      if (wish->settle >= 0)
        run->profile.settle = wish->settle;
      if (wish->in_flight > 0)
        run->profile.max_in_flight = wish->in_flight;
    }
  if (!open_patiently (run, sink, run->stages.sink_ctx, error))
    return tally_throw_prefix (error, "sink \"%s\"", sink->plugin->name);
  if (delivers (run) && run->stages.sink_ctx->target == NULL)
    return tally_throw (error, TALLY_ERROR_UNSUPPORTED,
                        "sink \"%s\" did not say what its target is", sink->plugin->name);
  return TRUE;
}

gboolean
tally_run_acquire (TallyLedger *ledger, const TallyPipeline *pipeline, const char *entity, const char *target,
                   const char *command, gint64 ttl, gint64 *ret_epoch, gint64 *ret_last_send, GError **error)
{
  g_autoptr (TallyHolder) self = tally_holder_self (command);
  g_autofree char *name = g_strdup_printf ("pipeline %s", pipeline->name), *scope = NULL;
  const char *names[] = { name, NULL, NULL };

  if (entity != NULL)
    names[1] = scope = g_strdup_printf ("%s of %s in %s", entity, pipeline->origin, target);
  return tally_ledger_acquire (ledger, names, self, ttl, ret_epoch, ret_last_send, NULL, error);
}

static gboolean
take_lease (Run *run, GError **error)
{
  return tally_run_acquire (run->ledger, run->pipeline, delivers (run) ? run->profile.entity : NULL,
                            run->stages.sink_ctx->target, run->options->command, run->options->lease_ttl,
                            &run->epoch, &run->last_send, error);
}

/* Of a sink that delivers, once it is open: what its records are known by. */
static TallyScope
scope_of (const Run *run)
{
  return (TallyScope){ .target = run->stages.sink_ctx->target, .entity = run->profile.entity, .origin = run->pipeline->origin };
}

/* Before the first record of an origin. */
static gboolean
tell_identity (Run *run, GError **error)
{
  const TallyScope scope = scope_of (run);

  return !delivers (run) || tally_identity_tell (run->ledger, &scope, run->stages.sink_ctx, error);
}

/* The rows in the target may reach further than the ledger knows. */
static gboolean
ask_sink (Run *run, GError **error)
{
  TallyInstance *sink = run->pipeline->sink;
  TallyContext *ctx = run->stages.sink_ctx;
  g_autofree char *text = NULL;

  if (sink->plugin->resume == NULL)
    return TRUE;

  ctx->checkpoint_key
      = g_strdup_printf ("%s %s", tally_ledger_id (run->ledger), run->pipeline->name);
  if (tally_stages_are_whole (&run->stages))
    return TRUE;
  if (!sink->plugin->resume (sink->self, ctx, &text, error)
      || (text != NULL && !tally_checkpoint_parse (text, &run->adopted, error)))
    return tally_throw_prefix (error, "sink \"%s\"", sink->plugin->name);
  return text == NULL
         || tally_ledger_adopt (run->ledger, run->epoch, run->pipeline->name, run->adopted.pass, run->adopted.run,
                                run->adopted.position != NULL ? run->adopted.position : "",
                                &run->is_adopted, error);
}

/* What the ledger says of the rows must be so in the target, or rows would be missing that nobody looks for. */
static gboolean
check_target (const Run *run, GError **error)
{
  const char *position = run->stages.source_ctx->position;

  if (run->pipeline->sink->plugin->resume == NULL || position == NULL
      || tally_stages_are_whole (&run->stages)
      || g_strcmp0 (position, run->adopted.position) == 0)
    return TRUE;
  return tally_throw (error, TALLY_ERROR_LEDGER,
                      "the ledger knows of rows up to \"%s\", and the target has no checkpoint of them: it was put back, or "
                      "emptied; bring its newest state back, or give the pipeline another name to begin anew",
                      position);
}

/* Rows to look up are read anew by each run, also by one that goes on: those that were set aside are listed once. */
static gboolean
find_listed (Run *run, GError **error)
{
  const GArray *adopted = run->is_adopted ? run->adopted.rejects : NULL;

  if (tally_pipeline_n_lookups (run->pipeline) == 0)
    return TRUE;

  run->stages.listed = tally_rejects_find_lookups (run->ledger, run->pipeline->name, error);
  for (guint i = 0; run->stages.listed != NULL && adopted != NULL && i < adopted->len; i++)
    g_hash_table_add (run->stages.listed,
                      tally_reject_name (&g_array_index (adopted, TallyReject, i)));
  return run->stages.listed != NULL;
}

static gboolean
begin (Run *run, GError **error)
{
  /* Such a run saves no position on the way; one that is there was saved before the steps were what they are now, or by a
   * complete run.  But rows that are in the target are not written again, and their rejects belong to the same pass. */
  gboolean at_once = tally_stages_go_at_once (&run->stages);
  gboolean anew = at_once && !run->is_adopted
                  && !(run->pipeline->source->plugin->flags & TALLY_PLUGIN_KEEPS_POSITION);
  TallyRunFlags flags = 0;

  if (!tally_stages_are_whole (&run->stages) && !anew)
    flags |= TALLY_RUN_RESUMES;
  if (at_once)
    flags |= TALLY_RUN_READS_AGAIN;
  if (run->options->new_target)
    flags |= TALLY_RUN_NEW_TARGET;
  if (!tally_ledger_begin_run (run->ledger, run->epoch, run->pipeline->name,
                               run->stages.sink_ctx->target, flags, &run->run,
                               &run->stages.source_ctx->position, error))
    return FALSE;

  run->summary->run = run->run->id;
  /* What was adopted from a run that had come to no position yet. */
  if (g_strcmp0 (run->stages.source_ctx->position, "") == 0)
    g_clear_pointer (&run->stages.source_ctx->position, g_free);
  return find_listed (run, error) && check_target (run, error);
}

/* Sees what the lookups' sources give, where that is not known yet. */
static gboolean
look_at_lookups (Run *run, GError **error)
{
  g_autoptr (TallyContext) ctx = new_context (run);

  return tally_pipeline_describe_lookups (run->pipeline, ctx, error);
}

/* Opens the source, and types steps and sink for the columns that it has today. */
static gboolean
open_source (Run *run, GError **error)
{
  TallyInstance *source = run->pipeline->source;
  g_autoptr (TallySchema) schema = NULL;
  g_autoptr (GString) mistakes = NULL;

  if (!open_patiently (run, source, run->stages.source_ctx, error))
    return tally_throw_prefix (error, "source \"%s\"", source->plugin->name);
  schema = source->plugin->describe (source->self, run->stages.source_ctx, error);
  if (schema == NULL)
    return tally_throw_prefix (error, "source \"%s\"", source->plugin->name);
  /* The sink was opened for those that it had. */
  if (run->pipeline->source_schema != NULL
      && !tally_schema_equal (run->pipeline->source_schema, schema))
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "the source has other columns than a moment ago; run again");
  if (!look_at_lookups (run, error))
    return FALSE;
  if (tally_pipeline_bind (run->pipeline, schema))
    return TRUE;

  mistakes = g_string_new (NULL);
  tally_pipeline_format_diagnostics (run->pipeline, /* colour= */ FALSE, mistakes);
  return tally_throw (error, TALLY_ERROR_USAGE, "the source's columns do not fit:\n%s",
                      mistakes->str);
}

/* `check` does not ask a server for its columns; but a sink is opened only when it knows what will come. */
static gboolean
look_at_source (Run *run, GError **error)
{
  if (tally_pipeline_is_bound (run->pipeline))
    return TRUE;
  if (!open_source (run, error))
    return FALSE;
  tally_instance_close (run->pipeline->source);
  return TRUE;
}

/* What was delivered before this moment is what ref() sees. */
static void
prepare_references (Run *run)
{
  const TallyReferencesConfig config = { .ledger_uri = run->ledger_uri,
                                         .ledger_flags = run->ledger_flags,
                                         .origin = run->pipeline->origin,
                                         .target = delivers (run) ? run->stages.sink_ctx->target : NULL,
                                         .entity = delivers (run) ? run->profile.entity : NULL,
                                         .file = run->pipeline->references,
                                         .began_at = run->run->started_at,
                                         .warn = tally_warnings_add,
                                         .warn_data = run->stages.warnings };

  run->stages.references = tally_references_new (&config);
}

static gboolean
open_steps (Run *run, GError **error)
{
  prepare_references (run);
  for (guint i = 0; i < run->pipeline->steps->len; i++)
    {
      TallyStep *step = g_ptr_array_index (run->pipeline->steps, i);
      TallyContext *ctx = new_context (run);

      g_ptr_array_add (run->stages.step_ctxs, ctx);
      if (!tally_step_open (step, ctx, error))
        return tally_throw_prefix (error, "step \"%s\"", tally_step_name (step));
    }
  return TRUE;
}

static gboolean
prepare (Run *run, GError **error)
{
  run->ledger = tally_ledger_open (run->ledger_uri, run->ledger_flags, error);
  return run->ledger != NULL && tally_ledger_check_mark (run->ledger, error)
         && look_at_source (run, error) && open_sink (run, error)
         && take_lease (run, error) && tell_identity (run, error) && ask_sink (run, error) && begin (run, error)
         && open_source (run, error) && open_steps (run, error);
}

/* ---- The work, and its end ---- */

/* Lets the source mark what it gave, at the place where it found it.  What a signal or a failure leaves unmarked the next run
 * marks, so it costs this one nothing but a warning. */
static void
acknowledge (Run *run)
{
  TallyInstance *source = run->pipeline->source;
  g_autoptr (GError) error = NULL;

  if (source->plugin->acknowledge == NULL || run->stages.durable == NULL || tally_run_is_interrupted ()
      || source->plugin->acknowledge (source->self, run->stages.source_ctx, run->stages.durable, &error))
    return;
  g_prefix_error (&error, "source \"%s\": what was read is not marked there, the next run will try again: ", source->plugin->name);
  tally_warnings_add (error->message, run->stages.warnings);
}

/* Saves the position that the source has moved to; a sink that keeps checkpoints has it first, as always. */
static gboolean
move_position (Run *run, GError **error)
{
  TallyInstance *sink = run->pipeline->sink;
  TallyContext *ctx = run->stages.sink_ctx;
  char *moved = run->stages.source_ctx->moved;

  if (moved == NULL || g_strcmp0 (moved, run->stages.durable) == 0)
    return TRUE;
  TALLY_POINT ("acknowledged");
  if (sink->plugin->resume != NULL && !tally_stages_are_whole (&run->stages))
    {
      g_autoptr (GArray) rejects = g_array_new (FALSE, FALSE, sizeof (TallyReject));
      const TallyCheckpoint checkpoint
          = { .pass = run->run->pass, .run = run->run->id, .position = moved, .complete = TRUE, .rejects = rejects };

      g_free (ctx->checkpoint);
      ctx->checkpoint = tally_checkpoint_format (&checkpoint);
      if (sink->plugin->commit (sink->self, ctx, error) != TALLY_FLOW_OK)
        return tally_throw_prefix (error, "sink \"%s\"", sink->plugin->name);
      TALLY_POINT ("sink-moved");
    }
  return tally_ledger_move_position (run->ledger, run->run, run->stages.durable, moved, error);
}

static gboolean
work (Run *run, GError **error)
{
  const TallyPipeline *pipeline = run->pipeline;
  gboolean done;

  run->stages.durable = g_strdup (run->stages.source_ctx->position);
  tally_stages_start (&run->stages);
  if (delivers (run))
    {
      TallyDispatcherConfig config = { .sink = pipeline->sink->plugin->delivery,
                                       .self = pipeline->sink->self,
                                       .ctx = run->stages.sink_ctx,
                                       .interrupt = pipeline->sink->plugin->interrupt,
                                       .profile = run->profile,
                                       .ledger_uri = run->ledger_uri,
                                       .ledger_flags = run->ledger_flags,
                                       .origin = pipeline->origin,
                                       .run = run->run,
                                       .epoch = run->epoch,
                                       .lease_ttl = run->options->lease_ttl,
                                       .last_send = run->last_send,
                                       .attempts = pipeline->delivery.attempts,
                                       .key_column = pipeline->delivery.key_column,
                                       .records_move = pipeline->source->plugin->flags & TALLY_PLUGIN_RECORDS_MOVE,
                                       .wait = !run->options->no_wait,
                                       .clock = &tally_clock_boot_time };

      done = tally_deliver_all (&run->stages, &config, &run->summary->counts, error);
    }
  else
    done = tally_write_all (&run->stages, run->ledger, run->run,
                            run->is_adopted ? &run->adopted : NULL, run->options->lease_ttl,
                            &run->summary->counts, error);
  tally_stages_join (&run->stages);
  acknowledge (run);
  /* After a failure the sink may have rows that were not committed. */
  return done && move_position (run, error);
}

static TallyExit
exit_for (const TallySummary *summary)
{
  if (summary->error != NULL)
    {
      if (g_error_matches (summary->error, TALLY_ERROR, TALLY_ERROR_INTERRUPTED))
        return TALLY_EXIT_INTERRUPTED;
      if (g_error_matches (summary->error, TALLY_ERROR, TALLY_ERROR_LEASE))
        return TALLY_EXIT_LEASE;
      if (g_error_matches (summary->error, TALLY_ERROR, TALLY_ERROR_USAGE))
        return TALLY_EXIT_USAGE;
      return TALLY_EXIT_FAILED;
    }
  if (summary->counts.in_doubt > 0)
    return TALLY_EXIT_DOUBT;

  return summary->counts.rejected + summary->rejected_before > 0 ? TALLY_EXIT_REJECTS : TALLY_EXIT_COMPLETE;
}

/* What can truly be said of a run like this, see the README of this folder. */
static const char *
guarantee (const Run *run)
{
  if (run->pipeline->sink->plugin->resume != NULL && tally_stages_are_whole (&run->stages))
    return "whole: the table is complete, or as it was before";
  if (tally_stages_are_whole (&run->stages))
    return "whole: a file is complete, or as it was before; what went down a pipe cannot be taken back";
  if (run->pipeline->sink->plugin->resume != NULL)
    return "exactly once: the checkpoint is in the transaction of the rows";
  if (!delivers (run))
    return "at least once: after a failure the last records may be written again";
  if (run->ledger == NULL || !tally_ledger_is_durable (run->ledger))
    return "none: the ledger may lose what it was told";
  if (run->profile.may_repeat)
    return "at least once: a record whose answer was lost is sent again, and may be there twice";
  if (run->profile.can_resolve)
    return "exactly once";
  if (run->profile.key_life > 0)
    return "exactly once within the life of the target's keys; older doubts are held";
  return "at most once: doubts are held, because the target can neither recognise nor look up a record";
}

/* A failure at the end is the run's failure if there was none before. */
static void
note_failure (Run *run, GError *error)
{
  if (run->summary->error == NULL)
    run->summary->error = error;
  else
    {
      tally_warnings_add (error->message, run->stages.warnings);
      g_error_free (error);
    }
}

/* Writes down how it ended, and that last of all: until then a killed run goes on where it was, and after that the next
 * one begins anew. */
static void
finish (Run *run)
{
  TallySummary *summary = run->summary;
  GError *error = NULL;
  g_autoptr (GString) counts = g_string_new (NULL);
  const TallyScope scope = scope_of (run);
  static const char *const outcomes[] = { [TALLY_EXIT_COMPLETE] = "complete",
                                          [TALLY_EXIT_FAILED] = "failed",
                                          [TALLY_EXIT_USAGE] = "failed",
                                          [TALLY_EXIT_REJECTS] = "complete with rejects",
                                          [TALLY_EXIT_DOUBT] = "complete with doubts",
                                          [TALLY_EXIT_LEASE] = "lease lost" };
  gboolean keep;
  TallyExit how;

  if (run->stages.source_ctx->position != NULL
      && !tally_rejects_count_before (run->ledger, run->run, &summary->rejected_before, &error))
    {
      tally_warnings_add (error->message, run->stages.warnings);
      g_clear_error (&error);
    }
  if (!tally_rejects_export (run->pipeline, run->ledger, delivers (run) ? &scope : NULL, &error))
    note_failure (run, g_steal_pointer (&error));
  how = exit_for (summary);
  keep = summary->error != NULL
         || run->pipeline->source->plugin->flags & TALLY_PLUGIN_KEEPS_POSITION;
  tally_counts_format_json (&summary->counts, counts);
  if (!tally_ledger_end_run (run->ledger, run->run,
                             how == TALLY_EXIT_INTERRUPTED ? "interrupted" : outcomes[how], counts->str,
                             keep, &error)
      || !tally_ledger_save_mark (run->ledger, &error))
    note_failure (run, error);
}

void
tally_run (TallyPipeline *pipeline, const TallyRunOptions *options, TallySummary *ret_summary)
{
  Run run = { .pipeline = pipeline, .options = options, .summary = ret_summary };
  gint64 begun = g_get_monotonic_time ();

  memset (ret_summary, 0, sizeof *ret_summary);
  run_init (&run);
  ret_summary->guarantee = "none was needed: nothing was read, and nothing sent";
  if (prepare (&run, &ret_summary->error))
    {
      work (&run, &ret_summary->error);
      ret_summary->guarantee = guarantee (&run);
    }
  ret_summary->counts.retries += run.stages.n_retries;
  if (run.run != NULL)
    finish (&run);

  ret_summary->exit = exit_for (ret_summary);
  ret_summary->elapsed = g_get_monotonic_time () - begun;
  run_clear (&run);
}

void
tally_summary_clear (TallySummary *summary)
{
  g_clear_error (&summary->error);
}
