/* files.c: the attachments of a record */
#include "files.h"
#include "text.h"
#include "values.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 65536
#define MAX_NAME 255

static const char *const known[] = { "path", "url", "name", "type", "cid" };

/* What is said of one file; all (unowned). */
typedef struct
{
  const char *path, *url; /* one of them */
  const char *name, *type, *cid; /* (nullable) */
} Given;

/* --- opening --- */

/* What a path is once all links are followed. (transfer full) */
static char *
resolve (const char *path, GError **error)
{
  char *found = realpath (path, NULL);
  char *copy = g_strdup (found);
  int problem = errno;

  free (found);
  if (copy == NULL)
    tally_throw (error, TALLY_ERROR_DATA, "could not open \"%s\": %s", path, g_strerror (problem));
  return copy;
}

static gboolean
is_within (const char *path, const char *root)
{
  gsize length = strlen (root);

  return g_str_has_prefix (path, root) && (path[length] == '/' || g_str_has_suffix (root, "/"));
}

gboolean
zendesk_file_open (ZendeskFile *file, const char *path, const char *root, GError **error)
{
  g_autofree char *real = resolve (path, error), *real_root = NULL;
  struct stat facts;

  if (real == NULL)
    return FALSE;
  if (root != NULL && (real_root = resolve (root, error)) == NULL)
    return FALSE;
  if (root != NULL && !is_within (real, real_root))
    return tally_throw (error, TALLY_ERROR_DATA, "\"%s\" lies outside \"attachments-root\"", path);

  /* Not to hang on a pipe; and what became a link meanwhile is not followed. */
  file->descriptor = open (real, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
  if (file->descriptor < 0 || fstat (file->descriptor, &facts) < 0)
    return tally_throw (error, TALLY_ERROR_DATA, "could not open \"%s\": %s", path, g_strerror (errno));
  if (!S_ISREG (facts.st_mode))
    return tally_throw (error, TALLY_ERROR_DATA, "\"%s\" is no file", path);
  file->size = facts.st_size;
  return TRUE;
}

void
zendesk_file_close (ZendeskFile *file)
{
  if (file->descriptor >= 0)
    close (file->descriptor);
  file->descriptor = -1;
}

/* --- describing --- */

/* (transfer full) */
static char *
make_digest (ZendeskFile *file, const char *path, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guchar *block = g_malloc (BLOCK);
  gint64 n_read = 0;
  gssize n;

  while ((n = read (file->descriptor, block, BLOCK)) > 0)
    {
      g_checksum_update (checksum, block, n);
      n_read += n;
    }
  if (n < 0 || n_read != file->size)
    {
      tally_throw (error, TALLY_ERROR_DATA, "could not read \"%s\": %s", path,
                   n < 0 ? g_strerror (errno) : "its size changed meanwhile");
      return NULL;
    }
  return g_strdup (g_checksum_get_string (checksum));
}

/* What may stand in a header. */
static gboolean
is_type (const char *type)
{
  const char *slash = strchr (type, '/');

  for (const char *p = type; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("/!#$&^_.+-", *p) == NULL)
      return FALSE;
  return slash != NULL && slash > type && slash[1] != '\0' && strchr (slash + 1, '/') == NULL;
}

/* (transfer full) */
static char *
dup_type (const Given *given, const char *name, GError **error)
{
  g_autofree char *guessed = NULL, *type = NULL;

  if (given->type != NULL && !is_type (given->type))
    {
      g_autofree char *shown = zendesk_text_clean (given->type, strlen (given->type), 60);

      tally_throw (error, TALLY_ERROR_DATA, "\"%s\" is no type, as \"image/png\" is one", shown);
      return NULL;
    }
  if (given->type != NULL)
    return g_strdup (given->type);
  guessed = g_content_type_guess (name, NULL, 0, NULL);
  type = g_content_type_get_mime_type (guessed);
  return g_strdup (type != NULL && is_type (type) ? type : "application/octet-stream");
}

/* What the file is called in Zendesk. (transfer full) */
static char *
dup_name (const Given *given, const char *place, GError **error)
{
  g_autofree char *base = given->name != NULL ? g_strdup (given->name) : g_path_get_basename (place);

  for (const char *p = base; *p != '\0'; p++)
    if (*p == '/' || g_ascii_iscntrl (*p))
      *base = '\0';
  if (*base == '\0' || g_str_equal (base, ".") || strlen (base) > MAX_NAME || !g_utf8_validate (base, -1, NULL))
    {
      tally_throw (error, TALLY_ERROR_DATA, "it has no name that a file can have: give it one by \"name\"");
      return NULL;
    }
  return g_steal_pointer (&base);
}

static void
append_pair (GString *out, const char *name, const char *value)
{
  if (value == NULL)
    return;
  g_string_append_printf (out, "%s\"%s\":", out->str[out->len - 1] == '{' ? "" : ",", name);
  zendesk_append_string (value, out);
}

static gboolean
check_size (const ZendeskFiles *rules, gint64 size, GError **error)
{
  return size <= rules->max_size
         || tally_throw (error, TALLY_ERROR_DATA,
                         "it has %" G_GINT64_FORMAT " bytes, and \"max-attachment\" is %" G_GINT64_FORMAT, size,
                         rules->max_size);
}

static gboolean
append_local (const ZendeskFiles *rules, const Given *given, GString *out, GError **error)
{
  g_autofree char *path = g_canonicalize_filename (given->path, rules->directory);
  g_auto (ZendeskFile) file = ZENDESK_FILE_INIT;
  g_autofree char *digest = NULL;

  if (!zendesk_file_open (&file, path, rules->root, error) || !check_size (rules, file.size, error))
    return FALSE;
  digest = make_digest (&file, path, error);
  if (digest == NULL)
    return FALSE;
  append_pair (out, "path", path);
  append_pair (out, "given", given->path);
  append_pair (out, "sha256", digest);
  g_string_append_printf (out, ",\"size\":%" G_GINT64_FORMAT, file.size);
  return TRUE;
}

static gboolean
append_remote (const ZendeskFiles *rules, const Given *given, GString *out, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (given->url, G_URI_FLAGS_HAS_PASSWORD, NULL);

  if (!rules->fetch_urls)
    return tally_throw (error, TALLY_ERROR_DATA, "it is on the web, and only \"fetch-urls: true\" fetches such files");
  if (uri == NULL || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0'
      || (!g_str_equal (g_uri_get_scheme (uri), "https") && !g_str_equal (g_uri_get_scheme (uri), "http")))
    return tally_throw (error, TALLY_ERROR_DATA, "it is no address, as https://… is one");
  if (g_uri_get_user (uri) != NULL)
    return tally_throw (error, TALLY_ERROR_DATA, "its address has a user in it, and files are fetched without credentials");
  append_pair (out, "url", given->url);
  return TRUE;
}

static gboolean
append_given (const ZendeskFiles *rules, const Given *given, GString *out, GError **error)
{
  g_autofree char *place = given->url != NULL ? g_strndup (given->url, strcspn (given->url, "?#")) : g_strdup (given->path);
  g_autofree char *name = dup_name (given, place, error), *type = NULL;

  if (name == NULL || (type = dup_type (given, name, error)) == NULL)
    return FALSE;
  g_string_append_c (out, '{');
  if (!(given->url != NULL ? append_remote (rules, given, out, error) : append_local (rules, given, out, error)))
    return FALSE;
  append_pair (out, "name", name);
  append_pair (out, "type", type);
  append_pair (out, "cid", given->cid);
  g_string_append_c (out, '}');
  return TRUE;
}

/* --- reading --- */

static gboolean
read_object (json_object *object, Given *ret_given, GError **error)
{
  const char **const places[] = { &ret_given->path, &ret_given->url, &ret_given->name, &ret_given->type, &ret_given->cid };

  json_object_object_foreach (object, name, value)
    {
      guint i = 0;

      while (i < G_N_ELEMENTS (known) && !g_str_equal (known[i], name))
        i++;
      if (i == G_N_ELEMENTS (known))
        return tally_throw (error, TALLY_ERROR_DATA, "a file has no member \"%.40s\", but: path or url, name, type, cid", name);
      *places[i] = zendesk_json_get_text (object, name);
      if (value != NULL && *places[i] == NULL)
        return tally_throw (error, TALLY_ERROR_DATA, "a file's \"%s\" is no text", name);
    }
  return TRUE;
}

/* An attachment as an account's comments have it, of which most members say nothing about the file. */
static gboolean
read_attachment (json_object *object, Given *ret_given)
{
  ret_given->url = zendesk_json_get_text (object, "content_url");
  ret_given->name = zendesk_json_get_text (object, "file_name");
  ret_given->type = zendesk_json_get_text (object, "content_type");
  return ret_given->url != NULL;
}

static gboolean
read_element (json_object *element, Given *ret_given, GError **error)
{
  const char *text;

  *ret_given = (Given){ 0 };
  if (json_object_is_type (element, json_type_object))
    {
      if (read_attachment (element, ret_given))
        return TRUE;
      if (!read_object (element, ret_given, error))
        return FALSE;
      if ((ret_given->path == NULL) == (ret_given->url == NULL))
        return tally_throw (error, TALLY_ERROR_DATA, "a file has either a \"path\" or a \"url\"");
      return TRUE;
    }
  if (!json_object_is_type (element, json_type_string)
      || strlen (json_object_get_string (element)) != (gsize) json_object_get_string_len (element))
    return tally_throw (error, TALLY_ERROR_DATA, "a file is a path, an address, or an object with one of these");
  text = json_object_get_string (element);
  if (g_ascii_strncasecmp (text, "https://", 8) == 0 || g_ascii_strncasecmp (text, "http://", 7) == 0)
    ret_given->url = text;
  else
    ret_given->path = text;
  return TRUE;
}

static gboolean
append_element (const ZendeskFiles *rules, json_object *element, GString *out, GError **error)
{
  Given given;

  if (!read_element (element, &given, error))
    return FALSE;
  if (append_given (rules, &given, out, error))
    return TRUE;

  const char *place = given.url != NULL ? given.url : given.path;
  g_autofree char *shown = zendesk_text_clean (place, strlen (place), 200);
  return tally_throw_prefix (error, "\"%s\"", shown);
}

gboolean
zendesk_files_append (const ZendeskFiles *rules, json_object *list, GString *out, guint *ret_n, GError **error)
{
  gboolean is_array = json_object_is_type (list, json_type_array);
  gsize n = list == NULL ? 0 : is_array ? json_object_array_length (list) : 1;

  if (n > ZENDESK_MAX_FILES)
    return tally_throw (error, TALLY_ERROR_DATA, "there are %" G_GSIZE_FORMAT " files, and a comment takes %d", n,
                        ZENDESK_MAX_FILES);
  for (gsize i = 0; i < n; i++)
    {
      g_string_append_c (out, i == 0 ? '[' : ',');
      if (!append_element (rules, is_array ? json_object_array_get_idx (list, i) : list, out, error))
        return FALSE;
    }
  if (n > 0)
    g_string_append_c (out, ']');
  *ret_n = (guint) n;
  return TRUE;
}
