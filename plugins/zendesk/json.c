/* json.c: JSON of strangers, read with care */
#include "json.h"
#include "answer.h"

#include <string.h>

typedef struct json_tokener JsonTokener;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JsonTokener, json_tokener_free)

json_object *
zendesk_json_parse (const char *text, gsize length)
{
  g_autoptr (JsonTokener) tokener = json_tokener_new_ex (ZENDESK_MAX_DEPTH);

  /* The strict parser takes blanks before the value, but none after it. */
  while (length > 0 && strchr (" \t\r\n", text[length - 1]) != NULL && text[length - 1] != '\0')
    length--;
  if (tokener == NULL || length == 0 || length > G_MAXINT32)
    return NULL;

  json_tokener_set_flags (tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
  g_autoptr (json_object) value = json_tokener_parse_ex (tokener, text, (int) length);
  /* A number at the very end is only complete when something follows it. */
  if (value == NULL && json_tokener_get_error (tokener) == json_tokener_continue)
    value = json_tokener_parse_ex (tokener, "", 1);
  if (json_tokener_get_error (tokener) != json_tokener_success)
    return NULL;
  return g_steal_pointer (&value);
}

json_object *
zendesk_json_get (json_object *object, const char *name)
{
  json_object *value = NULL;

  if (json_object_is_type (object, json_type_object))
    json_object_object_get_ex (object, name, &value);
  return value;
}

const char *
zendesk_json_get_text (json_object *object, const char *name)
{
  json_object *value = zendesk_json_get (object, name);

  if (!json_object_is_type (value, json_type_string))
    return NULL;
  const char *text = json_object_get_string (value);
  return strlen (text) == (gsize) json_object_get_string_len (value) ? text : NULL;
}

gboolean
zendesk_json_is_id (gint64 number)
{
  return number > 0 && number < G_MAXINT64;
}

gboolean
zendesk_json_get_id (json_object *object, const char *name, gint64 *ret_id)
{
  json_object *value = zendesk_json_get (object, name);
  gint64 id;

  if (!json_object_is_type (value, json_type_int))
    return FALSE;
  id = json_object_get_int64 (value);
  if (!zendesk_json_is_id (id))
    return FALSE;
  *ret_id = id;
  return TRUE;
}

json_object *
zendesk_json_get_array (json_object *object, const char *name)
{
  json_object *value = zendesk_json_get (object, name);

  return json_object_is_type (value, json_type_array) ? value : NULL;
}
