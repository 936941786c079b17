/* settle.c: send, resolve and drive of zendesk-users and zendesk-organizations
 *
 *   send ─► create ─┬─► endow ─► settled
 *                   └─ not taken: 409, 422 ─► who has this external_id? ─► who has this name? ─┬─ ours ─► endow
 *                                                                                              ├─ adopt ─► endow
 *                                                                                              └─ rejected
 *
 *   send of an update ─► update ─► endow ─► settled
 *   resolve ─► who has this external_id? ─► endow
 *
 * Creations may share a request, whose answer is a job (bulk.c, jobs.c).  What Zendesk's complaints in a job mean is not
 * documented, so whoever a job did not make is looked for, and if it is not there, created in a request of its own.
 *
 *   send ─► bulk ─┬─► job ─┬─► its row ─► settled
 *                 │        └─ not made ─► who has this external_id? ─► create
 *                 └─► create
 *   resolve ─► job ─┬─► its row ─► settled
 *                   └─► who has this external_id?
 *
 * There is no idempotency key for these: what got no answer is looked up by the core, and never sent again on faith.
 */
#include "match.h"
#include "party-errand.h"

#include <string.h>

static void ask_reference (ZendeskPartyErrand *errand);
static void ask_name (ZendeskPartyErrand *errand);
static void ask_create (ZendeskPartyErrand *errand);
static void go_alone (const ZendeskPartyErrand *errand);

/* After the end of a job, as after that of any request, for so long nothing is believed to be absent. */
#define JOB_SETTLE ZENDESK_MINUTE

/* --- an errand --- */

/* When a request of it that got no answer is surely over, on a clock that only goes forward. */
static gint64
quiet_time (const ZendeskPartyErrand *errand)
{
  gboolean in_job = zendesk_bulk_is_marked (tally_delivery_body (errand->base.delivery));

  return g_get_monotonic_time () + ZENDESK_MINUTE + (in_job ? errand->sink->job_time : 0);
}

/* What is not known to have ended keeps its names, until a lookup has told. */
static void
release_names (ZendeskPartyErrand *errand)
{
  TallyVerdict verdict = errand->base.finding.verdict;
  gboolean in_doubt = errand->acted && verdict == TALLY_VERDICT_UNKNOWN;

  if (errand->names == NULL || errand->waiting)
    return;
  if (errand->sending || verdict == TALLY_VERDICT_DELIVERED || verdict == TALLY_VERDICT_ABSENT)
    zendesk_claims_release (errand->sink->claims, errand->names, errand->reference,
                            in_doubt ? quiet_time (errand) : 0);
}

static void
clear_errand (ZendeskErrand *base)
{
  ZendeskPartyErrand *errand = (ZendeskPartyErrand *) base;

  release_names (errand);
  if (base->finding.verdict == TALLY_VERDICT_DELIVERED || base->finding.verdict == TALLY_VERDICT_REJECTED)
    g_hash_table_remove (errand->sink->alone, errand->reference);
  g_free (errand->reference);
  g_clear_pointer (&errand->names, g_ptr_array_unref);
  g_clear_pointer (&errand->record, json_object_put);
  g_clear_pointer (&errand->belongings, zendesk_belongings_free);
  g_clear_pointer (&errand->found, g_ptr_array_unref);
  g_clear_pointer (&errand->has, g_ptr_array_unref);
  if (errand->complaint != NULL)
    g_string_free (errand->complaint, TRUE);
}

static void
add_name (GPtrArray *names, const char *kind, const char *name)
{
  if (name == NULL)
    return;

  g_autofree char *folded = g_utf8_casefold (name, -1);
  g_ptr_array_add (names, g_strconcat (kind, folded, NULL));
}

static GPtrArray *
make_names (const ZendeskPartyErrand *errand)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  gboolean is_user = g_str_equal (errand->base.entity, "user");
  const ZendeskBelongings *belongings = errand->belongings;

  if (!is_user || (errand->sink->adopts & ZENDESK_ADOPT_NAME))
    add_name (names, "name:", zendesk_json_get_text (errand->record, "name"));
  add_name (names, "email:", zendesk_json_get_text (errand->record, "email"));
  add_name (names, "email:", belongings != NULL ? belongings->email : NULL);
  for (guint i = 0; belongings != NULL && i < belongings->identities->len; i++)
    add_name (names, "email:", belongings->identities->pdata[i]);
  return names;
}

