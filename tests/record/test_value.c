/* test_value.c: texts in, values out, and back */
#include "cases.h"
#include "record/identity.h"
#include <math.h>
#include <string.h>

typedef struct
{
  const char *what;
  TallyType type;
  const char *literal;
  const char *expected; /* an error after an exclamation mark */
} Case;

static void
check_cases (const Case *cases, gsize n)
{
  g_autoptr (TallyBatch) memory = memory_new ();

  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *result = tell_parsed (cases[i].type, cases[i].literal, memory);

      assert_row_text (cases[i].what, result, cases[i].expected);
    }
}

static void
test_reads_booleans_as_people_write_them (void)
{
  static const Case cases[] = {
    { "a word", TALLY_TYPE_BOOLEAN, "true", "t" },
    { "a beginning of it", TALLY_TYPE_BOOLEAN, "fal", "f" },
    { "with blanks and capitals", TALLY_TYPE_BOOLEAN, " YES\t", "t" },
    { "off, shortened", TALLY_TYPE_BOOLEAN, "of", "f" },
    { "o may be on or off", TALLY_TYPE_BOOLEAN, "o",
      "! invalid input syntax for type boolean: \"o\"" },
    { "a digit", TALLY_TYPE_BOOLEAN, "1", "t" },
    { "another number", TALLY_TYPE_BOOLEAN, "2", "! invalid input syntax for type boolean: \"2\"" },
    { "nothing", TALLY_TYPE_BOOLEAN, "", "! invalid input syntax for type boolean: \"\"" },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

static void
test_reads_integers_up_to_their_bounds (void)
{
  static const Case cases[] = {
    { "with blanks", TALLY_TYPE_BIGINT, " -12 ", "-12" },
    { "a plus sign", TALLY_TYPE_BIGINT, "+7", "7" },
    { "the largest", TALLY_TYPE_BIGINT, "9223372036854775807", "9223372036854775807" },
    { "the smallest", TALLY_TYPE_BIGINT, "-9223372036854775808", "-9223372036854775808" },
    { "one too many", TALLY_TYPE_BIGINT, "9223372036854775808",
      "! value \"9223372036854775808\" is out of range for type bigint" },
    { "one too few", TALLY_TYPE_BIGINT, "-9223372036854775809",
      "! value \"-9223372036854775809\" is out of range for type bigint" },
    { "a fraction", TALLY_TYPE_BIGINT, "1.5", "! invalid input syntax for type bigint: \"1.5\"" },
    { "a word", TALLY_TYPE_BIGINT, "x", "! invalid input syntax for type bigint: \"x\"" },
    { "only a sign", TALLY_TYPE_BIGINT, "-", "! invalid input syntax for type bigint: \"-\"" },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

static void
test_prints_the_shortest_double (void)
{
  static const Case cases[] = {
    { "a short decimal", TALLY_TYPE_DOUBLE, "0.1", "0.1" },
    { "a sum that is not short", TALLY_TYPE_DOUBLE, "0.30000000000000004", "0.30000000000000004" },
    { "fifteen digits before the point", TALLY_TYPE_DOUBLE, "123456789012345", "123456789012345" },
    { "more take an exponent", TALLY_TYPE_DOUBLE, "1e15", "1e+15" },
    { "small ones, too", TALLY_TYPE_DOUBLE, "0.00001", "1e-05" },
    { "not so small", TALLY_TYPE_DOUBLE, "0.0001", "0.0001" },
    { "half-way between two doubles", TALLY_TYPE_DOUBLE, "5e22", "4.9999999999999996e+22" },
    { "a power of two whose neighbour below is closer", TALLY_TYPE_DOUBLE,
      "5316911983139663491615228241121378304", "5.316911983139664e+36" },
    { "the smallest", TALLY_TYPE_DOUBLE, "4.9406564584124654e-324", "5e-324" },
    { "minus zero", TALLY_TYPE_DOUBLE, "-0", "-0" },
    { "infinity", TALLY_TYPE_DOUBLE, "-inf", "-Infinity" },
    { "not a number", TALLY_TYPE_DOUBLE, " nan ", "NaN" },
    { "too large", TALLY_TYPE_DOUBLE, "1e400",
      "! \"1e400\" is out of range for type double precision" },
    { "too small", TALLY_TYPE_DOUBLE, "1e-400",
      "! \"1e-400\" is out of range for type double precision" },
    { "something behind it", TALLY_TYPE_DOUBLE, "1 x",
      "! invalid input syntax for type double precision: \"1 x\"" },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

static void
test_keeps_numeric_digit_for_digit (void)
{
  static const Case cases[] = {
    { "zeros at the end stay", TALLY_TYPE_NUMERIC, "-12.50", "-12.50" },
    { "zeros in front go", TALLY_TYPE_NUMERIC, "0012.5", "12.5" },
    { "no digit before the point", TALLY_TYPE_NUMERIC, ".5", "0.5" },
    { "minus zero is zero", TALLY_TYPE_NUMERIC, "-0.00", "0.00" },
    { "an exponent", TALLY_TYPE_NUMERIC, "1.25e3", "1250" },
    { "a negative exponent", TALLY_TYPE_NUMERIC, "125E-4", "0.0125" },
    { "forty digits", TALLY_TYPE_NUMERIC, "1234567890123456789012345678901234567890",
      "1234567890123456789012345678901234567890" },
    { "infinity", TALLY_TYPE_NUMERIC, "inf", "Infinity" },
    { "more digits than PostgreSQL holds", TALLY_TYPE_NUMERIC, "1e131072",
      "! value overflows numeric format" },
    { "more places than it holds", TALLY_TYPE_NUMERIC, "1e-16384",
      "! value overflows numeric format" },
    { "two points", TALLY_TYPE_NUMERIC, "1.2.3",
      "! invalid input syntax for type numeric: \"1.2.3\"" },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

static void
test_reads_dates_in_many_ways (void)
{
  static const Case cases[] = {
    { "ISO", TALLY_TYPE_DATE, "2023-09-18", "2023-09-18" },
    { "month first", TALLY_TYPE_DATE, "1/8/1999", "1999-01-08" },
    { "with the month's name", TALLY_TYPE_DATE, "January 8, 1999", "1999-01-08" },
    { "day first with a name", TALLY_TYPE_DATE, "08-Jan-99", "1999-01-08" },
    { "run together", TALLY_TYPE_DATE, "19990108", "1999-01-08" },
    { "day of the year", TALLY_TYPE_DATE, "1999.008", "1999-01-08" },
    { "Julian day", TALLY_TYPE_DATE, "J2451187", "1999-01-08" },
    { "before Christ", TALLY_TYPE_DATE, "0044-03-15 BC", "0044-03-15 BC" },
    { "the first day", TALLY_TYPE_DATE, "4714-11-24 BC", "4714-11-24 BC" },
    { "the day before it", TALLY_TYPE_DATE, "4714-11-23 BC",
      "! date out of range: \"4714-11-23 BC\"" },
    { "the last day", TALLY_TYPE_DATE, "5874897-12-31", "5874897-12-31" },
    { "infinity", TALLY_TYPE_DATE, "-infinity", "-infinity" },
    { "leap day", TALLY_TYPE_DATE, "2000-02-29", "2000-02-29" },
    { "no leap day", TALLY_TYPE_DATE, "1900-02-29",
      "! date/time field value out of range: \"1900-02-29\"" },
    { "day before month", TALLY_TYPE_DATE, "18/09/2023",
      "! date/time field value out of range: \"18/09/2023\"" },
    { "a word", TALLY_TYPE_DATE, "soon", "! invalid input syntax for type date: \"soon\"" },
    { "the clock", TALLY_TYPE_DATE, "today",
      "! \"today\" depends on the clock and is not supported as input for type date" },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

static void
test_reads_timestamps_with_zones (void)
{
  static const Case cases[] = {
    { "ISO with Z", TALLY_TYPE_TIMESTAMPTZ, "2023-09-18T23:25:58Z", "2023-09-18 23:25:58+00" },
    { "half a second", TALLY_TYPE_TIMESTAMPTZ, "2023-09-18 23:25:58.5",
      "2023-09-18 23:25:58.5+00" },
    { "seven digits are rounded", TALLY_TYPE_TIMESTAMP, "2023-09-18 23:25:58.1234567",
      "2023-09-18 23:25:58.123457" },
    { "an offset", TALLY_TYPE_TIMESTAMPTZ, "2023-09-18 23:25:58+05:30", "2023-09-18 17:55:58+00" },
    { "an offset means nothing without zone", TALLY_TYPE_TIMESTAMP, "2023-09-18 23:25:58+05:30",
      "2023-09-18 23:25:58" },
    { "a place", TALLY_TYPE_TIMESTAMPTZ, "2023-09-18 23:25:58 europe/berlin",
      "2023-09-18 21:25:58+00" },
    { "an abbreviation", TALLY_TYPE_TIMESTAMPTZ, "2023-09-18 23:25:58 EST",
      "2023-09-19 04:25:58+00" },
    { "in the gap of spring", TALLY_TYPE_TIMESTAMPTZ, "2020-03-29 02:30 Europe/Berlin",
      "2020-03-29 01:30:00+00" },
    { "twice in autumn", TALLY_TYPE_TIMESTAMPTZ, "2020-10-25 02:30 Europe/Berlin",
      "2020-10-25 01:30:00+00" },
    { "far in the future", TALLY_TYPE_TIMESTAMPTZ, "9140-07-01 12:00 Europe/Berlin",
      "9140-07-01 10:00:00+00" },
    { "afternoon", TALLY_TYPE_TIMESTAMP, "2020-01-01 1:00 PM", "2020-01-01 13:00:00" },
    { "the end of a day", TALLY_TYPE_TIMESTAMP, "2020-01-01 24:00:00", "2020-01-02 00:00:00" },
    { "a leap second", TALLY_TYPE_TIMESTAMP, "2016-12-31 23:59:60", "2017-01-01 00:00:00" },
    { "the epoch", TALLY_TYPE_TIMESTAMPTZ, "epoch", "1970-01-01 00:00:00+00" },
    { "no such zone", TALLY_TYPE_TIMESTAMPTZ, "2020-01-01 00:00 Nowhere/Here",
      "! time zone \"nowhere/here\" not recognized" },
    { "too far from Greenwich", TALLY_TYPE_TIMESTAMPTZ, "2020-01-01 00:00+16",
      "! time zone displacement out of range: \"2020-01-01 00:00+16\"" },
    { "after the last", TALLY_TYPE_TIMESTAMP, "294277-01-01",
      "! timestamp out of range: \"294277-01-01\"" },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

static void
test_reads_intervals (void)
{
  static const Case cases[] = {
    { "days and time", TALLY_TYPE_INTERVAL, "1 day 02:03:04", "1 day 02:03:04" },
    { "ISO 8601", TALLY_TYPE_INTERVAL, "P1Y2M3DT4H5M6.5S", "1 year 2 mons 3 days 04:05:06.5" },
    { "a fraction", TALLY_TYPE_INTERVAL, "1.5 hours", "01:30:00" },
    { "a fraction of a month", TALLY_TYPE_INTERVAL, "1.5 months", "1 mon 15 days" },
    { "ago", TALLY_TYPE_INTERVAL, "1 year 2 days ago", "-1 years -2 days" },
    { "signs that differ", TALLY_TYPE_INTERVAL, "-1 day +02:03", "-1 days +02:03:00" },
    { "nothing of it", TALLY_TYPE_INTERVAL, "0 days", "00:00:00" },
    { "too many days", TALLY_TYPE_INTERVAL, "2147483648 days",
      "! interval field value out of range: \"2147483648 days\"" },
    { "too many years", TALLY_TYPE_INTERVAL, "178956971 years", "! interval out of range" },
    { "no unit", TALLY_TYPE_INTERVAL, "1 fortnight",
      "! invalid input syntax for type interval: \"1 fortnight\"" },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

static void
test_reads_bytes_in_both_forms (void)
{
  static const Case cases[] = {
    { "hexadecimal", TALLY_TYPE_BYTEA, "\\x00fF", "\\x00ff" },
    { "with blanks", TALLY_TYPE_BYTEA, "\\xde ad", "\\xdead" },
    { "escapes", TALLY_TYPE_BYTEA, "a\\\\b\\001", "\\x615c6201" },
    { "plain", TALLY_TYPE_BYTEA, "abc", "\\x616263" },
    { "half a byte", TALLY_TYPE_BYTEA, "\\x123",
      "! invalid hexadecimal data: odd number of digits" },
    { "no digit", TALLY_TYPE_BYTEA, "\\xzz", "! invalid hexadecimal digit: \"z\"" },
    { "half an escape", TALLY_TYPE_BYTEA, "\\1", "! invalid input syntax for type bytea" },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

static void
test_refuses_text_that_is_not_utf8 (void)
{
  static const Case cases[] = {
    { "good text", TALLY_TYPE_TEXT, "naïve ☃", "naïve ☃" },
    { "a lone byte", TALLY_TYPE_TEXT, "na\xefve",
      "! invalid byte sequence for encoding \"UTF8\": 0xef 0x76 0x65" },
    { "in JSON", TALLY_TYPE_JSONB, "\"\xff\"",
      "! invalid byte sequence for encoding \"UTF8\": 0xff" },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

static void
test_shortens_what_it_quotes (void)
{
  g_autoptr (TallyBatch) memory = memory_new ();
  g_autofree char *longest = g_strnfill (1000000, 'x');
  g_autofree char *result = tell_parsed (TALLY_TYPE_BIGINT, longest, memory);

  assert_true (strlen (result) < 2000);
  assert_contains (result, "xxx…");
}

static void
test_a_zero_byte_ends_no_value (void)
{
  static const TallyType types[]
      = { TALLY_TYPE_BIGINT,    TALLY_TYPE_DOUBLE,   TALLY_TYPE_NUMERIC, TALLY_TYPE_DATE,
          TALLY_TYPE_TIMESTAMP, TALLY_TYPE_INTERVAL, TALLY_TYPE_JSONB,   TALLY_TYPE_TEXT };
  g_autoptr (TallyBatch) memory = memory_new ();
  Value value;

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    assert_row_int (tally_type_name (types[i]),
                    tally_value_parse (types[i], (TallyText){ "1\0002", 3 }, memory, &value, NULL),
                    FALSE);
}

static void
test_writes_rows_as_json (void)
{
  static const TallyColumn columns[] = {
    { "text", TALLY_TYPE_TEXT },     { "yes", TALLY_TYPE_BOOLEAN },
    { "n", TALLY_TYPE_BIGINT },      { "real", TALLY_TYPE_DOUBLE },
    { "exact", TALLY_TYPE_NUMERIC }, { "day", TALLY_TYPE_DATE },
    { "at", TALLY_TYPE_TIMESTAMP },  { "at_zone", TALLY_TYPE_TIMESTAMPTZ },
    { "for", TALLY_TYPE_INTERVAL },  { "bytes", TALLY_TYPE_BYTEA },
    { "a.b\"", TALLY_TYPE_JSONB },   { "nothing", TALLY_TYPE_TEXT },
  };
  static const char *const values[] = { "a \"b\"\n\\\x01\x7fö",
                                        "true",
                                        "-5",
                                        "0.5",
                                        "1.50",
                                        "2023-09-18",
                                        "2023-09-18 23:25:58.5",
                                        "2023-09-18 23:25:58Z",
                                        "1 day",
                                        "\\x00ff",
                                        "{\"b\":1,\"a\":[null]}" };
  TallySchema *schema = tally_schema_new (columns, G_N_ELEMENTS (columns));
  g_autoptr (TallyBatch) batch = tally_batch_new (schema, 1);
  g_autoptr (GString) json = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  tally_batch_add_row (batch);
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      tally_batch_set_from_text (batch, i, values[i], strlen (values[i]), &error);
      assert_no_error (error);
    }
  tally_batch_append_json (batch, 0, json);
  assert_text (json->str,
               "{\"text\":\"a "
               "\\\"b\\\"\\n\\\\\\u0001\x7fö\",\"yes\":true,\"n\":-5,\"real\":0.5,\"exact\":1.50,"
               "\"day\":\"2023-09-18\",\"at\":\"2023-09-18T23:25:58.5\",\"at_zone\":\"2023-09-"
               "18T23:25:58+00:00\","
               "\"for\":\"1 day\",\"bytes\":\"\\\\x00ff\",\"a.b\\\"\":{\"a\": [null], \"b\": "
               "1},\"nothing\":null}");
  tally_schema_unref (schema);
}

static void
test_numbers_that_json_has_not_become_strings (void)
{
  static const struct
  {
    TallyType type;
    const char *literal, *json;
  } cases[] = {
    { TALLY_TYPE_DOUBLE, "NaN", "{\"value\":\"NaN\"}" },
    { TALLY_TYPE_DOUBLE, "-Infinity", "{\"value\":\"-Infinity\"}" },
    { TALLY_TYPE_NUMERIC, "NaN", "{\"value\":\"NaN\"}" },
    { TALLY_TYPE_NUMERIC, "Infinity", "{\"value\":\"Infinity\"}" },
    { TALLY_TYPE_TIMESTAMP, "infinity", "{\"value\":\"infinity\"}" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TallyColumn column = { "value", cases[i].type };
      TallySchema *schema = tally_schema_new (&column, 1);
      g_autoptr (TallyBatch) batch = tally_batch_new (schema, 1);
      g_autoptr (GString) json = g_string_new (NULL);

      tally_batch_add_row (batch);
      assert_true (
          tally_batch_set_from_text (batch, 0, cases[i].literal, strlen (cases[i].literal), NULL));
      tally_batch_append_json (batch, 0, json);
      assert_text (json->str, cases[i].json);
      tally_schema_unref (schema);
    }
}

/* One byte after the other, as RFC 8259 has it. */
static void
escape_plainly (const char *text, gsize length, GString *out)
{
  static const char *const short_forms[] = { "\bb", "\ff", "\nn", "\rr", "\tt", "\"\"", "\\\\" };

  g_string_append_c (out, '"');
  for (gsize i = 0; i < length; i++)
    {
      const char *form = NULL;

      for (guint f = 0; f < G_N_ELEMENTS (short_forms); f++)
        if (short_forms[f][0] == text[i])
          form = short_forms[f] + 1;
      if (form != NULL)
        g_string_append_printf (out, "\\%s", form);
      else if ((guint8) text[i] < 0x20)
        g_string_append_printf (out, "\\u%04x", (guint) (guint8) text[i]);
      else
        g_string_append_c (out, text[i]);
    }
  g_string_append_c (out, '"');
}

static void
expect_escaped (const char *text, gsize length)
{
  /* No byte around it may be looked at. */
  g_autofree char *alone = g_memdup2 (text, length);
  g_autoptr (GString) json = g_string_new ("before "), expected = g_string_new ("before ");

  tally_json_append_string ((TallyText) { alone, length }, json);
  escape_plainly (text, length, expected);
  if (!g_string_equal (json, expected) || json->str[json->len] != '\0')
    assert_row_text ("escaped", json->str, expected->str);
}

/* The quick way looks at sixteen bytes at a time, and at the last ones in twos of eight and four. */
static void
test_escapes_each_byte_at_each_place (void)
{
  for (gsize length = 1; length < 50; length++)
    for (gsize place = 0; place < length; place++)
      for (guint byte = 0; byte < 256; byte++)
        {
          char text[] = "abcdefghijklmnopqrstuvwxyz\xc3\xa4\xc3\xb6\xc3\xbc" "0123456789.,-+!?: ~";

          text[place] = (char) byte;
          expect_escaped (text, length);
          text[length - 1 - place / 2] = '\n';
          expect_escaped (text, length);
        }
  assert_true (TRUE);
}

static void
test_escapes_a_long_text (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < 1000; i++)
    g_string_append_printf (text, "%*u\x01\"", (gint) (i % 40), i);
  for (gsize length = 0; length < 5000; length++)
    expect_escaped (text->str, length);
  expect_escaped (text->str, text->len);
  assert_true (TRUE);
}

/* Both values, one row each, as the bytes that tell them apart. */
static gboolean
is_same (TallyType type, const char *a, const char *b)
{
  const char *literals[] = { a, b };
  const TallyColumn column = { .name = "value", .type = type };
  g_autoptr (TallySchema) schema = tally_schema_new (&column, 1);
  g_autoptr (TallyBatch) batch = tally_batch_new (schema, 2);
  g_autoptr (GString) first = g_string_new (NULL);
  g_autoptr (GString) second = g_string_new (NULL);

  for (guint i = 0; i < 2; i++)
    {
      tally_batch_add_row (batch);
      if (literals[i] != NULL)
        assert_true (tally_batch_set_from_text (batch, 0, literals[i], strlen (literals[i]), NULL));
    }
  tally_identity_append (batch, 0, 0, first);
  tally_identity_append (batch, 1, 0, second);
  return g_string_equal (first, second);
}

static void
test_equal_values_have_the_same_identity (void)
{
  static const struct
  {
    const char *what;
    TallyType type;
    const char *a, *b;
    gboolean same;
  } cases[] = {
    { "NULL and NULL", TALLY_TYPE_TEXT, NULL, NULL, TRUE },
    { "NULL and nothing", TALLY_TYPE_TEXT, NULL, "", FALSE },
    { "text", TALLY_TYPE_TEXT, "a", "a", TRUE },
    { "a blank more", TALLY_TYPE_TEXT, "a", "a ", FALSE },
    { "a number's scale", TALLY_TYPE_NUMERIC, "1.0", "1.00", TRUE },
    { "and none", TALLY_TYPE_NUMERIC, "10", "10.0", TRUE },
    { "zeros that count", TALLY_TYPE_NUMERIC, "10", "1", FALSE },
    { "zero", TALLY_TYPE_NUMERIC, "0.00", "-0", TRUE },
    { "a sign", TALLY_TYPE_NUMERIC, "1.5", "-1.5", FALSE },
    { "no number", TALLY_TYPE_NUMERIC, "NaN", "nan", TRUE },
    { "zero with a sign", TALLY_TYPE_DOUBLE, "-0", "0", TRUE },
    { "no double", TALLY_TYPE_DOUBLE, "NaN", "NaN", TRUE },
    { "one month", TALLY_TYPE_INTERVAL, "1 mon", "30 days", TRUE },
    { "one day", TALLY_TYPE_INTERVAL, "1 day", "24:00:00.000001", FALSE },
    { "one moment", TALLY_TYPE_TIMESTAMPTZ, "2026-01-01 00:00+00", "2026-01-01 01:00+01", TRUE },
    { "jsonb's numbers", TALLY_TYPE_JSONB, "{\"a\": [1.0, 20]}", "{\"a\": [1.00, 20.0]}", TRUE },
    { "digits in its strings", TALLY_TYPE_JSONB, "[\"\\\"1.0\"]", "[\"\\\"1.00\"]", FALSE },
    { "its members' order", TALLY_TYPE_JSONB, "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", TRUE },
    { "its null", TALLY_TYPE_JSONB, NULL, "null", FALSE },
    { "bytes", TALLY_TYPE_BYTEA, "\\x00", "\\000", TRUE },
    { "truth", TALLY_TYPE_BOOLEAN, "yes", "t", TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_row_int (cases[i].what, is_same (cases[i].type, cases[i].a, cases[i].b), cases[i].same);
}

/* What a value was read from may be gone at once. */
static void
test_from_text_is_kept (void)
{
  static const TallyColumn columns[] = { { "text", TALLY_TYPE_TEXT },
                                         { "exact", TALLY_TYPE_NUMERIC },
                                         { "bytes", TALLY_TYPE_BYTEA },
                                         { "json", TALLY_TYPE_JSONB } };
  static const char *const values[] = { "abc", "1.50", "\\x6162", "[]" };
  TallySchema *schema = tally_schema_new (columns, G_N_ELEMENTS (columns));
  g_autoptr (TallyBatch) batch = tally_batch_new (schema, 1);

  tally_batch_add_row (batch);
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autofree char *gone = g_strdup (values[i]);

      assert_true (tally_batch_set_from_text (batch, i, gone, strlen (gone), NULL));
      memset (gone, '#', strlen (gone));
    }
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autoptr (GString) out = g_string_new (NULL);

      tally_batch_append_value (batch, 0, i, out);
      assert_text (out->str, values[i]);
    }
  tally_schema_unref (schema);
}

static const Promise promises[] = {
  { "keeps what it reads, whatever becomes of the text", test_from_text_is_kept },
  { "reads booleans as people write them", test_reads_booleans_as_people_write_them },
  { "reads integers up to their bounds", test_reads_integers_up_to_their_bounds },
  { "prints the shortest double", test_prints_the_shortest_double },
  { "keeps numeric digit for digit", test_keeps_numeric_digit_for_digit },
  { "reads dates in many ways", test_reads_dates_in_many_ways },
  { "reads timestamps with zones", test_reads_timestamps_with_zones },
  { "reads intervals", test_reads_intervals },
  { "reads bytes in both forms", test_reads_bytes_in_both_forms },
  { "refuses text that is not UTF-8", test_refuses_text_that_is_not_utf8 },
  { "shortens what it quotes", test_shortens_what_it_quotes },
  { "a zero byte ends no value", test_a_zero_byte_ends_no_value },
  { "writes rows as JSON", test_writes_rows_as_json },
  { "numbers that JSON has not become strings", test_numbers_that_json_has_not_become_strings },
  { "escapes each byte at each place", test_escapes_each_byte_at_each_place },
  { "escapes a long text", test_escapes_a_long_text },
  { "equal values have the same identity", test_equal_values_have_the_same_identity },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("value", promises, argc, argv);
}
