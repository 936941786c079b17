/* datetime-field.c: units of time, what a value has of each, and values cut off at one */
#include "datetime-private.h"
#include "numeric.h"
#include "value-private.h"
#include "value.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* PostgreSQL compares no more of a word, and stores none longer. */
#define WORD_LENGTH 10

typedef struct
{
  const char *word;
  TallyUnit unit;
} Word;

/* Sorted. */
static const Word words[] = {
  { "-infinity", TALLY_UNIT_OTHER },
  { "ago", TALLY_UNIT_AGO },
  { "allballs", TALLY_UNIT_OTHER },
  { "c", TALLY_UNIT_CENTURY },
  { "cent", TALLY_UNIT_CENTURY },
  { "centuries", TALLY_UNIT_CENTURY },
  { "century", TALLY_UNIT_CENTURY },
  { "d", TALLY_UNIT_DAY },
  { "day", TALLY_UNIT_DAY },
  { "days", TALLY_UNIT_DAY },
  { "dec", TALLY_UNIT_DECADE },
  { "decade", TALLY_UNIT_DECADE },
  { "decades", TALLY_UNIT_DECADE },
  { "decs", TALLY_UNIT_DECADE },
  { "dow", TALLY_UNIT_WEEKDAY },
  { "doy", TALLY_UNIT_DAY_OF_YEAR },
  { "epoch", TALLY_UNIT_EPOCH },
  { "h", TALLY_UNIT_HOUR },
  { "hour", TALLY_UNIT_HOUR },
  { "hours", TALLY_UNIT_HOUR },
  { "hr", TALLY_UNIT_HOUR },
  { "hrs", TALLY_UNIT_HOUR },
  { "infinity", TALLY_UNIT_OTHER },
  { "isodow", TALLY_UNIT_ISO_WEEKDAY },
  { "isoyear", TALLY_UNIT_ISO_YEAR },
  { "j", TALLY_UNIT_JULIAN },
  { "jd", TALLY_UNIT_JULIAN },
  { "julian", TALLY_UNIT_JULIAN },
  { "m", TALLY_UNIT_MINUTE },
  { "microsecon", TALLY_UNIT_MICROSECOND },
  { "mil", TALLY_UNIT_MILLENNIUM },
  { "millennia", TALLY_UNIT_MILLENNIUM },
  { "millennium", TALLY_UNIT_MILLENNIUM },
  { "millisecon", TALLY_UNIT_MILLISECOND },
  { "mils", TALLY_UNIT_MILLENNIUM },
  { "min", TALLY_UNIT_MINUTE },
  { "mins", TALLY_UNIT_MINUTE },
  { "minute", TALLY_UNIT_MINUTE },
  { "minutes", TALLY_UNIT_MINUTE },
  { "mm", TALLY_UNIT_DATE_MINUTE },
  { "mon", TALLY_UNIT_MONTH },
  { "mons", TALLY_UNIT_MONTH },
  { "month", TALLY_UNIT_MONTH },
  { "months", TALLY_UNIT_MONTH },
  { "ms", TALLY_UNIT_MILLISECOND },
  { "msec", TALLY_UNIT_MILLISECOND },
  { "msecond", TALLY_UNIT_MILLISECOND },
  { "mseconds", TALLY_UNIT_MILLISECOND },
  { "msecs", TALLY_UNIT_MILLISECOND },
  { "now", TALLY_UNIT_OTHER },
  { "qtr", TALLY_UNIT_QUARTER },
  { "quarter", TALLY_UNIT_QUARTER },
  { "s", TALLY_UNIT_SECOND },
  { "sec", TALLY_UNIT_SECOND },
  { "second", TALLY_UNIT_SECOND },
  { "seconds", TALLY_UNIT_SECOND },
  { "secs", TALLY_UNIT_SECOND },
  { "timezone", TALLY_UNIT_ZONE },
  { "timezone_h", TALLY_UNIT_ZONE_HOUR },
  { "timezone_m", TALLY_UNIT_ZONE_MINUTE },
  { "today", TALLY_UNIT_OTHER },
  { "tomorrow", TALLY_UNIT_OTHER },
  { "us", TALLY_UNIT_MICROSECOND },
  { "usec", TALLY_UNIT_MICROSECOND },
  { "usecond", TALLY_UNIT_MICROSECOND },
  { "useconds", TALLY_UNIT_MICROSECOND },
  { "usecs", TALLY_UNIT_MICROSECOND },
  { "w", TALLY_UNIT_WEEK },
  { "week", TALLY_UNIT_WEEK },
  { "weeks", TALLY_UNIT_WEEK },
  { "y", TALLY_UNIT_YEAR },
  { "year", TALLY_UNIT_YEAR },
  { "years", TALLY_UNIT_YEAR },
  { "yesterday", TALLY_UNIT_OTHER },
  { "yr", TALLY_UNIT_YEAR },
  { "yrs", TALLY_UNIT_YEAR },
};

