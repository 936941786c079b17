/* test_numeric.c: exact arithmetic, with PostgreSQL's scales */
#include "cases.h"
#include "record/numeric.h"
#include <string.h>

static TallyText
number (const char *literal, TallyBatch *memory)
{
  TallyText value = { "", 0 };

  assert_true (tally_numeric_parse (TEXT_OF (literal), memory, &value, NULL));
  return value;
}

static char *
tell (gboolean done, TallyText result, GError **error)
{
  return done ? tally_text_dup (result) : tell_error (error);
}

static void
test_results_have_the_scale_that_postgresql_gives (void)
{
  static const struct
  {
    const char *what;
    TallyNumericBinary function;
    const char *a, *b, *expected;
  } cases[] = {
    { "a sum keeps the longer fraction", tally_numeric_add, "1.5", "2.25", "3.75" },
    { "zeros stay", tally_numeric_subtract, "1.50", "1.5", "0.00" },
    { "a product has both fractions", tally_numeric_multiply, "1.50", "-2.0", "-3.000" },
    { "a quotient has sixteen digits", tally_numeric_divide, "1", "3", "0.33333333333333333333" },
    { "of large numbers fewer places", tally_numeric_divide, "100000000", "3",
      "33333333.333333333333" },
    { "rounded away from zero", tally_numeric_divide, "-2", "3", "-0.66666666666666666667" },
    { "what is left has the sign of the first", tally_numeric_modulo, "-7.5", "2", "-1.5" },
    { "div cuts off", tally_numeric_div, "-7.5", "2", "-3" },
    { "more digits than a machine word", tally_numeric_multiply, "99999999999999999999",
      "99999999999999999999", "9999999999999999999800000000000000000001" },
    { "a carry over the border", tally_numeric_add, "999999999999999999", "1",
      "1000000000000000000" },
    { "nothing by zero", tally_numeric_divide, "1", "0.00", "! division by zero" },
    { "nothing of it left by zero", tally_numeric_modulo, "1", "0", "! division by zero" },
    { "infinity less infinity", tally_numeric_subtract, "Infinity", "Infinity", "NaN" },
    { "anything by infinity", tally_numeric_divide, "5", "-Infinity", "0" },
    { "a power", tally_numeric_power, "2", "10", "1024.0000000000000000" },
    { "a root of a negative number", tally_numeric_power, "-2", "0.5",
      "! a negative number raised to a non-integer power yields a complex result" },
    { "zero to minus one", tally_numeric_power, "0", "-1",
      "! zero raised to a negative power is undefined" },
    { "a power beyond all bounds", tally_numeric_power, "10", "131073",
      "! value overflows numeric format" },
    { "a power that is not whole", tally_numeric_power, "2", "0.5",
      "1.4142135623730950" },
  };
  g_autoptr (TallyBatch) memory = memory_new ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      TallyText result;
      gboolean done = cases[i].function (number (cases[i].a, memory), number (cases[i].b, memory),
                                         memory, &result, &error);
      g_autofree char *told = tell (done, result, &error);

      assert_row_text (cases[i].what, told, cases[i].expected);
    }
}

static void
test_rounds_half_away_from_zero (void)
{
  static const struct
  {
    const char *what, *value;
    gint64 scale;
    const char *rounded, *cut;
  } cases[] = {
    { "half up", "2.5", 0, "3", "2" },
    { "half down", "-2.5", 0, "-3", "-2" },
    { "before the point", "1250", -2, "1300", "1200" },
    { "away altogether", "49", -2, "0", "0" },
    { "with zeros added", "1.5", 3, "1.500", "1.500" },
    { "of many digits", "1234567890123456789012.345", 2, "1234567890123456789012.35",
      "1234567890123456789012.34" },
    { "to nothing that has a sign", "-0.004", 2, "0.00", "0.00" },
    { "not a number", "NaN", 2, "NaN", "NaN" },
  };
  g_autoptr (TallyBatch) memory = memory_new ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      TallyText value = number (cases[i].value, memory), result;
      g_autofree char *rounded = tell (
          tally_numeric_round (value, cases[i].scale, memory, &result, &error), result, &error);
      g_autofree char *cut = tell (
          tally_numeric_trunc (value, cases[i].scale, memory, &result, &error), result, &error);

      assert_row_text (cases[i].what, rounded, cases[i].rounded);
      assert_row_text (cases[i].what, cut, cases[i].cut);
    }
}

