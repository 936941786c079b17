/* cast.c: which types become which, and how */
#include "record/datetime.h"
#include "record/jsonb.h"
#include "record/numeric.h"
#include "record/value.h"
#include "function.h"
#include <math.h>
#include <string.h>

/* bigint stands for PostgreSQL's three integers; a cast to one of the smaller holds its value to
 * their range.  modifier is the bytes of the one that the cast names, 0 for eight. */
static gboolean
narrow (const Call *call, gint64 value, Value *ret, GError **error)
{
  gint64 bytes = call->term->modifier;

  if (bytes == 4 && (value < G_MININT32 || value > G_MAXINT32))
    return tally_throw (error, TALLY_ERROR_DATA, "integer out of range");
  if (bytes == 2 && (value < G_MININT16 || value > G_MAXINT16))
    return tally_throw (error, TALLY_ERROR_DATA, "smallint out of range");

  ret->integer = value;
  return TRUE;
}

static const char *
integer_name (const Call *call)
{
  return call->term->modifier == 4 ? "integer" : call->term->modifier == 2 ? "smallint" : "bigint";
}

static gboolean
bigint_narrow (Call *call, const Value *args, Value *ret, GError **error)
{
  return narrow (call, args[0].integer, ret, error);
}

static gboolean
text_to_bigint (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autoptr (GString) message = NULL;

  if (!tally_value_parse (TALLY_TYPE_BIGINT, args[0].text, call->batch, &ret->integer, &cause))
    {
      message = g_string_new (cause->message);
      if (call->term->modifier == 0)
        return tally_throw (error, TALLY_ERROR_DATA, "%s", message->str);
      if (g_str_has_suffix (message->str, "is out of range for type bigint"))
        {
          g_string_truncate (message, message->len - strlen ("bigint"));
          g_string_append (message, integer_name (call));
        }
      else
        g_string_replace (
            message, "for type bigint:",
            call->term->modifier == 4 ? "for type integer:" : "for type smallint:", 1);
      return tally_throw (error, TALLY_ERROR_DATA, "%s", message->str);
    }
  if (call->term->modifier == 0 || narrow (call, ret->integer, ret, NULL))
    return TRUE;

  return tally_throw (error, TALLY_ERROR_DATA, "value \"%.*s\" is out of range for type %s",
                      (int)MIN (args[0].text.length, 1000), args[0].text.data, integer_name (call));
}

/* Most numbers in text are short and plain: a sign and up to 18 digits. */
static gboolean
parse_plain (TallyText text, gint64 *ret_value)
{
  const char *at = text.data, *end = at + text.length;
  gboolean negative = at < end && *at == '-';
  gint64 value = 0;

  at += negative;
  if (at == end || end - at > 18)
    return FALSE;
  for (; at < end; at++)
    {
      guint digit = (guint)(*at - '0');

      if (digit > 9)
        return FALSE;
      value = value * 10 + digit;
    }

  *ret_value = negative ? -value : value;
  return TRUE;
}

static void
text_to_bigint_kernel (Frame *frame, Term *term)
{
  const TallyText *texts = term->args[0]->values;
  gint64 *values = term->values;
  guint step = term->args[0]->step;
  Call call = { .frame = frame, .batch = frame->batch, .term = term };

  FOR_EACH_ROW (frame, term->validity, row)
  {
    GError *error = NULL;
    Value result;

    if (parse_plain (texts[row * step], &values[row]) && term->modifier == 0)
      continue;
    if (text_to_bigint (&call, &(Value){ .text = texts[row * step] }, &result, &error))
      values[row] = result.integer;
    else
      {
        tally_frame_fail_error (frame, row, error);
        tally_bitmap_clear (term->validity, row);
      }
  }
}

static gboolean
double_to_bigint (Call *call, const Value *args, Value *ret, GError **error)
{
  double value = rint (args[0].real);

  /* The bounds are powers of two, and therefore exact. */
  if (isnan (value) || value < -9223372036854775808.0 || value >= 9223372036854775808.0)
    return tally_throw (error, TALLY_ERROR_DATA, "%s out of range", integer_name (call));

  return narrow (call, (gint64)value, ret, error);
}

static gboolean
numeric_to_bigint (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autoptr (GError) cause = NULL;
  gint64 value;

  if (tally_numeric_to_bigint (args[0].text, &value, &cause))
    return narrow (call, value, ret, error);
  if (call->term->modifier == 0)
    return tally_throw (error, TALLY_ERROR_DATA, "%s", cause->message);
  if (g_str_has_suffix (cause->message, "to bigint"))
    return tally_throw (error, TALLY_ERROR_DATA, "%.*s%s",
                        (int)(strlen (cause->message) - strlen ("bigint")), cause->message,
                        integer_name (call));

  return tally_throw (error, TALLY_ERROR_DATA, "%s out of range", integer_name (call));
}

