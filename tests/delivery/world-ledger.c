/* world-ledger.c: a ledger in memory that keeps the promises of ledger.h */
#include "world-private.h"
#include <string.h>

TallyLedgerDelivery *
world_copy_row (const TallyLedgerDelivery *row)
{
  TallyLedgerDelivery *copy = g_memdup2 (row, sizeof *row);

  copy->key = g_strdup (row->key);
  copy->idempotency_key = g_strdup (row->idempotency_key);
  copy->request = row->request != NULL ? g_bytes_ref (row->request) : NULL;
  copy->request_hash = g_strdup (row->request_hash);
  copy->content_hash = g_strdup (row->content_hash);
  copy->row_origin = g_strdup (row->row_origin);
  copy->reference = g_strdup (row->reference);
  copy->target_id = g_strdup (row->target_id);
  copy->other_ids = g_strdup (row->other_ids);
  copy->detail = g_strdup (row->detail);
  copy->receipt = g_strdup (row->receipt);
  return copy;
}

static gboolean
is_unsettled (const TallyLedgerDelivery *row)
{
  return row->state == TALLY_DELIVERY_INTENDED || row->state == TALLY_DELIVERY_IN_DOUBT;
}

static void
free_row (gpointer row)
{
  if (row != NULL)
    tally_ledger_delivery_free (row);
}

static void
ledger_find (World *world, TallyErrand *errand)
{
  errand->found = g_ptr_array_new_with_free_func (free_row);
  for (guint i = 0; i < errand->keys->len; i++)
    {
      const TallyLedgerDelivery *row
          = g_hash_table_lookup (world->ledger, g_ptr_array_index (errand->keys, i));
      TallyLedgerDelivery *copy = row != NULL ? world_copy_row (row) : NULL;

      if (copy != NULL && !is_unsettled (row))
        g_clear_pointer (&copy->request, g_bytes_unref);
      g_ptr_array_add (errand->found, copy);
    }
}

static gint
compare_keys (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(TallyLedgerDelivery *const *)a)->key, (*(TallyLedgerDelivery *const *)b)->key);
}

static void
ledger_list (World *world, TallyErrand *errand)
{
  GHashTableIter iter;
  gpointer value;

  errand->found = g_ptr_array_new_with_free_func (free_row);
  g_hash_table_iter_init (&iter, world->ledger);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (is_unsettled (value)
        && (errand->after == NULL
            || strcmp (((TallyLedgerDelivery *)value)->key, errand->after) > 0))
      g_ptr_array_add (errand->found, world_copy_row (value));
  g_ptr_array_sort (errand->found, compare_keys);
  if (errand->found->len > errand->limit)
    g_ptr_array_set_size (errand->found, (gint)errand->limit);
}

/* An intent is refused if another writer was first. */
static gboolean
ledger_intend (World *world, const TallyLedgerDelivery *intent, const TallyLedgerRun *run)
{
  const TallyLedgerDelivery *row = g_hash_table_lookup (world->ledger, intent->key);
  TallyLedgerDelivery *copy;

  if (row != NULL
      && (intent->generation != row->generation + 1 || row->state == TALLY_DELIVERY_DISCARDED
          || g_strcmp0 (intent->target_id, row->target_id) != 0))
    return FALSE;
  if (row == NULL && intent->generation != 1)
    return FALSE;

  copy = world_copy_row (intent);
  copy->state = TALLY_DELIVERY_INTENDED;
  copy->pass = run->pass;
  copy->run = run->id;
  copy->intended_at = world_ledger_now (world);
  copy->known_since = row != NULL ? row->known_since : 0;
  g_hash_table_replace (world->ledger, copy->key, copy);
  return TRUE;
}

static void
ledger_learn_id (World *world, TallyLedgerDelivery *row, const char *target_id)
{
  if (row->target_id != NULL && g_strcmp0 (row->target_id, target_id) != 0)
    world_complain (world, "\"%s\" was %s, and is to be %s", row->reference, row->target_id,
                    target_id);
  if (row->target_id != NULL || target_id == NULL)
    return;
  row->target_id = g_strdup (target_id);
  row->known_since = world_ledger_now (world);
}

