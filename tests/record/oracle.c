/* oracle.c: many expressions, one statement */
#include "oracle.h"
#include <cluster.h>
#include <promise.h>
#include <stdarg.h>
#include <string.h>

/* Stands between answers; no text of a test has it. */
#define SEPARATOR "\x1e"
#define MOST_AT_ONCE 2000

struct _Oracle
{
  GPtrArray *expressions, *answers; /* (owned) (element-type utf8) */
  char *uri;                        /* (owned) */
};

/* The text of an expression's value, or its error's message after an exclamation mark. */
static const char function[]
    = "CREATE FUNCTION answer (expression text) RETURNS text LANGUAGE plpgsql AS $$ "
      "DECLARE result text; BEGIN "
      "EXECUTE 'SELECT format(''%s'', ' || expression || ')' INTO result; "
      "RETURN result; "
      "EXCEPTION WHEN OTHERS THEN RETURN '! ' || SQLERRM; END $$";

Oracle *
oracle_new (void)
{
  Oracle *oracle = g_new0 (Oracle, 1);
  g_autofree char *nothing = NULL;

  oracle->expressions = g_ptr_array_new_with_free_func (g_free);
  oracle->answers = g_ptr_array_new_with_free_func (g_free);
  oracle->uri = cluster_create_database (cluster_shared ());
  nothing = cluster_query (oracle->uri, function);
  return oracle;
}

static void
append_quoted (GString *out, const char *text)
{
  g_string_append_c (out, '\'');
  for (; *text != '\0'; text++)
    {
      if (*text == '\'')
        g_string_append_c (out, '\'');
      g_string_append_c (out, *text);
    }
  g_string_append_c (out, '\'');
}

void
oracle_ask (Oracle *oracle, char *ours, const char *expression, ...)
{
  GString *text = g_string_new (NULL);
  va_list arguments;

  va_start (arguments, expression);
  for (const char *at = expression; *at != '\0'; at++)
    if (at[0] == '%' && at[1] == 's')
      {
        append_quoted (text, va_arg (arguments, const char *));
        at++;
      }
    else
      g_string_append_c (text, *at);
  va_end (arguments);
  g_ptr_array_add (oracle->expressions, g_string_free (text, FALSE));
  g_ptr_array_add (oracle->answers, ours != NULL ? ours : g_strdup (""));
}

static void
compare_some (Oracle *oracle, guint first, guint n)
{
  GString *sql = g_string_new (
      "SET timezone = 'UTC'; SET datestyle = 'ISO, MDY'; SELECT string_agg (answer (e), '" SEPARATOR
      "' ORDER BY i) FROM (VALUES ");
  g_autofree char *result = NULL;
  g_auto (GStrv) answers = NULL;

  for (guint i = first; i < first + n; i++)
    {
      g_string_append_printf (sql, "%s(%u, ", i > first ? ", " : "", i);
      append_quoted (sql, oracle->expressions->pdata[i]);
      g_string_append_c (sql, ')');
    }
  g_string_append (sql, ") AS q (i, e)");
  result = cluster_query (oracle->uri, sql->str);
  g_string_free (sql, TRUE);
  answers = g_strsplit (result, SEPARATOR, -1);
  assert_int (g_strv_length (answers), n);
  for (guint i = 0; i < n && answers[i] != NULL; i++)
    assert_row_text (oracle->expressions->pdata[first + i], oracle->answers->pdata[first + i],
                     answers[i]);
}

guint
oracle_compare (Oracle *oracle)
{
  guint n = oracle->expressions->len;

  for (guint first = 0; first < n; first += MOST_AT_ONCE)
    compare_some (oracle, first, MIN (MOST_AT_ONCE, n - first));
  g_ptr_array_unref (oracle->expressions);
  g_ptr_array_unref (oracle->answers);
  g_free (oracle->uri);
  g_free (oracle);
  return n;
}
