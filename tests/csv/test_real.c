/* test_real.c: real exports and awkward files, read as another reader reads them */
#include "plug.h"
#include "promise.h"
#include "record/batch-private.h"
#include <string.h>

typedef struct
{
  const char *name;
  const char *encoding; /* (nullable) the option */
  const char *other;    /* the same in the other reader's words */
  const char *skip;
} RealFile;

static const RealFile files[] = {
  { "jira-hadoop-bugs.csv", NULL, "utf-8", "0" },
  { "github-vscode-multilingual.csv", NULL, "utf-8", "0" },
  { "jira-moodle-stories.csv", NULL, "utf-8", "0" },
  { "cfpb-complaints-v2-public.csv", NULL, "utf-8", "0" },
  { "boston-311-requests.csv", NULL, "utf-8", "0" },
  { "uk-inpatients-utf16le-bom.csv", NULL, "utf-16", "0" },
  { "uk-spend-utf8-bom.csv", NULL, "utf-8-sig", "0" },
  { "csvkit-examples/bad.csv", NULL, "utf-8", "0" },
  { "csvkit-examples/blanks.csv", NULL, "utf-8", "0" },
  { "csvkit-examples/date_like_number.csv", NULL, "utf-8", "0" },
  { "csvkit-examples/dummy_col_shuffled.csv", NULL, "utf-8", "0" },
  { "csvkit-examples/mac_newlines.csv", NULL, "utf-8", "0" },
  { "csvkit-examples/null_byte.csv", NULL, "utf-8", "0" },
  { "csvkit-examples/test_empty_columns_long_row.csv", NULL, "utf-8", "0" },
  { "csvkit-examples/test_empty_columns_short_row.csv", NULL, "utf-8", "0" },
  { "csvkit-examples/test_header_newline.csv", NULL, "utf-8", "0" },
  { "csvkit-examples/test_latin1.csv", "iso-8859-1", "iso-8859-1", "0" },
  { "csvkit-examples/test_locale.csv", NULL, "utf-8", "0" },
  { "csvkit-examples/test_no_leading_zeroes.csv", NULL, "utf-8", "0" },
  { "csvkit-examples/test_precision.csv", NULL, "utf-8", "0" },
  { "csvkit-examples/test_skip_lines.csv", NULL, "utf-8", "3" },
  { "csvkit-examples/test_utf16_big.csv", NULL, "utf-16", "0" },
  { "csvkit-examples/test_utf16_little.csv", NULL, "utf-16", "0" },
  { "csvkit-examples/test_utf8.csv", NULL, "utf-8", "0" },
  { "csvkit-examples/test_utf8_bom.csv", NULL, "utf-8-sig", "0" },
};

/* NULL, with the test skipped, if the shared data is not there. */
static char *
shared_file (const char *name)
{
  g_autofree char *path = g_build_filename (g_getenv ("SHARED_DATA"), "csv", name, NULL);

  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&path);

  skip_promise ("%s is not there", path);
  return NULL;
}

static Plug *
source_of (const RealFile *file, const char *path)
{
  Plug *plug = plug_new ("csv", TALLY_SOURCE, "csv");

  plug_set (plug, "path", path);
  plug_set (plug, "skip", file->skip);
  if (file->encoding != NULL)
    plug_set (plug, "encoding", file->encoding);
  return plug;
}

/* As other_reader.py writes it. */
static char *
our_reading (const RealFile *file, const char *path, guint capacity)
{
  g_autoptr (Plug) plug = source_of (file, path);
  GString *out = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  guint n_rows = 1, n_rejects, n_left_out = 0;

  plug_open (plug, NULL, &error);
  assert_no_error (error);
  while (n_rows > 0 || n_rejects > 0)
    {
      g_autoptr (TallyBatch) batch = plug_read_batch (plug, capacity, &error);

      assert_no_error (error);
      n_rows = tally_batch_n_rows (batch);
      tally_batch_rejects (batch, &n_rejects);
      n_left_out += n_rejects;
      for (guint row = 0; row < n_rows; row++)
        {
          for (guint i = 0; i < tally_schema_n_columns (plug->schema); i++)
            {
              TallyText text = tally_batch_is_null (batch, row, i) ? (TallyText) { "", 0 } : tally_batch_get_text (batch, row, i);

              g_string_append_printf (out, "%" G_GSIZE_FORMAT ":", text.length);
              g_string_append_len (out, text.data, text.length);
              g_string_append_c (out, ',');
            }
          g_string_append_c (out, '\n');
        }
    }

  g_string_append_printf (out, "left out: %u\n", n_left_out);
  return g_string_free (out, FALSE);
}

