/* deliver.c: send, resolve and drive
 *
 * Each delivery that the core hands over becomes an errand, which makes one request after another
 * until it can be settled.  Most make one.
 *
 *   send ─┬─► create ──┬──────────────────────────────────────────► settled
 *         │     ▲      └─ further parts ─► ticket ─► comments ─┬──►
 *         ▼     │                            ▲                 ▼
 *   resolve ─► find ───┬─ further parts ─────┴──────────── append
 *                      └──────────────────────────────────────────► settled
 *
 * As long as no answer has shown whether idempotency keys count, a creation is looked up before it is
 * sent: an earlier run may have sent it.  If they do not, the profile says so, and the core looks up.
 *
 * An errand never makes the same acting request twice: what does not come to a clear end is settled
 * as unknown, and the core decides what follows.
 */
#include "sink.h"
#include "answer.h"
#include "parts.h"

#include <string.h>

/* Pages of a lookup, or of a ticket's comments, that are read: Zendesk has no more. */
#define MAX_PAGES 100

struct _ZendeskErrand
{
  ZendeskSink *sink;        /* (unowned) */
  TallyDelivery *delivery;  /* (unowned) */
  ZendeskFinding finding;   /* what is known so far */
  guint generation;         /* of the token that the last request had */
  guint page;
  gboolean sending;         /* a lookup comes before a creation */
  GPtrArray *parts;         /* (owned) (nullable) (element-type utf8) further ones of the text */
  ZendeskThread thread;     /* while parts are added */
  char *updated_at;         /* (owned) (nullable) likewise */
  gboolean solved;
  guint appended;
};

static void ask_find (ZendeskErrand *errand);
static void ask_ticket (ZendeskErrand *errand);
static void ask_comments (ZendeskErrand *errand);

static ZendeskErrand *
errand_new (ZendeskSink *sink, TallyDelivery *delivery)
{
  ZendeskErrand *errand = g_new0 (ZendeskErrand, 1);

  errand->sink = sink;
  errand->delivery = delivery;
  errand->page = 1;
  zendesk_finding_init (&errand->finding);
  g_ptr_array_add (sink->errands, errand);
  return errand;
}

static void
errand_free (ZendeskErrand *errand)
{
  g_ptr_array_remove_fast (errand->sink->errands, errand);
  zendesk_finding_clear (&errand->finding);
  g_clear_pointer (&errand->parts, g_ptr_array_unref);
  g_free (errand->updated_at);
  g_free (errand);
}

void
zendesk_errands_drop (ZendeskSink *sink)
{
  while (sink->errands != NULL && sink->errands->len > 0)
    errand_free (sink->errands->pdata[0]);
}

/* The end of an errand. */
static void
settle (ZendeskErrand *errand)
{
  ZendeskFinding *finding = &errand->finding;
  TallyDelivery *delivery = errand->delivery;
  g_autofree char *id = finding->target_id != 0
                            ? g_strdup_printf ("%" G_GINT64_FORMAT, finding->target_id)
                            : NULL;
  TallyOutcome outcome = { TALLY_OUTCOME_INIT };

  zendesk_access_redact (errand->sink, finding->detail);
  outcome.verdict = finding->verdict;
  outcome.status = finding->status;
  outcome.target_id = finding->verdict == TALLY_VERDICT_DELIVERED ? id : NULL;
  outcome.other_ids = finding->other_ids->len > 0 ? finding->other_ids->str : NULL;
  outcome.repeated = finding->repeated;
  outcome.wait = finding->wait;
  outcome.wait_all = finding->wait_all;
  outcome.detail = finding->detail->len > 0 ? finding->detail->str : NULL;
  tally_delivery_settle (delivery, &outcome);
  errand_free (errand);
}

