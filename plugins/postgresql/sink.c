/* sink.c: rows into a table, each exactly once
 *
 * All rows between two commits are one transaction, and the engine's checkpoint is a row of the same transaction, in the table
 * tallyman_checkpoint beside the target: so after a crash the target itself says how far it is.  A run claims that row before it
 * believes it, and commits only what it claimed: a server goes on with the COMMIT of a client that is gone.  How rows go over: writers.c.
 *
 * append copies straight into the table.  upsert copies into a temporary table of the same types and merges from there.
 * replace deletes what was there in the one transaction that brings the new rows: readers see the old table or the new one.
 *
 * Several connections load a table that is new.  They fill it under a name that nobody knows, each in a transaction of its own; when
 * all others have committed, the first one gives it its name and keeps the checkpoint, in one transaction.  What a run left that
 * failed before is dropped by the next one.
 */
#include "catalog.h"
#include "identifier.h"
#include "postgresql.h"
#include "sink-private.h"
#include <string.h>

/* How long a transaction that an earlier run left behind is waited for. */
#define CLAIM_PATIENCE "60s"

/* ---- Options ---- */

static gboolean
sink_check (gpointer self, GError **error)
{
  PgSink *sink = self;
  g_autofree char *schema = NULL, *table = NULL;

  if ((sink->mode == MODE_UPSERT) != (sink->key != NULL))
    return tally_throw (error, TALLY_ERROR_USAGE,
                        sink->key == NULL ? "\"mode: upsert\" needs \"key\", the columns that tell rows apart"
                                          : "\"key\" is for \"mode: upsert\"");
  if (sink->n_connections > 1 && (sink->mode != MODE_APPEND || !sink->create))
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "several \"connections\" load a table that is new: they need \"create: true\" and \"mode: append\"");
  return pg_check_connection_string (sink->connection, error) && pg_parse_table (sink->table, &schema, &table, error);
}

static gboolean
sink_accept (gpointer self, TallySchema *schema, GError **error)
{
  PgSink *sink = self;

  sink->schema = schema;
  for (char **key = sink->key; key != NULL && *key != NULL; key++)
    if (tally_schema_find (schema, *key) < 0)
      {
        const char *nearest = tally_schema_nearest (schema, *key);

        if (nearest != NULL)
          return tally_throw (error, TALLY_ERROR_USAGE, "there is no column \"%s\" for the key; did you mean \"%s\"?", *key,
                              nearest);
        return tally_throw (error, TALLY_ERROR_USAGE, "there is no column \"%s\" for the key", *key);
      }
  return TRUE;
}

/* ---- The table ---- */

static void
append_separator (GString *sql)
{
  if (sql->len > 0)
    g_string_append (sql, ", ");
}

char *
pg_sink_compose_create (const PgSink *sink, const char *table)
{
  g_autoptr (GString) columns = g_string_new (NULL), key = g_string_new (NULL);

  for (guint i = 0; i < tally_schema_n_columns (sink->schema); i++)
    {
      const TallyColumn *column = tally_schema_column (sink->schema, i);

      append_separator (columns);
      pg_append_identifier (column->name, columns);
      g_string_append_printf (columns, " %s", pg_type_for (column->type));
    }
  for (char **name = sink->key; name != NULL && *name != NULL; name++)
    {
      append_separator (key);
      pg_append_identifier (*name, key);
    }
  return key->len > 0 ? g_strdup_printf ("CREATE TABLE %s (%s, PRIMARY KEY (%s))", table, columns->str, key->str)
                      : g_strdup_printf ("CREATE TABLE %s (%s)", table, columns->str);
}

