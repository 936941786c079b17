/* twins.c: mails that have one Message-ID and are not the same
 *
 * Only to tell the user, so the memory is fixed: a place for each Message-ID by its hash, and the newest stays.
 */
#include "twins.h"
#include <string.h>

#define N_PLACES (64 * 1024)

typedef struct
{
  guint64 id, identity; /* hashes */
} Place;

struct _MailTwins
{
  Place places[N_PLACES];
};

MailTwins *
mail_twins_new (void)
{
  return g_new0 (MailTwins, 1);
}

void
mail_twins_free (MailTwins *twins)
{
  g_free (twins);
}

static guint64
hash (const char *text, gsize length)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_MD5);
  guint8 digest[16];
  gsize size = sizeof digest;
  guint64 first;

  g_checksum_update (sum, (const guchar *)text, (gssize)length);
  g_checksum_get_digest (sum, digest, &size);
  memcpy (&first, digest, sizeof first);
  return first;
}

gboolean
mail_twins_met (MailTwins *twins, const char *identity)
{
  const char *end = strrchr (identity, '/');
  Place now, *place;
  gboolean met;

  if (end == NULL)
    return FALSE;
  now = (Place){ hash (identity, (gsize)(end - identity)), hash (identity, strlen (identity)) };
  place = &twins->places[now.id % N_PLACES];
  met = place->id == now.id && place->identity != now.identity;
  *place = now;
  return met;
}
