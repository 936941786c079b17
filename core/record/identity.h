/* identity.h: bytes that are the same exactly for values that PostgreSQL calls equal
 *
 * For what tells rows apart without comparing each with each.  As with DISTINCT, NULL is equal to NULL.
 */
#pragma once
#include <tallyman/batch.h>

/* Appends them for a value, or for NULL.  One value's bytes never begin another's of the same type, so that
 * those of several columns may stand one behind the other. */
void tally_identity_append (const TallyBatch *batch, guint row, guint column, GString *out);
/* The same for a value wherever it is.  value: (nullable) of type, as a batch's column holds it; NULL is NULL. */
void tally_identity_append_value (TallyType type, gconstpointer value, GString *out);
