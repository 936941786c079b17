/* plug.c: what the engine does for a plugin, in small */
#include "plug.h"
#include "record/batch-private.h"
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

static void
remember_warning (const char *message, gpointer data)
{
  g_string_append_printf (data, "%s\n", message);
}

Plug *
plug_new (const char *module_name, TallyKind kind, const char *name)
{
  g_autofree char *file = g_strconcat (module_name, ".so", NULL);
  g_autofree char *path = g_build_filename (g_getenv ("TALLYMAN_PLUGIN_PATH"), file, NULL);
  GModule *module = g_module_open (path, G_MODULE_BIND_LOCAL);
  const TallyPlugin *const *(*list) (void);
  Plug *plug = g_new0 (Plug, 1);

  if (module == NULL || !g_module_symbol (module, "tallyman_plugins", (gpointer *) &list))
    g_error ("%s", g_module_error ());
  for (const TallyPlugin *const *plugin = list (); *plugin != NULL; plugin++)
    if ((*plugin)->kind == kind && g_str_equal ((*plugin)->name, name))
      plug->plugin = *plugin;
  g_assert (plug->plugin != NULL);
  plug->instance = tally_instance_new (plug->plugin);
  plug->self = plug->instance->self;
  plug->ctx = tally_context_new (g_get_tmp_dir ());
  plug->warnings = g_string_new (NULL);
  plug->positions = g_ptr_array_new_with_free_func (g_free);
  plug->ctx->warn = remember_warning;
  plug->ctx->warn_data = plug->warnings;
  return plug;
}

void
plug_set (Plug *plug, const char *name, const char *value)
{
  g_autoptr (GError) error = NULL;

  if (!tally_instance_set (plug->instance, name, value, plug->ctx->directory, &error))
    g_error ("%s", error->message);
}

gboolean
plug_open (Plug *plug, TallySchema *schema, GError **error)
{
  const TallyPlugin *plugin = plug->plugin;

  if (!tally_instance_finish (plug->instance, NULL, error)
      || (plugin->accept != NULL && !plugin->accept (plug->self, schema, error))
      || !tally_instance_open (plug->instance, plug->ctx, error))
    return FALSE;

  g_atomic_int_set (&plug->ready, TRUE);
  if (plugin->describe == NULL)
    return TRUE;

  plug->schema = plugin->describe (plug->self, plug->ctx, error);
  return plug->schema != NULL;
}

void
plug_free (Plug *plug)
{
  if (plug == NULL)
    return;

  tally_instance_free (plug->instance);
  tally_context_free (plug->ctx);
  tally_schema_unref (plug->schema);
  g_string_free (plug->warnings, TRUE);
  g_ptr_array_unref (plug->positions);
  g_free (plug);
}

/* C escapes, but UTF-8 as it is. */
static void
append_escaped (const char *data, gsize length, GString *out)
{
  for (gsize i = 0; i < length; i++)
    switch (data[i])
      {
      case '\n':
        g_string_append (out, "\\n");
        break;
      case '\r':
        g_string_append (out, "\\r");
        break;
      case '\\':
        g_string_append (out, "\\\\");
        break;
      case '|':
        g_string_append (out, "\\|");
        break;
      case '~':
        g_string_append (out, "\\~");
        break;
      default:
        g_string_append_c (out, data[i]);
      }
}

void
plug_append_batch (TallyBatch *batch, GString *out)
{
  g_autoptr (GString) value = g_string_new (NULL);
  guint n_columns = tally_schema_n_columns (tally_batch_schema (batch)), n_rejects;
  const TallyReject *rejects = tally_batch_rejects (batch, &n_rejects);

  for (guint row = 0; row < tally_batch_n_rows (batch); row++)
    {
      g_autofree char *origin = tally_batch_dup_origin (batch, row);
      g_autofree char *name = g_path_get_basename (origin);

      g_string_append_printf (out, "%s: ", name);
      for (guint i = 0; i < n_columns; i++)
        {
          g_string_truncate (value, 0);
          if (i > 0)
            g_string_append_c (out, '|');
          if (tally_batch_is_null (batch, row, i))
            g_string_append_c (out, '~');
          else
            {
              tally_batch_append_value (batch, row, i, value);
              append_escaped (value->str, value->len, out);
            }
        }
      g_string_append_c (out, '\n');
    }
  for (guint i = 0; i < n_rejects; i++)
    {
      g_autofree char *name = g_path_get_basename (rejects[i].origin);

      g_string_append_printf (out, "%s! %s\n", name, rejects[i].reason);
    }
}

gboolean
plug_read_all (Plug *plug, guint capacity, GString *out, GError **error)
{
  g_autoptr (TallyBatch) batch = tally_batch_new (plug->schema, capacity);
  TallyFlow flow;

  do
    {
      tally_batch_clear (batch);
      flow = plug->plugin->read (plug->self, plug->ctx, batch, error);
      plug_append_batch (batch, out);
      if (tally_batch_position (batch) != NULL)
        g_ptr_array_add (plug->positions, g_strdup (tally_batch_position (batch)));
    }
  while (flow == TALLY_FLOW_OK);

  return flow == TALLY_FLOW_END;
}

TallyBatch *
plug_read_batch (Plug *plug, guint capacity, GError **error)
{
  TallyBatch *batch = tally_batch_new (plug->schema, capacity);

  if (plug->plugin->read (plug->self, plug->ctx, batch, error) == TALLY_FLOW_FATAL)
    g_clear_pointer (&batch, tally_batch_free);
  return batch;
}

/* Paths of this run do not belong into what is expected. */
static char *
without_folder (const char *text)
{
  g_autofree char *inside = plug_path ("/");
  g_auto (GStrv) parts = g_strsplit (text, inside, -1);

  return g_strjoinv ("", parts);
}

static char *
table (Plug *plug, guint capacity, gboolean typed)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  if (plug_open (plug, NULL, &error))
    {
      for (guint i = 0; i < tally_schema_n_columns (plug->schema); i++)
        {
          const TallyColumn *column = tally_schema_column (plug->schema, i);

          g_string_append_printf (out, "%s%s%s%s", i > 0 ? "|" : "", column->name, typed ? " " : "",
                                  typed ? tally_type_name (column->type) : "");
        }
      g_string_append_c (out, '\n');
      plug_read_all (plug, capacity, out, &error);
    }
  if (error != NULL)
    g_string_append_printf (out, "error: %s\n", error->message);
  return without_folder (out->str);
}

char *
plug_table (Plug *plug, guint capacity)
{
  return table (plug, capacity, FALSE);
}

char *
plug_typed_table (Plug *plug, guint capacity)
{
  return table (plug, capacity, TRUE);
}

static int
compare_lines (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

char *
plug_sort_lines (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  qsort (lines, g_strv_length (lines), sizeof (char *), compare_lines);
  return g_strjoinv ("\n", lines);
}

static char *folder;

static void
remove_folder (void)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      g_remove (path);
    }
  g_rmdir (folder);
}

char *
plug_path (const char *name)
{
  if (folder == NULL)
    {
      folder = g_dir_make_tmp ("tallyman-XXXXXX", NULL);
      atexit (remove_folder);
    }
  return g_build_filename (folder, name, NULL);
}

char *
plug_write_file (const char *name, const char *data, gssize length)
{
  char *path = plug_path (name);

  g_assert (g_file_set_contents (path, data, length, NULL));
  return path;
}
