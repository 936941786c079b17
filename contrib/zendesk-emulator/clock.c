/* clock.c: the account's own time, which a rehearsal may hurry or move */
#include "clock.h"

#include <time.h>

#define LAST_SECOND G_GINT64_CONSTANT (253402300799) /* of the year 9999 */

void
emu_clock_start (EmuClock *clock, double rate)
{
  clock->origin = g_get_real_time ();
  clock->anchor = g_get_monotonic_time ();
  clock->rate = rate;
}

gint64
emu_clock_now (const EmuClock *clock)
{
  return clock->origin + (gint64)((double)(g_get_monotonic_time () - clock->anchor) * clock->rate);
}

gint64
emu_clock_seconds (const EmuClock *clock)
{
  return emu_clock_now (clock) / G_USEC_PER_SEC;
}

void
emu_clock_set (EmuClock *clock, gint64 now)
{
  clock->origin = CLAMP (now, 0, LAST_SECOND * G_USEC_PER_SEC);
  clock->anchor = g_get_monotonic_time ();
}

void
emu_clock_format (gint64 time, char buffer[EMU_CLOCK_SIZE])
{
  time_t seconds = (time_t)(time / G_USEC_PER_SEC);
  struct tm parts = { 0 };
  char whole[24];

  gmtime_r (&seconds, &parts);
  if (strftime (whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &parts) == 0)
    whole[0] = '\0';
  g_snprintf (buffer, EMU_CLOCK_SIZE, "%s.%03dZ", whole, (int)(time % G_USEC_PER_SEC / 1000));
}

void
emu_clock_format_http (gint64 seconds, char buffer[EMU_CLOCK_SIZE])
{
  /* Not strftime's %a and %b: those would follow the user's language. */
  static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
  static const char months[][4]
      = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
  time_t when = (time_t)seconds;
  struct tm parts = { 0 };

  gmtime_r (&when, &parts);
  g_snprintf (buffer, EMU_CLOCK_SIZE, "%s, %02d %s %d %02d:%02d:%02d GMT", days[parts.tm_wday % 7],
              parts.tm_mday, months[parts.tm_mon % 12], parts.tm_year + 1900, parts.tm_hour,
              parts.tm_min, parts.tm_sec);
}
