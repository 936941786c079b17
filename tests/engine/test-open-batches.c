/* test-open-batches.c: a sink that says only afterwards which rows it does not take */
#include "promise.h"
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define N_ROWS 60
#define BAD_ROW 40

static char *folder;

static char *
path_of (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

/* One row a batch, of which one is bad.  limit: of rejects.  Returns the exit code, a colon and the summary as JSON. */
static char *
run (const char *limit, char **ret_complaints)
{
  g_autofree char *file = path_of ("p.yaml"), *ledger = path_of ("ledger.db"), *lines = path_of ("lines.txt"), *output = NULL;
  g_autofree char *text = g_strdup_printf ("pipeline: p\nsource: { lines: { path: lines.txt, batch-rows: 1 } }\nsink: shout-later\n"
                                           "errors: { limit: %s, rejects: r.ndjson }\nledger: sqlite:%s\n",
                                           limit, ledger);
  const char *argv[] = { g_getenv ("TALLYMAN"), "run", "--json", file, NULL };
  g_autoptr (GString) rows = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  gint status = -1;

  for (guint i = 1; i <= N_ROWS; i++)
    g_string_append (rows, i == BAD_ROW ? "bad\n" : "good\n");
  g_file_set_contents (lines, rows->str, -1, &error);
  assert_no_error (error);
  g_file_set_contents (file, text, -1, &error);
  assert_no_error (error);
  g_spawn_sync (NULL, (char **)argv, NULL, 0, NULL, NULL, &output, ret_complaints, &status, &error);
  assert_no_error (error);
  return g_strdup_printf ("%d:%s", WEXITSTATUS (status), output);
}

static void
test_several_are_open_and_all_rows_are_counted (void)
{
  g_autofree char *complaints = NULL, *summary = run ("1", &complaints), *path = path_of ("r.ndjson"), *rejects = NULL;

  assert_contains (summary, "3:{");
  assert_contains (summary, "\"read\":60,");
  assert_contains (summary, "\"delivered\":59,");
  assert_contains (summary, "\"rejected\":1,");
  assert_contains (complaints, "several batches were open");
  g_file_get_contents (path, &rejects, NULL, NULL);
  assert_contains (rejects, "\"reason\":\"not this one\"");
}

static void
test_what_is_refused_late_counts_for_the_limit (void)
{
  g_autofree char *complaints = NULL, *summary = run ("0", &complaints);

  assert_contains (summary, "1:{");
  assert_contains (summary, "\"delivered\":0,");
  assert_contains (complaints, "more than 0 records were rejected");
}

static const Promise promises[] = {
  { "several are open, and all rows are counted", test_several_are_open_and_all_rows_are_counted },
  { "what is refused late counts for the limit", test_what_is_refused_late_counts_for_the_limit },
  { NULL },
};

int
main (int argc, char **argv)
{
  g_autofree char *command = NULL;
  int result;

  folder = g_dir_make_tmp ("open-XXXXXX", NULL);
  g_setenv ("XDG_STATE_HOME", folder, TRUE);
  result = keep_promises ("open batches", promises, argc, argv);
  command = g_strdup_printf ("rm -rf '%s'", folder);
  result |= system (command);
  g_free (folder);
  return result;
}
