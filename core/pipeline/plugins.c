/* plugins.c: source: and sink: become instances with their options filled */
#include "plugin/descriptor.h"
#include "plugin/option.h"
#include "reader.h"
#include "record/nearest.h"
#include <gio/gio.h>
#include <string.h>

/* ---- Values ---- */

/* A scalar's value and its references; what came from outside is remembered as a secret. */
static char *
expand (TallyPipeline *pipeline, const TallyYamlNode *node)
{
  g_autoptr (GPtrArray) mistakes
      = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_reference_mistake_free);
  char *value = tally_reference_expand (node->text, pipeline->directory, pipeline->reader->secrets,
                                        mistakes);

  for (guint i = 0; i < mistakes->len; i++)
    {
      const TallyReferenceMistake *mistake = mistakes->pdata[i];

      tally_pipeline_report_part (pipeline, TALLY_SEVERITY_ERROR, node, mistake->offset,
                                  mistake->length, mistake->message, mistake->hint);
    }
  return value;
}

char *
tally_pipeline_dup_scalar (TallyPipeline *pipeline, const TallyYamlNode *node)
{
  g_autofree char *message = NULL;

  if (node->kind == TALLY_YAML_SCALAR && !tally_yaml_is_empty (node))
    return expand (pipeline, node);

  message = g_strdup_printf ("\"%s\" %s", node->key != NULL ? node->key->text : "value",
                             node->kind == TALLY_YAML_SCALAR ? "has no value" : "takes a text");
  tally_pipeline_report_node (pipeline, node, message, NULL);
  return NULL;
}

/* A secret that stands in the file itself is blotted out of the text that messages quote. */
void
tally_pipeline_blot (TallyPipeline *pipeline, const TallyYamlNode *node)
{
  TallySecret *secret;

  if (node->kind != TALLY_YAML_SCALAR)
    {
      for (guint i = 0; i < node->items->len; i++)
        tally_pipeline_blot (pipeline, node->items->pdata[i]);
      return;
    }
  if (strstr (node->text, "${") != NULL)
    return;

  for (gsize i = node->start; i < node->end; i++)
    if (!g_ascii_isspace (pipeline->text[i]))
      pipeline->text[i] = '*';
  secret = g_new (TallySecret, 1);
  *secret = (TallySecret) { .value = g_strdup (node->text), .written = g_strdup ("***") };
  g_ptr_array_add (pipeline->reader->secrets, secret);
}

/* ---- Options ---- */

static void
set_value (TallyPipeline *pipeline, TallyInstance *instance, const TallyOption *option,
           TallyYamlNode *node)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *value = NULL, *hint = NULL;
  const char *nearest = NULL;

  /* In an expression a dollar sign is SQL's. */
  if (option->type == TALLY_OPTION_EXPRESSION)
    value = g_strdup (node->text);
  else
    value = expand (pipeline, node);
  if (value == NULL
      || tally_instance_set_marked (instance, option->name, value, node->text, pipeline->directory,
                                    node, &error))
    return;

  if (option->type == TALLY_OPTION_CHOICE)
    nearest
        = tally_nearest (node->text, option->choices, g_strv_length ((char **) option->choices));
  if (nearest != NULL)
    hint = g_strdup_printf ("did you mean \"%s\"?", nearest);
  else if (option->example != NULL)
    hint = g_strdup_printf ("for example: %s: %s", option->name, option->example);
  tally_pipeline_report_node (pipeline, node, error->message, hint);
}

void
tally_pipeline_set_option (TallyPipeline *pipeline, TallyInstance *instance,
                           const TallyOption *option, TallyYamlNode *node)
{
  g_autofree char *message = NULL;

  instance->given[option - instance->plugin->options] = TRUE;
  if (option->type == TALLY_OPTION_SECRET)
    tally_pipeline_blot (pipeline, node);
  if (tally_yaml_is_empty (node))
    message = g_strdup_printf ("\"%s\" has no value", option->name);
  else if (node->kind == TALLY_YAML_MAP
           || (node->kind == TALLY_YAML_LIST && option->type != TALLY_OPTION_LIST))
    message = g_strdup_printf (
        "\"%s\" takes %s %s, not a %s", option->name,
        strchr ("aeiou", *tally_option_type_name (option->type)) != NULL ? "an" : "a",
        tally_option_type_name (option->type), node->kind == TALLY_YAML_MAP ? "map" : "list");
  if (message != NULL)
    {
      tally_pipeline_report_node (pipeline, node, message, option->summary);
      return;
    }
  if (node->kind == TALLY_YAML_SCALAR)
    {
      set_value (pipeline, instance, option, node);
      return;
    }

  for (guint i = 0; i < node->items->len; i++)
    {
      TallyYamlNode *item = node->items->pdata[i];

      if (item->kind == TALLY_YAML_SCALAR)
        set_value (pipeline, instance, option, item);
      else
        tally_pipeline_report_node (pipeline, item, "an item of this list must be a text", NULL);
    }
}

