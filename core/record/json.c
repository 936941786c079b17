/* json.c: rows as JSON */
#include "json.h"
#include "batch-private.h"
#include "datetime.h"
#include "value-private.h"
#include "value.h"
#include <math.h>
#include <string.h>

static void
append_quoted (TallyType type, gconstpointer value, GString *out)
{
  g_string_append_c (out, '"');
  if (type == TALLY_TYPE_TIMESTAMP || type == TALLY_TYPE_TIMESTAMPTZ)
    tally_timestamp_append_iso (type, *(const gint64 *)value, out);
  else
    tally_value_format (type, value, out);
  g_string_append_c (out, '"');
}

void
tally_json_append_value (TallyType type, gconstpointer value, GString *out)
{
  const TallyText *text = value;

  switch (type)
    {
    case TALLY_TYPE_TEXT:
      tally_json_append_string (*text, out);
      break;
    case TALLY_TYPE_BOOLEAN:
      g_string_append (out, *(const guint8 *)value ? "true" : "false");
      break;
    case TALLY_TYPE_BYTEA:
      g_string_append (out, "\"\\"); /* JSON's escape of the backslash of \x */
      tally_value_format (type, value, out);
      g_string_append_c (out, '"');
      break;
    case TALLY_TYPE_DOUBLE:
      if (isfinite (*(const double *)value))
        tally_value_format (type, value, out);
      else
        append_quoted (type, value, out);
      break;
    case TALLY_TYPE_NUMERIC: /* NaN, Infinity, -Infinity */
      if (g_ascii_isdigit (text->data[text->length - 1]))
        tally_value_format (type, value, out);
      else
        append_quoted (type, value, out);
      break;
    case TALLY_TYPE_BIGINT:
    case TALLY_TYPE_JSONB:
      tally_value_format (type, value, out);
      break;
    case TALLY_TYPE_DATE:
    case TALLY_TYPE_TIMESTAMP:
    case TALLY_TYPE_TIMESTAMPTZ:
    case TALLY_TYPE_INTERVAL:
      append_quoted (type, value, out);
      break;
    }
}

void
tally_batch_append_json (const TallyBatch *batch, guint row, GString *out)
{
  TallySchema *schema = tally_batch_schema (batch);

  g_string_append_c (out, '{');
  for (guint i = 0; i < tally_batch_n_visible (batch); i++)
    {
      const TallyColumn *column = tally_schema_column (schema, i);
      const char *vector = tally_batch_vector (batch, i);

      if (i > 0)
        g_string_append_c (out, ',');
      tally_json_append_string ((TallyText){ column->name, strlen (column->name) }, out);
      g_string_append_c (out, ':');
      if (tally_batch_is_null (batch, row, i))
        g_string_append (out, "null");
      else
        tally_json_append_value (column->type, vector + row * tally_type_size (column->type), out);
    }
  g_string_append_c (out, '}');
}