/* Reads the stored bytes; NULL if the errand is settled, because they are not ours. */
static ZendeskPartyErrand *
errand_new (ZendeskPartySink *sink, TallyDelivery *delivery, gboolean sending)
{
  ZendeskPartyErrand *errand = zendesk_errand_new (sizeof *errand, sink->kind->entity, &sink->account, sink->errands,
                                                   delivery, clear_errand);
  TallyText stored = tally_delivery_body (delivery), request = zendesk_stored_request (stored);
  g_autoptr (json_object) body = zendesk_json_parse (request.data, request.length);
  json_object *record = zendesk_json_get (body, sink->kind->entity);

  errand->sink = sink;
  errand->reference = g_strdup (tally_delivery_reference (delivery));
  errand->sending = sending;
  if (!json_object_is_type (record, json_type_object)
      || (!zendesk_bulk_is_marked (stored) && !zendesk_belongings_parse (stored, &errand->belongings)))
    {
      zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNKNOWN, "the stored request is not as it was written");
      return NULL;
    }
  errand->record = json_object_get (record);
  return errand;
}

/* --- what is there already --- */

static ZendeskWanted
wanted_of (const ZendeskPartyErrand *errand)
{
  return zendesk_party_wanted (errand->sink, errand->record, errand->reference);
}

static void
reject (ZendeskPartyErrand *errand, TallyVerdict verdict, const GString *detail)
{
  g_autofree char *complaint = g_strdup (errand->complaint != NULL ? errand->complaint->str : "");

  errand->base.finding.target_id = 0; /* whoever was found is not this record's */
  zendesk_errand_settle_with (&errand->base, verdict, "%s%s%s", complaint,
                              *complaint != '\0' && detail->len > 0 ? "; " : "", detail->str);
}

static void
on_adopted (ZendeskCall *call, gpointer data)
{
  ZendeskPartyErrand *errand = data;
  ZendeskFinding *finding = &errand->base.finding;
  gint64 id = finding->target_id;

  if (!zendesk_errand_take_answer (&errand->base, call))
    {
      zendesk_errand_settle (&errand->base);
      return;
    }
  if (call->status == 401 && zendesk_access_refused (errand->base.account, &errand->base.waiter))
    return;
  zendesk_errand_judge (&errand->base, call, ZENDESK_ASK_CREATE);
  g_autofree char *words = g_strdup (finding->detail->str);
  if (call->status == 404)
    zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_BUSY, "%s %" G_GINT64_FORMAT " was to be taken over, and is gone",
                                errand->base.entity, id);
  else if (finding->verdict == TALLY_VERDICT_REJECTED)
    {
      finding->target_id = 0;
      zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_REJECTED, "%s %" G_GINT64_FORMAT " would be taken over, but %s",
                                  errand->base.entity, id, words);
    }
  else if (finding->verdict == TALLY_VERDICT_DELIVERED && finding->target_id != id)
    zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNKNOWN, "an answer about another %s than %" G_GINT64_FORMAT,
                                errand->base.entity, id);
  else if (finding->verdict == TALLY_VERDICT_DELIVERED)
    {
      finding->adopted = TRUE;
      zendesk_party_endow (errand);
    }
  else
    zendesk_errand_settle (&errand->base);
}

/* What only a creation brings along becomes something to see to once the user is there.  Whoever was taken over has not got
 * it by that, also if an earlier run did it and never heard. */
static void
want_what_creations_bring (ZendeskPartyErrand *errand)
{
  const char *email = zendesk_json_get_text (errand->record, "email");
  gint64 organization = 0;

  if (!g_str_equal (errand->base.entity, "user"))
    return;
  if (errand->belongings == NULL)
    errand->belongings = zendesk_belongings_new ();
  if (email != NULL)
    {
      g_free (errand->belongings->email);
      errand->belongings->email = g_strdup (email);
    }
  if (zendesk_json_get_id (errand->record, "organization_id", &organization))
    errand->belongings->organization_id = organization;
}

/* What an update would do that nobody asked for is left out: an address would be added without being the first, and
 * an organization would end all other memberships. */
