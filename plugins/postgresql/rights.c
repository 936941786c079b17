/* rights.c: what a run must be allowed to do, asked before there is one
 *
 * What is missing is told as the statements that give it.
 */
#include "identifier.h"
#include "sink-private.h"
#include <string.h>

typedef struct
{
  PgSink *sink;    /* (unowned) */
  char *user;      /* (owned) as SQL */
  GString *wanted; /* (owned) statements */
} Rights;

G_GNUC_PRINTF (2, 3)
static void
want (Rights *rights, const char *format, ...)
{
  va_list arguments;

  g_string_append (rights->wanted, rights->wanted->len > 0 ? "; " : "");
  va_start (arguments, format);
  g_string_append_vprintf (rights->wanted, format, arguments);
  va_end (arguments);
}

/* Whether a question is answered by yes; NULL is no. */
static gboolean
ask (const Rights *rights, const char *sql, const char *const *values, guint n_values, gboolean *ret_yes, GError **error)
{
  g_autoptr (PGresult) result = pg_run_with (rights->sink->conn, sql, values, n_values, error);

  if (result == NULL)
    return FALSE;
  *ret_yes = *PQgetvalue (result, 0, 0) == 't';
  return TRUE;
}

static gboolean
check_table (Rights *rights, const char *table, const char *privilege, GError **error)
{
  const char *values[] = { table, privilege };
  gboolean has;

  if (!ask (rights, "SELECT has_table_privilege (to_regclass ($1)::oid, $2::text)", values, 2, &has, error))
    return FALSE;
  if (!has)
    want (rights, "GRANT %s ON %s TO %s", privilege, table, rights->user);
  return TRUE;
}

/* The names, of a table that is there, of the columns that are written, as SQL. */
static char *
compose_columns (const PgSink *sink, gboolean with_key)
{
  g_autoptr (GString) list = g_string_new (NULL);

  for (guint i = 0; i < sink->columns->len; i++)
    {
      const char *name = tally_schema_column (sink->schema, g_array_index (sink->columns, PgColumn, i).index)->name;
      char *literal;

      if (g_ptr_array_find_with_equal_func (sink->plan->added, name, g_str_equal, NULL)
          || (!with_key && pg_sink_is_key (sink, name)))
        continue;
      literal = PQescapeLiteral (sink->conn, name, strlen (name));
      g_string_append_printf (list, "%s%s", list->len > 0 ? ", " : "", literal);
      PQfreemem (literal);
    }
  return g_string_free (g_steal_pointer (&list), FALSE);
}

/* The right may be had for the table, or for each column that is written. */
static gboolean
check_columns (Rights *rights, const char *privilege, gboolean with_key, GError **error)
{
  const PgSink *sink = rights->sink;
  const char *values[] = { sink->target, privilege };
  g_autofree char *columns = compose_columns (sink, with_key);
  g_autofree char *sql = g_strdup_printf ("SELECT coalesce (bool_and (has_column_privilege (to_regclass ($1)::oid, c, $2::text)), true) "
                                          "FROM unnest (ARRAY[%s]::text[]) AS c",
                                          columns);
  gboolean has;

  if (!ask (rights, sql, values, 2, &has, error))
    return FALSE;
  if (!has)
    want (rights, "GRANT %s ON %s TO %s", privilege, sink->target, rights->user);
  return TRUE;
}

/* Only who owns a table may add columns to it. */
static gboolean
check_owner (Rights *rights, GError **error)
{
  const char *values[] = { rights->sink->target };
  gboolean has = TRUE;

  if (rights->sink->plan->added->len > 0
      && !ask (rights, "SELECT pg_has_role (relowner, 'USAGE') FROM pg_catalog.pg_class WHERE oid = to_regclass ($1)", values, 1,
               &has, error))
    return FALSE;
  if (!has)
    want (rights, "ALTER TABLE %s OWNER TO %s", rights->sink->target, rights->user);
  return TRUE;
}

