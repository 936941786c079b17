/* intake.c: batches: keys, what the ledger knows of them, rendering, positions
 *
 * Of each row the ledger is asked what it knows.  A row becomes a parcel only when there is room,
 * so that few rendered requests are held at once.  A batch is done with once all its rows are in
 * the ledger in some way; then its position, its rejects and the rows met again are written, once.
 */
#include "dispatcher-private.h"
#include <string.h>

typedef struct
{
  TallyErrand errand;
  TallyConsignment *consignment; /* (unowned) */
  GPtrArray *keys;               /* (owned) (element-type utf8) the consignment's */
  GArray *rows;                  /* (owned) (element-type guint) theirs */
  gboolean again;
} Search;

static void
reject_clear (gpointer data)
{
  TallyReject *reject = data;

  g_free (reject->origin);
  g_free (reject->reason);
  g_free (reject->record);
}

static TallyConsignment *
consignment_new (TallyBatch *batch)
{
  TallyConsignment *consignment = g_new0 (TallyConsignment, 1);
  guint n_rows = tally_batch_n_rows (batch);

  consignment->batch = batch;
  consignment->n_rows = n_rows;
  consignment->keys = g_new0 (char *, n_rows);
  consignment->origins = g_new0 (char *, n_rows);
  consignment->again = g_array_new (FALSE, FALSE, sizeof (guint));
  consignment->seen = g_array_new (FALSE, FALSE, sizeof (TallyLedgerSeen));
  consignment->hashes = g_ptr_array_new_with_free_func (g_free);
  consignment->rejects = g_array_new (FALSE, FALSE, sizeof (TallyReject));
  g_array_set_clear_func (consignment->rejects, reject_clear);
  return consignment;
}

void
tally_consignment_free (TallyConsignment *consignment)
{
  for (guint row = 0; row < consignment->n_rows; row++)
    {
      g_free (consignment->keys[row]);
      g_free (consignment->origins[row]);
    }
  g_free (consignment->keys);
  g_free (consignment->origins);
  g_clear_pointer (&consignment->found, g_ptr_array_unref);
  g_array_unref (consignment->again);
  g_array_unref (consignment->seen);
  g_ptr_array_unref (consignment->hashes);
  g_array_unref (consignment->rejects);
  tally_batch_free (consignment->batch);
  g_free (consignment);
}

/* ---- Rows that go no further ---- */

static void
intake_reject (TallyDispatcher *dispatcher, TallyConsignment *consignment, guint row,
               const char *reason)
{
  g_autoptr (GString) record = g_string_new (NULL);
  TallyReject reject = { .stage = (char *)"sink" };

  tally_batch_append_json (consignment->batch, row, record);
  reject.origin = g_strdup (consignment->origins[row]);
  reject.reason = g_strdup (reason);
  reject.record = g_string_free (g_steal_pointer (&record), FALSE);
  g_array_append_val (consignment->rejects, reject);
  dispatcher->counts.rejected++;
}

/* The ledger knows the row, and is told that it came again. */
static void
intake_see (TallyConsignment *consignment, guint row)
{
  TallyLedgerSeen seen = { consignment->keys[row], consignment->origins[row], NULL };

  g_array_append_val (consignment->seen, seen);
  consignment->n_open--;
}

/* The same of one that changed, but so that the target has all of it. (transfer full) */
static void
intake_take_over (TallyDispatcher *dispatcher, TallyConsignment *consignment, guint row,
                  char *content_hash)
{
  TallyLedgerSeen seen = { consignment->keys[row], consignment->origins[row], content_hash };

  g_ptr_array_add (consignment->hashes, content_hash);
  g_array_append_val (consignment->seen, seen);
  consignment->n_open--;
  dispatcher->counts.unchanged++;
}

