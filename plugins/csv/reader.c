/* reader.c: blocks of input, their masks, and the records in them
 *
 * A block is scanned as a whole into masks; the records are then found by walking from set bit to set bit.  Where a
 * record does not end in its block, it is moved to the front of the next one and walked again.  Fields stay where
 * they are, as views; those with escapes are shortened in place once their record is known to be good.
 */
#include "reader.h"
#include "block.h"
#include "charset.h"
#include "text.h"
#include <string.h>

#define BLOCK_SIZE (256 * 1024)
/* The decoder of another encoding wants that much room. */
#define LEAST_ROOM 64
/* A reject shows no more of a record. */
#define MOST_RAW 4096

enum
{
  FIELD_QUOTED = 1 << 0,
  FIELD_ESCAPED = 1 << 1,
};

/* Where one is in a record that is too large to be kept. */
typedef enum
{
  SKIP_FIELD_START,
  SKIP_PLAIN,
  SKIP_QUOTED,
  SKIP_QUOTE,  /* after a quote within quotes: its end, or the first of two */
  SKIP_ESCAPE, /* after an escape that is not the quote */
  SKIP_END,
} SkipState;

struct _CsvReader
{
  TallyInput *input; /* (owned) */
  const CsvDialect *dialect; /* (unowned) */
  TallyBlock *block;           /* (owned) (nullable) */
  CsvMask *masks;            /* (owned) of the block */
  gsize n_masks, masks_size;
  gsize length;      /* of what the block holds */
  gsize position;    /* where the next record begins */
  guint64 base;      /* offset of the block's first byte in the input */
  gint64 line;       /* of the next record */
  gsize next_bad;    /* the next byte that is no text, or G_MAXSIZE */
  gboolean at_end;   /* the input has no more */
  gboolean cut_cr;   /* a CR was read whose next byte is not known yet */
  gboolean is_held;  /* the batch at work holds the block */

  /* The record that was split last. */
  TallyText *fields; /* (owned) dialect->max_columns of them */
  guint8 *flags;     /* (owned) */
  guint n_fields;    /* may be more than there is room for */
  guint8 any_flags;
  gsize record_end;    /* without the line end */
  guint junk_field;    /* with text after its closing quote, from 1 */
  gsize open_quote;    /* where the quote that is not closed stands, or G_MAXSIZE */
  GString *scratch;    /* (owned) for messages, and what is shown of a record that was too large */

  guint *columns; /* (owned) (nullable) field → batch column */
  guint n_columns;
  gboolean is_simple; /* empty and unquoted is NULL, nothing else needs a look */
};

CsvReader *
csv_reader_new (TallyInput *input, const CsvDialect *dialect)
{
  CsvReader *reader = g_new0 (CsvReader, 1);
  char *const *nulls = dialect->nulls;

  reader->input = input;
  reader->dialect = dialect;
  reader->line = 1;
  reader->next_bad = G_MAXSIZE;
  reader->fields = g_new (TallyText, dialect->max_columns);
  reader->flags = g_malloc (dialect->max_columns);
  reader->scratch = g_string_new (NULL);
  reader->is_simple = !dialect->trim && nulls[0] != NULL && *nulls[0] == '\0' && nulls[1] == NULL;
  return reader;
}

void
csv_reader_free (CsvReader *reader)
{
  if (reader == NULL)
    return;

  tally_input_free (reader->input);
  tally_block_unref (reader->block);
  g_free (reader->masks);
  g_free (reader->fields);
  g_free (reader->flags);
  g_free (reader->columns);
  g_string_free (reader->scratch, TRUE);
  g_free (reader);
}

guint64
csv_reader_offset (CsvReader *reader)
{
  return reader->base + reader->position;
}

gint64
csv_reader_line (CsvReader *reader)
{
  return reader->line;
}

TallyInput *
csv_reader_input (CsvReader *reader)
{
  return reader->input;
}

void
csv_reader_set_columns (CsvReader *reader, const guint *columns, guint n_columns)
{
  g_free (reader->columns);
  reader->columns = g_memdup2 (columns, n_columns * sizeof (guint));
  reader->n_columns = n_columns;
}

