/* cluster.c: what the private PostgreSQL of the tests promises to them */
#include "cluster.h"
#include "promise.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static gboolean
is_missing (void)
{
  if (!cluster_is_available ())
    skip_promise ("no PostgreSQL server is installed");
  return !cluster_is_available ();
}

static void
expect (const char *uri, const char *sql, const char *value)
{
  g_autofree char *result = cluster_query (uri, sql);

  assert_row_text (sql, result, value);
}

static void
test_listens_on_no_network (void)
{
  if (is_missing ())
    return;
  g_autofree char *uri = cluster_create_database (cluster_shared ());

  expect (uri, "SHOW listen_addresses", "");
  expect (uri, "SHOW fsync", "on");
  expect (uri, "SHOW lc_collate", "C");
}

static void
test_keeps_what_was_committed_however_it_stops (void)
{
  static const struct
  {
    const char *what;
    ClusterStop how;
  } ways[] = {
    { "fast", CLUSTER_STOP_FAST },
    { "immediate", CLUSTER_STOP_IMMEDIATE },
    { "killed", CLUSTER_STOP_KILL },
  };

  if (is_missing ())
    return;
  Cluster *cluster = cluster_shared ();
  g_autofree char *uri = cluster_create_database (cluster);

  g_free (cluster_query (uri, "CREATE TABLE kept (what text)"));
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autofree char *sql = g_strdup_printf ("INSERT INTO kept VALUES ('%s')", ways[i].what);
      g_free (cluster_query (uri, sql));
      cluster_stop (cluster, ways[i].how);
      cluster_start (cluster);
    }
  expect (uri, "SELECT string_agg (what, ' ') FROM kept", "fast immediate killed");
}

static gboolean
is_gone (const char *folder)
{
  for (guint i = 0; i < 1000 && g_file_test (folder, G_FILE_TEST_EXISTS); i++)
    g_usleep (10 * 1000);
  return !g_file_test (folder, G_FILE_TEST_EXISTS);
}

static void
test_leaves_nothing_behind_when_the_test_dies (void)
{
  char folder[256] = "";
  int pipes[2], status;
  pid_t child;

  if (is_missing ())
    return;
  g_assert (pipe (pipes) == 0);
  child = fork ();
  if (child == 0)
    {
      Cluster *cluster = cluster_new ("fsync=off", NULL);
      if (write (pipes[1], cluster_folder (cluster), strlen (cluster_folder (cluster))) > 0)
        raise (SIGKILL);
      _exit (1);
    }
  close (pipes[1]);
  assert_true (read (pipes[0], folder, sizeof folder - 1) > 0);
  close (pipes[0]);
  waitpid (child, &status, 0);
  assert_true (WIFSIGNALED (status));
  assert_true (is_gone (folder));
}

static void
test_pools_transactions (void)
{
  if (is_missing ())
    return;
  g_autofree char *uri = cluster_create_database (cluster_shared ());
  g_autofree char *pooled = cluster_dup_pooled_uri (cluster_shared (), uri);

  if (pooled == NULL)
    skip_promise ("pgbouncer is not installed");
  else
    expect (pooled, "SELECT current_database () LIKE 'test_%'", "t");
}

static const Promise promises[] = {
  { "leaves nothing behind when the test dies", test_leaves_nothing_behind_when_the_test_dies },
  { "listens on no network", test_listens_on_no_network },
  { "keeps what was committed however it stops", test_keeps_what_was_committed_however_it_stops },
  { "pools transactions", test_pools_transactions },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("private PostgreSQL", promises, argc, argv);
}
