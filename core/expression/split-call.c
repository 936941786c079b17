/* split-call.c: names, parentheses and commas; what is between them is for the parser */
#include "split-call.h"
#include "typer.h"
#include <string.h>

static gsize
skip_blanks (const char *text, gsize at)
{
  while (g_ascii_isspace (text[at]))
    at++;
  return at;
}

/* The name and the parenthesis behind it. */
static gboolean
read_name (const char *text, gsize *at, TallySplitCall *ret_call)
{
  gsize start = skip_blanks (text, 0), length = tally_token_length (text, start);

  if (!g_ascii_isalpha (text[start]) || length >= sizeof ret_call->name
      || memchr (text + start, '.', length) != NULL)
    return FALSE;

  for (gsize i = 0; i < length; i++)
    ret_call->name[i] = g_ascii_tolower (text[start + i]);
  *at = skip_blanks (text, start + length);
  return text[(*at)++] == '(';
}

/* Takes what is between start and end as the next argument. */
static void
add_argument (const char *text, gsize start, gsize end, TallySplitCall *call)
{
  start = skip_blanks (text, start);
  while (end > start && g_ascii_isspace (text[end - 1]))
    end--;
  if (call->n_args < TALLY_SPLIT_MAX_ARGS)
    {
      call->args[call->n_args].offset = start;
      call->args[call->n_args].length = end > start ? end - start : 0;
    }
  call->n_args++;
}

/* Up to the parenthesis that closes the call. */
static gboolean
read_arguments (const char *text, gsize *at, TallySplitCall *call)
{
  gsize start = *at;
  guint depth = 0;

  for (; text[*at] != '\0'; *at += tally_token_length (text, *at))
    switch (text[*at])
      {
      case '(':
      case '[':
        depth++;
        break;
      case ']':
        depth -= depth > 0;
        break;
      case ',':
        if (depth > 0)
          break;
        add_argument (text, start, *at, call);
        start = *at + 1;
        break;
      case ')':
        if (depth-- > 0)
          break;
        if (call->n_args > 0 || skip_blanks (text, start) < *at)
          add_argument (text, start, *at, call);
        return TRUE;
      default:
        break;
      }
  return FALSE;
}

gboolean
tally_split_call (const char *text, TallySplitCall *ret_call)
{
  const char *first;
  gsize at, end;

  memset (ret_call, 0, sizeof *ret_call);
  if (!read_name (text, &at, ret_call) || !read_arguments (text, &at, ret_call))
    return FALSE;
  end = skip_blanks (text, at + 1);
  if (text[end] != '\0')
    return FALSE;

  first = text + ret_call->args[0].offset;
  ret_call->is_star = ret_call->n_args == 1 && ret_call->args[0].length == 1 && *first == '*';
  ret_call->is_distinct = ret_call->n_args > 0 && g_ascii_strncasecmp (first, "DISTINCT", 8) == 0
                          && tally_token_length (first, 0) == 8;
  return TRUE;
}
