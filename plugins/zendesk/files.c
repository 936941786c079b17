/* files.c: the attachments of a record */
#include "files.h"
#include "attached.h"
#include "text.h"
#include "values.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 65536

static const char *const known[] = { "path", "url", "name", "type", "cid" };
/* What the source email says of a file besides; it is seen anew when the file is read. */
static const char *const told[] = { "size", "sha256", "disposition", NULL };

/* What is said of one file; all (unowned). */
typedef struct
{
  const char *path, *url; /* one of them */
  const char *name, *type, *cid; /* (nullable) */
} Given;

/* --- describing --- */

/* (transfer full) */
static char *
make_digest (TallyAttached *file, const char *path, GError **error)
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

/* (transfer full) */
static char *
dup_type (const Given *given, const char *name, GError **error)
{
  if (given->type != NULL && !tally_attached_is_type (given->type))
    {
      g_autofree char *shown = zendesk_text_clean (given->type, strlen (given->type), 60);

      tally_throw (error, TALLY_ERROR_DATA, "\"%s\" is no type, as \"image/png\" is one", shown);
      return NULL;
    }
  return given->type != NULL ? g_strdup (given->type) : tally_attached_guess_type (name);
}

/* What the file is called in Zendesk. (transfer full) */
static char *
dup_name (const Given *given, const char *place, GError **error)
{
  g_autofree char *base = given->name != NULL ? g_strdup (given->name) : g_path_get_basename (place);

  if (!tally_attached_is_name (base))
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
  g_auto (TallyAttached) file = TALLY_ATTACHED_INIT;
  g_autofree char *digest = NULL;

  if (!tally_attached_open (&file, path, rules->root, error) || !check_size (rules, file.size, error))
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

      if (g_strv_contains (told, name))
        continue;
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
