/* jsonb-input.c: JSON text to jsonb's canonical text
 *
 * A parser of our own, though json-c is the project's JSON library, for three reasons: numbers of
 * any size must come through digit for digit and json-c has only doubles and 64-bit integers; the
 * order of members and the fate of duplicates are jsonb's, not insertion's; and the result is text
 * again, for which a tree would be built only to be taken apart.
 *
 * Values are written to one buffer as they are read.  When an object ends, its members lie at the
 * end of the buffer and are put in order there.  If the result is what came in, the input itself is
 * the value.
 */
#include "jsonb-private.h"
#include "numeric.h"
#include "value-private.h"
#include <stdlib.h>
#include <string.h>

typedef struct
{
  const char *at, *end;
  TallyBatch *batch;
  GString *out;    /* (owned) the canonical text so far */
  GString *keys;   /* (owned) plain keys of objects that are not complete */
  GArray *members; /* (owned) (element-type Member) of these objects, the innermost last */
  guint depth;
  GError **error;
} Parser;

/* Offsets, because the buffers move as they grow. */
typedef struct
{
  gsize key, key_length;
  gsize start, value, end; /* in out: where the key begins, the value begins, the value ends */
} Member;

static gboolean parse_value (Parser *parser);

static gboolean
throw_syntax (Parser *parser)
{
  return tally_throw (parser->error, TALLY_ERROR_DATA, "invalid input syntax for type json");
}

static void
skip_blanks (Parser *parser)
{
  while (
      parser->at < parser->end
      && (*parser->at == ' ' || *parser->at == '\n' || *parser->at == '\t' || *parser->at == '\r'))
    parser->at++;
}

static gboolean
accept (Parser *parser, char c)
{
  skip_blanks (parser);
  if (parser->at == parser->end || *parser->at != c)
    return FALSE;
  parser->at++;
  return TRUE;
}

static gboolean
is_word_char (char c)
{
  return g_ascii_isalnum (c) || c == '_' || c == '+' || c == '-' || c == '.' || (guchar)c >= 0x80;
}

static gboolean
parse_word (Parser *parser, const char *word)
{
  gsize length = strlen (word);

  if ((gsize)(parser->end - parser->at) < length || memcmp (parser->at, word, length) != 0
      || (parser->at + length < parser->end && is_word_char (parser->at[length])))
    return throw_syntax (parser);
  parser->at += length;
  g_string_append_len (parser->out, word, length);
  return TRUE;
}

static gboolean
skip_digits (Parser *parser)
{
  const char *start = parser->at;

  while (parser->at < parser->end && g_ascii_isdigit (*parser->at))
    parser->at++;
  return parser->at > start;
}

static gboolean
parse_number (Parser *parser)
{
  const char *start = parser->at;
  TallyText number;
  gboolean zero;

  if (*parser->at == '-')
    parser->at++;
  zero = parser->at < parser->end && *parser->at == '0';
  if (zero)
    parser->at++;
  else if (!skip_digits (parser))
    return throw_syntax (parser);
  if (parser->at < parser->end && *parser->at == '.')
    {
      parser->at++;
      if (!skip_digits (parser))
        return throw_syntax (parser);
    }
  if (parser->at < parser->end && (*parser->at == 'e' || *parser->at == 'E'))
    {
      parser->at++;
      if (parser->at < parser->end && (*parser->at == '+' || *parser->at == '-'))
        parser->at++;
      if (!skip_digits (parser))
        return throw_syntax (parser);
    }
  if (parser->at < parser->end && is_word_char (*parser->at))
    return throw_syntax (parser);

  number = (TallyText){ start, (gsize)(parser->at - start) };
  if (!tally_numeric_parse (number, parser->batch, &number, parser->error))
    return FALSE;
  g_string_append_len (parser->out, number.data, number.length);
  return TRUE;
}

/* Strings. */

static gboolean
read_hex (Parser *parser, guint *ret_unit)
{
  guint unit = 0;

  for (guint i = 0; i < 4; i++)
    {
      gint digit = parser->at < parser->end ? g_ascii_xdigit_value (*parser->at) : -1;

      if (digit < 0)
        return throw_syntax (parser);
      unit = unit << 4 | (guint)digit;
      parser->at++;
    }

  *ret_unit = unit;
  return TRUE;
}

static gboolean
is_high (guint unit)
{
  return unit >= 0xd800 && unit < 0xdc00;
}

