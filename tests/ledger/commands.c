/* commands.c: what status, trace, doubt and rejects say of a ledger, and do to it */
#include "place.h"
#include <glib/gstdio.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

typedef struct
{
  int exit;
  char *out, *err;
} Said;

static void
said_clear (Said *said)
{
  g_free (said->out);
  g_free (said->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Said, said_clear)

/* Runs tallyman with the words, up to NULL, and a ledger, if not NULL. */
static Said
say_of (const char *ledger, ...)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  Said said = { 0 };
  va_list more;
  int status = 0;

  g_ptr_array_add (words, (gpointer)g_getenv ("TALLYMAN"));
  va_start (more, ledger);
  for (char *word = va_arg (more, char *); word != NULL; word = va_arg (more, char *))
    g_ptr_array_add (words, word);
  va_end (more);
  if (ledger != NULL)
    {
      g_ptr_array_add (words, (gpointer) "--ledger");
      g_ptr_array_add (words, (gpointer)ledger);
    }
  g_ptr_array_add (words, NULL);
  g_spawn_sync (NULL, (char **)words->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, &said.out,
                &said.err, &status, &error);
  assert_no_error (error);
  said.exit = WIFEXITED (status) ? WEXITSTATUS (status) : -1;
  return said;
}

#define say(work, ...) say_of ((work)->uri, __VA_ARGS__)

/* Number of lines, each of which must be a JSON object. */
static guint
count_objects (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint n = 0;

  for (; lines[n] != NULL && *lines[n] != '\0'; n++)
    {
      json_object *object = json_tokener_parse (lines[n]);
      assert_row_int (lines[n], json_object_is_type (object, json_type_object), TRUE);
      json_object_put (object);
    }
  return n;
}

/* Ended: one delivered, one in doubt, one rejected by the target, two rejected on the way. */
static Work *
ended_work (void)
{
  Work *work = work_new ();
  const TallyReject rejects[] = {
    { (char *)"tickets.csv:7", (char *)"cast", (char *)"\"x\" is no number",
      (char *)"{\"a\": \"x\"}" },
    { (char *)"tickets.csv:9", (char *)"source", (char *)"bell \a", (char *)"\"raw\"" },
  };
  const TallyLedgerOutcome outcomes[] = {
    { .key = "done",
      .generation = 1,
      .state = TALLY_DELIVERY_DELIVERED,
      .attempts = 2,
      .status = 201,
      .target_id = "4711",
      .event = "retried",
      .detail = "took its time" },
    { .key = "bad",
      .generation = 1,
      .state = TALLY_DELIVERY_REJECTED,
      .attempts = 1,
      .status = 422,
      .detail = "subject is \x1b[31mmissing",
      .keep_request = TRUE },
  };
  TallyLedgerChange change;
  g_autoptr (GError) error = NULL;

  work_intend (work, "done", 1);
  work_intend (work, "bad", 1);
  work_intend (work, "open", 1);
  change = work_change (work);
  change.outcomes = outcomes;
  change.n_outcomes = 2;
  change.rejects = rejects;
  change.n_rejects = 2;
  change.position = "end";
  assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));
  assert_true (tally_ledger_end_run (work->ledger, work->run, "in doubt",
                                     "{\"read\": 5, \"filtered\": 0, \"in_doubt\": 1}", TRUE,
                                     &error));
  assert_true (tally_ledger_release (work->ledger, work->epoch, &error));
  assert_no_error (error);
  return work;
}

