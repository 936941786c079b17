/* test_sink.c: what the csv sink promises to those who read its files */
#include "plug.h"
#include "promise.h"
#include "record/batch-private.h"
#include <glib/gstdio.h>
#include <string.h>

static TallySchema *
text_schema (guint n_columns)
{
  static const TallyColumn columns[] = { { "a", TALLY_TYPE_TEXT }, { "b", TALLY_TYPE_TEXT }, { "c", TALLY_TYPE_TEXT },
                                         { "d", TALLY_TYPE_TEXT }, { "e", TALLY_TYPE_TEXT }, { "f", TALLY_TYPE_TEXT } };

  return tally_schema_new (columns, n_columns);
}

/* A row of texts; NULL ends it, "~" is NULL. */
static void
add_row (TallyBatch *batch, const char *const *values)
{
  tally_batch_add_row (batch);
  for (guint i = 0; values[i] != NULL; i++)
    if (!g_str_equal (values[i], "~"))
      tally_batch_set_text (batch, i, values[i], strlen (values[i]));
}

static Plug *
sink_to (const char *path, const char *const *options)
{
  Plug *plug = plug_new ("csv", TALLY_SINK, "csv");

  plug_set (plug, "path", path);
  for (; options != NULL && options[0] != NULL; options += 2)
    plug_set (plug, options[0], options[1]);
  return plug;
}

static char *
contents (const char *path)
{
  char *data = NULL;

  g_file_get_contents (path, &data, NULL, NULL);
  return data;
}

typedef struct
{
  const char *label;
  const char *options[9];
  const char *row[7];
  const char *expected; /* of the file */
} Case;

static const Case cases[] = {
  { "plain", { NULL }, { "1", "two", "3.0" }, "a,b,c\n1,two,3.0\n" },
  { "NULL and the empty text differ", { NULL }, { "~", "", "x" }, "a,b,c\n,\"\",x\n" },
  { "delimiter and quote", { NULL }, { "x,y", "say \"hi\"", "\"" }, "a,b,c\n\"x,y\",\"say \"\"hi\"\"\",\"\"\"\"\n" },
  { "line breaks", { NULL }, { "x\ny", "x\ry", "x\r\n" }, "a,b,c\n\"x\ny\",\"x\ry\",\"x\r\n\"\n" },
  { "a special byte in a long text", { NULL }, { "0123456789abcdef,", ",123456789abcdef", "01234567\"" },
    "a,b,c\n\"0123456789abcdef,\",\",123456789abcdef\",\"01234567\"\"\"\n" },
  { "blanks at the ends", { NULL }, { " x", "x\t", "x y" }, "a,b,c\n\" x\",\"x\t\",x y\n" },
  { "what looks like a comment, only in front", { NULL }, { "#1", "#2", "3" }, "a,b,c\n\"#1\",#2,3\n" },
  { "what looks like a mark", { "header", "false" }, { "\xef\xbb\xbfx" }, "\"\xef\xbb\xbfx\"\n" },
  { "one column that is NULL", { NULL }, { "~" }, "a\n\n" },
  { "one column that is empty", { NULL }, { "" }, "a\n\"\"\n" },
  { "another NULL", { "null", "\\N" }, { "~", "\\N", "" }, "a,b,c\n\\N,\"\\N\",\"\"\n" },
  { "values quoted", { "quote-when", "non-null" }, { "1", "~" }, "\"a\",\"b\"\n\"1\",\n" },
  { "all quoted", { "quote-when", "always" }, { "1", "~" }, "\"a\",\"b\"\n\"1\",\"\"\n" },
  { "another delimiter", { "delimiter", ";" }, { "1,5", "a;b" }, "a;b\n1,5;\"a;b\"\n" },
  { "tabs", { "delimiter", "tab" }, { "1,5", "a\tb" }, "a\tb\n1,5\t\"a\tb\"\n" },
  { "CR LF", { "line-end", "crlf" }, { "1", "2" }, "a,b\r\n1,2\r\n" },
  { "no header", { "header", "false" }, { "1", "2" }, "1,2\n" },
  { "a mark", { "bom", "true" }, { "1", "2" }, "\xef\xbb\xbf" "a,b\n1,2\n" },
  { "windows-1252", { "encoding", "windows-1252" }, { "\xe2\x82\xac", "\xc3\xa9" }, "a,b\n\x80,\xe9\n" },
  { "no quotes", { "quote", "none" }, { "say \"hi\"", "" }, "a,b\nsay \"hi\",\n" },
};

