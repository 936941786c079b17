/* text.c: functions that look at a text, take a part of it, or change it letter by letter
 *
 * The locale is C: only ASCII letters have a case, and the order is that of bytes.
 */
#include "text.h"

/* Kernels for what runs over every row of an import: one allocation for a whole column. */

static gsize
total_length (Frame *frame, const Term *term, const Term *arg)
{
  gsize total = 0;

  FOR_EACH_ROW (frame, term->validity, row)
  total += TERM_VALUES (arg, TallyText)[row * arg->step].length;
  return total;
}

static void
change_case_kernel (Frame *frame, Term *term)
{
  const Term *arg = term->args[0];
  TallyText *values = term->values;
  char *at = tally_batch_alloc (frame->batch, MAX (total_length (frame, term, arg), 1));
  guchar first = term->function->detail ? 'A' : 'a';

  FOR_EACH_ROW (frame, term->validity, row)
  {
    TallyText text = TERM_VALUES (arg, TallyText)[row * arg->step];

    for (gsize i = 0; i < text.length; i++)
      {
        guchar c = (guchar)text.data[i];

        at[i] = (char)((guchar)(c - first) < 26 ? c ^ 0x20 : c);
      }
    values[row] = (TallyText){ at, text.length };
    at += text.length;
  }
}

static void
concat_kernel (Frame *frame, Term *term)
{
  TallyText *values = term->values;
  gsize total = 0;
  char *at;

  for (guint i = 0; i < term->n_args; i++)
    total += total_length (frame, term, term->args[i]);
  at = tally_batch_alloc (frame->batch, MAX (total, 1));

  FOR_EACH_ROW (frame, term->validity, row)
  {
    char *start = at;

    for (guint i = 0; i < term->n_args; i++)
      {
        TallyText text = TERM_VALUES (term->args[i], TallyText)[row * term->args[i]->step];

        memcpy (at, text.data, text.length);
        at += text.length;
      }
    values[row] = (TallyText){ start, (gsize)(at - start) };
  }
}

static void
length_kernel (Frame *frame, Term *term)
{
  const Term *arg = term->args[0];
  gint64 *values = term->values;
  gintptr bits = term->function->detail;

  FOR_EACH_ROW (frame, term->validity, row)
  {
    TallyText text = TERM_VALUES (arg, TallyText)[row * arg->step];

    values[row] = bits > 0 ? (gint64)text.length * bits : text_length (text);
  }
}

const Function tally_text_concat_function
    = { "||", "t", 't', .kernel = concat_kernel, .flags = FUNCTION_VARIADIC };
const Function tally_bytea_concat_function
    = { "||", "y", 'y', .kernel = concat_kernel, .flags = FUNCTION_VARIADIC };

/* trim(): a set of characters off the ends. */

enum
{
  TRIM_LEFT = 1,
  TRIM_RIGHT = 2,
};

static gboolean
set_has (TallyText set, TallyText text, gsize at, gsize size)
{
  for (gsize i = 0; i < set.length; i += text_char_size (set, i))
    if (text_char_size (set, i) == size && memcmp (set.data + i, text.data + at, size) == 0)
      return TRUE;

  return FALSE;
}

static gboolean
trim (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text,
            set = call->term->n_args == 2 ? args[1].text : (TallyText){ " ", 1 };
  gintptr ends = call->term->function->detail;
  gsize from = 0, to = text.length, size;

  while ((ends & TRIM_LEFT) && from < to
         && set_has (set, text, from, size = text_char_size (text, from)))
    from += size;
  while ((ends & TRIM_RIGHT) && to > from)
    {
      gsize start = to - 1;

      while (start > from && !text_is_start (text.data[start]))
        start--;
      if (!set_has (set, text, start, to - start))
        break;
      to = start;
    }

  ret->text = text_slice (text, from, to);
  return TRUE;
}

static gboolean
initcap (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = tally_call_copy (call, args[0].text.data, args[0].text.length);
  char *at = (char *)text.data;
  gboolean inside = FALSE;

  for (gsize i = 0; i < text.length; i++)
    {
      at[i] = inside ? g_ascii_tolower (at[i]) : g_ascii_toupper (at[i]);
      inside = g_ascii_isalnum (at[i]);
    }
  ret->text = text;
  return TRUE;
}

static gboolean
counts_bytes (const Call *call)
{
  return call->term->type == TALLY_TYPE_BYTEA;
}

