/* ledger.h: the record of runs, deliveries, checkpoints, rejects and leases
 *
 * One interface, two databases behind it.  All calls block; a ledger is used by one thread at a time
 * (the delivery's ledger thread opens one of its own).  Times are microseconds since 1970 on the
 * database's clock.  Every error is %TALLY_ERROR_LEDGER unless said otherwise, and means that
 * nothing may be sent any more until a later call succeeds.
 */
#pragma once
#include <tallyman/batch.h>
#include <tallyman/error.h>

typedef struct _TallyLedger TallyLedger;

typedef enum
{
  TALLY_LEDGER_READ = 1 << 0,    /* for listings: creates nothing, migrates nothing */
  TALLY_LEDGER_UNSAFE = 1 << 1,  /* the user insists on a server that does not sync: no guarantee */
} TallyLedgerFlags;

/* An error's code beside the public ones: there is no ledger yet, and it was opened for READ. */
#define TALLY_ERROR_NO_LEDGER ((TallyError)1000)

/* Opens "postgresql://…" (any libpq URI or "postgresql:" with a conninfo), "sqlite:PATH" or NULL for the
 * embedded ledger in the state directory ($XDG_STATE_HOME/tallyman/ledger.sqlite).  Creates and migrates
 * the schema unless READ.  Fails, too, if the schema is newer than this program (message says which
 * version is needed), or if fsync, synchronous_commit or full_page_writes is off and not UNSAFE. */
TallyLedger *tally_ledger_open (const char *uri, TallyLedgerFlags flags, GError **error);
void tally_ledger_close (TallyLedger *ledger);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyLedger, tally_ledger_close)

/* A random name given to the ledger when it was made: 32 hexadecimal digits. */
const char *tally_ledger_id (const TallyLedger *ledger);
/* Where it is, for messages; without secrets. */
const char *tally_ledger_description (const TallyLedger *ledger);
/* FALSE if it was opened UNSAFE and indeed is. */
gboolean tally_ledger_is_durable (const TallyLedger *ledger);
gboolean tally_ledger_now (TallyLedger *ledger, gint64 *ret_now, GError **error);

/* R8: the count of commits that the ledger has seen, the server it lives on, and what the state file
 * beside the user's other state remembers of it ($XDG_STATE_HOME/tallyman/marks/<ledger id>).  Check fails if the ledger
 * went backwards: a restored backup, a failover that lost commits.  Save writes and syncs the file. */
gboolean tally_ledger_check_mark (TallyLedger *ledger, GError **error);
gboolean tally_ledger_save_mark (TallyLedger *ledger, GError **error);

/* What stands in a run's way at the database itself, whether or not there is a ledger in it yet. */
typedef struct
{
  gboolean is_there;    /* a ledger is */
  gboolean is_standby;
  const char *weakness; /* (unowned) (nullable) the setting by which it may lose what it has committed */
  char *missing;        /* (owned) (nullable) what the user lacks to write there, with the way to get it */
} TallyLedgerExam;

/* Looks, and changes nothing. */
gboolean tally_ledger_examine (const char *uri, TallyLedgerExam *ret_exam, GError **error);
void tally_ledger_exam_clear (TallyLedgerExam *exam);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TallyLedgerExam, tally_ledger_exam_clear)

/* $XDG_STATE_HOME/tallyman/NAME; its folder is made, for the user alone, if asked. */
char *tally_state_path (const char *name, gboolean make_folder, GError **error);
/* Whether files can be made in a folder; may_make: also one that a run would make, with those above it. */
gboolean tally_check_folder (const char *folder, gboolean may_make, GError **error);

/* ---- Leases ---- */

typedef struct
{
  char *host;
  char *boot_id;     /* changes with each start of the machine */
  gint64 pid;
  gint64 started_at; /* of the process, in clock ticks since boot, so that a pid used again is told apart */
  char *command;     /* "tallyman run tickets.yaml" */
} TallyHolder;

