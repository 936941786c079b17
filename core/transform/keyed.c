/* keyed.c: a sorted list in memory, or a tree on disk
 *
 * What a row stands by is its key, its place among the rows of that key, and its number.  Sorted by
 * these, rows in memory are found by halving.  A list that is full goes to disk as a whole and in
 * order, so that each page of the tree is touched once at most.
 */
#include "keyed.h"
#include "temporary.h"
#include <string.h>
#include <tallyman/error.h>

#define TABLE "CREATE TABLE rows (place BLOB PRIMARY KEY, row BLOB NOT NULL) WITHOUT ROWID"
#define INSERT "INSERT INTO rows VALUES (?, ?)"
#define FIND "SELECT row FROM rows WHERE place > ? AND place < ? ORDER BY place"
/* Rows between two looks whether somebody wants it all to end. */
#define GLANCE 1024

typedef struct
{
  guint8 key[TALLY_DIGEST_SIZE];
  gsize at; /* in bytes: a Lengths, what follows the key, the row */
} Entry;

typedef struct
{
  guint32 rest, row;
} Lengths;

struct _TallyKeyed
{
  gsize memory;
  TallyContext *ctx;   /* (unowned) (nullable) */
  GArray *entries;     /* (owned) (element-type Entry) */
  GByteArray *bytes;   /* (owned) */
  GByteArray *place;   /* (owned) scratch */
  guint64 n_rows, n_spilled;
  sqlite3 *database;           /* (owned) (nullable) once the list was full */
  sqlite3_stmt *insert, *find; /* (owned) (nullable) */
};

TallyKeyed *
tally_keyed_new (gsize memory, TallyContext *ctx)
{
  TallyKeyed *keyed = g_new0 (TallyKeyed, 1);

  keyed->memory = memory;
  keyed->ctx = ctx;
  keyed->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  keyed->bytes = g_byte_array_new ();
  keyed->place = g_byte_array_new ();
  return keyed;
}

void
tally_keyed_free (TallyKeyed *keyed)
{
  if (keyed == NULL)
    return;

  sqlite3_finalize (keyed->insert);
  sqlite3_finalize (keyed->find);
  sqlite3_close (keyed->database);
  g_array_unref (keyed->entries);
  g_byte_array_unref (keyed->bytes);
  g_byte_array_unref (keyed->place);
  g_free (keyed);
}

guint64
tally_keyed_n_spilled (const TallyKeyed *keyed)
{
  return keyed->n_spilled;
}

/* ---- The list in memory ---- */

static const Entry *
entry_at (const TallyKeyed *keyed, guint i)
{
  return &g_array_index (keyed->entries, Entry, i);
}

static Lengths
lengths_at (const TallyKeyed *keyed, const Entry *entry)
{
  Lengths lengths;

  memcpy (&lengths, keyed->bytes->data + entry->at, sizeof lengths);
  return lengths;
}

static const guint8 *
rest_of (const TallyKeyed *keyed, const Entry *entry)
{
  return keyed->bytes->data + entry->at + sizeof (Lengths);
}

static gint
compare_entries (gconstpointer a, gconstpointer b, gpointer data)
{
  const TallyKeyed *keyed = data;
  guint32 n_a, n_b;
  gint by_key = memcmp (((const Entry *)a)->key, ((const Entry *)b)->key, TALLY_DIGEST_SIZE);

  if (by_key != 0)
    return by_key;

  n_a = lengths_at (keyed, a).rest;
  n_b = lengths_at (keyed, b).rest;
  return memcmp (rest_of (keyed, a), rest_of (keyed, b), MIN (n_a, n_b));
}

static void
sort (TallyKeyed *keyed)
{
  g_array_sort_with_data (keyed->entries, compare_entries, keyed);
}

