/* claims.h: names that are being created
 *
 * Two requests for one name, close together, may both succeed in Zendesk, or fail in odd ways.  So of the records with one
 * name one is at work at a time; and a name whose creation got no answer stays taken until that request is surely at its
 * end.
 */
#pragma once
#include <glib.h>

typedef struct _ZendeskClaims ZendeskClaims;

typedef enum
{
  ZENDESK_CLAIM_TAKEN, /* all names are the reference's now */
  ZENDESK_CLAIM_HELD,  /* another one is at work under one of them */
  ZENDESK_CLAIM_DOUBT, /* another one may be */
} ZendeskClaim;

ZendeskClaims *zendesk_claims_new (void);
void zendesk_claims_free (ZendeskClaims *claims);

/* Takes all of the names, or none.  now: on a clock that only goes forward; ret_wait: with DOUBT, how long to wait. */
ZendeskClaim zendesk_claims_take (ZendeskClaims *claims, const GPtrArray *names, const char *reference, gint64 now,
                                  gint64 *ret_wait);
/* Lets go of the names.  until: they stay taken, because nobody knows what became of the request; 0: they do not. */
void zendesk_claims_release (ZendeskClaims *claims, const GPtrArray *names, const char *reference, gint64 until);
