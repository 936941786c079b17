/* test-reading.c: values from outside, positions within scalars, the order of a folder, and how a
 * mistake looks */
#include "pipeline/reader.h"
#include "promise.h"
#include "scratch.h"
#include <glib/gstdio.h>
#include <string.h>

#define SOURCE "source: { lines: { path: lines.txt } }\n"
#define SINK "sink: shout-busy\n"

static Scratch scratch;

/* ---- References ---- */

static void
test_replaces_references (void)
{
  static const struct
  {
    const char *label, *text, *value;
  } rows[] = {
    { "none", "plain $text $1 {}", "plain $text $1 {}" },
    { "environment", "a-${TALLY_TEST_A}-b", "a-alpha-b" },
    { "two", "${TALLY_TEST_A}${TALLY_TEST_A}", "alphaalpha" },
    { "empty", "x${TALLY_TEST_EMPTY}x", "xx" },
    { "file, its newline gone", "${file:secret.txt}!", "s3cr3t!" },
    { "credential", "${credential:token}", "t0ken" },
    { "literal", "$${TALLY_TEST_A}", "${TALLY_TEST_A}" },
    { "a value with a reference in it is not read again", "${TALLY_TEST_NESTED}",
      "${TALLY_TEST_A}" },
  };

  g_setenv ("TALLY_TEST_A", "alpha", TRUE);
  g_setenv ("TALLY_TEST_EMPTY", "", TRUE);
  g_setenv ("TALLY_TEST_NESTED", "${TALLY_TEST_A}", TRUE);
  g_setenv ("CREDENTIALS_DIRECTORY", scratch.folder, TRUE);
  scratch_write (&scratch, "secret.txt", "s3cr3t\n");
  scratch_write (&scratch, "token", "t0ken");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GPtrArray) secrets
          = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_secret_free);
      g_autoptr (GPtrArray) mistakes
          = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_reference_mistake_free);
      g_autofree char *value
          = tally_reference_expand (rows[i].text, scratch.folder, secrets, mistakes);

      assert_row_text (rows[i].label, value, rows[i].value);
      assert_row_int (rows[i].label, mistakes->len, 0);
    }
}

static void
test_says_which_reference_is_wrong (void)
{
  static const struct
  {
    const char *label, *text;
    gsize offset, length;
    const char *message;
  } rows[] = {
    { "unset", "ab${TALLY_TEST_UNSET}", 2, 19,
      "environment variable \"TALLY_TEST_UNSET\" is not set" },
    { "no name", "${}", 0, 3, "\"\" is no name of an environment variable" },
    { "blank", "${ A }", 0, 6, "\" A \" is no name of an environment variable" },
    { "open", "x${A", 1, 2, "\"${\" is never closed" },
    { "unknown kind", "${vault:x}", 0, 10, "\"vault:x\" is no name of an environment variable" },
    { "no file", "${file:}", 0, 8, "\"${file:}\" names no file" },
    { "missing file", "${file:nope}", 0, 12, "nope\": No such file or directory" },
    { "folder", "${file:.}", 0, 9, "Is a directory" },
    { "large file", "${file:large}", 0, 13, "large\" is longer than 64 KiB" },
    { "a file of bytes", "${file:bytes}", 0, 13, "bytes\" is not UTF-8 text" },
    { "credential elsewhere", "${credential:../x}", 0, 18, "\"../x\" is no name of a credential" },
  };
  g_autofree char *large = g_strnfill (64 * 1024 + 1, 'x');

  scratch_write (&scratch, "large", large);
  scratch_write (&scratch, "bytes", "\xff\xfe");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GPtrArray) secrets
          = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_secret_free);
      g_autoptr (GPtrArray) mistakes
          = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_reference_mistake_free);
      g_autofree char *value
          = tally_reference_expand (rows[i].text, scratch.folder, secrets, mistakes);
      const TallyReferenceMistake *mistake;

      assert_row_text (rows[i].label, value, NULL);
      assert_row_int (rows[i].label, mistakes->len, 1);
      if (mistakes->len == 0)
        continue;
      mistake = mistakes->pdata[0];
      assert_row_int (rows[i].label, mistake->offset, rows[i].offset);
      assert_row_int (rows[i].label, mistake->length, rows[i].length);
      assert_contains (mistake->message, rows[i].message);
    }
}