static int
compare_word (const void *key, const void *entry)
{
  return strncmp (key, ((const Word *)entry)->word, WORD_LENGTH);
}

TallyUnit
tally_unit_find (const char *word)
{
  const Word *found = bsearch (word, words, G_N_ELEMENTS (words), sizeof words[0], compare_word);

  return found != NULL ? found->unit : TALLY_UNIT_UNKNOWN;
}

/* Names of types as PostgreSQL's messages have them. */
static const char *
long_name (TallyType type)
{
  return type == TALLY_TYPE_TIMESTAMP     ? "timestamp without time zone"
         : type == TALLY_TYPE_TIMESTAMPTZ ? "timestamp with time zone"
                                          : tally_type_name (type);
}

static char *
dup_unit (TallyText text)
{
  g_autofree char *quoted = tally_value_quote (text);

  return g_ascii_strdown (quoted, -1);
}

static TallyUnit
find_unit (TallyText text)
{
  g_autofree char *word = dup_unit (text);

  return tally_unit_find (word);
}

static gboolean
throw_unrecognized (GError **error, TallyText unit, TallyType type)
{
  g_autofree char *word = dup_unit (unit);

  return tally_throw (error, TALLY_ERROR_DATA, "unit \"%s\" not recognized for type %s", word,
                      long_name (type));
}

static gboolean
throw_unsupported (GError **error, TallyText unit, TallyType type)
{
  g_autofree char *word = dup_unit (unit);

  return tally_throw (error, TALLY_ERROR_DATA, "unit \"%s\" not supported for type %s", word,
                      long_name (type));
}

/* Weeks. */

gint
tally_iso_weekday (gint32 days)
{
  gint64 since_monday = ((gint64)days + 5) % 7; /* 2000-01-03 was one */

  return (gint)(since_monday < 0 ? since_monday + 7 : since_monday) + 1;
}

/* The first week is the one that has January 4th. */
static gint64
first_week (gint year)
{
  gint32 fourth = tally_days_from_civil (year, 1, 4);

  return (gint64)fourth - (tally_iso_weekday (fourth) - 1);
}

gint32
tally_iso_week_start (gint year, gint week)
{
  return (gint32)(first_week (year) + (gint64)(week - 1) * 7);
}

gint
tally_iso_week (gint32 days, gint *ret_year)
{
  gint year, month, day;

  tally_civil_from_days (days, &year, &month, &day);
  if (days < first_week (year))
    year--;
  else if (days >= first_week (year + 1))
    year++;
  *ret_year = year;
  return (gint)((days - first_week (year)) / 7) + 1;
}

/* Decades, centuries and millennia, of years that have a 0. */

static gint
decade_of (gint year)
{
  return year >= 0 ? year / 10 : -((8 - (year - 1)) / 10);
}

static gint
span_of (gint year, gint length)
{
  return year > 0 ? (year + length - 1) / length : -((length - 1 - (year - 1)) / length);
}

static gint
span_start (gint year, gint length)
{
  return year > 0 ? span_of (year, length) * length - (length - 1)
                  : span_of (year, length) * length + 1;
}

/* Cutting off. */

