/* world-process.c: one run of the program in the world: its source, its clerk, its death */
#include "world-private.h"
#include "delivery/hooks.h"
#include "record/batch-private.h"
#include "record/bitmap.h"
#include <stdlib.h>
#include <string.h>

#define COMMIT_TIME (SECOND / 200)

typedef struct
{
  TallyClerk clerk;
  Process *process;
  GQueue errands;    /* (element-type TallyErrand) */
  gint64 busy_until; /* the first errand is done then; 0: not begun */
  gint64 deadline, renewed_at, renewing_since;
  GError *failure;
} WorldClerk;

/* ---- The clerk ---- */

static void
clerk_renew (WorldClerk *clerk)
{
  World *world = clerk->process->world;

  if (clerk->renewing_since == 0 && world->now >= clerk->renewed_at + world->settings.lease_ttl / 3)
    clerk->renewing_since = world->now;
  if (clerk->renewing_since == 0 || world->now < clerk->renewing_since + COMMIT_TIME
      || clerk->failure != NULL)
    return;
  if (world_renew_lease (world, clerk->process, &clerk->failure))
    clerk->deadline = clerk->renewing_since + world->settings.lease_ttl;
  clerk->renewed_at = clerk->renewing_since;
  clerk->renewing_since = 0;
}

static void
clerk_post (TallyClerk *base, TallyErrand *errand)
{
  WorldClerk *clerk = (WorldClerk *)base;
  World *world = clerk->process->world;

  errand->began_at = world->now;
  if (g_queue_is_empty (&clerk->errands))
    clerk->busy_until = world->now + COMMIT_TIME;
  g_queue_push_tail (&clerk->errands, errand);
}

static void
clerk_die_perhaps (WorldClerk *clerk, double chance)
{
  if (clerk->process->dispatcher != NULL
      && world_chance (clerk->process->world, clerk->process->world->death * chance))
    clerk->process->dead = TRUE;
}

static TallyErrand *
clerk_collect (TallyClerk *base, gint64 wait)
{
  WorldClerk *clerk = (WorldClerk *)base;
  World *world = clerk->process->world;
  gint64 until = world->now + wait;
  TallyErrand *errand;

  while (world->now < until && !clerk->process->dead
         && (g_queue_is_empty (&clerk->errands) || world->now < clerk->busy_until))
    world_tick (world, g_queue_is_empty (&clerk->errands) ? until : MIN (until, clerk->busy_until));
  if (!clerk->process->dead)
    clerk_renew (clerk);
  if (clerk->process->dead || g_queue_is_empty (&clerk->errands) || world->now < clerk->busy_until)
    return NULL;

  errand = g_queue_pop_head (&clerk->errands);
  clerk->busy_until = world->now + COMMIT_TIME;
  clerk_die_perhaps (clerk, 0.2);
  if (!clerk->process->dead)
    world_ledger_run (world, clerk->process, errand);
  if (errand->kind == TALLY_ERRAND_COMMIT)
    clerk_die_perhaps (clerk, 0.5);
  if (clerk->process->dead)
    {
      tally_errand_free (errand);
      return NULL;
    }
  if (errand->kind == TALLY_ERRAND_COMMIT && errand->error == NULL)
    {
      clerk->deadline = errand->began_at + world->settings.lease_ttl;
      clerk->renewed_at = errand->began_at;
    }
  return errand;
}

static gboolean
clerk_deadline (TallyClerk *base, gint64 *ret_deadline, GError **error)
{
  WorldClerk *clerk = (WorldClerk *)base;

  *ret_deadline = clerk->deadline;
  if (clerk->failure != NULL)
    g_propagate_error (error, g_error_copy (clerk->failure));
  return clerk->failure == NULL;
}

static void
clerk_free (TallyClerk *base)
{
  WorldClerk *clerk = (WorldClerk *)base;

  g_queue_clear_full (&clerk->errands, (GDestroyNotify)tally_errand_free);
  g_clear_error (&clerk->failure);
  g_free (base->ledger_id);
  g_free (clerk);
}

static const TallyClerkClass clerk_class = {
  .post = clerk_post,
  .collect = clerk_collect,
  .deadline = clerk_deadline,
  .free = clerk_free,
};

