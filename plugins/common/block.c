/* block.c: counted, because a block lives as long as the last batch with a view into it */
#include "block.h"

TallyBlock *
tally_block_new (gsize size)
{
  TallyBlock *block = g_malloc (sizeof (TallyBlock) + size + TALLY_BLOCK_PADDING);

  g_atomic_ref_count_init (&block->references);
  block->size = size;
  return block;
}

TallyBlock *
tally_block_ref (TallyBlock *block)
{
  g_atomic_ref_count_inc (&block->references);
  return block;
}

void
tally_block_unref (gpointer data)
{
  TallyBlock *block = data;

  if (block != NULL && g_atomic_ref_count_dec (&block->references))
    g_free (block);
}
