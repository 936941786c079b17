/* deeds.c: doing, writing down and reading again what is done to the account's records */
#include "deeds.h"

#include "journal.h"

static const struct
{
  const char *name;
  EmuDeedAct act;
} deeds[EMU_N_DEEDS] = {
  [EMU_USER_CREATE] = { "user-create", emu_user_create },
  [EMU_USER_UPDATE] = { "user-update", emu_user_update },
  [EMU_USER_CREATE_OR_UPDATE] = { "user-create-or-update", emu_user_create_or_update },
  [EMU_USER_DELETE] = { "user-delete", emu_user_delete },
  [EMU_USER_MERGE] = { "user-merge", emu_user_merge },
  [EMU_IDENTITY_CREATE] = { "identity-create", emu_identity_create },
  [EMU_IDENTITY_UPDATE] = { "identity-update", emu_identity_update },
  [EMU_IDENTITY_PRIMARY] = { "identity-primary", emu_identity_primary },
  [EMU_IDENTITY_VERIFY] = { "identity-verify", emu_identity_verify },
  [EMU_IDENTITY_DELETE] = { "identity-delete", emu_identity_delete },
  [EMU_ORGANIZATION_CREATE] = { "organization-create", emu_organization_create },
  [EMU_ORGANIZATION_UPDATE] = { "organization-update", emu_organization_update },
  [EMU_ORGANIZATION_CREATE_OR_UPDATE]
  = { "organization-create-or-update", emu_organization_create_or_update },
  [EMU_ORGANIZATION_DELETE] = { "organization-delete", emu_organization_delete },
  [EMU_MEMBERSHIP_CREATE] = { "membership-create", emu_membership_create },
  [EMU_MEMBERSHIP_DEFAULT] = { "membership-default", emu_membership_default },
  [EMU_MEMBERSHIP_DELETE] = { "membership-delete", emu_membership_delete },
  [EMU_TICKET_CREATE] = { "ticket-create", emu_ticket_create },
  [EMU_TICKET_IMPORT] = { "ticket-import", emu_ticket_import },
  [EMU_TICKET_UPDATE] = { "ticket-update", emu_ticket_update },
  [EMU_TICKET_DELETE] = { "ticket-delete", emu_ticket_delete },
  [EMU_TICKET_SCRUB] = { "ticket-scrub", emu_ticket_scrub },
};

const char *
emu_deed_get_name (EmuDeedKind kind)
{
  return deeds[kind].name;
}

EmuDeedKind
emu_deed_find (const char *name)
{
  guint kind = 0;

  while (kind < EMU_N_DEEDS && !g_str_equal (deeds[kind].name, name))
    kind++;
  return kind;
}

void
emu_deed_do (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  *outcome = (EmuOutcome){ 0 };
  emu_problems_init (&outcome->problems);
  deeds[deed->kind].act (emu, deed, outcome);
  if (outcome->status == 0)
    outcome->status = 422;
  else if (emu_outcome_is_good (outcome))
    emu_journal_deed (emu, deed, outcome->id);
}

gboolean
emu_deed_replay (Emulator *emu, EmuDeedKind kind, json_object *line, gint64 now)
{
  EmuDeed deed
      = { .kind = kind, .wish = emu_json_get (line, "request"), .now = now, .trusted = TRUE };
  gint64 result = 0;
  EmuOutcome outcome;
  gboolean good;

  emu_json_get_id (emu_json_get (line, "of"), &deed.id);
  emu_json_get_id (emu_json_get (line, "other"), &deed.other);
  emu_json_get_id (emu_json_get (line, "id"), &result);
  emu_deed_do (emu, &deed, &outcome);
  good = emu_outcome_is_good (&outcome) && outcome.id == result;
  emu_outcome_clear (&outcome);
  return good;
}

void
emu_outcome_clear (EmuOutcome *outcome)
{
  emu_problems_clear (&outcome->problems);
}

gboolean
emu_outcome_is_good (const EmuOutcome *outcome)
{
  return outcome->status >= 200 && outcome->status < 300;
}

char *
emu_outcome_dup_line (const EmuOutcome *outcome)
{
  return outcome->description != NULL ? g_strdup (outcome->description)
                                      : emu_problems_dup_line (&outcome->problems);
}

void
emu_outcome_not_found (EmuOutcome *outcome)
{
  outcome->status = 404;
  outcome->error = "RecordNotFound";
  outcome->description = "Not found";
}

void
emu_outcome_done (EmuOutcome *outcome, guint status, gint64 id, gpointer record)
{
  outcome->status = status;
  outcome->id = id;
  outcome->record = record;
}

gboolean
emu_deed_may (const EmuDeed *deed, const EmuOutcome *outcome)
{
  return deed->trusted || !emu_problems_any (&outcome->problems);
}

/* Its name is not "created", so that whoever counts tickets by that counts nothing else. */
static void
note (Emulator *emu, const char *what, gint64 now, GString *details)
{
  EmuEvent event
      = { .time = now * G_USEC_PER_SEC, .note = what, .details = g_ref_string_new (details->str) };

  emu_history_add (emu->history, &event);
}

static GString *
begin_details (gint64 id, const char *external_id, const char *name, const char *value)
{
  GString *details = g_string_new (NULL);

  g_string_append_printf (details, "\"id\":%" G_GINT64_FORMAT ",\"external_id\":", id);
  emu_json_add_text (details, external_id);
  g_string_append_printf (details, ",\"%s\":", name);
  emu_json_add_text (details, value);
  return details;
}

void
emu_note_user (Emulator *emu, const EmuUser *user, gint64 now, gboolean mailed)
{
  g_autoptr (GString) details = begin_details (user->id, user->external_id, "email", user->email);

  g_string_append_printf (details, ",\"verification_mail\":%s", mailed ? "true" : "false");
  note (emu, "created-user", now, details);
  emu->counts.users_created++;
  emu->counts.verification_mails += mailed;
}

void
emu_note_organization (Emulator *emu, const EmuOrganization *organization, gint64 now)
{
  g_autoptr (GString) details
      = begin_details (organization->id, organization->external_id, "name", organization->name);

  note (emu, "created-organization", now, details);
  emu->counts.organizations_created++;
}

void
emu_note_membership (Emulator *emu, const EmuMembership *membership, gint64 now)
{
  g_autoptr (GString) details = g_string_new (NULL);

  g_string_append_printf (details,
                          "\"id\":%" G_GINT64_FORMAT ",\"user_id\":%" G_GINT64_FORMAT
                          ",\"organization_id\":%" G_GINT64_FORMAT,
                          membership->id, membership->user->id, membership->organization->id);
  note (emu, "created-membership", now, details);
  emu->counts.memberships_created++;
}
