/* deliver.c: send, resolve and drive of zendesk-tickets
 *
 * Most errands make one request.
 *
 *   send ─┬─► create ──┬──────────────────────────────────────────► settled
 *         │     ▲      └─ further parts ─► ticket ─► comments ─┬──►
 *         ▼     │                            ▲                 ▼
 *   resolve ─► find ──┬┬─ further parts ─────┴──────────── append
 *                ▼    │└──────────────────────────────────────────► settled
 *              export ┘
 *
 * Imports may share a request, whose answer is a job (bulk.c, jobs.c):
 *
 *   send ─► bulk ─┬─► job ─► its row ─────────────────────────────► settled
 *                 └─► create
 *   resolve ─► job ─┬─► its row ──────────────────────────────────► settled
 *                   └─► find
 *
 * As long as no answer has shown whether idempotency keys count, a creation is looked up before it is
 * sent: an earlier run may have sent it.  If they do not, the profile says so, and the core looks up.
 */
#include "bulk.h"
#include "errand.h"
#include "parts.h"
#include "sink.h"
#include "upload.h"

#include <string.h>

/* Pages of a lookup, or of a ticket's comments, that are read: Zendesk has no more. */
#define MAX_PAGES 100

typedef struct
{
  ZendeskErrand base;
  ZendeskSink *sink;        /* (unowned) */
  guint page;
  gboolean sending;         /* a lookup comes before a creation */
  gboolean resolving;       /* resolve(), not send() */
  gint64 quiet_at;          /* of one in a job: when that is surely over, on Zendesk's clock; G_MAXINT64: nobody knows */
  GPtrArray *parts;         /* (owned) (nullable) (element-type utf8) further ones of the text */
  ZendeskThread thread;     /* while parts are added */
  char *updated_at;         /* (owned) (nullable) likewise */
  gboolean solved;
  guint appended;
  ZendeskSought sought;
  ZendeskUploads *uploads;  /* (owned) (nullable) while its files go */
} Errand;

static void ask_find (Errand *errand);
static void ask_ticket (Errand *errand);
static void ask_comments (Errand *errand);

/* Whether an idempotency key is known to count where records are sent to. */
static gboolean
uses_keys (const ZendeskSink *sink)
{
  return zendesk_modes[sink->mode].key_life > 0 && !zendesk_sink_has_files (sink);
}

static void
clear_errand (ZendeskErrand *base)
{
  Errand *errand = (Errand *) base;

  zendesk_export_forget (errand->sink->export, &errand->sought);
  g_clear_pointer (&errand->uploads, zendesk_uploads_free);
  g_clear_pointer (&errand->parts, g_ptr_array_unref);
  g_free (errand->updated_at);
}

static Errand *
errand_new (ZendeskSink *sink, TallyDelivery *delivery)
{
  Errand *errand = zendesk_errand_new (sizeof *errand, "ticket", &sink->account, sink->errands, delivery,
                                       clear_errand);

  errand->sink = sink;
  errand->page = 1;
  return errand;
}

/* --- the further parts of a long text --- */

/* Of a ticket that is there, but not whole: an answer that may be read, or the errand is settled. */
static gboolean
take_continued (Errand *errand, ZendeskCall *call)
{
  ZendeskFinding *finding = &errand->base.finding;
  gint64 id = finding->target_id;
  TallyVerdict verdict;

  if (!zendesk_errand_take_answer (&errand->base, call))
    finding->verdict = TALLY_VERDICT_UNKNOWN;
  else
    zendesk_errand_judge (&errand->base, call, ZENDESK_ASK_CONTINUE);

  verdict = finding->verdict;
  if (verdict == TALLY_VERDICT_DELIVERED)
    return TRUE;
  g_autofree char *why = g_strdup (finding->detail->str);
  zendesk_errand_settle_with (&errand->base, verdict,
               "ticket %" G_GINT64_FORMAT " is there, but part %u of %u of its text is not: %s", id,
               errand->thread.n_present + 1, errand->thread.n_parts, why);
  return FALSE;
}

static void
on_append (ZendeskCall *call, gpointer data)
{
  Errand *errand = data;

  if (take_continued (errand, call))
    ask_ticket (errand);
}

