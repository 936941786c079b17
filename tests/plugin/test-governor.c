/* test-governor.c: as much as is allowed, and no more, in virtual time
 *
 * A server that counts requests in fixed minutes of its own clock, and clients that know no more of
 * it than its answers tell, and those a second late.  Each row prints what it came to.
 */
#include "plugin/governor.h"
#include "promise.h"
#include <stdio.h>

#define SECOND ((gint64)G_USEC_PER_SEC)
#define MINUTE (60 * SECOND)
#define TICK (SECOND / 200)
#define START (120 * MINUTE)
#define MINUTES 12
#define CLIENTS_MOST 3

typedef struct
{
  const char *words;
  gint64 limit;
  guint reserve;
  guint clients, parallel;
  gint64 way_least, way_most; /* of a request and its answer */
  gint64 skew;                /* by which the server's clock is ahead */
  guint strangers;            /* requests a minute of somebody else */
  guint told;                 /* of a hundred answers that many have headers about the limit */
  gboolean undated;           /* none tells the time */
  double least;               /* of what is allowed, used */
  guint refused;              /* of a thousand requests at most; 0: one */
} Weather;

static const Weather weathers[] = {
  { "quick answers", 700, 20, 1, 64, SECOND / 50, SECOND / 50, 0, 0, 100, FALSE, 0.97 },
  { "quick and slow answers", 700, 20, 1, 64, SECOND / 50, 2 * SECOND, 0, 0, 100, FALSE, 0.97 },
  { "all is ours", 700, 0, 1, 64, SECOND / 50, 2 * SECOND, 0, 0, 100, FALSE, 0.97 },
  { "a clock that is ahead", 700, 0, 1, 64, SECOND / 50, 2 * SECOND, 17 * SECOND + 345678, 0, 100,
    FALSE, 0.97 },
  { "a clock that is behind", 700, 0, 1, 64, SECOND / 50, SECOND, -3607 * SECOND - 345678, 0, 100,
    FALSE, 0.97 },
  { "headers are rare", 700, 0, 1, 64, SECOND / 50, 2 * SECOND, 0, 0, 2, FALSE, 0.97 },
  { "no header, but the time", 700, 0, 1, 16, SECOND / 50, SECOND / 2, 0, 0, 0, FALSE, 0.97, 6 },
  { "others within their reserve", 700, 20, 1, 64, SECOND / 50, SECOND, 0, 130, 100, FALSE, 0.97 },
  { "others beyond it", 700, 20, 1, 64, SECOND / 50, SECOND, 5 * SECOND, 300, 100, FALSE, 0.90 },
  { "the smallest plan", 10, 0, 1, 4, SECOND / 50, SECOND, 0, 0, 100, FALSE, 0.97 },
  { "the largest plan", 2500, 0, 1, 200, SECOND / 50, 2 * SECOND, 0, 0, 100, FALSE, 0.97 },
  { "three runs", 700, 20, 3, 32, SECOND / 50, SECOND, 2 * SECOND, 0, 100, FALSE, 0.97 },
  { "three runs, all is theirs", 700, 0, 3, 32, SECOND / 50, 2 * SECOND, 0, 0, 100, FALSE, 0.97 },
};

typedef struct
{
  gint64 sent_at, comes_at, done_at;
  gint64 window; /* that the client counts it in */
  gboolean came, refused;
  gint64 date, remaining;
} Request;

typedef struct
{
  TallyGovernor governor;
  TallyTargetClock clock;
  GArray *requests; /* (owned) (element-type Request) */
  gint64 held_until;
} Client;

typedef struct
{
  const Weather *weather;
  GRand *random; /* (owned) */
  gint64 now;    /* by our clock */
  gint64 window, used;
  gint64 shared_window, shared; /* what the clients claimed, if they are several */
  Client clients[CLIENTS_MOST];
  guint64 good, refused, strange;
} World;

/* TRUE if it is taken. */
static gboolean
server_take (World *world)
{
  gint64 window = (world->now + world->weather->skew) / MINUTE;

  if (window != world->window)
    world->used = 0;
  world->window = window;
  if (world->used >= world->weather->limit)
    return FALSE;
  world->used++;
  return TRUE;
}

static void
serve (World *world, Request *request)
{
  gint64 at = world->now + world->weather->skew;

  request->came = TRUE;
  request->refused = !server_take (world);
  request->date = at / SECOND * SECOND;
  request->remaining = g_rand_int_range (world->random, 0, 100) < (gint)world->weather->told
                           ? world->weather->limit - world->used
                           : -1;
  if (world->now < START + 2 * MINUTE) /* what happens at the start is not measured */
    return;
  if (request->refused)
    world->refused++;
  else
    world->good++;
}

static gint64
target_now (World *world, const Client *client)
{
  return world->now + client->clock.offset;
}

static void
take_answer (World *world, Client *client, const Request *request)
{
  TallyGovernor *governor = &client->governor;
  gint64 window = request->date / MINUTE;

  tally_target_clock_told (&client->clock, request->date, request->sent_at, world->now);
  tally_governor_turn (governor, target_now (world, client));
  if (request->refused)
    tally_governor_guess (governor);
  tally_governor_end (governor, request->window, window);
  if (window == governor->window && request->remaining >= 0)
    tally_governor_told (governor, world->weather->limit, request->remaining);
  if (request->refused)
    client->held_until = MAX (client->held_until, world->now + MINUTE - request->date % MINUTE);
}

