/* maildir.h: the messages of one folder that is a Maildir */
#pragma once
#include <glib.h>

typedef struct _Maildir Maildir;

gboolean maildir_is (const char *path);
/* Lists what lies in new and cur, by the names that last. */
Maildir *maildir_open (const char *path, GError **error);
void maildir_free (Maildir *maildir);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Maildir, maildir_free)

guint maildir_count (Maildir *maildir);
/* Leaves out all up to a message that was read, by its lasting name. */
void maildir_skip (Maildir *maildir, const char *lasting);
/* (transfer full) (nullable) The next message's file; it may be gone by now, or be renamed: then it is found anew.  NULL: no more. */
char *maildir_next (Maildir *maildir);
/* (transfer none) The lasting name of the message that came last: the file's name without its flags. */
const char *maildir_lasting (Maildir *maildir);
/* (transfer none) What the owner calls the folder: INBOX, or a Maildir++ folder's name without the first dot. */
const char *maildir_folder (Maildir *maildir);
