/* sqlite.c: the ledger in one file
 *
 * Write-ahead log with synchronous=FULL: one fsync for each commit.  The statements are kept
 * prepared.
 *
 * The database's clock is the machine's, but not as it is set: once for each start of the machine
 * the ledger notes what time it was, and from then on counts with CLOCK_BOOTTIME, which nobody can
 * set and which goes on while the machine sleeps.  So an age is right although the clock was put
 * back or forward.
 */
#include "database.h"
#include "delivery/hooks.h"
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define APPLICATION_ID 0x54616c79 /* "Taly" */
#define BUSY_MILLISECONDS 1000    /* for one try */

typedef struct
{
  TallyDatabase base;
  sqlite3 *handle;
  GHashTable *statements; /* (owned) (element-type utf8 sqlite3_stmt) */
  gint64 clock_offset;    /* what to add to CLOCK_BOOTTIME */
  gboolean has_clock;
} Sqlite;

/* Everything that goes wrong in SQLite is said here. */
static gboolean
complain (Sqlite *sqlite, const char *what, GError **error)
{
  int code = sqlite3_errcode (sqlite->handle);

  sqlite->base.failure
      = code == SQLITE_BUSY || code == SQLITE_LOCKED ? TALLY_FAILURE_AGAIN : TALLY_FAILURE_FINAL;
  if (sqlite->base.failure == TALLY_FAILURE_AGAIN)
    return tally_throw (error, TALLY_ERROR_LEDGER,
                        "could not %s the ledger %s: another program keeps it locked", what,
                        sqlite->base.description);
  return tally_throw (error, TALLY_ERROR_LEDGER, "could not %s the ledger %s: %s", what,
                      sqlite->base.description, sqlite3_errmsg (sqlite->handle));
}

/* ---- Statements ---- */

static void
free_statement (gpointer statement)
{
  sqlite3_finalize (statement);
}

/* (transfer none) (nullable) ready to be bound */
static sqlite3_stmt *
prepare (Sqlite *sqlite, const char *sql, GError **error)
{
  sqlite3_stmt *statement = g_hash_table_lookup (sqlite->statements, sql);

  if (statement != NULL)
    return statement;
  if (sqlite3_prepare_v3 (sqlite->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL)
      != SQLITE_OK)
    {
      complain (sqlite, "read", error);
      return NULL;
    }
  g_hash_table_insert (sqlite->statements, g_strdup (sql), statement);
  return statement;
}

static void
finish (sqlite3_stmt *statement)
{
  sqlite3_reset (statement);
  sqlite3_clear_bindings (statement);
}

static void
bind_text (sqlite3_stmt *statement, int index, const char *text)
{
  sqlite3_bind_text (statement, index, text, -1, SQLITE_STATIC);
}

/* SQLite takes "$2" for a name, and numbers names as it meets them. */
static void
bind_values (sqlite3_stmt *statement, const TallySqlValue *values, guint n_values)
{
  for (guint i = 0; i < n_values; i++)
    {
      char name[16];
      int index;

      g_snprintf (name, sizeof name, "$%u", i + 1);
      index = sqlite3_bind_parameter_index (statement, name);
      if (values[i].type == TALLY_SQL_INT)
        sqlite3_bind_int64 (statement, index, values[i].number);
      else if (values[i].type == TALLY_SQL_TEXT)
        bind_text (statement, index, values[i].text);
    }
}

static void
add_row (TallyRows *rows, sqlite3_stmt *statement)
{
  for (guint column = 0; column < rows->n_columns; column++)
    {
      gboolean is_blob = sqlite3_column_type (statement, column) == SQLITE_BLOB;
      const void *data = is_blob ? sqlite3_column_blob (statement, column)
                                 : sqlite3_column_text (statement, column);
      int length = sqlite3_column_bytes (statement, column);

      /* An empty blob has no data, but is not NULL. */
      tally_rows_add (rows, is_blob && data == NULL ? "" : data, length);
    }
}

static gboolean
step_all (Sqlite *sqlite, sqlite3_stmt *statement, TallyRows *rows, GError **error)
{
  int result;

  while ((result = sqlite3_step (statement)) == SQLITE_ROW)
    if (rows != NULL)
      add_row (rows, statement);
  if (result != SQLITE_DONE)
    complain (sqlite, sqlite3_stmt_readonly (statement) ? "read" : "write", error);
  finish (statement);
  return result == SQLITE_DONE;
}

