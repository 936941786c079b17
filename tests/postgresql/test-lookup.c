/* test-lookup.c: rows are looked up as PostgreSQL joins them, and once, whatever happens to the run
 *
 * The server is the oracle: the same rows are joined by it.  5 kills; 50 with TALLYMAN_PROOF=long.  TALLYMAN_SEED=N repeats
 * a choice of moments.
 */
#include "desk.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define COMPLETE 3 /* with rejects */
#define N_ROWS 120000
#define PATIENCE (60 * G_USEC_PER_SEC) /* until what does not come is missed */

/* ---- What is found ---- */

#define NUMBERS "0, 1, 1.0, 1.5, 0.1, -1, 2, 9007199254740992, 9007199254740993, NULL"
#define TEXTS "'', ' ', 'a', 'A', 'a ', 'é', NULL"

/* Keys of all kinds: equal ones that are written in several ways, NULLs, and those that only one side has. */
static const struct
{
  const char *label, *type, *values; /* of m's keys */
  const char *other, *base;          /* (nullable) the type of the other side's, and of the values that both are made of */
} keys[] = {
  { "numbers", "numeric", "1, 1.0, 1.00, -0.5, 0, 0.0, 1e30, 2, NULL, 'NaN'" },
  { "doubles", "double precision", "0, '-0', 1.5, 'NaN', 'Infinity', '-Infinity', 2, NULL" },
  { "texts", "text", "'', ' ', 'a', 'A', 'ä', 'a ', 'é', NULL, E'e\\u0301', E'tab\\there'" },
  { "bytes", "bytea", "'\\x', '\\x00', '\\x0000', '\\xff', NULL" },
  { "whole numbers", "bigint", "0, 1, -1, 9223372036854775807, NULL" },
  { "truth", "boolean", "true, false, NULL" },
  { "days", "date", "'2020-02-29', 'infinity', '0044-03-15 BC', NULL" },
  { "moments", "timestamptz", "'2020-01-01 00:00+00', '2020-01-01 01:00+01', 'infinity', NULL" },
  { "intervals", "interval", "'1 month', '30 days', '720:00:00', '1 day', NULL" },
  { "jsonb", "jsonb", "'1', '1.0', 'null', '[1, 2]', '[1.00, 2]', '{\"b\": 1, \"a\": 2}', '{\"a\": 2.0, \"b\": 1}', NULL" },
  /* Two types of one comparison.  2^53 + 1 is no double, and a tenth is none. */
  { "smallint and bigint", "smallint", "0, 1, -1, 32767, NULL", "bigint", "bigint" },
  { "integer and smallint", "integer", "0, 1, -1, 32767, NULL", "smallint", "bigint" },
  { "bigint and numeric", "bigint", NUMBERS, "numeric", "numeric" },
  { "numeric and bigint", "numeric", NUMBERS, "bigint", "numeric" },
  { "bigint and double", "bigint", NUMBERS, "double precision", "numeric" },
  { "double and bigint", "double precision", NUMBERS, "bigint", "numeric" },
  { "integer and double", "integer", "0, 1, -1, 2147483647, NULL", "double precision", "bigint" },
  { "numeric and double", "numeric", NUMBERS ", 1e30, 1e-7, 'NaN', 'Infinity'", "double precision", "numeric" },
  { "double and numeric", "double precision", NUMBERS ", 1e30, 1e-7, 'NaN', 'Infinity'", "numeric", "numeric" },
  { "varchar and text", "varchar(9)", TEXTS, "text", "text" },
  { "text and name", "text", TEXTS, "name", "text" },
};

