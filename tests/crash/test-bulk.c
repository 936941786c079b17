/* test-bulk.c: imports that go a hundred in a request, as jobs that do them by and by
 *
 * The account does what it was asked for whether or not anybody got its answer, and maybe long after: so a record that
 * no list shows yet may be about to come.
 */
#include "failures.h"
#include <signal.h>
#include <string.h>

#define N_ROWS 130 /* one full job, and another */
#define BULK "/api/v2/imports/tickets/create_many"
#define ON_BULK "\"path\":\"" BULK "\""

/* Time flies faster than elsewhere: an hour in which a job may be at work is a minute here, and still long. */
#define FLIGHT "40"

#define WAITS "settle: 20s\n    job-time: 60s"

/* A job that begins when a lookup has found nothing, in the list as in the export: it tells by then up to the end of
 * the time in which a single request may be at work. */
#define LATE "--job-wait", "110"
#define LONG_WAITS "settle: 20s\n    job-time: 120s"

static void
write_import (const Rig *rig, const char *requester, const char *waits)
{
  g_autofree char *yaml = g_strdup_printf (
      "pipeline: past\norigin: desk\nsource:\n  csv: { path: tickets.csv }\n"
      "transform:\n"
      "  - set: { requester_id: \"%s::bigint\", description: body }\n"
      "  - drop: [body]\n"
      "sink:\n  zendesk-tickets:\n    url: %s\n    access_token: secret\n    mode: import\n    key: id\n"
      "    bulk: true\n    export-delay: 60s\n    %s\n",
      requester, rig_url (rig), waits);

  rig_write (rig, "pipeline.yaml", yaml);
}

static Rig *
bulk_rig (guint n_rows, const char *first, const char *value)
{
  Rig *rig = rig_new (TRUE, "--time-rate", FLIGHT, first, value, NULL);

  rig_setenv (rig, "TALLYMAN_CLOCK_RATE", FLIGHT);
  rig_write_rows (rig, 1, n_rows);
  write_import (rig, "7", WAITS);
  return rig;
}

static void
assert_all_once (Rig *rig, guint n_rows, const char *label)
{
  rig_exactly_once (rig, 1, n_rows, label);
  failure_right_ids (rig, "tickets.csv", "ticket", n_rows, label);
}

/* One run settles all.  Returns a count of its summary, for the next run has another. */
static gint64
run_all_once (Rig *rig, const char *faults, guint n_rows, const char *name)
{
  gint64 n;

  rig_faults (rig, faults);
  failure_run_to_the_end (rig, faults, 1);
  n = rig_count (rig, name);
  assert_all_once (rig, n_rows, faults);
  return n;
}

static void
test_a_hundred_go_in_a_request (void)
{
  g_autoptr (Rig) rig = bulk_rig (N_ROWS, NULL, NULL);

  failure_run_to_the_end (rig, "plain", 1);
  assert_int (rig_count (rig, "delivered"), N_ROWS);
  assert_true (failure_count_posts (rig, BULK) <= 4);
  assert_true (failure_count_posts (rig, "/api/v2/imports/tickets.json") <= 1);
  assert_all_once (rig, N_ROWS, "plain");
  assert_int (rig_run (rig), 0);
  assert_int (rig_count (rig, "unchanged"), N_ROWS);
}

static const char *const points[] = {
  "after-intent-commit:1", "after-send:1",            "after-send:120", "answer-read:1",        "answer-read:100",
  "committed:2",           "before-outcome-commit:2", "committed:3",    "after-outcome-commit:2", "before-position:1",
  "after-position:1",      "before-lookup:1",         "after-lookup:1",
};

static const char *const behaviours[] = {
  "[{\"kind\":\"drop-after\"," ON_BULK ",\"count\":1}]",
  "[{\"kind\":\"job-fail\",\"records\":7," ON_BULK ",\"count\":2}]",
  "[{\"kind\":\"job-gone\"," ON_BULK ",\"count\":1}]",
  "[{\"kind\":\"job-short\",\"records\":9," ON_BULK ",\"count\":2}]",
  "[{\"kind\":\"status\",\"status\":503," ON_BULK ",\"count\":1}]",
};

static Rig *
plain_bulk_rig (guint n_rows)
{
  return bulk_rig (n_rows, NULL, NULL);
}

static void
test_each_crash_point_in_bulk (void)
{
  static const FailureCrashes crashes = { .points = points,
                                          .n_points = G_N_ELEMENTS (points),
                                          .step = 4,
                                          .behaviours = behaviours,
                                          .n_behaviours = G_N_ELEMENTS (behaviours),
                                          .make = plain_bulk_rig,
                                          .check = assert_all_once,
                                          .n_rows = N_ROWS };

  failure_crash_everywhere (&crashes);
}

