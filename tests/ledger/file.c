/* file.c: what the ledger in an SQLite file promises besides the contract */
#include "place.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static guint
mode_of (const char *path)
{
  GStatBuf status;

  return g_stat (path, &status) == 0 ? status.st_mode & 0777 : 0;
}

static const char *
path_of (const char *uri)
{
  return uri + strlen ("sqlite:");
}

static void
test_is_nobody_elses_business (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TallyLedger) ledger = tally_ledger_open (NULL, 0, &error);
  g_autofree char *folder = g_build_filename (g_getenv ("XDG_STATE_HOME"), "tallyman", NULL);
  g_autofree char *file = g_build_filename (folder, "ledger.sqlite", NULL);
  g_autofree char *log = g_strconcat (file, "-wal", NULL);

  assert_no_error (error);
  assert_int (mode_of (folder), 0700);
  assert_int (mode_of (file), 0600);
  assert_int (mode_of (log), 0600);
  assert_contains (tally_ledger_description (ledger), "ledger.sqlite");
}

static void
test_syncs_each_commit (void)
{
  g_autofree char *uri = place_new ();
  g_autoptr (TallyLedger) ledger = place_open (uri);
  g_autofree char *synchronous = place_ask (ledger, "SELECT synchronous FROM pragma_synchronous");
  g_autofree char *mode = place_ask (ledger, "SELECT journal_mode FROM pragma_journal_mode");
  g_autofree char *keys = place_ask (ledger, "SELECT foreign_keys FROM pragma_foreign_keys");

  assert_text (synchronous, "2"); /* FULL */
  assert_text (mode, "wal");
  assert_text (keys, "1");
}

/* Where SQLite locks a file for reading, which each connection does as long as it is open: see os_unix.c there. */
#define SHARED_FIRST 0x40000002
#define SHARED_SIZE 510

/* Whether another process meets a lock on the ledger's file. */
static gboolean
is_locked (const char *file)
{
  pid_t child = fork ();
  int status = -1;

  if (child == 0)
    {
      struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = SHARED_FIRST, .l_len = SHARED_SIZE };
      int fd = open (file, O_RDWR | O_CLOEXEC);

      _exit (fd >= 0 && fcntl (fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 0 : 1);
    }
  return waitpid (child, &status, 0) == child && status == 0;
}

/* A run has several.  If one of them took the others' locks away, the next process that closes the ledger would remove the log. */
static void
test_connections_keep_each_others_locks (void)
{
  g_autofree char *uri = place_new ();
  g_autoptr (TallyLedger) first G_GNUC_UNUSED = place_open (uri);
  g_autoptr (TallyLedger) second = NULL;

  assert_true (is_locked (path_of (uri)));
  second = place_open (uri);
  assert_true (is_locked (path_of (uri)));
}

static void
test_leaves_other_files_alone (void)
{
  static const struct
  {
    const char *what, *contents, *complaint;
  } rows[] = {
    { "a text",
      "id,subject\n1,a subject that makes the file long enough to be looked at as a database "
      "file\n",
      "not a database" },
    { "another program's database", NULL, "is a database, but not a ledger" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *uri = place_new ();
      g_autoptr (GError) error = NULL;

      if (rows[i].contents != NULL)
        g_file_set_contents (path_of (uri), rows[i].contents, -1, &error);
      else
        {
          g_autoptr (TallyLedger) ledger = place_open (uri);
          error = place_by_hand (ledger, "PRAGMA application_id = 77");
        }
      assert_no_error (error);
      assert_true (tally_ledger_open (uri, 0, &error) == NULL);
      assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, rows[i].complaint);
    }
}

