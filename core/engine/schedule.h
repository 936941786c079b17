/* schedule.h: how long requests take at a rate limit, a part of which is left to others */
#pragma once
#include <tallyman/context.h>

/* Microseconds for n requests at `limit` in each period (both above 0), spread evenly as the governor does it.  reserve: percent for
 * each hour of the day.  since_midnight: when they begin, by the same clock. */
gint64 tally_schedule_span (guint64 n, gint64 limit, gint64 period, const guint8 reserve[TALLY_HOURS], gint64 since_midnight);
/* Microseconds, of the day that it is by time's own zone. */
gint64 tally_schedule_since_midnight (GDateTime *time);
