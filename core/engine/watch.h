/* watch.h: a thread that hands a signal on to calls that may wait for ever
 *
 * For who works on one thread: while a source waits for its first byte, nobody else would notice the signal.
 */
#pragma once
#include "pipeline/pipeline.h"

typedef struct _TallyWatch TallyWatch;

/* From now on until the watch is freed, the pipeline's source and steps are open. */
TallyWatch *tally_watch_new (TallyPipeline *pipeline);
void tally_watch_free (TallyWatch *watch);
