/* test-rest.c: C, time; D, two at once; E, the ledger; F, data that changes */
#include "cluster.h"
#include "failures.h"
#include <signal.h>
#include <string.h>

#define N_ROWS 30

/* Leaves three tickets in doubt, which were made or not, and lets the account's time pass.  ret_key: one of them. */
static Rig *
rig_in_doubt (gboolean made, const char *seconds_later, char **ret_key)
{
  Rig *rig = failure_rig (N_ROWS, NULL, NULL);
  g_autofree char *advance = g_strdup_printf ("{\"advance\":%s}", seconds_later);

  g_autofree char *fault = g_strdup_printf ("[{\"kind\":\"%s\",\"method\":\"POST\",\"after\":5,\"count\":3}]",
                                            made ? "drop-after" : "drop-before");
  const char *key;

  rig_faults (rig, fault);
  assert_int (rig_command (rig, "run", "--json", "--no-wait", "pipeline.yaml", NULL), 4);
  assert_int (rig_count (rig, "in_doubt"), 3);
  rig_command (rig, "doubt", "list", "--json", NULL);
  key = strstr (rig_output (rig), "\"key\": \"");
  *ret_key = key != NULL ? g_strndup (key + 8, strcspn (key + 8, "\"")) : g_strdup ("none");
  g_free (rig_ask (rig, "POST", "/_emulator/clock", advance));
  return rig;
}

static void
test_a_key_is_used_only_while_it_is_honoured (void)
{
  /* The rig's clocks run fast, so the moments are not to the second; 1:59:50 is inside the margin. */
  const struct
  {
    const char *label, *later, *ledger_later;
    gboolean looked_up;
  } rows[] = {
    { "an hour later: the same key", "3600", "3600", FALSE },
    { "C1: 1:59:50 later: inside the margin, looked up", "7190", "7190", TRUE },
    { "C1: 2:00:10 later: looked up", "7210", "7210", TRUE },
    { "C3: the machine's clock was set back three hours", "10800", "0", TRUE },
    { "C3: the machine's clock jumped ahead", "0", "10800", TRUE },
  };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (rows); i++)
    {
      gboolean made = i % 2 == 0;
      g_autofree char *key = NULL;
      g_autoptr (Rig) rig = rig_in_doubt (made, rows[i / 2].later, &key);

      rig_setenv (rig, "TALLYMAN_LEDGER_CLOCK_OFFSET", rows[i / 2].ledger_later);
      failure_run_to_the_end (rig, rows[i / 2].label, 1);
      rig_exactly_once (rig, 1, N_ROWS, rows[i / 2].label);
      assert_row_int (rows[i / 2].label, rig_count (rig, "adopted"), made ? 3 : 0);
      /* What the account does not have goes under the same key, or, once that is old, under another. */
      rig_command (rig, "trace", "--json", key, NULL);
      assert_row_int (rows[i / 2].label, strstr (rig_output (rig), "\"generation\": 2") != NULL,
                      !made && rows[i / 2].looked_up);
    }
}

static void
test_a_second_run_says_who_holds_the_lease (void)
{
  const char *const options[] = { "--delay", "100", NULL };
  g_autoptr (Rig) rig = failure_rig (200, options, NULL);

  rig_start (rig);
  rig_wait_for_tickets (rig, 5);
  assert_int (rig_command (rig, "run", "pipeline.yaml", NULL), 5);
  assert_contains (rig_errors (rig), "tallyman run pipeline.yaml");
  assert_int (rig_wait (rig), 0);
  rig_exactly_once (rig, 1, 200, "D1");
}

static void
test_a_run_that_slept_finds_its_lease_gone (void)
{
  const char *const options[] = { "--delay", "100", NULL };
  g_autoptr (Rig) rig = failure_rig (400, options, NULL);
  gint64 tickets;
  int status;

  rig_start (rig);
  rig_wait_for_tickets (rig, 20);
  rig_signal (rig, SIGSTOP);

  /* For the second one, ten minutes have passed.  If the first was stopped in the middle of a transaction, the ledger's
   * file is locked, and the second says so: then it goes on for a moment. */
  rig_setenv (rig, "TALLYMAN_LEDGER_CLOCK_OFFSET", "600");
  while ((status = rig_run (rig)) == 1 && strstr (rig_errors (rig), "locked") != NULL)
    {
      rig_signal (rig, SIGCONT);
      g_thread_yield ();
      rig_signal (rig, SIGSTOP);
    }
  if (!assert_int (status, 0))
    g_printerr ("%s", rig_errors (rig));
  rig_setenv (rig, "TALLYMAN_LEDGER_CLOCK_OFFSET", NULL);
  tickets = rig_tickets (rig);
  rig_signal (rig, SIGCONT);
  assert_int (rig_wait (rig), 5);
  assert_int (rig_tickets (rig), tickets);
  rig_exactly_once (rig, 1, 400, "D2");
}

