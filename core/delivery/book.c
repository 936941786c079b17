/* book.c: what is written in the ledger together
 *
 * One page at a time is with the clerk.  While it is being written, requests are in flight,
 * outcomes come in and rows are rendered; all of that makes the next page.  So one transaction
 * carries the intents of one group and the outcomes of another.
 */
#include "dispatcher-private.h"
#include "hooks.h"

#define OUTCOMES_MOST 1024
#define PATIENCE                                                                                   \
  (G_USEC_PER_SEC / 10) /* nothing waits longer to be written while there is other work */

typedef struct
{
  TallyErrand errand;
  GPtrArray *parcels; /* (unowned) in the dispatcher's `writing`; intents first */
  TallyLedgerDelivery
      *rows; /* (owned) (array) of the intents; what they point to is the parcels' */
  TallyLedgerDelivery **intents; /* (owned) (array) */
  gboolean *taken;               /* (owned) (array) */
  GArray *outcomes;              /* (owned) (element-type TallyLedgerOutcome) */
  GArray *seen;                  /* (owned) (element-type TallyLedgerSeen) */
  GArray *rejects; /* (owned) (element-type TallyReject) what they point to is the batches' */
  GPtrArray *receipts; /* (owned) (element-type utf8) the sink may set others meanwhile */
} Page;

static void
page_free (TallyErrand *errand)
{
  Page *page = (Page *)errand;

  g_ptr_array_unref (page->parcels);
  g_free (page->rows);
  g_free (page->intents);
  g_free (page->taken);
  g_array_unref (page->outcomes);
  g_array_unref (page->seen);
  g_array_unref (page->rejects);
  g_ptr_array_unref (page->receipts);
  g_free (page);
}

/* ---- Filling a page ---- */

/* A new generation does not make a dangerous record harmless (A11). */
static void
page_carry_deaths (Page *page, const TallyParcel *parcel)
{
  TallyLedgerOutcome note = {
    .key = parcel->key,
    .generation = parcel->generation,
    .state = TALLY_DELIVERY_INTENDED,
    .attempts = parcel->deaths + 1,
    .keep_request = TRUE,
  };

  g_array_append_val (page->outcomes, note);
}

static void
page_add_intents (TallyDispatcher *dispatcher, Page *page)
{
  guint n = g_queue_get_length (&dispatcher->fresh);
  gint64 target_now = tally_dispatcher_target_now (dispatcher, tally_dispatcher_now (dispatcher));

  page->rows = g_new0 (TallyLedgerDelivery, n);
  page->intents = g_new0 (TallyLedgerDelivery *, n);
  page->taken = g_new0 (gboolean, n);
  for (guint i = 0; i < n; i++)
    {
      TallyParcel *parcel = dispatcher->fresh.head->data;

      parcel->intended_target = target_now;
      page->intents[i] = &page->rows[i];
      page->rows[i] = (TallyLedgerDelivery){
        .scope = dispatcher->clerk->scope,
        .key = parcel->key,
        .generation = parcel->generation,
        .state = TALLY_DELIVERY_INTENDED,
        .idempotency_key = parcel->idempotency_key,
        .request = parcel->request,
        .request_hash = parcel->request_hash,
        .content_hash = parcel->content_hash,
        .row_origin = parcel->row_origin,
        .reference = parcel->reference,
        .pass = parcel->pass,
        .run = dispatcher->config.run->id,
        .intended_target = parcel->intended_target,
        .target_id = parcel->target_id,
      };
      g_ptr_array_add (page->parcels, parcel);
      tally_parcel_move (parcel, &dispatcher->writing);
      if (parcel->deaths > 0)
        page_carry_deaths (page, parcel);
    }
  page->errand.change.intents = page->intents;
  page->errand.change.n_intents = n;
  page->errand.change.taken = page->taken;
}

/* Of deliveries that are at the sink, or just came from it. */
static void
page_add_receipts (TallyDispatcher *dispatcher, Page *page)
{
  while (!g_queue_is_empty (&dispatcher->receipts))
    {
      TallyParcel *parcel = dispatcher->receipts.head->data;
      TallyLedgerOutcome note = {
        .key = parcel->key,
        .generation = parcel->generation,
        .state = TALLY_DELIVERY_INTENDED,
        .attempts = parcel->attempts,
        .detail = g_strdup (parcel->receipt),
        .event = "receipt",
        .keep_request = TRUE,
      };

      note.receipt = note.detail;
      g_ptr_array_add (page->receipts, (gpointer)note.detail);
      g_array_append_val (page->outcomes, note);
      tally_parcel_set_receipt_due (dispatcher, parcel, FALSE);
    }
}

