/* body.c: which parts of a message are its text, and which are attached to it (RFC 8621, section 4.1.4) */
#include "body.h"
#include "decode.h"
#include "flow.h"
#include "reword.h"
#include <string.h>

/* Bytes; no file has a longer name. */
#define MAX_NAME 255

/* The multipart that a part stands in. */
typedef struct
{
  const char *subtype; /* (unowned) */
  gboolean in_alternative;
  gboolean to_text, to_html; /* which of the two forms the parts belong to */
  gint64 depth;              /* left */
} Place;

char *
mail_type (GMimeObject *part)
{
  g_autofree char *type = g_mime_content_type_get_mime_type (g_mime_object_get_content_type (part));

  return g_ascii_strdown (type, -1);
}

static gboolean
is_type (GMimeObject *part, const char *type, const char *subtype)
{
  return g_mime_content_type_is_type (g_mime_object_get_content_type (part), type, subtype);
}

gboolean
mail_is_html (GMimeObject *part)
{
  return is_type (part, "text", "html");
}

/* As a file can have it: no folders, nothing that is no character, not too long. */
static char *
clean_name (const char *name)
{
  g_autoptr (GString) valid = g_string_new (NULL);
  const char *end;

  mime_append_text ((TallyText){ name, strlen (name) }, valid);
  for (char *at = valid->str; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at) || *at == '/' || *at == '\\')
      *at = '_';
  g_strstrip (valid->str);
  if (strlen (valid->str) > MAX_NAME)
    {
      valid->str[MAX_NAME] = '\0';
      g_utf8_validate (valid->str, -1, &end);
      valid->str[end - valid->str] = '\0';
    }
  return *valid->str != '\0' ? g_strdup (valid->str) : NULL;
}

/* (transfer full) (nullable) A field's value, whose encoded words are in UTF-8. */
static char *
reworded (GMimeObject *part, const char *field)
{
  GMimeHeader *header = g_mime_header_list_get_header (g_mime_object_get_header_list (part), field);
  const char *raw = header != NULL ? g_mime_header_get_raw_value (header) : NULL;

  return raw != NULL ? mail_reword (raw, NULL) : NULL;
}

/* (transfer full) (nullable) The name as it is given. */
static char *
given_name (GMimeObject *part)
{
  g_autofree char *disposition = reworded (part, "Content-Disposition"), *type = reworded (part, "Content-Type");
  g_autoptr (GMimeContentDisposition) parsed = disposition != NULL ? g_mime_content_disposition_parse (mime_options (), disposition) : NULL;
  g_autoptr (GMimeContentType) parsed_type = type != NULL ? g_mime_content_type_parse (mime_options (), type) : NULL;
  const char *name = parsed != NULL ? g_mime_content_disposition_get_parameter (parsed, "filename") : NULL;

  if (name == NULL && parsed_type != NULL)
    name = g_mime_content_type_get_parameter (parsed_type, "name");
  return g_strdup (name);
}

char *
mail_part_name (GMimeObject *part)
{
  g_autofree char *given = given_name (part);
  GMimeMessage *message = GMIME_IS_MESSAGE_PART (part) ? g_mime_message_part_get_message (GMIME_MESSAGE_PART (part)) : NULL;
  const char *subject = message != NULL ? g_mime_message_get_subject (message) : NULL, *name = given;
  g_autofree char *file = subject != NULL ? g_strconcat (subject, ".eml", NULL) : NULL;

  if (name == NULL)
    return file != NULL ? clean_name (file) : NULL;
  for (const char *separator; (separator = strpbrk (name, "/\\")) != NULL;)
    name = separator + 1;
  return clean_name (name);
}

static gboolean
is_inline (GMimeObject *part, guint index, const Place *place)
{
  const char *disposition = g_mime_object_get_disposition (part);
  g_autofree char *name = NULL;

  if (!GMIME_IS_PART (part) || (disposition != NULL && g_ascii_strcasecmp (disposition, "attachment") == 0)
      || (!is_type (part, "text", "plain") && !mail_is_html (part)))
    return FALSE;
  if (index == 0)
    return TRUE;

  name = mail_part_name (part);
  return name == NULL && g_ascii_strcasecmp (place->subtype, "related") != 0;
}