static void
test_status_lists_runs (void)
{
  g_autoptr (Work) work = ended_work ();
  g_auto (Said) plain = say (work, "status", NULL),
                json = say (work, "status", "tickets", "--json", NULL),
                unknown = say (work, "status", "tickts", NULL);

  assert_int (plain.exit, 0);
  assert_contains (plain.out, "RUN  PIPELINE  STARTED AT           TOOK");
  assert_contains (plain.out, "in doubt  read 5, in doubt 1\n");
  assert_contains (
      plain.out,
      "1 delivered, 1 unsettled, 1 rejected by the target, 0 discarded, 2 rejected on the way");
  assert_text (plain.err, "");
  assert_int (json.exit, 0);
  assert_int (count_objects (json.out), 2);
  assert_contains (json.out, "\"counts\": {\"read\": 5, \"filtered\": 0, \"in_doubt\": 1}");
  assert_contains (
      json.out,
      "{\"delivered\": 1, \"unsettled\": 1, \"rejected\": 1, \"discarded\": 0, \"rejects\": 2}");
  assert_int (unknown.exit, 2);
  assert_contains (unknown.err, "knows no run of pipeline \"tickts\"; did you mean \"tickets\"?\n");
}

static void
test_status_needs_a_ledger (void)
{
  g_autoptr (Work) work = g_new0 (Work, 1);

  work->uri = place_new ();
  g_auto (Said) said = say (work, "status", NULL);
  assert_int (said.exit, 1);
  assert_contains (said.err, "there is no ledger at");

  g_autoptr (Work) plain = g_new0 (Work, 1);
  plain->uri = g_strdup ("ledger.sqlite");
  g_auto (Said) hint = say (plain, "status", NULL);
  assert_contains (hint.err, "the ledger has no kind: for a file write sqlite: before its path");
}

static void
test_trace_tells_the_whole_life (void)
{
  g_autoptr (Work) work = ended_work ();
  g_auto (Said) done = say (work, "trace", "done", NULL),
                bad = say (work, "trace", "--bytes", "bad", NULL),
                json = say (work, "trace", "open", "--bytes", "--json", NULL),
                none = say (work, "trace", "none", NULL), nothing = say (work, "trace", NULL);

  assert_int (done.exit, 0);
  assert_contains (
      done.out,
      "ticket \"done\" of desk in acme\n  state            delivered\n  id               4711\n");
  assert_contains (done.out, "  from             tickets.csv:done\n");
  assert_contains (done.out, "its bytes are not kept any more");
  assert_contains (done.out, "generation 1  retried (201): took its time\n");
  /* What a server said cannot write to the terminal. */
  assert_contains (bad.out, "subject is \\x1b[31mmissing");
  assert_contains (bad.out, "3 bytes are kept\n\nbad\n");
  assert_int (count_objects (json.out), 1);
  assert_contains (json.out, "\"state\": \"in doubt\"");
  assert_contains (json.out, "\"request\": \"open\"");
  assert_contains (json.out, "\"events\": []}");
  assert_int (none.exit, 1);
  assert_contains (none.err, "no delivery has key \"none\"");
  assert_int (nothing.exit, 2);
}

static void
test_doubt_is_listed_and_resolved (void)
{
  g_autoptr (Work) work = ended_work ();
  g_auto (Said) list = say (work, "doubt", "list", NULL),
                json = say (work, "doubt", "list", "tickets", "--json", NULL),
                other = say (work, "doubt", "list", "other", NULL),
                vague = say (work, "doubt", "resolve", "open", NULL),
                both = say (work, "doubt", "resolve", "open", "--absent", "--delivered", "5", NULL),
                wrong = say (work, "doubt", "resolve", "done", "--absent", NULL),
                resolved = say (work, "doubt", "resolve", "open", "--delivered", "5", NULL),
                again = say (work, "doubt", "resolve", "open", "--delivered", "5", NULL);

  assert_contains (list.out, "KEY   ENTITY  ORIGIN  TARGET  PIPELINE  STATE     GENERATION");
  assert_contains (list.out, "open  ticket  desk    acme    tickets   in doubt  1");
  assert_int (count_objects (json.out), 1);
  assert_text (other.out, "");
  assert_int (other.exit, 2);
  assert_contains (other.err, "knows no run of pipeline \"other\"; it knows \"tickets\"\n");
  assert_int (vague.exit, 2);
  assert_int (both.exit, 2);
  assert_int (wrong.exit, 2);
  assert_contains (wrong.err, "no delivery with key \"done\" is unsettled");
  assert_int (resolved.exit, 0);
  assert_text (resolved.out, "\"open\" is delivered as 5\n");
  assert_text (work_state (work, "open"), "delivered");
  assert_int (again.exit, 2);
}

