/* fuzz_value.c: whatever is read as a value prints as one that reads and prints the same
 *
 * The first byte says what the rest is: a value of a type, two values with a blank line between, a
 * template and a text, or a file of the tz database.
 */
#include "record/datetime.h"
#include "record/jsonb.h"
#include "record/numeric.h"
#include "record/value.h"
#include "record/zone-file.h"
#include <stdlib.h>
#include <string.h>

typedef union
{
  guint8 boolean;
  gint64 bigint;
  double real;
  TallyText text;
  TallyInterval interval;
} Value;

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static TallyBatch *
memory_new (void)
{
  TallyColumn column = { .name = "value", .type = TALLY_TYPE_TEXT };
  TallySchema *schema = tally_schema_new (&column, 1);
  TallyBatch *batch = tally_batch_new (schema, 1);

  tally_schema_unref (schema);
  return batch;
}

static void
insist (gboolean promise)
{
  if (!promise)
    abort ();
}

static gboolean
equal (TallyText a, TallyText b)
{
  return a.length == b.length && memcmp (a.data, b.data, a.length) == 0;
}

/* All that is read prints as something that reads, and prints the same again. */
static void
check_round_trip (TallyType type, TallyText text, TallyBatch *memory)
{
  g_autoptr (GString) first = g_string_new (NULL), second = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  Value value;

  if (!tally_value_parse (type, text, memory, &value, &error))
    {
      insist (error != NULL && g_utf8_validate (error->message, -1, NULL));
      return;
    }
  tally_value_format (type, &value, first);
  if (!tally_value_parse (type, (TallyText){ first->str, first->len }, memory, &value, NULL))
    {
      /* The smallest interval reads only as a sum. */
      insist (type == TALLY_TYPE_INTERVAL);
      return;
    }
  tally_value_format (type, &value, second);
  insist (g_string_equal (first, second));
}

static gboolean
split (TallyText text, TallyText *ret_first, TallyText *ret_second)
{
  const char *middle = memmem (text.data, text.length, "\n\n", 2);

  if (middle == NULL)
    return FALSE;
  *ret_first = (TallyText){ text.data, (gsize)(middle - text.data) };
  *ret_second = (TallyText){ middle + 2, (gsize)(text.data + text.length - middle - 2) };
  return TRUE;
}

/* a + b - b is a, and each result is canonical. */
static void
check_numbers (TallyText x, TallyText y, TallyBatch *memory)
{
  static const TallyNumericBinary functions[]
      = { tally_numeric_add,    tally_numeric_subtract, tally_numeric_multiply,
          tally_numeric_divide, tally_numeric_modulo,   tally_numeric_div };
  TallyText a, b, result, again;
  gboolean special;

  if (!tally_numeric_parse (x, memory, &a, NULL) || !tally_numeric_parse (y, memory, &b, NULL)
      || a.length > 1000 || b.length > 1000)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (functions); i++)
    if (functions[i](a, b, memory, &result, NULL))
      insist (tally_numeric_parse (result, memory, &again, NULL) && equal (result, again));
  special = !g_ascii_isdigit (a.data[a.length - 1]) || !g_ascii_isdigit (b.data[b.length - 1]);
  if (!special && tally_numeric_add (a, b, memory, &result, NULL)
      && tally_numeric_subtract (result, b, memory, &result, NULL))
    insist (tally_numeric_compare (a, result) == 0
            && tally_numeric_hash (a) == tally_numeric_hash (result));
  insist ((tally_numeric_compare (a, b) < 0) == (tally_numeric_compare (b, a) > 0));
}

static void
check_is_json (TallyText json, TallyBatch *memory)
{
  TallyText again;

  insist (tally_jsonb_parse (json, memory, &again, NULL) && equal (json, again));
}

static void
check_documents (TallyText x, TallyText y, TallyBatch *memory)
{
  TallyText a, b, result, pretty;

  if (!tally_jsonb_parse (x, memory, &a, NULL))
    return;
  pretty = tally_jsonb_pretty (a, memory);
  insist (tally_jsonb_parse (pretty, memory, &result, NULL) && equal (a, result));
  insist (tally_jsonb_compare (a, a) == 0 && tally_jsonb_contains (a, a));
  check_is_json (tally_jsonb_strip_nulls (a, memory), memory);
  if (tally_jsonb_delete_key (a, y, memory, &result, NULL))
    insist (!tally_jsonb_exists (result, y));
  if (g_utf8_validate_len (y.data, y.length, NULL)
      && tally_jsonb_set (a, &y, 1, a, TRUE, memory, &result, NULL))
    check_is_json (result, memory);

  if (!tally_jsonb_parse (y, memory, &b, NULL))
    return;
  if (tally_jsonb_concat (a, b, memory, &result, NULL))
    check_is_json (result, memory);
  insist ((tally_jsonb_compare (a, b) < 0) == (tally_jsonb_compare (b, a) > 0));
  if (tally_jsonb_compare (a, b) == 0)
    insist (tally_jsonb_hash (a) == tally_jsonb_hash (b));
}

static void
check_template (TallyText format, TallyText text, TallyBatch *memory)
{
  g_autoptr (TallyTemplate) template = NULL;
  gint64 timestamp;
  gint32 date;
  gboolean is_null;
  TallyText result;

  if (memchr (format.data, '\0', format.length) != NULL
      || memchr (text.data, '\0', text.length) != NULL)
    return;

  template = tally_template_new (format);
  tally_date_from_template (text, template, &date, NULL);
  if (tally_timestamp_from_template (text, template, &timestamp, NULL))
    insist (tally_datetime_to_char (TALLY_TYPE_TIMESTAMPTZ, &timestamp, template, memory, &is_null,
                                    &result, NULL));
}

static void
check_zone (TallyText bytes)
{
  g_autoptr (TallyZoneFile) file = tally_zone_file_new (bytes.data, bytes.length);
  const char *name;

  for (gint64 time = -8000000000; file != NULL && time < 16000000000; time += 900000001)
    insist (ABS (tally_zone_file_offset (file, time, &name)) <= 8 * 86400 && strlen (name) < 16);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (TallyBatch) memory = NULL;
  TallyText rest, first, second;

  if (size < 2)
    return 0;
  memory = memory_new ();
  rest = (TallyText){ (const char *)data + 1, size - 1 };
  switch (data[0])
    {
    case 'n':
      if (split (rest, &first, &second))
        check_numbers (first, second, memory);
      break;
    case 'j':
      if (split (rest, &first, &second))
        check_documents (first, second, memory);
      break;
    case 't':
      if (split (rest, &first, &second))
        check_template (first, second, memory);
      break;
    case 'z':
      check_zone (rest);
      break;
    default:
      check_round_trip (data[0] % TALLY_N_TYPES, rest, memory);
      break;
    }
  return 0;
}