static void
test_never_shows_what_a_reference_stands_for (void)
{
  static const struct
  {
    const char *label, *text;
  } rows[] = {
    { "wrong type",
      "pipeline: p\nsource: { lines: { path: lines.txt, batch-rows: \"${TALLY_TEST_SECRET}\" } }\n" SINK },
    { "part of a path",
      "pipeline: p\nsource: { lines: { path: \"/x/${TALLY_TEST_SECRET}/y\" } }\n" SINK },
    { "a plugin that tells",
      "pipeline: p\n" SOURCE
      "sink: { shout-letter: { key: line, token: \"${TALLY_TEST_SECRET}\" } }\n" },
    { "limit", "pipeline: p\n" SOURCE SINK "errors: { limit: \"${TALLY_TEST_SECRET}\" }\n" },
    { "written into the file",
      "pipeline: p\n" SOURCE "sink: { shout-letter: { token: hunter2, tone: x, key: line } }\n" },
    { "written into the file, quoted",
      "pipeline: p\n" SOURCE
      "sink: { shout-letter: { token: \"hunter2\", tone: x, key: line } }\n" },
    { "of an unknown plugin",
      "pipeline: p\n" SOURCE "sink: { shout-lettre: { token: hunter2 } }\n" },
    { "of an unknown option",
      "pipeline: p\n" SOURCE "sink: { shout-letter: { tokn: hunter2, key: line } }\n" },
  };

  g_setenv ("TALLY_TEST_SECRET", "hunter2", TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (TallyPipeline) pipeline = scratch_load (&scratch, rows[i].text);
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (GString) json = g_string_new (NULL);

      tally_pipeline_format_diagnostics (pipeline, FALSE, text);
      for (guint j = 0; j < pipeline->diagnostics->len; j++)
        tally_diagnostic_format_json (pipeline->diagnostics->pdata[j], json);
      assert_row_int (rows[i].label, tally_pipeline_n_errors (pipeline) > 0, TRUE);
      assert_row_int (rows[i].label, strstr (text->str, "hunter2") == NULL, TRUE);
      assert_row_int (rows[i].label, strstr (json->str, "hunter2") == NULL, TRUE);
    }
}

static void
test_the_longest_secret_is_replaced_first (void)
{
  g_autoptr (GPtrArray) secrets
      = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_secret_free);
  g_autoptr (GPtrArray) mistakes
      = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_reference_mistake_free);

  g_setenv ("TALLY_TEST_SHORT", "abcd", TRUE);
  g_setenv ("TALLY_TEST_LONG", "abcdefgh", TRUE);
  g_free (
      tally_reference_expand ("${TALLY_TEST_SHORT} ${TALLY_TEST_LONG}", "/", secrets, mistakes));
  g_autofree char *message = tally_secrets_redact (secrets, "abcdefgh and abcd");
  assert_text (message, "${TALLY_TEST_LONG} and ${TALLY_TEST_SHORT}");
}

/* ---- Where a scalar's bytes stand ---- */

static void
refuse_mistake (gsize offset, gsize length, const char *message, const char *hint, gpointer data)
{
  g_error ("%s", message);
}

