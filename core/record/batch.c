/* batch.c: rows by column, and all the memory that they point into */
#include "batch-private.h"
#include "arena.h"
#include "bitmap.h"
#include "value.h"
#include <string.h>

/* More of a broken record than this helps nobody to find it. */
#define MAX_RAW_REJECT 4096

typedef struct
{
  gpointer vector;   /* (owned) capacity values */
  guint64 *validity; /* (owned) capacity bits */
  gsize size;        /* of a value */
} BatchColumn;

typedef struct
{
  gpointer owner;
  GDestroyNotify release;
} BatchHold;

struct _TallyBatch
{
  TallySchema *schema; /* (owned) */
  guint capacity;
  guint n_rows;
  BatchColumn *columns; /* (owned) */
  guint n_visible;      /* those behind are the engine's own */
  gint64 *numbers;      /* (owned) a row's line, UID or primary key */
  guint64 *rejected;    /* (owned) bitmap of the rows set aside in this stage */
  guint n_rejected;
  TallyArena arena;
  GArray *holds;   /* (owned) (element-type BatchHold) */
  GArray *rejects; /* (owned) (element-type TallyReject) */
  char *origin;    /* (owned) of all rows but those that have another */
  const char **row_origins; /* (owned) (nullable) capacity names in the arena; NULL: the batch's */
  char *position;  /* (owned) (nullable) */
  char *stage;     /* (owned) */
  guint64 n_read;
  guint64 n_filtered;
  guint64 n_added;
  TallyReferences *references; /* (unowned) (nullable) */
};

static void
column_init (BatchColumn *column, TallyType type, guint capacity)
{
  column->size = tally_type_size (type);
  column->vector = g_malloc (column->size * capacity);
  column->validity = g_new0 (guint64, tally_bitmap_words (capacity));
}

static void
column_clear (BatchColumn *column)
{
  g_free (column->vector);
  g_free (column->validity);
}

void
tally_reject_clear (gpointer data)
{
  TallyReject *reject = data;

  g_free (reject->origin);
  g_free (reject->stage);
  g_free (reject->reason);
  g_free (reject->record);
}

TallyBatch *
tally_batch_new (TallySchema *schema, guint capacity)
{
  TallyBatch *batch = g_new0 (TallyBatch, 1);
  guint n_columns = tally_schema_n_columns (schema);

  batch->schema = tally_schema_ref (schema);
  batch->capacity = capacity;
  batch->columns = g_new0 (BatchColumn, n_columns);
  batch->n_visible = n_columns;
  for (guint i = 0; i < n_columns; i++)
    column_init (&batch->columns[i], tally_schema_column (schema, i)->type, capacity);
  batch->numbers = g_new0 (gint64, capacity);
  batch->rejected = g_new0 (guint64, tally_bitmap_words (capacity));
  tally_arena_init (&batch->arena);
  batch->holds = g_array_new (FALSE, FALSE, sizeof (BatchHold));
  batch->rejects = g_array_new (FALSE, FALSE, sizeof (TallyReject));
  g_array_set_clear_func (batch->rejects, tally_reject_clear);
  batch->origin = g_strdup ("");
  batch->stage = g_strdup ("source");
  return batch;
}

static void
let_go (TallyBatch *batch)
{
  for (guint i = 0; i < batch->holds->len; i++)
    {
      BatchHold *hold = &g_array_index (batch->holds, BatchHold, i);

      hold->release (hold->owner);
    }
  g_array_set_size (batch->holds, 0);
}

void
tally_batch_free (TallyBatch *batch)
{
  if (batch == NULL)
    return;

  let_go (batch);
  for (guint i = 0; i < tally_schema_n_columns (batch->schema); i++)
    column_clear (&batch->columns[i]);
  g_free (batch->columns);
  tally_schema_unref (batch->schema);
  g_free (batch->numbers);
  g_free (batch->rejected);
  tally_arena_free (&batch->arena);
  g_array_unref (batch->holds);
  g_array_unref (batch->rejects);
  g_free (batch->origin);
  g_free (batch->row_origins);
  g_free (batch->position);
  g_free (batch->stage);
  g_free (batch);
}

