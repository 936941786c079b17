/* plugin.c: what this shared object holds */
#include "sinks.h"

TALLY_REGISTER (&email_sink);
