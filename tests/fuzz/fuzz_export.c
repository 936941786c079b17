/* fuzz_export.c: pages of exports and lists, as Zendesk or whoever answers in its place can send them
 *
 * The first byte chooses the resource.  What follows is read as a page; its records become rows, at a place that is kept as text and
 * read again: whatever comes, no record is given twice from one page, and the place stays the same.
 */
#include "../../plugins/zendesk/layout.h"
#include "../../plugins/zendesk/place.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

static void
fill_rows (const ZendeskResource *resource, const ZendeskPage *page, TallyText answer)
{
  ZendeskLayout layout;
  TallySchema *schema;
  TallyBatch *batch;

  zendesk_layout_init (&layout, resource, FALSE);
  if (resource->fields != NULL)
    zendesk_layout_add_fields (&layout, answer.data, answer.length, NULL);
  schema = zendesk_layout_schema (&layout);
  batch = tally_batch_new (schema, MAX (page->records->len, 1));
  for (guint i = 0; i < page->records->len; i++)
    {
      char *reason = NULL;

      tally_batch_add_row (batch);
      if (!zendesk_layout_fill (&layout, g_array_index (page->records, ZendeskPageRecord, i).text, batch, &reason))
        tally_batch_undo_row (batch);
      g_free (reason);
    }
  tally_batch_free (batch);
  tally_schema_unref (schema);
  zendesk_layout_clear (&layout);
}

static void
expect_same_place (const ZendeskPlace *place)
{
  g_autofree char *text = zendesk_place_dup_text (place);
  ZendeskPlace other;

  if (text == NULL)
    return;
  g_assert (zendesk_place_init (&other, place->paging, text, 0, NULL));
  g_assert (other.since == place->since && other.id == place->id && other.stamp == place->stamp);
  g_assert_cmpstr (other.cursor, ==, place->cursor);
  zendesk_place_clear (&other);
}

static void
walk (const ZendeskResource *resource, ZendeskPage *page, TallyText answer)
{
  ZendeskPlace place;

  zendesk_place_init (&place, resource->paging, NULL, 0, NULL);
  if (zendesk_place_sift (&place, page, NULL))
    {
      fill_rows (resource, page, answer);
      for (guint i = 0; i < page->records->len; i++)
        {
          zendesk_place_advance (&place, &g_array_index (page->records, ZendeskPageRecord, i), 0);
          if (i < 8)
            expect_same_place (&place);
        }
      zendesk_place_turn (&place, page);
      expect_same_place (&place);
    }
  zendesk_place_clear (&place);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  static const char *const names[] = { "tickets", "users", "organizations", "ticket_events", "groups", "views" };
  ZendeskResource resource;
  ZendeskPage page = { 0 };
  ZendeskPlace strange;

  if (size < 1)
    return 0;
  g_autofree char *body = g_strndup ((const char *)data + 1, size - 1); /* its own block, so that reading past it is seen */
  const TallyText answer = { body, size - 1 };

  zendesk_resource_find (names[data[0] % G_N_ELEMENTS (names)], &resource, NULL);
  if (zendesk_page_read (&page, resource.paging, resource.list, answer, NULL))
    walk (&resource, &page, answer);
  zendesk_page_clear (&page);
  if (zendesk_place_init (&strange, ZENDESK_PAGING_TIME, body, 0, NULL))
    expect_same_place (&strange);
  zendesk_place_clear (&strange);
  return 0;
}
