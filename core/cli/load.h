/* load.h: the pipelines that a command was given */
#pragma once
#include "command.h"
#include "engine/engine.h"

/* All of them, read before the first one is used, so that a mistake in the last stops them all.  NULL if there is
 * one; it has been printed.  (transfer full) (nullable) (element-type TallyPipeline) */
GPtrArray *tally_command_load_all (char **arguments, TallyRegistry *registry);