void
tally_batch_clear (TallyBatch *batch)
{
  gsize bytes = tally_bitmap_words (batch->capacity) * sizeof (guint64);

  let_go (batch);
  tally_arena_clear (&batch->arena);
  for (guint i = 0; i < tally_schema_n_columns (batch->schema); i++)
    memset (batch->columns[i].validity, 0, bytes);
  memset (batch->rejected, 0, bytes);
  g_array_set_size (batch->rejects, 0);
  g_clear_pointer (&batch->row_origins, g_free);
  g_clear_pointer (&batch->position, g_free);
  tally_batch_begin_stage (batch, "source");
  batch->n_rows = 0;
  batch->n_rejected = 0;
  batch->n_read = 0;
  batch->n_filtered = 0;
  batch->n_added = 0;
}

TallySchema *
tally_batch_schema (const TallyBatch *batch)
{
  return batch->schema;
}

guint
tally_batch_n_rows (const TallyBatch *batch)
{
  return batch->n_rows;
}

guint
tally_batch_capacity (const TallyBatch *batch)
{
  return batch->capacity;
}

guint
tally_batch_add_row (TallyBatch *batch)
{
  return tally_batch_add_rows (batch, 1);
}

guint
tally_batch_add_rows (TallyBatch *batch, guint n_rows)
{
  guint first = batch->n_rows;

  g_return_val_if_fail (n_rows <= batch->capacity - first, first);

  memset (batch->numbers + first, 0, n_rows * sizeof (gint64));
  batch->n_rows += n_rows;
  batch->n_read += n_rows;
  return first;
}

void
tally_batch_undo_row (TallyBatch *batch)
{
  g_return_if_fail (batch->n_rows > 0);

  batch->n_rows--;
  batch->n_read--;
  for (guint i = 0; i < tally_schema_n_columns (batch->schema); i++)
    tally_bitmap_clear (batch->columns[i].validity, batch->n_rows);
}

/* The place of the last row's value in a column, which is marked as there. */
static gpointer
last_value (TallyBatch *batch, guint column)
{
  BatchColumn *into = &batch->columns[column];

  tally_bitmap_set (into->validity, batch->n_rows - 1);
  return (char *) into->vector + (batch->n_rows - 1) * into->size;
}

void
tally_batch_set_text (TallyBatch *batch, guint column, const char *data, gsize length)
{
  char *copy = tally_arena_alloc (&batch->arena, length);

  memcpy (copy, data, length);
  tally_batch_set_view (batch, column, (TallyText) { copy, length });
}

void
tally_batch_set_view (TallyBatch *batch, guint column, TallyText text)
{
  *(TallyText *) last_value (batch, column) = text;
}

void
tally_batch_set_boolean (TallyBatch *batch, guint column, gboolean value)
{
  *(guint8 *) last_value (batch, column) = value ? 1 : 0;
}

void
tally_batch_set_int (TallyBatch *batch, guint column, gint64 value)
{
  gpointer into = last_value (batch, column);

  if (batch->columns[column].size == sizeof (gint32))
    *(gint32 *) into = (gint32) value;
  else
    *(gint64 *) into = value;
}

void
tally_batch_set_double (TallyBatch *batch, guint column, double value)
{
  *(double *) last_value (batch, column) = value;
}

gboolean
tally_batch_is_null (const TallyBatch *batch, guint row, guint column)
{
  return !tally_bitmap_get (batch->columns[column].validity, row);
}

TallyText
tally_batch_get_text (const TallyBatch *batch, guint row, guint column)
{
  return ((const TallyText *) batch->columns[column].vector)[row];
}

