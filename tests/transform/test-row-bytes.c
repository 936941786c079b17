/* test-row-bytes.c: rows as bytes that come back, and keys as bytes that stand in order */
#include "promise.h"
#include "expression/function.h"
#include "record/batch-private.h"
#include "record/value.h"
#include "transform/row-image.h"
#include "transform/sort-key.h"
#include "../record/literals.h"
#include <string.h>

/* What the lists for input have too few of: values that begin alike, bytes 0 and 255, either side of
 * 0, and digits that go on where the others end. */
static const char *const more_text[]
    = { "", "a", "ab", "abc", "b", "a\x01", "\x01", "\x7f", "ä", "\xf4\x8f\xbf\xbf", "a ", NULL };
static const char *const more_bytea[]
    = { "\\x",   "\\x00",   "\\x0000", "\\x0001", "\\x00ff", "\\x00ff00", "\\x01", "\\xff",
        "\\xffff", "\\x61", "\\x6100", "\\x6101", "\\x61ff", "\\x610000", NULL };
static const char *const more_numeric[]
    = { "0",     "0.00", "1",      "1.0",   "1.00", "-1",   "-1.000",  "10",    "100",    "99",
        "9",     "0.1",  "0.10",   "0.09",  "0.01", "1.01", "1.001",   "12",    "123",    "1234",
        "12.3",  "-12",  "-123",   "-12.3", "-0.1", "-0.01", "-0.001", "-1.01", "-99",    "-100",
        "1e400", "-1e400", "1e-400", "-1e-400", "1000000000000000000000.5", "20", "200", "2", "NaN", NULL };
static const char *const more_bigint[] = { "-2", "-256", "255", "256", "65535", "-65536", NULL };
static const char *const more_double[]
    = { "0", "-0", "1", "-1", "-1e-300", "1e-300", "-4.9406564584124654e-324", "-inf", "NaN", "-1.5", "-1e300", NULL };
static const char *const more_interval[]
    = { "1 mon", "30 days", "720 hours", "-1 mon", "-30 days -1 microsecond", "00:00:00.000001",
        "-00:00:00.000001", "0", "1 mon -1 day", "29 days", "2147483647 mons", "-2147483648 mons", NULL };
static const char *const more_moment[]
    = { "infinity", "-infinity", "epoch", "1999-12-31 23:59:59.999999", "2000-01-01", "2000-01-02",
        "4713-01-01 BC", "294276-12-31", NULL };
static const char *const more_jsonb[]
    = { "[]", "{}", "null", "true", "false", "1", "1.0", "-1", "\"\"", "\"a\"", "\"ab\"", "\"a\\u0001\"", "\"\\\"\"", "[null]",
        "[1]", "[1, 2]", "[[]]", "[[], 1]", "[{}]", "[1, \"a\"]", "[\"a\"]", "[\"a\", \"b\"]", "[\"ab\", \"a\"]", "{\"a\": 1}",
        "{\"a\": 1.00}", "{\"a\": 2}", "{\"b\": 1}", "{\"aa\": 1}", "{\"a\": 1, \"b\": 2}", "{\"a\": null, \"b\": 2}",
        "{\"a\": {\"a\": [1]}}", "{\"a\": []}", "{\"a\": [1]}", "{\"a\": {}}", "[100]", "[20]", "[-20]", NULL };

static const struct
{
  TallyType type;
  const char *const *literals[2];
} hostile[] = {
  { TALLY_TYPE_TEXT, { numeric_literals, more_text } },
  { TALLY_TYPE_BOOLEAN, { boolean_literals, NULL } },
  { TALLY_TYPE_BIGINT, { bigint_literals, more_bigint } },
  { TALLY_TYPE_DOUBLE, { double_literals, more_double } },
  { TALLY_TYPE_NUMERIC, { numeric_literals, more_numeric } },
  { TALLY_TYPE_DATE, { moment_literals, more_moment } },
  { TALLY_TYPE_TIMESTAMP, { moment_literals, more_moment } },
  { TALLY_TYPE_TIMESTAMPTZ, { moment_literals, more_moment } },
  { TALLY_TYPE_INTERVAL, { interval_literals, more_interval } },
  { TALLY_TYPE_BYTEA, { bytea_literals, more_bytea } },
  { TALLY_TYPE_JSONB, { jsonb_literals, more_jsonb } },
};

