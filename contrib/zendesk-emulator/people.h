/* people.h: what the deeds to users and to their identities have in common */
#pragma once
#include "users.h"

/* Whether @value can be one of @owner's (nullable) addresses; what is against it is filed under
 * @field, and begins with @label. */
void emu_check_address (const EmuUsers *users, const EmuUser *owner, const char *field,
                        const char *label, const char *type, const char *value,
                        EmuProblems *problems);
