/* test-follow.c: whatever happens to the runs that follow a table, each new row comes once
 *
 * Between runs rows are added, every seventh of them a bad one; runs are killed between the commits, or fail of too many
 * rejects, in any order.  40 runs; 400 with TALLYMAN_PROOF=long.  TALLYMAN_SEED=N repeats a choice.
 */
#include "desk.h"
#include <signal.h>

#define MOST_ROWS 3000

typedef enum
{
  MISHAP_NONE,
  MISHAP_TOO_MANY_REJECTS,
  MISHAP_SINK_COMMITTED,
  MISHAP_LEDGER_COMMIT,
} Mishap;

typedef struct
{
  Desk *desk;  /* (unowned) */
  GRand *random; /* (unowned) */
  const char *steps;
  gint n_rows;
} Follow;

static guint
n_runs (void)
{
  return g_strcmp0 (g_getenv ("TALLYMAN_PROOF"), "long") == 0 ? 400 : 40;
}

static void
add_rows (Follow *follow)
{
  gint wish = g_rand_int_range (follow->random, -MOST_ROWS / 2, MOST_ROWS), n = MAX (wish, 0);
  g_autofree char *sql = g_strdup_printf ("INSERT INTO t SELECT i, i %% 7 <> 0 FROM generate_series (%d, %d) i",
                                          follow->n_rows + 1, follow->n_rows + n);

  desk_do (follow->desk, sql);
  follow->n_rows += n;
}

/* Whether it came to its end. */
static gboolean
run_with (Follow *follow, Mishap mishap)
{
  g_autofree char *limit = mishap == MISHAP_TOO_MANY_REJECTS
                               ? g_strdup_printf ("%d", g_rand_int_range (follow->random, 0, MOST_ROWS / 7))
                               : g_strdup ("1000000");
  g_autofree char *text
      = g_strdup_printf ("pipeline: p\n"
                         "source: { postgresql: { connection: \"$URI\", table: t, watermark: id, key: id } }\n"
                         "transform: [ %sassert: { good: bad }, keep: id ]\n"
                         "sink: { postgresql: { connection: \"$URI\", table: copy } }\n"
                         "errors: { limit: %s, rejects: r.ndjson }\n",
                         follow->steps, limit);
  g_autofree char *point = NULL;
  int status;

  if (mishap == MISHAP_SINK_COMMITTED)
    point = g_strdup ("sink-committed:1");
  else if (mishap == MISHAP_LEDGER_COMMIT)
    point = g_strdup_printf ("ledger-before-commit:%d", g_rand_int_range (follow->random, 1, 8));
  desk_write_pipeline (follow->desk, text);
  rig_setenv (follow->desk->rig, "TALLYMAN_CRASH", point);
  status = desk_run (follow->desk);
  if (status != 0 && status != 3 && status != (mishap == MISHAP_TOO_MANY_REJECTS ? 1 : 128 + SIGKILL))
    {
      assert_row_int (point != NULL ? point : "no crash", status, 0);
      g_printerr ("%s\n", rig_errors (follow->desk->rig));
    }
  return status == 0 || status == 3;
}

static void
expect_all (const Follow *follow)
{
  g_autofree char *copied
      = g_strdup_printf ("%d %d", follow->n_rows - follow->n_rows / 7, follow->n_rows - follow->n_rows / 7);

  desk_expect (follow->desk, follow->steps, "SELECT count (*) || ' ' || count (DISTINCT id) FROM copy", copied);
  assert_row_int (follow->steps, rig_count_lines (follow->desk->rig, "r.ndjson"), follow->n_rows / 7);
}

static void
follow_a_table (const char *steps)
{
  const char *seed = g_getenv ("TALLYMAN_SEED");
  guint32 number = seed != NULL ? (guint32)g_ascii_strtoull (seed, NULL, 10) : g_random_int ();
  g_autoptr (GRand) random = g_rand_new_with_seed (number);
  g_autoptr (Desk) desk = desk_new (TRUE);
  Follow follow = { .desk = desk, .random = random, .steps = steps };

  if (desk == NULL)
    return;
  g_print (" (seed %u)", number);
  desk_do (desk, "CREATE TABLE t (id bigint, good boolean); CREATE TABLE copy (id bigint)");
  for (guint i = 0; i < n_runs () / 2; i++)
    {
      add_rows (&follow);
      if (run_with (&follow, g_rand_int_range (random, MISHAP_NONE, MISHAP_LEDGER_COMMIT + 1)))
        expect_all (&follow);
    }
  run_with (&follow, MISHAP_NONE);
  expect_all (&follow);
}

static void
test_with_steps_that_remember_nothing (void)
{
  follow_a_table ("");
}

static void
test_with_steps_that_remember_rows (void)
{
  follow_a_table ("distinct: id, ");
}

static const Promise promises[] = {
  { "with steps that remember nothing", test_with_steps_that_remember_nothing },
  { "with steps that remember rows", test_with_steps_that_remember_rows },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("postgresql follow", promises, argc, argv);
}
