/* plan.c: tallyman plan PIPELINE…: what a run would do; nothing is changed anywhere */
#include "engine/plan.h"
#include "listing.h"
#include "record/batch-private.h"
#include "reference-draft.h"
#include "table.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Nothing is shown of a plan that takes less; and from then on this often. */
#define SILENT_FOR (2 * G_USEC_PER_SEC)
#define SHOW_EVERY (G_USEC_PER_SEC / 4)
/* Creations that are looked up in the target: at 0.2 s each less than a minute. */
#define LOOKUPS 200
/* Names stand in a column of this width. */
#define NAMES 22

typedef struct
{
  gboolean json;
  char *ledger;     /* (owned) (nullable) */
  gint64 limit, lookups;
  gint n_shown;     /* first rows to show */
  TallyReferenceDraft draft;
  TallyPipeline *pipeline; /* (unowned) the one at work */
  TallyTable *table; /* (owned) of its first rows */
  GString *rows;     /* (owned) the same, JSON, without brackets */
  guint n_rows;      /* in these */
  guint64 n_read, n_looked_up;
  gint64 begun, shown;
  gboolean terminal, line_open;
} PlanCommand;

/* ---- On the way ---- */

static void
close_line (PlanCommand *self)
{
  if (self->line_open)
    fputs ("\r\033[K", stderr);
  self->line_open = FALSE;
}

static void
warn (const char *message, gpointer data)
{
  PlanCommand *self = data;
  g_autofree char *shown = tally_pipeline_redact (self->pipeline, message);

  close_line (self);
  tally_command_warn ("%s", shown);
}

static void
show_line (PlanCommand *self)
{
  gint64 now = g_get_monotonic_time ();

  if (!self->terminal || now - self->begun < SILENT_FOR || now - self->shown < SHOW_EVERY)
    return;
  fprintf (stderr, "\r%" G_GUINT64_FORMAT " read", self->n_read);
  if (self->n_looked_up > 0)
    fprintf (stderr, ", %" G_GUINT64_FORMAT " looked up", self->n_looked_up);
  fputs ("\033[K", stderr);
  self->line_open = TRUE;
  self->shown = now;
}

static void
show_progress (guint64 n_read, gpointer data)
{
  PlanCommand *self = data;

  self->n_read = n_read;
  show_line (self);
}

static void
show_looked_up (guint64 n, gpointer data)
{
  PlanCommand *self = data;

  self->n_looked_up = n;
  show_line (self);
}

static void
keep_rows (const TallyBatch *batch, gpointer data)
{
  PlanCommand *self = data;
  TallySchema *schema = tally_batch_schema (batch);
  guint n_columns = tally_batch_n_visible (batch);
  g_autoptr (GString) value = g_string_new (NULL);

  if (self->table == NULL)
    {
      self->table = tally_table_new ();
      for (guint i = 0; i < n_columns; i++)
        tally_table_add_column (self->table, tally_schema_column (schema, i)->name);
    }
  for (guint row = 0; row < tally_batch_n_rows (batch) && self->n_rows < (guint) self->n_shown; row++)
    {
      for (guint i = 0; i < n_columns; i++)
        {
          g_string_truncate (value, 0);
          if (tally_batch_is_null (batch, row, i))
            g_string_append (value, "NULL");
          else
            tally_batch_append_value (batch, row, i, value);
          tally_table_add_cell (self->table, value->str, value->len);
        }
      g_string_append (self->rows, self->n_rows > 0 ? ", " : "");
      tally_batch_append_json (batch, row, self->rows);
      self->n_rows++;
    }
}

/* ---- As text ---- */

static void
print_text (const char *name, const char *text)
{
  g_autofree char *clean = tally_listing_clean (text, strlen (text), FALSE);
  g_autofree char *words = g_strdelimit (g_strdup (name), "_", ' ');

  printf ("  %-*s %s\n", NAMES, words, clean);
}

static void
print_number (const char *name, gint64 number)
{
  g_autofree char *digits = g_strdup_printf ("%" G_GINT64_FORMAT, number);

  print_text (name, digits);
}

