/* numeric-exp.c: exp, ln, log and powers of exact decimals
 *
 * MPFR works out the value, to more digits than are asked for.  What PostgreSQL's digits depend on
 * is how many it gives, which it decides by estimates of the result's size; they are kept here rule
 * for rule, down to the digits that an estimate looks at.
 */
#include "numeric-private.h"
#include "value-private.h"
#include <math.h>
#include <mpfr.h>
#include <stdlib.h>
#include <string.h>

/* Digits beyond those asked for. */
#define GUARD_DIGITS 20
#define BITS_PER_DIGIT 3.3219280948873626
#define LN_10 2.302585092994046
#define LOG10_E 0.434294481903252
/* The largest argument of exp(), and what an estimate of it may be off by. */
#define MAX_EXP (TALLY_NUMERIC_MAX_RESULT_SCALE * 3)
#define MAX_EXP_ESTIMATE (TALLY_NUMERIC_MAX_RESULT_SCALE * 3.01)
/* Digits with which PostgreSQL works out what it only needs on the way. */
#define EXTRA_DIGITS 8

static TallyText
text_of (const char *literal)
{
  return (TallyText){ literal, strlen (literal) };
}

static gboolean
is_special (TallyText value)
{
  return !g_ascii_isdigit (value.data[value.length - 1]);
}

static gint
scale_of (TallyText value)
{
  gint64 scale = 0;

  tally_numeric_scale (value, &scale);
  return (gint)scale;
}

static gint
sign_of (TallyText value)
{
  return tally_numeric_compare (value, text_of ("0"));
}

static double
to_double (TallyText value)
{
  g_autofree char *text = tally_text_dup (value);

  return g_ascii_strtod (text, NULL);
}

/* The power of ten of the first digit that is not zero, and where it stands; there is one. */
static gint
find_first_digit (TallyText value, gsize *ret_at)
{
  const char *point = memchr (value.data, '.', value.length);
  gint n_integer = (gint)(point != NULL ? (gsize)(point - value.data) : value.length);
  gint at = 0;

  while (value.data[at] < '1' || value.data[at] > '9')
    at++;
  *ret_at = (gsize)at;
  return at < n_integer ? n_integer - at - 1 : n_integer - at;
}

/* The digits that PostgreSQL looks at: the first two in base 10000, that is five to eight. */
static double
estimate_ln (TallyText value)
{
  gsize at;
  gint exponent = find_first_digit (value, &at), weight = (gint)floor (exponent / 4.0);
  double digits = 0;

  for (gint left = exponent - 4 * weight + 5; left > 0; at++)
    if (at >= value.length || value.data[at] != '.')
      {
        digits = digits * 10 + (at < value.length ? value.data[at] - '0' : 0);
        left--;
      }
  return log (digits) + (4 * weight - 4) * LN_10;
}

/* About the power of ten of the logarithm. */
static gint
estimate_ln_weight (TallyText value, TallyBatch *batch)
{
  TallyText rest;
  gsize at;

  if (sign_of (value) <= 0)
    return 0;
  if (tally_numeric_compare (value, text_of ("0.9")) < 0
      || tally_numeric_compare (value, text_of ("1.1")) > 0)
    return (gint)log10 (fabs (estimate_ln (value)));

  /* The logarithm of 1 + x is about x. */
  if (!tally_numeric_subtract (value, text_of ("1"), batch, &rest, NULL) || sign_of (rest) == 0)
    return 0;
  return find_first_digit (rest, &at);
}

static gint
clamp_scale (gint scale)
{
  return CLAMP (scale, 0, TALLY_NUMERIC_MAX_DISPLAY_SCALE);
}

/* Rounds half away from zero. */
static gboolean
print_real (mpfr_t real, gint scale, TallyBatch *batch, TallyText *ret_value, GError **error)
{
  g_autofree char *digits = NULL, *text = NULL;
  mpz_t power;

  mpz_init (power);
  mpz_ui_pow_ui (power, 10, (gulong)scale);
  mpfr_mul_z (real, real, power, MPFR_RNDN);
  mpfr_round (real, real);
  mpfr_get_z (power, real, MPFR_RNDN);
  digits = g_malloc (mpz_sizeinbase (power, 10) + 2);
  mpz_get_str (digits, 10, power);
  mpz_clear (power);

  text = g_strdup_printf ("%se-%d", digits, scale);
  return tally_numeric_parse (tally_value_copy (batch, text, strlen (text)), batch, ret_value,
                              error);
}

