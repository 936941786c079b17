/* uploads.c: files that were sent, and what became of them */
#include "uploads.h"

#include <glib/gstdio.h>
#include <string.h>

static void
attachment_free (gpointer data)
{
  EmuAttachment *attachment = data;

  g_free (attachment->file_name);
  g_free (attachment->content_type);
  g_free (attachment->secret);
  g_free (attachment->sha256);
  g_clear_pointer (&attachment->content, g_bytes_unref);
  g_free (attachment);
}

static void
upload_free (gpointer data)
{
  EmuUpload *upload = data;

  g_free (upload->token);
  g_ptr_array_unref (upload->attachments);
  g_free (upload);
}

EmuUploads *
emu_uploads_new (const char *state, gsize most_held)
{
  EmuUploads *uploads = g_new0 (EmuUploads, 1);

  uploads->by_token = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, upload_free);
  uploads->by_id = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, attachment_free);
  uploads->by_secret = g_hash_table_new (g_str_hash, g_str_equal);
  uploads->folder = state != NULL ? g_strconcat (state, ".files", NULL) : NULL;
  uploads->most_held = most_held;
  return uploads;
}

void
emu_uploads_free (EmuUploads *uploads)
{
  if (uploads == NULL)
    return;
  g_queue_clear (&uploads->held);
  g_queue_clear (&uploads->by_age);
  g_hash_table_unref (uploads->by_token);
  g_hash_table_unref (uploads->by_secret);
  g_hash_table_unref (uploads->by_id);
  g_free (uploads->folder);
  g_free (uploads);
}

static char *
dup_path (const EmuUploads *uploads, const EmuAttachment *attachment)
{
  g_autofree char *name = g_strdup_printf ("%" G_GINT64_FORMAT, attachment->id);

  return g_build_filename (uploads->folder, name, NULL);
}

void
emu_uploads_erase (EmuUploads *uploads)
{
  GHashTableIter iter;
  gpointer value;

  if (uploads->folder == NULL)
    return;
  g_hash_table_iter_init (&iter, uploads->by_id);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      g_autofree char *path = dup_path (uploads, value);

      g_unlink (path);
    }
  g_rmdir (uploads->folder);
}

EmuUpload *
emu_uploads_find (const EmuUploads *uploads, const char *token, gint64 now)
{
  EmuUpload *upload = g_hash_table_lookup (uploads->by_token, token);

  return upload != NULL && !upload->used && now < upload->expires ? upload : NULL;
}

EmuAttachment *
emu_uploads_get (const EmuUploads *uploads, gint64 id)
{
  EmuAttachment *attachment = g_hash_table_lookup (uploads->by_id, &id);

  return attachment != NULL && !attachment->deleted ? attachment : NULL;
}

EmuAttachment *
emu_uploads_get_by_secret (const EmuUploads *uploads, const char *secret)
{
  EmuAttachment *attachment = g_hash_table_lookup (uploads->by_secret, secret);

  return attachment != NULL && !attachment->deleted ? attachment : NULL;
}

char *
emu_uploads_make_secret (void)
{
  static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  char *text = g_malloc (26);

  for (guint i = 0; i < 25; i++)
    text[i] = letters[g_random_int_range (0, sizeof letters - 1)];
  text[25] = '\0';
  return text;
}

EmuUpload *
emu_uploads_begin (EmuUploads *uploads, const char *token, gint64 expires)
{
  EmuUpload *upload = g_new0 (EmuUpload, 1);

  upload->token = g_strdup (token);
  upload->expires = expires;
  upload->attachments = g_ptr_array_new ();
  g_hash_table_insert (uploads->by_token, upload->token, upload);
  g_queue_push_tail (&uploads->by_age, upload);
  return upload;
}

void
emu_uploads_add (EmuUploads *uploads, EmuUpload *upload, EmuAttachment *attachment)
{
  g_hash_table_insert (uploads->by_id, &attachment->id, attachment);
  g_hash_table_insert (uploads->by_secret, attachment->secret, attachment);
  g_ptr_array_add (upload->attachments, attachment);
}

static void
let_go (EmuUploads *uploads, EmuAttachment *attachment)
{
  uploads->n_held -= attachment->size;
  g_clear_pointer (&attachment->content, g_bytes_unref);
}

gboolean
emu_uploads_keep (EmuUploads *uploads, EmuAttachment *attachment, const char *data, gsize length,
                  GError **error)
{
  g_autofree char *path = NULL;

  attachment->size = length;
  attachment->sha256 = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (guchar *)data, length);
  if (uploads->folder == NULL)
    {
      attachment->content = g_bytes_new (data, length);
      g_queue_push_tail (&uploads->held, attachment);
      uploads->n_held += length;
      while (uploads->n_held > uploads->most_held)
        let_go (uploads, g_queue_pop_head (&uploads->held));
      return TRUE;
    }
  path = dup_path (uploads, attachment);
  g_mkdir (uploads->folder, 0700);
  return g_file_set_contents (path, data, (gssize)length, error);
}

