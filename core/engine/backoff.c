/* backoff.c: doubling, bounded, and without a clock, so that it can be tested without waiting */
#include "backoff.h"

gboolean
tally_backoff_next (const TallyBackoff *backoff, guint attempt, gint64 *ret_wait)
{
  gint64 wait = backoff->base;

  if (backoff->tries > 0 && attempt >= backoff->tries)
    return FALSE;

  for (guint i = 1; i < attempt && wait < backoff->ceiling; i++)
    wait *= 2;
  *ret_wait = MIN (wait, backoff->ceiling);
  return TRUE;
}
