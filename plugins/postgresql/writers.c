/* writers.c: rows into a table by COPY, over one connection or several
 *
 * A COPY costs the server about a millisecond beside its rows, so one takes several batches, and each connection a part of each
 * of them.  It stands behind a savepoint, and what the server makes of it is known at its end.  If it refuses one, all is undone
 * and tried again batch by batch, then in halves, down to the rows that are at fault.
 */
#include "sink-private.h"

/* Rows are handed to libpq in pieces of about this size. */
#define SEND_BYTES 65536
/* A COPY ends with the batch that makes it this long: it may have to be sent again. */
#define COPY_BYTES (8 << 20)

guint
pg_sink_n_writers (const PgSink *sink)
{
  return sink->helpers->len + 1;
}

PGconn *
pg_sink_writer (const PgSink *sink, guint i)
{
  return i == 0 ? sink->conn : g_ptr_array_index (sink->helpers, i - 1);
}

/* The first row of a batch that goes over connection i; the part ends where the next one's begins. */
static guint
part_begin (const PgSink *sink, guint i, const TallyBatch *batch)
{
  return tally_batch_n_rows (batch) * i / pg_sink_n_writers (sink);
}

static guint
part_length (const PgSink *sink, guint i, const TallyBatch *batch)
{
  return part_begin (sink, i + 1, batch) - part_begin (sink, i, batch);
}

/* ---- One COPY ---- */

static gboolean
begin_copy (PgSink *sink, guint writer, GError **error)
{
  g_autofree char *sql = g_strconcat (sink->has_savepoint[writer] ? "RELEASE tallyman; " : "", sink->copy, NULL);
  g_autoptr (PGresult) begun = pg_run (pg_sink_writer (sink, writer), sql, error);

  sink->has_savepoint[writer] = TRUE;
  g_string_truncate (sink->rows, 0);
  pg_copy_in_begin (sink->binary, sink->rows);
  return begun != NULL;
}

/* The server works on the first rows while we write the next ones. */
static gboolean
hand_over (PgSink *sink, guint writer, GError **error)
{
  PGconn *conn = pg_sink_writer (sink, writer);
  int sent = PQputCopyData (conn, sink->rows->str, (int)sink->rows->len);

  sink->n_sent += sink->rows->len;
  g_string_truncate (sink->rows, 0);
  return sent > 0 || pg_throw (conn, NULL, error);
}

static gboolean
send_rows (PgSink *sink, guint writer, const TallyBatch *batch, guint first, guint n, GError **error)
{
  const PgColumn *columns = (const PgColumn *)(gpointer)sink->columns->data;

  for (guint row = first; row < first + n; row++)
    {
      if (!tally_batch_is_rejected (batch, row))
        pg_copy_in_append (sink->binary, batch, row, columns, sink->columns->len,
                           sink->mode == MODE_UPSERT ? &sink->number : NULL, sink->rows);
      sink->number++;
      if (sink->rows->len >= SEND_BYTES && !hand_over (sink, writer, error))
        return FALSE;
    }
  return hand_over (sink, writer, error);
}

/* What the COPY came to. */
static gboolean
end_copy (PgSink *sink, guint writer, GError **error)
{
  PGconn *conn = pg_sink_writer (sink, writer);
  g_autoptr (PGresult) result = NULL;
  PGresult *next;

  pg_copy_in_end (sink->binary, sink->rows);
  if (!hand_over (sink, writer, error))
    return FALSE;
  if (PQputCopyEnd (conn, NULL) < 0)
    return pg_throw (conn, NULL, error);
  while ((next = PQgetResult (conn)) != NULL)
    {
      if (result == NULL || PQresultStatus (result) == PGRES_COMMAND_OK)
        {
          PQclear (result);
          result = next;
        }
      else
        PQclear (next);
    }
  if (PQresultStatus (result) != PGRES_COMMAND_OK)
    return pg_throw (conn, result, error);
  return sink->merge == NULL || pg_do (conn, sink->merge, error);
}

/* ---- Rows that the server refuses ---- */

/* FALSE: it is not the rows' fault. */
static gboolean
undo (PgSink *sink, guint writer, const GError *failure, GError **error)
{
  if (g_error_matches (failure, TALLY_ERROR, TALLY_ERROR_DATA)
      && pg_do (pg_sink_writer (sink, writer), "ROLLBACK TO tallyman", NULL))
    return TRUE;
  if (error != NULL)
    *error = g_error_copy (failure);
  return FALSE;
}

static gboolean write_rows (PgSink *sink, guint writer, TallyBatch *batch, guint first, guint n, GError **error);

/* Rows that the server refused together and that are undone. */
static gboolean
write_halves (PgSink *sink, guint writer, TallyBatch *batch, guint first, guint n, const GError *failure, GError **error)
{
  if (n == 1)
    {
      tally_batch_reject (batch, first, failure->message);
      return TRUE;
    }
  return write_rows (sink, writer, batch, first, n / 2, error)
         && write_rows (sink, writer, batch, first + n / 2, n - n / 2, error);
}

static gboolean
write_rows (PgSink *sink, guint writer, TallyBatch *batch, guint first, guint n, GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (n == 0
      || (begin_copy (sink, writer, &failure) && send_rows (sink, writer, batch, first, n, &failure)
          && end_copy (sink, writer, &failure)))
    return TRUE;
  return undo (sink, writer, failure, error) && write_halves (sink, writer, batch, first, n, failure, error);
}

/* A connection's part of all that is open. */
static gboolean
write_again (PgSink *sink, guint writer, const GError *failure, GError **error)
{
  if (!undo (sink, writer, failure, error))
    return FALSE;
  for (guint i = 0; i < sink->open->len; i++)
    {
      TallyBatch *batch = g_ptr_array_index (sink->open, i);
      guint first = part_begin (sink, writer, batch), n = part_length (sink, writer, batch);

      if (!(sink->open->len == 1 && n > 0 ? write_halves (sink, writer, batch, first, n, failure, error)
                                          : write_rows (sink, writer, batch, first, n, error)))
        return FALSE;
    }
  return TRUE;
}

/* ---- Batches ---- */

gboolean
pg_sink_settle (PgSink *sink, GError **error)
{
  gboolean good = TRUE;

  for (guint i = 0; sink->open->len > 0 && i < pg_sink_n_writers (sink); i++)
    if (sink->failures[i] == NULL)
      end_copy (sink, i, &sink->failures[i]);
  for (guint i = 0; i < pg_sink_n_writers (sink); i++)
    if (sink->failures[i] != NULL)
      {
        good = good && write_again (sink, i, sink->failures[i], error);
        g_clear_error (&sink->failures[i]);
      }
  g_ptr_array_set_size (sink->open, 0);
  return good;
}

gboolean
pg_sink_write_batch (PgSink *sink, TallyBatch *batch, GError **error)
{
  gboolean begins = sink->open->len == 0, failed = FALSE;

  if (begins)
    sink->n_sent = 0;
  g_ptr_array_add (sink->open, batch);
  for (guint i = 0; i < pg_sink_n_writers (sink); i++)
    {
      GError **failure = &sink->failures[i];

      if (!(begins && !begin_copy (sink, i, failure)))
        send_rows (sink, i, batch, part_begin (sink, i, batch), part_length (sink, i, batch), failure);
      failed = failed || *failure != NULL;
    }
  return (!failed && sink->n_sent < COPY_BYTES) || pg_sink_settle (sink, error);
}