/* The option that was meant is there, if misspelt: it is not reported as missing as well. */
static void
take_as_given (TallyInstance *instance, const char *name)
{
  const TallyOption *option
      = instance != NULL ? tally_option_find (instance->plugin->options, name) : NULL;

  if (option != NULL)
    instance->given[option - instance->plugin->options] = TRUE;
}

static void
report_unknown_option (TallyPipeline *pipeline, const TallyPluginDraft *draft, TallyYamlNode *node,
                       TallyInstance *instance, TallyInstance *delivery)
{
  const TallyPlugin *plugin = draft->plugin;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *message
      = g_strdup_printf ("%s \"%s\" has no option \"%s\"", tally_kind_name (plugin->kind),
                         plugin->name, node->key->text);
  g_autofree char *hint = NULL;
  const char *nearest;

  tally_pipeline_blot (pipeline, node);
  for (guint i = 0; i < tally_option_count (plugin->options); i++)
    g_ptr_array_add (names, (gpointer) plugin->options[i].name);
  for (guint i = 0; plugin->delivery != NULL && i < tally_option_count (tally_delivery_options);
       i++)
    g_ptr_array_add (names, (gpointer) tally_delivery_options[i].name);
  nearest = tally_nearest (node->key->text, (const char *const *) names->pdata, names->len);
  if (nearest != NULL)
    {
      take_as_given (instance, nearest);
      take_as_given (delivery, nearest);
    }
  hint = tally_pipeline_name_hint ("its options are", (const char *const *) names->pdata,
                                   names->len, nearest);
  tally_pipeline_report_node (pipeline, node->key, message, hint);
}

static void
fill (TallyPipeline *pipeline, const TallyPluginDraft *draft, TallyInstance *instance,
      TallyInstance *delivery)
{
  guint n = draft->options != NULL ? draft->options->items->len : 0;

  for (guint i = 0; i < n; i++)
    {
      TallyYamlNode *node = draft->options->items->pdata[i];
      const TallyOption *option = tally_option_find (instance->plugin->options, node->key->text);
      const TallyOption *core_option = tally_option_find (tally_delivery_options, node->key->text);

      if (option != NULL)
        tally_pipeline_set_option (pipeline, instance, option, node);
      else if (core_option != NULL && delivery != NULL)
        tally_pipeline_set_option (pipeline, delivery, core_option, node);
      else
        report_unknown_option (pipeline, draft, node, instance, delivery);
    }
}

static void
report_missing (TallyPipeline *pipeline, const TallyPluginDraft *draft, const TallyOption *option)
{
  const TallyPlugin *plugin = draft->plugin;
  g_autofree char *message = g_strdup_printf (
      "%s \"%s\" needs \"%s\"", tally_kind_name (plugin->kind), plugin->name, option->name);
  g_autofree char *hint = option->example != NULL
                              ? g_strdup_printf ("%s, for example %s: %s", option->summary,
                                                 option->name, option->example)
                              : g_strdup (option->summary);

  tally_pipeline_report_node (pipeline, draft->name, message, hint);
}

/* What is missing, then fallbacks and the plugin's own rules, which may rely on all options being
 * right. */
static void
finish (TallyPipeline *pipeline, const TallyPluginDraft *draft, TallyInstance *instance,
        guint n_errors_before)
{
  const TallyOption *options = instance->plugin->options;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < tally_option_count (options); i++)
    if ((options[i].flags & TALLY_OPTION_REQUIRED) != 0 && !instance->given[i])
      report_missing (pipeline, draft, &options[i]);
  if (tally_pipeline_n_errors (pipeline) == n_errors_before
      && !tally_instance_finish (instance, NULL, &error))
    tally_pipeline_report_error (pipeline, draft->name, error);
}

static void
finish_delivery (TallyPipeline *pipeline, const TallyPluginDraft *draft, guint n_errors_before)
{
  TallyInstance *delivery = pipeline->reader->delivery;
  TallyDeliveryOptions *options = delivery->self;

  finish (pipeline, draft, delivery, n_errors_before);
  if (!tally_instance_was_given (delivery, "settle"))
    options->settle = -1;
  pipeline->delivery = *options;
}

/* ---- Which plugin ---- */

