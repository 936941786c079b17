/* jobs.c: what becomes of records that are in jobs */
#include "jobs.h"

/* A job takes seconds or minutes: it is asked about at once, and then less and less often. */
#define PAUSE_FIRST (G_USEC_PER_SEC / 4)
#define PAUSE_MOST (4 * G_USEC_PER_SEC)
/* Answers in a row that say nothing of a job. */
#define UNHEARD_MOST 8
/* How long the end of a job is remembered for those who come back: longer than any lookup is held back for. */
#define KEPT (90 * (gint64) ZENDESK_MINUTE)

typedef struct
{
  ZendeskErrand *errand; /* (unowned) */
  guint place;
} Member;

typedef struct
{
  ZendeskWaiter waiter;
  ZendeskJobs *jobs; /* (unowned) */
  char *id;          /* (owned) */
  guint n;           /* records in it */
  GArray *members;   /* (owned) (element-type Member) who want to know */
  gboolean asking;
  gint64 due, pause; /* monotonic: when it is asked about next, and how long after the last time */
  gint64 since;      /* Zendesk's clock: seen at work first; 0: not yet */
  guint n_unheard;
  gint64 over_at;    /* Zendesk's clock; 0: it is not over, as far as is known */
  gboolean named;    /* what can be known of its rows is */
  gint64 kept_until; /* monotonic: somebody who heard nothing sure of it may come back */
  ZendeskJobStatus status;
} Job;

struct _ZendeskJobs
{
  ZendeskAccount *account; /* (unowned) */
  ZendeskJobsConfig config;
  GHashTable *table; /* (owned) (element-type utf8 Job) */
};

static void
job_free (gpointer data)
{
  Job *job = data;

  zendesk_access_forget (job->jobs->account, &job->waiter);
  zendesk_job_status_clear (&job->status);
  g_array_unref (job->members);
  g_free (job->id);
  g_free (job);
}

ZendeskJobs *
zendesk_jobs_new (ZendeskAccount *account, const ZendeskJobsConfig *config)
{
  ZendeskJobs *jobs = g_new0 (ZendeskJobs, 1);

  jobs->account = account;
  jobs->config = *config;
  jobs->table = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, job_free);
  return jobs;
}

void
zendesk_jobs_free (ZendeskJobs *jobs)
{
  if (jobs == NULL)
    return;
  g_hash_table_unref (jobs->table);
  g_free (jobs);
}

gint64
zendesk_jobs_time (const ZendeskCall *call)
{
  return call->headers.date > 0 ? call->headers.date * G_USEC_PER_SEC : g_get_real_time ();
}

/* --- telling --- */

/* Whoever is told may come back at once, so they are taken out first. */
static void
tell_all (Job *job, ZendeskJobFate fate)
{
  static const ZendeskJobRow nothing = { ZENDESK_ROW_NONE, .place = -1 };
  const ZendeskJobsConfig *config = &job->jobs->config;
  g_autoptr (GArray) members = g_steal_pointer (&job->members);

  job->members = g_array_new (FALSE, FALSE, sizeof (Member));
  for (guint i = 0; i < members->len; i++)
    {
      const Member *member = &g_array_index (members, Member, i);

      zendesk_job_status_compare (&job->status, member->place, tally_delivery_reference (member->errand->delivery));
    }
  for (guint i = 0; i < members->len; i++)
    {
      const Member *member = &g_array_index (members, Member, i);
      const ZendeskJobRow *row = zendesk_job_status_find (
          &job->status, member->place, tally_delivery_reference (member->errand->delivery), config->hidden);

      row = row != NULL ? row : &nothing;
      if (row->kind == ZENDESK_ROW_NONE || row->kind == ZENDESK_ROW_FAILED)
        job->kept_until = g_get_monotonic_time () + KEPT;
      config->told (member->errand, row, fate, job->over_at);
    }
}

/* --- asking --- */

