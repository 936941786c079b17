/* state.c: what to do next with one delivery */
#include "state.h"
#include "hooks.h"

/* Clocks of two servers of one database may differ by this much. */
#define CLOCK_SLACK (5 * G_USEC_PER_SEC)

gint64
tally_state_age (gint64 intended_at, gint64 ledger_now, gint64 intended_target, gint64 target_now,
                 gint64 here)
{
  gint64 age = ledger_now - intended_at;

  /* Without the target's time at the intent its time now is held against the ledger's: if the two
   * clocks disagree this errs, but only to the older side. */
  if (target_now != 0)
    age = MAX (age, target_now - (intended_target != 0 ? intended_target : intended_at));
  age = MAX (age, here);
  return age < -CLOCK_SLACK ? G_MAXINT64 : MAX (age, 0);
}

gboolean
tally_state_clocks_agree (gint64 intended_at, gint64 ledger_now, gint64 intended_target,
                          gint64 target_now)
{
  gint64 step = (ledger_now - target_now) - (intended_at - intended_target);

  return intended_target != 0 && target_now != 0 && ABS (step) <= CLOCK_SLACK;
}

gint64
tally_state_intended (gint64 intended_at, gint64 ledger_now, gint64 intended_target,
                      gint64 target_now)
{
  gboolean agree
      = tally_state_clocks_agree (intended_at, ledger_now, intended_target, target_now);
  gint64 earliest = intended_target != 0 ? intended_target : intended_at;

  if (target_now != 0)
    earliest = MIN (earliest, intended_at + (target_now - ledger_now));
  return earliest - (agree ? CLOCK_SLACK : TALLY_KEY_MARGIN);
}

static gboolean
key_is_fresh (const TallyStanding *standing)
{
  gint64 margin = MIN (TALLY_KEY_MARGIN, standing->key_life / 4);

  if (!TALLY_KEEPS ("R5"))
    return TRUE;
  /* One clock alone, the ledger's, is not believed (C4) while there is a way to do without it. */
  return standing->key_life > 0 && standing->age < standing->key_life - margin
         && (standing->age_is_sure || !standing->can_resolve);
}

/* How it is looked up, or LEAVE if that was tried often enough. */
static TallyMove
look_or_leave (const TallyStanding *standing, TallyMove how, const char **ret_why)
{
  *ret_why = standing->lookups >= TALLY_LOOKUPS_MOST ? "the target could not tell whether it has it"
             : standing->lookups > 0 && !standing->wait
                 ? "the target could not tell yet whether it has it"
                 : NULL;
  return *ret_why != NULL ? TALLY_MOVE_LEAVE : how;
}

static TallyMove
resolve_or_leave (const TallyStanding *standing, const char **ret_why)
{
  if (!TALLY_KEEPS ("R6"))
    return TALLY_MOVE_RENEW;
  if (standing->can_resolve)
    return look_or_leave (standing, TALLY_MOVE_RESOLVE, ret_why);
  *ret_why = "the answer was lost, its key is no longer good, and the target cannot be asked";
  return TALLY_MOVE_LEAVE;
}

/* Somebody else may have made it, whom our key does not stop. */
static TallyMove
send_or_look (const TallyStanding *standing, TallyMove send, const char **ret_why)
{
  return standing->look_first ? look_or_leave (standing, TALLY_MOVE_LOOK, ret_why) : send;
}

static TallyMove
after_absence (const TallyStanding *standing, const char **ret_why)
{
  if (standing->refused)
    {
      *ret_why = "the target refused it, and does not have it";
      return TALLY_MOVE_REJECT;
    }
  if (standing->set_aside || standing->renewals >= TALLY_GENERATIONS_MOST)
    {
      *ret_why = standing->set_aside
                     ? "set aside: every attempt ended the program; the target does not have it"
                     : "set aside: it was sent under several keys, and the target does not have it";
      return TALLY_MOVE_LEAVE;
    }
  return TALLY_MOVE_RENEW;
}

/* An update brings the target to a state, so it may be sent again, however old its key. */
static TallyMove
replay_update (const TallyStanding *standing, const char **ret_why)
{
  *ret_why = standing->set_aside ? "set aside: every attempt to update it ended the program"
             : standing->attempts >= standing->attempts_most
                 ? "the update was sent as often as it may be in one run, and no good answer came"
                 : NULL;
  return *ret_why != NULL ? TALLY_MOVE_LEAVE : TALLY_MOVE_REPLAY;
}

