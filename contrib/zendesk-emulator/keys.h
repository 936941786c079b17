/* keys.h: idempotency keys: what was answered to which, for how long, and who is at work
 *
 * A key is absent, at work (its first request has not ended), or stored with the answer that is
 * repeated.  The stored answer of a creation is not kept as text: as long as the ticket is as it
 * was created, the text is made from it again.  emu_key_freeze() keeps it just before a change.
 */
#pragma once
#include "tickets.h"

#define EMU_DIGEST_SIZE 32
#define EMU_KEY_LENGTH 255

typedef enum
{
  EMU_KEY_ABSENT,
  EMU_KEY_AT_WORK,
  EMU_KEY_STORED
} EmuKeyState;

struct EmuKey
{
  GRefString *text; /* (owned) */
  EmuKeyState state;
  guint at_work;                  /* requests with this key that have not ended */
  guint8 digest[EMU_DIGEST_SIZE]; /* of the request's body */
  gint64 expires;                 /* virtual microseconds */
  EmuTicket *ticket;              /* (unowned) (nullable) whose creation is the answer */
  guint status;                   /* of the stored answer */
  gint64 id;                      /* of the ticket that it tells of; 0: none */
  const char *type;               /* (unowned) (nullable) of that text; NULL: JSON */
  char *stored;                   /* (owned) (nullable) its text, if not made from @ticket */
  GQueue waiting;                 /* of requests (unowned) that wait for the first to end */
};

typedef struct
{
  GHashTable *by_text; /* (owned) text (unowned) to EmuKey (owned) */
  GQueue by_age;       /* of stored EmuKey (unowned), oldest first */
  guint most_at_work;  /* the highest at_work that any key ever had */
} EmuKeys;

EmuKeys *emu_keys_new (void);
void emu_keys_free (EmuKeys *keys);

/* A request with key @text begins, and ends.  Keys that expired by @now are forgotten first. */
EmuKey *emu_keys_enter (EmuKeys *keys, GRefString *text, gint64 now);
void emu_keys_leave (EmuKeys *keys, EmuKey *key);

/* Stores the creation of @ticket, or another answer, under @key, unless another request was faster.
 * @type: (nullable) (unowned): lives as long as the program */
void emu_keys_store_ticket (EmuKeys *keys, EmuKey *key, const guint8 *digest, gint64 expires,
                            EmuTicket *ticket);
void emu_keys_store_text (EmuKeys *keys, EmuKey *key, const guint8 *digest, gint64 expires,
                          guint status, const char *type, const char *text);

/* Keeps @text as the answer from now on, because the ticket is about to change. */
void emu_key_freeze (EmuKey *key, char *text);
