/* auth.c: who may ask, and the OAuth tokens that are given out */
#include "auth.h"

#include <string.h>

#define MAX_TOKENS 10000 /* that are remembered at once */

void
emu_auth_clear (EmuAuth *auth)
{
  g_clear_pointer (&auth->basic, g_free);
  g_clear_pointer (&auth->bearer, g_free);
  g_clear_pointer (&auth->client_id, g_free);
  g_clear_pointer (&auth->client_secret, g_free);
  g_clear_pointer (&auth->expiries, g_hash_table_unref);
}

gboolean
emu_auth_check (const EmuAuth *auth, const char *authorization, gint64 now)
{
  const gint64 *expiry;

  if (auth->basic == NULL && auth->bearer == NULL && auth->client_id == NULL)
    return TRUE;
  if (authorization == NULL)
    return FALSE;
  if (g_strcmp0 (authorization, auth->basic) == 0 || g_strcmp0 (authorization, auth->bearer) == 0)
    return TRUE;
  expiry = auth->expiries != NULL ? g_hash_table_lookup (auth->expiries, authorization) : NULL;
  return expiry != NULL && now < *expiry;
}

gboolean
emu_auth_is_nobody (const char *authorization)
{
  g_autofree guchar *given = NULL;
  g_autofree char *text = NULL;
  gsize length;

  if (authorization == NULL)
    return TRUE;
  if (g_ascii_strncasecmp (authorization, "Basic ", 6) != 0)
    return FALSE;
  given = g_base64_decode (authorization + 6, &length);
  text = g_strndup ((char *)given, length);
  return strstr (text, "/token:") == NULL;
}

char *
emu_auth_issue (EmuAuth *auth, gint64 now)
{
  char *token = g_strdup_printf ("emulated-token-%u", ++auth->n_tokens);

  if (auth->expiries == NULL)
    auth->expiries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  if (g_hash_table_size (auth->expiries) >= MAX_TOKENS)
    g_hash_table_remove_all (auth->expiries);

  gint64 *expiry = g_new (gint64, 1);
  *expiry = now + auth->token_life;
  g_hash_table_insert (auth->expiries, g_strconcat ("Bearer ", token, NULL), expiry);
  return token;
}

void
emu_auth_revoke (EmuAuth *auth)
{
  g_clear_pointer (&auth->expiries, g_hash_table_unref);
}
