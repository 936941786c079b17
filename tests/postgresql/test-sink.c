/* test-sink.c: rows into a real server */
#include "desk.h"
#include <string.h>

#define SOURCE "source: { csv: { path: in.csv } }\n"

static void
run_with (Desk *desk, const char *name, const char *steps, const char *options, const char *csv, int status)
{
  g_autofree char *text
      = g_strdup_printf ("pipeline: %s\n" SOURCE "%ssink: { postgresql: { connection: \"$URI\", %s } }\n", name, steps, options);

  rig_write (desk->rig, "in.csv", csv);
  desk_write_pipeline (desk, text);
  if (!assert_row_int (name, desk_run (desk), status))
    g_printerr ("%s\n", rig_errors (desk->rig));
}

static void
test_appends_in_either_format (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);

  if (desk == NULL)
    return;
  /* Text goes into any column, by the server's own input. */
  desk_do (desk, "CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE t (id integer, at date, m mood, x text, a int[], n numeric(10,2), "
                 "extra text DEFAULT 'd')");
  run_with (desk, "text", "", "table: t",
            "id,at,m,x,a,n\n1,29.02.2024,ok,\"tab\tback\\slash\nline\r\",\"{1,2}\",1.005\n2,2024-02-29,ok,\\N,,-0\n3,,,,,\n", 3);
  assert_int (rig_count (desk->rig, "rejected"), 1);
  desk_expect (desk, "text", "SELECT string_agg (t::text, ' ' ORDER BY id) FROM t", "(2,2024-02-29,ok,\"\\\\N\",,0.00,d) (3,,,,,,d)");

  /* Our types have the server's form. */
  desk_do (desk, "CREATE TABLE b (id bigint, n numeric, d double precision, o boolean, dt date, tz timestamptz, j jsonb, iv interval)");
  run_with (desk, "binary", "transform:\n  - cast: { id: bigint, n: numeric, d: double precision, o: boolean, dt: date, tz: timestamptz, j: jsonb, iv: interval }\n",
            "table: b",
            "id,n,d,o,dt,tz,j,iv\n"
            "1,-12345.678000,1e300,t,2024-02-29,2024-01-01 12:00+02,\"{\"\"a\"\":[1]}\",1 mon 2 days\n"
            "2,NaN,-Infinity,f,infinity,-infinity,null,-00:00:01\n"
            "3,100000000000000000000,0,,,,,\n4,0.00000001,,,,,,\n5,0,,,,,,\n6,-Infinity,,,,,,\n7,10000,,,,,,\n8,0.00,,,,,,\n"
            "9,99999999.9999,,,,,,\n", 0);
  desk_expect (desk, "numerics", "SELECT string_agg (n::text, ' ' ORDER BY id) FROM b",
               "-12345.678000 NaN 100000000000000000000 0.00000001 0 -Infinity 10000 0.00 99999999.9999");
  desk_expect (desk, "the others", "SELECT string_agg (concat_ws (' ', d, o, dt, tz AT TIME ZONE 'UTC', j, iv), '|' ORDER BY id) FROM b WHERE id < 3",
               "1e+300 t 2024-02-29 2024-01-01 10:00:00 {\"a\": [1]} 1 mon 2 days|-Infinity f infinity -infinity null -00:00:01");
}

