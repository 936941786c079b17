/* postgresql.c: the ledger in a PostgreSQL database, schema "tallyman"
 *
 * Nothing is kept in the session: no prepared statement, no session lock, no SET that outlives its
 * transaction.  So a transaction pooler may stand between, and a server that was restarted or
 * failed over is as good as the one before once it has been asked the same questions.  What must be
 * fast is one pipeline: BEGIN, settings, one statement, COMMIT; one round trip and one fsync.
 *
 * No answer is waited for without end: locks have a timeout, statements another, and an answer that
 * does not come at all counts as a lost connection.  Only COMMIT has no timeout on the server:
 * cancelling one that waits for a standby would make it hold here and nowhere else.
 */
#include "database.h"
#include "delivery/hooks.h"
#include "pgarray.h"
#include <libpq-fe.h>
#include <poll.h>
#include <string.h>

#define OLDEST_SERVER 120000
#define ANSWER_PATIENCE (40 * G_USEC_PER_SEC) /* more than a statement has */
#define TYPE_BYTEA 17
#define MIGRATION_LOCK "6079172" /* any number, always the same */

#define SETTINGS                                                                                   \
  "SELECT set_config ('search_path', 'tallyman, pg_temp', true), "                                 \
  "set_config ('synchronous_commit', "                                                             \
  "CASE current_setting ('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' " \
  "END, true), "                                                                                   \
  "set_config ('lock_timeout', '10s', true), set_config ('statement_timeout', '30s', true), "      \
  "set_config ('idle_in_transaction_session_timeout', '30s', true)"
#define BEGIN_WRITE "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
#define BEGIN_READ "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"

typedef struct
{
  TallyDatabase base;
  PQconninfoOption *options; /* (owned) as the user gave them */
  PGconn *connection;        /* (owned) (nullable) NULL: lost, or not yet made */
  gboolean was_connected;
  gboolean insist; /* TALLY_LEDGER_UNSAFE */
  char *warning;   /* (owned) (nullable) the server's last */
} Postgresql;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PGresult, PQclear)

/* ---- What goes wrong ---- */

/* States after which the same again may do better: SQLSTATEs or their classes. */
static const struct
{
  const char *state;
  TallyFailure failure;
} failures[] = {
  { "40001", TALLY_FAILURE_AGAIN }, /* serialization */
  { "40P01", TALLY_FAILURE_AGAIN }, /* deadlock */
  { "55P03", TALLY_FAILURE_AGAIN }, /* lock timeout */
  { "57014", TALLY_FAILURE_AGAIN }, /* statement timeout */
  { "53300", TALLY_FAILURE_AGAIN }, /* too many connections */
  { "57P", TALLY_FAILURE_LOST },    /* shut down, crashed, starting up */
  { "25P03", TALLY_FAILURE_LOST },  /* idle in transaction for too long */
  { "08", TALLY_FAILURE_LOST },     /* connection exceptions */
  { "TL001", TALLY_FAILURE_STALE }, { "TL002", TALLY_FAILURE_HELD },
};

static void
disconnect (Postgresql *postgresql)
{
  g_clear_pointer (&postgresql->connection, PQfinish);
}

static gboolean
complain_lost (Postgresql *postgresql, const char *why, GError **error)
{
  g_autofree char *reason = g_strdelimit (g_strstrip (g_strdup (why)), "\n", ' ');

  disconnect (postgresql);
  postgresql->base.failure = TALLY_FAILURE_LOST;
  return tally_throw (error, TALLY_ERROR_LEDGER, "lost the ledger %s: %s",
                      postgresql->base.description,
                      *reason != '\0' ? reason : "the connection was closed");
}

/* What the server said of a statement. */
static gboolean
complain (Postgresql *postgresql, const PGresult *result, GError **error)
{
  const char *state = PQresultErrorField (result, PG_DIAG_SQLSTATE);
  const char *message = PQresultErrorField (result, PG_DIAG_MESSAGE_PRIMARY);

  if (state == NULL)
    return complain_lost (postgresql, PQresultErrorMessage (result), error);

  postgresql->base.failure = TALLY_FAILURE_FINAL;
  for (guint i = 0; i < G_N_ELEMENTS (failures); i++)
    if (g_str_has_prefix (state, failures[i].state))
      postgresql->base.failure = failures[i].failure;
  if (g_str_equal (state, "TL003"))
    return tally_throw (error, TALLY_ERROR_LEDGER,
                        "an outcome of key \"%s\" fits nothing that the ledger has: it was settled "
                        "by somebody else",
                        message);
  if (postgresql->base.failure == TALLY_FAILURE_LOST)
    return complain_lost (postgresql, message, error);
  return tally_throw (error, TALLY_ERROR_LEDGER, "the ledger %s answered: %s (SQLSTATE %s)",
                      postgresql->base.description, message, state);
}

