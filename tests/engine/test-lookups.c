/* test-lookups.c: the engine around steps that read sources of their own */
#include "runs.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE (20 * 1000) /* milliseconds until what does not come is missed */

/* The pipeline whose steps and sink these are, from in.csv. */
static void
write_pipeline (const char *steps, const char *sink)
{
  g_autofree char *text = g_strdup_printf ("pipeline: p\nsource: { csv: { path: in.csv } }\ntransform:\n%s"
                                           "sink: %s\nledger: sqlite:ledger.db\nerrors: { rejects: r.ndjson }\n",
                                           steps, sink);

  runs_write ("p.yaml", text);
}

/* Runs it.  Returns the exit code, a colon, the summary as JSON, and what was complained of. */
static char *
run (const char *steps, const char *sink)
{
  const char *const arguments[] = { "run", "--json", "p.yaml", NULL };
  g_autofree char *output = NULL, *complaints = NULL;
  int code;

  write_pipeline (steps, sink);
  code = runs_command (arguments, &output, &complaints);
  return g_strdup_printf ("%d:%s%s", code, output, complaints);
}

static void
test_file_and_file (void)
{
  g_autofree char *summary = NULL, *rows = NULL;

  runs_write ("in.csv", "id,subject\n1,one\n2,two\n3,\n");
  runs_write ("thread.csv", "ticket,body,at\n2,b,2020-01-02\n1,a,2020-01-01\n2,c,2020-01-01\n");
  runs_write ("users.csv", "key,name\n1,ann\n3,cid\n");
  summary = run ("  - lookup: { from: { csv: { path: thread.csv } }, match: { ticket: id }, collect: comments, order: at DESC }\n"
                 "  - lookup: { from: { csv: { path: users.csv } }, match: { key: id } }\n",
                 "{ json: { path: out.ndjson } }");
  rows = runs_read ("out.ndjson");
  assert_contains (summary, "0:{");
  assert_contains (summary, "\"read\":3,\"taken_up\":0,\"added\":0,\"delivered\":3,");
  assert_text (rows, "{\"id\":\"1\",\"subject\":\"one\",\"comments\":[{\"at\": \"2020-01-01\", \"body\": \"a\"}],\"name\":\"ann\"}\n"
                     "{\"id\":\"2\",\"subject\":\"two\",\"comments\":[{\"at\": \"2020-01-02\", \"body\": \"b\"}, {\"at\": \"2020-01-01\", "
                     "\"body\": \"c\"}],\"name\":null}\n"
                     "{\"id\":\"3\",\"subject\":null,\"comments\":[],\"name\":\"cid\"}\n");
}

/* ---- On disk ---- */

#define N_ROWS 20000

static void
write_many (void)
{
  g_autoptr (GString) ours = g_string_new ("id\n"), theirs = g_string_new ("key,text,n\n");

  for (guint i = 0; i < N_ROWS; i++)
    {
      g_string_append_printf (ours, "%u\n", i * 7919 % (N_ROWS + 1000));
      g_string_append_printf (theirs, "%u,\"text %u, %u\",%u\n", i * 104729 % N_ROWS / 3, i, i * i, i % 100);
    }
  runs_write ("in.csv", ours->str);
  runs_write ("many.csv", theirs->str);
}