static void
test_a_table_comes_back_with_every_type (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE t (id integer PRIMARY KEY, s smallint, r real, n numeric(12,3), c char(4), "
                 "tz timestamptz, iv interval, by bytea, j json, jb jsonb, ia int[], ta text[], ja jsonb[], u uuid, m mood, i inet); "
                 "INSERT INTO t VALUES (1, -3, 0.1, 1.5, 'a', '2024-01-01 12:00+02', '1 mon', '\\x00ff', '{\"a\" : 1}', '[1]', "
                 "'{{1,NULL},{3,4}}', '{\"a \\\"q\\\" \\\\\",NULL,\"NULL\",\"\",\"{x,y}\",ü}', ARRAY['{\"k\": \"v\"}'::jsonb, '[1, 2]'], "
                 "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'ok', '10.0.0.1/8'), (3, 1, 'NaN', 'NaN', '', 'infinity', '0', '', '1', 'null', "
                 "'{}', '{}', '{}', NULL, NULL, NULL); INSERT INTO t (id) VALUES (2); CREATE TABLE copy (LIKE t INCLUDING ALL)");
  desk_write_pipeline (desk, "pipeline: p\nsource: { postgresql: { connection: \"$URI\", table: t } }\n"
                             "sink: { postgresql: { connection: \"$URI\", table: copy } }\n");
  if (!assert_int (desk_run (desk), 0))
    g_printerr ("%s\n", rig_errors (desk->rig));
  desk_expect (desk, "equal rows", "SELECT count (*) FROM t JOIN copy ON t.*::text = copy.*::text", "3");
}

static void
test_makes_and_widens_the_table (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);

  if (desk == NULL)
    return;
  run_with (desk, "a", "", "table: t", "id,x\n1,a\n", 2);
  assert_contains (rig_errors (desk->rig), "set \"create: true\", or make it: CREATE TABLE \"t\" (\"id\" text, \"x\" text)");
  run_with (desk, "b", "transform:\n  - cast: { id: bigint }\n", "table: t, create: true", "id,x\n1,a\n", 0);
  desk_expect (desk, "type", "SELECT pg_typeof (id)::text FROM t", "bigint");
  run_with (desk, "c", "", "table: t", "id,y\n2,b\n", 2);
  assert_contains (rig_errors (desk->rig), "has no column \"y\"");
  run_with (desk, "d", "", "table: t, columns: ignore", "id,y\n3,b\n", 0);
  assert_contains (rig_errors (desk->rig), "has no column \"y\", and it is left out");
  run_with (desk, "e", "", "table: t, columns: add", "id,y\n4,b\n", 0);
  desk_expect (desk, "rows", "SELECT string_agg (t::text, ' ' ORDER BY id) FROM t", "(1,a,) (3,,) (4,,b)");
  run_with (desk, "g", "", "table: t, connections: 2", "id,x\n1,a\n", 2);
  assert_contains (rig_errors (desk->rig), "several \"connections\" load a table that is new");
  run_with (desk, "h", "", "table: none, create: true, connections: 9", "id,x\n", 0);
  desk_expect (desk, "an empty table", "SELECT count (*) FROM none", "0");
  run_with (desk, "f", "", "table: u, create: true, mode: upsert, key: [id]", "id,x\n1,a\n", 0);
  desk_expect (desk, "primary key", "SELECT count (*) FROM pg_constraint WHERE conrelid = 'u'::regclass AND contype = 'p'", "1");
}

static void
test_upserts (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  g_autofree char *before = NULL;

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE TABLE t (id text PRIMARY KEY, x text, j json, kept text DEFAULT 'k')");
  run_with (desk, "a", "", "table: t, mode: upsert, key: id", "id,x,j\n1,a,1\n2,b,2\n", 0);
  desk_do (desk, "UPDATE t SET kept = 'mine' WHERE id = '1'");
  before = cluster_query (desk->uri, "SELECT string_agg (xmin::text, ' ' ORDER BY id) FROM t");
  run_with (desk, "a", "", "table: t, mode: upsert, key: id", "id,x,j\n1,a,1\n2,b,2\n", 0);
  desk_expect (desk, "no row is written again", "SELECT string_agg (xmin::text, ' ' ORDER BY id) FROM t", before);
  run_with (desk, "a", "", "table: t, mode: upsert, key: id", "id,x,j\n2,c,2\n3,d,\n2,last,2\n", 0);
  desk_expect (desk, "the last of a key counts", "SELECT string_agg (concat_ws (' ', id, x, kept), ', ' ORDER BY id) FROM t",
               "1 a mine, 2 last k, 3 d k");
  run_with (desk, "b", "", "table: t, mode: upsert, key: id", "id\n9\n1\n", 0);
  desk_expect (desk, "nothing but the key", "SELECT count (*) FROM t", "4");
}

