/* contract.c: what a ledger promises, whichever database it is in */
#include "place.h"
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define REJECT(origin, stage, reason, record)                                                      \
  {                                                                                                \
    (char *)origin, (char *)stage, (char *)reason, (char *)record                                  \
  }
#define EACH_DATABASE()                                                                            \
  if (!place_is_there ())                                                                          \
  return

/* ---- Opening ---- */

static void
test_keeps_its_name (void)
{
  EACH_DATABASE ();
  g_autofree char *uri = place_new ();
  g_autoptr (TallyLedger) ledger = place_open (uri);
  g_autofree char *id = g_strdup (tally_ledger_id (ledger));

  assert_int (strlen (id), 32);
  g_clear_pointer (&ledger, tally_ledger_close);
  ledger = place_open (uri);
  assert_text (tally_ledger_id (ledger), id);
  assert_true (tally_ledger_is_durable (ledger));
}

static void
test_makes_nothing_where_it_may_only_read (void)
{
  EACH_DATABASE ();
  g_autofree char *uri = place_new ();
  g_autoptr (GError) error = NULL;

  assert_true (tally_ledger_open (uri, TALLY_LEDGER_READ, &error) == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_NO_LEDGER, "there is no ledger at");
  assert_true (tally_ledger_open (uri, TALLY_LEDGER_READ, &error) == NULL);
  g_clear_error (&error);

  g_autoptr (TallyLedger) writer G_GNUC_UNUSED = place_open (uri);
  g_autoptr (TallyLedger) reader = tally_ledger_open (uri, TALLY_LEDGER_READ, &error);
  const TallyScope scope = { .target = "acme", .entity = "ticket", .origin = "desk" };
  gint64 number = 7;
  assert_no_error (error);
  assert_true (tally_ledger_scope (reader, &scope, &number, &error));
  assert_int (number, 0);
}

static void
test_refuses_a_schema_of_the_future (void)
{
  EACH_DATABASE ();
  g_autofree char *uri = place_new ();
  g_autoptr (TallyLedger) ledger = place_open (uri);
  g_autoptr (GError) error = place_by_hand (ledger, "UPDATE meta SET schema_version = 99");

  assert_no_error (error);
  g_clear_pointer (&ledger, tally_ledger_close);
  assert_true (tally_ledger_open (uri, 0, &error) == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER,
                "schema version 99 and this program knows versions up to 2");
  assert_true (tally_ledger_open (uri, TALLY_LEDGER_READ, &error) == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, "version 99");
}

static void
test_a_ledger_of_an_earlier_version_is_migrated (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  gboolean shared = TRUE;

  assert_true (work_intend (work, "1", 1));
  g_autoptr (GError) error = place_by_hand (work->ledger, "ALTER TABLE scopes DROP COLUMN shared_since");
  assert_no_error (error);
  error = place_by_hand (work->ledger, "UPDATE meta SET schema_version = 1");
  assert_no_error (error);

  g_autoptr (TallyLedger) reader = tally_ledger_open (work->uri, TALLY_LEDGER_READ, NULL);
  g_autoptr (TallyLedger) again = place_open (work->uri);
  assert_true (reader == NULL);
  g_autofree char *version = place_ask (again, "SELECT schema_version FROM meta");
  assert_text (version, "2");
  assert_true (tally_ledger_is_shared (again, work->scope, &shared, NULL));
  assert_true (!shared);
  assert_text (work_state (work, "1"), "intended");
}

static gboolean
break_off (TallyDatabase *database, guint tries, gpointer data, GError **error)
{
  return tally_migrate (database, error)
         && tally_throw (error, TALLY_ERROR_INTERRUPTED, "the power went out");
}

static void
test_interrupted_migration_leaves_nothing (void)
{
  EACH_DATABASE ();
  g_autofree char *uri = place_new ();
  g_autoptr (GError) error = NULL;
  /* What open() has before it migrates. */
  g_autoptr (TallyLedger) ledger = g_new0 (TallyLedger, 1);

  ledger->tries = 1;
  ledger->database = place_open_database (uri);
  assert_true (!tally_ledger_transact (ledger, TRUE, break_off, NULL, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_INTERRUPTED, "power");
  g_clear_pointer (&ledger, tally_ledger_close);

  assert_true (tally_ledger_open (uri, TALLY_LEDGER_READ, &error) == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_NO_LEDGER, "there is no ledger");
  ledger = place_open (uri);
  assert_true (ledger != NULL);
}

static void
test_many_may_open_a_new_one_at_once (void)
{
  EACH_DATABASE ();
  g_autofree char *uri = place_new ();
  guint n_good = 0;
  pid_t children[6];

  for (guint i = 0; i < G_N_ELEMENTS (children); i++)
    if ((children[i] = fork ()) == 0)
      {
        TallyLedger *ledger = tally_ledger_open (uri, 0, NULL);
        gboolean is_open = ledger != NULL;

        tally_ledger_close (ledger);
        _exit (is_open ? 0 : 1);
      }
  for (guint i = 0; i < G_N_ELEMENTS (children); i++)
    {
      int status;
      waitpid (children[i], &status, 0);
      n_good += WIFEXITED (status) && WEXITSTATUS (status) == 0;
    }
  assert_int (n_good, G_N_ELEMENTS (children));
}

static void
test_tells_the_time (void)
{
  EACH_DATABASE ();
  g_autofree char *uri = place_new ();
  g_autoptr (TallyLedger) ledger = place_open (uri);
  g_autoptr (GError) error = NULL;
  gint64 first = 0, second = 0;

  assert_true (tally_ledger_now (ledger, &first, &error));
  assert_true (tally_ledger_now (ledger, &second, &error));
  assert_true (second >= first);
  assert_true (ABS (first - g_get_real_time ()) < 60 * SECOND);
}

/* ---- Leases ---- */

static gboolean
take (TallyLedger *ledger, const char *name, const TallyHolder *holder, gint64 ttl,
      gint64 *ret_epoch, gint64 *ret_last_send, GError **error)
{
  const char *names[] = { name, NULL };

  return tally_ledger_acquire (ledger, names, holder, ttl, ret_epoch, ret_last_send, NULL, error);
}

static void
test_lease_is_one_holders (void)
{
  EACH_DATABASE ();
  g_autofree char *uri = place_new ();
  g_autoptr (TallyLedger) ledger = place_open (uri), other = place_open (uri);
  g_autoptr (TallyHolder) self = tally_holder_self ("tallyman run a.yaml");
  g_autoptr (TallyHolder) holder = NULL;
  g_autoptr (GError) error = NULL;
  const char *wanted[] = { "b", "a", NULL };
  gint64 epoch = 0, second = 0, last_send = -1;

  assert_true (take (ledger, "a", self, 60 * SECOND, &epoch, &last_send, &error));
  assert_int (last_send, 0);
  assert_true (!tally_ledger_acquire (other, wanted, self, 60 * SECOND, &second, &last_send,
                                      &holder, &error));
  assert_true (error != NULL && strstr (error->message, self->host) != NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEASE, "\"a\" is held by \"tallyman run a.yaml\"");
  assert_int (holder->pid, getpid ());
  assert_int (holder->started_at, self->started_at);
  assert_text (holder->boot_id, self->boot_id);

  /* All or none: "b" was not kept. */
  assert_true (take (other, "b", self, 60 * SECOND, &second, &last_send, &error));
  assert_true (second > epoch);
  assert_true (tally_ledger_release (ledger, epoch, &error));
  assert_true (tally_ledger_release (other, second, &error));
  assert_true (
      tally_ledger_acquire (other, wanted, self, 60 * SECOND, &second, &last_send, NULL, &error));
  assert_true (last_send > 0);
}

static void
test_lease_of_the_dead_is_free (void)
{
  EACH_DATABASE ();
  static const struct
  {
    const char *what;
    const char *host, *boot_id; /* NULL: ours */
    gboolean lives;
    gint64 age;
    gboolean is_free;
  } rows[] = {
    { "a process of ours that is gone", NULL, NULL, FALSE, 0, TRUE },
    { "a process of ours that lives", NULL, NULL, TRUE, 0, FALSE },
    { "another one with the number of one that is gone", NULL, NULL, TRUE, 1, TRUE },
    { "another host's, with a number that nobody has here", "elsewhere", NULL, FALSE, 0, FALSE },
    { "one of before the machine was started", NULL, "another boot", FALSE, 0, FALSE },
  };
  pid_t gone = fork ();

  if (gone == 0)
    _exit (0);
  waitpid (gone, NULL, 0);
  g_autofree char *uri = place_new ();
  g_autoptr (TallyLedger) ledger = place_open (uri);
  g_autoptr (TallyHolder) self = tally_holder_self ("tallyman run a.yaml");

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      TallyHolder holder = *self;
      g_autoptr (GError) error = NULL;
      gint64 epoch = 0, second = 0, last_send = 0, now = 0;

      holder.host = rows[i].host != NULL ? (char *)rows[i].host : self->host;
      holder.boot_id = rows[i].boot_id != NULL ? (char *)rows[i].boot_id : self->boot_id;
      holder.pid = rows[i].lives ? getpid () : gone;
      holder.started_at -= rows[i].age;
      take (ledger, rows[i].what, &holder, 60 * SECOND, &epoch, &last_send, &error);
      assert_no_error (error);
      assert_row_int (rows[i].what,
                      take (ledger, rows[i].what, self, 60 * SECOND, &second, &last_send, &error),
                      rows[i].is_free);
      if (!rows[i].is_free)
        continue;
      tally_ledger_now (ledger, &now, NULL);
      assert_row_int (rows[i].what, last_send > 0 && last_send <= now, TRUE);
      assert_row_int (rows[i].what, tally_ledger_renew (ledger, epoch, SECOND, &error), FALSE);
      assert_error (error, TALLY_ERROR, TALLY_ERROR_LEASE, "stale");
    }
}

