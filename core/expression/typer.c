/* typer.c: types each node of a parse tree, by PostgreSQL's rules
 *
 * Columns bring their types, literals in quotes have none until an operand, a function or a cast
 * gives them one, and nothing else is converted but along the implicit casts.  What we do not do is
 * refused here, with its place in the text.
 */
#include "typer.h"
#include "record/jsonb.h"
#include "record/value.h"
#include "function.h"
#include <math.h>
#include <string.h>

/* Deeper nesting than any person writes; each level costs stack here and in the evaluator. */
#define MAX_DEPTH 200
/* A hint names this many columns. */
#define MAX_NAMED_COLUMNS 8
/* Bytes of a name that PostgreSQL keeps, less up to three if the cut would split a letter. */
#define MAX_NAME 63

typedef struct
{
  TallyExpression *expression;
  const char *text;
  gsize prefix;
  guint depth;
  TallyComplaint *complaint; /* (owned) (nullable) the first */
} Typer;

static Term *type_node (Typer *typer, const PgQuery__Node *node);

static gsize
place (const Typer *typer, gint32 location)
{
  gsize length = strlen (typer->text), at = (gsize)location;

  if (location < 0 || at < typer->prefix)
    return 0;
  return MIN (at - typer->prefix, length);
}

#define COMPLAIN(typer, location, hint, ...)                                                       \
  complain (typer,                                                                                 \
            tally_complaint_new (place (typer, location),                                          \
                                 tally_token_length ((typer)->text, place (typer, location)),      \
                                 hint, __VA_ARGS__))

static Term *
complain (Typer *typer, TallyComplaint *complaint)
{
  if (typer->complaint == NULL)
    typer->complaint = complaint;
  else
    tally_complaint_free (complaint);
  return NULL;
}

static Term *
refuse (Typer *typer, gint32 location, const char *what)
{
  return COMPLAIN (typer, location, NULL, "%s not supported", what);
}

static Term *
locate (const Typer *typer, Term *term, gint32 location)
{
  term->offset = place (typer, location);
  term->length = tally_token_length (typer->text, term->offset);
  return term;
}

static Term *
locate_as (Term *term, const Term *other)
{
  term->offset = other->offset;
  term->length = other->length;
  return term;
}

/* Calls. */

static Term *
call_function (Typer *typer, const Function *function, guint type, guint n_args, Term *const *args)
{
  Term *term = tally_term_new (typer->expression, TERM_CALL, type, n_args);

  term->function = function;
  for (guint i = 0; i < n_args; i++)
    term->args[i] = args[i];
  if (function->flags & FUNCTION_VOLATILE)
    typer->expression->is_volatile = TRUE;
  return term;
}

static Term *
call_1 (Typer *typer, const Function *function, guint type, Term *arg)
{
  return locate_as (call_function (typer, function, type, 1, &arg), arg);
}

static Term *
call_2 (Typer *typer, const Function *function, guint type, Term *a, Term *b)
{
  return locate_as (call_function (typer, function, type, 2, (Term *[]){ a, b }), a);
}

/* Coercion. */

static Term *
type_literal (Typer *typer, Term *term, guint type)
{
  TallyBatch *constants = typer->expression->constants;
  g_autoptr (GError) error = NULL;
  Value value = { 0 };
  gboolean good;

  if (term->is_null)
    return locate_as (tally_term_constant (typer->expression, type, NULL), term);

  if (type == TYPE_TEXT_ARRAY)
    good = tally_jsonb_from_array_text (term->constant.text, constants, &value.text, &error);
  else
    good = tally_value_parse (type, term->constant.text, constants, &value, &error);
  if (!good)
    return complain (typer,
                     tally_complaint_new (term->offset, term->length, NULL, "%s", error->message));

  return locate_as (tally_term_constant (typer->expression, type, &value), term);
}

/* Coerces as an argument: only along what is implicit, which the caller has made sure of. */
static Term *
coerce (Typer *typer, Term *term, guint type)
{
  const Function *function;

  if (term->type == TYPE_UNKNOWN)
    return type_literal (typer, term, type == TYPE_ANY ? TALLY_TYPE_TEXT : type);
  if (type == TYPE_ANY || term->type == type)
    return term;
  if (tally_cast_find (term->type, type, &function) == CAST_NONE)
    return complain (typer, tally_complaint_new (
                                term->offset, term->length, NULL, "cannot cast type %s to %s",
                                tally_term_type_name (term->type), tally_term_type_name (type)));

  return call_1 (typer, function, type, term);
}

static gboolean
coerce_all (Typer *typer, Term **args, guint n_args, const guint8 *types)
{
  for (guint i = 0; i < n_args; i++)
    {
      args[i] = coerce (typer, args[i], types[i]);
      if (args[i] == NULL)
        return FALSE;
    }

  return TRUE;
}

/* The type that CASE, COALESCE, IN and the like bring their values to; TYPE_ANY: there is none. */
static guint
common_type (Term *const *args, guint n_args, gint *ret_odd)
{
  guint type = TYPE_UNKNOWN;

  for (guint i = 0; i < n_args; i++)
    {
      guint other = args[i]->type;

      if (other == TYPE_UNKNOWN || other == type)
        continue;
      if (type == TYPE_UNKNOWN)
        type = other;
      else if (tally_type_category (type) != tally_type_category (other))
        {
          *ret_odd = (gint)i;
          return type;
        }
      else if (!tally_type_is_preferred (type) && tally_cast_is_implicit (type, other)
               && !tally_cast_is_implicit (other, type))
        type = other;
    }

  *ret_odd = -1;
  return type == TYPE_UNKNOWN ? TALLY_TYPE_TEXT : type;
}

/* Brings args to one type, or complains as PostgreSQL does: CASE types text and bigint cannot be
 * matched. */
static gboolean
unify (Typer *typer, const char *context, Term **args, guint n_args, guint *ret_type)
{
  gint odd;
  guint type = common_type (args, n_args, &odd);

  if (odd >= 0)
    {
      complain (typer, tally_complaint_new (
                           args[odd]->offset, args[odd]->length, "cast one of them, as in x::text",
                           "%s types %s and %s cannot be matched", context,
                           tally_term_type_name (type), tally_term_type_name (args[odd]->type)));
      return FALSE;
    }

  for (guint i = 0; i < n_args; i++)
    {
      if (args[i]->type != TYPE_UNKNOWN && args[i]->type != type
          && !tally_cast_is_implicit (args[i]->type, type))
        {
          complain (typer, tally_complaint_new (args[i]->offset, args[i]->length, NULL,
                                                "%s could not convert type %s to %s",
                                                strcmp (context, "CASE") != 0 ? context
                                                : i == 0                      ? "CASE/ELSE"
                                                                              : "CASE/WHEN",
                                                tally_term_type_name (args[i]->type),
                                                tally_term_type_name (type)));
          return FALSE;
        }
      args[i] = coerce (typer, args[i], type);
      if (args[i] == NULL)
        return FALSE;
    }
  *ret_type = type;
  return TRUE;
}

static Term *
type_boolean (Typer *typer, const PgQuery__Node *node, const char *context)
{
  Term *term = type_node (typer, node);

  if (term == NULL)
    return NULL;
  if (term->type == TYPE_UNKNOWN)
    return type_literal (typer, term, TALLY_TYPE_BOOLEAN);
  if (term->type != TALLY_TYPE_BOOLEAN)
    return complain (typer, tally_complaint_new (term->offset, term->length, NULL,
                                                 "argument of %s must be type boolean, not type %s",
                                                 context, tally_term_type_name (term->type)));

  return term;
}

