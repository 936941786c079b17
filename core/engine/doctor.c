/* doctor.c: source, lookups, sink, ledger and state, each asked what a run would ask of it
 *
 * A part that has a problem does not end the examination: what can be looked at without it is.
 */
#include "doctor.h"
#include <time.h>

/* Clocks that differ by more are worth a word. */
#define MOST_SKEW (60 * G_USEC_PER_SEC)

typedef struct
{
  TallyPipeline *pipeline;           /* (unowned) */
  const TallyDoctorOptions *options; /* (unowned) */
  char *part;                        /* (owned) (nullable) the one at work */
  gboolean is_known;                 /* which columns the sink gets */
  TallyContext *sink_ctx;            /* (owned) */
  TallyLedger *ledger;               /* (owned) (nullable) */
  TallyExit exit;
} Doctor;

/* ---- Findings ---- */

static void
begin_part (Doctor *self, const char *kind, const char *name)
{
  g_free (self->part);
  self->part = name != NULL ? g_strdup_printf ("%s \"%s\"", kind, name) : g_strdup (kind);
}

static void
tell (TallyFinding state, const char *remedy, const char *message, gpointer data)
{
  Doctor *self = data;
  const TallyDoctorFinding finding
      = { .part = self->part, .state = state, .message = message, .remedy = remedy };

  if (state == TALLY_FINDING_PROBLEM && self->exit == TALLY_EXIT_COMPLETE)
    self->exit = TALLY_EXIT_FAILED;
  self->options->found (&finding, self->options->data);
}

G_GNUC_PRINTF (4, 5)
static void
find (Doctor *self, TallyFinding state, const char *remedy, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  tell (state, remedy, message, self);
}

static void
warn (const char *message, gpointer data)
{
  tell (TALLY_FINDING_WARNING, NULL, message, data);
}

/* Most messages name the way out themselves; these kinds of failure have one in common. */
static const char *
remedy_for (const GError *error)
{
  if (g_error_matches (error, TALLY_ERROR, TALLY_ERROR_NETWORK))
    return "see whether the address is right, the server is up, and this machine may reach it";
  if (g_error_matches (error, TALLY_ERROR, TALLY_ERROR_AUTH))
    return "give credentials that may do this, or have the right given to these";
  if (g_error_matches (error, TALLY_ERROR, TALLY_ERROR_IO))
    return "see whether the file is there, and this user may use it";
  return NULL;
}

static gboolean
fail (Doctor *self, const GError *error)
{
  find (self, TALLY_FINDING_PROBLEM, remedy_for (error), "%s", error->message);
  return FALSE;
}

static TallyContext *
new_context (Doctor *self)
{
  TallyContext *ctx = tally_context_new (self->pipeline->directory);

  ctx->warn = warn;
  ctx->warn_data = self;
  ctx->tell = tell;
  ctx->tell_data = self;
  return ctx;
}

/* ---- Source and lookups ---- */

static void
tell_columns (Doctor *self, TallySchema *schema)
{
  guint n = tally_schema_n_columns (schema);

  find (self, TALLY_FINDING_OK, NULL, "opens, and gives %u column%s", n, n == 1 ? "" : "s");
}

/* The columns that come today, or NULL. */
static TallySchema *
look_at_source (Doctor *self, TallyContext *ctx)
{
  TallyInstance *source = self->pipeline->source;
  g_autoptr (TallySchema) schema = NULL;
  g_autoptr (GError) error = NULL;

  if (!tally_instance_open (source, ctx, &error)
      || (schema = source->plugin->describe (source->self, ctx, &error)) == NULL)
    {
      fail (self, error);
      return NULL;
    }
  tell_columns (self, schema);
  if (source->plugin->probe != NULL && !source->plugin->probe (source->self, ctx, &error))
    fail (self, error);
  return g_steal_pointer (&schema);
}

static TallySchema *
examine_source (Doctor *self)
{
  g_autoptr (TallyContext) ctx = new_context (self);
  TallySchema *schema;

  begin_part (self, "source", self->pipeline->source->plugin->name);
  schema = look_at_source (self, ctx);
  tally_instance_close (self->pipeline->source);
  return schema;
}

static gboolean
examine_lookups (Doctor *self)
{
  gboolean good = TRUE;

  for (guint i = 0; i < tally_pipeline_n_lookups (self->pipeline); i++)
    {
      g_autoptr (TallyContext) ctx = new_context (self);
      g_autofree char *part = g_strdup_printf ("lookup on line %u", tally_pipeline_lookup_line (self->pipeline, i));
      g_autoptr (GError) error = NULL;

      begin_part (self, part, NULL);
      if (tally_pipeline_probe_lookup (self->pipeline, i, ctx, &error))
        tell_columns (self, tally_pipeline_lookup_schema (self->pipeline, i));
      else
        good = fail (self, error);
    }
  return good;
}

