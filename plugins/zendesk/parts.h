/* parts.h: a text that is too long for one comment
 *
 * The ticket is created with the first part, and each further part is added as a comment by an
 * update.  Nothing protects an update from being done twice, so before each one the ticket's
 * comments are read: every part begins (the first one ends) with a mark that tells its number and
 * whose it is, and a part is added only if all before it are there and itself is not.
 */
#pragma once
#include <glib.h>
#include <tallyman/plugin.h>

/* Cuts text so that each part, its mark included, has at most max bytes.  (transfer full)
 * (element-type utf8): the parts as they are sent; NULL if they would be more than most. */
GPtrArray *zendesk_parts_split (const char *text, gsize max, guint most, const char *reference);

/* Of stored bytes: what is sent to create the ticket. */
TallyText zendesk_parts_first (TallyText stored);

/* Of stored bytes: the further parts, NULL if there are none. (transfer full) (element-type utf8)
 * FALSE if the bytes are not as we wrote them. */
gboolean zendesk_parts_further (TallyText stored, GPtrArray **ret_parts);

/* What the ticket's comments tell. */
typedef struct
{
  const char *reference; /* (unowned) */
  guint n_parts;         /* of the whole text, the first included */
  guint n_present;       /* parts that are there without a gap; the first always is */
  gboolean gap;          /* a part is there although one before it is not */
  guint n_comments;
  gint64 author_id;      /* of the first comment; 0: not told */
  gboolean is_public;    /* the first comment */
  gboolean more;         /* another page follows */
} ZendeskThread;

void zendesk_thread_init (ZendeskThread *thread, const char *reference, guint n_parts);
/* Reads a page of GET /tickets/{id}/comments, oldest first.  FALSE if it is not one. */
gboolean zendesk_thread_read (ZendeskThread *thread, const char *text, gsize length);

/* What an update needs to know of a ticket: when it was changed last, and whether it is solved. */
gboolean zendesk_ticket_read (const char *text, gsize length, gint64 id, char **ret_updated_at,
                              gboolean *ret_solved);

/* The body of the update that adds a part. (transfer full) */
char *zendesk_parts_update (const ZendeskThread *thread, const char *part, const char *updated_at,
                            gboolean solved);