/* Operators. */

static char *
written (const Typer *typer, const Term *term)
{
  return term->kind == TERM_COLUMN ? g_strndup (typer->text + term->offset, term->length)
                                   : g_strdup ("x");
}

/* A text column against a number, a date and so on is what most people stumble over: name the cast.
 */
static char *
operator_hint (const Typer *typer, const Term *a, const Term *b)
{
  const Term *text = a != NULL && a->type == TALLY_TYPE_TEXT ? a : b, *other = text == a ? b : a;

  if (a == NULL || text->type != TALLY_TYPE_TEXT || other->type == TALLY_TYPE_TEXT)
    return g_strdup ("no operator has this name and these types; a cast may help, as in x::text");

  g_autofree char *name = written (typer, text);
  return g_strdup_printf ("nothing is converted by itself; cast it: %s::%s", name,
                          tally_term_type_name (other->type));
}

static Term *
operator_missing (Typer *typer, const char *name, const Term *a, const Term *b, gint32 location,
                  gboolean ambiguous)
{
  g_autofree char *hint = operator_hint (typer, a, b);
  const char *fact = ambiguous ? "operator is not unique" : "operator does not exist";

  if (a == NULL)
    return COMPLAIN (typer, location, hint, "%s: %s %s", fact, name,
                     tally_term_type_name (b->type));
  return COMPLAIN (typer, location, hint, "%s: %s %s %s", fact, tally_term_type_name (a->type),
                   name, tally_term_type_name (b->type));
}

static Term *
concat_with (Typer *typer, const Function *function, guint type, Term *a, Term *b, gint32 location)
{
  a = coerce (typer, a, type);
  b = a != NULL ? coerce (typer, b, type) : NULL;
  return b != NULL ? locate (typer, call_2 (typer, function, type, a, b), location) : NULL;
}

/* || joins two of a kind; text takes anything with it. */
static Term *
make_concat (Typer *typer, Term *a, Term *b, gint32 location)
{
  static const struct
  {
    guint8 type;
    const Function *function;
  } kinds[] = {
    { TALLY_TYPE_JSONB, &tally_jsonb_concat_function },
    { TALLY_TYPE_BYTEA, &tally_bytea_concat_function },
    { TYPE_TEXT_ARRAY, &tally_array_concat_function },
  };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if ((a->type == kinds[i].type && (b->type == a->type || b->type == TYPE_UNKNOWN))
        || (a->type == TYPE_UNKNOWN && b->type == kinds[i].type))
      return concat_with (typer, kinds[i].function, kinds[i].type, a, b, location);

  if (a->type == TYPE_TEXT_ARRAY && b->type == TALLY_TYPE_TEXT)
    return locate (typer, call_2 (typer, &tally_array_append_function, TYPE_TEXT_ARRAY, a, b),
                   location);
  if (a->type == TALLY_TYPE_TEXT && b->type == TYPE_TEXT_ARRAY)
    return locate (typer, call_2 (typer, &tally_array_prepend_function, TYPE_TEXT_ARRAY, a, b),
                   location);
  if (a->type == TYPE_TEXT_ARRAY || b->type == TYPE_TEXT_ARRAY
      || (a->type != TALLY_TYPE_TEXT && a->type != TYPE_UNKNOWN && b->type != TALLY_TYPE_TEXT
          && b->type != TYPE_UNKNOWN))
    return operator_missing (typer, "||", a, b, location, FALSE);

  return concat_with (typer, &tally_text_concat_function, TALLY_TYPE_TEXT, a, b, location);
}

/* PostgreSQL has these operators for json, arrays and ranges, too, so a literal alone does not tell
 * which one is meant. */
static gboolean
is_ambiguous_elsewhere (const char *name, const Term *a, const Term *b, gboolean found)
{
  if (a == NULL)
    return FALSE;
  if (strcmp (name, "@>") == 0)
    return a->type == TYPE_UNKNOWN && b->type != TALLY_TYPE_JSONB && b->type != TYPE_TEXT_ARRAY;
  if (strcmp (name, "<@") == 0)
    return b->type == TYPE_UNKNOWN && a->type != TALLY_TYPE_JSONB && a->type != TYPE_TEXT_ARRAY;

  return found && a->type == TYPE_UNKNOWN && (name[0] == '-' || name[0] == '#') && name[1] == '>';
}

static guint
result_type (const Function *function, Term *const *args)
{
  guint type = tally_type_of_letter (function->result);

  return type == TYPE_ANY ? args[0]->type : type;
}

/* a is NULL for a prefix operator. */
static Term *
make_operator (Typer *typer, const char *name, Term *a, Term *b, gint32 location)
{
  Term *args[2] = { a, b }, **first = a != NULL ? args : args + 1;
  guint n_args = a != NULL ? 2 : 1;
  guint8 types[2], coerced[MAX_ARGS];
  const Function *function;
  ResolveResult result;

  if (a != NULL && strcmp (name, "||") == 0)
    return make_concat (typer, a, b, location);
  for (guint i = 0; i < n_args; i++)
    types[i] = first[i]->type;
  result = tally_function_resolve (name, TRUE, types, n_args, &function, coerced);
  if (is_ambiguous_elsewhere (name, a, b, result == RESOLVE_FOUND))
    result = RESOLVE_AMBIGUOUS;
  if (result != RESOLVE_FOUND)
    return operator_missing (typer, name, a, b, location, result == RESOLVE_AMBIGUOUS);
  if (!coerce_all (typer, first, n_args, coerced))
    return NULL;

  return locate (typer,
                 call_function (typer, function, result_type (function, first), n_args, first),
                 location);
}

static Term *
make_logic (Typer *typer, TermKind kind, Term *a, Term *b)
{
  Term *term = tally_term_new (typer->expression, kind, TALLY_TYPE_BOOLEAN, 2);

  term->args[0] = a;
  term->args[1] = b;
  return locate_as (term, a);
}

static Term *
make_not (Typer *typer, Term *term)
{
  return call_1 (typer, &tally_not_function, TALLY_TYPE_BOOLEAN, term);
}

/* The value of a term that is evaluated before, once more. */
static Term *
make_same (Typer *typer, Term *target)
{
  Term *term;

  if (target->kind == TERM_CONSTANT || target->kind == TERM_COLUMN)
    return target;

  term = tally_term_new (typer->expression, TERM_SAME, target->type, 1);
  term->args[0] = target;
  return locate_as (term, target);
}

/* IS DISTINCT FROM and NULLIF compare as = does. */
static Term *
make_comparison (Typer *typer, const Function *function, Term *a, Term *b, gint32 location)
{
  Term *equal = make_operator (typer, "=", a, b, location);
  guint type;

  if (equal == NULL)
    return NULL;
  type = function == &tally_nullif_function ? equal->args[0]->type : TALLY_TYPE_BOOLEAN;
  return locate (typer, call_2 (typer, function, type, equal->args[0], equal->args[1]), location);
}

static const char *
operator_name (const PgQuery__AExpr *expr)
{
  const PgQuery__Node *last = expr->n_name > 0 ? expr->name[expr->n_name - 1] : NULL;

  if (last == NULL || last->node_case != PG_QUERY__NODE__NODE_STRING)
    return "";
  return strcmp (last->string->sval, "!=") == 0 ? "<>" : last->string->sval;
}

static const PgQuery__List *
list_of (const PgQuery__Node *node)
{
  return node != NULL && node->node_case == PG_QUERY__NODE__NODE_LIST ? node->list : NULL;
}