static void
intake_reject_duplicate (TallyDispatcher *dispatcher, TallyConsignment *consignment, guint row,
                         const char *key, const char *other)
{
  g_autofree char *reason = g_strdup_printf ("key \"%s\" stands at %s and again at %s", key, other,
                                             consignment->origins[row]);

  intake_reject (dispatcher, consignment, row, reason);
}

/* ---- Asking the ledger ---- */

static void intake_row (TallyDispatcher *dispatcher, TallyConsignment *consignment, guint row,
                        const TallyLedgerDelivery *found, gboolean again);

static void
search_free (TallyErrand *errand)
{
  Search *search = (Search *)errand;

  g_ptr_array_unref (search->keys);
  g_array_unref (search->rows);
  g_free (search);
}

static void
free_found (gpointer found)
{
  if (found != NULL)
    tally_ledger_delivery_free (found);
}

static void
intake_on_found (TallyErrand *errand, gpointer data)
{
  TallyDispatcher *dispatcher = data;
  Search *search = (Search *)errand;
  TallyConsignment *consignment = search->consignment;

  consignment->finding = FALSE;
  if (consignment->cancelled)
    {
      g_queue_remove (&dispatcher->consignments, consignment);
      tally_consignment_free (consignment);
      return;
    }
  if (errand->error != NULL)
    {
      tally_dispatcher_fail (dispatcher, g_steal_pointer (&errand->error));
      return;
    }

  if (!search->again)
    {
      consignment->found = g_ptr_array_new_full (consignment->n_rows, free_found);
      g_ptr_array_set_size (consignment->found, (gint)consignment->n_rows);
      for (guint i = 0; i < search->rows->len; i++)
        consignment->found->pdata[g_array_index (search->rows, guint, i)]
            = g_steal_pointer (&errand->found->pdata[i]);
      return;
    }
  consignment->n_searching = 0;
  for (guint i = 0; i < search->rows->len && dispatcher->failure == NULL; i++)
    intake_row (dispatcher, consignment, g_array_index (search->rows, guint, i),
                errand->found->pdata[i],
                /* again= */ TRUE);
}

static void
intake_search (TallyDispatcher *dispatcher, TallyConsignment *consignment, GArray *rows,
               gboolean again)
{
  Search *search = g_new0 (Search, 1);

  search->consignment = consignment;
  search->rows = g_array_ref (rows);
  search->again = again;
  search->keys = g_ptr_array_new ();
  for (guint i = 0; i < rows->len; i++)
    g_ptr_array_add (search->keys, consignment->keys[g_array_index (rows, guint, i)]);
  search->errand.kind = TALLY_ERRAND_FIND;
  search->errand.keys = search->keys;
  search->errand.done = intake_on_found;
  search->errand.free = search_free;
  consignment->finding = TRUE;
  tally_dispatcher_post (dispatcher, &search->errand);
}

/* The key, unless the row cannot go on. */
static void
intake_read_key (TallyDispatcher *dispatcher, TallyConsignment *consignment, guint row)
{
  guint column = dispatcher->config.key_column;
  TallyText text = { "", 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *key = NULL;
  const char *other;

  consignment->origins[row] = tally_batch_dup_origin (consignment->batch, row);
  if (!tally_batch_is_null (consignment->batch, row, column))
    text = tally_batch_get_text (consignment->batch, row, column);
  key = tally_key_normalise (text, dispatcher->config.origin, &error);
  if (key == NULL)
    {
      intake_reject (dispatcher, consignment, row, error->message);
      return;
    }

  other = g_hash_table_lookup (dispatcher->rows, key);
  if (other != NULL)
    {
      intake_reject_duplicate (dispatcher, consignment, row, key, other);
      return;
    }
  consignment->keys[row] = g_steal_pointer (&key);
  g_hash_table_insert (dispatcher->rows, consignment->keys[row], consignment->origins[row]);
  consignment->n_open++;
}

void
tally_intake_take (TallyDispatcher *dispatcher, TallyBatch *batch)
{
  TallyConsignment *consignment = consignment_new (batch);
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (guint));
  guint64 n_filtered = tally_batch_n_filtered (batch);
  guint n_rejects;

  tally_batch_rejects (batch, &n_rejects);
  dispatcher->counts.read += consignment->n_rows + n_rejects + n_filtered;
  dispatcher->counts.added += tally_batch_n_added (batch);
  dispatcher->counts.filtered += n_filtered;
  dispatcher->counts.rejected += n_rejects;
  g_queue_push_tail (&dispatcher->consignments, consignment);

  for (guint row = 0; row < consignment->n_rows; row++)
    {
      intake_read_key (dispatcher, consignment, row);
      if (consignment->keys[row] != NULL)
        g_array_append_val (rows, row);
    }
  if (rows->len > 0)
    intake_search (dispatcher, consignment, rows, /* again= */ FALSE);
  else
    {
      consignment->found = g_ptr_array_new ();
      consignment->next = consignment->n_rows;
    }
}

