/* text-build.c: functions that make a text of other things: concat, format, pad, encode, digests */
#include "record/jsonb.h"
#include "record/value.h"
#include "text.h"
#include <stdlib.h>
#include <uninorm.h>

void
tally_term_append_value (guint type, const Value *value, TallyBatch *batch, GString *out)
{
  TallyText text;

  if (type != TYPE_TEXT_ARRAY)
    tally_value_format (type, value, out);
  else if (tally_jsonb_to_array_text (value->text, batch, &text, NULL))
    g_string_append_len (out, text.data, (gssize)text.length);
}

static gboolean
is_null (const Call *call, guint arg)
{
  return (call->nulls >> arg & 1) != 0;
}

static void
append_arg (Call *call, const Value *args, guint arg)
{
  tally_term_append_value (call->term->args[arg]->type, &args[arg], call->batch, call->scratch);
}

static gboolean
concat (Call *call, const Value *args, Value *ret, GError **error)
{
  for (guint i = 0; i < call->term->n_args; i++)
    if (!is_null (call, i))
      append_arg (call, args, i);

  return text_finish (call, ret, error);
}

static gboolean
concat_ws (Call *call, const Value *args, Value *ret, GError **error)
{
  gboolean first = TRUE;

  call->is_null = is_null (call, 0);
  for (guint i = 1; i < call->term->n_args && !call->is_null; i++)
    if (!is_null (call, i))
      {
        if (!first)
          g_string_append_len (call->scratch, args[0].text.data, (gssize)args[0].text.length);
        first = FALSE;
        append_arg (call, args, i);
      }

  return text_finish (call, ret, error);
}

/* num_nulls(), num_nonnulls() */
static gboolean
count_nulls (Call *call, const Value *args, Value *ret, GError **error)
{
  gint64 n_nulls = __builtin_popcountll (call->nulls);

  ret->integer = call->term->function->detail ? n_nulls : call->term->n_args - n_nulls;
  return TRUE;
}

/* lpad, rpad: cut or filled to n characters. */
static gboolean
pad (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text,
            fill = call->term->n_args == 3 ? args[2].text : (TallyText){ " ", 1 };
  gint64 wanted = MAX (args[1].integer, 0), missing;
  gboolean before = call->term->function->detail;
  gsize at = 0;

  if (wanted > MAX_RESULT)
    return tally_throw (error, TALLY_ERROR_LIMIT, "requested length too large");
  missing = wanted - text_length (text);
  if (missing <= 0 || fill.length == 0)
    {
      ret->text = text_slice (text, 0, text_offset (text, wanted));
      return TRUE;
    }

  if (!before)
    g_string_append_len (call->scratch, text.data, (gssize)text.length);
  for (; missing > 0; missing--)
    {
      gsize size = text_char_size (fill, at);

      g_string_append_len (call->scratch, fill.data + at, (gssize)size);
      at = at + size < fill.length ? at + size : 0;
    }
  if (before)
    g_string_append_len (call->scratch, text.data, (gssize)text.length);
  return text_finish (call, ret, error);
}

static gboolean
repeat (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text;
  gint64 n = MAX (args[1].integer, 0);

  ret->text = (TallyText){ "", 0 };
  if (text.length == 0 || n == 0)
    return TRUE;
  if (n > MAX_RESULT || text.length > MAX_RESULT / (gsize)n)
    return tally_throw (error, TALLY_ERROR_LIMIT, "requested length too large");

  char *copy = tally_batch_alloc (call->batch, text.length * (gsize)n);
  for (gint64 i = 0; i < n; i++)
    memcpy (copy + (gsize)i * text.length, text.data, text.length);
  ret->text = (TallyText){ copy, text.length * (gsize)n };
  return TRUE;
}

static gboolean
to_hex (Call *call, const Value *args, Value *ret, GError **error)
{
  g_string_printf (call->scratch, "%" G_GINT64_MODIFIER "x", (guint64)args[0].integer);
  return text_finish (call, ret, error);
}

/* Quoting for SQL. */

static void
append_quoted_literal (TallyText text, GString *out)
{
  gboolean escapes = memchr (text.data, '\\', text.length) != NULL;

  g_string_append (out, escapes ? "E'" : "'");
  for (gsize i = 0; i < text.length; i++)
    {
      if (text.data[i] == '\'' || text.data[i] == '\\')
        g_string_append_c (out, text.data[i]);
      g_string_append_c (out, text.data[i]);
    }
  g_string_append_c (out, '\'');
}

/* Of any value, as its text. */
static gboolean
quote_literal (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (call->term->args[0]->type == TALLY_TYPE_BOOLEAN)
    g_string_append (text, args[0].boolean ? "true" : "false");
  else
    tally_term_append_value (call->term->args[0]->type, &args[0], call->batch, text);
  append_quoted_literal ((TallyText){ text->str, text->len }, call->scratch);
  return text_finish (call, ret, error);
}

