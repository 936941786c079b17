/* files.h: sending files, and getting them back */
#pragma once
#include "exchange.h"

#define EMU_CONTENT_PREFIX "/attachments/"

void emu_send_file (EmuExchange *x);
void emu_delete_upload (EmuExchange *x);
void emu_show_attachment (EmuExchange *x);

/* Whether the path is that of a file's content, which needs no credentials. */
gboolean emu_is_content (const EmuExchange *x);
void emu_show_content (EmuExchange *x);

/* Whether the request is made where credentials do not belong, but has some. */
gboolean emu_is_leak (const EmuExchange *x);
