/* fields.c: the fields of tickets, users and organizations */
#include "fields.h"

#include <stdio.h>
#include <string.h>

#define SYSTEM_ID 360000000101
#define CUSTOM_ID 360000000201
#define FILE_ID 360000000301
#define USER_ID 360000001201
#define ORGANIZATION_ID 360000002201
#define MAX_FIELDS 1000

typedef struct
{
  const char *type, *title, *pattern, *options; /* options: "name=value|name=value" */
  gboolean active, required;
  const char *key; /* of a user's or organization's field */
} FieldRow;

static const FieldRow system_rows[] = {
  { "subject", "Subject", NULL, NULL, TRUE, FALSE },
  { "description", "Description", NULL, NULL, TRUE, TRUE },
  { "status", "Status", NULL, "Open=open|Pending=pending|Solved=solved", TRUE, FALSE },
  { "tickettype", "Type", NULL, "Question=question|Incident=incident|Problem=problem|Task=task",
    TRUE, FALSE },
  { "priority", "Priority", NULL, "Low=low|Normal=normal|High=high|Urgent=urgent", TRUE, FALSE },
  { "group", "Group", NULL, NULL, TRUE, FALSE },
  { "assignee", "Assignee", NULL, NULL, TRUE, TRUE },
  { "custom_status", "Ticket status", NULL, NULL, TRUE, FALSE },
};

/* One of each kind; two share a title and one is switched off, because real accounts are so. */
static const FieldRow custom_rows[] = {
  { "text", "Legacy number", NULL, NULL, TRUE, FALSE },
  { "textarea", "Environment", NULL, NULL, TRUE, FALSE },
  { "checkbox", "Escalated", NULL, NULL, TRUE, FALSE },
  { "date", "Promised on", NULL, NULL, TRUE, FALSE },
  { "integer", "Affected users", "^[-+]?[0-9]+$", NULL, TRUE, FALSE },
  { "decimal", "Refund", "^[-+]?[0-9]*[.,]?[0-9]+$", NULL, TRUE, FALSE },
  { "regexp", "Serial number", "^[0-9]+-[0-9]+-[0-9]+$", NULL, TRUE, FALSE },
  { "partialcreditcard", "Card", NULL, NULL, TRUE, FALSE },
  { "multiselect", "Components", NULL,
    "Printer=component_printer|Network=component_network|Mail=component_mail", TRUE, FALSE },
  { "tagger", "Severity", NULL,
    "Minor=severity_minor|Major=severity_major|Blocker=severity_blocker", TRUE, FALSE },
  { "lookup", "Contract", NULL, NULL, TRUE, FALSE },
  { "text", "Region", NULL, NULL, TRUE, FALSE },
  { "text", "Region", NULL, NULL, TRUE, FALSE },
  { "text", "Fax", NULL, NULL, FALSE, FALSE },
};

static const FieldRow user_rows[] = {
  { "text", "Legacy id", NULL, NULL, TRUE, FALSE, "legacy_id" },
  { "date", "Customer since", NULL, NULL, TRUE, FALSE, "customer_since" },
  { "checkbox", "VIP", NULL, NULL, TRUE, FALSE, "vip" },
  { "integer", "Seats", "^[-+]?[0-9]+$", NULL, TRUE, FALSE, "seats" },
  { "dropdown", "Plan", NULL, "Free=plan_free|Paid=plan_paid", TRUE, FALSE, "plan" },
};

static const FieldRow organization_rows[] = {
  { "text", "Legacy id", NULL, NULL, TRUE, FALSE, "legacy_id" },
  { "date", "Contract ends", NULL, NULL, TRUE, FALSE, "contract_ends" },
  { "dropdown", "Region", NULL, "North=region_north|South=region_south", TRUE, FALSE, "region" },
};

static void
option_clear (gpointer data)
{
  EmuOption *option = data;

  g_free (option->name);
  g_free (option->value);
}

