/* main.c: the tallyman command: finds the subcommand, answers --help and --version */
#include "command.h"
#include "notify.h"
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>
#include "engine/engine.h"
#include "record/nearest.h"

static const TallyCommand *const commands[] = {
  &tally_command_run,
  &tally_command_check,
  &tally_command_doctor,
  &tally_command_plan,
  &tally_command_preview,
  &tally_command_test,
  &tally_command_guess,
  &tally_command_inspect,
  &tally_command_status,
  &tally_command_trace,
  &tally_command_doubt,
  &tally_command_rejects,
  NULL,
};

/* ---- What goes to standard error ---- */

/* Whether it is the journal, of which JOURNAL_STREAM gives device and inode, see systemd.exec(5): it may have been redirected since. */
static gboolean
is_journal (void)
{
  const char *stream = g_getenv ("JOURNAL_STREAM");
  struct stat status;

  if (stream == NULL || fstat (STDERR_FILENO, &status) != 0)
    return FALSE;
  g_autofree char *ours = g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64)status.st_dev, (guint64)status.st_ino);
  return g_str_equal (stream, ours);
}

/* Each line is an entry of the journal, and has its priority, see sd-daemon(3). */
void
tally_command_log (int priority, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autofree char *prefix = is_journal () ? g_strdup_printf ("<%d>", priority) : g_strdup ("");
  g_autofree char *between = g_strdup_printf ("\n%s", prefix);
  g_autofree char *all = g_strjoinv (between, lines);

  fprintf (stderr, "%s%s\n", prefix, all);
}

static void G_GNUC_PRINTF (3, 0)
log_message (int priority, const char *kind, const char *format, va_list arguments)
{
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  g_autofree char *text = g_strdup_printf ("tallyman: %s%s", kind, message);

  tally_command_log (priority, text);
}

void
tally_command_complain (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  log_message (LOG_ERR, "", format, arguments);
  va_end (arguments);
}

void
tally_command_warn (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  log_message (LOG_WARNING, "warning: ", format, arguments);
  va_end (arguments);
}

gboolean
tally_command_has_colour (int fd)
{
  const char *no_colour = g_getenv ("NO_COLOR");

  return isatty (fd) && (no_colour == NULL || *no_colour == '\0');
}

/* ---- Signals: the first asks, the second insists ---- */

static void
on_signal (int number)
{
  struct sigaction usual = { .sa_handler = SIG_DFL };

  tally_run_interrupt ();
  tally_notify_stopping ();
  sigaction (number, &usual, NULL);
}

void
tally_command_catch_signals (void)
{
  struct sigaction action = { .sa_handler = on_signal };

  sigaction (SIGINT, &action, NULL);
  sigaction (SIGTERM, &action, NULL);
  signal (SIGPIPE, SIG_IGN);
}

gboolean
tally_command_parse (const TallyCommand *command, const GOptionEntry *entries, int *argc, char ***argv)
{
  g_autofree char *parameters = g_strdup_printf ("%s", command->arguments);
  g_autoptr (GOptionContext) context = g_option_context_new (parameters);
  g_autofree char *program = g_strdup_printf ("tallyman %s", command->name);
  g_autoptr (GError) error = NULL;

  g_set_prgname (program);
  g_option_context_set_summary (context, command->summary);
  g_option_context_add_main_entries (context, entries, NULL);
  if (g_option_context_parse (context, argc, argv, &error))
    return TRUE;

  tally_command_complain ("%s; see 'tallyman %s --help'", error->message, command->name);
  return FALSE;
}

static void
print_usage (FILE *stream)
{
  fputs ("Usage: tallyman COMMAND [OPTION…] [ARGUMENT…]\n\n"
         "Moves records between systems, and counts each one, once.\n\nCommands:\n",
         stream);
  for (guint i = 0; commands[i] != NULL; i++)
    fprintf (stream, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
  fputs ("\n'tallyman COMMAND --help' tells more.  --version shows the version.\n", stream);
}

static int
complain_about (const char *word)
{
  const char *names[G_N_ELEMENTS (commands)];
  const char *nearest;
  guint n = 0;

  for (; commands[n] != NULL; n++)
    names[n] = commands[n]->name;
  nearest = tally_nearest (word, names, n);
  tally_command_complain ("there is no command \"%s\"%s%s%s", word,
                          nearest != NULL ? "; did you mean \"" : "; see 'tallyman --help'",
                          nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
  return TALLY_EXIT_USAGE;
}

int
main (int argc, char **argv)
{
  setlocale (LC_CTYPE, "C.UTF-8");
  if (argc < 2)
    {
      print_usage (stderr);
      return TALLY_EXIT_USAGE;
    }
  if (g_str_equal (argv[1], "help") && argc == 3)
    {
      argv[1] = argv[2];
      argv[2] = (char *)"--help";
    }
  if (g_str_equal (argv[1], "--help") || g_str_equal (argv[1], "-h") || g_str_equal (argv[1], "help"))
    {
      print_usage (stdout);
      return EXIT_SUCCESS;
    }
  if (g_str_equal (argv[1], "--version"))
    {
      puts ("tallyman " TALLY_VERSION);
      return EXIT_SUCCESS;
    }

  for (guint i = 0; commands[i] != NULL; i++)
    if (g_str_equal (argv[1], commands[i]->name))
      return commands[i]->main (argc - 1, argv + 1);

  return complain_about (argv[1]);
}