/* As the ledger grants it. */
static void
claim_shared (World *world, Client *client)
{
  TallyGovernor *governor = &client->governor;
  gint64 ceiling = tally_governor_ceiling (governor, target_now (world, client)), n;

  if (governor->window < world->shared_window)
    return; /* somebody has seen the next one already */
  if (world->shared_window != governor->window)
    world->shared = 0;
  world->shared_window = governor->window;
  n = CLAMP (ceiling - world->shared, 0, 1 - governor->credits);
  world->shared += n;
  tally_governor_grant (governor, governor->window, n, world->shared);
}

static void
send_some (World *world, Client *client)
{
  const Weather *weather = world->weather;
  TallyGovernor *governor = &client->governor;
  gint64 window;

  tally_governor_turn (governor, target_now (world, client));
  while (client->held_until <= world->now && client->requests->len < weather->parallel)
    {
      if (governor->limit > 0 && governor->credits <= 0)
        {
          if (weather->clients > 1)
            claim_shared (world, client);
          else
            tally_governor_claim (governor, target_now (world, client), 1 - governor->credits);
        }
      if (!tally_governor_take (governor, &window))
        {
          assert_true (weather->clients > 1
                       || tally_governor_wait (governor, target_now (world, client), 1) > 0);
          return;
        }
      gint64 way = g_rand_double_range (world->random, (double)weather->way_least,
                                        (double)weather->way_most + 1);
      gint64 there = (gint64)(g_rand_double (world->random) * (double)way);
      Request request = { .sent_at = world->now,
                          .comes_at = world->now + there,
                          .done_at = world->now + way,
                          .window = window };
      g_array_append_val (client->requests, request);
    }
}

static void
tick (World *world)
{
  const Weather *weather = world->weather;

  world->now += TICK;
  if (g_rand_double (world->random) < (double)weather->strangers * TICK / MINUTE)
    world->strange += server_take (world) && world->now >= START + 2 * MINUTE;
  for (guint c = 0; c < weather->clients; c++)
    {
      Client *client = &world->clients[c];

      for (guint i = client->requests->len; i > 0; i--)
        {
          Request *request = &g_array_index (client->requests, Request, i - 1);

          if (!request->came && request->comes_at <= world->now)
            serve (world, request);
          if (request->came && request->done_at <= world->now)
            {
              take_answer (world, client, request);
              g_array_remove_index_fast (client->requests, i - 1);
            }
        }
      send_some (world, client);
    }
}

static void
live (const Weather *weather, guint seed)
{
  World world = { .weather = weather, .random = g_rand_new_with_seed (seed), .now = START };
  gint64 allowed = weather->limit - weather->limit * weather->reserve / 100;

  for (guint c = 0; c < weather->clients; c++)
    {
      world.clients[c].requests = g_array_new (FALSE, FALSE, sizeof (Request));
      tally_governor_init (&world.clients[c].governor, MINUTE);
      world.clients[c].governor.reserve = weather->reserve;
    }
  while (world.now < START + (2 + MINUTES) * MINUTE)
    tick (&world);
  for (guint c = 0; c < weather->clients; c++)
    g_array_unref (world.clients[c].requests);

  if (weather->strangers > weather->limit * weather->reserve / 100)
    allowed = weather->limit - (gint64)world.strange / MINUTES;
  double used = (double)world.good / (double)(allowed * MINUTES);
  printf ("%-30s seed %u: %5.1f %% used, %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " refused\n",
          weather->words, seed, 100 * used, world.refused, world.good + world.refused);
  assert_row_int (weather->words, used >= weather->least, TRUE);
  assert_row_int (weather->words, used < 1.005, TRUE);
  assert_row_int (weather->words, world.refused * 1000 < world.good * MAX (weather->refused, 1), TRUE);
  g_rand_free (world.random);
}

static void
test_uses_what_is_allowed_and_no_more (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (weathers); i++)
    for (guint seed = 1; seed <= 3; seed++)
      live (&weathers[i], seed);
}

static void
test_a_guess_is_not_for_ever (void)
{
  TallyGovernor governor;
  gint64 window;

  tally_governor_init (&governor, MINUTE);
  tally_governor_turn (&governor, START);
  for (guint i = 0; i < 3; i++)
    {
      assert_true (tally_governor_take (&governor, &window));
      tally_governor_end (&governor, window, window);
    }
  tally_governor_guess (&governor);
  assert_int (governor.limit, 100);
  for (guint i = 1; i < 4; i++)
    tally_governor_turn (&governor, START + i * MINUTE);
  assert_int (governor.limit, 100);
  tally_governor_turn (&governor, START + 4 * MINUTE);
  assert_int (governor.limit, 200);
  for (guint i = 5; i < 400; i++)
    tally_governor_turn (&governor, START + i * MINUTE);
  assert_true (governor.limit > 100000 && governor.limit <= G_MAXINT32);
}

static const Promise promises[] = {
  { "a guess is not for ever", test_a_guess_is_not_for_ever },
  { "uses what is allowed, and no more", test_uses_what_is_allowed_and_no_more },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("governor", promises, argc, argv);
}
