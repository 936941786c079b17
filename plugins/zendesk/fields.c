/* fields.c: the custom fields of an account */
#include "fields.h"
#include "json.h"
#include "text.h"
#include "values.h"

#include <stdlib.h>
#include <string.h>

/* More than any account has. */
#define MAX_FIELDS 5000

#define BIT(type) (1u << TALLY_TYPE_##type)

static const struct
{
  const char *type;
  ZendeskFieldKind kind;
} kinds[] = {
  { "text", ZENDESK_FIELD_TEXT },
  { "textarea", ZENDESK_FIELD_TEXT },
  { "regexp", ZENDESK_FIELD_TEXT },
  { "partialcreditcard", ZENDESK_FIELD_TEXT },
  { "checkbox", ZENDESK_FIELD_CHECKBOX },
  { "integer", ZENDESK_FIELD_INTEGER },
  { "decimal", ZENDESK_FIELD_DECIMAL },
  { "date", ZENDESK_FIELD_DATE },
  { "tagger", ZENDESK_FIELD_TAGGER },
  { "dropdown", ZENDESK_FIELD_TAGGER }, /* the same, of users and organizations */
  { "multiselect", ZENDESK_FIELD_MULTISELECT },
  { "lookup", ZENDESK_FIELD_LOOKUP },
  { "subject", ZENDESK_FIELD_SYSTEM },
  { "description", ZENDESK_FIELD_SYSTEM },
  { "status", ZENDESK_FIELD_SYSTEM },
  { "tickettype", ZENDESK_FIELD_SYSTEM },
  { "priority", ZENDESK_FIELD_SYSTEM },
  { "group", ZENDESK_FIELD_SYSTEM },
  { "assignee", ZENDESK_FIELD_SYSTEM },
  { "custom_status", ZENDESK_FIELD_SYSTEM },
};

/* Columns that a kind takes. */
static const guint column_types[] = {
  [ZENDESK_FIELD_TEXT] = BIT (TEXT) | BIT (BIGINT) | BIT (NUMERIC),
  [ZENDESK_FIELD_CHECKBOX] = BIT (BOOLEAN) | BIT (TEXT),
  [ZENDESK_FIELD_INTEGER] = BIT (BIGINT) | BIT (NUMERIC) | BIT (TEXT),
  [ZENDESK_FIELD_DECIMAL] = BIT (BIGINT) | BIT (NUMERIC) | BIT (DOUBLE) | BIT (TEXT),
  [ZENDESK_FIELD_DATE] = BIT (DATE) | BIT (TEXT),
  [ZENDESK_FIELD_TAGGER] = BIT (TEXT),
  [ZENDESK_FIELD_MULTISELECT] = BIT (JSONB) | BIT (TEXT),
  [ZENDESK_FIELD_LOOKUP] = BIT (BIGINT) | BIT (NUMERIC) | BIT (TEXT),
  [ZENDESK_FIELD_SYSTEM] = 0,
};

void
zendesk_field_free (gpointer data)
{
  ZendeskField *field = data;

  if (field == NULL)
    return;
  g_free (field->type);
  g_free (field->title);
  g_strfreev (field->options);
  g_free (field);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ZendeskField, zendesk_field_free)

/* A kind that is new to us takes text, as most do. */
static ZendeskFieldKind
find_kind (const char *type)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kinds[i].type, type))
      return kinds[i].kind;
  return ZENDESK_FIELD_TEXT;
}

static char **
parse_options (json_object *list)
{
  gsize n = list != NULL ? json_object_array_length (list) : 0;
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func (g_free);

  for (gsize i = 0; i < n; i++)
    {
      const char *value = zendesk_json_get_text (json_object_array_get_idx (list, i), "value");

      if (value != NULL)
        g_ptr_array_add (values, g_strdup (value));
    }
  if (values->len == 0)
    return NULL;
  g_ptr_array_add (values, NULL);
  return (char **) g_ptr_array_steal (values, NULL);
}

