/* budget.h: how many requests the account may make in how much time
 *
 * As in the service a window is a fixed stretch of the clock, not a sliding one: a full budget of a
 * minute returns at every :00.  Some budgets are the account's, some are those of one ticket, user
 * or organization.
 */
#pragma once
#include <glib.h>

typedef enum
{
  EMU_BUCKET_ACCOUNT,
  EMU_BUCKET_CREATE,              /* POST /tickets, only when switched on */
  EMU_BUCKET_UPDATE,              /* PUT /tickets/{id} */
  EMU_BUCKET_TICKET,              /* the same, of each ticket */
  EMU_BUCKET_INCREMENTAL,         /* GET /incremental/… */
  EMU_BUCKET_CREATE_UPDATE_USER,  /* POST /users/create_or_update */
  EMU_BUCKET_CREATE_UPDATE_EACH,  /* the same, of each user */
  EMU_BUCKET_UPDATE_USER,         /* PUT /users/{id} */
  EMU_BUCKET_UPDATE_EACH,         /* the same, of each user */
  EMU_BUCKET_UPDATE_ORGANIZATION, /* PUT /organizations/{id}, of each organization */
  EMU_BUCKET_SAMPLE,              /* GET /incremental/…/sample */
  EMU_BUCKET_SEARCH,              /* GET /search */
  EMU_BUCKET_SEARCH_EXPORT,       /* GET /search/export */
  EMU_BUCKET_DELETE,              /* DELETE /tickets/{id} */
  EMU_BUCKET_DELETED,             /* GET /deleted_tickets */
  EMU_BUCKET_DESTROY,             /* DELETE /deleted_tickets/{id} */
  EMU_BUCKET_DESTROY_MANY,        /* DELETE /deleted_tickets/destroy_many */
  EMU_N_BUCKETS,
} EmuBucketKind;

typedef struct
{
  gboolean limited;
  guint total;      /* of the account's own; of the others it is known */
  gint64 window;    /* the stretch of time that @used and @each count for */
  guint used;       /* by the account */
  GHashTable *each; /* (owned) (nullable) subject to how much it has used */
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
void emu_limits_clear (EmuLimits *limits);

/* Adds the limit on creations by user and address, which is not documented but was seen. */
void emu_limits_limit_creation (EmuLimits *limits);

/* Counts a request at @now (Unix seconds); FALSE when the window's budget was used up before.
 * @subject: whose budget it is, where each has one */
gboolean emu_limits_take (EmuLimits *limits, EmuBucketKind kind, gint64 subject, gint64 now);

/* FALSE when @kind has no limit. */
gboolean emu_limits_get (const EmuLimits *limits, EmuBucketKind kind, gint64 subject, gint64 now,
                         EmuBudget *ret_budget);

/* The name under which a header tells of @kind; NULL for the account's own, and where none does. */
const char *emu_limits_get_name (EmuBucketKind kind);

/* What is said of @kind when there is too much of it. */
const char *emu_limits_get_complaint (EmuBucketKind kind);
