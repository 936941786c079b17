/* test-rows.c: what the delivery must survive, by the numbers of the protocol */
#include "promise.h"
#include "world-private.h"
#include <string.h>

#define N_RECORDS 10

static World *
small_world (void)
{
  World *world = world_new (1, &world_plain);

  world_add_records (world, N_RECORDS);
  return world;
}

/* Each record exists once, the ledger says so, and nothing was noticed on the way. */
static void
assert_one_each (World *world, const char *words)
{
  for (guint i = 0; i < world->records->len; i++)
    assert_row_int (words, world_count_entities (world, i), 1);
  world_audit (world, /* may_doubt= */ FALSE);
  assert_row_text (words, world->complaints->str, "");
}

static void
run_well (World *world, const char *words)
{
  assert_row_int (words, world_run (world, NULL), TRUE);
}

static void
run_and_die (World *world, const char *point, guint count)
{
  g_autoptr (Process) process = process_new (world);

  world->die_at = point;
  world->die_count = count;
  process_work (process, 10000);
  assert_row_int (point, process->dead, TRUE);
}

/* ---- A: the process dies ---- */

static void
test_plain_course (void)
{
  g_autoptr (World) world = small_world ();
  TallyCounts counts;

  assert_true (world_run (world, &counts));
  assert_one_each (world, "plain");
  assert_int (counts.read, N_RECORDS);
  assert_int (counts.delivered, N_RECORDS);
  assert_int (world->n_requests, N_RECORDS);
  assert_int (world->n_lookups, 0);
  assert_text (world->position, "10");
  assert_text (world_ledger_row (world, 3)->row_origin, "desk.csv:4");
  assert_text (world_ledger_row (world, 3)->reference, "desk:4");
  assert_true (world_ledger_row (world, 3)->request == NULL);

  assert_true (world_run (world, &counts));
  assert_int (counts.unchanged, N_RECORDS);
  assert_int (world->n_requests, N_RECORDS);
}

static const struct
{
  const char *words;
  const char *point;
  guint count;
  Deed deed; /* of each record's first request */
} deaths[] = {
  { "A1: before the intent is committed", "before-intent-commit", 0, DEED_CREATE },
  { "A2: after the intent, before connecting", "after-intent-commit", 0, DEED_CREATE },
  { "A2: just before the send", "before-send", 2, DEED_CREATE },
  { "A3, A4: sent, the server is at work", "after-send", 2, DEED_CREATE },
  { "A4: sent, the server takes long", "after-send", 2, DEED_CREATE_LATE },
  { "A4: sent, and never arrived", "after-send", 2, DEED_LOST },
  { "A5, A6: answered, the ledger does not know", "answer-read", 2, DEED_CREATE },
  { "A6: just before the outcome is written", "before-outcome-commit", 0, DEED_CREATE },
  { "A8: after the outcome is written", "after-outcome-commit", 0, DEED_CREATE },
  { "A8: before the position is written", "before-position", 0, DEED_CREATE },
  { "A8: after the position is written", "after-position", 0, DEED_CREATE },
};

static void
test_a_death_leaves_one_each (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (deaths); i++)
    {
      g_autoptr (World) world = small_world ();

      for (guint record = 0; record < N_RECORDS; record++)
        world_plan (world, record, deaths[i].deed, 50 * SECOND);
      run_and_die (world, deaths[i].point, deaths[i].count);
      if (i < 2)
        assert_row_int (deaths[i].words, world->n_requests, 0);
      run_well (world, deaths[i].words);
      assert_one_each (world, deaths[i].words);
    }
}

static const char *const points[] = {
  "before-intent-commit", "after-intent-commit",   "before-send",          "after-send",
  "answer-read",          "before-outcome-commit", "after-outcome-commit", "before-position",
  "after-position",       "before-lookup",         "after-lookup",
};

/* Kills a run, and the next one, at the points given, if they come by them. */
static void
die_twice (Deed deed, const char *first, const char *second, gint64 between)
{
  g_autoptr (World) world = small_world ();
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
  if (deed == DEED_HALT)
    {
      world_run (world, NULL);
      g_hash_table_remove_all (world->plans);
    }
  run_well (world, words);
  if (deed != DEED_REJECT)
    {
      assert_one_each (world, words);
      return;
    }
  world_audit (world, /* may_doubt= */ FALSE);
  assert_row_text (words, world->complaints->str, "");
}

static void
test_each_point_by_each_deed_by_each_point_of_the_recovery (void)
{
  for (Deed deed = 0; deed <= DEED_HALT; deed++)
    for (guint i = 0; i < G_N_ELEMENTS (points); i++)
      for (guint j = 0; j < G_N_ELEMENTS (points); j++)
        {
          die_twice (deed, points[i], points[j], 0);
          die_twice (deed, points[i], points[j], 3 * HOUR);
        }
}

