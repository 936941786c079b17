/* identity.h: what tells a mail from all others, wherever it lies */
#pragma once
#include <tallyman/types.h>

/* (transfer full) MESSAGE-ID/DIGITS, or digits alone.  See README.md for what counts. */
char *mail_identity (TallyText message);
