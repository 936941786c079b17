/* value.c: text to value and back
 *
 * One function a type and direction, in two tables.  What belongs to a calendar, to exact decimals
 * or to jsonb is in the files of these names; here are the small types.
 */
#include "value.h"
#include "datetime.h"
#include "jsonb.h"
#include "numeric.h"
#include "value-private.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A message quotes no more of a value than a person reads. */
#define MAX_QUOTED 1000

typedef gboolean (*ParseFunc) (TallyText text, TallyBatch *batch, gpointer ret_value,
                               GError **error);
typedef void (*FormatFunc) (gconstpointer value, GString *out);

char *
tally_value_quote (TallyText text)
{
  gsize length = MIN (text.length, MAX_QUOTED);
  g_autofree char *valid = NULL;

  while (length < text.length && length > 0 && ((guchar)text.data[length] & 0xc0) == 0x80)
    length--;
  valid = g_utf8_make_valid (text.data, length);
  return length < text.length ? g_strconcat (valid, "…", NULL) : g_steal_pointer (&valid);
}

gboolean
tally_value_throw_syntax (GError **error, const char *type, TallyText text)
{
  g_autofree char *quoted = tally_value_quote (text);

  return tally_throw (error, TALLY_ERROR_DATA, "invalid input syntax for type %s: \"%s\"", type,
                      quoted);
}

TallyText
tally_value_copy (TallyBatch *batch, const char *data, gsize length)
{
  char *copy = tally_batch_alloc (batch, MAX (length, 1));

  memcpy (copy, data, length);
  return (TallyText){ copy, length };
}

TallyText
tally_value_trim (TallyText text)
{
  while (text.length > 0 && tally_is_space (text.data[0]))
    {
      text.data++;
      text.length--;
    }
  while (text.length > 0 && tally_is_space (text.data[text.length - 1]))
    text.length--;
  return text;
}

/* Shows the bytes that the first one says belong together. */
gboolean
tally_value_check_utf8 (TallyText text, GError **error)
{
  const char *end;
  g_autoptr (GString) bytes = NULL;
  gsize size;

  if (g_utf8_validate_len (text.data, text.length, &end))
    return TRUE;

  size = (guchar)*end < 0xc0 || (guchar)*end >= 0xf8 ? 1
         : (guchar)*end < 0xe0                       ? 2
         : (guchar)*end < 0xf0                       ? 3
                                                     : 4;
  size = MIN (size, (gsize)(text.data + text.length - end));
  bytes = g_string_new (NULL);
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (bytes, "%s0x%02x", i > 0 ? " " : "", (guint)(guchar)end[i]);
  return tally_throw (error, TALLY_ERROR_DATA, "invalid byte sequence for encoding \"UTF8\": %s",
                      bytes->str);
}

static gboolean
text_parse (TallyText text, TallyBatch *batch, gpointer ret_value, GError **error)
{
  if (!tally_value_check_utf8 (text, error))
    return FALSE;

  *(TallyText *)ret_value = text;
  return TRUE;
}

/* Any beginning of these words will do, as long as only one has it. */
static const struct
{
  const char *word;
  gsize shortest;
  gboolean value;
} boolean_words[] = {
  { "true", 1, TRUE }, { "false", 1, FALSE }, { "yes", 1, TRUE }, { "no", 1, FALSE },
  { "on", 2, TRUE },   { "off", 2, FALSE },   { "1", 1, TRUE },   { "0", 1, FALSE },
};

static gboolean
boolean_parse (TallyText text, TallyBatch *batch, gpointer ret_value, GError **error)
{
  TallyText word = tally_value_trim (text);

  for (guint i = 0; i < G_N_ELEMENTS (boolean_words); i++)
    if (word.length >= boolean_words[i].shortest && word.length <= strlen (boolean_words[i].word)
        && g_ascii_strncasecmp (word.data, boolean_words[i].word, word.length) == 0)
      {
        *(guint8 *)ret_value = boolean_words[i].value;
        return TRUE;
      }

  return tally_value_throw_syntax (error, "boolean", text);
}