static void
test_a_scope_is_shared_until_it_is_not (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  const gboolean turns[] = { FALSE, TRUE, TRUE, FALSE };
  gboolean shared = TRUE;

  assert_true (tally_ledger_is_shared (work->ledger, work->scope, &shared, NULL));
  assert_true (!shared);
  for (guint i = 0; i < G_N_ELEMENTS (turns); i++)
    {
      assert_true (tally_ledger_set_shared (work->ledger, work->epoch, work->scope, turns[i], NULL));
      assert_true (tally_ledger_is_shared (work->ledger, work->scope, &shared, NULL));
      assert_int (shared, turns[i]);
    }
}

static void
test_stale_epoch_is_refused_everywhere (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (TallyLedger) other = place_open (work->uri);
  g_autoptr (TallyHolder) self = tally_holder_self ("tallyman run tickets.yaml");
  g_autoptr (GError) error = NULL;
  g_autoptr (TallyLedgerDelivery) intent = make_intent ("1", 1);
  TallyLedgerRun *run = NULL;
  char *position = NULL;
  gboolean taken = FALSE;
  gint64 epoch = 0, last_send = 0, before = 0;

  /* The lease runs out: of two leases the other program takes only one, and the first one's epoch
   * is over with it. */
  tally_ledger_now (work->ledger, &before, &error);
  assert_true (tally_ledger_renew (work->ledger, work->epoch, 1, &error));
  assert_true (take (other, "pipeline tickets", self, 60 * SECOND, &epoch, &last_send, &error));
  assert_no_error (error);
  assert_true (last_send > before);

  assert_true (!tally_ledger_renew (work->ledger, work->epoch, SECOND, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEASE, "stale");
  assert_true (!tally_ledger_begin_run (work->ledger, work->epoch, "tickets", "acme", TALLY_RUN_RESUMES, &run,
                                        &position, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEASE, "stale");
  assert_true (!tally_ledger_end_run (work->ledger, work->run, "complete", NULL, TRUE, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEASE, "stale");

  assert_true (!tally_ledger_set_shared (work->ledger, work->epoch, work->scope, TRUE, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEASE, "stale");

  TallyLedgerChange change = work_change (work);
  change.intents = &intent;
  change.n_intents = 1;
  change.taken = &taken;
  change.position = "9";
  assert_true (!tally_ledger_commit (work->ledger, &change, NULL, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEASE, "stale");
  assert_text (work_state (work, "1"), "none");
  assert_true (!tally_ledger_release (work->ledger, work->epoch, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEASE, "stale");
  assert_true (tally_ledger_renew (other, epoch, SECOND, &error));
}

static void
test_expired_lease_that_nobody_took_lives_on (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;

  assert_true (tally_ledger_renew (work->ledger, work->epoch, 1, &error));
  assert_true (work_intend (work, "1", 1));
  assert_true (tally_ledger_renew (work->ledger, work->epoch, SECOND, &error));
  assert_true (tally_ledger_release (work->ledger, work->epoch, &error));
  assert_true (tally_ledger_release (work->ledger, work->epoch, &error));
  assert_no_error (error);
}

static void
test_commit_renews_the_lease (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (TallyLedger) other = place_open (work->uri);
  g_autoptr (TallyHolder) stranger = tally_holder_self ("tallyman run other.yaml");
  g_autoptr (GError) error = NULL;
  gint64 epoch = 0, last_send = 0;

  tally_ledger_renew (work->ledger, work->epoch, 1, &error);
  assert_true (work_intend (work, "1", 1));
  assert_true (!take (other, "pipeline tickets", stranger, SECOND, &epoch, &last_send, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEASE, "held by");
}

/* ---- Runs ---- */

static void
test_resumes_where_it_stood (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  gint64 pass = work->run->pass;
  TallyLedgerChange change = work_change (work);

  assert_text (work->position, NULL);
  assert_int (pass, work->run->id);
  change.position = "byte 42 ä";
  assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));

  work_begin_again (work, /* keep_position= */ TRUE, /* resume= */ TRUE);
  assert_text (work->position, "byte 42 ä");
  assert_int (work->run->pass, pass);
  work_begin_again (work, /* keep_position= */ TRUE, /* resume= */ FALSE);
  assert_text (work->position, NULL);
  assert_int (work->run->pass, work->run->id);
  change = work_change (work);
  change.position = "byte 43";
  assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));
  work_begin_again (work, /* keep_position= */ FALSE, /* resume= */ TRUE);
  assert_text (work->position, NULL);
}

static gboolean
note_reject (const TallyLedgerReject *reject, gpointer data, GError **error)
{
  g_string_append_printf (data, "%s %s %s %s %s;", reject->pipeline, reject->reject.origin,
                          reject->reject.stage, reject->reject.reason, reject->reject.record);
  return TRUE;
}

static char *
list_rejects (Work *work)
{
  GString *text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  tally_ledger_each_reject (work->ledger, "tickets", note_reject, text, &error);
  assert_no_error (error);
  return g_string_free (text, FALSE);
}

static void
test_new_pass_forgets_the_rejects_of_the_last (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  const TallyReject rejects[] = {
    REJECT ("t.csv:2", "source", "no \"end\"", "{\"a\": 1}"),
    REJECT ("t.csv:3", "cast", "not a number: \xff", "'"),
  };
  TallyLedgerChange change = work_change (work);

  change.rejects = rejects;
  change.n_rejects = 2;
  change.position = "3";
  assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));
  g_autofree char *first = list_rejects (work);
  assert_text (first, "tickets t.csv:2 source no \"end\" {\"a\": 1};tickets t.csv:3 cast not a "
                      "number: \xef\xbf\xbd ';");
  work_begin_again (work, TRUE, /* resume= */ TRUE);
  g_autofree char *resumed = list_rejects (work);
  assert_text (resumed, first);
  work_begin_again (work, TRUE, /* resume= */ FALSE);
  g_autofree char *anew = list_rejects (work);
  assert_text (anew, "");
}

/* Of two runs that began at "3" one reads again what the other had rejected; what came before stays. */
static void
test_what_is_read_again_is_not_rejected_twice (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  const TallyReject old = REJECT ("t:2", "cast", "no number", "{}"), fresh = REJECT ("t:4", "cast", "no date", "{}");
  TallyLedgerChange change = work_change (work);
  TallyLedgerRun *run = NULL;
  char *position = NULL;

  change.rejects = &old;
  change.n_rejects = 1;
  change.position = "3";
  assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));
  work_begin_again (work, TRUE, /* resume= */ TRUE);
  change = work_change (work);
  change.rejects = &fresh;
  change.n_rejects = 1;
  assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));
  g_autofree char *both = list_rejects (work);
  assert_text (both, "tickets t:2 cast no number {};tickets t:4 cast no date {};");

  assert_true (tally_ledger_begin_run (work->ledger, work->epoch, "tickets", "acme",
                                       TALLY_RUN_RESUMES | TALLY_RUN_READS_AGAIN, &run, &position, &error));
  assert_text (position, "3");
  g_autofree char *left = list_rejects (work);
  assert_text (left, "tickets t:2 cast no number {};");
  tally_ledger_run_free (run);
  g_free (position);
}

