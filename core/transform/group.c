/* group: one row for each group of rows, as with PostgreSQL's GROUP BY
 *
 * A column is a key, which may be any expression, or one call of a function over the group's rows.  The rows are sorted by
 * their keys, and those that stand together are a group: however many rows or groups there are, one group is at work at a
 * time.
 */
#include "aggregate.h"
#include "expression/split-call.h"
#include "kinds.h"
#include "record/batch-private.h"
#include "row-image.h"
#include "sort-key.h"
#include "sorter.h"
#include "step-private.h"
#include <string.h>

/* A column that leaves the step. */
typedef struct
{
  TallyAggregate *aggregate; /* (owned) (nullable) NULL for a key */
  guint from;                /* the key, or the first argument, among the columns that are worked out */
} GroupColumn;

typedef struct
{
  TallyStep base;
  GArray *columns;               /* (owned) (element-type GroupColumn) */
  TallyAssignments *assignments; /* (owned) keys and arguments */
  TallySchema *parts;            /* (owned) the columns that they make */
  GArray *key_parts, *key_columns; /* (owned) (element-type gint) where keys stand, in parts and in what leaves */
  GArray *all;                   /* (owned) (element-type gint) each part */
  GByteArray *key, *bytes;       /* (owned) scratch */
  TallySorter *sorter;           /* (owned) (nullable) from open to close */
  TallyBatch *row;               /* (owned) (nullable) the row that was read last */
  TallyText row_key;             /* its key; data is NULL after the last row */
  gboolean is_begun;             /* rows are read */
  gint interrupted;              /* atomic */
} GroupStep;

static gboolean
group_open (TallyStep *step, TallyContext *ctx, GError **error)
{
  GroupStep *group = (GroupStep *)step;

  group->sorter = tally_sorter_new (TALLY_STEP_MEMORY);
  group->row = tally_batch_new (group->parts, 1);
  group->is_begun = FALSE;
  g_atomic_int_set (&group->interrupted, FALSE);
  return TRUE;
}

static void
group_close (TallyStep *step)
{
  GroupStep *group = (GroupStep *)step;

  g_clear_pointer (&group->sorter, tally_sorter_free);
  g_clear_pointer (&group->row, tally_batch_free);
}

static void
group_interrupt (TallyStep *step)
{
  g_atomic_int_set (&((GroupStep *)step)->interrupted, TRUE);
}

static const gint *
indexes (const GArray *list)
{
  return (const gint *)(gpointer)list->data;
}

/* ---- Rows come ---- */

static gboolean
add_row (GroupStep *group, const TallyBatch *batch, guint row, GError **error)
{
  /* Without keys all rows have one key, and no key is empty. */
  g_byte_array_set_size (group->key, 1);
  group->key->data[0] = 0;
  g_byte_array_set_size (group->bytes, 0);
  for (guint i = 0; i < group->key_parts->len; i++)
    tally_sort_key_append_column (batch, row, (guint)indexes (group->key_parts)[i], 0, group->key);
  tally_row_image_append (batch, row, indexes (group->all), group->all->len, /* with_origin= */ TRUE,
                          group->bytes);
  return tally_sorter_add (group->sorter, group->key, group->bytes, error);
}

static TallyFlow
group_apply (TallyStep *step, TallyBatch *batch, GError **error)
{
  GroupStep *group = (GroupStep *)step;

  tally_assignments_apply (group->assignments, batch, group->parts);
  tally_batch_end_stage (batch);
  for (guint row = 0; row < tally_batch_n_rows (batch); row++)
    if (!add_row (group, batch, row, error))
      return TALLY_FLOW_FATAL;

  step->n_held += tally_batch_n_rows (batch);
  tally_batch_withhold (batch);
  tally_batch_give_columns (batch, step->schema);
  return TALLY_FLOW_OK;
}

/* ---- Groups go ---- */

