/* reference-file.c: a table of references, read and written by the plugins that do so for pipelines
 *
 * Source and sink of "csv" know of encodings, quotes and bounds, and how a file is replaced; so that is not known here.
 */
#include "reference-file.h"
#include "plugin/context.h"
#include "plugin/instance.h"
#include "record/batch-private.h"
#include "transform/temporary.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <tallyman/error.h>

#define MOST_ROWS 1000000
/* More than so many rows have. */
#define MOST_BYTES (1024 * 1024 * 1024)
/* Bytes of an entity, an origin, a key or an id. */
#define MOST_TEXT 255
#define MEMORY (8 * 1024 * 1024)
#define BATCH_ROWS 1024

#define TABLE                                                                                                                 \
  "CREATE TABLE rows (entity TEXT NOT NULL, origin TEXT NOT NULL, key TEXT NOT NULL, uses INTEGER, replaces TEXT, id TEXT, "    \
  "line INTEGER, "                                                                                                            \
  "PRIMARY KEY (entity, origin, key)) WITHOUT ROWID; BEGIN"

enum
{
  COLUMN_ENTITY,
  COLUMN_ORIGIN,
  COLUMN_KEY,
  COLUMN_USES,
  COLUMN_REPLACES,
  COLUMN_ID,
  N_COLUMNS
};

static const TallyColumn columns[N_COLUMNS] = { [COLUMN_ENTITY] = { "entity", TALLY_TYPE_TEXT },
                                                [COLUMN_ORIGIN] = { "origin", TALLY_TYPE_TEXT },
                                                [COLUMN_KEY] = { "key", TALLY_TYPE_TEXT },
                                                [COLUMN_USES] = { "uses", TALLY_TYPE_TEXT },
                                                [COLUMN_REPLACES] = { "replaces", TALLY_TYPE_TEXT },
                                                [COLUMN_ID] = { "id", TALLY_TYPE_TEXT } };

typedef enum
{
  FIND,
  KNOWS,
  ADD,
  LINE,
  USE,
  MERGE,
  COUNT,
  LIST,
  N_STATEMENTS
} Statement;

static const char *const statements[N_STATEMENTS] = {
  [FIND] = "SELECT id, replaces FROM rows WHERE entity = ? AND origin = ? AND key = ?",
  [KNOWS] = "SELECT 1 FROM rows WHERE entity = ? AND origin = ? AND id IS NOT NULL LIMIT 1",
  [ADD] = "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1",
  [LINE] = "SELECT line, entity, origin, key FROM rows WHERE entity = ? AND origin = ? AND key = ?",
  [USE] = "INSERT INTO rows (entity, origin, key, replaces, uses) VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET uses = uses + 1",
  [MERGE] = ("INSERT INTO rows (entity, origin, key, uses, replaces) VALUES (?, ?, ?, ?, ?) "
             "ON CONFLICT DO UPDATE SET uses = excluded.uses, replaces = excluded.replaces"),
  [COUNT] = "SELECT count(*), count(*) - count(id) FROM rows",
  [LIST] = "SELECT entity, origin, key, uses, replaces, id FROM rows ORDER BY uses DESC, entity, origin, key",
};

struct _TallyReferenceFile
{
  sqlite3 *database;                       /* (owned) */
  sqlite3_stmt *prepared[N_STATEMENTS];    /* (owned) */
  guint64 n_rows;                          /* that were read */
  gboolean has_replacements;               /* one of them replaces an id */
};

/* ---- The table ---- */

TallyReferenceFile *
tally_reference_file_new (GError **error)
{
  g_autoptr (TallyReferenceFile) file = g_new0 (TallyReferenceFile, 1);

  file->database = tally_temporary_open (TABLE, MEMORY, error);
  if (file->database == NULL || !tally_temporary_prepare (file->database, statements, N_STATEMENTS, file->prepared, error))
    return NULL;
  return g_steal_pointer (&file);
}

