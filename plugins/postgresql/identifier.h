/* identifier.h: names become SQL, and nothing else does */
#pragma once
#include <glib.h>

/* Appends a name in double quotes, whatever is in it (PostgreSQL 15, 4.1.1). */
void pg_append_identifier (const char *name, GString *sql);

/* Splits a table's name as SQL writes it (`t`, `s.t`, `"My table"`): folded to lower case outside quotes.  ret_schema: NULL if
 * none is named.  Fails with TALLY_ERROR_USAGE: it is no such name. */
gboolean pg_parse_table (const char *text, char **ret_schema, char **ret_table, GError **error);
