/* block.c: counted, because a block lives as long as the last batch with a view into it */
#include "block.h"

CsvBlock *
csv_block_new (gsize size)
{
  CsvBlock *block = g_malloc (sizeof (CsvBlock) + size + CSV_WORD + 1);

  g_atomic_ref_count_init (&block->references);
  block->size = size;
  return block;
}

CsvBlock *
csv_block_ref (CsvBlock *block)
{
  g_atomic_ref_count_inc (&block->references);
  return block;
}

void
csv_block_unref (gpointer data)
{
  CsvBlock *block = data;

  if (block != NULL && g_atomic_ref_count_dec (&block->references))
    g_free (block);
}
