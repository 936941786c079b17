/* foretell.c: what would become of users and organizations that a plan would create
 *
 * The lookups that settle.c makes once Zendesk has not taken a record are made before anything is sent.  Nothing is changed.
 * Whoever shares a name with another record of the plan is not seen: neither is there yet.
 */
#include "belongings.h"
#include "cost.h"
#include "party.h"

#include <string.h>

typedef struct
{
  ZendeskPartySink *sink; /* (unowned) */
  json_object *body;      /* (owned) */
  ZendeskWanted wanted;
  GPtrArray *found;       /* (owned) (element-type ZendeskFound) */
  gboolean too_many;      /* more than are looked at */
} Look;

static void
look_clear (Look *look)
{
  json_object_put (look->body);
  g_ptr_array_unref (look->found);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Look, look_clear)

static void
look_init (Look *look, ZendeskPartySink *sink, const TallyForetold *one)
{
  TallyText request = zendesk_stored_request (one->body);

  *look = (Look){ .sink = sink, .found = zendesk_found_new (), .body = zendesk_json_parse (request.data, request.length) };
  look->wanted = zendesk_party_wanted (sink, zendesk_json_get (look->body, sink->kind->entity), one->reference);
}

/* Adds who is in a list of Zendesk's. */
static gboolean
read_list (Look *look, const char *path, GError **error)
{
  g_auto (ZendeskReply) reply = { 0 };
  gboolean more = FALSE;

  if (!zendesk_account_get (&look->sink->account, path, "who is there already", &reply, error))
    return FALSE;
  if (!zendesk_found_read (look->found, look->wanted.entity, reply.body, reply.length, &more))
    return tally_throw (error, TALLY_ERROR_DATA, "\"%s\" answered with no list of %ss", look->sink->account.base, look->wanted.entity);
  look->too_many = look->too_many || more;
  return TRUE;
}

/* Sees whether the address is one of the user's, who was found by it and has another as the first. */
static gboolean
read_addresses (Look *look, gint64 user, GError **error)
{
  g_autofree char *path = zendesk_party_addresses_path (user);
  g_autoptr (GPtrArray) has = zendesk_belonging_list_new ();
  g_auto (ZendeskReply) reply = { 0 };
  gboolean more;

  if (!zendesk_account_get (&look->sink->account, path, "the addresses of a user", &reply, error))
    return FALSE;
  if (!zendesk_identities_read (has, reply.body, reply.length, &more))
    return tally_throw (error, TALLY_ERROR_DATA, "the addresses of user %" G_GINT64_FORMAT " cannot be read", user);
  for (guint i = 0; i < has->len; i++)
    if (g_ascii_strcasecmp (((ZendeskBelonging *) has->pdata[i])->value, look->wanted.email) == 0)
      zendesk_found_get (look->found, user)->has_email = TRUE;
  return TRUE;
}

/* All who could lead Zendesk to refuse the record. */
static gboolean
read_unique (Look *look, GError **error)
{
  const ZendeskWanted *wanted = &look->wanted;
  gboolean is_user = g_str_equal (wanted->entity, "user");
  g_autofree char *reference = zendesk_party_reference_path (look->sink->kind, wanted->reference), *name = NULL;
  gint64 doubtful;

  g_ptr_array_set_size (look->found, 0);
  if (!read_list (look, reference, error))
    return FALSE;
  if ((is_user ? wanted->email : wanted->name) == NULL)
    return TRUE;
  name = zendesk_party_name_path (look->sink->kind, wanted, /* unique= */ TRUE);
  if (!read_list (look, name, error))
    return FALSE;
  doubtful = is_user ? zendesk_found_doubtful (look->found, wanted) : 0;
  return doubtful == 0 || read_addresses (look, doubtful, error);
}

/* As a run would: by a name that two may share before anything is sent, and by what no two may share once it is refused. */
static gboolean
decide (Look *look, ZendeskMatch *ret_match, gboolean *ret_by_name, gint64 *ret_id, GString *detail, GError **error)
{
  gboolean by_name = g_str_equal (look->wanted.entity, "user") && (look->wanted.adopts & ZENDESK_ADOPT_NAME);

  if (by_name)
    {
      g_autofree char *path = zendesk_party_name_path (look->sink->kind, &look->wanted, /* unique= */ FALSE);

      if (!read_list (look, path, error))
        return FALSE;
      *ret_match = zendesk_match (&look->wanted, look->found, ret_id, detail);
      *ret_by_name = TRUE;
      if (look->too_many || *ret_match != ZENDESK_MATCH_NONE)
        return TRUE;
    }
  if (!read_unique (look, error))
    return FALSE;
  *ret_match = zendesk_match (&look->wanted, look->found, ret_id, detail);
  *ret_by_name = FALSE;
  return TRUE;
}

static gboolean
foretell_one (ZendeskPartySink *sink, TallyContext *ctx, TallyForetold *one, GError **error)
{
  g_auto (Look) look = { 0 };
  g_autoptr (GString) detail = g_string_new (NULL);
  ZendeskMatch match = ZENDESK_MATCH_NONE;
  gboolean by_name = FALSE;
  gint64 id = 0;

  look_init (&look, sink, one);
  if (!decide (&look, &match, &by_name, &id, detail, error))
    return FALSE;
  if (look.too_many)
    {
      g_string_printf (detail, "too many %ss answer to what was looked for", look.wanted.entity);
      match = ZENDESK_MATCH_CONFLICT;
    }
  if (match == ZENDESK_MATCH_NONE)
    return TRUE;
  one->verdict = match == ZENDESK_MATCH_CONFLICT ? TALLY_VERDICT_REJECTED : TALLY_VERDICT_DELIVERED;
  one->detail = match == ZENDESK_MATCH_CONFLICT ? g_strdup (detail->str) : NULL;
  zendesk_party_cost_there (sink, ctx, one->body, &look.wanted, match, by_name);
  return TRUE;
}

gboolean
zendesk_party_foretell (gpointer self, TallyContext *ctx, TallyForetold *const *ones, guint n, GError **error)
{
  for (guint i = 0; i < n; i++)
    if (ones[i]->verdict == TALLY_VERDICT_ABSENT && !foretell_one (self, ctx, ones[i], error))
      return FALSE;
  return TRUE;
}
