/* database.h: what the ledger asks of a database; sqlite.c and postgresql.c answer
 *
 * Most of the ledger is SQL that both understand, written once: parameters are $1, $2, …; times go
 * in as moment($1) and come out as micros(column); clock_timestamp() is the database's clock.  What
 * must be fast, or cannot be said alike, is a member of the class.
 */
#pragma once
#include "ledger.h"

typedef enum
{
  TALLY_SQL_NULL,
  TALLY_SQL_INT,
  TALLY_SQL_TEXT,
} TallySqlType;

typedef struct
{
  TallySqlType type;
  gint64 number;
  const char *text; /* (unowned) */
} TallySqlValue;

#define SQL_INT(n)                                                                                 \
  {                                                                                                \
    .type = TALLY_SQL_INT, .number = (n)                                                           \
  }
/* NULL stays NULL */
#define SQL_TEXT(s)                                                                                \
  {                                                                                                \
    .type = (s) != NULL ? TALLY_SQL_TEXT : TALLY_SQL_NULL, .text = (s)                             \
  }

/* All rows of an answer, in memory: whoever asks for many asks by pages. */
typedef struct
{
  guint n_rows, n_columns;
  GPtrArray
      *cells; /* (element-type GBytes) (nullable elements) text with a NUL after it, by rows */
} TallyRows;

TallyRows *tally_rows_new (guint n_columns);
void tally_rows_free (TallyRows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyRows, tally_rows_free)
/* Cells are added from left to right; data NULL is NULL. */
void tally_rows_add (TallyRows *rows, const void *data, gsize length);
gboolean tally_rows_is_null (const TallyRows *rows, guint row, guint column);
gint64 tally_rows_int (const TallyRows *rows, guint row, guint column);       /* 0 for NULL */
const char *tally_rows_text (const TallyRows *rows, guint row, guint column); /* (nullable) */
GBytes *tally_rows_bytes (const TallyRows *rows, guint row,
                          guint column); /* (nullable) (transfer none) */

/* What the last failure of a database means for whoever wants to try again. */
typedef enum
{
  TALLY_FAILURE_FINAL,
  TALLY_FAILURE_AGAIN, /* surely rolled back, and another try may do better */
  TALLY_FAILURE_LOST,  /* the connection is gone; what was being committed may hold or not */
  TALLY_FAILURE_STALE, /* the epoch is not valid any more */
  TALLY_FAILURE_HELD,  /* the serial is in the ledger already */
} TallyFailure;

typedef struct _TallyDatabase TallyDatabase;

typedef struct
{
  const char *dialect; /* the folder of its migrations */
  void (*close) (TallyDatabase *database);
  /* After TALLY_FAILURE_LOST; nothing to do if it is there. */
  gboolean (*reopen) (TallyDatabase *database, GError **error);
  gboolean (*begin) (TallyDatabase *database, gboolean write, GError **error);
  gboolean (*commit) (TallyDatabase *database, GError **error);
  void (*rollback) (TallyDatabase *database);
  /* Within a transaction. (transfer full) */
  TallyRows *(*run) (TallyDatabase *database, const char *sql, const TallySqlValue *values,
                     guint n_values, GError **error);
  /* Statements with no parameters and no answers, within a transaction. */
  gboolean (*run_script) (TallyDatabase *database, const char *sql, GError **error);
  /* Makes everybody else who migrates wait until the transaction ends. */
  gboolean (*lock_schema) (TallyDatabase *database, GError **error);
  gboolean (*has_schema) (TallyDatabase *database, gboolean *ret_has, GError **error);
  /* What must be known of the database before it is used, within the transaction that made sure of
   * the schema. */
  gboolean (*introduce) (TallyDatabase *database, GError **error);
  /* In one transaction of its own: the deliveries with these keys, in any order; columns as
   * DELIVERY_COLUMNS. */
  TallyRows *(*find) (TallyDatabase *database, gint64 scope, const char *const *keys, guint n_keys,
                      GError **error);
  /* One transaction of its own, tried once. */
  gboolean (*write) (TallyDatabase *database, const TallyLedgerChange *change, gint64 *ret_now,
                     GError **error);
  /* What tells this server from another one, and this life of it from a life before: "" if nothing
   * does.  Within a transaction. */
  char *(*dup_server) (TallyDatabase *database, GError **error);
  /* What the user lacks to write there, as a run will, "" if nothing.  Within a transaction. */
  char *(*dup_missing) (TallyDatabase *database, GError **error);
} TallyDatabaseClass;

struct _TallyDatabase
{
  const TallyDatabaseClass *class;
  char *description; /* (owned) without secrets */
  char *location;    /* (owned) the same place has the same one; without secrets */
  gboolean read_only;
  gboolean is_durable;
  gboolean is_standby;  /* it can only be read */
  const char *weakness; /* (unowned) (nullable) the setting by which it may lose what it has committed */
  TallyFailure failure; /* after an error */
};

TallyDatabase *tally_sqlite_open (const char *path, TallyLedgerFlags flags, GError **error);
TallyDatabase *tally_postgresql_open (const char *uri, TallyLedgerFlags flags, GError **error);

