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
  assert_int (ctx->budget_limit, -1);
  tally_context_report_target_time (ctx, 1000);
  fake_now = 9;
  tally_context_report_budget (ctx, 700, 3, 60);
  assert_int (ctx->target_time, 1000);
  assert_int (ctx->target_time_at, 5);
  assert_int (ctx->budget_limit, 700);
  assert_int (ctx->budget_remaining, 3);
  assert_int (ctx->budget_reset, 60);
  assert_int (ctx->budget_at, 9);
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

static const Promise promises[] = {
  { "remembers what the target told and when", test_remembers_what_the_target_told_and_when },
  { "keeps copies", test_keeps_copies },
  { "passes warnings and interrupts", test_passes_warnings_and_interrupts },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("context", promises, argc, argv);
}
