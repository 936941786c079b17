/* fields.h: the custom fields of an account */
#pragma once
#include "columns.h"

/* What a field takes. */
typedef enum
{
  ZENDESK_FIELD_TEXT,
  ZENDESK_FIELD_CHECKBOX,
  ZENDESK_FIELD_INTEGER,
  ZENDESK_FIELD_DECIMAL,
  ZENDESK_FIELD_DATE,
  ZENDESK_FIELD_TAGGER,
  ZENDESK_FIELD_MULTISELECT,
  ZENDESK_FIELD_LOOKUP,
  ZENDESK_FIELD_SYSTEM, /* subject, status and such: a member of the ticket, not a custom field */
} ZendeskFieldKind;

typedef struct
{
  gint64 id;
  ZendeskFieldKind kind;
  char *type;   /* (owned) as Zendesk calls it */
  char *title;  /* (owned) or its key, where fields are named by these */
  char **options; /* (owned) (nullable) values that it takes; NULL: not known */
} ZendeskField;

void zendesk_field_free (gpointer field);

/* Reads the answer to GET /ticket_fields, or whatever the table's are called: the active ones.  (transfer full)
 * (element-type ZendeskField); NULL if it is not such an answer. */
GPtrArray *zendesk_fields_parse (const ZendeskTable *table, const char *text, gsize length, GError **error);

/* Finds the field of each custom column of the plan, holds the column's type against it, and brings
 * the columns into the order of the fields' ids. */
gboolean zendesk_fields_resolve (const GPtrArray *fields, ZendeskPlan *plan, GError **error);

/* Appends the value of a column, which is not NULL, as the field's JSON value.  Fails with
 * TALLY_ERROR_DATA if the field does not take it. */
gboolean zendesk_field_render (const ZendeskField *field, const TallyBatch *batch, guint row,
                               const ZendeskCustomColumn *column, GString *out, GError **error);
