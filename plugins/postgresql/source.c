/* source.c: the rows of a table or a query, by COPY of one snapshot
 *
 * One connection describes and reads.  Where a table is read by several, the others take its snapshot over, and each reads a
 * range of the table's blocks.
 *
 * Which columns there are, and as what they are read, is asked of the server, which describes the query without running it.
 * With a watermark the rows come in the order of (watermark, key), and the position is the last row's.
 */
#include "catalog.h"
#include "identifier.h"
#include "postgresql.h"
#include "probe.h"
#include "ranges.h"
#include "readers.h"
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What a position is made of. */
enum
{
  MARK,
  KEY,
  N_MARKS
};

typedef struct
{
  char *connection; /* option */
  char *table;      /* option */
  char *query;      /* option */
  char *watermark;  /* option */
  char *key;        /* option */
  gint64 overlap;   /* option */
  gint64 n_connections; /* option */

  PGconn *conn;         /* (owned) (nullable) */
  GPtrArray *others;    /* (owned) (nullable) (element-type PGconn) that read ranges beside it */
  char *from;           /* (owned) (nullable) what stands after FROM */
  char *name;           /* (owned) (nullable) of the rows, for their origin */
  TallySchema *schema;  /* (owned) (nullable) */
  GString *columns;     /* (owned) (nullable) the SELECT list */
  char *types[N_MARKS]; /* (owned) (nullable) of watermark and key, as SQL */
  gboolean doubt;       /* see PgCopyOut */
  PgRanges ranges;      /* if there are several connections */
  gboolean has_begun;
  PgReaders readers;
  GString *position;    /* (owned) (nullable) */
  int wake;             /* an eventfd, -1: none */
} PgSource;

static gboolean
source_check (gpointer self, GError **error)
{
  PgSource *source = self;
  g_autofree char *schema = NULL, *table = NULL;

  if ((source->table == NULL) == (source->query == NULL))
    return tally_throw (error, TALLY_ERROR_USAGE, "either \"table\" or \"query\" is needed");
  if ((source->watermark == NULL) != (source->key == NULL))
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "\"watermark\" and \"key\" go together: rows with the same watermark are told apart by the key");
  if (source->overlap > 0 && source->watermark == NULL)
    return tally_throw (error, TALLY_ERROR_USAGE, "\"overlap\" needs a \"watermark\"");
  if (source->n_connections > 1 && (source->table == NULL || source->watermark != NULL))
    return tally_throw (error, TALLY_ERROR_USAGE,
                        source->table == NULL ? "several \"connections\" read a \"table\" in parts; a query gives its rows to one"
                                              : "with a \"watermark\" rows come in its order, by one connection; leave out "
                                                "\"connections\", or the watermark");
  return pg_check_connection_string (source->connection, error)
         && (source->table == NULL || pg_parse_table (source->table, &schema, &table, error));
}

/* ---- What there is ---- */

/* A query keeps its own line, since it may end in a comment. */
static void
compose_from (PgSource *source)
{
  g_autoptr (GString) sql = g_string_new (NULL);
  g_autofree char *schema = NULL, *table = NULL;

  if (source->query != NULL)
    {
      g_autofree char *query = g_strchomp (g_strdup (source->query));

      if (g_str_has_suffix (query, ";"))
        query[strlen (query) - 1] = '\0';
      g_string_printf (sql, "(%s\n)", query);
      source->name = g_strdup ("query");
    }
  else if (pg_parse_table (source->table, &schema, &table, NULL))
    {
      if (schema != NULL)
        {
          pg_append_identifier (schema, sql);
          g_string_append_c (sql, '.');
        }
      pg_append_identifier (table, sql);
      source->name = g_strdup (table);
    }
  g_string_append (sql, " AS q");
  source->from = g_string_free (g_steal_pointer (&sql), FALSE);
}

