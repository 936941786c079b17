/* identity.c: equal values, equal bytes
 *
 * Each value is its length and then its bytes, which are the ones in memory wherever a type has one
 * form for each value.  Four types have several: 1.0 and 1.00, 0 and -0, a month and thirty days,
 * and jsonb because of the numbers in it.
 */
#include "identity.h"
#include "datetime.h"
#include <math.h>
#include <string.h>

#define NOTHING G_MAXUINT64 /* no value is as long */

static void
append_sized (gconstpointer data, guint64 length, GString *out)
{
  g_string_append_len (out, (const char *)&length, sizeof length);
  g_string_append_len (out, data, length);
}

/* The digits of a number without the zeros that end its fraction. */
static gsize
significant_length (const char *number, gsize length)
{
  if (memchr (number, '.', length) == NULL)
    return length;

  while (number[length - 1] == '0')
    length--;
  return number[length - 1] == '.' ? length - 1 : length;
}

static gsize
string_length (const char *text, gsize length)
{
  gsize i = 1;

  while (i < length && text[i] != '"')
    i += text[i] == '\\' ? 2 : 1;
  return MIN (i + 1, length);
}

/* Canonical JSON differs in nothing but the scale of its numbers. */
static void
append_jsonb (TallyText json, GString *out)
{
  gsize start = out->len, n;
  guint64 length = 0;

  g_string_append_len (out, (const char *)&length, sizeof length);
  for (gsize i = 0; i < json.length; i += n)
    {
      const char *at = json.data + i;

      n = 1;
      if (*at == '"')
        n = string_length (at, json.length - i);
      while (g_ascii_isdigit (*at) && i + n < json.length
             && (g_ascii_isdigit (at[n]) || at[n] == '.'))
        n++;
      g_string_append_len (out, at, g_ascii_isdigit (*at) ? significant_length (at, n) : n);
    }
  length = out->len - start - sizeof length;
  memcpy (out->str + start, &length, sizeof length);
}

static void
append_double (double value, GString *out)
{
  if (value == 0)
    value = 0;
  if (isnan (value))
    value = NAN;
  append_sized (&value, sizeof value, out);
}

void
tally_identity_append_value (TallyType type, gconstpointer value, GString *out)
{
  const guint64 nothing = NOTHING;
  const TallyText *text = value;
  __int128 length;

  if (value == NULL)
    {
      g_string_append_len (out, (const char *)&nothing, sizeof nothing);
      return;
    }

  switch (type)
    {
    case TALLY_TYPE_TEXT:
    case TALLY_TYPE_BYTEA:
      append_sized (text->data, text->length, out);
      break;
    case TALLY_TYPE_NUMERIC:
      append_sized (text->data, significant_length (text->data, text->length), out);
      break;
    case TALLY_TYPE_JSONB:
      append_jsonb (*text, out);
      break;
    case TALLY_TYPE_DOUBLE:
      append_double (*(const double *)value, out);
      break;
    case TALLY_TYPE_INTERVAL:
      length = tally_interval_length (*(const TallyInterval *)value);
      append_sized (&length, sizeof length, out);
      break;
    case TALLY_TYPE_BOOLEAN:
    case TALLY_TYPE_BIGINT:
    case TALLY_TYPE_DATE:
    case TALLY_TYPE_TIMESTAMP:
    case TALLY_TYPE_TIMESTAMPTZ:
      append_sized (value, tally_type_size (type), out);
      break;
    }
}

void
tally_identity_append (const TallyBatch *batch, guint row, guint column, GString *out)
{
  TallyType type = tally_schema_column (tally_batch_schema (batch), column)->type;
  const char *vector = tally_batch_vector (batch, column);
  gboolean is_null = tally_batch_is_null (batch, row, column);

  tally_identity_append_value (type, is_null ? NULL : vector + row * tally_type_size (type), out);
}
