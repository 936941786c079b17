/* test-bulk-people.c: users and organizations that are created a hundred in a request
 *
 * No key protects them, and what a job tells of them names users by their external_id, organizations not at all, and those
 * that it did not make by a place, or by nothing.  The account that takes organizations does not notice when one is made twice.
 */
#include "failures.h"
#include <signal.h>
#include <string.h>

#define N_ROWS 130 /* one full job, and another */

/* As in test-bulk.c: an hour in which a job may be at work is a minute and a half here. */
#define FLIGHT "40"
#define WAITS "    settle: 20s\n    job-time: 60s\n"

/* A job that begins when a lookup has found nothing. */
#define LATE "--job-wait", "110"
#define LONG_WAITS "    settle: 20s\n    job-time: 120s\n"

typedef struct
{
  const char *entity, *sink, *path, *event, *many;
} Kind;

static const Kind kinds[] = {
  { "user", "zendesk-users", "/api/v2/users.json", "created-user", "/api/v2/users/create_many" },
  { "organization", "zendesk-organizations", "/api/v2/organizations.json", "created-organization",
    "/api/v2/organizations/create_many" },
};

static void
write_pipeline (Rig *rig, const Kind *kind, const char *more)
{
  g_autofree char *yaml = g_strdup_printf ("pipeline: people\norigin: desk\nsource:\n  csv: { path: people.csv }\n"
                                           "sink:\n  %s:\n    url: %s\n    access_token: secret\n    key: id\n    bulk: true\n%s",
                                           kind->sink, rig_url (rig), more);

  rig_write (rig, "pipeline.yaml", yaml);
}

static void
write_people (Rig *rig, const Kind *kind, guint n_rows)
{
  gboolean is_user = kind == &kinds[0];
  g_autoptr (GString) csv = g_string_new (is_user ? "id,name,email\n" : "id,name\n");

  for (guint i = 1; i <= n_rows; i++)
    if (is_user)
      g_string_append_printf (csv, "%u,User %u,u%u@acme.test\n", i, i, i);
    else
      g_string_append_printf (csv, "%u,Organization %u\n", i, i);
  rig_write (rig, "people.csv", csv->str);
}

static Rig *
bulk_rig (const Kind *kind, guint n_rows, const char *first, const char *value)
{
  Rig *rig = rig_new (TRUE, "--time-rate", FLIGHT, "--search-lag", "0", "--bulk-users", "on", "--organization-race", "100000",
                      first, value, NULL);

  rig_setenv (rig, "TALLYMAN_CLOCK_RATE", FLIGHT);
  write_people (rig, kind, n_rows);
  write_pipeline (rig, kind, WAITS);
  return rig;
}

static void
assert_all_once (Rig *rig, const Kind *kind, guint n_rows, const char *label)
{
  rig_exactly_once_of (rig, kind->event, 1, n_rows, label);
  failure_right_ids (rig, "people.csv", kind->entity, n_rows, label);
  assert_row_int (label, rig_emulator_count (rig, "verification_mails"), 0);
}

/* faults: of the calls that begin jobs, with @ for where. */
static void
set_faults (Rig *rig, const Kind *kind, const char *faults)
{
  g_auto (GStrv) parts = g_strsplit (faults, "@", -1);
  g_autofree char *where = g_strdup_printf ("\"path\":\"%s\"", kind->many);
  g_autofree char *all = g_strjoinv (where, parts);

  rig_faults (rig, all);
}

static void
run_all_once (const Kind *kind, const char *faults, const char *first, const char *value, const char *more)
{
  g_autoptr (Rig) rig = bulk_rig (kind, N_ROWS, first, value);
  g_autofree char *label = g_strconcat (kind->entity, ": ", faults, NULL);

  write_pipeline (rig, kind, more);
  set_faults (rig, kind, faults);
  failure_run_to_the_end (rig, label, 1);
  assert_all_once (rig, kind, N_ROWS, label);
}

static void
test_a_hundred_go_in_a_request (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      const Kind *kind = &kinds[i];
      g_autoptr (Rig) rig = bulk_rig (kind, N_ROWS, NULL, NULL);

      failure_run_to_the_end (rig, kind->entity, 1);
      assert_true (failure_count_posts (rig, kind->many) <= 4);
      assert_true (failure_count_posts (rig, kind->path) <= 1);
      assert_all_once (rig, kind, N_ROWS, kind->entity);
      assert_int (rig_run (rig), 0);
      assert_int (rig_count (rig, "unchanged"), N_ROWS);
    }
}

static const char *const points[] = {
  "after-intent-commit:1", "after-send:1",            "after-send:120", "answer-read:1",        "answer-read:100",
  "committed:2",           "before-outcome-commit:2", "committed:3",    "after-outcome-commit:2", "before-position:1",
  "after-position:1",      "before-lookup:1",         "after-lookup:1",
};

#define ON_ALL "\"method\":\"POST\",\"count\":1}]"