static void
test_absent_one_is_met_again (void)
{
  g_autoptr (Work) work = ended_work ();
  g_auto (Said) said = say (work, "doubt", "resolve", "open", "--absent", NULL);

  assert_int (said.exit, 0);
  assert_contains (said.out, "the next run of \"tickets\" reads its source from the start");
  assert_text (work_state (work, "open"), "released");
  work_begin (work, /* resume= */ TRUE);
  assert_text (work->position, NULL);
}

static void
test_doubt_waits_for_the_run_to_end (void)
{
  g_autoptr (Work) work = ended_work ();

  work_begin (work, TRUE);
  g_auto (Said) said = say (work, "doubt", "resolve", "open", "--delivered", "5", NULL);
  assert_int (said.exit, 5);
  assert_contains (said.err, "a run is at work");
  assert_text (work_state (work, "open"), "in doubt");
}

static void
test_rejects_are_listed (void)
{
  g_autoptr (Work) work = ended_work ();
  g_auto (Said) list = say (work, "rejects", "list", NULL),
                json = say (work, "rejects", "list", "--json", NULL);

  assert_contains (list.out, "NUMBER  KEY  PIPELINE  STAGE   ROW ORIGIN");
  assert_contains (list.out, "-       bad  tickets   target  tickets.csv:bad");
  assert_contains (list.out, "422: subject is \\x1b[31mmissing");
  assert_contains (list.out, "\"x\" is no number\n");
  assert_contains (list.out, "bell \\x07\n");
  assert_int (count_objects (json.out), 3);
}

static void
test_rejects_are_tried_again (void)
{
  g_autoptr (Work) work = ended_work ();
  g_auto (Said) which = say (work, "rejects", "retry", NULL),
                wrong = say (work, "rejects", "retry", "done", NULL),
                retried = say (work, "rejects", "retry", "bad", NULL),
                list = say (work, "rejects", "list", NULL);

  assert_int (which.exit, 2);
  assert_contains (which.err, "say which");
  assert_int (wrong.exit, 2);
  assert_contains (wrong.err, "no delivery with key \"done\" is rejected");
  assert_int (retried.exit, 0);
  assert_text (
      retried.out,
      "the next run of \"tickets\" reads its source from the start\n1 record is released\n");
  assert_text (work_state (work, "bad"), "released");
  assert_text (list.out, "");
  work_begin (work, TRUE);
  assert_text (work->position, NULL);
}

static void
test_rejects_are_discarded (void)
{
  g_autoptr (Work) work = ended_work ();
  g_autofree char *number = place_ask (work->ledger, "SELECT min (id) FROM rejects");
  g_auto (Said) unknown = say (work, "rejects", "discard", "--number", "777", NULL),
                one = say (work, "rejects", "discard", "--number", number, NULL),
                other = say (work, "rejects", "discard", "--all", "--pipeline", "other", NULL),
                rest = say (work, "rejects", "discard", "--all", NULL),
                list = say (work, "rejects", "list", NULL);

  assert_int (unknown.exit, 2);
  assert_text (one.out, "1 record is discarded\n");
  assert_text (other.out, "");
  assert_int (other.exit, 2);
  assert_text (rest.out, "2 records are discarded\n");
  assert_text (list.out, "");
  assert_text (work_state (work, "bad"), "discarded");
  work_begin (work, TRUE);
  assert_text (work->position, "end");
}

/* ---- A pipeline by its file ---- */

typedef struct
{
  char *folder, *file, *strange;
} Files;

static void
files_clear (Files *files)
{
  g_unlink (files->file);
  g_unlink (files->strange);
  g_rmdir (files->folder);
  g_free (files->folder);
  g_free (files->file);
  g_free (files->strange);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Files, files_clear)

