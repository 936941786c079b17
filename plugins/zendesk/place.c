/* place.c: how far an export has been read */
#include "place.h"
#include "json.h"
#include <tallyman/batch.h>

#include <string.h>

static GHashTable *
new_set (void)
{
  return g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
}

static void
remember (ZendeskPlace *place, gint64 id, gint64 stamp)
{
  g_hash_table_replace (place->seen, g_memdup2 (&id, sizeof id), g_memdup2 (&stamp, sizeof stamp));
}

static gboolean
knows (const ZendeskPlace *place, gint64 id, gint64 stamp)
{
  const gint64 *known = g_hash_table_lookup (place->seen, &id);

  return known != NULL && *known == stamp;
}

static gint64
get_integer (json_object *object, const char *name)
{
  json_object *value = zendesk_json_get (object, name);

  return json_object_is_type (value, json_type_int) ? json_object_get_int64 (value) : 0;
}

static gboolean
read_text (ZendeskPlace *place, const char *text)
{
  g_autoptr (json_object) body = zendesk_json_parse (text, strlen (text));
  json_object *seen = zendesk_json_get_array (body, "seen");

  place->cursor = g_strdup (zendesk_json_get_text (body, "cursor"));
  place->since = get_integer (body, "since");
  place->id = get_integer (body, "id");
  place->stamp = place->id != 0 ? get_integer (body, "stamp") : 0;
  place->number = get_integer (body, "number");
  place->resumed = place->id != 0;
  for (gsize i = 0; seen != NULL && i < json_object_array_length (seen); i++)
    remember (place, json_object_get_int64 (json_object_array_get_idx (seen, i)), place->since);
  return body != NULL && json_object_is_type (zendesk_json_get (body, "since"), json_type_int);
}

gboolean
zendesk_place_init (ZendeskPlace *place, ZendeskPaging paging, const char *text, gint64 since, GError **error)
{
  *place = (ZendeskPlace){ .paging = paging, .since = since, .seen = new_set () };
  if (paging == ZENDESK_PAGING_LIST || text == NULL || *text == '\0' || read_text (place, text))
    return TRUE;
  return tally_throw (error, TALLY_ERROR_DATA, "the position of the last run is none of this source's: %.200s", text);
}

void
zendesk_place_clear (ZendeskPlace *place)
{
  g_clear_pointer (&place->cursor, g_free);
  g_clear_pointer (&place->seen, g_hash_table_unref);
}

static gint
compare_records (gconstpointer a, gconstpointer b)
{
  const ZendeskPageRecord *one = a, *other = b;

  if (one->stamp != other->stamp)
    return one->stamp < other->stamp ? -1 : 1;
  return one->id < other->id ? -1 : one->id > other->id;
}

/* Whether an earlier run took it out of this page. */
static gboolean
was_given (const ZendeskPlace *place, const ZendeskPageRecord *record)
{
  const ZendeskPageRecord last = { .stamp = place->stamp, .id = place->id };
  gint order = compare_records (record, &last);

  return place->resumed && (order < 0 || (order == 0 && place->number == 0));
}

gboolean
zendesk_place_sift (ZendeskPlace *place, ZendeskPage *page, GError **error)
{
  ZendeskPageRecord *records = (gpointer) page->records->data;
  guint n = 0;

  if (place->paging == ZENDESK_PAGING_LIST)
    return TRUE;
  for (guint i = 0; i < page->records->len; i++)
    {
      if (!zendesk_json_is_id (records[i].id))
        return tally_throw (error, TALLY_ERROR_DATA, "a record of the export has no id: %.*s",
                            (int) MIN (records[i].text.length, 200), records[i].text.data);
      if (records[i].stamp == 0)
        records[i].stamp = page->end_time; /* all that is known */
    }
  g_array_sort (page->records, compare_records);
  for (guint i = 0; i < page->records->len; i++)
    {
      gboolean again = i > 0 && n > 0 && compare_records (&records[n - 1], &records[i]) == 0;

      if (!again && !knows (place, records[i].id, records[i].stamp) && !was_given (place, &records[i]))
        records[n++] = records[i];
    }
  g_array_set_size (page->records, n);

  if (n > 0 || page->ends || place->paging != ZENDESK_PAGING_TIME || page->end_time > place->since)
    return TRUE;
  return tally_throw (error, TALLY_ERROR_DATA,
                      "more records were changed within second %" G_GINT64_FORMAT " than one page holds, and the export "
                      "cannot get beyond it", place->since);
}

void
zendesk_place_advance (ZendeskPlace *place, const ZendeskPageRecord *record, gint64 number)
{
  place->number = number;
  if (place->paging == ZENDESK_PAGING_CURSOR)
    {
      place->stamp = record->stamp;
      place->id = record->id;
      return;
    }
  if (record->stamp > place->since)
    {
      g_hash_table_remove_all (place->seen);
      place->since = record->stamp;
    }
  remember (place, record->id, record->stamp);
}

void
zendesk_place_turn (ZendeskPlace *place, const ZendeskPage *page)
{
  if (place->paging == ZENDESK_PAGING_CURSOR)
    {
      /* The same record may come in two pages. */
      g_hash_table_remove_all (place->seen);
      for (guint i = 0; i < page->records->len; i++)
        {
          const ZendeskPageRecord *record = &g_array_index (page->records, ZendeskPageRecord, i);

          remember (place, record->id, record->stamp);
        }
      place->stamp = place->id = place->number = 0;
      place->resumed = FALSE;
      if (page->cursor != NULL)
        {
          g_free (place->cursor);
          place->cursor = g_strdup (page->cursor);
        }
    }
  else if (place->paging == ZENDESK_PAGING_TIME && page->end_time > place->since)
    {
      g_hash_table_remove_all (place->seen);
      place->since = page->end_time;
    }
}

char *
zendesk_place_dup_text (const ZendeskPlace *place)
{
  g_autoptr (GString) out = g_string_new ("{\"since\":");
  GHashTableIter iter;
  gpointer id;
  gboolean first = TRUE;

  if (place->paging == ZENDESK_PAGING_LIST)
    return NULL;
  g_string_append_printf (out, "%" G_GINT64_FORMAT, place->since);
  if (place->cursor != NULL)
    {
      g_string_append (out, ",\"cursor\":");
      tally_json_append_string ((TallyText){ place->cursor, strlen (place->cursor) }, out);
    }
  if (place->id != 0)
    g_string_append_printf (out, ",\"stamp\":%" G_GINT64_FORMAT ",\"id\":%" G_GINT64_FORMAT ",\"number\":%" G_GINT64_FORMAT,
                            place->stamp, place->id, place->number);
  g_hash_table_iter_init (&iter, place->seen);
  while (place->paging == ZENDESK_PAGING_TIME && g_hash_table_iter_next (&iter, &id, NULL))
    {
      g_string_append_printf (out, "%s%" G_GINT64_FORMAT, first ? ",\"seen\":[" : ",", *(gint64 *) id);
      first = FALSE;
    }
  g_string_append (out, first ? "}" : "]}");
  return g_string_free (g_steal_pointer (&out), FALSE);
}
