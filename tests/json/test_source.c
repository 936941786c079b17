/* test_source.c: what the json source promises */
#include "plug.h"
#include "promise.h"
#include <string.h>

typedef struct
{
  const char *label;
  const char *data;
  const char *options[9];
  const char *expected;
} Case;

static const Case cases[] = {
  { "lines", "{\"a\":1,\"b\":\"x\"}\n{\"b\":\"y\",\"a\":2}\n", { NULL }, "a bigint|b text\nx.json:1: 1|x\nx.json:2: 2|y\n" },
  { "lines in CR LF, with empty ones", "\r\n{\"a\":1}\r\n \r\n{\"a\":2}", { NULL }, "a bigint\nx.json:2: 1\nx.json:4: 2\n" },
  { "an array", "[{\"a\":1},\n {\"a\":2}\n,{\"a\":\n3}]\n", { NULL }, "a bigint\nx.json:1: 1\nx.json:2: 2\nx.json:3: 3\n" },
  { "an empty array", "[]", { "columns", "a" }, "a text\n" },
  { "types of the sample", "{\"i\":-9223372036854775808,\"n\":1.50,\"b\":true,\"t\":\"\",\"o\":{},\"l\":[],\"z\":null}\n", { NULL },
    "i bigint|n numeric|b boolean|t text|o jsonb|l jsonb|z text\nx.json:1: -9223372036854775808|1.50|t||{}|[]|~\n" },
  { "types that meet", "{\"n\":1,\"t\":1,\"j\":1,\"u\":true}\n{\"n\":2.5,\"t\":\"x\",\"j\":[],\"u\":1}\n", { NULL },
    "n numeric|t text|j jsonb|u text\nx.json:1: 1|1|1|true\nx.json:2: 2.5|x|[]|1\n" },
  { "digits stay", "{\"a\":0.10000000000000000000000000000001}\n{\"a\":123456789012345678901234567890}\n", { NULL },
    "a numeric\nx.json:1: 0.10000000000000000000000000000001\nx.json:2: 123456789012345678901234567890\n" },
  { "escapes", "{\"\\u0061\":\"\\\"\\\\\\/\\n\\u00e9\\ud83d\\ude00\"}\n", { NULL }, "a text\nx.json:1: \"\\\\/\\n\xc3\xa9\xf0\x9f\x98\x80\n" },
  { "nested is jsonb", "{\"a\":{\"b\": [1,{\"c\":\"]}\"}]}}\n", { NULL }, "a jsonb\nx.json:1: {\"b\": [1, {\"c\": \"]}\"}]}\n" },
  { "a string in jsonb", "{\"a\":[]}\n{\"a\":\"x\"}\n", { NULL }, "a jsonb\nx.json:1: []\nx.json:2: \"x\"\n" },
  { "the last of equal names", "{\"a\":1,\"a\":2}\n{\"a\":1,\"a\":null}\n", { NULL }, "a bigint\nx.json:1: 2\nx.json:2: ~\n" },
  { "named columns", "{\"id\":\"7\",\"at\":\"2020-01-02T03:04:05Z\",\"x\":1}\n", { "columns", "id bigint", "columns", "at timestamptz", "columns", "my name" },
    "id bigint|at timestamptz|my name text\nx.json:1: 7|2020-01-02 03:04:05+00|~\n" },
  { "broken lines do not stop it", "{\"a\":1}\n{\"a\":}\n{\"a\":01}\n{\"a\":1\n[1]\n\"x\"\n{\"a\":1}{}\n{\"a\":2}\n", { "format", "lines" },
    "a bigint\nx.json:1: 1\nx.json:8: 2\n"
    "x.json:2! something that is no JSON value, at byte 6\n"
    "x.json:3! a number that begins with 0, at byte 7\n"
    "x.json:4! an object without a comma or an end, at byte 7\n"
    "x.json:5! something else than an object, at byte 1\n"
    "x.json:6! something else than an object, at byte 1\n"
    "x.json:7! more than one value, at byte 8\n" },
  { "broken elements do not stop it", "[{\"a\":1},{\"a\" 1},7,\n{\"a\":2}]", { NULL },
    "a bigint\nx.json:1: 1\nx.json:2: 2\nx.json:1! a member without a colon, at byte 6\n"
    "x.json:1! something else than an object, at byte 1\n" },
  { "a brace too many", "[{\"a\":1},7},{\"a\":2}]", { NULL },
    "a bigint\nx.json:1: 1\nx.json:1: 2\nx.json:1! something else than an object, at byte 1\n" },
  { "an array without an end", "[{\"a\":1},{\"a\":", { NULL },
    "a bigint\nx.json:1: 1\nx.json:1! the file ends in the middle of it\nerror: x.json: line 1: the file ends before its array does\n" },
  { "something behind an array", "[{\"a\":1}] 7", { NULL }, "a bigint\nx.json:1: 1\nx.json:1! stands behind the end of the array\n" },
  { "values that do not fit", "{\"a\":1,\"t\":\"x\"}\n{\"a\":1.5}\n{\"a\":99999999999999999999}\n{\"a\":\"x\"}\n{\"a\":{}}\n{\"t\":[]}\n", { "sample", "1" },
    "a bigint|t text\nx.json:1: 1|x\n"
    "x.json:2! \"a\" does not fit: invalid input syntax for type bigint: \"1.5\"\n"
    "x.json:3! \"a\" does not fit: value \"99999999999999999999\" is out of range for type bigint\n"
    "x.json:4! \"a\" does not fit: invalid input syntax for type bigint: \"x\"\n"
    "x.json:5! \"a\" is an object\nx.json:6! \"t\" is an array\n" },
  { "texts that cannot be", "{\"a\":\"\\u0000\"}\n{\"a\":\"\\ud800\"}\n{\"a\":\"\\udc00\\ud800\"}\n{\"a\":\"\\ud800\\u0041\"}\n", { NULL },
    "a text\nx.json:1! \"a\" has \\u0000 or half of a surrogate pair, which no text can hold\n"
    "x.json:2! \"a\" has \\u0000 or half of a surrogate pair, which no text can hold\n"
    "x.json:3! \"a\" has \\u0000 or half of a surrogate pair, which no text can hold\n"
    "x.json:4! \"a\" has \\u0000 or half of a surrogate pair, which no text can hold\n" },
  { "not UTF-8", "{\"a\":\"\xe9\"}\n{\"a\":\"x\"}\n", { NULL }, "a text\nx.json:2: x\nx.json:1! byte 7 is not UTF-8\n" },
  { "too deep", "{\"a\":[[[1]]]}\n{\"a\":[[1]]}\n", { "max-depth", "3" },
    "a jsonb\nx.json:2: [[1]]\nx.json:1! values nested deeper than max-depth, at byte 8\n" },
  { "nothing to learn from", "\n", { NULL }, "error: no object in \"x.json\" tells what the columns are; name them in \"columns\"\n" },
  { "not an array", "{\"a\":1}", { "format", "array" }, "error: x.json: line 1: there is no array\n" },
  { "a mark", "\xef\xbb\xbf{\"a\":1}", { NULL }, "a bigint\nx.json:1: 1\n" },
};

