/* connection.c: libpq with GError, and without a password in any message */
#include "connection.h"
#include <string.h>

/* What we want unless the connection string says otherwise. */
static const struct
{
  const char *keyword, *value;
} wishes[] = {
  { "connect_timeout", "10" },     { "keepalives_idle", "20" },
  { "keepalives_interval", "5" },  { "keepalives_count", "3" },
  { "tcp_user_timeout", "60000" }, { "fallback_application_name", "tallyman" },
  { "client_encoding", "UTF8" },
};

/* What we send and read depends on these, whatever the database's own are.  Of the transaction, so that a pooler gives no
 * session to others that is not as it was. */
#define SETTINGS                                                                                   \
  "SET LOCAL DateStyle = 'ISO, MDY'; SET LOCAL IntervalStyle = 'postgres'; "                       \
  "SET LOCAL TimeZone = 'UTC'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; " \
  "SET LOCAL standard_conforming_strings = on"

/* Notices go to stderr unless somebody takes them. */
static void
pass_over (gpointer unused, const PGresult *notice)
{
}

/* libpq's message would quote what it does not understand. */
static PQconninfoOption *
parse (const char *connection, GError **error)
{
  PQconninfoOption *options = PQconninfoParse (connection != NULL ? connection : "", NULL);

  if (options == NULL)
    tally_throw (error, TALLY_ERROR_USAGE,
                 "the connection string cannot be understood, and is not shown, since it may hold a "
                 "password; write postgresql://user@host/database or host=… dbname=…");
  return options;
}

gboolean
pg_check_connection_string (const char *connection, GError **error)
{
  PQconninfoOption *options = parse (connection, error);

  if (options == NULL)
    return FALSE;
  PQconninfoFree (options);
  return TRUE;
}

static char *
one_line (const char *text)
{
  return g_strdelimit (g_strstrip (g_utf8_make_valid (text != NULL ? text : "", -1)), "\r\n\t", ' ');
}

PGconn *
pg_connect (const char *connection, GError **error)
{
  g_autoptr (GPtrArray) keywords = g_ptr_array_new (), values = g_ptr_array_new ();
  PQconninfoOption *options = parse (connection, error);
  g_autoptr (PGconn) conn = NULL;

  if (options == NULL)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (wishes); i++)
    {
      g_ptr_array_add (keywords, (gpointer)wishes[i].keyword);
      g_ptr_array_add (values, (gpointer)wishes[i].value);
    }
  /* Of two values for one keyword libpq takes the last. */
  for (const PQconninfoOption *option = options; option->keyword != NULL; option++)
    if (option->val != NULL && strcmp (option->keyword, "client_encoding") != 0)
      {
        g_ptr_array_add (keywords, option->keyword);
        g_ptr_array_add (values, option->val);
      }
  g_ptr_array_add (keywords, NULL);
  g_ptr_array_add (values, NULL);
  conn = PQconnectdbParams ((const char *const *)keywords->pdata, (const char *const *)values->pdata, 0);
  PQconninfoFree (options);

  if (PQstatus (conn) != CONNECTION_OK)
    {
      g_autofree char *why = one_line (PQerrorMessage (conn));

      tally_throw (error, TALLY_ERROR_NETWORK, "could not connect: %s", why);
      return NULL;
    }
  PQsetNoticeReceiver (conn, pass_over, NULL);
  return g_steal_pointer (&conn);
}

gboolean
pg_begin_read (PGconn *conn, GError **error)
{
  return pg_do (conn, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; " SETTINGS, error);
}

gboolean
pg_begin_write (PGconn *conn, GError **error)
{
  return pg_do (conn,
                "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; " SETTINGS
                "; SET LOCAL synchronous_commit = on",
                error);
}

char *
pg_describe (const PGconn *conn)
{
  const char *host = PQhost (conn), *port = PQport (conn);

  return g_strdup_printf ("%s:%s/%s", host != NULL && *host != '\0' ? host : "localhost",
                          port != NULL && *port != '\0' ? port : "5432", PQdb (conn));
}

gboolean
pg_is_lost (const PGconn *conn)
{
  return conn == NULL || PQstatus (conn) != CONNECTION_OK;
}

gboolean
pg_throw (const PGconn *conn, const PGresult *result, GError **error)
{
  g_autofree char *message = one_line (PQresultErrorField (result, PG_DIAG_MESSAGE_PRIMARY));
  g_autofree char *detail = one_line (PQresultErrorField (result, PG_DIAG_MESSAGE_DETAIL));
  g_autofree char *hint = one_line (PQresultErrorField (result, PG_DIAG_MESSAGE_HINT));

  if (*message == '\0' || pg_is_lost (conn))
    {
      g_autofree char *why = one_line (PQerrorMessage (conn));

      return tally_throw (error, TALLY_ERROR_NETWORK, "lost the connection: %s",
                          *why != '\0' ? why : "the server closed it");
    }
  return tally_throw (error, TALLY_ERROR_DATA, "%s%s%s%s%s", message, *detail != '\0' ? "; " : "",
                      detail, *hint != '\0' ? "; " : "", hint);
}

static PGresult *
check (PGconn *conn, PGresult *result, GError **error)
{
  switch (PQresultStatus (result))
    {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
      return result;
    default:
      pg_throw (conn, result, error);
      PQclear (result);
      return NULL;
    }
}

PGresult *
pg_run (PGconn *conn, const char *sql, GError **error)
{
  return check (conn, PQexec (conn, sql), error);
}

PGresult *
pg_run_with (PGconn *conn, const char *sql, const char *const *values, guint n_values, GError **error)
{
  return check (conn,
                PQexecParams (conn, sql, (int)n_values, NULL, values, NULL, NULL, /* resultFormat= */ 0),
                error);
}

gboolean
pg_do (PGconn *conn, const char *sql, GError **error)
{
  g_autoptr (PGresult) result = pg_run (conn, sql, error);

  return result != NULL;
}
