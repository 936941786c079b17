/* commit-thread.c: the clerk that is a thread with a ledger connection of its own
 *
 * Locking: the mutex guards the two queues, the deadline and the failure.  It is not held while the
 * ledger is asked.  An errand belongs to whoever took it out of a queue.
 */
#include "clerk.h"
#include "hooks.h"

#define MARK_EVERY G_USEC_PER_SEC

typedef struct
{
  TallyClerk clerk;
  TallyLedger *ledger; /* (owned) the thread's once it runs */
  const TallyClock *clock;
  gint64 epoch, lease_ttl;
  void (*interrupt) (gpointer self);
  gpointer self;
  GThread *thread;
  gint64 renewed_at; /* the thread's */
  gint64 marked_at;  /* the thread's */
  gboolean unmarked; /* the thread's: commits that the mark does not know yet */

  GMutex mutex;
  GCond asked, answered;
  GQueue todo, done;
  gboolean closing;
  gint64 deadline;
  GError *failure; /* (owned) (nullable) */
} CommitThread;

void
tally_errand_free (TallyErrand *errand)
{
  if (errand == NULL)
    return;
  g_clear_pointer (&errand->found, g_ptr_array_unref);
  g_clear_error (&errand->error);
  errand->free (errand);
}

void
tally_errand_run (TallyErrand *errand, TallyLedger *ledger, gint64 scope, const TallyClock *clock)
{
  errand->began_at = tally_clock_now (clock);
  switch (errand->kind)
    {
    case TALLY_ERRAND_FIND:
      errand->found = tally_ledger_find (ledger, scope, (const char *const *)errand->keys->pdata,
                                         errand->keys->len, &errand->error);
      break;
    case TALLY_ERRAND_LIST:
      errand->found = tally_ledger_list_unsettled (ledger, scope, errand->after, errand->limit,
                                                   &errand->error);
      break;
    case TALLY_ERRAND_COMMIT:
      tally_ledger_commit (ledger, &errand->change, &errand->ledger_now, &errand->error);
      break;
    case TALLY_ERRAND_SHARE:
      tally_ledger_set_shared (ledger, errand->epoch, scope, TRUE, &errand->error);
      break;
    }
}

/* Called with the mutex held. */
static void
thread_note_lease (CommitThread *thread, gint64 began_at, const GError *error)
{
  if (error == NULL)
    thread->deadline = began_at + thread->lease_ttl;
  else if (thread->failure == NULL)
    thread->failure = g_error_copy (error);
  thread->renewed_at = began_at;
}

static void
thread_save_mark (CommitThread *thread, gboolean now, GError **error)
{
  if (!thread->unmarked
      || (!now && tally_clock_now (thread->clock) - thread->marked_at < MARK_EVERY))
    return;
  thread->marked_at = tally_clock_now (thread->clock);
  thread->unmarked = !tally_ledger_save_mark (thread->ledger, error);
}

static void
thread_run_errand (CommitThread *thread, TallyErrand *errand)
{
  tally_errand_run (errand, thread->ledger, thread->clerk.scope, thread->clock);
  if (errand->kind != TALLY_ERRAND_COMMIT)
    return;

  if (errand->error == NULL)
    {
      TALLY_POINT ("committed");
      thread->unmarked = TRUE;
      thread_save_mark (thread, FALSE, &errand->error);
    }
  g_mutex_lock (&thread->mutex);
  thread_note_lease (thread, errand->began_at, errand->error);
  g_mutex_unlock (&thread->mutex);
}

static void
thread_renew (CommitThread *thread)
{
  g_autoptr (GError) error = NULL;
  gint64 began_at = tally_clock_now (thread->clock);

  if (tally_ledger_renew (thread->ledger, thread->epoch, thread->lease_ttl, &error))
    thread_save_mark (thread, FALSE, &error);
  g_mutex_lock (&thread->mutex);
  thread_note_lease (thread, began_at, error);
  g_mutex_unlock (&thread->mutex);
  if (thread->interrupt != NULL)
    thread->interrupt (thread->self);
}

/* Waits for an errand until the lease must be renewed.  (transfer full) (nullable) */
static TallyErrand *
thread_next_errand (CommitThread *thread, gboolean *ret_closing)
{
  TallyErrand *errand;

  g_mutex_lock (&thread->mutex);
  while (g_queue_is_empty (&thread->todo) && !thread->closing)
    {
      gint64 rest = thread->renewed_at + thread->lease_ttl / 3 - tally_clock_now (thread->clock);

      if (rest <= 0)
        break;
      g_cond_wait_until (&thread->asked, &thread->mutex,
                         g_get_monotonic_time () + TALLY_WAIT (rest));
    }
  *ret_closing = thread->closing;
  errand = thread->closing ? NULL : g_queue_pop_head (&thread->todo);
  g_mutex_unlock (&thread->mutex);
  return errand;
}

