/* lease.c: who may write: leases, epochs, holders
 *
 * A lease's name points to a writer: an epoch with its holder, its deadline and the serial of its
 * last commit.  Taking a lease over ends the former writer, so that every later write of its finds
 * no writer that is at work, whatever its own clock says.
 */
#include "database.h"
#include <string.h>

#define WRITER_COLUMNS                                                                             \
  "w.host, w.boot_id, w.pid, w.process_started, w.command, micros (w.expires_at), micros "         \
  "(w.ended_at), "                                                                                 \
  "micros (clock_timestamp()), w.epoch"
enum
{
  WRITER_HOST,
  WRITER_BOOT,
  WRITER_PID,
  WRITER_STARTED,
  WRITER_COMMAND,
  WRITER_EXPIRES,
  WRITER_ENDED,
  WRITER_NOW,
  WRITER_EPOCH,
};

static TallyHolder *
holder_from_row (const TallyRows *rows, guint row)
{
  TallyHolder *holder = g_new0 (TallyHolder, 1);

  holder->host = g_strdup (tally_rows_text (rows, row, WRITER_HOST));
  holder->boot_id = g_strdup (tally_rows_text (rows, row, WRITER_BOOT));
  holder->pid = tally_rows_int (rows, row, WRITER_PID);
  holder->started_at = tally_rows_int (rows, row, WRITER_STARTED);
  holder->command = g_strdup (tally_rows_text (rows, row, WRITER_COMMAND));
  return holder;
}

/* Whether the writer can send no more; if so, since when at the latest. */
static gboolean
writer_is_over (const TallyRows *rows, guint row, gint64 *ret_last_send)
{
  g_autoptr (TallyHolder) holder = holder_from_row (rows, row);
  gint64 now = tally_rows_int (rows, row, WRITER_NOW);
  gint64 expires = tally_rows_int (rows, row, WRITER_EXPIRES);

  if (!tally_rows_is_null (rows, row, WRITER_ENDED))
    {
      /* One that was taken over may have gone on until its deadline, or until it was gone. */
      *ret_last_send = tally_rows_int (rows, row, WRITER_ENDED);
      return TRUE;
    }
  *ret_last_send = MIN (expires, now);
  return expires <= now || tally_holder_is_gone (holder);
}

static gboolean
complain_about_holder (const TallyRows *rows, guint row, const char *what, TallyHolder **ret_holder,
                       GError **error)
{
  gint64 until = tally_rows_int (rows, row, WRITER_EXPIRES);
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (until / G_USEC_PER_SEC);
  g_autofree char *text
      = time != NULL ? g_date_time_format (time, "%Y-%m-%d %H:%M:%S UTC") : g_strdup ("?");

  if (ret_holder != NULL)
    *ret_holder = holder_from_row (rows, row);
  return tally_throw (
      error, TALLY_ERROR_LEASE, "%s is held by \"%s\", process %s on %s, until %s unless renewed",
      what, tally_rows_text (rows, row, WRITER_COMMAND), tally_rows_text (rows, row, WRITER_PID),
      tally_rows_text (rows, row, WRITER_HOST), text);
}

/* ---- Taking ---- */

typedef struct
{
  const char *const *names;
  const TallyHolder *self;
  gint64 ttl;
  char *token; /* (owned) by which a later try finds what this one did */
  gint64 epoch;
  gint64 last_send;
  TallyHolder *holder; /* (owned) (nullable) */
} Acquisition;

static gboolean
end_writer (TallyDatabase *database, gint64 epoch, gint64 last_send, GError **error)
{
  return SQL (database, NULL, error,
              "UPDATE writers SET ended_at = moment ($2), ending = 'taken over' WHERE epoch = $1 "
              "AND ended_at IS NULL",
              SQL_INT (epoch), SQL_INT (last_send));
}

