/* context.h: what the engine offers to a plugin at work */
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/**
 * TallyContext:
 *
 * One use of a plugin in one run.  Valid from open() to the return of close().
 *
 * Since: 0.1
 */
typedef struct _TallyContext TallyContext;

/**
 * tally_context_position:
 * @ctx: a source's context
 *
 * Returns: (transfer none) (nullable): the position that the last run reached, in the source's own
 *   words, or %NULL to begin at the beginning
 * Since: 0.1
 */
const char *tally_context_position (TallyContext *ctx);

/**
 * tally_context_directory:
 * @ctx: a context
 *
 * Returns: (transfer none): the absolute path of the pipeline's folder
 * Since: 0.1
 */
const char *tally_context_directory (TallyContext *ctx);

/**
 * tally_context_run_tag:
 * @ctx: a context
 *
 * Returns: (transfer none): a short name of this run, of lower-case letters, digits and `-`, to mark
 *   with it what the run creates
 * Since: 0.1
 */
const char *tally_context_run_tag (TallyContext *ctx);

/**
 * tally_context_is_interrupted:
 * @ctx: a context
 *
 * Returns: %TRUE if the run is to stop; a plugin returns as soon as it can
 * Since: 0.1
 */
gboolean tally_context_is_interrupted (TallyContext *ctx);

/**
 * tally_context_warn:
 * @ctx: a context
 * @format: a printf format, in the form of an error's message
 *
 * Tells the user of something that does not stop the run.  Equal messages are shown once and counted.
 *
 * Since: 0.1
 */
void tally_context_warn (TallyContext *ctx, const char *format, ...) G_GNUC_PRINTF (2, 3);

/**
 * TallyFinding:
 * @TALLY_FINDING_OK: as it should be
 * @TALLY_FINDING_WARNING: a run could work, and the user should know of it first
 * @TALLY_FINDING_PROBLEM: a run would not get through
 *
 * What `tallyman doctor` says of one thing that was looked at.
 *
 * Since: 0.1
 */
typedef enum
{
  TALLY_FINDING_OK,
  TALLY_FINDING_WARNING,
  TALLY_FINDING_PROBLEM,
} TallyFinding;

/**
 * tally_context_tell:
 * @ctx: a context
 * @finding: how it is
 * @remedy: (nullable): what the user can do about it; copied
 * @format: a printf format, in the form of an error's message: one thing that was found
 *
 * Called by probe() as often as there is something to tell.  What ends probe() is its error, and need not be told as well.
 * Elsewhere it does nothing.
 *
 * Since: 0.1
 */
void tally_context_tell (TallyContext *ctx, TallyFinding finding, const char *remedy, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

/**
 * tally_context_set_target:
 * @ctx: a sink's context
 * @fingerprint: what tells this target from any other: its host and account; copied
 *
 * A delivering sink calls this in open().  The ledger keeps deliveries by it, and refuses a
 * pipeline whose target is not the one it had before.
 *
 * Since: 0.1
 */
void tally_context_set_target (TallyContext *ctx, const char *fingerprint);

/**
 * tally_context_set_whole:
 * @ctx: a sink's context
 *
 * Says in open() that this instance's output appears as a whole, as %TALLY_PLUGIN_WHOLE says it of
 * all of a plugin's.
 *
 * Since: 0.1
 */
void tally_context_set_whole (TallyContext *ctx);

/**
 * tally_context_set_at_once:
 * @ctx: the context of a sink that has @resume
 *
 * Says in open() that this instance makes all rows durable by one commit() at the end, because it could not go on from a place
 * before it.  The position of the end is saved then; a run that failed begins where it had begun.
 *
 * Since: 0.1
 */
void tally_context_set_at_once (TallyContext *ctx);

/**
 * tally_context_checkpoint_key:
 * @ctx: the context of a sink that has @resume
 *
 * Returns: (transfer none): what the checkpoint is kept under: it names the ledger and the pipeline
 * Since: 0.1
 */
const char *tally_context_checkpoint_key (TallyContext *ctx);

/**
 * tally_context_checkpoint:
 * @ctx: the context of a sink that has @resume
 *
 * Returns: (transfer none): in commit(), the text to keep with the rows, in their transaction and in
 *   place of the one before
 * Since: 0.1
 */
const char *tally_context_checkpoint (TallyContext *ctx);

/**
 * tally_context_report_target_time:
 * @ctx: a sink's context
 * @unix_time: the target's own clock, microseconds since 1970, as its last answer told
 *
 * The age of idempotency keys is held against this clock, too.
 *
 * Since: 0.1
 */
void tally_context_report_target_time (TallyContext *ctx, gint64 unix_time);

/**
 * tally_context_report_budget:
 * @ctx: a sink's context
 * @limit: requests that the target allows in a window
 * @remaining: how many of them are left
 * @reset: microseconds until the window ends
 *
 * What the target's last answer told of its rate limit.  The engine paces sending by it.
 *
 * Since: 0.1
 */
void tally_context_report_budget (TallyContext *ctx, gint64 limit, gint64 remaining, gint64 reset);

/**
 * tally_context_ask_patience:
 * @ctx: a context
 * @wait: microseconds for which the other side asked to be left alone; 0: it named none
 *
 * Goes before %TALLY_FLOW_RETRY: the engine waits so long, an hour at most, instead of the back-off that it would choose itself,
 * and does not count it as a failure.
 *
 * Since: 0.1
 */
void tally_context_ask_patience (TallyContext *ctx, gint64 wait);

/**
 * tally_context_plan_text:
 * @ctx: the context of a sink that is planned, see #TallyPlanSink
 * @name: what it is about: `table`
 * @text: (nullable): a fact for a person; copied
 *
 * Tells what a run would do.  The same @name again replaces what was told.
 *
 * Since: 0.1
 */
void tally_context_plan_text (TallyContext *ctx, const char *name, const char *text);

/**
 * tally_context_plan_number:
 * @ctx: the context of a sink that is planned
 * @name: what is counted: `rows_inserted`
 * @number: how many
 *
 * The same with a number.
 *
 * Since: 0.1
 */
void tally_context_plan_number (TallyContext *ctx, const char *name, gint64 number);

G_END_DECLS
