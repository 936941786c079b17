/* test-tables.c: the decisions of the delivery protocol, as tables */
#include "delivery/key.h"
#include "delivery/pace.h"
#include "delivery/state.h"
#include "promise.h"
#include <string.h>

#define SECOND ((gint64)G_USEC_PER_SEC)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define LONG_AGO (24 * HOUR)

/* ---- What comes next ---- */

/* A row names only what is special about it. */
#pragma GCC diagnostic ignored "-Woverride-init"

#define USUAL                                                                                      \
  .attempts_most = 5, .key_life = 2 * HOUR, .settle = MINUTE, .can_resolve = TRUE, .wait = TRUE,   \
  .since_send = LONG_AGO, .age = MINUTE, .age_is_sure = TRUE
#define IN_DOUBT USUAL, .in_doubt = TRUE, .attempts = 1

static const struct
{
  const char *words;
  TallyStanding standing;
  TallyMove move;
  gint64 wait;
} next_moves[] = {
  { "a new one is sent", { USUAL }, TALLY_MOVE_SEND },
  { "one that never left is sent, however old its intent",
    { USUAL, .age = LONG_AGO },
    TALLY_MOVE_SEND },
  { "C7: a Retry-After longer than the key's life: look first",
    { USUAL, .touched = TRUE, .age = 3 * HOUR },
    TALLY_MOVE_RESOLVE },
  { "a rate limit within the key's life: the same again",
    { USUAL, .touched = TRUE },
    TALLY_MOVE_SEND },
  { "a rate limit where no key is honoured: the same again",
    { USUAL, .touched = TRUE, .key_life = 0, .age = LONG_AGO },
    TALLY_MOVE_SEND },

  { "B2: the answer was lost, all has settled: replay", { IN_DOUBT }, TALLY_MOVE_REPLAY },
  { "R14: it may still be at work: wait for the rest",
    { IN_DOUBT, .since_send = 20 * SECOND },
    TALLY_MOVE_WAIT,
    40 * SECOND },
  { "R14: at work, and not told to wait: leave it",
    { IN_DOUBT, .since_send = 20 * SECOND, .wait = FALSE },
    TALLY_MOVE_LEAVE },
  { "R14: a lookup, too, would not be believed yet",
    { IN_DOUBT, .since_send = 20 * SECOND, .age = LONG_AGO },
    TALLY_MOVE_WAIT,
    40 * SECOND },
  { "C1: at 1:54:59 the key is good",
    { IN_DOUBT, .age = 2 * HOUR - 5 * MINUTE - SECOND },
    TALLY_MOVE_REPLAY },
  { "C1: at 1:59:50 it is inside the margin",
    { IN_DOUBT, .age = 2 * HOUR - 10 * SECOND },
    TALLY_MOVE_RESOLVE },
  { "C1: at 2:00:10 it is past its life",
    { IN_DOUBT, .age = 2 * HOUR + 10 * SECOND },
    TALLY_MOVE_RESOLVE },
  { "a short life has a smaller margin",
    { IN_DOUBT, .key_life = MINUTE, .age = 40 * SECOND, .settle = 0 },
    TALLY_MOVE_REPLAY },
  { "no key is honoured: look", { IN_DOUBT, .key_life = 0 }, TALLY_MOVE_RESOLVE },
  { "no key, no lookup: leave it",
    { IN_DOUBT, .key_life = 0, .can_resolve = FALSE },
    TALLY_MOVE_LEAVE },
  { "past the key's life, no lookup: leave it",
    { IN_DOUBT, .age = 3 * HOUR, .can_resolve = FALSE },
    TALLY_MOVE_LEAVE },
  { "no key, no lookup, but it may be repeated: replay",
    { IN_DOUBT, .key_life = 0, .can_resolve = FALSE, .may_repeat = TRUE, .age = LONG_AGO },
    TALLY_MOVE_REPLAY },
  { "R14: one that may be repeated may still be at work: wait for the rest",
    { IN_DOUBT, .key_life = 0, .can_resolve = FALSE, .may_repeat = TRUE, .since_send = 20 * SECOND },
    TALLY_MOVE_WAIT,
    40 * SECOND },
  { "one that may be repeated was sent often enough: leave it",
    { IN_DOUBT, .key_life = 0, .can_resolve = FALSE, .may_repeat = TRUE, .attempts = 5 },
    TALLY_MOVE_LEAVE },
  { "one that may be repeated was refused the second time: leave it",
    { IN_DOUBT, .key_life = 0, .can_resolve = FALSE, .may_repeat = TRUE, .refused = TRUE },
    TALLY_MOVE_LEAVE },
  { "A11: one that may be repeated ended the program too often: leave it",
    { IN_DOUBT, .key_life = 0, .can_resolve = FALSE, .may_repeat = TRUE, .set_aside = TRUE },
    TALLY_MOVE_LEAVE },
  { "C3: a clock went backwards: look", { IN_DOUBT, .age = G_MAXINT64 }, TALLY_MOVE_RESOLVE },
  { "C4: the ledger's clock alone is not believed",
    { IN_DOUBT, .age_is_sure = FALSE },
    TALLY_MOVE_RESOLVE },
  { "C4: unless there is no other way",
    { IN_DOUBT, .age_is_sure = FALSE, .can_resolve = FALSE },
    TALLY_MOVE_REPLAY },
  { "B4: it was sent often enough: look", { IN_DOUBT, .attempts = 5 }, TALLY_MOVE_RESOLVE },
  { "B7: the key is known with another request: look",
    { IN_DOUBT, .refused = TRUE },
    TALLY_MOVE_RESOLVE },
  { "A11: it ended the program too often: look, and send no more",
    { IN_DOUBT, .set_aside = TRUE, .attempts = 5 },
    TALLY_MOVE_RESOLVE },
  { "a lookup could not tell: look again", { IN_DOUBT, .lookups = 1 }, TALLY_MOVE_RESOLVE },
  { "a lookup could not tell, and not told to wait: leave it",
    { IN_DOUBT, .lookups = 1, .wait = FALSE },
    TALLY_MOVE_LEAVE },
  { "lookups could not tell often enough: leave it",
    { IN_DOUBT, .lookups = TALLY_LOOKUPS_MOST },
    TALLY_MOVE_LEAVE },

  { "surely absent: the next generation", { IN_DOUBT, .absent = TRUE }, TALLY_MOVE_RENEW },
  { "B7: absent after a refusal: reject",
    { IN_DOUBT, .absent = TRUE, .refused = TRUE },
    TALLY_MOVE_REJECT },
  { "A11: absent, but set aside: leave it",
    { IN_DOUBT, .absent = TRUE, .set_aside = TRUE },
    TALLY_MOVE_LEAVE },
  { "absent under key after key: leave it",
    { IN_DOUBT, .absent = TRUE, .renewals = TALLY_GENERATIONS_MOST },
    TALLY_MOVE_LEAVE },

  { "a new update is sent", { USUAL, .is_update = TRUE }, TALLY_MOVE_SEND },
  { "C7: an update after a Retry-After longer than the key's life: the same again",
    { USUAL, .is_update = TRUE, .touched = TRUE, .age = 3 * HOUR },
    TALLY_MOVE_SEND },
  { "B2: the answer to an update was lost: replay",
    { IN_DOUBT, .is_update = TRUE },
    TALLY_MOVE_REPLAY },
  { "R14: an update may still be at work: wait for the rest",
    { IN_DOUBT, .is_update = TRUE, .since_send = 20 * SECOND },
    TALLY_MOVE_WAIT,
    40 * SECOND },
  { "R14: an update at work, and not told to wait: leave it",
    { IN_DOUBT, .is_update = TRUE, .since_send = 20 * SECOND, .wait = FALSE },
    TALLY_MOVE_LEAVE },
  { "an update past the key's life: replay",
    { IN_DOUBT, .is_update = TRUE, .age = LONG_AGO, .age_is_sure = FALSE },
    TALLY_MOVE_REPLAY },
  { "an update where no key is honoured and nothing can be asked: replay",
    { IN_DOUBT, .is_update = TRUE, .key_life = 0, .can_resolve = FALSE },
    TALLY_MOVE_REPLAY },
  { "an update that was sent often enough: leave it",
    { IN_DOUBT, .is_update = TRUE, .attempts = 5 },
    TALLY_MOVE_LEAVE },
  { "A11: an update that ended the program too often: leave it",
    { IN_DOUBT, .is_update = TRUE, .set_aside = TRUE, .attempts = 5 },
    TALLY_MOVE_LEAVE },

  { "G1: there is a receipt: look, however good the key",
    { IN_DOUBT, .has_receipt = TRUE },
    TALLY_MOVE_RESOLVE },
  { "G1: a receipt, but nothing can be asked: replay",
    { IN_DOUBT, .has_receipt = TRUE, .can_resolve = FALSE },
    TALLY_MOVE_REPLAY },
  { "G1: an update with a receipt: look",
    { IN_DOUBT, .is_update = TRUE, .has_receipt = TRUE },
    TALLY_MOVE_RESOLVE },
  { "R14: a receipt is asked for only when all has settled",
    { IN_DOUBT, .has_receipt = TRUE, .since_send = 20 * SECOND },
    TALLY_MOVE_WAIT,
    40 * SECOND },
  { "an update of which its receipt says that nothing came: the next generation",
    { IN_DOUBT, .is_update = TRUE, .has_receipt = TRUE, .absent = TRUE },
    TALLY_MOVE_RENEW },
  { "D4: another ledger may have made it: look before it is sent", { .look_first = TRUE, .can_resolve = TRUE },
    TALLY_MOVE_LOOK },
  { "D4: and before it is sent again", { IN_DOUBT, .look_first = TRUE }, TALLY_MOVE_LOOK },
  { "D4: a look that will be thorough anyway needs no other", { IN_DOUBT, .look_first = TRUE, .key_life = 0 },
    TALLY_MOVE_RESOLVE },
  { "D4: such a look could not tell: look again", { .look_first = TRUE, .can_resolve = TRUE, .lookups = 1, .wait = TRUE },
    TALLY_MOVE_LOOK },
  { "D4: it could not tell, and not told to wait: leave it", { .look_first = TRUE, .can_resolve = TRUE, .lookups = 1 },
    TALLY_MOVE_LEAVE },
  { "D4: it could not tell often enough: leave it",
    { .look_first = TRUE, .can_resolve = TRUE, .lookups = TALLY_LOOKUPS_MOST, .wait = TRUE },
    TALLY_MOVE_LEAVE },
};

