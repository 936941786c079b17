/* rejects.c: what source and steps refused, and the counts for `status` */
#include "database.h"

#define PAGE 200

typedef struct
{
  const char *pipeline;
  gint64 after;
  TallyRows *rows; /* (owned) */
} RejectPages;

static gboolean
read_page (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  RejectPages *pages = data;

  g_clear_pointer (&pages->rows, tally_rows_free);
  return SQL (database, &pages->rows, error,
              "SELECT id, run, micros (at), pipeline, origin, stage, reason, record FROM rejects "
              "WHERE id > $2 AND (CAST ($1 AS text) IS NULL OR pipeline = $1) ORDER BY id LIMIT $3",
              SQL_TEXT (pages->pipeline), SQL_INT (pages->after), SQL_INT (PAGE));
}

static gboolean
hand_out_page (RejectPages *pages, TallyLedgerEachReject each, gpointer data, GError **error)
{
  for (guint i = 0; i < pages->rows->n_rows; i++)
    {
      const TallyLedgerReject reject = {
        .id = tally_rows_int (pages->rows, i, 0),
        .run = tally_rows_int (pages->rows, i, 1),
        .at = tally_rows_int (pages->rows, i, 2),
        .pipeline = (char *)tally_rows_text (pages->rows, i, 3),
        .reject.origin = (char *)tally_rows_text (pages->rows, i, 4),
        .reject.stage = (char *)tally_rows_text (pages->rows, i, 5),
        .reject.reason = (char *)tally_rows_text (pages->rows, i, 6),
        .reject.record = (char *)tally_rows_text (pages->rows, i, 7),
      };

      pages->after = reject.id;
      if (!each (&reject, data, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
tally_ledger_each_reject (TallyLedger *ledger, const char *pipeline, TallyLedgerEachReject each,
                          gpointer data, GError **error)
{
  RejectPages pages = { .pipeline = pipeline };
  gboolean good;

  do
    good = tally_ledger_transact (ledger, /* write= */ FALSE, read_page, &pages, error)
           && hand_out_page (&pages, each, data, error);
  while (good && pages.rows->n_rows == PAGE);

  tally_rows_free (pages.rows);
  return good;
}

typedef struct
{
  const char *pipeline;
  guint n;
} Retry;

static gboolean
retry_rejects (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  Retry *retry = data;
  g_autoptr (TallyRows) known = NULL, rows = NULL;

  if (!tally_ledger_lock (database, error)
      || !SQL (database, &known, error, "SELECT name FROM pipelines WHERE name = $1",
               SQL_TEXT (retry->pipeline)))
    return FALSE;
  if (known->n_rows == 0)
    return tally_throw (error, TALLY_ERROR_USAGE, "the ledger knows no pipeline \"%s\"",
                        retry->pipeline);
  if (!tally_ledger_check_idle (database, "r.pipeline = $1", retry->pipeline, error)
      || !SQL (database, &rows, error, "SELECT count (*) FROM rejects WHERE pipeline = $1",
               SQL_TEXT (retry->pipeline)))
    return FALSE;

  retry->n = tally_rows_int (rows, 0, 0);
  return SQL (database, NULL, error, "DELETE FROM rejects WHERE pipeline = $1",
              SQL_TEXT (retry->pipeline))
         && SQL (database, NULL, error,
                 "UPDATE pipelines SET position = NULL, pass = NULL WHERE name = $1",
                 SQL_TEXT (retry->pipeline));
}

gboolean
tally_ledger_retry_rejects (TallyLedger *ledger, const char *pipeline, guint *ret_n, GError **error)
{
  Retry retry = { .pipeline = pipeline };

  if (!tally_ledger_transact (ledger, /* write= */ TRUE, retry_rejects, &retry, error))
    return FALSE;
  *ret_n = retry.n;
  return TRUE;
}

static gboolean
discard_reject (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  const gint64 *id = data;
  g_autoptr (TallyRows) rows = NULL;

  if (!SQL (database, &rows, error, "DELETE FROM rejects WHERE id = $1 RETURNING id",
            SQL_INT (*id)))
    return FALSE;
  if (rows->n_rows == 0 && tries == 0)
    return tally_throw (error, TALLY_ERROR_USAGE, "there is no reject %" G_GINT64_FORMAT, *id);
  return TRUE;
}

gboolean
tally_ledger_discard_reject (TallyLedger *ledger, gint64 id, GError **error)
{
  return tally_ledger_transact (ledger, /* write= */ TRUE, discard_reject, &id, error);
}

/* ---- Counts ---- */

typedef struct
{
  const char *pipeline;
  TallyLedgerTotals totals;
} Count;

static gboolean
count_all (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  Count *count = data;
  g_autoptr (TallyRows) rows = NULL, rejects = NULL;

  if (!SQL (database, &rows, error,
            "SELECT state, count (*) FROM deliveries WHERE CAST ($1 AS text) IS NULL "
            "OR run IN (SELECT id FROM runs WHERE pipeline = $1) GROUP BY state",
            SQL_TEXT (count->pipeline))
      || !SQL (database, &rejects, error,
               "SELECT count (*) FROM rejects WHERE CAST ($1 AS text) IS NULL OR pipeline = $1",
               SQL_TEXT (count->pipeline)))
    return FALSE;

  count->totals = (TallyLedgerTotals){ .rejects = tally_rows_int (rejects, 0, 0) };
  for (guint i = 0; i < rows->n_rows; i++)
    {
      TallyDeliveryState state;

      if (!tally_delivery_state_from_name (tally_rows_text (rows, i, 0), &state))
        continue;
      if (tally_delivery_state_is_unsettled (state))
        count->totals.unsettled += tally_rows_int (rows, i, 1);
      else if (state == TALLY_DELIVERY_DELIVERED)
        count->totals.delivered += tally_rows_int (rows, i, 1);
      else if (state == TALLY_DELIVERY_REJECTED)
        count->totals.rejected += tally_rows_int (rows, i, 1);
      else if (state == TALLY_DELIVERY_DISCARDED)
        count->totals.discarded += tally_rows_int (rows, i, 1);
    }
  return TRUE;
}

gboolean
tally_ledger_total (TallyLedger *ledger, const char *pipeline, TallyLedgerTotals *ret_totals,
                    GError **error)
{
  Count count = { .pipeline = pipeline };

  if (!tally_ledger_transact (ledger, /* write= */ FALSE, count_all, &count, error))
    return FALSE;
  *ret_totals = count.totals;
  return TRUE;
}
