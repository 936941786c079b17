/* interval.c: intervals in and out, and what is counted with them */
#include "datetime-private.h"
#include "value-private.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DAYS_PER_MONTH 30
#define BUFFER_SIZE 256 /* PostgreSQL takes no longer text */

/* Units as bits, none of which may come twice; time of day is all of hours to microseconds. */
#define HAS(unit) (1 << (unit))
#define HAS_SECONDS                                                                                \
  (HAS (TALLY_UNIT_SECOND) | HAS (TALLY_UNIT_MILLISECOND) | HAS (TALLY_UNIT_MICROSECOND))
#define HAS_TIME (HAS (TALLY_UNIT_HOUR) | HAS (TALLY_UNIT_MINUTE) | HAS_SECONDS)

/* What is read, with years apart: each part may be as large as the type's. */
typedef struct
{
  gint64 usec;
  gint32 days, months, years;
} Parts;

/* How an amount of a unit is added: as months, days or microseconds; a fraction goes into the next
 * smaller kind. */
typedef enum
{
  AS_USEC,
  AS_DAYS,
  AS_MONTHS,
  AS_YEARS,
} As;

static const struct
{
  As as;
  gint64 scale;
} units[] = {
  [TALLY_UNIT_MICROSECOND] = { AS_USEC, 1 },
  [TALLY_UNIT_MILLISECOND] = { AS_USEC, 1000 },
  [TALLY_UNIT_SECOND] = { AS_USEC, TALLY_USECS_PER_SECOND },
  [TALLY_UNIT_MINUTE] = { AS_USEC, TALLY_USECS_PER_MINUTE },
  [TALLY_UNIT_HOUR] = { AS_USEC, TALLY_USECS_PER_HOUR },
  [TALLY_UNIT_DAY] = { AS_DAYS, 1 },
  [TALLY_UNIT_WEEK] = { AS_DAYS, 7 },
  [TALLY_UNIT_MONTH] = { AS_MONTHS, 1 },
  [TALLY_UNIT_QUARTER] = { AS_MONTHS, 0 }, /* no unit of input */
  [TALLY_UNIT_YEAR] = { AS_YEARS, 1 },
  [TALLY_UNIT_DECADE] = { AS_YEARS, 10 },
  [TALLY_UNIT_CENTURY] = { AS_YEARS, 100 },
  [TALLY_UNIT_MILLENNIUM] = { AS_YEARS, 1000 },
};

/* Adding to parts; FALSE on overflow. */

static gboolean
add_usec_fraction (Parts *parts, double fraction, gint64 scale)
{
  double usec = fraction * (double)scale;
  gint64 whole = (gint64)usec;

  if (usec - (double)whole > 0.5)
    whole++;
  else if (usec - (double)whole < -0.5)
    whole--;
  return !__builtin_add_overflow (parts->usec, whole, &parts->usec);
}

static gboolean
add_day_fraction (Parts *parts, double fraction, gint scale)
{
  double days = fraction * scale;
  gint whole = (gint)days;

  return !__builtin_add_overflow (parts->days, whole, &parts->days)
         && add_usec_fraction (parts, days - whole, TALLY_USECS_PER_DAY);
}

static gboolean
add_scaled (gint32 *part, gint64 value, gint64 scale)
{
  gint32 scaled;

  return value >= G_MININT32 && value <= G_MAXINT32
         && !__builtin_mul_overflow (value, scale, &scaled)
         && !__builtin_add_overflow (*part, scaled, part);
}