static void
test_full_disk_stops_the_sending (void)
{
  g_autoptr (Work) work = work_new ();
  g_autoptr (TallyLedgerDelivery) intent = make_intent ("big", 1);
  g_autofree char *text = g_strnfill (4 * 1024 * 1024, 'x');
  TallyLedgerChange change = work_change (work);
  g_autoptr (GError) error = NULL;
  struct rlimit usual, narrow;
  gboolean taken, held;

  g_bytes_unref (intent->request);
  intent->request = g_bytes_new (text, 4 * 1024 * 1024);
  change.intents = &intent;
  change.n_intents = 1;
  change.taken = &taken;
  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &usual);
  narrow = (struct rlimit){ .rlim_cur = 1024 * 1024, .rlim_max = usual.rlim_max };
  setrlimit (RLIMIT_FSIZE, &narrow);
  held = tally_ledger_commit (work->ledger, &change, NULL, &error);
  setrlimit (RLIMIT_FSIZE, &usual);

  assert_int (held, FALSE);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, "could not write the ledger");
  assert_text (work_state (work, "big"), "none");
  assert_true (work_intend (work, "small", 1));
}

static void
test_says_that_it_is_locked (void)
{
  g_autoptr (Work) work = work_new ();
  g_autoptr (TallyLedger) other = place_open (work->uri);
  TallyDatabase *holder = tally_ledger_database (other);
  g_autoptr (GError) error = NULL;

  tally_ledger_set_patience (work->ledger, 1, 0);
  assert_true (holder->class->begin (holder, TRUE, &error));
  assert_true (!tally_ledger_renew (work->ledger, work->epoch, SECOND, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, "another program keeps it locked");
  holder->class->rollback (holder);
  assert_true (tally_ledger_renew (work->ledger, work->epoch, SECOND, &error));
}

static void
test_says_that_it_may_not_write (void)
{
  g_autofree char *uri = place_new ();
  g_autoptr (TallyLedger) ledger = place_open (uri);
  g_autoptr (GError) error = NULL;
  gboolean is_root = geteuid () == 0;

  g_clear_pointer (&ledger, tally_ledger_close);
  g_chmod (path_of (uri), 0444);
  g_chmod (g_getenv ("XDG_STATE_HOME"), 0755);
  if (is_root && seteuid (65534) != 0)
    g_error ("seteuid: %s", g_strerror (errno));
  ledger = tally_ledger_open (uri, 0, &error);
  if (is_root && seteuid (0) != 0)
    g_error ("seteuid: %s", g_strerror (errno));
  assert_true (ledger == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, "could not open the ledger");
}

static void
test_mark_sees_a_file_copied_back (void)
{
  g_autoptr (Work) work = work_new ();
  g_autofree char *uri = g_strdup (work->uri);
  g_autofree char *contents = NULL;
  g_autoptr (GError) error = NULL;
  gsize length = 0;

  assert_true (work_intend (work, "1", 1));
  assert_true (tally_ledger_release (work->ledger, work->epoch, &error));
  g_clear_pointer (&work, work_free);
  g_file_get_contents (path_of (uri), &contents, &length, &error);
  assert_no_error (error);

  work = work_resume (uri);
  assert_true (work_intend (work, "2", 1));
  assert_true (tally_ledger_save_mark (work->ledger, &error));
  g_clear_pointer (&work, work_free);
  g_file_set_contents (path_of (uri), contents, length, &error);
  assert_no_error (error);

  g_autoptr (TallyLedger) restored = place_open (uri);
  assert_true (!tally_ledger_check_mark (restored, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, "went backwards");
}

static void
test_mark_sees_that_another_ledger_was_here (void)
{
  g_autofree char *uri = place_new ();
  g_autoptr (TallyLedger) ledger = place_open (uri);
  g_autoptr (GError) error = NULL;

  assert_true (tally_ledger_save_mark (ledger, &error));
  g_clear_pointer (&ledger, tally_ledger_close);
  g_remove (path_of (uri));
  ledger = place_open (uri);
  assert_true (!tally_ledger_check_mark (ledger, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, "is new, and another one was at its place");
}

/* As a run that is killed in the middle of its first mark leaves it. */
static void
test_mark_half_written_is_none (void)
{
  g_autofree char *uri = place_new ();
  g_autoptr (TallyLedger) ledger = place_open (uri);
  g_autofree char *mark = g_build_filename (g_getenv ("XDG_STATE_HOME"), "tallyman", "marks",
                                            tally_ledger_id (ledger), NULL);
  g_autofree char *half = g_strconcat (mark, ".A1B2C3", NULL);
  g_autoptr (GError) error = NULL;

  assert_true (tally_ledger_save_mark (ledger, &error));
  assert_int (g_rename (mark, half), 0);
  assert_true (tally_ledger_check_mark (ledger, &error));
  assert_no_error (error);
}

static void
test_mark_that_cannot_be_written_stops_the_sending (void)
{
  g_autoptr (Work) work = work_new ();
  g_autofree char *folder
      = g_build_filename (g_getenv ("XDG_STATE_HOME"), "tallyman", "marks", NULL);
  g_autofree char *aside = g_strconcat (folder, ".aside", NULL);
  g_autoptr (GError) error = NULL;

  assert_true (tally_ledger_save_mark (work->ledger, &error));
  assert_int (g_rename (folder, aside), 0);
  assert_true (g_file_set_contents (folder, "in the way", -1, &error));
  assert_true (!tally_ledger_save_mark (work->ledger, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, "could not");
  g_remove (folder);
  g_rename (aside, folder);
}

static void
test_its_clock_cannot_be_set (void)
{
  enum
  {
    HOUR = 3600
  };
  static const struct
  {
    const char *what;
    const char *sql;
    gint64 least, most; /* seconds that the ledger's time is ahead of the machine's then */
  } rows[] = {
    { "the machine's clock was put back since the start",
      "UPDATE meta SET clock_time = clock_time + 3 * 3600000000", 3 * HOUR - 60, 3 * HOUR + 60 },
    { "the machine's clock was put forward since the start",
      "UPDATE meta SET clock_time = clock_time - 3 * 3600000000", -3 * HOUR - 60, -3 * HOUR + 60 },
    { "it started again with a clock that is slow",
      "UPDATE meta SET clock_boot = 'before', clock_time = clock_time + 3 * 3600000000",
      3 * HOUR - 60, 3 * HOUR + 60 },
    { "it started again, later",
      "UPDATE meta SET clock_boot = 'before', clock_time = clock_time - 3 * 3600000000", -60, 60 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *uri = place_new ();
      g_autoptr (TallyLedger) ledger = place_open (uri);
      g_autoptr (GError) error = place_by_hand (ledger, rows[i].sql);
      gint64 now = 0, ahead;

      assert_no_error (error);
      g_clear_pointer (&ledger, tally_ledger_close);
      ledger = place_open (uri);
      tally_ledger_now (ledger, &now, &error);
      assert_no_error (error);
      ahead = (now - g_get_real_time ()) / SECOND;
      assert_row_int (rows[i].what, ahead >= rows[i].least && ahead <= rows[i].most, TRUE);
    }
}

static const Promise promises[] = {
  { "is nobody else's business", test_is_nobody_elses_business },
  { "R1: syncs each commit", test_syncs_each_commit },
  { "R13: connections keep each other's locks", test_connections_keep_each_others_locks },
  { "leaves other files alone", test_leaves_other_files_alone },
  { "A13, R13: a full disk stops the sending", test_full_disk_stops_the_sending },
  { "says that it is locked", test_says_that_it_is_locked },
  { "A13: says that it may not write", test_says_that_it_may_not_write },
  { "E1: the mark sees a file copied back", test_mark_sees_a_file_copied_back },
  { "E4: the mark sees that another ledger was here",
    test_mark_sees_that_another_ledger_was_here },
  { "a mark half written is none", test_mark_half_written_is_none },
  { "A13: a mark that cannot be written stops the sending",
    test_mark_that_cannot_be_written_stops_the_sending },
  { "C3: its clock cannot be set", test_its_clock_cannot_be_set },
  { NULL },
};

int
main (int argc, char **argv)
{
  return place_main ("ledger file", promises, argc, argv);
}
