/* forecast.c: see delivery/intake.c, whose decisions these are, without their consequences */
#include "forecast.h"
#include "delivery/key.h"
#include "delivery/state.h"
#include "first-requests.h"
#include "identity.h"
#include "record/batch-private.h"
#include "schedule.h"
#include "transform/seen.h"
#include <string.h>

/* For the keys that came, so that one that comes twice is noticed. */
#define SEEN_MEMORY (16 * 1024 * 1024)
/* Creations that are looked up together: so few that it shows how far it is. */
#define LOOKED_UP_TOGETHER 25

/* A creation that waits to be looked up. */
typedef struct
{
  TallyForetold foretold;
  guint row;
  const char *key; /* (unowned) */
  char *reference; /* (owned) */
  GBytes *body;    /* (owned) */
} Creation;

struct _TallyForecast
{
  const TallyPipeline *pipeline; /* (unowned) */
  TallyContext *ctx;             /* (unowned) */
  TallyLedger *ledger;           /* (unowned) (nullable) */
  const TallyPlanOptions *options; /* (unowned) */
  const TallyPatience *patience; /* (unowned) */
  char *entity;                  /* (owned) */
  gint64 scope;                  /* 0: nothing was delivered yet */
  TallySeen *seen;               /* (owned) */
  GString *body;                 /* (owned) scratch */
  TallyFirstRequests *first;     /* (owned) */
  GPtrArray *creations;          /* (owned) (element-type Creation) of the batch, to be looked up */
  guint64 n_looked_up, n_not_looked_up, n_adopted;
  guint64 n_create, n_again, n_update, n_unchanged, n_drifted, n_in_doubt, n_bytes;
  guint64 most_early;            /* deliveries that a run has begun when the first is answered */
  gboolean looks, is_shared;     /* the first creations are looked up before they are sent; all are */
};

static void
creation_free (gpointer data)
{
  Creation *creation = data;

  g_free (creation->foretold.detail);
  g_free (creation->reference);
  g_bytes_unref (creation->body);
  g_free (creation);
}

static TallyForecast *
forecast_alloc (const TallyForecastConfig *config)
{
  TallyForecast *forecast = g_new0 (TallyForecast, 1);

  forecast->pipeline = config->pipeline;
  forecast->ctx = config->ctx;
  forecast->ledger = config->ledger;
  forecast->options = config->options;
  forecast->patience = config->patience;
  forecast->seen = tally_seen_new (SEEN_MEMORY);
  forecast->body = g_string_new (NULL);
  forecast->creations = g_ptr_array_new_with_free_func (creation_free);
  forecast->first = tally_first_requests_new (config->ctx);
  return forecast;
}

TallyForecast *
tally_forecast_new (const TallyForecastConfig *config, GError **error)
{
  g_autoptr (TallyForecast) forecast = forecast_alloc (config);
  const TallyPipeline *pipeline = config->pipeline;
  const TallyPlugin *plugin = pipeline->sink->plugin;
  TallyContext *ctx = config->ctx;
  TallyLedger *ledger = config->ledger;
  TallyDeliveryProfile profile = { .size = sizeof profile };
  TallyScope scope = { .target = ctx->target, .origin = pipeline->origin };

  if (ctx->target == NULL)
    {
      tally_throw (error, TALLY_ERROR_UNSUPPORTED, "sink \"%s\" did not say what its target is", plugin->name);
      return NULL;
    }
  plugin->delivery->profile (pipeline->sink->self, &profile);
  scope.entity = profile.entity;
  forecast->entity = g_strdup (profile.entity);
  forecast->most_early
      = pipeline->delivery.in_flight > 0 ? (guint64)pipeline->delivery.in_flight : MAX (profile.max_in_flight, 1);
  forecast->looks = profile.look_first && profile.can_resolve && plugin->delivery->resolve != NULL;
  if (ledger != NULL
      && (!tally_ledger_scope (ledger, &scope, &forecast->scope, error) || !tally_identity_tell (ledger, &scope, ctx, error)
          || (forecast->scope != 0 && !tally_ledger_is_shared (ledger, forecast->scope, &forecast->is_shared, error))))
    return NULL;
  tally_context_plan_text (ctx, "creates", profile.entity);
  return g_steal_pointer (&forecast);
}

void
tally_forecast_free (TallyForecast *forecast)
{
  if (forecast == NULL)
    return;

  tally_seen_free (forecast->seen);
  g_string_free (forecast->body, TRUE);
  g_free (forecast->entity);
  g_ptr_array_unref (forecast->creations);
  tally_first_requests_free (forecast->first);
  g_free (forecast);
}

/* ---- Keys ---- */

