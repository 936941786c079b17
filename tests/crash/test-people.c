/* test-people.c: users and organizations, whose creation no key protects
 *
 * A record is in the target once, whatever happens on the way, and with it each of its addresses and memberships.  No mail goes
 * to anybody.
 */
#include "failures.h"
#include <json-c/json.h>
#include <signal.h>
#include <string.h>

#define N_ROWS 12

#define USER "created-user"
#define ORGANIZATION "created-organization"

static const char *const points[] = {
  "before-intent-commit:1", "after-intent-commit:1",   "before-send:1", "after-send:1",          "after-send:8",    "answer-read:1",
  "answer-read:8",          "before-outcome-commit:1", "committed:2",   "after-outcome-commit:1", "before-position:1", "after-position:1",
};

static const char *const behaviours[] = {
  "[]",
  "[{\"kind\":\"drop-after\",\"method\":\"POST\",\"every\":3,\"count\":8}]",
  "[{\"kind\":\"drop-before\",\"method\":\"POST\",\"every\":3,\"count\":8}]",
  "[{\"kind\":\"cut-body\",\"method\":\"POST\",\"every\":3,\"count\":8}]",
  "[{\"kind\":\"status-after\",\"status\":502,\"body\":\"html\",\"method\":\"POST\",\"every\":3,\"count\":8}]",
  "[{\"kind\":\"storm\",\"count\":5,\"retry_after\":\"1\",\"method\":\"POST\",\"after\":3}]",
  "[{\"kind\":\"conflict\",\"method\":\"POST\",\"every\":4,\"count\":5}]",
  "[{\"kind\":\"drop-then-act\",\"ms\":300,\"method\":\"POST\",\"every\":4,\"count\":3}]",
};

static void
write_pipeline (Rig *rig, const char *entity, const char *more)
{
  g_autofree char *yaml = g_strdup_printf ("pipeline: people\norigin: desk\n"
                                           "source:\n  csv: { path: people.csv }\n"
                                           "sink:\n  zendesk-%s:\n    url: %s\n    access_token: secret\n    key: id\n"
                                           "    settle: 20s\n%s",
                                           entity, rig_url (rig), more);

  rig_write (rig, "pipeline.yaml", yaml);
}

/* (transfer full) the id of a new organization. */
static char *
make_organization (Rig *rig, const char *name)
{
  g_autofree char *body = g_strdup_printf ("{\"organization\":{\"name\":\"%s\"}}", name);
  g_autofree char *answer = rig_ask (rig, "POST", "/api/v2/organizations.json", body);
  json_object *json = json_tokener_parse (answer), *organization = NULL, *id = NULL;
  char *text;

  json_object_object_get_ex (json, "organization", &organization);
  json_object_object_get_ex (organization, "id", &id);
  text = g_strdup (json_object_get_string (id));
  json_object_put (json);
  return text;
}

/* Each user has an address of its own, a further one, and two organizations, which are those of all. */
static Rig *
new_users (guint n_rows)
{
  Rig *rig = rig_new (TRUE, "--time-rate", RATE, NULL);
  g_autofree char *one = make_organization (rig, "One"), *two = make_organization (rig, "Two");
  g_autoptr (GString) csv = g_string_new ("id,name,email,identities,organization_id,organization_ids\n");

  rig_setenv (rig, "TALLYMAN_CLOCK_RATE", RATE);
  for (guint i = 1; i <= n_rows; i++)
    g_string_append_printf (csv, "%u,User %u,u%u@acme.test,u%u@home.test,%s,%s\n", i, i, i, i, one, two);
  rig_write (rig, "people.csv", csv->str);
  write_pipeline (rig, "users", "");
  return rig;
}

/* In an account that does not notice when one is made twice. */
static Rig *
new_organizations (guint n_rows)
{
  Rig *rig = rig_new (TRUE, "--time-rate", RATE, "--organization-race", "100000", NULL);
  g_autoptr (GString) csv = g_string_new ("id,name\n");

  rig_setenv (rig, "TALLYMAN_CLOCK_RATE", RATE);
  for (guint i = 1; i <= n_rows; i++)
    g_string_append_printf (csv, "%u,Organization %u\n", i, i);
  rig_write (rig, "people.csv", csv->str);
  write_pipeline (rig, "organizations", "");
  return rig;
}

/* Of users also what belongs to them. */
static void
check_users (Rig *rig, guint n_rows, const char *label)
{
  rig_exactly_once_of (rig, USER, 1, n_rows, label);
  assert_row_int (label, rig_emulator_count (rig, "users_created"), n_rows);
  assert_row_int (label, rig_emulator_count (rig, "identities_created"), n_rows);
  assert_row_int (label, rig_emulator_count (rig, "memberships_created"), 2 * n_rows);
  assert_row_int (label, rig_emulator_count (rig, "verification_mails"), 0);
}

static void
check_organizations (Rig *rig, guint n_rows, const char *label)
{
  rig_exactly_once_of (rig, ORGANIZATION, 1, n_rows, label);
}

#define CRASHES                                                                                                     \
  .points = points, .n_points = G_N_ELEMENTS (points), .step = 1, .behaviours = behaviours,                         \
  .n_behaviours = G_N_ELEMENTS (behaviours), .n_rows = N_ROWS

static void
test_users_are_made_once_wherever_it_dies (void)
{
  static const FailureCrashes crashes = { CRASHES, .make = new_users, .check = check_users };

  failure_crash_everywhere (&crashes);
}

static void
test_organizations_are_made_once_wherever_it_dies (void)
{
  static const FailureCrashes crashes = { CRASHES, .shift = 3, .make = new_organizations, .check = check_organizations };

  failure_crash_everywhere (&crashes);
}

