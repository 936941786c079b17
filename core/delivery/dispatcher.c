/* dispatcher.c: the exactly-once state machine around a delivering sink */
#include "dispatcher-private.h"
#include "hooks.h"

#define GLANCE (G_USEC_PER_SEC / 100) /* how long it rests while another batch would be taken */
#define NO_INTERRUPT_GLANCE (G_USEC_PER_SEC / 500)
#define HALT_DRAIN (5 * G_USEC_PER_SEC)

/* ---- Parcels ---- */

TallyParcel *
tally_parcel_new (TallyDispatcher *dispatcher, const char *key)
{
  TallyParcel *parcel = g_new0 (TallyParcel, 1);

  parcel->link.data = parcel;
  parcel->receipt_link.data = parcel;
  parcel->key = g_strdup (key);
  g_hash_table_insert (dispatcher->parcels, parcel->key, parcel);
  return parcel;
}

void
tally_parcel_free (TallyParcel *parcel)
{
  g_free (parcel->key);
  g_free (parcel->reference);
  g_free (parcel->row_origin);
  g_free (parcel->content_hash);
  g_free (parcel->request_hash);
  g_clear_pointer (&parcel->request, g_bytes_unref);
  g_free (parcel->target_id);
  g_free (parcel->other_ids);
  g_free (parcel->detail);
  g_free (parcel->receipt);
  g_free (parcel);
}

void
tally_parcel_drop (TallyDispatcher *dispatcher, TallyParcel *parcel)
{
  tally_parcel_move (parcel, NULL);
  tally_parcel_set_request (dispatcher, parcel, NULL);
  tally_parcel_set_receipt_due (dispatcher, parcel, FALSE);
  g_hash_table_remove (dispatcher->parcels, parcel->key);
}

void
tally_parcel_move (TallyParcel *parcel, GQueue *place)
{
  if (parcel->place != NULL)
    g_queue_unlink (parcel->place, &parcel->link);
  if (parcel->alarm != NULL)
    g_sequence_remove (parcel->alarm);
  parcel->alarm = NULL;
  parcel->place = place;
  if (place != NULL)
    g_queue_push_tail_link (place, &parcel->link);
}

static gint
compare_due (gconstpointer a, gconstpointer b, gpointer data)
{
  const TallyParcel *one = a, *other = b;

  return one->due < other->due ? -1 : one->due > other->due;
}

void
tally_parcel_wait (TallyDispatcher *dispatcher, TallyParcel *parcel, gint64 due)
{
  tally_parcel_move (parcel, NULL);
  parcel->due = due;
  parcel->alarm = g_sequence_insert_sorted (dispatcher->waiting, parcel, compare_due, NULL);
}

void
tally_parcel_set_request (TallyDispatcher *dispatcher, TallyParcel *parcel, GBytes *request)
{
  if (request != NULL)
    {
      parcel->request_size = g_bytes_get_size (request);
      dispatcher->n_holding++;
      dispatcher->held += parcel->request_size;
      g_bytes_ref (request);
    }
  if (parcel->request != NULL)
    {
      dispatcher->n_holding--;
      dispatcher->held -= g_bytes_get_size (parcel->request);
      g_bytes_unref (parcel->request);
    }
  parcel->request = request;
}

void
tally_parcel_set_receipt_due (TallyDispatcher *dispatcher, TallyParcel *parcel, gboolean due)
{
  if (due == parcel->receipt_due)
    return;
  parcel->receipt_due = due;
  if (due)
    g_queue_push_tail_link (&dispatcher->receipts, &parcel->receipt_link);
  else
    g_queue_unlink (&dispatcher->receipts, &parcel->receipt_link);
}

void
tally_parcel_make_key (TallyDispatcher *dispatcher, TallyParcel *parcel)
{
  TallyKeyRealm realm = {
    .ledger_id = dispatcher->clerk->ledger_id,
    .target = dispatcher->target,
    .entity = dispatcher->config.profile.entity,
    .origin = dispatcher->config.origin,
  };

  tally_key_idempotency (&realm, parcel->key, parcel->generation, parcel->idempotency_key);
}

/* ---- Small things ---- */

