/* test-lookup.c: what a lookup finds, and what becomes of rows for which it finds none or several */
#include "promise.h"
#include "record/batch-private.h"
#include "transform/lookup.h"
#include <string.h>
#include <tallyman/plugin.h>

/* The rows that come: id numeric, name text. */
static const TallyColumn ours[] = { { "id", TALLY_TYPE_NUMERIC }, { "name", TALLY_TYPE_TEXT } };
static const char *const our_rows[][3] = { { "1.0", "a" }, { "2", "b" }, { "3", NULL }, { NULL, "d" } };

/* Those to look up. */
static const TallyColumn theirs[] = { { "key", TALLY_TYPE_NUMERIC }, { "text", TALLY_TYPE_TEXT }, { "n", TALLY_TYPE_BIGINT } };
static const char *const their_rows[][3] = {
  { "2.00", "second", "20" }, { "1", "x", "9" }, { NULL, "nobody's", "1" }, { "2", NULL, "10" }, { "7", "unused", NULL },
};

static TallyBatch *
new_batch (const TallyColumn *columns, guint n_columns, const char *const (*values)[3], guint n_rows)
{
  g_autoptr (TallySchema) schema = tally_schema_new (columns, n_columns);
  TallyBatch *batch = tally_batch_new (schema, n_rows);

  tally_batch_set_origin (batch, "t");
  for (guint i = 0; i < n_rows; i++)
    {
      tally_batch_add_row (batch);
      tally_batch_set_row_number (batch, i, i + 1);
      for (guint j = 0; j < n_columns; j++)
        if (values[i][j] != NULL)
          tally_batch_set_from_text (batch, j, values[i][j], strlen (values[i][j]), NULL);
    }
  return batch;
}

static void
append_row (const TallyBatch *batch, guint row, GString *out)
{
  for (guint i = 0; i < tally_schema_n_columns (tally_batch_schema (batch)); i++)
    {
      g_string_append (out, i > 0 ? "|" : "\n");
      if (!tally_batch_is_null (batch, row, i))
        tally_batch_append_value (batch, row, i, out);
    }
}

/* Columns, rows, rejects, and how many were filtered. */
static char *
describe (const TallyBatch *batch)
{
  TallySchema *schema = tally_batch_schema (batch);
  GString *out = g_string_new (NULL);
  const TallyReject *rejects;
  guint n_rejects;

  for (guint i = 0; i < tally_schema_n_columns (schema); i++)
    g_string_append_printf (out, "%s%s", i > 0 ? " " : "", tally_schema_column (schema, i)->name);
  for (guint row = 0; row < tally_batch_n_rows (batch); row++)
    append_row (batch, row, out);
  rejects = tally_batch_rejects (batch, &n_rejects);
  for (guint i = 0; i < n_rejects; i++)
    g_string_append_printf (out, "\n%s: %s %s", rejects[i].origin, rejects[i].reason, rejects[i].record);
  if (tally_batch_n_filtered (batch) > 0)
    g_string_append_printf (out, "\n%" G_GUINT64_FORMAT " filtered", tally_batch_n_filtered (batch));
  return g_string_free (out, FALSE);
}

/* A source that is never opened: its rows are given. */
static TallySchema *
never_describe (gpointer self, TallyContext *ctx, GError **error)
{
  return NULL;
}

static const TallyPlugin never = { TALLY_PLUGIN_INIT, .kind = TALLY_SOURCE, .name = "never", .describe = never_describe };

typedef struct
{
  TallyInstance *source; /* (owned) */
  TallyStep *step;       /* (owned) */
} World;

/* The step with rows of the other side, ready to work.  arguments: `match` first, then columns, collect and order as n says. */
static void
world_init (World *world, const TallyStepArgument *arguments, const guint n[4], TallyLookupOptions options, TallyBatch *rows)
{
  g_autoptr (GPtrArray) complaints = g_ptr_array_new ();
  g_autoptr (TallySchema) schema = tally_schema_new (ours, 2);
  TallyLookupWish wish = { .arguments = arguments,
                           .match = { 0, n[0] },
                           .columns = { n[0], n[1] },
                           .collect = { n[0] + n[1], n[2] },
                           .order = { n[0] + n[1] + n[2], n[3] },
                           .options = options };
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) rejects = g_array_new (FALSE, FALSE, sizeof (TallyReject));
  GPtrArray *steps = g_ptr_array_new_with_free_func ((GDestroyNotify)tally_step_free);
  TallyFlow flow = TALLY_FLOW_OK;

  world->source = tally_instance_new (&never);
  world->step = tally_step_new_lookup (tally_lookup_side_new (world->source, tally_batch_schema (rows), steps), &wish, schema,
                                       complaints);
  assert_int (complaints->len, 0);
  tally_lookup_side_give (tally_step_lookup_side (world->step), rows);
  assert_true (tally_step_open (world->step, NULL, &error));
  assert_no_error (error);
  while (flow == TALLY_FLOW_OK)
    flow = tally_step_prepare (world->step, NULL, rejects, &error);
  assert_int (flow, TALLY_FLOW_END);
  assert_no_error (error);
}