void
tally_reference_file_free (TallyReferenceFile *file)
{
  if (file == NULL)
    return;

  for (guint i = 0; i < N_STATEMENTS; i++)
    sqlite3_finalize (file->prepared[i]);
  sqlite3_close (file->database);
  g_free (file);
}

static sqlite3_stmt *
bind (TallyReferenceFile *file, Statement which, const char *entity, const char *origin, const char *key)
{
  sqlite3_stmt *statement = file->prepared[which];

  sqlite3_bind_text (statement, 1, entity, -1, SQLITE_TRANSIENT);
  sqlite3_bind_text (statement, 2, origin, -1, SQLITE_TRANSIENT);
  if (key != NULL)
    sqlite3_bind_text (statement, 3, key, -1, SQLITE_TRANSIENT);
  return statement;
}

gboolean
tally_reference_file_find (TallyReferenceFile *file, const char *entity, const char *origin, const char *key, char **ret_id,
                           GError **error)
{
  sqlite3_stmt *find = bind (file, FIND, entity, origin, key);
  gboolean has_row;

  if (!tally_temporary_step (find, &has_row, error))
    return FALSE;
  *ret_id = has_row ? g_strdup ((const char *)sqlite3_column_text (find, 0)) : NULL;
  sqlite3_reset (find);
  return TRUE;
}

gboolean
tally_reference_file_find_instead (TallyReferenceFile *file, const char *entity, const char *origin, const char *key, const char *known,
                                   char **ret_id, GError **error)
{
  sqlite3_stmt *find;
  gboolean has_row;

  *ret_id = NULL;
  if (!file->has_replacements)
    return TRUE;
  find = bind (file, FIND, entity, origin, key);
  if (!tally_temporary_step (find, &has_row, error))
    return FALSE;
  *ret_id = has_row && g_strcmp0 ((const char *)sqlite3_column_text (find, 1), known) == 0
                ? g_strdup ((const char *)sqlite3_column_text (find, 0))
                : NULL;
  sqlite3_reset (find);
  return TRUE;
}

gboolean
tally_reference_file_has (TallyReferenceFile *file, const char *entity, const char *origin, const char *key, gboolean *ret_has,
                          GError **error)
{
  sqlite3_stmt *find = bind (file, FIND, entity, origin, key);

  if (!tally_temporary_step (find, ret_has, error))
    return FALSE;
  sqlite3_reset (find);
  return TRUE;
}

gboolean
tally_reference_file_knows (TallyReferenceFile *file, const char *entity, const char *origin, gboolean *ret_knows, GError **error)
{
  sqlite3_stmt *knows = bind (file, KNOWS, entity, origin, NULL);

  if (!tally_temporary_step (knows, ret_knows, error))
    return FALSE;
  sqlite3_reset (knows);
  return TRUE;
}

gboolean
tally_reference_file_use (TallyReferenceFile *file, const char *entity, const char *origin, const char *key, const char *replaces,
                          GError **error)
{
  sqlite3_stmt *use = bind (file, USE, entity, origin, key);

  sqlite3_bind_text (use, 4, replaces, -1, SQLITE_TRANSIENT);
  return tally_temporary_step (use, NULL, error);
}

/* What is not an id: all that a plan has found out of a key. */
static gboolean
merge_row (TallyReferenceFile *file, sqlite3_stmt *row, GError **error)
{
  sqlite3_stmt *merge = file->prepared[MERGE];

  for (int i = 0; i <= COLUMN_REPLACES; i++)
    sqlite3_bind_value (merge, i + 1, sqlite3_column_value (row, i));
  return tally_temporary_step (merge, NULL, error);
}

static gboolean
is_among (GHashTable *unfit, sqlite3_stmt *row)
{
  g_autofree char *name = tally_unfit_name ((const char *)sqlite3_column_text (row, COLUMN_ENTITY),
                                            (const char *)sqlite3_column_text (row, COLUMN_REPLACES));

  return g_hash_table_contains (unfit, name);
}

