/* auth.h: who may ask, and the OAuth tokens that are given out
 *
 * Nothing is asked for unless the command line names credentials.  Then an API token, a fixed
 * bearer token and the tokens of POST /oauth/tokens are good, each if it was named.
 */
#pragma once
#include <glib.h>

#define EMU_OAUTH_PATH "/oauth/tokens"

typedef struct
{
  char *basic, *bearer;            /* (owned) (nullable) whole values of Authorization */
  char *client_id, *client_secret; /* (owned) (nullable) who gets tokens */
  gint64 token_life;               /* seconds of the account's clock */
  guint n_tokens;                  /* that were given out, whenever */
  GHashTable *expiries;            /* (owned) Authorization to gint64 * of Unix seconds */
} EmuAuth;

void emu_auth_clear (EmuAuth *auth);

/* Whether @authorization (nullable) is good at @now. */
gboolean emu_auth_check (const EmuAuth *auth, const char *authorization, gint64 now);

/* Whether /users/me answers as nobody instead of refusing: no header, or a password. */
gboolean emu_auth_is_nobody (const char *authorization);

/* (transfer full): a new token that is good from @now on */
char *emu_auth_issue (EmuAuth *auth, gint64 now);

/* Forgets every token that was given out. */
void emu_auth_revoke (EmuAuth *auth);
