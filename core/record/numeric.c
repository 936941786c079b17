/* numeric.c: exact decimals
 *
 * Values are text between operations, so a column needs no memory of its own kind and a number that
 * is only passed on costs nothing.  An operation reads digits and scale.  Up to eighteen digits are
 * worked on as 128-bit integers, which covers money; longer ones by GMP.  What decides a result is
 * PostgreSQL's choice of its scale, kept here rule for rule: it thinks in digits of base 10000,
 * which is why some of these rules do, too.
 */
#include "numeric-private.h"
#include "value-private.h"
#include <gmp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* PostgreSQL's limits. */
#define MAX_INTEGER_DIGITS 131072
#define MAX_SCALE 16383
/* Digits in one of PostgreSQL's digits. */
#define BASE_DIGITS 4

/* Digits of a number that is short; the products of two fit 128 bits. */
#define SHORT_DIGITS 18

typedef __int128 Wide;

typedef struct
{
  Wide mantissa;
  gint scale;
} Short;

typedef struct
{
  mpz_t mantissa;
  gint scale;
} Long;

static void
long_clear (Long *number)
{
  mpz_clear (number->mantissa);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Long, long_clear)

#define TEXT(literal) ((TallyText){ literal, sizeof (literal) - 1 })

/* Reading and printing. */

/* NaN, Infinity, -Infinity. */
static gboolean
is_special (TallyText value)
{
  return !g_ascii_isdigit (value.data[value.length - 1]);
}

static gboolean
is_negative (TallyText value)
{
  return value.data[0] == '-';
}

static gboolean
is_zero (TallyText value)
{
  for (gsize i = 0; i < value.length; i++)
    if (value.data[i] != '0' && value.data[i] != '.')
      return FALSE;
  return TRUE;
}

static gint
scale_of (TallyText value)
{
  const char *point = memchr (value.data, '.', value.length);

  return point == NULL ? 0 : (gint)(value.data + value.length - point - 1);
}

static gboolean
read_short (TallyText value, Short *number)
{
  const char *at = value.data, *end = value.data + value.length;
  gint64 mantissa = 0;

  if (value.length > SHORT_DIGITS || is_special (value))
    return FALSE;

  number->scale = 0;
  for (at += is_negative (value); at < end; at++)
    if (*at == '.')
      number->scale = (gint)(end - at - 1);
    else
      mantissa = mantissa * 10 + (*at - '0');
  number->mantissa = is_negative (value) ? -mantissa : mantissa;
  return TRUE;
}

static void
read_long (TallyText value, Long *number)
{
  g_autofree char *digits = g_malloc (value.length + 1);
  gsize n = 0;

  for (gsize i = 0; i < value.length; i++)
    if (value.data[i] != '.')
      digits[n++] = value.data[i];
  digits[n] = '\0';
  mpz_init_set_str (number->mantissa, digits, 10);
  number->scale = scale_of (value);
}

static Wide
wide_power (gint exponent)
{
  Wide power = 1;

  while (exponent-- > 0)
    power *= 10;
  return power;
}

static TallyText
print_short (Short number, TallyBatch *batch)
{
  char digits[48];
  gsize at = sizeof digits;
  unsigned __int128 rest = number.mantissa < 0 ? -(unsigned __int128)number.mantissa
                                               : (unsigned __int128)number.mantissa;
  gint n = 0;

  while (rest > 0 || n <= number.scale)
    {
      guint64 part = (guint64)(rest % 1000000000000000000);
      gint stop = n + SHORT_DIGITS;

      rest /= 1000000000000000000;
      for (; n < stop && (rest > 0 || part > 0 || n <= number.scale); n++, part /= 10)
        {
          if (n == number.scale && n > 0)
            digits[--at] = '.';
          digits[--at] = (char)('0' + part % 10);
        }
    }
  if (number.mantissa < 0)
    digits[--at] = '-';
  return tally_value_copy (batch, digits + at, sizeof digits - at);
}

/* A new text of sign, digits and scale, with zeros where there are too few digits. */
static TallyText
print_digits (gboolean negative, const char *digits, gsize n_digits, gint scale, TallyBatch *batch)
{
  gsize n_integer = n_digits > (gsize)scale ? n_digits - (gsize)scale : 0;
  gsize n_zeros = n_digits < (gsize)scale ? (gsize)scale - n_digits : 0;
  char *text = tally_batch_alloc (batch, n_digits + n_zeros + 3), *at = text;

  if (negative)
    *at++ = '-';
  if (n_integer > 0)
    at = mempcpy (at, digits, n_integer);
  else
    *at++ = '0';
  if (scale > 0)
    {
      *at++ = '.';
      memset (at, '0', n_zeros);
      at = mempcpy (at + n_zeros, digits + n_integer, n_digits - n_integer);
    }

  return (TallyText){ text, (gsize)(at - text) };
}

