/* test-doctor.c: tallyman doctor finds what would stand in a run's way, and changes nothing */
#include "cluster.h"
#include "promise.h"
#include "rig.h"
#include <glib/gstdio.h>
#include <string.h>

/* Whether a line of what was printed has all that is named. */
static gboolean
has_line (const Rig *rig, const char *state, const char *part)
{
  g_auto (GStrv) lines = g_strsplit (rig_output (rig), "\n", -1);
  g_autofree char *wanted = g_strdup_printf ("  %-8s %s", state, "");

  for (char **line = lines; *line != NULL; line++)
    if (g_str_has_prefix (*line, wanted) && strstr (*line, part) != NULL)
      return TRUE;
  return FALSE;
}

/* The doctor says this of a pipeline, and exits so. */
static void
expect (Rig *rig, const char *file, int exit, const char *state, const char *part)
{
  int status = rig_command (rig, "doctor", file, NULL);

  gboolean ends = assert_row_int (part, status, exit), tells = assert_row_int (part, has_line (rig, state, part), TRUE);

  if (!ends || !tells)
    g_printerr ("%s%s", rig_output (rig), rig_errors (rig));
}

/* Names of all that is in a folder and below, to see that nothing was made. */
static void
list_files (const char *folder, GString *out)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      g_string_append_printf (out, "%s\n", path);
      list_files (path, out);
    }
}

#define FILES                                                                                                                 \
  "pipeline: files\nsource:\n  csv: { path: %s }\ntransform:\n  - filter: id <> 'x'\nsink:\n  json: { path: %s }\n"            \
  "errors: { rejects: %s }\nledger: %s\n"

static void
test_files (void)
{
  static const struct
  {
    const char *source, *sink, *rejects, *ledger;
    int exit;
    const char *state, *part;
  } rows[] = {
    { "in.csv", "out.ndjson", "bad.ndjson", "sqlite:led.sqlite", 0, "ok", "source \"csv\": opens, and gives 2 columns" },
    { "in.csv", "out.ndjson", "bad.ndjson", "sqlite:led.sqlite", 0, "ok", "1 file of 12 bytes" },
    { "in.csv", "out.ndjson", "bad.ndjson", "sqlite:led.sqlite", 0, "ok", "columns: those that come fit" },
    { "in.csv", "out.ndjson", "bad.ndjson", "sqlite:led.sqlite", 0, "ok", "out.ndjson\" can be written" },
    { "in.csv", "out.ndjson", "bad.ndjson", "sqlite:led.sqlite", 0, "ok", "there is none yet" },
    { "in.csv", "out.ndjson", "bad.ndjson", "sqlite:led.sqlite", 0, "ok", "rejects: " },
    { "in.csv", "out.ndjson", "bad.ndjson", "sqlite:led.sqlite", 0, "ok", "state directory: " },
    { "in.csv", "gone/out.ndjson", "bad.ndjson", "sqlite:led.sqlite", 1, "problem", "sink \"json\": could not create" },
    { "in.csv", "out.ndjson", "gone/bad.ndjson", "sqlite:led.sqlite", 1, "problem", "rejects: the folder" },
    { "in.csv", "out.ndjson", "folder", "sqlite:led.sqlite", 1, "problem", "rejects: \"" },
    { "in.csv", "out.ndjson", "bad.ndjson", "sqlite:gone/led.sqlite", 1, "problem", "ledger: a run could not write to it" },
    { "in.csv", "out.ndjson", "bad.ndjson", "sqlite:in.csv/led.sqlite", 1, "problem", "ledger: a run could not write to it" },
    { "in.csv", "out.ndjson", "bad.ndjson", "sqlite:in.csv", 1, "problem", "ledger: " },
  };
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
  g_autofree char *folder = rig_path (rig, "folder");
  g_autoptr (GString) before = g_string_new (NULL), after = g_string_new (NULL);

  g_mkdir (folder, 0700);
  rig_write (rig, "in.csv", "id,n\na,1\nb,\n");
  rig_write (rig, "files.yaml", "");
  rig_command (rig, "doctor", "files.yaml", NULL);
  list_files (rig_folder (rig), before);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *yaml = g_strdup_printf (FILES, rows[i].source, rows[i].sink, rows[i].rejects, rows[i].ledger);

      rig_write (rig, "files.yaml", yaml);
      expect (rig, "files.yaml", rows[i].exit, rows[i].state, rows[i].part);
    }
  list_files (rig_folder (rig), after);
  assert_text (after->str, before->str);
}

