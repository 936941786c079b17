/* preview.c: tallyman preview PIPELINE: the first rows, as they come and after each step
 *
 * The source is read from its beginning; no position is kept, and neither sink nor ledger is
 * opened.
 */
#include "engine/trial.h"
#include "listing.h"
#include "record/batch-private.h"
#include "record/bitmap.h"
#include "table.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOST_ROWS 1000
/* As many as in a run: a source may count on so much room. */
#define BATCH_ROWS 1024

/* The source, or a step: what left it. */
typedef struct
{
  const char *name;    /* (unowned) */
  TallySchema *schema; /* (unowned) */
  guint64 n_rows;
  TallyTable *table;  /* (owned) of the first ones */
  GString *rows;      /* (owned) of the same, JSON, without brackets */
  GString *rejects;   /* (owned) JSON, without brackets */
  GPtrArray *reasons; /* (owned) (element-type utf8) */
} Stage;

typedef struct
{
  gboolean json;
  gint n_rows;
  TallyPipeline *pipeline; /* (unowned) */
  GArray *stages;          /* (owned) (element-type Stage) */
} PreviewCommand;

/* ---- What is kept of a batch ---- */

static void
stage_clear (gpointer data)
{
  Stage *stage = data;

  tally_table_free (stage->table);
  g_string_free (stage->rows, TRUE);
  g_string_free (stage->rejects, TRUE);
  g_ptr_array_unref (stage->reasons);
}

static void
add_stage (PreviewCommand *self, const char *name, TallySchema *schema)
{
  Stage stage = { .name = name,
                  .schema = schema,
                  .table = tally_table_new (),
                  .rows = g_string_new (NULL),
                  .rejects = g_string_new (NULL),
                  .reasons = g_ptr_array_new_with_free_func (g_free) };

  for (guint i = 0; i < tally_schema_n_columns (schema); i++)
    tally_table_add_column (stage.table, tally_schema_column (schema, i)->name);
  g_array_append_val (self->stages, stage);
}

static void
add_stages (PreviewCommand *self)
{
  const TallyPipeline *pipeline = self->pipeline;

  add_stage (self, pipeline->source->plugin->name, pipeline->source_schema);
  for (guint i = 0; i < pipeline->steps->len; i++)
    {
      TallyStep *step = g_ptr_array_index (pipeline->steps, i);

      add_stage (self, tally_step_name (step), tally_step_schema (step));
    }
}

static void
keep_cells (Stage *stage, const TallyBatch *batch, guint row)
{
  g_autoptr (GString) value = g_string_new (NULL);

  for (guint i = 0; i < tally_schema_n_columns (stage->schema); i++)
    {
      g_string_truncate (value, 0);
      if (tally_batch_is_null (batch, row, i))
        g_string_append (value, "NULL");
      else
        tally_batch_append_value (batch, row, i, value);
      tally_table_add_cell (stage->table, value->str, value->len);
    }
}

/* Keeps what left a stage: rows, and those of the batch's rejects that are not among the first
 * n_before. */
static void
keep_stage (PreviewCommand *self, guint index, const TallyBatch *batch, guint n_before)
{
  Stage *stage = &g_array_index (self->stages, Stage, index);
  g_autofree char *json = tally_listing_rejects (batch, n_before);
  guint n_rejects;
  const TallyReject *rejects = tally_batch_rejects (batch, &n_rejects);

  stage->n_rows += tally_batch_n_rows (batch);
  for (guint row = 0;
       row < tally_batch_n_rows (batch) && tally_table_n_rows (stage->table) < (guint)self->n_rows;
       row++)
    {
      keep_cells (stage, batch, row);
      g_string_append (stage->rows, stage->rows->len > 0 ? ", " : "");
      tally_batch_append_json (batch, row, stage->rows);
    }
  for (guint i = n_before; i < n_rejects; i++)
    g_ptr_array_add (stage->reasons,
                     g_strdup_printf ("%s: %s", rejects[i].origin, rejects[i].reason));
  if (n_rejects > n_before)
    g_string_append_printf (stage->rejects, "%s%.*s", stage->rejects->len > 0 ? ", " : "",
                            (int)strlen (json) - 2, json + 1);
}

/* ---- As text, as JSON ---- */

static void
print_text (const PreviewCommand *self, guint index, const Stage *stage)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint n_shown = MIN (stage->reasons->len, (guint)self->n_rows);

  if (index == 0)
    g_string_append_printf (text, "source %s", stage->name);
  else
    g_string_append_printf (text, "\nafter step %u, %s", index, stage->name);
  g_string_append_printf (text, ": %" G_GUINT64_FORMAT " row%s\n", stage->n_rows,
                          stage->n_rows == 1 ? "" : "s");
  tally_table_format (stage->table, tally_table_terminal_width (), text);
  if (stage->n_rows > tally_table_n_rows (stage->table))
    g_string_append_printf (text, "  … and %" G_GUINT64_FORMAT " more\n",
                            stage->n_rows - tally_table_n_rows (stage->table));
  for (guint i = 0; i < n_shown; i++)
    {
      const char *reason = g_ptr_array_index (stage->reasons, i);
      g_autofree char *clean = tally_listing_clean (reason, strlen (reason), FALSE);

      g_string_append_printf (text, "  rejected %s\n", clean);
    }
  if (stage->reasons->len > n_shown)
    g_string_append_printf (text, "  … and %u more rejected\n", stage->reasons->len - n_shown);
  fputs (text->str, stdout);
}

