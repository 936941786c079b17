/* test-group.c: functions over many rows beside a real PostgreSQL 15
 *
 * Each is asked about windows of a list of values that are trouble: alone, two by two, more at once, all, and none at all.
 */
#include "promise.h"
#include "record/batch-private.h"
#include "transform/row-image.h"
#include "transform/step.h"
#include "../record/literals.h"
#include "../record/oracle.h"
#include <cluster.h>
#include <string.h>

static const char *const none[] = { NULL };
static const char *const small_doubles[] = { "0.1", "0.2", "-0", "0", "1e200", "-1e200", "1e15", "3", "NaN", "1", "-inf", "inf", "1e308", "1e308", NULL };
static const char *const small_numerics[] = { "1.0", "1.00", "2", "-0.333", "1e20", "7", "1e-20", "NaN", "inf", "-inf", "3.14159", NULL };
static const char *const bigints[] = { "9223372036854775807", "9223372036854775807", "1", "-5", "0", "2", "7", NULL };
static const char *const spans[] = { "1 mon", "30 days", "2 days 03:04:05.678", "-1 year", "2147483647 mons", "1 mon", "00:00:00.000001", NULL };
static const char *const words[] = { "b", "a", "", "ä", "it's", "B", "a b", NULL };
static const char *const truths[] = { "t", "f", "t", "t", NULL };
static const char *const moments[] = { "2024-02-29 12:00:00.5", "infinity", "1999-12-31", "2024-02-29", "-infinity", NULL };

static const struct
{
  TallyType type;
  const char *functions[8];
  const char *const *lists[2];
} askings[] = {
  { TALLY_TYPE_BIGINT, { "count", "sum", "avg", "min", "max", "jsonb_agg" }, { bigints, bigint_literals } },
  { TALLY_TYPE_NUMERIC, { "count", "sum", "avg", "min", "max", "jsonb_agg" }, { small_numerics, numeric_literals } },
  { TALLY_TYPE_DOUBLE, { "count", "sum", "avg", "min", "max" }, { small_doubles, double_literals } },
  { TALLY_TYPE_INTERVAL, { "sum", "avg", "min", "max", "jsonb_agg" }, { spans, none } },
  { TALLY_TYPE_TEXT, { "count", "min", "max", "jsonb_agg" }, { words, none } },
  { TALLY_TYPE_BOOLEAN, { "count", "bool_and", "bool_or", "every", "jsonb_agg" }, { truths, none } },
  { TALLY_TYPE_DATE, { "min", "max", "jsonb_agg" }, { moments, none } },
  { TALLY_TYPE_TIMESTAMP, { "min", "max", "jsonb_agg" }, { moments, none } },
  { TALLY_TYPE_TIMESTAMPTZ, { "min", "max" }, { moments, none } },
  { TALLY_TYPE_JSONB, { "count", "jsonb_agg" }, { jsonb_literals, none } },
};

static gboolean
is_skipped (void)
{
  if (cluster_is_available ())
    return FALSE;
  skip_promise ("no PostgreSQL server is installed");
  return TRUE;
}

static TallySchema *
schema_of (TallyType type)
{
  const TallyColumn columns[] = { { "i", TALLY_TYPE_BIGINT }, { "v", type } };

  return tally_schema_new (columns, 2);
}

