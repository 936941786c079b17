/* cost.h: what requests a delivery takes, for `tallyman plan` */
#pragma once
#include "party.h"

/* Of zendesk-tickets; of zendesk-users and zendesk-organizations.  See TallyDeliverySink. */
void zendesk_tickets_cost (gpointer self, TallyContext *ctx, TallyText body, const char *target_id, TallyCostFlags flags);
void zendesk_party_cost (gpointer self, TallyContext *ctx, TallyText body, const char *target_id, TallyCostFlags flags);
/* Of a creation that the account stands in the way of, as match says.  by_name: that is seen before it is sent. */
void zendesk_party_cost_there (ZendeskPartySink *sink, TallyContext *ctx, TallyText body, const ZendeskWanted *wanted,
                               ZendeskMatch match, gboolean by_name);
