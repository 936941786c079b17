/* charset.c: iconv, fed in chunks */
#include "charset.h"
#include <tallyman/plugin.h>
#include <errno.h>
#include <string.h>

#define CHUNK (64 * 1024)
/* No character of any encoding is longer in UTF-8, with what iconv may hold back. */
#define MIN_OUTPUT 64

struct _TallyDecoder
{
  GIConv iconv;
  TallyPull pull;
  gpointer from; /* (unowned) */
  gsize unit;    /* bytes to leave out where they mean nothing */
  guint8 *chunk; /* (owned) */
  gsize start, end;
  gboolean ended; /* nothing more to pull */
  gboolean flushed;
};

static const struct
{
  const char *charset;
  const char *mark;
  gsize length;
} marks[] = {
  /* The longer ones first: one begins like another. */
  { "UTF-32LE", "\xff\xfe\0\0", 4 }, { "UTF-32BE", "\0\0\xfe\xff", 4 }, { "UTF-8", "\xef\xbb\xbf", 3 },
  { "UTF-16LE", "\xff\xfe", 2 },     { "UTF-16BE", "\xfe\xff", 2 },
};

gboolean
tally_charset_is_utf8 (const char *name)
{
  return g_ascii_strcasecmp (name, "UTF-8") == 0 || g_ascii_strcasecmp (name, "UTF8") == 0;
}

const char *
tally_charset_from_mark (const guint8 *data, gsize length, gsize *ret_length)
{
  for (gsize i = 0; i < G_N_ELEMENTS (marks); i++)
    if (length >= marks[i].length && memcmp (data, marks[i].mark, marks[i].length) == 0)
      {
        *ret_length = marks[i].length;
        return marks[i].charset;
      }

  *ret_length = 0;
  return NULL;
}

gboolean
tally_charset_check (const char *name, GError **error)
{
  GIConv iconv = g_iconv_open ("UTF-8", name);

  if (iconv == (GIConv) -1)
    return tally_throw (error, TALLY_ERROR_USAGE, "there is no encoding \"%s\"; 'iconv -l' lists them", name);

  g_iconv_close (iconv);
  return TRUE;
}

TallyDecoder *
tally_decoder_new (const char *charset, TallyPull pull, gpointer from, GError **error)
{
  TallyDecoder *decoder;
  GIConv iconv;

  if (!tally_charset_check (charset, error))
    return NULL;

  iconv = g_iconv_open ("UTF-8", charset);
  decoder = g_new0 (TallyDecoder, 1);
  decoder->iconv = iconv;
  decoder->pull = pull;
  decoder->from = from;
  decoder->unit = g_ascii_strncasecmp (charset, "UTF-16", 6) == 0 || g_ascii_strncasecmp (charset, "UCS-2", 5) == 0   ? 2
                  : g_ascii_strncasecmp (charset, "UTF-32", 6) == 0 || g_ascii_strncasecmp (charset, "UCS-4", 5) == 0 ? 4
                                                                                                                     : 1;
  decoder->chunk = g_malloc (CHUNK);
  return decoder;
}

void
tally_decoder_free (TallyDecoder *decoder)
{
  if (decoder == NULL)
    return;

  g_iconv_close (decoder->iconv);
  g_free (decoder->chunk);
  g_free (decoder);
}

/* Moves an unfinished character to the front and reads on behind it. */
static gboolean
refill (TallyDecoder *decoder, GError **error)
{
  gsize kept = decoder->end - decoder->start;
  gssize got;

  memmove (decoder->chunk, decoder->chunk + decoder->start, kept);
  got = decoder->pull (decoder->from, decoder->chunk + kept, CHUNK - kept, error);
  if (got < 0)
    return FALSE;

  decoder->start = 0;
  decoder->end = kept + got;
  decoder->ended = got == 0;
  return TRUE;
}

/* Marks bytes that mean nothing, and goes on after them. */
static void
mark_undecodable (TallyDecoder *decoder, char **out, gsize *room)
{
  decoder->start += MIN (decoder->unit, decoder->end - decoder->start);
  *(*out)++ = (char) TALLY_UNDECODABLE;
  (*room)--;
}

gssize
tally_decoder_read (TallyDecoder *decoder, guint8 *buffer, gsize size, GError **error)
{
  char *out = (char *) buffer;
  gsize room = size;

  g_return_val_if_fail (size >= MIN_OUTPUT, -1);
  while (room >= MIN_OUTPUT && !decoder->flushed)
    {
      char *in = (char *) decoder->chunk + decoder->start;
      gsize left = decoder->end - decoder->start;
      gboolean starved = left == 0;

      if (!starved)
        {
          gsize status = g_iconv (decoder->iconv, &in, &left, &out, &room);

          decoder->start = decoder->end - left;
          if (status == (gsize) -1 && errno == E2BIG)
            break;
          if (status == (gsize) -1 && (errno == EILSEQ || decoder->ended))
            mark_undecodable (decoder, &out, &room);
          else
            starved = TRUE; /* all is decoded, or a character is cut off */
        }
      if (starved && decoder->ended)
        {
          g_iconv (decoder->iconv, NULL, NULL, &out, &room);
          decoder->flushed = TRUE;
        }
      else if (starved && room < size)
        break;
      else if (starved && !refill (decoder, error))
        return -1;
    }

  return size - room;
}
