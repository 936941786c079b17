/* traffic.c: what goes to the target, what comes back, and what follows from it */
#include "dispatcher-private.h"
#include "hooks.h"

#define TRIES_MOST 20      /* of one delivery that comes back without having been acted upon */
#define UNREACHED_MOST 12  /* rounds in which nothing reached the target: about seven minutes */
#define SILENCE_PATIENCE 3 /* rounds of lost answers before all requests slow down */

static void
traffic_set_doubt (TallyDispatcher *dispatcher, TallyParcel *parcel, gboolean in_doubt)
{
  if (!parcel->recovered && parcel->in_doubt != in_doubt)
    dispatcher->n_doubts += in_doubt ? 1 : -1;
  parcel->in_doubt = in_doubt;
}

static void
traffic_settle (TallyDispatcher *dispatcher, TallyParcel *parcel, TallyDeliveryState state,
                const char *event)
{
  traffic_set_doubt (dispatcher, parcel, FALSE);
  parcel->state = state;
  parcel->event = event;
  parcel->known = TRUE;
  parcel->entry = TALLY_ENTRY_OUTCOME;
  if (parcel->unrecorded)
    {
      parcel->entry = TALLY_ENTRY_INTENT;
      tally_parcel_move (parcel, &dispatcher->fresh);
      return;
    }
  tally_parcel_set_request (dispatcher, parcel, NULL);
  tally_parcel_move (parcel, &dispatcher->settled);
}

static void
traffic_set_detail (TallyParcel *parcel, const char *why)
{
  g_autofree char *answer = g_steal_pointer (&parcel->detail);

  parcel->detail
      = answer == NULL ? g_strdup (why) : g_strdup_printf ("%s; the last answer: %s", why, answer);
}

void
tally_traffic_leave (TallyDispatcher *dispatcher, TallyParcel *parcel, const char *why)
{
  traffic_set_detail (parcel, why);
  /* No attempts: no request of it has been acted upon, and the next run may send it, see recovery.c.  Not so of one whose next
   * generation does not come now. */
  if (parcel->set_aside)
    parcel->attempts = dispatcher->config.attempts + 1;
  else if (parcel->in_doubt || parcel->renewals > 0)
    parcel->attempts = MAX (parcel->attempts, 1);
  else
    parcel->attempts = 0;
  traffic_settle (dispatcher, parcel, TALLY_DELIVERY_IN_DOUBT, "in doubt");
}

/* ---- Deciding ---- */

/* The sink may have learnt meanwhile that the target takes no notice of keys. */
static gint64
traffic_key_life (const TallyDispatcher *dispatcher)
{
  const TallyDispatcherConfig *config = &dispatcher->config;
  TallyDeliveryProfile profile = config->profile;

  if (config->sink->profile != NULL)
    config->sink->profile (config->self, &profile);
  return MIN (profile.key_life, config->profile.key_life);
}

static void
traffic_standing (TallyDispatcher *dispatcher, const TallyParcel *parcel, gint64 now,
                  TallyStanding *ret_standing)
{
  const TallyDispatcherConfig *config = &dispatcher->config;
  gint64 ledger_now = tally_dispatcher_ledger_now (dispatcher, now);
  gint64 target_now = tally_dispatcher_target_now (dispatcher, now);
  gboolean is_ours = parcel->intended_here != 0;
  gboolean agree = is_ours
                   || tally_state_clocks_agree (parcel->intended_at, ledger_now,
                                                parcel->intended_target, target_now);
  /* When an earlier run sent last, only the ledger's clock can say.  If that was set meanwhile, the
   * time since this run began counts. */
  gint64 last_send
      = agree ? parcel->last_send : MAX (parcel->last_send, dispatcher->clerk->told_at);

  *ret_standing = (TallyStanding){
    .in_doubt = parcel->in_doubt,
    .touched = parcel->touched,
    .refused = parcel->refused,
    .set_aside = parcel->set_aside,
    .absent = parcel->absent,
    .is_update = parcel->is_update,
    .look_first = tally_looks_wanted (dispatcher, parcel),
    .has_receipt = parcel->receipt != NULL,
    .since_send = now - last_send,
    .age = tally_state_age (parcel->intended_at, ledger_now, parcel->intended_target, target_now,
                            is_ours ? now - parcel->intended_here : 0),
    .age_is_sure = is_ours || (parcel->intended_target != 0 && target_now != 0),
    .attempts = parcel->attempts,
    .attempts_most = config->attempts,
    .lookups = parcel->lookups,
    .renewals = parcel->renewals,
    .key_life = traffic_key_life (dispatcher),
    .settle = config->profile.settle,
    .can_resolve = config->profile.can_resolve && config->sink->resolve != NULL,
    .may_repeat = config->profile.may_repeat,
    .wait = config->wait,
  };
}

