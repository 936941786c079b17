/* reconcile-run.c: a pipeline's deliveries are reconciled, and its ledger is accepted: see reconcile.h
 *
 * It goes the way of run.c: ledger, sink, lease, a run of its own. What differs is that the ledger's mark is
 * not asked for leave, and that first of all time passes: what was sent before may still be at work, and the
 * target would show it only after we have looked.
 */
#include "delivery/hooks.h"
#include "reconcile.h"
#include "run.h"
#include <string.h>

#define LEASE_TTL (5 * 60 * G_USEC_PER_SEC)

typedef struct
{
  TallyPipeline *pipeline;              /* (unowned) */
  const TallyReconcileOptions *options; /* (unowned) */
  TallyReconciled *result;              /* (unowned) */
  TallyDeliveryProfile profile;
  TallyContext *ctx;   /* (owned) the sink's */
  TallyLedger *ledger; /* (owned) */
  TallyLedgerRun *run; /* (owned) (nullable) */
  gboolean is_behind;  /* the ledger has lost commits */
  gint64 epoch;        /* 0: no lease is held */
  gint64 last_send;    /* as far as the ledger knows */
  gint64 scope;
} Reconciliation;

static TallyLedger *
open_ledger (const TallyPipeline *pipeline, const TallyReconcileOptions *options, GError **error)
{
  return tally_ledger_open (options->ledger != NULL ? options->ledger : pipeline->ledger,
                            options->unsafe_ledger ? TALLY_LEDGER_UNSAFE : 0, error);
}

static void
reconciliation_clear (Reconciliation *self)
{
  tally_instance_close (self->pipeline->sink);
  if (self->epoch != 0)
    tally_ledger_release (self->ledger, self->epoch, NULL);
  g_clear_pointer (&self->run, tally_ledger_run_free);
  tally_ledger_close (self->ledger);
  tally_context_free (self->ctx);
}

/* ---- Getting ready ---- */

static gboolean
check_sink (const Reconciliation *self, GError **error)
{
  const TallyPlugin *plugin = self->pipeline->sink->plugin;

  if (plugin->delivery == NULL)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "sink \"%s\" does not deliver: there is nothing to reconcile", plugin->name);
  if (plugin->delivery->survey == NULL)
    return tally_throw (error, TALLY_ERROR_UNSUPPORTED,
                        "sink \"%s\" cannot list what its target holds, so a ledger cannot be refilled from "
                        "there: bring the ledger's newest state back; or find out by hand what the target has "
                        "that the ledger lacks, leave those rows out of the source, and then remove the mark "
                        "that the message of a run names",
                        plugin->name);
  return TRUE;
}

/* A sink is opened only when it knows what will come. */
static gboolean
look_at_source (const Reconciliation *self, GError **error)
{
  TallyInstance *source = self->pipeline->source;
  g_autoptr (TallyContext) ctx = NULL;
  g_autoptr (TallySchema) schema = NULL;
  g_autoptr (GString) mistakes = NULL;

  if (tally_pipeline_is_bound (self->pipeline))
    return TRUE;

  ctx = tally_context_new (self->pipeline->directory);
  if (tally_instance_open (source, ctx, error))
    schema = source->plugin->describe (source->self, ctx, error);
  tally_instance_close (source);
  if (schema == NULL)
    return tally_throw_prefix (error, "source \"%s\"", source->plugin->name);
  if (!tally_pipeline_describe_lookups (self->pipeline, ctx, error))
    return FALSE;
  if (tally_pipeline_bind (self->pipeline, schema))
    return TRUE;

  mistakes = g_string_new (NULL);
  tally_pipeline_format_diagnostics (self->pipeline, /* colour= */ FALSE, mistakes);
  return tally_throw (error, TALLY_ERROR_USAGE, "the source's columns do not fit:\n%s", mistakes->str);
}

static gboolean
open_sink (Reconciliation *self, GError **error)
{
  TallyInstance *sink = self->pipeline->sink;

  self->profile = (TallyDeliveryProfile){ .size = sizeof (TallyDeliveryProfile) };
  sink->plugin->delivery->profile (sink->self, &self->profile);
  if (self->pipeline->delivery.settle >= 0)
    self->profile.settle = self->pipeline->delivery.settle;
  if (!tally_instance_open (sink, self->ctx, error))
    return tally_throw_prefix (error, "sink \"%s\"", sink->plugin->name);
  return self->ctx->target != NULL
         || tally_throw (error, TALLY_ERROR_UNSUPPORTED, "sink \"%s\" did not say what its target is",
                         sink->plugin->name);
}

static void
look_at_mark (Reconciliation *self)
{
  g_autoptr (GError) reason = NULL;

  self->is_behind = !tally_ledger_check_mark (self->ledger, &reason);
  if (self->is_behind)
    self->options->note (reason->message, self->options->data);
}

static gboolean
begin (Reconciliation *self, GError **error)
{
  const TallyPipeline *pipeline = self->pipeline;
  const TallyScope scope
      = { .target = self->ctx->target, .entity = self->profile.entity, .origin = pipeline->origin };
  g_autofree char *position = NULL;

  return tally_run_acquire (self->ledger, pipeline, self->profile.entity, self->ctx->target,
                            self->options->command, LEASE_TTL, &self->epoch, &self->last_send, error)
         && tally_ledger_scope (self->ledger, &scope, &self->scope, error)
         && tally_ledger_begin_run (self->ledger, self->epoch, pipeline->name, self->ctx->target,
                                    TALLY_RUN_ASIDE, &self->run, &position, error);
}