static gboolean
read_row (GroupStep *group, GError **error)
{
  TallyText row;

  if (g_atomic_int_get (&group->interrupted))
    return tally_throw (error, TALLY_ERROR_INTERRUPTED, "stopped");
  if (!tally_sorter_next (group->sorter, &group->row_key, &row, error))
    return FALSE;

  tally_batch_clear (group->row);
  return row.data == NULL
         || tally_row_image_read ((const guint8 *)row.data, row.length, group->row,
                                  tally_batch_add_row (group->row), indexes (group->all),
                                  group->all->len, /* with_origin= */ TRUE, error);
}

/* Adds the group's row, with the keys of its first one and with the place that this came from. */
static gboolean
begin_group (GroupStep *group, TallyBatch *out, GError **error)
{
  for (guint i = 0; i < group->columns->len; i++)
    {
      GroupColumn *column = &g_array_index (group->columns, GroupColumn, i);

      if (column->aggregate != NULL)
        tally_aggregate_begin (column->aggregate);
    }
  g_byte_array_set_size (group->bytes, 0);
  tally_row_image_append (group->row, 0, indexes (group->key_parts), group->key_parts->len,
                          /* with_origin= */ TRUE, group->bytes);
  return tally_row_image_read (group->bytes->data, group->bytes->len, out, tally_batch_bring_back (out),
                               indexes (group->key_columns), group->key_columns->len,
                               /* with_origin= */ TRUE, error);
}

static void
add_to_group (GroupStep *group)
{
  for (guint i = 0; i < group->columns->len; i++)
    {
      GroupColumn *column = &g_array_index (group->columns, GroupColumn, i);

      if (column->aggregate != NULL)
        tally_aggregate_add (column->aggregate, group->row, 0, column->from);
    }
}

/* A group whose values cannot be worked out is rejected as a row. */
static void
end_group (GroupStep *group, TallyBatch *out)
{
  g_autofree char *reason = NULL;

  for (guint i = 0; i < group->columns->len; i++)
    {
      GroupColumn *column = &g_array_index (group->columns, GroupColumn, i);
      g_autoptr (GError) error = NULL;

      if (column->aggregate != NULL && !tally_aggregate_end (column->aggregate, out, i, &error)
          && reason == NULL)
        reason = g_strdup_printf ("column \"%s\": %s",
                                  tally_schema_column (group->base.schema, i)->name, error->message);
    }
  if (reason != NULL)
    tally_batch_reject (out, tally_batch_n_rows (out) - 1, reason);
}

static gboolean
is_same_key (const GroupStep *group)
{
  return group->row_key.data != NULL && group->row_key.length == group->key->len
         && memcmp (group->row_key.data, group->key->data, group->key->len) == 0;
}

/* Makes a row of the rows that have the key of the one that was read last. */
static gboolean
take_group (GroupStep *group, TallyBatch *out, GError **error)
{
  guint64 n = 0;

  g_byte_array_set_size (group->key, 0);
  g_byte_array_append (group->key, (const guint8 *)group->row_key.data, (guint)group->row_key.length);
  if (!begin_group (group, out, error))
    return FALSE;
  do
    {
      add_to_group (group);
      n++;
      if (!read_row (group, error))
        return FALSE;
    }
  while (is_same_key (group));
  end_group (group, out);
  group->base.n_held -= n;
  tally_batch_count_filtered (out, n - 1);
  return TRUE;
}

/* Without keys there is one row even where none came, as with PostgreSQL. */
static void
take_nothing (GroupStep *group, TallyBatch *out)
{
  tally_batch_bring_back (out);
  tally_batch_count_added (out, 1);
  for (guint i = 0; i < group->columns->len; i++)
    tally_aggregate_begin (g_array_index (group->columns, GroupColumn, i).aggregate);
  end_group (group, out);
}

static TallyFlow
group_drain (TallyStep *step, TallyBatch *batch, GError **error)
{
  GroupStep *group = (GroupStep *)step;

  if (!group->is_begun)
    {
      group->is_begun = TRUE;
      if (!read_row (group, error))
        return TALLY_FLOW_FATAL;
      if (group->row_key.data == NULL && group->key_parts->len == 0)
        take_nothing (group, batch);
    }
  while (group->row_key.data != NULL && !tally_step_has_filled (batch))
    if (!take_group (group, batch, error))
      return TALLY_FLOW_FATAL;
  return group->row_key.data != NULL ? TALLY_FLOW_OK : TALLY_FLOW_END;
}

