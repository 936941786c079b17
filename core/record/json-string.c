/* json-string.c: text as a JSON string
 *
 * Most text has nothing to escape.  So it is copied sixteen bytes at a time while it is looked through; what was copied from the
 * first byte on that has a meaning is written over.
 */
#include <tallyman/batch.h>
#include <string.h>

/* So much text at a time: there is room for it even if each byte takes the longest escape. */
#define PIECE 1024
#define LONGEST_ESCAPE 6 /* \u001f */

typedef guint8 Bytes __attribute__ ((vector_size (16)));

/* Where the first byte stands that has to be escaped; 16 if none has. */
static inline gsize
first_special (Bytes bytes)
{
  Bytes found = (Bytes) ((bytes < 0x20) | (bytes == '"') | (bytes == '\\'));
  guint64 halves[2];

  memcpy (halves, &found, sizeof halves);
  if (G_LIKELY ((halves[0] | halves[1]) == 0))
    return sizeof bytes;
  return halves[0] != 0 ? __builtin_ctzll (GUINT64_FROM_LE (halves[0])) / 8
                        : 8 + __builtin_ctzll (GUINT64_FROM_LE (halves[1])) / 8;
}

/* copy_plain() for half to twice as many bytes: the first ones and the last ones, which may be the same in part. */
static inline gsize
copy_ends (const char *from, gsize length, char *to, gsize half)
{
  Bytes bytes = (Bytes) { 0 } + 'a';
  gsize found, rest = length - half;

  memcpy (&bytes, from, half);
  memcpy ((char *) &bytes + half, from + rest, half);
  memcpy (to, &bytes, half);
  memcpy (to + rest, (char *) &bytes + half, half);
  found = first_special (bytes);
  return found < half ? found : MIN (found - half + rest, length);
}

/* Copies up to the first byte that has to be escaped; returns how many bytes come before it.  Some behind them may be copied,
 * too. */
static inline gsize
copy_plain (const char *from, gsize length, char *to)
{
  gsize done = 0;

  if (length >= 8 && length < sizeof (Bytes))
    return copy_ends (from, length, to, 8);
  if (length >= 4 && length < 8)
    return copy_ends (from, length, to, 4);
  if (length < 4)
    {
      for (; done < length && (guint8) from[done] >= 0x20 && from[done] != '"' && from[done] != '\\'; done++)
        to[done] = from[done];
      return done;
    }

  for (;; done += sizeof (Bytes))
    {
      gsize at = MIN (done, length - sizeof (Bytes)), found; /* the last ones by going back over some */
      Bytes bytes;

      memcpy (&bytes, from + at, sizeof bytes);
      memcpy (to + at, &bytes, sizeof bytes);
      found = first_special (bytes);
      if (found < sizeof bytes)
        return at + found;
      if (done + sizeof bytes >= length)
        return length;
    }
}

static char *
put_escape (guint8 byte, char *to)
{
  static const char letters[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n',  ['\f'] = 'f',
                                  ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\' };

  *to++ = '\\';
  if (letters[byte] != '\0')
    {
      *to++ = letters[byte];
      return to;
    }

  *to++ = 'u';
  *to++ = '0';
  *to++ = '0';
  *to++ = "01"[byte >> 4];
  *to++ = "0123456789abcdef"[byte & 0xf];
  return to;
}

static char *
put_piece (const char *from, gsize length, char *to)
{
  const char *end = from + length;

  for (;;)
    {
      gsize n_plain = copy_plain (from, end - from, to);

      from += n_plain;
      to += n_plain;
      if (from == end)
        return to;
      to = put_escape (*from++, to);
    }
}

/* Where so many bytes may be written behind a string. */
static inline char *
make_room (GString *out, gsize room)
{
  gsize length = out->len;

  if (G_UNLIKELY (out->allocated_len - length <= room))
    {
      g_string_set_size (out, length + room);
      out->len = length;
    }
  return out->str + length;
}

void
tally_json_append_string (TallyText text, GString *out)
{
  gsize done = 0;

  g_string_append_c (out, '"');
  while (done < text.length)
    {
      gsize length = MIN (text.length - done, PIECE);
      char *end = put_piece (text.data + done, length, make_room (out, length * LONGEST_ESCAPE));

      *end = '\0';
      out->len = end - out->str;
      done += length;
    }
  g_string_append_c (out, '"');
}