/* Masks and suspects of what a new block holds. */
static void
scan_block (CsvReader *reader)
{
  gsize n_words = (reader->length + CSV_WORD - 1) / CSV_WORD, rest = reader->length % CSV_WORD;

  if (reader->masks_size < n_words)
    {
      g_free (reader->masks);
      reader->masks_size = (reader->block->size + CSV_WORD - 1) / CSV_WORD;
      reader->masks = g_new (CsvMask, reader->masks_size);
    }
  memset (reader->block->data + reader->length, 0, CSV_WORD + 1);
  reader->n_masks = n_words;
  reader->dialect->scan (reader->block->data, n_words, &reader->dialect->specials, reader->masks);
  if (rest > 0)
    {
      CsvMask *last = &reader->masks[n_words - 1];
      guint64 kept = ((guint64) 1 << rest) - 1;

      last->quotes &= kept;
      last->delimiters &= kept;
      last->lines &= kept;
      last->suspects &= kept;
    }
  reader->next_bad = csv_text_next_bad (reader->block->data, reader->length, reader->masks, reader->position);
}

/* Brings what is left of the block to the front of a new one, and fills that up. */
static gboolean
read_block (CsvReader *reader, GError **error)
{
  gsize tail = reader->length - reader->position;
  TallyBlock *block = tally_block_new (MAX (BLOCK_SIZE, 2 * tail));
  gsize length = tail;

  if (tail > 0)
    memcpy (block->data, reader->block->data + reader->position, tail);
  if (reader->cut_cr)
    block->data[length++] = '\r';
  reader->cut_cr = FALSE;
  reader->base += reader->position;
  reader->position = 0;
  tally_block_unref (reader->block);
  reader->block = block;
  reader->is_held = FALSE;

  while (!reader->at_end && block->size - length >= LEAST_ROOM)
    {
      gssize got = tally_input_read (reader->input, block->data + length, block->size - length, error);

      if (got < 0)
        return FALSE;
      reader->at_end = got == 0;
      length += got;
    }
  if (!reader->at_end && block->data[length - 1] == '\r')
    {
      reader->cut_cr = TRUE;
      length--;
    }

  reader->length = length;
  scan_block (reader);
  return TRUE;
}

static inline guint64
all_specials (const CsvMask *mask)
{
  return mask->quotes | mask->delimiters | mask->lines;
}

/* The quote that closes, or G_MAXSIZE if the block ends before it. */
static inline gsize
find_closing_quote (const CsvReader *reader, gsize from, guint8 *flags)
{
  const guint8 *data = reader->block->data;
  const CsvSpecials *specials = &reader->dialect->specials;
  gsize word = from / CSV_WORD;
  guint64 bits;

  if (word >= reader->n_masks)
    return G_MAXSIZE;

  bits = reader->masks[word].quotes & (G_MAXUINT64 << (from % CSV_WORD));
  for (;;)
    {
      gsize place;
      guint8 byte, next;

      while (bits == 0)
        {
          if (++word >= reader->n_masks)
            return G_MAXSIZE;
          bits = reader->masks[word].quotes;
        }
      place = word * CSV_WORD + __builtin_ctzll (bits);
      bits &= bits - 1;
      byte = data[place];
      next = data[place + 1];
      if (next == specials->quote || (byte != specials->quote && next == specials->escape))
        {
          /* Two that stand for one.  The second is in the next word if the first was its word's last. */
          *flags |= FIELD_ESCAPED;
          if (bits == 0 && place % CSV_WORD == CSV_WORD - 1)
            {
              if (++word >= reader->n_masks)
                return G_MAXSIZE;
              bits = reader->masks[word].quotes;
            }
          bits &= bits - 1;
        }
      else if (byte == specials->quote)
        return place;
    }
}

static inline void
store_field (CsvReader *reader, gsize start, gsize end, guint8 flags)
{
  if (G_LIKELY (reader->n_fields < reader->dialect->max_columns))
    {
      reader->fields[reader->n_fields] = (TallyText) { (const char *) reader->block->data + start, end - start };
      reader->flags[reader->n_fields] = flags;
    }
  reader->any_flags |= flags;
  reader->n_fields++;
}

/* A field ends at a delimiter or the end of the line; what stands between its closing quote and there does not
 * belong to it. */
static inline void
end_field (CsvReader *reader, gsize start, gsize end, gsize opened, gsize closed, guint8 flags)
{
  if (G_LIKELY ((flags & FIELD_QUOTED) == 0))
    {
      store_field (reader, start, end, 0);
      return;
    }

  if (closed + 1 != end && reader->junk_field == 0
      && !(reader->dialect->trim && csv_text_is_blank (reader->block->data + closed + 1, end - closed - 1)))
    reader->junk_field = reader->n_fields + 1;
  store_field (reader, opened + 1, closed, flags);
}

