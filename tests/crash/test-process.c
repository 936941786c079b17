/* test-process.c: A, the process dies */
#include "failures.h"
#include <signal.h>
#include <string.h>

#define N_ROWS 40

/* In the order in which a record passes them. */
static const char *const points[] = {
  "before-intent-commit:1", "ledger-before-commit:2", "after-intent-commit:1", "before-send:1",
  "after-send:1",           "after-send:20",          "answer-read:1",         "answer-read:20",
  "before-outcome-commit:1", "committed:2",           "after-outcome-commit:1", "before-position:1",
  "after-position:1",
};

/* What the server does meanwhile; in the first, nothing unusual. */
static const char *const behaviours[] = {
  "[]",
  "[{\"kind\":\"drop-after\",\"method\":\"POST\",\"every\":3,\"count\":8}]",
  "[{\"kind\":\"drop-before\",\"method\":\"POST\",\"every\":3,\"count\":8}]",
  "[{\"kind\":\"cut-body\",\"method\":\"POST\",\"every\":3,\"count\":8}]",
  "[{\"kind\":\"status-after\",\"status\":502,\"body\":\"html\",\"method\":\"POST\",\"every\":3,\"count\":8}]",
  "[{\"kind\":\"storm\",\"count\":5,\"retry_after\":\"1\",\"method\":\"POST\",\"after\":3}]",
};

/* A1 A2 A3 A5 A6 A7 A8 A10: every point, under every behaviour, and then another point in the recovery. */
static void
test_each_crash_point_under_each_behaviour (void)
{
  guint n_killed = 0;

  for (guint i = 0; i < G_N_ELEMENTS (points); i++)
    for (guint j = 0; j < G_N_ELEMENTS (behaviours); j++)
      {
        const char *again = points[(i + 3 * j + 2) % G_N_ELEMENTS (points)];
        g_autofree char *label = g_strdup_printf ("%s, then %s, under %s", points[i], again, behaviours[j]);
        g_autoptr (Rig) rig = failure_rig (N_ROWS, NULL, NULL);

        rig_faults (rig, behaviours[j]);
        n_killed += failure_crash_at (rig, points[i]) == 128 + SIGKILL;
        n_killed += failure_crash_at (rig, again) == 128 + SIGKILL;
        failure_run_to_the_end (rig, label, 1);
        rig_exactly_once (rig, 1, N_ROWS, label);
      }

  g_print (" (%u kills)", n_killed);
  assert_true (n_killed > G_N_ELEMENTS (points) * G_N_ELEMENTS (behaviours));
}

static void
test_killed_while_the_server_works (void)
{
  const char *const options[] = { "--delay", "300", "--same-key", "duplicate", NULL };
  g_autoptr (Rig) rig = failure_rig (N_ROWS, options, NULL);

  rig_start (rig);
  while (rig_emulator_count (rig, "max_in_flight") == 0)
    g_thread_yield ();
  rig_signal (rig, SIGKILL);
  rig_wait (rig);
  assert_int (rig_tickets (rig), 0);
  failure_run_to_the_end (rig, "A4", 1);
  rig_exactly_once (rig, 1, N_ROWS, "A4");
}

static void
test_killed_before_the_answer_is_read (void)
{
  g_autoptr (Rig) rig = failure_rig (N_ROWS, NULL, NULL);

  rig_faults (rig, "[{\"kind\":\"delay-after\",\"ms\":400,\"method\":\"POST\",\"count\":0}]");
  rig_start (rig);
  rig_wait_for_tickets (rig, 5);
  rig_signal (rig, SIGKILL);
  rig_wait (rig);
  rig_clear_faults (rig);
  failure_run_to_the_end (rig, "A5", 1);
  rig_exactly_once (rig, 1, N_ROWS, "A5");
  assert_true (rig_count (rig, "repeated") > 0);
}

static void
test_a_reject_is_there_once (void)
{
  const char *const at[] = { "before-position:1", "committed:2", "after-position:1", "after-outcome-commit:1" };

  for (guint i = 0; i < G_N_ELEMENTS (at); i++)
    {
      g_autoptr (Rig) rig = failure_rig (N_ROWS, NULL, NULL);
      g_autofree char *file = NULL;

      rig_write (rig, "tickets.csv", "id,subject,body\n1,one,text\n7,seven,\n2,two,text\n8,ragged\n");
      rig_write_pipeline (rig, NULL, NULL, "  rejects: rejects.ndjson\n");
      failure_crash_at (rig, at[i]);
      assert_row_int (at[i], rig_run (rig), 3);
      rig_exactly_once (rig, 1, 2, at[i]);
      file = rig_read (rig, "rejects.ndjson");
      assert_row_int (at[i], rig_count_lines (rig, "rejects.ndjson"), 2);
      assert_contains (file, "tickets.csv:3");
      assert_contains (file, "tickets.csv:5");
      assert_true (file != NULL && strstr (file, "(key)") == NULL);
    }
}

