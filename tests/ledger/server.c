/* server.c: what the ledger in PostgreSQL promises when the server or the way to it fails */
#include "place.h"
#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <libpq-fe.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEEDS_SERVER()                                                                             \
  if (!place_is_there ())                                                                          \
  return

static void
run_sql (const char *uri, const char *sql)
{
  g_free (cluster_query (uri, sql));
}

/* ---- Which server is good enough ---- */

static void
test_refuses_a_server_that_loses_commits (void)
{
  static const struct
  {
    const char *what, *setting, *complaint; /* complaint NULL: it is opened */
  } rows[] = {
    { "fsync", "fsync = off", "fsync is off" },
    { "torn pages", "full_page_writes = off", "full_page_writes is off" },
    { "all is well, and commits do not wait unless we say so", "synchronous_commit = off", NULL },
  };

  NEEDS_SERVER ();
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Cluster) cluster = cluster_new (rows[i].setting, NULL);
      g_autofree char *uri = cluster_dup_uri (cluster, NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (TallyLedger) ledger = tally_ledger_open (uri, 0, &error);

      assert_row_int (rows[i].what, ledger != NULL, rows[i].complaint == NULL);
      if (rows[i].complaint != NULL)
        {
          assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, rows[i].complaint);
          ledger = tally_ledger_open (uri, TALLY_LEDGER_UNSAFE, &error);
          assert_no_error (error);
          assert_row_int (rows[i].what, tally_ledger_is_durable (ledger), FALSE);
          continue;
        }
      assert_true (tally_ledger_is_durable (ledger));
      g_autofree char *setting
          = place_ask (ledger, "SELECT current_setting ('synchronous_commit')");
      assert_text (setting, "on");
    }
}

static void
test_refuses_tables_that_are_not_logged (void)
{
  NEEDS_SERVER ();
  g_autofree char *uri = place_new ();
  g_autoptr (TallyLedger) ledger = place_open (uri);
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&ledger, tally_ledger_close);
  run_sql (uri, "ALTER TABLE tallyman.events SET UNLOGGED");
  assert_true (tally_ledger_open (uri, 0, &error) == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, "logged tables");
}

static void
make_recovery (Cluster *cluster, const char *signal_file)
{
  g_autofree char *path = g_build_filename (cluster_folder (cluster), "data", signal_file, NULL);

  cluster_stop (cluster, CLUSTER_STOP_FAST);
  cluster_set (cluster, "restore_command = 'false'");
  assert_true (g_file_set_contents (path, "", 0, NULL));
  assert_int (g_chmod (path, 0644), 0);
  cluster_start (cluster);
}

