/* decode.h: the text of a part, in UTF-8 */
#pragma once
#include <tallyman/types.h>

/* Appends it with LF at the ends of lines, and U+FFFD for what means nothing.  charset: (nullable) as the part names it. */
void mail_decode_text (TallyText bytes, const char *charset, GString *out);
/* (transfer full) (nullable) The charset that HTML names itself. */
char *mail_html_charset (TallyText html);
