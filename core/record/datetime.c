/* datetime.c: the calendar, output, and arithmetic */
#include "datetime-private.h"
#include "value-private.h"
#include "value.h"
#include <math.h>
#include <string.h>

/* Days and microseconds since 2000-01-01: 4714-11-24 BC is the first day of both; then 5874897-12-31 and 294276-12-31. */
#define FIRST_DAY (-TALLY_EPOCH_JULIAN)
#define AFTER_LAST_DAY G_GINT64_CONSTANT (2145031949)
#define FIRST_TIMESTAMP (FIRST_DAY * TALLY_USECS_PER_DAY)
#define AFTER_LAST_TIMESTAMP G_GINT64_CONSTANT (9223371331200000000)

#define DAYS_PER_ERA 146097 /* 400 years, after which the calendar repeats */
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
  return (gint32) days_from_civil (year, month, day);
}

void
tally_civil_from_days (gint32 days, gint *ret_year, gint *ret_month, gint *ret_day)
{
  gint64 shifted = (gint64) days + EPOCH_IN_ERAS;
  gint64 era = (shifted >= 0 ? shifted : shifted - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
  gint64 day_of_era = shifted - era * DAYS_PER_ERA;
  gint64 year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  gint64 day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  gint64 month = (5 * day_of_year + 2) / 153; /* 0 is March */

  *ret_day = (gint) (day_of_year - (153 * month + 2) / 5 + 1);
  *ret_month = (gint) (month < 10 ? month + 3 : month - 9);
  *ret_year = (gint) (era * 400 + year_of_era + (*ret_month <= 2));
}

gboolean
tally_is_julian (gint year, gint month)
{
  return (year > -4713 || (year == -4713 && month >= 11)) && (year < 5874898 || (year == 5874898 && month < 6));
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

  tally_civil_from_days ((gint32) days, &ret_civil->year, &ret_civil->month, &ret_civil->day);
  ret_civil->hour = (gint) (rest / TALLY_USECS_PER_HOUR);
  ret_civil->minute = (gint) (rest / TALLY_USECS_PER_MINUTE % 60);
  ret_civil->second = (gint) (rest / TALLY_USECS_PER_SECOND % 60);
  ret_civil->usec = (gint) (rest % TALLY_USECS_PER_SECOND);
}

gboolean
tally_civil_to_timestamp_unchecked (const TallyCivil *civil, gint64 *ret_timestamp)
{
  gint64 time = civil->hour * TALLY_USECS_PER_HOUR + civil->minute * TALLY_USECS_PER_MINUTE
                + civil->second * TALLY_USECS_PER_SECOND + civil->usec;
  gint64 timestamp;

  if (!tally_is_julian (civil->year, civil->month)
      || __builtin_mul_overflow (days_from_civil (civil->year, civil->month, civil->day), TALLY_USECS_PER_DAY,
                                 &timestamp)
      || __builtin_add_overflow (timestamp, time, &timestamp))
    return FALSE;

  *ret_timestamp = timestamp;
  return TRUE;
}

gboolean
tally_civil_to_timestamp (const TallyCivil *civil, gint64 *ret_timestamp)
{
  gint64 timestamp;

  if (!tally_civil_to_timestamp_unchecked (civil, &timestamp) || !tally_timestamp_is_valid (timestamp))
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
    digits[n++] = (char) ('0' + value % 10);
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
  at = put_digits (at, (guint) (year > 0 ? year : 1 - year), 4);
  *at++ = '-';
  at = put_digits (at, (guint) month, 2);
  *at++ = '-';
  return put_digits (at, (guint) day, 2);
}

static char *
put_time (char *at, const TallyCivil *civil)
{
  at = put_digits (at, (guint) civil->hour, 2);
  *at++ = ':';
  at = put_digits (at, (guint) civil->minute, 2);
  *at++ = ':';
  at = put_digits (at, (guint) civil->second, 2);
  if (civil->usec != 0)
    {
      *at++ = '.';
      at = put_digits (at, (guint) civil->usec, 6);
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