static void
note_warning (gpointer data, const PGresult *result)
{
  Postgresql *postgresql = data;

  if (g_strcmp0 (PQresultErrorField (result, PG_DIAG_SEVERITY_NONLOCALIZED), "WARNING") != 0)
    return;
  g_free (postgresql->warning);
  postgresql->warning = g_strdup (PQresultErrorField (result, PG_DIAG_MESSAGE_PRIMARY));
}

/* A commit is not durable if the server warns of it: so it does when it stops waiting for a
 * standby. */
static gboolean
check_commit (Postgresql *postgresql, PGresult *result, GError **error)
{
  if (!g_str_equal (PQcmdStatus (result), "COMMIT"))
    return tally_throw (error, TALLY_ERROR_LEDGER, "the ledger %s rolled the transaction back",
                        postgresql->base.description);
  if (postgresql->warning != NULL)
    return tally_throw (error, TALLY_ERROR_LEDGER, "the ledger %s committed, but warned: %s",
                        postgresql->base.description, postgresql->warning);
  return TRUE;
}

/* ---- Waiting ---- */

/* Moves bytes until an answer can be had without waiting.  FALSE: none will come. */
static gboolean
wait_for_answer (Postgresql *postgresql, GError **error)
{
  PGconn *connection = postgresql->connection;
  gint64 deadline = g_get_monotonic_time () + ANSWER_PATIENCE;
  int unsent;

  while ((unsent = PQflush (connection)) > 0 || PQisBusy (connection))
    {
      struct pollfd poll_fd
          = { .fd = PQsocket (connection), .events = POLLIN | (unsent > 0 ? POLLOUT : 0) };
      gint64 rest = deadline - g_get_monotonic_time ();

      if (rest <= 0)
        return complain_lost (postgresql, "no answer for 40 seconds", error);
      if (poll (&poll_fd, 1, MAX (rest / 1000, 1)) > 0
          && (poll_fd.revents & (POLLIN | POLLERR | POLLHUP)) != 0 && !PQconsumeInput (connection))
        return complain_lost (postgresql, PQerrorMessage (connection), error);
    }
  return unsent == 0 || complain_lost (postgresql, PQerrorMessage (connection), error);
}

/* The next result; NULL without an error at the end of a statement's. */
static gboolean
next_result (Postgresql *postgresql, PGresult **ret_result, GError **error)
{
  if (!wait_for_answer (postgresql, error))
    return FALSE;
  *ret_result = PQgetResult (postgresql->connection);
  return TRUE;
}

/* All results of a query outside a pipeline; the last one with rows is kept, the first error
 * counts. */
static PGresult *
collect (Postgresql *postgresql, gboolean was_sent, GError **error)
{
  g_autoptr (PGresult) kept = NULL;
  PGresult *result;
  g_autoptr (GError) first = NULL;

  if (!was_sent)
    {
      complain_lost (postgresql, PQerrorMessage (postgresql->connection), error);
      return NULL;
    }
  while (next_result (postgresql, &result, first == NULL ? &first : NULL) && result != NULL)
    {
      ExecStatusType status = PQresultStatus (result);

      if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && first == NULL)
        complain (postgresql, result, &first);
      if (kept != NULL && PQresultStatus (kept) == PGRES_TUPLES_OK && status != PGRES_TUPLES_OK)
        PQclear (result);
      else
        {
          g_clear_pointer (&kept, PQclear);
          kept = result;
        }
      if (postgresql->connection == NULL)
        break;
    }
  if (first == NULL)
    return g_steal_pointer (&kept);
  g_propagate_error (error, g_steal_pointer (&first));
  return NULL;
}

static PGresult *
run_simple (Postgresql *postgresql, const char *sql, GError **error)
{
  return collect (postgresql, PQsendQuery (postgresql->connection, sql), error);
}