static TallySchema *
schema_of (TallyType type)
{
  TallyColumn column = { "value", type };

  return tally_schema_new (&column, 1);
}

/* A row for each literal that the type takes, and one without a value. */
static TallyBatch *
rows_of (guint list)
{
  g_autoptr (TallySchema) schema = schema_of (hostile[list].type);
  TallyBatch *batch = tally_batch_new (schema, 1000);

  tally_batch_add_row (batch);
  for (guint i = 0; i < 2 && hostile[list].literals[i] != NULL; i++)
    for (const char *const *literal = hostile[list].literals[i]; *literal != NULL; literal++)
      {
        tally_batch_add_row (batch);
        if (!tally_batch_set_from_text (batch, 0, *literal, strlen (*literal), NULL))
          tally_batch_undo_row (batch);
      }
  return batch;
}

/* ---- Keys ---- */

static gint
sign_of (gint order)
{
  return (order > 0) - (order < 0);
}

/* PostgreSQL's order, put together from the comparison that the expressions use. */
static gint
expected_order (const TallyBatch *batch, guint a, guint b, TallySortFlags flags)
{
  TallyType type = tally_schema_column (tally_batch_schema (batch), 0)->type;
  gsize size = tally_type_size (type);
  gboolean a_null = tally_batch_is_null (batch, a, 0), b_null = tally_batch_is_null (batch, b, 0);
  Value x, y;
  gint order;

  if (a_null || b_null)
    return (a_null - b_null) * (flags & TALLY_SORT_NULLS_FIRST ? -1 : 1);
  memcpy (&x, (char *)tally_batch_vector (batch, 0) + a * size, size);
  memcpy (&y, (char *)tally_batch_vector (batch, 0) + b * size, size);
  order = sign_of (tally_value_compare (type, &x, &y));
  return flags & TALLY_SORT_DESCENDING ? -order : order;
}

static GByteArray *
key_of (const TallyBatch *batch, guint row, TallySortFlags flags)
{
  GByteArray *key = g_byte_array_new ();

  tally_sort_key_append_column (batch, row, 0, flags, key);
  return key;
}