/* Where a pass goes on after complete runs, one that has failed since then has brought nothing that the ledger lacks. */
static void
test_takes_no_word_of_what_it_knows (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  TallyLedgerChange change = work_change (work);
  gint64 first = work->run->id, second;
  gboolean adopted = TRUE;

  change.position = "42";
  assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));
  work_begin_again (work, TRUE, /* resume= */ TRUE); /* the first one has ended complete */
  second = work->run->id;
  assert_int (work->run->pass, first);
  assert_true (tally_ledger_end_run (work->ledger, work->run, "failed", "{}", TRUE, &error));
  assert_true (tally_ledger_adopt (work->ledger, work->epoch, "tickets", first, first, "42", &adopted, &error));
  assert_true (!adopted);
  assert_true (tally_ledger_adopt (work->ledger, work->epoch, "tickets", first, second, "43", &adopted, &error));
  assert_true (adopted);
}

static void
test_holds_fast_to_its_target (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  TallyLedgerRun *run = NULL;
  char *position = NULL;
  TallyLedgerChange change = work_change (work);

  change.position = "42";
  assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));
  assert_true (!tally_ledger_begin_run (work->ledger, work->epoch, "tickets", "sandbox", TALLY_RUN_RESUMES,
                                        &run, &position, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE,
                "delivered to \"acme\" before, and would deliver to \"sandbox\"");

  /* With another target, what was read for the first one has to be read again. */
  assert_true (tally_ledger_begin_run (work->ledger, work->epoch, "tickets", "sandbox",
                                       TALLY_RUN_RESUMES | TALLY_RUN_NEW_TARGET, &run, &position, &error));
  assert_text (position, NULL);
  assert_int (run->pass, run->id);
  assert_text (run->target, "sandbox");
  tally_ledger_run_free (run);
  assert_true (!tally_ledger_begin_run (work->ledger, work->epoch, "tickets", "acme", TALLY_RUN_RESUMES, &run,
                                        &position, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "\"sandbox\" before");
}

/* Where none was saved, one that appeared would leave out for the next target what came before it. */
static void
test_moves_a_checkpoint_that_is_there (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  TallyLedgerChange change = work_change (work);
  static const char *const moves[][3] = { { NULL, "1", NULL }, { "42", "41", "42" }, { "42", "42", "45" } };

  for (guint i = 0; i < G_N_ELEMENTS (moves); i++)
    {
      change = work_change (work);
      change.position = moves[i][0];
      assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));
      assert_true (tally_ledger_move_position (work->ledger, work->run, moves[i][1], "45", &error));
      work_begin_again (work, /* keep_position= */ TRUE, /* resume= */ TRUE);
      assert_row_text (moves[i][1], work->position, moves[i][2]);
    }
}

static void
test_a_stale_epoch_moves_no_checkpoint (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  TallyLedgerRun stale = *work->run;

  stale.epoch--;
  assert_true (!tally_ledger_move_position (work->ledger, &stale, "1", "2", &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEASE, "");
}

/* A sink that keeps checkpoints knows more than the ledger when a run was killed between their commits. */
static void
test_takes_the_word_of_a_sink (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  gint64 pass = work->run->pass, first = work->run->id, epoch = work->epoch;
  gboolean adopted = FALSE;
  TallyLedgerRun *run = NULL;
  char *position = NULL;

  assert_true (tally_ledger_adopt (work->ledger, epoch, "tickets", pass, first, "42", &adopted, &error));
  assert_true (adopted);
  assert_true (tally_ledger_begin_run (work->ledger, epoch, "tickets", "acme", TALLY_RUN_RESUMES, &run, &position, &error));
  assert_no_error (error);
  assert_text (position, "42");
  assert_int (run->pass, pass);
  g_free (position);

  /* Of a pass that has ended nothing goes on, nor of an older one; a newer one is from a ledger that was lost. */
  assert_true (tally_ledger_end_run (work->ledger, run, "complete with rejects", "{}", FALSE, &error));
  tally_ledger_run_free (run);
  assert_true (tally_ledger_adopt (work->ledger, epoch, "tickets", pass, first, "42", &adopted, &error));
  assert_true (!adopted);
  assert_true (tally_ledger_begin_run (work->ledger, epoch, "tickets", "acme", TALLY_RUN_RESUMES, &run, &position, &error));
  assert_text (position, NULL);
  tally_ledger_run_free (run);
  assert_true (tally_ledger_adopt (work->ledger, epoch, "tickets", pass, first, "42", &adopted, &error));
  assert_true (!adopted);
  assert_true (!tally_ledger_adopt (work->ledger, epoch, "tickets", 1000, 1000, "42", &adopted, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, "which this ledger does not know");
  assert_true (!tally_ledger_adopt (work->ledger, epoch, "never run", pass, first, "42", &adopted, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, "which this ledger does not know");
}

static void
test_lists_runs_with_how_they_ended (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;

  work_begin_again (work, TRUE, TRUE);
  tally_ledger_release (work->ledger, work->epoch, &error);
  work_begin (work, TRUE);

  g_autoptr (GPtrArray) runs = tally_ledger_list_runs (work->ledger, "tickets", 10, &error);
  assert_no_error (error);
  assert_int (runs->len, 3);
  const TallyLedgerRun *newest = g_ptr_array_index (runs, 0), *killed = g_ptr_array_index (runs, 1),
                       *oldest = g_ptr_array_index (runs, 2);
  assert_text (newest->outcome, NULL);
  assert_int (newest->ended_at, 0);
  assert_text (killed->outcome, "killed");
  assert_int (killed->ended_at, 0);
  assert_text (oldest->outcome, "complete");
  assert_text (oldest->counts, "{\"read\": 1}");
  assert_true (oldest->ended_at >= oldest->started_at);
  assert_text (oldest->version, TALLY_VERSION);
  assert_contains (oldest->holder, g_get_host_name ());

  g_autoptr (GPtrArray) one = tally_ledger_list_runs (work->ledger, NULL, 1, &error);
  assert_int (one->len, 1);
  g_autoptr (GPtrArray) none = tally_ledger_list_runs (work->ledger, "other", 9, &error);
  assert_int (none->len, 0);
}

/* ---- Deliveries ---- */

static void
test_intent_is_kept_to_the_byte (void)
{
  EACH_DATABASE ();
  static const guint8 bytes[] = { 0, 1, 255, '\'', '\\', '{', 0, '"', '\n' };
  g_autoptr (Work) work = work_new ();
  g_autoptr (TallyLedgerDelivery) intent = make_intent ("O'Hara \"\\{},NULL ä", 1);
  g_autoptr (GError) error = NULL;
  TallyLedgerChange change = work_change (work);
  gboolean taken = TRUE;
  gint64 before = 0, now = 0;

  g_bytes_unref (intent->request);
  intent->request = g_bytes_new_static (bytes, sizeof bytes);
  change.intents = &intent;
  change.n_intents = 1;
  change.taken = &taken;
  tally_ledger_now (work->ledger, &before, &error);
  assert_true (tally_ledger_commit (work->ledger, &change, &now, &error));
  assert_no_error (error);
  assert_int (taken, FALSE);
  assert_true (now >= before && now < before + 60 * SECOND);

  g_autoptr (TallyLedgerDelivery) found = work_find (work, intent->key);
  assert_true (found != NULL && found->request != NULL
               && g_bytes_equal (found->request, intent->request));
  assert_text (found->key, intent->key);
  assert_int (found->generation, 1);
  assert_text (tally_delivery_state_name (found->state), "intended");
  assert_text (found->idempotency_key, intent->idempotency_key);
  assert_text (found->row_origin, intent->row_origin);
  assert_text (found->reference, intent->reference);
  assert_text (found->content_hash, HASH);
  assert_int (found->intended_at, now);
  assert_int (found->intended_target, TARGET_TIME);
  assert_int (found->settled_at, 0);
  assert_int (found->run, work->run->id);
  assert_int (found->pass, work->run->pass);
  assert_int (found->attempts, 0);
  assert_text (found->target_id, NULL);
}

static void
test_any_bytes_for_a_person_are_kept_as_text (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (TallyLedgerDelivery) intent = make_intent ("1", 1);
  const TallyLedgerOutcome outcome = { .key = "1",
                                       .generation = 1,
                                       .state = TALLY_DELIVERY_DELIVERED,
                                       .target_id = "5\xfe",
                                       .detail = "\xe9t\xe9" };
  TallyLedgerChange change = work_change (work);
  g_autoptr (GError) error = NULL;
  gboolean taken;

  g_free (intent->row_origin);
  intent->row_origin = g_strdup ("caf\xe9.csv:1");
  change.intents = &intent;
  change.n_intents = 1;
  change.taken = &taken;
  change.outcomes = &outcome;
  change.n_outcomes = 1;
  assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));
  assert_no_error (error);
  g_autoptr (TallyLedgerDelivery) found = work_find (work, "1");
  assert_text (found->row_origin, "caf\xef\xbf\xbd.csv:1");
  assert_text (found->target_id, "5\xef\xbf\xbd");
  assert_text (intent->row_origin, "caf\xe9.csv:1");

  change = work_change (work);
  change.position = "caf\xe9";
  assert_true (!tally_ledger_commit (work->ledger, &change, NULL, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, "position is not UTF-8");
}

static void
test_empty_request_is_a_request (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (TallyLedgerDelivery) intent = make_intent ("1", 1);
  TallyLedgerChange change = work_change (work);
  g_autoptr (GError) error = NULL;
  gboolean taken = TRUE;

  g_bytes_unref (intent->request);
  intent->request = g_bytes_new (NULL, 0);
  change.intents = &intent;
  change.n_intents = 1;
  change.taken = &taken;
  assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));
  assert_no_error (error);
  g_autoptr (TallyLedgerDelivery) found = work_find (work, "1");
  assert_true (found->request != NULL && g_bytes_get_size (found->request) == 0);
}