/* x = a OR x = b …, or x <> a AND x <> b …, constants first, as PostgreSQL has it. */
static Term *
type_in (Typer *typer, const PgQuery__AExpr *expr)
{
  const PgQuery__List *list = list_of (expr->rexpr);
  gboolean negated = strcmp (operator_name (expr), "<>") == 0;
  Term *left = type_node (typer, expr->lexpr), *result = NULL;
  g_autoptr (GPtrArray) constants = g_ptr_array_new (), others = g_ptr_array_new ();

  if (left == NULL || list == NULL)
    return left == NULL ? NULL : refuse (typer, expr->location, "this kind of IN is");

  g_ptr_array_add (constants, left);
  for (gsize i = 0; i < list->n_items; i++)
    {
      Term *item = type_node (typer, list->items[i]);

      if (item == NULL)
        return NULL;
      g_ptr_array_add (item->kind == TERM_CONSTANT ? constants : others, item);
    }

  gint odd = -1;
  guint type = common_type ((Term **)constants->pdata, constants->len, &odd);

  /* If there is no common type, each is compared on its own, with the error that this may give. */
  if (odd >= 0 || constants->len == 2)
    {
      for (guint i = 1; i < constants->len; i++)
        g_ptr_array_insert (others, (gint)i - 1, constants->pdata[i]);
      g_ptr_array_set_size (constants, 1);
    }
  if (constants->len > 1)
    {
      for (guint i = 0; i < constants->len; i++)
        if ((constants->pdata[i] = coerce (typer, constants->pdata[i], type)) == NULL)
          return NULL;
      result = call_function (typer, &tally_in_function, TALLY_TYPE_BOOLEAN, constants->len,
                              (Term **)constants->pdata);
      locate (typer, result, expr->location);
      if (negated)
        result = make_not (typer, result);
    }

  gboolean first = result == NULL;
  for (guint i = 0; i < others->len; i++)
    {
      Term *again = first ? left : make_same (typer, left);
      Term *one
          = make_operator (typer, operator_name (expr), again, others->pdata[i], expr->location);

      if (one == NULL)
        return NULL;
      result = result == NULL ? one : make_logic (typer, negated ? TERM_AND : TERM_OR, result, one);
      first = FALSE;
    }

  return result;
}

static Term *
make_between (Typer *typer, Term *value, Term *low, Term *high, gint32 location)
{
  Term *above = make_operator (typer, ">=", value, low, location);
  Term *below = above != NULL
                    ? make_operator (typer, "<=", make_same (typer, value), high, location)
                    : NULL;

  return below != NULL ? make_logic (typer, TERM_AND, above, below) : NULL;
}

static Term *
type_between (Typer *typer, const PgQuery__AExpr *expr)
{
  const PgQuery__List *list = list_of (expr->rexpr);
  gboolean negated = expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN
                     || expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM;
  gboolean symmetric = expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM
                       || expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM;
  Term *terms[3], *result, *swapped;

  if (list == NULL || list->n_items != 2)
    return refuse (typer, expr->location, "this kind of BETWEEN is");
  for (guint i = 0; i < 3; i++)
    if ((terms[i] = type_node (typer, i == 0 ? expr->lexpr : list->items[i - 1])) == NULL)
      return NULL;

  /* The bounds' values are needed twice, and both times only where the first comparison did not
   * settle it: type them anew. */
  result = make_between (typer, terms[0], terms[1], terms[2], expr->location);
  if (result != NULL && symmetric)
    {
      for (guint i = 0; i < 3; i++)
        if ((terms[i] = type_node (typer, i == 0 ? expr->lexpr : list->items[i - 1])) == NULL)
          return NULL;
      swapped = make_between (typer, terms[0], terms[2], terms[1], expr->location);
      result = swapped != NULL ? make_logic (typer, TERM_OR, result, swapped) : NULL;
    }
  if (result == NULL)
    return NULL;

  return negated ? make_not (typer, result) : result;
}

/* x = ANY (array), x <> ALL (array) over arrays of text. */
static Term *
type_any (Typer *typer, const PgQuery__AExpr *expr)
{
  Term *left = type_node (typer, expr->lexpr),
       *right = left != NULL ? type_node (typer, expr->rexpr) : NULL, *term;
  const char *name = operator_name (expr);
  gboolean all = expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL;

  if (right == NULL)
    return NULL;
  if (right->type == TYPE_UNKNOWN)
    right = type_literal (typer, right, TYPE_TEXT_ARRAY);
  if (right == NULL)
    return NULL;
  if (right->type != TYPE_TEXT_ARRAY)
    return COMPLAIN (typer, expr->location, NULL,
                     "op ANY/ALL (array) requires array on right side");
  if (left->type != TALLY_TYPE_TEXT && left->type != TYPE_UNKNOWN)
    return COMPLAIN (typer, expr->location, "cast the left side to text, as in x::text",
                     "operator does not exist: %s %s text", tally_term_type_name (left->type),
                     name);
  if (strcmp (name, all ? "<>" : "=") != 0)
    return refuse (typer, expr->location,
                   "ANY with another operator than =, or ALL with another than <>, is");

  left = coerce (typer, left, TALLY_TYPE_TEXT);
  if (left == NULL)
    return NULL;
  term = locate (typer, call_2 (typer, &tally_any_function, TALLY_TYPE_BOOLEAN, left, right),
                 expr->location);
  return all ? make_not (typer, term) : term;
}

static Term *
type_operator (Typer *typer, const PgQuery__AExpr *expr)
{
  Term *a = NULL, *b;

  switch (expr->kind)
    {
    case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
      return type_in (typer, expr);
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN:
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM:
      return type_between (typer, expr);
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY:
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL:
      return type_any (typer, expr);
    case PG_QUERY__A__EXPR__KIND__AEXPR_SIMILAR:
      return COMPLAIN (typer, expr->location, "use LIKE, or a regular expression with ~",
                       "SIMILAR TO is not supported");
    default:
      break;
    }

  if (expr->rexpr == NULL)
    return refuse (typer, expr->location, "a postfix operator is");
  if (expr->lexpr != NULL && (a = type_node (typer, expr->lexpr)) == NULL)
    return NULL;
  if ((b = type_node (typer, expr->rexpr)) == NULL)
    return NULL;

  switch (expr->kind)
    {
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
    case PG_QUERY__A__EXPR__KIND__AEXPR_LIKE:
    case PG_QUERY__A__EXPR__KIND__AEXPR_ILIKE:
      return make_operator (typer, operator_name (expr), a, b, expr->location);
    case PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT:
      return make_comparison (typer, &tally_is_distinct_function, a, b, expr->location);
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT:
      return make_comparison (typer, &tally_is_not_distinct_function, a, b, expr->location);
    case PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF:
      return make_comparison (typer, &tally_nullif_function, a, b, expr->location);
    default:
      return refuse (typer, expr->location, "this operator is");
    }
}

/* Constants and columns. */

