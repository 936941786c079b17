/* flags.h: what a mailbox keeps of a message beside its words, as a JSON array: seen, answered, flagged, draft, deleted, passed, then
 * its owner's keywords */
#pragma once
#include <tallyman/types.h>

/* All (transfer full). */

/* What stands in a FETCH behind FLAGS: (\Seen $Forwarded) */
char *mail_flags_from_imap (TallyText list);
/* What stands at the end of a file's name: 1.a:2,RS */
char *mail_flags_from_maildir (const char *file);
/* (nullable) What Status and X-Status say in a header; NULL if neither is there. */
char *mail_flags_from_mbox (TallyText message);
