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

static TallyMove
resolve_or_leave (const TallyStanding *standing, const char **ret_why)
{
  if (!TALLY_KEEPS ("R6"))
    return TALLY_MOVE_RENEW;

  *ret_why = !standing->can_resolve
                 ? "the answer was lost, its key is no longer good, and the target cannot be asked"
             : standing->lookups >= TALLY_LOOKUPS_MOST
                 ? "the target could not tell whether it has it"
             : standing->lookups > 0 && !standing->wait
                 ? "the target could not tell yet whether it has it"
                 : NULL;
  return *ret_why != NULL ? TALLY_MOVE_LEAVE : TALLY_MOVE_RESOLVE;
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
               && !key_is_fresh (standing));
  if (!unsure)
    return TALLY_MOVE_SEND;

  if (standing->since_send < standing->settle && TALLY_KEEPS ("R14"))
    {
      *ret_wait = standing->settle - standing->since_send;
      *ret_why = "the answer was lost, and the request may still be at work";
      return standing->wait ? TALLY_MOVE_WAIT : TALLY_MOVE_LEAVE;
    }
  if (standing->refused || standing->set_aside || spent || standing->lookups > 0
      || !key_is_fresh (standing))
    return resolve_or_leave (standing, ret_why);
  return TALLY_MOVE_REPLAY;
}

TallyFate
tally_state_judge (TallyVerdict verdict, gboolean is_lookup, gboolean has_id, gboolean in_doubt)
{
  static const struct
  {
    TallyFate sent, looked;
  } fates[] = {
    [TALLY_VERDICT_DELIVERED] = { TALLY_FATE_DELIVERED, TALLY_FATE_ADOPTED },
    [TALLY_VERDICT_REJECTED] = { TALLY_FATE_REJECTED, TALLY_FATE_UNCLEAR },
    [TALLY_VERDICT_UNSENT] = { TALLY_FATE_AGAIN, TALLY_FATE_AGAIN },
    [TALLY_VERDICT_BUSY] = { TALLY_FATE_AGAIN, TALLY_FATE_AGAIN },
    [TALLY_VERDICT_MISMATCH] = { TALLY_FATE_REFUSED, TALLY_FATE_UNCLEAR },
    [TALLY_VERDICT_UNKNOWN] = { TALLY_FATE_DOUBT, TALLY_FATE_UNCLEAR },
    [TALLY_VERDICT_ABSENT] = { TALLY_FATE_DOUBT, TALLY_FATE_ABSENT },
    [TALLY_VERDICT_HALT] = { TALLY_FATE_HALT, TALLY_FATE_HALT },
  };
  TallyFate fate;

  if ((guint)verdict >= G_N_ELEMENTS (fates) || (verdict == TALLY_VERDICT_DELIVERED && !has_id))
    return is_lookup ? TALLY_FATE_UNCLEAR : TALLY_FATE_DOUBT;

  fate = is_lookup ? fates[verdict].looked : fates[verdict].sent;
  return fate == TALLY_FATE_REJECTED && in_doubt ? TALLY_FATE_REFUSED : fate;
}
