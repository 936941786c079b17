/* comments.h: what was said in a ticket, and what was done to it */
#pragma once
#include "exchange.h"

void emu_list_comments (EmuExchange *x);
void emu_list_audits (EmuExchange *x);
void emu_show_audit (EmuExchange *x);
