/* reword.c: header values whose charsets are not what they say
 *
 * Senders cut a character in two, which RFC 2047 forbids, call windows-1252 iso-8859-1, or write bytes with no word about them.  GMime
 * takes each word by itself and by its name.
 */
#include "reword.h"
#include "decode.h"
#include <string.h>

/* No charset has a longer name. */
#define MAX_NAME 64

/* =?charset?encoding?text?= */
typedef struct
{
  TallyText charset, text;
  char encoding;
  const char *end;
} Word;

/* last: where the last word of the value ends, at the latest; without it a value of beginnings alone would take long. */
static gboolean
read_word (const char *at, const char *last, Word *ret_word)
{
  const char *charset = at + 2, *text, *end;
  gsize length;

  if (last == NULL || !g_str_has_prefix (at, "=?"))
    return FALSE;
  for (length = 0; length <= MAX_NAME && charset[length] != '\0' && strchr ("? \t\r\n", charset[length]) == NULL;)
    length++;
  if (length > MAX_NAME || charset[length] != '?' || charset[length + 1] == '\0' || strchr ("bBqQ", charset[length + 1]) == NULL
      || charset[length + 2] != '?')
    return FALSE;
  text = charset + length + 3;
  if (text > last)
    return FALSE;

  end = strstr (text, "?=");
  *ret_word = (Word){ .charset = { charset, MIN (strcspn (charset, "*?"), length) },
                      .text = { text, (gsize)(end - text) },
                      .encoding = charset[length + 1],
                      .end = end + 2 };
  return TRUE;
}

static void
append_bytes (const Word *word, GByteArray *out)
{
  gboolean is_base64 = g_ascii_toupper (word->encoding) == 'B';
  g_autofree char *text = g_strndup (word->text.data, word->text.length);
  gsize before = out->len, length;
  GMimeEncoding decoder;

  if (!is_base64)
    g_strdelimit (text, "_", ' ');
  g_mime_encoding_init_decode (&decoder, is_base64 ? GMIME_CONTENT_ENCODING_BASE64 : GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
  g_byte_array_set_size (out, (guint)(before + g_mime_encoding_outlen (&decoder, word->text.length)));
  length = g_mime_encoding_flush (&decoder, text, word->text.length, (char *)out->data + before);
  g_byte_array_set_size (out, (guint)(before + length));
}

static gboolean
has_charset_of (const Word *word, const Word *other)
{
  return word->charset.length == other->charset.length
         && g_ascii_strncasecmp (word->charset.data, other->charset.data, other->charset.length) == 0;
}

/* Words that follow each other in one charset: what they are in UTF-8.  word is the next one, if there is one, in another charset. */
static gboolean
read_run (Word *word, const char *last, const char **ret_end, GString *text)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autofree char *charset = tally_text_dup (word->charset);
  Word first = *word;
  gboolean more;

  do
    {
      append_bytes (word, bytes);
      *ret_end = word->end;
      more = read_word (word->end + strspn (word->end, " \t\r\n"), last, word);
    }
  while (more && has_charset_of (word, &first));

  mail_decode_text (mime_view (bytes), charset, text);
  return more;
}

/* All words that follow each other, as one word. */
static const char *
append_words (const Word *first, const char *last, GString *out)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *encoded = NULL;
  Word word = *first;
  const char *end;

  while (read_run (&word, last, &end, text))
    ;
  encoded = g_base64_encode ((const guchar *)text->str, text->len);
  g_string_append_printf (out, "=?utf-8?B?%s?=", encoded);
  return end;
}

static guint
count_colons (const char *text)
{
  guint n = 0;

  for (; *text != '\0'; text++)
    n += *text == ':';
  return n;
}

char *
mail_reword (const char *value, const char *charset)
{
  g_autoptr (GString) words = g_string_new (NULL), text = g_string_new (NULL);
  const char *last = g_strrstr (value, "?=");
  Word word;

  for (const char *at = value; *at != '\0';)
    if (*at == '=' && read_word (at, last, &word))
      at = append_words (&word, last, words);
    else
      g_string_append_c (words, *at++);

  if (g_utf8_validate (words->str, (gssize)words->len, NULL))
    return g_strdup (words->str);
  mail_decode_text ((TallyText){ words->str, words->len }, charset, text);
  /* Some charsets have other bytes for what means something in a header, and these were not looked at. */
  return g_strdup (count_colons (text->str) > count_colons (words->str) ? words->str : text->str);
}
