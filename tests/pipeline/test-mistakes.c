/* test-mistakes.c: what is wrong with a pipeline, where, and what was probably meant
 *
 * Each row breaks a pipeline that is right in one way (a few in several) and names line, column,
 * length, message and hint.
 */
#include "promise.h"
#include "scratch.h"
#include <string.h>

#define HEAD "pipeline: p\n"
#define SOURCE "source: { lines: { path: lines.txt } }\n"
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
test_a_right_pipeline_has_no_mistakes (void)
{
  static const Row rows[] = {
    { "short", HEAD SOURCE SINK, "" },
    { "long",
      "pipeline: p\ndescription: d\norigin: desk\nafter: [a, b]\n"
      "source:\n  lines:\n    path: \"lines.txt\"\n    batch_rows: 2\n"
      "transform:\nsink:\n  shout-busy:\n    limit: 64kB\n"
      "errors: { limit: 1%, rejects: r.ndjson }\nledger: x.db\n"
      "tests:\n  - { name: t, given: [{ line: a }], expect: [] }\n",
      "" },
    { "with a byte order mark", "\xef\xbb\xbf" HEAD SOURCE SINK, "" },
    { "with the line ends of another system",
      "pipeline: p\r\nsource: { lines: { path: lines.txt } }\r\nsink: shout-busy\r\n", "" },
  };

  check_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_points_at_wrong_keys (void)
{
  static const Row rows[] = {
    { "unknown key", HEAD SOURCE SINK "tranform: []\n",
      "4:1-8 error: a pipeline has no key \"tranform\" | did you mean \"transform\"?" },
    { "unknown key, nothing like it", HEAD SOURCE SINK "xyzzy: 1\n",
      "4:1-5 error: a pipeline has no key \"xyzzy\" | its keys are pipeline, description, origin, after, source, transform, "
      "sink, references, errors, ledger, tests" },
    { "unknown key below", HEAD SOURCE SINK "errors: { limt: 1 }\n",
      "4:11-4 error: \"errors\" has no key \"limt\" | did you mean \"limit\"?" },
    { "unknown option", HEAD "source: { lines: { pth: lines.txt } }\n" SINK,
      "2:20-3 error: source \"lines\" has no option \"pth\" | did you mean \"path\"?" },
    { "an option of the core", HEAD SOURCE "sink: { shout-letter: { key: line, atempts: 2 } }\n",
      "3:36-7 error: sink \"shout-letter\" has no option \"atempts\" | did you mean \"attempts\"?" },
    { "unknown plugin", HEAD SOURCE "sink: { shout-lettre: { } }\n",
      "3:9-12 error: there is no sink \"shout-lettre\" | did you mean \"shout-letter\"?" },
    { "unknown plugin without options", HEAD "source: linse\n" SINK,
      "2:9-5 error: there is no source \"linse\" | did you mean \"lines\"?" },
    { "unknown step", HEAD SOURCE "transform:\n  - fliter: a\n" SINK,
      "4:5-6 error: there is no step \"fliter\" | did you mean \"filter\"?" },
    { "key that is there twice", HEAD "source:\n  lines:\n    path: lines.txt\n    path: b\n" SINK,
      "5:5-4 error: \"path\" is there twice | the first one is at 4:5" },
    { "missing keys", "description: d\n",
      "0:0-0 error: \"pipeline\" is missing\n0:0-0 error: \"source\" is missing\n0:0-0 error: \"sink\" is missing" },
    { "missing option", HEAD "source: lines\n" SINK,
      "2:9-5 error: source \"lines\" needs \"path\" | File to read" },
    { "missing option of the core", HEAD SOURCE "sink: { shout-letter: }\n",
      "3:9-12 error: sink \"shout-letter\" needs \"key\" | What identifies a record in its source, the same in every run, "
      "for example key: id" },
  };

  check_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_points_at_wrong_values (void)
{
  static const Row rows[] = {
    { "wrong type", HEAD "source: { lines: { path: lines.txt, batch-rows: many } }\n" SINK,
      "2:49-4 error: \"batch-rows\" takes a whole number, from 1 to 100000, not \"many\"" },
    { "out of bounds", HEAD "source: { lines: { path: lines.txt, batch-rows: 0 } }\n" SINK,
      "2:49-1 error: \"batch-rows\" takes a whole number, from 1 to 100000, not \"0\"" },
    { "another choice", HEAD SOURCE "sink: { shout-letter: { key: line, tone: frendly } }\n",
      "3:42-7 error: \"tone\" takes one of friendly, formal, not \"frendly\" | did you mean \"friendly\"?" },
    { "map for a text", HEAD "source: { lines: { path: { a: b } } }\n" SINK,
      "2:26-1 error: \"path\" takes a text, not a map | File to read" },
    { "list for a text", HEAD "source: { lines: { path: [a] } }\n" SINK,
      "2:26-1 error: \"path\" takes a text, not a list | File to read" },
    { "no value", HEAD "source:\n  lines:\n    path:\n" SINK,
      "4:5-4 error: \"path\" has no value | File to read" },
    { "text for a map", HEAD "source: { lines: lines.txt }\n" SINK,
      "2:18-9 error: \"lines\" takes a map of options | write each as \"name: value\" on a line of its own" },
    { "two plugins", HEAD "source:\n  lines:\n  path: lines.txt\n" SINK,
      "3:3-5 error: source \"lines\" needs \"path\" | File to read\n"
      "4:3-4 error: \"source\" takes one plugin, and \"path\" is a second one | options of \"lines\" are indented deeper than "
      "its name" },
    { "unknown step, like a plugin's", HEAD SOURCE "transform:\n  - shot: { a: b }\n" SINK,
      "4:5-4 error: there is no step \"shot\" | did you mean \"shout\"?" },
    { "option of a plugin's step", HEAD SOURCE "transform:\n  - shout-echo: { rowz: 1 }\n" SINK,
      "4:19-4 error: transform \"shout-echo\" has no option \"rowz\" | did you mean \"rows\"?" },
    { "value of a plugin's option", HEAD SOURCE "transform:\n  - shout-echo: { rows: x }\n" SINK,
      "4:25-1 error: \"rows\" takes a whole number, from 1 to 1000000, not \"x\"" },
    { "options that are none", HEAD SOURCE "transform:\n  - shout-echo: loud\n" SINK,
      "4:17-4 error: \"shout-echo\" takes a map of options | write each as \"name: value\" on a line of its own" },
    { "columns that a plugin cannot take", HEAD SOURCE "transform:\n  - rename: { words: line }\n  - shout:\n" SINK,
      "5:5-5 error: there is no column \"word\" | did you mean \"words\"?" },
    { "a column that a plugin adds", HEAD SOURCE "transform:\n  - shout-echo:\n  - filter: echoo = ''\n" SINK,
      "5:13-5 error: column \"echoo\" does not exist | did you mean \"echo\"? The step gets: line, echo" },
    { "steps that are no list", HEAD SOURCE "transform: { filter: a }\n" SINK,
      "3:12-1 error: \"transform\" takes a list of steps | begin each step with \"- \"" },
    { "a step without its dash", HEAD SOURCE "transform:\n  - limit: 1\n    drop: a\n" SINK,
      "5:5-4 error: a step has one name | begin each step with \"- \", and indent what it takes deeper than its name" },
    { "a bare step", HEAD SOURCE "transform: [limit]\n" SINK,
      "3:13-5 error: a step is its name, a colon and what it takes | for example: - filter: status <> 'spam'" },
    { "another shape for a step", HEAD SOURCE "transform: [{ limit: [1] }]\n" SINK,
      "3:22-1 error: \"limit\" takes one value | passes the first rows only: limit: 100" },
    { "a column to sort by", HEAD SOURCE "transform: [{ sort: [lin DESC] }]\n" SINK,
      "3:22-3 error: column \"lin\" does not exist | did you mean \"line\"? The step gets: line" },
    { "what a group has", HEAD SOURCE "transform:\n  - group: { n: count(DISTINCT line), m: \"sum( linn )\", line: lower(lin) }\n" SINK,
      "4:17-20 error: DISTINCT is not supported here | take one row of each with \"distinct\" before this step\n"
      "4:48-4 error: column \"linn\" does not exist | did you mean \"line\"? The step gets: line\n"
      "4:69-3 error: column \"lin\" does not exist | did you mean \"line\"? The step gets: line" },
    { "no limit", HEAD SOURCE "transform: [{ limit: none }]\n" SINK,
      "3:22-4 error: \"limit\" takes a number of rows, at least 1, not \"none\"" },
    { "share of rejects", HEAD SOURCE SINK "errors: { limit: 101% }\n",
      "4:18-4 error: \"limit\" takes a number or a share of the records, not \"101%\" | for example 100, or 1%" },
    { "name of a pipeline", "pipeline: a b\n" SOURCE SINK,
      "1:11-3 error: a pipeline's name is made of letters, digits, \"-\", \"_\" and \".\" | the ledger knows the pipeline by it" },
    { "origin that would mix with keys", HEAD "origin: a:b\n" SOURCE SINK,
      "2:9-3 error: an origin has no \":\" and at most 100 bytes" },
    { "the plugin's own rule", HEAD SOURCE "sink: { shout-letter: { key: line, token: abcdef } }\n",
      "3:9-12 error: the token \"***\" is too short" },
    { "a test without rows",
      HEAD SOURCE SINK "tests:\n  - name: t\n    given: 1\n    expect: [1]\n",
      "6:12-1 error: rows are a list of maps | for example: [{ id: \"1\", prio: high }]\n"
      "7:14-1 error: a row is a map of columns and values" },
  };

  check_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_points_at_wrong_yaml (void)
{
  static const Row rows[] = {
    { "nothing", "", "0:0-0 error: is empty | begin with \"pipeline: NAME\"" },
    { "a list", "- a\n",
      "1:1-1 error: a pipeline is a map of keys and values | write lines such as \"pipeline: …\"" },
    { "tab", HEAD "source:\n\tlines:\n", "3:1-1 error: a tab cannot indent | indent with spaces" },
    { "tab after spaces", HEAD "source:\n  lines:\n  \tpath: x\n",
      "4:3-1 error: a tab cannot indent | indent with spaces" },
    { "indented less", HEAD "source:\n  lines:\n    path: lines.txt\n   batch-rows: 1\n" SINK,
      "5:4-10 error: this line is indented unlike the ones that it belongs to | give all keys of one map the same indentation" },
    { "indented more", HEAD "source:\n  lines:\n    path: lines.txt\n     batch-rows: 1\n" SINK,
      "5:6-10 error: this line is indented deeper than the one that it follows, which already has a value | give all keys of "
      "one map the same indentation" },
    { "open quote", HEAD "source: \"lines\n", "2:9-1 error: this quote is never closed" },
    { "open list", HEAD "after: [a, b\n" SOURCE,
      "2:8-1 error: this list is never closed | close it with \"]\"" },
    { "two colons", "pipeline: p: q\n",
      "1:12-1 error: a second \": \" on one line | put the value into quotes, or the inner key on a line of its own" },
    { "alias", "pipeline: &a p\ndescription: *a\n",
      "2:15-1 error: an alias is not taken: the \"*\" before this name makes it one | write the value out, or put it into quotes" },
    { "tag", "pipeline: !x p\n",
      "1:14-1 error: tags such as !name are not taken | put the value into quotes" },
    { "second document", HEAD SOURCE SINK "---\n" HEAD,
      "4:1-1 error: a second document begins | write one pipeline a file" },
    { "a list for a key", "[a]: b\n",
      "1:1-1 error: a key must be a text | put braces and brackets that are meant as text into quotes" },
  };

  check_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_refuses_what_is_no_text (void)
{
  g_autofree char *path = g_build_filename (scratch.folder, "b.yaml", NULL);
  g_autoptr (TallyPipeline) bad = NULL;
  g_autoptr (TallyPipeline) missing = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  g_file_set_contents (path, "pipeline: a\nb: \xff\n", 17, NULL);
  bad = tally_pipeline_load (path, scratch.registry);
  assert_int (tally_pipeline_n_errors (bad), 1);
  assert_text (((TallyDiagnostic *) bad->diagnostics->pdata[0])->message,
               "is not UTF-8 text from here on");
  assert_int (((TallyDiagnostic *) bad->diagnostics->pdata[0])->line, 2);
  assert_int (((TallyDiagnostic *) bad->diagnostics->pdata[0])->column, 4);

  missing = tally_pipeline_load ("/nowhere/p.yaml", scratch.registry);
  tally_pipeline_format_diagnostics (missing, FALSE, text);
  assert_text (text->str, "/nowhere/p.yaml: error: cannot be opened: No such file or directory\n");
}

static void
test_is_bounded (void)
{
  g_autoptr (GString) large = g_string_new ("pipeline: p\n#");
  g_autoptr (GString) deep = g_string_new ("pipeline: ");
  g_autoptr (GString) wide = g_string_new (NULL);

  while (large->len <= 1024 * 1024)
    g_string_append (large, "................................................................");
  for (guint i = 0; i < 50000; i++)
    g_string_append_c (deep, '[');
  for (guint i = 0; i < 5000; i++)
    g_string_append_printf (wide, "k%u: 1\n", i);

  g_autofree char *too_large = scratch_check (&scratch, large->str);
  g_autofree char *too_deep = scratch_check (&scratch, deep->str);
  g_autofree char *too_wide = scratch_check (&scratch, wide->str);
  assert_text (too_large, "0:0-0 error: is longer than 1 MiB, which no pipeline is");
  assert_contains (too_deep, "lists and maps are nested more than 32 deep");
  assert_contains (too_wide, "4097:1-1 error: a map with more than 4096 keys");
}

static void
test_says_several_at_once_in_order (void)
{
  g_autofree char *found = scratch_check (&scratch, "pipeline: p\n"
                                                    "sink: { shout-busi: }\n"
                                                    "transform:\n"
                                                    "  - fliter: x\n"
                                                    "  - limit: x\n"
                                                    "source:\n"
                                                    "  lines:\n"
                                                    "    path: ${NOT_SET_AT_ALL}\n"
                                                    "    batch-rows: x\n"
                                                    "errors: 1\n");

  assert_text (
      found,
      "2:9-10 error: there is no sink \"shout-busi\" | did you mean \"shout-busy\"?\n"
      "4:5-6 error: there is no step \"fliter\" | did you mean \"filter\"?\n"
      "8:11-17 error: environment variable \"NOT_SET_AT_ALL\" is not set | set it: export NOT_SET_AT_ALL=…\n"
      "9:17-1 error: \"batch-rows\" takes a whole number, from 1 to 100000, not \"x\"\n"
      "10:9-1 error: \"errors\" is a map of keys and values | write lines such as \"limit: …\"");
}

/* ---- A look at the source ---- */

static void
test_finds_a_missing_file_and_the_one_meant (void)
{
  static const Row rows[] = {
    { "near", HEAD "source: { lines: { path: line.txt } }\n" SINK,
      "2:26-8 error: No such file or directory | did you mean \"lines.txt\"?" },
    { "nothing near", HEAD "source: { lines: { path: tickets.csv } }\n" SINK,
      "2:26-11 error: No such file or directory | relative paths are taken from the pipeline's folder" },
    { "in no folder", HEAD "source: { lines: { path: /nowhere/line.txt } }\n" SINK,
      "2:26-17 error: No such file or directory | there is no folder \"/nowhere\"; relative paths are taken from the "
      "pipeline's folder" },
  };

  check_rows (rows, G_N_ELEMENTS (rows));
}

static const Promise promises[] = {
  { "a right pipeline has no mistakes", test_a_right_pipeline_has_no_mistakes },
  { "points at wrong keys", test_points_at_wrong_keys },
  { "points at wrong values", test_points_at_wrong_values },
  { "points at wrong yaml", test_points_at_wrong_yaml },
  { "refuses what is no text", test_refuses_what_is_no_text },
  { "is bounded", test_is_bounded },
  { "says several at once, in order", test_says_several_at_once_in_order },
  { "finds a missing file and the one meant", test_finds_a_missing_file_and_the_one_meant },
  { NULL },
};

int
main (int argc, char **argv)
{
  int result;

  scratch_init (&scratch);
  result = keep_promises ("mistakes in pipelines", promises, argc, argv);
  scratch_clear (&scratch);
  return result;
}
