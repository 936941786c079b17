/* test-plan.c: what tallyman plan says of a table is what the run then does; and the plan itself changes nothing there */
#include "desk.h"
#include <json-c/json.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_object, json_object_put)

/* More than two batches of 1024 rows. */
#define N_ROWS 3000
/* More than a run commits at once. */
#define MANY_ROWS 60000

/* The database: its relations, columns and the rows of all tables. */
#define DUMP                                                                                                                      \
  "SELECT md5 (string_agg (concat_ws (' ', c.relname, c.relkind, c.relnamespace::regnamespace, (SELECT string_agg (concat_ws (' ', attname, " \
  "atttypid::regtype), ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid), CASE WHEN c.relkind = 'r' THEN "              \
  "query_to_xml (format ('SELECT xmin, ctid, t.* FROM %I.%I t ORDER BY ctid', c.relnamespace::regnamespace, c.relname), true, "     \
  "false, '')::text END), E'\\n' ORDER BY c.oid)) FROM pg_class c WHERE c.relnamespace <> ALL (ARRAY['pg_catalog', "                 \
  "'information_schema', 'pg_toast']::regnamespace[])"

#define TABLES                                                                                                                    \
  "CREATE TABLE t (id bigint PRIMARY KEY, x text); CREATE TABLE tallyman_checkpoint (key text PRIMARY KEY, checkpoint text NOT NULL, " \
  "written_at timestamptz NOT NULL DEFAULT clock_timestamp ())"

/* (transfer full): with a name in the place of %s. */
static char *
fill_in (const char *text, const char *name)
{
  g_autoptr (GString) filled = g_string_new (text);

  g_string_replace (filled, "%s", name, 0);
  return g_string_free (g_steal_pointer (&filled), FALSE);
}

static void
write_pipeline (Desk *desk, const char *steps, const char *options, const char *csv)
{
  g_autofree char *text = g_strdup_printf ("pipeline: p\nsource: { csv: { path: in.csv } }\n"
                                           "transform:\n  - cast: { id: bigint }\n%s"
                                           "sink: { postgresql: { connection: \"$URI\", table: t, %s } }\n",
                                           steps, options);

  rig_write (desk->rig, "in.csv", csv);
  desk_write_pipeline (desk, text);
}

/* (transfer full): what the sink told; the plan has changed nothing. */
static json_object *
plan (Desk *desk, const char *label, int exit)
{
  g_autofree char *before = cluster_query (desk->uri, DUMP), *after = NULL;
  json_object *sink = NULL;

  if (!assert_row_int (label, rig_command (desk->rig, "plan", "--json", "pipeline.yaml", NULL), exit))
    g_printerr ("%s%s", rig_output (desk->rig), rig_errors (desk->rig));
  after = cluster_query (desk->uri, DUMP);
  assert_row_text (label, after, before);

  g_autoptr (json_object) whole = json_tokener_parse (rig_output (desk->rig));
  json_object_object_get_ex (whole, "sink", &sink);
  return json_object_get (sink);
}

static gint64
number (json_object *sink, const char *name)
{
  json_object *value = NULL;

  return json_object_object_get_ex (sink, name, &value) ? json_object_get_int64 (value) : -1;
}

static const char *
text (json_object *sink, const char *name)
{
  json_object *value = NULL;

  return json_object_object_get_ex (sink, name, &value) ? json_object_get_string (value) : NULL;
}

static gint64
count (Desk *desk, const char *sql)
{
  g_autofree char *found = cluster_query (desk->uri, sql);

  return found != NULL ? g_ascii_strtoll (found, NULL, 10) : -1;
}

static void
run (Desk *desk, const char *label, int exit)
{
  if (!assert_row_int (label, desk_run (desk), exit))
    g_printerr ("%s\n", rig_errors (desk->rig));
}

static void
test_append (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  gint64 before;

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE TABLE t (id bigint, x text); INSERT INTO t VALUES (7, 'old')");
  write_pipeline (desk, "  - filter: id < 3\n", "mode: append", "id,x\n1,a\n2,b\n3,c\n");
  g_autoptr (json_object) first = plan (desk, "first", 0);
  assert_text (text (first, "table"), "\"t\"");
  assert_text (text (first, "mode"), "append");
  before = count (desk, "SELECT count (*) FROM t");
  run (desk, "first", 0);
  assert_int (number (first, "rows_added"), count (desk, "SELECT count (*) FROM t") - before);
  assert_int (number (first, "rows_added"), 2);

  /* The checkpoint beside the table counts, and nothing is left to add. */
  g_autoptr (json_object) second = plan (desk, "second", 0);
  before = count (desk, "SELECT count (*) FROM t");
  run (desk, "second", 0);
  assert_int (number (second, "rows_added"), count (desk, "SELECT count (*) FROM t") - before);
}