/* 300 rows m (id, k) and 500 rows l (k, n, t); u (k, n) has one row for each key. */
static void
make_rows (Desk *desk, guint i)
{
  const char *type = keys[i].type, *other = keys[i].other != NULL ? keys[i].other : type;
  const char *base = keys[i].base != NULL ? keys[i].base : type;
  g_autofree char *sql = g_strdup_printf (
      "SET client_min_messages = error; DROP TABLE IF EXISTS m, l, u, out; SELECT setseed(0.5);"
      "CREATE TABLE v AS SELECT row_number() OVER () AS i, k::%s AS k FROM unnest(ARRAY[%s]::%s[]) AS k;"
      "CREATE TABLE m AS SELECT id, k::%s AS k FROM (SELECT id, 1 + floor(random() * (SELECT count(*) + 1 FROM v))::bigint AS i"
      "  FROM generate_series(1, 300) AS id) AS r LEFT JOIN v USING (i);"
      "CREATE TABLE l AS SELECT k::%s AS k, CASE WHEN random() < 0.1 THEN NULL ELSE floor(random() * 5)::bigint END AS n,"
      "  'text ' || j AS t FROM (SELECT j, 1 + floor(random() * (SELECT count(*) + 1 FROM v))::bigint AS i"
      "  FROM generate_series(1, 500) AS j) AS r LEFT JOIN v USING (i) WHERE i %% 4 <> 3;"
      "CREATE TABLE u AS SELECT k::%s::%s AS k, max(i) AS n FROM v WHERE i %% 3 <> 2 GROUP BY 1; DROP TABLE v",
      base, keys[i].values, base, type, other, type, other);

  desk_do (desk, sql);
}

#define PIPELINE(lookup)                                                                           \
  "pipeline: p\nsource: { postgresql: { connection: \"$URI\", table: m } }\n"                      \
  "transform:\n  - lookup: { from: { postgresql: { connection: \"$URI\", table: " lookup " }\n"    \
  "sink: { postgresql: { connection: \"$URI\", table: out, mode: replace, create: true } }\n"

/* The rows of out and of the query, each as often as it is there. */
#define DIFFERENCES(query)                                                                         \
  "SELECT (SELECT count(*) FROM (SELECT * FROM out EXCEPT ALL (" query ")) AS a) || ' ' || "       \
  "(SELECT count(*) FROM ((" query ") EXCEPT ALL SELECT * FROM out) AS a) || ' ' || (SELECT count(*) FROM out)"

typedef struct
{
  const char *name, *pipeline, *differences, *expected;
} Join;

static const Join joins[] = {
  { "all, in order", PIPELINE ("l } }, match: { k: k }, collect: c, order: [n DESC NULLS LAST, t]"),
    DIFFERENCES ("SELECT id, k, coalesce((SELECT jsonb_agg(jsonb_build_object('n', n, 't', t) ORDER BY n DESC NULLS LAST, t "
                 "COLLATE \"C\") FROM l WHERE l.k = m.k), '[]') FROM m"),
    "0 0 300" },
  { "one or none", PIPELINE ("u } }, match: { k: k }"), DIFFERENCES ("SELECT id, m.k, u.n FROM m LEFT JOIN u ON u.k = m.k"),
    "0 0 300" },
  { "the first", PIPELINE ("l } }, match: { k: k }, columns: { first: t }, many: first, order: [n, t DESC]"),
    DIFFERENCES ("SELECT id, k, (SELECT t FROM l WHERE l.k = m.k ORDER BY n, t COLLATE \"C\" DESC LIMIT 1) FROM m"), "0 0 300" },
  { "two columns", PIPELINE ("l } }, match: { k: k, n: (id % 5)::bigint }, collect: c, columns: [t], order: t"),
    DIFFERENCES ("SELECT id, k, coalesce((SELECT jsonb_agg(jsonb_build_object('t', t) ORDER BY t COLLATE \"C\") FROM l "
                 "WHERE l.k = m.k AND l.n = id % 5), '[]') FROM m"),
    "0 0 300" },
};

static void
test_joins_as_the_server_does (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);

  for (guint i = 0; desk != NULL && i < G_N_ELEMENTS (keys); i++)
    {
      make_rows (desk, i);
      for (guint j = 0; j < G_N_ELEMENTS (joins); j++)
        {
          g_autofree char *label = g_strdup_printf ("%s, %s", keys[i].label, joins[j].name);

          desk_do (desk, "SET client_min_messages = error; DROP TABLE IF EXISTS out");
          desk_write_pipeline (desk, joins[j].pipeline);
          if (!assert_row_int (label, desk_run (desk), 0))
            g_printerr ("%s\n", rig_errors (desk->rig));
          desk_expect (desk, label, joins[j].differences, joins[j].expected);
        }
      /* Not every key has a match, and some have. */
      desk_expect (desk, keys[i].label,
                   "SELECT count(*) BETWEEN 1 AND 299 FROM m WHERE EXISTS (SELECT FROM l WHERE l.k = m.k)", "t");
    }
}

