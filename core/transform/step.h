/* step.h: the built-in steps, one file each, and those that plugins do
 *
 * A step is configured by arguments, which the pipeline's reader turns its YAML into; it learns the
 * schema that comes, says the one that goes, and changes batches.  A plugin has its options instead.
 */
#pragma once
#include "expression/expression.h"
#include "expression/ref.h"
#include "plugin/instance.h"
#include <tallyman/batch.h>

typedef struct _TallyStep TallyStep;

/* One argument of a step: `set: { subject: trim(subject) }` is the pair (subject, trim(subject));
 * `filter: status <> 'spam'` is the pair (NULL, …); `keep: [a, b]` is (NULL, a), (NULL, b). */
typedef struct
{
  const char *name;  /* (nullable) */
  const char *value;
} TallyStepArgument;

/* What is wrong with a step: of which argument, in its name or in its value, at which bytes. */
typedef struct
{
  guint argument;
  gboolean in_name;
  TallyComplaint *complaint; /* (owned) */
} TallyStepComplaint;

typedef struct
{
  const char *name;    /* "filter" */
  const char *summary;
  enum { TALLY_STEP_SCALAR, TALLY_STEP_LIST, TALLY_STEP_MAP, TALLY_STEP_LOOKUP } form; /* of its YAML */
  gboolean keeps_columns; /* the rows that leave it have the columns of those that come, whatever its arguments */
  gboolean keeps_state;   /* what becomes of a row depends on those before it, from the beginning of the run */
  /* (nullable) NULL: it needs more than arguments, see lookup.h.
   * Makes a step for rows of schema.  All that is wrong goes to complaints (element-type TallyStepComplaint); NULL then. */
  TallyStep *(*build) (const TallyStepArgument *arguments, guint n_arguments, TallySchema *schema, GPtrArray *complaints);
} TallyStepKind;

const TallyStepKind *tally_step_find (const char *name); /* (nullable) */
/* A plugin's step, that gives the columns of schema.  instance: (unowned) a transform with its options filled. */
TallyStep *tally_step_new_for_plugin (TallyInstance *instance, TallySchema *schema);
const TallyStepKind *const *tally_step_kinds (void);     /* (array zero-terminated=1) */

const char *tally_step_name (const TallyStep *step);
TallySchema *tally_step_schema (const TallyStep *step);  /* (transfer none) of the rows that leave it */
/* Gets ready for a run, and lets go of what that took; ctx stays as long.  Only plugins need it. */
gboolean tally_step_open (TallyStep *step, TallyContext *ctx, GError **error);
void tally_step_close (TallyStep *step);
/* After open and before the first batch, again and again until it says END: a piece of what must be done first, such as
 * reading another source.  RETRY: the call may be made again after a while.  What is set aside goes to rejects
 * (element-type TallyReject).  error: not NULL. */
TallyFlow tally_step_prepare (TallyStep *step, TallyReferences *references, GArray *rejects, GError **error);
/* Ends a wait in tally_step_prepare() or tally_step_apply() now; on any thread. */
void tally_step_interrupt (TallyStep *step);
/* Changes a batch.  TALLY_FLOW_END: no more rows are wanted after it.  Whatever else it says comes with an
 * error; error: not NULL. */
TallyFlow tally_step_apply (TallyStep *step, TallyBatch *batch, GError **error);
/* Whether it holds rows back until there are no more; rows then leave it only here.  batch is empty and has the columns of
 * tally_step_schema().  OK: call again with another batch; END: these were the last, if there are any. */
gboolean tally_step_holds_rows (const TallyStep *step);
TallyFlow tally_step_drain (TallyStep *step, TallyBatch *batch, GError **error);
/* Rows that it holds still, which are nobody's any more when it is not drained to the end. */
guint64 tally_step_n_held (const TallyStep *step);
/* Warnings for `check`, such as a value that changes with each run (element-type utf8) (nullable). */
const GPtrArray *tally_step_warnings (const TallyStep *step);
void tally_step_free (TallyStep *step);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyStep, tally_step_free)
