/* descriptor.c: what a plugin must have before it is believed */
#include "descriptor.h"
#include "option.h"
#include <string.h>
#include <tallyman/error.h>

/* The first release's sizes: no plugin can be smaller. */
#define FIRST_PLUGIN_SIZE (G_STRUCT_OFFSET (TallyPlugin, close) + sizeof (void (*) (void)))
#define FIRST_OPTION_SIZE (G_STRUCT_OFFSET (TallyOption, example) + sizeof (char *))
#define FIRST_DELIVERY_SIZE (G_STRUCT_OFFSET (TallyDeliverySink, drive) + sizeof (void (*) (void)))
#define MAX_NAME 64

static const char *const kind_names[]
    = { [TALLY_SOURCE] = "source", [TALLY_TRANSFORM] = "transform", [TALLY_SINK] = "sink" };

const char *
tally_kind_name (TallyKind kind)
{
  return (guint) kind < G_N_ELEMENTS (kind_names) ? kind_names[kind] : "plugin";
}

gboolean
tally_descriptor_is_name (const char *name)
{
  gsize length = strlen (name);

  return g_ascii_islower (*name) && length <= MAX_NAME
         && strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == length;
}

void
tally_descriptor_free (TallyDescriptor *descriptor)
{
  if (descriptor == NULL)
    return;

  g_free (descriptor->options);
  g_free (descriptor);
}

/* ---- Copies in today's size ---- */

/* An older TallyOption is smaller: the table is walked by the size that the plugin says. */
static gboolean
copy_options (TallyDescriptor *descriptor, const TallyPlugin *plugin, GError **error)
{
  const char *row = (const char *) plugin->options;
  gsize size = MIN (plugin->option_size, sizeof (TallyOption));
  guint n = 0;

  if (plugin->option_size < FIRST_OPTION_SIZE)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "rows of its option table have %" G_GSIZE_FORMAT " bytes",
                        plugin->option_size);
  while (n <= TALLY_OPTION_MAX_ROWS
         && *(const char *const *) (row + n * plugin->option_size) != NULL)
    n++;
  if (n > TALLY_OPTION_MAX_ROWS)
    return tally_throw (error, TALLY_ERROR_USAGE, "its option table has no end");

  descriptor->options = g_new0 (TallyOption, n + 1);
  for (guint i = 0; i < n; i++)
    memcpy (&descriptor->options[i], row + i * plugin->option_size, size);
  descriptor->plugin.options = descriptor->options;
  return TRUE;
}

static gboolean
copy_delivery (TallyDescriptor *descriptor, const TallyPlugin *plugin, GError **error)
{
  const TallyDeliverySink *delivery = plugin->delivery;

  if (delivery->size < FIRST_DELIVERY_SIZE)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "its delivery callbacks have %" G_GSIZE_FORMAT " bytes", delivery->size);

  memcpy (&descriptor->delivery, delivery, MIN (delivery->size, sizeof descriptor->delivery));
  descriptor->delivery.size = sizeof descriptor->delivery;
  descriptor->plugin.delivery = &descriptor->delivery;
  return TRUE;
}

static gboolean
copy_plugin (TallyDescriptor *descriptor, const TallyPlugin *plugin, GError **error)
{
  if (plugin->abi != TALLY_ABI)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "is built for plugin interface %u, this tallyman has %u", plugin->abi,
                        TALLY_ABI);
  if (plugin->size < FIRST_PLUGIN_SIZE)
    return tally_throw (error, TALLY_ERROR_USAGE, "its descriptor has %" G_GSIZE_FORMAT " bytes",
                        plugin->size);

  memcpy (&descriptor->plugin, plugin, MIN (plugin->size, sizeof descriptor->plugin));
  descriptor->plugin.size = sizeof descriptor->plugin;
  descriptor->plugin.option_size = sizeof (TallyOption);
  return (plugin->options == NULL || copy_options (descriptor, plugin, error))
         && (plugin->delivery == NULL || copy_delivery (descriptor, plugin, error));
}

/* ---- What must be there ---- */

