/* members.c: which columns a ticket is made of */
#include "members.h"

#define CREATE ZENDESK_MODE_CREATE

static const char *const types[] = { "problem", "incident", "question", "task", NULL };
static const char *const priorities[] = { "low", "normal", "high", "urgent", NULL };
static const char *const statuses[] = { "new", "open", "pending", "hold", "solved", "closed", NULL };

static const ZendeskMember members[ZENDESK_N_MEMBERS] = {
  [ZENDESK_MEMBER_EXTERNAL_ID] = { "external_id", CREATE, ZENDESK_FORM_OURS },
  [ZENDESK_MEMBER_SUBJECT] = { "subject", CREATE, ZENDESK_FORM_TEXT },
  /* The older name of the first comment's text; sent as comment.body. */
  [ZENDESK_MEMBER_DESCRIPTION] = { "description", CREATE, ZENDESK_FORM_BODY },
  [ZENDESK_MEMBER_BODY] = { "comment.body", CREATE, ZENDESK_FORM_BODY },
  [ZENDESK_MEMBER_HTML_BODY] = { "comment.html_body", CREATE, ZENDESK_FORM_HTML },
  [ZENDESK_MEMBER_PUBLIC] = { "comment.public", CREATE, ZENDESK_FORM_BOOLEAN },
  [ZENDESK_MEMBER_COMMENT_AUTHOR_ID] = { "comment.author_id", CREATE, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_UPLOADS] = { "comment.uploads", CREATE, ZENDESK_FORM_TOKENS },
  [ZENDESK_MEMBER_REQUESTER_ID] = { "requester_id", CREATE, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_REQUESTER_NAME] = { "requester.name", CREATE, ZENDESK_FORM_TEXT },
  [ZENDESK_MEMBER_REQUESTER_EMAIL] = { "requester.email", CREATE, ZENDESK_FORM_TEXT },
  [ZENDESK_MEMBER_REQUESTER_LOCALE_ID] = { "requester.locale_id", CREATE, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_SUBMITTER_ID] = { "submitter_id", CREATE, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_ASSIGNEE_ID] = { "assignee_id", CREATE, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_GROUP_ID] = { "group_id", CREATE, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_ORGANIZATION_ID] = { "organization_id", CREATE, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_TYPE] = { "type", CREATE, ZENDESK_FORM_CHOICE, types },
  [ZENDESK_MEMBER_PRIORITY] = { "priority", CREATE, ZENDESK_FORM_CHOICE, priorities },
  [ZENDESK_MEMBER_STATUS] = { "status", CREATE, ZENDESK_FORM_CHOICE, statuses },
  [ZENDESK_MEMBER_CUSTOM_STATUS_ID] = { "custom_status_id", CREATE, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_DUE_AT] = { "due_at", CREATE, ZENDESK_FORM_TIME },
  [ZENDESK_MEMBER_PROBLEM_ID] = { "problem_id", CREATE, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_BRAND_ID] = { "brand_id", CREATE, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_TICKET_FORM_ID] = { "ticket_form_id", CREATE, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_COLLABORATORS] = { "collaborators", CREATE, ZENDESK_FORM_LIST },
  [ZENDESK_MEMBER_EMAIL_CCS] = { "email_ccs", CREATE, ZENDESK_FORM_LIST },
  [ZENDESK_MEMBER_FOLLOWERS] = { "followers", CREATE, ZENDESK_FORM_LIST },
  [ZENDESK_MEMBER_RECIPIENT] = { "recipient", CREATE, ZENDESK_FORM_TEXT },
  [ZENDESK_MEMBER_VIA_CHANNEL] = { "via.channel", CREATE, ZENDESK_FORM_TEXT },
  [ZENDESK_MEMBER_VIA_FOLLOWUP_SOURCE_ID] = { "via_followup_source_id", CREATE, ZENDESK_FORM_ID },
  [ZENDESK_MEMBER_TAGS] = { "tags", CREATE, ZENDESK_FORM_TAGS },
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
  { "comments", "is for imports; a creation takes one comment: \"comment.body\"" },
  { "created_at", "is given by Zendesk when a ticket is created; an import could set it" },
  { "updated_at", "is given by Zendesk when a ticket is created; an import could set it" },
  { "solved_at", "is given by Zendesk when a ticket is created; an import could set it" },
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
} rivals[] = {
  { ZENDESK_MEMBER_DESCRIPTION, ZENDESK_MEMBER_BODY },
  { ZENDESK_MEMBER_DESCRIPTION, ZENDESK_MEMBER_HTML_BODY },
  { ZENDESK_MEMBER_BODY, ZENDESK_MEMBER_HTML_BODY },
};

/* Rules between columns. */
static gboolean
check_whole (const ZendeskPlan *plan, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (rivals); i++)
    if (plan->columns[rivals[i].one] >= 0 && plan->columns[rivals[i].other] >= 0)
      return tally_throw (error, TALLY_ERROR_USAGE,
                          "columns \"%s\" and \"%s\" are both the ticket's text; leave one out",
                          members[rivals[i].one].name, members[rivals[i].other].name);
  if (plan->columns[ZENDESK_MEMBER_DESCRIPTION] < 0 && plan->columns[ZENDESK_MEMBER_BODY] < 0
      && plan->columns[ZENDESK_MEMBER_HTML_BODY] < 0)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "a ticket needs a text: a column \"comment.body\" or \"comment.html_body\"");
  if (plan->columns[ZENDESK_MEMBER_DUE_AT] >= 0 && plan->columns[ZENDESK_MEMBER_TYPE] < 0)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "column \"due_at\" counts only for tickets whose \"type\" is \"task\", and there "
                        "is no column \"type\"");
  return TRUE;
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
