/* character.h: options that take one character */
#pragma once
#include <glib.h>

/* Reads one ASCII character, or its name: tab, \t, space, none (NUL).  Fails with TALLY_ERROR_USAGE. */
gboolean csv_character_parse (const char *option, const char *text, guint8 *ret_character, GError **error);
