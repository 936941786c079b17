/* fuzz_copy.c: what a server, or whoever answers in its place, can send as rows of a COPY in binary
 *
 * The input is messages, each after its length in two bytes.  Whatever comes, values are within the batch.
 */
#include "../../plugins/postgresql/copy-out.h"
#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const TallyColumn columns[] = {
    { "a", TALLY_TYPE_BOOLEAN }, { "b", TALLY_TYPE_BIGINT }, { "c", TALLY_TYPE_TEXT },
    { "d", TALLY_TYPE_DATE },    { "e", TALLY_TYPE_INTERVAL },
  };
  g_autoptr (TallySchema) schema = tally_schema_new (columns, G_N_ELEMENTS (columns));
  g_autoptr (TallyBatch) batch = tally_batch_new (schema, 64);
  PgCopyOut copy = { .n_columns = G_N_ELEMENTS (columns), .n_extra = 1, .doubt = TRUE };
  g_autoptr (GString) shown = g_string_new (NULL);
  gboolean good = TRUE;

  while (good && size >= 2 && tally_batch_n_rows (batch) < 64)
    {
      gsize length = MIN ((gsize)(data[0] << 8 | data[1]), size - 2);
      g_autofree char *message = g_memdup2 (data + 2, length); /* its own block, so that reading past it is seen */
      TallyText extra = { 0 };
      gboolean is_row;

      good = pg_copy_out_read (&copy, message, length, batch, &extra, &is_row, NULL);
      g_assert (extra.length <= length);
      data += 2 + length;
      size -= 2 + length;
    }
  for (guint row = 0; good && row < tally_batch_n_rows (batch); row++)
    tally_batch_append_json (batch, row, shown);
  return 0;
}