static gboolean
check_target (Rights *rights, GError **error)
{
  const PgSink *sink = rights->sink;

  if (sink->plan->makes_table)
    return TRUE;
  if (!check_owner (rights, error) || !check_columns (rights, "INSERT", /* with_key= */ TRUE, error))
    return FALSE;
  if (sink->mode == MODE_REPLACE)
    return check_table (rights, sink->target, "DELETE", error);
  return sink->mode != MODE_UPSERT
         || (check_columns (rights, "SELECT", /* with_key= */ TRUE, error)
             && check_columns (rights, "UPDATE", /* with_key= */ FALSE, error));
}

/* The stage of an upsert. */
static gboolean
check_temporary (Rights *rights, GError **error)
{
  g_autoptr (GString) database = g_string_new (NULL);
  gboolean has = TRUE;

  if (rights->sink->mode == MODE_UPSERT
      && !ask (rights, "SELECT has_database_privilege (current_database (), 'TEMPORARY')", NULL, 0, &has, error))
    return FALSE;
  pg_append_identifier (PQdb (rights->sink->conn), database);
  if (!has)
    want (rights, "GRANT TEMPORARY ON DATABASE %s TO %s", database->str, rights->user);
  return TRUE;
}

static gboolean
check_schema (Rights *rights, GError **error)
{
  g_autofree char *schema = NULL, *table = NULL;
  g_autoptr (GString) name = g_string_new (NULL);
  g_autoptr (PGresult) result = NULL;

  if (!pg_parse_table (rights->sink->table, &schema, &table, error))
    return FALSE;
  result = pg_run_with (rights->sink->conn,
                        "SELECT has_schema_privilege (s, 'CREATE'), s FROM coalesce ($1::text, current_schema ()::text) AS s",
                        (const char *[]) { schema }, 1, error);
  if (result == NULL)
    return FALSE;
  pg_append_identifier (PQgetvalue (result, 0, 1), name);
  if (*PQgetvalue (result, 0, 0) != 't')
    want (rights, "GRANT CREATE ON SCHEMA %s TO %s", name->str, rights->user);
  return TRUE;
}

/* The table of checkpoints, and what is made. */
static gboolean
check_checkpoints (Rights *rights, GError **error)
{
  static const char *const privileges[] = { "SELECT", "INSERT", "UPDATE" };
  gboolean there;

  if (!pg_sink_find_checkpoints (rights->sink, &there, error))
    return FALSE;
  for (guint i = 0; there && i < G_N_ELEMENTS (privileges); i++)
    if (!check_table (rights, rights->sink->checkpoints, privileges[i], error))
      return FALSE;
  return (there && !rights->sink->plan->makes_table) || check_schema (rights, error);
}

static gboolean
find_user (Rights *rights, GError **error)
{
  g_autoptr (PGresult) result = pg_run_with (rights->sink->conn, "SELECT current_user", NULL, 0, error);
  g_autoptr (GString) user = g_string_new (NULL);

  if (result == NULL)
    return FALSE;
  pg_append_identifier (PQgetvalue (result, 0, 0), user);
  rights->user = g_string_free (g_steal_pointer (&user), FALSE);
  return TRUE;
}

gboolean
pg_sink_check_rights (PgSink *sink, GError **error)
{
  Rights rights = { .sink = sink, .wanted = g_string_new (NULL) };
  gboolean good = find_user (&rights, error) && check_target (&rights, error) && check_temporary (&rights, error)
                  && check_checkpoints (&rights, error);

  if (good && rights.wanted->len > 0)
    good = tally_throw (error, TALLY_ERROR_AUTH,
                        "a run needs rights that the user %s does not have; who owns what it is about gives them: %s", rights.user,
                        rights.wanted->str);
  g_string_free (rights.wanted, TRUE);
  g_free (rights.user);
  return good;
}
