/* engine.h: a run of one pipeline */
#pragma once
#include "delivery/dispatcher.h"
#include "pipeline/pipeline.h"

typedef enum
{
  TALLY_EXIT_COMPLETE = 0,
  TALLY_EXIT_FAILED = 1,
  TALLY_EXIT_USAGE = 2,
  TALLY_EXIT_REJECTS = 3,
  TALLY_EXIT_DOUBT = 4,
  TALLY_EXIT_LEASE = 5,
  TALLY_EXIT_INTERRUPTED = 130,
} TallyExit;

typedef struct
{
  const char *ledger;        /* (nullable) overrides the pipeline's */
  gboolean no_wait;
  gboolean unsafe_ledger;
  gboolean new_target;
  gint64 drain;              /* microseconds that requests in flight get after a signal; default 10 s */
  gint64 lease_ttl;          /* default 30 s */
  guint batch_rows;          /* default 1024 */
  const char *command;       /* for the lease's holder */
  /* (nullable) at most four times a second; waiting: (nullable) for what, and how many microseconds more; 0: nobody knows */
  void (*progress) (const TallyCounts *counts, const char *waiting, gint64 left, gpointer data);
  void (*alive) (gpointer data); /* (nullable) any thread: something moved, or a known wait goes on; silence means a hang */
  void (*warn) (const char *message, gpointer data);
  gpointer data;
} TallyRunOptions;

typedef struct
{
  TallyExit exit;
  TallyCounts counts;
  guint64 rejected_before;   /* by the runs that this one resumed; not in counts */
  const char *guarantee;     /* "exactly once", … : what held */
  gint64 run;                /* the ledger's number, 0 if none was begun */
  gint64 elapsed;            /* microseconds */
  GError *error;             /* (owned) (nullable) why it failed or was interrupted */
} TallySummary;

/* Runs it.  Safe to call once at a time; tally_run_interrupt() may come from a signal handler. */
void tally_run (TallyPipeline *pipeline, const TallyRunOptions *options, TallySummary *ret_summary);
void tally_run_interrupt (void);
void tally_summary_clear (TallySummary *summary);
void tally_counts_format_json (const TallyCounts *counts, GString *out);
/* For a person, several lines; and as one JSON object. */
void tally_summary_format (const TallySummary *summary, const TallyPipeline *pipeline, GString *out);
void tally_summary_format_json (const TallySummary *summary, const TallyPipeline *pipeline, GString *out);
