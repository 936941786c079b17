/* keyed.h: rows by their key, however many, in flat memory
 *
 * A row is any bytes.  All rows are added, then the table is finished, and then it is asked.  It is kept in memory up to a
 * limit, and beyond that in a temporary database; what comes out is the same.
 */
#pragma once
#include "digest.h"
#include "plugin/context.h"

typedef struct _TallyKeyed TallyKeyed;

/* memory: bytes; half for rows on their way to disk, half for the database's pages.  ctx: (nullable) whose interruption
 * ends a call that takes its time. */
TallyKeyed *tally_keyed_new (gsize memory, TallyContext *ctx);
void tally_keyed_free (TallyKeyed *keyed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyKeyed, tally_keyed_free)

/* Rows of one key are ordered by place (nullable), as memcmp() compares; no place begins another one.  Those that are equal
 * stay in the order in which they came.  Fails with TALLY_ERROR_IO if the disk does, or with TALLY_ERROR_INTERRUPTED. */
gboolean tally_keyed_add (TallyKeyed *keyed, const guint8 key[TALLY_DIGEST_SIZE], const GByteArray *place, TallyText row,
                          GError **error);
/* After the last row. */
gboolean tally_keyed_finish (TallyKeyed *keyed, GError **error);
/* Calls take for each row of a key, in order, until it returns FALSE.  The row is valid during the call. */
typedef gboolean (*TallyKeyedTake) (TallyText row, gpointer data);
gboolean tally_keyed_find (TallyKeyed *keyed, const guint8 key[TALLY_DIGEST_SIZE], TallyKeyedTake take, gpointer data,
                           GError **error);
/* How many are on disk by now. */
guint64 tally_keyed_n_spilled (const TallyKeyed *keyed);