static void
field_free (gpointer data)
{
  EmuField *field = data;

  g_free (field->type);
  g_free (field->title);
  g_free (field->key);
  g_free (field->pattern);
  g_clear_pointer (&field->options, g_array_unref);
  g_free (field);
}

static void
field_add_option (EmuField *field, const char *name, const char *value)
{
  EmuOption option = { g_strdup (name), g_strdup (value) };

  if (field->options == NULL)
    {
      field->options = g_array_new (FALSE, FALSE, sizeof (EmuOption));
      g_array_set_clear_func (field->options, option_clear);
    }
  g_array_append_val (field->options, option);
}

static void
add_rows (GPtrArray *list, const FieldRow *rows, guint n_rows, gint64 first_id)
{
  for (guint i = 0; i < n_rows; i++)
    {
      EmuField *field = g_new0 (EmuField, 1);

      field->id = first_id + i;
      field->type = g_strdup (rows[i].type);
      field->title = g_strdup (rows[i].title);
      field->key = g_strdup (rows[i].key);
      field->pattern = g_strdup (rows[i].pattern);
      field->active = rows[i].active;
      field->required = rows[i].required;
      g_auto (GStrv) options = g_strsplit (rows[i].options != NULL ? rows[i].options : "", "|", -1);
      for (char **option = options; *option != NULL; option++)
        {
          char *value = strchr (*option, '=');

          *value++ = '\0';
          field_add_option (field, *option, value);
        }
      g_ptr_array_add (list, field);
    }
}

static gboolean
add_one_of_file (EmuFields *fields, EmuFieldsOf of, json_object *row, GError **error)
{
  g_autofree char *type = emu_json_dup_text (emu_json_get (row, "type"));
  g_autofree char *title = emu_json_dup_text (emu_json_get (row, "title"));
  g_autofree char *key = emu_json_dup_text (emu_json_get (row, "key"));
  json_object *options = emu_json_get (row, "options"), *flag = emu_json_get (row, "active");
  gint64 id = FILE_ID + fields->custom->len;

  if (type == NULL || title == NULL)
    {
      g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                           "a field needs \"type\" and \"title\"");
      return FALSE;
    }
  if (of != EMU_FIELDS_TICKET && key == NULL)
    {
      g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                           "a field of users or organizations needs a \"key\"");
      return FALSE;
    }
  emu_json_get_id (emu_json_get (row, "id"), &id);

  EmuField *field = g_new0 (EmuField, 1);
  field->id = id;
  field->type = g_steal_pointer (&type);
  field->title = g_steal_pointer (&title);
  field->key = g_steal_pointer (&key);
  field->pattern = emu_json_dup_text (emu_json_get (row, "regexp_for_validation"));
  field->active = flag == NULL || json_object_get_boolean (flag);
  field->required = json_object_get_boolean (emu_json_get (row, "required"));
  g_ptr_array_add (fields->custom, field);

  for (gsize i = 0;
       json_object_is_type (options, json_type_array) && i < json_object_array_length (options);
       i++)
    {
      json_object *option = json_object_array_get_idx (options, i);
      g_autofree char *name = emu_json_dup_text (emu_json_get (option, "name"));
      g_autofree char *value = emu_json_dup_text (emu_json_get (option, "value"));

      if (value != NULL)
        field_add_option (field, name != NULL ? name : value, value);
    }
  return TRUE;
}

static gboolean
add_file (EmuFields *fields, EmuFieldsOf of, const char *file, GError **error)
{
  g_autofree char *text = NULL;
  gsize length;

  if (!g_file_get_contents (file, &text, &length, error))
    return FALSE;

  g_autoptr (json_object) list = emu_json_parse (text, length, EMU_JSON_DEPTH);
  if (!json_object_is_type (list, json_type_array) || json_object_array_length (list) > MAX_FIELDS)
    {
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                   "\"%s\" is no JSON list of at most %d fields", file, MAX_FIELDS);
      return FALSE;
    }
  for (gsize i = 0; i < json_object_array_length (list); i++)
    if (!add_one_of_file (fields, of, json_object_array_get_idx (list, i), error))
      {
        g_prefix_error (error, "\"%s\", field %" G_GSIZE_FORMAT ": ", file, i + 1);
        return FALSE;
      }
  return TRUE;
}

