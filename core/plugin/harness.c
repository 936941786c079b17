/* harness.c: the engine's side of a plugin, without an engine */
#include "context.h"
#include "instance.h"
#include "record/batch-private.h"
#include "registry.h"
#include <string.h>
#include <tallyman/harness.h>

#define CAPACITY 1000

typedef struct
{
  char *name;  /* (owned) */
  char *value; /* (owned) */
} Setting;

struct _TallyHarness
{
  TallyRegistry *registry;   /* (owned) */
  const TallyPlugin *plugin; /* (unowned) the registry's */
  GArray *settings;          /* (owned) (element-type Setting) for every new instance */
  TallySchema *schema;       /* (owned) (nullable) what the plugin gives, or gets */
  TallySchema *made;         /* (owned) (nullable) what a transform makes of it */
  TallyInstance *instance;   /* (owned) (nullable) from open to restart */
  TallyContext *ctx;         /* (owned) (nullable) as long as the instance */
  TallyBatch *batch;         /* (owned) (nullable) pulled or pushed last */
  TallyBatch *added;         /* (owned) (nullable) rows for the next push */
  char *position;            /* (owned) (nullable) committed */
  GError *error;             /* (owned) (nullable) */
  GString *warnings;         /* (owned) */
  gboolean ready;            /* the instance is open, and well */
};

static void
setting_clear (gpointer data)
{
  Setting *setting = data;

  g_free (setting->name);
  g_free (setting->value);
}

TallyHarness *
tally_harness_new_of_kind (TallyKind kind, const char *name)
{
  TallyHarness *harness = g_new0 (TallyHarness, 1);
  g_autoptr (GError) error = NULL;

  harness->registry = tally_registry_new ();
  harness->plugin = tally_registry_find (harness->registry, kind, name, &error);
  if (harness->plugin == NULL)
    g_error ("%s", error->message);
  harness->settings = g_array_new (FALSE, FALSE, sizeof (Setting));
  g_array_set_clear_func (harness->settings, setting_clear);
  harness->warnings = g_string_new (NULL);
  return harness;
}

TallyHarness *
tally_harness_new (const char *name)
{
  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  TallyKind kind = TALLY_SOURCE;

  /* The last kind's message is as good as any. */
  while (kind < TALLY_SINK && tally_registry_find (registry, kind, name, NULL) == NULL)
    kind++;
  return tally_harness_new_of_kind (kind, name);
}

static void
end_instance (TallyHarness *harness)
{
  g_clear_pointer (&harness->batch, tally_batch_free);
  g_clear_pointer (&harness->added, tally_batch_free);
  g_clear_pointer (&harness->instance, tally_instance_free);
  g_clear_pointer (&harness->ctx, tally_context_free);
  g_clear_pointer (&harness->made, tally_schema_unref);
  harness->ready = FALSE;
}

void
tally_harness_free (TallyHarness *harness)
{
  if (harness == NULL)
    return;

  end_instance (harness);
  g_clear_pointer (&harness->schema, tally_schema_unref);
  g_array_unref (harness->settings);
  g_string_free (harness->warnings, TRUE);
  g_clear_error (&harness->error);
  g_free (harness->position);
  tally_registry_free (harness->registry);
  g_free (harness);
}

void
tally_harness_set (TallyHarness *harness, const char *option, const char *value)
{
  Setting setting = { .name = g_strdup (option), .value = g_strdup (value) };

  g_return_if_fail (harness->instance == NULL);
  g_array_append_val (harness->settings, setting);
}

void
tally_harness_set_columns (TallyHarness *harness, const TallyColumn *columns, guint n_columns)
{
  g_return_if_fail (harness->instance == NULL && harness->plugin->kind != TALLY_SOURCE);
  g_clear_pointer (&harness->schema, tally_schema_unref);
  harness->schema = tally_schema_new (columns, n_columns);
}

/* ---- A life ---- */

static void
remember_warning (const char *message, gpointer data)
{
  GString *warnings = data;

  g_string_append_printf (warnings, "%s%s", warnings->len > 0 ? "\n" : "", message);
}

/* An expression's column is found by its name here: a harness has no compiler, and tests of a
 * plugin need none. */
static gboolean
bind_expressions (TallyHarness *harness, GError **error)
{
  GArray *expressions = harness->instance->expressions;

  for (guint i = 0; i < expressions->len; i++)
    {
      const TallyInstanceExpression *wish
          = &g_array_index (expressions, TallyInstanceExpression, i);
      gint column = harness->schema != NULL ? tally_schema_find (harness->schema, wish->text) : -1;

      if (column < 0)
        return tally_throw (error, TALLY_ERROR_USAGE,
                            "\"%s\" is \"%s\", which is no column of the harness",
                            wish->option->name, wish->text);
      *(gint *) ((char *) harness->instance->self + wish->option->offset) = column;
    }

  return TRUE;
}

