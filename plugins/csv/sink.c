/* sink.c: rows to a file that our own source, and others, read back as they were
 *
 * NULL is written bare, the empty text as "".  Fields are quoted where a reader could take them for something else:
 * with a delimiter, a quote or a line break in them, blanks at an end, the text that means NULL, and in the first
 * column what looks like a comment or a byte-order mark.
 */
#include "character.h"
#include "charset.h"
#include "csv.h"
#include "output.h"
#include <string.h>

/* So much is gathered before it is written. */
#define ENOUGH (512 * 1024)
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

typedef enum
{
  QUOTE_NEEDED,
  QUOTE_NON_NULL,
  QUOTE_ALWAYS,
} QuoteWhen;

/* Compared a byte each by what the processor has for it. */
typedef guint8 Bytes __attribute__ ((vector_size (16)));

typedef struct
{
  char *path;       /* option */
  char *delimiter;  /* option */
  char *quote;      /* option */
  gboolean header;  /* option */
  gint line_end;    /* option */
  char *null;       /* option */
  gint quote_when;  /* option */
  char *encoding;   /* option */
  gboolean bom;     /* option */

  guint8 delimiter_byte, quote_byte;
  guint8 delimiters[sizeof (Bytes)], quotes[sizeof (Bytes)]; /* the same, each as often as it is compared at a time */
  gsize null_length;
  GIConv iconv;         /* for another encoding than UTF-8, else -1; 0 before open() */
  TallySchema *offered; /* (unowned) (nullable) from accept() to open(): without open() there is no close() to let go of it */
  TallySchema *schema;  /* (owned) (nullable) from open() to close() */
  TallyOutput *output;  /* (owned) (nullable) */
  char *buffer;         /* (owned) what is not written yet */
  gsize length, size;   /* of the buffer */
  GString *scratch;     /* (owned) a value that is no text */
} CsvSink;

static const char *const line_end_choices[] = { "lf", "crlf", NULL };
static const char *const quote_choices[] = { "needed", "non-null", "always", NULL };

static gboolean
csv_sink_check (gpointer self, GError **error)
{
  CsvSink *csv = self;

  if (!csv_character_parse ("delimiter", csv->delimiter, &csv->delimiter_byte, error)
      || !csv_character_parse ("quote", csv->quote, &csv->quote_byte, error))
    return FALSE;
  if (csv->delimiter_byte == '\0')
    return tally_throw (error, TALLY_ERROR_USAGE, "\"delimiter\" cannot be none");
  if (csv->delimiter_byte == csv->quote_byte)
    return tally_throw (error, TALLY_ERROR_USAGE, "\"delimiter\" and \"quote\" are both \"%s\"", csv->delimiter);
  if (csv->quote_byte == '\0' && csv->quote_when != QUOTE_NEEDED)
    return tally_throw (error, TALLY_ERROR_USAGE, "\"quote-when\" is \"%s\", but \"quote\" is none",
                        quote_choices[csv->quote_when]);
  if (strpbrk (csv->null, "\r\n") != NULL || strchr (csv->null, csv->delimiter_byte) != NULL
      || (csv->quote_byte != '\0' && strchr (csv->null, csv->quote_byte) != NULL))
    return tally_throw (error, TALLY_ERROR_USAGE, "\"null\" cannot hold a delimiter, a quote or a line break");
  csv->null_length = strlen (csv->null);
  memset (csv->delimiters, csv->delimiter_byte, sizeof csv->delimiters);
  memset (csv->quotes, csv->quote_byte, sizeof csv->quotes);
  return tally_charset_is_utf8 (csv->encoding) || tally_charset_check (csv->encoding, error);
}

static gboolean
csv_sink_accept (gpointer self, TallySchema *schema, GError **error)
{
  CsvSink *csv = self;

  if (tally_schema_n_columns (schema) == 0)
    return tally_throw (error, TALLY_ERROR_USAGE, "there are no columns to write");

  csv->offered = schema;
  return TRUE;
}

/* Whether one of sixteen bytes has a meaning. */
static inline gboolean
has_special (const CsvSink *csv, Bytes bytes)
{
  Bytes delimiters, quotes, found;
  guint64 halves[2];

  memcpy (&delimiters, csv->delimiters, sizeof delimiters);
  memcpy (&quotes, csv->quotes, sizeof quotes);
  found = (Bytes) ((bytes == delimiters) | (bytes == quotes) | (bytes == '\n') | (bytes == '\r'));
  memcpy (halves, &found, sizeof halves);
  return (halves[0] | halves[1]) != 0;
}