TallyHolder *tally_holder_self (const char *command);
TallyHolder *tally_holder_copy (const TallyHolder *holder);
void tally_holder_free (TallyHolder *holder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyHolder, tally_holder_free)

/* Takes all the leases named, or none.  A lease is free if it was released, has expired, or its holder was
 * a process of this host and boot that is gone.  Fails with TALLY_ERROR_LEASE if one is held; the message
 * says by whom and until when, and ret_holder (nullable) gets a copy.  ret_last_send is the database's time at
 * which the last holder's right to send ended (now, if its process is gone; 0 if there was none): nobody can
 * have sent later. */
gboolean tally_ledger_acquire (TallyLedger *ledger, const char *const *names, const TallyHolder *self,
                               gint64 ttl, gint64 *ret_epoch, gint64 *ret_last_send,
                               TallyHolder **ret_holder, GError **error);
/* Fails as taking them would now, and takes none. */
gboolean tally_ledger_check_leases (TallyLedger *ledger, const char *const *names, GError **error);
/* Both fail with TALLY_ERROR_LEASE if the epoch is stale: somebody else has taken the lease.  Renewing one that has
 * expired, but that nobody has taken, is no error; nor is releasing one twice. */
gboolean tally_ledger_renew (TallyLedger *ledger, gint64 epoch, gint64 ttl, GError **error);
gboolean tally_ledger_release (TallyLedger *ledger, gint64 epoch, GError **error);

/* ---- Pipelines and runs ---- */

typedef struct
{
  gint64 id;
  char *pipeline;
  gint64 epoch;
  gint64 pass;       /* the reading of the source that it belongs to: resumed runs share one */
  char *target;      /* (nullable) */
  char *holder;      /* host and pid, for a person */
  char *version;     /* of the program */
  gint64 started_at;
  gint64 ended_at;   /* 0 while it is at work, or if it was killed */
  char *outcome;     /* (nullable) "complete", "failed", "interrupted", …; when listed, "killed" if it did not say */
  char *counts;      /* (nullable) a JSON object */
} TallyLedgerRun;

void tally_ledger_run_free (TallyLedgerRun *run);

/* What a sink that keeps checkpoints beside its rows says: run brought the rows of this pass as far as position.  The next
 * run goes on there if the pass is the pipeline's present one and neither that run nor a later one has ended complete,
 * after which the ledger knows all that the sink does; ret_adopted tells.  Fails with TALLY_ERROR_LEDGER if the ledger
 * does not know the pass, because it is older than the rows: a copy that was put back. */
gboolean tally_ledger_adopt (TallyLedger *ledger, gint64 epoch, const char *pipeline, gint64 pass, gint64 run,
                             const char *position, gboolean *ret_adopted, GError **error);

typedef enum
{
  TALLY_RUN_RESUMES = 1 << 0,     /* a checkpoint, if there is one, is used */
  TALLY_RUN_READS_AGAIN = 1 << 1, /* all that the runs read that began at that checkpoint: their rejects are cleared */
  TALLY_RUN_NEW_TARGET = 1 << 2,  /* the pipeline may have had another target before */
  TALLY_RUN_ASIDE = 1 << 3,       /* it reads no source: where the pipeline stands, and its rejects, stay as they are */
} TallyRunFlags;

/* What the next run would find, without beginning it: where it would go on, or NULL; and whether the checkpoint of
 * adopted_pass (0: none) and adopted_run, which the sink keeps, would be adopted.  Fails as beginning would, with TALLY_ERROR_USAGE for another target. */
gboolean tally_ledger_peek (TallyLedger *ledger, const char *pipeline, const char *target, TallyRunFlags flags,
                            gint64 adopted_pass, gint64 adopted_run, char **ret_position, gboolean *ret_adopted,
                            GError **error);

