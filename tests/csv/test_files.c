/* test_files.c: what the csv source promises about its files: which, how packed, and where to go on */
#include "plug.h"
#include "promise.h"
#include "pack.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static Plug *
source_of (const char *const *paths)
{
  Plug *plug = plug_new ("csv", TALLY_SOURCE, "csv");

  for (; *paths != NULL; paths++)
    plug_set (plug, "path", *paths);
  return plug;
}

static Plug *
source_of_one (const char *path)
{
  return source_of ((const char *[]) { path, NULL });
}

static char *
table_of (const char *const *paths)
{
  g_autoptr (Plug) plug = source_of (paths);

  return plug_table (plug, 100);
}

static void
test_reads_several_files_by_column_name (void)
{
  g_autofree char *one = plug_write_file ("m1.csv", "a,b\n1,2\n", -1);
  g_autofree char *two = plug_write_file ("m2.csv", "b,a\n3,4\n", -1);
  g_autofree char *pattern = plug_path ("m?.csv");
  g_autofree char *table = table_of ((const char *[]) { pattern, one, two, NULL });

  assert_text (table, "a|b\nm1.csv:2: 1|2\nm2.csv:2: 4|3\n");
}

static void
test_says_which_column_a_file_lacks (void)
{
  g_autofree char *one = plug_write_file ("n1.csv", "a,b\n1,2\n", -1);
  g_autofree char *less = plug_write_file ("n2.csv", "b\n3\n", -1);
  g_autofree char *more = plug_write_file ("n3.csv", "b,a,c\n3,4,5\n", -1);
  g_autofree char *table = table_of ((const char *[]) { one, less, NULL });
  g_autofree char *other = table_of ((const char *[]) { one, more, NULL });

  assert_text (table, "error: \"n2.csv\" has no column \"a\", which the first file has\n");
  assert_text (other, "error: \"n3.csv\" has the column \"c\", which the first file has not\n");
}

static void
test_says_what_cannot_be_read (void)
{
  g_autofree char *missing = plug_path ("missing.csv"), *pattern = plug_path ("missing*.csv"), *folder = plug_path ("");
  g_autofree char *false_gzip = plug_write_file ("false.csv.gz", "a,b\n", -1);
  g_autofree char *first = table_of ((const char *[]) { missing, NULL });
  g_autofree char *second = table_of ((const char *[]) { pattern, NULL });
  g_autofree char *third = table_of ((const char *[]) { folder, NULL });
  g_autofree char *fourth = table_of ((const char *[]) { false_gzip, NULL });
  g_autofree char *fifth = table_of ((const char *[]) { "-", missing, NULL });

  assert_text (first, "error: could not open \"missing.csv\": No such file or directory\n");
  assert_text (second, "error: no file matches \"missing*.csv\"\n");
  assert_contains (third, "is a folder");
  assert_text (fourth, "error: \"false.csv.gz\" does not hold gzip data\n");
  assert_text (fifth, "error: standard input (\"-\") cannot be read together with files\n");
}

static gboolean
append_packed (gpointer into, const guint8 *data, gsize length, GError **error)
{
  g_byte_array_append (into, data, length);
  return TRUE;
}

static GByteArray *
pack (TallyPack kind, const char *data)
{
  GByteArray *packed = g_byte_array_new ();
  g_autoptr (TallyPacker) packer = tally_packer_new (kind, append_packed, packed);

  assert_true (tally_packer_write (packer, (const guint8 *) data, strlen (data), NULL));
  assert_true (tally_packer_finish (packer, NULL));
  return packed;
}

static const struct
{
  TallyPack kind;
  const char *name;
} packs[] = { { TALLY_PACK_GZIP, "packed.csv.gz" }, { TALLY_PACK_ZSTD, "packed.csv.zst" } };

/* Two members behind each other are one file, as with gzip and zstd themselves. */
static void
test_reads_packed_files (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (packs); i++)
    {
      g_autoptr (GByteArray) packed = pack (packs[i].kind, "a,b\n1,"), more = pack (packs[i].kind, "2\n3,4\n");

      g_byte_array_append (packed, more->data, more->len);
      g_autofree char *path = plug_write_file (packs[i].name, (char *) packed->data, packed->len);
      g_autofree char *table = table_of ((const char *[]) { path, NULL });
      g_autofree char *expected = g_strdup_printf ("a|b\n%s:2: 1|2\n%s:3: 3|4\n", packs[i].name, packs[i].name);
      assert_text (table, expected);
    }
}