static void
test_state_directory (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
  g_autofree char *yaml = g_strdup_printf (FILES, "in.csv", "out.ndjson", "bad.ndjson", "sqlite:led.sqlite");
  g_autofree char *blocked = rig_path (rig, "in.csv");

  rig_write (rig, "in.csv", "id,n\na,1\n");
  rig_write (rig, "files.yaml", yaml);
  rig_setenv (rig, "XDG_STATE_HOME", blocked);
  expect (rig, "files.yaml", 1, "problem", "state directory: ");
}

static void
test_account (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "team", NULL);
  gint64 asked;

  rig_write_rows (rig, 1, 3);
  rig_write_pipeline (rig, "sqlite:led.sqlite", NULL, NULL);
  expect (rig, "pipeline.yaml", 0, "ok", "those of an admin");
  expect (rig, "pipeline.yaml", 0, "ok", "200 requests a minute");
  assert_int (rig_tickets (rig), 0);

  rig_faults (rig, "[{\"kind\":\"status\",\"path\":\"/api/v2/users/me\",\"status\":401}]");
  expect (rig, "pipeline.yaml", 1, "problem", "the credentials are not accepted");
  rig_clear_faults (rig);

  assert_int (rig_run (rig), 0);
  asked = rig_tickets (rig);
  expect (rig, "pipeline.yaml", 0, "ok", "ledger: knows all");
  expect (rig, "pipeline.yaml", 0, "ok", "agrees with that of the target");
  expect (rig, "pipeline.yaml", 0, "ok", "no run of this pipeline is at work");
  g_free (rig_ask (rig, "POST", "/_emulator/clock", "{\"advance\":600}"));
  expect (rig, "pipeline.yaml", 0, "warning", "seconds behind that of the target");
  assert_int (rig_tickets (rig), asked);
}

static void
test_history (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
  g_autofree char *ledger = rig_path (rig, "led.sqlite");

  rig_write_rows (rig, 1, 3);
  rig_write_pipeline (rig, "sqlite:led.sqlite", NULL, NULL);
  assert_int (rig_run (rig), 0);
  g_unlink (ledger);
  expect (rig, "pipeline.yaml", 1, "problem", "ledger: ");
}

static void
test_lease (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", "--fault", "delay-before:method=POST,ms=600,every=1", NULL);

  rig_write_rows (rig, 1, 40);
  rig_write_pipeline (rig, "sqlite:led.sqlite", "    in-flight: 1\n", NULL);
  rig_start (rig);
  rig_wait_for_tickets (rig, 1);
  expect (rig, "pipeline.yaml", 0, "warning", "is held by \"tallyman run");
  rig_signal (rig, 9);
  rig_wait (rig);
}

static void
test_columns (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
  Cluster *cluster;
  g_autofree char *uri = NULL, *yaml = NULL;

  if (!cluster_is_available ())
    {
      skip_promise ("no PostgreSQL server is installed");
      return;
    }
  cluster = cluster_shared ();
  uri = cluster_create_database (cluster);
  g_free (cluster_query (uri, "CREATE TABLE t (id bigint, n text)"));
  yaml = g_strdup_printf ("pipeline: rows\nsource:\n  postgresql: { connection: \"%s\", table: t }\ntransform:\n"
                          "  - filter: m = 1\nsink:\n  json: { path: out.ndjson }\nledger: sqlite:led.sqlite\n", uri);
  rig_write (rig, "rows.yaml", yaml);
  expect (rig, "rows.yaml", 2, "problem", "columns: the source's columns do not fit");
  expect (rig, "rows.yaml", 2, "warning", "sink \"json\": was not looked at");
  g_free (cluster_query (uri, "ALTER TABLE t ADD m int"));
  expect (rig, "rows.yaml", 0, "ok", "columns: those that come fit");
}

/* postgresql://stranger@/DATABASE?host=FOLDER */
static char *
as_stranger (const char *uri)
{
  const char *at = strchr (uri, '@');

  return g_strconcat ("postgresql://stranger", at, NULL);
}