/* Without the CR of a CR LF. */
static inline gsize
trim_line_end (const CsvReader *reader, gsize start, gsize end)
{
  const guint8 *data = reader->block->data;

  return end > start && end < reader->length && data[end] == '\n' && data[end - 1] == '\r' ? end - 1 : end;
}

/* Splits the record at reader->position.  Returns where its line end stands, reader->length if the input ends
 * without one, or G_MAXSIZE if the block ends before the record does. */
static gsize
split_record (CsvReader *reader)
{
  const guint8 *data = reader->block->data;
  const CsvDialect *dialect = reader->dialect;
  gsize start = reader->position, opened = 0, closed = 0;
  gsize word = start / CSV_WORD;
  guint64 bits = all_specials (&reader->masks[word]) & (G_MAXUINT64 << (start % CSV_WORD));
  guint8 flags = 0;

  reader->n_fields = 0;
  reader->any_flags = 0;
  reader->junk_field = 0;
  reader->open_quote = G_MAXSIZE;
  for (;;)
    {
      gsize place;
      guint64 bit;

      while (bits == 0)
        {
          if (++word >= reader->n_masks)
            {
              end_field (reader, start, reader->length, opened, closed, flags);
              return reader->at_end ? reader->length : G_MAXSIZE;
            }
          bits = all_specials (&reader->masks[word]);
        }
      bit = bits & -bits;
      bits ^= bit;
      place = word * CSV_WORD + __builtin_ctzll (bit);
      if (reader->masks[word].quotes & bit)
        {
          /* Only the first thing in a field opens quotes; elsewhere a quote is a letter like others. */
          if (flags != 0 || data[place] != dialect->specials.quote
              || (place != start && !(dialect->trim && csv_text_is_blank (data + start, place - start))))
            continue;

          flags = FIELD_QUOTED;
          opened = place;
          closed = find_closing_quote (reader, place + 1, &flags);
          if (closed == G_MAXSIZE)
            {
              reader->open_quote = opened;
              return reader->at_end ? reader->length : G_MAXSIZE;
            }
          word = closed / CSV_WORD;
          bits = all_specials (&reader->masks[word]) & ((G_MAXUINT64 << (closed % CSV_WORD)) << 1);
          continue;
        }

      if (reader->masks[word].lines & bit)
        {
          end_field (reader, start, trim_line_end (reader, start, place), opened, closed, flags);
          return place;
        }
      end_field (reader, start, place, opened, closed, flags);
      start = place + 1;
      flags = 0;
    }
}

/* Ends of lines in [from, to). */
static gint64
count_lines (const CsvReader *reader, gsize from, gsize to)
{
  gint64 n = 0;

  for (gsize word = from / CSV_WORD; word * CSV_WORD < to; word++)
    {
      guint64 lines = reader->masks[word].lines;

      if (word == from / CSV_WORD)
        lines &= G_MAXUINT64 << (from % CSV_WORD);
      if (to - word * CSV_WORD < CSV_WORD)
        lines &= ((guint64) 1 << (to % CSV_WORD)) - 1;
      n += __builtin_popcountll (lines);
    }

  return n;
}

/* Goes one byte on in a record that is not kept. */
static SkipState
skip_byte (const CsvSpecials *specials, SkipState state, guint8 byte)
{
  if (state == SKIP_ESCAPE)
    return SKIP_QUOTED;
  if (state == SKIP_QUOTE && byte == specials->quote)
    return SKIP_QUOTED;
  if (state == SKIP_QUOTED)
    return byte == specials->quote ? SKIP_QUOTE : byte == specials->escape ? SKIP_ESCAPE : SKIP_QUOTED;
  if (byte == '\n' || byte == '\r')
    return SKIP_END;
  if (byte == specials->delimiter)
    return SKIP_FIELD_START;
  if (state == SKIP_FIELD_START && byte == specials->quote && byte != '\0')
    return SKIP_QUOTED;
  return SKIP_PLAIN;
}

/* Reads over the rest of a record that is larger than the limit, block by block, and keeps nothing of it. */
static gboolean
skip_record (CsvReader *reader, GError **error)
{
  SkipState state = SKIP_FIELD_START;

  for (;;)
    {
      gsize place = reader->position;

      while (place < reader->length && state != SKIP_END)
        state = skip_byte (&reader->dialect->specials, state, reader->block->data[place++]);
      if (state == SKIP_END && reader->block->data[place - 1] == '\r' && reader->block->data[place] == '\n')
        place++;
      reader->line += count_lines (reader, reader->position, place);
      reader->position = place;
      if (state == SKIP_END || (reader->at_end && place == reader->length))
        break;
      if (!read_block (reader, error))
        return FALSE;
    }

  reader->next_bad = csv_text_next_bad (reader->block->data, reader->length, reader->masks, reader->position);
  return TRUE;
}