static void
test_rejects_are_there_once (void)
{
  static const char *const where[]
      = { "before-position", "after-position", "before-intent-commit", "after-send" };

  for (guint i = 0; i < G_N_ELEMENTS (where); i++)
    {
      g_autoptr (World) world = world_new (1, &world_plain);

      world_add_record (world, "one");
      world_add_record (world, "  ");
      world_add_record (world, "one");
      world_add_records (world, 10);
      run_and_die (world, where[i], 0);
      run_well (world, where[i]);
      assert_row_int (where[i], world->rejects->len, 2);
      assert_text (g_ptr_array_index (world->rejects, 0), "desk.csv:2: the key is empty");
      assert_text (g_ptr_array_index (world->rejects, 1),
                   "desk.csv:3: key \"one\" stands at desk.csv:1 and again at desk.csv:3");
      assert_text (world->complaints->str, "");
    }
}

/* Kills the program whenever the record is about to be sent. */
static void
test_a_record_that_ends_the_program_is_set_aside (void)
{
  g_autoptr (World) world = world_new (1, &world_plain);
  TallyCounts counts;
  guint n_deaths = 0;

  world->settings.max_in_flight = 1;
  world_add_records (world, 3);
  while (TRUE)
    {
      g_autoptr (Process) process = process_new (world);

      world->die_at = "before-send";
      world->die_count = 0;
      process_work (process, 10000);
      if (!process->dead)
        {
          counts = process->counts;
          break;
        }
      if (++n_deaths > 40)
        break;
    }
  world->die_at = NULL;
  assert_true (n_deaths <= 3 * (world->settings.attempts + 1));
  assert_int (counts.in_doubt, 3);
  assert_contains (world_ledger_row (world, 0)->detail, "every attempt ended the program");
  assert_int (world->entities->len, 0);

  world_add_records (world, 2);
  assert_true (world_run (world, &counts));
  assert_int (world_count_entities (world, 3) + world_count_entities (world, 4), 2);
  assert_int (counts.in_doubt, 3);
  assert_text (world->complaints->str, "");
}

static void
test_a_stop_drains_and_leaves_the_rest_in_doubt (void)
{
  g_autoptr (World) world = small_world ();
  g_autoptr (Process) process = process_new (world);
  guint64 n_requests;

  world_plan (world, 0, DEED_CREATE_LATE, 50 * SECOND);
  while (world->entities->len < 1)
    process_work (process, 1);
  n_requests = world->n_requests;
  assert_true (n_requests < N_RECORDS);
  tally_dispatcher_stop (process->dispatcher, world->now + 5 * SECOND);
  process_work (process, 10000);
  assert_true (process->done);
  assert_int (world->n_requests, n_requests);
  assert_int (process->counts.in_flight, 0);
  assert_int (world_ledger_row (world, 0)->state, TALLY_DELIVERY_IN_DOUBT);
  assert_contains (world_ledger_row (world, 0)->detail, "before its answer came");
  assert_int (world_ledger_row (world, 1)->state, TALLY_DELIVERY_DELIVERED);
  assert_true (process->counts.in_doubt > 0);
  /* Its answer comes now, too late (B13). */
  world_pass_time (world, MINUTE);
  g_clear_pointer (&process, process_free);
  run_well (world, "A12");
  assert_one_each (world, "A12");
}

static void
test_rows_that_a_step_made_are_counted_apart (void)
{
  g_autoptr (World) world = small_world ();
  g_autoptr (Process) process = NULL;
  TallyCounts counts;

  world->unnested = TRUE;
  process = process_new (world);
  while (world->entities->len < 3)
    process_work (process, 1);
  tally_dispatcher_stop (process->dispatcher, world->now + 5 * SECOND);
  process_work (process, 10000);
  assert_true (process->done);
  assert_text (world->complaints->str, "");
  assert_int (process->counts.added, 6); /* of the batch that was taken as a whole */
  g_clear_pointer (&process, process_free);

  world_add_records (world, N_RECORDS);
  assert_true (world_run (world, &counts));
  assert_one_each (world, "made of one row of each batch");
  assert_true (counts.added > 0);
  assert_int (counts.read + counts.added - counts.filtered + counts.taken_up, counts.delivered + counts.unchanged);
}

static void
test_a_ledger_that_cannot_write_stops_the_sending (void)
{
  g_autoptr (World) world = small_world ();
  g_autoptr (Process) process = process_new (world);

  world->fail_commits = 1000;
  process_work (process, 10000);
  assert_error (process->error, TALLY_ERROR, TALLY_ERROR_LEDGER, "the disk is full");
  assert_int (world->n_requests, 0);
  g_clear_pointer (&process, process_free);

  world->fail_commits = 0;
  process = process_new (world);
  process_work (process, 4);
  world->fail_commits = 1000;
  process_work (process, 3);
  guint64 n_requests = world->n_requests;
  process_work (process, 10000);
  assert_error (process->error, TALLY_ERROR, TALLY_ERROR_LEDGER, "the disk is full");
  assert_int (world->n_requests, n_requests);
  world->fail_commits = 0;
  run_well (world, "E5");
  assert_one_each (world, "E5");
}

