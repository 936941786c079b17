/* clerk.h: who reads and writes the ledger while requests are in flight
 *
 * A dispatcher posts errands and collects them when they are done, in the order in which it posted
 * them.  The clerk of a run is a thread (commit-thread.c); a simulation brings one of its own.
 */
#pragma once
#include "clock.h"
#include "ledger/ledger.h"

typedef struct _TallyErrand TallyErrand;
struct _TallyErrand
{
  enum
  {
    TALLY_ERRAND_FIND,
    TALLY_ERRAND_LIST,
    TALLY_ERRAND_COMMIT,
    TALLY_ERRAND_SHARE,
  } kind;
  GPtrArray *keys;          /* (unowned) FIND: (element-type utf8) */
  const char *after;        /* (unowned) (nullable) LIST */
  guint limit;              /* LIST */
  TallyLedgerChange change; /* COMMIT; all but the intents' taken is only read */
  gint64 epoch;             /* SHARE: the scope, with others */

  gint64 began_at;   /* (out) our clock, before the ledger was asked */
  gint64 ledger_now; /* (out) COMMIT: the database's clock within the transaction */
  GPtrArray *found;  /* (out) (owned) FIND, LIST */
  GError *error;     /* (out) (owned) (nullable) */

  void (*done) (TallyErrand *errand,
                gpointer dispatcher); /* on the dispatcher's thread, then free */
  void (*free) (TallyErrand *errand);
};

typedef struct _TallyClerk TallyClerk;
typedef struct
{
  void (*post) (TallyClerk *clerk, TallyErrand *errand); /* (transfer full) */
  /* The next errand that is done, waiting at most wait microseconds; or NULL.  (transfer full) */
  TallyErrand *(*collect) (TallyClerk *clerk, gint64 wait);
  /* Until when the lease allows sending, on our clock; FALSE if the lease or the ledger is lost. */
  gboolean (*deadline) (TallyClerk *clerk, gint64 *ret_deadline, GError **error);
  void (*free) (TallyClerk *clerk); /* errands that are not begun are dropped */
} TallyClerkClass;

struct _TallyClerk
{
  const TallyClerkClass *class;
  char *ledger_id; /* (owned) */
  gint64 scope;
  gboolean is_shared;       /* others are known to make records of the scope */
  gint64 ledger_now;        /* the database's clock when it was opened, */
  gint64 asked_at, told_at; /* which was between these two on ours */
};

typedef struct
{
  const char *uri; /* (nullable) */
  TallyLedgerFlags flags;
  TallyScope scope;
  gint64 epoch;
  gint64 lease_ttl;
  const TallyClock *clock;
  void (*interrupt) (
      gpointer self); /* (nullable) called on the clerk's thread when an errand is done */
  gpointer self;
} TallyClerkConfig;

/* Opens the ledger, holds it against its mark, and starts the thread. */
TallyClerk *tally_commit_thread_new (const TallyClerkConfig *config, GError **error);

/* Asks the ledger: what a clerk does with an errand once it is its turn. */
void tally_errand_run (TallyErrand *errand, TallyLedger *ledger, gint64 scope,
                       const TallyClock *clock);
void tally_errand_free (TallyErrand *errand);