static TallyRows *
sqlite_run (TallyDatabase *database, const char *sql, const TallySqlValue *values, guint n_values,
            GError **error)
{
  Sqlite *sqlite = (Sqlite *)database;
  sqlite3_stmt *statement = prepare (sqlite, sql, error);
  g_autoptr (TallyRows) rows = NULL;

  if (statement == NULL)
    return NULL;

  bind_values (statement, values, n_values);
  rows = tally_rows_new (MAX (sqlite3_column_count (statement), 1));
  return step_all (sqlite, statement, rows, error) ? g_steal_pointer (&rows) : NULL;
}

static gboolean
sqlite_run_script (TallyDatabase *database, const char *sql, GError **error)
{
  Sqlite *sqlite = (Sqlite *)database;

  return sqlite3_exec (sqlite->handle, sql, NULL, NULL, NULL) == SQLITE_OK
         || complain (sqlite, "write", error);
}

/* ---- Transactions ---- */

static gboolean
sqlite_begin (TallyDatabase *database, gboolean write, GError **error)
{
  Sqlite *sqlite = (Sqlite *)database;
  sqlite3_stmt *statement = prepare (sqlite, write ? "BEGIN IMMEDIATE" : "BEGIN", error);

  return statement != NULL && step_all (sqlite, statement, NULL, error);
}

static gboolean
sqlite_commit (TallyDatabase *database, GError **error)
{
  Sqlite *sqlite = (Sqlite *)database;
  sqlite3_stmt *statement = prepare (sqlite, "COMMIT", error);

  TALLY_POINT ("ledger-before-commit");
  if (statement == NULL || !step_all (sqlite, statement, NULL, error))
    return FALSE;
  TALLY_POINT ("ledger-after-commit-before-answer");
  return TRUE;
}

static void
sqlite_rollback (TallyDatabase *database)
{
  Sqlite *sqlite = (Sqlite *)database;

  /* After some errors SQLite has rolled back by itself. */
  if (!sqlite3_get_autocommit (sqlite->handle))
    sqlite3_exec (sqlite->handle, "ROLLBACK", NULL, NULL, NULL);
}

static gboolean
sqlite_reopen (TallyDatabase *database, GError **error)
{
  return TRUE;
}

static gboolean
sqlite_lock_schema (TallyDatabase *database, GError **error)
{
  return TRUE; /* BEGIN IMMEDIATE has */
}

static char *
sqlite_dup_server (TallyDatabase *database, GError **error)
{
  return g_strdup ("");
}

/* The write-ahead log stands beside the file. */
static char *
sqlite_dup_missing (TallyDatabase *database, GError **error)
{
  const char *path = database->location + strlen ("sqlite:");
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GError) local = NULL;

  if (access (path, W_OK) != 0)
    return g_strdup_printf ("the right to write \"%s\": chmod u+w, or run as its owner", path);
  if (!tally_check_folder (folder, /* may_make= */ FALSE, &local))
    return g_strdup (local->message);
  return g_strdup ("");
}

/* ---- The clock ---- */