/* substr(text, start [, length]): positions before 1 count, but hold nothing. */
static gboolean
substring (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text;
  gint64 start = args[1].integer, end = G_MAXINT64;
  gsize from, to;

  if (call->term->n_args == 3)
    {
      if (args[2].integer < 0)
        return tally_throw (error, TALLY_ERROR_DATA, "negative substring length not allowed");
      if (__builtin_add_overflow (start, args[2].integer, &end))
        end = G_MAXINT64;
    }
  start = MAX (start, 1);
  if (end <= start)
    {
      ret->text = (TallyText){ "", 0 };
      return TRUE;
    }

  if (counts_bytes (call))
    {
      from = (gsize)MIN (start - 1, (gint64)text.length);
      to = (gsize)MIN (end - 1, (gint64)text.length);
    }
  else
    {
      from = text_offset (text, start - 1);
      to = from + text_offset (text_slice (text, from, text.length), end - start);
    }
  ret->text = text_slice (text, from, to);
  return TRUE;
}

static gboolean
left (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text;
  gint64 n = args[1].integer;

  if (n < 0)
    n = MAX (text_length (text) + MAX (n, -G_MAXINT64), 0);
  ret->text = text_slice (text, 0, text_offset (text, n));
  return TRUE;
}

static gboolean
right (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text;
  gint64 n = args[1].integer;

  n = n < 0 ? -MAX (n, -G_MAXINT64) : MAX (text_length (text) - n, 0);
  ret->text = text_slice (text, text_offset (text, n), text.length);
  return TRUE;
}

/* strpos(text, part), position(part IN text) */
static gboolean
strpos (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text;
  const char *found = text_find (text, 0, args[1].text);

  ret->integer
      = found == NULL ? 0 : text_length ((TallyText){ text.data, (gsize)(found - text.data) }) + 1;
  return TRUE;
}

static gboolean
starts_with (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->boolean = args[0].text.length >= args[1].text.length
                 && memcmp (args[0].text.data, args[1].text.data, args[1].text.length) == 0;
  return TRUE;
}

static gboolean
reverse (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text;
  char *copy = tally_batch_alloc (call->batch, MAX (text.length, 1)), *to = copy + text.length;

  for (gsize i = 0, size; i < text.length; i += size)
    {
      size = text_char_size (text, i);
      to -= size;
      memcpy (to, text.data + i, size);
    }
  ret->text = (TallyText){ copy, text.length };
  return TRUE;
}

static gboolean
ascii (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text;
  gunichar c = text.length == 0 ? 0 : g_utf8_get_char_validated (text.data, (gssize)text.length);

  ret->integer = (gint64)(c <= 0x10ffff ? c : (guchar)text.data[0]);
  return TRUE;
}

static gboolean
chr (Call *call, const Value *args, Value *ret, GError **error)
{
  gint64 code = args[0].integer;
  char bytes[6];
  gint n;

  if (code < 0)
    return tally_throw (error, TALLY_ERROR_DATA, "character number must be positive");
  if (code == 0)
    return tally_throw (error, TALLY_ERROR_DATA, "null character not permitted");
  if (code > 0x10ffff)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "requested character too large for encoding: %" G_GINT64_FORMAT, code);
  if (code >= 0xd800 && code <= 0xdfff)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "requested character not valid for encoding: %" G_GINT64_FORMAT, code);

  n = g_unichar_to_utf8 ((gunichar)code, bytes);
  ret->text = tally_call_copy (call, bytes, (gsize)n);
  return TRUE;
}

/* split_part(text, separator, n): n below 0 counts from the end. */
static gboolean
split_part (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text, separator = args[1].text;
  gint64 n = args[2].integer, fields = 1;
  gsize from = 0;
  const char *found;

  ret->text = (TallyText){ "", 0 };
  if (n == 0)
    return tally_throw (error, TALLY_ERROR_DATA, "field position must not be zero");
  if (text.length == 0)
    return TRUE;
  if (separator.length == 0)
    {
      if (n == 1 || n == -1)
        ret->text = text;
      return TRUE;
    }

  if (n < 0)
    {
      for (gsize at = 0; (found = text_find (text, at, separator)) != NULL; fields++)
        at = (gsize)(found - text.data) + separator.length;
      n = fields + MAX (n, -G_MAXINT64) + 1;
      if (n < 1)
        return TRUE;
    }
  for (; (found = text_find (text, from, separator)) != NULL && n > 1; n--)
    from = (gsize)(found - text.data) + separator.length;
  if (n == 1)
    ret->text = text_slice (text, from, found != NULL ? (gsize)(found - text.data) : text.length);
  return TRUE;
}

