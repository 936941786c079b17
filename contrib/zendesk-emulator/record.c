/* record.c: records whose members are a table: users, organizations and what belongs to them */
#include "record.h"

#include <string.h>

static const EmuMember *
find_member (const EmuRecordKind *kind, const char *name)
{
  for (const EmuMember *member = kind->members; member->name != NULL; member++)
    if (member->use != EMU_SHOWN && g_str_equal (member->name, name))
      return member;
  return NULL;
}

static gboolean
is_scalar (json_object *value)
{
  return !json_object_is_type (value, json_type_object)
         && !json_object_is_type (value, json_type_array);
}

static gboolean
is_good (const EmuMember *member, json_object *value)
{
  gint64 number;

  if (value == NULL)
    return TRUE;
  switch (member->type)
    {
    case EMU_MEMBER_TEXT:
    case EMU_MEMBER_WORD:
      return is_scalar (value);
    case EMU_MEMBER_ID:
      return emu_json_get_id (value, &number) && number >= 0;
    case EMU_MEMBER_FLAG:
      return json_object_is_type (value, json_type_boolean);
    case EMU_MEMBER_VALUES:
      return json_object_is_type (value, json_type_object);
    default:
      return TRUE;
    }
}

/* A day may be given as the moment at which it begins, since it is shown so. */
static gboolean
accepts (const EmuField *field, json_object *value)
{
  gint64 time;

  return emu_field_accepts (field, value)
         || (g_str_equal (field->type, "date") && emu_json_get_time (value, &time));
}

static void
check_values (json_object *values, const EmuFields *fields, EmuProblems *problems)
{
  if (!json_object_is_type (values, json_type_object))
    return;
  json_object_object_foreach (values, key, value)
  {
    const EmuField *field = emu_fields_find_key (fields, key);
    g_autofree char *text = NULL;

    if (field == NULL || accepts (field, value))
      continue;
    text = g_strdup_printf ("%s: is not valid", field->title);
    emu_problems_add (problems, "base", text, "InvalidValue");
  }
}

void
emu_record_check (const EmuRecordKind *kind, json_object *wish, const EmuFields *fields,
                  EmuProblems *problems)
{
  g_autofree char *prefix = g_strconcat (kind->name, ".", NULL);

  if (!json_object_is_type (wish, json_type_object))
    return;
  json_object_object_foreach (wish, name, value)
  {
    const EmuMember *member = find_member (kind, name);

    if (member == NULL)
      emu_problems_add_unpermitted (problems, prefix, name);
    else if (!is_good (member, value))
      {
        g_autofree char *shown = emu_json_dup_text (value);

        emu_problems_add_bad_value (problems, name, shown);
      }
    else if (member->type == EMU_MEMBER_VALUES)
      check_values (value, fields, problems);
  }
}

/* The service keeps a day as the moment at which it begins. */
static json_object *
new_value (const EmuField *field, json_object *value)
{
  if (g_str_equal (field->type, "date") && json_object_is_type (value, json_type_string)
      && json_object_get_string_len (value) == (int)strlen ("2012-07-23"))
    {
      g_autofree char *text = g_strconcat (json_object_get_string (value), "T00:00:00Z", NULL);

      return json_object_new_string (text);
    }
  return json_object_get (value);
}

static void
apply_values (json_object *wish, const EmuFields *fields, json_object **values)
{
  if (!json_object_is_type (wish, json_type_object))
    return;
  if (*values == NULL)
    *values = json_object_new_object ();
  json_object_object_foreach (wish, key, value)
  {
    const EmuField *field = emu_fields_find_key (fields, key);

    if (field != NULL && accepts (field, value))
      json_object_object_add (*values, key, new_value (field, value));
  }
}

