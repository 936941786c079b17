/* json.h: values as JSON, beyond what batch.h gives */
#pragma once
#include <tallyman/batch.h>

/* As tally_batch_append_json() writes a value. */
void tally_json_append_value (TallyType type, gconstpointer value, GString *out);
