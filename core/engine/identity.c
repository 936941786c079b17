/* identity.c: whether a pipeline's records are the ones that the ledger knows */
#include "identity.h"

gboolean
tally_identity_tell (TallyLedger *ledger, const TallyScope *scope, TallyContext *ctx, GError **error)
{
  g_autoptr (GPtrArray) scopes = tally_ledger_list_scopes (ledger, error);
  g_autoptr (GString) others = g_string_new (NULL);

  if (scopes == NULL)
    return FALSE;

  for (guint i = 0; i < scopes->len; i++)
    {
      const TallyLedgerScope *known = g_ptr_array_index (scopes, i);

      if (!g_str_equal (known->target, scope->target) || !g_str_equal (known->entity, scope->entity))
        continue;
      if (g_str_equal (known->origin, scope->origin))
        return TRUE;
      g_string_append_printf (others, "%s\"%s\"", others->len > 0 ? ", " : "", known->origin);
    }
  if (others->len > 0)
    tally_context_warn (ctx,
                        "the ledger has no %s of origin \"%s\" in this target yet, but of %s: by another origin all records are others, "
                        "and are made again. If the pipeline was renamed, \"origin: …\" with the former name keeps them what they are",
                        scope->entity, scope->origin, others->str);
  return TRUE;
}
