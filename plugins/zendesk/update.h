/* update.h: what is asked of a ticket that is there, and whether it has been done
 *
 * A stored update is a line with the ticket's id, and a line with the request.  A comment carries a mark, because
 * nothing else tells whether it was appended.
 */
#pragma once
#include "json.h"
#include <tallyman/types.h>

/* [tallyman 0123456789ab]: of whom a comment is. (transfer full) */
char *zendesk_update_mark (const char *reference);

typedef struct
{
  gint64 id;           /* the ticket's */
  TallyText request;   /* (unowned) {"ticket":{…}} */
  json_object *ticket; /* (owned) what it holds */
  gboolean comments;   /* it appends one */
} ZendeskUpdate;

/* FALSE if the bytes are not as we wrote them. */
gboolean zendesk_update_read (ZendeskUpdate *update, TallyText stored);
void zendesk_update_clear (ZendeskUpdate *update);

/* What an answer to GET /tickets/{id} tells. */
typedef struct
{
  char *updated_at;  /* (owned) (nullable) */
  gboolean closed;
  gboolean done;     /* it is as the update would make it, comments aside */
} ZendeskUpdatable;

/* FALSE if it is no ticket. */
gboolean zendesk_updatable_read (const ZendeskUpdate *update, const char *text, gsize length, ZendeskUpdatable *ret_ticket);

/* Looks for a mark in a page of GET /tickets/{id}/comments.  FALSE if it is not such a page. */
gboolean zendesk_update_find_mark (const char *text, gsize length, const char *mark, gboolean *ret_found,
                                   gboolean *ret_more);

/* A request that is refused if the ticket has changed since. (transfer full) */
char *zendesk_update_stamp (TallyText request, const char *updated_at);