static gboolean
print_long (const Long *number, TallyBatch *batch, TallyText *ret_value, GError **error)
{
  g_autofree char *text = g_malloc (mpz_sizeinbase (number->mantissa, 10) + 2);
  const char *digits = mpz_get_str (text, 10, number->mantissa);
  gboolean negative = *digits == '-';
  gsize n_digits;

  digits += negative;
  n_digits = *digits == '0' ? 0 : strlen (digits);
  if (number->scale > MAX_SCALE || (gint64)n_digits - number->scale > MAX_INTEGER_DIGITS)
    return tally_throw (error, TALLY_ERROR_DATA, "value overflows numeric format");

  *ret_value = print_digits (negative, digits, n_digits, number->scale, batch);
  return TRUE;
}

static gboolean
print_double (double value, TallyText *ret_value)
{
  *ret_value = isnan (value) ? TEXT ("NaN")
               : value == 0  ? TEXT ("0")
               : value == 1  ? TEXT ("1")
               : value < 0   ? TEXT ("-Infinity")
                             : TEXT ("Infinity");
  return TRUE;
}

/* What IEEE 754 says of the infinities is what PostgreSQL says; a finite number counts by its sign.
 */
static double
sketch (TallyText value)
{
  switch (value.data[0])
    {
    case 'N':
      return NAN;
    case 'I':
      return INFINITY;
    case '-':
      return value.data[1] == 'I' ? -INFINITY : -2;
    default:
      return is_zero (value) ? 0 : 2;
    }
}

/* Input. */

typedef struct
{
  gboolean negative;
  const char *start, *point, *end; /* point: (nullable) among the digits */
  gint exponent;
} Parts;

