/* members.c: which columns a ticket is made of */
#include "members.h"

#define CREATE ZENDESK_MODE_CREATE
#define IMPORT ZENDESK_MODE_IMPORT
#define UPDATE ZENDESK_MODE_UPDATE
#define NEW (CREATE | IMPORT)
#define TEXTS (CREATE | UPDATE) /* a comment of its own */
#define ALL (CREATE | IMPORT | UPDATE)

static const char *const types[] = { "problem", "incident", "question", "task", NULL };
static const char *const priorities[] = { "low", "normal", "high", "urgent", NULL };
static const char *const statuses[] = { "new", "open", "pending", "hold", "solved", "closed", NULL };

static const ZendeskMember members[ZENDESK_N_MEMBERS] = {
  [ZENDESK_MEMBER_EXTERNAL_ID] = { "external_id", NEW, ZENDESK_FORM_OURS },
  [ZENDESK_MEMBER_ID] = { "id", UPDATE, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_SUBJECT] = { "subject", ALL, ZENDESK_FORM_TEXT },
  /* The older name of the first comment's text; sent as a comment. */
  [ZENDESK_MEMBER_DESCRIPTION] = { "description", NEW, ZENDESK_FORM_BODY },
  [ZENDESK_MEMBER_BODY] = { "comment.body", TEXTS, ZENDESK_FORM_BODY },
  [ZENDESK_MEMBER_HTML_BODY] = { "comment.html_body", TEXTS, ZENDESK_FORM_HTML },
  [ZENDESK_MEMBER_PUBLIC] = { "comment.public", TEXTS, ZENDESK_FORM_BOOLEAN },
  [ZENDESK_MEMBER_COMMENT_AUTHOR_ID] = { "comment.author_id", TEXTS, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_UPLOADS] = { "comment.uploads", TEXTS, ZENDESK_FORM_TOKENS },
  [ZENDESK_MEMBER_ATTACHMENTS] = { "attachments", ALL, ZENDESK_FORM_FILES }, /* of the first comment */
  [ZENDESK_MEMBER_COMMENTS] = { "comments", IMPORT, ZENDESK_FORM_LIST },
  [ZENDESK_MEMBER_REQUESTER_ID] = { "requester_id", ALL, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_REQUESTER_NAME] = { "requester.name", NEW, ZENDESK_FORM_TEXT },
  [ZENDESK_MEMBER_REQUESTER_EMAIL] = { "requester.email", NEW, ZENDESK_FORM_TEXT },
  [ZENDESK_MEMBER_REQUESTER_LOCALE_ID] = { "requester.locale_id", NEW, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_SUBMITTER_ID] = { "submitter_id", NEW, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_ASSIGNEE_ID] = { "assignee_id", ALL, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_ASSIGNEE] = { "assignee", ALL, ZENDESK_FORM_NAME },
  [ZENDESK_MEMBER_GROUP_ID] = { "group_id", ALL, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_GROUP] = { "group", ALL, ZENDESK_FORM_NAME },
  [ZENDESK_MEMBER_ORGANIZATION_ID] = { "organization_id", ALL, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_TYPE] = { "type", ALL, ZENDESK_FORM_CHOICE, types },
  [ZENDESK_MEMBER_PRIORITY] = { "priority", ALL, ZENDESK_FORM_CHOICE, priorities },
  [ZENDESK_MEMBER_STATUS] = { "status", ALL, ZENDESK_FORM_CHOICE, statuses },
  [ZENDESK_MEMBER_CUSTOM_STATUS_ID] = { "custom_status_id", ALL, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_DUE_AT] = { "due_at", ALL, ZENDESK_FORM_TIME },
  [ZENDESK_MEMBER_PROBLEM_ID] = { "problem_id", ALL, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_BRAND_ID] = { "brand_id", ALL, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_BRAND] = { "brand", ALL, ZENDESK_FORM_NAME },
  [ZENDESK_MEMBER_TICKET_FORM_ID] = { "ticket_form_id", ALL, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_FORM] = { "form", ALL, ZENDESK_FORM_NAME },
  [ZENDESK_MEMBER_COLLABORATORS] = { "collaborators", NEW, ZENDESK_FORM_LIST },
  [ZENDESK_MEMBER_EMAIL_CCS] = { "email_ccs", ALL, ZENDESK_FORM_LIST },
  [ZENDESK_MEMBER_FOLLOWERS] = { "followers", ALL, ZENDESK_FORM_LIST },
  [ZENDESK_MEMBER_RECIPIENT] = { "recipient", NEW, ZENDESK_FORM_TEXT },
  [ZENDESK_MEMBER_VIA_CHANNEL] = { "via.channel", NEW, ZENDESK_FORM_TEXT },
  [ZENDESK_MEMBER_VIA_FOLLOWUP_SOURCE_ID] = { "via_followup_source_id", CREATE, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_CREATED_AT] = { "created_at", IMPORT, ZENDESK_FORM_TIME },
  [ZENDESK_MEMBER_UPDATED_AT] = { "updated_at", IMPORT, ZENDESK_FORM_TIME },
  [ZENDESK_MEMBER_SOLVED_AT] = { "solved_at", IMPORT, ZENDESK_FORM_TIME },
  [ZENDESK_MEMBER_TAGS] = { "tags", ALL, ZENDESK_FORM_TAGS },
};