/* A record that was met again, perhaps with another content of which nothing was to be sent. */
static void
ledger_see (World *world, const TallyLedgerSeen *seen, gint64 pass)
{
  TallyLedgerDelivery *row = g_hash_table_lookup (world->ledger, seen->key);

  if (row == NULL)
    {
      world_complain (world, "\"%s\" was seen, but is not in the ledger", seen->key);
      return;
    }
  row->pass = pass;
  g_free (row->row_origin);
  row->row_origin = g_strdup (seen->row_origin);
  if (seen->content_hash == NULL)
    return;
  if (row->target_id == NULL || is_unsettled (row))
    world_complain (world, "\"%s\" cannot have a content that was not sent", row->reference);
  g_free (row->content_hash);
  row->content_hash = g_strdup (seen->content_hash);
  row->state = TALLY_DELIVERY_DELIVERED;
}

static void
ledger_settle (World *world, const TallyLedgerOutcome *outcome)
{
  TallyLedgerDelivery *row = g_hash_table_lookup (world->ledger, outcome->key);

  if (row == NULL || row->generation != outcome->generation || !is_unsettled (row))
    {
      world_complain (world,
                      "the outcome of \"%s\", generation %u, meets a row that is not unsettled",
                      outcome->key, outcome->generation);
      return;
    }
  if (outcome->state != TALLY_DELIVERY_INTENDED)
    row->state = outcome->state;
  row->attempts = outcome->attempts;
  row->status = outcome->status;
  if (outcome->state == TALLY_DELIVERY_DELIVERED || outcome->state == TALLY_DELIVERY_REJECTED)
    ledger_learn_id (world, row, outcome->target_id);
  if (outcome->other_ids != NULL)
    {
      g_free (row->other_ids);
      row->other_ids = g_strdup (outcome->other_ids);
    }
  if (outcome->receipt != NULL)
    {
      g_free (row->receipt);
      row->receipt = g_strdup (outcome->receipt);
    }
  if (outcome->state != TALLY_DELIVERY_INTENDED || outcome->detail != NULL)
    {
      g_free (row->detail);
      row->detail = g_strdup (outcome->detail);
    }
  if (outcome->state != TALLY_DELIVERY_INTENDED)
    row->settled_at = world_ledger_now (world);
  if (!outcome->keep_request)
    g_clear_pointer (&row->request, g_bytes_unref);
}

static void
ledger_commit (World *world, Process *process, TallyErrand *errand)
{
  const TallyLedgerChange *change = &errand->change;

  if (change->epoch != world->lease_epoch)
    {
      tally_throw (&errand->error, TALLY_ERROR_LEASE, "another run has taken the lease");
      return;
    }
  if (world->fail_commits > 0)
    {
      world->fail_commits--;
      tally_throw (&errand->error, TALLY_ERROR_LEDGER, "the disk is full");
      return;
    }

  for (guint i = 0; i < change->n_intents; i++)
    change->taken[i] = !ledger_intend (world, change->intents[i], change->run);
  for (guint i = 0; i < change->n_outcomes; i++)
    ledger_settle (world, &change->outcomes[i]);
  for (guint i = 0; i < change->n_seen; i++)
    ledger_see (world, &change->seen[i], change->run->pass);
  for (guint i = 0; i < change->n_rejects; i++)
    g_ptr_array_add (world->rejects, g_strdup_printf ("%s: %s", change->rejects[i].origin,
                                                      change->rejects[i].reason));
  if (change->position != NULL)
    {
      g_free (world->position);
      world->position = g_strdup (change->position);
    }
  errand->ledger_now = world_ledger_now (world);
  world->lease_until = world->now + change->lease_ttl;
}

gboolean
world_renew_lease (World *world, Process *process, GError **error)
{
  if (world->sqlite != NULL)
    return world_sqlite_renew (world, process, error);
  if (process->epoch != world->lease_epoch)
    return tally_throw (error, TALLY_ERROR_LEASE, "another run has taken the lease");
  world->lease_until = world->now + world->settings.lease_ttl;
  return TRUE;
}

void
world_ledger_run (World *world, Process *process, TallyErrand *errand)
{
  if (world->sqlite != NULL)
    {
      world_sqlite_run (world, process, errand, &process->clock);
      return;
    }
  switch (errand->kind)
    {
    case TALLY_ERRAND_FIND:
      ledger_find (world, errand);
      break;
    case TALLY_ERRAND_LIST:
      ledger_list (world, errand);
      break;
    case TALLY_ERRAND_COMMIT:
      ledger_commit (world, process, errand);
      break;
    case TALLY_ERRAND_SHARE:
      break; /* its targets are nobody else's */
    }
}