static void
world_clear (World *world)
{
  tally_step_close (world->step);
  tally_step_free (world->step);
  tally_instance_free (world->source);
}

static TallyFlow
world_apply (World *world, TallyBatch *batch, GError **error)
{
  TallyFlow flow;

  tally_batch_begin_stage (batch, "lookup");
  flow = tally_step_apply (world->step, batch, error);
  tally_batch_end_stage (batch);
  return flow;
}

typedef struct
{
  const char *label;
  TallyStepArgument arguments[4];
  guint n[4]; /* of match, columns, collect, order */
  TallyLookupOptions options;
  const char *expected;
} Row;

#define KEY { "key", "id" }

static const Row rows[] = {
  { "several are rejected", { KEY }, { 1 }, { 0 },
    "id name text n\n1.0|a|x|9\n3|||\n|d||\n"
    "t:2: there is more than one row to look up with \"key\" 2 {\"id\":2,\"name\":\"b\"}" },
  { "the first of several", { KEY, { NULL, "n" } }, { 1, 1 }, { .many = TALLY_LOOKUP_MANY_FIRST },
    "id name n\n1.0|a|9\n2|b|20\n3||\n|d|" },
  { "the first by order", { KEY, { "m", "n" }, { NULL, "n" } }, { 1, 1, 0, 1 }, { .many = TALLY_LOOKUP_MANY_FIRST },
    "id name m\n1.0|a|9\n2|b|10\n3||\n|d|" },
  { "none is a reject", { KEY, { NULL, "n" } }, { 1, 1 },
    { .many = TALLY_LOOKUP_MANY_FIRST, .missing = TALLY_LOOKUP_MISSING_REJECT },
    "id name n\n1.0|a|9\n2|b|20\n"
    "t:3: there is no row to look up with \"key\" 3 {\"id\":3,\"name\":null}\n"
    "t:4: there is no row to look up with \"key\" NULL {\"id\":null,\"name\":\"d\"}" },
  { "none is dropped", { KEY, { NULL, "n" } }, { 1, 1 },
    { .many = TALLY_LOOKUP_MANY_FIRST, .missing = TALLY_LOOKUP_MISSING_DROP },
    "id name n\n1.0|a|9\n2|b|20\n2 filtered" },
  { "collected as they came", { KEY, { NULL, "all" } }, { 1, 0, 1 }, { 0 },
    "id name all\n1.0|a|[{\"n\": 9, \"text\": \"x\"}]\n2|b|[{\"n\": 20, \"text\": \"second\"}, {\"n\": 10, \"text\": null}]\n"
    "3||[]\n|d|[]" },
  { "collected in order", { KEY, { "number", "n" }, { NULL, "all" }, { NULL, "n ASC" } }, { 1, 1, 1, 1 }, { 0 },
    "id name all\n1.0|a|[{\"number\": 9}]\n2|b|[{\"number\": 10}, {\"number\": 20}]\n3||[]\n|d|[]" },
  { "in an order with NULLs", { KEY, { NULL, "n" }, { NULL, "all" }, { NULL, "text desc nulls last" } }, { 1, 1, 1, 1 }, { 0 },
    "id name all\n1.0|a|[{\"n\": 9}]\n2|b|[{\"n\": 20}, {\"n\": 10}]\n3||[]\n|d|[]" },
  { "NULLs first where it descends", { KEY, { NULL, "n" }, { NULL, "all" }, { NULL, "text DESC" } }, { 1, 1, 1, 1 }, { 0 },
    "id name all\n1.0|a|[{\"n\": 9}]\n2|b|[{\"n\": 10}, {\"n\": 20}]\n3||[]\n|d|[]" },
  { "by two columns", { KEY, { "text", "CASE name WHEN 'a' THEN 'x' ELSE 'second' END" }, { NULL, "all" } }, { 2, 0, 1 }, { 0 },
    "id name all\n1.0|a|[{\"n\": 9}]\n2|b|[{\"n\": 20}]\n3||[]\n|d|[]" },
  { "numbers of two types, theirs narrower", { { "n", "id * 10" }, { NULL, "all" }, }, { 1, 0, 1 }, { 0 },
    "id name all\n1.0|a|[{\"key\": 2, \"text\": null}]\n2|b|[{\"key\": 2.00, \"text\": \"second\"}]\n3||[]\n|d|[]" },
  { "numbers of two types, theirs wider", { { "key", "(id * 1)::bigint -- no fraction" }, { NULL, "n" } }, { 1, 1 },
    { .many = TALLY_LOOKUP_MANY_FIRST }, "id name n\n1.0|a|9\n2|b|20\n3||\n|d|" },
  { "a row that has no key is rejected", { { "n", "9 / (id - 2)::bigint + length(name)" }, { NULL, "all" } }, { 1, 0, 1 }, { 0 },
    "id name all\n1.0|a|[]\n3||[]\n|d|[]\nt:2: division by zero {\"id\":2,\"name\":\"b\"}" },
};

