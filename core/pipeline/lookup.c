/* lookup.c: lookup: becomes the draft of a step, with a source and steps of its own */
#include "plugin/option.h"
#include "reader.h"
#include "record/nearest.h"
#include <string.h>

static const TallyPlugin lookup_options_plugin = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_TRANSFORM,
  .name = "lookup",
  .summary = "What a lookup takes besides names and expressions",
  .instance_size = sizeof (TallyLookupOptions),
  .options = tally_lookup_options,
};

void
tally_lookup_draft_free (TallyLookupDraft *lookup)
{
  if (lookup == NULL)
    return;

  g_clear_pointer (&lookup->schema, tally_schema_unref);
  g_ptr_array_unref (lookup->steps);
  tally_instance_free (lookup->instance);
  tally_instance_free (lookup->options);
  g_free (lookup);
}

/* ---- The keys of a lookup ---- */

typedef struct
{
  TallyLookupKeyInfo info;
  void (*read) (TallyPipeline *pipeline, TallyRegistry *registry, TallyStepDraft *draft, TallyYamlNode *node);
} Key;

static void
read_from (TallyPipeline *pipeline, TallyRegistry *registry, TallyStepDraft *draft, TallyYamlNode *node)
{
  TallyLookupDraft *lookup = draft->lookup;

  lookup->source.kind = TALLY_SOURCE;
  if (tally_pipeline_find_plugin (pipeline, registry, &lookup->source, node))
    lookup->instance = tally_pipeline_read_instance (pipeline, &lookup->source, NULL);
}

static void
read_transform (TallyPipeline *pipeline, TallyRegistry *registry, TallyStepDraft *draft, TallyYamlNode *node)
{
  GPtrArray *steps = draft->lookup->steps;

  tally_pipeline_read_steps (pipeline, registry, node, steps);
  for (guint i = 0; i < steps->len; i++)
    {
      const TallyStepDraft *step = steps->pdata[i];

      if (step->lookup != NULL)
        tally_pipeline_report_node (pipeline, step->node->key, "a lookup has no lookup in its own steps",
                                    "look the second one up afterwards, by a column that the first one adds");
    }
}

/* Adds a node's members or elements, or the node itself, to the step's arguments. */
static void
add_arguments (TallyPipeline *pipeline, TallyStepDraft *draft, TallyYamlNode *node, TallyStepArguments *into)
{
  into->first = draft->arguments->len;
  if (node->kind == TALLY_YAML_SCALAR)
    tally_pipeline_add_argument (pipeline, draft, node);
  for (guint i = 0; node->kind != TALLY_YAML_SCALAR && i < node->items->len; i++)
    tally_pipeline_add_argument (pipeline, draft, node->items->pdata[i]);
  into->n = draft->arguments->len - into->first;
}

static void
read_match (TallyPipeline *pipeline, TallyRegistry *registry, TallyStepDraft *draft, TallyYamlNode *node)
{
  if (node->kind == TALLY_YAML_MAP && node->items->len > 0)
    add_arguments (pipeline, draft, node, &draft->lookup->wish.match);
  else
    tally_pipeline_report_node (pipeline, node, "\"match\" takes a map of columns to look up and expressions",
                                "match: { id: user_id } looks up rows whose id is this row's user_id");
}

static void
read_columns (TallyPipeline *pipeline, TallyRegistry *registry, TallyStepDraft *draft, TallyYamlNode *node)
{
  if (node->kind != TALLY_YAML_SCALAR && node->items->len > 0)
    add_arguments (pipeline, draft, node, &draft->lookup->wish.columns);
  else
    tally_pipeline_report_node (pipeline, node, "\"columns\" takes a list of columns, or a map of new names and columns",
                                "columns: [name, email], or columns: { agent: name }");
}

static void
read_collect (TallyPipeline *pipeline, TallyRegistry *registry, TallyStepDraft *draft, TallyYamlNode *node)
{
  if (node->kind == TALLY_YAML_SCALAR)
    add_arguments (pipeline, draft, node, &draft->lookup->wish.collect);
  else
    tally_pipeline_report_node (pipeline, node, "\"collect\" takes the name of the column that gets the array", NULL);
}

