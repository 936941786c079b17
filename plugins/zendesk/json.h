/* json.h: JSON of strangers, read with care */
#pragma once
#include <glib.h>
#include <json-c/json.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_object, json_object_put)

/* The value that text is, or NULL: not JSON, more than that, too deep, not UTF-8, or just `null`.
 * Its size is the caller's to bound. */
json_object *zendesk_json_parse (const char *text, gsize length);

/* (transfer none) (nullable) */
json_object *zendesk_json_get (json_object *object, const char *name);
/* (transfer none) (nullable) the member's text, if it is one without NUL. */
const char *zendesk_json_get_text (json_object *object, const char *name);
/* Whether a number can be an id; the largest one stands for all that are too large. */
gboolean zendesk_json_is_id (gint64 number);
/* Whether the member is a whole number from 1 up, as ids are. */
gboolean zendesk_json_get_id (json_object *object, const char *name, gint64 *ret_id);
/* (transfer none) (nullable) the member, if it is an array. */
json_object *zendesk_json_get_array (json_object *object, const char *name);
