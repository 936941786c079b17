/* looks.c: records that are looked up before they are sent, because another ledger may have made them
 *
 * Our keys and our ledger know nothing of what another one sends.  What it has made carries the same reference, if it was
 * made for the same origin and key.  So each run looks its first few records up before it sends them.  If the target shows
 * one, it is taken over instead of made again, the ledger remembers that others are at work, and from then on nothing is sent
 * unseen.
 */
#include "dispatcher-private.h"

gboolean
tally_looks_wanted (const TallyDispatcher *dispatcher, const TallyParcel *parcel)
{
  const TallyDispatcherConfig *config = &dispatcher->config;

  return config->profile.look_first && config->profile.can_resolve && config->sink->resolve != NULL
         && !parcel->is_update && !parcel->looked
         && (dispatcher->is_shared || dispatcher->n_looked < TALLY_FIRST_LOOKS);
}

/* As long as nobody else's is found, no more are looked up than must be. */
gboolean
tally_looks_have_room (const TallyDispatcher *dispatcher)
{
  return dispatcher->is_shared || dispatcher->n_looked + dispatcher->n_looking < TALLY_FIRST_LOOKS;
}

/* What the first ones tell is waited for; after that many go together, which a sink may gather. */
gboolean
tally_looks_hold (const TallyDispatcher *dispatcher)
{
  return dispatcher->n_looking > 0 && !dispatcher->is_shared;
}

void
tally_looks_begin (TallyDispatcher *dispatcher)
{
  dispatcher->n_looking++;
}

void
tally_looks_end (TallyDispatcher *dispatcher)
{
  dispatcher->n_looking--;
}

void
tally_looks_take_absence (TallyDispatcher *dispatcher, TallyParcel *parcel)
{
  dispatcher->n_looked++;
  parcel->looked = TRUE;
  parcel->tries = parcel->lookups = 0;
}

/* ---- Somebody else's ---- */

static void
looks_on_shared (TallyErrand *errand, gpointer data)
{
  if (errand->error != NULL)
    tally_dispatcher_fail (data, g_steal_pointer (&errand->error));
}

static void
looks_free_errand (TallyErrand *errand)
{
  g_free (errand);
}

/* Goes to the ledger before the outcome of the record that told. */
static void
looks_share (TallyDispatcher *dispatcher)
{
  TallyErrand *errand = g_new0 (TallyErrand, 1);

  errand->kind = TALLY_ERRAND_SHARE;
  errand->epoch = dispatcher->config.epoch;
  errand->done = looks_on_shared;
  errand->free = looks_free_errand;
  dispatcher->is_shared = TRUE;
  tally_dispatcher_post (dispatcher, errand);
}

gboolean
tally_looks_take_found (TallyDispatcher *dispatcher, const TallyParcel *parcel)
{
  /* One that was sent before may be our own. */
  if (parcel->in_doubt || parcel->generation > 1)
    return FALSE;
  if (!dispatcher->is_shared)
    {
      tally_context_warn (dispatcher->config.ctx,
                          "the target has \"%s\" already, and this ledger did not make it: another ledger makes, or has made, "
                          "records of the origin \"%s\" there, or this one was put aside for a time. What the target shows is "
                          "taken over, and from now on each record is looked up before it is made. That does not see what is "
                          "archived or deleted, nor what the other ledger makes in the same moment: stop the other, and let "
                          "\"tallyman doubt reconcile\" read all that it made",
                          parcel->reference, dispatcher->config.origin);
      looks_share (dispatcher);
    }
  return TRUE;
}

void
tally_looks_tell (const TallyDispatcher *dispatcher)
{
  if (dispatcher->is_shared && dispatcher->config.profile.look_first)
    tally_context_warn (dispatcher->config.ctx,
                        "another ledger has made records of the origin \"%s\" in this target: each record is looked up before "
                        "it is made, until \"tallyman doubt reconcile\" has read what the other made",
                        dispatcher->config.origin);
}
