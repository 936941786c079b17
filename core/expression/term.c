/* term.c: making and freeing terms */
#include "term.h"

gsize
tally_term_type_size (guint type)
{
  return type < TALLY_N_TYPES ? tally_type_size (type) : sizeof (TallyText);
}

const char *
tally_term_type_name (guint type)
{
  switch (type)
    {
    case TYPE_UNKNOWN:
      return "unknown";
    case TYPE_TEXT_ARRAY:
      return "text[]";
    default:
      return tally_type_name (type);
    }
}

gboolean
tally_term_type_is_text (guint type)
{
  switch (type)
    {
    case TALLY_TYPE_TEXT:
    case TALLY_TYPE_NUMERIC:
    case TALLY_TYPE_BYTEA:
    case TALLY_TYPE_JSONB:
    case TYPE_UNKNOWN:
    case TYPE_TEXT_ARRAY:
      return TRUE;
    default:
      return FALSE;
    }
}

Term *
tally_term_new (TallyExpression *expression, TermKind kind, guint type, guint n_args)
{
  Term *term = g_new0 (Term, 1);

  term->kind = kind;
  term->type = type;
  term->n_args = n_args;
  term->args = g_new0 (Term *, n_args);
  term->step = 1;
  g_ptr_array_add (expression->terms, term);
  return term;
}

Term *
tally_term_constant (TallyExpression *expression, guint type, const Value *value)
{
  Term *term = tally_term_new (expression, TERM_CONSTANT, type, 0);

  term->is_null = value == NULL;
  if (value != NULL)
    term->constant = *value;
  return term;
}

void
tally_term_free (gpointer data)
{
  Term *term = data;

  if (term->free_data != NULL)
    term->free_data (term->data);
  g_free (term->args);
  g_free (term->own_values);
  g_free (term->own_validity);
  g_free (term);
}