static void
test_replaces_as_a_whole (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE TABLE t (id bigint); INSERT INTO t VALUES (7), (8)");
  run_with (desk, "a", "errors: { limit: 0 }\ntransform:\n  - cast: { id: bigint }\n", "table: t, mode: replace", "id\n1\nx\n", 1);
  desk_expect (desk, "a run that fails leaves the old rows", "SELECT string_agg (id::text, ' ' ORDER BY id) FROM t", "7 8");
  run_with (desk, "a", "transform:\n  - cast: { id: bigint }\n", "table: t, mode: replace", "id\n1\n2\n", 0);
  desk_expect (desk, "new rows", "SELECT string_agg (id::text, ' ' ORDER BY id) FROM t", "1 2");
  run_with (desk, "a", "transform:\n  - cast: { id: bigint }\n  - filter: id > 5\n", "table: t, mode: replace", "id\n1\n", 0);
  desk_expect (desk, "none", "SELECT count (*) FROM t", "0");
}

static void
test_a_bad_row_does_not_cost_its_batch (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  g_autoptr (GString) csv = g_string_new ("id,x\n");
  g_autofree char *rejects = NULL;

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE TABLE t (id integer CHECK (id <> 1500), x varchar(3) NOT NULL)");
  for (guint i = 1; i <= 3000; i++)
    g_string_append_printf (csv, "%u,%s\n", i, i == 700 ? "long" : i == 701 ? "" : "x");
  run_with (desk, "a", "errors: { rejects: r.ndjson }\n", "table: t", csv->str, 3);
  assert_int (rig_count (desk->rig, "delivered"), 2997);
  assert_int (rig_count (desk->rig, "rejected"), 3);
  desk_expect (desk, "all others", "SELECT count (*) || ' ' || sum (id) FROM t", "2997 4498599");
  rejects = rig_read (desk->rig, "r.ndjson");
  assert_contains (rejects, "\"origin\":\"in.csv:701\",\"stage\":\"sink\",\"reason\":\"value too long for type character varying(3)\"");
  assert_contains (rejects, "\"origin\":\"in.csv:702\",\"stage\":\"sink\",\"reason\":\"null value in column \\\"x\\\"");
  assert_contains (rejects, "\"origin\":\"in.csv:1501\",\"stage\":\"sink\",\"reason\":\"new row for relation \\\"t\\\" violates check constraint");
}

/* Several batches, and rows of a key that another one has which came batches before. */
static void
test_bad_rows_of_batches_that_are_copied_together (void)
{
  static const struct
  {
    const char *label, *steps, *options, *reason;
  } rows[] = {
    { "append, binary", "transform:\n  - cast: { id: bigint, twin: bigint }\n", "table: t", "duplicate key value violates" },
    { "append, as text", "", "table: t", "duplicate key value violates" },
    { "upsert", "transform:\n  - cast: { id: bigint, twin: bigint }\n", "table: t, mode: upsert, key: id",
      "duplicate key value violates unique constraint \\\"t_twin_key\\\"" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Desk) desk = desk_new (FALSE);
      g_autoptr (GString) csv = g_string_new ("id,twin\n");
      g_autofree char *rejects = NULL, *steps = g_strconcat (rows[i].steps, "errors: { rejects: r.ndjson }\n", NULL);

      if (desk == NULL)
        return;
      desk_do (desk, "CREATE TABLE t (id bigint PRIMARY KEY, twin bigint UNIQUE)");
      for (guint n = 1; n <= 30000; n++)
        g_string_append_printf (csv, "%u,%u\n", n, n == 12000 || n == 12001 || n == 28000 ? 9000 : n);
      run_with (desk, "a", steps, rows[i].options, csv->str, 3);
      assert_row_int (rows[i].label, rig_count (desk->rig, "delivered"), 30000 - 3);
      assert_row_int (rows[i].label, rig_count (desk->rig, "rejected"), 3);
      desk_expect (desk, rows[i].label, "SELECT count (*) || ' ' || count (*) FILTER (WHERE id IN (12000, 12001, 28000)) FROM t",
                   "29997 0");
      rejects = rig_read (desk->rig, "r.ndjson");
      assert_contains (rejects, "\"origin\":\"in.csv:12001\",\"stage\":\"sink\",\"reason\":\"");
      assert_contains (rejects, "\"origin\":\"in.csv:12002\",\"stage\":\"sink\",\"reason\":\"");
      assert_contains (rejects, "\"origin\":\"in.csv:28001\",\"stage\":\"sink\",\"reason\":\"");
      assert_contains (rejects, rows[i].reason);
    }
}

