/* ticket-json.h: a ticket, its comments and its audits as the service shows them */
#pragma once
#include "tickets.h"

#define EMU_CREATE_IDS 32 /* ids that a creation uses for its audit, comment and events */

/* @fresh: as in the answer to the creation, where generated_timestamp is 0. */
void emu_ticket_write (const EmuTicket *ticket, const EmuFields *fields, const char *base_url,
                       gboolean fresh, GString *out);

/* The answer to a creation: the ticket and its audit.  @author: who made the request. */
void emu_ticket_write_created (const EmuTicket *ticket, const EmuFields *fields, gint64 author,
                               const char *base_url, GString *out);

/* The members of the audit that compares @ticket with what it was; @ids: reserved for it. */
void emu_ticket_write_update_audit (const EmuTicket *ticket, const EmuTicket *before,
                                    gboolean commented, gint64 author, gint64 ids,
                                    const char *client, const char *address, GString *out);

/* One row of the list of comments. */
void emu_comment_write (const EmuComment *comment, const EmuTicket *ticket, GString *out);
