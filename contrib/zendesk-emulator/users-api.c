/* users-api.c: the endpoints of users and of their identities */
#include "people-api.h"

#include <string.h>

void
emu_write_user_row (const EmuList *list, gpointer row, GString *out)
{
  emu_user_write (row, list->x->emu->user_fields, list->x->emu->base_url, out);
}

static void
write_identity_row (const EmuList *list, gpointer row, GString *out)
{
  emu_identity_write (row, list->x->emu->base_url, out);
}

/* (nullable) with an answer */
static EmuUser *
find_user (EmuExchange *x)
{
  EmuUser *user = emu_users_get (x->emu->users, x->id);

  if (user == NULL)
    emu_answer_not_found (&x->answer);
  return user;
}

/* --- one user --- */

static void
change (EmuExchange *x, EmuDeedKind kind)
{
  EmuDeed deed = emu_begin_deed (x, kind, "user");

  if (kind == EMU_USER_DELETE || emu_api_has_json (x))
    emu_answer_deed (x, &deed, "user", "users", emu_write_user_row);
}

static void
create_user (EmuExchange *x)
{
  change (x, EMU_USER_CREATE);
}

static void
create_or_update_user (EmuExchange *x)
{
  change (x, EMU_USER_CREATE_OR_UPDATE);
}

static void
update_user (EmuExchange *x)
{
  change (x, EMU_USER_UPDATE);
}

static void
delete_user (EmuExchange *x)
{
  change (x, EMU_USER_DELETE);
}

static void
merge_user (EmuExchange *x)
{
  EmuDeed deed = emu_begin_deed (x, EMU_USER_MERGE, NULL);

  if (!emu_api_has_json (x))
    return;
  emu_json_get_id (emu_json_get (emu_json_get (x->json, "user"), "id"), &deed.other);
  emu_answer_deed (x, &deed, "user", "users", emu_write_user_row);
}

static void
show_user (EmuExchange *x)
{
  EmuUser *user = find_user (x);

  if (user != NULL)
    emu_answer_record (x, "user", user, emu_write_user_row);
}

static void
show_me (EmuExchange *x)
{
  emu_answer_record (x, "user", x->emu->users->admin, emu_write_user_row);
}

void
emu_show_nobody (EmuExchange *x)
{
  GString *out = emu_answer_begin (&x->answer, 200, "shown");

  g_string_append (out, "{\"user\":");
  emu_user_write_anonymous (x->emu->user_fields, x->emu->base_url, out);
  g_string_append_c (out, '}');
}

static void
show_related (EmuExchange *x)
{
  const EmuUser *user = find_user (x);
  guint requested = 0, assigned = 0, copied = 0;

  if (user == NULL)
    return;
  for (guint i = 0; i < x->emu->tickets->all->len; i++)
    {
      const EmuTicket *ticket = x->emu->tickets->all->pdata[i];

      if (ticket->deleted)
        continue;
      requested += ticket->requester == user->id;
      assigned += ticket->assignee == user->id;
      copied += emu_ticket_is_copied_to (ticket, user->id);
    }
  g_string_append_printf (emu_answer_begin (&x->answer, 200, "shown"),
                          "{\"user_related\":{\"assigned_tickets\":%u,\"requested_tickets\":%u,"
                          "\"ccd_tickets\":%u,\"organization_subscriptions\":0}}",
                          assigned, requested, copied);
}

/* --- lists of users --- */

static void
count_users (EmuExchange *x)
{
  emu_answer_count (x, x->emu->users->n_active);
}

/* The one active user that has @external_id, once that is known. */
static EmuUser *
find_external (EmuExchange *x, const char *external_id)
{
  EmuUser *user = emu_users_find_external (x->emu->users, external_id);

  return user != NULL && emu_is_known (x->emu, user->created, x->emu->config.lookup_lag) ? user
                                                                                         : NULL;
}

static void
list_external (EmuExchange *x, const char *external_id)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();
  EmuUser *user = find_external (x, external_id);

  if (user != NULL)
    g_ptr_array_add (rows, user);
  emu_answer_pages (x, "users", rows, emu_write_user_row);
}

static gpointer
get_of_role (const EmuList *list, guint place)
{
  EmuUser *user = list->x->emu->users->all->pdata[place];
  const char *const *roles = list->data;

  return user->active && (roles == NULL || g_strv_contains (roles, user->role)) ? user : NULL;
}

