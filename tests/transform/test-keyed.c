/* test-keyed.c: rows by key: what comes out does not depend on where they are kept */
#include "promise.h"
#include "transform/keyed.h"
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <tallyman/error.h>

#define AMPLE (64 * 1024 * 1024)
#define TINY 4096 /* bytes: a few dozen rows in memory */

static void
digest_of (guint64 number, guint8 *ret_digest)
{
  TallyDigester digester;

  tally_digester_init (&digester);
  tally_digester_begin (&digester);
  tally_digester_add_number (&digester, number);
  tally_digester_end (&digester, ret_digest);
  tally_digester_clear (&digester);
}

static gboolean
add (TallyKeyed *keyed, guint64 key, const char *place, TallyText row, GError **error)
{
  guint8 digest[TALLY_DIGEST_SIZE];
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  digest_of (key, digest);
  if (place != NULL)
    g_byte_array_append (bytes, (const guint8 *)place, strlen (place) + 1);
  return tally_keyed_add (keyed, digest, place != NULL ? bytes : NULL, row, error);
}

static void
add_text (TallyKeyed *keyed, guint64 key, const char *place, const char *row)
{
  g_autoptr (GError) error = NULL;

  assert_true (add (keyed, key, place, (TallyText){ row, strlen (row) }, &error));
  assert_no_error (error);
}

static gboolean
append_row (TallyText row, gpointer data)
{
  g_string_append_printf (data, "%.*s;", (int)row.length, row.data);
  return TRUE;
}

static gboolean
append_first (TallyText row, gpointer data)
{
  append_row (row, data);
  return FALSE;
}

static char *
find (TallyKeyed *keyed, guint64 key, TallyKeyedTake take)
{
  guint8 digest[TALLY_DIGEST_SIZE];
  GString *found = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  digest_of (key, digest);
  assert_true (tally_keyed_find (keyed, digest, take, found, &error));
  assert_no_error (error);
  return g_string_free (found, FALSE);
}

/* 3000 rows: every third has one of a hundred keys, the others have keys of their own. */
static TallyKeyed *
fill (gsize memory)
{
  TallyKeyed *keyed = tally_keyed_new (memory, NULL);

  for (guint i = 0; i < 3000; i++)
    {
      g_autofree char *row = g_strdup_printf ("row %u", i);

      add_text (keyed, i % 3 == 0 ? i % 100 : 1000 + i, NULL, row);
    }
  assert_true (tally_keyed_finish (keyed, NULL));
  return keyed;
}

static void
test_memory_and_disk_give_the_same (void)
{
  g_autoptr (TallyKeyed) small = fill (TINY), large = fill (AMPLE);
  g_autofree char *several = find (small, 0, append_row);
  guint n_found = 0;

  assert_int (tally_keyed_n_spilled (large), 0);
  assert_int (tally_keyed_n_spilled (small), 3000);
  for (guint key = 0; key < 4100; key++)
    {
      g_autofree char *on_disk = find (small, key, append_row), *in_memory = find (large, key, append_row);

      assert_text (on_disk, in_memory);
      n_found += *in_memory != '\0';
    }
  assert_int (n_found, 2100);
  assert_text (several, "row 0;row 300;row 600;row 900;row 1200;row 1500;row 1800;row 2100;row 2400;row 2700;");
}