gint64
tally_dispatcher_now (const TallyDispatcher *dispatcher)
{
  return tally_clock_now (dispatcher->config.clock);
}

double
tally_dispatcher_chance (TallyDispatcher *dispatcher)
{
  return g_rand_double (dispatcher->random);
}

gint64
tally_dispatcher_target_now (const TallyDispatcher *dispatcher, gint64 now)
{
  const TallyContext *ctx = dispatcher->config.ctx;

  return ctx->target_time != 0 ? ctx->target_time + (now - ctx->target_time_at) : 0;
}

gint64
tally_dispatcher_ledger_now (const TallyDispatcher *dispatcher, gint64 now)
{
  return dispatcher->ledger_now + (now - dispatcher->ledger_asked_at);
}

void
tally_dispatcher_fail (TallyDispatcher *dispatcher, GError *error)
{
  if (dispatcher->failure == NULL)
    dispatcher->failure = error;
  else
    g_error_free (error);
}

void
tally_dispatcher_halt (TallyDispatcher *dispatcher, GError *error)
{
  if (dispatcher->halt != NULL)
    {
      g_error_free (error);
      return;
    }
  dispatcher->halt = error;
  tally_dispatcher_stop (dispatcher, tally_dispatcher_now (dispatcher) + HALT_DRAIN);
}

void
tally_dispatcher_post (TallyDispatcher *dispatcher, TallyErrand *errand)
{
  dispatcher->n_errands++;
  dispatcher->clerk->class->post (dispatcher->clerk, errand);
}

/* ---- Life ---- */

static gint64
context_clock (gpointer data)
{
  return tally_clock_now (data);
}

/* R7, for a request that waited at the sink. */
static gboolean
may_go (gpointer data)
{
  return tally_traffic_may_send (data);
}

TallyDispatcher *
tally_dispatcher_new_with_clerk (const TallyDispatcherConfig *config, TallyClerk *clerk,
                                 GError **error)
{
  g_autoptr (TallyDispatcher) dispatcher = g_new0 (TallyDispatcher, 1);

  dispatcher->config = *config;
  dispatcher->config.attempts = MAX (config->attempts, 1);
  dispatcher->clerk = clerk;
  dispatcher->target = g_strdup (config->ctx->target != NULL ? config->ctx->target : "");
  dispatcher->group = CLAMP (config->profile.max_in_flight, 1, TALLY_GROUP_MOST);
  dispatcher->random = g_rand_new ();
  dispatcher->rows = g_hash_table_new (g_str_hash, g_str_equal);
  dispatcher->parcels
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)tally_parcel_free);
  dispatcher->taken_up = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  dispatcher->waiting = g_sequence_new (NULL);
  dispatcher->ledger_now = clerk->ledger_now;
  dispatcher->ledger_asked_at = clerk->asked_at;
  dispatcher->is_shared = clerk->is_shared;

  /* The target's time is told against the same clock that decides here. */
  config->ctx->clock = context_clock;
  config->ctx->clock_data = (gpointer)config->clock;
  config->ctx->may_go = may_go;
  config->ctx->may_go_data = dispatcher;
  if (config->run->target != NULL && g_strcmp0 (config->run->target, dispatcher->target) != 0)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "the run was begun for target \"%s\", but the sink reached \"%s\"",
                        config->run->target, dispatcher->target),
           NULL;
  tally_looks_tell (dispatcher);
  if (!tally_recovery_list (dispatcher, error))
    return NULL;
  return g_steal_pointer (&dispatcher);
}

TallyDispatcher *
tally_dispatcher_new (const TallyDispatcherConfig *config, GError **error)
{
  TallyClerkConfig clerk_config = {
    .uri = config->ledger_uri,
    .flags = config->ledger_flags,
    .scope = { config->ctx->target != NULL ? config->ctx->target : "", config->profile.entity,
               config->origin },
    .epoch = config->epoch,
    .lease_ttl = config->lease_ttl,
    .clock = config->clock,
    .interrupt = config->interrupt,
    .self = config->self,
  };
  TallyClerk *clerk = tally_commit_thread_new (&clerk_config, error);

  return clerk != NULL ? tally_dispatcher_new_with_clerk (config, clerk, error) : NULL;
}

