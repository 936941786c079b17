/* json.c: reading JSON that a stranger sent, within limits, and writing our own */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#define MAX_TAGS 1000

json_object *
emu_json_parse (const char *text, gsize length, int depth)
{
  struct json_tokener *tokener = json_tokener_new_ex (depth);
  json_object *value = NULL;

  if (length > 0 && length < G_MAXINT32)
    {
      json_tokener_set_flags (tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
      value = json_tokener_parse_ex (tokener, text, (int)length);
      /* A bare number only ends where something else begins. */
      if (json_tokener_get_error (tokener) == json_tokener_continue)
        value = json_tokener_parse_ex (tokener, "", 1);
      if (json_tokener_get_error (tokener) != json_tokener_success)
        g_clear_pointer (&value, json_object_put);
    }
  json_tokener_free (tokener);
  return value;
}

json_object *
emu_json_get (json_object *object, const char *name)
{
  json_object *value = NULL;

  if (object != NULL && json_object_is_type (object, json_type_object))
    json_object_object_get_ex (object, name, &value);
  return value;
}

char *
emu_json_dup_text (json_object *value)
{
  if (value == NULL || json_object_is_type (value, json_type_object)
      || json_object_is_type (value, json_type_array))
    return NULL;

  const char *text = json_object_get_string (value);
  gsize length = json_object_is_type (value, json_type_string)
                     ? (gsize)json_object_get_string_len (value)
                     : strlen (text);
  char *copy = g_malloc (length + 1);
  gsize used = 0;

  for (gsize i = 0; i < length; i++)
    if (text[i] != '\0')
      copy[used++] = text[i];
  copy[used] = '\0';
  return copy;
}

GStrv
emu_json_dup_tags (json_object *value)
{
  gboolean list = json_object_is_type (value, json_type_array);
  gsize n = list ? json_object_array_length (value) : 1;
  g_autoptr (GPtrArray) tags = g_ptr_array_new_with_free_func (g_free);

  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *text
          = emu_json_dup_text (list ? json_object_array_get_idx (value, i) : value);
      g_auto (GStrv) words = g_strsplit_set (text != NULL ? text : "", " ,\t\r\n", -1);

      for (char **word = words; *word != NULL && tags->len < MAX_TAGS; word++)
        {
          g_autofree char *tag = g_utf8_strdown (*word, -1);

          if (*tag != '\0' && !g_ptr_array_find_with_equal_func (tags, tag, g_str_equal, NULL))
            g_ptr_array_add (tags, g_steal_pointer (&tag));
        }
    }
  g_ptr_array_add (tags, NULL);
  return (GStrv)g_ptr_array_steal (tags, NULL);
}

gboolean
emu_json_get_id (json_object *value, gint64 *ret_number)
{
  if (json_object_is_type (value, json_type_int))
    {
      *ret_number = json_object_get_int64 (value);
      return TRUE;
    }
  return json_object_is_type (value, json_type_string)
         && g_ascii_string_to_signed (json_object_get_string (value), 10, G_MININT64, G_MAXINT64,
                                      ret_number, NULL);
}

gboolean
emu_json_get_time (json_object *value, gint64 *ret_seconds)
{
  if (!json_object_is_type (value, json_type_string))
    return FALSE;

  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (json_object_get_string (value), utc);

  if (time == NULL)
    return FALSE;
  *ret_seconds = g_date_time_to_unix (time);
  return TRUE;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static void
canonical_object (GString *out, json_object *value)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  json_object_object_foreach (value, name, ignored)
  {
    (void)ignored;
    g_ptr_array_add (names, (gpointer)name);
  }
  g_ptr_array_sort (names, compare_names);

  g_string_append_c (out, '{');
  for (guint i = 0; i < names->len; i++)
    {
      emu_json_add_text (out, names->pdata[i]);
      g_string_append_c (out, ':');
      emu_json_canonical (out, json_object_object_get (value, names->pdata[i]));
      g_string_append_c (out, ',');
    }
  g_string_append_c (out, '}');
}

void
emu_json_canonical (GString *out, json_object *value)
{
  if (json_object_is_type (value, json_type_object))
    canonical_object (out, value);
  else if (json_object_is_type (value, json_type_array))
    {
      g_string_append_c (out, '[');
      for (gsize i = 0; i < json_object_array_length (value); i++)
        {
          emu_json_canonical (out, json_object_array_get_idx (value, i));
          g_string_append_c (out, ',');
        }
      g_string_append_c (out, ']');
    }
  else
    g_string_append (out, json_object_to_json_string_ext (value, JSON_C_TO_STRING_PLAIN));
}

void
emu_json_add_text (GString *out, const char *text)
{
  const char *plain = text;

  if (text == NULL)
    {
      g_string_append_len (out, "null", 4);
      return;
    }

  g_string_append_c (out, '"');
  for (const char *p = text;; p++)
    {
      guchar c = (guchar)*p;

      if (c >= 0x20 && c != '"' && c != '\\')
        continue;
      g_string_append_len (out, plain, p - plain);
      plain = p + 1;
      if (c == '\0')
        break;
      else if (c == '"' || c == '\\')
        {
          g_string_append_c (out, '\\');
          g_string_append_c (out, (char)c);
        }
      else if (c == '\n')
        g_string_append_len (out, "\\n", 2);
      else
        g_string_append_printf (out, "\\u%04x", c);
    }
  g_string_append_c (out, '"');
}

void
emu_json_add_tags (GString *out, GStrv tags)
{
  g_string_append_c (out, '[');
  for (guint i = 0; tags != NULL && tags[i] != NULL; i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      emu_json_add_text (out, tags[i]);
    }
  g_string_append_c (out, ']');
}

void
emu_json_add_number (GString *out, gint64 number)
{
  char digits[24];
  char *p = digits + sizeof digits;
  guint64 rest = number < 0 ? -(guint64)number : (guint64)number;

  do
    *--p = (char)('0' + rest % 10);
  while ((rest /= 10) > 0);
  if (number < 0)
    *--p = '-';
  g_string_append_len (out, p, digits + sizeof digits - p);
}

void
emu_json_add_id (GString *out, gint64 id)
{
  if (id == 0)
    g_string_append_len (out, "null", 4);
  else
    emu_json_add_number (out, id);
}

void
emu_time_format (gint64 seconds, char buffer[EMU_TIME_SIZE])
{
  time_t when = (time_t)seconds;
  struct tm parts = { 0 };

  gmtime_r (&when, &parts);
  if (strftime (buffer, EMU_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
    g_strlcpy (buffer, "9999-12-31T23:59:59Z", EMU_TIME_SIZE);
}

void
emu_json_add_moment (GString *out, gint64 seconds)
{
  /* Nearly every call is about the second that the last call was about. */
  static gint64 last_seconds;
  static char last[EMU_TIME_SIZE];

  if (seconds != last_seconds || *last == '\0')
    {
      emu_time_format (seconds, last);
      last_seconds = seconds;
    }
  g_string_append_c (out, '"');
  g_string_append (out, last);
  g_string_append_c (out, '"');
}

void
emu_json_add_time (GString *out, gint64 seconds)
{
  if (seconds == 0)
    g_string_append_len (out, "null", 4);
  else
    emu_json_add_moment (out, seconds);
}
