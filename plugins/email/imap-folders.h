/* imap-folders.h: the folders of a server, and where in each an earlier run has stopped */
#pragma once
#include "imap.h"

/* Of a folder; what is kept of each is 24 bytes at most. */
#define IMAP_MAX_MESSAGES (10 * 1000 * 1000)

typedef struct
{
  char *name;   /* (owned) as people read it */
  char *quoted; /* (owned) as a word of a command */
} ImapFolder;

/* (transfer full) (element-type ImapFolder) those that patterns match, each once, by name, without the one called except (nullable).
 * Fails as imap_run(), and if a pattern matches none. */
TallyFlow imap_folders_list (Imap *imap, char *const *patterns, const char *except, GPtrArray **ret_folders, GError **error);
/* (transfer full) A name that people read as a word of a command; NULL if it cannot be one. */
char *imap_folder_quote (const char *name, GError **error);

typedef struct
{
  guint32 validity, n_messages;
  guint32 next_uid; /* 0: not told */
  guint64 modseq; /* of the last change in it (RFC 7162); 0: the server does not know */
} ImapMailbox;

/* command: SELECT, or EXAMINE, which changes nothing.  Fails as imap_run(), and if the server gives no UIDVALIDITY. */
TallyFlow imap_folder_enter (Imap *imap, const char *command, const ImapFolder *folder, gboolean with_modseq, ImapMailbox *ret_mailbox,
                             GError **error);

/* Where in a folder: the last UID that is done, which counts as long as the folder has the same UIDVALIDITY. */
typedef struct
{
  guint32 validity, uid;
  guint64 modseq;              /* of what is done, the changes up to this one are, too; 0: they were not asked for */
  guint64 own_first, own_last; /* changes after it that are our own marks, and no others; 0: none are known */
} ImapPlace;

/* The places of all folders, as a position: {"INBOX": [UIDVALIDITY, UID]}, and behind these MODSEQ, and behind it the first and the
 * last MODSEQ of our own, as far as there are any. */
typedef struct json_object ImapPlaces;

/* (transfer full) text: (nullable) a position */
ImapPlaces *imap_places_parse (const char *text, GError **error);
/* FALSE: none is known. */
gboolean imap_places_get (ImapPlaces *places, const char *name, ImapPlace *ret_place);
void imap_places_set (ImapPlaces *places, const char *name, const ImapPlace *place);
/* (transfer none) until the next call */
const char *imap_places_format (ImapPlaces *places);
void imap_places_free (ImapPlaces *places);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImapPlaces, imap_places_free)