static Term *
make_numeric_literal (Typer *typer, const char *digits, gint32 location)
{
  Term *term;
  Value value = { 0 };
  g_autoptr (GError) error = NULL;
  TallyText text = { digits, strlen (digits) };
  gboolean whole = strspn (digits, "-0123456789") == text.length;

  if (whole
      && tally_value_parse (TALLY_TYPE_BIGINT, text, typer->expression->constants, &value, NULL))
    return locate (typer, tally_term_constant (typer->expression, TALLY_TYPE_BIGINT, &value),
                   location);

  value.text.data = g_strdup (digits); /* parsed values may be views of it */
  tally_batch_hold (typer->expression->constants, (gpointer)value.text.data, g_free);
  text.data = value.text.data;
  if (!tally_value_parse (TALLY_TYPE_NUMERIC, text, typer->expression->constants, &value, &error))
    return COMPLAIN (typer, location, NULL, "%s", error->message);

  term = tally_term_constant (typer->expression, TALLY_TYPE_NUMERIC, &value);
  return locate (typer, term, location);
}

static Term *
type_constant (Typer *typer, const PgQuery__AConst *constant)
{
  Value value = { 0 };
  Term *term;

  switch (constant->val_case)
    {
    case PG_QUERY__A__CONST__VAL_IVAL:
      value.integer = constant->ival->ival;
      return locate (typer, tally_term_constant (typer->expression, TALLY_TYPE_BIGINT, &value),
                     constant->location);
    case PG_QUERY__A__CONST__VAL_FVAL:
      return make_numeric_literal (typer, constant->fval->fval, constant->location);
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
      value.boolean = constant->boolval->boolval ? 1 : 0;
      return locate (typer, tally_term_constant (typer->expression, TALLY_TYPE_BOOLEAN, &value),
                     constant->location);
    case PG_QUERY__A__CONST__VAL_SVAL:
      {
        char *copy = g_strdup (constant->sval->sval);

        tally_batch_hold (typer->expression->constants, copy, g_free);
        value.text = (TallyText){ copy, strlen (copy) };
        term = tally_term_constant (typer->expression, TYPE_UNKNOWN, &value);
        return locate (typer, term, constant->location);
      }
    case PG_QUERY__A__CONST__VAL_BSVAL:
      return refuse (typer, constant->location, "a bit string is");
    default:
      return locate (typer, tally_term_constant (typer->expression, TYPE_UNKNOWN, NULL),
                     constant->location);
    }
}

/* The name as SQL writes it: in quotes if it needs them. */
static char *
quote_name (const char *name)
{
  gboolean plain = g_ascii_islower (name[0]) || name[0] == '_';
  g_auto (GStrv) parts = NULL;
  g_autofree char *inner = NULL;

  for (const char *at = name; *at != '\0'; at++)
    plain = plain && (g_ascii_islower (*at) || g_ascii_isdigit (*at) || *at == '_' || *at == '.');
  if (plain)
    return g_strdup (name);

  parts = g_strsplit (name, "\"", -1);
  inner = g_strjoinv ("\"\"", parts);
  return g_strdup_printf ("\"%s\"", inner);
}

static Term *
column_missing (Typer *typer, const char *name, gint32 location)
{
  TallySchema *schema = typer->expression->schema;
  guint n_columns = tally_schema_n_columns (schema), n_same = 0;
  const char *nearest = tally_schema_nearest (schema, name), *same = NULL;
  g_autoptr (GString) hint = g_string_new (NULL);

  for (guint i = 0; i < n_columns; i++)
    if (g_ascii_strcasecmp (tally_schema_column (schema, i)->name, name) == 0)
      {
        same = tally_schema_column (schema, i)->name;
        n_same++;
      }

  if (n_same == 1)
    {
      g_autofree char *quoted = quote_name (same);

      g_string_append_printf (hint, "a name with capitals needs double quotes: %s. ", quoted);
    }
  else if (nearest != NULL)
    g_string_append_printf (hint, "did you mean \"%s\"? ", nearest);

  g_string_append (hint, n_columns == 0  ? "The step gets no columns"
                         : hint->len > 0 ? "The step gets: "
                                         : "the step gets: ");
  for (guint i = 0; i < MIN (n_columns, MAX_NAMED_COLUMNS); i++)
    g_string_append_printf (hint, "%s%s", i > 0 ? ", " : "", tally_schema_column (schema, i)->name);
  if (n_columns > MAX_NAMED_COLUMNS)
    g_string_append (hint, ", …");

  return COMPLAIN (typer, location, hint->str, "column \"%s\" does not exist", name);
}

/* PostgreSQL's scanner cuts names after 63 bytes.  A longer column is meant if it alone begins so.
 */
static gint
find_column (TallySchema *schema, const char *name)
{
  gint found = tally_schema_find (schema, name);
  guint n_found = 0;

  if (found >= 0 || strlen (name) < MAX_NAME - 3)
    return found;

  for (guint i = 0; i < tally_schema_n_columns (schema); i++)
    {
      const char *other = tally_schema_column (schema, i)->name;

      if (strlen (other) > MAX_NAME && g_str_has_prefix (other, name))
        {
          found = (gint)i;
          n_found++;
        }
    }
  return n_found == 1 ? found : -1;
}

static Term *
type_column (Typer *typer, const PgQuery__ColumnRef *ref)
{
  TallyExpression *expression = typer->expression;
  g_autoptr (GString) name = g_string_new (NULL);
  gint column;
  Term *term;

  for (gsize i = 0; i < ref->n_fields; i++)
    {
      if (ref->fields[i]->node_case != PG_QUERY__NODE__NODE_STRING)
        return refuse (typer, ref->location, "* for all columns is");
      g_string_append_printf (name, "%s%s", i > 0 ? "." : "", ref->fields[i]->string->sval);
    }

  column = find_column (expression->schema, name->str);
  if (column < 0)
    return column_missing (typer, name->str, ref->location);

  expression->columns[column / 64] |= G_GUINT64_CONSTANT (1) << (column % 64);
  term = tally_term_new (expression, TERM_COLUMN,
                         tally_schema_column (expression->schema, (guint)column)->type, 0);
  term->column = (guint)column;
  return locate (typer, term, ref->location);
}

/* Casts. */

typedef struct
{
  guint type;
  guint bytes; /* of an integer smaller than bigint */
  gboolean has_limit;
  gint64 limit;
} CastTarget;

static const struct
{
  const char *name;
  gint type; /* -1: known, but not ours */
  guint bytes;
} type_names[] = {
  { "text", TALLY_TYPE_TEXT, 0 },
  { "varchar", TALLY_TYPE_TEXT, 0 },
  { "bool", TALLY_TYPE_BOOLEAN, 0 },
  { "int8", TALLY_TYPE_BIGINT, 0 },
  { "int4", TALLY_TYPE_BIGINT, 4 },
  { "int2", TALLY_TYPE_BIGINT, 2 },
  { "float8", TALLY_TYPE_DOUBLE, 0 },
  { "numeric", TALLY_TYPE_NUMERIC, 0 },
  { "date", TALLY_TYPE_DATE, 0 },
  { "timestamp", TALLY_TYPE_TIMESTAMP, 0 },
  { "timestamptz", TALLY_TYPE_TIMESTAMPTZ, 0 },
  { "interval", TALLY_TYPE_INTERVAL, 0 },
  { "bytea", TALLY_TYPE_BYTEA, 0 },
  { "jsonb", TALLY_TYPE_JSONB, 0 },
  { "json", -1, 0 },
  { "float4", -1, 0 },
  { "bpchar", -1, 0 },
  { "char", -1, 0 },
  { "name", -1, 0 },
  { "time", -1, 0 },
  { "timetz", -1, 0 },
  { "uuid", -1, 0 },
  { "xml", -1, 0 },
  { "inet", -1, 0 },
  { "cidr", -1, 0 },
  { "macaddr", -1, 0 },
  { "bit", -1, 0 },
  { "varbit", -1, 0 },
  { "money", -1, 0 },
  { "regclass", -1, 0 },
  { "oid", -1, 0 },
};

