/* test-steps-of-plugins.c: a transform of a plugin as a step of a pipeline */
#include "runs.h"
#include <string.h>

/* Runs a pipeline with these steps over the lines one, two, three, two a batch.  Returns the exit code, a colon and
 * what came out, each row on a line. */
static char *
run (const char *steps, char **ret_complaints)
{
  g_autofree char *summary = NULL, *rows = NULL;

  runs_remove ("out.ndjson");
  summary = runs_run (RUNS_LINES, steps, "{ json: { path: out.ndjson } }", ret_complaints);
  rows = runs_read ("out.ndjson");
  return g_strdup_printf ("%.*s:%s", (int)strcspn (summary, ":"), summary, rows);
}

static void
test_changes_rows_and_columns (void)
{
  static const struct
  {
    const char *label, *steps, *expected;
  } rows[] = {
    { "values and rows", "  - rename: { word: line }\n  - set:\n      word: nullif(word, 'two')\n  - shout:\n",
      "3:{\"word\":\"ONE\"}\n{\"word\":\"THREE\"}\n" },
    { "columns", "  - shout-echo: {}\n  - set: { echo: echo || '!' }\n",
      "0:{\"line\":\"one\",\"echo\":\"one!\"}\n{\"line\":\"two\",\"echo\":\"two!\"}\n"
      "{\"line\":\"three\",\"echo\":\"three!\"}\n" },
    { "the same plugin twice", "  - rename: { word: line }\n  - shout:\n  - shout:\n  - limit: 1\n",
      "0:{\"word\":\"ONE\"}\n" },
    { "no more rows", "  - shout-echo: { rows: 2 }\n  - keep: [echo]\n", "0:{\"echo\":\"one\"}\n{\"echo\":\"two\"}\n" },
    { "patience", "  - shout-echo: { trouble: busy }\n  - keep: [echo]\n",
      "0:{\"echo\":\"one\"}\n{\"echo\":\"two\"}\n{\"echo\":\"three\"}\n" },
    { "a batch set aside", "  - shout-echo: { trouble: cross }\n  - set: { echo: upper(echo) }\n", "3:" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *found = run (rows[i].steps, NULL);

      assert_row_text (rows[i].label, found, rows[i].expected);
    }
}

static void
test_ends_the_run_that_it_cannot_go_on_with (void)
{
  static const struct
  {
    const char *trouble, *message;
  } rows[] = {
    { "broken", "step \"shout-echo\": the hall is broken" },
    { "forgetful", "step \"shout-echo\": made other columns than it had said" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *steps = g_strdup_printf ("  - shout-echo: { trouble: %s }\n", rows[i].trouble);
      g_autofree char *complaints = NULL, *found = run (steps, &complaints);

      assert_row_text (rows[i].trouble, found, "1:");
      assert_contains (complaints, rows[i].message);
    }
}

static const Promise promises[] = {
  { "changes rows and columns", test_changes_rows_and_columns },
  { "ends the run that it cannot go on with", test_ends_the_run_that_it_cannot_go_on_with },
  { NULL },
};

int
main (int argc, char **argv)
{
  return runs_main ("steps of plugins", promises, argc, argv);
}
