/* batch-private.h: what the engine and the steps may do with a batch beyond a plugin */
#pragma once
#include <tallyman/batch.h>

/* What ref() asks, see expression/ref.h. (transfer none) (nullable) */
typedef struct _TallyReferences TallyReferences;
void tally_batch_set_references (TallyBatch *batch, TallyReferences *references);
TallyReferences *tally_batch_references (const TallyBatch *batch);

/* The columns from here on are the engine's own, and left out of a row as JSON: of rejects above all.  All are visible until
 * this is said; tally_batch_rearrange() makes them so again. */
void tally_batch_hide_from (TallyBatch *batch, guint column);
guint tally_batch_n_visible (const TallyBatch *batch);
/* Each row becomes as many as times says, one behind the other, all as it is and with its origin; the capacity grows to hold
 * them.  A row that becomes none counts as filtered, those beyond the first as added. */
void tally_batch_repeat (TallyBatch *batch, const guint *times);
/* Gives a batch other columns and nothing of those that it had. */
void tally_batch_give_columns (TallyBatch *batch, TallySchema *schema);
/* Copies a column's values within a batch (views, not bytes). */
void tally_batch_copy_column (TallyBatch *batch, guint from, guint to);

/* Takes all rows out, of which none is rejected, and counts them as nothing: a step holds them back. */
void tally_batch_withhold (TallyBatch *batch);
/* Adds a row of NULLs for one that was held back.  Returns its index. */
guint tally_batch_bring_back (TallyBatch *batch);
/* Counts rows that were held back and do not come: as filtered; and one that comes although none was: as added. */
void tally_batch_count_filtered (TallyBatch *batch, guint64 n);
void tally_batch_count_added (TallyBatch *batch, guint64 n);

/* The stage's name goes into rejects from here on. */
void tally_batch_begin_stage (TallyBatch *batch, const char *stage);
/* Takes rows that were rejected out of the batch, now that the stage has ended. */
void tally_batch_end_stage (TallyBatch *batch);

/* (transfer none) (element-type TallyReject) the rejects so far, of rows taken out and of add_reject. */
const TallyReject *tally_batch_rejects (const TallyBatch *batch, guint *ret_n);
/* (transfer full) (element-type TallyReject): adds records that were set aside on the way to the steps, and counts them as
 * read. */
void tally_batch_take_rejects (TallyBatch *batch, GArray *rejects);
/* Frees what a TallyReject of one's own points to; a GDestroyNotify for arrays of them. */
void tally_reject_clear (gpointer reject);
/* Records that the source counted: rows, and rejects of its own. */
guint64 tally_batch_n_read (const TallyBatch *batch);
guint64 tally_batch_n_filtered (const TallyBatch *batch);
/* Rows that steps made beyond those that came. */
guint64 tally_batch_n_added (const TallyBatch *batch);
/* Where a row comes from, without its number there. */
const char *tally_batch_origin_name (const TallyBatch *batch, guint row);
/* For rows that come from several places: sets a row's own, row by row.  The first row's is the batch's. */
void tally_batch_set_row_origin (TallyBatch *batch, guint row, TallyText name);
/* Bytes held by the arena, for bounds. */
gsize tally_batch_held (const TallyBatch *batch);