static gboolean
bigint_parse (TallyText text, TallyBatch *batch, gpointer ret_value, GError **error)
{
  const char *at = text.data, *end = text.data + text.length;
  gboolean negative = FALSE;
  gint64 value = 0; /* counts down: there is one more negative number */

  while (at < end && tally_is_space (*at))
    at++;
  if (at < end && (*at == '-' || *at == '+'))
    negative = *at++ == '-';
  if (at == end || !g_ascii_isdigit (*at))
    return tally_value_throw_syntax (error, "bigint", text);

  for (; at < end && g_ascii_isdigit (*at); at++)
    if (__builtin_mul_overflow (value, 10, &value)
        || __builtin_sub_overflow (value, *at - '0', &value))
      goto out_of_range;
  while (at < end && tally_is_space (*at))
    at++;
  if (at < end)
    return tally_value_throw_syntax (error, "bigint", text);
  if (!negative && value == G_MININT64)
    goto out_of_range;

  *(gint64 *)ret_value = negative ? value : -value;
  return TRUE;

out_of_range:;
  g_autofree char *quoted = tally_value_quote (text);
  return tally_throw (error, TALLY_ERROR_DATA, "value \"%s\" is out of range for type bigint",
                      quoted);
}

/* Decimals short enough that one exact division or multiplication of doubles gives the nearest one.
 */
static gboolean
double_parse_short (TallyText text, double *ret_value)
{
  static const double powers[]
      = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
  const char *at = text.data, *end = text.data + text.length;
  gboolean negative = at < end && *at == '-', point = FALSE;
  guint n_digits = 0, n_fraction = 0;
  guint64 digits = 0;

  if (text.length > 16)
    return FALSE;
  for (at += negative; at < end; at++)
    if (g_ascii_isdigit (*at))
      {
        digits = digits * 10 + (guint)(*at - '0');
        n_digits++;
        n_fraction += point;
      }
    else if (*at == '.' && !point)
      point = TRUE;
    else
      return FALSE;
  if (n_digits == 0 || n_digits > 15)
    return FALSE;

  *ret_value = (double)digits / powers[n_fraction];
  if (negative)
    *ret_value = -*ret_value;
  return TRUE;
}

gboolean
tally_double_parse (TallyText text, TallyText quoted_text, double *ret_value, GError **error)
{
  char stack[128];
  g_autofree char *heap = NULL, *quoted = NULL;
  char *copy = stack, *end;
  TallyText number = tally_value_trim (text);
  double value;
  gint saved;

  if (double_parse_short (number, ret_value))
    return TRUE;
  if (number.length == 0 || memchr (number.data, '\0', number.length) != NULL)
    return tally_value_throw_syntax (error, "double precision", quoted_text);
  if (number.length >= sizeof stack)
    copy = heap = g_malloc (number.length + 1);
  memcpy (copy, number.data, number.length);
  copy[number.length] = '\0';

  errno = 0;
  value = g_ascii_strtod (copy, &end);
  saved = errno;
  /* ERANGE also tells of subnormal numbers, which are fine. */
  if (end > copy && saved == ERANGE && (value == 0 || isinf (value)))
    {
      *end = '\0';
      quoted = tally_value_quote ((TallyText){ copy, strlen (copy) });
      return tally_throw (error, TALLY_ERROR_DATA,
                          "\"%s\" is out of range for type double precision", quoted);
    }
  if (end == copy || *end != '\0')
    return tally_value_throw_syntax (error, "double precision", quoted_text);

  *ret_value = value;
  return TRUE;
}

static gboolean
double_parse (TallyText text, TallyBatch *batch, gpointer ret_value, GError **error)
{
  return tally_double_parse (text, text, ret_value, error);
}

static gboolean
date_parse (TallyText text, TallyBatch *batch, gpointer ret_value, GError **error)
{
  return tally_date_parse (text, ret_value, error);
}