/* ---- What to do with a row ---- */

static char *
intake_content_hash (TallyBatch *batch, guint row)
{
  g_autoptr (GString) record = g_string_new (NULL);

  tally_batch_append_json (batch, row, record);
  return tally_key_hash (record->str, record->len);
}

/* The bytes of a request that creates, or, with a target_id, updates.  NULL if the row goes no further. */
static GBytes *
intake_call_render (TallyDispatcher *dispatcher, TallyConsignment *consignment, guint row,
                    const char *reference, const char *target_id)
{
  const TallyDispatcherConfig *config = &dispatcher->config;
  const TallyDeliverySink *sink = config->sink;
  g_autoptr (GString) body = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  gboolean rendered
      = target_id == NULL
            ? sink->render (config->self, config->ctx, consignment->batch, row, reference, body, &error)
            : sink->render_update (config->self, config->ctx, consignment->batch, row, reference,
                                   target_id, body, &error);

  if (rendered && body->len > TALLY_BODY_MOST)
    rendered = tally_throw (&error, TALLY_ERROR_DATA,
                            "the request has %" G_GSIZE_FORMAT " bytes, most are %d", body->len,
                            TALLY_BODY_MOST);
  if (rendered)
    return g_string_free_to_bytes (g_steal_pointer (&body));
  if (g_error_matches (error, TALLY_ERROR, TALLY_ERROR_DATA))
    {
      intake_reject (dispatcher, consignment, row, error->message);
      consignment->n_open--;
    }
  else
    tally_dispatcher_fail (dispatcher, g_steal_pointer (&error));
  return NULL;
}

/* A new delivery, or the next generation of one: found (nullable) is what the ledger has. */
static void
intake_render (TallyDispatcher *dispatcher, TallyConsignment *consignment, guint row,
               const TallyLedgerDelivery *found, char **content_hash)
{
  const char *key = consignment->keys[row];
  const char *target_id = found != NULL ? found->target_id : NULL;
  g_autofree char *reference = g_strdup_printf ("%s:%s", dispatcher->config.origin, key);
  g_autoptr (GBytes) request
      = intake_call_render (dispatcher, consignment, row, reference, target_id);
  TallyParcel *parcel;

  if (request == NULL)
    return;
  if (target_id != NULL && g_bytes_get_size (request) == 0)
    {
      intake_take_over (dispatcher, consignment, row, g_steal_pointer (content_hash));
      return;
    }

  parcel = tally_parcel_new (dispatcher, key);
  parcel->consignment = consignment;
  parcel->row = row;
  parcel->reference = g_steal_pointer (&reference);
  parcel->row_origin = g_strdup (consignment->origins[row]);
  parcel->content_hash = g_steal_pointer (content_hash);
  parcel->request_hash
      = tally_key_hash (g_bytes_get_data (request, NULL), g_bytes_get_size (request));
  parcel->generation = found != NULL ? found->generation + 1 : 1;
  parcel->is_update = target_id != NULL;
  parcel->target_id = g_strdup (target_id);
  parcel->pass = dispatcher->config.run->pass;
  tally_parcel_set_request (dispatcher, parcel, request);
  tally_parcel_make_key (dispatcher, parcel);
  tally_parcel_move (parcel, &dispatcher->fresh);
}

