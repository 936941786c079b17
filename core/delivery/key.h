/* key.h: what identifies a record, here and in the target */
#pragma once
#include <tallyman/error.h>
#include <tallyman/types.h>

#define TALLY_KEY_MOST 200       /* bytes of a source's key */
#define TALLY_REFERENCE_MOST 255 /* bytes of origin, colon and key */
#define TALLY_HASH_LENGTH 64     /* a SHA-256 in hexadecimal digits */

typedef struct
{
  const char *ledger_id;
  const char *target;
  const char *entity;
  const char *origin;
} TallyKeyRealm;

/* The key without the blanks around it.  NULL with TALLY_ERROR_DATA if it is empty, too long, not
 * UTF-8 or has a control character in it.  (transfer full) */
char *tally_key_normalise (TallyText text, const char *origin, GError **error);
/* R2: from the record alone; never from the run, the time or the body. */
void tally_key_idempotency (const TallyKeyRealm *realm, const char *key, guint generation,
                            char ret_key[TALLY_HASH_LENGTH + 1]);
/* (transfer full) SHA-256 in hexadecimal digits. */
char *tally_key_hash (gconstpointer data, gsize length);