static gboolean
match_special (TallyText text, TallyText *ret_value)
{
  static const struct
  {
    const char *word, *value;
  } specials[] = {
    { "nan", "NaN" },
    { "infinity", "Infinity" },
    { "+infinity", "Infinity" },
    { "-infinity", "-Infinity" },
    { "inf", "Infinity" },
    { "+inf", "Infinity" },
    { "-inf", "-Infinity" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (specials); i++)
    if (text.length == strlen (specials[i].word)
        && g_ascii_strncasecmp (text.data, specials[i].word, text.length) == 0)
      {
        *ret_value = (TallyText){ specials[i].value, strlen (specials[i].value) };
        return TRUE;
      }

  return FALSE;
}

/* Blanks may stand after the e, as strtol() lets them. */
static gboolean
parse_exponent (const char *at, const char *end, gint *ret_exponent)
{
  gboolean negative = FALSE;
  gint64 exponent = 0;

  while (at < end && tally_is_space (*at))
    at++;
  if (at < end && (*at == '-' || *at == '+'))
    negative = *at++ == '-';
  if (at == end)
    return FALSE;
  for (; at < end; at++)
    {
      if (!g_ascii_isdigit (*at))
        return FALSE;
      exponent = MIN (exponent * 10 + (*at - '0'), G_MAXINT32 / 2);
    }

  *ret_exponent = (gint)(negative ? -exponent : exponent);
  return TRUE;
}

static gboolean
parse_parts (TallyText text, Parts *parts)
{
  const char *at = text.data, *end = text.data + text.length;

  *parts = (Parts){ 0 };
  if (at < end && (*at == '-' || *at == '+'))
    parts->negative = *at++ == '-';
  parts->start = at;
  if (at < end && *at == '.')
    parts->point = at++;
  if (at == end || !g_ascii_isdigit (*at))
    return FALSE;
  for (; at < end && (g_ascii_isdigit (*at) || (*at == '.' && parts->point == NULL)); at++)
    if (*at == '.')
      parts->point = at;
  parts->end = at;
  return at == end
         || ((*at == 'e' || *at == 'E') && parse_exponent (at + 1, end, &parts->exponent));
}

/* The number that the parts make, or FALSE if PostgreSQL could not hold it. */
static gboolean
parts_print (const Parts *parts, TallyBatch *batch, TallyText *ret_value)
{
  gsize n_digits = (gsize)(parts->end - parts->start) - (parts->point != NULL), n = 0, skip = 0,
        zeros;
  gint64 scale
      = (parts->point != NULL ? parts->end - parts->point - 1 : 0) - (gint64)parts->exponent;
  g_autofree char *digits = NULL;

  if (scale > MAX_SCALE)
    return FALSE;
  zeros = scale < 0 ? (gsize)-scale : 0;
  for (const char *at = parts->start; at < parts->end && (*at == '0' || *at == '.'); at++)
    skip += *at == '0';
  if (skip == n_digits)
    zeros = 0; /* zero, whatever the exponent */
  if ((gint64)(n_digits - skip + zeros) - MAX (scale, 0) > MAX_INTEGER_DIGITS)
    return FALSE;

  digits = g_malloc (n_digits + zeros + 1);
  for (const char *at = parts->start; at < parts->end; at++)
    if (*at != '.')
      digits[n++] = *at;
  memset (digits + n, '0', zeros);
  *ret_value = print_digits (parts->negative && skip < n_digits, digits + skip, n - skip + zeros,
                             (gint)MAX (scale, 0), batch);
  return TRUE;
}

/* As PostgreSQL would print it: no sign or zero too many. */
static gboolean
is_canonical (TallyText text, const Parts *parts)
{
  gsize length = text.length - parts->negative;

  return parts->start + length == parts->end && text.data + parts->negative == parts->start
         && parts->point != parts->start && parts->point != parts->end - 1
         && (parts->start[0] != '0' || length == 1 || parts->start[1] == '.')
         && !(parts->negative && is_zero ((TallyText){ parts->start, length }))
         && length <= MAX_SCALE;
}

gboolean
tally_numeric_parse (TallyText text, TallyBatch *batch, TallyText *ret_value, GError **error)
{
  TallyText number = tally_value_trim (text);
  Parts parts;

  if (match_special (number, ret_value))
    return TRUE;
  if (!parse_parts (number, &parts))
    return tally_value_throw_syntax (error, "numeric", text);
  if (is_canonical (number, &parts))
    {
      *ret_value = number;
      return TRUE;
    }
  if (!parts_print (&parts, batch, ret_value))
    return tally_throw (error, TALLY_ERROR_DATA, "value overflows numeric format");

  return TRUE;
}

/* Rounding. */

typedef enum
{
  ROUND_HALF_AWAY,
  ROUND_TRUNCATE,
  ROUND_CEIL,
  ROUND_FLOOR,
} Rounding;

static void
long_power_of_ten (mpz_t power, guint64 exponent)
{
  mpz_ui_pow_ui (power, 10, exponent);
}

/* quotient = numerator / denominator, rounded. */
static void
long_divide (mpz_t quotient, const mpz_t numerator, const mpz_t denominator, Rounding rounding)
{
  mpz_t remainder;
  gint sign = mpz_sgn (numerator) * mpz_sgn (denominator);

  mpz_init (remainder);
  mpz_tdiv_qr (quotient, remainder, numerator, denominator);
  if (rounding == ROUND_HALF_AWAY)
    {
      mpz_mul_2exp (remainder, remainder, 1);
      if (mpz_cmpabs (remainder, denominator) < 0)
        sign = 0;
    }
  else if (rounding == ROUND_TRUNCATE || mpz_sgn (remainder) == 0
           || sign != (rounding == ROUND_CEIL ? 1 : -1))
    sign = 0;
  if (sign > 0)
    mpz_add_ui (quotient, quotient, 1);
  else if (sign < 0)
    mpz_sub_ui (quotient, quotient, 1);
  mpz_clear (remainder);
}

/* Brings the number to another scale, which may be negative. */
static void
long_rescale (Long *number, gint scale, Rounding rounding)
{
  mpz_t power;

  if (scale == number->scale)
    return;
  mpz_init (power);
  long_power_of_ten (power, (guint64)ABS (scale - number->scale));
  if (scale > number->scale)
    mpz_mul (number->mantissa, number->mantissa, power);
  else
    long_divide (number->mantissa, number->mantissa, power, rounding);
  number->scale = scale;
  mpz_clear (power);
}

static Wide
wide_divide (Wide numerator, Wide denominator, Rounding rounding)
{
  Wide quotient = numerator / denominator, remainder = numerator % denominator;
  gboolean up = (numerator < 0) == (denominator < 0);

  if (remainder == 0 || rounding == ROUND_TRUNCATE || (rounding == ROUND_CEIL && !up)
      || (rounding == ROUND_FLOOR && up))
    return quotient;
  if (rounding == ROUND_HALF_AWAY)
    {
      Wide rest = remainder < 0 ? -remainder : remainder,
           whole = denominator < 0 ? -denominator : denominator;

      if (rest < whole - rest)
        return quotient;
    }
  return up ? quotient + 1 : quotient - 1;
}

/* value to scale digits after the point, where scale may be negative; the result has none then. */
static gboolean
round_value (TallyText value, gint scale, Rounding rounding, TallyBatch *batch,
             TallyText *ret_value, GError **error)
{
  Short small;

  if (is_special (value) || scale == scale_of (value))
    {
      *ret_value = value;
      return TRUE;
    }
  if (read_short (value, &small) && scale <= SHORT_DIGITS && scale > -SHORT_DIGITS)
    {
      if (scale >= small.scale)
        small.mantissa *= wide_power (scale - small.scale);
      else
        small.mantissa = wide_divide (small.mantissa, wide_power (small.scale - scale), rounding);
      if (scale < 0)
        small.mantissa *= wide_power (-scale);
      small.scale = MAX (scale, 0);
      *ret_value = print_short (small, batch);
      return TRUE;
    }

  g_auto (Long) number;
  read_long (value, &number);
  long_rescale (&number, scale, rounding);
  long_rescale (&number, MAX (scale, 0), rounding);
  return print_long (&number, batch, ret_value, error);
}

gboolean
tally_numeric_round (TallyText value, gint64 scale, TallyBatch *batch, TallyText *ret_value,
                     GError **error)
{
  return round_value (value, (gint)CLAMP (scale, -MAX_INTEGER_DIGITS - 1, MAX_SCALE),
                      ROUND_HALF_AWAY, batch, ret_value, error);
}

gboolean
tally_numeric_trunc (TallyText value, gint64 scale, TallyBatch *batch, TallyText *ret_value,
                     GError **error)
{
  return round_value (value, (gint)CLAMP (scale, -MAX_INTEGER_DIGITS - 1, MAX_SCALE),
                      ROUND_TRUNCATE, batch, ret_value, error);
}

gboolean
tally_numeric_ceil (TallyText value, TallyBatch *batch, TallyText *ret_value, GError **error)
{
  return round_value (value, 0, ROUND_CEIL, batch, ret_value, error);
}

gboolean
tally_numeric_floor (TallyText value, TallyBatch *batch, TallyText *ret_value, GError **error)
{
  return round_value (value, 0, ROUND_FLOOR, batch, ret_value, error);
}

gboolean
tally_numeric_limit (TallyText value, gint precision, gint scale, TallyBatch *batch,
                     TallyText *ret_value, GError **error)
{
  TallyText rounded, digits;
  gint n_integer;

  if (precision < 1 || precision > 1000)
    return tally_throw (error, TALLY_ERROR_USAGE, "NUMERIC precision %d must be between 1 and 1000",
                        precision);
  if (scale < -1000 || scale > 1000)
    return tally_throw (error, TALLY_ERROR_USAGE, "NUMERIC scale %d must be between -1000 and 1000",
                        scale);
  if (is_special (value) && value.data[0] != 'N')
    return tally_throw (error, TALLY_ERROR_DATA, "numeric field overflow");
  if (!round_value (value, scale, ROUND_HALF_AWAY, batch, &rounded, error))
    return FALSE;

  digits = rounded;
  digits.data += is_negative (rounded);
  digits.length -= is_negative (rounded);
  n_integer = (gint)digits.length - (scale > 0 ? scale + 1 : 0);
  if (!is_special (rounded) && digits.data[0] == '0')
    {
      /* Below one: the digits that count start after the zeros. */
      n_integer = 0;
      if (scale > precision && !is_zero (digits))
        for (gsize i = 2; digits.data[i] == '0'; i++)
          n_integer--;
    }
  if (!is_special (rounded) && !is_zero (digits) && n_integer > precision - scale)
    return tally_throw (error, TALLY_ERROR_DATA, "numeric field overflow");

  *ret_value = rounded;
  return TRUE;
}

/* Comparing. */

static int
sign_of (TallyText value)
{
  return is_negative (value) ? -1 : is_zero (value) ? 0 : 1;
}

/* Of two finite numbers without sign. */
static gint
compare_sizes (TallyText a, TallyText b)
{
  const char *a_point = memchr (a.data, '.', a.length), *b_point = memchr (b.data, '.', b.length);
  gsize a_integer = a_point != NULL ? (gsize)(a_point - a.data) : a.length;
  gsize b_integer = b_point != NULL ? (gsize)(b_point - b.data) : b.length;
  gsize common = MIN (a.length, b.length);
  gint order;

  if (a_integer != b_integer)
    return a_integer < b_integer ? -1 : 1;
  order = memcmp (a.data, b.data, common);
  if (order != 0)
    return order;

  /* One is the other's beginning: more digits are more unless they are zeros. */
  if (!is_zero ((TallyText){ a.data + common, a.length - common }))
    return 1;
  return is_zero ((TallyText){ b.data + common, b.length - common }) ? 0 : -1;
}

gint
tally_numeric_compare (TallyText a, TallyText b)
{
  gint sign = sign_of (a);

  if (is_special (a) || is_special (b))
    {
      double x = sketch (a), y = sketch (b);

      return isnan (x) || isnan (y) ? isnan (x) - isnan (y) : (x > y) - (x < y);
    }
  if (sign != sign_of (b))
    return sign < sign_of (b) ? -1 : 1;
  if (sign < 0)
    return compare_sizes ((TallyText){ b.data + 1, b.length - 1 },
                          (TallyText){ a.data + 1, a.length - 1 });
  return compare_sizes (a, b);
}

/* Without zeros at the end of the fraction. */
static TallyText
trim_zeros (TallyText value)
{
  if (is_special (value) || memchr (value.data, '.', value.length) == NULL)
    return value;
  while (value.data[value.length - 1] == '0')
    value.length--;
  if (value.data[value.length - 1] == '.')
    value.length--;
  return value;
}

guint
tally_numeric_hash (TallyText value)
{
  TallyText trimmed = trim_zeros (value);
  guint hash = 2166136261u;

  for (gsize i = 0; i < trimmed.length; i++)
    hash = (hash ^ (guchar)trimmed.data[i]) * 16777619u;
  return hash;
}

/* Arithmetic. */

static gboolean
add_scaled (TallyText a, TallyText b, gint sign, TallyBatch *batch, TallyText *ret_value,
            GError **error)
{
  Short x, y;

  if (is_special (a) || is_special (b))
    return print_double (sketch (a) + sign * sketch (b), ret_value);
  if (read_short (a, &x) && read_short (b, &y))
    {
      gint scale = MAX (x.scale, y.scale);
      Wide sum = x.mantissa * wide_power (scale - x.scale)
                 + sign * y.mantissa * wide_power (scale - y.scale);

      *ret_value = print_short ((Short){ sum, scale }, batch);
      return TRUE;
    }

  g_auto (Long) left, right;
  read_long (a, &left);
  read_long (b, &right);
  long_rescale (&left, MAX (left.scale, right.scale), ROUND_TRUNCATE);
  long_rescale (&right, left.scale, ROUND_TRUNCATE);
  if (sign > 0)
    mpz_add (left.mantissa, left.mantissa, right.mantissa);
  else
    mpz_sub (left.mantissa, left.mantissa, right.mantissa);
  return print_long (&left, batch, ret_value, error);
}

gboolean
tally_numeric_add (TallyText a, TallyText b, TallyBatch *batch, TallyText *ret_value,
                   GError **error)
{
  return add_scaled (a, b, 1, batch, ret_value, error);
}

gboolean
tally_numeric_subtract (TallyText a, TallyText b, TallyBatch *batch, TallyText *ret_value,
                        GError **error)
{
  return add_scaled (a, b, -1, batch, ret_value, error);
}

gboolean
tally_numeric_multiply (TallyText a, TallyText b, TallyBatch *batch, TallyText *ret_value,
                        GError **error)
{
  Short x, y;

  if (is_special (a) || is_special (b))
    return print_double (sketch (a) * sketch (b), ret_value);
  if (read_short (a, &x) && read_short (b, &y))
    {
      *ret_value = print_short ((Short){ x.mantissa * y.mantissa, x.scale + y.scale }, batch);
      return TRUE;
    }

  g_auto (Long) left, right;
  read_long (a, &left);
  read_long (b, &right);
  mpz_mul (left.mantissa, left.mantissa, right.mantissa);
  left.scale += right.scale;
  if (left.scale > MAX_SCALE)
    long_rescale (&left, MAX_SCALE, ROUND_HALF_AWAY);
  return print_long (&left, batch, ret_value, error);
}

/* The place of a number's first digit that is not zero, in base 10000, and that digit. */
static void
first_digit (TallyText value, gint *ret_weight, gint *ret_digit)
{
  const char *point = memchr (value.data, '.', value.length), *end = value.data + value.length;
  const char *at = value.data + is_negative (value);
  gint place, n;

  if (point == NULL)
    point = end;
  while (at < end && (*at == '0' || *at == '.'))
    at++;
  *ret_weight = *ret_digit = 0;
  if (at == end)
    return;

  place = at < point ? (gint)(point - at) - 1 : (gint)(point - at);
  *ret_weight = place >= 0 ? place / BASE_DIGITS : -((-place + BASE_DIGITS - 1) / BASE_DIGITS);
  n = place - *ret_weight * BASE_DIGITS + 1; /* decimal digits of it */
  for (; n > 0; at++)
    {
      if (at < end && *at == '.')
        continue;
      *ret_digit = *ret_digit * 10 + (at < end ? *at - '0' : 0);
      n--;
    }
}

/* At least sixteen significant digits, and no fewer than either has. */
static gint
division_scale (TallyText a, TallyText b)
{
  gint a_weight, a_digit, b_weight, b_digit, weight, scale;

  first_digit (a, &a_weight, &a_digit);
  first_digit (b, &b_weight, &b_digit);
  weight = a_weight - b_weight - (a_digit <= b_digit);
  scale = TALLY_NUMERIC_MIN_SIGNIFICANT - weight * BASE_DIGITS;
  return CLAMP (MAX (scale, MAX (scale_of (a), scale_of (b))), 0, TALLY_NUMERIC_MAX_DISPLAY_SCALE);
}

static gint
count_wide_digits (Wide value)
{
  gint n = 0;

  for (; value != 0; value /= 10)
    n++;
  return n;
}

/* A quotient with so many digits after the point. */
static gboolean
divide_to_scale (TallyText a, TallyText b, gint scale, Rounding rounding, TallyBatch *batch,
                 TallyText *ret_value, GError **error)
{
  Short x, y;

  if (is_zero (b))
    return tally_throw (error, TALLY_ERROR_DATA, "division by zero");
  if (read_short (a, &x) && read_short (b, &y))
    {
      gint shift = scale + y.scale - x.scale;

      if (shift >= 0 && count_wide_digits (x.mantissa) + shift <= 37)
        {
          *ret_value = print_short (
              (Short){ wide_divide (x.mantissa * wide_power (shift), y.mantissa, rounding), scale },
              batch);
          return TRUE;
        }
    }

  g_auto (Long) left, right;
  read_long (a, &left);
  read_long (b, &right);
  /* Both as integers whose quotient is the result's mantissa. */
  long_rescale (&left, MAX (left.scale, scale + right.scale), ROUND_TRUNCATE);
  long_rescale (&right, left.scale - scale, ROUND_TRUNCATE);
  long_divide (left.mantissa, left.mantissa, right.mantissa, rounding);
  left.scale = scale;
  return print_long (&left, batch, ret_value, error);
}

gboolean
tally_numeric_divide (TallyText a, TallyText b, TallyBatch *batch, TallyText *ret_value,
                      GError **error)
{
  if (is_special (a) || is_special (b))
    {
      if (is_zero (b) && a.data[0] != 'N')
        return tally_throw (error, TALLY_ERROR_DATA, "division by zero");
      return print_double (sketch (a) / sketch (b), ret_value);
    }

  return divide_to_scale (a, b, division_scale (a, b), ROUND_HALF_AWAY, batch, ret_value, error);
}

gboolean
tally_numeric_div (TallyText a, TallyText b, TallyBatch *batch, TallyText *ret_value,
                   GError **error)
{
  if (is_special (a) || is_special (b))
    return tally_numeric_divide (a, b, batch, ret_value, error);
  return divide_to_scale (a, b, 0, ROUND_TRUNCATE, batch, ret_value, error);
}

gboolean
tally_numeric_modulo (TallyText a, TallyText b, TallyBatch *batch, TallyText *ret_value,
                      GError **error)
{
  Short x, y;

  if (is_zero (b) && a.data[0] != 'N')
    return tally_throw (error, TALLY_ERROR_DATA, "division by zero");
  if (is_special (a) || is_special (b))
    {
      *ret_value = is_special (a) || b.data[0] == 'N' ? TEXT ("NaN") : a;
      return TRUE;
    }
  if (read_short (a, &x) && read_short (b, &y))
    {
      gint scale = MAX (x.scale, y.scale);
      Wide rest = (x.mantissa * wide_power (scale - x.scale))
                  % (y.mantissa * wide_power (scale - y.scale));

      *ret_value = print_short ((Short){ rest, scale }, batch);
      return TRUE;
    }

  g_auto (Long) left, right;
  read_long (a, &left);
  read_long (b, &right);
  long_rescale (&left, MAX (left.scale, right.scale), ROUND_TRUNCATE);
  long_rescale (&right, left.scale, ROUND_TRUNCATE);
  mpz_tdiv_r (left.mantissa, left.mantissa, right.mantissa);
  return print_long (&left, batch, ret_value, error);
}

/* Powers and roots. */

static gboolean
is_integral (TallyText value)
{
  const char *point = memchr (value.data, '.', value.length);

  return value.data[0] != 'N'
         && (point == NULL
             || is_zero ((TallyText){ point, (gsize)(value.data + value.length - point) }));
}

/* A small number that behaves under pow() as the value does where the other one is an infinity. */
static double
sketch_base (TallyText value)
{
  gboolean negative = is_negative (value);
  TallyText size = { value.data + negative, value.length - negative };

  if (is_special (value) || is_zero (value))
    return sketch (value);
  return (1 + 0.5 * compare_sizes (size, TEXT ("1"))) * (negative ? -1 : 1);
}

static double
sketch_exponent (TallyText value)
{
  const char *point = memchr (value.data, '.', value.length);
  const char *end = point != NULL ? point : value.data + value.length;
  double size;

  if (is_special (value) || is_zero (value))
    return sketch (value);
  size = !is_integral (value) ? 0.5 : (end[-1] - '0') % 2 == 1 ? 3 : 2;
  return is_negative (value) ? -size : size;
}

/* Roughly the power of ten of the result. */
static double
estimate_power (TallyText base, gint exponent)
{
  gint n = 0;
  const char *at = base.data, *end = base.data + base.length,
             *point = memchr (base.data, '.', base.length);
  double digits = 0;

  while (at < end && (*at < '1' || *at > '9'))
    at++;
  if (at == end)
    return 0;
  for (; at < end && n < 16; at++)
    if (*at != '.')
      {
        digits = digits * 10 + (*at - '0');
        n++;
      }
  if (point == NULL)
    point = end;
  /* Powers of ten that the digits taken leave out, or hold too many of. */
  return exponent * (log10 (digits) + (at <= point ? point - at : point - at + 1));
}

/* To a precision that leaves no doubt about the digits asked for. */
static gboolean
power_rounded (TallyText a, gint exponent, gint scale, double estimate, TallyBatch *batch,
               TallyText *ret_value, GError **error)
{
  g_auto (Long) base;
  mp_bitcnt_t bits = (mp_bitcnt_t)((MAX (estimate, 0) + scale + 40) * 3.33) + 128;
  mpf_t power, divisor;
  mpz_t ten;

  read_long (a, &base);
  mpf_init2 (power, bits);
  mpf_init2 (divisor, bits);
  mpz_init (ten);
  long_power_of_ten (ten, (guint64)base.scale);
  mpf_set_z (divisor, ten);
  mpf_set_z (power, base.mantissa);
  mpf_div (power, power, divisor);
  mpf_pow_ui (power, power, (gulong)ABS ((gint64)exponent));
  if (exponent < 0)
    mpf_ui_div (power, 1, power);

  long_power_of_ten (ten, (guint64)scale);
  mpf_set_z (divisor, ten);
  mpf_mul (power, power, divisor);
  mpf_set_d (divisor, mpf_sgn (power) < 0 ? -0.5 : 0.5);
  mpf_add (power, power, divisor);
  mpz_set_f (base.mantissa, power);
  base.scale = scale;
  mpz_clear (ten);
  mpf_clear (divisor);
  mpf_clear (power);
  return print_long (&base, batch, ret_value, error);
}

static gboolean
power_integer (TallyText a, gint exponent, TallyBatch *batch, TallyText *ret_value, GError **error)
{
  gint scale
      = MIN (MAX (TALLY_NUMERIC_MIN_SIGNIFICANT, scale_of (a)), TALLY_NUMERIC_MAX_DISPLAY_SCALE);
  double estimate;

  if (exponent == 0)
    return round_value (TEXT ("1"), scale, ROUND_TRUNCATE, batch, ret_value, error);
  if (exponent == 1)
    return round_value (a, scale, ROUND_HALF_AWAY, batch, ret_value, error);
  if (exponent == -1)
    return divide_to_scale (TEXT ("1"), a, scale, ROUND_HALF_AWAY, batch, ret_value, error);
  if (exponent == 2)
    return tally_numeric_multiply (a, a, batch, ret_value, error)
           && round_value (*ret_value, scale, ROUND_HALF_AWAY, batch, ret_value, error);

  estimate = estimate_power (a, exponent);
  if (estimate > MAX_INTEGER_DIGITS + 1)
    return tally_throw (error, TALLY_ERROR_DATA, "value overflows numeric format");
  if (is_zero (a) || estimate + 1 < -scale)
    return round_value (TEXT ("0"), scale, ROUND_TRUNCATE, batch, ret_value, error);

  return power_rounded (a, exponent, scale, estimate, batch, ret_value, error);
}

gboolean
tally_numeric_power (TallyText a, TallyText b, TallyBatch *batch, TallyText *ret_value,
                     GError **error)
{
  gboolean special = is_special (a) || is_special (b),
           has_nan = a.data[0] == 'N' || b.data[0] == 'N';
  gint64 exponent;

  if (!has_nan && is_zero (a) && is_negative (b))
    return tally_throw (error, TALLY_ERROR_DATA, "zero raised to a negative power is undefined");
  if (!has_nan && is_negative (a) && !is_integral (b))
    return tally_throw (error, TALLY_ERROR_DATA,
                        "a negative number raised to a non-integer power yields a complex result");
  if (special)
    return print_double (pow (sketch_base (a), sketch_exponent (b)), ret_value);
  if (!is_integral (b) || !tally_numeric_to_bigint (b, &exponent, NULL)
      || exponent != (gint)exponent)
    return tally_numeric_power_by_ln (a, b, batch, ret_value, error);

  return power_integer (a, (gint)exponent, batch, ret_value, error);
}

gboolean
tally_numeric_sqrt (TallyText value, TallyBatch *batch, TallyText *ret_value, GError **error)
{
  gint weight, digit, scale;
  mpz_t rest;

  if (is_negative (value))
    return tally_throw (error, TALLY_ERROR_DATA, "cannot take square root of a negative number");
  if (is_special (value))
    {
      *ret_value = value;
      return TRUE;
    }

  first_digit (value, &weight, &digit);
  scale = MAX (TALLY_NUMERIC_MIN_SIGNIFICANT - ((weight + 1) * BASE_DIGITS / 2 - 1),
               scale_of (value));
  scale = CLAMP (scale, 0, TALLY_NUMERIC_MAX_DISPLAY_SCALE);
  g_auto (Long) number;
  read_long (value, &number);
  long_rescale (&number, 2 * MAX (scale, number.scale), ROUND_TRUNCATE);
  mpz_init (rest);
  mpz_sqrtrem (number.mantissa, rest, number.mantissa);
  if (mpz_cmp (rest, number.mantissa) > 0)
    mpz_add_ui (number.mantissa, number.mantissa, 1);
  mpz_clear (rest);
  number.scale /= 2;
  long_rescale (&number, scale, ROUND_HALF_AWAY);
  return print_long (&number, batch, ret_value, error);
}

/* Functions of one value. */

gboolean
tally_numeric_negate (TallyText value, TallyBatch *batch, TallyText *ret_value, GError **error)
{
  char *text;

  if (value.data[0] == 'N' || is_zero (value))
    *ret_value = value;
  else if (is_negative (value))
    *ret_value = (TallyText){ value.data + 1, value.length - 1 };
  else
    {
      text = tally_batch_alloc (batch, value.length + 1);
      text[0] = '-';
      memcpy (text + 1, value.data, value.length);
      *ret_value = (TallyText){ text, value.length + 1 };
    }
  return TRUE;
}

gboolean
tally_numeric_abs (TallyText value, TallyBatch *batch, TallyText *ret_value, GError **error)
{
  gboolean negative = is_negative (value);

  *ret_value = (TallyText){ value.data + negative, value.length - negative };
  return TRUE;
}

gboolean
tally_numeric_sign (TallyText value, TallyBatch *batch, TallyText *ret_value, GError **error)
{
  *ret_value = value.data[0] == 'N'  ? TEXT ("NaN")
               : is_negative (value) ? TEXT ("-1")
               : is_zero (value)     ? TEXT ("0")
                                     : TEXT ("1");
  return TRUE;
}

gboolean
tally_numeric_trim_scale (TallyText value, TallyBatch *batch, TallyText *ret_value, GError **error)
{
  *ret_value = trim_zeros (value);
  return TRUE;
}

gboolean
tally_numeric_scale (TallyText value, gint64 *ret_scale)
{
  if (is_special (value))
    return FALSE;

  *ret_scale = scale_of (value);
  return TRUE;
}

gboolean
tally_numeric_min_scale (TallyText value, gint64 *ret_scale)
{
  return tally_numeric_scale (trim_zeros (value), ret_scale);
}

/* Casts. */

TallyText
tally_numeric_from_bigint (gint64 value, TallyBatch *batch)
{
  return print_short ((Short){ value, 0 }, batch);
}

TallyText
tally_numeric_from_scaled (__int128 value, gint scale, TallyBatch *batch)
{
  return print_short ((Short){ value, scale }, batch);
}

TallyText
tally_numeric_from_double (double value, TallyBatch *batch)
{
  char text[40];
  TallyText result;

  if (isnan (value)) /* which may have a sign */
    return TEXT ("NaN");

  g_ascii_formatd (text, sizeof text, "%.15g", value);
  result = tally_value_copy (batch, text, strlen (text));
  tally_numeric_parse (result, batch, &result, NULL);
  return result;
}

gboolean
tally_numeric_to_bigint (TallyText value, gint64 *ret_value, GError **error)
{
  const char *at = value.data + is_negative (value), *end = value.data + value.length;
  gint64 result = 0; /* counts down */

  if (is_special (value))
    return tally_throw (error, TALLY_ERROR_DATA, "cannot convert %s to bigint",
                        value.data[0] == 'N' ? "NaN" : "infinity");

  for (; at < end && *at != '.'; at++)
    if (__builtin_mul_overflow (result, 10, &result)
        || __builtin_sub_overflow (result, *at - '0', &result))
      return tally_throw (error, TALLY_ERROR_DATA, "bigint out of range");
  if ((end - at >= 2 && at[1] >= '5' && __builtin_sub_overflow (result, 1, &result))
      || (!is_negative (value) && result == G_MININT64))
    return tally_throw (error, TALLY_ERROR_DATA, "bigint out of range");

  *ret_value = is_negative (value) ? result : -result;
  return TRUE;
}

gboolean
tally_numeric_to_double (TallyText value, double *ret_value, GError **error)
{
  return tally_double_parse (value, value, ret_value, error);
}
