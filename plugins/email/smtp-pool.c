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
  gint cancelled;       /* atomic */
  GThreadPool *threads; /* (owned) */
  GAsyncQueue *idle;    /* (owned) (element-type Smtp) */
  GAsyncQueue *done;    /* (owned) (element-type Job), and `wake` */
  Job wake;             /* stands for nothing but the end of a wait */
  gint woken;           /* atomic: it is in the queue */
};

static void
job_free (Job *job)
{
  g_free (job->result.detail);
  g_free (job);
}

static gboolean
is_cancelled (gpointer data)
{
  SmtpPool *pool = data;

  return g_atomic_int_get (&pool->cancelled) != 0;
}

static void
work (gpointer data, gpointer pool_data)
{
  SmtpPool *pool = pool_data;
  Job *job = data;
  Smtp *smtp = g_async_queue_try_pop (pool->idle);

  if (smtp == NULL)
    smtp = smtp_new (&pool->config, is_cancelled, pool);
  smtp_send (smtp, job->mail, &job->result);
  g_async_queue_push (pool->idle, smtp);
  g_async_queue_push (pool->done, job);
}

SmtpPool *
smtp_pool_new (const SmtpConfig *config)
{
  SmtpPool *pool = g_new0 (SmtpPool, 1);

  pool->config = *config;
  pool->idle = g_async_queue_new ();
  pool->done = g_async_queue_new ();
  pool->threads = g_thread_pool_new (work, pool, /* max_threads= */ -1, /* exclusive= */ FALSE, NULL);
  return pool;
}

void
smtp_pool_free (SmtpPool *pool)
{
  gpointer item;

  if (pool == NULL)
    return;
  g_atomic_int_set (&pool->cancelled, 1);
  g_thread_pool_free (pool->threads, /* immediate= */ FALSE, /* wait_= */ TRUE);
  while ((item = g_async_queue_try_pop (pool->done)) != NULL)
    if (item != &pool->wake)
      job_free (item);
  while ((item = g_async_queue_try_pop (pool->idle)) != NULL)
    smtp_free (item);
  g_async_queue_unref (pool->done);
  g_async_queue_unref (pool->idle);
  g_free (pool);
}

void
smtp_pool_send (SmtpPool *pool, const SmtpMail *mail, gpointer data)
{
  Job *job = g_new0 (Job, 1);

  job->mail = mail;
  job->data = data;
  g_thread_pool_push (pool->threads, job, NULL);
}

gpointer
smtp_pool_take (SmtpPool *pool, gint64 wait, SmtpResult *ret_result)
{
  Job *job = wait > 0 ? g_async_queue_timeout_pop (pool->done, (guint64) wait) : g_async_queue_try_pop (pool->done);
  gpointer data;

  if (job == &pool->wake)
    g_atomic_int_set (&pool->woken, 0);
  if (job == NULL || job == &pool->wake)
    return NULL;
  *ret_result = job->result;
  data = job->data;
  g_free (job);
  return data;
}

void
smtp_pool_wake (SmtpPool *pool)
{
  if (g_atomic_int_compare_and_exchange (&pool->woken, 0, 1))
    g_async_queue_push (pool->done, &pool->wake);
}
