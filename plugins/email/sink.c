/* sink.c: email, a delivering sink that sends a mail for each record
 *
 * SMTP has no keys and cannot be asked.  A mail whose last answer was lost is in doubt, and stays so,
 * unless the user would rather have it twice than not at all.
 */
#include "email.h"
#include "envelope.h"
#include "smtp-pool.h"
#include <string.h>

#define SECOND ((gint64) G_USEC_PER_SEC)

typedef struct
{
  /* options */
  MailServer server;
  char *helo, *from, *to, *return_path, *attachments_root;
  gint in_doubt;
  gint64 max_message;
  char **ignore;

  EmailPlan plan;
  EmailRules rules;
  SmtpOffer offer;

  /* from open() to close() */
  TallyContext *ctx;     /* (unowned) */
  SmtpPool *pool;        /* (owned) interrupt() looks at it from other threads */
  GHashTable *under_way; /* (owned) (element-type EmailEnvelope TallyDelivery) */
} EmailSink;

enum { DOUBT_HOLD, DOUBT_RESEND };

static const char *const doubt_names[] = { "hold", "resend", NULL };

static const TallyOption options[] = {
  { .name = "url", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_REQUIRED, .offset = G_STRUCT_OFFSET (EmailSink, server.url),
    .summary = "Server that takes the mail; smtps:// for TLS from the first byte, smtp:// for STARTTLS",
    .example = "smtp://mail.example.org:587" },
  { .name = "tls", .type = TALLY_OPTION_CHOICE, .offset = G_STRUCT_OFFSET (EmailSink, server.tls), .fallback = "required",
    .choices = mail_tls_names, .summary = "Whether the connection must be secure; off for a server on this machine", .example = "off" },
  { .name = "user", .type = TALLY_OPTION_TEXT, .offset = G_STRUCT_OFFSET (EmailSink, server.user), .summary = "Who logs in",
    .example = "reports@example.org" },
  { .name = "password", .type = TALLY_OPTION_SECRET, .offset = G_STRUCT_OFFSET (EmailSink, server.password),
    .summary = "The user's password", .example = "${MAIL_PASSWORD}" },
  { .name = "access-token", .type = TALLY_OPTION_SECRET, .offset = G_STRUCT_OFFSET (EmailSink, server.access_token),
    .summary = "OAuth access token in place of a password, for XOAUTH2", .example = "${MAIL_TOKEN}" },
  { .name = "ca-file", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_PATH, .offset = G_STRUCT_OFFSET (EmailSink, server.ca_file),
    .summary = "Certificates to trust in place of the system's", .example = "ca.pem" },
  { .name = "from", .type = TALLY_OPTION_TEXT, .offset = G_STRUCT_OFFSET (EmailSink, from),
    .summary = "Sender of records whose column \"from\" names none", .example = "Reports <reports@example.org>" },
  { .name = "to", .type = TALLY_OPTION_TEXT, .offset = G_STRUCT_OFFSET (EmailSink, to),
    .summary = "Recipients of records whose columns name none", .example = "ann@example.org, bob@example.org" },
  { .name = "return-path", .type = TALLY_OPTION_TEXT, .offset = G_STRUCT_OFFSET (EmailSink, return_path),
    .summary = "Where mail that cannot be delivered goes; the sender if not given", .example = "bounces@example.org" },
  { .name = "in-doubt", .type = TALLY_OPTION_CHOICE, .offset = G_STRUCT_OFFSET (EmailSink, in_doubt), .fallback = "hold",
    .choices = doubt_names, .summary = "What is done with a mail whose last answer was lost: perhaps never there, or perhaps twice",
    .example = "resend" },
  { .name = "max-message", .type = TALLY_OPTION_SIZE, .offset = G_STRUCT_OFFSET (EmailSink, max_message), .fallback = "25MiB",
    .min = 1024, .max = 64 << 20, .summary = "Largest message, attachments included", .example = "10MiB" },
  { .name = "attachments-root", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_PATH,
    .offset = G_STRUCT_OFFSET (EmailSink, attachments_root),
    .summary = "Folder outside of which no file is attached, whatever the records say", .example = "export/files" },
  { .name = "ignore", .type = TALLY_OPTION_LIST, .offset = G_STRUCT_OFFSET (EmailSink, ignore),
    .summary = "Columns that are not sent, beyond those that only the key needs", .example = "[notes]" },
  { .name = "helo", .type = TALLY_OPTION_TEXT, .offset = G_STRUCT_OFFSET (EmailSink, helo),
    .summary = "What this machine calls itself; its host name if not given", .example = "app.example.org" },
  { .name = "timeout", .type = TALLY_OPTION_DURATION, .offset = G_STRUCT_OFFSET (EmailSink, server.timeout), .fallback = "600s",
    .min = SECOND, .max = 3600 * SECOND, .summary = "How long the server may be silent", .example = "120s" },
  { .name = "connect-timeout", .type = TALLY_OPTION_DURATION, .offset = G_STRUCT_OFFSET (EmailSink, server.connect_timeout),
    .fallback = "60s", .min = SECOND, .max = 3600 * SECOND, .summary = "How long connecting and logging in may take",
    .example = "10s" },
  { 0 },
};