gint64
tally_batch_get_int (const TallyBatch *batch, guint row, guint column)
{
  const BatchColumn *from = &batch->columns[column];

  switch (from->size)
    {
    case sizeof (guint8):
      return ((const guint8 *) from->vector)[row];
    case sizeof (gint32):
      return ((const gint32 *) from->vector)[row];
    default:
      return ((const gint64 *) from->vector)[row];
    }
}

double
tally_batch_get_double (const TallyBatch *batch, guint row, guint column)
{
  return ((const double *) batch->columns[column].vector)[row];
}

gpointer
tally_batch_vector (const TallyBatch *batch, guint column)
{
  return batch->columns[column].vector;
}

guint64 *
tally_batch_validity (const TallyBatch *batch, guint column)
{
  return batch->columns[column].validity;
}

/* A value that is a piece of the text it was parsed from would not outlive it. */
static void
keep_text (TallyBatch *batch, TallyType type, const char *data, gsize length, gpointer value)
{
  TallyText *text = value;

  if ((type == TALLY_TYPE_TEXT || type == TALLY_TYPE_NUMERIC || type == TALLY_TYPE_BYTEA || type == TALLY_TYPE_JSONB)
      && text->data >= data && text->data <= data + length)
    text->data = memcpy (tally_batch_alloc (batch, text->length), text->data, text->length);
}

gboolean
tally_batch_set_from_text (TallyBatch *batch, guint column, const char *data, gsize length,
                           GError **error)
{
  TallyType type = tally_schema_column (batch->schema, column)->type;
  TallyInterval value; /* the largest of all types, aligned for all of them */

  G_STATIC_ASSERT (sizeof (TallyInterval) >= sizeof (TallyText));
  if (!tally_value_parse (type, (TallyText) { data, length }, batch, &value, error))
    return FALSE;

  keep_text (batch, type, data, length, &value);
  memcpy (last_value (batch, column), &value, tally_type_size (type));
  return TRUE;
}

void
tally_batch_append_value (const TallyBatch *batch, guint row, guint column, GString *out)
{
  const BatchColumn *from = &batch->columns[column];

  tally_value_format (tally_schema_column (batch->schema, column)->type,
                      (const char *) from->vector + row * from->size, out);
}

gpointer
tally_batch_alloc (TallyBatch *batch, gsize size)
{
  return tally_arena_alloc (&batch->arena, size);
}

void
tally_batch_hold (TallyBatch *batch, gpointer owner, GDestroyNotify release)
{
  BatchHold hold = { owner, release };

  g_array_append_val (batch->holds, hold);
}

gsize
tally_batch_held (const TallyBatch *batch)
{
  return batch->arena.held;
}

void
tally_batch_set_origin (TallyBatch *batch, const char *name)
{
  if (g_str_equal (batch->origin, name))
    return;

  g_free (batch->origin);
  batch->origin = g_strdup (name);
}

const char *
tally_batch_origin_name (const TallyBatch *batch, guint row)
{
  if (batch->row_origins != NULL && batch->row_origins[row] != NULL)
    return batch->row_origins[row];
  return batch->origin;
}

/* The name that the row before has, too, needs no copy. */
static const char *
keep_origin (TallyBatch *batch, guint row, TallyText name)
{
  const char *before = batch->row_origins[row - 1];
  char *copy;

  if (before != NULL && tally_text_equal (name, before))
    return before;

  copy = tally_batch_alloc (batch, name.length + 1);
  memcpy (copy, name.data, name.length);
  copy[name.length] = '\0';
  return copy;
}

void
tally_batch_set_row_origin (TallyBatch *batch, guint row, TallyText name)
{
  g_autofree char *whole = NULL;

  if (row == 0)
    {
      whole = tally_text_dup (name);
      tally_batch_set_origin (batch, whole);
      return;
    }
  if (tally_text_equal (name, batch->origin))
    return;

  if (batch->row_origins == NULL)
    batch->row_origins = g_new0 (const char *, batch->capacity);
  batch->row_origins[row] = keep_origin (batch, row, name);
}

