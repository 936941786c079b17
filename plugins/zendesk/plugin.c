/* plugin.c: what this shared object holds */
#include "plugins.h"

TALLY_REGISTER (&zendesk_source, &zendesk_tickets, &zendesk_users, &zendesk_organizations);