/* The row of a delivery that an earlier run left unsettled.  What was stored is sent; what has
 * changed since follows as an update, or is drift (F1). */
static void
intake_join (TallyDispatcher *dispatcher, TallyConsignment *consignment, guint row,
             TallyParcel *parcel, const char *content_hash)
{
  gboolean drifted = g_strcmp0 (parcel->content_hash, content_hash) != 0;

  if (drifted && dispatcher->config.sink->render_update != NULL)
    {
      parcel->sequel = consignment;
      parcel->sequel_row = row;
      return;
    }
  parcel->row_came = TRUE;
  if (parcel->place != &dispatcher->writing) /* else the ledger's thread may be reading it */
    {
      g_free (parcel->row_origin);
      parcel->row_origin = g_strdup (consignment->origins[row]);
      parcel->pass = dispatcher->config.run->pass;
    }
  dispatcher->counts.drifted += drifted ? 1 : 0;
  intake_see (consignment, row);
}

/* It is settled now, or stays in doubt: what becomes of its newer content? */
static void
intake_follow (TallyDispatcher *dispatcher, TallyParcel *parcel)
{
  TallyConsignment *consignment = g_steal_pointer (&parcel->sequel);

  if (consignment == NULL)
    return;
  if (parcel->state == TALLY_DELIVERY_DELIVERED || parcel->state == TALLY_DELIVERY_REJECTED)
    {
      g_array_append_val (consignment->again, parcel->sequel_row);
      return;
    }
  parcel->row_came = TRUE;
  dispatcher->counts.drifted++;
  intake_see (consignment, parcel->sequel_row);
}

/* The delivery was settled, and counted, before its row came. */
static gboolean
intake_join_settled (TallyDispatcher *dispatcher, TallyConsignment *consignment, guint row,
                     const char *content_hash)
{
  gpointer value;
  const char *settled_content;

  if (!g_hash_table_lookup_extended (dispatcher->taken_up, consignment->keys[row], NULL, &value))
    return FALSE;
  settled_content = value;
  if (settled_content != NULL && g_strcmp0 (settled_content, content_hash) != 0)
    return FALSE; /* it goes again, as it is now */

  g_hash_table_remove (dispatcher->taken_up, consignment->keys[row]);
  dispatcher->counts.taken_up--;
  intake_see (consignment, row);
  return TRUE;
}

/* The same key twice in one reading of the source; in one run, where records move between runs. */
static gboolean
intake_is_duplicate (const TallyDispatcher *dispatcher, const TallyConsignment *consignment,
                     guint row, const TallyLedgerDelivery *found)
{
  const TallyLedgerRun *run = dispatcher->config.run;
  gboolean is_met = dispatcher->config.records_move
                        ? found->run == run->id && !g_hash_table_contains (dispatcher->taken_up, found->key)
                        : found->pass == run->pass;

  return is_met && g_strcmp0 (found->row_origin, consignment->origins[row]) != 0;
}