/* Each row has a value; word is found in it and must stand at line and column of the source. */
static void
test_points_into_scalars (void)
{
  static const struct
  {
    const char *label, *source, *word;
    guint line, column;
  } rows[] = {
    { "plain", "k: a + bad\n", "bad", 1, 8 },
    { "plain, first word", "k: bad + a\n", "bad", 1, 4 },
    { "plain, two lines", "k: a +\n   bad\n", "bad", 2, 4 },
    { "single quotes", "k: 'a + bad'\n", "bad", 1, 9 },
    { "single quotes with a quote", "k: 'a = ''x'' + bad'\n", "bad", 1, 17 },
    { "double quotes", "k: \"a + bad\"\n", "bad", 1, 9 },
    { "double quotes with escapes", "k: \"a\\t\\\"\\u00e9\\x41 bad\"\n", "bad", 1, 21 },
    { "double quotes, two lines", "k: \"a\n    bad\"\n", "bad", 2, 5 },
    { "literal block", "k: |\n  a +\n    bad\n", "bad", 3, 5 },
    { "literal block, first line", "k: |\n  bad\n  b\n", "bad", 2, 3 },
    { "literal block with a header", "k: |2- # bad\n  a\n\n  bad\n", "bad", 4, 3 },
    { "folded block", "k: >-\n  a\n  + b\n  + bad\n", "bad", 4, 5 },
    { "after letters of two bytes, quoted", "k: \"'äöü' || bad\"\n", "bad", 1, 14 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (TallyYamlNode) root = NULL;
      const TallyYamlNode *value;
      const char *line_start;
      gsize offset;
      guint line = 1;

      root = tally_yaml_parse (rows[i].source, strlen (rows[i].source), refuse_mistake, NULL);
      value = tally_yaml_find (root, "k");
      offset = tally_yaml_source_offset (value, rows[i].source,
                                         strstr (value->text, rows[i].word) - value->text);
      line_start = rows[i].source;
      for (gsize j = 0; j < offset; j++)
        if (rows[i].source[j] == '\n')
          {
            line++;
            line_start = rows[i].source + j + 1;
          }
      assert_row_int (rows[i].label, line, rows[i].line);
      assert_row_int (rows[i].label,
                      g_utf8_pointer_to_offset (line_start, rows[i].source + offset) + 1,
                      rows[i].column);
    }
}

/* ---- What a pipeline holds ---- */

static void
test_holds_what_was_written (void)
{
  g_autoptr (TallyPipeline) pipeline = scratch_load (
      &scratch, "pipeline: p\nafter: a\n" SOURCE "sink: { shout-busy: { limit: 2kB } }\n"
                "errors: { limit: 7, rejects: sub/r.ndjson }\nledger: ${TALLY_TEST_LEDGER}/x\n");
  g_autofree char *rejects = g_build_filename (scratch.folder, "sub/r.ndjson", NULL);

  assert_int (tally_pipeline_n_errors (pipeline), 1);
  assert_text (pipeline->name, "p");
  assert_text (pipeline->origin, "p");
  assert_text (pipeline->after[0], "a");
  assert_text (pipeline->rejects_path, rejects);
  assert_int (pipeline->reject_limit, 7);
  assert_double (pipeline->reject_percent, 100);
  assert_text (pipeline->directory, scratch.folder);
  assert_text (tally_schema_column (pipeline->source_schema, 0)->name, "line");
  assert_int (pipeline->n_visible, 1);
  assert_true (!pipeline->source->opened);
}

static void
test_has_no_limit_of_rejects_unless_told (void)
{
  g_autoptr (TallyPipeline) pipeline = scratch_load (&scratch, "pipeline: p\n" SOURCE SINK);
  g_autoptr (TallyPipeline) share
      = scratch_load (&scratch, "pipeline: p\n" SOURCE SINK "errors: { limit: 0.5 % }\n");

  assert_int (pipeline->reject_limit, G_MAXINT64);
  assert_double (pipeline->reject_percent, 100);
  assert_true (pipeline->rejects_path == NULL && pipeline->ledger == NULL);
  assert_double (share->reject_percent, 0.5);
}

static void
test_keeps_tests_as_json (void)
{
  g_autoptr (TallyPipeline) pipeline = scratch_load (
      &scratch,
      "pipeline: p\n" SOURCE SINK "tests:\n  - name: types\n"
      "    given:\n      - { a: 1, b: \"1\", c: ~, d: null, e: true, f: yes, g: -1.5e3, h: 007, i: , "
      "j: [1, { k: \"q\\\"\" }] }\n"
      "    expect: []\n");
  const TallyPipelineTest *test = pipeline->tests->pdata[0];

  assert_int (tally_pipeline_n_errors (pipeline), 0);
  assert_text (test->name, "types");
  assert_int (test->line, 5);
  assert_int (test->expect->len, 0);
  assert_text (
      test->given->pdata[0],
      "{\"a\":1,\"b\":\"1\",\"c\":null,\"d\":null,\"e\":true,\"f\":\"yes\",\"g\":-1.5e3,\"h\":\"007\","
      "\"i\":null,\"j\":[1,{\"k\":\"q\\\"\"}]}");
}

static void
test_binds_again_only_for_other_columns (void)
{
  static const TallyColumn other[] = { { "line", TALLY_TYPE_BIGINT } };
  static const TallyColumn same[] = { { "line", TALLY_TYPE_TEXT } };
  g_autoptr (TallyPipeline) pipeline
      = scratch_load (&scratch, "pipeline: p\n" SOURCE
                                "transform: [{ keep: [line] }, { rename: { text: line } }]\n" SINK);
  g_autoptr (TallySchema) first = tally_schema_new (same, 1);
  g_autoptr (TallySchema) second = tally_schema_new (other, 1);
  g_autoptr (TallySchema) none = tally_schema_new (NULL, 0);
  gconstpointer step = pipeline->steps->pdata[0];

  assert_true (tally_pipeline_bind (pipeline, first));
  assert_true (pipeline->steps->pdata[0] == step);
  assert_true (tally_pipeline_bind (pipeline, second));
  assert_int (tally_schema_column (pipeline->sink_schema, 0)->type, TALLY_TYPE_BIGINT);
  assert_text (tally_schema_column (pipeline->sink_schema, 0)->name, "text");
  assert_true (!tally_pipeline_bind (pipeline, none));
  assert_true (!tally_pipeline_bind (pipeline, none));
  assert_int (pipeline->diagnostics->len, 1);
  assert_true (tally_pipeline_bind (pipeline, first));
  assert_int (pipeline->diagnostics->len, 0);
}

/* ---- How it looks ---- */

static void
test_looks_like_a_compilers (void)
{
  static const struct
  {
    const char *label;
    TallyDiagnostic diagnostic;
    const char *source, *shown;
  } rows[] = {
    { "whole",
      { TALLY_SEVERITY_ERROR, (char *) "p.yaml", 14, 13, 6,
        (char *) "column \"stauts\" does not exist", (char *) "did you mean \"status\"?" },
      "\n\n\n\n\n\n\n\n\n\n\n\n\n  - filter: stauts <> 'spam'\n",
      "p.yaml:14:13: error: column \"stauts\" does not exist\n"
      "   14 |   - filter: stauts <> 'spam'\n"
      "      |             ^~~~~~\n"
      "hint: did you mean \"status\"?\n" },
    { "without a place",
      { TALLY_SEVERITY_WARNING, (char *) "p.yaml", 0, 0, 0, (char *) "m", NULL },
      "x\n",
      "p.yaml: warning: m\n" },
    { "wide letters push the caret",
      { TALLY_SEVERITY_ERROR, (char *) "p", 1, 3, 2, (char *) "m", NULL },
      "日本xy\n",
      "p:1:3: error: m\n    1 | 日本xy\n      |     ^~\n" },
    { "never past the line",
      { TALLY_SEVERITY_ERROR, (char *) "p", 1, 2, 99, (char *) "m", NULL },
      "abc\r\nd\n",
      "p:1:2: error: m\n    1 | abc\n      |  ^~\n" },
    { "no escape to the terminal",
      { TALLY_SEVERITY_ERROR, (char *) "p", 1, 1, 1, (char *) "m\033[2J", NULL },
      "a\033[31m\n",
      "p:1:1: error: m [2J\n    1 | a [31m\n      | ^\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GString) out = g_string_new (NULL);

      tally_diagnostic_format (&rows[i].diagnostic, rows[i].source, /* colour= */ FALSE, out);
      assert_row_text (rows[i].label, out->str, rows[i].shown);
    }
}

static void
test_shows_a_part_of_a_long_line (void)
{
  g_autofree char *before = g_strnfill (5000, 'a');
  g_autofree char *after = g_strnfill (5000, 'b');
  g_autofree char *source = g_strconcat (before, "X", after, "\n", NULL);
  const TallyDiagnostic diagnostic
      = { TALLY_SEVERITY_ERROR, (char *) "p", 1, 5001, 1, (char *) "m", NULL };
  g_autoptr (GString) out = g_string_new (NULL);
  g_auto (GStrv) lines = NULL;

  tally_diagnostic_format (&diagnostic, source, FALSE, out);
  lines = g_strsplit (out->str, "\n", -1);
  assert_true (g_utf8_strlen (lines[1], -1) < 160);
  assert_int (g_utf8_strlen (lines[1], strchr (lines[1], 'X') - lines[1]),
              strchr (lines[2], '^') - lines[2]);
}

/* ---- A folder ---- */

static char *
order_of (const char *folder, char **ret_error)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) files = tally_pipeline_order (folder, &error);
  g_autoptr (GString) names = g_string_new (NULL);

  *ret_error = error != NULL ? g_strdup (error->message) : NULL;
  for (char **file = files; file != NULL && *file != NULL; file++)
    {
      g_autofree char *name = g_path_get_basename (*file);

      g_string_append_printf (names, "%s ", name);
    }
  return g_string_free (g_steal_pointer (&names), FALSE);
}