static char *
make_adoption (ZendeskPartyErrand *errand)
{
  g_autoptr (json_object) body = json_object_new_object ();

  want_what_creations_bring (errand);
  if (g_str_equal (errand->base.entity, "user"))
    {
      json_object_object_del (errand->record, "organization_id");
      json_object_object_del (errand->record, "email");
      json_object_object_del (errand->record, "skip_verify_email");
    }
  json_object_object_add (body, errand->base.entity, json_object_get (errand->record));
  return g_strdup (json_object_to_json_string_ext (body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void
ask_adopt (ZendeskPartyErrand *errand, gint64 id)
{
  const ZendeskFound *one = zendesk_found_get (errand->found, id);
  g_autofree char *path = g_strdup_printf ("%s/%" G_GINT64_FORMAT ".json", errand->sink->kind->path, id);

  if (one->suspended)
    tally_context_warn (errand->base.account->ctx, "user %" G_GINT64_FORMAT " is taken over, and is suspended", id);
  errand->base.finding.target_id = id;
  errand->acted = TRUE;
  zendesk_errand_ask (&errand->base, "PUT", path, make_adoption (errand), on_adopted);
}

/* Everybody is known who could stand in the way. */
static void
decide (ZendeskPartyErrand *errand)
{
  ZendeskWanted wanted = wanted_of (errand);
  g_autoptr (GString) detail = g_string_new (NULL);
  gint64 id;

  g_string_truncate (errand->base.finding.other_ids, 0);
  switch (zendesk_match (&wanted, errand->found, &id, detail))
    {
    case ZENDESK_MATCH_OURS:
      errand->base.finding.target_id = id;
      errand->base.finding.repeated = TRUE;
      zendesk_finding_set (&errand->base.finding, TALLY_VERDICT_DELIVERED, "it was there already");
      want_what_creations_bring (errand);
      zendesk_party_endow (errand);
      break;
    case ZENDESK_MATCH_ADOPT:
      ask_adopt (errand, id);
      break;
    case ZENDESK_MATCH_CONFLICT:
      reject (errand, TALLY_VERDICT_REJECTED, detail);
      break;
    case ZENDESK_MATCH_NONE:
      if (errand->complaint == NULL)
        {
          ask_create (errand);
          break;
        }
      if (wanted.email != NULL && errand->refusal == TALLY_VERDICT_REJECTED)
        g_string_append (detail, "nobody with this address is found; a search shows what is new some minutes later");
      reject (errand, errand->refusal, detail);
      break;
    }
}

/* A lookup after which nothing is known: nothing was acted upon, so it may be tried again.  What was in a job is in doubt. */
static void
give_up_lookup (ZendeskPartyErrand *errand)
{
  ZendeskFinding *finding = &errand->base.finding;

  finding->target_id = 0;
  if (errand->sending && errand->acted)
    finding->verdict = TALLY_VERDICT_UNKNOWN;
  else if (errand->sending && finding->verdict != TALLY_VERDICT_HALT)
    finding->verdict = TALLY_VERDICT_BUSY;
  else if (finding->verdict == TALLY_VERDICT_UNSENT)
    finding->verdict = TALLY_VERDICT_UNKNOWN;
  zendesk_errand_settle (&errand->base);
}

/* The answer to a lookup of which all that is found is kept; FALSE: the errand goes on elsewhere, or is settled. */
static gboolean
take_found (ZendeskPartyErrand *errand, ZendeskCall *call)
{
  ZendeskFinding *finding = &errand->base.finding;
  gboolean more = FALSE;

  if (!zendesk_errand_take_answer (&errand->base, call))
    {
      give_up_lookup (errand);
      return FALSE;
    }
  if (call->status == 401 && zendesk_access_refused (errand->base.account, &errand->base.waiter))
    return FALSE;
  finding->target_id = 0;
  g_string_truncate (finding->other_ids, 0);
  zendesk_errand_judge (&errand->base, call, ZENDESK_ASK_FIND);
  if (finding->verdict != TALLY_VERDICT_DELIVERED && finding->verdict != TALLY_VERDICT_ABSENT)
    {
      give_up_lookup (errand);
      return FALSE;
    }
  if (errand->found == NULL)
    errand->found = zendesk_found_new ();
  if (!zendesk_found_read (errand->found, errand->base.entity, call->answer->str, call->answer->len, &more) || more)
    {
      zendesk_errand_settle_with (&errand->base, errand->sending && !errand->acted ? TALLY_VERDICT_REJECTED
                                                                                    : TALLY_VERDICT_UNKNOWN,
                                  "too many %ss answer to what was looked for", errand->base.entity);
      return FALSE;
    }
  return TRUE;
}

/* The addresses of one that was found by an address which is not its first. */
static void
on_addresses (ZendeskCall *call, gpointer data)
{
  ZendeskPartyErrand *errand = data;
  g_autoptr (GPtrArray) has = zendesk_belonging_list_new ();
  ZendeskFound *one = zendesk_found_get (errand->found, errand->doubtful);
  ZendeskWanted wanted = wanted_of (errand);
  gboolean more = FALSE;

  if (!zendesk_errand_take_answer (&errand->base, call))
    {
      give_up_lookup (errand);
      return;
    }
  if (call->status == 401 && zendesk_access_refused (errand->base.account, &errand->base.waiter))
    return;
  if (call->status != 200 || !zendesk_identities_read (has, call->answer->str, call->answer->len, &more))
    {
      zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_BUSY, "the addresses of user %" G_GINT64_FORMAT
                                  " cannot be read: HTTP %d", one->id, call->status);
      return;
    }
  for (guint i = 0; i < has->len; i++)
    one->has_email |= g_ascii_strcasecmp (((ZendeskBelonging *) has->pdata[i])->value, wanted.email) == 0;
  decide (errand);
}

static void
on_name (ZendeskCall *call, gpointer data)
{
  ZendeskPartyErrand *errand = data;
  ZendeskWanted wanted = wanted_of (errand);

  if (!take_found (errand, call))
    return;
  errand->doubtful = errand->complaint != NULL && wanted.email != NULL ? zendesk_found_doubtful (errand->found, &wanted) : 0;
  if (errand->doubtful == 0)
    {
      decide (errand);
      return;
    }

  g_autofree char *path = zendesk_party_addresses_path (errand->doubtful);
  zendesk_errand_ask (&errand->base, "GET", path, NULL, on_addresses);
}

/* By the name that no two may share; of users, before anything is created, by that which two may share. */
static void
ask_name (ZendeskPartyErrand *errand)
{
  ZendeskWanted wanted = wanted_of (errand);
  g_autofree char *path = zendesk_party_name_path (errand->sink->kind, &wanted, errand->complaint != NULL);

  zendesk_errand_ask (&errand->base, "GET", path, NULL, on_name);
}

/* The target holds no such entity, unless it only does not show it yet, or a job is still to make it. */
static void
settle_absent (ZendeskPartyErrand *errand, ZendeskCall *call)
{
  gint64 now = zendesk_jobs_time (call), lag = errand->sink->lookup_lag;
  gint64 left = MIN (tally_delivery_sent_at (errand->base.delivery) + lag - now, lag);

  if (errand->quiet_at == G_MAXINT64)
    {
      errand->base.finding.wait = ZENDESK_MINUTE;
      zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNKNOWN,
                                  "not found; the job that it is in may still be at work");
      return;
    }
  left = MAX (lag > 0 ? left : 0, errand->quiet_at - now);
  if (left > 0)
    {
      errand->base.finding.wait = left;
      zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNKNOWN,
                                  "not found, but it was sent too short a while ago to tell");
    }
  else
    {
      if (errand->job_is_over)
        go_alone (errand);
      zendesk_errand_settle (&errand->base);
    }
}

