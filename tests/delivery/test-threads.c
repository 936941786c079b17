/* test-threads.c: the dispatcher with its real clerk, a thread with an SQLite ledger */
#include "delivery/dispatcher-private.h"
#include "promise.h"
#include <glib/gstdio.h>
#include <string.h>

#define SECOND ((gint64)G_USEC_PER_SEC)
#define TARGET "desk.example"

/* A sink with a thread of its own for each request, which settles on the dispatcher's. */
typedef struct
{
  GMutex mutex;
  GCond woken;
  gboolean interrupted;
  GQueue begun; /* (element-type TallyDelivery) */
  guint n_created, n_lookups;
  guint lose;      /* so many answers are lost */
  GHashTable *ids; /* idempotency key → id */
} Sink;

static gboolean
sink_render (gpointer self, TallyContext *ctx, const TallyBatch *batch, guint row,
             const char *reference, GString *ret_body, GError **error)
{
  tally_batch_append_json (batch, row, ret_body);
  return TRUE;
}

static void
sink_begin (gpointer self, TallyContext *ctx, TallyDelivery *delivery)
{
  g_queue_push_tail (&((Sink *)self)->begun, delivery);
}

static void
sink_answer (Sink *sink, TallyDelivery *delivery)
{
  TallyOutcome outcome = { TALLY_OUTCOME_INIT, .verdict = TALLY_VERDICT_DELIVERED, .status = 201 };
  gpointer id = g_hash_table_lookup (sink->ids, tally_delivery_key (delivery));
  g_autofree char *text = NULL;

  if (id == NULL)
    {
      id = GUINT_TO_POINTER (++sink->n_created);
      g_hash_table_insert (sink->ids, g_strdup (tally_delivery_key (delivery)), id);
    }
  else
    outcome.repeated = TRUE;
  text = g_strdup_printf ("%u", GPOINTER_TO_UINT (id));
  outcome.target_id = text;
  if (sink->lose > 0)
    {
      sink->lose--;
      outcome.verdict = TALLY_VERDICT_UNKNOWN;
      outcome.target_id = NULL;
    }
  tally_delivery_settle (delivery, &outcome);
}

static gboolean
sink_drive (gpointer self, TallyContext *ctx, gint64 wait, GError **error)
{
  Sink *sink = self;
  TallyDelivery *delivery = g_queue_pop_head (&sink->begun);

  if (delivery != NULL)
    {
      sink_answer (sink, delivery);
      return TRUE;
    }
  g_mutex_lock (&sink->mutex);
  while (!sink->interrupted)
    if (!g_cond_wait_until (&sink->woken, &sink->mutex, g_get_monotonic_time () + wait))
      break;
  sink->interrupted = FALSE;
  g_mutex_unlock (&sink->mutex);
  return TRUE;
}

static void
sink_interrupt (gpointer self)
{
  Sink *sink = self;

  g_mutex_lock (&sink->mutex);
  sink->interrupted = TRUE;
  g_cond_signal (&sink->woken);
  g_mutex_unlock (&sink->mutex);
}

static const TallyDeliverySink sink_callbacks = {
  TALLY_DELIVERY_SINK_INIT, .render = sink_render, .send = sink_begin,
  .resolve = sink_begin,    .drive = sink_drive,
};

/* ---- One run ---- */

typedef struct
{
  char *folder, *uri;
  TallyLedger *ledger; /* the engine's own connection */
  TallyHolder *holder;
  TallyContext ctx;
  TallyLedgerRun *run;
  TallyDispatcherConfig config;
  Sink sink;
  TallySchema *schema;
} Run;