static void
apply_member (const EmuMember *member, json_object *value, const EmuFields *fields, gpointer place)
{
  gint64 number = 0;

  switch (member->type)
    {
    case EMU_MEMBER_TEXT:
      g_free (*(char **)place);
      *(char **)place = emu_json_dup_text (value);
      break;
    case EMU_MEMBER_ID:
      *(gint64 *)place = emu_json_get_id (value, &number) ? number : 0;
      break;
    case EMU_MEMBER_FLAG:
      *(gboolean *)place = json_object_get_boolean (value) ? TRUE : FALSE;
      break;
    case EMU_MEMBER_TAGS:
      g_strfreev (*(GStrv *)place);
      *(GStrv *)place = emu_json_dup_tags (value);
      break;
    case EMU_MEMBER_VALUES:
      apply_values (value, fields, place);
      break;
    default:
      break;
    }
}

void
emu_record_apply (const EmuRecordKind *kind, json_object *wish, const EmuFields *fields,
                  gpointer record)
{
  if (!json_object_is_type (wish, json_type_object))
    return;
  json_object_object_foreach (wish, name, value)
  {
    const EmuMember *member = find_member (kind, name);

    if (member != NULL && member->use == EMU_SET && is_good (member, value))
      apply_member (member, value, fields, G_STRUCT_MEMBER_P (record, member->offset));
  }
}

static void
write_values (json_object *values, const EmuFields *fields, GString *out)
{
  g_string_append_c (out, '{');
  for (guint i = 0; i < fields->custom->len; i++)
    {
      const EmuField *field = fields->custom->pdata[i];
      json_object *value = emu_json_get (values, field->key);

      g_string_append (out, i > 0 ? "," : "");
      emu_json_add_text (out, field->key);
      g_string_append_c (out, ':');
      g_string_append (
          out, value == NULL ? "null"
                             : json_object_to_json_string_ext (
                                 value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    }
  g_string_append_c (out, '}');
}

static void
write_member (const EmuMember *member, const EmuFields *fields, gconstpointer place, GString *out)
{
  switch (member->type)
    {
    case EMU_MEMBER_TEXT:
    case EMU_MEMBER_WORD:
      emu_json_add_text (out, *(const char *const *)place);
      break;
    case EMU_MEMBER_ID:
      emu_json_add_id (out, *(const gint64 *)place);
      break;
    case EMU_MEMBER_TIME:
      emu_json_add_time (out, *(const gint64 *)place);
      break;
    case EMU_MEMBER_FLAG:
      g_string_append (out, *(const gboolean *)place ? "true" : "false");
      break;
    case EMU_MEMBER_TAGS:
      emu_json_add_tags (out, *(const GStrv *)place);
      break;
    case EMU_MEMBER_VALUES:
      write_values (*(json_object *const *)place, fields, out);
      break;
    case EMU_MEMBER_CONSTANT:
      g_string_append (out, member->constant);
      break;
    default:
      break;
    }
}

void
emu_record_write (const EmuRecordKind *kind, gconstpointer record, const EmuFields *fields,
                  const char *base_url, GString *out)
{
  gint64 id = *(const gint64 *)G_STRUCT_MEMBER_P (record, kind->id_offset);
  char before = '{';

  for (const EmuMember *member = kind->members; member->name != NULL; member++)
    {
      if (member->type == EMU_MEMBER_HIDDEN)
        continue;
      g_string_append_printf (out, "%c\"%s\":", before, member->name);
      before = ',';
      if (member->type == EMU_MEMBER_URL)
        g_string_append_printf (out, "\"%s/api/v2/%s/%" G_GINT64_FORMAT ".json\"", base_url,
                                member->constant, id);
      else
        write_member (member, fields, G_STRUCT_MEMBER_P (record, member->offset), out);
    }
  g_string_append_c (out, '}');
}

void
emu_record_clear (const EmuRecordKind *kind, gpointer record)
{
  for (const EmuMember *member = kind->members; member->name != NULL; member++)
    {
      gpointer place = G_STRUCT_MEMBER_P (record, member->offset);

      if (member->type == EMU_MEMBER_TEXT)
        g_clear_pointer ((char **)place, g_free);
      else if (member->type == EMU_MEMBER_TAGS)
        g_clear_pointer ((GStrv *)place, g_strfreev);
      else if (member->type == EMU_MEMBER_VALUES)
        g_clear_pointer ((json_object **)place, json_object_put);
    }
}

char *
emu_fold (const char *text)
{
  return text != NULL ? g_utf8_strdown (text, -1) : NULL;
}