static gboolean
civil_trunc (TallyCivil *civil, TallyUnit unit)
{
  switch (unit)
    {
    case TALLY_UNIT_WEEK:
      {
        gint32 days = tally_days_from_civil (civil->year, civil->month, civil->day);

        tally_civil_from_days (days - (tally_iso_weekday (days) - 1), &civil->year, &civil->month,
                               &civil->day);
        break;
      }
    case TALLY_UNIT_MILLENNIUM:
      civil->year = span_start (civil->year, 1000);
      break;
    case TALLY_UNIT_CENTURY:
      civil->year = span_start (civil->year, 100);
      break;
    case TALLY_UNIT_DECADE:
      civil->year = civil->year > 0 ? civil->year / 10 * 10 : decade_of (civil->year) * 10;
      break;
    case TALLY_UNIT_QUARTER:
      civil->month -= (civil->month - 1) % 3;
      break;
    case TALLY_UNIT_MILLISECOND:
      civil->usec -= civil->usec % 1000;
      return TRUE;
    case TALLY_UNIT_YEAR:
    case TALLY_UNIT_MONTH:
    case TALLY_UNIT_DAY:
    case TALLY_UNIT_HOUR:
    case TALLY_UNIT_MINUTE:
    case TALLY_UNIT_SECOND:
    case TALLY_UNIT_MICROSECOND:
      break;
    default:
      return FALSE;
    }

  /* All that is smaller goes.  Weeks count as days here. */
  if (unit >= TALLY_UNIT_YEAR)
    civil->month = 1;
  if (unit >= TALLY_UNIT_MONTH)
    civil->day = 1;
  if (unit >= TALLY_UNIT_DAY)
    civil->hour = 0;
  if (unit >= TALLY_UNIT_HOUR)
    civil->minute = 0;
  if (unit >= TALLY_UNIT_MINUTE)
    civil->second = 0;
  if (unit >= TALLY_UNIT_SECOND)
    civil->usec = 0;
  return TRUE;
}

gboolean
tally_timestamp_trunc (TallyText unit, TallyType type, gint64 timestamp, const TallyZone *zone,
                       gint64 *ret_timestamp, GError **error)
{
  TallyUnit to = find_unit (unit);
  gint64 offset = 0;
  TallyCivil civil;

  if (timestamp == TALLY_TIMESTAMP_INFINITY || timestamp == TALLY_TIMESTAMP_MINUS_INFINITY)
    {
      *ret_timestamp = timestamp;
      return TRUE;
    }
  if (to == TALLY_UNIT_UNKNOWN || to >= TALLY_UNIT_AGO)
    return throw_unrecognized (error, unit, type);

  if (zone != NULL)
    offset = tally_zone_offset_at_utc (zone, timestamp) * TALLY_USECS_PER_SECOND;
  tally_timestamp_to_civil (timestamp + offset, &civil);
  if (!civil_trunc (&civil, to))
    return throw_unsupported (error, unit, type);
  if (!tally_civil_to_timestamp_unchecked (&civil, &timestamp))
    return tally_throw (error, TALLY_ERROR_DATA, "timestamp out of range");
  /* The start of a day may have another offset than the time that is cut off. */
  if (zone != NULL && to >= TALLY_UNIT_DAY)
    offset = tally_zone_offset_at_local (zone, timestamp) * TALLY_USECS_PER_SECOND;
  timestamp -= offset;
  if (!tally_timestamp_is_valid (timestamp))
    return tally_throw (error, TALLY_ERROR_DATA, "timestamp out of range");

  *ret_timestamp = timestamp;
  return TRUE;
}

gboolean
tally_interval_trunc (TallyText unit, TallyInterval interval, TallyInterval *ret_interval,
                      GError **error)
{
  static const gint16 months[] = {
    [TALLY_UNIT_MONTH] = 1,    [TALLY_UNIT_QUARTER] = 3,    [TALLY_UNIT_YEAR] = 12,
    [TALLY_UNIT_DECADE] = 120, [TALLY_UNIT_CENTURY] = 1200, [TALLY_UNIT_MILLENNIUM] = 12000,
  };
  static const gint64 usecs[] = {
    [TALLY_UNIT_MICROSECOND] = 1,
    [TALLY_UNIT_MILLISECOND] = 1000,
    [TALLY_UNIT_SECOND] = TALLY_USECS_PER_SECOND,
    [TALLY_UNIT_MINUTE] = TALLY_USECS_PER_MINUTE,
    [TALLY_UNIT_HOUR] = TALLY_USECS_PER_HOUR,
  };
  TallyUnit to = find_unit (unit);

  if (to == TALLY_UNIT_UNKNOWN || to >= TALLY_UNIT_AGO)
    return throw_unrecognized (error, unit, TALLY_TYPE_INTERVAL);
  if (to == TALLY_UNIT_WEEK || to > TALLY_UNIT_MILLENNIUM)
    return throw_unsupported (error, unit, TALLY_TYPE_INTERVAL);

  if (to >= TALLY_UNIT_MONTH)
    {
      interval.months -= interval.months % months[to];
      interval.days = 0;
    }
  interval.microseconds
      -= to >= TALLY_UNIT_DAY ? interval.microseconds : interval.microseconds % usecs[to];
  *ret_interval = interval;
  return TRUE;
}

