/* reword.h: header values whose charsets are not what they say */
#pragma once
#include "mime.h"

/* (transfer full) A field's value as it stands, but with its encoded words in UTF-8, as one where they follow each other, and with
 * bytes outside of such words in UTF-8, too: what GMime then reads is read by the same rules as text.  charset: (nullable) what such
 * bytes are if they are not UTF-8. */
char *mail_reword (const char *value, const char *charset);
