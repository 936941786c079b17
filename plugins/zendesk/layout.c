/* layout.c: records of an account as rows: columns of members and of custom fields */
#include "layout.h"
#include "fields.h"

#include <string.h>

/* What the values of a kind of field become; others are text. */
static const struct
{
  ZendeskFieldKind kind;
  TallyType type;
} field_types[] = {
  { ZENDESK_FIELD_CHECKBOX, TALLY_TYPE_BOOLEAN },
  { ZENDESK_FIELD_INTEGER, TALLY_TYPE_BIGINT },
  { ZENDESK_FIELD_DECIMAL, TALLY_TYPE_NUMERIC },
  { ZENDESK_FIELD_DATE, TALLY_TYPE_DATE },
  { ZENDESK_FIELD_MULTISELECT, TALLY_TYPE_JSONB },
};

static void
value_free (gpointer data)
{
  ZendeskValue *value = data;

  g_free (value->column);
  g_free (value->key);
  g_free (value);
}

void
zendesk_layout_init (ZendeskLayout *layout, const ZendeskResource *resource, gboolean comments)
{
  layout->resource = resource;
  layout->values = g_ptr_array_new_with_free_func (value_free);
  layout->comments = comments ? 0 : -1;
}

void
zendesk_layout_clear (ZendeskLayout *layout)
{
  g_clear_pointer (&layout->values, g_ptr_array_unref);
}

/* Dates of users come as times (section 6), and are text then. */
static TallyType
find_type (ZendeskFieldKind kind, gboolean by_key)
{
  if (kind == ZENDESK_FIELD_DATE && by_key)
    return TALLY_TYPE_TEXT;
  for (guint i = 0; i < G_N_ELEMENTS (field_types); i++)
    if (field_types[i].kind == kind)
      return field_types[i].type;
  return TALLY_TYPE_TEXT;
}

static gboolean
is_title_taken (const GPtrArray *fields, guint index)
{
  const ZendeskField *one = fields->pdata[index];

  for (guint i = 0; i < fields->len; i++)
    {
      const ZendeskField *other = fields->pdata[i];

      if (i != index && other->kind != ZENDESK_FIELD_SYSTEM && g_str_equal (other->title, one->title))
        return TRUE;
    }
  return FALSE;
}

static void
add_field (ZendeskLayout *layout, const GPtrArray *fields, guint index, gboolean by_key)
{
  const ZendeskField *field = fields->pdata[index];
  ZendeskValue *value = g_new0 (ZendeskValue, 1);

  value->type = find_type (field->kind, by_key);
  value->id = field->id;
  value->key = by_key ? g_strdup (field->title) : NULL;
  if (!by_key && (*field->title == '\0' || is_title_taken (fields, index)))
    value->column = g_strdup_printf ("%s.%" G_GINT64_FORMAT, layout->resource->values, field->id);
  else
    value->column = g_strdup_printf ("%s.%s", layout->resource->values, field->title);
  g_ptr_array_add (layout->values, value);
}

gboolean
zendesk_layout_add_fields (ZendeskLayout *layout, const char *text, gsize length, GError **error)
{
  const ZendeskTable table = { .field = "custom field",
                               .fields = layout->resource->fields,
                               .fields_have_keys = layout->resource->fields_have_keys };
  g_autoptr (GPtrArray) fields = zendesk_fields_parse (&table, text, length, error);

  for (guint i = 0; fields != NULL && i < fields->len; i++)
    if (((const ZendeskField *) fields->pdata[i])->kind != ZENDESK_FIELD_SYSTEM)
      add_field (layout, fields, i, table.fields_have_keys);
  return fields != NULL;
}

static void
add_column (GArray *columns, const char *name, TallyType type)
{
  const TallyColumn column = { .name = name, .type = type };

  g_array_append_val (columns, column);
}

TallySchema *
zendesk_layout_schema (ZendeskLayout *layout)
{
  g_autoptr (GArray) columns = g_array_new (FALSE, FALSE, sizeof (TallyColumn));

  for (const ZendeskColumn *column = layout->resource->columns; column->name != NULL; column++)
    add_column (columns, column->name, column->type);
  for (guint i = 0; i < layout->values->len; i++)
    {
      const ZendeskValue *value = layout->values->pdata[i];

      add_column (columns, value->column, value->type);
    }
  if (layout->comments >= 0)
    {
      layout->comments = (gint) columns->len;
      add_column (columns, ZENDESK_COLUMN_COMMENTS, TALLY_TYPE_JSONB);
    }
  return tally_schema_new ((const TallyColumn *) (gpointer) columns->data, columns->len);
}

