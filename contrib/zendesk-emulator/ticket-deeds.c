/* ticket-deeds.c: what a job does to tickets, one after another */
#include "deeds.h"

/* A single ticket stands in a request as its member. */
static json_object *
new_root (json_object *wish)
{
  json_object *root = json_object_new_object ();

  json_object_object_add (root, "ticket", json_object_get (wish));
  return root;
}

static EmuOrigin
get_origin (const EmuDeed *deed, json_object *root)
{
  return (EmuOrigin){ .client = deed->client,
                      .address = deed->address,
                      .json = root,
                      .time = deed->now * G_USEC_PER_SEC,
                      .arrived = deed->now * G_USEC_PER_SEC };
}

/* Hands the draft's problems over to the outcome. */
static gboolean
take_problems (const EmuDeed *deed, EmuDraft *draft, EmuOutcome *outcome)
{
  emu_problems_clear (&outcome->problems);
  outcome->problems = draft->problems;
  emu_problems_init (&draft->problems);
  return !emu_deed_may (deed, outcome);
}

/* What was found good before is not checked again. */
static EmuDraft *
read_draft (Emulator *emu, const EmuDeed *deed, EmuAction action, json_object *root,
            const EmuTicket *ticket)
{
  if (deed->trusted)
    return emu_draft_read (action, root, emu->fields, emu->users, deed->now);
  return emulator_read_draft (emu, action, root, ticket, deed->now);
}

static void
create (Emulator *emu, const EmuDeed *deed, EmuAction action, EmuOutcome *outcome)
{
  g_autoptr (json_object) root = new_root (deed->wish);
  EmuOrigin origin = get_origin (deed, root);
  g_autoptr (EmuDraft) draft = read_draft (emu, deed, action, root, NULL);
  EmuTicket *ticket;

  if (take_problems (deed, draft, outcome) || draft->comments->len == 0)
    return;
  ticket = emulator_create (emu, draft, &origin, deed->archive);
  emu_outcome_done (outcome, 201, ticket->id, ticket);
}

void
emu_ticket_create (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  create (emu, deed, EMU_CREATE, outcome);
}

void
emu_ticket_import (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  create (emu, deed, EMU_IMPORT, outcome);
}

static EmuTicket *
find_ticket (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  EmuTicket *ticket = emu_tickets_get (emu->tickets, deed->id);

  if (ticket != NULL && !ticket->deleted)
    return ticket;
  emu_outcome_not_found (outcome);
  return NULL;
}

/* A job never overwrites what somebody else has changed since it was asked for. */
void
emu_ticket_update (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  EmuTicket *ticket = find_ticket (emu, deed, outcome);
  g_autoptr (json_object) root = new_root (deed->wish);
  EmuOrigin origin = get_origin (deed, root);
  g_autoptr (GString) audit = g_string_new (NULL);

  if (ticket == NULL)
    return;
  if (!deed->trusted && (!emu_draft_is_safe (deed->wish, ticket) || ticket->updated > deed->since))
    {
      outcome->status = 409;
      outcome->error = "UpdateConflict";
      outcome->description = EMU_UPDATE_CONFLICT;
      return;
    }

  g_autoptr (EmuDraft) draft = read_draft (emu, deed, EMU_UPDATE, root, ticket);
  if (!deed->trusted)
    emu_draft_check_update (draft, ticket);
  if (take_problems (deed, draft, outcome))
    return;
  emulator_update (emu, ticket, draft, &origin, audit);
  emu_outcome_done (outcome, 200, ticket->id, ticket);
}

void
emu_ticket_delete (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  EmuTicket *ticket = find_ticket (emu, deed, outcome);

  if (ticket == NULL)
    return;
  emulator_delete (emu, ticket, deed->now);
  emu_outcome_done (outcome, 204, ticket->id, NULL);
}

void
emu_ticket_scrub (Emulator *emu, const EmuDeed *deed, EmuOutcome *outcome)
{
  EmuTicket *ticket = emu_tickets_get (emu->tickets, deed->id);

  if (ticket == NULL || !ticket->deleted || ticket->scrubbed)
    {
      emu_outcome_not_found (outcome);
      return;
    }
  emulator_scrub (emu, ticket, deed->now);
  emu_outcome_done (outcome, 204, ticket->id, NULL);
}
