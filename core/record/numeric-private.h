/* numeric-private.h: what the files about exact decimals share */
#pragma once
#include "numeric.h"

/* PostgreSQL's limits. */
#define TALLY_NUMERIC_MAX_RESULT_SCALE 2000
#define TALLY_NUMERIC_MAX_DISPLAY_SCALE 1000
#define TALLY_NUMERIC_MIN_SIGNIFICANT 16

/* For an exponent that is not whole, or too large to multiply so often; a negative base has a whole
 * one. */
gboolean tally_numeric_power_by_ln (TallyText base, TallyText exponent, TallyBatch *batch,
                                    TallyText *ret_value, GError **error);
