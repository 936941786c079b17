/* guess-reading.h: a source that is read by itself, without a pipeline */
#pragma once
#include "plugin/instance.h"
#include "plugin/registry.h"

#define GUESS_BATCH 1000

typedef struct
{
  TallyInstance *instance; /* (owned) */
  TallyContext *ctx;       /* (owned) */
  TallySchema *schema;     /* (owned) (nullable) */
  TallyBatch *batch;       /* (owned) (nullable) what was read last */
} GuessReading;

/* An option and its value; NULL is the option's own default, and one more of a name an element more of a list. */
typedef const char *GuessOption[2];

gboolean guess_reading_begin (GuessReading *reading, TallyRegistry *registry, const char *source, const GuessOption *options,
                              guint n_options, GError **error);
TallyFlow guess_reading_next (GuessReading *reading, GError **error);
void guess_reading_clear (GuessReading *reading);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GuessReading, guess_reading_clear)
