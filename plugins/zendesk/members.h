/* members.h: which columns a ticket is made of
 *
 * One table says what a column may be called, what it has to hold, and where it stands in the
 * request.  accept() holds the columns of a pipeline against it and notes their places in a plan.
 */
#pragma once
#include <tallyman/plugin.h>

/* What is done with records: one bit each, so that a member can say where it may be used. */
typedef enum
{
  ZENDESK_MODE_CREATE = 1 << 0,
} ZendeskMode;

/* What a member holds. */
typedef enum
{
  ZENDESK_FORM_TEXT,
  ZENDESK_FORM_BODY,    /* the ticket's text, which may be too long */
  ZENDESK_FORM_HTML,    /* likewise, but cannot be split */
  ZENDESK_FORM_ID,      /* a whole number above zero */
  ZENDESK_FORM_BOOLEAN,
  ZENDESK_FORM_CHOICE,  /* one of a few words */
  ZENDESK_FORM_TAGS,    /* a jsonb array, or text with commas and blanks between them */
  ZENDESK_FORM_TIME,
  ZENDESK_FORM_LIST,    /* a jsonb array, sent as it is */
  ZENDESK_FORM_TOKENS,  /* a jsonb array of texts, or one text */
  ZENDESK_FORM_OURS,    /* filled by us; no column */
} ZendeskForm;

typedef struct
{
  const char *name;           /* with a dot: of the object before it */
  guint modes;
  ZendeskForm form;
  const char *const *choices; /* (nullable) */
} ZendeskMember;

/* In the order in which a request has them; members of an object stand together.  Each has its
 * index here: */
typedef enum
{
  ZENDESK_MEMBER_EXTERNAL_ID,
  ZENDESK_MEMBER_SUBJECT,
  ZENDESK_MEMBER_DESCRIPTION,
  ZENDESK_MEMBER_BODY,
  ZENDESK_MEMBER_HTML_BODY,
  ZENDESK_MEMBER_PUBLIC,
  ZENDESK_MEMBER_COMMENT_AUTHOR_ID,
  ZENDESK_MEMBER_UPLOADS,
  ZENDESK_MEMBER_REQUESTER_ID,
  ZENDESK_MEMBER_REQUESTER_NAME,
  ZENDESK_MEMBER_REQUESTER_EMAIL,
  ZENDESK_MEMBER_REQUESTER_LOCALE_ID,
  ZENDESK_MEMBER_SUBMITTER_ID,
  ZENDESK_MEMBER_ASSIGNEE_ID,
  ZENDESK_MEMBER_GROUP_ID,
  ZENDESK_MEMBER_ORGANIZATION_ID,
  ZENDESK_MEMBER_TYPE,
  ZENDESK_MEMBER_PRIORITY,
  ZENDESK_MEMBER_STATUS,
  ZENDESK_MEMBER_CUSTOM_STATUS_ID,
  ZENDESK_MEMBER_DUE_AT,
  ZENDESK_MEMBER_PROBLEM_ID,
  ZENDESK_MEMBER_BRAND_ID,
  ZENDESK_MEMBER_TICKET_FORM_ID,
  ZENDESK_MEMBER_COLLABORATORS,
  ZENDESK_MEMBER_EMAIL_CCS,
  ZENDESK_MEMBER_FOLLOWERS,
  ZENDESK_MEMBER_RECIPIENT,
  ZENDESK_MEMBER_VIA_CHANNEL,
  ZENDESK_MEMBER_VIA_FOLLOWUP_SOURCE_ID,
  ZENDESK_MEMBER_TAGS,
  ZENDESK_N_MEMBERS
} ZendeskMemberIndex;

extern const ZendeskMember zendesk_members[ZENDESK_N_MEMBERS];

/* More columns than any ticket has fields, and bytes of a field's title. */
#define ZENDESK_MAX_CUSTOM 200
#define ZENDESK_MAX_TITLE 128

/* A column that fills a custom field. */
typedef struct
{
  guint column;
  TallyType type;
  char name[ZENDESK_MAX_TITLE]; /* what follows "custom_fields.": a title or an id */
  guint field;                  /* of the account's fields, once they are known */
} ZendeskCustomColumn;

/* Which column fills what.  Holds no memory of its own: accept() is called for a check alone, too,
 * after which nobody calls close(). */
typedef struct
{
  gint columns[ZENDESK_N_MEMBERS]; /* -1: none */
  TallyType types[ZENDESK_N_MEMBERS];
  ZendeskCustomColumn custom[ZENDESK_MAX_CUSTOM];
  guint n_custom;
} ZendeskPlan;

/* Holds the columns against the table.  ignored: (nullable) names of columns that are not sent.
 * Fails with TALLY_ERROR_USAGE. */
gboolean zendesk_plan_accept (ZendeskPlan *plan, ZendeskMode mode, TallySchema *schema,
                              const char *const *ignored, GError **error);
