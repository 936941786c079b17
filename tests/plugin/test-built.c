/* test-built.c: what every plugin that we build must be; called with the name of a shared object */
#include "plugin/descriptor.h"
#include "plugin/instance.h"
#include "plugin/option.h"
#include "plugin/registry.h"
#include "promise.h"
#include <string.h>

static const char *object;

/* (transfer container) The plugins of the shared object under test. */
static GPtrArray *
plugins_of (TallyRegistry *registry)
{
  g_autoptr (GPtrArray) all = tally_registry_list (registry, NULL);
  g_autofree char *file = g_strdup_printf ("/%s.so", object);
  GPtrArray *plugins = g_ptr_array_new ();

  for (guint i = 0; i < all->len; i++)
    if (g_str_has_suffix (tally_registry_path (registry, all->pdata[i]), file))
      g_ptr_array_add (plugins, all->pdata[i]);
  return plugins;
}

static void
test_loads_without_a_complaint (void)
{
  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  g_autoptr (GPtrArray) warnings = NULL;
  g_autoptr (GPtrArray) all G_GNUC_UNUSED = tally_registry_list (registry, &warnings);
  g_autoptr (GPtrArray) plugins = plugins_of (registry);

  assert_true (plugins->len > 0);
  for (guint i = 0; i < warnings->len; i++)
    assert_text (warnings->pdata[i], NULL);

  /* A pipeline that names the plugin finds it without loading all the others. */
  for (guint i = 0; i < plugins->len; i++)
    {
      const TallyPlugin *plugin = plugins->pdata[i];
      g_autoptr (GError) error = NULL;

      tally_registry_find (registry, plugin->kind, plugin->name, &error);
      assert_no_error (error);
      assert_true (
          g_str_equal (plugin->name, object)
          || (g_str_has_prefix (plugin->name, object) && plugin->name[strlen (object)] == '-'));
    }
}

static void
test_inspect_describes_it (void)
{
  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  g_autoptr (GPtrArray) plugins = plugins_of (registry);

  for (guint i = 0; i < plugins->len; i++)
    {
      const TallyPlugin *plugin = plugins->pdata[i];
      const char *argv[] = { g_getenv ("TALLYMAN"), "inspect", plugin->name, NULL };
      g_autofree char *output = NULL, *title = NULL;
      gint status = -1;

      g_spawn_sync (NULL, (char **) argv, NULL, 0, NULL, NULL, &output, NULL, &status, NULL);
      assert_int (status, 0);
      title = g_strdup_printf ("%s %s: %s\n", tally_kind_name (plugin->kind), plugin->name,
                               plugin->summary);
      assert_contains (output, title);
      for (guint j = 0; j < tally_option_count (plugin->options); j++)
        {
          g_autofree char *line = g_strdup_printf (
              "    %s: %s (%s", plugin->options[j].name, plugin->options[j].summary,
              tally_option_type_name (plugin->options[j].type));

          assert_contains (output, line);
        }
    }
}

/* ---- The README ---- */

/* One row a option: name, type, and the default as the README has it. */
static char *
options_as_table (const TallyPlugin *plugin)
{
  GString *table = g_string_new (NULL);

  for (guint i = 0; i < tally_option_count (plugin->options); i++)
    {
      const TallyOption *option = &plugin->options[i];
      gboolean required = option->flags & TALLY_OPTION_REQUIRED;
      gboolean given = option->fallback != NULL && *option->fallback != '\0';

      g_string_append_printf (table, "`%s` %s %s%s%s\n", option->name,
                              tally_option_type_name (option->type),
                              required ? "required"
                              : given  ? "`"
                                       : "",
                              given ? option->fallback : "", given ? "`" : "");
    }
  return g_string_free (table, FALSE);
}

/* The same of the first table of options below a heading that has word in it (any heading if word
 * is NULL); NULL if there is none. */