/* ---- Connecting ---- */

/* What we want unless the user's URI says otherwise. */
static const struct
{
  const char *keyword, *value;
} wishes[] = {
  { "connect_timeout", "10" },     { "keepalives_idle", "20" },
  { "keepalives_interval", "5" },  { "keepalives_count", "3" },
  { "tcp_user_timeout", "30000" }, { "fallback_application_name", "tallyman" },
  { "client_encoding", "UTF8" },
};

static PGconn *
connect_with_wishes (const PQconninfoOption *options)
{
  g_autoptr (GPtrArray) keywords = g_ptr_array_new (), values = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (wishes); i++)
    {
      g_ptr_array_add (keywords, (gpointer)wishes[i].keyword);
      g_ptr_array_add (values, (gpointer)wishes[i].value);
    }
  /* Of two values for one keyword libpq takes the last. */
  for (const PQconninfoOption *option = options; option->keyword != NULL; option++)
    if (option->val != NULL && !g_str_equal (option->keyword, "client_encoding"))
      {
        g_ptr_array_add (keywords, option->keyword);
        g_ptr_array_add (values, option->val);
      }
  g_ptr_array_add (keywords, NULL);
  g_ptr_array_add (values, NULL);
  return PQconnectdbParams ((const char *const *)keywords->pdata,
                            (const char *const *)values->pdata, 0);
}

static const char *
setting_that_loses (const PGresult *result)
{
  for (int i = 0; i < 2; i++)
    if (!g_str_equal (PQgetvalue (result, 0, i), "on"))
      return PQfname (result, i);
  if (g_str_equal (PQgetvalue (result, 0, 2), "off")
      || g_str_equal (PQgetvalue (result, 0, 2), "local"))
    return PQfname (result, 2);
  if (!g_str_equal (PQgetvalue (result, 0, 4), "0"))
    return "logged tables";
  return NULL;
}

/* R1, E3: a commit must hold when the server says so. */
static gboolean
check_server (Postgresql *postgresql, GError **error)
{
  static const char sql[] = BEGIN_READ
      "; " SETTINGS "; "
      "SELECT current_setting ('fsync') AS fsync, current_setting ('full_page_writes') AS "
      "full_page_writes, "
      "current_setting ('synchronous_commit') AS synchronous_commit, pg_is_in_recovery (), "
      "(SELECT count (*) FROM pg_class WHERE relnamespace = to_regnamespace ('tallyman') AND "
      "relkind = 'r' "
      "AND relpersistence <> 'p'); "
      "ROLLBACK";
  g_autoptr (PGresult) result = NULL;
  const char *loser;

  if (PQserverVersion (postgresql->connection) < OLDEST_SERVER)
    return tally_throw (error, TALLY_ERROR_UNSUPPORTED,
                        "the ledger %s needs a server of version 12 or newer, this is %d",
                        postgresql->base.description,
                        PQserverVersion (postgresql->connection) / 10000);

  result = run_simple (postgresql, sql, error);
  if (result == NULL)
    return FALSE;
  loser = g_intern_string (setting_that_loses (result));
  postgresql->base.is_standby = g_str_equal (PQgetvalue (result, 0, 3), "t");
  postgresql->base.weakness = loser;
  postgresql->base.is_durable = loser == NULL;
  if (postgresql->base.read_only)
    return TRUE;
  if (postgresql->base.is_standby)
    return tally_throw (error, TALLY_ERROR_LEDGER,
                        "the ledger %s is a standby, which cannot be written to",
                        postgresql->base.description);
  if (loser == NULL || postgresql->insist)
    return TRUE;
  return tally_throw (
      error, TALLY_ERROR_LEDGER,
      "the ledger %s may lose what it has committed: %s is off on the server, and nothing can be "
      "created exactly once",
      postgresql->base.description, loser);
}