static void
test_the_next_move_follows_from_the_standing (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (next_moves); i++)
    {
      gint64 wait = 0;
      const char *why = NULL;
      TallyMove move = tally_state_next (&next_moves[i].standing, &wait, &why);

      assert_row_int (next_moves[i].words, move, next_moves[i].move);
      if (move == TALLY_MOVE_WAIT)
        assert_row_int (next_moves[i].words, wait, next_moves[i].wait);
      if (move == TALLY_MOVE_LEAVE || move == TALLY_MOVE_REJECT)
        assert_true (why != NULL);
    }
}

static const struct
{
  const char *words;
  TallyVerdict verdict;
  gboolean is_lookup, has_id, in_doubt;
  TallyFate fate;
  gboolean is_update, has_receipt;
} fates[] = {
  { "R9: an id is a delivery", TALLY_VERDICT_DELIVERED, FALSE, TRUE, FALSE, TALLY_FATE_DELIVERED },
  { "B10: 201 without an id is not", TALLY_VERDICT_DELIVERED, FALSE, FALSE, FALSE,
    TALLY_FATE_DOUBT },
  { "B8: the data is not wanted", TALLY_VERDICT_REJECTED, FALSE, FALSE, FALSE,
    TALLY_FATE_REJECTED },
  { "a replay is refused: the first may have been taken", TALLY_VERDICT_REJECTED, FALSE, FALSE,
    TRUE, TALLY_FATE_REFUSED },
  { "B1: nothing left", TALLY_VERDICT_UNSENT, FALSE, FALSE, FALSE, TALLY_FATE_AGAIN },
  { "B5, B6: later", TALLY_VERDICT_BUSY, FALSE, FALSE, FALSE, TALLY_FATE_AGAIN },
  { "B7: another request under the key", TALLY_VERDICT_MISMATCH, FALSE, FALSE, FALSE,
    TALLY_FATE_REFUSED },
  { "B2, B3: who knows", TALLY_VERDICT_UNKNOWN, FALSE, FALSE, FALSE, TALLY_FATE_DOUBT },
  { "absent is no answer to a request", TALLY_VERDICT_ABSENT, FALSE, FALSE, FALSE,
    TALLY_FATE_DOUBT },
  { "B9: no right", TALLY_VERDICT_HALT, FALSE, FALSE, FALSE, TALLY_FATE_HALT },
  { "R10: a verdict of a later release", (TallyVerdict)99, FALSE, TRUE, FALSE, TALLY_FATE_DOUBT },
  { "found", TALLY_VERDICT_DELIVERED, TRUE, TRUE, TRUE, TALLY_FATE_ADOPTED },
  { "found, but which?", TALLY_VERDICT_DELIVERED, TRUE, FALSE, TRUE, TALLY_FATE_UNCLEAR },
  { "not found", TALLY_VERDICT_ABSENT, TRUE, FALSE, TRUE, TALLY_FATE_ABSENT },
  { "C6: cannot tell yet", TALLY_VERDICT_UNKNOWN, TRUE, FALSE, TRUE, TALLY_FATE_UNCLEAR },
  { "a refusal is no answer to a lookup", TALLY_VERDICT_REJECTED, TRUE, FALSE, TRUE,
    TALLY_FATE_UNCLEAR },
  { "a mismatch is no answer to a lookup", TALLY_VERDICT_MISMATCH, TRUE, FALSE, TRUE,
    TALLY_FATE_UNCLEAR },
  { "ask later", TALLY_VERDICT_BUSY, TRUE, FALSE, TRUE, TALLY_FATE_AGAIN },
  { "no right to look", TALLY_VERDICT_HALT, TRUE, FALSE, TRUE, TALLY_FATE_HALT },
  { "R10: a lookup's verdict of a later release", (TallyVerdict)99, TRUE, TRUE, TRUE,
    TALLY_FATE_UNCLEAR },
  { "an update of the id that is known", TALLY_VERDICT_DELIVERED, FALSE, TRUE, TRUE,
    TALLY_FATE_DELIVERED, TRUE },
  { "R9: an update that is answered for none, or for another", TALLY_VERDICT_DELIVERED, FALSE, FALSE,
    FALSE, TALLY_FATE_DOUBT, TRUE },
  { "an update is refused, also on a replay", TALLY_VERDICT_REJECTED, FALSE, FALSE, TRUE,
    TALLY_FATE_REJECTED, TRUE },
  { "an update that the target takes for another request", TALLY_VERDICT_MISMATCH, FALSE, FALSE, TRUE,
    TALLY_FATE_REJECTED, TRUE },
  { "G10: an update of what is not there any more", TALLY_VERDICT_ABSENT, FALSE, FALSE, FALSE,
    TALLY_FATE_REJECTED, TRUE },
  { "an update's answer is lost", TALLY_VERDICT_UNKNOWN, FALSE, FALSE, FALSE, TALLY_FATE_DOUBT, TRUE },
  { "G2: the receipt says that the job refused it", TALLY_VERDICT_REJECTED, TRUE, FALSE, TRUE,
    TALLY_FATE_REJECTED, FALSE, TRUE },
  { "G2: the same of an update", TALLY_VERDICT_REJECTED, TRUE, FALSE, TRUE, TALLY_FATE_REJECTED, TRUE,
    TRUE },
  { "an update found, but another id", TALLY_VERDICT_DELIVERED, TRUE, FALSE, TRUE, TALLY_FATE_UNCLEAR,
    TRUE, TRUE },
};

