/* sort-key.h: bytes that stand in memcmp()'s order as values stand in PostgreSQL's ORDER BY
 *
 * The session's locale is C.  Values that PostgreSQL calls equal have the same bytes, and one value's
 * bytes never begin another's of the same type, so that those of several columns may stand one behind
 * the other.
 */
#pragma once
#include <tallyman/batch.h>

typedef enum
{
  TALLY_SORT_DESCENDING = 1 << 0,
  TALLY_SORT_NULLS_FIRST = 1 << 1, /* PostgreSQL's default where it descends */
} TallySortFlags;

/* Appends those of a value of type, as a batch's vector holds it; NULL for SQL's NULL. */
void tally_sort_key_append (TallyType type, gconstpointer value, TallySortFlags flags, GByteArray *out);
/* The same for a row's value of a column. */
void tally_sort_key_append_column (const TallyBatch *batch, guint row, guint column, TallySortFlags flags,
                                   GByteArray *out);
