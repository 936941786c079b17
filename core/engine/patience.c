/* patience.c: what a plugin asks to be tried again is tried again, after a while */
#include "patience.h"
#include "backoff.h"

static const TallyBackoff policy = { .base = G_USEC_PER_SEC / 2, .ceiling = 30 * G_USEC_PER_SEC, .tries = 8 };

/* While it waits it is looked this often whether that is over. */
#define GLANCE (G_USEC_PER_SEC / 10)

/* FALSE: the policy has come to its end. */
static gboolean
choose_wait (TallyContext *ctx, guint *attempts, gint64 *ret_wait)
{
  if (ctx == NULL || ctx->patience == 0)
    return tally_backoff_next (&policy, ++*attempts, ret_wait);
  *ret_wait = ctx->patience;
  ctx->patience = 0;
  return TRUE;
}

static gboolean
wait_until (const TallyPatience *patience, gint64 until)
{
  for (gint64 now = g_get_monotonic_time (); now < until; now = g_get_monotonic_time ())
    {
      if (patience->is_stopped (patience->data))
        return FALSE;
      g_usleep ((gulong) MIN (GLANCE, until - now));
    }
  return TRUE;
}

gboolean
tally_patience_wait (const TallyPatience *patience, TallyContext *ctx, guint *attempts, const GError *error)
{
  gint64 wait, until;
  gboolean done;

  if (!choose_wait (ctx, attempts, &wait))
    return FALSE;

  patience->tell (error->message, patience->tell_data);
  until = g_get_monotonic_time () + wait;
  if (patience->note != NULL)
    patience->note (error->message, until, patience->data);
  done = wait_until (patience, until);
  if (patience->note != NULL)
    patience->note (NULL, 0, patience->data);
  return done;
}

TallyFlow
tally_patience_read (const TallyPatience *patience, TallyInstance *source, TallyContext *ctx, TallyBatch *batch, GError **error)
{
  for (guint attempts = 0;;)
    {
      g_autoptr (GError) failure = NULL;
      TallyFlow flow = source->plugin->read (source->self, ctx, batch, &failure);

      if (flow == TALLY_FLOW_OK || flow == TALLY_FLOW_END)
        return flow;
      if (failure == NULL)
        tally_throw (&failure, TALLY_ERROR_IO, "gave no reason");
      if (flow == TALLY_FLOW_RETRY && tally_patience_wait (patience, ctx, &attempts, failure))
        {
          tally_batch_clear (batch);
          continue;
        }
      g_propagate_prefixed_error (error, g_steal_pointer (&failure), "source \"%s\": ", source->plugin->name);
      return TALLY_FLOW_FATAL;
    }
}