static const char *const behaviours[] = {
  "[{\"kind\":\"drop-after\"," ON_ALL,
  "[{\"kind\":\"job-fail\",\"records\":7," ON_ALL,
  "[{\"kind\":\"job-mixed\"," ON_ALL,
  "[{\"kind\":\"job-gone\"," ON_ALL,
  "[{\"kind\":\"job-short\",\"records\":9," ON_ALL,
  "[{\"kind\":\"status\",\"status\":503," ON_ALL,
};

static Rig *
new_users (guint n_rows)
{
  return bulk_rig (&kinds[0], n_rows, NULL, NULL);
}

static Rig *
new_organizations (guint n_rows)
{
  return bulk_rig (&kinds[1], n_rows, NULL, NULL);
}

static void
check_users (Rig *rig, guint n_rows, const char *label)
{
  assert_all_once (rig, &kinds[0], n_rows, label);
}

static void
check_organizations (Rig *rig, guint n_rows, const char *label)
{
  assert_all_once (rig, &kinds[1], n_rows, label);
}

#define CRASHES                                                                                                     \
  .points = points, .n_points = G_N_ELEMENTS (points), .step = 4, .behaviours = behaviours,                         \
  .n_behaviours = G_N_ELEMENTS (behaviours), .n_rows = N_ROWS

static void
test_each_crash_point_in_bulk (void)
{
  static const FailureCrashes users = { CRASHES, .make = new_users, .check = check_users };
  static const FailureCrashes organizations = { CRASHES, .shift = 3, .make = new_organizations, .check = check_organizations };

  failure_crash_everywhere (&users);
  failure_crash_everywhere (&organizations);
}

static void
test_a_job_is_taken_and_its_id_is_lost (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    run_all_once (&kinds[i], "[{\"kind\":\"drop-after\",@,\"count\":1}]", LATE, LONG_WAITS);
}

static void
test_killed_while_a_job_waits (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autoptr (Rig) rig = bulk_rig (&kinds[i], N_ROWS, LATE);

      write_pipeline (rig, &kinds[i], LONG_WAITS);
      rig_start (rig);
      while (rig_emulator_count (rig, "jobs") < 2)
        g_thread_yield ();
      rig_signal (rig, SIGKILL);
      rig_wait (rig);
      failure_run_to_the_end (rig, "killed", 1);
      assert_all_once (rig, &kinds[i], N_ROWS, "killed");
      assert_int (rig_emulator_count (rig, "jobs"), 2);
    }
}

static void
test_a_job_does_a_part_then_fails (void)
{
  static const char *const faults[] = {
    "[{\"kind\":\"job-fail\",\"records\":40,@,\"count\":1}]",
    "[{\"kind\":\"job-fail\",\"records\":40,\"rows\":true,@,\"count\":1}]",
  };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    run_all_once (&kinds[i], faults[i], NULL, NULL, WAITS);
}

static void
test_a_jobs_status_is_gone_short_or_mixed (void)
{
  static const char *const faults[] = {
    "[{\"kind\":\"job-mixed\",@,\"count\":0}]",
    "[{\"kind\":\"job-short\",\"records\":25,@,\"count\":2}]",
    "[{\"kind\":\"job-gone\",@,\"count\":1}]",
    "[{\"kind\":\"status\",\"status\":500,\"path\":\"/api/v2/organizations/show_many\",\"count\":0}]",
  };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    for (guint k = 0; k < G_N_ELEMENTS (faults); k++)
      if (failure_is_long () || (i + k) % 2 == 1 || k == 0)
        run_all_once (&kinds[i], faults[k], NULL, NULL, WAITS);
}

/* The rule of "adopt" holds as for those that go singly, whatever the rows of those that a job did not make name. */
static void
test_who_is_there_is_taken_over_by_the_rule_alone (void)
{
  static const struct
  {
    const Kind *kind;
    const char *there, *rule, *form;
  } rows[] = {
    { &kinds[0], "{\"user\":{\"name\":\"Old\",\"email\":\"u3@acme.test\",\"skip_verify_email\":true}}", "    adopt: [email]\n", "bare" },
    { &kinds[1], "{\"organization\":{\"name\":\"organization 3\"}}", "    adopt: [name]\n", "bare" },
    { &kinds[1], "{\"organization\":{\"name\":\"organization 3\"}}", "    adopt: [name]\n", "index" },
    { &kinds[1], "{\"organization\":{\"name\":\"organization 3\"}}", "    adopt: [name]\n", "id" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Rig) rig = rig_new (TRUE, "--time-rate", FLIGHT, "--search-lag", "0", "--bulk-users", "on", "--organization-rows",
                                     rows[i].form, NULL);
      g_autofree char *more = g_strconcat (WAITS, rows[i].rule, NULL);

      rig_setenv (rig, "TALLYMAN_CLOCK_RATE", FLIGHT);
      g_free (rig_ask (rig, "POST", rows[i].kind->path, rows[i].there));
      write_people (rig, rows[i].kind, 20);
      write_pipeline (rig, rows[i].kind, WAITS);
      assert_row_int (rows[i].form, rig_run (rig), 3);
      assert_row_int (rows[i].form, rig_count (rig, "rejected"), 1);
      assert_row_int (rows[i].form, rig_count (rig, "delivered"), 19);
      write_pipeline (rig, rows[i].kind, more);
      assert_row_int (rows[i].form, rig_command (rig, "rejects", "retry", "--all", NULL), 0);
      failure_run_to_the_end (rig, rows[i].form, 1);
      assert_row_int (rows[i].form, rig_count (rig, "adopted"), 1);
    }
}

