/* test-engine.c: the parts of a run that need no plugin */
#include "engine/backoff.h"
#include "engine/queue.h"
#include "engine/run.h"
#include "engine/schedule.h"
#include "promise.h"

static TallyBatch *
new_batch (void)
{
  const TallyColumn column = { "id", TALLY_TYPE_BIGINT };
  g_autoptr (TallySchema) schema = tally_schema_new (&column, 1);

  return tally_batch_new (schema, 4);
}

static void
test_waits_double_up_to_the_ceiling (void)
{
  const TallyBackoff backoff = { .base = 100, .ceiling = 1000, .tries = 6 };
  const gint64 expected[] = { 100, 200, 400, 800, 1000 };
  gint64 wait = -1;

  for (guint attempt = 1; attempt <= G_N_ELEMENTS (expected); attempt++)
    {
      assert_true (tally_backoff_next (&backoff, attempt, &wait));
      assert_int (wait, expected[attempt - 1]);
    }
  assert_true (!tally_backoff_next (&backoff, 6, &wait));
  assert_int (wait, 1000);
}

static void
test_waits_for_ever_do_not_overflow (void)
{
  const TallyBackoff backoff = { .base = 1, .ceiling = G_MAXINT64 / 4, .tries = 0 };
  gint64 wait = 0;

  assert_true (tally_backoff_next (&backoff, 4000, &wait));
  assert_int (wait, G_MAXINT64 / 4);
}

static gpointer
push_three (gpointer data)
{
  guint n_pushed = 0;

  for (guint i = 0; i < 3; i++)
    n_pushed += tally_queue_push (data, new_batch ());
  return GUINT_TO_POINTER (n_pushed);
}

static void
test_a_full_queue_slows_the_writer (void)
{
  g_autoptr (TallyQueue) queue = tally_queue_new (1);
  GThread *writer = g_thread_new ("writer", push_three, queue);

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (TallyBatch) batch = tally_queue_pop (queue, -1);
      assert_true (batch != NULL);
    }
  assert_int (GPOINTER_TO_UINT (g_thread_join (writer)), 3);
  assert_true (!tally_queue_is_over (queue));
  tally_queue_close (queue);
  assert_true (tally_queue_is_over (queue));
}

static void
test_an_aborted_queue_lets_its_writer_go (void)
{
  g_autoptr (TallyQueue) queue = tally_queue_new (1);
  GThread *writer = g_thread_new ("writer", push_three, queue);

  g_autoptr (TallyBatch) first G_GNUC_UNUSED = tally_queue_pop (queue, -1);
  tally_queue_abort (queue);
  assert_true (GPOINTER_TO_UINT (g_thread_join (writer)) < 3);
  assert_true (tally_queue_pop (queue, -1) == NULL);
}

static void
test_an_empty_queue_is_waited_for_only_so_long (void)
{
  g_autoptr (TallyQueue) queue = tally_queue_new (1);

  assert_true (tally_queue_pop (queue, 1000) == NULL);
  assert_true (!tally_queue_is_over (queue));
}

