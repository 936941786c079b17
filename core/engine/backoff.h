/* backoff.h: how long to wait before trying again */
#pragma once
#include <glib.h>

typedef struct
{
  gint64 base;    /* microseconds before the second try */
  gint64 ceiling; /* no wait is longer, whatever the attempt */
  guint tries;    /* in all; 0 means for ever */
} TallyBackoff;

/* Works out the wait after attempt tries (at least 1): it doubles with each one up to the ceiling.
 * FALSE, with ret_wait untouched, when the tries are used up. */
gboolean tally_backoff_next (const TallyBackoff *backoff, guint attempt, gint64 *ret_wait);