void
tally_batch_set_row_number (TallyBatch *batch, guint row, gint64 number)
{
  batch->numbers[row] = number;
}

gint64
tally_batch_row_number (const TallyBatch *batch, guint row)
{
  return batch->numbers[row];
}

static char *
format_origin (const char *name, gint64 number)
{
  return g_strdup_printf ("%s:%" G_GINT64_FORMAT, name, number);
}

char *
tally_batch_dup_origin (const TallyBatch *batch, guint row)
{
  return format_origin (tally_batch_origin_name (batch, row), batch->numbers[row]);
}

void
tally_batch_set_position (TallyBatch *batch, const char *position)
{
  g_free (batch->position);
  batch->position = g_strdup (position);
}

const char *
tally_batch_position (const TallyBatch *batch)
{
  return batch->position;
}

void
tally_batch_begin_stage (TallyBatch *batch, const char *stage)
{
  if (g_str_equal (batch->stage, stage))
    return;

  g_free (batch->stage);
  batch->stage = g_strdup (stage);
}

static void
add_reject (TallyBatch *batch, char *origin, const char *reason, char *record)
{
  TallyReject reject = { .origin = origin,
                         .stage = g_strdup (batch->stage),
                         .reason = g_strdup (reason),
                         .record = record };

  g_array_append_val (batch->rejects, reject);
}

void
tally_batch_reject (TallyBatch *batch, guint row, const char *reason)
{
  GString *record;

  if (tally_bitmap_get (batch->rejected, row))
    return;

  record = g_string_new (NULL);
  tally_batch_append_json (batch, row, record);
  add_reject (batch, tally_batch_dup_origin (batch, row), reason, g_string_free (record, FALSE));
  tally_bitmap_set (batch->rejected, row);
  batch->n_rejected++;
}

gboolean
tally_batch_is_rejected (const TallyBatch *batch, guint row)
{
  return batch->n_rejected > 0 && tally_bitmap_get (batch->rejected, row);
}

void
tally_batch_add_reject (TallyBatch *batch, gint64 number, const char *reason, TallyText raw)
{
  g_autofree char *readable = g_utf8_make_valid (raw.data, MIN (raw.length, MAX_RAW_REJECT));
  GString *record = g_string_new (NULL);

  tally_json_append_string ((TallyText) { readable, strlen (readable) }, record);
  add_reject (batch, format_origin (batch->origin, number), reason,
              g_string_free (record, FALSE));
  batch->n_read++;
}

void
tally_batch_take_rejects (TallyBatch *batch, GArray *rejects)
{
  batch->n_read += rejects->len;
  g_array_append_vals (batch->rejects, rejects->data, rejects->len);
  g_array_set_clear_func (rejects, NULL);
  g_array_unref (rejects);
}

const TallyReject *
tally_batch_rejects (const TallyBatch *batch, guint *ret_n)
{
  *ret_n = batch->rejects->len;
  return (const TallyReject *) (gpointer) batch->rejects->data;
}

guint64
tally_batch_n_read (const TallyBatch *batch)
{
  return batch->n_read;
}

guint64
tally_batch_n_filtered (const TallyBatch *batch)
{
  return batch->n_filtered;
}

guint64
tally_batch_n_added (const TallyBatch *batch)
{
  return batch->n_added;
}

static inline void
compact_values (char *vector, gsize size, const guint *kept, guint n_kept)
{
  for (guint i = 0; i < n_kept; i++)
    memmove (vector + i * size, vector + kept[i] * size, size);
}

/* Moves values to their new rows.  With a size that the compiler knows, a value is a load and a store. */
static void
compact_vector (gpointer vector, gsize size, const guint *kept, guint n_kept)
{
  if (size == sizeof (TallyText))
    compact_values (vector, sizeof (TallyText), kept, n_kept);
  else if (size == sizeof (gint64))
    compact_values (vector, sizeof (gint64), kept, n_kept);
  else
    compact_values (vector, size, kept, n_kept);
}

