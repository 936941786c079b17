/* dispatcher-private.h: what the files of the dispatcher share
 *
 *   intake.c    batches: keys, what the ledger knows of them, rendering, positions
 *   book.c      what is written in the ledger together
 *   traffic.c   what goes to the target, what comes back, and what follows from it
 *   recovery.c  deliveries of earlier runs, and bytes that are read again
 *   looks.c     what is looked up before it is sent, because others may have made it
 *   call.c      a TallyDelivery: one visit of a delivery to the sink
 *
 * A parcel is a delivery with all that is known of it.  It stands in one place at a time:
 *
 *   fresh ──► writing ──► ready ──► at the sink ──► settled ──► writing ──► gone
 *     ▲         ▲ │         ▲         │
 *     │         │ └─────────┤         ▼
 *     │       noted ◄──┬─ waiting ◄───┤ doubt, or refused for now
 *     └── loading ◄────┤              │
 *                      └─ looking ◄───┘
 */
#pragma once
#include "clerk.h"
#include "dispatcher.h"
#include "key.h"
#include "pace.h"
#include "plugin/context.h"
#include "record/batch-private.h"
#include "state.h"

#define TALLY_GROUP_MOST 4096      /* deliveries at once, whatever the sink says, */
#define TALLY_HELD_MOST (64 << 20) /* and bytes of requests beyond which no more are held */
#define TALLY_DOUBTS_MOST 1000     /* lost answers of this run beyond which nothing new is begun */
#define TALLY_BODY_MOST (64 << 20) /* bytes of a request */
#define TALLY_CONSIGNMENTS_MOST 4  /* batches held at once */
#define TALLY_FOREVER G_MAXINT64

typedef struct _TallyConsignment TallyConsignment;
typedef struct _TallyParcel TallyParcel;

struct _TallyParcel
{
  GList link;                    /* in place; its data is the parcel */
  GQueue *place;                 /* (unowned) (nullable) */
  GSequenceIter *alarm;          /* (unowned) (nullable) in the dispatcher's waiting ones */
  gint64 due;                    /* when the alarm rings */
  TallyDelivery *call;           /* (unowned) (nullable) while it is at the sink */
  TallyConsignment *consignment; /* (unowned) (nullable) until its intent is in the ledger */
  guint row;                     /* of the consignment */
  TallyConsignment *sequel;      /* (unowned) (nullable) has a newer content of it, */
  guint sequel_row;              /* which goes once this one is settled */

  char *key;          /* (owned) */
  char *reference;    /* (owned) */
  char *row_origin;   /* (owned) */
  char *content_hash; /* (owned) */
  char *request_hash; /* (owned) */
  char idempotency_key[TALLY_HASH_LENGTH + 1];
  GBytes *request; /* (owned) (nullable) the ledger has them, too, once the intent is committed */
  gsize request_size;
  gboolean is_update; /* of what the target has under target_id */
  guint generation;
  gint64 pass;
  gint64 intended_at;     /* on the ledger's clock */
  gint64 intended_target; /* on the target's, 0 if unknown */
  gint64 intended_here;   /* on ours, 0 if by an earlier run */

  gboolean recovered;                                     /* from an earlier run, */
  gboolean row_came;                                      /* but its row came again */
  gboolean in_doubt, touched, refused, set_aside, absent; /* see TallyStanding */
  gboolean looks_first; /* its next lookup comes before anything is sent, */
  gboolean looked;      /* and this one did */
  gboolean noted;      /* the ledger knows of the send that comes next */
  gboolean unrecorded; /* sent before its intent was written: only ever with R1 broken */
  gboolean known;      /* its outcome is */
  gint64 last_send;    /* on our clock: no request can have left later */
  guint attempts, tries, lookups, renewals;
  guint deaths; /* sends of which the program, perhaps, did not live to see the answer */

  enum
  {
    TALLY_ENTRY_INTENT,
    TALLY_ENTRY_NOTE,
    TALLY_ENTRY_OUTCOME,
  } entry;                  /* what is being written */
  TallyDeliveryState state; /* the outcome */
  gboolean adopted, repeated;
  gint status;
  char *target_id;   /* (owned) (nullable) of an update: from the beginning */
  char *other_ids;   /* (owned) (nullable) */
  char *detail;      /* (owned) (nullable) */
  const char *event; /* (unowned) (nullable) */
  char *receipt;     /* (owned) (nullable) of this generation, */
  GList receipt_link;   /* which the ledger does not know yet, */
  gboolean receipt_due; /* if this is in the dispatcher's queue */
};