static gboolean
postgresql_reopen (TallyDatabase *database, GError **error)
{
  Postgresql *postgresql = (Postgresql *)database;

  if (postgresql->connection != NULL && PQstatus (postgresql->connection) == CONNECTION_OK)
    return TRUE;
  disconnect (postgresql);
  postgresql->connection = connect_with_wishes (postgresql->options);
  if (PQstatus (postgresql->connection) != CONNECTION_OK)
    {
      complain_lost (postgresql, PQerrorMessage (postgresql->connection), error);
      /* At the start a person waits, and a wrong name will not become right. */
      if (!postgresql->was_connected)
        database->failure = TALLY_FAILURE_FINAL;
      return FALSE;
    }

  PQsetnonblocking (postgresql->connection, 1);
  PQsetNoticeReceiver (postgresql->connection, note_warning, postgresql);
  postgresql->was_connected = TRUE;
  database->failure = TALLY_FAILURE_FINAL;
  if (check_server (postgresql, error))
    return TRUE;
  disconnect (postgresql);
  return FALSE;
}

/* ---- Transactions ---- */

static gboolean
postgresql_begin (TallyDatabase *database, gboolean write, GError **error)
{
  g_autoptr (PGresult) result = run_simple (
      (Postgresql *)database, write ? BEGIN_WRITE "; " SETTINGS : BEGIN_READ "; " SETTINGS, error);

  return result != NULL;
}

static gboolean
postgresql_commit (TallyDatabase *database, GError **error)
{
  Postgresql *postgresql = (Postgresql *)database;
  g_autoptr (PGresult) result = NULL;

  g_clear_pointer (&postgresql->warning, g_free);
  TALLY_POINT ("ledger-before-commit");
  if ((result
       = run_simple (postgresql, "SELECT set_config ('statement_timeout', '0', true)", error))
      == NULL)
    return FALSE;
  g_clear_pointer (&result, PQclear);
  if ((result = run_simple (postgresql, "COMMIT", error)) == NULL)
    return FALSE;
  TALLY_POINT ("ledger-after-commit-before-answer");
  return check_commit (postgresql, result, error);
}

static void
postgresql_rollback (TallyDatabase *database)
{
  Postgresql *postgresql = (Postgresql *)database;
  g_autoptr (PGresult) result = NULL;

  if (postgresql->connection != NULL
      && PQtransactionStatus (postgresql->connection) != PQTRANS_IDLE)
    result = run_simple (postgresql, "ROLLBACK", NULL);
}

/* ---- Statements ---- */

static TallyRows *
rows_from_result (const PGresult *result)
{
  guint n_columns = PQnfields (result), n_rows = PQntuples (result);
  TallyRows *rows = tally_rows_new (MAX (n_columns, 1));

  for (guint row = 0; row < n_rows; row++)
    for (guint column = 0; column < n_columns; column++)
      {
        gboolean is_null = PQgetisnull (result, row, column);
        const char *value = PQgetvalue (result, row, column);
        gsize length = PQgetlength (result, row, column);

        if (is_null)
          tally_rows_add (rows, NULL, 0);
        else if (PQftype (result, column) == TYPE_BYTEA)
          {
            unsigned char *bytes = PQunescapeBytea ((const unsigned char *)value, &length);
            tally_rows_add (rows, bytes, length);
            PQfreemem (bytes);
          }
        else
          tally_rows_add (rows, value, length);
      }
  return rows;
}

static TallyRows *
postgresql_run (TallyDatabase *database, const char *sql, const TallySqlValue *values,
                guint n_values, GError **error)
{
  Postgresql *postgresql = (Postgresql *)database;
  g_autofree const char **texts = g_new0 (const char *, n_values);
  g_autoptr (GPtrArray) numbers = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (PGresult) result = NULL;

  for (guint i = 0; i < n_values; i++)
    if (values[i].type == TALLY_SQL_INT)
      {
        char *number = g_strdup_printf ("%" G_GINT64_FORMAT, values[i].number);
        g_ptr_array_add (numbers, number);
        texts[i] = number;
      }
    else
      texts[i] = values[i].text;
  result
      = collect (postgresql,
                 PQsendQueryParams (postgresql->connection, sql, n_values, NULL, texts, NULL, NULL,
                                    /* resultFormat= */ 0),
                 error);
  return result != NULL ? rows_from_result (result) : NULL;
}

static gboolean
postgresql_run_script (TallyDatabase *database, const char *sql, GError **error)
{
  g_autoptr (PGresult) result = run_simple ((Postgresql *)database, sql, error);

  return result != NULL;
}

static gboolean
postgresql_lock_schema (TallyDatabase *database, GError **error)
{
  return postgresql_run_script (database, "SELECT pg_advisory_xact_lock (" MIGRATION_LOCK ")",
                                error);
}

