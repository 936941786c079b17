/* test_datetime.c: counting with dates, and templates */
#include "cases.h"
#include "record/datetime.h"
#include <string.h>

static gint64
moment (const char *literal)
{
  gint64 timestamp = 0;

  assert_true (tally_timestamp_parse (TEXT_OF (literal), &timestamp, NULL));
  return timestamp;
}

static TallyInterval
length (const char *literal)
{
  TallyInterval interval = { 0 };

  assert_true (tally_interval_parse (TEXT_OF (literal), &interval, NULL));
  return interval;
}

static char *
tell_moment (gboolean done, TallyType type, gint64 timestamp, GError **error)
{
  return done ? tell_value (type, &(Value){ .bigint = timestamp }) : tell_error (error);
}

static char *
tell_length (gboolean done, TallyInterval interval, GError **error)
{
  return done ? tell_value (TALLY_TYPE_INTERVAL, &(Value){ .interval = interval })
              : tell_error (error);
}

static void
test_months_end_where_they_end (void)
{
  static const struct
  {
    const char *what, *from, *interval, *expected;
  } cases[] = {
    { "a month after January 31st", "2023-01-31 12:00", "1 mon", "2023-02-28 12:00:00" },
    { "in a leap year", "2024-01-31 12:00", "1 mon", "2024-02-29 12:00:00" },
    { "a year after February 29th", "2024-02-29", "1 year", "2025-02-28 00:00:00" },
    { "back over the new year", "2024-01-15", "-2 mons", "2023-11-15 00:00:00" },
    { "months before days", "2023-01-30", "1 mon 1 day", "2023-03-01 00:00:00" },
    { "infinity stays", "infinity", "-1 day", "infinity" },
    { "beyond the last year", "294276-12-31", "1 day", "! timestamp out of range" },
    { "beyond the first", "4713-01-01 BC", "-1 year", "! timestamp out of range" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      gint64 sum;
      gboolean done
          = tally_timestamp_add (moment (cases[i].from), length (cases[i].interval), &sum, &error);
      g_autofree char *told = tell_moment (done, TALLY_TYPE_TIMESTAMP, sum, &error);

      assert_row_text (cases[i].what, told, cases[i].expected);
    }
}

static void
test_ages_are_told_in_months_and_days (void)
{
  static const struct
  {
    const char *a, *b, *age, *difference;
  } cases[] = {
    { "2024-03-01", "2024-01-31", "1 mon 1 day", "30 days" },
    { "2024-01-31", "2024-03-01", "-1 mons -1 days", "-30 days" },
    { "2001-04-10 01:00", "1957-06-13 02:00", "43 years 9 mons 26 days 23:00:00",
      "16006 days 23:00:00" },
    { "2020-01-01", "2020-01-01", "00:00:00", "00:00:00" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      gint64 a = moment (cases[i].a), b = moment (cases[i].b);
      TallyInterval result;
      g_autofree char *age
          = tell_length (tally_timestamp_age (a, b, &result, &error), result, &error);
      g_autofree char *difference
          = tell_length (tally_timestamp_subtract (a, b, &result, &error), result, &error);

      assert_row_text (cases[i].a, age, cases[i].age);
      assert_row_text (cases[i].a, difference, cases[i].difference);
    }
}

static void
test_templates_read_what_exports_write (void)
{
  static const struct
  {
    const char *what, *text, *format, *expected;
  } cases[] = {
    { "a bug tracker's", "30/Sep/21 17:20", "DD/Mon/YY HH24:MI", "2021-09-30 17:20:00+00" },
    { "blanks where none are expected", " 30 / sep / 21  17:20", "DD/Mon/YY HH24:MI",
      "2021-09-30 17:20:00+00" },
    { "in the afternoon", "9/30/2021 5:20 PM", "MM/DD/YYYY HH12:MI AM", "2021-09-30 17:20:00+00" },
    { "run together", "20210930172033", "YYYYMMDDHH24MISS", "2021-09-30 17:20:33+00" },
    { "with an offset", "2021-09-30 17:20 -03:30", "YYYY-MM-DD HH24:MI TZH:TZM",
      "2021-09-30 20:50:00+00" },
    { "week and weekday", "2021-39-4", "IYYY-IW-ID", "2021-09-30 00:00:00+00" },
    { "day of the year", "2021-273", "YYYY-DDD", "2021-09-30 00:00:00+00" },
    { "quoted text", "2021W39", "IYYY\"W\"IW", "2021-09-27 00:00:00+00" },
    { "a month that is none", "30/Foo/21", "DD/Mon/YY", "! invalid value \"Foo/21\" for \"Mon\"" },
    { "a day that is none", "30/Feb/21", "DD/Mon/YY",
      "! date/time field value out of range: \"30/Feb/21\"" },
    { "two calendars", "2021-09 39", "YYYY-MM IW", "! invalid combination of date conventions" },
    { "an hour that is none", "13:00 PM", "HH:MI PM",
      "! hour \"13\" is invalid for the 12-hour clock" },
    { "what only writes", "2021 UTC", "YYYY TZ",
      "! formatting field \"TZ\" is only supported in to_char" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (TallyTemplate) template = tally_template_new (TEXT_OF (cases[i].format));
      gint64 timestamp;
      gboolean done
          = tally_timestamp_from_template (TEXT_OF (cases[i].text), template, &timestamp, &error);
      g_autofree char *told = tell_moment (done, TALLY_TYPE_TIMESTAMPTZ, timestamp, &error);

      assert_row_text (cases[i].what, told, cases[i].expected);
    }
}

static void
test_templates_write (void)
{
  static const struct
  {
    const char *what, *format, *expected;
  } cases[] = {
    { "ISO", "YYYY-MM-DD\"T\"HH24:MI:SS.MSOF", "2023-09-08T23:05:09.500+00" },
    { "names padded", "Day|Month|", "Friday   |September|" },
    { "names not padded", "FMDay, FMDDth FMMonth YYYY", "Friday, 8th September 2023" },
    { "capitals", "DY MON dy mon", "FRI SEP fri sep" },
    { "weeks", "IYYY-IW-ID WW W Q", "2023-36-5 36 2 3" },
    { "twelve hours", "FMHH12:MI am TZ", "11:05 pm UTC" },
    { "a day of all", "DDD J CC", "251 2460196 21" },
  };
  g_autoptr (TallyBatch) memory = memory_new ();
  gint64 value = moment ("2023-09-08 23:05:09.5");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TallyTemplate) template = tally_template_new (TEXT_OF (cases[i].format));
      gboolean is_null;
      TallyText text;
      g_autofree char *told = NULL;

      assert_true (tally_datetime_to_char (TALLY_TYPE_TIMESTAMPTZ, &value, template, memory,
                                           &is_null, &text, NULL));
      told = tally_text_dup (text);
      assert_row_text (cases[i].what, told, cases[i].expected);
    }
}

static void
test_zones_know_summer_and_winter (void)
{
  static const struct
  {
    const char *what, *zone, *local, *utc;
  } cases[] = {
    { "winter", "Europe/Berlin", "2021-01-15 12:00", "2021-01-15 11:00:00+00" },
    { "summer", "Europe/Berlin", "2021-07-15 12:00", "2021-07-15 10:00:00+00" },
    { "names in any case", "EUROPE/berlin", "2021-07-15 12:00", "2021-07-15 10:00:00+00" },
    { "south of the equator", "Australia/Sydney", "2021-01-15 12:00", "2021-01-15 01:00:00+00" },
    { "winter time that is saved, long after the file's end", "Europe/Dublin", "2121-01-15 12:00",
      "2121-01-15 12:00:00+00" },
    { "summer after the file's end", "Europe/Dublin", "2121-07-15 12:00",
      "2121-07-15 11:00:00+00" },
    { "before there were zones", "Europe/Berlin", "1800-01-01 12:00", "1800-01-01 11:06:32+00" },
    { "an abbreviation", "PDT", "2021-01-15 12:00", "2021-01-15 19:00:00+00" },
    { "one whose meaning changed", "MSK", "2012-01-15 12:00", "2012-01-15 08:00:00+00" },
    { "POSIX counts to the west", "UTC+3", "2021-01-15 12:00", "2021-01-15 15:00:00+00" },
    { "not a zone", "../etc/passwd", "2021-01-15 12:00",
      "! time zone \"../etc/passwd\" not recognized" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      const TallyZone *zone = tally_zone_find (TEXT_OF (cases[i].zone), &error);
      gint64 utc = 0, local = 0;
      gboolean done
          = zone != NULL && tally_zone_to_utc (zone, moment (cases[i].local), &utc, &error);
      g_autofree char *told = tell_moment (done, TALLY_TYPE_TIMESTAMPTZ, utc, &error);

      assert_row_text (cases[i].what, told, cases[i].utc);
      if (done && tally_zone_to_local (zone, utc, &local, NULL))
        assert_row_int (cases[i].what, local, moment (cases[i].local));
    }
}

static void
test_fields_of_a_timestamp (void)
{
  static const struct
  {
    const char *field, *expected;
  } cases[] = {
    { "second", "9.500000" },
    { "milliseconds", "9500.000" },
    { "dow", "5" },
    { "isoyear", "2023" },
    { "week", "36" },
    { "epoch", "1694214309.500000" },
    { "century", "21" },
    { "timezone", "0" },
    { "julian", "2460196.96191550925925925926" },
    { "fortnight", "! unit \"fortnight\" not recognized for type timestamp with time zone" },
    { "now", "! unit \"now\" not supported for type timestamp with time zone" },
  };
  g_autoptr (TallyBatch) memory = memory_new ();
  gint64 value = moment ("2023-09-08 23:05:09.5");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      gboolean is_null;
      TallyText number;
      gboolean done = tally_datetime_extract (TEXT_OF (cases[i].field), TALLY_TYPE_TIMESTAMPTZ,
                                              &value, memory, &is_null, &number, &error);
      g_autofree char *told = done ? tally_text_dup (number) : tell_error (&error);

      assert_row_text (cases[i].field, told, cases[i].expected);
    }
}

static const Promise promises[] = {
  { "months end where they end", test_months_end_where_they_end },
  { "ages are told in months and days", test_ages_are_told_in_months_and_days },
  { "templates read what exports write", test_templates_read_what_exports_write },
  { "templates write", test_templates_write },
  { "zones know summer and winter", test_zones_know_summer_and_winter },
  { "fields of a timestamp", test_fields_of_a_timestamp },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("date and time", promises, argc, argv);
}
