/* export-page.h: a page of the incremental export of tickets
 *
 * A page is long, and of each ticket a few members count: it is looked through, not built.
 */
#pragma once
#include "skim.h"

/* What counts of a ticket in the export. */
typedef struct
{
  gint64 id;             /* 0: not told */
  JsonValue external_id; /* a view into the page; JSON_NULL: it has none */
  gboolean deleted;
  gboolean scrubbed;     /* deleted for good: nothing is left of what it was */
  gint64 created_at;     /* Unix seconds; 0: not told */
  gint64 changed_at;     /* likewise: by this time the export is sorted */
} ZendeskExportRow;

typedef struct
{
  char *cursor;          /* (owned) (nullable) where the next page begins */
  gboolean end_of_stream;
} ZendeskExportPage;

/* Reads the answer to GET /incremental/tickets/cursor: each is called for every ticket, in their order.  FALSE if it is
 * not such an answer; each may have been called by then. */
gboolean zendesk_export_page_read (const char *text, gsize length,
                                   void (*each) (const ZendeskExportRow *row, gpointer data), gpointer data,
                                   ZendeskExportPage *ret_page);