static void
test_notices_a_failover (void)
{
  NEEDS_SERVER ();
  g_autoptr (Cluster) cluster = cluster_new (NULL, NULL);
  g_autofree char *uri = cluster_dup_uri (cluster, NULL);
  g_autofree char *second_uri = cluster_create_database (cluster);
  g_autoptr (Work) cut_off = work_resume (uri), orderly = work_resume (second_uri);
  g_autoptr (GError) error = NULL;

  /* One run is at work while the server changes, the other one ended before. */
  assert_true (work_intend (cut_off, "1", 1));
  assert_true (work_intend (orderly, "1", 1));
  assert_true (tally_ledger_save_mark (cut_off->ledger, &error));
  assert_true (tally_ledger_save_mark (orderly->ledger, &error));
  assert_true (tally_ledger_release (orderly->ledger, orderly->epoch, &error));
  assert_no_error (error);

  make_recovery (cluster, "standby.signal");
  assert_true (tally_ledger_open (uri, 0, &error) == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, "is a standby");
  g_autoptr (TallyLedger) reader = tally_ledger_open (uri, TALLY_LEDGER_READ, &error);
  assert_true (reader != NULL);
  assert_no_error (error);

  run_sql (uri, "SELECT pg_promote (true)");
  g_autoptr (TallyLedger) after = place_open (uri), second_after = place_open (second_uri);
  assert_true (!tally_ledger_check_mark (after, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER,
                "or failed over, while writer 1 was at work");
  assert_true (tally_ledger_check_mark (second_after, &error));
  assert_no_error (error);
}

static void
test_never_shows_a_password (void)
{
  static const char *const uris[] = {
    "postgresql://tally:s3cret@localhost:1/nowhere?host=/nonexistent",
    "postgresql:host=/nonexistent password=s3cret dbname=nowhere",
    "postgresql://tally:s3cret@[half/nowhere",
    "postgresql:host=/x passwd=s3cret",
    "mysql://tally:s3cret@localhost/x",
  };

  for (guint i = 0; i < G_N_ELEMENTS (uris); i++)
    {
      g_autoptr (GError) error = NULL;

      assert_true (tally_ledger_open (uris[i], 0, &error) == NULL);
      assert_true (error != NULL && strstr (error->message, "s3cret") == NULL);
    }
  g_autoptr (GError) error = NULL;
  TallyDatabase *database = tally_postgresql_open (uris[0], 0, &error);
  assert_text (database->description, "\"nowhere\" on /nonexistent");
  assert_true (strstr (database->location, "s3cret") == NULL);
  g_free (database->description);
  g_free (database->location);
  database->class->close (database);
}

/* ---- A way to the server that breaks when told to ---- */

typedef enum
{
  CUT_NOTHING,
  CUT_BEFORE_COMMIT, /* the COMMIT does not reach the server */
  CUT_AFTER_COMMIT,  /* it does, and its answer does not come back */
} Cut;

typedef struct
{
  char *folder;
  char *uri;
  char *server; /* path of the real socket */
  int listener;
  int stop[2];
  gint cut;    /* (atomic) what to do at the next COMMIT; once */
  gint n_cuts; /* (atomic) */
  GThread *thread;
} Way;

static int
connect_to (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  if (connect (fd, (struct sockaddr *)&address, sizeof address) != 0)
    {
      close (fd);
      return -1;
    }
  return fd;
}

/* Hands on what can be read; FALSE at the end, or at a cut. */
static gboolean
hand_on (Way *way, int from, int to, gboolean is_client, gboolean *cutting)
{
  char buffer[65536];
  gssize length = read (from, buffer, sizeof buffer);
  gboolean commits = is_client && length > 0 && memmem (buffer, length, "COMMIT", 7) != NULL;
  Cut cut = commits ? (Cut)g_atomic_int_get (&way->cut) : CUT_NOTHING;

  if (length <= 0)
    return FALSE;
  if (cut != CUT_NOTHING)
    {
      g_atomic_int_set (&way->cut, CUT_NOTHING);
      g_atomic_int_inc (&way->n_cuts);
      *cutting = TRUE;
      if (cut == CUT_BEFORE_COMMIT)
        return FALSE;
    }
  /* The answer to a commit that is cut off is waited for, so that it surely held, and then lost. */
  if (*cutting && !is_client)
    return FALSE;
  return write (to, buffer, length) == length;
}

static void
serve (Way *way, int client)
{
  int server = connect_to (way->server);
  struct pollfd fds[3] = { { .fd = client, .events = POLLIN },
                           { .fd = server, .events = POLLIN },
                           { .fd = way->stop[0], .events = POLLIN } };
  gboolean cutting = FALSE, open = server >= 0;

  while (open && poll (fds, 3, -1) > 0 && fds[2].revents == 0)
    {
      if (fds[0].revents != 0)
        open = hand_on (way, client, server, TRUE, &cutting);
      if (open && fds[1].revents != 0)
        open = hand_on (way, server, client, FALSE, &cutting);
    }
  if (server >= 0)
    close (server);
  close (client);
}

static gpointer
way_main (gpointer data)
{
  Way *way = data;
  struct pollfd fds[2]
      = { { .fd = way->listener, .events = POLLIN }, { .fd = way->stop[0], .events = POLLIN } };

  /* One connection at a time: more are not asked for. */
  while (poll (fds, 2, -1) > 0 && fds[1].revents == 0)
    serve (way, accept (way->listener, NULL, NULL));
  return NULL;
}

static Way *
way_new (const char *uri)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  Way *way = g_new0 (Way, 1);
  g_autofree char *name = cluster_query (uri, "SELECT current_database ()");

  way->folder = g_dir_make_tmp ("tally-way-XXXXXX", NULL);
  way->server = g_build_filename (cluster_folder (cluster_shared ()), ".s.PGSQL.5432", NULL);
  way->uri
      = g_strdup_printf ("postgresql:host=%s port=5432 dbname=%s user=postgres", way->folder, name);
  g_snprintf (address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.5432", way->folder);
  way->listener = socket (AF_UNIX, SOCK_STREAM, 0);
  if (bind (way->listener, (struct sockaddr *)&address, sizeof address) != 0
      || listen (way->listener, 8) != 0 || pipe (way->stop) != 0)
    g_error ("no way to the server");
  way->thread = g_thread_new ("way", way_main, way);
  return way;
}

static void
way_free (Way *way)
{
  g_autofree char *path = g_build_filename (way->folder, ".s.PGSQL.5432", NULL);

  close (way->stop[1]);
  g_thread_join (way->thread);
  close (way->stop[0]);
  close (way->listener);
  g_remove (path);
  g_rmdir (way->folder);
  g_free (way->folder);
  g_free (way->server);
  g_free (way->uri);
  g_free (way);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Way, way_free)

static void
test_commit_whose_answer_is_lost_holds_once (void)
{
  static const struct
  {
    const char *what;
    Cut cut;
  } rows[] = {
    { "the commit did not reach the server", CUT_BEFORE_COMMIT },
    { "its answer did not come back", CUT_AFTER_COMMIT },
  };

  NEEDS_SERVER ();
  g_autofree char *uri = place_new ();
  g_autoptr (Way) way = way_new (uri);
  g_autoptr (Work) work = work_resume (way->uri);

  assert_true (work_intend (work, "taken", 1));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *key = g_strdup_printf ("key %u", i);
      g_autoptr (TallyLedgerDelivery) intent = make_intent (key, 1),
                                      lost = make_intent ("taken", 1);
      TallyLedgerDelivery *intents[] = { lost, intent };
      const TallyReject reject
          = { (char *)"t.csv:1", (char *)"source", (char *)"bad", (char *)"{}" };
      TallyLedgerChange change = work_change (work);
      gboolean taken[2] = { FALSE, TRUE };
      g_autoptr (GError) error = NULL;
      gint64 now = 0;

      g_free (lost->idempotency_key);
      lost->idempotency_key = g_strdup_printf ("lost %u", i);
      change.intents = intents;
      change.n_intents = 2;
      change.taken = taken;
      change.rejects = &reject;
      change.n_rejects = 1;
      g_atomic_int_set (&way->cut, rows[i].cut);
      assert_row_int (rows[i].what, tally_ledger_commit (work->ledger, &change, &now, &error),
                      TRUE);
      assert_no_error (error);
      assert_row_int (rows[i].what, g_atomic_int_get (&way->n_cuts), i + 1);
      assert_row_int (rows[i].what, taken[0], TRUE);
      assert_row_int (rows[i].what, taken[1], FALSE);
      assert_row_int (rows[i].what, now > 0, TRUE);
      g_autofree char *n_rejects = place_ask (work->ledger, "SELECT count (*) FROM rejects");
      assert_row_int (rows[i].what, g_ascii_strtoll (n_rejects, NULL, 10), i + 1);
      assert_row_text (rows[i].what, work_state (work, key), "intended");
    }
}

