/* step.c: the table of steps and what they have in common */
#include "kinds.h"
#include "record/batch-private.h"
#include "record/bitmap.h"
#include "step-private.h"
#include <string.h>

#define MAX_BATCH_BYTES (16 * 1024 * 1024)

static const TallyStepKind *const kinds[] = {
  &tally_step_filter, &tally_step_set,   &tally_step_rename,
  &tally_step_keep,   &tally_step_drop,  &tally_step_cast,
  &tally_step_assert, &tally_step_limit, &tally_step_sample,
  &tally_step_unnest, &tally_step_distinct, &tally_step_sort, &tally_step_group,
  &tally_step_thread,
  &tally_step_lookup, NULL,
};

const TallyStepKind *const *
tally_step_kinds (void)
{
  return kinds;
}

const TallyStepKind *
tally_step_find (const char *name)
{
  for (guint i = 0; kinds[i] != NULL; i++)
    if (strcmp (kinds[i]->name, name) == 0)
      return kinds[i];

  return NULL;
}

/* ---- A step ---- */

gpointer
tally_step_new (gsize size, const char *name, TallySchema *schema)
{
  TallyStep *step = g_malloc0 (size);

  step->name = name;
  step->schema = tally_schema_ref (schema);
  return step;
}

void
tally_step_free (TallyStep *step)
{
  if (step == NULL)
    return;

  if (step->clear != NULL)
    step->clear (step);
  g_clear_pointer (&step->warnings, g_ptr_array_unref);
  tally_schema_unref (step->schema);
  g_free (step);
}

