/* sink.c: zendesk-tickets, a delivering sink that creates tickets */
#include "cost.h"
#include "errand.h"
#include "plugins.h"
#include "sink.h"
#include "survey.h"
#include "text.h"
#include "upload.h"

#include <string.h>

#define IMPORT_MANY ZENDESK_API "/imports/tickets/create_many.json"

const ZendeskModeRow zendesk_modes[] = {
  { "create", ZENDESK_MODE_CREATE, "ticket", ZENDESK_API "/tickets.json", 120 * (gint64) ZENDESK_MINUTE },
  { "import", ZENDESK_MODE_IMPORT, "ticket", ZENDESK_API "/imports/tickets.json" },
  { "update", ZENDESK_MODE_UPDATE, "ticket update" },
};

static const char *const mode_names[] = { "create", "import", "update", NULL };
static const char *const long_body_names[] = { "reject", "split", NULL };

static const TallyOption options[] = {
  ZENDESK_ACCOUNT_OPTIONS (ZendeskSink),
  { .name = "mode", .type = TALLY_OPTION_CHOICE, .offset = G_STRUCT_OFFSET (ZendeskSink, mode),
    .fallback = "create", .choices = mode_names, .summary = "What is done with each record",
    .example = "import" },
  { .name = "long-body", .type = TALLY_OPTION_CHOICE, .offset = G_STRUCT_OFFSET (ZendeskSink, long_body),
    .fallback = "reject", .choices = long_body_names,
    .summary = "What is done with a text of more than 65535 bytes, which Zendesk would cut off",
    .example = "split" },
  { .name = "archive-immediately", .type = TALLY_OPTION_BOOL, .offset = G_STRUCT_OFFSET (ZendeskSink, archive),
    .fallback = "false", .summary = "Whether imported tickets that are closed go to the archive at once",
    .example = "true" },
  ZENDESK_BULK_OPTIONS (ZendeskSink, "imports without files"),
  { .name = "safe-update", .type = TALLY_OPTION_BOOL, .offset = G_STRUCT_OFFSET (ZendeskSink, safe_update),
    .fallback = "true", .summary = "Whether a ticket is read before it is updated, and not updated if it changes meanwhile",
    .example = "false" },
  { .name = "max-attachment", .type = TALLY_OPTION_SIZE, .offset = G_STRUCT_OFFSET (ZendeskSink, max_attachment),
    .fallback = "50MiB", .min = 1, .max = 1 << 30, .summary = "Largest file that is attached", .example = "20MiB" },
  { .name = "attachments-root", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_PATH,
    .offset = G_STRUCT_OFFSET (ZendeskSink, attachments_root),
    .summary = "Folder outside of which no file is attached, whatever the records say", .example = "export/files" },
  { .name = "fetch-urls", .type = TALLY_OPTION_BOOL, .offset = G_STRUCT_OFFSET (ZendeskSink, fetch_urls),
    .fallback = "false", .summary = "Whether attachments that are addresses of the web are fetched", .example = "true" },
  { .name = "placeholder", .type = TALLY_OPTION_INT, .offset = G_STRUCT_OFFSET (ZendeskSink, placeholder),
    .min = 1, .max = G_MAXINT64 - 1, .summary = "Id of the user who stands for requesters, submitters and authors that are NULL",
    .example = "33144647570963" },
  { .name = "tags", .type = TALLY_OPTION_LIST, .offset = G_STRUCT_OFFSET (ZendeskSink, tags),
    .summary = "Tags added to each ticket", .example = "[imported, legacy]" },
  { .name = "run-tag", .type = TALLY_OPTION_BOOL, .offset = G_STRUCT_OFFSET (ZendeskSink, run_tag),
    .fallback = "true", .summary = "Whether each ticket gets the run's name as a tag",
    .example = "false" },
  { .name = "ignore", .type = TALLY_OPTION_LIST, .offset = G_STRUCT_OFFSET (ZendeskSink, ignore),
    .summary = "Columns that are not sent, beyond those that only the key needs", .example = "[notes]" },
  { .name = "export-delay", .type = TALLY_OPTION_DURATION,
    .offset = G_STRUCT_OFFSET (ZendeskSink, export_delay), .fallback = "120s", .min = ZENDESK_MINUTE,
    .max = 60 * (gint64) ZENDESK_MINUTE,
    .summary = "How far the export of tickets is behind: nothing younger is believed to be absent", .example = "300s" },
  ZENDESK_NETWORK_OPTIONS (ZendeskSink),
  { 0 },
};

/* Of a list of names. */
#define MAX_PAGES 100