static void
traffic_note (TallyDispatcher *dispatcher, TallyParcel *parcel, const char *event)
{
  parcel->entry = TALLY_ENTRY_NOTE;
  parcel->event = event;
  tally_parcel_move (parcel, &dispatcher->noted);
}

/* The next generation of the same bytes. */
static void
traffic_renew (TallyDispatcher *dispatcher, TallyParcel *parcel)
{
  traffic_set_doubt (dispatcher, parcel, FALSE);
  parcel->generation++;
  parcel->renewals++;
  parcel->attempts = parcel->tries = parcel->lookups = 0;
  parcel->touched = parcel->absent = parcel->noted = FALSE;
  parcel->looked = TRUE;
  g_clear_pointer (&parcel->detail, g_free);
  g_clear_pointer (&parcel->receipt, g_free);
  tally_parcel_set_receipt_due (dispatcher, parcel, FALSE);
  tally_parcel_make_key (dispatcher, parcel);
  parcel->entry = TALLY_ENTRY_INTENT;
  tally_parcel_move (parcel, &dispatcher->fresh);
}

/* What comes next needs the bytes, and the ledger to know of it. */
static void
traffic_prepare (TallyDispatcher *dispatcher, TallyParcel *parcel, TallyMove move)
{
  gboolean looks = move == TALLY_MOVE_RESOLVE || move == TALLY_MOVE_LOOK;
  /* The ledger has it as unsent, which it is not any more once it goes. */
  gboolean was_left = parcel->recovered && parcel->renewals == 0;

  parcel->looks_first = move == TALLY_MOVE_LOOK;
  if (looks)
    parcel->noted = FALSE; /* what comes after it is something else */
  else if ((move != TALLY_MOVE_SEND || was_left) && !parcel->noted)
    {
      traffic_note (dispatcher, parcel, move == TALLY_MOVE_RENEW ? "looked up, absent" : "retried");
      return;
    }

  if (parcel->request == NULL)
    tally_parcel_move (parcel, &dispatcher->loading);
  else if (move == TALLY_MOVE_RENEW)
    traffic_renew (dispatcher, parcel);
  else
    tally_parcel_move (parcel, looks ? &dispatcher->looking : &dispatcher->ready);
}

void
tally_traffic_consider (TallyDispatcher *dispatcher, TallyParcel *parcel, gint64 now)
{
  TallyStanding standing;
  gint64 wait = 0;
  const char *why = NULL;
  TallyMove move;

  if (dispatcher->stopping)
    {
      tally_traffic_leave (dispatcher, parcel, "the run was stopped");
      return;
    }

  traffic_standing (dispatcher, parcel, now, &standing);
  move = tally_state_next (&standing, &wait, &why);
  switch (move)
    {
    case TALLY_MOVE_SEND:
    case TALLY_MOVE_REPLAY:
    case TALLY_MOVE_RENEW:
    case TALLY_MOVE_RESOLVE:
    case TALLY_MOVE_LOOK:
      traffic_prepare (dispatcher, parcel, move);
      break;
    case TALLY_MOVE_WAIT:
      tally_parcel_wait (dispatcher, parcel, now + wait);
      break;
    case TALLY_MOVE_REJECT:
      traffic_set_detail (parcel, why);
      traffic_settle (dispatcher, parcel, TALLY_DELIVERY_REJECTED, "rejected");
      break;
    case TALLY_MOVE_LEAVE:
      tally_traffic_leave (dispatcher, parcel, why);
      break;
    }
}