static gboolean
is_low (guint unit)
{
  return unit >= 0xdc00 && unit < 0xe000;
}

/* After \u: a character, or two halves of one. */
static gboolean
read_unicode_escape (Parser *parser, GString *plain)
{
  guint unit = 0, low = 0;

  if (!read_hex (parser, &unit))
    return FALSE;
  if (unit == 0)
    return tally_throw (parser->error, TALLY_ERROR_DATA, "unsupported Unicode escape sequence");
  if (is_low (unit))
    return throw_syntax (parser);
  if (is_high (unit))
    {
      if (parser->end - parser->at < 2 || parser->at[0] != '\\' || parser->at[1] != 'u')
        return throw_syntax (parser);
      parser->at += 2;
      if (!read_hex (parser, &low))
        return FALSE;
      if (low == 0)
        return tally_throw (parser->error, TALLY_ERROR_DATA, "unsupported Unicode escape sequence");
      if (!is_low (low))
        return throw_syntax (parser);
      unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }

  g_string_append_unichar (plain, unit);
  return TRUE;
}

/* After the opening quote: appends the plain bytes up to the closing one. */
static gboolean
read_string (Parser *parser, GString *plain)
{
  static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";

  while (parser->at < parser->end && *parser->at != '"')
    {
      const char *start = parser->at, *escape;

      while (parser->at < parser->end && *parser->at != '"' && *parser->at != '\\'
             && (guchar)*parser->at >= 0x20)
        parser->at++;
      g_string_append_len (plain, start, parser->at - start);
      if (parser->at == parser->end || *parser->at == '"')
        break;
      if (*parser->at != '\\' || ++parser->at == parser->end)
        return throw_syntax (parser);

      if (*parser->at == 'u')
        {
          parser->at++;
          if (!read_unicode_escape (parser, plain))
            return FALSE;
          continue;
        }
      for (escape = escapes; *escape != '\0' && *escape != *parser->at; escape += 2)
        ;
      if (*escape == '\0')
        return throw_syntax (parser);
      g_string_append_c (plain, escape[1]);
      parser->at++;
    }
  if (parser->at == parser->end)
    return throw_syntax (parser);

  parser->at++;
  return TRUE;
}

/* Appends the string in its canonical form to out, and its plain bytes to keys. */
static gboolean
parse_string (Parser *parser)
{
  gsize start = parser->keys->len;

  parser->at++;
  if (!read_string (parser, parser->keys))
    return FALSE;
  tally_json_append_string ((TallyText){ parser->keys->str + start, parser->keys->len - start },
                            parser->out);
  return TRUE;
}

/* Containers. */

static gboolean
enter (Parser *parser)
{
  parser->at++;
  if (++parser->depth > TALLY_JSONB_MAX_DEPTH)
    return tally_throw (parser->error, TALLY_ERROR_LIMIT, "JSON is nested deeper than %d levels",
                        TALLY_JSONB_MAX_DEPTH);
  return TRUE;
}

static gboolean
parse_array (Parser *parser)
{
  if (!enter (parser))
    return FALSE;
  g_string_append_c (parser->out, '[');
  if (!accept (parser, ']'))
    for (;;)
      {
        if (!parse_value (parser))
          return FALSE;
        if (accept (parser, ']'))
          break;
        if (!accept (parser, ','))
          return throw_syntax (parser);
        g_string_append (parser->out, ", ");
      }

  g_string_append_c (parser->out, ']');
  parser->depth--;
  return TRUE;
}

/* Puts the members from first on in jsonb's order, in place at the end of out. */
static void
order_members (Parser *parser, guint first)
{
  guint n = parser->members->len - first;
  const Member *members = &g_array_index (parser->members, Member, first);
  g_autofree TallyJsonbMember *sorted = NULL;
  g_autofree char *copy = NULL;
  gboolean in_order = TRUE;
  gsize start, length;

  sorted = g_new (TallyJsonbMember, n);
  for (guint i = 0; i < n; i++)
    {
      sorted[i].key = (TallyText){ parser->keys->str + members[i].key, members[i].key_length };
      sorted[i].value = (TallyText){ NULL, members[i].end - members[i].start };
      sorted[i].order = i;
      in_order
          = in_order && (i == 0 || tally_jsonb_compare_keys (sorted[i - 1].key, sorted[i].key) < 0);
    }
  if (in_order)
    return;

  start = members[0].start;
  length = parser->out->len - start;
  copy = g_memdup2 (parser->out->str + start, length);
  n = tally_jsonb_sort_members (sorted, n);
  g_string_truncate (parser->out, start);
  for (guint i = 0; i < n; i++)
    {
      if (i > 0)
        g_string_append (parser->out, ", ");
      g_string_append_len (parser->out, copy + (members[sorted[i].order].start - start),
                           sorted[i].value.length);
    }
}

