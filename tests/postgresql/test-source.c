/* test-source.c: rows out of a real server */
#include "desk.h"
#include <string.h>

#define SINK "sink: { json: { path: out.ndjson } }\n"

static void
test_reads_every_type (void)
{
  static const struct
  {
    const char *type, *value, *json;
  } rows[] = {
    { "boolean", "true", "true" },
    { "smallint", "-32768", "-32768" },
    { "integer", "2147483647", "2147483647" },
    { "bigint", "-9223372036854775808", "-9223372036854775808" },
    { "oid", "4294967295", "4294967295" },
    { "real", "0.1", "0.1" },
    { "real", "NaN", "\"NaN\"" },
    { "double precision", "-Infinity", "\"-Infinity\"" },
    { "double precision", "1e-300", "1e-300" },
    { "numeric(30,5)", "-1234567890123456789.5", "-1234567890123456789.50000" },
    { "numeric", "1e-20", "0.00000000000000000001" },
    { "numeric", "Infinity", "\"Infinity\"" },
    { "text", "Ärger\twith \\ and \"quotes\"", "\"Ärger\\twith \\\\ and \\\"quotes\\\"\"" },
    { "varchar(5)", "abc", "\"abc\"" },
    { "char(4)", "ab", "\"ab  \"" },
    { "name", "n", "\"n\"" },
    { "date", "2024-02-29", "\"2024-02-29\"" },
    { "date", "infinity", "\"infinity\"" },
    { "date", "0044-03-15 BC", "\"0044-03-15 BC\"" },
    { "timestamp", "1999-12-31 23:59:59.999999", "\"1999-12-31 23:59:59.999999\"" },
    { "timestamp", "-infinity", "\"-infinity\"" },
    { "timestamptz", "2024-03-31 02:30:00+02", "\"2024-03-31 00:30:00+00\"" },
    { "interval", "-1 mon +2 days 03:04:05.000006", "\"-1 mons +2 days 03:04:05.000006\"" },
    { "bytea", "\\x00ff", "\"\\\\x00ff\"" },
    { "json", "{\"b\" : 1, \"b\":2}", "\"{\\\"b\\\" : 1, \\\"b\\\":2}\"" },
    { "jsonb", "{\"b\":[1,2.50]}", "{\"b\": [1, 2.50]}" },
    { "integer[]", "{{1,NULL},{3,4}}", "[[1, null], [3, 4]]" },
    { "text[]", "{\"a,b\",NULL}", "[\"a,b\", null]" },
    { "uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"" },
    { "inet", "10.0.0.1/8", "\"10.0.0.1/8\"" },
    { "point", "(1,2)", "\"(1,2)\"" },
    { "int4range", "[1,5)", "\"[1,5)\"" },
    { "time", "12:34:56", "\"12:34:56\"" },
    { "money", "$1.50", "\"$1.50\"" },
  };
  g_autoptr (Desk) desk = desk_new (FALSE);
  g_autoptr (GString) names = g_string_new (NULL), values = g_string_new (NULL), expected = g_string_new ("{");
  g_autofree char *sql = NULL, *out = NULL;

  if (desk == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_auto (GStrv) parts = g_strsplit (rows[i].value, "'", -1);
      g_autofree char *value = g_strjoinv ("''", parts);

      g_string_append_printf (names, "%sc%u %s", i > 0 ? ", " : "", i, rows[i].type);
      g_string_append_printf (values, "%s'%s'", i > 0 ? ", " : "", value);
      g_string_append_printf (expected, "%s\"c%u\":%s", i > 0 ? "," : "", i, rows[i].json);
    }
  g_string_append (expected, "}\n{");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_string_append_printf (expected, "%s\"c%u\":null", i > 0 ? "," : "", i);
  g_string_append (expected, "}\n");
  sql = g_strdup_printf ("CREATE TABLE t (%s); INSERT INTO t VALUES (%s); INSERT INTO t DEFAULT VALUES", names->str, values->str);
  desk_do (desk, sql);
  desk_write_pipeline (desk, "pipeline: p\nsource: { postgresql: { connection: \"$URI\", table: t } }\n" SINK);
  assert_int (desk_run (desk), 0);
  out = rig_read (desk->rig, "out.ndjson");
  assert_text (out, expected->str);
}

static void
test_reads_a_query_with_steps (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  g_autofree char *out = NULL;

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE SCHEMA \"Help desk\"; CREATE TABLE \"Help desk\".\"T\" AS SELECT i AS id, 'S' || i AS \"The subject\" "
                 "FROM generate_series (1, 3000) AS i");
  desk_write_pipeline (desk, "pipeline: p\nsource:\n  postgresql:\n    connection: \"$URI\"\n    query: |\n"
                             "      SELECT * FROM \"Help desk\".\"T\" ORDER BY id -- all of them\n"
                             "transform:\n  - filter: id % 1000 = 0\n  - set: { s: lower(\"The subject\") }\n  - keep: [id, s]\n" SINK);
  assert_int (desk_run (desk), 0);
  out = rig_read (desk->rig, "out.ndjson");
  assert_text (out, "{\"id\":1000,\"s\":\"s1000\"}\n{\"id\":2000,\"s\":\"s2000\"}\n{\"id\":3000,\"s\":\"s3000\"}\n");
  assert_int (rig_count (desk->rig, "read"), 3000);

  desk_write_pipeline (desk, "pipeline: q\nsource: { postgresql: { connection: \"$URI\", table: '\"Help desk\".\"T\"' } }\n" SINK);
  assert_int (desk_run (desk), 0);
  assert_int (rig_count (desk->rig, "read"), 3000);
}

