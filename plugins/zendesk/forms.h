/* forms.h: what a member of a request holds
 *
 * A form says which types of columns fit, and how a value of these is written.
 */
#pragma once
#include <tallyman/plugin.h>

typedef enum
{
  ZENDESK_FORM_TEXT,
  ZENDESK_FORM_BODY,    /* the ticket's text, which may be too long */
  ZENDESK_FORM_HTML,    /* likewise, but cannot be split */
  ZENDESK_FORM_ID,      /* a whole number above zero */
  ZENDESK_FORM_IDS,     /* a jsonb array of such, or text with commas and blanks between them, or one number */
  ZENDESK_FORM_BOOLEAN,
  ZENDESK_FORM_CHOICE,  /* one of a few words */
  ZENDESK_FORM_TAGS,    /* a jsonb array, or text with commas and blanks between them */
  ZENDESK_FORM_TIME,
  ZENDESK_FORM_LIST,    /* a jsonb array, sent as it is */
  ZENDESK_FORM_TOKENS,  /* a jsonb array of texts, or one text */
  ZENDESK_FORM_FILES,   /* a jsonb array, or a text that is one path, see files.h */
  ZENDESK_FORM_NAME,    /* of something that the account has, to be written as its id */
  ZENDESK_FORM_OURS,    /* filled by us; no column */
} ZendeskForm;

/* What stands between the words of a text. */
#define ZENDESK_SEPARATORS " ,\t\r\n"

/* Whether a column of this type fits; if not, ret_hint: (optional) what would help. */
gboolean zendesk_form_takes (ZendeskForm form, TallyType type, const char **ret_hint);

/* Appends a value that is not NULL and needs nothing but itself.  choices: (nullable) of ZENDESK_FORM_CHOICE.  Fails with
 * TALLY_ERROR_DATA; the message does not name the column. */
gboolean zendesk_form_append (ZendeskForm form, const char *const *choices, const TallyBatch *batch, guint row,
                              guint column, TallyType type, GString *out, GError **error);
