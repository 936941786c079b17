/* http.h: the HTTP server in front of the emulator
 *
 * One thread does everything: it waits for sockets and for the next timer, so that nothing in the
 * emulator needs a lock.  A request that has to wait is suspended and resumed.
 */
#pragma once
#include "emulator.h"

typedef struct
{
  char *host;       /* (owned) address to listen on */
  guint port;       /* 0: any */
  char *port_file;  /* (owned) (nullable) */
  char *cert, *key; /* (owned) (nullable) PEM texts; both or none */
} EmuListen;

/* Listens, says so on standard output, and serves until it is told to stop. */
gboolean emu_http_serve (Emulator *emu, const EmuListen *listen, GError **error);
