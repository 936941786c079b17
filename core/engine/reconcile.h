/* reconcile.h: a ledger that has lost commits is refilled from the target (R8, E1, E2, E4)
 *
 * The target is asked for all that carries our references, and each of them is made known to the ledger.
 * What the two do not agree about is reported, never settled on a guess.
 */
#pragma once
#include "engine.h"

typedef enum
{
  TALLY_DIFFERENCE_UNKNOWN,  /* the ledger did not know it: it is delivered now, with a content that nobody knows */
  TALLY_DIFFERENCE_SETTLED,  /* it was in doubt */
  TALLY_DIFFERENCE_REJECTED, /* the ledger had it as rejected or released */
  TALLY_DIFFERENCE_DOUBLE,   /* the ledger knows it under another id, and keeps that */
  TALLY_DIFFERENCE_MISSING,  /* the ledger has an id that the target does not show */
} TallyDifferenceKind;

typedef struct
{
  TallyDifferenceKind kind;
  const char *key;
  const char *target_id; /* in the target; of one that is missing: in the ledger */
  const char *known_id;  /* (nullable) of a double: in the ledger */
} TallyDifference;

const char *tally_difference_name (TallyDifferenceKind kind); /* "unknown" … */

typedef struct
{
  guint64 surveyed; /* records of the pipeline's origin in the target, */
  guint64 known;    /* which the ledger knew; */
  guint64 unknown, settled, rejected, doubles, missing; /* see TallyDifferenceKind */
  guint64 in_doubt; /* still, at the end */
  guint64 foreign;  /* records of other origins: somebody else's, or another pipeline's */
  GHashTable *origins; /* (owned) (element-type utf8 guint64) of these, by origin; the first few */
} TallyReconciled;

void tally_reconciled_clear (TallyReconciled *reconciled);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TallyReconciled, tally_reconciled_clear)
/* As one JSON object. */
void tally_reconciled_format_json (const TallyReconciled *reconciled, GString *out);

typedef void (*TallyReconcileFound) (const TallyDifference *difference, gpointer data);

/* ---- The deliveries of one scope ---- */

typedef struct
{
  const TallyDeliverySink *sink; /* (unowned) */
  gpointer self;                 /* (unowned) the sink's instance, open */
  TallyContext *ctx;             /* (unowned) */
  TallyLedger *ledger;           /* (unowned) */
  gint64 scope;
  const char *target, *entity, *origin;
  const TallyLedgerRun *run; /* (unowned) */
  gint64 epoch, lease_ttl;
  gint64 since;              /* on the target's clock; 0: all, and only then it is seen what is missing */
  TallyReconcileFound found; /* (nullable) */
  gpointer data;
} TallyReconcileConfig;

/* ret_reconciled is zeroed first, and says how far it came also on failure.  It may be repeated at any time. */
gboolean tally_reconcile_deliveries (const TallyReconcileConfig *config, TallyReconciled *ret_reconciled,
                                     GError **error);

/* ---- Pipelines and their ledger ---- */

typedef struct
{
  const char *ledger;  /* (nullable) overrides the pipelines' */
  gboolean unsafe_ledger;
  gint64 since;
  gboolean leave_others; /* accept a ledger although it has deliveries of pipelines that were not reconciled */
  const char *command;   /* for the lease's holder */
  TallyReconcileFound found;
  void (*note) (const char *message, gpointer data); /* for a person, on the way */
  gpointer data;
} TallyReconcileOptions;

/* The places in ledgers that are reconciled by now: "id of the ledger/number of the scope". */
typedef struct _GHashTable TallyReconciledScopes;

/* Refills the ledger with the deliveries of one pipeline.  done gets its scope. */
TallyExit tally_reconcile (TallyPipeline *pipeline, const TallyReconcileOptions *options,
                           TallyReconciledScopes *done, TallyReconciled *ret_reconciled, GError **error);
/* The last step, once all pipelines are reconciled: from now on the pipeline's ledger counts as it is.  Refuses if
 * it has scopes that are not among those done, unless told to leave them. */
gboolean tally_reconcile_accept (const TallyPipeline *pipeline, const TallyReconcileOptions *options,
                                 TallyReconciledScopes *done, GError **error);
