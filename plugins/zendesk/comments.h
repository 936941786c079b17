/* comments.h: the conversation of an imported ticket
 *
 * It comes as an array of objects, as the step `lookup` with `collect` makes them:
 *
 *   [{"author_id": 827, "created_at": "2012-06-01T10:00:00Z", "body": "first", "public": true}, …]
 *
 * What Zendesk would refuse as a whole, cut off, or put under somebody else's name is found here, and the message says
 * which comment it is.
 */
#pragma once
#include "json.h"
#include "render.h"

/* A ticket has no more. */
#define ZENDESK_MAX_COMMENTS 5000

typedef struct
{
  gboolean has_time;
  gint64 time;         /* microseconds since 1970 */
  guint place;         /* in the array that came */
  gint64 author_id;    /* 0: none */
  gboolean is_html, is_public;
  char *text;          /* (owned) */
  char *files;         /* (owned) (nullable) its descriptions, see files.h */
} ZendeskComment;

void zendesk_comment_free (ZendeskComment *comment);

/* Reads a column's value into comments.  (transfer full) (element-type ZendeskComment) NULL if one of them is not as it
 * should be; the message names it. */
GPtrArray *zendesk_comments_parse (const ZendeskRender *render, const char *json, guint *ret_notes, GError **error);

/* Brings them into the order of their times. */
gboolean zendesk_comments_order (GPtrArray *comments, GError **error);

/* Cuts what is too long, and appends them as a JSON array.  Fails with TALLY_ERROR_DATA. */
gboolean zendesk_comments_append (const ZendeskRender *render, const GPtrArray *comments, const char *reference,
                                  GString *out, guint *ret_notes, GError **error);