static gboolean
parts_add (Parts *parts, TallyUnit unit, gint64 value, double fraction)
{
  gint64 scale = units[unit].scale, usec;

  switch (units[unit].as)
    {
    case AS_USEC:
      return !__builtin_mul_overflow (value, scale, &usec)
             && !__builtin_add_overflow (parts->usec, usec, &parts->usec)
             && add_usec_fraction (parts, fraction, scale);
    case AS_DAYS:
      return add_scaled (&parts->days, value, scale)
             && (scale == 1 ? add_usec_fraction (parts, fraction, TALLY_USECS_PER_DAY)
                            : add_day_fraction (parts, fraction, (gint)scale));
    case AS_MONTHS:
      return add_scaled (&parts->months, value, scale)
             && add_day_fraction (parts, fraction, DAYS_PER_MONTH);
    case AS_YEARS:
      return add_scaled (&parts->years, value, scale)
             && !__builtin_add_overflow (
                 parts->months, (gint)rint (fraction * (double)scale * TALLY_MONTHS_PER_YEAR),
                 &parts->months);
    }
  return FALSE;
}

static gboolean
parts_negate (Parts *parts)
{
  return !__builtin_sub_overflow (0, parts->usec, &parts->usec)
         && !__builtin_sub_overflow (0, parts->days, &parts->days)
         && !__builtin_sub_overflow (0, parts->months, &parts->months)
         && !__builtin_sub_overflow (0, parts->years, &parts->years);
}

/* Input: amounts and units, in any order, read from the end because the unit comes last. */

static TallyRead
read_int64 (const char *text, char **ret_end, gint64 *ret_value)
{
  errno = 0;
  *ret_value = g_ascii_strtoll (text, ret_end, 10);
  return errno == ERANGE ? TALLY_READ_FIELD_OVERFLOW : TALLY_READ_OK;
}

/* 02:03, 02:03:04.5; 03:04.5 are minutes and seconds.  Replaces what was there. */
static TallyRead
read_clock (const char *text, Parts *parts)
{
  gint64 hours;
  gint minutes, seconds = 0;
  double fraction = 0;
  char *end;
  TallyRead read = read_int64 (text, &end, &hours);

  if (read != TALLY_READ_OK || *end != ':')
    return read != TALLY_READ_OK ? read : TALLY_READ_BAD_FORMAT;
  read = tally_read_int (end + 1, &end, &minutes, TALLY_READ_FIELD_OVERFLOW);
  if (read != TALLY_READ_OK)
    return read;

  if (*end == '.')
    {
      read = tally_read_fraction (end, &fraction);
      if (read == TALLY_READ_OK && hours > G_MAXINT)
        read = TALLY_READ_FIELD_OVERFLOW;
      seconds = minutes;
      minutes = (gint)hours;
      hours = 0;
    }
  else if (*end == ':')
    {
      read = tally_read_int (end + 1, &end, &seconds, TALLY_READ_FIELD_OVERFLOW);
      if (read == TALLY_READ_OK && *end == '.')
        read = tally_read_fraction (end, &fraction);
      else if (read == TALLY_READ_OK && *end != '\0')
        read = TALLY_READ_BAD_FORMAT;
    }
  else if (*end != '\0')
    read = TALLY_READ_BAD_FORMAT;
  if (read != TALLY_READ_OK)
    return read;

  if (hours < 0 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 60)
    return TALLY_READ_FIELD_OVERFLOW;
  parts->usec = (gint64)rint (fraction * 1000000);
  return parts_add (parts, TALLY_UNIT_HOUR, hours, 0)
                 && parts_add (parts, TALLY_UNIT_MINUTE, minutes, 0)
                 && parts_add (parts, TALLY_UNIT_SECOND, seconds, 0)
             ? TALLY_READ_OK
             : TALLY_READ_FIELD_OVERFLOW;
}

