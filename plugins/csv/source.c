/* source.c: the source: options, files one after the other, and positions in them */
#include "character.h"
#include "csv.h"
#include "feed.h"
#include "header.h"
#include "reader.h"

typedef struct
{
  char **path;        /* option */
  char *delimiter;    /* option */
  char *quote;        /* option */
  char *escape;       /* option */
  gboolean header;    /* option */
  char **columns;     /* option */
  gint64 skip;        /* option */
  char *encoding;     /* option */
  char **null;        /* option */
  gboolean trim;      /* option */
  char *comment;      /* option */
  gint ragged;        /* option */
  gint64 max_field;   /* option */
  gint64 max_record;  /* option */
  gint64 max_columns; /* option */

  CsvDialect dialect;
  TallyFeed feed;
  gboolean is_begun; /* the position of an earlier run was looked at */
  CsvReader *reader; /* (owned) (nullable) */
} CsvSource;

static char *const empty_is_null[] = { (char *) "", NULL };

static gboolean
csv_check (gpointer self, GError **error)
{
  CsvSource *csv = self;
  CsvDialect *dialect = &csv->dialect;
  CsvSpecials *specials = &dialect->specials;

  *dialect = (CsvDialect) {
    .trim = csv->trim,
    .ragged = csv->ragged,
    .nulls = csv->null != NULL ? csv->null : empty_is_null,
    .max_field = csv->max_field,
    .max_record = MAX (csv->max_record, csv->max_field),
    .max_columns = csv->max_columns,
    .scan = csv_scan_best (),
  };
  if (!csv_character_parse ("delimiter", csv->delimiter, &specials->delimiter, error)
      || !csv_character_parse ("quote", csv->quote, &specials->quote, error)
      || !csv_character_parse ("escape", csv->escape != NULL ? csv->escape : csv->quote, &specials->escape, error)
      || !csv_character_parse ("comment", csv->comment != NULL ? csv->comment : "none", &dialect->comment, error))
    return FALSE;
  if (specials->delimiter == '\0')
    return tally_throw (error, TALLY_ERROR_USAGE, "\"delimiter\" cannot be none");
  if (specials->delimiter == specials->quote || specials->delimiter == specials->escape)
    return tally_throw (error, TALLY_ERROR_USAGE, "\"delimiter\" and \"%s\" are both \"%s\"",
                        specials->delimiter == specials->quote ? "quote" : "escape", csv->delimiter);
  return tally_feed_check (csv->path, csv->encoding, error);
}

static gboolean
csv_open (gpointer self, TallyContext *ctx, GError **error)
{
  CsvSource *csv = self;

  return tally_feed_open (&csv->feed, csv->path, error);
}

static gboolean
csv_probe (gpointer self, TallyContext *ctx, GError **error)
{
  tally_feed_probe (&((CsvSource *) self)->feed, ctx);
  return TRUE;
}

static CsvReader *
open_reader (CsvSource *csv, GError **error)
{
  TallyInput *input = tally_feed_open_input (&csv->feed, csv->encoding, error);

  return input != NULL ? csv_reader_new (input, &csv->dialect) : NULL;
}

/* The names of a file's columns: what the header says, what the option says, or numbers.  Without a header the first
 * record is only looked at, so that the reader is of no further use. */
static char **
read_names (CsvSource *csv, CsvReader *reader, TallyContext *ctx, GError **error)
{
  CsvRecord record;
  CsvStatus status;

  if (!csv_reader_skip_lines (reader, csv->skip, error))
    return NULL;
  if (!csv->header && csv->columns != NULL)
    return g_strdupv (csv->columns);

  status = csv_reader_next (reader, &record, error);
  if (status == CSV_ERROR)
    return NULL;
  if (status == CSV_END)
    {
      tally_throw (error, TALLY_ERROR_DATA, csv->header ? "there is no header" : "there is no record to count columns by");
      return NULL;
    }
  if (record.flaw != NULL)
    {
      tally_throw (error, TALLY_ERROR_DATA, "line %" G_GINT64_FORMAT ", the %s, %s", record.line,
                   csv->header ? "header" : "first record", record.flaw);
      return NULL;
    }
  if (csv->columns == NULL)
    return csv->header ? csv_header_names (record.fields, record.n_fields, ctx) : csv_header_numbered (record.n_fields);
  if (g_strv_length (csv->columns) != record.n_fields)
    {
      tally_throw (error, TALLY_ERROR_DATA, "the header has %u columns, but \"columns\" names %u", record.n_fields,
                   g_strv_length (csv->columns));
      return NULL;
    }
  return g_strdupv (csv->columns);
}

