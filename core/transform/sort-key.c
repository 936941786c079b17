/* sort-key.c: each type's order as bytes
 *
 * A byte says whether there is a value; it alone decides where NULLs go.  Then:
 *
 *   integers, moments   big-endian, the sign's bit turned over; intervals by their length in microseconds
 *   double precision    the same bits; a negative one's are all turned over, NaN has the greatest
 *   text, bytea         as they are, 00 as 00 FF, and 00 00 at the end
 *   numeric             class, where the point is, two digits a byte, 00 at the end; a negative one's turned over
 *   jsonb               kind, how many it holds, then these
 *
 * Where the order descends, all of a value's bytes are turned over.
 */
#include "sort-key.h"
#include "record/datetime.h"
#include "record/jsonb-private.h"
#include "record/jsonb.h"
#include <math.h>
#include <string.h>

static void
append_byte (guint8 byte, GByteArray *out)
{
  g_byte_array_append (out, &byte, 1);
}

static void
append_unsigned (guint64 value, GByteArray *out)
{
  guint64 big = GUINT64_TO_BE (value);

  g_byte_array_append (out, (const guint8 *)&big, sizeof big);
}

static void
append_signed (gint64 value, GByteArray *out)
{
  append_unsigned ((guint64)value ^ G_GUINT64_CONSTANT (1) << 63, out);
}

static void
invert_from (GByteArray *out, guint start)
{
  for (guint i = start; i < out->len; i++)
    out->data[i] = ~out->data[i];
}

static void
append_double (double value, GByteArray *out)
{
  guint64 bits;

  if (isnan (value))
    {
      append_unsigned (G_MAXUINT64, out);
      return;
    }
  value += 0.0; /* -0 is 0 */
  memcpy (&bits, &value, sizeof bits);
  append_unsigned (bits >> 63 ? ~bits : bits | G_GUINT64_CONSTANT (1) << 63, out);
}

static void
append_interval (TallyInterval interval, GByteArray *out)
{
  __int128 length = tally_interval_length (interval);

  append_signed ((gint64)(length >> 64), out);
  append_unsigned ((guint64)length, out);
}

static void
append_text (const char *data, gsize length, GByteArray *out)
{
  static const guint8 zero[] = { 0, 0xFF }, end[] = { 0, 0 };
  const char *nul;
  gsize done = 0;

  while (done < length && (nul = memchr (data + done, 0, length - done)) != NULL)
    {
      g_byte_array_append (out, (const guint8 *)data + done, (guint)((gsize)(nul - data) - done));
      g_byte_array_append (out, zero, sizeof zero);
      done = (gsize)(nul - data) + 1;
    }
  if (done < length)
    g_byte_array_append (out, (const guint8 *)data + done, (guint)(length - done));
  g_byte_array_append (out, end, sizeof end);
}

/* ---- Numbers ---- */

enum
{
  MINUS_INFINITY,
  NEGATIVE,
  ZERO,
  POSITIVE,
  INFINITE,
  NOT_A_NUMBER,
};

/* A number's digits without its sign, from the first one that is not 0 to the last. */
typedef struct
{
  const char *first, *end;
  gint point; /* grows with the place of the first: from there to where the point is */
} Digits;

static Digits
significant_digits (const char *data, gsize length)
{
  Digits digits = { data, data + length, 0 };
  const char *point = memchr (data, '.', length);

  if (point == NULL)
    point = digits.end;
  while (digits.first < digits.end && (*digits.first == '0' || *digits.first == '.'))
    digits.first++;
  while (digits.end > digits.first && (digits.end[-1] == '0' || digits.end[-1] == '.'))
    digits.end--;
  digits.point = (gint)(point - digits.first);
  return digits;
}

static void
append_digits (Digits digits, GByteArray *out)
{
  guint32 point = GUINT32_TO_BE ((guint32)digits.point ^ 1U << 31);
  guint8 pair = 0;
  gboolean half = FALSE;

  g_byte_array_append (out, (const guint8 *)&point, sizeof point);
  for (const char *at = digits.first; at < digits.end; at++)
    {
      if (*at == '.')
        continue;
      pair = half ? pair + (*at - '0') : (*at - '0') * 10 + 1;
      if (half)
        append_byte (pair, out);
      half = !half;
    }
  if (half)
    append_byte (pair, out);
  append_byte (0, out);
}