static void
test_a_file_and_a_table (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  g_autofree char *rows = NULL;

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE TABLE users (id bigint, email text); INSERT INTO users VALUES (1, 'a@b.c'), (2, 'd@e.f')");
  rig_write (desk->rig, "in.csv", "id,agent\n1,2\n2,3\n");
  desk_write_pipeline (desk, "pipeline: p\nsource: { csv: { path: in.csv } }\n"
                             "transform:\n  - lookup: { from: { postgresql: { connection: \"$URI\", table: users } }, "
                             "match: { id: agent::bigint }, missing: reject }\n"
                             "sink: { json: { path: out.ndjson } }\nerrors: { rejects: r.ndjson }\n");
  assert_int (rig_command (desk->rig, "check", "pipeline.yaml", NULL), 0);
  assert_int (desk_run (desk), COMPLETE);
  rows = rig_read (desk->rig, "out.ndjson");
  assert_text (rows, "{\"id\":\"1\",\"agent\":\"2\",\"email\":\"d@e.f\"}\n");
}

/* ---- Whatever happens ---- */

/* N_ROWS tickets, every third of which has two comments; two rows of comments are wrong. */
static void
write_files (Desk *desk, guint n)
{
  g_autoptr (GString) tickets = g_string_new ("id\n"), comments = g_string_new ("ticket,n\n");

  for (guint i = 1; i <= n; i++)
    {
      g_string_append_printf (tickets, "%u\n", i);
      if (i % 3 == 0)
        g_string_append_printf (comments, "%u,2\n%u,1\n", i, i);
      if (i == 10 || i == n / 2)
        g_string_append (comments, "x,3\n");
    }
  rig_write (desk->rig, "in.csv", tickets->str);
  rig_write (desk->rig, "comments.csv", comments->str);
  desk_write_pipeline (desk, "pipeline: p\nsource: { csv: { path: in.csv } }\n"
                             "transform:\n  - lookup:\n      from: { csv: { path: comments.csv } }\n"
                             "      transform: [{ cast: { ticket: bigint, n: bigint } }]\n"
                             "      match: { ticket: id::bigint }\n      collect: c\n      order: n\n"
                             "      memory: 1MiB\n      errors: reject\n"
                             "sink: { postgresql: { connection: \"$URI\", table: t, create: true } }\n"
                             "errors: { rejects: r.ndjson }\n");
}

/* After the run has ended so, and been run to its end if it had not. */
static void
expect_each_once (Desk *desk, const char *label, guint n, int status)
{
  g_autofree char *expected = g_strdup_printf ("%u %u %u", n, n, n / 3);

  for (guint i = 0; i < 5 && status != COMPLETE; i++)
    status = desk_run (desk);
  if (!assert_row_int (label, status, COMPLETE))
    g_printerr ("%s\n", rig_errors (desk->rig));
  desk_expect (desk, label,
               "SELECT count(*) || ' ' || count(DISTINCT id) || ' ' || count(*) FILTER (WHERE c = '[{\"n\": 1}, {\"n\": 2}]' AND "
               "id::bigint % 3 = 0) FROM t WHERE c = '[]' OR id::bigint % 3 = 0",
               expected);
  assert_row_int (label, rig_count_lines (desk->rig, "r.ndjson"), 2);
}