/* 1, -1.5, or 1-2 for a year and two months. */
static TallyRead
read_amount (const char *text, TallyUnit *unit, gint64 *ret_value, double *ret_fraction)
{
  char *end;
  gint months;
  TallyRead read = read_int64 (text, &end, ret_value);

  *ret_fraction = 0;
  if (read != TALLY_READ_OK)
    return read;
  if (*end == '-')
    {
      read = tally_read_int (end + 1, &end, &months, TALLY_READ_FIELD_OVERFLOW);
      if (read != TALLY_READ_OK || months < 0 || months >= TALLY_MONTHS_PER_YEAR)
        return TALLY_READ_FIELD_OVERFLOW;
      if (*end != '\0')
        return TALLY_READ_BAD_FORMAT;
      *unit = TALLY_UNIT_MONTH;
      if (__builtin_mul_overflow (*ret_value, TALLY_MONTHS_PER_YEAR, ret_value)
          || __builtin_add_overflow (*ret_value, *text == '-' ? -months : months, ret_value))
        return TALLY_READ_FIELD_OVERFLOW;
    }
  else if (*end == '.')
    {
      read = tally_read_fraction (end, ret_fraction);
      if (*text == '-')
        *ret_fraction = -*ret_fraction;
    }
  else if (*end != '\0')
    read = TALLY_READ_BAD_FORMAT;
  return read;
}

typedef struct
{
  Parts parts;
  gint has;
  gboolean ago;
  TallyUnit unit; /* of the amount that comes next, going backwards; UNKNOWN: none was named */
  gboolean unit_named;
} Reading;

static TallyRead
reading_amount (Reading *reading, const char *text, gint *ret_has)
{
  gint64 value;
  double fraction;
  TallyUnit unit;
  TallyRead read;

  if (!reading->unit_named)
    reading->unit = TALLY_UNIT_SECOND;
  reading->unit_named = TRUE;
  read = read_amount (text, &reading->unit, &value, &fraction);
  unit = reading->unit;
  if (read != TALLY_READ_OK)
    return read;
  if (unit >= G_N_ELEMENTS (units) || units[unit].scale == 0)
    return TALLY_READ_BAD_FORMAT;
  if (!parts_add (&reading->parts, unit, value, fraction))
    return TALLY_READ_FIELD_OVERFLOW;

  *ret_has = unit == TALLY_UNIT_SECOND && fraction != 0 ? HAS_SECONDS : HAS (unit);
  if (unit == TALLY_UNIT_HOUR)
    reading->unit = TALLY_UNIT_DAY; /* 1 2:… is a day */
  return TALLY_READ_OK;
}

static TallyRead
reading_field (Reading *reading, const TallyFields *fields, guint i, gint *ret_has)
{
  const char *text = fields->text[i];
  TallyUnit unit;
  TallyRead read;

  *ret_has = 0;
  switch (fields->kind[i])
    {
    case TALLY_FIELD_TIME:
    case TALLY_FIELD_ZONE: /* a sign in front */
      read = fields->kind[i] == TALLY_FIELD_TIME ? read_clock (text, &reading->parts)
             : strchr (text, ':') != NULL        ? read_clock (text + 1, &reading->parts)
                                                 : TALLY_READ_BAD_FORMAT;
      if (read != TALLY_READ_OK)
        return fields->kind[i] == TALLY_FIELD_TIME ? read : reading_amount (reading, text, ret_has);
      if (*text == '-' && __builtin_sub_overflow (0, reading->parts.usec, &reading->parts.usec))
        return TALLY_READ_FIELD_OVERFLOW;
      *ret_has = HAS_TIME;
      reading->unit = TALLY_UNIT_DAY;
      reading->unit_named = TRUE;
      return TALLY_READ_OK;
    case TALLY_FIELD_DATE:
    case TALLY_FIELD_NUMBER:
      return reading_amount (reading, text, ret_has);
    case TALLY_FIELD_WORD:
      unit = tally_unit_find (text);
      if (unit == TALLY_UNIT_UNKNOWN || unit > TALLY_UNIT_AGO)
        return TALLY_READ_BAD_FORMAT;
      reading->ago |= unit == TALLY_UNIT_AGO;
      reading->unit = unit;
      reading->unit_named = TRUE;
      return TALLY_READ_OK;
    }
  return TALLY_READ_BAD_FORMAT;
}

