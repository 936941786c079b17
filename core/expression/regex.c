/* regex.c: reads a pattern as PostgreSQL does, writes it for PCRE2 */
#include "regex.h"
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>
/* Compiled patterns read ahead of a text's end, 16 bytes at a time, which is right but looks wrong
 * to valgrind. */
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#define MAX_PATTERN (16 * 1024)
#define MAX_NESTING 100
#define MAX_REPEAT 255
#define MATCH_LIMIT 1000000
#define HEAP_LIMIT (64 * 1024) /* KiB */
#define DFA_WORKSPACE 4096

struct _Regex
{
  pcre2_code *code;
  pcre2_match_data *match;
  pcre2_match_context *context;
  int *workspace; /* (owned) of the engine that follows all ways at once */
  guint n_captures;
  gboolean shortest;
  gboolean doubtful; /* the first match by PCRE2's order may be another than PostgreSQL's */
  RegexUse use;
};

typedef struct
{
  const char *at, *end;
  GString *out;
  gboolean ignore_case;
  guint depth;
  guint n_captures;
  guint n_greedy, n_lazy; /* quantifiers */
  gboolean has_alternatives;
  gboolean uncertain; /* groups might be told apart otherwise than PostgreSQL does */
} Reader;

static gboolean
throw_invalid (GError **error, const char *what)
{
  return tally_throw (error, TALLY_ERROR_DATA, "invalid regular expression: %s", what);
}

static gboolean
throw_unsupported (GError **error, const char *what)
{
  return tally_throw (error, TALLY_ERROR_UNSUPPORTED, "%s in a regular expression is not supported",
                      what);
}

static gboolean
looking_at (const Reader *reader, const char *string)
{
  gsize length = strlen (string);

  return (gsize)(reader->end - reader->at) >= length && memcmp (reader->at, string, length) == 0;
}

static void
write_code_point (Reader *reader, gunichar c)
{
  g_string_append_printf (reader->out, "\\x{%x}", c);
}

/* One letter, outside of brackets.  The locale is C: only ASCII letters have another case. */
static void
write_letter (Reader *reader, gunichar c)
{
  if (c < 0x80 && g_ascii_isalpha ((char)c) && reader->ignore_case)
    g_string_append_printf (reader->out, "[%c%c]", g_ascii_tolower ((char)c),
                            g_ascii_toupper ((char)c));
  else if (c < 0x80 && g_ascii_isalnum ((char)c))
    g_string_append_c (reader->out, (char)c);
  else
    write_code_point (reader, c);
}

static gboolean
read_hex (Reader *reader, guint n_digits, gunichar *ret_c, GError **error)
{
  gunichar c = 0;

  for (guint i = 0; i < n_digits; i++)
    {
      if (reader->at == reader->end || !g_ascii_isxdigit (*reader->at))
        return throw_invalid (error, "invalid escape \\ sequence");
      c = c << 4 | (gunichar)g_ascii_xdigit_value (*reader->at++);
    }
  if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
    return throw_invalid (error, "invalid escape \\ sequence");

  *ret_c = c;
  return TRUE;
}

/* After a backslash: an escape that stands for one letter.  ret_c is 0 if it is another kind. */
static gboolean
read_letter_escape (Reader *reader, gunichar *ret_c, GError **error)
{
  static const char names[] = "abBefnrtv";
  static const char letters[] = "\a\b\\\033\f\n\r\t\v";
  const char *found;

  if (reader->at == reader->end)
    return throw_invalid (error, "invalid escape \\ sequence");
  if (!g_ascii_isalnum (*reader->at))
    {
      *ret_c = g_utf8_get_char (reader->at);
      reader->at = g_utf8_next_char (reader->at);
      return TRUE;
    }
  if ((found = strchr (names, *reader->at)) != NULL)
    {
      *ret_c = (gunichar)letters[found - names];
      reader->at++;
      return TRUE;
    }
  if (*reader->at == 'u' || *reader->at == 'U')
    {
      guint n_digits = *reader->at++ == 'u' ? 4 : 8;

      return read_hex (reader, n_digits, ret_c, error);
    }
  if (*reader->at == 'x' || *reader->at == 'c' || *reader->at == '0')
    return throw_unsupported (error, "an escape \\x, \\c or \\0");

  *ret_c = 0;
  return TRUE;
}

