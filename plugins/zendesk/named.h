/* named.h: the users whom tickets of a plan name by their ids: whether the account has them, and how
 *
 * What Zendesk does with a ticket of a user who is suspended or deleted is nowhere told; so it is told before an import.
 */
#pragma once
#include "account.h"

typedef struct _ZendeskNamed ZendeskNamed;

ZendeskNamed *zendesk_named_new (void);
void zendesk_named_free (ZendeskNamed *named);
/* request: {"ticket":{…}} */
void zendesk_named_take (ZendeskNamed *named, TallyText request);
/* Asks the account about all that were taken, and tells.  May be called again after it has failed. */
gboolean zendesk_named_tell (ZendeskNamed *named, ZendeskAccount *account, GError **error);
