/* endow.c: a user gets what belongs to it
 *
 *   addresses ─► (create one, or make one the first) ─► memberships ─► (create one, or make one the default) ─► settled
 *
 * Before each step that acts, what the user has is read again, so that none is done twice.  What ends a step without a clear
 * answer leaves the delivery unknown: the core looks the user up, and this begins again.
 */
#include "party-errand.h"
#include "values.h"

#include <string.h>

/* Pages that are read of what one user has. */
#define MAX_PAGES 3

static void ask_identities (ZendeskPartyErrand *errand);
static void ask_memberships (ZendeskPartyErrand *errand);

static gint64
user_id (const ZendeskPartyErrand *errand)
{
  return errand->base.finding.target_id;
}

/* An answer that may be read, or the errand is settled.  what: "its address x" */
static gboolean
take_step (ZendeskPartyErrand *errand, ZendeskCall *call, const char *what)
{
  ZendeskFinding *finding = &errand->base.finding;
  gint64 id = user_id (errand);
  TallyVerdict verdict;

  if (!zendesk_errand_take_answer (&errand->base, call))
    finding->verdict = TALLY_VERDICT_UNKNOWN;
  else
    zendesk_errand_judge (&errand->base, call, ZENDESK_ASK_CONTINUE);

  verdict = call->status == 422 ? TALLY_VERDICT_REJECTED : finding->verdict;
  if (verdict == TALLY_VERDICT_DELIVERED)
    return TRUE;
  g_autofree char *why = g_strdup (finding->detail->str);
  zendesk_errand_settle_with (&errand->base, verdict, "user %" G_GINT64_FORMAT " is there, but %s: %s", id, what, why);
  return FALSE;
}

/* Each step makes one thing right that was wrong; if that does not come to an end, something else undoes it. */
static gboolean
may_step (ZendeskPartyErrand *errand)
{
  if (errand->steps++ < 2 * ZENDESK_MAX_BELONGINGS)
    return TRUE;
  zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNKNOWN, "user %" G_GINT64_FORMAT " is there, but what is added "
                              "to it does not stay", user_id (errand));
  return FALSE;
}

static void
ask_list (ZendeskPartyErrand *errand, const char *list, ZendeskHttpDone done)
{
  g_autofree char *path = g_strdup_printf (ZENDESK_API "/users/%" G_GINT64_FORMAT "/%s.json?per_page=100&page=%u",
                                           user_id (errand), list, errand->page);

  zendesk_errand_ask (&errand->base, "GET", path, NULL, done);
}

/* A page of what the user has was read: TRUE if that was all of it. */
static gboolean
take_page (ZendeskPartyErrand *errand, gboolean good, gboolean more, const char *what,
           void (*ask) (ZendeskPartyErrand *errand))
{
  if (!good || (more && errand->page == MAX_PAGES))
    zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNKNOWN, "user %" G_GINT64_FORMAT " is there, but its %s cannot "
                                "be read", user_id (errand), what);
  else if (more)
    {
      errand->page++;
      ask (errand);
    }
  else
    return TRUE;
  return FALSE;
}

static void
begin_list (ZendeskPartyErrand *errand, void (*ask) (ZendeskPartyErrand *errand))
{
  g_clear_pointer (&errand->has, g_ptr_array_unref);
  errand->has = zendesk_belonging_list_new ();
  errand->page = 1;
  ask (errand);
}

/* --- memberships --- */

static void
on_membership (ZendeskCall *call, gpointer data)
{
  ZendeskPartyErrand *errand = data;

  if (take_step (errand, call, "not in all of its organizations"))
    begin_list (errand, ask_memberships);
}

static void
add_membership (ZendeskPartyErrand *errand, gint64 organization)
{
  zendesk_errand_ask (&errand->base, "POST", ZENDESK_API "/organization_memberships.json",
                      g_strdup_printf ("{\"organization_membership\":{\"user_id\":%" G_GINT64_FORMAT
                                       ",\"organization_id\":%" G_GINT64_FORMAT "}}", user_id (errand), organization),
                      on_membership);
}

