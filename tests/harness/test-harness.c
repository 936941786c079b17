/* test-harness.c: the harness does for one plugin what the engine does, and shows what came out */
#include "promise.h"
#include <glib/gstdio.h>
#include <tallyman/harness.h>

static char *
write_lines (void)
{
  char *path = NULL;
  int fd = g_file_open_tmp ("lines-XXXXXX", &path, NULL);

  g_close (fd, NULL);
  g_file_set_contents (path, "one\ntwo\nthree\n", -1, NULL);
  return path;
}

static void
test_pulls_rows (void)
{
  g_autofree char *path = write_lines ();
  g_autoptr (TallyHarness) harness = tally_harness_new ("lines");

  tally_harness_set (harness, "path", path);
  assert_int (tally_harness_pull (harness), TALLY_FLOW_OK);
  g_autofree char *column = tally_harness_get_column (harness, 0);
  assert_text (column, "one\ntwo\nthree");
  assert_int (tally_harness_pull (harness), TALLY_FLOW_END);
  assert_int (tally_batch_n_rows (tally_harness_batch (harness)), 0);
  g_unlink (path);
}

static void
test_resumes_at_the_next_line (void)
{
  g_autofree char *path = write_lines ();
  g_autoptr (TallyHarness) harness = tally_harness_new ("lines");

  tally_harness_set (harness, "path", path);
  tally_harness_set (harness, "batch-rows", "2");
  assert_int (tally_harness_pull (harness), TALLY_FLOW_OK);
  tally_harness_commit (harness);
  assert_text (tally_harness_position (harness), "8");
  tally_harness_restart (harness); /* a new instance, as after a crash */
  assert_int (tally_harness_pull (harness), TALLY_FLOW_OK);
  g_autofree char *column = tally_harness_get_column (harness, 0);
  assert_text (column, "three");
  g_unlink (path);
}

static void
test_begins_again_without_a_commit (void)
{
  g_autofree char *path = write_lines ();
  g_autoptr (TallyHarness) harness = tally_harness_new ("lines");

  tally_harness_set (harness, "path", path);
  tally_harness_set (harness, "batch_rows", "1");
  tally_harness_pull (harness);
  tally_harness_restart (harness);
  tally_harness_pull (harness);
  g_autofree char *column = tally_harness_get_column (harness, 0);
  assert_text (column, "one");
  g_unlink (path);
}

