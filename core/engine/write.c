/* write.c: the caller's thread around a sink that writes */
#include "run.h"
#include "delivery/hooks.h"
#include "record/batch-private.h"

/* Rows, and microseconds, after which a sink that can resume is asked to commit. */
#define COMMIT_ROWS 50000
#define COMMIT_EVERY (5 * G_USEC_PER_SEC)
/* And rejects, which are kept until then. */
#define MAX_REJECTS 1000
/* A signal and the progress line are looked after this often. */
#define GLANCE (G_USEC_PER_SEC / 4)
/* A sink settles after so many batches at most; after one, when it refused a row of the last ones or took longer than this. */
#define MAX_OPEN 8
#define SETTLE_QUICKLY G_USEC_PER_SEC

typedef struct
{
  TallyStages *stages;
  TallyInstance *sink;       /* (unowned) */
  TallyLedger *ledger;       /* (unowned) */
  const TallyLedgerRun *run; /* (unowned) */
  gint64 lease_ttl;
  gboolean whole;            /* nothing is committed before the end */
  gboolean keeps;            /* the sink keeps a checkpoint */
  gboolean at_once;          /* it has no place to go on from before the end */
  guint64 n_rejects;         /* of the pass, in the ledger; only if the sink keeps a checkpoint */
  TallyCounts *counts;
  gint64 serial;
  GPtrArray *open;           /* (owned) (element-type TallyBatch) that the sink took and has not settled */
  gboolean is_open;          /* not all is known of them */
  guint max_open;            /* it settles when there are so many */
  gint64 open_for;           /* microseconds that it took for them so far */
  GArray *rejects;           /* (owned) (element-type TallyReject) since the last ledger commit */
  char *position;            /* (owned) (nullable) the last that came */
  guint64 n_uncommitted;
  gint64 committed_at;       /* monotonic */
} Writer;

static void
writer_clear (Writer *writer)
{
  g_ptr_array_unref (writer->open);
  g_array_unref (writer->rejects);
  g_free (writer->position);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Writer, writer_clear)

static void
collect_rejects (Writer *writer, const TallyBatch *batch)
{
  guint n_rejects;
  const TallyReject *rejects = tally_batch_rejects (batch, &n_rejects);

  for (guint i = 0; i < n_rejects; i++)
    {
      TallyReject copy = { .origin = g_strdup (rejects[i].origin),
                           .stage = g_strdup (rejects[i].stage),
                           .reason = g_strdup (rejects[i].reason),
                           .record = g_strdup (rejects[i].record) };

      g_array_append_val (writer->rejects, copy);
    }
  writer->counts->rejected += n_rejects;
}

/* settle() or commit(). */
typedef TallyFlow (*Finish) (gpointer self, TallyContext *ctx, GError **error);

/* Calls write() or, where there is no batch, finish(), with patience. */
static gboolean
call_sink (Writer *writer, TallyBatch *batch, Finish finish, GError **error)
{
  const TallyPlugin *plugin = writer->sink->plugin;

  for (guint attempts = 0;;)
    {
      g_autoptr (GError) failure = NULL;
      TallyFlow flow
          = batch != NULL
                ? plugin->write (writer->sink->self, writer->stages->sink_ctx, batch, &failure)
                : finish (writer->sink->self, writer->stages->sink_ctx, &failure);

      if (flow == TALLY_FLOW_OK || flow == TALLY_FLOW_END || (flow == TALLY_FLOW_OPEN && plugin->settle != NULL))
        {
          writer->is_open = flow == TALLY_FLOW_OPEN;
          return TRUE;
        }
      if (failure == NULL)
        tally_throw (&failure, TALLY_ERROR_IO, "gave no reason");
      if (flow == TALLY_FLOW_REJECT && batch != NULL)
        {
          tally_stages_reject_all (batch, failure);
          return TRUE;
        }
      if (flow == TALLY_FLOW_RETRY
          && tally_stages_wait_again (writer->stages, writer->stages->sink_ctx, &attempts, failure))
        continue;
      g_propagate_prefixed_error (error, g_steal_pointer (&failure), "sink \"%s\": ", plugin->name);
      return FALSE;
    }
}