static void
test_a_crash_between_the_commits (void)
{
  static const char *const points[] = { "sink-committed:1", "sink-committed:2", "ledger-before-commit:4" };

  for (guint i = 0; i < G_N_ELEMENTS (points); i++)
    {
      g_autoptr (Desk) desk = desk_new (TRUE);

      if (desk == NULL)
        return;
      write_files (desk, N_ROWS);
      rig_setenv (desk->rig, "TALLYMAN_CRASH", points[i]);
      assert_row_int (points[i], desk_run (desk), 128 + SIGKILL);
      rig_setenv (desk->rig, "TALLYMAN_CRASH", NULL);
      expect_each_once (desk, points[i], N_ROWS, 0);
    }
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
test_killed_again_and_again (void)
{
  const char *seed = g_getenv ("TALLYMAN_SEED");
  guint32 number = seed != NULL ? (guint32)g_ascii_strtoull (seed, NULL, 10) : g_random_int ();
  guint left = g_strcmp0 (g_getenv ("TALLYMAN_PROOF"), "long") == 0 ? 50 : 5;
  g_autoptr (GRand) random = g_rand_new_with_seed (number);

  g_print (" (seed %u)", number);
  while (left > 0)
    {
      g_autoptr (Desk) desk = desk_new (FALSE);
      int status = 0;

      if (desk == NULL)
        return;
      write_files (desk, 2 * N_ROWS);
      for (; left > 0 && status != COMPLETE; left--)
        {
          rig_start (desk->rig);
          g_usleep (g_rand_int_range (random, 0, 3 * G_USEC_PER_SEC / 2));
          rig_signal (desk->rig, SIGKILL);
          status = wait_for_the_end (desk);
        }
      expect_each_once (desk, "kill -9", 2 * N_ROWS, status);
    }
}

/* Into a target that the ledger has to speak for. */
static void
test_tickets_are_created_once (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  g_autoptr (GString) rows = g_string_new ("id,subject,agent\n");
  g_autofree char *pipeline = NULL;

  if (desk == NULL)
    return;
  for (guint i = 1; i <= 300; i++)
    g_string_append_printf (rows, "%u,subject %u,%u\n", i, i, i % 7);
  rig_write (desk->rig, "in.csv", rows->str);
  rig_write (desk->rig, "users.csv", "agent,comment.body\n0,zero\n1,one\n2,two\n3,three\n4,four\n5,five\n6,six\n");
  pipeline = g_strdup_printf ("pipeline: p\norigin: desk\nsource: { csv: { path: in.csv } }\n"
                              "transform:\n  - lookup: { from: { csv: { path: users.csv } }, match: { agent: agent } }\n"
                              "  - drop: [agent]\n"
                              "sink: { zendesk-tickets: { url: \"%s\", access_token: secret, key: id, settle: 1s } }\n",
                              rig_url (desk->rig));
  rig_write (desk->rig, "pipeline.yaml", pipeline);
  rig_start (desk->rig);
  rig_wait_for_tickets (desk->rig, 100);
  rig_signal (desk->rig, SIGKILL);
  assert_int (rig_wait (desk->rig), 128 + SIGKILL);
  if (!assert_int (rig_run (desk->rig), 0))
    g_printerr ("%s\n", rig_errors (desk->rig));
  assert_true (rig_exactly_once (desk->rig, 1, 300, "kill -9"));
}

/* Waits until a session of the database sleeps. */
static void
wait_for_a_sleeper (Desk *desk)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE;
  g_autofree char *n = NULL;

  while (g_strcmp0 (n, "1") != 0 && g_get_monotonic_time () < deadline)
    {
      g_free (n);
      n = cluster_query (desk->uri, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'");
    }
  assert_text (n, "1");
}

/* The server has sent some rows and thinks for a day before the next one. */
static void
test_a_signal_ends_the_wait (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  g_autoptr (GString) pipeline = g_string_new (NULL);

  if (desk == NULL)
    return;
  rig_write (desk->rig, "in.csv", "id,subject,comment.body\n1,s,b\n");
  g_string_printf (pipeline, "pipeline: p\norigin: desk\nsource: { csv: { path: in.csv } }\n"
                             "transform:\n  - lookup: { from: { postgresql: { connection: \"$URI\", query: \"SELECT CASE WHEN i < 100 "
                             "THEN repeat('x', 1000) ELSE pg_sleep(86400)::text END AS key FROM generate_series(1, 100) AS i\" } },\n"
                             "      match: { key: id }, columns: { priority: key }, many: first }\n"
                             "sink: { zendesk-tickets: { url: \"%s\", access_token: secret, key: id, settle: 1s } }\n",
                   rig_url (desk->rig));
  desk_write_pipeline (desk, pipeline->str);
  rig_start (desk->rig);
  wait_for_a_sleeper (desk);
  rig_signal (desk->rig, SIGTERM);
  assert_int (rig_wait (desk->rig), 130);
}

static const Promise promises[] = {
  { "joins as the server does", test_joins_as_the_server_does },
  { "a file and a table", test_a_file_and_a_table },
  { "a crash between the commits", test_a_crash_between_the_commits },
  { "killed again and again", test_killed_again_and_again },
  { "tickets are created once", test_tickets_are_created_once },
  { "a signal ends the wait", test_a_signal_ends_the_wait },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("postgresql lookup", promises, argc, argv);
}
