/* spoil.h: what each kind of fault does to a request and to its answer */
#pragma once
#include "exchange.h"

/* The answer of a fault that keeps the request from being done. */
void emu_spoil_instead (EmuExchange *x, const EmuFault *fault);

/* What a fault does to the good answer. */
void emu_spoil_after (EmuExchange *x, const EmuFault *fault);

/* Whether nothing is answered at all. */
gboolean emu_spoil_closes (const EmuFault *fault);

/* The 429, with what is right to say about it.  Takes @retry_after (nullable). */
void emu_spoil_write_limited (EmuAnswer *answer, gboolean text, const char *complaint,
                              char *retry_after);
