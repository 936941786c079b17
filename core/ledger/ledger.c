/* ledger.c: opening a ledger, and what its other files share: transactions, tries, small questions
 */
#include "database.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define TRIES 6
#define FIRST_PAUSE (100 * 1000)
#define LONGEST_PAUSE (5 * G_USEC_PER_SEC)

char *
tally_random_id (void)
{
  guint32 words[4];

  if (getentropy (words, sizeof words) != 0)
    g_error ("the kernel gives no random numbers: %s", g_strerror (errno));
  return g_strdup_printf ("%08x%08x%08x%08x", words[0], words[1], words[2], words[3]);
}

char *
tally_state_path (const char *name, gboolean make_folder, GError **error)
{
  g_autofree char *path = g_build_filename (g_get_user_state_dir (), "tallyman", name, NULL);
  g_autofree char *folder = g_path_get_dirname (path);

  if (make_folder && g_mkdir_with_parents (folder, 0700) != 0)
    {
      tally_throw (error, TALLY_ERROR_LEDGER, "could not make the state directory \"%s\": %s",
                   folder, g_strerror (errno));
      return NULL;
    }
  return g_steal_pointer (&path);
}

gboolean
tally_ledger_throw_missing (TallyDatabase *database, GError **error)
{
  return tally_mark_check_place (database, NULL, error)
         && tally_throw (error, TALLY_ERROR_NO_LEDGER,
                         "there is no ledger at %s yet: no pipeline has run with it",
                         database->description);
}

/* ---- Transactions ---- */

gboolean
tally_sql (TallyDatabase *database, TallyRows **ret_rows, GError **error, const char *sql,
           const TallySqlValue *values, guint n_values)
{
  TallyRows *rows = database->class->run (database, sql, values, n_values, error);

  if (rows == NULL)
    return FALSE;
  if (ret_rows != NULL)
    *ret_rows = rows;
  else
    tally_rows_free (rows);
  return TRUE;
}

static gboolean
transact_once (TallyDatabase *database, gboolean write, TallyTransaction transaction, guint tries,
               gpointer data, GError **error)
{
  database->failure = TALLY_FAILURE_FINAL;
  if (!database->class->begin (database, write, error))
    return FALSE;
  if (transaction (database, tries, data, error) && database->class->commit (database, error))
    return TRUE;

  TallyFailure failure = database->failure;
  database->class->rollback (database);
  database->failure = failure;
  return FALSE;
}

gboolean
tally_ledger_try_again (TallyLedger *ledger, guint tries)
{
  TallyFailure failure = ledger->database->failure;
  gint64 pause = MIN (ledger->pause << MIN (tries, 16), LONGEST_PAUSE);

  if (failure != TALLY_FAILURE_AGAIN && failure != TALLY_FAILURE_LOST)
    return FALSE;
  if (tries + 1 >= ledger->tries)
    return FALSE;
  g_usleep (pause);
  return TRUE;
}

gboolean
tally_ledger_transact (TallyLedger *ledger, gboolean write, TallyTransaction transaction,
                       gpointer data, GError **error)
{
  for (guint tries = 0;; tries++)
    {
      g_autoptr (GError) local = NULL;

      if (ledger->database->class->reopen (ledger->database, &local)
          && transact_once (ledger->database, write, transaction, tries, data, &local))
        return TRUE;
      if (!tally_ledger_try_again (ledger, tries))
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
    }
}

gboolean
tally_ledger_lock (TallyDatabase *database, GError **error)
{
  return SQL (database, NULL, error, "UPDATE meta SET one = one WHERE one = $1", SQL_INT (1));
}

