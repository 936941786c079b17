/* message.c: a message as a row, wherever its bytes came from */
#include "message.h"
#include "attachment.h"
#include "body.h"
#include "bounce.h"
#include "decode.h"
#include "identity.h"
#include "reword.h"
#include <string.h>

/* A date beyond is broken. */
#define FIRST_YEAR 1960
#define LAST_YEAR 2200

typedef enum
{
  MAIL_IDENTITY,
  MAIL_MESSAGE_ID,
  MAIL_THREAD_ID,
  MAIL_IN_REPLY_TO,
  MAIL_REFERENCES,
  MAIL_FROM,
  MAIL_FROM_NAME,
  MAIL_FROM_ADDRESS,
  MAIL_TO,
  MAIL_CC,
  MAIL_REPLY_TO,
  MAIL_SUBJECT,
  MAIL_DATE,
  MAIL_TEXT,
  MAIL_HTML,
  MAIL_BEST_TEXT,
  MAIL_ATTACHMENTS,
  MAIL_HEADERS,
  MAIL_AUTO_SUBMITTED,
  MAIL_LIST_ID,
  MAIL_BOUNCE,
  MAIL_FOLDER,
  MAIL_FLAGS,
  MAIL_SIZE,
} MailColumn;

static const TallyColumn columns[] = {
  [MAIL_IDENTITY] = { "identity", TALLY_TYPE_TEXT },
  [MAIL_MESSAGE_ID] = { "message_id", TALLY_TYPE_TEXT },
  [MAIL_THREAD_ID] = { "thread_id", TALLY_TYPE_TEXT },
  [MAIL_IN_REPLY_TO] = { "in_reply_to", TALLY_TYPE_TEXT },
  [MAIL_REFERENCES] = { "references", TALLY_TYPE_JSONB },
  [MAIL_FROM] = { "from", TALLY_TYPE_JSONB },
  [MAIL_FROM_NAME] = { "from_name", TALLY_TYPE_TEXT },
  [MAIL_FROM_ADDRESS] = { "from_address", TALLY_TYPE_TEXT },
  [MAIL_TO] = { "to", TALLY_TYPE_JSONB },
  [MAIL_CC] = { "cc", TALLY_TYPE_JSONB },
  [MAIL_REPLY_TO] = { "reply_to", TALLY_TYPE_JSONB },
  [MAIL_SUBJECT] = { "subject", TALLY_TYPE_TEXT },
  [MAIL_DATE] = { "date", TALLY_TYPE_TIMESTAMPTZ },
  [MAIL_TEXT] = { "text", TALLY_TYPE_TEXT },
  [MAIL_HTML] = { "html", TALLY_TYPE_TEXT },
  [MAIL_BEST_TEXT] = { "best_text", TALLY_TYPE_TEXT },
  [MAIL_ATTACHMENTS] = { "attachments", TALLY_TYPE_JSONB },
  [MAIL_HEADERS] = { "headers", TALLY_TYPE_JSONB },
  [MAIL_AUTO_SUBMITTED] = { "auto_submitted", TALLY_TYPE_TEXT },
  [MAIL_LIST_ID] = { "list_id", TALLY_TYPE_TEXT },
  [MAIL_BOUNCE] = { "bounce", TALLY_TYPE_JSONB },
  [MAIL_FOLDER] = { "folder", TALLY_TYPE_TEXT },
  [MAIL_FLAGS] = { "flags", TALLY_TYPE_JSONB },
  [MAIL_SIZE] = { "size", TALLY_TYPE_BIGINT },
};

/* A message on its way into a row. */
typedef struct
{
  TallyBatch *batch;
  GMimeMessage *message; /* (unowned) */
  MailBody body;
  const char *charset; /* (unowned) (nullable) of the first text, for bytes in the header */
  GString *scratch; /* (owned) */
} Filling;

TallySchema *
mail_schema (void)
{
  return tally_schema_new (columns, G_N_ELEMENTS (columns));
}

/* ---- One value ---- */

/* Text that a stranger wrote, without blanks around it; NULL and nothing make NULL. */
static void
set_text (Filling *filling, MailColumn column, const char *text)
{
  if (text == NULL)
    return;
  g_string_truncate (filling->scratch, 0);
  mime_append_text ((TallyText){ text, strlen (text) }, filling->scratch);
  g_strstrip (filling->scratch->str);
  if (*filling->scratch->str != '\0')
    tally_batch_set_text (filling->batch, column, filling->scratch->str, strlen (filling->scratch->str));
}

