/* resource.c: what can be read out of an account, and as which columns */
#include "resource.h"

#include <string.h>

#define BOOLEAN(name) { name, TALLY_TYPE_BOOLEAN }
#define ID(name) { name, TALLY_TYPE_BIGINT }
#define TEXT(name) { name, TALLY_TYPE_TEXT }
#define TIME(name) { name, TALLY_TYPE_TIMESTAMPTZ }
#define NESTED(name) { name, TALLY_TYPE_JSONB }
#define END { NULL, TALLY_TYPE_TEXT }

/* zendesk-api.md, section 4.1 */
static const ZendeskColumn ticket_columns[] = {
  ID ("id"), TEXT ("external_id"), TIME ("created_at"), TIME ("updated_at"), ID ("generated_timestamp"), TEXT ("type"),
  TEXT ("subject"), TEXT ("description"), TEXT ("priority"), TEXT ("status"), ID ("custom_status_id"),
  TEXT ("recipient"), ID ("requester_id"), ID ("submitter_id"), ID ("assignee_id"), ID ("organization_id"),
  ID ("group_id"), ID ("brand_id"), ID ("ticket_form_id"), ID ("problem_id"), BOOLEAN ("has_incidents"),
  BOOLEAN ("is_public"), TIME ("due_at"), NESTED ("tags"), NESTED ("collaborator_ids"), NESTED ("follower_ids"),
  NESTED ("email_cc_ids"), NESTED ("followup_ids"), TEXT ("via.channel"), NESTED ("satisfaction_rating"),
  BOOLEAN (ZENDESK_COLUMN_DELETED), BOOLEAN (ZENDESK_COLUMN_SCRUBBED), END,
};

/* section 6 */
static const ZendeskColumn user_columns[] = {
  ID ("id"), TEXT ("external_id"), TEXT ("name"), TEXT ("email"), TIME ("created_at"), TIME ("updated_at"),
  TEXT ("role"), ID ("custom_role_id"), ID ("organization_id"), ID ("default_group_id"), TEXT ("phone"), TEXT ("alias"),
  TEXT ("time_zone"), TEXT ("locale"), ID ("locale_id"), BOOLEAN ("active"), BOOLEAN ("suspended"), BOOLEAN ("verified"),
  TIME ("last_login_at"), TEXT ("ticket_restriction"), NESTED ("tags"), TEXT ("details"), TEXT ("notes"),
  TEXT ("signature"), END,
};

/* section 7 */
static const ZendeskColumn organization_columns[] = {
  ID ("id"), TEXT ("external_id"), TEXT ("name"), TIME ("created_at"), TIME ("updated_at"), NESTED ("domain_names"),
  TEXT ("details"), TEXT ("notes"), ID ("group_id"), BOOLEAN ("shared_tickets"), BOOLEAN ("shared_comments"),
  NESTED ("tags"), END,
};

/* section 4.2 */
static const ZendeskColumn comment_columns[] = {
  ID ("id"), ID ("ticket_id"), ID ("author_id"), TIME ("created_at"), BOOLEAN ("public"), TEXT ("body"),
  TEXT ("html_body"), TEXT ("plain_body"), NESTED ("attachments"), ID ("audit_id"), TEXT ("via.channel"),
  NESTED ("metadata"), END,
};

/* section 11 */
static const ZendeskColumn event_columns[] = {
  ID ("id"), ID ("ticket_id"), ID ("timestamp"), TIME ("created_at"), ID ("updater_id"), TEXT ("via"), TEXT ("event_type"),
  NESTED ("child_events"), END,
};

/* section 7 */
static const ZendeskColumn membership_columns[] = {
  ID ("id"), ID ("user_id"), ID ("organization_id"), BOOLEAN ("default"), TIME ("created_at"), TIME ("updated_at"), END,
};

/* section 13 */
static const ZendeskColumn group_columns[] = {
  ID ("id"), TEXT ("name"), TEXT ("description"), BOOLEAN ("is_public"), BOOLEAN ("default"), BOOLEAN ("deleted"),
  TIME ("created_at"), TIME ("updated_at"), END,
};

static const ZendeskColumn any_columns[] = { ID ("id"), NESTED (ZENDESK_COLUMN_RECORD), END };

static const ZendeskResource resources[] = {
  { "tickets", "incremental/tickets/cursor", "tickets", ZENDESK_PAGING_CURSOR, NULL, ticket_columns, "ticket_fields",
    "custom_fields" },
  { "ticket_comments", "incremental/tickets/cursor", "tickets", ZENDESK_PAGING_CURSOR, NULL, comment_columns, NULL,
    NULL },
  { "users", "incremental/users/cursor", "users", ZENDESK_PAGING_CURSOR, NULL, user_columns, "user_fields",
    "user_fields", TRUE },
  { "organizations", "incremental/organizations", "organizations", ZENDESK_PAGING_TIME, NULL, organization_columns,
    "organization_fields", "organization_fields", TRUE },
  { "ticket_events", "incremental/ticket_events", "ticket_events", ZENDESK_PAGING_TIME, "include=comment_events",
    event_columns, NULL, NULL },
  { "organization_memberships", "organization_memberships", "organization_memberships", ZENDESK_PAGING_LIST, NULL,
    membership_columns, NULL, NULL },
  { "groups", "groups", "groups", ZENDESK_PAGING_LIST, NULL, group_columns, NULL, NULL },
};

/* Letters, digits and underscores between single slashes: nothing that could lead elsewhere. */
static gboolean
is_path (const char *name)
{
  for (const char *p = name; *p != '\0'; p++)
    if (!g_ascii_islower (*p) && !g_ascii_isdigit (*p) && *p != '_'
        && !(*p == '/' && p > name && p[1] != '/' && p[1] != '\0'))
      return FALSE;
  return *name != '\0';
}

gboolean
zendesk_resource_find (const char *name, ZendeskResource *ret_resource, GError **error)
{
  const char *slash = strrchr (name, '/');

  for (guint i = 0; i < G_N_ELEMENTS (resources); i++)
    if (g_str_equal (resources[i].name, name))
      {
        *ret_resource = resources[i];
        return TRUE;
      }
  if (!is_path (name))
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "\"resource\" is the name of a list, as \"tickets\", or its path, as \"users/601/identities\"; "
                        "not \"%s\"", name);
  *ret_resource = (ZendeskResource){ .name = name,
                                     .path = name,
                                     .list = slash != NULL ? slash + 1 : name,
                                     .paging = ZENDESK_PAGING_LIST,
                                     .columns = any_columns };
  return TRUE;
}