/* Two organizations are there, and as a row is missing each time nothing tells that it is these. */
static void
test_whom_a_job_does_not_make_goes_singly (void)
{
  const Kind *kind = &kinds[1];
  g_autoptr (Rig) rig = rig_new (TRUE, "--time-rate", FLIGHT, NULL);

  rig_setenv (rig, "TALLYMAN_CLOCK_RATE", FLIGHT);
  g_free (rig_ask (rig, "POST", kind->path, "{\"organization\":{\"name\":\"organization 3\"}}"));
  g_free (rig_ask (rig, "POST", kind->path, "{\"organization\":{\"name\":\"organization 4\"}}"));
  write_people (rig, kind, 20);
  write_pipeline (rig, kind, WAITS "    adopt: [name]\n");
  set_faults (rig, kind, "[{\"kind\":\"job-short\",@,\"count\":0}]");
  failure_run_to_the_end (rig, "short", 1);
  assert_int (rig_emulator_count (rig, "organizations_created"), 20);
  assert_int (failure_count_posts (rig, kind->many), 1);
  assert_int (rig_run (rig), 0);
  assert_int (rig_count (rig, "unchanged"), 20);
}

static void
test_too_many_jobs_are_waited_for (void)
{
  g_autoptr (Rig) rig = bulk_rig (&kinds[1], 350, "--job-limit", "1");

  failure_run_to_the_end (rig, "G4", 1);
  assert_true (rig_emulator_count (rig, "limited") > 0);
  assert_all_once (rig, &kinds[1], 350, "G4");
}

/* As accounts are at first; with one who has more than its creation, and one whose name was there. */
static void
test_an_account_without_bulk_gets_them_singly (void)
{
  g_autoptr (Rig) rig = rig_new (TRUE, "--time-rate", FLIGHT, NULL);

  rig_setenv (rig, "TALLYMAN_CLOCK_RATE", FLIGHT);
  write_people (rig, &kinds[0], N_ROWS);
  write_pipeline (rig, &kinds[0], WAITS);
  failure_run_to_the_end (rig, "403", 1);
  assert_contains (rig_errors (rig), "takes no users in bulk");
  assert_all_once (rig, &kinds[0], N_ROWS, "403");
  assert_true (failure_count_posts (rig, kinds[0].many) <= 4);
  assert_int (failure_count_posts (rig, kinds[0].path), N_ROWS);
}

/* What takes more than its creation goes alone. */
static void
test_users_with_further_addresses_go_singly (void)
{
  g_autoptr (Rig) rig = bulk_rig (&kinds[0], 0, NULL, NULL);

  rig_write (rig, "people.csv",
             "id,name,email,identities\n1,A,a@acme.test,\n2,B,b@acme.test,b@home.test\n3,C,c@acme.test,\n4,D,d@acme.test,d@home.test\n");
  failure_run_to_the_end (rig, "addresses", 1);
  assert_int (rig_emulator_count (rig, "identities_created"), 2);
  assert_int (failure_count_posts (rig, kinds[0].many), 1);
  assert_int (failure_count_posts (rig, kinds[0].path), 2);
  assert_all_once (rig, &kinds[0], 4, "addresses");
}

static const Promise promises[] = {
  { "a hundred go in a request", test_a_hundred_go_in_a_request },
  { "A1, A2, A3, A5, A6, A7, A8, A10: each crash point in bulk", test_each_crash_point_in_bulk },
  { "G1: a job is taken, and its id is lost", test_a_job_is_taken_and_its_id_is_lost },
  { "G1: killed while a job waits", test_killed_while_a_job_waits },
  { "G2: a job does a part, then fails", test_a_job_does_a_part_then_fails },
  { "G3: a job's status is gone, short or mixed up", test_a_jobs_status_is_gone_short_or_mixed },
  { "G6: who is there is taken over by the rule alone", test_who_is_there_is_taken_over_by_the_rule_alone },
  { "G3: whom a job does not make goes singly", test_whom_a_job_does_not_make_goes_singly },
  { "G4: too many jobs are waited for", test_too_many_jobs_are_waited_for },
  { "an account without bulk gets them singly", test_an_account_without_bulk_gets_them_singly },
  { "users with further addresses go singly", test_users_with_further_addresses_go_singly },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("failures: bulk people", promises, argc, argv);
}
