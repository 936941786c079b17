/* members.c: which columns a ticket is made of */
#include "members.h"

#include <string.h>

#define CREATE ZENDESK_MODE_CREATE
#define CUSTOM_PREFIX "custom_fields."

static const char *const types[] = { "problem", "incident", "question", "task", NULL };
static const char *const priorities[] = { "low", "normal", "high", "urgent", NULL };
static const char *const statuses[] = { "new", "open", "pending", "hold", "solved", "closed", NULL };

const ZendeskMember zendesk_members[ZENDESK_N_MEMBERS] = {
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

/* Types that a form takes without guessing. */
#define BIT(type) (1u << TALLY_TYPE_##type)

static const struct
{
  guint types;
  const char *hint;
} forms[] = {
  [ZENDESK_FORM_TEXT] = { BIT (TEXT), "cast it with ::text" },
  [ZENDESK_FORM_BODY] = { BIT (TEXT), "cast it with ::text" },
  [ZENDESK_FORM_HTML] = { BIT (TEXT), "cast it with ::text" },
  [ZENDESK_FORM_ID] = { BIT (BIGINT) | BIT (NUMERIC) | BIT (TEXT), "cast it with ::bigint" },
  [ZENDESK_FORM_BOOLEAN] = { BIT (BOOLEAN) | BIT (TEXT), "cast it with ::boolean" },
  [ZENDESK_FORM_CHOICE] = { BIT (TEXT), "map it to text with CASE" },
  [ZENDESK_FORM_TAGS] = { BIT (JSONB) | BIT (TEXT), "cast it with ::text" },
  [ZENDESK_FORM_TIME] = { BIT (TIMESTAMPTZ) | BIT (TIMESTAMP) | BIT (DATE),
                          "cast it with ::timestamptz" },
  [ZENDESK_FORM_LIST] = { BIT (JSONB), "cast it with ::jsonb" },
  [ZENDESK_FORM_TOKENS] = { BIT (JSONB) | BIT (TEXT), "cast it with ::text" },
  [ZENDESK_FORM_OURS] = { 0, "" },
};

/* Names that people try, and what to say to them. */
static const struct
{
  const char *name, *why;
} refused[] = {
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
};

static gint
find_member (const char *name, ZendeskMode mode)
{
  for (guint i = 0; i < ZENDESK_N_MEMBERS; i++)
    if ((zendesk_members[i].modes & mode) && zendesk_members[i].form != ZENDESK_FORM_OURS
        && g_str_equal (zendesk_members[i].name, name))
      return (gint) i;
  return -1;
}

/* Says what is wrong with a name that is none of the table's. */
static gboolean
refuse_name (const char *name, ZendeskMode mode, GError **error)
{
  TallyColumn known[ZENDESK_N_MEMBERS];
  guint n_known = 0;

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    if (g_str_equal (refused[i].name, name))
      return tally_throw (error, TALLY_ERROR_USAGE, "column \"%s\": a ticket's %s %s", name, name,
                          refused[i].why);

  for (guint i = 0; i < ZENDESK_N_MEMBERS; i++)
    if (zendesk_members[i].modes & mode)
      known[n_known++] = (TallyColumn){ zendesk_members[i].name, TALLY_TYPE_TEXT };
  g_autoptr (TallySchema) schema = tally_schema_new (known, n_known);
  const char *nearest = tally_schema_nearest (schema, name);

  if (nearest != NULL)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "column \"%s\" is no member of a ticket; did you mean \"%s\"?", name, nearest);
  return tally_throw (error, TALLY_ERROR_USAGE,
                      "column \"%s\" is no member of a ticket; leave it out with \"keep\" or \"drop\", "
                      "name it \"" CUSTOM_PREFIX "<title or id>\" to fill a custom field, or name it in "
                      "\"ignore\"", name);
}

static gboolean
add_custom (ZendeskPlan *plan, guint column, const TallyColumn *what, GError **error)
{
  const char *title = what->name + strlen (CUSTOM_PREFIX);
  ZendeskCustomColumn *custom = &plan->custom[plan->n_custom];

  if (*title == '\0')
    return tally_throw (error, TALLY_ERROR_USAGE, "column \"%s\" names no field", what->name);
  if (strlen (title) >= ZENDESK_MAX_TITLE)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "column \"%.40s…\" has a title of more than %d bytes; name the field by its id",
                        what->name, ZENDESK_MAX_TITLE - 1);
  if (plan->n_custom == ZENDESK_MAX_CUSTOM)
    return tally_throw (error, TALLY_ERROR_USAGE, "more than %d columns are custom fields",
                        ZENDESK_MAX_CUSTOM);

  g_strlcpy (custom->name, title, ZENDESK_MAX_TITLE);
  custom->column = column;
  custom->type = what->type;
  plan->n_custom++;
  return TRUE;
}

static gboolean
add_column (ZendeskPlan *plan, ZendeskMode mode, guint column, const TallyColumn *what, GError **error)
{
  gint i;

  if (g_str_has_prefix (what->name, CUSTOM_PREFIX))
    return add_custom (plan, column, what, error);
  i = find_member (what->name, mode);
  if (i < 0)
    return refuse_name (what->name, mode, error);
  if (!(forms[zendesk_members[i].form].types & (1u << what->type)))
    return tally_throw (error, TALLY_ERROR_USAGE, "column \"%s\" cannot be of type %s; %s", what->name,
                        tally_type_name (what->type), forms[zendesk_members[i].form].hint);
  plan->columns[i] = (gint) column;
  plan->types[i] = what->type;
  return TRUE;
}

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
                          zendesk_members[rivals[i].one].name, zendesk_members[rivals[i].other].name);
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

gboolean
zendesk_plan_accept (ZendeskPlan *plan, ZendeskMode mode, TallySchema *schema,
                     const char *const *ignored, GError **error)
{
  memset (plan, 0, sizeof *plan);
  for (guint i = 0; i < ZENDESK_N_MEMBERS; i++)
    plan->columns[i] = -1;

  for (guint i = 0; i < tally_schema_n_columns (schema); i++)
    {
      const TallyColumn *column = tally_schema_column (schema, i);

      if (ignored != NULL && g_strv_contains (ignored, column->name))
        continue;
      /* There for the key alone, unless a ticket has a member of its name. */
      if (tally_schema_is_key (schema, i) && find_member (column->name, mode) < 0
          && !g_str_has_prefix (column->name, CUSTOM_PREFIX))
        continue;
      if (!add_column (plan, mode, i, column, error))
        return FALSE;
    }
  return check_whole (plan, error);
}