static void
test_a_packed_file_that_was_cut_off_is_an_error (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (packs); i++)
    {
      g_autoptr (GByteArray) packed = pack (packs[i].kind, "a,b\n1,2\n3,4\n");
      g_autofree char *path = plug_write_file (packs[i].name, (char *) packed->data, packed->len - 2);
      g_autofree char *table = table_of ((const char *[]) { path, NULL });

      assert_contains (table, "the file ends in the middle of its");
    }
}

/* Every kind of line end and quoting, and a record that is rejected. */
#define TO_RESUME "a,b\n1,2\r\n\"3\n\r\",4\r\n\n5,6\rtoo,many,fields\n7,\"8\"\n9,0"

static const struct
{
  const char *label, *name;
  TallyPack kind;
  const char *header, *mark;
} resumed[] = {
  { "plain", "r.csv", TALLY_PACK_NONE, "true", "" },
  { "plain with a mark", "r.csv", TALLY_PACK_NONE, "true", "\xef\xbb\xbf" },
  { "without a header", "r.csv", TALLY_PACK_NONE, "false", "" },
  { "gzip", "r.csv.gz", TALLY_PACK_GZIP, "true", "" },
  { "zstd with a mark", "r.csv.zst", TALLY_PACK_ZSTD, "true", "\xef\xbb\xbf" },
};

static void
resume_step_by_step (const char *const *paths, const char *header, const char *label, const char *expected)
{
  g_autoptr (GString) rows = g_string_new (NULL);
  g_autofree char *position = NULL;

  for (guint n = 0; n < 30; n++)
    {
      g_autoptr (Plug) plug = source_of (paths);
      g_autoptr (GError) error = NULL;

      plug_set (plug, "header", header);
      plug->ctx->position = g_strdup (position);
      plug_open (plug, NULL, &error);
      g_autoptr (TallyBatch) batch = plug_read_batch (plug, 1, &error);
      assert_no_error (error);
      assert_text (plug->warnings->str, "");
      if (batch == NULL)
        break;
      plug_append_batch (batch, rows);
      if (tally_batch_position (batch) == NULL)
        break;
      g_free (position);
      position = g_strdup (tally_batch_position (batch));
    }

  g_autofree char *sorted = plug_sort_lines (rows->str), *sorted_expected = plug_sort_lines (expected);
  assert_row_text (label, sorted, sorted_expected);
}

static void
test_resumes_at_the_next_record (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (resumed); i++)
    {
      g_autofree char *data = g_strconcat (resumed[i].mark, TO_RESUME, NULL);
      g_autoptr (GByteArray) packed = resumed[i].kind != TALLY_PACK_NONE ? pack (resumed[i].kind, data) : NULL;
      g_autofree char *path = packed != NULL ? plug_write_file (resumed[i].name, (char *) packed->data, packed->len)
                                             : plug_write_file (resumed[i].name, data, -1);
      g_autoptr (Plug) whole = source_of_one (path);
      g_autoptr (GString) all = g_string_new (NULL);
      g_autoptr (GError) error = NULL;

      plug_set (whole, "header", resumed[i].header);
      plug_open (whole, NULL, &error);
      plug_read_all (whole, 100, all, &error);
      assert_no_error (error);
      resume_step_by_step ((const char *[]) { path, NULL }, resumed[i].header, resumed[i].label, all->str);
    }
}

static void
test_resumes_over_several_files (void)
{
  g_autofree char *one = plug_write_file ("s1.csv", "a,b\n1,2\n3,4\n", -1);
  g_autofree char *two = plug_write_file ("s2.csv", "b,a\n6,5\n8,7\n", -1);

  resume_step_by_step ((const char *[]) { one, two, NULL }, "true", "two files",
                       "s1.csv:2: 1|2\ns1.csv:3: 3|4\ns2.csv:2: 5|6\ns2.csv:3: 7|8\n");
}

