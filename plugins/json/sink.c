/* sink.c: rows to JSON objects, a line each or in one array
 *
 * What stands between the values is the same in each row, so it is made once: `{"id":`, `,"requester":{"email":`, `}}`.
 */
#include "json.h"
#include "output.h"
#include <string.h>

/* So much is gathered before it is written. */
#define ENOUGH (512 * 1024)

/* What is written of a column in each row. */
typedef struct
{
  char *before; /* (owned) what stands before its value */
  gsize length; /* of that */
  guint column;
  TallyType type;
  const guint64 *validity; /* (unowned) of the batch at work, as is the vector */
  const char *vector;
} Member;

typedef struct
{
  char *path;      /* option */
  gint format;     /* option */
  gboolean nested; /* option */

  TallySchema *offered; /* (unowned) (nullable) from accept() to open(): without open() there is no close() to let go of it */
  TallySchema *schema; /* (owned) (nullable) from open() to close() */
  GArray *members;     /* (owned) (nullable) (element-type Member) in the order in which they are written */
  GString *ending;     /* (owned) (nullable) what stands behind the last value */
  TallyOutput *output; /* (owned) (nullable) */
  GString *buffer;     /* (owned) (nullable) what is not written yet */
  guint64 n_rows;
} JsonSink;

static const char *const format_choices[] = { "lines", "array", NULL };

/* A plan in the making. */
typedef struct
{
  JsonSink *json;
  GString *text; /* (owned) since the last value */
} Planner;

/* The end of a name's first part behind a prefix: a dot, or the name's end. */
static gsize
part_end (const char *name, gsize prefix, gboolean nested)
{
  const char *dot = nested ? strchr (name + prefix, '.') : NULL;

  return dot != NULL ? (gsize) (dot - name) : strlen (name);
}

static gboolean
has_prefix (JsonSink *json, guint column, const char *prefix, gsize length)
{
  return strncmp (tally_schema_column (json->schema, column)->name, prefix, length) == 0;
}

/* Plans the object whose members' names begin with the first bytes of a column's name. */
static void
plan_object (Planner *planner, const char *prefix, gsize length)
{
  JsonSink *json = planner->json;
  guint n_columns = tally_schema_n_columns (json->schema);
  g_autoptr (GHashTable) done = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  g_string_append_c (planner->text, '{');
  for (guint i = 0; i < n_columns; i++)
    {
      if (!has_prefix (json, i, prefix, length))
        continue;

      const char *name = tally_schema_column (json->schema, i)->name;
      gsize end = part_end (name, length, json->nested);

      if (!g_hash_table_add (done, g_strndup (name + length, end - length)))
        continue;
      if (g_hash_table_size (done) > 1)
        g_string_append_c (planner->text, ',');
      tally_json_append_string ((TallyText) { name + length, end - length }, planner->text);
      g_string_append_c (planner->text, ':');
      if (name[end] == '.')
        {
          plan_object (planner, name, end + 1);
          continue;
        }
      Member member = { .before = g_strndup (planner->text->str, planner->text->len), .length = planner->text->len,
                        .column = i, .type = tally_schema_column (json->schema, i)->type };

      g_array_append_val (json->members, member);
      g_string_truncate (planner->text, 0);
    }
  g_string_append_c (planner->text, '}');
}

/* With nested members no column can be both a value and an object. */
static gboolean
check_members (TallySchema *schema, GError **error)
{
  for (guint i = 0; i < tally_schema_n_columns (schema); i++)
    {
      const char *name = tally_schema_column (schema, i)->name;

      for (const char *dot = strchr (name, '.'); dot != NULL; dot = strchr (dot + 1, '.'))
        {
          g_autofree char *outer = g_strndup (name, dot - name);

          if (tally_schema_find (schema, outer) >= 0)
            return tally_throw (error, TALLY_ERROR_USAGE,
                                "\"%s\" is a column, so \"%s\" cannot be a member of it; rename one, or set \"nested\" to false",
                                outer, name);
        }
    }

  return TRUE;
}