/* copy_plain() for half to twice as many bytes: the first ones and the last ones, which may be the same in part. */
static inline gboolean
copy_ends (const CsvSink *csv, const char *from, gsize length, char *to, gsize half)
{
  Bytes bytes;

  /* No NUL fills it up: that is what stands for no quote. */
  for (gsize i = 0; i < sizeof bytes; i += 2 * half)
    {
      memcpy ((char *) &bytes + i, from, half);
      memcpy ((char *) &bytes + i + half, from + length - half, half);
    }
  memcpy (to, &bytes, half);
  memcpy (to + length - half, (char *) &bytes + half, half);
  return !has_special (csv, bytes);
}

/* Copies a text, sixteen bytes at a time, the last ones by going back over some.  FALSE: a byte in it has a meaning, and not
 * all may have been copied. */
static inline gboolean
copy_plain (const CsvSink *csv, const char *from, gsize length, char *to)
{
  if (length < 2)
    {
      *to = *from;
      return !has_special (csv, (guint8) *from - (Bytes) { 0 });
    }
  if (length < 4)
    return copy_ends (csv, from, length, to, 2);
  if (length < 8)
    return copy_ends (csv, from, length, to, 4);
  if (length < sizeof (Bytes))
    return copy_ends (csv, from, length, to, 8);

  for (gsize i = 0;; i += sizeof (Bytes))
    {
      gsize at = MIN (i, length - sizeof (Bytes));
      Bytes bytes;

      memcpy (&bytes, from + at, sizeof bytes);
      memcpy (to + at, &bytes, sizeof bytes);
      if (has_special (csv, bytes))
        return FALSE;
      if (i + sizeof bytes >= length)
        return TRUE;
    }
}

static inline gboolean
is_blank (char byte)
{
  return byte == ' ' || byte == '\t';
}

/* Whether a reader could take a text without quotes for something else, although none of its bytes has a meaning. */
static inline gboolean
is_ambiguous (const CsvSink *csv, guint column, TallyText text)
{
  if (is_blank (text.data[0]) || is_blank (text.data[text.length - 1]))
    return TRUE;
  if (column == 0
      && (text.data[0] == '#' || (text.length >= 3 && memcmp (text.data, BYTE_ORDER_MARK, 3) == 0)))
    return TRUE;
  return text.length == csv->null_length && memcmp (text.data, csv->null, text.length) == 0;
}

static void
reserve (CsvSink *csv, gsize more)
{
  if (G_LIKELY (csv->size - csv->length >= more))
    return;

  csv->size = MAX (csv->size * 2, csv->length + more);
  csv->buffer = g_realloc (csv->buffer, csv->size);
}

static void
put_quoted (CsvSink *csv, TallyText text)
{
  const char *from = text.data, *end = text.data + text.length;

  csv->buffer[csv->length++] = csv->quote_byte;
  while (from < end)
    {
      const char *quote = memchr (from, csv->quote_byte, end - from);
      gsize n = quote != NULL ? (gsize) (quote + 1 - from) : (gsize) (end - from);

      memcpy (csv->buffer + csv->length, from, n);
      csv->length += n;
      from += n;
      if (quote != NULL)
        csv->buffer[csv->length++] = csv->quote_byte;
    }
  csv->buffer[csv->length++] = csv->quote_byte;
}

/* FALSE if there are no quotes, but the text needs some. */
static inline gboolean
put_text (CsvSink *csv, guint column, TallyText text)
{
  gboolean is_plain;

  reserve (csv, 2 * text.length + 2);
  if (csv->quote_when != QUOTE_NEEDED)
    is_plain = FALSE;
  else if (text.length == 0)
    is_plain = csv->quote_byte == '\0';
  else
    is_plain = copy_plain (csv, text.data, text.length, csv->buffer + csv->length)
               && (csv->quote_byte == '\0' || !is_ambiguous (csv, column, text));

  if (is_plain)
    csv->length += text.length;
  else if (csv->quote_byte != '\0')
    put_quoted (csv, text);
  else
    return FALSE;
  return TRUE;
}

static void
put_null (CsvSink *csv)
{
  if (csv->quote_when == QUOTE_ALWAYS)
    {
      put_text (csv, 0, (TallyText) { csv->null, csv->null_length });
      return;
    }

  reserve (csv, csv->null_length);
  memcpy (csv->buffer + csv->length, csv->null, csv->null_length);
  csv->length += csv->null_length;
}

static inline void
put_byte (CsvSink *csv, char byte)
{
  reserve (csv, 1);
  csv->buffer[csv->length++] = byte;
}

static void
put_line_end (CsvSink *csv)
{
  if (csv->line_end == 1)
    put_byte (csv, '\r');
  put_byte (csv, '\n');
}

/* Turns what stands in the buffer from a place on into the file's encoding. */
static gboolean
encode (CsvSink *csv, gsize from, GError **error)
{
  gsize length;
  g_autofree char *encoded = g_convert_with_iconv (csv->buffer + from, csv->length - from, csv->iconv, NULL, &length, error);

  if (encoded == NULL)
    return FALSE;

  csv->length = from;
  reserve (csv, length);
  memcpy (csv->buffer + from, encoded, length);
  csv->length += length;
  return TRUE;
}