/* ---- What it is told ---- */

static void
column_clear (gpointer data)
{
  tally_aggregate_free (((GroupColumn *)data)->aggregate);
}

static void
group_clear (TallyStep *step)
{
  GroupStep *group = (GroupStep *)step;

  group_close (step);
  g_array_unref (group->columns);
  tally_assignments_free (group->assignments);
  tally_schema_unref (group->parts);
  g_array_unref (group->key_parts);
  g_array_unref (group->key_columns);
  g_array_unref (group->all);
  g_byte_array_unref (group->key);
  g_byte_array_unref (group->bytes);
}

/* What is being built. */
typedef struct
{
  const TallyStepArgument *arguments;
  TallySchema *schema; /* (unowned) of the rows that come */
  GPtrArray *complaints;
  TallyAssignments *assignments;
  GArray *columns;   /* (element-type GroupColumn) */
  GArray *types;     /* (element-type TallyColumn) that leave */
  guint n_parts;
  gboolean is_changing; /* the argument at hand gets another value with each run */
} Plan;

/* Puts the offset of a part of an argument on what is said of that part. */
static void
complain_of_part (Plan *plan, guint argument, gsize offset, TallyComplaint *complaint)
{
  complaint->offset += offset;
  tally_step_take_complaint (plan->complaints, argument, plan->arguments, 0, complaint);
}

static gboolean
add_part (Plan *plan, guint argument, gsize offset, gsize length, TallyType *ret_type)
{
  g_autofree char *text = g_strndup (plan->arguments[argument].value + offset, length);
  g_autofree char *name = g_strdup_printf ("%u", plan->n_parts);
  TallyComplaint *complaint = NULL;
  TallyExpression *expression = tally_expression_compile (text, plan->schema, &complaint);

  if (expression == NULL)
    {
      if (complaint->hint == NULL && strstr (complaint->message, "over many rows") != NULL)
        complaint->hint = g_strdup ("here it stands alone, as in count(*); go on with its result in "
                                    "a \"set\" after this step");
      complain_of_part (plan, argument, offset, complaint);
      return FALSE;
    }
  plan->is_changing = plan->is_changing || tally_expression_is_volatile (expression);
  *ret_type = tally_expression_type (expression);
  tally_assignments_add (plan->assignments, name, expression);
  plan->n_parts++;
  return TRUE;
}

static gboolean
is_allowed (Plan *plan, guint argument, const TallySplitCall *call)
{
  const char *message = NULL, *hint = NULL;

  if (call->is_distinct)
    {
      message = "DISTINCT is not supported here";
      hint = "take one row of each with \"distinct\" before this step";
    }
  else if (call->is_star && strcmp (call->name, "count") != 0)
    message = "only count takes all of a row";
  else if (call->n_args > TALLY_SPLIT_MAX_ARGS)
    message = "there are too many arguments";
  if (message != NULL)
    tally_step_complain (plan->complaints, plan->arguments, argument, /* in_name= */ FALSE, message, hint);
  return message == NULL;
}

static gboolean
add_aggregate (Plan *plan, guint argument, const TallySplitCall *call, GroupColumn *column,
               TallyType *ret_type)
{
  TallyType types[TALLY_SPLIT_MAX_ARGS];
  guint n_types = call->is_star ? 0 : call->n_args;
  g_autofree char *message = NULL;

  if (!is_allowed (plan, argument, call))
    return FALSE;
  for (guint i = 0; i < n_types; i++)
    if (!add_part (plan, argument, call->args[i].offset, call->args[i].length, &types[i]))
      return FALSE;
  if (n_types == 0 && !call->is_star)
    message = g_strdup_printf ("%s() takes an argument, as in %s(x)", call->name, call->name);
  else
    column->aggregate = tally_aggregate_new (call->name, types, n_types, &message);
  if (column->aggregate == NULL)
    {
      tally_step_complain (plan->complaints, plan->arguments, argument, /* in_name= */ FALSE, message,
                           n_types > 0 ? "no function over many rows has this name and these types; a "
                                         "cast may help, as in x::numeric"
                                       : NULL);
      return FALSE;
    }
  *ret_type = tally_aggregate_type (column->aggregate);
  return TRUE;
}

