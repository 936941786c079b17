/* plugin.h: all that a plugin of Tallyman includes
 *
 * A plugin is a shared object with one exported function, which TALLY_REGISTER() defines, and which
 * returns a list of constant descriptors.  A plugin that was built once loads in every later
 * release: the structs say their own size and only ever grow at the end.
 *
 *   load ── options filled ── check ── open ─┬─ read … acknowledge ───┬─ close   source
 *                                            ├─ apply, apply …        ┤          transform
 *                                            ├─ write, settle, commit ┤          sink
 *                                            └─ render, send, resolve ┘          delivering sink
 *
 * Every callback but @name, @summary and the one that does the work may be left out.
 */
#pragma once
#include "batch.h"
#include "context.h"
#include "delivery.h"
#include "error.h"
#include "html.h"
#include "option.h"
#include "schema.h"
#include "types.h"
#include <gmodule.h>

G_BEGIN_DECLS

/**
 * TALLY_ABI:
 *
 * The number of the plugin interface.  It would change only if an old plugin could not be loaded
 * any more.
 *
 * Since: 0.1
 */
#define TALLY_ABI 1

/**
 * TallyFlow:
 * @TALLY_FLOW_OK: done, go on
 * @TALLY_FLOW_END: no more rows; rows in the batch that comes with it count
 * @TALLY_FLOW_RETRY: try the same call again after a while
 * @TALLY_FLOW_REJECT: set the whole batch aside
 * @TALLY_FLOW_FATAL: end the run
 * @TALLY_FLOW_OPEN: of a sink's write(): taken, and settle() will tell which rows are rejected
 *
 * A verdict tells the engine what to do; the #GError that comes with all but the first two tells a
 * person why.
 *
 * Since: 0.1
 */
typedef enum
{
  TALLY_FLOW_OK,
  TALLY_FLOW_END,
  TALLY_FLOW_RETRY,
  TALLY_FLOW_REJECT,
  TALLY_FLOW_FATAL,
  TALLY_FLOW_OPEN,
} TallyFlow;

/**
 * TallyKind:
 * @TALLY_SOURCE: gives records
 * @TALLY_TRANSFORM: changes records
 * @TALLY_SINK: takes records
 *
 * Since: 0.1
 */
typedef enum
{
  TALLY_SOURCE,
  TALLY_TRANSFORM,
  TALLY_SINK,
} TallyKind;

/**
 * TallyThreading:
 * @TALLY_THREADING_ALONE: no two instances of the plugin are called at once
 * @TALLY_THREADING_INSTANCE: instances may work side by side; one instance is called by one
 *   thread at a time
 *
 * Since: 0.1
 */
typedef enum
{
  TALLY_THREADING_ALONE,
  TALLY_THREADING_INSTANCE,
} TallyThreading;

/**
 * TallyPluginFlags:
 * @TALLY_PLUGIN_LOCAL: open() and describe() touch no network, so that `check` may call them
 * @TALLY_PLUGIN_KEEPS_POSITION: a source whose position lives on after a complete run, so that the
 *   next run reads only what is new
 * @TALLY_PLUGIN_WHOLE: a sink whose output appears as a whole, by one commit() at the end, or not at
 *   all; after a failure such a run begins at the beginning
 * @TALLY_PLUGIN_KEEPS_STATE: a transform for which it matters what rows came since open(): a run with it
 *   is never gone on with in the middle, but begins at the beginning
 * @TALLY_PLUGIN_RECORDS_MOVE: a source whose records may lie elsewhere by the next run, as a mail in another folder: a key
 *   from another origin than in an earlier run is no other record
 *
 * Since: 0.1
 */
typedef enum
{
  TALLY_PLUGIN_LOCAL = 1 << 0,
  TALLY_PLUGIN_KEEPS_POSITION = 1 << 1,
  TALLY_PLUGIN_WHOLE = 1 << 2,
  TALLY_PLUGIN_KEEPS_STATE = 1 << 3,
  TALLY_PLUGIN_RECORDS_MOVE = 1 << 4,
} TallyPluginFlags;

/**
 * TallyPlanSink:
 * @size: sizeof (TallyPlanSink)
 * @open: in place of the sink's open(): looks at the target, says which it is, and changes nothing there.  Fails as open()
 *   would
 * @write: in place of write(): takes @batch and rejects the rows that the target would refuse
 * @end: in place of commit(), after the last batch
 *
 * What a sink would do, for `tallyman plan`: told by tally_context_plan_text() and tally_context_plan_number().  Nothing is
 * told that is not so: what cannot be known is left out.  close() comes last, as ever.
 *
 * Since: 0.1
 */
typedef struct
{
  gsize size;
  gboolean (*open) (gpointer self, TallyContext *ctx, GError **error);
  TallyFlow (*write) (gpointer self, TallyContext *ctx, TallyBatch *batch, GError **error);
  TallyFlow (*end) (gpointer self, TallyContext *ctx, GError **error);
} TallyPlanSink;

#define TALLY_PLAN_SINK_INIT .size = sizeof (TallyPlanSink)

