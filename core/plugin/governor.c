/* governor.c: how many requests may go in this window of a target's clock */
#include "governor.h"

/* All is spent this part of a window before its end, so that few requests are under way when the
 * next begins. */
#define TAIL 30
/* While others have more than what is reserved for them, this part of the limit is not touched. */
#define CUSHION 100
/* What others spent says little of what they will until they had this part of a window. */
#define PATIENCE 4
/* No limit is guessed to be less: the smallest plan of Zendesk's that is sold has 200 a minute
 * (zendesk-api.md, 3.1). */
#define GUESS_LEAST 100
#define GUESS_MOST (G_MAXINT32 / 2)
/* Windows without a refusal after which a guess is taken to have been too low. */
#define CALM 4

void
tally_target_clock_told (TallyTargetClock *clock, gint64 date, gint64 sent_at, gint64 got_at)
{
  gint64 least = date - got_at, most = date + G_USEC_PER_SEC - sent_at;

  if (!clock->known || least > clock->offset || most < clock->offset)
    clock->offset = least;
  clock->known = TRUE;
}

void
tally_governor_init (TallyGovernor *governor, gint64 period)
{
  *governor = (TallyGovernor){ .period = period, .window = -1 };
}

/* What was refused need not have been too much: a storm of refusals passes. */
static void
governor_regain (TallyGovernor *governor)
{
  if (++governor->calm % CALM == 0 && governor->limit < GUESS_MOST)
    governor->limit *= 2;
}

void
tally_governor_turn (TallyGovernor *governor, gint64 at)
{
  gint64 window = at / governor->period;

  /* A step back by one is the other reading of an instant; by more, the clock was set. */
  if (window == governor->window || window == governor->window - 1)
    return;
  governor->window = window;
  if (!governor->told)
    governor_regain (governor);
  governor->claimed = 0;
  governor->credits = -governor->in_flight;
  governor->others = governor->answered = 0;
}

/* What all of us may spend in this window, as it looks now. */
static gint64
governor_share (const TallyGovernor *governor, gint64 elapsed)
{
  gint64 reserved = governor->limit * governor->reserve / 100;
  gint64 left = governor->period - elapsed;
  gint64 expected
      = governor->others + governor->others * left / (elapsed + governor->period / PATIENCE);

  if (governor->others <= reserved)
    return MAX (governor->limit - MAX (reserved, MIN (expected, governor->limit)),
                governor->limit > 0);
  return governor->limit - MIN (expected, governor->limit)
         - MAX (governor->limit / CUSHION, governor->in_flight);
}

static gint64
governor_elapsed (const TallyGovernor *governor, gint64 at)
{
  return CLAMP (at - governor->window * governor->period, 0, governor->period);
}

gint64
tally_governor_ceiling (const TallyGovernor *governor, gint64 at)
{
  gint64 elapsed = governor_elapsed (governor, at);
  gint64 share = governor_share (governor, elapsed);
  gint64 span = governor->period - governor->period / TAIL;

  if (governor->limit == 0)
    return G_MAXINT64;
  /* The first goes at once. */
  return MIN (share, 1 + (gint64)((double)share * (double)elapsed / (double)span));
}

gint64
tally_governor_wait (const TallyGovernor *governor, gint64 at, gint64 n)
{
  gint64 elapsed = governor_elapsed (governor, at);
  gint64 share = governor_share (governor, elapsed);
  gint64 span = governor->period - governor->period / TAIL;
  gint64 end = (governor->window + 1) * governor->period - at;
  gint64 owed = governor->claimed + MAX (-governor->credits, 0);
  gint64 wanted = MIN (owed + n, share);

  if (governor->credits > 0 || (wanted > owed && tally_governor_ceiling (governor, at) >= wanted))
    return 0;
  if (share <= owed)
    return MAX (MIN (end, governor->period / PATIENCE), 1);
  return CLAMP ((wanted - 1) * span / share + 1 - elapsed, 1, MAX (end, 1));
}

void
tally_governor_claim (TallyGovernor *governor, gint64 at, gint64 want)
{
  gint64 n = CLAMP (tally_governor_ceiling (governor, at) - governor->claimed, 0, want);

  governor->claimed += n;
  governor->credits += n;
}

void
tally_governor_grant (TallyGovernor *governor, gint64 window, gint64 n, gint64 claimed)
{
  if (window != governor->window)
    return;
  governor->claimed = claimed;
  governor->credits += n;
}

gboolean
tally_governor_take (TallyGovernor *governor, gint64 *ret_window)
{
  if (governor->limit > 0 && governor->credits <= 0)
    return FALSE;
  governor->credits--;
  governor->in_flight++;
  *ret_window = governor->window;
  return TRUE;
}

void
tally_governor_end (TallyGovernor *governor, gint64 window, gint64 answered_in)
{
  governor->in_flight--;
  governor->answered += answered_in == governor->window;
  if (window < governor->window && answered_in >= 0 && answered_in < governor->window)
    governor->credits++;
}

void
tally_governor_told (TallyGovernor *governor, gint64 limit, gint64 remaining)
{
  gint64 sent = governor->claimed - governor->credits;

  if (limit > 0)
    {
      governor->limit = limit;
      governor->told = TRUE;
    }
  if (remaining >= 0 && governor->limit > 0)
    governor->others = MAX (governor->others, governor->limit - remaining - sent);
}

void
tally_governor_guess (TallyGovernor *governor)
{
  if (governor->told || governor->answered == 0)
    return;
  governor->limit = MAX (governor->answered, GUESS_LEAST);
  governor->calm = 0;
}
