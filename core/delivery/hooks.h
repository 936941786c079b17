/* hooks.h: where a test build may kill us, switch a rule off, or let time fly
 *
 * The product has none of this: the macros vanish unless TALLY_TESTING is defined, which only the
 * library below tests/ is built with.
 *
 * TALLYMAN_CRASH=point:count            SIGKILL to ourselves the count-th time that point is passed
 * TALLYMAN_BREAK=R5                     rule R5 of the delivery protocol is not kept
 * TALLYMAN_CLOCK_RATE=60                our clock runs 60 times as fast, and our waits end 60 times
 * as soon TALLYMAN_LEDGER_CLOCK_OFFSET=7200     the ledger's clock shows two hours more
 */
#pragma once
#include <glib.h>

#ifdef TALLY_TESTING
void tally_hook_point (const char *point);
gboolean tally_hook_keeps (const char *rule);
gint64 tally_hook_time (gint64 microseconds);
gint64 tally_hook_wait (gint64 microseconds);
gint64 tally_hook_ledger_time (gint64 now);

/* For tests in the same process. */
void tally_hook_set_break (const char *rule); /* (nullable) */
void tally_hook_set_point (void (*at_point) (const char *point, gpointer data), gpointer data);
void tally_hook_set_ledger_clock (gint64 (*now) (gpointer data), gpointer data);

#define TALLY_POINT(point) tally_hook_point (point)
#define TALLY_KEEPS(rule) tally_hook_keeps (rule)
#define TALLY_TIME(microseconds) tally_hook_time (microseconds)
#define TALLY_WAIT(microseconds) tally_hook_wait (microseconds)
#define TALLY_LEDGER_TIME(now) tally_hook_ledger_time (now)
#else
#define TALLY_POINT(point) ((void)0)
#define TALLY_KEEPS(rule) TRUE
#define TALLY_TIME(microseconds) (microseconds)
#define TALLY_WAIT(microseconds) (microseconds)
#define TALLY_LEDGER_TIME(now) (now)
#endif