/* What scratch has. */
static gboolean
set_json (Filling *filling, MailColumn column, GError **error)
{
  return tally_batch_set_from_text (filling->batch, column, filling->scratch->str, filling->scratch->len, error)
         || tally_throw_prefix (error, "\"%s\"", columns[column].name);
}

/* (transfer none) (nullable) decoded and unfolded */
static const char *
header_value (GMimeMessage *message, const char *name)
{
  GMimeHeader *header = g_mime_header_list_get_header (g_mime_object_get_header_list (GMIME_OBJECT (message)), name);

  return header != NULL ? g_mime_header_get_value (header) : NULL;
}

/* (transfer full) A field's value as it is meant. */
static char *
decoded_value (Filling *filling, GMimeHeader *header)
{
  const char *raw = g_mime_header_get_raw_value (header);
  g_autofree char *unfolded = g_mime_utils_header_unfold (raw != NULL ? raw : "");
  g_autofree char *words = mail_reword (unfolded, filling->charset);

  return g_mime_utils_header_decode_text (mime_options (), words);
}

/* ---- Who ---- */

static void
append_address (const char *name, const char *address, GString *json)
{
  if (json->str[json->len - 1] != '[')
    g_string_append (json, ", ");
  g_string_append_c (json, '{');
  mime_append_member ("name", name != NULL && *name != '\0' ? name : NULL, json);
  mime_append_member ("address", address, json);
  g_string_append_c (json, '}');
}

/* Groups as their members. */
static void
append_addresses (InternetAddressList *list, GString *json)
{
  for (int i = 0; i < internet_address_list_length (list); i++)
    {
      InternetAddress *address = internet_address_list_get_address (list, i);

      if (INTERNET_ADDRESS_IS_GROUP (address))
        append_addresses (internet_address_group_get_members (INTERNET_ADDRESS_GROUP (address)), json);
      else
        append_address (internet_address_get_name (address),
                        internet_address_mailbox_get_addr (INTERNET_ADDRESS_MAILBOX (address)), json);
    }
}

/* (transfer full) Those of all fields of a name. */
static InternetAddressList *
addresses_of (Filling *filling, const char *name, gboolean *ret_found)
{
  GMimeHeaderList *headers = g_mime_object_get_header_list (GMIME_OBJECT (filling->message));
  InternetAddressList *all = internet_address_list_new ();

  *ret_found = FALSE;
  for (int i = 0; i < g_mime_header_list_get_count (headers); i++)
    {
      GMimeHeader *header = g_mime_header_list_get_header_at (headers, i);

      if (g_ascii_strcasecmp (g_mime_header_get_name (header), name) != 0)
        continue;
      g_autofree char *words = mail_reword (g_mime_header_get_raw_value (header), filling->charset);
      g_autoptr (InternetAddressList) some = internet_address_list_parse (mime_options (), words);

      if (some != NULL)
        internet_address_list_append (all, some);
      *ret_found = TRUE;
    }
  return all;
}

static gboolean
set_addresses (Filling *filling, MailColumn column, const char *name, GError **error)
{
  gboolean found;
  g_autoptr (InternetAddressList) list = addresses_of (filling, name, &found);

  if (!found)
    return TRUE;
  g_string_assign (filling->scratch, "[");
  append_addresses (list, filling->scratch);
  /* What is no address is shown as it stands, as mail readers do. */
  if (filling->scratch->len == 1)
    {
      g_autofree char *value = decoded_value (filling, g_mime_header_list_get_header (
                                                           g_mime_object_get_header_list (GMIME_OBJECT (filling->message)), name));

      if (*g_strstrip (value) != '\0' && strchr (value, ':') == NULL)
        append_address (value, NULL, filling->scratch);
    }
  g_string_append_c (filling->scratch, ']');
  return set_json (filling, column, error);
}

static void
set_sender (Filling *filling)
{
  gboolean found;
  g_autoptr (InternetAddressList) from = addresses_of (filling, "From", &found);
  InternetAddress *first = internet_address_list_length (from) > 0 ? internet_address_list_get_address (from, 0) : NULL;

  if (first == NULL)
    return;
  set_text (filling, MAIL_FROM_NAME, internet_address_get_name (first));
  if (INTERNET_ADDRESS_IS_MAILBOX (first))
    set_text (filling, MAIL_FROM_ADDRESS, internet_address_mailbox_get_addr (INTERNET_ADDRESS_MAILBOX (first)));
}

static gboolean
set_people (Filling *filling, GError **error)
{
  set_sender (filling);
  return set_addresses (filling, MAIL_FROM, "From", error) && set_addresses (filling, MAIL_TO, "To", error)
         && set_addresses (filling, MAIL_CC, "Cc", error) && set_addresses (filling, MAIL_REPLY_TO, "Reply-To", error);
}

