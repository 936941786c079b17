/* claims.c: names that are being created */
#include "claims.h"

typedef struct
{
  char *reference; /* (owned) */
  gint64 until;    /* 0: at work */
} Claim;

struct _ZendeskClaims
{
  GHashTable *names; /* (owned) of Claim by name */
};

static void
claim_free (gpointer data)
{
  Claim *claim = data;

  g_free (claim->reference);
  g_free (claim);
}

ZendeskClaims *
zendesk_claims_new (void)
{
  ZendeskClaims *claims = g_new0 (ZendeskClaims, 1);

  claims->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, claim_free);
  return claims;
}

void
zendesk_claims_free (ZendeskClaims *claims)
{
  g_hash_table_unref (claims->names);
  g_free (claims);
}

static gboolean
is_over (gpointer name, gpointer data, gpointer now)
{
  const Claim *claim = data;

  return claim->until != 0 && claim->until <= *(gint64 *) now;
}

ZendeskClaim
zendesk_claims_take (ZendeskClaims *claims, const GPtrArray *names, const char *reference, gint64 now, gint64 *ret_wait)
{
  g_hash_table_foreach_remove (claims->names, is_over, &now);
  for (guint i = 0; i < names->len; i++)
    {
      const Claim *claim = g_hash_table_lookup (claims->names, names->pdata[i]);

      if (claim == NULL || g_str_equal (claim->reference, reference))
        continue;
      if (claim->until == 0)
        return ZENDESK_CLAIM_HELD;
      *ret_wait = claim->until - now;
      return ZENDESK_CLAIM_DOUBT;
    }
  for (guint i = 0; i < names->len; i++)
    {
      Claim *claim = g_new0 (Claim, 1);

      claim->reference = g_strdup (reference);
      g_hash_table_replace (claims->names, g_strdup (names->pdata[i]), claim);
    }
  return ZENDESK_CLAIM_TAKEN;
}

void
zendesk_claims_release (ZendeskClaims *claims, const GPtrArray *names, const char *reference, gint64 until)
{
  for (guint i = 0; i < names->len; i++)
    {
      Claim *claim = g_hash_table_lookup (claims->names, names->pdata[i]);

      if (claim == NULL || !g_str_equal (claim->reference, reference))
        continue;
      if (until != 0)
        claim->until = until;
      else
        g_hash_table_remove (claims->names, names->pdata[i]);
    }
}