gboolean
tally_timestamp_bin (TallyInterval stride, gint64 timestamp, gint64 origin, gint64 *ret_timestamp,
                     GError **error)
{
  gint64 length, distance, rest, result;

  if (timestamp == TALLY_TIMESTAMP_INFINITY || timestamp == TALLY_TIMESTAMP_MINUS_INFINITY)
    {
      *ret_timestamp = timestamp;
      return TRUE;
    }
  if (origin == TALLY_TIMESTAMP_INFINITY || origin == TALLY_TIMESTAMP_MINUS_INFINITY)
    return tally_throw (error, TALLY_ERROR_DATA, "origin out of range");
  if (stride.months != 0)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "timestamps cannot be binned into intervals containing months or years");
  if (__builtin_mul_overflow (stride.days, TALLY_USECS_PER_DAY, &length)
      || __builtin_add_overflow (length, stride.microseconds, &length)
      || __builtin_sub_overflow (timestamp, origin, &distance))
    return tally_throw (error, TALLY_ERROR_DATA, "interval out of range");
  if (length <= 0)
    return tally_throw (error, TALLY_ERROR_DATA, "stride must be greater than zero");

  rest = distance % length;
  result = origin + (distance - rest);
  if (rest < 0
      && (__builtin_sub_overflow (result, length, &result) || !tally_timestamp_is_valid (result)))
    return tally_throw (error, TALLY_ERROR_DATA, "timestamp out of range");
  *ret_timestamp = result;
  return TRUE;
}

/* What a value has of a unit: exactly, as value / 10^scale, and as date_part() works it out in
 * doubles. */

typedef struct
{
  __int128 value;
  gint scale;
  double real;
  gint infinite; /* its sign, or 0 */
  gboolean is_null;
  gboolean is_julian; /* with a part of a day, which numeric division works out */
} Part;

static void
part_set (Part *part, __int128 value, gint scale)
{
  part->value = value;
  part->scale = scale;
  part->real = (double)value;
  while (scale-- > 0)
    part->real /= 10;
}

/* Fields of a date.  FALSE: not one of these. */
static gboolean
date_part (Part *part, TallyUnit unit, gint32 days)
{
  gint year, month, day, iso_year;

  tally_civil_from_days (days, &year, &month, &day);
  switch (unit)
    {
    case TALLY_UNIT_DAY:
      part_set (part, day, 0);
      return TRUE;
    case TALLY_UNIT_MONTH:
      part_set (part, month, 0);
      return TRUE;
    case TALLY_UNIT_QUARTER:
      part_set (part, (month - 1) / 3 + 1, 0);
      return TRUE;
    case TALLY_UNIT_WEEK:
      part_set (part, tally_iso_week (days, &iso_year), 0);
      return TRUE;
    case TALLY_UNIT_YEAR:
      part_set (part, year > 0 ? year : year - 1, 0);
      return TRUE;
    case TALLY_UNIT_ISO_YEAR:
      tally_iso_week (days, &iso_year);
      part_set (part, iso_year > 0 ? iso_year : iso_year - 1, 0);
      return TRUE;
    case TALLY_UNIT_DECADE:
      part_set (part, decade_of (year), 0);
      return TRUE;
    case TALLY_UNIT_CENTURY:
      part_set (part, span_of (year, 100), 0);
      return TRUE;
    case TALLY_UNIT_MILLENNIUM:
      part_set (part, span_of (year, 1000), 0);
      return TRUE;
    case TALLY_UNIT_JULIAN:
      part_set (part, (gint64)days + TALLY_EPOCH_JULIAN, 0);
      return TRUE;
    case TALLY_UNIT_WEEKDAY:
      part_set (part, tally_iso_weekday (days) % 7, 0);
      return TRUE;
    case TALLY_UNIT_ISO_WEEKDAY:
      part_set (part, tally_iso_weekday (days), 0);
      return TRUE;
    case TALLY_UNIT_DAY_OF_YEAR:
      part_set (part, days - tally_days_from_civil (year, 1, 1) + 1, 0);
      return TRUE;
    default:
      return FALSE;
    }
}

