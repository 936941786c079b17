/* lookup: rows of another source with the same key, as SQL's LEFT JOIN finds them
 *
 * The other side is read as a whole before the first row comes, and kept by key: with `collect` each
 * row as the JSON object that it will be an element of, without it as the values that will be added.
 */
#include "lookup-private.h"
#include "record/batch-private.h"
#include "record/bitmap.h"
#include "record/jsonb.h"
#include "record/value.h"
#include "row-image.h"
#include <string.h>

/* As with unnest. */
#define MAX_ELEMENTS 65536
#define MAX_ARRAY (16 * 1024 * 1024)  /* bytes of one row's array */
#define MAX_BATCH (256 * 1024 * 1024) /* and of those of a batch's rows together */
/* More of them than this is a wrong file, and they wait in memory. */
#define MAX_REJECTS 10000
/* Bytes of a key in a message. */
#define MAX_SHOWN 100

/* ---- Values of keys ---- */

static void
evaluate (TallyExpression *expression, TallyScratch *scratch, TallyBatch *batch)
{
  tally_scratch_prepare (scratch, tally_expression_type (expression), tally_batch_capacity (batch));
  tally_expression_evaluate (expression, batch, scratch->vector, scratch->validity);
}

/* (nullable) */
static gconstpointer
scratch_value (const TallyScratch *scratch, TallyType type, guint row)
{
  return tally_bitmap_get (scratch->validity, row)
             ? (const char *)scratch->vector + row * tally_type_size (type)
             : NULL;
}

/* ---- The other side ---- */

gboolean
tally_lookup_open (TallyStep *step, TallyContext *ctx, GError **error)
{
  TallyLookup *lookup = (TallyLookup *)step;

  lookup->keyed = tally_keyed_new (lookup->options.memory, ctx);
  return tally_lookup_side_open (lookup->side, ctx, error);
}

void
tally_lookup_close (TallyStep *step)
{
  TallyLookup *lookup = (TallyLookup *)step;

  tally_lookup_side_close (lookup->side);
  g_clear_pointer (&lookup->keyed, tally_keyed_free);
}

void
tally_lookup_interrupt (TallyStep *step)
{
  tally_lookup_side_interrupt (((TallyLookup *)step)->side);
}

/* The column of the other side, as it is or cast. (nullable) */
static gconstpointer
other_value (const TallyLookupKey *key, const TallyBatch *batch, guint row)
{
  if (key->cast != NULL)
    return scratch_value (&key->cast_scratch, key->type, row);
  return tally_batch_is_null (batch, row, key->column)
             ? NULL
             : (const char *)tally_batch_vector (batch, key->column) + row * tally_type_size (key->type);
}

/* The digest of a row of the other side.  FALSE: part of its key is NULL, which is equal to nothing. */
static gboolean
digest_other_side (TallyLookup *lookup, const TallyBatch *batch, guint row, guint8 *ret_digest)
{
  tally_digester_begin (&lookup->digester);
  for (guint i = 0; i < lookup->keys->len; i++)
    {
      const TallyLookupKey *key = &g_array_index (lookup->keys, TallyLookupKey, i);
      gconstpointer value = other_value (key, batch, row);

      if (value == NULL)
        return FALSE;
      tally_digester_add_value (&lookup->digester, key->type, value);
    }
  tally_digester_end (&lookup->digester, ret_digest);
  return TRUE;
}

/* Appends the object that a row of the other side is in the array. */
static void
append_object (TallyLookup *lookup, TallyBatch *batch, guint row)
{
  guint n = lookup->columns->len;
  g_autofree TallyText *names = g_new (TallyText, n), *values = g_new (TallyText, n);
  TallyText object;

  for (guint i = 0; i < n; i++)
    {
      const TallyLookupColumn *column = &g_array_index (lookup->columns, TallyLookupColumn, i);
      TallyType type = tally_schema_column (tally_batch_schema (batch), column->column)->type;
      const char *vector = tally_batch_vector (batch, column->column);
      gboolean is_null = tally_batch_is_null (batch, row, column->column);

      names[i] = (TallyText){ column->name, strlen (column->name) };
      values[i] = tally_jsonb_from_value (
          type, is_null ? NULL : vector + row * tally_type_size (type), batch);
    }
  object = tally_jsonb_build_object (names, values, n, batch);
  g_byte_array_append (lookup->row, (const guint8 *)object.data, object.length);
}