/* ---- B: what the network and the target do ---- */

static const struct
{
  const char *words;
  Deed deeds[8]; /* of the first requests of the first record; ended by CREATE */
  gint64 wait;
  gint64 requests, lookups; /* in all; -1: does not matter */
} deeds[] = {
  { "B1: no connection", { DEED_UNSENT, DEED_UNSENT, DEED_UNSENT }, 0, N_RECORDS, 0 },
  { "B2: created, no answer: replay", { DEED_CREATE_SILENT }, 0, N_RECORDS + 1, 0 },
  { "B2: never arrived: replay", { DEED_LOST }, 0, N_RECORDS + 1, 0 },
  { "B2: late: replay", { DEED_CREATE_LATE }, 55 * SECOND, N_RECORDS + 1, 0 },
  { "B3: 500 although it was created: replay", { DEED_CREATE_ERROR }, 0, N_RECORDS + 1, 0 },
  { "B3: 500, not created: replay", { DEED_ERROR, DEED_ERROR }, 0, N_RECORDS + 2, 0 },
  { "B4: 500, not created, stored: next generation", { DEED_ERROR_STORED }, 0, N_RECORDS + 5, 1 },
  { "B5: 429 for half a minute", { DEED_LIMIT }, 30 * SECOND, -1, 0 },
  { "B5: 429 without a wait", { DEED_LIMIT, DEED_LIMIT }, 0, -1, 0 },
  { "B5: 429 for a year", { DEED_LIMIT }, 365 * 24 * HOUR, -1, -1 },
  { "B6: 409", { DEED_CONFLICT, DEED_CONFLICT, DEED_CONFLICT }, 0, N_RECORDS + 3, 0 },
  { "B7: known with another request, and there", { DEED_CREATE_MISMATCH }, 0, N_RECORDS, 1 },
  { "B10: 201 without an id", { DEED_CREATE_ODD }, 0, N_RECORDS + 1, 0 },
  { "C7: 429 for longer than the key's life", { DEED_LIMIT }, 3 * HOUR, -1, -1 },
};

static void
test_a_bad_answer_leaves_one_each (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (deeds); i++)
    {
      g_autoptr (World) world = small_world ();

      for (guint j = 0; deeds[i].deeds[j] != DEED_CREATE; j++)
        world_plan (world, 0, deeds[i].deeds[j], deeds[i].wait);
      run_well (world, deeds[i].words);
      assert_one_each (world, deeds[i].words);
      if (deeds[i].requests >= 0)
        assert_row_int (deeds[i].words, world->n_requests, deeds[i].requests);
      if (deeds[i].lookups >= 0)
        assert_row_int (deeds[i].words, world->n_lookups, deeds[i].lookups);
    }
}

static void
test_a_stored_error_ends_with_the_next_generation (void)
{
  g_autoptr (World) world = small_world ();

  world_plan (world, 0, DEED_ERROR_STORED, 0);
  run_well (world, "B4");
  assert_int (world_ledger_row (world, 0)->generation, 2);
  assert_int (world_ledger_row (world, 1)->generation, 1);
}

static void
test_a_target_that_cannot_be_reached_ends_the_run (void)
{
  g_autoptr (World) world = small_world ();
  g_autoptr (Process) process = process_new (world);

  for (guint i = 0; i < N_RECORDS; i++)
    for (guint j = 0; j < 50; j++)
      world_plan (world, i, DEED_UNSENT, 0);
  process_work (process, 10000);
  assert_error (process->error, TALLY_ERROR, TALLY_ERROR_NETWORK,
                "the target cannot be reached: no route");
  assert_int (process->counts.rejected, 0);
  assert_true (world->now - HOUR < 20 * MINUTE);
  g_hash_table_remove_all (world->plans);
  run_well (world, "B1");
  assert_one_each (world, "B1");
}

/* Silence and refusals, however many, are not the same as a target that is not there. */
static void
test_one_lost_connection_after_much_trouble_is_no_end (void)
{
  g_autoptr (World) world = small_world ();

  world->settings.max_in_flight = 1;
  for (guint i = 0; i < 30; i++)
    world_plan (world, 0, DEED_LIMIT, 0);
  world_plan (world, 0, DEED_UNSENT, 0);
  run_well (world, "B1 after B5");
  assert_one_each (world, "B1 after B5");
}