/* All comments have been read: adds the part that comes next, or this was the last. */
static void
append_next (Errand *errand)
{
  ZendeskThread *thread = &errand->thread;
  g_autofree char *path
      = g_strdup_printf (ZENDESK_API "/tickets/%" G_GINT64_FORMAT ".json", errand->base.finding.target_id);

  if (thread->gap || errand->appended >= thread->n_parts)
    {
      zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNKNOWN,
                   "ticket %" G_GINT64_FORMAT " is there, but the parts of its text are not in order; "
                   "part %u of %u is missing", errand->base.finding.target_id, thread->n_present + 1,
                   thread->n_parts);
      return;
    }
  if (thread->n_present == thread->n_parts)
    {
      zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_DELIVERED, "in %u comments", thread->n_parts);
      return;
    }
  if (!tally_delivery_may_send (errand->base.delivery))
    {
      zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNKNOWN,
                   "ticket %" G_GINT64_FORMAT " is there, but not all of its text; meanwhile this run may not send any more",
                   errand->base.finding.target_id);
      return;
    }
  errand->appended++;
  zendesk_errand_ask (&errand->base, "PUT", path,
                      zendesk_parts_update (thread, errand->parts->pdata[thread->n_present - 1], errand->updated_at,
                             errand->solved),
       on_append);
}

static void
on_comments (ZendeskCall *call, gpointer data)
{
  Errand *errand = data;

  if (!take_continued (errand, call))
    return;
  if (!zendesk_thread_read (&errand->thread, call->answer->str, call->answer->len)
      || (errand->thread.more && errand->page == MAX_PAGES))
    zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNKNOWN, "the comments of ticket %" G_GINT64_FORMAT
                 " cannot be read", errand->base.finding.target_id);
  else if (errand->thread.more)
    {
      errand->page++;
      ask_comments (errand);
    }
  else
    append_next (errand);
}

static void
ask_comments (Errand *errand)
{
  g_autofree char *path = g_strdup_printf (ZENDESK_API "/tickets/%" G_GINT64_FORMAT
                                           "/comments.json?per_page=100&page=%u",
                                           errand->base.finding.target_id, errand->page);

  zendesk_errand_ask (&errand->base, "GET", path, NULL, on_comments);
}

static void
on_ticket (ZendeskCall *call, gpointer data)
{
  Errand *errand = data;

  if (!take_continued (errand, call))
    return;
  g_clear_pointer (&errand->updated_at, g_free);
  if (!zendesk_ticket_read (call->answer->str, call->answer->len, errand->base.finding.target_id,
                            &errand->updated_at, &errand->solved))
    {
      zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNKNOWN, "ticket %" G_GINT64_FORMAT " cannot be read",
                   errand->base.finding.target_id);
      return;
    }
  errand->page = 1;
  zendesk_thread_init (&errand->thread, tally_delivery_reference (errand->base.delivery),
                       errand->parts->len + 1);
  ask_comments (errand);
}

/* The ticket's time is read before its comments, so that an update in between is noticed. */
static void
ask_ticket (Errand *errand)
{
  g_autofree char *path
      = g_strdup_printf (ZENDESK_API "/tickets/%" G_GINT64_FORMAT ".json", errand->base.finding.target_id);

  zendesk_errand_ask (&errand->base, "GET", path, NULL, on_ticket);
}

/* The ticket is there; what is left to do? */
static void
go_on (Errand *errand)
{
  zendesk_thread_init (&errand->thread, tally_delivery_reference (errand->base.delivery),
                       errand->parts != NULL ? errand->parts->len + 1 : 1);
  if (errand->parts != NULL)
    ask_ticket (errand);
  else
    zendesk_errand_settle (&errand->base);
}

/* --- send --- */

/* Something between us and Zendesk may take the key away. */
static void
learn_of_keys (Errand *errand, ZendeskCall *call)
{
  ZendeskSink *sink = errand->sink;

  sink->keys = call->headers.lookup == ZENDESK_LOOKUP_UNSAID ? ZENDESK_KEYS_IGNORED : ZENDESK_KEYS_HONOURED;
  if (sink->keys == ZENDESK_KEYS_IGNORED)
    tally_context_warn (sink->account.ctx, "an answer does not tell that the idempotency key counted "
                        "(x-idempotency-lookup is missing): records whose answer was lost are looked up, "
                        "not sent again");
}

static void
on_created (ZendeskCall *call, gpointer data)
{
  Errand *errand = data;

  if (!zendesk_errand_take_answer (&errand->base, call))
    {
      zendesk_errand_settle (&errand->base);
      return;
    }
  if (call->status == 401 && zendesk_access_refused (errand->base.account, &errand->base.waiter))
    return;
  zendesk_errand_judge (&errand->base, call, ZENDESK_ASK_CREATE);
  if (errand->base.finding.verdict == TALLY_VERDICT_DELIVERED)
    {
      if (uses_keys (errand->sink))
        learn_of_keys (errand, call);
      go_on (errand);
    }
  else
    zendesk_errand_settle (&errand->base);
}

/* Takes the further parts out of the stored bytes; FALSE if the errand is settled, because they are
 * not ours. */