static void
add_text (GMimeObject *part, Place *place, MailBody *body)
{
  gboolean is_html = mail_is_html (part);

  if (g_ascii_strcasecmp (place->subtype, "alternative") == 0)
    {
      g_ptr_array_add (is_html ? body->html : body->text, part);
      return;
    }
  /* Something of one kind deep in an alternative belongs to that form alone. */
  if (place->in_alternative && is_html)
    place->to_text = FALSE;
  else if (place->in_alternative)
    place->to_html = FALSE;
  if (place->to_text)
    g_ptr_array_add (body->text, part);
  if (place->to_html)
    g_ptr_array_add (body->html, part);
  if (!place->to_text && !place->to_html)
    g_ptr_array_add (body->attachments, part);
}

/* What an alternative has in one form only stands for the other one, too. */
static void
complete_alternative (MailBody *body, guint n_text, guint n_html)
{
  GPtrArray *from = body->text->len == n_text ? body->html : body->text;
  GPtrArray *to = body->text->len == n_text ? body->text : body->html;
  guint first = from == body->html ? n_html : n_text;

  if (body->text->len != n_text && body->html->len != n_html)
    return;
  for (guint i = first, end = from->len; i < end; i++)
    g_ptr_array_add (to, g_ptr_array_index (from, i));
}

static gboolean add_parts (GMimeMultipart *multipart, Place place, MailBody *body);

static gboolean
add_part (GMimeObject *part, guint index, Place *place, MailBody *body)
{
  if (GMIME_IS_MULTIPART (part))
    {
      const char *subtype = g_mime_content_type_get_media_subtype (g_mime_object_get_content_type (part));
      gboolean is_alternative = g_ascii_strcasecmp (subtype, "alternative") == 0;

      return add_parts (GMIME_MULTIPART (part), (Place){ subtype, place->in_alternative || is_alternative, place->to_text,
                                                         place->to_html, place->depth - 1 }, body);
    }

  if (is_inline (part, index, place))
    add_text (part, place, body);
  else
    g_ptr_array_add (body->attachments, part);
  return TRUE;
}

static gboolean
add_parts (GMimeMultipart *multipart, Place place, MailBody *body)
{
  guint n = (guint)g_mime_multipart_get_count (multipart), n_text = body->text->len, n_html = body->html->len;

  if (place.depth < 0)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!add_part (g_mime_multipart_get_part (multipart, (int)i), i, &place, body))
      return FALSE;

  if (g_ascii_strcasecmp (place.subtype, "alternative") == 0 && place.to_text && place.to_html)
    complete_alternative (body, n_text, n_html);
  return TRUE;
}

gboolean
mail_find_body (GMimeMessage *message, gint64 max_depth, MailBody *ret_body)
{
  GMimeObject *root = g_mime_message_get_mime_part (message); /* (nullable) */
  Place top = { "mixed", FALSE, TRUE, TRUE, max_depth };

  ret_body->text = g_ptr_array_new ();
  ret_body->html = g_ptr_array_new ();
  ret_body->attachments = g_ptr_array_new ();
  return root == NULL || add_part (root, 0, &top, ret_body);
}

void
mail_body_clear (MailBody *body)
{
  g_clear_pointer (&body->text, g_ptr_array_unref);
  g_clear_pointer (&body->html, g_ptr_array_unref);
  g_clear_pointer (&body->attachments, g_ptr_array_unref);
}

static gboolean
has_parameter (GMimeObject *part, const char *name, const char *value)
{
  const char *given = g_mime_object_get_content_type_parameter (part, name);

  return given != NULL && g_ascii_strcasecmp (given, value) == 0;
}

void
mail_append_part_text (GMimeObject *part, GString *out)
{
  g_autoptr (GByteArray) content = mime_content (part);
  TallyText bytes = mime_view (content);
  const char *named = g_mime_object_get_content_type_parameter (part, "charset");
  g_autoptr (GString) flowed = g_string_new (NULL);
  g_autofree char *own = named == NULL && mail_is_html (part) ? mail_html_charset (bytes) : NULL;

  if (!has_parameter (part, "format", "flowed") || mail_is_html (part))
    {
      mail_decode_text (bytes, named != NULL ? named : own, out);
      return;
    }
  mail_decode_text (bytes, named, flowed);
  mail_append_unflowed ((TallyText){ flowed->str, flowed->len }, has_parameter (part, "delsp", "yes"), out);
}
