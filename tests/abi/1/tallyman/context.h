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
 * tally_context_move_position:
 * @ctx: a source's context, in its acknowledge()
 * @position: what is saved in place of the position that was acknowledged; copied
 *
 * For a source that would else take the marks that it has left for something new.  A run that is
 * killed before it is saved goes on from the position that was acknowledged.
 *
 * Since: 0.1
 */
void tally_context_move_position (TallyContext *ctx, const char *position);

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
 * TALLY_HOURS:
 *
 * The hours of a day.
 *
 * Since: 0.1
 */
#define TALLY_HOURS 24

/**
 * TallyAdmission:
 *
 * A request that was let go, until its end is told.
 *
 * Since: 0.1
 */
typedef struct _TallyAdmission TallyAdmission;

/**
 * TallyAnswerNews:
 * @size: from #TALLY_ANSWER_NEWS_INIT
 * @target_time: the target's own clock, microseconds since 1970, cut to a second; 0 if it was not told
 * @limit: requests that the target allows the account in a minute of its clock; -1 if it was not told
 * @remaining: how many of them are left; -1 if it was not told
 * @kind_limit: the same for this kind of request alone; -1 if it has no limit of its own
 * @kind_remaining: how many of these are left
 * @kind_period: microseconds of the window of @kind_limit, which begins where a multiple of it does
 * @refused: whether the request was refused because there were too many
 * @wait: microseconds for which the target asks to be left alone then, 0 if it does not say; if nothing was refused, for which
 *   it wants no more requests of this kind
 *
 * What an answer tells of rate limits.  All is optional.
 *
 * Since: 0.1
 */
typedef struct
{
  gsize size;
  gint64 target_time;
  gint64 limit;
  gint64 remaining;
  gint64 kind_limit;
  gint64 kind_remaining;
  gint64 kind_period;
  gboolean refused;
  gint64 wait;
} TallyAnswerNews;

/**
 * TALLY_ANSWER_NEWS_INIT:
 *
 * The beginning of each #TallyAnswerNews: it tells nothing yet.
 *
 * Since: 0.1
 */
#define TALLY_ANSWER_NEWS_INIT                                                                     \
  .size = sizeof (TallyAnswerNews), .limit = -1, .remaining = -1, .kind_limit = -1, .kind_remaining = -1

/**
 * tally_context_set_account:
 * @ctx: a context
 * @account: what tells the account from any other: its host; copied
 * @reserve: (array fixed-size=24): percent of its rate limit that are left to others, for each hour of the day
 *   in local time
 *
 * Says in open() whose rate limit the requests of this instance count against.  All that name the same account
 * share one pace.
 *
 * Since: 0.1
 */
void tally_context_set_account (TallyContext *ctx, const char *account, const guint8 *reserve);

/**
 * tally_context_admit:
 * @ctx: a context with an account
 * @kind: (nullable): which requests may have a limit of their own: `GET /search`; copied
 * @ret_wait: (out): microseconds after which to ask again, if it may not go; else untouched
 *
 * Asks, before each request, whether it may go now.  It counts from then on.  A plugin does not sleep: it waits on its
 * sockets so long at most.
 *
 * Returns: (transfer full) (nullable): to be told the end of, or %NULL: not now
 * Since: 0.1
 */
TallyAdmission *tally_context_admit (TallyContext *ctx, const char *kind, gint64 *ret_wait);

/**
 * tally_context_end_request:
 * @ctx: the same context
 * @admission: (transfer full): what tally_context_admit() gave
 * @news: (nullable): what the answer told; %NULL if none came
 *
 * Tells of the end of a request.
 *
 * Since: 0.1
 */
void tally_context_end_request (TallyContext *ctx, TallyAdmission *admission, const TallyAnswerNews *news);

/**
 * tally_context_ask_patience:
 * @ctx: a context
 * @wait: microseconds for which the other side asked to be left alone; 0: it named none
 *
 * Goes before %TALLY_FLOW_RETRY: the engine waits so long, an hour at most, instead of the back-off that it would choose itself,
 * and does not count it as a failure. Before open() fails it has a run that holds no lease yet wait likewise, and open again.
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

/**
 * tally_context_plan_unfit:
 * @ctx: the context of a sink that is planned
 * @entity: what kind of record it is, as `ref()` names it: `user`
 * @id: what the target calls it
 *
 * Tells that records of the plan name one that the target has no more, or had better not be named, as a user who is suspended.
 * `tallyman plan --references` asks for another one to stand in, if it was ref() that gave the id.
 *
 * Since: 0.1
 */
void tally_context_plan_unfit (TallyContext *ctx, const char *entity, const char *id);

/**
 * TallyPlanRequests:
 * @size: sizeof (TallyPlanRequests)
 * @kind: what they are, as for tally_context_admit(): `POST /api/v2/tickets`
 * @n: how many
 * @bytes: how many bytes they send, all together
 * @kind_limit: how many of this kind the target is known to take in @kind_period, which counts until an answer tells; 0: none is
 *   known
 * @kind_period: microseconds
 *
 * Requests that a run would make.
 *
 * Since: 0.1
 */
typedef struct
{
  gsize size;
  const char *kind;
  guint64 n;
  guint64 bytes;
  gint64 kind_limit;
  gint64 kind_period;
} TallyPlanRequests;

/**
 * tally_context_plan_requests:
 * @ctx: the context of a sink that is planned
 * @requests: some requests of one kind; copied
 *
 * Tells of requests that a run would make, beyond those that were told before.
 *
 * Since: 0.1
 */
void tally_context_plan_requests (TallyContext *ctx, const TallyPlanRequests *requests);

G_END_DECLS