static gboolean
take_parts (Errand *errand)
{
  TallyText stored = tally_delivery_body (errand->base.delivery);

  if (zendesk_bulk_is_marked (stored) || zendesk_parts_further (stored, &errand->parts))
    return TRUE;
  zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNKNOWN, "the stored request is not as it was written");
  return FALSE;
}

static void
post (Errand *errand, TallyText request)
{
  const ZendeskSink *sink = errand->sink;
  g_autofree char *path = g_strconcat (zendesk_modes[sink->mode].path, sink->archive ? "?archive_immediately=true" : NULL,
                                       NULL);

  zendesk_errand_create (&errand->base, path, uses_keys (sink) ? tally_delivery_key (errand->base.delivery) : NULL, request,
                         on_created);
}

/* That may have taken minutes. */
static void
on_uploads (ZendeskErrand *base, TallyText request)
{
  if (tally_delivery_may_send (base->delivery))
    post ((Errand *) base, request);
  else
    zendesk_errand_settle_with (base, TALLY_VERDICT_UNSENT, "not sent: meanwhile this run may not send any more");
}

static void
ask_create (Errand *errand)
{
  TallyText request = zendesk_parts_first (tally_delivery_body (errand->base.delivery));

  if (!zendesk_uploads_needed (request))
    {
      post (errand, request);
      return;
    }
  errand->uploads = zendesk_uploads_new (&errand->base, &errand->sink->files, request);
  if (errand->uploads != NULL)
    zendesk_uploads_go (errand->uploads, on_uploads);
  else
    zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNKNOWN, "the stored request is not as it was written");
}

/* It waited for others, or came back from them. */
void
zendesk_send_single (ZendeskErrand *base)
{
  if (!tally_delivery_may_send (base->delivery))
    zendesk_errand_settle_with (base, TALLY_VERDICT_UNSENT, "not sent: meanwhile this run may not send any more");
  else if (!zendesk_access_queue (base->account, &base->waiter))
    ask_create ((Errand *) base);
}

void
zendesk_send (gpointer self, TallyContext *ctx, TallyDelivery *delivery)
{
  ZendeskSink *sink = self;
  Errand *errand = errand_new (sink, delivery);

  if (!take_parts (errand))
    return;
  if (sink->bulk != NULL && zendesk_bulk_is_marked (tally_delivery_body (delivery)))
    {
      zendesk_bulk_add (sink->bulk, &errand->base);
      return;
    }
  errand->sending = uses_keys (sink) && sink->keys == ZENDESK_KEYS_UNPROVEN;
  if (zendesk_access_queue (&sink->account, &errand->base.waiter))
    return;
  if (errand->sending)
    ask_find (errand);
  else
    ask_create (errand);
}

/* --- resolve --- */

/* The export has told. */
static void
on_sought (ZendeskSought *sought)
{
  Errand *errand = (Errand *) ((char *) sought - G_STRUCT_OFFSET (Errand, sought));

  if (sought->deleted)
    tally_context_warn (errand->base.account->ctx, "a ticket whose answer was lost has been deleted since: it counts as "
                        "delivered, and is not created again");
  if (errand->base.finding.verdict == TALLY_VERDICT_DELIVERED && !sought->deleted)
    go_on (errand);
  else
    zendesk_errand_settle (&errand->base);
}

/* No list shows it; an archived or deleted ticket stands in the export alone. */
static void
seek_in_export (Errand *errand, ZendeskCall *call)
{
  gint64 now = call->headers.date > 0 ? call->headers.date * G_USEC_PER_SEC : g_get_real_time ();
  gint64 until = MAX (tally_delivery_sent_at (errand->base.delivery), errand->quiet_at);
  gint64 lag;

  if (errand->quiet_at == G_MAXINT64)
    {
      errand->base.finding.wait = ZENDESK_MINUTE;
      zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNKNOWN,
                                  "not in the list of tickets; the job that it is in may still be at work");
      return;
    }
  lag = zendesk_export_lag (errand->sink->export, until, now);

  if (tally_delivery_is_first_look (errand->base.delivery))
    {
      zendesk_errand_settle (&errand->base);
      return;
    }
  if (lag > 0)
    {
      errand->base.finding.wait = lag;
      zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNKNOWN,
                   "not in the list of tickets; the export, which has the archived and deleted ones, does not reach that "
                   "far yet");
      return;
    }
  errand->sought = (ZendeskSought){ .reference = tally_delivery_reference (errand->base.delivery),
                                    .from = tally_delivery_intended_at (errand->base.delivery),
                                    .until = until,
                                    .finding = &errand->base.finding,
                                    .done = on_sought };
  zendesk_export_seek (errand->sink->export, &errand->sought);
}

