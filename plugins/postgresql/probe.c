/* probe.c: what of a server matters to a run, for `tallyman doctor` */
#include "probe.h"

gboolean
pg_probe_server (PGconn *conn, TallyContext *ctx, GError **error)
{
  g_autofree char *where = pg_describe (conn);
  g_autoptr (PGresult) result = pg_run (conn, "SELECT current_user, current_setting ('server_version')", error);

  if (result == NULL)
    return FALSE;
  tally_context_tell (ctx, TALLY_FINDING_OK, NULL, "%s, PostgreSQL %s, as user \"%s\"", where, PQgetvalue (result, 0, 1),
                      PQgetvalue (result, 0, 0));
  return TRUE;
}

/* The transaction of a run sees to synchronous_commit itself. */
gboolean
pg_probe_durability (PGconn *conn, TallyContext *ctx, GError **error)
{
  static const char *const settings[] = { "fsync", "full_page_writes" };

  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    {
      g_autoptr (PGresult) result = pg_run_with (conn, "SELECT current_setting ($1)", &settings[i], 1, error);

      if (result == NULL)
        return FALSE;
      if (!g_str_equal (PQgetvalue (result, 0, 0), "on"))
        tally_context_tell (ctx, TALLY_FINDING_WARNING, "switch it on at the server",
                            "%s is off: rows that were committed may be gone after a failure", settings[i]);
    }
  return TRUE;
}

static gboolean
probe_policies (PGconn *conn, const char *table, TallyContext *ctx, GError **error)
{
  g_autoptr (PGresult) result
      = pg_run_with (conn, "SELECT coalesce (row_security_active (to_regclass ($1)::oid), false)", &table, 1, error);

  if (result == NULL)
    return FALSE;
  if (*PQgetvalue (result, 0, 0) == 't')
    tally_context_tell (ctx, TALLY_FINDING_WARNING, "read it as its owner, or as a user with BYPASSRLS",
                        "policies of row security decide which rows of %s this user sees; others are passed over in silence", table);
  return TRUE;
}

/* The server looks at the rights when it is asked how it would go about it. */
gboolean
pg_probe_rows (PGconn *conn, const char *from, const char *table, TallyContext *ctx, GError **error)
{
  g_autofree char *sql = g_strdup_printf ("EXPLAIN SELECT * FROM %s", from);
  g_autoptr (GError) local = NULL;

  if (table != NULL && !probe_policies (conn, table, ctx, error))
    return FALSE;
  if (pg_do (conn, sql, &local))
    {
      tally_context_tell (ctx, TALLY_FINDING_OK, NULL, "the rows may be read");
      return TRUE;
    }
  return tally_throw (error, pg_is_lost (conn) ? TALLY_ERROR_NETWORK : TALLY_ERROR_AUTH, "%s", local->message);
}