/* The table's columns: name, type, whether a value may be given, and the dimensions that an array may have. */
static PGresult *
ask_columns (PgSink *sink, GError **error)
{
  const char *values[] = { sink->target };

  return pg_run_with (sink->conn,
                      "SELECT attname, atttypid, attgenerated = '' AND attidentity <> 'a', "
                      "CASE WHEN typcategory <> 'A' THEN 0 WHEN typelem IN ('json'::regtype, 'jsonb'::regtype) THEN 1 ELSE 6 END "
                      "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = atttypid WHERE attrelid = to_regclass ($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                      values, 1, error);
}

static gboolean
make_table (PgSink *sink, GError **error)
{
  g_autofree char *sql = pg_sink_compose_create (sink, sink->target);

  if (!sink->create)
    return tally_throw (error, TALLY_ERROR_USAGE, "there is no table %s; set \"create: true\", or make it: %s", sink->target,
                        sql);
  if (sink->plan == NULL)
    return pg_do (sink->conn, sql, error);
  sink->plan->makes_table = TRUE;
  return TRUE;
}

static gint
find_row (const PGresult *columns, const char *name)
{
  for (int i = 0; i < PQntuples (columns); i++)
    if (strcmp (PQgetvalue (columns, i, 0), name) == 0)
      return i;
  return -1;
}

/* A column that the table lacks.  ret_skip: it is not written. */
static gboolean
handle_other (PgSink *sink, TallyContext *ctx, const TallyColumn *column, gboolean *ret_skip, GError **error)
{
  g_autoptr (GString) sql = g_string_new (NULL);

  *ret_skip = sink->others == OTHERS_IGNORE;
  if (sink->others == OTHERS_IGNORE)
    {
      if (sink->plan != NULL)
        g_ptr_array_add (sink->plan->left_out, (gpointer)column->name);
      tally_context_warn (ctx, "the table %s has no column \"%s\", and it is left out", sink->target, column->name);
      return TRUE;
    }
  if (sink->others == OTHERS_FAIL)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "the table %s has no column \"%s\"; drop it in a step, or set \"columns\" to \"add\" or \"ignore\"",
                        sink->target, column->name);
  if (sink->plan != NULL)
    {
      g_ptr_array_add (sink->plan->added, (gpointer)column->name);
      return TRUE;
    }

  g_string_append_printf (sql, "ALTER TABLE %s ADD COLUMN ", sink->target);
  pg_append_identifier (column->name, sql);
  g_string_append_printf (sql, " %s", pg_type_for (column->type));
  return pg_do (sink->conn, sql->str, error);
}

static gboolean
choose_column (PgSink *sink, TallyContext *ctx, const PGresult *there, guint i, GString *list, GError **error)
{
  const TallyColumn *column = tally_schema_column (sink->schema, i);
  gint row = find_row (there, column->name);
  PgColumn chosen = { .index = i };
  gboolean skip = FALSE;

  if (row < 0 && !handle_other (sink, ctx, column, &skip, error))
    return FALSE;
  if (skip)
    return TRUE;
  if (row >= 0 && *PQgetvalue (there, row, 2) != 't')
    return tally_throw (error, TALLY_ERROR_USAGE, "the column \"%s\" of %s is worked out by the server; drop it in a step",
                        column->name, sink->target);

  if (row >= 0 && !pg_has_binary (column->type, (guint32)g_ascii_strtoull (PQgetvalue (there, row, 1), NULL, 10)))
    sink->binary = FALSE;
  if (row >= 0 && column->type == TALLY_TYPE_JSONB)
    chosen.dimensions = (guint)g_ascii_strtoull (PQgetvalue (there, row, 3), NULL, 10);
  append_separator (list);
  pg_append_identifier (column->name, list);
  g_array_append_val (sink->columns, chosen);
  return TRUE;
}

/* Every column will be there, of our own type. */
static void
choose_all (PgSink *sink)
{
  g_autoptr (GString) list = g_string_new (NULL);

  for (guint i = 0; i < tally_schema_n_columns (sink->schema); i++)
    {
      const PgColumn chosen = { .index = i };

      append_separator (list);
      pg_append_identifier (tally_schema_column (sink->schema, i)->name, list);
      g_array_append_val (sink->columns, chosen);
    }
  sink->list = g_string_free (g_steal_pointer (&list), FALSE);
  sink->binary = TRUE;
}