static void
test_rows_of_a_key_are_in_order (void)
{
  static const gsize memories[] = { AMPLE, TINY };

  for (guint i = 0; i < G_N_ELEMENTS (memories); i++)
    {
      g_autoptr (TallyKeyed) keyed = tally_keyed_new (memories[i], NULL);
      g_autofree char *placed = NULL, *unplaced = NULL, *first = NULL, *none = NULL;

      add_text (keyed, 1, "b", "3");
      add_text (keyed, 2, NULL, "x");
      add_text (keyed, 1, "a", "1");
      add_text (keyed, 1, "b", "4");
      for (guint filler = 0; filler < 500; filler++)
        add_text (keyed, 100 + filler, NULL, "filler");
      add_text (keyed, 2, NULL, "y");
      add_text (keyed, 1, "a", "2");
      assert_true (tally_keyed_finish (keyed, NULL));
      placed = find (keyed, 1, append_row);
      unplaced = find (keyed, 2, append_row);
      first = find (keyed, 1, append_first);
      none = find (keyed, 3, append_row);
      assert_text (placed, "1;2;3;4;");
      assert_text (unplaced, "x;y;");
      assert_text (first, "1;");
      assert_text (none, "");
      /* A look that ended early leaves nothing behind. */
      g_free (g_steal_pointer (&first));
      first = find (keyed, 1, append_first);
      assert_text (first, "1;");
    }
}

static gboolean
take_whole (TallyText row, gpointer data)
{
  g_byte_array_append (data, (const guint8 *)row.data, row.length);
  return TRUE;
}

static void
test_a_row_is_any_bytes (void)
{
  static const gsize memories[] = { AMPLE, TINY };
  g_autofree char *large = g_malloc (3 * TINY);

  for (guint i = 0; i < 3 * TINY; i++)
    large[i] = (char)(i % 251);
  for (guint i = 0; i < G_N_ELEMENTS (memories); i++)
    {
      g_autoptr (TallyKeyed) keyed = tally_keyed_new (memories[i], NULL);
      g_autoptr (GByteArray) found = g_byte_array_new ();
      guint8 digest[TALLY_DIGEST_SIZE];

      assert_true (add (keyed, 1, NULL, (TallyText){ large, 3 * TINY }, NULL));
      assert_true (add (keyed, 1, NULL, (TallyText){ "", 0 }, NULL));
      assert_true (add (keyed, 1, NULL, (TallyText){ "a\0b", 3 }, NULL));
      assert_true (tally_keyed_finish (keyed, NULL));
      digest_of (1, digest);
      assert_true (tally_keyed_find (keyed, digest, take_whole, found, NULL));
      assert_int (found->len, 3 * TINY + 3);
      assert_true (memcmp (found->data, large, 3 * TINY) == 0);
      assert_true (memcmp (found->data + 3 * TINY, "a\0b", 3) == 0);
    }
}

/* Adds rows until that fails. */
static void
add_until_it_fails (TallyKeyed *keyed, GError **error)
{
  for (guint i = 0; i < 20000; i++)
    if (!add (keyed, i, NULL, (TallyText){ "some row", 8 }, error))
      return;
}

static void
test_a_full_disk_is_an_error (void)
{
  g_autoptr (TallyKeyed) keyed = tally_keyed_new (TINY, NULL);
  g_autoptr (GError) error = NULL;
  struct rlimit before, small;

  getrlimit (RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 16 * 1024;
  signal (SIGXFSZ, SIG_IGN);
  setrlimit (RLIMIT_FSIZE, &small);
  add_until_it_fails (keyed, &error);
  setrlimit (RLIMIT_FSIZE, &before);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_IO, "could not keep rows in a temporary file: ");
}

static void
test_an_interruption_ends_the_way_to_disk (void)
{
  static const gint interrupted = TRUE;
  g_autoptr (TallyContext) ctx = tally_context_new ("/");
  g_autoptr (TallyKeyed) keyed = tally_keyed_new (TINY, ctx);
  g_autoptr (GError) error = NULL;

  ctx->interrupted = &interrupted;
  add_until_it_fails (keyed, &error);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_INTERRUPTED, "interrupted while rows went to disk");
  assert_int (tally_keyed_n_spilled (keyed), 0);
}

static const Promise promises[] = {
  { "memory and disk give the same", test_memory_and_disk_give_the_same },
  { "rows of a key are in order", test_rows_of_a_key_are_in_order },
  { "a row is any bytes", test_a_row_is_any_bytes },
  { "a full disk is an error", test_a_full_disk_is_an_error },
  { "an interruption ends the way to disk", test_an_interruption_ends_the_way_to_disk },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("rows by key", promises, argc, argv);
}