/* Where the column of a byte is looked up only for a message. */
static guint
field_at (const CsvReader *reader, gsize place)
{
  guint n = MIN (reader->n_fields, reader->dialect->max_columns);
  const char *byte = (const char *) reader->block->data + place;

  for (guint i = 0; i < n; i++)
    if (byte <= reader->fields[i].data + reader->fields[i].length)
      return i + 1;
  return n;
}

static const char *
describe_bad_byte (CsvReader *reader)
{
  guint8 byte = reader->block->data[reader->next_bad];
  guint field = field_at (reader, reader->next_bad);
  const char *encoding = tally_input_encoding (reader->input);

  if (byte == '\0')
    g_string_printf (reader->scratch, "column %u has a NUL byte", field);
  else if (!tally_charset_is_utf8 (encoding))
    g_string_printf (reader->scratch, "column %u has a byte that means nothing in %s", field, encoding);
  else
    g_string_printf (reader->scratch, "column %u has the byte 0x%02x, which is not UTF-8; what is the file's encoding?",
                     field, byte);
  return reader->scratch->str;
}

/* What is wrong with the record that was split, or NULL. */
static const char *
find_flaw (CsvReader *reader)
{
  const CsvDialect *dialect = reader->dialect;

  if (reader->open_quote != G_MAXSIZE)
    {
      gint64 line = reader->line + count_lines (reader, reader->position, reader->open_quote);

      g_string_printf (reader->scratch,
                       "the quote that opens in column %u on line %" G_GINT64_FORMAT
                       " is never closed; it takes in all up to the end of the file, line %" G_GINT64_FORMAT,
                       reader->n_fields + 1, line,
                       reader->line + count_lines (reader, reader->position, reader->length - 1));
      return reader->scratch->str;
    }
  if (reader->n_fields > dialect->max_columns)
    {
      g_string_printf (reader->scratch, "has %u fields, more than max-columns (%u)", reader->n_fields,
                       dialect->max_columns);
      return reader->scratch->str;
    }
  if (reader->next_bad < reader->record_end)
    return describe_bad_byte (reader);
  if (reader->junk_field != 0)
    {
      g_string_printf (reader->scratch, "column %u has text after its closing quote", reader->junk_field);
      return reader->scratch->str;
    }
  if (reader->record_end - reader->position > dialect->max_field)
    for (guint i = 0; i < reader->n_fields; i++)
      if (reader->fields[i].length > dialect->max_field)
        {
          g_string_printf (reader->scratch, "column %u has %" G_GSIZE_FORMAT " bytes, more than max-field (%" G_GSIZE_FORMAT ")",
                           i + 1, reader->fields[i].length, dialect->max_field);
          return reader->scratch->str;
        }

  return NULL;
}

/* Finishes with a record whose line end stands at place. */
static void
take_record (CsvReader *reader, gsize place, CsvRecord *ret_record)
{
  gint64 n_lines = 1;

  if (G_UNLIKELY (reader->any_flags != 0 || reader->open_quote != G_MAXSIZE))
    n_lines += count_lines (reader, reader->position, place);
  reader->record_end = trim_line_end (reader, reader->position, place);
  ret_record->line = reader->line;
  ret_record->raw = (TallyText) { (const char *) reader->block->data + reader->position,
                                  reader->record_end - reader->position };
  ret_record->fields = reader->fields;
  ret_record->n_fields = reader->n_fields;
  ret_record->flaw = NULL;
  if (G_UNLIKELY (reader->next_bad < place || reader->junk_field != 0 || reader->open_quote != G_MAXSIZE
                  || reader->n_fields > reader->dialect->max_columns
                  || place - reader->position > reader->dialect->max_field))
    {
      ret_record->flaw = find_flaw (reader);
      if (reader->next_bad < place)
        reader->next_bad = csv_text_next_bad (reader->block->data, reader->length, reader->masks, place);
    }

  reader->line += n_lines;
  reader->position = MIN (place + 1, reader->length);
}

static inline gboolean
is_comment (const CsvReader *reader)
{
  return reader->dialect->comment != '\0' && reader->block->data[reader->position] == reader->dialect->comment;
}

