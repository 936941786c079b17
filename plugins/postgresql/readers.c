/* readers.c: COPY … TO STDOUT over one connection or several, without threads */
#include "readers.h"
#include <errno.h>
#include <poll.h>
#include <tallyman/error.h>

/* Fields of a row that are the caller's. */
#define MAX_EXTRA 2

typedef struct
{
  PGconn *conn; /* (unowned) */
  PgCopyOut copy;
} PgReader;

void
pg_readers_init (PgReaders *readers)
{
  *readers = (PgReaders){ .readers = g_array_new (FALSE, FALSE, sizeof (PgReader)) };
}

void
pg_readers_clear (PgReaders *readers)
{
  g_clear_pointer (&readers->readers, g_array_unref);
}

void
pg_readers_add (PgReaders *readers, PGconn *conn, const PgCopyOut *copy)
{
  PgReader reader = { .conn = conn, .copy = *copy };

  g_assert (copy->n_extra <= MAX_EXTRA);
  g_array_append_val (readers->readers, reader);
}

static PgReader *
reader_at (const PgReaders *readers, guint i)
{
  return &g_array_index (readers->readers, PgReader, i);
}

/* Waits until the server has sent more on any connection.  FALSE: interrupted, or a connection is gone. */
static gboolean
wait_for_more (PgReaders *readers, int wake, GError **error)
{
  guint n = readers->readers->len;
  g_autofree struct pollfd *fds = g_new0 (struct pollfd, n + 1);

  for (guint i = 0; i < n; i++)
    fds[i] = (struct pollfd){ .fd = PQsocket (reader_at (readers, i)->conn), .events = POLLIN };
  fds[n] = (struct pollfd){ .fd = wake, .events = POLLIN };
  if (poll (fds, n + 1, -1) < 0)
    return errno == EINTR || tally_throw_errno (error, errno, "waiting for the server");
  if (fds[n].revents != 0)
    return tally_throw (error, TALLY_ERROR_INTERRUPTED, "stopped while waiting for rows");
  for (guint i = 0; i < n; i++)
    if (fds[i].revents != 0 && !PQconsumeInput (reader_at (readers, i)->conn))
      return pg_throw (reader_at (readers, i)->conn, NULL, error);
  return TRUE;
}

/* After the last row: what the server says of the whole. */
static gboolean
end_copy (const PgReader *reader, GError **error)
{
  g_autoptr (PGresult) result = PQgetResult (reader->conn);
  g_autoptr (PGresult) rest = NULL;

  if (PQresultStatus (result) != PGRES_COMMAND_OK)
    return pg_throw (reader->conn, result, error);
  rest = PQgetResult (reader->conn);
  return reader->copy.ended || tally_throw (error, TALLY_ERROR_DATA, "the rows end without COPY's trailer");
}

static gboolean
take_message (PgReaders *readers, PgReader *reader, const char *data, gsize length, TallyBatch *batch, PgNoteRow note,
              gpointer note_data, GError **error)
{
  TallyText extra[MAX_EXTRA];
  gboolean is_row;

  reader->copy.row = readers->row;
  if (!pg_copy_out_read (&reader->copy, data, length, batch, extra, &is_row, error))
    return FALSE;
  readers->row = reader->copy.row;
  if (is_row && note != NULL)
    note (note_data, extra);
  return TRUE;
}

/* Takes what has come on one connection.  ret_n: messages; ret_ended: there will be no more. */
static gboolean
drain (PgReaders *readers, PgReader *reader, TallyBatch *batch, PgNoteRow note, gpointer note_data, guint *ret_n,
       gboolean *ret_ended, GError **error)
{
  *ret_ended = FALSE;
  for (*ret_n = 0; tally_batch_n_rows (batch) < tally_batch_capacity (batch); (*ret_n)++)
    {
      char *data = NULL;
      gboolean good;
      int length = PQgetCopyData (reader->conn, &data, /* async= */ 1);

      if (length == 0)
        return TRUE;
      *ret_ended = length == -1;
      if (length == -1)
        return end_copy (reader, error);
      if (length < 0)
        return pg_throw (reader->conn, NULL, error);
      good = take_message (readers, reader, data, (gsize)length, batch, note, note_data, error);
      PQfreemem (data);
      if (!good)
        return FALSE;
    }
  return TRUE;
}

gboolean
pg_readers_read (PgReaders *readers, int wake, TallyBatch *batch, PgNoteRow note, gpointer data, gboolean *ret_ended,
                 GError **error)
{
  while (readers->readers->len > 0 && tally_batch_n_rows (batch) < tally_batch_capacity (batch))
    {
      guint n_all = 0;

      for (guint i = 0; i < readers->readers->len;)
        {
          gboolean ended;
          guint n;

          if (!drain (readers, reader_at (readers, i), batch, note, data, &n, &ended, error))
            return FALSE;
          n_all += n + ended;
          if (ended)
            g_array_remove_index (readers->readers, i);
          else
            i++;
        }
      if (n_all == 0 && tally_batch_n_rows (batch) < tally_batch_capacity (batch) && !wait_for_more (readers, wake, error))
        return FALSE;
    }
  *ret_ended = readers->readers->len == 0;
  return TRUE;
}