void
tally_dispatcher_free (TallyDispatcher *dispatcher)
{
  if (dispatcher == NULL)
    return;

  dispatcher->config.ctx->may_go = NULL;
  dispatcher->clerk->class->free (dispatcher->clerk); /* first: it may be reading parcels */
  tally_calls_orphan (dispatcher);
  g_queue_clear_full (&dispatcher->consignments, (GDestroyNotify)tally_consignment_free);
  g_sequence_free (dispatcher->waiting);
  g_free (dispatcher->trouble);
  g_free (dispatcher->position);
  g_hash_table_unref (dispatcher->parcels);
  g_hash_table_unref (dispatcher->rows);
  g_hash_table_unref (dispatcher->taken_up);
  g_rand_free (dispatcher->random);
  g_clear_error (&dispatcher->halt);
  g_clear_error (&dispatcher->failure);
  g_free (dispatcher->target);
  g_free (dispatcher);
}

/* ---- Work ---- */

gboolean
tally_dispatcher_wants (const TallyDispatcher *dispatcher)
{
  return !dispatcher->ended && !dispatcher->stopping && dispatcher->failure == NULL
         && g_queue_get_length ((GQueue *)&dispatcher->consignments) < TALLY_CONSIGNMENTS_MOST;
}

void
tally_dispatcher_take (TallyDispatcher *dispatcher, TallyBatch *batch)
{
  tally_intake_take (dispatcher, batch);
}

void
tally_dispatcher_end (TallyDispatcher *dispatcher)
{
  dispatcher->ended = TRUE;
}

void
tally_dispatcher_stop (TallyDispatcher *dispatcher, gint64 deadline)
{
  dispatcher->stop_at = dispatcher->stopping ? MIN (dispatcher->stop_at, deadline) : deadline;
  if (dispatcher->stopping)
    return;
  dispatcher->stopping = TRUE;
  tally_intake_stop (dispatcher);
  tally_traffic_stop (dispatcher);
}

static gboolean
dispatcher_is_drained (const TallyDispatcher *dispatcher)
{
  return (dispatcher->ended || dispatcher->stopping) && dispatcher->n_errands == 0
         && g_queue_is_empty ((GQueue *)&dispatcher->consignments)
         && g_hash_table_size (dispatcher->parcels) == 0;
}

gboolean
tally_dispatcher_is_done (const TallyDispatcher *dispatcher)
{
  return dispatcher->failure == NULL && dispatcher->halt == NULL
         && dispatcher_is_drained (dispatcher);
}

static gboolean
dispatcher_collect (TallyDispatcher *dispatcher, gint64 wait)
{
  gboolean moved = FALSE;
  TallyErrand *errand;

  while (dispatcher->failure == NULL
         && (errand = dispatcher->clerk->class->collect (dispatcher->clerk, moved ? 0 : wait))
                != NULL)
    {
      dispatcher->n_errands--;
      errand->done (errand, dispatcher);
      tally_errand_free (errand);
      moved = TRUE;
    }
  return moved;
}

/* The lease is looked after even while nothing is sent. */
static void
dispatcher_check_lease (TallyDispatcher *dispatcher)
{
  gint64 deadline;
  GError *error = NULL;

  if (!dispatcher->clerk->class->deadline (dispatcher->clerk, &deadline, &error))
    tally_dispatcher_fail (dispatcher, error);
}

static gboolean
dispatcher_advance (TallyDispatcher *dispatcher)
{
  gint64 now;
  gboolean moved = dispatcher_collect (dispatcher, 0);

  if (dispatcher->failure == NULL)
    dispatcher_check_lease (dispatcher);
  if (dispatcher->failure != NULL)
    return FALSE;

  now = tally_dispatcher_now (dispatcher);
  if (dispatcher->stopping && now >= dispatcher->stop_at)
    tally_traffic_abandon (dispatcher);
  moved |= tally_traffic_advance (dispatcher, now);
  moved |= tally_intake_advance (dispatcher);
  moved |= tally_recovery_load (dispatcher);
  moved |= tally_book_advance (dispatcher, now);
  return moved;
}