/* Holds what comes against the steps and the sink.  schema: (nullable) */
static void
examine_columns (Doctor *self, TallySchema *schema, gboolean has_lookups)
{
  g_autoptr (GString) mistakes = g_string_new (NULL);

  begin_part (self, "columns", NULL);
  if (schema == NULL || !has_lookups)
    {
      self->is_known = tally_pipeline_is_bound (self->pipeline);
      find (self, TALLY_FINDING_WARNING, "settle the problems above, and ask again",
            "it is not known which ones come, so steps and sink were not held against them");
      return;
    }
  self->is_known = tally_pipeline_bind (self->pipeline, schema);
  if (self->is_known)
    {
      find (self, TALLY_FINDING_OK, NULL, "those that come fit the steps and the sink");
      return;
    }
  tally_pipeline_format_diagnostics (self->pipeline, /* colour= */ FALSE, mistakes);
  self->exit = TALLY_EXIT_USAGE;
  find (self, TALLY_FINDING_PROBLEM, "change the pipeline, or what the source gives",
        "the source's columns do not fit:\n%s", mistakes->str);
}

/* ---- Sink ---- */

/* A sink that makes something when it is opened is opened as for a plan. */
static gboolean
open_sink (Doctor *self, GError **error)
{
  TallyInstance *sink = self->pipeline->sink;

  if (sink->plugin->plan == NULL)
    return tally_instance_open (sink, self->sink_ctx, error);
  sink->opened = TRUE; /* so that close() comes */
  return sink->plugin->plan->open (sink->self, self->sink_ctx, error);
}

static void
examine_sink (Doctor *self)
{
  TallyInstance *sink = self->pipeline->sink;
  g_autoptr (GError) error = NULL;

  begin_part (self, "sink", sink->plugin->name);
  if (!self->is_known)
    {
      find (self, TALLY_FINDING_WARNING, "settle the problems above, and ask again",
            "was not looked at, because it is not known which columns it would get");
      return;
    }
  if (sink->plugin->plan == NULL && sink->plugin->delivery == NULL)
    {
      find (self, TALLY_FINDING_WARNING, NULL, "was not looked at: it cannot be opened without writing");
      return;
    }
  if (!open_sink (self, &error))
    fail (self, error);
  else
    {
      find (self, TALLY_FINDING_OK, NULL, "opens%s%s", self->sink_ctx->target != NULL ? ", as " : "",
            self->sink_ctx->target != NULL ? self->sink_ctx->target : "");
      if (sink->plugin->probe != NULL && !sink->plugin->probe (sink->self, self->sink_ctx, &error))
        fail (self, error);
    }
  tally_instance_close (sink);
}

/* ---- Ledger ---- */

static const char *
ledger_uri (const Doctor *self)
{
  return self->options->ledger != NULL ? self->options->ledger : self->pipeline->ledger;
}

/* What the database is like.  FALSE: there is nothing more to ask. */
static gboolean
examine_database (Doctor *self)
{
  g_auto (TallyLedgerExam) exam = { 0 };
  g_autoptr (GError) error = NULL;

  if (!tally_ledger_examine (ledger_uri (self), &exam, &error))
    return fail (self, error);
  if (exam.is_standby)
    find (self, TALLY_FINDING_PROBLEM, "name the primary in \"ledger\"", "the server is a standby, which cannot be written to");
  if (exam.weakness != NULL)
    find (self, TALLY_FINDING_PROBLEM, "switch it on at the server; --unsafe-ledger runs without the guarantee",
          "may lose what it has committed, and nothing can be created exactly once: %s is off", exam.weakness);
  if (exam.missing != NULL)
    find (self, TALLY_FINDING_PROBLEM, exam.missing, "a run could not write to it");
  else if (exam.weakness == NULL && !exam.is_standby)
    find (self, TALLY_FINDING_OK, NULL, "can be written to, and what it commits is durable%s",
          exam.is_there ? "" : "; there is none yet, and the first run makes it");
  return exam.is_there;
}

