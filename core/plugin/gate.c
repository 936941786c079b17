/* gate.c: the one place that all requests to an account pass
 *
 * Locking: `gates` has its table, and each gate what it knows; who needs both takes that of the table first.
 */
#include "gate.h"
#include "delivery/hooks.h"
#include "governor.h"
#include <string.h>

#define MINUTE (60 * (gint64) G_USEC_PER_SEC)
/* A refusal that names no time. */
#define REFUSED_WAIT (10 * (gint64) G_USEC_PER_SEC)
#define WAIT_MOST (60 * MINUTE)
/* While a claim is under way it is looked this often whether it was granted. */
#define CLAIM_GLANCE (G_USEC_PER_SEC / 50)
/* A claim is for this part of the limit: small, because what a run does not use of it nobody does. */
#define CLAIM_PART 50
/* After a claim that could not be made. */
#define CLAIM_PAUSE (G_USEC_PER_SEC / 4)
/* Kinds of requests with a limit of their own: what a target tells beyond that is not heeded. */
#define KINDS_MOST 256

typedef struct
{
  TallyGovernor governor;
  char *name;        /* (owned) that its claims go by */
  gint64 held_until; /* by our clock */
  gboolean wanted;   /* a claim is to be made */
  gint64 ceiling;    /* for it */
  gint64 portion, portion_of; /* what the next one waits for, after so much was claimed */
} Lane;

struct _TallyGate
{
  char *account; /* (owned) */
  guint n_users; /* under the table's lock */
  GMutex lock;
  guint8 reserve[TALLY_HOURS];
  TallyTargetClock clock;
  Lane all;          /* the account's own limit */
  GHashTable *kinds; /* (owned) (element-type utf8 Lane) */
  TallyShare *share; /* (owned) (nullable) */
  GThread *thread;   /* (nullable) makes the claims */
  GCond asked;
  gboolean closing;
};

struct _TallyAdmission
{
  Lane *kind; /* (unowned) (nullable) the gate's */
  char *name; /* (owned) (nullable) of the kind */
  gint64 sent_at, window, kind_window;
};

static GMutex gates_lock;
static GHashTable *gates; /* (element-type utf8 TallyGate) */

static void
lane_free (gpointer data)
{
  Lane *lane = data;

  g_free (lane->name);
  g_free (lane);
}

/* The next lane of which something is to be claimed. */
static Lane *
gate_find_wanted (TallyGate *gate)
{
  GHashTableIter iter;
  gpointer lane;

  if (gate->all.wanted)
    return &gate->all;
  g_hash_table_iter_init (&iter, gate->kinds);
  while (g_hash_table_iter_next (&iter, NULL, &lane))
    if (((Lane *) lane)->wanted)
      return lane;
  return NULL;
}

/* With the gate's lock held, but while the claim is made. */
static void
gate_claim (TallyGate *gate, Lane *lane)
{
  TallyGovernor *governor = &lane->governor;
  gint64 window = governor->window, ceiling = lane->ceiling;
  gint64 want = 1 + MAX (-governor->credits, 0) + governor->limit / CLAIM_PART;
  gint64 granted, claimed;
  gboolean good;

  lane->wanted = FALSE;
  g_mutex_unlock (&gate->lock);
  good = gate->share->claim (gate->share, lane->name, window, ceiling, want, &granted, &claimed);
  g_mutex_lock (&gate->lock);
  if (good && claimed >= 0)
    tally_governor_grant (governor, window, granted, claimed);
  else if (!gate->closing)
    g_cond_wait_until (&gate->asked, &gate->lock, g_get_monotonic_time () + TALLY_WAIT (CLAIM_PAUSE));
}

/* The thread of a gate that is shared: a ledger may keep one waiting, sockets may not. */
static gpointer
gate_run (gpointer data)
{
  TallyGate *gate = data;
  Lane *lane;

  g_mutex_lock (&gate->lock);
  while (!gate->closing)
    if ((lane = gate_find_wanted (gate)) != NULL)
      gate_claim (gate, lane);
    else
      g_cond_wait (&gate->asked, &gate->lock);
  g_mutex_unlock (&gate->lock);
  return NULL;
}

static void
gate_stop (TallyGate *gate)
{
  if (gate->thread == NULL)
    return;
  g_mutex_lock (&gate->lock);
  gate->closing = TRUE;
  g_cond_signal (&gate->asked);
  g_mutex_unlock (&gate->lock);
  g_thread_join (gate->thread);
  g_atomic_rc_box_release_full (gate->share, gate->share->clear);
}