/* Most often the options of the first one, not indented enough. */
static void
report_second_plugin (TallyPipeline *pipeline, const TallyPluginDraft *draft,
                      const TallyYamlNode *node)
{
  g_autofree char *message = NULL, *hint = NULL;
  const TallyYamlNode *first = node->items->pdata[0], *second;

  if (node->items->len < 2)
    return;

  for (guint i = 1; i < node->items->len; i++)
    tally_pipeline_blot (pipeline, node->items->pdata[i]);
  second = node->items->pdata[1];
  message = g_strdup_printf ("\"%s\" takes one plugin, and \"%s\" is a second one",
                             tally_kind_name (draft->kind), second->key->text);
  hint = g_strdup_printf ("options of \"%s\" are indented deeper than its name", first->key->text);
  tally_pipeline_report_node (pipeline, second->key, message, hint);
}

gboolean
tally_pipeline_read_options (TallyPipeline *pipeline, TallyPluginDraft *draft, TallyYamlNode *node)
{
  g_autofree char *message = NULL;

  draft->options = node;
  draft->name = node->key;
  if (tally_yaml_is_empty (node))
    draft->options = NULL;
  else if (draft->options->kind != TALLY_YAML_MAP)
    {
      message = g_strdup_printf ("\"%s\" takes a map of options", draft->name->text);
      tally_pipeline_blot (pipeline, draft->options);
      tally_pipeline_report_node (pipeline, draft->options, message,
                                  "write each as \"name: value\" on a line of its own");
      draft->options = NULL;
      return FALSE;
    }
  return TRUE;
}

/* `csv: {…}`, or `csv` alone. */
static gboolean
read_name (TallyPipeline *pipeline, TallyPluginDraft *draft, TallyYamlNode *node)
{
  g_autofree char *message = NULL;

  if (node->kind == TALLY_YAML_SCALAR && !tally_yaml_is_empty (node))
    {
      draft->name = node;
      return TRUE;
    }
  if (node->kind != TALLY_YAML_MAP || node->items->len == 0)
    {
      message = g_strdup_printf ("\"%s\" takes the name of one plugin and its options",
                                 tally_kind_name (draft->kind));
      tally_pipeline_report_node (pipeline, node, message, "'tallyman inspect' lists the plugins");
      return FALSE;
    }

  report_second_plugin (pipeline, draft, node);
  return tally_pipeline_read_options (pipeline, draft, node->items->pdata[0]);
}

TallyInstance *
tally_pipeline_read_instance (TallyPipeline *pipeline, TallyPluginDraft *draft,
                              TallyInstance *delivery)
{
  TallyInstance *instance = tally_instance_new (draft->plugin);
  guint n_errors = tally_pipeline_n_errors (pipeline);

  fill (pipeline, draft, instance, delivery);
  finish (pipeline, draft, instance, n_errors);
  if (delivery != NULL)
    finish_delivery (pipeline, draft, n_errors);
  draft->good = tally_pipeline_n_errors (pipeline) == n_errors;
  return instance;
}

gboolean
tally_pipeline_find_plugin (TallyPipeline *pipeline, TallyRegistry *registry,
                            TallyPluginDraft *draft, TallyYamlNode *node)
{
  g_autoptr (GError) error = NULL;

  if (!read_name (pipeline, draft, node))
    return FALSE;
  draft->plugin = tally_registry_find (registry, draft->kind, draft->name->text, &error);
  if (draft->plugin != NULL)
    return TRUE;

  if (draft->options != NULL)
    tally_pipeline_blot (pipeline, draft->options);
  tally_pipeline_report_error (pipeline, draft->name, error);
  return FALSE;
}

void
tally_pipeline_read_plugin (TallyPipeline *pipeline, TallyRegistry *registry, TallyKind kind,
                            TallyYamlNode *node)
{
  TallyReader *reader = pipeline->reader;
  TallyPluginDraft *draft = kind == TALLY_SOURCE ? &reader->source : &reader->sink;
  TallyInstance **instance = kind == TALLY_SOURCE ? &pipeline->source : &pipeline->sink;

  if (draft->name != NULL)
    return; /* a key that is there twice */
  draft->kind = kind;
  if (!tally_pipeline_find_plugin (pipeline, registry, draft, node))
    return;

  if (draft->plugin->delivery != NULL)
    reader->delivery = tally_instance_new (&tally_delivery_options_plugin);
  *instance = tally_pipeline_read_instance (pipeline, draft, reader->delivery);
}

/* ---- A look at a source ---- */

