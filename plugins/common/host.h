/* host.h: where a server is */
#pragma once
#include <glib.h>

/* Whether what is sent to host, a name or an address, stays on this machine. */
gboolean tally_is_this_machine (const char *host);