static void
ask_later (Job *job, gint64 wish)
{
  job->due = g_get_monotonic_time () + MAX (job->pause, wish);
  job->pause = MIN (job->pause * 3 / 2, PAUSE_MOST);
}

/* An answer that says nothing of the job. */
static void
take_nothing (Job *job, ZendeskCall *call)
{
  gint64 wish = call->status != 0 ? zendesk_headers_wait (&call->headers, g_get_real_time () / G_USEC_PER_SEC) : 0;

  if (++job->n_unheard < UNHEARD_MOST)
    {
      ask_later (job, wish);
      return;
    }
  job->n_unheard = 0;
  tell_all (job, job->over_at != 0 ? ZENDESK_JOB_OVER : ZENDESK_JOB_AT_WORK);
}

/* Once no row is nameless whose record is shown. */
static void
take_names (Job *job)
{
  job->named = TRUE;
  job->n_unheard = 0;
  tell_all (job, ZENDESK_JOB_OVER);
}

static void
take_at_work (Job *job, gint64 now)
{
  if (job->since == 0)
    job->since = now;
  if (now - job->since < job->jobs->config.longest)
    ask_later (job, 0);
  else
    tell_all (job, ZENDESK_JOB_AT_WORK);
}

static void ask (Job *job);

/* A job that is over. */
static void
go_on (Job *job)
{
  g_autofree char *ids = zendesk_job_status_nameless (&job->status);

  if (ids != NULL)
    ask (job);
  else
    take_names (job);
}

static void
take_status (Job *job, ZendeskCall *call)
{
  g_auto (ZendeskJobStatus) status = { 0 };

  if (!zendesk_job_status_read (&status, job->jobs->config.entity, call->answer->str, call->answer->len, job->n)
      || !g_str_equal (status.id, job->id))
    {
      take_nothing (job, call);
      return;
    }
  job->n_unheard = 0;
  if (!status.over)
    {
      take_at_work (job, zendesk_jobs_time (call));
      return;
    }
  job->status = status;
  status = (ZendeskJobStatus){ 0 };
  job->over_at = zendesk_jobs_time (call);
  go_on (job);
}

/* Whether a whole answer came that is not about credentials; FALSE: the job waits for another, or was told of. */
static gboolean
take_answer (Job *job, ZendeskCall *call)
{
  ZendeskFinding finding;
  gboolean whole;

  zendesk_finding_init (&finding);
  whole = zendesk_finding_take_answer (&finding, job->jobs->account, &job->waiter, call);
  zendesk_finding_clear (&finding);
  job->asking = FALSE;
  if (whole && call->status == 401 && zendesk_access_refused (job->jobs->account, &job->waiter))
    return FALSE;
  if (!whole)
    take_nothing (job, call);
  return whole;
}

static void
on_status (ZendeskCall *call, gpointer data)
{
  Job *job = data;

  if (!take_answer (job, call))
    return;
  if (call->status == 200)
    take_status (job, call);
  else if (call->status == 404)
    tell_all (job, ZENDESK_JOB_GONE);
  else
    take_nothing (job, call);
}

static void
on_shown (ZendeskCall *call, gpointer data)
{
  Job *job = data;

  if (!take_answer (job, call))
    return;
  if (call->status == 200
      && zendesk_job_status_name (&job->status, job->jobs->config.entity, call->answer->str, call->answer->len))
    take_names (job);
  else
    take_nothing (job, call);
}

/* About the job; of one that is over, about what it made. */
static void
ask (Job *job)
{
  const ZendeskJobsConfig *config = &job->jobs->config;
  ZendeskAccount *account = job->jobs->account;
  gboolean is_over = job->over_at != 0;
  g_autofree char *ids = is_over ? zendesk_job_status_nameless (&job->status) : NULL;
  g_autofree char *path = is_over ? g_strdup_printf ("%s/show_many.json?ids=%s", config->path, ids)
                                  : g_strdup_printf (ZENDESK_API "/job_statuses/%s.json", job->id);

  job->asking = TRUE;
  if (zendesk_access_queue (account, &job->waiter))
    return;
  job->waiter.generation = account->access.generation;
  zendesk_http_start (account->http, "GET", path, account->access.header, NULL, NULL, 0,
                      is_over ? ZENDESK_HTTP_LONG : 0, is_over ? on_shown : on_status, job);
}