/* A file that is not there: the value of an option that is a path. */
static const TallyYamlNode *
find_path (const TallyPluginDraft *draft, const char *message)
{
  const TallyYamlNode *first = NULL;

  for (guint i = 0; draft->options != NULL && i < draft->options->items->len; i++)
    {
      const TallyYamlNode *node = draft->options->items->pdata[i];
      const TallyOption *option = tally_option_find (draft->plugin->options, node->key->text);

      if (option == NULL || (option->flags & TALLY_OPTION_PATH) == 0)
        continue;
      for (guint j = 0; node->kind == TALLY_YAML_LIST && j < node->items->len; j++)
        {
          const TallyYamlNode *item = node->items->pdata[j];
          g_autofree char *name
              = item->kind == TALLY_YAML_SCALAR ? g_path_get_basename (item->text) : NULL;

          if (name != NULL && strstr (message, name) != NULL)
            return item;
        }
      if (first == NULL)
        first
            = node->kind == TALLY_YAML_LIST && node->items->len > 0 ? node->items->pdata[0] : node;
    }
  return first;
}

/* Plugins pass on what GLib says of a file, too. */
static gboolean
is_about_file (const GError *error)
{
  return g_error_matches (error, TALLY_ERROR, TALLY_ERROR_IO)
         || (error != NULL && error->domain == G_FILE_ERROR)
         || (error != NULL && error->domain == G_IO_ERROR);
}

/* The file beside it that was probably meant. */
static char *
path_hint (const TallyPipeline *pipeline, const TallyYamlNode *node)
{
  g_autofree char *path = NULL, *folder = NULL, *name = NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) directory = NULL;
  const char *entry, *nearest;

  if (node->kind != TALLY_YAML_SCALAR || strstr (node->text, "${") != NULL)
    return NULL;

  path = g_canonicalize_filename (node->text, pipeline->directory);
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return NULL;
  folder = g_path_get_dirname (path);
  name = g_path_get_basename (path);
  directory = g_dir_open (folder, 0, NULL);
  if (directory == NULL)
    return g_strdup_printf (
        "there is no folder \"%s\"; relative paths are taken from the pipeline's folder", folder);

  while (names->len < 1000 && (entry = g_dir_read_name (directory)) != NULL)
    if (g_utf8_validate (entry, -1, NULL))
      g_ptr_array_add (names, g_strdup (entry));
  nearest = tally_nearest (name, (const char *const *) names->pdata, names->len);
  return nearest != NULL ? g_strdup_printf ("did you mean \"%s\"?", nearest)
                         : g_strdup ("relative paths are taken from the pipeline's folder");
}

typedef struct
{
  TallyPipeline *pipeline;
  const TallyYamlNode *name;
} Look;

static void
report_source_warning (const char *message, gpointer data)
{
  const Look *look = data;

  tally_pipeline_report (look->pipeline, TALLY_SEVERITY_WARNING, look->name->start,
                         look->name->end - look->name->start, message, NULL);
}

TallySchema *
tally_pipeline_look (TallyPipeline *pipeline, const TallyPluginDraft *draft, TallyContext *ctx,
                     GError **error)
{
  TallySchema *schema = NULL;

  /* An instance of its own, so that the one for the run has never been opened. */
  g_autoptr (TallyInstance) instance = tally_instance_new (draft->plugin);
  fill (pipeline, draft, instance, NULL);
  if (tally_instance_finish (instance, NULL, error) && tally_instance_open (instance, ctx, error))
    schema = draft->plugin->describe (instance->self, ctx, error);
  if (schema != NULL && ctx->tell != NULL && draft->plugin->probe != NULL && !draft->plugin->probe (instance->self, ctx, error))
    g_clear_pointer (&schema, tally_schema_unref);
  if (schema == NULL && *error == NULL)
    tally_throw (error, TALLY_ERROR_UNSUPPORTED, "the source says nothing of its columns");
  return schema;
}

TallySchema *
tally_pipeline_describe_source (TallyPipeline *pipeline, const TallyPluginDraft *draft)
{
  g_autoptr (TallyContext) ctx = tally_context_new (pipeline->directory);
  g_autoptr (GError) error = NULL;
  g_autofree char *hint = NULL;
  Look look = { pipeline, draft->name };
  const TallyYamlNode *at;
  TallySchema *schema;

  ctx->warn = report_source_warning;
  ctx->warn_data = &look;
  schema = tally_pipeline_look (pipeline, draft, ctx, &error);
  if (schema != NULL)
    return schema;

  at = is_about_file (error) ? find_path (draft, error->message) : NULL;
  if (at != NULL)
    hint = path_hint (pipeline, at);
  tally_pipeline_report_node (pipeline, at != NULL ? at : draft->name, error->message, hint);
  return NULL;
}
