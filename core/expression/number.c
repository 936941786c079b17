/* number.c: arithmetic */
#include "record/number-template.h"
#include "record/numeric.h"
#include "function.h"
#include <math.h>
#include <string.h>

enum
{
  ADD,
  SUBTRACT,
  MULTIPLY,
  DIVIDE,
  MODULO,
};

static const char *
bigint_binary (gintptr operation, gint64 a, gint64 b, gint64 *ret)
{
  gboolean overflow = FALSE;

  switch (operation)
    {
    case ADD:
      overflow = __builtin_add_overflow (a, b, ret);
      break;
    case SUBTRACT:
      overflow = __builtin_sub_overflow (a, b, ret);
      break;
    case MULTIPLY:
      overflow = __builtin_mul_overflow (a, b, ret);
      break;
    case DIVIDE:
      if (b == 0)
        return "division by zero";
      if (b == -1)
        overflow = __builtin_sub_overflow ((gint64)0, a, ret);
      else
        *ret = a / b;
      break;
    default:
      if (b == 0)
        return "division by zero";
      *ret = b == -1 ? 0 : a % b;
      break;
    }

  return overflow ? "bigint out of range" : NULL;
}

static void
bigint_kernel (Frame *frame, Term *term)
{
  const gint64 *as = term->args[0]->values, *bs = term->args[1]->values;
  guint a_step = term->args[0]->step, b_step = term->args[1]->step;
  gint64 *values = term->values;
  gintptr operation = term->function->detail;

  FOR_EACH_ROW (frame, term->validity, row)
  {
    const char *message
        = bigint_binary (operation, as[row * a_step], bs[row * b_step], &values[row]);

    if (message != NULL)
      {
        tally_frame_fail (frame, row, message);
        tally_bitmap_clear (term->validity, row);
      }
  }
}

/* PostgreSQL's rule: an infinity or a zero that no operand had is an error. */
static gboolean
check_double (double value, gboolean may_be_infinite, gboolean may_be_zero, GError **error)
{
  if (isinf (value) && !may_be_infinite)
    return tally_throw (error, TALLY_ERROR_DATA, "value out of range: overflow");
  if (value == 0 && !may_be_zero)
    return tally_throw (error, TALLY_ERROR_DATA, "value out of range: underflow");

  return TRUE;
}

static gboolean
double_binary (Call *call, const Value *args, Value *ret, GError **error)
{
  double a = args[0].real, b = args[1].real;
  gboolean infinite = isinf (a) || isinf (b), zero = TRUE;

  switch (call->term->function->detail)
    {
    case ADD:
      ret->real = a + b;
      break;
    case SUBTRACT:
      ret->real = a - b;
      break;
    case MULTIPLY:
      ret->real = a * b;
      zero = a == 0 || b == 0;
      break;
    default:
      if (b == 0 && !isnan (a))
        return tally_throw (error, TALLY_ERROR_DATA, "division by zero");
      ret->real = a / b;
      infinite = isinf (a);
      zero = a == 0 || isinf (b);
      break;
    }

  return check_double (ret->real, infinite, zero, error);
}

static gboolean
numeric_binary (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyNumericBinary function = (TallyNumericBinary)call->term->function->detail;

  return function (args[0].text, args[1].text, call->batch, &ret->text, error);
}

static gboolean
numeric_unary (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyNumericUnary function = (TallyNumericUnary)call->term->function->detail;

  return function (args[0].text, call->batch, &ret->text, error);
}

static gboolean
bigint_negate (Call *call, const Value *args, Value *ret, GError **error)
{
  if (args[0].integer == G_MININT64)
    return tally_throw (error, TALLY_ERROR_DATA, "bigint out of range");

  ret->integer = -args[0].integer;
  return TRUE;
}

static gboolean
bigint_abs (Call *call, const Value *args, Value *ret, GError **error)
{
  return args[0].integer < 0 ? bigint_negate (call, args, ret, error)
                             : (ret->integer = args[0].integer, TRUE);
}

