/* pager.c: one page after another of what an account holds */
#include "pager.h"

#include <string.h>

/* What an export does not give yet (zendesk-api.md, section 11). */
#define EXPORT_DELAY 60 /* seconds */

static void
drop_page (ZendeskPager *pager)
{
  if (pager->page.records != NULL)
    g_array_set_size (pager->page.records, 0);
  zendesk_reply_clear (&pager->reply);
  pager->reply = (ZendeskReply){ 0 };
  pager->has_page = FALSE;
}

gboolean
zendesk_pager_init (ZendeskPager *pager, ZendeskAccount *account, const ZendeskResource *resource, guint per_page,
                    const char *position, gint64 since, GError **error)
{
  *pager = (ZendeskPager){ .account = account,
                           .resource = resource,
                           .per_page = MIN (per_page, resource->paging == ZENDESK_PAGING_LIST ? 100 : 1000),
                           .number = 1 };
  return zendesk_place_init (&pager->place, resource->paging, position, since, error);
}

void
zendesk_pager_clear (ZendeskPager *pager)
{
  drop_page (pager);
  zendesk_page_clear (&pager->page);
  zendesk_place_clear (&pager->place);
  pager->ended = FALSE;
}

/* --- where --- */

static void
add_query (GString *path, const char *name, const char *value)
{
  g_string_append_c (path, strchr (path->str, '?') == NULL ? '?' : '&');
  g_string_append_printf (path, "%s=", name);
  g_string_append_uri_escaped (path, value, NULL, FALSE);
}

static void
add_number (GString *path, const char *name, gint64 value)
{
  g_autofree char *digits = g_strdup_printf ("%" G_GINT64_FORMAT, value);

  add_query (path, name, digits);
}

/* Where a list goes on: by cursor if it has them, else by number. */
static void
add_list_place (const ZendeskPager *pager, GString *path)
{
  gboolean numbered = pager->number > 1;

  add_number (path, numbered ? "per_page" : "page%5Bsize%5D", pager->per_page);
  if (numbered)
    add_number (path, "page", pager->number);
  else if (pager->page.cursor != NULL)
    add_query (path, "page%5Bafter%5D", pager->page.cursor);
}

static char *
compose_path (const ZendeskPager *pager)
{
  const ZendeskResource *resource = pager->resource;
  GString *path = g_string_new (NULL);

  g_string_printf (path, ZENDESK_API "/%s.json%s%s", resource->path, resource->query != NULL ? "?" : "",
                   resource->query != NULL ? resource->query : "");
  if (resource->paging == ZENDESK_PAGING_LIST)
    {
      add_list_place (pager, path);
      return g_string_free (path, FALSE);
    }
  add_number (path, "per_page", pager->per_page);
  if (pager->place.cursor != NULL)
    add_query (path, "cursor", pager->place.cursor);
  else
    add_number (path, "start_time", pager->place.since);
  if (pager->query != NULL)
    g_string_append_printf (path, "&%s", pager->query);
  return g_string_free (path, FALSE);
}

gboolean
zendesk_pager_is_too_early (const ZendeskPager *pager)
{
  gint64 now = g_get_real_time () / G_USEC_PER_SEC + pager->account->skew;

  return pager->resource->paging != ZENDESK_PAGING_LIST && pager->place.cursor == NULL
         && pager->place.since > now - EXPORT_DELAY;
}

/* --- pages --- */

static gboolean
take_page (ZendeskPager *pager, GError **error)
{
  const TallyText answer = { pager->reply.body, pager->reply.length };

  zendesk_page_clear (&pager->page);
  pager->page = (ZendeskPage){ 0 };
  pager->has_page = zendesk_page_read (&pager->page, pager->resource->paging, pager->resource->list, answer, error)
                    && zendesk_place_sift (&pager->place, &pager->page, error);
  return pager->has_page;
}

TallyFlow
zendesk_pager_fetch (ZendeskPager *pager, GError **error)
{
  for (;;)
    {
      g_autofree char *path = compose_path (pager);
      g_autoptr (GError) failure = NULL;
      TallyFlow flow;

      drop_page (pager);
      flow = zendesk_account_read (pager->account, path, pager->resource->name, &pager->reply, &failure);
      if (flow == TALLY_FLOW_OK)
        return take_page (pager, error) ? TALLY_FLOW_OK : TALLY_FLOW_FATAL;
      if (!pager->reply.too_long || pager->per_page == 1)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return pager->reply.too_long ? TALLY_FLOW_FATAL : flow;
        }
      pager->per_page = MAX (pager->per_page / 4, 1);
    }
}

void
zendesk_pager_turn (ZendeskPager *pager)
{
  pager->ended = pager->page.ends;
  pager->number += pager->page.numbered ? 1 : 0;
  zendesk_place_turn (&pager->place, &pager->page);
  drop_page (pager);
}
