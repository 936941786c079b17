/* pattern.c: LIKE, regular expressions */
#include "record/jsonb.h"
#include "regex.h"
#include "text.h"

enum
{
  PATTERN_NEGATED = 1 << 0,
  PATTERN_IGNORE_CASE = 1 << 1,
  PATTERN_BYTES = 1 << 2, /* bytea: _ is one byte */
};

/* LIKE. */

typedef struct
{
  TallyText text, pattern;
  gboolean fold, bytes;
} Like;

static gsize
letter_size (const Like *like, gsize at)
{
  return like->bytes ? 1 : text_char_size (like->text, at);
}

static gboolean
same_byte (const Like *like, char a, char b)
{
  return a == b || (like->fold && g_ascii_tolower (a) == g_ascii_tolower (b));
}

/* One element of the pattern at p against the text at t; both move on if it fits. */
static gboolean
like_step (const Like *like, gsize *t, gsize *p, GError **error)
{
  gsize at = *p;

  if (like->pattern.data[at] == '_')
    {
      *t += letter_size (like, *t);
      *p = at + 1;
      return TRUE;
    }
  if (like->pattern.data[at] == '\\' && ++at == like->pattern.length)
    return tally_throw (error, TALLY_ERROR_DATA, "LIKE pattern must not end with escape character");
  if (!same_byte (like, like->pattern.data[at], like->text.data[*t]))
    return FALSE;

  *p = at + 1;
  (*t)++;
  return TRUE;
}

/* Only the last % needs to be tried again: what stands before it has found its earliest place. */
static gboolean
like_match (const Like *like, gboolean *ret_matches, GError **error)
{
  gsize t = 0, p = 0, retry_t = 0, retry_p = G_MAXSIZE;
  GError *failure = NULL;

  while (t < like->text.length)
    {
      if (p < like->pattern.length && like->pattern.data[p] == '%')
        {
          retry_p = ++p;
          retry_t = t;
          continue;
        }
      if (p < like->pattern.length && like_step (like, &t, &p, &failure))
        continue;
      if (failure != NULL)
        {
          g_propagate_error (error, failure);
          return FALSE;
        }
      if (retry_p == G_MAXSIZE)
        {
          *ret_matches = FALSE;
          return TRUE;
        }
      retry_t += letter_size (like, retry_t);
      t = retry_t;
      p = retry_p;
    }
  while (p < like->pattern.length && like->pattern.data[p] == '%')
    p++;

  *ret_matches = p == like->pattern.length;
  return TRUE;
}

static gboolean
like (Call *call, const Value *args, Value *ret, GError **error)
{
  gintptr detail = call->term->function->detail;
  Like match = {
    .text = args[0].text,
    .pattern = args[1].text,
    .fold = (detail & PATTERN_IGNORE_CASE) != 0,
    .bytes = (detail & PATTERN_BYTES) != 0,
  };
  gboolean matches;

  if (!like_match (&match, &matches, error))
    return FALSE;

  ret->boolean = matches != ((detail & PATTERN_NEGATED) != 0);
  return TRUE;
}

/* Writes a pattern with another escape as one with a backslash. */
static gboolean
like_escape (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText pattern = args[0].text, escape = args[1].text;
  gboolean escaped = FALSE;

  if (escape.length > 0 && text_char_size (escape, 0) != escape.length)
    return tally_throw (error, TALLY_ERROR_DATA, "invalid escape string");

  for (gsize i = 0, size; i < pattern.length; i += size)
    {
      size = text_char_size (pattern, i);
      if (!escaped && size == escape.length && memcmp (pattern.data + i, escape.data, size) == 0)
        {
          g_string_append_c (call->scratch, '\\');
          escaped = TRUE;
          continue;
        }
      if (pattern.data[i] == '\\' && !escaped)
        g_string_append_c (call->scratch, '\\');
      g_string_append_len (call->scratch, pattern.data + i, (gssize)size);
      escaped = FALSE;
    }
  return text_finish (call, ret, error);
}

/* Regular expressions: pattern and flags must be constants, so that what is not supported is known
 * before the run. */

typedef struct
{
  Regex *regex; /* (owned) */
  gboolean global;
} Pattern;

static void
pattern_free (gpointer data)
{
  Pattern *pattern = data;

  tally_regex_free (pattern->regex);
  g_free (pattern);
}

