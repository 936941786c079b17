/* check.c: tallyman check PIPELINE…: what is wrong, before anything is sent */
#include "command.h"
#include "engine/engine.h"
#include <stdio.h>
#include <unistd.h>

typedef struct
{
  gboolean json;
  gboolean first; /* of the JSON array's items */
  guint n_errors, n_warnings;
  GString *text;
} CheckCommand;

static void
show_json (CheckCommand *self, const TallyPipeline *pipeline)
{
  g_autoptr (GPtrArray) diagnostics = tally_pipeline_sorted_diagnostics (pipeline);

  for (guint i = 0; i < diagnostics->len; i++)
    {
      g_string_append (self->text, self->first ? "\n  " : ",\n  ");
      tally_diagnostic_format_json (diagnostics->pdata[i], self->text);
      self->first = FALSE;
    }
}

static void
check_file (CheckCommand *self, const char *file, TallyRegistry *registry)
{
  g_autoptr (TallyPipeline) pipeline = tally_pipeline_load (file, registry);
  guint n_errors = tally_pipeline_n_errors (pipeline);

  self->n_errors += n_errors;
  self->n_warnings += pipeline->diagnostics->len - n_errors;
  if (self->json)
    show_json (self, pipeline);
  else
    tally_pipeline_format_diagnostics (pipeline, tally_command_has_colour (STDERR_FILENO),
                                       self->text);
}

static void
check_argument (CheckCommand *self, const char *argument, TallyRegistry *registry)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) files = tally_pipeline_order (argument, &error);

  if (files == NULL)
    {
      self->n_errors++;
      if (self->json)
        {
          TallyDiagnostic whole = { .severity = TALLY_SEVERITY_ERROR,
                                    .file = (char *) argument,
                                    .message = error->message };

          g_string_append (self->text, self->first ? "\n  " : ",\n  ");
          tally_diagnostic_format_json (&whole, self->text);
          self->first = FALSE;
        }
      else
        tally_command_complain ("%s", error->message);
      return;
    }

  for (char **file = files; *file != NULL; file++)
    check_file (self, *file, registry);
}

static void
show (CheckCommand *self)
{
  if (self->json)
    {
      printf ("[%s%s]\n", self->text->str, self->first ? "" : "\n");
      return;
    }

  fputs (self->text->str, stderr);
  if (self->n_errors + self->n_warnings > 0)
    fprintf (stderr, "%u error%s, %u warning%s\n", self->n_errors, self->n_errors == 1 ? "" : "s",
             self->n_warnings, self->n_warnings == 1 ? "" : "s");
}

static int
check_main (int argc, char **argv)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_auto (GStrv) rest = NULL;
  CheckCommand self = { .first = TRUE, .text = text };
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &self.json, "Print the mistakes as a JSON array", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };

  if (!tally_command_parse (&tally_command_check, entries, &argc, &argv))
    return TALLY_EXIT_USAGE;
  if (rest == NULL)
    {
      tally_command_complain (
          "name a pipeline's file, or a folder of them; see 'tallyman check --help'");
      return TALLY_EXIT_USAGE;
    }

  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  for (char **argument = rest; *argument != NULL; argument++)
    check_argument (&self, *argument, registry);
  show (&self);
  return self.n_errors > 0 ? TALLY_EXIT_USAGE : TALLY_EXIT_COMPLETE;
}

const TallyCommand tally_command_check = {
  .name = "check",
  .arguments = "PIPELINE…",
  .summary = "look for mistakes, without touching a network",
  .main = check_main,
};
