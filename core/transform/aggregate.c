/* aggregate.c: one row after the other goes into a state, and a value comes out
 *
 * Rows are seen in the order in which they came.  A failure stays until the end, where it becomes that of the row which
 * the others were to become.
 */
#include "aggregate.h"
#include "expression/function.h"
#include "record/batch-private.h"
#include "record/datetime.h"
#include "record/jsonb.h"
#include "record/numeric.h"
#include <math.h>
#include <string.h>

/* More than this in one value is a mistake, and would be one group's share of the memory. */
#define MAX_TEXT (16 * 1024 * 1024)
/* Scratch memory is let go after so many bytes. */
#define MAX_SCRATCH (256 * 1024)

typedef struct _AggregateKind AggregateKind;

struct _TallyAggregate
{
  const AggregateKind *kind;
  TallyType type;     /* of the first argument */
  guint64 n;          /* rows that were counted */
  __int128 integer;   /* the sum of bigint: 2^64 rows do not fill it */
  double real;        /* the sum of double precision, and with it: */
  double squares;     /* Youngs and Cramer's, whose overflow is one of avg() */
  Value value;        /* the extreme, the sum of intervals, the boolean; a text's bytes are in text */
  GString *text;      /* (owned) */
  TallyBatch *scratch; /* (owned) memory */
  GError *failure;    /* (owned) (nullable) */
};

struct _AggregateKind
{
  const char *name;
  const char *args; /* a letter a type, see function.h; * takes any */
  char result;      /* *: the type of the argument */
  void (*add) (TallyAggregate *aggregate, const Value *value, const Value *second); /* second: NULL for SQL's */
  gboolean (*end) (TallyAggregate *aggregate, Value *ret, GError **error);
  gboolean takes_null;
  gboolean is_empty_0; /* without rows it is 0, not NULL */
  gint sign;           /* of the order that wins: min, max */
};

/* ---- count ---- */

static gboolean
count_end (TallyAggregate *aggregate, Value *ret, GError **error)
{
  ret->integer = (gint64)aggregate->n;
  return TRUE;
}

/* ---- sum and avg ---- */

static void
bigint_add (TallyAggregate *aggregate, const Value *value, const Value *second)
{
  aggregate->integer += value->integer;
}

static gboolean
bigint_sum (TallyAggregate *aggregate, Value *ret, GError **error)
{
  ret->text = tally_numeric_from_scaled (aggregate->integer, 0, aggregate->scratch);
  return TRUE;
}

static void
numeric_add (TallyAggregate *aggregate, const Value *value, const Value *second)
{
  TallyText sum = { aggregate->text->str, aggregate->text->len };

  if (aggregate->n == 0)
    sum = value->text;
  else if (!tally_numeric_add (sum, value->text, aggregate->scratch, &sum, &aggregate->failure))
    return;
  /* It may be a view into what is overwritten. */
  if (sum.data != aggregate->text->str)
    {
      g_string_truncate (aggregate->text, 0);
      g_string_append_len (aggregate->text, sum.data, (gssize)sum.length);
    }
}

static gboolean
text_end (TallyAggregate *aggregate, Value *ret, GError **error)
{
  ret->text = (TallyText){ aggregate->text->str, aggregate->text->len };
  return TRUE;
}

static gboolean
mean (TallyAggregate *aggregate, TallyText sum, Value *ret, GError **error)
{
  TallyText n = tally_numeric_from_scaled ((__int128)aggregate->n, 0, aggregate->scratch);

  return tally_numeric_divide (sum, n, aggregate->scratch, &ret->text, error);
}

static gboolean
bigint_mean (TallyAggregate *aggregate, Value *ret, GError **error)
{
  return bigint_sum (aggregate, ret, error) && mean (aggregate, ret->text, ret, error);
}

static gboolean
numeric_mean (TallyAggregate *aggregate, Value *ret, GError **error)
{
  return text_end (aggregate, ret, error) && mean (aggregate, ret->text, ret, error);
}

