/* gate.h: the one place that all requests to an account pass, whichever plugin makes them
 *
 * There is one gate for an account in a process; contexts join it by the account's name.  It has a governor for the
 * account, and one for each kind of request that has a limit of its own.  Any thread may call.
 */
#pragma once
#include <tallyman/context.h>

typedef struct _TallyGate TallyGate;

/* How runs of several processes share a limit.  A g_atomic_rc_box; its claim() may block, and is called on one thread of
 * the gate's: what it does is tally_ledger_claim(). */
typedef struct _TallyShare TallyShare;
struct _TallyShare
{
  gboolean (*claim) (TallyShare *share, const char *name, gint64 window, gint64 ceiling, gint64 want,
                     gint64 *ret_granted, gint64 *ret_claimed);
  void (*clear) (gpointer share);
};

/* (transfer full) reserve: percent for each hour of the day; of two that differ the higher one counts.
 * share: (nullable) for a gate that has none yet. */
TallyGate *tally_gate_join (const char *account, const guint8 reserve[TALLY_HOURS], TallyShare *share);
void tally_gate_leave (TallyGate *gate);
/* Frees what admit() gave, after end(). */
void tally_admission_free (TallyAdmission *admission);
TallyAdmission *tally_gate_admit (TallyGate *gate, const char *kind, gint64 now, gint64 *ret_wait);
void tally_gate_end (TallyGate *gate, TallyAdmission *admission, gint64 now, const TallyAnswerNews *news);
/* What answers have told of the account's limit (kind: NULL), or of a kind's own: requests in a period.  FALSE: nothing. */
gboolean tally_gate_limit (TallyGate *gate, const char *kind, gint64 *ret_limit, gint64 *ret_period);
void tally_gate_reserve (TallyGate *gate, guint8 ret_reserve[TALLY_HOURS]);
/* Microseconds until a request would be let in after n others. */
gint64 tally_gate_wait (TallyGate *gate, gint64 now, gint64 n);