/* "2 h 5 min", "48 s": cut up to what a person asks for. (transfer full) */
static char *
format_span (gint64 span)
{
  gint64 seconds = (span + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC, minutes = (seconds + 59) / 60;

  if (seconds < 120)
    return g_strdup_printf ("%" G_GINT64_FORMAT " s", seconds);
  if (minutes < 120)
    return g_strdup_printf ("%" G_GINT64_FORMAT " min", minutes);
  return g_strdup_printf ("%" G_GINT64_FORMAT " h %" G_GINT64_FORMAT " min", minutes / 60, minutes % 60);
}

static void
print_time (const TallyPlan *plan)
{
  g_autofree char *span = NULL, *until = NULL, *line = NULL;

  if (plan->span < 0)
    {
      print_text ("they take", "not known: no answer has told the account's limit");
      return;
    }
  span = format_span (plan->span);
  until = tally_listing_format_time (g_get_real_time () + plan->span);
  line = g_strdup_printf ("%s at least, until %s UTC: %" G_GINT64_FORMAT " requests a minute, less what \"reserve\" leaves to others%s%s",
                          span, until, plan->limit, plan->slowest != NULL ? "; longest take those with a limit of their own, " : "",
                          plan->slowest != NULL ? plan->slowest : "");
  print_text ("they take", line);
}

static void
print_requests (const TallyPlan *plan)
{
  for (guint i = 0; i < plan->requests->len; i++)
    {
      const TallyPlannedKind *kind = &g_array_index (plan->requests, TallyPlannedKind, i);
      g_autofree char *bytes = g_strdup_printf (", %" G_GUINT64_FORMAT " bytes", kind->bytes);
      g_autofree char *line = g_strdup_printf ("%s %" G_GUINT64_FORMAT "%s", kind->kind, kind->n, kind->bytes > 0 ? bytes : "");

      print_text (i == 0 ? "requests" : "", line);
    }
  if (plan->requests->len > 0)
    print_time (plan);
}

static void
print_first_requests (const TallyPlan *plan)
{
  for (guint i = 0; plan->first_requests != NULL && i < plan->first_requests->len; i++)
    {
      const TallyPlannedRequest *request = &g_array_index (plan->first_requests, TallyPlannedRequest, i);
      g_autofree char *line = g_strdup_printf ("%s: %s", request->kind, request->body);

      print_text (i == 0 ? "first requests" : "", line);
    }
}

static void
print_plan (const PlanCommand *self, const TallyPlan *plan)
{
  g_autoptr (GString) table = g_string_new (NULL);

  printf ("%s: a run would\n", self->pipeline->name);
  if (plan->target != NULL)
    print_text ("target", plan->target);
  print_text ("begin", plan->position != NULL ? plan->position : "at the beginning");
  if (plan->is_partial)
    print_text ("of the first records", "the rest was not read, so nothing below counts it");
  print_number ("read", plan->read);
  if (plan->added > 0)
    print_number ("added", plan->added);
  print_number ("filtered", plan->filtered);
  print_number ("rejected", plan->rejected);
  print_number ("rows for the sink", plan->rows);
  if (plan->is_silent)
    print_text ("sink", "does not say what it would do with them");
  for (guint i = 0; i < plan->facts->len; i++)
    {
      const TallyPlanFact *fact = &g_array_index (plan->facts, TallyPlanFact, i);

      if (fact->text != NULL)
        print_text (fact->name, fact->text);
      else
        print_number (fact->name, fact->number);
    }
  if (plan->requests != NULL)
    print_requests (plan);
  print_first_requests (plan);
  for (guint i = 0; i < plan->rejects->len; i++)
    {
      const TallyReject *reject = &g_array_index (plan->rejects, TallyReject, i);
      g_autofree char *line = g_strdup_printf ("%s by \"%s\": %s", reject->origin, reject->stage, reject->reason);

      print_text (i == 0 ? "first rejects" : "", line);
    }
  if (self->n_rows == 0)
    return;
  printf ("  first rows\n");
  tally_table_format (self->table, tally_table_terminal_width (), table);
  fputs (table->str, stdout);
}

/* ---- As JSON ---- */

static char *
facts_as_json (const TallyPlan *plan)
{
  g_autoptr (GString) object = tally_listing_object ();

  for (guint i = 0; i < plan->facts->len; i++)
    {
      const TallyPlanFact *fact = &g_array_index (plan->facts, TallyPlanFact, i);

      if (fact->text != NULL)
        tally_listing_add_text (object, fact->name, fact->text);
      else
        tally_listing_add_number (object, fact->name, fact->number);
    }
  g_string_append_c (object, '}');
  return g_string_free (g_steal_pointer (&object), FALSE);
}

static char *
rejects_as_json (const TallyPlan *plan)
{
  GString *array = g_string_new ("[");

  for (guint i = 0; i < plan->rejects->len; i++)
    {
      const TallyReject *reject = &g_array_index (plan->rejects, TallyReject, i);
      g_autoptr (GString) object = tally_listing_object ();

      tally_listing_add_text (object, "origin", reject->origin);
      tally_listing_add_text (object, "stage", reject->stage);
      tally_listing_add_text (object, "reason", reject->reason);
      g_string_append_printf (array, "%s%s}", i > 0 ? ", " : "", object->str);
    }
  g_string_append_c (array, ']');
  return g_string_free (array, FALSE);
}

/* NULL if the sink does not say. (transfer full) */
static char *
requests_as_json (const TallyPlan *plan)
{
  GString *array = plan->requests != NULL ? g_string_new ("[") : NULL;

  if (array == NULL)
    return NULL;
  for (guint i = 0; i < plan->requests->len; i++)
    {
      const TallyPlannedKind *kind = &g_array_index (plan->requests, TallyPlannedKind, i);
      g_autoptr (GString) object = tally_listing_object ();

      tally_listing_add_text (object, "kind", kind->kind);
      tally_listing_add_number (object, "count", (gint64) kind->n);
      tally_listing_add_number (object, "bytes", (gint64) kind->bytes);
      g_string_append_printf (array, "%s%s}", i > 0 ? ", " : "", object->str);
    }
  g_string_append_c (array, ']');
  return g_string_free (array, FALSE);
}

/* NULL if the sink does not deliver. (transfer full) */
static char *
first_requests_as_json (const TallyPlan *plan)
{
  GString *array = plan->first_requests != NULL ? g_string_new ("[") : NULL;

  if (array == NULL)
    return NULL;
  for (guint i = 0; i < plan->first_requests->len; i++)
    {
      const TallyPlannedRequest *request = &g_array_index (plan->first_requests, TallyPlannedRequest, i);
      g_autoptr (GString) object = tally_listing_object ();

      tally_listing_add_text (object, "kind", request->kind);
      tally_listing_add_text (object, "body", request->body);
      g_string_append_printf (array, "%s%s}", i > 0 ? ", " : "", object->str);
    }
  g_string_append_c (array, ']');
  return g_string_free (array, FALSE);
}

/* NULL if it is not known. (transfer full) */
static char *
time_as_json (const TallyPlan *plan)
{
  g_autoptr (GString) object = plan->span >= 0 ? tally_listing_object () : NULL;

  if (object == NULL)
    return NULL;
  tally_listing_add_number (object, "limit_per_minute", plan->limit);
  tally_listing_add_text (object, "slowest", plan->slowest);
  tally_listing_add_number (object, "seconds", (plan->span + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
  tally_listing_add_time (object, "until", g_get_real_time () + plan->span);
  g_string_append_c (object, '}');
  return g_string_free (g_steal_pointer (&object), FALSE);
}

static void
print_json (const PlanCommand *self, const TallyPlan *plan, const char *message)
{
  g_autoptr (GString) object = tally_listing_object ();
  g_autofree char *facts = facts_as_json (plan), *rejects = rejects_as_json (plan);
  g_autofree char *requests = requests_as_json (plan), *time = time_as_json (plan);
  g_autofree char *first_requests = first_requests_as_json (plan);
  g_autofree char *rows = g_strdup_printf ("[%s]", self->rows->str);

  tally_listing_add_text (object, "pipeline", self->pipeline->name);
  tally_listing_add_number (object, "exit", plan->exit);
  tally_listing_add_text (object, "target", plan->target);
  tally_listing_add_text (object, "position", plan->position);
  tally_listing_add_json (object, "partial", plan->is_partial ? "true" : "false");
  tally_listing_add_number (object, "read", plan->read);
  tally_listing_add_number (object, "added", plan->added);
  tally_listing_add_number (object, "filtered", plan->filtered);
  tally_listing_add_number (object, "rejected", plan->rejected);
  tally_listing_add_number (object, "rows", plan->rows);
  tally_listing_add_json (object, "sink", plan->is_silent ? NULL : facts);
  tally_listing_add_json (object, "requests", requests);
  tally_listing_add_json (object, "time", time);
  tally_listing_add_json (object, "first_requests", first_requests);
  tally_listing_add_json (object, "first_rejects", rejects);
  tally_listing_add_json (object, "first_rows", rows);
  tally_listing_add_text (object, "error", message);
  printf ("%s}\n", object->str);
}

/* ---- The pipelines ---- */

static TallyExit
plan_one (PlanCommand *self, TallyPipeline *pipeline)
{
  const TallyPlanOptions options = { .ledger = self->ledger,
                                     .most = (guint64) self->limit,
                                     .lookups = (guint64) self->lookups,
                                     .missed = self->draft.missed,
                                     .coming = self->draft.coming,
                                     .rows = keep_rows,
                                     .progress = show_progress,
                                     .looked_up = show_looked_up,
                                     .warn = warn,
                                     .data = self };
  g_auto (TallyPlan) plan = { 0 };
  g_autofree char *message = NULL;

  self->pipeline = pipeline;
  self->rows = g_string_new (NULL);
  self->n_rows = 0;
  self->n_read = self->n_looked_up = 0;
  self->begun = g_get_monotonic_time ();
  tally_command_catch_signals ();
  tally_plan_make (pipeline, &options, &plan);
  close_line (self);
  if (plan.error != NULL)
    {
      message = tally_pipeline_redact (pipeline, plan.error->message);
      tally_command_complain ("%s: %s", pipeline->file, message);
    }
  if (self->json)
    print_json (self, &plan, message);
  else if (plan.error == NULL)
    print_plan (self, &plan);
  g_string_free (g_steal_pointer (&self->rows), TRUE);
  g_clear_pointer (&self->table, tally_table_free);
  return plan.exit;
}

static TallyExit
plan_argument (PlanCommand *self, const char *argument, TallyRegistry *registry)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) files = tally_pipeline_order (argument, &error);
  TallyExit worst = TALLY_EXIT_COMPLETE;

  if (files == NULL)
    {
      tally_command_complain ("%s", error->message);
      return TALLY_EXIT_USAGE;
    }
  for (char **file = files; *file != NULL; file++)
    {
      g_autoptr (TallyPipeline) pipeline = tally_pipeline_load (*file, registry);
      g_autoptr (GString) mistakes = g_string_new (NULL);
      TallyExit how;

      tally_pipeline_format_diagnostics (pipeline, tally_command_has_colour (STDERR_FILENO), mistakes);
      fputs (mistakes->str, stderr);
      how = tally_pipeline_n_errors (pipeline) > 0 ? TALLY_EXIT_USAGE : plan_one (self, pipeline);
      worst = MAX (worst, how);
      if (how == TALLY_EXIT_INTERRUPTED)
        return how;
    }
  return worst;
}

/* All that was named, and what follows from it as a whole. */
static TallyExit
plan_all (PlanCommand *self, char **arguments, TallyRegistry *registry)
{
  TallyExit worst = TALLY_EXIT_COMPLETE;

  for (char **argument = arguments; *argument != NULL; argument++)
    {
      TallyExit how = plan_argument (self, *argument, registry);

      worst = MAX (worst, how);
      if (how == TALLY_EXIT_INTERRUPTED)
        return how;
    }
  return tally_reference_draft_end (&self->draft, self->json) ? worst : MAX (worst, TALLY_EXIT_FAILED);
}

static int
plan_main (int argc, char **argv)
{
  g_auto (GStrv) rest = NULL;
  g_autofree char *ledger = NULL, *references = NULL;
  PlanCommand self = { .n_shown = 3, .lookups = LOOKUPS, .terminal = isatty (STDERR_FILENO) };
  const GOptionEntry entries[] = {
    { "ledger", 0, 0, G_OPTION_ARG_STRING, &ledger, "Ledger to use in place of the pipeline's", "URI" },
    { "limit", 0, 0, G_OPTION_ARG_INT64, &self.limit, "Read only the first records, for a quick look", "N" },
    { "lookups", 0, 0, G_OPTION_ARG_INT64, &self.lookups, "Creations to look up in the target, at most (200)", "N" },
    { "references", 0, 0, G_OPTION_ARG_FILENAME, &references, "Write what ref() does not find, for you to give ids", "FILE" },
    { "rows", 0, 0, G_OPTION_ARG_INT, &self.n_shown, "First rows to show (3)", "N" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &self.json, "Print one JSON object for each pipeline", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };
  TallyExit how = TALLY_EXIT_USAGE;

  if (!tally_command_parse (&tally_command_plan, entries, &argc, &argv))
    return TALLY_EXIT_USAGE;
  if (rest == NULL || self.limit < 0 || self.lookups < 0 || self.n_shown < 0 || self.n_shown > 1000)
    {
      tally_command_complain ("%s; see 'tallyman plan --help'",
                              rest == NULL ? "name a pipeline's file, or a folder of them"
                                           : "--limit takes 1 or more, --lookups 0 or more, --rows 0 to 1000");
      return TALLY_EXIT_USAGE;
    }

  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  self.ledger = ledger;
  if (tally_reference_draft_begin (&self.draft, references, registry))
    how = plan_all (&self, rest, registry);
  tally_reference_draft_clear (&self.draft);
  return how;
}

const TallyCommand tally_command_plan = {
  .name = "plan",
  .arguments = "PIPELINE…",
  .summary = "say what a run would do; nothing is changed anywhere",
  .main = plan_main,
};
