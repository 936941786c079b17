/* test-append.c: whatever happens, each row is appended once
 *
 * The source is a file, which can be read on from anywhere; the ledger is SQLite's and knows of a commit only after it.
 * 12 kills; 200 with TALLYMAN_PROOF=long.  TALLYMAN_SEED=N repeats a choice of moments.
 */
#include "desk.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define N_ROWS 120000
#define MANY_REJECTS 7 /* a row of so many is one */
#define COMPLETE 3     /* with rejects */
#define OVERTAKEN 5

/* more: options of the sink */
#define PIPELINE(more)                                                                             \
  "pipeline: p\nsource: { csv: { path: in.csv } }\n"                                               \
  "transform:\n  - cast: { id: bigint }\n  - assert: { id % 7 <> 0: seven }\n"                     \
  "sink: { postgresql: { connection: \"$URI\", table: t, create: true" more " } }\n"               \
  "errors: { rejects: r.ndjson }\n"
#define SEVERAL PIPELINE (", connections: 3")

static guint
n_kills (void)
{
  return g_strcmp0 (g_getenv ("TALLYMAN_PROOF"), "long") == 0 ? 200 : 12;
}

static void
write_rows (Desk *desk, guint n)
{
  g_autoptr (GString) csv = g_string_new ("id,x\n");

  for (guint i = 1; i <= n; i++)
    g_string_append_printf (csv, "%u,\"row %u\"\n", i, i);
  rig_write (desk->rig, "in.csv", csv->str);
  desk_write_pipeline (desk, PIPELINE (""));
}

/* Counts what the run has made that ended with this status, after running it to its end if it has not ended. */
static void
expect_each_once (Desk *desk, const char *label, guint n, int status)
{
  g_autofree char *expected = g_strdup_printf ("%u %u", n - n / MANY_REJECTS, n - n / MANY_REJECTS);

  for (guint i = 0; i < 5 && status != COMPLETE; i++)
    status = desk_run (desk);
  if (!assert_row_int (label, status, COMPLETE))
    g_printerr ("%s\n", rig_errors (desk->rig));
  desk_expect (desk, label, "SELECT count (*) || ' ' || count (DISTINCT id) FROM t", expected);
  assert_row_int (label, rig_count_lines (desk->rig, "r.ndjson"), n / MANY_REJECTS);
}

static void
test_a_crash_between_the_commits (void)
{
  static const struct
  {
    const char *pipeline, *point;
  } rows[] = {
    { PIPELINE (""), "sink-committed:1" },       { PIPELINE (""), "sink-committed:2" },
    { PIPELINE (""), "ledger-before-commit:4" }, { PIPELINE (""), "ledger-before-commit:5" },
    { PIPELINE (""), "ledger-before-commit:6" }, { PIPELINE (""), "ledger-before-commit:7" },
    { SEVERAL, "sink-committed:1" },             { SEVERAL, "ledger-before-commit:2" },
    { SEVERAL, "ledger-before-commit:3" },       { SEVERAL, "ledger-before-commit:4" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Desk) desk = desk_new (TRUE);

      if (desk == NULL)
        return;
      write_rows (desk, N_ROWS);
      desk_write_pipeline (desk, rows[i].pipeline);
      rig_setenv (desk->rig, "TALLYMAN_CRASH", rows[i].point);
      assert_row_int (rows[i].point, desk_run (desk), 128 + SIGKILL);
      rig_setenv (desk->rig, "TALLYMAN_CRASH", NULL);
      expect_each_once (desk, rows[i].point, N_ROWS, 0);
    }
}

#define STOP_THE_RENAMING                                                                          \
  "CREATE FUNCTION stop () RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN %s; END $$; "        \
  "CREATE EVENT TRIGGER stop ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION stop ()"

