/* match.h: who is there already, and whether it may be taken over
 *
 * When Zendesk does not take a user or an organization because something is there already, that is looked up, by external_id
 * and by the name that no two may share.  What follows from it is decided here, without a request: its test is a table.
 */
#pragma once
#include <tallyman/plugin.h>

/* Entities of a list that are looked at. */
#define ZENDESK_MAX_FOUND 100

typedef enum
{
  ZENDESK_ADOPT_EMAIL = 1 << 0,
  ZENDESK_ADOPT_NAME = 1 << 1,
} ZendeskAdopt;

/* One that is there. */
typedef struct
{
  gint64 id;
  char *external_id, *name, *email, *role; /* (owned) (nullable) */
  gboolean deleted, suspended;
  gboolean has_email;                      /* the address is one of its own, be it not the first */
} ZendeskFound;

/* What is to be created. Texts are (unowned). */
typedef struct
{
  const char *entity;              /* "user" */
  const char *reference;
  const char *name, *email, *role; /* (nullable) */
  guint adopts;                    /* ZendeskAdopt bits */
} ZendeskWanted;

typedef enum
{
  ZENDESK_MATCH_NONE,     /* nothing that stands in the way */
  ZENDESK_MATCH_OURS,     /* it carries our reference */
  ZENDESK_MATCH_ADOPT,    /* it may be taken over */
  ZENDESK_MATCH_CONFLICT, /* a person has to decide */
} ZendeskMatch;

/* (element-type ZendeskFound) */
GPtrArray *zendesk_found_new (void);
/* Adds those of {"users":[…]}; one that was there is not added again.  FALSE if it is no such list; ret_more: whether it goes
 * on. */
gboolean zendesk_found_read (GPtrArray *found, const char *entity, const char *text, gsize length, gboolean *ret_more);
/* (transfer none) (nullable) */
ZendeskFound *zendesk_found_get (const GPtrArray *found, gint64 id);

/* Of those whom a search for the e-mail address has found: whose addresses have to be read, because it may have found him by one that is
 * not his first; 0: nobody's. */
gint64 zendesk_found_doubtful (const GPtrArray *found, const ZendeskWanted *wanted);

/* Decides.  ret_id: of what is ours, or to be taken over; else untouched.  detail: what a person should know of it is
 * appended. */
ZendeskMatch zendesk_match (const ZendeskWanted *wanted, const GPtrArray *found, gint64 *ret_id, GString *detail);
