/* cluster.c: initdb, postgres and pgbouncer as child processes
 *
 * Two things see to it that nothing is left behind.  The kernel signals the server when the test
 * dies (PR_SET_PDEATHSIG), and a small shell, the keeper, waits at the other end of a pipe: when
 * the pipe closes, however the test ended, it waits for the servers to be gone and removes the
 * folder.
 */
#include "cluster.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE (60 * G_USEC_PER_SEC)
#define POLL (5 * 1000)
#define SOCKET_PORT "5432"
#define POOLER_PORT "6432"

struct _Cluster
{
  char *folder; /* (owned) data, sockets, logs */
  GPid server;  /* 0: not running */
  GPid pooler;  /* 0: not running */
  GPid keeper;
  int keeper_pipe; /* the keeper acts when it closes */
  guint n_databases;
};

static const char keeper_script[]
    = "trap '' INT TERM HUP\n"
      "cat >/dev/null\n"
      "for file in \"$0/data/postmaster.pid\" \"$0/pgbouncer.pid\"; do\n"
      "  pid=$(head -n 1 \"$file\" 2>/dev/null) || continue\n"
      "  kill -QUIT \"$pid\" 2>/dev/null\n"
      "  for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 \"$pid\" 2>/dev/null || break; sleep 0.1; done\n"
      "done\n"
      "rm -rf -- \"$0\"\n";

/* ---- Who and where ---- */

static char *
find_by_pg_config (void)
{
  g_autofree char *output = NULL;
  int status;
  const char *arguments[] = { "pg_config", "--bindir", NULL };

  if (!g_spawn_sync (NULL, (char **)arguments, NULL,
                     G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output, NULL,
                     &status, NULL)
      || !g_spawn_check_wait_status (status, NULL))
    return NULL;

  return g_strdup (g_strstrip (output));
}

static gboolean
has_server (const char *folder)
{
  g_autofree char *initdb = g_build_filename (folder, "initdb", NULL);
  g_autofree char *postgres = g_build_filename (folder, "postgres", NULL);

  return g_file_test (initdb, G_FILE_TEST_IS_EXECUTABLE)
         && g_file_test (postgres, G_FILE_TEST_IS_EXECUTABLE);
}

/* (nullable) (unowned) the folder of the server's programs */
static const char *
programs (void)
{
  static char *found;
  static gsize searched;

  if (!g_once_init_enter (&searched))
    return found;

  g_autofree char *configured = find_by_pg_config ();
  g_autoptr (GDir) versions = g_dir_open ("/usr/lib/postgresql", 0, NULL);
  const char *version;

  if (configured != NULL && has_server (configured))
    found = g_steal_pointer (&configured);
  while (found == NULL && versions != NULL && (version = g_dir_read_name (versions)) != NULL)
    {
      g_autofree char *folder = g_build_filename ("/usr/lib/postgresql", version, "bin", NULL);
      if (has_server (folder))
        found = g_steal_pointer (&folder);
    }
  g_once_init_leave (&searched, 1);
  return found;
}

gboolean
cluster_is_available (void)
{
  return programs () != NULL;
}

/* PostgreSQL refuses to run as root.  (nullable): we are not root, and stay who we are. */
static const struct passwd *
server_user (void)
{
  const struct passwd *user;

  if (geteuid () != 0)
    return NULL;
  user = getpwnam ("postgres");
  return user != NULL ? user : getpwnam ("nobody");
}

/* In the child, after fork. */
static void
become_server (gpointer data)
{
  const struct passwd *user = data;

  if (user != NULL
      && (setgroups (0, NULL) != 0 || setgid (user->pw_gid) != 0 || setuid (user->pw_uid) != 0))
    _exit (126);
  /* A change of user clears it, so it comes last. */
  prctl (PR_SET_PDEATHSIG, SIGQUIT);
}

/* ---- Processes ---- */

