/* place.h: how far an export has been read
 *
 * No I/O.  As text it is the source's position: the next run goes on there, and neither gives a record twice nor leaves one out.
 *
 *   by cursor   the cursor that gave the page, and the last record that was taken out of it.  A record that changes while the page is
 *               read moves to the end of the export, so what is found before that place was given.
 *   by time     the second that was reached, and the ids of the records of that second, which come again.
 */
#pragma once
#include "page.h"

typedef struct
{
  ZendeskPaging paging;
  char *cursor;      /* (owned) (nullable) that gives the page; NULL: the first one */
  gint64 since;      /* Unix seconds: where the export begins, or by time how far it has come */
  GHashTable *seen;  /* (owned) (element-type gint64) by time: ids of that second; by cursor: ids of the page, to their stamps */
  gint64 stamp, id;  /* by cursor: the last record that was taken out of the page; 0: none */
  gint64 number;     /* of a record within that record: the comment of a ticket; 0: none */
  gboolean resumed;  /* the page was begun by an earlier run */
} ZendeskPlace;

/* Where an export begins: at text if it is a position, else at since.  Fails with TALLY_ERROR_DATA if it is none of ours. */
gboolean zendesk_place_init (ZendeskPlace *place, ZendeskPaging paging, const char *text, gint64 since, GError **error);
void zendesk_place_clear (ZendeskPlace *place);

/* Brings the page's records into the order of their changes, without those that were given.  Fails with TALLY_ERROR_DATA if one
 * has no id, or if nothing is left, and what comes after it would be the same again. */
gboolean zendesk_place_sift (ZendeskPlace *place, ZendeskPage *page, GError **error);
/* A record was given; number: up to which one within it, 0 if wholly. */
void zendesk_place_advance (ZendeskPlace *place, const ZendeskPageRecord *record, gint64 number);
/* The whole page was given. */
void zendesk_place_turn (ZendeskPlace *place, const ZendeskPage *page);
/* (transfer full) (nullable) NULL: a list, which is always read from its beginning. */
char *zendesk_place_dup_text (const ZendeskPlace *place);