static gboolean
read_flags (const Term *flags, gboolean global_allowed, gboolean *ignore_case, gboolean *ret_global,
            GError **error)
{
  TallyText text = flags->constant.text;

  for (gsize i = 0; i < text.length; i++)
    if (text.data[i] == 'i')
      *ignore_case = TRUE;
    else if (text.data[i] == 'c')
      *ignore_case = FALSE;
    else if (text.data[i] == 'g' && global_allowed)
      *ret_global = TRUE;
    else if (text.data[i] == 'g')
      return tally_throw (error, TALLY_ERROR_DATA,
                          "the global option of a regular expression cannot stand here");
    else if (strchr ("bemnpqstwx", text.data[i]) == NULL)
      return tally_throw (error, TALLY_ERROR_DATA, "invalid regular expression option: \"%.*s\"",
                          (int)text_char_size (text, i), text.data + i);
    else if (text.data[i] != 's' && text.data[i] != 't')
      return tally_throw (error, TALLY_ERROR_UNSUPPORTED,
                          "regular expression option \"%.*s\" is not supported",
                          (int)text_char_size (text, i), text.data + i);

  return TRUE;
}

/* flags: the index of the argument with flags, if the call has so many. */
static gboolean
prepare_pattern (Term *term, guint flags, gboolean global_allowed, gboolean ignore_case,
                 RegexUse use, GError **error)
{
  gboolean global = FALSE;
  Regex *regex;
  Pattern *pattern;

  if (term->args[1]->kind != TERM_CONSTANT
      || (term->n_args > flags && term->args[flags]->kind != TERM_CONSTANT))
    return tally_throw (error, TALLY_ERROR_UNSUPPORTED,
                        "a regular expression that differs from row to row is not supported");
  if (term->args[1]->is_null)
    return TRUE;
  if (term->n_args > flags
      && !read_flags (term->args[flags], global_allowed, &ignore_case, &global, error))
    return FALSE;
  regex = tally_regex_new (term->args[1]->constant.text, ignore_case, use, error);
  if (regex == NULL)
    return FALSE;

  pattern = g_new0 (Pattern, 1);
  pattern->regex = regex;
  pattern->global = global;
  term->data = pattern;
  term->free_data = pattern_free;
  return TRUE;
}

static gboolean
prepare_test (Term *term, GError **error)
{
  return prepare_pattern (term, 2, FALSE, (term->function->detail & PATTERN_IGNORE_CASE) != 0,
                          REGEX_TEST, error);
}

static gboolean
prepare_captures (Term *term, GError **error)
{
  return prepare_pattern (term, 2, FALSE, FALSE, REGEX_CAPTURES, error);
}

static gboolean
prepare_extent (Term *term, GError **error)
{
  return prepare_pattern (term, 2, FALSE, FALSE, REGEX_EXTENT, error);
}

/* Does the replacement speak of groups? */
static gboolean
prepare_replace (Term *term, GError **error)
{
  const Term *to = term->args[2];
  gboolean groups = to->kind != TERM_CONSTANT;

  if (!groups)
    for (gsize i = 0; i + 1 < to->constant.text.length; i++)
      if (to->constant.text.data[i] == '\\')
        {
          i++;
          groups = groups || g_ascii_isdigit (to->constant.text.data[i]);
        }

  return prepare_pattern (term, 3, TRUE, FALSE, groups ? REGEX_CAPTURES : REGEX_EXTENT, error);
}

static gboolean
regex_test (Call *call, const Value *args, Value *ret, GError **error)
{
  const Pattern *pattern = call->term->data;
  gboolean matched;

  if (!tally_regex_match (pattern->regex, args[0].text, 0, &matched, NULL, error))
    return FALSE;

  ret->boolean = matched != ((call->term->function->detail & PATTERN_NEGATED) != 0);
  return TRUE;
}

#define MAX_SPANS (2 * (1 + REGEX_MAX_CAPTURES))

/* substring(text FROM pattern): the first group, if there is one. */
static gboolean
regex_substring (Call *call, const Value *args, Value *ret, GError **error)
{
  const Pattern *pattern = call->term->data;
  gsize spans[MAX_SPANS];
  const gsize *span = tally_regex_n_captures (pattern->regex) > 0 ? spans + 2 : spans;
  gboolean matched;

  if (!tally_regex_match (pattern->regex, args[0].text, 0, &matched, spans, error))
    return FALSE;

  call->is_null = !matched || span[0] == G_MAXSIZE;
  if (!call->is_null)
    ret->text = text_slice (args[0].text, span[0], span[1]);
  return TRUE;
}

