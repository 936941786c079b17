/* user-deeds.c: creating, changing, deleting and merging users */
#include "deeds.h"

#include "people.h"

#include <string.h>

static const char *const roles[] = { "end-user", "agent", "admin", NULL };

static gboolean
is_email (const char *text)
{
  const char *at = text != NULL ? strrchr (text, '@') : NULL;

  return at != NULL && at > text && at[1] != '\0' && strpbrk (text, " \t\r\n<>,") == NULL;
}

void
emu_check_address (const EmuUsers *users, const EmuUser *owner, const char *field,
                   const char *label, const char *type, const char *value, EmuProblems *problems)
{
  const EmuIdentity *taken;
  g_autofree char *text = NULL;

  if (g_str_equal (type, "email") && !is_email (value))
    {
      text = g_strdup_printf ("%s:  %s is not properly formatted", label, value);
      emu_problems_add (problems, field, text, "InvalidValue");
      return;
    }
  taken = emu_users_find_identity (users, type, value);
  if (taken == NULL || taken->user == owner)
    return;
  text = g_strdup_printf ("%s: %s is already being used by another user", label, value);
  emu_problems_add (problems, field, text, "DuplicateValue");
}

static gboolean
is_blank (const char *text)
{
  return text == NULL || text[strspn (text, " \t\r\n")] == '\0';
}

static void
check_name (const EmuUser *user, json_object *wish, EmuProblems *problems)
{
  g_autofree char *name = emu_json_dup_text (emu_json_get (wish, "name"));

  if (user != NULL && !json_object_object_get_ex (wish, "name", NULL))
    return;
  if (is_blank (name))
    emu_problems_add (problems, "name", "Name: is too short (minimum is 1 characters)",
                      "ValueTooShort");
}

static void
check_external_id (const Emulator *emu, const EmuUser *user, json_object *wish,
                   EmuProblems *problems)
{
  g_autofree char *external_id = emu_json_dup_text (emu_json_get (wish, "external_id"));
  const EmuUser *taken
      = external_id != NULL ? emu_users_find_external (emu->users, external_id) : NULL;

  if (taken != NULL && taken != user)
    emu_problems_add (problems, "name", "External has already been taken", "DuplicateValue");
}

/* (nullable): the organization that the wish names, by id or by name */
static EmuOrganization *
find_organization (const Emulator *emu, json_object *wish)
{
  g_autofree char *name
      = emu_json_dup_text (emu_json_get (emu_json_get (wish, "organization"), "name"));
  gint64 id;

  if (emu_json_get_id (emu_json_get (wish, "organization_id"), &id))
    return emu_organizations_get (emu->organizations, id);
  return name != NULL ? emu_organizations_find_name (emu->organizations, name) : NULL;
}

static gboolean
names_organization (json_object *wish)
{
  return emu_json_get (wish, "organization_id") != NULL
         || emu_json_get (wish, "organization") != NULL;
}

static void
check_identities (const Emulator *emu, const EmuUser *user, json_object *list,
                  EmuProblems *problems)
{
  if (!json_object_is_type (list, json_type_array))
    return;
  for (gsize i = 0; i < json_object_array_length (list); i++)
    {
      json_object *row = json_object_array_get_idx (list, i);
      g_autofree char *type = emu_json_dup_text (emu_json_get (row, "type"));
      g_autofree char *value = emu_json_dup_text (emu_json_get (row, "value"));

      if (type == NULL || !g_strv_contains (emu_identity_types, type) || is_blank (value))
        emu_problems_add_bad_value (problems, "identities", type);
      else
        emu_check_address (emu->users, user, "identities", "Value", type, value, problems);
    }
}

/* @user: (nullable): who is to become so; NULL: somebody new */
static void
check_user (Emulator *emu, const EmuDeed *deed, const EmuUser *user, EmuOutcome *outcome)
{
  EmuProblems *problems = &outcome->problems;
  json_object *wish = deed->wish;
  g_autofree char *email = emu_json_dup_text (emu_json_get (wish, "email"));
  g_autofree char *role = emu_json_dup_text (emu_json_get (wish, "role"));

  if (deed->trusted)
    return;
  emu_record_check (&emu_user_kind, wish, emu->user_fields, problems);
  check_name (user, wish, problems);
  check_external_id (emu, user, wish, problems);
  if (!is_blank (email))
    emu_check_address (emu->users, user, "email", "Email", "email", email, problems);
  if (role != NULL && !g_strv_contains (roles, role))
    emu_problems_add_bad_value (problems, "role", role);
  if (names_organization (wish) && find_organization (emu, wish) == NULL)
    emu_problems_add (problems, "organization", "Organization: is invalid", "InvalidValue");
  check_identities (emu, user, emu_json_get (wish, "identities"), problems);
}

