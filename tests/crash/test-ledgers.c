/* test-ledgers.c: a second ledger for one account, a pipeline with another name
 *
 * Two state folders stand for two machines, each with the embedded ledger. What one has made the other does not know: it meets
 * it in the account, by the external_ids.
 */
#include "failures.h"
#include <signal.h>
#include <string.h>

#define SINK "    settle: 20s\n    export-delay: 60s\n"
#define FOUND "this ledger did not make it"
#define SHARED "another ledger has made records"

/* The same pipeline as an import, which no key protects. */
static void
import_instead (Rig *rig)
{
  g_autofree char *yaml = rig_read (rig, "pipeline.yaml");
  g_auto (GStrv) parts = g_strsplit (yaml, "comment.body: body }\n", 2);
  g_autofree char *import
      = g_strdup_printf ("%sdescription: body }\n  - set: { requester_id: 7::bigint }\n%s    mode: import\n", parts[0], parts[1]);

  rig_write (rig, "pipeline.yaml", import);
}

/* From now on the command works with the ledger of this name. */
static void
use_ledger (Rig *rig, const char *name)
{
  g_autofree char *state = rig_path (rig, name);

  rig_setenv (rig, "XDG_STATE_HOME", state);
}

/* An account into which another ledger has made the rows first … first + n - 1. */
static Rig *
rig_beside_another (guint first, guint n)
{
  Rig *rig = failure_rig (1, NULL, SINK);

  use_ledger (rig, "other");
  rig_write_rows (rig, first, n);
  assert_int (rig_run (rig), 0);
  assert_int (rig_tickets (rig), n);
  use_ledger (rig, "ours");
  return rig;
}

static guint
count_lookups (Rig *rig)
{
  g_autofree char *history = rig_ask (rig, "GET", "/_emulator/history", NULL);
  g_auto (GStrv) parts = g_strsplit (history, "\"outcome\":\"listed\"", -1);

  return g_strv_length (parts) - 1;
}

static void
test_what_another_ledger_made_is_taken_over (void)
{
  static const struct
  {
    const char *label, *sink_lines;
    guint first, n; /* what the other made */
    gboolean imports;
  } rows[] = {
    { "the same rows", SINK, 1, 60 },
    { "some, from the tenth on", SINK, 10, 30 },
    { "the first alone", SINK, 1, 1 },
    { "imports, without keys", SINK, 3, 40, TRUE },
    { "imports, a hundred in a request", SINK "    bulk: true\n", 3, 40, TRUE },
    { "many at a time", SINK "    in-flight: 50\n", 16, 40 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Rig) rig = rig_beside_another (rows[i].first, rows[i].n);

      rig_write_pipeline (rig, NULL, rows[i].sink_lines, NULL);
      if (rows[i].imports)
        import_instead (rig);
      rig_write_rows (rig, 1, 60);
      assert_row_int (rows[i].label, rig_run (rig), 0);
      assert_contains (rig_errors (rig), FOUND);
      assert_row_int (rows[i].label, rig_count (rig, "adopted"), rows[i].n);
      rig_exactly_once (rig, 1, 60, rows[i].label);
    }
}

/* Rows that nobody has made come first: more than are looked up where nobody else is known. */
static void
test_it_is_remembered_until_all_is_read (void)
{
  g_autoptr (Rig) rig = rig_beside_another (1, 1);
  guint before;

  use_ledger (rig, "other");
  rig_write_rows (rig, 101, 20);
  assert_int (rig_run (rig), 0);
  use_ledger (rig, "ours");
  rig_write_rows (rig, 1, 1);
  assert_int (rig_run (rig), 0);
  assert_contains (rig_errors (rig), FOUND);

  rig_write_rows (rig, 51, 70);
  assert_int (rig_run (rig), 0);
  assert_contains (rig_errors (rig), SHARED);
  assert_int (rig_count (rig, "adopted"), 20);
  assert_int (rig_emulator_count (rig, "duplicates"), 0);

  assert_int (rig_command (rig, "doubt", "reconcile", "pipeline.yaml", NULL), 0);
  before = count_lookups (rig);
  rig_write_rows (rig, 201, 100);
  assert_int (rig_run (rig), 0);
  assert_true (strstr (rig_errors (rig), SHARED) == NULL);
  assert_true (count_lookups (rig) - before < 50);
  assert_int (rig_emulator_count (rig, "duplicates"), 0);
}