static void
test_server (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
  g_autoptr (Cluster) cluster = NULL;
  g_autofree char *uri = NULL, *stranger = NULL, *yaml = NULL, *other = NULL;

  if (!cluster_is_available ())
    {
      skip_promise ("no PostgreSQL server is installed");
      return;
    }
  cluster = cluster_new ("log_min_messages=fatal", NULL);
  uri = cluster_create_database (cluster);
  stranger = as_stranger (uri);
  g_free (cluster_query (uri, "CREATE ROLE stranger LOGIN; CREATE TABLE t (id bigint, n text); CREATE TABLE u (id bigint, n text)"));
  yaml = g_strdup_printf ("pipeline: rows\nsource:\n  postgresql: { connection: \"%s\", table: t }\n"
                          "sink:\n  postgresql: { connection: \"%s\", table: u }\nledger: %s\n", stranger, uri, uri);
  rig_write (rig, "rows.yaml", yaml);
  expect (rig, "rows.yaml", 1, "problem", "permission denied for table t");
  g_free (cluster_query (uri, "GRANT SELECT ON t TO stranger; ALTER TABLE t ENABLE ROW LEVEL SECURITY"));
  expect (rig, "rows.yaml", 0, "warning", "policies of row security");
  g_free (cluster_query (uri, "ALTER TABLE t DISABLE ROW LEVEL SECURITY"));
  expect (rig, "rows.yaml", 0, "ok", "the rows may be read");
  expect (rig, "rows.yaml", 0, "ok", "what it commits is durable");
  g_autofree char *made = cluster_query (uri, "SELECT to_regclass ('tallyman.meta')::text");
  assert_text (made, NULL);

  other = g_strdup_printf ("pipeline: rows\nsource:\n  postgresql: { connection: \"%s\", table: t }\n"
                           "sink:\n  postgresql: { connection: \"%s\", table: u }\nledger: %s\n", uri, stranger, stranger);
  rig_write (rig, "other.yaml", other);
  expect (rig, "other.yaml", 1, "problem", "GRANT INSERT ON");
  expect (rig, "other.yaml", 1, "problem", "ledger: a run could not write to it");
  assert_contains (rig_output (rig), "GRANT CREATE ON DATABASE");

  assert_int (rig_command (rig, "run", "rows.yaml", NULL), 0);
  expect (rig, "other.yaml", 1, "problem", "ledger: ");
  cluster_stop (cluster, CLUSTER_STOP_FAST);
  cluster_set (cluster, "fsync = off");
  cluster_start (cluster);
  expect (rig, "rows.yaml", 1, "problem", "ledger: may lose what it has committed, and nothing can be created exactly once: fsync is off");
  expect (rig, "rows.yaml", 1, "warning", "sink \"postgresql\": fsync is off");
  cluster_stop (cluster, CLUSTER_STOP_FAST);
  expect (rig, "rows.yaml", 1, "problem", "source \"postgresql\": could not connect");
}

static void
test_json_and_usage (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
  g_autofree char *yaml = g_strdup_printf (FILES, "in.csv", "out.ndjson", "folder/bad.ndjson", "sqlite:led.sqlite");

  rig_write (rig, "in.csv", "id,n\na,1\n");
  rig_write (rig, "files.yaml", yaml);
  assert_int (rig_command (rig, "doctor", "--json", "files.yaml", NULL), 1);
  assert_contains (rig_output (rig), "{\"pipeline\": \"files\", \"part\": \"rejects\", \"state\": \"problem\", \"message\": \"the folder ");
  assert_contains (rig_output (rig), "\"part\": \"columns\", \"state\": \"ok\", ");
  assert_contains (rig_output (rig), "\"remedy\": null}\n");
  assert_int (rig_command (rig, "doctor", NULL), 2);
  rig_write (rig, "wrong.yaml", "pipeline: wrong\nsauce: {}\n");
  assert_int (rig_command (rig, "doctor", "wrong.yaml", NULL), 2);
}

#define LOOKUP(source)                                                                                                        \
  "pipeline: look\nsource:\n  csv: { path: in.csv }\ntransform:\n  - lookup:\n      from: { " source " }\n"                   \
  "      match: { id: id }\n      columns: [name]\nsink:\n  json: { path: out.ndjson }\nledger: sqlite:led.sqlite\n"

static void
test_lookup (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);

  rig_write (rig, "in.csv", "id,n\na,1\n");
  rig_write (rig, "names.csv", "id,name\na,Ann\n");
  rig_write (rig, "look.yaml", LOOKUP ("csv: { path: names.csv }"));
  expect (rig, "look.yaml", 0, "ok", "lookup on line 5: opens, and gives 2 columns");
  expect (rig, "look.yaml", 0, "ok", "lookup on line 5: 1 file");
  rig_write (rig, "look.yaml", LOOKUP ("postgresql: { connection: host=/nowhere, table: t }"));
  expect (rig, "look.yaml", 1, "problem", "lookup on line 5: source \"postgresql\": could not connect");
  expect (rig, "look.yaml", 1, "warning", "sink \"json\": was not looked at");
}

static const Promise promises[] = {
  { "files are looked at, and none is made", test_files },
  { "a state directory that cannot be made is a problem", test_state_directory },
  { "an account is asked, and gets no ticket", test_account },
  { "a ledger that is gone is not taken for a new one", test_history },
  { "a run at work is named", test_lease },
  { "columns that do not fit are a mistake in the pipeline", test_columns },
  { "a server's rights and settings are known before a run", test_server },
  { "a lookup's source is looked at", test_lookup },
  { "findings are lines of JSON; wrong usage is code 2", test_json_and_usage },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("doctor", promises, argc, argv);
}