gboolean
tally_reference_file_merge (TallyReferenceFile *file, TallyReferenceFile *other, GHashTable *unfit, GError **error)
{
  sqlite3_stmt *list = other->prepared[LIST];
  gboolean has_row = FALSE, good;

  while ((good = tally_temporary_step (list, &has_row, error)) && has_row)
    if ((unfit == NULL || is_among (unfit, list)) && !merge_row (file, list, error))
      {
        good = FALSE;
        break;
      }
  sqlite3_reset (list);
  return good;
}

gboolean
tally_reference_file_count (TallyReferenceFile *file, guint64 *ret_rows, guint64 *ret_open, GError **error)
{
  sqlite3_stmt *count = file->prepared[COUNT];
  gboolean has_row;

  if (!tally_temporary_step (count, &has_row, error))
    return FALSE;
  *ret_rows = (guint64)sqlite3_column_int64 (count, 0);
  *ret_open = (guint64)sqlite3_column_int64 (count, 1);
  sqlite3_reset (count);
  return TRUE;
}

/* ---- Reading ---- */

/* "3.31446E+13", "3,31E+13": what a spreadsheet makes of a long id when it saves it. */
static gboolean
is_rounded (const char *id)
{
  return g_regex_match_simple ("^[0-9]+[.,][0-9]+[eE][+][0-9]+$", id, 0, 0);
}

static gboolean
has_control (const char *text)
{
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    if (g_unichar_iscntrl (g_utf8_get_char (at)))
      return TRUE;
  return FALSE;
}

/* Looks a value over, which is NULL where the file has none. */
static gboolean
check_value (guint column, const char *value, GError **error)
{
  const char *name = columns[column].name;
  guint64 number;

  if (value == NULL || *value == '\0')
    return column >= COLUMN_USES || tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" is empty", name);
  if (strlen (value) > MOST_TEXT)
    return tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" has more than %d bytes", name, MOST_TEXT);
  if (has_control (value) || g_ascii_isspace (*value) || g_ascii_isspace (value[strlen (value) - 1]))
    return tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" has a control character in it, or a blank at its end", name);
  if (column == COLUMN_USES && !g_ascii_string_to_unsigned (value, 10, 0, G_MAXINT64, &number, NULL))
    return tally_throw (error, TALLY_ERROR_USAGE, "\"uses\" is a number, not \"%s\"", value);
  if (column >= COLUMN_REPLACES && is_rounded (value))
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "the id \"%s\" was rounded by a spreadsheet; write all of its digits, in a column of text", value);
  return TRUE;
}

/* Binds a value of a row; found: the column of the file; -1: it has none. */
static gboolean
bind_value (TallyReferenceFile *file, const TallyBatch *batch, guint row, guint column, gint found, GError **error)
{
  gboolean is_null = found < 0 || tally_batch_is_null (batch, row, (guint)found);
  g_autofree char *value = is_null ? NULL : tally_text_dup (tally_batch_get_text (batch, row, (guint)found));
  int place = (int)column + 1;

  if (!check_value (column, value, error))
    return FALSE;
  if (value != NULL && *value != '\0')
    sqlite3_bind_text (file->prepared[ADD], place, value, -1, SQLITE_TRANSIENT);
  else
    sqlite3_bind_null (file->prepared[ADD], place);
  file->has_replacements |= column == COLUMN_REPLACES && value != NULL && *value != '\0';
  if (column <= COLUMN_KEY)
    sqlite3_bind_text (file->prepared[LINE], place, value, -1, SQLITE_TRANSIENT);
  return TRUE;
}

/* The same key once more: says where it was first. */
static gboolean
throw_double (TallyReferenceFile *file, GError **error)
{
  sqlite3_stmt *line = file->prepared[LINE];
  gboolean has_row;

  if (!tally_temporary_step (line, &has_row, error))
    return FALSE;
  tally_throw (error, TALLY_ERROR_USAGE, "%s \"%s\" of \"%s\" is on line %" G_GINT64_FORMAT " already; leave one of the two",
               (const char *)sqlite3_column_text (line, 1), (const char *)sqlite3_column_text (line, 3), (const char *)sqlite3_column_text (line, 2),
               (gint64)sqlite3_column_int64 (line, 0));
  sqlite3_reset (line);
  return FALSE;
}

