/* pgarray.c: the binary form: numbers in network order, each element after its length
 *
 * An array is: dimensions (0 or 1), whether it has NULLs, the type of its elements, length, first
 * index, elements.
 */
#include "pgarray.h"
#include <string.h>

/* Types as pg_type numbers them; they never change. */
enum
{
  TYPE_INT8 = 20,
  TYPE_INT4 = 23,
  TYPE_TEXT = 25,
  TYPE_BOOL = 16,
  TYPE_BYTEA = 17,
  TYPE_BOOL_ARRAY = 1000,
  TYPE_BYTEA_ARRAY = 1001,
  TYPE_INT4_ARRAY = 1007,
  TYPE_TEXT_ARRAY = 1009,
  TYPE_INT8_ARRAY = 1016,
};

static void
free_buffer (gpointer buffer)
{
  if (buffer != NULL)
    g_byte_array_unref (buffer);
}

void
tally_pg_parameters_init (TallyPgParameters *parameters)
{
  parameters->buffers = g_ptr_array_new_with_free_func (free_buffer);
  parameters->types = g_array_new (FALSE, FALSE, sizeof (guint32));
}

void
tally_pg_parameters_clear (TallyPgParameters *parameters)
{
  g_ptr_array_unref (parameters->buffers);
  g_array_unref (parameters->types);
}

static void
append_int32 (GByteArray *buffer, gint32 value)
{
  guint32 bytes = GUINT32_TO_BE ((guint32)value);

  g_byte_array_append (buffer, (const guint8 *)&bytes, sizeof bytes);
}

static void
append_int64 (GByteArray *buffer, gint64 value)
{
  guint64 bytes = GUINT64_TO_BE ((guint64)value);

  g_byte_array_append (buffer, (const guint8 *)&bytes, sizeof bytes);
}

static GByteArray *
add (TallyPgParameters *parameters, guint32 type, gboolean is_null)
{
  GByteArray *buffer = is_null ? NULL : g_byte_array_new ();

  g_ptr_array_add (parameters->buffers, buffer);
  g_array_append_val (parameters->types, type);
  return buffer;
}

void
tally_pg_add_int (TallyPgParameters *parameters, gint64 value)
{
  append_int64 (add (parameters, TYPE_INT8, FALSE), value);
}

void
tally_pg_add_text (TallyPgParameters *parameters, const char *text)
{
  GByteArray *buffer = add (parameters, TYPE_TEXT, text == NULL);

  if (text != NULL)
    g_byte_array_append (buffer, (const guint8 *)text, strlen (text));
}

static void
begin_array (TallyPgParameters *parameters, guint32 type, guint32 element, guint n)
{
  GByteArray *buffer = add (parameters, type, FALSE);

  append_int32 (buffer, n > 0 ? 1 : 0);
  append_int32 (buffer, 1);
  append_int32 (buffer, element);
  if (n == 0)
    return;
  append_int32 (buffer, n);
  append_int32 (buffer, 1);
}

void
tally_pg_begin_texts (TallyPgParameters *parameters, guint n)
{
  begin_array (parameters, TYPE_TEXT_ARRAY, TYPE_TEXT, n);
}

void
tally_pg_begin_bytes (TallyPgParameters *parameters, guint n)
{
  begin_array (parameters, TYPE_BYTEA_ARRAY, TYPE_BYTEA, n);
}

void
tally_pg_begin_ints (TallyPgParameters *parameters, guint n)
{
  begin_array (parameters, TYPE_INT4_ARRAY, TYPE_INT4, n);
}

void
tally_pg_begin_bigints (TallyPgParameters *parameters, guint n)
{
  begin_array (parameters, TYPE_INT8_ARRAY, TYPE_INT8, n);
}

void
tally_pg_begin_booleans (TallyPgParameters *parameters, guint n)
{
  begin_array (parameters, TYPE_BOOL_ARRAY, TYPE_BOOL, n);
}

static GByteArray *
last (TallyPgParameters *parameters)
{
  return parameters->buffers->pdata[parameters->buffers->len - 1];
}

static void
append_element (TallyPgParameters *parameters, const void *data, gsize length)
{
  GByteArray *buffer = last (parameters);

  append_int32 (buffer, length);
  g_byte_array_append (buffer, data, length);
}

void
tally_pg_text (TallyPgParameters *parameters, const char *text)
{
  if (text == NULL)
    append_int32 (last (parameters), -1);
  else
    append_element (parameters, text, strlen (text));
}

void
tally_pg_bytes (TallyPgParameters *parameters, GBytes *bytes)
{
  gsize length;
  gconstpointer data = g_bytes_get_data (bytes, &length);

  append_element (parameters, length > 0 ? data : "", length);
}

void
tally_pg_int (TallyPgParameters *parameters, gint32 value)
{
  append_int32 (last (parameters), 4);
  append_int32 (last (parameters), value);
}

void
tally_pg_bigint (TallyPgParameters *parameters, gint64 value)
{
  append_int32 (last (parameters), 8);
  append_int64 (last (parameters), value);
}

void
tally_pg_boolean (TallyPgParameters *parameters, gboolean value)
{
  const guint8 byte = value ? 1 : 0;

  append_element (parameters, &byte, 1);
}
