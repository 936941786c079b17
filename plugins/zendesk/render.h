/* render.h: a record becomes the bytes of a request */
#pragma once
#include "fields.h"
#include "members.h"

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

typedef struct
{
  const ZendeskPlan *plan;    /* (unowned) */
  const GPtrArray *fields;    /* (unowned) (nullable) of ZendeskField, if the plan has custom ones */
  const char *const *tags;    /* (unowned) (nullable) added to each ticket */
  const char *run_tag;        /* (unowned) (nullable) likewise */
  ZendeskLongBody long_body;
} ZendeskRender;

/* Appends the request for a row: one line of JSON; a text that was split is followed by a line break and a
 * JSON array of its further parts, see parts.h.  Fails with TALLY_ERROR_DATA.  ret_placeholder: whether the text has
 * "{{", which Zendesk may replace. */
gboolean zendesk_render (const ZendeskRender *render, const TallyBatch *batch, guint row,
                         const char *reference, GString *out, gboolean *ret_placeholder, GError **error);