static void
compact_validity (guint64 *validity, const guint *kept, guint n_kept, guint n_rows)
{
  /* Most columns have no NULL: then it does not matter which rows are kept. */
  if (!tally_bitmap_is_full (validity, n_rows))
    for (guint i = 0; i < n_kept; i++)
      tally_bitmap_put (validity, i, tally_bitmap_get (validity, kept[i]));
  tally_bitmap_clear_from (validity, n_kept, n_rows);
}

/* Moves the kept rows together. */
static void
compact (TallyBatch *batch, const guint64 *keep)
{
  g_autofree guint *kept = g_new (guint, MAX (batch->n_rows, 1));
  guint n_rows = batch->n_rows, n_kept = 0;

  for (guint row = tally_bitmap_next (keep, 0, n_rows); row < n_rows; row = tally_bitmap_next (keep, row + 1, n_rows))
    kept[n_kept++] = row;
  if (n_kept == n_rows)
    return;

  for (guint i = 0; i < tally_schema_n_columns (batch->schema); i++)
    {
      BatchColumn *column = &batch->columns[i];

      compact_vector (column->vector, column->size, kept, n_kept);
      compact_validity (column->validity, kept, n_kept, n_rows);
    }
  compact_vector (batch->numbers, sizeof (gint64), kept, n_kept);
  if (batch->row_origins != NULL)
    compact_vector (batch->row_origins, sizeof (const char *), kept, n_kept);
  batch->n_rows = n_kept;
}

void
tally_batch_retain (TallyBatch *batch, const guint64 *keep)
{
  guint words = tally_bitmap_words (batch->n_rows);
  guint n_before = batch->n_rows;

  /* A row that was rejected is counted as that, whatever a filter makes of it. */
  for (guint i = 0; i < words; i++)
    batch->rejected[i] = keep[i] & ~batch->rejected[i];
  compact (batch, batch->rejected);
  memset (batch->rejected, 0, words * sizeof (guint64));
  batch->n_filtered += n_before - batch->n_rows - batch->n_rejected;
  batch->n_rejected = 0;
}

void
tally_batch_end_stage (TallyBatch *batch)
{
  g_autofree guint64 *all = NULL;

  if (batch->n_rejected == 0)
    return;

  all = g_new0 (guint64, tally_bitmap_words (batch->n_rows));
  tally_bitmap_fill (all, batch->n_rows);
  tally_batch_retain (batch, all);
}

void
tally_batch_withhold (TallyBatch *batch)
{
  for (guint i = 0; i < tally_schema_n_columns (batch->schema); i++)
    tally_bitmap_clear_from (batch->columns[i].validity, 0, batch->n_rows);
  g_clear_pointer (&batch->row_origins, g_free);
  batch->n_rows = 0;
}

guint
tally_batch_bring_back (TallyBatch *batch)
{
  guint row = tally_batch_add_row (batch);

  batch->n_read--;
  return row;
}

void
tally_batch_count_filtered (TallyBatch *batch, guint64 n)
{
  batch->n_filtered += n;
}

void
tally_batch_count_added (TallyBatch *batch, guint64 n)
{
  batch->n_added += n;
}

static void
repeat_column (BatchColumn *column, TallyType type, const guint *times, guint n_rows, guint capacity)
{
  BatchColumn repeated;
  guint to = 0;

  column_init (&repeated, type, capacity);
  for (guint row = 0; row < n_rows; row++)
    for (guint i = 0; i < times[row]; i++, to++)
      {
        memcpy ((char *) repeated.vector + to * column->size,
                (char *) column->vector + row * column->size, column->size);
        tally_bitmap_put (repeated.validity, to, tally_bitmap_get (column->validity, row));
      }
  column_clear (column);
  *column = repeated;
}

