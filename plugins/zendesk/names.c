/* names.c: groups, agents, brands and forms by the names that people know them by */
#include "names.h"
#include "account.h"
#include "json.h"
#include "text.h"

#include <string.h>

/* More than any account has. */
#define MOST_NAMES 20000
/* Names that a message may be about at once. */
#define MOST_NEAR 1000

static const struct
{
  const char *path, *list, *name;
  const char *title, *one, *id_column;
  const char *gone, *there; /* (nullable) a member that must be false, or true */
} kinds[] = {
  [ZENDESK_NAMES_AGENT] = { "/users.json?role%5B%5D=agent&role%5B%5D=admin&", "users", "email", "the agents",
                            "agent", "assignee_id", "suspended", "active" },
  [ZENDESK_NAMES_GROUP] = { "/groups.json?", "groups", "name", "the groups", "group", "group_id", "deleted", NULL },
  [ZENDESK_NAMES_BRAND] = { "/brands.json?", "brands", "name", "the brands", "brand", "brand_id", NULL, "active" },
  [ZENDESK_NAMES_FORM] = { "/ticket_forms.json?", "ticket_forms", "name", "the ticket forms", "ticket form",
                           "ticket_form_id", NULL, "active" },
};

ZendeskNames *
zendesk_names_new (ZendeskNamesKind kind)
{
  ZendeskNames *names = g_new0 (ZendeskNames, 1);

  names->kind = kind;
  names->ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  names->all = g_ptr_array_new ();
  return names;
}

void
zendesk_names_free (ZendeskNames *names)
{
  if (names == NULL)
    return;
  g_hash_table_unref (names->ids);
  g_ptr_array_unref (names->all);
  g_free (names);
}

char *
zendesk_names_path (ZendeskNamesKind kind, guint page)
{
  return g_strdup_printf (ZENDESK_API "%sper_page=100&page=%u", kinds[kind].path, page);
}

const char *
zendesk_names_title (ZendeskNamesKind kind)
{
  return kinds[kind].title;
}

/* (transfer full) */
static char *
dup_folded (ZendeskNamesKind kind, const char *name)
{
  return kind == ZENDESK_NAMES_AGENT ? g_ascii_strdown (name, -1) : g_strdup (name);
}

static void
add_name (ZendeskNames *names, const char *name, gint64 id)
{
  char *folded = dup_folded (names->kind, name);
  gint64 *found = g_hash_table_lookup (names->ids, folded);

  if (found != NULL)
    {
      *found = *found == id ? id : 0;
      g_free (folded);
      return;
    }
  g_ptr_array_add (names->all, folded);
  g_hash_table_insert (names->ids, folded, g_memdup2 (&id, sizeof id));
}

static gboolean
is_flag (json_object *row, const char *name, gboolean value)
{
  json_object *member = name != NULL ? zendesk_json_get (row, name) : NULL;

  return json_object_is_type (member, json_type_boolean) && !!json_object_get_boolean (member) == value;
}

gboolean
zendesk_names_take (ZendeskNames *names, const char *text, gsize length, gboolean *ret_more, GError **error)
{
  g_autoptr (json_object) body = zendesk_json_parse (text, length);
  json_object *rows = zendesk_json_get_array (body, kinds[names->kind].list);

  if (rows == NULL || json_object_array_length (rows) + names->all->len > MOST_NAMES)
    return tally_throw (error, TALLY_ERROR_DATA, "the list of %s is not what it should be",
                        kinds[names->kind].title + strlen ("the "));
  for (gsize i = 0; i < json_object_array_length (rows); i++)
    {
      json_object *row = json_object_array_get_idx (rows, i);
      const char *name = zendesk_json_get_text (row, kinds[names->kind].name);
      gint64 id;

      if (name != NULL && zendesk_json_get_id (row, "id", &id) && !is_flag (row, kinds[names->kind].gone, TRUE)
          && !is_flag (row, kinds[names->kind].there, FALSE))
        add_name (names, name, id);
    }
  *ret_more = zendesk_json_get_text (body, "next_page") != NULL;
  return TRUE;
}

/* (transfer full) (nullable) */
static char *
dup_nearest (const ZendeskNames *names, const char *name)
{
  guint n = MIN (names->all->len, MOST_NEAR);
  g_autofree TallyColumn *columns = g_new (TallyColumn, n + 1);

  for (guint i = 0; i < n; i++)
    columns[i] = (TallyColumn){ names->all->pdata[i], TALLY_TYPE_TEXT };
  g_autoptr (TallySchema) schema = tally_schema_new (columns, n);
  return g_strdup (tally_schema_nearest (schema, name));
}

gboolean
zendesk_names_append (const ZendeskNames *names, const char *name, GString *out, GError **error)
{
  g_autofree char *folded = dup_folded (names->kind, name);
  const gint64 *id = g_hash_table_lookup (names->ids, folded);
  g_autofree char *shown = zendesk_text_clean (name, strlen (name), 60);

  if (id != NULL && *id != 0)
    {
      g_string_append_printf (out, "%" G_GINT64_FORMAT, *id);
      return TRUE;
    }
  if (id != NULL)
    return tally_throw (error, TALLY_ERROR_DATA, "several are called \"%s\"; name it by its id, in a column \"%s\"", shown,
                        kinds[names->kind].id_column);

  g_autofree char *nearest = dup_nearest (names, folded);
  return tally_throw (error, TALLY_ERROR_DATA, "the account has no active %s \"%s\"%s%s%s", kinds[names->kind].one, shown,
                      nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                      nearest != NULL ? "\"?" : "");
}

gboolean
zendesk_user_check (const char *text, gsize length, gint64 id, GError **error)
{
  g_autoptr (json_object) body = zendesk_json_parse (text, length);
  json_object *user = zendesk_json_get (body, "user");
  gint64 found;

  if (!zendesk_json_get_id (user, "id", &found) || found != id)
    return tally_throw (error, TALLY_ERROR_DATA, "the answer is not about this user");
  if (is_flag (user, "active", FALSE))
    return tally_throw (error, TALLY_ERROR_USAGE, "this user has been deleted");
  if (is_flag (user, "suspended", TRUE))
    return tally_throw (error, TALLY_ERROR_USAGE, "this user is suspended");
  return TRUE;
}
