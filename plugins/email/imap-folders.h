/* imap-folders.h: the folders of a server, and where in each an earlier run has stopped */
#pragma once
#include "imap.h"

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

/* Where in a folder: the last UID that is done, which counts as long as the folder has the same UIDVALIDITY. */
typedef struct
{
  guint32 validity, uid;
} ImapPlace;

/* The places of all folders, as a position: {"INBOX": [UIDVALIDITY, UID]} */
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