static void
test_other_answers_may_be_lost_too (void)
{
  NEEDS_SERVER ();
  g_autofree char *uri = place_new ();
  g_autoptr (Way) way = way_new (uri);
  g_autoptr (Work) work = work_resume (way->uri);
  g_autoptr (TallyHolder) self = tally_holder_self ("tallyman run other.yaml");
  g_autoptr (GError) error = NULL;
  const char *names[] = { "other", NULL };
  TallyLedgerRun *run = NULL;
  char *position = NULL;
  gint64 epoch = 0, last_send = 0;

  g_atomic_int_set (&way->cut, CUT_AFTER_COMMIT);
  assert_true (tally_ledger_acquire (work->ledger, names, self, 60 * SECOND, &epoch, &last_send,
                                     NULL, &error));
  assert_no_error (error);
  g_atomic_int_set (&way->cut, CUT_AFTER_COMMIT);
  assert_true (tally_ledger_begin_run (work->ledger, epoch, "other", "acme", TALLY_RUN_RESUMES, &run,
                                       &position, &error));
  assert_no_error (error);
  g_autofree char *n_runs
      = place_ask (work->ledger, "SELECT count (*) FROM runs WHERE pipeline = 'other'");
  assert_text (n_runs, "1");
  g_atomic_int_set (&way->cut, CUT_AFTER_COMMIT);
  assert_true (tally_ledger_end_run (work->ledger, run, "complete", NULL, TRUE, &error));
  g_atomic_int_set (&way->cut, CUT_AFTER_COMMIT);
  assert_true (tally_ledger_release (work->ledger, epoch, &error));
  assert_no_error (error);
  assert_int (g_atomic_int_get (&way->n_cuts), 4);
  tally_ledger_run_free (run);
}