gboolean
pg_sink_look_at_table (PgSink *sink, TallyContext *ctx, GError **error)
{
  g_autoptr (GString) list = g_string_new (NULL);
  g_autoptr (PGresult) there = ask_columns (sink, error);

  if (there != NULL && sink->n_connections > 1)
    {
      if (PQntuples (there) == 0)
        {
          choose_all (sink);
          sink->loads = TRUE;
          tally_context_set_at_once (ctx);
          if (sink->plan != NULL)
            sink->plan->makes_table = TRUE;
          return TRUE;
        }
      tally_context_warn (ctx, "the table %s is there, so rows go to it over one connection", sink->target);
    }
  if (there != NULL && PQntuples (there) == 0 && make_table (sink, error))
    {
      if (sink->plan != NULL)
        {
          choose_all (sink);
          return TRUE;
        }
      PQclear (there);
      there = ask_columns (sink, error);
    }
  if (there == NULL || PQntuples (there) == 0)
    return FALSE;

  sink->binary = TRUE;
  for (guint i = 0; i < tally_schema_n_columns (sink->schema); i++)
    if (!choose_column (sink, ctx, there, i, list, error))
      return FALSE;
  if (sink->columns->len == 0)
    return tally_throw (error, TALLY_ERROR_USAGE, "the table %s has none of the columns", sink->target);
  sink->list = g_string_free (g_steal_pointer (&list), FALSE);
  return TRUE;
}

/* ---- Statements ---- */

gboolean
pg_sink_is_key (const PgSink *sink, const char *name)
{
  return g_strv_contains ((const char *const *)sink->key, name);
}

/* Of rows with one key the last counts; a row that would not change is not written.  Images of records can be compared for
 * all types, and NULL is like any value. */
static char *
compose_merge (const PgSink *sink)
{
  g_autoptr (GString) key = g_string_new (NULL), set = g_string_new (NULL), old = g_string_new (NULL),
                      new = g_string_new (NULL);

  for (char **name = sink->key; *name != NULL; name++)
    {
      append_separator (key);
      pg_append_identifier (*name, key);
    }
  for (guint i = 0; i < sink->columns->len; i++)
    {
      const char *name = tally_schema_column (sink->schema, g_array_index (sink->columns, PgColumn, i).index)->name;
      g_autoptr (GString) column = g_string_new (NULL);

      if (pg_sink_is_key (sink, name))
        continue;
      pg_append_identifier (name, column);
      append_separator (set);
      append_separator (old);
      append_separator (new);
      g_string_append_printf (set, "%s = EXCLUDED.%s", column->str, column->str);
      g_string_append_printf (old, "t.%s", column->str);
      g_string_append_printf (new, "EXCLUDED.%s", column->str);
    }
  if (set->len == 0)
    return g_strdup_printf ("INSERT INTO %s AS t (%s) SELECT DISTINCT ON (%s) %s FROM tallyman_stage "
                            "ORDER BY %s, tallyman_row DESC ON CONFLICT (%s) DO NOTHING; TRUNCATE tallyman_stage",
                            sink->target, sink->list, key->str, sink->list, key->str, key->str);
  return g_strdup_printf ("INSERT INTO %s AS t (%s) SELECT DISTINCT ON (%s) %s FROM tallyman_stage "
                          "ORDER BY %s, tallyman_row DESC ON CONFLICT (%s) DO UPDATE SET %s "
                          "WHERE ROW (%s)::record *<> ROW (%s)::record; TRUNCATE tallyman_stage",
                          sink->target, sink->list, key->str, sink->list, key->str, key->str, set->str, old->str, new->str);
}

void
pg_sink_compose_copy (PgSink *sink)
{
  gboolean upsert = sink->mode == MODE_UPSERT;

  sink->copy = g_strdup_printf ("SAVEPOINT tallyman; COPY %s (%s%s) FROM STDIN%s", upsert ? "tallyman_stage" : sink->into,
                                sink->list, upsert ? ", tallyman_row" : "", sink->binary ? " (FORMAT binary)" : "");
}

static void
compose_statements (PgSink *sink)
{
  pg_sink_compose_copy (sink);
  if (sink->mode == MODE_UPSERT)
    sink->merge = compose_merge (sink);
}

/* ---- Getting ready ---- */

