/* test-own-tests.c: tallyman test, as a person calls it */
#include "promise.h"
#include "scratch.h"
#include <json-c/json.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_object, json_object_put)

static Scratch scratch;

#define HEAD "pipeline: p\nsource:\n  lines:\n    path: lines.txt\n"
#define SINK "sink: shout-busy\n"

/* (transfer full): the exit code, a colon, and what was printed of these tests after these steps. */
static char *
test (const char *steps, const char *tests)
{
  g_autofree char *text = g_strdup_printf (HEAD "transform: [%s]\n" SINK "tests:\n%s", steps, tests);
  g_autofree char *output = NULL, *complaints = NULL;
  int code;

  scratch_write (&scratch, "p.yaml", text);
  code = scratch_tallyman (&scratch, (const char *[]) { "test", "p.yaml", NULL }, &output, &complaints);
  return g_strdup_printf ("%d:%s%s", code, output, complaints);
}

static void
test_rows_in_rows_out (void)
{
  static const struct
  {
    const char *label, *steps, *tests, *expected;
  } rows[] = {
    { "all as expected", "{ set: { n: line::bigint } }, { limit: 2 }",
      "  - { name: numbers, given: [{ line: 1 }, { line: \"2\" }, { line: 3 }], expect: [{ n: 1 }, { line: 2, n: 2 }] }\n"
      "  - { name: each test begins anew, given: [{ line: 7 }, { }], expect: [{ n: 7 }, { line: ~, n: null }] }\n",
      "0:ok      p.yaml:8: numbers\nok      p.yaml:9: each test begins anew\n2 tests, 0 failed\n" },
    { "a value", "{ set: { n: line::numeric } }",
      "  - { name: t, given: [{ line: \"1.0\" }, { line: \"2\" }], expect: [{ n: 1.00 }, { n: 3, line: \"2\" }] }\n",
      "1:FAILED  p.yaml:8: t\n    row 2, column \"n\"\n      expected  3\n      found     2\n1 test, 1 failed\n" },
    { "rows", "{ filter: line <> 'b' }",
      "  - { name: few, given: [{ line: b }], expect: [{ line: b }] }\n"
      "  - { name: many, given: [{ line: \"a\\e[2J\" }], expect: [] }\n",
      "1:FAILED  p.yaml:8: few\n    row 1 is missing\n      expected  {\"line\":\"b\"}\n"
      "FAILED  p.yaml:9: many\n    row 1 is one too many\n      found     {\"line\":\"a\\u001b[2J\"}\n2 tests, 2 failed\n" },
    { "a column", "{ rename: { word: line } }", "  - { name: t, given: [{ line: a }], expect: [{ wort: a }] }\n",
      "1:FAILED  p.yaml:8: t\n    row 1, column \"wort\"\n      expected  \"a\"\n"
      "      because   there is no column \"wort\"; did you mean \"word\"?\n1 test, 1 failed\n" },
    { "no such value", "{ set: { n: length(line)::bigint } }",
      "  - { name: t, given: [{ line: a }], expect: [{ n: one }] }\n",
      "1:FAILED  p.yaml:8: t\n    row 1, column \"n\"\n      expected  \"one\"\n      found     1\n"
      "      because   invalid input syntax for type bigint: \"one\"\n1 test, 1 failed\n" },
    { "rejects", "{ cast: { line: bigint } }",
      "  - { name: t, given: [{ line: 1 }, { line: x }], expect: [{ line: 1 }] }\n",
      "0:ok      p.yaml:8: t\n    given:2 was rejected by \"cast\": invalid input syntax for type bigint: \"x\"\n"
      "1 test, 0 failed\n" },
    { "jsonb", "{ set: { part: line::jsonb } }, { unnest: part }",
      "  - { name: t, given: [{ line: [{ a: 1.0 }, null] }], expect: [{ part: { a: 1 } }, { part: ~ }] }\n",
      "0:ok      p.yaml:8: t\n1 test, 0 failed\n" },
    { "a row for no elements", "{ set: { part: \"coalesce(nullif(line::jsonb, '[]'), '[null]')\" } }, { unnest: part }",
      "  - { name: t, given: [{ line: [] }, { line: ~ }, { line: [1] }], expect: [{ part: ~ }, { part: ~ }, { part: 1 }] }\n",
      "0:ok      p.yaml:8: t\n1 test, 0 failed\n" },
    { "rows that a step holds back", "{ set: { n: line::bigint } }, { sort: n DESC }, { limit: 2 }",
      "  - { name: t, given: [{ line: 1 }, { line: x }, { line: 3 }, { line: 2 }], expect: [{ n: 3 }, { n: 2 }] }\n",
      "0:ok      p.yaml:8: t\n    given:2 was rejected by \"set\": invalid input syntax for type bigint: \"x\"\n"
      "1 test, 0 failed\n" },
    { "what ref() finds", "{ set: { id: \"ref('ticket', line)\" } }",
      "  - { name: t, refs: { ticket: { \"17\": \"35436\" } }, given: [{ line: \" 17\" }, { line: \"18\" }, { line: ~ }], "
      "expect: [{ id: \"35436\" }, { id: ~ }] }\n",
      "0:ok      p.yaml:8: t\n    given:2 was rejected by \"set\": ref(): the ticket \"18\" is not among the test's \"refs\"\n"
      "1 test, 0 failed\n" },
    { "ref() of nothing", "{ set: { id: \"ref('ticket', line, missing => 'null')\" } }",
      "  - { name: t, given: [{ line: \"17\" }], expect: [{ id: ~ }] }\n", "0:ok      p.yaml:8: t\n1 test, 0 failed\n" },
    { "nothing that can be given", "{ limit: 1 }", "  - { name: t, given: [{ lien: a }], expect: [] }\n",
      "1:FAILED  p.yaml:8: t\n      problem   given row 1: there is no column \"lien\"; did you mean \"line\"?\n"
      "1 test, 1 failed\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *found = test (rows[i].steps, rows[i].tests);

      assert_row_text (rows[i].label, found, rows[i].expected);
    }
}

/* Of a source that is not opened only the rows that are given tell the columns. */
static void
test_columns_are_those_of_the_given_rows (void)
{
  static const struct
  {
    const char *label, *set, *given, *expect, *expected;
  } rows[] = {
    { "text", "n || ''", "{ n: \"1\" }", "{ out: \"1\" }", "0:" },
    { "bigint", "n + 9000000000", "{ n: 1 }, { n: ~ }", "{ out: 9000000001 }, { out: ~ }", "0:" },
    { "numeric", "n / 4", "{ n: 1 }, { n: 0.5 }", "{ out: 0.25 }, { out: 0.125 }", "0:" },
    { "boolean", "NOT n", "{ n: true }", "{ out: false }", "0:" },
    { "jsonb", "n -> 'a'", "{ n: { a: [1] } }", "{ out: [1] }", "0:" },
    { "of several kinds", "jsonb_typeof(n)", "{ n: 1 }, { n: x }", "{ out: number }, { out: string }", "0:" },
    { "a column of one row only", "coalesce(m, 'none')", "{ n: 1 }, { m: x }", "{ out: none }, { out: x }", "0:" },
    { "a column of none", "nn + 1", "{ n: 1 }", "{ out: 2 }", "2:p.yaml:3:28: error: column \"nn\" does not exist" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *text = g_strdup_printf ("pipeline: p\nsource: shout-far\ntransform: [{ set: { out: \"%s\" } }]\n"
                                               SINK "tests: [{ name: t, given: [%s], expect: [%s] }]\n",
                                               rows[i].set, rows[i].given, rows[i].expect);
      g_autofree char *output = NULL, *complaints = NULL, *found = NULL;
      int code;

      scratch_write (&scratch, "p.yaml", text);
      code = scratch_tallyman (&scratch, (const char *[]) { "test", "p.yaml", NULL }, &output, &complaints);
      found = g_strdup_printf ("%d:%.*s", code, (int) strcspn (complaints, "\n"), complaints);
      assert_row_text (rows[i].label, found, rows[i].expected);
    }
}

static void
test_no_tests_are_no_failure (void)
{
  g_autofree char *output = NULL;

  scratch_write (&scratch, "p.yaml", HEAD SINK);
  assert_int (scratch_tallyman (&scratch, (const char *[]) { "test", "p.yaml", NULL }, &output, NULL), 0);
  assert_text (output, "0 tests, 0 failed\n");
}

static void
test_a_wrong_pipeline_is_not_tested (void)
{
  g_autofree char *found = test ("{ filter: lien = 'a' }", "  - { name: t, given: [{ line: a }], expect: [] }\n");
  g_autofree char *complaints = NULL;

  assert_contains (found, "2:0 tests, 0 failed\np.yaml:5:23: error: column \"lien\" does not exist\n");
  assert_int (scratch_tallyman (&scratch, (const char *[]) { "test", NULL }, NULL, &complaints), 2);
  assert_contains (complaints, "name a pipeline's file");
}

static void
test_prints_json (void)
{
  g_autofree char *output = NULL;
  g_autoptr (json_object) result = NULL;
  json_object *differences = NULL, *rejects = NULL, *member = NULL;

  scratch_write (&scratch, "p.yaml",
                 HEAD "transform: [{ cast: { line: bigint } }]\n" SINK
                      "tests: [{ name: \"a\\tb\", given: [{ line: 1 }, { line: x }], expect: [{ line: 2 }] }]\n");
  assert_int (scratch_tallyman (&scratch, (const char *[]) { "test", "--json", "p.yaml", NULL }, &output, NULL), 1);
  result = json_tokener_parse (output);
  assert_true (json_object_object_get_ex (result, "passed", &member) && !json_object_get_boolean (member));
  assert_true (json_object_object_get_ex (result, "name", &member));
  assert_text (json_object_get_string (member), "a\tb");
  assert_true (json_object_object_get_ex (result, "differences", &differences));
  assert_text (json_object_to_json_string_ext (differences, JSON_C_TO_STRING_PLAIN),
               "[{\"row\":1,\"column\":\"line\",\"expected\":2,\"found\":1,\"note\":null}]");
  assert_true (json_object_object_get_ex (result, "rejects", &rejects));
  assert_true (json_object_object_get_ex (json_object_array_get_idx (rejects, 0), "origin", &member));
  assert_text (json_object_get_string (member), "given:2");
}

static const Promise promises[] = {
  { "rows in, rows out", test_rows_in_rows_out },
  { "columns are those of the given rows", test_columns_are_those_of_the_given_rows },
  { "no tests are no failure", test_no_tests_are_no_failure },
  { "a wrong pipeline is not tested", test_a_wrong_pipeline_is_not_tested },
  { "prints JSON", test_prints_json },
  { NULL },
};

int
main (int argc, char **argv)
{
  int result;

  scratch_init (&scratch);
  result = keep_promises ("pipelines' own tests", promises, argc, argv);
  scratch_clear (&scratch);
  return result;
}