/**
 * TallyPlugin:
 * @abi: from %TALLY_PLUGIN_INIT
 * @size: from %TALLY_PLUGIN_INIT
 * @option_size: from %TALLY_PLUGIN_INIT
 * @kind: source, transform or sink
 * @name: as written in a pipeline; unique among plugins of its kind
 * @summary: one line for `tallyman inspect`
 * @flags: see #TallyPluginFlags
 * @threading: see #TallyThreading; zero is the safest
 * @instance_size: bytes of an instance, zeroed by the core before the options are filled in
 * @options: (nullable): the table of options, ended by an empty row
 * @check: rules between options; no I/O.  Fails with %TALLY_ERROR_USAGE
 * @accept: a transform or sink: looks at the columns that will come, at check time and before
 *   open(); no I/O.  They stay until accept() is called again or the instance is closed.  Fails with
 *   %TALLY_ERROR_USAGE if it cannot take them
 * @open: gets ready; may come again after close()
 * @probe: tries reach, rights and settings, for `tallyman doctor`, and changes nothing; what it finds it tells by
 *   tally_context_tell().  After open(), or of a sink with @plan after the open() there
 * @describe: the columns that a source gives, after open(); or those that a transform makes of what
 *   it accepted, after accept(), at check time too, and without I/O: by default it leaves the
 *   columns as they are.  Returns (transfer full)
 * @read: fills @out, which is empty and has the columns of describe(), with at most its capacity
 *   of rows, and offers a position
 * @apply: changes @batch: its values, its rows (tally_batch_retain(), tally_batch_reject()) and, by
 *   tally_batch_rearrange(), its columns into those of describe().  %TALLY_FLOW_END: no more rows
 *   are wanted after this batch.  Before %TALLY_FLOW_RETRY the batch is as it came
 * @write: takes @batch; it need not be durable yet
 * @commit: makes all that was written durable
 * @delivery: (nullable): in place of @write and @commit
 * @interrupt: called on any thread to end a wait in another callback now; must not block
 * @close: lets go of all that open() took; also called after a failed open()
 * @resume: a sink whose target keeps a checkpoint beside the rows, in the same transaction: after
 *   open() gives (transfer full) what its last commit() kept under tally_context_checkpoint_key(),
 *   or %NULL if there is nothing.  Such a sink writes each row exactly once
 * @plan: (nullable): a sink that writes: what it would do, see #TallyPlanSink
 * @settle: (nullable): a sink whose write() may give %TALLY_FLOW_OPEN: ends what write() began, and rejects the rows that the
 *   target refuses, of all batches that are open.  They stay as they came until then, or until write() gives %TALLY_FLOW_OK: then it
 *   has settled them itself.  The engine calls it after several batches or when none comes, and before commit()
 * @acknowledge: (nullable): a source that leaves a mark where its records came from: all before @position is durable in the target,
 *   or set aside in the ledger, and may be marked as read there, or moved away.  Called once, at the end of a run, after which only
 *   close() comes; not after a signal.  A run that is killed before it has acknowledged leaves that to the next one, so the same
 *   position may come again.  It may move the position on, see tally_context_move_position().  interrupt() has been called by
 *   then.  What fails is told as a warning
 *
 * The descriptor of a plugin.
 *
 * Since: 0.1
 */
typedef struct
{
  guint abi;
  gsize size;
  gsize option_size;
  TallyKind kind;
  const char *name;
  const char *summary;
  guint flags;
  TallyThreading threading;
  gsize instance_size;
  const TallyOption *options;

  gboolean (*check) (gpointer self, GError **error);
  gboolean (*accept) (gpointer self, TallySchema *schema, GError **error);
  gboolean (*open) (gpointer self, TallyContext *ctx, GError **error);
  gboolean (*probe) (gpointer self, TallyContext *ctx, GError **error);
  TallySchema *(*describe) (gpointer self, TallyContext *ctx, GError **error);
  TallyFlow (*read) (gpointer self, TallyContext *ctx, TallyBatch *out, GError **error);
  TallyFlow (*apply) (gpointer self, TallyContext *ctx, TallyBatch *batch, GError **error);
  TallyFlow (*write) (gpointer self, TallyContext *ctx, TallyBatch *batch, GError **error);
  TallyFlow (*commit) (gpointer self, TallyContext *ctx, GError **error);
  const TallyDeliverySink *delivery;
  void (*interrupt) (gpointer self);
  void (*close) (gpointer self);
  gboolean (*resume) (gpointer self, TallyContext *ctx, char **ret_checkpoint, GError **error);
  const TallyPlanSink *plan;
  TallyFlow (*settle) (gpointer self, TallyContext *ctx, GError **error);
  gboolean (*acknowledge) (gpointer self, TallyContext *ctx, const char *position, GError **error);
} TallyPlugin;

#define TALLY_PLUGIN_INIT                                                                          \
  .abi = TALLY_ABI, .size = sizeof (TallyPlugin), .option_size = sizeof (TallyOption)

/**
 * TALLY_REGISTER:
 * @...: addresses of the shared object's descriptors
 *
 * Defines the function that the core looks for in a shared object.
 *
 * Since: 0.1
 */
#define TALLY_REGISTER(...)                                                                        \
  G_MODULE_EXPORT const TallyPlugin *const *tallyman_plugins (void);                               \
  const TallyPlugin *const *tallyman_plugins (void)                                                \
  {                                                                                                \
    static const TallyPlugin *const list[] = { __VA_ARGS__, NULL };                                \
    return list;                                                                                   \
  }                                                                                                \
  G_STATIC_ASSERT (TRUE)

G_END_DECLS
