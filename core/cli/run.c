/* run.c: tallyman run PIPELINE… */
#include "load.h"
#include "notify.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Nothing is shown of a run that takes less. */
#define SILENT_FOR (2 * G_USEC_PER_SEC)
/* Where nobody watches, a line now and then tells a log that we live, and one of each longer wait what for. */
#define PLAIN_EVERY (30 * G_USEC_PER_SEC)
#define LONG_WAIT (3 * G_USEC_PER_SEC)
#define MAX_WHY 200 /* bytes of what is waited for that are shown */
#define USUAL_WIDTH 120
#define FEWEST_OF_WHY 20

typedef struct
{
  gboolean json, quiet, no_wait, new_target, unsafe_ledger;
  char *ledger;    /* (owned) (nullable) */
  gint drain;      /* seconds */
  gint batch_rows;
  gint64 begun, shown;
  gint64 waits_until; /* the wait of which a plain line has told */
  const TallyPipeline *pipeline; /* (unowned) the one at work */
  gboolean terminal;
  gint line_open; /* atomic: a progress line stands on the terminal; warnings come on any thread */
} RunCommand;

/* ---- What is shown on the way ---- */

static void
close_line (RunCommand *self)
{
  if (g_atomic_int_compare_and_exchange (&self->line_open, TRUE, FALSE))
    fputs ("\r\033[K", stderr);
}

static void
show_warning (const char *message, gpointer data)
{
  RunCommand *self = data;
  g_autofree char *shown = tally_pipeline_redact (self->pipeline, message);

  close_line (self);
  tally_command_warn ("%s", shown);
}

/* At most so many bytes, and no character in part. */
static void
append_cut (GString *line, const char *text, gsize most)
{
  const char *end = strlen (text) > most ? g_utf8_find_prev_char (text, text + most) : NULL;

  if (end == NULL)
    g_string_append (line, text);
  else
    g_string_append_printf (line, "%.*s…", (int) (end - text), text);
}

