/* deeds.h: everything that can be done to users, organizations and, in a job, to tickets
 *
 * A deed comes from a request, from a job that does one record after another, or from the state
 * file.  It is checked as a whole and done as a whole, or not at all.  What it does depends on the
 * account, its wish and its time alone, so the state file needs no more than these.
 */
#pragma once
#include "emulator.h"

typedef enum
{
  EMU_USER_CREATE,
  EMU_USER_UPDATE,
  EMU_USER_CREATE_OR_UPDATE,
  EMU_USER_DELETE,
  EMU_USER_MERGE, /* @other: the user that stays */
  EMU_IDENTITY_CREATE,
  EMU_IDENTITY_UPDATE, /* @other: the identity */
  EMU_IDENTITY_PRIMARY,
  EMU_IDENTITY_VERIFY,
  EMU_IDENTITY_DELETE,
  EMU_ORGANIZATION_CREATE,
  EMU_ORGANIZATION_UPDATE,
  EMU_ORGANIZATION_CREATE_OR_UPDATE,
  EMU_ORGANIZATION_DELETE,
  EMU_MEMBERSHIP_CREATE,
  EMU_MEMBERSHIP_DEFAULT,
  EMU_MEMBERSHIP_DELETE,
  EMU_TICKET_CREATE,
  EMU_TICKET_IMPORT,
  EMU_TICKET_UPDATE,
  EMU_TICKET_DELETE,
  EMU_TICKET_SCRUB, /* deletes for good what was deleted */
  EMU_N_DEEDS,
} EmuDeedKind;

typedef struct
{
  EmuDeedKind kind;
  gint64 id, other;  /* which record; 0: none, or the wish says which */
  json_object *wish; /* (unowned) (nullable) what the record is to be */
  gint64 now;        /* Unix seconds */
  gboolean trusted;  /* it was found good before, so it is not checked */
  /* of a ticket in a job */
  const char *client, *address; /* (nullable) */
  gint64 since;                 /* it may not have changed after this second */
  gboolean archive;
} EmuDeed;

typedef struct
{
  guint status;                    /* 200, 201 or 204 when it was done; 404, 409 or 422 */
  gint64 id;                       /* of the record */
  gpointer record;                 /* (unowned) (nullable) until the next deed */
  const char *error, *description; /* (unowned) of a 404 or 409 */
  EmuProblems problems;
} EmuOutcome;

/* Does @deed, if it can be done, and writes it to the state file.  @outcome: to be cleared */
void emu_deed_do (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_outcome_clear (EmuOutcome *outcome);

gboolean emu_outcome_is_good (const EmuOutcome *outcome);

/* "user-create", as it stands in the state file, and back; EMU_N_DEEDS for what is none */
const char *emu_deed_get_name (EmuDeedKind kind);
EmuDeedKind emu_deed_find (const char *name);

/* A line of the state file, read again. */
gboolean emu_deed_replay (Emulator *emu, EmuDeedKind kind, json_object *line, gint64 now);

/* (transfer full): what is wrong, in one line, as the results of a job have it */
char *emu_outcome_dup_line (const EmuOutcome *outcome);

/* --- for those who do the deeds --- */

typedef void (*EmuDeedAct) (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);

void emu_user_create (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_user_update (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_user_create_or_update (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_user_delete (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_user_merge (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_identity_create (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_identity_update (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_identity_primary (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_identity_verify (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_identity_delete (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_organization_create (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_organization_update (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_organization_create_or_update (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_organization_delete (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_membership_create (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_membership_default (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_membership_delete (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_ticket_create (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_ticket_import (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_ticket_update (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_ticket_delete (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);
void emu_ticket_scrub (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome);

/* There is no such record. */
void emu_outcome_not_found (EmuOutcome *outcome);

/* It is done: @status, and to which record. */
void emu_outcome_done (EmuOutcome *outcome, guint status, gint64 id, gpointer record);

/* Whether there is nothing against it, because it is known to be good, or nothing was found. */
gboolean emu_deed_may (const EmuDeed *deed, const EmuOutcome *outcome);

/* Makes @user a member where its address belongs, if it is a member nowhere. */
void emu_user_settle (Emulator *emu, EmuUser *user, gint64 now);

/* Writes a creation to the history and counts it. */
void emu_note_user (Emulator *emu, const EmuUser *user, gint64 now, gboolean mailed);
void emu_note_organization (Emulator *emu, const EmuOrganization *organization, gint64 now);
void emu_note_membership (Emulator *emu, const EmuMembership *membership, gint64 now);