static void
print_json (const PreviewCommand *self, guint index, const Stage *stage)
{
  g_autoptr (GString) object = tally_listing_object (), columns = g_string_new (NULL);

  for (guint i = 0; i < tally_schema_n_columns (stage->schema); i++)
    {
      const TallyColumn *column = tally_schema_column (stage->schema, i);
      g_autoptr (GString) member = tally_listing_object ();

      tally_listing_add_text (member, "name", column->name);
      tally_listing_add_text (member, "type", tally_type_name (column->type));
      g_string_append_printf (columns, "%s%s}", i > 0 ? ", " : "", member->str);
    }
  tally_listing_add_number (object, "step", index);
  tally_listing_add_text (object, "name", stage->name);
  tally_listing_add_number (object, "n_rows", stage->n_rows);
  printf ("%s, \"columns\": [%s], \"rows\": [%s], \"rejects\": [%s]}\n", object->str, columns->str,
          stage->rows->str, stage->rejects->str);
}

/* ---- The rows ---- */

static void
warn (const char *message, gpointer data)
{
  g_autofree char *shown = tally_pipeline_redact (data, message);

  tally_command_warn ("%s", shown);
}

static gboolean
describe_lookups (PreviewCommand *self, GError **error)
{
  g_autoptr (TallyContext) ctx = tally_context_new (self->pipeline->directory);

  ctx->warn = warn;
  ctx->warn_data = self->pipeline;
  return tally_pipeline_describe_lookups (self->pipeline, ctx, error);
}

static gboolean
open_source (PreviewCommand *self, TallyContext *ctx, GError **error)
{
  TallyInstance *source = self->pipeline->source;
  g_autoptr (TallySchema) schema = NULL;
  g_autoptr (GString) mistakes = NULL;

  ctx->warn = warn;
  ctx->warn_data = self->pipeline;
  if (!tally_instance_open (source, ctx, error)
      || (schema = source->plugin->describe (source->self, ctx, error)) == NULL)
    return tally_throw_prefix (error, "source \"%s\"", source->plugin->name);
  if (!describe_lookups (self, error))
    return FALSE;
  if (tally_pipeline_bind_steps (self->pipeline, schema))
    return TRUE;

  mistakes = g_string_new (NULL);
  tally_pipeline_format_diagnostics (self->pipeline, /* colour= */ FALSE, mistakes);
  return tally_throw (error, TALLY_ERROR_USAGE, "the steps do not fit the source's columns:\n%s",
                      mistakes->str);
}

/* Cuts off what is more than was asked for. */
static void
keep_first (TallyBatch *batch, guint n)
{
  g_autofree guint64 *keep = NULL;

  if (tally_batch_n_rows (batch) <= n)
    return;

  keep = g_new0 (guint64, tally_bitmap_words (tally_batch_n_rows (batch)));
  tally_bitmap_fill (keep, n);
  tally_batch_retain (batch, keep);
}

/* Takes a batch through the steps from first on. */
static gboolean
take_batch (PreviewCommand *self, TallyTrial *trial, guint first, TallyBatch *batch,
            gboolean *ret_enough, GError **error)
{
  guint n_rejects;

  keep_stage (self, first, batch, 0);
  for (guint i = first; i < self->pipeline->steps->len; i++)
    {
      TallyFlow flow;

      tally_batch_rejects (batch, &n_rejects);
      flow = tally_trial_apply (trial, i, batch, error);
      if (flow != TALLY_FLOW_OK && flow != TALLY_FLOW_END)
        return FALSE;
      *ret_enough = *ret_enough || flow == TALLY_FLOW_END;
      keep_stage (self, i + 1, batch, n_rejects);
    }
  return TRUE;
}

static gboolean
read_rows (PreviewCommand *self, TallyContext *ctx, TallyTrial *trial, GError **error)
{
  TallyInstance *source = self->pipeline->source;
  guint64 left = self->n_rows;
  gboolean enough = FALSE;

  while (left > 0 && !enough)
    {
      g_autoptr (TallyBatch) batch = tally_batch_new (self->pipeline->source_schema, BATCH_ROWS);
      g_autoptr (GError) failure = NULL;
      TallyFlow flow = source->plugin->read (source->self, ctx, batch, &failure);

      if (flow != TALLY_FLOW_OK && flow != TALLY_FLOW_END)
        return tally_throw (error, TALLY_ERROR_IO, "source \"%s\": %s", source->plugin->name,
                            failure != NULL ? failure->message : "gave no reason");
      keep_first (batch, left);
      left -= MIN (left, tally_batch_n_read (batch));
      enough = flow == TALLY_FLOW_END;
      if (!take_batch (self, trial, 0, batch, &enough, error))
        return FALSE;
    }
  return TRUE;
}

