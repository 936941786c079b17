/* pager.h: one page after another of what an account holds */
#pragma once
#include "account.h"
#include "place.h"

typedef struct
{
  ZendeskAccount *account;         /* (unowned) */
  const ZendeskResource *resource; /* (unowned) */
  const char *query;               /* (unowned) (nullable) what every request says besides */
  guint per_page;                  /* records asked for; fewer once a page was too long */
  ZendeskPlace place;
  ZendeskPage page;                /* what is there, as long as has_page */
  gboolean has_page;
  gboolean ended;                  /* nothing follows for now */

  ZendeskReply reply;              /* private: to which the page points */
  guint number;                    /* private: of the page, of a list that numbers them */
} ZendeskPager;

/* Begins at position (nullable), else at since, in Unix seconds.  Fails with TALLY_ERROR_DATA if the position is none. */
gboolean zendesk_pager_init (ZendeskPager *pager, ZendeskAccount *account, const ZendeskResource *resource, guint per_page,
                             const char *position, gint64 since, GError **error);
void zendesk_pager_clear (ZendeskPager *pager);
/* Whether there is nothing to ask for yet: an export is refused that begins within the last minute. */
gboolean zendesk_pager_is_too_early (const ZendeskPager *pager);
/* Gets the next page, with the records that were not given yet.  As zendesk_account_read(). */
TallyFlow zendesk_pager_fetch (ZendeskPager *pager, GError **error);
/* All of the page has been given. */
void zendesk_pager_turn (ZendeskPager *pager);
