/* kill-loop.c: kill -9 at random moments, again and again, with either ledger
 *
 * The emulator is set to the worst: a second request under a key that is still at work creates a
 * second ticket.  24 kills; 200 with TALLYMAN_PROOF=long.  TALLYMAN_SEED=N repeats a choice of moments.
 */
#include "cluster.h"
#include "promise.h"
#include "rig.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_A_KILL 50

static guint
n_kills (void)
{
  return g_strcmp0 (g_getenv ("TALLYMAN_PROOF"), "long") == 0 ? 100 : 12;
}

static GRand *
moments (void)
{
  const char *seed = g_getenv ("TALLYMAN_SEED");
  guint32 number = seed != NULL ? (guint32) g_ascii_strtoull (seed, NULL, 10) : g_random_int ();

  g_print (" (seed %u)", number);
  return g_rand_new_with_seed (number);
}

/* Half of the moments are counted in tickets, which falls into the middle of the work; half are of the
 * clock, which also falls into the start. */
static void
wait_for_a_moment (Rig *rig, GRand *random)
{
  if (g_rand_boolean (random))
    rig_wait_for_tickets (rig, rig_tickets (rig) + g_rand_int_range (random, 1, ROWS_A_KILL * 2));
  else
    g_usleep (g_rand_int_range (random, 0, G_USEC_PER_SEC / 4));
}

static void
kill_again_and_again (const char *ledger, const char *label)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--delay", "20", "--same-key", "duplicate", NULL);
  g_autoptr (GRand) random = moments ();
  guint n_rows = n_kills () * ROWS_A_KILL;
  gint64 tickets;

  rig_write_rows (rig, 1, n_rows);
  /* The same record may be the one at work in more than eight of so many deaths, and would be set aside (A11). */
  rig_write_pipeline (rig, ledger, "    settle: 400ms\n    attempts: 1000\n", NULL);
  for (guint i = 0; i < n_kills (); i++)
    {
      rig_start (rig);
      wait_for_a_moment (rig, random);
      rig_signal (rig, SIGKILL);
      rig_wait (rig);
    }

  assert_row_int (label, rig_run (rig), 0);
  if (rig_errors (rig) != NULL && *rig_errors (rig) != '\0')
    g_printerr ("%s\n", rig_errors (rig));
  rig_exactly_once (rig, 1, n_rows, label);

  tickets = rig_tickets (rig);
  assert_row_int (label, rig_run (rig), 0);
  assert_int (rig_tickets (rig), tickets);
  assert_int (rig_count (rig, "unchanged"), n_rows);
}

static void
test_survives_being_killed_with_the_embedded_ledger (void)
{
  kill_again_and_again (NULL, "SQLite");
}

static void
test_survives_being_killed_with_a_postgresql_ledger (void)
{
  if (!cluster_is_available ())
    {
      skip_promise ("no PostgreSQL server is installed");
      return;
    }

  g_autofree char *uri = cluster_create_database (cluster_shared ());
  kill_again_and_again (uri, "PostgreSQL");
}

static const Promise promises[] = {
  { "survives being killed with the embedded ledger", test_survives_being_killed_with_the_embedded_ledger },
  { "survives being killed with a PostgreSQL ledger", test_survives_being_killed_with_a_postgresql_ledger },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("kill -9", promises, argc, argv);
}