static void
test_finds_what_is_equal (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (TallyBatch) batch = new_batch (ours, 2, our_rows, G_N_ELEMENTS (our_rows));
      g_autofree char *found = NULL;
      TallyLookupOptions options = rows[i].options;
      World world;

      options.memory = 1024 * 1024;
      world_init (&world, rows[i].arguments, rows[i].n, options, new_batch (theirs, 3, their_rows, G_N_ELEMENTS (their_rows)));
      assert_row_int (rows[i].label, world_apply (&world, batch, NULL), TALLY_FLOW_OK);
      world_clear (&world);
      /* What was found stays with the batch when the step has gone. */
      found = describe (batch);
      assert_row_text (rows[i].label, found, rows[i].expected);
    }
}

/* n rows of key 1, each with a text of so many bytes. */
static TallyBatch *
many_rows (guint n, gsize length)
{
  g_autoptr (TallySchema) schema = tally_schema_new (theirs, 3);
  g_autofree char *text = g_strnfill (length, 'x');
  TallyBatch *batch = tally_batch_new (schema, n);

  for (guint i = 0; i < n; i++)
    {
      tally_batch_add_row (batch);
      tally_batch_set_text (batch, 0, "1", 1);
      tally_batch_set_text (batch, 1, text, length);
    }
  return batch;
}

static void
test_an_array_has_its_limits (void)
{
  static const TallyStepArgument arguments[] = { KEY, { NULL, "all" } };
  static const guint n[4] = { 1, 0, 1 };
  static const struct
  {
    const char *label;
    guint n;
    gsize length;
    const char *expected;
  } cases[] = {
    { "as many as may be", 65536, 1, NULL },
    { "one more", 65537, 1, "more than 65,536 rows would be collected for \"key\" 1.0" },
    { "too much", 17, 1024 * 1024, "more than 16 MiB would be collected for \"key\" 1.0" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TallyBatch) batch = new_batch (ours, 2, our_rows, 1);
      const TallyReject *rejects;
      guint n_rejects;
      World world;

      world_init (&world, arguments, n, (TallyLookupOptions){ .memory = 256 * 1024 * 1024 },
                  many_rows (cases[i].n, cases[i].length));
      assert_row_int (cases[i].label, world_apply (&world, batch, NULL), TALLY_FLOW_OK);
      world_clear (&world);
      rejects = tally_batch_rejects (batch, &n_rejects);
      assert_row_int (cases[i].label, n_rejects, cases[i].expected != NULL);
      if (n_rejects == 1)
        assert_row_text (cases[i].label, rejects[0].reason, cases[i].expected);
    }
}

static void
test_the_arrays_of_a_batch_have_a_limit (void)
{
  static const TallyStepArgument arguments[] = { KEY, { NULL, "all" } };
  static const guint n[4] = { 1, 0, 1 };
  static const char *const same[32][3] = {
    { "1" }, { "1" }, { "1" }, { "1" }, { "1" }, { "1" }, { "1" }, { "1" }, { "1" }, { "1" }, { "1" },
    { "1" }, { "1" }, { "1" }, { "1" }, { "1" }, { "1" }, { "1" }, { "1" }, { "1" }, { "1" }, { "1" },
    { "1" }, { "1" }, { "1" }, { "1" }, { "1" }, { "1" }, { "1" }, { "1" }, { "1" }, { "1" },
  };
  g_autoptr (TallyBatch) batch = new_batch (ours, 2, same, 32);
  g_autoptr (GError) error = NULL;
  World world;

  world_init (&world, arguments, n, (TallyLookupOptions){ .memory = 256 * 1024 * 1024 }, many_rows (10, 1024 * 1024));
  assert_int (world_apply (&world, batch, &error), TALLY_FLOW_FATAL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LIMIT, "as with --batch-rows 8");
  world_clear (&world);
}

static const Promise promises[] = {
  { "finds what is equal", test_finds_what_is_equal },
  { "an array has its limits", test_an_array_has_its_limits },
  { "the arrays of a batch have a limit", test_the_arrays_of_a_batch_have_a_limit },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("lookup", promises, argc, argv);
}