/* All connections but the first have committed, and the table has no name yet. */
static void
test_several_connections_and_no_last_commit (void)
{
  static const struct
  {
    const char *label, *body;
    gboolean is_killed;
  } rows[] = { { "the server refuses", "RAISE 'not now'", FALSE }, { "kill -9", "PERFORM pg_sleep (600)", TRUE } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Desk) desk = desk_new (FALSE);
      g_autofree char *stop = g_strdup_printf (STOP_THE_RENAMING, rows[i].body);

      if (desk == NULL)
        return;
      write_rows (desk, N_ROWS);
      desk_write_pipeline (desk, SEVERAL);
      desk_do (desk, stop);
      rig_start (desk->rig);
      if (rows[i].is_killed)
        {
          for (g_autofree char *n = NULL; g_strcmp0 (n, "1") != 0; g_usleep (10000))
            {
              g_free (n);
              n = cluster_query (desk->uri, "SELECT count (*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
            }
          rig_signal (desk->rig, SIGKILL);
        }
      assert_row_int (rows[i].label, rig_wait (desk->rig), rows[i].is_killed ? 128 + SIGKILL : 1);
      desk_expect (desk, rows[i].label, "SELECT to_regclass ('t') IS NULL", "t");
      desk_do (desk, "SELECT pg_terminate_backend (pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
      desk_do (desk, "DROP EVENT TRIGGER stop");
      expect_each_once (desk, rows[i].label, N_ROWS, 0);
      desk_expect (desk, "nothing is left behind", "SELECT count (*) FROM pg_class WHERE relname LIKE 'tallyman\\_load%'", "0");
    }
}

/* What the server refuses in one connection's part, and what other runs bring. */
static void
test_several_connections_and_bad_rows (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  g_autofree char *rejects = NULL;

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE FUNCTION guard () RETURNS event_trigger LANGUAGE plpgsql AS $$ DECLARE o record; BEGIN "
                 "FOR o IN SELECT * FROM pg_event_trigger_ddl_commands () WHERE object_identity LIKE '%tallyman_load%' AND object_type = 'table' LOOP "
                 "EXECUTE 'ALTER TABLE ' || o.object_identity || ' ADD CHECK (id % 1000 NOT IN (3, 4, 600))'; END LOOP; END $$; "
                 "CREATE EVENT TRIGGER guard ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION guard ()");
  desk_do (desk, "CREATE TABLE s AS SELECT i AS id, timestamptz '2024-01-01' + i * interval '1 s' AS at FROM generate_series (1::bigint, 10000) AS i");
  desk_write_pipeline (desk, "pipeline: p\nsource: { postgresql: { connection: \"$URI\", table: s, watermark: at, key: id } }\n"
                             "sink: { postgresql: { connection: \"$URI\", table: t, create: true, connections: 4 } }\n"
                             "errors: { rejects: r.ndjson }\n");
  if (!assert_int (desk_run (desk), COMPLETE))
    g_printerr ("%s\n", rig_errors (desk->rig));
  assert_int (rig_count (desk->rig, "delivered"), 9970);
  assert_int (rig_count (desk->rig, "rejected"), 30);
  desk_expect (desk, "the others", "SELECT count (*) || ' ' || count (DISTINCT id) FROM t", "9970 9970");
  rejects = rig_read (desk->rig, "r.ndjson");
  assert_contains (rejects, "\"origin\":\"s:9600\",\"stage\":\"sink\",\"reason\":\"new row for relation");

  desk_do (desk, "INSERT INTO s VALUES (10001, now ())");
  assert_int (desk_run (desk), COMPLETE); /* with those of before */
  assert_contains (rig_errors (desk->rig), "the table \"t\" is there, so rows go to it over one connection");
  desk_expect (desk, "what is new, once", "SELECT count (*) || ' ' || count (DISTINCT id) FROM t", "9971 9971");
}

