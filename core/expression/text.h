/* text.h: UTF-8 by character */
#pragma once
#include "function.h"
#include <string.h>

/* No function makes a text longer than this from a row. */
#define MAX_RESULT (16 * 1024 * 1024)

static inline gboolean
text_is_start (char c)
{
  return ((guchar)c & 0xc0) != 0x80;
}

static inline gint64
text_length (TallyText text)
{
  gint64 n = 0;

  for (gsize i = 0; i < text.length; i++)
    n += text_is_start (text.data[i]);
  return n;
}

/* The byte at which character n (from 0) starts, or the length. */
static inline gsize
text_offset (TallyText text, gint64 n)
{
  gsize at = 0;

  while (n > 0 && at < text.length)
    {
      at++;
      while (at < text.length && !text_is_start (text.data[at]))
        at++;
      n--;
    }
  return at;
}

static inline gsize
text_char_size (TallyText text, gsize at)
{
  gsize size = 1;

  while (at + size < text.length && !text_is_start (text.data[at + size]))
    size++;
  return size;
}

static inline const char *
text_find (TallyText text, gsize from, TallyText part)
{
  return part.length == 0 ? text.data + from
                          : memmem (text.data + from, text.length - from, part.data, part.length);
}

static inline TallyText
text_slice (TallyText text, gsize from, gsize to)
{
  return (TallyText){ text.data + from, to - from };
}

static inline TallyText
text_literal (const char *string)
{
  return (TallyText){ string, strlen (string) };
}

/* What call->scratch holds, as a result. */
static inline gboolean
text_finish (Call *call, Value *ret, GError **error)
{
  if (call->scratch->len > MAX_RESULT)
    return tally_throw (error, TALLY_ERROR_LIMIT, "requested length too large");

  ret->text = tally_call_copy (call, call->scratch->str, call->scratch->len);
  return TRUE;
}

/* As a JSON string, which is an element of a text[]. */
TallyText tally_call_json_string (Call *call, TallyText text);

/* A value as PostgreSQL's output function writes it. */
void tally_term_append_value (guint type, const Value *value, TallyBatch *batch, GString *out);