static TallyRead
read_words (TallyText text, Parts *ret_parts)
{
  TallyFields fields;
  Reading reading = { 0 };

  if (!tally_fields_cut (&fields, text, BUFFER_SIZE))
    return TALLY_READ_BAD_FORMAT;
  for (guint i = fields.n; i-- > 0;)
    {
      gint has;
      TallyRead read = reading_field (&reading, &fields, i, &has);

      if (read != TALLY_READ_OK)
        return read;
      if ((has & reading.has) != 0)
        return TALLY_READ_BAD_FORMAT;
      reading.has |= has;
    }
  if (reading.has == 0)
    return TALLY_READ_BAD_FORMAT;
  if (reading.ago && !parts_negate (&reading.parts))
    return TALLY_READ_FIELD_OVERFLOW;

  *ret_parts = reading.parts;
  return TALLY_READ_OK;
}

/* Input: ISO 8601. */

static TallyRead
read_iso_number (const char **at, gint64 *ret_value, double *ret_fraction)
{
  double value;
  char *end;

  if (!g_ascii_isdigit (**at) && **at != '-' && **at != '.')
    return TALLY_READ_BAD_FORMAT;
  errno = 0;
  value = g_ascii_strtod (*at, &end);
  if (end == *at || errno != 0)
    return TALLY_READ_BAD_FORMAT;
  if (isnan (value) || value < -1.0e15 || value > 1.0e15)
    return TALLY_READ_FIELD_OVERFLOW;

  *at = end;
  *ret_value = (gint64)value;
  *ret_fraction = value - (double)*ret_value;
  return TALLY_READ_OK;
}

/* The rest of 0001-02-03 or 04:05:06, whose first number is there: each unit, then its separator.
 */
static TallyRead
read_iso_extended (const char **at, Parts *parts, const TallyUnit *three, char separator,
                   gint64 value, double fraction)
{
  for (guint i = 0; i < 3; i++)
    {
      TallyRead read = i == 0 ? TALLY_READ_OK : read_iso_number (at, &value, &fraction);

      if (read != TALLY_READ_OK)
        return read;
      if (!parts_add (parts, three[i], value, fraction))
        return TALLY_READ_FIELD_OVERFLOW;
      if (**at == '\0' || (**at == 'T' && separator == '-'))
        return TALLY_READ_OK;
      if (i == 2 || **at != separator)
        return TALLY_READ_BAD_FORMAT;
      (*at)++;
    }
  return TALLY_READ_BAD_FORMAT;
}

static const TallyUnit iso_date_units[] = { TALLY_UNIT_YEAR, TALLY_UNIT_MONTH, TALLY_UNIT_DAY };
static const TallyUnit iso_time_units[] = { TALLY_UNIT_HOUR, TALLY_UNIT_MINUTE, TALLY_UNIT_SECOND };

/* 20010203 or 040506, without separators. */
static gboolean
add_iso_basic (Parts *parts, gboolean in_date, gint64 value, double fraction)
{
  const TallyUnit *three = in_date ? iso_date_units : iso_time_units;

  return parts_add (parts, three[0], value / 10000, 0)
         && parts_add (parts, three[1], value / 100 % 100, 0)
         && parts_add (parts, three[2], value % 100, in_date ? fraction : 0)
         && (in_date
             || add_usec_fraction (parts, fraction,
                                   1)); /* PostgreSQL 15 loses a second's fraction here */
}