/* Of rows with one key the last counts, whichever batch it is in. */
static void
test_the_last_of_a_key_counts_across_batches (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  g_autoptr (GString) csv = g_string_new ("id,n\n");

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE TABLE t (id text PRIMARY KEY, n text)");
  for (guint n = 1; n <= 30000; n++)
    g_string_append_printf (csv, "%u,%u\n", n % 100, n);
  run_with (desk, "a", "", "table: t, mode: upsert, key: id", csv->str, 0);
  desk_expect (desk, "the last", "SELECT count (*) || ' ' || min (n::int) || ' ' || max (n::int) FROM t", "100 29901 30000");
}

static void
test_real_files_come_back_equal (void)
{
  static const char *const files[] = { "jira-hadoop-bugs.csv", "github-vscode-multilingual.csv", "jira-moodle-stories.csv",
                                       "cfpb-complaints-v2-public.csv", "boston-311-requests.csv", "uk-spend-utf8-bom.csv",
                                       NULL };
  g_autoptr (Desk) desk = desk_new (FALSE);
  g_autofree char *compare = g_build_filename (g_getenv ("SOURCE_ROOT"), "tests", "postgresql", "same-csv.py", NULL);

  if (desk == NULL)
    return;
  for (guint i = 0; files[i] != NULL; i++)
    {
      g_autofree char *path = g_build_filename (g_getenv ("SHARED_DATA"), "csv", files[i], NULL);
      g_autofree char *out = rig_path (desk->rig, "out.csv"), *text = NULL, *command = NULL;

      if (!g_file_test (path, G_FILE_TEST_EXISTS))
        {
          skip_promise ("%s is not there", path);
          return;
        }
      text = g_strdup_printf ("pipeline: in%u\nsource: { csv: { path: \"%s\" } }\n"
                              "sink: { postgresql: { connection: \"$URI\", table: t%u, create: true } }\n", i, path, i);
      desk_write_pipeline (desk, text);
      assert_row_int (files[i], desk_run (desk), 0);
      g_free (text);
      text = g_strdup_printf ("pipeline: out%u\nsource: { postgresql: { connection: \"$URI\", table: t%u } }\n"
                              "sink: { csv: { path: out.csv } }\n", i, i);
      desk_write_pipeline (desk, text);
      assert_row_int (files[i], desk_run (desk), 0);
      command = g_strdup_printf ("python3 '%s' '%s' '%s'", compare, path, out);
      assert_row_int (files[i], system (command), 0);
    }
}

static const Promise promises[] = {
  { "appends, in either format", test_appends_in_either_format },
  { "a table comes back with every type", test_a_table_comes_back_with_every_type },
  { "makes and widens the table", test_makes_and_widens_the_table },
  { "upserts, and leaves unchanged rows alone", test_upserts },
  { "replaces as a whole", test_replaces_as_a_whole },
  { "a bad row does not cost its batch", test_a_bad_row_does_not_cost_its_batch },
  { "bad rows of batches that are copied together", test_bad_rows_of_batches_that_are_copied_together },
  { "the last of a key counts across batches", test_the_last_of_a_key_counts_across_batches },
  { "real files come back equal", test_real_files_come_back_equal },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("postgresql sink", promises, argc, argv);
}
