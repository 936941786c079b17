/* source.c: objects to rows
 *
 * Without "columns", the first objects tell the columns and their types.  A value goes into a column as
 * PostgreSQL's jsonb_populate_record() would put it there.
 */
#include "feed.h"
#include "json.h"
#include "reader.h"
#include "skim.h"
#include <string.h>

/* No object has more members than that. */
#define MAX_COLUMNS 4096

typedef struct
{
  char **path;       /* option */
  gint format;       /* option */
  char **columns;    /* option */
  gint64 sample;     /* option */
  char *encoding;    /* option */
  gint64 max_record; /* option */
  gint64 max_depth;  /* option */

  TallyFeed feed;
  gboolean is_begun;  /* the position of an earlier run was looked at */
  JsonReader *reader; /* (owned) (nullable) */
  GString *scratch;   /* (owned) (nullable) */
} JsonSource;

static const char *const format_choices[] = { "lines", "array", "auto", NULL };

/* A column while its type is being found out. */
typedef struct
{
  char *name; /* (owned) */
  guint kinds; /* a bit for each JsonKind that was seen */
} Guess;

static void
guess_free (gpointer data)
{
  Guess *guess = data;

  g_free (guess->name);
  g_free (guess);
}

/* "name type" → both; without a type it is text. */
static TallyColumn
parse_column (const char *text, char **ret_name)
{
  TallyColumn column = { .type = TALLY_TYPE_TEXT };

  *ret_name = g_strdup (text);
  /* The longest end that is a type: some types have blanks, and so may names. */
  for (char *blank = strchr (*ret_name, ' '); blank != NULL; blank = strchr (blank + 1, ' '))
    if (tally_type_from_name (g_strchug (blank + 1), &column.type))
      {
        *blank = '\0';
        break;
      }
  g_strchomp (*ret_name);
  column.name = *ret_name;
  return column;
}

static TallySchema *
schema_of_option (JsonSource *json, GError **error)
{
  guint n = g_strv_length (json->columns), twice;
  g_autofree TallyColumn *columns = g_new0 (TallyColumn, n);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < n; i++)
    {
      char *name;

      columns[i] = parse_column (json->columns[i], &name);
      g_ptr_array_add (names, name);
      if (*name == '\0')
        {
          tally_throw (error, TALLY_ERROR_USAGE, "\"columns\" has an entry without a name: \"%s\"", json->columns[i]);
          return NULL;
        }
    }
  if (!tally_schema_check_names (columns, n, &twice))
    {
      tally_throw (error, TALLY_ERROR_USAGE, "\"columns\" names \"%s\" twice", columns[twice].name);
      return NULL;
    }
  return tally_schema_new (columns, n);
}

static gboolean
json_check (gpointer self, GError **error)
{
  JsonSource *json = self;

  if (json->columns != NULL)
    {
      g_autoptr (TallySchema) schema = schema_of_option (json, error);

      if (schema == NULL)
        return FALSE;
    }
  return tally_feed_check (json->path, json->encoding, error);
}

static gboolean
json_open (gpointer self, TallyContext *ctx, GError **error)
{
  JsonSource *json = self;

  json->scratch = g_string_new (NULL);
  return tally_feed_open (&json->feed, json->path, error);
}

static gboolean
json_probe (gpointer self, TallyContext *ctx, GError **error)
{
  tally_feed_probe (&((JsonSource *) self)->feed, ctx);
  return TRUE;
}

static JsonReader *
open_reader (JsonSource *json, JsonFormat format, GError **error)
{
  TallyInput *input = tally_feed_open_input (&json->feed, json->encoding, error);

  return input != NULL ? json_reader_new (input, format, json->max_record) : NULL;
}

/* A name as it is meant, in scratch. */
static gboolean
decode_name (const JsonValue *name, GString *scratch)
{
  gssize length = name->text.length;

  g_string_set_size (scratch, length);
  if (name->escapes)
    length = json_unescape (name->text, scratch->str);
  else
    memcpy (scratch->str, name->text.data, length);
  if (length < 0)
    return FALSE;

  g_string_set_size (scratch, length);
  return TRUE;
}

