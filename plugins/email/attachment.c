/* attachment.c: what is attached to a message, told and kept */
#include "attachment.h"
#include "body.h"
#include <errno.h>
#include <sys/stat.h>
#include <tallyman/error.h>

/* Content under its own hash: the same file of a hundred mails is kept once, and no name comes from a stranger.  Durable before
 * the row is, because the row may be delivered from then on. */
static gboolean
keep_content (const GByteArray *content, const char *path, const char *folder, GError **error)
{
  g_autoptr (GError) local = NULL;
  struct stat status;

  if (stat (path, &status) == 0 && status.st_size == (off_t)content->len)
    return TRUE;
  if (g_mkdir_with_parents (folder, 0700) < 0)
    return tally_throw_errno (error, errno, "could not make the folder \"%s\"", folder);
  if (!g_file_set_contents_full (path, (const char *)content->data, content->len,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, &local))
    return tally_throw (error, TALLY_ERROR_IO, "could not keep an attachment: %s", local->message);
  return TRUE;
}

static gboolean
append_attachment (GMimeObject *part, const char *folder, GString *json, GError **error)
{
  g_autoptr (GByteArray) content = mime_content (part);
  g_autofree char *sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, content->data, content->len);
  g_autofree char *name = mail_part_name (part), *type = mail_type (part);
  g_autofree char *path = folder != NULL ? g_build_filename (folder, sum, NULL) : NULL;

  if (path != NULL && !keep_content (content, path, folder, error))
    return FALSE;

  g_string_append_c (json, '{');
  mime_append_member ("name", name, json);
  mime_append_member ("type", type, json);
  g_string_append_printf (json, ", \"size\": %u", content->len);
  mime_append_member ("sha256", sum, json);
  mime_append_member ("cid", g_mime_object_get_content_id (part), json);
  mime_append_member ("disposition", g_mime_object_get_disposition (part), json);
  if (path != NULL)
    mime_append_member ("path", path, json);
  g_string_append_c (json, '}');
  return TRUE;
}

gboolean
mail_append_attachments (GPtrArray *parts, const char *folder, GString *json, GError **error)
{
  g_string_append_c (json, '[');
  for (guint i = 0; i < parts->len; i++)
    {
      if (i > 0)
        g_string_append (json, ", ");
      if (!append_attachment (g_ptr_array_index (parts, i), folder, json, error))
        return FALSE;
    }
  g_string_append_c (json, ']');
  return TRUE;
}
