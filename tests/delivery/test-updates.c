/* test-updates.c: records that change after they were delivered
 *
 * Each is brought to its newest state in the target, and never made a second time.
 */
#include "promise.h"
#include "world-private.h"
#include <string.h>

#define N_RECORDS 10

static Record *
record_at (World *world, guint number)
{
  return g_ptr_array_index (world->records, number);
}

static void
change_all (World *world)
{
  for (guint i = 0; i < world->records->len; i++)
    record_at (world, i)->version++;
}

static void
run_well (World *world, const char *words)
{
  assert_row_int (words, world_run (world, NULL), TRUE);
}

/* A target that can update, and has all records; then all of them change. */
static World *
changed_world (void)
{
  World *world = world_new (1, &world_plain);

  world->settings.updates = TRUE;
  world_add_records (world, N_RECORDS);
  run_well (world, "first");
  assert_int (world->n_requests, N_RECORDS);
  change_all (world);
  return world;
}

static void
assert_all_updated (World *world, const char *words)
{
  assert_row_int (words, world->entities->len, N_RECORDS);
  for (guint i = 0; i < world->records->len; i++)
    assert_row_int (words, world_version (world, i), record_at (world, i)->version);
  world_audit (world, /* may_doubt= */ FALSE);
  assert_row_text (words, world->complaints->str, "");
}

static void
test_what_changed_is_updated_and_nothing_else_is_sent (void)
{
  g_autoptr (World) world = world_new (1, &world_plain);
  g_autofree char *id = NULL;
  TallyCounts counts;

  world->settings.updates = TRUE;
  world_add_records (world, N_RECORDS);
  run_well (world, "first");
  id = g_strdup (world_ledger_row (world, 3)->target_id);
  record_at (world, 3)->version = 1;
  assert_true (world_run (world, &counts));
  assert_int (counts.read, N_RECORDS);
  assert_int (counts.delivered, 1);
  assert_int (counts.updated, 1);
  assert_int (counts.unchanged, N_RECORDS - 1);
  assert_int (counts.drifted, 0);
  assert_int (world->n_requests, N_RECORDS + 1);
  assert_int (world->n_lookups, 0);
  assert_int (world_ledger_row (world, 3)->generation, 2);
  assert_text (world_ledger_row (world, 3)->target_id, id);
  assert_true (world_ledger_row (world, 3)->request == NULL);
  assert_all_updated (world, "one");

  assert_true (world_run (world, &counts));
  assert_int (counts.unchanged, N_RECORDS);
  assert_int (world->n_requests, N_RECORDS + 1);
}

static void
test_a_change_with_nothing_to_send_is_none (void)
{
  g_autoptr (World) world = world_new (1, &world_plain);
  g_autofree char *before = NULL;
  TallyCounts counts;

  world->settings.updates = TRUE;
  world_add_records (world, N_RECORDS);
  run_well (world, "first");
  before = g_strdup (world_ledger_row (world, 0)->content_hash);
  record_at (world, 0)->version = 4;
  assert_true (world_is_idle_version (4));
  for (guint i = 0; i < 2; i++)
    {
      assert_true (world_run (world, &counts));
      assert_int (counts.unchanged, N_RECORDS);
      assert_int (counts.drifted, 0);
      assert_int (world->n_requests, N_RECORDS);
    }
  assert_true (strcmp (world_ledger_row (world, 0)->content_hash, before) != 0);
  assert_int (world_ledger_row (world, 0)->generation, 1);

  record_at (world, 0)->version = 5;
  run_well (world, "something again");
  assert_all_updated (world, "something again");
}

static void
test_a_rejected_update_is_corrected_by_an_update (void)
{
  g_autoptr (World) world = changed_world ();
  TallyCounts counts;

  record_at (world, 2)->bad = TRUE;
  for (guint i = 0; i < 2; i++)
    {
      assert_true (world_run (world, &counts));
      assert_int (counts.rejected, 1);
      assert_int (world->n_requests, 2 * N_RECORDS);
    }
  assert_true (world_ledger_row (world, 2)->target_id != NULL);
  assert_true (world_ledger_row (world, 2)->request != NULL);
  assert_int (world_version (world, 2), 0);

  record_at (world, 2)->bad = FALSE;
  assert_true (world_run (world, &counts));
  assert_int (counts.updated, 1);
  assert_int (world_ledger_row (world, 2)->generation, 3);
  assert_all_updated (world, "corrected");
}

