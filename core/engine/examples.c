/* examples.c: rows in, rows out
 *
 * Rows are JSON.  A value becomes one of its column's type as its text would by a cast; null is
 * NULL; a jsonb column takes any value as it is.  Values are compared as PostgreSQL compares them,
 * so that 1.0 is 1.00.
 */
#include "examples.h"
#include "record/identity.h"
#include "record/json.h"
#include "record/jsonb.h"
#include "transform/lookup.h"
#include "trial.h"
#include <string.h>

/* ---- Rows of JSON ---- */

/* The name of a member; memory: a batch that lends some. */
static char *
dup_key (TallyText key, TallyBatch *memory)
{
  TallyText name = { "", 0 };

  tally_jsonb_to_text (key, memory, &name);
  return tally_text_dup (name);
}

/* Sets a value of the batch's last row. */
static gboolean
set_value (TallyBatch *batch, guint column, TallyText json, GError **error)
{
  TallyText text = json;

  if (tally_jsonb_kind (json) == TALLY_JSONB_NULL)
    return TRUE;

  if (tally_schema_column (tally_batch_schema (batch), column)->type != TALLY_TYPE_JSONB)
    tally_jsonb_to_text (json, batch, &text);
  return tally_batch_set_from_text (batch, column, text.data, text.length, error);
}

static gboolean
throw_no_column (TallySchema *schema, const char *name, GError **error)
{
  const char *nearest = tally_schema_nearest (schema, name);

  return tally_throw (error, TALLY_ERROR_USAGE, "there is no column \"%s\"%s%s%s", name,
                      nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                      nearest != NULL ? "\"?" : "");
}

/* Adds a row that is given as a JSON object. */
static gboolean
add_row (TallyBatch *batch, const char *row, GError **error)
{
  TallySchema *schema = tally_batch_schema (batch);
  guint index = tally_batch_add_row (batch);
  TallyJsonbIter iter;
  TallyText json, key, value;

  tally_batch_set_row_number (batch, index, index + 1);
  if (!tally_jsonb_parse ((TallyText){ row, strlen (row) }, batch, &json, error))
    return FALSE;

  tally_jsonb_iter_init (&iter, json);
  while (tally_jsonb_iter_next (&iter, &key, &value))
    {
      g_autofree char *name = dup_key (key, batch);
      gint column = tally_schema_find (schema, name);

      if (column < 0)
        return throw_no_column (schema, name, error);
      if (!set_value (batch, column, value, error))
        return tally_throw_prefix (error, "column \"%s\"", name);
    }
  return TRUE;
}

/* what: "given" or "lookup". */
static TallyBatch *
given_batch (TallySchema *schema, const GPtrArray *rows, const char *what, GError **error)
{
  g_autoptr (TallyBatch) batch = tally_batch_new (schema, MAX (rows->len, 1));

  tally_batch_set_origin (batch, what);
  for (guint i = 0; i < rows->len; i++)
    if (!add_row (batch, g_ptr_array_index (rows, i), error))
      {
        tally_throw_prefix (error, "%s row %u", what, i + 1);
        return NULL;
      }
  return g_steal_pointer (&batch);
}

/* ---- The columns of rows whose source is not known ---- */

typedef struct
{
  char *name;  /* (owned) */
  guint kinds; /* a bit for each TallyJsonbKind but null */
  gboolean has_fraction;
} Guess;

static void
guess_clear (gpointer data)
{
  g_free (((Guess *)data)->name);
}

static Guess *
find_guess (GArray *guesses, const char *name)
{
  Guess guess = { .name = g_strdup (name) };

  for (guint i = 0; i < guesses->len; i++)
    if (g_str_equal (g_array_index (guesses, Guess, i).name, name))
      {
        g_free (guess.name);
        return &g_array_index (guesses, Guess, i);
      }
  g_array_append_val (guesses, guess);
  return &g_array_index (guesses, Guess, guesses->len - 1);
}

