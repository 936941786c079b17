/* connection.h: libpq with GError, and without a password in any message */
#pragma once
#include <libpq-fe.h>
#include <tallyman/error.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PGconn, PQfinish)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PGresult, PQclear)

/* Connects as a URI or a connection string says; what it leaves open libpq takes from its environment, service and password
 * files.  Fails with TALLY_ERROR_USAGE: it cannot be understood, or TALLY_ERROR_NETWORK. */
PGconn *pg_connect (const char *connection, GError **error);
/* Checks the form alone.  NULL is right: all is taken from the environment. */
gboolean pg_check_connection_string (const char *connection, GError **error);
/* `host:port/database`, for a person and as a fingerprint. */
char *pg_describe (const PGconn *conn);

/* Begins a transaction with the settings that our forms of values need: of one snapshot, and nothing can be written; or one
 * whose commit is durable. */
gboolean pg_begin_read (PGconn *conn, GError **error);
gboolean pg_begin_write (PGconn *conn, GError **error);

/* Runs statements, and gives the last one's result: rows, nothing, or the beginning of a COPY.  Fails with TALLY_ERROR_NETWORK if
 * the connection is gone, else TALLY_ERROR_DATA with the server's message, detail and hint. */
PGresult *pg_run (PGconn *conn, const char *sql, GError **error);
/* The same for one statement with text parameters. */
PGresult *pg_run_with (PGconn *conn, const char *sql, const char *const *values, guint n_values, GError **error);
gboolean pg_do (PGconn *conn, const char *sql, GError **error);
/* The server's words in a failed result. */
gboolean pg_throw (const PGconn *conn, const PGresult *result, GError **error);
/* Whether a failure is the connection's and not a statement's. */
gboolean pg_is_lost (const PGconn *conn);