static gboolean
same_bigint (Call *call, const Value *args, Value *ret, GError **error)
{
  *ret = args[0];
  return TRUE;
}

static gboolean
double_negate (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->real = -args[0].real;
  return TRUE;
}

static double
double_sign (double value)
{
  return value > 0 ? 1 : value < 0 ? -1 : 0;
}

/* Functions of the C library that cannot go wrong. */
typedef double (*DoubleFunc) (double);

static gboolean
double_plain (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->real = ((DoubleFunc)call->term->function->detail) (args[0].real);
  return TRUE;
}

static gboolean
double_sqrt (Call *call, const Value *args, Value *ret, GError **error)
{
  if (args[0].real < 0)
    return tally_throw (error, TALLY_ERROR_DATA, "cannot take square root of a negative number");

  ret->real = sqrt (args[0].real);
  return TRUE;
}

static gboolean
double_logarithm (Call *call, const Value *args, Value *ret, GError **error)
{
  if (args[0].real == 0)
    return tally_throw (error, TALLY_ERROR_DATA, "cannot take logarithm of zero");
  if (args[0].real < 0)
    return tally_throw (error, TALLY_ERROR_DATA, "cannot take logarithm of a negative number");

  ret->real = ((DoubleFunc)call->term->function->detail) (args[0].real);
  return check_double (ret->real, isinf (args[0].real), args[0].real == 1, error);
}

static gboolean
double_exp (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->real = exp (args[0].real);
  return check_double (ret->real, isinf (args[0].real), isinf (args[0].real), error);
}

static gboolean
double_power (Call *call, const Value *args, Value *ret, GError **error)
{
  double base = args[0].real, exponent = args[1].real;

  if (base == 0 && exponent < 0)
    return tally_throw (error, TALLY_ERROR_DATA, "zero raised to a negative power is undefined");
  if (base < 0 && !isinf (exponent) && !isnan (exponent) && floor (exponent) != exponent)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "a negative number raised to a non-integer power yields a complex result");

  ret->real = pow (base, exponent);
  if (isinf (base) || isinf (exponent))
    return TRUE;
  return check_double (ret->real, FALSE, base == 0, error);
}

static gboolean
numeric_scaled (Call *call, const Value *args, Value *ret, GError **error)
{
  gint64 scale = call->term->n_args == 2 ? args[1].integer : 0;

  if (call->term->function->detail)
    return tally_numeric_round (args[0].text, scale, call->batch, &ret->text, error);
  return tally_numeric_trunc (args[0].text, scale, call->batch, &ret->text, error);
}

static gboolean
numeric_scale (Call *call, const Value *args, Value *ret, GError **error)
{
  if (call->term->function->detail)
    call->is_null = !tally_numeric_min_scale (args[0].text, &ret->integer);
  else
    call->is_null = !tally_numeric_scale (args[0].text, &ret->integer);
  return TRUE;
}

enum
{
  BIT_AND,
  BIT_OR,
  BIT_XOR,
  SHIFT_LEFT,
  SHIFT_RIGHT,
};

static gboolean
bigint_bits (Call *call, const Value *args, Value *ret, GError **error)
{
  guint64 a = (guint64)args[0].integer, b = (guint64)args[1].integer;

  switch (call->term->function->detail)
    {
    case BIT_AND:
      ret->integer = (gint64)(a & b);
      break;
    case BIT_OR:
      ret->integer = (gint64)(a | b);
      break;
    case BIT_XOR:
      ret->integer = (gint64)(a ^ b);
      break;
    case SHIFT_LEFT:
      ret->integer = (gint64)(a << (b & 63));
      break;
    default:
      ret->integer = args[0].integer >> (b & 63);
      break;
    }
  return TRUE;
}

static gboolean
bigint_not (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->integer = ~args[0].integer;
  return TRUE;
}

