/* test-restored.c: a ledger that went backwards, refilled from Zendesk
 *
 * The file of the embedded ledger is put back to what it was in the middle of an import, or is taken away. Nothing is made then, until
 * `tallyman doubt reconcile` has read the account; after it nothing is made twice, and nothing is missing.
 */
#include "failures.h"

#define N_ROWS 20

static void
reconcile_tickets (gboolean emptied)
{
  g_autoptr (Rig) rig = failure_rig (N_ROWS / 2, NULL, "    settle: 20s\n    export-delay: 60s\n");

  assert_int (rig_run (rig), 0);
  failure_copy_ledger (rig, FAILURE_LEDGER, "kept");
  rig_write_rows (rig, 1, N_ROWS);
  assert_int (rig_run (rig), 0);
  assert_int (rig_tickets (rig), N_ROWS);
  g_free (rig_ask (rig, "DELETE", "/api/v2/tickets/15.json", NULL));

  failure_copy_ledger (rig, emptied ? NULL : "kept", FAILURE_LEDGER);
  rig_write_rows (rig, 1, N_ROWS + 1);
  assert_int (rig_run (rig), 1);
  assert_contains (rig_errors (rig), "reconcile");
  assert_int (rig_tickets (rig), N_ROWS - 1);

  assert_int (rig_command (rig, "doubt", "reconcile", "--json", "pipeline.yaml", NULL), 0);
  assert_contains (rig_output (rig), emptied ? "\"unknown\":20" : "\"unknown\":10");
  assert_int (rig_run (rig), 0);
  assert_int (rig_count (rig, "delivered"), 1);
  assert_true (rig_exactly_once (rig, 1, N_ROWS + 1, emptied ? "emptied" : "put back"));
}

static void
test_a_ledger_that_was_put_back (void)
{
  reconcile_tickets (FALSE);
}

static void
test_a_ledger_that_was_emptied (void)
{
  reconcile_tickets (TRUE);
}

static void
test_people_after_a_ledger_was_put_back (void)
{
  static const char *const entities[] = { "users", "organizations" };

  for (guint i = 0; i < G_N_ELEMENTS (entities); i++)
    {
      g_autoptr (Rig) rig = rig_new (TRUE, "--time-rate", RATE, NULL);
      g_autofree char *yaml
          = g_strdup_printf ("pipeline: people\norigin: desk\nsource:\n  csv: { path: people.csv }\n"
                             "sink:\n  zendesk-%s: { url: \"%s\", access_token: secret, key: id, settle: 20s }\n",
                             entities[i], rig_url (rig));
      g_autofree char *created = g_strdup_printf ("%s_created", entities[i]);

      rig_setenv (rig, "TALLYMAN_CLOCK_RATE", RATE);
      rig_write (rig, "pipeline.yaml", yaml);
      rig_write (rig, "people.csv", "id,name\n1,Ada\n");
      assert_int (rig_run (rig), 0);
      failure_copy_ledger (rig, FAILURE_LEDGER, "kept");
      rig_write (rig, "people.csv", "id,name\n1,Ada\n2,Bo\n3,Cy\n");
      assert_int (rig_run (rig), 0);

      failure_copy_ledger (rig, "kept", FAILURE_LEDGER);
      assert_int (rig_run (rig), 1);
      assert_int (rig_command (rig, "doubt", "reconcile", "--json", "pipeline.yaml", NULL), 0);
      assert_contains (rig_output (rig), "\"unknown\":2");
      assert_int (rig_run (rig), 0);
      assert_row_int (created, rig_emulator_count (rig, created), 3);
    }
}

static const Promise promises[] = {
  { "E1: a ledger that was put back is refilled from the account", test_a_ledger_that_was_put_back },
  { "E4: a ledger that was emptied is refilled from the account", test_a_ledger_that_was_emptied },
  { "E1: users and organizations likewise", test_people_after_a_ledger_was_put_back },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("failures: restored", promises, argc, argv);
}
