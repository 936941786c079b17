/* sink.c: zendesk-tickets, a delivering sink that creates tickets */
#include "sink.h"
#include "text.h"

#include <string.h>

/* Connections at once, should the server not take many requests over one: the core holds the number
 * of requests below it. */
#define MAX_CONNECTIONS 256

#define MINUTE (60 * G_USEC_PER_SEC)

const ZendeskModeRow zendesk_modes[] = {
  { "create", ZENDESK_MODE_CREATE, ZENDESK_API "/tickets.json", 120 * (gint64) MINUTE },
};

static const char *const mode_names[] = { "create", NULL };
static const char *const long_body_names[] = { "reject", "split", NULL };

static const TallyOption options[] = {
  { .name = "url", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_REQUIRED,
    .offset = G_STRUCT_OFFSET (ZendeskSink, url),
    .summary = "Address of the account; http:// for this machine alone",
    .example = "https://acme.zendesk.com" },
  { .name = "access_token", .type = TALLY_OPTION_SECRET,
    .offset = G_STRUCT_OFFSET (ZendeskSink, access_token),
    .summary = "OAuth access token", .example = "${ZENDESK_TOKEN}" },
  { .name = "email", .type = TALLY_OPTION_TEXT, .offset = G_STRUCT_OFFSET (ZendeskSink, email),
    .summary = "User that an API token acts for; with token", .example = "importer@acme.example" },
  { .name = "token", .type = TALLY_OPTION_SECRET, .offset = G_STRUCT_OFFSET (ZendeskSink, token),
    .summary = "API token; with email", .example = "${ZENDESK_API_TOKEN}" },
  { .name = "client_id", .type = TALLY_OPTION_TEXT, .offset = G_STRUCT_OFFSET (ZendeskSink, client_id),
    .summary = "OAuth client that fetches access tokens by itself; with client_secret",
    .example = "tallyman" },
  { .name = "client_secret", .type = TALLY_OPTION_SECRET,
    .offset = G_STRUCT_OFFSET (ZendeskSink, client_secret),
    .summary = "Secret of the OAuth client; with client_id", .example = "${ZENDESK_CLIENT_SECRET}" },
  { .name = "scope", .type = TALLY_OPTION_TEXT, .offset = G_STRUCT_OFFSET (ZendeskSink, scope),
    .fallback = "read write", .summary = "Scopes that the OAuth client asks for",
    .example = "tickets:read tickets:write users:read" },
  { .name = "mode", .type = TALLY_OPTION_CHOICE, .offset = G_STRUCT_OFFSET (ZendeskSink, mode),
    .fallback = "create", .choices = mode_names, .summary = "What is done with each record",
    .example = "create" },
  { .name = "long-body", .type = TALLY_OPTION_CHOICE, .offset = G_STRUCT_OFFSET (ZendeskSink, long_body),
    .fallback = "reject", .choices = long_body_names,
    .summary = "What is done with a text of more than 65535 bytes, which Zendesk would cut off",
    .example = "split" },
  { .name = "tags", .type = TALLY_OPTION_LIST, .offset = G_STRUCT_OFFSET (ZendeskSink, tags),
    .summary = "Tags added to each ticket", .example = "[imported, legacy]" },
  { .name = "run-tag", .type = TALLY_OPTION_BOOL, .offset = G_STRUCT_OFFSET (ZendeskSink, run_tag),
    .fallback = "true", .summary = "Whether each ticket gets the run's name as a tag",
    .example = "false" },
  { .name = "ignore", .type = TALLY_OPTION_LIST, .offset = G_STRUCT_OFFSET (ZendeskSink, ignore),
    .summary = "Columns that are not sent, beyond those that only the key needs", .example = "[notes]" },
  { .name = "timeout", .type = TALLY_OPTION_DURATION, .offset = G_STRUCT_OFFSET (ZendeskSink, timeout),
    .fallback = "60s", .min = G_USEC_PER_SEC / 10, .max = 60 * (gint64) MINUTE,
    .summary = "Longest time for one request and its answer", .example = "90s" },
  { .name = "connect-timeout", .type = TALLY_OPTION_DURATION,
    .offset = G_STRUCT_OFFSET (ZendeskSink, connect_timeout), .fallback = "15s",
    .min = G_USEC_PER_SEC / 10, .max = 10 * (gint64) MINUTE,
    .summary = "Longest time to connect", .example = "5s" },
  { .name = "lookup-lag", .type = TALLY_OPTION_DURATION,
    .offset = G_STRUCT_OFFSET (ZendeskSink, lookup_lag), .fallback = "0s", .min = 0,
    .max = 60 * (gint64) MINUTE,
    .summary = "Time after a request during which a lookup that finds nothing is not believed",
    .example = "120s" },
  { .name = "ca-file", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_PATH,
    .offset = G_STRUCT_OFFSET (ZendeskSink, ca_file),
    .summary = "Certificates to trust in place of the system's (PEM)", .example = "proxy-ca.pem" },
  { .name = "user-agent", .type = TALLY_OPTION_TEXT, .offset = G_STRUCT_OFFSET (ZendeskSink, user_agent),
    .summary = "Words added to the User-Agent, which Zendesk keeps with each ticket",
    .example = "acme-migration" },
  { 0 },
};

