/* csv.c: a source and a sink for comma-separated values */
#include "csv.h"

TALLY_REGISTER (&csv_source, &csv_sink);
