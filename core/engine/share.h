/* share.h: what a run claims of a rate limit that other runs use as well, through the ledger */
#pragma once
#include "plugin/gate.h"

/* (transfer full) uri: (nullable) of the ledger. */
TallyShare *tally_share_new (const char *uri, guint flags);
