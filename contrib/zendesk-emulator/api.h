/* api.h: which path does what */
#pragma once
#include "exchange.h"

typedef struct
{
  const char *method, *route; /* # is a number, * a word at the end; the last has no method */
  void (*act) (EmuExchange *x);
  EmuBucketKind bucket; /* beside the account's */
  EmuBucketKind each;   /* of each record */
} EmuRoute;

extern const EmuRoute emu_user_routes[], emu_organization_routes[], emu_bulk_routes[],
    emu_export_routes[], emu_search_routes[], emu_list_routes[], emu_ticket_part_routes[];

/* FALSE, with an answer, when the body is no JSON. */
gboolean emu_api_has_json (EmuExchange *x);

/* (nullable) (unowned): the ticket of the route, if it is there and not deleted; NULL with an
 * answer */
EmuTicket *emu_api_find_ticket (EmuExchange *x);

/* Credentials and limits: answers the request if it may not go on. */
void emu_api_admit (EmuExchange *x);

/* Does what the request asks, and answers it. */
void emu_api_act (EmuExchange *x);
