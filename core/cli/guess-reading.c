/* guess-reading.c: a source that is read by itself, without a pipeline */
#include "guess-reading.h"
#include "record/batch-private.h"

gboolean
guess_reading_begin (GuessReading *reading, TallyRegistry *registry, const char *source, const GuessOption *options,
                     guint n_options, GError **error)
{
  const TallyPlugin *plugin = tally_registry_find (registry, TALLY_SOURCE, source, error);

  if (plugin == NULL)
    return FALSE;

  reading->instance = tally_instance_new (plugin);
  reading->ctx = tally_context_new ("/");
  for (guint i = 0; i < n_options; i++)
    if (options[i][1] != NULL && !tally_instance_set (reading->instance, options[i][0], options[i][1], "/", error))
      return FALSE;
  if (!tally_instance_finish (reading->instance, NULL, error)
      || !tally_instance_open (reading->instance, reading->ctx, error))
    return FALSE;

  reading->schema = plugin->describe (reading->instance->self, reading->ctx, error);
  if (reading->schema == NULL)
    return FALSE;
  reading->batch = tally_batch_new (reading->schema, GUESS_BATCH);
  return TRUE;
}

TallyFlow
guess_reading_next (GuessReading *reading, GError **error)
{
  tally_batch_clear (reading->batch);
  return reading->instance->plugin->read (reading->instance->self, reading->ctx, reading->batch, error);
}

void
guess_reading_clear (GuessReading *reading)
{
  tally_batch_free (reading->batch);
  tally_instance_free (reading->instance);
  tally_context_free (reading->ctx);
  tally_schema_unref (reading->schema);
}
