/* users.c: the people of the account and the ways to find them */
#include "users.h"

#include <string.h>

#define ID_FLOOR G_GINT64_CONSTANT (30000000000000)
#define ID_RANGE G_GINT64_CONSTANT (9000000000000)
#define IDENTITY_FLOOR G_GINT64_CONSTANT (50000000000001)

#define AT(member) G_STRUCT_OFFSET (EmuUser, member)

/* In the order in which they were recorded. */
static const EmuMember members[] = {
  { "id", EMU_MEMBER_ID, EMU_SHOWN, AT (id), NULL },
  { "url", EMU_MEMBER_URL, EMU_SHOWN, 0, "users" },
  { "name", EMU_MEMBER_TEXT, EMU_SET, AT (name), NULL },
  { "email", EMU_MEMBER_TEXT, EMU_ACCEPTED, AT (email), NULL },
  { "created_at", EMU_MEMBER_TIME, EMU_SHOWN, AT (created), NULL },
  { "updated_at", EMU_MEMBER_TIME, EMU_SHOWN, AT (updated), NULL },
  { "time_zone", EMU_MEMBER_TEXT, EMU_SET, AT (time_zone), NULL },
  { "iana_time_zone", EMU_MEMBER_WORD, EMU_SHOWN, AT (iana_time_zone), NULL },
  { "phone", EMU_MEMBER_TEXT, EMU_SET, AT (phone), NULL },
  { "shared_phone_number", EMU_MEMBER_CONSTANT, EMU_SHOWN, 0, "null" },
  { "photo", EMU_MEMBER_CONSTANT, EMU_SHOWN, 0, "null" },
  { "locale_id", EMU_MEMBER_ID, EMU_SET, AT (locale_id), NULL },
  { "locale", EMU_MEMBER_TEXT, EMU_SET, AT (locale), NULL },
  { "organization_id", EMU_MEMBER_ID, EMU_ACCEPTED, AT (organization), NULL },
  { "role", EMU_MEMBER_WORD, EMU_ACCEPTED, AT (role), NULL },
  { "verified", EMU_MEMBER_FLAG, EMU_SET, AT (verified), NULL },
  { "external_id", EMU_MEMBER_TEXT, EMU_ACCEPTED, AT (external_id), NULL },
  { "tags", EMU_MEMBER_TAGS, EMU_SET, AT (tags), NULL },
  { "alias", EMU_MEMBER_TEXT, EMU_SET, AT (alias), NULL },
  { "active", EMU_MEMBER_FLAG, EMU_SHOWN, AT (active), NULL },
  { "shared", EMU_MEMBER_CONSTANT, EMU_SHOWN, 0, "false" },
  { "shared_agent", EMU_MEMBER_CONSTANT, EMU_SHOWN, 0, "false" },
  { "last_login_at", EMU_MEMBER_CONSTANT, EMU_SHOWN, 0, "null" },
  { "two_factor_auth_enabled", EMU_MEMBER_CONSTANT, EMU_SHOWN, 0, "null" },
  { "signature", EMU_MEMBER_TEXT, EMU_SET, AT (signature), NULL },
  { "details", EMU_MEMBER_TEXT, EMU_SET, AT (details), NULL },
  { "notes", EMU_MEMBER_TEXT, EMU_SET, AT (notes), NULL },
  { "role_type", EMU_MEMBER_CONSTANT, EMU_SHOWN, 0, "null" },
  { "custom_role_id", EMU_MEMBER_ID, EMU_SET, AT (custom_role), NULL },
  { "moderator", EMU_MEMBER_FLAG, EMU_SET, AT (moderator), NULL },
  { "ticket_restriction", EMU_MEMBER_WORD, EMU_SHOWN, AT (ticket_restriction), NULL },
  { "only_private_comments", EMU_MEMBER_FLAG, EMU_SET, AT (only_private), NULL },
  { "restricted_agent", EMU_MEMBER_FLAG, EMU_SET, AT (restricted), NULL },
  { "suspended", EMU_MEMBER_FLAG, EMU_SET, AT (suspended), NULL },
  { "default_group_id", EMU_MEMBER_ID, EMU_SET, AT (default_group), NULL },
  { "report_csv", EMU_MEMBER_CONSTANT, EMU_SHOWN, 0, "false" },
  { "user_fields", EMU_MEMBER_VALUES, EMU_SET, AT (values), NULL },
  { "organization", EMU_MEMBER_HIDDEN, EMU_ACCEPTED, 0, NULL },
  { "identities", EMU_MEMBER_HIDDEN, EMU_ACCEPTED, 0, NULL },
  { "skip_verify_email", EMU_MEMBER_HIDDEN, EMU_ACCEPTED, 0, NULL },
  { NULL, EMU_MEMBER_HIDDEN, EMU_SHOWN, 0, NULL },
};

const EmuRecordKind emu_user_kind = { members, "user", AT (id) };