static gboolean
jsonb_to_bigint (Call *call, const Value *args, Value *ret, GError **error)
{
  gint64 value;
  g_autoptr (GError) cause = NULL;

  if (tally_jsonb_to_bigint (args[0].text, &value, &cause))
    return narrow (call, value, ret, error);
  if (call->term->modifier != 0 && g_str_has_suffix (cause->message, "to type bigint"))
    return tally_throw (error, TALLY_ERROR_DATA, "%.*s%s",
                        (int)(strlen (cause->message) - strlen ("bigint")), cause->message,
                        integer_name (call));

  return tally_throw (error, TALLY_ERROR_DATA, "%s", cause->message);
}

static gboolean
boolean_to_bigint (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->integer = args[0].boolean;
  return TRUE;
}

static gboolean
bigint_to_boolean (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->boolean = args[0].integer != 0;
  return TRUE;
}

static gboolean
bigint_to_numeric (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->text = tally_numeric_from_bigint (args[0].integer, call->batch);
  return TRUE;
}

static gboolean
bigint_to_double (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->real = (double)args[0].integer;
  return TRUE;
}

static gboolean
double_to_numeric (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->text = tally_numeric_from_double (args[0].real, call->batch);
  return TRUE;
}

static gboolean
numeric_to_double (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_numeric_to_double (args[0].text, &ret->real, error);
}

static gboolean
jsonb_to_numeric (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_jsonb_to_numeric (args[0].text, &ret->text, error);
}

static gboolean
jsonb_to_double (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_jsonb_to_double (args[0].text, &ret->real, error);
}

static gboolean
jsonb_to_boolean (Call *call, const Value *args, Value *ret, GError **error)
{
  gboolean value;

  if (!tally_jsonb_to_boolean (args[0].text, &value, error))
    return FALSE;

  ret->boolean = (guint8)value;
  return TRUE;
}

static gboolean
date_to_timestamp (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_date_to_timestamp (args[0].date, call->term->type, &ret->integer, error);
}

static gboolean
timestamp_to_date (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->date = tally_timestamp_to_date (args[0].integer);
  return TRUE;
}

/* timestamp and timestamptz are the same number, because the session's zone is UTC. */
static gboolean
same_number (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->integer = args[0].integer;
  return TRUE;
}

static gboolean
boolean_to_text (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->text = args[0].boolean ? (TallyText){ "true", 4 } : (TallyText){ "false", 5 };
  return TRUE;
}

/* numeric, jsonb: held as their text. */
static gboolean
same_text (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->text = args[0].text;
  return TRUE;
}

static gboolean
bigint_to_text (Call *call, const Value *args, Value *ret, GError **error)
{
  char digits[20], *at = digits + sizeof digits;
  guint64 rest = args[0].integer < 0 ? -(guint64)args[0].integer : (guint64)args[0].integer;

  do
    *--at = (char)('0' + rest % 10);
  while ((rest /= 10) > 0);
  if (args[0].integer < 0)
    *--at = '-';
  ret->text = tally_call_copy (call, at, (gsize)(digits + sizeof digits - at));
  return TRUE;
}

static gboolean
value_to_text (Call *call, const Value *args, Value *ret, GError **error)
{
  tally_value_format (call->term->args[0]->type, &args[0], call->scratch);
  ret->text = tally_call_copy (call, call->scratch->str, call->scratch->len);
  return TRUE;
}

static gboolean
array_to_text (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_jsonb_to_array_text (args[0].text, call->batch, &ret->text, error);
}

static gboolean
text_to_value (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_value_parse (call->term->type, args[0].text, call->batch, ret, error);
}

static gboolean
text_to_array (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_jsonb_from_array_text (args[0].text, call->batch, &ret->text, error);
}