static void
add_address (Emulator *emu, EmuUser *user, const char *type, const char *value, gint64 now)
{
  if (!is_blank (value) && emu_users_find_identity (emu->users, type, value) == NULL)
    emu_users_add_identity (emu->users, user, type, value,
                            g_str_equal (type, "email") && user->verified, now);
}

static void
apply_addresses (Emulator *emu, EmuUser *user, json_object *wish, gint64 now)
{
  json_object *list = emu_json_get (wish, "identities");
  g_autofree char *email = emu_json_dup_text (emu_json_get (wish, "email"));

  add_address (emu, user, "email", email, now);
  if (!json_object_is_type (list, json_type_array))
    return;
  for (gsize i = 0; i < json_object_array_length (list); i++)
    {
      json_object *row = json_object_array_get_idx (list, i);
      g_autofree char *type = emu_json_dup_text (emu_json_get (row, "type"));
      g_autofree char *value = emu_json_dup_text (emu_json_get (row, "value"));

      if (type != NULL && g_strv_contains (emu_identity_types, type))
        add_address (emu, user, type, value, now);
    }
}

static void
join (Emulator *emu, EmuUser *user, EmuOrganization *organization, gint64 now)
{
  emu_note_membership (emu, emu_memberships_add (emu->organizations, user, organization, now), now);
}

/* An organization that is set is the only one from then on. */
static void
apply_organization (Emulator *emu, EmuUser *user, json_object *wish, gint64 now)
{
  EmuOrganization *organization = find_organization (emu, wish);

  if (!json_object_object_get_ex (wish, "organization_id", NULL) && organization == NULL)
    return;
  for (guint i = user->memberships->len; i > 0; i--)
    {
      EmuMembership *other = user->memberships->pdata[i - 1];

      if (other->organization != organization)
        emu_memberships_drop (emu->organizations, other);
    }
  if (organization != NULL && user->memberships->len == 0)
    join (emu, user, organization, now);
}

static void
apply_role (EmuUser *user, json_object *wish)
{
  g_autofree char *role = emu_json_dup_text (emu_json_get (wish, "role"));

  if (role != NULL && g_strv_contains (roles, role))
    emu_user_set_role (user, role);
  else if (emu_json_get (wish, "custom_role_id") != NULL && g_str_equal (user->role, "end-user"))
    emu_user_set_role (user, "agent");
}

static void
apply_user (Emulator *emu, const EmuDeed *deed, EmuUser *user)
{
  json_object *wish = deed->wish, *external = NULL;

  apply_role (user, wish); /* first: what it brings may be set otherwise */
  emu_record_apply (&emu_user_kind, wish, emu->user_fields, user);
  if (json_object_is_type (wish, json_type_object)
      && json_object_object_get_ex (wish, "external_id", &external))
    {
      g_autofree char *external_id = emu_json_dup_text (external);
      EmuUser *owner
          = external_id != NULL ? emu_users_find_external (emu->users, external_id) : NULL;

      if (owner == NULL || owner == user)
        emu_users_rename (emu->users, user, external_id);
    }
  apply_addresses (emu, user, wish, deed->now);
  apply_organization (emu, user, wish, deed->now);
  user->updated = deed->now;
}

void
emu_user_settle (Emulator *emu, EmuUser *user, gint64 now)
{
  EmuOrganization *organization = NULL;

  if (user->memberships->len == 0)
    organization = emu_organizations_find_domain (emu->organizations, user->email);
  if (organization != NULL)
    join (emu, user, organization, now);
}

/* Without a word to the contrary the service writes to every new address. */
static gboolean
sends_mail (const EmuUser *user, json_object *wish)
{
  return user->email != NULL && !json_object_get_boolean (emu_json_get (wish, "skip_verify_email"));
}

void
emu_user_create (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  g_autofree char *name = emu_json_dup_text (emu_json_get (deed->wish, "name"));
  g_autofree char *email = emu_json_dup_text (emu_json_get (deed->wish, "email"));
  gboolean usable = !is_blank (email) && emu_users_find (emu->users, email) == NULL;
  EmuUser *user;

  check_user (emu, deed, NULL, outcome);
  if (!emu_deed_may (deed, outcome))
    return;
  user = emu_users_add (emu->users, name, usable ? email : NULL, deed->now);
  apply_user (emu, deed, user);
  if (user->identities->len > 0)
    ((EmuIdentity *)user->identities->pdata[0])->verified = user->verified;
  emu_note_user (emu, user, deed->now, sends_mail (user, deed->wish));
  emu_user_settle (emu, user, deed->now);
  emu_outcome_done (outcome, 201, user->id, user);
}

static EmuUser *
find_active (Emulator *emu, gint64 id, EmuOutcome *outcome)
{
  EmuUser *user = emu_users_get (emu->users, id);

  if (user != NULL && user->active)
    return user;
  emu_outcome_not_found (outcome);
  return NULL;
}