static void
test_tells_why_it_cannot_be_opened (void)
{
  static const struct
  {
    const char *label, *option, *value, *message;
  } rows[] = {
    { "unknown option", "pth", "x", "\"lines\" has no option \"pth\"; did you mean \"path\"?" },
    { "out of bounds", "batch-rows", "0",
      "\"batch-rows\" takes a whole number, from 1 to 100000, not \"0\"" },
    { "missing option", "batch-rows", "1", "\"lines\" needs \"path\"" },
    { "missing file", "path", "/nowhere/at/all", "No such file or directory" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (TallyHarness) harness = tally_harness_new ("lines");

      tally_harness_set (harness, rows[i].option, rows[i].value);
      assert_row_int (rows[i].label, tally_harness_pull (harness), TALLY_FLOW_FATAL);
      assert_contains (tally_harness_error (harness), rows[i].message);
    }
}

static void
test_pushes_rows_through_a_transform (void)
{
  static const TallyColumn columns[] = { { "id", TALLY_TYPE_BIGINT }, { "word", TALLY_TYPE_TEXT } };
  g_autoptr (TallyHarness) harness = tally_harness_new ("shout");

  tally_harness_set_columns (harness, columns, 2);
  tally_harness_add_row (harness, (const char *const[]) { "1", "hello" });
  tally_harness_add_row (harness, (const char *const[]) { "2", NULL });
  tally_harness_add_row (harness, (const char *const[]) { NULL, "you" });
  assert_int (tally_harness_push (harness), TALLY_FLOW_OK);
  g_autofree char *words = tally_harness_get_column (harness, 1);
  g_autofree char *ids = tally_harness_get_column (harness, 0);
  g_autofree char *rejects = tally_harness_get_rejects (harness);
  assert_text (words, "HELLO\nYOU");
  assert_text (ids, "1\n\\N");
  assert_text (rejects, "row:2: nothing to shout");
}

static void
test_shows_the_columns_before_opening (void)
{
  static const TallyColumn columns[] = { { "wort", TALLY_TYPE_TEXT } };
  g_autoptr (TallyHarness) harness = tally_harness_new_of_kind (TALLY_TRANSFORM, "shout");

  tally_harness_set_columns (harness, columns, 1);
  assert_true (!tally_harness_open (harness));
  assert_text (tally_harness_error (harness),
               "there is no column \"word\"; did you mean \"wort\"?");
}

static void
test_a_sink_may_ask_for_patience (void)
{
  static const TallyColumn columns[] = { { "id", TALLY_TYPE_TEXT } };
  g_autoptr (TallyHarness) harness = tally_harness_new ("shout-busy");

  tally_harness_set_columns (harness, columns, 1);
  tally_harness_set (harness, "mark", "id");
  tally_harness_add_row (harness, (const char *const[]) { "a" });
  assert_int (tally_harness_push (harness), TALLY_FLOW_RETRY);
  assert_text (tally_harness_error (harness), "the line is busy");
  tally_harness_add_row (harness, (const char *const[]) { "a" });
  assert_int (tally_harness_push (harness), TALLY_FLOW_OK);
  assert_int (tally_harness_commit (harness), TALLY_FLOW_OK);
  g_autofree char *warnings = tally_harness_get_warnings (harness);
  assert_text (warnings, "1 rows");
}

static void
test_a_sink_may_settle_later (void)
{
  static const TallyColumn columns[] = { { "word", TALLY_TYPE_TEXT } };
  g_autoptr (TallyHarness) harness = tally_harness_new ("shout-later");

  tally_harness_set_columns (harness, columns, 1);
  tally_harness_add_row (harness, (const char *const[]) { "good" });
  tally_harness_add_row (harness, (const char *const[]) { "bad" });
  assert_int (tally_harness_push (harness), TALLY_FLOW_OK);
  assert_int (tally_harness_commit (harness), TALLY_FLOW_OK);
  g_autofree char *rejects = tally_harness_get_rejects (harness);
  assert_contains (rejects, "not this one");
}

static void
test_renders_what_would_be_sent (void)
{
  static const TallyColumn columns[] = { { "title", TALLY_TYPE_TEXT } };
  g_autoptr (TallyHarness) harness = tally_harness_new ("shout-letter");

  tally_harness_set_columns (harness, columns, 1);
  tally_harness_set (harness, "subject", "title");
  tally_harness_add_row (harness, (const char *const[]) { "hello" });
  tally_harness_add_row (harness, (const char *const[]) { NULL });
  g_autofree char *body = tally_harness_render (harness, 0, "desk:1");
  assert_text (body, "desk:1: hello");
  assert_true (tally_harness_render (harness, 1, "desk:2") == NULL);
  assert_text (tally_harness_error (harness), "a letter needs a subject");
}

static void
test_renders_an_update (void)
{
  static const TallyColumn columns[] = { { "title", TALLY_TYPE_TEXT } };
  g_autoptr (TallyHarness) harness = tally_harness_new ("shelf");

  tally_harness_set_columns (harness, columns, 1);
  tally_harness_set (harness, "path", "nowhere");
  tally_harness_set (harness, "subject", "title");
  tally_harness_add_row (harness, (const char *const[]) { "hello" });
  tally_harness_add_row (harness, (const char *const[]) { "same" });
  tally_harness_add_row (harness, (const char *const[]) { NULL });
  g_autofree char *created = tally_harness_render_update (harness, 1, "desk:1", NULL);
  g_autofree char *updated = tally_harness_render_update (harness, 0, "desk:1", "7");
  g_autofree char *nothing = tally_harness_render_update (harness, 1, "desk:1", "7");
  assert_text (created, "same");
  assert_text (updated, "hello");
  assert_text (nothing, "");
  assert_true (tally_harness_render_update (harness, 2, "desk:2", "8") == NULL);
  assert_text (tally_harness_error (harness), "a book needs a subject");
}

static const Promise promises[] = {
  { "pulls rows", test_pulls_rows },
  { "resumes at the next line", test_resumes_at_the_next_line },
  { "begins again without a commit", test_begins_again_without_a_commit },
  { "tells why it cannot be opened", test_tells_why_it_cannot_be_opened },
  { "pushes rows through a transform", test_pushes_rows_through_a_transform },
  { "shows the columns before opening", test_shows_the_columns_before_opening },
  { "a sink may ask for patience", test_a_sink_may_ask_for_patience },
  { "a sink may settle later", test_a_sink_may_settle_later },
  { "renders what would be sent", test_renders_what_would_be_sent },
  { "renders an update", test_renders_an_update },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("harness", promises, argc, argv);
}