TallyGate *
tally_gate_join (const char *account, const guint8 reserve[TALLY_HOURS], TallyShare *share)
{
  g_autoptr (GMutexLocker) lock G_GNUC_UNUSED = g_mutex_locker_new (&gates_lock);
  TallyGate *gate;

  if (gates == NULL)
    gates = g_hash_table_new (g_str_hash, g_str_equal);
  gate = g_hash_table_lookup (gates, account);
  if (gate == NULL)
    {
      gate = g_new0 (TallyGate, 1);
      gate->account = g_strdup (account);
      g_mutex_init (&gate->lock);
      tally_governor_init (&gate->all.governor, MINUTE);
      gate->kinds = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, lane_free);
      gate->all.name = g_strdup (account);
      g_cond_init (&gate->asked);
      g_hash_table_insert (gates, gate->account, gate);
    }
  gate->n_users++;
  g_mutex_lock (&gate->lock);
  for (guint i = 0; i < TALLY_HOURS; i++)
    gate->reserve[i] = MAX (gate->reserve[i], reserve[i]);
  if (share != NULL && gate->share == NULL)
    {
      gate->share = g_atomic_rc_box_acquire (share);
      gate->thread = g_thread_new ("claims", gate_run, gate);
    }
  g_mutex_unlock (&gate->lock);
  return gate;
}

void
tally_gate_leave (TallyGate *gate)
{
  if (gate == NULL)
    return;

  g_autoptr (GMutexLocker) lock G_GNUC_UNUSED = g_mutex_locker_new (&gates_lock);

  if (--gate->n_users > 0)
    return;
  g_hash_table_remove (gates, gate->account);
  if (g_hash_table_size (gates) == 0)
    g_clear_pointer (&gates, g_hash_table_unref);
  gate_stop (gate);
  g_hash_table_unref (gate->kinds);
  g_mutex_clear (&gate->lock);
  g_cond_clear (&gate->asked);
  g_free (gate->all.name);
  g_free (gate->account);
  g_free (gate);
}

/* ---- All below with the gate's lock held ---- */

/* What the target's clock shows; ours, until it has told. */
static gint64
gate_target_now (TallyGate *gate, gint64 now)
{
  return gate->clock.known ? now + gate->clock.offset : g_get_real_time ();
}

static guint
gate_reserve (const TallyGate *gate)
{
  g_autoptr (GDateTime) time = g_date_time_new_now_local ();

  return gate->reserve[g_date_time_get_hour (time)];
}

static void
lane_turn (TallyGate *gate, Lane *lane, gint64 now)
{
  gint64 before = lane->governor.window;

  tally_governor_turn (&lane->governor, gate_target_now (gate, now));
  if (lane->governor.window != before)
    lane->governor.reserve = gate_reserve (gate);
}

/* How much is waited for before a claim is made: few transactions, and by chance, so that no run is always the first. */
static gint64
gate_portion (Lane *lane)
{
  gint64 most = lane->governor.limit / CLAIM_PART;

  if (lane->portion == 0 || lane->portion_of != lane->governor.claimed)
    lane->portion = most > 1 ? g_random_int_range (1, (gint32) MIN (most, G_MAXINT16) + 1) : 1;
  lane->portion_of = lane->governor.claimed;
  return lane->portion;
}

/* 0: one may go. */
static gint64
lane_wait (TallyGate *gate, Lane *lane, gint64 now)
{
  gint64 at = gate_target_now (gate, now), wait;

  if (lane->held_until > now)
    return lane->held_until - now;
  lane_turn (gate, lane, now);
  if (lane->governor.limit == 0)
    return 0;
  wait = tally_governor_wait (&lane->governor, at, gate->share != NULL ? gate_portion (lane) : 1);
  if (gate->share == NULL || lane->governor.credits > 0 || wait > 0)
    return wait;
  lane->wanted = TRUE;
  lane->ceiling = tally_governor_ceiling (&lane->governor, at);
  g_cond_signal (&gate->asked);
  return CLAIM_GLANCE;
}

static gint64
lane_take (TallyGate *gate, Lane *lane, gint64 now)
{
  gint64 window = 0;

  if (gate->share == NULL && lane->governor.limit > 0 && lane->governor.credits <= 0)
    tally_governor_claim (&lane->governor, gate_target_now (gate, now), 1 - lane->governor.credits);
  tally_governor_take (&lane->governor, &window);
  return window;
}

static Lane *
gate_find_kind (TallyGate *gate, const char *name)
{
  return name != NULL ? g_hash_table_lookup (gate->kinds, name) : NULL;
}

/* The lane of a kind that is found to have a limit of its own. */
static Lane *
gate_make_kind (TallyGate *gate, const char *name, gint64 period, gint64 now)
{
  Lane *lane = gate_find_kind (gate, name);

  if (lane != NULL || name == NULL || g_hash_table_size (gate->kinds) >= KINDS_MOST)
    return lane;
  lane = g_new0 (Lane, 1);
  tally_governor_init (&lane->governor, period > 0 ? period : MINUTE);
  lane->name = g_strdup_printf ("%s %s", gate->account, name);
  lane_turn (gate, lane, now);
  g_hash_table_insert (gate->kinds, g_strdup (name), lane);
  return lane;
}