static char **
names_of_file (CsvSource *csv, TallyContext *ctx, GError **error)
{
  g_autoptr (CsvReader) reader = open_reader (csv, error);
  char **names;

  if (reader == NULL)
    return NULL;

  names = read_names (csv, reader, ctx, error);
  if (names == NULL)
    tally_throw_prefix (error, "%s", tally_feed_name (&csv->feed));
  return names;
}

static TallySchema *
make_schema (char **names, GError **error)
{
  guint n_columns = g_strv_length (names), twice;
  g_autofree TallyColumn *columns = g_new0 (TallyColumn, n_columns);

  for (guint i = 0; i < n_columns; i++)
    columns[i] = (TallyColumn) { .name = names[i], .type = TALLY_TYPE_TEXT };
  if (!tally_schema_check_names (columns, n_columns, &twice))
    {
      tally_throw (error, TALLY_ERROR_USAGE, "\"columns\" names \"%s\" twice", names[twice]);
      return NULL;
    }
  return tally_schema_new (columns, n_columns);
}

/* Which column of the schema each of a file's columns is: by name, in any order, all of them. */
static guint *
match_columns (TallySchema *schema, char **names, const char *file, GError **error)
{
  guint n_names = g_strv_length (names), n_columns = tally_schema_n_columns (schema);
  g_autofree guint *columns = g_new (guint, n_names + 1);

  for (guint i = 0; i < n_names; i++)
    {
      gint column = tally_schema_find (schema, names[i]);

      if (column < 0)
        {
          tally_throw (error, TALLY_ERROR_DATA, "\"%s\" has the column \"%s\", which the first file has not", file, names[i]);
          return NULL;
        }
      columns[i] = column;
    }
  for (guint i = 0; i < n_columns && n_names < n_columns; i++)
    if (!g_strv_contains ((const char *const *) names, tally_schema_column (schema, i)->name))
      {
        tally_throw (error, TALLY_ERROR_DATA, "\"%s\" has no column \"%s\", which the first file has", file,
                     tally_schema_column (schema, i)->name);
        return NULL;
      }

  return g_steal_pointer (&columns);
}

static TallySchema *
csv_describe (gpointer self, TallyContext *ctx, GError **error)
{
  CsvSource *csv = self;
  g_autoptr (TallySchema) schema = NULL;

  for (csv->feed.index = 0; tally_feed_name (&csv->feed) != NULL; csv->feed.index++)
    {
      g_auto (GStrv) names = names_of_file (csv, ctx, error);
      g_autofree guint *columns = NULL;

      if (names == NULL)
        return NULL;
      if (schema == NULL && (schema = make_schema (names, error)) == NULL)
        return NULL;
      columns = match_columns (schema, names, tally_feed_name (&csv->feed), error);
      if (columns == NULL)
        return NULL;
    }

  csv->feed.index = 0;
  return g_steal_pointer (&schema);
}

