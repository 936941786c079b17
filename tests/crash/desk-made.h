/* desk-made.h: a whole help desk, made up by a seed: its export, and what has to become of it
 *
 * The export is what pipelines/migration reads. What has to become of each record is said as a text, by its external_id, so that
 * two desks can be compared and a difference can be read. It is worked out from what was made up, not by what the pipelines do.
 */
#pragma once
#include <glib.h>

#define MADE_ORIGIN "helpdesk"
/* Stands in a text for the user of "placeholder". */
#define MADE_NOBODY "(placeholder)"
/* What is bold in an HTML comment; no other comment has it. */
#define MADE_BOLD "<b>bold</b>"

typedef struct
{
  guint n_organizations, n_users, n_tickets, n_comments, n_files;
} DeskSize;

/* Somebody, or something, that the account has before the move. */
typedef struct
{
  const char *path; /* where it is created: "/api/v2/users.json" */
  char *body;       /* (owned) JSON */
} MadeNewcomer;

typedef struct
{
  /* (element-type utf8 utf8) what has to be there in the end, by external_id */
  GHashTable *organizations, *users, *tickets;
  GPtrArray *newcomers;  /* (element-type MadeNewcomer) */
  GHashTable *adopted;   /* (element-type utf8) external_ids that were there before, under none */
  guint n_rejected;      /* users whose address is somebody else's */
  guint n_collisions;    /* users with an address that an earlier one has */
  guint n_left_behind;   /* users who are suspended or deleted, and no other has their address */
  guint n_links;         /* incidents that are linked */
} MadeDesk;

/* Writes the export into the folder, its files into files/ beneath it. */
MadeDesk *made_desk_new (const DeskSize *size, guint32 seed, const char *folder);
void made_desk_free (MadeDesk *desk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MadeDesk, made_desk_free)

/* One text each; the same words are used of what was read back. NULL is shown as "-". */
char *made_describe_organization (const char *name, const char *domains, const char *notes);
char *made_describe_user (const char *name, const char *email, const char *phone, const char *role, const char *organization,
                          const char *tags);

typedef struct
{
  const char *subject, *requester, *submitter, *assignee, *status, *type, *priority, *tags;
  const char *created, *updated, *solved, *number, *affected, *severity, *problem;
} MadeTicketFacts;

char *made_describe_ticket (const MadeTicketFacts *facts, const char *conversation);
void made_describe_comment (GString *conversation, const char *time, const char *author, gboolean is_public, const char *text);
void made_describe_file (GString *conversation, const char *name, const char *sha256);
