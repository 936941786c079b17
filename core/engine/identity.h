/* identity.h: whether a pipeline's records are the ones that the ledger knows */
#pragma once
#include "ledger/ledger.h"

/* A record is what it is by target, entity, origin and key.  What is to be told before the first delivery of a scope, if the
 * ledger knows the same entities of the same target by other origins: then a pipeline was perhaps renamed, or its origin
 * changed.  ret_words (transfer full) (nullable): NULL if there is nothing to tell. */
gboolean tally_identity_tell (TallyLedger *ledger, const TallyScope *scope, char **ret_words, GError **error);
