/* sideload.h: records that are sent along because others refer to them (include=) */
#pragma once
#include "pages.h"

/* Ids in the order in which they were first named, each once. */
typedef struct
{
  GHashTable *seen; /* (owned) */
  GArray *ids;      /* (owned) of gint64 */
} EmuIds;

EmuIds *emu_ids_new (void);
void emu_ids_free (EmuIds *ids);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EmuIds, emu_ids_free)
void emu_ids_add (EmuIds *ids, gint64 id); /* 0 is nobody */

/* ,"users":[…] with those that exist. */
void emu_sideload_write_users (const Emulator *emu, const EmuIds *ids, GString *out);

/* What the request asks to be sent along with tickets.  A place for EmuList.sideload. */
void emu_sideload_tickets (const EmuList *list, const GPtrArray *rows, GString *out);

/* The same for users. */
void emu_sideload_users (const EmuList *list, const GPtrArray *rows, GString *out);

/* Writes the ticket, with the number of its comments if the request asks for it. */
void emu_sideload_write_ticket (EmuExchange *x, const EmuTicket *ticket, GString *out);
