/* command.h: a subcommand of tallyman, one file each; main.c holds their table */
#pragma once
#include <glib.h>

typedef struct
{
  const char *name;
  const char *arguments; /* "PIPELINE…", for the usage line */
  const char *summary;
  int (*main) (int argc, char **argv); /* argv[0] is the subcommand's name; returns an exit code, see TallyExit */
} TallyCommand;

/* Parses GNU options after a subcommand's name; prints --help itself and ends the program.  FALSE: the message has been
 * printed, return 2. */
gboolean tally_command_parse (const TallyCommand *command, const GOptionEntry *entries, int *argc, char ***argv);
/* Prints "tallyman: message" to standard error. */
void tally_command_complain (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* The same of what is no failure. */
void tally_command_warn (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* Prints lines to standard error; to the journal with their priority, LOG_ERR of syslog.h and the like. */
void tally_command_log (int priority, const char *text);
/* From now on SIGINT and SIGTERM ask for an orderly end, see tally_run_interrupt(), and the second one ends all. */
void tally_command_catch_signals (void);
/* Whether to colour what goes to the stream: a terminal, and NO_COLOR not set. */
gboolean tally_command_has_colour (int fd);

extern const TallyCommand tally_command_check;
extern const TallyCommand tally_command_doctor;
extern const TallyCommand tally_command_doubt;
extern const TallyCommand tally_command_guess;
extern const TallyCommand tally_command_inspect;
extern const TallyCommand tally_command_plan;
extern const TallyCommand tally_command_preview;
extern const TallyCommand tally_command_rejects;
extern const TallyCommand tally_command_run;
extern const TallyCommand tally_command_status;
extern const TallyCommand tally_command_test;
extern const TallyCommand tally_command_trace;
