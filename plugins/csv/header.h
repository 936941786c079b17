/* header.h: names for columns */
#pragma once
#include "reader.h"

/* Turns fields into names that can be used: without white space around them, line breaks and runs of white space as one
 * blank, `column_3` for an empty one, `name_2` for one that stands there already.  (transfer full); warns of what was
 * changed other than white space around a name, unless ctx is NULL. */
char **csv_header_names (const TallyText *fields, guint n_fields, TallyContext *ctx);
/* `column_1`, `column_2`, … (transfer full) */
char **csv_header_numbered (guint n_fields);