static const ZendeskRefusal refused[] = {
  { "external_id", "is filled by the pipeline's \"origin\" and the sink's \"key\", so that each ticket "
                   "can be found again; rename the column, or use it as the key" },
  { "id", "is given by Zendesk; rename the column, or use it as the key" },
  { "comment", "is an object: name its members, as \"comment.body\" or \"comment.public\"" },
  { "requester", "is an object: name its members, as \"requester.email\" and \"requester.name\"" },
  { "via", "is an object: name its member \"via.channel\"" },
  { "custom_fields", "is an object: name the fields, as \"custom_fields.Severity\"" },
  { "fields", "is Zendesk's other name of custom_fields: name them as \"custom_fields.Severity\"" },
  { "comment.body", "is one of \"comments\" in an import; \"description\" is the text of its first one" },
  { "comment.html_body", "is one of \"comments\" in an import" },
  { "comments", "is for \"mode: import\"; otherwise there is one comment: \"comment.body\"" },
  { "created_at", "is given by Zendesk; only \"mode: import\" can set it" },
  { "updated_at", "is given by Zendesk; only \"mode: import\" can set it" },
  { "solved_at", "is given by Zendesk; only \"mode: import\" can set it" },
  { "url", "is given by Zendesk" },
  { "raw_subject", "is made by Zendesk of \"subject\"" },
  { "is_public", "is made by Zendesk of \"comment.public\"" },
  { "generated_timestamp", "is given by Zendesk" },
  { "collaborator_ids", "is what Zendesk answers; a creation takes \"collaborators\"" },
  { "follower_ids", "is what Zendesk answers; a creation takes \"followers\"" },
  { "email_cc_ids", "is what Zendesk answers; a creation takes \"email_ccs\"" },
  { "has_incidents", "is worked out by Zendesk" },
  { "satisfaction_rating", "is given by the requester" },
  { "followup_ids", "is worked out by Zendesk" },
  { "forum_topic_id", "is given by Zendesk" },
  { "sharing_agreement_ids", "is worked out by Zendesk" },
  { "allow_channelback", "is worked out by Zendesk" },
  { "allow_attachments", "is worked out by Zendesk" },
  { "from_messaging_channel", "is worked out by Zendesk" },
  { 0 },
};

