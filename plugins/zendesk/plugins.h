/* plugins.h: the sources and sinks of this folder */
#pragma once
#include <tallyman/plugin.h>

extern const TallyPlugin zendesk_source;        /* source.c */
extern const TallyPlugin zendesk_tickets;       /* sink.c */
extern const TallyPlugin zendesk_users;         /* users.c */
extern const TallyPlugin zendesk_organizations; /* organizations.c */
