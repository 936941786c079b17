/* export-row.c: what counts of a ticket in the incremental export */
#include "export-row.h"
#include "answer.h"
#include "json.h"

#include <string.h>

/* (transfer full) (nullable) */
static char *
dup_string (const JsonValue *value)
{
  g_autofree char *text = NULL;
  gssize length;

  if (value->kind != JSON_STRING)
    return NULL;
  text = g_malloc (value->text.length + 1);
  length = json_unescape (value->text, text);
  if (length < 0)
    return NULL;
  text[length] = '\0';
  return g_steal_pointer (&text);
}

static gint64
read_time (const JsonValue *value)
{
  g_autofree char *text = dup_string (value);
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time = text != NULL ? g_date_time_new_from_iso8601 (text, utc) : NULL;

  return time != NULL ? g_date_time_to_unix (time) : 0;
}

gboolean
zendesk_export_row_read (TallyText text, ZendeskExportRow *ret_row)
{
  JsonSkim skim = { text.data, text.length, .max_depth = ZENDESK_MAX_DEPTH };
  JsonValue name, value;

  *ret_row = (ZendeskExportRow){ 0 };
  if (!json_skim_begin_object (&skim))
    return FALSE;
  while (json_skim_next_name (&skim, &name) && json_skim_value (&skim, &value))
    if (json_value_is_text (&name, "id"))
      ret_row->id = value.kind == JSON_INTEGER ? g_ascii_strtoll (value.text.data, NULL, 10) : 0;
    else if (json_value_is_text (&name, "external_id"))
      ret_row->external_id = value;
    else if (json_value_is_text (&name, "status"))
      ret_row->deleted = json_value_is_text (&value, "deleted");
    else if (json_value_is_text (&name, "subject"))
      ret_row->scrubbed = json_value_is_text (&value, "SCRUBBED");
    else if (json_value_is_text (&name, "created_at"))
      ret_row->created_at = read_time (&value);
  ret_row->scrubbed = ret_row->scrubbed && ret_row->deleted;
  return skim.flaw == NULL && zendesk_json_is_id (ret_row->id);
}
