/* mime.c: GMime as we use it */
#include "mime.h"
#include "init.h"
#include <string.h>
#include <tallyman/batch.h>

#define REPLACEMENT "\xef\xbf\xbd"

/* What bytes in a header mean that no charset explains. */
static const char *fallback_charsets[] = { "utf-8", "windows-1252", NULL };

static gpointer
make_ready (gpointer ignored)
{
  GMimeParserOptions *options;

  email_init ();
  options = g_mime_parser_options_new ();
  g_mime_parser_options_set_fallback_charsets (options, fallback_charsets);
  g_mime_parser_options_set_allow_addresses_without_domain (options, TRUE);
  return options;
}

GMimeParserOptions *
mime_options (void)
{
  static GOnce once = G_ONCE_INIT;

  return g_once (&once, make_ready, NULL);
}

GMimeMessage *
mime_parse (GByteArray *bytes)
{
  GMimeParserOptions *options = mime_options ();
  g_autoptr (GMimeStream) stream = g_mime_stream_mem_new_with_byte_array (bytes);
  g_autoptr (GMimeParser) parser = NULL;

  g_mime_stream_mem_set_owner (GMIME_STREAM_MEM (stream), FALSE);
  parser = g_mime_parser_new_with_stream (stream);
  return g_mime_parser_construct_message (parser, options);
}

GByteArray *
mime_content (GMimeObject *part)
{
  GByteArray *bytes = g_byte_array_new ();
  g_autoptr (GMimeStream) stream = g_mime_stream_mem_new_with_byte_array (bytes);

  g_mime_stream_mem_set_owner (GMIME_STREAM_MEM (stream), FALSE);
  if (GMIME_IS_PART (part))
    {
      GMimeDataWrapper *content = g_mime_part_get_content (GMIME_PART (part)); /* (nullable) of a part without any */

      if (content != NULL)
        g_mime_data_wrapper_write_to_stream (content, stream);
    }
  else
    g_mime_object_write_content_to_stream (part, NULL, stream);
  return bytes;
}

TallyText
mime_view (const GByteArray *bytes)
{
  return (TallyText){ bytes->data != NULL ? (const char *)bytes->data : "", bytes->len };
}

/* Valid UTF-8 up to a NUL or a bad byte; ret_rest is behind it. */
static void
append_valid (const char **rest, const char *end, GString *out)
{
  const char *start = *rest;

  g_utf8_validate_len (start, (gsize)(end - start), rest);
  for (const char *at = start; at < *rest; at++)
    if (*at != '\r')
      g_string_append_c (out, *at);
    else if (at + 1 == end || at[1] != '\n')
      g_string_append_c (out, '\n');
}

void
mime_append_text (TallyText text, GString *out)
{
  const char *at = text.data, *end = text.data + text.length;

  while (at < end)
    {
      append_valid (&at, end, out);
      if (at == end)
        break;
      g_string_append (out, REPLACEMENT);
      at++;
    }
}

void
mime_append_json (const char *text, GString *out)
{
  g_autoptr (GString) valid = NULL;

  if (text == NULL)
    {
      g_string_append (out, "null");
      return;
    }
  valid = g_string_new (NULL);
  mime_append_text ((TallyText){ text, strlen (text) }, valid);
  tally_json_append_string ((TallyText){ valid->str, valid->len }, out);
}

void
mime_append_member (const char *name, const char *text, GString *out)
{
  if (out->str[out->len - 1] != '{')
    g_string_append (out, ", ");
  g_string_append_printf (out, "\"%s\": ", name);
  mime_append_json (text, out);
}
