/* function.c: overloads, resolved as PostgreSQL does
 *
 * See "Operator Type Resolution" and "Function Type Resolution" in PostgreSQL's manual,
 * sections 10.2 and 10.3, which these steps follow.
 */
#include "function.h"
#include "record/nearest.h"
#include <string.h>

#define MAX_CANDIDATES 64

static const Function *const tables[] = {
  tally_operator_functions, tally_number_functions, tally_plain_text_functions,
  tally_text_functions,     tally_array_functions,  tally_pattern_functions,
  tally_time_functions,     tally_json_functions,   tally_own_functions,
};

typedef struct
{
  const Function *function;
  guint8 types[MAX_ARGS];
} Candidate;

guint
tally_type_of_letter (char letter)
{
  static const char letters[] = "tbidnDszvyj?A*";

  return (guint)(strchr (letters, letter) - letters);
}

G_STATIC_ASSERT (TYPE_UNKNOWN == 11 && TYPE_TEXT_ARRAY == 12 && TYPE_ANY == 13);

char
tally_type_category (guint type)
{
  static const char categories[] = "SBNNNDDDTUUXA";

  return categories[type];
}

gboolean
tally_type_is_preferred (guint type)
{
  return type == TALLY_TYPE_TEXT || type == TALLY_TYPE_BOOLEAN || type == TALLY_TYPE_DOUBLE
         || type == TALLY_TYPE_TIMESTAMPTZ || type == TALLY_TYPE_INTERVAL;
}

static gboolean
is_operator_name (const char *name)
{
  return !g_ascii_isalpha (name[0]) && name[0] != '_';
}

const char *
tally_function_nearest (const char *name)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const Function *function = tables[i]; function->name != NULL; function++)
      if (!is_operator_name (function->name))
        g_ptr_array_add (names, (gpointer)function->name);

  return tally_nearest (name, (const char *const *)names->pdata, names->len);
}

gboolean
tally_function_is_own (const char *name)
{
  for (const Function *function = tally_own_functions; function->name != NULL; function++)
    if (strcmp (function->name, name) == 0)
      return TRUE;

  return FALSE;
}

/* Whether a function can take so many arguments, and their types if it does. */
static gboolean
expand (const Function *function, guint n_types, guint8 *ret_types)
{
  gsize n_args = strlen (function->args);

  if (function->flags & FUNCTION_VARIADIC ? n_types < n_args : n_types != n_args)
    return FALSE;

  for (guint i = 0; i < n_types; i++)
    ret_types[i] = (guint8)tally_type_of_letter (function->args[MIN (i, n_args - 1)]);
  return TRUE;
}

static guint
collect (const char *name, guint n_types, Candidate *candidates, gboolean *ret_known)
{
  guint n = 0;

  *ret_known = FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const Function *function = tables[i]; function->name != NULL; function++)
      if (strcmp (function->name, name) == 0)
        {
          *ret_known = TRUE;
          g_assert (n < MAX_CANDIDATES);
          candidates[n].function = function;
          if (expand (function, n_types, candidates[n].types))
            n++;
        }

  return n;
}

static const Candidate *
find_exact (const Candidate *candidates, guint n, const guint8 *types, guint n_types)
{
  for (guint i = 0; i < n; i++)
    if (memcmp (candidates[i].types, types, n_types) == 0)
      return &candidates[i];

  return NULL;
}

static gboolean
accepts (guint from, guint to)
{
  return from == to || from == TYPE_UNKNOWN || to == TYPE_ANY || tally_cast_is_implicit (from, to);
}

static guint
keep_acceptable (Candidate *candidates, guint n, const guint8 *types, guint n_types)
{
  guint kept = 0;

  for (guint i = 0; i < n; i++)
    {
      gboolean accepted = TRUE;

      for (guint j = 0; j < n_types; j++)
        accepted = accepted && accepts (types[j], candidates[i].types[j]);
      if (accepted)
        candidates[kept++] = candidates[i];
    }

  return kept;
}

/* Keeps those with the most arguments of the very type or, with preferred, of that or a type
 * preferred in its category. */
static guint
keep_closest (Candidate *candidates, guint n, const guint8 *types, guint n_types,
              gboolean preferred)
{
  guint scores[MAX_CANDIDATES] = { 0 }, best = 0, kept = 0;

  for (guint i = 0; i < n; i++)
    {
      for (guint j = 0; j < n_types; j++)
        if (types[j] != TYPE_UNKNOWN)
          {
            guint type = candidates[i].types[j];

            scores[i] += type == types[j]
                         || (preferred && type != TYPE_ANY && tally_type_is_preferred (type));
          }
      best = MAX (best, scores[i]);
    }
  for (guint i = 0; i < n; i++)
    if (scores[i] == best)
      candidates[kept++] = candidates[i];

  return kept;
}

/* What a literal's argument most likely is: text if any candidate takes text there, else what all
 * agree on.  0: no agreement. */