static Plug *
source_of (const char *path, const char *const *options)
{
  Plug *plug = plug_new ("json", TALLY_SOURCE, "json");

  plug_set (plug, "path", path);
  for (; options != NULL && options[0] != NULL; options += 2)
    plug_set (plug, options[0], options[1]);
  return plug;
}

static void
test_reads_each_case (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = plug_write_file ("x.json", cases[i].data, -1);
      g_autoptr (Plug) plug = source_of (path, cases[i].options);
      g_autofree char *table = plug_typed_table (plug, 100);

      assert_row_text (cases[i].label, table, cases[i].expected);
    }
}

/* Rows of a file that is much larger than a block, with records that are, too. */
static void
test_records_may_be_larger_than_a_block (void)
{
  g_autoptr (GString) data = g_string_new ("[");
  g_autofree char *long_text = g_strnfill (700000, 'x');

  for (guint i = 0; i < 20; i++)
    g_string_append_printf (data, "%s{\"i\":%u,\"t\":\"%s\"}", i > 0 ? ",\n" : "", i, i % 5 == 4 ? long_text : "short");
  g_string_append_c (data, ']');
  g_autofree char *path = plug_write_file ("large.json", data->str, data->len);
  g_autoptr (Plug) plug = source_of (path, NULL);
  g_autoptr (GError) error = NULL;

  plug_open (plug, NULL, &error);
  assert_no_error (error);
  for (guint row = 0, n_rows = 1; row < 20 && n_rows > 0; row += n_rows)
    {
      g_autoptr (TallyBatch) batch = plug_read_batch (plug, 100, &error);

      assert_no_error (error);
      n_rows = tally_batch_n_rows (batch);
      assert_true (n_rows > 0);
      for (guint i = 0; i < n_rows; i++)
        {
          assert_int (tally_batch_get_int (batch, i, 0), row + i);
          assert_int (tally_batch_row_number (batch, i), row + i + 1);
          assert_int (tally_batch_get_text (batch, i, 1).length, (row + i) % 5 == 4 ? 700000 : 5);
        }
    }
}

static void
test_a_batch_of_long_records_has_few (void)
{
  g_autofree char *long_text = g_strnfill (100000, 'x');
  g_autoptr (GString) data = g_string_new (NULL);
  guint n_rows = 0;

  for (guint i = 0; i < 50; i++)
    g_string_append_printf (data, "{\"t\":\"%s\"}\n", long_text);
  g_autofree char *path = plug_write_file ("long.json", data->str, data->len);
  g_autoptr (Plug) plug = source_of (path, NULL);
  g_autoptr (GError) error = NULL;

  plug_open (plug, NULL, &error);
  for (guint i = 0; i < 50 && n_rows < 50; i++)
    {
      g_autoptr (TallyBatch) batch = plug_read_batch (plug, 1000, &error);

      assert_no_error (error);
      assert_true (tally_batch_n_rows (batch) <= 11);
      n_rows += tally_batch_n_rows (batch);
    }
  assert_int (n_rows, 50);
}