static void
test_writes_each_case (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TallySchema) schema = text_schema (g_strv_length ((char **) cases[i].row));
      g_autoptr (TallyBatch) batch = tally_batch_new (schema, 10);
      g_autofree char *path = plug_path ("out.csv");
      g_autoptr (Plug) plug = sink_to (path, cases[i].options);
      g_autoptr (GError) error = NULL;

      add_row (batch, cases[i].row);
      g_remove (path);
      plug_open (plug, schema, &error);
      assert_no_error (error);
      assert_int (plug->plugin->write (plug->self, plug->ctx, batch, &error), TALLY_FLOW_OK);
      assert_int (plug->plugin->commit (plug->self, plug->ctx, &error), TALLY_FLOW_OK);
      assert_no_error (error);
      g_autofree char *written = contents (path);
      assert_row_text (cases[i].label, written, cases[i].expected);
    }
}

/* What is looked for sixteen bytes at a time must be found wherever it stands: one byte of another kind in texts of x. */
static void
test_finds_what_needs_quotes_at_each_place (void)
{
  static const char kinds[] = ";\"\n\rx:y";
  const guint longest = 40;
  g_autoptr (TallySchema) schema = text_schema (1);
  g_autoptr (TallyBatch) batch = tally_batch_new (schema, longest * longest * strlen (kinds));
  g_autofree char *path = plug_path ("places.csv");
  g_autoptr (Plug) plug = sink_to (path, (const char *[]) { "delimiter", ";", "header", "false", NULL });
  g_autoptr (GString) expected = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  for (const char *kind = kinds; *kind != '\0'; kind++)
    for (guint length = 1; length <= longest; length++)
      for (guint place = 0; place < length; place++)
        {
          g_autofree char *text = g_strnfill (length, 'x');
          g_autofree char *alone = NULL; /* so that no byte around it may be looked at */

          text[place] = *kind;
          alone = g_memdup2 (text, length);
          tally_batch_add_row (batch);
          tally_batch_hold (batch, alone, g_free);
          tally_batch_set_view (batch, 0, (TallyText) { g_steal_pointer (&alone), length });
          if (strchr ("x:y", *kind) != NULL)
            g_string_append_printf (expected, "%s\n", text);
          else
            g_string_append_printf (expected, "\"%.*s%s%s\"\n", place, text, *kind == '"' ? "\"" : "", text + place);
        }
  plug_open (plug, schema, &error);
  plug->plugin->write (plug->self, plug->ctx, batch, &error);
  plug->plugin->commit (plug->self, plug->ctx, &error);
  assert_no_error (error);
  g_autofree char *written = contents (path);
  assert_text (written, expected->str);
}

/* Rows that the format cannot hold. */
static const Case refused[] = {
  { "a line break without quotes", { "quote", "none" }, { "x\ny", "2" }, "a value has a delimiter or a line break, but \"quote\" is none" },
  { "not in the encoding", { "encoding", "windows-1252" }, { "\xe6\x97\xa5", "2" }, "cannot be written in windows-1252" },
};

static void
test_sets_a_row_aside_that_cannot_be_written (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (TallySchema) schema = text_schema (2);
      g_autoptr (TallyBatch) batch = tally_batch_new (schema, 10);
      g_autofree char *path = plug_path ("refused.csv");
      g_autoptr (Plug) plug = sink_to (path, refused[i].options);
      g_autoptr (GError) error = NULL;
      guint n_rejects;

      add_row (batch, (const char *[]) { "1", "2", NULL });
      add_row (batch, refused[i].row);
      add_row (batch, (const char *[]) { "5", "6", NULL });
      plug_open (plug, schema, &error);
      plug->plugin->write (plug->self, plug->ctx, batch, &error);
      plug->plugin->commit (plug->self, plug->ctx, &error);
      assert_no_error (error);
      g_autofree char *written = contents (path);
      assert_row_text (refused[i].label, written, "a,b\n1,2\n5,6\n");
      tally_batch_end_stage (batch);
      const TallyReject *rejects = tally_batch_rejects (batch, &n_rejects);
      assert_int (n_rejects, 1);
      assert_contains (rejects[0].reason, refused[i].expected);
    }
}