static void
test_state_changes (void)
{
  EACH_DATABASE ();
  enum
  {
    NO,
    YES
  };
  static const struct
  {
    const char *what;
    TallyDeliveryState from, to;
    gboolean allowed;
    const char *after;
  } rows[] = {
    { "at work", TALLY_DELIVERY_INTENDED, TALLY_DELIVERY_INTENDED, YES, "intended" },
    { "delivered", TALLY_DELIVERY_INTENDED, TALLY_DELIVERY_DELIVERED, YES, "delivered" },
    { "rejected", TALLY_DELIVERY_INTENDED, TALLY_DELIVERY_REJECTED, YES, "rejected" },
    { "left in doubt", TALLY_DELIVERY_INTENDED, TALLY_DELIVERY_IN_DOUBT, YES, "in doubt" },
    { "surely not sent", TALLY_DELIVERY_INTENDED, TALLY_DELIVERY_RELEASED, YES, "released" },
    { "in doubt, tried again", TALLY_DELIVERY_IN_DOUBT, TALLY_DELIVERY_INTENDED, YES, "in doubt" },
    { "in doubt, found", TALLY_DELIVERY_IN_DOUBT, TALLY_DELIVERY_DELIVERED, YES, "delivered" },
    { "in doubt, refused", TALLY_DELIVERY_IN_DOUBT, TALLY_DELIVERY_REJECTED, YES, "rejected" },
    { "in doubt, absent", TALLY_DELIVERY_IN_DOUBT, TALLY_DELIVERY_RELEASED, YES, "released" },
    { "delivered is final: again", TALLY_DELIVERY_DELIVERED, TALLY_DELIVERY_DELIVERED, NO,
      "delivered" },
    { "delivered is final: doubt", TALLY_DELIVERY_DELIVERED, TALLY_DELIVERY_IN_DOUBT, NO,
      "delivered" },
    { "delivered is final: reject", TALLY_DELIVERY_DELIVERED, TALLY_DELIVERY_REJECTED, NO,
      "delivered" },
    { "delivered is final: release", TALLY_DELIVERY_DELIVERED, TALLY_DELIVERY_RELEASED, NO,
      "delivered" },
    { "a reject is delivered only as a new generation", TALLY_DELIVERY_REJECTED,
      TALLY_DELIVERY_DELIVERED, NO, "rejected" },
    { "a reject is not in doubt", TALLY_DELIVERY_REJECTED, TALLY_DELIVERY_IN_DOUBT, NO,
      "rejected" },
    { "a released one is not delivered", TALLY_DELIVERY_RELEASED, TALLY_DELIVERY_DELIVERED, NO,
      "released" },
  };
  g_autoptr (Work) work = work_new ();

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *key = g_strdup_printf ("row %u", i);
      g_autoptr (GError) error = NULL;

      assert_row_int (rows[i].what, work_intend (work, key, 1), TRUE);
      if (rows[i].from != TALLY_DELIVERY_INTENDED)
        assert_row_int (rows[i].what, work_settle (work, key, rows[i].from, &error), TRUE);
      assert_no_error (error);
      assert_row_int (rows[i].what, work_settle (work, key, rows[i].to, &error), rows[i].allowed);
      if (!rows[i].allowed)
        assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, "fits nothing that the ledger has");
      assert_no_error (error);
      assert_row_text (rows[i].what, work_state (work, key), rows[i].after);
    }
}

static void
test_generations (void)
{
  EACH_DATABASE ();
  static const struct
  {
    const char *what;
    TallyDeliveryState state; /* of generation 1 */
    guint generation;
    gboolean made;
  } rows[] = {
    { "the same one again", TALLY_DELIVERY_INTENDED, 1, FALSE },
    { "next of one that is unsettled", TALLY_DELIVERY_INTENDED, 2, TRUE },
    { "next of one in doubt", TALLY_DELIVERY_IN_DOUBT, 2, TRUE },
    { "next of a released one", TALLY_DELIVERY_RELEASED, 2, TRUE },
    { "next of a reject", TALLY_DELIVERY_REJECTED, 2, TRUE },
    { "the same of a reject", TALLY_DELIVERY_REJECTED, 1, FALSE },
    { "next of a delivered one", TALLY_DELIVERY_DELIVERED, 2, FALSE },
    { "one left out", TALLY_DELIVERY_RELEASED, 3, FALSE },
  };
  g_autoptr (Work) work = work_new ();

  assert_row_int ("a first that calls itself second", work_intend (work, "new", 2), FALSE);
  assert_text (work_state (work, "new"), "none");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *key = g_strdup_printf ("row %u", i);
      g_autoptr (GError) error = NULL;

      work_intend (work, key, 1);
      if (rows[i].state != TALLY_DELIVERY_INTENDED)
        work_settle (work, key, rows[i].state, &error);
      assert_no_error (error);
      assert_row_int (rows[i].what, work_intend (work, key, rows[i].generation), rows[i].made);
      g_autoptr (TallyLedgerDelivery) found = work_find (work, key);
      assert_row_int (rows[i].what, found->generation, rows[i].made ? rows[i].generation : 1);
      assert_row_text (rows[i].what, tally_delivery_state_name (found->state),
                       rows[i].made ? "intended" : tally_delivery_state_name (rows[i].state));
      if (rows[i].made)
        assert_row_int (rows[i].what, found->attempts + found->status + found->settled_at, 0);
    }
}

static void
test_next_generation_remembers_the_last_in_an_event (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;

  work_intend (work, "1", 1);
  work_settle (work, "1", TALLY_DELIVERY_REJECTED, &error);
  work_intend (work, "1", 2);
  g_autoptr (GPtrArray) events = tally_ledger_list_events (work->ledger, work->scope, "1", &error);
  assert_no_error (error);
  assert_int (events->len, 1);
  const TallyLedgerEvent *event = g_ptr_array_index (events, 0);
  assert_text (event->event, "next generation");
  assert_int (event->generation, 2);
  assert_int (event->status, 201);
  assert_int (event->run, work->run->id);
  assert_text (event->detail, "after one that is rejected, key 1/1");
}

static void
test_intent_may_belong_to_an_earlier_pass (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  gint64 first = work->run->pass;

  work_intend (work, "old", 1);
  work_begin_again (work, /* keep_position= */ TRUE, /* resume= */ FALSE);
  const struct
  {
    const char *what, *key;
    guint generation;
    gint64 pass, stored;
  } rows[] = {
    { "its row was not read in this pass", "old", 2, first, first },
    { "nor is that of a first generation", "new", 1, first, first },
    { "the run's", "ours", 1, 0, work->run->pass },
    { "the run's, told", "told", 1, work->run->pass, work->run->pass },
    { "its row came in this pass", "old", 3, 0, work->run->pass },
  };

  assert_true (first != work->run->pass);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (TallyLedgerDelivery) intent = make_intent (rows[i].key, rows[i].generation);
      TallyLedgerChange change = work_change (work);
      g_autoptr (GError) error = NULL;
      gboolean taken = TRUE;

      intent->pass = rows[i].pass;
      change.intents = &intent;
      change.n_intents = 1;
      change.taken = &taken;
      tally_ledger_commit (work->ledger, &change, NULL, &error);
      assert_no_error (error);
      g_autoptr (TallyLedgerDelivery) found = work_find (work, rows[i].key);
      assert_row_int (rows[i].what, taken, FALSE);
      assert_row_int (rows[i].what, found->pass, rows[i].stored);
      assert_row_int (rows[i].what, found->run, work->run->id);
    }
}

