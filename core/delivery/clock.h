/* clock.h: the time that decides about sending, and the waiting; replaced by a virtual one in tests
 *
 * CLOCK_BOOTTIME, because it also counts while the machine is suspended: a lease may not seem alive
 * after a sleep of three hours.
 */
#pragma once
#include <glib.h>

typedef struct
{
  gint64 (*now) (gpointer data); /* microseconds since some start; never steps back */
  gpointer data;
} TallyClock;

extern const TallyClock tally_clock_boot_time;

static inline gint64
tally_clock_now (const TallyClock *clock)
{
  return clock->now (clock->data);
}