/* --- rules between options --- */

static gboolean
check_tags (char **tags, GError **error)
{
  for (guint i = 0; tags != NULL && tags[i] != NULL; i++)
    if (*tags[i] == '\0' || strpbrk (tags[i], " ,\t\r\n") != NULL)
      return tally_throw (error, TALLY_ERROR_USAGE,
                          "\"%s\" in \"tags\" is no tag: blanks and commas separate tags", tags[i]);
  return TRUE;
}

/* The tags of an update are all that the ticket has. */
static gboolean
check_update (const ZendeskSink *sink, GError **error)
{
  if (zendesk_modes[sink->mode].mode != ZENDESK_MODE_UPDATE)
    return TRUE;
  if (sink->tags != NULL)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "\"tags\" is not for \"mode: update\", where it would replace the tags that a ticket has; a column "
                        "\"tags\" may do that");
  if (sink->long_body == ZENDESK_LONG_SPLIT)
    return tally_throw (error, TALLY_ERROR_USAGE, "\"long-body: split\" is not for \"mode: update\", which appends one comment");
  return TRUE;
}

static gboolean
sink_check (gpointer self, GError **error)
{
  ZendeskSink *sink = self;

  gboolean is_import = zendesk_modes[sink->mode].mode == ZENDESK_MODE_IMPORT;

  if (!is_import && (sink->archive || sink->in_bulk))
    return tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" is for \"mode: import\"",
                        sink->archive ? "archive-immediately" : "bulk");
  return check_update (sink, error) && zendesk_account_check (&sink->account, error) && check_tags (sink->tags, error);
}

static gboolean
sink_accept (gpointer self, TallySchema *schema, GError **error)
{
  ZendeskSink *sink = self;

  return zendesk_plan_accept (&sink->plan, &zendesk_ticket_table, zendesk_modes[sink->mode].mode, schema,
                              (const char *const *) sink->ignore, error);
}

gboolean
zendesk_sink_has_files (const ZendeskSink *sink)
{
  return sink->plan.table != NULL && sink->plan.columns[ZENDESK_MEMBER_ATTACHMENTS] >= 0;
}

static void
sink_profile (gpointer self, TallyDeliveryProfile *ret_profile)
{
  ZendeskSink *sink = self;

  ret_profile->entity = zendesk_modes[sink->mode].entity;
  ret_profile->key_life = sink->keys == ZENDESK_KEYS_IGNORED || zendesk_sink_has_files (sink)
                              ? 0 : zendesk_modes[sink->mode].key_life;
  ret_profile->settle = ZENDESK_MINUTE;
  ret_profile->in_flight = TALLY_IN_FLIGHT_UNKNOWN;
  ret_profile->can_resolve = TRUE;
  zendesk_bulk_profile (sink->in_bulk, ret_profile);
  ret_profile->look_first = zendesk_modes[sink->mode].mode != ZENDESK_MODE_UPDATE;
}

/* --- at work --- */

static gboolean
read_fields (ZendeskSink *sink, GError **error)
{
  g_auto (ZendeskReply) reply = { 0 };

  if (!zendesk_account_get (&sink->account, ZENDESK_API "/ticket_fields.json", "the ticket fields", &reply, error))
    return FALSE;
  sink->fields = zendesk_fields_parse (&zendesk_ticket_table, reply.body, reply.length, error);
  return sink->fields != NULL && zendesk_fields_resolve (sink->fields, &sink->plan, error);
}

/* All pages of a list. */
static gboolean
read_names (ZendeskSink *sink, ZendeskNamesKind kind, GError **error)
{
  gboolean more = TRUE;

  sink->names[kind] = zendesk_names_new (kind);
  for (guint page = 1; more && page <= MAX_PAGES; page++)
    {
      g_auto (ZendeskReply) reply = { 0 };
      g_autofree char *path = zendesk_names_path (kind, page);

      if (!zendesk_account_get (&sink->account, path, zendesk_names_title (kind), &reply, error)
          || !zendesk_names_take (sink->names[kind], reply.body, reply.length, &more, error))
        return FALSE;
    }
  return !more || tally_throw (error, TALLY_ERROR_DATA, "the account has too many of %s", zendesk_names_title (kind));
}

static gboolean
read_all_names (ZendeskSink *sink, GError **error)
{
  for (ZendeskNamesKind kind = 0; kind < ZENDESK_N_NAMES; kind++)
    if (zendesk_render_needs (&sink->plan, kind) && !read_names (sink, kind, error))
      return FALSE;
  return TRUE;
}

