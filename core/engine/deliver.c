/* deliver.c: the caller's thread around a delivering sink */
#include "run.h"
#include <string.h>

/* A signal and the progress line are looked after this often. */
#define GLANCE (G_USEC_PER_SEC / 4)

/* Hands over what is ready.  Only an idle dispatcher waits for the source. */
static void
feed (TallyStages *stages, TallyDispatcher *dispatcher, gboolean *ended)
{
  while (!*ended && tally_dispatcher_wants (dispatcher))
    {
      TallyBatch *batch = tally_queue_pop (stages->shaped, 0);

      if (batch != NULL)
        tally_dispatcher_take (dispatcher, batch);
      else if (tally_queue_is_over (stages->shaped))
        {
          tally_dispatcher_end (dispatcher);
          *ended = TRUE;
        }
      else
        return;
    }
}

/* The source or a step failed, the limit of rejects is reached, or a signal came: what is in flight may
 * settle, the rest stays for the next run. */
static void
stop (TallyStages *stages, TallyDispatcher *dispatcher)
{
  const TallyClock *clock = &tally_clock_boot_time;

  tally_stages_stop (stages);
  tally_queue_abort (stages->shaped);
  tally_dispatcher_stop (dispatcher, tally_clock_now (clock) + stages->options->drain);
}

/* What came of it is a sign of life, and so is a wait whose end is known; an answer that does not come is none. */
static void
note_progress (const TallyStages *stages, const TallyCounts *before, const TallyCounts *counts, const char *why)
{
  if (why != NULL || memcmp (before, counts, sizeof *counts) != 0)
    tally_stages_beat (stages);
}

static gboolean
deliver (TallyStages *stages, TallyDispatcher *dispatcher, TallyCounts *counts, GError **error)
{
  g_autoptr (GError) reason = NULL;
  gboolean ended = FALSE;

  while (!tally_dispatcher_is_done (dispatcher))
    {
      const TallyCounts before = *counts;
      TallyHold hold;

      if (reason == NULL)
        feed (stages, dispatcher, &ended);
      if (!tally_dispatcher_step (dispatcher, GLANCE, error))
        {
          tally_dispatcher_counts (dispatcher, counts);
          return FALSE;
        }
      tally_dispatcher_counts (dispatcher, counts);
      hold.left = tally_dispatcher_waiting (dispatcher, &hold.why);
      note_progress (stages, &before, counts, hold.why);
      if (reason != NULL)
        tally_run_show (stages, counts, (TallyHold){ "for what is in flight, before the run stops" });
      else if (!tally_run_watch (stages, counts, hold, &reason))
        stop (stages, dispatcher);
    }

  if (reason == NULL)
    reason = tally_stages_steal_error (stages);
  if (reason == NULL)
    tally_rejects_within_limit (stages->pipeline, counts, /* at_end= */ TRUE, &reason);
  if (reason != NULL)
    g_propagate_error (error, g_steal_pointer (&reason));
  return *error == NULL;
}

gboolean
tally_deliver_all (TallyStages *stages, const TallyDispatcherConfig *config, TallyCounts *counts,
                   GError **error)
{
  g_autoptr (TallyDispatcher) dispatcher = tally_dispatcher_new (config, error);
  gboolean done = dispatcher != NULL && deliver (stages, dispatcher, counts, error);

  if (dispatcher != NULL && tally_dispatcher_position (dispatcher) != NULL)
    {
      g_free (stages->durable);
      stages->durable = g_strdup (tally_dispatcher_position (dispatcher));
    }
  return done;
}
