/* instance.h: a plugin with its options filled in */
#pragma once
#include "context.h"
#include <tallyman/plugin.h>

/* An expression option: its text waits for the schema that the sink gets. */
typedef struct
{
  const TallyOption *option; /* (unowned) */
  char *text;                /* (owned) */
  gpointer mark;             /* (unowned) where it stands in the pipeline, for diagnostics */
} TallyInstanceExpression;

typedef struct
{
  const TallyPlugin *plugin; /* (unowned) a copy in today's size, see registry.h */
  gpointer self;             /* (owned) plugin->instance_size bytes */
  GArray *expressions;       /* (owned) (element-type TallyInstanceExpression) */
  gboolean *given;           /* (owned) by the option's index: whether the pipeline gave it */
  gboolean opened;
} TallyInstance;

TallyInstance *tally_instance_new (const TallyPlugin *plugin);
/* Closes it if it was opened, frees what the options hold. */
void tally_instance_free (TallyInstance *instance);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallyInstance, tally_instance_free)

/* Sets one option from its text (a list: one element more each call).  directory: for PATH options.
 * Fails with TALLY_ERROR_USAGE: unknown name (with the nearest), wrong type, out of bounds. */
gboolean tally_instance_set (TallyInstance *instance, const char *name, const char *value, const char *directory,
                             GError **error);
/* The same; messages show `shown` in place of a value that came from a reference, and an expression remembers mark. */
gboolean tally_instance_set_marked (TallyInstance *instance, const char *name, const char *value, const char *shown,
                                    const char *directory, gpointer mark, GError **error);
gboolean tally_instance_was_given (const TallyInstance *instance, const char *name);
/* After the last set: fallbacks, required ones, check().  ret_missing (optional): the name of a missing option. */
gboolean tally_instance_finish (TallyInstance *instance, const char **ret_missing, GError **error);

/* The columns that a transform makes of those it is to accept.  Fails with TALLY_ERROR_USAGE: it cannot
 * take them.  error: not NULL. */
TallySchema *tally_instance_transform (TallyInstance *instance, TallySchema *schema, TallyContext *ctx, GError **error);
/* apply(), and a look whether the batch has the columns that were said; FATAL otherwise.  Any other verdict
 * than OK and END comes with an error.  error: not NULL. */
TallyFlow tally_instance_apply (TallyInstance *instance, TallyContext *ctx, TallySchema *expected, TallyBatch *batch,
                                GError **error);

gboolean tally_instance_open (TallyInstance *instance, TallyContext *ctx, GError **error);
void tally_instance_close (TallyInstance *instance);
