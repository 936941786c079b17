/* maildir.c: the messages of one folder that is a Maildir
 *
 * A message keeps its name up to the colon for ever; behind it stand its flags, which change, and it moves from new to cur.
 */
#include "maildir.h"
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <tallyman/error.h>

static const char *const places[] = { "new", "cur" };

typedef struct
{
  char *file;    /* (owned) from the folder on: cur/1.a:2,S */
  char *lasting; /* (owned) 1.a */
} Entry;

struct _Maildir
{
  char *path;     /* (owned) */
  char *folder;   /* (owned) */
  GArray *entries; /* (owned) (element-type Entry) by their lasting names */
  guint next;
};

static void
entry_clear (gpointer data)
{
  Entry *entry = data;

  g_free (entry->file);
  g_free (entry->lasting);
}

static int
entry_compare (gconstpointer a, gconstpointer b)
{
  return strcmp (((const Entry *)a)->lasting, ((const Entry *)b)->lasting);
}

gboolean
maildir_is (const char *path)
{
  g_autofree char *new = g_build_filename (path, "new", NULL), *cur = g_build_filename (path, "cur", NULL);

  return g_file_test (new, G_FILE_TEST_IS_DIR) && g_file_test (cur, G_FILE_TEST_IS_DIR);
}

static gboolean
list (Maildir *maildir, const char *place, GError **error)
{
  g_autofree char *path = g_build_filename (maildir->path, place, NULL);
  DIR *dir = opendir (path);

  if (dir == NULL)
    return tally_throw_errno (error, errno, "could not read the folder \"%s\"", path);
  for (const struct dirent *found; (found = readdir (dir)) != NULL;)
    if (found->d_name[0] != '.')
      {
        Entry entry = { g_build_filename (place, found->d_name, NULL), g_strndup (found->d_name, strcspn (found->d_name, ":")) };

        g_array_append_val (maildir->entries, entry);
      }
  closedir (dir);
  return TRUE;
}

static char *
folder_of (const char *path)
{
  g_autofree char *name = g_path_get_basename (path);

  return g_strdup (name[0] == '.' && name[1] != '\0' ? name + 1 : "INBOX");
}

Maildir *
maildir_open (const char *path, GError **error)
{
  g_autoptr (Maildir) maildir = g_new0 (Maildir, 1);

  maildir->path = g_strdup (path);
  maildir->folder = folder_of (path);
  maildir->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  g_array_set_clear_func (maildir->entries, entry_clear);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    if (!list (maildir, places[i], error))
      return NULL;

  g_array_sort (maildir->entries, entry_compare);
  return g_steal_pointer (&maildir);
}

void
maildir_free (Maildir *maildir)
{
  if (maildir == NULL)
    return;

  g_free (maildir->path);
  g_free (maildir->folder);
  g_array_unref (maildir->entries);
  g_free (maildir);
}

static const Entry *
entry_at (const Maildir *maildir, guint i)
{
  return &g_array_index (maildir->entries, Entry, i);
}

guint
maildir_count (Maildir *maildir)
{
  return maildir->entries->len;
}

void
maildir_skip (Maildir *maildir, const char *lasting)
{
  while (maildir->next < maildir->entries->len && strcmp (entry_at (maildir, maildir->next)->lasting, lasting) <= 0)
    maildir->next++;
}

/* The file of an entry, wherever it is by now; NULL if it is gone. */
static char *
find_file (Maildir *maildir, const Entry *entry)
{
  g_autofree char *path = g_build_filename (maildir->path, entry->file, NULL);
  g_autoptr (Maildir) now = NULL;

  if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return g_steal_pointer (&path);
  if (g_file_test (path, G_FILE_TEST_EXISTS) || (now = maildir_open (maildir->path, NULL)) == NULL)
    return NULL;
  for (guint i = 0; i < now->entries->len; i++)
    if (g_str_equal (entry_at (now, i)->lasting, entry->lasting))
      return g_build_filename (maildir->path, entry_at (now, i)->file, NULL);
  return NULL;
}

char *
maildir_next (Maildir *maildir)
{
  char *file = NULL;

  while (file == NULL && maildir->next < maildir->entries->len)
    {
      const Entry *entry = entry_at (maildir, maildir->next++);

      /* Between new and cur it may have been seen in both. */
      if (maildir->next < 2 || !g_str_equal (entry_at (maildir, maildir->next - 2)->lasting, entry->lasting))
        file = find_file (maildir, entry);
    }
  return file;
}

const char *
maildir_lasting (Maildir *maildir)
{
  return maildir->next > 0 ? entry_at (maildir, maildir->next - 1)->lasting : "";
}

const char *
maildir_folder (Maildir *maildir)
{
  return maildir->folder;
}