static Cluster *
new_cluster (void)
{
  if (cluster_is_available ())
    return cluster_new (NULL, NULL);

  skip_promise ("no PostgreSQL server is installed");
  return NULL;
}

static void
test_the_leases_connection_dies (void)
{
  const char *const options[] = { "--delay", "20", NULL };
  g_autoptr (Cluster) cluster = new_cluster ();

  if (cluster == NULL)
    return;

  g_autofree char *uri = cluster_create_database (cluster);
  g_autoptr (Rig) rig = failure_rig (400, options, NULL);

  rig_write_pipeline (rig, uri, "    settle: 20s\n", NULL);
  rig_start (rig);
  for (guint i = 1; i <= 4; i++)
    {
      rig_wait_for_tickets (rig, 60 * i);
      g_free (cluster_query (uri, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                                  " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"));
    }
  rig_wait (rig);
  failure_run_to_the_end (rig, "D6", 2);
  rig_exactly_once (rig, 1, 400, "D6");
}

static void
test_a_server_that_does_not_sync_is_refused (void)
{
  const char *const settings[] = { "fsync=off", "synchronous_commit=off", "full_page_writes=off" };

  if (!cluster_is_available ())
    {
      skip_promise ("no PostgreSQL server is installed");
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    {
      g_autoptr (Cluster) cluster = cluster_new (settings[i], NULL);
      g_autofree char *uri = cluster_create_database (cluster);
      g_autoptr (Rig) rig = failure_rig (5, NULL, NULL);
      int status;

      rig_write_pipeline (rig, uri, NULL, NULL);
      status = rig_run (rig);
      /* Of the three, a session may switch this one on for itself. */
      if (g_str_has_prefix (settings[i], "synchronous_commit") && status == 0)
        continue;
      assert_row_int (settings[i], status, 1);
      assert_row_int (settings[i], rig_tickets (rig), 0);
      assert_row_int (settings[i],
                      rig_command (rig, "run", "--json", "--unsafe-ledger", "pipeline.yaml", NULL), 0);
      assert_contains (rig_output (rig), "\"guarantee\":\"none");
    }
}

static void
test_the_server_is_killed_again_and_again (void)
{
  const char *const options[] = { "--delay", "10", NULL };
  g_autoptr (Cluster) cluster = new_cluster ();

  if (cluster == NULL)
    return;

  g_autofree char *uri = cluster_create_database (cluster);
  g_autoptr (Rig) rig = failure_rig (600, options, NULL);

  rig_write_pipeline (rig, uri, "    settle: 20s\n", NULL);
  for (guint i = 1; i <= 5; i++)
    {
      rig_start (rig);
      rig_wait_for_tickets (rig, 90 * i);
      cluster_stop (cluster, i % 2 == 0 ? CLUSTER_STOP_KILL : CLUSTER_STOP_IMMEDIATE);
      assert_row_int ("E6 stops when the ledger is gone", rig_wait (rig), 1);
      cluster_start (cluster);
    }
  failure_run_to_the_end (rig, "E6", 2);
  rig_exactly_once (rig, 1, 600, "E6");
}

static void
test_an_edited_row_does_not_change_what_is_in_doubt (void)
{
  g_autoptr (Rig) rig = failure_rig (1, NULL, NULL);
  g_autofree char *ticket = NULL;

  rig_setenv (rig, "TALLYMAN_CRASH", "after-intent-commit:1");
  assert_int (rig_run (rig), 128 + SIGKILL);
  rig_setenv (rig, "TALLYMAN_CRASH", NULL);
  rig_write (rig, "tickets.csv", "id,subject,body\n1,edited,edited\n");
  failure_run_to_the_end (rig, "F1", 1);
  rig_exactly_once (rig, 1, 1, "F1");
  ticket = rig_ask (rig, "GET", "/api/v2/tickets.json?external_id=desk:1", NULL);
  assert_contains (ticket, "Subject, of 1");
  assert_int (rig_run (rig), 0);
  assert_int (rig_count (rig, "drifted"), 1);
}

static void
test_a_changed_pipeline_does_not_change_what_is_in_doubt (void)
{
  g_autoptr (Rig) rig = failure_rig (2, NULL, NULL);
  g_autofree char *pipeline = rig_read (rig, "pipeline.yaml"), *ticket = NULL;
  g_auto (GStrv) parts = g_strsplit (pipeline, "transform:\n", 2);
  g_autofree char *changed = g_strdup_printf ("%stransform:\n  - set: { subject: \"'changed'\" }\n%s", parts[0], parts[1]);

  rig_setenv (rig, "TALLYMAN_CRASH", "after-send:1");
  assert_int (rig_run (rig), 128 + SIGKILL);
  rig_setenv (rig, "TALLYMAN_CRASH", NULL);
  rig_write (rig, "pipeline.yaml", changed);
  failure_run_to_the_end (rig, "F2", 1);
  rig_exactly_once (rig, 1, 2, "F2");
  ticket = rig_ask (rig, "GET", "/api/v2/tickets.json?external_id=desk:1", NULL);
  assert_contains (ticket, "Subject, of 1");
}

static void
test_a_value_that_changes_is_warned_of (void)
{
  g_autoptr (Rig) rig = failure_rig (1, NULL, NULL);
  g_autofree char *pipeline = rig_read (rig, "pipeline.yaml");
  g_auto (GStrv) parts = g_strsplit (pipeline, "transform:\n", 2);
  g_autofree char *changing = g_strdup_printf ("%stransform:\n  - set: { subject: now()::text }\n%s", parts[0], parts[1]);

  rig_write (rig, "pipeline.yaml", changing);
  assert_int (rig_command (rig, "check", "pipeline.yaml", NULL), 0);
  assert_contains (rig_errors (rig), "warning");
}

static void
test_a_key_that_comes_twice_is_rejected_with_both_places (void)
{
  g_autoptr (Rig) rig = failure_rig (1, NULL, NULL);

  rig_write (rig, "tickets.csv", "id,subject,body\n1,a,text\n2,b,text\n 1 ,padded,text\n2,again,text\n,none,text\n");
  assert_int (rig_run (rig), 3);
  assert_int (rig_tickets (rig), 2);
  assert_int (rig_count (rig, "rejected"), 3);
  rig_exactly_once (rig, 1, 2, "F4");
  rig_command (rig, "rejects", "list", NULL);
  assert_contains (rig_output (rig), "tickets.csv:4");
  assert_contains (rig_output (rig), "tickets.csv:2");
  assert_contains (rig_output (rig), "tickets.csv:5");
  assert_contains (rig_output (rig), "tickets.csv:3");
}

static void
test_the_same_export_in_another_dress_creates_nothing (void)
{
  g_autoptr (Rig) rig = failure_rig (3, NULL, NULL);

  rig_write (rig, "tickets.csv", "id,subject,body\n1,a,text\n2,b,text\n3,c,text\n");
  assert_int (rig_run (rig), 0);
  rig_write (rig, "tickets.csv", "\xef\xbb\xbfid,subject,body\r\n3,c,text\r\n1,a,text\r\n\"2\",b,\"text\"\r\n");
  assert_int (rig_run (rig), 0);
  assert_int (rig_count (rig, "unchanged"), 3);
  assert_int (rig_count (rig, "drifted"), 0);
  rig_exactly_once (rig, 1, 3, "F5");
}

static const Promise promises[] = {
  { "C1, C3: a key is used only while it is honoured", test_a_key_is_used_only_while_it_is_honoured },
  { "D1: a second run says who holds the lease", test_a_second_run_says_who_holds_the_lease },
  { "D2: a run that slept finds its lease gone", test_a_run_that_slept_finds_its_lease_gone },
  { "D6: the lease's connection dies", test_the_leases_connection_dies },
  { "E3: a server that does not sync is refused", test_a_server_that_does_not_sync_is_refused },
  { "E6: the server is killed again and again", test_the_server_is_killed_again_and_again },
  { "F1: an edited row does not change what is in doubt", test_an_edited_row_does_not_change_what_is_in_doubt },
  { "F2: a changed pipeline does not change what is in doubt", test_a_changed_pipeline_does_not_change_what_is_in_doubt },
  { "F3: a value that changes is warned of", test_a_value_that_changes_is_warned_of },
  { "F4: a key that comes twice is rejected with both places", test_a_key_that_comes_twice_is_rejected_with_both_places },
  { "F5: the same export in another dress creates nothing", test_the_same_export_in_another_dress_creates_nothing },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("time, two at once, the ledger, data that changes", promises, argc, argv);
}
