/* mbox.c: the messages of an mbox, one after the other
 *
 * What is read and not yet handed on stands in one buffer, from `start` on; places in it count from there, so that they stay when
 * more is read.
 */
#include "mbox.h"
#include "message.h"
#include <string.h>

#define BLOCK (256 * 1024)
/* Content-Length is not looked for further down. */
#define MAX_HEADER (1024 * 1024)
#define NOT_FOUND G_MAXSIZE

struct _MboxReader
{
  TallyInput *input; /* (owned) */
  MboxDialect dialect;
  gsize max_message;
  GByteArray *buffer;  /* (owned) */
  gsize start;
  guint64 offset;      /* of start in the input */
  gint64 line;         /* that begins there */
  gboolean at_end;     /* nothing more to read */
  gboolean is_begun;   /* a message was found */
  GByteArray *message; /* (owned) handed on */
};

/* With the day and the time at which it came, or a text's own "From " would begin a message where nobody escaped it. */
static gpointer
make_separator (gpointer ignored)
{
  return g_regex_new ("^From (?:.* )?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +(?:[0-9]{1,2} +)?"
                      "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) .*[0-9]:[0-9][0-9]",
                      G_REGEX_RAW, 0, NULL);
}

/* The length of the line that begins a message, with its end; 0 if it begins none. */
static gsize
separator_length (const char *at, gsize length)
{
  static GOnce once = G_ONCE_INIT;
  const char *end;

  length = MIN (length, MBOX_MAX_LINE);
  if (length < 5 || memcmp (at, "From ", 5) != 0)
    return 0;
  end = memchr (at, '\n', length);
  if (end == NULL && length == MBOX_MAX_LINE)
    return 0;
  if (end != NULL)
    length = (gsize)(end - at) + 1;
  return g_regex_match_full (g_once (&once, make_separator, NULL), at, (gssize)length, 0, 0, NULL, NULL) ? length : 0;
}

gboolean
mbox_begins_message (const char *at, gsize length)
{
  return separator_length (at, length) > 0;
}

MboxReader *
mbox_reader_new (TallyInput *input, MboxDialect dialect, gint64 max_message)
{
  MboxReader *reader = g_new0 (MboxReader, 1);

  reader->input = input;
  reader->dialect = dialect;
  reader->max_message = (gsize)max_message;
  reader->buffer = g_byte_array_new ();
  reader->message = g_byte_array_new ();
  reader->line = 1;
  return reader;
}

void
mbox_reader_free (MboxReader *reader)
{
  if (reader == NULL)
    return;

  tally_input_free (reader->input);
  g_byte_array_unref (reader->buffer);
  g_byte_array_unref (reader->message);
  g_free (reader);
}

TallyInput *
mbox_reader_input (MboxReader *reader)
{
  return reader->input;
}

guint64
mbox_reader_offset (MboxReader *reader)
{
  return reader->offset;
}

gint64
mbox_reader_line (MboxReader *reader)
{
  return reader->line;
}

/* ---- The buffer ---- */

static const char *
ahead (const MboxReader *reader)
{
  return (const char *)reader->buffer->data + reader->start;
}

static gsize
left (const MboxReader *reader)
{
  return reader->buffer->len - reader->start;
}

static gboolean
read_more (MboxReader *reader, GError **error)
{
  gsize kept = left (reader);
  gssize got;

  g_byte_array_remove_range (reader->buffer, 0, (guint)reader->start);
  reader->start = 0;
  g_byte_array_set_size (reader->buffer, (guint)(kept + BLOCK));
  got = tally_input_read (reader->input, reader->buffer->data + kept, BLOCK, error);
  g_byte_array_set_size (reader->buffer, (guint)(kept + (gsize)MAX (got, 0)));
  reader->at_end = got == 0;
  return got >= 0;
}

/* Reads until there are so many bytes, or no more. */
static gboolean
want (MboxReader *reader, gsize length, GError **error)
{
  while (left (reader) < length && !reader->at_end)
    if (!read_more (reader, error))
      return FALSE;
  return TRUE;
}

static void
consume (MboxReader *reader, gsize length)
{
  const char *at = ahead (reader), *end = at + length;

  while ((at = memchr (at, '\n', (gsize)(end - at))) != NULL)
    {
      reader->line++;
      at++;
    }
  reader->start += length;
  reader->offset += length;
}

/* How long the end of a line is that stands there, or 0. */
static gsize
line_end_at (const MboxReader *reader, gsize place)
{
  const char *at = ahead (reader) + place;
  gsize length = left (reader) - MIN (place, left (reader));

  if (length >= 1 && at[0] == '\n')
    return 1;
  return length >= 2 && at[0] == '\r' && at[1] == '\n' ? 2 : 0;
}

static gboolean
skip_empty_lines (MboxReader *reader, GError **error)
{
  gsize length;

  do
    {
      if (!want (reader, 2, error))
        return FALSE;
      length = line_end_at (reader, 0);
      consume (reader, length);
    }
  while (length > 0);
  return TRUE;
}

