/* test-pooler.c: a pooler in transaction mode between the plugin and the server
 *
 * pgbouncer gives a session to whoever has a transaction: of three sessions several runs get now this one, now that one.
 * Whatever a run left in one, the next would meet.
 */
#include "desk.h"

/* The desk's URI leads through the pooler; before that SQL is run.  NULL: skipped. */
static Desk *
pooled_desk_new (const char *sql)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  char *pooled;

  if (desk == NULL)
    return NULL;
  pooled = cluster_dup_pooled_uri (cluster_shared (), desk->uri);
  if (pooled == NULL)
    {
      skip_promise ("pgbouncer is not installed");
      return NULL;
    }
  desk_do (desk, sql);
  g_free (desk->uri);
  desk->uri = pooled;
  return g_steal_pointer (&desk);
}

static void
expect_run (Desk *desk, const char *label, const char *source, const char *sink)
{
  g_autofree char *text = g_strdup_printf ("pipeline: %s\nsource: { postgresql: { connection: \"$URI\", %s } }\n"
                                           "sink: { postgresql: { connection: \"$URI\", %s } }\n",
                                           label, source, sink);

  desk_write_pipeline (desk, text);
  if (!assert_row_int (label, desk_run (desk), 0))
    g_printerr ("%s\n", rig_errors (desk->rig));
}

static void
test_every_source_and_sink (void)
{
  static const struct
  {
    const char *label, *source, *sink;
    guint runs; /* that bring each row once in all */
  } rows[] = {
    { "table-append", "table: t", "table: a1", 1 },
    { "query-append", "query: SELECT * FROM t ORDER BY id", "table: a2", 1 },
    { "watermark-append", "table: t, watermark: at, key: id", "table: a3", 3 },
    { "create", "table: t", "table: a4, create: true", 1 },
    { "upsert", "table: t", "table: a5, mode: upsert, key: id", 3 },
    { "upsert-create", "table: t, watermark: at, key: id", "table: a6, create: true, mode: upsert, key: id", 3 },
    { "replace", "table: t", "table: a7, mode: replace", 3 },
    { "replace-create", "query: SELECT * FROM t", "table: a8, create: true, mode: replace", 3 },
    { "connections", "table: t, connections: 2", "table: a9, create: true", 1 },
    { "connections-load", "table: t", "table: a10, create: true, connections: 2", 1 },
  };
  g_autoptr (Desk) desk = pooled_desk_new (
      "CREATE TABLE t AS SELECT i AS id, timestamptz '2024-01-01 UTC' + i / 3 * interval '1 min' AS at, 'x' || i AS x "
      "FROM generate_series (1::bigint, 60000) AS i; CREATE TABLE a1 (LIKE t); CREATE TABLE a2 (LIKE t); "
      "CREATE TABLE a3 (LIKE t); CREATE TABLE a5 (LIKE t, PRIMARY KEY (id)); CREATE TABLE a7 (LIKE t)");

  if (desk == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *sql = g_strdup_printf ("SELECT count (*) || ' ' || count (DISTINCT u.id) FROM a%u AS u JOIN t "
                                              "ON ROW (t.id, t.at, t.x) = ROW (u.id, u.at, u.x)", i + 1);

      for (guint run = 0; run < rows[i].runs; run++)
        expect_run (desk, rows[i].label, rows[i].source, rows[i].sink);
      desk_expect (desk, rows[i].label, sql, "60000 60000");
    }
}

/* Settings that are not ours do not reach our rows, nor ours whoever gets the session next. */
static void
test_a_session_is_given_back_as_it_was (void)
{
  static const struct
  {
    const char *label, *sql, *expected;
  } rows[] = {
    { "settings", "SELECT string_agg (setting, ' ' ORDER BY name) FROM pg_settings WHERE name IN ('bytea_output', 'synchronous_commit')",
      "escape off" },
    { "temporary tables", "SELECT count (*) FROM pg_class WHERE relpersistence = 't'", "0" },
    { "prepared statements", "SELECT count (*) FROM pg_prepared_statements", "0" },
    { "advisory locks", "SELECT count (*) FROM pg_locks WHERE locktype = 'advisory'", "0" },
  };
  g_autoptr (Desk) desk = pooled_desk_new (
      "DO $$ BEGIN EXECUTE format ('ALTER DATABASE %I SET bytea_output = escape', current_database ()); "
      "EXECUTE format ('ALTER DATABASE %I SET synchronous_commit = off', current_database ()); END $$; "
      "CREATE TABLE t AS SELECT 1::bigint AS id, ARRAY['\\x00ff'::bytea] AS b; CREATE TABLE u (id text PRIMARY KEY, b text)");

  if (desk == NULL)
    return;
  expect_run (desk, "settings", "table: t", "table: u, mode: upsert, key: id");
  desk_expect (desk, "our forms", "SELECT b FROM u", "[\"\\\\x00ff\"]");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    desk_expect (desk, rows[i].label, rows[i].sql, rows[i].expected);
}

static const Promise promises[] = {
  { "D5: every source and sink works behind pgbouncer", test_every_source_and_sink },
  { "D5: a session is given back as it was", test_a_session_is_given_back_as_it_was },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("postgresql pooler", promises, argc, argv);
}