static gboolean
came_before (TallyForecast *self, const char *key, gboolean *ret_before, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize length = sizeof digest;
  gboolean is_new;

  G_STATIC_ASSERT (TALLY_DIGEST_SIZE <= sizeof digest);
  g_checksum_update (checksum, (const guchar *)key, -1);
  g_checksum_get_digest (checksum, digest, &length);
  if (!tally_seen_add (self->seen, digest, &is_new, error))
    return FALSE;
  *ret_before = !is_new;
  return TRUE;
}

/* (nullable elements) NULL where the row is rejected. */
static GPtrArray *
read_keys (TallyForecast *self, TallyBatch *batch, GError **error)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);
  guint column = self->pipeline->delivery.key_column;

  for (guint row = 0; row < tally_batch_n_rows (batch); row++)
    {
      TallyText text = { "", 0 };
      g_autoptr (GError) fault = NULL;
      g_autofree char *key = NULL, *reason = NULL;
      gboolean before = FALSE;

      if (!tally_batch_is_rejected (batch, row))
        {
          if (!tally_batch_is_null (batch, row, column))
            text = tally_batch_get_text (batch, row, column);
          key = tally_key_normalise (text, self->pipeline->origin, &fault);
          if (key == NULL)
            tally_batch_reject (batch, row, fault->message);
          else if (!came_before (self, key, &before, error))
            return NULL;
          if (before)
            {
              reason = g_strdup_printf ("key \"%s\" came before", key);
              tally_batch_reject (batch, row, reason);
            }
        }
      g_ptr_array_add (keys, before ? NULL : g_steal_pointer (&key));
    }
  return g_steal_pointer (&keys);
}

/* ---- Rows ---- */

/* See delivery/looks.c for what is looked up first. */
static TallyCostFlags
cost_flags (const TallyForecast *self, const char *target_id)
{
  TallyCostFlags flags = 0;

  if (self->n_create + self->n_update < self->most_early)
    flags |= TALLY_COST_EARLY;
  if (target_id == NULL && self->looks && (self->is_shared || self->n_create < TALLY_FIRST_LOOKS))
    flags |= TALLY_COST_LOOKED_UP;
  return flags;
}

/* ---- What is counted ---- */

/* A request that a run would make. */
static void
count_request (TallyForecast *self, TallyText body, const char *target_id)
{
  const TallyDeliverySink *sink = self->pipeline->sink->plugin->delivery;

  if (sink->cost != NULL)
    sink->cost (self->pipeline->sink->self, self->ctx, body, target_id, cost_flags (self, target_id));
  if (target_id != NULL)
    self->n_update++;
  else
    self->n_create++;
  self->n_bytes += body.length;
  tally_first_requests_take (self->first, body, target_id != NULL);
}

/* The target will have it. */
static gboolean
tell_coming (TallyForecast *self, const char *key, GError **error)
{
  return self->options->coming == NULL
         || tally_reference_file_use (self->options->coming, self->entity, self->pipeline->origin, key, NULL, error);
}

static gboolean
count_creation (TallyForecast *self, const char *key, TallyText body, GError **error)
{
  count_request (self, body, NULL);
  return tell_coming (self, key, error);
}

/* ---- Creations that are looked up in the target ---- */

static gboolean
foretells (const TallyForecast *self)
{
  return self->pipeline->sink->plugin->delivery->foretell != NULL;
}

static gboolean
settle_creation (TallyForecast *self, TallyBatch *batch, Creation *creation, GError **error)
{
  const TallyForetold *foretold = &creation->foretold;

  switch (foretold->verdict)
    {
    case TALLY_VERDICT_DELIVERED:
      self->n_adopted++;
      return tell_coming (self, creation->key, error);
    case TALLY_VERDICT_REJECTED:
      tally_batch_reject (batch, creation->row, foretold->detail != NULL ? foretold->detail : "the target would refuse it");
      return TRUE;
    default:
      return count_creation (self, creation->key, foretold->body, error);
    }
}

/* Asks as patiently as a run would: about some creations, or, if ones is NULL, at the end. */
static gboolean
ask_target (TallyForecast *self, TallyForetold *const *ones, guint n, GError **error)
{
  TallyInstance *sink = self->pipeline->sink;
  const TallyDeliverySink *delivery = sink->plugin->delivery;

  for (guint attempts = 0;;)
    {
      g_autoptr (GError) failure = NULL;

      if (ones != NULL ? delivery->foretell (sink->self, self->ctx, ones, n, &failure)
                       : delivery->foretell_end (sink->self, self->ctx, &failure))
        return TRUE;
      if (failure == NULL)
        tally_throw (&failure, TALLY_ERROR_IO, "gave no reason");
      if (g_error_matches (failure, TALLY_ERROR, TALLY_ERROR_NETWORK)
          && tally_patience_wait (self->patience, self->ctx, &attempts, failure))
        continue;
      g_propagate_prefixed_error (error, g_steal_pointer (&failure), "sink \"%s\": ", sink->plugin->name);
      return FALSE;
    }
}

