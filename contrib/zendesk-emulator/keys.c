/* keys.c: idempotency keys: what was answered to which, for how long, and who is at work */
#include "keys.h"

#include <string.h>

static void
forget_answer (EmuKey *key)
{
  if (key->ticket != NULL)
    key->ticket->key = NULL;
  key->ticket = NULL;
  key->state = EMU_KEY_ABSENT;
  g_clear_pointer (&key->stored, g_free);
}

static void
key_free (gpointer data)
{
  EmuKey *key = data;

  forget_answer (key);
  g_queue_clear (&key->waiting);
  g_ref_string_release (key->text);
  g_free (key);
}

EmuKeys *
emu_keys_new (void)
{
  EmuKeys *keys = g_new0 (EmuKeys, 1);

  keys->by_text = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, key_free);
  g_queue_init (&keys->by_age);
  return keys;
}

void
emu_keys_free (EmuKeys *keys)
{
  if (keys == NULL)
    return;
  g_queue_clear (&keys->by_age);
  g_hash_table_unref (keys->by_text);
  g_free (keys);
}

static void
drop_if_unused (EmuKeys *keys, EmuKey *key)
{
  if (key->state == EMU_KEY_ABSENT && key->at_work == 0)
    g_hash_table_remove (keys->by_text, key->text);
}

/* Lives are all the same, so the oldest expire first; each is looked at once. */
static void
expire (EmuKeys *keys, gint64 now)
{
  EmuKey *oldest;

  while ((oldest = g_queue_peek_head (&keys->by_age)) != NULL && oldest->expires <= now)
    {
      g_queue_pop_head (&keys->by_age);
      forget_answer (oldest);
      drop_if_unused (keys, oldest);
    }
}

EmuKey *
emu_keys_enter (EmuKeys *keys, GRefString *text, gint64 now)
{
  EmuKey *key;

  expire (keys, now);
  key = g_hash_table_lookup (keys->by_text, text);
  if (key == NULL)
    {
      key = g_new0 (EmuKey, 1);
      key->text = g_ref_string_acquire (text);
      g_queue_init (&key->waiting);
      g_hash_table_insert (keys->by_text, key->text, key);
    }
  key->at_work++;
  keys->most_at_work = MAX (keys->most_at_work, key->at_work);
  return key;
}

void
emu_keys_leave (EmuKeys *keys, EmuKey *key)
{
  key->at_work--;
  drop_if_unused (keys, key);
}

/* FALSE when there is an answer already. */
static gboolean
store (EmuKeys *keys, EmuKey *key, const guint8 *digest, gint64 expires, guint status)
{
  if (key->state == EMU_KEY_STORED)
    return FALSE;
  key->state = EMU_KEY_STORED;
  key->expires = expires;
  key->status = status;
  key->id = 0;
  key->type = NULL;
  memcpy (key->digest, digest, EMU_DIGEST_SIZE);
  g_queue_push_tail (&keys->by_age, key);
  return TRUE;
}

void
emu_keys_store_ticket (EmuKeys *keys, EmuKey *key, const guint8 *digest, gint64 expires,
                       EmuTicket *ticket)
{
  if (!store (keys, key, digest, expires, 201))
    return;
  key->ticket = ticket;
  key->id = ticket->id;
  ticket->key = key;
}

void
emu_keys_store_text (EmuKeys *keys, EmuKey *key, const guint8 *digest, gint64 expires, guint status,
                     const char *type, const char *text)
{
  if (!store (keys, key, digest, expires, status))
    return;
  key->type = type;
  key->stored = g_strdup (text);
}

void
emu_key_freeze (EmuKey *key, char *text)
{
  key->stored = text;
  key->ticket->key = NULL;
  key->ticket = NULL;
}