static gboolean
check_callbacks (const TallyPlugin *plugin, GError **error)
{
  const TallyDeliverySink *delivery = plugin->delivery;
  const struct
  {
    gboolean needed, there;
    const char *name;
  } callbacks[] = {
    { plugin->kind == TALLY_SOURCE, plugin->read != NULL, "read" },
    { plugin->kind == TALLY_SOURCE, plugin->describe != NULL, "describe" },
    { plugin->kind == TALLY_TRANSFORM, plugin->apply != NULL, "apply" },
    { plugin->kind == TALLY_SINK && delivery == NULL, plugin->write != NULL, "write" },
    { plugin->plan != NULL, plugin->plan != NULL && plugin->plan->size >= sizeof (TallyPlanSink), "plan" },
    { delivery != NULL, delivery != NULL && delivery->profile != NULL, "delivery.profile" },
    { delivery != NULL, delivery != NULL && delivery->render != NULL, "delivery.render" },
    { delivery != NULL, delivery != NULL && delivery->send != NULL, "delivery.send" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (callbacks); i++)
    if (callbacks[i].needed && !callbacks[i].there)
      return tally_throw (error, TALLY_ERROR_USAGE, "%s \"%s\" has no callback \"%s\"",
                          tally_kind_name (plugin->kind), plugin->name, callbacks[i].name);

  if (delivery != NULL && plugin->kind != TALLY_SINK)
    return tally_throw (error, TALLY_ERROR_USAGE, "%s \"%s\" delivers, which only a sink can",
                        tally_kind_name (plugin->kind), plugin->name);
  return TRUE;
}

/* A default that its own option would not take is found here, not by the first user. */
static gboolean
check_fallback (const TallyOption *option, GError **error)
{
  gint64 field[2] = { 0 };
  TallyOption here = *option;
  gboolean taken;

  if (option->fallback == NULL || option->type == TALLY_OPTION_EXPRESSION)
    return TRUE;

  here.offset = 0;
  taken = tally_option_set (&here, field, option->fallback, NULL, "/", error);
  tally_option_clear (&here, field);
  return taken || tally_throw_prefix (error, "default");
}

static gboolean
check_option (const TallyPlugin *plugin, const TallyOption *option, GError **error)
{
  gsize size = tally_option_field_size (option->type);

  if (size == 0)
    return tally_throw (error, TALLY_ERROR_USAGE, "option \"%s\" is of an unknown type %d",
                        option->name, option->type);
  if (!tally_descriptor_is_name (option->name))
    return tally_throw (error, TALLY_ERROR_USAGE, "option \"%s\" has a name that none can have",
                        option->name);
  if (option->summary == NULL || *option->summary == '\0')
    return tally_throw (error, TALLY_ERROR_USAGE, "option \"%s\" has no summary", option->name);
  if (option->offset > plugin->instance_size || plugin->instance_size - option->offset < size)
    return tally_throw (error, TALLY_ERROR_USAGE, "option \"%s\" lies outside of the instance",
                        option->name);
  if (option->type == TALLY_OPTION_CHOICE
      && (option->choices == NULL || option->choices[0] == NULL))
    return tally_throw (error, TALLY_ERROR_USAGE, "option \"%s\" has no choices", option->name);
  if (option->min > option->max)
    return tally_throw (error, TALLY_ERROR_USAGE, "option \"%s\" has bounds that nothing fits into",
                        option->name);
  if (option->type == TALLY_OPTION_EXPRESSION && plugin->kind != TALLY_SINK)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "option \"%s\" is an expression, which only a sink can have", option->name);
  if (tally_option_find (plugin->options, option->name) != option)
    return tally_throw (error, TALLY_ERROR_USAGE, "option \"%s\" is there twice", option->name);
  if (plugin->delivery != NULL && tally_option_find (tally_delivery_options, option->name) != NULL)
    return tally_throw (error, TALLY_ERROR_USAGE, "option \"%s\" is one of the core's own",
                        option->name);

  return check_fallback (option, error);
}

static gboolean
check_descriptor (const TallyPlugin *plugin, GError **error)
{
  if ((guint) plugin->kind >= G_N_ELEMENTS (kind_names))
    return tally_throw (error, TALLY_ERROR_USAGE, "is of an unknown kind %d", plugin->kind);
  if (plugin->name == NULL || !tally_descriptor_is_name (plugin->name))
    return tally_throw (
        error, TALLY_ERROR_USAGE, "has a %s with %s%s%s", tally_kind_name (plugin->kind),
        plugin->name != NULL ? "the name \"" : "no name", plugin->name != NULL ? plugin->name : "",
        plugin->name != NULL ? "\", which none can have" : "");
  if (plugin->summary == NULL || *plugin->summary == '\0')
    return tally_throw (error, TALLY_ERROR_USAGE, "%s \"%s\" has no summary",
                        tally_kind_name (plugin->kind), plugin->name);
  if (!check_callbacks (plugin, error))
    return FALSE;

  for (guint i = 0; i < tally_option_count (plugin->options); i++)
    if (!check_option (plugin, &plugin->options[i], error))
      return tally_throw_prefix (error, "%s \"%s\"", tally_kind_name (plugin->kind), plugin->name);
  return TRUE;
}

TallyDescriptor *
tally_descriptor_new (const TallyPlugin *plugin, GError **error)
{
  g_autoptr (TallyDescriptor) descriptor = g_new0 (TallyDescriptor, 1);

  if (!copy_plugin (descriptor, plugin, error) || !check_descriptor (&descriptor->plugin, error))
    return NULL;

  return g_steal_pointer (&descriptor);
}