/* ---- Rules between options ---- */

/* bare: without a name; most: how many there may be. */
static gboolean
check_addresses (const char *name, const char *text, gboolean bare, guint most, GError **error)
{
  g_autoptr (InternetAddressList) list = internet_address_list_new ();

  if (text == NULL)
    return TRUE;
  if (!email_check_header (text, error)
      || !(bare ? email_addresses_add (list, NULL, text, error) : email_addresses_add_list (list, text, error)))
    {
      tally_throw_prefix (error, "\"%s\"", name);
      if (error != NULL && *error != NULL)
        (*error)->code = TALLY_ERROR_USAGE;
      return FALSE;
    }
  return email_addresses_count (list) <= most
         || tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" names %u addresses, and one is needed", name, email_addresses_count (list));
}

static gboolean
check_helo (const EmailSink *sink, GError **error)
{
  for (const char *p = sink->helo != NULL ? sink->helo : ""; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr (".-_[]:", *p) == NULL)
      return tally_throw (error, TALLY_ERROR_USAGE, "\"helo\" is no host's name");
  return TRUE;
}

static gboolean
sink_check (gpointer self, GError **error)
{
  EmailSink *sink = self;

  email_init ();
  return mail_server_check (&sink->server, "smtp", "smtp://mail.example.org:587", error)
         && check_addresses ("from", sink->from, FALSE, 1, error)
         && check_addresses ("to", sink->to, FALSE, EMAIL_MAX_ADDRESSES, error)
         && check_addresses ("return-path", sink->return_path, TRUE, 1, error) && check_helo (sink, error);
}

static gboolean
sink_accept (gpointer self, TallySchema *schema, GError **error)
{
  EmailSink *sink = self;
  const gint *columns = sink->plan.columns;

  if (!email_plan_accept (&sink->plan, schema, (const char *const *) sink->ignore, /* takes_raw= */ FALSE, error))
    return FALSE;
  if (columns[EMAIL_FROM] < 0 && sink->from == NULL)
    return tally_throw (error, TALLY_ERROR_USAGE, "nobody sends: give a column or an option \"from\"");
  if (columns[EMAIL_TO] < 0 && columns[EMAIL_CC] < 0 && columns[EMAIL_BCC] < 0 && sink->to == NULL)
    return tally_throw (error, TALLY_ERROR_USAGE, "it goes to nobody: give a column \"to\", \"cc\" or \"bcc\", or an option \"to\"");
  return TRUE;
}

static void
sink_profile (gpointer self, TallyDeliveryProfile *ret_profile)
{
  EmailSink *sink = self;

  ret_profile->entity = "mail";
  ret_profile->may_repeat = sink->in_doubt == DOUBT_RESEND;
  ret_profile->settle = sink->in_doubt == DOUBT_RESEND ? 60 * SECOND : 0;
  ret_profile->in_flight = TALLY_IN_FLIGHT_DUPLICATES;
  ret_profile->max_in_flight = 1; /* after a crash, few are in doubt */
}

/* ---- At work ---- */

static gboolean
is_interrupted (gpointer data)
{
  return tally_context_is_interrupted (data);
}

/* The first connection tells of a wrong password before any record is at stake. */
static gboolean
greet (EmailSink *sink, const SmtpConfig *config, GError **error)
{
  Smtp *smtp = smtp_new (config, is_interrupted, sink->ctx);
  gboolean good = smtp_greet (smtp, &sink->offer, error);

  smtp_free (smtp);
  return good;
}

static void
set_target (EmailSink *sink, TallyContext *ctx)
{
  g_autoptr (GUri) url = g_uri_parse (sink->server.url, G_URI_FLAGS_NONE, NULL);
  g_autofree char *host = g_ascii_strdown (g_uri_get_host (url), -1);
  g_autofree char *target = g_strdup_printf ("mail by %s%s%s", sink->server.user != NULL ? sink->server.user : "",
                                             sink->server.user != NULL ? " at " : "", host);

  tally_context_set_target (ctx, target);
}

static gboolean
sink_open (gpointer self, TallyContext *ctx, GError **error)
{
  EmailSink *sink = self;
  const SmtpConfig config = { .server = &sink->server, .helo = sink->helo };

  sink->ctx = ctx;
  sink->rules = (EmailRules){ .directory = tally_context_directory (ctx),
                              .root = sink->attachments_root,
                              .most = sink->max_message,
                              .from = sink->from,
                              .to = sink->to };
  sink->under_way = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) email_envelope_free, NULL);
  set_target (sink, ctx);
  if (!greet (sink, &config, error))
    return FALSE;
  g_atomic_pointer_set (&sink->pool, smtp_pool_new (&config));
  return TRUE;
}

