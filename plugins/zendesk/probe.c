/* probe.c: what is asked of an account for `tallyman doctor`
 *
 * Only reading: whether an account takes a request can only be known for sure by making one, and some of what it would refuse is
 * told nowhere.
 */
#include "account.h"

/* Clocks that differ by more are worth a word. */
#define MAX_SKEW 60 /* seconds */

/* Switches that decide what becomes of members of a record. */
static const struct
{
  const char *name, *on, *off;
} features[] = {
  { "follower_and_email_cc_collaborations", "CCs and followers are switched on",
    "CCs and followers are switched off: a ticket's email_ccs and followers would be dropped" },
  { "custom_statuses_enabled", "custom ticket statuses are switched on", "there are no custom ticket statuses, so a custom_status_id means nothing" },
};

static gboolean
probe_role (ZendeskAccount *account, GError **error)
{
  g_auto (ZendeskReply) me = { 0 };
  g_autofree char *role = NULL;
  gboolean is_admin;

  if (!zendesk_account_get (account, ZENDESK_API "/users/me.json", "the user", &me, error)
      || !zendesk_account_read_user (account, &me, &role, error))
    return FALSE;
  is_admin = g_strcmp0 (role, "admin") == 0;
  if (!is_admin && g_strcmp0 (role, "agent") != 0)
    return tally_throw (error, TALLY_ERROR_AUTH,
                        "the credentials are those of a user with the role \"%s\"; this takes an agent or an admin",
                        role != NULL ? role : "");
  if (!is_admin && account->admin_for != NULL)
    return tally_throw (error, TALLY_ERROR_AUTH, "the credentials are those of an agent; %s takes an admin", account->admin_for);
  tally_context_tell (account->ctx, TALLY_FINDING_OK, NULL, "the credentials are those of an %s", role);
  return TRUE;
}

/* One switch; the groups that they stand in have changed in the past. */
static json_object *
find_switch (json_object *settings, const char *name)
{
  struct json_object_iter group;

  json_object_object_foreachC (settings, group)
  {
    json_object *value = json_object_is_type (group.val, json_type_object) ? zendesk_json_get (group.val, name) : NULL;

    if (json_object_is_type (value, json_type_boolean))
      return value;
  }
  return NULL;
}

/* Not every account answers this to everybody; then nothing is said of it. */
static gboolean
probe_features (ZendeskAccount *account, GError **error)
{
  g_auto (ZendeskReply) reply = { 0 };
  g_autoptr (GError) refusal = NULL;
  g_autoptr (json_object) body = NULL;
  json_object *settings;

  if (!zendesk_account_get (account, ZENDESK_API "/account/settings.json", "its settings", &reply, &refusal))
    {
      if (reply.status == 403 || reply.status == 404)
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&refusal));
      return FALSE;
    }
  body = zendesk_json_parse (reply.body, reply.length);
  settings = zendesk_json_get (body, "settings");
  for (guint i = 0; json_object_is_type (settings, json_type_object) && i < G_N_ELEMENTS (features); i++)
    {
      json_object *value = find_switch (settings, features[i].name);

      if (value == NULL)
        continue;
      if (json_object_get_boolean (value))
        tally_context_tell (account->ctx, TALLY_FINDING_OK, NULL, "%s", features[i].on);
      else
        tally_context_tell (account->ctx, TALLY_FINDING_WARNING, "have an admin switch it on if the records need it", "%s",
                            features[i].off);
    }
  return TRUE;
}

static void
probe_clock (ZendeskAccount *account)
{
  if (ABS (account->skew) > MAX_SKEW)
    tally_context_tell (account->ctx, TALLY_FINDING_WARNING, "let this machine take the time from a time server",
                        "the clocks of this machine and of \"%s\" differ by %" G_GINT64_FORMAT " seconds", account->base,
                        ABS (account->skew));
}

gboolean
zendesk_account_probe (ZendeskAccount *account, GError **error)
{
  g_auto (ZendeskReply) count = { 0 };

  if (!probe_role (account, error)
      || !zendesk_account_get (account, ZENDESK_API "/tickets/count.json", "the number of tickets", &count, error)
      || !probe_features (account, error))
    return FALSE;
  if (account->limit > 0)
    tally_context_tell (account->ctx, TALLY_FINDING_OK, NULL, "the account takes %" G_GINT64_FORMAT " requests a minute",
                        account->limit);
  probe_clock (account);
  return TRUE;
}
