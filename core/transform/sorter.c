/* sorter.c: runs that fit into memory, and a merge of them
 *
 * What does not fit is sorted part by part, and each part goes to the end of one table as a run: rows with
 * ascending numbers.  At the end each run has a cursor of its own, and a heap says whose row is the next.
 */
#include "sorter.h"
#include "record/arena.h"
#include "temporary.h"
#include <string.h>
#include <tallyman/error.h>

#define TABLE "CREATE TABLE held (number INTEGER PRIMARY KEY, key BLOB, row BLOB); BEGIN"

typedef struct
{
  guint64 prefix; /* the key's first bytes as a number: most comparisons need no more */
  const guint8 *data; /* (unowned) of the arena: the key, then the row */
  guint32 key_length, row_length;
} Entry;

/* What an entry takes: itself, its copy while it is sorted, and what the arena loses to alignment. */
#define ENTRY_COST (2 * sizeof (Entry) + 8)

typedef struct
{
  gint64 first, last; /* numbers in the table */
} Run;

typedef struct
{
  sqlite3_stmt *rows; /* (owned) */
  TallyText key, row; /* until the next step */
  guint run;          /* of two equal keys the earlier run's is first */
} Cursor;

struct _TallySorter
{
  gsize memory;
  GArray *entries; /* (owned) (element-type Entry) */
  TallyArena arena;
  gsize used;
  guint next; /* once all are in: the entry that comes next */
  gboolean is_sorted;
  sqlite3 *database;    /* (owned) (nullable) once memory was full */
  sqlite3_stmt *insert; /* (owned) (nullable) */
  gint64 n_spilled;
  GArray *runs;    /* (owned) (element-type Run) */
  GArray *cursors; /* (owned) (element-type Cursor) a heap, the least in front */
  gboolean is_read; /* the cursor in front is the one that was handed out last */
};

static void
cursor_clear (gpointer cursor)
{
  sqlite3_finalize (((Cursor *)cursor)->rows);
}

TallySorter *
tally_sorter_new (gsize memory)
{
  TallySorter *sorter = g_new0 (TallySorter, 1);

  sorter->memory = memory;
  sorter->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  sorter->runs = g_array_new (FALSE, FALSE, sizeof (Run));
  sorter->cursors = g_array_new (FALSE, FALSE, sizeof (Cursor));
  g_array_set_clear_func (sorter->cursors, cursor_clear);
  tally_arena_init (&sorter->arena);
  return sorter;
}

void
tally_sorter_free (TallySorter *sorter)
{
  if (sorter == NULL)
    return;

  g_array_unref (sorter->cursors);
  sqlite3_finalize (sorter->insert);
  sqlite3_close (sorter->database);
  g_array_unref (sorter->runs);
  g_array_unref (sorter->entries);
  tally_arena_free (&sorter->arena);
  g_free (sorter);
}

guint64
tally_sorter_n_spilled (const TallySorter *sorter)
{
  return (guint64)sorter->n_spilled;
}

/* ---- In memory ---- */

