/* token.c: how far a token goes, for the marks under it */
#include "typer.h"
#include <string.h>

static gboolean
is_name_byte (char c)
{
  return g_ascii_isalnum (c) || c == '_' || c == '$' || (guchar)c >= 0x80;
}

/* A name in quotes or not, from at on. */
static const char *
skip_name (const char *at)
{
  if (*at != '"')
    {
      while (is_name_byte (*at))
        at++;
      return at;
    }

  for (at++; *at != '\0'; at++)
    if (*at == '"' && *++at != '"')
      break;
  return at;
}

static const char *
skip_literal (const char *at)
{
  for (at++; *at != '\0'; at++)
    if (*at == '\'' && *++at != '\'')
      break;

  return at;
}

gsize
tally_token_length (const char *text, gsize offset)
{
  static const char operators[] = "+-*/<>=~!@#%^&|`?:";
  const char *start = text + offset, *at = start;

  if (g_ascii_isdigit (*at))
    while (is_name_byte (*at) || *at == '.')
      at++;
  else if (*at == '\'')
    at = skip_literal (at);
  else if (is_name_byte (*at) || *at == '"')
    {
      at = skip_name (at);
      if (*at == '\'' && at == start + 1)
        at = skip_literal (at);
      while (*at == '.' && (is_name_byte (at[1]) || at[1] == '"'))
        at = skip_name (at + 1);
    }
  else if (*at != '\0')
    at += strspn (at, operators);

  if (at > start)
    return (gsize)(at - start);
  return *start == '\0' ? 1 : (gsize)(g_utf8_next_char (start) - start);
}