static void
compose_names (PgSink *sink)
{
  g_autoptr (GString) prefix = g_string_new (NULL), name = g_string_new (NULL);
  g_autofree char *schema = NULL, *table = NULL;

  if (!pg_parse_table (sink->table, &schema, &table, NULL))
    g_assert_not_reached (); /* sink_check() */
  if (schema != NULL)
    {
      pg_append_identifier (schema, prefix);
      g_string_append_c (prefix, '.');
    }
  pg_append_identifier (table, name);
  sink->prefix = g_string_free (g_steal_pointer (&prefix), FALSE);
  sink->name = g_string_free (g_steal_pointer (&name), FALSE);
  sink->target = g_strconcat (sink->prefix, sink->name, NULL);
  sink->checkpoints = g_strconcat (sink->prefix, "tallyman_checkpoint", NULL);
}

/* Where a new table is filled: for each pipeline and target a place of its own, which the pipeline's lease guards. */
static char *
compose_loading_name (const PgSink *sink, TallyContext *ctx)
{
  g_autofree char *what = g_strconcat (tally_context_checkpoint_key (ctx), "\n", sink->target, NULL);
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, what, -1);

  return g_strdup_printf ("%stallyman_load_%.24s", sink->prefix, hash);
}

gboolean
pg_sink_find_checkpoints (PgSink *sink, gboolean *ret_there, GError **error)
{
  const char *values[] = { sink->checkpoints };
  g_autoptr (PGresult) result = pg_run_with (sink->conn, "SELECT to_regclass ($1) IS NOT NULL", values, 1, error);

  *ret_there = result != NULL && *PQgetvalue (result, 0, 0) == 't';
  return result != NULL;
}

/* Our own table, and with it the right to write at all, before any row is read. */
static gboolean
make_checkpoints (PgSink *sink, GError **error)
{
  g_autofree char *sql = g_strdup_printf ("CREATE TABLE IF NOT EXISTS %s (key text PRIMARY KEY, checkpoint text NOT NULL, "
                                          "written_at timestamptz NOT NULL DEFAULT clock_timestamp ())",
                                          sink->checkpoints);
  gboolean there;

  return pg_sink_find_checkpoints (sink, &there, error) && (there || pg_do (sink->conn, sql, error));
}

gboolean
pg_sink_connect (PgSink *sink, TallyContext *ctx, GError **error)
{
  g_autofree char *server = NULL, *fingerprint = NULL;

  sink->rows = g_string_new (NULL);
  sink->open = g_ptr_array_new ();
  sink->helpers = g_ptr_array_new_with_free_func ((GDestroyNotify)PQfinish);
  sink->columns = g_array_new (FALSE, FALSE, sizeof (PgColumn));
  sink->conn = pg_connect (sink->connection, error);
  if (sink->conn == NULL)
    return FALSE;
  compose_names (sink);
  server = pg_describe (sink->conn);
  fingerprint = g_strdup_printf ("%s %s", server, sink->target);
  tally_context_set_target (ctx, fingerprint);
  if (sink->mode == MODE_REPLACE)
    tally_context_set_whole (ctx);
  return TRUE;
}

static gboolean
sink_open (gpointer self, TallyContext *ctx, GError **error)
{
  PgSink *sink = self;

  if (!pg_sink_connect (sink, ctx, error))
    return FALSE;
  if (!pg_begin_write (sink->conn, error) || !pg_sink_look_at_table (sink, ctx, error) || !make_checkpoints (sink, error)
      || !pg_do (sink->conn, "COMMIT", error))
    return FALSE;
  if (!sink->loads)
    {
      sink->into = g_strdup (sink->target);
      compose_statements (sink);
    }
  return TRUE;
}

/* NULL: a row that was claimed, by a run that has not committed. */
static char *
dup_checkpoint (const PGresult *result)
{
  const char *checkpoint = PQgetvalue (result, 0, 0);

  return *checkpoint != '\0' ? g_strdup (checkpoint) : NULL;
}

static gboolean
read_checkpoint (PgSink *sink, TallyContext *ctx, char **ret_checkpoint, GError **error)
{
  g_autofree char *sql = g_strdup_printf ("SELECT checkpoint FROM %s WHERE key = $1", sink->checkpoints);
  const char *values[] = { tally_context_checkpoint_key (ctx) };
  g_autoptr (PGresult) result = pg_run_with (sink->conn, sql, values, 1, error);

  if (result == NULL)
    return FALSE;
  *ret_checkpoint = PQntuples (result) > 0 ? dup_checkpoint (result) : NULL;
  return TRUE;
}

