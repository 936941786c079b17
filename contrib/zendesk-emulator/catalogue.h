/* catalogue.h: what an account has, for who asks before a migration */
#pragma once
#include "exchange.h"

/* A list of the kind that the route names, and one of it. */
void emu_list_reference (EmuExchange *x);
void emu_show_reference (EmuExchange *x);

void emu_list_assignable_groups (EmuExchange *x);
void emu_list_memberships_of_user (EmuExchange *x);
void emu_list_memberships_of_group (EmuExchange *x);
void emu_list_groups_of_user (EmuExchange *x);
void emu_show_current_locale (EmuExchange *x);
void emu_show_settings (EmuExchange *x);
