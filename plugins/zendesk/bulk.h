/* bulk.h: many creations in one request
 *
 * Gathers errands until a request is full, or nothing more comes for a moment, and sends them as one job.  What the job is
 * called is told to each delivery before anything else, so that a run which ends then is not the only one to know.
 *
 * What is to go so is marked when it is rendered, and the mark is stored with it: after a lost answer only the mark tells
 * that the creation may stand in a job that has not begun yet.
 */
#pragma once
#include "jobs.h"

/* Bytes of a request.  What Zendesk takes is not documented; a 413 makes it less. */
#define ZENDESK_BULK_BYTES (2 << 20)

typedef struct _ZendeskBulk ZendeskBulk;

typedef struct
{
  const char *path;   /* (unowned) that takes a list */
  const char *entity; /* (unowned) "ticket": the list's name has an s behind it */
  void (*single) (ZendeskErrand *errand); /* sends a record alone */
} ZendeskBulkConfig;

/* The options of a sink that has in_bulk and job_time.  which: "imports without files" */
#define ZENDESK_BULK_OPTIONS(Sink, which)                                                                           \
  { .name = "bulk", .type = TALLY_OPTION_BOOL, .offset = G_STRUCT_OFFSET (Sink, in_bulk), .fallback = "false",       \
    .summary = "Whether " which " go up to 100 in a request, as jobs", .example = "true" },                         \
  { .name = "job-time", .type = TALLY_OPTION_DURATION, .offset = G_STRUCT_OFFSET (Sink, job_time),                  \
    .fallback = "1800s", .min = ZENDESK_MINUTE, .max = 24 * 60 * (gint64) ZENDESK_MINUTE,                           \
    .summary = "How long a job may be at work of which nothing is known: before that no record of it is believed to " \
               "be absent",                                                                                         \
    .example = "2h" }

/* While a run is planned: the job that is not full yet. */
typedef struct
{
  guint n;
  gsize bytes;
} ZendeskBulkPlan;

/* How many records are at a sink at once, and share a request. */
void zendesk_bulk_profile (gboolean in_bulk, TallyDeliveryProfile *ret_profile);

ZendeskBulk *zendesk_bulk_new (ZendeskAccount *account, ZendeskJobs *jobs, const ZendeskBulkConfig *config);
/* Forgets what waits. */
void zendesk_bulk_free (ZendeskBulk *bulk);

/* Takes over an errand: it is settled, sent alone, or handed to the jobs. */
void zendesk_bulk_add (ZendeskBulk *bulk, ZendeskErrand *errand);
/* Sends what is due.  Microseconds until it is to be called again, at most wait. */
gint64 zendesk_bulk_advance (ZendeskBulk *bulk, gint64 wait);

/* At the end of a request that may go in bulk. */
void zendesk_bulk_mark (GString *request);
gboolean zendesk_bulk_is_marked (TallyText stored);
