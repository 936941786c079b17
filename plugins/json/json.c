/* json.c: a source and a sink for JSON lines and arrays of objects */
#include "json.h"

TALLY_REGISTER (&json_source, &json_sink);