static void
test_runs_a_folder_in_order (void)
{
  static const struct
  {
    const char *label, *a, *b, *c, *order, *error;
  } rows[] = {
    { "by name", "pipeline: a", "pipeline: b", "pipeline: c", "a.yaml b.yaml c.yaml ", NULL },
    { "after one", "pipeline: a\nafter: c", "pipeline: b", "pipeline: c", "c.yaml a.yaml b.yaml ",
      NULL },
    { "a chain", "pipeline: a\nafter: [b]", "pipeline: b\nafter: [c]", "pipeline: c",
      "c.yaml b.yaml a.yaml ", NULL },
    { "a circle", "pipeline: a\nafter: [b]", "pipeline: b\nafter: [c]", "pipeline: c\nafter: a", "",
      "pipelines wait for each other: \"a\" after \"b\" after \"c\" after \"a\"" },
    { "itself", "pipeline: a\nafter: a", "x: 1", "y: 1", "", "\"a\" after \"a\"" },
    { "a missing name", "pipeline: aa\nafter: [bb]", "pipeline: bbb", "pipeline: c", "",
      "\"after\" names \"bb\", which is not in this folder; did you mean \"bbb\"?" },
    { "the same name twice", "pipeline: a", "pipeline: b", "pipeline: a", "",
      "\"a\" is the name of two pipelines: " },
    { "a broken one is reported when it is loaded", "pipeline: [", "pipeline: b", "pipeline: c",
      "a.yaml b.yaml c.yaml ", NULL },
  };
  g_autofree char *folder = g_dir_make_tmp ("order-XXXXXX", NULL);
  g_autofree char *a = g_build_filename (folder, "a.yaml", NULL),
                  *b = g_build_filename (folder, "b.yaml", NULL);
  g_autofree char *c = g_build_filename (folder, "c.yaml", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *order = NULL, *error = NULL;

      g_file_set_contents (a, rows[i].a, -1, NULL);
      g_file_set_contents (b, rows[i].b, -1, NULL);
      g_file_set_contents (c, rows[i].c, -1, NULL);
      order = order_of (folder, &error);
      assert_row_text (rows[i].label, order, rows[i].order);
      if (rows[i].error != NULL)
        assert_contains (error, rows[i].error);
      else
        assert_row_text (rows[i].label, error, NULL);
    }
  g_unlink (a);
  g_unlink (b);
  g_unlink (c);

  g_autofree char *error = NULL;
  g_autofree char *empty G_GNUC_UNUSED = order_of (folder, &error);
  assert_contains (error, "there is no *.yaml in ");
  g_rmdir (folder);
}

static const Promise promises[] = {
  { "replaces references", test_replaces_references },
  { "says which reference is wrong", test_says_which_reference_is_wrong },
  { "never shows what a reference stands for", test_never_shows_what_a_reference_stands_for },
  { "the longest secret is replaced first", test_the_longest_secret_is_replaced_first },
  { "points into scalars", test_points_into_scalars },
  { "holds what was written", test_holds_what_was_written },
  { "has no limit of rejects unless told", test_has_no_limit_of_rejects_unless_told },
  { "keeps tests as JSON", test_keeps_tests_as_json },
  { "binds again only for other columns", test_binds_again_only_for_other_columns },
  { "looks like a compiler's", test_looks_like_a_compilers },
  { "shows a part of a long line", test_shows_a_part_of_a_long_line },
  { "runs a folder in order", test_runs_a_folder_in_order },
  { NULL },
};

int
main (int argc, char **argv)
{
  int result;

  scratch_init (&scratch);
  result = keep_promises ("reading pipelines", promises, argc, argv);
  scratch_clear (&scratch);
  return result;
}