TallyAdmission *
tally_gate_admit (TallyGate *gate, const char *kind, gint64 now, gint64 *ret_wait)
{
  g_autoptr (GMutexLocker) lock G_GNUC_UNUSED = g_mutex_locker_new (&gate->lock);
  Lane *lane = gate_find_kind (gate, kind);
  gint64 wait = lane_wait (gate, &gate->all, now);
  TallyAdmission *admission;

  if (lane != NULL)
    wait = MAX (wait, lane_wait (gate, lane, now));
  if (wait > 0)
    {
      *ret_wait = wait;
      return NULL;
    }
  admission = g_new0 (TallyAdmission, 1);
  admission->name = g_strdup (kind);
  admission->sent_at = now;
  admission->window = lane_take (gate, &gate->all, now);
  admission->kind = lane;
  if (lane != NULL)
    admission->kind_window = lane_take (gate, lane, now);
  return admission;
}

static void
lane_end (TallyGate *gate, Lane *lane, gint64 window, gint64 now, gint64 date)
{
  lane_turn (gate, lane, now);
  tally_governor_end (&lane->governor, window, date > 0 ? date / lane->governor.period : -1);
}

static void
lane_told (Lane *lane, gint64 date, gint64 limit, gint64 remaining)
{
  gboolean is_now = date == 0 || date / lane->governor.period == lane->governor.window;

  tally_governor_told (&lane->governor, limit, is_now ? remaining : -1);
}

/* Of the account, or of this kind of request alone, if the account has something left. */
static void
gate_refused (TallyGate *gate, Lane *kind, const TallyAnswerNews *news, gint64 now)
{
  Lane *lane = kind != NULL && news->remaining > 0 ? kind : &gate->all;
  gint64 wait = news->wait > 0 ? MIN (news->wait, WAIT_MOST) : REFUSED_WAIT;

  if (lane == &gate->all && news->wait <= 0) /* else it is told when the next window begins */
    tally_governor_guess (&lane->governor);
  lane->held_until = MAX (lane->held_until, now + wait);
}

void
tally_gate_end (TallyGate *gate, TallyAdmission *admission, gint64 now, const TallyAnswerNews *news)
{
  static const TallyAnswerNews nothing = { TALLY_ANSWER_NEWS_INIT };
  g_autoptr (GMutexLocker) lock G_GNUC_UNUSED = g_mutex_locker_new (&gate->lock);
  Lane *kind = admission->kind;

  if (news == NULL)
    news = &nothing;
  if (news->target_time > 0)
    tally_target_clock_told (&gate->clock, news->target_time, admission->sent_at, now);
  lane_end (gate, &gate->all, admission->window, now, news->target_time);
  lane_told (&gate->all, news->target_time, news->limit, news->remaining);
  if (kind != NULL)
    lane_end (gate, kind, admission->kind_window, now, news->target_time);
  if (news->kind_limit > 0 || news->refused || news->wait > 0)
    kind = gate_make_kind (gate, admission->name, news->kind_period, now);
  if (kind != NULL && news->kind_limit > 0)
    lane_told (kind, news->target_time, news->kind_limit, news->kind_remaining);
  if (news->refused)
    gate_refused (gate, kind, news, now);
  else if (kind != NULL && news->wait > 0)
    kind->held_until = MAX (kind->held_until, now + MIN (news->wait, WAIT_MOST));
}

void
tally_admission_free (TallyAdmission *admission)
{
  g_free (admission->name);
  g_free (admission);
}

gint64
tally_gate_wait (TallyGate *gate, gint64 now, gint64 n)
{
  g_autoptr (GMutexLocker) lock G_GNUC_UNUSED = g_mutex_locker_new (&gate->lock);
  TallyGovernor *governor = &gate->all.governor;
  gint64 wait = lane_wait (gate, &gate->all, now);
  gint64 at = gate_target_now (gate, now);

  if (wait > 0 || governor->limit == 0)
    return wait;
  if (governor->credits + tally_governor_ceiling (governor, at) - governor->claimed > n)
    return 0;
  return governor->period / MAX (governor->limit, 1);
}

gboolean
tally_gate_limit (TallyGate *gate, const char *kind, gint64 *ret_limit, gint64 *ret_period)
{
  g_autoptr (GMutexLocker) lock G_GNUC_UNUSED = g_mutex_locker_new (&gate->lock);
  const Lane *lane = kind == NULL ? &gate->all : gate_find_kind (gate, kind);

  if (lane == NULL || !lane->governor.told || lane->governor.limit == 0)
    return FALSE;
  *ret_limit = lane->governor.limit;
  *ret_period = lane->governor.period;
  return TRUE;
}

void
tally_gate_reserve (TallyGate *gate, guint8 ret_reserve[TALLY_HOURS])
{
  g_autoptr (GMutexLocker) lock G_GNUC_UNUSED = g_mutex_locker_new (&gate->lock);

  memcpy (ret_reserve, gate->reserve, sizeof gate->reserve);
}