static TallyClerk *
clerk_new (Process *process)
{
  WorldClerk *clerk = g_new0 (WorldClerk, 1);
  World *world = process->world;

  clerk->clerk.class = &clerk_class;
  clerk->clerk.ledger_id = g_strdup (world->sqlite != NULL ? world_sqlite_id (world)
                                                           : "0123456789abcdef0123456789abcdef");
  clerk->clerk.scope = world->sqlite != NULL ? world_sqlite_scope (world) : 1;
  clerk->clerk.ledger_now = world_ledger_now (world);
  clerk->clerk.asked_at = clerk->clerk.told_at = world->now;
  clerk->process = process;
  clerk->renewed_at = world->now;
  clerk->deadline = world->now + world->settings.lease_ttl;
  return &clerk->clerk;
}

/* ---- Life and death ---- */

static void
at_point (const char *point, gpointer data)
{
  Process *process = data;
  World *world = process->world;

  if (process->dead || process->dispatcher == NULL)
    return;
  if (world->meddle != NULL)
    world->meddle (world, point);
  if (world->die_at != NULL && g_str_equal (point, world->die_at) && world->die_count-- == 0)
    {
      world->die_at = NULL;
      process->dead = TRUE;
    }
  if (world_chance (world, world->death))
    process->dead = TRUE;
}

static gint64
process_clock (gpointer data)
{
  return ((World *)data)->now;
}

static TallyContext *
context_new (World *world)
{
  TallyContext *ctx = g_new0 (TallyContext, 1);

  ctx->target = g_strdup (world->other_target ? "sandbox.example" : "desk.example");
  ctx->clock = process_clock;
  ctx->clock_data = world;
  return ctx;
}

void
world_tell_time (Process *process)
{
  process->ctx->target_time = world_target_now (process->world);
  process->ctx->target_time_at = process->world->now;
}

/* Takes the lease and begins a run; says when an earlier run can have sent last, on the ledger's
 * clock. */
static gint64
process_begin (World *world, Process *process)
{
  gint64 last_send = world->lease_epoch == 0 ? 0
                                             : EPOCH + world->settings.ledger_skew
                                                   + MIN (world->lease_until, world->now);

  if (world->sqlite != NULL)
    return world_sqlite_begin (world, process);

  process->epoch = ++world->lease_epoch;
  world->lease_until = world->now + world->settings.lease_ttl;
  if (world->pass_over)
    {
      world->pass++;
      world->pass_over = FALSE;
      g_clear_pointer (&world->position, g_free);
      g_ptr_array_set_size (world->rejects, 0);
    }
  process->next = world->position != NULL ? (guint)atoi (world->position) : 0;
  process->run = (TallyLedgerRun){ .id = world->runs + 1,
                                   .pass = world->pass,
                                   .target = (char *)"desk.example" };
  return last_send;
}

Process *
process_new (World *world)
{
  Process *process = g_new0 (Process, 1);
  gint64 last_send = process_begin (world, process);
  TallyDispatcherConfig config;

  process->world = world;
  process->clock = (TallyClock){ process_clock, world };
  process->calls = g_ptr_array_new ();
  process->ctx = context_new (world);
  world->runs++;
  if (world->tells_time
      || world_chance (world, 0.5)) /* some sinks talk to the target when they are opened */
    world_tell_time (process);
  config = (TallyDispatcherConfig){
    .sink = world->settings.updates ? &world_updating_sink : &world_sink,
    .self = process,
    .ctx = process->ctx,
    .profile
    = { sizeof (TallyDeliveryProfile), "ticket", world->settings.key_life, world->settings.settle,
        world->settings.in_flight, world->settings.can_resolve, world->settings.max_in_flight },
    .origin = "desk",
    .run = &process->run,
    .epoch = process->epoch,
    .lease_ttl = world->settings.lease_ttl,
    .last_send = last_send,
    .attempts = world->settings.attempts,
    .key_column = 0,
    .records_move = world->settings.records_move,
    .wait = !world->settings.no_wait,
    .clock = &process->clock,
  };
  tally_hook_set_point (at_point, process);
  process->dispatcher
      = tally_dispatcher_new_with_clerk (&config, clerk_new (process), &process->error);
  if (process->dispatcher != NULL)
    g_rand_set_seed (process->dispatcher->random, g_rand_int (world->random));
  return process;
}

void
process_free (Process *process)
{
  if (process == NULL)
    return;
  tally_hook_set_point (NULL, NULL);
  g_clear_pointer (&process->dispatcher, tally_dispatcher_free);
  world_forget_calls (process);
  if (process->sqlite_run != NULL)
    world_sqlite_end (process->world, process);
  g_ptr_array_unref (process->calls);
  g_free (process->ctx->target);
  g_free (process->ctx);
  g_clear_error (&process->error);
  g_free (process);
}