static GPid
spawn (const Cluster *cluster, const char *log, const char *const *arguments)
{
  g_autofree char *log_path = g_build_filename (cluster->folder, log, NULL);
  g_auto (GStrv) environment = g_get_environ ();
  g_autoptr (GError) error = NULL;
  int fd = open (log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  GPid pid;

  if (fd < 0)
    g_error ("could not write \"%s\": %s", log_path, g_strerror (errno));
  environment = g_environ_setenv (environment, "LC_ALL", "C", TRUE);
  if (!g_spawn_async_with_fds (cluster->folder, (char **)arguments, environment,
                               G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH_FROM_ENVP,
                               become_server, (gpointer)server_user (), &pid, -1, fd, fd, &error))
    g_error ("could not start \"%s\": %s", arguments[0], error->message);

  close (fd);
  return pid;
}

static void
complain_with_log (const Cluster *cluster, const char *log, const char *what)
{
  g_autofree char *path = g_build_filename (cluster->folder, log, NULL);
  g_autofree char *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  g_error ("%s\n%s", what, text != NULL ? text : "");
}

static gboolean
has_ended (GPid pid)
{
  return waitpid (pid, NULL, WNOHANG) != 0;
}

static void
wait_for_end (GPid pid)
{
  for (gint64 waited = 0; !has_ended (pid); waited += POLL)
    {
      if (waited > PATIENCE)
        g_error ("process %d does not end", (int)pid);
      g_usleep (POLL);
    }
}

static pid_t
parent_of (const char *pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%s/stat", pid);
  g_autofree char *text = NULL;
  const char *after;
  int parent;

  if (!g_ascii_isdigit (*pid) || !g_file_get_contents (path, &text, NULL, NULL)
      || (after = strrchr (text, ')')) == NULL || sscanf (after, ") %*c %d", &parent) != 1)
    return 0;

  return parent;
}

/* (element-type pid) */
static GArray *
children_of (GPid parent)
{
  GArray *children = g_array_new (FALSE, FALSE, sizeof (pid_t));
  g_autoptr (GDir) processes = g_dir_open ("/proc", 0, NULL);
  const char *name;

  while (processes != NULL && (name = g_dir_read_name (processes)) != NULL)
    if (parent_of (name) == parent)
      {
        pid_t child = atoi (name);
        g_array_append_val (children, child);
      }

  return children;
}

static void
kill_all (GPid server)
{
  g_autoptr (GArray) children = NULL;

  /* Stopped first, so that it starts no other child while we look. */
  kill (server, SIGSTOP);
  children = children_of (server);
  kill (server, SIGKILL);
  for (guint i = 0; i < children->len; i++)
    kill (g_array_index (children, pid_t, i), SIGKILL);
  wait_for_end (server);
  for (guint i = 0; i < children->len; i++)
    for (gint64 waited = 0; kill (g_array_index (children, pid_t, i), 0) == 0 && waited < PATIENCE;
         waited += POLL)
      g_usleep (POLL);
}

/* ---- The server ---- */

static void
make_folder (Cluster *cluster)
{
  const struct passwd *user = server_user ();
  g_autoptr (GError) error = NULL;

  cluster->folder = g_dir_make_tmp ("tally-XXXXXX", &error);
  if (cluster->folder == NULL)
    g_error ("%s", error->message);
  if (user != NULL && chown (cluster->folder, user->pw_uid, user->pw_gid) != 0)
    g_error ("could not give \"%s\" to %s: %s", cluster->folder, user->pw_name, g_strerror (errno));
}

static void
start_keeper (Cluster *cluster)
{
  const char *arguments[] = { "/bin/sh", "-c", keeper_script, cluster->folder, NULL };
  g_autoptr (GError) error = NULL;

  if (!g_spawn_async_with_pipes (
          NULL, (char **)arguments, NULL,
          G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
          NULL, &cluster->keeper, &cluster->keeper_pipe, NULL, NULL, &error))
    g_error ("could not start the keeper: %s", error->message);
}

static void
init_data (Cluster *cluster)
{
  g_autofree char *initdb = g_build_filename (programs (), "initdb", NULL);
  g_autofree char *data = g_build_filename (cluster->folder, "data", NULL);
  const char *arguments[] = { initdb,
                              "--no-sync",
                              "--locale=C",
                              "--encoding=UTF8",
                              "--auth=trust",
                              "--username=postgres",
                              "--no-instructions",
                              "-D",
                              data,
                              NULL };
  GPid pid = spawn (cluster, "initdb.log", arguments);
  int status;

  while (waitpid (pid, &status, 0) < 0)
    if (errno != EINTR)
      g_error ("initdb is lost: %s", g_strerror (errno));
  if (status != 0)
    complain_with_log (cluster, "initdb.log", "initdb gave up");
}

void
cluster_set (Cluster *cluster, const char *setting)
{
  g_autofree char *path = g_build_filename (cluster->folder, "data", "postgresql.conf", NULL);
  FILE *file = fopen (path, "ae");

  if (file == NULL || fprintf (file, "%s\n", setting) < 0 || fclose (file) != 0)
    g_error ("could not write \"%s\": %s", path, g_strerror (errno));
}

static Cluster *
make_cluster (void)
{
  Cluster *cluster = g_new0 (Cluster, 1);

  if (!cluster_is_available ())
    g_error ("no PostgreSQL server is installed");
  make_folder (cluster);
  start_keeper (cluster);
  init_data (cluster);
  cluster_set (cluster, "listen_addresses = ''");
  cluster_set (cluster, "shared_buffers = '16MB'");
  cluster_set (cluster, "max_connections = 100");
  cluster_set (cluster, "port = " SOCKET_PORT);
  g_autofree char *sockets = g_strdup_printf ("unix_socket_directories = '%s'", cluster->folder);
  cluster_set (cluster, sockets);
  return cluster;
}

Cluster *
cluster_new (const char *setting, ...)
{
  Cluster *cluster = make_cluster ();
  va_list more;

  va_start (more, setting);
  for (; setting != NULL; setting = va_arg (more, const char *))
    cluster_set (cluster, setting);
  va_end (more);
  cluster_start (cluster);
  return cluster;
}

static Cluster *shared;

static void
free_shared (void)
{
  g_clear_pointer (&shared, cluster_free);
}

Cluster *
cluster_shared (void)
{
  if (shared == NULL)
    {
      shared = cluster_new (NULL, NULL);
      atexit (free_shared);
    }
  return shared;
}

void
cluster_start (Cluster *cluster)
{
  g_autofree char *postgres = g_build_filename (programs (), "postgres", NULL);
  g_autofree char *data = g_build_filename (cluster->folder, "data", NULL);
  g_autofree char *uri = cluster_dup_uri (cluster, NULL);
  const char *arguments[] = { postgres, "-D", data, NULL };

  g_assert (cluster->server == 0);
  cluster->server = spawn (cluster, "server.log", arguments);
  for (gint64 waited = 0; PQping (uri) != PQPING_OK; waited += POLL)
    {
      if (has_ended (cluster->server) || waited > PATIENCE)
        complain_with_log (cluster, "server.log", "the server does not start");
      g_usleep (POLL);
    }
}

void
cluster_stop (Cluster *cluster, ClusterStop how)
{
  g_assert (cluster->server != 0);
  if (how == CLUSTER_STOP_KILL)
    kill_all (cluster->server);
  else
    {
      kill (cluster->server, how == CLUSTER_STOP_FAST ? SIGINT : SIGQUIT);
      wait_for_end (cluster->server);
    }
  cluster->server = 0;
}

void
cluster_free (Cluster *cluster)
{
  if (cluster == NULL)
    return;

  if (cluster->pooler != 0)
    {
      kill (cluster->pooler, SIGKILL);
      wait_for_end (cluster->pooler);
    }
  if (cluster->server != 0)
    cluster_stop (cluster, CLUSTER_STOP_IMMEDIATE);
  close (cluster->keeper_pipe);
  wait_for_end (cluster->keeper);
  g_free (cluster->folder);
  g_free (cluster);
}

const char *
cluster_folder (const Cluster *cluster)
{
  return cluster->folder;
}

/* ---- Connections ---- */

static char *
make_uri (const Cluster *cluster, const char *database, const char *port)
{
  g_autofree char *folder = g_uri_escape_string (cluster->folder, NULL, FALSE);

  return g_strdup_printf ("postgresql://postgres@/%s?host=%s&port=%s", database, folder, port);
}

char *
cluster_dup_uri (const Cluster *cluster, const char *database)
{
  return make_uri (cluster, database != NULL ? database : "postgres", SOCKET_PORT);
}

char *
cluster_create_database (Cluster *cluster)
{
  g_autofree char *name = g_strdup_printf ("test_%u", ++cluster->n_databases);
  g_autofree char *sql = g_strdup_printf ("CREATE DATABASE %s", name);
  g_autofree char *uri = cluster_dup_uri (cluster, NULL);

  g_free (cluster_query (uri, sql));
  return cluster_dup_uri (cluster, name);
}

char *
cluster_query (const char *uri, const char *sql)
{
  PGconn *connection = PQconnectdb (uri);
  PGresult *result;
  char *value = NULL;

  if (PQstatus (connection) != CONNECTION_OK)
    g_error ("%s", PQerrorMessage (connection));
  result = PQexec (connection, sql);
  if (PQresultStatus (result) != PGRES_COMMAND_OK && PQresultStatus (result) != PGRES_TUPLES_OK)
    g_error ("%s: %s", sql, PQerrorMessage (connection));
  if (PQntuples (result) > 0 && PQnfields (result) > 0 && !PQgetisnull (result, 0, 0))
    value = g_strdup (PQgetvalue (result, 0, 0));
  PQclear (result);
  PQfinish (connection);
  return value;
}

/* ---- The pooler ---- */

static void
start_pooler (Cluster *cluster, const char *program)
{
  g_autofree char *path = g_build_filename (cluster->folder, "pgbouncer.ini", NULL);
  g_autofree char *text
      = g_strdup_printf ("[databases]\n* = host=%s port=" SOCKET_PORT " user=postgres\n"
                         "[pgbouncer]\nlisten_addr =\nlisten_port = " POOLER_PORT
                         "\nunix_socket_dir = %s\npidfile = %s/pgbouncer.pid\n"
                         "auth_type = any\npool_mode = transaction\ndefault_pool_size = 3\nserver_idle_timeout = 2\n",
                         cluster->folder, cluster->folder, cluster->folder);
  g_autoptr (GError) error = NULL;
  g_autofree char *uri = make_uri (cluster, "postgres", POOLER_PORT);
  const char *arguments[] = { program, path, NULL };

  if (!g_file_set_contents (path, text, -1, &error))
    g_error ("%s", error->message);
  g_chmod (path, 0644);
  cluster->pooler = spawn (cluster, "pgbouncer.log", arguments);
  for (gint64 waited = 0; PQping (uri) != PQPING_OK; waited += POLL)
    {
      if (has_ended (cluster->pooler) || waited > PATIENCE)
        complain_with_log (cluster, "pgbouncer.log", "pgbouncer does not start");
      g_usleep (POLL);
    }
}

char *
cluster_dup_pooled_uri (Cluster *cluster, const char *uri)
{
  g_autofree char *program = g_find_program_in_path ("pgbouncer");
  g_autofree char *direct = g_strdup ("port=" SOCKET_PORT);

  if (program == NULL && g_file_test ("/usr/sbin/pgbouncer", G_FILE_TEST_IS_EXECUTABLE))
    program = g_strdup ("/usr/sbin/pgbouncer");
  if (program == NULL)
    return NULL;
  if (cluster->pooler == 0)
    start_pooler (cluster, program);

  g_assert (g_str_has_suffix (uri, direct));
  return g_strdup_printf ("%.*sport=" POOLER_PORT, (int)(strlen (uri) - strlen (direct)), uri);
}