static void
test_replace (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE TABLE t (id bigint); INSERT INTO t VALUES (7), (8), (9)");
  write_pipeline (desk, "", "mode: replace", "id\n1\n2\n");
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (json_object) facts = plan (desk, "replace", 0);
      gint64 before = count (desk, "SELECT count (*) FROM t");

      run (desk, "replace", 0);
      assert_row_int ("before", number (facts, "rows_before"), before);
      assert_row_int ("after", number (facts, "rows_after"), count (desk, "SELECT count (*) FROM t"));
    }
  desk_expect (desk, "rows", "SELECT count (*) FROM t", "2");
}

/* What a run has done to old, which is t before it. */
static void
expect_upserted (Desk *desk, const char *label, json_object *facts)
{
  assert_row_int (label, number (facts, "rows_inserted"),
                  count (desk, "SELECT count (*) FROM t WHERE id NOT IN (SELECT id FROM old)"));
  assert_row_int (label, number (facts, "rows_changed"),
                  count (desk, "SELECT count (*) FROM t JOIN old USING (id) "
                               "WHERE jsonb_strip_nulls (to_jsonb (t)) <> jsonb_strip_nulls (to_jsonb (old))"));
}

static void
test_upsert (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  g_autoptr (GString) csv = g_string_new ("id,x,n,j\n");

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE TABLE t (id bigint PRIMARY KEY, x text, n integer, j json, kept text DEFAULT 'k'); "
                 "INSERT INTO t SELECT i, 'x' || i, NULLIF (i % 5, 0), '[1]' FROM generate_series (1, 2000) i");
  for (guint i = 501; i <= N_ROWS; i++)
    g_string_append_printf (csv, "%u,%s%u,%.*u,[1]\n", i, i % 10 == 0 ? "new" : "x", i, /* precision= */ 0, i % 5);
  /* In the last batch, and nearer to its begin than they were to the first one's: keys that come to what was there, two that do
   * not, and a value that is none. */
  g_string_append (csv, "1410,x1410,,[1]\n1411,last,1,[1]\n1411,x1411,1,[1]\n1412,last,2,[1]\n1413,last,3,[1]\n9999,x,bad,[1]\n");
  write_pipeline (desk, "", "mode: upsert, key: id", csv->str);
  desk_do (desk, "CREATE TABLE old AS TABLE t");

  g_autoptr (json_object) facts = plan (desk, "upsert", 3);
  run (desk, "upsert", 3);
  assert_int (number (facts, "rows_inserted"), 1000);
  assert_int (number (facts, "rows_changed"), 151);
  assert_int (number (facts, "rows_unchanged"), 1349);
  expect_upserted (desk, "upsert", facts);

  desk_do (desk, "DROP TABLE old; CREATE TABLE old AS TABLE t; DROP TABLE tallyman_checkpoint");
  rig_write (desk->rig, "in.csv", "id\n1\n4000\n4000\n");
  g_autoptr (json_object) keys = plan (desk, "nothing but the key", 0);
  run (desk, "nothing but the key", 0);
  assert_int (number (keys, "rows_inserted"), 1);
  assert_int (number (keys, "rows_unchanged"), 1);
  expect_upserted (desk, "nothing but the key", keys);
}

