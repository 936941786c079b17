/* bind.c: which columns come decides which expressions are right */
#include "reader.h"
#include "record/schema-private.h"
#include <string.h>

/* ---- Complaints about expressions ---- */

/* A column that is gone by now was there before: say who took it away. */
static char *
gone_hint (const TallyPipeline *pipeline, const char *name)
{
  TallySchema *before = pipeline->reader->binding_schema;

  for (guint i = 0; i < pipeline->reader->binding->len; i++)
    {
      const TallyStepDraft *draft = pipeline->reader->binding->pdata[i];
      TallySchema *after = draft->step != NULL ? tally_step_schema (draft->step) : before;

      if (tally_schema_find (before, name) >= 0 && tally_schema_find (after, name) < 0)
        return g_strdup_printf ("the step \"%s\" on line %u takes \"%s\" away", draft->node->key->text,
                                tally_pipeline_line (pipeline, draft->node->key->start), name);
      before = after;
    }

  return NULL;
}

static void
report_complaint (TallyPipeline *pipeline, const TallyYamlNode *scalar,
                  const TallyComplaint *complaint, gboolean is_of_other_side)
{
  gsize size = strlen (scalar->text), offset = MIN (complaint->offset, size);
  g_autofree char *word = g_strndup (scalar->text + offset, MIN (complaint->length, size - offset));
  g_autofree char *hint = is_of_other_side ? NULL : gone_hint (pipeline, word);

  tally_pipeline_report_part (pipeline, TALLY_SEVERITY_ERROR, scalar, offset, complaint->length,
                              complaint->message, hint != NULL ? hint : complaint->hint);
}

/* ---- Steps ---- */

/* Names of the other side of a lookup are all but the expressions of `match`. */
static gboolean
is_of_other_side (const TallyStepDraft *draft, const TallyStepComplaint *complaint)
{
  const TallyStepArguments *match = draft->lookup != NULL ? &draft->lookup->wish.match : NULL;

  return match != NULL
         && (complaint->in_name || complaint->argument < match->first
             || complaint->argument >= match->first + match->n);
}

static void
report_step_complaint (TallyPipeline *pipeline, const TallyStepDraft *draft,
                       const TallyStepComplaint *complaint)
{
  TallyYamlNode *node;

  if (complaint->argument >= draft->nodes->len)
    {
      tally_pipeline_report_node (pipeline, draft->node->key, complaint->complaint->message,
                                  complaint->complaint->hint);
      return;
    }

  node = draft->nodes->pdata[complaint->argument];
  report_complaint (pipeline, complaint->in_name && node->key != NULL ? node->key : node,
                    complaint->complaint, is_of_other_side (draft, complaint));
}

static void
step_complaint_free (TallyStepComplaint *complaint)
{
  tally_complaint_free (complaint->complaint);
  g_free (complaint);
}

static void
warn_of_step (TallyPipeline *pipeline, const TallyStepDraft *draft, const TallyStep *step)
{
  const GPtrArray *warnings = tally_step_warnings (step);
  const TallyYamlNode *key = draft->node->key;

  /* A value that changes with each run matters where the same record must always give the same
   * bytes. */
  if (warnings == NULL || pipeline->sink == NULL || pipeline->sink->plugin->delivery == NULL)
    return;

  for (guint i = 0; i < warnings->len; i++)
    tally_pipeline_report (
        pipeline, TALLY_SEVERITY_WARNING, key->start, key->end - key->start, warnings->pdata[i],
        "a record that is rendered again after a crash differs from what was sent; the bytes that were "
        "stored first are the ones that count");
}

/* Types what the rows to look up go through first.  NULL: their columns are not known. */
static TallyLookupSide *
bind_side (TallyPipeline *pipeline, TallyLookupDraft *lookup)
{
  g_autoptr (GPtrArray) steps = NULL;

  if (!lookup->good || lookup->schema == NULL)
    return NULL;
  steps = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_step_free);
  if (tally_pipeline_bind_list (pipeline, lookup->steps, lookup->schema, steps) == NULL
      || steps->len < lookup->steps->len)
    return NULL;
  return tally_lookup_side_new (lookup->instance, lookup->schema, g_steal_pointer (&steps));
}

static TallyStep *
build_lookup (TallyPipeline *pipeline, const TallyStepDraft *draft, TallySchema *schema,
              GPtrArray *complaints)
{
  TallyLookupWish wish = draft->lookup->wish;
  TallyLookupSide *side = bind_side (pipeline, draft->lookup);

  if (side == NULL)
    return NULL;
  wish.arguments = (const TallyStepArgument *) (gpointer) draft->arguments->data;
  wish.options = *(const TallyLookupOptions *) draft->lookup->options->self;
  return tally_step_new_lookup (side, &wish, schema, complaints);
}