/* ---- A server that stops ---- */

static void
test_goes_on_when_its_backend_was_ended (void)
{
  NEEDS_SERVER ();
  g_autoptr (Work) work = work_new ();

  assert_true (work_intend (work, "1", 1));
  run_sql (work->uri, "SELECT count (pg_terminate_backend (pid)) FROM pg_stat_activity "
                      "WHERE pid <> pg_backend_pid () AND datname = current_database ()");
  assert_true (work_intend (work, "2", 1));
  run_sql (work->uri, "SELECT count (pg_terminate_backend (pid)) FROM pg_stat_activity "
                      "WHERE pid <> pg_backend_pid () AND datname = current_database ()");
  assert_text (work_state (work, "2"), "intended");
}

static void
test_gives_up_after_a_few_tries (void)
{
  NEEDS_SERVER ();
  g_autoptr (Cluster) cluster = cluster_new (NULL, NULL);
  g_autofree char *uri = cluster_dup_uri (cluster, NULL);
  g_autoptr (Work) work = work_resume (uri);
  g_autoptr (GError) error = NULL;

  cluster_stop (cluster, CLUSTER_STOP_IMMEDIATE);
  assert_true (!work_settle (work, "1", TALLY_DELIVERY_DELIVERED, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, "lost the ledger");
  cluster_start (cluster);
  assert_true (work_intend (work, "1", 1));
}

/* In a child: commits intents 1, 2, … and tells each. */
static void
commit_through_crashes (const char *uri, int tell)
{
  g_autoptr (Work) work = work_resume (uri);

  /* Long enough for a server that has to recover. */
  tally_ledger_set_patience (work->ledger, 40, 100 * 1000);
  for (guint32 n = 1; n <= 300; n++)
    {
      g_autofree char *key = g_strdup_printf ("%u", n);
      if (!work_intend (work, key, 1) || write (tell, &n, sizeof n) != sizeof n)
        _exit (1);
    }
  _exit (0);
}

static void
test_no_commit_is_lost_when_the_server_crashes (void)
{
  static const ClusterStop ways[]
      = { CLUSTER_STOP_IMMEDIATE, CLUSTER_STOP_KILL, CLUSTER_STOP_FAST };

  NEEDS_SERVER ();
  g_autoptr (Cluster) cluster = cluster_new (NULL, NULL);
  g_autofree char *uri = cluster_dup_uri (cluster, NULL);
  g_autoptr (TallyLedger) ledger = place_open (uri);
  guint32 n = 0, acknowledged = 0;
  int pipes[2], status;
  pid_t child;

  g_assert (pipe (pipes) == 0);
  if ((child = fork ()) == 0)
    commit_through_crashes (uri, pipes[1]);
  close (pipes[1]);
  while (read (pipes[0], &n, sizeof n) == sizeof n)
    {
      acknowledged = n;
      if (n % 80 == 0)
        {
          cluster_stop (cluster, ways[(n / 80 - 1) % G_N_ELEMENTS (ways)]);
          cluster_start (cluster);
        }
    }
  close (pipes[0]);
  waitpid (child, &status, 0);
  assert_int (status, 0);
  assert_int (acknowledged, 300);
  g_autofree char *made = place_ask (ledger, "SELECT count (*) FROM deliveries");
  assert_text (made, "300");
}

/* ---- Others who hold locks ---- */

static gpointer
settle_in_thread (gpointer data)
{
  Work *work = data;
  g_autoptr (GError) error = NULL;

  work_settle (work, "1", TALLY_DELIVERY_DELIVERED, &error);
  assert_no_error (error);
  return NULL;
}

static void
wait_until (const char *uri, const char *sql)
{
  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *value = cluster_query (uri, sql);
      if (g_strcmp0 (value, "t") == 0)
        return;
      g_usleep (5000);
    }
  assert_row_text (sql, "still f", "t");
}

