/* belongings.h: what a user has beside its own record
 *
 * Further addresses are identities, and organizations beyond the default one are memberships: entities of their own, which
 * no key protects from being created twice.  So what the user has is read first, and only what is missing is created.
 * What is wanted is stored with the request, on its second line.
 */
#pragma once
#include <tallyman/plugin.h>

/* Addresses, or organizations, of one user. */
#define ZENDESK_MAX_BELONGINGS 300

/* What a user shall have. */
typedef struct
{
  char *email;              /* (owned) (nullable) becomes the first address */
  GPtrArray *identities;    /* (owned) (element-type utf8) further addresses */
  GArray *organizations;    /* (owned) (element-type gint64) */
  gint64 organization_id;   /* becomes the default; 0: none */
} ZendeskBelongings;

/* Of stored bytes: the first line, which is the request. */
TallyText zendesk_stored_request (TallyText stored);
/* Of stored bytes: NULL if they have no second line.  FALSE if they are not as we wrote them. */
gboolean zendesk_belongings_parse (TallyText stored, ZendeskBelongings **ret_wanted);
ZendeskBelongings *zendesk_belongings_new (void);
void zendesk_belongings_free (ZendeskBelongings *wanted);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZendeskBelongings, zendesk_belongings_free)

/* What a user has. */
typedef struct
{
  gint64 id;               /* of the identity, or membership */
  char *value;             /* (owned) (nullable) an address */
  gint64 organization_id;
  gboolean first;          /* the primary address, the default organization */
} ZendeskBelonging;

/* (element-type ZendeskBelonging) */
GPtrArray *zendesk_belonging_list_new (void);
/* Adds those of a page {"identities":[…]} or {"organization_memberships":[…]}.  FALSE if it is no such page. */
gboolean zendesk_identities_read (GPtrArray *has, const char *text, gsize length, gboolean *ret_more);
gboolean zendesk_memberships_read (GPtrArray *has, const char *text, gsize length, gboolean *ret_more);

/* The address that comes next: it is missing, or (ret_id) it is there but has to become the first. (transfer none)
 * (nullable) NULL: all is as it should be. */
const char *zendesk_next_identity (const ZendeskBelongings *wanted, const GPtrArray *has, gint64 *ret_id);
/* The same of organizations; 0: all is as it should be. */
gint64 zendesk_next_membership (const ZendeskBelongings *wanted, const GPtrArray *has, gint64 *ret_id);
