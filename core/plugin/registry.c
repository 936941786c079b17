/* registry.c: finds shared objects, looks their descriptors through, and keeps copies in today's
 * size
 *
 * Nothing is loaded that was not asked for: NAME.so first, then the shared object named by NAME's
 * first word (zendesk.so has zendesk-tickets), and only then all that lie in the folders.
 */
#include "registry.h"
#include "descriptor.h"
#include "record/nearest.h"
#include <string.h>

typedef struct
{
  char *path;      /* (owned) */
  GModule *module; /* (owned) (nullable) */
  char *complaint; /* (owned) (nullable) why it is not loaded, or one of its plugins is left out */
} Object;

typedef struct
{
  TallyDescriptor *descriptor; /* (owned) */
  const Object *object;        /* (unowned) */
} Entry;

struct _TallyRegistry
{
  GPtrArray *folders; /* (owned) (element-type utf8) in order of search */
  GPtrArray *objects; /* (owned) (element-type Object) those tried */
  GPtrArray *entries; /* (owned) (element-type Entry) */
  GPtrArray *strays;  /* (owned) (element-type utf8) folders that are not taken, and why */
  gboolean complete;  /* all folders were scanned */
};

static void
object_free (Object *object)
{
  if (object->module != NULL)
    g_module_close (object->module);
  g_free (object->complaint);
  g_free (object->path);
  g_free (object);
}

static void
entry_free (Entry *entry)
{
  tally_descriptor_free (entry->descriptor);
  g_free (entry);
}

TallyRegistry *
tally_registry_new (void)
{
  TallyRegistry *registry = g_new0 (TallyRegistry, 1);
  const char *path = g_getenv ("TALLYMAN_PLUGIN_PATH");
  g_auto (GStrv) folders = g_strsplit (path != NULL ? path : "", ":", -1);

  registry->folders = g_ptr_array_new_with_free_func (g_free);
  registry->objects = g_ptr_array_new_with_free_func ((GDestroyNotify) object_free);
  registry->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) entry_free);
  registry->strays = g_ptr_array_new_with_free_func (g_free);
  for (char **folder = folders; *folder != NULL; folder++)
    if (g_path_is_absolute (*folder))
      g_ptr_array_add (registry->folders, g_strdup (*folder));
    else if (**folder != '\0')
      g_ptr_array_add (
          registry->strays,
          g_strdup_printf ("\"%s\" in TALLYMAN_PLUGIN_PATH is not an absolute path", *folder));
  g_ptr_array_add (registry->folders, g_strdup (TALLY_PLUGIN_DIR));
  return registry;
}

void
tally_registry_free (TallyRegistry *registry)
{
  if (registry == NULL)
    return;

  /* Descriptors point into the shared objects. */
  g_ptr_array_unref (registry->entries);
  g_ptr_array_unref (registry->objects);
  g_ptr_array_unref (registry->folders);
  g_ptr_array_unref (registry->strays);
  g_free (registry);
}

/* ---- One shared object ---- */

static const Entry *
find_entry (TallyRegistry *registry, TallyKind kind, const char *name)
{
  for (guint i = 0; i < registry->entries->len; i++)
    {
      const Entry *entry = g_ptr_array_index (registry->entries, i);

      if (entry->descriptor->plugin.kind == kind
          && strcmp (entry->descriptor->plugin.name, name) == 0)
        return entry;
    }

  return NULL;
}

/* The first folder wins, so that a plugin can be replaced by a newer one in front; a name that
 * stands twice in one folder is a mistake. */
static void
add_plugin (TallyRegistry *registry, Object *object, const TallyPlugin *plugin)
{
  g_autoptr (GError) error = NULL;
  TallyDescriptor *descriptor = tally_descriptor_new (plugin, &error);
  const Entry *rival;
  Entry *entry;

  if (descriptor == NULL)
    {
      g_free (object->complaint);
      object->complaint = g_strdup_printf ("%s: %s", object->path, error->message);
      return;
    }

  rival = find_entry (registry, descriptor->plugin.kind, descriptor->plugin.name);
  if (rival != NULL)
    {
      g_autofree char *folder = g_path_get_dirname (object->path);
      g_autofree char *rival_folder = g_path_get_dirname (rival->object->path);

      if (strcmp (folder, rival_folder) == 0)
        {
          g_free (object->complaint);
          object->complaint = g_strdup_printf ("%s: %s \"%s\" is already in %s", object->path,
                                               tally_kind_name (descriptor->plugin.kind),
                                               descriptor->plugin.name, rival->object->path);
        }
      tally_descriptor_free (descriptor);
      return;
    }

  entry = g_new (Entry, 1);
  *entry = (Entry) { .descriptor = descriptor, .object = object };
  g_ptr_array_add (registry->entries, entry);
}

static void
load_object (TallyRegistry *registry, const char *path)
{
  Object *object;
  const TallyPlugin *const *(*list) (void);
  gpointer symbol;

  for (guint i = 0; i < registry->objects->len; i++)
    if (strcmp (((Object *) g_ptr_array_index (registry->objects, i))->path, path) == 0)
      return;

  object = g_new0 (Object, 1);
  object->path = g_strdup (path);
  g_ptr_array_add (registry->objects, object);

  /* Without G_MODULE_BIND_LAZY it is RTLD_NOW: a symbol that this library lacks is known here, not
   * in the middle of a run. */
  object->module = g_module_open (path, G_MODULE_BIND_LOCAL);
  if (object->module == NULL)
    {
      object->complaint = g_strdup (g_module_error ());
      return;
    }
  if (!g_module_symbol (object->module, "tallyman_plugins", &symbol))
    {
      object->complaint
          = g_strdup_printf ("%s: is no plugin: it has no function \"tallyman_plugins\"", path);
      return;
    }

  memcpy (&list, &symbol, sizeof list);
  for (const TallyPlugin *const *plugin = list (); plugin != NULL && *plugin != NULL; plugin++)
    add_plugin (registry, object, *plugin);
}

