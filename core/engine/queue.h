/* queue.h: a bounded queue of batches between two threads */
#pragma once
#include <tallyman/batch.h>

typedef struct _TallyQueue TallyQueue;

TallyQueue *tally_queue_new (guint capacity);
/* Frees the batches that are still in it. */
void tally_queue_free (TallyQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyQueue, tally_queue_free)

/* Waits for room.  FALSE if the queue was aborted: the batch is freed then. */
gboolean tally_queue_push (TallyQueue *queue, TallyBatch *batch);
/* No more will be pushed; what is in it can still be popped. */
void tally_queue_close (TallyQueue *queue);
/* Ends both sides now. */
void tally_queue_abort (TallyQueue *queue);
/* Waits at most wait microseconds for a batch; -1 for ever.  NULL if none came, see tally_queue_is_over(). */
TallyBatch *tally_queue_pop (TallyQueue *queue, gint64 wait);
/* Closed and empty, or aborted. */
gboolean tally_queue_is_over (TallyQueue *queue);
