/* test-receipts.c: targets that take records as jobs, and are asked later what became of them */
#include "promise.h"
#include "world-private.h"
#include <string.h>

#define N_RECORDS 10

static Record *
record_at (World *world, guint number)
{
  return g_ptr_array_index (world->records, number);
}

static World *
working_world (guint n)
{
  World *world = world_new (1, &world_plain);

  world->settings.jobs = world->settings.updates = TRUE;
  world->settings.job_time = 20 * SECOND;
  world_add_records (world, n);
  return world;
}

static void
run_well (World *world, const char *words)
{
  assert_row_int (words, world_run (world, NULL), TRUE);
}

static void
assert_newest (World *world, const char *words)
{
  assert_row_int (words, world->entities->len, world->records->len);
  world_audit (world, /* may_doubt= */ FALSE);
  assert_row_text (words, world->complaints->str, "");
}

static guint
count_receipts (World *world)
{
  guint n = 0;

  for (guint i = 0; i < world->records->len; i++)
    {
      const TallyLedgerDelivery *row = world_ledger_row (world, i);
      n += row != NULL && row->receipt != NULL;
    }
  return n;
}

/* Dies once all jobs were taken, and the ledger knows their receipts. */
static void
die_with_receipts (World *world)
{
  g_autoptr (Process) process = process_new (world);
  guint n = world->records->len;

  for (guint i = 0; i < 10000 && count_receipts (world) < n; i++)
    process_work (process, 1);
  assert_int (count_receipts (world), n);
  assert_int (process->counts.delivered, 0);
  process->dead = TRUE;
}

static void
test_a_receipt_is_kept_before_the_answer_comes (void)
{
  g_autoptr (World) world = working_world (3);
  TallyCounts counts;

  die_with_receipts (world);
  assert_int (world_ledger_row (world, 0)->state, TALLY_DELIVERY_INTENDED);
  assert_contains (world_ledger_row (world, 0)->receipt, "job ");
  assert_true (world_ledger_row (world, 0)->request != NULL);

  assert_true (world_run (world, &counts));
  assert_int (world->n_requests, 3); /* nothing was sent again, */
  assert_int (world->n_lookups, 3);  /* but each was asked for, */
  assert_int (world->n_asked, 3);    /* by its receipt */
  assert_int (counts.adopted, 3);
  assert_newest (world, "asked");
}

static void
test_the_plain_course_asks_for_nothing (void)
{
  g_autoptr (World) world = working_world (N_RECORDS);
  TallyCounts counts;

  assert_true (world_run (world, &counts));
  assert_int (counts.delivered, N_RECORDS);
  assert_int (world->n_requests, N_RECORDS);
  assert_int (world->n_lookups, 0);
  assert_newest (world, "plain");
}

static void
test_a_lost_answer_is_asked_for (void)
{
  g_autoptr (World) world = working_world (N_RECORDS);

  world_plan (world, 0, DEED_CREATE_SILENT, 0);
  run_well (world, "silent");
  assert_int (world->n_requests, N_RECORDS);
  assert_int (world->n_asked, 1);
  assert_newest (world, "silent");
}

static void
test_a_forgotten_job_is_looked_up (void)
{
  g_autoptr (World) world = working_world (3);

  world->settings.job_life = HOUR;
  die_with_receipts (world);
  world_pass_time (world, 4 * HOUR);
  run_well (world, "G3");
  assert_int (world->n_requests, 3);
  assert_newest (world, "G3");
}

static void
test_a_job_of_which_nothing_came_goes_again (void)
{
  g_autoptr (World) world = working_world (3);

  for (guint i = 0; i < 3; i++)
    world_plan (world, i, DEED_ERROR, 0);
  die_with_receipts (world);
  run_well (world, "G2");
  assert_int (world->n_requests, 6);
  for (guint i = 0; i < 3; i++)
    assert_int (world_ledger_row (world, i)->generation, 2);
  assert_newest (world, "G2");
}

/* Of the new generation the old receipt would say that nothing came of it. */
static void
test_a_new_generation_forgets_the_receipt (void)
{
  g_autoptr (World) world = working_world (1);
  g_autoptr (Process) process = NULL;

  world_plan (world, 0, DEED_ERROR, 0);
  die_with_receipts (world);
  process = process_new (world);
  world->die_at = "after-intent-commit";
  process_work (process, 10000);
  assert_true (process->dead);
  assert_int (world_ledger_row (world, 0)->generation, 2);
  assert_text (world_ledger_row (world, 0)->receipt, NULL);
  g_clear_pointer (&process, process_free);
  run_well (world, "again");
  assert_newest (world, "again");
}

