/* clock.c: the machine's own clock */
#include "clock.h"
#include "hooks.h"
#include <time.h>

static gint64
boot_time_now (gpointer data)
{
  struct timespec time;

  clock_gettime (CLOCK_BOOTTIME, &time);
  return TALLY_TIME ((gint64)time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000);
}

const TallyClock tally_clock_boot_time = { boot_time_now, NULL };
