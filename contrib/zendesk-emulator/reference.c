/* reference.c: what an account has before there is any ticket: groups, agents, brands and so on */
#include "reference.h"

#include <string.h>

#define MAX_ROWS 10000 /* of a kind */

#define BORN "\"created_at\":\"2023-01-02T03:04:05Z\",\"updated_at\":\"2023-01-02T03:04:05Z\""

static const struct
{
  const char *plural, *singular;
  gint64 first_id;
  const char *template; /* what a row has that does not say otherwise */
  const char *rows;     /* when there is no file */
} kinds[EMU_N_KINDS] = {
  [EMU_GROUPS] = { "groups", "group", 360000001001,
                   "{\"is_public\":true,\"name\":\"Group\",\"description\":\"\","
                   "\"default\":false,\"deleted\":false," BORN "}",
                   "[{\"name\":\"Support\",\"default\":true}]" },
  [EMU_BRANDS]
  = { "brands", "brand", 360000002001,
      "{\"name\":\"Brand\",\"brand_url\":\"https://emulator.example\",\"subdomain\":\"emulator\","
      "\"host_mapping\":null,\"has_help_center\":false,\"help_center_state\":\"disabled\","
      "\"active\":true,\"default\":false,\"is_deleted\":false,\"logo\":null,"
      "\"ticket_form_ids\":[],\"signature_template\":\"{{agent.signature}}\"," BORN "}",
      "[{\"name\":\"Emulator\",\"default\":true,\"ticket_form_ids\":[360000003001]}]" },
  [EMU_TICKET_FORMS] = { "ticket_forms", "ticket_form", 360000003001,
                         "{\"name\":\"Form\",\"raw_name\":\"Form\",\"display_name\":\"Form\","
                         "\"raw_display_name\":\"Form\",\"end_user_visible\":true,\"position\":1,"
                         "\"ticket_field_ids\":[],\"active\":true,\"default\":false,"
                         "\"in_all_brands\":true,\"restricted_brand_ids\":[],"
                         "\"end_user_conditions\":[],\"agent_conditions\":[]," BORN "}",
                         "[{\"name\":\"Default Ticket Form\",\"default\":true,\"ticket_field_ids\":"
                         "[360000000101,360000000102,360000000103,360000000104,360000000105,"
                         "360000000106,360000000107]}]" },
  [EMU_CUSTOM_STATUSES]
  = { "custom_statuses", "custom_status", 360000004001,
      "{\"status_category\":\"open\",\"agent_label\":\"Open\",\"raw_agent_label\":\"Open\","
      "\"end_user_label\":\"Open\",\"raw_end_user_label\":\"Open\",\"description\":\"\","
      "\"raw_description\":\"\",\"end_user_description\":\"\",\"raw_end_user_description\":\"\","
      "\"active\":true,\"default\":false," BORN "}",
      "[{\"status_category\":\"new\",\"agent_label\":\"New\",\"default\":true},"
      "{\"status_category\":\"open\",\"agent_label\":\"Open\",\"default\":true},"
      "{\"status_category\":\"pending\",\"agent_label\":\"Pending\",\"default\":true},"
      "{\"status_category\":\"hold\",\"agent_label\":\"On-hold\",\"default\":true},"
      "{\"status_category\":\"solved\",\"agent_label\":\"Solved\",\"default\":true}]" },
  [EMU_CUSTOM_ROLES] = { "custom_roles", "custom_role", 360000005001,
                         "{\"name\":\"Role\",\"description\":\"\",\"role_type\":0,"
                         "\"team_member_count\":0,\"configuration\":{}," BORN "}",
                         "[{\"name\":\"Staff\"},{\"name\":\"Team lead\"}]" },
  [EMU_LOCALES] = { "locales", "locale", 1,
                    "{\"locale\":\"en-US\",\"name\":\"English\",\"native_name\":\"English\","
                    "\"presentation_name\":\"English\",\"rtl\":false,\"default\":false," BORN "}",
                    "[{\"default\":true},{\"id\":8,\"locale\":\"de\",\"name\":\"Deutsch\","
                    "\"native_name\":\"Deutsch\",\"presentation_name\":\"German - Deutsch\"}]" },
  [EMU_GROUP_MEMBERSHIPS] = { "group_memberships", "group_membership", 360000006001,
                              "{\"user_id\":0,\"group_id\":0,\"default\":false," BORN "}", "[]" },
};

