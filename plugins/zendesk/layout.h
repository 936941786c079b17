/* layout.h: records of an account as rows: columns of members and of custom fields
 *
 * No I/O, fuzzed.
 */
#pragma once
#include "json.h"
#include "resource.h"

/* A column that a custom field fills. */
typedef struct
{
  char *column; /* (owned) `custom_fields.Title` */
  TallyType type;
  gint64 id;    /* by which its value is found in an array, */
  char *key;    /* (owned) (nullable) or in an object */
} ZendeskValue;

typedef struct
{
  const ZendeskResource *resource; /* (unowned) */
  GPtrArray *values;               /* (owned) (element-type ZendeskValue) */
  gint comments;                   /* the column of a ticket's comments; -1: none */
} ZendeskLayout;

void zendesk_layout_init (ZendeskLayout *layout, const ZendeskResource *resource, gboolean comments);
void zendesk_layout_clear (ZendeskLayout *layout);
/* Takes the custom fields out of the list that describes them: the active ones.  A title that two fields have stands for neither:
 * they are called by their ids.  Fails with TALLY_ERROR_DATA if it is no such list. */
gboolean zendesk_layout_add_fields (ZendeskLayout *layout, const char *text, gsize length, GError **error);
/* (transfer full) */
TallySchema *zendesk_layout_schema (ZendeskLayout *layout);
/* Fills the last row of a batch; ret_reason (transfer full) tells why it cannot be. */
gboolean zendesk_layout_fill (const ZendeskLayout *layout, TallyText record, TallyBatch *batch, char **ret_reason);
