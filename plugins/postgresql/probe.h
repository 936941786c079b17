/* probe.h: what of a server matters to a run, for `tallyman doctor` */
#pragma once
#include "connection.h"
#include <tallyman/plugin.h>

/* Which server it is, and as whom it takes us.  Within a transaction, as the next two. */
gboolean pg_probe_server (PGconn *conn, TallyContext *ctx, GError **error);
/* Whether rows that were committed stay. */
gboolean pg_probe_durability (PGconn *conn, TallyContext *ctx, GError **error);
/* Whether what stands after FROM may be read, and all of it.  table: (nullable) as the user wrote it. */
gboolean pg_probe_rows (PGconn *conn, const char *from, const char *table, TallyContext *ctx, GError **error);