static TallyUnit
iso_designator (char c, gboolean in_date)
{
  switch (c)
    {
    case 'Y':
      return in_date ? TALLY_UNIT_YEAR : TALLY_UNIT_UNKNOWN;
    case 'M':
      return in_date ? TALLY_UNIT_MONTH : TALLY_UNIT_MINUTE;
    case 'W':
      return in_date ? TALLY_UNIT_WEEK : TALLY_UNIT_UNKNOWN;
    case 'D':
      return in_date ? TALLY_UNIT_DAY : TALLY_UNIT_UNKNOWN;
    case 'H':
      return in_date ? TALLY_UNIT_UNKNOWN : TALLY_UNIT_HOUR;
    case 'S':
      return in_date ? TALLY_UNIT_UNKNOWN : TALLY_UNIT_SECOND;
    default:
      return TALLY_UNIT_UNKNOWN;
    }
}

static TallyRead
read_iso (const char *at, Parts *parts)
{
  gboolean in_date = TRUE, has_field = FALSE;

  *parts = (Parts){ 0 };
  if (at[0] != 'P' || at[1] == '\0')
    return TALLY_READ_BAD_FORMAT;
  for (at++; *at != '\0';)
    {
      const char *start = at + (*at == '-');
      gsize width = strspn (start, "0123456789");
      gint64 value;
      double fraction;
      TallyUnit unit;
      TallyRead read;

      if (*at == 'T')
        {
          in_date = has_field = FALSE;
          at++;
          continue;
        }
      read = read_iso_number (&at, &value, &fraction);
      if (read != TALLY_READ_OK)
        return read;
      unit = iso_designator (*at, in_date);
      if (unit != TALLY_UNIT_UNKNOWN)
        {
          if (!parts_add (parts, unit, value, fraction))
            return TALLY_READ_FIELD_OVERFLOW;
          at++;
          has_field = TRUE;
          continue;
        }

      if ((*at != '\0' && *at != (in_date ? '-' : ':') && !(in_date && *at == 'T')) || has_field)
        return TALLY_READ_BAD_FORMAT;
      if (width == (in_date ? 8 : 6) && (*at == '\0' || *at == 'T'))
        read = add_iso_basic (parts, in_date, value, fraction) ? TALLY_READ_OK
                                                               : TALLY_READ_FIELD_OVERFLOW;
      else
        read = read_iso_extended (&at, parts, in_date ? iso_date_units : iso_time_units,
                                  in_date ? '-' : ':', value, fraction);
      if (read != TALLY_READ_OK)
        return read;
    }
  return TALLY_READ_OK;
}

gboolean
tally_interval_parse (TallyText text, TallyInterval *ret_interval, GError **error)
{
  Parts parts;
  TallyRead read = read_words (text, &parts);
  gint64 months;

  if (read == TALLY_READ_BAD_FORMAT && memchr (text.data, '\0', text.length) == NULL)
    {
      g_autofree char *copy = tally_text_dup (text);

      read = read_iso (copy, &parts);
    }
  if (read != TALLY_READ_OK)
    return tally_throw_read (
        error, read == TALLY_READ_FIELD_OVERFLOW ? TALLY_READ_INTERVAL_OVERFLOW : read, "interval",
        text);

  months = (gint64)parts.years * TALLY_MONTHS_PER_YEAR + parts.months;
  if (months != (gint32)months)
    return tally_throw (error, TALLY_ERROR_DATA, "interval out of range");
  *ret_interval = (TallyInterval){ parts.usec, parts.days, (gint32)months };
  return TRUE;
}

/* Output. */

typedef struct
{
  GString *out;
  gboolean empty, negative; /* nothing yet; the last part was negative */
} Printer;

static void
print_part (Printer *printer, gint value, const char *unit)
{
  if (value == 0)
    return;

  g_string_append_printf (printer->out, "%s%s%d %s%s", printer->empty ? "" : " ",
                          printer->negative && value > 0 ? "+" : "", value, unit,
                          value != 1 ? "s" : "");
  printer->empty = FALSE;
  printer->negative = value < 0;
}

