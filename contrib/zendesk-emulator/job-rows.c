/* job-rows.c: what the results of a job say of one record, which differs from kind to kind */
#include "job-rows.h"

#define ACCOUNT_ID 185

static void
add_text (GString *out, const char *name, const char *text)
{
  g_string_append_printf (out, ",\"%s\":", name);
  emu_json_add_text (out, text);
}

/* Members that a user has not are not there either. */
static void
write_user (const EmuOutcome *outcome, GString *out)
{
  const EmuUser *user = outcome->record;

  g_string_append_printf (out, "{\"id\":%" G_GINT64_FORMAT, outcome->id);
  add_text (out, "status", outcome->status == 201 ? "Created" : "Updated");
  if (user->email != NULL)
    add_text (out, "email", user->email);
  if (user->external_id != NULL)
    add_text (out, "external_id", user->external_id);
  g_string_append_c (out, '}');
}

static void
write_success (const EmuJob *job, guint place, const EmuOutcome *outcome, GString *out)
{
  switch (job->kind)
    {
    case EMU_JOB_TICKETS_CREATE:
    case EMU_JOB_TICKETS_IMPORT:
      g_string_append_printf (out, "{\"index\":%u,\"id\":%" G_GINT64_FORMAT ",\"account_id\":%d}",
                              place, outcome->id, ACCOUNT_ID);
      break;
    case EMU_JOB_USERS_CREATE:
    case EMU_JOB_USERS_CREATE_OR_UPDATE:
      write_user (outcome, out);
      break;
    case EMU_JOB_ORGANIZATIONS_CREATE:
      g_string_append_printf (out, "{\"status\":\"Created\",\"id\":%" G_GINT64_FORMAT "}",
                              outcome->id);
      break;
    case EMU_JOB_MEMBERSHIPS_CREATE:
      g_string_append_printf (out, "{\"index\":%u,\"id\":%" G_GINT64_FORMAT "}", place,
                              outcome->id);
      break;
    case EMU_JOB_TICKETS_DELETE:
    case EMU_JOB_TICKETS_SCRUB:
    case EMU_JOB_USERS_DELETE:
    case EMU_JOB_ORGANIZATIONS_DELETE:
      g_string_append_printf (out,
                              "{\"action\":\"delete\",\"id\":%" G_GINT64_FORMAT
                              ",\"status\":\"Deleted\",\"success\":true}",
                              outcome->id);
      break;
    default:
      g_string_append_printf (out,
                              "{\"action\":\"update\",\"id\":%" G_GINT64_FORMAT
                              ",\"status\":\"Updated\",\"success\":true}",
                              outcome->id);
      break;
    }
}

/* {"index":N or {"id":N or only the brace, and the end of it */
static void
write_failed_creation (const char *place_name, guint place, const char *error, const char *details,
                       gboolean with_status, GString *out)
{
  g_string_append_c (out, '{');
  if (place_name != NULL)
    g_string_append_printf (out, "\"%s\":%u,", place_name, place);
  g_string_append_printf (out, "\"error\":\"%s\"", error);
  add_text (out, "details", details);
  if (with_status)
    add_text (out, "status", "Failed");
  g_string_append_c (out, '}');
}

static void
write_failed_change (const char *action, guint place, gint64 id, const char *error,
                     const char *details, GString *out)
{
  g_string_append_printf (out, "{\"action\":\"%s\",\"index\":%u,\"id\":", action, place);
  emu_json_add_id (out, id);
  add_text (out, "error", error);
  add_text (out, "details", details);
  g_string_append (out, ",\"status\":\"Failed\",\"success\":false}");
}

/* What the service calls the failure of each kind; NULL: by what went wrong. */
static const char *const errors[EMU_N_JOBS] = {
  [EMU_JOB_TICKETS_CREATE] = "TicketCreateFailed",
  [EMU_JOB_TICKETS_IMPORT] = "TicketCreateFailed",
  [EMU_JOB_TICKETS_UPDATE] = "TicketUpdateFailed",
  [EMU_JOB_TICKETS_DELETE] = "TicketDeleteFailed",
  [EMU_JOB_TICKETS_SCRUB] = "TicketDeleteFailed",
  [EMU_JOB_USERS_CREATE] = "UserCreateError",
  [EMU_JOB_USERS_CREATE_OR_UPDATE] = "UserUpdateError",
  [EMU_JOB_USERS_UPDATE] = "UserUpdateError",
  [EMU_JOB_USERS_DELETE] = "UserDeleteError",
  [EMU_JOB_ORGANIZATIONS_CREATE] = "OrganizationCreateError",
  [EMU_JOB_ORGANIZATIONS_UPDATE] = "OrganizationUpdateError",
  [EMU_JOB_ORGANIZATIONS_DELETE] = "OrganizationDeleteError",
  [EMU_JOB_MEMBERSHIPS_CREATE] = "OrganizationMembershipCreateError",
};

static void
write_failure (const Emulator *emu, const EmuJob *job, guint place, const EmuDeed *deed,
               const EmuOutcome *outcome, GString *out)
{
  static const char *const forms[]
      = { [EMU_ROW_BARE] = NULL, [EMU_ROW_INDEX] = "index", [EMU_ROW_ID] = "id" };
  g_autofree char *details = emu_outcome_dup_line (outcome);
  const char *error = outcome->error != NULL ? outcome->error : errors[job->kind];

  switch (job->kind)
    {
    case EMU_JOB_TICKETS_CREATE:
    case EMU_JOB_TICKETS_IMPORT:
    case EMU_JOB_MEMBERSHIPS_CREATE:
      write_failed_creation ("index", place, error, details, FALSE, out);
      break;
    case EMU_JOB_USERS_CREATE:
    case EMU_JOB_USERS_CREATE_OR_UPDATE:
      write_failed_creation ("id", place, error, details, TRUE, out);
      break;
    case EMU_JOB_ORGANIZATIONS_CREATE:
      write_failed_creation (forms[emu->config.jobs.organization_rows], place, error, details, TRUE,
                             out);
      break;
    case EMU_JOB_TICKETS_DELETE:
    case EMU_JOB_TICKETS_SCRUB:
    case EMU_JOB_USERS_DELETE:
    case EMU_JOB_ORGANIZATIONS_DELETE:
      write_failed_change ("delete", place, deed->id, error, details, out);
      break;
    default:
      write_failed_change ("update", place, deed->id, error, details, out);
      break;
    }
}

char *
emu_job_dup_row (const Emulator *emu, const EmuJob *job, guint place, const EmuDeed *deed,
                 const EmuOutcome *outcome)
{
  GString *out = g_string_sized_new (96);

  if (emu_outcome_is_good (outcome))
    write_success (job, place, outcome, out);
  else
    write_failure (emu, job, place, deed, outcome, out);
  return g_string_free (out, FALSE);
}