struct _TallyConsignment
{
  TallyBatch *batch; /* (owned) */
  guint n_rows;
  guint next;        /* the first row that nothing was decided about */
  guint n_open;      /* rows that the ledger does not know yet */
  char **keys;       /* (owned) (array length=n_rows) (nullable elements) NULL: done with at once */
  char **origins;    /* (owned) (array length=n_rows) */
  GPtrArray *found;  /* (owned) (nullable) for each row, once the ledger has answered */
  GArray *again;     /* (owned) (element-type guint) rows to be looked up once more */
  guint n_searching; /* rows that are looked up once more just now */
  gboolean finding;
  gboolean posted;    /* its position is being written */
  gboolean cancelled; /* stopped while the ledger looks for its keys */
  GArray *seen;       /* (owned) (element-type TallyLedgerSeen) of keys and origins above */
  GPtrArray *hashes;  /* (owned) (element-type utf8) of contents that seen takes over */
  GArray *rejects;    /* (owned) (element-type TallyReject) our own, after those of the batch */
};

struct _TallyDelivery
{
  TallyDispatcher *dispatcher; /* (unowned) (nullable) NULL once it is gone */
  TallyParcel *parcel;         /* (unowned) (nullable) NULL once it is settled or given up */
  GList link;                  /* in one of the dispatcher's three queues of calls */
  GBytes *body;                /* (owned) (nullable) */
  gboolean lookup;
  gboolean looks_first; /* see the parcel's */
  gboolean settled;
  gint64 begun_at;
  gint64 quiet_at; /* on our clock: the last request of it has surely ended */
  gpointer user_data;
  TallyVerdict verdict;
  gint status;
  char *target_id, *other_ids, *detail; /* (owned) (nullable) */
  gboolean repeated, adopted, wait_all;
  gint64 wait;
};

struct _TallyDispatcher
{
  TallyDispatcherConfig config;
  TallyClerk *clerk; /* (owned) */
  char *target;      /* (owned) */
  guint group;       /* deliveries of one group, and most requests at once */
  TallyPace pace;
  char *trouble; /* (owned) (nullable) for a person: why the last answer was no good one, or there was none */
  guint n_unreached;           /* rounds of requests in a row that did not reach the target */
  GRand *random;               /* (owned) scatters back-offs */
  gint64 target_at; /* what was told by then has been taken in */

  GQueue consignments; /* (owned) (element-type TallyConsignment) in the source's order */
  GHashTable
      *rows; /* (element-type utf8 utf8) keys to origins of the consignments' rows; both theirs */
  GHashTable *parcels;  /* (owned) (element-type utf8 TallyParcel) by their own key */
  GHashTable *taken_up; /* (owned) (element-type utf8 utf8) keys whose fate was counted before their
                           row came, and its content */

  GQueue fresh, noted, writing, ready, looking, loading, at_sink,
      settled;        /* (element-type TallyParcel) */
  GSequence *waiting; /* (element-type TallyParcel) by due */
  GQueue abroad, answers,
      spent;       /* (element-type TallyDelivery) with the sink, settled by it, looked at */
  GQueue receipts; /* (element-type TallyParcel) whose receipts are to be written, wherever they are */
  guint n_holding; /* parcels with bytes, */
  gsize held;      /* and how many */
  guint n_doubts;  /* parcels of this run whose answer was lost */
  guint n_errands; /* posted, not collected */
  guint n_looking, n_looked; /* parcels that are looked up first: at the sink; that the target does not show */
  gboolean is_shared;        /* others make records of the scope */
  gboolean is_writing;
  gboolean is_loading;
  gint64 pending_since; /* since when something waits to be written; 0: nothing does */
  gint64 serial;        /* of commits */

  gint64 ledger_now,
      ledger_asked_at; /* the database's clock, at the earliest at that time of ours */
  gboolean ended, stopping;
  gint64 stop_at;  /* then what is still in flight is left */
  GError *halt;    /* (owned) (nullable) why the run fails once all is drained */
  GError *failure; /* (owned) (nullable) why nothing goes any more */
  char *position;  /* (owned) (nullable) the last that was saved */
  TallyCounts counts; /* read: all rows, those that steps added with them */
};

/* Takes over the clerk. */
TallyDispatcher *tally_dispatcher_new_with_clerk (const TallyDispatcherConfig *config,
                                                  TallyClerk *clerk, GError **error);

/* ---- dispatcher.c ---- */
gint64 tally_dispatcher_now (const TallyDispatcher *dispatcher);
double tally_dispatcher_chance (TallyDispatcher *dispatcher);
/* What the target's clock shows now, or 0. */
gint64 tally_dispatcher_target_now (const TallyDispatcher *dispatcher, gint64 now);
/* What the ledger's clock shows now. */
gint64 tally_dispatcher_ledger_now (const TallyDispatcher *dispatcher, gint64 now);
/* Nothing goes any more.  The first failure counts. (transfer full) */
void tally_dispatcher_fail (TallyDispatcher *dispatcher, GError *error);
/* Nothing new goes; what is in flight may settle. (transfer full) */
void tally_dispatcher_halt (TallyDispatcher *dispatcher, GError *error);
void tally_dispatcher_post (TallyDispatcher *dispatcher, TallyErrand *errand);