/* Gets the rows that steps hold back, from the first step to the last. */
static gboolean
drain_steps (PreviewCommand *self, TallyTrial *trial, GError **error)
{
  for (guint i = 0; i < self->pipeline->steps->len; i++)
    for (TallyFlow flow = TALLY_FLOW_OK;
         tally_trial_holds_rows (trial, i) && flow != TALLY_FLOW_END;)
      {
        TallyStep *step = g_ptr_array_index (self->pipeline->steps, i);
        g_autoptr (TallyBatch) batch = tally_batch_new (tally_step_schema (step), BATCH_ROWS);
        gboolean enough = FALSE;

        flow = tally_trial_drain (trial, i, batch, error);
        if (flow == TALLY_FLOW_FATAL || !take_batch (self, trial, i + 1, batch, &enough, error))
          return FALSE;
      }
  return TRUE;
}

static gboolean
look (PreviewCommand *self, GError **error)
{
  g_autoptr (TallyContext) ctx = tally_context_new (self->pipeline->directory);
  const TallyReferencesConfig config = { .ledger_uri = self->pipeline->ledger,
                                         .origin = self->pipeline->origin,
                                         .file = self->pipeline->references,
                                         .began_at = G_MAXINT64,
                                         .lenient = TRUE,
                                         .warn = warn,
                                         .warn_data = self->pipeline };
  g_autoptr (TallyReferences) references = tally_references_new (&config);
  g_autoptr (TallyTrial) trial = NULL;
  gboolean done = FALSE;

  if (open_source (self, ctx, error))
    {
      add_stages (self);
      trial = tally_trial_new (self->pipeline, error);
      if (trial != NULL)
        tally_trial_set_references (trial, references);
      done = trial != NULL && tally_trial_prepare (trial, error) && read_rows (self, ctx, trial, error)
             && drain_steps (self, trial, error);
    }
  tally_instance_close (self->pipeline->source);
  return done;
}

static TallyExit
preview (PreviewCommand *self, const char *file)
{
  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  g_autoptr (TallyPipeline) pipeline = tally_pipeline_load (file, registry);
  g_autoptr (GString) mistakes = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  tally_pipeline_format_diagnostics (pipeline, tally_command_has_colour (STDERR_FILENO), mistakes);
  fputs (mistakes->str, stderr);
  if (tally_pipeline_n_errors (pipeline) > 0)
    return TALLY_EXIT_USAGE;

  self->pipeline = pipeline;
  if (!look (self, &error))
    {
      g_autofree char *message = tally_pipeline_redact (pipeline, error->message);

      tally_command_complain ("%s: %s", pipeline->file, message);
    }
  for (guint i = 0; i < self->stages->len; i++)
    (self->json ? print_json : print_text) (self, i, &g_array_index (self->stages, Stage, i));
  if (error == NULL)
    return TALLY_EXIT_COMPLETE;
  return g_error_matches (error, TALLY_ERROR, TALLY_ERROR_USAGE) ? TALLY_EXIT_USAGE
                                                                 : TALLY_EXIT_FAILED;
}

static int
preview_main (int argc, char **argv)
{
  g_auto (GStrv) rest = NULL;
  g_autoptr (GArray) stages = g_array_new (FALSE, FALSE, sizeof (Stage));
  PreviewCommand self = { .n_rows = 10, .stages = stages };
  const GOptionEntry entries[] = {
    { "rows", 0, 0, G_OPTION_ARG_INT, &self.n_rows, "Records to read (10)", "N" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &self.json,
      "Print one JSON object for the source and for each step", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };

  g_array_set_clear_func (stages, stage_clear);
  if (!tally_command_parse (&tally_command_preview, entries, &argc, &argv))
    return TALLY_EXIT_USAGE;
  if (rest == NULL || rest[1] != NULL || self.n_rows < 1 || self.n_rows > MOST_ROWS)
    {
      tally_command_complain ("%s; see 'tallyman preview --help'", rest == NULL || rest[1] != NULL
                                                                       ? "name one pipeline's file"
                                                                       : "--rows takes 1 to 1000");
      return TALLY_EXIT_USAGE;
    }
  return preview (&self, *rest);
}

const TallyCommand tally_command_preview = {
  .name = "preview",
  .arguments = "PIPELINE",
  .summary = "show the first rows as they come and after each step; nothing is written",
  .main = preview_main,
};