/* ---- Where a message begins ---- */

static gsize
separator_at (const MboxReader *reader, gsize place)
{
  return separator_length (ahead (reader) + place, left (reader) - MIN (place, left (reader)));
}

/* The first place behind `from` where a message begins, or the end of the input; NOT_FOUND if the limit comes first. */
static gboolean
find_separator (MboxReader *reader, gsize from, gsize limit, gsize *ret_place, GError **error)
{
  for (;;)
    {
      gsize length = left (reader);
      const char *found = memmem (ahead (reader) + from, length - from, "\nFrom ", 6);

      if (found != NULL)
        {
          from = (gsize)(found + 1 - ahead (reader));
          if (!want (reader, from + MBOX_MAX_LINE, error))
            return FALSE;
          if (separator_at (reader, from) > 0)
            {
              *ret_place = from;
              return TRUE;
            }
          continue;
        }

      if (reader->at_end || length > limit)
        {
          *ret_place = reader->at_end ? length : NOT_FOUND;
          return TRUE;
        }
      from = MAX (from, length - MIN (length, 5));
      if (!read_more (reader, error))
        return FALSE;
    }
}

/* ---- Content-Length ---- */

/* Behind the empty line that ends the header; NOT_FOUND if there is none, or too far down. */
static gboolean
find_body (MboxReader *reader, gsize from, gsize *ret_body, GError **error)
{
  gsize place = from;

  for (;;)
    {
      const char *end = memchr (ahead (reader) + place, '\n', left (reader) - place);

      if (end == NULL && (reader->at_end || left (reader) - from > MAX_HEADER))
        {
          *ret_body = NOT_FOUND;
          return TRUE;
        }
      if (end == NULL)
        {
          if (!read_more (reader, error))
            return FALSE;
          continue;
        }
      if (line_end_at (reader, place) > 0)
        {
          *ret_body = place + line_end_at (reader, place);
          return TRUE;
        }
      place = (gsize)(end + 1 - ahead (reader));
      if (!want (reader, place + MBOX_MAX_LINE, error))
        return FALSE;
      if (separator_at (reader, place) > 0)
        {
          *ret_body = NOT_FOUND;
          return TRUE;
        }
    }
}

/* The value of the field in a header, or NOT_FOUND. */
static gsize
content_length (const char *header, gsize length)
{
  static const char name[] = "\ncontent-length:";

  for (gsize i = 0; i + sizeof name < length; i++)
    if (header[i] == '\n' && g_ascii_strncasecmp (header + i, name, sizeof name - 1) == 0)
      {
        g_autofree char *value = g_strndup (header + i + sizeof name - 1, MIN (length - i - sizeof name + 1, 20));
        guint64 number = g_ascii_strtoull (value, NULL, 10);

        return number <= G_MAXUINT32 ? number : NOT_FOUND;
      }
  return NOT_FOUND;
}

/* Where the message ends by its own account, if a message or the end of the input follows there; else NOT_FOUND. */
static gboolean
find_told_end (MboxReader *reader, gsize from, gsize *ret_end, GError **error)
{
  gsize body, length, end, next;

  *ret_end = NOT_FOUND;
  if (!find_body (reader, from, &body, error))
    return FALSE;
  /* With the end of the line before it, so that the first field is found, too. */
  length = body != NOT_FOUND ? content_length (ahead (reader) + from - 1, body - from + 1) : NOT_FOUND;
  if (length == NOT_FOUND || body - from + length > reader->max_message)
    return TRUE;

  end = next = body + length;
  if (!want (reader, end + 4 + MBOX_MAX_LINE, error))
    return FALSE;
  if (end > left (reader))
    return TRUE;
  for (guint i = 0; i < 2; i++)
    next += line_end_at (reader, next);
  if (next == left (reader) || separator_at (reader, next) > 0)
    *ret_end = end;
  return TRUE;
}

/* ---- A message ---- */

/* Takes off what the writer of the mbox put in front of lines, in place. */
static void
unescape (GByteArray *message, gboolean only_single)
{
  const char *body = memmem (message->data, message->len, "\n\n", 2);
  const char *crlf_body = memmem (message->data, message->len, "\n\r\n", 3);
  guint8 *end = message->data + message->len, *to, *at;

  if (body == NULL || (crlf_body != NULL && crlf_body < body))
    body = crlf_body;
  if (body == NULL)
    return;
  for (at = to = (guint8 *)body; at < end;)
    {
      const guint8 *line_end = memchr (at, '\n', (gsize)(end - at));
      gsize length = (gsize)((line_end != NULL ? line_end + 1 : end) - at), quotes = 0;

      while (quotes < length && at[quotes] == '>')
        quotes++;
      if (quotes > 0 && (quotes == 1 || !only_single) && length - quotes >= 5 && memcmp (at + quotes, "From ", 5) == 0)
        {
          at++;
          length--;
        }
      memmove (to, at, length);
      to += length;
      at += length;
    }
  g_byte_array_set_size (message, (guint)(to - message->data));
}

