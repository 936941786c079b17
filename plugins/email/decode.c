/* decode.c: the text of a part, in UTF-8
 *
 * As browsers and mail readers do: a byte-order mark wins over the charset that is named; a text without one, or with one that
 * nobody knows, is UTF-8 if it can be, else windows-1252; and names that senders give to less than they use stand for the whole
 * (WHATWG Encoding, section 4.2).
 */
#include "decode.h"
#include "charset.h"
#include "mime.h"
#include <string.h>

#define CHUNK 4096
/* HTML names its charset in its first bytes, or never. */
#define HTML_HEAD 1024
#define MAX_NAME 40

static const struct
{
  const char *named, *meant;
} aliases[] = {
  { "ansi_x3.4-1968", "US-ASCII" }, { "ascii", "US-ASCII" },           { "big5", "BIG5-HKSCS" },
  { "cn-gb", "GB18030" },           { "cp-850", "CP850" },             { "euc-kr", "UHC" },
  { "gb2312", "GB18030" },          { "gb_2312-80", "GB18030" },       { "gbk", "GB18030" },
  { "iso-8859-1", "windows-1252" }, { "iso-8859-8-i", "ISO-8859-8" },  { "iso-8859-9", "windows-1254" },
  { "iso8859-1", "windows-1252" },  { "iso_8859-1", "windows-1252" },  { "ks_c_5601-1987", "UHC" },
  { "ks_c_5601", "UHC" },           { "ksc5601", "UHC" },              { "latin1", "windows-1252" },
  { "shift-jis", "CP932" },         { "shift_jis", "CP932" },          { "sjis", "CP932" },
  { "tis-620", "CP874" },           { "unicode-1-1-utf-7", "UTF-7" },  { "us-ascii", "US-ASCII" },
  { "utf8", "UTF-8" },              { "x-big5", "BIG5-HKSCS" },        { "x-gbk", "GB18030" },
  { "x-sjis", "CP932" },            { "x-unknown", NULL },             { "x-user-defined", NULL },
};

/* What is meant by a name, or NULL if it says nothing. */
static char *
known_charset (const char *charset)
{
  g_autofree char *name = g_strndup (charset != NULL ? charset : "", MAX_NAME);

  g_strstrip (g_strdelimit (name, "\"'", ' '));
  name[strcspn (name, ";, \t")] = '\0';
  for (gsize i = 0; i < G_N_ELEMENTS (aliases); i++)
    if (g_ascii_strcasecmp (aliases[i].named, name) == 0)
      return g_strdup (aliases[i].meant);

  if (*name == '\0' || strchr (name, '/') != NULL || !tally_charset_check (name, NULL))
    return NULL;
  return g_steal_pointer (&name);
}

/* A TallyPull over what is left of a text. */
static gssize
pull_text (gpointer from, guint8 *buffer, gsize size, GError **error)
{
  TallyText *left = from;
  gsize n = MIN (size, left->length);

  memcpy (buffer, left->data, n);
  left->data += n;
  left->length -= n;
  return (gssize)n;
}

static void
append_converted (TallyText bytes, const char *charset, GString *out)
{
  g_autoptr (TallyDecoder) decoder = tally_decoder_new (charset, pull_text, &bytes, NULL);
  g_autoptr (GString) decoded = g_string_new (NULL);
  guint8 chunk[CHUNK];
  gssize got;

  while (decoder != NULL && (got = tally_decoder_read (decoder, chunk, sizeof chunk, NULL)) > 0)
    g_string_append_len (decoded, (const char *)chunk, got);
  mime_append_text ((TallyText){ decoded->str, decoded->len }, out);
}

void
mail_decode_text (TallyText bytes, const char *charset, GString *out)
{
  gsize mark_length;
  const char *marked = tally_charset_from_mark ((const guint8 *)bytes.data, bytes.length, &mark_length);
  g_autofree char *known = marked != NULL ? g_strdup (marked) : known_charset (charset);
  gboolean is_utf8 = known != NULL && tally_charset_is_utf8 (known);
  gboolean is_open = known == NULL || g_str_equal (known, "US-ASCII");

  bytes.data += mark_length;
  bytes.length -= mark_length;
  if (is_utf8 || (is_open && g_utf8_validate_len (bytes.data, bytes.length, NULL)))
    mime_append_text (bytes, out);
  else
    append_converted (bytes, is_open ? "windows-1252" : known, out);
}

char *
mail_html_charset (TallyText html)
{
  g_autofree char *head = g_ascii_strdown (html.data, (gssize)MIN (html.length, HTML_HEAD));
  const char *found = strstr (head, "charset=");

  if (found == NULL)
    return NULL;
  found += strlen ("charset=");
  found += strspn (found, "\"' ");
  return g_strndup (found, MIN (strcspn (found, "\"' ;>/\r\n"), MAX_NAME));
}