/* Begins a run.  Fails with TALLY_ERROR_USAGE if the pipeline had another target before, without the flag for it.
 * Where no checkpoint is used, or the target is another one than the checkpoint's, a new pass begins and the pipeline's
 * rejects of source and steps are cleared.  ret_position gets the checkpoint or NULL.  The number of a pass is that of
 * its first run, so no two pipelines share one. */
gboolean tally_ledger_begin_run (TallyLedger *ledger, gint64 epoch, const char *pipeline, const char *target,
                                 TallyRunFlags flags, TallyLedgerRun **ret_run, char **ret_position,
                                 GError **error);
/* Saves a checkpoint, before which all is durable as well, in place of the one that is there; nothing if another is there, or none. */
gboolean tally_ledger_move_position (TallyLedger *ledger, const TallyLedgerRun *run, const char *from, const char *to, GError **error);
/* keep_position: FALSE after a complete run of a source that begins anew each time.  What the run leaves
 * INTENDED becomes IN_DOUBT. */
gboolean tally_ledger_end_run (TallyLedger *ledger, const TallyLedgerRun *run, const char *outcome,
                               const char *counts, gboolean keep_position, GError **error);
/* The names of all that ever ran, in order.  (element-type utf8) */
GPtrArray *tally_ledger_list_pipelines (TallyLedger *ledger, GError **error);
/* The newest first; pipeline NULL for all.  (element-type TallyLedgerRun) */
GPtrArray *tally_ledger_list_runs (TallyLedger *ledger, const char *pipeline, guint limit, GError **error);

/* ---- Deliveries ---- */

typedef enum
{
  TALLY_DELIVERY_INTENDED,  /* may have been sent */
  TALLY_DELIVERY_DELIVERED,
  TALLY_DELIVERY_REJECTED,
  TALLY_DELIVERY_IN_DOUBT,  /* as intended, and a run has ended without settling it */
  TALLY_DELIVERY_RELEASED,  /* surely not in the target; the next run that meets it uses the next generation */
  TALLY_DELIVERY_DISCARDED, /* rejected, and the user wants to hear no more of it */
} TallyDeliveryState;

const char *tally_delivery_state_name (TallyDeliveryState state); /* "in doubt" … */

/* A key's most bytes.  A longer one is the record's fault: reject it before it comes here. */
#define TALLY_LEDGER_KEY_MAX 1024

/* The pass of a delivery whose row was met in no reading of the source. */
#define TALLY_PASS_NONE (-1)

/* Whose keys are meant: deliveries are unique by scope and key. */
typedef struct
{
  const char *target;
  const char *entity;
  const char *origin;
} TallyScope;

typedef struct
{
  gint64 scope;           /* from tally_ledger_scope() */
  char *key;
  guint generation;       /* 1, 2, … */
  TallyDeliveryState state;
  char *idempotency_key;
  GBytes *request;        /* (nullable) the exact bytes; dropped once delivered */
  char *request_hash;     /* SHA-256, hexadecimal */
  char *content_hash;     /* of the record that it was rendered from */
  char *row_origin;       /* tickets.csv:1024 */
  char *reference;        /* the external_id: stored, so that a changed origin cannot change it */
  gint64 pass;            /* of an intent: 0 for the run's, or that in which its row was read, or TALLY_PASS_NONE */
  gint64 run;
  guint attempts;         /* sends so far, as far as the ledger knows */
  gint64 intended_at;     /* of this generation */
  gint64 intended_target; /* the target's clock then; 0 unknown */
  gint64 settled_at;      /* 0 */
  char *target_id;        /* (nullable) once it is known that the target has it, for ever: a later generation is an update */
  gint64 known_since;     /* that id; 0 */
  char *other_ids;        /* (nullable) */
  gint status;            /* of the last answer */
  char *detail;           /* (nullable) of the last answer or event, for a person */
  char *receipt;          /* (nullable) of this generation: what the sink can ask for its fate by */
  char *pipeline;         /* (nullable) whose run intended it; only tally_ledger_each_delivery() tells */
} TallyLedgerDelivery;