EmuFields *
emu_fields_new (EmuFieldsOf of, const char *file, GError **error)
{
  EmuFields *fields = g_new0 (EmuFields, 1);

  fields->system = g_ptr_array_new_with_free_func (field_free);
  fields->custom = g_ptr_array_new_with_free_func (field_free);
  if (of == EMU_FIELDS_USER)
    add_rows (fields->custom, user_rows, G_N_ELEMENTS (user_rows), USER_ID);
  else if (of == EMU_FIELDS_ORGANIZATION)
    add_rows (fields->custom, organization_rows, G_N_ELEMENTS (organization_rows), ORGANIZATION_ID);
  else
    {
      add_rows (fields->system, system_rows, G_N_ELEMENTS (system_rows), SYSTEM_ID);
      add_rows (fields->custom, custom_rows, G_N_ELEMENTS (custom_rows), CUSTOM_ID);
    }
  if (file != NULL && !add_file (fields, of, file, error))
    g_clear_pointer (&fields, emu_fields_free);
  return fields;
}

void
emu_fields_free (EmuFields *fields)
{
  if (fields == NULL)
    return;
  g_ptr_array_unref (fields->system);
  g_ptr_array_unref (fields->custom);
  g_free (fields);
}

gint
emu_fields_find (const EmuFields *fields, gint64 id)
{
  for (guint i = 0; i < fields->custom->len; i++)
    if (((EmuField *)fields->custom->pdata[i])->id == id)
      return (gint)i;
  return -1;
}

const EmuField *
emu_fields_find_key (const EmuFields *fields, const char *key)
{
  for (guint i = 0; i < fields->custom->len; i++)
    if (g_strcmp0 (((EmuField *)fields->custom->pdata[i])->key, key) == 0)
      return fields->custom->pdata[i];
  return NULL;
}

static gboolean
has_option (const EmuField *field, json_object *value)
{
  if (!json_object_is_type (value, json_type_string))
    return FALSE;
  for (guint i = 0; field->options != NULL && i < field->options->len; i++)
    if (g_str_equal (g_array_index (field->options, EmuOption, i).value,
                     json_object_get_string (value)))
      return TRUE;
  return FALSE;
}

static gboolean
is_day (json_object *value)
{
  const char *text = json_object_get_string (value);
  GDate date;
  guint year, month, day;
  char rest;

  if (sscanf (text, "%4u-%2u-%2u%c", &year, &month, &day, &rest) != 3)
    return FALSE;
  g_date_clear (&date, 1);
  return g_date_valid_dmy ((GDateDay)day, (GDateMonth)month, (GDateYear)year);
}

gboolean
emu_field_accepts (const EmuField *field, json_object *value)
{
  if (value == NULL)
    return TRUE;
  if (g_str_equal (field->type, "multiselect"))
    {
      if (!json_object_is_type (value, json_type_array))
        return has_option (field, value);
      for (gsize i = 0; i < json_object_array_length (value); i++)
        if (!has_option (field, json_object_array_get_idx (value, i)))
          return FALSE;
      return TRUE;
    }
  if (json_object_is_type (value, json_type_array) || json_object_is_type (value, json_type_object))
    return FALSE;
  if (json_object_is_type (value, json_type_string) && json_object_get_string_len (value) == 0)
    return TRUE;
  if (g_str_equal (field->type, "tagger") || g_str_equal (field->type, "dropdown"))
    return has_option (field, value);
  if (g_str_equal (field->type, "date"))
    return is_day (value);
  return field->pattern == NULL
         || g_regex_match_simple (field->pattern, json_object_get_string (value), 0, 0);
}

