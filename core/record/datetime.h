/* datetime.h: dates, timestamps, intervals and time zones, as PostgreSQL's
 *
 * Values are held as types.h says.  The session is fixed: time zone UTC, DateStyle ISO, MDY,
 * IntervalStyle postgres.  Therefore timestamptz arithmetic is timestamp arithmetic, and one
 * function serves both; where they differ (messages, zone fields) there is a TallyType argument:
 * TALLY_TYPE_DATE, _TIMESTAMP, _TIMESTAMPTZ or _INTERVAL.
 *
 * Errors are TALLY_ERROR_DATA with PostgreSQL's messages: timestamp out of range; unit "x" not
 * recognized for type date.
 *
 * Not supported, and said so (TALLY_ERROR_UNSUPPORTED): `now`, `today`, `tomorrow`, `yesterday` as
 * input (their value is the clock's; an expression has now()); POSIX time zones with rules of their
 * own; to_char(interval) with J, IW, IYYY and IDDD; the word DST after a zone; leap seconds (the
 * database's right/); the type time.  age() of an infinity is an error here, where PostgreSQL 15
 * gives a number without meaning.
 */
#pragma once
#include <tallyman/batch.h>
#include <tallyman/error.h>

#define TALLY_DATE_MINUS_INFINITY G_MININT32
#define TALLY_DATE_INFINITY G_MAXINT32
#define TALLY_TIMESTAMP_MINUS_INFINITY G_MININT64
#define TALLY_TIMESTAMP_INFINITY G_MAXINT64
#define TALLY_USECS_PER_SECOND G_GINT64_CONSTANT (1000000)
#define TALLY_USECS_PER_DAY (86400 * TALLY_USECS_PER_SECOND)

/* Input. */
gboolean tally_date_parse (TallyText text, gint32 *ret_date, GError **error);
gboolean tally_timestamp_parse (TallyText text, gint64 *ret_timestamp,
                                GError **error); /* a zone in it is ignored */
gboolean tally_timestamptz_parse (TallyText text, gint64 *ret_timestamp,
                                  GError **error); /* without a zone: UTC */
gboolean tally_interval_parse (TallyText text, TallyInterval *ret_interval, GError **error);

/* Output, appended. */
void tally_date_append (gint32 date, GString *out);
void tally_timestamp_append (gint64 timestamp, GString *out);
void tally_timestamptz_append (gint64 timestamp, GString *out);
void tally_interval_append (TallyInterval interval, GString *out);
/* RFC 3339 with T, as in JSON: 2023-09-18T23:25:58.5+00:00 (type timestamptz), without zone
 * (timestamp). */
void tally_timestamp_append_iso (TallyType type, gint64 timestamp, GString *out);

/* Casts.  timestamp and timestamptz are the same number. */
gboolean tally_date_to_timestamp (gint32 date, TallyType type, gint64 *ret_timestamp,
                                  GError **error);
gint32 tally_timestamp_to_date (gint64 timestamp);
/* A timestamp of today's range?  For bounds of computed values. */
gboolean tally_timestamp_is_valid (gint64 timestamp);
/* Date against timestamp, without overflow: below 0, 0, above 0. */
gint tally_date_compare_timestamp (gint32 date, gint64 timestamp);

/* Arithmetic. */
gboolean tally_date_add_days (gint32 date, gint64 days, gint32 *ret_date,
                              GError **error); /* date + n; - is date + (-n) */
gboolean tally_date_subtract (gint32 a, gint32 b, gint64 *ret_days,
                              GError **error); /* date - date */
/* timestamp + interval: months are added first and the day clamped to the month's last.  date +
 * interval: cast first. */
gboolean tally_timestamp_add (gint64 timestamp, TallyInterval interval, gint64 *ret_timestamp,
                              GError **error);
gboolean tally_timestamp_subtract_interval (gint64 timestamp, TallyInterval interval,
                                            gint64 *ret_timestamp, GError **error);
gboolean tally_timestamp_subtract (gint64 a, gint64 b, TallyInterval *ret_interval,
                                   GError **error); /* days and time */
gboolean tally_timestamp_age (gint64 a, gint64 b, TallyInterval *ret_interval,
                              GError **error); /* months, days, time */
gboolean tally_interval_add (TallyInterval a, TallyInterval b, TallyInterval *ret_interval,
                             GError **error);
gboolean tally_interval_subtract (TallyInterval a, TallyInterval b, TallyInterval *ret_interval,
                                  GError **error);
gboolean tally_interval_negate (TallyInterval interval, TallyInterval *ret_interval,
                                GError **error);
gboolean tally_interval_multiply (TallyInterval interval, double factor,
                                  TallyInterval *ret_interval, GError **error);
gboolean tally_interval_divide (TallyInterval interval, double divisor, TallyInterval *ret_interval,
                                GError **error);
