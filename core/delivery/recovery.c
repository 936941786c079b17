/* recovery.c: deliveries of earlier runs, and bytes that are read again
 *
 * Thousands may wait in doubt.  Of those only the facts are kept; the bytes are read from the
 * ledger when a delivery's turn has come, a group at a time.
 */
#include "dispatcher-private.h"
#include "hooks.h"

#define PAGE_ROWS 256
#define LOAD_MOST 256

typedef struct
{
  TallyErrand errand;
  GPtrArray *keys; /* (owned) (element-type utf8) the parcels' */
} Load;

/* Left in order, and no request of it had been acted upon.  What is being sent has an attempt. */
static gboolean
recovery_is_unsent (const TallyLedgerDelivery *found)
{
  return found->state == TALLY_DELIVERY_IN_DOUBT && found->attempts == 0;
}

/* An earlier run may have sent it until last_send, on our clock. */
TallyParcel *
tally_recovery_take_up (TallyDispatcher *dispatcher, const TallyLedgerDelivery *found,
                        gint64 last_send)
{
  guint most = dispatcher->config.attempts;
  TallyParcel *parcel = tally_parcel_new (dispatcher, found->key);

  parcel->recovered = TRUE;
  parcel->in_doubt = !recovery_is_unsent (found);
  parcel->reference = g_strdup (found->reference);
  parcel->row_origin = g_strdup (found->row_origin);
  parcel->content_hash = g_strdup (found->content_hash);
  parcel->request_hash = g_strdup (found->request_hash);
  g_strlcpy (parcel->idempotency_key, found->idempotency_key, sizeof parcel->idempotency_key);
  parcel->generation = found->generation;
  parcel->pass = found->pass;
  parcel->intended_at = found->intended_at;
  parcel->intended_target = found->intended_target;
  parcel->attempts = MAX (found->attempts, parcel->in_doubt ? 1 : 0); /* the ledger does not know of the first */
  parcel->status = found->status;
  parcel->is_update = found->target_id != NULL;
  parcel->target_id = g_strdup (found->target_id);
  parcel->receipt = g_strdup (found->receipt);
  parcel->request_size = found->request != NULL ? g_bytes_get_size (found->request) : 0;
  parcel->last_send = last_send;
  /* Still "intended": the run did not end, it was killed; and no request of it ever came back, or
   * there would be a detail.  When it was so as often as may be, it is set aside (A11); one attempt
   * more marks those. */
  if (found->state == TALLY_DELIVERY_INTENDED && found->status == 0 && found->detail == NULL)
    parcel->deaths = parcel->attempts;
  parcel->set_aside = found->attempts > most || parcel->deaths >= most;
  /* There is nothing to ask about an update, so each run has its own attempts. */
  if (parcel->is_update && parcel->in_doubt && parcel->deaths == 0 && !parcel->set_aside)
    parcel->attempts = 1;
  return parcel;
}

static gint64
recovery_last_send (const TallyDispatcher *dispatcher)
{
  const TallyClerk *clerk = dispatcher->clerk;
  gint64 since
      = dispatcher->config.last_send != 0 ? clerk->ledger_now - dispatcher->config.last_send : 0;

  return clerk->told_at - since;
}

static void
free_plain (TallyErrand *errand)
{
  g_free (errand);
}

/* Asks for one page, and waits for it: nothing else is going on yet. */
static GPtrArray *
recovery_list_page (TallyDispatcher *dispatcher, const char *after, GError **error)
{
  TallyErrand *errand = g_new0 (TallyErrand, 1), *back = NULL;
  GPtrArray *found;

  errand->kind = TALLY_ERRAND_LIST;
  errand->after = after;
  errand->limit = PAGE_ROWS;
  errand->free = free_plain;
  dispatcher->clerk->class->post (dispatcher->clerk, errand);
  while (back == NULL)
    back = dispatcher->clerk->class->collect (dispatcher->clerk, G_USEC_PER_SEC);
  found = g_steal_pointer (&errand->found);
  if (found == NULL)
    g_propagate_error (error, g_steal_pointer (&errand->error));
  tally_errand_free (errand);
  return found;
}

gboolean
tally_recovery_list (TallyDispatcher *dispatcher, GError **error)
{
  gint64 last_send = recovery_last_send (dispatcher);
  g_autofree char *after = NULL;

  for (;;)
    {
      g_autoptr (GPtrArray) page = recovery_list_page (dispatcher, after, error);

      if (page == NULL)
        return tally_throw_prefix (error, "could not list the unsettled deliveries");
      for (guint i = 0; i < page->len; i++)
        {
          const TallyLedgerDelivery *found = g_ptr_array_index (page, i);
          TallyParcel *parcel = tally_recovery_take_up (dispatcher, found, last_send);

          tally_parcel_wait (dispatcher, parcel, 0);
          g_free (after);
          after = g_strdup (found->key);
        }
      if (page->len < PAGE_ROWS)
        return TRUE;
    }
}