static void
test_a_file_appears_only_when_it_is_whole (void)
{
  g_autoptr (TallySchema) schema = text_schema (2);
  g_autoptr (TallyBatch) batch = tally_batch_new (schema, 10);
  g_autofree char *path = plug_write_file ("whole.csv", "old\n", -1);
  g_autofree char *partial = g_strconcat (path, ".partial", NULL);
  g_autoptr (Plug) plug = sink_to (path, NULL);
  g_autoptr (GError) error = NULL;

  add_row (batch, (const char *[]) { "1", "2", NULL });
  plug_open (plug, schema, &error);
  plug->plugin->write (plug->self, plug->ctx, batch, &error);
  g_autofree char *before = contents (path);
  assert_text (before, "old\n");
  assert_true (g_file_test (partial, G_FILE_TEST_EXISTS));
  plug->plugin->commit (plug->self, plug->ctx, &error);
  assert_no_error (error);
  g_autofree char *after = contents (path);
  assert_text (after, "a,b\n1,2\n");
  assert_true (!g_file_test (partial, G_FILE_TEST_EXISTS));
}

static void
test_what_was_not_committed_is_removed (void)
{
  g_autoptr (TallySchema) schema = text_schema (2);
  g_autofree char *path = plug_write_file ("kept.csv", "old\n", -1);
  g_autofree char *partial = g_strconcat (path, ".partial", NULL);
  Plug *plug = sink_to (path, NULL);
  g_autoptr (GError) error = NULL;

  plug_open (plug, schema, &error);
  assert_no_error (error);
  plug_free (plug);
  g_autofree char *after = contents (path);
  assert_text (after, "old\n");
  assert_true (!g_file_test (partial, G_FILE_TEST_EXISTS));
}

static void
test_two_runs_do_not_write_one_file (void)
{
  g_autoptr (TallySchema) schema = text_schema (2);
  g_autofree char *path = plug_path ("shared.csv");
  g_autofree char *partial = g_strconcat (path, ".partial", NULL);
  g_autoptr (Plug) first = sink_to (path, NULL);
  Plug *second = sink_to (path, NULL);
  g_autoptr (GError) error = NULL;

  plug_open (first, schema, &error);
  assert_no_error (error);
  plug_open (second, schema, &error);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_IO, "another run is writing");
  plug_free (second);
  assert_true (g_file_test (partial, G_FILE_TEST_EXISTS));
}

static void
test_what_a_killed_run_left_is_overwritten (void)
{
  g_autoptr (TallySchema) schema = text_schema (1);
  g_autofree char *path = plug_path ("killed.csv");
  g_autofree char *partial G_GNUC_UNUSED = plug_write_file ("killed.csv.partial", "left\nover\nof a run\n", -1);
  g_autoptr (Plug) plug = sink_to (path, NULL);
  g_autoptr (GError) error = NULL;

  plug_open (plug, schema, &error);
  plug->plugin->commit (plug->self, plug->ctx, &error);
  assert_no_error (error);
  g_autofree char *written = contents (path);
  assert_text (written, "a\n");
}

static void
test_says_what_it_cannot_open (void)
{
  g_autoptr (TallySchema) schema = text_schema (1);
  g_autofree char *folder = plug_path ("no-such-folder");
  g_autofree char *path = g_build_filename (folder, "x.csv", NULL);
  g_autoptr (Plug) plug = sink_to (path, NULL);
  g_autoptr (GError) error = NULL;

  plug_open (plug, schema, &error);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_IO, "could not create");
}

static const Promise promises[] = {
  { "writes each case", test_writes_each_case },
  { "finds what needs quotes at each place", test_finds_what_needs_quotes_at_each_place },
  { "sets a row aside that cannot be written", test_sets_a_row_aside_that_cannot_be_written },
  { "a file appears only when it is whole", test_a_file_appears_only_when_it_is_whole },
  { "what was not committed is removed", test_what_was_not_committed_is_removed },
  { "two runs do not write one file", test_two_runs_do_not_write_one_file },
  { "what a killed run left is overwritten", test_what_a_killed_run_left_is_overwritten },
  { "says what it cannot open", test_says_what_it_cannot_open },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("csv sink", promises, argc, argv);
}
