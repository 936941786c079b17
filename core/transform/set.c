/* set: adds columns or replaces them; all expressions see the row as it came into the step */
#include "kinds.h"
#include "step-private.h"
#include <string.h>

typedef struct
{
  TallyStep base;
  TallyAssignments *assignments; /* (owned) */
} SetStep;

static TallyFlow
set_apply (TallyStep *step, TallyBatch *batch, GError **error)
{
  tally_assignments_apply (((SetStep *) step)->assignments, batch, step->schema);
  return TALLY_FLOW_OK;
}

static void
set_clear (TallyStep *step)
{
  tally_assignments_free (((SetStep *) step)->assignments);
}

static TallyStep *
step_for (TallyAssignments *assignments, const TallyStepKind *kind, TallySchema *schema)
{
  g_autoptr (TallySchema) out = tally_assignments_finish (assignments, schema);
  SetStep *step = tally_step_new (sizeof (SetStep), kind->name, out);

  step->assignments = assignments;
  step->base.apply = set_apply;
  step->base.clear = set_clear;
  return &step->base;
}

static TallyStep *
set_build (const TallyStepArgument *arguments, guint n_arguments, TallySchema *schema,
           GPtrArray *complaints)
{
  TallyAssignments *assignments = tally_assignments_new ();
  g_autofree gboolean *changing = g_new0 (gboolean, n_arguments + 1);
  guint n_before = complaints->len;
  TallyStep *step;

  for (guint i = 0; i < n_arguments; i++)
    {
      TallyComplaint *complaint = NULL;
      TallyExpression *expression
          = tally_expression_compile (arguments[i].value, schema, &complaint);

      if (expression == NULL)
        {
          tally_step_take_complaint (complaints, i, arguments, 0, complaint);
          continue;
        }
      changing[i] = tally_expression_is_volatile (expression);
      tally_assignments_add (assignments, arguments[i].name, expression);
    }
  if (complaints->len > n_before)
    {
      tally_assignments_free (assignments);
      return NULL;
    }

  step = step_for (assignments, &tally_step_set, schema);
  for (guint i = 0; i < n_arguments; i++)
    if (changing[i])
      tally_step_warn (step, "\"%s\" gets another value with each run", arguments[i].name);
  return step;
}

const TallyStepKind tally_step_set = {
  .name = "set",
  .summary = "adds columns or replaces them: set: { subject: trim(subject) }",
  .form = TALLY_STEP_MAP,
  .build = set_build,
};

/* ---- cast: the same, with an expression made for each column ---- */

/* A type's name, with its modifiers if it has some, and nothing else that would be an expression.
 */
static gboolean
is_type (const char *text)
{
  for (const char *at = text; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && *at != ' ' && *at != '_' && *at != ',' && *at != '('
        && *at != ')')
      return FALSE;

  return g_ascii_isalpha (*text);
}

static TallyExpression *
compile_cast (const TallyStepArgument *arguments, guint argument, TallySchema *schema,
              GPtrArray *complaints)
{
  const TallyStepArgument *wish = &arguments[argument];
  g_autofree char *prefix = tally_step_cast_prefix (wish->name);
  g_autofree char *text = g_strconcat (prefix, wish->value, NULL);
  g_autofree char *message = NULL;
  TallyComplaint *complaint = NULL;
  TallyExpression *expression;

  if (tally_step_find_column (complaints, arguments, argument, /* in_name= */ TRUE, schema) < 0)
    return NULL;
  if (!is_type (wish->value))
    {
      message = g_strdup_printf ("\"%s\" is no type", wish->value);
      tally_step_complain (complaints, arguments, argument, /* in_name= */ FALSE, message, NULL);
      return NULL;
    }

  expression = tally_expression_compile (text, schema, &complaint);
  if (expression == NULL)
    tally_step_take_complaint (complaints, argument, arguments, strlen (prefix), complaint);
  return expression;
}

static TallyStep *
cast_build (const TallyStepArgument *arguments, guint n_arguments, TallySchema *schema,
            GPtrArray *complaints)
{
  TallyAssignments *assignments = tally_assignments_new ();
  guint n_before = complaints->len;

  for (guint i = 0; i < n_arguments; i++)
    {
      TallyExpression *expression = compile_cast (arguments, i, schema, complaints);

      if (expression != NULL)
        tally_assignments_add (assignments, arguments[i].name, expression);
    }
  if (complaints->len == n_before)
    return step_for (assignments, &tally_step_cast, schema);

  tally_assignments_free (assignments);
  return NULL;
}

const TallyStepKind tally_step_cast = {
  .name = "cast",
  .summary
  = "gives columns another type, and rejects a row whose value has no such form: cast: { id: bigint }",
  .form = TALLY_STEP_MAP,
  .build = cast_build,
};