void
tally_traffic_on_written (TallyDispatcher *dispatcher, TallyParcel *parcel, gint64 now)
{
  switch (parcel->entry)
    {
    case TALLY_ENTRY_INTENT:
      tally_intake_account (parcel);
      parcel->unrecorded = FALSE;
      if (parcel->known)
        traffic_settle (dispatcher, parcel, parcel->state, parcel->event);
      else
        tally_traffic_consider (dispatcher, parcel, now);
      break;
    case TALLY_ENTRY_NOTE:
      parcel->noted = TRUE;
      parcel->event = NULL;
      tally_traffic_consider (dispatcher, parcel, now);
      break;
    case TALLY_ENTRY_OUTCOME:
      tally_intake_count (dispatcher, parcel);
      tally_parcel_drop (dispatcher, parcel);
      break;
    }
}

/* ---- Answers ---- */

static void
traffic_take_answer (TallyParcel *parcel, TallyDelivery *call, TallyFate fate)
{
  gboolean keep_detail = parcel->refused && fate == TALLY_FATE_ABSENT;
  gboolean is_settled = fate == TALLY_FATE_DELIVERED || fate == TALLY_FATE_ADOPTED
                        || fate == TALLY_FATE_REJECTED;

  parcel->status = call->status;
  if (call->target_id != NULL && *call->target_id != '\0' && is_settled && !parcel->is_update)
    {
      g_free (parcel->target_id);
      parcel->target_id = g_steal_pointer (&call->target_id);
    }
  if (call->other_ids != NULL)
    {
      g_free (parcel->other_ids);
      parcel->other_ids = g_steal_pointer (&call->other_ids);
    }
  if (call->detail != NULL && !keep_detail)
    {
      g_free (parcel->detail);
      parcel->detail = g_steal_pointer (&call->detail);
    }
}

static gint64
traffic_backoff (TallyDispatcher *dispatcher, const TallyParcel *parcel, const TallyDelivery *call)
{
  gint64 backoff = tally_pace_backoff (parcel->tries, tally_dispatcher_chance (dispatcher));

  return MAX (tally_pace_bound (call->wait), backoff);
}

/* Nothing was done: the same request again, later. */
static void
traffic_send_again (TallyDispatcher *dispatcher, TallyParcel *parcel, const TallyDelivery *call,
                    gint64 now)
{
  gboolean busy = call->verdict == TALLY_VERDICT_BUSY;

  dispatcher->counts.retries++;
  parcel->attempts--;
  parcel->noted = parcel->in_doubt; /* the ledger counts that send already */
  parcel->touched |= busy;
  parcel->tries += busy && call->wait_all ? 0 : 1;
  if (busy && (!call->wait_all || !parcel->in_doubt))
    parcel->last_send = now; /* "in progress": an earlier request is perhaps at work */

  if (parcel->tries >= TRIES_MOST && (!busy || parcel->is_update || !dispatcher->config.profile.can_resolve))
    {
      tally_traffic_leave (dispatcher, parcel, "it could not be sent");
      return;
    }
  if (parcel->tries >= TRIES_MOST)
    traffic_set_doubt (dispatcher, parcel, TRUE);
  tally_parcel_wait (dispatcher, parcel, now + traffic_backoff (dispatcher, parcel, call));
}