static gboolean
refuse_type (Typer *typer, const PgQuery__TypeName *type_name, const char *name, gboolean known)
{
  const char *hint = "the types are text, boolean, bigint, double precision, numeric, date, "
                     "timestamp, timestamptz, interval, bytea, jsonb";

  if (strcmp (name, "json") == 0)
    hint = "use jsonb";
  else if (strcmp (name, "float4") == 0)
    hint = "use double precision";
  else if (strcmp (name, "bpchar") == 0)
    hint = "use varchar(n) or text";
  COMPLAIN (typer, type_name->location, hint,
            known ? "type \"%s\" is not supported" : "type \"%s\" does not exist", name);
  return FALSE;
}

static gboolean
read_limits (Typer *typer, const PgQuery__TypeName *type_name, gint64 *limits, guint *ret_n)
{
  if (type_name->n_typmods > 2)
    {
      COMPLAIN (typer, type_name->location, NULL, "invalid type modifier");
      return FALSE;
    }

  for (gsize i = 0; i < type_name->n_typmods; i++)
    {
      const PgQuery__Node *node = type_name->typmods[i];

      if (node->node_case != PG_QUERY__NODE__NODE_A_CONST
          || node->a_const->val_case != PG_QUERY__A__CONST__VAL_IVAL)
        {
          COMPLAIN (typer, type_name->location, NULL,
                    "type modifiers must be simple constants or identifiers");
          return FALSE;
        }
      limits[i] = node->a_const->ival->ival;
    }
  *ret_n = (guint)type_name->n_typmods;
  return TRUE;
}

static gboolean
check_limits (Typer *typer, const PgQuery__TypeName *type_name, CastTarget *target,
              const gint64 *limits, guint n)
{
  gint32 location = type_name->location;

  target->has_limit = n > 0;
  if (n == 0)
    return TRUE;

  switch (target->type)
    {
    case TALLY_TYPE_TEXT:
      if (n == 1 && limits[0] >= 1 && limits[0] <= 10485760)
        {
          target->limit = limits[0];
          return TRUE;
        }
      COMPLAIN (typer, location, NULL,
                limits[0] < 1 ? "length for type varchar must be at least 1"
                              : "length for type varchar cannot exceed 10485760");
      return FALSE;
    case TALLY_TYPE_NUMERIC:
      if (limits[0] < 1 || limits[0] > 1000)
        COMPLAIN (typer, location, NULL, "NUMERIC precision %d must be between 1 and 1000",
                  (int)limits[0]);
      else if (n == 2 && (limits[1] < -1000 || limits[1] > 1000))
        COMPLAIN (typer, location, NULL, "NUMERIC scale %d must be between -1000 and 1000",
                  (int)limits[1]);
      else
        target->limit = limits[0] << 32 | (guint32)(n == 2 ? limits[1] : 0);
      return typer->complaint == NULL;
    case TALLY_TYPE_TIMESTAMP:
    case TALLY_TYPE_TIMESTAMPTZ:
      target->limit = CLAMP (limits[0], 0, 6); /* more is no mistake in PostgreSQL */
      return TRUE;
    case TALLY_TYPE_DOUBLE:
      target->has_limit = FALSE;
      return TRUE;
    default:
      refuse (typer, location, "a modifier of this type is");
      return FALSE;
    }
}

static gboolean
read_type (Typer *typer, const PgQuery__TypeName *type_name, CastTarget *ret_target)
{
  const PgQuery__Node *last
      = type_name->n_names > 0 ? type_name->names[type_name->n_names - 1] : NULL;
  const char *name
      = last != NULL && last->node_case == PG_QUERY__NODE__NODE_STRING ? last->string->sval : "";
  gint64 limits[2];
  guint n_limits;

  for (guint i = 0; i < G_N_ELEMENTS (type_names); i++)
    if (strcmp (name, type_names[i].name) == 0)
      {
        if (type_names[i].type < 0)
          return refuse_type (typer, type_name, name, TRUE);
        *ret_target
            = (CastTarget){ .type = (guint)type_names[i].type, .bytes = type_names[i].bytes };
        if (!read_limits (typer, type_name, limits, &n_limits))
          return FALSE;
        if (type_name->n_array_bounds == 0)
          return check_limits (typer, type_name, ret_target, limits, n_limits);
        if (type_name->n_array_bounds == 1 && ret_target->type == TALLY_TYPE_TEXT && n_limits == 0)
          {
            ret_target->type = TYPE_TEXT_ARRAY;
            return TRUE;
          }
        refuse (typer, type_name->location, "an array of another type than text is");
        return FALSE;
      }

  return refuse_type (typer, type_name, name, FALSE);
}

static Term *
apply_limit (Typer *typer, Term *term, const CastTarget *target)
{
  const Function *function;
  Term *limited;

  if (!target->has_limit)
    return term;

  function = target->type == TALLY_TYPE_TEXT      ? &tally_limit_text_function
             : target->type == TALLY_TYPE_NUMERIC ? &tally_limit_numeric_function
                                                  : &tally_limit_time_function;
  limited = call_1 (typer, function, term->type, term);
  limited->modifier = target->limit;
  return limited;
}

static Term *
cast_integer (Typer *typer, Term *term, const CastTarget *target, const Function *function)
{
  Term *cast = call_1 (typer, function, TALLY_TYPE_BIGINT, term);

  cast->modifier = target->bytes;
  return cast;
}

static Term *
make_cast (Typer *typer, Term *term, const CastTarget *target, gint32 location)
{
  const Function *function = NULL;

  if (term->type == TYPE_UNKNOWN)
    {
      /* A literal of a smaller integer is read as text is, so that its errors name that type. */
      gboolean narrow = target->bytes > 0 && !term->is_null;

      term = type_literal (typer, term, narrow ? TALLY_TYPE_TEXT : target->type);
      if (term == NULL)
        return NULL;
    }

  if (term->type == target->type && target->bytes > 0)
    return cast_integer (typer, term, target, &tally_narrow_function);
  if (term->type == target->type)
    return apply_limit (typer, term, target);
  if (tally_cast_find (term->type, target->type, &function) == CAST_NONE)
    return COMPLAIN (typer, location, NULL, "cannot cast type %s to %s",
                     tally_term_type_name (term->type),
                     target->bytes == 4   ? "integer"
                     : target->bytes == 2 ? "smallint"
                                          : tally_term_type_name (target->type));
  if (target->type == TALLY_TYPE_BIGINT)
    return cast_integer (typer, term, target, function);

  return apply_limit (typer, call_1 (typer, function, target->type, term), target);
}

static Term *
type_cast (Typer *typer, const PgQuery__TypeCast *cast)
{
  CastTarget target = { 0 };
  Term *term;

  if (!read_type (typer, cast->type_name, &target))
    return NULL;
  /* ARRAY[]::text[] is the one array whose elements tell nothing. */
  if (target.type == TYPE_TEXT_ARRAY && cast->arg->node_case == PG_QUERY__NODE__NODE_A_ARRAY_EXPR
      && cast->arg->a_array_expr->n_elements == 0)
    return locate (
        typer,
        tally_term_constant (typer->expression, TYPE_TEXT_ARRAY, &(Value){ .text = { "[]", 2 } }),
        cast->location);

  term = type_node (typer, cast->arg);
  return term != NULL ? make_cast (typer, term, &target,
                                   cast->location >= 0 ? cast->location : cast->type_name->location)
                      : NULL;
}

/* Functions. */