static const char default_settings[]
    = "{\"branding\":{\"header_color\":\"78A300\",\"page_background_color\":\"333333\","
      "\"tab_background_color\":\"7FA239\",\"text_color\":\"FFFFFF\",\"header_logo_url\":null,"
      "\"favicon_url\":null},"
      "\"tickets\":{\"agent_ticket_deletion\":true,\"list_newest_comments_first\":false,"
      "\"collaboration\":true,\"private_attachments\":false,\"email_attachments\":false,"
      "\"tagging\":true,\"comments_public_by_default\":true,\"status_hold\":true,"
      "\"custom_statuses_enabled\":true,\"rich_text_comments\":true,"
      "\"markdown_ticket_comments\":false,\"follower_and_email_cc_collaborations\":true},"
      "\"user\":{\"tagging\":true,\"time_zone_selection\":true,\"language_selection\":true,"
      "\"multiple_organizations\":true},"
      "\"active_features\":{\"on_hold_status\":true,\"user_tagging\":true,\"ticket_tagging\":true,"
      "\"user_org_fields\":true,\"custom_dates\":true},"
      "\"localization\":{\"locale_ids\":[1,8]},"
      "\"limits\":{\"attachment_size\":52428800},"
      "\"api\":{\"accepted_api_agreement\":true,\"api_password_access\":\"false\","
      "\"api_token_access\":\"true\"}}";

const char *
emu_kind_get_plural (EmuKind kind)
{
  return kinds[kind].plural;
}

const char *
emu_kind_get_singular (EmuKind kind)
{
  return kinds[kind].singular;
}

gint
emu_kind_find (const char *plural)
{
  for (guint i = 0; i < EMU_N_KINDS; i++)
    if (g_str_equal (kinds[i].plural, plural))
      return (gint)i;
  return -1;
}

static json_object *
parse (const char *text)
{
  return emu_json_parse (text, strlen (text), EMU_JSON_DEPTH);
}

static void
free_row (gpointer data)
{
  json_object_put (data);
}

/* Sets in @object what @wish says; objects are set member by member. */
static void
overlay (json_object *object, json_object *wish)
{
  json_object_object_foreach (wish, name, value)
  {
    json_object *inner = emu_json_get (object, name);

    if (json_object_is_type (inner, json_type_object)
        && json_object_is_type (value, json_type_object))
      overlay (inner, value);
    else
      json_object_object_add (object, name, json_object_get (value));
  }
}

/* What people read is as its raw form, unless that is said to be another. */
static void
spell_out (json_object *row, json_object *wish)
{
  static const char *const pairs[][2] = { { "raw_name", "name" },
                                          { "display_name", "name" },
                                          { "raw_display_name", "display_name" },
                                          { "raw_agent_label", "agent_label" },
                                          { "end_user_label", "agent_label" },
                                          { "raw_end_user_label", "end_user_label" },
                                          { "raw_description", "description" } };

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    if (emu_json_get (row, pairs[i][0]) != NULL && emu_json_get (wish, pairs[i][0]) == NULL)
      json_object_object_add (row, pairs[i][0], json_object_get (emu_json_get (row, pairs[i][1])));
}

static json_object *
add_row (EmuReference *reference, EmuKind kind, json_object *wish)
{
  GPtrArray *rows = reference->rows[kind];
  json_object *row = parse (kinds[kind].template);
  gint64 id = kinds[kind].first_id + rows->len;

  overlay (row, wish);
  spell_out (row, wish);
  emu_json_get_id (emu_json_get (wish, "id"), &id);
  json_object_object_add (row, "id", json_object_new_int64 (id));
  g_ptr_array_add (rows, row);
  return row;
}

/* TRUE when @list, if it is there, is a list of objects. */
static gboolean
check_list (const char *name, json_object *list, GError **error)
{
  gboolean good = list == NULL
                  || (json_object_is_type (list, json_type_array)
                      && json_object_array_length (list) <= MAX_ROWS);

  for (gsize i = 0; good && list != NULL && i < json_object_array_length (list); i++)
    good = json_object_is_type (json_object_array_get_idx (list, i), json_type_object);
  if (!good)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "\"%s\" is no list of at most %d objects",
                 name, MAX_ROWS);
  return good;
}

