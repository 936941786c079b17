/* search-query.h: what a search asks for, and whether a record is that
 *
 *   type:ticket status<solved -tags:spam external_id:"a 1" created>=2026-01-31 print*
 *
 * Terms with one property and a colon are alternatives; all others have to hold together.
 */
#pragma once
#include "emulator.h"

typedef enum
{
  EMU_FOUND_TICKET,
  EMU_FOUND_USER,
  EMU_FOUND_ORGANIZATION,
  EMU_FOUND_GROUP,
  EMU_N_FOUND
} EmuFound;

typedef struct
{
  gboolean negated, prefix;
  char *property; /* (owned) (nullable) NULL: anywhere in the record */
  char op[3];     /* ":", "<", ">", "<=" or ">=" */
  char *value;    /* (owned) */
} EmuTerm;

/* "ticket" */
const char *emu_found_get_name (EmuFound found);

/* (transfer full) (nullable): list of EmuTerm; NULL, with the reason, for what nobody understands.
 */
GPtrArray *emu_search_parse (const char *query, char **ret_reason);

/* Whether records of this type may be what @terms ask for. */
gboolean emu_search_wants (const GPtrArray *terms, EmuFound found);

/* Whether @record, as the service shows it, is. */
gboolean emu_search_matches (const GPtrArray *terms, EmuFound found, json_object *record,
                             const Emulator *emu);
