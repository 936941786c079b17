/* test_reader.c: the reader from inside, by every path of the scan: what comes out does not depend on it, nor on where
 * blocks end
 */
#include "plug.h"
#include "promise.h"
#include "reader.h"
#include <string.h>

static char *const nulls[] = { (char *) "", NULL };

static CsvDialect
dialect_by (CsvScan scan)
{
  return (CsvDialect) { .specials = { ',', '"', '"' }, .nulls = nulls, .max_field = 1 << 24, .max_record = 1 << 26,
                        .max_columns = 16, .scan = scan };
}

/* All records, `line: field|field`, and what is wrong with others. */
static char *
read_all (const char *path, const CsvDialect *dialect)
{
  GString *out = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  TallyInput *input = tally_input_open (path, &(TallyInputOptions) { NULL, -1 }, &error);
  g_autoptr (CsvReader) reader = csv_reader_new (input, dialect);
  CsvRecord record;

  while (csv_reader_next (reader, &record, &error) == CSV_RECORD)
    {
      g_string_append_printf (out, "%" G_GINT64_FORMAT ":", record.line);
      if (record.flaw != NULL)
        g_string_append (out, record.flaw);
      for (guint i = 0; record.flaw == NULL && i < record.n_fields; i++)
        {
          g_string_append_c (out, '|');
          g_string_append_len (out, record.fields[i].data, record.fields[i].length);
        }
      g_string_append_c (out, '\n');
    }
  assert_no_error (error);
  return g_string_free (out, FALSE);
}

/* A field that needs quotes, and one in 200 that is longer than a block. */
static void
append_random_field (GRand *random, GString *data, GString *expected)
{
  static const char *const pieces[] = { "a", ",", "\"", "\n", "\r\n", "\r", " ", "\xc3\xa9", "\xe2\x82\xac", "0123456789abcdef" };
  gint n = g_rand_int_range (random, 0, 100) == 0 ? g_rand_int_range (random, 0, 60000) : g_rand_int_range (random, 0, 12);

  g_string_append_c (data, '"');
  for (gint i = 0; i < n; i++)
    {
      const char *piece = pieces[g_rand_int_range (random, 0, G_N_ELEMENTS (pieces))];

      g_string_append (data, piece);
      if (*piece == '"')
        g_string_append_c (data, '"');
      g_string_append (expected, piece);
    }
  g_string_append_c (data, '"');
}

static gint64
count_line_ends (const char *text)
{
  gint64 n = 0;

  for (; *text != '\0'; text++)
    n += *text == '\n' || (*text == '\r' && text[1] != '\n');
  return n;
}

static void
test_random_records_come_back (void)
{
  static const char *const ends[] = { "\n", "\r\n", "\r" };
  g_autoptr (GRand) random = g_rand_new_with_seed (4711);
  g_autoptr (GString) data = g_string_new (NULL), expected = g_string_new (NULL);
  gint64 line = 1;

  for (guint i = 0; i < 4000; i++)
    {
      gsize start = data->len;

      g_string_append_printf (expected, "%" G_GINT64_FORMAT ":", line);
      for (gint left = g_rand_int_range (random, 1, 6); left > 0; left--)
        {
          g_string_append_c (expected, '|');
          if (g_rand_boolean (random))
            append_random_field (random, data, expected);
          else
            {
              g_string_append_printf (data, "plain%u", i);
              g_string_append_printf (expected, "plain%u", i);
            }
          if (left > 1)
            g_string_append_c (data, ',');
        }
      g_string_append (data, ends[g_rand_int_range (random, 0, 3)]);
      g_string_append_c (expected, '\n');
      line += count_line_ends (data->str + start);
    }

  g_autofree char *path = plug_write_file ("random.csv", data->str, data->len);
  for (const CsvScanPath *scan = csv_scan_paths; scan->name != NULL; scan++)
    if (scan->works_here ())
      {
        CsvDialect dialect = dialect_by (scan->scan);
        g_autofree char *read = read_all (path, &dialect);

        assert_row_int (scan->name, strcmp (read, expected->str), 0);
      }
}

/* The same awkward record at every distance from the end of a block. */
static void
test_a_block_may_end_anywhere (void)
{
  static const char record[] = "1,\"a\"\"b,\r\n\",\xe2\x82\xac,\"\"\r\n";
  CsvDialect dialect = dialect_by (csv_scan_best ());

  for (guint i = 0; i < 40; i++)
    {
      g_autofree char *filler = g_strnfill (256 * 1024 - 30 + i, 'x');
      g_autofree char *data = g_strconcat (filler, "\n", record, record, NULL);
      g_autofree char *path = plug_write_file ("ends.csv", data, -1);
      g_autofree char *read = read_all (path, &dialect);

      assert_text (strchr (read, '\n'), "\n2:|1|a\"b,\r\n|\xe2\x82\xac|\n4:|1|a\"b,\r\n|\xe2\x82\xac|\n");
    }
}

/* A record over the limit costs itself, wherever blocks end in it; the one behind it is whole. */
static void
test_a_record_over_the_limit_costs_only_itself (void)
{
  CsvDialect dialect = dialect_by (csv_scan_best ());

  dialect.max_record = 1000;
  dialect.max_field = 1000;
  for (guint i = 0; i < 12; i++)
    {
      g_autofree char *filler = g_strnfill (2 * 256 * 1024 - 6 + i, 'x');
      g_autofree char *data = g_strconcat ("1,2\n3,\"", filler, "\"\"\n,\r\n\r\"\r\n4,5\n", NULL);
      g_autofree char *path = plug_write_file ("over.csv", data, -1);
      g_autofree char *read = read_all (path, &dialect);

      assert_text (read, "1:|1|2\n2:is larger than max-record; is a quote missing?\n6:|4|5\n");
    }
}

static const Promise promises[] = {
  { "random records come back", test_random_records_come_back },
  { "a block may end anywhere", test_a_block_may_end_anywhere },
  { "a record over the limit costs only itself", test_a_record_over_the_limit_costs_only_itself },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("csv reader", promises, argc, argv);
}
