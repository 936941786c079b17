/* datetime.c: the calendar, output, and arithmetic */
#include "datetime-private.h"
#include "value-private.h"
#include "value.h"
#include <math.h>
#include <string.h>

/* Days and microseconds since 2000-01-01: 4714-11-24 BC is the first day of both; then
 * 5874897-12-31 and 294276-12-31. */
#define FIRST_DAY (-TALLY_EPOCH_JULIAN)
#define AFTER_LAST_DAY G_GINT64_CONSTANT (2145031949)
#define FIRST_TIMESTAMP (FIRST_DAY * TALLY_USECS_PER_DAY)
#define AFTER_LAST_TIMESTAMP G_GINT64_CONSTANT (9223371331200000000)

#define DAYS_PER_ERA 146097  /* 400 years, after which the calendar repeats */
#define EPOCH_IN_ERAS 730425 /* days from 0000-03-01 to 2000-01-01 */

gboolean
tally_is_leap_year (gint year)
{
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

gint
tally_days_in_month (gint year, gint month)
{
  static const gint8 days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

  return days[month - 1] + (month == 2 && tally_is_leap_year (year));
}

/* Years that begin in March put the leap day at their end; then months are 153 days in five. */
static gint64
days_from_civil (gint64 year, gint month, gint day)
{
  gint64 shifted = year - (month <= 2);
  gint64 era = (shifted >= 0 ? shifted : shifted - 399) / 400;
  gint64 year_of_era = shifted - era * 400;
  gint64 day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  gint64 day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

  return era * DAYS_PER_ERA + day_of_era - EPOCH_IN_ERAS;
}

gint32
tally_days_from_civil (gint year, gint month, gint day)
{
  return (gint32)days_from_civil (year, month, day);
}

void
tally_civil_from_days (gint32 days, gint *ret_year, gint *ret_month, gint *ret_day)
{
  gint64 shifted = (gint64)days + EPOCH_IN_ERAS;
  gint64 era = (shifted >= 0 ? shifted : shifted - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
  gint64 day_of_era = shifted - era * DAYS_PER_ERA;
  gint64 year_of_era
      = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  gint64 day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  gint64 month = (5 * day_of_year + 2) / 153; /* 0 is March */

  *ret_day = (gint)(day_of_year - (153 * month + 2) / 5 + 1);
  *ret_month = (gint)(month < 10 ? month + 3 : month - 9);
  *ret_year = (gint)(era * 400 + year_of_era + (*ret_month <= 2));
}

gboolean
tally_is_julian (gint year, gint month)
{
  return (year > -4713 || (year == -4713 && month >= 11))
         && (year < 5874898 || (year == 5874898 && month < 6));
}

gboolean
tally_date_is_valid (gint64 days)
{
  return days >= FIRST_DAY && days < AFTER_LAST_DAY;
}

gboolean
tally_timestamp_is_valid (gint64 timestamp)
{
  return timestamp >= FIRST_TIMESTAMP && timestamp < AFTER_LAST_TIMESTAMP;
}

static gint64
floor_divide (gint64 a, gint64 b)
{
  return a / b - (a % b < 0);
}

void
tally_timestamp_to_civil (gint64 timestamp, TallyCivil *ret_civil)
{
  gint64 days = floor_divide (timestamp, TALLY_USECS_PER_DAY);
  gint64 rest = timestamp - days * TALLY_USECS_PER_DAY;

  tally_civil_from_days ((gint32)days, &ret_civil->year, &ret_civil->month, &ret_civil->day);
  ret_civil->hour = (gint)(rest / TALLY_USECS_PER_HOUR);
  ret_civil->minute = (gint)(rest / TALLY_USECS_PER_MINUTE % 60);
  ret_civil->second = (gint)(rest / TALLY_USECS_PER_SECOND % 60);
  ret_civil->usec = (gint)(rest % TALLY_USECS_PER_SECOND);
}

gboolean
tally_civil_to_timestamp_unchecked (const TallyCivil *civil, gint64 *ret_timestamp)
{
  gint64 time = civil->hour * TALLY_USECS_PER_HOUR + civil->minute * TALLY_USECS_PER_MINUTE
                + civil->second * TALLY_USECS_PER_SECOND + civil->usec;
  gint64 timestamp;

  if (!tally_is_julian (civil->year, civil->month)
      || __builtin_mul_overflow (days_from_civil (civil->year, civil->month, civil->day),
                                 TALLY_USECS_PER_DAY, &timestamp)
      || __builtin_add_overflow (timestamp, time, &timestamp))
    return FALSE;

  *ret_timestamp = timestamp;
  return TRUE;
}

gboolean
tally_civil_to_timestamp (const TallyCivil *civil, gint64 *ret_timestamp)
{
  gint64 timestamp;

  if (!tally_civil_to_timestamp_unchecked (civil, &timestamp)
      || !tally_timestamp_is_valid (timestamp))
    return FALSE;

  *ret_timestamp = timestamp;
  return TRUE;
}

/* Output. */

static char *
put_digits (char *at, guint value, guint width)
{
  char digits[12];
  guint n = 0;

  do
    digits[n++] = (char)('0' + value % 10);
  while ((value /= 10) > 0);
  for (guint i = n; i < width; i++)
    *at++ = '0';
  while (n > 0)
    *at++ = digits[--n];
  return at;
}

static char *
put_date (char *at, gint year, gint month, gint day)
{
  at = put_digits (at, (guint)(year > 0 ? year : 1 - year), 4);
  *at++ = '-';
  at = put_digits (at, (guint)month, 2);
  *at++ = '-';
  return put_digits (at, (guint)day, 2);
}

static char *
put_time (char *at, const TallyCivil *civil)
{
  at = put_digits (at, (guint)civil->hour, 2);
  *at++ = ':';
  at = put_digits (at, (guint)civil->minute, 2);
  *at++ = ':';
  at = put_digits (at, (guint)civil->second, 2);
  if (civil->usec != 0)
    {
      *at++ = '.';
      at = put_digits (at, (guint)civil->usec, 6);
      while (at[-1] == '0')
        at--;
    }
  return at;
}

void
tally_date_append (gint32 date, GString *out)
{
  gint year, month, day;
  char text[32];

  if (date == TALLY_DATE_INFINITY || date == TALLY_DATE_MINUS_INFINITY)
    {
      g_string_append (out, date > 0 ? "infinity" : "-infinity");
      return;
    }
  tally_civil_from_days (date, &year, &month, &day);
  g_string_append_len (out, text, put_date (text, year, month, day) - text);
  if (year <= 0)
    g_string_append (out, " BC");
}

static void
append_timestamp (gint64 timestamp, char separator, const char *zone, GString *out)
{
  TallyCivil civil;
  char text[64], *at;

  if (timestamp == TALLY_TIMESTAMP_INFINITY || timestamp == TALLY_TIMESTAMP_MINUS_INFINITY)
    {
      g_string_append (out, timestamp > 0 ? "infinity" : "-infinity");
      return;
    }
  tally_timestamp_to_civil (timestamp, &civil);
  at = put_date (text, civil.year, civil.month, civil.day);
  *at++ = separator;
  at = put_time (at, &civil);
  g_string_append_len (out, text, at - text);
  g_string_append (out, zone);
  if (civil.year <= 0)
    g_string_append (out, " BC");
}

void
tally_timestamp_append (gint64 timestamp, GString *out)
{
  append_timestamp (timestamp, ' ', "", out);
}

void
tally_timestamptz_append (gint64 timestamp, GString *out)
{
  append_timestamp (timestamp, ' ', "+00", out);
}

void
tally_timestamp_append_iso (TallyType type, gint64 timestamp, GString *out)
{
  append_timestamp (timestamp, 'T', type == TALLY_TYPE_TIMESTAMPTZ ? "+00:00" : "", out);
}

/* Casts. */

static gboolean
throw_range (GError **error)
{
  return tally_throw (error, TALLY_ERROR_DATA, "timestamp out of range");
}

static gboolean
is_infinite (gint64 timestamp)
{
  return timestamp == TALLY_TIMESTAMP_INFINITY || timestamp == TALLY_TIMESTAMP_MINUS_INFINITY;
}

gboolean
tally_date_to_timestamp (gint32 date, TallyType type, gint64 *ret_timestamp, GError **error)
{
  if (date == TALLY_DATE_INFINITY || date == TALLY_DATE_MINUS_INFINITY)
    {
      *ret_timestamp = date > 0 ? TALLY_TIMESTAMP_INFINITY : TALLY_TIMESTAMP_MINUS_INFINITY;
      return TRUE;
    }
  if (date >= AFTER_LAST_TIMESTAMP / TALLY_USECS_PER_DAY)
    return tally_throw (error, TALLY_ERROR_DATA, "date out of range for timestamp");

  *ret_timestamp = date * TALLY_USECS_PER_DAY;
  return TRUE;
}

gint32
tally_timestamp_to_date (gint64 timestamp)
{
  if (is_infinite (timestamp))
    return timestamp > 0 ? TALLY_DATE_INFINITY : TALLY_DATE_MINUS_INFINITY;

  return (gint32)floor_divide (timestamp, TALLY_USECS_PER_DAY);
}

gint
tally_date_compare_timestamp (gint32 date, gint64 timestamp)
{
  gint64 start;

  if (!tally_date_to_timestamp (date, TALLY_TYPE_TIMESTAMP, &start, NULL))
    return timestamp == TALLY_TIMESTAMP_INFINITY ? -1 : 1;

  return (start > timestamp) - (start < timestamp);
}

/* Arithmetic. */

gboolean
tally_date_add_days (gint32 date, gint64 days, gint32 *ret_date, GError **error)
{
  gint64 sum;

  if (date == TALLY_DATE_INFINITY || date == TALLY_DATE_MINUS_INFINITY)
    {
      *ret_date = date;
      return TRUE;
    }
  if (__builtin_add_overflow (date, days, &sum) || !tally_date_is_valid (sum))
    return tally_throw (error, TALLY_ERROR_DATA, "date out of range");

  *ret_date = (gint32)sum;
  return TRUE;
}

gboolean
tally_date_subtract (gint32 a, gint32 b, gint64 *ret_days, GError **error)
{
  if (a == TALLY_DATE_INFINITY || a == TALLY_DATE_MINUS_INFINITY || b == TALLY_DATE_INFINITY
      || b == TALLY_DATE_MINUS_INFINITY)
    return tally_throw (error, TALLY_ERROR_DATA, "cannot subtract infinite dates");

  *ret_days = (gint64)a - b;
  return TRUE;
}

static gboolean
add_months (gint64 timestamp, gint32 months, gint64 *ret_timestamp)
{
  TallyCivil civil;
  gint64 month, year;

  tally_timestamp_to_civil (timestamp, &civil);
  month = (gint64)civil.month - 1 + months;
  year = civil.year + floor_divide (month, TALLY_MONTHS_PER_YEAR);
  civil.month
      = (gint)(month - floor_divide (month, TALLY_MONTHS_PER_YEAR) * TALLY_MONTHS_PER_YEAR) + 1;
  civil.year = (gint)year;
  civil.day = MIN (civil.day, tally_days_in_month (civil.year, civil.month));
  return tally_civil_to_timestamp (&civil, ret_timestamp);
}

gboolean
tally_timestamp_add (gint64 timestamp, TallyInterval interval, gint64 *ret_timestamp,
                     GError **error)
{
  gint64 sum = timestamp, length;

  if (is_infinite (timestamp))
    {
      *ret_timestamp = timestamp;
      return TRUE;
    }
  if (interval.months != 0 && !add_months (sum, interval.months, &sum))
    return throw_range (error);
  if (__builtin_mul_overflow (interval.days, TALLY_USECS_PER_DAY, &length)
      || __builtin_add_overflow (sum, length, &sum) || !tally_timestamp_is_valid (sum)
      || __builtin_add_overflow (sum, interval.microseconds, &sum)
      || !tally_timestamp_is_valid (sum))
    return throw_range (error);

  *ret_timestamp = sum;
  return TRUE;
}

gboolean
tally_timestamp_subtract_interval (gint64 timestamp, TallyInterval interval, gint64 *ret_timestamp,
                                   GError **error)
{
  TallyInterval negated;

  if (!tally_interval_negate (interval, &negated, NULL))
    return throw_range (error);
  return tally_timestamp_add (timestamp, negated, ret_timestamp, error);
}

gboolean
tally_timestamp_subtract (gint64 a, gint64 b, TallyInterval *ret_interval, GError **error)
{
  TallyInterval difference = { 0 };

  if (is_infinite (a) || is_infinite (b))
    return tally_throw (error, TALLY_ERROR_DATA, "cannot subtract infinite timestamps");
  if (__builtin_sub_overflow (a, b, &difference.microseconds))
    return tally_throw (error, TALLY_ERROR_DATA, "interval out of range");

  return tally_interval_justify_hours (difference, ret_interval, error);
}

/* Whole months first, then days, then time; days are borrowed from the month of the earlier one. */
gboolean
tally_timestamp_age (gint64 a, gint64 b, TallyInterval *ret_interval, GError **error)
{
  TallyCivil later, earlier;
  TallyInterval age;
  gint sign = a < b ? -1 : 1;

  if (is_infinite (a) || is_infinite (b))
    return throw_range (error);

  tally_timestamp_to_civil (MAX (a, b), &later);
  tally_timestamp_to_civil (MIN (a, b), &earlier);
  age.months = (later.year - earlier.year) * TALLY_MONTHS_PER_YEAR + later.month - earlier.month;
  age.days = later.day - earlier.day;
  age.microseconds = (later.hour - earlier.hour) * TALLY_USECS_PER_HOUR
                     + (later.minute - earlier.minute) * TALLY_USECS_PER_MINUTE
                     + (later.second - earlier.second) * TALLY_USECS_PER_SECOND
                     + (later.usec - earlier.usec);
  if (age.microseconds < 0)
    {
      age.microseconds += TALLY_USECS_PER_DAY;
      age.days--;
    }
  for (; age.days < 0; age.months--)
    age.days += tally_days_in_month (earlier.year, earlier.month);

  *ret_interval = (TallyInterval){ sign * age.microseconds, sign * age.days, sign * age.months };
  return TRUE;
}

/* Making. */

#define TIME_FORMAT "%" G_GINT64_FORMAT ":%02" G_GINT64_FORMAT
#define DATE_FORMAT "%" G_GINT64_FORMAT "-%02" G_GINT64_FORMAT "-%02" G_GINT64_FORMAT

/* Negative years are BC.  A message names the year as shown. */
static gboolean
make_days (gint64 year, gint64 month, gint64 day, gint64 shown, gint64 *ret_days, GError **error)
{
  gint64 civil_year = year < 0 ? year + 1 : year;

  if (year == 0 || month < 1 || month > 12 || day < 1 || ABS (year) > G_MAXINT
      || day > tally_days_in_month ((gint)civil_year, (gint)month))
    return tally_throw (error, TALLY_ERROR_DATA, "date field value out of range: " DATE_FORMAT,
                        shown, month, day);
  *ret_days = days_from_civil (civil_year, (gint)month, (gint)day);
  if (!tally_is_julian ((gint)civil_year, (gint)month) || !tally_date_is_valid (*ret_days))
    return tally_throw (error, TALLY_ERROR_DATA, "date out of range: " DATE_FORMAT, shown, month,
                        day);
  return TRUE;
}

gboolean
tally_date_make (gint64 year, gint64 month, gint64 day, gint32 *ret_date, GError **error)
{
  gint64 days = 0;

  if (!make_days (year, month, day, year < 0 ? year + 1 : year, &days, error))
    return FALSE;

  *ret_date = (gint32)days;
  return TRUE;
}

static char *
print_seconds (double second)
{
  return isinf (second) ? g_strdup (second < 0 ? "-Infinity" : "Infinity")
                        : g_strdup_printf ("%02g", second);
}

static gboolean
throw_time_field (gint64 hour, gint64 minute, double second, GError **error)
{
  g_autofree char *seconds = print_seconds (second);

  return tally_throw (error, TALLY_ERROR_DATA, "time field value out of range: " TIME_FORMAT ":%s",
                      hour, minute, seconds);
}

gboolean
tally_timestamp_make (gint64 year, gint64 month, gint64 day, gint64 hour, gint64 minute,
                      double second, gint64 *ret_timestamp, GError **error)
{
  gint64 days = 0, time = -1, timestamp;
  double usec = rint (second * 1000000);

  if (!make_days (year, month, day, year, &days, error))
    return FALSE;
  if (hour >= 0 && hour <= 24 && minute >= 0 && minute <= 59 && usec >= 0 && usec <= 60e6)
    time = hour * TALLY_USECS_PER_HOUR + minute * TALLY_USECS_PER_MINUTE + (gint64)usec;
  if (isnan (second))
    return tally_throw (error, TALLY_ERROR_DATA,
                        "time field value out of range: " TIME_FORMAT ":NaN", hour, minute);
  if (time < 0 || time > TALLY_USECS_PER_DAY)
    return throw_time_field (hour, minute, second, error);
  if (__builtin_mul_overflow (days, TALLY_USECS_PER_DAY, &timestamp)
      || __builtin_add_overflow (timestamp, time, &timestamp)
      || !tally_timestamp_is_valid (timestamp))
    return tally_throw (error, TALLY_ERROR_DATA,
                        "timestamp out of range: " DATE_FORMAT " " TIME_FORMAT ":%02g", year, month,
                        day, hour, minute, second);

  *ret_timestamp = timestamp;
  return TRUE;
}

/* a * scale + b in 32 bits. */
static gboolean
combine (gint64 a, gint64 scale, gint64 b, gint32 *ret_sum)
{
  gint64 sum;

  if (__builtin_mul_overflow (a, scale, &sum) || __builtin_add_overflow (sum, b, &sum)
      || sum != (gint32)sum)
    return FALSE;
  *ret_sum = (gint32)sum;
  return TRUE;
}

gboolean
tally_interval_make (gint64 years, gint64 months, gint64 weeks, gint64 days, gint64 hours,
                     gint64 minutes, double seconds, TallyInterval *ret_interval, GError **error)
{
  double usec = rint (seconds * 1000000);
  TallyInterval interval;
  gint64 part;

  if (!combine (years, TALLY_MONTHS_PER_YEAR, months, &interval.months)
      || !combine (weeks, 7, days, &interval.days) || !(usec >= -9.2e18 && usec <= 9.2e18)
      || __builtin_mul_overflow (hours, TALLY_USECS_PER_HOUR, &part)
      || __builtin_add_overflow (part, (gint64)usec, &interval.microseconds)
      || __builtin_mul_overflow (minutes, TALLY_USECS_PER_MINUTE, &part)
      || __builtin_add_overflow (interval.microseconds, part, &interval.microseconds))
    return tally_throw (error, TALLY_ERROR_DATA, "interval out of range");

  *ret_interval = interval;
  return TRUE;
}

gboolean
tally_timestamp_from_epoch (double seconds, gint64 *ret_timestamp, GError **error)
{
  double usec;

  if (isnan (seconds))
    return tally_throw (error, TALLY_ERROR_DATA, "timestamp cannot be NaN");
  if (isinf (seconds))
    {
      *ret_timestamp = seconds > 0 ? TALLY_TIMESTAMP_INFINITY : TALLY_TIMESTAMP_MINUS_INFINITY;
      return TRUE;
    }
  usec = rint ((seconds - (double)TALLY_EPOCH_UNIX) * 1000000);
  if (!(usec >= (double)FIRST_TIMESTAMP && usec < (double)AFTER_LAST_TIMESTAMP))
    return tally_throw (error, TALLY_ERROR_DATA, "timestamp out of range: \"%g\"", seconds);

  *ret_timestamp = (gint64)usec;
  return TRUE;
}