static void
test_one_commit_takes_it_all (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (TallyLedgerDelivery) new_one = make_intent ("new", 1),
                                  again = make_intent ("again", 2), lost = make_intent ("lost", 1),
                                  at_once = make_intent ("at once", 1);
  TallyLedgerDelivery *intents[] = { new_one, lost, again, at_once };
  gboolean taken[4] = { TRUE, FALSE, TRUE, TRUE };
  const TallyLedgerOutcome outcomes[] = {
    { .key = "old",
      .generation = 1,
      .state = TALLY_DELIVERY_DELIVERED,
      .attempts = 3,
      .status = 201,
      .target_id = "77",
      .other_ids = "78,79",
      .detail = "twice \xff there",
      .event = "adopted" },
    { .key = "again",
      .generation = 1,
      .state = TALLY_DELIVERY_RELEASED,
      .attempts = 2,
      .event = "absent" },
    { .key = "at once",
      .generation = 1,
      .state = TALLY_DELIVERY_REJECTED,
      .status = 422,
      .keep_request = TRUE },
    { .key = "lost", .generation = 1, .state = TALLY_DELIVERY_REJECTED, .event = "never" },
  };
  const TallyLedgerSeen seen[] = { { "met", "tickets.csv:99" } };

  work_intend (work, "old", 1);
  work_intend (work, "again", 1);
  work_intend (work, "met", 1);
  work_intend (work, "lost", 1);
  assert_true (work_settle (work, "met", TALLY_DELIVERY_DELIVERED, &error));
  assert_true (work_settle (work, "lost", TALLY_DELIVERY_DELIVERED, &error));
  work_begin_again (work, TRUE, FALSE);

  TallyLedgerChange change = work_change (work);
  change.intents = intents;
  change.n_intents = G_N_ELEMENTS (intents);
  change.taken = taken;
  change.outcomes = outcomes;
  change.n_outcomes = G_N_ELEMENTS (outcomes);
  change.seen = seen;
  change.n_seen = 1;
  assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));
  assert_no_error (error);
  assert_int (taken[0], FALSE);
  assert_int (taken[1], TRUE);
  assert_int (taken[2], FALSE);
  assert_int (taken[3], FALSE);

  g_autoptr (TallyLedgerDelivery) old = work_find (work, "old");
  assert_text (tally_delivery_state_name (old->state), "delivered");
  assert_text (old->target_id, "77");
  assert_text (old->other_ids, "78,79");
  assert_text (old->detail, "twice \xef\xbf\xbd there");
  assert_int (old->attempts, 3);
  assert_true (old->settled_at >= old->intended_at);
  g_autoptr (TallyLedgerDelivery) next = work_find (work, "again");
  assert_int (next->generation, 2);
  assert_text (tally_delivery_state_name (next->state), "intended");
  assert_text (work_state (work, "at once"), "rejected");
  assert_text (work_state (work, "lost"), "delivered");
  g_autoptr (TallyLedgerDelivery) met = work_find (work, "met");
  assert_text (met->row_origin, "tickets.csv:99");
  assert_int (met->pass, work->run->pass);
  g_autoptr (GPtrArray) events
      = tally_ledger_list_events (work->ledger, work->scope, "old", &error);
  assert_int (events->len, 1);
  g_autofree char *kept
      = place_ask (work->ledger, "SELECT count (*) FROM deliveries WHERE request IS NOT NULL");
  assert_text (kept, "3");
}

static void
test_one_bad_outcome_keeps_all_out (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  const TallyLedgerOutcome outcomes[] = {
    { .key = "1", .generation = 1, .state = TALLY_DELIVERY_DELIVERED, .target_id = "7" },
    { .key = "2", .generation = 1, .state = TALLY_DELIVERY_DELIVERED, .target_id = "8" },
  };
  TallyLedgerChange change;

  work_intend (work, "1", 1);
  change = work_change (work);
  change.outcomes = outcomes;
  change.n_outcomes = 2;
  change.position = "2";
  assert_true (!tally_ledger_commit (work->ledger, &change, NULL, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, "key \"2\"");
  assert_text (work_state (work, "1"), "intended");
  work_begin_again (work, TRUE, TRUE);
  assert_text (work->position, NULL);
}

static void
test_outcomes_are_told_in_order (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  const TallyLedgerOutcome outcomes[] = {
    { .key = "1",
      .generation = 1,
      .state = TALLY_DELIVERY_INTENDED,
      .attempts = 1,
      .event = "retried" },
    { .key = "2", .generation = 1, .state = TALLY_DELIVERY_REJECTED, .status = 422 },
    { .key = "1",
      .generation = 1,
      .state = TALLY_DELIVERY_IN_DOUBT,
      .attempts = 2,
      .event = "in doubt" },
    { .key = "1",
      .generation = 1,
      .state = TALLY_DELIVERY_DELIVERED,
      .attempts = 3,
      .target_id = "9",
      .event = "adopted" },
  };
  TallyLedgerChange change;

  work_intend (work, "1", 1);
  work_intend (work, "2", 1);
  change = work_change (work);
  change.outcomes = outcomes;
  change.n_outcomes = G_N_ELEMENTS (outcomes);
  assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));
  assert_no_error (error);
  g_autoptr (TallyLedgerDelivery) found = work_find (work, "1");
  assert_text (tally_delivery_state_name (found->state), "delivered");
  assert_int (found->attempts, 3);
  g_autoptr (GPtrArray) events = tally_ledger_list_events (work->ledger, work->scope, "1", &error);
  assert_int (events->len, 3);
  assert_text (((TallyLedgerEvent *)events->pdata[0])->event, "retried");
  assert_text (((TallyLedgerEvent *)events->pdata[2])->event, "adopted");
}

static void
test_only_the_first_of_two_equal_intents_is_made (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (TallyLedgerDelivery) first = make_intent ("1", 1), second = make_intent ("1", 1);
  TallyLedgerDelivery *intents[] = { first, second };
  gboolean taken[2] = { TRUE, FALSE };
  g_autoptr (GError) error = NULL;
  TallyLedgerChange change = work_change (work);

  g_free (second->idempotency_key);
  second->idempotency_key = g_strdup ("another");
  change.intents = intents;
  change.n_intents = 2;
  change.taken = taken;
  assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));
  assert_no_error (error);
  assert_int (taken[0], FALSE);
  assert_int (taken[1], TRUE);
  g_autoptr (TallyLedgerDelivery) found = work_find (work, "1");
  assert_text (found->idempotency_key, "1/1");
}

static void
test_serial_counts_once (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;

  work_intend (work, "1", 1);
  work_intend (work, "2", 1);
  work->serial--;
  assert_true (!work_settle (work, "1", TALLY_DELIVERY_DELIVERED, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, "serial 2 of epoch");
  assert_text (work_state (work, "1"), "intended");
}

static void
test_bytes_are_dropped_once_delivered (void)
{
  EACH_DATABASE ();
  static const struct
  {
    const char *what;
    TallyDeliveryState state;
    gboolean keep;
    const char *kept;
  } rows[] = {
    { "delivered", TALLY_DELIVERY_DELIVERED, FALSE, "0" },
    { "rejected, to be looked at", TALLY_DELIVERY_REJECTED, TRUE, "1" },
    { "rejected", TALLY_DELIVERY_REJECTED, FALSE, "0" },
    { "in doubt keeps them whatever it is told", TALLY_DELIVERY_IN_DOUBT, FALSE, "1" },
    { "at work as well", TALLY_DELIVERY_INTENDED, FALSE, "1" },
  };
  g_autoptr (Work) work = work_new ();

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *key = g_strdup_printf ("row %u", i);
      g_autofree char *sql
          = g_strdup_printf ("SELECT count (request) FROM deliveries WHERE key = '%s'", key);
      const TallyLedgerOutcome outcome = { .key = key,
                                           .generation = 1,
                                           .state = rows[i].state,
                                           .target_id = "9",
                                           .keep_request = rows[i].keep };
      TallyLedgerChange change;
      g_autoptr (GError) error = NULL;

      work_intend (work, key, 1);
      change = work_change (work);
      change.outcomes = &outcome;
      change.n_outcomes = 1;
      assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));
      assert_no_error (error);
      g_autofree char *kept = place_ask (work->ledger, sql);
      assert_row_text (rows[i].what, kept, rows[i].kept);
    }
}