static gboolean
add_column (Plan *plan, guint argument)
{
  const TallyStepArgument *wish = &plan->arguments[argument];
  GroupColumn column = { .from = plan->n_parts };
  TallyColumn type = { .name = wish->name };
  TallySplitCall call;

  plan->is_changing = FALSE;
  if (tally_split_call (wish->value, &call) && tally_aggregate_is_known (call.name))
    {
      if (!add_aggregate (plan, argument, &call, &column, &type.type))
        return FALSE;
    }
  else if (!add_part (plan, argument, 0, strlen (wish->value), &type.type))
    return FALSE;
  g_array_append_val (plan->columns, column);
  g_array_append_val (plan->types, type);
  return TRUE;
}

static GArray *
new_indexes (void)
{
  return g_array_new (FALSE, FALSE, sizeof (gint));
}

/* Makes the step of a plan without mistakes. */
static GroupStep *
carry_out (Plan *plan)
{
  g_autoptr (TallySchema) none = tally_schema_new (NULL, 0);
  g_autoptr (TallySchema) out
      = tally_schema_new ((const TallyColumn *)(gpointer)plan->types->data, plan->types->len);
  GroupStep *group = tally_step_new (sizeof (GroupStep), tally_step_group.name, out);

  group->columns = g_array_ref (plan->columns);
  group->assignments = g_steal_pointer (&plan->assignments);
  group->parts = tally_assignments_finish (group->assignments, none);
  group->key_parts = new_indexes ();
  group->key_columns = new_indexes ();
  group->all = new_indexes ();
  group->key = g_byte_array_new ();
  group->bytes = g_byte_array_new ();
  for (guint i = 0; i < plan->columns->len; i++)
    {
      const GroupColumn *column = &g_array_index (plan->columns, GroupColumn, i);

      if (column->aggregate != NULL)
        continue;
      g_array_append_val (group->key_parts, column->from);
      g_array_append_val (group->key_columns, i);
    }
  for (guint i = 0; i < plan->n_parts; i++)
    g_array_append_val (group->all, i);
  group->base.open = group_open;
  group->base.close = group_close;
  group->base.interrupt = group_interrupt;
  group->base.apply = group_apply;
  group->base.drain = group_drain;
  group->base.clear = group_clear;
  return group;
}

static TallyStep *
group_build (const TallyStepArgument *arguments, guint n_arguments, TallySchema *schema,
             GPtrArray *complaints)
{
  g_autoptr (GArray) columns = g_array_new (FALSE, FALSE, sizeof (GroupColumn));
  g_autoptr (GArray) types = g_array_new (FALSE, FALSE, sizeof (TallyColumn));
  g_autofree gboolean *changing = g_new0 (gboolean, n_arguments + 1);
  Plan plan = { .arguments = arguments,
                .schema = schema,
                .complaints = complaints,
                .assignments = tally_assignments_new (),
                .columns = columns,
                .types = types };
  gboolean good = n_arguments > 0;
  GroupStep *group = NULL;

  g_array_set_clear_func (columns, column_clear);
  if (n_arguments == 0)
    tally_step_complain_of_all (complaints, "\"group\" makes no column",
                                "name keys and counts: group: { status: status, n: count(*) }");
  for (guint i = 0; i < n_arguments; i++)
    {
      good = add_column (&plan, i) && good;
      changing[i] = plan.is_changing;
    }
  if (good)
    group = carry_out (&plan);
  tally_assignments_free (plan.assignments);
  for (guint i = 0; i < n_arguments && group != NULL; i++)
    if (changing[i])
      tally_step_warn (&group->base, "\"%s\" gets another value with each run", arguments[i].name);
  return group != NULL ? &group->base : NULL;
}

const TallyStepKind tally_step_group = {
  .name = "group",
  .summary = "makes a row of each group of rows, as GROUP BY does: group: { status: status, n: count(*) }",
  .form = TALLY_STEP_MAP,
  .keeps_state = TRUE,
  .build = group_build,
};
