/* rejects.c: tallyman rejects list|retry|discard: what the target refused, and what did not get
 * that far
 *
 * A record that the target refused has a key.  One that the source or a step refused may have none:
 * it has a number. To try again means that the next run reads the pipeline's source from its start:
 * what was delivered is known and skipped.
 */
#include "choice.h"
#include <stdio.h>
#include <string.h>

typedef struct
{
  gboolean json, all;
  char *uri, *pipeline;     /* (owned) (nullable) */
  TallyChoice choice;
  char **numbers;           /* (owned) (nullable) of rejects on the way */
  char **keys;              /* (unowned) (nullable) */
  TallyListing *listing;    /* (owned) (nullable) */
  GHashTable *pipelines;    /* (owned) (element-type utf8) those of the chosen */
  TallyDeliveryState state; /* what becomes of the chosen */
  gboolean choosing;        /* nothing is changed yet */
  guint n_done;
} Rejects;

static void
rejects_clear (Rejects *self)
{
  g_free (self->uri);
  g_free (self->pipeline);
  g_strfreev (self->numbers);
  g_clear_pointer (&self->listing, tally_listing_free);
  g_clear_pointer (&self->pipelines, g_hash_table_unref);
  tally_choice_clear (&self->choice);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Rejects, rejects_clear)

/* ---- list ---- */

static gboolean
list_delivery (const TallyLedgerDelivery *delivery, const TallyScope *scope, gpointer data,
               GError **error)
{
  TallyListing *listing = ((Rejects *)data)->listing;
  g_autofree char *reason
      = delivery->status != 0
            ? g_strdup_printf ("%d%s%s", delivery->status, delivery->detail != NULL ? ": " : "",
                               delivery->detail != NULL ? delivery->detail : "")
            : g_strdup (delivery->detail);

  tally_listing_text (listing, "number", NULL);
  tally_listing_text (listing, "key", delivery->key);
  tally_listing_text (listing, "pipeline", delivery->pipeline);
  tally_listing_text (listing, "stage", "target");
  tally_listing_text (listing, "row_origin", delivery->row_origin);
  tally_listing_time (listing, "at", delivery->settled_at);
  tally_listing_text (listing, "reason", reason);
  if (tally_listing_row_object (listing) != NULL)
    {
      tally_listing_add_text (tally_listing_row_object (listing), "entity", scope->entity);
      tally_listing_add_text (tally_listing_row_object (listing), "origin", scope->origin);
      tally_listing_add_text (tally_listing_row_object (listing), "target", scope->target);
    }
  tally_listing_end_row (listing);
  return TRUE;
}

static gboolean
list_reject (const TallyLedgerReject *reject, gpointer data, GError **error)
{
  TallyListing *listing = ((Rejects *)data)->listing;
  g_autofree char *number = g_strdup_printf ("%" G_GINT64_FORMAT, reject->id);

  tally_listing_text (listing, "number", number);
  tally_listing_text (listing, "key", NULL);
  tally_listing_text (listing, "pipeline", reject->pipeline);
  tally_listing_text (listing, "stage", reject->reject.stage);
  tally_listing_text (listing, "row_origin", reject->reject.origin);
  tally_listing_time (listing, "at", reject->at);
  tally_listing_text (listing, "reason", reject->reject.reason);
  if (tally_listing_row_object (listing) != NULL)
    tally_listing_add_text (tally_listing_row_object (listing), "record", reject->reject.record);
  tally_listing_end_row (listing);
  return TRUE;
}

static gboolean
rejects_list (Rejects *self, GError **error)
{
  const TallyLedgerFilter filter = { .state = TALLY_DELIVERY_REJECTED };

  self->listing = tally_listing_new (self->json);
  return tally_choice_each_delivery (&self->choice, &filter, list_delivery, self, error)
         && tally_choice_each_reject (&self->choice, list_reject, self, error);
}

/* ---- retry and discard ---- */

/* The chosen are gone through twice: what is to be read anew is settled first, so that a record is
 * released only when it is sure to be met again. */
static gboolean
handle_delivery (const TallyLedgerDelivery *delivery, const TallyScope *scope, gpointer data,
                 GError **error)
{
  Rejects *self = data;

  self->n_done++;
  if (self->choosing)
    {
      g_hash_table_add (self->pipelines, g_strdup (delivery->pipeline));
      return TRUE;
    }
  if (!tally_ledger_decide (
          self->choice.ledger, delivery->scope, delivery->key, self->state, NULL,
          self->state == TALLY_DELIVERY_RELEASED ? "released by user" : "discarded by user", error))
    return FALSE;
  return TRUE;
}

static gboolean
handle_deliveries (Rejects *self, GError **error)
{
  TallyLedgerFilter filter = { .state = TALLY_DELIVERY_REJECTED };

  if (self->all)
    return tally_choice_each_delivery (&self->choice, &filter, handle_delivery, self, error);
  for (char **key = self->keys; *key != NULL; key++)
    {
      guint before = self->n_done;

      filter.key = *key;
      if (!tally_choice_each_delivery (&self->choice, &filter, handle_delivery, self, error))
        return FALSE;
      if (self->n_done == before)
        return tally_throw (error, TALLY_ERROR_USAGE, "no delivery with key \"%s\" is rejected",
                            *key);
    }
  return TRUE;
}

static gboolean
is_chosen (const Rejects *self, const TallyLedgerReject *reject)
{
  g_autofree char *number = g_strdup_printf ("%" G_GINT64_FORMAT, reject->id);

  return self->all
         || (self->numbers != NULL && g_strv_contains ((const char *const *)self->numbers, number));
}

