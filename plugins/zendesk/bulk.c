/* bulk.c: many creations in one request */
#include "bulk.h"
#include "parts.h"

#include <string.h>

/* So long more is waited for: the core hands over what one commit has made ready, and that comes at once. */
#define LINGER (G_USEC_PER_SEC / 10)

#define MARK "\nbulk"

struct _ZendeskBulk
{
  ZendeskAccount *account; /* (unowned) */
  ZendeskJobs *jobs;       /* (unowned) */
  ZendeskBulkConfig config;
  char *head;              /* (owned) {"ticket": */
  GQueue waiting;          /* (element-type ZendeskErrand) gathered */
  GPtrArray *loads;        /* (owned) (element-type Load) on their way */
  gint64 since;            /* monotonic: when the first of those that wait came */
  gsize most_bytes;
  gboolean refused;        /* the account takes nothing in bulk */
};

/* One request. */
typedef struct
{
  ZendeskWaiter waiter;
  ZendeskBulk *bulk;  /* (unowned) */
  GPtrArray *errands; /* (owned) (element-type ZendeskErrand) in the order of the request */
  GString *body;      /* (owned) */
} Load;

/* --- marks --- */

void
zendesk_bulk_mark (GString *request)
{
  g_string_append (request, MARK);
}

gboolean
zendesk_bulk_is_marked (TallyText stored)
{
  gsize length = strlen (MARK);

  return stored.length > length && memcmp (stored.data + stored.length - length, MARK, length) == 0;
}

/* --- loads --- */

static void
load_free (gpointer data)
{
  Load *load = data;

  zendesk_access_forget (load->bulk->account, &load->waiter);
  g_ptr_array_unref (load->errands);
  g_string_free (load->body, TRUE);
  g_free (load);
}

static void
load_end (Load *load)
{
  g_ptr_array_remove_fast (load->bulk->loads, load);
}

void
zendesk_bulk_profile (gboolean in_bulk, TallyDeliveryProfile *ret_profile)
{
  ret_profile->max_in_flight = in_bulk ? 4 * ZENDESK_JOB_MOST : 16;
  ret_profile->per_request = in_bulk ? ZENDESK_JOB_MOST : 1;
}

ZendeskBulk *
zendesk_bulk_new (ZendeskAccount *account, ZendeskJobs *jobs, const ZendeskBulkConfig *config)
{
  ZendeskBulk *bulk = g_new0 (ZendeskBulk, 1);

  bulk->account = account;
  bulk->jobs = jobs;
  bulk->config = *config;
  bulk->head = g_strdup_printf ("{\"%s\":", config->entity);
  bulk->loads = g_ptr_array_new_with_free_func (load_free);
  bulk->most_bytes = ZENDESK_BULK_BYTES;
  return bulk;
}

void
zendesk_bulk_free (ZendeskBulk *bulk)
{
  if (bulk == NULL)
    return;
  g_ptr_array_unref (bulk->loads);
  g_queue_clear (&bulk->waiting);
  g_free (bulk->head);
  g_free (bulk);
}

/* --- what follows from an answer --- */

static void
settle_all (Load *load, const ZendeskFinding *finding)
{
  for (guint i = 0; i < load->errands->len; i++)
    zendesk_errand_settle_as (load->errands->pdata[i], finding);
  load_end (load);
}

static void
send_singly (Load *load)
{
  for (guint i = 0; i < load->errands->len; i++)
    load->bulk->config.single (load->errands->pdata[i]);
  load_end (load);
}

/* Nothing of it was acted upon: it goes again, in smaller requests. */
static void
split (Load *load)
{
  ZendeskBulk *bulk = load->bulk;

  bulk->most_bytes = MIN (bulk->most_bytes, load->body->len / 2);
  for (guint i = load->errands->len; i > 0; i--)
    g_queue_push_head (&bulk->waiting, load->errands->pdata[i - 1]);
  bulk->since = g_get_monotonic_time ();
  load_end (load);
}

static void
give_up_bulk (Load *load, const ZendeskFinding *finding)
{
  ZendeskBulk *bulk = load->bulk;

  if (!bulk->refused)
    tally_context_warn (bulk->account->ctx, "the account takes no %ss in bulk, so each is sent in a request of its own: %s",
                        bulk->config.entity, finding->detail->str);
  bulk->refused = TRUE;
  send_singly (load);
}

/* A job was begun: from now on each record can be asked for by its place in it. */
static void
hand_to_job (Load *load, const char *id)
{
  guint n = load->errands->len;

  for (guint i = 0; i < n; i++)
    {
      ZendeskErrand *errand = load->errands->pdata[i];
      g_autofree char *receipt = zendesk_job_receipt_new (id, i, n);

      tally_delivery_set_receipt (errand->delivery, receipt);
    }
  for (guint i = 0; i < n; i++)
    zendesk_jobs_watch (load->bulk->jobs, id, i, n, load->errands->pdata[i]);
  load_end (load);
}

static void
take_job (Load *load, ZendeskCall *call, ZendeskFinding *finding)
{
  g_auto (ZendeskJobStatus) status = { 0 };

  if (zendesk_job_status_read (&status, load->bulk->config.entity, call->answer->str, call->answer->len, load->errands->len))
    {
      hand_to_job (load, status.id);
      return;
    }
  zendesk_finding_set (finding, TALLY_VERDICT_UNKNOWN, "HTTP %d: an answer without a job's id", call->status);
  finding->status = call->status;
  settle_all (load, finding);
}