static void settle_with (ZendeskErrand *errand, TallyVerdict verdict, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static void
settle_with (ZendeskErrand *errand, TallyVerdict verdict, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *detail = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  zendesk_finding_set (&errand->finding, verdict, "%s", detail);
  settle (errand);
}

void
zendesk_report_headers (ZendeskSink *sink, const ZendeskHeaders *headers)
{
  g_autofree char *warning = zendesk_headers_dup_warning (headers);
  gint64 limit, remaining, reset;

  if (headers->date > 0)
    tally_context_report_target_time (sink->ctx, headers->date * G_USEC_PER_SEC);
  if (zendesk_headers_budget (headers, &limit, &remaining, &reset))
    tally_context_report_budget (sink->ctx, limit, remaining, reset);
  if (warning != NULL)
    tally_context_warn (sink->ctx, "Zendesk took the ticket, but dropped members of it: %s", warning);
}

/* --- a token that ran out --- */

/* None of those that wait for a token was acted upon; with the new one they can be sent again. */
static void
end_waiting (ZendeskSink *sink, TallyVerdict verdict, const char *detail)
{
  g_autoptr (GPtrArray) waiting = g_steal_pointer (&sink->access.waiting);

  sink->access.waiting = g_ptr_array_new ();
  sink->access.refreshing = FALSE;
  for (guint i = 0; i < waiting->len; i++)
    settle_with (waiting->pdata[i], verdict, "%s", detail);
}

static void
on_token (ZendeskCall *call, gpointer data)
{
  ZendeskSink *sink = data;
  g_autoptr (GError) error = NULL;

  if (call->status == 0)
    end_waiting (sink, TALLY_VERDICT_BUSY, call->problem);
  else if (call->status >= 500 || call->status == 429)
    end_waiting (sink, TALLY_VERDICT_BUSY, "Zendesk gives no new token just now");
  else if (zendesk_access_take (sink, call->status, call->answer->str, call->answer->len, &error))
    end_waiting (sink, TALLY_VERDICT_BUSY, "the token had run out; there is a new one");
  else
    end_waiting (sink, TALLY_VERDICT_HALT, error->message);
}

static void
wait_for_token (ZendeskErrand *errand)
{
  ZendeskSink *sink = errand->sink;

  g_ptr_array_add (sink->access.waiting, errand);
  if (sink->access.refreshing)
    return;
  sink->access.refreshing = TRUE;
  zendesk_http_start_with (sink->http, "POST", "/oauth/tokens", NULL, zendesk_access_request (sink), 0,
                           on_token, sink);
}

/* Of a refusal of the token itself: TRUE if the errand is taken care of. */
static gboolean
take_unauthorized (ZendeskErrand *errand)
{
  ZendeskAccess *access = &errand->sink->access;

  if (!zendesk_access_renews (errand->sink))
    return FALSE;
  if (errand->generation != access->generation)
    settle_with (errand, TALLY_VERDICT_BUSY, "the token had run out; there is a new one");
  else if (access->proven || access->refreshing)
    wait_for_token (errand);
  else /* fetched a moment ago, and refused all the same */
    return FALSE;
  return TRUE;
}

/* --- answers --- */

/* Whether a whole answer came; if not, what is known is put down. */
static gboolean
take_answer (ZendeskErrand *errand, ZendeskCall *call)
{
  ZendeskSink *sink = errand->sink;
  ZendeskFinding *finding = &errand->finding;

  zendesk_report_headers (sink, &call->headers);
  if (call->status != 0)
    {
      if (call->status != 401 && errand->generation == sink->access.generation)
        sink->access.proven = TRUE;
      return TRUE;
    }
  finding->status = 0;
  if (call->half_status != 0)
    zendesk_finding_set (finding, TALLY_VERDICT_UNKNOWN, "HTTP %d, but the answer did not come whole: %s",
                         call->half_status, call->problem);
  else
    zendesk_finding_set (finding, call->sent ? TALLY_VERDICT_UNKNOWN : TALLY_VERDICT_UNSENT, "%s: %s",
                         call->sent ? "no answer" : "not sent", call->problem);
  return FALSE;
}

static void
judge (ZendeskErrand *errand, ZendeskCall *call, ZendeskAsk ask)
{
  ZendeskAnswer answer = { .status = call->status,
                           .body = call->answer->str,
                           .length = call->answer->len,
                           .headers = &call->headers,
                           .now = g_get_real_time () / G_USEC_PER_SEC };

  zendesk_judge (ask, &answer, tally_delivery_reference (errand->delivery), &errand->finding);
}

/* Starts a GET, or with a body an update that must not be made twice. */
static void
ask (ZendeskErrand *errand, const char *path, char *body, ZendeskHttpDone done)
{
  ZendeskSink *sink = errand->sink;

  errand->generation = sink->access.generation;
  if (body == NULL)
    zendesk_http_start (sink->http, "GET", path, sink->access.header, NULL, NULL, 0, 0, done, errand);
  else
    zendesk_http_start_with (sink->http, "PUT", path, sink->access.header, body, ZENDESK_HTTP_ONCE, done,
                             errand);
}

/* --- the further parts of a long text --- */

/* Of a ticket that is there, but not whole: an answer that may be read, or the errand is settled. */
static gboolean
take_continued (ZendeskErrand *errand, ZendeskCall *call)
{
  ZendeskFinding *finding = &errand->finding;
  gint64 id = finding->target_id;
  TallyVerdict verdict;

  if (!take_answer (errand, call))
    finding->verdict = TALLY_VERDICT_UNKNOWN;
  else
    judge (errand, call, ZENDESK_ASK_CONTINUE);

  verdict = finding->verdict;
  if (verdict == TALLY_VERDICT_DELIVERED)
    return TRUE;
  g_autofree char *why = g_strdup (finding->detail->str);
  settle_with (errand, verdict,
               "ticket %" G_GINT64_FORMAT " is there, but part %u of %u of its text is not: %s", id,
               errand->thread.n_present + 1, errand->thread.n_parts, why);
  return FALSE;
}

static void
on_append (ZendeskCall *call, gpointer data)
{
  ZendeskErrand *errand = data;

  if (take_continued (errand, call))
    ask_ticket (errand);
}

/* All comments have been read: adds the part that comes next, or this was the last. */
static void
append_next (ZendeskErrand *errand)
{
  ZendeskThread *thread = &errand->thread;
  g_autofree char *path
      = g_strdup_printf (ZENDESK_API "/tickets/%" G_GINT64_FORMAT ".json", errand->finding.target_id);

  if (thread->gap || errand->appended >= thread->n_parts)
    {
      settle_with (errand, TALLY_VERDICT_UNKNOWN,
                   "ticket %" G_GINT64_FORMAT " is there, but the parts of its text are not in order; "
                   "part %u of %u is missing", errand->finding.target_id, thread->n_present + 1,
                   thread->n_parts);
      return;
    }
  if (thread->n_present == thread->n_parts)
    {
      settle_with (errand, TALLY_VERDICT_DELIVERED, "in %u comments", thread->n_parts);
      return;
    }
  errand->appended++;
  ask (errand, path,
       zendesk_parts_update (thread, errand->parts->pdata[thread->n_present - 1], errand->updated_at,
                             errand->solved),
       on_append);
}

static void
on_comments (ZendeskCall *call, gpointer data)
{
  ZendeskErrand *errand = data;

  if (!take_continued (errand, call))
    return;
  if (!zendesk_thread_read (&errand->thread, call->answer->str, call->answer->len)
      || (errand->thread.more && errand->page == MAX_PAGES))
    settle_with (errand, TALLY_VERDICT_UNKNOWN, "the comments of ticket %" G_GINT64_FORMAT
                 " cannot be read", errand->finding.target_id);
  else if (errand->thread.more)
    {
      errand->page++;
      ask_comments (errand);
    }
  else
    append_next (errand);
}

static void
ask_comments (ZendeskErrand *errand)
{
  g_autofree char *path = g_strdup_printf (ZENDESK_API "/tickets/%" G_GINT64_FORMAT
                                           "/comments.json?per_page=100&page=%u",
                                           errand->finding.target_id, errand->page);

  ask (errand, path, NULL, on_comments);
}

static void
on_ticket (ZendeskCall *call, gpointer data)
{
  ZendeskErrand *errand = data;

  if (!take_continued (errand, call))
    return;
  g_clear_pointer (&errand->updated_at, g_free);
  if (!zendesk_ticket_read (call->answer->str, call->answer->len, errand->finding.target_id,
                            &errand->updated_at, &errand->solved))
    {
      settle_with (errand, TALLY_VERDICT_UNKNOWN, "ticket %" G_GINT64_FORMAT " cannot be read",
                   errand->finding.target_id);
      return;
    }
  errand->page = 1;
  zendesk_thread_init (&errand->thread, tally_delivery_reference (errand->delivery),
                       errand->parts->len + 1);
  ask_comments (errand);
}

/* The ticket's time is read before its comments, so that an update in between is noticed. */
static void
ask_ticket (ZendeskErrand *errand)
{
  g_autofree char *path
      = g_strdup_printf (ZENDESK_API "/tickets/%" G_GINT64_FORMAT ".json", errand->finding.target_id);

  ask (errand, path, NULL, on_ticket);
}

/* The ticket is there; what is left to do? */
static void
go_on (ZendeskErrand *errand)
{
  zendesk_thread_init (&errand->thread, tally_delivery_reference (errand->delivery),
                       errand->parts != NULL ? errand->parts->len + 1 : 1);
  if (errand->parts != NULL)
    ask_ticket (errand);
  else
    settle (errand);
}

/* --- send --- */

/* Something between us and Zendesk may take the key away. */
static void
learn_of_keys (ZendeskErrand *errand, ZendeskCall *call)
{
  ZendeskSink *sink = errand->sink;

  sink->keys = call->headers.lookup == ZENDESK_LOOKUP_UNSAID ? ZENDESK_KEYS_IGNORED : ZENDESK_KEYS_HONOURED;
  if (sink->keys == ZENDESK_KEYS_IGNORED)
    tally_context_warn (sink->ctx, "an answer does not tell that the idempotency key counted "
                        "(x-idempotency-lookup is missing): records whose answer was lost are looked up, "
                        "not sent again");
}

static void
on_created (ZendeskCall *call, gpointer data)
{
  ZendeskErrand *errand = data;

  if (!take_answer (errand, call))
    {
      settle (errand);
      return;
    }
  if (call->status == 401 && take_unauthorized (errand))
    return;
  judge (errand, call, ZENDESK_ASK_CREATE);
  if (errand->finding.verdict == TALLY_VERDICT_DELIVERED)
    {
      learn_of_keys (errand, call);
      go_on (errand);
    }
  else
    settle (errand);
}

/* Takes the further parts out of the stored bytes; FALSE if the errand is settled, because they are
 * not ours. */
static gboolean
take_parts (ZendeskErrand *errand)
{
  if (zendesk_parts_further (tally_delivery_body (errand->delivery), &errand->parts))
    return TRUE;
  settle_with (errand, TALLY_VERDICT_UNKNOWN, "the stored request is not as it was written");
  return FALSE;
}

static void
ask_create (ZendeskErrand *errand)
{
  ZendeskSink *sink = errand->sink;
  TallyText body = zendesk_parts_first (tally_delivery_body (errand->delivery));

  errand->generation = sink->access.generation;
  zendesk_http_start (sink->http, "POST", zendesk_modes[sink->mode].path, sink->access.header,
                      tally_delivery_key (errand->delivery), body.data, body.length, ZENDESK_HTTP_ONCE,
                      on_created, errand);
}

void
zendesk_send (gpointer self, TallyContext *ctx, TallyDelivery *delivery)
{
  ZendeskSink *sink = self;
  ZendeskErrand *errand = errand_new (sink, delivery);

  if (!take_parts (errand))
    return;
  errand->sending = sink->keys == ZENDESK_KEYS_UNPROVEN;
  if (sink->access.refreshing)
    g_ptr_array_add (sink->access.waiting, errand);
  else if (errand->sending)
    ask_find (errand);
  else
    ask_create (errand);
}

/* --- resolve --- */

/* The target holds no such ticket, unless it only does not show it yet. */
static void
settle_absent (ZendeskErrand *errand, ZendeskCall *call)
{
  gint64 now = call->headers.date > 0 ? call->headers.date * G_USEC_PER_SEC : g_get_real_time ();
  gint64 left = tally_delivery_sent_at (errand->delivery) + errand->sink->lookup_lag - now;

  if (errand->sink->lookup_lag > 0 && left > 0)
    {
      errand->finding.wait = MIN (left, errand->sink->lookup_lag);
      settle_with (errand, TALLY_VERDICT_UNKNOWN,
                   "not found, but it was sent too short a while ago to tell");
    }
  else
    settle (errand);
}

/* A lookup that told nothing: what was not sent yet, is not. */
static void
settle_unclear (ZendeskErrand *errand)
{
  ZendeskFinding *finding = &errand->finding;

  if (errand->sending && finding->verdict == TALLY_VERDICT_UNKNOWN)
    finding->verdict = TALLY_VERDICT_UNSENT;
  else if (!errand->sending && finding->verdict == TALLY_VERDICT_UNSENT)
    finding->verdict = TALLY_VERDICT_UNKNOWN;
  settle (errand);
}

static void
on_found (ZendeskCall *call, gpointer data)
{
  ZendeskErrand *errand = data;
  ZendeskFinding *finding = &errand->finding;

  if (!take_answer (errand, call))
    {
      settle_unclear (errand);
      return;
    }
  if (call->status == 401 && take_unauthorized (errand))
    return;
  judge (errand, call, ZENDESK_ASK_FIND);
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
    settle_absent (errand, call);
}

static void
ask_find (ZendeskErrand *errand)
{
  g_autofree char *escaped = g_uri_escape_string (tally_delivery_reference (errand->delivery), NULL, FALSE);
  g_autofree char *path = g_strdup_printf (ZENDESK_API "/tickets.json?external_id=%s&per_page=100&page=%u",
                                           escaped, errand->page);

  ask (errand, path, NULL, on_found);
}

void
zendesk_resolve (gpointer self, TallyContext *ctx, TallyDelivery *delivery)
{
  ZendeskSink *sink = self;
  ZendeskErrand *errand = errand_new (sink, delivery);

  if (!take_parts (errand))
    return;
  if (sink->access.refreshing)
    g_ptr_array_add (sink->access.waiting, errand);
  else
    ask_find (errand);
}

gboolean
zendesk_drive (gpointer self, TallyContext *ctx, gint64 wait, GError **error)
{
  ZendeskSink *sink = self;

  return zendesk_http_drive (sink->http, wait, error);
}