/* ---- Folders ---- */

static void
load_named (TallyRegistry *registry, const char *name)
{
  g_autofree char *file = g_strconcat (name, ".so", NULL);

  for (guint i = 0; i < registry->folders->len; i++)
    {
      g_autofree char *path
          = g_build_filename (g_ptr_array_index (registry->folders, i), file, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
        load_object (registry, path);
    }
}

static gint
compare_texts (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
load_folder (TallyRegistry *registry, const char *folder)
{
  g_autoptr (GDir) directory = g_dir_open (folder, 0, NULL);
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (g_str_has_suffix (name, ".so"))
      g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
  g_ptr_array_sort (paths, compare_texts);
  for (guint i = 0; i < paths->len; i++)
    load_object (registry, g_ptr_array_index (paths, i));
}

static void
load_all (TallyRegistry *registry)
{
  if (registry->complete)
    return;

  registry->complete = TRUE;
  for (guint i = 0; i < registry->folders->len; i++)
    load_folder (registry, g_ptr_array_index (registry->folders, i));
}

/* ---- What the pipelines ask for ---- */

/* A name goes into a file's path, so it must be one that a plugin may have. */
static const Entry *
search (TallyRegistry *registry, TallyKind kind, const char *name)
{
  g_autofree char *first_word = g_strdup (name);
  const Entry *entry = find_entry (registry, kind, name);

  if (entry != NULL || !tally_descriptor_is_name (name))
    return entry;

  load_named (registry, name);
  if ((entry = find_entry (registry, kind, name)) != NULL)
    return entry;

  first_word[strcspn (first_word, "-")] = '\0';
  load_named (registry, first_word);
  if ((entry = find_entry (registry, kind, name)) != NULL)
    return entry;

  load_all (registry);
  return find_entry (registry, kind, name);
}

const char *
tally_registry_nearest (TallyRegistry *registry, TallyKind kind, const char *name)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  load_all (registry);
  for (guint i = 0; i < registry->entries->len; i++)
    {
      const TallyPlugin *plugin
          = &((Entry *) g_ptr_array_index (registry->entries, i))->descriptor->plugin;

      if (plugin->kind == kind)
        g_ptr_array_add (names, (gpointer) plugin->name);
    }
  return tally_nearest (name, (const char *const *) names->pdata, names->len);
}

/* A shared object of that name that would not load says more than "there is none". */
const char *
tally_registry_complaint (TallyRegistry *registry, const char *name)
{
  g_autofree char *file = g_strconcat (name, ".so", NULL);

  for (guint i = 0; i < registry->objects->len; i++)
    {
      const Object *object = g_ptr_array_index (registry->objects, i);
      g_autofree char *base = g_path_get_basename (object->path);

      if (object->complaint != NULL && strcmp (base, file) == 0)
        return object->complaint;
    }

  return NULL;
}

const TallyPlugin *
tally_registry_find (TallyRegistry *registry, TallyKind kind, const char *name, GError **error)
{
  const Entry *entry = search (registry, kind, name);
  const char *complaint, *nearest;

  if (entry != NULL)
    return &entry->descriptor->plugin;

  complaint = tally_registry_complaint (registry, name);
  nearest = tally_registry_nearest (registry, kind, name);
  if (complaint != NULL)
    tally_throw (error, TALLY_ERROR_USAGE, "%s \"%s\" cannot be loaded: %s", tally_kind_name (kind),
                 name, complaint);
  else if (nearest != NULL)
    tally_throw (error, TALLY_ERROR_USAGE, "there is no %s \"%s\"; did you mean \"%s\"?",
                 tally_kind_name (kind), name, nearest);
  else
    tally_throw (error, TALLY_ERROR_USAGE, "there is no %s \"%s\"", tally_kind_name (kind), name);
  return NULL;
}

static gint
compare_plugins (gconstpointer a, gconstpointer b)
{
  const TallyPlugin *first = *(const TallyPlugin *const *) a,
                    *second = *(const TallyPlugin *const *) b;

  return first->kind != second->kind ? (gint) first->kind - (gint) second->kind
                                     : strcmp (first->name, second->name);
}

GPtrArray *
tally_registry_list (TallyRegistry *registry, GPtrArray **ret_warnings)
{
  GPtrArray *plugins = g_ptr_array_new ();

  load_all (registry);
  for (guint i = 0; i < registry->entries->len; i++)
    g_ptr_array_add (plugins,
                     &((Entry *) g_ptr_array_index (registry->entries, i))->descriptor->plugin);
  g_ptr_array_sort (plugins, compare_plugins);

  if (ret_warnings != NULL)
    {
      *ret_warnings = g_ptr_array_new_with_free_func (g_free);
      for (guint i = 0; i < registry->strays->len; i++)
        g_ptr_array_add (*ret_warnings, g_strdup (g_ptr_array_index (registry->strays, i)));
      for (guint i = 0; i < registry->objects->len; i++)
        {
          const Object *object = g_ptr_array_index (registry->objects, i);

          if (object->complaint != NULL)
            g_ptr_array_add (*ret_warnings, g_strdup (object->complaint));
        }
    }
  return plugins;
}

const char *
tally_registry_path (TallyRegistry *registry, const TallyPlugin *plugin)
{
  for (guint i = 0; i < registry->entries->len; i++)
    {
      const Entry *entry = g_ptr_array_index (registry->entries, i);

      if (&entry->descriptor->plugin == plugin)
        return entry->object->path;
    }

  return NULL;
}
