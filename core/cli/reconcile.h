/* reconcile.h: `tallyman doubt reconcile`, a file of its own because it is a command of its own size */
#pragma once
#include "engine/reconcile.h"

typedef struct
{
  gboolean json, leave_others, unsafe_ledger;
  const char *ledger; /* (nullable) */
  const char *since;  /* (nullable) a time, as given */
} TallyReconcileWish;

/* arguments: pipelines, up to NULL. */
TallyExit tally_doubt_reconcile (const TallyReconcileWish *wish, char **arguments);