static void
test_finds_in_the_order_asked (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  const char *keys[] = { "zeta", "none", "alpha", "zeta", "ä" };

  work_intend (work, "alpha", 1);
  work_intend (work, "zeta", 1);
  work_intend (work, "ä", 1);
  work_settle (work, "zeta", TALLY_DELIVERY_DELIVERED, &error);
  g_autoptr (GPtrArray) found = tally_ledger_find (work->ledger, work->scope, keys, 5, &error);
  assert_no_error (error);
  assert_int (found->len, 5);
  const TallyLedgerDelivery *zeta = found->pdata[0], *alpha = found->pdata[2],
                            *last = found->pdata[4];
  assert_text (zeta->key, "zeta");
  assert_true (zeta->request == NULL && zeta->settled_at > 0);
  assert_true (found->pdata[1] == NULL);
  assert_text (alpha->key, "alpha");
  assert_true (alpha->request != NULL);
  assert_text (((TallyLedgerDelivery *)found->pdata[3])->key, "zeta");
  assert_text (last->key, "ä");

  g_autoptr (GPtrArray) nothing = tally_ledger_find (work->ledger, work->scope, NULL, 0, &error);
  assert_no_error (error);
  assert_int (nothing->len, 0);
  g_autoptr (GPtrArray) elsewhere
      = tally_ledger_find (work->ledger, work->scope + 1, keys, 1, &error);
  assert_true (elsewhere->pdata[0] == NULL);
}

static void
test_refuses_keys_that_cannot_be_kept (void)
{
  EACH_DATABASE ();
  g_autofree char *longest = g_strnfill (TALLY_LEDGER_KEY_MAX, 'k');
  g_autofree char *too_long = g_strnfill (TALLY_LEDGER_KEY_MAX + 1, 'k');
  const char *const bad[] = { "", "\xff", too_long };
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;

  assert_true (work_intend (work, longest, 1));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      assert_true (tally_ledger_find (work->ledger, work->scope, &bad[i], 1, &error) == NULL);
      assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, "key");
    }
}

static void
test_lists_the_unsettled_by_pages (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) order = g_string_new (NULL);
  g_autofree char *after = NULL;

  for (const char *const *key = (const char *const[]){ "d", "a", "c", "b", "B", "é", "x", NULL };
       *key != NULL; key++)
    work_intend (work, *key, 1);
  work_settle (work, "b", TALLY_DELIVERY_DELIVERED, &error);
  work_settle (work, "c", TALLY_DELIVERY_IN_DOUBT, &error);
  work_settle (work, "x", TALLY_DELIVERY_REJECTED, &error);
  for (guint pages = 0; pages < 9; pages++)
    {
      g_autoptr (GPtrArray) page
          = tally_ledger_list_unsettled (work->ledger, work->scope, after, 2, &error);

      assert_no_error (error);
      for (guint i = 0; i < page->len; i++)
        {
          const TallyLedgerDelivery *delivery = page->pdata[i];
          g_free (after);
          after = g_strdup (delivery->key);
          g_string_append_printf (order, "%s%s", delivery->key,
                                  delivery->request != NULL ? " " : "! ");
        }
      g_string_append (order, page->len < 2 ? "." : "| ");
      if (page->len < 2)
        break;
    }
  assert_text (order->str, "B a | c d | é .");
}

static void
test_ended_run_leaves_doubt (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;

  work_intend (work, "1", 1);
  work_intend (work, "2", 1);
  work_settle (work, "2", TALLY_DELIVERY_DELIVERED, &error);
  work_begin_again (work, TRUE, TRUE);
  assert_text (work_state (work, "1"), "in doubt");
  assert_text (work_state (work, "2"), "delivered");
}

/* ---- For the commands ---- */

static gboolean
note_delivery (const TallyLedgerDelivery *delivery, const TallyScope *scope, gpointer data,
               GError **error)
{
  g_string_append_printf (data, "%s:%s/%s%s ", scope->origin, delivery->key,
                          tally_delivery_state_name (delivery->state),
                          delivery->request != NULL ? "+" : "");
  return TRUE;
}

static void
expect_deliveries (Work *work, const TallyLedgerFilter *filter, const char *expected)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  tally_ledger_each_delivery (work->ledger, filter, note_delivery, text, &error);
  assert_no_error (error);
  assert_text (text->str, expected);
}

static void
test_filters_deliveries (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  const TallyScope other = { .target = "acme", .entity = "ticket", .origin = "other" };

  work_intend (work, "1", 1);
  work_intend (work, "2", 1);
  work_intend (work, "3", 1);
  work_settle (work, "2", TALLY_DELIVERY_REJECTED, &error);
  work_settle (work, "3", TALLY_DELIVERY_IN_DOUBT, &error);
  tally_ledger_scope (work->ledger, &other, &work->scope, &error);
  g_autoptr (TallyLedgerDelivery) intent = make_intent ("1", 1);
  TallyLedgerChange change = work_change (work);
  gboolean taken;
  g_free (intent->idempotency_key);
  intent->idempotency_key = g_strdup ("other/1");
  change.intents = &intent;
  change.n_intents = 1;
  change.taken = &taken;
  assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));

  expect_deliveries (work, &(TallyLedgerFilter){ .any_state = TRUE },
                     "desk:1/intended desk:2/rejected desk:3/in doubt other:1/intended ");
  expect_deliveries (work, &(TallyLedgerFilter){ .key = "1", .any_state = TRUE },
                     "desk:1/intended+ other:1/intended+ ");
  expect_deliveries (work, &(TallyLedgerFilter){ .state = TALLY_DELIVERY_REJECTED },
                     "desk:2/rejected ");
  expect_deliveries (work, &(TallyLedgerFilter){ .state = TALLY_DELIVERY_IN_DOUBT },
                     "desk:3/in doubt ");
  expect_deliveries (work, &(TallyLedgerFilter){ .unsettled = TRUE, .pipeline = "tickets" },
                     "desk:1/intended desk:3/in doubt other:1/intended ");
  expect_deliveries (work, &(TallyLedgerFilter){ .any_state = TRUE, .pipeline = "other" }, "");
  expect_deliveries (work,
                     &(TallyLedgerFilter){ .key = "3", .any_state = TRUE, .pipeline = "tickets" },
                     "desk:3/in doubt+ ");
}

static gboolean
count_and_use (const TallyLedgerDelivery *delivery, const TallyScope *scope, gpointer data,
               GError **error)
{
  Work *work = data;

  work->serial++;
  return tally_ledger_decide (work->ledger, work->scope, delivery->key, TALLY_DELIVERY_DISCARDED,
                              NULL, "discarded by user", error);
}

static void
test_listing_may_use_the_ledger_and_spans_pages (void)
{
  EACH_DATABASE ();
  enum
  {
    N = 450
  };
  g_autoptr (Work) work = work_new ();
  g_autoptr (GPtrArray) intents
      = g_ptr_array_new_with_free_func ((GDestroyNotify)tally_ledger_delivery_free);
  TallyLedgerOutcome outcomes[N];
  gboolean taken[N];
  g_autoptr (GError) error = NULL;
  TallyLedgerChange change = work_change (work);

  for (guint i = 0; i < N; i++)
    {
      g_autofree char *key = g_strdup_printf ("%05u", i);
      TallyLedgerDelivery *intent = make_intent (key, 1);
      g_ptr_array_add (intents, intent);
      outcomes[i] = (TallyLedgerOutcome){ .key = intent->key,
                                          .generation = 1,
                                          .state = TALLY_DELIVERY_REJECTED };
    }
  change.intents = (TallyLedgerDelivery *const *)intents->pdata;
  change.n_intents = N;
  change.taken = taken;
  change.outcomes = outcomes;
  change.n_outcomes = N;
  assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));
  assert_no_error (error);
  tally_ledger_end_run (work->ledger, work->run, "complete", NULL, FALSE, &error);
  work->serial = 0;
  assert_true (tally_ledger_each_delivery (work->ledger,
                                           &(TallyLedgerFilter){ .state = TALLY_DELIVERY_REJECTED },
                                           count_and_use, work, &error));
  assert_no_error (error);
  assert_int (work->serial, N);
  TallyLedgerTotals totals;
  assert_true (tally_ledger_total (work->ledger, "tickets", &totals, &error));
  assert_int (totals.discarded, N);
  assert_int (totals.rejected + totals.delivered + totals.unsettled + totals.rejects, 0);
}

