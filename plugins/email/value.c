/* value.c: JSON in the columns of a message */
#include "value.h"
#include <string.h>

#define MAX_DEPTH 32

json_object *
email_json_parse (const char *text)
{
  json_tokener *tokener = json_tokener_new_ex (MAX_DEPTH);
  json_object *value;

  json_tokener_set_flags (tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
  value = json_tokener_parse_ex (tokener, text, (int) strlen (text) + 1);
  if (json_tokener_get_error (tokener) != json_tokener_success)
    g_clear_pointer (&value, json_object_put);
  json_tokener_free (tokener);
  return value;
}

gboolean
email_json_is_text (json_object *value)
{
  return json_object_is_type (value, json_type_string)
         && strlen (json_object_get_string (value)) == (gsize) json_object_get_string_len (value);
}

const char *
email_json_text (json_object *object, const char *name)
{
  json_object *value = NULL;

  if (!json_object_is_type (object, json_type_object) || !json_object_object_get_ex (object, name, &value))
    return NULL;
  return email_json_is_text (value) ? json_object_get_string (value) : NULL;
}