static void
test_a_rejected_update_that_became_needless_is_settled (void)
{
  g_autoptr (World) world = changed_world ();
  TallyCounts counts;

  record_at (world, 2)->bad = TRUE;
  run_well (world, "rejected");
  record_at (world, 2)->bad = FALSE;
  record_at (world, 2)->version = 4;
  assert_true (world_run (world, &counts));
  assert_int (counts.unchanged, N_RECORDS);
  assert_int (world_ledger_row (world, 2)->state, TALLY_DELIVERY_DELIVERED);
  assert_true (world_ledger_row (world, 2)->target_id != NULL);
  assert_text (world->complaints->str, "");
}

static void
test_what_the_target_has_is_never_created_again (void)
{
  g_autoptr (World) world = changed_world ();
  TallyCounts counts;

  record_at (world, 0)->bad = record_at (world, 1)->bad = TRUE;
  run_well (world, "two rejected");
  assert_int (world->n_requests, 2 * N_RECORDS);
  record_at (world, 0)->bad = record_at (world, 1)->bad = FALSE;
  ((TallyLedgerDelivery *)world_ledger_row (world, 1))->state = TALLY_DELIVERY_RELEASED;

  /* A release, or an option, without updates. */
  world->settings.updates = FALSE;
  assert_true (world_run (world, &counts));
  assert_int (counts.rejected, 1);
  assert_int (counts.unchanged, N_RECORDS - 1);
  assert_int (counts.drifted, 1);
  assert_int (world->n_requests, 2 * N_RECORDS);

  world->settings.updates = TRUE;
  assert_true (world_run (world, &counts));
  assert_int (counts.updated, 2);
  assert_all_updated (world, "both");
}

/* ---- What the network and the target do ---- */

static const struct
{
  const char *words;
  Deed deeds[8]; /* of the first update's requests; ended by CREATE */
  gint64 wait;
  gint64 requests; /* of updates, in all; -1: does not matter */
} deeds[] = {
  { "B1: no connection", { DEED_UNSENT, DEED_UNSENT }, 0, N_RECORDS },
  { "B2: done, no answer", { DEED_CREATE_SILENT }, 0, N_RECORDS + 1 },
  { "B2: never arrived", { DEED_LOST, DEED_LOST }, 0, N_RECORDS + 2 },
  { "B2: late", { DEED_CREATE_LATE }, 55 * SECOND, N_RECORDS + 1 },
  { "B3: 500 although it was done", { DEED_CREATE_ERROR }, 0, N_RECORDS + 1 },
  { "B4: 500, not done", { DEED_ERROR, DEED_ERROR_STORED }, 0, N_RECORDS + 2 },
  { "B5: 429 for half a minute", { DEED_LIMIT }, 30 * SECOND, -1 },
  { "B6: 409", { DEED_CONFLICT, DEED_CONFLICT, DEED_CONFLICT }, 0, N_RECORDS + 3 },
  { "B10: 200 without an id", { DEED_CREATE_ODD }, 0, N_RECORDS + 1 },
  { "R9: answered for another", { DEED_OTHER }, 0, N_RECORDS + 1 },
  { "C7: 429 for longer than the key's life", { DEED_LIMIT }, 3 * HOUR, -1 },
};

static void
test_a_bad_answer_leaves_the_newest_state (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (deeds); i++)
    {
      g_autoptr (World) world = changed_world ();

      for (guint j = 0; deeds[i].deeds[j] != DEED_CREATE; j++)
        world_plan (world, 0, deeds[i].deeds[j], deeds[i].wait);
      run_well (world, deeds[i].words);
      assert_all_updated (world, deeds[i].words);
      assert_row_int (deeds[i].words, world->n_lookups, 0);
      if (deeds[i].requests >= 0)
        assert_row_int (deeds[i].words, world->n_updates, deeds[i].requests);
    }
}

