/* test-customers.c: the pipelines of pipelines/customers, from an address book into an account */
#include "promise.h"
#include "rig.h"
#include <string.h>

static void
copy_folder (Rig *rig)
{
  g_autofree char *command = g_strdup_printf ("sh -c \"cp '%s/pipelines/customers'/* '%s'\"", g_getenv ("SOURCE_ROOT"),
                                              rig_folder (rig));

  assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  rig_setenv (rig, "ZENDESK_URL", rig_url (rig));
  rig_setenv (rig, "ZENDESK_TOKEN", "secret");
}

static int
run_both (Rig *rig)
{
  int status = rig_command (rig, "run", "organizations.yaml", NULL);

  if (!assert_int (status, 0))
    g_printerr ("%s%s", rig_output (rig), rig_errors (rig));
  return rig_command (rig, "run", "users.yaml", NULL);
}

static void
check_account (Rig *rig, const char *label)
{
  assert_row_int (label, rig_emulator_count (rig, "organizations"), 4);
  assert_row_int (label, rig_emulator_count (rig, "users_created"), 7); /* one was there before, one record has no name */
  assert_row_int (label, rig_emulator_count (rig, "memberships"), 8);
  assert_row_int (label, rig_emulator_count (rig, "identities_created"), 3);
  assert_row_int (label, rig_emulator_count (rig, "verification_mails"), 0);
}

static void
test_an_address_book_becomes_an_account (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--search-lag", "0", NULL);
  g_autofree char *rejects = NULL, *changed = NULL, *shown = NULL;
  g_auto (GStrv) halves = NULL;

  copy_folder (rig);
  /* Made by hand before: one organization, and two people who have written. */
  g_free (rig_ask (rig, "POST", "/api/v2/organizations.json", "{\"organization\":{\"name\":\"ACME LTD\"}}"));
  g_free (rig_ask (rig, "POST", "/api/v2/users.json",
                   "{\"user\":{\"name\":\"ann\",\"email\":\"ann.archer@acme.example\",\"skip_verify_email\":true}}"));
  g_free (rig_ask (rig, "POST", "/api/v2/users.json", "{\"user\":{\"name\":\"Other\",\"skip_verify_email\":true}}"));

  if (!assert_int (run_both (rig), 3))
    g_printerr ("%s%s", rig_output (rig), rig_errors (rig));
  check_account (rig, "the first run");
  rejects = rig_read (rig, "rejects-users.ndjson");
  assert_contains (rejects, "the person has no name");
  assert_int (rig_count_lines (rig, "rejects-users.ndjson"), 1);

  run_both (rig);
  check_account (rig, "run again");

  /* Somebody moves house. */
  changed = rig_read (rig, "people.csv");
  halves = g_strsplit (changed, "cem@zumofen.example", 2);
  g_free (changed);
  changed = g_strjoinv ("cem@acme.test", halves);
  rig_write (rig, "people.csv", changed);
  run_both (rig);
  shown = rig_ask (rig, "GET", "/api/v2/users/search.json?query=email:cem@acme.test", NULL);
  assert_contains (shown, "\"email\":\"cem@acme.test\"");
  assert_contains (shown, "\"external_id\":\"crm:3\"");
  assert_int (rig_emulator_count (rig, "users_created"), 7);
  assert_int (rig_emulator_count (rig, "verification_mails"), 0);
}

static const Promise promises[] = {
  { "an address book becomes an account", test_an_address_book_becomes_an_account },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("customers", promises, argc, argv);
}