static gboolean
postgresql_has_schema (TallyDatabase *database, gboolean *ret_has, GError **error)
{
  g_autoptr (TallyRows) rows = NULL;

  if (!tally_sql (database, &rows, error,
                  "SELECT (to_regclass ('tallyman.meta') IS NOT NULL)::integer", NULL, 0))
    return FALSE;
  *ret_has = tally_rows_int (rows, 0, 0) != 0;
  return TRUE;
}

static gboolean
postgresql_introduce (TallyDatabase *database, GError **error)
{
  return TRUE;
}

/* ---- One round trip ---- */

/* The answer of a pipeline's next statement.  Once there was an error, the others' are only taken
 * in. */
static PGresult *
pipeline_result (Postgresql *postgresql, GError **error)
{
  g_autoptr (PGresult) result = NULL, end = NULL;
  ExecStatusType status;
  gboolean good;

  if (!next_result (postgresql, &result, error))
    return NULL;
  if (result == NULL)
    {
      complain_lost (postgresql, PQerrorMessage (postgresql->connection), error);
      return NULL;
    }
  status = PQresultStatus (result);
  if (status == PGRES_PIPELINE_SYNC)
    return g_steal_pointer (&result);
  good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_PIPELINE_ABORTED
         || complain (postgresql, result, error);
  /* After each statement's results comes a NULL. */
  if (postgresql->connection == NULL || !next_result (postgresql, &end, good ? error : NULL))
    return NULL;
  return good ? g_steal_pointer (&result) : NULL;
}

static gboolean
send_pipeline (Postgresql *postgresql, gboolean write, const char *sql,
               const TallyPgParameters *parameters)
{
  PGconn *connection = postgresql->connection;
  guint n = parameters->buffers->len;
  g_autofree const char **values = g_new0 (const char *, n);
  g_autofree int *lengths = g_new0 (int, n), *formats = g_new0 (int, n);

  for (guint i = 0; i < n; i++)
    {
      const GByteArray *buffer = parameters->buffers->pdata[i];
      /* An empty buffer has no data, but is not NULL. */
      values[i] = buffer == NULL ? NULL : buffer->len > 0 ? (const char *)buffer->data : "";
      lengths[i] = buffer != NULL ? buffer->len : 0;
      formats[i] = 1;
    }
  return PQenterPipelineMode (connection)
         && PQsendQueryParams (connection, write ? BEGIN_WRITE : BEGIN_READ, 0, NULL, NULL, NULL,
                               NULL, 0)
         && PQsendQueryParams (connection, SETTINGS, 0, NULL, NULL, NULL, NULL, 0)
         && PQsendQueryParams (connection, sql, n, (const Oid *)parameters->types->data, values,
                               lengths, formats, 0)
         && PQsendQueryParams (connection, "SELECT set_config ('statement_timeout', '0', true)", 0,
                               NULL, NULL, NULL, NULL, 0)
         && PQsendQueryParams (connection, "COMMIT", 0, NULL, NULL, NULL, NULL, 0)
         && PQpipelineSync (connection);
}

/* Takes in all answers; the third is the statement's. */
static PGresult *
receive_pipeline (Postgresql *postgresql, GError **error)
{
  g_autoptr (PGresult) answer = NULL;
  g_autoptr (GError) first = NULL;
  gboolean committed = FALSE;

  for (guint i = 0;; i++)
    {
      g_autoptr (PGresult) result = pipeline_result (postgresql, first == NULL ? &first : NULL);

      if (postgresql->connection == NULL)
        break;
      if (result == NULL)
        continue;
      if (PQresultStatus (result) == PGRES_PIPELINE_SYNC)
        break;
      if (i == 2)
        answer = g_steal_pointer (&result);
      else if (i == 4 && first == NULL)
        committed = check_commit (postgresql, result, &first);
    }
  if (postgresql->connection != NULL)
    PQexitPipelineMode (postgresql->connection);
  if (first == NULL && committed)
    return g_steal_pointer (&answer);
  if (first == NULL)
    complain_lost (postgresql, "the answer ends too early", &first);
  g_propagate_error (error, g_steal_pointer (&first));
  return NULL;
}