static void
test_a_rate_limit_holds_for_all (void)
{
  g_autoptr (World) world = small_world ();
  gint64 limited_at, next_at = G_MAXINT64;

  world->settings.max_in_flight = 3;
  world_plan (world, 0, DEED_LIMIT, 40 * SECOND);
  run_well (world, "B5");
  assert_one_each (world, "B5");
  limited_at = g_array_index (world->sent_at, gint64, 0) + SECOND; /* by then the answer is there */
  for (guint i = 0; i < world->sent_at->len; i++)
    if (g_array_index (world->sent_at, gint64, i) > limited_at)
      next_at = MIN (next_at, g_array_index (world->sent_at, gint64, i));
  assert_true (next_at >= limited_at + 38 * SECOND);
}

static void
test_keys_that_do_not_count_are_not_trusted (void)
{
  g_autoptr (World) world = small_world ();

  world->settings.keys_ignored = TRUE;
  for (guint i = 0; i < N_RECORDS; i += 3)
    world_plan (world, i, DEED_CREATE_ERROR, 0);
  run_well (world, "B12");
  assert_one_each (world, "B12");
  assert_int (world->n_lookups, 4);
}

static void
test_a_mismatch_without_a_record_is_a_reject (void)
{
  g_autoptr (World) world = small_world ();
  TallyCounts counts;

  world_plan (world, 0, DEED_MISMATCH, 0);
  assert_true (world_run (world, &counts));
  assert_int (counts.rejected, 1);
  assert_int (world_ledger_row (world, 0)->state, TALLY_DELIVERY_REJECTED);
  assert_contains (world_ledger_row (world, 0)->detail, "another request");
  assert_int (world_count_entities (world, 0), 0);
}

static void
test_a_reject_comes_again_only_when_it_was_corrected (void)
{
  g_autoptr (World) world = small_world ();
  Record *record = g_ptr_array_index (world->records, 2);
  TallyCounts counts;

  record->bad = TRUE;
  assert_true (world_run (world, &counts));
  assert_int (counts.rejected, 1);
  assert_contains (world_ledger_row (world, 2)->detail, "subject: too short");
  assert_true (world_ledger_row (world, 2)->request != NULL);

  assert_true (world_run (world, &counts));
  assert_int (counts.rejected, 1);
  assert_int (counts.unchanged, N_RECORDS - 1);
  assert_int (world->n_requests, N_RECORDS);

  record->bad = FALSE;
  assert_true (world_run (world, &counts));
  assert_int (counts.delivered, 1);
  assert_int (world_ledger_row (world, 2)->generation, 2);
  assert_one_each (world, "B8");
}

static void
test_a_lost_right_ends_the_run_and_rejects_nothing (void)
{
  g_autoptr (World) world = small_world ();
  g_autoptr (Process) process = process_new (world);

  world_plan (world, 5, DEED_HALT, 0);
  process_work (process, 10000);
  assert_error (process->error, TALLY_ERROR, TALLY_ERROR_AUTH, "the token has expired");
  assert_int (process->counts.rejected, 0);
  g_clear_pointer (&process, process_free);
  run_well (world, "B9");
  assert_one_each (world, "B9");
}

static void
test_another_target_is_refused (void)
{
  g_autoptr (World) world = small_world ();
  g_autoptr (Process) process = NULL;

  world->other_target = TRUE;
  process = process_new (world);
  assert_true (process->dispatcher == NULL);
  assert_error (process->error, TALLY_ERROR, TALLY_ERROR_USAGE,
                "begun for target \"desk.example\"");
}

static void
test_two_requests_under_one_key_make_one (void)
{
  for (TallyInFlight in_flight = TALLY_IN_FLIGHT_WAITS; in_flight <= TALLY_IN_FLIGHT_DUPLICATES;
       in_flight++)
    {
      g_autoptr (World) world = small_world ();

      world->settings.in_flight = in_flight;
      for (guint i = 0; i < N_RECORDS; i++)
        world_plan (world, i, DEED_CREATE_LATE, 58 * SECOND);
      run_and_die (world, "after-send", 3);
      run_well (world, "B15");
      assert_one_each (world, "B15");
    }
}

/* ---- C: time ---- */

static const struct
{
  const char *words;
  gint64 pause, ledger_step, target_step;
  gboolean looks;
} pauses[] = {
  { "a minute later: replay", MINUTE, 0, 0, FALSE },
  { "C1: at 1:59:50: look", 2 * HOUR - 10 * SECOND, 0, 0, TRUE },
  { "C1: at 2:00:10: look", 2 * HOUR + 10 * SECOND, 0, 0, TRUE },
  { "C4: three hours later, the ledger says one: look", 3 * HOUR, -2 * HOUR, 0, TRUE },
  { "C4: three hours later, the target says one: look", 3 * HOUR, 0, -2 * HOUR, TRUE },
  { "C4: a minute later, the ledger says ten: look", MINUTE, 10 * HOUR, 0, TRUE },
};

static void
test_the_age_of_a_key_decides (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (pauses); i++)
    {
      g_autoptr (World) world = small_world ();

      world->tells_time = TRUE;
      run_and_die (world, "answer-read", 0);
      world_pass_time (world, pauses[i].pause);
      world->settings.ledger_skew += pauses[i].ledger_step;
      world->settings.target_skew += pauses[i].target_step;
      run_well (world, pauses[i].words);
      assert_one_each (world, pauses[i].words);
      assert_row_int (pauses[i].words, world->n_lookups > 0, pauses[i].looks);
    }
}