/* Adds what an object of the sample tells.  Broken ones tell nothing: they are rejected when they are read. */
static void
learn (JsonSource *json, const JsonRecord *record, GPtrArray *guesses, GHashTable *by_name)
{
  JsonSkim skim = { .data = record->text.data, .length = record->text.length, .max_depth = json->max_depth };
  JsonValue name, value;

  if (record->flaw != NULL || !g_utf8_validate_len (skim.data, skim.length, NULL) || !json_skim_begin_object (&skim))
    return;

  while (json_skim_next_name (&skim, &name) && json_skim_value (&skim, &value))
    {
      Guess *guess;

      if (!decode_name (&name, json->scratch))
        return;
      guess = g_hash_table_lookup (by_name, json->scratch->str);
      if (guess == NULL && guesses->len < MAX_COLUMNS)
        {
          guess = g_new0 (Guess, 1);
          guess->name = g_strdup (json->scratch->str);
          g_ptr_array_add (guesses, guess);
          g_hash_table_insert (by_name, guess->name, guess);
        }
      if (guess != NULL)
        guess->kinds |= 1u << value.kind;
    }
}

/* The narrowest type that holds all that was seen. */
static TallyType
guessed_type (guint kinds)
{
  const guint numbers = 1u << JSON_INTEGER | 1u << JSON_NUMBER, nested = 1u << JSON_OBJECT | 1u << JSON_ARRAY;

  kinds &= ~(1u << JSON_NULL);
  if (kinds & nested)
    return TALLY_TYPE_JSONB;
  if (kinds == 1u << JSON_INTEGER)
    return TALLY_TYPE_BIGINT;
  if (kinds != 0 && (kinds & ~numbers) == 0)
    return TALLY_TYPE_NUMERIC;
  if (kinds == 1u << JSON_BOOLEAN)
    return TALLY_TYPE_BOOLEAN;
  return TALLY_TYPE_TEXT;
}

static gboolean
learn_file (JsonSource *json, gint64 *left, GPtrArray *guesses, GHashTable *by_name, GError **error)
{
  g_autoptr (JsonReader) reader = open_reader (json, json->format, error);
  g_autoptr (GError) local = NULL;
  JsonStatus status = JSON_RECORD;
  JsonRecord record;

  if (reader == NULL)
    return FALSE;

  for (; *left > 0 && (status = json_reader_next (reader, &record, &local)) == JSON_RECORD; (*left)--)
    learn (json, &record, guesses, by_name);
  /* A file that is broken further down is read as far as it goes. */
  if (status != JSON_ERROR || (guesses->len > 0 && g_error_matches (local, TALLY_ERROR, TALLY_ERROR_DATA)))
    return TRUE;

  g_propagate_prefixed_error (error, g_steal_pointer (&local), "%s: ", tally_feed_name (&json->feed));
  return FALSE;
}

static TallySchema *
json_describe (gpointer self, TallyContext *ctx, GError **error)
{
  JsonSource *json = self;
  g_autoptr (GPtrArray) guesses = g_ptr_array_new_with_free_func (guess_free);
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree TallyColumn *columns = NULL;
  gint64 left = json->sample;

  if (json->columns != NULL)
    return schema_of_option (json, error);

  for (json->feed.index = 0; tally_feed_name (&json->feed) != NULL && left > 0; json->feed.index++)
    if (!learn_file (json, &left, guesses, by_name, error))
      return NULL;
  json->feed.index = 0;
  if (guesses->len == 0)
    {
      tally_throw (error, TALLY_ERROR_DATA, "no object in \"%s\" tells what the columns are; name them in \"columns\"",
                   tally_feed_name (&json->feed));
      return NULL;
    }

  columns = g_new0 (TallyColumn, guesses->len);
  for (guint i = 0; i < guesses->len; i++)
    {
      Guess *guess = g_ptr_array_index (guesses, i);

      columns[i] = (TallyColumn) { .name = guess->name, .type = guessed_type (guess->kinds) };
    }
  return tally_schema_new (columns, guesses->len);
}