static void
real_init (mpfr_t real, TallyText value, gint digits)
{
  g_autofree char *text = tally_text_dup (value);

  mpfr_init2 (real, (mpfr_prec_t)(MAX (digits, 0) * BITS_PER_DIGIT) + 64);
  mpfr_set_str (real, text, 10, MPFR_RNDN);
}

static void
real_clear (mpfr_t real)
{
  mpfr_clear (real);
  mpfr_free_cache ();
}

static gboolean
ln_to_scale (TallyText value, gint scale, TallyBatch *batch, TallyText *ret_value, GError **error)
{
  gint sign = sign_of (value);
  gboolean done;
  mpfr_t real;

  if (sign == 0)
    return tally_throw (error, TALLY_ERROR_DATA, "cannot take logarithm of zero");
  if (sign < 0)
    return tally_throw (error, TALLY_ERROR_DATA, "cannot take logarithm of a negative number");

  real_init (real, value, scale + GUARD_DIGITS);
  mpfr_log (real, real, MPFR_RNDN);
  done = print_real (real, scale, batch, ret_value, error);
  real_clear (real);
  return done;
}

static gboolean
exp_to_scale (TallyText value, gint scale, TallyBatch *batch, TallyText *ret_value, GError **error)
{
  double estimate = to_double (value);
  gboolean done;
  mpfr_t real;

  if (estimate >= MAX_EXP)
    return tally_throw (error, TALLY_ERROR_DATA, "value overflows numeric format");
  if (estimate <= -MAX_EXP)
    return tally_numeric_round (text_of ("0"), scale, batch, ret_value, error);

  real_init (real, value, scale + (gint)MAX (estimate * LOG10_E, 0) + GUARD_DIGITS);
  mpfr_exp (real, real, MPFR_RNDN);
  done = print_real (real, scale, batch, ret_value, error);
  real_clear (real);
  return done;
}

gboolean
tally_numeric_exp (TallyText value, TallyBatch *batch, TallyText *ret_value, GError **error)
{
  double weight;
  gint scale;

  if (is_special (value))
    {
      *ret_value = value.data[0] == '-' ? text_of ("0") : value;
      return TRUE;
    }

  weight = CLAMP (to_double (value) * LOG10_E, -TALLY_NUMERIC_MAX_RESULT_SCALE,
                  TALLY_NUMERIC_MAX_RESULT_SCALE);
  scale = clamp_scale (MAX (TALLY_NUMERIC_MIN_SIGNIFICANT - (gint)weight, scale_of (value)));
  return exp_to_scale (value, scale, batch, ret_value, error);
}

gboolean
tally_numeric_ln (TallyText value, TallyBatch *batch, TallyText *ret_value, GError **error)
{
  gint scale;

  if (is_special (value) && value.data[0] == '-')
    return tally_throw (error, TALLY_ERROR_DATA, "cannot take logarithm of a negative number");
  if (is_special (value))
    {
      *ret_value = value;
      return TRUE;
    }

  scale = clamp_scale (
      MAX (TALLY_NUMERIC_MIN_SIGNIFICANT - estimate_ln_weight (value, batch), scale_of (value)));
  return ln_to_scale (value, scale, batch, ret_value, error);
}

static gboolean
log_of_special (TallyText base, TallyText value, TallyText *ret_value, GError **error)
{
  if (base.data[0] == 'N' || value.data[0] == 'N')
    {
      *ret_value = text_of ("NaN");
      return TRUE;
    }
  if (sign_of (base) < 0 || sign_of (value) < 0)
    return tally_throw (error, TALLY_ERROR_DATA, "cannot take logarithm of a negative number");
  if (sign_of (base) == 0 || sign_of (value) == 0)
    return tally_throw (error, TALLY_ERROR_DATA, "cannot take logarithm of zero");

  *ret_value = text_of (!is_special (base) ? "Infinity" : !is_special (value) ? "0" : "NaN");
  return TRUE;
}

