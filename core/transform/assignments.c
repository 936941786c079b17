/* assignments.c: columns that are worked out from the row as it came in
 *
 * All values are worked out into scratch first, and only then the columns are put in: an expression
 * may so read a column that another one replaces, and a rejected row shows what came in, not half
 * of what should have gone out.
 */
#include "record/batch-private.h"
#include "record/bitmap.h"
#include "step-private.h"
#include <string.h>

typedef struct
{
  char *name;                  /* (owned) */
  TallyExpression *expression; /* (owned) */
  TallyScratch scratch;
  guint column; /* of the schema that goes out */
} Assignment;

struct _TallyAssignments
{
  GArray *list; /* (owned) (element-type Assignment) */
  gint *from;   /* (owned) see tally_batch_rearrange() */
};

static void
assignment_clear (gpointer data)
{
  Assignment *assignment = data;

  g_free (assignment->name);
  tally_expression_free (assignment->expression);
  tally_scratch_clear (&assignment->scratch);
}

TallyAssignments *
tally_assignments_new (void)
{
  TallyAssignments *assignments = g_new0 (TallyAssignments, 1);

  assignments->list = g_array_new (FALSE, FALSE, sizeof (Assignment));
  g_array_set_clear_func (assignments->list, assignment_clear);
  return assignments;
}

void
tally_assignments_free (TallyAssignments *assignments)
{
  if (assignments == NULL)
    return;

  g_array_unref (assignments->list);
  g_free (assignments->from);
  g_free (assignments);
}

void
tally_assignments_add (TallyAssignments *assignments, const char *name, TallyExpression *expression)
{
  Assignment assignment = { .name = g_strdup (name), .expression = expression };

  g_array_append_val (assignments->list, assignment);
}

TallySchema *
tally_assignments_finish (TallyAssignments *assignments, TallySchema *schema)
{
  guint n_old = tally_schema_n_columns (schema), n_new = n_old;
  g_autofree TallyColumn *columns = g_new (TallyColumn, n_old + assignments->list->len);

  assignments->from = g_new (gint, n_old + assignments->list->len);
  for (guint i = 0; i < n_old; i++)
    {
      columns[i] = *tally_schema_column (schema, i);
      assignments->from[i] = i;
    }
  for (guint i = 0; i < assignments->list->len; i++)
    {
      Assignment *assignment = &g_array_index (assignments->list, Assignment, i);
      gint replaced = tally_schema_find (schema, assignment->name);

      assignment->column = replaced >= 0 ? (guint) replaced : n_new++;
      columns[assignment->column]
          = (TallyColumn) { .name = assignment->name,
                           .type = tally_expression_type (assignment->expression) };
      assignments->from[assignment->column] = -1;
    }
  return tally_schema_new (columns, n_new);
}

void
tally_assignments_apply (TallyAssignments *assignments, TallyBatch *batch, TallySchema *schema)
{
  guint n_rows = tally_batch_n_rows (batch), capacity = tally_batch_capacity (batch);

  for (guint i = 0; i < assignments->list->len; i++)
    {
      Assignment *assignment = &g_array_index (assignments->list, Assignment, i);

      tally_scratch_prepare (&assignment->scratch, tally_expression_type (assignment->expression),
                             capacity);
      tally_expression_evaluate (assignment->expression, batch, assignment->scratch.vector,
                                 assignment->scratch.validity);
    }

  tally_batch_rearrange (batch, schema, assignments->from);
  for (guint i = 0; i < assignments->list->len; i++)
    {
      const Assignment *assignment = &g_array_index (assignments->list, Assignment, i);

      if (n_rows == 0)
        break;
      memcpy (tally_batch_vector (batch, assignment->column), assignment->scratch.vector,
              n_rows * tally_type_size (tally_expression_type (assignment->expression)));
      memcpy (tally_batch_validity (batch, assignment->column), assignment->scratch.validity,
              tally_bitmap_words (n_rows) * sizeof (guint64));
    }
}