/* A string as a view, or unescaped into the batch's memory. */
static const char *
string_value (TallyBatch *batch, const JsonValue *value, TallyText *ret_text)
{
  char *copy;
  gssize length;

  *ret_text = value->text;
  if (!value->escapes)
    return NULL;

  copy = tally_batch_alloc (batch, value->text.length);
  length = json_unescape (value->text, copy);
  if (length < 0)
    return "has \\u0000 or half of a surrogate pair, which no text can hold";

  *ret_text = (TallyText) { copy, length };
  return NULL;
}

/* Sets a value of the last row; returns why it does not fit, or NULL. */
static const char *
set_value (JsonSource *json, TallyBatch *batch, guint column, const JsonValue *value)
{
  TallyType type = tally_schema_column (tally_batch_schema (batch), column)->type;
  TallyText text = value->text;
  g_autoptr (GError) error = NULL;

  /* The last of equal names counts, also if it is NULL. */
  tally_batch_validity (batch, column)[(tally_batch_n_rows (batch) - 1) / 64]
      &= ~((guint64) 1 << ((tally_batch_n_rows (batch) - 1) % 64));
  if (value->kind == JSON_NULL)
    return NULL;

  if (value->kind == JSON_STRING && type == TALLY_TYPE_JSONB)
    text = (TallyText) { text.data - 1, text.length + 2 }; /* with its quotes */
  else if (value->kind == JSON_STRING)
    {
      const char *flaw = string_value (batch, value, &text);

      if (flaw != NULL)
        return flaw;
    }
  else if (type != TALLY_TYPE_JSONB && (value->kind == JSON_OBJECT || value->kind == JSON_ARRAY))
    return value->kind == JSON_OBJECT ? "is an object" : "is an array";

  if (type == TALLY_TYPE_TEXT)
    tally_batch_set_view (batch, column, text);
  else if (!tally_batch_set_from_text (batch, column, text.data, text.length, &error))
    {
      g_string_assign (json->scratch, error->message);
      return json->scratch->str;
    }
  return NULL;
}

/* The column of a member, most often the one behind the last member's. */
static gint
find_column (JsonSource *json, TallySchema *schema, const JsonValue *name, guint expected)
{
  if (expected < tally_schema_n_columns (schema) && !name->escapes
      && tally_text_equal (name->text, tally_schema_column (schema, expected)->name))
    return expected;

  return decode_name (name, json->scratch) ? tally_schema_find (schema, json->scratch->str) : -1;
}

/* Fills the last row from an object.  FALSE: scratch tells why it cannot be. */
static gboolean
fill_row (JsonSource *json, TallyContext *ctx, TallyBatch *batch, JsonSkim *skim)
{
  TallySchema *schema = tally_batch_schema (batch);
  JsonValue name, value;
  guint expected = 0;

  if (!json_skim_begin_object (skim))
    return FALSE;

  while (json_skim_next_name (skim, &name) && json_skim_value (skim, &value))
    {
      gint column = find_column (json, schema, &name, expected);
      const char *flaw;

      if (column < 0 && json->columns == NULL)
        tally_context_warn (ctx, "\"%.*s\" is no member of the first %" G_GINT64_FORMAT
                            " objects, and is left out; raise \"sample\" or name the \"columns\"",
                            (int) MIN (name.text.length, 100), name.text.data, json->sample);
      if (column < 0)
        continue;

      expected = column + 1;
      flaw = set_value (json, batch, column, &value);
      if (flaw != NULL)
        {
          g_autofree char *reason = g_strdup_printf ("\"%s\" %s%s", tally_schema_column (schema, column)->name,
                                                     flaw == json->scratch->str ? "does not fit: " : "", flaw);

          g_string_assign (json->scratch, reason);
          return FALSE;
        }
    }

  return skim->flaw == NULL && json_skim_is_done (skim);
}

