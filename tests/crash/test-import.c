/* test-import.c: the real export of a Jira project becomes tickets, under three kinds of weather
 *
 * The file is not part of this project; the test is skipped where it is absent.
 */
#include "failures.h"
#include <string.h>

#define N_ISSUES 2503

/* Prepares a rig with the pipeline that the project ships for such exports; FALSE if there is no export. */
static Rig *
jira_rig (const char *plan, const char *rate)
{
  g_autofree char *export = g_build_filename (g_getenv ("SHARED_DATA"), "csv", "jira-hadoop-bugs.csv", NULL);
  g_autofree char *shipped = g_build_filename (g_getenv ("SOURCE_ROOT"), "pipelines", "jira", "hadoop.yaml", NULL);
  g_autofree char *pipeline = NULL;
  Rig *rig;

  if (!g_file_test (export, G_FILE_TEST_EXISTS))
    {
      skip_promise ("\"%s\" is not there", export);
      return NULL;
    }

  rig = rig_new (TRUE, "--time-rate", rate, "--plan", plan, NULL);
  rig_setenv (rig, "TALLYMAN_CLOCK_RATE", rate);
  rig_setenv (rig, "EXPORT", export);
  rig_setenv (rig, "ZENDESK_URL", rig_url (rig));
  rig_setenv (rig, "ZENDESK_TOKEN", "a-secret-of-the-environment");
  assert_true (g_file_get_contents (shipped, &pipeline, NULL, NULL));
  rig_write (rig, "pipeline.yaml", pipeline);
  return rig;
}

static void
assert_all_there (Rig *rig, const char *label)
{
  if (!assert_row_int (label, rig_run (rig), 0))
    g_printerr ("%s%s", rig_output (rig), rig_errors (rig));
  assert_row_int (label, rig_tickets (rig), N_ISSUES);
  assert_row_int (label, rig_emulator_count (rig, "duplicates"), 0);
  assert_row_int (label, rig_count (rig, "delivered"), N_ISSUES);

  assert_row_int (label, rig_run (rig), 0);
  assert_row_int (label, rig_emulator_count (rig, "created"), N_ISSUES);
  assert_row_int (label, rig_count (rig, "unchanged"), N_ISSUES);
  assert_true (strstr (rig_errors (rig), "a-secret-of-the-environment") == NULL);
}

static void
test_without_limits (void)
{
  g_autoptr (Rig) rig = jira_rig ("none", "1");

  if (rig != NULL)
    assert_all_there (rig, "plan none");
}

/* 2,503 requests at 700 a minute take three minutes and a half of the account's time. */
static void
test_at_the_limits_of_a_plan (void)
{
  g_autoptr (Rig) rig = jira_rig ("enterprise", "20");

  if (rig == NULL)
    return;
  assert_all_there (rig, "plan enterprise");
  g_print (" (%" G_GINT64_FORMAT " answers were 429)", rig_emulator_count (rig, "limited"));
}

static void
test_under_a_storm (void)
{
  g_autoptr (Rig) rig = jira_rig ("none", "20");

  if (rig == NULL)
    return;
  rig_faults (rig, "[{\"kind\":\"storm\",\"method\":\"POST\",\"after\":200,\"seconds\":40,\"retry_after\":\"5\"},"
                   "{\"kind\":\"storm\",\"method\":\"POST\",\"after\":900,\"seconds\":20,\"retry_after\":\"none\",\"body\":\"text\"},"
                   "{\"kind\":\"storm\",\"method\":\"POST\",\"probability\":0.05,\"seed\":7,\"count\":100,\"retry_after\":\"1\"}]");
  assert_all_there (rig, "429 storm");
  assert_true (rig_emulator_count (rig, "limited") > 50);
}

static const Promise promises[] = {
  { "2503 issues, no limits", test_without_limits },
  { "2503 issues at the limits of a plan", test_at_the_limits_of_a_plan },
  { "2503 issues under a storm of 429", test_under_a_storm },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("a real export", promises, argc, argv);
}
