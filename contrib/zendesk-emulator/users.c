/* users.c: the people of the account, known by their e-mail address */
#include "users.h"

#include "json.h"

#define ID_FLOOR G_GINT64_CONSTANT (30000000000000)
#define ID_RANGE G_GINT64_CONSTANT (9000000000000)

static void
user_free (gpointer data)
{
  EmuUser *user = data;

  g_free (user->name);
  g_free (user->email);
  g_free (user);
}

EmuUsers *
emu_users_new (const char *admin_email, gint64 now)
{
  EmuUsers *users = g_new0 (EmuUsers, 1);

  users->by_email = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  users->by_id = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, user_free);
  users->admin = emu_users_add (users, "Emulator Admin", admin_email, now);
  users->admin->role = "admin";
  return users;
}

void
emu_users_free (EmuUsers *users)
{
  if (users == NULL)
    return;
  g_hash_table_unref (users->by_email);
  g_hash_table_unref (users->by_id);
  g_free (users);
}

EmuUser *
emu_users_find (const EmuUsers *users, const char *email)
{
  g_autofree char *folded = g_utf8_strdown (email, -1);

  return g_hash_table_lookup (users->by_email, folded);
}

EmuUser *
emu_users_get (const EmuUsers *users, gint64 id)
{
  return g_hash_table_lookup (users->by_id, &id);
}

/* 64 bits of FNV-1a: well spread is all that is asked of it. */
static guint64
hash_text (const char *text)
{
  guint64 hash = G_GUINT64_CONSTANT (14695981039346656037);

  for (; *text != '\0'; text++)
    hash = (hash ^ (guchar)*text) * G_GUINT64_CONSTANT (1099511628211);
  return hash;
}

EmuUser *
emu_users_add (EmuUsers *users, const char *name, const char *email, gint64 now)
{
  g_autofree char *folded = email != NULL ? g_utf8_strdown (email, -1) : NULL;
  EmuUser *user = g_new0 (EmuUser, 1);
  guint64 seed = folded != NULL ? hash_text (folded) : g_hash_table_size (users->by_id);

  user->id = ID_FLOOR + (gint64)(seed % ID_RANGE);
  while (g_hash_table_contains (users->by_id, &user->id))
    user->id++;
  user->name = g_strdup (name);
  user->email = g_strdup (email);
  user->role = "end-user";
  user->created = now;
  g_hash_table_insert (users->by_id, &user->id, user);
  if (folded != NULL)
    g_hash_table_insert (users->by_email, g_steal_pointer (&folded), user);
  return user;
}

void
emu_user_write (const EmuUser *user, GString *out, const char *base_url)
{
  g_string_append (out, "{\"id\":");
  emu_json_add_id (out, user != NULL ? user->id : 0);
  if (user != NULL)
    g_string_append_printf (out, ",\"url\":\"%s/api/v2/users/%" G_GINT64_FORMAT ".json\"", base_url,
                            user->id);
  else
    g_string_append (out, ",\"url\":null");
  g_string_append (out, ",\"name\":");
  emu_json_add_text (out, user != NULL ? user->name : "Anonymous user");
  g_string_append (out, ",\"email\":");
  emu_json_add_text (out, user != NULL ? user->email : "invalid@example.com");
  g_string_append (out, ",\"created_at\":");
  emu_json_add_time (out, user != NULL ? user->created : 0);
  g_string_append (out, ",\"updated_at\":");
  emu_json_add_time (out, user != NULL ? user->created : 0);
  g_string_append (out, ",\"time_zone\":\"UTC\",\"iana_time_zone\":\"Etc/UTC\",\"phone\":null,"
                        "\"shared_phone_number\":null,\"photo\":null,\"locale_id\":1,"
                        "\"locale\":\"en-US\",\"organization_id\":null,\"role\":");
  emu_json_add_text (out, user != NULL ? user->role : "end-user");
  g_string_append_printf (out,
                          ",\"verified\":%s,\"external_id\":null,\"tags\":[],\"alias\":null,"
                          "\"active\":true,\"shared\":false,\"shared_agent\":false,"
                          "\"last_login_at\":null,\"two_factor_auth_enabled\":null,"
                          "\"signature\":null,\"details\":null,\"notes\":null,\"role_type\":null,"
                          "\"custom_role_id\":null,\"moderator\":%s,\"ticket_restriction\":%s,"
                          "\"only_private_comments\":false,\"restricted_agent\":%s,"
                          "\"suspended\":false,\"default_group_id\":null,\"report_csv\":false,"
                          "\"user_fields\":{}}",
                          user != NULL && user->role[0] == 'a' ? "true" : "false",
                          user != NULL && user->role[0] == 'a' ? "true" : "false",
                          user != NULL && user->role[0] == 'a' ? "null" : "\"requested\"",
                          user != NULL && user->role[0] == 'a' ? "false" : "true");
}
