/* migrate.c: brings the schema up to date
 *
 * The numbered files of sql/<dialect> are part of the library.  All that are missing run in one
 * transaction under a lock, so that an interrupted migration leaves nothing behind, and of two
 * programs that start at once one waits for the other.
 */
#include "database.h"
#include <gio/gio.h>

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const char *const *)a, *(const char *const *)b);
}

/* The migrations in order: number i + 1 stands at i.  (transfer full) */
static GStrv
list_migrations (const char *dialect)
{
  g_autofree char *folder = g_strdup_printf ("/tallyman/sql/%s", dialect);
  GStrv names = g_resources_enumerate_children (folder, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

  g_assert (names != NULL);
  qsort (names, g_strv_length (names), sizeof *names, compare_names);
  return names;
}

static gboolean
run_migration (TallyDatabase *database, const char *name, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/tallyman/sql/%s/%s", database->class->dialect, name);
  g_autoptr (GBytes) script = g_resources_lookup_data (path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  g_autofree char *text = g_strndup (g_bytes_get_data (script, NULL), g_bytes_get_size (script));

  if (!database->class->run_script (database, text, error))
    return tally_throw_prefix (error, "migration \"%s\"", name);
  return TRUE;
}

static gboolean
read_version (TallyDatabase *database, guint *ret_version, GError **error)
{
  g_autoptr (TallyRows) rows = NULL;
  gboolean has_schema;

  if (!database->class->has_schema (database, &has_schema, error))
    return FALSE;
  if (!has_schema)
    {
      *ret_version = 0;
      return TRUE;
    }
  if (!tally_sql (database, &rows, error, "SELECT schema_version FROM meta", NULL, 0))
    return FALSE;
  *ret_version = rows->n_rows > 0 ? tally_rows_int (rows, 0, 0) : 0;
  return TRUE;
}

static gboolean
bring_up (TallyDatabase *database, guint version, const GStrv migrations, GError **error)
{
  guint newest = g_strv_length (migrations);
  g_autofree char *id = tally_random_id ();

  for (guint i = version; i < newest; i++)
    if (!run_migration (database, migrations[i], error))
      return FALSE;
  if (version == 0)
    return SQL (database, NULL, error,
                "INSERT INTO meta (one, ledger_id, schema_version, created_at) "
                "VALUES (1, $1, $2, clock_timestamp())",
                SQL_TEXT (id), SQL_INT (newest));
  return SQL (database, NULL, error, "UPDATE meta SET schema_version = $1", SQL_INT (newest));
}

gboolean
tally_migrate (TallyDatabase *database, GError **error)
{
  g_auto (GStrv) migrations = list_migrations (database->class->dialect);
  guint newest = g_strv_length (migrations), version;

  if (!database->read_only && !database->class->lock_schema (database, error))
    return FALSE;
  if (!read_version (database, &version, error))
    return FALSE;
  if (version > newest)
    return tally_throw (
        error, TALLY_ERROR_LEDGER,
        "the ledger %s has schema version %u and this program knows versions up to %u: "
        "use the newer program that has migrated it",
        database->description, version, newest);
  if (version == newest)
    return TRUE;
  if (database->read_only && version == 0)
    return tally_ledger_throw_missing (database, error);
  if (database->read_only)
    return tally_throw (error, TALLY_ERROR_LEDGER,
                        "the ledger %s has schema version %u and this program needs version %u: "
                        "the next run migrates it",
                        database->description, version, newest);

  return bring_up (database, version, migrations, error);
}
