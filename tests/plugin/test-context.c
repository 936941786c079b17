/* test-context.c: what a plugin tells the engine, and what it is told */
#include "plugin/context.h"
#include "promise.h"

static gint64 fake_now;

static gint64
fake_clock (gpointer data)
{
  return fake_now;
}

static void
remember (const char *message, gpointer data)
{
  g_string_append (data, message);
}

static void
test_remembers_what_the_target_told_and_when (void)
{
  g_autoptr (TallyContext) ctx = tally_context_new ("/p");

  ctx->clock = fake_clock;
  fake_now = 5;
  tally_context_report_target_time (ctx, 1000);
  fake_now = 9;
  assert_int (ctx->target_time, 1000);
  assert_int (ctx->target_time_at, 5);
}

static void
test_keeps_copies (void)
{
  g_autoptr (TallyContext) ctx = tally_context_new ("/p");
  char name[] = "acme";

  tally_context_set_target (ctx, name);
  name[0] = 'X';
  tally_context_set_target (ctx, ctx->target);
  assert_text (ctx->target, "acme");
  assert_text (tally_context_directory (ctx), "/p");
  assert_true (tally_context_position (ctx) == NULL);
}

static void
test_passes_warnings_and_interrupts (void)
{
  g_autoptr (TallyContext) ctx = tally_context_new ("/p");
  g_autoptr (GString) warnings = g_string_new (NULL);
  gint interrupted = FALSE;

  tally_context_warn (ctx, "nobody listens");
  ctx->warn = remember;
  ctx->warn_data = warnings;
  tally_context_warn (ctx, "%d %s", 3, "rows");
  assert_text (warnings->str, "3 rows");

  assert_true (!tally_context_is_interrupted (ctx));
  ctx->interrupted = &interrupted;
  assert_true (!tally_context_is_interrupted (ctx));
  interrupted = TRUE;
  assert_true (tally_context_is_interrupted (ctx));
}

/* One limit for all who name the same account. */
static void
test_requests_to_one_account_share_its_limit (void)
{
  g_autoptr (TallyContext) one = tally_context_new ("/p"), other = tally_context_new ("/p"), stranger = tally_context_new ("/p");
  const guint8 none[TALLY_HOURS] = { 0 };
  TallyAnswerNews news = { TALLY_ANSWER_NEWS_INIT, .limit = 700, .remaining = 699, .refused = TRUE, .wait = 30 * G_USEC_PER_SEC };
  TallyAdmission *admission;
  gint64 wait = 0;

  one->clock = other->clock = stranger->clock = fake_clock;
  fake_now = G_USEC_PER_SEC;
  tally_context_set_account (one, "acme", none);
  tally_context_set_account (other, "acme", none);
  tally_context_set_account (stranger, "emca", none);
  assert_int (tally_context_wait (one, 0), 0);

  admission = tally_context_admit (one, "GET /x", &wait);
  assert_int (one->n_admitted, 1);
  tally_context_end_request (one, admission, &news);
  assert_int (one->n_admitted, 0);
  /* The account has something left, so only this kind is refused. */
  assert_true (tally_context_admit (other, "GET /x", &wait) == NULL);
  assert_int (wait, 30 * G_USEC_PER_SEC);
  fake_now += 31 * (gint64) G_USEC_PER_SEC;
  admission = tally_context_admit (other, "GET /x", &wait);
  assert_true (admission != NULL);
  news.remaining = 0;
  tally_context_end_request (other, admission, &news);
  /* It has nothing left: all wait. */
  assert_int (tally_context_wait (one, 0), 30 * G_USEC_PER_SEC);
  assert_true (tally_context_admit (one, "GET /y", &wait) == NULL);

  admission = tally_context_admit (stranger, "GET /x", &wait);
  assert_true (admission != NULL);
  tally_context_end_request (stranger, admission, NULL);
}

static const Promise promises[] = {
  { "remembers what the target told and when", test_remembers_what_the_target_told_and_when },
  { "keeps copies", test_keeps_copies },
  { "passes warnings and interrupts", test_passes_warnings_and_interrupts },
  { "requests to one account share its limit", test_requests_to_one_account_share_its_limit },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("context", promises, argc, argv);
}