static void
fail_overflow (TallyAggregate *aggregate)
{
  tally_throw (&aggregate->failure, TALLY_ERROR_DATA, "value out of range: overflow");
}

static void
double_add (TallyAggregate *aggregate, const Value *value, const Value *second)
{
  /* -0 alone is -0. */
  double sum = aggregate->n == 0 ? value->real : aggregate->real + value->real;

  if (isinf (sum) && !isinf (aggregate->real) && !isinf (value->real))
    fail_overflow (aggregate);
  aggregate->real = sum;
}

static gboolean
double_sum (TallyAggregate *aggregate, Value *ret, GError **error)
{
  ret->real = aggregate->real;
  return TRUE;
}

/* avg() shares its state with variance(), and fails where that would. */
static void
double_add_for_mean (TallyAggregate *aggregate, const Value *value, const Value *second)
{
  double n = (double)aggregate->n + 1, before = aggregate->real, x = value->real, away;

  aggregate->real += x;
  if (aggregate->n == 0)
    {
      aggregate->squares = isfinite (x) ? 0 : NAN;
      return;
    }

  away = x * n - aggregate->real;
  aggregate->squares += away * away / (n * (n - 1));
  if (isinf (aggregate->real) || isinf (aggregate->squares))
    {
      if (!isinf (before) && !isinf (x))
        fail_overflow (aggregate);
      aggregate->squares = NAN;
    }
}

static gboolean
double_mean (TallyAggregate *aggregate, Value *ret, GError **error)
{
  ret->real = aggregate->real / (double)aggregate->n;
  return TRUE;
}

static void
interval_add (TallyAggregate *aggregate, const Value *value, const Value *second)
{
  TallyInterval sum = value->interval;

  if (aggregate->n == 0
      || tally_interval_add (aggregate->value.interval, value->interval, &sum, &aggregate->failure))
    aggregate->value.interval = sum;
}

static gboolean
value_end (TallyAggregate *aggregate, Value *ret, GError **error)
{
  *ret = aggregate->value;
  return TRUE;
}

static gboolean
interval_mean (TallyAggregate *aggregate, Value *ret, GError **error)
{
  return tally_interval_divide (aggregate->value.interval, (double)aggregate->n, &ret->interval,
                                error);
}

/* ---- min and max ---- */

static void
keep_value (TallyAggregate *aggregate, const Value *value)
{
  aggregate->value = *value;
  if (!tally_term_type_is_text (aggregate->type))
    return;

  g_string_truncate (aggregate->text, 0);
  g_string_append_len (aggregate->text, value->text.data, (gssize)value->text.length);
  text_end (aggregate, &aggregate->value, NULL);
}

/* As in PostgreSQL the later of two equal ones is kept: 1.0 and 1.00. */
static void
extreme_add (TallyAggregate *aggregate, const Value *value, const Value *second)
{
  if (aggregate->n == 0
      || tally_value_compare (aggregate->type, &aggregate->value, value) * aggregate->kind->sign <= 0)
    keep_value (aggregate, value);
}

/* ---- Booleans ---- */

static void
and_add (TallyAggregate *aggregate, const Value *value, const Value *second)
{
  aggregate->value.boolean = value->boolean && (aggregate->n == 0 || aggregate->value.boolean);
}

static void
or_add (TallyAggregate *aggregate, const Value *value, const Value *second)
{
  aggregate->value.boolean = value->boolean || (aggregate->n > 0 && aggregate->value.boolean);
}

/* ---- Texts ---- */

static void
append (TallyAggregate *aggregate, TallyText text)
{
  if (aggregate->text->len + text.length <= MAX_TEXT)
    g_string_append_len (aggregate->text, text.data, (gssize)text.length);
  else if (aggregate->failure == NULL)
    tally_throw (&aggregate->failure, TALLY_ERROR_LIMIT, "%s would be longer than %d bytes",
                 aggregate->kind->name, MAX_TEXT);
}

