/* instance.c: a plugin with its options filled in */
#include "instance.h"
#include "option.h"
#include "record/schema-private.h"

TallyInstance *
tally_instance_new (const TallyPlugin *plugin)
{
  TallyInstance *instance = g_new0 (TallyInstance, 1);
  guint n_options = tally_option_count (plugin->options);

  instance->plugin = plugin;
  instance->self = g_malloc0 (MAX (plugin->instance_size, 1));
  instance->expressions = g_array_new (FALSE, FALSE, sizeof (TallyInstanceExpression));
  instance->given = g_new0 (gboolean, n_options + 1);
  for (guint i = 0; i < n_options; i++)
    if (plugin->options[i].type == TALLY_OPTION_EXPRESSION)
      *(gint *) ((char *) instance->self + plugin->options[i].offset) = -1;
  return instance;
}

void
tally_instance_free (TallyInstance *instance)
{
  if (instance == NULL)
    return;

  tally_instance_close (instance);
  for (guint i = 0; i < tally_option_count (instance->plugin->options); i++)
    tally_option_clear (&instance->plugin->options[i], instance->self);
  for (guint i = 0; i < instance->expressions->len; i++)
    g_free (g_array_index (instance->expressions, TallyInstanceExpression, i).text);
  g_array_unref (instance->expressions);
  g_free (instance->given);
  g_free (instance->self);
  g_free (instance);
}

static gboolean
set_option (TallyInstance *instance, const TallyOption *option, const char *value,
            const char *shown, const char *directory, gpointer mark, GError **error)
{
  TallyInstanceExpression expression = { .option = option, .mark = mark };

  if (option->type != TALLY_OPTION_EXPRESSION)
    return tally_option_set (option, instance->self, value, shown, directory, error);

  for (guint i = 0; i < instance->expressions->len; i++)
    if (g_array_index (instance->expressions, TallyInstanceExpression, i).option == option)
      return tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" is given twice", option->name);
  expression.text = g_strdup (value);
  g_array_append_val (instance->expressions, expression);
  return TRUE;
}

gboolean
tally_instance_set_marked (TallyInstance *instance, const char *name, const char *value,
                           const char *shown, const char *directory, gpointer mark, GError **error)
{
  const TallyOption *options = instance->plugin->options;
  const TallyOption *option = tally_option_find (options, name);
  const char *nearest;

  if (option != NULL)
    {
      instance->given[option - options] = TRUE;
      return set_option (instance, option, value, shown, directory, mark, error);
    }

  nearest = tally_option_nearest (options, name);
  if (nearest != NULL)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "\"%s\" has no option \"%s\"; did you mean \"%s\"?", instance->plugin->name,
                        name, nearest);
  return tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" has no option \"%s\"",
                      instance->plugin->name, name);
}

gboolean
tally_instance_set (TallyInstance *instance, const char *name, const char *value,
                    const char *directory, GError **error)
{
  return tally_instance_set_marked (instance, name, value, NULL, directory, NULL, error);
}

gboolean
tally_instance_was_given (const TallyInstance *instance, const char *name)
{
  const TallyOption *option = tally_option_find (instance->plugin->options, name);

  return option != NULL && instance->given[option - instance->plugin->options];
}

gboolean
tally_instance_finish (TallyInstance *instance, const char **ret_missing, GError **error)
{
  const TallyPlugin *plugin = instance->plugin;

  for (guint i = 0; i < tally_option_count (plugin->options); i++)
    {
      const TallyOption *option = &plugin->options[i];

      if (instance->given[i])
        continue;
      if ((option->flags & TALLY_OPTION_REQUIRED) != 0)
        {
          if (ret_missing != NULL)
            *ret_missing = option->name;
          return tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" needs \"%s\"", plugin->name,
                              option->name);
        }
      if (option->fallback != NULL
          && !set_option (instance, option, option->fallback, NULL, "/", NULL, error))
        return tally_throw_prefix (error, "default of plugin \"%s\"", plugin->name);
    }

  return plugin->check == NULL || plugin->check (instance->self, error);
}

TallySchema *
tally_instance_transform (TallyInstance *instance, TallySchema *schema, TallyContext *ctx,
                          GError **error)
{
  const TallyPlugin *plugin = instance->plugin;
  TallySchema *made;

  if (plugin->accept != NULL && !plugin->accept (instance->self, schema, error))
    return NULL;
  if (plugin->describe == NULL)
    return tally_schema_ref (schema);

  made = plugin->describe (instance->self, ctx, error);
  if (made == NULL && *error == NULL)
    tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" says nothing of its columns", plugin->name);
  return made;
}

TallyFlow
tally_instance_apply (TallyInstance *instance, TallyContext *ctx, TallySchema *expected,
                      TallyBatch *batch, GError **error)
{
  TallyFlow flow = instance->plugin->apply (instance->self, ctx, batch, error);

  if (flow != TALLY_FLOW_OK && flow != TALLY_FLOW_END)
    {
      if (*error == NULL)
        tally_throw (error, TALLY_ERROR_DATA, "gave no reason");
      return flow;
    }
  if (tally_schema_equal (tally_batch_schema (batch), expected))
    return flow;
  tally_throw (error, TALLY_ERROR_UNSUPPORTED, "made other columns than it had said");
  return TALLY_FLOW_FATAL;
}

gboolean
tally_instance_open (TallyInstance *instance, TallyContext *ctx, GError **error)
{
  g_return_val_if_fail (!instance->opened, FALSE);

  /* Also when open() fails: close() lets go of what it had taken by then. */
  instance->opened = TRUE;
  return instance->plugin->open == NULL || instance->plugin->open (instance->self, ctx, error);
}

void
tally_instance_close (TallyInstance *instance)
{
  if (instance == NULL || !instance->opened)
    return;

  instance->opened = FALSE;
  if (instance->plugin->close != NULL)
    instance->plugin->close (instance->self);
}