static PGresult *
run_pipeline (Postgresql *postgresql, gboolean write, const char *sql,
              const TallyPgParameters *parameters, GError **error)
{
  PGresult *answer;

  g_clear_pointer (&postgresql->warning, g_free);
  if (write)
    TALLY_POINT ("ledger-before-commit");
  if (!send_pipeline (postgresql, write, sql, parameters) || PQflush (postgresql->connection) < 0)
    {
      complain_lost (postgresql, PQerrorMessage (postgresql->connection), error);
      return NULL;
    }
  if (write)
    TALLY_POINT ("ledger-commit-sent");
  answer = receive_pipeline (postgresql, error);
  if (answer == NULL)
    {
      TallyFailure failure = postgresql->base.failure;
      postgresql_rollback (&postgresql->base);
      postgresql->base.failure = failure;
    }
  return answer;
}

static TallyRows *
postgresql_find (TallyDatabase *database, gint64 scope, const char *const *keys, guint n_keys,
                 GError **error)
{
  TallyPgParameters parameters;
  g_autoptr (PGresult) result = NULL;

  tally_pg_parameters_init (&parameters);
  tally_pg_add_int (&parameters, scope);
  tally_pg_begin_texts (&parameters, n_keys);
  for (guint i = 0; i < n_keys; i++)
    tally_pg_text (&parameters, keys[i]);
  result = run_pipeline ((Postgresql *)database, /* write= */ FALSE,
                         "SELECT " DELIVERY_COLUMNS ", " UNSETTLED_REQUEST
                         " FROM deliveries d WHERE d.scope = $1 AND d.key = ANY ($2)",
                         &parameters, error);
  tally_pg_parameters_clear (&parameters);
  return result != NULL ? rows_from_result (result) : NULL;
}

/* ---- A change, as write_change() takes it ---- */

#define EACH_TEXT(list, n, member)                                                                 \
  do                                                                                               \
    {                                                                                              \
      tally_pg_begin_texts (parameters, (n));                                                      \
      for (guint i = 0; i < (n); i++)                                                              \
        tally_pg_text (parameters, (list)[i] member);                                              \
    }                                                                                              \
  while (0)

static void
add_intents (TallyPgParameters *parameters, const TallyLedgerChange *change)
{
  TallyLedgerDelivery *const *intents = change->intents;
  guint n = change->n_intents;

  EACH_TEXT (intents, n, ->key);
  tally_pg_begin_ints (parameters, n);
  for (guint i = 0; i < n; i++)
    tally_pg_int (parameters, intents[i]->generation);
  EACH_TEXT (intents, n, ->idempotency_key);
  tally_pg_begin_bytes (parameters, n);
  for (guint i = 0; i < n; i++)
    tally_pg_bytes (parameters, intents[i]->request);
  EACH_TEXT (intents, n, ->request_hash);
  EACH_TEXT (intents, n, ->content_hash);
  EACH_TEXT (intents, n, ->row_origin);
  EACH_TEXT (intents, n, ->reference);
  tally_pg_begin_bigints (parameters, n);
  for (guint i = 0; i < n; i++)
    tally_pg_bigint (parameters, tally_ledger_intent_pass (change, intents[i]));
  tally_pg_begin_bigints (parameters, n);
  for (guint i = 0; i < n; i++)
    tally_pg_bigint (parameters, intents[i]->intended_target);
  EACH_TEXT (intents, n, ->target_id);
}

static void
add_outcomes (TallyPgParameters *parameters, const TallyLedgerChange *change)
{
  const TallyLedgerOutcome *outcomes = change->outcomes;
  guint n = change->n_outcomes;

  EACH_TEXT (outcomes, n, .key);
  tally_pg_begin_ints (parameters, n);
  for (guint i = 0; i < n; i++)
    tally_pg_int (parameters, outcomes[i].generation);
  tally_pg_begin_texts (parameters, n);
  for (guint i = 0; i < n; i++)
    tally_pg_text (parameters, tally_delivery_state_name (outcomes[i].state));
  tally_pg_begin_ints (parameters, n);
  for (guint i = 0; i < n; i++)
    tally_pg_int (parameters, outcomes[i].attempts);
  tally_pg_begin_ints (parameters, n);
  for (guint i = 0; i < n; i++)
    tally_pg_int (parameters, outcomes[i].status);
  EACH_TEXT (outcomes, n, .target_id);
  EACH_TEXT (outcomes, n, .other_ids);
  EACH_TEXT (outcomes, n, .detail);
  EACH_TEXT (outcomes, n, .event);
  tally_pg_begin_booleans (parameters, n);
  for (guint i = 0; i < n; i++)
    tally_pg_boolean (parameters, outcomes[i].keep_request);
  EACH_TEXT (outcomes, n, .receipt);
}