/* How long nothing of our own falls due. */
static gint64
dispatcher_patience (const TallyDispatcher *dispatcher, gint64 wait)
{
  gint64 now = tally_dispatcher_now (dispatcher);

  wait = MIN (wait, tally_book_wait (dispatcher, now));
  if (!g_sequence_is_empty (dispatcher->waiting))
    {
      const TallyParcel *first = g_sequence_get (g_sequence_get_begin_iter (dispatcher->waiting));
      wait = MIN (wait, first->due - now);
    }
  if ((dispatcher->ready.length > 0 || dispatcher->looking.length > 0)
      && dispatcher->at_sink.length < dispatcher->group)
    wait = MIN (wait, MAX (tally_traffic_wait (dispatcher, now, NULL), NO_INTERRUPT_GLANCE));
  if (dispatcher->stopping && dispatcher->at_sink.length > 0)
    wait = MIN (wait, dispatcher->stop_at - now);
  if (tally_dispatcher_wants (dispatcher))
    wait = MIN (wait, GLANCE);
  if (dispatcher->n_errands > 0 && dispatcher->config.interrupt == NULL)
    wait = MIN (wait, NO_INTERRUPT_GLANCE);
  return MAX (wait, 0);
}

/* Lets the sink, or the ledger, go on. */
static void
dispatcher_rest (TallyDispatcher *dispatcher, gint64 wait)
{
  const TallyDispatcherConfig *config = &dispatcher->config;
  GError *error = NULL;

  if (dispatcher->at_sink.length == 0 || config->sink->drive == NULL)
    {
      if (wait > 0 && g_queue_is_empty (&dispatcher->answers))
        dispatcher_collect (dispatcher, wait);
      return;
    }
  if (!g_queue_is_empty (&dispatcher->answers))
    wait = 0;
  if (!config->sink->drive (config->self, config->ctx, TALLY_WAIT (wait), &error))
    tally_dispatcher_fail (dispatcher, error);
}

gboolean
tally_dispatcher_step (TallyDispatcher *dispatcher, gint64 wait, GError **error)
{
  if (dispatcher->failure == NULL)
    {
      gboolean moved = dispatcher_advance (dispatcher);

      if (dispatcher->failure == NULL && !dispatcher_is_drained (dispatcher))
        {
          dispatcher_rest (dispatcher, moved ? 0 : dispatcher_patience (dispatcher, wait));
          dispatcher_advance (dispatcher);
        }
      if (dispatcher->failure == NULL && dispatcher->halt != NULL
          && dispatcher_is_drained (dispatcher))
        dispatcher->failure = g_steal_pointer (&dispatcher->halt);
    }
  if (dispatcher->failure == NULL)
    return TRUE;
  g_propagate_error (error, g_error_copy (dispatcher->failure));
  return FALSE;
}

void
tally_dispatcher_counts (const TallyDispatcher *dispatcher, TallyCounts *ret_counts)
{
  *ret_counts = dispatcher->counts;
  ret_counts->read -= ret_counts->added;
  ret_counts->in_flight = dispatcher->at_sink.length;
}

const char *
tally_dispatcher_position (const TallyDispatcher *dispatcher)
{
  return dispatcher->position;
}

gint64
tally_dispatcher_waiting (const TallyDispatcher *dispatcher, const char **ret_why)
{
  gint64 now = tally_dispatcher_now (dispatcher);
  const TallyParcel *first;

  *ret_why = NULL;
  if (dispatcher->ready.length > 0 || dispatcher->looking.length > 0)
    {
      gint64 wait = tally_traffic_wait (dispatcher, now, ret_why);

      if (*ret_why != NULL && *ret_why == dispatcher->pace.why && dispatcher->trouble != NULL)
        *ret_why = dispatcher->trouble;
      return wait;
    }
  if (dispatcher->at_sink.length > 0 || dispatcher->fresh.length > 0
      || g_sequence_is_empty (dispatcher->waiting))
    return 0;
  first = g_sequence_get (g_sequence_get_begin_iter (dispatcher->waiting));
  if (first->due <= now)
    return 0;
  *ret_why = first->in_doubt               ? "until the target can be asked about lost answers"
             : dispatcher->trouble != NULL ? dispatcher->trouble
                                           : "until what the target did not take goes again";
  return first->due - now;
}
