/* compose.c: a message as it goes over the wire, by GMime
 *
 *   mixed ─┬─ related ─┬─ alternative ─┬─ text
 *          │           │               └─ html
 *          │           └─ files that the HTML shows
 *          └─ the other files
 *
 * with each of them only where it is needed.
 */
#include "compose.h"
#include <string.h>

/* RFC 5322, 2.1.1 */
#define MAX_LINE 998
#define FOLD_AT 76

/* ---- Headers ---- */

static void
append_lists (GMimeMessage *message, const EmailLetter *letter, gboolean keep_bcc)
{
  static const GMimeAddressType types[EMAIL_N_LISTS]
      = { [EMAIL_FROM] = GMIME_ADDRESS_TYPE_FROM, [EMAIL_TO] = GMIME_ADDRESS_TYPE_TO, [EMAIL_CC] = GMIME_ADDRESS_TYPE_CC,
          [EMAIL_BCC] = GMIME_ADDRESS_TYPE_BCC, [EMAIL_REPLY_TO] = GMIME_ADDRESS_TYPE_REPLY_TO };

  for (EmailColumn part = 0; part < EMAIL_N_LISTS; part++)
    if (email_addresses_count (letter->lists[part]) > 0 && (part != EMAIL_BCC || keep_bcc))
      internet_address_list_append (g_mime_message_get_addresses (message, types[part]), letter->lists[part]);
}

/* (transfer full) (nullable) the value folded at blanks; NULL if that is not enough, or it needs to be encoded */
static char *
fold (const char *name, const char *value)
{
  g_autoptr (GString) out = g_string_new (" ");
  g_auto (GStrv) words = NULL;
  gsize column = strlen (name) + 2;

  if (!g_str_is_ascii (value) || strstr (value, "=?") != NULL)
    return NULL;
  words = g_strsplit (value, " ", 0);
  for (guint i = 0; words[i] != NULL; i++)
    {
      gsize length = strlen (words[i]);
      gboolean breaks = i > 0 && length > 0 && column + 1 + length > FOLD_AT;

      if (length > MAX_LINE - MAX (column, 1) - 1)
        return NULL;
      g_string_append (out, breaks ? "\n " : i > 0 ? " " : "");
      g_string_append (out, words[i]);
      column = (breaks ? 1 : column + (i > 0)) + length;
    }
  g_string_append_c (out, '\n');
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* GMime would encode long words, which an address of the web does not bear. */
static void
append_header (GMimeMessage *message, const char *name, const char *value)
{
  GMimeHeaderList *list = g_mime_object_get_header_list (GMIME_OBJECT (message));
  g_autofree char *folded = fold (name, value);

  g_mime_header_list_append (list, name, value, "utf-8");
  if (folded != NULL)
    g_mime_header_set_raw_value (g_mime_header_list_get_header_at (list, g_mime_header_list_get_count (list) - 1), folded);
}

static GMimeMessage *
make_message (const EmailLetter *letter, gboolean keep_bcc)
{
  GMimeMessage *message = g_mime_message_new (FALSE);

  g_mime_message_set_date (message, letter->date);
  append_lists (message, letter, keep_bcc);
  g_mime_message_set_subject (message, letter->subject != NULL ? letter->subject : "", "utf-8");
  g_mime_message_set_message_id (message, letter->message_id);
  if (letter->in_reply_to != NULL)
    append_header (message, "In-Reply-To", letter->in_reply_to);
  if (letter->references != NULL)
    append_header (message, "References", letter->references);
  for (guint i = 0; i + 1 < letter->headers->len; i += 2)
    append_header (message, letter->headers->pdata[i], letter->headers->pdata[i + 1]);
  return message;
}

/* ---- Parts ---- */

static void
set_content (GMimePart *part, GBytes *bytes)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  GMimeStream *stream = g_mime_stream_mem_new_with_buffer (data, length);
  GMimeDataWrapper *wrapper = g_mime_data_wrapper_new_with_stream (stream, GMIME_CONTENT_ENCODING_DEFAULT);

  g_mime_part_set_content (part, wrapper);
  g_object_unref (wrapper);
  g_object_unref (stream);
}

/* Each line break as CRLF, which is what base64 is to hold (RFC 2046, 4.1.1). */
static GBytes *
normalize (const char *text)
{
  GString *out = g_string_sized_new (strlen (text) + strlen (text) / 32);

  for (const char *p = text; *p != '\0'; p++)
    {
      gboolean breaks = *p == '\r' || *p == '\n';

      if (*p == '\r' && p[1] == '\n')
        p++;
      if (breaks)
        g_string_append (out, "\r\n");
      else
        g_string_append_c (out, *p);
    }
  return g_string_free_to_bytes (out);
}

/* 7 bits as they are if the lines are short enough; else what stays readable, unless that would be mostly escapes. */
static GMimeContentEncoding
choose_encoding (const char *text, gsize length)
{
  gsize line = 0, longest = 0, n_escapes = 0;

  for (gsize i = 0; i < length; i++)
    {
      line = text[i] == '\n' ? 0 : line + 1;
      longest = MAX (longest, line);
      n_escapes += (guchar) text[i] >= 0x80 || (g_ascii_iscntrl (text[i]) && strchr ("\t\r\n", text[i]) == NULL);
    }
  if (n_escapes == 0 && longest < MAX_LINE)
    return GMIME_CONTENT_ENCODING_7BIT;
  return n_escapes > length / 6 ? GMIME_CONTENT_ENCODING_BASE64 : GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
}