static gboolean
bigint_gcd (Call *call, const Value *args, Value *ret, GError **error)
{
  guint64 a = args[0].integer < 0 ? -(guint64)args[0].integer : (guint64)args[0].integer;
  guint64 b = args[1].integer < 0 ? -(guint64)args[1].integer : (guint64)args[1].integer;

  while (b != 0)
    {
      guint64 rest = a % b;

      a = b;
      b = rest;
    }
  if (a > G_MAXINT64)
    return tally_throw (error, TALLY_ERROR_DATA, "bigint out of range");

  ret->integer = (gint64)a;
  return TRUE;
}

static gboolean
bigint_lcm (Call *call, const Value *args, Value *ret, GError **error)
{
  Value divisor = { 0 };
  gint64 multiple;

  ret->integer = 0;
  if (args[0].integer == 0 || args[1].integer == 0)
    return TRUE;
  if (!bigint_gcd (call, args, &divisor, error))
    return FALSE;
  if (__builtin_mul_overflow (args[0].integer / divisor.integer, args[1].integer, &multiple)
      || multiple == G_MININT64)
    return tally_throw (error, TALLY_ERROR_DATA, "bigint out of range");

  ret->integer = ABS (multiple);
  return TRUE;
}

static gboolean
not_of_numeric (Term *term, GError **error)
{
  return tally_throw (error, TALLY_ERROR_UNSUPPORTED, "%s of numeric is not supported",
                      term->function->name);
}

/* Angles. */

static gboolean
throw_input_range (GError **error)
{
  return tally_throw (error, TALLY_ERROR_DATA, "input is out of range");
}

static gboolean
double_trigonometric (Call *call, const Value *args, Value *ret, GError **error)
{
  if (isinf (args[0].real))
    return throw_input_range (error);

  ret->real = ((DoubleFunc)call->term->function->detail) (args[0].real);
  return TRUE;
}

static gboolean
double_arc (Call *call, const Value *args, Value *ret, GError **error)
{
  if (args[0].real < -1 || args[0].real > 1)
    return throw_input_range (error);

  ret->real = ((DoubleFunc)call->term->function->detail) (args[0].real);
  return TRUE;
}

static gboolean
double_atan2 (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->real = atan2 (args[0].real, args[1].real);
  return TRUE;
}

static gboolean
double_pi (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->real = G_PI;
  return TRUE;
}

#define RADIANS_PER_DEGREE 0.0174532925199432957692

static gboolean
double_degrees (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->real = args[0].real / RADIANS_PER_DEGREE;
  return check_double (ret->real, isinf (args[0].real), args[0].real == 0, error);
}

static gboolean
double_radians (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->real = args[0].real * RADIANS_PER_DEGREE;
  return check_double (ret->real, isinf (args[0].real), args[0].real == 0, error);
}

/* width_bucket(value, low, high, count): which of count equal parts the value is in; 0 and count +
 * 1 are outside.  The bounds may be the wrong way round. */

static gboolean
check_buckets (gboolean has_nan, gboolean has_infinity, gboolean same, gint64 count, GError **error)
{
  const char *message = count <= 0     ? "count must be greater than zero"
                        : has_nan      ? "operand, lower bound, and upper bound cannot be NaN"
                        : has_infinity ? "lower and upper bounds must be finite"
                        : same         ? "lower bound cannot equal upper bound"
                                       : NULL;

  return message == NULL || tally_throw (error, TALLY_ERROR_DATA, "%s", message);
}