static gboolean
divide (TallyText a, TallyText b, gint scale, TallyBatch *batch, TallyText *ret_value,
        GError **error)
{
  gint digits = (gint)MAX (a.length, b.length) + scale + GUARD_DIGITS;
  gboolean done;
  mpfr_t dividend, divisor;

  if (sign_of (b) == 0)
    return tally_throw (error, TALLY_ERROR_DATA, "division by zero");

  real_init (dividend, a, digits);
  real_init (divisor, b, digits);
  mpfr_div (dividend, dividend, divisor, MPFR_RNDN);
  done = print_real (dividend, scale, batch, ret_value, error);
  real_clear (divisor);
  real_clear (dividend);
  return done;
}

gboolean
tally_numeric_log (TallyText base, TallyText value, TallyBatch *batch, TallyText *ret_value,
                   GError **error)
{
  gint base_weight, value_weight, weight, scale;
  TallyText ln_base, ln_value;

  if (is_special (base) || is_special (value))
    return log_of_special (base, value, ret_value, error);

  base_weight = estimate_ln_weight (base, batch);
  value_weight = estimate_ln_weight (value, batch);
  weight = value_weight - base_weight;
  scale = MAX (TALLY_NUMERIC_MIN_SIGNIFICANT - weight, MAX (scale_of (base), scale_of (value)));
  scale = clamp_scale (scale);
  return ln_to_scale (base, MAX (scale + weight - base_weight + EXTRA_DIGITS, 0), batch, &ln_base,
                      error)
         && ln_to_scale (value, MAX (scale + weight - value_weight + EXTRA_DIGITS, 0), batch,
                         &ln_value, error)
         && divide (ln_value, ln_base, scale, batch, ret_value, error);
}

gboolean
tally_numeric_log10 (TallyText value, TallyBatch *batch, TallyText *ret_value, GError **error)
{
  return tally_numeric_log (text_of ("10"), value, batch, ret_value, error);
}

/* exponent * ln (base) */
static gboolean
scaled_ln (TallyText base, TallyText exponent, gint scale, TallyBatch *batch, TallyText *ret_value,
           GError **error)
{
  return ln_to_scale (base, scale, batch, ret_value, error)
         && tally_numeric_multiply (*ret_value, exponent, batch, ret_value, error)
         && tally_numeric_round (*ret_value, scale, batch, ret_value, error);
}

/* base: above zero. */
static gboolean
power_of_positive (TallyText base, TallyText exponent, TallyBatch *batch, TallyText *ret_value,
                   GError **error)
{
  gint ln_weight = estimate_ln_weight (base, batch), scale;
  TallyText product;
  double weight;

  if (!scaled_ln (base, exponent, MAX (EXTRA_DIGITS - ln_weight, 0), batch, &product, error))
    return FALSE;
  weight = to_double (product);
  if (weight > MAX_EXP_ESTIMATE)
    return tally_throw (error, TALLY_ERROR_DATA, "value overflows numeric format");
  if (weight < -MAX_EXP_ESTIMATE)
    return tally_numeric_round (text_of ("0"), TALLY_NUMERIC_MAX_DISPLAY_SCALE, batch, ret_value,
                                error);

  weight *= LOG10_E;
  scale = MAX (TALLY_NUMERIC_MIN_SIGNIFICANT - (gint)weight,
               MAX (scale_of (base), scale_of (exponent)));
  scale = clamp_scale (scale);
  return scaled_ln (base, exponent,
                    MAX (MAX (scale + (gint)weight, 0) - ln_weight + EXTRA_DIGITS, 0), batch,
                    &product, error)
         && exp_to_scale (product, scale, batch, ret_value, error);
}

/* The last digit before the point decides. */
static gboolean
is_odd (TallyText whole)
{
  const char *point = memchr (whole.data, '.', whole.length);
  const char *end = point != NULL ? point : whole.data + whole.length;

  return (end[-1] - '0') % 2 == 1;
}

gboolean
tally_numeric_power_by_ln (TallyText base, TallyText exponent, TallyBatch *batch,
                           TallyText *ret_value, GError **error)
{
  TallyText size;

  if (sign_of (base) == 0)
    return tally_numeric_round (text_of ("0"), TALLY_NUMERIC_MIN_SIGNIFICANT, batch, ret_value,
                                error);

  tally_numeric_abs (base, batch, &size, NULL);
  if (!power_of_positive (size, exponent, batch, ret_value, error))
    return FALSE;
  return sign_of (base) > 0 || !is_odd (exponent)
         || tally_numeric_negate (*ret_value, batch, ret_value, error);
}