/* --- rules between options --- */

/* What may go into a header: anything else could end it and begin another. */
static gboolean
check_plain (const char *name, const char *value, gboolean blanks, GError **error)
{
  for (const char *p = value; p != NULL && *p != '\0'; p++)
    if (!g_ascii_isgraph (*p) && !(blanks && *p == ' '))
      return tally_throw (error, TALLY_ERROR_USAGE,
                          "\"%s\" has a %s in it", name,
                          g_ascii_isspace (*p) ? "blank or line break" : "character other than ASCII");
  return TRUE;
}

static gboolean
check_pair (const char *one_name, const char *one, const char *other_name, const char *other,
            GError **error)
{
  if ((one == NULL) == (other == NULL))
    return TRUE;
  return tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" needs \"%s\" with it",
                      one != NULL ? one_name : other_name, one != NULL ? other_name : one_name);
}

static gboolean
check_credentials (const ZendeskSink *sink, GError **error)
{
  guint ways = (sink->access_token != NULL) + (sink->email != NULL) + (sink->client_id != NULL);

  if (!check_pair ("email", sink->email, "token", sink->token, error)
      || !check_pair ("client_id", sink->client_id, "client_secret", sink->client_secret, error))
    return FALSE;
  if (ways != 1)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "credentials are given in %s: \"access_token\", or \"email\" with \"token\", or "
                        "\"client_id\" with \"client_secret\"",
                        ways == 0 ? "one of three ways" : "one way only");
  if (sink->access_token != NULL && *sink->access_token == '\0')
    return tally_throw (error, TALLY_ERROR_USAGE, "\"access_token\" is empty");
  return check_plain ("access_token", sink->access_token, /* blanks= */ FALSE, error)
         && check_plain ("email", sink->email, /* blanks= */ FALSE, error)
         && check_plain ("token", sink->token, /* blanks= */ FALSE, error);
}

static gboolean
check_tags (char **tags, GError **error)
{
  for (guint i = 0; tags != NULL && tags[i] != NULL; i++)
    if (*tags[i] == '\0' || strpbrk (tags[i], " ,\t\r\n") != NULL)
      return tally_throw (error, TALLY_ERROR_USAGE,
                          "\"%s\" in \"tags\" is no tag: blanks and commas separate tags", tags[i]);
  return TRUE;
}

static gboolean
sink_check (gpointer self, GError **error)
{
  ZendeskSink *sink = self;
  g_autofree char *base = NULL, *target = NULL;

  return zendesk_url_parse (sink->url, &base, &target, error) && check_credentials (sink, error)
         && check_tags (sink->tags, error)
         && check_plain ("user-agent", sink->user_agent, /* blanks= */ TRUE, error);
}

static gboolean
sink_accept (gpointer self, TallySchema *schema, GError **error)
{
  ZendeskSink *sink = self;

  return zendesk_plan_accept (&sink->plan, zendesk_modes[sink->mode].mode, schema,
                              (const char *const *) sink->ignore, error);
}