static void
repeat_origins (TallyBatch *batch, const guint *times, guint n_rows, guint capacity)
{
  gint64 *numbers = g_new0 (gint64, capacity);
  const char **origins = batch->row_origins != NULL ? g_new0 (const char *, capacity) : NULL;
  guint to = 0;

  for (guint row = 0; row < n_rows; row++)
    for (guint i = 0; i < times[row]; i++, to++)
      {
        numbers[to] = batch->numbers[row];
        if (origins != NULL)
          origins[to] = batch->row_origins[row];
      }
  g_free (batch->numbers);
  g_free (batch->row_origins);
  batch->numbers = numbers;
  batch->row_origins = origins;
}

void
tally_batch_repeat (TallyBatch *batch, const guint *times)
{
  g_autofree guint *kept = g_new (guint, MAX (batch->n_rows, 1));
  guint n_rows = 0, n_gone = 0, capacity;

  for (guint row = 0; row < batch->n_rows; row++)
    {
      kept[row] = tally_bitmap_get (batch->rejected, row) ? 0 : times[row];
      n_rows += kept[row];
      n_gone += kept[row] == 0;
    }
  capacity = MAX (batch->capacity, n_rows);
  for (guint i = 0; i < tally_schema_n_columns (batch->schema); i++)
    repeat_column (&batch->columns[i], tally_schema_column (batch->schema, i)->type, kept,
                   batch->n_rows, capacity);
  repeat_origins (batch, kept, batch->n_rows, capacity);
  g_free (batch->rejected);
  batch->rejected = g_new0 (guint64, tally_bitmap_words (capacity));
  batch->n_filtered += n_gone - batch->n_rejected;
  batch->n_added += n_rows - (batch->n_rows - n_gone);
  batch->n_rejected = 0;
  batch->n_rows = n_rows;
  batch->capacity = capacity;
}

void
tally_batch_rearrange (TallyBatch *batch, TallySchema *schema, const gint *from)
{
  guint n_old = tally_schema_n_columns (batch->schema);
  guint n_new = tally_schema_n_columns (schema);
  BatchColumn *columns = g_new0 (BatchColumn, n_new);

  for (guint i = 0; i < n_new; i++)
    {
      if (from[i] < 0)
        {
          column_init (&columns[i], tally_schema_column (schema, i)->type, batch->capacity);
          continue;
        }
      columns[i] = batch->columns[from[i]];
      batch->columns[from[i]] = (BatchColumn) { 0 };
    }

  for (guint i = 0; i < n_old; i++)
    column_clear (&batch->columns[i]);
  g_free (batch->columns);
  batch->columns = columns;
  tally_schema_ref (schema);
  tally_schema_unref (batch->schema);
  batch->schema = schema;
  batch->n_visible = n_new;
}

void
tally_batch_give_columns (TallyBatch *batch, TallySchema *schema)
{
  guint n_columns = tally_schema_n_columns (schema);
  g_autofree gint *from = g_new (gint, MAX (n_columns, 1));

  for (guint i = 0; i < n_columns; i++)
    from[i] = -1;
  tally_batch_rearrange (batch, schema, from);
}

void
tally_batch_set_references (TallyBatch *batch, TallyReferences *references)
{
  batch->references = references;
}

TallyReferences *
tally_batch_references (const TallyBatch *batch)
{
  return batch->references;
}

void
tally_batch_hide_from (TallyBatch *batch, guint column)
{
  batch->n_visible = column;
}

guint
tally_batch_n_visible (const TallyBatch *batch)
{
  return batch->n_visible;
}

void
tally_batch_copy_column (TallyBatch *batch, guint from, guint to)
{
  memcpy (batch->columns[to].vector, batch->columns[from].vector,
          batch->n_rows * batch->columns[from].size);
  memcpy (batch->columns[to].validity, batch->columns[from].validity,
          tally_bitmap_words (batch->n_rows) * sizeof (guint64));
}