static gboolean
keep_row (TallyLookup *lookup, TallyBatch *batch, guint row, GError **error)
{
  guint8 digest[TALLY_DIGEST_SIZE];

  if (!digest_other_side (lookup, batch, row, digest))
    return TRUE;

  g_byte_array_set_size (lookup->row, 0);
  g_byte_array_set_size (lookup->place, 0);
  if (lookup->collects)
    append_object (lookup, batch, row);
  else
    tally_row_image_append (batch, row, lookup->from, lookup->columns->len,
                            /* with_origin= */ FALSE, lookup->row);
  tally_sort_order_append (lookup->order, batch, row, lookup->place);
  return tally_keyed_add (lookup->keyed, digest, lookup->place,
                          (TallyText){ (const char *)lookup->row->data, lookup->row->len }, error);
}

/* A row that cannot be looked up leaves other rows without what belongs to them. */
static gboolean
take_rejects (const TallyLookup *lookup, const TallyBatch *batch, GArray *rejects, GError **error)
{
  guint n;
  const TallyReject *all = tally_batch_rejects (batch, &n);

  if (n > 0 && lookup->options.errors == TALLY_LOOKUP_ERRORS_FAIL)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "%s: %s; \"errors: reject\" would list such rows as rejects and do without "
                        "them",
                        all[0].origin, all[0].reason);
  if (rejects->len + n > MAX_REJECTS)
    return tally_throw (error, TALLY_ERROR_LIMIT, "more than %u of the rows to look up are wrong",
                        MAX_REJECTS);
  for (guint i = 0; i < n; i++)
    {
      TallyReject copy = { .origin = g_strdup (all[i].origin),
                           .stage = g_strdup (lookup->base.name),
                           .reason = g_strdup (all[i].reason),
                           .record = g_strdup (all[i].record) };

      g_array_append_val (rejects, copy);
    }
  return TRUE;
}

/* Rejects a row whose value the key's type does not have. */
static void
cast_other_side (TallyLookup *lookup, TallyBatch *batch)
{
  tally_batch_begin_stage (batch, lookup->base.name);
  for (guint i = 0; i < lookup->keys->len; i++)
    {
      TallyLookupKey *key = &g_array_index (lookup->keys, TallyLookupKey, i);

      if (key->cast != NULL)
        evaluate (key->cast, &key->cast_scratch, batch);
    }
}

static gboolean
keep_batch (TallyLookup *lookup, TallyBatch *batch, GArray *rejects, GError **error)
{
  cast_other_side (lookup, batch);
  if (!take_rejects (lookup, batch, rejects, error))
    return FALSE;
  for (guint row = 0; row < tally_batch_n_rows (batch); row++)
    if (!tally_batch_is_rejected (batch, row) && !keep_row (lookup, batch, row, error))
      return FALSE;
  return TRUE;
}

TallyFlow
tally_lookup_prepare (TallyStep *step, TallyReferences *references, GArray *rejects, GError **error)
{
  TallyLookup *lookup = (TallyLookup *)step;
  g_autoptr (TallyBatch) batch = NULL;
  TallyFlow flow = tally_lookup_side_read (lookup->side, references, &batch, error);

  if (flow != TALLY_FLOW_OK && flow != TALLY_FLOW_END)
    return flow;
  if (!keep_batch (lookup, batch, rejects, error)
      || (flow == TALLY_FLOW_END && !tally_keyed_finish (lookup->keyed, error)))
    return TALLY_FLOW_FATAL;
  return flow;
}

