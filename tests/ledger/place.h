/* place.h: where the contract's ledgers are, and short ways to use them
 *
 * The first word on the command line says which database the promises are about.
 */
#pragma once
#include "cluster.h"
#include "ledger/database.h"
#include "promise.h"

#define SECOND G_USEC_PER_SEC
#define TARGET_TIME (G_GINT64_CONSTANT (1700000000) * SECOND)
#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* FALSE, and the promise skipped, if there is no such database here. */
gboolean place_is_there (void);
gboolean place_is_sqlite (void);
/* A URI at which there is no ledger yet; what was at the one before may be gone. (transfer full) */
char *place_new (void);
/* Fails the test and returns NULL if it cannot be opened. */
TallyLedger *place_open (const char *uri);
/* What a ledger has before it migrates. */
TallyDatabase *place_open_database (const char *uri);
/* Runs a statement past the ledger's own functions; the error is NULL if it went through. */
GError *place_by_hand (TallyLedger *ledger, const char *sql);
/* The first value of an answer, "" for NULL or none. */
char *place_ask (TallyLedger *ledger, const char *sql);

/* A ledger with a lease, a run and a scope. */
typedef struct
{
  char *uri;
  TallyLedger *ledger;
  gint64 epoch;
  gint64 serial;
  gint64 scope;
  TallyLedgerRun *run;
  char *position; /* (nullable) where the run began */
} Work;

Work *work_new (void);
/* The same with a ledger that may be there already. */
Work *work_resume (const char *uri);
void work_free (Work *work);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Work, work_free)
/* Takes the lease and begins a run, as after a crash. */
void work_begin (Work *work, gboolean resume);
/* Ends the run and begins the next one. */
void work_begin_again (Work *work, gboolean keep_position, gboolean resume);

/* A change with the work's epoch and its next serial. */
TallyLedgerChange work_change (Work *work);
/* An intent with the key and generation, of which all else follows. */
TallyLedgerDelivery *make_intent (const char *key, guint generation);
/* Commits one intent; FALSE if it was taken or failed. */
gboolean work_intend (Work *work, const char *key, guint generation);
/* Commits one outcome of generation 1 with id "id-KEY" if delivered. */
gboolean work_settle (Work *work, const char *key, TallyDeliveryState state, GError **error);
/* The delivery of a key, or NULL. */
TallyLedgerDelivery *work_find (Work *work, const char *key);
/* Its state's name, or "none". */
const char *work_state (Work *work, const char *key);

int place_main (const char *suite, const Promise *promises, int argc, char **argv);
