/* run.h: a run from the inside: what its threads share
 *
 * Threads: the reader (source), the shaper (steps) and the caller's (sink, ledger, progress).  What
 * they share is the two queues, which have locks of their own, the counters below, which are atomic,
 * and the first error, under its lock.  Whoever fails calls tally_stages_fail(), which ends all.
 */
#pragma once
#include "checkpoint.h"
#include "engine.h"
#include "queue.h"
#include "references.h"
#include "warnings.h"

typedef struct
{
  TallyPipeline *pipeline;        /* (unowned) */
  const TallyRunOptions *options; /* (unowned) */
  TallyContext *source_ctx, *sink_ctx; /* (owned) */
  TallyReferences *references;    /* (owned) (nullable) the shaper's once a batch comes to it, before that the reader's */
  GPtrArray *step_ctxs;           /* (owned) (element-type TallyContext) one for each step */
  TallyWarnings *warnings;        /* (owned) */
  TallyQueue *raw, *shaped;       /* (owned) between reader and shaper, shaper and sink */
  GThread *reader, *shaper;       /* (nullable) */
  GHashTable *listed;             /* (owned) (nullable) (element-type utf8) see tally_rejects_find_lookups() */
  gint stop;                      /* atomic: the run ends */
  gint enough;                    /* atomic: no more rows are wanted */
  gint whole;                     /* atomic: the source was read to its end */
  gpointer n_held;                /* atomic: rows that steps hold back, as a number */
  GMutex lock;
  GError *error;                  /* (owned) (nullable) the first one, under the lock */
  char *waiting;                  /* (owned) (nullable) for what a call that failed is not tried again yet, under the lock */
  gint64 wait_until;              /* monotonic: until when, likewise */
  guint64 n_retries;              /* such calls, under the lock while threads are at work */
  GThread *caller;                /* (unowned) the one that shows progress, */
  const TallyCounts *counts;      /* (unowned) of these: the caller's thread */
  char *durable;                  /* (owned) (nullable) the position before which all is: the caller's thread */
  void (*wake) (gpointer self);   /* (nullable) the sink's interrupt */
} TallyStages;

/* The run has moved, or waits for what it knows of; any thread.  Not called for time that merely passes. */
void tally_stages_beat (const TallyStages *stages);
/* Begins to read and shape.  The source is open and the pipeline bound. */
void tally_stages_start (TallyStages *stages);
/* Whether the sink's output appears as a whole, or not at all; once it is open. */
gboolean tally_stages_are_whole (const TallyStages *stages);
/* Whether a run has no place to go on from before its end: its steps remember rows, or its sink cannot. */
gboolean tally_stages_go_at_once (const TallyStages *stages);
/* No more is read; what is in the queues may still be taken. */
void tally_stages_stop (TallyStages *stages);
/* Ends both threads now and waits for them. */
void tally_stages_join (TallyStages *stages);
/* Remembers the first error and ends all stages. */
void tally_stages_fail (TallyStages *stages, GError *error);
GError *tally_stages_steal_error (TallyStages *stages);

/* Appends the hidden columns that the sink's own expressions fill. */
void tally_stages_add_hidden_columns (const TallyPipeline *pipeline, TallyBatch *batch);
/* Rejects what is left of a batch. */
void tally_stages_reject_all (TallyBatch *batch, const GError *failure);
/* The same for a batch that a step could not change: what comes after it finds no rows, but the step's columns. */
void tally_stages_set_aside (TallyBatch *batch, TallyStep *step, const GError *failure);
/* Waits before a failed call is tried again, unless the run stops: see patience.h.  FALSE: give up. */
gboolean tally_stages_wait_again (TallyStages *stages, TallyContext *ctx, guint *attempts, const GError *error);

/* A sink that writes: takes all batches, commits, and keeps the ledger's positions and rejects.
 * adopted: (nullable) the checkpoint that the run goes on from. */
gboolean tally_write_all (TallyStages *stages, TallyLedger *ledger, const TallyLedgerRun *run,
                          const TallyCheckpoint *adopted, gint64 lease_ttl, TallyCounts *counts, GError **error);
/* A delivering sink: the dispatcher around it. */
gboolean tally_deliver_all (TallyStages *stages, const TallyDispatcherConfig *config, TallyCounts *counts,
                            GError **error);
/* What holds a run up; for the progress line. */
typedef struct
{
  const char *why; /* (unowned) (nullable) NULL: nothing */
  gint64 left;     /* microseconds; 0: nobody knows */
} TallyHold;

/* Shows progress, notices a signal, holds rejects against the limit.  FALSE: the run is to end. */
gboolean tally_run_watch (TallyStages *stages, const TallyCounts *counts, TallyHold hold, GError **error);
/* The first of them, for the caller's thread while it waits. */
void tally_run_show (TallyStages *stages, const TallyCounts *counts, TallyHold hold);
/* FALSE if there are more rejects than the pipeline allows; at_end: a percentage of few records counts, too. */
gboolean tally_rejects_within_limit (const TallyPipeline *pipeline, const TallyCounts *counts, gboolean at_end,
                                     GError **error);
/* Writes the pipeline's rejects file anew from what the ledger holds; scope: (nullable) that of its deliveries. */
gboolean tally_rejects_export (const TallyPipeline *pipeline, TallyLedger *ledger, const TallyScope *scope,
                               GError **error);
/* Counts the rejects of source and steps in the present pass. */
gboolean tally_rejects_count_all (TallyLedger *ledger, const char *pipeline, guint64 *ret_n, GError **error);
/* The rejects of rows to look up that are listed in the present pass: they are read anew by each run (element-type utf8). */
GHashTable *tally_rejects_find_lookups (TallyLedger *ledger, const char *pipeline, GError **error);
/* What a reject is known by in that set. */
char *tally_reject_name (const TallyReject *reject);
/* Counts the rejects that earlier runs left in the pass that run belongs to. */
gboolean tally_rejects_count_before (TallyLedger *ledger, const TallyLedgerRun *run, guint64 *ret_n, GError **error);
gboolean tally_run_is_interrupted (void);
/* The same for a context, which reads it atomically. */
const gint *tally_run_interruption (void);
/* Takes the leases of a pipeline: one run of it at a time; and, if it delivers an entity, one writer for the keys of
 * its origin in the target, whatever pipelines share them. */
gboolean tally_run_acquire (TallyLedger *ledger, const TallyPipeline *pipeline, const char *entity, const char *target,
                            const char *command, gint64 ttl, gint64 *ret_epoch, gint64 *ret_last_send, GError **error);
