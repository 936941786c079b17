/* Any text as an expression over a small batch: it compiles or is complained about, and what
 * compiles is evaluated. */
#include "expression/expression.h"
#include "record/batch-private.h"
#include "record/value.h"
#include <string.h>

static const TallyColumn columns[] = {
  { "t", TALLY_TYPE_TEXT },       { "i", TALLY_TYPE_BIGINT },       { "d", TALLY_TYPE_DOUBLE },
  { "n", TALLY_TYPE_NUMERIC },    { "b", TALLY_TYPE_BOOLEAN },      { "dt", TALLY_TYPE_DATE },
  { "ts", TALLY_TYPE_TIMESTAMP }, { "tz", TALLY_TYPE_TIMESTAMPTZ }, { "v", TALLY_TYPE_INTERVAL },
  { "y", TALLY_TYPE_BYTEA },      { "j", TALLY_TYPE_JSONB },
};

static const char *const rows[][G_N_ELEMENTS (columns)] = {
  { "Ärger, x", "42", "-1.5", "12.50", "t", "2024-02-29", "2024-02-29 12:00", "2024-02-29 12:00+01",
    "1 mon 2 days", "\\x00ff", "{\"a\": [1]}" },
  { "", "-9223372036854775808", "NaN", "NaN", "f", "infinity", "-infinity", "infinity", "-1 day",
    "\\x", "null" },
  { NULL },
};

#define CAPACITY 8

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);
  g_autoptr (TallySchema) schema = tally_schema_new (columns, G_N_ELEMENTS (columns));
  g_autoptr (TallyBatch) batch = tally_batch_new (schema, CAPACITY);
  g_autoptr (GString) out = g_string_new (NULL);
  TallyComplaint *complaint = NULL;
  g_autoptr (TallyExpression) expression = tally_expression_compile (text, schema, &complaint);
  guint64 validity[1] = { 0 };
  char vector[CAPACITY * sizeof (TallyInterval)];

  if (expression == NULL)
    {
      g_assert (complaint != NULL && complaint->length > 0 && complaint->offset <= strlen (text));
      tally_complaint_free (complaint);
      return 0;
    }

  for (guint row = 0; row < G_N_ELEMENTS (rows); row++)
    {
      tally_batch_add_row (batch);
      for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
        if (rows[row][i] != NULL)
          tally_batch_set_from_text (batch, i, rows[row][i], strlen (rows[row][i]), NULL);
    }

  TallyType type = tally_expression_type (expression);
  tally_expression_evaluate (expression, batch, vector, validity);
  g_assert (validity[0] >> G_N_ELEMENTS (rows) == 0);
  for (guint row = 0; row < G_N_ELEMENTS (rows); row++)
    if (validity[0] >> row & 1)
      tally_value_format (type, vector + row * tally_type_size (type), out);

  return 0;
}
