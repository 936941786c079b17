/* plugin.c: mail as records, and records as mail */
#include "email.h"

TALLY_REGISTER (&email_source, &imap_source, &email_sink);