static gboolean
replace (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text, from = args[1].text, to = args[2].text;
  const char *found = from.length > 0 ? text_find (text, 0, from) : NULL;
  gsize at = 0;

  ret->text = text;
  if (found == NULL)
    return TRUE;

  for (; found != NULL && call->scratch->len <= MAX_RESULT; found = text_find (text, at, from))
    {
      g_string_append_len (call->scratch, text.data + at, found - (text.data + at));
      g_string_append_len (call->scratch, to.data, (gssize)to.length);
      at = (gsize)(found - text.data) + from.length;
    }
  g_string_append_len (call->scratch, text.data + at, (gssize)(text.length - at));
  return text_finish (call, ret, error);
}

/* translate(text, from, to): letters of from become those at the same place in to, or go. */
static gboolean
translate (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text, from = args[1].text, to = args[2].text;

  for (gsize i = 0, size; i < text.length; i += size)
    {
      gint64 n = 0;
      gsize j;

      size = text_char_size (text, i);
      for (j = 0; j < from.length; j += text_char_size (from, j), n++)
        if (text_char_size (from, j) == size && memcmp (from.data + j, text.data + i, size) == 0)
          break;
      if (j >= from.length)
        g_string_append_len (call->scratch, text.data + i, (gssize)size);
      else
        {
          gsize target = text_offset (to, n);

          if (target < to.length)
            g_string_append_len (call->scratch, to.data + target,
                                 (gssize)text_char_size (to, target));
        }
    }

  return text_finish (call, ret, error);
}

static gboolean
overlay (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText text = args[0].text, with = args[1].text;
  gint64 start = args[2].integer,
         length = call->term->n_args == 4 ? args[3].integer : text_length (with), after;
  gsize from, to;

  if (start <= 0)
    return tally_throw (error, TALLY_ERROR_DATA, "negative substring length not allowed");
  if (__builtin_add_overflow (start, length, &after) || after > G_MAXINT32)
    return tally_throw (error, TALLY_ERROR_DATA, "integer out of range");

  from = text_offset (text, start - 1);
  to = text_offset (text, MAX (after - 1, 0));
  g_string_append_len (call->scratch, text.data, (gssize)from);
  g_string_append_len (call->scratch, with.data, (gssize)with.length);
  g_string_append_len (call->scratch, text.data + to, (gssize)(text.length - to));
  return text_finish (call, ret, error);
}

const Function tally_plain_text_functions[] = {
  { "length", "t", 'i', .kernel = length_kernel },
  { "length", "y", 'i', .kernel = length_kernel, .detail = 1 },
  { "char_length", "t", 'i', .kernel = length_kernel },
  { "character_length", "t", 'i', .kernel = length_kernel },
  { "octet_length", "t", 'i', .kernel = length_kernel, .detail = 1 },
  { "octet_length", "y", 'i', .kernel = length_kernel, .detail = 1 },
  { "bit_length", "t", 'i', .kernel = length_kernel, .detail = 8 },
  { "bit_length", "y", 'i', .kernel = length_kernel, .detail = 8 },
  { "lower", "t", 't', .kernel = change_case_kernel, .detail = TRUE },
  { "upper", "t", 't', .kernel = change_case_kernel, .detail = FALSE },
  { "initcap", "t", 't', initcap },
  { "btrim", "t", 't', trim, .detail = TRIM_LEFT | TRIM_RIGHT },
  { "btrim", "tt", 't', trim, .detail = TRIM_LEFT | TRIM_RIGHT },
  { "ltrim", "t", 't', trim, .detail = TRIM_LEFT },
  { "ltrim", "tt", 't', trim, .detail = TRIM_LEFT },
  { "rtrim", "t", 't', trim, .detail = TRIM_RIGHT },
  { "rtrim", "tt", 't', trim, .detail = TRIM_RIGHT },
  { "substr", "ti", 't', substring },
  { "substr", "tii", 't', substring },
  { "substr", "yi", 'y', substring },
  { "substr", "yii", 'y', substring },
  { "substring", "yi", 'y', substring },
  { "substring", "yii", 'y', substring },
  { "substring", "ti", 't', substring },
  { "substring", "tii", 't', substring },
  { "left", "ti", 't', left },
  { "right", "ti", 't', right },
  { "strpos", "tt", 'i', strpos },
  { "position", "tt", 'i', strpos },
  { "starts_with", "tt", 'b', starts_with },
  { "^@", "tt", 'b', starts_with },
  { "reverse", "t", 't', reverse },
  { "ascii", "t", 'i', ascii },
  { "chr", "i", 't', chr },
  { "split_part", "tti", 't', split_part },
  { "replace", "ttt", 't', replace },
  { "translate", "ttt", 't', translate },
  { "overlay", "tti", 't', overlay },
  { "overlay", "ttii", 't', overlay },
  { NULL },
};