/* Hands on the bytes from there to there; is_told: by Content-Length. */
static gboolean
take_message (MboxReader *reader, gsize from, gsize end, gboolean is_told, GError **error)
{
  GByteArray *message = reader->message;
  gsize inner = end, n;

  if (is_told && !find_separator (reader, from, end, &inner, error))
    return FALSE;
  g_byte_array_set_size (message, 0);
  g_byte_array_append (message, (const guint8 *)ahead (reader) + from, (guint)(end - from));
  /* The empty line before the next message is the mbox's. */
  n = message->len;
  if (!is_told && n >= 2 && message->data[n - 1] == '\n' && message->data[n - 2] == '\n')
    g_byte_array_set_size (message, (guint)n - 1);
  else if (!is_told && n >= 4 && memcmp (message->data + n - 4, "\r\n\r\n", 4) == 0)
    g_byte_array_set_size (message, (guint)n - 2);

  /* Where such a line stands as it is, none was escaped. */
  if (reader->dialect != MBOX_CL2 && !(reader->dialect == MBOX_AUTO && is_told && inner < end))
    unescape (message, reader->dialect == MBOX_O || reader->dialect == MBOX_CL || (reader->dialect == MBOX_AUTO && is_told));
  consume (reader, end);
  return TRUE;
}

/* Something that is no message, or too large a one: up to the next message nothing is kept but its beginning. */
static TallyFlow
refuse (MboxReader *reader, gsize from, const char *flaw, MailItem *item, GError **error)
{
  gsize place = NOT_FOUND;

  item->flaw = flaw;
  g_byte_array_set_size (reader->message, 0);
  g_byte_array_append (reader->message, (const guint8 *)ahead (reader) + from,
                       (guint)MIN (left (reader) - from, MAIL_MOST_RAW));
  consume (reader, from);
  while (place == NOT_FOUND)
    {
      if (!find_separator (reader, 0, BLOCK, &place, error))
        return TALLY_FLOW_FATAL;
      consume (reader, place != NOT_FOUND ? place : left (reader) - 5);
    }
  return TALLY_FLOW_OK;
}

static TallyFlow
next_message (MboxReader *reader, gsize from, MailItem *item, GError **error)
{
  gsize end = NOT_FOUND;
  gboolean may_tell = reader->dialect != MBOX_O && reader->dialect != MBOX_RD, is_told;

  reader->is_begun = TRUE;
  if (may_tell && !find_told_end (reader, from, &end, error))
    return TALLY_FLOW_FATAL;
  is_told = end != NOT_FOUND;
  if (!is_told && !find_separator (reader, from - 1, from + reader->max_message, &end, error))
    return TALLY_FLOW_FATAL;
  /* One byte more is the mbox's empty line. */
  if (end == NOT_FOUND || end - from > reader->max_message + 1)
    return refuse (reader, from, "is larger than max-message", item, error);
  return take_message (reader, from, end, is_told, error) ? TALLY_FLOW_OK : TALLY_FLOW_FATAL;
}

TallyFlow
mbox_reader_next (MboxReader *reader, MailItem *ret_item, GError **error)
{
  gsize length;

  if (!skip_empty_lines (reader, error) || !want (reader, MBOX_MAX_LINE, error))
    return TALLY_FLOW_FATAL;
  if (left (reader) == 0)
    return TALLY_FLOW_END;

  *ret_item = (MailItem){ .bytes = reader->message, .number = reader->line };
  length = separator_at (reader, 0);
  if (length > 0)
    return next_message (reader, length, ret_item, error);

  if (refuse (reader, 0, "stands before the first message", ret_item, error) != TALLY_FLOW_OK)
    return TALLY_FLOW_FATAL;
  if (left (reader) > 0 || reader->is_begun)
    return TALLY_FLOW_OK;
  tally_throw (error, TALLY_ERROR_DATA, "no line begins a message (\"From \", an address, a time): this is no mbox");
  return TALLY_FLOW_FATAL;
}

gboolean
mbox_reader_resume (MboxReader *reader, guint64 offset, gint64 line, gboolean *ret_fits, GError **error)
{
  g_autoptr (GError) local = NULL;

  *ret_fits = tally_input_seek (reader->input, offset, &local);
  if (!*ret_fits && !g_error_matches (local, TALLY_ERROR, TALLY_ERROR_DATA))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (!*ret_fits)
    return TRUE;

  reader->offset = offset;
  reader->line = line;
  reader->is_begun = TRUE;
  if (!skip_empty_lines (reader, error) || !want (reader, MBOX_MAX_LINE, error))
    return FALSE;
  *ret_fits = left (reader) == 0 || separator_at (reader, 0) > 0;
  return TRUE;
}