/* All files in one go, because an interpreter takes its time to start.  NULL if one is not there. */
static char *
their_readings (void)
{
  g_autoptr (GPtrArray) command = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  char *out = NULL;

  g_ptr_array_add (command, g_strdup ("python3"));
  g_ptr_array_add (command, g_build_filename (g_getenv ("SOURCE_ROOT"), "tests", "csv", "other_reader.py", NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      char *path = shared_file (files[i].name);

      if (path == NULL)
        return NULL;
      g_ptr_array_add (command, path);
      g_ptr_array_add (command, g_strdup (files[i].other));
      g_ptr_array_add (command, g_strdup (files[i].skip));
    }
  g_ptr_array_add (command, NULL);
  g_spawn_sync (NULL, (char **) command->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, NULL, &error);
  assert_no_error (error);
  return out;
}

/* The whole texts are too long to show: where they begin to differ. */
static void
assert_same (const char *label, const char *ours, const char *theirs)
{
  gsize place = 0;

  while (ours[place] != '\0' && ours[place] == theirs[place])
    place++;
  place -= MIN (place, 60);
  g_autofree char *a = g_strndup (ours + place, 120), *b = g_strndup (theirs + place, 120);
  assert_row_text (label, a, b);
}

static void
test_reads_what_another_reader_reads (void)
{
  g_autofree char *python = g_find_program_in_path ("python3");

  if (python == NULL)
    {
      skip_promise ("there is no python3");
      return;
    }

  g_autofree char *all = their_readings ();
  char *at = all;
  for (gsize i = 0; i < G_N_ELEMENTS (files) && at != NULL; i++)
    {
      g_autofree char *path = shared_file (files[i].name), *theirs = NULL, *ours = NULL;
      gsize length = g_ascii_strtoull (at, &at, 10);

      theirs = g_strndup (at + 1, length);
      at += 1 + length;
      ours = our_reading (&files[i], path, 700);
      assert_same (files[i].name, ours, theirs);
    }
}

/* What the sink makes of a file, the source reads as the file itself. */
static void
test_written_again_it_reads_the_same (void)
{
  static const char *const endings[] = { "again.csv", "again.csv.gz", "again.csv.zst" };

  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = shared_file (files[i].name);
      g_autofree char *again = plug_path (endings[i % 3]);

      if (path == NULL)
        return;
      g_autoptr (Plug) source = source_of (&files[i], path);
      g_autoptr (Plug) sink = plug_new ("csv", TALLY_SINK, "csv");
      g_autoptr (GError) error = NULL;

      plug_open (source, NULL, &error);
      plug_set (sink, "path", again);
      plug_open (sink, source->schema, &error);
      assert_no_error (error);
      for (guint n_read = 1; n_read > 0;)
        {
          g_autoptr (TallyBatch) batch = plug_read_batch (source, 500, &error);

          n_read = tally_batch_n_read (batch);
          sink->plugin->write (sink->self, sink->ctx, batch, &error);
        }
      sink->plugin->commit (sink->self, sink->ctx, &error);
      assert_no_error (error);

      static const RealFile plain = { NULL, NULL, NULL, "0" };
      g_autofree char *first = our_reading (&files[i], path, 500), *second = our_reading (&plain, again, 500);
      *strstr (first, "left out:") = '\0';
      *strstr (second, "left out:") = '\0';
      assert_same (files[i].name, second, first);
    }
}

/* Counts that the data's own description tells. */
static void
test_counts_are_those_of_the_description (void)
{
  static const struct
  {
    const char *name;
    guint n_rows;
  } counts[] = { { "jira-hadoop-bugs.csv", 2503 }, { "github-vscode-multilingual.csv", 1381 },
                 { "jira-moodle-stories.csv", 1166 }, { "cfpb-complaints-v2-public.csv", 30 },
                 { "boston-311-requests.csv", 100 } };

  for (gsize i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      static const RealFile plain = { NULL, NULL, NULL, "0" };
      g_autofree char *path = shared_file (counts[i].name);
      g_autoptr (GError) error = NULL;

      if (path == NULL)
        return;
      g_autoptr (Plug) source = source_of (&plain, path);
      guint n_rows = 0;

      plug_open (source, NULL, &error);
      for (guint n_read = 1; n_read > 0;)
        {
          g_autoptr (TallyBatch) batch = plug_read_batch (source, 500, &error);

          assert_no_error (error);
          n_read = tally_batch_n_read (batch);
          n_rows += tally_batch_n_rows (batch);
        }
      assert_row_int (counts[i].name, n_rows, counts[i].n_rows);
    }
}

static const Promise promises[] = {
  { "reads what another reader reads", test_reads_what_another_reader_reads },
  { "written again it reads the same", test_written_again_it_reads_the_same },
  { "counts are those of the description", test_counts_are_those_of_the_description },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("csv real files", promises, argc, argv);
}
