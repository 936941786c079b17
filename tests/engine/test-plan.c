/* test-plan.c: what tallyman plan says is what the run then does; and the plan itself changes nothing */
#include "promise.h"
#include "rig.h"
#include <glib/gstdio.h>
#include <json-c/json.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_object, json_object_put)

static gint64
number (json_object *object, const char *name)
{
  json_object *value = NULL;

  return json_object_object_get_ex (object, name, &value) ? json_object_get_int64 (value) : -1;
}

/* (transfer full): the plan of a pipeline. */
static json_object *
plan (Rig *rig, const char *file, int exit)
{
  if (!assert_int (rig_command (rig, "plan", "--json", file, NULL), exit))
    g_printerr ("%s%s", rig_output (rig), rig_errors (rig));
  return json_tokener_parse (rig_output (rig));
}

static json_object *
sink_of (json_object *object)
{
  json_object *sink = NULL;

  json_object_object_get_ex (object, "sink", &sink);
  return sink;
}

#define FILES                                                                                                                 \
  "pipeline: files\nsource:\n  csv: { path: in.csv }\ntransform:\n  - cast: { n: bigint }\n  - filter: n < 3\n"              \
  "sink:\n  %s: { path: %s }\nledger: sqlite:ledger.sqlite\n"

static void
test_files (void)
{
  static const char *const rows[][2]
      = { { "json", "out.ndjson" }, { "csv", "out.csv" }, { "csv", "out.csv.gz" }, { "json", "out.ndjson.zst" } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
      g_autofree char *yaml = g_strdup_printf (FILES, rows[i][0], rows[i][1]), *path = rig_path (rig, rows[i][1]);
      g_autofree char *ledger = rig_path (rig, "ledger.sqlite"), *bytes = NULL, *before = NULL, *after = NULL;
      gsize length = 0, n_before = 0, n_after = 0;

      rig_write (rig, "files.yaml", yaml);
      rig_write (rig, "in.csv", "id,n\na,1\nb,x\nc,3\nd,2\n");
      g_autoptr (json_object) planned = plan (rig, "files.yaml", 3);
      assert_row_int (rows[i][1], g_file_test (path, G_FILE_TEST_EXISTS), FALSE);
      assert_row_int (rows[i][1], g_file_test (ledger, G_FILE_TEST_EXISTS), FALSE);

      assert_row_int (rows[i][1], rig_command (rig, "run", "--json", "files.yaml", NULL), 3);
      assert_row_int (rows[i][1], number (planned, "read"), rig_count (rig, "read"));
      assert_row_int (rows[i][1], number (planned, "filtered"), rig_count (rig, "filtered"));
      assert_row_int (rows[i][1], number (planned, "rejected"), rig_count (rig, "rejected"));
      assert_row_int (rows[i][1], number (planned, "rows"), rig_count (rig, "delivered"));
      assert_true (g_file_get_contents (path, &bytes, &length, NULL));
      assert_row_int (rows[i][1], number (sink_of (planned), "bytes"), (gint64) length);
      assert_row_int (rows[i][1], number (sink_of (planned), "replaced_bytes"), -1);

      /* And once more, over what is there now. */
      assert_true (g_file_get_contents (ledger, &before, &n_before, NULL));
      g_autoptr (json_object) again = plan (rig, "files.yaml", 3);
      assert_row_int (rows[i][1], number (sink_of (again), "replaced_bytes"), (gint64) length);
      assert_true (g_file_get_contents (ledger, &after, &n_after, NULL));
      assert_row_int (rows[i][1], n_before == n_after && memcmp (before, after, n_before) == 0, TRUE);
    }
}

static void
test_deliveries (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);

  rig_write_pipeline (rig, "sqlite:ledger.sqlite", NULL, NULL);
  rig_write (rig, "tickets.csv", "id,subject,body\n1,one,b\n2,two,b\n1,again,b\n");
  g_autoptr (json_object) first = plan (rig, "pipeline.yaml", 3);
  assert_int (rig_tickets (rig), 0);
  assert_int (rig_run (rig), 3);
  assert_int (number (sink_of (first), "created"), rig_count (rig, "delivered"));
  assert_int (number (first, "rejected"), rig_count (rig, "rejected"));

  rig_write (rig, "tickets.csv", "id,subject,body\n1,one,b\n2,other,b\n3,three,b\n");
  g_autoptr (json_object) second = plan (rig, "pipeline.yaml", 0);
  assert_int (rig_tickets (rig), 2);
  assert_int (rig_run (rig), 0);
  assert_int (number (sink_of (second), "created"), rig_count (rig, "delivered"));
  assert_int (number (sink_of (second), "unchanged"), rig_count (rig, "unchanged"));
  assert_int (number (sink_of (second), "of_these_drifted"), rig_count (rig, "drifted"));
  assert_int (number (sink_of (second), "created"), 1);
  assert_int (rig_tickets (rig), 3);
}