static gboolean
timestamp_parse (TallyText text, TallyBatch *batch, gpointer ret_value, GError **error)
{
  return tally_timestamp_parse (text, ret_value, error);
}

static gboolean
timestamptz_parse (TallyText text, TallyBatch *batch, gpointer ret_value, GError **error)
{
  return tally_timestamptz_parse (text, ret_value, error);
}

static gboolean
interval_parse (TallyText text, TallyBatch *batch, gpointer ret_value, GError **error)
{
  return tally_interval_parse (text, ret_value, error);
}

static gboolean
numeric_parse (TallyText text, TallyBatch *batch, gpointer ret_value, GError **error)
{
  return tally_numeric_parse (text, batch, ret_value, error);
}

static gboolean
jsonb_parse (TallyText text, TallyBatch *batch, gpointer ret_value, GError **error)
{
  return tally_jsonb_parse (text, batch, ret_value, error);
}

/* The hexadecimal form, after its \x.  Blanks may stand between bytes. */
static gboolean
bytea_parse_hex (TallyText text, char *bytes, gsize *ret_length, GError **error)
{
  gsize length = 0;

  for (gsize i = 0; i < text.length;)
    {
      gint high = g_ascii_xdigit_value (text.data[i]), low;

      if (strchr (" \n\t\r", text.data[i]) != NULL && text.data[i] != '\0')
        {
          i++;
          continue;
        }
      if (high >= 0 && i + 1 == text.length)
        return tally_throw (error, TALLY_ERROR_DATA,
                            "invalid hexadecimal data: odd number of digits");
      low = high >= 0 ? g_ascii_xdigit_value (text.data[++i]) : -1;
      if (low < 0)
        {
          const char *end = g_utf8_find_next_char (text.data + i, text.data + text.length);
          gsize size = end != NULL ? (gsize)(end - text.data) - i : text.length - i;
          g_autofree char *quoted = tally_value_quote ((TallyText){ text.data + i, size });

          return tally_throw (error, TALLY_ERROR_DATA, "invalid hexadecimal digit: \"%s\"", quoted);
        }
      bytes[length++] = (char)(high << 4 | low);
      i++;
    }

  *ret_length = length;
  return TRUE;
}