static void
test_a_table_that_is_not_there (void)
{
  static const struct
  {
    const char *options, *made, *fact;
    gint64 n;
  } rows[] = {
    { "create: true", "would be made: CREATE TABLE \"t\" (\"id\" bigint, \"x\" text)", "rows_added", 3 },
    { "create: true, connections: 2", "would be made: CREATE TABLE \"t\" (\"id\" bigint, \"x\" text)", "rows_added", 3 },
    { "create: true, mode: replace", "would be made: CREATE TABLE \"t\" (\"id\" bigint, \"x\" text)", "rows_after", 3 },
    { "create: true, mode: upsert, key: id",
      "would be made: CREATE TABLE \"t\" (\"id\" bigint, \"x\" text, PRIMARY KEY (\"id\"))", "rows_inserted", 2 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Desk) desk = desk_new (FALSE);

      if (desk == NULL)
        return;
      write_pipeline (desk, "", rows[i].options, "id,x\n1,a\n2,b\n1,c\n");
      g_autoptr (json_object) facts = plan (desk, rows[i].options, 0);
      assert_row_text (rows[i].options, text (facts, "table"), rows[i].made);
      run (desk, rows[i].options, 0);
      assert_row_int (rows[i].options, number (facts, rows[i].fact), rows[i].n);
      assert_row_int (rows[i].options, count (desk, "SELECT count (*) FROM t"), rows[i].n);

      /* Somebody drops what was made, with the checkpoint and without. */
      for (guint j = 0; j < 2; j++)
        {
          desk_do (desk, j == 0 ? "DROP TABLE t, tallyman_checkpoint" : "DROP TABLE t");
          g_autoptr (json_object) again = plan (desk, rows[i].options, 0);
          run (desk, rows[i].options, 0);
          assert_row_int (rows[i].options, number (again, rows[i].fact), count (desk, "SELECT count (*) FROM t"));
        }
    }
}

/* A run that stopped has left a position, but a table that several connections load gets all rows. */
static void
test_a_load_begins_anew (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  g_autoptr (GString) csv = g_string_new ("id\n");

  if (desk == NULL)
    return;
  for (guint i = 1; i <= MANY_ROWS; i++)
    g_string_append_printf (csv, "%s%u\n", i == MANY_ROWS ? "bad" : "", i);
  write_pipeline (desk, "errors: { limit: 0 }\n", "create: true", csv->str);
  run (desk, "stops", 1);
  assert_true (count (desk, "SELECT count (*) FROM t") > 0);
  desk_do (desk, "DROP TABLE t, tallyman_checkpoint");
  write_pipeline (desk, "", "create: true, connections: 2", csv->str);
  g_autoptr (json_object) facts = plan (desk, "anew", 3);
  run (desk, "anew", 3);
  assert_int (number (facts, "rows_added"), MANY_ROWS - 1);
  assert_int (count (desk, "SELECT count (*) FROM t"), MANY_ROWS - 1);
}

static void
test_mistakes (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);

  if (desk == NULL)
    return;
  write_pipeline (desk, "", "mode: append", "id,y\n1,b\n");
  json_object_put (plan (desk, "no table", 2));
  assert_contains (rig_errors (desk->rig), "set \"create: true\", or make it: CREATE TABLE \"t\" (\"id\" bigint, \"y\" text)");
  desk_do (desk, "CREATE TABLE t (id bigint PRIMARY KEY, x text)");
  json_object_put (plan (desk, "no column", 2));
  assert_contains (rig_errors (desk->rig), "the table \"t\" has no column \"y\"");
  write_pipeline (desk, "", "mode: upsert, key: x", "id,x\n1,b\n");
  json_object_put (plan (desk, "no unique index", 1));
  assert_contains (rig_errors (desk->rig), "the server would refuse each row: there is no unique or exclusion constraint matching");
}

/* The database for a user who may do nothing in it. (transfer full): its URI */
static char *
hire_a_clerk (Desk *desk)
{
  g_autoptr (GString) uri = g_string_new (desk->uri);

  desk_do (desk, "DO $$ BEGIN IF to_regrole ('clerk') IS NULL THEN CREATE ROLE clerk LOGIN; END IF; "
                 "EXECUTE format ('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database ()); "
                 "EXECUTE format ('GRANT CONNECT ON DATABASE %I TO clerk', current_database ()); END $$; "
                 "REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO clerk");
  assert_int (g_string_replace (uri, "postgres@", "clerk@", 1), 1);
  return g_string_free (g_steal_pointer (&uri), FALSE);
}

