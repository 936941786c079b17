/* draft.h: what a request wants of a ticket, checked before any of it is done
 *
 * A draft is read from the request as a whole, so that a ticket is either changed as asked or not
 * at all.  What the service would drop in silence is dropped, and named among the problems.
 */
#pragma once
#include "problems.h"
#include "tickets.h"
#include "users.h"

#define EMU_MAX_BODY 65535    /* bytes of a comment that are kept */
#define EMU_MAX_COMMENTS 5000 /* in a ticket */
#define EMU_MAX_MEMBERS 48    /* members of a ticket that are known */
#define EMU_INHERIT (-1)      /* a comment that does not say whether it is public */

typedef enum
{
  EMU_CREATE,
  EMU_UPDATE,
  EMU_IMPORT
} EmuAction;

typedef struct
{
  EmuAction action;
  gint64 now, author; /* when, and for whom, it is done */
  gboolean set[EMU_MAX_MEMBERS];
  gint64 numbers[EMU_MAX_MEMBERS];
  gpointer pointers[EMU_MAX_MEMBERS]; /* (owned), as the member's type says */
  json_object *ticket;                /* (unowned) for what is looked up only when applied */
  GArray *comments;                   /* (owned) of EmuComment */
  EmuProblems problems;
} EmuDraft;

/**
 * emu_draft_read:
 * @root: (nullable): the request's JSON
 *
 * Reads and checks a request for @action.  The draft refers to @root as long as it lives.
 *
 * Returns: (transfer full): the draft, with its problems if it has any
 */
EmuDraft *emu_draft_read (EmuAction action, json_object *root, const EmuFields *fields,
                          const EmuUsers *users, gint64 now);
void emu_draft_free (EmuDraft *draft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EmuDraft, emu_draft_free)

void emu_draft_add_problem (EmuDraft *draft, const char *field, const char *description,
                            const char *code);

#define EMU_UPDATE_CONFLICT                                                                        \
  "Safe Update prevented the update due to outdated ticket data. Please fetch the latest ticket "  \
  "data and try again."

/* Whether @ticket is still as the client last read it, if the @wish for it says that it cares. */
gboolean emu_draft_is_safe (json_object *wish, const EmuTicket *ticket);

/* Adds what keeps @ticket from being changed so. */
void emu_draft_check_update (EmuDraft *draft, const EmuTicket *ticket);

/* (nullable) (transfer full): what x-zendesk-api-warn says. */
char *emu_draft_dup_warning (const EmuDraft *draft);

/* Puts the comments in the order of their times. */
void emu_draft_sort_comments (EmuDraft *draft);

/* Does to @ticket what the draft asks; names that are new become users.  Call once. */
void emu_draft_apply (EmuDraft *draft, EmuTicket *ticket, const EmuFields *fields, EmuUsers *users);

/* TRUE, with the number, when the draft sets the member @name, which is an id. */
gboolean emu_draft_get_id (const EmuDraft *draft, const char *name, gint64 *ret_id);

/* Sets the status of @ticket to @status, with what comes of it. */
void emu_draft_set_status (const EmuDraft *draft, EmuTicket *ticket, const char *status);

/* The external_id that the draft sets; (nullable) also when it sets none. */
gboolean emu_draft_get_external_id (const EmuDraft *draft, const char **ret_external_id);