static void
test_a_verdict_is_never_taken_for_more_than_it_says (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (fates); i++)
    {
      const TallyHearing hearing = {
        .is_lookup = fates[i].is_lookup,
        .has_id = fates[i].has_id,
        .in_doubt = fates[i].in_doubt,
        .is_update = fates[i].is_update,
        .has_receipt = fates[i].has_receipt,
      };

      assert_row_int (fates[i].words, tally_state_judge (fates[i].verdict, &hearing), fates[i].fate);
    }
}

#define NOON (G_GINT64_CONSTANT (1700000000) * SECOND)

static const struct
{
  const char *words;
  gint64 intended_at, ledger_now, intended_target, target_now, here, age;
} ages[] = {
  { "one clock", NOON, NOON + HOUR, 0, 0, 0, HOUR },
  { "two that agree", NOON, NOON + HOUR, NOON, NOON + HOUR, 0, HOUR },
  { "C3: the ledger's was set back, the target's shows it", NOON, NOON - HOUR, NOON, NOON + HOUR, 0,
    HOUR },
  { "C4: the ledger's is slow", NOON, NOON + MINUTE, NOON, NOON + 2 * HOUR, 0, 2 * HOUR },
  { "C4: the target's was set back", NOON, NOON + 2 * HOUR, NOON, NOON - HOUR, 0, 2 * HOUR },
  { "the target's time at the intent is not known", NOON, NOON + MINUTE, 0, NOON + HOUR, 0, HOUR },
  { "both were set back, our own shows it", NOON, NOON - HOUR, NOON, NOON - HOUR, 3 * HOUR,
    3 * HOUR },
  { "the servers of one database differ a little", NOON, NOON - SECOND, 0, 0, 0, 0 },
  { "nobody knows", NOON, NOON - HOUR, 0, 0, -HOUR, G_MAXINT64 },
};

