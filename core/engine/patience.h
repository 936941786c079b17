/* patience.h: what a plugin asks to be tried again is tried again, after a while
 *
 * For a run and for a plan of it, so that the one waits where the other does.
 */
#pragma once
#include "plugin/context.h"
#include "plugin/instance.h"

/* Whoever waits. */
typedef struct
{
  gboolean (*is_stopped) (gpointer data);
  void (*tell) (const char *message, gpointer data); /* why it is waited; has the form of TallyContextWarn */
  /* (nullable) the same, and until when (monotonic); NULL: it is over */
  void (*note) (const char *why, gint64 until, gpointer data);
  gpointer data, tell_data;
} TallyPatience;

/* Waits before a failed call is tried again, unless it is stopped: as the policy says after so many attempts, which are counted, or
 * as long as the plugin asked for in ctx (nullable).  FALSE: give up. */
gboolean tally_patience_wait (const TallyPatience *patience, TallyContext *ctx, guint *attempts, const GError *error);
/* Reads one batch of a source.  OK, END, or FATAL with the reason why there is none. */
TallyFlow tally_patience_read (const TallyPatience *patience, TallyInstance *source, TallyContext *ctx, TallyBatch *batch,
                               GError **error);
