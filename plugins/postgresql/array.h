/* array.h: a jsonb array as the server's own array */
#pragma once
#include <tallyman/types.h>

/* Appends `{1,NULL,"a b",{…}}` for `[1, null, "a b", […]]`; what is no array as it is, which the server then refuses.
 * json: as PostgreSQL prints a jsonb.  dimensions: how deep arrays within arrays are dimensions and not
 * elements that are jsonb themselves.  Source: PostgreSQL 15, 8.15.6. */
void pg_append_array (TallyText json, guint dimensions, GString *out);