static void
on_reference (ZendeskCall *call, gpointer data)
{
  ZendeskPartyErrand *errand = data;
  ZendeskWanted wanted = wanted_of (errand);
  gboolean is_user = g_str_equal (wanted.entity, "user");

  if (!take_found (errand, call))
    return;
  if (errand->sending && errand->complaint == NULL) /* a job did not make it */
    {
      if (errand->base.finding.verdict == TALLY_VERDICT_DELIVERED)
        decide (errand);
      else
        zendesk_party_send_single (&errand->base);
    }
  else if (errand->sending && (is_user ? wanted.email : wanted.name) != NULL)
    ask_name (errand);
  else if (errand->sending)
    decide (errand);
  else if (errand->base.finding.verdict != TALLY_VERDICT_DELIVERED)
    settle_absent (errand, call);
  else if (zendesk_found_get (errand->found, errand->base.finding.target_id)->deleted)
    zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_DELIVERED, "it was deleted in the target since");
  else
    {
      want_what_creations_bring (errand);
      zendesk_party_endow (errand);
    }
}

static void
ask_reference (ZendeskPartyErrand *errand)
{
  g_autofree char *path = zendesk_party_reference_path (errand->sink->kind, errand->reference);

  zendesk_errand_ask (&errand->base, "GET", path, NULL, on_reference);
}

/* --- creation --- */

/* "Database collision" is two requests that met, and says nothing of what is there. */
static gboolean
is_collision (ZendeskCall *call)
{
  g_autoptr (json_object) body = zendesk_json_parse (call->answer->str, call->answer->len);

  return g_strcmp0 (zendesk_json_get_text (body, "error"), "DatabaseConflict") == 0;
}