static void
test_memory_and_disk_give_the_same (void)
{
  static const char *const steps[] = {
    "  - lookup: { from: { csv: { path: many.csv } }, match: { key: id }, collect: all, order: [n DESC, text], memory: %s }\n",
    "  - lookup: { from: { csv: { path: many.csv } }, match: { key: id }, many: first, order: [n, text], memory: %s }\n",
    "  - lookup: { from: { csv: { path: many.csv } }, match: { text: \"'text ' || id || ', ' || id::int8 * id::int8\" }, memory: %s }\n",
  };

  write_many ();
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      g_autoptr (GString) small = g_string_new (steps[i]), large = g_string_new (steps[i]);
      g_autofree char *on_disk = NULL, *in_memory = NULL, *first = NULL, *second = NULL;

      g_string_replace (small, "%s", "64KiB", 0);
      g_string_replace (large, "%s", "64MiB", 0);
      first = run (small->str, "{ json: { path: small.ndjson } }");
      second = run (large->str, "{ json: { path: large.ndjson } }");
      assert_contains (first, "0:{");
      assert_contains (second, "0:{");
      on_disk = runs_read ("small.ndjson");
      in_memory = runs_read ("large.ndjson");
      assert_contains (in_memory, "\"n\"");
      assert_true (strlen (in_memory) > N_ROWS * 20);
      assert_true (g_str_equal (on_disk, in_memory));
    }
}

/* ---- Bad rows ---- */

#define CAST "  - lookup: { from: { csv: { path: bad.csv } }, transform: [{ cast: { n: bigint } }], match: { key: id }%s }\n"

static void
write_bad (void)
{
  runs_write ("in.csv", "id\n1\n2\n");
  runs_write ("bad.csv", "key,n\n1,10\n2,x\n3,1,too many\n");
}

static void
test_a_bad_row_ends_the_run_before_anything_is_written (void)
{
  g_autofree char *steps = g_strdup_printf (CAST, ""), *summary = NULL, *rows = NULL;

  write_bad ();
  runs_write ("out.ndjson", "as it was");
  summary = run (steps, "{ json: { path: out.ndjson } }");
  rows = runs_read ("out.ndjson");
  assert_contains (summary, "1:{");
  assert_contains (summary, "step \\\"lookup\\\": bad.csv:4: ");
  assert_contains (summary, "\\\"errors: reject\\\" would list such rows");
  assert_text (rows, "as it was");
}

static void
test_or_is_a_reject_of_the_run (void)
{
  g_autofree char *steps = g_strdup_printf (CAST, ", errors: reject"), *summary = NULL, *rows = NULL, *rejects = NULL;

  write_bad ();
  summary = run (steps, "{ json: { path: out.ndjson } }");
  rows = runs_read ("out.ndjson");
  rejects = runs_read ("r.ndjson");
  assert_contains (summary, "3:{");
  assert_contains (summary, "\"read\":4,\"taken_up\":0,\"added\":0,\"delivered\":2,");
  assert_contains (summary, "\"rejected\":2,");
  assert_text (rows, "{\"id\":\"1\",\"n\":10}\n{\"id\":\"2\",\"n\":null}\n");
  assert_contains (rejects, "{\"origin\":\"bad.csv:3\",\"stage\":\"lookup\",\"reason\":\"invalid input syntax for type bigint: \\\"x\\\"\","
                            "\"record\":{\"key\":\"2\",\"n\":\"x\"}}\n");
  assert_contains (rejects, "{\"origin\":\"bad.csv:4\",\"stage\":\"lookup\",");
}

/* ---- Sources that are far, slow, or not there ---- */

static void
test_the_engine_has_patience_with_each_call (void)
{
  g_autofree char *summary = NULL, *rows = NULL;

  runs_write ("in.csv", "id\n9\n");
  summary = run ("  - lookup: { from: shout-late, match: { word: id } }\n", "{ json: { path: out.ndjson } }");
  rows = runs_read ("out.ndjson");
  assert_contains (summary, "0:{");
  assert_text (rows, "{\"id\":\"9\",\"n\":9}\n");
}

static void
test_columns_of_a_far_source_are_checked_by_the_run (void)
{
  g_autofree char *summary = NULL, *nobody = NULL;

  runs_write ("in.csv", "id\n9\n");
  summary = run ("  - lookup: { from: shout-late, match: { word: id }, columns: { m: nn } }\n  - filter: m > 1\n",
                 "{ json: { path: out.ndjson } }");
  assert_contains (summary, "2:{");
  assert_contains (summary, "column \\\"nn\\\" does not exist");
  nobody = run ("  - lookup: { from: shout-far, match: { word: id }, collect: a }\n", "{ json: { path: out.ndjson } }");
  assert_contains (nobody, "1:{");
  assert_contains (nobody, "step \\\"lookup\\\": source \\\"shout-far\\\": nobody answers");
}

