/* smtp-pool.c: several mails at once, each over a connection and on a thread of its own */
#include "smtp-pool.h"

typedef struct
{
  const SmtpMail *mail; /* (unowned) */
  gpointer data;
  SmtpResult result;
} Job;

struct _SmtpPool
{
  SmtpConfig config;
  gint cancelled;     /* atomic */
  GPtrArray *threads; /* (owned) (element-type GThread) */
  GMutex lock;        /* of all that follows */
  GCond more;         /* there is a mail to send, or it is over */
  GCond news;         /* one has come to its end, or nobody is to wait */
  GQueue todo, done;  /* (element-type Job) (owned) */
  guint n_free;       /* threads that have no mail */
  gboolean woken, over;
};

static void
job_free (gpointer data)
{
  Job *job = data;

  g_free (job->result.detail);
  g_free (job);
}

static gboolean
is_cancelled (gpointer data)
{
  SmtpPool *pool = data;

  return g_atomic_int_get (&pool->cancelled) != 0;
}

/* A thread, with its connection, until it is over. */
static gpointer
work (gpointer data)
{
  SmtpPool *pool = data;
  Smtp *smtp = smtp_new (&pool->config, is_cancelled, pool);

  g_mutex_lock (&pool->lock);
  while (!pool->over)
    {
      Job *job = g_queue_pop_head (&pool->todo);

      if (job == NULL)
        {
          g_cond_wait (&pool->more, &pool->lock);
          continue;
        }
      pool->n_free--;
      g_mutex_unlock (&pool->lock);
      smtp_send (smtp, job->mail, &job->result);
      g_mutex_lock (&pool->lock);
      pool->n_free++;
      g_queue_push_tail (&pool->done, job);
      g_cond_signal (&pool->news);
    }
  g_mutex_unlock (&pool->lock);
  smtp_free (smtp);
  return NULL;
}

SmtpPool *
smtp_pool_new (const SmtpConfig *config)
{
  SmtpPool *pool = g_new0 (SmtpPool, 1);

  pool->config = *config;
  pool->threads = g_ptr_array_new ();
  g_mutex_init (&pool->lock);
  g_cond_init (&pool->more);
  g_cond_init (&pool->news);
  return pool;
}

void
smtp_pool_free (SmtpPool *pool)
{
  if (pool == NULL)
    return;
  g_atomic_int_set (&pool->cancelled, 1);
  g_mutex_lock (&pool->lock);
  pool->over = TRUE;
  g_cond_broadcast (&pool->more);
  g_mutex_unlock (&pool->lock);
  for (guint i = 0; i < pool->threads->len; i++)
    g_thread_join (pool->threads->pdata[i]);
  g_ptr_array_unref (pool->threads);
  g_queue_clear_full (&pool->todo, job_free);
  g_queue_clear_full (&pool->done, job_free);
  g_cond_clear (&pool->news);
  g_cond_clear (&pool->more);
  g_mutex_clear (&pool->lock);
  g_free (pool);
}

void
smtp_pool_send (SmtpPool *pool, const SmtpMail *mail, gpointer data)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&pool->lock);
  Job *job = g_new0 (Job, 1);

  job->mail = mail;
  job->data = data;
  g_queue_push_tail (&pool->todo, job);
  if (pool->todo.length > pool->n_free)
    {
      pool->n_free++;
      g_ptr_array_add (pool->threads, g_thread_new ("smtp", work, pool));
    }
  g_cond_signal (&pool->more);
}

gpointer
smtp_pool_take (SmtpPool *pool, gint64 wait, SmtpResult *ret_result)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&pool->lock);
  gint64 until = g_get_monotonic_time () + wait;
  g_autofree Job *job = NULL;

  while (wait > 0 && pool->done.length == 0 && !pool->woken)
    if (!g_cond_wait_until (&pool->news, &pool->lock, until))
      break;
  pool->woken = FALSE;
  job = g_queue_pop_head (&pool->done);
  if (job == NULL)
    return NULL;
  *ret_result = job->result;
  return job->data;
}

void
smtp_pool_wake (SmtpPool *pool)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&pool->lock);

  pool->woken = TRUE;
  g_cond_signal (&pool->news);
}