void
tally_interval_append (TallyInterval interval, GString *out)
{
  Printer printer = { out, TRUE, FALSE };
  guint64 rest = interval.microseconds < 0 ? -(guint64)interval.microseconds
                                           : (guint64)interval.microseconds;

  print_part (&printer, interval.months / TALLY_MONTHS_PER_YEAR, "year");
  print_part (&printer, interval.months % TALLY_MONTHS_PER_YEAR, "mon");
  print_part (&printer, interval.days, "day");
  if (!printer.empty && rest == 0)
    return;

  g_string_append_printf (out, "%s%s%02" G_GUINT64_FORMAT ":%02u:%02u", printer.empty ? "" : " ",
                          interval.microseconds < 0 ? "-"
                          : printer.negative        ? "+"
                                                    : "",
                          rest / TALLY_USECS_PER_HOUR, (guint)(rest / TALLY_USECS_PER_MINUTE % 60),
                          (guint)(rest / TALLY_USECS_PER_SECOND % 60));
  if (rest % TALLY_USECS_PER_SECOND != 0)
    {
      g_string_append_printf (out, ".%06u", (guint)(rest % TALLY_USECS_PER_SECOND));
      while (out->str[out->len - 1] == '0')
        g_string_truncate (out, out->len - 1);
    }
}

/* Arithmetic. */

static gboolean
throw_range (GError **error)
{
  return tally_throw (error, TALLY_ERROR_DATA, "interval out of range");
}

gboolean
tally_interval_add (TallyInterval a, TallyInterval b, TallyInterval *ret_interval, GError **error)
{
  TallyInterval sum;

  if (__builtin_add_overflow (a.months, b.months, &sum.months)
      || __builtin_add_overflow (a.days, b.days, &sum.days)
      || __builtin_add_overflow (a.microseconds, b.microseconds, &sum.microseconds))
    return throw_range (error);

  *ret_interval = sum;
  return TRUE;
}

gboolean
tally_interval_subtract (TallyInterval a, TallyInterval b, TallyInterval *ret_interval,
                         GError **error)
{
  TallyInterval rest;

  if (__builtin_sub_overflow (a.months, b.months, &rest.months)
      || __builtin_sub_overflow (a.days, b.days, &rest.days)
      || __builtin_sub_overflow (a.microseconds, b.microseconds, &rest.microseconds))
    return throw_range (error);

  *ret_interval = rest;
  return TRUE;
}

gboolean
tally_interval_negate (TallyInterval interval, TallyInterval *ret_interval, GError **error)
{
  return tally_interval_subtract ((TallyInterval){ 0 }, interval, ret_interval, error);
}

/* To whole microseconds, so that 0.1 of a month is three days and not a little less. */
static double
settle (double value)
{
  return rint (value * 1000000) / 1000000;
}

static gboolean
fits_int32 (double value)
{
  return value >= G_MININT32 && value <= G_MAXINT32;
}

/* What is left of the months goes into days, what is left of the days into the time.  Parts are as
 * doubles. */
static gboolean
spread (double months, double days, double usec, TallyInterval *ret_interval, GError **error)
{
  TallyInterval result;
  double rest_days, rest_seconds;
  gint32 more_days;

  if (!fits_int32 (months) || !fits_int32 (days))
    return throw_range (error);
  result.months = (gint32)months;
  result.days = (gint32)days;
  rest_days = settle ((months - result.months) * DAYS_PER_MONTH);
  rest_seconds = settle ((days - result.days + rest_days - (gint)rest_days) * 86400);
  if (fabs (rest_seconds) >= 86400)
    {
      more_days = (gint32)(rest_seconds / 86400);
      if (__builtin_add_overflow (result.days, more_days, &result.days))
        return throw_range (error);
      rest_seconds -= more_days * 86400.0;
    }
  if (__builtin_add_overflow (result.days, (gint32)rest_days, &result.days))
    return throw_range (error);

  usec = rint (usec + rest_seconds * 1000000);
  if (!(usec >= -9223372036854775808.0 && usec < 9223372036854775808.0))
    return throw_range (error);
  result.microseconds = (gint64)usec;
  *ret_interval = result;
  return TRUE;
}