/* G5: killed while users are there, and what belongs to them is not. */
static void
test_killed_between_a_user_and_what_belongs_to_it (void)
{
  static const char *const slow[] = {
    "[{\"kind\":\"delay-before\",\"ms\":400,\"method\":\"GET\",\"path\":\"/api/v2/users/\",\"count\":0}]",
    "[{\"kind\":\"delay-after\",\"ms\":400,\"method\":\"POST\",\"path\":\"/api/v2/users/\",\"count\":0}]",
    "[{\"kind\":\"delay-after\",\"ms\":400,\"method\":\"POST\",\"path\":\"/api/v2/organization_memberships\",\"count\":0}]",
  };

  for (guint i = 0; i < G_N_ELEMENTS (slow); i++)
    {
      g_autoptr (Rig) rig = new_users (N_ROWS);

      rig_faults (rig, slow[i]);
      rig_start (rig);
      while (rig_emulator_count (rig, "users_created") < 5)
        g_thread_yield ();
      if (i > 0)
        while (rig_emulator_count (rig, i == 1 ? "identities_created" : "memberships_created") == 0)
          g_thread_yield ();
      rig_signal (rig, SIGKILL);
      rig_wait (rig);
      rig_clear_faults (rig);
      failure_run_to_the_end (rig, slow[i], 1);
      check_users (rig, N_ROWS, slow[i]);
    }
}

/* D7: records with one name, in flight at once; the account would let both through. */
static void
test_records_with_one_name_make_one_at_a_time (void)
{
  g_autoptr (Rig) rig = rig_new (TRUE, "--time-rate", RATE, "--search-lag", "0", NULL);

  rig_setenv (rig, "TALLYMAN_CLOCK_RATE", RATE);
  rig_write (rig, "people.csv", "id,name,email\n1,Ann,ann@acme.test\n2,Bob,ANN@acme.test\n3,Cid,cid@acme.test\n");
  write_pipeline (rig, "users", "errors:\n  rejects: rejects.ndjson\n");
  rig_faults (rig, "[{\"kind\":\"drop-after\",\"method\":\"POST\",\"external_id\":\"desk:1\"}]");
  assert_int (rig_run (rig), 3);
  assert_int (rig_emulator_count (rig, "users_created"), 2);
  g_autofree char *rejects = rig_read (rig, "rejects.ndjson");
  assert_int (rig_count_lines (rig, "rejects.ndjson"), 1);
  assert_contains (rejects, "and the external_id \\\"desk:1\\\", where this record's would be \\\"desk:2\\\"");
}

/* G6: who is there already is taken over by the rule alone, and once, also where the answer to that is lost. */
static void
test_who_is_there_is_taken_over_by_the_rule_alone (void)
{
  static const char *const there = "{\"user\":{\"name\":\"Old\",\"email\":\"ann@acme.test\",\"skip_verify_email\":true}}";

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (Rig) rig = rig_new (TRUE, "--time-rate", RATE, "--search-lag", "0", NULL);

      rig_setenv (rig, "TALLYMAN_CLOCK_RATE", RATE);
      g_free (rig_ask (rig, "POST", "/api/v2/users.json", there));
      rig_write (rig, "people.csv", "id,name,email\n1,Ann,ann@acme.test\n");
      write_pipeline (rig, "users", i > 0 ? "    adopt: [email]\n" : "");
      if (i == 2)
        rig_faults (rig, "[{\"kind\":\"drop-after\",\"method\":\"PUT\"}]");
      assert_int (rig_run (rig), i == 0 ? 3 : 0);
      assert_int (rig_count (rig, "adopted"), i == 0 ? 0 : 1);
      assert_int (rig_emulator_count (rig, "users_created"), 1);
      assert_int (rig_emulator_count (rig, "verification_mails"), 0);
      assert_int (rig_run (rig), i == 0 ? 3 : 0); /* again, nothing is left to do */
      assert_int (rig_emulator_count (rig, "users_created"), 1);
    }
}

/* What a pipeline sets aside is not listed by another one of the same origin. */
static void
test_rejects_are_listed_by_their_own_pipeline (void)
{
  g_autoptr (Rig) rig = rig_new (TRUE, "--time-rate", RATE, "--search-lag", "0", NULL);
  static const char *const rejects = "errors:\n  rejects: rejects.ndjson\n";

  rig_setenv (rig, "TALLYMAN_CLOCK_RATE", RATE);
  rig_write (rig, "people.csv", "id,name,email\n1,Ann,ann@acme.test\n2,Bob,ann@acme.test\n");
  write_pipeline (rig, "users", rejects);
  assert_int (rig_run (rig), 3);
  assert_int (rig_count_lines (rig, "rejects.ndjson"), 1);
  rig_write (rig, "people.csv", "id,name\n1,Acme\n");
  write_pipeline (rig, "organizations", rejects);
  assert_int (rig_run (rig), 0);
  assert_int (rig_count_lines (rig, "rejects.ndjson"), 0);
}

static const Promise promises[] = {
  { "users are made once, wherever it dies", test_users_are_made_once_wherever_it_dies },
  { "organizations are made once, wherever it dies", test_organizations_are_made_once_wherever_it_dies },
  { "G5: killed between a user and what belongs to it", test_killed_between_a_user_and_what_belongs_to_it },
  { "D7: records with one name make one at a time", test_records_with_one_name_make_one_at_a_time },
  { "G6: who is there is taken over by the rule alone", test_who_is_there_is_taken_over_by_the_rule_alone },
  { "rejects are listed by their own pipeline", test_rejects_are_listed_by_their_own_pipeline },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("failures: people", promises, argc, argv);
}