/* ---- Which ---- */

static GMimeReferences *
references_of (GMimeMessage *message, const char *name)
{
  const char *value = header_value (message, name);

  return g_mime_references_parse (mime_options (), value != NULL ? value : "");
}

static const char *
first_reference (GMimeReferences *references)
{
  return g_mime_references_length (references) > 0 ? g_mime_references_get_message_id (references, 0) : NULL;
}

static gboolean
set_ids (Filling *filling, const char *identity, GError **error)
{
  g_autoptr (GMimeReferences) references = references_of (filling->message, "References");
  g_autoptr (GMimeReferences) replied = references_of (filling->message, "In-Reply-To");
  const char *own = g_mime_message_get_message_id (filling->message);
  const char *oldest = first_reference (references), *parent = first_reference (replied);

  set_text (filling, MAIL_IDENTITY, identity);
  set_text (filling, MAIL_MESSAGE_ID, own);
  set_text (filling, MAIL_IN_REPLY_TO, parent);
  set_text (filling, MAIL_THREAD_ID, identity);
  set_text (filling, MAIL_THREAD_ID, oldest != NULL ? oldest : parent != NULL ? parent : own);

  g_string_assign (filling->scratch, "[");
  for (int i = 0; i < g_mime_references_length (references); i++)
    {
      g_string_append (filling->scratch, i > 0 ? ", " : "");
      mime_append_json (g_mime_references_get_message_id (references, i), filling->scratch);
    }
  g_string_append_c (filling->scratch, ']');
  return set_json (filling, MAIL_REFERENCES, error);
}

/* ---- When ---- */

static gboolean
set_time (Filling *filling, const char *text)
{
  g_autoptr (GDateTime) time = text != NULL ? g_mime_utils_header_decode_date (text) : NULL;

  /* A year out of digits that were none. */
  if (time == NULL || g_date_time_get_year (time) < FIRST_YEAR || g_date_time_get_year (time) > LAST_YEAR)
    return FALSE;
  tally_batch_set_int (filling->batch, MAIL_DATE, (g_date_time_to_unix (time) - TALLY_EPOCH_UNIX) * G_USEC_PER_SEC);
  return TRUE;
}

/* When it was written; if nobody can tell, when it was received, which the topmost field says that can be read. */
static void
set_date (Filling *filling)
{
  GMimeHeaderList *headers = g_mime_object_get_header_list (GMIME_OBJECT (filling->message));
  gboolean is_set = set_time (filling, header_value (filling->message, "Date"));

  for (int i = 0; !is_set && i < g_mime_header_list_get_count (headers); i++)
    {
      GMimeHeader *header = g_mime_header_list_get_header_at (headers, i);
      const char *value = g_mime_header_get_value (header);
      const char *time = value != NULL ? strrchr (value, ';') : NULL;

      if (time != NULL && g_ascii_strcasecmp (g_mime_header_get_name (header), "Received") == 0)
        is_set = set_time (filling, time + 1);
    }
}

/* ---- What ---- */

/* Parts follow each other on lines of their own. */
static void
append_part (GMimeObject *part, gboolean readable, GString *out)
{
  gsize before = out->len;

  if (before > 0 && out->str[before - 1] != '\n')
    g_string_append_c (out, '\n');
  if (readable && mail_is_html (part))
    {
      g_autoptr (GString) html = g_string_new (NULL);

      mail_append_part_text (part, html);
      tally_html_append_text ((TallyText){ html->str, html->len }, out);
    }
  else
    mail_append_part_text (part, out);
}

/* The parts of one kind, or of both as something to read. */
static void
set_parts (Filling *filling, MailColumn column, GPtrArray *parts)
{
  gboolean readable = column == MAIL_BEST_TEXT, found = FALSE;

  g_string_truncate (filling->scratch, 0);
  for (guint i = 0; i < parts->len; i++)
    {
      GMimeObject *part = g_ptr_array_index (parts, i);

      if (!readable && mail_is_html (part) != (column == MAIL_HTML))
        continue;
      append_part (part, readable, filling->scratch);
      found = TRUE;
    }
  if (found)
    tally_batch_set_text (filling->batch, column, filling->scratch->str, filling->scratch->len);
}

/* What there is to read: some programs send an empty text beside their HTML. */
static void
set_best_text (Filling *filling)
{
  set_parts (filling, MAIL_BEST_TEXT, filling->body.text);
  if (filling->body.html->len > 0 && filling->scratch->str[strspn (filling->scratch->str, " \t\n")] == '\0')
    set_parts (filling, MAIL_BEST_TEXT, filling->body.html);
}

