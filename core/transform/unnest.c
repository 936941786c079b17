/* unnest: a row for each element of an array
 *
 * As with PostgreSQL's `FROM t, jsonb_array_elements (t.comments)` a row without elements goes, and
 * what is no array is an error, here of its row.  The batch grows in place: its position stays with
 * all that was made of its rows, so that a run that resumes makes neither too many nor too few of
 * them.
 */
#include "kinds.h"
#include "record/batch-private.h"
#include "record/jsonb.h"
#include "step-private.h"
#include <string.h>

/* A longer array than this is a mistake, and would be one row's share of the memory. */
#define MAX_ELEMENTS 65536
/* A few batches of this many rows wait between source and sink. */
#define MAX_ROWS (4 * MAX_ELEMENTS)

typedef struct
{
  TallyStep base;
  guint column;
  GArray *elements; /* (owned) (element-type TallyText) of all rows of a batch */
  GArray *times;    /* (owned) (element-type guint) by row: its elements */
} UnnestStep;

static const char *
column_name (const UnnestStep *unnest)
{
  return tally_schema_column (unnest->base.schema, unnest->column)->name;
}

/* Adds what is in a row's array.  Returns how many there are. */
static guint
collect_elements (UnnestStep *unnest, TallyText array)
{
  guint n_before = unnest->elements->len;
  TallyJsonbIter iter;
  TallyText element;

  tally_jsonb_iter_init (&iter, array);
  while (unnest->elements->len - n_before <= MAX_ELEMENTS
         && tally_jsonb_iter_next (&iter, NULL, &element))
    g_array_append_val (unnest->elements, element);
  return unnest->elements->len - n_before;
}

/* Collects a row's elements, or sets the row aside.  Returns how many rows are to be made of it. */
static guint
unnest_row (UnnestStep *unnest, TallyBatch *batch, guint row)
{
  g_autofree char *message = NULL;
  TallyText json;
  guint n;

  if (tally_batch_is_null (batch, row, unnest->column))
    return 0;

  json = tally_batch_get_text (batch, row, unnest->column);
  if (tally_jsonb_kind (json) != TALLY_JSONB_ARRAY)
    message = g_strdup_printf ("\"%s\" is no array, its type is %s", column_name (unnest),
                               tally_jsonb_typeof (json));
  else if ((n = collect_elements (unnest, json)) <= MAX_ELEMENTS)
    return n;
  else
    {
      message = g_strdup_printf ("\"%s\" has more than %u elements", column_name (unnest),
                                 MAX_ELEMENTS);
      g_array_set_size (unnest->elements, unnest->elements->len - n);
    }
  tally_batch_reject (batch, row, message);
  return 0;
}

static TallyFlow
unnest_apply (TallyStep *step, TallyBatch *batch, GError **error)
{
  UnnestStep *unnest = (UnnestStep *)step;

  g_array_set_size (unnest->elements, 0);
  g_array_set_size (unnest->times, 0);
  for (guint row = 0; row < tally_batch_n_rows (batch); row++)
    {
      guint n = unnest_row (unnest, batch, row);

      g_array_append_val (unnest->times, n);
      if (unnest->elements->len > MAX_ROWS)
        {
          tally_throw (error, TALLY_ERROR_LIMIT,
                       "more than %u rows would be made of the %u rows of one batch: run it with "
                       "fewer rows a batch, as with --batch-rows %u",
                       MAX_ROWS, tally_batch_n_rows (batch), MAX_ROWS / MAX_ELEMENTS);
          return TALLY_FLOW_FATAL;
        }
    }

  tally_batch_repeat (batch, (const guint *)(gpointer)unnest->times->data);
  if (unnest->elements->len > 0)
    memcpy (tally_batch_vector (batch, unnest->column), unnest->elements->data,
            unnest->elements->len * sizeof (TallyText));
  return TALLY_FLOW_OK;
}

static void
unnest_clear (TallyStep *step)
{
  UnnestStep *unnest = (UnnestStep *)step;

  g_array_unref (unnest->elements);
  g_array_unref (unnest->times);
}

static TallyStep *
unnest_build (const TallyStepArgument *arguments, guint n_arguments, TallySchema *schema,
              GPtrArray *complaints)
{
  g_autofree char *message = NULL;
  UnnestStep *unnest;
  TallyType type;
  gint column;

  if (n_arguments != 1)
    return NULL;
  column = tally_step_find_column (complaints, arguments, 0, /* in_name= */ FALSE, schema);
  if (column < 0)
    return NULL;
  type = tally_schema_column (schema, column)->type;
  if (type != TALLY_TYPE_JSONB)
    {
      message = g_strdup_printf ("\"unnest\" takes a column of type jsonb, and this is %s",
                                 tally_type_name (type));
      tally_step_complain (complaints, arguments, 0, /* in_name= */ FALSE, message,
                           "cast it first, or make an array of it with \"set\"");
      return NULL;
    }

  unnest = tally_step_new (sizeof (UnnestStep), tally_step_unnest.name, schema);
  unnest->column = column;
  unnest->elements = g_array_new (FALSE, FALSE, sizeof (TallyText));
  unnest->times = g_array_new (FALSE, FALSE, sizeof (guint));
  unnest->base.apply = unnest_apply;
  unnest->base.clear = unnest_clear;
  return &unnest->base;
}

const TallyStepKind tally_step_unnest = {
  .name = "unnest",
  .summary
  = "makes a row of each element of an array, and none where there is none: unnest: comments",
  .form = TALLY_STEP_SCALAR,
  .keeps_columns = TRUE,
  .build = unnest_build,
};