/* Those that wait; their rows are still there. */
static gboolean
look_up (TallyForecast *self, TallyBatch *batch, GError **error)
{
  g_autofree TallyForetold **ones = g_new0 (TallyForetold *, self->creations->len + 1);
  gboolean good;

  if (self->creations->len == 0)
    return TRUE;
  for (guint i = 0; i < self->creations->len; i++)
    ones[i] = &((Creation *)self->creations->pdata[i])->foretold;
  good = ask_target (self, ones, self->creations->len, error);
  tally_first_requests_skip (self->first);
  self->n_looked_up += self->creations->len;
  for (guint i = 0; good && i < self->creations->len; i++)
    good = settle_creation (self, batch, self->creations->pdata[i], error);
  g_ptr_array_set_size (self->creations, 0);
  if (self->options->looked_up != NULL)
    self->options->looked_up (self->n_looked_up, self->options->data);
  return good;
}

/* What render() has made: to be looked up, as long as that many are. */
static gboolean
take_creation (TallyForecast *self, TallyBatch *batch, guint row, const char *key, const char *reference, GError **error)
{
  const TallyText body = { self->body->str, self->body->len };
  Creation *creation;

  if (!foretells (self) || self->n_looked_up + self->creations->len >= self->options->lookups)
    {
      self->n_not_looked_up++;
      return count_creation (self, key, body, error);
    }
  creation = g_new0 (Creation, 1);
  creation->row = row;
  creation->key = key;
  creation->reference = g_strdup (reference);
  creation->body = g_bytes_new (body.data, body.length);
  creation->foretold = (TallyForetold){ .size = sizeof (TallyForetold),
                                        .reference = creation->reference,
                                        .verdict = TALLY_VERDICT_ABSENT };
  creation->foretold.body.data = g_bytes_get_data (creation->body, &creation->foretold.body.length);
  g_ptr_array_add (self->creations, creation);
  return self->creations->len < LOOKED_UP_TOGETHER || look_up (self, batch, error);
}

/* ---- Rendering ---- */

/* With a target_id it is an update of what the target has. */
static gboolean
render (TallyForecast *self, TallyBatch *batch, guint row, const char *key, const char *target_id, GError **error)
{
  g_autofree char *reference = g_strdup_printf ("%s:%s", self->pipeline->origin, key);
  const TallyDeliverySink *sink = self->pipeline->sink->plugin->delivery;
  gpointer instance = self->pipeline->sink->self;
  g_autoptr (GError) fault = NULL;

  g_string_truncate (self->body, 0);
  if (!(target_id == NULL
            ? sink->render (instance, self->ctx, batch, row, reference, self->body, &fault)
            : sink->render_update (instance, self->ctx, batch, row, reference, target_id, self->body, &fault)))
    {
      if (!g_error_matches (fault, TALLY_ERROR, TALLY_ERROR_DATA))
        {
          g_propagate_error (error, g_steal_pointer (&fault));
          return FALSE;
        }
      tally_batch_reject (batch, row, fault->message);
      return TRUE;
    }
  if (target_id != NULL && self->body->len == 0)
    {
      self->n_unchanged++;
      return TRUE;
    }
  if (target_id == NULL)
    return take_creation (self, batch, row, key, reference, error);
  count_request (self, (TallyText){ self->body->str, self->body->len }, target_id);
  return TRUE;
}

static gboolean
render_again (TallyForecast *self, TallyBatch *batch, guint row, const char *key, const TallyLedgerDelivery *found,
              GError **error)
{
  self->n_again += found->target_id == NULL;
  return render (self, batch, row, key, found->target_id, error);
}

static gboolean
take_row (TallyForecast *self, TallyBatch *batch, guint row, const char *key, const TallyLedgerDelivery *found,
          GError **error)
{
  g_autoptr (GString) record = g_string_new (NULL);
  g_autofree char *content_hash = NULL, *reason = NULL;
  gboolean drifted;

  if (found == NULL)
    return render (self, batch, row, key, NULL, error);

  tally_batch_append_json (batch, row, record);
  content_hash = tally_key_hash (record->str, record->len);
  drifted = g_strcmp0 (found->content_hash, content_hash) != 0;
  switch (tally_state_known_row (found, drifted, self->pipeline->sink->plugin->delivery->render_update != NULL))
    {
    case TALLY_ROW_GOES:
      return render_again (self, batch, row, key, found, error);
    case TALLY_ROW_DRIFTED:
      self->n_drifted++;
      G_GNUC_FALLTHROUGH;
    case TALLY_ROW_UNCHANGED:
      self->n_unchanged++;
      return TRUE;
    case TALLY_ROW_REJECTED:
      reason = g_strdup_printf ("the target has rejected it before: %s", found->detail != NULL ? found->detail : "");
      tally_batch_reject (batch, row, reason);
      return TRUE;
    case TALLY_ROW_UNSETTLED:
      self->n_in_doubt++;
      return TRUE;
    }
  g_assert_not_reached ();
}