static void
test_decisions (void)
{
  EACH_DATABASE ();
  static const struct
  {
    const char *what;
    TallyDeliveryState from, to;
    const char *complaint; /* NULL: it is done */
  } rows[] = {
    { "reject tried again", TALLY_DELIVERY_REJECTED, TALLY_DELIVERY_RELEASED, NULL },
    { "reject discarded", TALLY_DELIVERY_REJECTED, TALLY_DELIVERY_DISCARDED, NULL },
    { "reject delivered", TALLY_DELIVERY_REJECTED, TALLY_DELIVERY_DELIVERED,
      "is rejected and cannot be made delivered" },
    { "doubt found", TALLY_DELIVERY_IN_DOUBT, TALLY_DELIVERY_DELIVERED, NULL },
    { "doubt absent", TALLY_DELIVERY_IN_DOUBT, TALLY_DELIVERY_RELEASED, NULL },
    { "doubt rejected", TALLY_DELIVERY_IN_DOUBT, TALLY_DELIVERY_REJECTED,
      "is in doubt and cannot be made rejected" },
    { "doubt discarded", TALLY_DELIVERY_IN_DOUBT, TALLY_DELIVERY_DISCARDED,
      "cannot be made discarded" },
    { "intended found", TALLY_DELIVERY_INTENDED, TALLY_DELIVERY_DELIVERED, NULL },
    { "delivered released", TALLY_DELIVERY_DELIVERED, TALLY_DELIVERY_RELEASED,
      "is delivered and cannot be made released" },
    { "released delivered", TALLY_DELIVERY_RELEASED, TALLY_DELIVERY_DELIVERED,
      "is released and cannot" },
  };
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *key = g_strdup_printf ("row %u", i);
      work_intend (work, key, 1);
      if (rows[i].from != TALLY_DELIVERY_INTENDED)
        work_settle (work, key, rows[i].from, &error);
      assert_no_error (error);
    }
  assert_true (!tally_ledger_decide (work->ledger, work->scope, "row 0", TALLY_DELIVERY_RELEASED,
                                     NULL, "by user", &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEASE, "a run is at work: its lease is held by");
  tally_ledger_release (work->ledger, work->epoch, &error);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *key = g_strdup_printf ("row %u", i);
      gboolean done = tally_ledger_decide (work->ledger, work->scope, key, rows[i].to,
                                           rows[i].to == TALLY_DELIVERY_DELIVERED ? "4711" : NULL,
                                           "by user", &error);

      assert_row_int (rows[i].what, done, rows[i].complaint == NULL);
      if (rows[i].complaint != NULL)
        assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, rows[i].complaint);
      assert_no_error (error);
      assert_row_text (rows[i].what, work_state (work, key),
                       tally_delivery_state_name (done ? rows[i].to : rows[i].from));
      g_autoptr (GPtrArray) events
          = tally_ledger_list_events (work->ledger, work->scope, key, &error);
      assert_row_int (rows[i].what, events->len, done ? 1 : 0);
    }
  g_autoptr (TallyLedgerDelivery) found = work_find (work, "row 3");
  assert_text (found->target_id, "4711");
  assert_true (!tally_ledger_decide (work->ledger, work->scope, "row 8", TALLY_DELIVERY_DELIVERED,
                                     NULL, "x", &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "without an id");
  assert_true (!tally_ledger_decide (work->ledger, work->scope, "none", TALLY_DELIVERY_RELEASED,
                                     NULL, "x", &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "there is no delivery with key \"none\"");
}

static gboolean
take_first (const TallyLedgerReject *reject, gpointer data, GError **error)
{
  gint64 *id = data;

  if (*id == 0)
    *id = reject->id;
  return TRUE;
}

static void
test_rejects_are_retried_or_discarded (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  const TallyReject rejects[]
      = { REJECT ("t.csv:2", "source", "a", "{}"), REJECT ("t.csv:3", "cast", "b", "{}") };
  TallyLedgerChange change = work_change (work);
  gint64 id = 0;
  guint n = 0;

  change.rejects = rejects;
  change.n_rejects = 2;
  change.position = "3";
  assert_true (tally_ledger_commit (work->ledger, &change, NULL, &error));
  tally_ledger_each_reject (work->ledger, NULL, take_first, &id, &error);
  assert_true (tally_ledger_discard_reject (work->ledger, id, &error));
  assert_true (!tally_ledger_discard_reject (work->ledger, id, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "there is no reject");
  assert_true (!tally_ledger_retry_rejects (work->ledger, "tickets", &n, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEASE, "a run is at work");
  assert_true (!tally_ledger_retry_rejects (work->ledger, "unheard of", &n, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "knows no pipeline \"unheard of\"");

  tally_ledger_end_run (work->ledger, work->run, "complete with rejects", NULL, TRUE, &error);
  assert_true (tally_ledger_retry_rejects (work->ledger, "tickets", &n, &error));
  assert_no_error (error);
  assert_int (n, 1);
  g_autofree char *left = list_rejects (work);
  assert_text (left, "");
  work_begin_again (work, TRUE, TRUE);
  assert_text (work->position, NULL);
}

/* ---- By hand, and backwards ---- */

static void
test_nonsense_by_hand_is_refused (void)
{
  EACH_DATABASE ();
  static const struct
  {
    const char *what;
    const char *sql;
  } rows[] = {
    { "delivered without an id", "UPDATE deliveries SET state = 'delivered', settled_at = "
                                 "clock_timestamp() WHERE key = 'open'" },
    { "settled without a time", "UPDATE deliveries SET state = 'rejected' WHERE key = 'open'" },
    { "unsettled without bytes", "UPDATE deliveries SET request = NULL WHERE key = 'open'" },
    { "an unknown state",
      "UPDATE deliveries SET state = 'lost', settled_at = clock_timestamp() WHERE key = 'open'" },
    { "delivered back to intended", "UPDATE deliveries SET state = 'intended', settled_at = NULL, "
                                    "request = '' WHERE key = 'done'" },
    { "another id for a delivered one",
      "UPDATE deliveries SET target_id = 'other' WHERE key = 'done'" },
    { "next generation of a delivered one",
      "UPDATE deliveries SET generation = 2, idempotency_key = 'x' WHERE key = 'done'" },
    { "a generation back", "UPDATE deliveries SET generation = 0 WHERE key = 'open'" },
    { "two generations on",
      "UPDATE deliveries SET generation = 3, idempotency_key = 'x' WHERE key = 'open'" },
    { "next generation with the old key",
      "UPDATE deliveries SET generation = 2 WHERE key = 'open'" },
    { "another idempotency key", "UPDATE deliveries SET idempotency_key = 'x' WHERE key = 'open'" },
    { "another key", "UPDATE deliveries SET key = 'x' WHERE key = 'open'" },
    { "a delivery deleted", "DELETE FROM deliveries WHERE key = 'open'" },
    { "a writer deleted", "DELETE FROM writers" },
    { "a pipeline deleted", "DELETE FROM pipelines" },
    { "a second name", "INSERT INTO meta (one, ledger_id, schema_version, created_at) "
                       "SELECT 2, ledger_id, 1, created_at FROM meta" },
    { "a delivered one from nowhere",
      "INSERT INTO deliveries (scope, key, generation, state, idempotency_key, request_hash, "
      "content_hash, row_origin, "
      "reference, pass, run, intended_at, settled_at, known_since, target_id) SELECT scope, 'new', 1, "
      "'delivered', 'k', '', '', '', '', pass, run, "
      "intended_at, intended_at, intended_at, '5' FROM deliveries WHERE key = 'open'" },
    { "a run that ended without an outcome", "UPDATE runs SET ended_at = started_at" },
  };
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;

  work_intend (work, "open", 1);
  work_intend (work, "done", 1);
  work_settle (work, "done", TALLY_DELIVERY_DELIVERED, &error);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) refusal = place_by_hand (work->ledger, rows[i].sql);
      assert_row_text (rows[i].what, refusal != NULL ? "refused" : "done", "refused");
    }
  assert_text (work_state (work, "open"), "intended");
  assert_text (work_state (work, "done"), "delivered");
}

static void
test_mark_holds_while_the_ledger_goes_on (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;

  assert_true (tally_ledger_check_mark (work->ledger, &error));
  work_intend (work, "1", 1);
  assert_true (tally_ledger_save_mark (work->ledger, &error));
  work_intend (work, "2", 1);
  assert_true (tally_ledger_check_mark (work->ledger, &error));
  work_begin_again (work, TRUE, TRUE);
  assert_true (tally_ledger_check_mark (work->ledger, &error));
  assert_no_error (error);
}

static void
test_mark_sees_steps_backwards (void)
{
  EACH_DATABASE ();
  static const struct
  {
    const char *what;
    const char *sql;
    const char *complaint;
  } rows[] = {
    { "commits are missing", "UPDATE writers SET serial = serial - 1 WHERE ended_at IS NULL",
      "had made 2 commits, and 1" },
    { "the run is missing, another has its epoch",
      "UPDATE writers SET token = '00000000000000000000000000000000', serial = 99 WHERE ended_at "
      "IS NULL",
      "was there and is not any more" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Work) work = work_new ();
      g_autoptr (GError) error = NULL;

      work_begin_again (work, TRUE, TRUE);
      work_intend (work, "1", 1);
      work_intend (work, "2", 1);
      assert_true (tally_ledger_save_mark (work->ledger, &error));
      error = place_by_hand (work->ledger, rows[i].sql);
      assert_no_error (error);
      assert_row_int (rows[i].what, tally_ledger_check_mark (work->ledger, &error), FALSE);
      /* The message names the file that stands in the way. */
      assert_contains (error->message, tally_ledger_id (work->ledger));
      assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, rows[i].complaint);
      /* Once it has been refilled, it is saved as it is, and good again. */
      assert_true (tally_ledger_save_mark (work->ledger, &error));
      assert_true (tally_ledger_check_mark (work->ledger, &error));
    }
}

/* In a child: intends keys 1, 2, … and settles the one before, and says each number once it was
 * told so. */
static void
commit_until_killed (const char *uri, int tell)
{
  g_autoptr (Work) work = work_resume (uri);

  for (guint32 n = 1;; n++)
    {
      g_autofree char *key = g_strdup_printf ("%u", n), *before = g_strdup_printf ("%u", n - 1);
      const TallyLedgerOutcome outcome = {
        .key = before, .generation = 1, .state = TALLY_DELIVERY_DELIVERED, .target_id = before
      };
      g_autoptr (TallyLedgerDelivery) intent = make_intent (key, 1);
      TallyLedgerChange change = work_change (work);
      gboolean taken;

      change.intents = &intent;
      change.n_intents = 1;
      change.taken = &taken;
      change.outcomes = &outcome;
      change.n_outcomes = n > 1 ? 1 : 0;
      if (!tally_ledger_commit (work->ledger, &change, NULL, NULL) || taken
          || write (tell, &n, sizeof n) != sizeof n)
        _exit (1);
    }
}

static void
test_what_was_acknowledged_is_there_after_a_kill (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  guint32 acknowledged = 0, n;
  int pipes[2], status;
  pid_t child;

  tally_ledger_release (work->ledger, work->epoch, &error);
  g_assert (pipe (pipes) == 0);
  if ((child = fork ()) == 0)
    commit_until_killed (work->uri, pipes[1]);
  close (pipes[1]);
  while (read (pipes[0], &n, sizeof n) == sizeof n)
    {
      acknowledged = n;
      if (n == 40)
        kill (child, SIGKILL);
    }
  close (pipes[0]);
  waitpid (child, &status, 0);
  assert_true (WIFSIGNALED (status) && acknowledged >= 40);
  /* What the server still has of it may be carried out, until the lease is taken over. */
  work_begin (work, /* resume= */ TRUE);

  /* All that was told, and at most the one whose answer was not heard; settled but for the last. */
  g_autofree char *made = place_ask (work->ledger, "SELECT count (*) FROM deliveries");
  g_autofree char *delivered
      = place_ask (work->ledger, "SELECT count (*) FROM deliveries WHERE state = 'delivered'");
  g_autofree char *serial = place_ask (work->ledger, "SELECT max (serial) FROM writers");
  gint64 n_made = g_ascii_strtoll (made, NULL, 10);
  assert_true (n_made == acknowledged || n_made == acknowledged + 1);
  assert_int (g_ascii_strtoll (delivered, NULL, 10), n_made - 1);
  assert_int (g_ascii_strtoll (serial, NULL, 10), n_made);
}

/* ---- Rate limits ---- */

static void
test_runs_share_a_window (void)
{
  EACH_DATABASE ();
  g_autofree char *uri = place_new ();
  g_autoptr (TallyLedger) one = place_open (uri), other = place_open (uri);
  g_autoptr (GError) error = NULL;
  const struct
  {
    const char *words;
    TallyLedger *ledger;
    const char *name;
    gint64 window, ceiling, want, granted, claimed;
  } claims[] = {
    { "the first", one, "acme", 7, 10, 4, 4, 4 },
    { "another run sees it", other, "acme", 7, 10, 4, 4, 8 },
    { "what is left", one, "acme", 7, 10, 4, 2, 10 },
    { "nothing is left", other, "acme", 7, 10, 4, 0, 10 },
    { "a lower ceiling takes nothing back", other, "acme", 7, 5, 4, 0, 10 },
    { "another account", other, "emca", 7, 10, 4, 4, 4 },
    { "the next window, whatever became of the last", other, "acme", 8, 10, 4, 4, 4 },
    { "a clock that is behind gets nothing", one, "acme", 7, 20, 4, 0, -1 },
    { "and spoils nothing", one, "acme", 8, 10, 20, 6, 10 },
    { "a clock that is far ahead", one, "acme", 1000, 10, 4, 4, 4 },
    { "is not waited for", other, "acme", 9, 10, 4, 4, 4 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (claims); i++)
    {
      gint64 granted = 0, claimed = 0;

      assert_true (tally_ledger_claim (claims[i].ledger, claims[i].name, claims[i].window, claims[i].ceiling,
                                       claims[i].want, &granted, &claimed, &error));
      assert_no_error (error);
      assert_row_int (claims[i].words, granted, claims[i].granted);
      assert_row_int (claims[i].words, claimed, claims[i].claimed);
    }
}

static const Promise promises[] = {
  { "keeps its name", test_keeps_its_name },
  { "makes nothing where it may only read", test_makes_nothing_where_it_may_only_read },
  { "E7: refuses a schema of the future", test_refuses_a_schema_of_the_future },
  { "E7: a ledger of an earlier version is migrated", test_a_ledger_of_an_earlier_version_is_migrated },
  { "E7: an interrupted migration leaves nothing", test_interrupted_migration_leaves_nothing },
  { "many may open a new one at once", test_many_may_open_a_new_one_at_once },
  { "tells the time", test_tells_the_time },
  { "D1: a lease is one holder's", test_lease_is_one_holders },
  { "the lease of the dead is free", test_lease_of_the_dead_is_free },
  { "D4: a scope is shared until it is not", test_a_scope_is_shared_until_it_is_not },
  { "D2: a stale epoch is refused everywhere", test_stale_epoch_is_refused_everywhere },
  { "an expired lease that nobody took lives on", test_expired_lease_that_nobody_took_lives_on },
  { "a commit renews the lease", test_commit_renews_the_lease },
  { "resumes where it stood", test_resumes_where_it_stood },
  { "takes no word of what it knows", test_takes_no_word_of_what_it_knows },
  { "what is read again is not rejected twice", test_what_is_read_again_is_not_rejected_twice },
  { "A9: a new pass forgets the rejects of the last",
    test_new_pass_forgets_the_rejects_of_the_last },
  { "B14: holds fast to its target", test_holds_fast_to_its_target },
  { "moves a checkpoint that is there", test_moves_a_checkpoint_that_is_there },
  { "R7: a stale epoch moves no checkpoint", test_a_stale_epoch_moves_no_checkpoint },
  { "takes the word of a sink", test_takes_the_word_of_a_sink },
  { "lists runs with how they ended", test_lists_runs_with_how_they_ended },
  { "R1, R3: an intent is kept to the byte", test_intent_is_kept_to_the_byte },
  { "any bytes for a person are kept as text", test_any_bytes_for_a_person_are_kept_as_text },
  { "an empty request is a request", test_empty_request_is_a_request },
  { "state changes", test_state_changes },
  { "generations", test_generations },
  { "the next generation remembers the last in an event",
    test_next_generation_remembers_the_last_in_an_event },
  { "an intent may belong to an earlier pass", test_intent_may_belong_to_an_earlier_pass },
  { "one commit takes it all", test_one_commit_takes_it_all },
  { "one bad outcome keeps all out", test_one_bad_outcome_keeps_all_out },
  { "outcomes are told in order", test_outcomes_are_told_in_order },
  { "only the first of two equal intents is made",
    test_only_the_first_of_two_equal_intents_is_made },
  { "A7: a serial counts once", test_serial_counts_once },
  { "A6, A7: what was acknowledged is there after a kill",
    test_what_was_acknowledged_is_there_after_a_kill },
  { "R3: bytes are dropped once delivered", test_bytes_are_dropped_once_delivered },
  { "finds in the order asked", test_finds_in_the_order_asked },
  { "refuses keys that cannot be kept", test_refuses_keys_that_cannot_be_kept },
  { "lists the unsettled by pages", test_lists_the_unsettled_by_pages },
  { "an ended run leaves doubt", test_ended_run_leaves_doubt },
  { "filters deliveries", test_filters_deliveries },
  { "listing may use the ledger and spans pages", test_listing_may_use_the_ledger_and_spans_pages },
  { "decisions", test_decisions },
  { "runs share a window", test_runs_share_a_window },
  { "H1: rejects are retried or discarded", test_rejects_are_retried_or_discarded },
  { "E8: nonsense by hand is refused", test_nonsense_by_hand_is_refused },
  { "R8: the mark holds while the ledger goes on", test_mark_holds_while_the_ledger_goes_on },
  { "R8, E1, E2: the mark sees steps backwards", test_mark_sees_steps_backwards },
  { NULL },
};

int
main (int argc, char **argv)
{
  return place_main ("ledger", promises, argc, argv);
}