GPtrArray *
zendesk_fields_parse (const ZendeskTable *table, const char *text, gsize length, GError **error)
{
  g_autoptr (json_object) body = zendesk_json_parse (text, length);
  json_object *rows = zendesk_json_get_array (body, table->fields);
  g_autoptr (GPtrArray) fields = g_ptr_array_new_with_free_func (zendesk_field_free);

  if (rows == NULL || json_object_array_length (rows) > MAX_FIELDS)
    {
      tally_throw (error, TALLY_ERROR_DATA, "the list of %ss is not what it should be", table->field);
      return NULL;
    }
  for (gsize i = 0; i < json_object_array_length (rows); i++)
    {
      json_object *row = json_object_array_get_idx (rows, i);
      const char *type = zendesk_json_get_text (row, "type");
      const char *title = zendesk_json_get_text (row, table->fields_have_keys ? "key" : "title");
      json_object *active = zendesk_json_get (row, "active");
      gint64 id;

      if (type == NULL || title == NULL || !zendesk_json_get_id (row, "id", &id)
          || (json_object_is_type (active, json_type_boolean) && !json_object_get_boolean (active)))
        continue;
      ZendeskField *field = g_new0 (ZendeskField, 1);
      field->id = id;
      field->kind = find_kind (type);
      field->type = g_strdup (type);
      field->title = g_strdup (title);
      field->options = parse_options (zendesk_json_get_array (row, "custom_field_options"));
      g_ptr_array_add (fields, field);
    }
  return g_steal_pointer (&fields);
}

/* The title that was most likely meant, or NULL. (transfer full) */
static char *
dup_nearest (const GPtrArray *fields, const char *title)
{
  g_autofree TallyColumn *columns = g_new (TallyColumn, fields->len);
  guint n_columns = 0;

  for (guint i = 0; i < fields->len; i++)
    {
      const ZendeskField *field = fields->pdata[i];
      guint k = 0;

      while (k < n_columns && !g_str_equal (columns[k].name, field->title))
        k++;
      if (k == n_columns && field->kind != ZENDESK_FIELD_SYSTEM)
        columns[n_columns++] = (TallyColumn){ field->title, TALLY_TYPE_TEXT };
    }
  g_autoptr (TallySchema) schema = tally_schema_new (columns, n_columns);
  return g_strdup (tally_schema_nearest (schema, title));
}

static gboolean
is_id (const char *name)
{
  return name[strspn (name, "0123456789")] == '\0';
}

static gboolean
find_by_title (const GPtrArray *fields, const ZendeskTable *table, const char *title, guint *ret_field, GError **error)
{
  g_autoptr (GString) ids = g_string_new (NULL);
  guint n_found = 0;

  for (guint i = 0; i < fields->len; i++)
    {
      const ZendeskField *field = fields->pdata[i];

      if (!g_str_equal (field->title, title))
        continue;
      g_string_append_printf (ids, "%s%" G_GINT64_FORMAT, n_found > 0 ? ", " : "", field->id);
      *ret_field = i;
      n_found++;
    }
  if (n_found == 1)
    return TRUE;
  if (n_found > 1)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "%u %ss have the title \"%s\"; name one by its id: %s", n_found, table->field,
                        title, ids->str);

  g_autofree char *nearest = dup_nearest (fields, title);
  return tally_throw (error, TALLY_ERROR_USAGE, "no active %s has the %s \"%s\"%s%s%s", table->field,
                      table->fields_have_keys ? "key" : "title", title, nearest != NULL ? "; did you mean \"" : "",
                      nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

static gboolean
find_field (const GPtrArray *fields, const ZendeskTable *table, const char *name, guint *ret_field, GError **error)
{
  gint64 id;

  if (table->fields_have_keys || !is_id (name))
    return find_by_title (fields, table, name, ret_field, error);
  if (g_ascii_string_to_signed (name, 10, 1, G_MAXINT64 - 1, &id, NULL))
    for (guint i = 0; i < fields->len; i++)
      if (((const ZendeskField *) fields->pdata[i])->id == id)
        {
          *ret_field = i;
          return TRUE;
        }
  return tally_throw (error, TALLY_ERROR_USAGE, "no active %s has the id %s", table->field, name);
}

static gboolean
resolve_column (const GPtrArray *fields, const ZendeskTable *table, ZendeskCustomColumn *column, GError **error)
{
  const ZendeskField *field;

  if (!find_field (fields, table, column->name, &column->field, error))
    return FALSE;
  field = fields->pdata[column->field];
  if (field->kind == ZENDESK_FIELD_SYSTEM)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "\"%s\" is a system field of type %s, not a custom one; name the column "
                        "after the ticket's own member", column->name, field->type);
  if (!(column_types[field->kind] & (1u << column->type)))
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "column \"%s%s\" of type %s does not fit a field of type %s", table->custom_prefix,
                        column->name, tally_type_name (column->type), field->type);
  return TRUE;
}

static gint
compare_columns (gconstpointer a, gconstpointer b, gpointer data)
{
  const GPtrArray *fields = data;
  const ZendeskField *one = fields->pdata[((const ZendeskCustomColumn *) a)->field];
  const ZendeskField *other = fields->pdata[((const ZendeskCustomColumn *) b)->field];

  return one->id < other->id ? -1 : one->id > other->id;
}