static void
traffic_look_again (TallyDispatcher *dispatcher, TallyParcel *parcel, const TallyDelivery *call,
                    gint64 now)
{
  dispatcher->counts.retries++;
  parcel->tries += call->wait_all ? 0 : 1;
  tally_parcel_set_request (dispatcher, parcel, NULL);
  if (parcel->tries >= TRIES_MOST || (!dispatcher->config.wait && !call->wait_all))
    tally_traffic_leave (dispatcher, parcel, "it could not be looked up");
  else
    tally_parcel_wait (dispatcher, parcel, now + traffic_backoff (dispatcher, parcel, call));
}

static void
traffic_doubt (TallyDispatcher *dispatcher, TallyParcel *parcel, const TallyDelivery *call,
               gint64 now)
{
  traffic_set_doubt (dispatcher, parcel, TRUE);
  parcel->last_send = now;
  if (parcel->detail == NULL)
    parcel->detail = g_strdup ("no answer"); /* at least it did not end the program */
  if (parcel->unrecorded)
    {
      tally_parcel_move (parcel, &dispatcher->fresh);
      return;
    }
  tally_parcel_set_request (dispatcher, parcel, NULL);
  if (call->wait > 0 && dispatcher->config.wait)
    tally_parcel_wait (dispatcher, parcel, now + tally_pace_bound (call->wait));
  else
    tally_traffic_consider (dispatcher, parcel, now);
}

static void
traffic_unclear (TallyDispatcher *dispatcher, TallyParcel *parcel, const TallyDelivery *call,
                 gint64 now)
{
  gint64 wait
      = MAX (tally_pace_bound (call->wait),
             tally_pace_backoff (parcel->lookups + 3, tally_dispatcher_chance (dispatcher)));

  parcel->lookups++;
  tally_parcel_set_request (dispatcher, parcel, NULL);
  if (parcel->lookups < TALLY_LOOKUPS_MOST && dispatcher->config.wait && !dispatcher->stopping)
    tally_parcel_wait (dispatcher, parcel, now + wait);
  else
    tally_traffic_consider (dispatcher, parcel, now);
}

static void
traffic_halt (TallyDispatcher *dispatcher, TallyParcel *parcel)
{
  const char *detail = parcel->detail != NULL ? parcel->detail : "the target refuses us";

  tally_dispatcher_halt (dispatcher, g_error_new_literal (TALLY_ERROR, TALLY_ERROR_AUTH, detail));
  tally_traffic_leave (dispatcher, parcel, "the run was halted");
}

static void
traffic_follow (TallyDispatcher *dispatcher, TallyParcel *parcel, const TallyDelivery *call,
                TallyFate fate, gint64 now)
{
  switch (fate)
    {
    case TALLY_FATE_DELIVERED:
      parcel->repeated = call->repeated;
      parcel->adopted = call->adopted;
      traffic_settle (dispatcher, parcel, TALLY_DELIVERY_DELIVERED,
                      call->adopted    ? "adopted"
                      : call->repeated ? "repeated"
                                       : NULL);
      break;
    case TALLY_FATE_ADOPTED:
      parcel->adopted = TRUE;
      traffic_settle (dispatcher, parcel, TALLY_DELIVERY_DELIVERED,
                      parcel->refused ? "adopted, drifted"
                      : call->looks_first && tally_looks_take_found (dispatcher, parcel)
                          ? "adopted, made by another ledger"
                          : "adopted");
      break;
    case TALLY_FATE_REJECTED:
      traffic_settle (dispatcher, parcel, TALLY_DELIVERY_REJECTED, "rejected");
      break;
    case TALLY_FATE_REFUSED:
      parcel->refused = TRUE;
      traffic_doubt (dispatcher, parcel, call, now);
      break;
    case TALLY_FATE_AGAIN:
      if (call->lookup)
        traffic_look_again (dispatcher, parcel, call, now);
      else
        traffic_send_again (dispatcher, parcel, call, now);
      break;
    case TALLY_FATE_DOUBT:
      traffic_doubt (dispatcher, parcel, call, now);
      break;
    case TALLY_FATE_ABSENT:
      if (call->looks_first)
        tally_looks_take_absence (dispatcher, parcel);
      else
        parcel->absent = TRUE;
      tally_traffic_consider (dispatcher, parcel, now);
      break;
    case TALLY_FATE_UNCLEAR:
      traffic_unclear (dispatcher, parcel, call, now);
      break;
    case TALLY_FATE_HALT:
      traffic_halt (dispatcher, parcel);
      break;
    }
}