/* A lookup that told nothing: what was not sent yet, is not. */
static void
settle_unclear (Errand *errand)
{
  ZendeskFinding *finding = &errand->base.finding;

  if (errand->sending && finding->verdict == TALLY_VERDICT_UNKNOWN)
    finding->verdict = TALLY_VERDICT_UNSENT;
  else if (!errand->sending && finding->verdict == TALLY_VERDICT_UNSENT)
    finding->verdict = TALLY_VERDICT_UNKNOWN;
  zendesk_errand_settle (&errand->base);
}

static void
on_found (ZendeskCall *call, gpointer data)
{
  Errand *errand = data;
  ZendeskFinding *finding = &errand->base.finding;

  if (!zendesk_errand_take_answer (&errand->base, call))
    {
      settle_unclear (errand);
      return;
    }
  if (call->status == 401 && zendesk_access_refused (errand->base.account, &errand->base.waiter))
    return;
  zendesk_errand_judge (&errand->base, call, ZENDESK_ASK_FIND);
  if (finding->verdict != TALLY_VERDICT_DELIVERED && finding->verdict != TALLY_VERDICT_ABSENT)
    settle_unclear (errand);
  else if (finding->more && errand->page == MAX_PAGES)
    {
      zendesk_finding_set (finding, TALLY_VERDICT_UNKNOWN, "the lookup has more than %d pages%s", MAX_PAGES,
                           finding->strangers ? ", with tickets that were not asked for" : "");
      settle_unclear (errand);
    }
  else if (finding->more)
    {
      errand->page++;
      ask_find (errand);
    }
  else if (finding->verdict == TALLY_VERDICT_DELIVERED)
    {
      finding->repeated = errand->sending;
      go_on (errand);
    }
  else if (errand->sending)
    ask_create (errand);
  else
    seek_in_export (errand, call);
}

/* Nobody knows the job that it may be in, or was. */
static void
expect_job (Errand *errand)
{
  errand->quiet_at = tally_delivery_sent_at (errand->base.delivery) + errand->sink->job_time;
}

static void
look_after_job (Errand *errand, ZendeskJobFate fate, gint64 over_at)
{
  if (fate == ZENDESK_JOB_GONE)
    expect_job (errand);
  else
    errand->quiet_at = fate == ZENDESK_JOB_OVER ? over_at : G_MAXINT64;
  ask_find (errand);
}

void
zendesk_told_of_job (ZendeskErrand *base, const ZendeskJobRow *row, ZendeskJobFate fate, gint64 over_at)
{
  if (row->kind == ZENDESK_ROW_DONE)
    {
      base->finding.target_id = row->id;
      zendesk_errand_settle_with (base, TALLY_VERDICT_DELIVERED, "by a job");
    }
  else if (row->kind == ZENDESK_ROW_REFUSED)
    zendesk_errand_settle_with (base, TALLY_VERDICT_REJECTED, "refused in a job: %s",
                                row->words != NULL ? row->words : "no reason is told");
  else if (((Errand *) base)->resolving)
    look_after_job ((Errand *) base, fate, over_at);
  else
    zendesk_jobs_settle_unknown (base, row, fate);
}

static void
ask_find (Errand *errand)
{
  g_autofree char *escaped = g_uri_escape_string (tally_delivery_reference (errand->base.delivery), NULL, FALSE);
  g_autofree char *path = g_strdup_printf (ZENDESK_API "/tickets.json?external_id=%s&per_page=100&page=%u",
                                           escaped, errand->page);

  zendesk_errand_ask (&errand->base, "GET", path, NULL, on_found);
}

void
zendesk_resolve (gpointer self, TallyContext *ctx, TallyDelivery *delivery)
{
  ZendeskSink *sink = self;
  Errand *errand = errand_new (sink, delivery);

  if (!take_parts (errand))
    return;
  errand->resolving = TRUE;
  if (sink->jobs != NULL && zendesk_jobs_resume (sink->jobs, &errand->base))
    return;
  if (zendesk_bulk_is_marked (tally_delivery_body (delivery)) || tally_delivery_receipt (delivery) != NULL)
    expect_job (errand);
  if (!zendesk_access_queue (&sink->account, &errand->base.waiter))
    ask_find (errand);
}

gboolean
zendesk_drive (gpointer self, TallyContext *ctx, gint64 wait, GError **error)
{
  ZendeskSink *sink = self;

  wait = zendesk_export_advance (sink->export, wait);
  if (sink->jobs != NULL)
    wait = zendesk_jobs_advance (sink->jobs, wait);
  if (sink->bulk != NULL)
    wait = zendesk_bulk_advance (sink->bulk, wait);
  return zendesk_http_drive (sink->account.http, wait, error);
}