static gint
compare_keys (gconstpointer a, gsize a_length, gconstpointer b, gsize b_length)
{
  gint order = memcmp (a, b, MIN (a_length, b_length));

  return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

static gint
compare_entries (gconstpointer a, gconstpointer b)
{
  const Entry *x = a, *y = b;

  if (x->prefix != y->prefix)
    return x->prefix < y->prefix ? -1 : 1;
  return compare_keys (x->data, x->key_length, y->data, y->key_length);
}

/* GLib's sort leaves equal ones as they are. */
static void
sort_entries (TallySorter *sorter)
{
  g_array_sort (sorter->entries, compare_entries);
}

static guint64
prefix_of (const GByteArray *key)
{
  guint64 prefix = 0;

  memcpy (&prefix, key->data, MIN (key->len, sizeof prefix));
  return GUINT64_FROM_BE (prefix);
}

static void
keep (TallySorter *sorter, const GByteArray *key, const GByteArray *row)
{
  guint8 *data = tally_arena_alloc (&sorter->arena, (gsize)key->len + row->len);
  Entry entry = { .prefix = prefix_of (key),
                  .data = data,
                  .key_length = key->len,
                  .row_length = row->len };

  memcpy (data, key->data, key->len);
  memcpy (data + key->len, row->data, row->len);
  g_array_append_val (sorter->entries, entry);
  sorter->used += (gsize)key->len + row->len + ENTRY_COST;
}

/* ---- On disk ---- */

static gboolean
complain (const TallySorter *sorter, GError **error)
{
  return tally_throw (error, TALLY_ERROR_IO,
                      "could not keep rows on disk to sort them: %s; SQLITE_TMPDIR or TMPDIR may name "
                      "another folder for temporary files",
                      sqlite3_errmsg (sorter->database));
}

static gboolean
open_database (TallySorter *sorter, GError **error)
{
  if (sorter->database != NULL)
    return TRUE;

  sorter->database = tally_temporary_open (TABLE, sorter->memory / 8, error);
  if (sorter->database == NULL)
    return FALSE;

  return sqlite3_prepare_v2 (sorter->database, "INSERT INTO held VALUES (?, ?, ?)", -1, &sorter->insert, NULL)
             == SQLITE_OK
         || complain (sorter, error);
}

static gboolean
insert_entry (TallySorter *sorter, const Entry *entry, GError **error)
{
  sqlite3_bind_int64 (sorter->insert, 1, ++sorter->n_spilled);
  sqlite3_bind_blob64 (sorter->insert, 2, entry->data, entry->key_length, SQLITE_STATIC);
  sqlite3_bind_blob64 (sorter->insert, 3, entry->data + entry->key_length, entry->row_length,
                       SQLITE_STATIC);
  if (sqlite3_step (sorter->insert) != SQLITE_DONE)
    return complain (sorter, error);

  sqlite3_reset (sorter->insert);
  return TRUE;
}

/* Makes a run of what is in memory. */
static gboolean
spill (TallySorter *sorter, GError **error)
{
  Run run = { .first = sorter->n_spilled + 1 };

  if (sorter->entries->len == 0)
    return TRUE;
  if (!open_database (sorter, error))
    return FALSE;

  sort_entries (sorter);
  for (guint i = 0; i < sorter->entries->len; i++)
    if (!insert_entry (sorter, &g_array_index (sorter->entries, Entry, i), error))
      return FALSE;
  run.last = sorter->n_spilled;
  g_array_append_val (sorter->runs, run);
  g_array_set_size (sorter->entries, 0);
  tally_arena_clear (&sorter->arena);
  sorter->used = 0;
  return TRUE;
}

gboolean
tally_sorter_add (TallySorter *sorter, const GByteArray *key, const GByteArray *row, GError **error)
{
  g_return_val_if_fail (!sorter->is_sorted, FALSE);

  if (sorter->used + key->len + row->len + ENTRY_COST > sorter->memory / 8 * 7
      && !spill (sorter, error))
    return FALSE;

  keep (sorter, key, row);
  return TRUE;
}

/* ---- The merge ---- */

static gboolean
precedes (const Cursor *a, const Cursor *b)
{
  gint order = compare_keys (a->key.data, a->key.length, b->key.data, b->key.length);

  return order != 0 ? order < 0 : a->run < b->run;
}

/* Lets the cursor at place i of the heap sink to where it belongs. */
static void
sink (GArray *heap, guint i)
{
  Cursor *cursors = (Cursor *)(gpointer)heap->data;

  for (;;)
    {
      guint least = i;
      Cursor other;

      for (guint child = 2 * i + 1; child <= 2 * i + 2 && child < heap->len; child++)
        if (precedes (&cursors[child], &cursors[least]))
          least = child;
      if (least == i)
        return;
      other = cursors[i];
      cursors[i] = cursors[least];
      cursors[least] = other;
      i = least;
    }
}

/* ret_more: FALSE after the run's last row. */
static gboolean
advance (const TallySorter *sorter, Cursor *cursor, gboolean *ret_more, GError **error)
{
  int code = sqlite3_step (cursor->rows);

  if (code != SQLITE_ROW && code != SQLITE_DONE)
    return complain (sorter, error);

  *ret_more = code == SQLITE_ROW;
  if (*ret_more)
    {
      cursor->key = (TallyText){ sqlite3_column_blob (cursor->rows, 0),
                                 (gsize)sqlite3_column_bytes (cursor->rows, 0) };
      cursor->row = (TallyText){ sqlite3_column_blob (cursor->rows, 1),
                                 (gsize)sqlite3_column_bytes (cursor->rows, 1) };
    }
  return TRUE;
}

static gboolean
open_cursor (TallySorter *sorter, guint i, GError **error)
{
  const Run *run = &g_array_index (sorter->runs, Run, i);
  Cursor cursor = { .run = i };
  gboolean more;

  if (sqlite3_prepare_v2 (sorter->database,
                          "SELECT key, row FROM held WHERE number BETWEEN ? AND ? ORDER BY number", -1,
                          &cursor.rows, NULL)
      != SQLITE_OK)
    return complain (sorter, error);

  sqlite3_bind_int64 (cursor.rows, 1, run->first);
  sqlite3_bind_int64 (cursor.rows, 2, run->last);
  g_array_append_val (sorter->cursors, cursor);
  return advance (sorter, &g_array_index (sorter->cursors, Cursor, i), &more, error);
}

/* No more comes: what is in memory is sorted there if it is all, and becomes the last run if it is not. */
static gboolean
finish (TallySorter *sorter, GError **error)
{
  sorter->is_sorted = TRUE;
  if (sorter->runs->len == 0)
    {
      sort_entries (sorter);
      return TRUE;
    }
  if (!spill (sorter, error))
    return FALSE;

  for (guint i = 0; i < sorter->runs->len; i++)
    if (!open_cursor (sorter, i, error))
      return FALSE;
  for (guint i = sorter->cursors->len / 2; i-- > 0;)
    sink (sorter->cursors, i);
  return TRUE;
}

static gboolean
next_of_runs (TallySorter *sorter, TallyText *ret_key, TallyText *ret_row, GError **error)
{
  GArray *cursors = sorter->cursors;
  gboolean more = TRUE;

  if (sorter->is_read && !advance (sorter, &g_array_index (cursors, Cursor, 0), &more, error))
    return FALSE;
  if (!more)
    g_array_remove_index_fast (cursors, 0);
  sink (cursors, 0);
  sorter->is_read = cursors->len > 0;
  if (sorter->is_read)
    {
      *ret_key = g_array_index (cursors, Cursor, 0).key;
      *ret_row = g_array_index (cursors, Cursor, 0).row;
    }
  return TRUE;
}

gboolean
tally_sorter_next (TallySorter *sorter, TallyText *ret_key, TallyText *ret_row, GError **error)
{
  const Entry *entry;

  if (!sorter->is_sorted && !finish (sorter, error))
    return FALSE;

  *ret_key = *ret_row = (TallyText){ NULL, 0 };
  if (sorter->runs->len > 0)
    return next_of_runs (sorter, ret_key, ret_row, error);
  if (sorter->next == sorter->entries->len)
    return TRUE;

  entry = &g_array_index (sorter->entries, Entry, sorter->next++);
  *ret_key = (TallyText){ (const char *)entry->data, entry->key_length };
  *ret_row = (TallyText){ (const char *)entry->data + entry->key_length, entry->row_length };
  return TRUE;
}