void tally_ledger_delivery_free (TallyLedgerDelivery *delivery);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyLedgerDelivery, tally_ledger_delivery_free)

/* One line in the life of a record, for `trace`. */
typedef struct
{
  gint64 at;
  gint64 run;
  guint generation;
  char *event;            /* "retried", "in doubt", "looked up", "adopted", "rejected", "released by user", … */
  gint status;
  char *detail;           /* (nullable) */
} TallyLedgerEvent;

void tally_ledger_event_free (TallyLedgerEvent *event);

/* The number of a scope; made if it is new (not with READ: then ret_scope is 0). */
gboolean tally_ledger_scope (TallyLedger *ledger, const TallyScope *scope, gint64 *ret_scope, GError **error);

/* Whether others, who do not know this ledger, are known to make records of the scope, too.  Writing it carries an epoch, as every
 * write does: it fails with TALLY_ERROR_LEASE if that is stale. */
gboolean tally_ledger_is_shared (TallyLedger *ledger, gint64 scope, gboolean *ret_shared, GError **error);
gboolean tally_ledger_set_shared (TallyLedger *ledger, gint64 epoch, gint64 scope, gboolean shared, GError **error);

/* Every scope that was ever used: as many as there are kinds of things delivered. */
typedef struct
{
  gint64 id;
  char *target, *entity, *origin; /* (owned) */
} TallyLedgerScope;

TallyLedgerScope *tally_ledger_scope_copy (const TallyLedgerScope *scope);
void tally_ledger_scope_free (gpointer scope);
/* (element-type TallyLedgerScope) */
GPtrArray *tally_ledger_list_scopes (TallyLedger *ledger, GError **error);

/* For each key its delivery, or NULL: an array of n_keys. (element-type TallyLedgerDelivery) (nullable elements)
 * The requests' bytes are read only for INTENDED and IN_DOUBT ones. */
GPtrArray *tally_ledger_find (TallyLedger *ledger, gint64 scope, const char *const *keys, guint n_keys,
                              GError **error);
/* The next page of unsettled ones (INTENDED, IN_DOUBT) of a scope in order of key, bytes included. after NULL: from the start. */
GPtrArray *tally_ledger_list_unsettled (TallyLedger *ledger, gint64 scope, const char *after, guint limit,
                                        GError **error);

/* What happened to one delivery since its intent. */
typedef struct
{
  const char *key;
  guint generation;
  TallyDeliveryState state; /* INTENDED: still at work, only the event and the attempts are noted */
  guint attempts;
  gint status;
  const char *target_id;    /* (nullable) needed with DELIVERED; with REJECTED, if the target has it; else not looked at */
  const char *other_ids;
  const char *detail;
  const char *event;        /* (nullable) a line for `trace`; the plain course needs none */
  const char *receipt;      /* (nullable) kept until the next generation */
  gboolean keep_request;    /* FALSE drops the bytes */
} TallyLedgerOutcome;

typedef struct
{
  const char *key;
  const char *row_origin;
  const char *content_hash; /* (nullable) it has changed, but nothing had to be sent: it is delivered as it is now */
} TallyLedgerSeen;

/* One transaction.  All pointers are borrowed. */
typedef struct
{
  gint64 epoch;
  gint64 serial;                     /* rises within the epoch, from 1: lets a commit whose answer was lost be read again (A7) */
  gint64 lease_ttl;                  /* the lease is renewed with every commit */
  const TallyLedgerRun *run;
  gint64 scope;
  TallyLedgerDelivery *const *intents; /* new keys, or the next generation; each with a request, if an empty one, and
                                        * with the target_id that the ledger knows: with one it is an update */
  guint n_intents;
  gboolean *taken;                   /* (out) (array length=n_intents): TRUE where another writer was first; not intended then */
  const TallyLedgerOutcome *outcomes; /* of unsettled deliveries, the intents above included, in order */
  guint n_outcomes;
  const TallyLedgerSeen *seen;       /* known records met again in this pass */
  guint n_seen;
  const TallyReject *rejects;        /* of source and steps, complete with the position below: if the source has
                                      * positions, together with it or not at all, or they come twice (A9) */
  guint n_rejects;
  const char *position;              /* (nullable) UTF-8: the checkpoint, once all before it is durable with this commit */
} TallyLedgerChange;