/* Takes one lease out of its last holder's hands, if it can be. */
static gboolean
free_lease (TallyDatabase *database, Acquisition *acquisition, const char *name, GError **error)
{
  g_autoptr (TallyRows) rows = NULL;
  g_autofree char *what = g_strdup_printf ("the lease \"%s\"", name);
  gint64 last_send;

  /* The update waits for a commit of the holder's that is under way, and then sees what it did to
   * the deadline. */
  if (!SQL (database, NULL, error,
            "UPDATE writers SET serial = serial WHERE epoch IN (SELECT epoch FROM leases WHERE "
            "name = $1)",
            SQL_TEXT (name))
      || !SQL (database, &rows, error,
               "SELECT " WRITER_COLUMNS
               " FROM leases l JOIN writers w ON w.epoch = l.epoch WHERE l.name = $1",
               SQL_TEXT (name)))
    return FALSE;
  if (rows->n_rows == 0)
    return TRUE;
  if (!writer_is_over (rows, 0, &last_send))
    {
      g_clear_pointer (&acquisition->holder, tally_holder_free);
      return complain_about_holder (rows, 0, what, &acquisition->holder, error);
    }

  acquisition->last_send = MAX (acquisition->last_send, last_send);
  return end_writer (database, tally_rows_int (rows, 0, WRITER_EPOCH), last_send, error);
}

static gboolean
add_writer (TallyDatabase *database, Acquisition *acquisition, GError **error)
{
  const TallyHolder *self = acquisition->self;
  g_autoptr (TallyRows) rows = NULL;

  if (!SQL (database, &rows, error,
            "INSERT INTO writers (token, host, boot_id, pid, process_started, command, "
            "acquired_at, expires_at) "
            "SELECT CAST ($1 AS text), CAST ($2 AS text), CAST ($3 AS text), CAST ($4 AS bigint), "
            "CAST ($5 AS bigint), CAST ($6 AS text), n.now, moment (micros (n.now) + CAST ($7 AS "
            "bigint)) "
            "FROM (SELECT clock_timestamp() AS now) n RETURNING epoch",
            SQL_TEXT (acquisition->token), SQL_TEXT (self->host), SQL_TEXT (self->boot_id),
            SQL_INT (self->pid), SQL_INT (self->started_at), SQL_TEXT (self->command),
            SQL_INT (acquisition->ttl)))
    return FALSE;
  acquisition->epoch = tally_rows_int (rows, 0, 0);
  return TRUE;
}

static gboolean
acquire (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  Acquisition *acquisition = data;
  g_autoptr (TallyRows) mine = NULL;

  if (!tally_ledger_lock (database, error)
      || !SQL (database, &mine, error, "SELECT epoch FROM writers WHERE token = $1",
               SQL_TEXT (acquisition->token)))
    return FALSE;
  if (mine->n_rows > 0)
    {
      acquisition->epoch = tally_rows_int (mine, 0, 0);
      return TRUE;
    }

  acquisition->last_send = 0;
  for (const char *const *name = acquisition->names; *name != NULL; name++)
    if (!free_lease (database, acquisition, *name, error))
      return FALSE;
  if (!add_writer (database, acquisition, error))
    return FALSE;
  for (const char *const *name = acquisition->names; *name != NULL; name++)
    if (!SQL (database, NULL, error,
              "INSERT INTO leases (name, epoch) VALUES ($1, $2) "
              "ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch",
              SQL_TEXT (*name), SQL_INT (acquisition->epoch)))
      return FALSE;
  return TRUE;
}

gboolean
tally_ledger_acquire (TallyLedger *ledger, const char *const *names, const TallyHolder *self,
                      gint64 ttl, gint64 *ret_epoch, gint64 *ret_last_send,
                      TallyHolder **ret_holder, GError **error)
{
  g_autofree char *token = tally_random_id ();
  Acquisition acquisition = { .names = names, .self = self, .ttl = ttl, .token = token };
  gboolean taken;

  g_return_val_if_fail (names[0] != NULL && ttl > 0, FALSE);
  taken = tally_ledger_transact (ledger, /* write= */ TRUE, acquire, &acquisition, error);
  if (taken)
    {
      *ret_epoch = acquisition.epoch;
      *ret_last_send = acquisition.last_send;
    }
  else if (ret_holder != NULL)
    *ret_holder = g_steal_pointer (&acquisition.holder);
  tally_holder_free (acquisition.holder);
  return taken;
}