static gboolean
check_placeholder (ZendeskSink *sink, GError **error)
{
  g_auto (ZendeskReply) reply = { 0 };
  g_autofree char *path = g_strdup_printf (ZENDESK_API "/users/%" G_GINT64_FORMAT ".json", sink->placeholder);

  if (zendesk_account_get (&sink->account, path, "the user of \"placeholder\"", &reply, error)
      && zendesk_user_check (reply.body, reply.length, sink->placeholder, error))
    return TRUE;
  return tally_throw_prefix (error, "placeholder %" G_GINT64_FORMAT, sink->placeholder);
}

/* What an earlier run sent in bulk is asked for whether or not this one does. */
static void
open_jobs (ZendeskSink *sink)
{
  const ZendeskBulkConfig config = { .path = sink->archive ? IMPORT_MANY "?archive_immediately=true" : IMPORT_MANY,
                                     .entity = zendesk_modes[sink->mode].entity,
                                     .single = zendesk_send_single };
  const ZendeskJobsConfig jobs = { .entity = config.entity,
                                   .path = ZENDESK_API "/tickets",
                                   .longest = sink->job_time,
                                   .hidden = sink->archive,
                                   .told = zendesk_told_of_job };

  if (zendesk_modes[sink->mode].mode != ZENDESK_MODE_IMPORT)
    return;
  sink->jobs = zendesk_jobs_new (&sink->account, &jobs);
  if (sink->in_bulk)
    sink->bulk = zendesk_bulk_new (&sink->account, sink->jobs, &config);
}

static gboolean
sink_open (gpointer self, TallyContext *ctx, GError **error)
{
  ZendeskSink *sink = self;
  g_autofree char *target = NULL;

  sink->keys = ZENDESK_KEYS_UNPROVEN;
  sink->planned = (ZendeskBulkPlan){ 0 };
  sink->errands = g_ptr_array_new ();
  sink->files = (ZendeskFiles){ .directory = tally_context_directory (ctx),
                                .root = sink->attachments_root,
                                .max_size = sink->max_attachment,
                                .fetch_urls = sink->fetch_urls };
  sink->export = zendesk_export_new (&sink->account, sink->export_delay);
  open_jobs (sink);
  if (!zendesk_account_open (&sink->account, ctx, &target, error))
    return FALSE;
  tally_context_set_target (ctx, target);
  if (sink->placeholder != 0 && !check_placeholder (sink, error))
    return FALSE;
  return (sink->plan.n_custom == 0 || read_fields (sink, error)) && read_all_names (sink, error);
}

/* What no list shows is settled by the export, which takes an admin; so does an import. */
static gboolean
probe_export (ZendeskSink *sink, GError **error)
{
  g_auto (ZendeskReply) reply = { 0 };
  g_autoptr (GError) refusal = NULL;
  gint64 start = (g_get_real_time () - sink->export_delay) / G_USEC_PER_SEC;
  g_autofree char *path
      = g_strdup_printf (ZENDESK_API "/incremental/tickets/cursor.json?start_time=%" G_GINT64_FORMAT "&per_page=1", start);

  if (zendesk_account_get (&sink->account, path, "an export of tickets", &reply, &refusal))
    return TRUE;
  if (reply.status != 403 || zendesk_modes[sink->mode].mode == ZENDESK_MODE_IMPORT)
    {
      g_propagate_error (error, g_steal_pointer (&refusal));
      return FALSE;
    }
  tally_context_warn (sink->account.ctx, "the credentials are not those of an admin, so the export of tickets cannot be read: "
                      "a record whose answer is lost, and which no list shows, stays in doubt");
  return TRUE;
}

static gboolean
sink_probe (gpointer self, TallyContext *ctx, GError **error)
{
  ZendeskSink *sink = self;

  if (zendesk_modes[sink->mode].mode == ZENDESK_MODE_IMPORT)
    sink->account.admin_for = "an import";
  if (sink->plan.n_custom > 0)
    tally_context_tell (ctx, TALLY_FINDING_OK, NULL, "the account has the %u ticket fields that columns are for",
                        (guint) sink->plan.n_custom);
  return zendesk_account_probe (&sink->account, error)
         && (zendesk_modes[sink->mode].mode == ZENDESK_MODE_UPDATE || probe_export (sink, error));
}

static const struct
{
  ZendeskNote note;
  const char *warning;
} notes[] = {
  { ZENDESK_NOTE_BRACES, "a text has \"{{\" in it: where its author is an agent, Zendesk takes that for a placeholder and "
                         "replaces it" },
  { ZENDESK_NOTE_ESCAPED, "a text has \"{{\" in it, which Zendesk would take for a placeholder: it is sent as \"\\{{\", and "
                          "in HTML as \"&#123;&#123;\"" },
  { ZENDESK_NOTE_PLACEHOLDER, "a record has a requester, submitter or author who is not known: the user of \"placeholder\" "
                              "stands for them" },
};

