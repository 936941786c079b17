/* share.c: what a run claims of a rate limit that other runs use as well */
#include "share.h"
#include "ledger/ledger.h"

typedef struct
{
  TallyShare share;
  char *uri; /* (owned) (nullable) */
  TallyLedgerFlags flags;
  TallyLedger *ledger; /* (owned) (nullable) opened by the gate's thread, which alone uses it */
} LedgerShare;

static gboolean
claim (TallyShare *base, const char *name, gint64 window, gint64 ceiling, gint64 want, gint64 *ret_granted,
       gint64 *ret_claimed)
{
  LedgerShare *share = (LedgerShare *) base;

  if (share->ledger == NULL)
    share->ledger = tally_ledger_open (share->uri, share->flags, NULL);
  return share->ledger != NULL
         && tally_ledger_claim (share->ledger, name, window, ceiling, want, ret_granted, ret_claimed, NULL);
}

static void
clear (gpointer data)
{
  LedgerShare *share = data;

  tally_ledger_close (share->ledger);
  g_free (share->uri);
}

TallyShare *
tally_share_new (const char *uri, guint flags)
{
  LedgerShare *share = g_atomic_rc_box_new0 (LedgerShare);

  share->share.claim = claim;
  share->share.clear = clear;
  share->uri = g_strdup (uri);
  share->flags = flags;
  return &share->share;
}
