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

#define TALLY_MAX_FIELDS 25

typedef enum
{
  TALLY_FIELD_NUMBER,
  TALLY_FIELD_DATE, /* digits and letters with - / or . between */
  TALLY_FIELD_TIME, /* digits with : between */
  TALLY_FIELD_ZONE, /* a sign and digits */
  TALLY_FIELD_WORD,
} TallyFieldKind;

/* A text cut into fields by their looks, in lower case. */
typedef struct
{
  TallyFieldKind kind[TALLY_MAX_FIELDS];
  char *text[TALLY_MAX_FIELDS]; /* (unowned) in buffer */
  guint n;
  char buffer[256];
  gsize used, size;
} TallyFields;

/* size: of the buffer, as much as PostgreSQL takes for the type. */
gboolean tally_fields_cut (TallyFields *fields, TallyText text, gsize size);
TallyRead tally_read_int (const char *text, char **ret_end, gint *ret_value, TallyRead overflow);
/* point points to it; nothing may follow the digits. */
TallyRead tally_read_fraction (const char *point, double *ret_fraction);

gboolean tally_is_leap_year (gint year);
gint tally_days_in_month (gint year, gint month);
/* Can it be a Julian day at all?  From 4714 BC to 5874898. */
gboolean tally_is_julian (gint year, gint month);
gboolean tally_date_is_valid (gint64 days);
void tally_timestamp_to_civil (gint64 timestamp, TallyCivil *ret_civil);
/* FALSE if out of range; unchecked: if it does not fit at all, as a zone may still bring it into
 * range. */
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

/* Units of time, with PostgreSQL's short forms. */
typedef enum
{
  TALLY_UNIT_UNKNOWN,
  TALLY_UNIT_MICROSECOND,
  TALLY_UNIT_MILLISECOND,
  TALLY_UNIT_SECOND,
  TALLY_UNIT_MINUTE,
  TALLY_UNIT_HOUR,
  TALLY_UNIT_DAY,
  TALLY_UNIT_WEEK,
  TALLY_UNIT_MONTH,
  TALLY_UNIT_QUARTER,
  TALLY_UNIT_YEAR,
  TALLY_UNIT_DECADE,
  TALLY_UNIT_CENTURY,
  TALLY_UNIT_MILLENNIUM,
  TALLY_UNIT_ZONE,
  TALLY_UNIT_ZONE_HOUR,
  TALLY_UNIT_ZONE_MINUTE,
  TALLY_UNIT_AGO,
  /* Only of dates: */
  TALLY_UNIT_DATE_MINUTE, /* mm */
  TALLY_UNIT_JULIAN,
  TALLY_UNIT_ISO_YEAR,
  TALLY_UNIT_WEEKDAY,
  TALLY_UNIT_ISO_WEEKDAY,
  TALLY_UNIT_DAY_OF_YEAR,
  TALLY_UNIT_EPOCH,
  TALLY_UNIT_OTHER, /* now, infinity and such: no units, but known */
} TallyUnit;

/* word is in lower case. */
TallyUnit tally_unit_find (const char *word);