static void
test_a_record_over_the_limit_is_set_aside (void)
{
  static const struct
  {
    const char *label, *begin, *between, *end;
  } forms[] = { { "lines", "", "\n", "\n" }, { "array", "[", ",\n", "]" } };
  g_autofree char *long_text = g_strnfill (900000, '{');

  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    {
      g_autofree char *data = g_strdup_printf ("%s{\"a\":1}%s{\"a\":1,\"b\":\"\\\"%s\"}%s{\"a\":3}%s", forms[i].begin,
                                               forms[i].between, long_text, forms[i].between, forms[i].end);
      g_autofree char *path = plug_write_file ("x.json", data, -1);
      g_autoptr (Plug) plug = source_of (path, (const char *[]) { "max-record", "1000", "columns", "a", NULL });
      g_autofree char *table = plug_typed_table (plug, 100);

      assert_row_text (forms[i].label, table, "a text\nx.json:1: 1\nx.json:3: 3\nx.json:2! is larger than max-record\n");
    }
}

static void
test_resumes_at_the_next_record (void)
{
  static const char *const forms[] = { "{\"a\":1}\n{\"a\":2}\n\n{\"a\":3}\n{\"a\":}\n{\"a\":5}",
                                       "[{\"a\":1},{\"a\":2}\n,\n {\"a\":3},{\"a\":},{\"a\":5} ]" };

  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    {
      g_autofree char *path = plug_write_file ("x.json", forms[i], -1);
      g_autoptr (Plug) whole = source_of (path, NULL);
      g_autoptr (GString) all = g_string_new (NULL);
      g_autoptr (GString) read = g_string_new (NULL);
      g_autoptr (GError) error = NULL;

      plug_open (whole, NULL, &error);
      plug_read_all (whole, 100, all, &error);
      assert_no_error (error);
      /* A new instance for each batch of one record. */
      g_autofree char *position = NULL;
      for (guint n = 0; n < 6; n++)
        {
          g_autoptr (Plug) plug = source_of (path, NULL);

          plug->ctx->position = g_strdup (position);
          plug_open (plug, NULL, &error);
          g_autoptr (TallyBatch) batch = plug_read_batch (plug, 1, &error);
          assert_no_error (error);
          if (batch == NULL)
            break;
          plug_append_batch (batch, read);
          assert_text (plug->warnings->str, "");
          g_free (position);
          position = g_strdup (tally_batch_position (batch));
        }
      g_autofree char *sorted_all = plug_sort_lines (all->str), *sorted = plug_sort_lines (read->str);
      assert_text (sorted, sorted_all);
    }
}

static void
test_a_changed_file_is_read_from_the_start (void)
{
  g_autofree char *path = plug_write_file ("x.json", "{\"a\":1}\n{\"a\":2}\n", -1);
  g_autoptr (Plug) first = source_of (path, NULL);
  g_autoptr (Plug) second = NULL;
  g_autoptr (GString) rows = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  plug_open (first, NULL, &error);
  g_autoptr (TallyBatch) batch = plug_read_batch (first, 1, &error);
  assert_no_error (error);
  g_free (plug_write_file ("x.json", "{\"a\":11}\n{\"a\":22}\n", -1));
  second = source_of (path, NULL);
  second->ctx->position = g_strdup (tally_batch_position (batch));
  plug_open (second, NULL, &error);
  plug_read_all (second, 10, rows, &error);
  assert_no_error (error);
  assert_text (rows->str, "x.json:1: 11\nx.json:2: 22\n");
  assert_contains (second->warnings->str, "changed since the last run");
}

static void
test_members_beyond_the_sample_are_told (void)
{
  g_autofree char *path = plug_write_file ("x.json", "{\"a\":1}\n{\"a\":2,\"b\":3}\n", -1);
  g_autoptr (Plug) plug = source_of (path, (const char *[]) { "sample", "1", NULL });
  g_autofree char *table = plug_typed_table (plug, 10);

  assert_text (table, "a bigint\nx.json:1: 1\nx.json:2: 2\n");
  assert_contains (plug->warnings->str, "\"b\" is no member of the first 1 objects");
}

static const Promise promises[] = {
  { "reads each case", test_reads_each_case },
  { "records may be larger than a block", test_records_may_be_larger_than_a_block },
  { "a batch of long records has few", test_a_batch_of_long_records_has_few },
  { "a record over the limit is set aside", test_a_record_over_the_limit_is_set_aside },
  { "resumes at the next record", test_resumes_at_the_next_record },
  { "a changed file is read from the start", test_a_changed_file_is_read_from_the_start },
  { "members beyond the sample are told", test_members_beyond_the_sample_are_told },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("json source", promises, argc, argv);
}
