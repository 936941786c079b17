/* ranges.c: a table in ranges of its blocks, each for a connection of its own
 *
 * The first range has no lower end and the last no upper one.  So whatever the table's size is when it is read, each row is
 * in one of them.
 */
#include "ranges.h"
#include <tallyman/error.h>

/* A connection is not worth its while for fewer blocks, of 8 kB as a rule. */
#define MIN_BLOCKS 64
#define MIN_VERSION 140000

/* A partition is a table with blocks of its own, and a range takes a part of each. */
#define LOOK                                                                                                     \
  "WITH RECURSIVE tree AS (SELECT to_regclass ($1)::oid AS oid UNION ALL "                                       \
  "SELECT inhrelid FROM pg_catalog.pg_inherits JOIN tree ON inhparent = tree.oid) "                              \
  "SELECT bool_and (relkind = 'p' OR coalesce (amname = 'heap', false)), coalesce (max (CASE WHEN amname = 'heap' " \
  "THEN pg_relation_size (c.oid) / current_setting ('block_size')::bigint END), 0) "                             \
  "FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid LEFT JOIN pg_catalog.pg_am a ON a.oid = relam"

gboolean
pg_ranges_choose (PGconn *conn, const char *table, guint most, PgRanges *ret_ranges, GError **error)
{
  const char *values[] = { table };
  g_autoptr (PGresult) result = NULL;

  if (PQserverVersion (conn) < MIN_VERSION)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "the server is older than PostgreSQL 14 and would read the whole table for each connection; set "
                        "\"connections\" to 1");
  result = pg_run_with (conn, LOOK, values, 1, error);
  if (result == NULL)
    return FALSE;
  if (*PQgetvalue (result, 0, 0) != 't')
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "%s is not made of tables that PostgreSQL itself keeps, so it cannot be read in parts; set "
                        "\"connections\" to 1",
                        table);
  ret_ranges->blocks = g_ascii_strtoull (PQgetvalue (result, 0, 1), NULL, 10);
  ret_ranges->n = (guint)CLAMP (ret_ranges->blocks / MIN_BLOCKS, 1, most);
  return TRUE;
}

void
pg_ranges_append (const PgRanges *ranges, guint i, GString *sql)
{
  guint64 first = ranges->blocks * i / ranges->n, end = ranges->blocks * (i + 1) / ranges->n;

  g_string_append (sql, "TRUE");
  if (i > 0)
    g_string_append_printf (sql, " AND q.ctid >= '(%" G_GUINT64_FORMAT ",0)'::tid", first);
  if (i + 1 < ranges->n)
    g_string_append_printf (sql, " AND q.ctid < '(%" G_GUINT64_FORMAT ",0)'::tid", end);
}