/* There is another token, or there will be none: then nobody can ask. */
static void
on_token (ZendeskWaiter *waiter, TallyVerdict verdict, const char *detail)
{
  Job *job = (Job *) waiter;

  job->asking = FALSE;
  if (verdict == TALLY_VERDICT_BUSY)
    ask_later (job, 0);
  else
    tell_all (job, job->over_at != 0 ? ZENDESK_JOB_OVER : ZENDESK_JOB_AT_WORK);
}

/* --- what the sink calls --- */

static Job *
find_job (ZendeskJobs *jobs, const char *id, guint n)
{
  Job *job = g_hash_table_lookup (jobs->table, id);

  if (job != NULL)
    return job;
  job = g_new0 (Job, 1);
  job->waiter.on_token = on_token;
  job->jobs = jobs;
  job->id = g_strdup (id);
  job->n = n;
  job->members = g_array_new (FALSE, FALSE, sizeof (Member));
  g_hash_table_insert (jobs->table, job->id, job);
  return job;
}

void
zendesk_jobs_watch (ZendeskJobs *jobs, const char *id, guint place, guint n, ZendeskErrand *errand)
{
  Job *job = find_job (jobs, id, n);
  Member member = { errand, place };

  if (job->members->len == 0 && !job->asking)
    {
      job->pause = PAUSE_FIRST;
      job->due = g_get_monotonic_time () + job->pause;
    }
  g_array_append_val (job->members, member);
  if (job->named)
    tell_all (job, ZENDESK_JOB_OVER);
}

gboolean
zendesk_jobs_resume (ZendeskJobs *jobs, ZendeskErrand *errand)
{
  const char *receipt = tally_delivery_receipt (errand->delivery);
  g_autofree char *id = NULL;
  guint place, n;

  if (receipt == NULL || !zendesk_job_receipt_read (receipt, &id, &place, &n))
    return FALSE;
  zendesk_jobs_watch (jobs, id, place, n, errand);
  return TRUE;
}

void
zendesk_jobs_settle_unknown (ZendeskErrand *errand, const ZendeskJobRow *row, ZendeskJobFate fate)
{
  static const char *const fates[] = { [ZENDESK_JOB_OVER] = "its job is over, and tells nothing of it",
                                       [ZENDESK_JOB_GONE] = "nobody knows of its job any more",
                                       [ZENDESK_JOB_AT_WORK] = "its job came to no end, as far as is known" };

  if (row->words != NULL)
    zendesk_errand_settle_with (errand, TALLY_VERDICT_UNKNOWN, "its job says of it: %s", row->words);
  else
    zendesk_errand_settle_with (errand, TALLY_VERDICT_UNKNOWN, "%s", fates[fate]);
}

/* Nobody has anything to ask about it any more.  Whoever heard nothing sure comes back, and has to hear of the same end. */
static gboolean
is_spent (const Job *job, gint64 now)
{
  return job->named && job->kept_until <= now && !job->asking && job->members->len == 0;
}

gint64
zendesk_jobs_advance (ZendeskJobs *jobs, gint64 wait)
{
  gint64 now = g_get_monotonic_time ();
  GHashTableIter each;
  gpointer value;

  g_hash_table_iter_init (&each, jobs->table);
  while (g_hash_table_iter_next (&each, NULL, &value))
    {
      Job *job = value;

      if (is_spent (job, now))
        g_hash_table_iter_remove (&each);
      else if (job->members->len > 0 && !job->asking)
        {
          if (job->due <= now)
            ask (job);
          else
            wait = MIN (wait, job->due - now);
        }
    }
  return wait;
}