/* A FIFO, and its end that hears who writes to it. */
static int
hang_bell (const char *name)
{
  g_autofree char *path = runs_path (name);

  assert_int (mkfifo (path, 0600), 0);
  return open (path, O_RDWR | O_CLOEXEC);
}

static gboolean
hears (int bell)
{
  struct pollfd listener = { .fd = bell, .events = POLLIN };
  char byte;

  return poll (&listener, 1, PATIENCE) == 1 && read (bell, &byte, 1) == 1;
}

#define MUTE "{ shout-mute: { bell: bell } }"

/* Begins a command of p.yaml, and ends it once somebody waits.  Returns the exit code. */
static int
stop (const char *command, int number)
{
  const char *argv[] = { g_getenv ("TALLYMAN"), command, "p.yaml", NULL };
  g_autoptr (GError) error = NULL;
  int bell = hang_bell ("bell");
  int status = -1;
  GPid pid;

  assert_true (g_spawn_async (runs_folder (), (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, &error));
  assert_no_error (error);
  assert_true (hears (bell));
  kill (pid, number);
  waitpid (pid, &status, 0);
  close (bell);
  runs_remove ("bell");
  return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

static void
test_a_signal_ends_the_wait (void)
{
  static const char *const sinks[] = { "{ json: { path: out.ndjson } }", "shout-busy" };

  runs_write ("in.csv", "id\n9\n");
  for (guint i = 0; i < G_N_ELEMENTS (sinks); i++)
    {
      write_pipeline ("  - lookup: { from: " MUTE ", match: { word: id }, collect: all }\n", sinks[i]);
      assert_row_int (sinks[i], stop ("run", SIGTERM), 130);
    }
}

static void
test_a_signal_ends_a_plan (void)
{
  static const struct
  {
    const char *source, *steps;
    int number;
  } rows[] = {
    { "{ csv: { path: in.csv } }", "lookup: { from: " MUTE ", match: { word: id }, collect: all }", SIGTERM },
    { MUTE, "sort: word", SIGINT },
  };
  g_autofree char *before = NULL;

  runs_write ("in.csv", "id\n9\n");
  runs_write ("p.yaml", "");
  before = runs_list ();
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *text = g_strdup_printf ("pipeline: p\nsource: %s\ntransform:\n  - %s\n"
                                               "sink: { json: { path: new.ndjson } }\nledger: sqlite:new.db\n",
                                               rows[i].source, rows[i].steps);
      g_autofree char *after = NULL;

      runs_write ("p.yaml", text);
      assert_row_int (rows[i].steps, stop ("plan", rows[i].number), 130);
      after = runs_list ();
      assert_row_text (rows[i].steps, after, before);
    }
}

static const Promise promises[] = {
  { "file and file", test_file_and_file },
  { "memory and disk give the same", test_memory_and_disk_give_the_same },
  { "a bad row ends the run before anything is written", test_a_bad_row_ends_the_run_before_anything_is_written },
  { "or is a reject of the run", test_or_is_a_reject_of_the_run },
  { "the engine has patience with each call", test_the_engine_has_patience_with_each_call },
  { "columns of a far source are checked by the run", test_columns_of_a_far_source_are_checked_by_the_run },
  { "a signal ends the wait", test_a_signal_ends_the_wait },
  { "a signal ends a plan, which leaves nothing", test_a_signal_ends_a_plan },
  { NULL },
};

int
main (int argc, char **argv)
{
  return runs_main ("lookups", promises, argc, argv);
}