static int
compare_offsets (gconstpointer a, gconstpointer b)
{
  gint64 first = g_mime_header_get_offset (*(GMimeHeader *const *)a), second = g_mime_header_get_offset (*(GMimeHeader *const *)b);

  return first < second ? -1 : first > second;
}

static void
add_headers (GMimeObject *object, GPtrArray *all)
{
  GMimeHeaderList *headers = g_mime_object_get_header_list (object);

  for (int i = 0; i < g_mime_header_list_get_count (headers); i++)
    g_ptr_array_add (all, g_mime_header_list_get_header_at (headers, i));
}

/* The fields as they stand.  Those that describe the content are the first part's, for GMime. */
static gboolean
set_headers (Filling *filling, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  GMimeObject *root = g_mime_message_get_mime_part (filling->message);

  add_headers (GMIME_OBJECT (filling->message), all);
  if (root != NULL)
    add_headers (root, all);
  g_ptr_array_sort (all, compare_offsets);

  g_string_assign (filling->scratch, "[");
  for (guint i = 0; i < all->len; i++)
    {
      GMimeHeader *header = g_ptr_array_index (all, i);
      g_autofree char *value = decoded_value (filling, header);

      g_string_append (filling->scratch, i > 0 ? ", [" : "[");
      mime_append_json (g_mime_header_get_name (header), filling->scratch);
      g_string_append (filling->scratch, ", ");
      mime_append_json (g_strstrip (value), filling->scratch);
      g_string_append_c (filling->scratch, ']');
    }
  g_string_append_c (filling->scratch, ']');
  return set_json (filling, MAIL_HEADERS, error);
}

/* What tells mail by machines from mail by people. */
static gboolean
set_automatic (Filling *filling, GError **error)
{
  const char *automatic = header_value (filling->message, "Auto-Submitted"), *list = header_value (filling->message, "List-Id");
  const char *open = list != NULL ? strrchr (list, '<') : NULL, *close = open != NULL ? strchr (open, '>') : NULL;
  g_autofree char *word = automatic != NULL ? g_ascii_strdown (automatic, (gssize)strcspn (automatic, "; \t")) : NULL;
  g_autofree char *id = close != NULL ? g_strndup (open + 1, (gsize)(close - open - 1)) : g_strdup (list);

  set_text (filling, MAIL_AUTO_SUBMITTED, word);
  set_text (filling, MAIL_LIST_ID, id);
  g_string_truncate (filling->scratch, 0);
  return !mail_append_bounce (filling->message, filling->scratch) || set_json (filling, MAIL_BOUNCE, error);
}

/* A multipart whose boundary never comes: all that it has stands before its first part. */
static gboolean
set_lost_text (Filling *filling)
{
  GMimeObject *root = g_mime_message_get_mime_part (filling->message);
  const char *lost = root != NULL && GMIME_IS_MULTIPART (root) && g_mime_multipart_get_count (GMIME_MULTIPART (root)) == 0
                         ? g_mime_multipart_get_prologue (GMIME_MULTIPART (root))
                         : NULL;

  if (lost == NULL)
    return FALSE;
  g_string_truncate (filling->scratch, 0);
  mail_decode_text ((TallyText){ lost, strlen (lost) }, NULL, filling->scratch);
  tally_batch_set_text (filling->batch, MAIL_TEXT, filling->scratch->str, filling->scratch->len);
  tally_batch_set_text (filling->batch, MAIL_BEST_TEXT, filling->scratch->str, filling->scratch->len);
  return TRUE;
}

static void
set_texts (Filling *filling)
{
  if (set_lost_text (filling))
    return;
  set_parts (filling, MAIL_TEXT, filling->body.text);
  set_parts (filling, MAIL_HTML, filling->body.html);
  set_best_text (filling);
}

static void
set_subject (Filling *filling)
{
  GMimeHeader *header = g_mime_header_list_get_header (g_mime_object_get_header_list (GMIME_OBJECT (filling->message)), "Subject");
  g_autofree char *subject = header != NULL ? decoded_value (filling, header) : NULL;

  set_text (filling, MAIL_SUBJECT, subject);
}

static gboolean
set_body (Filling *filling, const char *folder, GError **error)
{
  set_subject (filling);
  set_texts (filling);
  g_string_truncate (filling->scratch, 0);
  return mail_append_attachments (filling->body.attachments, folder, filling->scratch, error)
         && set_json (filling, MAIL_ATTACHMENTS, error);
}

/* ---- A row ---- */