TallyParcel *tally_parcel_new (TallyDispatcher *dispatcher, const char *key);
void tally_parcel_free (TallyParcel *parcel);
/* The idempotency key of its generation. */
void tally_parcel_make_key (TallyDispatcher *dispatcher, TallyParcel *parcel);
/* Forgets it, and frees it. */
void tally_parcel_drop (TallyDispatcher *dispatcher, TallyParcel *parcel);
void tally_parcel_move (TallyParcel *parcel, GQueue *place);
void tally_parcel_wait (TallyDispatcher *dispatcher, TallyParcel *parcel, gint64 due);
void tally_parcel_set_request (TallyDispatcher *dispatcher, TallyParcel *parcel, GBytes *request);
void tally_parcel_set_receipt_due (TallyDispatcher *dispatcher, TallyParcel *parcel, gboolean due);

/* ---- intake.c ---- */
void tally_intake_take (TallyDispatcher *dispatcher, TallyBatch *batch);
/* Counts a parcel's fate, and remembers it if its row may still come. */
void tally_intake_count (TallyDispatcher *dispatcher, TallyParcel *parcel);
/* Turns rows into parcels while there is room.  TRUE if anything was done. */
gboolean tally_intake_advance (TallyDispatcher *dispatcher);
/* A row of it is in the ledger now. */
void tally_intake_account (TallyParcel *parcel);
/* The ledger says that another writer was first with the parcel's key: looks again, and drops the
 * parcel. */
void tally_intake_look_again (TallyDispatcher *dispatcher, TallyParcel *parcel);
/* Nothing more is begun: rows that are not in the ledger are for the next run. */
void tally_intake_stop (TallyDispatcher *dispatcher);
gboolean tally_intake_is_complete (const TallyConsignment *consignment);
void tally_consignment_free (TallyConsignment *consignment);

/* ---- book.c ---- */
gboolean tally_book_advance (TallyDispatcher *dispatcher, gint64 now);
/* Microseconds until something ought to be written. */
gint64 tally_book_wait (const TallyDispatcher *dispatcher, gint64 now);

/* ---- traffic.c ---- */
gboolean tally_traffic_advance (TallyDispatcher *dispatcher, gint64 now);
/* Microseconds until the next request may go; 0: now.  ret_why (optional) (nullable). */
gint64 tally_traffic_wait (const TallyDispatcher *dispatcher, gint64 now, const char **ret_why);
/* Decides what comes next for a parcel that is nowhere, and puts it there. */
void tally_traffic_consider (TallyDispatcher *dispatcher, TallyParcel *parcel, gint64 now);
/* Leaves it in doubt, with the reason. */
void tally_traffic_leave (TallyDispatcher *dispatcher, TallyParcel *parcel, const char *why);
/* Its intent, its note or its outcome is in the ledger now. */
void tally_traffic_on_written (TallyDispatcher *dispatcher, TallyParcel *parcel, gint64 now);
/* R7: whether the lease is held, and nothing has failed. */
gboolean tally_traffic_may_send (TallyDispatcher *dispatcher);
/* Leaves everything that is not at the sink in doubt. */
void tally_traffic_stop (TallyDispatcher *dispatcher);
/* Takes the parcels that are at the sink away from it. */
void tally_traffic_abandon (TallyDispatcher *dispatcher);

/* ---- looks.c ---- */
/* Whether it is to be looked up before it is sent. */
gboolean tally_looks_wanted (const TallyDispatcher *dispatcher, const TallyParcel *parcel);
/* Whether such a lookup may begin now. */
gboolean tally_looks_have_room (const TallyDispatcher *dispatcher);
/* Whether nothing is sent until the lookups that were begun have told. */
gboolean tally_looks_hold (const TallyDispatcher *dispatcher);
void tally_looks_begin (TallyDispatcher *dispatcher);
void tally_looks_end (TallyDispatcher *dispatcher);
/* What such a lookup has told.  Of one that the target has: whether somebody else made it. */
void tally_looks_take_absence (TallyDispatcher *dispatcher, TallyParcel *parcel);
gboolean tally_looks_take_found (TallyDispatcher *dispatcher, const TallyParcel *parcel);
/* Tells what earlier runs found out. */
void tally_looks_tell (const TallyDispatcher *dispatcher);

/* ---- recovery.c ---- */
gboolean tally_recovery_list (TallyDispatcher *dispatcher, GError **error);
TallyParcel *tally_recovery_take_up (TallyDispatcher *dispatcher, const TallyLedgerDelivery *found,
                                     gint64 last_send);
/* Reads the bytes of those that wait for them. */
gboolean tally_recovery_load (TallyDispatcher *dispatcher);

/* ---- call.c ---- */
TallyDelivery *tally_call_new (TallyParcel *parcel, TallyDispatcher *dispatcher, gboolean lookup,
                               gint64 now);
/* After the sink has settled it, or is not waited for any more. */
void tally_call_retire (TallyDelivery *call);
/* The dispatcher goes: whatever the sink still does with a call is harmless. */
void tally_calls_orphan (TallyDispatcher *dispatcher);
