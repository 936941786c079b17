/* identity.h: whether a pipeline's records are the ones that the ledger knows */
#pragma once
#include "ledger/ledger.h"
#include <tallyman/context.h>

/* A record is what it is by target, entity, origin and key.  Warns before the first delivery of a scope, if the
 * ledger knows the same entities of the same target by other origins: then a pipeline was perhaps renamed, or its origin
 * changed. */
gboolean tally_identity_tell (TallyLedger *ledger, const TallyScope *scope, TallyContext *ctx, GError **error);
