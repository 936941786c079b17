/* rows.c: answers of a database in memory, and what is made of them */
#include "database.h"
#include <string.h>

/* Longer text than this is for no person to read. */
#define TEXT_MAX (64 * 1024)

static const char *const state_names[] = {
  [TALLY_DELIVERY_INTENDED] = "intended", [TALLY_DELIVERY_DELIVERED] = "delivered",
  [TALLY_DELIVERY_REJECTED] = "rejected", [TALLY_DELIVERY_IN_DOUBT] = "in doubt",
  [TALLY_DELIVERY_RELEASED] = "released", [TALLY_DELIVERY_DISCARDED] = "discarded",
};

static void
free_cell (gpointer cell)
{
  if (cell != NULL)
    g_bytes_unref (cell);
}

TallyRows *
tally_rows_new (guint n_columns)
{
  TallyRows *rows = g_new0 (TallyRows, 1);

  rows->n_columns = n_columns;
  rows->cells = g_ptr_array_new_with_free_func (free_cell);
  return rows;
}

void
tally_rows_free (TallyRows *rows)
{
  if (rows == NULL)
    return;

  g_ptr_array_unref (rows->cells);
  g_free (rows);
}

void
tally_rows_add (TallyRows *rows, const void *data, gsize length)
{
  char *copy = NULL;

  if (data != NULL)
    {
      copy = g_malloc (length + 1);
      memcpy (copy, data, length);
      copy[length] = '\0';
    }
  g_ptr_array_add (rows->cells, copy != NULL ? g_bytes_new_take (copy, length) : NULL);
  rows->n_rows = rows->cells->len / rows->n_columns;
}

GBytes *
tally_rows_bytes (const TallyRows *rows, guint row, guint column)
{
  g_assert (row < rows->n_rows && column < rows->n_columns);
  return g_ptr_array_index (rows->cells, row * rows->n_columns + column);
}

gboolean
tally_rows_is_null (const TallyRows *rows, guint row, guint column)
{
  return tally_rows_bytes (rows, row, column) == NULL;
}

/* The NUL that tally_rows_add() put after the bytes is there, but not counted; an empty GBytes has
 * no data. */
const char *
tally_rows_text (const TallyRows *rows, guint row, guint column)
{
  GBytes *cell = tally_rows_bytes (rows, row, column);
  gsize length;
  const char *text;

  if (cell == NULL)
    return NULL;
  text = g_bytes_get_data (cell, &length);
  return length > 0 ? text : "";
}

gint64
tally_rows_int (const TallyRows *rows, guint row, guint column)
{
  const char *text = tally_rows_text (rows, row, column);

  return text != NULL ? g_ascii_strtoll (text, NULL, 10) : 0;
}

/* ---- Deliveries ---- */

const char *
tally_delivery_state_name (TallyDeliveryState state)
{
  g_return_val_if_fail ((guint)state < G_N_ELEMENTS (state_names), "unknown");
  return state_names[state];
}

gboolean
tally_delivery_state_from_name (const char *name, TallyDeliveryState *ret_state)
{
  for (guint i = 0; i < G_N_ELEMENTS (state_names); i++)
    if (g_strcmp0 (name, state_names[i]) == 0)
      {
        *ret_state = i;
        return TRUE;
      }
  return FALSE;
}

gboolean
tally_delivery_state_is_unsettled (TallyDeliveryState state)
{
  return state == TALLY_DELIVERY_INTENDED || state == TALLY_DELIVERY_IN_DOUBT;
}

/* Columns are those of DELIVERY_COLUMNS, then the request. */
TallyLedgerDelivery *
tally_delivery_from_row (const TallyRows *rows, guint row)
{
  TallyLedgerDelivery *delivery = g_new0 (TallyLedgerDelivery, 1);
  GBytes *request = tally_rows_bytes (rows, row, N_DELIVERY_COLUMNS);
  guint column = 0;

  delivery->scope = tally_rows_int (rows, row, column++);
  delivery->key = g_strdup (tally_rows_text (rows, row, column++));
  delivery->generation = tally_rows_int (rows, row, column++);
  if (!tally_delivery_state_from_name (tally_rows_text (rows, row, column++), &delivery->state))
    delivery->state = TALLY_DELIVERY_IN_DOUBT;
  delivery->idempotency_key = g_strdup (tally_rows_text (rows, row, column++));
  delivery->request_hash = g_strdup (tally_rows_text (rows, row, column++));
  delivery->content_hash = g_strdup (tally_rows_text (rows, row, column++));
  delivery->row_origin = g_strdup (tally_rows_text (rows, row, column++));
  delivery->reference = g_strdup (tally_rows_text (rows, row, column++));
  delivery->pass = tally_rows_int (rows, row, column++);
  delivery->run = tally_rows_int (rows, row, column++);
  delivery->attempts = tally_rows_int (rows, row, column++);
  delivery->intended_at = tally_rows_int (rows, row, column++);
  delivery->intended_target = tally_rows_int (rows, row, column++);
  delivery->settled_at = tally_rows_int (rows, row, column++);
  delivery->target_id = g_strdup (tally_rows_text (rows, row, column++));
  delivery->other_ids = g_strdup (tally_rows_text (rows, row, column++));
  delivery->status = tally_rows_int (rows, row, column++);
  delivery->detail = g_strdup (tally_rows_text (rows, row, column++));
  delivery->known_since = tally_rows_int (rows, row, column++);
  delivery->receipt = g_strdup (tally_rows_text (rows, row, column++));
  g_assert (column == N_DELIVERY_COLUMNS);
  delivery->request = request != NULL ? g_bytes_ref (request) : NULL;
  return delivery;
}

void
tally_ledger_delivery_free (TallyLedgerDelivery *delivery)
{
  if (delivery == NULL)
    return;

  g_free (delivery->key);
  g_free (delivery->idempotency_key);
  g_clear_pointer (&delivery->request, g_bytes_unref);
  g_free (delivery->request_hash);
  g_free (delivery->content_hash);
  g_free (delivery->row_origin);
  g_free (delivery->reference);
  g_free (delivery->target_id);
  g_free (delivery->other_ids);
  g_free (delivery->detail);
  g_free (delivery->receipt);
  g_free (delivery->pipeline);
  g_free (delivery);
}

char *
tally_clean_text (const char *text)
{
  gsize length;

  if (text == NULL)
    return NULL;

  length = strlen (text);
  return g_utf8_make_valid (text, MIN (length, TEXT_MAX));
}