static void
intake_known_row (TallyDispatcher *dispatcher, TallyConsignment *consignment, guint row,
                  const TallyLedgerDelivery *found, char **content_hash, gboolean again)
{
  gboolean drifted = g_strcmp0 (found->content_hash, *content_hash) != 0;
  TallyParcel *parcel;

  switch (tally_state_known_row (found, drifted, dispatcher->config.sink->render_update != NULL))
    {
    case TALLY_ROW_GOES:
      intake_render (dispatcher, consignment, row, found, content_hash);
      break;
    case TALLY_ROW_DRIFTED:
      dispatcher->counts.drifted++;
      G_GNUC_FALLTHROUGH;
    case TALLY_ROW_UNCHANGED:
      dispatcher->counts.unchanged++;
      intake_see (consignment, row);
      break;
    case TALLY_ROW_REJECTED:
      dispatcher->counts.rejected++;
      intake_see (consignment, row);
      break;
    case TALLY_ROW_UNSETTLED:
      if (!again)
        {
          g_array_append_val (consignment->again, row); /* we may have settled it meanwhile */
          break;
        }
      parcel = tally_recovery_take_up (dispatcher, found, tally_dispatcher_now (dispatcher));
      intake_join (dispatcher, consignment, row, parcel, *content_hash);
      tally_parcel_wait (dispatcher, parcel, 0);
      break;
    }
}

static void
intake_row (TallyDispatcher *dispatcher, TallyConsignment *consignment, guint row,
            const TallyLedgerDelivery *found, gboolean again)
{
  const char *key = consignment->keys[row];
  g_autofree char *content_hash = NULL;
  TallyParcel *parcel;

  if (key == NULL)
    return;

  content_hash = intake_content_hash (consignment->batch, row);
  parcel = g_hash_table_lookup (dispatcher->parcels, key);
  if (parcel != NULL && parcel->recovered && !parcel->row_came)
    intake_join (dispatcher, consignment, row, parcel, content_hash);
  else if (intake_join_settled (dispatcher, consignment, row, content_hash))
    return;
  else if (parcel != NULL
           || (found != NULL && intake_is_duplicate (dispatcher, consignment, row, found)))
    {
      intake_reject_duplicate (dispatcher, consignment, row, key,
                               parcel != NULL ? parcel->row_origin : found->row_origin);
      consignment->n_open--;
    }
  else if (!again && g_hash_table_contains (dispatcher->taken_up, key))
    g_array_append_val (consignment->again, row); /* what was found is older than what we wrote */
  else if (found != NULL)
    intake_known_row (dispatcher, consignment, row, found, &content_hash, again);
  else
    intake_render (dispatcher, consignment, row, NULL, &content_hash);
}

gboolean
tally_intake_advance (TallyDispatcher *dispatcher)
{
  gboolean moved = FALSE;

  for (GList *link = dispatcher->consignments.head; link != NULL && !dispatcher->stopping;
       link = link->next)
    {
      TallyConsignment *consignment = link->data;

      if (consignment->found == NULL)
        break;
      while (consignment->next < consignment->n_rows
             && dispatcher->n_holding < 2 * dispatcher->group && dispatcher->held < TALLY_HELD_MOST
             && dispatcher->n_doubts < TALLY_DOUBTS_MOST && dispatcher->failure == NULL)
        {
          guint row = consignment->next++;

          intake_row (dispatcher, consignment, row, consignment->found->pdata[row],
                      /* again= */ FALSE);
          moved = TRUE;
        }
      if (consignment->next < consignment->n_rows)
        break;
      if (consignment->again->len > 0 && !consignment->finding)
        {
          g_autoptr (GArray) rows = g_steal_pointer (&consignment->again);

          consignment->again = g_array_new (FALSE, FALSE, sizeof (guint));
          consignment->n_searching = rows->len;
          intake_search (dispatcher, consignment, rows, /* again= */ TRUE);
        }
    }
  return moved;
}

gboolean
tally_intake_is_complete (const TallyConsignment *consignment)
{
  return consignment->found != NULL && consignment->next == consignment->n_rows
         && consignment->n_open == 0;
}

void
tally_intake_account (TallyParcel *parcel)
{
  if (parcel->consignment != NULL)
    parcel->consignment->n_open--;
  parcel->consignment = NULL;
}

