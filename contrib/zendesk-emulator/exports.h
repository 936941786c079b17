/* exports.h: everything that changed since some time */
#pragma once
#include "exchange.h"

void emu_export_tickets_by_cursor (EmuExchange *x);
void emu_export_tickets_by_time (EmuExchange *x);
void emu_export_ticket_events (EmuExchange *x);
void emu_sample_tickets (EmuExchange *x);
void emu_sample_ticket_events (EmuExchange *x);
