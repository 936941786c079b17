/* updates.c: what the ledger promises about records that the target has and that change: see place.h
 *
 * An id that is known stays known, whatever becomes of what is sent later.
 */
#include "place.h"
#include <string.h>

#define EACH_DATABASE()                                                                            \
  if (!place_is_there ())                                                                          \
  return

/* Intends an update of a delivery with this id.  FALSE if it was taken. */
static gboolean
intend_update (Work *work, const char *key, guint generation, const char *target_id)
{
  g_autoptr (TallyLedgerDelivery) intent = make_intent (key, generation);
  TallyLedgerChange change = work_change (work);
  g_autoptr (GError) error = NULL;
  gboolean taken = TRUE;

  intent->target_id = g_strdup (target_id);
  change.intents = &intent;
  change.n_intents = 1;
  change.taken = &taken;
  tally_ledger_commit (work->ledger, &change, NULL, &error);
  assert_no_error (error);
  return !taken;
}

static gboolean
tell (Work *work, const TallyLedgerOutcome *outcome, GError **error)
{
  TallyLedgerChange change = work_change (work);

  change.outcomes = outcome;
  change.n_outcomes = 1;
  return tally_ledger_commit (work->ledger, &change, NULL, error);
}

static void
deliver (Work *work, const char *key)
{
  g_autoptr (GError) error = NULL;

  work_intend (work, key, 1);
  work_settle (work, key, TALLY_DELIVERY_DELIVERED, &error);
  assert_no_error (error);
}

static void
assert_events (Work *work, const char *key, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) events = tally_ledger_list_events (work->ledger, work->scope, key, &error);
  g_autoptr (GString) text = g_string_new (NULL);

  assert_no_error (error);
  for (guint i = 0; i < events->len; i++)
    {
      const TallyLedgerEvent *event = g_ptr_array_index (events, i);
      g_string_append_printf (text, "%u %s; ", event->generation, event->event);
    }
  assert_text (text->str, expected);
}

static void
test_an_id_stays_through_updates (void)
{
  EACH_DATABASE ();
  static const TallyDeliveryState fates[]
      = { TALLY_DELIVERY_DELIVERED, TALLY_DELIVERY_IN_DOUBT, TALLY_DELIVERY_REJECTED };
  g_autoptr (Work) work = work_new ();
  guint generation = 1;
  gint64 known_since;

  deliver (work, "1");
  {
    g_autoptr (TallyLedgerDelivery) found = work_find (work, "1");
    known_since = found->known_since;
    assert_int (known_since, found->settled_at);
  }
  for (guint i = 0; i < G_N_ELEMENTS (fates); i++)
    {
      g_autoptr (GError) error = NULL;
      TallyLedgerOutcome outcome = { .key = "1",
                                     .generation = ++generation,
                                     .state = fates[i],
                                     .keep_request = fates[i] != TALLY_DELIVERY_DELIVERED,
                                     .target_id
                                     = fates[i] == TALLY_DELIVERY_DELIVERED ? "id-1" : NULL };

      assert_row_int ("intended", intend_update (work, "1", generation, "id-1"), TRUE);
      {
        g_autoptr (TallyLedgerDelivery) found = work_find (work, "1");
        assert_text (found->target_id, "id-1");
        assert_int (found->state, TALLY_DELIVERY_INTENDED);
        assert_int (found->settled_at, 0);
        assert_true (found->request != NULL);
      }
      tell (work, &outcome, &error);
      assert_no_error (error);
      g_autoptr (TallyLedgerDelivery) found = work_find (work, "1");
      assert_row_text (tally_delivery_state_name (fates[i]), found->target_id, "id-1");
      assert_int (found->state, fates[i]);
      assert_int (found->known_since, known_since);
      assert_int (found->generation, generation);
    }
  assert_events (work, "1", "2 update; 3 update; 4 update; ");
}