/* In the short form one of the ways to lose it. */
static void
test_a_job_is_taken_and_its_id_is_lost (void)
{
  static const char *const faults[] = {
    "[{\"kind\":\"drop-after\"," ON_BULK ",\"count\":1}]",
    "[{\"kind\":\"cut-body\"," ON_BULK ",\"count\":1}]",
    "[{\"kind\":\"status-after\",\"status\":504,\"body\":\"html\"," ON_BULK ",\"count\":1}]",
    "[{\"kind\":\"empty\"," ON_BULK ",\"count\":1}]",
  };

  for (guint i = 0; i < (failure_is_long () ? G_N_ELEMENTS (faults) : 1); i++)
    {
      g_autoptr (Rig) rig = bulk_rig (N_ROWS, LATE);

      write_import (rig, "7", LONG_WAITS);
      assert_true (run_all_once (rig, faults[i], N_ROWS, "adopted") >= 30);
    }
}

static void
test_killed_while_a_job_waits (void)
{
  g_autoptr (Rig) rig = bulk_rig (N_ROWS, LATE);

  write_import (rig, "7", LONG_WAITS);
  rig_start (rig);
  while (rig_emulator_count (rig, "jobs") < 2)
    g_thread_yield ();
  rig_signal (rig, SIGKILL);
  rig_wait (rig);
  failure_run_to_the_end (rig, "killed", 1);
  assert_all_once (rig, N_ROWS, "killed");
  assert_int (rig_emulator_count (rig, "jobs"), 2);
}

/* The run ends at its deadline; the next one asks about the jobs that were begun, and sends none of their records again.
 * What was never sent is in doubt, too, and looked up. */
static void
test_a_signal_amid_jobs_leaves_what_is_asked_for (void)
{
  g_autoptr (Rig) rig = bulk_rig (2000, "--job-wait", "10");
  gint64 in_doubt;

  rig_start (rig);
  while (rig_emulator_count (rig, "jobs") < 2)
    g_thread_yield ();
  rig_signal (rig, SIGTERM);
  assert_int (rig_wait (rig), 130);
  in_doubt = rig_count (rig, "in_doubt");
  assert_true (rig_count (rig, "delivered") + in_doubt >= 200);
  failure_run_to_the_end (rig, "A12", 1);
  assert_true (rig_count (rig, "adopted") > 0 && rig_count (rig, "adopted") <= in_doubt);
  assert_all_once (rig, 2000, "A12");
}

static void
test_a_job_does_a_part_then_fails (void)
{
  static const char *const faults[] = {
    "[{\"kind\":\"job-fail\",\"records\":40," ON_BULK ",\"count\":1}]",
    "[{\"kind\":\"job-fail\",\"records\":40,\"rows\":true," ON_BULK ",\"count\":1}]",
    "[{\"kind\":\"job-fail\",\"records\":0,\"message\":\"killed\"," ON_BULK ",\"count\":2}]",
  };

  for (guint i = 0; i < (failure_is_long () ? G_N_ELEMENTS (faults) : 2); i++)
    {
      g_autoptr (Rig) rig = bulk_rig (N_ROWS, NULL, NULL);

      run_all_once (rig, faults[i], N_ROWS, "adopted");
    }
}

/* The third record's requester is nobody: one reject, and once that is corrected, one ticket more. */
static void
refuse_one (const char *faults)
{
  g_autoptr (Rig) rig = bulk_rig (N_ROWS, "--check-people", "on");
  g_autofree char *me = rig_ask (rig, "GET", "/api/v2/users/me.json", NULL);
  const char *id = strstr (me, "\"id\":") + strlen ("\"id\":");
  g_autofree char *user = g_strndup (id, strspn (id, "0123456789"));
  g_autofree char *one_is_nobody = g_strdup_printf ("(CASE WHEN id = '3' THEN 999 ELSE %s END)", user);

  write_import (rig, one_is_nobody, WAITS);
  rig_faults (rig, faults);
  assert_row_int (faults, rig_run (rig), 3);
  assert_row_int (faults, rig_count (rig, "rejected"), 1);
  assert_row_int (faults, rig_count (rig, "delivered"), N_ROWS - 1);
  rig_clear_faults (rig);
  write_import (rig, user, WAITS);
  failure_run_to_the_end (rig, faults, 1);
  assert_all_once (rig, N_ROWS, faults);
}

static void
test_a_record_that_is_refused_is_a_reject (void)
{
  refuse_one ("[]");
}

/* What was made is known by its external_id, and no row is believed for a place any more. */
static void
test_rows_that_name_other_places_are_not_believed (void)
{
  refuse_one ("[{\"kind\":\"job-mixed\"," ON_BULK ",\"count\":0}]");
}