gboolean
tally_forecast_take (TallyForecast *self, TallyBatch *batch, GError **error)
{
  g_autoptr (GPtrArray) keys = read_keys (self, batch, error), wanted = g_ptr_array_new (), found = NULL;

  if (keys == NULL)
    return FALSE;
  for (guint row = 0; row < keys->len; row++)
    if (keys->pdata[row] != NULL)
      g_ptr_array_add (wanted, keys->pdata[row]);
  if (self->scope != 0 && wanted->len > 0
      && (found = tally_ledger_find (self->ledger, self->scope, (const char *const *)wanted->pdata, wanted->len, error)) == NULL)
    return FALSE;

  for (guint row = 0, n = 0; row < keys->len; row++)
    if (keys->pdata[row] != NULL)
      {
        if (!take_row (self, batch, row, keys->pdata[row], found != NULL ? found->pdata[n] : NULL, error))
          return FALSE;
        n++;
      }
  return look_up (self, batch, error);
}

/* ---- Requests, and how long they take ---- */

/* All go by the account's limit, and those of a kind also by its own: whichever takes longest decides. */
static void
foretell_time (TallyForecast *self, TallyPlan *plan, guint64 n)
{
  guint8 reserve[TALLY_HOURS];
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  gint64 begin = tally_schedule_since_midnight (now), period;

  if (!tally_context_limit (self->ctx, NULL, &plan->limit, &period))
    return;
  tally_context_reserve (self->ctx, reserve);
  plan->span = tally_schedule_span (n, plan->limit, period, reserve, begin);
  for (guint i = 0; i < plan->requests->len; i++)
    {
      TallyPlannedKind *kind = &g_array_index (plan->requests, TallyPlannedKind, i);
      gint64 span;

      tally_context_limit (self->ctx, kind->kind, &kind->kind_limit, &kind->kind_period);
      if (kind->kind_limit <= 0 || kind->kind_period <= 0)
        continue;
      span = tally_schedule_span (kind->n, kind->kind_limit, kind->kind_period, reserve, begin);
      if (span <= plan->span)
        continue;
      plan->span = span;
      g_free (plan->slowest);
      plan->slowest = g_strdup (kind->kind);
    }
}

static void
foretell_requests (TallyForecast *self, TallyPlan *plan)
{
  guint64 n = 0;

  if (self->pipeline->sink->plugin->delivery->cost == NULL)
    return;
  plan->requests = g_array_ref (self->ctx->requests);
  self->n_bytes = 0;
  for (guint i = 0; i < plan->requests->len; i++)
    {
      const TallyPlannedKind *kind = &g_array_index (plan->requests, TallyPlannedKind, i);

      n += kind->n;
      self->n_bytes += kind->bytes;
    }
  foretell_time (self, plan, n);
}

gboolean
tally_forecast_end (TallyForecast *self, TallyPlan *plan, GError **error)
{
  foretell_requests (self, plan);
  tally_context_plan_number (self->ctx, "created", self->n_create);
  if (foretells (self))
    {
      tally_context_plan_number (self->ctx, "adopted", self->n_adopted);
      tally_context_plan_number (self->ctx, "looked_up", self->n_looked_up);
      tally_context_plan_number (self->ctx, "not_looked_up", self->n_not_looked_up);
    }
  tally_context_plan_number (self->ctx, "of_these_again", self->n_again);
  tally_context_plan_number (self->ctx, "updated", self->n_update);
  tally_context_plan_number (self->ctx, "unchanged", self->n_unchanged);
  tally_context_plan_number (self->ctx, "of_these_drifted", self->n_drifted);
  tally_context_plan_number (self->ctx, "in_doubt", self->n_in_doubt);
  tally_context_plan_number (self->ctx, "request_bytes", self->n_bytes);
  plan->in_doubt = self->n_in_doubt;
  plan->first_requests = tally_first_requests_get (self->first);
  return self->pipeline->sink->plugin->delivery->foretell_end == NULL || ask_target (self, NULL, 0, error);
}
