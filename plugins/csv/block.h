/* block.h: a piece of the input that batches may point into */
#pragma once
#include "scan.h"

typedef struct
{
  gatomicrefcount references;
  gsize size; /* bytes of data, without the padding that a scan may read */
  guint8 data[];
} CsvBlock;

CsvBlock *csv_block_new (gsize size);
CsvBlock *csv_block_ref (CsvBlock *block);
void csv_block_unref (gpointer block);
