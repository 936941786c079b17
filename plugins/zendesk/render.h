/* render.h: a record becomes the bytes of a request */
#pragma once
#include "fields.h"
#include "files.h"
#include "members.h"
#include "names.h"

/* Zendesk cuts a comment off at 64 kB, without a word.  Its sheet does not say how many bytes that
 * are; this is the lowest that it can mean and still be 64 binary kilobytes, in bytes of UTF-8. */
#define ZENDESK_MAX_BODY 65535

/* More comments than this are not made of one text: a ticket takes 30 updates in ten minutes. */
#define ZENDESK_MAX_PARTS 30

typedef enum
{
  ZENDESK_LONG_REJECT,
  ZENDESK_LONG_SPLIT,
} ZendeskLongBody;

/* What a person should know of a record that was rendered: bits. */
typedef enum
{
  ZENDESK_NOTE_BRACES = 1 << 0,      /* its text has "{{", which Zendesk may replace */
  ZENDESK_NOTE_ESCAPED = 1 << 1,     /* it had, and is sent so that Zendesk does not */
  ZENDESK_NOTE_PLACEHOLDER = 1 << 2, /* somebody who is not known is the placeholder */
} ZendeskNote;

typedef struct
{
  const ZendeskPlan *plan;    /* (unowned) */
  const GPtrArray *fields;    /* (unowned) (nullable) of ZendeskField, if the plan has custom ones */
  ZendeskNames *const *names; /* (unowned) by kind, if the plan has columns of that kind */
  const char *const *tags;    /* (unowned) (nullable) added to each ticket */
  const char *run_tag;        /* (unowned) (nullable) likewise */
  ZendeskLongBody long_body;
  const ZendeskFiles *files;  /* (unowned) */
  gint64 placeholder;         /* a user's id; 0: none */
  gint64 now;                 /* Unix seconds: nothing happened later */
} ZendeskRender;

/* Appends the request for a row: one line of JSON; before that of an update, a line with the ticket's id; a text that was
 * split is followed by a line break and a JSON array of its further parts, see parts.h.  Fails with TALLY_ERROR_DATA.
 * ret_notes gets bits of ZendeskNote. */
gboolean zendesk_render (const ZendeskRender *render, const TallyBatch *batch, guint row,
                         const char *reference, GString *out, guint *ret_notes, GError **error);

/* Whether the columns name what the account has of a kind. */
gboolean zendesk_render_needs (const ZendeskPlan *plan, ZendeskNamesKind kind);

/* Whether something of the past can have happened then. */
gboolean zendesk_render_check_time (const ZendeskRender *render, gint64 seconds, GError **error);