static gboolean
json_sink_accept (gpointer self, TallySchema *schema, GError **error)
{
  JsonSink *json = self;

  if (json->nested && !check_members (schema, error))
    return FALSE;

  json->offered = schema;
  return TRUE;
}

static void
member_clear (gpointer member)
{
  g_free (((Member *) member)->before);
}

static gboolean
begin (JsonSink *json, GError **error)
{
  Planner planner = { .json = json };

  if (json->offered == NULL)
    return tally_throw (error, TALLY_ERROR_USAGE, "there are no columns to write");

  planner.text = json->ending = g_string_new (NULL);
  json->schema = tally_schema_ref (json->offered);
  json->members = g_array_new (FALSE, FALSE, sizeof (Member));
  g_array_set_clear_func (json->members, member_clear);
  plan_object (&planner, "", 0);
  if (json->format == JSON_FORMAT_LINES)
    g_string_append_c (json->ending, '\n');

  json->buffer = g_string_sized_new (ENOUGH + ENOUGH / 4);
  if (json->format == JSON_FORMAT_ARRAY)
    g_string_append_c (json->buffer, '[');
  return TRUE;
}

static gboolean
json_sink_open (gpointer self, TallyContext *ctx, GError **error)
{
  JsonSink *json = self;

  json->output = tally_output_open (json->path, error);
  return json->output != NULL && begin (json, error);
}

static gboolean
json_sink_plan (gpointer self, TallyContext *ctx, GError **error)
{
  JsonSink *json = self;

  json->output = tally_output_plan (json->path, ctx, error);
  return json->output != NULL && begin (json, error);
}

static gboolean
json_sink_probe (gpointer self, TallyContext *ctx, GError **error)
{
  return tally_output_probe (((JsonSink *) self)->path, ctx, error);
}

static inline void
append (GString *out, const char *data, gsize length)
{
  if (G_UNLIKELY (out->allocated_len - out->len <= length))
    {
      g_string_append_len (out, data, length);
      return;
    }

  memcpy (out->str + out->len, data, length);
  out->len += length;
  out->str[out->len] = '\0';
}

/* Whether a number is none: JSON has no NaN and no infinities. */
static gboolean
is_word (const char *number)
{
  return g_ascii_isalpha (number[*number == '-']);
}

/* None of these has anything to escape but bytea, which begins with a backslash. */
static void
append_quoted (const Member *member, const TallyBatch *batch, guint row, GString *out)
{
  g_string_append_c (out, '"');
  if (member->type == TALLY_TYPE_BYTEA)
    g_string_append_c (out, '\\');
  tally_batch_append_value (batch, row, member->column, out);
  g_string_append_c (out, '"');
}

static inline void
append_value (const Member *member, const TallyBatch *batch, guint row, GString *out)
{
  const TallyText *texts = (gconstpointer) member->vector;
  gsize start = out->len;

  switch (member->type)
    {
    case TALLY_TYPE_TEXT:
      tally_json_append_string (texts[row], out);
      return;
    case TALLY_TYPE_BOOLEAN:
      g_string_append (out, member->vector[row] ? "true" : "false");
      return;
    case TALLY_TYPE_BIGINT:
    case TALLY_TYPE_JSONB:
      tally_batch_append_value (batch, row, member->column, out);
      return;
    case TALLY_TYPE_DOUBLE:
    case TALLY_TYPE_NUMERIC:
      tally_batch_append_value (batch, row, member->column, out);
      if (!is_word (out->str + start))
        return;
      g_string_truncate (out, start);
      break;
    default:
      break;
    }

  append_quoted (member, batch, row, out);
}

