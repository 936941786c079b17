/* context.h: a TallyContext from the inside */
#pragma once
#include "gate.h"
#include <tallyman/context.h>

typedef void (*TallyContextWarn) (const char *message, gpointer data);
typedef void (*TallyContextTell) (TallyFinding finding, const char *remedy, const char *message, gpointer data);

/* What a sink tells of a run that is only planned. */
typedef struct
{
  char *name; /* (owned) */
  char *text; /* (owned) (nullable) NULL: a number */
  gint64 number;
} TallyPlanFact;

void tally_plan_fact_clear (gpointer fact);

/* Requests of one kind that a run would make. */
typedef struct
{
  char *kind; /* (owned) */
  guint64 n, bytes;
  gint64 kind_limit, kind_period; /* its own; 0: none is known */
} TallyPlannedKind;

void tally_planned_kind_clear (gpointer kind);

/* A record of the target by its kind and id.  (transfer full) */
char *tally_unfit_name (const char *entity, const char *id);

struct _TallyContext
{
  char *position;       /* (owned) (nullable) */
  char *moved;          /* (owned) (nullable) in place of what was acknowledged */
  char *directory;      /* (owned) */
  char *run_tag;        /* (owned) */
  char *target;         /* (owned) (nullable) */
  char *checkpoint_key; /* (owned) (nullable) */
  char *checkpoint;     /* (owned) (nullable) */
  gboolean whole;
  GArray *facts;        /* (owned) (nullable) (element-type TallyPlanFact) NULL: this is no plan */
  GArray *requests;     /* (owned) (nullable) (element-type TallyPlannedKind) likewise */
  GHashTable *unfit;    /* (owned) (nullable) (element-type utf8) names of what a plan must not name; NULL: nobody asks */
  gboolean at_once;
  const gint *interrupted; /* (unowned) (nullable) read atomically */
  TallyContextWarn warn;   /* called on the plugin's thread */
  gpointer warn_data;
  TallyContextTell tell;   /* (nullable) NULL: nobody has asked */
  gpointer tell_data;

  gint64 patience;         /* asked for with the next TALLY_FLOW_RETRY; 0: none */

  /* What the target's last answer told, and when by our boot-time clock: read by the delivery on the same thread. */
  gint64 target_time, target_time_at;
  TallyShare *share; /* (unowned) (nullable) how other runs use the account's limit as well */
  TallyGate *gate; /* (owned) (nullable) */
  guint n_admitted; /* requests of this context that have not ended: the plugin's thread */
  gboolean (*may_go) (gpointer data); /* (nullable) whether any request may go at all */
  gpointer may_go_data;
  gint64 (*clock) (gpointer data); /* microseconds; NULL: CLOCK_BOOTTIME */
  gpointer clock_data;
};

/* Microseconds until the account's limit lets one more request go, after n that wait; 0 without an account. */
gint64 tally_context_wait (TallyContext *ctx, gint64 n);

/* What answers have told of the account's limit (kind: NULL), or of a kind's own: requests in a period.  FALSE: nothing. */
gboolean tally_context_limit (TallyContext *ctx, const char *kind, gint64 *ret_limit, gint64 *ret_period);
/* What is left to others of it; an account was set. */
void tally_context_reserve (TallyContext *ctx, guint8 ret_reserve[TALLY_HOURS]);

TallyContext *tally_context_new (const char *directory);
void tally_context_free (TallyContext *ctx);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyContext, tally_context_free)