static void
look_at_row (GArray *guesses, const char *row, TallyBatch *memory)
{
  TallyJsonbIter iter;
  TallyText json, key, value;

  if (!tally_jsonb_parse ((TallyText){ row, strlen (row) }, memory, &json, NULL))
    return;

  tally_jsonb_iter_init (&iter, json);
  while (tally_jsonb_iter_next (&iter, &key, &value))
    {
      g_autofree char *name = dup_key (key, memory);
      Guess *guess = find_guess (guesses, name);
      gint64 number;

      if (tally_jsonb_kind (value) == TALLY_JSONB_NULL)
        continue;
      guess->kinds |= 1u << tally_jsonb_kind (value);
      if (tally_jsonb_kind (value) == TALLY_JSONB_NUMBER
          && (memchr (value.data, '.', value.length) != NULL
              || !tally_jsonb_to_bigint (value, &number, NULL)))
        guess->has_fraction = TRUE;
    }
}

static TallyType
guessed_type (const Guess *guess)
{
  switch (guess->kinds)
    {
    case 0:
    case 1u << TALLY_JSONB_STRING:
      return TALLY_TYPE_TEXT;
    case 1u << TALLY_JSONB_NUMBER:
      return guess->has_fraction ? TALLY_TYPE_NUMERIC : TALLY_TYPE_BIGINT;
    case 1u << TALLY_JSONB_BOOLEAN:
      return TALLY_TYPE_BOOLEAN;
    default:
      return TALLY_TYPE_JSONB;
    }
}

/* A batch that only lends its memory. */
static TallyBatch *
memory_new (void)
{
  g_autoptr (TallySchema) schema = tally_schema_new (NULL, 0);

  return tally_batch_new (schema, 1);
}

/* The rows that a test gives for a lookup (nullable), or for the source. */
static GPtrArray *
rows_of (const TallyPipelineTest *test, gint lookup)
{
  if (lookup < 0)
    return test->given;
  return (guint)lookup < test->lookups->len ? g_ptr_array_index (test->lookups, lookup) : NULL;
}

/* lookup: of whose rows; -1: the source's. */
static TallySchema *
guess_schema (const TallyPipeline *pipeline, gint lookup)
{
  g_autoptr (GArray) guesses = g_array_new (FALSE, FALSE, sizeof (Guess));
  g_autoptr (GArray) columns = g_array_new (FALSE, FALSE, sizeof (TallyColumn));
  g_autoptr (TallyBatch) memory = memory_new ();

  g_array_set_clear_func (guesses, guess_clear);
  for (guint i = 0; i < pipeline->tests->len; i++)
    {
      const GPtrArray *rows = rows_of (g_ptr_array_index (pipeline->tests, i), lookup);

      for (guint j = 0; rows != NULL && j < rows->len; j++)
        look_at_row (guesses, g_ptr_array_index (rows, j), memory);
    }
  for (guint i = 0; i < guesses->len; i++)
    {
      const Guess *guess = &g_array_index (guesses, Guess, i);
      TallyColumn column = { .name = guess->name, .type = guessed_type (guess) };

      g_array_append_val (columns, column);
    }
  return tally_schema_new ((const TallyColumn *)(gpointer)columns->data, columns->len);
}

static void
assume_lookups (TallyPipeline *pipeline)
{
  for (guint i = 0; i < tally_pipeline_n_lookups (pipeline); i++)
    {
      g_autoptr (TallySchema) schema = NULL;

      if (tally_pipeline_lookup_schema (pipeline, i) != NULL)
        continue;
      schema = guess_schema (pipeline, i);
      tally_pipeline_assume_lookup (pipeline, i, schema);
    }
}

gboolean
tally_examples_bind (TallyPipeline *pipeline)
{
  g_autoptr (TallySchema) schema = NULL;

  if (tally_pipeline_is_bound (pipeline) || pipeline->tests->len == 0)
    return tally_pipeline_n_errors (pipeline) == 0;

  assume_lookups (pipeline);
  schema = pipeline->source_schema != NULL ? tally_schema_ref (pipeline->source_schema)
                                           : guess_schema (pipeline, -1);
  return tally_pipeline_bind_steps (pipeline, schema);
}

