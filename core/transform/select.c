/* select.c: keep, drop and rename: which columns go on, in which order, under which name */
#include "kinds.h"
#include "record/batch-private.h"
#include "step-private.h"
#include <string.h>

typedef struct
{
  TallyStep base;
  gint *from; /* (owned) by new column: the old one */
} SelectStep;

static TallyFlow
select_apply (TallyStep *step, TallyBatch *batch, GError **error)
{
  tally_batch_rearrange (batch, step->schema, ((SelectStep *) step)->from);
  return TALLY_FLOW_OK;
}

static void
select_clear (TallyStep *step)
{
  g_free (((SelectStep *) step)->from);
}

static TallyStep *
select_new (const TallyStepKind *kind, const GArray *columns, const GArray *from)
{
  g_autoptr (TallySchema) schema
      = tally_schema_new ((const TallyColumn *) (gpointer) columns->data, columns->len);
  SelectStep *step = tally_step_new (sizeof (SelectStep), kind->name, schema);

  step->from = g_memdup2 (from->data, from->len * sizeof (gint));
  step->base.apply = select_apply;
  step->base.clear = select_clear;
  return &step->base;
}

/* The argument that names column, or -1. */
static gint
find_argument (const gint *columns, guint n_arguments, gint column)
{
  for (guint i = 0; i < n_arguments; i++)
    if (columns[i] == column)
      return i;

  return -1;
}

/* Passes columns under the names that they have. */
static TallyStep *
pass_columns (const TallyStepKind *kind, TallySchema *schema, const GArray *from)
{
  g_autoptr (GArray) kept = g_array_new (FALSE, FALSE, sizeof (TallyColumn));

  for (guint i = 0; i < from->len; i++)
    g_array_append_val (kept, *tally_schema_column (schema, g_array_index (from, gint, i)));
  return select_new (kind, kept, from);
}

static TallyStep *
keep_build (const TallyStepArgument *arguments, guint n_arguments, TallySchema *schema,
            GPtrArray *complaints)
{
  g_autofree gint *columns = tally_step_find_columns (complaints, arguments, n_arguments, schema);
  g_autoptr (GArray) from = g_array_new (FALSE, FALSE, sizeof (gint));

  if (columns == NULL)
    return NULL;

  g_array_append_vals (from, columns, n_arguments);
  return pass_columns (&tally_step_keep, schema, from);
}

static TallyStep *
drop_build (const TallyStepArgument *arguments, guint n_arguments, TallySchema *schema,
            GPtrArray *complaints)
{
  g_autofree gint *columns = tally_step_find_columns (complaints, arguments, n_arguments, schema);
  g_autoptr (GArray) from = g_array_new (FALSE, FALSE, sizeof (gint));

  if (columns == NULL)
    return NULL;

  for (gint column = 0; column < (gint) tally_schema_n_columns (schema); column++)
    if (find_argument (columns, n_arguments, column) < 0)
      g_array_append_val (from, column);
  return pass_columns (&tally_step_drop, schema, from);
}

/* A new name that another column has already, or gets as well. */
static void
complain_of_clashes (const TallyStepArgument *arguments, guint n_arguments, const gint *columns,
                     TallySchema *schema, GPtrArray *complaints)
{
  for (guint i = 0; i < n_arguments; i++)
    {
      gint holder = tally_schema_find (schema, arguments[i].name);
      gboolean clash = holder >= 0 && find_argument (columns, n_arguments, holder) < 0;
      g_autofree char *message
          = g_strdup_printf ("there is a column \"%s\" already", arguments[i].name);

      for (guint j = 0; j < i; j++)
        clash = clash || strcmp (arguments[i].name, arguments[j].name) == 0;
      if (clash)
        tally_step_complain (complaints, arguments, i, /* in_name= */ TRUE, message,
                             "drop that one first");
    }
}

static TallyStep *
rename_build (const TallyStepArgument *arguments, guint n_arguments, TallySchema *schema,
              GPtrArray *complaints)
{
  g_autofree gint *columns = tally_step_find_columns (complaints, arguments, n_arguments, schema);
  g_autoptr (GArray) renamed = g_array_new (FALSE, FALSE, sizeof (TallyColumn));
  g_autoptr (GArray) from = g_array_new (FALSE, FALSE, sizeof (gint));
  guint n_before = complaints->len;

  if (columns == NULL)
    return NULL;
  complain_of_clashes (arguments, n_arguments, columns, schema, complaints);
  if (complaints->len > n_before)
    return NULL;

  for (gint column = 0; column < (gint) tally_schema_n_columns (schema); column++)
    {
      TallyColumn copy = *tally_schema_column (schema, column);
      gint argument = find_argument (columns, n_arguments, column);

      if (argument >= 0)
        copy.name = arguments[argument].name;
      g_array_append_val (renamed, copy);
      g_array_append_val (from, column);
    }
  return select_new (&tally_step_rename, renamed, from);
}

const TallyStepKind tally_step_keep = {
  .name = "keep",
  .summary = "passes the columns of a list only, in its order: keep: [id, subject]",
  .form = TALLY_STEP_LIST,
  .build = keep_build,
};

const TallyStepKind tally_step_drop = {
  .name = "drop",
  .summary = "takes the columns of a list away: drop: [internal_note]",
  .form = TALLY_STEP_LIST,
  .build = drop_build,
};

const TallyStepKind tally_step_rename = {
  .name = "rename",
  .summary = "gives columns other names, new: old: rename: { subject: title }",
  .form = TALLY_STEP_MAP,
  .build = rename_build,
};