/* Whether a type is an array, and how SQL writes it. */
static gboolean
ask_type (PGconn *conn, Oid oid, gboolean *ret_is_array, char **ret_name, GError **error)
{
  g_autofree char *number = g_strdup_printf ("%u", oid);
  const char *values[] = { number };
  g_autoptr (PGresult) result = pg_run_with (
      conn, "SELECT typcategory = 'A', format_type (oid, NULL) FROM pg_catalog.pg_type WHERE oid = $1::oid", values, 1, error);

  if (result == NULL)
    return FALSE;
  if (PQntuples (result) != 1)
    return tally_throw (error, TALLY_ERROR_DATA, "the server does not know its own type %u", oid);
  *ret_is_array = *PQgetvalue (result, 0, 0) == 't';
  *ret_name = g_strdup (PQgetvalue (result, 0, 1));
  return TRUE;
}

static gboolean
note_column (PgSource *source, const PGresult *description, int i, TallyColumn *ret_column, GError **error)
{
  const char *name = PQfname (description, i);
  g_autoptr (GString) column = g_string_new ("q.");
  g_autofree char *type = NULL;
  gboolean is_array = FALSE;
  PgReading reading;

  for (int j = 0; j < i; j++)
    if (strcmp (PQfname (description, j), name) == 0)
      return tally_throw (error, TALLY_ERROR_USAGE, "the query has two columns \"%s\"; give one of them another name with AS",
                          name);
  if (!ask_type (source->conn, PQftype (description, i), &is_array, &type, error))
    return FALSE;

  reading = pg_reading (PQftype (description, i), is_array);
  *ret_column = (TallyColumn){ name, reading.type };
  pg_append_identifier (name, column);
  if (source->columns->len > 0)
    g_string_append (source->columns, ", ");
  if (reading.cast == NULL)
    g_string_append (source->columns, column->str);
  else
    {
      const char *hole = strstr (reading.cast, "%s");

      g_string_append_len (source->columns, reading.cast, hole - reading.cast);
      g_string_append (source->columns, column->str);
      g_string_append (source->columns, hole + strlen ("%s"));
    }
  if (g_strcmp0 (source->watermark, name) == 0)
    source->types[MARK] = g_strdup (type);
  if (g_strcmp0 (source->key, name) == 0)
    source->types[KEY] = g_strdup (type);
  return TRUE;
}

static gboolean
find_marks (const PgSource *source, GError **error)
{
  const char *const names[N_MARKS] = { source->watermark, source->key };

  for (guint i = 0; i < N_MARKS; i++)
    if (names[i] != NULL && source->types[i] == NULL)
      {
        const char *nearest = tally_schema_nearest (source->schema, names[i]);

        if (nearest != NULL)
          return tally_throw (error, TALLY_ERROR_USAGE, "there is no column \"%s\"; did you mean \"%s\"?", names[i],
                              nearest);
        return tally_throw (error, TALLY_ERROR_USAGE, "there is no column \"%s\"", names[i]);
      }
  return TRUE;
}

static gboolean
describe_rows (PgSource *source, GError **error)
{
  g_autofree char *sql = g_strdup_printf ("SELECT * FROM %s", source->from);
  g_autoptr (PGresult) prepared = PQprepare (source->conn, "", sql, 0, NULL);
  g_autoptr (PGresult) description = NULL;
  g_autofree TallyColumn *columns = NULL;
  int n;

  if (PQresultStatus (prepared) != PGRES_COMMAND_OK)
    return pg_throw (source->conn, prepared, error);
  description = PQdescribePrepared (source->conn, "");
  if (PQresultStatus (description) != PGRES_COMMAND_OK)
    return pg_throw (source->conn, description, error);

  n = PQnfields (description);
  if (n == 0)
    return tally_throw (error, TALLY_ERROR_USAGE, "the rows have no columns");
  columns = g_new0 (TallyColumn, n);
  for (int i = 0; i < n; i++)
    if (!note_column (source, description, i, &columns[i], error))
      return FALSE;
  source->schema = tally_schema_new (columns, n);
  return find_marks (source, error);
}

/* A connection in a transaction that reads. */
static gboolean
connect_reader (PgSource *source, PGconn **ret_conn, GError **error)
{
  *ret_conn = pg_connect (source->connection, error);
  if (*ret_conn == NULL || !pg_begin_read (*ret_conn, error))
    return FALSE;
  /* Else the server would end the whole at the first text that is not UTF-8. */
  source->doubt = g_strcmp0 (PQparameterStatus (*ret_conn, "server_encoding"), "SQL_ASCII") == 0;
  return !source->doubt || pg_do (*ret_conn, "SET LOCAL client_encoding = 'SQL_ASCII'", error);
}