static gint64
boot_time (void)
{
  struct timespec time;

  clock_gettime (CLOCK_BOOTTIME, &time);
  return (gint64) time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

static void
compare_clocks (Doctor *self, gint64 ledger, gint64 other, const char *whose)
{
  gint64 apart = (ledger - other) / G_USEC_PER_SEC;

  if (ABS (ledger - other) > MOST_SKEW)
    find (self, TALLY_FINDING_WARNING, "let both machines take the time from a time server: ages are measured by these clocks",
          "its clock is %" G_GINT64_FORMAT " seconds %s that of %s", ABS (apart), apart > 0 ? "ahead of" : "behind", whose);
  else
    find (self, TALLY_FINDING_OK, NULL, "its clock agrees with that of %s", whose);
}

static void
examine_clocks (Doctor *self)
{
  const TallyContext *ctx = self->sink_ctx;
  g_autoptr (GError) error = NULL;
  gint64 now;

  if (!tally_ledger_now (self->ledger, &now, &error))
    {
      fail (self, error);
      return;
    }
  compare_clocks (self, now, g_get_real_time (), "this machine");
  if (ctx->target_time > 0)
    compare_clocks (self, now, ctx->target_time + boot_time () - ctx->target_time_at, "the target");
}

/* A run that is at work is no fault. */
static void
examine_leases (Doctor *self)
{
  const TallyPlugin *sink = self->pipeline->sink->plugin;
  TallyDeliveryProfile profile = { .size = sizeof profile };
  g_autofree char *pipeline = g_strdup_printf ("pipeline %s", self->pipeline->name);
  g_autofree char *scope = NULL;
  const char *names[] = { pipeline, NULL, NULL };
  g_autoptr (GError) error = NULL;

  if (sink->delivery != NULL && self->sink_ctx->target != NULL)
    {
      sink->delivery->profile (self->pipeline->sink->self, &profile);
      names[1] = scope
          = g_strdup_printf ("%s of %s in %s", profile.entity, self->pipeline->origin, self->sink_ctx->target);
    }
  if (tally_ledger_check_leases (self->ledger, names, &error))
    find (self, TALLY_FINDING_OK, NULL, "no run of this pipeline is at work");
  else if (g_error_matches (error, TALLY_ERROR, TALLY_ERROR_LEASE))
    find (self, TALLY_FINDING_WARNING, "wait for it, or end it there; a run started now exits with code 5", "%s", error->message);
  else
    fail (self, error);
}

static void
examine_history (Doctor *self)
{
  g_autofree char *position = NULL;
  g_autoptr (GError) error = NULL;
  gboolean adopted;

  if (!tally_ledger_check_mark (self->ledger, &error))
    fail (self, error);
  else
    find (self, TALLY_FINDING_OK, NULL, "knows all that runs of this machine told it");
  g_clear_error (&error);
  if (self->sink_ctx->target != NULL
      && !tally_ledger_peek (self->ledger, self->pipeline->name, self->sink_ctx->target, TALLY_RUN_RESUMES, 0, 0, &position,
                             &adopted, &error))
    fail (self, error);
}

static void
examine_ledger (Doctor *self)
{
  g_autoptr (GError) error = NULL;

  begin_part (self, "ledger", NULL);
  if (!examine_database (self))
    return;
  self->ledger = tally_ledger_open (ledger_uri (self), TALLY_LEDGER_READ, &error);
  if (self->ledger == NULL)
    {
      fail (self, error);
      return;
    }
  examine_history (self);
  examine_clocks (self);
  examine_leases (self);
}

/* ---- Files of our own ---- */

/* The mark of the ledger is kept there, wherever the ledger is. */
static void
examine_state (Doctor *self)
{
  g_autofree char *folder = tally_state_path ("marks", /* make_folder= */ FALSE, NULL);
  g_autoptr (GError) error = NULL;

  begin_part (self, "state directory", NULL);
  if (tally_check_folder (folder, /* may_make= */ TRUE, &error))
    find (self, TALLY_FINDING_OK, NULL, "\"%s\" can be written to", folder);
  else
    fail (self, error);
}

static void
examine_rejects (Doctor *self)
{
  const char *path = self->pipeline->rejects_path;
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;

  begin_part (self, "rejects", NULL);
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    find (self, TALLY_FINDING_PROBLEM, "name a file in \"errors\"", "\"%s\" is a folder", path);
  else if (tally_check_folder (folder, /* may_make= */ FALSE, &error))
    find (self, TALLY_FINDING_OK, NULL, "\"%s\" can be written", path);
  else
    fail (self, error);
}

TallyExit
tally_doctor_examine (TallyPipeline *pipeline, const TallyDoctorOptions *options)
{
  Doctor self = { .pipeline = pipeline, .options = options };
  g_autoptr (TallySchema) schema = NULL;
  gboolean has_lookups;

  self.sink_ctx = new_context (&self);
  self.sink_ctx->facts = g_array_new (FALSE, FALSE, sizeof (TallyPlanFact));
  g_array_set_clear_func (self.sink_ctx->facts, tally_plan_fact_clear);

  schema = examine_source (&self);
  has_lookups = examine_lookups (&self);
  examine_columns (&self, schema, has_lookups);
  examine_sink (&self);
  examine_ledger (&self);
  examine_state (&self);
  if (pipeline->rejects_path != NULL)
    examine_rejects (&self);

  tally_ledger_close (self.ledger);
  tally_context_free (self.sink_ctx);
  g_free (self.part);
  return self.exit;
}