static gboolean
quote_nullable (Call *call, const Value *args, Value *ret, GError **error)
{
  if (!is_null (call, 0))
    return quote_literal (call, args, ret, error);

  ret->text = text_literal ("NULL");
  return TRUE;
}

/* format(): %[position$][flags][width]type, of the types s, I and L; I would need PostgreSQL's list
 * of reserved words. */

typedef struct
{
  guint position; /* from 1; 0: the next */
  guint width;
  gboolean left;
  char type;
} Directive;

static gboolean
read_number (TallyText format, gsize *at, guint *ret_number)
{
  guint number = 0;

  while (*at < format.length && g_ascii_isdigit (format.data[*at]))
    {
      number = number * 10 + (guint)(format.data[*at] - '0');
      (*at)++;
      if (number > MAX_RESULT)
        return FALSE;
    }
  *ret_number = number;
  return TRUE;
}

static gboolean
read_directive (TallyText format, gsize *at, Directive *ret, GError **error)
{
  guint number = 0;
  gsize start = *at;

  *ret = (Directive){ 0 };
  if (!read_number (format, at, &number))
    return tally_throw (error, TALLY_ERROR_DATA, "number is out of range");
  if (*at > start && *at < format.length && format.data[*at] == '$')
    {
      if (number == 0)
        return tally_throw (error, TALLY_ERROR_DATA,
                            "format specifies argument 0, but arguments are numbered from 1");
      ret->position = number;
      (*at)++;
      start = *at;
      number = 0;
    }
  else
    *at = start;
  for (; *at < format.length && format.data[*at] == '-'; (*at)++)
    ret->left = TRUE;
  if (*at < format.length && format.data[*at] == '*')
    return tally_throw (error, TALLY_ERROR_UNSUPPORTED,
                        "a width of * in format() is not supported");
  if (!read_number (format, at, &ret->width))
    return tally_throw (error, TALLY_ERROR_DATA, "number is out of range");
  if (*at >= format.length)
    return tally_throw (error, TALLY_ERROR_DATA, "unterminated format() type specifier");

  ret->type = format.data[(*at)++];
  return TRUE;
}

static gboolean
append_directive (Call *call, const Value *args, const Directive *directive, guint arg,
                  GError **error)
{
  GString *out = call->scratch;
  g_autoptr (GString) value = g_string_new (NULL), written = g_string_new (NULL);
  gboolean null = is_null (call, arg);

  if (!null)
    tally_term_append_value (call->term->args[arg]->type, &args[arg], call->batch, value);
  switch (directive->type)
    {
    case 's':
      g_string_append_len (written, value->str, (gssize)value->len);
      break;
    case 'L':
      if (null)
        g_string_append (written, "NULL");
      else
        append_quoted_literal ((TallyText){ value->str, value->len }, written);
      break;
    case 'I':
      return tally_throw (error, TALLY_ERROR_UNSUPPORTED, "%%I in format() is not supported");
    default:
      return tally_throw (error, TALLY_ERROR_DATA, "unrecognized format() type specifier \"%c\"",
                          directive->type);
    }

  gint64 missing
      = (gint64)directive->width - text_length ((TallyText){ written->str, written->len });
  if (!directive->left)
    for (gint64 i = missing; i > 0; i--)
      g_string_append_c (out, ' ');
  g_string_append_len (out, written->str, (gssize)written->len);
  if (directive->left)
    for (gint64 i = missing; i > 0; i--)
      g_string_append_c (out, ' ');
  return TRUE;
}

static gboolean
format (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text;
  guint next = 1;

  if (is_null (call, 0))
    {
      call->is_null = TRUE;
      return TRUE;
    }

  for (gsize at = 0; at < text.length;)
    {
      Directive directive;

      if (text.data[at] != '%')
        {
          g_string_append_c (call->scratch, text.data[at++]);
          continue;
        }
      if (++at < text.length && text.data[at] == '%')
        {
          g_string_append_c (call->scratch, text.data[at++]);
          continue;
        }
      if (!read_directive (text, &at, &directive, error))
        return FALSE;
      if (directive.position > 0)
        next = directive.position;
      if (strchr ("sIL", directive.type) == NULL)
        return tally_throw (error, TALLY_ERROR_DATA, "unrecognized format() type specifier \"%c\"",
                            directive.type);
      if (next >= call->term->n_args)
        return tally_throw (error, TALLY_ERROR_DATA, "too few arguments for format()");
      if (!append_directive (call, args, &directive, next++, error))
        return FALSE;
      if (call->scratch->len > MAX_RESULT)
        break;
    }

  return text_finish (call, ret, error);
}

/* Bytes and text. */