/* Every role that the query names, as role=agent or as role[]=agent&role[]=admin. */
static GStrv
get_roles (EmuExchange *x)
{
  const char *role = emu_query (x, "role");
  GStrv roles = role != NULL ? g_strsplit (role, ",", 8) : x->query_all (x->connection, "role[]");

  if (roles[0] == NULL)
    g_clear_pointer (&roles, g_strfreev);
  return roles;
}

static char *
make_role_links (GStrv roles)
{
  GString *out = g_string_new (NULL);

  for (char **role = roles; role != NULL && *role != NULL; role++)
    {
      g_autofree char *escaped = g_uri_escape_string (*role, NULL, FALSE);

      g_string_append_printf (out, "role%%5B%%5D=%s&", escaped);
    }
  return g_string_free (out, FALSE);
}

static void
list_users (EmuExchange *x)
{
  const char *external_id = emu_query (x, "external_id");
  g_auto (GStrv) roles = get_roles (x);
  g_autofree char *more = make_role_links (roles);
  EmuList list = { .x = x,
                   .name = "users",
                   .order = "id",
                   .n_places = x->emu->users->all->len,
                   .n_rows = x->emu->users->n_active,
                   .data = roles,
                   .get = get_of_role,
                   .write = emu_write_user_row,
                   .more = more };

  if (external_id != NULL)
    {
      list_external (x, external_id);
      return;
    }
  if (roles != NULL)
    {
      list.n_rows = 0;
      for (guint i = 0; i < list.n_places; i++)
        list.n_rows += get_of_role (&list, i) != NULL;
    }
  emu_list_answer (&list);
}

static gint
compare_users (gconstpointer a, gconstpointer b)
{
  const EmuUser *one = *(EmuUser *const *)a, *other = *(EmuUser *const *)b;

  return one->id < other->id ? -1 : one->id > other->id;
}

/* The order is the users' own, not the one that was asked for. */
static void
show_many (EmuExchange *x)
{
  gboolean external = emu_query (x, "external_ids") != NULL;
  g_auto (GStrv) words = emu_query_words (x, external ? "external_ids" : "ids");
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();

  if (words == NULL)
    return;
  for (char **word = words; *word != NULL; word++)
    {
      EmuUser *user = external ? find_external (x, *word)
                               : emu_users_get (x->emu->users, g_ascii_strtoll (*word, NULL, 10));

      if (user != NULL && !g_ptr_array_find (rows, user, NULL))
        g_ptr_array_add (rows, user);
    }
  g_ptr_array_sort (rows, compare_users);
  emu_answer_rows (x, "users", rows, emu_write_user_row);
}

static gboolean
contains (const char *text, const char *part)
{
  g_autofree char *folded = emu_fold (text);

  return folded != NULL && strstr (folded, part) != NULL;
}

static gboolean
has_address (const EmuUser *user, const char *part, gboolean whole)
{
  for (guint i = 0; i < user->identities->len; i++)
    {
      const EmuIdentity *identity = user->identities->pdata[i];
      g_autofree char *folded = emu_fold (identity->value);

      if (whole ? g_str_equal (folded, part) : strstr (folded, part) != NULL)
        return TRUE;
    }
  return FALSE;
}

/* A word of the query: name:x, email:x, external_id:x, role:x, or a part of the name or address. */
static gboolean
matches_word (const EmuUser *user, const char *word)
{
  const char *colon = strchr (word, ':');
  g_autofree char *key = g_strndup (word, colon != NULL ? (gsize)(colon - word) : 0);
  g_autofree char *value = emu_fold (colon != NULL ? colon + 1 : word);

  if (g_str_equal (key, "email"))
    return has_address (user, value, TRUE);
  if (g_str_equal (key, "name"))
    return contains (user->name, value);
  if (g_str_equal (key, "role"))
    return g_str_equal (user->role, value);
  if (g_str_equal (key, "external_id"))
    {
      g_autofree char *folded = emu_fold (user->external_id);

      return g_strcmp0 (folded, value) == 0;
    }
  return g_str_equal (key, "type") || contains (user->name, value)
         || has_address (user, value, FALSE);
}

static gboolean
matches_words (const EmuUser *user, GStrv words)
{
  for (char **word = words; *word != NULL; word++)
    if (**word != '\0' && !matches_word (user, *word))
      return FALSE;
  return TRUE;
}