static char *
table_below (char **lines, const char *word)
{
  GString *table = NULL;
  gboolean here = FALSE;

  for (char **line = lines; *line != NULL; line++)
    {
      g_auto (GStrv) cells = NULL;

      if (g_str_has_prefix (*line, "#"))
        {
          if (table != NULL)
            break;
          here = word == NULL || strstr (*line, word) != NULL;
        }
      if (here && g_str_equal (*line, "| option | type | default | meaning |"))
        table = g_string_new (NULL);
      if (table == NULL || !g_str_has_prefix (*line, "| `"))
        continue;
      cells = g_strsplit (*line, "|", -1);
      if (g_strv_length (cells) >= 5)
        g_string_append_printf (table, "%s %s %s\n", g_strstrip (cells[1]), g_strstrip (cells[2]),
                                g_strstrip (cells[3]));
    }
  return table != NULL ? g_string_free (table, FALSE) : NULL;
}

static void
test_its_readme_agrees (void)
{
  g_autofree char *path
      = g_build_filename (g_getenv ("SOURCE_ROOT"), "plugins", object, "README.md", NULL);
  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  g_autoptr (GPtrArray) plugins = plugins_of (registry);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    {
      assert_text (path, "a README.md that is there");
      return;
    }
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; i < plugins->len; i++)
    {
      const TallyPlugin *plugin = plugins->pdata[i];
      g_autofree char *heading
          = g_strdup_printf ("%c%s", g_ascii_toupper (*tally_kind_name (plugin->kind)),
                             tally_kind_name (plugin->kind) + 1);
      g_autofree char *whole = g_strdup_printf ("%s `%s`", heading, plugin->name);
      g_autofree char *expected = options_as_table (plugin);
      g_autofree char *found = table_below (lines, whole);

      if (found == NULL)
        found = table_below (lines, plugin->name);
      if (found == NULL)
        found = table_below (lines, heading);
      /* A shared object with one plugin needs no heading for it. */
      if (found == NULL && plugins->len == 1)
        found = table_below (lines, NULL);
      assert_row_text (plugin->name, found, expected);
    }
}

/* ---- What it takes ---- */

static guint
count_descriptors (void)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (folder) != NULL)
    n++;
  return n;
}

/* Gives all required options a value of their type, so that open() is reached; whether it succeeds
 * is not asked. */
static void
live_once (const TallyPlugin *plugin)
{
  g_autoptr (TallyInstance) instance = tally_instance_new (plugin);
  g_autoptr (TallyContext) ctx = tally_context_new ("/nonexistent");
  g_autoptr (TallySchema) schema
      = tally_schema_new (&(TallyColumn) { "subject", TALLY_TYPE_TEXT }, 1);
  gboolean good;

  for (guint i = 0; i < tally_option_count (plugin->options); i++)
    {
      const TallyOption *option = &plugin->options[i];

      if ((option->flags & TALLY_OPTION_REQUIRED) != 0)
        tally_instance_set (instance, option->name, option->example != NULL ? option->example : "1",
                            "/nonexistent", NULL);
    }
  good = tally_instance_finish (instance, NULL, NULL);
  good = good && (plugin->accept == NULL || plugin->accept (instance->self, schema, NULL));
  if (good && (plugin->flags & TALLY_PLUGIN_LOCAL) != 0)
    tally_instance_open (instance, ctx, NULL);
  tally_instance_close (instance);
}

static void
test_lets_go_of_everything (void)
{
  guint n_before;

  for (guint round = 0; round < 2; round++)
    {
      n_before = count_descriptors ();
      g_autoptr (TallyRegistry) registry = tally_registry_new ();
      g_autoptr (GPtrArray) plugins = plugins_of (registry);

      for (guint i = 0; i < plugins->len; i++)
        live_once (plugins->pdata[i]);
      assert_int (count_descriptors (), n_before);
    }
}

static const Promise promises[] = {
  { "loads without a complaint", test_loads_without_a_complaint },
  { "inspect describes it", test_inspect_describes_it },
  { "its README agrees with its options", test_its_readme_agrees },
  { "lets go of everything", test_lets_go_of_everything },
  { NULL },
};

int
main (int argc, char **argv)
{
  if (argc < 2)
    g_error ("which plugin?");

  object = argv[1];
  return keep_promises (object, promises, 1, argv);
}
