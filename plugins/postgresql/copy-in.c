/* copy-in.c: rows as COPY … FROM STDIN takes them, in binary or as text */
#include "copy-in.h"
#include "array.h"
#include <string.h>

static const char signature[11] = "PGCOPY\n\377\r\n";

/* g_string_append_len(), inline where there is room: a row is many short pieces. */
static inline void
append (gconstpointer data, gsize length, GString *out)
{
  if (length >= out->allocated_len - out->len)
    {
      g_string_append_len (out, data, (gssize)length);
      return;
    }
  memcpy (out->str + out->len, data, length);
  out->len += length;
  out->str[out->len] = '\0';
}

static inline void
append_int (guint64 value, guint size, GString *out)
{
  value = GUINT64_TO_BE (value << 8 * (8 - size));
  append (&value, size, out);
}

void
pg_copy_in_begin (gboolean binary, GString *out)
{
  if (!binary)
    return;
  g_string_append_len (out, signature, sizeof signature);
  append_int (0, 4, out);
  append_int (0, 4, out);
}

void
pg_copy_in_end (gboolean binary, GString *out)
{
  if (binary)
    append_int ((guint16)-1, 2, out);
}

/* ---- numeric: base 10000, from the point on in both directions ---- */

enum
{
  NUMERIC_NEGATIVE = 0x4000,
  NUMERIC_NAN = 0xC000,
  NUMERIC_INFINITY = 0xD000,
  NUMERIC_MINUS_INFINITY = 0xF000,
};

static void
append_numeric_parts (guint n_digits, gint weight, guint sign, guint scale, GString *out)
{
  append_int (n_digits, 2, out);
  append_int ((guint16)weight, 2, out);
  append_int (sign, 2, out);
  append_int (scale, 2, out);
}

/* The four decimal digits from place on, places counted from the point: 0 is the first before it. */
static guint
group (const char *whole, gsize n_whole, const char *fraction, gsize n_fraction, gssize index)
{
  guint value = 0;

  for (gssize i = 0; i < 4; i++)
    {
      gssize place = index * 4 + 3 - i; /* of 10; negative: after the point */
      char digit = '0';

      if (place >= 0 && place < (gssize)n_whole)
        digit = whole[n_whole - 1 - place];
      else if (place < 0 && -place <= (gssize)n_fraction)
        digit = fraction[-place - 1];
      value = value * 10 + (guint)(digit - '0');
    }
  return value;
}

static void
append_numeric (TallyText text, GString *out)
{
  const char *digits = text.data, *end = text.data + text.length, *point, *fraction;
  gboolean negative = text.length > 0 && *digits == '-';
  gsize n_whole, n_fraction, header = out->len;
  gssize weight, last;
  guint n = 0;

  if (tally_text_equal (text, "NaN") || g_ascii_isalpha (digits[negative]))
    {
      append_numeric_parts (0, 0,
                            digits[negative] == 'N' ? NUMERIC_NAN
                            : negative              ? NUMERIC_MINUS_INFINITY
                                                    : NUMERIC_INFINITY,
                            0, out);
      return;
    }

  digits += negative;
  point = memchr (digits, '.', end - digits);
  n_whole = (point != NULL ? point : end) - digits;
  fraction = point != NULL ? point + 1 : end;
  n_fraction = end - fraction;
  weight = (gssize)(n_whole + 3) / 4 - 1;
  last = -(gssize)((n_fraction + 3) / 4);
  while (weight >= last && group (digits, n_whole, fraction, n_fraction, weight) == 0)
    weight--;
  while (last < weight && group (digits, n_whole, fraction, n_fraction, last) == 0)
    last++;

  append_numeric_parts (0, weight < last ? 0 : (gint)weight, negative && weight >= last ? NUMERIC_NEGATIVE : 0,
                        (guint)n_fraction, out);
  for (gssize index = weight; index >= last; index--, n++)
    append_int (group (digits, n_whole, fraction, n_fraction, index), 2, out);
  out->str[header] = (char)(n >> 8);
  out->str[header + 1] = (char)n;
}

/* ---- Binary ---- */

/* A value of a fixed size, and its length before it. */
static inline void
append_sized (guint64 value, guint size, GString *out)
{
  guint8 bytes[12];
  guint32 length = GUINT32_TO_BE (size);

  value = GUINT64_TO_BE (value << 8 * (8 - size));
  memcpy (bytes, &length, 4);
  memcpy (bytes + 4, &value, size);
  append (bytes, 4 + size, out);
}