static void
test_what_must_wait_is_left_if_told_so (void)
{
  g_autoptr (World) world = small_world ();
  TallyCounts counts;

  world->settings.no_wait = TRUE;
  world->tells_time = TRUE;
  world_plan (world, 0, DEED_CREATE_SILENT, 0);
  assert_true (world_run (world, &counts));
  assert_int (counts.in_doubt, 1);
  assert_int (counts.delivered, N_RECORDS - 1);
  assert_true (world->now - HOUR < 40 * SECOND);
  world_pass_time (world, 2 * MINUTE);
  assert_true (world_run (world, &counts));
  assert_int (counts.in_doubt, 0);
  assert_one_each (world, "--no-wait");
}

static void
test_others_go_on_while_one_settles (void)
{
  g_autoptr (World) world = small_world ();
  gint64 last = 0;

  world_plan (world, 0, DEED_CREATE_SILENT, 0);
  run_well (world, "R14");
  for (guint i = 1; i < N_RECORDS; i++)
    last = MAX (last, ((Entity *)g_ptr_array_index (world->entities, i))->created_at);
  assert_true (last - HOUR < 30 * SECOND);
  assert_one_each (world, "R14");
}

static void
test_without_keys_and_lookups_it_is_held (void)
{
  g_autoptr (World) world = small_world ();
  TallyCounts counts;

  world->settings.key_life = 0;
  world->settings.can_resolve = FALSE;
  world_plan (world, 0, DEED_CREATE_SILENT, 0);
  assert_true (world_run (world, &counts));
  assert_int (counts.in_doubt, 1);
  assert_int (world_count_entities (world, 0), 1);
  assert_contains (world_ledger_row (world, 0)->detail, "the target cannot be asked");
  assert_true (world_run (world, &counts));
  assert_int (counts.in_doubt, 1);
  assert_int (counts.unchanged, N_RECORDS - 1);
  assert_int (world_count_entities (world, 0), 1);
}

/* What a stopped run had not sent yet is known to be unsent: it needs no lookup.  What was at the sink may have been taken. */
static void
test_what_was_never_sent_needs_no_lookup (void)
{
  g_autoptr (World) world = small_world ();
  Process *process;
  TallyCounts counts;

  world->settings.key_life = 0;
  world->settings.keys_ignored = TRUE;
  world->settings.can_resolve = FALSE;
  world->settings.max_in_flight = 1;
  world_plan (world, 0, DEED_CREATE_LATE, 50 * SECOND);
  process = process_new (world);
  while (world->n_requests == 0)
    process_work (process, 1);
  tally_dispatcher_stop (process->dispatcher, world->now + 5 * SECOND);
  process_work (process, 10000);
  assert_true (process->done);
  assert_true (process->counts.in_doubt > 1);
  process_free (process);
  world_pass_time (world, MINUTE);
  assert_true (world_run (world, &counts));
  assert_int (counts.in_doubt, 1);
  for (guint i = 0; i < N_RECORDS; i++)
    assert_int (world_count_entities (world, i), 1);
  assert_int (world->n_lookups, 0);
}

/* A server that refuses for a while, without acting, is no reason to hold anything for ever. */
static void
test_what_was_only_refused_is_sent_by_the_next_run (void)
{
  g_autoptr (World) world = small_world ();
  TallyCounts counts;

  world->settings.key_life = 0;
  world->settings.can_resolve = FALSE;
  for (guint i = 0; i < 20; i++)
    world_plan (world, 0, DEED_CONFLICT, 0);
  assert_true (world_run (world, &counts));
  assert_int (counts.in_doubt, 1);
  assert_int (world_count_entities (world, 0), 0);
  assert_true (world_run (world, &counts));
  assert_int (counts.in_doubt, 0);
  assert_one_each (world, "refused");
}

/* The same, and killed as it is sent: now it may have been. */
static void
test_what_was_never_sent_may_have_been_after_a_crash (void)
{
  g_autoptr (World) world = small_world ();
  TallyCounts counts;

  world->settings.key_life = 0;
  world->settings.can_resolve = FALSE;
  for (guint i = 0; i < 20; i++)
    world_plan (world, 0, DEED_CONFLICT, 0);
  assert_true (world_run (world, &counts));
  run_and_die (world, "after-send", 0);
  world->die_at = NULL;
  assert_true (world_run (world, &counts));
  assert_int (world_count_entities (world, 0), 1);
  assert_int (counts.in_doubt, 1);
}

/* ---- D: two at once ---- */