static void
test_the_oldest_reading_is_the_age (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (ages); i++)
    assert_row_int (ages[i].words,
                    tally_state_age (ages[i].intended_at, ages[i].ledger_now,
                                     ages[i].intended_target, ages[i].target_now, ages[i].here),
                    ages[i].age);

  assert_true (tally_state_clocks_agree (NOON, NOON + HOUR, NOON + 3 * HOUR, NOON + 4 * HOUR));
  assert_true (!tally_state_clocks_agree (NOON, NOON + HOUR, NOON, NOON + 2 * HOUR));
  assert_true (!tally_state_clocks_agree (NOON, NOON + HOUR, 0, NOON + HOUR));
  assert_true (!tally_state_clocks_agree (NOON, NOON + HOUR, NOON, 0));
}

static const struct
{
  const char *words;
  gint64 intended_at, ledger_now, intended_target, target_now, earliest;
} beginnings[] = {
  { "clocks that agree", NOON, NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR,
    NOON + 2 * HOUR - 5 * SECOND },
  { "the ledger's clock alone", NOON, NOON + HOUR, 0, 0, NOON - 5 * MINUTE },
  { "the target's time was not known then", NOON, NOON + HOUR, 0, NOON + 3 * HOUR,
    NOON - 5 * MINUTE },
  { "nor is it ahead of the ledger's", NOON, NOON + HOUR, 0, NOON, NOON - HOUR - 5 * MINUTE },
  { "the ledger's clock was set back since: the earlier reading", NOON, NOON, NOON, NOON + HOUR,
    NOON - 5 * MINUTE },
  { "the target's was", NOON, NOON + 2 * HOUR, NOON, NOON + HOUR, NOON - HOUR - 5 * MINUTE },
};