/* In UTF-16 an offset is one in the decoded text. */
static void
test_resumes_in_another_encoding (void)
{
  gsize length;
  g_autofree char *data = g_convert ("\xef\xbb\xbf" "a,b\n1,\xe2\x82\xac\n3,4\n", -1, "UTF-16LE", "UTF-8", NULL, &length, NULL);
  g_autofree char *path = plug_write_file ("u.csv", data, length);

  resume_step_by_step ((const char *[]) { path, NULL }, "true", "UTF-16LE", "u.csv:2: 1|\xe2\x82\xac\nu.csv:3: 3|4\n");
}

/* The position behind the first record of a file with these contents. */
static char *
position_after_one (const char *path)
{
  g_autoptr (Plug) plug = source_of_one (path);
  g_autoptr (GError) error = NULL;

  plug_open (plug, NULL, &error);
  g_autoptr (TallyBatch) batch = plug_read_batch (plug, 1, &error);
  assert_no_error (error);
  return g_strdup (tally_batch_position (batch));
}

static const struct
{
  const char *label, *before, *after, *expected;
  gboolean warns;
} changes[] = {
  { "it grew", "a,b\n1,2\n3,4\n", "a,b\n1,2\n3,4\n5,6\n", "c.csv:3: 3|4\nc.csv:4: 5|6\n", FALSE },
  { "other contents", "a,b\n1,2\n3,4\n", "a,b\n9,2\n3,4\n", "c.csv:2: 9|2\nc.csv:3: 3|4\n", TRUE },
  { "shorter", "a,b\n1,2\n3,4\n", "a,b\n", "", TRUE },
};

static void
test_a_changed_file_is_read_from_the_start (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      g_autofree char *path = plug_write_file ("c.csv", changes[i].before, -1);
      g_autofree char *position = position_after_one (path);
      g_autoptr (GString) rows = g_string_new (NULL);
      g_autoptr (GError) error = NULL;

      g_free (plug_write_file ("c.csv", changes[i].after, -1));
      g_autoptr (Plug) plug = source_of_one (path);
      plug->ctx->position = g_steal_pointer (&position);
      plug_open (plug, NULL, &error);
      plug_read_all (plug, 10, rows, &error);
      assert_no_error (error);
      assert_row_text (changes[i].label, rows->str, changes[i].expected);
      assert_row_int (changes[i].label, strstr (plug->warnings->str, "changed since the last run") != NULL, changes[i].warns);
    }
}

/* Behind the first 64 KiB only the place itself can tell. */
static void
test_a_shift_far_behind_is_noticed (void)
{
  g_autoptr (GString) data = g_string_new ("a\n");

  while (data->len < 200000)
    g_string_append (data, "0123456789\n");
  g_autofree char *path = plug_write_file ("f.csv", data->str, -1);
  g_autoptr (Plug) first = source_of_one (path);
  g_autoptr (GError) error = NULL;
  plug_open (first, NULL, &error);
  g_autoptr (TallyBatch) batch = plug_read_batch (first, 15000, &error);
  assert_no_error (error);

  g_string_insert (data, 150000, "xyz");
  g_free (plug_write_file ("f.csv", data->str, -1));
  g_autoptr (Plug) second = source_of_one (path);
  second->ctx->position = g_strdup (tally_batch_position (batch));
  plug_open (second, NULL, &error);
  g_autoptr (TallyBatch) again = plug_read_batch (second, 1, &error);
  assert_no_error (error);
  assert_int (tally_batch_row_number (again, 0), 2);
  assert_contains (second->warnings->str, "changed since the last run");
}

static void
test_another_list_of_files_is_read_from_the_start (void)
{
  g_autofree char *one = plug_write_file ("l1.csv", "a\n1\n", -1);
  g_autofree char *two = plug_write_file ("l2.csv", "a\n2\n3\n", -1);
  g_autofree char *position = position_after_one (two);
  g_autoptr (Plug) plug = source_of ((const char *[]) { one, two, NULL });
  g_autoptr (GString) rows = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  plug->ctx->position = g_steal_pointer (&position);
  plug_open (plug, NULL, &error);
  plug_read_all (plug, 10, rows, &error);
  assert_no_error (error);
  assert_text (rows->str, "l1.csv:2: 1\nl2.csv:2: 2\nl2.csv:3: 3\n");
  assert_contains (plug->warnings->str, "the list of files changed");
}