static gboolean
fill (EmuReference *reference, json_object *file, GError **error)
{
  for (guint kind = 0; kind < EMU_N_KINDS; kind++)
    {
      json_object *given
          = kind != EMU_GROUP_MEMBERSHIPS ? emu_json_get (file, kinds[kind].plural) : NULL;
      g_autoptr (json_object) rows
          = given != NULL ? json_object_get (given) : parse (kinds[kind].rows);

      if (!check_list (kinds[kind].plural, rows, error))
        return FALSE;
      for (gsize i = 0; i < json_object_array_length (rows); i++)
        add_row (reference, kind, json_object_array_get_idx (rows, i));
    }
  if (!check_list ("agents", emu_json_get (file, "agents"), error))
    return FALSE;
  reference->agents = json_object_get (emu_json_get (file, "agents"));
  if (json_object_is_type (emu_json_get (file, "settings"), json_type_object))
    overlay (reference->settings, emu_json_get (file, "settings"));
  return TRUE;
}

/* Whoever misspells a name would look for it in vain. */
static gboolean
check_names (json_object *file, GError **error)
{
  json_object_object_foreach (file, name, value)
  {
    (void)value;
    if ((emu_kind_find (name) < 0 || g_str_equal (name, "group_memberships"))
        && !g_str_equal (name, "agents") && !g_str_equal (name, "settings"))
      {
        g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "\"%s\" is nothing to be given here",
                     name);
        return FALSE;
      }
  }
  return TRUE;
}

static json_object *
read_file (const char *file, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (json_object) json = NULL;
  gsize length;

  if (!g_file_get_contents (file, &text, &length, error))
    return NULL;
  json = emu_json_parse (text, length, EMU_JSON_DEPTH);
  if (!json_object_is_type (json, json_type_object))
    {
      g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "\"%s\" is no JSON object", file);
      return NULL;
    }
  if (!check_names (json, error))
    {
      g_prefix_error (error, "\"%s\": ", file);
      return NULL;
    }
  return g_steal_pointer (&json);
}

EmuReference *
emu_reference_new (const char *file, GError **error)
{
  EmuReference *reference;
  g_autoptr (json_object) json = file != NULL ? read_file (file, error) : NULL;

  if (file != NULL && json == NULL)
    return NULL;
  reference = g_new0 (EmuReference, 1);
  for (guint kind = 0; kind < EMU_N_KINDS; kind++)
    reference->rows[kind] = g_ptr_array_new_with_free_func (free_row);
  reference->settings = parse (default_settings);
  if (!fill (reference, json, error))
    {
      g_prefix_error (error, "\"%s\": ", file);
      g_clear_pointer (&reference, emu_reference_free);
    }
  return reference;
}

void
emu_reference_free (EmuReference *reference)
{
  if (reference == NULL)
    return;
  for (guint kind = 0; kind < EMU_N_KINDS; kind++)
    g_ptr_array_unref (reference->rows[kind]);
  json_object_put (reference->settings);
  json_object_put (reference->agents);
  g_free (reference);
}

static gint64
get_number (json_object *row, const char *name)
{
  return json_object_get_int64 (emu_json_get (row, name));
}

json_object *
emu_reference_find (const EmuReference *reference, EmuKind kind, gint64 id)
{
  for (guint i = 0; i < reference->rows[kind]->len; i++)
    if (get_number (reference->rows[kind]->pdata[i], "id") == id)
      return reference->rows[kind]->pdata[i];
  return NULL;
}

json_object *
emu_reference_find_name (const EmuReference *reference, EmuKind kind, const char *name)
{
  for (guint i = 0; i < reference->rows[kind]->len; i++)
    if (g_strcmp0 (name,
                   json_object_get_string (emu_json_get (reference->rows[kind]->pdata[i], "name")))
        == 0)
      return reference->rows[kind]->pdata[i];
  return NULL;
}

json_object *
emu_reference_find_default (const EmuReference *reference, EmuKind kind)
{
  for (guint i = 0; i < reference->rows[kind]->len; i++)
    if (json_object_get_boolean (emu_json_get (reference->rows[kind]->pdata[i], "default")))
      return reference->rows[kind]->pdata[i];
  return NULL;
}