static TallyStep *
bind_built_in (TallyPipeline *pipeline, TallyStepDraft *draft, TallySchema *schema)
{
  g_autoptr (GPtrArray) complaints
      = g_ptr_array_new_with_free_func ((GDestroyNotify) step_complaint_free);
  TallyStep *step
      = draft->lookup != NULL
            ? build_lookup (pipeline, draft, schema, complaints)
            : draft->kind->build ((const TallyStepArgument *) (gpointer) draft->arguments->data,
                                  draft->arguments->len, schema, complaints);

  for (guint i = 0; i < complaints->len; i++)
    report_step_complaint (pipeline, draft, complaints->pdata[i]);
  return step;
}

static TallyStep *
bind_plugin (TallyPipeline *pipeline, TallyStepDraft *draft, TallySchema *schema)
{
  g_autoptr (TallyContext) ctx = tally_context_new (pipeline->directory);
  g_autoptr (TallySchema) made = NULL;
  g_autoptr (GError) error = NULL;

  /* A plugin's rules may rely on right options. */
  if (!draft->plugin.good)
    return NULL;

  made = tally_instance_transform (draft->instance, schema, ctx, &error);
  if (made != NULL)
    return tally_step_new_for_plugin (draft->instance, made);
  tally_pipeline_report_error (pipeline, draft->plugin.name, error);
  return NULL;
}

static TallySchema *
bind_each (TallyPipeline *pipeline, GPtrArray *drafts, TallySchema *schema, GPtrArray *steps)
{
  for (guint i = 0; i < drafts->len; i++)
    {
      TallyStepDraft *draft = drafts->pdata[i];

      draft->step = draft->kind != NULL ? bind_built_in (pipeline, draft, schema)
                                        : bind_plugin (pipeline, draft, schema);
      if (draft->step == NULL && draft->kind != NULL && draft->kind->keeps_columns)
        continue;
      if (draft->step == NULL)
        return NULL;

      warn_of_step (pipeline, draft, draft->step);
      g_ptr_array_add (steps, draft->step);
      schema = tally_step_schema (draft->step);
    }

  return schema;
}

TallySchema *
tally_pipeline_bind_list (TallyPipeline *pipeline, GPtrArray *drafts, TallySchema *schema,
                          GPtrArray *steps)
{
  TallyReader *reader = pipeline->reader;
  GPtrArray *outer = reader->binding;
  TallySchema *outer_schema = reader->binding_schema, *last;

  for (guint i = 0; i < drafts->len; i++)
    ((TallyStepDraft *) drafts->pdata[i])->step = NULL;
  reader->binding = drafts;
  reader->binding_schema = schema;
  last = bind_each (pipeline, drafts, schema, steps);
  if (drafts == reader->steps)
    return last;

  reader->binding = outer;
  reader->binding_schema = outer_schema;
  return last;
}

/* ---- The sink's own expressions ---- */

static TallyExpression *
compile_as_text (TallyPipeline *pipeline, const TallyInstanceExpression *wish, TallySchema *schema)
{
  TallyComplaint *complaint = NULL;
  TallyExpression *expression = tally_expression_compile (wish->text, schema, &complaint);

  if (expression != NULL && tally_expression_type (expression) != TALLY_TYPE_TEXT)
    {
      /* The line break ends a comment at the end of the text. */
      g_autofree char *cast = g_strdup_printf ("(%s\n)::text", wish->text);

      tally_expression_free (expression);
      expression = tally_expression_compile (cast, schema, &complaint);
      if (complaint != NULL)
        complaint->offset -= MIN (complaint->offset, 1);
    }
  if (complaint != NULL)
    {
      report_complaint (pipeline, wish->mark, complaint, /* is_of_other_side= */ FALSE);
      tally_complaint_free (complaint);
    }
  return expression;
}

static void
check_volatile (TallyPipeline *pipeline, const TallyInstanceExpression *wish,
                const TallyExpression *expression, gboolean is_key)
{
  const TallyYamlNode *node = wish->mark;

  if (!tally_expression_is_volatile (expression) || pipeline->sink->plugin->delivery == NULL)
    return;

  if (is_key)
    tally_pipeline_report_node (
        pipeline, node, "the key would change with each run",
        "a record is known by its key: take a column that identifies it in its source");
  else
    tally_pipeline_report_part (pipeline, TALLY_SEVERITY_WARNING, node, 0, strlen (node->text),
                                "the value changes with each run", NULL);
}

static char *
hidden_name (const TallyOption *option, const GArray *columns)
{
  char *name = g_strdup_printf ("(%s)", option->name);

  for (guint i = 0; i < columns->len; i++)
    if (strcmp (g_array_index (columns, TallyColumn, i).name, name) == 0)
      {
        char *other = g_strdup_printf ("(%s)", name);

        g_free (name);
        name = other;
        i = -1;
      }
  return name;
}