/* --- values --- */

/* (transfer none) (nullable) the member that a column is named after; a dot leads into an object. */
static json_object *
find_member (json_object *record, const char *name)
{
  const char *dot = strchr (name, '.');
  g_autofree char *outer = NULL;

  if (dot == NULL)
    return zendesk_json_get (record, name);
  outer = g_strndup (name, (gsize) (dot - name));
  return zendesk_json_get (zendesk_json_get (record, outer), dot + 1);
}

/* NULL stays NULL. */
static gboolean
set_value (TallyBatch *batch, guint column, const char *name, TallyType type, json_object *value, char **ret_reason)
{
  const char *text;
  gsize length;
  g_autoptr (GError) error = NULL;

  if (value == NULL)
    return TRUE;
  if (json_object_is_type (value, json_type_string) && type != TALLY_TYPE_JSONB)
    {
      text = json_object_get_string (value);
      length = (gsize) json_object_get_string_len (value);
    }
  else
    text = json_object_to_json_string_length (value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);

  if (type == TALLY_TYPE_TEXT && memchr (text, '\0', length) == NULL)
    tally_batch_set_text (batch, column, text, length);
  else if (type == TALLY_TYPE_TEXT)
    {
      *ret_reason = g_strdup_printf ("\"%s\" has a NUL, which no text can hold", name);
      return FALSE;
    }
  else if (length > 0 && !tally_batch_set_from_text (batch, column, text, length, &error))
    {
      *ret_reason = g_strdup_printf ("\"%s\" does not fit: %s", name, error->message);
      return FALSE;
    }
  return TRUE;
}

/* What is left of a ticket that was deleted for good (section 11). */
static gboolean
is_scrubbed (json_object *record)
{
  return g_strcmp0 (zendesk_json_get_text (record, "subject"), "SCRUBBED") == 0
         && g_strcmp0 (zendesk_json_get_text (record, "description"), "X") == 0;
}

static gboolean
fill_column (const ZendeskColumn *column, guint index, json_object *record, TallyBatch *batch, char **ret_reason)
{
  if (g_str_equal (column->name, ZENDESK_COLUMN_RECORD))
    return set_value (batch, index, column->name, column->type, record, ret_reason);
  if (g_str_equal (column->name, ZENDESK_COLUMN_SCRUBBED))
    tally_batch_set_boolean (batch, index, is_scrubbed (record));
  else if (g_str_equal (column->name, ZENDESK_COLUMN_DELETED) && zendesk_json_get (record, column->name) == NULL)
    tally_batch_set_boolean (batch, index, g_strcmp0 (zendesk_json_get_text (record, "status"), "deleted") == 0);
  else
    return set_value (batch, index, column->name, column->type, find_member (record, column->name), ret_reason);
  return TRUE;
}

/* (transfer none) (nullable) a custom field's value: of `[{"id":1,"value":…}]`, or of `{"key":…}`. */
static json_object *
find_value (json_object *values, const ZendeskValue *value)
{
  gsize n = json_object_is_type (values, json_type_array) ? json_object_array_length (values) : 0;

  if (value->key != NULL)
    return zendesk_json_get (values, value->key);
  for (gsize i = 0; i < n; i++)
    {
      json_object *pair = json_object_array_get_idx (values, i);
      gint64 id;

      if (zendesk_json_get_id (pair, "id", &id) && id == value->id)
        return zendesk_json_get (pair, "value");
    }
  return NULL;
}

gboolean
zendesk_layout_fill (const ZendeskLayout *layout, TallyText text, TallyBatch *batch, char **ret_reason)
{
  g_autoptr (json_object) record = zendesk_json_parse (text.data, text.length);
  json_object *values = layout->resource->values != NULL ? zendesk_json_get (record, layout->resource->values) : NULL;
  guint index = 0;

  if (!json_object_is_type (record, json_type_object))
    {
      *ret_reason = g_strdup ("is no object that can be read");
      return FALSE;
    }
  for (const ZendeskColumn *column = layout->resource->columns; column->name != NULL; column++)
    if (!fill_column (column, index++, record, batch, ret_reason))
      return FALSE;
  for (guint i = 0; i < layout->values->len; i++)
    {
      const ZendeskValue *value = layout->values->pdata[i];

      if (!set_value (batch, index++, value->column, value->type, find_value (values, value), ret_reason))
        return FALSE;
    }
  return TRUE;
}
