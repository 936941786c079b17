/* datetime-private.h: what the files about dates and times share */
#pragma once
#include "datetime.h"

#define TALLY_USECS_PER_MINUTE (60 * TALLY_USECS_PER_SECOND)
#define TALLY_USECS_PER_HOUR (3600 * TALLY_USECS_PER_SECOND)
#define TALLY_MONTHS_PER_YEAR 12
/* Julian day of 2000-01-01. */
#define TALLY_EPOCH_JULIAN 2451545

/* A time in fields; year 0 is 1 BC, -1 is 2 BC. */
typedef struct
{
  gint year, month, day;
  gint hour, minute, second, usec;
} TallyCivil;

/* What can be wrong with a text, in PostgreSQL's terms. */
typedef enum
{
  TALLY_READ_OK,
  TALLY_READ_BAD_FORMAT,
  TALLY_READ_FIELD_OVERFLOW,
  TALLY_READ_INTERVAL_OVERFLOW,
  TALLY_READ_ZONE_OVERFLOW,
  TALLY_READ_UNKNOWN_ZONE, /* the error is set */
  TALLY_READ_CLOCK_WORD,   /* now, today, … */
} TallyRead;

gboolean tally_is_leap_year (gint year);
gint tally_days_in_month (gint year, gint month);
/* Can it be a Julian day at all?  From 4714 BC to 5874898. */
gboolean tally_is_julian (gint year, gint month);
gboolean tally_date_is_valid (gint64 days);
void tally_timestamp_to_civil (gint64 timestamp, TallyCivil *ret_civil);
/* FALSE if out of range; unchecked: if it does not fit at all, as a zone may still bring it into range. */
gboolean tally_civil_to_timestamp_unchecked (const TallyCivil *civil, gint64 *ret_timestamp);
gboolean tally_civil_to_timestamp (const TallyCivil *civil, gint64 *ret_timestamp);
/* Monday is 1, Sunday 7. */
gint tally_iso_weekday (gint32 days);
/* ISO 8601 week, and the year that it belongs to. */
gint tally_iso_week (gint32 days, gint *ret_year);
gint32 tally_iso_week_start (gint year, gint week);

/* Seconds east of Greenwich. */
gint tally_zone_offset_at_utc (const TallyZone *zone, gint64 utc);
gint tally_zone_offset_at_local (const TallyZone *zone, gint64 local);
/* Only abbreviations (CET); only the tz database and POSIX's form.  NULL: not known. */
const TallyZone *tally_zone_find_abbreviation (const char *name, gsize length);
const TallyZone *tally_zone_find_full (const char *name, gsize length);

gboolean tally_throw_read (GError **error, TallyRead read, const char *type, TallyText text);
