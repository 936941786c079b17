/* test-check.c: tallyman check and inspect as a person calls them: ten broken pipelines, exit
 * codes, JSON */
#include "promise.h"
#include "scratch.h"
#include <json-c/json.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_object, json_object_put)

static Scratch scratch;

#define HEAD "pipeline: p\nsource:\n  lines:\n    path: lines.txt\n"
#define SINK "sink: shout-busy\n"

static void
test_ten_broken_pipelines (void)
{
  static const struct
  {
    const char *label, *text, *shown;
  } rows[] = {
    { "wrong key", HEAD "tranform: []\n" SINK,
      "p.yaml:5:1: error: a pipeline has no key \"tranform\"\n"
      "    5 | tranform: []\n"
      "      | ^~~~~~~~\n"
      "hint: did you mean \"transform\"?\n" },
    { "wrong type", HEAD "    batch-rows: many\n" SINK,
      "p.yaml:5:17: error: \"batch-rows\" takes a whole number, from 1 to 100000, not \"many\"\n"
      "    5 |     batch-rows: many\n"
      "      |                 ^~~~\n" },
    { "unknown column", HEAD "transform:\n  - filter: lien <> 'spam'\n" SINK,
      "p.yaml:6:13: error: column \"lien\" does not exist\n"
      "    6 |   - filter: lien <> 'spam'\n"
      "      |             ^~~~\n"
      "hint: did you mean \"line\"? The step gets: line\n" },
    { "bad expression", HEAD "transform:\n  - filter: line <> \n" SINK,
      "p.yaml:6:20: error: syntax error at end of input\n" },
    { "bad indent", HEAD "   batch-rows: 1\n" SINK,
      "p.yaml:5:4: error: this line is indented unlike the ones that it belongs to\n"
      "    5 |    batch-rows: 1\n"
      "      |    ^~~~~~~~~~\n"
      "hint: give all keys of one map the same indentation\n" },
    { "unset variable",
      "pipeline: p\nsource:\n  lines:\n    path: a/${TALLY_TEST_NEVER_SET}/b\n" SINK,
      "p.yaml:4:13: error: environment variable \"TALLY_TEST_NEVER_SET\" is not set\n"
      "    4 |     path: a/${TALLY_TEST_NEVER_SET}/b\n"
      "      |             ^~~~~~~~~~~~~~~~~~~~~~~\n"
      "hint: set it: export TALLY_TEST_NEVER_SET=…\n" },
    { "missing file", "pipeline: p\nsource:\n  lines:\n    path: line.txt\n" SINK,
      "p.yaml:4:11: error: No such file or directory\n"
      "    4 |     path: line.txt\n"
      "      |           ^~~~~~~~\n"
      "hint: did you mean \"lines.txt\"?\n" },
    { "unknown plugin", HEAD "sink: shout-bussy\n",
      "p.yaml:5:7: error: there is no sink \"shout-bussy\"\n"
      "    5 | sink: shout-bussy\n"
      "      |       ^~~~~~~~~~~\n"
      "hint: did you mean \"shout-busy\"?\n" },
    { "duplicate key", HEAD "    path: other.txt\n" SINK,
      "p.yaml:5:5: error: \"path\" is there twice\n"
      "    5 |     path: other.txt\n"
      "      |     ^~~~\n"
      "hint: the first one is at 4:5\n" },
    { "tab", "pipeline: p\nsource:\n\tlines:\n" SINK,
      "p.yaml:3:1: error: a tab cannot indent\n"
      "    3 |  lines:\n"
      "      | ^\n"
      "hint: indent with spaces\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *output = NULL, *complaints = NULL;
      g_autofree char *run_output = NULL, *run_complaints = NULL;

      scratch_write (&scratch, "p.yaml", rows[i].text);
      assert_row_int (rows[i].label,
                      scratch_tallyman (&scratch, (const char *[]) { "check", "p.yaml", NULL }, &output, &complaints),
                      2);
      assert_row_int (rows[i].label, g_str_has_prefix (complaints, rows[i].shown), TRUE);
      if (!g_str_has_prefix (complaints, rows[i].shown))
        assert_text (complaints, rows[i].shown);
      assert_contains (complaints, "1 error, 0 warnings\n");
      assert_text (output, "");

      /* run says the same, and begins nothing. */
      assert_row_int (
          rows[i].label,
          scratch_tallyman (&scratch, (const char *[]) { "run", "p.yaml", NULL }, &run_output, &run_complaints), 2);
      assert_row_int (rows[i].label, g_str_has_prefix (run_complaints, rows[i].shown), TRUE);
      assert_text (run_output, "");
    }
}

static void
test_is_silent_about_a_right_one (void)
{
  g_autofree char *output = NULL, *complaints = NULL;

  scratch_write (&scratch, "p.yaml", HEAD SINK);
  assert_int (scratch_tallyman (&scratch, (const char *[]) { "check", "p.yaml", NULL }, &output, &complaints), 0);
  assert_text (output, "");
  assert_text (complaints, "");
}

static void
test_prints_json (void)
{
  g_autofree char *output = NULL, *complaints = NULL;
  g_autoptr (json_object) list = NULL;
  json_object *first, *member;

  scratch_write (&scratch, "p.yaml", HEAD "tranform: \"\xc3\xa4\\\"\"\n" SINK "errors: []\n");
  assert_int (scratch_tallyman (&scratch, (const char *[]) { "check", "--json", "p.yaml", "missing.yaml", NULL },
                        &output, &complaints),
              2);
  assert_text (complaints, "");
  list = json_tokener_parse (output);
  assert_int (json_object_array_length (list), 3);
  first = json_object_array_get_idx (list, 0);
  json_object_object_get_ex (first, "message", &member);
  assert_text (json_object_get_string (member), "a pipeline has no key \"tranform\"");
  json_object_object_get_ex (first, "line", &member);
  assert_int (json_object_get_int (member), 5);
  json_object_object_get_ex (first, "hint", &member);
  assert_text (json_object_get_string (member), "did you mean \"transform\"?");
}

static void
test_takes_a_name_of_any_bytes (void)
{
  g_autofree char *complaints = NULL, *shown = NULL;

  scratch_write (&scratch, "p\xd8.yaml", HEAD "sink: x\n");
  assert_int (scratch_tallyman (&scratch, (const char *[]) { "check", "p\xd8.yaml", NULL }, NULL, &complaints), 2);
  shown = g_strndup (complaints, strcspn (complaints, ":"));
  assert_text (shown, "p\xef\xbf\xbd.yaml");
}

static void
test_inspect_lists_and_describes (void)
{
  g_autofree char *list = NULL, *one = NULL, *json = NULL, *none = NULL, *complaints = NULL;
  g_autoptr (json_object) plugins = NULL;
  json_object *options = NULL;

  assert_int (scratch_tallyman (&scratch, (const char *[]) { "inspect", NULL }, &list, NULL), 0);
  assert_contains (list,
                   "sources:\n  lines              One record for each line of a text file\n");
  assert_contains (list, "steps:\n  filter ");

  assert_int (scratch_tallyman (&scratch, (const char *[]) { "inspect", "shout-letter", NULL }, &one, NULL), 0);
  assert_contains (one, "sink shout-letter: A letter for each record\n");
  assert_contains (
      one,
      "    tone: How it sounds (choice)\n        one of: friendly, formal\n        default: formal\n");
  assert_contains (one, "  options of every sink that delivers:\n    key: ");
  assert_contains (
      one,
      "    in-flight: Most requests at once; the sink's own if not given (int)\n        from 1 to 4096\n");

  assert_int (scratch_tallyman (&scratch, (const char *[]) { "inspect", "--json", "shout-letter", NULL }, &json, NULL),
              0);
  plugins = json_tokener_parse (json);
  assert_int (json_object_array_length (plugins), 1);
  json_object_object_get_ex (json_object_array_get_idx (plugins, 0), "options", &options);
  assert_int (json_object_array_length (options), 8);

  assert_int (scratch_tallyman (&scratch, (const char *[]) { "inspect", "shout-lettr", NULL }, &none, &complaints), 2);
  assert_text (
      complaints,
      "tallyman: there is no plugin or step \"shout-lettr\"; did you mean \"shout-letter\"?\n");
}

/* The member of the schema's part at, with what stands in the place of a reference. */
static json_object *
enter (json_object *schema, json_object *at, const char *name)
{
  json_object *next = NULL, *all = NULL, *reference = NULL;

  if (!json_object_object_get_ex (at, name, &next))
    return NULL;
  if (json_object_object_get_ex (next, "allOf", &all))
    reference = json_object_array_get_idx (all, 0);
  if (json_object_object_get_ex (reference != NULL ? reference : next, "$ref", &reference)
      && json_pointer_get (schema, json_object_get_string (reference) + strlen ("#"), &next) != 0)
    return NULL;
  return next;
}

static void
test_the_editor_schema_describes_all_places (void)
{
  static const struct
  {
    const char *path, *description;
  } rows[] = {
    { "properties sink properties shout-letter properties key", "What identifies a record in its source, the same in every run" },
    { "properties source properties lines properties path", "File to read" },
    { "properties transform items properties filter", "keeps the rows for which an expression is true: filter: status <> 'spam'" },
    { "properties transform items properties shout", "Upper case" },
    { "properties transform items properties lookup properties from properties lines properties path", "File to read" },
    { "properties transform items properties lookup properties transform items properties filter",
      "keeps the rows for which an expression is true: filter: status <> 'spam'" },
    { "properties transform items properties lookup properties transform items properties shout",
      "Upper case" },
    { "properties transform items properties lookup properties transform items properties lookup", NULL },
    { "properties transform items properties lookup properties memory", "Memory for the other source's rows; more of them go to a temporary file" },
  };
  g_autofree char *output = NULL;
  g_autoptr (json_object) schema = NULL;

  assert_int (scratch_tallyman (&scratch, (const char *[]) { "inspect", "--schema", NULL }, &output, NULL), 0);
  schema = json_tokener_parse (output);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_auto (GStrv) path = g_strsplit (rows[i].path, " ", -1);
      json_object *at = schema, *description = NULL;

      for (char **name = path; *name != NULL && at != NULL; name++)
        at = enter (schema, at, *name);
      json_object_object_get_ex (at, "description", &description);
      assert_row_text (rows[i].path, json_object_get_string (description), rows[i].description);
    }
}

static const Promise promises[] = {
  { "ten broken pipelines", test_ten_broken_pipelines },
  { "is silent about a right one", test_is_silent_about_a_right_one },
  { "prints JSON", test_prints_json },
  { "takes a name of any bytes", test_takes_a_name_of_any_bytes },
  { "inspect lists and describes", test_inspect_lists_and_describes },
  { "the editor schema describes all places", test_the_editor_schema_describes_all_places },
  { NULL },
};

int
main (int argc, char **argv)
{
  int result;

  scratch_init (&scratch);
  result = keep_promises ("check and inspect", promises, argc, argv);
  scratch_clear (&scratch);
  return result;
}