static void
test_what_was_deleted_stays_deleted (void)
{
  g_autoptr (World) world = changed_world ();
  TallyCounts counts;

  world_plan (world, 0, DEED_GONE, 0);
  world_plan (world, 1, DEED_MISMATCH, 0);
  assert_true (world_run (world, &counts));
  assert_int (counts.rejected, 2);
  assert_true (world_ledger_row (world, 0)->target_id != NULL);
  assert_int (world->entities->len, N_RECORDS);
  assert_text (world->complaints->str, "");
}

static void
test_each_run_tries_an_update_anew (void)
{
  g_autoptr (World) world = changed_world ();
  TallyCounts counts;

  for (guint i = 0; i < 2 * world->settings.attempts; i++)
    world_plan (world, 0, DEED_CREATE_SILENT, 0);
  for (guint i = 0; i < 2; i++)
    {
      assert_true (world_run (world, &counts));
      assert_int (counts.in_doubt, 1);
      assert_contains (world_ledger_row (world, 0)->detail, "as often as it may be in one run");
      assert_int (world_ledger_row (world, 0)->state, TALLY_DELIVERY_IN_DOUBT);
    }
  run_well (world, "third");
  assert_all_updated (world, "third");
}

static void
test_an_update_that_is_always_busy_ends_in_doubt (void)
{
  g_autoptr (World) world = changed_world ();
  TallyCounts counts;

  for (guint i = 0; i < 20; i++)
    world_plan (world, 0, DEED_CONFLICT, 0);
  assert_true (world_run (world, &counts));
  assert_int (counts.in_doubt, 1);
  run_well (world, "free again");
  assert_all_updated (world, "free again");
}

/* ---- The process dies ---- */

static const char *const points[] = {
  "before-intent-commit", "after-intent-commit",  "before-send",     "after-send",    "answer-read",
  "before-outcome-commit", "after-outcome-commit", "before-position", "after-position",
};

static void
die_twice (Deed deed, const char *first, const char *second, gint64 between)
{
  g_autoptr (World) world = changed_world ();
  g_autofree char *words = g_strdup_printf ("A10: deed %d, %s, then %s", deed, first, second);

  for (guint record = 0; record < N_RECORDS; record++)
    world_plan (world, record, deed, 10 * SECOND);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (Process) process = process_new (world);

      world->die_at = i == 0 ? first : second;
      world->die_count = 1;
      process_work (process, 10000);
      world_pass_time (world, between);
    }
  world->die_at = NULL;
  run_well (world, words);
  assert_all_updated (world, words);
  assert_row_int (words, world->n_lookups, 0);
}

static void
test_each_point_by_each_deed_by_each_point_of_the_recovery (void)
{
  for (Deed deed = 0; deed <= DEED_CONFLICT; deed++)
    for (guint i = 0; i < G_N_ELEMENTS (points); i++)
      for (guint j = 0; j < G_N_ELEMENTS (points); j++)
        {
          die_twice (deed, points[i], points[j], 0);
          die_twice (deed, points[i], points[j], 3 * HOUR);
        }
}

static void
test_an_update_that_ends_the_program_is_set_aside (void)
{
  g_autoptr (World) world = changed_world ();
  TallyCounts counts = { 0 };
  guint n_deaths = 0;

  world->settings.max_in_flight = 1;
  for (; n_deaths < 100; n_deaths++)
    {
      g_autoptr (Process) process = process_new (world);

      world->die_at = "before-send";
      world->die_count = 0;
      process_work (process, 10000);
      counts = process->counts;
      if (!process->dead)
        break;
    }
  world->die_at = NULL;
  assert_true (n_deaths <= N_RECORDS * (world->settings.attempts + 1));
  assert_int (counts.in_doubt, N_RECORDS);
  assert_contains (world_ledger_row (world, 0)->detail, "set aside");
  assert_int (world->n_updates, 0);
}