static void
test_rejects_are_held_against_the_limit (void)
{
  const struct
  {
    const char *label;
    gint64 limit;
    double percent;
    guint64 read, rejected;
    gboolean at_end, within;
  } rows[] = {
    { "none allowed, none there", 0, 100, 10, 0, TRUE, TRUE },
    { "none allowed, one there", 0, 100, 10, 1, FALSE, FALSE },
    { "as many as allowed", 5, 100, 10, 5, TRUE, TRUE },
    { "one more than allowed", 5, 100, 10, 6, FALSE, FALSE },
    { "a share of few records is not judged on the way", G_MAXINT64, 1, 10, 1, FALSE, TRUE },
    { "but at the end", G_MAXINT64, 1, 10, 1, TRUE, FALSE },
    { "a share of many records is judged on the way", G_MAXINT64, 1, 1000, 11, FALSE, FALSE },
    { "exactly the share", G_MAXINT64, 1, 1000, 10, TRUE, TRUE },
    { "nothing read", G_MAXINT64, 0, 0, 0, TRUE, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      TallyPipeline pipeline = { .reject_limit = rows[i].limit, .reject_percent = rows[i].percent };
      TallyCounts counts = { .read = rows[i].read, .rejected = rows[i].rejected };
      g_autoptr (GError) error = NULL;

      assert_row_int (rows[i].label,
                      tally_rejects_within_limit (&pipeline, &counts, rows[i].at_end, &error),
                      rows[i].within);
      assert_row_int (rows[i].label, error == NULL, rows[i].within);
    }
}

static void
test_a_checkpoint_comes_back (void)
{
  const TallyReject reject = { (char *)"a\xff.csv:1", (char *)"source", (char *)"\"x\"\n", (char *)"{\"a\": 1}" };
  TallyCheckpoint checkpoint
      = { .pass = G_MAXINT64, .run = 3, .position = (char *)"1 ü\n\"2\"", .complete = TRUE, .n_rejects_before = 7 }, back;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL, *again = NULL;

  checkpoint.rejects = g_array_new (FALSE, FALSE, sizeof (TallyReject));
  g_array_append_val (checkpoint.rejects, reject);
  text = tally_checkpoint_format (&checkpoint);
  assert_true (tally_checkpoint_parse (text, &back, &error));
  assert_no_error (error);
  assert_true (back.pass == G_MAXINT64 && back.run == 3 && back.complete && back.n_rejects_before == 7);
  assert_text (back.position, checkpoint.position);
  assert_text (g_array_index (back.rejects, TallyReject, 0).origin, "a\xef\xbf\xbd.csv:1");
  assert_text (g_array_index (back.rejects, TallyReject, 0).reason, reject.reason);
  again = tally_checkpoint_format (&back);
  tally_checkpoint_clear (&back);

  checkpoint.position = NULL;
  g_array_set_size (checkpoint.rejects, 0);
  g_free (text);
  text = tally_checkpoint_format (&checkpoint);
  assert_true (tally_checkpoint_parse (text, &back, &error));
  assert_true (back.position == NULL && back.rejects->len == 0);
  tally_checkpoint_clear (&back);
  g_array_unref (checkpoint.rejects);
}

static void
test_what_is_no_checkpoint_is_refused (void)
{
  static const char *const texts[] = {
    "", "x", "[]", "{}", "{\"pass\":\"1\",\"run\":1,\"position\":null,\"complete\":true,\"rejects_before\":0,\"rejects\":[]}",
    "{\"pass\":1,\"position\":null,\"complete\":true,\"rejects_before\":0,\"rejects\":[]}",
    "{\"pass\":1,\"run\":1,\"position\":null,\"complete\":true,\"rejects_before\":0,\"rejects\":[{\"origin\":\"a\"}]}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      TallyCheckpoint checkpoint;

      assert_row_int (texts[i], tally_checkpoint_parse (texts[i], &checkpoint, &error), FALSE);
      assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, "checkpoint");
    }
}