gboolean
tally_ledger_check_epoch (TallyDatabase *database, gint64 epoch, GError **error)
{
  g_autoptr (TallyRows) rows = NULL;

  /* An update, so that nobody takes the lease before this transaction ends. */
  if (!SQL (database, &rows, error,
            "UPDATE writers SET serial = serial WHERE epoch = $1 AND ended_at IS NULL RETURNING "
            "epoch",
            SQL_INT (epoch)))
    return FALSE;
  if (rows->n_rows == 0)
    return tally_throw (error, TALLY_ERROR_LEASE,
                        "epoch %" G_GINT64_FORMAT " is stale: another run has taken the lease",
                        epoch);
  return TRUE;
}

/* ---- Opening ---- */

TallyDatabase *
tally_database_open (const char *uri, TallyLedgerFlags flags, GError **error)
{
  g_autofree char *path = NULL;

  if (uri != NULL && g_str_has_prefix (uri, "sqlite:"))
    return tally_sqlite_open (uri + strlen ("sqlite:"), flags, error);
  if (uri != NULL && (g_str_has_prefix (uri, "postgresql:") || g_str_has_prefix (uri, "postgres:")))
    return tally_postgresql_open (uri, flags, error);
  if (uri != NULL)
    {
      /* Only the scheme is shown: the rest may hold a password. */
      g_autofree char *scheme = g_uri_parse_scheme (uri);

      if (scheme == NULL)
        tally_throw (error, TALLY_ERROR_USAGE,
                     "the ledger has no kind: for a file write sqlite: before its path, for a server \"postgresql://…\"");
      else
        tally_throw (error, TALLY_ERROR_USAGE,
                     "there is no ledger of kind \"%s\": give \"postgresql://…\" or \"sqlite:PATH\"", scheme);
      return NULL;
    }

  path = tally_state_path ("ledger.sqlite", (flags & TALLY_LEDGER_READ) == 0, error);
  return path != NULL ? tally_sqlite_open (path, flags, error) : NULL;
}

static gboolean
migrate_and_introduce (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  TallyLedger *ledger = data;
  g_autoptr (TallyRows) rows = NULL;

  if (!tally_migrate (database, error) || !database->class->introduce (database, error)
      || !tally_sql (database, &rows, error, "SELECT ledger_id FROM meta", NULL, 0))
    return FALSE;
  /* It becomes the name of a file. */
  if (rows->n_rows != 1 || strlen (tally_rows_text (rows, 0, 0)) != 32
      || strspn (tally_rows_text (rows, 0, 0), "0123456789abcdef") != 32)
    return tally_throw (error, TALLY_ERROR_LEDGER, "the ledger %s has lost its name",
                        database->description);

  g_free (ledger->id);
  ledger->id = g_strdup (tally_rows_text (rows, 0, 0));
  return TRUE;
}

TallyLedger *
tally_ledger_open (const char *uri, TallyLedgerFlags flags, GError **error)
{
  g_autoptr (TallyLedger) ledger = g_new0 (TallyLedger, 1);

  ledger->tries = TRIES;
  ledger->pause = FIRST_PAUSE;
  ledger->database = tally_database_open (uri, flags, error);
  if (ledger->database == NULL
      || !tally_ledger_transact (ledger, /* write= */ (flags & TALLY_LEDGER_READ) == 0,
                                 migrate_and_introduce, ledger, error))
    return NULL;

  return g_steal_pointer (&ledger);
}

void
tally_ledger_close (TallyLedger *ledger)
{
  if (ledger == NULL)
    return;

  if (ledger->database != NULL)
    {
      TallyDatabase *database = ledger->database;
      g_free (database->description);
      g_free (database->location);
      database->class->close (database);
    }
  g_free (ledger->id);
  g_free (ledger);
}

void
tally_ledger_set_patience (TallyLedger *ledger, guint tries, gint64 pause)
{
  ledger->tries = tries;
  ledger->pause = pause;
}

TallyDatabase *
tally_ledger_database (TallyLedger *ledger)
{
  return ledger->database;
}

const char *
tally_ledger_id (const TallyLedger *ledger)
{
  return ledger->id;
}

const char *
tally_ledger_description (const TallyLedger *ledger)
{
  return ledger->database->description;
}