static gboolean
double_bucket (Call *call, const Value *args, Value *ret, GError **error)
{
  double value = args[0].real, low = args[1].real, high = args[2].real, part;
  gint64 count = args[3].integer;

  if (!check_buckets (isnan (value) || isnan (low) || isnan (high), isinf (low) || isinf (high),
                      low == high, count, error))
    return FALSE;
  if (low < high ? value < low : value > low)
    ret->integer = 0;
  else if (low < high ? value >= high : value <= high)
    ret->integer = count + 1;
  else
    {
      part = (double)count * (value - low) / (high - low);
      if (!isfinite (part))
        part = (double)count * ((value / 2 - low / 2) / (high / 2 - low / 2));
      ret->integer = (gint64)part + 1;
    }
  if (ret->integer > G_MAXINT32)
    return tally_throw (error, TALLY_ERROR_DATA, "integer out of range");
  return TRUE;
}

static gboolean
is_finite_numeric (TallyText value)
{
  return g_ascii_isdigit (value.data[value.length - 1]);
}

static gboolean
numeric_bucket (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText value = args[0].text, low = args[1].text, high = args[2].text, width, part;
  gint direction = tally_numeric_compare (low, high);
  gint64 count = args[3].integer;

  if (!check_buckets (value.data[0] == 'N' || low.data[0] == 'N' || high.data[0] == 'N',
                      !is_finite_numeric (low) || !is_finite_numeric (high), direction == 0, count,
                      error))
    return FALSE;
  if (tally_numeric_compare (value, low) * direction > 0)
    ret->integer = 0;
  else if (tally_numeric_compare (value, high) * direction <= 0)
    ret->integer = count + 1;
  else if (!tally_numeric_subtract (high, low, call->batch, &width, error)
           || !tally_numeric_subtract (value, low, call->batch, &part, error)
           || !tally_numeric_multiply (part, tally_numeric_from_bigint (count, call->batch),
                                       call->batch, &part, error)
           || !tally_numeric_divide (part, width, call->batch, &part, error)
           || !tally_numeric_floor (part, call->batch, &part, error)
           || !tally_numeric_to_bigint (part, &ret->integer, error))
    return FALSE;
  else
    ret->integer++;
  if (ret->integer > G_MAXINT32)
    return tally_throw (error, TALLY_ERROR_DATA, "integer out of range");
  return TRUE;
}

static gboolean
double_random (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->real = g_random_double ();
  return TRUE;
}

/* Templates.  One that is a constant is read once. */

static gboolean
prepare_template (Term *term, GError **error)
{
  const Term *format = term->args[1];

  if (format->kind != TERM_CONSTANT)
    return TRUE;

  term->data = tally_number_template_new (format->constant.text, error);
  term->free_data = tally_number_template_free;
  return term->data != NULL;
}

/* The prepared one, or this row's, which ret_own then holds. */
static const TallyNumberTemplate *
find_template (const Call *call, TallyText format, TallyNumberTemplate **ret_own, GError **error)
{
  if (call->term->data != NULL)
    return call->term->data;

  *ret_own = tally_number_template_new (format, error);
  return *ret_own;
}

static gboolean
to_char (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autoptr (TallyNumberTemplate) own = NULL;
  const TallyNumberTemplate *template = find_template (call, args[1].text, &own, error);

  if (template == NULL)
    return FALSE;
  switch (call->term->args[0]->type)
    {
    case TALLY_TYPE_BIGINT:
      return tally_bigint_to_char (args[0].integer, template, call->batch, &ret->text, error);
    case TALLY_TYPE_DOUBLE:
      return tally_double_to_char (args[0].real, template, call->batch, &ret->text, error);
    default:
      return tally_numeric_to_char (args[0].text, template, call->batch, &ret->text, error);
    }
}

static gboolean
to_number (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autoptr (TallyNumberTemplate) own = NULL;
  const TallyNumberTemplate *template = find_template (call, args[1].text, &own, error);

  return template != NULL
         && tally_numeric_from_template (args[0].text, template, call->batch, &call->is_null,
                                         &ret->text, error);
}

#define NUMERIC(function) ((gintptr)(function))
#define DOUBLE(function) ((gintptr)(DoubleFunc)(function))