static void
make_default (ZendeskPartyErrand *errand, gint64 membership)
{
  g_autofree char *path = g_strdup_printf (ZENDESK_API "/users/%" G_GINT64_FORMAT "/organization_memberships/%"
                                           G_GINT64_FORMAT "/make_default.json", user_id (errand), membership);

  zendesk_errand_ask (&errand->base, "PUT", path, g_strdup ("{}"), on_membership);
}

static void
on_memberships (ZendeskCall *call, gpointer data)
{
  ZendeskPartyErrand *errand = data;
  gboolean good, more = FALSE;
  gint64 organization, membership;

  if (!take_step (errand, call, "its organizations cannot be read"))
    return;
  good = zendesk_memberships_read (errand->has, call->answer->str, call->answer->len, &more);
  if (!take_page (errand, good, more, "organizations", ask_memberships))
    return;
  organization = zendesk_next_membership (errand->belongings, errand->has, &membership);
  if (organization == 0)
    {
      errand->base.finding.verdict = TALLY_VERDICT_DELIVERED;
      zendesk_errand_settle (&errand->base);
    }
  else if (may_step (errand))
    {
      if (membership == 0)
        add_membership (errand, organization);
      else
        make_default (errand, membership);
    }
}

static void
ask_memberships (ZendeskPartyErrand *errand)
{
  ask_list (errand, "organization_memberships", on_memberships);
}

static void
endow_memberships (ZendeskPartyErrand *errand)
{
  if (errand->belongings->organizations->len > 0 || errand->belongings->organization_id != 0)
    begin_list (errand, ask_memberships);
  else
    {
      errand->base.finding.verdict = TALLY_VERDICT_DELIVERED;
      zendesk_errand_settle (&errand->base);
    }
}

/* --- addresses --- */

static void
on_identity (ZendeskCall *call, gpointer data)
{
  ZendeskPartyErrand *errand = data;

  if (take_step (errand, call, "one of its e-mail addresses is not its own"))
    begin_list (errand, ask_identities);
}

static void
add_identity (ZendeskPartyErrand *errand, const char *address)
{
  g_autofree char *path
      = g_strdup_printf (ZENDESK_API "/users/%" G_GINT64_FORMAT "/identities.json", user_id (errand));
  GString *body = g_string_new ("{\"identity\":{\"type\":\"email\",\"value\":");

  zendesk_append_string (address, body);
  g_string_append (body, errand->sink->verify_email ? "}}" : ",\"skip_verify_email\":true}}");
  zendesk_errand_ask (&errand->base, "POST", path, g_string_free (body, FALSE), on_identity);
}

static void
make_primary (ZendeskPartyErrand *errand, gint64 identity)
{
  g_autofree char *path = g_strdup_printf (ZENDESK_API "/users/%" G_GINT64_FORMAT "/identities/%" G_GINT64_FORMAT
                                           "/make_primary.json", user_id (errand), identity);

  zendesk_errand_ask (&errand->base, "PUT", path, g_strdup ("{}"), on_identity);
}

static void
on_identities (ZendeskCall *call, gpointer data)
{
  ZendeskPartyErrand *errand = data;
  gboolean good, more = FALSE;
  const char *address;
  gint64 identity;

  if (!take_step (errand, call, "its e-mail addresses cannot be read"))
    return;
  good = zendesk_identities_read (errand->has, call->answer->str, call->answer->len, &more);
  if (!take_page (errand, good, more, "e-mail addresses", ask_identities))
    return;
  address = zendesk_next_identity (errand->belongings, errand->has, &identity);
  if (address == NULL)
    endow_memberships (errand);
  else if (may_step (errand))
    {
      if (identity == 0)
        add_identity (errand, address);
      else
        make_primary (errand, identity);
    }
}

static void
ask_identities (ZendeskPartyErrand *errand)
{
  ask_list (errand, "identities", on_identities);
}

void
zendesk_party_endow (ZendeskPartyErrand *errand)
{
  const ZendeskBelongings *wanted = errand->belongings;

  if (wanted == NULL)
    zendesk_errand_settle (&errand->base);
  else if (wanted->identities->len > 0 || wanted->email != NULL)
    begin_list (errand, ask_identities);
  else
    endow_memberships (errand);
}
