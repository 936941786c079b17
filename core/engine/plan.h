/* plan.h: what a run would do, found out without doing it
 *
 * The source is read and the steps are run as in a run; the sink only looks.  Nothing changes: no lease is taken, the ledger is
 * opened for reading, no file is made.
 */
#pragma once
#include "engine.h"
#include "first-requests.h"

typedef struct _TallyForecast TallyForecast;

typedef struct
{
  const char *ledger; /* (nullable) overrides the pipeline's */
  guint64 most;       /* records to read; 0: all */
  TallyReferenceFile *missed; /* (nullable) gets the references that the ledger has not, or that are unfit, unless they are among */
  TallyReferenceFile *coming; /* (nullable) gets what would be created */
  void (*rows) (const TallyBatch *batch, gpointer data);        /* (nullable) what the sink would get */
  guint64 lookups;    /* creations that are looked up in the target, at most */
  void (*progress) (guint64 n_read, gpointer data);             /* (nullable) after each batch */
  void (*looked_up) (guint64 n, gpointer data);                 /* (nullable) after some lookups: how many so far */
  void (*warn) (const char *message, gpointer data);
  gpointer data;
} TallyPlanOptions;

/* So many rejects are kept, to be shown. */
#define TALLY_PLAN_REJECTS 5

typedef struct
{
  guint64 read, added, filtered, rejected;
  guint64 rows;        /* that the sink would take */
  gboolean is_partial; /* not all of the source was read, since options.most said so */
  gboolean is_silent;  /* the sink does not say what it would do */
  char *position;      /* (owned) (nullable) where the source would go on */
  char *target;        /* (owned) (nullable) */
  GArray *rejects;     /* (owned) (element-type TallyReject) the first ones */
  GArray *facts;       /* (owned) (element-type TallyPlanFact) what the sink told */
  guint64 in_doubt;
  GArray *requests;    /* (owned) (nullable) (element-type TallyPlannedKind) NULL: the sink does not say which it would make */
  GArray *first_requests; /* (owned) (nullable) (element-type TallyPlannedRequest) one of each kind, then others */
  gint64 limit;        /* requests a minute that the account has told; 0: it has not */
  gint64 span;         /* microseconds that the requests take at its limits, at least; -1: not known */
  char *slowest;       /* (owned) (nullable) the kind whose own limit takes longest */
  GError *error;       /* (owned) (nullable) how the run would end before its time, or why it cannot be known */
  TallyExit exit;
} TallyPlan;

void tally_plan_make (TallyPipeline *pipeline, const TallyPlanOptions *options, TallyPlan *ret_plan);
void tally_plan_clear (TallyPlan *plan);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TallyPlan, tally_plan_clear)