/* The first entry whose key is not before key. */
static guint
find_first (const TallyKeyed *keyed, const guint8 *key)
{
  guint low = 0, high = keyed->entries->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (memcmp (entry_at (keyed, middle)->key, key, TALLY_DIGEST_SIZE) < 0)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static void
find_in_memory (const TallyKeyed *keyed, const guint8 *key, TallyKeyedTake take, gpointer data)
{
  gboolean wants_more = TRUE;

  for (guint i = find_first (keyed, key); wants_more && i < keyed->entries->len; i++)
    {
      const Entry *entry = entry_at (keyed, i);
      Lengths lengths;

      if (memcmp (entry->key, key, TALLY_DIGEST_SIZE) != 0)
        return;
      lengths = lengths_at (keyed, entry);
      wants_more
          = take ((TallyText){ (const char *)rest_of (keyed, entry) + lengths.rest, lengths.row },
                  data);
    }
}

/* ---- The tree on disk ---- */

static gboolean
open_database (TallyKeyed *keyed, GError **error)
{
  if (keyed->database != NULL)
    return TRUE;

  keyed->database = tally_temporary_open (TABLE, keyed->memory / 2, error);
  if (keyed->database == NULL)
    return FALSE;
  return (sqlite3_prepare_v2 (keyed->database, INSERT, -1, &keyed->insert, NULL) == SQLITE_OK
          && sqlite3_prepare_v2 (keyed->database, FIND, -1, &keyed->find, NULL) == SQLITE_OK)
         || tally_temporary_throw (keyed->database, error);
}

static gboolean
insert_entry (TallyKeyed *keyed, const Entry *entry, GError **error)
{
  Lengths lengths = lengths_at (keyed, entry);
  int code;

  g_byte_array_set_size (keyed->place, 0);
  g_byte_array_append (keyed->place, entry->key, TALLY_DIGEST_SIZE);
  g_byte_array_append (keyed->place, rest_of (keyed, entry), lengths.rest);
  sqlite3_bind_blob64 (keyed->insert, 1, keyed->place->data, keyed->place->len, SQLITE_STATIC);
  sqlite3_bind_blob64 (keyed->insert, 2, rest_of (keyed, entry) + lengths.rest, lengths.row,
                       SQLITE_STATIC);
  code = sqlite3_step (keyed->insert);
  sqlite3_reset (keyed->insert);
  return code == SQLITE_DONE || tally_temporary_throw (keyed->database, error);
}

static gboolean
insert_all (TallyKeyed *keyed, GError **error)
{
  for (guint i = 0; i < keyed->entries->len; i++)
    {
      if (i % GLANCE == 0 && keyed->ctx != NULL && tally_context_is_interrupted (keyed->ctx))
        return tally_throw (error, TALLY_ERROR_INTERRUPTED, "interrupted while rows went to disk");
      if (!insert_entry (keyed, entry_at (keyed, i), error))
        return FALSE;
    }
  return TRUE;
}

/* Empties the list in memory. */
static gboolean
spill (TallyKeyed *keyed, GError **error)
{
  sort (keyed);
  if (!open_database (keyed, error))
    return FALSE;
  if (sqlite3_exec (keyed->database, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
    return tally_temporary_throw (keyed->database, error);
  if (!insert_all (keyed, error))
    return FALSE;
  if (sqlite3_exec (keyed->database, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
    return tally_temporary_throw (keyed->database, error);

  keyed->n_spilled += keyed->entries->len;
  g_array_set_size (keyed->entries, 0);
  g_byte_array_set_size (keyed->bytes, 0);
  return TRUE;
}

/* Takes the row that the statement stands at. */
static gboolean
take_column (sqlite3_stmt *find, TallyKeyedTake take, gpointer data)
{
  TallyText row = { sqlite3_column_blob (find, 0), sqlite3_column_bytes (find, 0) };

  if (row.data == NULL)
    row.data = "";
  return take (row, data);
}

static gboolean
find_on_disk (TallyKeyed *keyed, const guint8 *key, TallyKeyedTake take, gpointer data,
              GError **error)
{
  guint8 beyond[TALLY_DIGEST_SIZE];
  int code;

  /* The last bit of a key is clear: with it set, it stands behind all rows of the key. */
  memcpy (beyond, key, sizeof beyond);
  beyond[TALLY_DIGEST_SIZE - 1] |= 1;
  sqlite3_bind_blob (keyed->find, 1, key, TALLY_DIGEST_SIZE, SQLITE_STATIC);
  sqlite3_bind_blob (keyed->find, 2, beyond, TALLY_DIGEST_SIZE, SQLITE_STATIC);
  while ((code = sqlite3_step (keyed->find)) == SQLITE_ROW)
    if (!take_column (keyed->find, take, data))
      break;
  if (code != SQLITE_ROW && code != SQLITE_DONE)
    tally_temporary_throw (keyed->database, error);
  sqlite3_reset (keyed->find);
  return code == SQLITE_ROW || code == SQLITE_DONE;
}

/* ---- Both ---- */

/* The key, with its last bit clear. */
static void
even_key (const guint8 *key, guint8 *ret_key)
{
  memcpy (ret_key, key, TALLY_DIGEST_SIZE);
  ret_key[TALLY_DIGEST_SIZE - 1] &= 0xfe;
}

static gsize
used (const TallyKeyed *keyed)
{
  return keyed->entries->len * sizeof (Entry) + keyed->bytes->len;
}

gboolean
tally_keyed_add (TallyKeyed *keyed, const guint8 key[TALLY_DIGEST_SIZE], const GByteArray *place,
                 TallyText row, GError **error)
{
  guint64 number = GUINT64_TO_BE (keyed->n_rows);
  Lengths lengths = { .rest = (place != NULL ? place->len : 0) + sizeof number, .row = row.length };
  Entry entry = { .at = keyed->bytes->len };

  even_key (key, entry.key);
  g_array_append_val (keyed->entries, entry);
  g_byte_array_append (keyed->bytes, (const guint8 *)&lengths, sizeof lengths);
  if (place != NULL)
    g_byte_array_append (keyed->bytes, place->data, place->len);
  g_byte_array_append (keyed->bytes, (const guint8 *)&number, sizeof number);
  g_byte_array_append (keyed->bytes, (const guint8 *)row.data, row.length);
  keyed->n_rows++;
  return used (keyed) < keyed->memory / 2 || spill (keyed, error);
}

gboolean
tally_keyed_finish (TallyKeyed *keyed, GError **error)
{
  if (keyed->database == NULL)
    {
      sort (keyed);
      return TRUE;
    }
  if (!spill (keyed, error))
    return FALSE;

  /* What held the list is the pages' now. */
  g_array_unref (keyed->entries);
  g_byte_array_unref (keyed->bytes);
  keyed->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  keyed->bytes = g_byte_array_new ();
  tally_temporary_set_cache (keyed->database, keyed->memory);
  return TRUE;
}

gboolean
tally_keyed_find (TallyKeyed *keyed, const guint8 key[TALLY_DIGEST_SIZE], TallyKeyedTake take,
                  gpointer data, GError **error)
{
  guint8 even[TALLY_DIGEST_SIZE];

  even_key (key, even);
  if (keyed->database != NULL)
    return find_on_disk (keyed, even, take, data, error);

  find_in_memory (keyed, even, take, data);
  return TRUE;
}
