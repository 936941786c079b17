/* checkpoint.h: what a sink keeps beside its rows, in the same transaction
 *
 * The ledger learns of a commit only after it.  A crash between the two leaves rows that the ledger
 * knows nothing of: the checkpoint says how far they reach, and which rejects came with them.  It
 * is one text, which means nothing to the sink.
 */
#pragma once
#include "ledger/ledger.h"

typedef struct
{
  gint64 pass, run;        /* the ledger's numbers */
  char *position;          /* (owned) (nullable) of the source, after the rows */
  gboolean complete;       /* nothing comes after the rows */
  guint64 n_rejects_before; /* rejects of the pass that the ledger had before this commit */
  GArray *rejects;         /* (owned) (element-type TallyReject) those that came with the rows */
} TallyCheckpoint;

char *tally_checkpoint_format (const TallyCheckpoint *checkpoint);
/* Fails with TALLY_ERROR_DATA: it is no checkpoint. */
gboolean tally_checkpoint_parse (const char *text, TallyCheckpoint *ret_checkpoint, GError **error);
/* May be zeroed. */
void tally_checkpoint_clear (TallyCheckpoint *checkpoint);
