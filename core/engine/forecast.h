/* forecast.h: what a delivering sink would do with rows, by what the ledger knows of them
 *
 * The core decides over deliveries, so it also foretells them; the sink only renders.
 */
#pragma once
#include "patience.h"
#include "plan.h"

typedef struct
{
  const TallyPipeline *pipeline;
  TallyContext *ctx;               /* of the sink, which is open */
  TallyLedger *ledger;             /* (nullable) there is none yet */
  const TallyPlanOptions *options;
  const TallyPatience *patience;   /* of who waits until the target answers */
} TallyForecastConfig;

/* All that config names has to outlive it. */
TallyForecast *tally_forecast_new (const TallyForecastConfig *config, GError **error);
void tally_forecast_free (TallyForecast *forecast);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyForecast, tally_forecast_free)
/* Rejects the rows that a run would reject. */
gboolean tally_forecast_take (TallyForecast *forecast, TallyBatch *batch, GError **error);
/* Tells the counts, what requests they take, and how long; and lets the sink look at what the rows name. */
gboolean tally_forecast_end (TallyForecast *forecast, TallyPlan *plan, GError **error);