static char *
describe_call (const char *name, Term *const *args, guint n_args)
{
  GString *text = g_string_new (name);

  for (guint i = 0; i < n_args; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "(", tally_term_type_name (args[i]->type));
  g_string_append (text, n_args == 0 ? "()" : ")");
  return g_string_free (text, FALSE);
}

static Term *
function_missing (Typer *typer, const char *name, Term *const *args, guint n_args, gint32 location,
                  ResolveResult result)
{
  static const char *const aggregates[]
      = { "count",     "sum",        "avg",       "min",        "max",
          "array_agg", "string_agg", "jsonb_agg", "json_agg",   "jsonb_object_agg",
          "bool_and",  "bool_or",    "every",     "row_number", "rank" };
  g_autofree char *call = describe_call (name, args, n_args), *hint = NULL;
  const char *nearest;

  for (guint i = 0; i < G_N_ELEMENTS (aggregates); i++)
    if (strcmp (name, aggregates[i]) == 0)
      return COMPLAIN (typer, location, NULL,
                       "%s is a function over many rows; an expression sees one row", name);

  if (result == RESOLVE_AMBIGUOUS)
    return COMPLAIN (typer, location, "add explicit type casts, as in x::text",
                     "function %s is not unique", call);
  if (result == RESOLVE_NO_MATCH && tally_function_is_own (name))
    return COMPLAIN (typer, location,
                     "this function is Tallyman's own, not PostgreSQL's; it takes a text",
                     "function %s does not exist", call);
  if (result == RESOLVE_NO_MATCH)
    return COMPLAIN (typer, location,
                     "no function has this name and these types; a cast may help, as in x::text",
                     "function %s does not exist", call);

  nearest = tally_function_nearest (name);
  if (nearest != NULL)
    hint = g_strdup_printf ("did you mean \"%s\"?", nearest);
  return COMPLAIN (typer, location, hint, "function %s does not exist", call);
}

static const char *
function_name (Typer *typer, const PgQuery__FuncCall *call)
{
  const PgQuery__Node *last = call->n_funcname > 0 ? call->funcname[call->n_funcname - 1] : NULL;
  const char *what = NULL;

  if (call->agg_star || call->agg_distinct || call->n_agg_order > 0 || call->agg_filter != NULL
      || call->agg_within_group)
    what = "a function over many rows is";
  else if (call->over != NULL)
    what = "a window function is";
  else if (call->func_variadic)
    what = "VARIADIC is";
  else if (last == NULL || last->node_case != PG_QUERY__NODE__NODE_STRING)
    what = "such a call is";
  else if (call->n_funcname > 1 && strcmp (call->funcname[0]->string->sval, "pg_catalog") != 0)
    what = "a function of another schema is";
  if (what == NULL)
    return last->string->sval;

  refuse (typer, call->location, what);
  return NULL;
}

/* The functions whose arguments people name, make_interval(days => 3) and ref('ticket', id, missing => 'null'). */
typedef struct
{
  const char *function;
  const char *names[8]; /* ended by NULL */
  guint n_required;
  gboolean always;      /* arguments may be left out even where none is named */
  guint8 type;          /* of what is left out: 0 of bigint, NULL of text */
  const char *hint;
} NamedArgs;

static const NamedArgs named_args[] = {
  { "make_interval",
    { "years", "months", "weeks", "days", "hours", "mins", "secs" },
    .type = TALLY_TYPE_BIGINT,
    .hint = "its arguments are years, months, weeks, days, hours, mins, secs" },
  { "ref",
    { "entity", "key", "missing", "origin", "target" },
    .n_required = 2,
    .always = TRUE,
    .type = TALLY_TYPE_TEXT,
    .hint = "its arguments are entity, key, and, if need be, missing => 'null', origin => '…', target => '…'" },
};

static gboolean
names_arguments (const PgQuery__FuncCall *call)
{
  for (size_t i = 0; i < call->n_args; i++)
    if (call->args[i]->node_case == PG_QUERY__NODE__NODE_NAMED_ARG_EXPR)
      return TRUE;

  return FALSE;
}

static const NamedArgs *
find_named_args (const PgQuery__FuncCall *call, const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (named_args); i++)
    if (strcmp (named_args[i].function, name) == 0 && (named_args[i].always || names_arguments (call)))
      return &named_args[i];

  return NULL;
}

/* Where an argument stands, by its name or its place; or behind the last. */
static guint
find_arg (const NamedArgs *named, const char *name, guint place)
{
  guint i = 0;

  while (named->names[i] != NULL && (name != NULL ? strcmp (named->names[i], name) != 0 : i != place))
    i++;
  return i;
}

static Term *
left_out (Typer *typer, const NamedArgs *named, gint32 location)
{
  const Value zero = { 0 };

  return locate (typer,
                 tally_term_constant (typer->expression, named->type,
                                      named->type == TALLY_TYPE_BIGINT ? &zero : NULL),
                 location);
}

/* Fills in what is not given. */
static gboolean
type_named_args (Typer *typer, const NamedArgs *named, const PgQuery__FuncCall *call, Term **args, guint *ret_n)
{
  guint n = (guint)g_strv_length ((char **)named->names);

  memset (args, 0, n * sizeof *args);
  for (guint i = 0; i < call->n_args; i++)
    {
      const PgQuery__Node *node = call->args[i];
      gboolean has_name = node->node_case == PG_QUERY__NODE__NODE_NAMED_ARG_EXPR;
      guint at = find_arg (named, has_name ? node->named_arg_expr->name : NULL, i);

      if (at >= n || args[at] != NULL)
        {
          COMPLAIN (typer, has_name ? node->named_arg_expr->location : call->location, named->hint,
                    "%s has no such argument, or has it already", named->function);
          return FALSE;
        }
      args[at] = type_node (typer, has_name ? node->named_arg_expr->arg : node);
      if (args[at] == NULL)
        return FALSE;
    }

  for (guint i = 0; i < n; i++)
    if (args[i] == NULL && i < named->n_required)
      {
        COMPLAIN (typer, call->location, named->hint, "%s has no argument \"%s\"", named->function, named->names[i]);
        return FALSE;
      }
    else if (args[i] == NULL)
      args[i] = left_out (typer, named, call->location);
  *ret_n = n;
  return TRUE;
}

static Term *
type_call (Typer *typer, const PgQuery__FuncCall *call)
{
  const char *name = function_name (typer, call);
  const NamedArgs *named;
  const Function *function;
  guint8 types[MAX_ARGS] = { 0 }, coerced[MAX_ARGS];
  Term *args[MAX_ARGS];
  guint n_args = (guint)call->n_args;
  ResolveResult result;

  if (name == NULL)
    return NULL;
  if (call->n_args > MAX_ARGS)
    return COMPLAIN (typer, call->location, NULL, "%s has more than %d arguments", name, MAX_ARGS);
  named = find_named_args (call, name);
  if (named != NULL)
    {
      if (!type_named_args (typer, named, call, args, &n_args))
        return NULL;
    }
  else
    for (guint i = 0; i < n_args; i++)
      if ((args[i] = type_node (typer, call->args[i])) == NULL)
        return NULL;
  for (guint i = 0; i < n_args; i++)
    types[i] = args[i]->type;

  result = tally_function_resolve (name, FALSE, types, n_args, &function, coerced);
  if (result != RESOLVE_FOUND)
    return function_missing (typer, name, args, n_args, call->location, result);
  if (!coerce_all (typer, args, n_args, coerced))
    return NULL;

  return locate (typer, call_function (typer, function, result_type (function, args), n_args, args),
                 call->location);
}

