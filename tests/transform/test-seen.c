/* test-seen.c: a set of digests in less memory than they need */
#include "promise.h"
#include "transform/seen.h"
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <tallyman/error.h>
#include <unistd.h>

static char *folder; /* SQLite's, for temporary files: it looks for one only once */

#define TINY 4096 /* a table of 128, of which three quarters are filled */

static void
digest_of (guint64 number, guint8 ret_digest[TALLY_DIGEST_SIZE])
{
  TallyDigester digester;

  tally_digester_init (&digester);
  tally_digester_begin (&digester);
  tally_digester_add_number (&digester, number);
  tally_digester_end (&digester, ret_digest);
  tally_digester_clear (&digester);
}

/* How many of the numbers from first to before end are new; they are added. */
static guint
add_numbers (TallySeen *seen, guint first, guint end)
{
  g_autoptr (GError) error = NULL;
  guint n = 0;

  for (guint i = first; i < end; i++)
    {
      guint8 digest[TALLY_DIGEST_SIZE];
      gboolean is_new = FALSE;

      digest_of (i, digest);
      if (!tally_seen_add (seen, digest, &is_new, &error))
        break;
      n += is_new;
    }
  assert_no_error (error);
  return n;
}

static void
test_each_is_new_once (void)
{
  static const struct
  {
    const char *label;
    gsize memory;
    guint64 least_spilled, most_spilled;
  } rows[] = {
    { "in memory", 1024 * 1024, 0, 0 },
    { "on disk", TINY, 4800, 5000 },
    { "with next to no memory", 0, 4980, 5000 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (TallySeen) seen = tally_seen_new (rows[i].memory);

      assert_row_int (rows[i].label, add_numbers (seen, 0, 2500), 2500);
      assert_row_int (rows[i].label, add_numbers (seen, 0, 5000), 2500);
      assert_row_int (rows[i].label, add_numbers (seen, 0, 5000), 0);
      assert_row_int (rows[i].label,
                      tally_seen_n_spilled (seen) >= rows[i].least_spilled
                          && tally_seen_n_spilled (seen) <= rows[i].most_spilled,
                      TRUE);
    }
}

static void
test_a_digest_of_zeros_is_one_like_any (void)
{
  const guint8 zeros[TALLY_DIGEST_SIZE] = { 0 };
  g_autoptr (TallySeen) seen = tally_seen_new (TINY);
  gboolean is_new = FALSE;

  assert_true (tally_seen_add (seen, zeros, &is_new, NULL) && is_new);
  assert_true (tally_seen_add (seen, zeros, &is_new, NULL) && !is_new);
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
  TallySeen *seen = tally_seen_new (TINY);
  g_autoptr (GDir) listing = NULL;

  add_numbers (seen, 0, 5000);
  listing = g_dir_open (folder, 0, NULL);
  assert_text (g_dir_read_name (listing), NULL);
  assert_int (count_nameless (), 1);
  tally_seen_free (seen);
  assert_int (count_nameless (), 0);
}

static void
test_a_full_disk_is_an_error (void)
{
  g_autoptr (TallySeen) seen = tally_seen_new (TINY);
  g_autoptr (GError) error = NULL;
  struct rlimit before, small;
  gboolean added = TRUE, is_new;

  getrlimit (RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 16 * 1024;
  signal (SIGXFSZ, SIG_IGN);
  setrlimit (RLIMIT_FSIZE, &small);
  for (guint i = 0; i < 20000 && added; i++)
    {
      guint8 digest[TALLY_DIGEST_SIZE];

      digest_of (i, digest);
      added = tally_seen_add (seen, digest, &is_new, &error);
    }
  setrlimit (RLIMIT_FSIZE, &before);
  assert_true (!added);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_IO, "could not keep rows in a temporary file: ");
}

static const Promise promises[] = {
  { "each is new once", test_each_is_new_once },
  { "a digest of zeros is one like any", test_a_digest_of_zeros_is_one_like_any },
  { "nobody finds what is on disk", test_nobody_finds_what_is_on_disk },
  { "a full disk is an error", test_a_full_disk_is_an_error },
  { NULL },
};

int
main (int argc, char **argv)
{
  int result;

  folder = g_dir_make_tmp ("seen-XXXXXX", NULL);
  g_setenv ("SQLITE_TMPDIR", folder, TRUE);
  result = keep_promises ("rows seen", promises, argc, argv);
  g_rmdir (folder);
  g_free (folder);
  return result;
}
