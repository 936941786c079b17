/* cluster.h: a private PostgreSQL server for a test
 *
 * It lives in a temporary folder, answers on a unix socket in it and nowhere else, trusts whoever
 * can reach that folder, and goes with the test, even with one that crashes.  Started by root, the
 * server runs as the user postgres, or nobody.
 *
 *   if (!cluster_is_available ())
 *     {
 *       skip_promise ("no PostgreSQL server is installed");
 *       return;
 *     }
 *   g_autoptr (Cluster) cluster = cluster_new ("fsync=off", NULL);
 *   g_autofree char *uri = cluster_create_database (cluster);
 *
 * What goes wrong here is nothing that a test could do without: it is said, and the test ends.
 * Start clusters from the main thread: the kernel stops a server when the thread that started it
 * ends.
 */
#pragma once
#include <glib.h>

typedef struct _Cluster Cluster;

typedef enum
{
  CLUSTER_STOP_FAST,      /* as an administrator does: open transactions are rolled back */
  CLUSTER_STOP_IMMEDIATE, /* pg_ctl stop -m immediate: recovers at the next start */
  CLUSTER_STOP_KILL,      /* SIGKILL to all of its processes */
} ClusterStop;

/* Whether initdb and postgres were found, by pg_config or in /usr/lib/postgresql. */
gboolean cluster_is_available (void);

/* Makes and starts a server.  The settings, up to NULL, are as in postgresql.conf: "fsync=off". */
Cluster *cluster_new (const char *setting, ...) G_GNUC_NULL_TERMINATED;
/* One that all tests of this program share, with fsync on; freed when it ends. (unowned) */
Cluster *cluster_shared (void);
/* Stops it, and removes its folder. */
void cluster_free (Cluster *cluster);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Cluster, cluster_free)

void cluster_start (Cluster *cluster);
/* Returns once all of its processes are gone. */
void cluster_stop (Cluster *cluster, ClusterStop how);
/* Writes a line of postgresql.conf; counts at the next start, or after "SELECT pg_reload_conf()".
 */
void cluster_set (Cluster *cluster, const char *setting);

const char *cluster_folder (const Cluster *cluster); /* also of its sockets */
/* postgresql://postgres@/DATABASE?host=FOLDER; NULL: the database "postgres" */
char *cluster_dup_uri (const Cluster *cluster, const char *database);
/* Makes an empty database with a name of its own, and returns its URI. */
char *cluster_create_database (Cluster *cluster);

/* Runs SQL at a URI of the cluster over a connection of its own.  The last statement's first value,
 * or NULL if it is NULL or there is none. */
char *cluster_query (const char *uri, const char *sql);

/* Starts pgbouncer in transaction mode before the cluster, where it is installed; it ends with the
 * cluster. The URI of a database through it.  NULL: not installed. */
char *cluster_dup_pooled_uri (Cluster *cluster, const char *uri);
