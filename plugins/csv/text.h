/* text.h: what is done to the bytes of a field */
#pragma once
#include "scan.h"
#include <tallyman/types.h>

/* The first byte from a place on that is NUL or not UTF-8, else G_MAXSIZE. */
gsize csv_text_next_bad (const guint8 *data, gsize length, const CsvMask *masks, gsize from);
/* Only blanks and tabs. */
gboolean csv_text_is_blank (const guint8 *data, gsize length);
TallyText csv_text_trim (TallyText text);
/* Takes escapes out, in place. */
TallyText csv_text_unescape (TallyText text, const CsvSpecials *specials);