/* By external_id the database is asked; by query the index, which is behind. */
static void
search_users (EmuExchange *x)
{
  const char *external_id = emu_query (x, "external_id"), *query = emu_query (x, "query");
  g_auto (GStrv) words = g_strsplit_set (query != NULL ? query : "", " \"", 64);
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();

  if (external_id != NULL)
    {
      list_external (x, external_id);
      return;
    }
  for (guint i = 0; i < x->emu->users->all->len; i++)
    {
      EmuUser *user = x->emu->users->all->pdata[i];

      if (user->active && emu_is_known (x->emu, user->updated, x->emu->config.search_lag)
          && matches_words (user, words))
        g_ptr_array_add (rows, user);
    }
  emu_answer_pages (x, "users", rows, emu_write_user_row);
}

/* --- identities --- */

static void
list_identities (EmuExchange *x)
{
  EmuUser *user = find_user (x);

  if (user != NULL)
    emu_answer_pages (x, "identities", user->identities, write_identity_row);
}

static void
show_identity (EmuExchange *x)
{
  EmuUser *user = find_user (x);
  EmuIdentity *identity = user != NULL ? emu_user_get_identity (user, x->other) : NULL;

  if (identity != NULL)
    emu_answer_record (x, "identity", identity, write_identity_row);
  else
    emu_answer_not_found (&x->answer);
}

static void
change_identity (EmuExchange *x, EmuDeedKind kind)
{
  EmuDeed deed = emu_begin_deed (x, kind, "identity");
  g_autofree char *route = g_strdup_printf ("users/%" G_GINT64_FORMAT "/identities", x->id);

  if (kind == EMU_IDENTITY_DELETE || kind == EMU_IDENTITY_VERIFY || emu_api_has_json (x))
    emu_answer_deed (x, &deed, "identity", route, write_identity_row);
}

static void
create_identity (EmuExchange *x)
{
  change_identity (x, EMU_IDENTITY_CREATE);
}

static void
update_identity (EmuExchange *x)
{
  change_identity (x, EMU_IDENTITY_UPDATE);
}

static void
verify_identity (EmuExchange *x)
{
  change_identity (x, EMU_IDENTITY_VERIFY);
}

static void
delete_identity (EmuExchange *x)
{
  change_identity (x, EMU_IDENTITY_DELETE);
}

/* The answer is the whole list. */
static void
make_primary (EmuExchange *x)
{
  EmuDeed deed = emu_begin_deed (x, EMU_IDENTITY_PRIMARY, NULL);

  emu_answer_deed (x, &deed, "identity", "identities", write_identity_row);
  if (x->answer.status == 200)
    list_identities (x);
}

static void
list_user_fields (EmuExchange *x)
{
  emu_answer_fields (x, x->emu->user_fields, "user_fields");
}

static void
show_user_field (EmuExchange *x)
{
  emu_answer_field (x, x->emu->user_fields, "user_fields", "user_field");
}

const EmuRoute emu_user_routes[] = {
  { "GET", "users", list_users },
  { "POST", "users", create_user },
  { "POST", "users/create_or_update", create_or_update_user, EMU_BUCKET_CREATE_UPDATE_USER,
    EMU_BUCKET_CREATE_UPDATE_EACH },
  { "GET", "users/me", show_me },
  { "GET", "users/count", count_users },
  { "GET", "users/show_many", show_many },
  { "GET", "users/search", search_users },
  { "GET", "users/#", show_user },
  { "PUT", "users/#", update_user, EMU_BUCKET_UPDATE_USER, EMU_BUCKET_UPDATE_EACH },
  { "DELETE", "users/#", delete_user },
  { "PUT", "users/#/merge", merge_user },
  { "GET", "users/#/related", show_related },
  { "GET", "users/#/identities", list_identities },
  { "POST", "users/#/identities", create_identity },
  { "GET", "users/#/identities/#", show_identity },
  { "PUT", "users/#/identities/#", update_identity },
  { "DELETE", "users/#/identities/#", delete_identity },
  { "PUT", "users/#/identities/#/make_primary", make_primary },
  { "PUT", "users/#/identities/#/verify", verify_identity },
  { "GET", "user_fields", list_user_fields },
  { "GET", "user_fields/#", show_user_field },
  { 0 },
};
