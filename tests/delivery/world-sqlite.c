/* world-sqlite.c: the world with a real ledger, in a file
 *
 * Its clock is the world's.  What it holds is copied into the world's table where the world looks
 * at it.
 */
#include "delivery/hooks.h"
#include "engine/reconcile.h"
#include "world-private.h"
#include <stdlib.h>

struct _WorldSqlite
{
  char *folder; /* (owned) */
  TallyLedger *ledger;
  gint64 scope;
  char *copy; /* (owned) (nullable) */
  gsize length;
};

static gint64
ledger_clock (gpointer data)
{
  return world_ledger_now (data);
}

static void
must (gboolean done, GError *error)
{
  if (!done)
    g_error ("the world's ledger: %s", error->message);
}

static void
open_ledger (WorldSqlite *sqlite)
{
  const TallyScope scope = { "desk.example", "ticket", "desk" };
  g_autofree char *uri = g_strdup_printf ("sqlite:%s/ledger.sqlite", sqlite->folder);
  GError *error = NULL;

  sqlite->ledger = tally_ledger_open (uri, 0, &error);
  must (sqlite->ledger != NULL, error);
  must (tally_ledger_scope (sqlite->ledger, &scope, &sqlite->scope, &error), error);
}

void
world_sqlite_open (World *world)
{
  WorldSqlite *sqlite = g_new0 (WorldSqlite, 1);

  /* Nothing of it need outlive a loss of power. */
  sqlite->folder = g_file_test ("/dev/shm", G_FILE_TEST_IS_DIR)
                       ? g_mkdtemp (g_strdup ("/dev/shm/tally-XXXXXX"))
                       : g_dir_make_tmp ("tally-XXXXXX", NULL);
  g_setenv ("XDG_STATE_HOME", sqlite->folder, TRUE);
  tally_hook_set_ledger_clock (ledger_clock, world);
  open_ledger (sqlite);
  world->sqlite = sqlite;
}

void
world_sqlite_keep (World *world)
{
  WorldSqlite *sqlite = world->sqlite;
  g_autofree char *path = g_build_filename (sqlite->folder, "ledger.sqlite", NULL);
  GError *error = NULL;

  g_clear_pointer (&sqlite->copy, g_free);
  tally_ledger_close (sqlite->ledger); /* then all of it is in the one file */
  must (g_file_get_contents (path, &sqlite->copy, &sqlite->length, &error), error);
  open_ledger (sqlite);
}

gboolean
world_sqlite_has_copy (const World *world)
{
  return world->sqlite->copy != NULL;
}

/* Waits for the lease of a run that was killed to run out. */
static gint64
take_lease (World *world, gint64 ttl, gint64 *ret_last_send)
{
  const char *const names[] = { "pipeline:desk", NULL };
  TallyHolder elsewhere = { (char *)"elsewhere", (char *)"boot", 1, 1, (char *)"run" };
  GError *error = NULL;
  gint64 epoch;

  while (!tally_ledger_acquire (world->sqlite->ledger, names, &elsewhere, ttl, &epoch, ret_last_send,
                                NULL, &error))
    {
      must (g_error_matches (error, TALLY_ERROR, TALLY_ERROR_LEASE), error);
      g_clear_error (&error);
      world_pass_time (world, SECOND);
    }
  return epoch;
}

/* As `tallyman doubt reconcile`, once nothing that was sent can be at work. */
static void
reconcile (World *world, Process *process, const TallyLedgerRun *run)
{
  g_auto (TallyReconciled) result = { 0 };
  g_autoptr (GError) error = NULL;
  const TallyReconcileConfig config = { .sink = &world_updating_sink,
                                        .self = process,
                                        .ctx = process->ctx,
                                        .ledger = world->sqlite->ledger,
                                        .scope = world->sqlite->scope,
                                        .target = "desk.example",
                                        .entity = "ticket",
                                        .origin = "desk",
                                        .run = run,
                                        .epoch = run->epoch,
                                        .lease_ttl = HOUR };

  if (!tally_reconcile_deliveries (&config, &result, &error))
    world_complain (world, "could not reconcile: %s", error->message);
  if (result.missing + result.doubles + result.foreign > 0)
    world_complain (world, "the target and the ledger do not agree after a copy was put back");
}