/* Makes the checkpoint's row ours.  An earlier run that was killed may have left a transaction that is being committed: it has this
 * row, and is waited for.  One that has not come so far finds another version of the row than its own, and fails. */
static gboolean
claim_checkpoint (PgSink *sink, TallyContext *ctx, char **ret_checkpoint, GError **error)
{
  g_autofree char *sql = g_strdup_printf ("INSERT INTO %s AS c (key, checkpoint) VALUES ($1, '') ON CONFLICT (key) DO UPDATE SET "
                                          "checkpoint = c.checkpoint RETURNING checkpoint, xmin::text",
                                          sink->checkpoints);
  const char *values[] = { tally_context_checkpoint_key (ctx) };
  g_autoptr (PGresult) result = NULL;

  if (!pg_do (sink->conn, "SET LOCAL lock_timeout = '" CLAIM_PATIENCE "'", error))
    return FALSE;
  result = pg_run_with (sink->conn, sql, values, 1, error);
  if (result == NULL)
    return tally_throw_prefix (error, "the checkpoint cannot be had; an earlier run's transaction may still have it");
  *ret_checkpoint = dup_checkpoint (result);
  g_free (sink->version);
  sink->version = g_strdup (PQgetvalue (result, 0, 1));
  return TRUE;
}

static gboolean
sink_resume (gpointer self, TallyContext *ctx, char **ret_checkpoint, GError **error)
{
  PgSink *sink = self;
  gboolean there = TRUE;

  *ret_checkpoint = NULL;
  if (sink->plan == NULL)
    return pg_begin_write (sink->conn, error) && claim_checkpoint (sink, ctx, ret_checkpoint, error)
           && pg_do (sink->conn, "COMMIT", error);
  /* A plan has not made the table. */
  if (!pg_sink_find_checkpoints (sink, &there, error))
    return FALSE;
  return !there || read_checkpoint (sink, ctx, ret_checkpoint, error);
}

/* ---- Rows ---- */

/* Makes the table that is filled, where all connections see it, and the connections. */
static gboolean
prepare_load (PgSink *sink, TallyContext *ctx, GError **error)
{
  g_autofree char *create = NULL, *drop = NULL;

  sink->into = compose_loading_name (sink, ctx);
  compose_statements (sink);
  create = pg_sink_compose_create (sink, sink->into);
  drop = g_strdup_printf ("DROP TABLE IF EXISTS %s", sink->into);
  if (!pg_begin_write (sink->conn, error) || !pg_do (sink->conn, drop, error) || !pg_do (sink->conn, create, error)
      || !pg_do (sink->conn, "COMMIT", error))
    return FALSE;
  while (pg_sink_n_writers (sink) < sink->n_connections)
    {
      PGconn *conn = pg_connect (sink->connection, error);

      if (conn == NULL)
        return FALSE;
      g_ptr_array_add (sink->helpers, conn);
    }
  return TRUE;
}

static gboolean
begin (PgSink *sink, TallyContext *ctx, GError **error)
{
  g_autofree char *sql = NULL;

  if (sink->in_transaction)
    return TRUE;
  if (sink->loads && !prepare_load (sink, ctx, error))
    return FALSE;
  for (guint i = 0; i < pg_sink_n_writers (sink); i++)
    if (!pg_begin_write (pg_sink_writer (sink, i), error))
      return FALSE;
  sink->in_transaction = TRUE;
  memset (sink->has_savepoint, 0, sizeof sink->has_savepoint);
  if (sink->mode == MODE_REPLACE && !sink->is_emptied)
    {
      sql = g_strdup_printf ("DELETE FROM %s", sink->target);
      sink->is_emptied = TRUE;
    }
  else if (sink->mode == MODE_UPSERT)
    sql = g_strdup_printf ("CREATE TEMPORARY TABLE tallyman_stage ON COMMIT DROP AS SELECT %s, 0::bigint AS tallyman_row "
                           "FROM %s WITH NO DATA",
                           sink->list, sink->target);
  return sql == NULL || pg_do (sink->conn, sql, error);
}

