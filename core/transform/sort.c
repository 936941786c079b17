/* sort: all rows in order, as PostgreSQL's ORDER BY with the locale C puts them
 *
 * Rows with equal keys stay as they came.
 */
#include "kinds.h"
#include "record/batch-private.h"
#include "row-image.h"
#include "sort-order.h"
#include "sorter.h"

typedef struct
{
  TallyStep base;
  GArray *order;       /* (owned) (element-type TallySortColumn) */
  gint *all;           /* (owned) each column of the rows */
  guint n_columns;
  GByteArray *key, *row; /* (owned) scratch */
  TallySorter *sorter; /* (owned) (nullable) from open to close */
} SortStep;

static gboolean
sort_open (TallyStep *step, TallyContext *ctx, GError **error)
{
  ((SortStep *)step)->sorter = tally_sorter_new (TALLY_STEP_MEMORY);
  return TRUE;
}

static void
sort_close (TallyStep *step)
{
  g_clear_pointer (&((SortStep *)step)->sorter, tally_sorter_free);
}

static gboolean
add_row (SortStep *sort, const TallyBatch *batch, guint row, GError **error)
{
  g_byte_array_set_size (sort->key, 0);
  g_byte_array_set_size (sort->row, 0);
  tally_sort_order_append (sort->order, batch, row, sort->key);
  tally_row_image_append (batch, row, sort->all, sort->n_columns, /* with_origin= */ TRUE, sort->row);
  return tally_sorter_add (sort->sorter, sort->key, sort->row, error);
}

static TallyFlow
sort_apply (TallyStep *step, TallyBatch *batch, GError **error)
{
  for (guint row = 0; row < tally_batch_n_rows (batch); row++)
    if (!add_row ((SortStep *)step, batch, row, error))
      return TALLY_FLOW_FATAL;

  step->n_held += tally_batch_n_rows (batch);
  tally_batch_withhold (batch);
  return TALLY_FLOW_OK;
}

static TallyFlow
sort_drain (TallyStep *step, TallyBatch *batch, GError **error)
{
  SortStep *sort = (SortStep *)step;

  while (!tally_step_has_filled (batch))
    {
      TallyText key, row;

      if (!tally_sorter_next (sort->sorter, &key, &row, error))
        return TALLY_FLOW_FATAL;
      if (row.data == NULL)
        return TALLY_FLOW_END;
      if (!tally_row_image_read ((const guint8 *)row.data, row.length, batch,
                                 tally_batch_bring_back (batch), sort->all, sort->n_columns,
                                 /* with_origin= */ TRUE, error))
        return TALLY_FLOW_FATAL;
      step->n_held--;
    }
  return TALLY_FLOW_OK;
}

static void
sort_clear (TallyStep *step)
{
  SortStep *sort = (SortStep *)step;

  tally_sorter_free (sort->sorter);
  g_array_unref (sort->order);
  g_byte_array_unref (sort->key);
  g_byte_array_unref (sort->row);
  g_free (sort->all);
}

static TallyStep *
sort_build (const TallyStepArgument *arguments, guint n_arguments, TallySchema *schema,
            GPtrArray *complaints)
{
  guint n_before = complaints->len;
  g_autoptr (GArray) order = tally_sort_order_read (complaints, arguments, 0, n_arguments, schema, "The step gets");
  SortStep *sort;

  if (n_arguments == 0)
    tally_step_complain_of_all (complaints, "\"sort\" names no column",
                                "name those that say the order: sort: [created, id DESC]");
  if (complaints->len > n_before)
    return NULL;

  sort = tally_step_new (sizeof (SortStep), tally_step_sort.name, schema);
  sort->order = g_steal_pointer (&order);
  sort->n_columns = tally_schema_n_columns (schema);
  sort->all = g_new (gint, sort->n_columns);
  for (guint i = 0; i < sort->n_columns; i++)
    sort->all[i] = (gint)i;
  sort->key = g_byte_array_new ();
  sort->row = g_byte_array_new ();
  sort->base.open = sort_open;
  sort->base.close = sort_close;
  sort->base.apply = sort_apply;
  sort->base.drain = sort_drain;
  sort->base.clear = sort_clear;
  return &sort->base;
}

const TallyStepKind tally_step_sort = {
  .name = "sort",
  .summary = "puts all rows in order, as ORDER BY does: sort: [created, id DESC]",
  .form = TALLY_STEP_LIST,
  .keeps_columns = TRUE,
  .keeps_state = TRUE,
  .build = sort_build,
};