/* Puts a ledger in the place of the one that is there, whose readers have left files beside it. NULL: none */
static void
put_ledger (Rig *rig, const char *bytes, gsize length)
{
  static const char *const names[] = { "ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = rig_path (rig, names[i]);

      g_unlink (path);
      if (i == 0 && bytes != NULL)
        assert_true (g_file_set_contents (path, bytes, (gssize) length, NULL));
    }
}

/* E1, E4: a run would not begin, and so says the plan. */
static void
test_a_ledger_that_went_backwards (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
  g_autofree char *path = rig_path (rig, "ledger.sqlite"), *old = NULL;
  gsize length = 0;

  rig_write_pipeline (rig, "sqlite:ledger.sqlite", NULL, NULL);
  rig_write_rows (rig, 1, 1);
  assert_int (rig_run (rig), 0);
  assert_true (g_file_get_contents (path, &old, &length, NULL));
  json_object_put (plan (rig, "pipeline.yaml", 0));
  rig_write_rows (rig, 1, 2);
  assert_int (rig_run (rig), 0);

  put_ledger (rig, old, length);
  json_object_put (plan (rig, "pipeline.yaml", 1));
  assert_contains (rig_errors (rig), "went backwards");
  assert_int (rig_run (rig), 1);
  assert_contains (rig_errors (rig), "went backwards");

  put_ledger (rig, NULL, 0);
  json_object_put (plan (rig, "pipeline.yaml", 1));
  assert_contains (rig_errors (rig), "is not there, and one was at its place");
  assert_true (!g_file_test (path, G_FILE_TEST_EXISTS));
  assert_int (rig_run (rig), 1);
  assert_contains (rig_errors (rig), "is new, and another one was at its place");
  assert_int (rig_tickets (rig), 2);
}

static void
test_a_quick_look (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);

  rig_write (rig, "files.yaml", "pipeline: files\nsource:\n  csv: { path: in.csv }\nsink:\n  json: { path: out.ndjson }\n");
  rig_write (rig, "in.csv", "id\na\nb\nc\n");
  assert_int (rig_command (rig, "plan", "--limit", "2", "--rows", "1", "files.yaml", NULL), 0);
  assert_contains (rig_output (rig), "the rest was not read");
  assert_contains (rig_output (rig), "read                   2\n");
  assert_int (rig_command (rig, "plan", "--limit", "-1", "files.yaml", NULL), 2);
}

/* A run waits as long as the account asks for, and so does a plan. */
static void
test_patience (void)
{
  static const struct
  {
    const char *label, *steps; /* %s: the account */
  } rows[] = {
    { "the source", "source:\n  zendesk: { url: \"%s\", access_token: x, resource: groups }\n" },
    { "the source of a lookup", "source:\n  csv: { path: in.csv }\ntransform:\n  - lookup:\n"
                                "      from: { zendesk: { url: \"%s\", access_token: x, resource: groups } }\n"
                                "      match: { name: id }\n      columns: { group_id: id }\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
      g_autoptr (GString) yaml = g_string_new ("pipeline: groups\n");

      g_string_append (yaml, rows[i].steps);
      g_string_replace (yaml, "%s", rig_url (rig), 0);
      g_string_append (yaml, "sink:\n  json: { path: out.ndjson }\n");
      rig_write (rig, "groups.yaml", yaml->str);
      rig_write (rig, "in.csv", "id\na\n");
      g_autoptr (json_object) calm = plan (rig, "groups.yaml", 0);
      rig_faults (rig, "[{\"kind\":\"storm\",\"path\":\"/api/v2/groups\",\"count\":2,\"retry_after\":\"1\"}]");
      g_autoptr (json_object) stormy = plan (rig, "groups.yaml", 0);
      assert_row_int (rows[i].label, strstr (rig_errors (rig), "HTTP 429") != NULL, TRUE);
      assert_row_int (rows[i].label, rig_emulator_count (rig, "limited"), 2);
      assert_row_int (rows[i].label, number (calm, "read") > 0, TRUE);
      assert_row_int (rows[i].label, number (stormy, "read"), number (calm, "read"));
    }
}

static const Promise promises[] = {
  { "of files: rows, rejects and bytes", test_files },
  { "of deliveries: what is created and what is not", test_deliveries },
  { "of a ledger that went backwards: there would be no run (E1, E4)", test_a_ledger_that_went_backwards },
  { "an account that asks to be left alone is waited for", test_patience },
  { "a quick look says that it is one", test_a_quick_look },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("plan", promises, argc, argv);
}