static void
test_reads_what_is_new (void)
{
  static const struct
  {
    const char *label, *sql, *expected;
  } rows[] = {
    { "all at first", "INSERT INTO t VALUES (1, '2024-01-01'), (2, '2024-01-02'), (3, '2024-01-02')", "1 2 3" },
    { "nothing new", "SELECT 1", "" },
    { "later ones", "INSERT INTO t VALUES (4, '2024-01-03')", "4" },
    { "an equal watermark with a greater key", "INSERT INTO t VALUES (5, '2024-01-03')", "5" },
    { "a changed row", "UPDATE t SET at = '2024-01-04' WHERE id = 2", "2" },
    { "a watermark with microseconds", "INSERT INTO t VALUES (6, '2024-01-04 00:00:00.000001')", "6" },
  };
  g_autoptr (Desk) desk = desk_new (FALSE);

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE TABLE t (id bigint, at timestamptz); CREATE TABLE seen (id bigint)");
  desk_write_pipeline (desk, "pipeline: p\nsource: { postgresql: { connection: \"$URI\", table: t, watermark: at, key: id } }\n"
                             "transform:\n  - keep: [id]\nsink: { postgresql: { connection: \"$URI\", table: seen } }\n");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *sql = g_strconcat ("TRUNCATE seen; ", rows[i].sql, NULL);

      desk_do (desk, sql);
      if (!assert_row_int (rows[i].label, desk_run (desk), 0))
        g_printerr ("%s\n", rig_errors (desk->rig));
      desk_expect (desk, rows[i].label, "SELECT coalesce (string_agg (id::text, ' ' ORDER BY id), '') FROM seen",
                   rows[i].expected);
    }
}