static TallyFlow
sink_write (gpointer self, TallyContext *ctx, TallyBatch *batch, GError **error)
{
  PgSink *sink = self;

  if (!begin (sink, ctx, error) || !pg_sink_write_batch (sink, batch, error))
    return TALLY_FLOW_FATAL;
  return sink->open->len > 0 ? TALLY_FLOW_OPEN : TALLY_FLOW_OK;
}

static TallyFlow
sink_settle (gpointer self, TallyContext *ctx, GError **error)
{
  return pg_sink_settle (self, error) ? TALLY_FLOW_OK : TALLY_FLOW_FATAL;
}

/* ---- Commit ---- */

static gboolean
keep_checkpoint (PgSink *sink, TallyContext *ctx, GError **error)
{
  g_autofree char *sql = g_strdup_printf ("UPDATE %s SET checkpoint = $2, written_at = clock_timestamp () "
                                          "WHERE key = $1 AND xmin::text = $3 RETURNING xmin::text",
                                          sink->checkpoints);
  g_autofree char *before = NULL;
  g_autoptr (PGresult) result = NULL;

  /* A run that goes on from nothing has not asked. */
  if (sink->version == NULL && !claim_checkpoint (sink, ctx, &before, error))
    return FALSE;

  const char *values[] = { tally_context_checkpoint_key (ctx), tally_context_checkpoint (ctx), sink->version };

  result = pg_run_with (sink->conn, sql, values, 3, error);
  if (result == NULL)
    return FALSE;
  if (PQntuples (result) == 0)
    return tally_throw (error, TALLY_ERROR_LEASE, "another run has written to \"%s\" since this one began; what this one wrote is undone",
                        sink->table);
  g_free (sink->version);
  sink->version = g_strdup (PQgetvalue (result, 0, 0));
  return TRUE;
}

/* Whether a commit holds whose answer was lost: its checkpoint tells. */
static gboolean
look_whether_it_holds (PgSink *sink, TallyContext *ctx)
{
  g_autofree char *there = NULL;

  g_clear_pointer (&sink->conn, PQfinish);
  sink->conn = pg_connect (sink->connection, NULL);
  return sink->conn != NULL && read_checkpoint (sink, ctx, &there, NULL)
         && g_strcmp0 (there, tally_context_checkpoint (ctx)) == 0;
}

/* FALSE without an error: the server rolled the transaction back. */
static gboolean
commit_on (PGconn *conn, GError **error)
{
  g_autoptr (PGresult) result = pg_run (conn, "COMMIT", error);

  return result != NULL && strcmp (PQcmdStatus (result), "COMMIT") == 0;
}

/* The rows of all other connections first: nobody sees them before the table has its name, in the first one's transaction. */
static gboolean
finish_load (PgSink *sink, GError **error)
{
  g_autofree char *sql = g_strdup_printf ("ALTER TABLE %s RENAME TO %s", sink->into, sink->name);

  for (guint i = 1; i < pg_sink_n_writers (sink); i++)
    {
      g_autoptr (GError) failure = NULL;

      if (!commit_on (pg_sink_writer (sink, i), &failure))
        return tally_throw (error, TALLY_ERROR_DATA, "a connection could not commit: %s",
                            failure != NULL ? failure->message : "the server rolled the rows back");
    }
  return pg_do (sink->conn, sql, error);
}

static TallyFlow
sink_commit (gpointer self, TallyContext *ctx, GError **error)
{
  PgSink *sink = self;
  g_autoptr (GError) failure = NULL;

  if (!begin (sink, ctx, error) || (sink->loads && !finish_load (sink, error)) || !keep_checkpoint (sink, ctx, error))
    return TALLY_FLOW_FATAL;
  sink->in_transaction = FALSE;
  if (commit_on (sink->conn, &failure))
    return TALLY_FLOW_OK;
  if (failure != NULL && pg_is_lost (sink->conn) && look_whether_it_holds (sink, ctx))
    return TALLY_FLOW_OK;

  if (failure != NULL)
    g_propagate_prefixed_error (error, g_steal_pointer (&failure), "could not commit: ");
  else
    tally_throw (error, TALLY_ERROR_DATA, "the server rolled the rows back");
  return TALLY_FLOW_FATAL;
}

