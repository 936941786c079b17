/* copy-out.c: rows as COPY … TO STDOUT (FORMAT binary) sends them */
#include "copy-out.h"
#include <string.h>
#include <tallyman/error.h>

static const char signature[11] = "PGCOPY\n\377\r\n";

typedef struct
{
  const guint8 *at;
  gsize left;
} Bytes;

static gboolean
take (Bytes *bytes, gsize n, const guint8 **ret_at)
{
  if (bytes->left < n)
    return FALSE;
  *ret_at = bytes->at;
  bytes->at += n;
  bytes->left -= n;
  return TRUE;
}

static guint64
big_endian (const guint8 *at, guint size)
{
  guint64 value = 0;

  for (guint i = 0; i < size; i++)
    value = value << 8 | at[i];
  return value;
}

static gboolean
take_int (Bytes *bytes, guint size, gint64 *ret_value)
{
  const guint8 *at;

  if (!take (bytes, size, &at))
    return FALSE;
  *ret_value = size == 2 ? (gint16)big_endian (at, 2) : (gint32)big_endian (at, 4);
  return TRUE;
}

static gboolean
take_header (Bytes *bytes)
{
  const guint8 *at;
  gint64 flags, extension;

  return take (bytes, sizeof signature, &at) && memcmp (at, signature, sizeof signature) == 0
         && take_int (bytes, 4, &flags) && flags == 0 && take_int (bytes, 4, &extension)
         && extension >= 0 && take (bytes, (gsize)extension, &at);
}

/* The sizes of those types whose values all have the same. */
static const guint8 sizes[TALLY_N_TYPES] = {
  [TALLY_TYPE_BOOLEAN] = 1,   [TALLY_TYPE_BIGINT] = 8,      [TALLY_TYPE_DOUBLE] = 8,   [TALLY_TYPE_DATE] = 4,
  [TALLY_TYPE_TIMESTAMP] = 8, [TALLY_TYPE_TIMESTAMPTZ] = 8, [TALLY_TYPE_INTERVAL] = 16,
};

static void
set_fixed (TallyBatch *batch, guint column, TallyType type, const guint8 *at)
{
  guint row = tally_batch_n_rows (batch) - 1;
  gpointer vector = tally_batch_vector (batch, column);
  guint64 bits;

  switch (type)
    {
    case TALLY_TYPE_BOOLEAN:
      ((guint8 *)vector)[row] = *at != 0;
      break;
    case TALLY_TYPE_DATE:
      ((gint32 *)vector)[row] = (gint32)big_endian (at, 4);
      break;
    case TALLY_TYPE_INTERVAL:
      ((TallyInterval *)vector)[row] = (TallyInterval){ .microseconds = (gint64)big_endian (at, 8),
                                                        .days = (gint32)big_endian (at + 8, 4),
                                                        .months = (gint32)big_endian (at + 12, 4) };
      break;
    default:
      bits = big_endian (at, 8);
      memcpy ((char *)vector + row * 8, &bits, 8);
      break;
    }
  tally_batch_validity (batch, column)[row / 64] |= G_GUINT64_CONSTANT (1) << row % 64;
}

static void
set_text (const PgCopyOut *copy, TallyBatch *batch, guint column, TallyType type, TallyText field)
{
  const char *name = tally_schema_column (tally_batch_schema (batch), column)->name, *bad;
  g_autofree char *valid = NULL, *reason = NULL;

  if (!copy->doubt || type == TALLY_TYPE_BYTEA || g_utf8_validate_len (field.data, field.length, &bad))
    {
      tally_batch_set_text (batch, column, field.data, field.length);
      return;
    }
  valid = g_utf8_make_valid (field.data, (gssize)field.length);
  reason = g_strdup_printf ("column \"%s\" is not UTF-8 from byte %" G_GSIZE_FORMAT
                            " on, and the server does not know its encoding",
                            name, (gsize)(bad - field.data) + 1);
  tally_batch_set_text (batch, column, valid, strlen (valid));
  tally_batch_reject (batch, tally_batch_n_rows (batch) - 1, reason);
}

static gboolean
set_field (const PgCopyOut *copy, TallyBatch *batch, guint column, TallyText field)
{
  TallyType type = tally_schema_column (tally_batch_schema (batch), column)->type;

  if (sizes[type] == 0)
    {
      set_text (copy, batch, column, type, field);
      return TRUE;
    }
  if (sizes[type] != field.length)
    return FALSE;
  set_fixed (batch, column, type, (const guint8 *)field.data);
  return TRUE;
}

static gboolean
take_row (PgCopyOut *copy, Bytes *bytes, TallyBatch *batch, TallyText *ret_extra)
{
  guint row = tally_batch_add_row (batch);

  tally_batch_set_row_number (batch, row, ++copy->row);
  for (guint i = 0; i < copy->n_columns + copy->n_extra; i++)
    {
      TallyText field = { 0 };
      const guint8 *at = NULL;
      gint64 length;

      if (!take_int (bytes, 4, &length) || (length >= 0 && !take (bytes, (gsize)length, &at)))
        return FALSE;
      if (length >= 0)
        field = (TallyText){ (const char *)at, (gsize)length };
      if (i >= copy->n_columns)
        ret_extra[i - copy->n_columns] = field;
      else if (length >= 0 && !set_field (copy, batch, i, field))
        return FALSE;
    }
  return TRUE;
}

gboolean
pg_copy_out_read (PgCopyOut *copy, const char *data, gsize length, TallyBatch *batch, TallyText *ret_extra,
                  gboolean *ret_row, GError **error)
{
  Bytes bytes = { (const guint8 *)data, length };
  gint64 n_fields;
  gboolean good = copy->begun || take_header (&bytes);

  *ret_row = FALSE;
  copy->begun = TRUE;
  if (good && bytes.left == 0)
    return TRUE;
  good = good && !copy->ended && take_int (&bytes, 2, &n_fields);
  if (good && n_fields == -1)
    copy->ended = TRUE;
  else if (good && n_fields == (gint64)copy->n_columns + copy->n_extra)
    *ret_row = good = take_row (copy, &bytes, batch, ret_extra);
  else
    good = FALSE;
  return (good && bytes.left == 0)
         || tally_throw (error, TALLY_ERROR_DATA, "the server sent something else than rows in COPY's binary format");
}