/* ---- What came out beside what was expected ---- */

static void
difference_clear (gpointer data)
{
  TallyDifference *difference = data;

  g_free (difference->column);
  g_free (difference->expected);
  g_free (difference->found);
  g_free (difference->note);
}

static char *
row_as_json (const TallyBatch *batch, guint row)
{
  GString *json = g_string_new (NULL);

  tally_batch_append_json (batch, row, json);
  return g_string_free (json, FALSE);
}

static char *
value_as_json (const TallyBatch *batch, guint row, guint column)
{
  TallyType type = tally_schema_column (tally_batch_schema (batch), column)->type;
  GString *json = g_string_new (NULL);

  if (tally_batch_is_null (batch, row, column))
    g_string_append (json, "null");
  else
    tally_json_append_value (
        type, (const char *)tally_batch_vector (batch, column) + row * tally_type_size (type),
        json);
  return g_string_free (json, FALSE);
}

/* A test cannot tell jsonb's null from NULL. */
static gboolean
is_nothing (const TallyBatch *batch, guint row, guint column)
{
  return tally_batch_is_null (batch, row, column)
         || (tally_schema_column (tally_batch_schema (batch), column)->type == TALLY_TYPE_JSONB
             && tally_jsonb_kind (tally_batch_get_text (batch, row, column)) == TALLY_JSONB_NULL);
}

/* wish: a batch of the same columns with one row. */
static gboolean
is_as_wished (const TallyBatch *batch, guint row, guint column, const TallyBatch *wish)
{
  g_autoptr (GString) found = g_string_new (NULL);
  g_autoptr (GString) expected = g_string_new (NULL);

  if (tally_batch_is_null (wish, 0, column))
    return is_nothing (batch, row, column);

  tally_identity_append (batch, row, column, found);
  tally_identity_append (wish, 0, column, expected);
  return g_string_equal (found, expected);
}

static void
compare_value (TallyExampleResult *result, guint row, const char *name, TallyText expected,
               TallyBatch *wish)
{
  TallySchema *schema = tally_batch_schema (result->batch);
  TallyDifference difference = { .row = row + 1 };
  g_autoptr (GError) error = NULL;
  gint column = tally_schema_find (schema, name);

  if (column < 0)
    throw_no_column (schema, name, &error);
  else if (set_value (wish, column, expected, &error)
           && is_as_wished (result->batch, row, column, wish))
    return;

  difference.column = g_strdup (name);
  difference.expected = tally_text_dup (expected);
  difference.found = column >= 0 ? value_as_json (result->batch, row, column) : NULL;
  difference.note = error != NULL ? g_strdup (error->message) : NULL;
  g_array_append_val (result->differences, difference);
}

/* Only the columns that the test names are looked at. */
static void
compare_row (TallyExampleResult *result, guint row, const char *expected)
{
  g_autoptr (TallyBatch) wish = tally_batch_new (tally_batch_schema (result->batch), 1);
  TallyJsonbIter iter;
  TallyText json, key, value;

  tally_batch_add_row (wish);
  if (!tally_jsonb_parse ((TallyText){ expected, strlen (expected) }, wish, &json, NULL))
    return;

  tally_jsonb_iter_init (&iter, json);
  while (tally_jsonb_iter_next (&iter, &key, &value))
    {
      g_autofree char *name = dup_key (key, wish);

      compare_value (result, row, name, value, wish);
    }
}

static void
compare (TallyExampleResult *result, const GPtrArray *expect)
{
  guint n_rows = tally_batch_n_rows (result->batch);

  for (guint row = 0; row < MAX (n_rows, expect->len); row++)
    {
      TallyDifference difference = { .row = row + 1 };

      if (row < MIN (n_rows, expect->len))
        {
          compare_row (result, row, g_ptr_array_index (expect, row));
          continue;
        }
      if (row < n_rows)
        difference.found = row_as_json (result->batch, row);
      else
        difference.expected = g_strdup (g_ptr_array_index (expect, row));
      g_array_append_val (result->differences, difference);
    }
}

