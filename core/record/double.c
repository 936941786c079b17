/* double.c: the shortest digits of a double
 *
 * C's printf rounds correctly and its strtod reads correctly, so the shortest digits are found by
 * asking for 15, 16 and then 17 of them and reading them back.  A dedicated algorithm (Ryu, which
 * PostgreSQL has) is quicker, but brings ten kilobytes of tables; most doubles of a business are
 * short decimals, which the first function prints without either.
 */
#include "value-private.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIGITS 17
/* Beyond it doubles are further apart than whole numbers. */
#define EXACT_INTEGERS 9007199254740992.0 /* 2^53 */

/* Digits without point, and the power of ten of the first one. */
typedef struct
{
  char digits[MAX_DIGITS + 1];
  gint n_digits;
  gint exponent;
} Decimal;

/* A whole number divided by a power of ten is rounded once: if it gives the value, its digits are
 * the shortest. */
static gboolean
append_short (double value, GString *out)
{
  static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4 };
  double size = fabs (value);
  guint n_fraction = 0;
  char text[24];
  guint64 digits;
  gsize at = sizeof text;

  if (!(size >= 1e-4 && size < 1e11))
    return FALSE;
  while (rint (size * powers[n_fraction]) / powers[n_fraction] != size)
    if (++n_fraction == G_N_ELEMENTS (powers))
      return FALSE;

  digits = (guint64)rint (size * powers[n_fraction]);
  for (guint i = 0; digits > 0 || i <= n_fraction; i++)
    {
      if (i == n_fraction && n_fraction > 0)
        text[--at] = '.';
      text[--at] = (char)('0' + digits % 10);
      digits /= 10;
    }
  if (value < 0)
    text[--at] = '-';
  g_string_append_len (out, text + at, sizeof text - at);
  return TRUE;
}

static double
read_digits (const char *digits, const char *more, gint exponent)
{
  char text[80];

  g_snprintf (text, sizeof text, "0.%s%se%d", digits, more, exponent + 1);
  return g_ascii_strtod (text, NULL);
}

/* Digits half-way between two doubles are read as one of them, but name neither: PostgreSQL does
 * not print them.  Seen by looking a little further away from the value. */
static gboolean
is_half_way (double value, const Decimal *decimal)
{
  char nearer[MAX_DIGITS + 1];

  strcpy (nearer, decimal->digits);
  nearer[decimal->n_digits - 1]--;
  return read_digits (decimal->digits, "0000000000000000000000000000000000000001",
                      decimal->exponent)
             != value
         || read_digits (nearer, "9999999999999999999999999999999999999999", decimal->exponent)
                != value;
}

/* Digits as printf gives them, or with the last one raised. */
static gboolean
try_digits (double value, const char *printed, gint n, gboolean raised, Decimal *decimal)
{
  char *digits = decimal->digits;

  digits[0] = printed[0];
  memcpy (digits + 1, printed + 2, n - 1);
  digits[n] = '\0';
  decimal->exponent = atoi (strchr (printed, 'e') + 1);
  decimal->n_digits = n;
  if (raised)
    {
      if (digits[n - 1] == '9')
        return FALSE;
      digits[n - 1]++;
    }
  while (decimal->n_digits > 1 && digits[decimal->n_digits - 1] == '0')
    digits[--decimal->n_digits] = '\0';
  return read_digits (digits, "", decimal->exponent) == value
         && (value < EXACT_INTEGERS || !is_half_way (value, decimal));
}

/* Above a power of two doubles are twice as far apart as below: there the nearest digits may be
 * another double's, and the next digits up still this one's. */
static void
find_digits (double value, Decimal *decimal)
{
  gint exponent;
  gboolean is_power = frexp (value, &exponent) == 0.5;

  for (gint n = value < DBL_MIN ? 1 : 15; n <= MAX_DIGITS; n++)
    {
      char printed[40];

      g_snprintf (printed, sizeof printed, "%.*e", n - 1, value);
      if (try_digits (value, printed, n, FALSE, decimal)
          || (is_power && try_digits (value, printed, n, TRUE, decimal)))
        return;
    }
}

static void
append_decimal (const Decimal *decimal, GString *out)
{
  const char *digits = decimal->digits;
  gint n = decimal->n_digits, exponent = decimal->exponent;

  if (exponent < -4 || exponent >= 15)
    {
      g_string_append_c (out, digits[0]);
      if (n > 1)
        g_string_append_printf (out, ".%s", digits + 1);
      g_string_append_printf (out, "e%c%02d", exponent < 0 ? '-' : '+', ABS (exponent));
    }
  else if (exponent < 0)
    g_string_append_printf (out, "0.%.*s%s", -exponent - 1, "0000", digits);
  else if (n <= exponent + 1)
    g_string_append_printf (out, "%s%.*s", digits, exponent + 1 - n, "000000000000000");
  else
    g_string_append_printf (out, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
}

void
tally_double_append (double value, GString *out)
{
  Decimal decimal;

  if (isnan (value))
    g_string_append (out, "NaN");
  else if (isinf (value))
    g_string_append (out, value < 0 ? "-Infinity" : "Infinity");
  else if (value == 0)
    g_string_append (out, signbit (value) ? "-0" : "0");
  else if (!append_short (value, out))
    {
      if (value < 0)
        g_string_append_c (out, '-');
      find_digits (fabs (value), &decimal);
      append_decimal (&decimal, out);
    }
}