static gboolean
take_row (TallyReferenceFile *file, const TallyBatch *batch, guint row, const gint found[N_COLUMNS], GError **error)
{
  sqlite3_stmt *add = file->prepared[ADD];
  gboolean is_new;

  for (guint i = 0; i < N_COLUMNS; i++)
    if (!bind_value (file, batch, row, i, found[i], error))
      return FALSE;
  if (++file->n_rows > MOST_ROWS)
    return tally_throw (error, TALLY_ERROR_USAGE, "more than %d rows", MOST_ROWS);
  sqlite3_bind_int64 (add, N_COLUMNS + 1, tally_batch_row_number (batch, row));
  if (!tally_temporary_step (add, &is_new, error))
    return FALSE;
  sqlite3_reset (add);
  return is_new || throw_double (file, error);
}

/* What the source itself sets aside is wrong, too. */
static gboolean
take_batch (TallyReferenceFile *file, const TallyBatch *batch, const gint found[N_COLUMNS], GError **error)
{
  guint n_rejects;
  const TallyReject *rejects = tally_batch_rejects (batch, &n_rejects);

  if (n_rejects > 0)
    return tally_throw (error, TALLY_ERROR_USAGE, "%s: %s", rejects[0].origin, rejects[0].reason);
  for (guint row = 0; row < tally_batch_n_rows (batch); row++)
    if (!take_row (file, batch, row, found, error))
      {
        g_autofree char *origin = tally_batch_dup_origin (batch, row);

        return tally_throw_prefix (error, "%s", origin);
      }
  return TRUE;
}

/* ret_found: where each column is. */
static gboolean
check_columns (TallySchema *schema, const char *name, gint ret_found[N_COLUMNS], GError **error)
{
  for (guint i = 0; i < N_COLUMNS; i++)
    {
      ret_found[i] = tally_schema_find (schema, columns[i].name);
      if (ret_found[i] < 0 && i != COLUMN_USES && i != COLUMN_REPLACES)
        return tally_throw (error, TALLY_ERROR_USAGE,
                            "%s:1: there is no column \"%s\"; the columns are entity, origin, key, uses, replaces and id, with commas "
                            "between",
                            name, columns[i].name);
    }
  for (guint i = 0; i < tally_schema_n_columns (schema); i++)
    {
      const char *column = tally_schema_column (schema, i)->name;
      gboolean is_known = FALSE;

      for (guint j = 0; j < N_COLUMNS; j++)
        is_known = is_known || g_str_equal (columns[j].name, column);
      if (!is_known)
        return tally_throw (error, TALLY_ERROR_USAGE,
                            "%s:1: the column \"%s\" is none of entity, origin, key, uses, replaces and id, and would be "
                            "lost when the file is written again", name, column);
    }
  return TRUE;
}

/* An instance of the plugin "csv" for a file. */
static TallyInstance *
open_plugin (TallyKind kind, const char *path, TallyRegistry *registry, GError **error)
{
  const TallyPlugin *plugin = tally_registry_find (registry, kind, "csv", error);
  g_autoptr (TallyInstance) instance = plugin != NULL ? tally_instance_new (plugin) : NULL;

  if (instance == NULL || !tally_instance_set (instance, "path", path, "/", error)
      || (kind == TALLY_SOURCE && !tally_instance_set (instance, "trim", "true", "/", error))
      || !tally_instance_finish (instance, NULL, error))
    return NULL;
  return g_steal_pointer (&instance);
}