GBytes *
emu_uploads_read (EmuUploads *uploads, EmuAttachment *attachment)
{
  g_autofree char *path = NULL;
  char *data;
  gsize length;

  if (attachment->content != NULL)
    return g_bytes_ref (attachment->content);
  if (uploads->folder == NULL)
    return NULL;
  path = dup_path (uploads, attachment);
  return g_file_get_contents (path, &data, &length, NULL) ? g_bytes_new_take (data, length) : NULL;
}

/* What is left is its name in the history; answers that show it still refer to it. */
void
emu_uploads_drop_attachment (EmuUploads *uploads, EmuAttachment *attachment)
{
  attachment->deleted = TRUE;
  if (attachment->content != NULL)
    {
      g_queue_remove (&uploads->held, attachment);
      let_go (uploads, attachment);
    }
  if (uploads->folder != NULL)
    {
      g_autofree char *path = dup_path (uploads, attachment);

      g_unlink (path);
    }
}

void
emu_uploads_drop (EmuUploads *uploads, EmuUpload *upload)
{
  for (guint i = 0; i < upload->attachments->len; i++)
    emu_uploads_drop_attachment (uploads, upload->attachments->pdata[i]);
  g_queue_remove (&uploads->by_age, upload);
  g_hash_table_remove (uploads->by_token, upload->token);
}

void
emu_uploads_expire (EmuUploads *uploads, gint64 now)
{
  EmuUpload *upload;

  while ((upload = g_queue_peek_head (&uploads->by_age)) != NULL && upload->expires <= now)
    if (upload->used)
      g_queue_pop_head (&uploads->by_age); /* its files are in a comment */
    else
      emu_uploads_drop (uploads, upload);
}

void
emu_uploads_check (const EmuUploads *uploads, EmuDraft *draft)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < draft->comments->len; i++)
    {
      GStrv tokens = g_array_index (draft->comments, EmuComment, i).tokens;

      for (; tokens != NULL && *tokens != NULL; tokens++)
        if (!g_hash_table_add (seen, *tokens)
            || emu_uploads_find (uploads, *tokens, draft->now) == NULL)
          emu_draft_add_problem (draft, "base", "Attachment: token is not valid, used or expired",
                                 "InvalidValue");
    }
}

static void
note_attached (const EmuAttachment *attachment, const EmuComment *comment, const EmuTicket *ticket,
               EmuHistory *history, gint64 time)
{
  g_autoptr (GString) details = g_string_new (NULL);

  g_string_append_printf (details,
                          "\"id\":%" G_GINT64_FORMAT ",\"ticket\":%" G_GINT64_FORMAT
                          ",\"comment\":%" G_GINT64_FORMAT ",\"external_id\":",
                          attachment->id, ticket->id, comment->id);
  emu_json_add_text (details, ticket->external_id);
  g_string_append (details, ",\"file_name\":");
  emu_json_add_text (details, attachment->file_name);
  g_string_append_printf (details, ",\"size\":%" G_GSIZE_FORMAT ",\"sha256\":\"%s\"",
                          attachment->size, attachment->sha256);
  emu_history_note (history, time, "attached", details->str);
}

void
emu_uploads_attach (EmuUploads *uploads, EmuComment *comment, const EmuTicket *ticket, gint64 now,
                    EmuHistory *history, gint64 time)
{
  g_auto (GStrv) tokens = g_steal_pointer (&comment->tokens);

  for (guint k = 0; tokens != NULL && tokens[k] != NULL; k++)
    {
      EmuUpload *upload = emu_uploads_find (uploads, tokens[k], now);

      if (upload == NULL)
        continue;
      upload->used = TRUE;
      if (comment->attachments == NULL)
        comment->attachments = g_ptr_array_new ();
      for (guint i = 0; i < upload->attachments->len; i++)
        {
          g_ptr_array_add (comment->attachments, upload->attachments->pdata[i]);
          note_attached (upload->attachments->pdata[i], comment, ticket, history, time);
        }
    }
}

void
emu_attachment_write (const EmuAttachment *attachment, gboolean is_inline, const char *base_url,
                      GString *out)
{
  g_autofree char *escaped = g_uri_escape_string (attachment->file_name, NULL, FALSE);

  g_string_append_printf (out,
                          "{\"url\":\"%s/api/v2/attachments/%" G_GINT64_FORMAT
                          ".json\",\"id\":%" G_GINT64_FORMAT ",\"file_name\":",
                          base_url, attachment->id, attachment->id);
  emu_json_add_text (out, attachment->file_name);
  for (guint i = 0; i < 2; i++)
    g_string_append_printf (out, ",\"%s\":\"%s/attachments/token/%s/?name=%s\"",
                            i == 0 ? "content_url" : "mapped_content_url", base_url,
                            attachment->secret, escaped);
  g_string_append (out, ",\"content_type\":");
  emu_json_add_text (out, attachment->content_type);
  g_string_append_printf (
      out,
      ",\"size\":%" G_GSIZE_FORMAT ",\"width\":null,\"height\":null,\"inline\":%s,\"deleted\":%s,"
      "\"malware_access_override\":false,"
      "\"malware_scan_result\":\"not_scanned\",\"thumbnails\":[]}",
      attachment->size, is_inline ? "true" : "false", attachment->deleted ? "true" : "false");
}