static void
test_a_record_that_always_fails_is_set_aside (void)
{
  g_autoptr (Rig) rig = failure_rig (N_ROWS, NULL, "    settle: 1s\n    attempts: 3\n");

  rig_faults (rig, "[{\"kind\":\"status\",\"status\":500,\"external_id\":\"desk:7\",\"count\":0},"
                   "{\"kind\":\"status\",\"status\":500,\"method\":\"GET\",\"path\":\"/api/v2/tickets.json?external_id\",\"count\":0}]");
  assert_int (rig_run (rig), 4);
  assert_int (rig_tickets (rig), N_ROWS - 1);
  assert_int (rig_count (rig, "in_doubt"), 1);
  rig_command (rig, "doubt", "list", NULL);
  assert_contains (rig_output (rig), "7");

  rig_clear_faults (rig);
  failure_run_to_the_end (rig, "A11", 2);
  rig_exactly_once (rig, 1, N_ROWS, "A11");
}

static void
test_a_signal_lets_what_is_in_flight_settle (void)
{
  const char *const options[] = { "--delay", "50", NULL };
  g_autoptr (Rig) rig = failure_rig (400, options, NULL);
  gint64 tickets;

  rig_start (rig);
  rig_wait_for_tickets (rig, 20);
  rig_signal (rig, SIGTERM);
  assert_int (rig_wait (rig), 130);
  tickets = rig_tickets (rig);
  assert_true (tickets < 400);
  assert_int (rig_count (rig, "delivered"), tickets);
  failure_run_to_the_end (rig, "A12", 1);
  rig_exactly_once (rig, 1, 400, "A12");
}

/* Puts a step before the others. */
static void
add_step (Rig *rig, const char *step)
{
  g_autofree char *text = rig_read (rig, "pipeline.yaml");
  g_auto (GStrv) parts = g_strsplit (text, "transform:\n", 2);
  g_autofree char *changed = g_strdup_printf ("%stransform:\n  - %s\n%s", parts[0], step, parts[1]);

  rig_write (rig, "pipeline.yaml", changed);
}

/* Nothing is sent before all is read, and then a run that dies has no place to go on from.  Each third point; all of them
 * with TALLYMAN_PROOF=long. */
static void
test_rows_that_a_step_holds_back (void)
{
  guint each = g_strcmp0 (g_getenv ("TALLYMAN_PROOF"), "long") == 0 ? 1 : 3;

  for (guint i = 0; i < G_N_ELEMENTS (points); i += each)
    {
      const char *again = points[(i + 5) % G_N_ELEMENTS (points)];
      g_autofree char *label = g_strdup_printf ("sorted, %s, then %s", points[i], again);
      g_autoptr (Rig) rig = failure_rig (N_ROWS, NULL, NULL);

      add_step (rig, "sort: subject DESC");
      failure_crash_at (rig, points[i]);
      failure_crash_at (rig, again);
      failure_run_to_the_end (rig, label, 1);
      rig_exactly_once (rig, 1, N_ROWS, label);
    }
}

static void
test_a_signal_while_held_rows_are_sent (void)
{
  const char *const options[] = { "--delay", "50", NULL };
  g_autoptr (Rig) rig = failure_rig (1500, options, NULL);
  gint64 tickets;

  add_step (rig, "sort: id DESC");
  rig_start (rig);
  rig_wait_for_tickets (rig, 20);
  rig_signal (rig, SIGTERM);
  assert_int (rig_wait (rig), 130);
  tickets = rig_tickets (rig);
  assert_true (tickets < 1500);
  assert_int (rig_count (rig, "delivered"), tickets);
  failure_run_to_the_end (rig, "A12, sorted", 1);
  rig_exactly_once (rig, 1, 1500, "A12, sorted");
  assert_int (rig_count (rig, "unchanged"), tickets);
}

static void
test_a_full_disk_stops_the_sending (void)
{
  g_autoptr (Rig) rig = failure_rig (400, NULL, NULL);

  rig_command (rig, "status", NULL);
  rig_limit_files (rig, 160 * 1024);
  assert_int (rig_run (rig), 1);
  assert_true (rig_tickets (rig) < 400);
  rig_limit_files (rig, 0);
  failure_run_to_the_end (rig, "A13", 1);
  rig_exactly_once (rig, 1, 400, "A13");
}

static void
test_an_unwritable_state_folder_stops_before_sending (void)
{
  g_autoptr (Rig) rig = failure_rig (5, NULL, NULL);

  /* Not by permissions, which do not hold for root. */
  rig_write (rig, "state", "a file where a folder should be");
  assert_int (rig_run (rig), 1);
  assert_int (rig_tickets (rig), 0);
}

static const Promise promises[] = {
  { "A1, A2, A3, A6, A7, A8, A10: each crash point under each behaviour", test_each_crash_point_under_each_behaviour },
  { "A4: killed while the server works", test_killed_while_the_server_works },
  { "A5: killed before the answer is read", test_killed_before_the_answer_is_read },
  { "A9: a reject is there once", test_a_reject_is_there_once },
  { "A11: a record that always fails is set aside", test_a_record_that_always_fails_is_set_aside },
  { "A12: a signal lets what is in flight settle", test_a_signal_lets_what_is_in_flight_settle },
  { "A1, A12: rows that a step holds back", test_rows_that_a_step_holds_back },
  { "A12: a signal while held rows are sent", test_a_signal_while_held_rows_are_sent },
  { "A13: a full disk stops the sending", test_a_full_disk_stops_the_sending },
  { "A13: an unwritable state folder stops before sending", test_an_unwritable_state_folder_stops_before_sending },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("the process dies", promises, argc, argv);
}
