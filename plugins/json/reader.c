/* reader.c: where records end, without a look at what they are
 *
 * A record that does not end in its block is moved to the front of the next one, and looked at again.
 */
#include "reader.h"
#include <string.h>
#include <tallyman/error.h>

#define BLOCK_SIZE (256 * 1024)
/* The decoder of another encoding wants that much room. */
#define LEAST_ROOM 64
/* A reject shows no more of a record. */
#define MOST_RAW 4096

/* How deep in an element of an array one is; in a line nothing is deep. */
typedef struct
{
  gboolean in_string;
  gboolean after_backslash;
  guint64 depth;
} Nesting;

struct _JsonReader
{
  TallyInput *input; /* (owned) */
  JsonFormat format;
  gsize max_record;
  TallyBlock *block; /* (owned) (nullable) */
  gsize length, position;
  guint64 base; /* offset of the block's first byte in the input */
  gint64 line;
  gboolean at_end;
  gboolean is_begun;  /* the format is known, an array's bracket is behind */
  gboolean is_closed; /* the array's end is behind */
  char raw[MOST_RAW]; /* of a record that was too large */
};

JsonReader *
json_reader_new (TallyInput *input, JsonFormat format, gsize max_record)
{
  JsonReader *reader = g_new0 (JsonReader, 1);

  reader->input = input;
  reader->format = format;
  reader->max_record = max_record;
  reader->line = 1;
  return reader;
}

void
json_reader_free (JsonReader *reader)
{
  if (reader == NULL)
    return;

  tally_input_free (reader->input);
  tally_block_unref (reader->block);
  g_free (reader);
}

TallyBlock *
json_reader_block (JsonReader *reader)
{
  return reader->block;
}

guint64
json_reader_offset (JsonReader *reader)
{
  return reader->base + reader->position;
}

gint64
json_reader_line (JsonReader *reader)
{
  return reader->line;
}

TallyInput *
json_reader_input (JsonReader *reader)
{
  return reader->input;
}

JsonFormat
json_reader_format (JsonReader *reader)
{
  return reader->format;
}

/* Brings what is left of the block to the front of a new one, and fills that up. */
static gboolean
read_block (JsonReader *reader, GError **error)
{
  gsize tail = reader->length - reader->position;
  TallyBlock *block = tally_block_new (MAX (BLOCK_SIZE, 2 * tail));

  if (tail > 0)
    memcpy (block->data, reader->block->data + reader->position, tail);
  reader->base += reader->position;
  reader->position = 0;
  reader->length = tail;
  tally_block_unref (reader->block);
  reader->block = block;

  while (!reader->at_end && block->size - reader->length >= LEAST_ROOM)
    {
      gssize got = tally_input_read (reader->input, block->data + reader->length, block->size - reader->length, error);

      if (got < 0)
        return FALSE;
      reader->at_end = got == 0;
      reader->length += got;
    }

  return TRUE;
}

static gint64
count_lines (const char *data, gsize length)
{
  const char *end = data + length;
  gint64 n = 0;

  while ((data = memchr (data, '\n', end - data)) != NULL)
    {
      data++;
      n++;
    }
  return n;
}

/* Moves on to a place in the block. */
static void
move_to (JsonReader *reader, gsize place)
{
  reader->line += count_lines ((const char *) reader->block->data + reader->position, place - reader->position);
  reader->position = place;
}