void
tally_step_warn (TallyStep *step, const char *format, ...)
{
  va_list arguments;

  if (step->warnings == NULL)
    step->warnings = g_ptr_array_new_with_free_func (g_free);
  va_start (arguments, format);
  g_ptr_array_add (step->warnings, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

const char *
tally_step_name (const TallyStep *step)
{
  return step->name;
}

TallySchema *
tally_step_schema (const TallyStep *step)
{
  return step->schema;
}

gboolean
tally_step_open (TallyStep *step, TallyContext *ctx, GError **error)
{
  step->n_held = 0;
  return step->open == NULL || step->open (step, ctx, error);
}

void
tally_step_close (TallyStep *step)
{
  if (step->close != NULL)
    step->close (step);
}

TallyFlow
tally_step_prepare (TallyStep *step, TallyReferences *references, GArray *rejects, GError **error)
{
  return step->prepare == NULL ? TALLY_FLOW_END : step->prepare (step, references, rejects, error);
}

void
tally_step_interrupt (TallyStep *step)
{
  if (step->interrupt != NULL)
    step->interrupt (step);
}

TallyFlow
tally_step_apply (TallyStep *step, TallyBatch *batch, GError **error)
{
  return step->apply (step, batch, error);
}

gboolean
tally_step_holds_rows (const TallyStep *step)
{
  return step->drain != NULL;
}

TallyFlow
tally_step_drain (TallyStep *step, TallyBatch *batch, GError **error)
{
  return step->drain (step, batch, error);
}

gboolean
tally_step_has_filled (const TallyBatch *batch)
{
  return tally_batch_n_rows (batch) == tally_batch_capacity (batch)
         || tally_batch_held (batch) >= MAX_BATCH_BYTES;
}

guint64
tally_step_n_held (const TallyStep *step)
{
  return step->n_held;
}

const GPtrArray *
tally_step_warnings (const TallyStep *step)
{
  return step->warnings;
}

/* ---- Complaints ---- */

static void
add_complaint (GPtrArray *complaints, guint argument, gboolean in_name, TallyComplaint *complaint)
{
  TallyStepComplaint *whole = g_new (TallyStepComplaint, 1);

  *whole = (TallyStepComplaint) { .argument = argument, .in_name = in_name, .complaint = complaint };
  g_ptr_array_add (complaints, whole);
}

void
tally_step_complain (GPtrArray *complaints, const TallyStepArgument *arguments, guint argument,
                     gboolean in_name, const char *message, const char *hint)
{
  const char *text = in_name ? arguments[argument].name : arguments[argument].value;
  TallyComplaint *complaint = g_new (TallyComplaint, 1);

  *complaint = (TallyComplaint) { .message = g_strdup (message),
                                 .hint = g_strdup (hint),
                                 .length = MAX (strlen (text), 1) };
  add_complaint (complaints, argument, in_name, complaint);
}

void
tally_step_complain_of_all (GPtrArray *complaints, const char *message, const char *hint)
{
  TallyComplaint *complaint = g_new (TallyComplaint, 1);

  *complaint = (TallyComplaint) { .message = g_strdup (message), .hint = g_strdup (hint) };
  add_complaint (complaints, G_MAXUINT, /* in_name= */ FALSE, complaint);
}

void
tally_step_take_complaint (GPtrArray *complaints, guint argument,
                           const TallyStepArgument *arguments, gsize prefix,
                           TallyComplaint *complaint)
{
  gsize size = strlen (arguments[argument].value);

  complaint->offset = complaint->offset > prefix ? MIN (complaint->offset - prefix, size) : 0;
  complaint->length = MAX (MIN (complaint->length, size - complaint->offset), 1);
  add_complaint (complaints, argument, /* in_name= */ FALSE, complaint);
}

char *
tally_step_cast_prefix (const char *column)
{
  g_autoptr (GString) prefix = g_string_new ("\"");

  for (const char *at = column; *at != '\0'; at++)
    g_string_append_printf (prefix, *at == '"' ? "\"%c" : "%c", *at);
  g_string_append (prefix, "\"::");
  return g_string_free (g_steal_pointer (&prefix), FALSE);
}

gint
tally_step_find_column (GPtrArray *complaints, const TallyStepArgument *arguments, guint argument,
                        gboolean in_name, TallySchema *schema)
{
  return tally_step_find_column_in (complaints, arguments, argument, in_name, schema, "The step gets");
}

gint
tally_step_find_column_in (GPtrArray *complaints, const TallyStepArgument *arguments,
                           guint argument, gboolean in_name, TallySchema *schema, const char *who)
{
  const char *name = in_name ? arguments[argument].name : arguments[argument].value;
  gint column = tally_schema_find (schema, name);
  g_autofree char *message = NULL;
  g_autoptr (GString) hint = NULL;
  const char *nearest;

  if (column >= 0)
    return column;

  message = g_strdup_printf ("column \"%s\" does not exist", name);
  nearest = tally_schema_nearest (schema, name);
  hint = g_string_new (NULL);
  if (nearest != NULL)
    g_string_append_printf (hint, "did you mean \"%s\"? ", nearest);
  g_string_append_printf (hint, "%s:", who);
  for (guint i = 0; i < MIN (tally_schema_n_columns (schema), 12); i++)
    g_string_append_printf (hint, "%s %s", i > 0 ? "," : "", tally_schema_column (schema, i)->name);
  if (tally_schema_n_columns (schema) > 12)
    g_string_append (hint, ", …");
  tally_step_complain (complaints, arguments, argument, in_name, message, hint->str);
  return -1;
}

gint *
tally_step_find_columns (GPtrArray *complaints, const TallyStepArgument *arguments, guint n_arguments,
                         TallySchema *schema)
{
  g_autofree gint *columns = g_new (gint, MAX (n_arguments, 1));
  g_autofree gboolean *named = g_new0 (gboolean, tally_schema_n_columns (schema) + 1);
  guint n_before = complaints->len;

  for (guint i = 0; i < n_arguments; i++)
    {
      g_autofree char *message = NULL;

      columns[i] = tally_step_find_column (complaints, arguments, i, /* in_name= */ FALSE, schema);
      if (columns[i] < 0)
        continue;
      if (named[columns[i]])
        {
          message = g_strdup_printf ("column \"%s\" is named twice", arguments[i].value);
          tally_step_complain (complaints, arguments, i, /* in_name= */ FALSE, message, NULL);
        }
      named[columns[i]] = TRUE;
    }
  return complaints->len == n_before ? g_steal_pointer (&columns) : NULL;
}

TallyExpression *
tally_step_compile_condition (GPtrArray *complaints, const TallyStepArgument *arguments,
                              guint argument, gboolean in_name, TallySchema *schema)
{
  const char *text = in_name ? arguments[argument].name : arguments[argument].value;
  TallyComplaint *complaint = NULL;
  g_autoptr (TallyExpression) expression = tally_expression_compile (text, schema, &complaint);
  g_autofree char *message = NULL;

  if (expression == NULL)
    {
      add_complaint (complaints, argument, in_name, complaint);
      return NULL;
    }
  if (tally_expression_type (expression) == TALLY_TYPE_BOOLEAN)
    return g_steal_pointer (&expression);

  message = g_strdup_printf ("a condition must be boolean, and this is %s",
                             tally_type_name (tally_expression_type (expression)));
  tally_step_complain (complaints, arguments, argument, in_name, message,
                       "compare it, for example with = or IS NOT NULL");
  return NULL;
}

/* ---- Scratch ---- */

void
tally_scratch_prepare (TallyScratch *scratch, TallyType type, guint capacity)
{
  if (scratch->capacity < capacity)
    {
      scratch->vector = g_realloc_n (scratch->vector, capacity, tally_type_size (type));
      scratch->validity = g_renew (guint64, scratch->validity, tally_bitmap_words (capacity));
      scratch->capacity = capacity;
    }
  memset (scratch->validity, 0, tally_bitmap_words (capacity) * sizeof (guint64));
}

void
tally_scratch_clear (TallyScratch *scratch)
{
  g_clear_pointer (&scratch->vector, g_free);
  g_clear_pointer (&scratch->validity, g_free);
  scratch->capacity = 0;
}

const guint64 *
tally_scratch_evaluate (TallyScratch *scratch, TallyExpression *expression, TallyBatch *batch)
{
  guint n_rows = tally_batch_n_rows (batch);
  const guint8 *values;

  tally_scratch_prepare (scratch, TALLY_TYPE_BOOLEAN, tally_batch_capacity (batch));
  tally_expression_evaluate (expression, batch, scratch->vector, scratch->validity);
  values = scratch->vector;
  /* NULL is not true. */
  for (guint row = tally_bitmap_next (scratch->validity, 0, n_rows); row < n_rows;
       row = tally_bitmap_next (scratch->validity, row + 1, n_rows))
    if (!values[row])
      tally_bitmap_clear (scratch->validity, row);
  return scratch->validity;
}
