/* private-postgresql.c: starts a private server, prints the URI of an empty database, and stops it when its
 * standard input ends; for scripts
 *
 * usage: private-postgresql [SETTING=VALUE]
 */
#include "cluster.h"
#include <stdio.h>

int
main (int argc, char **argv)
{
  if (!cluster_is_available ())
    {
      fputs ("no PostgreSQL server is installed\n", stderr);
      return 77;
    }

  g_autoptr (Cluster) cluster = cluster_new (argc > 1 ? argv[1] : NULL, NULL);
  g_autofree char *uri = cluster_create_database (cluster);

  puts (uri);
  fflush (stdout);
  while (getchar () != EOF)
    ;
  return 0;
}