gboolean tally_interval_justify_days (TallyInterval interval, TallyInterval *ret_interval,
                                      GError **error);
gboolean tally_interval_justify_hours (TallyInterval interval, TallyInterval *ret_interval,
                                       GError **error);
gboolean tally_interval_justify_interval (TallyInterval interval, TallyInterval *ret_interval,
                                          GError **error);
/* Microseconds. A month counts as 30 days, a day as 24 hours. */
__int128 tally_interval_length (TallyInterval interval);
gint tally_interval_compare (TallyInterval a, TallyInterval b);
guint tally_interval_hash (TallyInterval interval);

/* date_trunc(unit, …).  With a zone (nullable) for date_trunc(unit, timestamptz, zone). */
typedef struct _TallyZone TallyZone;
gboolean tally_timestamp_trunc (TallyText unit, TallyType type, gint64 timestamp,
                                const TallyZone *zone, gint64 *ret_timestamp, GError **error);
gboolean tally_interval_trunc (TallyText unit, TallyInterval interval, TallyInterval *ret_interval,
                               GError **error);
/* date_bin(stride, timestamp, origin). */
gboolean tally_timestamp_bin (TallyInterval stride, gint64 timestamp, gint64 origin,
                              gint64 *ret_timestamp, GError **error);

/* extract(field from …), numeric, and date_part(field, …), double.  value points to a gint32,
 * gint64 or TallyInterval as type says. ret_is_null is set to TRUE for SQL's NULL (fields of an
 * infinity), else to FALSE.  date_part of a date: cast to timestamp. */
gboolean tally_datetime_extract (TallyText field, TallyType type, gconstpointer value,
                                 TallyBatch *batch, gboolean *ret_is_null, TallyText *ret_numeric,
                                 GError **error);
gboolean tally_datetime_part (TallyText field, TallyType type, gconstpointer value,
                              gboolean *ret_is_null, double *ret_value, GError **error);

/* make_date(), make_timestamp(), make_interval(), to_timestamp(double).  A negative year is BC. */
gboolean tally_date_make (gint64 year, gint64 month, gint64 day, gint32 *ret_date, GError **error);
gboolean tally_timestamp_make (gint64 year, gint64 month, gint64 day, gint64 hour, gint64 minute,
                               double second, gint64 *ret_timestamp, GError **error);
gboolean tally_interval_make (gint64 years, gint64 months, gint64 weeks, gint64 days, gint64 hours,
                              gint64 minutes, double seconds, TallyInterval *ret_interval,
                              GError **error);
gboolean tally_timestamp_from_epoch (double seconds, gint64 *ret_timestamp, GError **error);

/* Templates: DD/Mon/YYYY HH24:MI and the like, read once for any number of values; no template is
 * malformed. */
typedef struct _TallyTemplate TallyTemplate;
TallyTemplate *tally_template_new (TallyText format);
void tally_template_free (gpointer template);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyTemplate, tally_template_free)
/* to_char(value, template), value as for tally_datetime_extract(); ret_is_null for infinities.
 * to_timestamp(text, template) gives a timestamptz, to_date(text, template) a date. */
gboolean tally_datetime_to_char (TallyType type, gconstpointer value, const TallyTemplate *template,
                                 TallyBatch *batch, gboolean *ret_is_null, TallyText *ret_text,
                                 GError **error);
gboolean tally_timestamp_from_template (TallyText text, const TallyTemplate *template,
                                        gint64 *ret_timestamp, GError **error);
gboolean tally_date_from_template (TallyText text, const TallyTemplate *template, gint32 *ret_date,
                                   GError **error);

/* Time zones: names of the tz database in any case, PostgreSQL's default abbreviations (CET, EST,
 * …), fixed offsets in POSIX's form (UTC-3, whose sign is POSIX's: west is positive). */
/* (transfer none) lives for ever; NULL on error: time zone "x" not recognized.  Safe in any thread.
 */
const TallyZone *tally_zone_find (TallyText name, GError **error);
/* timestamp AT TIME ZONE zone: local time to UTC.  A time that does not exist is read with the
 * offset before the gap, one that exists twice with the offset after the change. */
gboolean tally_zone_to_utc (const TallyZone *zone, gint64 local, gint64 *ret_utc, GError **error);
/* timestamptz AT TIME ZONE zone: UTC to local time. */
gboolean tally_zone_to_local (const TallyZone *zone, gint64 utc, gint64 *ret_local, GError **error);
/* The same with an interval as zone; adds (to_local) or subtracts it. */
gboolean tally_interval_zone_to_utc (TallyInterval offset, gint64 local, gint64 *ret_utc,
                                     GError **error);
gboolean tally_interval_zone_to_local (TallyInterval offset, gint64 utc, gint64 *ret_local,
                                       GError **error);