static void
test_a_precision_is_kept_or_the_value_refused (void)
{
  static const struct
  {
    const char *what, *value;
    gint precision, scale;
    const char *expected;
  } cases[] = {
    { "fits", "123.45", 5, 2, "123.45" },
    { "is rounded", "99.994", 4, 2, "99.99" },
    { "is rounded up and no longer fits", "99.995", 4, 2, "! numeric field overflow" },
    { "zeros in front do not count", "0.00123", 3, 5, "0.00123" },
    { "thousands only", "123456", 3, -3, "123000" },
    { "infinity fits nowhere", "Infinity", 5, 2, "! numeric field overflow" },
    { "no number fits everywhere", "NaN", 5, 2, "NaN" },
    { "a precision out of range", "1", 1001, 0,
      "! NUMERIC precision 1001 must be between 1 and 1000" },
  };
  g_autoptr (TallyBatch) memory = memory_new ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      TallyText value = number (cases[i].value, memory), result;
      gboolean done = tally_numeric_limit (value, cases[i].precision, cases[i].scale, memory,
                                           &result, &error);
      g_autofree char *told = tell (done, result, &error);

      assert_row_text (cases[i].what, told, cases[i].expected);
    }
}

static void
test_order_does_not_see_the_scale (void)
{
  static const char *const ascending[]
      = { "-Infinity", "-10",  "-9.99", "-0.1", "0",        "0.001", "0.01",
          "1",         "1.01", "9",     "10.5", "Infinity", "NaN" };
  g_autoptr (TallyBatch) memory = memory_new ();

  for (guint i = 0; i < G_N_ELEMENTS (ascending); i++)
    for (guint j = 0; j < G_N_ELEMENTS (ascending); j++)
      {
        gint order
            = tally_numeric_compare (number (ascending[i], memory), number (ascending[j], memory));

        assert_row_int (ascending[i], (order > 0) - (order < 0), (i > j) - (i < j));
      }
  assert_int (tally_numeric_compare (TEXT_OF ("1.50"), TEXT_OF ("1.5")), 0);
  assert_int (tally_numeric_hash (TEXT_OF ("1.50")), tally_numeric_hash (TEXT_OF ("1.5")));
  assert_int (tally_numeric_hash (TEXT_OF ("0.00")), tally_numeric_hash (TEXT_OF ("0")));
}

static void
test_casts_round_or_refuse (void)
{
  static const struct
  {
    const char *value;
    gboolean fits;
    gint64 expected;
  } cases[] = {
    { "2.5", TRUE, 3 },
    { "-2.5", TRUE, -3 },
    { "2.49", TRUE, 2 },
    { "9223372036854775807.4", TRUE, G_MAXINT64 },
    { "-9223372036854775808.4", TRUE, G_MININT64 },
    { "9223372036854775807.5", FALSE, 0 },
    { "-9223372036854775808.5", FALSE, 0 },
    { "NaN", FALSE, 0 },
  };
  g_autoptr (TallyBatch) memory = memory_new ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gint64 value = 0;

      assert_row_int (cases[i].value,
                      tally_numeric_to_bigint (number (cases[i].value, memory), &value, NULL),
                      cases[i].fits);
      assert_row_int (cases[i].value, value, cases[i].expected);
    }
  g_autofree char *third = tally_text_dup (tally_numeric_from_double (1.0 / 3, memory));
  assert_text (third, "0.333333333333333");
}

static const Promise promises[] = {
  { "results have the scale that PostgreSQL gives",
    test_results_have_the_scale_that_postgresql_gives },
  { "rounds half away from zero", test_rounds_half_away_from_zero },
  { "a precision is kept or the value refused", test_a_precision_is_kept_or_the_value_refused },
  { "order does not see the scale", test_order_does_not_see_the_scale },
  { "casts round or refuse", test_casts_round_or_refuse },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("numeric", promises, argc, argv);
}
