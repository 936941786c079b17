/* ticket-json.h: a ticket, its comments and its audits as the service shows them */
#pragma once
#include "uploads.h"

#define EMU_CREATE_IDS                                                                             \
  32 /* ids that a creation uses for its audit, comment and events, and metrics */

/* @fresh: as in the answer to the creation, where generated_timestamp is 0. */
void emu_ticket_write (const EmuTicket *ticket, const EmuFields *fields, const char *base_url,
                       gboolean fresh, GString *out);

/* The answer to a creation: the ticket and its audit.  @author: who made the request. */
void emu_ticket_write_created (const EmuTicket *ticket, const EmuFields *fields, gint64 author,
                               const char *base_url, GString *out);

/* The members of the audit that compares @ticket with what it was; @ids: reserved for it. */
void emu_ticket_write_update_audit (const EmuTicket *ticket, const EmuTicket *before,
                                    gboolean commented, gint64 author, gint64 ids,
                                    const char *client, const char *address, const char *base_url,
                                    GString *out);

/* The audit of a change of nothing but the status; uses two @ids. */
void emu_ticket_write_status_audit (const EmuTicket *ticket, const char *status, const char *before,
                                    gint64 author, gint64 ids, gint64 now, GString *out);

/* The @i-th audit.  @author: who made the request that created the ticket. */
void emu_ticket_write_audit (const EmuTicket *ticket, guint i, gint64 author, const char *base_url,
                             GString *out);

/* One row of the list of comments.  @with_inline: also the pictures in its text. */
void emu_comment_write (const EmuComment *comment, gboolean with_inline, const char *base_url,
                        GString *out);
