/* control.h: what a rehearsal asks of the emulator itself, under /_emulator/ */
#pragma once
#include "exchange.h"

#define EMU_CONTROL_PREFIX "/_emulator/"

/* Answers @x.  TRUE: the answer is the history, from @ret_first on, and not in @x. */
gboolean emu_control (EmuExchange *x, guint *ret_first);