/* Opens the kind of database that a ledger's URI names. */
TallyDatabase *tally_database_open (const char *uri, TallyLedgerFlags flags, GError **error);

/* FALSE: a ledger that is only read is not there yet (TALLY_ERROR_NO_LEDGER), or not any more. */
gboolean tally_ledger_throw_missing (TallyDatabase *database, GError **error);
/* Brings the schema up to date, in one transaction; only looks if the database is read-only. */
gboolean tally_migrate (TallyDatabase *database, GError **error);

/* R8: how far the ledger is, kept in a file; see mark.c.  The check runs within a transaction. */
gboolean tally_mark_check (TallyDatabase *database, const char *ledger_id, const char *server,
                           GError **error);
/* Whether no other ledger was at this place before.  ledger_id: (nullable) NULL: there is none now. */
gboolean tally_mark_check_place (TallyDatabase *database, const char *ledger_id, GError **error);
gboolean tally_mark_save (TallyDatabase *database, const char *ledger_id, const TallyRows *writers,
                          const char *server, GError **error);

/* Whether the holder was a process of this host and boot, and is no more. */
gboolean tally_holder_is_gone (const TallyHolder *holder);

/* ---- What the files of the ledger share ---- */

struct _TallyLedger
{
  TallyDatabase *database; /* (owned) */
  char *id;                /* (owned) */
  guint tries;             /* of one change, in all */
  gint64 pause;            /* microseconds before the second one; doubles with each */
};

/* For tests: other patience than the usual. */
void tally_ledger_set_patience (TallyLedger *ledger, guint tries, gint64 pause);
/* For tests: to do with the connection what only its owner can. */
TallyDatabase *tally_ledger_database (TallyLedger *ledger);

/* The work of a transaction.  It may be called again, with tries counting up, and then finds what
 * it did before if that was committed and only the answer was lost. */
typedef gboolean (*TallyTransaction) (TallyDatabase *database, guint tries, gpointer data,
                                      GError **error);

gboolean tally_ledger_transact (TallyLedger *ledger, gboolean write, TallyTransaction transaction,
                                gpointer data, GError **error);
/* Whether to try again after a failure: waits first, and opens a lost connection. */
gboolean tally_ledger_try_again (TallyLedger *ledger, guint tries);

/* One statement; rows may be asked for or not. */
gboolean tally_sql (TallyDatabase *database, TallyRows **ret_rows, GError **error, const char *sql,
                    const TallySqlValue *values, guint n_values);
#define SQL(database, ret_rows, error, sql, ...)                                                   \
  tally_sql ((database), (ret_rows), (error), (sql), (const TallySqlValue[]){ __VA_ARGS__ },       \
             G_N_ELEMENTS (((const TallySqlValue[]){ __VA_ARGS__ })))

/* Nobody else can begin a run, take a lease or decide until the transaction ends. */
gboolean tally_ledger_lock (TallyDatabase *database, GError **error);
/* Fails with TALLY_ERROR_LEASE if the epoch is not valid any more. */
gboolean tally_ledger_check_epoch (TallyDatabase *database, gint64 epoch, GError **error);
/* Fails with TALLY_ERROR_LEASE if one of the runs that the condition finds is at work; $1 is the
 * value. */
gboolean tally_ledger_check_idle (TallyDatabase *database, const char *condition, const char *value,
                                  GError **error);
/* Whether the writer of an epoch can write no more. */
gboolean tally_ledger_epoch_is_over (TallyDatabase *database, gint64 epoch, gboolean *ret_over,
                                     GError **error);
char *tally_random_id (void); /* 32 hexadecimal digits */

#define DELIVERY_COLUMNS                                                                           \
  "d.scope, d.key, d.generation, d.state, d.idempotency_key, d.request_hash, d.content_hash, "     \
  "d.row_origin, "                                                                                 \
  "d.reference, d.pass, d.run, d.attempts, micros (d.intended_at), micros (d.intended_target), "   \
  "micros (d.settled_at), d.target_id, d.other_ids, d.status, d.detail, "                             \
  "micros (d.known_since), d.receipt"
#define UNSETTLED_REQUEST "CASE WHEN d.state IN ('intended', 'in doubt') THEN d.request END"
enum
{
  N_DELIVERY_COLUMNS = 21, /* the request comes after them */
};

TallyLedgerDelivery *tally_delivery_from_row (const TallyRows *rows, guint row);
gboolean tally_delivery_state_from_name (const char *name, TallyDeliveryState *ret_state);
gboolean tally_delivery_state_is_unsettled (TallyDeliveryState state);
/* Whether an outcome is of an intent that the same change could not make, because the key was
 * taken. */
gboolean tally_change_lost_intent (const TallyLedgerChange *change,
                                   const TallyLedgerOutcome *outcome);
/* The pass that an intent is written with. */
gint64 tally_ledger_intent_pass (const TallyLedgerChange *change, const TallyLedgerDelivery *intent);
/* (transfer full) (nullable) text as a database takes it: valid UTF-8, not endless */
char *tally_clean_text (const char *text);