static void
add_change (TallyPgParameters *parameters, const TallyLedgerChange *change)
{
  const TallyLedgerRun *run = change->run;

  tally_pg_add_int (parameters, change->epoch);
  tally_pg_add_int (parameters, change->serial);
  tally_pg_add_int (parameters, change->lease_ttl);
  tally_pg_add_int (parameters, run != NULL ? run->id : 0);
  tally_pg_add_int (parameters, run != NULL ? run->pass : 0);
  tally_pg_add_text (parameters, run != NULL ? run->pipeline : NULL);
  tally_pg_add_int (parameters, change->scope);
  tally_pg_add_text (parameters, change->position);
  add_intents (parameters, change);
  add_outcomes (parameters, change);
  EACH_TEXT (change->seen, change->n_seen, .key);
  EACH_TEXT (change->seen, change->n_seen, .row_origin);
  EACH_TEXT (change->seen, change->n_seen, .content_hash);
  EACH_TEXT (change->rejects, change->n_rejects, .origin);
  EACH_TEXT (change->rejects, change->n_rejects, .stage);
  EACH_TEXT (change->rejects, change->n_rejects, .reason);
  EACH_TEXT (change->rejects, change->n_rejects, .record);
}

/* SELECT … write_change ($1, …), one for each that add_change() adds. */
static char *
compose_call (guint n)
{
  GString *sql = g_string_new ("SELECT now, taken FROM write_change (");

  for (guint i = 1; i <= n; i++)
    g_string_append_printf (sql, "%s$%u", i > 1 ? ", " : "", i);
  g_string_append_c (sql, ')');
  return g_string_free (sql, FALSE);
}

static gboolean
postgresql_write (TallyDatabase *database, const TallyLedgerChange *change, gint64 *ret_now,
                  GError **error)
{
  TallyPgParameters parameters;
  g_autoptr (PGresult) result = NULL;
  g_autofree char *sql = NULL;
  const char *taken;

  tally_pg_parameters_init (&parameters);
  add_change (&parameters, change);
  sql = compose_call (parameters.buffers->len);
  result = run_pipeline ((Postgresql *)database, /* write= */ TRUE, sql, &parameters, error);
  tally_pg_parameters_clear (&parameters);
  if (result == NULL)
    return FALSE;

  TALLY_POINT ("ledger-after-commit-before-answer");
  *ret_now = g_ascii_strtoll (PQgetvalue (result, 0, 0), NULL, 10);
  taken = PQgetvalue (result, 0, 1);
  g_assert (strlen (taken) == change->n_intents);
  for (guint i = 0; i < change->n_intents; i++)
    change->taken[i] = taken[i] == 't';
  return TRUE;
}

/* ---- Which server ---- */

/* The cluster and its timeline, which a promotion or a recovery to an earlier point changes; where
 * we may not ask for the cluster, the database's number in it. */
static char *
postgresql_dup_server (TallyDatabase *database, GError **error)
{
  static const char may_ask[]
      = "SELECT has_function_privilege ('pg_control_system()', 'execute')::integer";
  static const char by_control[]
      = "SELECT system_identifier || '/' || substr (pg_walfile_name (pg_current_wal_lsn ()), 1, 8) "
        "FROM pg_control_system ()";
  static const char by_name[] = "SELECT 'database ' || oid || '/' || substr (pg_walfile_name "
                                "(pg_current_wal_lsn ()), 1, 8) "
                                "FROM pg_database WHERE datname = current_database ()";
  g_autoptr (TallyRows) may = NULL, server = NULL;

  if (!tally_sql (database, &may, error, may_ask, NULL, 0)
      || !tally_sql (database, &server, error,
                     tally_rows_int (may, 0, 0) != 0 ? by_control : by_name, NULL, 0))
    return NULL;
  return g_strdup (tally_rows_text (server, 0, 0));
}