static gboolean
sink_render (gpointer self, TallyContext *ctx, const TallyBatch *batch, guint row,
             const char *reference, GString *ret_body, GError **error)
{
  ZendeskSink *sink = self;
  ZendeskRender render = { .plan = &sink->plan,
                           .fields = sink->fields,
                           .names = sink->names,
                           .tags = (const char *const *) sink->tags,
                           .run_tag = sink->run_tag && sink->plan.mode != ZENDESK_MODE_UPDATE ? tally_context_run_tag (ctx) : NULL,
                           .long_body = sink->long_body,
                           .files = &sink->files,
                           .placeholder = sink->placeholder,
                           .now = g_get_real_time () / G_USEC_PER_SEC };
  guint noted = 0;

  if (!zendesk_render (&render, batch, row, reference, ret_body, &noted, error))
    return FALSE;
  if (sink->in_bulk && !zendesk_uploads_needed ((TallyText){ ret_body->str, ret_body->len }))
    zendesk_bulk_mark (ret_body);
  for (guint i = 0; i < G_N_ELEMENTS (notes); i++)
    if (noted & notes[i].note)
      tally_context_warn (ctx, "%s", notes[i].warning);
  return TRUE;
}

static void
sink_interrupt (gpointer self)
{
  ZendeskSink *sink = self;

  zendesk_account_interrupt (&sink->account);
}

static void
sink_close (gpointer self)
{
  ZendeskSink *sink = self;

  g_clear_pointer (&sink->bulk, zendesk_bulk_free);
  g_clear_pointer (&sink->jobs, zendesk_jobs_free);
  zendesk_errands_drop (sink->errands);
  g_clear_pointer (&sink->export, zendesk_export_free);
  zendesk_account_close (&sink->account);
  g_clear_pointer (&sink->named, zendesk_named_free);
  g_clear_pointer (&sink->errands, g_ptr_array_unref);
  g_clear_pointer (&sink->fields, g_ptr_array_unref);
  for (ZendeskNamesKind kind = 0; kind < ZENDESK_N_NAMES; kind++)
    g_clear_pointer (&sink->names[kind], zendesk_names_free);
}

static void
sink_send (gpointer self, TallyContext *ctx, TallyDelivery *delivery)
{
  ZendeskSink *sink = self;

  if (zendesk_modes[sink->mode].mode == ZENDESK_MODE_UPDATE)
    zendesk_send_update (self, ctx, delivery);
  else
    zendesk_send (self, ctx, delivery);
}

static void
sink_resolve (gpointer self, TallyContext *ctx, TallyDelivery *delivery)
{
  ZendeskSink *sink = self;

  if (zendesk_modes[sink->mode].mode == ZENDESK_MODE_UPDATE)
    zendesk_resolve_update (self, ctx, delivery);
  else
    zendesk_resolve (self, ctx, delivery);
}

/* An update leaves nothing in the ticket by which it could be found again. */
static gboolean
sink_survey (gpointer self, TallyContext *ctx, gint64 since, TallySurveyed found, gpointer data, GError **error)
{
  ZendeskSink *sink = self;

  if (zendesk_modes[sink->mode].mode == ZENDESK_MODE_UPDATE)
    return tally_throw (error, TALLY_ERROR_UNSUPPORTED,
                        "updates of tickets cannot be found in the account again; run the pipeline that creates them first, and "
                        "then this one with a ledger of its own");
  return zendesk_survey (&sink->account, "tickets", since, sink->export_delay, found, data, error);
}

static gboolean
sink_foretell_end (gpointer self, TallyContext *ctx, GError **error)
{
  ZendeskSink *sink = self;

  return sink->named == NULL || zendesk_named_tell (sink->named, &sink->account, error);
}

static const TallyDeliverySink delivery = {
  TALLY_DELIVERY_SINK_INIT,
  .profile = sink_profile,
  .render = sink_render,
  .send = sink_send,
  .resolve = sink_resolve,
  .drive = zendesk_drive,
  .survey = sink_survey,
  .cost = zendesk_tickets_cost,
  .foretell_end = sink_foretell_end,
};

const TallyPlugin zendesk_tickets = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SINK,
  .name = "zendesk-tickets",
  .summary = "Creates, imports or updates a Zendesk ticket for each record, exactly once",
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
