/* watch.c: see watch.h; a signal handler can set a number and no more, so the number is looked at */
#include "watch.h"
#include "run.h"

/* Between two looks. */
#define GLANCE (G_USEC_PER_SEC / 20)

struct _TallyWatch
{
  TallyPipeline *pipeline; /* (unowned) */
  GThread *thread;
  GMutex lock;
  GCond changed;
  gboolean ended; /* under the lock */
};

static void
interrupt_all (TallyPipeline *pipeline)
{
  TallyInstance *source = pipeline->source;

  if (source->plugin->interrupt != NULL)
    source->plugin->interrupt (source->self);
  for (guint i = 0; i < pipeline->steps->len; i++)
    tally_step_interrupt (g_ptr_array_index (pipeline->steps, i));
}

static gpointer
watch_main (gpointer data)
{
  TallyWatch *watch = data;
  gboolean ended;

  g_mutex_lock (&watch->lock);
  while (!watch->ended && !tally_run_is_interrupted ())
    g_cond_wait_until (&watch->changed, &watch->lock, g_get_monotonic_time () + GLANCE);
  ended = watch->ended;
  g_mutex_unlock (&watch->lock);
  if (!ended)
    interrupt_all (watch->pipeline);
  return NULL;
}

TallyWatch *
tally_watch_new (TallyPipeline *pipeline)
{
  TallyWatch *watch = g_new0 (TallyWatch, 1);

  watch->pipeline = pipeline;
  g_mutex_init (&watch->lock);
  g_cond_init (&watch->changed);
  watch->thread = g_thread_new ("watch", watch_main, watch);
  return watch;
}

void
tally_watch_free (TallyWatch *watch)
{
  g_mutex_lock (&watch->lock);
  watch->ended = TRUE;
  g_cond_signal (&watch->changed);
  g_mutex_unlock (&watch->lock);
  g_thread_join (watch->thread);
  g_cond_clear (&watch->changed);
  g_mutex_clear (&watch->lock);
  g_free (watch);
}