/* The request did not get there.  When none does, time and again, the run ends. */
static void
traffic_count_unreached (TallyDispatcher *dispatcher, const TallyDelivery *call, gint64 now)
{
  if (tally_pace_trouble (&dispatcher->pace, now, call->begun_at, 0, "the target cannot be reached",
                          tally_dispatcher_chance (dispatcher)))
    dispatcher->n_unreached++;
  if (dispatcher->n_unreached >= UNREACHED_MOST)
    tally_dispatcher_halt (
        dispatcher,
        g_error_new (TALLY_ERROR, TALLY_ERROR_NETWORK, "the target cannot be reached: %s",
                     call->detail != NULL ? call->detail : "no reason is known"));
}

/* What a person is told who waits. */
static void
traffic_set_trouble (TallyDispatcher *dispatcher, const TallyDelivery *call)
{
  gboolean bad = call->verdict == TALLY_VERDICT_UNSENT || call->verdict == TALLY_VERDICT_BUSY;
  const char *why = call->verdict == TALLY_VERDICT_UNSENT ? "the target cannot be reached" : "the target asked to be left alone";

  g_clear_pointer (&dispatcher->trouble, g_free);
  if (bad && call->detail != NULL)
    dispatcher->trouble = g_strdup_printf ("%s: %s", why, call->detail);
}

/* What an answer, or none, says about all requests. */
static void
traffic_set_pace (TallyDispatcher *dispatcher, const TallyDelivery *call, gint64 now)
{
  TallyPace *pace = &dispatcher->pace;
  double chance = tally_dispatcher_chance (dispatcher);

  traffic_set_trouble (dispatcher, call);
  if (call->verdict == TALLY_VERDICT_UNSENT)
    {
      traffic_count_unreached (dispatcher, call, now);
      return;
    }
  dispatcher->n_unreached = 0;
  if (call->wait_all && (call->verdict == TALLY_VERDICT_BUSY || call->wait > 0))
    tally_pace_refused (pace, now, call->wait, chance);
  else if (call->verdict == TALLY_VERDICT_UNKNOWN && !call->lookup)
    tally_pace_trouble (pace, now, call->begun_at, SILENCE_PATIENCE,
                        "the target gives no good answers", chance);
  else
    tally_pace_success (pace);
}

static TallyFate
traffic_judge (const TallyParcel *parcel, TallyDelivery *call)
{
  gboolean has_id = call->target_id != NULL && *call->target_id != '\0';
  TallyHearing hearing = {
    .is_lookup = call->lookup,
    .has_id = has_id && (!parcel->is_update || g_str_equal (call->target_id, parcel->target_id)),
    .in_doubt = parcel->in_doubt,
    .is_update = parcel->is_update,
    .has_receipt = parcel->receipt != NULL,
  };

  if (has_id && !hearing.has_id && call->verdict == TALLY_VERDICT_DELIVERED)
    {
      g_free (call->detail);
      call->detail = g_strdup_printf ("the update of %s was answered for %s", parcel->target_id,
                                      call->target_id);
    }
  return tally_state_judge (call->verdict, &hearing);
}

static gboolean
traffic_read_answers (TallyDispatcher *dispatcher, gint64 now)
{
  gboolean moved = FALSE;
  GList *link;

  while ((link = g_queue_pop_head_link (&dispatcher->answers)) != NULL)
    {
      TallyDelivery *call = link->data;
      TallyParcel *parcel = call->parcel;
      TallyFate fate = traffic_judge (parcel, call);

      traffic_set_pace (dispatcher, call, now);
      traffic_take_answer (parcel, call, fate);
      tally_parcel_move (parcel, NULL);
      parcel->call = NULL;
      if (call->looks_first)
        tally_looks_end (dispatcher);
      traffic_follow (dispatcher, parcel, call, fate, now);
      call->parcel = NULL;
      tally_call_retire (call);
      moved = TRUE;
    }
  return moved;
}