static void
test_deadlock_is_tried_again (void)
{
  NEEDS_SERVER ();
  g_autoptr (Work) work = work_new ();
  PGconn *other = PQconnectdb (work->uri);
  g_autofree char *take_writer = g_strdup_printf (
      "UPDATE tallyman.writers SET host = host WHERE epoch = %" G_GINT64_FORMAT "; COMMIT",
      work->epoch);

  assert_true (work_intend (work, "1", 1));
  /* We hold the delivery, the commit holds the writer, each wants the other; and the commit looks
   * for deadlocks first. */
  PQclear (PQexec (other, "SET deadlock_timeout = '1min'; BEGIN; UPDATE tallyman.deliveries SET "
                          "detail = 'held' WHERE key = '1'"));
  GThread *thread = g_thread_new ("commit", settle_in_thread, work);
  wait_until (work->uri, "SELECT count (*) > 0 FROM pg_locks WHERE NOT granted");
  PQclear (PQexec (other, take_writer));
  g_thread_join (thread);
  PQfinish (other);

  assert_text (work_state (work, "1"), "delivered");
  wait_until (work->uri,
              "SELECT deadlocks > 0 FROM pg_stat_database WHERE datname = current_database ()");
}

static void
test_two_writers_want_the_same_keys (void)
{
  NEEDS_SERVER ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (TallyLedger) second = place_open (work->uri);
  g_autoptr (TallyHolder) self = tally_holder_self ("tallyman run other.yaml");
  g_autoptr (GError) error = NULL;
  const char *names[] = { "other", NULL };
  Work other = { .ledger = second, .scope = work->scope };
  gint64 last_send;

  tally_ledger_acquire (second, names, self, 60 * SECOND, &other.epoch, &last_send, NULL, &error);
  assert_no_error (error);
  tally_ledger_begin_run (second, other.epoch, "other", "acme", TALLY_RUN_RESUMES, &other.run,
                          &other.position, &error);
  assert_no_error (error);
  assert_true (work_intend (work, "1", 1));
  assert_true (!work_intend (&other, "1", 1));
  assert_true (work_intend (&other, "2", 1));
  assert_true (!work_intend (work, "2", 1));
  tally_ledger_run_free (other.run);
}

static const Promise promises[] = {
  { "E3: refuses a server that loses commits", test_refuses_a_server_that_loses_commits },
  { "E3: refuses tables that are not logged", test_refuses_tables_that_are_not_logged },
  { "E2, R8: notices a failover", test_notices_a_failover },
  { "never shows a password", test_never_shows_a_password },
  { "A7, A9: a commit whose answer is lost holds once",
    test_commit_whose_answer_is_lost_holds_once },
  { "E5: other answers may be lost too", test_other_answers_may_be_lost_too },
  { "E5: goes on when its backend was ended", test_goes_on_when_its_backend_was_ended },
  { "R13: gives up after a few tries", test_gives_up_after_a_few_tries },
  { "E6: no commit is lost when the server crashes",
    test_no_commit_is_lost_when_the_server_crashes },
  { "E5: a deadlock is tried again", test_deadlock_is_tried_again },
  { "D3, D8: two writers want the same keys", test_two_writers_want_the_same_keys },
  { NULL },
};

int
main (int argc, char **argv)
{
  return place_main ("ledger server", promises, argc, argv);
}
