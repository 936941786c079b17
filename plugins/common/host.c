/* host.c: where a server is */
#include "host.h"
#include <arpa/inet.h>

gboolean
tally_is_this_machine (const char *host)
{
  struct in_addr v4;
  struct in6_addr v6;

  if (inet_pton (AF_INET, host, &v4) == 1)
    return ntohl (v4.s_addr) >> 24 == 127;
  if (inet_pton (AF_INET6, host, &v6) == 1)
    return IN6_IS_ADDR_LOOPBACK (&v6);
  return g_ascii_strcasecmp (host, "localhost") == 0;
}