/* The rejects of a failed run may have been saved, and its rows not. */
static void
expect_a_failed_run_to_be_made_up_for (const char *label, const char *steps, const char *small_limit)
{
  static const char *const sql[] = { "INSERT INTO t SELECT i, i > 1 FROM generate_series (1, 2) i",
                                     "INSERT INTO t SELECT i, i > 1502 FROM generate_series (3, 1503) i", "SELECT 1" };
  static const int statuses[] = { 3, 1, 3 };
  g_autoptr (Desk) desk = desk_new (FALSE);

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE TABLE t (id bigint, good boolean); CREATE TABLE copy (id bigint)");
  for (guint i = 0; i < G_N_ELEMENTS (sql); i++)
    {
      g_autofree char *text
          = g_strdup_printf ("pipeline: p\n"
                             "source: { postgresql: { connection: \"$URI\", table: t, watermark: id, key: id } }\n"
                             "transform: [ %sassert: { good: bad }, keep: id ]\n"
                             "sink: { postgresql: { connection: \"$URI\", table: copy } }\n"
                             "errors: { limit: %s, rejects: r.ndjson }\n",
                             steps, statuses[i] == 1 ? small_limit : "2000");

      desk_do (desk, sql[i]);
      desk_write_pipeline (desk, text);
      if (!assert_row_int (label, desk_run (desk), statuses[i]))
        g_printerr ("%s\n", rig_errors (desk->rig));
    }
  assert_row_int (label, rig_count_lines (desk->rig, "r.ndjson"), 1501);
  desk_expect (desk, label, "SELECT string_agg (id::text, ' ' ORDER BY id) FROM copy", "2 1503");
}

static void
test_a_failed_run_is_made_up_for_by_the_next (void)
{
  expect_a_failed_run_to_be_made_up_for ("nothing saved", "", "5");
  expect_a_failed_run_to_be_made_up_for ("a position saved", "", "1200");
  expect_a_failed_run_to_be_made_up_for ("rows remembered, rejects saved", "distinct: id, ", "1200");
}

static void
test_reads_late_rows_again_within_the_overlap (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz); CREATE TABLE copy (LIKE t INCLUDING ALL); "
                 "INSERT INTO t VALUES (1, '2024-01-01 12:00'), (3, '2024-01-01 12:10'), (9, NULL)");
  desk_write_pipeline (desk, "pipeline: p\nsource:\n  postgresql: { connection: \"$URI\", table: t, watermark: at, key: id, "
                             "overlap: 15min }\n"
                             "sink: { postgresql: { connection: \"$URI\", table: copy, mode: upsert, key: id } }\n");
  assert_int (desk_run (desk), 0);
  assert_contains (rig_errors (desk->rig), "rows whose \"at\" or \"id\" is NULL are not read");
  /* A transaction that began before the last run and committed after it. */
  desk_do (desk, "INSERT INTO t VALUES (2, '2024-01-01 12:05')");
  assert_int (desk_run (desk), 0);
  desk_expect (desk, "late row", "SELECT string_agg (id::text, ' ' ORDER BY id) FROM copy", "1 2 3");
}

static void
test_reads_with_several_connections (void)
{
  static const struct
  {
    const char *label, *table;
  } rows[] = {
    { "no rows", "empty" },     { "few rows", "few" },       { "holes", "holes" },
    { "partitions", "parts" },  { "children larger than their parent", "parent" },
  };
  g_autoptr (Desk) desk = desk_new (FALSE);

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE TABLE seen (id bigint, x text); CREATE TABLE empty (LIKE seen); CREATE TABLE few AS SELECT 1::bigint AS id, 'x' AS x; "
                 "CREATE TABLE holes AS SELECT i AS id, repeat ('x', 50) AS x FROM generate_series (1::bigint, 60000) AS i; "
                 "DELETE FROM holes WHERE id % 7 = 0 OR id BETWEEN 20000 AND 40000 OR id > 55000; "
                 "CREATE TABLE parts (LIKE seen) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF parts FOR VALUES FROM (0) TO (50000); "
                 "CREATE TABLE p2 PARTITION OF parts FOR VALUES FROM (50000) TO (51000); CREATE TABLE p3 PARTITION OF parts DEFAULT; "
                 "INSERT INTO parts SELECT i, repeat ('x', 50) FROM generate_series (1::bigint, 60000) AS i; "
                 "CREATE TABLE parent (LIKE seen); CREATE TABLE child () INHERITS (parent); INSERT INTO parent VALUES (0, 'x'); "
                 "INSERT INTO child SELECT i, repeat ('x', 50) FROM generate_series (1::bigint, 60000) AS i");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *text = g_strdup_printf ("pipeline: p%u\nsource: { postgresql: { connection: \"$URI\", table: %s, connections: 5 } }\n"
                                               "sink: { postgresql: { connection: \"$URI\", table: seen } }\n", i, rows[i].table);
      g_autofree char *check = g_strdup_printf ("SELECT (SELECT count (*) FROM seen) = (SELECT count (*) FROM %s) AND NOT EXISTS "
                                                "(TABLE %s EXCEPT TABLE seen)", rows[i].table, rows[i].table);

      desk_do (desk, "TRUNCATE seen");
      desk_write_pipeline (desk, text);
      if (!assert_row_int (rows[i].label, desk_run (desk), 0))
        g_printerr ("%s\n", rig_errors (desk->rig));
      desk_expect (desk, rows[i].label, check, "t");
    }
}

