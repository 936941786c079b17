/* value.h: JSON in the columns of a message */
#pragma once
#include <glib.h>
#include <json-c/json.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_object, json_object_put)

/* The value that a text is; NULL: `null`, or no JSON. */
json_object *email_json_parse (const char *text);
/* Whether it is a text without NUL. */
gboolean email_json_is_text (json_object *value);
/* (transfer none) (nullable) the text that a member is. */
const char *email_json_text (json_object *object, const char *name);
