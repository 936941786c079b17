/* temporary.c: rows that memory has no room for
 *
 * A database without a name is a temporary one: SQLite takes its file out of the folder as soon as
 * it is open.  One thread uses it at a time.
 */
#include "temporary.h"
#include <tallyman/error.h>

#define SMALLEST_CACHE (16 * 1024)

gboolean
tally_temporary_throw (sqlite3 *database, GError **error)
{
  return tally_throw (error, TALLY_ERROR_IO,
                      "could not keep rows in a temporary file: %s; SQLITE_TMPDIR or TMPDIR may "
                      "name another folder for temporary files",
                      database != NULL ? sqlite3_errmsg (database) : "out of memory");
}

void
tally_temporary_set_cache (sqlite3 *database, gsize cache)
{
  g_autofree char *pragma = g_strdup_printf ("PRAGMA cache_size = -%" G_GSIZE_FORMAT "; /* KiB */",
                                             MAX (cache, SMALLEST_CACHE) / 1024);

  sqlite3_exec (database, pragma, NULL, NULL, NULL);
}

gboolean
tally_temporary_prepare (sqlite3 *database, const char *const *texts, guint n, sqlite3_stmt **ret_statements, GError **error)
{
  for (guint i = 0; i < n; i++)
    if (sqlite3_prepare_v2 (database, texts[i], -1, &ret_statements[i], NULL) != SQLITE_OK)
      return tally_temporary_throw (database, error);
  return TRUE;
}

gboolean
tally_temporary_step (sqlite3_stmt *statement, gboolean *ret_has_row, GError **error)
{
  int code = sqlite3_step (statement);
  gboolean good = code == SQLITE_ROW || code == SQLITE_DONE || tally_temporary_throw (sqlite3_db_handle (statement), error);

  if (code != SQLITE_ROW)
    sqlite3_reset (statement);
  if (ret_has_row != NULL)
    *ret_has_row = code == SQLITE_ROW;
  return good;
}

sqlite3 *
tally_temporary_open (const char *tables, gsize cache, GError **error)
{
  sqlite3 *database = NULL;

  if (sqlite3_open_v2 ("", &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                       NULL)
      == SQLITE_OK)
    {
      tally_temporary_set_cache (database, cache);
      if (sqlite3_exec (database, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL,
                        NULL)
              == SQLITE_OK
          && sqlite3_exec (database, tables, NULL, NULL, NULL) == SQLITE_OK)
        return database;
    }
  tally_temporary_throw (database, error);
  sqlite3_close (database);
  return NULL;
}