static Term *
type_value_function (Typer *typer, const PgQuery__SQLValueFunction *value)
{
  static const struct
  {
    PgQuery__SQLValueFunctionOp op;
    const char *function;
  } functions[] = {
    { PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_DATE, "current_date" },
    { PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP, "now" },
    { PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP, "localtimestamp" },
  };
  guint8 types[MAX_ARGS] = { 0 };
  const Function *function;

  for (guint i = 0; i < G_N_ELEMENTS (functions); i++)
    if (value->op == functions[i].op
        && tally_function_resolve (functions[i].function, FALSE, types, 0, &function, types)
               == RESOLVE_FOUND)
      return locate (
          typer, call_function (typer, function, tally_type_of_letter (function->result), 0, NULL),
          value->location);

  return refuse (typer, value->location, "this function is");
}

/* Boolean logic, NULL tests, CASE and its like. */

static Term *
type_logic (Typer *typer, const PgQuery__BoolExpr *expr)
{
  const char *context = expr->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR  ? "AND"
                        : expr->boolop == PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR ? "OR"
                                                                            : "NOT";
  Term *result = NULL;

  for (gsize i = 0; i < expr->n_args; i++)
    {
      Term *term = type_boolean (typer, expr->args[i], context);

      if (term == NULL)
        return NULL;
      if (expr->boolop == PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR)
        return make_not (typer, term);
      result = result == NULL
                   ? term
                   : make_logic (typer, context[0] == 'A' ? TERM_AND : TERM_OR, result, term);
    }

  return result;
}

static Term *
type_null_test (Typer *typer, const PgQuery__NullTest *test)
{
  Term *term = type_node (typer, test->arg);
  const Function *function = test->nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NULL
                                 ? &tally_is_null_function
                                 : &tally_is_not_null_function;

  if (term != NULL && term->type == TYPE_UNKNOWN)
    term = type_literal (typer, term, TALLY_TYPE_TEXT);
  return term != NULL ? call_1 (typer, function, TALLY_TYPE_BOOLEAN, term) : NULL;
}

static Term *
type_boolean_test (Typer *typer, const PgQuery__BooleanTest *test)
{
  static const char *const contexts[] = {
    "", "IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NOT FALSE", "IS UNKNOWN", "IS NOT UNKNOWN"
  };
  guint kind = MIN ((guint)test->booltesttype, (guint)G_N_ELEMENTS (contexts) - 1);
  Term *term = type_boolean (typer, test->arg, contexts[kind]), *result;

  if (term == NULL)
    return NULL;
  result = call_1 (typer, &tally_boolean_test_function, TALLY_TYPE_BOOLEAN, term);
  result->modifier = kind;
  return result;
}

/* CASE x WHEN y compares x, worked out once, with = to each y. */
static Term *
type_condition (Typer *typer, const PgQuery__CaseWhen *when, Term *arg, gboolean is_first)
{
  Term *value;

  if (arg == NULL)
    return type_boolean (typer, when->expr, "CASE/WHEN");

  value = type_node (typer, when->expr);
  return value != NULL ? make_operator (typer, "=", is_first ? arg : make_same (typer, arg), value,
                                        (gint32)(value->offset + typer->prefix))
                       : NULL;
}

static Term *
type_case (Typer *typer, const PgQuery__CaseExpr *expr)
{
  guint n_results = (guint)expr->n_args + 1, type;
  Term *term, *arg = NULL, *otherwise;
  g_autofree Term **results = g_new0 (Term *, n_results);

  if (expr->arg != NULL)
    {
      if ((arg = type_node (typer, expr->arg)) == NULL)
        return NULL;
      if (arg->type == TYPE_UNKNOWN && (arg = type_literal (typer, arg, TALLY_TYPE_TEXT)) == NULL)
        return NULL;
    }

  term
      = tally_term_new (typer->expression, TERM_CASE, TALLY_TYPE_TEXT, 2 * (guint)expr->n_args + 1);
  for (gsize i = 0; i < expr->n_args; i++)
    {
      const PgQuery__CaseWhen *when = expr->args[i]->case_when;

      if ((term->args[2 * i] = type_condition (typer, when, arg, i == 0)) == NULL
          || (results[i + 1] = type_node (typer, when->result)) == NULL)
        return NULL;
    }
  otherwise = expr->defresult != NULL
                  ? type_node (typer, expr->defresult)
                  : locate (typer, tally_term_constant (typer->expression, TYPE_UNKNOWN, NULL),
                            expr->location);
  if (otherwise == NULL)
    return NULL;

  results[0] = otherwise; /* PostgreSQL looks at the ELSE first */
  if (!unify (typer, "CASE", results, n_results, &type))
    return NULL;
  for (gsize i = 0; i < expr->n_args; i++)
    term->args[2 * i + 1] = results[i + 1];
  term->args[term->n_args - 1] = results[0];
  term->type = (guint8)type;
  return locate (typer, term, expr->location);
}

/* COALESCE, GREATEST, LEAST. */
static Term *
type_many (Typer *typer, const char *context, const Function *function, size_t n_args,
           PgQuery__Node **nodes, gint32 location)
{
  Term *term;
  guint type;

  if (function != NULL && n_args > MAX_ARGS)
    return COMPLAIN (typer, location, NULL, "%s has more than %d arguments", context, MAX_ARGS);

  term = tally_term_new (typer->expression, function != NULL ? TERM_CALL : TERM_COALESCE,
                         TALLY_TYPE_TEXT, (guint)n_args);
  term->function = function;
  for (size_t i = 0; i < n_args; i++)
    if ((term->args[i] = type_node (typer, nodes[i])) == NULL)
      return NULL;
  if (!unify (typer, context, term->args, term->n_args, &type))
    return NULL;

  term->type = (guint8)type;
  return locate (typer, term, location);
}

static Term *
type_array (Typer *typer, const PgQuery__AArrayExpr *array)
{
  Term *args[MAX_ARGS];
  guint type;

  if (array->n_elements == 0)
    return COMPLAIN (typer, array->location, "write ARRAY[]::text[]",
                     "cannot determine type of empty array");
  if (array->n_elements > MAX_ARGS)
    return COMPLAIN (typer, array->location, NULL, "ARRAY has more than %d elements", MAX_ARGS);
  for (gsize i = 0; i < array->n_elements; i++)
    if ((args[i] = type_node (typer, array->elements[i])) == NULL)
      return NULL;
  if (!unify (typer, "ARRAY", args, (guint)array->n_elements, &type))
    return NULL;
  if (type != TALLY_TYPE_TEXT)
    return COMPLAIN (typer, array->location, "jsonb_build_array() takes any types",
                     "an array of type %s is not supported", tally_term_type_name (type));

  return locate (
      typer,
      call_function (typer, &tally_array_function, TYPE_TEXT_ARRAY, (guint)array->n_elements, args),
      array->location);
}

/* The index of what is NULL is not worked out. */
static Term *
make_subscript (Typer *typer, const Function *function, guint type, Term *term, Term *index)
{
  Term *choice;

  if (index->kind == TERM_CONSTANT || index->kind == TERM_COLUMN)
    return call_2 (typer, function, type, term, index);

  choice = locate_as (tally_term_new (typer->expression, TERM_CASE, type, 3), term);
  choice->args[0] = call_1 (typer, &tally_is_not_null_function, TALLY_TYPE_BOOLEAN, term);
  choice->args[1] = call_2 (typer, function, type, make_same (typer, term), index);
  choice->args[2] = locate_as (tally_term_constant (typer->expression, type, NULL), term);
  return choice;
}

