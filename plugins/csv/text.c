/* text.c: UTF-8, blanks and escapes */
#include "text.h"
#include <string.h>

/* The length of the character at data, or 0 if it is none (Unicode 15, table 3-7). */
static inline guint
character_length (const guint8 *data, gsize left)
{
  guint8 first = data[0], low = 0x80, high = 0xbf;
  guint length;

  if (first < 0xc2 || first > 0xf4)
    return 0;

  length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (left < length)
    return 0;
  switch (first)
    {
    case 0xe0:
      low = 0xa0;
      break;
    case 0xed:
      high = 0x9f;
      break;
    case 0xf0:
      low = 0x90;
      break;
    case 0xf4:
      high = 0x8f;
      break;
    }
  if (data[1] < low || data[1] > high)
    return 0;
  for (guint i = 2; i < length; i++)
    if ((data[i] & 0xc0) != 0x80)
      return 0;
  return length;
}

gsize
csv_text_next_bad (const guint8 *data, gsize length, const CsvMask *masks, gsize from)
{
  while (from < length)
    {
      gsize word = from / CSV_WORD;
      guint64 bits = masks[word].suspects & (G_MAXUINT64 << (from % CSV_WORD));

      if (bits == 0)
        {
          from = (word + 1) * CSV_WORD;
          continue;
        }
      from = word * CSV_WORD + __builtin_ctzll (bits);
      /* Such characters come in rows. */
      while (from < length && data[from] >= 0x80)
        {
          guint n = character_length (data + from, length - from);

          if (n == 0)
            return from;
          from += n;
        }
      if (from < length && data[from] == '\0')
        return from;
    }

  return G_MAXSIZE;
}

gboolean
csv_text_is_blank (const guint8 *data, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (data[i] != ' ' && data[i] != '\t')
      return FALSE;

  return TRUE;
}

TallyText
csv_text_trim (TallyText text)
{
  while (text.length > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
    text = (TallyText) { text.data + 1, text.length - 1 };
  while (text.length > 0 && (text.data[text.length - 1] == ' ' || text.data[text.length - 1] == '\t'))
    text.length--;
  return text;
}

/* Quotes that stand for one each, in pairs: what is between them moves in one piece. */
static TallyText
halve_quotes (TallyText text, guint8 quote)
{
  char *into = (char *) text.data;
  const char *from = text.data, *end = text.data + text.length, *found;

  while ((found = memchr (from, quote, end - from)) != NULL)
    {
      gsize n = found + 1 - from;

      memmove (into, from, n);
      into += n;
      from = found + 1 < end && (guint8) found[1] == quote ? found + 2 : found + 1;
    }
  memmove (into, from, end - from);
  text.length = into + (end - from) - text.data;
  return text;
}

TallyText
csv_text_unescape (TallyText text, const CsvSpecials *specials)
{
  char *into = (char *) text.data;
  const char *from = text.data, *end = text.data + text.length;

  if (specials->escape == specials->quote)
    return halve_quotes (text, specials->quote);

  while (from < end)
    {
      guint8 byte = *from, next = from + 1 < end ? from[1] : 0;

      /* The same rule as finds the closing quote. */
      if ((byte == specials->quote && next == specials->quote)
          || (byte == specials->escape && (next == specials->quote || next == specials->escape)))
        from++;
      *into++ = *from++;
    }

  text.length = into - text.data;
  return text;
}