static void
append_row (JsonSink *json, TallyBatch *batch, guint row)
{
  const Member *members = (gconstpointer) json->members->data;
  GString *out = json->buffer;

  if (json->format == JSON_FORMAT_ARRAY)
    g_string_append (out, json->n_rows > 0 ? ",\n" : "\n");
  for (guint i = 0; i < json->members->len; i++)
    {
      append (out, members[i].before, members[i].length);
      if (members[i].validity[row / 64] >> (row % 64) & 1)
        append_value (&members[i], batch, row, out);
      else
        append (out, "null", strlen ("null"));
    }
  append (out, json->ending->str, json->ending->len);
  json->n_rows++;
}

static gboolean
flush_buffer (JsonSink *json, GError **error)
{
  gboolean written = tally_output_write (json->output, json->buffer->str, json->buffer->len, error);

  g_string_truncate (json->buffer, 0);
  return written;
}

static TallyFlow
json_sink_write (gpointer self, TallyContext *ctx, TallyBatch *batch, GError **error)
{
  JsonSink *json = self;

  for (guint i = 0; i < json->members->len; i++)
    {
      Member *member = &g_array_index (json->members, Member, i);

      member->validity = tally_batch_validity (batch, member->column);
      member->vector = tally_batch_vector (batch, member->column);
    }
  for (guint row = 0; row < tally_batch_n_rows (batch); row++)
    {
      if (!tally_batch_is_rejected (batch, row))
        append_row (json, batch, row);
      if (json->buffer->len >= ENOUGH && !flush_buffer (json, error))
        return TALLY_FLOW_FATAL;
    }

  return TALLY_FLOW_OK;
}

static TallyFlow
json_sink_commit (gpointer self, TallyContext *ctx, GError **error)
{
  JsonSink *json = self;

  if (json->format == JSON_FORMAT_ARRAY)
    g_string_append (json->buffer, "\n]\n");
  return flush_buffer (json, error) && tally_output_commit (json->output, error) ? TALLY_FLOW_OK : TALLY_FLOW_FATAL;
}

static void
json_sink_close (gpointer self)
{
  JsonSink *json = self;

  g_clear_pointer (&json->output, tally_output_free);
  g_clear_pointer (&json->schema, tally_schema_unref);
  g_clear_pointer (&json->members, g_array_unref);
  if (json->ending != NULL)
    g_string_free (json->ending, TRUE);
  json->ending = NULL;
  if (json->buffer != NULL)
    g_string_free (json->buffer, TRUE);
  json->buffer = NULL;
  json->n_rows = 0;
}

#define FIELD(name) G_STRUCT_OFFSET (JsonSink, name)

static const TallyOption json_sink_options[] = {
  { .name = "path", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_REQUIRED | TALLY_OPTION_PATH, .offset = FIELD (path),
    .summary = "File to write, compressed if it ends in .gz or .zst; - for standard output", .example = "out/tickets.ndjson" },
  { .name = "format", .type = TALLY_OPTION_CHOICE, .fallback = "lines", .choices = format_choices, .offset = FIELD (format),
    .summary = "An object a line, or one array of objects" },
  { .name = "nested", .type = TALLY_OPTION_BOOL, .fallback = "false", .offset = FIELD (nested),
    .summary = "Whether a column with dots is a member of objects" },
  { 0 },
};

static const TallyPlanSink json_sink_plans = {
  TALLY_PLAN_SINK_INIT,
  .open = json_sink_plan,
  .write = json_sink_write,
  .end = json_sink_commit,
};

const TallyPlugin json_sink = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SINK,
  .name = "json",
  .summary = "A file of JSON objects that appears as a whole",
  .flags = TALLY_PLUGIN_LOCAL | TALLY_PLUGIN_WHOLE,
  .threading = TALLY_THREADING_INSTANCE,
  .instance_size = sizeof (JsonSink),
  .options = json_sink_options,
  .accept = json_sink_accept,
  .open = json_sink_open,
  .probe = json_sink_probe,
  .write = json_sink_write,
  .commit = json_sink_commit,
  .close = json_sink_close,
  .plan = &json_sink_plans,
};
