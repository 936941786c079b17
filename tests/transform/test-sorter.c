/* test-sorter.c: rows in order, in less memory than they need */
#include "promise.h"
#include "transform/sorter.h"
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <tallyman/error.h>
#include <unistd.h>

static char *folder; /* SQLite's, for temporary files: it looks for one only once */

#define TINY 65536

/* Keys that share their first bytes, of different lengths, and many of them equal. */
static void
make_key (guint i, GByteArray *key)
{
  guint number = (i * 7919) % 1000;

  g_byte_array_set_size (key, 0);
  g_byte_array_append (key, (const guint8 *)"the same", number % 3 == 0 ? 4 : 8);
  g_byte_array_append (key, (const guint8 *)&(guint8){ (guint8)(number / 8) }, 1);
}

static gboolean
add_rows (TallySorter *sorter, guint n, guint row_size, GError **error)
{
  g_autoptr (GByteArray) key = g_byte_array_new (), row = g_byte_array_new ();

  g_byte_array_set_size (row, sizeof (guint) + row_size);
  memset (row->data, 'x', row->len);
  for (guint i = 0; i < n; i++)
    {
      make_key (i, key);
      memcpy (row->data, &i, sizeof i);
      if (!tally_sorter_add (sorter, key, row, error))
        return FALSE;
    }
  return TRUE;
}

typedef struct
{
  char *key;
  guint number;
} Row;

static gint
compare_rows (gconstpointer a, gconstpointer b)
{
  const Row *x = a, *y = b;
  gint order = strcmp (x->key, y->key);

  return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

static void
row_clear (gpointer row)
{
  g_free (((Row *)row)->key);
}

static char *
hex (const GByteArray *key)
{
  GString *digits = g_string_new (NULL);

  for (guint i = 0; i < key->len; i++)
    g_string_append_printf (digits, "%02x", key->data[i]);
  return g_string_free (digits, FALSE);
}

/* What a plain sort of everything gives. */
static GArray *
expected_rows (guint n)
{
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (Row));
  g_autoptr (GByteArray) key = g_byte_array_new ();

  g_array_set_clear_func (rows, row_clear);
  for (guint i = 0; i < n; i++)
    {
      Row row = { .number = i };

      make_key (i, key);
      row.key = hex (key);
      g_array_append_val (rows, row);
    }
  g_array_sort (rows, compare_rows);
  return rows;
}

/* Returns the number of rows that came before one that was not the right one. */
static guint
read_rows (TallySorter *sorter, const GArray *expected)
{
  g_autoptr (GError) error = NULL;
  TallyText key, row = { NULL, 0 };
  guint n = 0, number;

  while (tally_sorter_next (sorter, &key, &row, &error) && row.data != NULL)
    {
      memcpy (&number, row.data, sizeof number);
      if (n >= expected->len || number != g_array_index (expected, Row, n).number)
        break;
      n++;
    }
  assert_no_error (error);
  assert_true (row.data == NULL);
  return n;
}

static void
test_rows_come_in_order (void)
{
  static const struct
  {
    const char *label;
    gsize memory;
    guint n_rows, row_size;
    gboolean spills;
  } rows[] = {
    { "none", TINY, 0, 0, FALSE },
    { "one", TINY, 1, 0, FALSE },
    { "in memory", 1024 * 1024, 5000, 20, FALSE },
    { "two runs", TINY, 1000, 20, TRUE },
    { "many runs", TINY, 5000, 20, TRUE },
    { "each larger than the memory", TINY, 20, 100000, TRUE },
    { "with next to no memory", 0, 300, 20, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (TallySorter) sorter = tally_sorter_new (rows[i].memory);
      g_autoptr (GArray) expected = expected_rows (rows[i].n_rows);
      g_autoptr (GError) error = NULL;

      add_rows (sorter, rows[i].n_rows, rows[i].row_size, &error);
      assert_no_error (error);
      assert_row_int (rows[i].label, read_rows (sorter, expected), rows[i].n_rows);
      assert_row_int (rows[i].label, tally_sorter_n_spilled (sorter),
                      rows[i].spills ? rows[i].n_rows : 0);
      /* And the end stays the end. */
      assert_row_int (rows[i].label, read_rows (sorter, expected), 0);
    }
}

/* Files of the folder that this process has open although they have no name any more. */
static guint
count_nameless (void)
{
  g_autoptr (GDir) open_files = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;
  guint n = 0;

  while ((name = g_dir_read_name (open_files)) != NULL)
    {
      g_autofree char *link = g_build_filename ("/proc/self/fd", name, NULL);
      g_autofree char *file = g_file_read_link (link, NULL);

      n += file != NULL && g_str_has_prefix (file, folder) && g_str_has_suffix (file, " (deleted)");
    }
  return n;
}

static void
test_nobody_finds_what_is_on_disk (void)
{
  TallySorter *sorter = tally_sorter_new (TINY);
  g_autoptr (GDir) listing = NULL;

  add_rows (sorter, 5000, 100, NULL);
  listing = g_dir_open (folder, 0, NULL);
  assert_text (g_dir_read_name (listing), NULL);
  assert_int (count_nameless (), 1);
  tally_sorter_free (sorter);
  assert_int (count_nameless (), 0);
}

static void
test_a_full_disk_is_an_error (void)
{
  g_autoptr (TallySorter) sorter = tally_sorter_new (TINY);
  g_autoptr (GError) error = NULL;
  struct rlimit before, small;
  gboolean added;

  getrlimit (RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 16 * 1024;
  signal (SIGXFSZ, SIG_IGN);
  setrlimit (RLIMIT_FSIZE, &small);
  added = add_rows (sorter, 20000, 100, &error);
  setrlimit (RLIMIT_FSIZE, &before);
  assert_true (!added);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_IO, "could not keep rows on disk to sort them: ");
}

static const Promise promises[] = {
  { "rows come in order", test_rows_come_in_order },
  { "nobody finds what is on disk", test_nobody_finds_what_is_on_disk },
  { "a full disk is an error", test_a_full_disk_is_an_error },
  { NULL },
};

int
main (int argc, char **argv)
{
  int result;

  folder = g_dir_make_tmp ("sorter-XXXXXX", NULL);
  g_setenv ("SQLITE_TMPDIR", folder, TRUE);
  result = keep_promises ("sorter", promises, argc, argv);
  g_rmdir (folder);
  g_free (folder);
  return result;
}
