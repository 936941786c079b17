/* simulation.c: whatever happens, in whatever order, each record exists once
 *
 *   simulation                the first few hundred seeds
 *   simulation --seeds 5000   more of them
 *   simulation --seed 77      one of them; what it finds is told
 *   simulation --sqlite       with a real ledger in a file instead of one in memory
 */
#include "world-private.h"
#include "delivery/hooks.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static WorldSettings
draw_settings (World *world)
{
  static const TallyInFlight in_flight[]
      = { TALLY_IN_FLIGHT_WAITS, TALLY_IN_FLIGHT_CONFLICT, TALLY_IN_FLIGHT_DUPLICATES };
  WorldSettings settings = world_plain;

  settings.in_flight = in_flight[g_rand_int_range (world->random, 0, 3)];
  settings.key_life = world_chance (world, 0.3) ? 0 : 2 * HOUR;
  settings.lookup_lag = world_chance (world, 0.5) ? MINUTE : 0;
  settings.max_in_flight = (guint)g_rand_int_range (world->random, 1, 8);
  settings.batch_rows = (guint)g_rand_int_range (world->random, 1, 12);
  settings.ledger_skew = world_chance (world, 0.2) ? world_between (world, -3 * HOUR, 3 * HOUR) : 0;
  settings.target_skew = world_chance (world, 0.2) ? world_between (world, -3 * HOUR, 3 * HOUR) : 0;
  settings.no_wait = world_chance (world, 0.1);
  settings.updates = world_chance (world, 0.6);
  settings.jobs = world_chance (world, 0.4);
  settings.job_life = world_chance (world, 0.5) ? HOUR : 0;
  return settings;
}

/* A record is corrected or edited between runs. */
static void
edit_records (World *world)
{
  for (guint i = 0; i < world->records->len; i++)
    {
      Record *record = g_ptr_array_index (world->records, i);

      if (!world_chance (world, world->settings.updates ? 0.3 : 0.05))
        continue;
      record->version++;
      record->bad = world->settings.updates && world_chance (world, 0.1);
    }
}

/* Stopped by the machine, while another run takes over; then it wakes (D2). */
static void
sleep_through_takeover (World *world)
{
  g_autoptr (Process) sleeper = process_new (world);
  g_autoptr (Process) other = NULL;

  process_work (sleeper, (guint)g_rand_int_range (world->random, 1, 60));
  if (!process_is_at_work (sleeper))
    return;
  world_pass_time (world, world->settings.lease_ttl + world_between (world, SECOND, HOUR));
  other = process_new (world);
  process_work (other, (guint)g_rand_int_range (world->random, 1, 400));
  process_work (sleeper, 400);
  if (process_is_at_work (sleeper))
    world_complain (world, "R7: a run goes on although another has taken its lease");
  process_work (other, (guint)g_rand_int_range (world->random, 1, 100));
}

static void
run_in_trouble (World *world)
{
  g_autoptr (Process) process = process_new (world);

  process_work (process, (guint)g_rand_int_range (world->random, 1, 3000));
  if (process_is_at_work (process) && world_chance (world, 0.7))
    {
      tally_dispatcher_stop (process->dispatcher,
                             world->now + world_between (world, 0, 20 * SECOND));
      process_work (process, 3000);
    }
  if (process->done)
    world->lease_until = world->now;
}

static gboolean with_sqlite;

/* The ledger's server comes back with a copy from some time before (E1). */
static void
put_back_perhaps (World *world)
{
  if (world_chance (world, 0.3))
    world_sqlite_keep (world);
  else if (world_sqlite_has_copy (world) && world_chance (world, 0.3))
    world_sqlite_put_back (world);
}

/* TRUE if all is well at the end. */
static gboolean
play (guint32 seed, gboolean tell)
{
  g_autoptr (World) world = world_new (seed, &world_plain);
  guint n_runs = (guint)g_rand_int_range (world->random, 1, 7);

  world->settings = draw_settings (world);
  if (with_sqlite)
    world_sqlite_open (world);
  world_add_records (world, (guint)g_rand_int_range (world->random, 1, 30));
  for (guint i = 0; i < world->records->len; i++)
    ((Record *)g_ptr_array_index (world->records, i))->bad = world_chance (world, 0.05);

  for (guint i = 0; i < n_runs; i++)
    {
      world->trouble = world_chance (world, 0.8) ? world_between (world, 0, 50) / 100.0 : 0;
      world->death = world_chance (world, 0.6) ? world_between (world, 1, 100) / 2000.0 : 0;
      world->fail_commits = world_chance (world, 0.02) ? 1 : 0;
      if (world_chance (world, 0.2))
        sleep_through_takeover (world);
      else
        run_in_trouble (world);
      world_audit (world, /* may_doubt= */ TRUE);
      world_pass_time (world, world_chance (world, 0.3)   ? 3 * HOUR
                              : world_chance (world, 0.5) ? world_between (world, 0, 2 * MINUTE)
                                                          : world_between (world, 0, 2 * HOUR));
      if (world_chance (world, 0.1))
        {
          world->settings.ledger_skew += world_between (world, -HOUR, HOUR);
          world->ledger_moved = TRUE;
        }
      edit_records (world);
      if (with_sqlite)
        put_back_perhaps (world);
    }

  world->trouble = world->death = 0;
  world->fail_commits = 0;
  world->settings.no_wait = FALSE;
  g_hash_table_remove_all (world->plans);
  for (guint i = 0; i < 3; i++)
    {
      if (!world_run (world, NULL))
        world_complain (world, "a run without any trouble does not end well");
      world_pass_time (world, HOUR);
    }
  world_audit (world, /* may_doubt= */ FALSE);
  if (tell || world->complaints->len > 0)
    printf ("seed %u: %u records, %u runs, %u requests, %u updates, %u lookups, %u by receipt, "
            "%u created\n%s",
            seed,
            world->records->len, (guint)world->runs, (guint)world->n_requests,
            (guint)world->n_updates, (guint)world->n_lookups, (guint)world->n_asked, world->entities->len, world->complaints->str);
  return world->complaints->len == 0;
}

int
main (int argc, char **argv)
{
  gint n_seeds = 400, first = 1, one = -1, n_bad = 0;
  const GOptionEntry entries[] = {
    { "seeds", 0, 0, G_OPTION_ARG_INT, &n_seeds, "how many seeds", "N" },
    { "from", 0, 0, G_OPTION_ARG_INT, &first, "the first of them", "SEED" },
    { "seed", 0, 0, G_OPTION_ARG_INT, &one, "this one alone", "SEED" },
    { "sqlite", 0, 0, G_OPTION_ARG_NONE, &with_sqlite, "with a real ledger", NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return 2;
    }
  if (one >= 0)
    return play ((guint32)one, TRUE) ? 0 : 1;

  for (gint seed = first; seed < first + n_seeds && n_bad < 5; seed++)
    n_bad += play ((guint32)seed, FALSE) ? 0 : 1;
  printf ("simulation: %d seeds, %d bad\n", n_seeds, n_bad);
  return n_bad > 0 ? 1 : 0;
}
