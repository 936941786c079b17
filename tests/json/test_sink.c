/* test_sink.c: what the json sink promises to those who read its files */
#include "plug.h"
#include "promise.h"
#include <json-c/json.h>
#include <string.h>

/* Columns of all types, values as PostgreSQL writes them; NULL for NULL. */
static const struct
{
  TallyColumn column;
  const char *values[2];
} sample[] = {
  { { "id", TALLY_TYPE_BIGINT }, { "-9223372036854775808", "2" } },
  { { "requester.email", TALLY_TYPE_TEXT }, { "a\"b\\c\n\t\x01\xc3\xa9", "" } },
  { { "ratio", TALLY_TYPE_DOUBLE }, { "0.1", "NaN" } },
  { { "exact", TALLY_TYPE_NUMERIC }, { "1.500", "-Infinity" } },
  { { "requester.name.first", TALLY_TYPE_TEXT }, { "x", NULL } },
  { { "open", TALLY_TYPE_BOOLEAN }, { "t", "f" } },
  { { "tags", TALLY_TYPE_JSONB }, { "[1, {\"a\": null}]", "\"x\"" } },
  { { "at", TALLY_TYPE_TIMESTAMPTZ }, { "2020-01-02 03:04:05+00", "infinity" } },
  { { "file", TALLY_TYPE_BYTEA }, { "\\x00ff", "\\x" } },
};

static TallyBatch *
sample_batch (void)
{
  TallyColumn columns[G_N_ELEMENTS (sample)];
  TallyBatch *batch;

  for (guint i = 0; i < G_N_ELEMENTS (sample); i++)
    columns[i] = sample[i].column;
  g_autoptr (TallySchema) schema = tally_schema_new (columns, G_N_ELEMENTS (sample));
  batch = tally_batch_new (schema, 10);
  for (guint row = 0; row < 2; row++)
    {
      tally_batch_add_row (batch);
      for (guint i = 0; i < G_N_ELEMENTS (sample); i++)
        if (sample[i].values[row] != NULL)
          assert_true (tally_batch_set_from_text (batch, i, sample[i].values[row], strlen (sample[i].values[row]), NULL));
    }
  return batch;
}

static char *
write_sample (const char *const *options, TallyBatch *batch)
{
  g_autofree char *path = plug_path ("out.json");
  g_autoptr (Plug) plug = plug_new ("json", TALLY_SINK, "json");
  g_autoptr (GError) error = NULL;
  char *written = NULL;

  plug_set (plug, "path", path);
  for (; options[0] != NULL; options += 2)
    plug_set (plug, options[0], options[1]);
  plug_open (plug, tally_batch_schema (batch), &error);
  assert_no_error (error);
  assert_int (plug->plugin->write (plug->self, plug->ctx, batch, &error), TALLY_FLOW_OK);
  assert_int (plug->plugin->commit (plug->self, plug->ctx, &error), TALLY_FLOW_OK);
  assert_no_error (error);
  g_file_get_contents (path, &written, NULL, NULL);
  return written;
}

#define FLAT_1                                                                                                         \
  "{\"id\":-9223372036854775808,\"requester.email\":\"a\\\"b\\\\c\\n\\t\\u0001\xc3\xa9\",\"ratio\":0.1,\"exact\":1.500," \
  "\"requester.name.first\":\"x\",\"open\":true,\"tags\":[1, {\"a\": null}],\"at\":\"2020-01-02 03:04:05+00\",\"file\":\"\\\\x00ff\"}"
#define FLAT_2                                                                                                         \
  "{\"id\":2,\"requester.email\":\"\",\"ratio\":\"NaN\",\"exact\":\"-Infinity\",\"requester.name.first\":null,"          \
  "\"open\":false,\"tags\":\"x\",\"at\":\"infinity\",\"file\":\"\\\\x\"}"

static void
test_writes_lines (void)
{
  g_autoptr (TallyBatch) batch = sample_batch ();
  g_autofree char *written = write_sample ((const char *[]) { NULL }, batch);

  assert_text (written, FLAT_1 "\n" FLAT_2 "\n");
}

static void
test_writes_an_array (void)
{
  g_autoptr (TallyBatch) batch = sample_batch ();
  g_autofree char *written = write_sample ((const char *[]) { "format", "array", NULL }, batch);

  assert_text (written, "[\n" FLAT_1 ",\n" FLAT_2 "\n]\n");
}

static void
test_an_empty_array_is_an_array (void)
{
  g_autoptr (TallyBatch) batch = sample_batch ();

  tally_batch_clear (batch);
  g_autofree char *written = write_sample ((const char *[]) { "format", "array", NULL }, batch);
  assert_text (written, "[\n]\n");
}

static void
test_columns_with_dots_become_members (void)
{
  g_autoptr (TallyBatch) batch = sample_batch ();
  g_autofree char *written = write_sample ((const char *[]) { "nested", "true", NULL }, batch);

  assert_text (written, "{\"id\":-9223372036854775808,\"requester\":{\"email\":\"a\\\"b\\\\c\\n\\t\\u0001\xc3\xa9\","
                        "\"name\":{\"first\":\"x\"}},\"ratio\":0.1,\"exact\":1.500,\"open\":true,"
                        "\"tags\":[1, {\"a\": null}],\"at\":\"2020-01-02 03:04:05+00\",\"file\":\"\\\\x00ff\"}\n"
                        "{\"id\":2,\"requester\":{\"email\":\"\",\"name\":{\"first\":null}},\"ratio\":\"NaN\","
                        "\"exact\":\"-Infinity\",\"open\":false,\"tags\":\"x\",\"at\":\"infinity\",\"file\":\"\\\\x\"}\n");
}

static void
test_another_parser_reads_it (void)
{
  static const char *const forms[][5] = { { "format", "array", NULL }, { "format", "array", "nested", "true", NULL } };

  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    {
      g_autoptr (TallyBatch) batch = sample_batch ();
      g_autofree char *written = write_sample (forms[i], batch);
      json_object *parsed = json_tokener_parse (written);

      assert_true (json_object_is_type (parsed, json_type_array));
      assert_int (json_object_array_length (parsed), 2);
      json_object_put (parsed);
    }
}

static void
test_a_column_is_not_both_value_and_object (void)
{
  static const TallyColumn columns[] = { { "a", TALLY_TYPE_TEXT }, { "a.b", TALLY_TYPE_TEXT } };
  g_autoptr (TallySchema) schema = tally_schema_new (columns, 2);
  g_autoptr (Plug) plug = plug_new ("json", TALLY_SINK, "json");
  g_autoptr (GError) error = NULL;

  plug_set (plug, "path", "/nowhere/x.json");
  plug_set (plug, "nested", "true");
  plug_open (plug, schema, &error);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "\"a\" is a column, so \"a.b\" cannot be a member of it");
}

static const Promise promises[] = {
  { "writes lines", test_writes_lines },
  { "writes an array", test_writes_an_array },
  { "an empty array is an array", test_an_empty_array_is_an_array },
  { "columns with dots become members", test_columns_with_dots_become_members },
  { "another parser reads it", test_another_parser_reads_it },
  { "a column is not both value and object", test_a_column_is_not_both_value_and_object },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("json sink", promises, argc, argv);
}
