/* steps.c: transform: becomes drafts of steps */
#include "reader.h"
#include "record/nearest.h"
#include <string.h>

void
tally_step_draft_free (TallyStepDraft *draft)
{
  g_array_unref (draft->arguments);
  g_ptr_array_unref (draft->nodes);
  tally_instance_free (draft->instance);
  tally_lookup_draft_free (draft->lookup);
  g_free (draft);
}

/* In an expression `${NAME}` is a text like any other, which is seldom what was meant. */
static void
warn_of_reference (TallyPipeline *pipeline, const TallyYamlNode *node)
{
  const char *reference = strstr (node->text, "${");

  if (reference != NULL)
    tally_pipeline_report_part (pipeline, TALLY_SEVERITY_WARNING, node, reference - node->text,
                                strcspn (reference, "}") + 1,
                                "\"${\" is not replaced in an expression",
                                "only values of source, sink, errors and ledger are");
}

void
tally_pipeline_add_argument (TallyPipeline *pipeline, TallyStepDraft *draft, TallyYamlNode *node)
{
  TallyStepArgument argument
      = { .name = node->key != NULL && node != draft->node ? node->key->text : NULL,
          .value = node->text };
  g_autofree char *message = NULL;

  if (node->kind != TALLY_YAML_SCALAR)
    tally_pipeline_report_node (pipeline, node, "a text is expected here", NULL);
  else if (tally_yaml_is_empty (node))
    {
      message = g_strdup_printf ("\"%s\" has no value",
                                 argument.name != NULL ? argument.name : draft->kind->name);
      tally_pipeline_report_node (pipeline, node, message, NULL);
    }
  else
    {
      warn_of_reference (pipeline, node);
      g_array_append_val (draft->arguments, argument);
      g_ptr_array_add (draft->nodes, node);
    }
}

static void
read_arguments (TallyPipeline *pipeline, TallyStepDraft *draft)
{
  static const char *const forms[] = {
    [TALLY_STEP_SCALAR] = "one value", [TALLY_STEP_LIST] = "a list", [TALLY_STEP_MAP] = "a map"
  };
  TallyYamlNode *node = draft->node;
  gboolean fits = (draft->kind->form == TALLY_STEP_SCALAR && node->kind == TALLY_YAML_SCALAR)
                  || (draft->kind->form == TALLY_STEP_LIST && node->kind != TALLY_YAML_MAP)
                  || (draft->kind->form == TALLY_STEP_MAP && node->kind == TALLY_YAML_MAP);

  if (!fits)
    {
      g_autofree char *message
          = g_strdup_printf ("\"%s\" takes %s", draft->kind->name, forms[draft->kind->form]);

      tally_pipeline_report_node (pipeline, node, message, draft->kind->summary);
    }
  else if (node->kind == TALLY_YAML_SCALAR)
    tally_pipeline_add_argument (pipeline, draft, node);
  else
    for (guint i = 0; i < node->items->len; i++)
      tally_pipeline_add_argument (pipeline, draft, node->items->pdata[i]);
}

/* All names that a step can have, those of plugins after the built-in ones. */
static GPtrArray *
step_names (TallyRegistry *registry)
{
  GPtrArray *names = g_ptr_array_new ();
  g_autoptr (GPtrArray) plugins = tally_registry_list (registry, NULL);

  for (const TallyStepKind *const *kind = tally_step_kinds (); *kind != NULL; kind++)
    g_ptr_array_add (names, (gpointer) (*kind)->name);
  for (guint i = 0; i < plugins->len; i++)
    {
      const TallyPlugin *plugin = plugins->pdata[i];

      if (plugin->kind == TALLY_TRANSFORM)
        g_ptr_array_add (names, (gpointer) plugin->name);
    }
  return names;
}

