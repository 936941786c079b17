/* identifier.c: names become SQL, and nothing else does */
#include "identifier.h"
#include <string.h>
#include <tallyman/error.h>

/* NAMEDATALEN - 1: longer names would be cut by the server, and then mean another table. */
#define MAX_NAME 63

void
pg_append_identifier (const char *name, GString *sql)
{
  g_string_append_c (sql, '"');
  for (const char *at = name; *at != '\0'; at++)
    {
      if (*at == '"')
        g_string_append_c (sql, '"');
      g_string_append_c (sql, *at);
    }
  g_string_append_c (sql, '"');
}

static gboolean
is_plain (char c, gboolean first)
{
  return g_ascii_isalpha (c) || c == '_' || (guchar)c >= 0x80
         || (!first && (g_ascii_isdigit (c) || c == '$'));
}

/* The name at *text, which is moved behind it; NULL if there is none. */
static char *
take_name (const char **text)
{
  g_autoptr (GString) name = g_string_new (NULL);
  const char *at = *text;

  if (*at == '"')
    {
      for (at++; *at != '\0' && (*at != '"' || at[1] == '"'); at += *at == '"' ? 2 : 1)
        g_string_append_c (name, *at);
      if (*at++ != '"')
        return NULL;
    }
  else
    for (; is_plain (*at, name->len == 0); at++)
      g_string_append_c (name, g_ascii_tolower (*at));
  *text = at;
  return name->len > 0 && name->len <= MAX_NAME ? g_strdup (name->str) : NULL;
}

gboolean
pg_parse_table (const char *text, char **ret_schema, char **ret_table, GError **error)
{
  const char *at = text;
  g_autofree char *first = take_name (&at), *second = NULL;

  if (first != NULL && *at == '.')
    {
      at++;
      second = take_name (&at);
      if (second == NULL)
        g_clear_pointer (&first, g_free);
    }
  if (first == NULL || *at != '\0')
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "\"%s\" is no name of a table; write it as in SQL: table, schema.table, or "
                        "\"Name\" in double quotes",
                        text);

  *ret_schema = second != NULL ? g_strdup (first) : NULL;
  *ret_table = second != NULL ? g_steal_pointer (&second) : g_steal_pointer (&first);
  return TRUE;
}