/* ---- Sending ---- */

/* R7: checked just before each send, on a clock that also counts the time that the machine slept.
 */
gboolean
tally_traffic_may_send (TallyDispatcher *dispatcher)
{
  gint64 deadline;
  GError *error = NULL;

  if (dispatcher->failure != NULL)
    return FALSE;
  if (!TALLY_KEEPS ("R7"))
    return TRUE;
  if (!dispatcher->clerk->class->deadline (dispatcher->clerk, &deadline, &error))
    {
      tally_dispatcher_fail (dispatcher, error);
      return FALSE;
    }
  return tally_dispatcher_now (dispatcher) < deadline;
}

static void
traffic_send (TallyDispatcher *dispatcher, TallyParcel *parcel, gint64 now)
{
  const TallyDispatcherConfig *config = &dispatcher->config;
  TallyDelivery *call = tally_call_new (parcel, dispatcher, /* lookup= */ FALSE, now);

  if (parcel->attempts > 0)
    dispatcher->counts.retries++;
  parcel->attempts++;
  parcel->noted = FALSE;
  tally_parcel_move (parcel, &dispatcher->at_sink);
  TALLY_POINT ("before-send");
  config->sink->send (config->self, config->ctx, call);
  TALLY_POINT ("after-send");
}

/* When the last request of it has surely ended. */
static gint64
traffic_quiet_at (TallyDispatcher *dispatcher, const TallyParcel *parcel, gint64 now)
{
  TallyStanding standing;

  traffic_standing (dispatcher, parcel, now, &standing);
  return now - standing.since_send + standing.settle;
}

static void
traffic_look (TallyDispatcher *dispatcher, TallyParcel *parcel, gint64 now)
{
  const TallyDispatcherConfig *config = &dispatcher->config;
  TallyDelivery *call = tally_call_new (parcel, dispatcher, /* lookup= */ TRUE, now);

  call->quiet_at = traffic_quiet_at (dispatcher, parcel, now);
  call->looks_first = parcel->looks_first;
  if (call->looks_first)
    tally_looks_begin (dispatcher);
  tally_parcel_move (parcel, &dispatcher->at_sink);
  TALLY_POINT ("before-lookup");
  config->sink->resolve (config->self, config->ctx, call);
  TALLY_POINT ("after-lookup");
}

/* It may have waited long since it was decided that it goes (C7): is it still so? */
static gboolean
traffic_still_goes (TallyDispatcher *dispatcher, TallyParcel *parcel, gint64 now)
{
  TallyStanding standing;
  gint64 wait;
  const char *why;
  TallyMove move;

  traffic_standing (dispatcher, parcel, now, &standing);
  move = tally_state_next (&standing, &wait, &why);
  if (parcel->place == &dispatcher->looking)
    return !parcel->looks_first || move == TALLY_MOVE_LOOK;
  return move == TALLY_MOVE_SEND || (move == TALLY_MOVE_REPLAY && parcel->noted);
}

gint64
tally_traffic_wait (const TallyDispatcher *dispatcher, gint64 now, const char **ret_why)
{
  TallyContext *ctx = dispatcher->config.ctx;
  gint64 held = tally_pace_wait (&dispatcher->pace, now, ret_why);
  /* What the sink has, and has not asked for yet, in requests. */
  gint64 n_waiting = MAX ((gint64) dispatcher->at_sink.length - ctx->n_admitted, 0);
  gint64 wait = tally_context_wait (ctx, n_waiting / MAX (dispatcher->config.profile.per_request, 1));

  if (ret_why != NULL && wait > held)
    *ret_why = "pacing by the target's rate limit";
  return MAX (held, wait);
}

