/* trial.h: a pipeline's steps over a few rows, without a sink, a ledger or threads */
#pragma once
#include "pipeline/pipeline.h"
#include "patience.h"
#include "references.h"

typedef struct _TallyTrial TallyTrial;

/* Opens the steps of a pipeline that is bound.  NULL if one cannot be. */
TallyTrial *tally_trial_new (TallyPipeline *pipeline, GError **error);
/* Lets them do what comes before the first batch: once, first of all. */
gboolean tally_trial_prepare (TallyTrial *trial, GError **error);
/* Closes them. */
void tally_trial_free (TallyTrial *trial);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyTrial, tally_trial_free)

/* What ref() asks from now on: before tally_trial_prepare(), if the steps of a lookup ask, too. (unowned) (nullable) */
void tally_trial_set_references (TallyTrial *trial, TallyReferences *references);

/* How a step that asks for patience is waited for: before tally_trial_prepare(). (unowned) (nullable) NULL: not at all; the trial ends. */
void tally_trial_set_patience (TallyTrial *trial, const TallyPatience *patience);

/* Runs one step over a batch.  OK, or END when no more rows are wanted after it; else there is an error; error: not NULL. */
TallyFlow tally_trial_apply (TallyTrial *trial, guint step, TallyBatch *batch, GError **error);
/* Whether a step holds rows back; and gets them, once it has seen all batches, into an empty batch of its columns.  OK while there
 * may be more, END with the last. */
gboolean tally_trial_holds_rows (const TallyTrial *trial, guint step);
TallyFlow tally_trial_drain (TallyTrial *trial, guint step, TallyBatch *batch, GError **error);