/* An empty line is no record, unless the table has one column: there it is NULL. */
static inline gboolean
is_empty_line (const CsvReader *reader, gsize place)
{
  return reader->n_columns != 1 && trim_line_end (reader, reader->position, place) == reader->position;
}

/* The end of the physical line, whatever quotes it has. */
static gsize
end_of_line (CsvReader *reader)
{
  gsize word = reader->position / CSV_WORD;
  guint64 bits = reader->masks[word].lines & (G_MAXUINT64 << (reader->position % CSV_WORD));

  while (bits == 0)
    {
      if (++word >= reader->n_masks)
        return reader->at_end ? reader->length : G_MAXSIZE;
      bits = reader->masks[word].lines;
    }
  return word * CSV_WORD + __builtin_ctzll (bits);
}

/* The record at the position is larger than anything that is kept. */
static CsvStatus
refuse_large_record (CsvReader *reader, CsvRecord *ret_record, GError **error)
{
  gsize length = MIN (reader->length - reader->position, MOST_RAW);

  g_string_truncate (reader->scratch, 0);
  g_string_append_len (reader->scratch, (const char *) reader->block->data + reader->position, length);
  ret_record->line = reader->line;
  if (!skip_record (reader, error))
    return CSV_ERROR;

  ret_record->raw = (TallyText) { reader->scratch->str, reader->scratch->len };
  ret_record->n_fields = 0;
  ret_record->flaw = "is larger than max-record; is a quote missing?";
  return CSV_RECORD;
}

/* Goes to the line after the one that ends at place. */
static void
skip_line (CsvReader *reader, gsize place)
{
  if (reader->next_bad < place)
    reader->next_bad = csv_text_next_bad (reader->block->data, reader->length, reader->masks, place);
  reader->position = MIN (place + 1, reader->length);
  reader->line++;
}

static CsvStatus
next_record (CsvReader *reader, CsvRecord *ret_record, GError **error)
{
  for (;;)
    {
      gsize place = G_MAXSIZE;

      if (reader->position < reader->length)
        place = is_comment (reader) ? end_of_line (reader) : split_record (reader);
      else if (reader->at_end)
        return CSV_END;

      if (place != G_MAXSIZE && !is_comment (reader) && !is_empty_line (reader, place))
        {
          take_record (reader, place, ret_record);
          return CSV_RECORD;
        }
      if (place != G_MAXSIZE)
        skip_line (reader, place);
      else if (reader->length - reader->position > reader->dialect->max_record)
        return refuse_large_record (reader, ret_record, error);
      else if (!read_block (reader, error))
        return CSV_ERROR;
    }
}

/* Takes escapes out of a good record's fields.  Only now, so that a bad one is reported as it stands in the file. */
static void
unescape_fields (CsvReader *reader, guint n_fields)
{
  for (guint i = 0; i < n_fields; i++)
    if (reader->flags[i] & FIELD_ESCAPED)
      reader->fields[i] = csv_text_unescape (reader->fields[i], &reader->dialect->specials);
}

CsvStatus
csv_reader_next (CsvReader *reader, CsvRecord *ret_record, GError **error)
{
  CsvStatus status = next_record (reader, ret_record, error);

  if (status == CSV_RECORD && ret_record->flaw == NULL)
    unescape_fields (reader, ret_record->n_fields);
  return status;
}

gboolean
csv_reader_skip_lines (CsvReader *reader, gint64 n_lines, GError **error)
{
  while (n_lines > 0)
    {
      gsize place = reader->position < reader->length ? end_of_line (reader) : G_MAXSIZE;

      if (place != G_MAXSIZE)
        {
          skip_line (reader, place);
          n_lines--;
        }
      else if (reader->at_end && reader->position == reader->length)
        return TRUE;
      else if (reader->length - reader->position > reader->dialect->max_record)
        return tally_throw (error, TALLY_ERROR_DATA, "line %" G_GINT64_FORMAT " is longer than max-record", reader->line);
      else if (!read_block (reader, error))
        return FALSE;
    }

  return TRUE;
}

static gboolean
is_null (const CsvDialect *dialect, TallyText text)
{
  for (char *const *null = dialect->nulls; *null != NULL; null++)
    if (tally_text_equal (text, *null))
      return TRUE;

  return FALSE;
}

/* The vectors of a batch, in the order of a file's fields. */
typedef struct
{
  TallyText *values;
  guint64 *validity;
} CsvColumn;