/* Whether a line says that a part is sent in bytes that must stay as they are. */
static gboolean
declares_binary (const char *line, const char *end)
{
  static const char name[] = "content-transfer-encoding:", value[] = "binary";

  if (end - line < (gssize)(sizeof name - 1) || g_ascii_strncasecmp (line, name, sizeof name - 1) != 0)
    return FALSE;
  for (line += sizeof name - 1; line < end && (*line == ' ' || *line == '\t'); line++)
    ;
  return end - line >= (gssize)(sizeof value - 1) && g_ascii_strncasecmp (line, value, sizeof value - 1) == 0;
}

static gboolean
has_binary (TallyText message)
{
  const char *line = message.data, *end = message.data + message.length;

  for (const char *line_end; line < end; line = line_end + 1)
    {
      line_end = memchr (line, '\n', (gsize)(end - line));
      line_end = line_end != NULL ? line_end : end - 1;
      if (declares_binary (line, line_end))
        return TRUE;
    }
  return FALSE;
}

/* Line ends are the carrier's, not the mail's: LF everywhere, but where content is said to be binary. */
static void
unify_line_ends (GByteArray *bytes)
{
  const guint8 *at = bytes->data, *end = bytes->data + bytes->len;
  guint8 *to = bytes->data;

  if (bytes->len == 0 || memchr (bytes->data, '\r', bytes->len) == NULL || has_binary (mime_view (bytes)))
    return;

  for (; at < end; at++)
    if (*at != '\r' || at + 1 == end || at[1] != '\n')
      *to++ = *at;
  g_byte_array_set_size (bytes, (guint)(to - bytes->data));
}

static gboolean
fill_row (Filling *filling, const char *identity, const MailItem *item, const MailOptions *options, GError **error)
{
  set_text (filling, MAIL_FOLDER, item->folder);
  tally_batch_set_int (filling->batch, MAIL_SIZE, (gint64)item->bytes->len);
  set_date (filling);
  g_string_assign (filling->scratch, item->flags != NULL ? item->flags : "");
  return (item->flags == NULL || set_json (filling, MAIL_FLAGS, error)) && set_ids (filling, identity, error) && set_people (filling, error) && set_headers (filling, error)
         && set_automatic (filling, error) && set_body (filling, options->attachments_folder, error);
}

/* A row, or why there can be none; an error that is none of the message's stays one. */
static gboolean
add_parsed (TallyBatch *batch, GMimeMessage *message, const char *identity, const MailItem *item, const MailOptions *options,
            char **ret_reason, GError **error)
{
  g_autoptr (GString) scratch = g_string_new (NULL);
  g_auto (MailBody) body = { 0 };
  g_autoptr (GError) local = NULL;
  Filling filling = { .batch = batch, .message = message, .scratch = scratch };

  if (!mail_find_body (message, options->limits.max_depth, &body))
    {
      *ret_reason = g_strdup_printf ("has parts nested deeper than %" G_GINT64_FORMAT " (max-depth)", options->limits.max_depth);
      return TRUE;
    }

  filling.body = body;
  if (body.text->len > 0)
    filling.charset = g_mime_object_get_content_type_parameter (g_ptr_array_index (body.text, 0), "charset");
  tally_batch_add_row (batch);
  if (fill_row (&filling, identity, item, options, &local))
    return TRUE;

  tally_batch_undo_row (batch);
  if (!g_error_matches (local, TALLY_ERROR, TALLY_ERROR_DATA))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  *ret_reason = g_strdup (local->message);
  return TRUE;
}

gboolean
mail_add_row (TallyBatch *batch, const MailItem *item, const MailOptions *options, char **ret_identity, GError **error)
{
  g_autoptr (GMimeMessage) message = NULL;
  g_autofree char *reason = NULL;
  g_autofree char *identity = NULL;

  unify_line_ends (item->bytes);
  TallyText text = mime_view (item->bytes);
  reason = mail_excess (text, &options->limits);
  message = reason == NULL ? mime_parse (item->bytes) : NULL;
  if (reason == NULL && message == NULL)
    reason = g_strdup ("is no message: it has no header");
  identity = message != NULL ? mail_identity (text) : NULL;
  if (message != NULL && !add_parsed (batch, message, identity, item, options, &reason, error))
    return FALSE;

  if (reason != NULL)
    tally_batch_add_reject (batch, item->number, reason, (TallyText){ text.data, MIN (text.length, MAIL_MOST_RAW) });
  else
    tally_batch_set_row_number (batch, tally_batch_n_rows (batch) - 1, item->number);
  *ret_identity = reason == NULL ? g_steal_pointer (&identity) : NULL;
  return TRUE;
}