static void
test_a_run_that_slept_sends_nothing_more (void)
{
  g_autoptr (World) world = small_world ();
  g_autoptr (Process) sleeper = process_new (world);
  g_autoptr (Process) other = NULL;
  guint64 n_requests;

  process_work (sleeper, 4);
  world_pass_time (world, 3 * HOUR);
  other = process_new (world);
  process_work (other, 10000);
  assert_true (other->done);
  n_requests = world->n_requests;
  process_work (sleeper, 10000);
  assert_error (sleeper->error, TALLY_ERROR, TALLY_ERROR_LEASE, "taken the lease");
  assert_int (world->n_requests, n_requests);
  assert_one_each (world, "D2");
}

static void
test_a_run_that_slept_alone_goes_on (void)
{
  g_autoptr (World) world = small_world ();
  g_autoptr (Process) sleeper = process_new (world);

  process_work (sleeper, 4);
  world_pass_time (world, 3 * HOUR);
  process_work (sleeper, 10000);
  assert_true (sleeper->done);
  assert_one_each (world, "C5");
}

/* ---- F: data that changes ---- */

static void
test_an_edited_row_does_not_change_what_is_sent (void)
{
  g_autoptr (World) world = small_world ();
  TallyCounts counts;

  world_plan (world, 0, DEED_LOST, 0);
  run_and_die (world, "after-send", 0);
  ((Record *)g_ptr_array_index (world->records, 0))->version = 7;
  assert_true (world_run (world, &counts));
  assert_one_each (world, "F1");
  assert_int (counts.drifted, 1);
  assert_true (strstr (((Entity *)g_ptr_array_index (world->entities, 0))->body, "\"version\":7")
               == NULL);
  assert_int (counts.read + counts.taken_up, N_RECORDS);
}

static void
test_bytes_are_rendered_once (void)
{
  g_autoptr (World) world = small_world ();

  world->unsteady = 1;
  for (guint i = 0; i < N_RECORDS; i++)
    world_plan (world, i, i % 2 == 0 ? DEED_LOST : DEED_CREATE_SILENT, 0);
  run_and_die (world, "answer-read", 1);
  run_well (world, "F3");
  assert_one_each (world, "F3");
}

static const struct
{
  const char *words;
  const char *keys[16];
  const char *reject;
} duplicates[] = {
  { "F4: in one batch",
    { "a", "b", "a" },
    "desk.csv:3: key \"a\" stands at desk.csv:1 and again at desk.csv:3" },
  { "F4: padded",
    { "a", "b", " a\t" },
    "desk.csv:3: key \"a\" stands at desk.csv:1 and again at desk.csv:3" },
  { "F4: batches apart",
    { "a", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "a" },
    "desk.csv:15: key \"a\" stands at desk.csv:1 and again at desk.csv:15" },
};

static void
test_both_places_of_a_key_are_named (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (duplicates); i++)
    for (guint in_flight = 1; in_flight < 30; in_flight += 7)
      for (guint batch_rows = 1; batch_rows < 20; batch_rows += 6)
        {
          g_autoptr (World) world = world_new (1, &world_plain);
          TallyCounts counts;

          world->settings.max_in_flight = in_flight;
          world->settings.batch_rows = batch_rows;
          for (guint j = 0; duplicates[i].keys[j] != NULL; j++)
            world_add_record (world, duplicates[i].keys[j]);
          for (guint again = 0; again < 2; again++)
            {
              assert_true (world_run (world, &counts));
              assert_int (counts.rejected, 1);
              assert_int (world->rejects->len, 1);
              if (world->rejects->len > 0)
                assert_row_text (duplicates[i].words, g_ptr_array_index (world->rejects, 0),
                                 duplicates[i].reject);
            }
          assert_int (world_count_entities (world, 0), 1);
          assert_text (world->complaints->str, "");
        }
}

/* A mail in another folder; but two of them in one run are two. */
static void
test_records_may_move_between_runs (void)
{
  for (guint move = 0; move < 2; move++)
    for (guint batch_rows = 1; batch_rows < 20; batch_rows += 6)
      {
        g_autoptr (World) world = world_new (1, &world_plain);
        TallyCounts counts;

        world->settings.records_move = move;
        world->settings.batch_rows = batch_rows;
        world_add_records (world, 14);
        assert_true (world_run (world, &counts));
        world->pass_over = FALSE;
        world_add_record (world, ((Record *)g_ptr_array_index (world->records, 0))->key);
        assert_true (world_run (world, &counts));
        assert_row_int (move ? "moves" : "stays", counts.unchanged, move);
        assert_row_int (move ? "moves" : "stays", counts.rejected, !move);

        world->pass_over = FALSE;
        world_add_record (world, "new");
        world_add_records (world, 20);
        world_add_record (world, "new");
        assert_true (world_run (world, &counts));
        assert_row_int ("twice in one run", counts.rejected, 1);
        assert_text (world->complaints->str, "");
      }
}

