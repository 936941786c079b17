/* fold.c: what does not depend on a row is worked out once
 *
 * A term that turns out constant becomes one in place, so that whoever points to it sees it.  As in
 * PostgreSQL an error on the way is one of the whole expression, and branches that can never be
 * taken are not looked at.
 */
#include "term.h"
#include <string.h>

static void
become_constant (Term *term, const Value *value)
{
  if (term->free_data != NULL)
    term->free_data (term->data);
  term->free_data = NULL;
  term->kind = TERM_CONSTANT;
  term->is_null = value == NULL;
  if (value != NULL)
    term->constant = *value;
  term->values = &term->constant;
  term->step = 0;
  term->n_args = 0;
}

static void
become_boolean (Term *term, gboolean value)
{
  become_constant (term, &(Value){ .boolean = value });
}

static gboolean
is_constant_boolean (const Term *term, gboolean value)
{
  return term->kind == TERM_CONSTANT && !term->is_null && term->constant.boolean == value;
}

static gboolean
all_constant (const Term *term)
{
  for (guint i = 0; i < term->n_args; i++)
    if (term->args[i]->kind != TERM_CONSTANT)
      return FALSE;

  return TRUE;
}

/* Evaluates a term over one row that has no columns. */
static gboolean
work_out (TallyExpression *expression, Term *term, TallyComplaint **ret_complaint)
{
  Frame frame = {
    .expression = expression,
    .batch = expression->constants,
    .n_rows = 1,
    .n_words = 1,
    .evaluation = ++expression->n_evaluations,
    .live = expression->live,
    .all = expression->bits,
    .none = expression->bits + tally_bitmap_words (expression->capacity),
    .folding = TRUE,
  };
  Value value = { 0 };

  frame.live[0] = expression->selected[0] = 1;
  for (guint i = 0; i < term->n_args; i++)
    {
      term->args[i]->values = &term->args[i]->constant;
      term->args[i]->step = 0;
    }
  term->values = term->own_values;
  term->validity = term->own_validity;
  tally_term_evaluate (&frame, term, expression->selected);
  if (frame.message != NULL)
    {
      *ret_complaint = tally_complaint_new (term->offset, term->length, NULL, "%s", frame.message);
      g_free (frame.message);
      return FALSE;
    }

  if (!(term->validity[0] & 1))
    become_constant (term, NULL);
  else
    {
      memcpy (&value, term->values, tally_term_type_size (term->type));
      become_constant (term, &value);
    }
  return TRUE;
}

/* How many of the first arguments make the call NULL by being so. */
static guint
count_settling (const Term *term)
{
  FunctionFlags flags = term->function->flags;

  if (flags & FUNCTION_NULL_BY_FIRST)
    return 1;
  return flags & FUNCTION_TAKES_NULL ? 0 : term->n_args;
}

static gboolean
fold_call (TallyExpression *expression, Term *term, TallyComplaint **ret_complaint)
{
  FunctionFlags flags = term->function->flags;
  GError *error = NULL;

  for (guint i = 0; i < term->n_args; i++)
    if (!tally_term_fold (expression, term->args[i], ret_complaint))
      return FALSE;

  for (guint i = 0; i < count_settling (term); i++)
    if (tally_term_is_null (term->args[i]))
      {
        become_constant (term, NULL);
        return TRUE;
      }
  if (term->function->prepare != NULL && !term->function->prepare (term, &error))
    {
      *ret_complaint = tally_complaint_new (term->offset, term->length, NULL, "%s", error->message);
      g_error_free (error);
      return FALSE;
    }
  if (flags & (FUNCTION_VOLATILE | FUNCTION_STABLE) || !all_constant (term))
    return TRUE;

  return work_out (expression, term, ret_complaint);
}

static gboolean
fold_logic (TallyExpression *expression, Term *term, TallyComplaint **ret_complaint)
{
  gboolean settling = term->kind == TERM_OR;

  for (guint i = 0; i < 2; i++)
    {
      if (!tally_term_fold (expression, term->args[i], ret_complaint))
        return FALSE;
      if (is_constant_boolean (term->args[i], settling))
        {
          become_boolean (term, settling);
          return TRUE;
        }
    }

  return !all_constant (term) || work_out (expression, term, ret_complaint);
}

static gboolean
fold_case (TallyExpression *expression, Term *term, TallyComplaint **ret_complaint)
{
  guint kept = 0, i;
  Term *otherwise = term->args[term->n_args - 1];

  for (i = 0; i + 1 < term->n_args; i += 2)
    {
      Term *condition = term->args[i], *result = term->args[i + 1];

      if (!tally_term_fold (expression, condition, ret_complaint))
        return FALSE;
      if (is_constant_boolean (condition, TRUE))
        {
          otherwise = result;
          break;
        }
      if (condition->kind == TERM_CONSTANT)
        continue;
      if (!tally_term_fold (expression, result, ret_complaint))
        return FALSE;
      term->args[kept++] = condition;
      term->args[kept++] = result;
    }
  if (!tally_term_fold (expression, otherwise, ret_complaint))
    return FALSE;
  term->args[kept++] = otherwise;
  term->n_args = kept;

  if (kept == 1 && otherwise->kind == TERM_CONSTANT)
    become_constant (term, otherwise->is_null ? NULL : &otherwise->constant);
  return TRUE;
}

static gboolean
fold_coalesce (TallyExpression *expression, Term *term, TallyComplaint **ret_complaint)
{
  guint kept = 0;

  for (guint i = 0; i < term->n_args; i++)
    {
      if (!tally_term_fold (expression, term->args[i], ret_complaint))
        return FALSE;
      if (tally_term_is_null (term->args[i]))
        continue;
      term->args[kept++] = term->args[i];
      if (term->args[i]->kind == TERM_CONSTANT)
        break;
    }
  term->n_args = kept;

  if (kept == 0)
    become_constant (term, NULL);
  else if (term->args[0]->kind == TERM_CONSTANT)
    become_constant (term, &term->args[0]->constant);
  return TRUE;
}

gboolean
tally_term_fold (TallyExpression *expression, Term *term, TallyComplaint **ret_complaint)
{
  if (term->is_folded)
    return TRUE;

  term->is_folded = TRUE;
  switch (term->kind)
    {
    case TERM_CALL:
      return fold_call (expression, term, ret_complaint);
    case TERM_AND:
    case TERM_OR:
      return fold_logic (expression, term, ret_complaint);
    case TERM_CASE:
      return fold_case (expression, term, ret_complaint);
    case TERM_COALESCE:
      return fold_coalesce (expression, term, ret_complaint);
    case TERM_SAME:
      if (!tally_term_fold (expression, term->args[0], ret_complaint))
        return FALSE;
      if (term->args[0]->kind == TERM_CONSTANT)
        become_constant (term, term->args[0]->is_null ? NULL : &term->args[0]->constant);
      return TRUE;
    default:
      return TRUE;
    }
}