static gboolean
open_instance (TallyHarness *harness, GError **error)
{
  const TallyPlugin *plugin = harness->plugin;
  g_autofree char *directory = g_get_current_dir ();

  harness->ctx = tally_context_new (directory);
  harness->ctx->position = g_strdup (harness->position);
  harness->ctx->warn = remember_warning;
  harness->ctx->warn_data = harness->warnings;
  for (guint i = 0; i < harness->settings->len; i++)
    {
      const Setting *setting = &g_array_index (harness->settings, Setting, i);

      if (!tally_instance_set (harness->instance, setting->name, setting->value, directory, error))
        return FALSE;
    }
  if (!tally_instance_finish (harness->instance, NULL, error) || !bind_expressions (harness, error))
    return FALSE;
  if (plugin->kind == TALLY_TRANSFORM && harness->schema != NULL)
    {
      harness->made = tally_instance_transform (harness->instance, harness->schema, harness->ctx, error);
      if (harness->made == NULL)
        return FALSE;
    }
  else if (plugin->accept != NULL && harness->schema != NULL
           && !plugin->accept (harness->instance->self, harness->schema, error))
    return FALSE;

  return tally_instance_open (harness->instance, harness->ctx, error);
}

gboolean
tally_harness_open (TallyHarness *harness)
{
  const TallyPlugin *plugin = harness->plugin;

  if (harness->instance != NULL)
    return harness->ready;

  g_clear_error (&harness->error);
  harness->instance = tally_instance_new (plugin);
  if (!open_instance (harness, &harness->error))
    return FALSE;
  if (plugin->kind == TALLY_SOURCE)
    {
      g_clear_pointer (&harness->schema, tally_schema_unref);
      harness->schema = plugin->describe (harness->instance->self, harness->ctx, &harness->error);
    }
  harness->ready = plugin->kind != TALLY_SOURCE || harness->schema != NULL;
  return harness->ready;
}

void
tally_harness_restart (TallyHarness *harness)
{
  end_instance (harness);
  g_clear_error (&harness->error);
}

/* ---- Rows ---- */

TallyFlow
tally_harness_pull (TallyHarness *harness)
{
  g_return_val_if_fail (harness->plugin->kind == TALLY_SOURCE, TALLY_FLOW_FATAL);
  if (!tally_harness_open (harness))
    return TALLY_FLOW_FATAL;

  g_clear_error (&harness->error);
  g_clear_pointer (&harness->batch, tally_batch_free);
  harness->batch = tally_batch_new (harness->schema, CAPACITY);
  tally_batch_begin_stage (harness->batch, "source");
  return harness->plugin->read (harness->instance->self, harness->ctx, harness->batch,
                                &harness->error);
}

static TallyBatch *
added_batch (TallyHarness *harness)
{
  if (harness->added == NULL)
    {
      harness->added = tally_batch_new (harness->schema, CAPACITY);
      tally_batch_set_origin (harness->added, "row");
    }
  return harness->added;
}

void
tally_harness_add_row (TallyHarness *harness, const char *const *values)
{
  g_autoptr (GError) error = NULL;
  TallyBatch *batch;
  guint row;

  g_return_if_fail (harness->schema != NULL && harness->plugin->kind != TALLY_SOURCE);
  batch = added_batch (harness);
  row = tally_batch_add_row (batch);
  tally_batch_set_row_number (batch, row, row + 1);
  for (guint i = 0; i < tally_schema_n_columns (harness->schema); i++)
    if (values[i] != NULL
        && !tally_batch_set_from_text (batch, i, values[i], strlen (values[i]), &error))
      g_error ("column \"%s\": %s", tally_schema_column (harness->schema, i)->name, error->message);
}