/* Gives each expression of instance a hidden column, whose index goes into the option's field. */
static void
bind_expressions (TallyPipeline *pipeline, TallyInstance *instance, TallySchema *schema,
                  GArray *columns, GPtrArray *names)
{
  for (guint i = 0; i < instance->expressions->len; i++)
    {
      const TallyInstanceExpression *wish
          = &g_array_index (instance->expressions, TallyInstanceExpression, i);
      TallyExpression *expression = compile_as_text (pipeline, wish, schema);
      TallyColumn column = { .type = TALLY_TYPE_TEXT };

      if (expression == NULL)
        continue;

      check_volatile (pipeline, wish, expression, instance == pipeline->reader->delivery);
      g_ptr_array_add (pipeline->sink_expressions, expression);
      column.name = hidden_name (wish->option, columns);
      g_ptr_array_add (names, (gpointer) column.name);
      *(gint *) ((char *) instance->self + wish->option->offset) = columns->len;
      g_array_append_val (columns, column);
    }
}

/* The columns as the sink is to judge them: those that a person knows of, with those of the key
 * marked. */
static TallySchema *
schema_to_accept (const TallyPipeline *pipeline, const GArray *columns)
{
  TallySchema *schema
      = tally_schema_new ((const TallyColumn *) (gpointer) columns->data, pipeline->n_visible);
  gint key = pipeline->reader->delivery != NULL
                 ? pipeline->delivery.key_column - (gint) pipeline->n_visible
                 : -1;

  if (key >= 0 && key < (gint) pipeline->sink_expressions->len)
    tally_schema_mark_keys (schema,
                            tally_expression_columns (pipeline->sink_expressions->pdata[key]));
  return schema;
}

static void
bind_sink (TallyPipeline *pipeline, TallySchema *schema)
{
  TallyInstance *sink = pipeline->sink;
  g_autoptr (GArray) columns = g_array_new (FALSE, FALSE, sizeof (TallyColumn));
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;

  pipeline->n_visible = tally_schema_n_columns (schema);
  for (guint i = 0; i < pipeline->n_visible; i++)
    g_array_append_val (columns, *tally_schema_column (schema, i));
  if (sink == NULL)
    return;

  bind_expressions (pipeline, sink, schema, columns, names);
  if (pipeline->reader->delivery != NULL)
    {
      bind_expressions (pipeline, pipeline->reader->delivery, schema, columns, names);
      pipeline->delivery = *(TallyDeliveryOptions *) pipeline->reader->delivery->self;
    }
  pipeline->sink_schema
      = tally_schema_new ((const TallyColumn *) (gpointer) columns->data, columns->len);

  /* As with steps; and it may look at the columns again when it is opened. */
  g_clear_pointer (&pipeline->reader->accepted, tally_schema_unref);
  pipeline->reader->accepted = schema_to_accept (pipeline, columns);
  if (pipeline->reader->sink.good && sink->plugin->accept != NULL
      && !sink->plugin->accept (sink->self, pipeline->reader->accepted, &error))
    tally_pipeline_report_error (pipeline, pipeline->reader->sink.name, error);
}

/* ---- Both ---- */

/* Forgets what was typed for other columns, and types the steps. */
static TallySchema *
bind_steps_anew (TallyPipeline *pipeline, TallySchema *schema)
{
  pipeline->reader->bound = FALSE;
  g_ptr_array_set_size (pipeline->diagnostics, pipeline->reader->n_unbound);
  g_ptr_array_set_size (pipeline->steps, 0);
  g_ptr_array_set_size (pipeline->sink_expressions, 0);
  g_clear_pointer (&pipeline->sink_schema, tally_schema_unref);
  tally_schema_ref (schema);
  g_clear_pointer (&pipeline->source_schema, tally_schema_unref);
  pipeline->source_schema = schema;
  return tally_pipeline_bind_list (pipeline, pipeline->reader->steps, schema, pipeline->steps);
}

gboolean
tally_pipeline_bind_steps (TallyPipeline *pipeline, TallySchema *schema)
{
  if (pipeline->reader->bound && tally_schema_equal (pipeline->source_schema, schema))
    return TRUE;

  return bind_steps_anew (pipeline, schema) != NULL && tally_pipeline_n_errors (pipeline) == 0;
}

gboolean
tally_pipeline_bind (TallyPipeline *pipeline, TallySchema *schema)
{
  TallyReader *reader = pipeline->reader;
  TallySchema *last;

  if (reader->bound && tally_schema_equal (pipeline->source_schema, schema))
    return TRUE;

  last = bind_steps_anew (pipeline, schema);
  if (last != NULL)
    bind_sink (pipeline, last);
  reader->bound = last != NULL && tally_pipeline_n_errors (pipeline) == 0;
  return reader->bound;
}

gboolean
tally_pipeline_is_bound (const TallyPipeline *pipeline)
{
  return pipeline->reader->bound;
}