const char *const emu_identity_types[]
    = { "email",       "twitter", "facebook", "google", "phone_number", "agent_forwarding",
        "any_channel", "foreign", "sdk",      NULL };

static void
identity_free (gpointer data)
{
  EmuIdentity *identity = data;

  g_free (identity->value);
  g_free (identity);
}

static void
user_free (gpointer data)
{
  EmuUser *user = data;

  emu_record_clear (&emu_user_kind, user);
  g_ptr_array_unref (user->identities);
  g_ptr_array_unref (user->memberships);
  g_free (user);
}

EmuUsers *
emu_users_new (const char *admin_email, gint64 now)
{
  EmuUsers *users = g_new0 (EmuUsers, 1);

  users->all = g_ptr_array_new_with_free_func (user_free);
  users->by_id = g_hash_table_new (g_int64_hash, g_int64_equal);
  users->by_external = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  users->identities = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  users->next_identity = IDENTITY_FLOOR;
  users->admin = emu_users_add (users, "Emulator Admin", admin_email, now);
  users->admin->verified = TRUE;
  emu_user_set_role (users->admin, "admin");
  return users;
}

void
emu_users_free (EmuUsers *users)
{
  if (users == NULL)
    return;
  g_hash_table_unref (users->identities);
  g_hash_table_unref (users->by_external);
  g_hash_table_unref (users->by_id);
  g_ptr_array_unref (users->all);
  g_free (users);
}

static char *
make_key (const char *type, const char *value)
{
  g_autofree char *folded = emu_fold (value);

  return g_strconcat (type, ":", folded, NULL);
}

EmuIdentity *
emu_users_find_identity (const EmuUsers *users, const char *type, const char *value)
{
  g_autofree char *key = make_key (type, value);

  return g_hash_table_lookup (users->identities, key);
}

EmuUser *
emu_users_find (const EmuUsers *users, const char *email)
{
  const EmuIdentity *identity = emu_users_find_identity (users, "email", email);

  return identity != NULL ? identity->user : NULL;
}

EmuUser *
emu_users_find_external (const EmuUsers *users, const char *external_id)
{
  g_autofree char *folded = emu_fold (external_id);

  return g_hash_table_lookup (users->by_external, folded);
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
  g_autofree char *folded = emu_fold (email);
  EmuUser *user = g_new0 (EmuUser, 1);
  guint64 seed = folded != NULL ? hash_text (folded) : users->all->len;

  user->id = ID_FLOOR + (gint64)(seed % ID_RANGE);
  while (g_hash_table_contains (users->by_id, &user->id))
    user->id++;
  user->name = g_strdup (name);
  user->created = user->updated = now;
  user->time_zone = g_strdup ("UTC");
  user->iana_time_zone = "Etc/UTC";
  user->locale_id = 1;
  user->locale = g_strdup ("en-US");
  user->active = TRUE;
  user->identities = g_ptr_array_new_with_free_func (identity_free);
  user->memberships = g_ptr_array_new ();
  emu_user_set_role (user, "end-user");
  g_hash_table_insert (users->by_id, &user->id, user);
  g_ptr_array_add (users->all, user);
  users->n_active++;
  if (email != NULL)
    emu_users_add_identity (users, user, "email", email, FALSE, now);
  return user;
}

void
emu_users_rename (EmuUsers *users, EmuUser *user, const char *external_id)
{
  char *text = g_strdup (external_id);
  char *folded = emu_fold (user->external_id);

  if (folded != NULL)
    g_hash_table_remove (users->by_external, folded);
  g_free (folded);
  g_free (user->external_id);
  user->external_id = text;
  if (text != NULL)
    g_hash_table_insert (users->by_external, emu_fold (text), user);
}

void
emu_user_set_role (EmuUser *user, const char *role)
{
  gboolean end_user = g_str_equal (role, "end-user");

  user->role = g_intern_string (role);
  user->moderator = !end_user;
  user->restricted = end_user;
  user->ticket_restriction = end_user ? "requested" : NULL;
}

/* --- identities --- */

/* What the user's record says of its address follows its identities. */
static void
show_primary (EmuUser *user)
{
  g_clear_pointer (&user->email, g_free);
  for (guint i = 0; i < user->identities->len; i++)
    {
      const EmuIdentity *identity = user->identities->pdata[i];

      if (identity->primary && g_str_equal (identity->type, "email"))
        user->email = g_strdup (identity->value);
    }
}

static gboolean
has_primary (const EmuUser *user, const char *type)
{
  for (guint i = 0; i < user->identities->len; i++)
    {
      const EmuIdentity *identity = user->identities->pdata[i];

      if (identity->primary && g_str_equal (identity->type, type))
        return TRUE;
    }
  return FALSE;
}

EmuIdentity *
emu_users_add_identity (EmuUsers *users, EmuUser *user, const char *type, const char *value,
                        gboolean verified, gint64 now)
{
  EmuIdentity *identity = g_new0 (EmuIdentity, 1);

  identity->id = users->next_identity++;
  identity->user = user;
  identity->type = g_intern_string (type);
  identity->value = g_strdup (value);
  identity->verified = verified;
  identity->primary = !has_primary (user, type);
  identity->created = identity->updated = now;
  g_ptr_array_add (user->identities, identity);
  g_hash_table_insert (users->identities, make_key (type, value), identity);
  show_primary (user);
  return identity;
}

