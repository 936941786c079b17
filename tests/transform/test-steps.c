/* test-steps.c: what each step does to rows, and to the columns */
#include "promise.h"
#include "record/batch-private.h"
#include "transform/step.h"
#include <string.h>

static const TallyColumn columns[]
    = { { "id", TALLY_TYPE_TEXT }, { "name", TALLY_TYPE_TEXT }, { "n", TALLY_TYPE_BIGINT } };

static const char *const values[][3] = {
  { "1", "ann", "10" },
  { "2", "bob", NULL },
  { "x", NULL, "30" },
  { "4", "dan", "40" },
};

static TallyBatch *
new_batch (TallySchema *schema)
{
  TallyBatch *batch = tally_batch_new (schema, 100);

  tally_batch_set_origin (batch, "t");
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      tally_batch_add_row (batch);
      tally_batch_set_row_number (batch, i, i + 1);
      for (guint j = 0; j < 3; j++)
        if (values[i][j] != NULL)
          tally_batch_set_from_text (batch, j, values[i][j], strlen (values[i][j]), NULL);
    }
  return batch;
}

static void
complaint_free (gpointer data)
{
  TallyStepComplaint *complaint = data;

  tally_complaint_free (complaint->complaint);
  g_free (complaint);
}

/* (transfer full): columns, rows, rejects, and how many were filtered, as one text. */
static char *
describe (TallyBatch *batch)
{
  TallySchema *schema = tally_batch_schema (batch);
  GString *out = g_string_new (NULL);
  const TallyReject *rejects;
  guint n_rejects;

  for (guint i = 0; i < tally_schema_n_columns (schema); i++)
    g_string_append_printf (out, "%s%s:%s", i > 0 ? " " : "", tally_schema_column (schema, i)->name,
                            tally_type_name (tally_schema_column (schema, i)->type));
  for (guint row = 0; row < tally_batch_n_rows (batch); row++)
    {
      g_string_append (out, "\n");
      for (guint i = 0; i < tally_schema_n_columns (schema); i++)
        {
          if (i > 0)
            g_string_append_c (out, '|');
          if (!tally_batch_is_null (batch, row, i))
            tally_batch_append_value (batch, row, i, out);
        }
    }
  rejects = tally_batch_rejects (batch, &n_rejects);
  for (guint i = 0; i < n_rejects; i++)
    g_string_append_printf (out, "\n%s %s: %s %s", rejects[i].origin, rejects[i].stage,
                            rejects[i].reason, rejects[i].record);
  if (tally_batch_n_filtered (batch) > 0)
    g_string_append_printf (out, "\n%" G_GUINT64_FORMAT " filtered",
                            tally_batch_n_filtered (batch));
  return g_string_free (out, FALSE);
}

static guint
count_rejects (TallyBatch *batch)
{
  guint n;

  tally_batch_rejects (batch, &n);
  return n;
}

typedef struct
{
  const char *label, *step;
  TallyStepArgument arguments[4];
  const char *expected;
} Row;

static void
run_rows (const Row *rows, guint n_rows)
{
  for (guint i = 0; i < n_rows; i++)
    {
      const TallyStepKind *kind = tally_step_find (rows[i].step);
      g_autoptr (TallySchema) schema = tally_schema_new (columns, 3);
      g_autoptr (TallyBatch) batch = new_batch (schema);
      g_autoptr (GPtrArray) complaints = g_ptr_array_new_with_free_func (complaint_free);
      g_autofree char *found = NULL;
      guint n = 0;

      while (n < 4 && rows[i].arguments[n].value != NULL)
        n++;
      g_autoptr (TallyStep) step = kind->build (rows[i].arguments, n, schema, complaints);
      if (step == NULL)
        {
          const TallyStepComplaint *complaint = complaints->pdata[0];

          found = g_strdup (complaint->complaint->message);
        }
      else
        {
          tally_batch_begin_stage (batch, tally_step_name (step));
          assert_row_int (rows[i].label, tally_step_open (step, NULL, NULL), TRUE);
          assert_row_int (rows[i].label, tally_step_apply (step, batch, NULL), TALLY_FLOW_OK);
          tally_batch_end_stage (batch);
          if (tally_step_holds_rows (step))
            {
              assert_row_int (rows[i].label, tally_batch_n_rows (batch), 0);
              assert_row_int (rows[i].label, tally_step_drain (step, batch, NULL), TALLY_FLOW_END);
              tally_batch_end_stage (batch);
              assert_row_int (rows[i].label, tally_step_n_held (step), 0);
            }
          assert_row_int (rows[i].label, tally_batch_schema (batch) == tally_step_schema (step),
                          TRUE);
          found = describe (batch);
        }
      assert_row_text (rows[i].label, found, rows[i].expected);
    }
}

