/* ranges.h: a table in ranges of its blocks, each for a connection of its own */
#pragma once
#include "connection.h"

typedef struct
{
  guint n;        /* ranges */
  guint64 blocks; /* of the table, or of the largest of its partitions */
} PgRanges;

/* In how many ranges a table (as SQL) is read, at most so many; small ones in fewer.  Fails with TALLY_ERROR_USAGE: rows of what
 * it names have no place in a file. */
gboolean pg_ranges_choose (PGconn *conn, const char *table, guint most, PgRanges *ret_ranges, GError **error);
/* The condition for a row of q to lie in one of them. */
void pg_ranges_append (const PgRanges *ranges, guint i, GString *sql);
