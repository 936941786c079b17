/* test_batch.c: what rows keep when others are taken out of their batch */
#include "promise.h"
#include "record/batch-private.h"
#include "record/bitmap.h"

/* Whether a column has a value in a row: always, never, but for one row in the middle, or as it comes. */
enum
{
  FULL,
  EMPTY,
  ONE_NULL,
  SCATTERED,
  N_COLUMNS,
};

static gboolean
has_value (guint column, guint row, guint n_rows)
{
  return column == FULL || (column == ONE_NULL && row != n_rows / 2) || (column == SCATTERED && row * row % 7 > 1);
}

static TallyBatch *
batch_of (guint n_rows)
{
  static const TallyColumn columns[N_COLUMNS] = {
    { "full", TALLY_TYPE_BIGINT }, { "empty", TALLY_TYPE_DATE }, { "one null", TALLY_TYPE_BOOLEAN }, { "scattered", TALLY_TYPE_BIGINT }
  };
  g_autoptr (TallySchema) schema = tally_schema_new (columns, N_COLUMNS);
  TallyBatch *batch = tally_batch_new (schema, 300);

  for (guint row = 0; row < n_rows; row++)
    {
      tally_batch_set_row_number (batch, tally_batch_add_row (batch), row);
      for (guint column = 0; column < N_COLUMNS; column++)
        if (has_value (column, row, n_rows) && column == ONE_NULL)
          tally_batch_set_boolean (batch, column, row % 2);
        else if (has_value (column, row, n_rows))
          tally_batch_set_int (batch, column, row);
    }
  return batch;
}

static void
expect_row (const TallyBatch *batch, guint place, guint row, guint n_rows)
{
  g_autofree char *label = g_strdup_printf ("row %u of %u", row, n_rows);

  assert_row_int (label, tally_batch_row_number (batch, place), row);
  for (guint column = 0; column < N_COLUMNS; column++)
    {
      assert_row_int (label, !tally_batch_is_null (batch, place, column), has_value (column, row, n_rows));
      if (has_value (column, row, n_rows))
        assert_row_int (label, tally_batch_get_int (batch, place, column), column == ONE_NULL ? row % 2 : row);
    }
}

static void
test_rows_that_stay_are_as_they_were (void)
{
  static const guint sizes[] = { 1, 2, 63, 64, 65, 127, 128, 200 };

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (guint every = 1; every < 5; every++)
      {
        g_autoptr (TallyBatch) batch = batch_of (sizes[s]);
        g_autofree guint64 *keep = g_new0 (guint64, tally_bitmap_words (sizes[s]));
        guint place = 0;

        for (guint row = 0; row < sizes[s]; row += every)
          tally_bitmap_set (keep, row);
        tally_batch_retain (batch, keep);
        for (guint row = 0; row < sizes[s]; row += every)
          expect_row (batch, place++, row, sizes[s]);
        assert_int (tally_batch_n_rows (batch), place);
        assert_int (tally_batch_n_filtered (batch), sizes[s] - place);

        /* A row that is added where others stood has nothing of theirs. */
        tally_batch_add_row (batch);
        for (guint column = 0; column < N_COLUMNS; column++)
          assert_true (tally_batch_is_null (batch, place, column));
      }
}

static const Promise promises[] = {
  { "rows that stay are as they were", test_rows_that_stay_are_as_they_were },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("batch", promises, argc, argv);
}
