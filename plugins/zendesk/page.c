/* page.c: one page of a list or an export, and where the next one is */
#include "page.h"
#include "answer.h"
#include "skim.h"

#include <string.h>

/* No cursor that we have seen is longer. */
#define MAX_CURSOR 4096

/* What a page says of itself. */
typedef struct
{
  char *cursor;              /* (owned) (nullable) */
  gint64 end_time;
  gint end_of_stream, has_more; /* -1: not said */
  gboolean next_page;           /* there is another one */
} Envelope;

static gint64
read_integer (const JsonValue *value)
{
  g_autofree char *digits = NULL;

  if (value->kind != JSON_INTEGER)
    return 0;
  digits = g_strndup (value->text.data, value->text.length);
  return g_ascii_strtoll (digits, NULL, 10);
}

static gint
read_boolean (const JsonValue *value)
{
  return value->kind == JSON_BOOLEAN ? *value->text.data == 't' : -1;
}

/* A cursor that can be sent back, or nothing. */
static void
take_cursor (Envelope *envelope, const JsonValue *value)
{
  g_autofree char *cursor = NULL;
  gssize length;

  if (value->kind != JSON_STRING || value->text.length == 0 || value->text.length > MAX_CURSOR)
    return;
  cursor = g_malloc0 (value->text.length + 1);
  length = json_unescape (value->text, cursor);
  if (length <= 0)
    return;
  g_free (envelope->cursor);
  envelope->cursor = g_strndup (cursor, (gsize) length);
}

static gboolean
read_record (ZendeskPage *page, TallyText text)
{
  JsonSkim skim = { .data = text.data, .length = text.length, .max_depth = ZENDESK_MAX_DEPTH };
  ZendeskPageRecord record = { .text = text };
  JsonValue name, value;

  if (!json_skim_begin_object (&skim))
    return FALSE;
  while (json_skim_next_name (&skim, &name) && json_skim_value (&skim, &value))
    if (json_value_is_text (&name, "id"))
      record.id = read_integer (&value);
    else if (json_value_is_text (&name, "generated_timestamp") || json_value_is_text (&name, "timestamp"))
      record.stamp = read_integer (&value);
  g_array_append_val (page->records, record);
  return skim.flaw == NULL;
}

static gboolean
read_records (ZendeskPage *page, JsonSkim *skim)
{
  JsonValue value;

  if (!json_skim_begin_array (skim))
    return FALSE;
  while (json_skim_next_element (skim))
    if (!json_skim_value (skim, &value) || !read_record (page, value.text))
      return FALSE;
  return skim->flaw == NULL;
}

static gboolean
read_meta (Envelope *envelope, JsonSkim *skim)
{
  JsonValue name, value;

  if (!json_skim_begin_object (skim))
    return FALSE;
  while (json_skim_next_name (skim, &name) && json_skim_value (skim, &value))
    if (json_value_is_text (&name, "has_more"))
      envelope->has_more = read_boolean (&value);
    else if (json_value_is_text (&name, "after_cursor"))
      take_cursor (envelope, &value);
  return skim->flaw == NULL;
}

static gboolean
read_member (ZendeskPage *page, Envelope *envelope, const JsonValue *name, const char *list, JsonSkim *skim,
             gboolean *found)
{
  JsonValue value;

  if (json_value_is_text (name, list))
    {
      *found = TRUE;
      g_array_set_size (page->records, 0);
      return read_records (page, skim);
    }
  if (json_value_is_text (name, "meta"))
    return read_meta (envelope, skim);
  if (!json_skim_value (skim, &value))
    return FALSE;
  if (json_value_is_text (name, "after_cursor"))
    take_cursor (envelope, &value);
  else if (json_value_is_text (name, "end_of_stream"))
    envelope->end_of_stream = read_boolean (&value);
  else if (json_value_is_text (name, "end_time"))
    envelope->end_time = read_integer (&value);
  else if (json_value_is_text (name, "next_page"))
    envelope->next_page = value.kind == JSON_STRING;
  return TRUE;
}

/* Whether the page says where it ends, as its kind must. */
static gboolean
take_envelope (ZendeskPage *page, ZendeskPaging paging, const Envelope *envelope)
{
  page->end_time = envelope->end_time;
  switch (paging)
    {
    case ZENDESK_PAGING_CURSOR:
      page->ends = envelope->end_of_stream == 1;
      return envelope->end_of_stream >= 0 && (page->cursor != NULL || page->ends);
    case ZENDESK_PAGING_TIME:
      /* Old endpoints do not say that they have ended, but give less than they could (section 11). */
      page->ends = envelope->end_of_stream >= 0 ? envelope->end_of_stream == 1 : page->records->len < 1000;
      return page->end_time > 0 || page->ends;
    case ZENDESK_PAGING_LIST:
      page->numbered = envelope->has_more < 0;
      page->ends = page->numbered ? !envelope->next_page : envelope->has_more == 0;
      return page->numbered || page->ends || page->cursor != NULL;
    }
  return FALSE;
}

gboolean
zendesk_page_read (ZendeskPage *page, ZendeskPaging paging, const char *list, TallyText answer, GError **error)
{
  JsonSkim skim = { .data = answer.data, .length = answer.length, .max_depth = ZENDESK_MAX_DEPTH };
  Envelope envelope = { .end_of_stream = -1, .has_more = -1 };
  gboolean found = FALSE, good;
  JsonValue name;

  page->records = g_array_new (FALSE, FALSE, sizeof (ZendeskPageRecord));
  good = g_utf8_validate_len (answer.data, answer.length, NULL) && json_skim_begin_object (&skim);
  while (good && json_skim_next_name (&skim, &name))
    good = read_member (page, &envelope, &name, list, &skim, &found);
  good = good && skim.flaw == NULL && json_skim_is_done (&skim) && found;

  page->cursor = g_steal_pointer (&envelope.cursor);
  if (!good)
    return tally_throw (error, TALLY_ERROR_DATA, "the answer is no page of \"%s\"%s%s", list,
                        skim.flaw != NULL ? ": " : "", skim.flaw != NULL ? skim.flaw : "");
  if (!take_envelope (page, paging, &envelope))
    return tally_throw (error, TALLY_ERROR_DATA, "the page of \"%s\" does not tell what comes after it", list);
  return TRUE;
}

void
zendesk_page_clear (ZendeskPage *page)
{
  g_clear_pointer (&page->records, g_array_unref);
  g_clear_pointer (&page->cursor, g_free);
}