static void
string_add (TallyAggregate *aggregate, const Value *value, const Value *second)
{
  if (aggregate->n > 0 && second != NULL)
    append (aggregate, second->text);
  append (aggregate, value->text);
}

static void
array_add (TallyAggregate *aggregate, const Value *value, const Value *second)
{
  append (aggregate, aggregate->n == 0 ? (TallyText){ "[", 1 } : (TallyText){ ", ", 2 });
  append (aggregate, tally_jsonb_from_value (aggregate->type, value, aggregate->scratch));
}

static gboolean
array_end (TallyAggregate *aggregate, Value *ret, GError **error)
{
  g_string_append_c (aggregate->text, ']');
  return text_end (aggregate, ret, error);
}

/* ---- The table ---- */

#define EXTREMES(letter)                                                                           \
  { "min", letter, '*', extreme_add, value_end, .sign = -1 },                                      \
  {                                                                                                \
    "max", letter, '*', extreme_add, value_end, .sign = 1                                          \
  }

static const AggregateKind kinds[] = {
  { "count", "", 'i', NULL, count_end, .is_empty_0 = TRUE },
  { "count", "*", 'i', NULL, count_end, .is_empty_0 = TRUE },
  { "sum", "i", 'n', bigint_add, bigint_sum },
  { "sum", "n", 'n', numeric_add, text_end },
  { "sum", "d", 'd', double_add, double_sum },
  { "sum", "v", 'v', interval_add, value_end },
  { "avg", "i", 'n', bigint_add, bigint_mean },
  { "avg", "n", 'n', numeric_add, numeric_mean },
  { "avg", "d", 'd', double_add_for_mean, double_mean },
  { "avg", "v", 'v', interval_add, interval_mean },
  EXTREMES ("t"),
  EXTREMES ("i"),
  EXTREMES ("n"),
  EXTREMES ("d"),
  EXTREMES ("D"),
  EXTREMES ("s"),
  EXTREMES ("z"),
  EXTREMES ("v"),
  { "bool_and", "b", 'b', and_add, value_end },
  { "every", "b", 'b', and_add, value_end },
  { "bool_or", "b", 'b', or_add, value_end },
  { "string_agg", "tt", 't', string_add, text_end },
  { "jsonb_agg", "*", 'j', array_add, array_end, .takes_null = TRUE },
  { "array_agg", "*", 'j', array_add, array_end, .takes_null = TRUE },
};

gboolean
tally_aggregate_is_known (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (strcmp (kinds[i].name, name) == 0)
      return TRUE;

  return FALSE;
}

static gboolean
takes (const AggregateKind *kind, const char *name, const TallyType *types, guint n_types)
{
  if (strcmp (kind->name, name) != 0 || strlen (kind->args) != n_types)
    return FALSE;

  for (guint i = 0; i < n_types; i++)
    if (kind->args[i] != '*' && tally_type_of_letter (kind->args[i]) != types[i])
      return FALSE;
  return TRUE;
}

static char *
describe (const char *name, const TallyType *types, guint n_types)
{
  GString *call = g_string_new (name);

  for (guint i = 0; i < n_types; i++)
    g_string_append_printf (call, "%s%s", i > 0 ? ", " : "(", tally_type_name (types[i]));
  g_string_append (call, n_types == 0 ? "()" : ")");
  return g_string_free (call, FALSE);
}

/* A batch that only lends its memory. */
static TallyBatch *
scratch_new (void)
{
  g_autoptr (TallySchema) schema = tally_schema_new (NULL, 0);

  return tally_batch_new (schema, 1);
}

