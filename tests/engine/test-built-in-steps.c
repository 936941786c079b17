/* test-built-in-steps.c: the engine around steps that make rows, or remember them */
#include "runs.h"
#include <sqlite3.h>
#include <string.h>

/* The values of rows that have one column, with a blank after each. */
static char *
words_of (const char *rows)
{
  g_auto (GStrv) parts = g_strsplit_set (rows, "\"", -1);
  GString *words = g_string_new (NULL);

  for (guint i = 3; i < g_strv_length (parts); i += 4)
    g_string_append_printf (words, "%s ", parts[i]);
  return g_string_free (words, FALSE);
}

static char *
run (const char *steps, const char *sink)
{
  return runs_run (RUNS_LINES, steps, sink, NULL);
}

static void
test_rows_of_arrays_are_counted_as_added (void)
{
  g_autofree char *summary
      = run ("  - set:\n      parts: CASE line WHEN 'one' THEN '[1, 2, 3]' WHEN 'two' THEN '[]' ELSE '{}' END::jsonb\n"
             "  - unnest: parts\n",
             "{ json: { path: out.ndjson } }");
  g_autofree char *rows = runs_read ("out.ndjson");

  assert_text (rows, "{\"line\":\"one\",\"parts\":1}\n{\"line\":\"one\",\"parts\":2}\n{\"line\":\"one\",\"parts\":3}\n");
  assert_contains (summary, "3:{");
  assert_contains (summary, "\"read\":3,\"taken_up\":0,\"added\":2,\"delivered\":3,");
  assert_contains (summary, "\"rejected\":1,\"in_doubt\":0,\"filtered\":1,");
}

static void
test_too_many_rows_end_the_run_with_the_way_out (void)
{
  g_autofree char *summary
      = run ("  - set: { parts: \"('[' || repeat('1,', 65535) || '1]')::jsonb\" }\n  - unnest: parts\n"
             "  - set: { parts: \"('[' || repeat('1,', 2) || '1]')::jsonb\" }\n  - unnest: parts\n",
             "{ json: { path: out.ndjson } }");

  assert_contains (summary, "1:{");
  assert_contains (summary, "step \\\"unnest\\\": more than 262144 rows would be made");
}

static void
test_a_sink_gets_patience_after_the_last_row_too (void)
{
  static const char *const steps[] = { "  - filter: 'true'\n", "  - limit: 3\n" };

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      g_autofree char *summary = run (steps[i], "shout-busy");

      assert_row_text (steps[i], strstr (summary, "\"delivered\":3,") != NULL ? "3" : summary, "3");
    }
}

