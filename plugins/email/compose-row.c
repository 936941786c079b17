/* compose-row.c: what a message is made of, out of the columns of a row */
#include "compose.h"
#include "value.h"
#include <string.h>

#define MAX_ID 250
#define MAX_IDS 200
#define MAX_HEADERS 100
#define MAX_HEADER_NAME 76
#define MAX_HEADER_VALUE 16384

static const struct
{
  const char *name;
  gboolean takes_json; /* also as a list in JSON */
} parts[EMAIL_N_COLUMNS] = {
  [EMAIL_FROM] = { "from", TRUE },
  [EMAIL_TO] = { "to", TRUE },
  [EMAIL_CC] = { "cc", TRUE },
  [EMAIL_BCC] = { "bcc", TRUE },
  [EMAIL_REPLY_TO] = { "reply_to", TRUE },
  [EMAIL_SUBJECT] = { "subject" },
  [EMAIL_TEXT] = { "text" },
  [EMAIL_HTML] = { "html" },
  [EMAIL_DATE] = { "date" },
  [EMAIL_MESSAGE_ID] = { "message_id" },
  [EMAIL_IN_REPLY_TO] = { "in_reply_to", TRUE },
  [EMAIL_REFERENCES] = { "references", TRUE },
  [EMAIL_HEADERS] = { "headers", TRUE },
  [EMAIL_ATTACHMENTS] = { "attachments", TRUE },
  [EMAIL_RAW] = { "raw" },
};

/* Those that columns are for, or that only who transports a message may write. */
static const char *const own_headers[]
    = { "From", "To", "Cc", "Bcc", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version",
        "Return-Path", "Received", NULL };

/* ---- Columns ---- */

static gint
find_part (const char *name, gboolean takes_raw)
{
  for (gint i = 0; i < EMAIL_N_COLUMNS; i++)
    if (g_str_equal (parts[i].name, name) && (i != EMAIL_RAW || takes_raw))
      return i;
  return -1;
}

static gboolean
refuse_name (const char *name, gboolean takes_raw, GError **error)
{
  TallyColumn known[EMAIL_N_COLUMNS];
  guint n_known = takes_raw ? EMAIL_N_COLUMNS : EMAIL_RAW;

  for (guint i = 0; i < n_known; i++)
    known[i] = (TallyColumn){ parts[i].name, TALLY_TYPE_TEXT };
  g_autoptr (TallySchema) schema = tally_schema_new (known, n_known);
  const char *nearest = tally_schema_nearest (schema, name);

  if (nearest != NULL)
    return tally_throw (error, TALLY_ERROR_USAGE, "column \"%s\" is no part of a message; did you mean \"%s\"?", name, nearest);
  return tally_throw (error, TALLY_ERROR_USAGE,
                      "column \"%s\" is no part of a message; leave it out with \"keep\" or \"drop\", or name it in \"ignore\"",
                      name);
}

static gboolean
check_type (EmailColumn part, TallyType type, GError **error)
{
  static const char *const no = "column \"%s\" cannot be of type %s; %s";

  if (part == EMAIL_DATE && type != TALLY_TYPE_TIMESTAMPTZ)
    return tally_throw (error, TALLY_ERROR_USAGE, no, parts[part].name, tally_type_name (type), "make it a timestamptz");
  if (part == EMAIL_HEADERS && type != TALLY_TYPE_JSONB)
    return tally_throw (error, TALLY_ERROR_USAGE, no, parts[part].name, tally_type_name (type),
                        "it is an object of jsonb, made by jsonb_build_object()");
  if (type == TALLY_TYPE_JSONB && !parts[part].takes_json)
    return tally_throw (error, TALLY_ERROR_USAGE, no, parts[part].name, tally_type_name (type), "make it a text");
  if (type == TALLY_TYPE_BYTEA && part != EMAIL_RAW)
    return tally_throw (error, TALLY_ERROR_USAGE, no, parts[part].name, tally_type_name (type), "make it a text");
  return TRUE;
}

gboolean
email_plan_accept (EmailPlan *plan, TallySchema *schema, const char *const *ignored, gboolean takes_raw, GError **error)
{
  for (guint i = 0; i < EMAIL_N_COLUMNS; i++)
    plan->columns[i] = -1;
  for (guint i = 0; i < tally_schema_n_columns (schema); i++)
    {
      const TallyColumn *column = tally_schema_column (schema, i);
      gint part = find_part (column->name, takes_raw);

      if ((ignored != NULL && g_strv_contains (ignored, column->name)) || (part < 0 && tally_schema_is_key (schema, i)))
        continue;
      if (part < 0)
        return refuse_name (column->name, takes_raw, error);
      if (!check_type (part, column->type, error))
        return FALSE;
      plan->columns[part] = (gint) i;
      plan->types[part] = column->type;
    }
  return TRUE;
}