static gboolean
write_header (CsvSink *csv, GError **error)
{
  guint n_columns = tally_schema_n_columns (csv->schema);

  if (csv->bom)
    {
      reserve (csv, strlen (BYTE_ORDER_MARK));
      memcpy (csv->buffer, BYTE_ORDER_MARK, strlen (BYTE_ORDER_MARK));
      csv->length = strlen (BYTE_ORDER_MARK);
    }
  for (guint i = 0; csv->header && i < n_columns; i++)
    {
      const char *name = tally_schema_column (csv->schema, i)->name;

      if (i > 0)
        put_byte (csv, csv->delimiter_byte);
      if (!put_text (csv, i, (TallyText) { name, strlen (name) }))
        return tally_throw (error, TALLY_ERROR_USAGE, "the column name \"%s\" needs quotes, but \"quote\" is none", name);
    }
  if (csv->header)
    put_line_end (csv);
  if (csv->iconv != (GIConv) -1 && !encode (csv, 0, error))
    return tally_throw_prefix (error, "could not write the header in %s", csv->encoding);
  return TRUE;
}

static gboolean
begin (CsvSink *csv, GError **error)
{
  if (csv->offered == NULL)
    return tally_throw (error, TALLY_ERROR_USAGE, "there are no columns to write");

  csv->schema = tally_schema_ref (csv->offered);
  csv->iconv = tally_charset_is_utf8 (csv->encoding) ? (GIConv) -1 : g_iconv_open (csv->encoding, "UTF-8");
  csv->scratch = g_string_new (NULL);
  csv->size = ENOUGH + ENOUGH / 4;
  csv->buffer = g_malloc (csv->size);
  return write_header (csv, error);
}

static gboolean
csv_sink_open (gpointer self, TallyContext *ctx, GError **error)
{
  CsvSink *csv = self;

  csv->output = tally_output_open (csv->path, error);
  return csv->output != NULL && begin (csv, error);
}

static gboolean
csv_sink_plan (gpointer self, TallyContext *ctx, GError **error)
{
  CsvSink *csv = self;

  csv->output = tally_output_plan (csv->path, ctx, error);
  return csv->output != NULL && begin (csv, error);
}

static gboolean
csv_sink_probe (gpointer self, TallyContext *ctx, GError **error)
{
  return tally_output_probe (((CsvSink *) self)->path, ctx, error);
}

static gboolean
is_text_like (TallyType type)
{
  return type == TALLY_TYPE_TEXT || type == TALLY_TYPE_NUMERIC || type == TALLY_TYPE_JSONB;
}

/* A batch's column as this sink reads it. */
typedef struct
{
  const guint64 *validity;
  const TallyText *texts; /* NULL for what is held in another form */
} SinkColumn;

/* Puts a row into the buffer; returns why it cannot be written, or NULL. */
static const char *
put_row (CsvSink *csv, TallyBatch *batch, const SinkColumn *columns, guint n_columns, guint row)
{
  for (guint i = 0; i < n_columns; i++)
    {
      TallyText text;

      if (i > 0)
        put_byte (csv, csv->delimiter_byte);
      if ((columns[i].validity[row / 64] >> (row % 64) & 1) == 0)
        {
          put_null (csv);
          continue;
        }
      if (columns[i].texts != NULL)
        text = columns[i].texts[row];
      else
        {
          g_string_truncate (csv->scratch, 0);
          tally_batch_append_value (batch, row, i, csv->scratch);
          text = (TallyText) { csv->scratch->str, csv->scratch->len };
        }
      if (!put_text (csv, i, text))
        return "a value has a delimiter or a line break, but \"quote\" is none";
    }

  put_line_end (csv);
  return NULL;
}

static void
write_row (CsvSink *csv, TallyBatch *batch, const SinkColumn *columns, guint n_columns, guint row)
{
  gsize start = csv->length;
  const char *reason = put_row (csv, batch, columns, n_columns, row);
  g_autofree char *message = NULL;

  if (reason == NULL && csv->iconv != (GIConv) -1)
    {
      g_autoptr (GError) error = NULL;

      if (!encode (csv, start, &error))
        reason = message = g_strdup_printf ("cannot be written in %s: %s", csv->encoding, error->message);
    }
  if (reason != NULL)
    {
      csv->length = start;
      tally_batch_reject (batch, row, reason);
    }
}

static gboolean
flush_buffer (CsvSink *csv, GError **error)
{
  gsize length = csv->length;

  csv->length = 0;
  return tally_output_write (csv->output, csv->buffer, length, error);
}