/* A row, or a reject. */
static void
add_record (JsonSource *json, TallyContext *ctx, TallyBatch *batch, const JsonRecord *record)
{
  JsonSkim skim = { .data = record->text.data, .length = record->text.length, .max_depth = json->max_depth };
  const char *bad, *reason = record->flaw;

  if (reason == NULL && !g_utf8_validate_len (skim.data, skim.length, &bad))
    {
      g_string_printf (json->scratch, "byte %" G_GSIZE_FORMAT " is not UTF-8", (gsize) (bad - skim.data) + 1);
      reason = json->scratch->str;
    }
  if (reason == NULL)
    {
      guint row = tally_batch_add_row (batch);

      tally_batch_set_row_number (batch, row, record->line);
      if (fill_row (json, ctx, batch, &skim))
        return;

      tally_batch_undo_row (batch);
      if (skim.flaw != NULL)
        g_string_printf (json->scratch, "%s, at byte %" G_GSIZE_FORMAT, skim.flaw, skim.at + 1);
      reason = json->scratch->str;
    }
  tally_batch_add_reject (batch, record->line, reason, record->text);
}

static JsonStatus
fill_batch (JsonSource *json, TallyContext *ctx, TallyBatch *batch, GError **error)
{
  TallyBlock *held = NULL;
  guint capacity = tally_batch_capacity (batch);
  guint64 enough = json_reader_offset (json->reader) + TALLY_BATCH_BYTES;

  /* Rejects count, too, so that a file of nothing else does not pile up in one batch. */
  for (guint n_read = 0; n_read < capacity && json_reader_offset (json->reader) < enough; n_read++)
    {
      JsonRecord record;
      JsonStatus status = json_reader_next (json->reader, &record, error);

      if (status != JSON_RECORD)
        return status;

      if (json_reader_block (json->reader) != held)
        {
          held = json_reader_block (json->reader);
          tally_batch_hold (batch, tally_block_ref (held), tally_block_unref);
        }
      add_record (json, ctx, batch, &record);
    }

  return JSON_RECORD;
}

/* Goes on at a place in the file that is next.  ret_fits is FALSE if it is not the same file any more. */
static gboolean
go_to_place (JsonSource *json, const TallyPlace *place, gboolean *ret_fits, GError **error)
{
  JsonRecord ignored;
  JsonFormat format;

  json->reader = open_reader (json, json->format, error);
  if (json->reader == NULL)
    return FALSE;
  *ret_fits = tally_input_is (json_reader_input (json->reader), place->identity);
  if (!*ret_fits || place->offset == 0)
    return TRUE;

  /* The first record tells the format. */
  if (json_reader_next (json->reader, &ignored, error) == JSON_ERROR)
    return FALSE;
  format = json_reader_format (json->reader);
  json_reader_free (json->reader);
  json->reader = open_reader (json, format, error);
  return json->reader != NULL && json_reader_resume (json->reader, place->offset, place->line, ret_fits, error);
}

/* Begins, where an earlier run has ended if there was one and the files are still the same. */
static gboolean
begin (JsonSource *json, TallyContext *ctx, GError **error)
{
  g_auto (TallyPlace) place = { 0 };
  gboolean fits = TRUE;

  json->is_begun = TRUE;
  if (!tally_feed_find_place (&json->feed, ctx, &place))
    return TRUE;
  if (!go_to_place (json, &place, &fits, error))
    return FALSE;

  if (!fits)
    {
      g_clear_pointer (&json->reader, json_reader_free);
      tally_feed_start_over (&json->feed, ctx, place.name);
    }
  return TRUE;
}

/* Reads from the file that is open; ret_is_empty tells that it had nothing more. */
static JsonStatus
read_file (JsonSource *json, TallyContext *ctx, TallyBatch *out, gboolean *ret_is_empty, GError **error)
{
  JsonReader *reader = json->reader;
  guint64 start = json_reader_offset (reader);
  JsonStatus status;

  tally_input_consume (json_reader_input (reader));
  tally_feed_set_origin (&json->feed, ctx, out);
  status = fill_batch (json, ctx, out, error);
  tally_feed_set_position (&json->feed, json_reader_input (reader), json_reader_offset (reader), json_reader_line (reader), out);
  *ret_is_empty = status == JSON_END && json_reader_offset (reader) == start;
  return status;
}