/* j[key] or j[n] of a jsonb; a text that is a number counts elements, as in a path. */
static Term *
subscript_jsonb (Typer *typer, Term *term, const PgQuery__Node *node)
{
  Term *index;

  if (node->node_case != PG_QUERY__NODE__NODE_A_INDICES || node->a_indices->is_slice)
    return complain (typer, tally_complaint_new (term->offset, term->length, NULL,
                                                 "such a subscript is not supported"));
  if ((index = type_node (typer, node->a_indices->uidx)) == NULL)
    return NULL;
  if (index->type == TYPE_UNKNOWN && (index = type_literal (typer, index, TALLY_TYPE_TEXT)) == NULL)
    return NULL;
  if (index->type == TALLY_TYPE_BIGINT)
    return make_subscript (typer, &tally_jsonb_element_function, TALLY_TYPE_JSONB, term, index);
  if (index->type == TALLY_TYPE_TEXT)
    return make_subscript (typer, &tally_jsonb_member_function, TALLY_TYPE_JSONB, term, index);

  return complain (typer, tally_complaint_new (index->offset, index->length,
                                               "jsonb subscript must be coercible to either "
                                               "integer or text.",
                                               "subscript type %s is not supported",
                                               tally_term_type_name (index->type)));
}

/* a[n] of a text[]. */
static Term *
type_subscript (Typer *typer, const PgQuery__AIndirection *indirection)
{
  Term *term = type_node (typer, indirection->arg), *index;
  const PgQuery__Node *first = indirection->n_indirection == 1 ? indirection->indirection[0] : NULL;

  if (term == NULL)
    return NULL;
  if (term->type == TALLY_TYPE_JSONB)
    {
      for (size_t i = 0; i < indirection->n_indirection && term != NULL; i++)
        term = subscript_jsonb (typer, term, indirection->indirection[i]);
      return term;
    }
  if (first == NULL || first->node_case != PG_QUERY__NODE__NODE_A_INDICES
      || first->a_indices->is_slice || term->type != TYPE_TEXT_ARRAY)
    return complain (typer, tally_complaint_new (term->offset, term->length,
                                                 "a text[] takes one subscript, as in a[1]",
                                                 "such a subscript is not supported"));
  if ((index = type_node (typer, first->a_indices->uidx)) == NULL)
    return NULL;
  if (index->type == TYPE_UNKNOWN
      && (index = type_literal (typer, index, TALLY_TYPE_BIGINT)) == NULL)
    return NULL;
  if (index->type != TALLY_TYPE_BIGINT)
    return complain (typer, tally_complaint_new (index->offset, index->length, NULL,
                                                 "array subscript must have type integer"));

  return make_subscript (typer, &tally_array_element_function, TALLY_TYPE_TEXT, term, index);
}

static Term *
type_collate (Typer *typer, const PgQuery__CollateClause *collate)
{
  const PgQuery__Node *last = collate->collname[collate->n_collname - 1];
  Term *term;

  if (strcmp (last->string->sval, "C") != 0 && strcmp (last->string->sval, "POSIX") != 0)
    return COMPLAIN (typer, collate->location, "the order is always that of \"C\", by bytes",
                     "collation \"%s\" is not supported", last->string->sval);

  term = type_node (typer, collate->arg);
  if (term != NULL && term->type == TYPE_UNKNOWN)
    term = type_literal (typer, term, TALLY_TYPE_TEXT);
  if (term != NULL && term->type != TALLY_TYPE_TEXT)
    return COMPLAIN (typer, collate->location, NULL, "collations are not supported by type %s",
                     tally_term_type_name (term->type));
  return term;
}

static Term *
dispatch (Typer *typer, const PgQuery__Node *node)
{
  switch (node->node_case)
    {
    case PG_QUERY__NODE__NODE_A_CONST:
      return type_constant (typer, node->a_const);
    case PG_QUERY__NODE__NODE_COLUMN_REF:
      return type_column (typer, node->column_ref);
    case PG_QUERY__NODE__NODE_A_EXPR:
      return type_operator (typer, node->a_expr);
    case PG_QUERY__NODE__NODE_FUNC_CALL:
      return type_call (typer, node->func_call);
    case PG_QUERY__NODE__NODE_TYPE_CAST:
      return type_cast (typer, node->type_cast);
    case PG_QUERY__NODE__NODE_BOOL_EXPR:
      return type_logic (typer, node->bool_expr);
    case PG_QUERY__NODE__NODE_NULL_TEST:
      return type_null_test (typer, node->null_test);
    case PG_QUERY__NODE__NODE_BOOLEAN_TEST:
      return type_boolean_test (typer, node->boolean_test);
    case PG_QUERY__NODE__NODE_CASE_EXPR:
      return type_case (typer, node->case_expr);
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
      return type_many (typer, "COALESCE", NULL, node->coalesce_expr->n_args,
                        node->coalesce_expr->args, node->coalesce_expr->location);
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
      {
        gboolean greatest = node->min_max_expr->op == PG_QUERY__MIN_MAX_OP__IS_GREATEST;

        return type_many (typer, greatest ? "GREATEST" : "LEAST",
                          greatest ? &tally_greatest_function : &tally_least_function,
                          node->min_max_expr->n_args, node->min_max_expr->args,
                          node->min_max_expr->location);
      }
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
      return type_value_function (typer, node->sqlvalue_function);
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
      return type_array (typer, node->a_array_expr);
    case PG_QUERY__NODE__NODE_A_INDIRECTION:
      return type_subscript (typer, node->a_indirection);
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE:
      return type_collate (typer, node->collate_clause);
    case PG_QUERY__NODE__NODE_SUB_LINK:
      return refuse (typer, node->sub_link->location, "a subquery is");
    case PG_QUERY__NODE__NODE_PARAM_REF:
      return refuse (typer, node->param_ref->location, "a parameter is");
    case PG_QUERY__NODE__NODE_ROW_EXPR:
      return refuse (typer, node->row_expr->location, "a row of values is");
    case PG_QUERY__NODE__NODE_NAMED_ARG_EXPR:
      return refuse (typer, node->named_arg_expr->location, "an argument by name is");
    case PG_QUERY__NODE__NODE_GROUPING_FUNC:
      return refuse (typer, node->grouping_func->location, "GROUPING is");
    case PG_QUERY__NODE__NODE_XML_EXPR:
      return refuse (typer, node->xml_expr->location, "XML is");
    default:
      return refuse (typer, (gint32)typer->prefix, "this construct is");
    }
}

static Term *
type_node (Typer *typer, const PgQuery__Node *node)
{
  Term *term;

  if (typer->depth >= MAX_DEPTH)
    return COMPLAIN (typer, (gint32)typer->prefix, NULL,
                     "expression is nested deeper than %d levels", MAX_DEPTH);

  typer->depth++;
  term = dispatch (typer, node);
  typer->depth--;
  return term;
}

Term *
tally_type_tree (TallyExpression *expression, const char *text, gsize prefix,
                 const PgQuery__Node *node, TallyComplaint **ret_complaint)
{
  Typer typer = { .expression = expression, .text = text, .prefix = prefix };
  Term *term = type_node (&typer, node);

  if (term != NULL && term->type == TYPE_UNKNOWN)
    term = type_literal (&typer, term, TALLY_TYPE_TEXT);
  if (term == NULL)
    *ret_complaint = typer.complaint;
  return term;
}