static void
test_an_update_is_of_the_id_that_is_known (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  TallyLedgerOutcome other
      = { .key = "1", .generation = 2, .state = TALLY_DELIVERY_DELIVERED, .target_id = "other" };

  deliver (work, "1");
  work_intend (work, "new", 1);
  assert_row_int ("another id", intend_update (work, "1", 2, "other"), FALSE);
  assert_row_int ("none", intend_update (work, "1", 2, NULL), FALSE);
  assert_row_int ("one that is not delivered", intend_update (work, "new", 2, "5"), FALSE);
  assert_row_int ("a generation left out", intend_update (work, "1", 3, "id-1"), FALSE);
  assert_text (work_state (work, "1"), "delivered");

  assert_row_int ("the one", intend_update (work, "1", 2, "id-1"), TRUE);
  assert_true (!tell (work, &other, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LEDGER, "not a way that a delivery can go");
  assert_text (work_state (work, "1"), "intended");
}

static void
test_an_id_is_learnt_with_a_verdict_only (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  TallyLedgerOutcome outcome
      = { .key = "1", .generation = 1, .state = TALLY_DELIVERY_IN_DOUBT, .target_id = "7" };

  work_intend (work, "1", 1);
  tell (work, &outcome, &error);
  assert_no_error (error);
  {
    g_autoptr (TallyLedgerDelivery) found = work_find (work, "1");
    assert_text (found->target_id, NULL);
  }
  outcome.state = TALLY_DELIVERY_REJECTED;
  tell (work, &outcome, &error);
  assert_no_error (error);
  g_autoptr (TallyLedgerDelivery) found = work_find (work, "1");
  assert_text (found->target_id, "7");
  assert_int (found->known_since, found->settled_at);
  assert_true (intend_update (work, "1", 2, "7"));
}

static void
test_a_content_is_taken_over (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  const TallyLedgerOutcome rejected = { .key = "rejected",
                                        .generation = 2,
                                        .state = TALLY_DELIVERY_REJECTED,
                                        .status = 422,
                                        .detail = "too short",
                                        .keep_request = TRUE };
  const TallyLedgerSeen seen[] = {
    { "same", "a:1", NULL },
    { "changed", "a:2", "new" },
    { "rejected", "a:3", "new" },
    { "open", "a:4", "new" },
  };
  TallyLedgerChange change;

  deliver (work, "same");
  deliver (work, "changed");
  deliver (work, "rejected");
  intend_update (work, "rejected", 2, "id-rejected");
  tell (work, &rejected, &error);
  work_intend (work, "open", 1);
  change = work_change (work);
  change.seen = seen;
  change.n_seen = G_N_ELEMENTS (seen);
  tally_ledger_commit (work->ledger, &change, NULL, &error);
  assert_no_error (error);

  for (guint i = 0; i < G_N_ELEMENTS (seen); i++)
    {
      g_autoptr (TallyLedgerDelivery) found = work_find (work, seen[i].key);
      gboolean is_new = i == 1 || i == 2;

      assert_row_text (seen[i].key, found->row_origin, seen[i].row_origin);
      assert_row_text (seen[i].key, found->content_hash, is_new ? "new" : HASH);
      assert_row_text (seen[i].key, tally_delivery_state_name (found->state),
                       i == 3 ? "intended" : "delivered");
      if (i == 2)
        assert_true (found->request == NULL && found->detail == NULL && found->status == 0);
    }
  assert_events (work, "same", "");
  assert_events (work, "changed", "1 changed, nothing to send; ");
  assert_events (work, "rejected", "2 update; 2 changed, nothing to send; ");
}

static void
test_a_receipt_lives_as_long_as_its_generation (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *longest = g_strnfill (1024, 'x');
  TallyLedgerOutcome note = { .key = "1",
                              .generation = 1,
                              .state = TALLY_DELIVERY_INTENDED,
                              .attempts = 1,
                              .keep_request = TRUE,
                              .event = "receipt",
                              .receipt = "job V3-1:17" };

  work_intend (work, "1", 1);
  tell (work, &note, &error);
  assert_no_error (error);
  note.receipt = NULL;
  note.event = NULL;
  note.state = TALLY_DELIVERY_IN_DOUBT;
  tell (work, &note, &error);
  assert_no_error (error);
  {
    g_autoptr (TallyLedgerDelivery) found = work_find (work, "1");
    assert_text (found->receipt, "job V3-1:17");
    assert_int (found->state, TALLY_DELIVERY_IN_DOUBT);
  }
  note.state = TALLY_DELIVERY_INTENDED;
  note.receipt = longest;
  tell (work, &note, &error);
  assert_no_error (error);
  {
    g_autoptr (TallyLedgerDelivery) found = work_find (work, "1");
    assert_text (found->receipt, longest);
  }
  assert_true (work_intend (work, "1", 2));
  g_autoptr (TallyLedgerDelivery) found = work_find (work, "1");
  assert_text (found->receipt, NULL);
  assert_events (work, "1", "1 receipt; 2 next generation; ");
}

static void
test_a_user_s_word_on_an_update (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  const TallyLedgerOutcome rejected
      = { .key = "rejected", .generation = 2, .state = TALLY_DELIVERY_REJECTED, .keep_request = TRUE };

  deliver (work, "open");
  deliver (work, "rejected");
  intend_update (work, "open", 2, "id-open");
  intend_update (work, "rejected", 2, "id-rejected");
  tell (work, &rejected, &error);
  tally_ledger_release (work->ledger, work->epoch, &error);
  assert_no_error (error);

  assert_true (!tally_ledger_decide (work->ledger, work->scope, "open", TALLY_DELIVERY_RELEASED,
                                     NULL, "by user", &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "is in the target as id-open");
  assert_true (!tally_ledger_decide (work->ledger, work->scope, "open", TALLY_DELIVERY_DELIVERED,
                                     "other", "by user", &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "is in the target as id-open");
  tally_ledger_decide (work->ledger, work->scope, "open", TALLY_DELIVERY_DELIVERED, "id-open",
                       "by user", &error);
  assert_no_error (error);
  tally_ledger_decide (work->ledger, work->scope, "rejected", TALLY_DELIVERY_RELEASED, NULL,
                       "by user", &error);
  assert_no_error (error);
  g_autoptr (TallyLedgerDelivery) found = work_find (work, "rejected");
  assert_int (found->state, TALLY_DELIVERY_RELEASED);
  assert_text (found->target_id, "id-rejected");
}

/* A reconciliation reads no source: where the pipeline stands, and what it rejected, is none of its business. */
static void
test_a_run_aside_leaves_the_pipeline_as_it_is (void)
{
  EACH_DATABASE ();
  g_autoptr (Work) work = work_new ();
  g_autoptr (GError) error = NULL;
  const TallyReject reject
      = { (char *)"a:1", (char *)"sink", (char *)"no subject", (char *)"{}" };
  TallyLedgerChange change = work_change (work);
  TallyLedgerRun *aside = NULL;
  TallyLedgerTotals totals;
  g_autofree char *position = NULL;
  gint64 pass = work->run->pass;

  change.rejects = &reject;
  change.n_rejects = 1;
  change.position = "here";
  tally_ledger_commit (work->ledger, &change, NULL, &error);
  tally_ledger_end_run (work->ledger, work->run, "failed", "{}", TRUE, &error);
  assert_no_error (error);
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *none = NULL;

      tally_ledger_begin_run (work->ledger, work->epoch, work->run->pipeline, work->run->target, TALLY_RUN_ASIDE,
                              &aside, &none, &error);
      assert_no_error (error);
      assert_text (none, NULL);
      assert_true (aside->pass != pass);
      tally_ledger_end_run (work->ledger, aside, "reconciled", "{}", TRUE, &error);
      tally_ledger_run_free (aside);
    }
  tally_ledger_total (work->ledger, work->run->pipeline, &totals, &error);
  assert_int (totals.rejects, 1);
  tally_ledger_begin_run (work->ledger, work->epoch, work->run->pipeline, work->run->target, TALLY_RUN_RESUMES,
                          &aside, &position, &error);
  assert_no_error (error);
  assert_text (position, "here");
  assert_int (aside->pass, pass);
  tally_ledger_run_free (aside);
}

static void
test_nonsense_by_hand_is_refused (void)
{
  EACH_DATABASE ();
  static const struct
  {
    const char *what;
    const char *sql;
  } rows[] = {
    { "an id that vanishes",
      "UPDATE deliveries SET target_id = NULL, known_since = NULL WHERE key = 'updated'" },
    { "another id", "UPDATE deliveries SET target_id = 'other' WHERE key = 'updated'" },
    { "an id for one that is not settled",
      "UPDATE deliveries SET target_id = '7', known_since = intended_at WHERE key = 'open'" },
    { "an id that was always known",
      "UPDATE deliveries SET known_since = NULL WHERE key = 'done'" },
    { "delivered back to intended in its generation",
      "UPDATE deliveries SET state = 'intended', settled_at = NULL, request = '' WHERE key = 'done'" },
    { "an update that forgets the id",
      "UPDATE deliveries SET state = 'intended', settled_at = NULL, request = '', generation = 2, "
      "idempotency_key = 'x', target_id = NULL, known_since = NULL WHERE key = 'done'" },
    { "an update of something else",
      "UPDATE deliveries SET state = 'intended', settled_at = NULL, request = '', generation = 2, "
      "idempotency_key = 'x', target_id = 'other' WHERE key = 'done'" },
    { "a next generation that is settled",
      "UPDATE deliveries SET generation = 2, idempotency_key = 'x' WHERE key = 'done'" },
    { "a receipt of nothing", "UPDATE deliveries SET receipt = '' WHERE key = 'open'" },
  };
  g_autoptr (Work) work = work_new ();

  work_intend (work, "open", 1);
  deliver (work, "done");
  deliver (work, "updated");
  intend_update (work, "updated", 2, "id-updated");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) refusal = place_by_hand (work->ledger, rows[i].sql);
      assert_row_text (rows[i].what, refusal != NULL ? "refused" : "done", "refused");
    }
}

static const Promise promises[] = {
  { "E9: an id stays through updates", test_an_id_stays_through_updates },
  { "an update is of the id that is known", test_an_update_is_of_the_id_that_is_known },
  { "an id is learnt with a verdict only", test_an_id_is_learnt_with_a_verdict_only },
  { "a content of which nothing was sent is taken over", test_a_content_is_taken_over },
  { "a receipt lives as long as its generation", test_a_receipt_lives_as_long_as_its_generation },
  { "a user's word on an update", test_a_user_s_word_on_an_update },
  { "a run aside leaves the pipeline as it is", test_a_run_aside_leaves_the_pipeline_as_it_is },
  { "E8: nonsense by hand is refused", test_nonsense_by_hand_is_refused },
  { NULL },
};

int
main (int argc, char **argv)
{
  return place_main ("ledger updates", promises, argc, argv);
}
