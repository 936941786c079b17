/* trace.c: tallyman trace KEY: the whole life of a record */
#include "listing.h"
#include <stdio.h>
#include <string.h>

typedef struct
{
  TallyLedger *ledger;
  gboolean json, bytes;
  guint n_found;
} Trace;

/* ---- For a person ---- */

static void
show (const char *label, const char *value)
{
  if (value == NULL || *value == '\0')
    return;

  g_autofree char *clean = tally_listing_clean (value, strlen (value), FALSE);
  printf ("  %-16s %s\n", label, clean);
}

static void
show_number (const char *label, gint64 number, const char *suffix)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT "%s", number, suffix);

  show (label, text);
}

static void
show_time (const char *label, gint64 time)
{
  g_autofree char *text = tally_listing_format_time (time);

  if (time != 0)
    show (label, text);
}

static void
show_event (const TallyLedgerEvent *event)
{
  g_autofree char *time = tally_listing_format_time (event->at);
  g_autofree char *clean = event->detail != NULL
                               ? tally_listing_clean (event->detail, strlen (event->detail), FALSE)
                               : NULL;

  printf ("  %s  generation %u  %s", time, event->generation, event->event);
  if (event->status != 0)
    printf (" (%d)", event->status);
  if (clean != NULL)
    printf (": %s", clean);
  putchar ('\n');
}

static void
show_request (const TallyLedgerDelivery *delivery, gboolean bytes)
{
  gsize length = 0;
  const char *data
      = delivery->request != NULL ? g_bytes_get_data (delivery->request, &length) : NULL;
  g_autofree char *text
      = delivery->request != NULL
            ? g_strdup_printf ("%s, %" G_GSIZE_FORMAT " bytes are kept", delivery->request_hash,
                               length)
            : g_strdup_printf ("%s, its bytes are not kept any more", delivery->request_hash);

  show ("request", text);
  if (!bytes || delivery->request == NULL)
    return;
  g_autofree char *clean
      = tally_listing_clean (data != NULL ? data : "", length, /* keep_lines= */ TRUE);
  printf ("\n%s\n", clean);
}

static void
show_delivery (const Trace *trace, const TallyLedgerDelivery *delivery, const TallyScope *scope,
               const GPtrArray *events)
{
  printf ("%s%s \"%s\" of %s in %s\n", trace->n_found > 0 ? "\n" : "", scope->entity, delivery->key,
          scope->origin, scope->target);
  show ("state", tally_delivery_state_name (delivery->state));
  show ("id", delivery->target_id);
  show_time ("known since", delivery->known_since);
  show ("also there", delivery->other_ids);
  show ("reference", delivery->reference);
  show ("from", delivery->row_origin);
  show_number ("generation", delivery->generation, "");
  show_number ("run", delivery->run, "");
  show_time ("intended", delivery->intended_at);
  show_time ("settled", delivery->settled_at);
  show_number ("sends", delivery->attempts, "");
  if (delivery->status != 0)
    show_number ("last answer", delivery->status, "");
  show ("detail", delivery->detail);
  show ("receipt", delivery->receipt);
  show ("idempotency key", delivery->idempotency_key);
  show ("content", delivery->content_hash);
  show_request (delivery, trace->bytes);
  if (events->len > 0)
    putchar ('\n');
  for (guint i = 0; i < events->len; i++)
    show_event (g_ptr_array_index (events, i));
}

/* ---- For a program ---- */

static char *
format_events (const GPtrArray *events)
{
  GString *json = g_string_new ("[");

  for (guint i = 0; i < events->len; i++)
    {
      const TallyLedgerEvent *event = g_ptr_array_index (events, i);
      g_autoptr (GString) object = tally_listing_object ();

      tally_listing_add_time (object, "at", event->at);
      tally_listing_add_number (object, "run", event->run);
      tally_listing_add_number (object, "generation", event->generation);
      tally_listing_add_text (object, "event", event->event);
      tally_listing_add_number (object, "status", event->status);
      tally_listing_add_text (object, "detail", event->detail);
      g_string_append_printf (json, "%s%s}", i > 0 ? ", " : "", object->str);
    }
  g_string_append_c (json, ']');
  return g_string_free (json, FALSE);
}

/* As text where it is text, else as base64. */
static void
add_request (GString *object, GBytes *request)
{
  gsize length;
  const char *data = g_bytes_get_data (request, &length);

  if (g_utf8_validate_len (data != NULL ? data : "", length, NULL))
    {
      g_autofree char *text = g_strndup (data, length);
      tally_listing_add_text (object, "request", text);
      return;
    }
  g_autofree char *encoded = g_base64_encode ((const guchar *)data, length);
  tally_listing_add_text (object, "request_base64", encoded);
}

