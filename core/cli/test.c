/* test.c: tallyman test PIPELINE…: the tests that stand in the pipelines themselves */
#include "engine/examples.h"
#include "listing.h"
#include "record/batch-private.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  gboolean json;
  guint n_tests, n_failed;
} TestCommand;

/* ---- As text ---- */

static void
print_part (const char *label, const char *json)
{
  g_autofree char *clean = tally_listing_clean (json, strlen (json), FALSE);

  printf ("      %-9s %s\n", label, clean);
}

static void
print_difference (const TallyDifference *difference)
{
  g_autofree char *column
      = difference->column != NULL
            ? tally_listing_clean (difference->column, strlen (difference->column), FALSE)
            : NULL;

  if (column != NULL)
    printf ("    row %u, column \"%s\"\n", difference->row, column);
  else
    printf ("    row %u %s\n", difference->row,
            difference->found == NULL ? "is missing" : "is one too many");
  if (difference->expected != NULL)
    print_part ("expected", difference->expected);
  if (difference->found != NULL)
    print_part ("found", difference->found);
  if (difference->note != NULL)
    print_part ("because", difference->note);
}

static void
print_result (const TallyPipeline *pipeline, const TallyPipelineTest *test,
              const TallyExampleResult *result)
{
  guint n_rejects = 0;
  const TallyReject *rejects
      = result->batch != NULL ? tally_batch_rejects (result->batch, &n_rejects) : NULL;
  g_autofree char *name = tally_listing_clean (test->name, strlen (test->name), FALSE);

  printf ("%s  %s:%u: %s\n", tally_example_passed (result) ? "ok    " : "FAILED", pipeline->file,
          test->line, name);
  if (result->problem != NULL)
    print_part ("problem", result->problem);
  for (guint i = 0; i < result->differences->len; i++)
    print_difference (&g_array_index (result->differences, TallyDifference, i));
  for (guint i = 0; i < n_rejects; i++)
    {
      g_autofree char *reason
          = tally_listing_clean (rejects[i].reason, strlen (rejects[i].reason), FALSE);

      printf ("    %s was rejected by \"%s\": %s\n", rejects[i].origin, rejects[i].stage, reason);
    }
}

/* ---- As JSON ---- */

static char *
differences_as_json (const TallyExampleResult *result)
{
  GString *array = g_string_new ("[");

  for (guint i = 0; i < result->differences->len; i++)
    {
      const TallyDifference *difference = &g_array_index (result->differences, TallyDifference, i);
      g_autoptr (GString) object = tally_listing_object ();

      tally_listing_add_number (object, "row", difference->row);
      tally_listing_add_text (object, "column", difference->column);
      tally_listing_add_json (object, "expected", difference->expected);
      tally_listing_add_json (object, "found", difference->found);
      tally_listing_add_text (object, "note", difference->note);
      g_string_append_printf (array, "%s%s}", i > 0 ? ", " : "", object->str);
    }
  g_string_append_c (array, ']');
  return g_string_free (array, FALSE);
}

static void
print_json (const TallyPipeline *pipeline, const TallyPipelineTest *test,
            const TallyExampleResult *result)
{
  g_autoptr (GString) object = tally_listing_object ();
  g_autofree char *differences = differences_as_json (result);
  g_autofree char *rejects = tally_listing_rejects (result->batch, 0);

  tally_listing_add_text (object, "file", pipeline->file);
  tally_listing_add_number (object, "line", test->line);
  tally_listing_add_text (object, "name", test->name);
  tally_listing_add_json (object, "passed", tally_example_passed (result) ? "true" : "false");
  tally_listing_add_text (object, "problem", result->problem);
  tally_listing_add_json (object, "differences", differences);
  tally_listing_add_json (object, "rejects", rejects);
  printf ("%s}\n", object->str);
}

/* ---- The pipelines ---- */

static TallyExit
test_file (TestCommand *self, const char *file, TallyRegistry *registry)
{
  g_autoptr (TallyPipeline) pipeline = tally_pipeline_load (file, registry);
  g_autoptr (GString) mistakes = g_string_new (NULL);
  gboolean good = tally_pipeline_n_errors (pipeline) == 0 && tally_examples_bind (pipeline);

  tally_pipeline_format_diagnostics (pipeline, tally_command_has_colour (STDERR_FILENO), mistakes);
  fputs (mistakes->str, stderr);
  if (!good)
    return TALLY_EXIT_USAGE;

  for (guint i = 0; i < pipeline->tests->len; i++)
    {
      const TallyPipelineTest *test = g_ptr_array_index (pipeline->tests, i);
      g_auto (TallyExampleResult) result = { 0 };

      tally_example_run (pipeline, test, &result);
      (self->json ? print_json : print_result) (pipeline, test, &result);
      self->n_tests++;
      self->n_failed += !tally_example_passed (&result);
    }
  return self->n_failed > 0 ? TALLY_EXIT_FAILED : TALLY_EXIT_COMPLETE;
}

static TallyExit
test_argument (TestCommand *self, const char *argument, TallyRegistry *registry)
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
      TallyExit how = test_file (self, *file, registry);

      worst = MAX (worst, how);
    }
  return worst;
}

static int
test_main (int argc, char **argv)
{
  g_auto (GStrv) rest = NULL;
  TestCommand self = { 0 };
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &self.json, "Print each test as one JSON object", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };
  TallyExit worst = TALLY_EXIT_COMPLETE;

  if (!tally_command_parse (&tally_command_test, entries, &argc, &argv))
    return TALLY_EXIT_USAGE;
  if (rest == NULL)
    {
      tally_command_complain (
          "name a pipeline's file, or a folder of them; see 'tallyman test --help'");
      return TALLY_EXIT_USAGE;
    }

  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  for (char **argument = rest; *argument != NULL; argument++)
    {
      TallyExit how = test_argument (&self, *argument, registry);

      worst = MAX (worst, how);
    }
  if (!self.json)
    printf ("%u test%s, %u failed\n", self.n_tests, self.n_tests == 1 ? "" : "s", self.n_failed);
  return worst;
}

const TallyCommand tally_command_test = {
  .name = "test",
  .arguments = "PIPELINE…",
  .summary = "run the tests that stand in pipelines: rows in, rows out",
  .main = test_main,
};