static gboolean
traffic_go (TallyDispatcher *dispatcher)
{
  gboolean moved = FALSE;

  while (dispatcher->failure == NULL && !dispatcher->stopping
         && g_queue_get_length (&dispatcher->at_sink) < dispatcher->group
         && (!g_queue_is_empty (&dispatcher->looking) || !g_queue_is_empty (&dispatcher->ready)))
    {
      gint64 now = tally_dispatcher_now (dispatcher);
      gboolean look = !g_queue_is_empty (&dispatcher->looking);
      TallyParcel *parcel = look ? dispatcher->looking.head->data : dispatcher->ready.head->data;

      if (tally_traffic_wait (dispatcher, now, NULL) > 0)
        break;
      if (!traffic_still_goes (dispatcher, parcel, now))
        tally_traffic_consider (dispatcher, parcel, now);
      else if (look && parcel->looks_first && !tally_looks_have_room (dispatcher))
        break;
      else if (look)
        traffic_look (dispatcher, parcel, now);
      else if (tally_looks_hold (dispatcher))
        break;
      else if (tally_traffic_may_send (dispatcher))
        traffic_send (dispatcher, parcel, now);
      else
        break;
      moved = TRUE;
    }
  return moved;
}

#ifdef TALLY_TESTING
/* With R1 broken: off they go, whatever the ledger knows. */
static void
traffic_go_unrecorded (TallyDispatcher *dispatcher)
{
  GList *next;

  for (GList *link = dispatcher->fresh.head; link != NULL; link = next)
    {
      TallyParcel *parcel = link->data;

      next = link->next;
      if (parcel->known || parcel->in_doubt)
        continue;
      parcel->unrecorded = TRUE;
      tally_parcel_move (parcel, &dispatcher->ready);
    }
}
#endif

gboolean
tally_traffic_advance (TallyDispatcher *dispatcher, gint64 now)
{
  gboolean moved = traffic_read_answers (dispatcher, now);

  while (!g_sequence_is_empty (dispatcher->waiting))
    {
      TallyParcel *parcel = g_sequence_get (g_sequence_get_begin_iter (dispatcher->waiting));

      if (parcel->due > now && !dispatcher->stopping)
        break;
      tally_parcel_move (parcel, NULL);
      tally_traffic_consider (dispatcher, parcel, now);
      moved = TRUE;
    }
#ifdef TALLY_TESTING
  if (!TALLY_KEEPS ("R1"))
    traffic_go_unrecorded (dispatcher);
#endif
  return traffic_go (dispatcher) || moved;
}

/* ---- Stopping ---- */

void
tally_traffic_stop (TallyDispatcher *dispatcher)
{
  GQueue *const places[]
      = { &dispatcher->noted, &dispatcher->ready, &dispatcher->looking, &dispatcher->loading };
  GList *next;

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    while (!g_queue_is_empty (places[i]))
      tally_traffic_leave (dispatcher, places[i]->head->data, "the run was stopped");

  /* What is left of the fresh ones has no row of this run's: its next generation will not come now.
   */
  for (GList *link = dispatcher->fresh.head; link != NULL; link = next)
    {
      TallyParcel *parcel = link->data;

      next = link->next;
      if (parcel->renewals == 0)
        continue;
      parcel->generation--;
      tally_traffic_leave (dispatcher, parcel, "the run was stopped; the target does not have it");
    }
}

void
tally_traffic_abandon (TallyDispatcher *dispatcher)
{
  while (!g_queue_is_empty (&dispatcher->at_sink))
    {
      TallyParcel *parcel = dispatcher->at_sink.head->data;

      if (parcel->call->settled)
        {
          /* Its answer is here, only not looked at yet. */
          tally_parcel_move (parcel, NULL);
          continue;
        }
      tally_call_retire (parcel->call);
      traffic_set_doubt (dispatcher, parcel, TRUE);
      tally_traffic_leave (dispatcher, parcel, "the run was stopped before its answer came");
    }
}