/* The older form: \\ is a backslash, \ooo a byte in octal, all else itself. */
static gboolean
bytea_parse_escapes (TallyText text, char *bytes, gsize *ret_length, GError **error)
{
  const char *at = text.data, *end = text.data + text.length;
  gsize length = 0;

  while (at < end)
    if (*at != '\\')
      bytes[length++] = *at++;
    else if (end - at >= 4 && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' && at[2] <= '7'
             && at[3] >= '0' && at[3] <= '7')
      {
        bytes[length++] = (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0'));
        at += 4;
      }
    else if (end - at >= 2 && at[1] == '\\')
      {
        bytes[length++] = '\\';
        at += 2;
      }
    else
      return tally_throw (error, TALLY_ERROR_DATA, "invalid input syntax for type bytea");

  *ret_length = length;
  return TRUE;
}

static gboolean
bytea_parse (TallyText text, TallyBatch *batch, gpointer ret_value, GError **error)
{
  gboolean hex = text.length >= 2 && text.data[0] == '\\' && text.data[1] == 'x';
  char *bytes;
  gsize length = 0;

  if (!hex && memchr (text.data, '\\', text.length) == NULL)
    {
      *(TallyText *)ret_value = text;
      return TRUE;
    }

  bytes = tally_batch_alloc (batch, MAX (text.length, 1));
  if (hex ? !bytea_parse_hex ((TallyText){ text.data + 2, text.length - 2 }, bytes, &length, error)
          : !bytea_parse_escapes (text, bytes, &length, error))
    return FALSE;

  *(TallyText *)ret_value = (TallyText){ bytes, length };
  return TRUE;
}

static const ParseFunc parsers[TALLY_N_TYPES] = {
  [TALLY_TYPE_TEXT] = text_parse,           [TALLY_TYPE_BOOLEAN] = boolean_parse,
  [TALLY_TYPE_BIGINT] = bigint_parse,       [TALLY_TYPE_DOUBLE] = double_parse,
  [TALLY_TYPE_NUMERIC] = numeric_parse,     [TALLY_TYPE_DATE] = date_parse,
  [TALLY_TYPE_TIMESTAMP] = timestamp_parse, [TALLY_TYPE_TIMESTAMPTZ] = timestamptz_parse,
  [TALLY_TYPE_INTERVAL] = interval_parse,   [TALLY_TYPE_BYTEA] = bytea_parse,
  [TALLY_TYPE_JSONB] = jsonb_parse,
};

gboolean
tally_value_parse (TallyType type, TallyText text, TallyBatch *batch, gpointer ret_value,
                   GError **error)
{
  return parsers[type](text, batch, ret_value, error);
}

static void
text_format (gconstpointer value, GString *out)
{
  const TallyText *text = value;

  g_string_append_len (out, text->data, text->length);
}

static void
boolean_format (gconstpointer value, GString *out)
{
  g_string_append_c (out, *(const guint8 *)value ? 't' : 'f');
}

void
tally_bigint_append (gint64 value, GString *out)
{
  char digits[20];
  guint64 rest = value < 0 ? -(guint64)value : (guint64)value;
  gsize at = sizeof digits;

  do
    digits[--at] = (char)('0' + rest % 10);
  while ((rest /= 10) > 0);
  if (value < 0)
    digits[--at] = '-';
  g_string_append_len (out, digits + at, sizeof digits - at);
}

static void
bigint_format (gconstpointer value, GString *out)
{
  tally_bigint_append (*(const gint64 *)value, out);
}

static void
double_format (gconstpointer value, GString *out)
{
  tally_double_append (*(const double *)value, out);
}

static void
date_format (gconstpointer value, GString *out)
{
  tally_date_append (*(const gint32 *)value, out);
}

static void
timestamp_format (gconstpointer value, GString *out)
{
  tally_timestamp_append (*(const gint64 *)value, out);
}

static void
timestamptz_format (gconstpointer value, GString *out)
{
  tally_timestamptz_append (*(const gint64 *)value, out);
}

static void
interval_format (gconstpointer value, GString *out)
{
  tally_interval_append (*(const TallyInterval *)value, out);
}

static void
bytea_format (gconstpointer value, GString *out)
{
  const TallyText *bytes = value;
  gsize start = out->len + 2;

  g_string_append (out, "\\x");
  g_string_set_size (out, start + 2 * bytes->length);
  for (gsize i = 0; i < bytes->length; i++)
    {
      guchar byte = (guchar)bytes->data[i];

      out->str[start + 2 * i] = "0123456789abcdef"[byte >> 4];
      out->str[start + 2 * i + 1] = "0123456789abcdef"[byte & 15];
    }
}

static const FormatFunc formatters[TALLY_N_TYPES] = {
  [TALLY_TYPE_TEXT] = text_format,           [TALLY_TYPE_BOOLEAN] = boolean_format,
  [TALLY_TYPE_BIGINT] = bigint_format,       [TALLY_TYPE_DOUBLE] = double_format,
  [TALLY_TYPE_NUMERIC] = text_format,        [TALLY_TYPE_DATE] = date_format,
  [TALLY_TYPE_TIMESTAMP] = timestamp_format, [TALLY_TYPE_TIMESTAMPTZ] = timestamptz_format,
  [TALLY_TYPE_INTERVAL] = interval_format,   [TALLY_TYPE_BYTEA] = bytea_format,
  [TALLY_TYPE_JSONB] = text_format,
};

void
tally_value_format (TallyType type, gconstpointer value, GString *out)
{
  formatters[type](value, out);
}