static void
read_order (TallyPipeline *pipeline, TallyRegistry *registry, TallyStepDraft *draft, TallyYamlNode *node)
{
  if (node->kind != TALLY_YAML_MAP)
    add_arguments (pipeline, draft, node, &draft->lookup->wish.order);
  else
    tally_pipeline_report_node (pipeline, node, "\"order\" takes a column, or a list of them",
                                "order: created, or order: [created DESC, id]");
}

static const Key keys[] = {
  { { "from", "The other source: a plugin with its options", "{ csv: { path: users.csv } }", "a map", TRUE }, read_from },
  { { "transform", "Steps that its rows go through first", "[{ cast: { id: bigint } }]", "a list", FALSE },
    read_transform },
  { { "match", "Its columns that must be equal to expressions over the row that comes", "{ id: user_id }", "a map", TRUE },
    read_match },
  { { "columns", "Its columns that are added, or new names and columns; all but those of match if not given", "{ agent: name }",
      "a list or a map", FALSE },
    read_columns },
  { { "collect", "The column that gets all matches, as an array of objects", "comments", "one value", FALSE },
    read_collect },
  { { "order", "The order of the matches, as in ORDER BY; that of the other source if not given", "[created DESC, id]",
      "a list", FALSE },
    read_order },
};

const TallyLookupKeyInfo *
tally_pipeline_lookup_key (guint index)
{
  return index < G_N_ELEMENTS (keys) ? &keys[index].info : NULL;
}

static void
report_unknown_key (TallyPipeline *pipeline, TallyYamlNode *node)
{
  g_autofree char *message = g_strdup_printf ("\"lookup\" has no key \"%s\"", node->key->text);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *hint = NULL;

  /* They may be options of a plugin, and secrets. */
  tally_pipeline_blot (pipeline, node);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    g_ptr_array_add (names, (gpointer) keys[i].info.name);
  for (const TallyOption *option = tally_lookup_options; option->name != NULL; option++)
    g_ptr_array_add (names, (gpointer) option->name);
  hint = tally_pipeline_name_hint (
      "its keys are", (const char *const *) names->pdata, names->len,
      tally_nearest (node->key->text, (const char *const *) names->pdata, names->len));
  tally_pipeline_report_node (pipeline, node->key, message, hint);
}

static void
read_key (TallyPipeline *pipeline, TallyRegistry *registry, TallyStepDraft *draft, TallyYamlNode *node)
{
  const TallyOption *option = tally_option_find (tally_lookup_options, node->key->text);
  guint i = 0;

  while (i < G_N_ELEMENTS (keys) && strcmp (keys[i].info.name, node->key->text) != 0)
    i++;
  if (i < G_N_ELEMENTS (keys))
    keys[i].read (pipeline, registry, draft, node);
  else if (option != NULL)
    tally_pipeline_set_option (pipeline, draft->lookup->options, option, node);
  else
    report_unknown_key (pipeline, node);
}

static void
report_missing (TallyPipeline *pipeline, const TallyStepDraft *draft)
{
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      const TallyLookupKeyInfo *key = &keys[i].info;

      if (key->required && tally_yaml_find (draft->node, key->name) == NULL)
        {
          g_autofree char *message = g_strdup_printf ("\"lookup\" needs \"%s\"", key->name);
          g_autofree char *hint = g_strdup_printf ("for example: %s: %s", key->name, key->example);

          tally_pipeline_report_node (pipeline, draft->node->key, message, hint);
        }
    }
}

/* ---- What has no effect together ---- */

static void
report_idle (TallyPipeline *pipeline, const TallyStepDraft *draft, const char *name, const char *why)
{
  const TallyYamlNode *node = tally_yaml_find (draft->node, name);
  g_autofree char *message = g_strdup_printf ("\"%s\" has no effect here", name);

  if (node != NULL)
    tally_pipeline_report_node (pipeline, node->key, message, why);
}

static void
check_together (TallyPipeline *pipeline, const TallyStepDraft *draft)
{
  const TallyLookupDraft *lookup = draft->lookup;
  const TallyLookupOptions *options = lookup->options->self;

  if (tally_yaml_find (draft->node, "collect") != NULL)
    {
      report_idle (pipeline, draft, "missing", "with \"collect\" a row for which there is none gets an empty array");
      report_idle (pipeline, draft, "many", "\"collect\" takes all rows that there are");
    }
  else if (options->many != TALLY_LOOKUP_MANY_FIRST)
    report_idle (pipeline, draft, "order", "it is for \"collect\", and for \"many: first\"");
}