static gpointer
thread_main (gpointer data)
{
  CommitThread *thread = data;
  TallyErrand *errand;
  gboolean closing;

  while (errand = thread_next_errand (thread, &closing), !closing)
    {
      if (errand == NULL)
        {
          thread_renew (thread);
          continue;
        }
      thread_run_errand (thread, errand);
      g_mutex_lock (&thread->mutex);
      g_queue_push_tail (&thread->done, errand);
      g_cond_signal (&thread->answered);
      g_mutex_unlock (&thread->mutex);
      if (thread->interrupt != NULL)
        thread->interrupt (thread->self);
    }
  return NULL;
}

static void
commit_thread_post (TallyClerk *clerk, TallyErrand *errand)
{
  CommitThread *thread = (CommitThread *)clerk;

  g_mutex_lock (&thread->mutex);
  g_queue_push_tail (&thread->todo, errand);
  g_cond_signal (&thread->asked);
  g_mutex_unlock (&thread->mutex);
}

static TallyErrand *
commit_thread_collect (TallyClerk *clerk, gint64 wait)
{
  CommitThread *thread = (CommitThread *)clerk;
  gint64 until = g_get_monotonic_time () + TALLY_WAIT (wait);
  TallyErrand *errand;

  g_mutex_lock (&thread->mutex);
  while (g_queue_is_empty (&thread->done) && wait > 0)
    if (!g_cond_wait_until (&thread->answered, &thread->mutex, until))
      break;
  errand = g_queue_pop_head (&thread->done);
  g_mutex_unlock (&thread->mutex);
  return errand;
}

static gboolean
commit_thread_deadline (TallyClerk *clerk, gint64 *ret_deadline, GError **error)
{
  CommitThread *thread = (CommitThread *)clerk;
  gboolean held;

  g_mutex_lock (&thread->mutex);
  held = thread->failure == NULL;
  if (held)
    *ret_deadline = thread->deadline;
  else
    g_propagate_error (error, g_error_copy (thread->failure));
  g_mutex_unlock (&thread->mutex);
  return held;
}

static void
commit_thread_free (TallyClerk *clerk)
{
  CommitThread *thread = (CommitThread *)clerk;

  if (thread->thread != NULL)
    {
      g_mutex_lock (&thread->mutex);
      thread->closing = TRUE;
      g_cond_signal (&thread->asked);
      g_mutex_unlock (&thread->mutex);
      g_thread_join (thread->thread);
      if (thread->failure == NULL)
        thread_save_mark (thread, TRUE, NULL);
    }
  g_queue_clear_full (&thread->todo, (GDestroyNotify)tally_errand_free);
  g_queue_clear_full (&thread->done, (GDestroyNotify)tally_errand_free);
  g_clear_pointer (&thread->ledger, tally_ledger_close);
  g_clear_error (&thread->failure);
  g_mutex_clear (&thread->mutex);
  g_cond_clear (&thread->asked);
  g_cond_clear (&thread->answered);
  g_free (clerk->ledger_id);
  g_free (thread);
}

static const TallyClerkClass commit_thread_class = {
  .post = commit_thread_post,
  .collect = commit_thread_collect,
  .deadline = commit_thread_deadline,
  .free = commit_thread_free,
};

static gboolean
commit_thread_open (CommitThread *thread, const TallyClerkConfig *config, GError **error)
{
  TallyClerk *clerk = &thread->clerk;

  thread->ledger = tally_ledger_open (config->uri, config->flags, error);
  if (thread->ledger == NULL)
    return FALSE;
  if (!tally_ledger_check_mark (thread->ledger, error)
      || !tally_ledger_scope (thread->ledger, &config->scope, &clerk->scope, error)
      || !tally_ledger_is_shared (thread->ledger, clerk->scope, &clerk->is_shared, error))
    return FALSE;

  clerk->asked_at = tally_clock_now (thread->clock);
  if (!tally_ledger_renew (thread->ledger, thread->epoch, thread->lease_ttl, error)
      || !tally_ledger_now (thread->ledger, &clerk->ledger_now, error))
    return FALSE;
  clerk->told_at = tally_clock_now (thread->clock);
  clerk->ledger_id = g_strdup (tally_ledger_id (thread->ledger));
  thread->renewed_at = clerk->asked_at;
  thread->deadline = clerk->asked_at + thread->lease_ttl;
  return TRUE;
}

TallyClerk *
tally_commit_thread_new (const TallyClerkConfig *config, GError **error)
{
  CommitThread *thread = g_new0 (CommitThread, 1);

  thread->clerk.class = &commit_thread_class;
  thread->clock = config->clock;
  thread->epoch = config->epoch;
  thread->lease_ttl = config->lease_ttl;
  thread->interrupt = config->interrupt;
  thread->self = config->self;
  g_mutex_init (&thread->mutex);
  g_cond_init (&thread->asked);
  g_cond_init (&thread->answered);
  if (!commit_thread_open (thread, config, error))
    {
      commit_thread_free (&thread->clerk);
      return NULL;
    }
  thread->thread = g_thread_new ("ledger", thread_main, thread);
  return &thread->clerk;
}