/* The row changes again while its update is in doubt: first what was stored, then the newest. */
static void
test_a_change_follows_what_was_stored (void)
{
  static const char *const where[] = { "after-intent-commit", "after-send" };

  for (guint i = 0; i < G_N_ELEMENTS (where); i++)
    for (guint silent = 0; silent < 2; silent++)
      {
        g_autoptr (World) world = changed_world ();
        g_autoptr (Process) process = process_new (world);

        world_plan (world, 0, silent ? DEED_CREATE_SILENT : DEED_CREATE_LATE, 50 * SECOND);
        world->die_at = where[i];
        process_work (process, 10000);
        assert_row_int (where[i], process->dead, TRUE);
        g_clear_pointer (&process, process_free);
        change_all (world);
        world->die_at = NULL;
        run_well (world, where[i]);
        assert_all_updated (world, where[i]);
        assert_row_int (where[i], world_ledger_row (world, 0)->generation, 3);
      }
}

/* The newer row waits for what is in doubt; the run is stopped meanwhile, and nothing is counted twice. */
static void
test_a_stop_while_a_change_waits (void)
{
  g_autoptr (World) world = changed_world ();
  g_autoptr (Process) process = process_new (world);

  world_plan (world, 0, DEED_CREATE_LATE, 50 * SECOND);
  world->die_at = "after-send";
  process_work (process, 10000);
  assert_true (process->dead);
  g_clear_pointer (&process, process_free);
  change_all (world);
  world->die_at = NULL;
  process = process_new (world);
  process_work (process, 20);
  tally_dispatcher_stop (process->dispatcher, world->now + SECOND);
  process_work (process, 10000);
  assert_true (process->done);
  assert_text (world->complaints->str, "");
  g_clear_pointer (&process, process_free);
  run_well (world, "stopped");
  assert_all_updated (world, "stopped");
}

/* In doubt when its run was killed, made by the next one before its row comes, and that lies elsewhere by then and has changed. */
static void
test_a_record_that_moved_while_it_was_in_doubt_is_updated (void)
{
  g_autoptr (World) world = world_new (1, &world_plain);
  TallyCounts counts;
  Record *moved;

  world->settings.updates = TRUE;
  world->settings.records_move = TRUE;
  world->settings.batch_rows = 2;
  world->settings.max_in_flight = 2;
  world_add_records (world, 40);
  world_plan (world, 0, DEED_LOST, 0);
  world->die_at = "after-send";
  world->die_count = 0;
  assert_true (!world_run (world, NULL));
  world->die_at = NULL;
  world_pass_time (world, 3 * HOUR);
  moved = g_ptr_array_steal_index (world->records, 0);
  g_ptr_array_add (world->records, moved);
  moved->version++;
  assert_true (world_run (world, &counts));
  assert_int (counts.rejected, 0);
  assert_int (world_version (world, 39), moved->version);
  assert_text (world->complaints->str, "");
}

static const Promise promises[] = {
  { "what changed is updated, and nothing else is sent",
    test_what_changed_is_updated_and_nothing_else_is_sent },
  { "a change with nothing to send is none", test_a_change_with_nothing_to_send_is_none },
  { "B8: a rejected update is corrected by an update",
    test_a_rejected_update_is_corrected_by_an_update },
  { "a rejected update that became needless is settled",
    test_a_rejected_update_that_became_needless_is_settled },
  { "what the target has is never created again", test_what_the_target_has_is_never_created_again },
  { "B1 to B10, C7: a bad answer leaves the newest state",
    test_a_bad_answer_leaves_the_newest_state },
  { "G10: what was deleted stays deleted", test_what_was_deleted_stays_deleted },
  { "each run tries an update anew", test_each_run_tries_an_update_anew },
  { "an update that is always busy ends in doubt", test_an_update_that_is_always_busy_ends_in_doubt },
  { "A10: each point, by each deed, by each point of the recovery",
    test_each_point_by_each_deed_by_each_point_of_the_recovery },
  { "A11: an update that ends the program is set aside",
    test_an_update_that_ends_the_program_is_set_aside },
  { "F1: a change follows what was stored", test_a_change_follows_what_was_stored },
  { "A12: a stop while a change waits", test_a_stop_while_a_change_waits },
  { "a record that moved while it was in doubt is updated", test_a_record_that_moved_while_it_was_in_doubt_is_updated },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("delivery updates", promises, argc, argv);
}