static void
append_numeric (TallyText number, GByteArray *out)
{
  gboolean negative = number.data[0] == '-';
  const char *size = number.data + negative;
  gsize length = number.length - negative;
  Digits digits;
  guint start;

  if (*size == 'N' || *size == 'I')
    {
      append_byte (*size == 'N' ? NOT_A_NUMBER : negative ? MINUS_INFINITY : INFINITE, out);
      return;
    }

  digits = significant_digits (size, length);
  if (digits.first == digits.end)
    {
      append_byte (ZERO, out);
      return;
    }
  append_byte (negative ? NEGATIVE : POSITIVE, out);
  start = out->len;
  append_digits (digits, out);
  if (negative)
    invert_from (out, start);
}

/* ---- jsonb ---- */

/* quoted: with JSON's quotes and escapes. */
static void
append_string (TallyText quoted, GByteArray *out)
{
  g_autofree char *plain = g_malloc (quoted.length);

  append_text (plain, tally_jsonb_decode (quoted, plain), out);
}

static guint64
count_items (TallyText json)
{
  TallyJsonbIter iter;
  TallyText key, value;
  guint64 n = 0;

  tally_jsonb_iter_init (&iter, json);
  while (tally_jsonb_iter_next (&iter, &key, &value))
    n++;
  return n;
}

static void
append_json (TallyText json, GByteArray *out)
{
  TallyJsonbKind kind = tally_jsonb_kind (json);
  TallyJsonbIter iter;
  TallyText key, value;

  append_byte ((guint8)kind + 1, out);
  switch (kind)
    {
    case TALLY_JSONB_NULL:
      return;
    case TALLY_JSONB_STRING:
      append_string (json, out);
      return;
    case TALLY_JSONB_NUMBER:
      append_numeric (json, out);
      return;
    case TALLY_JSONB_BOOLEAN:
      append_byte (json.data[0] == 't', out);
      return;
    case TALLY_JSONB_ARRAY:
    case TALLY_JSONB_OBJECT:
      break;
    }

  append_unsigned (count_items (json), out);
  tally_jsonb_iter_init (&iter, json);
  while (tally_jsonb_iter_next (&iter, &key, &value))
    {
      if (kind == TALLY_JSONB_OBJECT)
        append_string (key, out);
      append_json (value, out);
    }
}

/* At the top PostgreSQL takes a scalar for an array of one, so that it is greater than an empty array. */
static void
append_jsonb (TallyText json, GByteArray *out)
{
  if (json.length == strlen ("[]") && json.data[0] == '[')
    append_byte (0, out);
  else
    append_json (json, out);
}

/* ---- All ---- */

static void
append_value (TallyType type, gconstpointer value, GByteArray *out)
{
  const TallyText *text = value;

  switch (type)
    {
    case TALLY_TYPE_TEXT:
    case TALLY_TYPE_BYTEA:
      append_text (text->data, text->length, out);
      break;
    case TALLY_TYPE_BOOLEAN:
      append_byte (*(const guint8 *)value, out);
      break;
    case TALLY_TYPE_BIGINT:
    case TALLY_TYPE_TIMESTAMP:
    case TALLY_TYPE_TIMESTAMPTZ:
      append_signed (*(const gint64 *)value, out);
      break;
    case TALLY_TYPE_DATE:
      append_signed (*(const gint32 *)value, out);
      break;
    case TALLY_TYPE_DOUBLE:
      append_double (*(const double *)value, out);
      break;
    case TALLY_TYPE_NUMERIC:
      append_numeric (*text, out);
      break;
    case TALLY_TYPE_INTERVAL:
      append_interval (*(const TallyInterval *)value, out);
      break;
    case TALLY_TYPE_JSONB:
      append_jsonb (*text, out);
      break;
    }
}

void
tally_sort_key_append (TallyType type, gconstpointer value, TallySortFlags flags, GByteArray *out)
{
  guint start;

  if (value == NULL)
    {
      append_byte (flags & TALLY_SORT_NULLS_FIRST ? 0 : 2, out);
      return;
    }

  append_byte (1, out);
  start = out->len;
  append_value (type, value, out);
  if (flags & TALLY_SORT_DESCENDING)
    invert_from (out, start);
}

void
tally_sort_key_append_column (const TallyBatch *batch, guint row, guint column, TallySortFlags flags,
                              GByteArray *out)
{
  TallyType type = tally_schema_column (tally_batch_schema (batch), column)->type;
  const char *vector = tally_batch_vector (batch, column);

  tally_sort_key_append (
      type, tally_batch_is_null (batch, row, column) ? NULL : vector + row * tally_type_size (type),
      flags, out);
}
