/* budget.h: how many requests a minute the account may make
 *
 * As in the service a window is a fixed minute of the clock, not a sliding one: a full budget
 * returns at every :00.
 */
#pragma once
#include <glib.h>

typedef enum
{
  EMU_BUCKET_ACCOUNT,
  EMU_BUCKET_CREATE,      /* POST /tickets, only when switched on */
  EMU_BUCKET_UPDATE,      /* PUT /tickets/{id} */
  EMU_BUCKET_INCREMENTAL, /* GET /incremental/… */
  EMU_N_BUCKETS,
} EmuBucketKind;

typedef struct
{
  guint total; /* 0: without a limit */
  guint used;
  gint64 window; /* the minute that @used counts for */
} EmuBucket;

typedef struct
{
  EmuBucket buckets[EMU_N_BUCKETS];
} EmuLimits;

typedef struct
{
  guint total, remaining, reset; /* reset: whole seconds until the window ends */
} EmuBudget;

/* Requests a minute of @plan; FALSE for a name that is no plan.  "none" has no limit. */
gboolean emu_limits_set_plan (EmuLimits *limits, const char *plan);

/* Adds the limit on creations by user and address, which is not documented but was seen. */
void emu_limits_limit_creation (EmuLimits *limits);

/* Counts a request at @now (Unix seconds); FALSE when the window's budget was used up before. */
gboolean emu_limits_take (EmuLimits *limits, EmuBucketKind kind, gint64 now);

/* FALSE when @kind has no limit. */
gboolean emu_limits_get (const EmuLimits *limits, EmuBucketKind kind, gint64 now,
                         EmuBudget *ret_budget);

/* The name of the header that tells of @kind; NULL for the account's own. */
const char *emu_limits_get_header (EmuBucketKind kind);