static gpointer
move_rows (gpointer uri)
{
  /* Each statement makes new versions of its rows, at the end of the file or wherever there is room. */
  for (guint i = 0; i < 60; i++)
    g_free (cluster_query (uri, "UPDATE t SET x = CASE WHEN id % 2 = 0 THEN x + 1 ELSE x - 1 END WHERE id / 2 % 16 = (SELECT i FROM turn); "
                                "UPDATE turn SET i = (i + 5) % 16"));
  return NULL;
}

static void
test_several_connections_see_one_moment (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  GThread *mover;

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE TABLE t AS SELECT i AS id, 0::bigint AS x, repeat ('x', 50) AS y FROM generate_series (2::bigint, 40001) AS i; "
                 "CREATE TABLE turn AS SELECT 0 AS i; CREATE TABLE seen (LIKE t)");
  mover = g_thread_new ("mover", move_rows, desk->uri);
  for (guint i = 0; i < 5; i++)
    {
      desk_do (desk, "TRUNCATE seen");
      desk_write_pipeline (desk, "pipeline: p\nsource: { postgresql: { connection: \"$URI\", table: t, connections: 4 } }\n"
                                 "sink: { postgresql: { connection: \"$URI\", table: seen } }\n");
      if (!assert_int (desk_run (desk), 0))
        g_printerr ("%s\n", rig_errors (desk->rig));
      desk_expect (desk, "rows", "SELECT count (*) || ' ' || count (DISTINCT id) FROM seen", "40000 40000");
      desk_expect (desk, "pairs change together", "SELECT count (*) FROM (SELECT FROM seen GROUP BY id / 2 HAVING sum (x) <> 0) AS torn", "0");
    }
  g_thread_join (mover);
}

static void
test_opens_as_many_connections_as_asked (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE ROLE pair LOGIN CONNECTION LIMIT 2; CREATE TABLE t AS SELECT repeat ('x', 50) AS x FROM generate_series (1, 60000); "
                 "GRANT SELECT ON t TO pair");
  for (guint n = 2; n <= 3; n++)
    {
      g_autofree char *text = g_strdup_printf ("pipeline: p%u\nsource: { postgresql: { connection: \"$URI&user=pair\", table: t, connections: %u } }\n" SINK,
                                               n, n);

      desk_write_pipeline (desk, text);
      assert_row_int (n == 2 ? "two" : "three", desk_run (desk), n == 2 ? 0 : 1);
    }
  assert_contains (rig_errors (desk->rig), "too many connections for role");
}

static void
test_rejects_text_of_an_unknown_encoding (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  g_autofree char *out = NULL, *rejects = NULL, *uri = NULL;

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE DATABASE old ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
  uri = g_steal_pointer (&desk->uri);
  desk->uri = cluster_dup_uri (cluster_shared (), "old");
  desk_do (desk, "CREATE TABLE t AS SELECT 1 AS id, 'gr\xc3\xbcn' AS x UNION ALL SELECT 2, E'gr\\xfcn'");
  desk_write_pipeline (desk, "pipeline: p\nsource: { postgresql: { connection: \"$URI\", table: t } }\n" SINK
                             "errors: { rejects: r.ndjson }\n");
  assert_int (desk_run (desk), 3);
  out = rig_read (desk->rig, "out.ndjson");
  assert_text (out, "{\"id\":1,\"x\":\"gr\xc3\xbcn\"}\n");
  rejects = rig_read (desk->rig, "r.ndjson");
  assert_contains (rejects, "\"origin\":\"t:2\",\"stage\":\"source\",\"reason\":\"column \\\"x\\\" is not UTF-8 from byte 3 on");
}

