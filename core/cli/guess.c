/* guess.c: tallyman guess FILE: a draft pipeline from a file */
#include "command.h"
#include "engine/engine.h"
#include "guess.h"
#include <stdio.h>
#include <string.h>

static const char *const sinks[] = {
  [GUESS_SINK_ZENDESK] = "zendesk-tickets",
  [GUESS_SINK_CSV] = "csv",
  [GUESS_SINK_JSON] = "json",
  [GUESS_SINK_POSTGRESQL] = "postgresql",
};

static int
find_sink (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (sinks); i++)
    if (name == NULL || g_str_equal (name, sinks[i]))
      return (int) i;

  return -1;
}

static int
write_draft (const char *draft, const char *output)
{
  g_autoptr (GError) error = NULL;

  if (output == NULL)
    {
      fputs (draft, stdout);
      return TALLY_EXIT_COMPLETE;
    }
  if (g_file_set_contents (output, draft, -1, &error))
    return TALLY_EXIT_COMPLETE;

  tally_command_complain ("%s", error->message);
  return TALLY_EXIT_FAILED;
}

static int
guess_main (int argc, char **argv)
{
  g_autofree char *sink_name = NULL, *output = NULL;
  g_auto (GStrv) rest = NULL;
  g_autoptr (GError) error = NULL;
  gint64 most = G_MAXINT64;
  const GOptionEntry entries[] = {
    { "sink", 0, 0, G_OPTION_ARG_STRING, &sink_name, "Draft for this sink: zendesk-tickets (default), csv, json, postgresql", "SINK" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "Write the draft to a file", "FILE" },
    { "records", 0, 0, G_OPTION_ARG_INT64, &most, "Look at so many records only, instead of all", "N" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };

  if (!tally_command_parse (&tally_command_guess, entries, &argc, &argv))
    return TALLY_EXIT_USAGE;
  if (rest == NULL || rest[1] != NULL || g_str_equal (rest[0], "-"))
    {
      tally_command_complain ("name one file; see 'tallyman guess --help'");
      return TALLY_EXIT_USAGE;
    }
  if (most < 1)
    {
      tally_command_complain ("--records takes a number of 1 or more");
      return TALLY_EXIT_USAGE;
    }
  if (find_sink (sink_name) < 0)
    {
      tally_command_complain ("there is no draft for the sink \"%s\", only for zendesk-tickets, csv, json and postgresql", sink_name);
      return TALLY_EXIT_USAGE;
    }

  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  g_autoptr (GuessFile) file = guess_file_new (registry, rest[0], (guint64) most, &error);
  if (file == NULL)
    {
      tally_command_complain ("%s", error->message);
      return g_error_matches (error, TALLY_ERROR, TALLY_ERROR_USAGE) ? TALLY_EXIT_USAGE : TALLY_EXIT_FAILED;
    }

  g_autofree char *draft = guess_draft (file, (GuessSink) find_sink (sink_name));
  return write_draft (draft, output);
}

const TallyCommand tally_command_guess = {
  .name = "guess",
  .arguments = "FILE",
  .summary = "draft a pipeline from a CSV or JSON file, or a mailbox",
  .main = guess_main,
};