gboolean
email_plan_gives (const EmailPlan *plan, const TallyBatch *batch, guint row, EmailColumn column)
{
  return plan->columns[column] >= 0 && !tally_batch_is_null (batch, row, (guint) plan->columns[column]);
}

/* (transfer full) (nullable) */
static char *
dup_value (const EmailPlan *plan, const TallyBatch *batch, guint row, EmailColumn column)
{
  GString *text;

  if (!email_plan_gives (plan, batch, row, column))
    return NULL;
  text = g_string_new (NULL);
  tally_batch_append_value (batch, row, (guint) plan->columns[column], text);
  return g_string_free (text, FALSE);
}

/* ---- Addresses ---- */

static gboolean
add_person (InternetAddressList *list, json_object *one, GError **error)
{
  const char *address = email_json_text (one, "address"), *name = email_json_text (one, "name");

  if (json_object_is_type (one, json_type_string) && email_json_is_text (one))
    return email_check_header (json_object_get_string (one), error)
           && email_addresses_add_list (list, json_object_get_string (one), error);
  if (address == NULL)
    return tally_throw (error, TALLY_ERROR_DATA, "an element is a text, or an object with \"address\" and, if it has one, \"name\"");
  return (name == NULL || email_check_header (name, error)) && email_check_header (address, error)
         && email_addresses_add (list, name, address, error);
}

static gboolean
read_people (InternetAddressList *list, const char *text, gboolean is_json, GError **error)
{
  g_autoptr (json_object) json = is_json ? email_json_parse (text) : NULL;

  if (!is_json)
    return email_check_header (text, error) && (*text == '\0' || email_addresses_add_list (list, text, error));
  if (!json_object_is_type (json, json_type_array))
    return json == NULL || add_person (list, json, error);
  for (gsize i = 0; i < json_object_array_length (json); i++)
    if (!add_person (list, json_object_array_get_idx (json, i), error))
      return FALSE;
  return TRUE;
}

/* ---- Message-IDs ---- */

static gboolean
is_id (const char *id, gsize length)
{
  const char *at = memchr (id, '@', length);

  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isgraph (id[i]) || id[i] == '<' || id[i] == '>')
      return FALSE;
  return length <= MAX_ID && at != NULL && at > id && at < id + length - 1;
}

/* Appends "<a@b> <c@d>". */
static gboolean
add_ids (const char *text, GString *out, guint *n, GError **error)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \t\r\n,", 0);

  for (guint i = 0; words[i] != NULL; i++)
    {
      gsize length = strlen (words[i]);
      gboolean bare = words[i][0] != '<';
      const char *id = bare ? words[i] : words[i] + 1;

      if (length == 0)
        continue;
      if ((!bare && words[i][length - 1] != '>') || !is_id (id, bare ? length : length - 2))
        return tally_throw (error, TALLY_ERROR_DATA, "\"%.60s\" is no Message-ID, as \"<1234@example.org>\" is one", words[i]);
      if (++*n > MAX_IDS)
        return tally_throw (error, TALLY_ERROR_DATA, "there are more than %d Message-IDs", MAX_IDS);
      g_string_append_printf (out, "%s<%.*s>", out->len > 0 ? " " : "", (int) (bare ? length : length - 2), id);
    }
  return TRUE;
}

/* ret_ids: (transfer full) (nullable) */
static gboolean
read_ids (const char *text, gboolean is_json, char **ret_ids, GError **error)
{
  g_autoptr (json_object) json = is_json ? email_json_parse (text) : NULL;
  g_autoptr (GString) ids = g_string_new (NULL);
  guint n = 0;

  if (!is_json && !add_ids (text, ids, &n, error))
    return FALSE;
  if (is_json && json != NULL && !json_object_is_type (json, json_type_array))
    return tally_throw (error, TALLY_ERROR_DATA, "it is neither a text nor an array of texts");
  for (gsize i = 0; json != NULL && i < json_object_array_length (json); i++)
    {
      json_object *one = json_object_array_get_idx (json, i);

      if (!email_json_is_text (one))
        return tally_throw (error, TALLY_ERROR_DATA, "it is neither a text nor an array of texts");
      if (!add_ids (json_object_get_string (one), ids, &n, error))
        return FALSE;
    }
  *ret_ids = n > 0 ? g_string_free (g_steal_pointer (&ids), FALSE) : NULL;
  return TRUE;
}