gboolean
tally_interval_multiply (TallyInterval interval, double factor, TallyInterval *ret_interval,
                         GError **error)
{
  return spread (interval.months * factor, interval.days * factor,
                 (double)interval.microseconds * factor, ret_interval, error);
}

gboolean
tally_interval_divide (TallyInterval interval, double divisor, TallyInterval *ret_interval,
                       GError **error)
{
  if (divisor == 0)
    return tally_throw (error, TALLY_ERROR_DATA, "division by zero");
  return spread (interval.months / divisor, interval.days / divisor,
                 (double)interval.microseconds / divisor, ret_interval, error);
}

/* Makes days and time agree in sign. */
static void
align_time (TallyInterval *interval)
{
  if (interval->days > 0 && interval->microseconds < 0)
    {
      interval->microseconds += TALLY_USECS_PER_DAY;
      interval->days--;
    }
  else if (interval->days < 0 && interval->microseconds > 0)
    {
      interval->microseconds -= TALLY_USECS_PER_DAY;
      interval->days++;
    }
}

static gboolean
carry_days (TallyInterval *interval)
{
  gint32 months = interval->days / DAYS_PER_MONTH;

  interval->days -= months * DAYS_PER_MONTH;
  return !__builtin_add_overflow (interval->months, months, &interval->months);
}

static gboolean
carry_time (TallyInterval *interval)
{
  gint64 days = interval->microseconds / TALLY_USECS_PER_DAY;

  interval->microseconds -= days * TALLY_USECS_PER_DAY;
  return !__builtin_add_overflow (interval->days, days, &interval->days);
}

gboolean
tally_interval_justify_days (TallyInterval interval, TallyInterval *ret_interval, GError **error)
{
  if (!carry_days (&interval))
    return throw_range (error);
  if (interval.months > 0 && interval.days < 0)
    {
      interval.days += DAYS_PER_MONTH;
      interval.months--;
    }
  else if (interval.months < 0 && interval.days > 0)
    {
      interval.days -= DAYS_PER_MONTH;
      interval.months++;
    }

  *ret_interval = interval;
  return TRUE;
}

gboolean
tally_interval_justify_hours (TallyInterval interval, TallyInterval *ret_interval, GError **error)
{
  if (!carry_time (&interval))
    return throw_range (error);
  align_time (&interval);
  *ret_interval = interval;
  return TRUE;
}

gboolean
tally_interval_justify_interval (TallyInterval interval, TallyInterval *ret_interval,
                                 GError **error)
{
  /* Days first if they could overflow together with the time. */
  if ((interval.days > 0) == (interval.microseconds > 0) && !carry_days (&interval))
    return throw_range (error);
  if (!carry_time (&interval) || !carry_days (&interval))
    return throw_range (error);
  if (interval.months > 0
      && (interval.days < 0 || (interval.days == 0 && interval.microseconds < 0)))
    {
      interval.days += DAYS_PER_MONTH;
      interval.months--;
    }
  else if (interval.months < 0
           && (interval.days > 0 || (interval.days == 0 && interval.microseconds > 0)))
    {
      interval.days -= DAYS_PER_MONTH;
      interval.months++;
    }
  align_time (&interval);
  *ret_interval = interval;
  return TRUE;
}

__int128
tally_interval_length (TallyInterval interval)
{
  gint64 days = (gint64)interval.months * DAYS_PER_MONTH + interval.days;

  return (__int128)days * TALLY_USECS_PER_DAY + interval.microseconds;
}

gint
tally_interval_compare (TallyInterval a, TallyInterval b)
{
  __int128 x = tally_interval_length (a), y = tally_interval_length (b);

  return (x > y) - (x < y);
}

guint
tally_interval_hash (TallyInterval interval)
{
  gint64 length = (gint64)tally_interval_length (interval);

  return g_int64_hash (&length);
}
