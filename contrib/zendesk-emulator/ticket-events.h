/* ticket-events.h: an audit as the export of ticket events tells it */
#pragma once
#include "emulator.h"

/* @with_comments: comments are told in full, not only that there was one. */
void emu_ticket_event_write (const Emulator *emu, const EmuTicketEvent *event,
                             gboolean with_comments, GString *out);
