/* organization-deeds.c: creating, changing and deleting organizations, and who belongs to them */
#include "deeds.h"

#include <string.h>

/* Two who ask for the same name at nearly the same time may both get it, where that is switched
 * on. */
static gboolean
is_taken (const Emulator *emu, const EmuOrganization *owner, const EmuOrganization *self,
          gint64 now)
{
  return owner != NULL && owner != self && now >= owner->created + emu->config.organization_race;
}

static void
check_organization (Emulator *emu, const EmuDeed *deed, const EmuOrganization *organization,
                    EmuOutcome *outcome)
{
  EmuProblems *problems = &outcome->problems;
  g_autofree char *name = emu_json_dup_text (emu_json_get (deed->wish, "name"));
  g_autofree char *external_id = emu_json_dup_text (emu_json_get (deed->wish, "external_id"));
  gboolean named = organization == NULL || json_object_object_get_ex (deed->wish, "name", NULL);

  if (deed->trusted)
    return;
  emu_record_check (&emu_organization_kind, deed->wish, emu->organization_fields, problems);
  if (named && (name == NULL || name[strspn (name, " \t\r\n")] == '\0'))
    emu_problems_add (problems, "name", "Name: cannot be blank", "BlankValue");
  else if (name != NULL
           && is_taken (emu, emu_organizations_find_name (emu->organizations, name), organization,
                        deed->now))
    emu_problems_add (problems, "name", "Name: has already been taken", "DuplicateValue");
  if (external_id != NULL
      && is_taken (emu, emu_organizations_find_external (emu->organizations, external_id),
                   organization, deed->now))
    emu_problems_add (problems, "name", "External has already been taken", "DuplicateValue");
}

/* People whose address is in one of its domains and who belong nowhere become members. */
static void
gather (Emulator *emu, const EmuOrganization *organization, gint64 now)
{
  if (organization->domains == NULL || organization->domains[0] == NULL)
    return;
  for (guint i = 0; i < emu->users->all->len; i++)
    emu_user_settle (emu, emu->users->all->pdata[i], now);
}

static void
apply_organization (Emulator *emu, const EmuDeed *deed, EmuOrganization *organization)
{
  EmuOrganizations *all = emu->organizations;
  g_autofree char *name = emu_json_dup_text (emu_json_get (deed->wish, "name"));
  json_object *value = NULL;

  if (!json_object_is_type (deed->wish, json_type_object))
    return;
  emu_record_apply (&emu_organization_kind, deed->wish, emu->organization_fields, organization);
  if (name != NULL && !g_str_equal (name, organization->name))
    emu_organizations_rename (all, organization, name);
  if (json_object_object_get_ex (deed->wish, "external_id", &value))
    {
      g_autofree char *external_id = emu_json_dup_text (value);

      emu_organizations_set_external (all, organization, external_id);
    }
  if (json_object_object_get_ex (deed->wish, "domain_names", &value))
    {
      emu_organizations_take_domains (all, organization, emu_json_dup_tags (value));
      gather (emu, organization, deed->now);
    }
  organization->updated = deed->now;
}

void
emu_organization_create (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  g_autofree char *name = emu_json_dup_text (emu_json_get (deed->wish, "name"));
  EmuOrganization *organization;

  check_organization (emu, deed, NULL, outcome);
  if (!emu_deed_may (deed, outcome) || name == NULL)
    return;
  organization = emu_organizations_add (emu->organizations, name, deed->now);
  apply_organization (emu, deed, organization);
  emu_note_organization (emu, organization, deed->now);
  emu_outcome_done (outcome, 201, organization->id, organization);
}

static void
update_organization (Emulator *emu, const EmuDeed *deed, EmuOrganization *organization,
                     EmuOutcome *outcome)
{
  check_organization (emu, deed, organization, outcome);
  if (!emu_deed_may (deed, outcome))
    return;
  apply_organization (emu, deed, organization);
  emu_outcome_done (outcome, 200, organization->id, organization);
}

void
emu_organization_update (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  EmuOrganization *organization = emu_organizations_get (emu->organizations, deed->id);

  if (organization != NULL)
    update_organization (emu, deed, organization, outcome);
  else
    emu_outcome_not_found (outcome);
}

/* By id or by external_id, never by name: a name that is taken is refused. */
void
emu_organization_create_or_update (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  g_autofree char *external_id = emu_json_dup_text (emu_json_get (deed->wish, "external_id"));
  EmuOrganization *organization = NULL;
  gint64 id;

  if (emu_json_get_id (emu_json_get (deed->wish, "id"), &id))
    organization = emu_organizations_get (emu->organizations, id);
  if (organization == NULL && external_id != NULL)
    organization = emu_organizations_find_external (emu->organizations, external_id);
  if (organization != NULL)
    update_organization (emu, deed, organization, outcome);
  else
    emu_organization_create (emu, deed, outcome);
}

void
emu_organization_delete (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  EmuOrganization *organization = emu_organizations_get (emu->organizations, deed->id);

  if (organization == NULL)
    {
      emu_outcome_not_found (outcome);
      return;
    }
  emu_organizations_delete (emu->organizations, organization);
  emu->counts.organizations_deleted++;
  emu_outcome_done (outcome, 204, deed->id, NULL);
}

/* --- memberships --- */

void
emu_membership_create (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  json_object *is_default = emu_json_get (deed->wish, "default");
  gint64 user_id = deed->id, organization_id = 0;
  EmuOrganization *organization;
  EmuMembership *membership;
  EmuUser *user;

  if (user_id == 0)
    emu_json_get_id (emu_json_get (deed->wish, "user_id"), &user_id);
  emu_json_get_id (emu_json_get (deed->wish, "organization_id"), &organization_id);
  user = emu_users_get (emu->users, user_id);
  organization = emu_organizations_get (emu->organizations, organization_id);
  if (user == NULL || !user->active)
    emu_problems_add (&outcome->problems, "user_id", "User: cannot be blank", "BlankValue");
  if (organization == NULL)
    emu_problems_add (&outcome->problems, "organization_id", "Organization: cannot be blank",
                      "BlankValue");
  else if (user != NULL && emu_user_find_membership (user, organization_id) != NULL)
    emu_problems_add (&outcome->problems, "user_id", "User: has already been taken",
                      "DuplicateValue");
  if (emu_problems_any (&outcome->problems))
    return;
  membership = emu_memberships_add (emu->organizations, user, organization, deed->now);
  if (json_object_get_boolean (is_default))
    emu_membership_make_default (membership, deed->now);
  emu_note_membership (emu, membership, deed->now);
  emu_outcome_done (outcome, 201, membership->id, membership);
}

/* The membership that the deed is about; of the user @id, if there is one.  NULL with an outcome.
 */
static EmuMembership *
find_membership (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  EmuMembership *membership = emu_memberships_get (emu->organizations, deed->other);

  if (membership != NULL && (deed->id == 0 || membership->user->id == deed->id))
    return membership;
  emu_outcome_not_found (outcome);
  return NULL;
}

void
emu_membership_default (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  EmuMembership *membership = find_membership (emu, deed, outcome);

  if (membership == NULL)
    return;
  emu_membership_make_default (membership, deed->now);
  emu_outcome_done (outcome, 200, membership->id, membership);
}

void
emu_membership_delete (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  EmuMembership *membership = find_membership (emu, deed, outcome);

  if (membership == NULL)
    return;
  emu_memberships_drop (emu->organizations, membership);
  emu_outcome_done (outcome, 204, deed->other, NULL);
}
