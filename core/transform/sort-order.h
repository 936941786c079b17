/* sort-order.h: by which columns rows are ordered, and in which direction */
#pragma once
#include "sort-key.h"
#include "step-private.h"

typedef struct
{
  gint column;
  TallySortFlags flags;
} TallySortColumn;

/* Reads arguments such as `created DESC NULLS LAST` over rows of schema, all that is wrong goes to complaints.  who: as with
 * tally_step_find_column_in().  Returns (transfer full) (element-type TallySortColumn). */
GArray *tally_sort_order_read (GPtrArray *complaints, const TallyStepArgument *arguments, guint first, guint n,
                               TallySchema *schema, const char *who);
/* Appends the bytes that a row is ordered by. */
void tally_sort_order_append (const GArray *order, const TallyBatch *batch, guint row, GByteArray *out);
