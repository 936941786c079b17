/* postgresql.c: what the shared object offers */
#include "postgresql.h"

TALLY_REGISTER (&postgresql_source, &postgresql_sink);