static void
write_options (const EmuField *field, GString *out, gboolean custom)
{
  g_string_append_printf (out, ",\"%s_field_options\":[", custom ? "custom" : "system");
  for (guint i = 0; i < field->options->len; i++)
    {
      EmuOption *option = &g_array_index (field->options, EmuOption, i);

      g_string_append (out, i > 0 ? ",{" : "{");
      if (custom)
        g_string_append_printf (out, "\"id\":%" G_GINT64_FORMAT ",", field->id * 100 + i);
      g_string_append (out, "\"name\":");
      emu_json_add_text (out, option->name);
      if (custom)
        {
          g_string_append (out, ",\"raw_name\":");
          emu_json_add_text (out, option->name);
        }
      g_string_append (out, ",\"value\":");
      emu_json_add_text (out, option->value);
      g_string_append (out, custom ? ",\"default\":false}" : "}");
    }
  g_string_append_c (out, ']');
}

void
emu_field_write (const EmuField *field, GString *out, guint position, gboolean custom,
                 const char *base_url)
{
  static const char *const titles[]
      = { "title",           "raw_title",       "description",
          "raw_description", "title_in_portal", "raw_title_in_portal" };

  g_string_append_printf (out,
                          "{\"url\":\"%s/api/v2/ticket_fields/%" G_GINT64_FORMAT
                          ".json\",\"id\":%" G_GINT64_FORMAT ",\"type\":",
                          base_url, field->id, field->id);
  emu_json_add_text (out, field->type);
  for (guint i = 0; i < G_N_ELEMENTS (titles); i++)
    {
      g_string_append_printf (out, ",\"%s\":", titles[i]);
      emu_json_add_text (out, field->title);
    }
  g_string_append_printf (out,
                          ",\"position\":%u,\"active\":%s,\"required\":%s,"
                          "\"collapsed_for_agents\":false,\"regexp_for_validation\":",
                          position, field->active ? "true" : "false",
                          field->required ? "true" : "false");
  emu_json_add_text (out, field->pattern);
  g_string_append_printf (out,
                          ",\"visible_in_portal\":true,\"editable_in_portal\":%s,"
                          "\"required_in_portal\":false,\"tag\":null,"
                          "\"created_at\":\"2023-01-02T03:04:05Z\","
                          "\"updated_at\":\"2023-01-02T03:04:05Z\",\"removable\":%s,\"key\":null,"
                          "\"agent_description\":null",
                          custom ? "true" : "false", custom ? "true" : "false");
  if (field->options != NULL)
    write_options (field, out, custom);
  g_string_append_c (out, '}');
}

void
emu_field_write_keyed (const EmuField *field, GString *out, guint position, const char *route,
                       const char *base_url)
{
  static const char *const titles[] = { "title", "description", "raw_title", "raw_description" };

  g_string_append_printf (out,
                          "{\"url\":\"%s/api/v2/%s/%" G_GINT64_FORMAT
                          ".json\",\"id\":%" G_GINT64_FORMAT ",\"type\":",
                          base_url, route, field->id, field->id);
  emu_json_add_text (out, field->type);
  g_string_append (out, ",\"key\":");
  emu_json_add_text (out, field->key);
  for (guint i = 0; i < G_N_ELEMENTS (titles); i++)
    {
      g_string_append_printf (out, ",\"%s\":", titles[i]);
      emu_json_add_text (out, field->title);
    }
  g_string_append_printf (out,
                          ",\"position\":%u,\"active\":%s,\"system\":false,"
                          "\"regexp_for_validation\":",
                          position, field->active ? "true" : "false");
  emu_json_add_text (out, field->pattern);
  g_string_append (out, ",\"created_at\":\"2023-01-02T03:04:05Z\","
                        "\"updated_at\":\"2023-01-02T03:04:05Z\"");
  if (field->options != NULL)
    write_options (field, out, TRUE);
  g_string_append_c (out, '}');
}