static void
update_user (Emulator *emu, const EmuDeed *deed, EmuUser *user, EmuOutcome *outcome)
{
  check_user (emu, deed, user, outcome);
  if (!emu_deed_may (deed, outcome))
    return;
  apply_user (emu, deed, user);
  emu_outcome_done (outcome, 200, user->id, user);
}

void
emu_user_update (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  EmuUser *user = find_active (emu, deed->id, outcome);

  if (user != NULL)
    update_user (emu, deed, user, outcome);
}

/* @wish without the address that is somebody else's. */
static json_object *
without_email (json_object *wish)
{
  json_object *copy = json_object_new_object ();

  json_object_object_foreach (wish, name, value)
  {
    if (!g_str_equal (name, "email"))
      json_object_object_add (copy, name, json_object_get (value));
  }
  return copy;
}

void
emu_user_create_or_update (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  g_autofree char *external_id = emu_json_dup_text (emu_json_get (deed->wish, "external_id"));
  g_autofree char *email = emu_json_dup_text (emu_json_get (deed->wish, "email"));
  EmuUser *by_external
      = external_id != NULL ? emu_users_find_external (emu->users, external_id) : NULL;
  EmuUser *by_email = !is_blank (email) ? emu_users_find (emu->users, email) : NULL;

  if (by_external != NULL && by_email != NULL && by_external != by_email
      && emu->config.external_id_wins)
    {
      g_autoptr (json_object) wish = without_email (deed->wish);
      EmuDeed narrowed = *deed;

      narrowed.wish = wish;
      update_user (emu, &narrowed, by_external, outcome);
    }
  else if (by_external != NULL || by_email != NULL)
    update_user (emu, deed, by_external != NULL ? by_external : by_email, outcome);
  else
    emu_user_create (emu, deed, outcome);
}

static gboolean
is_open (const EmuTicket *ticket)
{
  return !ticket->deleted && !g_str_equal (emu_statuses[ticket->status], "solved")
         && !g_str_equal (emu_statuses[ticket->status], "closed");
}

static guint
count_open (const Emulator *emu, const EmuUser *user)
{
  guint n = 0;

  for (guint i = 0; i < emu->tickets->all->len; i++)
    {
      const EmuTicket *ticket = emu->tickets->all->pdata[i];

      n += ticket->requester == user->id && is_open (ticket);
    }
  return n;
}

static void
leave_organizations (Emulator *emu, EmuUser *user)
{
  while (user->memberships->len > 0)
    emu_memberships_drop (emu->organizations, user->memberships->pdata[user->memberships->len - 1]);
}

static void
remove_user (Emulator *emu, EmuUser *user, gint64 now)
{
  leave_organizations (emu, user);
  emu_users_delete (emu->users, user, now);
  emu->counts.users_deleted++;
}

void
emu_user_delete (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  EmuUser *user = find_active (emu, deed->id, outcome);
  guint n;

  if (user == NULL)
    return;
  n = deed->trusted ? 0 : count_open (emu, user);
  if (n > 0)
    {
      g_autofree char *text
          = g_strdup_printf ("User: is the requester of %u tickets that are not closed", n);

      emu_problems_add (&outcome->problems, "base", text, "InvalidValue");
    }
  if (user == emu->users->admin)
    emu_problems_add (&outcome->problems, "base", "User: cannot be deleted by itself",
                      "InvalidValue");
  if (!emu_deed_may (deed, outcome))
    return;
  remove_user (emu, user, deed->now);
  emu_outcome_done (outcome, 200, user->id, user);
}

/* Whatever was the one's is the other's. */
static void
hand_over (Emulator *emu, EmuUser *from, EmuUser *to, gint64 now)
{
  for (guint i = 0; i < emu->tickets->all->len; i++)
    {
      EmuTicket *ticket = emu->tickets->all->pdata[i];

      if (ticket->requester == from->id)
        ticket->requester = to->id;
      if (ticket->submitter == from->id)
        ticket->submitter = to->id;
    }
  while (from->identities->len > 0)
    emu_users_move_identity (from->identities->pdata[0], to, now);
  if (to->memberships->len == 0 && from->organization != 0)
    join (emu, to, emu_organizations_get (emu->organizations, from->organization), now);
}

void
emu_user_merge (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  EmuUser *from = find_active (emu, deed->id, outcome);
  EmuUser *to = from != NULL ? find_active (emu, deed->other, outcome) : NULL;

  if (to == NULL)
    return;
  if (from == to || !g_str_equal (from->role, "end-user") || !g_str_equal (to->role, "end-user"))
    emu_problems_add (&outcome->problems, "base", "User: only two end users can be merged",
                      "InvalidValue");
  if (from == to || !emu_deed_may (deed, outcome))
    return;
  hand_over (emu, from, to, deed->now);
  remove_user (emu, from, deed->now);
  to->updated = deed->now;
  emu_outcome_done (outcome, 200, to->id, to);
}