static GMimeObject *
make_text (const char *subtype, const char *text)
{
  GMimePart *part = GMIME_PART (g_mime_text_part_new_with_subtype (subtype));
  g_autoptr (GBytes) bytes = normalize (text);
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);

  g_mime_object_set_content_type_parameter (GMIME_OBJECT (part), "charset", "utf-8");
  g_mime_part_set_content_encoding (part, choose_encoding (data, length));
  set_content (part, bytes);
  return GMIME_OBJECT (part);
}

static GMimeObject *
make_file (const EmailFile *file)
{
  g_auto (GStrv) type = g_strsplit (file->type, "/", 2);
  GMimePart *part = g_mime_part_new_with_type (type[0], type[1]);
  gsize length;
  const char *data = g_bytes_get_data (file->content, &length);

  if (g_ascii_strcasecmp (type[0], "text") == 0 && g_utf8_validate (data, (gssize) length, NULL))
    g_mime_object_set_content_type_parameter (GMIME_OBJECT (part), "charset", "utf-8");
  g_mime_object_set_disposition (GMIME_OBJECT (part), file->cid != NULL ? GMIME_DISPOSITION_INLINE : GMIME_DISPOSITION_ATTACHMENT);
  g_mime_part_set_filename (part, file->name);
  if (file->cid != NULL)
    g_mime_part_set_content_id (part, file->cid);
  g_mime_part_set_content_encoding (part, GMIME_CONTENT_ENCODING_BASE64);
  set_content (part, file->content);
  return GMIME_OBJECT (part);
}

/* Puts what comes next beside what is there. */
static void
add_beside (GMimeObject **body, const char *subtype, GMimeObject *next)
{
  GMimeMultipart *around = GMIME_IS_MULTIPART (*body) ? GMIME_MULTIPART (*body) : NULL;

  if (around == NULL || !g_mime_content_type_is_type (g_mime_object_get_content_type (*body), "multipart", subtype))
    {
      around = g_mime_multipart_new_with_subtype (subtype);
      g_mime_multipart_add (around, *body);
      g_object_unref (*body);
      *body = GMIME_OBJECT (around);
    }
  g_mime_multipart_add (around, next);
  g_object_unref (next);
}

/* (transfer full) */
static GMimeObject *
make_body (const EmailLetter *letter)
{
  gboolean has_html = letter->html != NULL;
  GMimeObject *body = letter->text != NULL || !has_html ? make_text ("plain", letter->text != NULL ? letter->text : "") : NULL;

  if (has_html && body != NULL)
    add_beside (&body, "alternative", make_text ("html", letter->html));
  else if (has_html)
    body = make_text ("html", letter->html);
  for (gint inlined = 1; inlined >= 0; inlined--)
    for (guint i = 0; i < letter->files->len; i++)
      {
        const EmailFile *file = letter->files->pdata[i];

        if ((has_html && file->cid != NULL) == inlined)
          add_beside (&body, inlined ? "related" : "mixed", make_file (file));
      }
  return body;
}

/* ---- The whole ---- */

/* The last look before anything is stored. */
static gboolean
check_lines (const char *text, gsize length, GError **error)
{
  const char *end = text + length;

  for (const char *line = text; line < end;)
    {
      const char *stop = memchr (line, '\n', (gsize) (end - line));

      if (stop == NULL || stop == line || stop[-1] != '\r' || memchr (line, '\r', (gsize) (stop - 1 - line)) != NULL
          || memchr (line, '\0', (gsize) (stop - line)) != NULL)
        return tally_throw (error, TALLY_ERROR_DATA, "the message would have a line that does not end as lines of messages do");
      if (stop - 1 - line > MAX_LINE)
        return tally_throw (error, TALLY_ERROR_DATA, "the message would have a line of more than %d bytes: %.40s…", MAX_LINE, line);
      line = stop + 1;
    }
  return TRUE;
}

gboolean
email_compose (const EmailLetter *letter, gboolean keep_bcc, gint64 most, GString *out, GError **error)
{
  GMimeMessage *message = make_message (letter, keep_bcc);
  GMimeObject *body = make_body (letter);
  GMimeFormatOptions *options = g_mime_format_options_new ();
  GByteArray *bytes = g_byte_array_new ();
  GMimeStream *stream = g_mime_stream_mem_new_with_byte_array (bytes);
  gboolean good;

  g_mime_stream_mem_set_owner (GMIME_STREAM_MEM (stream), FALSE);
  g_mime_message_set_mime_part (message, body);
  g_object_unref (body);
  g_mime_format_options_set_newline_format (options, GMIME_NEWLINE_FORMAT_DOS);
  good = g_mime_object_write_to_stream (GMIME_OBJECT (message), options, stream) >= 0
         || tally_throw (error, TALLY_ERROR_DATA, "the message could not be composed");
  g_mime_format_options_free (options);
  g_object_unref (stream);
  g_object_unref (message);
  if (good && bytes->len > 0 && bytes->data[bytes->len - 1] != '\n')
    g_byte_array_append (bytes, (const guint8 *) "\r\n", 2);
  good = good && check_lines ((const char *) bytes->data, bytes->len, error);
  if (good && bytes->len > most)
    good = tally_throw (error, TALLY_ERROR_DATA, "the message has %u bytes, and \"max-message\" is %" G_GINT64_FORMAT, bytes->len,
                        most);
  if (good)
    g_string_append_len (out, (const char *) bytes->data, bytes->len);
  g_byte_array_unref (bytes);
  return good;
}
