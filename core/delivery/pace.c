/* pace.c: when the next request may go */
#include "pace.h"

#define SECOND ((gint64)G_USEC_PER_SEC)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define WISH_MOST (24 * HOUR) /* a longer one is nonsense */
#define BACKOFF_MOST MINUTE

gint64
tally_pace_bound (gint64 wish)
{
  return wish <= 0 ? 0 : wish > WISH_MOST ? HOUR : wish;
}

gint64
tally_pace_backoff (guint try, double chance)
{
  gint64 wait = SECOND << MIN (MAX (try, 1) - 1, 6);

  wait = MIN (wait, BACKOFF_MOST);
  return wait / 2 + (gint64)((double)(wait / 2) * chance);
}

gint64
tally_pace_wait (const TallyPace *pace, gint64 now, const char **ret_why)
{
  gint64 held = pace->not_before - now;

  if (ret_why != NULL)
    *ret_why = held > 0 ? pace->why : NULL;
  return MAX (held, 0);
}

static void
pace_hold (TallyPace *pace, gint64 until, const char *why)
{
  if (until <= pace->not_before)
    return;
  pace->not_before = until;
  pace->why = why;
}

void
tally_pace_refused (TallyPace *pace, gint64 now, gint64 wish, double chance)
{
  pace->refusals++;
  pace->troubles = 0; /* it answers */
  wish = tally_pace_bound (wish);
  if (wish == 0)
    wish = tally_pace_backoff (pace->refusals, chance);
  pace_hold (pace, now + wish, "the target asked to be left alone");
}

gboolean
tally_pace_trouble (TallyPace *pace, gint64 now, gint64 begun_at, guint patience, const char *why,
                    double chance)
{
  gboolean is_new = begun_at >= pace->trouble_from;

  /* Ten requests that fail together are one trouble. */
  if (is_new)
    {
      pace->troubles++;
      pace->trouble_from = now;
    }
  if (pace->troubles > patience)
    pace_hold (pace, now + tally_pace_backoff (pace->troubles - patience, chance), why);
  return is_new;
}

void
tally_pace_success (TallyPace *pace)
{
  pace->troubles = 0;
  pace->refusals = 0;
}