/* regexp_substr(): the whole match. */
static gboolean
regex_substr (Call *call, const Value *args, Value *ret, GError **error)
{
  const Pattern *pattern = call->term->data;
  gsize spans[MAX_SPANS];
  gboolean matched;

  if (!tally_regex_match (pattern->regex, args[0].text, 0, &matched, spans, error))
    return FALSE;

  call->is_null = !matched;
  if (matched)
    ret->text = text_slice (args[0].text, spans[0], spans[1]);
  return TRUE;
}

static void
append_replacement (TallyText to, TallyText text, const gsize *spans, guint n_captures,
                    GString *out)
{
  for (gsize i = 0; i < to.length; i++)
    {
      char next = i + 1 < to.length ? to.data[i + 1] : '\0';
      guint group = next == '&' ? 0 : (guint)(next - '0');

      if (to.data[i] != '\\' || next == '\0')
        g_string_append_c (out, to.data[i]);
      else if (next == '&' || (next >= '1' && next <= '9'))
        {
          if (group <= n_captures && spans[2 * group] != G_MAXSIZE)
            g_string_append_len (out, text.data + spans[2 * group],
                                 (gssize)(spans[2 * group + 1] - spans[2 * group]));
          i++;
        }
      else
        {
          g_string_append_c (out, '\\');
          i += next == '\\';
        }
    }
}

static gboolean
regex_replace (Call *call, const Value *args, Value *ret, GError **error)
{
  const Pattern *pattern = call->term->data;
  guint n_captures = tally_regex_n_captures (pattern->regex);
  TallyText text = args[0].text;
  gsize spans[MAX_SPANS], done = 0, from = 0;
  gboolean matched, any = FALSE;

  while (from <= text.length && call->scratch->len <= MAX_RESULT)
    {
      if (!tally_regex_match (pattern->regex, text, from, &matched, spans, error))
        return FALSE;
      if (!matched)
        break;
      any = TRUE;
      g_string_append_len (call->scratch, text.data + done, (gssize)(spans[0] - done));
      append_replacement (args[2].text, text, spans, n_captures, call->scratch);
      done = from = spans[1];
      if (!pattern->global)
        break;
      if (spans[0] == spans[1])
        from += from < text.length ? text_char_size (text, from) : 1;
    }

  ret->text = text;
  if (!any)
    return TRUE;
  g_string_append_len (call->scratch, text.data + done, (gssize)(text.length - done));
  return text_finish (call, ret, error);
}

/* regexp_match(): the groups, or the whole. */
static gboolean
regex_match (Call *call, const Value *args, Value *ret, GError **error)
{
  const Pattern *pattern = call->term->data;
  guint n_captures = tally_regex_n_captures (pattern->regex), first = n_captures > 0 ? 1 : 0;
  gsize spans[MAX_SPANS];
  TallyText elements[1 + REGEX_MAX_CAPTURES];
  gboolean matched;

  if (!tally_regex_match (pattern->regex, args[0].text, 0, &matched, spans, error))
    return FALSE;

  call->is_null = !matched;
  if (!matched)
    return TRUE;
  for (guint i = first; i <= n_captures; i++)
    elements[i] = spans[2 * i] == G_MAXSIZE
                      ? (TallyText){ "null", 4 }
                      : tally_call_json_string (
                          call, text_slice (args[0].text, spans[2 * i], spans[2 * i + 1]));
  ret->text = tally_jsonb_build_array (elements + first, n_captures + 1 - first, call->batch);
  return TRUE;
}

static gboolean
regex_count (Call *call, const Value *args, Value *ret, GError **error)
{
  const Pattern *pattern = call->term->data;
  TallyText text = args[0].text;
  gsize spans[MAX_SPANS], from = 0;
  gboolean matched;

  ret->integer = 0;
  while (from <= text.length)
    {
      if (!tally_regex_match (pattern->regex, text, from, &matched, spans, error))
        return FALSE;
      if (!matched)
        break;
      ret->integer++;
      from = spans[1];
      if (spans[0] == spans[1])
        from += from < text.length ? text_char_size (text, from) : 1;
    }
  return TRUE;
}