gboolean
tally_ledger_is_durable (const TallyLedger *ledger)
{
  return ledger->database->is_durable;
}

static gboolean
ask_time (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  g_autoptr (TallyRows) rows = NULL;
  gint64 *now = data;

  if (!tally_sql (database, &rows, error, "SELECT micros (clock_timestamp())", NULL, 0))
    return FALSE;
  *now = tally_rows_int (rows, 0, 0);
  return TRUE;
}

gboolean
tally_ledger_now (TallyLedger *ledger, gint64 *ret_now, GError **error)
{
  return tally_ledger_transact (ledger, /* write= */ FALSE, ask_time, ret_now, error);
}

/* ---- Marks ---- */

static gboolean
ask_server (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  char **server = data;

  g_clear_pointer (server, g_free);
  return (*server = database->class->dup_server (database, error)) != NULL;
}

static gboolean
list_witnesses (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  TallyRows **rows = data;

  g_clear_pointer (rows, tally_rows_free);
  return tally_sql (database, rows, error,
                    "SELECT epoch, token, serial, ending FROM writers WHERE ended_at IS NULL "
                    "UNION SELECT epoch, token, serial, ending FROM writers "
                    "WHERE epoch = (SELECT max (epoch) FROM writers) ORDER BY epoch",
                    NULL, 0);
}

typedef struct
{
  const char *ledger_id;
  const char *server;
} MarkCheck;

static gboolean
check_mark (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  const MarkCheck *check = data;

  return tally_mark_check (database, check->ledger_id, check->server, error);
}

gboolean
tally_ledger_check_mark (TallyLedger *ledger, GError **error)
{
  g_autofree char *server = NULL;
  MarkCheck check = { .ledger_id = ledger->id };

  if (!tally_ledger_transact (ledger, /* write= */ FALSE, ask_server, &server, error))
    return FALSE;
  check.server = server;
  return tally_ledger_transact (ledger, /* write= */ FALSE, check_mark, &check, error);
}

gboolean
tally_ledger_save_mark (TallyLedger *ledger, GError **error)
{
  g_autoptr (TallyRows) writers = NULL;
  g_autofree char *server = NULL;

  return tally_ledger_transact (ledger, /* write= */ FALSE, list_witnesses, &writers, error)
         && tally_ledger_transact (ledger, /* write= */ FALSE, ask_server, &server, error)
         && tally_mark_save (ledger->database, ledger->id, writers, server, error);
}

/* ---- Scopes ---- */

typedef struct
{
  const TallyScope *scope;
  gint64 id;
} ScopeSearch;

static gboolean
find_scope (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  ScopeSearch *search = data;
  const TallyScope *scope = search->scope;
  g_autoptr (TallyRows) rows = NULL;

  if (!SQL (database, &rows, error,
            "SELECT id FROM scopes WHERE target = $1 AND entity = $2 AND origin = $3",
            SQL_TEXT (scope->target), SQL_TEXT (scope->entity), SQL_TEXT (scope->origin)))
    return FALSE;
  search->id = rows->n_rows > 0 ? tally_rows_int (rows, 0, 0) : 0;
  return TRUE;
}

static gboolean
make_scope (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  const TallyScope *scope = ((ScopeSearch *)data)->scope;

  return SQL (database, NULL, error,
              "INSERT INTO scopes (target, entity, origin) VALUES ($1, $2, $3) "
              "ON CONFLICT (target, entity, origin) DO NOTHING",
              SQL_TEXT (scope->target), SQL_TEXT (scope->entity), SQL_TEXT (scope->origin))
         && find_scope (database, tries, data, error);
}

