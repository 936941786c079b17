/* test-lookups.c: what is wrong with a lookup, where it stands; and its rows in a pipeline's own tests
 *
 * Both sides give one column, "line", of type text; of shout-far nothing is known before a run.
 */
#include "promise.h"
#include "scratch.h"
#include <string.h>

#define HEAD "pipeline: p\nsource: { lines: { path: lines.txt } }\n"
#define SINK "sink: shout-busy\n"
#define FROM "from: { lines: { path: lines.txt } }"

static Scratch scratch;

typedef struct
{
  const char *label, *lookup, *expected;
} Row;

static void
check_rows (const Row *rows, guint n_rows)
{
  for (guint i = 0; i < n_rows; i++)
    {
      g_autofree char *text = g_strdup_printf (HEAD "transform:\n  - lookup: %s\n" SINK, rows[i].lookup);
      g_autofree char *found = scratch_check (&scratch, text);

      assert_row_text (rows[i].label, found, rows[i].expected);
    }
}

static void
test_points_at_wrong_keys (void)
{
  static const Row rows[] = {
    { "no map", "lines",
      "4:13-5 error: \"lookup\" takes a map | adds what another source has for each row: lookup: { from: { csv: { path: "
      "users.csv } }, match: { id: user_id } }" },
    { "nothing said", "{ collect: a }",
      "4:5-6 error: \"lookup\" needs \"from\" | for example: from: { csv: { path: users.csv } }\n"
      "4:5-6 error: \"lookup\" needs \"match\" | for example: match: { id: user_id }" },
    { "an unknown key", "{ " FROM ", mach: { line: line } }",
      "4:5-6 error: \"lookup\" needs \"match\" | for example: match: { id: user_id }\n"
      "4:53-4 error: \"lookup\" has no key \"mach\" | did you mean \"match\"?" },
    { "an unknown source", "{ from: lnes, match: { line: line } }",
      "4:21-4 error: there is no source \"lnes\" | did you mean \"lines\"?" },
    { "a wrong option", "{ from: { lines: { paht: x } }, match: { line: line } }",
      "4:32-4 error: source \"lines\" has no option \"paht\" | did you mean \"path\"?" },
    { "a file that is not there", "{ from: { lines: { path: liens.txt } }, match: { line: line } }",
      "4:38-9 error: No such file or directory | did you mean \"lines.txt\"?" },
    { "no match", "{ " FROM ", match: line }",
      "4:60-4 error: \"match\" takes a map of columns to look up and expressions | match: { id: user_id } looks up rows whose "
      "id is this row's user_id" },
    { "one column", "{ " FROM ", match: { line: line }, columns: line }",
      "4:85-4 error: \"columns\" takes a list of columns, or a map of new names and columns | columns: [name, email], or "
      "columns: { agent: name }" },
    { "a choice", "{ " FROM ", match: { line: line }, missing: rejekt }",
      "4:85-6 error: \"missing\" takes one of keep, reject, drop, not \"rejekt\" | did you mean \"reject\"?" },
    { "too little memory", "{ " FROM ", match: { line: line }, columns: { a: line }, memory: 1kB }",
      "4:106-3 error: \"memory\" takes a size such as 64kB or 16MiB, from 64KiB to 2GiB, not \"1kB\" | for example: memory: 256MiB" },
    { "what has no effect with an array", "{ " FROM ", match: { line: line }, collect: a, missing: drop, many: first }",
      "4:88-7 error: \"missing\" has no effect here | with \"collect\" a row for which there is none gets an empty array\n"
      "4:103-4 error: \"many\" has no effect here | \"collect\" takes all rows that there are" },
    { "an order of one", "{ " FROM ", match: { line: line }, columns: { a: line }, order: line }",
      "4:98-5 error: \"order\" has no effect here | it is for \"collect\", and for \"many: first\"" },
    { "a lookup in a lookup", "{ " FROM ", transform: [{ lookup: { " FROM ", match: { line: line }, collect: a } }], match: { line: line }, collect: b }",
      "4:67-6 error: a lookup has no lookup in its own steps | look the second one up afterwards, by a column that the first "
      "one adds" },
  };

  check_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_points_at_wrong_columns (void)
{
  static const Row rows[] = {
    { "right", "{ " FROM ", match: { line: upper(line) }, collect: a }", "" },
    { "right, renamed", "{ " FROM ", match: { line: line }, columns: { other: line } }", "" },
    { "of the other side, in match", "{ " FROM ", match: { lien: line }, collect: a }",
      "4:62-4 error: column \"lien\" does not exist | did you mean \"line\"? The rows to look up have: line" },
    { "of this side, in match", "{ " FROM ", match: { line: upper(lien) }, collect: a }",
      "4:74-4 error: column \"lien\" does not exist | did you mean \"line\"? The step gets: line" },
    { "of the other side, in a list", "{ " FROM ", match: { line: line }, columns: [lien] }",
      "4:86-4 error: column \"lien\" does not exist | did you mean \"line\"? The rows to look up have: line" },
    { "of the other side, in a map", "{ " FROM ", match: { line: line }, columns: { a: lien } }",
      "4:90-4 error: column \"lien\" does not exist | did you mean \"line\"? The rows to look up have: line" },
    { "in an order", "{ " FROM ", match: { line: line }, collect: a, order: [lien desc] }",
      "4:96-4 error: column \"lien\" does not exist | did you mean \"line\"? The rows to look up have: line" },
    { "no order", "{ " FROM ", match: { line: line }, collect: a, order: line down }",
      "4:95-9 error: column \"line down\" does not exist | The rows to look up have: line" },
    { "other types", "{ " FROM ", match: { line: length(line) }, collect: a }",
      "4:68-12 error: \"line\" of the rows to look up is text, and this is bigint | cast it here: (length(line))::text; or "
      "there: transform: [{ cast: { line: bigint } }]" },
    { "types that are cast one way", "{ " FROM ", transform: [{ set: { n: 1 } }], match: { n: to_jsonb(line) }, collect: a }",
      "4:97-14 error: \"n\" of the rows to look up is bigint, and this is jsonb | cast it here: (to_jsonb(line))::bigint" },
    { "types that are cast the other way", "{ " FROM ", transform: [{ set: { n: to_jsonb(line) } }], match: { n: 1 }, collect: a }",
      "4:110-1 error: \"n\" of the rows to look up is jsonb, and this is bigint | cast it there: transform: [{ cast: { n: bigint } }]" },
    { "types that are not cast", "{ " FROM ", transform: [{ set: { n: 1 } }], match: { n: line::date }, collect: a }",
      "4:97-10 error: \"n\" of the rows to look up is bigint, and this is date | compare them as text: cast it here: "
      "(line::date)::text; and there: transform: [{ cast: { n: text } }]" },
    { "a day and a moment", "{ " FROM ", transform: [{ set: { n: line::date } }], match: { n: line::timestamp }, collect: a }",
      "4:106-15 error: \"n\" of the rows to look up is date, and this is timestamp | cast it here: "
      "(line::timestamp)::date; or there: transform: [{ cast: { n: timestamp } }]" },
    { "numbers of two types", "{ " FROM ", transform: [{ set: { n: 1.5 } }], match: { n: length(line) -- bytes }, collect: a }",
      "" },
    { "numbers of two types, the other way", "{ " FROM ", transform: [{ set: { \"q\\\"x\": 1 } }], match: { \"q\\\"x\": length(line) * 1e0 }, collect: a }",
      "" },
    { "a name that is there", "{ " FROM ", match: { line: line }, columns: [line] }",
      "4:86-4 error: there is a column \"line\" already | give the one that is looked up another name: columns: { other_line: "
      "line }" },
    { "a new name that is there", "{ " FROM ", match: { line: line }, columns: { line: line } }",
      "4:87-4 error: there is a column \"line\" already | give the one that is looked up another name: columns: { other_line: "
      "line }" },
    { "two of one name", "{ " FROM ", match: { line: line }, collect: b, columns: [line, line] }",
      "4:104-4 error: column \"line\" is named twice" },
    { "an array's name that is there", "{ " FROM ", match: { line: line }, collect: line }",
      "4:85-4 error: there is a column \"line\" already | give the array another name, or drop that column before" },
    { "in its own steps", "{ " FROM ", transform: [{ filter: lien = 'x' }], match: { line: line }, collect: a }",
      "4:75-4 error: column \"lien\" does not exist | did you mean \"line\"? The step gets: line" },
    { "a name that is there, of all", "{ " FROM ", transform: [{ set: { n: line } }], match: { n: line } }",
      "4:5-6 error: there is a column \"line\" already | give the one that is looked up another name: columns: { other_line: "
      "line }" },
  };

  check_rows (rows, G_N_ELEMENTS (rows));
}

/* What took a column of this side away has nothing to do with the other side. */
static void
test_says_who_took_a_column_away (void)
{
  g_autofree char *found
      = scratch_check (&scratch, HEAD "transform:\n"
                                      "  - rename: { text: line }\n"
                                      "  - lookup: { " FROM ", transform: [{ rename: { a: line } }, { set: { b: text } }],\n"
                                      "      match: { a: line }, collect: all }\n" SINK);
  g_autofree char *other
      = scratch_check (&scratch, HEAD "transform:\n"
                                      "  - rename: { text: line }\n"
                                      "  - lookup: { " FROM ", transform: [{ rename: { a: line } }],\n"
                                      "      match: { line: line }, collect: all }\n" SINK);

  assert_text (found, "5:102-4 error: column \"text\" does not exist | the step gets: a");
  assert_text (other, "6:16-4 error: column \"line\" does not exist | The rows to look up have: a\n"
                      "6:22-4 error: column \"line\" does not exist | the step \"rename\" on line 4 takes \"line\" away");
}

static void
test_the_steps_after_it_know_its_columns (void)
{
  g_autofree char *found
      = scratch_check (&scratch, HEAD "transform:\n"
                                      "  - lookup: { " FROM ", match: { line: line }, columns: { other: line } }\n"
                                      "  - filter: othr = 'x'\n" SINK);

  assert_text (found, "5:13-4 error: column \"othr\" does not exist | did you mean \"other\"? The step gets: line, other");
}

static void
test_what_comes_before_a_far_source_is_checked (void)
{
  g_autofree char *found
      = scratch_check (&scratch, HEAD "transform:\n"
                                      "  - filter: lien = 'x'\n"
                                      "  - lookup: { from: shout-far, match: { word: line }, collect: a }\n"
                                      "  - filter: nobody = 'knows'\n" SINK);

  assert_text (found, "4:13-4 error: column \"lien\" does not exist | did you mean \"line\"? The step gets: line");
}

static void
test_secrets_do_not_show (void)
{
  g_autofree char *wrong = scratch_check (&scratch, HEAD "transform:\n"
                                                         "  - lookup: { form: { shout-letter: { token: geheim } },\n"
                                                         "      match: { line: line }, collect: a }\n" SINK);
  g_autofree char *output = NULL, *complaints = NULL;

  assert_true (strstr (wrong, "geheim") == NULL);
  scratch_tallyman (&scratch, (const char *[]) { "check", "p.yaml", NULL }, &output, &complaints);
  assert_contains (complaints, "\"lookup\" has no key \"form\"");
  assert_contains (complaints, "******");
  assert_true (strstr (complaints, "geheim") == NULL);
}

/* ---- Rows in a pipeline's own tests ---- */

static void
test_rows_to_look_up_can_be_given (void)
{
  static const struct
  {
    const char *label, *lookups, *tests, *expected;
  } rows[] = {
    { "those of a local source are read", "{ lookup: { " FROM ", match: { line: line }, columns: { a: line } } }",
      "  - { name: t, given: [{ line: two }, { line: x }], expect: [{ a: two }, { a: ~ }] }\n",
      "0:ok      p.yaml:6: t\n1 test, 0 failed\n" },
    { "in their place", "{ lookup: { " FROM ", match: { line: line }, columns: { a: line } } }",
      "  - { name: t, given: [{ line: two }, { line: x }], lookup: [{ line: x }], expect: [{ a: ~ }, { a: x }] }\n"
      "  - { name: and not for long, given: [{ line: two }], expect: [{ a: two }] }\n",
      "0:ok      p.yaml:6: t\nok      p.yaml:7: and not for long\n2 tests, 0 failed\n" },
    { "of a source that is not read", "{ lookup: { from: shout-far, match: { n: length(line) }, collect: all } }",
      "  - { name: t, given: [{ line: two }], lookup: [{ n: 3, w: a }, { n: 3, w: b }], expect: [{ all: [{ w: a }, { w: b }] }] }\n"
      "  - { name: none, given: [{ line: two }], expect: [{ all: [] }] }\n",
      "1:ok      p.yaml:6: t\nFAILED  p.yaml:7: none\n"
      "      problem   the source of the lookup on line 3 is not read by a test, which may give its rows: lookup: [{ … }]\n"
      "2 tests, 1 failed\n" },
    { "of several",
      "{ lookup: { " FROM ", match: { line: line }, columns: { a: line } } }, { lookup: { from: shout-far, match: { w: a }, columns: [b] } }",
      "  - { name: t, given: [{ line: x }], lookup: [[{ line: x }], [{ w: x, b: 7 }]], expect: [{ a: x, b: 7 }] }\n",
      "0:ok      p.yaml:6: t\n1 test, 0 failed\n" },
    { "of more than there are", "{ lookup: { " FROM ", match: { line: line }, columns: { a: line } } }",
      "  - { name: t, given: [], lookup: [[], []], expect: [] }\n",
      "1:FAILED  p.yaml:6: t\n      problem   the test gives rows for 2 lookups, and the pipeline has 1\n1 test, 1 failed\n" },
    { "through its own steps",
      "{ lookup: { " FROM ", transform: [{ cast: { line: bigint } }], match: { line: line::bigint }, collect: a, errors: reject } }",
      "  - { name: t, given: [{ line: \"01\" }], lookup: [{ line: 1 }, { line: x }], expect: [{ a: [{ }] }] }\n",
      "0:ok      p.yaml:6: t\n    lookup:2 was rejected by \"lookup\": invalid input syntax for type bigint: \"x\"\n1 test, 0 failed\n" },
    { "through steps that hold rows back",
      "{ lookup: { from: shout-far, transform: [{ sort: n DESC }, { limit: 3 }, { sort: n }], match: { k: length(line) }, collect: a } }",
      "  - { name: t, given: [{ line: x }], lookup: [{ k: 1, n: 2 }, { k: 1, n: 4 }, { k: 1, n: 1 }, { k: 1, n: 3 }],\n"
      "      expect: [{ a: [{ n: 2 }, { n: 3 }, { n: 4 }] }] }\n",
      "0:ok      p.yaml:6: t\n1 test, 0 failed\n" },
    { "grouped first",
      "{ lookup: { from: shout-far, transform: [{ group: { k: k, n: count(*) } }], match: { k: length(line) } } }",
      "  - { name: t, given: [{ line: x }, { line: xx }], lookup: [{ k: 1, n: 2 }, { k: 1, n: 4 }], expect: [{ n: 2 }, { n: ~ }] }\n",
      "0:ok      p.yaml:6: t\n1 test, 0 failed\n" },
    { "a wrong one", "{ lookup: { " FROM ", match: { line: line }, columns: { a: line } } }",
      "  - { name: t, given: [], lookup: [{ lien: x }], expect: [] }\n",
      "1:FAILED  p.yaml:6: t\n      problem   lookup row 1: there is no column \"lien\"; did you mean \"line\"?\n1 test, 1 failed\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *text = g_strdup_printf (HEAD "transform: [%s]\n" SINK "tests:\n%s", rows[i].lookups, rows[i].tests);
      g_autofree char *output = NULL, *complaints = NULL, *found = NULL;
      int code;

      scratch_write (&scratch, "p.yaml", text);
      code = scratch_tallyman (&scratch, (const char *[]) { "test", "p.yaml", NULL }, &output, &complaints);
      found = g_strdup_printf ("%d:%s%s", code, output, complaints);
      assert_row_text (rows[i].label, found, rows[i].expected);
    }
}

/* As with =, which casts a numeric to be compared with a double. */
static void
test_a_number_beyond_the_other_type_is_a_reject (void)
{
  g_autofree char *output = NULL, *complaints = NULL;

  scratch_write (&scratch, "p.yaml",
                 HEAD "transform:\n"
                      "  - lookup: { " FROM ", transform: [{ set: { n: line::numeric } }], match: { n: line::double precision },\n"
                      "      columns: { a: line }, errors: reject }\n" SINK
                      "tests:\n"
                      "  - { name: t, given: [{ line: 2 }, { line: 5e-1 }], lookup: [{ line: \"1e400\" }, { line: \"2.0\" }, { line: \"0.5\" }],\n"
                      "      expect: [{ a: \"2.0\" }, { a: \"0.5\" }] }\n");
  assert_int (scratch_tallyman (&scratch, (const char *[]) { "test", "p.yaml", NULL }, &output, &complaints), 0);
  assert_contains (output, "    lookup:1 was rejected by \"lookup\": \"1000");
  assert_contains (output, "0\" is out of range for type double precision\n");
  assert_text (complaints, "");
}

static void
test_preview_shows_what_it_adds (void)
{
  g_autofree char *output = NULL, *complaints = NULL;

  scratch_write (&scratch, "p.yaml",
                 HEAD "transform:\n"
                      "  - lookup: { " FROM ", match: { line: line }, columns: { a: line }, missing: reject }\n"
                      "  - lookup: { " FROM ", transform: [{ assert: { line <> 'one': is one } }], match: { line: line },\n"
                      "      collect: b, errors: reject }\n" SINK);
  assert_int (scratch_tallyman (&scratch, (const char *[]) { "preview", "--rows", "2", "p.yaml", NULL }, &output, &complaints), 0);
  assert_text (output, "source lines: 2 rows\n  line\n  one\n  two\n\n"
                       "after step 1, lookup: 2 rows\n  line  a\n  one   one\n  two   two\n\n"
                       "after step 2, lookup: 2 rows\n  line  a    b\n  one   one  []\n  two   two  [{}]\n"
                       "  rejected :0: is one\n");
  assert_text (complaints, "");
}

static const Promise promises[] = {
  { "points at wrong keys", test_points_at_wrong_keys },
  { "points at wrong columns", test_points_at_wrong_columns },
  { "says who took a column away", test_says_who_took_a_column_away },
  { "the steps after it know its columns", test_the_steps_after_it_know_its_columns },
  { "what comes before a far source is checked", test_what_comes_before_a_far_source_is_checked },
  { "secrets do not show", test_secrets_do_not_show },
  { "rows to look up can be given", test_rows_to_look_up_can_be_given },
  { "a number beyond the other type is a reject", test_a_number_beyond_the_other_type_is_a_reject },
  { "preview shows what it adds", test_preview_shows_what_it_adds },
  { NULL },
};

int
main (int argc, char **argv)
{
  int result;

  scratch_init (&scratch);
  result = keep_promises ("lookups", promises, argc, argv);
  scratch_clear (&scratch);
  return result;
}