static void
page_add_outcome (Page *page, TallyParcel *parcel, GQueue *writing)
{
  gboolean is_note = parcel->entry == TALLY_ENTRY_NOTE;
  TallyLedgerOutcome outcome = {
    .key = parcel->key,
    .generation = parcel->generation,
    .state = is_note ? TALLY_DELIVERY_INTENDED : parcel->state,
    /* A note says what comes next, so that a send which ends the program is counted (A11). */
    .attempts = parcel->attempts + (is_note && !parcel->absent ? 1 : 0),
    .status = parcel->status,
    .target_id = parcel->target_id,
    .other_ids = parcel->other_ids,
    .detail = parcel->detail,
    .event = parcel->event,
    .keep_request = is_note || parcel->state != TALLY_DELIVERY_DELIVERED,
  };

  g_array_append_val (page->outcomes, outcome);
  g_ptr_array_add (page->parcels, parcel);
  tally_parcel_move (parcel, writing);
}

static void
page_add_outcomes (TallyDispatcher *dispatcher, Page *page)
{
  GQueue *const places[] = { &dispatcher->noted, &dispatcher->settled };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    while (!g_queue_is_empty (places[i]) && page->outcomes->len < OUTCOMES_MOST)
      page_add_outcome (page, places[i]->head->data, &dispatcher->writing);
  page->errand.change.outcomes = (const TallyLedgerOutcome *)(gpointer)page->outcomes->data;
  page->errand.change.n_outcomes = page->outcomes->len;
}

/* The batches at the head whose rows are all in the ledger. */
static void
page_add_batches (TallyDispatcher *dispatcher, Page *page)
{
  TallyLedgerChange *change = &page->errand.change;

  for (GList *link = dispatcher->consignments.head; link != NULL; link = link->next)
    {
      TallyConsignment *consignment = link->data;
      const char *position = tally_batch_position (consignment->batch);
      const TallyReject *rejects;
      guint n_rejects;

      if (!tally_intake_is_complete (consignment))
        break;
      rejects = tally_batch_rejects (consignment->batch, &n_rejects);
      g_array_append_vals (page->rejects, rejects, n_rejects);
      g_array_append_vals (page->rejects, consignment->rejects->data, consignment->rejects->len);
      g_array_append_vals (page->seen, consignment->seen->data, consignment->seen->len);
      if (position != NULL)
        change->position = position;
      consignment->posted = TRUE;
    }
  change->seen = (const TallyLedgerSeen *)(gpointer)page->seen->data;
  change->n_seen = page->seen->len;
  change->rejects = (const TallyReject *)(gpointer)page->rejects->data;
  change->n_rejects = page->rejects->len;
}

/* ---- Once it is written ---- */

static void
book_forget_batches (TallyDispatcher *dispatcher)
{
  TallyConsignment *consignment;

  while ((consignment = g_queue_peek_head (&dispatcher->consignments)) != NULL
         && consignment->posted)
    {
      for (guint row = 0; row < consignment->n_rows; row++)
        if (consignment->keys[row] != NULL)
          g_hash_table_remove (dispatcher->rows, consignment->keys[row]);
      tally_consignment_free (g_queue_pop_head (&dispatcher->consignments));
    }
}

static void
book_on_written (TallyErrand *errand, gpointer data)
{
  TallyDispatcher *dispatcher = data;
  Page *page = (Page *)errand;
  gint64 now = tally_dispatcher_now (dispatcher);

  dispatcher->is_writing = FALSE;
  if (errand->error != NULL)
    {
      tally_dispatcher_fail (dispatcher, g_steal_pointer (&errand->error));
      return;
    }

  if (errand->change.n_intents > 0)
    TALLY_POINT ("after-intent-commit");
  if (errand->change.n_outcomes > 0)
    TALLY_POINT ("after-outcome-commit");
  if (errand->change.position != NULL)
    {
      TALLY_POINT ("after-position");
      g_free (dispatcher->position);
      dispatcher->position = g_strdup (errand->change.position);
    }

  dispatcher->ledger_now = errand->ledger_now;
  dispatcher->ledger_asked_at = errand->began_at;
  for (guint i = 0; i < page->parcels->len; i++)
    {
      TallyParcel *parcel = g_ptr_array_index (page->parcels, i);

      if (i < errand->change.n_intents && page->taken[i])
        {
          tally_intake_look_again (dispatcher, parcel);
          continue;
        }
      if (i < errand->change.n_intents)
        {
          parcel->intended_at = errand->ledger_now;
          parcel->intended_here = errand->began_at;
        }
      tally_parcel_move (parcel, NULL);
      tally_traffic_on_written (dispatcher, parcel, now);
    }
  book_forget_batches (dispatcher);
}

