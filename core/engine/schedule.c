/* schedule.c: see plugin/governor.c, whose share of a window this is when nobody else takes more than the reserve */
#include "schedule.h"

#define HOUR (3600 * (gint64) G_USEC_PER_SEC)
#define DAY (TALLY_HOURS * HOUR)
/* What takes longer need not be known more closely. */
#define LONGEST (100 * 365 * DAY)

/* Requests in a microsecond. */
static double
speed (gint64 limit, gint64 period, guint reserve)
{
  return (double) MAX (limit - limit * reserve / 100, 1) / (double) period;
}

gint64
tally_schedule_span (guint64 n, gint64 limit, gint64 period, const guint8 reserve[TALLY_HOURS], gint64 since_midnight)
{
  double left = (double) n, of_a_day = 0;
  gint64 begin = since_midnight % DAY, at = begin;

  for (guint hour = 0; hour < TALLY_HOURS; hour++)
    of_a_day += speed (limit, period, reserve[hour]) * (double) HOUR;
  if (left / of_a_day >= (double) (LONGEST / DAY))
    return LONGEST;
  at += DAY * (gint64) (left / of_a_day);
  left -= of_a_day * (double) (gint64) (left / of_a_day);
  for (;;)
    {
      double now = speed (limit, period, reserve[at / HOUR % TALLY_HOURS]);
      gint64 rest = HOUR - at % HOUR;

      if (left <= now * (double) rest)
        return at - begin + (gint64) (left / now);
      left -= now * (double) rest;
      at += rest;
    }
}

gint64
tally_schedule_since_midnight (GDateTime *time)
{
  gint64 minutes = g_date_time_get_hour (time) * 60 + g_date_time_get_minute (time);

  return (minutes * 60 + g_date_time_get_second (time)) * G_USEC_PER_SEC;
}