/* ---- The step ---- */

static TallyLookupDraft *
lookup_draft_new (void)
{
  TallyLookupDraft *lookup = g_new0 (TallyLookupDraft, 1);

  lookup->steps = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_step_draft_free);
  lookup->options = tally_instance_new (&lookup_options_plugin);
  return lookup;
}

void
tally_pipeline_read_lookup (TallyPipeline *pipeline, TallyRegistry *registry, TallyStepDraft *draft)
{
  guint n_errors = tally_pipeline_n_errors (pipeline);
  const TallyPlugin *plugin;

  draft->lookup = lookup_draft_new ();
  if (draft->node->kind != TALLY_YAML_MAP)
    {
      tally_pipeline_report_node (pipeline, draft->node, "\"lookup\" takes a map", draft->kind->summary);
      return;
    }

  for (guint i = 0; i < draft->node->items->len; i++)
    read_key (pipeline, registry, draft, draft->node->items->pdata[i]);
  report_missing (pipeline, draft);
  tally_instance_finish (draft->lookup->options, NULL, NULL);
  check_together (pipeline, draft);
  draft->lookup->good = tally_pipeline_n_errors (pipeline) == n_errors;

  plugin = draft->lookup->source.plugin;
  if (draft->lookup->source.good && (plugin->flags & TALLY_PLUGIN_LOCAL) != 0)
    draft->lookup->schema = tally_pipeline_describe_source (pipeline, &draft->lookup->source);
}

/* ---- Sources that are not local ---- */

/* The n-th lookup, or NULL. */
static const TallyStepDraft *
find_lookup (const TallyPipeline *pipeline, guint n)
{
  for (guint i = 0; i < pipeline->reader->steps->len; i++)
    {
      const TallyStepDraft *draft = pipeline->reader->steps->pdata[i];

      if (draft->lookup != NULL && n-- == 0)
        return draft;
    }
  return NULL;
}

guint
tally_pipeline_n_lookups (const TallyPipeline *pipeline)
{
  guint n = 0;

  while (find_lookup (pipeline, n) != NULL)
    n++;
  return n;
}

guint
tally_pipeline_lookup_line (const TallyPipeline *pipeline, guint index)
{
  return tally_pipeline_line (pipeline, find_lookup (pipeline, index)->node->key->start);
}

gboolean
tally_pipeline_lookup_is_local (const TallyPipeline *pipeline, guint index)
{
  const TallyPlugin *plugin = find_lookup (pipeline, index)->lookup->source.plugin;

  return plugin != NULL && (plugin->flags & TALLY_PLUGIN_LOCAL) != 0;
}

TallySchema *
tally_pipeline_lookup_schema (const TallyPipeline *pipeline, guint index)
{
  return find_lookup (pipeline, index)->lookup->schema;
}

void
tally_pipeline_assume_lookup (TallyPipeline *pipeline, guint index, TallySchema *schema)
{
  find_lookup (pipeline, index)->lookup->schema = tally_schema_ref (schema);
}

gboolean
tally_pipeline_describe_lookups (TallyPipeline *pipeline, TallyContext *ctx, GError **error)
{
  const TallyStepDraft *draft;

  for (guint i = 0; (draft = find_lookup (pipeline, i)) != NULL; i++)
    {
      TallyLookupDraft *lookup = draft->lookup;

      if (lookup->schema != NULL)
        continue;
      lookup->schema = tally_pipeline_look (pipeline, &lookup->source, ctx, error);
      if (lookup->schema == NULL)
        return tally_throw_prefix (error, "step \"lookup\": source \"%s\"", lookup->source.plugin->name);
    }
  return TRUE;
}

gboolean
tally_pipeline_probe_lookup (TallyPipeline *pipeline, guint index, TallyContext *ctx, GError **error)
{
  TallyLookupDraft *lookup = find_lookup (pipeline, index)->lookup;
  TallySchema *schema = tally_pipeline_look (pipeline, &lookup->source, ctx, error);

  if (schema == NULL)
    return tally_throw_prefix (error, "source \"%s\"", lookup->source.plugin->name);
  if (lookup->schema != NULL)
    tally_schema_unref (schema);
  else
    lookup->schema = schema;
  return TRUE;
}
