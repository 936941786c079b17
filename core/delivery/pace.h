/* pace.h: when the next request may go
 *
 * Pure: it is told the time.  What the target asks for holds for all requests of a run, because a
 * rate limit counts the account and not the request (B5).
 */
#pragma once
#include <glib.h>

typedef struct
{
  gint64 not_before; /* nothing goes earlier */
  const char *why;   /* (unowned) (nullable) for a person: why not */
  guint refusals;      /* in a row, of all requests */
  guint troubles;      /* rounds of requests in a row without a good answer */
  gint64 trouble_from; /* failures of requests that were begun earlier belong to the round that is
                          counted */
} TallyPace;

/* Microseconds until the next request may go; 0: now.  ret_why (optional) (nullable). */
gint64 tally_pace_wait (const TallyPace *pace, gint64 now, const char **ret_why);
/* The target wants to be left alone for so long; 0 or nonsense: as long as seems good after so many
 * refusals. */
void tally_pace_refused (TallyPace *pace, gint64 now, gint64 wish, double chance);
/* No connection, or no answer.  All wait once there were more than `patience` rounds of it.  TRUE
 * if a round begins. */
gboolean tally_pace_trouble (TallyPace *pace, gint64 now, gint64 begun_at, guint patience,
                             const char *why, double chance);
void tally_pace_success (TallyPace *pace);

/* The wait before try number `try` (1, 2, …) of one delivery: doubles up to a minute; chance in [0,
 * 1) scatters it. */
gint64 tally_pace_backoff (guint try, double chance);
/* A wish that one may follow: nonsense is cut down to an hour. */
gint64 tally_pace_bound (gint64 wish);