/* Tells the ledger what is durable: rejects and, for a sink that resumes, the position. */
static gboolean
commit_ledger_for (Writer *writer, const TallyLedgerRun *run, GError **error)
{
  TallyLedgerChange change = { .epoch = run->epoch,
                               .serial = ++writer->serial,
                               .lease_ttl = writer->lease_ttl,
                               .run = run,
                               .rejects = (const TallyReject *) (gpointer) writer->rejects->data,
                               .n_rejects = writer->rejects->len,
                               .position = writer->whole ? NULL : writer->position };
  gint64 now;

  if (!tally_ledger_commit (writer->ledger, &change, &now, error))
    return FALSE;

  writer->n_rejects += writer->rejects->len;
  g_array_set_size (writer->rejects, 0);
  writer->committed_at = g_get_monotonic_time ();
  return TRUE;
}

static gboolean
commit_ledger (Writer *writer, GError **error)
{
  return commit_ledger_for (writer, writer->run, error);
}

/* The checkpoint for the sink's commit. */
static void
make_checkpoint (Writer *writer, gboolean complete)
{
  TallyContext *ctx = writer->stages->sink_ctx;
  const TallyCheckpoint checkpoint = { .pass = writer->run->pass,
                                       .run = writer->run->id,
                                       .position = writer->position,
                                       .complete = complete,
                                       .n_rejects_before = writer->n_rejects,
                                       .rejects = writer->rejects };

  g_free (ctx->checkpoint);
  ctx->checkpoint = tally_checkpoint_format (&checkpoint);
}

/* A crash between the sink's commit and the ledger's may have left rejects that the ledger lacks.  They are that run's: it
 * read them, and this one does not read them again. */
static gboolean
catch_up (Writer *writer, const TallyCheckpoint *adopted, GError **error)
{
  TallyLedgerRun earlier = *writer->run;

  if (!tally_rejects_count_all (writer->ledger, writer->run->pipeline, &writer->n_rejects, error))
    return FALSE;
  if (adopted == NULL || adopted->rejects->len == 0
      || writer->n_rejects != adopted->n_rejects_before)
    return TRUE;

  g_array_unref (writer->rejects);
  writer->rejects = g_array_ref (adopted->rejects);
  earlier.id = MIN (adopted->run, writer->run->id); /* which an older copy of the ledger may not know */
  return commit_ledger_for (writer, &earlier, error);
}

/* What a batch came to, once the sink has settled it.  Returns whether the sink refused rows of it. */
static gboolean
take_stock (Writer *writer, TallyBatch *batch)
{
  guint n_rows = tally_batch_n_rows (batch);

  tally_batch_end_stage (batch);
  collect_rejects (writer, batch);
  writer->counts->read += tally_batch_n_read (batch);
  writer->counts->added += tally_batch_n_added (batch);
  writer->counts->filtered += tally_batch_n_filtered (batch);
  writer->n_uncommitted += tally_batch_n_rows (batch);
  if (tally_batch_position (batch) != NULL)
    {
      g_free (writer->position);
      writer->position = g_strdup (tally_batch_position (batch));
    }
  return tally_batch_n_rows (batch) < n_rows;
}

static gboolean
settle (Writer *writer, GError **error)
{
  gint64 begun = g_get_monotonic_time ();
  gboolean refused = FALSE;

  if (writer->open->len == 0)
    return TRUE;
  if (writer->is_open && !call_sink (writer, NULL, writer->sink->plugin->settle, error))
    return FALSE;

  for (guint i = 0; i < writer->open->len; i++)
    refused = take_stock (writer, g_ptr_array_index (writer->open, i)) || refused;
  g_ptr_array_set_size (writer->open, 0);
  tally_stages_beat (writer->stages);
  writer->open_for += g_get_monotonic_time () - begun;
  writer->max_open = refused || writer->open_for > SETTLE_QUICKLY ? 1 : MIN (writer->max_open * 2, MAX_OPEN);
  writer->open_for = 0;
  return TRUE;
}