static TallyFlow
json_read (gpointer self, TallyContext *ctx, TallyBatch *out, GError **error)
{
  JsonSource *json = self;
  gboolean is_empty = TRUE;

  if (!json->is_begun && !begin (json, ctx, error))
    return TALLY_FLOW_FATAL;

  /* A batch has rows of one file only. */
  while (is_empty && tally_feed_name (&json->feed) != NULL)
    {
      JsonStatus status;

      if (json->reader == NULL && (json->reader = open_reader (json, json->format, error)) == NULL)
        return TALLY_FLOW_FATAL;
      status = read_file (json, ctx, out, &is_empty, error);
      if (status == JSON_ERROR)
        {
          tally_throw_prefix (error, "%s", tally_feed_name (&json->feed));
          return TALLY_FLOW_FATAL;
        }
      if (status == JSON_RECORD)
        return TALLY_FLOW_OK;

      g_clear_pointer (&json->reader, json_reader_free);
      json->feed.index++;
    }

  return tally_feed_name (&json->feed) != NULL ? TALLY_FLOW_OK : TALLY_FLOW_END;
}

static void
json_interrupt (gpointer self)
{
  JsonSource *json = self;

  tally_feed_interrupt (&json->feed);
}

static void
json_close (gpointer self)
{
  JsonSource *json = self;

  g_clear_pointer (&json->reader, json_reader_free);
  tally_feed_close (&json->feed);
  if (json->scratch != NULL)
    g_string_free (json->scratch, TRUE);
  json->scratch = NULL;
  json->is_begun = FALSE;
}

#define FIELD(name) G_STRUCT_OFFSET (JsonSource, name)
#define MiB (1024 * 1024)

static const TallyOption json_options[] = {
  { .name = "path", .type = TALLY_OPTION_LIST, .flags = TALLY_OPTION_REQUIRED | TALLY_OPTION_PATH, .offset = FIELD (path),
    .summary = "Files to read, also patterns; - for standard input", .example = "export/tickets-*.ndjson.gz" },
  { .name = "format", .type = TALLY_OPTION_CHOICE, .fallback = "auto", .choices = format_choices, .offset = FIELD (format),
    .summary = "An object a line, one array of objects, or whichever the file begins like" },
  { .name = "columns", .type = TALLY_OPTION_LIST, .offset = FIELD (columns),
    .summary = "Members to read, each with its type if it is not text; by default those of the sample",
    .example = "[id bigint, subject, created timestamptz]" },
  { .name = "sample", .type = TALLY_OPTION_INT, .fallback = "1000", .min = 1, .max = 10000000, .offset = FIELD (sample),
    .summary = "Objects to look at for the columns and their types" },
  { .name = "encoding", .type = TALLY_OPTION_TEXT, .offset = FIELD (encoding),
    .summary = "Encoding of the files; by default what a byte-order mark tells, else UTF-8", .example = "UTF-16LE" },
  { .name = "max-record", .type = TALLY_OPTION_SIZE, .fallback = "64MiB", .min = 1, .max = 1024 * MiB,
    .offset = FIELD (max_record), .summary = "Largest object; a larger one is rejected" },
  { .name = "max-depth", .type = TALLY_OPTION_INT, .fallback = "100", .min = 1, .max = 1000, .offset = FIELD (max_depth),
    .summary = "Deepest nesting; an object with a deeper one is rejected" },
  { 0 },
};

const TallyPlugin json_source = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SOURCE,
  .name = "json",
  .summary = "Records from JSON lines, or from an array of objects",
  .flags = TALLY_PLUGIN_LOCAL,
  .threading = TALLY_THREADING_INSTANCE,
  .instance_size = sizeof (JsonSource),
  .options = json_options,
  .check = json_check,
  .open = json_open,
  .probe = json_probe,
  .describe = json_describe,
  .read = json_read,
  .interrupt = json_interrupt,
  .close = json_close,
};