const Function tally_number_functions[] = {
  { "+", "ii", 'i', .kernel = bigint_kernel, .detail = ADD },
  { "-", "ii", 'i', .kernel = bigint_kernel, .detail = SUBTRACT },
  { "*", "ii", 'i', .kernel = bigint_kernel, .detail = MULTIPLY },
  { "/", "ii", 'i', .kernel = bigint_kernel, .detail = DIVIDE },
  { "%", "ii", 'i', .kernel = bigint_kernel, .detail = MODULO },
  { "mod", "ii", 'i', .kernel = bigint_kernel, .detail = MODULO },
  { "+", "dd", 'd', double_binary, .detail = ADD },
  { "-", "dd", 'd', double_binary, .detail = SUBTRACT },
  { "*", "dd", 'd', double_binary, .detail = MULTIPLY },
  { "/", "dd", 'd', double_binary, .detail = DIVIDE },
  { "^", "dd", 'd', double_power },
  { "power", "dd", 'd', double_power },
  { "pow", "dd", 'd', double_power },
  { "+", "nn", 'n', numeric_binary, .detail = NUMERIC (tally_numeric_add) },
  { "-", "nn", 'n', numeric_binary, .detail = NUMERIC (tally_numeric_subtract) },
  { "*", "nn", 'n', numeric_binary, .detail = NUMERIC (tally_numeric_multiply) },
  { "/", "nn", 'n', numeric_binary, .detail = NUMERIC (tally_numeric_divide) },
  { "%", "nn", 'n', numeric_binary, .detail = NUMERIC (tally_numeric_modulo) },
  { "mod", "nn", 'n', numeric_binary, .detail = NUMERIC (tally_numeric_modulo) },
  { "div", "nn", 'n', numeric_binary, .detail = NUMERIC (tally_numeric_div) },
  { "^", "nn", 'n', numeric_binary, .detail = NUMERIC (tally_numeric_power) },
  { "power", "nn", 'n', numeric_binary, .detail = NUMERIC (tally_numeric_power) },
  { "pow", "nn", 'n', numeric_binary, .detail = NUMERIC (tally_numeric_power) },
  { "-", "i", 'i', bigint_negate },
  { "+", "i", 'i', same_bigint },
  { "-", "d", 'd', double_negate },
  { "+", "d", 'd', same_bigint },
  { "-", "n", 'n', numeric_unary, .detail = NUMERIC (tally_numeric_negate) },
  { "+", "n", 'n', same_bigint },
  { "@", "i", 'i', bigint_abs },
  { "@", "d", 'd', double_plain, .detail = DOUBLE (fabs) },
  { "@", "n", 'n', numeric_unary, .detail = NUMERIC (tally_numeric_abs) },
  { "abs", "i", 'i', bigint_abs },
  { "abs", "d", 'd', double_plain, .detail = DOUBLE (fabs) },
  { "abs", "n", 'n', numeric_unary, .detail = NUMERIC (tally_numeric_abs) },
  { "ceil", "d", 'd', double_plain, .detail = DOUBLE (ceil) },
  { "ceil", "n", 'n', numeric_unary, .detail = NUMERIC (tally_numeric_ceil) },
  { "ceiling", "d", 'd', double_plain, .detail = DOUBLE (ceil) },
  { "ceiling", "n", 'n', numeric_unary, .detail = NUMERIC (tally_numeric_ceil) },
  { "floor", "d", 'd', double_plain, .detail = DOUBLE (floor) },
  { "floor", "n", 'n', numeric_unary, .detail = NUMERIC (tally_numeric_floor) },
  { "sign", "d", 'd', double_plain, .detail = DOUBLE (double_sign) },
  { "sign", "n", 'n', numeric_unary, .detail = NUMERIC (tally_numeric_sign) },
  { "round", "d", 'd', double_plain, .detail = DOUBLE (rint) },
  { "round", "n", 'n', numeric_scaled, .detail = TRUE },
  { "round", "ni", 'n', numeric_scaled, .detail = TRUE },
  { "trunc", "d", 'd', double_plain, .detail = DOUBLE (trunc) },
  { "trunc", "n", 'n', numeric_scaled, .detail = FALSE },
  { "trunc", "ni", 'n', numeric_scaled, .detail = FALSE },
  { "scale", "n", 'i', numeric_scale, .detail = FALSE },
  { "min_scale", "n", 'i', numeric_scale, .detail = TRUE },
  { "trim_scale", "n", 'n', numeric_unary, .detail = NUMERIC (tally_numeric_trim_scale) },
  { "sqrt", "d", 'd', double_sqrt },
  { "sqrt", "n", 'n', numeric_unary, .detail = NUMERIC (tally_numeric_sqrt) },
  { "|/", "d", 'd', double_sqrt },
  { "cbrt", "d", 'd', double_plain, .detail = DOUBLE (cbrt) },
  { "exp", "d", 'd', double_exp },
  { "exp", "n", 'n', numeric_unary, .detail = NUMERIC (tally_numeric_exp) },
  { "ln", "d", 'd', double_logarithm, .detail = DOUBLE (log) },
  { "ln", "n", 'n', numeric_unary, .detail = NUMERIC (tally_numeric_ln) },
  { "log", "d", 'd', double_logarithm, .detail = DOUBLE (log10) },
  { "log", "n", 'n', numeric_unary, .detail = NUMERIC (tally_numeric_log10) },
  { "log", "nn", 'n', numeric_binary, .detail = NUMERIC (tally_numeric_log) },
  { "log10", "d", 'd', double_logarithm, .detail = DOUBLE (log10) },
  { "log10", "n", 'n', numeric_unary, .detail = NUMERIC (tally_numeric_log10) },
  { "to_char", "it", 't', to_char, .prepare = prepare_template },
  { "to_char", "dt", 't', to_char, .prepare = prepare_template },
  { "to_char", "nt", 't', to_char, .prepare = prepare_template },
  { "to_number", "tt", 'n', to_number, .prepare = prepare_template },
  { "gcd", "ii", 'i', bigint_gcd },
  { "lcm", "ii", 'i', bigint_lcm },
  { "gcd", "nn", 'n', .prepare = not_of_numeric },
  { "lcm", "nn", 'n', .prepare = not_of_numeric },
  { "sin", "d", 'd', double_trigonometric, .detail = DOUBLE (sin) },
  { "cos", "d", 'd', double_trigonometric, .detail = DOUBLE (cos) },
  { "tan", "d", 'd', double_trigonometric, .detail = DOUBLE (tan) },
  { "asin", "d", 'd', double_arc, .detail = DOUBLE (asin) },
  { "acos", "d", 'd', double_arc, .detail = DOUBLE (acos) },
  { "atan", "d", 'd', double_plain, .detail = DOUBLE (atan) },
  { "atan2", "dd", 'd', double_atan2 },
  { "degrees", "d", 'd', double_degrees },
  { "radians", "d", 'd', double_radians },
  { "pi", "", 'd', double_pi },
  { "random", "", 'd', double_random, .flags = FUNCTION_VOLATILE },
  { "width_bucket", "dddi", 'i', double_bucket },
  { "width_bucket", "nnni", 'i', numeric_bucket },
  { "||/", "d", 'd', double_plain, .detail = DOUBLE (cbrt) },
  { "&", "ii", 'i', bigint_bits, .detail = BIT_AND },
  { "|", "ii", 'i', bigint_bits, .detail = BIT_OR },
  { "#", "ii", 'i', bigint_bits, .detail = BIT_XOR },
  { "<<", "ii", 'i', bigint_bits, .detail = SHIFT_LEFT },
  { ">>", "ii", 'i', bigint_bits, .detail = SHIFT_RIGHT },
  { "~", "i", 'i', bigint_not },
  { NULL },
};