static TallyFlow
csv_sink_write (gpointer self, TallyContext *ctx, TallyBatch *batch, GError **error)
{
  CsvSink *csv = self;
  TallySchema *schema = tally_batch_schema (batch);
  guint n_columns = tally_schema_n_columns (schema), n_rows = tally_batch_n_rows (batch);
  g_autofree SinkColumn *columns = g_new0 (SinkColumn, n_columns);

  for (guint i = 0; i < n_columns; i++)
    columns[i] = (SinkColumn) {
      .validity = tally_batch_validity (batch, i),
      .texts = is_text_like (tally_schema_column (schema, i)->type) ? tally_batch_vector (batch, i) : NULL,
    };
  for (guint row = 0; row < n_rows; row++)
    {
      if (!tally_batch_is_rejected (batch, row))
        write_row (csv, batch, columns, n_columns, row);
      if (csv->length >= ENOUGH && !flush_buffer (csv, error))
        return TALLY_FLOW_FATAL;
    }

  return TALLY_FLOW_OK;
}

static TallyFlow
csv_sink_commit (gpointer self, TallyContext *ctx, GError **error)
{
  CsvSink *csv = self;

  return flush_buffer (csv, error) && tally_output_commit (csv->output, error) ? TALLY_FLOW_OK : TALLY_FLOW_FATAL;
}

static void
csv_sink_close (gpointer self)
{
  CsvSink *csv = self;

  g_clear_pointer (&csv->output, tally_output_free);
  g_clear_pointer (&csv->schema, tally_schema_unref);
  g_clear_pointer (&csv->buffer, g_free);
  if (csv->iconv != NULL && csv->iconv != (GIConv) -1)
    g_iconv_close (csv->iconv);
  csv->iconv = NULL;
  if (csv->scratch != NULL)
    g_string_free (csv->scratch, TRUE);
  csv->scratch = NULL;
  csv->length = 0;
}

#define FIELD(name) G_STRUCT_OFFSET (CsvSink, name)

static const TallyOption csv_sink_options[] = {
  { .name = "path", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_REQUIRED | TALLY_OPTION_PATH, .offset = FIELD (path),
    .summary = "File to write, compressed if it ends in .gz or .zst; - for standard output", .example = "out/tickets.csv" },
  { .name = "delimiter", .type = TALLY_OPTION_TEXT, .fallback = ",", .offset = FIELD (delimiter),
    .summary = "What stands between fields: one ASCII character, or tab" },
  { .name = "quote", .type = TALLY_OPTION_TEXT, .fallback = "\"", .offset = FIELD (quote),
    .summary = "What stands around fields that need it, doubled within; with none, rows that need it are rejected" },
  { .name = "header", .type = TALLY_OPTION_BOOL, .fallback = "true", .offset = FIELD (header),
    .summary = "Whether the first record names the columns" },
  { .name = "line-end", .type = TALLY_OPTION_CHOICE, .fallback = "lf", .choices = line_end_choices, .offset = FIELD (line_end),
    .summary = "How records end" },
  { .name = "null", .type = TALLY_OPTION_TEXT, .fallback = "", .offset = FIELD (null),
    .summary = "What stands for NULL, unquoted", .example = "\\N" },
  { .name = "quote-when", .type = TALLY_OPTION_CHOICE, .fallback = "needed", .choices = quote_choices,
    .offset = FIELD (quote_when), .summary = "Which values to quote; with always NULL, too, which makes it a text" },
  { .name = "encoding", .type = TALLY_OPTION_TEXT, .fallback = "UTF-8", .offset = FIELD (encoding),
    .summary = "Encoding of the file; rows that cannot be written in it are rejected", .example = "windows-1252" },
  { .name = "bom", .type = TALLY_OPTION_BOOL, .fallback = "false", .offset = FIELD (bom),
    .summary = "Whether to begin with a byte-order mark, for spreadsheets" },
  { 0 },
};

static const TallyPlanSink csv_sink_plans = {
  TALLY_PLAN_SINK_INIT,
  .open = csv_sink_plan,
  .write = csv_sink_write,
  .end = csv_sink_commit,
};

const TallyPlugin csv_sink = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SINK,
  .name = "csv",
  .summary = "A CSV file that appears as a whole",
  .flags = TALLY_PLUGIN_LOCAL | TALLY_PLUGIN_WHOLE,
  .threading = TALLY_THREADING_INSTANCE,
  .instance_size = sizeof (CsvSink),
  .options = csv_sink_options,
  .check = csv_sink_check,
  .accept = csv_sink_accept,
  .open = csv_sink_open,
  .probe = csv_sink_probe,
  .write = csv_sink_write,
  .commit = csv_sink_commit,
  .close = csv_sink_close,
  .plan = &csv_sink_plans,
};
