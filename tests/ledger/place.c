/* place.c: ledgers for the contract's promises */
#include "place.h"
#include <ftw.h>
#include <stdio.h>
#include <string.h>

static const char *database = "sqlite";
static char *folder;
static guint n_places;

gboolean
place_is_sqlite (void)
{
  return g_str_equal (database, "sqlite");
}

gboolean
place_is_there (void)
{
  g_autofree char *pooled = NULL;

  if (place_is_sqlite ())
    return TRUE;
  if (!cluster_is_available ())
    skip_promise ("no PostgreSQL server is installed");
  else if (!g_str_equal (database, "pgbouncer"))
    return TRUE;
  else if ((pooled = place_new ()) != NULL)
    return TRUE;
  else
    skip_promise ("pgbouncer is not installed");
  return FALSE;
}

static int
remove_one (const char *path, const struct stat *status, int type, struct FTW *walk)
{
  return remove (path);
}

/* One database for all, emptied: to make one takes half a second. */
static char *
empty_database (void)
{
  static char *uri;
  g_autofree char *marks = g_build_filename (folder, "tallyman", "marks", NULL);

  if (uri == NULL)
    uri = cluster_create_database (cluster_shared ());
  g_free (cluster_query (
      uri, "SET client_min_messages = warning; DROP SCHEMA IF EXISTS tallyman CASCADE"));
  nftw (marks, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  return g_strdup (uri);
}

char *
place_new (void)
{
  if (place_is_sqlite ())
    return g_strdup_printf ("sqlite:%s/ledger-%u.sqlite", folder, ++n_places);

  g_autofree char *uri = empty_database ();
  return g_str_equal (database, "pgbouncer") ? cluster_dup_pooled_uri (cluster_shared (), uri)
                                             : g_steal_pointer (&uri);
}

TallyLedger *
place_open (const char *uri)
{
  g_autoptr (GError) error = NULL;
  TallyLedger *ledger = tally_ledger_open (uri, 0, &error);

  assert_no_error (error);
  if (ledger != NULL)
    tally_ledger_set_patience (ledger, 3, 1000);
  return ledger;
}

TallyDatabase *
place_open_database (const char *uri)
{
  g_autoptr (GError) error = NULL;
  TallyDatabase *base = place_is_sqlite () ? tally_sqlite_open (uri + strlen ("sqlite:"), 0, &error)
                                           : tally_postgresql_open (uri, 0, &error);

  assert_no_error (error);
  return base;
}

typedef struct
{
  const char *sql;
  TallyRows *rows;
} ByHand;

static gboolean
run_by_hand (TallyDatabase *base, guint tries, gpointer data, GError **error)
{
  ByHand *hand = data;

  g_clear_pointer (&hand->rows, tally_rows_free);
  return tally_sql (base, &hand->rows, error, hand->sql, NULL, 0);
}

GError *
place_by_hand (TallyLedger *ledger, const char *sql)
{
  ByHand hand = { .sql = sql };
  GError *error = NULL;

  tally_ledger_transact (ledger, /* write= */ TRUE, run_by_hand, &hand, &error);
  tally_rows_free (hand.rows);
  return error;
}

char *
place_ask (TallyLedger *ledger, const char *sql)
{
  ByHand hand = { .sql = sql };
  g_autoptr (GError) error = NULL;
  char *answer;

  tally_ledger_transact (ledger, /* write= */ FALSE, run_by_hand, &hand, &error);
  assert_no_error (error);
  answer = g_strdup (hand.rows != NULL && hand.rows->n_rows > 0 ? tally_rows_text (hand.rows, 0, 0)
                                                                : NULL);
  tally_rows_free (hand.rows);
  return answer != NULL ? answer : g_strdup ("");
}

/* ---- Work ---- */

void
work_begin (Work *work, gboolean resume)
{
  const char *names[] = { "pipeline tickets", "ticket of desk in acme", NULL };
  g_autoptr (TallyHolder) self = tally_holder_self ("tallyman run tickets.yaml");
  g_autoptr (GError) error = NULL;
  gint64 last_send;

  tally_ledger_acquire (work->ledger, names, self, 60 * SECOND, &work->epoch, &last_send, NULL,
                        &error);
  assert_no_error (error);
  g_clear_pointer (&work->run, tally_ledger_run_free);
  g_clear_pointer (&work->position, g_free);
  tally_ledger_begin_run (work->ledger, work->epoch, "tickets", "acme", resume ? TALLY_RUN_RESUMES : 0, &work->run,
                          &work->position, &error);
  assert_no_error (error);
  work->serial = 0;
}

Work *
work_new (void)
{
  g_autofree char *uri = place_new ();

  return work_resume (uri);
}

Work *
work_resume (const char *uri)
{
  const TallyScope scope = { .target = "acme", .entity = "ticket", .origin = "desk" };
  Work *work = g_new0 (Work, 1);
  g_autoptr (GError) error = NULL;

  work->uri = g_strdup (uri);
  work->ledger = place_open (work->uri);
  work_begin (work, /* resume= */ TRUE);
  tally_ledger_scope (work->ledger, &scope, &work->scope, &error);
  assert_no_error (error);
  return work;
}

static void
end (Work *work, gboolean keep_position)
{
  g_autoptr (GError) error = NULL;

  tally_ledger_end_run (work->ledger, work->run, "complete", "{\"read\": 1}", keep_position,
                        &error);
  assert_no_error (error);
  tally_ledger_release (work->ledger, work->epoch, &error);
  assert_no_error (error);
  g_clear_pointer (&work->run, tally_ledger_run_free);
  g_clear_pointer (&work->position, g_free);
}

void
work_begin_again (Work *work, gboolean keep_position, gboolean resume)
{
  end (work, keep_position);
  work_begin (work, resume);
}

void
work_free (Work *work)
{
  tally_ledger_run_free (work->run);
  tally_ledger_close (work->ledger);
  g_free (work->position);
  g_free (work->uri);
  g_free (work);
}

TallyLedgerChange
work_change (Work *work)
{
  return (TallyLedgerChange){ .epoch = work->epoch,
                              .serial = ++work->serial,
                              .lease_ttl = 60 * SECOND,
                              .run = work->run,
                              .scope = work->scope };
}

TallyLedgerDelivery *
make_intent (const char *key, guint generation)
{
  TallyLedgerDelivery *intent = g_new0 (TallyLedgerDelivery, 1);

  intent->key = g_strdup (key);
  intent->generation = generation;
  intent->idempotency_key = g_strdup_printf ("%s/%u", key, generation);
  intent->request = g_bytes_new (key, strlen (key));
  intent->request_hash = g_strdup (HASH);
  intent->content_hash = g_strdup (HASH);
  intent->row_origin = g_strdup_printf ("tickets.csv:%s", key);
  intent->reference = g_strdup_printf ("desk:%s", key);
  intent->intended_target = TARGET_TIME;
  return intent;
}

gboolean
work_intend (Work *work, const char *key, guint generation)
{
  g_autoptr (TallyLedgerDelivery) intent = make_intent (key, generation);
  TallyLedgerChange change = work_change (work);
  g_autoptr (GError) error = NULL;
  gboolean taken = TRUE;

  change.intents = &intent;
  change.n_intents = 1;
  change.taken = &taken;
  tally_ledger_commit (work->ledger, &change, NULL, &error);
  assert_no_error (error);
  return !taken;
}

gboolean
work_settle (Work *work, const char *key, TallyDeliveryState state, GError **error)
{
  g_autofree char *id = g_strdup_printf ("id-%s", key);
  const TallyLedgerOutcome outcome = { .key = key,
                                       .generation = 1,
                                       .state = state,
                                       .attempts = 1,
                                       .status = 201,
                                       .target_id = state == TALLY_DELIVERY_DELIVERED ? id : NULL };
  TallyLedgerChange change = work_change (work);

  change.outcomes = &outcome;
  change.n_outcomes = 1;
  return tally_ledger_commit (work->ledger, &change, NULL, error);
}

TallyLedgerDelivery *
work_find (Work *work, const char *key)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) found = tally_ledger_find (work->ledger, work->scope, &key, 1, &error);

  assert_no_error (error);
  return found != NULL && found->len > 0 ? g_steal_pointer (&found->pdata[0]) : NULL;
}

const char *
work_state (Work *work, const char *key)
{
  g_autoptr (TallyLedgerDelivery) delivery = work_find (work, key);

  return delivery != NULL ? tally_delivery_state_name (delivery->state) : "none";
}

/* ---- The program ---- */

int
place_main (const char *suite, const Promise *promises, int argc, char **argv)
{
  g_autofree char *name = NULL;
  g_autoptr (GError) error = NULL;
  int result;

  if (argc < 2)
    {
      fprintf (stderr, "usage: %s sqlite|postgresql|pgbouncer [WORD]\n", argv[0]);
      return 1;
    }
  database = argv[1];
  name = g_strdup_printf ("%s, %s", suite, database);
  folder = g_dir_make_tmp ("tally-ledger-XXXXXX", &error);
  if (folder == NULL)
    g_error ("%s", error->message);
  /* Before GLib looks for it: marks are kept there. */
  g_setenv ("XDG_STATE_HOME", folder, TRUE);
  result = keep_promises (name, promises, argc - 1, argv + 1);
  nftw (folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  g_free (folder);
  return result;
}
