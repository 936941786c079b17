/* row-image.c: each value is its size and one, seven bits a byte, then its bytes; NULL is 0
 *
 * Views are written as what they show.  What is read may have been on a disk, so that no size is
 * believed.
 */
#include "row-image.h"
#include "record/batch-private.h"
#include "record/bitmap.h"
#include <string.h>
#include <tallyman/error.h>

static void
append_size (guint64 size, GByteArray *out)
{
  guint8 bytes[10];
  guint n = 0;

  for (; size >= 0x80; size >>= 7)
    bytes[n++] = (guint8)(size | 0x80);
  bytes[n++] = (guint8)size;
  g_byte_array_append (out, bytes, n);
}

static void
append_sized (gconstpointer data, gsize size, GByteArray *out)
{
  append_size ((guint64)size + 1, out);
  g_byte_array_append (out, data, (guint)size);
}

static gboolean
is_view (TallyType type)
{
  switch (type)
    {
    case TALLY_TYPE_TEXT:
    case TALLY_TYPE_NUMERIC:
    case TALLY_TYPE_BYTEA:
    case TALLY_TYPE_JSONB:
      return TRUE;
    default:
      return FALSE;
    }
}

static TallyType
type_of (const TallyBatch *batch, guint column)
{
  return tally_schema_column (tally_batch_schema (batch), column)->type;
}

static void
append_value (const TallyBatch *batch, guint row, guint column, GByteArray *out)
{
  TallyType type = type_of (batch, column);
  gsize size = tally_type_size (type);
  const char *value = (const char *)tally_batch_vector (batch, column) + row * size;
  const TallyText *text = (const TallyText *)value;

  if (tally_batch_is_null (batch, row, column))
    append_size (0, out);
  else if (is_view (type))
    append_sized (text->data, text->length, out);
  else
    append_sized (value, size, out);
}

void
tally_row_image_append (const TallyBatch *batch, guint row, const gint *columns, guint n_columns,
                        gboolean with_origin, GByteArray *out)
{
  for (guint i = 0; i < n_columns; i++)
    append_value (batch, row, (guint)columns[i], out);
  if (with_origin)
    {
      const char *name = tally_batch_origin_name (batch, row);
      gint64 number = tally_batch_row_number (batch, row);

      append_sized (&number, sizeof number, out);
      append_sized (name, strlen (name), out);
    }
}

/* ---- And back ---- */

typedef struct
{
  const guint8 *at, *end;
} Reader;

static gboolean
read_size (Reader *reader, guint64 *ret_size)
{
  guint64 size = 0;

  for (guint shift = 0; shift < 64 && reader->at < reader->end; shift += 7)
    {
      guint8 byte = *reader->at++;

      size |= (guint64)(byte & 0x7F) << shift;
      if (byte < 0x80)
        {
          *ret_size = size;
          return TRUE;
        }
    }
  return FALSE;
}

/* ret_bytes: data is NULL for NULL. */
static gboolean
read_sized (Reader *reader, TallyText *ret_bytes)
{
  guint64 size;

  if (!read_size (reader, &size) || size > (guint64)(reader->end - reader->at) + 1)
    return FALSE;

  *ret_bytes = (TallyText){ NULL, 0 };
  if (size > 0)
    *ret_bytes = (TallyText){ (const char *)reader->at, (gsize)size - 1 };
  reader->at += ret_bytes->length;
  return TRUE;
}

static TallyText
copy (TallyText text, TallyBatch *batch)
{
  char *data = tally_batch_alloc (batch, text.length);

  memcpy (data, text.data, text.length);
  return (TallyText){ data, text.length };
}

static gboolean
read_value (Reader *reader, TallyBatch *batch, guint row, guint column)
{
  TallyType type = type_of (batch, column);
  gsize size = tally_type_size (type);
  gpointer value = (char *)tally_batch_vector (batch, column) + row * size;
  TallyText bytes;

  if (!read_sized (reader, &bytes)
      || (bytes.data != NULL && !is_view (type) && bytes.length != size))
    return FALSE;

  tally_bitmap_put (tally_batch_validity (batch, column), row, bytes.data != NULL);
  if (bytes.data == NULL)
    return TRUE;
  if (is_view (type))
    *(TallyText *)value = copy (bytes, batch);
  else
    memcpy (value, bytes.data, size);
  return TRUE;
}

static gboolean
read_origin (Reader *reader, TallyBatch *batch, guint row)
{
  TallyText number_bytes, name;
  gint64 number;

  if (!read_sized (reader, &number_bytes) || number_bytes.length != sizeof number
      || !read_sized (reader, &name) || name.data == NULL)
    return FALSE;

  memcpy (&number, number_bytes.data, sizeof number);
  tally_batch_set_row_number (batch, row, number);
  tally_batch_set_row_origin (batch, row, name);
  return TRUE;
}

gboolean
tally_row_image_read (const guint8 *data, gsize length, TallyBatch *batch, guint row,
                      const gint *columns, guint n_columns, gboolean with_origin, GError **error)
{
  Reader reader = { data, data + length };
  gboolean good = TRUE;

  for (guint i = 0; i < n_columns && good; i++)
    good = read_value (&reader, batch, row, (guint)columns[i]);
  if (good && with_origin)
    good = read_origin (&reader, batch, row);
  return (good && reader.at == reader.end)
         || tally_throw (error, TALLY_ERROR_DATA, "a row that was kept aside is damaged");
}