/* ---- One test ---- */

/* Gives a lookup the test's rows.  Without any it reads its source, if that is on this machine. */
static gboolean
give_rows (TallyPipeline *pipeline, TallyLookupSide *side, guint lookup, const TallyPipelineTest *test,
           GError **error)
{
  const GPtrArray *rows = rows_of (test, lookup);
  TallyBatch *batch;

  if (rows == NULL)
    return tally_pipeline_lookup_is_local (pipeline, lookup)
           || tally_throw (error, TALLY_ERROR_USAGE,
                           "the source of the lookup on line %u is not read by a test, which may "
                           "give its rows: lookup: [{ … }]",
                           tally_pipeline_lookup_line (pipeline, lookup));
  batch = given_batch (tally_pipeline_lookup_schema (pipeline, lookup), rows, "lookup", error);
  if (batch != NULL)
    tally_lookup_side_give (side, batch);
  return batch != NULL;
}

static gboolean
give_all_rows (TallyPipeline *pipeline, const TallyPipelineTest *test, GError **error)
{
  guint n = 0;

  for (guint i = 0; i < pipeline->steps->len; i++)
    {
      TallyLookupSide *side = tally_step_lookup_side (g_ptr_array_index (pipeline->steps, i));

      if (side != NULL && !give_rows (pipeline, side, n++, test, error))
        return FALSE;
    }
  return test->lookups->len <= n
         || tally_throw (error, TALLY_ERROR_USAGE,
                         "the test gives rows for %u lookups, and the pipeline has %u",
                         test->lookups->len, n);
}

static gboolean
run_steps (TallyPipeline *pipeline, const TallyPipelineTest *test, TallyBatch *batch, GError **error)
{
  g_autoptr (TallyReferences) references = tally_references_new_for_test (test->refs, pipeline->origin, pipeline->references);
  g_autoptr (TallyTrial) trial = tally_trial_new (pipeline, error);

  if (trial == NULL)
    return FALSE;
  tally_trial_set_references (trial, references);
  if (!tally_trial_prepare (trial, error))
    return FALSE;
  for (guint i = 0; i < pipeline->steps->len; i++)
    {
      TallyFlow flow = tally_trial_apply (trial, i, batch, error);

      /* This batch has all rows, so that those that are held back fit into it again. */
      if (flow != TALLY_FLOW_FATAL && tally_trial_holds_rows (trial, i))
        flow = tally_trial_drain (trial, i, batch, error);
      if (flow == TALLY_FLOW_FATAL)
        return FALSE;
    }
  return TRUE;
}

void
tally_example_run (TallyPipeline *pipeline, const TallyPipelineTest *test,
                   TallyExampleResult *ret_result)
{
  g_autoptr (GError) error = NULL;

  *ret_result
      = (TallyExampleResult){ .differences = g_array_new (FALSE, FALSE, sizeof (TallyDifference)) };
  g_array_set_clear_func (ret_result->differences, difference_clear);
  ret_result->batch = given_batch (pipeline->source_schema, test->given, "given", &error);
  if (ret_result->batch != NULL && give_all_rows (pipeline, test, &error)
      && run_steps (pipeline, test, ret_result->batch, &error))
    compare (ret_result, test->expect);
  else
    ret_result->problem = g_strdup (error->message);
}

gboolean
tally_example_passed (const TallyExampleResult *result)
{
  return result->problem == NULL && result->differences->len == 0;
}

void
tally_example_clear (TallyExampleResult *result)
{
  g_clear_pointer (&result->problem, g_free);
  g_clear_pointer (&result->differences, g_array_unref);
  g_clear_pointer (&result->batch, tally_batch_free);
}