static void
report_unknown_step (TallyPipeline *pipeline, TallyRegistry *registry, const TallyYamlNode *node)
{
  const char *name = node->key->text, *complaint = tally_registry_complaint (registry, name);
  g_autofree char *message = NULL, *hint = NULL;
  g_autoptr (GPtrArray) names = NULL;

  /* They may be options of a plugin, and secrets. */
  if (node->kind == TALLY_YAML_MAP)
    tally_pipeline_blot (pipeline, node);
  if (complaint != NULL)
    message = g_strdup_printf ("step \"%s\" cannot be loaded: %s", name, complaint);
  else
    {
      names = step_names (registry);
      message = g_strdup_printf ("there is no step \"%s\"", name);
      hint = tally_pipeline_name_hint (
          "the steps are", (const char *const *) names->pdata, names->len,
          tally_nearest (name, (const char *const *) names->pdata, names->len));
    }
  tally_pipeline_report_node (pipeline, node->key, message, hint);
}

static TallyStepDraft *
add_draft (GPtrArray *drafts, const TallyStepKind *kind, TallyYamlNode *node)
{
  TallyStepDraft *draft = g_new0 (TallyStepDraft, 1);

  draft->kind = kind;
  draft->node = node;
  draft->arguments = g_array_new (FALSE, FALSE, sizeof (TallyStepArgument));
  draft->nodes = g_ptr_array_new ();
  g_ptr_array_add (drafts, draft);
  return draft;
}

static void
read_plugin (TallyPipeline *pipeline, GPtrArray *drafts, const TallyPlugin *plugin,
             TallyYamlNode *node)
{
  TallyStepDraft *draft = add_draft (drafts, /* kind= */ NULL, node);

  draft->plugin = (TallyPluginDraft) { .kind = TALLY_TRANSFORM, .plugin = plugin };
  if (tally_pipeline_read_options (pipeline, &draft->plugin, node))
    draft->instance = tally_pipeline_read_instance (pipeline, &draft->plugin, NULL);
}

gboolean
tally_pipeline_keeps_state (const TallyPipeline *pipeline)
{
  for (guint i = 0; i < pipeline->reader->steps->len; i++)
    {
      const TallyStepDraft *draft = pipeline->reader->steps->pdata[i];

      if (draft->kind != NULL ? draft->kind->keeps_state
                              : (draft->plugin.plugin->flags & TALLY_PLUGIN_KEEPS_STATE) != 0)
        return TRUE;
    }
  return FALSE;
}

static void
read_step (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node, GPtrArray *drafts)
{
  TallyYamlNode *value;
  const TallyStepKind *kind;
  const TallyPlugin *plugin;

  if (node->kind != TALLY_YAML_MAP || node->items->len == 0)
    {
      tally_pipeline_report_node (pipeline, node, "a step is its name, a colon and what it takes",
                                  "for example: - filter: status <> 'spam'");
      return;
    }
  value = node->items->pdata[0];
  if (node->items->len > 1)
    tally_pipeline_report_node (
        pipeline, ((TallyYamlNode *) node->items->pdata[1])->key, "a step has one name",
        "begin each step with \"- \", and indent what it takes deeper than its name");

  kind = tally_step_find (value->key->text);
  if (kind != NULL && kind->form == TALLY_STEP_LOOKUP)
    tally_pipeline_read_lookup (pipeline, registry, add_draft (drafts, kind, value));
  else if (kind != NULL)
    read_arguments (pipeline, add_draft (drafts, kind, value));
  else if ((plugin = tally_registry_find (registry, TALLY_TRANSFORM, value->key->text, NULL)) != NULL)
    read_plugin (pipeline, drafts, plugin, value);
  else
    report_unknown_step (pipeline, registry, value);
}

void
tally_pipeline_read_steps (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node,
                           GPtrArray *drafts)
{
  if (tally_yaml_is_empty (node))
    return;
  if (node->kind != TALLY_YAML_LIST)
    {
      tally_pipeline_report_node (pipeline, node, "\"transform\" takes a list of steps",
                                  "begin each step with \"- \"");
      return;
    }

  for (guint i = 0; i < node->items->len; i++)
    read_step (pipeline, registry, node->items->pdata[i], drafts);
}
