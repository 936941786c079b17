/* compose-files.c: the files that go with a message
 *
 * Each is a path, or an object: {path, name, type, cid} for a file that is there, {content, name, type, cid} for one that is
 * made on the way.  All are read when the record is rendered, so that what is stored is what is sent.
 */
#include "attached.h"
#include "compose.h"
#include "value.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAX_FILES 100
#define MAX_CID 200

static const char *const members[] = { "path", "content", "name", "type", "cid" };

/* What is said of one file; all (unowned) (nullable), but one of path and content is given. */
typedef struct
{
  const char *path, *content, *name, *type, *cid;
} Given;

void
email_file_free (gpointer data)
{
  EmailFile *file = data;

  g_free (file->name);
  g_free (file->type);
  g_free (file->cid);
  g_clear_pointer (&file->content, g_bytes_unref);
  g_free (file);
}

static gboolean
read_object (json_object *object, Given *given, GError **error)
{
  const char **const places[] = { &given->path, &given->content, &given->name, &given->type, &given->cid };

  json_object_object_foreach (object, name, value)
    {
      guint i = 0;

      while (i < G_N_ELEMENTS (members) && !g_str_equal (members[i], name))
        i++;
      if (i == G_N_ELEMENTS (members))
        return tally_throw (error, TALLY_ERROR_DATA, "a file has no member \"%.40s\", but: path or content, name, type, cid", name);
      *places[i] = email_json_text (object, name);
      if (value != NULL && *places[i] == NULL)
        return tally_throw (error, TALLY_ERROR_DATA, "a file's \"%s\" is no text", name);
    }
  if ((given->path == NULL) == (given->content == NULL))
    return tally_throw (error, TALLY_ERROR_DATA, "a file has either a \"path\" or a \"content\"");
  return given->path != NULL || given->name != NULL
         || tally_throw (error, TALLY_ERROR_DATA, "a file with \"content\" needs a \"name\"");
}

/* (transfer full) all that the file has */
static GBytes *
read_all (TallyAttached *file, GError **error)
{
  g_autofree char *bytes = g_malloc ((gsize) file->size + 1);
  gint64 length = 0;
  gssize n = 0;

  while (length <= file->size && (n = read (file->descriptor, bytes + length, (gsize) (file->size + 1 - length))) > 0)
    length += n;
  if (length == file->size && n == 0)
    return g_bytes_new_take (g_steal_pointer (&bytes), (gsize) length);
  tally_throw (error, TALLY_ERROR_DATA, "could not read it: %s", n < 0 ? g_strerror (errno) : "its size changed meanwhile");
  return NULL;
}

static gboolean
check_size (const EmailRules *rules, gint64 size, GError **error)
{
  return size <= rules->most
         || tally_throw (error, TALLY_ERROR_DATA,
                         "it has %" G_GINT64_FORMAT " bytes, and \"max-message\" is %" G_GINT64_FORMAT, size, rules->most);
}

/* (transfer full) */
static GBytes *
load (const EmailRules *rules, const Given *given, GError **error)
{
  g_autofree char *path = NULL;
  g_auto (TallyAttached) file = TALLY_ATTACHED_INIT;

  if (given->content != NULL)
    return check_size (rules, (gint64) strlen (given->content), error)
               ? g_bytes_new (given->content, strlen (given->content)) : NULL;
  path = g_canonicalize_filename (given->path, rules->directory);
  return tally_attached_open (&file, path, rules->root, error) && check_size (rules, file.size, error)
             ? read_all (&file, error) : NULL;
}

static gboolean
check_cid (const char *cid, GError **error)
{
  gsize length = strlen (cid);

  for (const char *p = cid; *p != '\0'; p++)
    if (!g_ascii_isgraph (*p) || strchr ("<>\"\\(),;:", *p) != NULL)
      length = 0;
  return (length > 0 && length <= MAX_CID)
         || tally_throw (error, TALLY_ERROR_DATA, "\"%.40s\" is no name by which HTML can show a file, as \"logo\" is one", cid);
}

/* A message within a message may not be in base64 (RFC 2046, 5.2.1), and as a file it need not be shown as one. (transfer full) */
static char *
dup_type (const Given *given, const char *name)
{
  g_autofree char *type = given->type != NULL ? g_strdup (given->type) : tally_attached_guess_type (name);
  gboolean composite
      = g_ascii_strncasecmp (type, "message/", 8) == 0 || g_ascii_strncasecmp (type, "multipart/", 10) == 0;

  return composite ? g_strdup ("application/octet-stream") : g_steal_pointer (&type);
}

static gboolean
add_file (GPtrArray *files, const EmailRules *rules, const Given *given, GError **error)
{
  g_autofree char *name = given->name != NULL ? g_strdup (given->name) : g_path_get_basename (given->path);
  g_autoptr (GBytes) content = NULL;
  EmailFile *file;

  if (!tally_attached_is_name (name))
    return tally_throw (error, TALLY_ERROR_DATA, "it has no name that a file can have: give it one by \"name\"");
  if (given->type != NULL && !tally_attached_is_type (given->type))
    return tally_throw (error, TALLY_ERROR_DATA, "\"%.60s\" is no type, as \"image/png\" is one", given->type);
  if (given->cid != NULL && !check_cid (given->cid, error))
    return FALSE;
  content = load (rules, given, error);
  if (content == NULL)
    return FALSE;

  file = g_new0 (EmailFile, 1);
  file->type = dup_type (given, name);
  file->name = g_steal_pointer (&name);
  file->cid = g_strdup (given->cid);
  file->content = g_steal_pointer (&content);
  g_ptr_array_add (files, file);
  return TRUE;
}

static gboolean
add_element (GPtrArray *files, const EmailRules *rules, json_object *element, GError **error)
{
  Given given = { 0 };

  if (json_object_is_type (element, json_type_object))
    {
      if (!read_object (element, &given, error))
        return FALSE;
    }
  else if (email_json_is_text (element))
    given.path = json_object_get_string (element);
  else
    return tally_throw (error, TALLY_ERROR_DATA, "a file is a path, or an object with \"path\" or \"content\"");
  return add_file (files, rules, &given, error)
         || tally_throw_prefix (error, "\"%.100s\"", given.path != NULL ? given.path : given.name);
}

static gint64
sum_sizes (GPtrArray *files)
{
  gint64 sum = 0;

  for (guint i = 0; i < files->len; i++)
    sum += (gint64) g_bytes_get_size (((const EmailFile *) files->pdata[i])->content);
  return sum;
}

gboolean
email_files_read (GPtrArray *files, const EmailRules *rules, const char *text, gboolean is_json, GError **error)
{
  g_autoptr (json_object) json = is_json ? email_json_parse (text) : json_object_new_string (text);
  gboolean is_array = json_object_is_type (json, json_type_array);
  gsize n = json == NULL || *text == '\0' ? 0 : is_array ? json_object_array_length (json) : 1;

  if (n > MAX_FILES)
    return tally_throw (error, TALLY_ERROR_DATA, "there are %" G_GSIZE_FORMAT " files, and a message takes %d", n, MAX_FILES);
  for (gsize i = 0; i < n; i++)
    if (!add_element (files, rules, is_array ? json_object_array_get_idx (json, i) : json, error)
        || !check_size (rules, sum_sizes (files), error))
      return FALSE;
  return TRUE;
}
