/* seen.h: a set of digests of any size in flat memory
 *
 * It is kept in memory up to a limit, and from then on in a temporary database of its own, which no other
 * program can find and which goes with the set.
 */
#pragma once
#include "digest.h"

typedef struct _TallySeen TallySeen;

/* memory: bytes; about half for the table, half for the database's pages. */
TallySeen *tally_seen_new (gsize memory);
void tally_seen_free (TallySeen *seen);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallySeen, tally_seen_free)

/* ret_is_new: whether it was not there yet.  Fails with TALLY_ERROR_IO if the disk does. */
gboolean tally_seen_add (TallySeen *seen, const guint8 digest[TALLY_DIGEST_SIZE], gboolean *ret_is_new, GError **error);
/* How many are on disk by now. */
guint64 tally_seen_n_spilled (const TallySeen *seen);