static gboolean
sink_probe (gpointer self, TallyContext *ctx, GError **error)
{
  EmailSink *sink = self;

  if (sink->server.user != NULL && !sink->offer.auth)
    tally_context_tell (ctx, TALLY_FINDING_PROBLEM, "leave \"user\" out, or use the port for clients, often 587 or 465",
                        "the server offers no login");
  else if (sink->server.user != NULL)
    tally_context_tell (ctx, TALLY_FINDING_OK, NULL, "the server takes the login of \"%s\"", sink->server.user);
  if (sink->offer.size > 0 && sink->offer.size < sink->max_message)
    tally_context_tell (ctx, TALLY_FINDING_WARNING, "set \"max-message\", so that larger ones are rejected before they are sent",
                        "the server takes messages of %" G_GINT64_FORMAT " bytes at most", sink->offer.size);
  if (sink->plan.columns[EMAIL_HTML] >= 0 && sink->plan.columns[EMAIL_TEXT] < 0)
    tally_context_tell (ctx, TALLY_FINDING_WARNING, "a step \"set\" makes one: text: html_to_text(html)",
                        "mails have HTML, and no text for those who do not show it");
  return TRUE;
}

static gboolean
sink_render (gpointer self, TallyContext *ctx, const TallyBatch *batch, guint row, const char *reference, GString *ret_body,
             GError **error)
{
  EmailSink *sink = self;
  g_auto (EmailLetter) letter = { 0 };

  return email_letter_read (&letter, &sink->plan, &sink->rules, batch, row, reference, error)
         && email_envelope_append (&letter, sink->return_path, ret_body, error)
         && email_compose (&letter, /* keep_bcc= */ FALSE, sink->max_message, ret_body, error);
}

static void
sink_cost (gpointer self, TallyContext *ctx, TallyText body, const char *target_id, TallyCostFlags flags)
{
  const TallyPlanRequests requests = { .size = sizeof requests, .kind = "mail", .n = 1, .bytes = body.length };

  tally_context_plan_requests (ctx, &requests);
}

static void
settle (TallyDelivery *delivery, const EmailEnvelope *envelope, const SmtpResult *result)
{
  const TallyOutcome outcome = { TALLY_OUTCOME_INIT,
                                 .verdict = result->verdict,
                                 .status = result->status,
                                 .target_id = result->verdict == TALLY_VERDICT_DELIVERED ? envelope->id : NULL,
                                 .wait_all = result->wait_all,
                                 .detail = result->detail };

  tally_delivery_settle (delivery, &outcome);
}

static void
sink_send (gpointer self, TallyContext *ctx, TallyDelivery *delivery)
{
  EmailSink *sink = self;
  EmailEnvelope *envelope = email_envelope_read (tally_delivery_body (delivery));

  if (envelope == NULL)
    {
      const TallyOutcome odd = { TALLY_OUTCOME_INIT, .verdict = TALLY_VERDICT_UNKNOWN,
                                 .detail = "the stored message is not as it was written" };

      tally_delivery_settle (delivery, &odd);
      return;
    }
  g_hash_table_insert (sink->under_way, envelope, delivery);
  smtp_pool_send (sink->pool, &envelope->mail, envelope);
}

static gboolean
sink_drive (gpointer self, TallyContext *ctx, gint64 wait, GError **error)
{
  EmailSink *sink = self;
  SmtpResult result;
  EmailEnvelope *envelope;

  while ((envelope = smtp_pool_take (sink->pool, wait, &result)) != NULL)
    {
      settle (g_hash_table_lookup (sink->under_way, envelope), envelope, &result);
      g_hash_table_remove (sink->under_way, envelope);
      g_free (result.detail);
      wait = 0;
    }
  return TRUE;
}

static void
sink_interrupt (gpointer self)
{
  EmailSink *sink = self;
  SmtpPool *pool = g_atomic_pointer_get (&sink->pool);

  if (pool != NULL)
    smtp_pool_wake (pool);
}

static void
sink_close (gpointer self)
{
  EmailSink *sink = self;
  SmtpPool *pool = sink->pool;

  g_atomic_pointer_set (&sink->pool, NULL);
  smtp_pool_free (pool);
  g_clear_pointer (&sink->under_way, g_hash_table_unref);
}

static const TallyDeliverySink delivery = {
  TALLY_DELIVERY_SINK_INIT,
  .profile = sink_profile,
  .render = sink_render,
  .send = sink_send,
  .drive = sink_drive,
  .cost = sink_cost,
};

const TallyPlugin email_sink = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SINK,
  .name = "email",
  .summary = "Sends a mail for each record, by SMTP",
  .threading = TALLY_THREADING_INSTANCE,
  .instance_size = sizeof (EmailSink),
  .options = options,
  .check = sink_check,
  .accept = sink_accept,
  .open = sink_open,
  .probe = sink_probe,
  .delivery = &delivery,
  .interrupt = sink_interrupt,
  .close = sink_close,
};