/* A pipe in place of standard input. */
static int
replace_input (const char *data, int *ret_writer)
{
  int ends[2], before = dup (STDIN_FILENO);

  g_assert (pipe (ends) == 0 && dup2 (ends[0], STDIN_FILENO) >= 0);
  close (ends[0]);
  g_assert (write (ends[1], data, strlen (data)) == (gssize) strlen (data));
  if (ret_writer != NULL)
    *ret_writer = ends[1];
  else
    close (ends[1]);
  return before;
}

static void
restore_input (int before)
{
  dup2 (before, STDIN_FILENO);
  close (before);
}

static void
test_standard_input_can_be_described_before_it_is_read (void)
{
  int before = replace_input ("a,b\n1,2\n3,4\n", NULL);
  g_autoptr (GError) error = NULL;

  {
    g_autoptr (Plug) check = source_of_one ("-");

    plug_open (check, NULL, &error);
    assert_no_error (error);
  }
  g_autofree char *table = table_of ((const char *[]) { "-", NULL });
  restore_input (before);
  assert_text (table, "a|b\nstandard input:2: 1|2\nstandard input:3: 3|4\n");
}

static gpointer
open_in_thread (gpointer plug)
{
  GError *error = NULL;

  plug_open (plug, NULL, &error);
  return error;
}

static void
test_a_wait_for_input_can_be_interrupted (void)
{
  int writer, before = replace_input ("a,b\n", &writer);
  g_autoptr (Plug) plug = source_of_one ("-");
  GThread *thread = g_thread_new ("open", open_in_thread, plug);
  g_autoptr (GError) error = NULL;

  /* Whether it waits already or will do so: the interruption stays until close(). */
  while (!g_atomic_int_get (&plug->ready))
    g_thread_yield ();
  plug->plugin->interrupt (plug->self);
  error = g_thread_join (thread);
  restore_input (before);
  close (writer);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_INTERRUPTED, "interrupted while waiting for \"-\"");
}

static void
test_a_batch_of_long_records_has_few (void)
{
  g_autofree char *long_text = g_strnfill (100000, 'x');
  g_autoptr (GString) data = g_string_new ("a,b\n");
  guint n_rows = 0;

  for (guint i = 0; i < 50; i++)
    g_string_append_printf (data, "%u,\"%s\"\n", i, long_text);
  g_autofree char *path = plug_write_file ("long.csv", data->str, data->len);
  g_autoptr (Plug) plug = source_of_one (path);
  g_autoptr (GError) error = NULL;

  plug_open (plug, NULL, &error);
  for (guint i = 0; i < 50 && n_rows < 50; i++)
    {
      g_autoptr (TallyBatch) batch = plug_read_batch (plug, 1000, &error);

      assert_no_error (error);
      assert_true (tally_batch_n_rows (batch) <= 11);
      n_rows += tally_batch_n_rows (batch);
    }
  assert_int (n_rows, 50);
}

static const Promise promises[] = {
  { "reads several files by column name", test_reads_several_files_by_column_name },
  { "says which column a file lacks", test_says_which_column_a_file_lacks },
  { "says what cannot be read", test_says_what_cannot_be_read },
  { "reads packed files", test_reads_packed_files },
  { "a packed file that was cut off is an error", test_a_packed_file_that_was_cut_off_is_an_error },
  { "a batch of long records has few", test_a_batch_of_long_records_has_few },
  { "resumes at the next record", test_resumes_at_the_next_record },
  { "resumes over several files", test_resumes_over_several_files },
  { "resumes in another encoding", test_resumes_in_another_encoding },
  { "a changed file is read from the start", test_a_changed_file_is_read_from_the_start },
  { "a shift far behind is noticed", test_a_shift_far_behind_is_noticed },
  { "another list of files is read from the start", test_another_list_of_files_is_read_from_the_start },
  { "standard input can be described before it is read", test_standard_input_can_be_described_before_it_is_read },
  { "a wait for input can be interrupted", test_a_wait_for_input_can_be_interrupted },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("csv files", promises, argc, argv);
}
