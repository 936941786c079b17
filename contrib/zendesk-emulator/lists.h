/* lists.h: lists and their pages, by offset and by cursor */
#pragma once
#include "exchange.h"

void emu_list_tickets (EmuExchange *x);
void emu_list_comments (EmuExchange *x);
void emu_show_many (EmuExchange *x);
void emu_export_tickets (EmuExchange *x);