static void
on_created (ZendeskCall *call, gpointer data)
{
  ZendeskPartyErrand *errand = data;
  ZendeskFinding *finding = &errand->base.finding;

  if (!zendesk_errand_take_answer (&errand->base, call))
    {
      zendesk_errand_settle (&errand->base);
      return;
    }
  if (call->status == 401 && zendesk_access_refused (errand->base.account, &errand->base.waiter))
    return;
  zendesk_errand_judge (&errand->base, call, ZENDESK_ASK_CREATE);
  if (finding->verdict == TALLY_VERDICT_DELIVERED)
    zendesk_party_endow (errand);
  else if ((call->status == 422 && finding->verdict == TALLY_VERDICT_REJECTED) || (call->status == 409 && !is_collision (call)))
    {
      errand->acted = FALSE;
      errand->refusal = finding->verdict;
      errand->complaint = g_string_new (finding->detail->str);
      g_clear_pointer (&errand->found, g_ptr_array_unref);
      ask_reference (errand);
    }
  else
    zendesk_errand_settle (&errand->base);
}

static void
ask_create (ZendeskPartyErrand *errand)
{
  TallyText request = zendesk_stored_request (tally_delivery_body (errand->base.delivery));
  g_autofree char *path = g_strconcat (errand->sink->kind->path, ".json", NULL);

  errand->acted = TRUE;
  zendesk_errand_ask (&errand->base, "POST", path, tally_text_dup (request), on_created);
}

/* --- update --- */

static void
on_updated (ZendeskCall *call, gpointer data)
{
  ZendeskPartyErrand *errand = data;

  if (!zendesk_errand_take_answer (&errand->base, call))
    {
      zendesk_errand_settle (&errand->base);
      return;
    }
  if (call->status == 401 && zendesk_access_refused (errand->base.account, &errand->base.waiter))
    return;
  zendesk_errand_judge (&errand->base, call, ZENDESK_ASK_UPDATE);
  if (errand->base.finding.verdict == TALLY_VERDICT_DELIVERED)
    zendesk_party_endow (errand);
  else
    zendesk_errand_settle (&errand->base);
}

static void
ask_update (ZendeskPartyErrand *errand)
{
  const char *target = tally_delivery_target_id (errand->base.delivery);
  TallyText request = zendesk_stored_request (tally_delivery_body (errand->base.delivery));
  g_autofree char *path = g_strdup_printf ("%s/%s.json", errand->sink->kind->path, target);

  if (!g_ascii_string_to_signed (target, 10, 1, G_MAXINT64 - 1, &errand->base.finding.target_id, NULL))
    {
      zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_REJECTED, "\"%s\" is no id of a %s", target, errand->base.entity);
      return;
    }
  zendesk_errand_ask (&errand->base, "PUT", path, tally_text_dup (request), on_updated);
}

gboolean
zendesk_party_looks_first (const ZendeskPartySink *sink)
{
  return g_str_equal (sink->kind->entity, "user") && (sink->adopts & ZENDESK_ADOPT_NAME);
}

/* From now on: no job makes it. */
static void
go_alone (const ZendeskPartyErrand *errand)
{
  g_hash_table_add (errand->sink->alone, g_strdup (errand->reference));
}

static gboolean
goes_in_bulk (const ZendeskPartyErrand *errand)
{
  return errand->sink->bulk != NULL && zendesk_bulk_is_marked (tally_delivery_body (errand->base.delivery))
         && !zendesk_party_looks_first (errand->sink) && !g_hash_table_contains (errand->sink->alone, errand->reference);
}

static void
create (ZendeskPartyErrand *errand)
{
  if (zendesk_access_queue (errand->base.account, &errand->base.waiter))
    return;
  if (zendesk_party_looks_first (errand->sink))
    ask_name (errand);
  else
    ask_create (errand);
}

static void
begin (ZendeskPartyErrand *errand)
{
  if (tally_delivery_target_id (errand->base.delivery) != NULL)
    {
      if (!zendesk_access_queue (errand->base.account, &errand->base.waiter))
        ask_update (errand);
    }
  else if (goes_in_bulk (errand))
    {
      errand->acted = TRUE;
      zendesk_bulk_add (errand->sink->bulk, &errand->base);
    }
  else
    create (errand);
}

/* It waited for others, or came back from them. */
void
zendesk_party_send_single (ZendeskErrand *base)
{
  ZendeskPartyErrand *errand = (ZendeskPartyErrand *) base;

  errand->acted = FALSE;
  if (tally_delivery_may_send (base->delivery))
    create (errand);
  else
    zendesk_errand_settle_with (base, TALLY_VERDICT_UNSENT, "not sent: meanwhile this run may not send any more");
}

