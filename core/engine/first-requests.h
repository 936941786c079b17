/* first-requests.h: a few requests of a run that is planned, for a person to look at: one of each kind, then others
 *
 * Kinds are told apart by what the sink tells of the requests that a record takes.
 */
#pragma once
#include "plugin/context.h"
#include <tallyman/types.h>

/* So many are kept. */
#define TALLY_PLAN_REQUESTS 3

/* What a record is sent as. */
typedef struct
{
  char *kind;         /* (owned) the requests that bring it to the target: "POST /api/v2/tickets, POST /api/v2/uploads" */
  char *body;         /* (owned) its beginning */
  guint64 kinds;      /* the same as bits, and */
  gboolean is_update; /* what else makes it a kind of its own */
} TallyPlannedRequest;

typedef struct _TallyFirstRequests TallyFirstRequests;

TallyFirstRequests *tally_first_requests_new (const TallyContext *ctx);
void tally_first_requests_free (TallyFirstRequests *first);
/* The sink has just told in ctx what body takes. */
void tally_first_requests_take (TallyFirstRequests *first, TallyText body, gboolean is_update);
/* What it has just told is of none that is to be shown. */
void tally_first_requests_skip (TallyFirstRequests *first);
/* (transfer full) (element-type TallyPlannedRequest) */
GArray *tally_first_requests_get (TallyFirstRequests *first);
