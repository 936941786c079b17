/* plugin: a step that a transform of a plugin does */
#include "step-private.h"

typedef struct
{
  TallyStep base;
  TallyInstance *instance; /* (unowned) */
  TallyContext *ctx;       /* (unowned) (nullable) from open to close */
} PluginStep;

static gboolean
plugin_open (TallyStep *step, TallyContext *ctx, GError **error)
{
  PluginStep *plugin = (PluginStep *)step;

  plugin->ctx = ctx;
  return tally_instance_open (plugin->instance, ctx, error);
}

static void
plugin_close (TallyStep *step)
{
  PluginStep *plugin = (PluginStep *)step;

  tally_instance_close (plugin->instance);
  plugin->ctx = NULL;
}

static void
plugin_interrupt (TallyStep *step)
{
  const TallyInstance *instance = ((PluginStep *)step)->instance;

  if (instance->plugin->interrupt != NULL)
    instance->plugin->interrupt (instance->self);
}

static TallyFlow
plugin_apply (TallyStep *step, TallyBatch *batch, GError **error)
{
  PluginStep *plugin = (PluginStep *)step;

  return tally_instance_apply (plugin->instance, plugin->ctx, step->schema, batch, error);
}

TallyStep *
tally_step_new_for_plugin (TallyInstance *instance, TallySchema *schema)
{
  PluginStep *plugin = tally_step_new (sizeof (PluginStep), instance->plugin->name, schema);

  plugin->instance = instance;
  plugin->base.open = plugin_open;
  plugin->base.close = plugin_close;
  plugin->base.interrupt = plugin_interrupt;
  plugin->base.apply = plugin_apply;
  return &plugin->base;
}