static gboolean
source_open (gpointer self, TallyContext *ctx, GError **error)
{
  PgSource *source = self;

  source->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  source->columns = g_string_new (NULL);
  source->position = g_string_new (NULL);
  source->others = g_ptr_array_new_with_free_func ((GDestroyNotify)PQfinish);
  pg_readers_init (&source->readers);
  if (!connect_reader (source, &source->conn, error))
    return FALSE;
  compose_from (source);
  return describe_rows (source, error)
         && (source->n_connections == 1
             || pg_ranges_choose (source->conn, source->table, (guint)source->n_connections, &source->ranges, error));
}

static gboolean
source_probe (gpointer self, TallyContext *ctx, GError **error)
{
  PgSource *source = self;

  return pg_probe_server (source->conn, ctx, error)
         && pg_probe_rows (source->conn, source->from, source->table, ctx, error);
}

static TallySchema *
source_describe (gpointer self, TallyContext *ctx, GError **error)
{
  return tally_schema_ref (((PgSource *)self)->schema);
}

/* ---- Positions: the length of the watermark's text, a blank, that text, a blank, the key's text ---- */

static void
set_position (gpointer data, const TallyText *marks)
{
  PgSource *source = data;

  g_string_printf (source->position, "%" G_GSIZE_FORMAT " ", marks[MARK].length);
  g_string_append_len (source->position, marks[MARK].data, marks[MARK].length);
  g_string_append_c (source->position, ' ');
  g_string_append_len (source->position, marks[KEY].data, marks[KEY].length);
}

static gboolean
parse_position (const char *position, char **ret_marks, GError **error)
{
  char *at;
  guint64 length = g_ascii_strtoull (position, &at, 10);

  if (at == position || *at != ' ' || length >= strlen (at + 1) || at[1 + length] != ' ')
    return tally_throw (error, TALLY_ERROR_USAGE, "the position \"%s\" is none of a watermark", position);
  ret_marks[MARK] = g_strndup (at + 1, length);
  ret_marks[KEY] = g_strdup (at + 1 + length + 1);
  return TRUE;
}

static gboolean
append_literal (PgSource *source, const char *text, const char *type, GString *sql, GError **error)
{
  char *literal = PQescapeLiteral (source->conn, text, strlen (text));

  if (literal == NULL)
    return tally_throw (error, TALLY_ERROR_DATA, "the position is no text of the server's encoding");
  g_string_append_printf (sql, "%s::%s", literal, type);
  PQfreemem (literal);
  return TRUE;
}

/* (watermark, key) > the last ones; with an overlap all from a while before the last watermark on. */
static gboolean
append_condition (PgSource *source, const char *position, GString *sql, GError **error)
{
  char *marks[N_MARKS] = { NULL };
  gboolean good = parse_position (position, marks, error);

  if (good && source->overlap > 0)
    {
      g_string_append (sql, " AND q.");
      pg_append_identifier (source->watermark, sql);
      g_string_append (sql, " >= ");
      good = append_literal (source, marks[MARK], source->types[MARK], sql, error);
      g_string_append_printf (sql, " - interval '%" G_GINT64_FORMAT " microseconds'", source->overlap);
    }
  else if (good)
    {
      g_string_append (sql, " AND (q.");
      pg_append_identifier (source->watermark, sql);
      g_string_append (sql, ", q.");
      pg_append_identifier (source->key, sql);
      g_string_append (sql, ") > (");
      good = append_literal (source, marks[MARK], source->types[MARK], sql, error);
      g_string_append (sql, ", ");
      good = good && append_literal (source, marks[KEY], source->types[KEY], sql, error);
      g_string_append_c (sql, ')');
    }
  for (guint i = 0; i < N_MARKS; i++)
    g_free (marks[i]);
  return good;
}

/* ---- Rows ---- */

#define COPY_END ") TO STDOUT (FORMAT binary)"

