/* budgets.c: runs that share one rate limit
 *
 * A claim is for one window of the target's clock and ends with it, so nobody has to give back what a run
 * that died did not use.  It is no promise about deliveries: no epoch is needed to make one.
 */
#include "database.h"

/* Windows by which two runs can be apart that see the same clock through answers of another age, also where a window is a second.
 * What is further ahead was claimed by a clock that was wrong, and nobody waits until it is right. */
#define WINDOWS_APART "5"

#define IS_LIVE "budgets.number BETWEEN excluded.number AND excluded.number + " WINDOWS_APART

typedef struct
{
  const char *name;
  gint64 window, ceiling, want;
  gint64 claimed; /* (out) before this one; -1: the window is over */
  gint64 granted; /* (out) */
} Claim;

static gboolean
claim (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  Claim *claim = data;
  g_autoptr (TallyRows) rows = NULL;

  /* The first statement writes, so that others who claim wait. */
  if (!SQL (database, NULL, error,
            "INSERT INTO budgets (name, number, claimed) VALUES (CAST ($1 AS text), CAST ($2 AS bigint), 0) "
            "ON CONFLICT (name) DO UPDATE SET "
            "claimed = CASE WHEN " IS_LIVE " THEN budgets.claimed ELSE 0 END, "
            "number = CASE WHEN " IS_LIVE " THEN budgets.number ELSE excluded.number END",
            SQL_TEXT (claim->name), SQL_INT (claim->window))
      || !SQL (database, &rows, error, "SELECT number, claimed FROM budgets WHERE name = $1", SQL_TEXT (claim->name)))
    return FALSE;
  claim->granted = 0;
  claim->claimed = tally_rows_int (rows, 0, 1);
  if (tally_rows_int (rows, 0, 0) != claim->window)
    {
      claim->claimed = -1;
      return TRUE;
    }
  claim->granted = CLAMP (claim->ceiling - claim->claimed, 0, claim->want);
  return SQL (database, NULL, error, "UPDATE budgets SET claimed = claimed + CAST ($2 AS bigint) WHERE name = $1",
              SQL_TEXT (claim->name), SQL_INT (claim->granted));
}

gboolean
tally_ledger_claim (TallyLedger *ledger, const char *name, gint64 window, gint64 ceiling, gint64 want,
                    gint64 *ret_granted, gint64 *ret_claimed, GError **error)
{
  Claim data = { .name = name, .window = window, .ceiling = ceiling, .want = want };

  if (!tally_ledger_transact (ledger, /* write= */ TRUE, claim, &data, error))
    return FALSE;
  *ret_granted = data.granted;
  *ret_claimed = data.claimed < 0 ? -1 : data.claimed + data.granted;
  return TRUE;
}