static void
test_a_jobs_status_is_gone_or_short (void)
{
  static const char *const faults[] = {
    "[{\"kind\":\"job-gone\"," ON_BULK ",\"count\":1}]",
    "[{\"kind\":\"job-short\",\"records\":25," ON_BULK ",\"count\":2}]",
    "[{\"kind\":\"status\",\"status\":404,\"path\":\"/api/v2/job_statuses\",\"count\":0}]",
    "[{\"kind\":\"html\",\"path\":\"/api/v2/job_statuses\",\"count\":0}]",
  };

  for (guint i = 0; i < (failure_is_long () ? G_N_ELEMENTS (faults) : 2); i++)
    {
      g_autoptr (Rig) late = i != 1 ? bulk_rig (N_ROWS, LATE) : NULL;
      g_autoptr (Rig) early = i == 1 ? bulk_rig (N_ROWS, NULL, NULL) : NULL;
      Rig *rig = late != NULL ? late : early;

      write_import (rig, "7", LONG_WAITS);
      run_all_once (rig, faults[i], N_ROWS, "adopted");
    }
}

/* What it made is found; the rest is in doubt, for it may come yet. */
static void
test_a_job_that_never_ends_leaves_doubt (void)
{
  g_autoptr (Rig) rig = bulk_rig (20, NULL, NULL);

  write_import (rig, "7", "settle: 0s\n    job-time: 60s");
  rig_faults (rig, "[{\"kind\":\"job-stall\",\"records\":5," ON_BULK ",\"count\":0}]");
  assert_int (rig_command (rig, "run", "--json", "--no-wait", "pipeline.yaml", NULL), 4);
  assert_int (rig_count (rig, "adopted"), 5);
  assert_int (rig_command (rig, "run", "--json", "--no-wait", "pipeline.yaml", NULL), 4);
  assert_int (rig_emulator_count (rig, "jobs"), 1);
  assert_int (rig_emulator_count (rig, "created"), 5);
  assert_int (rig_count (rig, "in_doubt"), 15);
}

static void
test_too_many_jobs_are_waited_for (void)
{
  g_autoptr (Rig) rig = bulk_rig (450, "--job-limit", "1");

  assert_int (run_all_once (rig, "[]", 450, "adopted"), 0);
  assert_true (rig_emulator_count (rig, "limited") > 0);
}

/* Of an account that takes few requests a minute each is made full use of. */
static void
test_jobs_are_full_where_requests_are_few (void)
{
  g_autoptr (Rig) rig = bulk_rig (600, "--plan", "team");

  failure_run_to_the_end (rig, "team", 1);
  assert_all_once (rig, 600, "team");
  assert_int (failure_count_posts (rig, BULK), 6);
}

static void
test_a_plan_without_bulk_gets_them_singly (void)
{
  g_autoptr (Rig) rig = bulk_rig (250, NULL, NULL);

  rig_faults (rig, "[{\"kind\":\"forbidden\"," ON_BULK ",\"count\":0}]");
  failure_run_to_the_end (rig, "403", 1);
  assert_contains (rig_errors (rig), "takes no tickets in bulk");
  assert_all_once (rig, 250, "403");
  assert_true (failure_count_posts (rig, BULK) <= 4);
  assert_int (failure_count_posts (rig, "/api/v2/imports/tickets.json"), 250);
}

static void
test_what_is_too_large_is_split (void)
{
  g_autoptr (Rig) rig = bulk_rig (N_ROWS, "--max-body", "3000");

  assert_int (run_all_once (rig, "[]", N_ROWS, "rejected"), 0);
}

static const Promise promises[] = {
  { "a hundred go in a request", test_a_hundred_go_in_a_request },
  { "A1, A2, A3, A5, A6, A7, A8, A10: each crash point in bulk", test_each_crash_point_in_bulk },
  { "G1: a job is taken, and its id is lost", test_a_job_is_taken_and_its_id_is_lost },
  { "G1: killed while a job waits", test_killed_while_a_job_waits },
  { "A12: a signal amid jobs leaves what is asked for", test_a_signal_amid_jobs_leaves_what_is_asked_for },
  { "G2: a job does a part, then fails", test_a_job_does_a_part_then_fails },
  { "G2: a record that is refused is a reject", test_a_record_that_is_refused_is_a_reject },
  { "G3: rows that name other places are not believed", test_rows_that_name_other_places_are_not_believed },
  { "G3: a job's status is gone, or short", test_a_jobs_status_is_gone_or_short },
  { "G3: a job that never ends leaves doubt", test_a_job_that_never_ends_leaves_doubt },
  { "G4: too many jobs are waited for", test_too_many_jobs_are_waited_for },
  { "jobs are full where requests are few", test_jobs_are_full_where_requests_are_few },
  { "a plan without bulk gets them singly", test_a_plan_without_bulk_gets_them_singly },
  { "what is too large is split", test_what_is_too_large_is_split },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("failures: bulk", promises, argc, argv);
}
