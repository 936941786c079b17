/* export-page.c: a page of the incremental export of tickets */
#include "export-page.h"
#include "answer.h"
#include "json.h"

#include <string.h>

static gint64
read_number (const JsonValue *value)
{
  return value->kind == JSON_INTEGER ? g_ascii_strtoll (value->text.data, NULL, 10) : 0;
}

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

static gboolean
read_row (JsonSkim *skim, ZendeskExportRow *ret_row)
{
  JsonValue name, value;

  *ret_row = (ZendeskExportRow){ 0 };
  if (!json_skim_begin_object (skim))
    return FALSE;
  while (json_skim_next_name (skim, &name) && json_skim_value (skim, &value))
    if (json_value_is_text (&name, "id"))
      ret_row->id = read_number (&value);
    else if (json_value_is_text (&name, "external_id"))
      ret_row->external_id = value;
    else if (json_value_is_text (&name, "status"))
      ret_row->deleted = json_value_is_text (&value, "deleted");
    else if (json_value_is_text (&name, "subject"))
      ret_row->scrubbed = json_value_is_text (&value, "SCRUBBED");
    else if (json_value_is_text (&name, "created_at"))
      ret_row->created_at = read_time (&value);
    else if (json_value_is_text (&name, "generated_timestamp"))
      ret_row->changed_at = read_number (&value);
  ret_row->scrubbed = ret_row->scrubbed && ret_row->deleted;
  return skim->flaw == NULL && zendesk_json_is_id (ret_row->id);
}

static gboolean
read_rows (JsonSkim *skim, void (*each) (const ZendeskExportRow *row, gpointer data), gpointer data)
{
  ZendeskExportRow row;

  if (!json_skim_begin_array (skim))
    return FALSE;
  while (json_skim_next_element (skim))
    {
      if (!read_row (skim, &row))
        return FALSE;
      each (&row, data);
    }
  return skim->flaw == NULL;
}

gboolean
zendesk_export_page_read (const char *text, gsize length,
                          void (*each) (const ZendeskExportRow *row, gpointer data), gpointer data,
                          ZendeskExportPage *ret_page)
{
  JsonSkim skim = { text, length, .max_depth = ZENDESK_MAX_DEPTH };
  JsonValue name, value, cursor = { 0 }, end = { 0 };
  gboolean has_rows = FALSE;

  if (!g_utf8_validate_len (text, length, NULL) || !json_skim_begin_object (&skim))
    return FALSE;
  while (json_skim_next_name (&skim, &name))
    if (json_value_is_text (&name, "tickets") && !has_rows)
      {
        has_rows = TRUE;
        if (!read_rows (&skim, each, data))
          return FALSE;
      }
    else if (!json_skim_value (&skim, &value))
      return FALSE;
    else if (json_value_is_text (&name, "after_cursor"))
      cursor = value;
    else if (json_value_is_text (&name, "end_of_stream"))
      end = value;
  if (skim.flaw != NULL || !json_skim_is_done (&skim) || !has_rows || end.kind != JSON_BOOLEAN)
    return FALSE;

  ret_page->cursor = dup_string (&cursor);
  ret_page->end_of_stream = end.text.data[0] == 't';
  return ret_page->cursor != NULL || ret_page->end_of_stream;
}
