/* temporary.h: a database on disk that no other program can find, and that goes when it is closed */
#pragma once
#include <glib.h>
#include <sqlite3.h>

/* tables: SQL that makes them.  cache: bytes of memory for its pages.  NULL: the disk has no room, which the error
 * says, TALLY_ERROR_IO. */
sqlite3 *tally_temporary_open (const char *tables, gsize cache, GError **error);
/* Gives it another amount of memory. */
void tally_temporary_set_cache (sqlite3 *database, gsize cache);
/* Prepares a statement for each text.  FALSE: it is wrong, or memory is out; those that were made are there, to be finalized. */
gboolean tally_temporary_prepare (sqlite3 *database, const char *const *texts, guint n, sqlite3_stmt **ret_statements, GError **error);
/* Takes a step.  A row is to be read before the statement is reset; without one it is reset here.  ret_has_row: (optional) */
gboolean tally_temporary_step (sqlite3_stmt *statement, gboolean *ret_has_row, GError **error);
/* Sets an error of what the database complained about last, and returns FALSE. */
gboolean tally_temporary_throw (sqlite3 *database, GError **error);