static gboolean
is_white (guint8 byte)
{
  return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* Moves to the next byte that is not white.  ret_found is FALSE at the end of the input. */
static gboolean
skip_white (JsonReader *reader, gboolean *ret_found, GError **error)
{
  for (;;)
    {
      gsize place = reader->position;

      while (place < reader->length && is_white (reader->block->data[place]))
        place++;
      if (place > reader->position)
        move_to (reader, place);
      *ret_found = place < reader->length;
      if (*ret_found || reader->at_end)
        return TRUE;
      if (!read_block (reader, error))
        return FALSE;
    }
}

/* The comma or bracket that ends an element, or G_MAXSIZE. */
static gsize
find_element_end (const guint8 *data, gsize from, gsize length, Nesting *nesting)
{
  for (gsize place = from; place < length; place++)
    {
      guint8 byte = data[place];

      if (nesting->in_string)
        {
          if (nesting->after_backslash)
            nesting->after_backslash = FALSE;
          else if (byte == '\\')
            nesting->after_backslash = TRUE;
          else if (byte == '"')
            nesting->in_string = FALSE;
          continue;
        }
      switch (byte)
        {
        case '"':
          nesting->in_string = TRUE;
          break;
        case '{':
        case '[':
          nesting->depth++;
          break;
        case '}':
          nesting->depth -= nesting->depth > 0;
          break;
        case ']':
          if (nesting->depth == 0)
            return place;
          nesting->depth--;
          break;
        case ',':
          if (nesting->depth == 0)
            return place;
          break;
        }
    }

  return G_MAXSIZE;
}

static gsize
find_end (const JsonReader *reader, gsize from, Nesting *nesting)
{
  const guint8 *data = reader->block->data;
  const guint8 *line_end;

  if (reader->format == JSON_FORMAT_ARRAY)
    return find_element_end (data, from, reader->length, nesting);

  line_end = memchr (data + from, '\n', reader->length - from);
  return line_end != NULL ? (gsize) (line_end - data) : G_MAXSIZE;
}

/* Reads over the rest of a record that is larger than the limit, and keeps nothing of it. */
static gboolean
skip_record (JsonReader *reader, GError **error)
{
  Nesting nesting = { 0 };

  for (;;)
    {
      gsize end = find_end (reader, reader->position, &nesting);

      move_to (reader, end != G_MAXSIZE ? end : reader->length);
      if (end != G_MAXSIZE || reader->at_end)
        return TRUE;
      if (!read_block (reader, error))
        return FALSE;
    }
}

static JsonStatus
refuse_large_record (JsonReader *reader, JsonRecord *ret_record, GError **error)
{
  gsize length = MIN (MOST_RAW, reader->length - reader->position);

  memcpy (reader->raw, reader->block->data + reader->position, length);
  ret_record->line = reader->line;
  ret_record->text = (TallyText) { reader->raw, length };
  ret_record->flaw = "is larger than max-record";
  return skip_record (reader, error) ? JSON_RECORD : JSON_ERROR;
}

static TallyText
strip (const guint8 *data, gsize length)
{
  while (length > 0 && is_white (data[length - 1]))
    length--;
  return (TallyText) { (const char *) data, length };
}

/* The record that begins at the position. */
static JsonStatus
take_record (JsonReader *reader, JsonRecord *ret_record, GError **error)
{
  for (;;)
    {
      Nesting nesting = { 0 };
      gsize end = find_end (reader, reader->position, &nesting);

      if (end == G_MAXSIZE && !reader->at_end)
        {
          if (reader->length - reader->position > reader->max_record)
            return refuse_large_record (reader, ret_record, error);
          if (!read_block (reader, error))
            return JSON_ERROR;
          continue;
        }

      ret_record->flaw = end == G_MAXSIZE && reader->format == JSON_FORMAT_ARRAY ? "the file ends in the middle of it" : NULL;
      if (end == G_MAXSIZE)
        end = reader->length;
      ret_record->line = reader->line;
      ret_record->text = strip (reader->block->data + reader->position, end - reader->position);
      move_to (reader, end);
      return JSON_RECORD;
    }
}

/* Finds out what format it is, and goes behind an array's bracket. */
static gboolean
begin (JsonReader *reader, GError **error)
{
  gboolean found;

  if (!skip_white (reader, &found, error))
    return FALSE;
  if (reader->format == JSON_FORMAT_AUTO)
    reader->format = found && reader->block->data[reader->position] == '[' ? JSON_FORMAT_ARRAY : JSON_FORMAT_LINES;
  reader->is_begun = TRUE;
  if (reader->format == JSON_FORMAT_LINES)
    return TRUE;
  if (!found || reader->block->data[reader->position] != '[')
    return tally_throw (error, TALLY_ERROR_DATA, "line %" G_GINT64_FORMAT ": there is no array", reader->line);

  move_to (reader, reader->position + 1);
  return TRUE;
}

/* What is behind the array's end, as one record that is none. */
static JsonStatus
refuse_rest (JsonReader *reader, JsonRecord *ret_record, GError **error)
{
  gsize length = MIN (MOST_RAW, reader->length - reader->position);

  memcpy (reader->raw, reader->block->data + reader->position, length);
  ret_record->line = reader->line;
  ret_record->text = (TallyText) { reader->raw, length };
  ret_record->flaw = "stands behind the end of the array";
  do
    move_to (reader, reader->length);
  while (!reader->at_end && read_block (reader, error));
  return reader->at_end ? JSON_RECORD : JSON_ERROR;
}

JsonStatus
json_reader_next (JsonReader *reader, JsonRecord *ret_record, GError **error)
{
  gboolean found;

  if (!reader->is_begun && !begin (reader, error))
    return JSON_ERROR;

  while (skip_white (reader, &found, error))
    {
      guint8 byte;

      if (!found && (reader->format == JSON_FORMAT_LINES || reader->is_closed))
        return JSON_END;
      if (!found)
        {
          tally_throw (error, TALLY_ERROR_DATA, "line %" G_GINT64_FORMAT ": the file ends before its array does", reader->line);
          return JSON_ERROR;
        }
      if (reader->is_closed)
        return refuse_rest (reader, ret_record, error);
      byte = reader->block->data[reader->position];
      if (reader->format == JSON_FORMAT_LINES || (byte != ',' && byte != ']'))
        return take_record (reader, ret_record, error);

      reader->is_closed = byte == ']';
      move_to (reader, reader->position + 1);
    }

  return JSON_ERROR;
}

gboolean
json_reader_resume (JsonReader *reader, guint64 offset, gint64 line, gboolean *ret_fits, GError **error)
{
  g_autoptr (GError) local = NULL;
  gsize after = reader->format == JSON_FORMAT_LINES && offset > 0 ? 1 : 0;
  gboolean found;

  reader->is_begun = TRUE;
  *ret_fits = tally_input_seek (reader->input, offset - after, &local);
  if (!*ret_fits)
    return g_error_matches (local, TALLY_ERROR, TALLY_ERROR_DATA)
           || (g_propagate_error (error, g_steal_pointer (&local)), FALSE);

  reader->base = offset - after;
  if (!read_block (reader, error))
    return FALSE;
  reader->position = MIN (after, reader->length);
  reader->line = line;
  if (reader->format == JSON_FORMAT_LINES)
    {
      /* A line ends just before the place, or just behind it. */
      *ret_fits = reader->position == reader->length || reader->position == 0 || reader->block->data[0] == '\n'
                  || reader->block->data[reader->position] == '\n';
      return TRUE;
    }

  if (!skip_white (reader, &found, error))
    return FALSE;
  *ret_fits = found && strchr (",]", reader->block->data[reader->position]) != NULL;
  reader->is_closed = FALSE;
  return TRUE;
}
