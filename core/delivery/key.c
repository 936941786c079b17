/* key.c: what identifies a record, here and in the target */
#include "key.h"
#include <string.h>

/* Each part with its length in front, so that no two lists of parts give the same bytes. */
static void
key_add_part (GChecksum *sum, const char *part)
{
  guint64 length = strlen (part);
  guint64 prefix = GUINT64_TO_BE (length);

  g_checksum_update (sum, (const guchar *)&prefix, sizeof prefix);
  g_checksum_update (sum, (const guchar *)part, (gssize)length);
}

void
tally_key_idempotency (const TallyKeyRealm *realm, const char *key, guint generation,
                       char ret_key[TALLY_HASH_LENGTH + 1])
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  guint64 number = GUINT64_TO_BE ((guint64)generation);

  key_add_part (sum, realm->ledger_id);
  key_add_part (sum, realm->target);
  key_add_part (sum, realm->entity);
  key_add_part (sum, realm->origin);
  key_add_part (sum, key);
  g_checksum_update (sum, (const guchar *)&number, sizeof number);
  memcpy (ret_key, g_checksum_get_string (sum), TALLY_HASH_LENGTH + 1);
}

char *
tally_key_hash (gconstpointer data, gsize length)
{
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, data, length);
}

static gboolean
key_is_blank (char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static gboolean
key_has_control (const char *key)
{
  for (const char *at = key; *at != '\0'; at = g_utf8_next_char (at))
    if (g_unichar_iscntrl (g_utf8_get_char (at)))
      return TRUE;
  return FALSE;
}

char *
tally_key_normalise (TallyText text, const char *origin, GError **error)
{
  gsize most = MIN (TALLY_KEY_MOST, TALLY_REFERENCE_MOST - 1 - MIN (strlen (origin), 254));

  while (text.length > 0 && key_is_blank (text.data[text.length - 1]))
    text.length--;
  while (text.length > 0 && key_is_blank (text.data[0]))
    {
      text.data++;
      text.length--;
    }

  if (text.length == 0)
    return tally_throw (error, TALLY_ERROR_DATA, "the key is empty"), NULL;
  if (text.length > most)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "the key has %" G_GSIZE_FORMAT " bytes, most are %" G_GSIZE_FORMAT,
                        text.length, most),
           NULL;
  if (!g_utf8_validate_len (text.data, text.length, NULL))
    return tally_throw (error, TALLY_ERROR_DATA, "the key is not valid UTF-8"), NULL;

  g_autofree char *key = tally_text_dup (text);
  if (key_has_control (key))
    {
      g_autofree char *shown = g_strescape (key, NULL);
      return tally_throw (error, TALLY_ERROR_DATA, "the key \"%s\" has a control character in it",
                          shown),
             NULL;
    }
  return g_steal_pointer (&key);
}