static char
agree_on_category (const Candidate *candidates, guint n, guint argument, gboolean *ret_preferred)
{
  char category = 0;
  gboolean conflict = FALSE;

  *ret_preferred = FALSE;
  for (guint i = 0; i < n; i++)
    {
      guint type = candidates[i].types[argument];
      char other = type == TYPE_ANY ? 'P' : tally_type_category (type);
      gboolean preferred = type != TYPE_ANY && tally_type_is_preferred (type);

      if (category == 0 || (other == 'S' && category != 'S'))
        {
          conflict = FALSE;
          category = other;
          *ret_preferred = preferred;
        }
      else if (category == other)
        *ret_preferred |= preferred;
      else if (category != 'S')
        conflict = TRUE;
    }

  return conflict ? 0 : category;
}

static guint
keep_by_category (Candidate *candidates, guint n, const guint8 *types, guint n_types)
{
  char categories[MAX_ARGS] = { 0 };
  gboolean preferred[MAX_ARGS] = { FALSE };
  guint kept = 0;

  for (guint j = 0; j < n_types; j++)
    if (types[j] == TYPE_UNKNOWN)
      {
        categories[j] = agree_on_category (candidates, n, j, &preferred[j]);
        if (categories[j] == 0)
          return n;
      }

  for (guint i = 0; i < n; i++)
    {
      gboolean fits = TRUE;

      for (guint j = 0; j < n_types && fits; j++)
        if (types[j] == TYPE_UNKNOWN)
          {
            guint type = candidates[i].types[j];

            if ((type == TYPE_ANY ? 'P' : tally_type_category (type)) != categories[j])
              fits = FALSE;
            else if (preferred[j] && !tally_type_is_preferred (type))
              fits = FALSE;
          }
      if (fits)
        candidates[kept++] = candidates[i];
    }

  return kept > 0 ? kept : n;
}

/* The last resort: literals are of the type that all others have. */
static guint
keep_by_known_type (Candidate *candidates, guint n, const guint8 *types, guint n_types)
{
  guint known = TYPE_UNKNOWN, kept = 0;
  gint found = -1;

  for (guint j = 0; j < n_types; j++)
    if (types[j] != TYPE_UNKNOWN)
      {
        if (known != TYPE_UNKNOWN && known != types[j])
          return n;
        known = types[j];
      }
  if (known == TYPE_UNKNOWN)
    return n;

  for (guint i = 0; i < n; i++)
    {
      gboolean fits = TRUE;

      for (guint j = 0; j < n_types; j++)
        fits = fits && accepts (known, candidates[i].types[j]);
      if (fits)
        {
          found = (gint)i;
          kept++;
        }
    }
  if (kept != 1)
    return n;

  candidates[0] = candidates[found];
  return 1;
}

static gboolean
has_unknown (const guint8 *types, guint n_types)
{
  return memchr (types, TYPE_UNKNOWN, n_types) != NULL;
}

/* An operator's literal is first tried as the other operand's type. */
static const Candidate *
find_same_type (const Candidate *candidates, guint n, const guint8 *types)
{
  guint8 same[2];

  if ((types[0] == TYPE_UNKNOWN) == (types[1] == TYPE_UNKNOWN))
    return NULL;

  same[0] = same[1] = types[0] == TYPE_UNKNOWN ? types[1] : types[0];
  return find_exact (candidates, n, same, 2);
}

ResolveResult
tally_function_resolve (const char *name, gboolean is_operator, const guint8 *types, guint n_types,
                        const Function **ret_function, guint8 *ret_types)
{
  Candidate candidates[MAX_CANDIDATES];
  const Candidate *chosen;
  gboolean known;
  guint n = collect (name, n_types, candidates, &known);

  if (!known)
    return RESOLVE_UNKNOWN_NAME;

  chosen = find_exact (candidates, n, types, n_types);
  if (chosen == NULL && is_operator && n_types == 2)
    chosen = find_same_type (candidates, n, types);
  if (chosen == NULL)
    {
      n = keep_acceptable (candidates, n, types, n_types);
      if (n > 1)
        n = keep_closest (candidates, n, types, n_types, FALSE);
      if (n > 1)
        n = keep_closest (candidates, n, types, n_types, TRUE);
      if (n > 1 && has_unknown (types, n_types))
        n = keep_by_category (candidates, n, types, n_types);
      if (n > 1 && has_unknown (types, n_types))
        n = keep_by_known_type (candidates, n, types, n_types);
      if (n == 0)
        return RESOLVE_NO_MATCH;
      if (n > 1)
        return RESOLVE_AMBIGUOUS;
      chosen = &candidates[0];
    }

  *ret_function = chosen->function;
  memcpy (ret_types, chosen->types, n_types);
  return RESOLVE_FOUND;
}

gboolean
tally_type_find_common (TallyType a, TallyType b, TallyType *ret_type)
{
  const guint8 types[] = { a, b };
  guint8 operands[MAX_ARGS];
  const Function *function;

  /* Days and moments have operators of two types, which cast neither. */
  if (tally_function_resolve ("=", /* is_operator= */ TRUE, types, 2, &function, operands)
          != RESOLVE_FOUND
      || operands[0] != operands[1])
    return FALSE;

  *ret_type = operands[0];
  return TRUE;
}