void
world_sqlite_put_back (World *world)
{
  WorldSqlite *sqlite = world->sqlite;
  g_autofree char *path = g_build_filename (sqlite->folder, "ledger.sqlite", NULL), *position = NULL;
  Process process = { .world = world, .ctx = tally_context_new ("") };
  TallyLedgerRun *run = NULL;
  gint64 epoch, last_send;
  GError *error = NULL;

  world->put_back = TRUE;
  tally_ledger_close (sqlite->ledger);
  must (g_file_set_contents (path, sqlite->copy, (gssize)sqlite->length, &error), error);
  open_ledger (sqlite);
  g_hash_table_remove_all (world->ledger);
  g_hash_table_remove_all (world->first_sent); /* of intents that are lost; their keys come again */
  world_pass_time (world, MAX (world->settings.settle, world->settings.lease_ttl) + SECOND);
  epoch = take_lease (world, HOUR, &last_send);
  must (tally_ledger_begin_run (sqlite->ledger, epoch, "desk", "desk.example", TALLY_RUN_ASIDE, &run,
                                &position, &error),
        error);
  reconcile (world, &process, run);
  must (tally_ledger_end_run (sqlite->ledger, run, "reconciled", "{}", TRUE, &error)
            && tally_ledger_release (sqlite->ledger, epoch, &error),
        error);
  tally_ledger_run_free (run);
  tally_context_free (process.ctx);
}

void
world_sqlite_close (World *world)
{
  WorldSqlite *sqlite = world->sqlite;
  g_autofree char *remove = NULL;

  if (sqlite == NULL)
    return;
  tally_ledger_close (sqlite->ledger);
  tally_hook_set_ledger_clock (NULL, NULL);
  remove = g_strdup_printf ("rm -rf '%s'", sqlite->folder);
  g_spawn_command_line_sync (remove, NULL, NULL, NULL, NULL);
  g_free (sqlite->folder);
  g_free (sqlite->copy);
  g_free (sqlite);
}

gint64
world_sqlite_begin (World *world, Process *process)
{
  gint64 last_send;
  g_autofree char *position = NULL;
  GError *error = NULL;

  process->epoch = take_lease (world, world->settings.lease_ttl, &last_send);
  must (tally_ledger_begin_run (world->sqlite->ledger, process->epoch, "desk", "desk.example",
                                world->pass_over ? 0 : TALLY_RUN_RESUMES, &process->sqlite_run, &position,
                                &error),
        error);
  world->pass_over = FALSE;
  world->lease_epoch = process->epoch;
  process->next = position != NULL ? (guint)atoi (position) : 0;
  process->run = *process->sqlite_run;
  return last_send;
}

void
world_sqlite_end (World *world, Process *process)
{
  g_autoptr (GError) error = NULL;

  if (process->done && world->lease_epoch == process->epoch
      && (!tally_ledger_end_run (world->sqlite->ledger, process->sqlite_run, "complete", "{}",
                                 /* keep_position= */ !world->pass_over, &error)
          || !tally_ledger_release (world->sqlite->ledger, process->epoch, &error)))
    world_complain (world, "the run could not be ended: %s", error->message);
  tally_ledger_run_free (process->sqlite_run);
}

gboolean
world_sqlite_renew (World *world, Process *process, GError **error)
{
  return tally_ledger_renew (world->sqlite->ledger, process->epoch, world->settings.lease_ttl,
                             error);
}

void
world_sqlite_run (World *world, Process *process, TallyErrand *errand, const TallyClock *clock)
{
  if (errand->kind == TALLY_ERRAND_COMMIT && world->fail_commits > 0)
    {
      world->fail_commits--;
      tally_throw (&errand->error, TALLY_ERROR_LEDGER, "the disk is full");
      return;
    }
  tally_errand_run (errand, world->sqlite->ledger, world->sqlite->scope, clock);
}

const char *
world_sqlite_id (World *world)
{
  return tally_ledger_id (world->sqlite->ledger);
}

gint64
world_sqlite_scope (World *world)
{
  return world->sqlite->scope;
}

void
world_sqlite_look (World *world, const char *key)
{
  const char *const keys[] = { key, NULL };
  GError *error = NULL;
  g_autoptr (GPtrArray) found
      = tally_ledger_find (world->sqlite->ledger, world->sqlite->scope, keys, 1, &error);
  TallyLedgerDelivery *row;

  must (found != NULL, error);
  row = g_steal_pointer (&found->pdata[0]);
  if (row != NULL)
    g_hash_table_replace (world->ledger, row->key, row);
}
