/* queue.c: a slow sink slows the source, because this has no more room */
#include "queue.h"

struct _TallyQueue
{
  GMutex lock;
  GCond changed;
  GQueue batches; /* (element-type TallyBatch) (owned elements) */
  guint capacity;
  gboolean closed;
  gboolean aborted;
};

TallyQueue *
tally_queue_new (guint capacity)
{
  TallyQueue *queue = g_new0 (TallyQueue, 1);

  g_mutex_init (&queue->lock);
  g_cond_init (&queue->changed);
  g_queue_init (&queue->batches);
  queue->capacity = capacity;
  return queue;
}

void
tally_queue_free (TallyQueue *queue)
{
  if (queue == NULL)
    return;

  g_queue_clear_full (&queue->batches, (GDestroyNotify) tally_batch_free);
  g_cond_clear (&queue->changed);
  g_mutex_clear (&queue->lock);
  g_free (queue);
}

gboolean
tally_queue_push (TallyQueue *queue, TallyBatch *batch)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&queue->lock);

  while (!queue->aborted && queue->batches.length >= queue->capacity)
    g_cond_wait (&queue->changed, &queue->lock);
  if (queue->aborted)
    {
      tally_batch_free (batch);
      return FALSE;
    }

  g_queue_push_tail (&queue->batches, batch);
  g_cond_broadcast (&queue->changed);
  return TRUE;
}

void
tally_queue_close (TallyQueue *queue)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&queue->lock);

  queue->closed = TRUE;
  g_cond_broadcast (&queue->changed);
}

void
tally_queue_abort (TallyQueue *queue)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&queue->lock);

  queue->aborted = TRUE;
  g_cond_broadcast (&queue->changed);
}

TallyBatch *
tally_queue_pop (TallyQueue *queue, gint64 wait)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&queue->lock);
  gint64 deadline = g_get_monotonic_time () + wait;

  while (queue->batches.length == 0 && !queue->closed && !queue->aborted)
    {
      if (wait < 0)
        g_cond_wait (&queue->changed, &queue->lock);
      else if (!g_cond_wait_until (&queue->changed, &queue->lock, deadline))
        return NULL;
    }
  if (queue->aborted)
    return NULL;

  g_cond_broadcast (&queue->changed);
  return g_queue_pop_head (&queue->batches);
}

gboolean
tally_queue_is_over (TallyQueue *queue)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&queue->lock);

  return queue->aborted || (queue->closed && queue->batches.length == 0);
}