/* COPY up to its WHERE or, with a watermark, all but its end. */
static char *
compose_copy (PgSource *source, const char *position, GError **error)
{
  g_autoptr (GString) sql = g_string_new ("COPY (SELECT "), mark = g_string_new ("q."), key = g_string_new ("q.");

  g_string_append (sql, source->columns->str);
  if (source->watermark != NULL)
    {
      pg_append_identifier (source->watermark, mark);
      pg_append_identifier (source->key, key);
      g_string_append_printf (sql, ", %s::text, %s::text", mark->str, key->str);
    }
  g_string_append_printf (sql, " FROM %s", source->from);
  if (source->watermark != NULL)
    {
      g_string_append_printf (sql, " WHERE %s IS NOT NULL AND %s IS NOT NULL", mark->str, key->str);
      if (position != NULL && !append_condition (source, position, sql, error))
        return NULL;
      g_string_append_printf (sql, " ORDER BY %s, %s", mark->str, key->str);
    }
  return g_string_free (g_steal_pointer (&sql), FALSE);
}

/* A row without a watermark is never newer than any other, and would be passed over in silence. */
static gboolean
warn_of_unmarked (PgSource *source, TallyContext *ctx, GError **error)
{
  g_autoptr (GString) sql = g_string_new (NULL);
  g_autoptr (PGresult) result = NULL;

  g_string_append_printf (sql, "SELECT EXISTS (SELECT FROM %s WHERE q.", source->from);
  pg_append_identifier (source->watermark, sql);
  g_string_append (sql, " IS NULL OR q.");
  pg_append_identifier (source->key, sql);
  g_string_append (sql, " IS NULL)");
  result = pg_run (source->conn, sql->str, error);
  if (result == NULL)
    return FALSE;
  if (*PQgetvalue (result, 0, 0) == 't')
    tally_context_warn (ctx, "rows whose \"%s\" or \"%s\" is NULL are not read, because it cannot be told whether they are new",
                        source->watermark, source->key);
  return TRUE;
}

static gboolean
begin_copy (PgSource *source, PGconn *conn, const char *sql, GError **error)
{
  g_autoptr (PGresult) result = pg_run (conn, sql, error);
  const PgCopyOut copy = { .n_columns = tally_schema_n_columns (source->schema),
                           .n_extra = source->watermark != NULL ? N_MARKS : 0,
                           .doubt = source->doubt };

  if (result == NULL)
    return FALSE;
  pg_readers_add (&source->readers, conn, &copy);
  return TRUE;
}

/* One more connection that sees what the first one sees.  Whoever waits for the table to be free waits for the first one, and
 * this one would wait for him: only for a while. */
static gboolean
begin_range (PgSource *source, const char *snapshot, const char *sql, GError **error)
{
  g_autofree char *join = g_strdup_printf ("SET TRANSACTION SNAPSHOT '%s'; SET LOCAL lock_timeout = '10s'", snapshot);
  PGconn *conn = NULL;
  gboolean good = connect_reader (source, &conn, error);

  g_ptr_array_add (source->others, conn);
  return good && pg_do (conn, join, error) && begin_copy (source, conn, sql, error);
}