/* Columns that say the same thing twice. */
static const struct
{
  ZendeskMemberIndex one, other;
  const char *what;
} rivals[] = {
  { ZENDESK_MEMBER_DESCRIPTION, ZENDESK_MEMBER_BODY, "text" },
  { ZENDESK_MEMBER_DESCRIPTION, ZENDESK_MEMBER_HTML_BODY, "text" },
  { ZENDESK_MEMBER_BODY, ZENDESK_MEMBER_HTML_BODY, "text" },
  { ZENDESK_MEMBER_UPLOADS, ZENDESK_MEMBER_ATTACHMENTS, "files" },
  { ZENDESK_MEMBER_ASSIGNEE_ID, ZENDESK_MEMBER_ASSIGNEE, "assignee" },
  { ZENDESK_MEMBER_GROUP_ID, ZENDESK_MEMBER_GROUP, "group" },
  { ZENDESK_MEMBER_BRAND_ID, ZENDESK_MEMBER_BRAND, "brand" },
  { ZENDESK_MEMBER_TICKET_FORM_ID, ZENDESK_MEMBER_FORM, "form" },
};

static gboolean
has (const ZendeskPlan *plan, ZendeskMemberIndex member)
{
  return plan->columns[member] >= 0;
}

static gboolean
check_new (const ZendeskPlan *plan, GError **error)
{
  if (has (plan, ZENDESK_MEMBER_DESCRIPTION) || has (plan, ZENDESK_MEMBER_BODY) || has (plan, ZENDESK_MEMBER_HTML_BODY)
      || has (plan, ZENDESK_MEMBER_COMMENTS))
    return TRUE;
  return tally_throw (error, TALLY_ERROR_USAGE, "a ticket needs a text: a column %s",
                      plan->mode == ZENDESK_MODE_IMPORT ? "\"comments\" or \"description\""
                                                        : "\"comment.body\" or \"comment.html_body\"");
}

/* What is left out would be the user whose credentials these are. */
static gboolean
check_import (const ZendeskPlan *plan, GError **error)
{
  if (has (plan, ZENDESK_MEMBER_REQUESTER_ID) || has (plan, ZENDESK_MEMBER_REQUESTER_EMAIL)
      || has (plan, ZENDESK_MEMBER_REQUESTER_NAME))
    return TRUE;
  return tally_throw (error, TALLY_ERROR_USAGE,
                      "an import needs to know who asked: a column \"requester_id\", or \"requester.email\" with "
                      "\"requester.name\"");
}

static gboolean
check_update (const ZendeskPlan *plan, GError **error)
{
  guint n = plan->n_custom;

  if (!has (plan, ZENDESK_MEMBER_ID))
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "an update needs to know its ticket: a column \"id\", as ref('ticket', old_id) gives it");
  for (guint i = 0; i < ZENDESK_N_MEMBERS; i++)
    n += i != ZENDESK_MEMBER_ID && has (plan, i);
  if (n == 0)
    return tally_throw (error, TALLY_ERROR_USAGE, "there is no column beside \"id\": nothing would be updated");
  return TRUE;
}

/* Rules between columns. */
static gboolean
check_whole (const ZendeskPlan *plan, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (rivals); i++)
    if (has (plan, rivals[i].one) && has (plan, rivals[i].other))
      return tally_throw (error, TALLY_ERROR_USAGE, "columns \"%s\" and \"%s\" are both the ticket's %s; leave one out",
                          members[rivals[i].one].name, members[rivals[i].other].name, rivals[i].what);
  if (has (plan, ZENDESK_MEMBER_DUE_AT) && !has (plan, ZENDESK_MEMBER_TYPE))
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "column \"due_at\" counts only for tickets whose \"type\" is \"task\", and there "
                        "is no column \"type\"");
  if (plan->mode == ZENDESK_MODE_UPDATE)
    return check_update (plan, error);
  return check_new (plan, error) && (plan->mode != ZENDESK_MODE_IMPORT || check_import (plan, error));
}

G_STATIC_ASSERT (ZENDESK_N_MEMBERS <= ZENDESK_MAX_MEMBERS);

const ZendeskTable zendesk_ticket_table = {
  .an_entity = "a ticket",
  .members = members,
  .n_members = ZENDESK_N_MEMBERS,
  .refused = refused,
  .custom_prefix = "custom_fields.",
  .custom_name = "title or id",
  .field = "ticket field",
  .fields = "ticket_fields",
  .check = check_whole,
};