static void
test_a_request_left_no_earlier_than_that (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (beginnings); i++)
    assert_row_int (beginnings[i].words,
                    tally_state_intended (beginnings[i].intended_at, beginnings[i].ledger_now,
                                          beginnings[i].intended_target, beginnings[i].target_now),
                    beginnings[i].earliest);
}

/* ---- Keys ---- */

static const struct
{
  const char *words;
  const char *text;
  const char *key; /* NULL: refused, with error */
  const char *error;
} keys[] = {
  { "a plain one", "4711", "4711", NULL },
  { "F4: padded, it is the same", " \t4711 \r\n", "4711", NULL },
  { "blanks within stay", "a b", "a b", NULL },
  { "not ASCII", "Müller", "Müller", NULL },
  { "empty", "", NULL, "the key is empty" },
  { "blanks alone", "  \t ", NULL, "the key is empty" },
  { "a control character",
    "a\x01"
    "b",
    NULL, "\"a\\001b\" has a control character" },
  { "a line break within", "a\nb", NULL, "control character" },
  { "no UTF-8", "a\xff", NULL, "not valid UTF-8" },
};

static void
test_a_key_is_normal_or_refused (void)
{
  g_autofree char *long_key = g_strnfill (201, 'k'), *long_origin = g_strnfill (100, 'o');
  g_autofree char *key = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autofree char *normal = tally_key_normalise (
          (TallyText){ keys[i].text, strlen (keys[i].text) }, "desk", &error);

      assert_row_text (keys[i].words, normal, keys[i].key);
      if (keys[i].error != NULL)
        assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, keys[i].error);
    }

  key = tally_key_normalise ((TallyText){ long_key, 200 }, "desk", &error);
  assert_true (key != NULL && strlen (key) == 200);
  assert_true (tally_key_normalise ((TallyText){ long_key, 201 }, "desk", &error) == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, "201 bytes, most are 200");
  assert_true (tally_key_normalise ((TallyText){ long_key, 155 }, long_origin, &error) == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_DATA, "most are 154");
}