/* A run without them fails, one that has them does not, and each is needed. */
static void
test_rights (void)
{
  static const struct
  {
    const char *label, *before, *options, *wanted;
  } rows[] = {
    { "a new table", "", "create: true", "GRANT CREATE ON SCHEMA \"public\" TO \"clerk\"" },
    { "a load", "", "create: true, connections: 2", "GRANT CREATE ON SCHEMA \"public\" TO \"clerk\"" },
    { "append", TABLES, "mode: append",
      "GRANT INSERT ON \"t\" TO \"clerk\"; GRANT SELECT ON tallyman_checkpoint TO \"clerk\"; "
      "GRANT INSERT ON tallyman_checkpoint TO \"clerk\"; GRANT UPDATE ON tallyman_checkpoint TO \"clerk\"" },
    { "append, of some columns", TABLES "; GRANT INSERT (id, x) ON t TO clerk; GRANT SELECT, INSERT ON tallyman_checkpoint TO clerk",
      "mode: append", "GRANT UPDATE ON tallyman_checkpoint TO \"clerk\"" },
    { "replace", TABLES "; GRANT ALL ON tallyman_checkpoint TO clerk", "mode: replace",
      "GRANT INSERT ON \"t\" TO \"clerk\"; GRANT DELETE ON \"t\" TO \"clerk\"" },
    { "upsert", TABLES "; GRANT ALL ON tallyman_checkpoint TO clerk", "mode: upsert, key: id",
      "GRANT INSERT ON \"t\" TO \"clerk\"; GRANT SELECT ON \"t\" TO \"clerk\"; GRANT UPDATE ON \"t\" TO \"clerk\"; "
      "GRANT TEMPORARY ON DATABASE \"%s\" TO \"clerk\"" },
    { "columns", "CREATE TABLE t (id bigint PRIMARY KEY); GRANT ALL ON t TO clerk; GRANT CREATE ON SCHEMA public TO clerk",
      "mode: append, columns: add", "ALTER TABLE \"t\" OWNER TO \"clerk\"" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Desk) desk = desk_new (FALSE);
      g_autofree char *uri = NULL, *root = NULL, *database = NULL, *wanted = NULL;
      g_auto (GStrv) statements = NULL;

      if (desk == NULL)
        return;
      database = cluster_query (desk->uri, "SELECT current_database ()");
      wanted = fill_in (rows[i].wanted, database);
      uri = hire_a_clerk (desk);
      desk_do (desk, rows[i].before[0] != '\0' ? rows[i].before : "SELECT 1");
      root = g_steal_pointer (&desk->uri);
      desk->uri = g_strdup (uri);
      write_pipeline (desk, "", rows[i].options, "id,x\n1,a\n");
      g_free (desk->uri);
      desk->uri = g_steal_pointer (&root);

      /* One after the other: without any of them it is no. */
      statements = g_strsplit (wanted, "; ", -1);
      for (char **statement = statements; *statement != NULL; statement++)
        {
          g_autofree char *left = g_strjoinv ("; ", statement), *message = g_strconcat ("gives them: ", left, "\n", NULL);

          json_object_put (plan (desk, rows[i].label, 1));
          assert_contains (rig_errors (desk->rig), message);
          run (desk, rows[i].label, 1);
          desk_do (desk, *statement);
        }
      json_object_put (plan (desk, rows[i].label, 0));
      run (desk, rows[i].label, 0);
      desk_expect (desk, rows[i].label, "SELECT count (*) FROM t", "1");
    }
}

static void
test_other_columns (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);

  if (desk == NULL)
    return;
  desk_do (desk, "CREATE TABLE t (id bigint PRIMARY KEY, x text); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'); "
                 "CREATE TABLE old AS TABLE t");
  write_pipeline (desk, "", "mode: upsert, key: id, columns: ignore", "id,x,n,m\n1,a,1,\n2,b,,\n4,new,,\n");
  g_autoptr (json_object) ignored = plan (desk, "ignore", 0);
  assert_text (text (ignored, "columns_left_out"), "n, m");
  assert_text (text (ignored, "columns_added"), NULL);
  assert_int (number (ignored, "rows_inserted"), 1);
  assert_int (number (ignored, "rows_changed"), 0);
  assert_int (number (ignored, "rows_unchanged"), 2);

  /* Before it is added a column is NULL. */
  write_pipeline (desk, "", "mode: upsert, key: id, columns: add", "id,x,n,m\n1,a,1,\n2,b,,\n4,new,,\n");
  g_autoptr (json_object) added = plan (desk, "add", 0);
  assert_text (text (added, "columns_added"), "n, m");
  assert_text (text (added, "columns_left_out"), NULL);
  run (desk, "add", 0);
  assert_int (number (added, "rows_changed"), 1);
  assert_int (number (added, "rows_unchanged"), 1);
  expect_upserted (desk, "add", added);
}

static const Promise promises[] = {
  { "of an append", test_append },
  { "of a replacement", test_replace },
  { "of an upsert: new, changed and unchanged rows", test_upsert },
  { "of a table that is not there", test_a_table_that_is_not_there },
  { "of columns that the table lacks", test_other_columns },
  { "of a load that begins anew", test_a_load_begins_anew },
  { "mistakes are a run's", test_mistakes },
  { "rights that are missing, and no others", test_rights },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("postgresql plan", promises, argc, argv);
}