gboolean
zendesk_fields_resolve (const GPtrArray *fields, ZendeskPlan *plan, GError **error)
{
  for (guint i = 0; i < plan->n_custom; i++)
    if (!resolve_column (fields, plan->table, &plan->custom[i], error))
      return FALSE;
  if (plan->n_custom > 1)
    g_qsort_with_data (plan->custom, (gint) plan->n_custom, sizeof plan->custom[0], compare_columns,
                       (gpointer) fields);
  for (guint i = 1; i < plan->n_custom; i++)
    if (plan->custom[i - 1].field == plan->custom[i].field)
      return tally_throw (error, TALLY_ERROR_USAGE,
                          "columns \"%s%s\" and \"%s%s\" are the same field", plan->table->custom_prefix,
                          plan->custom[i - 1].name, plan->table->custom_prefix, plan->custom[i].name);
  return TRUE;
}

static gboolean
check_option (const ZendeskField *field, const char *value, GError **error)
{
  if (field->options == NULL || g_strv_contains ((const char *const *) field->options, value))
    return TRUE;

  g_autofree char *shown = zendesk_text_clean (value, strlen (value), 60);
  g_autofree char *all = g_strjoinv (", ", field->options);
  g_autofree char *known = zendesk_text_clean (all, strlen (all), 300);
  return tally_throw (error, TALLY_ERROR_DATA, "\"%s\" is no option of this field; it has: %s", shown,
                      known);
}

/* -?digits, with a fraction if that is allowed. */
static gboolean
is_number (const char *text, gboolean fraction)
{
  gsize whole, part = 0;

  text += *text == '-' || *text == '+';
  whole = strspn (text, "0123456789");
  if (fraction && text[whole] == '.')
    part = 1 + strspn (text + whole + 1, "0123456789");
  return text[whole + part] == '\0' && whole + (part > 0 ? part - 1 : 0) > 0;
}

/* YYYY-MM-DD, and a day that there is. */
static gboolean
is_date (const char *text)
{
  for (guint i = 0; i < 10; i++)
    if (i == 4 || i == 7 ? text[i] != '-' : !g_ascii_isdigit (text[i]))
      return FALSE;
  return text[10] == '\0'
         && g_date_valid_dmy ((GDateDay) atoi (text + 8), (GDateMonth) atoi (text + 5),
                              (GDateYear) atoi (text));
}

static gboolean
append_checked (const ZendeskField *field, const char *text, GString *out, GError **error)
{
  gboolean good = TRUE;

  switch (field->kind)
    {
    case ZENDESK_FIELD_INTEGER:
    case ZENDESK_FIELD_LOOKUP:
      good = is_number (text, /* fraction= */ FALSE);
      break;
    case ZENDESK_FIELD_DECIMAL:
      good = is_number (text, /* fraction= */ TRUE);
      break;
    case ZENDESK_FIELD_DATE:
      good = is_date (text);
      break;
    case ZENDESK_FIELD_TAGGER:
      if (!check_option (field, text, error))
        return FALSE;
      break;
    default:
      break;
    }
  if (!good)
    {
      g_autofree char *shown = zendesk_text_clean (text, strlen (text), 60);

      return tally_throw (error, TALLY_ERROR_DATA, "\"%s\" is no value of a field of type %s", shown,
                          field->type);
    }
  zendesk_append_string (text, out);
  return TRUE;
}

static gboolean
append_options (const ZendeskField *field, const TallyBatch *batch, guint row,
                const ZendeskCustomColumn *column, GString *out, GError **error)
{
  g_autoptr (GPtrArray) words
      = zendesk_value_words (batch, row, column->column, column->type, " ,\t\r\n", error);

  if (words == NULL)
    return FALSE;
  for (guint i = 0; i < words->len; i++)
    if (!check_option (field, words->pdata[i], error))
      return FALSE;
  zendesk_words_append (words, out);
  return TRUE;
}

gboolean
zendesk_field_render (const ZendeskField *field, const TallyBatch *batch, guint row,
                      const ZendeskCustomColumn *column, GString *out, GError **error)
{
  if (field->kind == ZENDESK_FIELD_MULTISELECT)
    return append_options (field, batch, row, column, out, error);
  if (field->kind == ZENDESK_FIELD_CHECKBOX)
    {
      gboolean value;

      if (!zendesk_value_boolean (batch, row, column->column, column->type, &value, error))
        return FALSE;
      g_string_append (out, value ? "true" : "false");
      return TRUE;
    }

  g_autofree char *text = zendesk_value_dup_text (batch, row, column->column);
  if (field->kind != ZENDESK_FIELD_TEXT)
    g_strstrip (text);
  return append_checked (field, text, out, error);
}