/* The same for the same record, in every run and on every machine; another one for another sender. */
static char *
make_id (const EmailLetter *letter, const char *reference)
{
  const char *from = email_addresses_get (letter->lists[EMAIL_FROM], 0);
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);

  g_checksum_update (sum, (const guchar *) reference, (gssize) strlen (reference) + 1);
  g_checksum_update (sum, (const guchar *) from, -1);
  return g_strdup_printf ("%.40s@%s", g_checksum_get_string (sum), strrchr (from, '@') + 1);
}

static gboolean
read_message_id (EmailLetter *letter, const char *text, const char *reference, GError **error)
{
  g_autofree char *ids = NULL;

  if (text == NULL)
    {
      letter->message_id = make_id (letter, reference);
      return TRUE;
    }
  if (!read_ids (text, FALSE, &ids, error))
    return FALSE;
  if (ids == NULL || strchr (ids, ' ') != NULL)
    return tally_throw (error, TALLY_ERROR_DATA, "it is not one Message-ID");
  letter->message_id = g_strndup (ids + 1, strlen (ids) - 2);
  return TRUE;
}

/* ---- Other headers ---- */

static gboolean
check_header_name (const char *name, GError **error)
{
  gboolean good = *name != '\0' && strlen (name) <= MAX_HEADER_NAME;

  for (const char *p = name; *p != '\0'; p++)
    good = good && g_ascii_isgraph (*p) && *p != ':';
  if (!good)
    return tally_throw (error, TALLY_ERROR_DATA, "\"%.40s\" is no name of a header", name);
  for (guint i = 0; own_headers[i] != NULL; i++)
    if (g_ascii_strcasecmp (own_headers[i], name) == 0)
      return tally_throw (error, TALLY_ERROR_DATA, "the header \"%s\" is not given here%s", name,
                          i < 10 ? ", it has a column of its own" : "");
  if (g_ascii_strncasecmp (name, "Content-", 8) == 0)
    return tally_throw (error, TALLY_ERROR_DATA, "the header \"%s\" is not given here, the parts of the message have it", name);
  return TRUE;
}

static gboolean
add_header (GPtrArray *headers, const char *name, json_object *value, GError **error)
{
  const char *text = json_object_get_string (value);

  if (value == NULL)
    return TRUE;
  if (json_object_is_type (value, json_type_object) || json_object_is_type (value, json_type_array)
      || (json_object_is_type (value, json_type_string) && !email_json_is_text (value)))
    return tally_throw (error, TALLY_ERROR_DATA, "the header \"%s\" is no text", name);
  if (!check_header_name (name, error))
    return FALSE;
  if (strlen (text) > MAX_HEADER_VALUE)
    return tally_throw (error, TALLY_ERROR_DATA, "the header \"%s\" has more than %d bytes", name, MAX_HEADER_VALUE);
  if (!email_check_header (text, error))
    return tally_throw_prefix (error, "the header \"%s\"", name);
  if (headers->len >= 2 * MAX_HEADERS)
    return tally_throw (error, TALLY_ERROR_DATA, "there are more than %d headers", MAX_HEADERS);
  g_ptr_array_add (headers, g_strdup (name));
  g_ptr_array_add (headers, g_strdup (text));
  return TRUE;
}

static gboolean
read_headers (GPtrArray *headers, const char *text, GError **error)
{
  g_autoptr (json_object) json = email_json_parse (text);

  if (!json_object_is_type (json, json_type_object))
    return json == NULL || tally_throw (error, TALLY_ERROR_DATA, "it is no object of names and texts");
  json_object_object_foreach (json, name, value)
    if (!add_header (headers, name, value, error))
      return FALSE;
  return TRUE;
}

/* ---- All of it ---- */

static gboolean
read_date (EmailLetter *letter, const EmailPlan *plan, const TallyBatch *batch, guint row, GError **error)
{
  gint64 value;

  if (!email_plan_gives (plan, batch, row, EMAIL_DATE))
    {
      letter->date = g_date_time_new_now_utc ();
      return TRUE;
    }
  value = tally_batch_get_int (batch, row, (guint) plan->columns[EMAIL_DATE]);
  if (value != G_MININT64 && value != G_MAXINT64)
    letter->date = g_date_time_new_from_unix_utc (value / G_USEC_PER_SEC + EMAIL_EPOCH);
  if (letter->date != NULL && g_date_time_get_year (letter->date) >= 1900)
    return TRUE;
  return tally_throw (error, TALLY_ERROR_DATA, "it is no time that a message can have");
}

