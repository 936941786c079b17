/* cost.c: what requests a delivery takes, for `tallyman plan`
 *
 * Those that deliver.c, deliver-update.c, settle.c and endow.c make where each is answered as it should be.  What only the
 * account knows is not guessed: what a user has already who is updated or taken over.  Bytes are those of records and
 * files.
 */
#include "cost.h"
#include "belongings.h"
#include "kind.h"
#include "parts.h"
#include "party.h"
#include "sink.h"
#include "update.h"
#include "upload.h"

#include <string.h>

#define TICKET ZENDESK_API "/tickets/1.json"

/* The limits of kinds that Zendesk documents for the account; what an answer tells counts more. */
static const struct
{
  const char *kind;
  gint64 limit, period;
} documented[] = {
  { "PUT " ZENDESK_API "/tickets/#", 100, ZENDESK_MINUTE },
  { "PUT " ZENDESK_API "/users/#", 1, G_USEC_PER_SEC },
};

static void
tell (TallyContext *ctx, const char *method, const char *path, guint64 n, guint64 bytes)
{
  g_autofree char *kind = zendesk_kind (method, path);
  TallyPlanRequests requests = { .size = sizeof requests, .kind = kind, .n = n, .bytes = bytes };

  if (n == 0 && bytes == 0)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (documented); i++)
    if (g_str_equal (documented[i].kind, kind))
      {
        requests.kind_limit = documented[i].limit;
        requests.kind_period = documented[i].period;
      }
  tally_context_plan_requests (ctx, &requests);
}

/* --- tickets --- */

static void
tell_uploads (const ZendeskSink *sink, TallyContext *ctx, TallyText request)
{
  g_autoptr (ZendeskUploads) uploads = zendesk_uploads_needed (request) ? zendesk_uploads_new (NULL, &sink->files, request)
                                                                        : NULL;
  guint64 bytes = 0, n = uploads != NULL ? zendesk_uploads_count (uploads, &bytes) : 0;

  tell (ctx, "POST", ZENDESK_API "/uploads.json", n, bytes);
}

/* The ticket and its comments are read before each part, and after the last. */
static void
tell_parts (TallyContext *ctx, TallyText body)
{
  g_autoptr (GPtrArray) parts = NULL;
  guint64 bytes = 0;

  if (!zendesk_parts_further (body, &parts) || parts == NULL)
    return;
  for (guint i = 0; i < parts->len; i++)
    bytes += strlen (parts->pdata[i]);
  tell (ctx, "GET", TICKET, parts->len + 1, 0);
  tell (ctx, "GET", ZENDESK_API "/tickets/1/comments.json", parts->len + 1, 0);
  tell (ctx, "PUT", TICKET, parts->len, bytes);
}

/* As full as jobs can be: how many records come together only the run knows, and how often it asks about each job.  All bulk
 * calls are one kind.  shown: (nullable) where what a job has made is read, if its rows do not name it. */
static void
tell_bulk (ZendeskBulkPlan *planned, TallyContext *ctx, const char *shown, gsize bytes)
{
  gboolean another = planned->n == 0 || planned->n == ZENDESK_JOB_MOST || planned->bytes + bytes > ZENDESK_BULK_BYTES;

  tell (ctx, "POST", ZENDESK_API "/create_many.json", another, bytes);
  if (shown != NULL)
    tell (ctx, "GET", shown, another, 0);
  planned->n = another ? 1 : planned->n + 1;
  planned->bytes = another ? bytes : planned->bytes + bytes;
}

static void
tell_update (const ZendeskSink *sink, TallyContext *ctx, TallyText body)
{
  ZendeskUpdate update = { 0 };

  if (zendesk_update_read (&update, body))
    {
      tell_uploads (sink, ctx, update.request);
      tell (ctx, "GET", TICKET, sink->safe_update, 0);
      tell (ctx, "PUT", TICKET, 1, update.request.length);
    }
  zendesk_update_clear (&update);
}

void
zendesk_tickets_cost (gpointer self, TallyContext *ctx, TallyText body, const char *target_id, TallyCostFlags flags)
{
  ZendeskSink *sink = self;
  const ZendeskModeRow *mode = &zendesk_modes[sink->mode];
  TallyText first = zendesk_parts_first (body);

  if (mode->mode == ZENDESK_MODE_UPDATE)
    {
      tell_update (sink, ctx, body);
      return;
    }
  if (sink->named == NULL)
    sink->named = zendesk_named_new ();
  zendesk_named_take (sink->named, first);
  tell (ctx, "GET", ZENDESK_API "/tickets.json", (flags & TALLY_COST_LOOKED_UP) != 0, 0);
  if (flags & TALLY_COST_EARLY && mode->key_life > 0 && !zendesk_sink_has_files (sink))
    tell (ctx, "GET", ZENDESK_API "/tickets.json", 1, 0); /* whether keys count is not known yet */
  if (zendesk_bulk_is_marked (body))
    {
      tell_bulk (&sink->planned, ctx, ZENDESK_API "/tickets/show_many.json", first.length);
      return;
    }
  tell_uploads (sink, ctx, first);
  tell (ctx, "POST", mode->path, 1, first.length);
  tell_parts (ctx, body);
}