/* A refusal is about the list; what is wrong with which record, only its own request tells. */
static void
take_refusal (Load *load, ZendeskCall *call, ZendeskFinding *finding)
{
  ZendeskAnswer answer = { .entity = load->bulk->config.entity,
                           .status = call->status,
                           .body = call->answer->str,
                           .length = call->answer->len,
                           .headers = &call->headers,
                           .now = g_get_real_time () / G_USEC_PER_SEC };

  zendesk_judge (ZENDESK_ASK_CREATE, &answer, "", finding);
  if (call->status == 413)
    split (load);
  else if (call->status == 403)
    give_up_bulk (load, finding);
  else if (finding->verdict == TALLY_VERDICT_REJECTED || finding->verdict == TALLY_VERDICT_MISMATCH)
    send_singly (load);
  else
    settle_all (load, finding);
}

static void
on_posted (ZendeskCall *call, gpointer data)
{
  Load *load = data;
  ZendeskFinding finding;

  zendesk_finding_init (&finding);
  if (!zendesk_finding_take_answer (&finding, load->bulk->account, &load->waiter, call))
    settle_all (load, &finding);
  else if (call->status >= 200 && call->status <= 299)
    take_job (load, call, &finding);
  else if (call->status != 401 || !zendesk_access_refused (load->bulk->account, &load->waiter))
    take_refusal (load, call, &finding);
  zendesk_finding_clear (&finding);
}

static void
on_token (ZendeskWaiter *waiter, TallyVerdict verdict, const char *detail)
{
  ZendeskFinding finding;

  zendesk_finding_init (&finding);
  zendesk_finding_set (&finding, verdict, "%s", detail);
  settle_all ((Load *) waiter, &finding);
  zendesk_finding_clear (&finding);
}

/* --- sending --- */

/* What stands in the list for a record: of {"ticket":{…}} the inner object, as it is stored. */
static gboolean
cut_record (const ZendeskBulk *bulk, const ZendeskErrand *errand, TallyText *ret_record)
{
  TallyText request = zendesk_parts_first (tally_delivery_body (errand->delivery));
  gsize length = strlen (bulk->head);

  if (request.length <= length + 1 || memcmp (request.data, bulk->head, length) != 0
      || request.data[request.length - 1] != '}')
    return FALSE;
  *ret_record = (TallyText){ request.data + length, request.length - length - 1 };
  return TRUE;
}

/* Takes the next one into the request, unless it is full. */
static gboolean
load_next (Load *load)
{
  ZendeskBulk *bulk = load->bulk;
  ZendeskErrand *errand = g_queue_peek_head (&bulk->waiting);
  gboolean first = load->errands->len == 0;
  TallyText record = { "", 0 };

  if (errand == NULL || load->errands->len == ZENDESK_JOB_MOST)
    return FALSE;
  if (!tally_delivery_may_send (errand->delivery))
    {
      g_queue_pop_head (&bulk->waiting);
      zendesk_errand_settle_with (errand, TALLY_VERDICT_UNSENT, "not sent: meanwhile this run may not send any more");
      return TRUE;
    }
  if (!cut_record (bulk, errand, &record))
    {
      g_queue_pop_head (&bulk->waiting);
      zendesk_errand_settle_with (errand, TALLY_VERDICT_UNKNOWN, "the stored request is not as it was written");
      return TRUE;
    }
  if (!first && load->body->len + record.length > bulk->most_bytes)
    return FALSE;
  g_queue_pop_head (&bulk->waiting);
  g_ptr_array_add (load->errands, errand);
  g_string_append (load->body, first ? "" : ",");
  g_string_append_len (load->body, record.data, (gssize) record.length);
  return TRUE;
}

static void
post (Load *load)
{
  ZendeskAccount *account = load->bulk->account;

  if (zendesk_access_queue (account, &load->waiter))
    return;
  load->waiter.generation = account->access.generation;
  zendesk_http_start (account->http, "POST", load->bulk->config.path, account->access.header, NULL, load->body->str,
                      load->body->len, ZENDESK_HTTP_ONCE, on_posted, load);
}

/* One request of those that wait. */
static void
send_load (ZendeskBulk *bulk)
{
  Load *load = g_new0 (Load, 1);

  load->waiter.on_token = on_token;
  load->bulk = bulk;
  load->errands = g_ptr_array_new ();
  load->body = g_string_new (NULL);
  g_string_printf (load->body, "{\"%ss\":[", bulk->config.entity);
  g_ptr_array_add (bulk->loads, load);
  while (load_next (load))
    ;
  g_string_append (load->body, "]}");
  if (load->errands->len > 1)
    post (load);
  else
    send_singly (load);
}

static gboolean
is_full (const ZendeskBulk *bulk)
{
  gsize bytes = 0;

  if (g_queue_get_length ((GQueue *) &bulk->waiting) >= ZENDESK_JOB_MOST)
    return TRUE;
  for (const GList *link = bulk->waiting.head; link != NULL && bytes < bulk->most_bytes; link = link->next)
    bytes += tally_delivery_body (((const ZendeskErrand *) link->data)->delivery).length;
  return bytes >= bulk->most_bytes;
}

void
zendesk_bulk_add (ZendeskBulk *bulk, ZendeskErrand *errand)
{
  if (bulk->refused)
    {
      bulk->config.single (errand);
      return;
    }
  if (g_queue_is_empty (&bulk->waiting))
    bulk->since = g_get_monotonic_time ();
  g_queue_push_tail (&bulk->waiting, errand);
}

gint64
zendesk_bulk_advance (ZendeskBulk *bulk, gint64 wait)
{
  gint64 left = bulk->since + LINGER - g_get_monotonic_time ();

  while (!g_queue_is_empty (&bulk->waiting) && (left <= 0 || is_full (bulk)))
    send_load (bulk);
  return g_queue_is_empty (&bulk->waiting) ? wait : MIN (wait, left);
}