static gint64
boot_clock (void)
{
  struct timespec now;

  clock_gettime (CLOCK_BOOTTIME, &now);
  return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static gint64
sqlite_now (const Sqlite *sqlite)
{
  return TALLY_LEDGER_TIME (sqlite->has_clock ? boot_clock () + sqlite->clock_offset
                                              : g_get_real_time ());
}

static void
clock_timestamp_function (sqlite3_context *context, int n_values, sqlite3_value **values)
{
  sqlite3_result_int64 (context, sqlite_now (sqlite3_user_data (context)));
}

/* PostgreSQL keeps timestamps, we keep their microseconds. */
static void
identity_function (sqlite3_context *context, int n_values, sqlite3_value **values)
{
  sqlite3_result_value (context, values[0]);
}

static gboolean
set_clock (Sqlite *sqlite, const char *boot, GError **error)
{
  gint64 now = sqlite_now (sqlite), boot_time = boot_clock ();
  g_autoptr (TallyRows) last = NULL;

  /* The last thing that the ledger saw happen cannot be in the future. */
  if (!tally_sql (&sqlite->base, &last, error,
                  "SELECT max (COALESCE ((SELECT max (acquired_at) FROM writers), 0), "
                  "COALESCE ((SELECT max (COALESCE (ended_at, 0)) FROM writers), 0), COALESCE "
                  "(clock_time, 0)) FROM meta",
                  NULL, 0))
    return FALSE;
  now = MAX (now, tally_rows_int (last, 0, 0));
  sqlite->clock_offset = now - boot_time;
  sqlite->has_clock = TRUE;
  return SQL (&sqlite->base, NULL, error,
              "UPDATE meta SET clock_boot = $1, clock_boot_time = $2, clock_time = $3",
              SQL_TEXT (boot), SQL_INT (boot_time), SQL_INT (now));
}

/* Within the transaction that has made sure of the schema. */
static gboolean
sqlite_introduce (TallyDatabase *database, GError **error)
{
  Sqlite *sqlite = (Sqlite *)database;
  g_autoptr (TallyHolder) self = tally_holder_self ("");
  g_autoptr (TallyRows) rows = NULL;

  if (!tally_sql (&sqlite->base, &rows, error,
                  "SELECT clock_boot, clock_time - clock_boot_time FROM meta", NULL, 0))
    return FALSE;
  if (rows->n_rows == 0)
    return TRUE;
  if (g_strcmp0 (tally_rows_text (rows, 0, 0), self->boot_id) == 0)
    {
      sqlite->clock_offset = tally_rows_int (rows, 0, 1);
      sqlite->has_clock = TRUE;
      return TRUE;
    }
  return sqlite->base.read_only || set_clock (sqlite, self->boot_id, error);
}

static gboolean
sqlite_has_schema (TallyDatabase *database, gboolean *ret_has, GError **error)
{
  g_autoptr (TallyRows) rows = NULL;

  if (!tally_sql (database, &rows, error, "SELECT count (*) FROM sqlite_master WHERE name = 'meta'",
                  NULL, 0))
    return FALSE;
  *ret_has = tally_rows_int (rows, 0, 0) > 0;
  return TRUE;
}

/* ---- Deliveries ---- */

static TallyRows *
sqlite_find (TallyDatabase *database, gint64 scope, const char *const *keys, guint n_keys,
             GError **error)
{
  Sqlite *sqlite = (Sqlite *)database;
  g_autoptr (TallyRows) rows = tally_rows_new (N_DELIVERY_COLUMNS + 1);
  sqlite3_stmt *statement = prepare (sqlite,
                                     "SELECT " DELIVERY_COLUMNS ", " UNSETTLED_REQUEST
                                     " FROM deliveries d WHERE d.scope = ?1 AND d.key = ?2",
                                     error);
  gboolean good = statement != NULL && sqlite_begin (database, /* write= */ FALSE, error);

  for (guint i = 0; good && i < n_keys; i++)
    {
      sqlite3_bind_int64 (statement, 1, scope);
      bind_text (statement, 2, keys[i]);
      good = step_all (sqlite, statement, rows, error);
    }
  sqlite_rollback (database);
  return good ? g_steal_pointer (&rows) : NULL;
}

/* A change on its way into the tables. */
typedef struct
{
  Sqlite *sqlite;
  const TallyLedgerChange *change;
  gint64 now;
  gboolean *told; /* (array length=n_outcomes) which outcomes are in */
} Writing;

static gboolean
write_writer (const Writing *writing, GError **error)
{
  const TallyLedgerChange *change = writing->change;
  TallyDatabase *database = &writing->sqlite->base;
  g_autoptr (TallyRows) rows = NULL;
  gint64 serial;

  if (!SQL (database, &rows, error,
            "SELECT serial FROM writers WHERE epoch = $1 AND ended_at IS NULL",
            SQL_INT (change->epoch)))
    return FALSE;
  serial = rows->n_rows > 0 ? tally_rows_int (rows, 0, 0) : 0;
  if (rows->n_rows == 0 || serial >= change->serial)
    {
      database->failure = rows->n_rows == 0 ? TALLY_FAILURE_STALE : TALLY_FAILURE_HELD;
      return FALSE;
    }
  return SQL (database, NULL, error,
              "UPDATE writers SET serial = $2, expires_at = $3 WHERE epoch = $1",
              SQL_INT (change->epoch), SQL_INT (change->serial),
              SQL_INT (writing->now + change->lease_ttl));
}

static void
bind_intent (sqlite3_stmt *statement, const Writing *writing, const TallyLedgerDelivery *intent)
{
  gsize length;
  const void *request = g_bytes_get_data (intent->request, &length);

  sqlite3_bind_int64 (statement, 1, writing->change->scope);
  bind_text (statement, 2, intent->key);
  sqlite3_bind_int64 (statement, 3, intent->generation);
  bind_text (statement, 4, intent->idempotency_key);
  sqlite3_bind_blob64 (statement, 5, length > 0 ? request : "", length, SQLITE_STATIC);
  bind_text (statement, 6, intent->request_hash);
  bind_text (statement, 7, intent->content_hash);
  bind_text (statement, 8, intent->row_origin);
  bind_text (statement, 9, intent->reference);
  sqlite3_bind_int64 (statement, 10, tally_ledger_intent_pass (writing->change, intent));
  sqlite3_bind_int64 (statement, 11, writing->change->run->id);
  sqlite3_bind_int64 (statement, 12, writing->now);
  if (intent->intended_target != 0)
    sqlite3_bind_int64 (statement, 13, intent->intended_target);
  if (intent->generation > 1)
    bind_text (statement, 14, intent->target_id);
}

/* What the generation before came to, for `trace`: the row is about to forget it. */
static gboolean
note_generation (const Writing *writing, const TallyLedgerDelivery *intent, GError **error)
{
  return SQL (&writing->sqlite->base, NULL, error,
              "INSERT INTO events (scope, key, generation, at, run, event, status, detail) "
              "SELECT scope, key, $3, $4, $5, CASE WHEN target_id IS NULL THEN 'next generation' "
              "ELSE 'update' END, status, "
              "'after one that is ' || state || ', key ' || idempotency_key "
              "FROM deliveries WHERE scope = $1 AND key = $2 AND generation = $3 - 1 "
              "AND state <> 'discarded' AND target_id IS $6",
              SQL_INT (writing->change->scope), SQL_TEXT (intent->key),
              SQL_INT (intent->generation), SQL_INT (writing->now),
              SQL_INT (writing->change->run->id), SQL_TEXT (intent->target_id));
}

static gboolean
write_intent (const Writing *writing, const TallyLedgerDelivery *intent, gboolean *ret_taken,
              GError **error)
{
  static const char insert[] = "INSERT INTO deliveries (scope, key, generation, state, "
                               "idempotency_key, request, request_hash, content_hash, "
                               "row_origin, reference, pass, run, intended_at, intended_target) "
                               "VALUES (?1, ?2, ?3, 'intended', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
                               "?12, ?13) ON CONFLICT (scope, key) DO NOTHING";
  static const char update[]
      = "UPDATE deliveries SET generation = ?3, state = 'intended', idempotency_key = ?4, request "
        "= ?5, "
        "request_hash = ?6, content_hash = ?7, row_origin = ?8, reference = ?9, pass = ?10, run = "
        "?11, intended_at = ?12, "
        "intended_target = ?13, attempts = 0, settled_at = NULL, "
        "other_ids = CASE WHEN target_id IS NOT NULL THEN other_ids END, status = 0, "
        "detail = NULL, receipt = NULL WHERE scope = ?1 AND key = ?2 AND generation = ?3 - 1 "
        "AND state <> 'discarded' AND target_id IS ?14";
  Sqlite *sqlite = writing->sqlite;
  gboolean is_new = intent->generation == 1;
  sqlite3_stmt *statement = prepare (sqlite, is_new ? insert : update, error);

  if (statement == NULL || (!is_new && !note_generation (writing, intent, error)))
    return FALSE;
  bind_intent (statement, writing, intent);
  if (!step_all (sqlite, statement, NULL, error))
    return FALSE;
  *ret_taken = sqlite3_changes (sqlite->handle) == 0;
  return TRUE;
}

static gboolean
write_event (const Writing *writing, const TallyLedgerOutcome *outcome, GError **error)
{
  if (outcome->event == NULL)
    return TRUE;
  return SQL (&writing->sqlite->base, NULL, error,
              "INSERT INTO events (scope, key, generation, at, run, event, status, detail) "
              "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
              SQL_INT (writing->change->scope), SQL_TEXT (outcome->key),
              SQL_INT (outcome->generation), SQL_INT (writing->now),
              SQL_INT (writing->change->run->id), SQL_TEXT (outcome->event),
              SQL_INT (outcome->status), SQL_TEXT (outcome->detail));
}

/* Tells the outcomes that fit as the ledger now is. */
static gboolean
write_outcomes (Writing *writing, GError **error)
{
  static const char sql[]
      = "UPDATE deliveries SET state = CASE WHEN ?4 = 'intended' THEN state ELSE ?4 END, attempts "
        "= ?5, "
        "status = CASE WHEN ?4 = 'intended' AND ?6 = 0 THEN status ELSE ?6 END, "
        "target_id = COALESCE (?7, target_id), "
        "known_since = CASE WHEN ?7 IS NULL THEN known_since ELSE COALESCE (known_since, ?11) END, "
        "other_ids = COALESCE (?8, other_ids), receipt = COALESCE (?12, receipt), "
        "detail = CASE WHEN ?4 = 'intended' AND ?9 IS NULL THEN detail ELSE ?9 END, "
        "request = CASE WHEN ?10 OR ?4 IN ('intended', 'in doubt') THEN request END, "
        "settled_at = CASE WHEN ?4 NOT IN ('intended', 'in doubt') THEN ?11 END "
        "WHERE scope = ?1 AND key = ?2 AND generation = ?3 AND state IN ('intended', 'in doubt')";
  const TallyLedgerChange *change = writing->change;
  sqlite3_stmt *statement = prepare (writing->sqlite, sql, error);

  if (statement == NULL)
    return FALSE;
  for (guint i = 0; i < change->n_outcomes; i++)
    {
      const TallyLedgerOutcome *outcome = &change->outcomes[i];

      if (writing->told[i])
        continue;
      sqlite3_bind_int64 (statement, 1, change->scope);
      bind_text (statement, 2, outcome->key);
      sqlite3_bind_int64 (statement, 3, outcome->generation);
      bind_text (statement, 4, tally_delivery_state_name (outcome->state));
      sqlite3_bind_int64 (statement, 5, outcome->attempts);
      sqlite3_bind_int64 (statement, 6, outcome->status);
      if (outcome->state == TALLY_DELIVERY_DELIVERED || outcome->state == TALLY_DELIVERY_REJECTED)
        bind_text (statement, 7, outcome->target_id);
      bind_text (statement, 8, outcome->other_ids);
      bind_text (statement, 9, outcome->detail);
      sqlite3_bind_int (statement, 10, outcome->keep_request);
      sqlite3_bind_int64 (statement, 11, writing->now);
      bind_text (statement, 12, outcome->receipt);
      if (!step_all (writing->sqlite, statement, NULL, error))
        return FALSE;
      writing->told[i] = sqlite3_changes (writing->sqlite->handle) > 0;
      if (writing->told[i] && !write_event (writing, outcome, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
write_intents (const Writing *writing, GError **error)
{
  const TallyLedgerChange *change = writing->change;

  for (guint i = 0; i < change->n_intents; i++)
    if (!write_intent (writing, change->intents[i], &change->taken[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
check_all_told (const Writing *writing, GError **error)
{
  const TallyLedgerChange *change = writing->change;

  for (guint i = 0; i < change->n_outcomes; i++)
    if (!writing->told[i] && !tally_change_lost_intent (change, &change->outcomes[i]))
      return tally_throw (error, TALLY_ERROR_LEDGER,
                          "an outcome of key \"%s\", generation %u, fits nothing that the ledger "
                          "has: it was settled "
                          "by somebody else",
                          change->outcomes[i].key, change->outcomes[i].generation);
  return TRUE;
}

/* Known records that were met again. */
static gboolean
write_seen (const Writing *writing, const TallyLedgerSeen *seen, GError **error)
{
  const TallyLedgerChange *change = writing->change;
  TallyDatabase *database = &writing->sqlite->base;
  g_autoptr (TallyRows) taken = NULL;

  if (!SQL (database, NULL, error,
            "UPDATE deliveries SET pass = $3, row_origin = $4 WHERE scope = $1 AND key = $2",
            SQL_INT (change->scope), SQL_TEXT (seen->key), SQL_INT (change->run->pass),
            SQL_TEXT (seen->row_origin)))
    return FALSE;
  if (seen->content_hash == NULL)
    return TRUE;
  return SQL (database, &taken, error,
              "UPDATE deliveries SET content_hash = $3, state = 'delivered', request = NULL, "
              "status = CASE WHEN state = 'delivered' THEN status ELSE 0 END, "
              "detail = CASE WHEN state = 'delivered' THEN detail END "
              "WHERE scope = $1 AND key = $2 AND target_id IS NOT NULL "
              "AND state IN ('delivered', 'rejected', 'released') RETURNING generation",
              SQL_INT (change->scope), SQL_TEXT (seen->key), SQL_TEXT (seen->content_hash))
         && (taken->n_rows == 0
             || SQL (database, NULL, error,
                     "INSERT INTO events (scope, key, generation, at, run, event) "
                     "VALUES ($1, $2, $3, $4, $5, 'changed, nothing to send')",
                     SQL_INT (change->scope), SQL_TEXT (seen->key),
                     SQL_INT (tally_rows_int (taken, 0, 0)), SQL_INT (writing->now),
                     SQL_INT (change->run->id)));
}

static gboolean
write_rest (const Writing *writing, GError **error)
{
  const TallyLedgerChange *change = writing->change;
  const TallyLedgerRun *run = change->run;
  TallyDatabase *database = &writing->sqlite->base;

  for (guint i = 0; i < change->n_seen; i++)
    if (!write_seen (writing, &change->seen[i], error))
      return FALSE;
  for (guint i = 0; i < change->n_rejects; i++)
    if (!SQL (database, NULL, error,
              "INSERT INTO rejects (run, pipeline, at, origin, stage, reason, record) "
              "VALUES ($1, $2, $3, $4, $5, $6, $7)",
              SQL_INT (run->id), SQL_TEXT (run->pipeline), SQL_INT (writing->now),
              SQL_TEXT (change->rejects[i].origin), SQL_TEXT (change->rejects[i].stage),
              SQL_TEXT (change->rejects[i].reason), SQL_TEXT (change->rejects[i].record)))
      return FALSE;
  return change->position == NULL
         || SQL (database, NULL, error,
                 "UPDATE pipelines SET position = $3 WHERE name = $1 AND pass = $2",
                 SQL_TEXT (run->pipeline), SQL_INT (run->pass), SQL_TEXT (change->position));
}

static gboolean
sqlite_write (TallyDatabase *database, const TallyLedgerChange *change, gint64 *ret_now,
              GError **error)
{
  g_autofree gboolean *told = g_new0 (gboolean, change->n_outcomes);
  Writing writing = { .sqlite = (Sqlite *)database, .change = change, .told = told };

  if (!sqlite_begin (database, /* write= */ TRUE, error))
    return FALSE;

  writing.now = sqlite_now (writing.sqlite);
  /* An outcome may be of the generation before an intent's, or of the intent itself. */
  if (write_writer (&writing, error) && write_outcomes (&writing, error)
      && write_intents (&writing, error) && write_outcomes (&writing, error)
      && check_all_told (&writing, error) && write_rest (&writing, error)
      && sqlite_commit (database, error))
    {
      *ret_now = writing.now;
      return TRUE;
    }

  sqlite_rollback (database);
  return FALSE;
}

/* ---- Opening and closing ---- */

static void
sqlite_close (TallyDatabase *database)
{
  Sqlite *sqlite = (Sqlite *)database;

  g_hash_table_unref (sqlite->statements);
  sqlite3_close (sqlite->handle);
  g_free (sqlite);
}

static const TallyDatabaseClass sqlite_class = {
  .dialect = "sqlite",
  .close = sqlite_close,
  .reopen = sqlite_reopen,
  .begin = sqlite_begin,
  .commit = sqlite_commit,
  .rollback = sqlite_rollback,
  .run = sqlite_run,
  .run_script = sqlite_run_script,
  .lock_schema = sqlite_lock_schema,
  .has_schema = sqlite_has_schema,
  .introduce = sqlite_introduce,
  .find = sqlite_find,
  .write = sqlite_write,
  .dup_server = sqlite_dup_server,
  .dup_missing = sqlite_dup_missing,
};

/* Made by us, so that nobody else can read it from its first byte on.  A file that is there is left to SQLite: to close one that
 * is open in this process already would drop the locks that it holds (POSIX, fcntl(2)), and the next process that closes the ledger
 * would take itself for the last one and remove the log that we still write to. */
static gboolean
make_file (const char *path, GError **error)
{
  int fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  if (fd >= 0)
    close (fd);
  else if (errno != EEXIST || faccessat (AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) != 0)
    return tally_throw (error, TALLY_ERROR_LEDGER, "could not open the ledger \"%s\": %s", path,
                        g_strerror (errno));
  return TRUE;
}

/* Two programs that open a new file at once: SQLite does not wait with this, so we do. */
static gboolean
use_write_ahead_log (Sqlite *sqlite, GError **error)
{
  for (guint waited = 0; waited < 10 * BUSY_MILLISECONDS; waited += 20)
    {
      if (sqlite3_exec (sqlite->handle, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) == SQLITE_OK)
        return TRUE;
      if (sqlite3_errcode (sqlite->handle) != SQLITE_BUSY)
        break;
      g_usleep (20 * 1000);
    }
  return complain (sqlite, "open", error);
}

static gboolean
check_is_ours (Sqlite *sqlite, GError **error)
{
  g_autoptr (TallyRows) rows = NULL;
  gint64 id, n_tables;

  if (!tally_sql (&sqlite->base, &rows, error,
                  "SELECT (SELECT application_id FROM pragma_application_id), (SELECT count (*) "
                  "FROM sqlite_master)",
                  NULL, 0))
    return FALSE;
  id = tally_rows_int (rows, 0, 0);
  n_tables = tally_rows_int (rows, 0, 1);
  if (id != APPLICATION_ID && (id != 0 || n_tables > 0))
    return tally_throw (error, TALLY_ERROR_LEDGER, "%s is a database, but not a ledger of Tallyman",
                        sqlite->base.description);
  if (id == 0 && !sqlite->base.read_only)
    return sqlite_run_script (&sqlite->base,
                              "PRAGMA application_id = " G_STRINGIFY (APPLICATION_ID), error);
  return TRUE;
}

static gboolean
prepare_connection (Sqlite *sqlite, GError **error)
{
  static const char settings[] = "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL";
  sqlite3 *handle = sqlite->handle;

  sqlite3_extended_result_codes (handle, FALSE);
  sqlite3_busy_timeout (handle, BUSY_MILLISECONDS);
  /* Called by hand-written SQL only, never by what stands in the file. */
  sqlite3_create_function (handle, "moment", 1,
                           SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                           identity_function, NULL, NULL);
  sqlite3_create_function (handle, "micros", 1,
                           SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                           identity_function, NULL, NULL);
  sqlite3_create_function (handle, "clock_timestamp", 0, SQLITE_UTF8 | SQLITE_DIRECTONLY, sqlite,
                           clock_timestamp_function, NULL, NULL);
  return sqlite_run_script (&sqlite->base, settings, error) && check_is_ours (sqlite, error)
         && (sqlite->base.read_only || use_write_ahead_log (sqlite, error));
}

static gboolean
open_handle (Sqlite *sqlite, const char *path, GError **error)
{
  int flags = sqlite->base.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;

  if (sqlite->base.read_only && access (path, F_OK) != 0)
    return tally_ledger_throw_missing (&sqlite->base, error);
  if (!sqlite->base.read_only && !make_file (path, error))
    return FALSE;
  if (sqlite3_open_v2 (path, &sqlite->handle, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
    return complain (sqlite, "open", error);
  return prepare_connection (sqlite, error);
}

TallyDatabase *
tally_sqlite_open (const char *path, TallyLedgerFlags flags, GError **error)
{
  Sqlite *sqlite = g_new0 (Sqlite, 1);
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);

  sqlite->base.class = &sqlite_class;
  sqlite->base.read_only = (flags & TALLY_LEDGER_READ) != 0;
  sqlite->base.is_durable = TRUE;
  sqlite->base.description = g_strdup_printf ("\"%s\"", path);
  sqlite->base.location = g_strdup_printf ("sqlite:%s", absolute);
  sqlite->statements = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_statement);
  if (*path == '\0')
    tally_throw (error, TALLY_ERROR_USAGE, "the ledger \"sqlite:\" has no path");
  else if (open_handle (sqlite, path, error))
    return &sqlite->base;

  g_free (sqlite->base.description);
  g_free (sqlite->base.location);
  sqlite_close (&sqlite->base);
  return NULL;
}