/* A ledger that is there belongs to who made it; who uses it writes to all of these. */
static char *
postgresql_dup_missing (TallyDatabase *database, GError **error)
{
  static const char sql[]
      = "SELECT CASE WHEN to_regclass ('tallyman.meta') IS NULL THEN CASE WHEN has_database_privilege (current_database (), "
        "'CREATE') THEN '' ELSE format ('GRANT CREATE ON DATABASE %I TO %I', current_database (), current_user) END "
        "ELSE coalesce ((SELECT string_agg (format ('GRANT INSERT, UPDATE ON tallyman.%I TO %I', t, current_user), '; ') "
        "FROM unnest (ARRAY['meta', 'writers', 'leases', 'runs', 'deliveries']) AS t "
        "WHERE NOT (has_table_privilege (to_regclass ('tallyman.' || t)::oid, 'INSERT') "
        "AND has_table_privilege (to_regclass ('tallyman.' || t)::oid, 'UPDATE'))), '') END";
  g_autoptr (TallyRows) rows = NULL;

  if (!tally_sql (database, &rows, error, sql, NULL, 0))
    return NULL;
  return g_strdup (tally_rows_text (rows, 0, 0));
}

/* ---- Opening and closing ---- */

static void
postgresql_close (TallyDatabase *database)
{
  Postgresql *postgresql = (Postgresql *)database;

  disconnect (postgresql);
  PQconninfoFree (postgresql->options);
  g_free (postgresql->warning);
  g_free (postgresql);
}

static const TallyDatabaseClass postgresql_class = {
  .dialect = "postgresql",
  .close = postgresql_close,
  .reopen = postgresql_reopen,
  .begin = postgresql_begin,
  .commit = postgresql_commit,
  .rollback = postgresql_rollback,
  .run = postgresql_run,
  .run_script = postgresql_run_script,
  .lock_schema = postgresql_lock_schema,
  .has_schema = postgresql_has_schema,
  .introduce = postgresql_introduce,
  .find = postgresql_find,
  .write = postgresql_write,
  .dup_server = postgresql_dup_server,
  .dup_missing = postgresql_dup_missing,
};

/* A connection's word, from the user's string or else from what libpq would take. (transfer full)
 */
static char *
word_of (const PQconninfoOption *given, const PQconninfoOption *usual, const char *keyword,
         const char *fallback)
{
  for (; given->keyword != NULL; given++)
    if (g_str_equal (given->keyword, keyword) && given->val != NULL)
      return g_strdup (given->val);
  for (; usual != NULL && usual->keyword != NULL; usual++)
    if (g_str_equal (usual->keyword, keyword) && usual->val != NULL)
      return g_strdup (usual->val);
  return g_strdup (fallback);
}

static void
describe (Postgresql *postgresql)
{
  PQconninfoOption *usual = PQconndefaults ();
  g_autofree char *user = word_of (postgresql->options, usual, "user", g_get_user_name ());
  g_autofree char *name = word_of (postgresql->options, usual, "dbname", user);
  g_autofree char *host = word_of (postgresql->options, usual, "host", "local socket");
  g_autofree char *port = word_of (postgresql->options, usual, "port", "5432");

  postgresql->base.description = g_strdup_printf ("\"%s\" on %s", name, host);
  postgresql->base.location = g_strdup_printf ("postgresql:%s:%s/%s", host, port, name);
  PQconninfoFree (usual);
}

TallyDatabase *
tally_postgresql_open (const char *uri, TallyLedgerFlags flags, GError **error)
{
  Postgresql *postgresql;
  const char *rest = strchr (uri, ':') + 1;
  /* "postgresql://…" is libpq's own form, after "postgresql:" comes a conninfo. */
  PQconninfoOption *options = PQconninfoParse (g_str_has_prefix (rest, "//") ? uri : rest, NULL);

  if (options == NULL)
    {
      tally_throw (error, TALLY_ERROR_USAGE,
                   "the ledger's connection string cannot be understood; it is not shown, since it "
                   "may hold a password");
      return NULL;
    }

  postgresql = g_new0 (Postgresql, 1);
  postgresql->base.class = &postgresql_class;
  postgresql->base.read_only = (flags & TALLY_LEDGER_READ) != 0;
  postgresql->base.is_durable = TRUE;
  postgresql->insist = (flags & TALLY_LEDGER_UNSAFE) != 0;
  postgresql->options = options;
  describe (postgresql);
  return &postgresql->base;
}
