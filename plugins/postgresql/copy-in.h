/* copy-in.h: rows as COPY … FROM STDIN takes them, in binary or as text
 *
 * Binary is exact and cheap, but only where the server's column has the very type of ours.  Text is what the server's own
 * types read, so it goes into any column that can be made of it.  Source: PostgreSQL 15, COPY, "Text Format", "Binary Format".
 */
#pragma once
#include <tallyman/batch.h>

void pg_copy_in_begin (gboolean binary, GString *out);
void pg_copy_in_end (gboolean binary, GString *out);
/* Appends a row: of column i of the batch the values of columns[i]; number: (nullable) one more field, an integer, after them. */
void pg_copy_in_append (gboolean binary, const TallyBatch *batch, guint row, const guint *columns, guint n_columns,
                        const gint64 *number, GString *out);