/* Those of the lists that are values, with a NULL after every fourth. */
static TallyBatch *
values_of (TallyType type, const char *const *const *lists)
{
  g_autoptr (TallySchema) schema = schema_of (type);
  TallyBatch *batch = tally_batch_new (schema, 1000);
  guint n = 0;

  for (guint i = 0; i < 2; i++)
    for (const char *const *literal = lists[i]; *literal != NULL; literal++)
      {
        tally_batch_add_row (batch);
        tally_batch_set_int (batch, 0, n);
        if (!tally_batch_set_from_text (batch, 1, *literal, strlen (*literal), NULL))
          tally_batch_undo_row (batch);
        else if (++n % 4 == 0)
          {
            tally_batch_add_row (batch);
            tally_batch_set_int (batch, 0, n++);
          }
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

/* The value that the step gives, or an error's message after an exclamation mark; NULL for SQL's. */
static char *
value_or_error (const TallyBatch *out)
{
  guint n_rejects;
  const TallyReject *rejects = tally_batch_rejects (out, &n_rejects);
  GString *text;

  if (n_rejects > 0)
    return g_strconcat ("! ", rejects[0].reason + strlen ("column \"out\": "), NULL);
  assert_int (tally_batch_n_rows (out), 1);
  if (tally_batch_is_null (out, 0, 0))
    return NULL;
  text = g_string_new (NULL);
  tally_batch_append_value (out, 0, 0, text);
  return g_string_free (text, FALSE);
}

/* What call gives for n rows of values from first on. */
static char *
our_answer (const char *call, const TallyBatch *values, guint first, guint n)
{
  const TallyStepArgument argument = { "out", call };
  TallySchema *schema = tally_batch_schema (values);
  g_autoptr (GPtrArray) complaints = g_ptr_array_new_with_free_func (complaint_free);
  g_autoptr (TallyStep) step = tally_step_find ("group")->build (&argument, 1, schema, complaints);
  g_autoptr (TallyBatch) batch = tally_batch_new (schema, MAX (n, 1)), out = NULL;
  g_autoptr (GError) error = NULL;
  const gint both[] = { 0, 1 };

  if (!assert_row_int (call, complaints->len, 0))
    return NULL;
  for (guint i = first; i < first + n; i++)
    {
      g_autoptr (GByteArray) row = g_byte_array_new ();

      tally_row_image_append (values, i, both, 2, /* with_origin= */ FALSE, row);
      assert_true (tally_row_image_read (row->data, row->len, batch, tally_batch_add_row (batch), both, 2,
                                         /* with_origin= */ FALSE, NULL));
    }
  tally_step_open (step, NULL, NULL);
  assert_int (tally_step_apply (step, batch, &error), TALLY_FLOW_OK);
  out = tally_batch_new (tally_step_schema (step), 10);
  assert_int (tally_step_drain (step, out, &error), TALLY_FLOW_END);
  assert_no_error (error);
  tally_batch_end_stage (out);
  return value_or_error (out);
}

static void
append_literal (const TallyBatch *values, guint row, GString *out)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (tally_batch_is_null (values, row, 1))
    {
      g_string_append (out, "NULL");
      return;
    }
  tally_batch_append_value (values, row, 1, text);
  g_string_replace (text, "'", "''", 0);
  g_string_append_printf (out, "'%s'", text->str);
}

/* call: with the order in which rows come, which the server does not promise otherwise. */
static void
ask (Oracle *oracle, const char *call, const char *ordered, const TallyBatch *values, guint first, guint n)
{
  const char *type = tally_type_name (tally_schema_column (tally_batch_schema (values), 1)->type);
  g_autoptr (GString) query = g_string_new (NULL);

  g_string_append_printf (query, "(SELECT %s FROM (VALUES (-1, NULL::%s)", ordered, type);
  for (guint i = first; i < first + n; i++)
    {
      g_string_append_printf (query, ", (%u, ", i);
      append_literal (values, i, query);
      g_string_append_printf (query, "::%s)", type);
    }
  g_string_append (query, ") AS t (i, v) WHERE i >= 0)");
  oracle_ask (oracle, our_answer (call, values, first, n), query->str);
}

static void
ask_windows (Oracle *oracle, const char *call, const char *ordered, const TallyBatch *values)
{
  static const guint sizes[] = { 1, 2, 3, 7 };
  guint n_rows = tally_batch_n_rows (values);

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint first = 0; first + sizes[i] <= n_rows; first++)
      ask (oracle, call, ordered, values, first, sizes[i]);
  ask (oracle, call, ordered, values, 0, n_rows);
  ask (oracle, call, ordered, values, 0, 0);
}

static void
test_results_are_postgresqls (void)
{
  Oracle *oracle;

  if (is_skipped ())
    return;

  oracle = oracle_new ();
  for (guint i = 0; i < G_N_ELEMENTS (askings); i++)
    {
      g_autoptr (TallyBatch) values = values_of (askings[i].type, askings[i].lists);

      for (guint j = 0; askings[i].functions[j] != NULL; j++)
        {
          g_autofree char *call = g_strdup_printf ("%s(v)", askings[i].functions[j]);
          g_autofree char *ordered = g_strdup_printf ("%s(v ORDER BY i)", askings[i].functions[j]);

          ask_windows (oracle, call, ordered, values);
        }
    }
  assert_true (oracle_compare (oracle) > 3000);
}

static void
test_arguments_are_expressions (void)
{
  static const char *const calls[][2] = {
    { "count(*)", "count(*)" },
    { "string_agg(v, ', ')", "string_agg(v, ', ' ORDER BY i)" },
    { "string_agg(v, nullif(v, 'a'))", "string_agg(v, nullif(v, 'a') ORDER BY i)" },
    { " STRING_AGG ( replace(v, ')', ',') , '(''' ) ", "string_agg(replace(v, ')', ','), '(''' ORDER BY i)" },
    { "sum(length(v) + i)", "sum((length(v) + i)::bigint)" },
    { "array_agg(ARRAY[v, 'x'])", "jsonb_agg(to_jsonb(ARRAY[v, 'x']) ORDER BY i)" },
    { "max(CASE WHEN v > 'a' THEN v END)", "max(CASE WHEN v > 'a' THEN v END)" },
  };
  static const char *const *const lists[] = { words, none };
  g_autoptr (TallyBatch) values = values_of (TALLY_TYPE_TEXT, lists);
  Oracle *oracle;

  if (is_skipped ())
    return;

  oracle = oracle_new ();
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    ask_windows (oracle, calls[i][0], calls[i][1], values);
  assert_true (oracle_compare (oracle) > 100);
}

static const Promise promises[] = {
  { "results are PostgreSQL's", test_results_are_postgresqls },
  { "arguments are expressions", test_arguments_are_expressions },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("group beside postgresql", promises, argc, argv);
}