/* regexp_split_to_array(): an empty match cuts nothing at either end, nor where the last one ended.
 */
static gboolean
regex_split (Call *call, const Value *args, Value *ret, GError **error)
{
  const Pattern *pattern = call->term->data;
  g_autoptr (GArray) parts = g_array_new (FALSE, FALSE, sizeof (TallyText));
  TallyText text = args[0].text, part;
  gsize spans[MAX_SPANS], start = 0, last_end = 0, from = 0;
  gboolean matched;

  while (from <= text.length)
    {
      if (!tally_regex_match (pattern->regex, text, from, &matched, spans, error))
        return FALSE;
      if (!matched)
        break;
      if (spans[0] < text.length && spans[1] > last_end)
        {
          part = tally_call_json_string (call, text_slice (text, start, spans[0]));
          g_array_append_val (parts, part);
          start = spans[1];
        }
      last_end = from = spans[1];
      if (spans[0] == spans[1])
        from += from < text.length ? text_char_size (text, from) : 1;
    }

  part = tally_call_json_string (call, text_slice (text, start, text.length));
  g_array_append_val (parts, part);
  ret->text = tally_jsonb_build_array ((const TallyText *)parts->data, parts->len, call->batch);
  return TRUE;
}

/* regexp_instr(): where the first match starts, from 1, or 0. */
static gboolean
regex_position (Call *call, const Value *args, Value *ret, GError **error)
{
  const Pattern *pattern = call->term->data;
  gsize spans[MAX_SPANS];
  gboolean matched;

  if (!tally_regex_match (pattern->regex, args[0].text, 0, &matched, spans, error))
    return FALSE;

  ret->integer = matched ? text_length (text_slice (args[0].text, 0, spans[0])) + 1 : 0;
  return TRUE;
}

static gboolean
refuse_sets (Term *term, GError **error)
{
  return tally_throw (error, TALLY_ERROR_UNSUPPORTED, "%s gives many rows; use regexp_match",
                      term->function->name);
}

const Function tally_pattern_functions[] = {
  { "~~", "tt", 'b', like },
  { "!~~", "tt", 'b', like, .detail = PATTERN_NEGATED },
  { "~~", "yy", 'b', like, .detail = PATTERN_BYTES },
  { "!~~", "yy", 'b', like, .detail = PATTERN_BYTES | PATTERN_NEGATED },
  { "~~*", "tt", 'b', like, .detail = PATTERN_IGNORE_CASE },
  { "!~~*", "tt", 'b', like, .detail = PATTERN_IGNORE_CASE | PATTERN_NEGATED },
  { "like_escape", "tt", 't', like_escape },
  { "~", "tt", 'b', regex_test, .prepare = prepare_test },
  { "!~", "tt", 'b', regex_test, .prepare = prepare_test, .detail = PATTERN_NEGATED },
  { "~*", "tt", 'b', regex_test, .prepare = prepare_test, .detail = PATTERN_IGNORE_CASE },
  { "!~*", "tt", 'b', regex_test, .prepare = prepare_test,
    .detail = PATTERN_IGNORE_CASE | PATTERN_NEGATED },
  { "regexp_like", "tt", 'b', regex_test, .prepare = prepare_test },
  { "regexp_like", "ttt", 'b', regex_test, .prepare = prepare_test },
  { "substring", "tt", 't', regex_substring, .prepare = prepare_captures },
  { "regexp_substr", "tt", 't', regex_substr, .prepare = prepare_extent },
  { "regexp_replace", "ttt", 't', regex_replace, .prepare = prepare_replace },
  { "regexp_replace", "tttt", 't', regex_replace, .prepare = prepare_replace },
  { "regexp_match", "tt", 'A', regex_match, .prepare = prepare_captures },
  { "regexp_match", "ttt", 'A', regex_match, .prepare = prepare_captures },
  { "regexp_count", "tt", 'i', regex_count, .prepare = prepare_extent },
  { "regexp_split_to_array", "tt", 'A', regex_split, .prepare = prepare_extent },
  { "regexp_split_to_array", "ttt", 'A', regex_split, .prepare = prepare_extent },
  { "regexp_instr", "tt", 'i', regex_position, .prepare = prepare_extent },
  { "regexp_matches", "tt", 'A', .prepare = refuse_sets },
  { "regexp_matches", "ttt", 'A', .prepare = refuse_sets },
  { NULL },
};
