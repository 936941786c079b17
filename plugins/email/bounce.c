/* bounce.c: what a mail server says of a message that it could not deliver, or has (RFC 3464) */
#include "bounce.h"
#include "excess.h"
#include <string.h>

/* A report is about a message; what it quotes of it has been in an encoding, so nobody has counted it yet. */
static const MailLimits header_limits = { .max_parts = 1000, .max_headers = 1000, .max_header_size = 256 * 1024 };

/* Of so many recipients is told what became of the message. */
#define MOST_GROUPS 10000

/* A field of the group of one recipient, and what we call it. */
static const struct
{
  const char *field, *name;
  gboolean typed; /* the value follows what kind it is: `rfc822; jane@example.org` */
} fields[] = {
  { "Final-Recipient", "recipient", TRUE },
  { "Action", "action", FALSE },
  { "Status", "status", FALSE },
  { "Diagnostic-Code", "diagnostic", TRUE },
};

static GMimeObject *
part_of_type (GMimeMultipart *report, const char *type, const char *subtype)
{
  for (int i = 0; i < g_mime_multipart_get_count (report); i++)
    {
      GMimeObject *part = g_mime_multipart_get_part (report, i);

      if (g_mime_content_type_is_type (g_mime_object_get_content_type (part), type, subtype))
        return part;
    }
  return NULL;
}

/* (transfer full) (nullable) */
static GMimeMessage *
parse_header (GByteArray *bytes)
{
  g_autofree char *excess = mail_excess (mime_view (bytes), &header_limits);

  return excess == NULL ? mime_parse (bytes) : NULL;
}

static char *
field_value (GMimeObject *group, guint field)
{
  GMimeHeader *header = g_mime_header_list_get_header (g_mime_object_get_header_list (group), fields[field].field);
  const char *value = header != NULL ? g_mime_header_get_value (header) : NULL;
  const char *separator = value != NULL && fields[field].typed ? strchr (value, ';') : NULL;
  g_autofree char *found = g_strdup (separator != NULL ? separator + 1 : value);

  return found != NULL ? g_strdup (g_strstrip (found)) : NULL;
}

static void
append_recipient (TallyText text, GString *json)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GMimeMessage) message = NULL;
  GMimeObject *group;
  g_autofree char *recipient = NULL;

  g_byte_array_append (bytes, (const guint8 *)text.data, (guint)text.length);
  g_byte_array_append (bytes, (const guint8 *)"\n\n", 2);
  message = parse_header (bytes);
  if (message == NULL)
    return;
  group = GMIME_OBJECT (message);
  recipient = field_value (group, 0);

  if (recipient == NULL)
    return;
  if (json->str[json->len - 1] != '[')
    g_string_append (json, ", ");
  g_string_append_c (json, '{');
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      g_autofree char *value = field_value (group, i);

      mime_append_member (fields[i].name, value, json);
    }
  g_string_append_c (json, '}');
}

/* The groups of fields, parted by empty lines: of the message first, then of each recipient. */
static void
append_recipients (GMimeObject *status, GString *json)
{
  g_autoptr (GByteArray) content = mime_content (status);
  g_autoptr (GString) text = g_string_new (NULL);
  const char *at, *end;

  mime_append_text (mime_view (content), text);
  end = text->str + text->len;
  at = text->str + strspn (text->str, " \t\n");
  for (guint n = 0; at < end && n < MOST_GROUPS; n++)
    {
      const char *empty = strstr (at, "\n\n");
      const char *last = empty != NULL ? empty : end;

      append_recipient ((TallyText){ at, (gsize)(last - at) }, json);
      at = last + strspn (last, " \t\n");
    }
}

/* The message that came back, or its header alone.  (transfer full) (nullable) */
static char *
original_id (GMimeMultipart *report)
{
  GMimeObject *whole = part_of_type (report, "message", "rfc822"), *header = part_of_type (report, "text", "rfc822-headers");
  g_autoptr (GMimeMessage) parsed = NULL;
  g_autoptr (GByteArray) content = NULL;
  GMimeMessage *message = NULL;

  if (whole != NULL && GMIME_IS_MESSAGE_PART (whole))
    message = g_mime_message_part_get_message (GMIME_MESSAGE_PART (whole));
  else if (header != NULL)
    {
      content = mime_content (header);
      g_byte_array_append (content, (const guint8 *)"\n\n", 2);
      message = parsed = parse_header (content);
    }
  return message != NULL ? g_strdup (g_mime_message_get_message_id (message)) : NULL;
}

gboolean
mail_append_bounce (GMimeMessage *message, GString *json)
{
  GMimeObject *root = g_mime_message_get_mime_part (message);
  GMimeObject *status = NULL;
  g_autofree char *id = NULL;

  if (root != NULL && GMIME_IS_MULTIPART (root))
    status = part_of_type (GMIME_MULTIPART (root), "message", "delivery-status");
  if (status == NULL)
    return FALSE;

  id = original_id (GMIME_MULTIPART (root));
  g_string_append_c (json, '{');
  mime_append_member ("original_message_id", id, json);
  g_string_append (json, ", \"recipients\": [");
  append_recipients (status, json);
  g_string_append (json, "]}");
  return TRUE;
}
