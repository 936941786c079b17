/* seen.c: a table in memory in front of a table on disk
 *
 * A digest is as good as random, so that its own first bytes say where it stands.  A table that is
 * full goes to disk as a whole and in order, which fills the database's pages from one end to the
 * other; looking a digest up reads one path through its tree, most of it from the pages in memory.
 */
#include "seen.h"
#include "temporary.h"
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 1024
#define FEWEST_SLOTS 16
#define TABLE "CREATE TABLE seen (digest BLOB PRIMARY KEY) WITHOUT ROWID"

typedef struct
{
  guint64 words[TALLY_DIGEST_SIZE / sizeof (guint64)]; /* all zero: empty */
} Slot;

struct _TallySeen
{
  Slot *slots;               /* (owned) */
  gsize n_slots, most_slots; /* powers of two */
  gsize n_used;
  gsize memory;
  sqlite3 *database;           /* (owned) (nullable) once the table was full */
  sqlite3_stmt *find, *insert; /* (owned) (nullable) */
  guint64 n_spilled;
};

TallySeen *
tally_seen_new (gsize memory)
{
  TallySeen *seen = g_new0 (TallySeen, 1);

  seen->memory = memory;
  seen->most_slots = FEWEST_SLOTS;
  while (seen->most_slots * 2 * sizeof (Slot) <= memory / 2)
    seen->most_slots *= 2;
  seen->n_slots = MIN (FIRST_SLOTS, seen->most_slots);
  seen->slots = g_new0 (Slot, seen->n_slots);
  return seen;
}

void
tally_seen_free (TallySeen *seen)
{
  if (seen == NULL)
    return;

  sqlite3_finalize (seen->find);
  sqlite3_finalize (seen->insert);
  sqlite3_close (seen->database);
  g_free (seen->slots);
  g_free (seen);
}

guint64
tally_seen_n_spilled (const TallySeen *seen)
{
  return seen->n_spilled;
}

/* ---- In memory ---- */

static gboolean
is_empty (const Slot *slot)
{
  return slot->words[0] == 0 && slot->words[1] == 0;
}

/* Where digest stands, or the empty slot that it would get. */
static Slot *
find_slot (const TallySeen *seen, const Slot *digest)
{
  gsize i = digest->words[0] & (seen->n_slots - 1);

  while (!is_empty (&seen->slots[i]) && memcmp (&seen->slots[i], digest, sizeof *digest) != 0)
    i = (i + 1) & (seen->n_slots - 1);
  return &seen->slots[i];
}

static void
grow (TallySeen *seen)
{
  g_autofree Slot *old = g_steal_pointer (&seen->slots);
  gsize n_old = seen->n_slots;

  seen->n_slots *= 2;
  seen->slots = g_new0 (Slot, seen->n_slots);
  for (gsize i = 0; i < n_old; i++)
    if (!is_empty (&old[i]))
      *find_slot (seen, &old[i]) = old[i];
}

/* ---- On disk ---- */

static gboolean
complain (const TallySeen *seen, GError **error)
{
  return tally_temporary_throw (seen->database, error);
}

static gboolean
open_database (TallySeen *seen, GError **error)
{
  if (seen->database != NULL)
    return TRUE;

  seen->database = tally_temporary_open (TABLE, seen->memory / 2, error);
  if (seen->database == NULL)
    return FALSE;
  return (sqlite3_prepare_v2 (seen->database, "SELECT 1 FROM seen WHERE digest = ?", -1, &seen->find,
                              NULL)
              == SQLITE_OK
          && sqlite3_prepare_v2 (seen->database, "INSERT INTO seen VALUES (?)", -1, &seen->insert,
                                 NULL)
                 == SQLITE_OK)
         || complain (seen, error);
}

/* Binds digest and takes one step. */
static int
ask (sqlite3_stmt *statement, const Slot *digest)
{
  int code;

  sqlite3_bind_blob (statement, 1, digest, sizeof *digest, SQLITE_STATIC);
  code = sqlite3_step (statement);
  sqlite3_reset (statement);
  return code;
}

static int
compare_slots (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (Slot));
}

static gboolean
insert_all (TallySeen *seen, GError **error)
{
  if (sqlite3_exec (seen->database, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
    return complain (seen, error);
  for (gsize i = 0; i < seen->n_used; i++)
    if (ask (seen->insert, &seen->slots[i]) != SQLITE_DONE)
      return complain (seen, error);
  return sqlite3_exec (seen->database, "COMMIT", NULL, NULL, NULL) == SQLITE_OK
         || complain (seen, error);
}

/* Empties the table in memory. */
static gboolean
spill (TallySeen *seen, GError **error)
{
  gsize n = 0;

  for (gsize i = 0; i < seen->n_slots; i++)
    if (!is_empty (&seen->slots[i]))
      seen->slots[n++] = seen->slots[i];
  qsort (seen->slots, n, sizeof (Slot), compare_slots);
  if (!open_database (seen, error) || !insert_all (seen, error))
    return FALSE;

  memset (seen->slots, 0, seen->n_slots * sizeof (Slot));
  seen->n_spilled += n;
  seen->n_used = 0;
  return TRUE;
}

/* ---- Both ---- */

static gboolean
make_room (TallySeen *seen, GError **error)
{
  if (seen->n_used < seen->n_slots / 4 * 3)
    return TRUE;
  if (seen->n_slots == seen->most_slots)
    return spill (seen, error);

  grow (seen);
  return TRUE;
}

gboolean
tally_seen_add (TallySeen *seen, const guint8 digest[TALLY_DIGEST_SIZE], gboolean *ret_is_new,
                GError **error)
{
  Slot wish, *slot;
  int code = SQLITE_DONE;

  memcpy (&wish, digest, sizeof wish);
  if (is_empty (&wish))
    wish.words[0] = 1;
  if (!make_room (seen, error))
    return FALSE;

  slot = find_slot (seen, &wish);
  if (!is_empty (slot))
    {
      *ret_is_new = FALSE;
      return TRUE;
    }
  if (seen->database != NULL)
    code = ask (seen->find, &wish);
  if (code != SQLITE_DONE && code != SQLITE_ROW)
    return complain (seen, error);

  *ret_is_new = code == SQLITE_DONE;
  if (*ret_is_new)
    {
      *slot = wish;
      seen->n_used++;
    }
  return TRUE;
}