/* How many sessions wait: in the slow commit, or for one that is in it. */
static void
wait_for_sessions (Desk *desk, const char *n)
{
  for (g_autofree char *now = NULL; g_strcmp0 (now, n) != 0; g_usleep (10000))
    {
      g_free (now);
      now = cluster_query (desk->uri, "SELECT count (*) FROM pg_stat_activity WHERE datname = current_database () "
                                      "AND (wait_event = 'PgSleep' OR wait_event_type = 'Lock')");
    }
}

/* The client is killed while the server commits, which takes until nobody reads any more what was before it. */
static void
test_a_commit_that_outlives_its_run (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);

  if (desk == NULL)
    return;
  write_rows (desk, 1000);
  desk_do (desk, "CREATE TABLE t (id bigint, x text); CREATE TABLE gate (); INSERT INTO gate DEFAULT VALUES; "
                 "CREATE FUNCTION slow () RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                 "WHILE EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep (0.05); END LOOP; RETURN NULL; END $$; "
                 "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
                 "WHEN (NEW.id = 1) EXECUTE FUNCTION slow ()");
  rig_start (desk->rig);
  wait_for_sessions (desk, "1");
  rig_signal (desk->rig, SIGKILL);
  rig_wait (desk->rig);

  rig_start (desk->rig);
  wait_for_sessions (desk, "2");
  desk_do (desk, "DELETE FROM gate");
  expect_each_once (desk, "the next run waits for it", 1000, rig_wait (desk->rig));
}

/* Another run claims the checkpoint while this one writes; a trigger does it here, at the worst of moments. */
static void
test_an_overtaken_run_commits_nothing (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);

  if (desk == NULL)
    return;
  write_rows (desk, 1000);
  assert_int (desk_run (desk), COMPLETE);
  desk_do (desk, "CREATE FUNCTION overtake () RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                 "UPDATE tallyman_checkpoint SET written_at = now (); RETURN NULL; END $$; "
                 "CREATE TRIGGER overtake AFTER INSERT ON t EXECUTE FUNCTION overtake ()");
  assert_int (desk_run (desk), OVERTAKEN);
  assert_contains (rig_errors (desk->rig), "another run has written to \"t\" since this one began");
  desk_expect (desk, "overtaken", "SELECT count (*) FROM t", "858");
}

/* As rig_wait(); a run that was killed when all was done has ended all the same, and the next one would be another pass. */
static int
wait_for_the_end (Desk *desk)
{
  int status = rig_wait (desk->rig);

  rig_command (desk->rig, "status", "--json", NULL);
  return strstr (rig_output (desk->rig), "complete with rejects") != NULL ? COMPLETE : status;
}

static void
kill_again_and_again (const char *pipeline, const char *label, gint32 longest)
{
  const char *seed = g_getenv ("TALLYMAN_SEED");
  guint32 number = seed != NULL ? (guint32)g_ascii_strtoull (seed, NULL, 10) : g_random_int ();
  g_autoptr (GRand) random = g_rand_new_with_seed (number);

  g_print (" (seed %u)", number);
  for (guint left = n_kills (); left > 0;)
    {
      g_autoptr (Desk) desk = desk_new (FALSE);
      int status = 0;

      if (desk == NULL)
        return;
      write_rows (desk, 10 * N_ROWS);
      desk_write_pipeline (desk, pipeline);
      for (; left > 0 && status != COMPLETE; left--)
        {
          rig_start (desk->rig);
          g_usleep (g_rand_int_range (random, 0, longest));
          rig_signal (desk->rig, SIGKILL);
          status = wait_for_the_end (desk);
        }
      expect_each_once (desk, label, 10 * N_ROWS, status);
    }
}

static void
test_killed_again_and_again (void)
{
  kill_again_and_again (PIPELINE (""), "kill -9", 3 * G_USEC_PER_SEC / 4);
}

/* Such a run begins anew each time, so that it has to be let live longer to reach its end. */
static void
test_several_connections_killed_again_and_again (void)
{
  kill_again_and_again (SEVERAL, "kill -9 with several connections", 3 * G_USEC_PER_SEC);
}

