/* imap-marks.h: what becomes of messages at the server once they are in the target */
#pragma once
#include "imap-carrier.h"
#include "imap-folders.h"

/* Marks or moves what a folder has up to a place, and writes down in the place which changes of the folder that made, as far as it
 * can be told.  OK also where it is another folder by now: the next run reads it, and marks then.  Fails as imap_run(). */
TallyFlow imap_mark (Imap *imap, const ImapOptions *options, const ImapFolder *folder, ImapPlace *place, GError **error);
