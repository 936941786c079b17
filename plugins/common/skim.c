/* skim.c: a recursive-descent walk that leaves everything where it is */
#include "skim.h"
#include <string.h>

static gboolean skim_nested (JsonSkim *skim, guint depth, JsonValue *ret_value);

static gboolean
refuse (JsonSkim *skim, const char *flaw)
{
  skim->flaw = flaw;
  return FALSE;
}

static void
skip_white (JsonSkim *skim)
{
  for (; skim->at < skim->length; skim->at++)
    {
      char c = skim->data[skim->at];

      if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
        return;
    }
}

static inline char
peek (const JsonSkim *skim)
{
  return skim->at < skim->length ? skim->data[skim->at] : '\0';
}

static gboolean
take (JsonSkim *skim, char wanted)
{
  if (peek (skim) != wanted)
    return FALSE;

  skim->at++;
  return TRUE;
}

static gsize
take_digits (JsonSkim *skim)
{
  gsize start = skim->at;

  while (g_ascii_isdigit (peek (skim)))
    skim->at++;
  return skim->at - start;
}

static gboolean
skim_number (JsonSkim *skim, JsonValue *ret_value)
{
  gsize start = skim->at;

  ret_value->kind = JSON_INTEGER;
  take (skim, '-');
  if (!take (skim, '0') && take_digits (skim) == 0)
    return refuse (skim, "a number without digits");
  if (g_ascii_isdigit (peek (skim)))
    return refuse (skim, "a number that begins with 0");
  if (take (skim, '.'))
    {
      ret_value->kind = JSON_NUMBER;
      if (take_digits (skim) == 0)
        return refuse (skim, "a number without digits after its point");
    }
  if (take (skim, 'e') || take (skim, 'E'))
    {
      ret_value->kind = JSON_NUMBER;
      if (!take (skim, '+'))
        take (skim, '-');
      if (take_digits (skim) == 0)
        return refuse (skim, "a number without digits in its exponent");
    }

  ret_value->text = (TallyText) { skim->data + start, skim->at - start };
  return TRUE;
}

static gboolean
skim_escape (JsonSkim *skim)
{
  char letter = peek (skim);

  if (letter == '\0' || strchr ("\"\\/bfnrtu", letter) == NULL)
    return refuse (skim, "an unknown escape in a string");

  skim->at++;
  for (guint i = 0; letter == 'u' && i < 4; i++, skim->at++)
    if (!g_ascii_isxdigit (peek (skim)))
      return refuse (skim, "\\u without four hexadecimal digits");
  return TRUE;
}

static gboolean
skim_string (JsonSkim *skim, JsonValue *ret_value)
{
  gsize start = ++skim->at;

  ret_value->kind = JSON_STRING;
  ret_value->escapes = FALSE;
  for (; skim->at < skim->length; skim->at++)
    {
      guint8 byte = skim->data[skim->at];

      if (byte == '"')
        {
          ret_value->text = (TallyText) { skim->data + start, skim->at - start };
          skim->at++;
          return TRUE;
        }
      if (byte < 0x20)
        return refuse (skim, "a control character in a string");
      if (byte == '\\')
        {
          ret_value->escapes = TRUE;
          skim->at++;
          if (!skim_escape (skim))
            return FALSE;
          skim->at--;
        }
    }

  return refuse (skim, "a string without an end");
}

static gboolean
skim_word (JsonSkim *skim, JsonValue *ret_value)
{
  static const struct
  {
    const char *word;
    JsonKind kind;
  } words[] = { { "null", JSON_NULL }, { "true", JSON_BOOLEAN }, { "false", JSON_BOOLEAN } };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    {
      gsize length = strlen (words[i].word);

      if (skim->length - skim->at >= length && memcmp (skim->data + skim->at, words[i].word, length) == 0)
        {
          ret_value->kind = words[i].kind;
          ret_value->text = (TallyText) { skim->data + skim->at, length };
          skim->at += length;
          return TRUE;
        }
    }

  return refuse (skim, skim->at < skim->length ? "something that is no JSON value" : "no value where one is needed");
}

/* What is between brackets or braces. */
static gboolean
skim_items (JsonSkim *skim, guint depth, char close, gboolean is_object)
{
  JsonValue ignored;

  skim->at++;
  skip_white (skim);
  if (take (skim, close))
    return TRUE;

  for (;;)
    {
      if (is_object)
        {
          skip_white (skim);
          if (peek (skim) != '"' || !skim_string (skim, &ignored))
            return skim->flaw != NULL ? FALSE : refuse (skim, "a member without a name in quotes");
          skip_white (skim);
          if (!take (skim, ':'))
            return refuse (skim, "a member without a colon");
        }
      if (!skim_nested (skim, depth + 1, &ignored))
        return FALSE;
      skip_white (skim);
      if (take (skim, close))
        return TRUE;
      if (!take (skim, ','))
        return refuse (skim, is_object ? "an object without a comma or an end" : "an array without a comma or an end");
    }
}

