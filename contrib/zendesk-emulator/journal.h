/* journal.h: the state file, from which a restarted emulator gets all it had back
 *
 * One line of JSON for each change, with the request that asked for it: reading the file does the
 * same changes again, at the times at which they were done.  A line that is cut off at the end, as
 * a kill leaves it, was not answered and is dropped.
 */
#pragma once
#include "deeds.h"

/* Reads the file of the configuration, if there is one, and opens it for appending. */
gboolean emu_journal_open (Emulator *emu, GError **error);
void emu_journal_truncate (Emulator *emu);

void emu_journal_create (Emulator *emu, const EmuTicket *ticket, const EmuDraft *draft,
                         const EmuOrigin *origin);
void emu_journal_update (Emulator *emu, const EmuTicket *ticket, const EmuDraft *draft,
                         const EmuOrigin *origin);
/* @what: "delete" or "restore" */
void emu_journal_ticket (Emulator *emu, const char *what, const EmuTicket *ticket, gint64 now);

/* The content itself is in a file of its own. */
void emu_journal_upload (Emulator *emu, const EmuUpload *upload, const EmuAttachment *attachment,
                         gint64 now);
void emu_journal_drop_upload (Emulator *emu, const EmuUpload *upload, gint64 now);

/* @result: the id of the record that it was done to */
void emu_journal_deed (Emulator *emu, const EmuDeed *deed, gint64 result);

/* A job was queued; it went on by a record, of which @row (nullable: it only ended) tells. */
void emu_journal_job (Emulator *emu, const EmuJob *job);
void emu_journal_step (Emulator *emu, const EmuJob *job, const char *row, gboolean good,
                       gint64 now);