/* The source is read again in another order while records are in doubt (F5). */
static void
test_another_order_is_the_same_records (void)
{
  g_autoptr (World) world = small_world ();
  TallyCounts counts;

  for (guint i = 0; i < N_RECORDS; i++)
    world_plan (world, i, DEED_CREATE_SILENT, 0);
  run_and_die (world, "after-send", 3);
  for (guint i = 0; i < N_RECORDS / 2; i++)
    {
      gpointer swap = world->records->pdata[i];

      world->records->pdata[i] = world->records->pdata[N_RECORDS - 1 - i];
      world->records->pdata[N_RECORDS - 1 - i] = swap;
    }
  world->pass_over = TRUE; /* from the start */
  assert_true (world_run (world, &counts));
  assert_int (counts.rejected, 0);
  assert_int (counts.read + counts.taken_up, N_RECORDS);
  assert_one_each (world, "F5");
}

/* ---- What the ledger may say of a row ---- */

static TallyLedgerDelivery *
row_of (World *world, guint record)
{
  return (TallyLedgerDelivery *)world_ledger_row (world, record);
}

static void
test_a_user_s_word_counts (void)
{
  g_autoptr (World) world = small_world ();
  TallyCounts counts;

  ((Record *)g_ptr_array_index (world->records, 0))->bad = TRUE;
  ((Record *)g_ptr_array_index (world->records, 1))->bad = TRUE;
  assert_true (world_run (world, &counts));
  assert_int (counts.rejected, 2);
  ((Record *)g_ptr_array_index (world->records, 0))->bad = FALSE;
  row_of (world, 0)->state = TALLY_DELIVERY_RELEASED;
  row_of (world, 1)->state = TALLY_DELIVERY_DISCARDED;
  assert_true (world_run (world, &counts));
  assert_int (counts.delivered, 1);
  assert_int (counts.unchanged, N_RECORDS - 1);
  assert_int (row_of (world, 0)->generation, 2);
  assert_int (world_count_entities (world, 0), 1);
  assert_int (world_count_entities (world, 1), 0);
}

static void
test_a_changed_record_is_drift_not_a_second_one (void)
{
  g_autoptr (World) world = small_world ();
  TallyCounts counts;

  run_well (world, "first");
  ((Record *)g_ptr_array_index (world->records, 0))->version = 3;
  assert_true (world_run (world, &counts));
  assert_int (counts.unchanged, N_RECORDS);
  assert_int (counts.drifted, 1);
  assert_one_each (world, "drift");
}

static void
test_a_row_that_cannot_be_rendered_is_a_reject (void)
{
  g_autoptr (World) world = small_world ();
  TallyCounts counts;

  ((Record *)g_ptr_array_index (world->records, 4))->version = 99;
  assert_true (world_run (world, &counts));
  assert_int (counts.rejected, 1);
  assert_int (counts.delivered, N_RECORDS - 1);
  assert_text (g_ptr_array_index (world->rejects, 0), "desk.csv:5: a version of 99 cannot be sent");
}

static void
test_stored_bytes_that_were_changed_are_not_sent (void)
{
  g_autoptr (World) world = small_world ();
  TallyCounts counts;
  TallyLedgerDelivery *row;

  world_plan (world, 0, DEED_LOST, 0);
  run_and_die (world, "after-send", 0);
  row = row_of (world, 0);
  g_bytes_unref (row->request);
  row->request = g_bytes_new_static ("{}", 2);
  assert_true (world_run (world, &counts));
  assert_int (counts.in_doubt, 1);
  assert_int (world_count_entities (world, 0), 0);
  assert_contains (row_of (world, 0)->detail, "not the one that was sent");
}

/* Another program delivers the first record just before our intent for it is written (D8). */
static void
be_first (World *world, const char *point)
{
  TallyLedgerDelivery row = { .key = (char *)"1",
                              .generation = 1,
                              .state = TALLY_DELIVERY_DELIVERED,
                              .idempotency_key = (char *)"other",
                              .row_origin = (char *)"desk.csv:1",
                              .reference = (char *)"desk:1",
                              .target_id = (char *)"4711" };
  TallyLedgerDelivery *copy;

  if (!g_str_equal (point, "before-intent-commit") || world_look (world, "1") != NULL)
    return;
  copy = world_copy_row (&row);
  g_hash_table_insert (world->ledger, copy->key, copy);
}

static void
test_another_writer_s_record_is_not_sent (void)
{
  g_autoptr (World) world = small_world ();
  TallyCounts counts;

  world->meddle = be_first;
  assert_true (world_run (world, &counts));
  assert_int (counts.unchanged, 1);
  assert_int (counts.delivered, N_RECORDS - 1);
  assert_int (world_count_entities (world, 0), 0);
  assert_text (row_of (world, 0)->target_id, "4711");
}

/* ---- The sink's manners ---- */