/* ---- When to write ---- */

static gboolean
book_has_batch (const TallyDispatcher *dispatcher)
{
  const TallyConsignment *head = g_queue_peek_head ((GQueue *)&dispatcher->consignments);

  return head != NULL && !head->posted && tally_intake_is_complete (head);
}

/* Whether anything else is going on that would add to the page. */
static gboolean
book_may_gain (const TallyDispatcher *dispatcher)
{
  return dispatcher->n_errands > 0 || !g_queue_is_empty ((GQueue *)&dispatcher->at_sink)
         || !g_queue_is_empty ((GQueue *)&dispatcher->ready);
}

static gboolean
book_is_due (const TallyDispatcher *dispatcher, gint64 now)
{
  guint n_fresh = dispatcher->fresh.length, n_ready = dispatcher->ready.length;
  guint n_closed = dispatcher->noted.length + dispatcher->settled.length;
  guint group = dispatcher->group;

  if (!g_queue_is_empty ((GQueue *)&dispatcher->receipts))
    return TRUE; /* until it is written, a crash loses it */
  if (n_fresh > 0 && n_ready + dispatcher->at_sink.length < group)
    return TRUE;
  if (n_fresh * 2 >= group && n_ready * 2 <= group)
    return TRUE;
  return n_closed >= group || now - dispatcher->pending_since >= PATIENCE
         || !book_may_gain (dispatcher);
}

static gboolean
book_is_pending (const TallyDispatcher *dispatcher)
{
  return dispatcher->fresh.length + dispatcher->noted.length + dispatcher->settled.length
                 + dispatcher->receipts.length
             > 0
         || book_has_batch (dispatcher);
}

gint64
tally_book_wait (const TallyDispatcher *dispatcher, gint64 now)
{
  if (dispatcher->is_writing || dispatcher->pending_since == 0)
    return TALLY_FOREVER;
  return MAX (dispatcher->pending_since + PATIENCE - now, 0);
}

static void
book_post (TallyDispatcher *dispatcher)
{
  Page *page = g_new0 (Page, 1);
  TallyLedgerChange *change = &page->errand.change;

  page->parcels = g_ptr_array_new ();
  page->outcomes = g_array_new (FALSE, FALSE, sizeof (TallyLedgerOutcome));
  page->seen = g_array_new (FALSE, FALSE, sizeof (TallyLedgerSeen));
  page->receipts = g_ptr_array_new_with_free_func (g_free);
  page->rejects = g_array_new (FALSE, FALSE, sizeof (TallyReject));
  page->errand.kind = TALLY_ERRAND_COMMIT;
  page->errand.done = book_on_written;
  page->errand.free = page_free;
  change->epoch = dispatcher->config.epoch;
  change->serial = ++dispatcher->serial;
  change->lease_ttl = dispatcher->config.lease_ttl;
  change->run = dispatcher->config.run;
  change->scope = dispatcher->clerk->scope;
  page_add_intents (dispatcher, page);
  page_add_receipts (dispatcher, page);
  page_add_outcomes (dispatcher, page);
  page_add_batches (dispatcher, page);

  if (change->n_intents > 0)
    TALLY_POINT ("before-intent-commit");
  if (change->n_outcomes > 0)
    TALLY_POINT ("before-outcome-commit");
  if (change->position != NULL)
    TALLY_POINT ("before-position");
  dispatcher->is_writing = TRUE;
  tally_dispatcher_post (dispatcher, &page->errand);
}

gboolean
tally_book_advance (TallyDispatcher *dispatcher, gint64 now)
{
  if (dispatcher->is_writing || !book_is_pending (dispatcher))
    {
      dispatcher->pending_since = 0;
      return FALSE;
    }

  if (dispatcher->pending_since == 0)
    dispatcher->pending_since = MAX (now, 1);
  if (!book_is_due (dispatcher, now))
    return FALSE;
  dispatcher->pending_since = 0;
  book_post (dispatcher);
  return TRUE;
}
