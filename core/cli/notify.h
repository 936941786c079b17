/* notify.h: tells a service manager how a run is doing, by the protocol of sd_notify(3)
 *
 * Nothing is sent where nobody asked for it: without NOTIFY_SOCKET each call does nothing.
 */
#pragma once
#include <glib.h>

/* Reads the environment; drain: microseconds that requests in flight get after a signal.  Before signals are caught. */
void tally_notify_open (gint64 drain);
/* The first run begins. */
void tally_notify_ready (void);
/* A line for a person, at most once a second. */
void tally_notify_status (const char *line);
/* A run moves.  Any thread. */
void tally_notify_alive (void);
/* The run ends soon, since a signal came.  May be called in a signal handler. */
void tally_notify_stopping (void);