static void
test_filter_keeps_what_is_true (void)
{
  static const Row rows[] = {
    { "NULL is not true",
      "filter",
      { { NULL, "n > 10" } },
      "id:text name:text n:bigint\nx||30\n4|dan|40\n2 filtered" },
    { "all",
      "filter",
      { { NULL, "true" } },
      "id:text name:text n:bigint\n1|ann|10\n2|bob|\nx||30\n4|dan|40" },
    { "none", "filter", { { NULL, "false" } }, "id:text name:text n:bigint\n4 filtered" },
    { "a row that cannot be judged is rejected",
      "filter",
      { { NULL, "id::bigint > 1" } },
      "id:text name:text n:bigint\n2|bob|\n4|dan|40\n"
      "t:3 filter: invalid input syntax for type bigint: \"x\" {\"id\":\"x\",\"name\":null,\"n\":30}\n1 filtered" },
  };

  run_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_set_sees_the_row_as_it_came (void)
{
  static const Row rows[] = {
    { "new column",
      "set",
      { { "m", "n + 1" } },
      "id:text name:text n:bigint m:bigint\n1|ann|10|11\n2|bob||\nx||30|31\n4|dan|40|41" },
    { "swapped",
      "set",
      { { "id", "name" }, { "name", "id" } },
      "id:text name:text n:bigint\nann|1|10\nbob|2|\n|x|30\ndan|4|40" },
    { "of another type, in its place",
      "set",
      { { "id", "n" } },
      "id:bigint name:text n:bigint\n10|ann|10\n|bob|\n30||30\n40|dan|40" },
    { "itself",
      "set",
      { { "name", "upper(name)" } },
      "id:text name:text n:bigint\n1|ANN|10\n2|BOB|\nx||30\n4|DAN|40" },
    { "a bad row is rejected as it came",
      "set",
      { { "name", "'z'" }, { "k", "id::bigint" } },
      "id:text name:text n:bigint k:bigint\n1|z|10|1\n2|z||2\n4|z|40|4\n"
      "t:3 set: invalid input syntax for type bigint: \"x\" {\"id\":\"x\",\"name\":null,\"n\":30}" },
    { "wrong", "set", { { "a", "nam" } }, "column \"nam\" does not exist" },
  };

  run_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_cast_rejects_what_has_no_such_form (void)
{
  static const Row rows[] = {
    { "text to bigint",
      "cast",
      { { "id", "bigint" } },
      "id:bigint name:text n:bigint\n1|ann|10\n2|bob|\n4|dan|40\n"
      "t:3 cast: invalid input syntax for type bigint: \"x\" {\"id\":\"x\",\"name\":null,\"n\":30}" },
    { "two at once, to text and back",
      "cast",
      { { "n", "text" }, { "name", "text" } },
      "id:text name:text n:text\n1|ann|10\n2|bob|\nx||30\n4|dan|40" },
    { "an expression for a type",
      "cast",
      { { "n", "text || name" } },
      "\"text || name\" is no type" },
    { "an unknown column", "cast", { { "nn", "text" } }, "column \"nn\" does not exist" },
  };

  run_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_keep_drop_and_rename_move_columns (void)
{
  static const Row rows[] = {
    { "in the list's order",
      "keep",
      { { NULL, "n" }, { NULL, "id" } },
      "n:bigint id:text\n10|1\n|2\n30|x\n40|4" },
    { "the rest", "drop", { { NULL, "id" }, { NULL, "n" } }, "name:text\nann\nbob\n\ndan" },
    { "new from old",
      "rename",
      { { "key", "id" } },
      "key:text name:text n:bigint\n1|ann|10\n2|bob|\nx||30\n4|dan|40" },
    { "two names swapped",
      "rename",
      { { "id", "name" }, { "name", "id" } },
      "name:text id:text n:bigint\n1|ann|10\n2|bob|\nx||30\n4|dan|40" },
    { "onto one that stays", "rename", { { "n", "id" } }, "there is a column \"n\" already" },
    { "two onto one",
      "rename",
      { { "a", "id" }, { "a", "name" } },
      "there is a column \"a\" already" },
    { "one onto two", "rename", { { "a", "id" }, { "b", "id" } }, "column \"id\" is named twice" },
    { "unknown", "keep", { { NULL, "idd" } }, "column \"idd\" does not exist" },
    { "twice", "drop", { { NULL, "id" }, { NULL, "id" } }, "column \"id\" is named twice" },
  };

  run_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_assert_rejects_with_its_message (void)
{
  static const Row rows[] = {
    { "false and NULL",
      "assert",
      { { "n > 10", "too small" } },
      "id:text name:text n:bigint\nx||30\n4|dan|40\n"
      "t:1 assert: too small {\"id\":\"1\",\"name\":\"ann\",\"n\":10}\n"
      "t:2 assert: too small {\"id\":\"2\",\"name\":\"bob\",\"n\":null}" },
    { "the first one counts",
      "assert",
      { { "n IS NOT NULL", "no n" }, { "n > 10", "small n" } },
      "id:text name:text n:bigint\nx||30\n4|dan|40\n"
      "t:2 assert: no n {\"id\":\"2\",\"name\":\"bob\",\"n\":null}\n"
      "t:1 assert: small n {\"id\":\"1\",\"name\":\"ann\",\"n\":10}" },
    { "not boolean",
      "assert",
      { { "n", "m" } },
      "a condition must be boolean, and this is bigint" },
  };

  run_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_sort_orders_as_order_by_does (void)
{
  static const Row rows[] = {
    { "NULL comes last",
      "sort",
      { { NULL, "n" } },
      "id:text name:text n:bigint\n1|ann|10\nx||30\n4|dan|40\n2|bob|" },
    { "descending it comes first",
      "sort",
      { { NULL, "n DESC" } },
      "id:text name:text n:bigint\n2|bob|\n4|dan|40\nx||30\n1|ann|10" },
    { "unless it is said where",
      "sort",
      { { NULL, "n desc  nulls Last" } },
      "id:text name:text n:bigint\n4|dan|40\nx||30\n1|ann|10\n2|bob|" },
    { "ascending, too",
      "sort",
      { { NULL, "name ASC NULLS FIRST" }, { NULL, "id" } },
      "id:text name:text n:bigint\nx||30\n1|ann|10\n2|bob|\n4|dan|40" },
    { "unknown", "sort", { { NULL, "idd DESC" } }, "column \"idd\" does not exist" },
    { "no order", "sort", { { NULL, "id DES" } }, "column \"id DES\" does not exist" },
    { "half an order", "sort", { { NULL, "id FIRST" } }, "column \"id FIRST\" does not exist" },
    { "twice", "sort", { { NULL, "id" }, { NULL, "id DESC" } }, "column \"id\" is named twice" },
    { "nothing", "sort", { { NULL, NULL } }, "\"sort\" names no column" },
  };

  run_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_group_makes_a_row_of_each_group (void)
{
  static const Row rows[] = {
    { "keys stand in order, NULL last",
      "group",
      { { "name", "name" }, { "rows", "count(*)" } },
      "name:text rows:bigint\nann|1\nbob|1\ndan|1\n|1" },
    { "a key may be worked out",
      "group",
      { { "big", "n > 20" }, { "rows", "count(*)" }, { "sum", "sum(n)" }, { "ids", "string_agg(id, '+')" } },
      "big:boolean rows:bigint sum:numeric ids:text\nf|1|10|1\nt|2|70|x+4\n|1||2\n1 filtered" },
    { "no keys, one row",
      "group",
      { { "least", "min(name)" }, { "ns", "jsonb_agg(n)" }, { "mean", "AVG ( n )" }, { "n", "count(n)" } },
      "least:text ns:jsonb mean:numeric n:bigint\nann|[10, null, 30, 40]|26.6666666666666667|3\n3 filtered" },
    { "no function, the keys that there are",
      "group",
      { { "one", "n IS NULL" } },
      "one:boolean\nf\nt\n2 filtered" },
    { "a row whose key cannot be worked out is rejected as it came",
      "group",
      { { "id", "id::bigint % 2" }, { "rows", "count(*)" } },
      "id:bigint rows:bigint\n0|2\n1|1\n"
      "t:3 group: invalid input syntax for type bigint: \"x\" {\"id\":\"x\",\"name\":null,\"n\":30}\n1 filtered" },
    { "a group whose value cannot be worked out is rejected with its first row's place",
      "group",
      { { "n", "n IS NOT NULL" }, { "big", "sum(n * '4e306'::double precision)" } },
      "n:boolean big:double precision\nf|\n"
      "t:1 group: column \"big\": value out of range: overflow {\"n\":true,\"big\":null}\n2 filtered" },
    { "too long a text",
      "group",
      { { "all", "string_agg(repeat('x', 8000000), '')" } },
      "all:text\nt:1 group: column \"all\": string_agg would be longer than 16777216 bytes {\"all\":null}\n3 filtered" },
    { "nothing", "group", { { NULL, NULL } }, "\"group\" makes no column" },
    { "DISTINCT", "group", { { "n", "count(DISTINCT id)" } }, "DISTINCT is not supported here" },
    { "of no such type", "group", { { "n", "sum(id)" } }, "function sum(text) does not exist" },
    { "of nothing", "group", { { "n", "sum()" } }, "sum() takes an argument, as in sum(x)" },
    { "of everything", "group", { { "n", "max(*)" } }, "only count takes all of a row" },
    { "in an expression", "group", { { "n", "sum(n) + 1" } }, "sum is a function over many rows; an expression sees one row" },
    { "in another one", "group", { { "n", "sum(max(n))" } }, "max is a function over many rows; an expression sees one row" },
    { "two at once", "group", { { "n", "max(n), min(n)" } }, "only one expression can stand here" },
    { "not closed", "group", { { "n", "max(n" } }, "syntax error at end of input" },
  };

  run_rows (rows, G_N_ELEMENTS (rows));
}

/* Without rows there is still one where there are no keys. */
static void
test_group_of_nothing (void)
{
  static const TallyStepArgument arguments[] = { { "rows", "count(*)" }, { "sum", "sum(n)" }, { "name", "name" } };

  for (guint n_arguments = 2; n_arguments <= 3; n_arguments++)
    {
      g_autoptr (TallySchema) schema = tally_schema_new (columns, 3);
      g_autoptr (GPtrArray) complaints = g_ptr_array_new_with_free_func (complaint_free);
      g_autoptr (TallyStep) step = tally_step_find ("group")->build (arguments, n_arguments, schema, complaints);
      g_autoptr (TallyBatch) batch = tally_batch_new (tally_step_schema (step), 10);
      g_autofree char *found = NULL;

      tally_step_open (step, NULL, NULL);
      assert_int (tally_step_drain (step, batch, NULL), TALLY_FLOW_END);
      found = describe (batch);
      assert_text (found, n_arguments == 2 ? "rows:bigint sum:numeric\n0|" : "rows:bigint sum:numeric name:text");
      assert_int (tally_batch_n_read (batch), 0);
      assert_int (tally_batch_n_added (batch), n_arguments == 2);
    }
}

/* Three batches of four rows go in, of two origins, and come out in two batches; then rows are held no more. */
static void
test_sort_gives_each_row_with_its_origin (void)
{
  const TallyStepArgument arguments[] = { { NULL, "name" }, { NULL, "id" } };
  g_autoptr (GPtrArray) complaints = g_ptr_array_new_with_free_func (complaint_free);
  g_autoptr (TallySchema) schema = tally_schema_new (columns, 3);
  g_autoptr (TallyStep) step = tally_step_find ("sort")->build (arguments, 2, schema, complaints);
  g_autoptr (GString) found = g_string_new (NULL);

  assert_true (tally_step_open (step, NULL, NULL));
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (TallyBatch) batch = new_batch (schema);

      tally_batch_set_origin (batch, i == 1 ? "u" : "t");
      assert_int (tally_step_apply (step, batch, NULL), TALLY_FLOW_OK);
      assert_int (tally_batch_n_rows (batch), 0);
      assert_int (tally_batch_n_filtered (batch), 0);
    }
  assert_int (tally_step_n_held (step), 12);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (TallyBatch) batch = tally_batch_new (schema, 7);

      assert_int (tally_step_drain (step, batch, NULL), i == 0 ? TALLY_FLOW_OK : TALLY_FLOW_END);
      assert_int (tally_batch_n_read (batch), 0);
      for (guint row = 0; row < tally_batch_n_rows (batch); row++)
        {
          g_autofree char *origin = tally_batch_dup_origin (batch, row);

          g_string_append_printf (found, "%s ", origin);
        }
      g_string_append (found, "; ");
    }
  assert_text (found->str, "t:1 u:1 t:1 t:2 u:2 t:2 t:4 ; u:4 t:4 t:3 u:3 t:3 ; ");
  assert_int (tally_step_n_held (step), 0);
}

/* A column's name may end in what looks like an order. */
static void
test_sort_takes_any_name (void)
{
  static const TallyColumn odd[] = { { "sort desc", TALLY_TYPE_TEXT }, { "a b", TALLY_TYPE_BIGINT } };
  const TallyStepArgument arguments[] = { { NULL, "sort desc" }, { NULL, "a b desc" } };
  g_autoptr (TallySchema) schema = tally_schema_new (odd, 2);
  g_autoptr (GPtrArray) complaints = g_ptr_array_new_with_free_func (complaint_free);
  g_autoptr (TallyStep) step = tally_step_find ("sort")->build (arguments, 2, schema, complaints);

  assert_int (complaints->len, 0);
  assert_true (step != NULL);
}

static void
test_limit_counts_over_batches (void)
{
  const TallyStepArgument argument = { NULL, "6" };
  g_autoptr (TallySchema) schema = tally_schema_new (columns, 3);
  g_autoptr (TallyStep) step = tally_step_find ("limit")->build (&argument, 1, schema, NULL);
  g_autoptr (TallyBatch) first = new_batch (schema);
  g_autoptr (TallyBatch) second = new_batch (schema);

  assert_true (tally_step_open (step, NULL, NULL));
  assert_int (tally_step_apply (step, first, NULL), TALLY_FLOW_OK);
  assert_int (tally_batch_n_rows (first), 4);
  assert_int (tally_step_apply (step, second, NULL), TALLY_FLOW_END);
  assert_int (tally_batch_n_rows (second), 2);
  assert_int (tally_batch_n_filtered (second), 2);
}

/* How many of n_rows rows pass in batches of capacity rows, and the sum of their numbers. */
static void
count_sampled (const char *wish, guint n_rows, guint capacity, guint *ret_n, guint64 *ret_sum)
{
  const TallyStepArgument argument = { NULL, wish };
  g_autoptr (TallySchema) schema = tally_schema_new (columns, 3);
  g_autoptr (TallyBatch) batch = tally_batch_new (schema, capacity);
  g_autoptr (TallyStep) step = tally_step_find ("sample")->build (&argument, 1, schema, NULL);

  *ret_n = 0;
  *ret_sum = 0;
  for (guint done = 0; done < n_rows;)
    {
      tally_batch_clear (batch);
      for (; done < n_rows && tally_batch_n_rows (batch) < capacity; done++)
        {
          tally_batch_set_row_number (batch, tally_batch_add_row (batch), done + 1);
          tally_batch_set_text (batch, 1, "the same", 8);
        }
      assert_int (tally_step_apply (step, batch, NULL), TALLY_FLOW_OK);
      *ret_n += tally_batch_n_rows (batch);
      for (guint row = 0; row < tally_batch_n_rows (batch); row++)
        *ret_sum += tally_batch_row_number (batch, row);
    }
}

static void
test_sample_passes_a_share_whatever_the_batches_size (void)
{
  static const struct
  {
    const char *wish;
    guint least, most; /* of 10000 rows: five standard deviations on each side */
  } rows[] = {
    { "1%", 50, 150 }, { "0.5% seed 3", 15, 85 }, { "50 % seed 7", 4750, 5250 }, { "100%", 10000, 10000 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      guint n, n_again;
      guint64 sum, sum_again;

      count_sampled (rows[i].wish, 10000, 1000, &n, &sum);
      count_sampled (rows[i].wish, 10000, 7, &n_again, &sum_again);
      assert_row_int (rows[i].wish, n >= rows[i].least && n <= rows[i].most, TRUE);
      assert_row_int (rows[i].wish, n_again, n);
      assert_row_int (rows[i].wish, sum_again == sum, TRUE);
    }
}

static void
test_sample_chooses_others_with_another_seed (void)
{
  guint n, n_other;
  guint64 sum, sum_other;

  count_sampled ("10% seed 1", 1000, 100, &n, &sum);
  count_sampled ("10% seed 2", 1000, 100, &n_other, &sum_other);
  assert_true (sum != sum_other);
}

static void
test_sample_takes_a_share (void)
{
  static const Row rows[] = {
    { "no share", "sample", { { NULL, "10" } }, "\"sample\" takes a share of the rows, not \"10\"" },
    { "nothing", "sample", { { NULL, "0%" } }, "\"sample\" takes a share of the rows, not \"0%\"" },
    { "too much", "sample", { { NULL, "101%" } }, "\"sample\" takes a share of the rows, not \"101%\"" },
    { "no number", "sample", { { NULL, "nan%" } }, "\"sample\" takes a share of the rows, not \"nan%\"" },
    { "half a seed", "sample", { { NULL, "1% seed" } }, "\"sample\" takes a share of the rows, not \"1% seed\"" },
    { "no seed", "sample", { { NULL, "1% seed -1" } }, "\"sample\" takes a share of the rows, not \"1% seed -1\"" },
  };

  run_rows (rows, G_N_ELEMENTS (rows));
}

/* Unnests the jsonb values, where an empty text is NULL, of a batch with no room to spare. */
static char *
unnest (const char *const *jsons, guint n_rows)
{
  static const TallyColumn nested[] = { { "id", TALLY_TYPE_TEXT }, { "part", TALLY_TYPE_JSONB } };
  const TallyStepArgument argument = { NULL, "part" };
  g_autoptr (TallySchema) schema = tally_schema_new (nested, 2);
  g_autoptr (TallyBatch) batch = tally_batch_new (schema, n_rows);
  g_autoptr (TallyStep) step = tally_step_find ("unnest")->build (&argument, 1, schema, NULL);
  g_autoptr (GError) error = NULL;

  tally_batch_set_origin (batch, "t");
  for (guint i = 0; i < n_rows; i++)
    {
      g_autofree char *id = g_strdup_printf ("%c", 'a' + i);

      tally_batch_set_row_number (batch, tally_batch_add_row (batch), i + 1);
      tally_batch_set_text (batch, 0, id, 1);
      if (*jsons[i] != '\0')
        assert_true (tally_batch_set_from_text (batch, 1, jsons[i], strlen (jsons[i]), NULL));
    }
  if (tally_step_apply (step, batch, &error) != TALLY_FLOW_OK)
    return g_strdup (error->message);

  tally_batch_end_stage (batch);
  for (guint row = 0; row < tally_batch_n_rows (batch); row++)
    {
      g_autofree char *id = tally_text_dup (tally_batch_get_text (batch, row, 0));

      assert_row_int (id, tally_batch_row_number (batch, row), *id - 'a' + 1);
    }
  assert_int (tally_batch_n_read (batch) + tally_batch_n_added (batch),
              tally_batch_n_rows (batch) + tally_batch_n_filtered (batch) + count_rejects (batch));
  return describe (batch);
}

static void
test_unnest_makes_a_row_of_each_element (void)
{
  static const struct
  {
    const char *label, *jsons[3];
    guint n_rows;
    const char *expected;
  } rows[] = {
    { "more rows than the batch had room for",
      { "[1, {\"b\": []}, null]", "[\"x\"]", "[2.50, 2]" }, 3,
      "id:text part:jsonb\na|1\na|{\"b\": []}\na|null\nb|\"x\"\nc|2.50\nc|2" },
    { "no elements, no row", { "[]", "[[]]", "" }, 3, "id:text part:jsonb\nb|[]\n2 filtered" },
    { "what is no array is rejected", { "{}", "null", "[1]" }, 3,
      "id:text part:jsonb\nc|1\n"
      "t:1 source: \"part\" is no array, its type is object {\"id\":\"a\",\"part\":{}}\n"
      "t:2 source: \"part\" is no array, its type is null {\"id\":\"b\",\"part\":null}" },
    { "no rows at all", { NULL }, 0, "id:text part:jsonb" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *found = unnest (rows[i].jsons, rows[i].n_rows);

      assert_row_text (rows[i].label, found, rows[i].expected);
    }
}

static char *
array_of (guint n)
{
  GString *json = g_string_new ("[");

  for (guint i = 0; i < n; i++)
    g_string_append (json, i == 0 ? "1" : ", 1");
  g_string_append_c (json, ']');
  return g_string_free (json, FALSE);
}

static void
test_unnest_is_bounded (void)
{
  g_autofree char *most = array_of (65536), *too_many = array_of (65537);
  const char *const one[] = { too_many }, *const all[] = { most, most, most, most, "[1]" };
  g_autofree char *rejected = unnest (one, 1), *fits = unnest (all, 4), *over = unnest (all, 5);

  assert_contains (rejected, "t:1 source: \"part\" has more than 65536 elements");
  assert_int (strlen (fits), strlen ("id:text part:jsonb") + 4 * 65536 * strlen ("\na|1"));
  assert_text (over, "more than 262144 rows would be made of the 5 rows of one batch: run it with fewer rows a batch, "
                     "as with --batch-rows 4");
}

static void
test_unnest_takes_an_array (void)
{
  static const Row rows[] = {
    { "text", "unnest", { { NULL, "name" } }, "\"unnest\" takes a column of type jsonb, and this is text" },
    { "unknown", "unnest", { { NULL, "nam" } }, "column \"nam\" does not exist" },
  };

  run_rows (rows, G_N_ELEMENTS (rows));
}

/* The rows of two batches of values that pass `distinct` on both columns, as their numbers. */
static char *
distinct (TallyType type, const char *const *first, const char *const *second)
{
  const TallyColumn both[] = { { "a", type }, { "b", TALLY_TYPE_TEXT } };
  const TallyStepArgument arguments[] = { { NULL, "b" }, { NULL, "a" } };
  const char *const *batches[] = { first, second };
  g_autoptr (TallySchema) schema = tally_schema_new (both, 2);
  g_autoptr (GPtrArray) complaints = g_ptr_array_new_with_free_func (complaint_free);
  g_autoptr (TallyStep) step = tally_step_find ("distinct")->build (arguments, 2, schema, complaints);
  GString *passed = g_string_new (NULL);
  guint number = 0;

  assert_true (tally_step_open (step, NULL, NULL));
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (TallyBatch) batch = tally_batch_new (schema, 10);

      for (const char *const *value = batches[i]; *value != NULL; value++)
        {
          tally_batch_set_row_number (batch, tally_batch_add_row (batch), ++number);
          if (**value != '\0')
            assert_true (tally_batch_set_from_text (batch, 0, *value, strlen (*value), NULL));
        }
      assert_int (tally_step_apply (step, batch, NULL), TALLY_FLOW_OK);
      for (guint row = 0; row < tally_batch_n_rows (batch); row++)
        g_string_append_printf (passed, "%u ", (guint)tally_batch_row_number (batch, row));
    }
  tally_step_close (step);
  return g_string_free (passed, FALSE);
}

static void
test_distinct_passes_the_first_of_equals (void)
{
  static const struct
  {
    const char *label;
    TallyType type;
    const char *first[5], *second[5], *expected;
  } rows[] = {
    { "text, and NULL once", TALLY_TYPE_TEXT, { "x", "", "y", "x" }, { "y", "", "z" }, "1 2 3 7 " },
    { "numeric by value", TALLY_TYPE_NUMERIC, { "1.0", "1.00", "1.001" }, { "1" }, "1 3 " },
    { "zero has no sign", TALLY_TYPE_DOUBLE, { "-0" }, { "0", "1" }, "1 3 " },
    { "jsonb by value", TALLY_TYPE_JSONB, { "{\"b\": 1.0, \"a\": 2}" }, { "{\"a\": 2.0, \"b\": 1}", "{}" }, "1 3 " },
    { "nothing", TALLY_TYPE_TEXT, { NULL }, { NULL }, "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *passed = distinct (rows[i].type, rows[i].first, rows[i].second);

      assert_row_text (rows[i].label, passed, rows[i].expected);
    }
}

static void
test_distinct_counts_and_complains (void)
{
  static const Row rows[] = {
    { "one column", "distinct", { { NULL, "name" } }, "id:text name:text n:bigint\n1|ann|10\n2|bob|\nx||30\n4|dan|40" },
    { "unknown", "distinct", { { NULL, "nam" } }, "column \"nam\" does not exist" },
    { "twice", "distinct", { { NULL, "n" }, { NULL, "n" } }, "column \"n\" is named twice" },
    { "no column", "distinct", { { NULL, NULL } }, "\"distinct\" names no column" },
  };

  run_rows (rows, G_N_ELEMENTS (rows));
}

static void
test_takes_an_empty_batch (void)
{
  static const struct
  {
    const char *step;
    TallyStepArgument argument;
  } rows[] = {
    { "filter", { NULL, "n > 1" } }, { "set", { "a", "n + 1" } }, { "rename", { "a", "n" } },
    { "keep", { NULL, "n" } },       { "drop", { NULL, "n" } },   { "cast", { "n", "text" } },
    { "assert", { "n > 1", "m" } },  { "limit", { NULL, "1" } },
    { "sample", { NULL, "1%" } }, { "distinct", { NULL, "id" } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (TallySchema) schema = tally_schema_new (columns, 3);
      g_autoptr (TallyBatch) batch = tally_batch_new (schema, 10);
      g_autoptr (GPtrArray) complaints = g_ptr_array_new_with_free_func (complaint_free);
      g_autoptr (TallyStep) step
          = tally_step_find (rows[i].step)->build (&rows[i].argument, 1, schema, complaints);

      assert_row_int (rows[i].step, step != NULL && tally_step_open (step, NULL, NULL), TRUE);
      assert_row_int (rows[i].step, tally_step_apply (step, batch, NULL), TALLY_FLOW_OK);
      assert_row_int (rows[i].step, tally_batch_n_rows (batch), 0);
    }
}

static void
test_tells_what_changes_with_each_run (void)
{
  const TallyStepArgument arguments[] = { { "a", "now()" }, { "b", "n" } };
  g_autoptr (TallySchema) schema = tally_schema_new (columns, 3);
  g_autoptr (GPtrArray) complaints = g_ptr_array_new_with_free_func (complaint_free);
  g_autoptr (TallyStep) step = tally_step_find ("set")->build (arguments, 2, schema, complaints);

  assert_int (tally_step_warnings (step)->len, 1);
  assert_text (tally_step_warnings (step)->pdata[0], "\"a\" gets another value with each run");
}

static const Promise promises[] = {
  { "filter keeps what is true", test_filter_keeps_what_is_true },
  { "set sees the row as it came", test_set_sees_the_row_as_it_came },
  { "cast rejects what has no such form", test_cast_rejects_what_has_no_such_form },
  { "keep, drop and rename move columns", test_keep_drop_and_rename_move_columns },
  { "assert rejects with its message", test_assert_rejects_with_its_message },
  { "sort orders as ORDER BY does", test_sort_orders_as_order_by_does },
  { "sort gives each row with its origin", test_sort_gives_each_row_with_its_origin },
  { "sort takes any name", test_sort_takes_any_name },
  { "group makes a row of each group", test_group_makes_a_row_of_each_group },
  { "group of nothing", test_group_of_nothing },
  { "limit counts over batches", test_limit_counts_over_batches },
  { "sample passes a share whatever the batches' size", test_sample_passes_a_share_whatever_the_batches_size },
  { "sample chooses others with another seed", test_sample_chooses_others_with_another_seed },
  { "sample takes a share", test_sample_takes_a_share },
  { "unnest makes a row of each element", test_unnest_makes_a_row_of_each_element },
  { "unnest is bounded", test_unnest_is_bounded },
  { "unnest takes an array", test_unnest_takes_an_array },
  { "distinct passes the first of equals", test_distinct_passes_the_first_of_equals },
  { "distinct counts and complains", test_distinct_counts_and_complains },
  { "takes an empty batch", test_takes_an_empty_batch },
  { "tells what changes with each run", test_tells_what_changes_with_each_run },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("steps", promises, argc, argv);
}