static void
test_a_broken_sink_ends_the_run (void)
{
  g_autoptr (World) world = small_world ();
  g_autoptr (Process) process = process_new (world);

  world->sink_breaks = TRUE;
  process_work (process, 10000);
  assert_error (process->error, TALLY_ERROR, TALLY_ERROR_NETWORK, "the socket is gone for good");
  g_clear_pointer (&process, process_free);
  world->sink_breaks = FALSE;
  run_well (world, "again");
  assert_one_each (world, "again");
}

static void
test_the_wait_is_explained (void)
{
  g_autoptr (World) world = small_world ();
  g_autoptr (Process) process = process_new (world);
  const char *why = NULL;

  world_plan (world, 0, DEED_CREATE_SILENT, 0);
  for (guint i = 0; i < 10000 && why == NULL && process_is_at_work (process); i++)
    {
      process_work (process, 1);
      if (process_is_at_work (process))
        tally_dispatcher_waiting (process->dispatcher, &why);
    }
  assert_text (why, "until the target can be asked about lost answers");
}

static const Promise promises[] = {
  { "plain course: each record once, nothing asked twice", test_plain_course },
  { "A1 to A8: a death leaves one each", test_a_death_leaves_one_each },
  { "A9, F4: rejects are there once", test_rejects_are_there_once },
  { "A10: each point, by each deed, by each point of the recovery",
    test_each_point_by_each_deed_by_each_point_of_the_recovery },
  { "A11: a record that ends the program is set aside",
    test_a_record_that_ends_the_program_is_set_aside },
  { "rows that a step made are counted apart", test_rows_that_a_step_made_are_counted_apart },
  { "A12, B13: a stop drains, and leaves the rest in doubt",
    test_a_stop_drains_and_leaves_the_rest_in_doubt },
  { "A13, E5, R13: a ledger that cannot write stops the sending",
    test_a_ledger_that_cannot_write_stops_the_sending },
  { "B1 to B10, C7: a bad answer leaves one each", test_a_bad_answer_leaves_one_each },
  { "B1: a target that cannot be reached ends the run",
    test_a_target_that_cannot_be_reached_ends_the_run },
  { "B1: one lost connection after much trouble is no end",
    test_one_lost_connection_after_much_trouble_is_no_end },
  { "B4: a stored error ends with the next generation",
    test_a_stored_error_ends_with_the_next_generation },
  { "B5: a rate limit holds for all", test_a_rate_limit_holds_for_all },
  { "B12: keys that do not count are not trusted", test_keys_that_do_not_count_are_not_trusted },
  { "B7: a mismatch without a record is a reject", test_a_mismatch_without_a_record_is_a_reject },
  { "B8: a reject comes again only when it was corrected",
    test_a_reject_comes_again_only_when_it_was_corrected },
  { "B9: a lost right ends the run, and rejects nothing",
    test_a_lost_right_ends_the_run_and_rejects_nothing },
  { "B14: another target is refused", test_another_target_is_refused },
  { "B15: two requests under one key make one", test_two_requests_under_one_key_make_one },
  { "C1, C3, C4: the age of a key decides", test_the_age_of_a_key_decides },
  { "R14: what must wait is left, if told so", test_what_must_wait_is_left_if_told_so },
  { "R14: others go on while one settles", test_others_go_on_while_one_settles },
  { "R6: without keys and lookups it is held", test_without_keys_and_lookups_it_is_held },
  { "A12, R6: what was never sent needs no lookup", test_what_was_never_sent_needs_no_lookup },
  { "B5, R6: what was only refused is sent by the next run", test_what_was_only_refused_is_sent_by_the_next_run },
  { "A2, R6: what was never sent may have been after a crash", test_what_was_never_sent_may_have_been_after_a_crash },
  { "D2, R7: a run that slept sends nothing more", test_a_run_that_slept_sends_nothing_more },
  { "C5: a run that slept alone goes on", test_a_run_that_slept_alone_goes_on },
  { "F1: an edited row does not change what is sent",
    test_an_edited_row_does_not_change_what_is_sent },
  { "F3: bytes are rendered once", test_bytes_are_rendered_once },
  { "F4: both places of a key are named", test_both_places_of_a_key_are_named },
  { "records may move between runs", test_records_may_move_between_runs },
  { "F5: another order is the same records", test_another_order_is_the_same_records },
  { "a user's word counts", test_a_user_s_word_counts },
  { "F1: a changed record is drift, not a second one",
    test_a_changed_record_is_drift_not_a_second_one },
  { "a row that cannot be rendered is a reject", test_a_row_that_cannot_be_rendered_is_a_reject },
  { "E8, R3: stored bytes that were changed are not sent",
    test_stored_bytes_that_were_changed_are_not_sent },
  { "D8: another writer's record is not sent", test_another_writer_s_record_is_not_sent },
  { "a broken sink ends the run", test_a_broken_sink_ends_the_run },
  { "the wait is explained", test_the_wait_is_explained },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("delivery rows", promises, argc, argv);
}