static void
test_rows_that_steps_made_count_for_the_share (void)
{
  TallyPipeline pipeline = { .reject_limit = G_MAXINT64, .reject_percent = 50 };
  TallyCounts counts = { .read = 1, .added = 9, .rejected = 5 };
  g_autoptr (GError) error = NULL;

  assert_true (tally_rejects_within_limit (&pipeline, &counts, /* at_end= */ TRUE, &error));
  counts.added = 8;
  assert_true (!tally_rejects_within_limit (&pipeline, &counts, /* at_end= */ TRUE, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LIMIT, "55.6 % of the records were rejected");
}

static void
collect (const char *message, gpointer data)
{
  g_ptr_array_add (data, g_strdup (message));
}

static void
test_equal_warnings_are_shown_once_and_counted (void)
{
  g_autoptr (GPtrArray) shown = g_ptr_array_new_with_free_func (g_free);
  TallyWarnings *warnings = tally_warnings_new (collect, shown);

  tally_warnings_add ("tags were dropped", warnings);
  tally_warnings_add ("tags were dropped", warnings);
  tally_warnings_add ("a member is unknown", warnings);
  assert_int (shown->len, 2);
  tally_warnings_free (warnings);
  assert_int (shown->len, 3);
  assert_text (g_ptr_array_index (shown, 2), "tags were dropped (2 times)");
}

/* Ten a minute; from 8 to 18 h half of them are left to others, from 22 h on all but one. */
static void
test_requests_take_as_long_as_the_limit_lets_them (void)
{
  static const struct
  {
    const char *label;
    guint64 n;
    gint64 limit, hour, seconds;
  } rows[] = {
    { "none", 0, 10, 0, 0 },
    { "one", 1, 10, 0, 6 },
    { "a minute's worth", 10, 10, 0, 60 },
    { "by day", 10, 10, 9, 120 },
    { "into the day", 900, 10, 7, 3600 + 3600 },
    { "at night one a minute goes, whatever the reserve", 3, 10, 22, 180 },
    { "over midnight", 61, 10, 23, 3600 + 6 },
    { "a limit of one", 2, 1, 9, 120 },
    { "a day", 4800 + 3000 + 2400 + 120, 10, 0, 86400 },
    { "a day and a minute", 4800 + 3000 + 2400 + 120 + 10, 10, 0, 86400 + 60 },
  };
  guint8 reserve[TALLY_HOURS] = { 0 };

  for (guint hour = 8; hour < 18; hour++)
    reserve[hour] = 50;
  reserve[22] = reserve[23] = 95;
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    assert_row_int (rows[i].label,
                    (tally_schedule_span (rows[i].n, rows[i].limit, 60 * G_USEC_PER_SEC, reserve,
                                          rows[i].hour * 3600 * G_USEC_PER_SEC)
                     + G_USEC_PER_SEC / 2) / G_USEC_PER_SEC,
                    rows[i].seconds);
  assert_true (tally_schedule_span (G_MAXUINT64, 1, 60 * G_USEC_PER_SEC, reserve, 0) > 0);
}

static void
test_the_day_begins_at_midnight (void)
{
  static const struct
  {
    int hour, minute;
    double seconds;
    gint64 since;
  } rows[] = { { 0, 0, 0, 0 }, { 0, 35, 48, 2148 }, { 17, 25, 56.9, 62756 }, { 23, 59, 59, 86399 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GDateTime) time = g_date_time_new_utc (2026, 11, 26, rows[i].hour, rows[i].minute, rows[i].seconds);

      assert_int (tally_schedule_since_midnight (time), rows[i].since * G_USEC_PER_SEC);
    }
}

static const Promise promises[] = {
  { "a checkpoint comes back", test_a_checkpoint_comes_back },
  { "what is no checkpoint is refused", test_what_is_no_checkpoint_is_refused },
  { "waits double up to the ceiling", test_waits_double_up_to_the_ceiling },
  { "waits for ever do not overflow", test_waits_for_ever_do_not_overflow },
  { "the day begins at midnight", test_the_day_begins_at_midnight },
  { "a full queue slows the writer", test_a_full_queue_slows_the_writer },
  { "an aborted queue lets its writer go", test_an_aborted_queue_lets_its_writer_go },
  { "an empty queue is waited for only so long", test_an_empty_queue_is_waited_for_only_so_long },
  { "rejects are held against the limit", test_rejects_are_held_against_the_limit },
  { "rows that steps made count for the share", test_rows_that_steps_made_count_for_the_share },
  { "equal warnings are shown once and counted", test_equal_warnings_are_shown_once_and_counted },
  { "requests take as long as the limit lets them", test_requests_take_as_long_as_the_limit_lets_them },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("engine", promises, argc, argv);
}
