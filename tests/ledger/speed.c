/* speed.c: how many deliveries a second a ledger takes
 *
 * Groups as the dispatcher makes them: each commit has 64 intents of 2 kB and the outcomes of the
 * 64 before.
 *
 *   meson test --benchmark -C build "ledger speed, postgresql" -v
 */
#include "cluster.h"
#include "ledger/ledger.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP 64
#define SECOND G_USEC_PER_SEC
#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static TallyLedger *ledger;
static TallyLedgerRun *run;
static gint64 epoch, scope;

static void
stop_on (GError *error)
{
  if (error == NULL)
    return;
  fprintf (stderr, "%s\n", error->message);
  exit (1);
}

static void
begin (const char *uri)
{
  const char *names[] = { "pipeline speed", NULL };
  const TallyScope where = { .target = "acme", .entity = "ticket", .origin = "desk" };
  g_autoptr (TallyHolder) self = tally_holder_self ("speed");
  g_autofree char *position = NULL;
  GError *error = NULL;
  gint64 last_send;

  ledger = tally_ledger_open (uri, TALLY_LEDGER_UNSAFE, &error);
  stop_on (error);
  tally_ledger_acquire (ledger, names, self, 60 * SECOND, &epoch, &last_send, NULL, &error);
  stop_on (error);
  tally_ledger_begin_run (ledger, epoch, "speed", "acme", 0, &run, &position, &error);
  stop_on (error);
  tally_ledger_scope (ledger, &where, &scope, &error);
  stop_on (error);
}

static void
commit_group (guint n, GBytes *request)
{
  TallyLedgerDelivery intents[GROUP], *pointers[GROUP];
  TallyLedgerOutcome outcomes[GROUP];
  gboolean taken[GROUP];
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  GError *error = NULL;
  TallyLedgerChange change = { .epoch = epoch,
                               .serial = n + 1,
                               .lease_ttl = 60 * SECOND,
                               .run = run,
                               .scope = scope,
                               .intents = pointers,
                               .n_intents = GROUP,
                               .taken = taken,
                               .outcomes = outcomes,
                               .n_outcomes = n > 0 ? GROUP : 0 };

  for (guint i = 0; i < GROUP; i++)
    {
      char *key = g_strdup_printf ("%08u", n * GROUP + i);
      char *before = g_strdup_printf ("%08u", (n - 1) * GROUP + i);
      g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, key, -1);

      intents[i] = (TallyLedgerDelivery){ .key = key,
                                          .generation = 1,
                                          .idempotency_key = g_strdup (hash),
                                          .request = request,
                                          .request_hash = (char *)HASH,
                                          .content_hash = (char *)HASH,
                                          .row_origin = key,
                                          .reference = key };
      outcomes[i] = (TallyLedgerOutcome){ .key = before,
                                          .generation = 1,
                                          .state = TALLY_DELIVERY_DELIVERED,
                                          .attempts = 1,
                                          .status = 201,
                                          .target_id = before };
      pointers[i] = &intents[i];
      g_ptr_array_add (texts, key);
      g_ptr_array_add (texts, before);
      g_ptr_array_add (texts, intents[i].idempotency_key);
    }
  tally_ledger_commit (ledger, &change, NULL, &error);
  stop_on (error);
}

int
main (int argc, char **argv)
{
  gboolean is_sqlite = argc > 1 && g_str_equal (argv[1], "sqlite");
  const char *setting = argc > 2 ? argv[2] : "fsync=on";
  guint n_groups = argc > 3 ? atoi (argv[3]) : 500;
  g_autofree char *folder = g_dir_make_tmp ("tally-speed-XXXXXX", NULL);
  g_autofree char *text = g_strnfill (2048, 'x');
  g_autoptr (GBytes) request = g_bytes_new (text, 2048);
  g_autoptr (Cluster) cluster = NULL;
  g_autofree char *uri = NULL;
  gint64 start;

  g_setenv ("XDG_STATE_HOME", folder, TRUE);
  if (!is_sqlite && !cluster_is_available ())
    return 77;
  if (!is_sqlite)
    cluster = cluster_new (setting, NULL);
  uri = is_sqlite ? NULL : cluster_create_database (cluster);
  begin (uri);
  start = g_get_monotonic_time ();
  for (guint i = 0; i < n_groups; i++)
    commit_group (i, request);
  start = g_get_monotonic_time () - start;
  printf ("%s, %s: %u deliveries intended and settled in %.2f s: %.0f a second, %.2f ms a commit\n",
          is_sqlite ? "sqlite" : "postgresql", setting, n_groups * GROUP, start / 1e6,
          n_groups * GROUP * 1e6 / start, start / 1e3 / n_groups);
  tally_ledger_run_free (run);
  tally_ledger_close (ledger);
  g_autofree char *cleanup = g_strdup_printf ("rm -rf '%s'", folder);
  return system (cleanup) == 0 ? 0 : 1;
}