static gboolean
digest (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autofree char *hex
      = g_compute_checksum_for_data ((GChecksumType)call->term->function->detail,
                                     (const guchar *)args[0].text.data, args[0].text.length);

  ret->text = tally_call_copy (call, hex, strlen (hex));
  return TRUE;
}

static gboolean
digest_bytes (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new ((GChecksumType)call->term->function->detail);
  guint8 bytes[64];
  gsize length = sizeof bytes;

  g_checksum_update (checksum, (const guchar *)args[0].text.data, (gssize)args[0].text.length);
  g_checksum_get_digest (checksum, bytes, &length);
  ret->text = tally_call_copy (call, (const char *)bytes, length);
  return TRUE;
}

static gboolean
is_format (TallyText format, const char *name)
{
  return format.length == strlen (name)
         && g_ascii_strncasecmp (format.data, name, format.length) == 0;
}

static gboolean
throw_encoding (TallyText format, GError **error)
{
  return tally_throw (error, TALLY_ERROR_DATA, "unrecognized encoding: \"%.*s\"",
                      (int)MIN (format.length, 100), format.data);
}

/* PostgreSQL breaks base64 after 76 characters. */
static void
append_base64 (TallyText bytes, GString *out)
{
  g_autofree char *encoded = g_base64_encode ((const guchar *)bytes.data, bytes.length);

  for (const char *at = encoded; *at != '\0';)
    {
      gsize line = MIN (strlen (at), 76);

      if (at > encoded)
        g_string_append_c (out, '\n');
      g_string_append_len (out, at, (gssize)line);
      at += line;
    }
}

static gboolean
encode (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText bytes = args[0].text;

  if (is_format (args[1].text, "hex"))
    for (gsize i = 0; i < bytes.length; i++)
      g_string_append_printf (call->scratch, "%02x", (guchar)bytes.data[i]);
  else if (is_format (args[1].text, "base64"))
    append_base64 (bytes, call->scratch);
  else if (is_format (args[1].text, "escape"))
    for (gsize i = 0; i < bytes.length; i++)
      if (bytes.data[i] == '\0' || (guchar)bytes.data[i] >= 0x80)
        g_string_append_printf (call->scratch, "\\%03o", (guchar)bytes.data[i]);
      else
        g_string_append (call->scratch,
                         bytes.data[i] == '\\' ? "\\\\" : (char[]){ bytes.data[i], '\0' });
  else
    return throw_encoding (args[1].text, error);

  return text_finish (call, ret, error);
}

static gboolean
decode_base64 (Call *call, TallyText text, GError **error)
{
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  guint32 bits = 0;
  guint n = 0, padding = 0;

  for (gsize i = 0; i < text.length; i++)
    {
      char c = text.data[i];
      const char *found = c != '\0' ? strchr (letters, c) : NULL;

      if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
        continue;
      if (c == '=')
        {
          if (padding == 0 && n < 2)
            return tally_throw (error, TALLY_ERROR_DATA,
                                "unexpected \"=\" while decoding base64 sequence");
          padding++;
          bits <<= 6;
        }
      else if (found == NULL)
        return tally_throw (error, TALLY_ERROR_DATA,
                            "invalid symbol \"%.*s\" found while decoding base64 sequence",
                            (int)text_char_size (text, i), text.data + i);
      else
        bits = bits << 6 | (guint32)(found - letters);
      if (++n < 4)
        continue;
      g_string_append_c (call->scratch, (char)(bits >> 16));
      if (padding < 2)
        g_string_append_c (call->scratch, (char)(bits >> 8));
      if (padding < 1)
        g_string_append_c (call->scratch, (char)bits);
      n = 0;
      bits = 0;
    }

  if (n != 0)
    return tally_throw (error, TALLY_ERROR_DATA, "invalid base64 end sequence");
  return TRUE;
}

static gboolean
decode (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text;
  Value bytes;

  if (is_format (args[1].text, "base64"))
    return decode_base64 (call, text, error) && text_finish (call, ret, error);
  if (is_format (args[1].text, "hex"))
    {
      g_string_append (call->scratch, "\\x");
      g_string_append_len (call->scratch, text.data, (gssize)text.length);
      text = (TallyText){ call->scratch->str, call->scratch->len };
    }
  else if (!is_format (args[1].text, "escape"))
    return throw_encoding (args[1].text, error);
  else if (text.length >= 2 && memcmp (text.data, "\\x", 2) == 0)
    return tally_throw (error, TALLY_ERROR_DATA, "invalid input syntax for type bytea");

  if (!tally_value_parse (TALLY_TYPE_BYTEA, text, call->batch, &bytes, error))
    return FALSE;
  *ret = bytes;
  return TRUE;
}