/* A group is named by its id or its name; 0: by neither. */
static gint64
find_group (const EmuReference *reference, json_object *wish)
{
  g_autofree char *name = emu_json_dup_text (wish);
  json_object *row = emu_reference_find_name (reference, EMU_GROUPS, name);
  gint64 id = 0;

  if (emu_json_get_id (wish, &id) && emu_reference_find (reference, EMU_GROUPS, id) != NULL)
    return id;
  return row != NULL ? get_number (row, "id") : 0;
}

static void
join_group (EmuReference *reference, gint64 user, gint64 group, gboolean is_default)
{
  g_autoptr (json_object) wish = json_object_new_object ();

  if (group == 0)
    return;
  json_object_object_add (wish, "user_id", json_object_new_int64 (user));
  json_object_object_add (wish, "group_id", json_object_new_int64 (group));
  json_object_object_add (wish, "default", json_object_new_boolean (is_default));
  add_row (reference, EMU_GROUP_MEMBERSHIPS, wish);
}

static void
hire (EmuReference *reference, EmuUsers *users, json_object *agent, gint64 now)
{
  g_autofree char *name = emu_json_dup_text (emu_json_get (agent, "name"));
  g_autofree char *email = emu_json_dup_text (emu_json_get (agent, "email"));
  const char *role = json_object_get_string (emu_json_get (agent, "role"));
  json_object *groups = emu_json_get (agent, "groups");
  EmuUser *user = email != NULL ? emu_users_find (users, email) : NULL;

  if (user == NULL)
    user = emu_users_add (users, name != NULL ? name : "Agent", email, now);
  if (user != users->admin)
    emu_user_set_role (user, g_strcmp0 (role, "admin") == 0 ? "admin" : "agent");
  for (gsize i = 0;
       json_object_is_type (groups, json_type_array) && i < json_object_array_length (groups); i++)
    join_group (reference, user->id, find_group (reference, json_object_array_get_idx (groups, i)),
                i == 0);
}

void
emu_reference_hire (EmuReference *reference, EmuUsers *users, gint64 now)
{
  json_object *group = emu_reference_find_default (reference, EMU_GROUPS);

  g_ptr_array_set_size (reference->rows[EMU_GROUP_MEMBERSHIPS], 0);
  if (group != NULL)
    join_group (reference, users->admin->id, get_number (group, "id"), TRUE);
  for (gsize i = 0; reference->agents != NULL && i < json_object_array_length (reference->agents);
       i++)
    hire (reference, users, json_object_array_get_idx (reference->agents, i), now);
}

gboolean
emu_reference_is_member (const EmuReference *reference, gint64 user, gint64 group)
{
  const GPtrArray *rows = reference->rows[EMU_GROUP_MEMBERSHIPS];

  for (guint i = 0; i < rows->len; i++)
    if (get_number (rows->pdata[i], "user_id") == user
        && get_number (rows->pdata[i], "group_id") == group)
      return TRUE;
  return FALSE;
}

gint64
emu_reference_get_status (const EmuReference *reference, const char *category)
{
  const GPtrArray *rows = reference->rows[EMU_CUSTOM_STATUSES];

  for (guint i = 0; i < rows->len; i++)
    if (json_object_get_boolean (emu_json_get (rows->pdata[i], "default"))
        && g_strcmp0 (category,
                      json_object_get_string (emu_json_get (rows->pdata[i], "status_category")))
               == 0)
      return get_number (rows->pdata[i], "id");
  return 0;
}

const char *
emu_reference_get_category (const EmuReference *reference, gint64 status)
{
  json_object *row = emu_reference_find (reference, EMU_CUSTOM_STATUSES, status);

  return row != NULL ? json_object_get_string (emu_json_get (row, "status_category")) : NULL;
}

void
emu_reference_write (EmuKind kind, json_object *row, const char *base_url, GString *out)
{
  g_string_append_printf (out, "{\"url\":\"%s/api/v2/%s/%" G_GINT64_FORMAT ".json\",", base_url,
                          kinds[kind].plural, get_number (row, "id"));
  g_string_append (out, json_object_to_json_string_ext (row, JSON_C_TO_STRING_PLAIN
                                                                 | JSON_C_TO_STRING_NOSLASHESCAPE)
                            + 1);
}
