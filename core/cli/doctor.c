/* doctor.c: tallyman doctor PIPELINE…: what would stand in a run's way; nothing is changed anywhere */
#include "engine/doctor.h"
#include "listing.h"
#include "load.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  gboolean json;
  const char *ledger;      /* (unowned) (nullable) */
  TallyPipeline *pipeline; /* (unowned) the one at work */
  guint n_found[3];        /* by TallyFinding */
} DoctorCommand;

static const char *const words[] = { "ok", "warning", "problem" };

/* There is nothing to put in order, so whatever is waited for need not end first. */
static void
on_signal (int number)
{
  _exit (TALLY_EXIT_INTERRUPTED);
}

/* Without the values of references.  (transfer full) (nullable) */
static char *
clean (const DoctorCommand *self, const char *text)
{
  g_autofree char *redacted = text != NULL ? tally_pipeline_redact (self->pipeline, text) : NULL;

  return redacted != NULL ? tally_listing_clean (redacted, strlen (redacted), /* keep_lines= */ TRUE) : NULL;
}

static void
show (const TallyDoctorFinding *finding, gpointer data)
{
  DoctorCommand *self = data;
  g_autofree char *message = clean (self, finding->message), *remedy = clean (self, finding->remedy);

  self->n_found[finding->state]++;
  if (self->json)
    {
      g_autoptr (GString) object = tally_listing_object ();

      tally_listing_add_text (object, "pipeline", self->pipeline->name);
      tally_listing_add_text (object, "part", finding->part);
      tally_listing_add_text (object, "state", words[finding->state]);
      tally_listing_add_text (object, "message", message);
      tally_listing_add_text (object, "remedy", remedy);
      printf ("%s}\n", object->str);
    }
  else
    {
      printf ("  %-8s %s: %s\n", words[finding->state], finding->part, message);
      if (remedy != NULL)
        printf ("           hint: %s\n", remedy);
    }
  fflush (stdout);
}

static TallyExit
examine (DoctorCommand *self, TallyPipeline *pipeline)
{
  const TallyDoctorOptions options = { .ledger = self->ledger, .found = show, .data = self };

  self->pipeline = pipeline;
  if (!self->json)
    printf ("%s:\n", pipeline->name);
  return tally_doctor_examine (pipeline, &options);
}

static int
doctor_main (int argc, char **argv)
{
  g_auto (GStrv) rest = NULL;
  g_autofree char *ledger = NULL;
  DoctorCommand self = { 0 };
  const struct sigaction action = { .sa_handler = on_signal };
  const GOptionEntry entries[] = {
    { "ledger", 0, 0, G_OPTION_ARG_STRING, &ledger, "Ledger to look at in place of the pipeline's", "URI" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &self.json, "Print a line of JSON for each finding", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };
  TallyExit worst = TALLY_EXIT_COMPLETE;

  if (!tally_command_parse (&tally_command_doctor, entries, &argc, &argv))
    return TALLY_EXIT_USAGE;
  if (rest == NULL)
    {
      tally_command_complain ("name a pipeline's file, or a folder of them; see 'tallyman doctor --help'");
      return TALLY_EXIT_USAGE;
    }

  signal (SIGPIPE, SIG_IGN);
  sigaction (SIGINT, &action, NULL);
  sigaction (SIGTERM, &action, NULL);
  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  g_autoptr (GPtrArray) pipelines = tally_command_load_all (rest, registry);
  if (pipelines == NULL)
    return TALLY_EXIT_USAGE;
  self.ledger = ledger;
  for (guint i = 0; i < pipelines->len; i++)
    {
      TallyExit how = examine (&self, pipelines->pdata[i]);

      worst = MAX (worst, how);
    }
  if (!self.json)
    printf ("%u ok, %u warning%s, %u problem%s\n", self.n_found[TALLY_FINDING_OK], self.n_found[TALLY_FINDING_WARNING],
            self.n_found[TALLY_FINDING_WARNING] == 1 ? "" : "s", self.n_found[TALLY_FINDING_PROBLEM],
            self.n_found[TALLY_FINDING_PROBLEM] == 1 ? "" : "s");
  return worst;
}

const TallyCommand tally_command_doctor = {
  .name = "doctor",
  .arguments = "PIPELINE…",
  .summary = "say what would stand in a run's way; nothing is changed anywhere",
  .main = doctor_main,
};