#ifdef TALLY_TESTING
/* With R3 broken: not what was stored. */
static void
recovery_forge (TallyDispatcher *dispatcher, TallyParcel *parcel)
{
  gsize length;
  const char *data = g_bytes_get_data (parcel->request, &length);
  GString *other = g_string_new_len (data, (gssize)length);
  g_autoptr (GBytes) forged = NULL;

  if (length > 0 && data[length - 1] == '}')
    g_string_truncate (other, length - 1);
  g_string_append (other, ",\"again\":true}");
  forged = g_string_free_to_bytes (other);
  tally_parcel_set_request (dispatcher, parcel, forged);
}
#endif

/* Another writer may have gone on with it (D8): then its fate is the other's. */
static gboolean
recovery_is_ours (const TallyParcel *parcel, const TallyLedgerDelivery *found)
{
  return found != NULL && found->generation == parcel->generation
         && (found->state == TALLY_DELIVERY_INTENDED || found->state == TALLY_DELIVERY_IN_DOUBT);
}

static void
recovery_attach (TallyDispatcher *dispatcher, TallyParcel *parcel, const TallyLedgerDelivery *found)
{
  g_autofree char *hash = NULL;

  if (!recovery_is_ours (parcel, found))
    {
      parcel->state = found != NULL ? found->state : TALLY_DELIVERY_IN_DOUBT;
      tally_intake_count (dispatcher, parcel);
      tally_parcel_drop (dispatcher, parcel);
      return;
    }

  if (found->request != NULL)
    hash = tally_key_hash (g_bytes_get_data (found->request, NULL),
                           g_bytes_get_size (found->request));
  if (g_strcmp0 (hash, parcel->request_hash) != 0)
    {
      tally_traffic_leave (dispatcher, parcel,
                           "the request in the ledger is not the one that was sent");
      return;
    }

  tally_parcel_set_request (dispatcher, parcel, found->request);
#ifdef TALLY_TESTING
  if (!TALLY_KEEPS ("R3"))
    recovery_forge (dispatcher, parcel);
#endif
  tally_traffic_consider (dispatcher, parcel, tally_dispatcher_now (dispatcher));
}

static void
recovery_on_loaded (TallyErrand *errand, gpointer data)
{
  TallyDispatcher *dispatcher = data;

  dispatcher->is_loading = FALSE;
  if (errand->error != NULL)
    {
      tally_dispatcher_fail (dispatcher, g_steal_pointer (&errand->error));
      return;
    }

  for (guint i = 0; i < errand->keys->len && dispatcher->failure == NULL; i++)
    {
      TallyParcel *parcel
          = g_hash_table_lookup (dispatcher->parcels, g_ptr_array_index (errand->keys, i));

      if (parcel == NULL || parcel->place != &dispatcher->loading)
        continue;
      recovery_attach (dispatcher, parcel, g_ptr_array_index (errand->found, i));
    }
}

static void
load_free (TallyErrand *errand)
{
  Load *load = (Load *)errand;

  g_ptr_array_unref (load->keys);
  g_free (load);
}

/* How many of those that wait for their bytes have room. */
static guint
recovery_count_room (const TallyDispatcher *dispatcher)
{
  guint room = 3 * dispatcher->group - MIN (dispatcher->n_holding, 3 * dispatcher->group);
  guint most = MIN (MIN (room, dispatcher->group), LOAD_MOST), n = 0;
  gsize held = dispatcher->held;

  for (const GList *link = dispatcher->loading.head;
       link != NULL && n < most && held < TALLY_HELD_MOST; link = link->next, n++)
    held += ((const TallyParcel *)link->data)->request_size;
  return n;
}

gboolean
tally_recovery_load (TallyDispatcher *dispatcher)
{
  guint n = recovery_count_room (dispatcher);
  Load *load;

  if (n == 0 || dispatcher->is_loading || dispatcher->stopping)
    return FALSE;

  load = g_new0 (Load, 1);
  load->keys = g_ptr_array_new_with_free_func (g_free);
  for (GList *link = dispatcher->loading.head; load->keys->len < n; link = link->next)
    g_ptr_array_add (load->keys, g_strdup (((TallyParcel *)link->data)->key));
  load->errand.kind = TALLY_ERRAND_FIND;
  load->errand.keys = load->keys;
  load->errand.done = recovery_on_loaded;
  load->errand.free = load_free;
  dispatcher->is_loading = TRUE;
  tally_dispatcher_post (dispatcher, &load->errand);
  return TRUE;
}
