/* names.h: groups, agents, brands and forms by the names that people know them by
 *
 * Read once, before the first record.
 */
#pragma once
#include <tallyman/plugin.h>

typedef enum
{
  ZENDESK_NAMES_AGENT, /* by e-mail address, whatever its case */
  ZENDESK_NAMES_GROUP,
  ZENDESK_NAMES_BRAND,
  ZENDESK_NAMES_FORM,
  ZENDESK_N_NAMES
} ZendeskNamesKind;

/* What the account has of one kind. */
typedef struct
{
  ZendeskNamesKind kind;
  GHashTable *ids; /* (owned) (element-type utf8 gint64) 0: several have that name */
  GPtrArray *all;  /* (unowned elements) (element-type utf8) the names */
} ZendeskNames;

ZendeskNames *zendesk_names_new (ZendeskNamesKind kind);
void zendesk_names_free (ZendeskNames *names);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZendeskNames, zendesk_names_free)

/* Where a page of them is. (transfer full) */
char *zendesk_names_path (ZendeskNamesKind kind, guint page);
/* "the groups", for a message. */
const char *zendesk_names_title (ZendeskNamesKind kind);
/* Takes a page of the list; those that are gone, or not at work, do not count.  ret_more: whether another page follows.
 * FALSE if it is not such a list. */
gboolean zendesk_names_take (ZendeskNames *names, const char *text, gsize length, gboolean *ret_more, GError **error);
/* Appends the id of what has this name.  Fails with TALLY_ERROR_DATA, with the nearest name. */
gboolean zendesk_names_append (const ZendeskNames *names, const char *name, GString *out, GError **error);

/* Whether an answer to GET /users/{id} is a user who can stand for others: there, active, and not suspended. */
gboolean zendesk_user_check (const char *text, gsize length, gint64 id, GError **error);