static gboolean
parse_member (Parser *parser)
{
  Member member = { .key = parser->keys->len, .start = parser->out->len };

  skip_blanks (parser);
  if (parser->at == parser->end || *parser->at != '"')
    return throw_syntax (parser);
  if (!parse_string (parser))
    return FALSE;
  member.key_length = parser->keys->len - member.key;
  if (!accept (parser, ':'))
    return throw_syntax (parser);
  g_string_append (parser->out, ": ");
  member.value = parser->out->len;
  if (!parse_value (parser))
    return FALSE;

  member.end = parser->out->len;
  g_array_append_val (parser->members, member);
  return TRUE;
}

static gboolean
parse_object (Parser *parser)
{
  guint first = parser->members->len;
  gsize keys = parser->keys->len;

  if (!enter (parser))
    return FALSE;
  g_string_append_c (parser->out, '{');
  if (!accept (parser, '}'))
    for (;;)
      {
        if (!parse_member (parser))
          return FALSE;
        if (accept (parser, '}'))
          break;
        if (!accept (parser, ','))
          return throw_syntax (parser);
        g_string_append (parser->out, ", ");
      }

  if (parser->members->len > first + 1)
    order_members (parser, first);
  g_array_set_size (parser->members, first);
  g_string_truncate (parser->keys, keys);
  g_string_append_c (parser->out, '}');
  parser->depth--;
  return TRUE;
}

static gboolean
parse_scalar_string (Parser *parser)
{
  gsize keys = parser->keys->len;
  gboolean parsed = parse_string (parser);

  g_string_truncate (parser->keys, keys);
  return parsed;
}

static gboolean
parse_value (Parser *parser)
{
  skip_blanks (parser);
  if (parser->at == parser->end)
    return throw_syntax (parser);
  /* A number of few letters may be a very long one. */
  if (parser->out->len > TALLY_JSONB_MAX_SIZE)
    return tally_throw (parser->error, TALLY_ERROR_LIMIT, "JSON is longer than %d bytes",
                        TALLY_JSONB_MAX_SIZE);

  switch (*parser->at)
    {
    case '{':
      return parse_object (parser);
    case '[':
      return parse_array (parser);
    case '"':
      return parse_scalar_string (parser);
    case 't':
      return parse_word (parser, "true");
    case 'f':
      return parse_word (parser, "false");
    case 'n':
      return parse_word (parser, "null");
    default:
      return parse_number (parser);
    }
}

gboolean
tally_jsonb_parse (TallyText text, TallyBatch *batch, TallyText *ret_json, GError **error)
{
  g_autoptr (GError) failure = NULL;
  Parser parser
      = { .at = text.data, .end = text.data + text.length, .batch = batch, .error = &failure };
  gboolean parsed;

  if (text.length > TALLY_JSONB_MAX_SIZE)
    return tally_throw (error, TALLY_ERROR_LIMIT, "JSON is longer than %d bytes",
                        TALLY_JSONB_MAX_SIZE);
  if (!tally_value_check_utf8 (text, error))
    return FALSE;

  parser.out = g_string_sized_new (text.length + 16);
  parser.keys = g_string_new (NULL);
  parser.members = g_array_new (FALSE, FALSE, sizeof (Member));
  parsed = parse_value (&parser);
  if (parsed)
    {
      skip_blanks (&parser);
      parsed = parser.at == parser.end || throw_syntax (&parser);
    }
  if (!parsed)
    g_propagate_error (error, g_steal_pointer (&failure));
  else if (parser.out->len == text.length && memcmp (parser.out->str, text.data, text.length) == 0)
    *ret_json = text;
  else
    *ret_json = tally_value_copy (batch, parser.out->str, parser.out->len);

  g_string_free (parser.out, TRUE);
  g_string_free (parser.keys, TRUE);
  g_array_unref (parser.members);
  return parsed;
}