static gboolean
handle_reject (const TallyLedgerReject *reject, gpointer data, GError **error)
{
  Rejects *self = data;

  if (!is_chosen (self, reject))
    return TRUE;
  self->n_done++;
  if (self->choosing)
    g_hash_table_add (self->pipelines, g_strdup (reject->pipeline));
  else if (self->state == TALLY_DELIVERY_DISCARDED)
    return tally_ledger_discard_reject (self->choice.ledger, reject->id, error);
  return TRUE;
}

static gboolean
handle_rejects (Rejects *self, GError **error)
{
  guint before = self->n_done;

  if (!self->all && self->numbers == NULL)
    return TRUE;
  if (!tally_choice_each_reject (&self->choice, handle_reject, self, error))
    return FALSE;
  if (!self->all && self->n_done - before < g_strv_length (self->numbers))
    return tally_throw (error, TALLY_ERROR_USAGE, "of the numbers given, %u are those of rejects",
                        self->n_done - before);
  return TRUE;
}

static gboolean
read_anew (Rejects *self, GError **error)
{
  GHashTableIter each;
  gpointer pipeline;
  guint n;

  g_hash_table_iter_init (&each, self->pipelines);
  while (g_hash_table_iter_next (&each, &pipeline, NULL))
    {
      if (!tally_ledger_retry_rejects (self->choice.ledger, pipeline, &n, error))
        return FALSE;
      printf ("the next run of \"%s\" reads its source from the start\n", (const char *)pipeline);
    }
  return TRUE;
}

static gboolean
rejects_decide (Rejects *self, TallyDeliveryState state, GError **error)
{
  guint n_chosen;

  self->state = state;
  self->pipelines = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!self->all && self->keys[0] == NULL && self->numbers == NULL)
    return tally_throw (error, TALLY_ERROR_USAGE, "say which: keys, --number or --all");
  if (self->all && (self->keys[0] != NULL || self->numbers != NULL))
    return tally_throw (error, TALLY_ERROR_USAGE, "--all goes with neither keys nor --number");
  self->choosing = TRUE;
  if (!handle_deliveries (self, error) || !handle_rejects (self, error))
    return FALSE;
  n_chosen = self->n_done;
  if (state == TALLY_DELIVERY_RELEASED && !read_anew (self, error))
    return FALSE;

  /* Rejects on the way are gone with the reading that made them. */
  self->choosing = FALSE;
  self->n_done = 0;
  if (!handle_deliveries (self, error)
      || (state == TALLY_DELIVERY_DISCARDED && !handle_rejects (self, error)))
    return FALSE;
  printf ("%u %s %s\n", n_chosen, n_chosen == 1 ? "record is" : "records are",
          state == TALLY_DELIVERY_RELEASED ? "released" : "discarded");
  return TRUE;
}

static gboolean
rejects_retry (Rejects *self, GError **error)
{
  return rejects_decide (self, TALLY_DELIVERY_RELEASED, error);
}

static gboolean
rejects_discard (Rejects *self, GError **error)
{
  return rejects_decide (self, TALLY_DELIVERY_DISCARDED, error);
}

static const struct
{
  const char *name;
  gboolean (*act) (Rejects *self, GError **error);
  TallyLedgerFlags flags;
} actions[] = {
  { "list", rejects_list, TALLY_LEDGER_READ },
  { "retry", rejects_retry, 0 },
  { "discard", rejects_discard, 0 },
};

static int
rejects_main (int argc, char **argv)
{
  g_auto (Rejects) self = { 0 };
  const GOptionEntry entries[] = {
    { "all", 0, 0, G_OPTION_ARG_NONE, &self.all, "retry, discard: all of them", NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &self.json, "list: a line of JSON for each, with the record",
      NULL },
    { "ledger", 0, 0, G_OPTION_ARG_STRING, &self.uri,
      TALLY_CHOICE_LEDGER, "URI" },
    { "number", 'n', 0, G_OPTION_ARG_STRING_ARRAY, &self.numbers,
      "retry, discard: one that the source or a step refused", "N" },
    { "pipeline", 0, 0, G_OPTION_ARG_STRING, &self.pipeline, TALLY_CHOICE_SUMMARY, "PIPELINE" },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  TallyExit how;

  if (!tally_command_parse (&tally_command_rejects, entries, &argc, &argv))
    return TALLY_EXIT_USAGE;
  for (guint i = 0; argc >= 2 && i < G_N_ELEMENTS (actions); i++)
    if (g_str_equal (argv[1], actions[i].name)
        && (argc <= 3 || actions[i].flags != TALLY_LEDGER_READ))
      {
        gboolean is_listed = argc == 3 && actions[i].flags == TALLY_LEDGER_READ;

        self.keys = argv + 2;
        if (!tally_choice_open (&self.choice, is_listed ? argv[2] : self.pipeline, self.uri, actions[i].flags, &how))
          return how;
        return actions[i].act (&self, &error) ? TALLY_EXIT_COMPLETE : tally_command_fail (error);
      }
  tally_command_complain (
      "rejects takes \"list [PIPELINE]\", \"retry\" or \"discard\"; see 'tallyman rejects --help'");
  return TALLY_EXIT_USAGE;
}

const TallyCommand tally_command_rejects = {
  .name = "rejects",
  .arguments = "list [PIPELINE] | retry|discard KEY…|--number N|--all",
  .summary = "list records that were refused; let them be tried again, or forget them",
  .main = rejects_main,
};
