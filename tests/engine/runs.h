/* runs.h: a folder in which the command runs small pipelines, one after the other with one ledger
 *
 * There is one for each test program.  It has the file lines.txt: one, two, three.
 */
#pragma once
#include "promise.h"

const char *runs_folder (void);
char *runs_path (const char *name);
void runs_write (const char *name, const char *text);
/* "" if it is not there */
char *runs_read (const char *name);
void runs_remove (const char *name);
/* The names of all files, in order. */
char *runs_list (void);

/* Runs the command in the folder: arguments up to NULL.  Returns the exit code. */
int runs_command (const char *const *arguments, char **ret_output, char **ret_complaints);
/* Runs a pipeline, two rows a batch.  Returns the exit code, a colon and the summary as JSON. */
char *runs_run (const char *source, const char *steps, const char *sink, char **ret_complaints);
#define RUNS_LINES "{ lines: { path: lines.txt, batch-rows: 2 } }"

/* keep_promises() in a new folder, which is removed. */
int runs_main (const char *suite, const Promise *promises, int argc, char **argv);
