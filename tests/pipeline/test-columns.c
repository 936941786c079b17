/* test-columns.c: columns and expressions are checked against what the source gives, at the place
 * where they stand */
#include "promise.h"
#include "scratch.h"
#include <string.h>

/* The source gives one column, "line", of type text. */
#define HEAD "pipeline: p\nsource: { lines: { path: lines.txt } }\n"
#define SINK "sink: shout-busy\n"

static Scratch scratch;

typedef struct
{
  const char *label, *text, *expected;
} Row;

static void
check_rows (const Row *rows, guint n_rows)
{
  for (guint i = 0; i < n_rows; i++)
    {
      g_autofree char *found = scratch_check (&scratch, rows[i].text);

      assert_row_text (rows[i].label, found, rows[i].expected);
    }
}

static void
test_points_at_unknown_columns (void)
{
  static const Row rows[] = {
    { "in a filter", HEAD "transform:\n  - filter: lien <> 'spam'\n" SINK,
      "4:13-4 error: column \"lien\" does not exist | did you mean \"line\"? The step gets: line" },
    { "in a quoted filter", HEAD "transform:\n  - filter: \"'x' <> lien\"\n" SINK,
      "4:21-4 error: column \"lien\" does not exist | did you mean \"line\"? The step gets: line" },
    { "on the third line of a block",
      HEAD "transform:\n  - set:\n      a: |\n        upper(line)\n        || lien\n" SINK,
      "7:12-4 error: column \"lien\" does not exist | did you mean \"line\"? The step gets: line" },
    { "in a folded block",
      HEAD "transform:\n  - set:\n      a: >-\n        line\n        || lien\n" SINK,
      "7:12-4 error: column \"lien\" does not exist | did you mean \"line\"? The step gets: line" },
    { "in a list", HEAD "transform: [{ keep: [line, lien] }]\n" SINK,
      "3:28-4 error: column \"lien\" does not exist | did you mean \"line\"? The step gets: line" },
    { "in a rename", HEAD "transform: [{ rename: { a: lien } }]\n" SINK,
      "3:28-4 error: column \"lien\" does not exist | did you mean \"line\"? The step gets: line" },
    { "in a cast", HEAD "transform: [{ cast: { lien: bigint } }]\n" SINK,
      "3:23-4 error: column \"lien\" does not exist | did you mean \"line\"? The step gets: line" },
    { "in an assert", HEAD "transform: [{ assert: { lien IS NOT NULL: empty } }]\n" SINK,
      "3:25-4 error: column \"lien\" does not exist | did you mean \"line\"? The step gets: line" },
    { "that a step took away",
      HEAD "transform:\n  - set: { a: line }\n  - drop: [line]\n  - filter: line = 'x'\n" SINK,
      "6:13-4 error: column \"line\" does not exist | the step \"drop\" on line 5 takes \"line\" away" },
    { "that a step renamed",
      HEAD "transform:\n  - rename: { text: line }\nsink: { shout-letter: { key: line } }\n",
      "5:30-4 error: column \"line\" does not exist | the step \"rename\" on line 4 takes \"line\" away" },
    { "in the sink's own expression", HEAD "sink: { shout-busy: { mark: lien } }\n",
      "3:29-4 error: column \"lien\" does not exist | did you mean \"line\"? The step gets: line" },
  };

  check_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_points_at_wrong_expressions (void)
{
  static const Row rows[] = {
    { "not boolean", HEAD "transform: [{ filter: line }]\n" SINK,
      "3:23-4 error: a condition must be boolean, and this is text | compare it, for example with = or IS NOT NULL" },
    { "no type", HEAD "transform: [{ cast: { line: \"text || 'x'\" } }]\n" SINK,
      "3:30-11 error: \"text || 'x'\" is no type" },
    { "two columns of one name",
      HEAD "transform: [{ set: { a: line } }, { rename: { a: line } }]\n" SINK,
      "3:47-1 error: there is a column \"a\" already | drop that one first" },
    { "two columns renamed to one", HEAD "transform: [{ keep: [line, line] }]\n" SINK,
      "3:28-4 error: column \"line\" is named twice" },
  };

  check_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_points_at_what_postgresql_dislikes (void)
{
  static const struct
  {
    const char *label, *step, *place, *message;
  } rows[] = {
    { "syntax", "- set: { a: 1 + }", "4:18-", "syntax error at end of input" },
    { "text plus number", "- set: { a: line + 1 }",
      "4:", "operator does not exist: text + bigint" },
    { "unknown function", "- set: { a: nope(line) }", "4:15-", "function nope" },
    { "unknown type", "- cast: { line: datum }", "4:19-", "type \"datum\" does not exist" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *text = g_strdup_printf (HEAD "transform:\n  %s\n" SINK, rows[i].step);
      g_autofree char *found = scratch_check (&scratch, text);

      assert_row_int (rows[i].label, g_str_has_prefix (found, rows[i].place), TRUE);
      assert_contains (found, rows[i].message);
    }
}

static void
test_says_several_of_one_step_and_of_several (void)
{
  g_autofree char *found
      = scratch_check (&scratch, HEAD "transform:\n"
                                      "  - filter: lien = 'a'\n"
                                      "  - assert: { line: no, lnie IS NULL: no }\n"
                                      "  - set: { a: liine, b: linne, c: line }\n" SINK);

  assert_text (
      found,
      "4:13-4 error: column \"lien\" does not exist | did you mean \"line\"? The step gets: line\n"
      "5:15-4 error: a condition must be boolean, and this is text | compare it, for example with = or IS NOT NULL\n"
      "5:25-4 error: column \"lnie\" does not exist | did you mean \"line\"? The step gets: line\n"
      "6:15-5 error: column \"liine\" does not exist | did you mean \"line\"? The step gets: line\n"
      "6:25-5 error: column \"linne\" does not exist | did you mean \"line\"? The step gets: line");
}

static void
test_warns_of_what_changes_with_each_run (void)
{
  static const Row rows[] = {
    { "in a sink that delivers",
      HEAD "transform: [{ set: { at: now() } }]\nsink: { shout-letter: { key: line } }\n",
      "3:15-3 warning: \"at\" gets another value with each run | a record that is rendered again after a crash differs from "
      "what was sent; the bytes that were stored first are the ones that count" },
    { "elsewhere it does no harm", HEAD "transform: [{ set: { at: now() } }]\n" SINK, "" },
    { "a key", HEAD "sink: { shout-letter: { key: line || now() } }\n",
      "3:30-13 error: the key would change with each run | a record is known by its key: take a column that identifies it in "
      "its source" },
    { "a reference in an expression", HEAD "transform: [{ filter: \"line = '${X}'\" }]\n" SINK,
      "3:32-4 warning: \"${\" is not replaced in an expression | only values of source, sink, errors and ledger are" },
  };

  check_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_gives_the_sinks_expressions_hidden_columns (void)
{
  g_autoptr (TallyPipeline) pipeline = scratch_load (
      &scratch, HEAD "transform: [{ set: { \"(key)\": line } }]\n"
                     "sink: { shout-letter: { key: length(line), subject: \"upper(line) -- loud\", "
                     "settle: 5s, in-flight: 3 } }\n");

  assert_int (tally_pipeline_n_errors (pipeline), 0);
  assert_int (pipeline->n_visible, 2);
  assert_int (pipeline->sink_expressions->len, 2);
  assert_text (tally_schema_column (pipeline->sink_schema, 2)->name, "(subject)");
  assert_text (tally_schema_column (pipeline->sink_schema, 3)->name, "((key))");
  assert_int (tally_schema_column (pipeline->sink_schema, 3)->type, TALLY_TYPE_TEXT);
  assert_int (tally_expression_type (pipeline->sink_expressions->pdata[1]), TALLY_TYPE_TEXT);
  assert_int (pipeline->delivery.key_column, 3);
  assert_int (pipeline->delivery.settle, 5 * G_USEC_PER_SEC);
  assert_int (pipeline->delivery.in_flight, 3);
  assert_int (pipeline->delivery.attempts, 8);
}

static void
test_leaves_to_the_sink_what_is_not_given (void)
{
  g_autoptr (TallyPipeline) pipeline
      = scratch_load (&scratch, HEAD "sink: { shout-letter: { key: line } }\n");

  assert_int (pipeline->delivery.settle, -1);
  assert_int (pipeline->delivery.in_flight, 0);
  assert_int (pipeline->delivery.key_column, 1);
}

static const Promise promises[] = {
  { "points at unknown columns", test_points_at_unknown_columns },
  { "points at wrong expressions", test_points_at_wrong_expressions },
  { "points at what PostgreSQL dislikes", test_points_at_what_postgresql_dislikes },
  { "says several, of one step and of several", test_says_several_of_one_step_and_of_several },
  { "warns of what changes with each run", test_warns_of_what_changes_with_each_run },
  { "gives the sink's expressions hidden columns",
    test_gives_the_sinks_expressions_hidden_columns },
  { "leaves to the sink what is not given", test_leaves_to_the_sink_what_is_not_given },
  { NULL },
};

int
main (int argc, char **argv)
{
  int result;

  scratch_init (&scratch);
  result = keep_promises ("columns of pipelines", promises, argc, argv);
  scratch_clear (&scratch);
  return result;
}
