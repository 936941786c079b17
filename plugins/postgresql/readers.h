/* readers.h: COPY … TO STDOUT over one connection or several, without threads
 *
 * The server's sessions work side by side, and one thread takes what they send as it comes.  Order is kept within a
 * connection; among several there is none.
 */
#pragma once
#include "connection.h"
#include "copy-out.h"

typedef struct
{
  GArray *readers; /* (owned) (element-type PgReader) those that have not ended */
  gint64 row;      /* of the last one read, from 1 */
} PgReaders;

/* Sees each row's extra fields. */
typedef void (*PgNoteRow) (gpointer data, const TallyText *extra);

void pg_readers_init (PgReaders *readers);
/* A COPY of rows that copy describes has begun on conn (unowned), which stays until the end of the readers. */
void pg_readers_add (PgReaders *readers, PGconn *conn, const PgCopyOut *copy);
/* Fills batch; ends waiting when a byte can be read from wake.  note: (nullable).  ret_ended: no connection has more.  Fails with
 * TALLY_ERROR_INTERRUPTED, too. */
gboolean pg_readers_read (PgReaders *readers, int wake, TallyBatch *batch, PgNoteRow note, gpointer data, gboolean *ret_ended,
                          GError **error);
void pg_readers_clear (PgReaders *readers);