gboolean
tally_ledger_scope (TallyLedger *ledger, const TallyScope *scope, gint64 *ret_scope, GError **error)
{
  ScopeSearch search = { .scope = scope };

  g_return_val_if_fail (scope->target != NULL && scope->entity != NULL && scope->origin != NULL,
                        FALSE);
  if (!tally_ledger_transact (ledger, /* write= */ FALSE, find_scope, &search, error))
    return FALSE;
  if (search.id == 0 && !ledger->database->read_only
      && !tally_ledger_transact (ledger, /* write= */ TRUE, make_scope, &search, error))
    return FALSE;

  *ret_scope = search.id;
  return TRUE;
}

typedef struct
{
  gint64 epoch, scope;
  gboolean shared;
} Sharing;

static gboolean
read_sharing (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  Sharing *sharing = data;
  g_autoptr (TallyRows) rows = NULL;

  if (!SQL (database, &rows, error, "SELECT id FROM scopes WHERE id = $1 AND shared_since IS NOT NULL",
            SQL_INT (sharing->scope)))
    return FALSE;
  sharing->shared = rows->n_rows > 0;
  return TRUE;
}

gboolean
tally_ledger_is_shared (TallyLedger *ledger, gint64 scope, gboolean *ret_shared, GError **error)
{
  Sharing sharing = { .scope = scope };

  if (!tally_ledger_transact (ledger, /* write= */ FALSE, read_sharing, &sharing, error))
    return FALSE;
  *ret_shared = sharing.shared;
  return TRUE;
}

static gboolean
write_sharing (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  const Sharing *sharing = data;

  return tally_ledger_check_epoch (database, sharing->epoch, error)
         && SQL (database, NULL, error,
                 sharing->shared ? "UPDATE scopes SET shared_since = clock_timestamp() "
                                   "WHERE id = $1 AND shared_since IS NULL"
                                 : "UPDATE scopes SET shared_since = NULL WHERE id = $1",
                 SQL_INT (sharing->scope));
}

gboolean
tally_ledger_set_shared (TallyLedger *ledger, gint64 epoch, gint64 scope, gboolean shared, GError **error)
{
  Sharing sharing = { .epoch = epoch, .scope = scope, .shared = shared };

  return tally_ledger_transact (ledger, /* write= */ TRUE, write_sharing, &sharing, error);
}

TallyLedgerScope *
tally_ledger_scope_copy (const TallyLedgerScope *scope)
{
  TallyLedgerScope *copy = g_new (TallyLedgerScope, 1);

  *copy = (TallyLedgerScope){ .id = scope->id,
                              .target = g_strdup (scope->target),
                              .entity = g_strdup (scope->entity),
                              .origin = g_strdup (scope->origin) };
  return copy;
}

void
tally_ledger_scope_free (gpointer data)
{
  TallyLedgerScope *scope = data;

  if (scope == NULL)
    return;

  g_free (scope->target);
  g_free (scope->entity);
  g_free (scope->origin);
  g_free (scope);
}

static gboolean
list_scopes (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  GPtrArray *scopes = data;
  g_autoptr (TallyRows) rows = NULL;

  if (!tally_sql (database, &rows, error, "SELECT id, target, entity, origin FROM scopes ORDER BY id",
                  NULL, 0))
    return FALSE;

  g_ptr_array_set_size (scopes, 0);
  for (guint i = 0; i < rows->n_rows; i++)
    {
      const TallyLedgerScope scope = { .id = tally_rows_int (rows, i, 0),
                                       .target = (char *)tally_rows_text (rows, i, 1),
                                       .entity = (char *)tally_rows_text (rows, i, 2),
                                       .origin = (char *)tally_rows_text (rows, i, 3) };

      g_ptr_array_add (scopes, tally_ledger_scope_copy (&scope));
    }
  return TRUE;
}

GPtrArray *
tally_ledger_list_scopes (TallyLedger *ledger, GError **error)
{
  g_autoptr (GPtrArray) scopes = g_ptr_array_new_with_free_func (tally_ledger_scope_free);

  if (!tally_ledger_transact (ledger, /* write= */ FALSE, list_scopes, scopes, error))
    return NULL;
  return g_steal_pointer (&scopes);
}