static void
print_object (const Trace *trace, const TallyLedgerDelivery *delivery, const TallyScope *scope,
              const GPtrArray *events)
{
  g_autoptr (GString) object = tally_listing_object ();
  g_autofree char *list = format_events (events);

  tally_listing_add_text (object, "key", delivery->key);
  tally_listing_add_text (object, "entity", scope->entity);
  tally_listing_add_text (object, "origin", scope->origin);
  tally_listing_add_text (object, "target", scope->target);
  tally_listing_add_text (object, "state", tally_delivery_state_name (delivery->state));
  tally_listing_add_number (object, "generation", delivery->generation);
  tally_listing_add_text (object, "target_id", delivery->target_id);
  tally_listing_add_time (object, "known_since", delivery->known_since);
  tally_listing_add_text (object, "other_ids", delivery->other_ids);
  tally_listing_add_text (object, "reference", delivery->reference);
  tally_listing_add_text (object, "row_origin", delivery->row_origin);
  tally_listing_add_number (object, "run", delivery->run);
  tally_listing_add_number (object, "pass", delivery->pass);
  tally_listing_add_time (object, "intended_at", delivery->intended_at);
  tally_listing_add_time (object, "intended_target", delivery->intended_target);
  tally_listing_add_time (object, "settled_at", delivery->settled_at);
  tally_listing_add_number (object, "attempts", delivery->attempts);
  tally_listing_add_number (object, "status", delivery->status);
  tally_listing_add_text (object, "detail", delivery->detail);
  tally_listing_add_text (object, "receipt", delivery->receipt);
  tally_listing_add_text (object, "idempotency_key", delivery->idempotency_key);
  tally_listing_add_text (object, "request_hash", delivery->request_hash);
  tally_listing_add_text (object, "content_hash", delivery->content_hash);
  if (trace->bytes && delivery->request != NULL)
    add_request (object, delivery->request);
  tally_listing_add_json (object, "events", list);
  printf ("%s}\n", object->str);
}

/* ---- The command ---- */

static gboolean
trace_delivery (const TallyLedgerDelivery *delivery, const TallyScope *scope, gpointer data,
                GError **error)
{
  Trace *trace = data;
  g_autoptr (GPtrArray) events
      = tally_ledger_list_events (trace->ledger, delivery->scope, delivery->key, error);

  if (events == NULL)
    return FALSE;
  (trace->json ? print_object : show_delivery) (trace, delivery, scope, events);
  trace->n_found++;
  return TRUE;
}

static int
trace_main (int argc, char **argv)
{
  g_autofree char *uri = NULL;
  Trace trace = { 0 };
  const GOptionEntry entries[] = {
    { "bytes", 0, 0, G_OPTION_ARG_NONE, &trace.bytes,
      "Show the request's bytes, if they are still kept", NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &trace.json, "A line of JSON for each delivery", NULL },
    { "ledger", 0, 0, G_OPTION_ARG_STRING, &uri,
      "Where the ledger is, if not in the state directory", "URI" },
    { NULL },
  };
  TallyLedgerFilter filter = { .any_state = TRUE };
  g_autoptr (TallyLedger) ledger = NULL;
  g_autoptr (GError) error = NULL;

  if (!tally_command_parse (&tally_command_trace, entries, &argc, &argv))
    return TALLY_EXIT_USAGE;
  if (argc != 2)
    {
      tally_command_complain ("trace takes one key");
      return TALLY_EXIT_USAGE;
    }
  if ((ledger = tally_command_open_ledger (uri, TALLY_LEDGER_READ)) == NULL)
    return TALLY_EXIT_FAILED;

  filter.key = argv[1];
  trace.ledger = ledger;
  if (!tally_ledger_each_delivery (ledger, &filter, trace_delivery, &trace, &error))
    return tally_command_fail (error);
  if (trace.n_found > 0)
    return TALLY_EXIT_COMPLETE;
  tally_command_complain ("no delivery has key \"%s\" in the ledger %s", argv[1],
                          tally_ledger_description (ledger));
  return TALLY_EXIT_FAILED;
}

const TallyCommand tally_command_trace = {
  .name = "trace",
  .arguments = "KEY",
  .summary = "show the whole life of a record: row, states, sends, answers",
  .main = trace_main,
};