static gboolean
skim_nested (JsonSkim *skim, guint depth, JsonValue *ret_value)
{
  gsize start;
  char first;

  skip_white (skim);
  start = skim->at;
  first = peek (skim);
  ret_value->escapes = FALSE;
  if (first == '"')
    return skim_string (skim, ret_value);
  if (first == '-' || g_ascii_isdigit (first))
    return skim_number (skim, ret_value);
  if (first != '{' && first != '[')
    return skim_word (skim, ret_value);

  if (depth >= skim->max_depth)
    return refuse (skim, "values nested deeper than max-depth");
  if (!skim_items (skim, depth, first == '{' ? '}' : ']', first == '{'))
    return FALSE;

  ret_value->kind = first == '{' ? JSON_OBJECT : JSON_ARRAY;
  ret_value->text = (TallyText) { skim->data + start, skim->at - start };
  return TRUE;
}

gboolean
json_skim_value (JsonSkim *skim, JsonValue *ret_value)
{
  return skim_nested (skim, skim->depth, ret_value);
}

gboolean
json_skim_is_done (JsonSkim *skim)
{
  skip_white (skim);
  return skim->at == skim->length || refuse (skim, "more than one value");
}

gboolean
json_skim_begin_object (JsonSkim *skim)
{
  skip_white (skim);
  if (!take (skim, '{'))
    return refuse (skim, "something else than an object");
  skim->depth++;
  return TRUE;
}

gboolean
json_skim_next_name (JsonSkim *skim, JsonValue *ret_name)
{
  gboolean is_first = skim->data[skim->at - 1] == '{';

  skip_white (skim);
  if (take (skim, '}'))
    {
      skim->depth--;
      return FALSE;
    }
  if (!is_first && !take (skim, ','))
    return refuse (skim, "an object without a comma or an end");

  skip_white (skim);
  if (peek (skim) != '"')
    return refuse (skim, "a member without a name in quotes");
  if (!skim_string (skim, ret_name))
    return FALSE;
  skip_white (skim);
  return take (skim, ':') || refuse (skim, "a member without a colon");
}

gboolean
json_skim_begin_array (JsonSkim *skim)
{
  skip_white (skim);
  if (!take (skim, '['))
    return refuse (skim, "something else than an array");
  skim->depth++;
  return TRUE;
}

gboolean
json_skim_next_element (JsonSkim *skim)
{
  gboolean is_first = skim->data[skim->at - 1] == '[';

  skip_white (skim);
  if (take (skim, ']'))
    {
      skim->depth--;
      return FALSE;
    }
  return is_first || take (skim, ',') || refuse (skim, "an array without a comma or an end");
}

static guint
hexadecimal (const char *digits)
{
  guint value = 0;

  for (guint i = 0; i < 4; i++)
    value = value << 4 | (guint) g_ascii_xdigit_value (digits[i]);
  return value;
}

/* The character that an escape of \u begins; moves over a second one that belongs to it.  0 if it is none. */
static gunichar
unescape_unicode (const char **from, const char *end)
{
  guint first = hexadecimal (*from), second;

  *from += 4;
  if (first < 0xd800 || first > 0xdfff)
    return first;
  if (first > 0xdbff || end - *from < 6 || (*from)[0] != '\\' || (*from)[1] != 'u')
    return 0;

  second = hexadecimal (*from + 2);
  if (second < 0xdc00 || second > 0xdfff)
    return 0;
  *from += 6;
  return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

gssize
json_unescape (TallyText text, char *out)
{
  static const char letters[] = "bfnrt\"\\/", meanings[] = "\b\f\n\r\t\"\\/";
  const char *from = text.data, *end = text.data + text.length;
  char *into = out;

  while (from < end)
    {
      if (*from != '\\')
        {
          *into++ = *from++;
          continue;
        }
      if (from[1] != 'u')
        {
          *into++ = meanings[strchr (letters, from[1]) - letters];
          from += 2;
          continue;
        }

      gunichar character;
      from += 2;
      character = unescape_unicode (&from, end);
      if (character == 0)
        return -1;
      into += g_unichar_to_utf8 (character, into);
    }

  return into - out;
}

gboolean
json_value_is_text (const JsonValue *value, const char *text)
{
  gsize length = strlen (text);

  if (value->kind != JSON_STRING)
    return FALSE;
  if (!value->escapes)
    return value->text.length == length && memcmp (value->text.data, text, length) == 0;

  g_autofree char *plain = g_malloc (value->text.length);
  return json_unescape (value->text, plain) == (gssize) length && memcmp (plain, text, length) == 0;
}