/* --- users and organizations --- */

/* A list is read before each step, and after the last. */
static void
tell_steps (TallyContext *ctx, const char *list, const char *step, guint n)
{
  tell (ctx, "GET", list, n + 1, 0);
  tell (ctx, "POST", step, n, 0);
}

static void
tell_belongings (TallyContext *ctx, const ZendeskBelongings *wanted, gboolean is_update)
{
  if (wanted->identities->len > 0 || wanted->email != NULL)
    tell_steps (ctx, ZENDESK_API "/users/1/identities.json", ZENDESK_API "/users/1/identities.json",
                is_update ? 0 : wanted->identities->len);
  if (wanted->organizations->len > 0 || wanted->organization_id != 0)
    tell_steps (ctx, ZENDESK_API "/users/1/organization_memberships.json", ZENDESK_API "/organization_memberships.json",
                is_update ? 0 : wanted->organizations->len);
}

static void
tell_name_search (const ZendeskPartySink *sink, TallyContext *ctx, gboolean is_made)
{
  g_autofree char *search = g_strconcat (sink->kind->path, "/search.json", NULL);

  tell (ctx, "GET", search, is_made, 0);
}

static gboolean
is_of_users (const ZendeskPartySink *sink)
{
  return g_str_equal (sink->kind->entity, "user");
}

/* What a job has made of users its rows name. */
static void
tell_party_bulk (ZendeskPartySink *sink, TallyContext *ctx, TallyText body)
{
  g_autofree char *shown = g_strconcat (sink->kind->path, "/show_many.json", NULL);

  tell_bulk (&sink->planned, ctx, is_of_users (sink) ? NULL : shown, zendesk_stored_request (body).length);
}

void
zendesk_party_cost (gpointer self, TallyContext *ctx, TallyText body, const char *target_id, TallyCostFlags flags)
{
  ZendeskPartySink *sink = self;
  gboolean is_update = target_id != NULL;
  g_autofree char *one = g_strconcat (sink->kind->path, is_update ? "/1.json" : ".json", NULL);
  g_autoptr (ZendeskBelongings) wanted = NULL;

  if (zendesk_bulk_is_marked (body))
    {
      tell_party_bulk (sink, ctx, body);
      return;
    }
  tell_name_search (sink, ctx, is_of_users (sink) && !is_update && (sink->adopts & ZENDESK_ADOPT_NAME));
  tell (ctx, is_update ? "PUT" : "POST", one, 1, zendesk_stored_request (body).length);
  if (zendesk_belongings_parse (body, &wanted) && wanted != NULL)
    tell_belongings (ctx, wanted, is_update);
}

/* A creation that is not taken, and the lookups that follow. */
static void
tell_refusal (const ZendeskPartySink *sink, TallyContext *ctx, const char *all, gsize length, const ZendeskWanted *wanted)
{
  g_autofree char *reference = zendesk_party_reference_path (sink->kind, wanted->reference);

  tell (ctx, "POST", all, 1, length);
  tell (ctx, "GET", reference, 1, 0);
  tell_name_search (sink, ctx, (is_of_users (sink) ? wanted->email : wanted->name) != NULL);
}

/* What one that is there has of addresses and memberships is not known, so that what is added to these is not, either. */
void
zendesk_party_cost_there (ZendeskPartySink *sink, TallyContext *ctx, TallyText body, const ZendeskWanted *wanted,
                          ZendeskMatch match, gboolean by_name)
{
  gboolean is_in_bulk = zendesk_bulk_is_marked (body);
  gsize length = zendesk_stored_request (body).length;
  g_autofree char *all = g_strconcat (sink->kind->path, ".json", NULL), *one = g_strconcat (sink->kind->path, "/1.json", NULL);

  tell_name_search (sink, ctx, is_of_users (sink) && (sink->adopts & ZENDESK_ADOPT_NAME));
  if (is_in_bulk)
    {
      g_autofree char *reference = zendesk_party_reference_path (sink->kind, wanted->reference);

      tell_party_bulk (sink, ctx, body);
      tell (ctx, "GET", reference, 1, 0);
    }
  if (!by_name && !(is_in_bulk && match == ZENDESK_MATCH_OURS))
    tell_refusal (sink, ctx, all, length, wanted);
  if (match == ZENDESK_MATCH_ADOPT)
    tell (ctx, "PUT", one, 1, length);
}