static void
test_a_job_that_refuses_is_a_reject (void)
{
  g_autoptr (World) world = working_world (3);
  TallyCounts counts;

  record_at (world, 1)->bad = TRUE;
  die_with_receipts (world);
  assert_true (world_run (world, &counts));
  assert_int (counts.rejected, 1);
  assert_contains (world_ledger_row (world, 1)->detail, "too short");
  assert_int (world_count_entities (world, 1), 0);

  record_at (world, 1)->bad = FALSE;
  run_well (world, "corrected");
  assert_newest (world, "corrected");
}

/* Of updates, too: done, refused, and one of which nothing came. */
static void
test_updates_are_asked_for_by_receipt (void)
{
  g_autoptr (World) world = working_world (3);
  TallyCounts counts;

  run_well (world, "created");
  for (guint i = 0; i < 3; i++)
    record_at (world, i)->version++;
  record_at (world, 1)->bad = TRUE;
  world_plan (world, 2, DEED_ERROR, 0);
  for (guint i = 0; i < 3; i++)
    g_clear_pointer (&((TallyLedgerDelivery *)world_ledger_row (world, i))->receipt, g_free);
  die_with_receipts (world);
  assert_true (world_run (world, &counts));
  assert_int (world->n_asked, 3);
  assert_int (counts.updated, 2);
  assert_int (counts.rejected, 1);
  assert_int (world->n_updates, 4);
  assert_int (world_version (world, 2), 1);

  record_at (world, 1)->bad = FALSE;
  run_well (world, "corrected");
  assert_newest (world, "corrected");
}

static const char *const points[] = {
  "after-intent-commit", "after-send", "answer-read", "before-outcome-commit", "after-outcome-commit",
  "before-lookup", "after-lookup",
};

static void
test_each_point_by_each_point_of_the_recovery (void)
{
  for (Deed deed = DEED_CREATE; deed <= DEED_ERROR_STORED; deed++)
    for (guint i = 0; i < G_N_ELEMENTS (points); i++)
      for (guint j = 0; j < G_N_ELEMENTS (points); j++)
        {
          g_autoptr (World) world = working_world (5);
          g_autofree char *words
              = g_strdup_printf ("deed %d, %s, then %s", deed, points[i], points[j]);

          for (guint record = 0; record < 5; record++)
            world_plan (world, record, deed, 10 * SECOND);
          for (guint k = 0; k < 2; k++)
            {
              g_autoptr (Process) process = process_new (world);

              world->die_at = k == 0 ? points[i] : points[j];
              world->die_count = 1;
              process_work (process, 10000);
            }
          world->die_at = NULL;
          run_well (world, words);
          assert_newest (world, words);
        }
}

static void
test_many_are_in_flight_at_once (void)
{
  g_autoptr (World) world = working_world (1200);

  world->settings.max_in_flight = 1000;
  world->settings.batch_rows = 500;
  run_well (world, "many");
  assert_int (world->most_at_sink, 1000);
  assert_newest (world, "many");

  g_autoptr (World) most = working_world (4200);
  most->settings.max_in_flight = 100000;
  most->settings.batch_rows = 500;
  run_well (most, "most");
  assert_int (most->most_at_sink, TALLY_GROUP_MOST);
}

/* Also when all their answers are lost, and their bytes are read again at the same time. */
static void
test_large_requests_are_held_within_bounds (void)
{
  g_autoptr (World) world = working_world (150);
  const gsize size = 1 << 20;

  world->settings.max_in_flight = 1000;
  world->settings.batch_rows = 100;
  world->settings.padding = size;
  world->settings.jobs = FALSE;
  for (guint i = 0; i < world->records->len; i++)
    world_plan (world, i, DEED_CREATE_SILENT, 0);
  run_well (world, "large");
  assert_true (world->most_held >= TALLY_HELD_MOST - 2 * size);
  assert_true (world->most_held <= TALLY_HELD_MOST + 2 * size);
  assert_newest (world, "large");
}

static const Promise promises[] = {
  { "the plain course asks for nothing", test_the_plain_course_asks_for_nothing },
  { "G1: a receipt is kept before the answer comes", test_a_receipt_is_kept_before_the_answer_comes },
  { "G1: a lost answer is asked for", test_a_lost_answer_is_asked_for },
  { "G3: a forgotten job is looked up", test_a_forgotten_job_is_looked_up },
  { "G2: a job of which nothing came goes again", test_a_job_of_which_nothing_came_goes_again },
  { "a new generation forgets the receipt", test_a_new_generation_forgets_the_receipt },
  { "G2: a job that refuses is a reject", test_a_job_that_refuses_is_a_reject },
  { "updates are asked for by receipt", test_updates_are_asked_for_by_receipt },
  { "A10: each point, by each point of the recovery", test_each_point_by_each_point_of_the_recovery },
  { "G4: many are in flight at once", test_many_are_in_flight_at_once },
  { "large requests are held within bounds", test_large_requests_are_held_within_bounds },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("delivery receipts", promises, argc, argv);
}
