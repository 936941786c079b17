/* newcomers.h: two requests at once that would both make a user of the same address
 *
 * The service does not make them wait for each other: one creates the user, the others are told to
 * come again, or that the address is taken.
 */
#pragma once
#include "exchange.h"

/* Notes whom @x would make a user, or answers it when another request at work is about to. */
void emu_newcomers_enter (EmuExchange *x);
void emu_newcomers_leave (EmuExchange *x);