static void
test_says_what_is_wrong (void)
{
  static const struct
  {
    const char *label, *options, *message;
    int status;
  } rows[] = {
    { "no table", "table: nothing", "relation \"nothing\" does not exist", 1 },
    { "a broken query", "query: SELEC 1", "syntax error at or near", 1 },
    { "a query that writes", "query: SELECT nextval ('s')", "cannot execute nextval() in a read-only transaction", 1 },
    { "two columns of a name", "query: 'SELECT 1 AS a, 2 AS a'", "two columns \"a\"", 2 },
    { "an error in mid-stream", "query: 'SELECT 1 / (2000 - i) AS x FROM generate_series (1, 3000) i'", "division by zero", 1 },
    { "more than a table's name", "table: 't; DROP TABLE t'", "is no name of a table", 2 },
    { "an unknown watermark", "table: t, watermark: att, key: id", "there is no column \"att\"; did you mean \"at\"?", 2 },
    { "both", "table: t, query: SELECT 1", "either \"table\" or \"query\"", 2 },
    { "a query in parts", "query: SELECT 1, connections: 2", "several \"connections\" read a \"table\" in parts", 2 },
    { "a watermark in parts", "table: t, watermark: at, key: id, connections: 2", "with a \"watermark\" rows come in its order", 2 },
    { "a view in parts", "table: v, connections: 2", "v is not made of tables that PostgreSQL itself keeps", 2 },
    { "too many connections", "table: t, connections: 17", "connections", 2 },
  };
  g_autoptr (Desk) desk = desk_new (FALSE);

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE SEQUENCE s; CREATE TABLE t (id bigint, at timestamptz); CREATE VIEW v AS TABLE t");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *text = g_strdup_printf ("pipeline: p%u\nsource: { postgresql: { connection: \"$URI\", %s } }\n" SINK, i,
                                               rows[i].options);

      desk_write_pipeline (desk, text);
      assert_row_int (rows[i].label, desk_run (desk), rows[i].status);
      if (!assert_contains (rig_errors (desk->rig), rows[i].message))
        g_printerr ("%s\n", rows[i].label);
    }
}

static void
test_never_shows_a_password (void)
{
  static const char *const connections[] = {
    "postgresql://ann:geheim@127.0.0.1:1/x", "host=127.0.0.1 port=1 password=geheim nonsense", "password='geheim",
  };
  g_autoptr (Desk) desk = desk_new (FALSE);

  if (desk == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (connections); i++)
    {
      g_autofree char *text = g_strdup_printf ("pipeline: p\nsource: { postgresql: { connection: \"%s\", table: t } }\n" SINK,
                                               connections[i]);

      desk_write_pipeline (desk, text);
      assert_true (desk_run (desk) != 0);
      assert_true (strstr (rig_errors (desk->rig), "geheim") == NULL);
      assert_true (strstr (rig_output (desk->rig), "geheim") == NULL);
    }
}

static const Promise promises[] = {
  { "reads every type", test_reads_every_type },
  { "reads a query, with steps behind it", test_reads_a_query_with_steps },
  { "F7: reads what is new, equal watermarks neither lost nor doubled", test_reads_what_is_new },
  { "F7: reads late rows again within the overlap", test_reads_late_rows_again_within_the_overlap },
  { "a failed run is made up for by the next", test_a_failed_run_is_made_up_for_by_the_next },
  { "reads a table with several connections, each row once", test_reads_with_several_connections },
  { "several connections see one moment", test_several_connections_see_one_moment },
  { "opens as many connections as asked", test_opens_as_many_connections_as_asked },
  { "rejects text of an unknown encoding", test_rejects_text_of_an_unknown_encoding },
  { "says what is wrong", test_says_what_is_wrong },
  { "never shows a password", test_never_shows_a_password },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("postgresql source", promises, argc, argv);
}
