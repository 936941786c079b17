/* job-status.h: what Zendesk tells of a job: no I/O
 *
 * Records are done side by side, and what is told of each stands in rows that are short, out of order, or missing.  Where a
 * row stands in the list says nothing.  What was made is known by its external_id alone, which the row names, or the record
 * itself when it is shown; a place in the request, which some rows name, counts only for what was not made.
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
  ZENDESK_ROW_FAILED,  /* not made, and why is in words that are not known to mean the record */
} ZendeskRowKind;

/* What became of one record. */
typedef struct
{
  ZendeskRowKind kind;
  gint64 id;
  gint place;      /* in the request; -1: it names none */
  char *reference; /* (owned) (nullable) the external_id of what was made */
  char *words;     /* (owned) (nullable) */
} ZendeskJobRow;

typedef struct
{
  char *id;      /* (owned) */
  char *state;   /* (owned) (nullable) as Zendesk calls it */
  gboolean over; /* it does nothing any more */
  guint n;       /* records that were sent */
  guint n_rows;  /* of a job that is over */
  gboolean misnumbered; /* a row was found to name another place than its record's */
  ZendeskJobRow rows[ZENDESK_JOB_MOST];
} ZendeskJobStatus;

/* Reads {"job_status":{…}} about a job that creates n of these, "ticket".  FALSE if it is none. */
gboolean zendesk_job_status_read (ZendeskJobStatus *status, const char *entity, const char *text, gsize length, guint n);
void zendesk_job_status_clear (ZendeskJobStatus *status);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ZendeskJobStatus, zendesk_job_status_clear)

/* The ids of what was made by rows that name no external_id, joined by commas; NULL: there are none. (transfer full) */
char *zendesk_job_status_nameless (const ZendeskJobStatus *status);
/* Takes the external_ids of these from {"tickets":[…]}.  FALSE if it is no such list. */
gboolean zendesk_job_status_name (ZendeskJobStatus *status, const char *entity, const char *text, gsize length);

/* Holds the place of a record that was sent against what its row says, if that is known by the external_id. */
void zendesk_job_status_compare (ZendeskJobStatus *status, guint place, const char *reference);
/* The row about a record that was sent; NULL: none is, as far as is known. (transfer none) (nullable)  trusts_place: whether
 * one that was made, but does not show its external_id, is believed to be that of the place. */
const ZendeskJobRow *zendesk_job_status_find (const ZendeskJobStatus *status, guint place, const char *reference,
                                              gboolean trusts_place);

/* A record's place in a job, as the ledger keeps it. */
char *zendesk_job_receipt_new (const char *id, guint place, guint n);
/* FALSE if it is none. */
gboolean zendesk_job_receipt_read (const char *receipt, char **ret_id, guint *ret_place, guint *ret_n);