static gboolean
check_leases (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  const char *const *names = data;

  for (; *names != NULL; names++)
    {
      g_autoptr (TallyRows) rows = NULL;
      g_autofree char *what = g_strdup_printf ("the lease \"%s\"", *names);
      gint64 last_send;

      if (!SQL (database, &rows, error,
                "SELECT " WRITER_COLUMNS
                " FROM leases l JOIN writers w ON w.epoch = l.epoch WHERE l.name = $1",
                SQL_TEXT (*names)))
        return FALSE;
      if (rows->n_rows > 0 && !writer_is_over (rows, 0, &last_send))
        return complain_about_holder (rows, 0, what, NULL, error);
    }
  return TRUE;
}

gboolean
tally_ledger_check_leases (TallyLedger *ledger, const char *const *names, GError **error)
{
  return tally_ledger_transact (ledger, /* write= */ FALSE, check_leases, (gpointer) names, error);
}

/* ---- Keeping, and giving back ---- */

typedef struct
{
  gint64 epoch;
  gint64 ttl;
} Term;

static gboolean
renew (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  const Term *term = data;

  return tally_ledger_check_epoch (database, term->epoch, error)
         && SQL (database, NULL, error,
                 "UPDATE writers SET expires_at = moment (micros (clock_timestamp()) + CAST ($2 AS "
                 "bigint)) "
                 "WHERE epoch = $1",
                 SQL_INT (term->epoch), SQL_INT (term->ttl));
}

gboolean
tally_ledger_renew (TallyLedger *ledger, gint64 epoch, gint64 ttl, GError **error)
{
  Term term = { .epoch = epoch, .ttl = ttl };

  return tally_ledger_transact (ledger, /* write= */ TRUE, renew, &term, error);
}

static gboolean
release (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  const Term *term = data;
  g_autoptr (TallyRows) rows = NULL;

  if (!SQL (database, &rows, error,
            "SELECT epoch FROM writers WHERE epoch = $1 AND ending = 'released'",
            SQL_INT (term->epoch)))
    return FALSE;
  if (rows->n_rows > 0)
    return TRUE;
  return tally_ledger_check_epoch (database, term->epoch, error)
         && SQL (database, NULL, error,
                 "UPDATE writers SET ended_at = clock_timestamp(), ending = 'released' WHERE epoch "
                 "= $1",
                 SQL_INT (term->epoch));
}

gboolean
tally_ledger_release (TallyLedger *ledger, gint64 epoch, GError **error)
{
  Term term = { .epoch = epoch };

  return tally_ledger_transact (ledger, /* write= */ TRUE, release, &term, error);
}

gboolean
tally_ledger_check_idle (TallyDatabase *database, const char *condition, const char *value,
                         GError **error)
{
  g_autofree char *sql = g_strdup_printf ("SELECT " WRITER_COLUMNS
                                          " FROM runs r JOIN writers w ON w.epoch = r.epoch "
                                          "WHERE r.ended_at IS NULL AND w.ended_at IS NULL AND %s",
                                          condition);
  g_autoptr (TallyRows) rows = NULL;

  if (!SQL (database, &rows, error, sql, SQL_TEXT (value)))
    return FALSE;
  for (guint i = 0; i < rows->n_rows; i++)
    {
      gint64 last_send;
      if (!writer_is_over (rows, i, &last_send))
        return complain_about_holder (rows, i, "a run is at work: its lease", NULL, error);
    }
  return TRUE;
}

gboolean
tally_ledger_epoch_is_over (TallyDatabase *database, gint64 epoch, gboolean *ret_over,
                            GError **error)
{
  g_autoptr (TallyRows) rows = NULL;
  gint64 last_send;

  if (!SQL (database, &rows, error, "SELECT " WRITER_COLUMNS " FROM writers w WHERE w.epoch = $1",
            SQL_INT (epoch)))
    return FALSE;
  *ret_over = rows->n_rows == 0 || writer_is_over (rows, 0, &last_send);
  return TRUE;
}