EmuIdentity *
emu_user_get_identity (const EmuUser *user, gint64 id)
{
  for (guint i = 0; i < user->identities->len; i++)
    if (((EmuIdentity *)user->identities->pdata[i])->id == id)
      return user->identities->pdata[i];
  return NULL;
}

void
emu_users_change_identity (EmuUsers *users, EmuIdentity *identity, const char *value)
{
  g_autofree char *key = make_key (identity->type, identity->value);

  g_hash_table_remove (users->identities, key);
  g_free (identity->value);
  identity->value = g_strdup (value);
  g_hash_table_insert (users->identities, make_key (identity->type, value), identity);
  show_primary (identity->user);
}

/* When the first of its type goes, the next one takes its place. */
static void
promote (EmuUser *user, const char *type)
{
  if (has_primary (user, type))
    return;
  for (guint i = 0; i < user->identities->len; i++)
    {
      EmuIdentity *identity = user->identities->pdata[i];

      if (!g_str_equal (identity->type, type))
        continue;
      identity->primary = TRUE;
      break;
    }
}

void
emu_users_drop_identity (EmuUsers *users, EmuIdentity *identity)
{
  g_autofree char *key = make_key (identity->type, identity->value);
  EmuUser *user = identity->user;
  const char *type = identity->type;

  g_hash_table_remove (users->identities, key);
  g_ptr_array_remove (user->identities, identity);
  promote (user, type);
  show_primary (user);
}

void
emu_users_move_identity (EmuIdentity *identity, EmuUser *user, gint64 now)
{
  EmuUser *before = identity->user;
  guint place;

  if (!g_ptr_array_find (before->identities, identity, &place))
    return;
  g_ptr_array_steal_index (before->identities, place);
  identity->user = user;
  identity->primary = !has_primary (user, identity->type);
  identity->updated = now;
  g_ptr_array_add (user->identities, identity);
  promote (before, identity->type);
  show_primary (before);
  show_primary (user);
}

void
emu_user_make_primary (EmuIdentity *identity, gint64 now)
{
  EmuUser *user = identity->user;

  for (guint i = 0; i < user->identities->len; i++)
    {
      EmuIdentity *other = user->identities->pdata[i];

      if (g_str_equal (other->type, identity->type))
        other->primary = FALSE;
    }
  identity->primary = TRUE;
  identity->updated = now;
  show_primary (user);
}

void
emu_users_delete (EmuUsers *users, EmuUser *user, gint64 now)
{
  while (user->identities->len > 0)
    emu_users_drop_identity (users, user->identities->pdata[user->identities->len - 1]);
  emu_users_rename (users, user, NULL);
  users->n_active -= user->active;
  user->active = FALSE;
  user->verified = FALSE;
  user->updated = now;
}

/* --- what is shown --- */

void
emu_user_write (const EmuUser *user, const EmuFields *fields, const char *base_url, GString *out)
{
  emu_record_write (&emu_user_kind, user, fields, base_url, out);
}

void
emu_user_write_anonymous (const EmuFields *fields, const char *base_url, GString *out)
{
  EmuUser nobody = { .name = (char *)"Anonymous user",
                     .email = (char *)"invalid@example.com",
                     .role = "end-user",
                     .active = TRUE,
                     .restricted = TRUE,
                     .ticket_restriction = "requested",
                     .locale_id = 1,
                     .locale = (char *)"en-US",
                     .time_zone = (char *)"UTC",
                     .iana_time_zone = "Etc/UTC" };

  emu_user_write (&nobody, fields, base_url, out);
}

void
emu_identity_write (const EmuIdentity *identity, const char *base_url, GString *out)
{
  g_string_append_printf (out,
                          "{\"url\":\"%s/api/v2/users/%" G_GINT64_FORMAT
                          "/identities/%" G_GINT64_FORMAT ".json\",\"id\":%" G_GINT64_FORMAT
                          ",\"user_id\":%" G_GINT64_FORMAT ",\"type\":\"%s\",\"value\":",
                          base_url, identity->user->id, identity->id, identity->id,
                          identity->user->id, identity->type);
  emu_json_add_text (out, identity->value);
  g_string_append_printf (
      out, ",\"verified\":%s,\"primary\":%s,\"created_at\":", identity->verified ? "true" : "false",
      identity->primary ? "true" : "false");
  emu_json_add_time (out, identity->created);
  g_string_append (out, ",\"updated_at\":");
  emu_json_add_time (out, identity->updated);
  g_string_append_printf (out, "%s}",
                          g_str_equal (identity->type, "email")
                              ? ",\"undeliverable_count\":0,\"deliverable_state\":\"deliverable\""
                              : "");
}