static gboolean
read_part (EmailLetter *letter, const EmailRules *rules, EmailColumn part, gboolean is_json, char **value, GError **error)
{
  switch (part)
    {
    case EMAIL_SUBJECT:
      letter->subject = g_steal_pointer (value);
      return email_check_header (letter->subject, error);
    case EMAIL_TEXT:
      letter->text = g_steal_pointer (value);
      return TRUE;
    case EMAIL_HTML:
      letter->html = g_steal_pointer (value);
      return TRUE;
    case EMAIL_IN_REPLY_TO:
      return read_ids (*value, is_json, &letter->in_reply_to, error);
    case EMAIL_REFERENCES:
      return read_ids (*value, is_json, &letter->references, error);
    case EMAIL_HEADERS:
      return read_headers (letter->headers, *value, error);
    case EMAIL_ATTACHMENTS:
      return email_files_read (letter->files, rules, *value, is_json, error);
    default:
      return read_people (letter->lists[part], *value, is_json, error);
    }
}

/* The one sender, and to whom it goes if no column tells. */
static gboolean
complete_lists (EmailLetter *letter, const EmailRules *rules, GError **error)
{
  InternetAddressList *list = letter->lists[EMAIL_FROM];
  guint n = 0;

  for (EmailColumn part = EMAIL_TO; part <= EMAIL_BCC; part++)
    n += email_addresses_count (letter->lists[part]);
  if (n == 0 && rules->to != NULL && !email_addresses_add_list (letter->lists[EMAIL_TO], rules->to, error))
    return FALSE;
  if (email_addresses_count (list) == 0 && rules->from != NULL && !email_addresses_add_list (list, rules->from, error))
    return FALSE;
  return email_addresses_count (list) == 1
         || tally_throw (error, TALLY_ERROR_DATA, "a message has one sender, and this has %u", email_addresses_count (list));
}

static gboolean
fail_in (EmailColumn part, GError **error)
{
  return tally_throw_prefix (error, "column \"%s\"", parts[part].name);
}

gboolean
email_letter_read (EmailLetter *letter, const EmailPlan *plan, const EmailRules *rules, const TallyBatch *batch, guint row,
                   const char *reference, GError **error)
{
  g_autofree char *id = dup_value (plan, batch, row, EMAIL_MESSAGE_ID);

  for (EmailColumn part = 0; part < EMAIL_N_LISTS; part++)
    letter->lists[part] = internet_address_list_new ();
  letter->headers = g_ptr_array_new_with_free_func (g_free);
  letter->files = g_ptr_array_new_with_free_func (email_file_free);
  for (EmailColumn part = 0; part < EMAIL_RAW; part++)
    {
      g_autofree char *value
          = part == EMAIL_DATE || part == EMAIL_MESSAGE_ID ? NULL : dup_value (plan, batch, row, part);

      if (value != NULL && !read_part (letter, rules, part, plan->types[part] == TALLY_TYPE_JSONB, &value, error))
        return fail_in (part, error);
    }
  if (!complete_lists (letter, rules, error))
    return fail_in (EMAIL_FROM, error);
  if (!read_date (letter, plan, batch, row, error))
    return fail_in (EMAIL_DATE, error);
  return read_message_id (letter, id, reference, error) || fail_in (EMAIL_MESSAGE_ID, error);
}

void
email_letter_clear (EmailLetter *letter)
{
  for (EmailColumn part = 0; part < EMAIL_N_LISTS; part++)
    g_clear_object (&letter->lists[part]);
  g_clear_pointer (&letter->subject, g_free);
  g_clear_pointer (&letter->text, g_free);
  g_clear_pointer (&letter->html, g_free);
  g_clear_pointer (&letter->date, g_date_time_unref);
  g_clear_pointer (&letter->message_id, g_free);
  g_clear_pointer (&letter->in_reply_to, g_free);
  g_clear_pointer (&letter->references, g_free);
  g_clear_pointer (&letter->headers, g_ptr_array_unref);
  g_clear_pointer (&letter->files, g_ptr_array_unref);
}