/* ---- The rows that come ---- */

static void
evaluate_keys (TallyLookup *lookup, TallyBatch *batch)
{
  for (guint i = 0; i < lookup->keys->len; i++)
    {
      TallyLookupKey *key = &g_array_index (lookup->keys, TallyLookupKey, i);

      evaluate (key->expression, &key->scratch, batch);
    }
}

/* (nullable) */
static gconstpointer
key_value (const TallyLookupKey *key, guint row)
{
  return scratch_value (&key->scratch, key->type, row);
}

static gboolean
digest_row (TallyLookup *lookup, guint row, guint8 *ret_digest)
{
  tally_digester_begin (&lookup->digester);
  for (guint i = 0; i < lookup->keys->len; i++)
    {
      const TallyLookupKey *key = &g_array_index (lookup->keys, TallyLookupKey, i);
      gconstpointer value = key_value (key, row);

      if (value == NULL)
        return FALSE;
      tally_digester_add_value (&lookup->digester, key->type, value);
    }
  tally_digester_end (&lookup->digester, ret_digest);
  return TRUE;
}

static void
reject_for_key (const TallyLookup *lookup, TallyBatch *batch, guint row, const char *what)
{
  g_autoptr (GString) message = g_string_new (what);

  for (guint i = 0; i < lookup->keys->len; i++)
    {
      const TallyLookupKey *key = &g_array_index (lookup->keys, TallyLookupKey, i);
      gconstpointer value = key_value (key, row);
      g_autoptr (GString) text = g_string_new (NULL);
      g_autofree char *shown = NULL;

      if (value == NULL)
        g_string_append (text, "NULL");
      else
        tally_value_format (key->type, value, text);
      shown = text->len > MAX_SHOWN ? g_utf8_make_valid (text->str, MAX_SHOWN) : NULL;
      g_string_append_printf (message, "%s \"%s\" %s%s", i > 0 ? "," : "", key->name,
                              shown != NULL ? shown : text->str, shown != NULL ? "…" : "");
    }
  tally_batch_reject (batch, row, message->str);
}

/* What was found for one row. */
typedef struct
{
  TallyLookup *lookup;
  TallyBatch *found; /* whose last row is to get it */
  GString *array;    /* with `collect` */
  guint n;
  gboolean failed;   /* too much was found */
  GError *error;     /* (owned) (nullable) what was kept cannot be read */
} Match;

static gboolean
take_values (TallyText image, gpointer data)
{
  Match *match = data;

  if (match->n++ > 0)
    return FALSE;
  return tally_row_image_read ((const guint8 *)image.data, image.length, match->found,
                               tally_batch_n_rows (match->found) - 1, match->lookup->to,
                               match->lookup->columns->len, /* with_origin= */ FALSE, &match->error)
         && match->lookup->options.many == TALLY_LOOKUP_MANY_REJECT;
}

static gboolean
take_object (TallyText object, gpointer data)
{
  Match *match = data;

  if (++match->n > MAX_ELEMENTS || match->array->len + object.length > MAX_ARRAY)
    {
      match->failed = TRUE;
      return FALSE;
    }
  g_string_append (match->array, match->n > 1 ? ", " : "");
  g_string_append_len (match->array, object.data, object.length);
  return TRUE;
}

static gboolean
find (TallyLookup *lookup, guint row, TallyKeyedTake take, Match *match, GError **error)
{
  guint8 digest[TALLY_DIGEST_SIZE];

  return !digest_row (lookup, row, digest)
         || tally_keyed_find (lookup->keyed, digest, take, match, error);
}