static gint
compare_bytes (const GByteArray *a, const GByteArray *b)
{
  gint order = sign_of (memcmp (a->data, b->data, MIN (a->len, b->len)));

  return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static gboolean
begins (const GByteArray *a, const GByteArray *b)
{
  return a->len < b->len && memcmp (a->data, b->data, a->len) == 0;
}

static char *
label_of (const TallyBatch *batch, guint a, guint b, TallySortFlags flags)
{
  GString *label = g_string_new (tally_type_name (tally_schema_column (tally_batch_schema (batch), 0)->type));

  g_string_append_printf (label, " %s%s", flags & TALLY_SORT_DESCENDING ? "DESC " : "",
                          flags & TALLY_SORT_NULLS_FIRST ? "NULLS FIRST: " : "NULLS LAST: ");
  if (tally_batch_is_null (batch, a, 0))
    g_string_append (label, "NULL");
  else
    tally_batch_append_value (batch, a, 0, label);
  g_string_append (label, " beside ");
  if (tally_batch_is_null (batch, b, 0))
    g_string_append (label, "NULL");
  else
    tally_batch_append_value (batch, b, 0, label);
  return g_string_free (label, FALSE);
}

/* Returns how many pairs were not as they should be, and shows the first. */
static guint
compare_all (const TallyBatch *batch, TallySortFlags flags)
{
  guint n_rows = tally_batch_n_rows (batch), n_wrong = 0;
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func ((GDestroyNotify)g_byte_array_unref);

  for (guint row = 0; row < n_rows; row++)
    g_ptr_array_add (keys, key_of (batch, row, flags));
  for (guint a = 0; a < n_rows; a++)
    for (guint b = 0; b < n_rows; b++)
      {
        const GByteArray *x = keys->pdata[a], *y = keys->pdata[b];
        gint wanted = expected_order (batch, a, b, flags), found = compare_bytes (x, y);
        g_autofree char *label = NULL;

        if ((found == wanted && !begins (x, y)) || n_wrong++ > 0)
          continue;
        label = label_of (batch, a, b, flags);
        assert_row_int (label, found, wanted);
        assert_row_int (label, begins (x, y), FALSE);
      }
  return n_wrong;
}

static void
test_keys_stand_as_values_do (void)
{
  for (guint list = 0; list < G_N_ELEMENTS (hostile); list++)
    for (guint flags = 0; flags < 4; flags++)
      {
        g_autoptr (TallyBatch) batch = rows_of (list);

        assert_true (tally_batch_n_rows (batch) > 8);
        assert_int (compare_all (batch, flags), 0);
      }
}

/* ---- Images ---- */

static void
append_row (const TallyBatch *batch, guint row, GString *out)
{
  for (guint i = 0; i < tally_schema_n_columns (tally_batch_schema (batch)); i++)
    {
      g_string_append (out, i > 0 ? "|" : "");
      if (tally_batch_is_null (batch, row, i))
        g_string_append (out, "NULL");
      else
        tally_batch_append_value (batch, row, i, out);
    }
}

static char *
describe (const TallyBatch *batch)
{
  GString *out = g_string_new (NULL);

  for (guint row = 0; row < tally_batch_n_rows (batch); row++)
    {
      append_row (batch, row, out);
      g_string_append_c (out, '\n');
    }
  return g_string_free (out, FALSE);
}

static void
test_values_of_every_type_come_back (void)
{
  const gint column = 0;

  for (guint list = 0; list < G_N_ELEMENTS (hostile); list++)
    {
      g_autoptr (TallyBatch) batch = rows_of (list);
      g_autoptr (TallyBatch) other = tally_batch_new (tally_batch_schema (batch), 1000);
      g_autofree char *before = describe (batch), *after = NULL;
      g_autoptr (GError) error = NULL;

      for (guint row = 0; row < tally_batch_n_rows (batch); row++)
        {
          g_autoptr (GByteArray) image = g_byte_array_new ();

          tally_row_image_append (batch, row, &column, 1, /* with_origin= */ FALSE, image);
          tally_batch_add_row (other);
          tally_row_image_read (image->data, image->len, other, row, &column, 1,
                                /* with_origin= */ FALSE, &error);
          assert_no_error (error);
        }
      /* What came back is the other batch's own. */
      tally_batch_clear (batch);
      after = describe (other);
      assert_row_text (tally_type_name (hostile[list].type), after, before);
    }
}

static const TallyColumn three[]
    = { { "id", TALLY_TYPE_BIGINT }, { "name", TALLY_TYPE_TEXT }, { "at", TALLY_TYPE_DATE } };

static TallyBatch *
one_row (TallySchema *schema)
{
  TallyBatch *batch = tally_batch_new (schema, 100);

  tally_batch_set_origin (batch, "a.csv");
  tally_batch_add_row (batch);
  tally_batch_set_row_number (batch, 0, -7);
  tally_batch_set_int (batch, 0, 42);
  tally_batch_set_text (batch, 1, "ann", 3);
  return batch;
}

static void
test_chosen_columns_go_into_others (void)
{
  const gint from[] = { 1, 0 }, to[] = { 0, 1 };
  const TallyColumn turned[] = { { "n", TALLY_TYPE_TEXT }, { "i", TALLY_TYPE_BIGINT }, { "x", TALLY_TYPE_TEXT } };
  g_autoptr (TallySchema) schema = tally_schema_new (three, 3), other_schema = tally_schema_new (turned, 3);
  g_autoptr (TallyBatch) batch = one_row (schema), other = tally_batch_new (other_schema, 3);
  g_autoptr (GByteArray) image = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *found = NULL;

  tally_row_image_append (batch, 0, from, 2, /* with_origin= */ FALSE, image);
  tally_batch_add_rows (other, 3);
  tally_row_image_read (image->data, image->len, other, 1, to, 2, /* with_origin= */ FALSE, &error);
  assert_no_error (error);
  found = describe (other);
  assert_text (found, "NULL|NULL|NULL\nann|42|NULL\nNULL|NULL|NULL\n");
}

static const gint all[] = { 0, 1, 2 };

static void
test_rows_of_several_origins_are_told_apart (void)
{
  static const char *const names[] = { "a.csv", "b.csv", "b.csv", "a.csv", "", "c.csv" };
  g_autoptr (TallySchema) schema = tally_schema_new (three, 3);
  g_autoptr (TallyBatch) other = tally_batch_new (schema, 6);
  g_autoptr (GError) error = NULL;
  guint64 keep = 0x36; /* b.csv, b.csv, "", c.csv */
  const guint times[] = { 1, 2, 0, 1 };
  g_autofree char *last = NULL;

  for (guint i = 0; i < 6; i++)
    {
      g_autoptr (TallyBatch) batch = one_row (schema);
      g_autoptr (GByteArray) image = g_byte_array_new ();
      g_autofree char *origin = NULL, *expected = g_strdup_printf ("%s:%u", names[i], i);

      tally_batch_set_origin (batch, names[i]);
      tally_batch_set_row_number (batch, 0, i);
      tally_row_image_append (batch, 0, all, 3, /* with_origin= */ TRUE, image);
      tally_batch_add_row (other);
      tally_row_image_read (image->data, image->len, other, i, all, 3, /* with_origin= */ TRUE, &error);
      assert_no_error (error);
      origin = tally_batch_dup_origin (other, i);
      assert_text (origin, expected);
    }

  tally_batch_retain (other, &keep);
  tally_batch_repeat (other, times);
  for (guint i = 0; i < 4; i++)
    {
      static const char *const expected[] = { "b.csv:1", "b.csv:2", "b.csv:2", "c.csv:5" };
      g_autofree char *origin = tally_batch_dup_origin (other, i);

      assert_text (origin, expected[i]);
    }
  tally_batch_clear (other);
  tally_batch_add_rows (other, 2);
  last = tally_batch_dup_origin (other, 1);
  assert_text (last, "a.csv:0");
}

/* Under the sanitizers and valgrind this also sees that nothing beyond the end is read. */
static void
test_a_damaged_image_is_an_error (void)
{
  g_autoptr (TallySchema) schema = tally_schema_new (three, 3);
  g_autoptr (TallyBatch) batch = one_row (schema);
  g_autoptr (GByteArray) image = g_byte_array_new ();
  static const guint8 huge[]
      = { 9, 42, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 'a' };
  static const guint8 endless[] = { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80 };
  static const guint8 narrow[] = { 2, 1, 0, 0 };
  const struct
  {
    const char *label;
    const guint8 *data;
    gsize length;
  } rows[] = {
    { "a size beyond the end", huge, sizeof huge },
    { "a size without an end", endless, sizeof endless },
    { "a bigint of one byte", narrow, sizeof narrow },
  };

  tally_row_image_append (batch, 0, all, 3, /* with_origin= */ TRUE, image);
  for (guint length = 0; length < image->len; length++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree guint8 *part = g_memdup2 (image->data, MAX (length, 1));

      assert_true (!tally_row_image_read (part, length, batch, 0, all, 3, /* with_origin= */ TRUE, &error));
      assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, "damaged");
    }
  assert_true (!tally_row_image_read (image->data, image->len, batch, 0, all, 3, /* with_origin= */ FALSE, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    assert_row_int (rows[i].label,
                    tally_row_image_read (rows[i].data, rows[i].length, batch, 0, all, 3,
                                          /* with_origin= */ FALSE, NULL),
                    FALSE);
}

static const Promise promises[] = {
  { "keys stand as values do", test_keys_stand_as_values_do },
  { "values of every type come back", test_values_of_every_type_come_back },
  { "chosen columns go into others", test_chosen_columns_go_into_others },
  { "rows of several origins are told apart", test_rows_of_several_origins_are_told_apart },
  { "a damaged image is an error", test_a_damaged_image_is_an_error },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("rows as bytes", promises, argc, argv);
}