TallyFlow
tally_harness_push (TallyHarness *harness)
{
  const TallyPlugin *plugin = harness->plugin;
  TallyFlow flow;

  g_return_val_if_fail (harness->schema != NULL && (plugin->apply != NULL || plugin->write != NULL),
                        TALLY_FLOW_FATAL);
  if (!tally_harness_open (harness))
    return TALLY_FLOW_FATAL;

  g_clear_error (&harness->error);
  g_clear_pointer (&harness->batch, tally_batch_free);
  added_batch (harness);
  harness->batch = g_steal_pointer (&harness->added);
  tally_batch_begin_stage (harness->batch, plugin->name);
  if (plugin->kind == TALLY_TRANSFORM)
    flow = tally_instance_apply (harness->instance, harness->ctx, harness->made, harness->batch,
                                 &harness->error);
  else
    flow = plugin->write (harness->instance->self, harness->ctx, harness->batch, &harness->error);
  if (flow == TALLY_FLOW_OPEN && plugin->settle != NULL)
    flow = plugin->settle (harness->instance->self, harness->ctx, &harness->error);
  tally_batch_end_stage (harness->batch);
  return flow;
}

static gboolean
acknowledge (TallyHarness *harness)
{
  const TallyPlugin *plugin = harness->plugin;

  if (plugin->acknowledge == NULL || harness->position == NULL)
    return TRUE;
  if (!tally_harness_open (harness))
    return FALSE;
  g_clear_error (&harness->error);
  if (!plugin->acknowledge (harness->instance->self, harness->ctx, harness->position, &harness->error))
    return FALSE;
  if (harness->ctx->moved != NULL)
    {
      g_free (harness->position);
      harness->position = g_steal_pointer (&harness->ctx->moved);
    }
  return TRUE;
}

TallyFlow
tally_harness_commit (TallyHarness *harness)
{
  const TallyPlugin *plugin = harness->plugin;

  if (plugin->kind == TALLY_SOURCE)
    {
      const char *position = harness->batch != NULL ? tally_batch_position (harness->batch) : NULL;

      if (position != NULL)
        {
          g_free (harness->position);
          harness->position = g_strdup (position);
        }
      return acknowledge (harness) ? TALLY_FLOW_OK : TALLY_FLOW_FATAL;
    }
  if (!tally_harness_open (harness))
    return TALLY_FLOW_FATAL;

  g_clear_error (&harness->error);
  return plugin->commit != NULL
             ? plugin->commit (harness->instance->self, harness->ctx, &harness->error)
             : TALLY_FLOW_OK;
}

char *
tally_harness_render (TallyHarness *harness, guint row, const char *reference)
{
  return tally_harness_render_update (harness, row, reference, NULL);
}

char *
tally_harness_render_update (TallyHarness *harness, guint row, const char *reference,
                             const char *target_id)
{
  const TallyDeliverySink *delivery = harness->plugin->delivery;
  g_autoptr (GString) body = g_string_new (NULL);
  gpointer self;
  gboolean rendered;

  g_return_val_if_fail (delivery != NULL && harness->added != NULL, NULL);
  g_return_val_if_fail (target_id == NULL || delivery->render_update != NULL, NULL);
  if (!tally_harness_open (harness))
    return NULL;

  g_clear_error (&harness->error);
  self = harness->instance->self;
  rendered = target_id == NULL ? delivery->render (self, harness->ctx, harness->added, row,
                                                   reference, body, &harness->error)
                               : delivery->render_update (self, harness->ctx, harness->added, row,
                                                          reference, target_id, body, &harness->error);
  return rendered ? g_string_free (g_steal_pointer (&body), FALSE) : NULL;
}

/* ---- What came out ---- */

TallyBatch *
tally_harness_batch (TallyHarness *harness)
{
  return harness->batch;
}

char *
tally_harness_get_column (TallyHarness *harness, guint column)
{
  GString *values = g_string_new (NULL);
  guint n_rows = harness->batch != NULL ? tally_batch_n_rows (harness->batch) : 0;

  for (guint row = 0; row < n_rows; row++)
    {
      if (row > 0)
        g_string_append_c (values, '\n');
      if (tally_batch_is_null (harness->batch, row, column))
        g_string_append (values, "\\N");
      else
        tally_batch_append_value (harness->batch, row, column, values);
    }
  return g_string_free (values, FALSE);
}

char *
tally_harness_get_rejects (TallyHarness *harness)
{
  GString *text = g_string_new (NULL);
  guint n = 0;
  const TallyReject *rejects
      = harness->batch != NULL ? tally_batch_rejects (harness->batch, &n) : NULL;

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s%s: %s", i > 0 ? "\n" : "", rejects[i].origin,
                            rejects[i].reason);
  return g_string_free (text, FALSE);
}

const char *
tally_harness_position (TallyHarness *harness)
{
  return harness->position;
}

const char *
tally_harness_error (TallyHarness *harness)
{
  return harness->error != NULL ? harness->error->message : NULL;
}

char *
tally_harness_get_warnings (TallyHarness *harness)
{
  return g_strdup (harness->warnings->str);
}
