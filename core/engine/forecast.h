/* forecast.h: what a delivering sink would do with rows, by what the ledger knows of them
 *
 * The core decides over deliveries, so it also foretells them; the sink only renders.
 */
#pragma once
#include "plan.h"

/* ctx: of the sink, which is open.  ledger: (nullable) there is none yet.  coming: (nullable) gets what would be created. */
TallyForecast *tally_forecast_new (const TallyPipeline *pipeline, TallyContext *ctx, TallyLedger *ledger,
                                   TallyReferenceFile *coming, GError **error);
void tally_forecast_free (TallyForecast *forecast);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyForecast, tally_forecast_free)
/* Rejects the rows that a run would reject. */
gboolean tally_forecast_take (TallyForecast *forecast, TallyBatch *batch, GError **error);
/* Tells the counts, what requests they take, and how long. */
void tally_forecast_end (TallyForecast *forecast, TallyPlan *plan);