TallyAggregate *
tally_aggregate_new (const char *name, const TallyType *types, guint n_types, char **ret_message)
{
  g_autofree char *call = NULL;
  TallyAggregate *aggregate;

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (takes (&kinds[i], name, types, n_types))
      {
        aggregate = g_new0 (TallyAggregate, 1);
        aggregate->kind = &kinds[i];
        aggregate->type = n_types > 0 ? types[0] : TALLY_TYPE_BOOLEAN;
        aggregate->text = g_string_new (NULL);
        aggregate->scratch = scratch_new ();
        return aggregate;
      }

  call = describe (name, types, n_types);
  *ret_message = g_strdup_printf ("function %s does not exist", call);
  return NULL;
}

void
tally_aggregate_free (TallyAggregate *aggregate)
{
  if (aggregate == NULL)
    return;

  g_string_free (aggregate->text, TRUE);
  tally_batch_free (aggregate->scratch);
  g_clear_error (&aggregate->failure);
  g_free (aggregate);
}

TallyType
tally_aggregate_type (const TallyAggregate *aggregate)
{
  return aggregate->kind->result == '*' ? aggregate->type
                                        : tally_type_of_letter (aggregate->kind->result);
}

void
tally_aggregate_begin (TallyAggregate *aggregate)
{
  g_string_truncate (aggregate->text, 0);
  tally_batch_clear (aggregate->scratch);
  g_clear_error (&aggregate->failure);
  aggregate->n = 0;
  aggregate->integer = 0;
  aggregate->real = 0;
}

/* NULL if there is none. */
static const Value *
read_value (const TallyBatch *batch, guint row, guint column, Value *value)
{
  gsize size = tally_type_size (tally_schema_column (tally_batch_schema (batch), column)->type);

  if (tally_batch_is_null (batch, row, column))
    return NULL;

  memcpy (value, (const char *)tally_batch_vector (batch, column) + row * size, size);
  return value;
}

static void
add_null (TallyAggregate *aggregate)
{
  append (aggregate, aggregate->n == 0 ? (TallyText){ "[null", 5 } : (TallyText){ ", null", 6 });
  aggregate->n++;
}

void
tally_aggregate_add (TallyAggregate *aggregate, const TallyBatch *batch, guint row, guint column)
{
  const AggregateKind *kind = aggregate->kind;
  const Value *first = NULL, *second = NULL;
  Value values[2];

  if (aggregate->failure != NULL)
    return;
  if (kind->args[0] != '\0' && (first = read_value (batch, row, column, &values[0])) == NULL)
    {
      if (kind->takes_null)
        add_null (aggregate);
      return;
    }
  if (kind->args[0] != '\0' && kind->args[1] != '\0')
    second = read_value (batch, row, column + 1, &values[1]);

  if (kind->add != NULL)
    kind->add (aggregate, first, second);
  aggregate->n++;
  if (tally_batch_held (aggregate->scratch) > MAX_SCRATCH)
    tally_batch_clear (aggregate->scratch);
}

/* Gives the last row a value of any type. */
static void
set_value (TallyBatch *batch, guint column, TallyType type, const Value *value)
{
  guint row = tally_batch_n_rows (batch) - 1;
  gsize size = tally_type_size (type);

  if (tally_term_type_is_text (type))
    {
      tally_batch_set_text (batch, column, value->text.data, value->text.length);
      return;
    }
  memcpy ((char *)tally_batch_vector (batch, column) + row * size, value, size);
  tally_bitmap_set (tally_batch_validity (batch, column), row);
}

gboolean
tally_aggregate_end (TallyAggregate *aggregate, TallyBatch *batch, guint column, GError **error)
{
  Value value = { 0 };

  if (aggregate->failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&aggregate->failure));
      return FALSE;
    }
  if (aggregate->n == 0 && !aggregate->kind->is_empty_0)
    return TRUE;
  if (!aggregate->kind->end (aggregate, &value, error))
    return FALSE;

  set_value (batch, column, tally_aggregate_type (aggregate), &value);
  return TRUE;
}