static void
run_begin (Run *run)
{
  static const TallyColumn columns[]
      = { { "id", TALLY_TYPE_TEXT }, { "subject", TALLY_TYPE_TEXT } };
  const char *const names[] = { "pipeline:test", NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *position = NULL;

  memset (run, 0, sizeof *run);
  run->folder = g_dir_make_tmp ("tally-XXXXXX", NULL);
  g_setenv ("XDG_STATE_HOME", run->folder, TRUE);
  run->uri = g_strdup_printf ("sqlite:%s/ledger.sqlite", run->folder);
  run->ctx.target = (char *)TARGET;
  run->schema = tally_schema_new (columns, G_N_ELEMENTS (columns));
  run->sink.ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  run->ledger = tally_ledger_open (run->uri, 0, &error);
  assert_no_error (error);
  run->holder = tally_holder_self ("test");
  run->config = (TallyDispatcherConfig){
    .sink = &sink_callbacks,
    .self = &run->sink,
    .ctx = &run->ctx,
    .interrupt = sink_interrupt,
    .profile = { sizeof (TallyDeliveryProfile), "ticket", 7200 * SECOND, SECOND / 50,
                 TALLY_IN_FLIGHT_UNKNOWN, TRUE, 8 },
    .ledger_uri = run->uri,
    .origin = "desk",
    .lease_ttl = 3 * SECOND,
    .attempts = 5,
    .wait = TRUE,
    .clock = &tally_clock_boot_time,
  };
  tally_ledger_acquire (run->ledger, names, run->holder, 3 * SECOND, &run->config.epoch,
                        &run->config.last_send, NULL, &error);
  assert_no_error (error);
  tally_ledger_begin_run (run->ledger, run->config.epoch, "test", TARGET, 0, &run->run,
                          &position, &error);
  assert_no_error (error);
  run->config.run = run->run;
}

static void
run_end (Run *run)
{
  g_autofree char *remove = g_strdup_printf ("rm -rf '%s'", run->folder);

  tally_ledger_run_free (run->run);
  tally_holder_free (run->holder);
  tally_ledger_close (run->ledger);
  tally_schema_unref (run->schema);
  g_hash_table_unref (run->sink.ids);
  g_spawn_command_line_sync (remove, NULL, NULL, NULL, NULL);
  g_free (run->folder);
  g_free (run->uri);
}

static TallyBatch *
make_batch (Run *run, guint first, guint n)
{
  TallyBatch *batch = tally_batch_new (run->schema, n);
  g_autofree char *position = g_strdup_printf ("%u", first + n);

  tally_batch_set_origin (batch, "desk.csv");
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", first + i);

      tally_batch_set_row_number (batch, tally_batch_add_row (batch), first + i);
      tally_batch_set_text (batch, 0, key, strlen (key));
      tally_batch_set_text (batch, 1, "broken", 6);
    }
  tally_batch_set_position (batch, position);
  return batch;
}

static void
deliver (Run *run, guint n_batches, guint n_rows, TallyCounts *ret_counts)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TallyDispatcher) dispatcher = tally_dispatcher_new (&run->config, &error);
  guint n_taken = 0;

  assert_no_error (error);
  if (dispatcher == NULL)
    return;
  while (!tally_dispatcher_is_done (dispatcher))
    {
      while (tally_dispatcher_wants (dispatcher))
        if (n_taken < n_batches)
          tally_dispatcher_take (dispatcher, make_batch (run, n_taken++ * n_rows, n_rows));
        else
          tally_dispatcher_end (dispatcher);
      if (!tally_dispatcher_step (dispatcher, SECOND, &error))
        break;
    }
  assert_no_error (error);
  tally_dispatcher_counts (dispatcher, ret_counts);
}

static void
test_records_go_through_the_ledgers_thread (void)
{
  Run run;
  TallyCounts counts = { 0 };

  run_begin (&run);
  run.sink.lose = 3;
  deliver (&run, 5, 40, &counts);
  assert_int (counts.read, 200);
  assert_int (counts.delivered, 200);
  assert_int (counts.repeated, 3);
  assert_int (run.sink.n_created, 200);

  run.config.epoch = 0; /* serials go on from one only in a new epoch */
  tally_ledger_release (run.ledger, 1, NULL);
  run_end (&run);
}

static void
test_a_lease_that_was_taken_stops_the_run (void)
{
  const char *const names[] = { "pipeline:test", NULL };
  g_autoptr (GError) error = NULL;
  TallyDispatcher *dispatcher;
  TallyHolder other = { (char *)"elsewhere", (char *)"boot", 1, 1, (char *)"other" };
  gint64 epoch, last_send;
  Run run;

  run_begin (&run);
  assert_true (tally_ledger_release (run.ledger, run.config.epoch, &error));
  assert_no_error (error);
  assert_true (
      tally_ledger_acquire (run.ledger, names, &other, SECOND, &epoch, &last_send, NULL, &error));
  dispatcher = tally_dispatcher_new (&run.config, &error);
  assert_true (dispatcher == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEASE, "");
  run_end (&run);
}

static void
test_an_idle_run_keeps_its_lease (void)
{
  g_autoptr (GError) error = NULL;
  TallyDispatcher *dispatcher;
  gint64 before, after;
  Run run;

  run_begin (&run);
  run.config.lease_ttl = SECOND / 5;
  dispatcher = tally_dispatcher_new (&run.config, &error);
  assert_no_error (error);
  assert_true (dispatcher->clerk->class->deadline (dispatcher->clerk, &before, &error));
  for (guint i = 0; i < 100; i++)
    {
      assert_true (tally_dispatcher_step (dispatcher, SECOND / 100, &error));
      dispatcher->clerk->class->deadline (dispatcher->clerk, &after, NULL);
      if (after > before)
        break;
    }
  assert_true (after > before);
  tally_dispatcher_free (dispatcher);
  run_end (&run);
}

static const Promise promises[] = {
  { "records go through the ledger's thread", test_records_go_through_the_ledgers_thread },
  { "R7: a lease that was taken stops the run", test_a_lease_that_was_taken_stops_the_run },
  { "R7: an idle run keeps its lease", test_an_idle_run_keeps_its_lease },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("delivery threads", promises, argc, argv);
}
