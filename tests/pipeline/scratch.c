/* scratch.c: a folder that a test fills with files */
#include "scratch.h"
#include "promise.h"
#include <glib/gstdio.h>
#include <sys/wait.h>

void
scratch_init (Scratch *scratch)
{
  scratch->folder = g_dir_make_tmp ("pipeline-XXXXXX", NULL);
  scratch->registry = tally_registry_new ();
  scratch_write (scratch, "lines.txt", "one\ntwo\nthree\n");
}

void
scratch_clear (Scratch *scratch)
{
  g_autoptr (GDir) folder = g_dir_open (scratch->folder, 0, NULL);
  const char *name;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *path = g_build_filename (scratch->folder, name, NULL);

      g_unlink (path);
    }
  g_rmdir (scratch->folder);
  g_free (scratch->folder);
  tally_registry_free (scratch->registry);
}

void
scratch_write (const Scratch *scratch, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (scratch->folder, name, NULL);

  g_file_set_contents (path, text, -1, NULL);
}

TallyPipeline *
scratch_load (const Scratch *scratch, const char *text)
{
  g_autofree char *path = g_build_filename (scratch->folder, "p.yaml", NULL);

  scratch_write (scratch, "p.yaml", text);
  return tally_pipeline_load (path, scratch->registry);
}

int
scratch_tallyman (const Scratch *scratch, const char *const *arguments, char **ret_output, char **ret_complaints)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  gint status = -1;

  g_ptr_array_add (argv, (gpointer) g_getenv ("TALLYMAN"));
  for (; *arguments != NULL; arguments++)
    g_ptr_array_add (argv, (gpointer) *arguments);
  g_ptr_array_add (argv, NULL);
  g_spawn_sync (scratch->folder, (char **) argv->pdata, NULL, 0, NULL, NULL, ret_output, ret_complaints, &status,
                &error);
  assert_no_error (error);
  return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

char *
scratch_check (const Scratch *scratch, const char *text)
{
  g_autoptr (TallyPipeline) pipeline = scratch_load (scratch, text);
  g_autoptr (GPtrArray) diagnostics = tally_pipeline_sorted_diagnostics (pipeline);
  g_autoptr (GString) found = g_string_new (NULL);

  for (guint i = 0; i < diagnostics->len; i++)
    {
      const TallyDiagnostic *diagnostic = diagnostics->pdata[i];

      g_string_append_printf (found, "%s%u:%u-%u %s: %s", i > 0 ? "\n" : "", diagnostic->line,
                              diagnostic->column, diagnostic->length,
                              diagnostic->severity == TALLY_SEVERITY_ERROR ? "error" : "warning",
                              diagnostic->message);
      if (diagnostic->hint != NULL)
        g_string_append_printf (found, " | %s", diagnostic->hint);
    }
  return g_string_free (g_steal_pointer (&found), FALSE);
}