/* R14: until nothing can be at work any more.  When it was sent a ledger that went backwards does not know. */
static gboolean
wait_to_settle (const Reconciliation *self, GError **error)
{
  gint64 now, rest = self->profile.settle;
  g_autofree char *note = NULL;

  if (!tally_ledger_now (self->ledger, &now, error))
    return FALSE;
  if (!self->is_behind)
    rest = self->last_send != 0 ? MIN (rest, self->last_send + rest - now) : 0;
  if (rest > G_USEC_PER_SEC)
    {
      note = g_strdup_printf ("waiting for %.0f s, until nothing that was sent can be at work any more",
                              (double) rest / G_USEC_PER_SEC);
      self->options->note (note, self->options->data);
    }
  for (; rest > 0; rest -= LEASE_TTL / 3)
    {
      g_usleep (TALLY_WAIT (MIN (rest, LEASE_TTL / 3)));
      if (!tally_ledger_renew (self->ledger, self->epoch, LEASE_TTL, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- The work, and its end ---- */

static gboolean
work (Reconciliation *self, GError **error)
{
  const TallyReconcileConfig config = { .sink = self->pipeline->sink->plugin->delivery,
                                        .self = self->pipeline->sink->self,
                                        .ctx = self->ctx,
                                        .ledger = self->ledger,
                                        .scope = self->scope,
                                        .target = self->ctx->target,
                                        .entity = self->profile.entity,
                                        .origin = self->pipeline->origin,
                                        .run = self->run,
                                        .epoch = self->epoch,
                                        .lease_ttl = LEASE_TTL,
                                        .since = self->options->since,
                                        .found = self->options->found,
                                        .data = self->options->data };

  /* Once all is read that others made, too, the ledger knows it. */
  return wait_to_settle (self, error) && tally_reconcile_deliveries (&config, self->result, error)
         && (config.since != 0 || tally_ledger_set_shared (self->ledger, self->epoch, self->scope, FALSE, error));
}

static gboolean
finish (const Reconciliation *self, gboolean done, GError **error)
{
  g_autoptr (GString) counts = g_string_new (NULL);

  tally_reconciled_format_json (self->result, counts);
  return tally_ledger_end_run (self->ledger, self->run, done ? "reconciled" : "failed", counts->str,
                               /* keep_position= */ TRUE, done ? error : NULL);
}

static gboolean
prepare (Reconciliation *self, GError **error)
{
  if (!check_sink (self, error) || (self->ledger = open_ledger (self->pipeline, self->options, error)) == NULL)
    return FALSE;
  look_at_mark (self);
  return look_at_source (self, error) && open_sink (self, error) && begin (self, error);
}

static TallyExit
exit_for (const GError *error, const TallyReconciled *result)
{
  if (error == NULL)
    return result->in_doubt + result->doubles + result->missing > 0 ? TALLY_EXIT_DOUBT : TALLY_EXIT_COMPLETE;
  if (g_error_matches (error, TALLY_ERROR, TALLY_ERROR_LEASE))
    return TALLY_EXIT_LEASE;
  return g_error_matches (error, TALLY_ERROR, TALLY_ERROR_USAGE) ? TALLY_EXIT_USAGE : TALLY_EXIT_FAILED;
}

static char *
name_scope (const TallyLedger *ledger, gint64 scope)
{
  return g_strdup_printf ("%s/%" G_GINT64_FORMAT, tally_ledger_id (ledger), scope);
}

TallyExit
tally_reconcile (TallyPipeline *pipeline, const TallyReconcileOptions *options, TallyReconciledScopes *done,
                 TallyReconciled *ret_reconciled, GError **error)
{
  Reconciliation self = { .pipeline = pipeline,
                          .options = options,
                          .result = ret_reconciled,
                          .ctx = tally_context_new (pipeline->directory) };
  GError *failure = NULL;
  gboolean good;

  memset (ret_reconciled, 0, sizeof *ret_reconciled);
  good = prepare (&self, &failure) && work (&self, &failure);
  if (self.run != NULL)
    good = finish (&self, good, &failure) && good;
  if (good)
    g_hash_table_add (done, name_scope (self.ledger, self.scope));
  reconciliation_clear (&self);

  TallyExit how = exit_for (failure, ret_reconciled);
  if (failure != NULL)
    g_propagate_error (error, failure);
  return how;
}

/* ---- The ledger as a whole ---- */

/* What the ledger also has deliveries of. (transfer full): "" if nothing */
static char *
list_others (TallyLedger *ledger, TallyReconciledScopes *done, GError **error)
{
  g_autoptr (GPtrArray) scopes = tally_ledger_list_scopes (ledger, error);
  GString *others;

  if (scopes == NULL)
    return NULL;
  others = g_string_new (NULL);
  for (guint i = 0; i < scopes->len; i++)
    {
      const TallyLedgerScope *scope = g_ptr_array_index (scopes, i);
      g_autofree char *name = name_scope (ledger, scope->id);

      if (!g_hash_table_contains (done, name))
        g_string_append_printf (others, "%s%s of %s in %s", others->len > 0 ? "; " : "", scope->entity,
                                scope->origin, scope->target);
    }
  return g_string_free (others, FALSE);
}

gboolean
tally_reconcile_accept (const TallyPipeline *pipeline, const TallyReconcileOptions *options,
                        TallyReconciledScopes *done, GError **error)
{
  g_autoptr (TallyLedger) ledger = open_ledger (pipeline, options, error);
  g_autofree char *others = ledger != NULL ? list_others (ledger, done, error) : NULL;

  if (others == NULL)
    return FALSE;
  if (*others != '\0' && !options->leave_others && !tally_ledger_check_mark (ledger, NULL))
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "the ledger %s is not accepted yet: it also has deliveries of %s; name their pipelines "
                        "in the same command, or add --leave-others if nothing of them is lost",
                        tally_ledger_description (ledger), others);
  return tally_ledger_save_mark (ledger, error);
}
