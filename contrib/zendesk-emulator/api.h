/* api.h: which path does what */
#pragma once
#include "exchange.h"

/* Credentials and limits: answers the request if it may not go on. */
void emu_api_admit (EmuExchange *x);

/* Does what the request asks, and answers it. */
void emu_api_act (EmuExchange *x);
