/* dispatcher.h: the exactly-once state machine around a delivering sink
 *
 * It takes batches, makes each row's delivery known to the ledger before a byte is sent, keeps many
 * in flight, settles each, takes up what an earlier run left unsettled, and offers positions to the
 * ledger once all rows before them are in it.  One thread calls it; the ledger is written by a
 * thread of its own, so that the next group's intents commit together with the last group's
 * outcomes while requests are in flight.
 */
#pragma once
#include "clock.h"
#include "ledger/ledger.h"
#include <tallyman/plugin.h>

typedef struct _TallyDispatcher TallyDispatcher;

typedef struct
{
  const TallyDeliverySink *sink; /* (unowned) */
  gpointer self;                 /* (unowned) the sink's instance, open */
  TallyContext *ctx;             /* (unowned) the sink's */
  void (*interrupt) (
      gpointer self);           /* (nullable) wakes drive() when the ledger's thread has news */
  TallyDeliveryProfile profile; /* with the pipeline's settle and in_flight put in */
  const char *ledger_uri;       /* (nullable) the ledger's thread opens its own connection */
  TallyLedgerFlags ledger_flags;
  const char *origin;
  const TallyLedgerRun *run;
  gint64 epoch;
  gint64 lease_ttl;
  gint64 last_send; /* from tally_ledger_acquire() */
  guint attempts;   /* sends of one generation before it is set aside */
  guint key_column; /* of the batches, text */
  gboolean records_move; /* from one origin to another, between runs of one pass */
  gboolean wait;    /* FALSE: what must wait to settle is left in doubt (--no-wait) */
  const TallyClock *clock;
} TallyDispatcherConfig;

typedef struct
{
  guint64 read;     /* rows taken, and rejects that came with them */
  guint64 taken_up; /* unsettled deliveries of earlier runs whose rows did not come again */
  guint64 delivered;
  guint64 updated;   /* of the delivered: the target had an earlier state of it */
  guint64 adopted;   /* of the delivered: found in the target by lookup, or taken over there */
  guint64 repeated;  /* of the delivered: the target repeated an earlier answer */
  guint64 unchanged; /* delivered by an earlier run, or discarded by the user */
  guint64 drifted;   /* of the unchanged: the record differs from what was delivered */
  guint64 rejected;  /* here and before */
  guint64 in_doubt;
  guint64 filtered;
  guint64 added;     /* rows that steps made beyond those that were read */
  guint64 in_flight; /* now */
  guint64 retries;
} TallyCounts; /* read + added + taken_up = delivered + unchanged + rejected + in_doubt + filtered, at
                  the end */

/* Fails if the unsettled cannot be read, or the mark went backwards. */
TallyDispatcher *tally_dispatcher_new (const TallyDispatcherConfig *config, GError **error);
void tally_dispatcher_free (TallyDispatcher *dispatcher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyDispatcher, tally_dispatcher_free)

/* Whether another batch would be taken. */
gboolean tally_dispatcher_wants (const TallyDispatcher *dispatcher);
void tally_dispatcher_take (TallyDispatcher *dispatcher, TallyBatch *batch); /* (transfer full) */
/* No batch will come any more. */
void tally_dispatcher_end (TallyDispatcher *dispatcher);
/* Stop: nothing new is sent; what is in flight may settle until the deadline (microseconds on the
 * clock), the rest is left in doubt. */
void tally_dispatcher_stop (TallyDispatcher *dispatcher, gint64 deadline);
/* Moves everything on, waiting at most wait microseconds.  Fails when the run must halt: ledger,
 * lease, credentials; what is in flight has then been left as the ledger has it. */
gboolean tally_dispatcher_step (TallyDispatcher *dispatcher, gint64 wait, GError **error);
/* TRUE when nothing is left to do. */
gboolean tally_dispatcher_is_done (const TallyDispatcher *dispatcher);
void tally_dispatcher_counts (const TallyDispatcher *dispatcher, TallyCounts *ret_counts);
/* (transfer none) (nullable): the last position that this run has saved. */
const char *tally_dispatcher_position (const TallyDispatcher *dispatcher);
/* Microseconds until the pace or a settle time lets the next one go; 0: not waiting.  For the
 * progress line. */
gint64 tally_dispatcher_waiting (const TallyDispatcher *dispatcher, const char **ret_why);
