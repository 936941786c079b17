/* copy-out.h: rows as COPY … TO STDOUT (FORMAT binary) sends them
 *
 * Source: PostgreSQL 15, COPY, "Binary Format": a header, then tuples of fields with their lengths, then -1.
 */
#pragma once
#include <tallyman/batch.h>

typedef struct
{
  guint n_columns; /* of the batch; fields after them are the caller's */
  guint n_extra;
  gboolean doubt;  /* the server does not know the encoding of its text: what is not UTF-8 is rejected */
  gint64 row;      /* of the last one read, from 1 */
  gboolean begun;  /* the header was read */
  gboolean ended;  /* the trailer was read */
} PgCopyOut;

/* Reads one message: the header, a row or the trailer.  A row is added to batch; its extra fields, as text, go to ret_extra,
 * views into data.  ret_row tells whether there was one.  Fails with TALLY_ERROR_DATA: it is no such message. */
gboolean pg_copy_out_read (PgCopyOut *copy, const char *data, gsize length, TallyBatch *batch, TallyText *ret_extra,
                           gboolean *ret_row, GError **error);
