/* clock.h: the account's own time, which a rehearsal may hurry or move
 *
 * Key lives, rate windows and every time in an answer are read from this clock.  It only ever
 * stands still, runs at its rate, or is moved by hand; the machine's wall clock is looked at once.
 */
#pragma once
#include <glib.h>

typedef struct
{
  gint64 origin; /* virtual microseconds since 1970 at @anchor */
  gint64 anchor; /* monotonic microseconds */
  double rate;   /* virtual seconds in a real one */
} EmuClock;

void emu_clock_start (EmuClock *clock, double rate);

/* Virtual microseconds, and whole seconds, since 1970. */
gint64 emu_clock_now (const EmuClock *clock);
gint64 emu_clock_seconds (const EmuClock *clock);

/* Moves the clock to @now, forwards or backwards, between the years 1970 and 9999. */
void emu_clock_set (EmuClock *clock, gint64 now);

/* Writes @time with milliseconds ("2023-09-18T23:25:58.120Z"). */
#define EMU_CLOCK_SIZE 32
void emu_clock_format (gint64 time, char buffer[EMU_CLOCK_SIZE]);

/* Writes @seconds as an HTTP date ("Mon, 18 Sep 2023 23:25:58 GMT"). */
void emu_clock_format_http (gint64 seconds, char buffer[EMU_CLOCK_SIZE]);