static gboolean
commit (Writer *writer, gboolean complete, GError **error)
{
  if (!settle (writer, error))
    return FALSE;
  if (writer->keeps)
    make_checkpoint (writer, complete);
  if (writer->sink->plugin->commit != NULL && !call_sink (writer, NULL, writer->sink->plugin->commit, error))
    return FALSE;
  TALLY_POINT ("sink-committed");
  if (!commit_ledger (writer, error))
    return FALSE;

  g_free (writer->stages->durable);
  writer->stages->durable = g_strdup (writer->position);
  writer->counts->delivered += writer->n_uncommitted;
  writer->n_uncommitted = 0;
  return TRUE;
}

/* batch: (transfer full): is kept until the sink has settled it. */
static gboolean
take_batch (Writer *writer, TallyBatch *batch, GError **error)
{
  gint64 begun = g_get_monotonic_time ();

  g_ptr_array_add (writer->open, batch);
  if (tally_batch_n_rows (batch) > 0 && !call_sink (writer, batch, NULL, error))
    return FALSE;
  writer->open_for += g_get_monotonic_time () - begun;
  return (writer->is_open && writer->open->len < writer->max_open) || settle (writer, error);
}

/* A sink whose output appears as a whole has nothing to commit on the way, nor has one that keeps checkpoints where a run
 * could not go on: its source has no positions, its steps remember rows, or it cannot itself.  But the lease lives on and
 * rejects do not pile up. */
static gboolean
commit_on_the_way (Writer *writer, GError **error)
{
  gint64 age = g_get_monotonic_time () - writer->committed_at;

  if (writer->whole || writer->at_once || (writer->keeps && writer->position == NULL))
    return age < MIN (TALLY_WAIT (COMMIT_EVERY), writer->lease_ttl / 3) && writer->rejects->len < MAX_REJECTS
               ? TRUE
               : commit_ledger (writer, error);
  if (writer->n_uncommitted < COMMIT_ROWS && age < TALLY_WAIT (COMMIT_EVERY) && writer->rejects->len < MAX_REJECTS)
    return TRUE;

  return commit (writer, /* complete= */ FALSE, error);
}

gboolean
tally_write_all (TallyStages *stages, TallyLedger *ledger, const TallyLedgerRun *run,
                 const TallyCheckpoint *adopted, gint64 lease_ttl, TallyCounts *counts, GError **error)
{
  g_auto (Writer) writer = { .stages = stages,
                             .sink = stages->pipeline->sink,
                             .ledger = ledger,
                             .run = run,
                             .lease_ttl = lease_ttl,
                             .whole = tally_stages_are_whole (stages),
                             .keeps = stages->pipeline->sink->plugin->resume != NULL,
                             .at_once = stages->pipeline->sink->plugin->resume != NULL
                                        && tally_stages_go_at_once (stages),
                             .position = g_strdup (stages->source_ctx->position),
                             .counts = counts,
                             .open = g_ptr_array_new_with_free_func ((GDestroyNotify)tally_batch_free),
                             .max_open = 1,
                             .rejects = g_array_new (FALSE, FALSE, sizeof (TallyReject)),
                             .committed_at = g_get_monotonic_time () };

  g_array_set_clear_func (writer.rejects, tally_reject_clear);
  if (writer.keeps && !catch_up (&writer, adopted, error))
    return FALSE;
  if (adopted != NULL && adopted->complete && !(stages->pipeline->source->plugin->flags & TALLY_PLUGIN_KEEPS_POSITION))
    return TRUE;
  while (!tally_queue_is_over (stages->shaped))
    {
      TallyBatch *batch = tally_queue_pop (stages->shaped, GLANCE);

      if (!(batch != NULL ? take_batch (&writer, batch, error) : settle (&writer, error)))
        return FALSE;
      if (!commit_on_the_way (&writer, error))
        return FALSE;
      counts->in_flight = writer.n_uncommitted;
      if (!tally_run_watch (stages, counts, (TallyHold){ 0 }, error))
        return FALSE;
    }
  if ((*error = tally_stages_steal_error (stages)) != NULL)
    return FALSE;
  if (!settle (&writer, error) || !tally_rejects_within_limit (stages->pipeline, counts, /* at_end= */ TRUE, error))
    return FALSE;

  counts->in_flight = 0;
  return commit (&writer, /* complete= */ TRUE, error);
}
