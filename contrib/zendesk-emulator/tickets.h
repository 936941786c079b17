/* tickets.h: the tickets of the account and the ways to find them
 *
 * A ticket is found by its id and by its external_id in constant time.  The log of changes is what
 * lists by time and the incremental export walk: every change adds an entry, and only a ticket's
 * last entry counts.
 */
#pragma once
#include "fields.h"

typedef struct
{
  gint64 id, audit_id, author, created;
  char *body;                   /* (owned) plain text */
  char *html;                   /* (owned) (nullable) as given; NULL: made from the text */
  GStrv tokens;                 /* (owned) (nullable) of uploads, until they are attached */
  GPtrArray *attachments;       /* (owned) (nullable) of EmuAttachment (unowned) */
  GRefString *client, *address; /* (owned) (nullable) who wrote it */
  gboolean is_public;
} EmuComment;

typedef struct EmuKey EmuKey;

typedef struct
{
  gint64 id;
  gint64 created, updated, generated; /* Unix seconds */
  gint64 solved, arrived;             /* 0: not solved; when it came into the account */
  gint64 requester, submitter, assignee, organization, group;
  gint64 brand, form, problem, followup_source, custom_status, due;
  gint64 status, priority, type; /* 1 and up, as in the tables below; 0: none */
  GRefString *external_id;       /* (owned) (nullable) */
  char *subject;                 /* (owned) (nullable) */
  char *recipient;               /* (owned) (nullable) */
  GStrv tags;                    /* (owned) (nullable) */
  GStrv values;                  /* (owned) (nullable) JSON of each custom field, "" if unset */
  GArray *collaborators, *followers, *ccs; /* (owned) (nullable) of gint64 */
  GArray *comments;                        /* (owned) of EmuComment */
  guint n_initial;                         /* comments that it was created with */
  char *first_audit;                       /* (owned) (nullable) JSON, once it has changed */
  GPtrArray *audits;                       /* (owned) (nullable) JSON of each change since */
  GRefString *client, *address;            /* (owned) who created it */
  EmuKey *key;                             /* (unowned) (nullable) the key whose answer shows it */
  gint64 first_id;                         /* of the ids that its creation used up */
  guint change;                            /* its last entry in the log */
  gboolean is_public, deleted, archived, imported;
  gboolean scrubbed; /* deleted for good */
} EmuTicket;

typedef struct
{
  gint64 time;  /* Unix seconds; never smaller than the entry before */
  guint ticket; /* index in @all */
} EmuChange;

typedef struct
{
  gint64 time;  /* as above */
  guint ticket; /* index in @all */
  guint audit;  /* which of its audits */
} EmuTicketEvent;

typedef struct
{
  GPtrArray *all;          /* (owned) of EmuTicket, by creation; deleted ones stay */
  GArray *changes;         /* (owned) of EmuChange */
  GArray *events;          /* (owned) of EmuTicketEvent */
  GHashTable *by_external; /* (owned) text to GPtrArray (owned) of EmuTicket (unowned) */
  gint64 first_id;
  gint64 next_object_id; /* for comments, audits and events */
  guint n_live;          /* neither deleted nor archived */
  guint n_deleted;
  guint n_duplicates; /* external_ids with more than one ticket that is not deleted */
} EmuTickets;

extern const char *const emu_statuses[]; /* NULL-terminated; the entry at 0 is "" */
extern const char *const emu_priorities[];
extern const char *const emu_types[];

EmuTickets *emu_tickets_new (gint64 first_id);
void emu_tickets_free (EmuTickets *tickets);

EmuTicket *emu_ticket_new (void);
void emu_ticket_free (EmuTicket *ticket);
void emu_comment_clear (gpointer comment);
void emu_ticket_add_comment (EmuTicket *ticket, EmuComment *comment); /* takes what it holds */

/* Takes @ticket, gives it the next id and files it. */
void emu_tickets_add (EmuTickets *tickets, EmuTicket *ticket, gint64 now);

/* Says that @ticket changed, or that it was deleted. */
void emu_tickets_changed (EmuTickets *tickets, EmuTicket *ticket, gint64 now);
void emu_tickets_delete (EmuTickets *tickets, EmuTicket *ticket, gint64 now);

/* Takes the deletion of @ticket back; or empties it, so that nothing is left but that it was. */
void emu_tickets_restore (EmuTickets *tickets, EmuTicket *ticket, gint64 now);
void emu_tickets_scrub (EmuTickets *tickets, EmuTicket *ticket, gint64 now);

/* Whether a user gets copies of @ticket, or follows it. */
gboolean emu_ticket_is_copied_to (const EmuTicket *ticket, gint64 user);
gboolean emu_ticket_is_followed_by (const EmuTicket *ticket, gint64 user);

/* How many audits @ticket has; and that the @audit-th of them happened. */
guint emu_ticket_get_n_audits (const EmuTicket *ticket);
void emu_tickets_log_event (EmuTickets *tickets, const EmuTicket *ticket, guint audit, gint64 now);

/* Files @ticket under @external_id instead of what it had. */
void emu_tickets_rename (EmuTickets *tickets, EmuTicket *ticket, const char *external_id);

/* (nullable) (unowned): the ticket, deleted or not. */
EmuTicket *emu_tickets_get (const EmuTickets *tickets, gint64 id);

/* (nullable) (unowned): all tickets that ever had @external_id and still have it. */
GPtrArray *emu_tickets_lookup (const EmuTickets *tickets, const char *external_id);

/* The first entry of the log that is not older than @time. */
guint emu_tickets_find_change (const EmuTickets *tickets, gint64 time);

/* The ticket of an entry, or NULL when a later entry has replaced it. */
EmuTicket *emu_tickets_get_change (const EmuTickets *tickets, guint entry);

/* Reserves @n ids for comments, audits and events; gives the first. */
gint64 emu_tickets_reserve (EmuTickets *tickets, guint n);