static void
append_interval (TallyInterval interval, GString *out)
{
  append_int (16, 4, out);
  append_int ((guint64)interval.microseconds, 8, out);
  append_int ((guint32)interval.days, 4, out);
  append_int ((guint32)interval.months, 4, out);
}

static void
append_text_value (TallyType type, TallyText text, GString *out)
{
  gsize at = out->len;
  guint32 length;

  append_int (text.length, 4, out);
  if (type == TALLY_TYPE_NUMERIC)
    append_numeric (text, out);
  else
    {
      if (type == TALLY_TYPE_JSONB)
        append_int (1, 1, out); /* the version of the form */
      append (text.data, text.length, out);
      if (type != TALLY_TYPE_JSONB)
        return;
    }
  length = GUINT32_TO_BE ((guint32)(out->len - at - 4));
  memcpy (out->str + at, &length, 4);
}

static void
append_value (TallyType type, gconstpointer vector, guint row, GString *out)
{
  guint64 bits;

  switch (type)
    {
    case TALLY_TYPE_BOOLEAN:
      append_sized (((const guint8 *)vector)[row], 1, out);
      break;
    case TALLY_TYPE_DATE:
      append_sized ((guint32)((const gint32 *)vector)[row], 4, out);
      break;
    case TALLY_TYPE_BIGINT:
    case TALLY_TYPE_DOUBLE:
    case TALLY_TYPE_TIMESTAMP:
    case TALLY_TYPE_TIMESTAMPTZ:
      memcpy (&bits, (const char *)vector + (gsize)row * 8, 8);
      append_sized (bits, 8, out);
      break;
    case TALLY_TYPE_INTERVAL:
      append_interval (((const TallyInterval *)vector)[row], out);
      break;
    default:
      append_text_value (type, ((const TallyText *)vector)[row], out);
      break;
    }
}

static void
append_binary (const TallyBatch *batch, guint row, const PgColumn *columns, guint n_columns, const gint64 *number,
               GString *out)
{
  TallySchema *schema = tally_batch_schema (batch);

  append_int (n_columns + (number != NULL), 2, out);
  for (guint i = 0; i < n_columns; i++)
    if (tally_batch_is_null (batch, row, columns[i].index))
      append_int ((guint32)-1, 4, out);
    else
      append_value (tally_schema_column (schema, columns[i].index)->type, tally_batch_vector (batch, columns[i].index), row,
                    out);
  if (number != NULL)
    append_sized ((guint64)*number, 8, out);
}

/* ---- Text ---- */

/* What means something in COPY's text form is written as an escape. */
static void
append_escaped (const char *data, gsize length, GString *out)
{
  for (gsize i = 0; i < length; i++)
    switch (data[i])
      {
      case '\\':
        g_string_append (out, "\\\\");
        break;
      case '\n':
        g_string_append (out, "\\n");
        break;
      case '\r':
        g_string_append (out, "\\r");
        break;
      case '\t':
        g_string_append (out, "\\t");
        break;
      default:
        g_string_append_c (out, data[i]);
      }
}

static void
append_text (const TallyBatch *batch, guint row, const PgColumn *columns, guint n_columns, const gint64 *number,
             GString *out)
{
  g_autoptr (GString) value = g_string_new (NULL);

  for (guint i = 0; i < n_columns; i++)
    {
      if (i > 0)
        g_string_append_c (out, '\t');
      if (tally_batch_is_null (batch, row, columns[i].index))
        {
          g_string_append (out, "\\N");
          continue;
        }
      g_string_truncate (value, 0);
      if (columns[i].dimensions > 0)
        pg_append_array (tally_batch_get_text (batch, row, columns[i].index), columns[i].dimensions, value);
      else
        tally_batch_append_value (batch, row, columns[i].index, value);
      append_escaped (value->str, value->len, out);
    }
  if (number != NULL)
    g_string_append_printf (out, "%s%" G_GINT64_FORMAT, n_columns > 0 ? "\t" : "", *number);
  g_string_append_c (out, '\n');
}

void
pg_copy_in_append (gboolean binary, const TallyBatch *batch, guint row, const PgColumn *columns, guint n_columns,
                   const gint64 *number, GString *out)
{
  if (binary)
    append_binary (batch, row, columns, n_columns, number, out);
  else
    append_text (batch, row, columns, n_columns, number, out);
}
