/* test-preview.c: tallyman preview, as a person sees it */
#include "promise.h"
#include "scratch.h"
#include <json-c/json.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_object, json_object_put)

static Scratch scratch;

/* (transfer full): the exit code, a colon, and what is shown of these lines in so many columns. */
static char *
preview (const char *lines, const char *steps, const char *rows, const char *columns)
{
  g_autofree char *text = g_strdup_printf ("pipeline: p\nsource: { lines: { path: far.txt, batch-rows: 2 } }\n"
                                           "transform: [%s]\nsink: shout-busy\n",
                                           steps);
  g_autofree char *output = NULL, *complaints = NULL;
  int code;

  scratch_write (&scratch, "far.txt", lines);
  scratch_write (&scratch, "p.yaml", text);
  g_setenv ("COLUMNS", columns, TRUE);
  code = scratch_tallyman (&scratch, (const char *[]) { "preview", "--rows", rows, "p.yaml", NULL }, &output,
                           &complaints);
  return g_strdup_printf ("%d:%s%s", code, output, complaints);
}

static void
test_shows_rows_after_each_step (void)
{
  static const struct
  {
    const char *label, *lines, *steps, *rows, *expected;
  } rows[] = {
    { "the first of them, over several batches", "1\n22\n3\n4\n5\n", "{ set: { n: line::bigint + 1 } }", "3",
      "0:source lines: 3 rows\n  line\n  1\n  22\n  3\n"
      "\nafter step 1, set: 3 rows\n  line  n\n  1     2\n  22    23\n  3     4\n" },
    { "no steps", "1\n", "", "3", "0:source lines: 1 row\n  line\n  1\n" },
    { "no rows", "", "{ limit: 2 }", "3", "0:source lines: 0 rows\n\nafter step 1, limit: 0 rows\n" },
    { "rejects, where they came about", "1\nx\n", "{ filter: 'true' }, { cast: { line: bigint } }, { limit: 9 }", "3",
      "0:source lines: 2 rows\n  line\n  1\n  x\n\nafter step 1, filter: 2 rows\n  line\n  1\n  x\n"
      "\nafter step 2, cast: 1 row\n  line\n  1\n"
      "  rejected :0: invalid input syntax for type bigint: \"x\"\n\nafter step 3, limit: 1 row\n  line\n  1\n" },
    { "no more than a step wants", "1\n2\n3\n4\n5\n", "{ limit: 1 }", "5",
      "0:source lines: 2 rows\n  line\n  1\n  2\n\nafter step 1, limit: 1 row\n  line\n  1\n" },
    { "more rows than were read", "1\n", "{ set: { line: \"'[1, 2, 3]'::jsonb\" } }, { unnest: line }", "2",
      "0:source lines: 1 row\n  line\n  1\n\nafter step 1, set: 1 row\n  line\n  [1, 2, 3]\n"
      "\nafter step 2, unnest: 3 rows\n  line\n  1\n  2\n  … and 1 more\n" },
    { "rows that a step holds back", "b\nc\na\n", "{ sort: line DESC }, { limit: 2 }", "3",
      "0:source lines: 3 rows\n  line\n  b\n  c\n  a\n\nafter step 1, sort: 3 rows\n  line\n  c\n  b\n  a\n"
      "\nafter step 2, limit: 2 rows\n  line\n  c\n  b\n" },
    { "what is NULL", "1\n", "{ set: { n: NULL::text } }", "2",
      "0:source lines: 1 row\n  line\n  1\n\nafter step 1, set: 1 row\n  line  n\n  1     NULL\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *found = preview (rows[i].lines, rows[i].steps, rows[i].rows, "80");

      assert_row_text (rows[i].label, found, rows[i].expected);
    }
}

static void
test_fits_the_terminal (void)
{
  static const struct
  {
    const char *label, *line, *steps, *columns, *expected;
  } rows[] = {
    { "wide characters count double", "日本語\n", "{ set: { n: '1' } }", "80", "  line    n\n  日本語  1\n" },
    { "and half of one is none", "日本語日本語\n", "{ set: { n: '1' } }", "15",
      "  line        n\n  日本語日…   1\n" },
    { "those without a width count nothing", "e\xcc\x81\xcc\x81\xcc\x81\n", "{ set: { n: '1' } }", "80",
      "  line  n\n  e\xcc\x81\xcc\x81\xcc\x81     1\n" },
    { "the longest is cut", "0123456789\n", "{ set: { n: \"'short'\" } }", "18",
      "  line       n\n  01234567…  short\n" },
    { "control characters are spelt out", "a\x1b[2J\xe2\x80\xae\n", "{ set: { n: '1' } }", "80",
      "  line            n\n  a\\x1b[2J\\u202e  1\n" },
    { "too many columns stand one below the other", "0123456789\n",
      "{ set: { n: '1', a_very_long_heading_of_a_column_indeed: '2' } }", "22",
      "  row 1\n  line                            0123456…\n  n                               1\n"
      "  a_very_long_heading_of_a_colu…  2\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      static const char heading[] = "after step 1, set: 1 row\n";
      g_autofree char *found = preview (rows[i].line, rows[i].steps, "1", rows[i].columns);
      const char *after = strstr (found, heading);

      assert_row_text (rows[i].label, after != NULL ? after + strlen (heading) : found, rows[i].expected);
    }
}

static void
test_prints_json (void)
{
  g_autofree char *output = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (json_object) stage = NULL;
  json_object *member = NULL;

  scratch_write (&scratch, "p.yaml",
                 "pipeline: p\nsource: { lines: { path: lines.txt, batch-rows: 1 } }\n"
                 "transform: [{ assert: { \"line <> 'one'\": \"a\\tb\", \"line <> 'two'\": c } }]\nsink: shout-busy\n");
  assert_int (scratch_tallyman (&scratch, (const char *[]) { "preview", "--json", "p.yaml", NULL }, &output, NULL), 0);
  lines = g_strsplit (output, "\n", -1);
  assert_int (g_strv_length (lines), 3);
  stage = json_tokener_parse (lines[1]);
  json_object_object_get_ex (stage, "name", &member);
  assert_text (json_object_get_string (member), "assert");
  json_object_object_get_ex (stage, "rows", &member);
  assert_text (json_object_to_json_string_ext (member, JSON_C_TO_STRING_PLAIN), "[{\"line\":\"three\"}]");
  json_object_object_get_ex (stage, "rejects", &member);
  assert_int (json_object_array_length (member), 2);
  json_object_object_get_ex (json_object_array_get_idx (member, 0), "reason", &member);
  assert_text (json_object_get_string (member), "a\tb");
}

static void
test_says_what_keeps_it_from_looking (void)
{
  static const struct
  {
    const char *label, *text, *rows;
    int code;
    const char *complaint;
  } rows[] = {
    { "a source that cannot be opened", "pipeline: p\nsource: shout-far\nsink: shout-busy\n", "1", 1,
      "tallyman: p.yaml: source \"shout-far\": nobody answers\n" },
    { "a mistake", "pipeline: p\nsource: shout-far\nsink: shout-bus\n", "1", 2, "p.yaml:3:7: error: there is no sink" },
    { "no rows", "pipeline: p\n", "0", 2, "tallyman: --rows takes 1 to 1000" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *complaints = NULL;

      scratch_write (&scratch, "p.yaml", rows[i].text);
      assert_row_int (rows[i].label,
                      scratch_tallyman (&scratch, (const char *[]) { "preview", "--rows", rows[i].rows, "p.yaml", NULL },
                                        NULL, &complaints),
                      rows[i].code);
      assert_contains (complaints, rows[i].complaint);
    }
}

static const Promise promises[] = {
  { "shows rows after each step", test_shows_rows_after_each_step },
  { "fits the terminal", test_fits_the_terminal },
  { "prints JSON", test_prints_json },
  { "says what keeps it from looking", test_says_what_keeps_it_from_looking },
  { NULL },
};

int
main (int argc, char **argv)
{
  int result;

  scratch_init (&scratch);
  result = keep_promises ("preview", promises, argc, argv);
  scratch_clear (&scratch);
  return result;
}
