/* call.c: a TallyDelivery: one visit of a delivery to the sink
 *
 * A sink settles each once.  One that settles twice, or late, after the dispatcher gave it up or is
 * gone, must do no harm (B13): every visit has a struct of its own, and it is kept for a while
 * after it was settled, so that the second time is recognised instead of hitting what came after
 * it.
 */
#include "dispatcher-private.h"
#include "hooks.h"
#include <string.h>

#define SPENT_MOST 1024
#define RECEIPT_MOST 1024 /* bytes, as the ledger's tables have it */

G_LOCK_DEFINE_STATIC (orphans);
static GPtrArray
    *orphans; /* (element-type TallyDelivery) at a sink, but their dispatcher is gone */

static void
call_free (TallyDelivery *call)
{
  g_clear_pointer (&call->body, g_bytes_unref);
  g_free (call->target_id);
  g_free (call->other_ids);
  g_free (call->detail);
  g_free (call);
}

TallyDelivery *
tally_call_new (TallyParcel *parcel, TallyDispatcher *dispatcher, gboolean lookup, gint64 now)
{
  TallyDelivery *call = g_new0 (TallyDelivery, 1);

  call->dispatcher = dispatcher;
  call->parcel = parcel;
  call->link.data = call;
  call->lookup = lookup;
  call->begun_at = now;
  if (parcel->request != NULL)
    call->body = g_bytes_ref (parcel->request);
  parcel->call = call;
  g_queue_push_tail_link (&dispatcher->abroad, &call->link);
  return call;
}

void
tally_call_retire (TallyDelivery *call)
{
  TallyDispatcher *dispatcher = call->dispatcher;

  if (call->parcel != NULL)
    call->parcel->call = NULL;
  call->parcel = NULL;
  if (!call->settled)
    return; /* the sink still has it */

  g_clear_pointer (&call->body, g_bytes_unref);
  g_queue_push_tail_link (&dispatcher->spent, &call->link);
  while (g_queue_get_length (&dispatcher->spent) > SPENT_MOST)
    call_free (g_queue_pop_head_link (&dispatcher->spent)->data);
}

static void
call_orphan (TallyDelivery *call)
{
  call->dispatcher = NULL;
  call->parcel = NULL;
  G_LOCK (orphans);
  if (orphans == NULL)
    orphans = g_ptr_array_new ();
  g_ptr_array_add (orphans, call);
  G_UNLOCK (orphans);
}

void
tally_calls_orphan (TallyDispatcher *dispatcher)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&dispatcher->abroad)) != NULL)
    call_orphan (link->data);
  while ((link = g_queue_pop_head_link (&dispatcher->answers)) != NULL)
    call_free (link->data);
  while ((link = g_queue_pop_head_link (&dispatcher->spent)) != NULL)
    call_free (link->data);
}

void
tally_delivery_settle (TallyDelivery *delivery, const TallyOutcome *outcome)
{
  TallyDispatcher *dispatcher = delivery->dispatcher;

  if (dispatcher == NULL)
    {
      G_LOCK (orphans);
      g_ptr_array_remove_fast (orphans, delivery);
      G_UNLOCK (orphans);
      call_free (delivery);
      return;
    }
  if (delivery->settled)
    return;

  TALLY_POINT ("answer-read");
  delivery->settled = TRUE;
  delivery->verdict = outcome->verdict;
  delivery->status = outcome->status;
  delivery->target_id = g_strdup (outcome->target_id);
  delivery->other_ids = g_strdup (outcome->other_ids);
  delivery->detail = g_strdup (outcome->detail);
  delivery->repeated = outcome->repeated;
  delivery->wait = outcome->wait;
  delivery->wait_all = outcome->wait_all;
  delivery->adopted = outcome->size > G_STRUCT_OFFSET (TallyOutcome, adopted) && outcome->adopted;
  g_queue_unlink (&dispatcher->abroad, &delivery->link);
  if (delivery->parcel != NULL)
    g_queue_push_tail_link (&dispatcher->answers, &delivery->link);
  else
    tally_call_retire (delivery); /* it was given up */
}

const char *
tally_delivery_key (const TallyDelivery *delivery)
{
  return delivery->parcel != NULL ? delivery->parcel->idempotency_key : "";
}

const char *
tally_delivery_reference (const TallyDelivery *delivery)
{
  return delivery->parcel != NULL ? delivery->parcel->reference : "";
}

const char *
tally_delivery_target_id (const TallyDelivery *delivery)
{
  const TallyParcel *parcel = delivery->parcel;

  return parcel != NULL && parcel->is_update ? parcel->target_id : NULL;
}

TallyText
tally_delivery_body (const TallyDelivery *delivery)
{
  TallyText body = { "", 0 };

  if (delivery->body != NULL)
    body.data = g_bytes_get_data (delivery->body, &body.length);
  return body;
}

void
tally_delivery_set_receipt (TallyDelivery *delivery, const char *receipt)
{
  TallyParcel *parcel = delivery->parcel;
  gsize length = receipt != NULL ? strlen (receipt) : 0;

  g_return_if_fail (length >= 1 && length <= RECEIPT_MOST && g_utf8_validate (receipt, length, NULL));
  if (parcel == NULL || delivery->settled)
    return;

  g_free (parcel->receipt);
  parcel->receipt = g_strdup (receipt);
  tally_parcel_set_receipt_due (delivery->dispatcher, parcel, !parcel->unrecorded);
}

const char *
tally_delivery_receipt (const TallyDelivery *delivery)
{
  return delivery->parcel != NULL ? delivery->parcel->receipt : NULL;
}

gint64
tally_delivery_intended_at (const TallyDelivery *delivery)
{
  TallyDispatcher *dispatcher = delivery->dispatcher;
  const TallyParcel *parcel = delivery->parcel;
  gint64 now;

  if (dispatcher == NULL || parcel == NULL)
    return 0;
  now = tally_dispatcher_now (dispatcher);
  return tally_state_intended (parcel->intended_at, tally_dispatcher_ledger_now (dispatcher, now),
                               parcel->intended_target, tally_dispatcher_target_now (dispatcher, now));
}

gint64
tally_delivery_sent_at (const TallyDelivery *delivery)
{
  TallyDispatcher *dispatcher = delivery->dispatcher;
  gint64 now, target_now;

  if (dispatcher == NULL)
    return 0;
  now = tally_dispatcher_now (dispatcher);
  target_now = tally_dispatcher_target_now (dispatcher, now);
  if (target_now == 0)
    target_now = tally_dispatcher_ledger_now (dispatcher, now);
  return target_now - (now - delivery->quiet_at);
}

gboolean
tally_delivery_is_first_look (const TallyDelivery *delivery)
{
  return delivery->looks_first;
}

gboolean
tally_delivery_may_send (const TallyDelivery *delivery)
{
  return delivery->dispatcher != NULL && delivery->parcel != NULL && !delivery->settled
         && tally_traffic_may_send (delivery->dispatcher);
}

void
tally_delivery_set_user_data (TallyDelivery *delivery, gpointer data)
{
  delivery->user_data = data;
}

gpointer
tally_delivery_user_data (const TallyDelivery *delivery)
{
  return delivery->user_data;
}
