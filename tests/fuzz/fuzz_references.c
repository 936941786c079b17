/* fuzz_references.c: any bytes as a file of references
 *
 * What can be read is written and read once more: no row and no id is lost or changed on the way.
 */
#include "pipeline/reference-file.h"
#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static TallyRegistry *registry; /* (owned) for all inputs */
static char *written;           /* (owned) a file's name */

static void
clean_up (void)
{
  g_autofree char *folder = g_path_get_dirname (written);

  g_unlink (written);
  g_rmdir (folder);
}

static void
prepare (void)
{
  g_autofree char *folder = g_dir_make_tmp ("fuzz-references-XXXXXX", NULL);

  registry = tally_registry_new ();
  written = g_build_filename (folder, "people.csv", NULL);
  atexit (clean_up);
}

static void
count (TallyReferenceFile *file, guint64 *ret_rows, guint64 *ret_open)
{
  g_autoptr (GError) error = NULL;

  if (!tally_reference_file_count (file, ret_rows, ret_open, &error))
    g_error ("%s", error->message);
}

static void
write_and_read (TallyReferenceFile *file)
{
  g_autoptr (TallyReferenceFile) again = NULL;
  g_autoptr (GError) error = NULL;
  guint64 rows, open, rows_again, open_again, rows_merged;

  if (!tally_reference_file_write (file, written, registry, &error)
      || (again = tally_reference_file_read (written, registry, &error)) == NULL)
    g_error ("%s", error->message);
  count (file, &rows, &open);
  count (again, &rows_again, &open_again);
  g_assert (rows == rows_again && open == open_again);
  if (!tally_reference_file_merge (again, file, NULL, &error))
    g_error ("%s", error->message);
  count (again, &rows_merged, &open_again);
  g_assert (rows_merged == rows && open_again == open);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *name = NULL;
  g_autoptr (TallyReferenceFile) file = NULL;
  g_autoptr (GError) error = NULL;
  int fd;

  if (registry == NULL)
    prepare ();
  fd = memfd_create ("references", MFD_CLOEXEC);
  if (write (fd, data, size) != (gssize)size)
    g_error ("no memory for the file");
  name = g_strdup_printf ("/proc/self/fd/%d", fd);
  file = tally_reference_file_read (name, registry, &error);
  g_assert ((file != NULL) == (error == NULL));
  g_assert (error == NULL || g_utf8_validate (error->message, -1, NULL));
  if (file != NULL)
    write_and_read (file);
  close (fd);
  return 0;
}