static void
sink_profile (gpointer self, TallyDeliveryProfile *ret_profile)
{
  ZendeskSink *sink = self;

  ret_profile->entity = "ticket";
  ret_profile->key_life = sink->keys == ZENDESK_KEYS_IGNORED ? 0 : zendesk_modes[sink->mode].key_life;
  ret_profile->settle = MINUTE;
  ret_profile->in_flight = TALLY_IN_FLIGHT_UNKNOWN;
  ret_profile->can_resolve = TRUE;
  ret_profile->max_in_flight = 16;
}

/* --- at work --- */

static gboolean
sink_open (gpointer self, TallyContext *ctx, GError **error)
{
  ZendeskSink *sink = self;
  g_autofree char *target = NULL;

  if (!zendesk_url_parse (sink->url, &sink->base, &target, error))
    return FALSE;
  sink->ctx = ctx;
  sink->keys = ZENDESK_KEYS_UNPROVEN;
  sink->errands = g_ptr_array_new ();
  sink->agent = g_strconcat ("tallyman/" ZENDESK_VERSION, sink->user_agent != NULL ? " " : "",
                             sink->user_agent, NULL);
  zendesk_access_init (sink);
  tally_context_set_target (ctx, target);

  ZendeskHttpConfig config = { .base = sink->base,
                               .ca_file = sink->ca_file,
                               .user_agent = sink->agent,
                               .timeout = sink->timeout,
                               .connect_timeout = sink->connect_timeout,
                               .connections = MAX_CONNECTIONS };
  ZendeskHttp *http = zendesk_http_new (&config, error);
  if (http == NULL)
    return FALSE;
  g_atomic_pointer_set (&sink->http, http);
  return zendesk_account_enter (sink, error)
         && (sink->plan.n_custom == 0 || zendesk_account_read_fields (sink, error));
}

static gboolean
sink_probe (gpointer self, TallyContext *ctx, GError **error)
{
  return zendesk_account_probe (self, error);
}

static gboolean
sink_render (gpointer self, TallyContext *ctx, const TallyBatch *batch, guint row,
             const char *reference, GString *ret_body, GError **error)
{
  ZendeskSink *sink = self;
  ZendeskRender render = { .plan = &sink->plan,
                           .fields = sink->fields,
                           .tags = (const char *const *) sink->tags,
                           .run_tag = sink->run_tag ? tally_context_run_tag (ctx) : NULL,
                           .long_body = sink->long_body };
  gboolean placeholder = FALSE;

  if (!zendesk_render (&render, batch, row, reference, ret_body, &placeholder, error))
    return FALSE;
  if (placeholder)
    tally_context_warn (ctx, "a text has \"{{\" in it: where its author is an agent, Zendesk takes that "
                             "for a placeholder and replaces it");
  return TRUE;
}

static void
sink_interrupt (gpointer self)
{
  ZendeskSink *sink = self;
  ZendeskHttp *http = g_atomic_pointer_get (&sink->http);

  if (http != NULL)
    zendesk_http_wake (http);
}

static void
sink_close (gpointer self)
{
  ZendeskSink *sink = self;
  ZendeskHttp *http = sink->http;

  g_atomic_pointer_set (&sink->http, NULL);
  zendesk_http_free (http);
  zendesk_errands_drop (sink);
  g_clear_pointer (&sink->errands, g_ptr_array_unref);
  g_clear_pointer (&sink->fields, g_ptr_array_unref);
  zendesk_access_clear (&sink->access);
  g_clear_pointer (&sink->base, g_free);
  g_clear_pointer (&sink->agent, g_free);
}

static const TallyDeliverySink delivery = {
  TALLY_DELIVERY_SINK_INIT,
  .profile = sink_profile,
  .render = sink_render,
  .send = zendesk_send,
  .resolve = zendesk_resolve,
  .drive = zendesk_drive,
};

static const TallyPlugin zendesk_tickets = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SINK,
  .name = "zendesk-tickets",
  .summary = "Creates a Zendesk ticket for each record, exactly once",
  .threading = TALLY_THREADING_INSTANCE,
  .instance_size = sizeof (ZendeskSink),
  .options = options,
  .check = sink_check,
  .accept = sink_accept,
  .open = sink_open,
  .probe = sink_probe,
  .delivery = &delivery,
  .interrupt = sink_interrupt,
  .close = sink_close,
};

TALLY_REGISTER (&zendesk_tickets);