TallyMove
tally_state_next (const TallyStanding *standing, gint64 *ret_wait, const char **ret_why)
{
  gboolean spent = standing->attempts >= standing->attempts_most;
  gboolean unsure;

  if (standing->absent)
    return after_absence (standing, ret_why);

  /* The sink says that a refused request was not acted upon; but past the key's life a look costs
   * little. */
  unsure = standing->in_doubt
           || (standing->touched && standing->key_life > 0 && standing->can_resolve
               && !standing->is_update && !key_is_fresh (standing));
  if (!unsure)
    return send_or_look (standing, TALLY_MOVE_SEND, ret_why);

  if (standing->since_send < standing->settle && TALLY_KEEPS ("R14"))
    {
      *ret_wait = standing->settle - standing->since_send;
      *ret_why = "the answer was lost, and the request may still be at work";
      return standing->wait ? TALLY_MOVE_WAIT : TALLY_MOVE_LEAVE;
    }
  if (standing->has_receipt && standing->can_resolve)
    return resolve_or_leave (standing, ret_why);
  if (standing->is_update)
    return replay_update (standing, ret_why);
  if (standing->refused || standing->set_aside || spent || standing->lookups > 0
      || !(standing->may_repeat || key_is_fresh (standing)))
    return resolve_or_leave (standing, ret_why);
  return send_or_look (standing, TALLY_MOVE_REPLAY, ret_why);
}

TallyRowMove
tally_state_known_row (const TallyLedgerDelivery *known, gboolean drifted, gboolean can_update)
{
  /* What the target has can only be updated: created again it would be there twice. */
  gboolean may_go = known->target_id == NULL || can_update;

  switch (known->state)
    {
    case TALLY_DELIVERY_DELIVERED:
      return !drifted ? TALLY_ROW_UNCHANGED : may_go ? TALLY_ROW_GOES : TALLY_ROW_DRIFTED;
    case TALLY_DELIVERY_RELEASED:
      return may_go ? TALLY_ROW_GOES : drifted ? TALLY_ROW_DRIFTED : TALLY_ROW_UNCHANGED;
    case TALLY_DELIVERY_REJECTED:
      return drifted && may_go ? TALLY_ROW_GOES : TALLY_ROW_REJECTED;
    case TALLY_DELIVERY_DISCARDED:
      return TALLY_ROW_UNCHANGED;
    case TALLY_DELIVERY_INTENDED:
    case TALLY_DELIVERY_IN_DOUBT:
      break;
    }
  return TALLY_ROW_UNSETTLED;
}

TallyFate
tally_state_judge (TallyVerdict verdict, const TallyHearing *hearing)
{
  /* An update that the target does not take is a reject even if an earlier request of it was lost:
   * nothing can come of it twice. */
  static const struct
  {
    TallyFate sent, looked, updated;
  } fates[] = {
    [TALLY_VERDICT_DELIVERED] = { TALLY_FATE_DELIVERED, TALLY_FATE_ADOPTED, TALLY_FATE_DELIVERED },
    [TALLY_VERDICT_REJECTED] = { TALLY_FATE_REJECTED, TALLY_FATE_UNCLEAR, TALLY_FATE_REJECTED },
    [TALLY_VERDICT_UNSENT] = { TALLY_FATE_AGAIN, TALLY_FATE_AGAIN, TALLY_FATE_AGAIN },
    [TALLY_VERDICT_BUSY] = { TALLY_FATE_AGAIN, TALLY_FATE_AGAIN, TALLY_FATE_AGAIN },
    [TALLY_VERDICT_MISMATCH] = { TALLY_FATE_REFUSED, TALLY_FATE_UNCLEAR, TALLY_FATE_REJECTED },
    [TALLY_VERDICT_UNKNOWN] = { TALLY_FATE_DOUBT, TALLY_FATE_UNCLEAR, TALLY_FATE_DOUBT },
    [TALLY_VERDICT_ABSENT] = { TALLY_FATE_DOUBT, TALLY_FATE_ABSENT, TALLY_FATE_REJECTED },
    [TALLY_VERDICT_HALT] = { TALLY_FATE_HALT, TALLY_FATE_HALT, TALLY_FATE_HALT },
  };
  gboolean known = (guint)verdict < G_N_ELEMENTS (fates)
                   && (verdict != TALLY_VERDICT_DELIVERED || hearing->has_id);
  TallyFate fate;

  if (hearing->is_lookup)
    {
      /* By a receipt it can be learnt that the request was refused. */
      if (verdict == TALLY_VERDICT_REJECTED && hearing->has_receipt)
        return TALLY_FATE_REJECTED;
      return known ? fates[verdict].looked : TALLY_FATE_UNCLEAR;
    }
  if (!known)
    return TALLY_FATE_DOUBT;
  if (hearing->is_update)
    return fates[verdict].updated;
  fate = fates[verdict].sent;
  return fate == TALLY_FATE_REJECTED && hearing->in_doubt ? TALLY_FATE_REFUSED : fate;
}
