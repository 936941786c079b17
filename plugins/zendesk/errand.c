/* errand.c: one delivery at a sink of this folder */
#include "errand.h"

static void
on_token (ZendeskWaiter *waiter, TallyVerdict verdict, const char *detail)
{
  zendesk_errand_settle_with ((ZendeskErrand *) waiter, verdict, "%s", detail);
}

gpointer
zendesk_errand_new (gsize size, const char *entity, ZendeskAccount *account, GPtrArray *errands,
                    TallyDelivery *delivery, void (*clear) (ZendeskErrand *errand))
{
  ZendeskErrand *errand = g_malloc0 (size);

  errand->waiter.on_token = on_token;
  errand->entity = entity;
  errand->account = account;
  errand->errands = errands;
  errand->delivery = delivery;
  errand->clear = clear;
  zendesk_finding_init (&errand->finding);
  g_ptr_array_add (errands, errand);
  return errand;
}

static void
errand_free (ZendeskErrand *errand)
{
  g_ptr_array_remove_fast (errand->errands, errand);
  zendesk_finding_clear (&errand->finding);
  if (errand->clear != NULL)
    errand->clear (errand);
  g_free (errand);
}

void
zendesk_errands_drop (GPtrArray *errands)
{
  while (errands != NULL && errands->len > 0)
    errand_free (errands->pdata[0]);
}

void
zendesk_errand_ask (ZendeskErrand *errand, const char *method, const char *path, char *body, ZendeskHttpDone done)
{
  ZendeskAccount *account = errand->account;

  errand->waiter.generation = account->access.generation;
  if (body == NULL)
    zendesk_http_start (account->http, method, path, account->access.header, NULL, NULL, 0, 0, done, errand);
  else
    zendesk_http_start_with (account->http, method, path, account->access.header, body, ZENDESK_HTTP_ONCE, done,
                             errand);
}

void
zendesk_errand_create (ZendeskErrand *errand, const char *path, const char *key, TallyText body, ZendeskHttpDone done)
{
  ZendeskAccount *account = errand->account;

  errand->waiter.generation = account->access.generation;
  zendesk_http_start (account->http, "POST", path, account->access.header, key, body.data,
                      body.length, ZENDESK_HTTP_ONCE, done, errand);
}

gboolean
zendesk_finding_take_answer (ZendeskFinding *finding, ZendeskAccount *account, ZendeskWaiter *waiter, ZendeskCall *call)
{
  zendesk_account_report (account, &call->headers);
  if (call->status != 0)
    {
      zendesk_access_note (account, waiter, call->status);
      return TRUE;
    }
  finding->status = 0;
  if (call->held)
    {
      zendesk_finding_set (finding, TALLY_VERDICT_BUSY, "not sent: %s", call->problem);
      finding->wait_all = TRUE; /* it is no trouble of this record */
    }
  else if (call->half_status != 0)
    zendesk_finding_set (finding, TALLY_VERDICT_UNKNOWN, "HTTP %d, but the answer did not come whole: %s",
                         call->half_status, call->problem);
  else
    zendesk_finding_set (finding, call->sent ? TALLY_VERDICT_UNKNOWN : TALLY_VERDICT_UNSENT, "%s: %s",
                         call->sent ? "no answer" : "not sent", call->problem);
  return FALSE;
}

gboolean
zendesk_errand_take_answer (ZendeskErrand *errand, ZendeskCall *call)
{
  return zendesk_finding_take_answer (&errand->finding, errand->account, &errand->waiter, call);
}

void
zendesk_errand_judge (ZendeskErrand *errand, ZendeskCall *call, ZendeskAsk ask)
{
  ZendeskAnswer answer = { .entity = errand->entity,
                           .status = call->status,
                           .body = call->answer->str,
                           .length = call->answer->len,
                           .headers = &call->headers,
                           .now = g_get_real_time () / G_USEC_PER_SEC };

  zendesk_judge (ask, &answer, tally_delivery_reference (errand->delivery), &errand->finding);
}

void
zendesk_errand_settle (ZendeskErrand *errand)
{
  ZendeskFinding *finding = &errand->finding;
  g_autofree char *id = finding->target_id != 0 ? g_strdup_printf ("%" G_GINT64_FORMAT, finding->target_id) : NULL;
  TallyOutcome outcome = { TALLY_OUTCOME_INIT };

  zendesk_access_redact (errand->account, finding->detail);
  outcome.verdict = finding->verdict;
  outcome.status = finding->status;
  /* What was rejected, but is there, is updated once it is corrected. */
  outcome.target_id = finding->verdict == TALLY_VERDICT_DELIVERED || finding->verdict == TALLY_VERDICT_REJECTED ? id : NULL;
  outcome.other_ids = finding->other_ids->len > 0 ? finding->other_ids->str : NULL;
  outcome.repeated = finding->repeated;
  outcome.adopted = finding->adopted;
  outcome.wait = finding->wait;
  outcome.wait_all = finding->wait_all;
  outcome.detail = finding->detail->len > 0 ? finding->detail->str : NULL;
  tally_delivery_settle (errand->delivery, &outcome);
  errand_free (errand);
}

void
zendesk_errand_settle_as (ZendeskErrand *errand, const ZendeskFinding *finding)
{
  errand->finding.status = finding->status;
  errand->finding.wait = finding->wait;
  errand->finding.wait_all = finding->wait_all;
  zendesk_errand_settle_with (errand, finding->verdict, "%s", finding->detail->str);
}

void
zendesk_errand_settle_with (ZendeskErrand *errand, TallyVerdict verdict, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *detail = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  zendesk_finding_set (&errand->finding, verdict, "%s", detail);
  zendesk_errand_settle (errand);
}