static void
test_the_idempotency_key_comes_from_the_record_alone (void)
{
  const TallyKeyRealm realm = { "ledger", "target", "ticket", "desk" };
  const TallyKeyRealm shifted = { "ledger", "target", "ticketd", "esk" };
  char one[TALLY_HASH_LENGTH + 1], other[TALLY_HASH_LENGTH + 1];

  tally_key_idempotency (&realm, "1", 1, one);
  /* As sha256sum has it of the parts with their lengths, most significant byte first. */
  assert_text (one, "a087c234f350731b5d5beff246fe01a4fdb070f021c2dd0e5c40c4010e32e525");
  tally_key_idempotency (&realm, "1", 1, other);
  assert_text (other, one);
  tally_key_idempotency (&realm, "1", 2, other);
  assert_true (strcmp (other, one) != 0);
  tally_key_idempotency (&realm, "2", 1, other);
  assert_true (strcmp (other, one) != 0);
  tally_key_idempotency (&shifted, "1", 1, other);
  assert_true (strcmp (other, one) != 0);
}

/* ---- Pace ---- */

static const struct
{
  const char *words;
  gint64 wish, least, most;
} wishes[] = {
  { "B5: half a minute", 30 * SECOND, 30 * SECOND, 30 * SECOND },
  { "B5: no wish: a little", 0, SECOND / 2, SECOND },
  { "B5: a wish in the past", -HOUR, SECOND / 2, SECOND },
  { "C7: three hours are kept", 3 * HOUR, 3 * HOUR, 3 * HOUR },
  { "B5: a year is cut down", 365 * 24 * HOUR, HOUR, HOUR },
};

static void
test_a_wish_to_be_left_alone_holds_for_all (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (wishes); i++)
    for (double chance = 0; chance < 1; chance += 0.33)
      {
        TallyPace pace = { 0 };
        const char *why = NULL;
        gint64 wait;

        tally_pace_refused (&pace, HOUR, wishes[i].wish, chance);
        wait = tally_pace_wait (&pace, HOUR, &why);
        assert_text (why, "the target asked to be left alone");
        assert_true (wait >= wishes[i].least && wait <= wishes[i].most);
        tally_pace_refused (&pace, HOUR, SECOND / 10,
                            chance); /* a shorter one does not shorten it */
        assert_int (tally_pace_wait (&pace, HOUR, NULL), wait);
      }
}

static void
test_back_off_doubles_up_to_a_minute (void)
{
  for (guint try = 1; try < 100; try++)
    {
      gint64 full = MIN (SECOND << MIN (try - 1, 10), MINUTE);

      assert_int (tally_pace_backoff (try, 0), full / 2);
      assert_true (tally_pace_backoff (try, 0.999) <= full);
    }
}