static gboolean
collect (TallyLookup *lookup, TallyBatch *batch, guint row, TallyBatch *found, GError **error)
{
  Match match = { .lookup = lookup, .array = g_string_truncate (lookup->array, 0) };

  g_string_append_c (match.array, '[');
  if (!find (lookup, row, take_object, &match, error))
    return FALSE;

  g_string_append_c (match.array, ']');
  if (match.failed)
    reject_for_key (lookup, batch, row,
                    match.n > MAX_ELEMENTS ? "more than 65,536 rows would be collected for"
                                           : "more than 16 MiB would be collected for");
  else
    tally_batch_set_text (found, 0, match.array->str, match.array->len);
  return tally_batch_held (found) <= MAX_BATCH
         || tally_throw (error, TALLY_ERROR_LIMIT,
                         "more than 256 MiB would be collected for the rows of one batch: run it "
                         "with fewer rows a batch, as with --batch-rows 8");
}

/* keep: the bit of a row that is to go on is set. */
static gboolean
add_columns (TallyLookup *lookup, TallyBatch *batch, guint row, TallyBatch *found, guint64 *keep,
             GError **error)
{
  Match match = { .lookup = lookup, .found = found };

  if (!find (lookup, row, take_values, &match, error))
    return FALSE;
  if (match.error != NULL)
    {
      g_propagate_error (error, match.error);
      return FALSE;
    }

  if (match.n > 1)
    reject_for_key (lookup, batch, row, "there is more than one row to look up with");
  else if (match.n == 0 && lookup->options.missing == TALLY_LOOKUP_MISSING_REJECT)
    reject_for_key (lookup, batch, row, "there is no row to look up with");
  else if (match.n == 0 && lookup->options.missing == TALLY_LOOKUP_MISSING_DROP)
    tally_bitmap_clear (keep, row);
  return TRUE;
}

/* Gives the batch the columns of found, which has as many rows. */
static void
put_in (const TallyLookup *lookup, TallyBatch *batch, TallyBatch *found)
{
  guint n_old = tally_schema_n_columns (tally_batch_schema (batch));
  guint n_new = tally_schema_n_columns (lookup->added), n_rows = tally_batch_n_rows (batch);
  g_autofree gint *from = g_new (gint, n_old + n_new);

  for (guint i = 0; i < n_old + n_new; i++)
    from[i] = i < n_old ? (gint)i : -1;
  tally_batch_rearrange (batch, lookup->base.schema, from);
  for (guint i = 0; n_rows > 0 && i < n_new; i++)
    {
      memcpy (tally_batch_vector (batch, n_old + i), tally_batch_vector (found, i),
              n_rows * tally_type_size (tally_schema_column (lookup->added, i)->type));
      memcpy (tally_batch_validity (batch, n_old + i), tally_batch_validity (found, i),
              tally_bitmap_words (n_rows) * sizeof (guint64));
    }
}

TallyFlow
tally_lookup_apply (TallyStep *step, TallyBatch *batch, GError **error)
{
  TallyLookup *lookup = (TallyLookup *)step;
  guint n_rows = tally_batch_n_rows (batch);
  g_autoptr (TallyBatch) found = tally_batch_new (lookup->added, MAX (n_rows, 1));
  g_autofree guint64 *keep = g_new0 (guint64, tally_bitmap_words (n_rows) + 1);

  tally_bitmap_fill (keep, n_rows);
  evaluate_keys (lookup, batch);
  for (guint row = 0; row < n_rows; row++)
    {
      tally_batch_add_row (found);
      if (tally_batch_is_rejected (batch, row))
        continue;
      if (lookup->collects ? !collect (lookup, batch, row, found, error)
                           : !add_columns (lookup, batch, row, found, keep, error))
        return TALLY_FLOW_FATAL;
    }
  put_in (lookup, batch, found);
  tally_batch_hold (batch, g_steal_pointer (&found), (GDestroyNotify)tally_batch_free);
  if (lookup->options.missing == TALLY_LOOKUP_MISSING_DROP)
    tally_batch_retain (batch, keep);
  return TALLY_FLOW_OK;
}