static const char *
class_escape (char c)
{
  switch (c)
    {
    case 'd':
      return "0-9";
    case 's':
      return "\\x{9}-\\x{d}\\x{20}";
    case 'w':
      return "0-9A-Za-z_";
    default:
      return NULL;
    }
}

static gboolean
read_escape (Reader *reader, GError **error)
{
  static const struct
  {
    char name;
    const char *means;
  } others[] = {
    { 'A', "\\A" },         { 'Z', "\\z" }, { 'm', "\\b(?=\\w)" },
    { 'M', "\\b(?<=\\w)" }, { 'y', "\\b" }, { 'Y', "\\B" },
  };
  gunichar c;
  char name;

  reader->at++;
  if (!read_letter_escape (reader, &c, error))
    return FALSE;
  if (c != 0)
    {
      write_letter (reader, c);
      return TRUE;
    }

  name = *reader->at++;
  if (class_escape (name) != NULL || class_escape (g_ascii_tolower (name)) != NULL)
    {
      g_string_append_printf (reader->out, "[%s%s]", g_ascii_isupper (name) ? "^" : "",
                              class_escape (g_ascii_tolower (name)));
      return TRUE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    if (others[i].name == name)
      {
        g_string_append (reader->out, others[i].means);
        return TRUE;
      }
  if (name >= '1' && name <= '9')
    return throw_unsupported (error, "a back reference");

  return throw_invalid (error, "invalid escape \\ sequence");
}

static void
write_range (Reader *reader, gunichar first, gunichar last)
{
  write_code_point (reader, first);
  if (last > first)
    {
      g_string_append_c (reader->out, '-');
      write_code_point (reader, last);
    }
  if (!reader->ignore_case)
    return;

  for (gunichar c = MAX (first, 'A'); c <= MIN (last, 'z'); c++)
    if (g_ascii_isalpha ((char)c))
      write_code_point (reader, c ^ 0x20);
}

/* [:alpha:] and the like.  In the locale C they hold ASCII only, as PCRE2's do. */
static gboolean
read_class (Reader *reader, GError **error)
{
  static const char *const classes[]
      = { "alnum", "alpha", "blank", "cntrl", "digit",  "graph", "lower",
          "print", "punct", "space", "upper", "xdigit", "word" };

  reader->at += 2;
  for (guint i = 0; i < G_N_ELEMENTS (classes); i++)
    {
      g_autofree char *name = g_strconcat (classes[i], ":]", NULL);
      const char *class = classes[i];

      if (!looking_at (reader, name))
        continue;
      reader->at += strlen (name);
      if (reader->ignore_case && (strcmp (class, "lower") == 0 || strcmp (class, "upper") == 0))
        class = "alpha";
      g_string_append_printf (reader->out, "[:%s:]", class);
      return TRUE;
    }

  return throw_invalid (error, "invalid character class");
}

/* One end of a range, or a letter on its own. */
static gboolean
read_member (Reader *reader, gunichar *ret_c, GError **error)
{
  if (*reader->at == '\\')
    {
      reader->at++;
      if (!read_letter_escape (reader, ret_c, error))
        return FALSE;
      return *ret_c != 0 || throw_invalid (error, "invalid escape \\ sequence");
    }
  if (looking_at (reader, "[.") || looking_at (reader, "[=") || looking_at (reader, "[:"))
    return throw_unsupported (error, "a collating element or equivalence class");

  *ret_c = g_utf8_get_char (reader->at);
  reader->at = g_utf8_next_char (reader->at);
  return TRUE;
}

static gboolean
read_bracket (Reader *reader, GError **error)
{
  gboolean first = TRUE;

  if (looking_at (reader, "[[:<:]]") || looking_at (reader, "[[:>:]]"))
    return throw_unsupported (error, "[[:<:]] or [[:>:]]");
  g_string_append_c (reader->out, *reader->at++);
  if (looking_at (reader, "^"))
    g_string_append_c (reader->out, *reader->at++);

  for (; reader->at < reader->end && (first || *reader->at != ']'); first = FALSE)
    {
      gunichar from, to;

      if (looking_at (reader, "[:"))
        {
          if (!read_class (reader, error))
            return FALSE;
          continue;
        }
      if (*reader->at == '\\' && reader->end - reader->at >= 2
          && class_escape (reader->at[1]) != NULL)
        {
          g_string_append (reader->out, class_escape (reader->at[1]));
          reader->at += 2;
          continue;
        }
      if (!read_member (reader, &from, error))
        return FALSE;
      to = from;
      if (reader->end - reader->at >= 2 && reader->at[0] == '-' && reader->at[1] != ']')
        {
          reader->at++;
          if (!read_member (reader, &to, error))
            return FALSE;
          if (to < from)
            return throw_invalid (error, "invalid character range");
        }
      write_range (reader, from, to);
    }

  if (reader->at == reader->end)
    return throw_invalid (error, "brackets [] not balanced");
  g_string_append_c (reader->out, *reader->at++);
  return TRUE;
}

static gboolean
read_count (Reader *reader, guint *ret_count)
{
  guint count = 0;

  if (reader->at == reader->end || !g_ascii_isdigit (*reader->at))
    return FALSE;
  for (; reader->at < reader->end && g_ascii_isdigit (*reader->at); reader->at++)
    {
      count = count * 10 + (guint)(*reader->at - '0');
      if (count > MAX_REPEAT)
        return FALSE;
    }

  *ret_count = count;
  return TRUE;
}

static gboolean
is_quantifier (const Reader *reader)
{
  if (reader->at == reader->end)
    return FALSE;
  if (*reader->at == '{')
    return reader->at + 1 < reader->end && g_ascii_isdigit (reader->at[1]);

  return *reader->at == '*' || *reader->at == '+' || *reader->at == '?';
}

static gboolean
read_bounds (Reader *reader, gboolean *ret_fixed, GError **error)
{
  guint least, most = G_MAXUINT;

  reader->at++;
  if (!read_count (reader, &least))
    return throw_invalid (error, "invalid repetition count(s)");
  most = least;
  if (looking_at (reader, ","))
    {
      reader->at++;
      most = G_MAXUINT;
      if (!looking_at (reader, "}") && !read_count (reader, &most))
        return throw_invalid (error, "invalid repetition count(s)");
    }
  if (reader->at == reader->end)
    return throw_invalid (error, "braces {} not balanced");
  if (!looking_at (reader, "}") || most < least)
    return throw_invalid (error, "invalid repetition count(s)");

  reader->at++;
  *ret_fixed = most == least;
  if (most == G_MAXUINT)
    g_string_append_printf (reader->out, "{%u,}", least);
  else
    g_string_append_printf (reader->out, "{%u,%u}", least, most);
  return TRUE;
}

static gboolean
read_quantifier (Reader *reader, gboolean after_group, GError **error)
{
  gboolean fixed = FALSE, lazy;

  if (*reader->at != '{')
    g_string_append_c (reader->out, *reader->at++);
  else if (!read_bounds (reader, &fixed, error))
    return FALSE;

  lazy = looking_at (reader, "?");
  if (lazy)
    g_string_append_c (reader->out, *reader->at++);
  if (!fixed)
    {
      reader->n_lazy += lazy;
      reader->n_greedy += !lazy;
    }
  if (after_group)
    reader->uncertain = TRUE;
  if (is_quantifier (reader))
    return throw_invalid (error, "quantifier operand invalid");

  return TRUE;
}

static gboolean read_alternatives (Reader *reader, GError **error);

static gboolean
read_group (Reader *reader, GError **error)
{
  static const char *const kinds[] = { "(?:", "(?=", "(?!", "(?<=", "(?<!" };
  guint n_captures = reader->n_captures;
  gboolean is_look = FALSE;
  guint kind;

  for (kind = 0; kind < G_N_ELEMENTS (kinds); kind++)
    if (looking_at (reader, kinds[kind]))
      break;
  if (kind < G_N_ELEMENTS (kinds))
    {
      is_look = kind > 0;
      g_string_append (reader->out, kinds[kind]);
      reader->at += strlen (kinds[kind]);
    }
  else if (looking_at (reader, "(?"))
    return throw_invalid (error, "quantifier operand invalid");
  else
    {
      g_string_append_c (reader->out, *reader->at++);
      reader->n_captures++;
    }

  if (!read_alternatives (reader, error))
    return FALSE;
  if (is_look && reader->n_captures > n_captures)
    return throw_unsupported (error, "a group inside of a look-around");
  if (!looking_at (reader, ")"))
    return throw_invalid (error, "parentheses () not balanced");

  g_string_append_c (reader->out, *reader->at++);
  if (is_look && is_quantifier (reader))
    return throw_invalid (error, "quantifier operand invalid");
  return TRUE;
}

static gboolean
is_constraint (const Reader *reader)
{
  return *reader->at == '^' || *reader->at == '$'
         || (*reader->at == '\\' && reader->at + 1 < reader->end
             && strchr ("AZmMyY", reader->at[1]) != NULL);
}

static gboolean
read_atom (Reader *reader, GError **error)
{
  switch (*reader->at)
    {
    case '(':
      return read_group (reader, error);
    case '[':
      return read_bracket (reader, error);
    case '\\':
      return read_escape (reader, error);
    case '.':
      g_string_append_c (reader->out, '.');
      break;
    case '^':
      g_string_append (reader->out, "\\A");
      break;
    case '$':
      g_string_append (reader->out, "\\z");
      break;
    default:
      write_letter (reader, g_utf8_get_char (reader->at));
      break;
    }

  reader->at = g_utf8_next_char (reader->at);
  return TRUE;
}

static gboolean
read_branch (Reader *reader, GError **error)
{
  while (reader->at < reader->end && *reader->at != '|' && *reader->at != ')')
    {
      gboolean group = *reader->at == '(', constraint = is_constraint (reader);

      if (is_quantifier (reader))
        return throw_invalid (error, "quantifier operand invalid");
      if (!read_atom (reader, error))
        return FALSE;
      if (constraint && is_quantifier (reader))
        return throw_invalid (error, "quantifier operand invalid");
      if (is_quantifier (reader) && !read_quantifier (reader, group, error))
        return FALSE;
    }

  return TRUE;
}

/* Alternatives that are plain words, none of which begins another: only one of them can match at
 * any place. */
static gboolean
are_distinct_words (const char *start, const char *end, gboolean *ret_same_length)
{
  g_autofree char *text = g_strndup (start, (gsize)(end - start));
  g_auto (GStrv) words = g_strsplit (text, "|", -1);

  *ret_same_length = TRUE;
  for (guint i = 0; words[i] != NULL; i++)
    {
      for (const char *at = words[i]; *at != '\0'; at++)
        if (!g_ascii_isalnum (*at) && strchr (" _-,;:@#/=<>%&~'\"", *at) == NULL
            && (guchar)*at < 0x80)
          return FALSE;
      *ret_same_length
          = *ret_same_length && g_utf8_strlen (words[i], -1) == g_utf8_strlen (words[0], -1);
      for (guint j = 0; words[j] != NULL; j++)
        if (i != j && g_ascii_strncasecmp (words[i], words[j], strlen (words[i])) == 0)
          return FALSE;
    }

  return TRUE;
}

static gboolean
read_alternatives (Reader *reader, GError **error)
{
  const char *start = reader->at;
  guint n_before = reader->n_greedy + reader->n_lazy;
  gboolean many = FALSE, same_length = FALSE;

  if (++reader->depth > MAX_NESTING)
    return throw_unsupported (error, "such deep nesting");
  if (!read_branch (reader, error))
    return FALSE;
  while (looking_at (reader, "|"))
    {
      many = reader->has_alternatives = TRUE;
      g_string_append_c (reader->out, *reader->at++);
      if (!read_branch (reader, error))
        return FALSE;
    }
  if (many
      && (!are_distinct_words (start, reader->at, &same_length) || (!same_length && n_before > 0)))
    reader->uncertain = TRUE;

  reader->depth--;
  return TRUE;
}

/* What the pattern's beginning says of the rest: (?i), ***= and the like. */
static gboolean
read_director (Reader *reader, GError **error)
{
  if (looking_at (reader, "***"))
    return throw_unsupported (error, "a director (***)");
  if (!looking_at (reader, "(?") || reader->end - reader->at < 3
      || !g_ascii_isalpha (reader->at[2]))
    return TRUE;

  for (reader->at += 2; reader->at < reader->end && *reader->at != ')'; reader->at++)
    if (*reader->at == 'i')
      reader->ignore_case = TRUE;
    else if (*reader->at == 'c')
      reader->ignore_case = FALSE;
    else if (*reader->at != 's' && *reader->at != 't')
      return throw_unsupported (error, "an embedded option other than i, c, s and t");
  if (reader->at == reader->end)
    return throw_invalid (error, "invalid embedded option");

  reader->at++;
  return TRUE;
}

static gboolean
check_use (const Reader *reader, RegexUse use, GError **error)
{
  if (use == REGEX_TEST)
    return TRUE;
  if (reader->n_lazy > 0 && (reader->n_greedy > 0 || reader->has_alternatives))
    return throw_unsupported (error,
                              "a mixture of greedy and non-greedy quantifiers or alternatives");
  if (use == REGEX_CAPTURES && reader->n_captures > 0 && reader->uncertain)
    return throw_unsupported (
        error,
        "a group in parentheses next to repeated groups or to alternatives other than plain words");
  if (use == REGEX_CAPTURES && reader->n_captures > REGEX_MAX_CAPTURES)
    return throw_unsupported (error, "more than 9 groups");

  return TRUE;
}

static gboolean
regex_build (Regex *regex, const Reader *reader, GError **error)
{
  int code;
  PCRE2_SIZE offset;

  regex->code
      = pcre2_compile ((PCRE2_SPTR)reader->out->str, reader->out->len,
                       PCRE2_UTF | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C,
                       &code, &offset, NULL);
  if (regex->code == NULL)
    {
      PCRE2_UCHAR message[128];

      pcre2_get_error_message (code, message, sizeof message);
      return throw_unsupported (error, (const char *)message);
    }

  if (!RUNNING_ON_VALGRIND)
    pcre2_jit_compile (regex->code, PCRE2_JIT_COMPLETE); /* if it cannot, the interpreter does it */
  regex->match = pcre2_match_data_create_from_pattern (regex->code, NULL);
  regex->context = pcre2_match_context_create (NULL);
  pcre2_set_match_limit (regex->context, MATCH_LIMIT);
  pcre2_set_heap_limit (regex->context, HEAP_LIMIT);
  regex->workspace = g_new (int, DFA_WORKSPACE);
  return TRUE;
}

Regex *
tally_regex_new (TallyText pattern, gboolean ignore_case, RegexUse use, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree char *copy = g_strndup (pattern.data, pattern.length);
  Reader reader
      = { .at = copy, .end = copy + pattern.length, .out = out, .ignore_case = ignore_case };
  Regex *regex;

  if (pattern.length > MAX_PATTERN || !g_utf8_validate (copy, (gssize)pattern.length, NULL))
    {
      tally_throw (error, TALLY_ERROR_LIMIT,
                   "invalid regular expression: longer than %d bytes, or not UTF-8", MAX_PATTERN);
      return NULL;
    }
  if (!read_director (&reader, error) || !read_alternatives (&reader, error))
    return NULL;
  if (reader.at < reader.end)
    {
      throw_invalid (error, "parentheses () not balanced");
      return NULL;
    }
  if (!check_use (&reader, use, error))
    return NULL;

  regex = g_new0 (Regex, 1);
  regex->n_captures = reader.n_captures;
  regex->shortest = reader.n_lazy > 0;
  regex->doubtful = reader.uncertain;
  regex->use = use;
  if (!regex_build (regex, &reader, error))
    {
      tally_regex_free (regex);
      return NULL;
    }
  return regex;
}

void
tally_regex_free (gpointer data)
{
  Regex *regex = data;

  if (regex == NULL)
    return;

  g_clear_pointer (&regex->match, pcre2_match_data_free);
  g_clear_pointer (&regex->context, pcre2_match_context_free);
  g_clear_pointer (&regex->code, pcre2_code_free);
  g_free (regex->workspace);
  g_free (regex);
}

guint
tally_regex_n_captures (const Regex *regex)
{
  return regex->n_captures;
}

static gboolean
throw_match (int code, GError **error)
{
  if (code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_HEAPLIMIT
      || code == PCRE2_ERROR_DFA_WSSIZE || code == PCRE2_ERROR_JIT_STACKLIMIT
      || code == PCRE2_ERROR_DFA_RECURSE || code == PCRE2_ERROR_DEPTHLIMIT)
    return tally_throw (error, TALLY_ERROR_LIMIT,
                        "regular expression takes too long for this text");

  return tally_throw (error, TALLY_ERROR_DATA, "text is not UTF-8");
}

/* PCRE2's other engine tries all ways at once, and so knows the longest and the shortest; it knows
 * of no groups. */
static int
match_all_ways (const Regex *regex, TallyText text, gsize start, guint32 options)
{
  return pcre2_dfa_match (regex->code, (PCRE2_SPTR)text.data, text.length, start,
                          options | PCRE2_NO_UTF_CHECK | (regex->shortest ? PCRE2_DFA_SHORTEST : 0),
                          regex->match, regex->context, regex->workspace, DFA_WORKSPACE);
}

gboolean
tally_regex_match (const Regex *regex, TallyText text, gsize start, gboolean *ret_matched,
                   gsize *ret_spans, GError **error)
{
  guint32 options = start > 0 ? PCRE2_NO_UTF_CHECK : 0; /* it was checked when the search began */
  gboolean groups = regex->use == REGEX_CAPTURES && regex->n_captures > 0;
  const PCRE2_SIZE *found = pcre2_get_ovector_pointer (regex->match);
  int code;

  if (text.length == 0)
    text.data = "";
  code = pcre2_match (regex->code, (PCRE2_SPTR)text.data, text.length, start, options, regex->match,
                      regex->context);
  /* Trying one way after the other may take for ever; where a match starts does not depend on the
   * way. */
  if (code == PCRE2_ERROR_MATCHLIMIT && !groups)
    code = match_all_ways (regex, text, start, 0);
  else if (code >= 0 && regex->use != REGEX_TEST && regex->doubtful)
    code = match_all_ways (regex, text, found[0], PCRE2_ANCHORED);
  if (code < 0 && code != PCRE2_ERROR_NOMATCH)
    return throw_match (code, error);

  *ret_matched = code >= 0;
  if (code < 0 || regex->use == REGEX_TEST)
    return TRUE;

  ret_spans[0] = found[0];
  ret_spans[1] = found[1];
  for (guint i = 1; i <= MIN (regex->n_captures, REGEX_MAX_CAPTURES); i++)
    {
      ret_spans[2 * i] = groups && found[2 * i] != PCRE2_UNSET ? found[2 * i] : G_MAXSIZE;
      ret_spans[2 * i + 1] = groups && found[2 * i] != PCRE2_UNSET ? found[2 * i + 1] : G_MAXSIZE;
    }
  return TRUE;
}