static void
sink_close (gpointer self)
{
  PgSink *sink = self;

  g_clear_pointer (&sink->helpers, g_ptr_array_unref);
  g_clear_pointer (&sink->conn, PQfinish);
  g_clear_pointer (&sink->prefix, g_free);
  g_clear_pointer (&sink->name, g_free);
  g_clear_pointer (&sink->into, g_free);
  g_clear_pointer (&sink->target, g_free);
  g_clear_pointer (&sink->checkpoints, g_free);
  g_clear_pointer (&sink->version, g_free);
  g_clear_pointer (&sink->columns, g_array_unref);
  g_clear_pointer (&sink->list, g_free);
  g_clear_pointer (&sink->copy, g_free);
  g_clear_pointer (&sink->merge, g_free);
  g_clear_pointer (&sink->open, g_ptr_array_unref);
  for (guint i = 0; i < MAX_CONNECTIONS; i++)
    g_clear_error (&sink->failures[i]);
  if (sink->rows != NULL)
    g_string_free (g_steal_pointer (&sink->rows), TRUE);
  if (sink->plan != NULL)
    {
      g_ptr_array_unref (sink->plan->added);
      g_ptr_array_unref (sink->plan->left_out);
      g_clear_pointer (&sink->plan, g_free);
    }
  memset (sink->has_savepoint, 0, sizeof sink->has_savepoint);
  sink->in_transaction = sink->is_emptied = sink->loads = FALSE;
}

#define FIELD(name) G_STRUCT_OFFSET (PgSink, name)

const char *const pg_sink_modes[] = { [MODE_APPEND] = "append", [MODE_UPSERT] = "upsert", [MODE_REPLACE] = "replace", NULL };
static const char *const others[] = { [OTHERS_FAIL] = "fail", [OTHERS_ADD] = "add", [OTHERS_IGNORE] = "ignore", NULL };

static const TallyOption sink_options[] = {
  { .name = "connection", .type = TALLY_OPTION_SECRET, .offset = FIELD (connection),
    .summary = "URI or connection string; what it leaves open libpq takes from its environment and service files",
    .example = "postgresql://writer@db.example/warehouse" },
  { .name = "table", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_REQUIRED, .offset = FIELD (table),
    .summary = "Table to write to, as SQL names it", .example = "staging.tickets" },
  { .name = "mode", .type = TALLY_OPTION_CHOICE, .choices = pg_sink_modes, .fallback = "append", .offset = FIELD (mode),
    .summary = "Append rows, upsert them by key, or replace all that was there" },
  { .name = "key", .type = TALLY_OPTION_LIST, .offset = FIELD (key),
    .summary = "Columns with a unique index, by which upsert tells rows apart", .example = "[id]" },
  { .name = "create", .type = TALLY_OPTION_BOOL, .fallback = "false", .offset = FIELD (create),
    .summary = "Whether to make the table if there is none" },
  { .name = "columns", .type = TALLY_OPTION_CHOICE, .choices = others, .fallback = "fail", .offset = FIELD (others),
    .summary = "What to do with a column that the table lacks: fail, add it, or ignore it" },
  { .name = "connections", .type = TALLY_OPTION_INT, .fallback = "1", .min = 1, .max = MAX_CONNECTIONS, .offset = FIELD (n_connections),
    .summary = "Connections that load a table which is new at the same time" },
  { 0 },
};

const TallyPlugin postgresql_sink = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SINK,
  .name = "postgresql",
  .summary = "Rows into a PostgreSQL table, exactly once",
  .threading = TALLY_THREADING_INSTANCE,
  .instance_size = sizeof (PgSink),
  .options = sink_options,
  .check = sink_check,
  .accept = sink_accept,
  .open = sink_open,
  .write = sink_write,
  .commit = sink_commit,
  .close = sink_close,
  .resume = sink_resume,
  .plan = &pg_sink_plan,
  .probe = pg_sink_probe,
  .settle = sink_settle,
};
