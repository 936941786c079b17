/* page.h: one page of a list or an export, and where the next one is
 *
 * No I/O, fuzzed.
 */
#pragma once
#include "resource.h"

/* A record where it stands in the page. */
typedef struct
{
  TallyText text;
  gint64 id;    /* 0: it has none */
  gint64 stamp; /* generated_timestamp, or timestamp of an event; 0: it has none */
} ZendeskPageRecord;

typedef struct
{
  GArray *records;   /* (owned) (element-type ZendeskPageRecord) point into the answer */
  char *cursor;      /* (owned) (nullable) after the last record */
  gint64 end_time;   /* of an export by time; 0: not said */
  gboolean ends;     /* nothing follows for now */
  gboolean numbered; /* a list that has no cursors, but numbered pages */
} ZendeskPage;

/* Reads an answer, to which the page's records point.  list: the member that has them.  Fails with TALLY_ERROR_DATA if it
 * is no such page; the page is to be cleared then, too. */
gboolean zendesk_page_read (ZendeskPage *page, ZendeskPaging paging, const char *list, TallyText answer, GError **error);
void zendesk_page_clear (ZendeskPage *page);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ZendeskPage, zendesk_page_clear)