void
tally_intake_look_again (TallyDispatcher *dispatcher, TallyParcel *parcel)
{
  if (parcel->consignment != NULL)
    g_array_append_val (parcel->consignment->again, parcel->row);
  else if (parcel->recovered)
    {
      parcel->state = TALLY_DELIVERY_IN_DOUBT; /* the other writer's now */
      tally_intake_count (dispatcher, parcel);
    }
  else
    dispatcher->counts.read--; /* its batch was stopped */
  tally_parcel_drop (dispatcher, parcel);
}

void
tally_intake_count (TallyDispatcher *dispatcher, TallyParcel *parcel)
{
  TallyCounts *counts = &dispatcher->counts;
  gboolean goes_again; /* if its content is another when its row comes */

  intake_follow (dispatcher, parcel);
  switch (parcel->state)
    {
    case TALLY_DELIVERY_DELIVERED:
      counts->delivered++;
      counts->updated += parcel->is_update ? 1 : 0;
      counts->adopted += parcel->adopted ? 1 : 0;
      counts->repeated += parcel->repeated ? 1 : 0;
      break;
    case TALLY_DELIVERY_REJECTED:
      counts->rejected++;
      break;
    default:
      counts->in_doubt++;
      break;
    }
  if (!parcel->recovered || parcel->row_came)
    return;

  counts->taken_up++;
  goes_again = parcel->state == TALLY_DELIVERY_REJECTED
               || (parcel->state == TALLY_DELIVERY_DELIVERED
                   && dispatcher->config.sink->render_update != NULL);
  g_hash_table_insert (dispatcher->taken_up, g_strdup (parcel->key),
                       goes_again ? g_strdup (parcel->content_hash) : NULL);
}

/* ---- Stopping ---- */

/* Takes back what was counted of a batch that the next run will read again. */
static void
intake_uncount (TallyDispatcher *dispatcher, TallyConsignment *consignment)
{
  TallyCounts *counts = &dispatcher->counts;
  guint64 n_filtered = tally_batch_n_filtered (consignment->batch);
  guint n_rejects, n_undecided = consignment->again->len + consignment->n_searching;

  tally_batch_rejects (consignment->batch, &n_rejects);
  n_rejects += consignment->rejects->len;
  for (guint row = consignment->next; row < consignment->n_rows; row++)
    n_undecided += consignment->keys[row] != NULL ? 1 : 0;
  counts->read -= n_filtered + n_rejects + n_undecided;
  counts->added -= tally_batch_n_added (consignment->batch);
  counts->filtered -= n_filtered;
  counts->rejected -= n_rejects;
}

static void
intake_forget_parcels (TallyDispatcher *dispatcher, TallyConsignment *consignment)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, dispatcher->parcels);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      TallyParcel *parcel = value;

      if (parcel->sequel == consignment)
        {
          parcel->sequel = NULL;
          dispatcher->counts.read--;
        }
      if (parcel->consignment != consignment)
        continue;
      parcel->consignment = NULL;
      if (parcel->place != &dispatcher->fresh || parcel->known)
        continue; /* the ledger knows it, or soon will */
      dispatcher->counts.read--;
      tally_parcel_set_request (dispatcher, parcel, NULL);
      tally_parcel_move (parcel, NULL);
      g_hash_table_iter_remove (&iter);
    }
}

void
tally_intake_stop (TallyDispatcher *dispatcher)
{
  GList *link = dispatcher->consignments.head, *next;

  while (link != NULL && tally_intake_is_complete (link->data))
    link = link->next;
  for (; link != NULL; link = next)
    {
      TallyConsignment *consignment = link->data;

      next = link->next;
      intake_uncount (dispatcher, consignment);
      intake_forget_parcels (dispatcher, consignment);
      for (guint row = 0; row < consignment->n_rows; row++)
        if (consignment->keys[row] != NULL)
          g_hash_table_remove (dispatcher->rows, consignment->keys[row]);
      consignment->cancelled = consignment->finding;
      if (consignment->finding)
        continue; /* until the ledger has answered */
      g_queue_delete_link (&dispatcher->consignments, link);
      tally_consignment_free (consignment);
    }
}
