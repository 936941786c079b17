/* glib-for-tsan.c: GLib's locks on top of the ones that ThreadSanitizer can see
 *
 * Debian's GLib is not instrumented, and its locks are futexes of its own, so that every hand-over
 * between threads would look like a race.  A build with -Db_sanitize=thread puts these in their place.
 */
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* A mutex may be static and never initialised, so its lock is made when it is first used. */
static pthread_mutex_t *
lock_of (GMutex *mutex)
{
  pthread_mutex_t *lock = __atomic_load_n ((pthread_mutex_t **) &mutex->p, __ATOMIC_ACQUIRE);
  pthread_mutex_t *none = NULL;

  if (lock != NULL)
    return lock;

  lock = malloc (sizeof *lock);
  pthread_mutex_init (lock, NULL);
  if (__atomic_compare_exchange_n ((pthread_mutex_t **) &mutex->p, &none, lock, FALSE, __ATOMIC_ACQ_REL,
                                   __ATOMIC_ACQUIRE))
    return lock;

  free (lock);
  return none;
}

static pthread_cond_t *
condition_of (GCond *cond)
{
  pthread_cond_t *condition = __atomic_load_n ((pthread_cond_t **) &cond->p, __ATOMIC_ACQUIRE);
  pthread_cond_t *none = NULL;
  pthread_condattr_t attributes;

  if (condition != NULL)
    return condition;

  condition = malloc (sizeof *condition);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (condition, &attributes);
  if (__atomic_compare_exchange_n ((pthread_cond_t **) &cond->p, &none, condition, FALSE, __ATOMIC_ACQ_REL,
                                   __ATOMIC_ACQUIRE))
    return condition;

  free (condition);
  return none;
}

void
g_mutex_init (GMutex *mutex)
{
  mutex->p = NULL;
}

void
g_mutex_clear (GMutex *mutex)
{
  pthread_mutex_destroy (lock_of (mutex));
  free (mutex->p);
  mutex->p = NULL;
}

void
g_mutex_lock (GMutex *mutex)
{
  pthread_mutex_lock (lock_of (mutex));
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  return pthread_mutex_trylock (lock_of (mutex)) == 0;
}

void
g_mutex_unlock (GMutex *mutex)
{
  pthread_mutex_unlock (lock_of (mutex));
}

void
g_cond_init (GCond *cond)
{
  cond->p = NULL;
}

void
g_cond_clear (GCond *cond)
{
  pthread_cond_destroy (condition_of (cond));
  free (cond->p);
  cond->p = NULL;
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  pthread_cond_wait (condition_of (cond), lock_of (mutex));
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  struct timespec end = { .tv_sec = end_time / G_USEC_PER_SEC,
                          .tv_nsec = end_time % G_USEC_PER_SEC * 1000 };

  return pthread_cond_timedwait (condition_of (cond), lock_of (mutex), &end) == 0;
}

void
g_cond_signal (GCond *cond)
{
  pthread_cond_signal (condition_of (cond));
}

void
g_cond_broadcast (GCond *cond)
{
  pthread_cond_broadcast (condition_of (cond));
}

void (g_atomic_ref_count_inc) (gatomicrefcount *count)
{
  __atomic_add_fetch (count, 1, __ATOMIC_ACQ_REL);
}

gboolean (g_atomic_ref_count_dec) (gatomicrefcount *count)
{
  return __atomic_sub_fetch (count, 1, __ATOMIC_ACQ_REL) == 0;
}
