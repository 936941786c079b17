/* jobs.h: what becomes of records that are in jobs
 *
 * A job is asked about until it is over, once for all records in it that anybody wants to know of, whether this run began
 * it or an earlier one.  What it made and does not name is then read, all in one request, to see the external_ids.  Nothing
 * is done here that acts; what a record is, only its sink knows.
 */
#pragma once
#include "errand.h"
#include "job-status.h"

typedef struct _ZendeskJobs ZendeskJobs;

/* What is known of a job, if not what became of the record. */
typedef enum
{
  ZENDESK_JOB_OVER,    /* it does nothing any more */
  ZENDESK_JOB_GONE,    /* nobody knows of it; it may be at work all the same */
  ZENDESK_JOB_AT_WORK, /* or it could not be asked about */
} ZendeskJobFate;

/* The end of an errand's stay in a job: the row that tells of it, which may tell nothing.  over_at: microseconds on
 * Zendesk's clock at which a job that is over surely was so. */
typedef void (*ZendeskJobTold) (ZendeskErrand *errand, const ZendeskJobRow *row, ZendeskJobFate fate, gint64 over_at);

typedef struct
{
  const char *entity; /* (unowned) "ticket" */
  const char *path;   /* (unowned) of the list: "/api/v2/tickets" */
  gint64 longest;     /* microseconds after which a job that is still at work is not waited for any more */
  gboolean hidden;    /* what is made may not be shown: then the place that its row names is believed */
  ZendeskJobTold told;
} ZendeskJobsConfig;

ZendeskJobs *zendesk_jobs_new (ZendeskAccount *account, const ZendeskJobsConfig *config);
/* Forgets what waits, without a call of told(). */
void zendesk_jobs_free (ZendeskJobs *jobs);

/* Calls told() at once or later.  place, n: where the errand's record stands in the job, and of how many. */
void zendesk_jobs_watch (ZendeskJobs *jobs, const char *id, guint place, guint n, ZendeskErrand *errand);
/* The same of a delivery whose receipt tells of a job.  FALSE if it has none. */
gboolean zendesk_jobs_resume (ZendeskJobs *jobs, ZendeskErrand *errand);
/* Settles an errand of whose record a job tells nothing for sure. */
void zendesk_jobs_settle_unknown (ZendeskErrand *errand, const ZendeskJobRow *row, ZendeskJobFate fate);
/* Asks about what is due.  Microseconds until it is to be called again, at most wait. */
gint64 zendesk_jobs_advance (ZendeskJobs *jobs, gint64 wait);

/* By Zendesk's clock, as an answer tells it, or else by ours; microseconds since 1970. */
gint64 zendesk_jobs_time (const ZendeskCall *call);
