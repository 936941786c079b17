/* copy-in.h: rows as COPY … FROM STDIN takes them, in binary or as text
 *
 * Binary is exact and cheap, but only where the server's column has the very type of ours.  Text is what the server's own
 * types read, so it goes into any column that can be made of it.  Source: PostgreSQL 15, COPY, "Text Format", "Binary Format".
 */
#pragma once
#include <tallyman/batch.h>

/* A column of a batch.  A jsonb may become an array of the server's, as text. */
typedef struct
{
  guint index;
  guint dimensions; /* see pg_append_array(); 0: it becomes no array */
} PgColumn;

void pg_copy_in_begin (gboolean binary, GString *out);
void pg_copy_in_end (gboolean binary, GString *out);
/* Appends the values that a row has in columns; number: (nullable) one more field, an integer, after them. */
void pg_copy_in_append (gboolean binary, const TallyBatch *batch, guint row, const PgColumn *columns, guint n_columns,
                        const gint64 *number, GString *out);