static void
test_requests_that_fail_together_are_one_trouble (void)
{
  TallyPace pace = { 0 };

  for (guint i = 0; i < 10; i++)
    tally_pace_trouble (&pace, HOUR + SECOND, HOUR, 0, "no route", 0);
  assert_int (pace.troubles, 1);
  tally_pace_trouble (&pace, HOUR + 5 * SECOND, HOUR + 2 * SECOND, 0, "no route", 0);
  assert_int (pace.troubles, 2);
  assert_int (tally_pace_wait (&pace, HOUR + 5 * SECOND, NULL), SECOND);
  tally_pace_refused (&pace, HOUR + 5 * SECOND, SECOND, 0); /* at least it answers */
  assert_int (pace.troubles, 0);
  tally_pace_success (&pace);
  tally_pace_trouble (&pace, 2 * HOUR, 2 * HOUR, 3, "silence", 0);
  assert_int (tally_pace_wait (&pace, 2 * HOUR, NULL), 0);
}

/* ---- Rows that the ledger knows ---- */

static const struct
{
  const char *words;
  TallyDeliveryState state;
  const char *target_id;
  gboolean drifted, can_update;
  TallyRowMove move;
} known_rows[] = {
  { "delivered", TALLY_DELIVERY_DELIVERED, "7", FALSE, TRUE, TALLY_ROW_UNCHANGED },
  { "delivered, changed", TALLY_DELIVERY_DELIVERED, "7", TRUE, TRUE, TALLY_ROW_GOES },
  { "delivered, changed, for good", TALLY_DELIVERY_DELIVERED, "7", TRUE, FALSE, TALLY_ROW_DRIFTED },
  { "rejected", TALLY_DELIVERY_REJECTED, NULL, FALSE, TRUE, TALLY_ROW_REJECTED },
  { "rejected, corrected", TALLY_DELIVERY_REJECTED, NULL, TRUE, FALSE, TALLY_ROW_GOES },
  { "an update rejected, corrected", TALLY_DELIVERY_REJECTED, "7", TRUE, TRUE, TALLY_ROW_GOES },
  { "an update rejected, corrected, no updates any more", TALLY_DELIVERY_REJECTED, "7", TRUE, FALSE, TALLY_ROW_REJECTED },
  { "released", TALLY_DELIVERY_RELEASED, NULL, FALSE, FALSE, TALLY_ROW_GOES },
  { "released, and there", TALLY_DELIVERY_RELEASED, "7", FALSE, FALSE, TALLY_ROW_UNCHANGED },
  { "released, there, changed", TALLY_DELIVERY_RELEASED, "7", TRUE, FALSE, TALLY_ROW_DRIFTED },
  { "discarded, changed", TALLY_DELIVERY_DISCARDED, NULL, TRUE, TRUE, TALLY_ROW_UNCHANGED },
  { "in doubt, changed", TALLY_DELIVERY_IN_DOUBT, NULL, TRUE, TRUE, TALLY_ROW_UNSETTLED },
  { "intended", TALLY_DELIVERY_INTENDED, "7", FALSE, TRUE, TALLY_ROW_UNSETTLED },
};

static void
test_what_becomes_of_a_known_row (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (known_rows); i++)
    {
      const TallyLedgerDelivery known = { .state = known_rows[i].state, .target_id = (char *)known_rows[i].target_id };

      assert_row_int (known_rows[i].words, tally_state_known_row (&known, known_rows[i].drifted, known_rows[i].can_update),
                      known_rows[i].move);
    }
}

static const Promise promises[] = {
  { "the next move follows from the standing", test_the_next_move_follows_from_the_standing },
  { "a verdict is never taken for more than it says",
    test_a_verdict_is_never_taken_for_more_than_it_says },
  { "R5: the oldest reading is the age", test_the_oldest_reading_is_the_age },
  { "R6: a request left no earlier than that", test_a_request_left_no_earlier_than_that },
  { "F4: a key is normal or refused", test_a_key_is_normal_or_refused },
  { "R2: the idempotency key comes from the record alone",
    test_the_idempotency_key_comes_from_the_record_alone },
  { "B5: a wish to be left alone holds for all", test_a_wish_to_be_left_alone_holds_for_all },
  { "back-off doubles up to a minute", test_back_off_doubles_up_to_a_minute },
  { "requests that fail together are one trouble",
    test_requests_that_fail_together_are_one_trouble },
  { "what becomes of a row that the ledger knows", test_what_becomes_of_a_known_row },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("delivery tables", promises, argc, argv);
}
