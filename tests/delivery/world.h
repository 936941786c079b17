/* world.h: a target, a ledger and a clock in memory, for one or two dispatchers at work in it
 *
 * The clock moves only when a dispatcher waits.  The target keeps a true history of what it was
 * sent and what it created, and does with each request what a plan or chance says.  A process can
 * be killed at any point that has a name: from then on nothing of it reaches the target or the
 * ledger.
 */
#pragma once
#include "delivery/dispatcher-private.h"

#define SECOND ((gint64)G_USEC_PER_SEC)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

/* What becomes of one request. */
typedef enum
{
  DEED_CREATE,          /* what a good target does */
  DEED_UNSENT,          /* no connection */
  DEED_LOST,            /* the request never arrives, and nobody says so */
  DEED_CREATE_SILENT,   /* created; the answer is lost */
  DEED_CREATE_LATE,     /* created long after the client gave up */
  DEED_CREATE_ERROR,    /* 500, although it was created */
  DEED_CREATE_ODD,      /* 201 without an id */
  DEED_ERROR,           /* 500, not created */
  DEED_ERROR_STORED,    /* 500, not created, and stored under the key */
  DEED_LIMIT,           /* 429 */
  DEED_CONFLICT,        /* 409 */
  DEED_REJECT,          /* 422 */
  DEED_HALT,            /* 401 */
  DEED_MISMATCH,        /* 400: the key is known with another request */
  DEED_CREATE_MISMATCH, /* the same, and the record is there */
  DEED_GONE,            /* of an update: 404, the record was deleted */
  DEED_OTHER,           /* of an update: done, and answered with another id */
  N_DEEDS,
} Deed;

typedef struct
{
  Deed deed;
  gint64 wait; /* of LIMIT: the Retry-After; of LATE: how long after */
} Plan;

typedef struct
{
  guint64 id;
  char *reference, *body, *key;
  gint64 created_at;
  guint n_updates;
} Entity;

/* One row of the source. */
typedef struct
{
  char *key;
  guint version; /* of its content */
  gboolean bad;  /* this version will be rejected by the target */
} Record;

typedef struct
{
  gint64 key_life, settle, lookup_lag;
  TallyInFlight in_flight;
  gboolean can_resolve;
  guint max_in_flight;
  guint attempts;
  gint64 lease_ttl;
  gint64 ledger_skew, target_skew; /* of their clocks against ours */
  guint batch_rows;
  gboolean no_wait;
  gboolean records_move;
  gboolean keys_ignored; /* by the target, which the sink learns from an answer */
  gboolean updates;      /* the sink can update */
  gboolean jobs;         /* the target takes requests as jobs, and gives a receipt for each */
  gint64 job_time;       /* that a job takes at most */
  gint64 job_life;       /* for which the target knows what became of it; 0: for ever */
  guint padding;         /* bytes that make a request larger */
} WorldSettings;

typedef struct _World World;
typedef struct _WorldSqlite WorldSqlite;

/* One run of the program. */
typedef struct
{
  World *world;
  TallyDispatcher *dispatcher; /* (owned) (nullable) */
  TallyContext *ctx;           /* (owned) */
  TallyLedgerRun run;
  TallyLedgerRun *sqlite_run; /* (owned) (nullable) */
  TallyClock clock;
  gint64 epoch;
  gboolean dead; /* killed: nothing of it has any effect any more */
  gboolean done;
  gboolean knows_better; /* than that keys count */
  gint64 wake_at;        /* it is stopped until then */
  GPtrArray *calls;      /* (element-type TallyDelivery) at the sink */
  guint next;            /* record to be read */
  GError *error;         /* (owned) (nullable) how it ended, if not well */
  TallyCounts counts;
} Process;

struct _World
{
  WorldSettings settings;
  GRand *random;
  gint64 now;
  GSequence *events;
  guint64 serial;

  GPtrArray *records; /* (element-type Record) */
  TallySchema *schema;

  GPtrArray *entities; /* (element-type Entity) the truth */
  GHashTable *keys;    /* what the target remembers under each idempotency key */
  GHashTable *jobs;    /* receipt → what became of the job */
  guint64 n_requests, n_lookups, n_updates, n_asked; /* asked: lookups by a receipt */
  guint most_at_sink;
  gsize most_held;
  GArray *sent_at;   /* (element-type gint64) of each request */
  GHashTable *first_sent; /* idempotency key → gint64: when its first request left */
  gboolean ledger_moved;  /* its clock was set */
  gboolean put_back;      /* the ledger was replaced by a copy from before */
  guint unsteady;    /* renders differ each time: F3 */
  GHashTable *idle;  /* references of which there once was nothing to send */
  GHashTable *plans; /* reference → queue of Plan, for its requests in order */
  double trouble;    /* chance that a request without a plan does not go well */
  double death;      /* chance to be killed at a named point */
  void (*meddle) (World *world, const char *point); /* (nullable) somebody else, at each point */
  const char *die_at;                               /* (nullable) the point's name, */
  guint die_count;                                  /* and how often it is passed first */
  Process *running;                                 /* whose code is at work */

  GHashTable *ledger;  /* key → TallyLedgerDelivery */
  WorldSqlite *sqlite; /* (owned) (nullable) a real ledger instead */
  GPtrArray *rejects;  /* (element-type utf8) origins and reasons */
  char *position;
  gint64 lease_epoch, lease_until, pass, runs;
  gboolean sink_breaks;  /* drive() fails */
  gboolean other_target; /* the sink reaches another than the run was begun for */
  gboolean tells_time;   /* the sink hears of the target's time when it is opened */
  gboolean unnested;     /* the rows of a batch are made of one that was read */
  gboolean pass_over;    /* the last reading came to its end */
  guint fail_commits;    /* so many commits from now on fail */
  GString *complaints;   /* what must never happen, but did */
};

World *world_new (guint32 seed, const WorldSettings *settings);
/* From now on the ledger is a file. */
void world_sqlite_open (World *world);
/* Keeps a copy of it; puts the copy in its place, and refills it from the target. */
void world_sqlite_keep (World *world);
gboolean world_sqlite_has_copy (const World *world);
void world_sqlite_put_back (World *world);
void world_free (World *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (World, world_free)
extern const WorldSettings world_plain;

void world_add_records (World *world, guint n);
void world_add_record (World *world, const char *key);
void world_plan (World *world, guint record, Deed deed, gint64 wait);
void world_complain (World *world, const char *format, ...) G_GNUC_PRINTF (2, 3);
void world_pass_time (World *world, gint64 microseconds);
gint64 world_ledger_now (const World *world);

Process *process_new (World *world);
/* Lets it work until it is done, dead, failed, asleep, or so many steps were taken. */
void process_work (Process *process, guint steps);
gboolean process_is_at_work (const Process *process);
void process_free (Process *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Process, process_free)

/* A whole run.  ret_counts (optional).  TRUE if it ended well. */
gboolean world_run (World *world, TallyCounts *ret_counts);

const TallyLedgerDelivery *world_ledger_row (World *world, guint record);
guint world_count_entities (World *world, guint record);
/* The version of the record that the target has. */
guint world_version (World *world, guint record);
/* Whether a record of this version is rendered as an update that has nothing to send. */
gboolean world_is_idle_version (guint version);
guint world_body_version (const char *body);
/* Holds the target's history against the ledger.  may_doubt: records may be in doubt still. */
void world_audit (World *world, gboolean may_doubt);
