/* lists.h: the lists of tickets */
#pragma once
#include "exchange.h"

void emu_list_tickets (EmuExchange *x);
void emu_show_many (EmuExchange *x);