static void
stop_the_server_at_once (const char *pipeline)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  int status = 0;

  if (desk == NULL)
    return;
  write_rows (desk, 10 * N_ROWS);
  desk_write_pipeline (desk, pipeline);
  for (guint i = 0; i < 4 && status != COMPLETE; i++)
    {
      rig_start (desk->rig);
      g_usleep ((i + 1) * G_USEC_PER_SEC / 8);
      cluster_stop (cluster_shared (), CLUSTER_STOP_IMMEDIATE);
      status = wait_for_the_end (desk);
      cluster_start (cluster_shared ());
    }
  expect_each_once (desk, "pg_ctl stop -m immediate", 10 * N_ROWS, status);
}

static void
test_the_server_stops_at_once (void)
{
  stop_the_server_at_once (PIPELINE (""));
  stop_the_server_at_once (SEVERAL);
}

/* Their rows are one transaction, because nobody could go on in the middle. */
static void
test_steps_that_remember_rows (void)
{
  static const char *const points[] = { "sink-committed:1", "ledger-before-commit:2", "ledger-before-commit:3" };
  static const char *const steps[] = { "limit: 1000000", "sort: id DESC" };

  for (guint i = 0; i < G_N_ELEMENTS (points) * G_N_ELEMENTS (steps); i++)
    {
      const char *point = points[i % G_N_ELEMENTS (points)], *step = steps[i / G_N_ELEMENTS (points)];
      g_autofree char *label = g_strdup_printf ("%s, %s", step, point);
      g_autofree char *pipeline
          = g_strdup_printf ("pipeline: p\nsource: { csv: { path: in.csv } }\n"
                             "transform:\n  - cast: { id: bigint }\n  - %s\n  - assert: { id %% 7 <> 0: seven }\n"
                             "sink: { postgresql: { connection: \"$URI\", table: t, create: true } }\n"
                             "errors: { rejects: r.ndjson }\n",
                             step);
      g_autoptr (Desk) desk = desk_new (TRUE);

      if (desk == NULL)
        return;
      write_rows (desk, N_ROWS);
      desk_write_pipeline (desk, pipeline);
      rig_setenv (desk->rig, "TALLYMAN_CRASH", point);
      assert_row_int (label, desk_run (desk), 128 + SIGKILL);
      rig_setenv (desk->rig, "TALLYMAN_CRASH", NULL);
      expect_each_once (desk, label, N_ROWS, 0);
    }
}

static void
test_a_target_that_was_put_back_is_noticed (void)
{
  g_autoptr (Desk) desk = desk_new (TRUE);

  if (desk == NULL)
    return;
  write_rows (desk, N_ROWS);
  rig_setenv (desk->rig, "TALLYMAN_CRASH", "sink-committed:2");
  assert_int (desk_run (desk), 128 + SIGKILL);
  rig_setenv (desk->rig, "TALLYMAN_CRASH", NULL);
  desk_do (desk, "TRUNCATE t, tallyman_checkpoint");
  assert_int (desk_run (desk), 1);
  assert_contains (rig_errors (desk->rig), "the target has no checkpoint of them");
  desk_expect (desk, "nothing is written", "SELECT count (*) FROM t", "0");
}

static const Promise promises[] = {
  { "a crash between the commits", test_a_crash_between_the_commits },
  { "several connections, and no last commit", test_several_connections_and_no_last_commit },
  { "several connections, and bad rows", test_several_connections_and_bad_rows },
  { "a commit that outlives its run", test_a_commit_that_outlives_its_run },
  { "an overtaken run commits nothing", test_an_overtaken_run_commits_nothing },
  { "killed again and again", test_killed_again_and_again },
  { "several connections, killed again and again", test_several_connections_killed_again_and_again },
  { "the server stops at once", test_the_server_stops_at_once },
  { "steps that remember rows", test_steps_that_remember_rows },
  { "a target that was put back is noticed", test_a_target_that_was_put_back_is_noticed },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("postgresql append", promises, argc, argv);
}
