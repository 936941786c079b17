/* block.h: a piece of an input that batches may point into */
#pragma once
#include <glib.h>

/* So many bytes behind a block's own may be read, and written. */
#define TALLY_BLOCK_PADDING 65

/* A batch gets no more rows once its rows took up so much of the input: what a run needs must not grow with their length. */
#define TALLY_BATCH_BYTES (1024 * 1024)

typedef struct
{
  gatomicrefcount references;
  gsize size; /* bytes of data, without the padding */
  guint8 data[];
} TallyBlock;

TallyBlock *tally_block_new (gsize size);
TallyBlock *tally_block_ref (TallyBlock *block);
/* A GDestroyNotify, for tally_batch_hold(). */
void tally_block_unref (gpointer block);
