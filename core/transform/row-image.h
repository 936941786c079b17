/* row-image.h: a row's values as bytes, and back: for rows that wait outside of a batch
 *
 * The form is this program's own, for as long as it runs.
 */
#pragma once
#include <tallyman/batch.h>

/* Appends the values that a row has in columns, of any type; with_origin: and where it comes from. */
void tally_row_image_append (const TallyBatch *batch, guint row, const gint *columns, guint n_columns,
                             gboolean with_origin, GByteArray *out);
/* Gives a row of a batch the values in columns, which have the types of those that were appended, in
 * the same order; text is copied into the batch.  TALLY_ERROR_DATA if data is no such image; the row is
 * then to be thrown away. */
gboolean tally_row_image_read (const guint8 *data, gsize length, TallyBatch *batch, guint row, const gint *columns,
                               guint n_columns, gboolean with_origin, GError **error);
