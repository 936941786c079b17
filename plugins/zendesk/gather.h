/* gather.h: the comments of several tickets, asked for at once */
#pragma once
#include "account.h"

typedef struct _ZendeskGather ZendeskGather;

typedef struct
{
  ZendeskGather *gather; /* (unowned) */
  gint64 ticket;
  GString *comments;     /* (owned) what stands between the brackets of a JSON array */
  guint n_pages;
  char *cursor;          /* (owned) (nullable) of the next page */
  gboolean done;
} ZendeskGathered;

struct _ZendeskGather
{
  ZendeskAccount *account; /* (unowned) */
  guint parallel;          /* requests at once */
  GPtrArray *tickets;      /* (owned) (element-type ZendeskGathered) */
  guint in_flight;
  TallyFlow flow;          /* of the answers that came, the worst */
  GError *error;           /* (owned) (nullable) why */
  gboolean unauthorized;   /* the token ran out */
};

void zendesk_gather_init (ZendeskGather *gather, ZendeskAccount *account, guint parallel);
void zendesk_gather_clear (ZendeskGather *gather);
/* Forgets all tickets, and what was fetched of them. */
void zendesk_gather_reset (ZendeskGather *gather);
void zendesk_gather_add (ZendeskGather *gather, gint64 ticket);
/* Fetches what is not there yet.  TALLY_FLOW_RETRY: some could not be had just now; the next call goes on with them.  A ticket that is
 * gone has none. */
TallyFlow zendesk_gather_run (ZendeskGather *gather, GError **error);