/* A folder with tickets.yaml, of the work's ledger, and a pipeline that has not run yet. */
static void
files_write (Files *files, const Work *work, const char *ledger)
{
  g_autofree char *text
      = g_strdup_printf ("pipeline: tickets\nledger: %s\nsource:\n  csv:\n    path: ${NOBODY_SET_THIS}\n", work->uri);
  g_autofree char *other = g_strdup_printf ("pipeline: new\nledger: %s\n", ledger);

  files->folder = g_dir_make_tmp ("tallyman-XXXXXX", NULL);
  files->file = g_build_filename (files->folder, "desk.yaml", NULL);
  files->strange = g_build_filename (files->folder, "new.yaml", NULL);
  assert_true (g_file_set_contents (files->file, text, -1, NULL));
  assert_true (g_file_set_contents (files->strange, other, -1, NULL));
}

static void
test_a_pipeline_is_named_by_its_file (void)
{
  g_autoptr (Work) work = ended_work ();
  g_auto (Files) files = { 0 };

  files_write (&files, work, work->uri);
  g_auto (Said) status = say_of (NULL, "status", files.file, NULL),
                folder = say_of (NULL, "doubt", "list", files.folder, NULL),
                rejects = say_of (NULL, "rejects", "list", files.file, NULL),
                option = say_of (NULL, "rejects", "list", "--pipeline", files.file, NULL),
                unseen = say_of (NULL, "status", files.strange, NULL),
                elsewhere = say_of ("sqlite:/nowhere/ledger.sqlite", "status", files.file, NULL),
                resolved = say_of (NULL, "doubt", "resolve", "open", "--delivered", "5", "--pipeline", files.file, NULL);

  assert_int (status.exit, 0);
  assert_contains (status.out, "1 delivered, 1 unsettled, 1 rejected by the target");
  assert_text (status.err, "");
  assert_contains (folder.out, "open  ticket  desk    acme    tickets   in doubt  1");
  assert_contains (rejects.out, "422: subject is");
  assert_text (option.out, rejects.out);
  assert_int (unseen.exit, 2);
  assert_contains (unseen.err, "knows no run of pipeline \"new\"; it knows \"tickets\"\n");
  assert_int (elsewhere.exit, 1);
  assert_contains (elsewhere.err, "/nowhere/ledger.sqlite");
  assert_text (resolved.out, "\"open\" is delivered as 5\n");
}

static void
test_files_of_two_ledgers_are_told_apart (void)
{
  g_autoptr (Work) work = ended_work ();
  g_auto (Files) files = { 0 };

  files_write (&files, work, "sqlite:/nowhere/ledger.sqlite");
  g_auto (Said) said = say_of (NULL, "status", files.folder, NULL), one = say (work, "status", files.folder, NULL);
  assert_int (said.exit, 2);
  assert_contains (said.err, "has another ledger than the files before it; name one file, or a ledger by --ledger");
  assert_int (one.exit, 0);

  assert_true (g_file_set_contents (files.strange, "pipeline: new\nledger: ${NOBODY_SET_THIS}\n", -1, NULL));
  g_auto (Said) unset = say_of (NULL, "status", files.strange, NULL);
  assert_int (unset.exit, 2);
  assert_contains (unset.err, "environment variable \"NOBODY_SET_THIS\" is not set");
}

static const Promise promises[] = {
  { "status lists runs", test_status_lists_runs },
  { "status needs a ledger", test_status_needs_a_ledger },
  { "trace tells the whole life", test_trace_tells_the_whole_life },
  { "doubt is listed and resolved", test_doubt_is_listed_and_resolved },
  { "an absent one is met again", test_absent_one_is_met_again },
  { "doubt waits for the run to end", test_doubt_waits_for_the_run_to_end },
  { "rejects are listed", test_rejects_are_listed },
  { "a pipeline is named by its file", test_a_pipeline_is_named_by_its_file },
  { "files of two ledgers are told apart", test_files_of_two_ledgers_are_told_apart },
  { "H1: rejects are tried again", test_rejects_are_tried_again },
  { "rejects are discarded", test_rejects_are_discarded },
  { NULL },
};

int
main (int argc, char **argv)
{
  return place_main ("ledger commands", promises, argc, argv);
}
