/* compare.c: = <> < <= > >= and what compares as they do */
#include "record/datetime.h"
#include "record/jsonb.h"
#include "record/numeric.h"
#include "function.h"
#include <math.h>
#include <string.h>

enum
{
  EQUAL,
  UNEQUAL,
  LESS,
  LESS_EQUAL,
  GREATER,
  GREATER_EQUAL,
};

static inline gint
compare_text (TallyText a, TallyText b)
{
  gint order = memcmp (a.data, b.data, MIN (a.length, b.length));

  return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

/* NaN equals NaN and is above all others. */
static inline gint
compare_double (double a, double b)
{
  if (isnan (a) || isnan (b))
    return isnan (a) - isnan (b);

  return (a > b) - (a < b);
}

/* The next byte of a JSON string's text, or -1 at its end; canonical JSON escapes what is below a
 * blank, the quote and the backslash. */
static gint
next_byte (const char **at)
{
  static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
  const char *letter;
  gint byte;

  if (**at == '"')
    return -1;
  if (**at != '\\')
    return (guchar) * (*at)++;

  (*at)++;
  if (**at == 'u')
    {
      byte = g_ascii_xdigit_value ((*at)[3]) * 16 + g_ascii_xdigit_value ((*at)[4]);
      *at += 5;
      return byte;
    }
  letter = strchr (letters, *(*at)++);
  return letter != NULL ? meanings[letter - letters] : (*at)[-1];
}

/* NULLs, equal to each other, come last. */
static gint
compare_elements (TallyText a, TallyText b)
{
  const char *a_at = a.data + 1, *b_at = b.data + 1;
  gint a_byte, b_byte;

  if (a.data[0] != '"' || b.data[0] != '"')
    return (a.data[0] != '"') - (b.data[0] != '"');

  do
    {
      a_byte = next_byte (&a_at);
      b_byte = next_byte (&b_at);
    }
  while (a_byte == b_byte && a_byte >= 0);
  return a_byte - b_byte;
}

/* Element by element; of two that begin alike the longer is greater. */
static gint
compare_array (TallyText a, TallyText b)
{
  TallyJsonbIter a_iter, b_iter;
  TallyText a_element, b_element;
  gboolean a_more, b_more;

  tally_jsonb_iter_init (&a_iter, a);
  tally_jsonb_iter_init (&b_iter, b);
  for (;;)
    {
      gint order;

      a_more = tally_jsonb_iter_next (&a_iter, NULL, &a_element);
      b_more = tally_jsonb_iter_next (&b_iter, NULL, &b_element);
      if (!a_more || !b_more)
        return a_more - b_more;
      order = compare_elements (a_element, b_element);
      if (order != 0)
        return order;
    }
}

gint
tally_value_compare (guint type, const Value *a, const Value *b)
{
  switch (type)
    {
    case TALLY_TYPE_BOOLEAN:
      return (gint)a->boolean - (gint)b->boolean;
    case TALLY_TYPE_BIGINT:
    case TALLY_TYPE_TIMESTAMP:
    case TALLY_TYPE_TIMESTAMPTZ:
      return (a->integer > b->integer) - (a->integer < b->integer);
    case TALLY_TYPE_DATE:
      return (a->date > b->date) - (a->date < b->date);
    case TALLY_TYPE_DOUBLE:
      return compare_double (a->real, b->real);
    case TALLY_TYPE_NUMERIC:
      return tally_numeric_compare (a->text, b->text);
    case TALLY_TYPE_INTERVAL:
      return tally_interval_compare (a->interval, b->interval);
    case TALLY_TYPE_JSONB:
      return tally_jsonb_compare (a->text, b->text);
    case TYPE_TEXT_ARRAY:
      return compare_array (a->text, b->text);
    default:
      return compare_text (a->text, b->text);
    }
}

static gboolean
order_holds (gintptr operation, gint order)
{
  switch (operation)
    {
    case EQUAL:
      return order == 0;
    case UNEQUAL:
      return order != 0;
    case LESS:
      return order < 0;
    case LESS_EQUAL:
      return order <= 0;
    case GREATER:
      return order > 0;
    default:
      return order >= 0;
    }
}

/* One loop an operator and type, so that the compiler sees a plain comparison in each. */
#define COMPARE_LOOP(test)                                                                         \
  FOR_EACH_ROW (frame, term->validity, row)                                                        \
  {                                                                                                \
    a = as[row * a_step];                                                                          \
    b = bs[row * b_step];                                                                          \
    values[row] = (test);                                                                          \
  }

#define DEFINE_COMPARE(name, Type, equal, order)                                                   \
  static void name (Frame *frame, Term *term)                                                      \
  {                                                                                                \
    const Type *as = term->args[0]->values, *bs = term->args[1]->values;                           \
    guint a_step = term->args[0]->step, b_step = term->args[1]->step;                              \
    guint8 *values = term->values;                                                                 \
    Type a, b;                                                                                     \
                                                                                                   \
    switch (term->function->detail)                                                                \
      {                                                                                            \
      case EQUAL:                                                                                  \
        COMPARE_LOOP (equal)                                                                       \
        break;                                                                                     \
      case UNEQUAL:                                                                                \
        COMPARE_LOOP (!(equal))                                                                    \
        break;                                                                                     \
      case LESS:                                                                                   \
        COMPARE_LOOP (order < 0)                                                                   \
        break;                                                                                     \
      case LESS_EQUAL:                                                                             \
        COMPARE_LOOP (order <= 0)                                                                  \
        break;                                                                                     \
      case GREATER:                                                                                \
        COMPARE_LOOP (order > 0)                                                                   \
        break;                                                                                     \
      default:                                                                                     \
        COMPARE_LOOP (order >= 0)                                                                  \
        break;                                                                                     \
      }                                                                                            \
  }

#define PLAIN_ORDER ((a > b) - (a < b))

DEFINE_COMPARE (compare_texts, TallyText,
                a.length == b.length && memcmp (a.data, b.data, a.length) == 0, compare_text (a, b))
DEFINE_COMPARE (compare_booleans, guint8, a == b, PLAIN_ORDER)
DEFINE_COMPARE (compare_integers, gint64, a == b, PLAIN_ORDER)
DEFINE_COMPARE (compare_dates, gint32, a == b, PLAIN_ORDER)
DEFINE_COMPARE (compare_doubles, double, compare_double (a, b) == 0, compare_double (a, b))
DEFINE_COMPARE (compare_numerics, TallyText, tally_numeric_compare (a, b) == 0,
                tally_numeric_compare (a, b))
DEFINE_COMPARE (compare_intervals, TallyInterval, tally_interval_compare (a, b) == 0,
                tally_interval_compare (a, b))
DEFINE_COMPARE (compare_jsonbs, TallyText, tally_jsonb_compare (a, b) == 0,
                tally_jsonb_compare (a, b))

DEFINE_COMPARE (compare_arrays, TallyText, compare_array (a, b) == 0, compare_array (a, b))

/* A date may be out of a timestamp's range, so it is not cast to one. */
static void
compare_date_and_timestamp (Frame *frame, Term *term)
{
  gboolean date_first = term->args[0]->type == TALLY_TYPE_DATE;
  const Term *dates = term->args[!date_first], *timestamps = term->args[date_first];
  guint8 *values = term->values;

  FOR_EACH_ROW (frame, term->validity, row)
  {
    gint order
        = tally_date_compare_timestamp (TERM_VALUES (dates, gint32)[row * dates->step],
                                        TERM_VALUES (timestamps, gint64)[row * timestamps->step]);

    values[row] = order_holds (term->function->detail, date_first ? order : -order);
  }
}

#define COMPARE_OPERATORS(letters, function)                                                       \
  { "=", letters, 'b', .kernel = function, .detail = EQUAL },                                      \
      { "<>", letters, 'b', .kernel = function, .detail = UNEQUAL },                               \
      { "<", letters, 'b', .kernel = function, .detail = LESS },                                   \
      { "<=", letters, 'b', .kernel = function, .detail = LESS_EQUAL },                            \
      { ">", letters, 'b', .kernel = function, .detail = GREATER },                                \
  {                                                                                                \
    ">=", letters, 'b', .kernel = function, .detail = GREATER_EQUAL                                \
  }

const Function tally_operator_functions[] = {
  COMPARE_OPERATORS ("tt", compare_texts),
  COMPARE_OPERATORS ("bb", compare_booleans),
  COMPARE_OPERATORS ("ii", compare_integers),
  COMPARE_OPERATORS ("dd", compare_doubles),
  COMPARE_OPERATORS ("nn", compare_numerics),
  COMPARE_OPERATORS ("DD", compare_dates),
  COMPARE_OPERATORS ("ss", compare_integers),
  COMPARE_OPERATORS ("zz", compare_integers),
  COMPARE_OPERATORS ("sz", compare_integers),
  COMPARE_OPERATORS ("zs", compare_integers),
  COMPARE_OPERATORS ("Ds", compare_date_and_timestamp),
  COMPARE_OPERATORS ("sD", compare_date_and_timestamp),
  COMPARE_OPERATORS ("Dz", compare_date_and_timestamp),
  COMPARE_OPERATORS ("zD", compare_date_and_timestamp),
  COMPARE_OPERATORS ("vv", compare_intervals),
  COMPARE_OPERATORS ("yy", compare_texts),
  COMPARE_OPERATORS ("jj", compare_jsonbs),
  COMPARE_OPERATORS ("AA", compare_arrays),
  { NULL },
};

static void
is_null_kernel (Frame *frame, Term *term)
{
  const Term *arg = term->args[0];
  gboolean wanted = term->function->detail;
  guint8 *values = term->values;

  FOR_EACH_ROW (frame, term->validity, row)
  values[row] = tally_bitmap_get (arg->validity, row) == wanted;
}

static void
not_kernel (Frame *frame, Term *term)
{
  const guint8 *from = term->args[0]->values;
  guint step = term->args[0]->step;
  guint8 *values = term->values;

  FOR_EACH_ROW (frame, term->validity, row)
  values[row] = !from[row * step];
}

/* modifier is PostgreSQL's BoolTestType: IS TRUE, IS NOT TRUE, IS FALSE, IS NOT FALSE, IS UNKNOWN,
 * IS NOT UNKNOWN. */
static gboolean
boolean_test (Call *call, const Value *args, Value *ret, GError **error)
{
  gint64 kind = call->term->modifier;
  gboolean unknown = call->nulls != 0;
  gboolean holds = kind <= 2   ? !unknown && args[0].boolean
                   : kind <= 4 ? !unknown && !args[0].boolean
                               : unknown;

  ret->boolean = kind % 2 == 1 ? holds : !holds;
  return TRUE;
}

/* = takes a date with a timestamp as they are; all others have been brought to one type. */
static gint
compare_args (const Call *call, const Value *args)
{
  guint a = call->term->args[0]->type, b = call->term->args[1]->type;

  if (a == TALLY_TYPE_DATE && b != TALLY_TYPE_DATE)
    return tally_date_compare_timestamp (args[0].date, args[1].integer);
  if (b == TALLY_TYPE_DATE && a != TALLY_TYPE_DATE)
    return -tally_date_compare_timestamp (args[1].date, args[0].integer);
  return tally_value_compare (a, &args[0], &args[1]);
}

static gboolean
is_distinct (Call *call, const Value *args, Value *ret, GError **error)
{
  gboolean distinct;

  if (call->nulls != 0)
    distinct = call->nulls != 3;
  else
    distinct = compare_args (call, args) != 0;
  ret->boolean = distinct == call->term->function->detail;
  return TRUE;
}

static gboolean
nullif (Call *call, const Value *args, Value *ret, GError **error)
{
  call->is_null = (call->nulls & 1) || (call->nulls == 0 && compare_args (call, args) == 0);
  *ret = args[0];
  return TRUE;
}

/* GREATEST and LEAST pass over NULLs; detail is the sign of the order that wins. */
static gboolean
extreme (Call *call, const Value *args, Value *ret, GError **error)
{
  gboolean found = FALSE;

  for (guint i = 0; i < call->term->n_args; i++)
    if (!(call->nulls >> i & 1)
        && (!found
            || tally_value_compare (call->term->type, &args[i], ret) * call->term->function->detail
                   > 0))
      {
        *ret = args[i];
        found = TRUE;
      }

  call->is_null = !found;
  return TRUE;
}

static gboolean
in_list (const Term *term, const Value *value, gboolean *ret_unknown)
{
  guint type = term->args[0]->type;

  for (guint i = 1; i < term->n_args; i++)
    if (term->args[i]->is_null)
      *ret_unknown = TRUE;
    else if (tally_value_compare (type, value, &term->args[i]->constant) == 0)
      return TRUE;

  return FALSE;
}

/* Text is the common case, and most texts differ in length or in the first byte. */
static gboolean
in_text_list (const Term *term, TallyText text, gboolean *ret_unknown)
{
  for (guint i = 1; i < term->n_args; i++)
    if (term->args[i]->is_null)
      *ret_unknown = TRUE;
    else if (term->args[i]->constant.text.length == text.length
             && memcmp (term->args[i]->constant.text.data, text.data, text.length) == 0)
      return TRUE;

  return FALSE;
}

/* x IN (constants): TRUE if one equals it, NULL if none does and one is NULL. */
static void
in_kernel (Frame *frame, Term *term)
{
  const Term *left = term->args[0];
  gsize size = tally_term_type_size (left->type);
  gboolean is_text = left->type == TALLY_TYPE_TEXT;
  guint8 *values = term->values;

  for (guint w = 0; w < frame->n_words; w++)
    term->validity[w] &= left->validity[w];
  FOR_EACH_ROW (frame, term->validity, row)
  {
    gboolean unknown = FALSE;
    Value value = { 0 };

    memcpy (&value, (const char *)left->values + row * left->step * size, size);
    values[row]
        = is_text ? in_text_list (term, value.text, &unknown) : in_list (term, &value, &unknown);
    if (!values[row] && unknown)
      tally_bitmap_clear (term->validity, row);
  }
}

const Function tally_is_null_function = {
  "is null", "*", 'b', .kernel = is_null_kernel, .flags = FUNCTION_TAKES_NULL, .detail = FALSE
};
const Function tally_is_not_null_function
    = { "is not null", "*", 'b', .kernel = is_null_kernel, .flags = FUNCTION_TAKES_NULL,
        .detail = TRUE };
const Function tally_not_function = { "not", "b", 'b', .kernel = not_kernel };
const Function tally_boolean_test_function
    = { "is", "b", 'b', boolean_test, .flags = FUNCTION_TAKES_NULL };
const Function tally_is_distinct_function
    = { "distinct", "**", 'b', is_distinct, .flags = FUNCTION_TAKES_NULL, .detail = TRUE };
const Function tally_is_not_distinct_function
    = { "not distinct", "**", 'b', is_distinct, .flags = FUNCTION_TAKES_NULL, .detail = FALSE };
const Function tally_nullif_function
    = { "nullif", "**", '*', nullif, .flags = FUNCTION_TAKES_NULL | FUNCTION_NULL_BY_FIRST };
const Function tally_greatest_function
    = { "greatest", "*", '*', extreme, .flags = FUNCTION_TAKES_NULL, .detail = 1 };
const Function tally_least_function
    = { "least", "*", '*', extreme, .flags = FUNCTION_TAKES_NULL, .detail = -1 };
const Function tally_in_function
    = { "in", "*", 'b', .kernel = in_kernel, .flags = FUNCTION_TAKES_NULL };
