/* order.c: a folder's pipelines, each after those that it waits for */
#include "pipeline.h"
#include "reader.h"
#include "record/nearest.h"
#include <string.h>

#define MAX_PIPELINES 10000

typedef enum
{
  UNSEEN,
  OPEN,
  DONE
} Visit;

typedef struct
{
  char *file;   /* (owned) */
  char *name;   /* (owned) (nullable) */
  char **after; /* (owned) */
  Visit visit;
} Member;

static void
member_free (Member *member)
{
  g_free (member->file);
  g_free (member->name);
  g_strfreev (member->after);
  g_free (member);
}

static void
ignore_mistake (gsize offset, gsize length, const char *message, const char *hint, gpointer data)
{
}

/* Only name and after are of interest; a file that cannot be read is reported when it is loaded. */
static Member *
member_new (const char *file)
{
  Member *member = g_new0 (Member, 1);
  g_autofree char *text = NULL;
  gsize length = 0;
  g_autoptr (TallyYamlNode) root = NULL;
  g_autoptr (GPtrArray) after = g_ptr_array_new_with_free_func (g_free);
  const TallyYamlNode *name = NULL, *list = NULL;

  member->file = g_strdup (file);
  if (g_file_get_contents (file, &text, &length, NULL) && length <= TALLY_YAML_MAX_SIZE
      && g_utf8_validate (text, length, NULL))
    root = tally_yaml_parse (text, length, ignore_mistake, NULL);
  if (root != NULL && root->kind == TALLY_YAML_MAP)
    {
      name = tally_yaml_find (root, "pipeline");
      list = tally_yaml_find (root, "after");
    }
  if (name != NULL && name->kind == TALLY_YAML_SCALAR)
    member->name = g_strdup (name->text);
  if (list != NULL && list->kind == TALLY_YAML_SCALAR && !tally_yaml_is_empty (list))
    g_ptr_array_add (after, g_strdup (list->text));
  for (guint i = 0; list != NULL && list->kind == TALLY_YAML_LIST && i < list->items->len; i++)
    {
      const TallyYamlNode *item = list->items->pdata[i];

      if (item->kind == TALLY_YAML_SCALAR)
        g_ptr_array_add (after, g_strdup (item->text));
    }
  g_ptr_array_add (after, NULL);
  member->after = (char **) g_ptr_array_steal (after, NULL);
  return member;
}

static Member *
find_member (const GPtrArray *members, const char *name)
{
  for (guint i = 0; i < members->len; i++)
    {
      Member *member = members->pdata[i];

      if (g_strcmp0 (member->name, name) == 0)
        return member;
    }

  return NULL;
}

static gboolean
throw_missing (const Member *member, const char *name, const GPtrArray *members, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *nearest;

  for (guint i = 0; i < members->len; i++)
    if (((Member *) members->pdata[i])->name != NULL)
      g_ptr_array_add (names, ((Member *) members->pdata[i])->name);
  nearest = tally_nearest (name, (const char *const *) names->pdata, names->len);
  if (nearest != NULL)
    return tally_throw (
        error, TALLY_ERROR_USAGE,
        "%s: \"after\" names \"%s\", which is not in this folder; did you mean \"%s\"?",
        member->file, name, nearest);
  return tally_throw (error, TALLY_ERROR_USAGE,
                      "%s: \"after\" names \"%s\", which is not in this folder", member->file,
                      name);
}

/* Depth first: what it waits for, then itself.  way is the chain of those that are open, to name a
 * circle. */
static gboolean
visit (Member *member, const GPtrArray *members, GPtrArray *way, GPtrArray *files, GError **error)
{
  if (member->visit == DONE)
    return TRUE;
  g_ptr_array_add (way, member);
  if (member->visit == OPEN)
    {
      g_autoptr (GString) circle = g_string_new (NULL);

      for (guint i = 0; i < way->len; i++)
        if (circle->len > 0 || way->pdata[i] == member)
          g_string_append_printf (circle, "%s\"%s\"", circle->len > 0 ? " after " : "",
                                  ((Member *) way->pdata[i])->name);
      return tally_throw (error, TALLY_ERROR_USAGE, "%s: pipelines wait for each other: %s",
                          member->file, circle->str);
    }

  member->visit = OPEN;
  for (char **name = member->after; *name != NULL; name++)
    {
      Member *before = find_member (members, *name);

      if (before == NULL)
        return throw_missing (member, *name, members, error);
      if (!visit (before, members, way, files, error))
        return FALSE;
    }
  member->visit = DONE;
  g_ptr_array_set_size (way, way->len - 1);
  g_ptr_array_add (files, g_strdup (member->file));
  return TRUE;
}

static gint
compare_files (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(const Member *const *) a)->file, (*(const Member *const *) b)->file);
}

static GPtrArray *
read_folder (const char *path, GError **error)
{
  g_autoptr (GPtrArray) members = g_ptr_array_new_with_free_func ((GDestroyNotify) member_free);
  g_autoptr (GError) why = NULL;
  g_autoptr (GDir) folder = g_dir_open (path, 0, &why);
  const char *name;

  if (folder == NULL)
    {
      tally_throw (error, TALLY_ERROR_USAGE, "%s", why->message);
      return NULL;
    }
  while ((name = g_dir_read_name (folder)) != NULL && members->len <= MAX_PIPELINES)
    if (*name != '.' && (g_str_has_suffix (name, ".yaml") || g_str_has_suffix (name, ".yml")))
      {
        g_autofree char *file = g_build_filename (path, name, NULL);

        g_ptr_array_add (members, member_new (file));
      }
  if (members->len == 0 || members->len > MAX_PIPELINES)
    {
      tally_throw (error, TALLY_ERROR_USAGE,
                   members->len == 0 ? "there is no *.yaml in \"%s\""
                                     : "there are more than 10000 pipelines in \"%s\"",
                   path);
      return NULL;
    }

  g_ptr_array_sort (members, compare_files);
  return g_steal_pointer (&members);
}

static gboolean
check_names (const GPtrArray *members, GError **error)
{
  for (guint i = 0; i < members->len; i++)
    {
      const Member *member = members->pdata[i], *first;

      first = member->name != NULL ? find_member (members, member->name) : member;
      if (first != member)
        return tally_throw (error, TALLY_ERROR_USAGE,
                            "\"%s\" is the name of two pipelines: %s and %s", member->name,
                            first->file, member->file);
    }

  return TRUE;
}

char **
tally_pipeline_order (const char *path, GError **error)
{
  g_autoptr (GPtrArray) members = NULL;
  g_autoptr (GPtrArray) way = g_ptr_array_new ();
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);

  if (!g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      char **one = g_new0 (char *, 2);

      *one = g_strdup (path);
      return one;
    }

  members = read_folder (path, error);
  if (members == NULL || !check_names (members, error))
    return NULL;
  for (guint i = 0; i < members->len; i++)
    if (!visit (members->pdata[i], members, way, files, error))
      return NULL;

  g_ptr_array_add (files, NULL);
  return (char **) g_ptr_array_steal (files, NULL);
}
