/* sink.c: rows to JSON objects, a line each or in one array
 *
 * What stands between the values is the same in each row, so it is made once: `{"id":`, `,"requester":{"email":`, `}}`.
 */
#include "json.h"
#include "output.h"
#include <string.h>

/* So much is gathered before it is written. */
#define ENOUGH (512 * 1024)

typedef struct
{
  char *path;      /* option */
  gint format;     /* option */
  gboolean nested; /* option */

  TallySchema *offered; /* (unowned) (nullable) from accept() to open(): without open() there is no close() to let go of it */
  TallySchema *schema; /* (owned) (nullable) from open() to close() */
  GPtrArray *between;  /* (owned) (nullable) (element-type utf8) what stands before each value, and behind the last */
  guint *order;        /* (owned) columns in the order in which they are written */
  TallyOutput *output; /* (owned) (nullable) */
  GString *buffer;     /* (owned) (nullable) what is not written yet */
  guint64 n_rows;
} JsonSink;

static const char *const format_choices[] = { "lines", "array", NULL };

/* A plan in the making. */
typedef struct
{
  JsonSink *json;
  GString *text;   /* (owned) since the last value */
  guint n_ordered;
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
      json->order[planner->n_ordered++] = i;
      g_ptr_array_add (json->between, g_strndup (planner->text->str, planner->text->len));
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

static gboolean
begin (JsonSink *json, GError **error)
{
  Planner planner = { .json = json };

  if (json->offered == NULL)
    return tally_throw (error, TALLY_ERROR_USAGE, "there are no columns to write");

  planner.text = g_string_new (NULL);
  json->schema = tally_schema_ref (json->offered);
  json->between = g_ptr_array_new_with_free_func (g_free);
  json->order = g_new (guint, tally_schema_n_columns (json->schema) + 1);
  plan_object (&planner, "", 0);
  g_ptr_array_add (json->between, g_string_free (planner.text, FALSE));

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

static void
append_value (const TallyBatch *batch, guint row, guint column, TallyType type, GString *out)
{
  gsize start = out->len;

  switch (type)
    {
    case TALLY_TYPE_TEXT:
      tally_json_append_string (tally_batch_get_text (batch, row, column), out);
      return;
    case TALLY_TYPE_BOOLEAN:
      g_string_append (out, tally_batch_get_int (batch, row, column) ? "true" : "false");
      return;
    case TALLY_TYPE_BIGINT:
    case TALLY_TYPE_DOUBLE:
    case TALLY_TYPE_NUMERIC:
      tally_batch_append_value (batch, row, column, out);
      /* JSON has no NaN and no infinities. */
      if (!g_ascii_isalpha (out->str[start]) && !(out->str[start] == '-' && g_ascii_isalpha (out->str[start + 1])))
        return;
      break;
    case TALLY_TYPE_JSONB:
      tally_batch_append_value (batch, row, column, out);
      return;
    default:
      tally_batch_append_value (batch, row, column, out);
      break;
    }

  g_autofree char *value = g_strdup (out->str + start);
  g_string_truncate (out, start);
  tally_json_append_string ((TallyText) { value, strlen (value) }, out);
}

static void
append_row (JsonSink *json, TallyBatch *batch, guint row)
{
  guint n_columns = tally_schema_n_columns (json->schema);
  GString *out = json->buffer;

  if (json->format == JSON_FORMAT_ARRAY)
    g_string_append (out, json->n_rows > 0 ? ",\n" : "\n");
  for (guint i = 0; i < n_columns; i++)
    {
      guint column = json->order[i];

      g_string_append (out, g_ptr_array_index (json->between, i));
      if (tally_batch_is_null (batch, row, column))
        g_string_append (out, "null");
      else
        append_value (batch, row, column, tally_schema_column (json->schema, column)->type, out);
    }
  g_string_append (out, g_ptr_array_index (json->between, n_columns));
  if (json->format == JSON_FORMAT_LINES)
    g_string_append_c (out, '\n');
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
  g_clear_pointer (&json->between, g_ptr_array_unref);
  g_clear_pointer (&json->order, g_free);
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
  .write = json_sink_write,
  .commit = json_sink_commit,
  .close = json_sink_close,
  .plan = &json_sink_plans,
};