/* Fields of a time of day, which may be negative or longer than a day. */
static gboolean
time_part (Part *part, TallyUnit unit, gint64 usec)
{
  gint64 in_minute = usec % TALLY_USECS_PER_MINUTE;

  switch (unit)
    {
    case TALLY_UNIT_MICROSECOND:
      part_set (part, in_minute, 0);
      return TRUE;
    case TALLY_UNIT_MILLISECOND:
      part_set (part, in_minute, 3);
      part->real = (double)(in_minute / 1000000) * 1000.0 + (double)(in_minute % 1000000) / 1000.0;
      return TRUE;
    case TALLY_UNIT_SECOND:
      part_set (part, in_minute, 6);
      part->real = (double)(in_minute / 1000000) + (double)(in_minute % 1000000) / 1000000.0;
      return TRUE;
    case TALLY_UNIT_MINUTE:
      part_set (part, usec / TALLY_USECS_PER_MINUTE % 60, 0);
      return TRUE;
    case TALLY_UNIT_HOUR:
      part_set (part, usec / TALLY_USECS_PER_HOUR, 0);
      return TRUE;
    default:
      return FALSE;
    }
}

static gboolean
is_zone_unit (TallyUnit unit)
{
  return unit == TALLY_UNIT_ZONE || unit == TALLY_UNIT_ZONE_HOUR || unit == TALLY_UNIT_ZONE_MINUTE;
}

/* Of an infinity: those that only grow are infinite, those that come round are NULL. */
static gboolean
infinite_part (Part *part, TallyUnit unit, TallyType type, gint sign)
{
  switch (unit)
    {
    case TALLY_UNIT_YEAR:
    case TALLY_UNIT_DECADE:
    case TALLY_UNIT_CENTURY:
    case TALLY_UNIT_MILLENNIUM:
    case TALLY_UNIT_JULIAN:
    case TALLY_UNIT_ISO_YEAR:
    case TALLY_UNIT_EPOCH:
      part->infinite = sign;
      part->real = sign * INFINITY;
      return TRUE;
    case TALLY_UNIT_MICROSECOND:
    case TALLY_UNIT_MILLISECOND:
    case TALLY_UNIT_SECOND:
    case TALLY_UNIT_MINUTE:
    case TALLY_UNIT_HOUR:
      part->is_null = type != TALLY_TYPE_DATE;
      return part->is_null;
    case TALLY_UNIT_DAY:
    case TALLY_UNIT_WEEK:
    case TALLY_UNIT_MONTH:
    case TALLY_UNIT_QUARTER:
    case TALLY_UNIT_WEEKDAY:
    case TALLY_UNIT_ISO_WEEKDAY:
    case TALLY_UNIT_DAY_OF_YEAR:
      part->is_null = TRUE;
      return TRUE;
    default:
      part->is_null = is_zone_unit (unit) && type != TALLY_TYPE_DATE;
      return part->is_null;
    }
}

static gboolean
part_of_date (Part *part, TallyUnit unit, gint32 date)
{
  if (date == TALLY_DATE_INFINITY || date == TALLY_DATE_MINUS_INFINITY)
    return infinite_part (part, unit, TALLY_TYPE_DATE, date > 0 ? 1 : -1);
  if (unit == TALLY_UNIT_EPOCH)
    {
      part_set (part, (gint64)date * 86400 + TALLY_EPOCH_UNIX, 0);
      return TRUE;
    }

  return date_part (part, unit, date);
}

static gboolean
part_of_timestamp (Part *part, TallyUnit unit, TallyType type, gint64 timestamp)
{
  gint32 days = tally_timestamp_to_date (timestamp);
  gint64 usec;

  if (timestamp == TALLY_TIMESTAMP_INFINITY || timestamp == TALLY_TIMESTAMP_MINUS_INFINITY)
    return infinite_part (part, unit, type, timestamp > 0 ? 1 : -1);
  usec = timestamp - days * TALLY_USECS_PER_DAY;
  if (unit == TALLY_UNIT_EPOCH)
    {
      gint64 since;

      part_set (part, (__int128)timestamp + TALLY_EPOCH_UNIX * TALLY_USECS_PER_SECOND, 6);
      if (!__builtin_add_overflow (timestamp, TALLY_EPOCH_UNIX * TALLY_USECS_PER_SECOND, &since))
        part->real = (double)since / 1000000.0;
      else
        part->real
            = ((double)timestamp + (double)(TALLY_EPOCH_UNIX * TALLY_USECS_PER_SECOND)) / 1000000.0;
      return TRUE;
    }
  if (is_zone_unit (unit))
    {
      part_set (part, 0, 0);
      return type == TALLY_TYPE_TIMESTAMPTZ;
    }
  if (unit == TALLY_UNIT_JULIAN)
    {
      part_set (part, usec, 0);
      part->is_julian = TRUE;
      part->real = (double)(days + TALLY_EPOCH_JULIAN)
                   + ((double)(usec / 1000000) + (double)(usec % 1000000) / 1000000.0) / 86400;
      part->scale = days + TALLY_EPOCH_JULIAN;
      return TRUE;
    }

  return time_part (part, unit, usec) || date_part (part, unit, days);
}

