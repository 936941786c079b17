/* identity-deeds.c: the addresses and other identities of a user */
#include "deeds.h"

#include "people.h"

/* The identity that the deed is about, or NULL with an outcome. */
static EmuIdentity *
find_identity (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  const EmuUser *user = emu_users_get (emu->users, deed->id);
  EmuIdentity *identity = user != NULL ? emu_user_get_identity (user, deed->other) : NULL;

  if (identity == NULL)
    emu_outcome_not_found (outcome);
  return identity;
}

/* A value that the user has already is as good as somebody else's. */
static void
check_value (Emulator *emu, const char *type, const char *value, EmuProblems *problems)
{
  if (value == NULL || *value == '\0')
    emu_problems_add (problems, "value", "Value: cannot be blank", "BlankValue");
  else
    emu_check_address (emu->users, NULL, "value", "Value", type, value, problems);
}

void
emu_identity_create (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  g_autofree char *type = emu_json_dup_text (emu_json_get (deed->wish, "type"));
  g_autofree char *value = emu_json_dup_text (emu_json_get (deed->wish, "value"));
  json_object *skip = emu_json_get (deed->wish, "skip_verify_email");
  EmuUser *user = emu_users_get (emu->users, deed->id);
  EmuIdentity *identity;

  if (user == NULL || !user->active)
    {
      emu_outcome_not_found (outcome);
      return;
    }
  if (type == NULL || !g_strv_contains (emu_identity_types, type))
    {
      emu_problems_add_bad_value (&outcome->problems, "type", type);
      return;
    }
  check_value (emu, type, value, &outcome->problems);
  if (emu_problems_any (&outcome->problems)) /* also what was good once is taken only once */
    return;
  identity = emu_users_add_identity (
      emu->users, user, type, value,
      json_object_get_boolean (emu_json_get (deed->wish, "verified")), deed->now);
  if (json_object_get_boolean (emu_json_get (deed->wish, "primary")))
    emu_user_make_primary (identity, deed->now);
  emu->counts.identities_created++;
  emu->counts.verification_mails
      += g_str_equal (type, "email") && !identity->verified && !json_object_get_boolean (skip);
  user->updated = deed->now;
  emu_outcome_done (outcome, 201, identity->id, identity);
}

/* Its value may change, and it may become verified, but never the other way round. */
void
emu_identity_update (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  EmuIdentity *identity = find_identity (emu, deed, outcome);
  g_autofree char *value = emu_json_dup_text (emu_json_get (deed->wish, "value"));
  gboolean verified, same;

  if (identity == NULL)
    return;
  verified = identity->verified || json_object_get_boolean (emu_json_get (deed->wish, "verified"));
  same = value == NULL || g_str_equal (value, identity->value);
  if (!same && emu_users_find_identity (emu->users, identity->type, value) != identity)
    check_value (emu, identity->type, value, &outcome->problems);
  if (emu_problems_any (&outcome->problems))
    return;
  if (!same)
    emu_users_change_identity (emu->users, identity, value);
  identity->verified = verified;
  identity->updated = deed->now;
  emu_outcome_done (outcome, 200, identity->id, identity);
}

void
emu_identity_primary (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  EmuIdentity *identity = find_identity (emu, deed, outcome);

  if (identity == NULL)
    return;
  emu_user_make_primary (identity, deed->now);
  emu_outcome_done (outcome, 200, identity->id, identity);
}

void
emu_identity_verify (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  EmuIdentity *identity = find_identity (emu, deed, outcome);

  if (identity == NULL)
    return;
  identity->verified = TRUE;
  identity->updated = deed->now;
  emu_outcome_done (outcome, 200, identity->id, identity);
}

void
emu_identity_delete (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  EmuIdentity *identity = find_identity (emu, deed, outcome);

  if (identity == NULL)
    return;
  emu_outcome_done (outcome, 204, identity->id, NULL);
  emu_users_drop_identity (emu->users, identity);
}
