/* sorter.h: any number of rows in the order of their keys, in flat memory
 *
 * They are kept in memory up to a limit, and from then on in a temporary database of its own, which no other
 * program can find and which goes with the sorter.
 */
#pragma once
#include <tallyman/types.h>

typedef struct _TallySorter TallySorter;

/* memory: bytes, for rows and for the database's pages together. */
TallySorter *tally_sorter_new (gsize memory);
void tally_sorter_free (TallySorter *sorter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallySorter, tally_sorter_free)

/* Adds a row's bytes, under bytes whose memcmp() says where it goes; neither is empty.  Fails with TALLY_ERROR_IO if the disk does. */
gboolean tally_sorter_add (TallySorter *sorter, const GByteArray *key, const GByteArray *row, GError **error);
/* The next in order; of equal keys the one that was added first.  From the first call on nothing more may be added.
 * ret_key, ret_row: valid until the next call; data is NULL after the last. */
gboolean tally_sorter_next (TallySorter *sorter, TallyText *ret_key, TallyText *ret_row, GError **error);
/* How many are on disk by now. */
guint64 tally_sorter_n_spilled (const TallySorter *sorter);
