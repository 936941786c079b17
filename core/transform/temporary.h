/* temporary.h: a database on disk that no other program can find, and that goes when it is closed */
#pragma once
#include <glib.h>
#include <sqlite3.h>

/* tables: SQL that makes them.  cache: bytes of memory for its pages.  NULL: the disk has no room, which the error
 * says, TALLY_ERROR_IO. */
sqlite3 *tally_temporary_open (const char *tables, gsize cache, GError **error);
/* Gives it another amount of memory. */
void tally_temporary_set_cache (sqlite3 *database, gsize cache);
/* Sets an error of what the database complained about last, and returns FALSE. */
gboolean tally_temporary_throw (sqlite3 *database, GError **error);