/* get_byte(bytes, n) */
static gboolean
get_byte (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText bytes = args[0].text;
  gint64 n = args[1].integer;

  if (n < 0 || n >= (gint64)bytes.length)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "index %" G_GINT64_FORMAT " out of valid range, 0..%" G_GINT64_FORMAT, n,
                        (gint64)bytes.length - 1);

  ret->integer = (guchar)bytes.data[n];
  return TRUE;
}

static void
append_normalized (TallyText text, uninorm_t form, GString *out)
{
  gsize length = 0;
  char *normal = (char *)u8_normalize (form, (const guint8 *)text.data, text.length, NULL, &length);

  if (normal == NULL && text.length > 0)
    g_error ("could not normalize %" G_GSIZE_FORMAT " bytes: out of memory", text.length);
  g_string_append_len (out, normal, (gssize)length);
  free (normal);
}

/* normalize(text [, form]) */
static gboolean
normalize (Call *call, const Value *args, Value *ret, GError **error)
{
  const struct
  {
    const char *name;
    uninorm_t form;
  } forms[] = {
    { "nfc", UNINORM_NFC },
    { "nfd", UNINORM_NFD },
    { "nfkc", UNINORM_NFKC },
    { "nfkd", UNINORM_NFKD },
  };
  TallyText text = args[0].text,
            form = call->term->n_args == 2 ? args[1].text : text_literal ("nfc");

  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    if (is_format (form, forms[i].name))
      {
        append_normalized (text, forms[i].form, call->scratch);
        return text_finish (call, ret, error);
      }

  return tally_throw (error, TALLY_ERROR_DATA, "invalid normalization form: %.*s",
                      (int)MIN (form.length, 100), form.data);
}

static gboolean
is_utf8_name (TallyText name)
{
  return is_format (name, "utf8") || is_format (name, "utf-8") || is_format (name, "unicode");
}

static gboolean
convert (Call *call, const Value *args, Value *ret, GError **error)
{
  if (!is_utf8_name (args[1].text))
    return tally_throw (error, TALLY_ERROR_UNSUPPORTED,
                        "encoding \"%.*s\" is not supported, only UTF8",
                        (int)MIN (args[1].text.length, 100), args[1].text.data);
  if (call->term->type == TALLY_TYPE_TEXT)
    return tally_value_parse (TALLY_TYPE_TEXT, args[0].text, call->batch, ret, error);

  ret->text = args[0].text;
  return TRUE;
}

const Function tally_text_functions[] = {
  { "concat", "*", 't', concat, .flags = FUNCTION_VARIADIC | FUNCTION_TAKES_NULL },
  { "concat_ws", "t*", 't', concat_ws, .flags = FUNCTION_VARIADIC | FUNCTION_TAKES_NULL },
  { "format", "t", 't', format, .flags = FUNCTION_TAKES_NULL },
  { "format", "t*", 't', format, .flags = FUNCTION_VARIADIC | FUNCTION_TAKES_NULL },
  { "num_nulls", "*", 'i', count_nulls, .flags = FUNCTION_VARIADIC | FUNCTION_TAKES_NULL,
    .detail = TRUE },
  { "num_nonnulls", "*", 'i', count_nulls, .flags = FUNCTION_VARIADIC | FUNCTION_TAKES_NULL,
    .detail = FALSE },
  { "lpad", "ti", 't', pad, .detail = TRUE },
  { "lpad", "tit", 't', pad, .detail = TRUE },
  { "rpad", "ti", 't', pad, .detail = FALSE },
  { "rpad", "tit", 't', pad, .detail = FALSE },
  { "repeat", "ti", 't', repeat },
  { "to_hex", "i", 't', to_hex },
  { "quote_literal", "t", 't', quote_literal },
  { "quote_literal", "*", 't', quote_literal },
  { "quote_nullable", "*", 't', quote_nullable, .flags = FUNCTION_TAKES_NULL },
  { "quote_nullable", "t", 't', quote_nullable, .flags = FUNCTION_TAKES_NULL },
  { "md5", "t", 't', digest, .detail = G_CHECKSUM_MD5 },
  { "md5", "y", 't', digest, .detail = G_CHECKSUM_MD5 },
  { "sha256", "y", 'y', digest_bytes, .detail = G_CHECKSUM_SHA256 },
  { "sha384", "y", 'y', digest_bytes, .detail = G_CHECKSUM_SHA384 },
  { "sha512", "y", 'y', digest_bytes, .detail = G_CHECKSUM_SHA512 },
  { "encode", "yt", 't', encode },
  { "decode", "tt", 'y', decode },
  { "get_byte", "yi", 'i', get_byte },
  { "normalize", "t", 't', normalize },
  { "normalize", "tt", 't', normalize },
  { "convert_to", "tt", 'y', convert },
  { "convert_from", "yt", 't', convert },
  { NULL },
};