/* --- jobs --- */

/* What is not found is absent only once no job can be at work any more that it may be in. */
static void
look_after_job (ZendeskPartyErrand *errand, ZendeskJobFate fate, gint64 over_at)
{
  if (fate == ZENDESK_JOB_OVER)
    errand->quiet_at = over_at + JOB_SETTLE;
  else if (fate == ZENDESK_JOB_GONE)
    errand->quiet_at = tally_delivery_sent_at (errand->base.delivery) + errand->sink->job_time;
  else
    errand->quiet_at = G_MAXINT64;
  errand->job_is_over = fate == ZENDESK_JOB_OVER;
  if (!zendesk_access_queue (errand->base.account, &errand->base.waiter))
    ask_reference (errand);
}

void
zendesk_party_told (ZendeskErrand *base, const ZendeskJobRow *row, ZendeskJobFate fate, gint64 over_at)
{
  ZendeskPartyErrand *errand = (ZendeskPartyErrand *) base;

  if (row->kind == ZENDESK_ROW_DONE)
    {
      base->finding.target_id = row->id;
      zendesk_errand_settle_with (base, TALLY_VERDICT_DELIVERED, "by a job");
    }
  else if (!errand->sending)
    look_after_job (errand, fate, over_at);
  else if (row->kind == ZENDESK_ROW_NONE)
    zendesk_jobs_settle_unknown (base, row, fate);
  else
    {
      go_alone (errand);
      look_after_job (errand, fate, over_at);
    }
}

/* Begins once the names are free. */
static void
claim (ZendeskPartyErrand *errand)
{
  gint64 wait;

  switch (zendesk_claims_take (errand->sink->claims, errand->names, errand->reference, g_get_monotonic_time (), &wait))
    {
    case ZENDESK_CLAIM_TAKEN:
      errand->waiting = FALSE;
      begin (errand);
      break;
    case ZENDESK_CLAIM_HELD:
      errand->waiting = TRUE;
      break;
    case ZENDESK_CLAIM_DOUBT:
      errand->waiting = TRUE;
      errand->base.finding.wait = MIN (wait, MAX (ZENDESK_MINUTE, errand->sink->job_time / 10)); /* a lookup may tell sooner */
      zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_BUSY, "another record has this %s, and whether that is there "
                                  "already is not known yet", errand->sink->kind->name_called);
      break;
    }
}

void
zendesk_party_send (gpointer self, TallyContext *ctx, TallyDelivery *delivery)
{
  ZendeskPartyErrand *errand = errand_new (self, delivery, /* sending= */ TRUE);

  if (errand == NULL)
    return;
  errand->names = make_names (errand);
  claim (errand);
}

void
zendesk_party_resolve (gpointer self, TallyContext *ctx, TallyDelivery *delivery)
{
  ZendeskPartyErrand *errand = errand_new (self, delivery, /* sending= */ FALSE);

  if (errand == NULL)
    return;
  errand->names = make_names (errand);
  if (zendesk_jobs_resume (errand->sink->jobs, &errand->base))
    return;
  if (zendesk_bulk_is_marked (tally_delivery_body (delivery)) || tally_delivery_receipt (delivery) != NULL)
    look_after_job (errand, ZENDESK_JOB_GONE, 0);
  else if (!zendesk_access_queue (errand->base.account, &errand->base.waiter))
    ask_reference (errand);
}

/* Those that wait for a name; a claim may end the errand, and change the list. */
static void
try_waiting (ZendeskPartySink *sink)
{
  g_autoptr (GPtrArray) waiting = g_ptr_array_new ();

  for (guint i = 0; i < sink->errands->len; i++)
    if (((ZendeskPartyErrand *) sink->errands->pdata[i])->waiting)
      g_ptr_array_add (waiting, sink->errands->pdata[i]);
  for (guint i = 0; i < waiting->len; i++)
    claim (waiting->pdata[i]);
}

gboolean
zendesk_party_drive (gpointer self, TallyContext *ctx, gint64 wait, GError **error)
{
  ZendeskPartySink *sink = self;

  try_waiting (sink);
  wait = zendesk_jobs_advance (sink->jobs, wait);
  if (sink->bulk != NULL)
    wait = zendesk_bulk_advance (sink->bulk, wait);
  return zendesk_http_drive (sink->account.http, wait, error);
}