/* Puts the fields of a good record into a row. */
static void
set_row (CsvReader *reader, const CsvColumn *columns, guint row, guint n_fields)
{
  const TallyText *fields = reader->fields;
  const guint8 *flags = reader->flags;
  guint64 bit = (guint64) 1 << (row % 64);

  if (reader->any_flags & FIELD_ESCAPED)
    unescape_fields (reader, n_fields);
  if (G_LIKELY (reader->is_simple))
    {
      for (guint i = 0; i < n_fields; i++)
        if (fields[i].length > 0 || flags[i] != 0)
          {
            columns[i].values[row] = fields[i];
            columns[i].validity[row / 64] |= bit;
          }
      return;
    }

  for (guint i = 0; i < n_fields; i++)
    {
      TallyText text = reader->dialect->trim && flags[i] == 0 ? csv_text_trim (fields[i]) : fields[i];

      if (flags[i] != 0 || !is_null (reader->dialect, text))
        {
          columns[i].values[row] = text;
          columns[i].validity[row / 64] |= bit;
        }
    }
}

/* Whether the number of fields is right, or may be made so.  ret_n_fields: how many of them to take. */
static gboolean
fits_columns (CsvReader *reader, guint *ret_n_fields)
{
  *ret_n_fields = MIN (reader->n_fields, reader->n_columns);
  if (G_LIKELY (reader->n_fields == reader->n_columns))
    return TRUE;

  for (guint i = reader->n_columns; i < reader->n_fields; i++)
    if (reader->fields[i].length > 0)
      return FALSE;
  return reader->dialect->ragged == CSV_RAGGED_PAD;
}

static void
add_reject (CsvReader *reader, TallyBatch *batch, const CsvRecord *record)
{
  const char *reason = record->flaw;

  if (reason == NULL)
    {
      g_string_printf (reader->scratch, "has %u field%s where there are %u columns", reader->n_fields,
                       reader->n_fields == 1 ? "" : "s", reader->n_columns);
      reason = reader->scratch->str;
    }
  tally_batch_add_reject (batch, record->line, reason, record->raw);
}

static void
add_row (CsvReader *reader, TallyBatch *batch, gint64 line)
{
  if (!reader->is_held)
    {
      tally_batch_hold (batch, tally_block_ref (reader->block), tally_block_unref);
      reader->is_held = TRUE;
    }
  tally_batch_set_row_number (batch, tally_batch_add_row (batch), line);
}

CsvStatus
csv_reader_fill (CsvReader *reader, TallyBatch *batch, GError **error)
{
  g_autofree CsvColumn *columns = g_new (CsvColumn, reader->n_columns);
  guint row = tally_batch_n_rows (batch), capacity = tally_batch_capacity (batch);
  guint64 enough = csv_reader_offset (reader) + TALLY_BATCH_BYTES;

  for (guint i = 0; i < reader->n_columns; i++)
    columns[i] = (CsvColumn) { tally_batch_vector (batch, reader->columns[i]),
                               tally_batch_validity (batch, reader->columns[i]) };
  reader->is_held = FALSE;
  /* Rejects count, too, so that a file of nothing else does not pile up in one batch. */
  for (guint n_read = row; n_read < capacity && csv_reader_offset (reader) < enough; n_read++)
    {
      CsvRecord record;
      CsvStatus status = next_record (reader, &record, error);
      guint n_fields;

      if (status != CSV_RECORD)
        return status;

      if (G_UNLIKELY (record.flaw != NULL || !fits_columns (reader, &n_fields)))
        add_reject (reader, batch, &record);
      else
        {
          set_row (reader, columns, row++, n_fields);
          add_row (reader, batch, record.line);
        }
    }

  return CSV_RECORD;
}

gboolean
csv_reader_resume (CsvReader *reader, guint64 offset, gint64 line, gboolean *ret_fits, GError **error)
{
  g_autoptr (GError) local = NULL;

  *ret_fits = TRUE;
  reader->line = line;
  if (offset == 0)
    return TRUE;

  /* One byte earlier: it must be the end of a line, or else the end of the input. */
  *ret_fits = tally_input_seek (reader->input, offset - 1, &local);
  if (!*ret_fits && !g_error_matches (local, TALLY_ERROR, TALLY_ERROR_DATA))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (!*ret_fits)
    return TRUE;

  reader->base = offset - 1;
  if (!read_block (reader, error))
    return FALSE;
  *ret_fits = reader->length > 0 && (reader->block->data[0] == '\n' || reader->block->data[0] == '\r' || reader->length == 1);
  reader->position = MIN (1, reader->length);
  return TRUE;
}