/* Of a line that can be written anew. */
static gsize
terminal_width (void)
{
  struct winsize size;

  return ioctl (STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col - 1u : USUAL_WIDTH;
}

static void
append_wait (RunCommand *self, const char *waiting, gint64 left, GString *line)
{
  /* It may repeat what a server answers, and that what it was sent. */
  g_autofree char *shown = tally_pipeline_redact (self->pipeline, waiting);
  g_autofree char *again = left >= G_USEC_PER_SEC ? g_strdup_printf (", again in %.0f s", (double) left / G_USEC_PER_SEC) : g_strdup ("");
  gsize room = self->terminal ? terminal_width () : MAX_WHY;

  g_string_append (line, ", waiting: ");
  if (self->terminal)
    room = MAX (room, line->len + strlen (again) + FEWEST_OF_WHY) - line->len - strlen (again);
  append_cut (line, shown, room);
  g_string_append (line, again);
}

/* Whether it is time for a plain line. */
static gboolean
is_due (RunCommand *self, gint64 left, gint64 now)
{
  if (now - self->shown >= PLAIN_EVERY)
    return TRUE;
  return left >= LONG_WAIT && now + left > self->waits_until + G_USEC_PER_SEC;
}

static void
append_progress (RunCommand *self, const TallyCounts *counts, const char *waiting, gint64 left, GString *line)
{
  double seconds = MAX ((double) (g_get_monotonic_time () - self->begun) / G_USEC_PER_SEC, 0.001);

  g_string_append_printf (line, "%" G_GUINT64_FORMAT " read, %" G_GUINT64_FORMAT " delivered, %" G_GUINT64_FORMAT " rejected",
                          counts->read, counts->delivered, counts->rejected);
  if (left < G_USEC_PER_SEC)
    g_string_append_printf (line, ", %" G_GUINT64_FORMAT " in flight, %.0f/s", counts->in_flight, counts->delivered / seconds);
  if (waiting != NULL)
    append_wait (self, waiting, left, line);
}

static void
show_progress (const TallyCounts *counts, const char *waiting, gint64 left, gpointer data)
{
  RunCommand *self = data;
  gint64 now = g_get_monotonic_time ();
  g_autoptr (GString) line = g_string_new (NULL);
  g_autofree char *status = NULL;

  append_progress (self, counts, waiting, left, line);
  status = g_strdup_printf ("%s: %s", self->pipeline->name, line->str);
  tally_notify_status (status);
  if (self->quiet || now - self->begun < SILENT_FOR || (!self->terminal && !is_due (self, left, now)))
    return;

  if (self->terminal)
    fprintf (stderr, "\r%s\033[K", line->str);
  else
    fprintf (stderr, "%s\n", line->str);
  self->waits_until = now + left;
  g_atomic_int_set (&self->line_open, self->terminal);
  self->shown = now;
}

static void
note_life (gpointer data)
{
  tally_notify_alive ();
}

/* ---- The runs ---- */

static TallyExit
run_one (RunCommand *self, TallyPipeline *pipeline, const char *command)
{
  TallyRunOptions options = { .ledger = self->ledger,
                              .no_wait = self->no_wait,
                              .unsafe_ledger = self->unsafe_ledger,
                              .new_target = self->new_target,
                              .drain = (gint64)self->drain * G_USEC_PER_SEC,
                              .lease_ttl = 30 * G_USEC_PER_SEC,
                              .batch_rows = self->batch_rows,
                              .command = command,
                              .progress = show_progress,
                              .alive = note_life,
                              .warn = show_warning,
                              .data = self };
  g_autoptr (GString) text = g_string_new (NULL);
  TallySummary summary;
  TallyExit how;

  self->begun = g_get_monotonic_time ();
  self->pipeline = pipeline;
  tally_run (pipeline, &options, &summary);
  close_line (self);
  if (summary.error != NULL)
    {
      /* What a server answers may repeat what it was sent. */
      g_autofree char *message = tally_pipeline_redact (pipeline, summary.error->message);

      g_free (summary.error->message);
      summary.error->message = g_steal_pointer (&message);
      tally_command_complain ("%s: %s", pipeline->file, summary.error->message);
    }
  if (self->json)
    tally_summary_format_json (&summary, pipeline, text);
  else if (!self->quiet)
    tally_summary_format (&summary, pipeline, text);
  /* The summary must not mix with records that a sink writes to standard output. */
  fputs (text->str, self->json ? stdout : stderr);
  fflush (stdout);
  how = summary.exit;
  tally_summary_clear (&summary);
  return how;
}

static int
run_all (RunCommand *self, char **arguments)
{
  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  g_autoptr (GPtrArray) pipelines = tally_command_load_all (arguments, registry);
  TallyExit worst = TALLY_EXIT_COMPLETE;

  if (pipelines == NULL)
    return TALLY_EXIT_USAGE;

  tally_notify_open ((gint64)self->drain * G_USEC_PER_SEC);
  tally_command_catch_signals ();
  tally_notify_ready ();
  for (guint i = 0; i < pipelines->len; i++)
    {
      TallyPipeline *pipeline = g_ptr_array_index (pipelines, i);
      g_autofree char *command = g_strdup_printf ("tallyman run %s", pipeline->file);
      TallyExit how = run_one (self, pipeline, command);

      /* Those that come after one that failed may stand on what it did not deliver. */
      if (how != TALLY_EXIT_COMPLETE && how != TALLY_EXIT_REJECTS && how != TALLY_EXIT_DOUBT)
        return how;
      worst = MAX (worst, how);
    }

  return worst;
}

static int
run_main (int argc, char **argv)
{
  g_auto (GStrv) rest = NULL;
  RunCommand self = { .drain = 10, .batch_rows = 1024, .terminal = isatty (STDERR_FILENO) };
  g_autofree char *ledger = NULL;
  const GOptionEntry entries[] = {
    { "ledger", 0, 0, G_OPTION_ARG_STRING, &ledger, "Ledger to use in place of the pipeline's", "URI" },
    { "no-wait", 0, 0, G_OPTION_ARG_NONE, &self.no_wait,
      "Leave in doubt what would have to wait until it can be settled", NULL },
    { "drain", 0, 0, G_OPTION_ARG_INT, &self.drain,
      "Seconds that requests in flight get after a signal (10)", "SECONDS" },
    { "batch-rows", 0, 0, G_OPTION_ARG_INT, &self.batch_rows, "Most rows that move together (1024)", "N" },
    { "new-target", 0, 0, G_OPTION_ARG_NONE, &self.new_target,
      "The pipeline goes to another target from now on", NULL },
    { "unsafe-ledger", 0, 0, G_OPTION_ARG_NONE, &self.unsafe_ledger,
      "Run without a guarantee on a ledger whose server does not sync", NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &self.json, "Summary as one JSON object a pipeline, on standard output",
      NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &self.quiet, "No progress and no summary", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };

  if (!tally_command_parse (&tally_command_run, entries, &argc, &argv))
    return TALLY_EXIT_USAGE;
  if (rest == NULL || self.drain < 0 || self.batch_rows < 1 || self.batch_rows > 65536)
    {
      tally_command_complain ("%s; see 'tallyman run --help'",
                              rest == NULL ? "name a pipeline's file, or a folder of them"
                                           : "--drain takes 0 or more, --batch-rows 1 to 65536");
      return TALLY_EXIT_USAGE;
    }

  self.ledger = ledger;
  return run_all (&self, rest);
}

const TallyCommand tally_command_run = {
  .name = "run",
  .arguments = "PIPELINE…",
  .summary = "run pipelines; the same command resumes one that stopped",
  .main = run_main,
};