/* As if the last run had saved that it stopped after the first line. */
static void
save_position (void)
{
  g_autofree char *path = runs_path ("ledger.db");
  sqlite3 *ledger = NULL;

  assert_int (sqlite3_open (path, &ledger), SQLITE_OK);
  assert_int (sqlite3_exec (ledger, "UPDATE pipelines SET position = '4'", NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close (ledger);
}

static void
test_what_remembers_rows_begins_at_the_beginning (void)
{
  static const struct
  {
    const char *label, *steps, *expected;
  } rows[] = {
    { "nothing remembered", "  - filter: 'true'\n", "\"read\":2,\"taken_up\":0,\"added\":0,\"delivered\":2," },
    { "limit", "  - limit: 10\n", "\"read\":3,\"taken_up\":0,\"added\":0,\"delivered\":3," },
    { "distinct", "  - distinct: line\n", "\"read\":3,\"taken_up\":0,\"added\":0,\"delivered\":3," },
    { "a plugin's", "  - shout-echo: {}\n", "\"read\":3,\"taken_up\":0,\"added\":0,\"delivered\":3," },
    { "group", "  - group: { line: line, n: count(*) }\n", "\"read\":3,\"taken_up\":0,\"added\":0,\"delivered\":3," },
    { "sort", "  - sort: line\n", "\"read\":3,\"taken_up\":0,\"added\":0,\"delivered\":3," },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *first = run (rows[i].steps, "shout-busy"), *second = NULL;

      assert_contains (first, "\"read\":3,");
      save_position ();
      second = run (rows[i].steps, "shout-busy");
      assert_row_text (rows[i].label, strstr (second, rows[i].expected) != NULL ? rows[i].expected : second,
                       rows[i].expected);
    }
}

static void
test_rows_that_are_held_back_are_counted_once (void)
{
  static const struct
  {
    const char *label, *steps, *rows, *counts[2];
  } rows[] = {
    { "all go on", "  - sort: line\n", "one three two ",
      { "\"read\":3,\"taken_up\":0,\"added\":0,\"delivered\":3,", "\"rejected\":0,\"in_doubt\":0,\"filtered\":0," } },
    { "a later step wants no more", "  - sort: line DESC\n  - limit: 1\n", "two ",
      { "\"read\":3,\"taken_up\":0,\"added\":0,\"delivered\":1,", "\"rejected\":0,\"in_doubt\":0,\"filtered\":2," } },
    { "an earlier step wants no more", "  - limit: 2\n  - sort: line DESC\n", "two one ",
      { "\"read\":2,\"taken_up\":0,\"added\":0,\"delivered\":2,", "\"rejected\":0,\"in_doubt\":0,\"filtered\":0," } },
    { "two steps, and one between them that wants no more",
      "  - sort: line DESC\n  - limit: 2\n  - sort: line\n  - limit: 1\n", "three ",
      { "\"read\":3,\"taken_up\":0,\"added\":0,\"delivered\":1,", "\"rejected\":0,\"in_doubt\":0,\"filtered\":2," } },
    { "groups of them", "  - group: { line: \"replace(line, 'two', 'three')\", n: count(*) }\n  - drop: n\n", "one three ",
      { "\"read\":3,\"taken_up\":0,\"added\":0,\"delivered\":2,", "\"rejected\":0,\"in_doubt\":0,\"filtered\":1," } },
    { "a row of none", "  - filter: 'false'\n  - group: { line: \"string_agg(line, '')\" }\n  - set: { line: \"'x'\" }\n", "x ",
      { "\"read\":3,\"taken_up\":0,\"added\":1,\"delivered\":1,", "\"rejected\":0,\"in_doubt\":0,\"filtered\":3," } },
    { "rejected and filtered before and after",
      "  - assert: { line <> 'one': no one }\n  - sort: line\n  - filter: line <> 'two'\n", "three ",
      { "\"read\":3,\"taken_up\":0,\"added\":0,\"delivered\":1,", "\"rejected\":1,\"in_doubt\":0,\"filtered\":1," } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    for (guint sink = 0; sink < 2; sink++)
      {
        g_autofree char *summary
            = run (rows[i].steps, sink == 0 ? "{ json: { path: held.ndjson } }" : "shout-busy");

        for (guint j = 0; j < 2; j++)
          assert_row_text (rows[i].label, strstr (summary, rows[i].counts[j]) != NULL ? rows[i].counts[j] : summary,
                           rows[i].counts[j]);
        if (sink == 0)
          {
            g_autofree char *out = runs_read ("held.ndjson");
            g_autofree char *words = words_of (out);

            assert_row_text (rows[i].label, words, rows[i].rows);
          }
      }
}

static void
test_what_is_rejected_after_a_sort_names_its_place (void)
{
  g_autofree char *a = runs_path ("a.csv"), *b = runs_path ("b.csv"), *rejects = NULL, *rows = NULL, *summary = NULL;

  g_file_set_contents (a, "line\nd\na\nbad\n", -1, NULL);
  g_file_set_contents (b, "line\nc\nbad\nb\n", -1, NULL);
  summary = runs_run ("{ csv: { path: '?.csv' } }",
                      "  - sort: line\n  - assert: { line <> 'bad': is bad }\nerrors: { rejects: r.ndjson }\n",
                      "{ json: { path: out.ndjson } }", NULL);
  assert_contains (summary, "3:{");
  rows = runs_read ("out.ndjson");
  assert_text (rows, "{\"line\":\"a\"}\n{\"line\":\"b\"}\n{\"line\":\"c\"}\n{\"line\":\"d\"}\n");
  rejects = runs_read ("r.ndjson");
  assert_text (rejects, "{\"origin\":\"a.csv:4\",\"stage\":\"assert\",\"reason\":\"is bad\",\"record\":{\"line\":\"bad\"}}\n"
                        "{\"origin\":\"b.csv:3\",\"stage\":\"assert\",\"reason\":\"is bad\",\"record\":{\"line\":\"bad\"}}\n");
}

static const Promise promises[] = {
  { "rows of arrays are counted as added", test_rows_of_arrays_are_counted_as_added },
  { "too many rows end the run with the way out", test_too_many_rows_end_the_run_with_the_way_out },
  { "a sink gets patience after the last row, too", test_a_sink_gets_patience_after_the_last_row_too },
  { "rows that are held back are counted once", test_rows_that_are_held_back_are_counted_once },
  { "what is rejected after a sort names its place", test_what_is_rejected_after_a_sort_names_its_place },
  { "what remembers rows begins at the beginning", test_what_remembers_rows_begins_at_the_beginning },
  { NULL },
};

int
main (int argc, char **argv)
{
  return runs_main ("built-in steps", promises, argc, argv);
}