/* Commits it, durably.  Every outcome fits or none of the change is kept.  When the connection is lost on the way it is opened again, the serial tells whether
 * the commit held, and the change is repeated if not, a few times; serialization failures and
 * deadlocks likewise.  Fails with TALLY_ERROR_LEASE if the epoch is stale. ret_now: the database's time within the transaction. */
gboolean tally_ledger_commit (TallyLedger *ledger, const TallyLedgerChange *change, gint64 *ret_now, GError **error);

/* ---- Rate limits that runs share ---- */

/* Claims up to want of what may be spent in a window of a target's clock, windows being numbered, as long as all who claim
 * under the name have no more than ceiling of it.  ret_claimed: what they have now; -1: somebody has claimed of a later window,
 * so nothing is granted. */
gboolean tally_ledger_claim (TallyLedger *ledger, const char *name, gint64 window, gint64 ceiling, gint64 want,
                             gint64 *ret_granted, gint64 *ret_claimed, GError **error);

/* ---- For the commands ---- */

typedef struct
{
  const char *pipeline; /* (nullable) whose run intended it last; NULL for all */
  const char *key;      /* (nullable) with one, stored requests are read, else they are not */
  gint64 scope;         /* 0 for all */
  TallyDeliveryState state;
  gboolean any_state;
  gboolean unsettled;   /* INTENDED and IN_DOUBT; state does not count then */
} TallyLedgerFilter;

/* May use the ledger. */
typedef gboolean (*TallyLedgerEach) (const TallyLedgerDelivery *delivery, const TallyScope *scope, gpointer data,
                                     GError **error);
gboolean tally_ledger_each_delivery (TallyLedger *ledger, const TallyLedgerFilter *filter, TallyLedgerEach each,
                                     gpointer data, GError **error);
GPtrArray *tally_ledger_list_events (TallyLedger *ledger, gint64 scope, const char *key, GError **error);

typedef struct
{
  gint64 id;
  gint64 run;
  gint64 at;
  char *pipeline;
  TallyReject reject;
} TallyLedgerReject;
typedef gboolean (*TallyLedgerEachReject) (const TallyLedgerReject *reject, gpointer data, GError **error);
/* Rejects of source and steps; those of the target are deliveries in state REJECTED. */
gboolean tally_ledger_each_reject (TallyLedger *ledger, const char *pipeline, TallyLedgerEachReject each,
                                   gpointer data, GError **error);

/* A user's word on a delivery: REJECTED → RELEASED or DISCARDED; IN_DOUBT or INTENDED → DELIVERED (with target_id) or
 * RELEASED.  Fails with TALLY_ERROR_USAGE for other changes, and TALLY_ERROR_LEASE while a run of the scope is at work. */
gboolean tally_ledger_decide (TallyLedger *ledger, gint64 scope, const char *key, TallyDeliveryState state,
                              const char *target_id, const char *event, GError **error);
/* Forgets the rejects of source and steps of a pipeline, and where it stood, so that the next run reads all anew.
 * Fails with TALLY_ERROR_LEASE while a run of it is at work. */
gboolean tally_ledger_retry_rejects (TallyLedger *ledger, const char *pipeline, guint *ret_n, GError **error);
gboolean tally_ledger_discard_reject (TallyLedger *ledger, gint64 id, GError **error);

typedef struct
{
  guint64 delivered, unsettled, rejected, discarded; /* deliveries */
  guint64 rejects;                                   /* of source and steps */
} TallyLedgerTotals;
gboolean tally_ledger_total (TallyLedger *ledger, const char *pipeline, TallyLedgerTotals *ret_totals, GError **error);