static const struct
{
  CastContext context;
  Function function;
} casts[] = {
  { CAST_IMPLICIT, { "cast", "i", 'n', bigint_to_numeric } },
  { CAST_IMPLICIT, { "cast", "i", 'd', bigint_to_double } },
  { CAST_IMPLICIT, { "cast", "n", 'd', numeric_to_double } },
  { CAST_IMPLICIT, { "cast", "D", 's', date_to_timestamp } },
  { CAST_IMPLICIT, { "cast", "D", 'z', date_to_timestamp } },
  { CAST_IMPLICIT, { "cast", "s", 'z', same_number } },
  { CAST_EXPLICIT, { "cast", "z", 's', same_number } },
  { CAST_EXPLICIT, { "cast", "s", 'D', timestamp_to_date } },
  { CAST_EXPLICIT, { "cast", "z", 'D', timestamp_to_date } },
  { CAST_EXPLICIT, { "cast", "d", 'n', double_to_numeric } },
  { CAST_EXPLICIT, { "cast", "d", 'i', double_to_bigint } },
  { CAST_EXPLICIT, { "cast", "n", 'i', numeric_to_bigint } },
  { CAST_EXPLICIT, { "cast", "b", 'i', boolean_to_bigint } },
  { CAST_EXPLICIT, { "cast", "i", 'b', bigint_to_boolean } },
  { CAST_EXPLICIT, { "cast", "j", 'n', jsonb_to_numeric } },
  { CAST_EXPLICIT, { "cast", "j", 'd', jsonb_to_double } },
  { CAST_EXPLICIT, { "cast", "j", 'i', jsonb_to_bigint } },
  { CAST_EXPLICIT, { "cast", "j", 'b', jsonb_to_boolean } },
  { CAST_EXPLICIT, { "cast", "b", 't', boolean_to_text } },
  { CAST_EXPLICIT, { "cast", "i", 't', bigint_to_text } },
  { CAST_EXPLICIT, { "cast", "n", 't', same_text } },
  { CAST_EXPLICIT, { "cast", "j", 't', same_text } },
  { CAST_EXPLICIT, { "cast", "A", 't', array_to_text } },
  { CAST_EXPLICIT, { "cast", "t", 'A', text_to_array } },
  { CAST_EXPLICIT, { "cast", "t", 'i', NULL, text_to_bigint_kernel } },
};

static const Function to_text = { "cast", "*", 't', value_to_text };
static const Function from_text = { "cast", "t", '*', text_to_value };

const Function tally_narrow_function = { "cast", "i", 'i', bigint_narrow };

CastContext
tally_cast_find (guint from, guint to, const Function **ret_function)
{
  for (guint i = 0; i < G_N_ELEMENTS (casts); i++)
    if (tally_type_of_letter (casts[i].function.args[0]) == from
        && tally_type_of_letter (casts[i].function.result) == to)
      {
        *ret_function = &casts[i].function;
        return casts[i].context;
      }

  if (from == TALLY_TYPE_TEXT)
    *ret_function = &from_text;
  else if (to == TALLY_TYPE_TEXT)
    *ret_function = &to_text;
  else
    return CAST_NONE;
  return CAST_EXPLICIT;
}

gboolean
tally_type_can_cast (TallyType from, TallyType to)
{
  const Function *function;

  return from == to || tally_cast_find (from, to, &function) != CAST_NONE;
}

gboolean
tally_cast_is_implicit (guint from, guint to)
{
  for (guint i = 0; i < G_N_ELEMENTS (casts); i++)
    if (casts[i].context == CAST_IMPLICIT
        && tally_type_of_letter (casts[i].function.args[0]) == from
        && tally_type_of_letter (casts[i].function.result) == to)
      return TRUE;

  return FALSE;
}

static gboolean
numeric_limit (Call *call, const Value *args, Value *ret, GError **error)
{
  gint precision = (gint)(call->term->modifier >> 32), scale = (gint)(gint32)call->term->modifier;

  return tally_numeric_limit (args[0].text, precision, scale, call->batch, &ret->text, error);
}

/* varchar(n) by an explicit cast cuts what is too long, without a word. */
static gboolean
text_limit (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text;
  gsize at = 0;

  for (gint64 left = call->term->modifier; left > 0 && at < text.length; left--)
    for (at++; at < text.length && ((guchar)text.data[at] & 0xc0) == 0x80; at++)
      ;

  ret->text = (TallyText){ text.data, at };
  return TRUE;
}

/* timestamp(n) rounds to n digits of a second, half away from zero. */
static gboolean
time_limit (Call *call, const Value *args, Value *ret, GError **error)
{
  static const gint64 scales[] = { 1000000, 100000, 10000, 1000, 100, 10, 1 };
  gint64 scale = scales[call->term->modifier], value = args[0].integer, half = scale / 2;

  ret->integer = value;
  if (value != TALLY_TIMESTAMP_INFINITY && value != TALLY_TIMESTAMP_MINUS_INFINITY)
    ret->integer = value >= 0 ? (value + half) / scale * scale : -((-value + half) / scale * scale);
  return TRUE;
}

const Function tally_limit_numeric_function = { "cast", "n", 'n', numeric_limit };
const Function tally_limit_text_function = { "cast", "t", 't', text_limit };
const Function tally_limit_time_function = { "cast", "*", '*', time_limit };