/* What a ledger is told by the account before its first run it need not meet. */
static void
test_a_new_ledger_can_be_filled_before_its_first_run (void)
{
  g_autoptr (Rig) rig = rig_beside_another (1, 40);

  rig_write_rows (rig, 1, 60);
  assert_int (rig_command (rig, "doubt", "reconcile", "--json", "pipeline.yaml", NULL), 0);
  assert_contains (rig_output (rig), "\"unknown\":40");
  assert_int (rig_run (rig), 0);
  assert_true (strstr (rig_errors (rig), FOUND) == NULL);
  assert_int (rig_count (rig, "delivered"), 20);
  rig_exactly_once (rig, 1, 60, "filled first");
}

static void
test_a_run_that_was_killed_before_it_looked (void)
{
  static const char *const points[]
      = { "after-intent-commit:1", "before-lookup:1", "after-lookup:1", "before-lookup:9", "before-send:1", "answer-read:1",
          "answer-read:20", "before-outcome-commit:1", "committed:2", "after-outcome-commit:1" };

  for (guint i = 0; i < G_N_ELEMENTS (points); i++)
    {
      g_autoptr (Rig) rig = rig_beside_another (5, 40);

      rig_write_rows (rig, 1, 60);
      assert_row_int (points[i], failure_crash_at (rig, points[i]), 128 + SIGKILL);
      failure_run_to_the_end (rig, points[i], 2);
      rig_exactly_once (rig, 1, 60, points[i]);
    }
}

static void
test_who_is_alone_looks_little (void)
{
  g_autoptr (Rig) rig = failure_rig (200, NULL, SINK);

  import_instead (rig);
  assert_int (rig_run (rig), 0);
  assert_int (count_lookups (rig), 16);
  rig_exactly_once (rig, 1, 200, "alone");
  assert_int (rig_run (rig), 0);
  assert_int (count_lookups (rig), 16);
}

/* pipeline.yaml with another name, and with or without an origin. */
static void
rename_pipeline (Rig *rig, const char *name, const char *origin)
{
  g_autofree char *yaml = rig_read (rig, "pipeline.yaml");
  g_auto (GStrv) lines = g_strsplit (yaml, "\n", -1);
  GString *renamed = g_string_new (NULL);

  g_string_append_printf (renamed, "pipeline: %s\n", name);
  if (origin != NULL)
    g_string_append_printf (renamed, "origin: %s\n", origin);
  for (char **line = lines; *line != NULL; line++)
    if (!g_str_has_prefix (*line, "pipeline:") && !g_str_has_prefix (*line, "origin:"))
      g_string_append_printf (renamed, "%s\n", *line);
  rig_write (rig, "pipeline.yaml", renamed->str);
  g_string_free (renamed, TRUE);
}

static void
test_a_renamed_pipeline_says_whether_its_records_are_the_same (void)
{
  g_autoptr (Rig) rig = failure_rig (5, NULL, SINK);

  assert_int (rig_run (rig), 0);
  rename_pipeline (rig, "moved", "desk");
  assert_int (rig_run (rig), 0);
  assert_int (rig_count (rig, "unchanged"), 5);
  assert_int (rig_tickets (rig), 5);
  assert_true (strstr (rig_errors (rig), "are others") == NULL);

  rename_pipeline (rig, "moved", NULL);
  assert_int (rig_command (rig, "plan", "pipeline.yaml", NULL), 0);
  assert_contains (rig_errors (rig), "no ticket of origin \"moved\" in this target yet, but of \"desk\"");
  assert_int (rig_tickets (rig), 5);
  assert_int (rig_run (rig), 0);
  assert_contains (rig_errors (rig), "no ticket of origin \"moved\" in this target yet, but of \"desk\"");
  assert_int (rig_run (rig), 0);
  assert_true (strstr (rig_errors (rig), "are others") == NULL);
  assert_int (rig_count (rig, "unchanged"), 5);
}

static const Promise promises[] = {
  { "D4, H2, E4: what another ledger made is taken over, and told of", test_what_another_ledger_made_is_taken_over },
  { "D4: it is remembered until all is read", test_it_is_remembered_until_all_is_read },
  { "H2: a new ledger can be filled before its first run", test_a_new_ledger_can_be_filled_before_its_first_run },
  { "D4: so it is if the run was killed before it looked", test_a_run_that_was_killed_before_it_looked },
  { "who is alone looks little", test_who_is_alone_looks_little },
  { "H2: a renamed pipeline says whether its records are the same",
    test_a_renamed_pipeline_says_whether_its_records_are_the_same },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("failures: ledgers", promises, argc, argv);
}
