/* runs.c: see runs.h */
#include "runs.h"
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>

static char *folder;

const char *
runs_folder (void)
{
  return folder;
}

char *
runs_path (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

void
runs_write (const char *name, const char *text)
{
  g_autofree char *path = runs_path (name);

  g_file_set_contents (path, text, -1, NULL);
}

char *
runs_read (const char *name)
{
  g_autofree char *path = runs_path (name);
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  return text != NULL ? text : g_strdup ("");
}

void
runs_remove (const char *name)
{
  g_autofree char *path = runs_path (name);

  g_unlink (path);
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

char *
runs_list (void)
{
  g_autoptr (GDir) listing = g_dir_open (folder, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  while ((name = g_dir_read_name (listing)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return g_strjoinv (" ", (char **)names->pdata);
}

int
runs_command (const char *const *arguments, char **ret_output, char **ret_complaints)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  gint status = -1;

  g_ptr_array_add (argv, (gpointer)g_getenv ("TALLYMAN"));
  for (; *arguments != NULL; arguments++)
    g_ptr_array_add (argv, (gpointer)*arguments);
  g_ptr_array_add (argv, NULL);
  g_spawn_sync (folder, (char **)argv->pdata, NULL, 0, NULL, NULL, ret_output, ret_complaints, &status, &error);
  assert_no_error (error);
  return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

char *
runs_run (const char *source, const char *steps, const char *sink, char **ret_complaints)
{
  const char *const arguments[] = { "run", "--json", "--batch-rows", "2", "p.yaml", NULL };
  g_autofree char *text = g_strdup_printf ("pipeline: p\nsource: %s\ntransform:\n%ssink: %s\nledger: sqlite:ledger.db\n",
                                           source, steps, sink);
  g_autofree char *output = NULL;
  int code;

  runs_write ("p.yaml", text);
  code = runs_command (arguments, &output, ret_complaints);
  return g_strdup_printf ("%d:%s", code, output);
}

static gboolean
remove_folder (void)
{
  const char *argv[] = { "rm", "-rf", folder, NULL };
  gint status = -1;

  return g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL) && status == 0;
}

int
runs_main (const char *suite, const Promise *promises, int argc, char **argv)
{
  int result;

  folder = g_dir_make_tmp ("runs-XXXXXX", NULL);
  g_setenv ("XDG_STATE_HOME", folder, TRUE);
  runs_write ("lines.txt", "one\ntwo\nthree\n");
  result = keep_promises (suite, promises, argc, argv);
  if (!remove_folder ())
    result = 1;
  g_free (folder);
  return result;
}