gboolean
process_is_at_work (const Process *process)
{
  return !process->dead && !process->done && process->error == NULL;
}

/* ---- The source ---- */

/* As many rows as there are, and one more that came without elements. */
static void
make_rows_of_one (TallyBatch *batch, const Process *process, guint n)
{
  const guint times[] = { 0, n };

  tally_batch_add_rows (batch, 2);
  tally_batch_repeat (batch, times);
  for (guint i = 0; i < n; i++)
    {
      const Record *record = g_ptr_array_index (process->world->records, process->next + i);

      ((TallyText *)tally_batch_vector (batch, 0))[i] = (TallyText){ record->key, strlen (record->key) };
      ((gint64 *)tally_batch_vector (batch, 1))[i] = record->version;
      ((guint8 *)tally_batch_vector (batch, 2))[i] = record->bad;
      for (guint column = 0; column < 3; column++)
        tally_bitmap_set (tally_batch_validity (batch, column), i);
      tally_batch_set_row_number (batch, i, process->next + i + 1);
    }
}

static void
process_feed (Process *process)
{
  World *world = process->world;
  guint n = MIN (world->settings.batch_rows, world->records->len - process->next);
  g_autoptr (TallyBatch) batch = tally_batch_new (world->schema, MAX (n, 2));
  g_autofree char *position = g_strdup_printf ("%u", process->next + n);

  tally_batch_set_origin (batch, "desk.csv");
  if (world->unnested)
    make_rows_of_one (batch, process, n);
  for (guint i = 0; i < n && !world->unnested; i++)
    {
      const Record *record = g_ptr_array_index (world->records, process->next + i);
      guint row = tally_batch_add_row (batch);

      tally_batch_set_text (batch, 0, record->key, strlen (record->key));
      tally_batch_set_int (batch, 1, record->version);
      tally_batch_set_boolean (batch, 2, record->bad);
      tally_batch_set_row_number (batch, row, process->next + i + 1);
    }
  tally_batch_set_position (batch, position);
  process->next += n;
  tally_dispatcher_take (process->dispatcher, g_steal_pointer (&batch));
}

static void
process_finish (Process *process)
{
  const TallyCounts *counts = &process->counts;
  guint64 sum = counts->delivered + counts->unchanged + counts->rejected + counts->in_doubt
                + counts->filtered;

  process->done = TRUE;
  if (process->next == process->world->records->len && !process->dispatcher->stopping)
    process->world->pass_over = TRUE;
  if (counts->read + counts->added + counts->taken_up != sum)
    world_complain (
        process->world,
        "the counts do not add up: read %u, taken up %u, delivered %u, unchanged %u, rejected %u, "
        "in doubt %u",
        (guint)counts->read, (guint)counts->taken_up, (guint)counts->delivered,
        (guint)counts->unchanged, (guint)counts->rejected, (guint)counts->in_doubt);
}

void
process_work (Process *process, guint steps)
{
  World *world = process->world;

  tally_hook_set_point (at_point, process);
  for (; steps > 0 && process_is_at_work (process); steps--)
    {
      while (tally_dispatcher_wants (process->dispatcher))
        {
          if (process->next < world->records->len)
            process_feed (process);
          else
            tally_dispatcher_end (process->dispatcher);
        }
      g_clear_error (&process->error);
      world->most_at_sink = MAX (world->most_at_sink, process->dispatcher->at_sink.length);
      world->most_held = MAX (world->most_held, process->dispatcher->held);
      tally_dispatcher_step (process->dispatcher, SECOND, &process->error);
      if (process->dead)
        g_clear_error (&process->error);
      if (process->dead || process->error != NULL)
        break;
      tally_dispatcher_counts (process->dispatcher, &process->counts);
      if (tally_dispatcher_is_done (process->dispatcher))
        process_finish (process);
    }
  tally_hook_set_point (NULL, NULL);
}

gboolean
world_run (World *world, TallyCounts *ret_counts)
{
  g_autoptr (Process) process = process_new (world);

  process_work (process, 200000);
  if (process_is_at_work (process))
    world_complain (world, "the run does not come to an end");
  if (ret_counts != NULL)
    *ret_counts = process->counts;
  if (process->done)
    world->lease_until = world->now; /* released */
  return process->done;
}