static gboolean
begin_ranges (PgSource *source, const char *sql, GError **error)
{
  g_autoptr (PGresult) snapshot = pg_run (source->conn, "SELECT pg_export_snapshot ()", error);

  if (snapshot == NULL)
    return FALSE;
  /* The first connection's COPY last: until then it answers. */
  for (guint i = source->ranges.n; i-- > 0;)
    {
      g_autoptr (GString) range = g_string_new (sql);

      g_string_append (range, " WHERE ");
      pg_ranges_append (&source->ranges, i, range);
      g_string_append (range, COPY_END);
      if (i > 0 ? !begin_range (source, PQgetvalue (snapshot, 0, 0), range->str, error)
                : !begin_copy (source, source->conn, range->str, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
begin (PgSource *source, TallyContext *ctx, GError **error)
{
  g_autofree char *sql = NULL, *copy = NULL;

  if (source->watermark != NULL && !warn_of_unmarked (source, ctx, error))
    return FALSE;
  sql = compose_copy (source, source->watermark != NULL ? tally_context_position (ctx) : NULL, error);
  if (sql == NULL)
    return FALSE;
  source->has_begun = TRUE;
  if (source->n_connections > 1)
    return begin_ranges (source, sql, error);
  copy = g_strconcat (sql, COPY_END, NULL);
  return begin_copy (source, source->conn, copy, error);
}

static TallyFlow
source_read (gpointer self, TallyContext *ctx, TallyBatch *out, GError **error)
{
  PgSource *source = self;
  gboolean ended;

  if (!source->has_begun && !begin (source, ctx, error))
    return TALLY_FLOW_FATAL;

  tally_batch_set_origin (out, source->name);
  if (!pg_readers_read (&source->readers, source->wake, out, source->watermark != NULL ? set_position : NULL, source, &ended,
                        error))
    return TALLY_FLOW_FATAL;
  if (source->watermark != NULL && source->position->len > 0)
    tally_batch_set_position (out, source->position->str);
  return ended ? TALLY_FLOW_END : TALLY_FLOW_OK;
}

static void
source_interrupt (gpointer self)
{
  PgSource *source = self;
  guint64 one = 1;

  if (write (source->wake, &one, sizeof one) < 0)
    g_return_if_reached ();
}

static void
source_close (gpointer self)
{
  PgSource *source = self;

  pg_readers_clear (&source->readers);
  g_clear_pointer (&source->others, g_ptr_array_unref);
  g_clear_pointer (&source->conn, PQfinish);
  g_clear_pointer (&source->from, g_free);
  g_clear_pointer (&source->name, g_free);
  g_clear_pointer (&source->schema, tally_schema_unref);
  for (guint i = 0; i < N_MARKS; i++)
    g_clear_pointer (&source->types[i], g_free);
  if (source->columns != NULL)
    g_string_free (g_steal_pointer (&source->columns), TRUE);
  if (source->position != NULL)
    g_string_free (g_steal_pointer (&source->position), TRUE);
  close (source->wake);
  source->has_begun = FALSE;
}

#define FIELD(name) G_STRUCT_OFFSET (PgSource, name)

static const TallyOption source_options[] = {
  { .name = "connection", .type = TALLY_OPTION_SECRET, .offset = FIELD (connection),
    .summary = "URI or connection string; what it leaves open libpq takes from its environment and service files",
    .example = "postgresql://reader@db.example/desk?sslmode=verify-full" },
  { .name = "table", .type = TALLY_OPTION_TEXT, .offset = FIELD (table),
    .summary = "Table or view to read, as SQL names it", .example = "helpdesk.tickets" },
  { .name = "query", .type = TALLY_OPTION_TEXT, .offset = FIELD (query),
    .summary = "Query to read instead of a table", .example = "SELECT t.*, u.email FROM tickets t JOIN users u ON u.id = t.user_id" },
  { .name = "watermark", .type = TALLY_OPTION_TEXT, .offset = FIELD (watermark),
    .summary = "Column that grows with each change; the next run reads only rows beyond the last one", .example = "updated_at" },
  { .name = "key", .type = TALLY_OPTION_TEXT, .offset = FIELD (key),
    .summary = "Column that tells rows of one watermark apart", .example = "id" },
  { .name = "overlap", .type = TALLY_OPTION_DURATION, .fallback = "0", .min = 0, .max = G_MAXINT64 / 2, .offset = FIELD (overlap),
    .summary = "Time before the last watermark that is read again, longer than any transaction that writes rows", .example = "10min" },
  { .name = "connections", .type = TALLY_OPTION_INT, .fallback = "1", .min = 1, .max = 16, .offset = FIELD (n_connections),
    .summary = "Connections that read parts of the table at the same time, in no order" },
  { 0 },
};

const TallyPlugin postgresql_source = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SOURCE,
  .name = "postgresql",
  .summary = "Rows of a PostgreSQL table or query",
  .flags = TALLY_PLUGIN_KEEPS_POSITION,
  .threading = TALLY_THREADING_INSTANCE,
  .instance_size = sizeof (PgSource),
  .options = source_options,
  .check = source_check,
  .open = source_open,
  .probe = source_probe,
  .describe = source_describe,
  .read = source_read,
  .interrupt = source_interrupt,
  .close = source_close,
};