/* Opens the file that is next, with its columns matched; after its header, or at a place. */
static gboolean
open_file (CsvSource *csv, TallySchema *schema, const TallyPlace *place, gboolean *ret_fits, GError **error)
{
  g_auto (GStrv) names = NULL;
  g_autofree guint *columns = NULL;

  csv->reader = open_reader (csv, error);
  if (csv->reader == NULL)
    return FALSE;
  if (place != NULL && !tally_input_is (csv_reader_input (csv->reader), place->identity))
    {
      *ret_fits = FALSE;
      return TRUE;
    }

  names = read_names (csv, csv->reader, NULL, error);
  if (names == NULL)
    return tally_throw_prefix (error, "%s", tally_feed_name (&csv->feed));
  columns = match_columns (schema, names, tally_feed_name (&csv->feed), error);
  if (columns == NULL)
    return FALSE;

  /* To go elsewhere takes another reader, because an input may not be able to go back; and without a header, what was
   * looked at is a record. */
  if (place != NULL || (!csv->header && csv->columns == NULL))
    {
      g_clear_pointer (&csv->reader, csv_reader_free);
      csv->reader = open_reader (csv, error);
      if (csv->reader == NULL || (place == NULL && !csv_reader_skip_lines (csv->reader, csv->skip, error)))
        return FALSE;
    }
  csv_reader_set_columns (csv->reader, columns, g_strv_length (names));
  return place == NULL || csv_reader_resume (csv->reader, place->offset, place->line, ret_fits, error);
}

/* Begins, where an earlier run has ended if there was one and the files are still the same. */
static gboolean
begin (CsvSource *csv, TallyContext *ctx, TallySchema *schema, GError **error)
{
  g_auto (TallyPlace) place = { 0 };
  gboolean fits = TRUE;

  csv->is_begun = TRUE;
  if (!tally_feed_find_place (&csv->feed, ctx, &place))
    return TRUE;
  if (!open_file (csv, schema, &place, &fits, error))
    return FALSE;

  if (!fits)
    {
      g_clear_pointer (&csv->reader, csv_reader_free);
      tally_feed_start_over (&csv->feed, ctx, place.name);
    }
  return TRUE;
}

/* Reads from the file that is open; ret_is_empty tells that it had nothing more. */
static CsvStatus
read_file (CsvSource *csv, TallyContext *ctx, TallyBatch *out, gboolean *ret_is_empty, GError **error)
{
  CsvReader *reader = csv->reader;
  guint64 start = csv_reader_offset (reader);
  CsvStatus status;

  tally_input_consume (csv_reader_input (reader));
  tally_feed_set_origin (&csv->feed, ctx, out);
  status = csv_reader_fill (reader, out, error);
  tally_feed_set_position (&csv->feed, csv_reader_input (reader), csv_reader_offset (reader), csv_reader_line (reader), out);
  *ret_is_empty = status == CSV_END && csv_reader_offset (reader) == start;
  return status;
}

static TallyFlow
csv_read (gpointer self, TallyContext *ctx, TallyBatch *out, GError **error)
{
  CsvSource *csv = self;
  TallySchema *schema = tally_batch_schema (out);
  gboolean is_empty = TRUE;

  if (!csv->is_begun && !begin (csv, ctx, schema, error))
    return TALLY_FLOW_FATAL;

  /* A batch has rows of one file only. */
  while (is_empty && tally_feed_name (&csv->feed) != NULL)
    {
      CsvStatus status;

      if (csv->reader == NULL && !open_file (csv, schema, NULL, NULL, error))
        return TALLY_FLOW_FATAL;
      status = read_file (csv, ctx, out, &is_empty, error);
      if (status == CSV_ERROR)
        return TALLY_FLOW_FATAL;
      if (status == CSV_RECORD)
        return TALLY_FLOW_OK;

      g_clear_pointer (&csv->reader, csv_reader_free);
      csv->feed.index++;
    }

  return tally_feed_name (&csv->feed) != NULL ? TALLY_FLOW_OK : TALLY_FLOW_END;
}

static void
csv_interrupt (gpointer self)
{
  CsvSource *csv = self;

  tally_feed_interrupt (&csv->feed);
}

static void
csv_close (gpointer self)
{
  CsvSource *csv = self;

  g_clear_pointer (&csv->reader, csv_reader_free);
  tally_feed_close (&csv->feed);
  csv->is_begun = FALSE;
}