static gboolean
read_all (TallyReferenceFile *file, TallyInstance *source, TallyContext *ctx, const char *name, GError **error)
{
  g_autoptr (TallySchema) schema = NULL;
  gint found[N_COLUMNS];
  TallyFlow flow = TALLY_FLOW_OK;

  if (!tally_instance_open (source, ctx, error) || (schema = source->plugin->describe (source->self, ctx, error)) == NULL
      || !check_columns (schema, name, found, error))
    return FALSE;
  while (flow == TALLY_FLOW_OK)
    {
      g_autoptr (TallyBatch) batch = tally_batch_new (schema, BATCH_ROWS);

      flow = source->plugin->read (source->self, ctx, batch, error);
      if (flow != TALLY_FLOW_OK && flow != TALLY_FLOW_END)
        return FALSE;
      if (!take_batch (file, batch, found, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_file (const char *path, GError **error)
{
  struct stat status;

  if (stat (path, &status) != 0)
    return tally_throw_errno (error, errno, "could not open \"%s\"", path);
  if (!S_ISREG (status.st_mode))
    return tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" is no regular file", path);
  return status.st_size <= MOST_BYTES || tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" is larger than 1 GiB", path);
}

TallyReferenceFile *
tally_reference_file_read (const char *path, TallyRegistry *registry, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path), *name = g_path_get_basename (path);
  g_autoptr (TallyContext) ctx = tally_context_new (directory);
  g_autoptr (TallyReferenceFile) file = NULL;
  g_autoptr (TallyInstance) source = NULL;

  if (!check_file (path, error) || (file = tally_reference_file_new (error)) == NULL
      || (source = open_plugin (TALLY_SOURCE, path, registry, error)) == NULL || !read_all (file, source, ctx, name, error))
    return NULL;
  return g_steal_pointer (&file);
}

/* ---- Writing ---- */

/* Fills the batch with the next rows. */
static gboolean
list_rows (TallyReferenceFile *file, TallyBatch *batch, gboolean *ret_more, GError **error)
{
  sqlite3_stmt *list = file->prepared[LIST];

  *ret_more = TRUE;
  while (tally_batch_n_rows (batch) < BATCH_ROWS)
    {
      if (!tally_temporary_step (list, ret_more, error))
        return FALSE;
      if (!*ret_more)
        return TRUE;
      tally_batch_add_row (batch);
      for (guint i = 0; i < N_COLUMNS; i++)
        if (sqlite3_column_type (list, (int)i) != SQLITE_NULL)
          {
            const char *text = (const char *)sqlite3_column_text (list, (int)i);

            tally_batch_set_text (batch, i, text, strlen (text));
          }
    }
  return TRUE;
}

static gboolean
write_all (TallyReferenceFile *file, TallyInstance *sink, TallyContext *ctx, GError **error)
{
  g_autoptr (TallySchema) schema = tally_schema_new (columns, N_COLUMNS);
  gboolean more = TRUE;

  if (!sink->plugin->accept (sink->self, schema, error) || !tally_instance_open (sink, ctx, error))
    return FALSE;
  while (more)
    {
      g_autoptr (TallyBatch) batch = tally_batch_new (schema, BATCH_ROWS);

      if (!list_rows (file, batch, &more, error) || sink->plugin->write (sink->self, ctx, batch, error) != TALLY_FLOW_OK)
        return FALSE;
    }
  return sink->plugin->commit (sink->self, ctx, error) == TALLY_FLOW_OK;
}

gboolean
tally_reference_file_write (TallyReferenceFile *file, const char *path, TallyRegistry *registry, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autoptr (TallyContext) ctx = tally_context_new (directory);
  g_autoptr (TallyInstance) sink = NULL;
  guint64 n_rows, n_open;
  gboolean good;

  if (!tally_reference_file_count (file, &n_rows, &n_open, error))
    return FALSE;
  if (n_rows > MOST_ROWS)
    return tally_throw (error, TALLY_ERROR_LIMIT,
                        "\"%s\" would have more than %d rows, which nobody could read: is the pipeline that delivers these records still "
                        "to be run?", path, MOST_ROWS);
  sink = open_plugin (TALLY_SINK, path, registry, error);
  good = sink != NULL && write_all (file, sink, ctx, error);

  sqlite3_reset (file->prepared[LIST]);
  return good;
}
