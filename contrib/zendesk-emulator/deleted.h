/* deleted.h: tickets that were deleted, and may come back for a while */
#pragma once
#include "exchange.h"

void emu_list_deleted (EmuExchange *x);
void emu_restore_ticket (EmuExchange *x);
void emu_restore_many (EmuExchange *x);
