/* metrics.h: the measures of a ticket
 *
 * Only what needs no working day is measured: when things happened, and how often.  The service
 * measures nothing for imported tickets either.
 */
#pragma once
#include "exchange.h"

void emu_show_metrics (EmuExchange *x);

void emu_metrics_write (const Emulator *emu, const EmuTicket *ticket, GString *out);
