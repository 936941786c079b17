/* test-acknowledge.c: a source hears what is durable of what it gave, and of nothing else */
#include "runs.h"
#include <string.h>

#define NO_STEP "  - filter: 'true'\n"

#define SHELF "{ shelf: { path: shelf.tsv, key: word, subject: word } }"

static guint n_rows;

/* Five rows more than the run before.  Exit code, a colon and the summary; what was told is in complaints. */
static char *
run (const char *more, const char *steps, const char *sink, char **ret_complaints)
{
  g_autofree char *source = g_strdup_printf ("{ shout-receipt: { rows: %u%s } }", n_rows += 5, more);

  return runs_run (source, steps, sink, ret_complaints);
}

static void
assert_heard_all (const char *complaints)
{
  g_autofree char *word = g_strdup_printf ("heard of %u\n", n_rows);

  assert_contains (complaints, word);
}

static void
test_it_hears_of_all_that_any_sink_has (void)
{
  static const char *const sinks[] = { "shout-busy", "{ json: { path: out.ndjson } }", SHELF };

  for (guint i = 0; i < G_N_ELEMENTS (sinks); i++)
    {
      g_autofree char *complaints = NULL, *summary = run ("", NO_STEP, sinks[i], &complaints);

      assert_contains (summary, "0:{");
      assert_heard_all (complaints);
    }
}

/* A run that was killed in between has not told it. */
static void
test_it_hears_again_of_what_an_earlier_run_had (void)
{
  g_autofree char *deaf = NULL, *late = NULL;
  g_autofree char *first = run (", deaf: true", NO_STEP, SHELF, &deaf);
  g_autofree char *same = g_strdup_printf ("{ shout-receipt: { rows: %u } }", n_rows);
  g_autofree char *second = runs_run (same, NO_STEP, SHELF, &late);

  assert_contains (first, "0:{");
  assert_contains (deaf, "is not marked there, the next run will try again: nobody hears");
  assert_contains (second, "\"read\":0,");
  assert_heard_all (late);
}

/* Of five more rows it leaves out three. */
static void
test_it_may_move_the_position (void)
{
  g_autofree char *heard = NULL, *later = NULL;
  g_autofree char *first = run (", skip: 3", NO_STEP, SHELF, &heard), *second = run ("", NO_STEP, SHELF, &later);

  assert_contains (first, "0:{");
  assert_contains (second, "\"read\":2,");
}

/* The first sink had some of it, and of the other nothing was committed. */
static void
test_it_does_not_hear_of_what_is_not_durable (void)
{
  static const char *const sinks[] = { SHELF, "shout-busy" };

  for (guint i = 0; i < G_N_ELEMENTS (sinks); i++)
    {
      g_autofree char *complaints = NULL;
      g_autofree char *summary = run ("", "  - assert: { word::int < 24: is bad }\nerrors: { limit: 0 }\n", sinks[i], &complaints);
      g_autofree char *unheard = i == 0 ? g_strdup_printf ("heard of %u\n", n_rows) : g_strdup ("heard of");

      assert_contains (summary, "1:{");
      assert_contains (complaints, "more than 0 records were rejected");
      assert_row_int (sinks[i], strstr (complaints, unheard) == NULL, TRUE);
    }
}

static const Promise promises[] = {
  { "it hears of all that any sink has", test_it_hears_of_all_that_any_sink_has },
  { "it hears again of what an earlier run had", test_it_hears_again_of_what_an_earlier_run_had },
  { "it may move the position", test_it_may_move_the_position },
  { "it does not hear of what is not durable", test_it_does_not_hear_of_what_is_not_durable },
  { NULL },
};

int
main (int argc, char **argv)
{
  return runs_main ("acknowledge", promises, argc, argv);
}
