/* doubt.c: tallyman doubt list|resolve|reconcile: records whose fate is not known, and a user's word on one
 */
#include "choice.h"
#include "reconcile.h"
#include <stdio.h>
#include <string.h>

typedef struct
{
  gboolean json;
  char *uri;                      /* (owned) (nullable) */
  char *pipeline;                 /* (owned) (nullable) */
  char *target, *origin, *entity; /* (owned) (nullable) */
  char *delivered;                /* (owned) (nullable) the id */
  gboolean absent;
  gboolean leave_others, unsafe_ledger;
  char *since;           /* (owned) (nullable) */
  TallyListing *listing; /* (owned) (nullable) */
  GArray *scopes;        /* (owned) (nullable) those in which the key is unsettled */
  GString *places;       /* (owned) (nullable) the same for a person */
  char *found_in;        /* (owned) (nullable) the pipeline whose run intended it */
} Doubt;

static void
doubt_clear (Doubt *self)
{
  g_free (self->uri);
  g_free (self->pipeline);
  g_free (self->target);
  g_free (self->origin);
  g_free (self->entity);
  g_free (self->delivered);
  g_free (self->since);
  g_free (self->found_in);
  g_clear_pointer (&self->listing, tally_listing_free);
  g_clear_pointer (&self->scopes, g_array_unref);
  if (self->places != NULL)
    g_string_free (self->places, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Doubt, doubt_clear)

static gboolean
is_meant (const char *wish, const char *value)
{
  return wish == NULL || g_str_equal (wish, value);
}

static gboolean
scope_is_meant (const Doubt *self, const TallyScope *scope)
{
  return is_meant (self->target, scope->target) && is_meant (self->origin, scope->origin)
         && is_meant (self->entity, scope->entity);
}

/* ---- list ---- */

static gboolean
list_one (const TallyLedgerDelivery *delivery, const TallyScope *scope, gpointer data,
          GError **error)
{
  Doubt *self = data;

  if (!scope_is_meant (self, scope))
    return TRUE;
  tally_listing_text (self->listing, "key", delivery->key);
  tally_listing_text (self->listing, "entity", scope->entity);
  tally_listing_text (self->listing, "origin", scope->origin);
  tally_listing_text (self->listing, "target", scope->target);
  tally_listing_text (self->listing, "pipeline", delivery->pipeline);
  tally_listing_text (self->listing, "state", tally_delivery_state_name (delivery->state));
  tally_listing_number (self->listing, "generation", delivery->generation);
  tally_listing_time (self->listing, "intended_at", delivery->intended_at);
  tally_listing_number (self->listing, "sends", delivery->attempts);
  tally_listing_text (self->listing, "row_origin", delivery->row_origin);
  tally_listing_text (self->listing, "detail", delivery->detail);
  tally_listing_end_row (self->listing);
  return TRUE;
}

static TallyExit
doubt_list (Doubt *self, char **arguments)
{
  const char *pipeline = arguments[0] != NULL ? arguments[0] : self->pipeline;
  const TallyLedgerFilter filter = { .unsettled = TRUE };
  g_auto (TallyChoice) choice = { 0 };
  g_autoptr (GError) error = NULL;
  TallyExit how;

  if (!tally_choice_open (&choice, pipeline, self->uri, TALLY_LEDGER_READ, &how))
    return how;
  self->listing = tally_listing_new (self->json);
  if (!tally_choice_each_delivery (&choice, &filter, list_one, self, &error))
    return tally_command_fail (error);
  return TALLY_EXIT_COMPLETE;
}

/* ---- resolve ---- */

static gboolean
note_scope (const TallyLedgerDelivery *delivery, const TallyScope *scope, gpointer data,
            GError **error)
{
  Doubt *self = data;

  if (!scope_is_meant (self, scope))
    return TRUE;
  g_array_append_val (self->scopes, delivery->scope);
  g_free (self->found_in);
  self->found_in = g_strdup (delivery->pipeline);
  g_string_append_printf (self->places, "%s%s of %s in %s", self->places->len > 0 ? "; " : "",
                          scope->entity, scope->origin, scope->target);
  return TRUE;
}

static gboolean
find_scope (Doubt *self, const TallyChoice *choice, const char *key, gint64 *ret_scope, GError **error)
{
  const TallyLedgerFilter filter = { .key = key, .unsettled = TRUE };

  self->scopes = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->places = g_string_new (NULL);
  if (!tally_choice_each_delivery (choice, &filter, note_scope, self, error))
    return FALSE;
  if (self->scopes->len == 0)
    return tally_throw (error, TALLY_ERROR_USAGE, "no delivery with key \"%s\" is unsettled", key);
  if (self->scopes->len > 1)
    return tally_throw (
        error, TALLY_ERROR_USAGE,
        "key \"%s\" is unsettled more than once: %s; say which with --target, --origin or --entity",
        key, self->places->str);
  *ret_scope = g_array_index (self->scopes, gint64, 0);
  return TRUE;
}

static TallyExit
doubt_resolve (Doubt *self, char **arguments)
{
  TallyDeliveryState state = self->absent ? TALLY_DELIVERY_RELEASED : TALLY_DELIVERY_DELIVERED;
  g_auto (TallyChoice) choice = { 0 };
  g_autoptr (GError) error = NULL;
  TallyExit how;
  gint64 scope = 0;
  guint n;

  if (arguments[0] == NULL || arguments[1] != NULL || self->absent == (self->delivered != NULL))
    {
      tally_command_complain ("doubt resolve takes a key and either --delivered ID or --absent");
      return TALLY_EXIT_USAGE;
    }
  if (!tally_choice_open (&choice, self->pipeline, self->uri, 0, &how))
    return how;
  /* A released one must be met again, hence the source is read anew; if that is all that comes to
   * pass, nothing is lost. */
  if (!find_scope (self, &choice, arguments[0], &scope, &error)
      || (self->absent && !tally_ledger_retry_rejects (choice.ledger, self->found_in, &n, &error))
      || !tally_ledger_decide (choice.ledger, scope, arguments[0], state, self->delivered,
                               self->absent ? "released by user" : "delivered, says the user",
                               &error))
    return tally_command_fail (error);

  if (self->absent)
    printf ("\"%s\" is released: the next run of \"%s\" reads its source from the start, and "
            "creates it\n",
            arguments[0], self->found_in);
  else
    printf ("\"%s\" is delivered as %s\n", arguments[0], self->delivered);
  return TALLY_EXIT_COMPLETE;
}

static int
doubt_main (int argc, char **argv)
{
  g_auto (Doubt) self = { 0 };
  const GOptionEntry entries[] = {
    { "absent", 0, 0, G_OPTION_ARG_NONE, &self.absent, "resolve: it is surely not in the target",
      NULL },
    { "delivered", 0, 0, G_OPTION_ARG_STRING, &self.delivered,
      "resolve: it is in the target, with this id", "ID" },
    { "entity", 0, 0, G_OPTION_ARG_STRING, &self.entity, "Only of this kind: ticket", "NAME" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &self.json,
      "list: a line of JSON for each; reconcile: for each finding, and one with the counts of each pipeline",
      NULL },
    { "leave-others", 0, 0, G_OPTION_ARG_NONE, &self.leave_others,
      "reconcile: accept the ledger although it has deliveries of pipelines that are not named", NULL },
    { "ledger", 0, 0, G_OPTION_ARG_STRING, &self.uri,
      TALLY_CHOICE_LEDGER, "URI" },
    { "origin", 0, 0, G_OPTION_ARG_STRING, &self.origin, "Only of this origin", "NAME" },
    { "pipeline", 0, 0, G_OPTION_ARG_STRING, &self.pipeline, TALLY_CHOICE_SUMMARY, "PIPELINE" },
    { "since", 0, 0, G_OPTION_ARG_STRING, &self.since,
      "reconcile: look only at what was created or changed in the target since then, and not for what is "
      "missing",
      "TIME" },
    { "target", 0, 0, G_OPTION_ARG_STRING, &self.target, "Only in this target", "NAME" },
    { "unsafe-ledger", 0, 0, G_OPTION_ARG_NONE, &self.unsafe_ledger,
      "reconcile: on a ledger whose server does not sync", NULL },
    { NULL },
  };

  if (!tally_command_parse (&tally_command_doubt, entries, &argc, &argv))
    return TALLY_EXIT_USAGE;
  if (argc >= 2 && argc <= 3 && g_str_equal (argv[1], "list"))
    return doubt_list (&self, argv + 2);
  if (argc >= 2 && g_str_equal (argv[1], "resolve"))
    return doubt_resolve (&self, argv + 2);
  if (argc >= 2 && g_str_equal (argv[1], "reconcile"))
    return tally_doubt_reconcile (&(TallyReconcileWish){ .json = self.json,
                                                         .leave_others = self.leave_others,
                                                         .unsafe_ledger = self.unsafe_ledger,
                                                         .ledger = self.uri,
                                                         .since = self.since },
                                  argv + 2);
  tally_command_complain ("doubt takes \"list [PIPELINE]\", \"resolve KEY\" or \"reconcile PIPELINE…\"; see "
                          "'tallyman doubt --help'");
  return TALLY_EXIT_USAGE;
}

const TallyCommand tally_command_doubt = {
  .name = "doubt",
  .arguments = "list [PIPELINE] | resolve KEY --delivered ID|--absent | reconcile PIPELINE…",
  .summary = "list records whose fate is not known; settle one by your word, or all by the target",
  .main = doubt_main,
};
