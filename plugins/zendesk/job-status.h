/* job-status.h: what Zendesk tells of a job: no I/O
 *
 * Records are done side by side, and what is told of each stands in rows that are short, out of order, or missing.  A row
 * counts only for the place in the request that it names itself; where it stands in the list says nothing.
 */
#pragma once
#include <glib.h>

/* Records of one bulk call: Zendesk takes no more. */
#define ZENDESK_JOB_MOST 100
/* Characters of a job's id. */
#define ZENDESK_JOB_ID_MOST 200

typedef enum
{
  ZENDESK_ROW_NONE,    /* nothing is told, or nothing that can be understood */
  ZENDESK_ROW_DONE,    /* it was made, and has this id */
  ZENDESK_ROW_REFUSED, /* surely not made: the record is not good */
} ZendeskRowKind;

/* What became of one record. */
typedef struct
{
  ZendeskRowKind kind;
  gint64 id;
  char *words; /* (owned) (nullable) */
} ZendeskJobRow;

typedef struct
{
  char *id;      /* (owned) */
  char *state;   /* (owned) (nullable) as Zendesk calls it */
  gboolean over; /* it does nothing any more */
  guint n;
  ZendeskJobRow rows[ZENDESK_JOB_MOST]; /* by place in the request; of a job that is over */
} ZendeskJobStatus;

/* Reads {"job_status":{…}} about a job of n records.  FALSE if it is none. */
gboolean zendesk_job_status_read (ZendeskJobStatus *status, const char *text, gsize length, guint n);
void zendesk_job_status_clear (ZendeskJobStatus *status);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ZendeskJobStatus, zendesk_job_status_clear)

/* A record's place in a job, as the ledger keeps it. */
char *zendesk_job_receipt_new (const char *id, guint place, guint n);
/* FALSE if it is none. */
gboolean zendesk_job_receipt_read (const char *receipt, char **ret_id, guint *ret_place, guint *ret_n);