#define FIELD(name) G_STRUCT_OFFSET (CsvSource, name)
#define MiB (1024 * 1024)

static const char *const ragged_choices[] = { "reject", "pad", NULL };

static const TallyOption csv_options[] = {
  { .name = "path", .type = TALLY_OPTION_LIST, .flags = TALLY_OPTION_REQUIRED | TALLY_OPTION_PATH, .offset = FIELD (path),
    .summary = "Files to read, also patterns; - for standard input", .example = "export/tickets-*.csv.gz" },
  { .name = "delimiter", .type = TALLY_OPTION_TEXT, .fallback = ",", .offset = FIELD (delimiter),
    .summary = "What stands between fields: one ASCII character, or tab", .example = ";" },
  { .name = "quote", .type = TALLY_OPTION_TEXT, .fallback = "\"", .offset = FIELD (quote),
    .summary = "What stands around fields that have delimiters or line breaks, or none" },
  { .name = "escape", .type = TALLY_OPTION_TEXT, .offset = FIELD (escape),
    .summary = "What stands before a quote within quotes; by default the quote itself", .example = "\\" },
  { .name = "header", .type = TALLY_OPTION_BOOL, .fallback = "true", .offset = FIELD (header),
    .summary = "Whether the first record names the columns" },
  { .name = "columns", .type = TALLY_OPTION_LIST, .offset = FIELD (columns),
    .summary = "Names of the columns, instead of the header's", .example = "[id, subject, status]" },
  { .name = "skip", .type = TALLY_OPTION_INT, .fallback = "0", .min = 0, .max = 1000000, .offset = FIELD (skip),
    .summary = "Lines to leave out before the header" },
  { .name = "encoding", .type = TALLY_OPTION_TEXT, .offset = FIELD (encoding),
    .summary = "Encoding of the files; by default what a byte-order mark tells, else UTF-8", .example = "windows-1252" },
  { .name = "null", .type = TALLY_OPTION_LIST, .offset = FIELD (null),
    .summary = "Texts that are NULL where they stand unquoted; by default the empty one", .example = "[\"\", N/A]" },
  { .name = "trim", .type = TALLY_OPTION_BOOL, .fallback = "false", .offset = FIELD (trim),
    .summary = "Whether to drop blanks around unquoted fields and around quotes" },
  { .name = "comment", .type = TALLY_OPTION_TEXT, .offset = FIELD (comment),
    .summary = "Character that makes a line a comment where it stands first", .example = "#" },
  { .name = "ragged", .type = TALLY_OPTION_CHOICE, .fallback = "reject", .choices = ragged_choices, .offset = FIELD (ragged),
    .summary = "What to do with a record of another length: reject it, or pad it with NULL and drop empty surplus" },
  { .name = "max-field", .type = TALLY_OPTION_SIZE, .fallback = "16MiB", .min = 1, .max = 1024 * MiB,
    .offset = FIELD (max_field), .summary = "Largest field; a record with a larger one is rejected" },
  { .name = "max-record", .type = TALLY_OPTION_SIZE, .fallback = "64MiB", .min = 1, .max = 1024 * MiB,
    .offset = FIELD (max_record), .summary = "Largest record that is kept in memory; a larger one is rejected" },
  { .name = "max-columns", .type = TALLY_OPTION_INT, .fallback = "4096", .min = 1, .max = 65536,
    .offset = FIELD (max_columns), .summary = "Most fields of a record" },
  { 0 },
};

const TallyPlugin csv_source = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SOURCE,
  .name = "csv",
  .summary = "Records from CSV files",
  .flags = TALLY_PLUGIN_LOCAL,
  .threading = TALLY_THREADING_INSTANCE,
  .instance_size = sizeof (CsvSource),
  .options = csv_options,
  .check = csv_check,
  .open = csv_open,
  .probe = csv_probe,
  .describe = csv_describe,
  .read = csv_read,
  .interrupt = csv_interrupt,
  .close = csv_close,
};
