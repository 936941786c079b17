/* threads.c: a union of sets whose trees are rows
 *
 * Each name points up at another of its conversation, and one of them, the least number, at itself.  Whoever follows such a path lets
 * all on it point at its end, so that paths stay short whatever comes.
 */
#include "threads.h"
#include "temporary.h"

#define TABLE                                                                                                              \
  "CREATE TABLE names (number INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, up INTEGER, answers INTEGER NOT NULL DEFAULT 0, " \
  "title INTEGER); BEGIN"

typedef enum
{
  FIND,
  ADD,
  UP,
  POINT,
  ANSWERS,
  IN_ORDER,
  ENTITLE,
  TITLE,
  N_STATEMENTS
} Statement;

static const char *const statements[N_STATEMENTS] = {
  [FIND] = "SELECT number FROM names WHERE name = ?",
  [ADD] = "INSERT INTO names (name) VALUES (?)",
  [UP] = "SELECT up FROM names WHERE number = ?",
  [POINT] = "UPDATE names SET up = ? WHERE number = ?",
  [ANSWERS] = "UPDATE names SET answers = 1 WHERE number = ? AND answers = 0",
  [IN_ORDER] = "SELECT number FROM names ORDER BY answers, name",
  [ENTITLE] = "UPDATE names SET title = ? WHERE number = ? AND title IS NULL",
  [TITLE] = "SELECT name FROM names WHERE number = (SELECT title FROM names WHERE number = ?)",
};

struct _TallyThreads
{
  sqlite3 *database;                    /* (owned) */
  sqlite3_stmt *prepared[N_STATEMENTS]; /* (owned) */
  GArray *path;                         /* (owned) (element-type gint64) scratch */
};

TallyThreads *
tally_threads_new (gsize memory, GError **error)
{
  g_autoptr (TallyThreads) threads = g_new0 (TallyThreads, 1);

  threads->path = g_array_new (FALSE, FALSE, sizeof (gint64));
  threads->database = tally_temporary_open (TABLE, memory, error);
  if (threads->database == NULL || !tally_temporary_prepare (threads->database, statements, N_STATEMENTS, threads->prepared, error))
    return NULL;
  return g_steal_pointer (&threads);
}

void
tally_threads_free (TallyThreads *threads)
{
  if (threads == NULL)
    return;

  for (guint i = 0; i < N_STATEMENTS; i++)
    sqlite3_finalize (threads->prepared[i]);
  sqlite3_close (threads->database);
  g_array_unref (threads->path);
  g_free (threads);
}

/* ---- Statements ---- */

/* One that changes rows by up to two numbers. */
static gboolean
change (TallyThreads *threads, Statement which, gint64 first, gint64 second, GError **error)
{
  sqlite3_stmt *statement = threads->prepared[which];

  sqlite3_bind_int64 (statement, 1, first);
  if (sqlite3_bind_parameter_count (statement) > 1)
    sqlite3_bind_int64 (statement, 2, second);
  return tally_temporary_step (statement, NULL, error);
}

/* A number that stands in a row; 0 if there is none. */
static gboolean
ask (TallyThreads *threads, Statement which, gint64 *ret_number, GError **error)
{
  sqlite3_stmt *statement = threads->prepared[which];
  gboolean has_row;

  if (!tally_temporary_step (statement, &has_row, error))
    return FALSE;
  *ret_number = has_row ? sqlite3_column_int64 (statement, 0) : 0;
  sqlite3_reset (statement);
  return TRUE;
}

/* ---- Conversations ---- */

gboolean
tally_threads_find (TallyThreads *threads, TallyText name, gint64 *ret_number, GError **error)
{
  sqlite3_bind_blob64 (threads->prepared[FIND], 1, name.data, name.length, SQLITE_STATIC);
  if (!ask (threads, FIND, ret_number, error))
    return FALSE;
  if (*ret_number != 0)
    return TRUE;
  sqlite3_bind_blob64 (threads->prepared[ADD], 1, name.data, name.length, SQLITE_STATIC);
  if (!tally_temporary_step (threads->prepared[ADD], NULL, error))
    return FALSE;
  *ret_number = sqlite3_last_insert_rowid (threads->database);
  return TRUE;
}

/* The end of the path from a number on, at which all on it point then. */
static gboolean
find_end (TallyThreads *threads, gint64 number, gint64 *ret_end, GError **error)
{
  gint64 up;

  g_array_set_size (threads->path, 0);
  for (*ret_end = number;; *ret_end = up)
    {
      sqlite3_bind_int64 (threads->prepared[UP], 1, *ret_end);
      if (!ask (threads, UP, &up, error))
        return FALSE;
      if (up == 0)
        break;
      g_array_append_val (threads->path, *ret_end);
    }
  /* The last one does already. */
  for (guint i = 0; i + 1 < threads->path->len; i++)
    if (!change (threads, POINT, *ret_end, g_array_index (threads->path, gint64, i), error))
      return FALSE;
  return TRUE;
}

gboolean
tally_threads_link (TallyThreads *threads, gint64 parent, gint64 child, GError **error)
{
  gint64 a, b;

  return change (threads, ANSWERS, child, 0, error) && find_end (threads, parent, &a, error)
         && find_end (threads, child, &b, error) && (a == b || change (threads, POINT, MIN (a, b), MAX (a, b), error));
}

/* In this order the first of each conversation gives it its name. */
gboolean
tally_threads_finish (TallyThreads *threads, guint most, gboolean *ret_done, GError **error)
{
  sqlite3_stmt *in_order = threads->prepared[IN_ORDER];
  gboolean has_row = TRUE;
  gint64 number, end;

  for (guint n = 0; n < most && has_row; n++)
    {
      if (!tally_temporary_step (in_order, &has_row, error))
        return FALSE;
      number = has_row ? sqlite3_column_int64 (in_order, 0) : 0;
      if (has_row && !(find_end (threads, number, &end, error) && change (threads, ENTITLE, number, end, error)))
        return FALSE;
    }
  *ret_done = !has_row;
  return TRUE;
}

gboolean
tally_threads_get (TallyThreads *threads, gint64 number, TallyText *ret_name, GError **error)
{
  sqlite3_stmt *title = threads->prepared[TITLE];
  gboolean has_row;
  gint64 end;

  if (!find_end (threads, number, &end, error))
    return FALSE;
  sqlite3_reset (title);
  sqlite3_bind_int64 (title, 1, end);
  if (!tally_temporary_step (title, &has_row, error))
    return FALSE;
  g_assert (has_row);
  *ret_name = (TallyText){ sqlite3_column_blob (title, 0), (gsize)sqlite3_column_bytes (title, 0) };
  return TRUE;
}
