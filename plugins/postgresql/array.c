/* array.c: a jsonb array as the server's own array */
#include "array.h"
#include "skim.h"
#include <string.h>

/* Quotes keep all but themselves and the backslash as it is. */
static void
append_quoted (const char *data, gsize length, GString *out)
{
  g_string_append_c (out, '"');
  for (gsize i = 0; i < length; i++)
    {
      if (data[i] == '"' || data[i] == '\\')
        g_string_append_c (out, '\\');
      g_string_append_c (out, data[i]);
    }
  g_string_append_c (out, '"');
}

static void
append_element (const JsonValue *value, GString *out)
{
  g_autofree char *plain = NULL;
  gssize length;

  switch (value->kind)
    {
    case JSON_NULL:
      g_string_append (out, "NULL");
      break;
    case JSON_STRING:
      plain = g_malloc (value->text.length + 1);
      length = json_unescape (value->text, plain);
      append_quoted (plain, (gsize)MAX (length, 0), out);
      break;
    case JSON_OBJECT:
    case JSON_ARRAY:
      append_quoted (value->text.data, value->text.length, out);
      break;
    default:
      g_string_append_len (out, value->text.data, value->text.length);
      break;
    }
}

static gboolean
append_level (JsonSkim *skim, guint dimensions, GString *out)
{
  JsonValue value;

  g_string_append_c (out, '{');
  for (skim->at++; skim->at < skim->length && skim->data[skim->at] != ']';)
    {
      if (skim->data[skim->at] == '[' && dimensions > 1)
        {
          if (!append_level (skim, dimensions - 1, out))
            return FALSE;
        }
      else if (json_skim_value (skim, &value))
        append_element (&value, out);
      else
        return FALSE;
      if (skim->at < skim->length && skim->data[skim->at] == ',')
        {
          g_string_append_c (out, ',');
          skim->at += strlen (", ");
        }
    }
  g_string_append_c (out, '}');
  return skim->at++ < skim->length;
}

void
pg_append_array (TallyText json, guint dimensions, GString *out)
{
  JsonSkim skim = { .data = json.data, .length = json.length, .max_depth = G_MAXUINT };
  gsize before = out->len;

  if (json.length > 0 && *json.data == '[' && append_level (&skim, dimensions, out))
    return;
  g_string_truncate (out, before);
  g_string_append_len (out, json.data, json.length);
}
