/* limit-headers.h: what an answer tells of the limits, in the spellings of different years */
#pragma once
#include "exchange.h"

/* Adds the headers that tell of the account's limit and of those of the request's endpoint. */
void emu_limit_headers_add (EmuExchange *x);

/* Adds what tells of one limit of an endpoint. */
void emu_limit_headers_add_one (EmuExchange *x, const char *name, const EmuBudget *budget);
