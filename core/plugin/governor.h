/* governor.h: how many requests may go in this window of a target's clock
 *
 * A rate limit counts requests in fixed windows of the target's own clock: a full budget returns at
 * every :00.  Pure: it is told the time, by the target's clock as far as that is known.
 */
#pragma once
#include <glib.h>

/* Where the target's clock stands, as far as ours: never ahead of it, behind it by the way of an
 * answer. */
typedef struct
{
  gboolean known;
  gint64 offset; /* microseconds that it is ahead of ours */
} TallyTargetClock;

/* An answer said that it is `date`, cut to a second, on a request that took from sent_at to got_at.
 */
void tally_target_clock_told (TallyTargetClock *clock, gint64 date, gint64 sent_at, gint64 got_at);

typedef struct
{
  gint64 period;   /* microseconds of a window */
  gint64 limit;    /* requests in one; 0: not known, so not limited */
  guint reserve;   /* percent that others have for themselves */
  gint64 window;   /* the number of the present one */
  gint64 claimed;  /* of it by us, all runs that share it */
  gint64 credits;  /* of these what is not spent; below 0: spent in advance, or by
                    * requests of the window before, which may count in this one */
  gint64 others;   /* what others spent in it, at least */
  gint64 answered; /* requests of ours that were answered in it */
  gint64 in_flight;
  gboolean told; /* the limit was told, not guessed */
  guint calm;    /* windows that have passed since the last guess */
} TallyGovernor;

void tally_governor_init (TallyGovernor *governor, gint64 period);
/* Notices that a window has begun. */
void tally_governor_turn (TallyGovernor *governor, gint64 at);
/* How many we may have claimed by now. */
gint64 tally_governor_ceiling (const TallyGovernor *governor, gint64 at);
/* Microseconds until n more may be claimed, or what the window still has; 0: now. */
gint64 tally_governor_wait (const TallyGovernor *governor, gint64 at, gint64 n);
/* Claims up to so many, for a run that shares with nobody. */
void tally_governor_claim (TallyGovernor *governor, gint64 at, gint64 want);
/* The same, by what all who share were granted.  One that is of another window is void. */
void tally_governor_grant (TallyGovernor *governor, gint64 window, gint64 n, gint64 claimed);
/* A request goes, if there is one left.  ret_window: the window that it counts in. */
gboolean tally_governor_take (TallyGovernor *governor, gint64 *ret_window);

/* The end of a request that was taken in `window`.  answered_in: the window that the answer's date
 * is of, or -1. */
void tally_governor_end (TallyGovernor *governor, gint64 window, gint64 answered_in);
/* What an answer of the present window tells; remaining -1: not said. */
void tally_governor_told (TallyGovernor *governor, gint64 limit, gint64 remaining);
/* A request was refused, and nothing is known of a limit: what went until now may be it.  A
 * guess doubles after some windows in which nothing was refused. */
void tally_governor_guess (TallyGovernor *governor);
