/* cost.h: what requests a delivery takes, for `tallyman plan` */
#pragma once
#include <tallyman/plugin.h>

/* Of zendesk-tickets; of zendesk-users and zendesk-organizations.  See TallyDeliverySink. */
void zendesk_tickets_cost (gpointer self, TallyContext *ctx, TallyText body, const char *target_id, TallyCostFlags flags);
void zendesk_party_cost (gpointer self, TallyContext *ctx, TallyText body, const char *target_id, TallyCostFlags flags);
