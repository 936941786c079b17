/* export-row.h: what counts of a ticket in the incremental export
 *
 * A page is long, and of each ticket a few members count: it is looked through, not built.
 */
#pragma once
#include "skim.h"

typedef struct
{
  gint64 id;
  JsonValue external_id; /* a view into the page; JSON_NULL: it has none */
  gboolean deleted;
  gboolean scrubbed;     /* deleted for good: nothing is left of what it was */
  gint64 created_at;     /* Unix seconds; 0: not told */
} ZendeskExportRow;

/* FALSE if it is no ticket with an id. */
gboolean zendesk_export_row_read (TallyText text, ZendeskExportRow *ret_row);
