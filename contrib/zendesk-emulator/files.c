/* files.c: sending files, and getting them back */
#include "files.h"

#include "pages.h"

#include <string.h>

#define TOKEN_PREFIX EMU_CONTENT_PREFIX "token/"     /* of the addresses that answers tell */
#define FOREIGN_PREFIX EMU_CONTENT_PREFIX "content/" /* of those that they lead to */

static void
note_upload (EmuExchange *x, const EmuAttachment *attachment, const EmuUpload *upload)
{
  g_autoptr (GString) details = g_string_new (NULL);

  g_string_append_printf (details, "\"id\":%" G_GINT64_FORMAT ",\"token\":\"%s\",\"file_name\":",
                          attachment->id, upload->token);
  emu_json_add_text (details, attachment->file_name);
  g_string_append (details, ",\"content_type\":");
  emu_json_add_text (details, attachment->content_type);
  g_string_append_printf (details, ",\"size\":%" G_GSIZE_FORMAT ",\"sha256\":\"%s\"",
                          attachment->size, attachment->sha256);
  emu_history_note (x->emu->history, emu_clock_now (&x->emu->clock), "uploaded", details->str);
}

static void
answer_upload (EmuExchange *x, const EmuUpload *upload, const EmuAttachment *attachment)
{
  const char *base_url = x->emu->base_url;
  GString *out = emu_answer_begin (&x->answer, 201, "uploaded");

  g_string_append_printf (out, "{\"upload\":{\"token\":\"%s\"", upload->token);
  if (x->emu->config.show_expiry)
    {
      g_string_append (out, ",\"expires_at\":");
      emu_json_add_time (out, upload->expires);
    }
  g_string_append (out, ",\"attachments\":[");
  for (guint i = 0; i < upload->attachments->len; i++)
    {
      g_string_append (out, i > 0 ? "," : "");
      emu_attachment_write (upload->attachments->pdata[i], FALSE, base_url, out);
    }
  g_string_append (out, "],\"attachment\":");
  emu_attachment_write (attachment, FALSE, base_url, out);
  g_string_append (out, "}}");
  x->answer.type = EMU_TYPE_TEXT; /* which it is not, but so the service labels it */
  emu_answer_take_header (&x->answer, "Location",
                          g_strdup_printf ("%s/api/v2/attachments/%" G_GINT64_FORMAT ".json",
                                           base_url, attachment->id));
}

void
emu_send_file (EmuExchange *x)
{
  Emulator *emu = x->emu;
  const char *name = emu_query (x, "filename"), *token = emu_query (x, "token");
  gint64 now = emu_clock_seconds (&emu->clock);
  EmuUpload *upload = NULL;

  if (name == NULL || *name == '\0')
    {
      emu_answer_invalid (&x->answer, "\"base\":[{\"description\":\"Filename: cannot be blank\","
                                      "\"error\":\"BlankValue\"}]");
      return;
    }
  if (token != NULL && (upload = emu_uploads_find (emu->uploads, token, now)) == NULL)
    {
      emu_answer_not_found (&x->answer);
      return;
    }

  g_autofree char *valid = g_utf8_make_valid (name, -1);
  EmuAttachment *attachment = emulator_upload (emu, &upload, valid, x->content_type, x->body, now);
  note_upload (x, attachment, upload);
  answer_upload (x, upload, attachment);
}

void
emu_delete_upload (EmuExchange *x)
{
  EmuUploads *uploads = x->emu->uploads;
  gint64 now = emu_clock_seconds (&x->emu->clock);
  EmuUpload *upload = emu_uploads_find (uploads, x->word, now);

  if (upload == NULL)
    {
      emu_answer_not_found (&x->answer);
      return;
    }
  emulator_drop_upload (x->emu, upload, now);
  emu_answer_set (&x->answer, 204, NULL, "deleted", "");
}

void
emu_show_attachment (EmuExchange *x)
{
  EmuAttachment *attachment = emu_uploads_get (x->emu->uploads, x->id);
  GString *out;

  if (attachment == NULL)
    {
      emu_answer_not_found (&x->answer);
      return;
    }
  out = emu_answer_begin (&x->answer, 200, "shown");
  g_string_append (out, "{\"attachment\":");
  emu_attachment_write (attachment, FALSE, x->emu->base_url, out);
  g_string_append_c (out, '}');
}

gboolean
emu_is_content (const EmuExchange *x)
{
  return g_str_has_prefix (x->path, EMU_CONTENT_PREFIX) && g_str_equal (x->method, "GET");
}

gboolean
emu_is_leak (const EmuExchange *x)
{
  return g_str_has_prefix (x->path, FOREIGN_PREFIX) && x->authorization != NULL;
}

/* (nullable) (unowned): the file that the path names */
static EmuAttachment *
find_content (const EmuExchange *x, const char *prefix)
{
  g_autofree char *secret = NULL;
  gsize length;

  if (!g_str_has_prefix (x->path, prefix))
    return NULL;
  secret = g_strdup (x->path + strlen (prefix));
  length = strlen (secret);
  if (length > 0 && secret[length - 1] == '/')
    secret[length - 1] = '\0';
  return emu_uploads_get_by_secret (x->emu->uploads, secret);
}

/* The same server, by another name. */
static char *
dup_foreign_url (const Emulator *emu, const EmuAttachment *attachment)
{
  const char *host = strstr (emu->base_url, "://") + strlen ("://"), *port = strchr (host, ':');

  return g_strdup_printf ("%.*s%s%s" FOREIGN_PREFIX "%s", (int)(host - emu->base_url),
                          emu->base_url, emu->config.content_host, port != NULL ? port : "",
                          attachment->secret);
}

static void
answer_content (EmuExchange *x, EmuAttachment *attachment)
{
  g_autoptr (GBytes) content = emu_uploads_read (x->emu->uploads, attachment);
  gsize length;
  const char *data;
  GString *out;

  if (content == NULL)
    {
      emu_answer_error (&x->answer, 410, "ContentLetGo",
                        "The emulator no longer has this content: see --hold-files");
      return;
    }
  data = g_bytes_get_data (content, &length);
  out = emu_answer_begin (&x->answer, 200, "downloaded");
  g_string_append_len (out, data, (gssize)length);
  x->answer.type = attachment->content_type;
}

void
emu_show_content (EmuExchange *x)
{
  EmuAttachment *here = find_content (x, TOKEN_PREFIX), *there = find_content (x, FOREIGN_PREFIX);

  if (here != NULL && x->emu->config.content_host != NULL)
    {
      emu_answer_set (&x->answer, 302, EMU_TYPE_HTML, "redirected", "");
      emu_answer_take_header (&x->answer, "Location", dup_foreign_url (x->emu, here));
    }
  else if (here != NULL || there != NULL)
    answer_content (x, here != NULL ? here : there);
  else
    emu_answer_not_found (&x->answer);
}