static gboolean
part_of_interval (Part *part, TallyUnit unit, TallyInterval interval)
{
  gint years = interval.months / TALLY_MONTHS_PER_YEAR,
       months = interval.months % TALLY_MONTHS_PER_YEAR;

  switch (unit)
    {
    case TALLY_UNIT_DAY:
      part_set (part, interval.days, 0);
      return TRUE;
    case TALLY_UNIT_MONTH:
      part_set (part, months, 0);
      return TRUE;
    case TALLY_UNIT_QUARTER:
      part_set (part, months / 3 + 1, 0);
      return TRUE;
    case TALLY_UNIT_YEAR:
      part_set (part, years, 0);
      return TRUE;
    case TALLY_UNIT_DECADE:
      part_set (part, years / 10, 0);
      return TRUE;
    case TALLY_UNIT_CENTURY:
      part_set (part, years / 100, 0);
      return TRUE;
    case TALLY_UNIT_MILLENNIUM:
      part_set (part, years / 1000, 0);
      return TRUE;
    case TALLY_UNIT_EPOCH:
      {
        /* A year has 365 days and a quarter, a month 30. */
        gint64 seconds
            = ((gint64)1461 * years + 120 * months + (gint64)4 * interval.days) * (86400 / 4);

        part_set (part, (__int128)seconds * 1000000 + interval.microseconds, 6);
        part->real = (double)interval.microseconds / 1000000.0;
        part->real += 365.25 * 86400 * years;
        part->real += 30.0 * 86400 * months;
        part->real += 86400.0 * interval.days;
        return TRUE;
      }
    default:
      return time_part (part, unit, interval.microseconds);
    }
}

static gboolean
find_part (TallyText field, TallyType type, gconstpointer value, Part *part, GError **error)
{
  TallyUnit unit = find_unit (field);
  gboolean found;

  *part = (Part){ 0 };
  if (unit == TALLY_UNIT_DATE_MINUTE)
    unit = TALLY_UNIT_MINUTE;
  if (unit == TALLY_UNIT_UNKNOWN || unit == TALLY_UNIT_AGO
      || (unit == TALLY_UNIT_OTHER && type == TALLY_TYPE_INTERVAL))
    return throw_unrecognized (error, field, type);
  if (type == TALLY_TYPE_INTERVAL)
    found = part_of_interval (part, unit, *(const TallyInterval *)value);
  else if (type == TALLY_TYPE_DATE)
    found = part_of_date (part, unit, *(const gint32 *)value);
  else
    found = part_of_timestamp (part, unit, type, *(const gint64 *)value);

  return found || throw_unsupported (error, field, type);
}

/* The days and the part of the day, to as many digits as numeric's division gives. */
static gboolean
print_julian (const Part *part, TallyBatch *batch, TallyText *ret_numeric, GError **error)
{
  TallyText days = tally_numeric_from_bigint (part->scale, batch);
  TallyText usec = tally_numeric_from_bigint ((gint64)part->value, batch), fraction;

  return tally_numeric_divide (usec, tally_numeric_from_bigint (TALLY_USECS_PER_DAY, batch), batch,
                               &fraction, error)
         && tally_numeric_add (days, fraction, batch, ret_numeric, error);
}

gboolean
tally_datetime_extract (TallyText field, TallyType type, gconstpointer value, TallyBatch *batch,
                        gboolean *ret_is_null, TallyText *ret_numeric, GError **error)
{
  Part part;

  if (!find_part (field, type, value, &part, error)
      || (part.is_julian && !print_julian (&part, batch, ret_numeric, error)))
    return FALSE;
  if (part.infinite != 0)
    *ret_numeric = part.infinite > 0 ? (TallyText){ "Infinity", 8 } : (TallyText){ "-Infinity", 9 };
  else if (!part.is_null && !part.is_julian)
    *ret_numeric = tally_numeric_from_scaled (part.value, part.scale, batch);
  *ret_is_null = part.is_null;
  return TRUE;
}

gboolean
tally_datetime_part (TallyText field, TallyType type, gconstpointer value, gboolean *ret_is_null,
                     double *ret_value, GError **error)
{
  Part part;

  if (!find_part (field, type, value, &part, error))
    return FALSE;
  *ret_is_null = part.is_null;
  if (!part.is_null)
    *ret_value = part.real;
  return TRUE;
}
