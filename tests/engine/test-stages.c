/* test-stages.c: which positions come to the sink */
#include "engine/run.h"
#include "promise.h"
#include <glib/gstdio.h>
#include <string.h>

typedef struct
{
  char *folder, *lines, *file; /* (owned) */
  TallyRegistry *registry;     /* (owned) */
  TallyPipeline *pipeline;     /* (owned) */
  TallyRunOptions options;
  TallyStages stages;
} Line;

#define LINES "lines: { path: lines.txt, batch-rows: 1 }"

/* line: static, so that its lock needs no init, which in a build for ThreadSanitizer would not be the library's own. */
static void
line_open (Line *line, const char *source, const char *steps, gboolean at_once)
{
  g_autofree char *text = g_strdup_printf ("pipeline: p\nsource: { %s }\ntransform: [ %s ]\nsink: shout-busy\n", source,
                                           steps);
  g_autoptr (GError) error = NULL;

  line->folder = g_dir_make_tmp ("stages-XXXXXX", NULL);
  line->lines = g_build_filename (line->folder, "lines.txt", NULL);
  line->file = g_build_filename (line->folder, "p.yaml", NULL);
  g_file_set_contents (line->lines, "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\nn\n", -1, NULL);
  g_file_set_contents (line->file, text, -1, NULL);
  line->registry = tally_registry_new ();
  line->pipeline = tally_pipeline_load (line->file, line->registry);
  assert_int (tally_pipeline_n_errors (line->pipeline), 0);
  line->options.batch_rows = 1;
  line->stages = (TallyStages){ .pipeline = line->pipeline,
                                .options = &line->options,
                                .warnings = tally_warnings_new (NULL, NULL),
                                .source_ctx = tally_context_new (line->folder),
                                .sink_ctx = tally_context_new (line->folder),
                                .raw = tally_queue_new (1),
                                .shaped = tally_queue_new (1) };
  assert_true (tally_pipeline_describe_lookups (line->pipeline, line->stages.source_ctx, &error));
  assert_true (tally_pipeline_bind (line->pipeline, line->pipeline->source_schema));
  if (at_once)
    tally_context_set_at_once (line->stages.sink_ctx);
  assert_true (tally_instance_open (line->pipeline->source, line->stages.source_ctx, &error));
  for (guint i = 0; i < line->pipeline->steps->len; i++)
    assert_true (tally_step_open (line->pipeline->steps->pdata[i], line->stages.source_ctx, &error));
  tally_stages_start (&line->stages);
}

static void
line_close (Line *line)
{
  tally_stages_join (&line->stages);
  for (guint i = 0; i < line->pipeline->steps->len; i++)
    tally_step_close (line->pipeline->steps->pdata[i]);
  tally_queue_free (line->stages.raw);
  tally_queue_free (line->stages.shaped);
  tally_warnings_free (line->stages.warnings);
  tally_context_free (line->stages.source_ctx);
  tally_context_free (line->stages.sink_ctx);
  tally_pipeline_free (line->pipeline);
  tally_registry_free (line->registry);
  g_unlink (line->lines);
  g_unlink (line->file);
  g_rmdir (line->folder);
  g_free (line->lines);
  g_free (line->file);
  g_free (line->folder);
}

/* (transfer full): of each batch its rows, then its position; at_once: the sink commits once; a stop is asked for after the first stop_after batches. */
static char *
positions_of (const char *source, const char *steps, gboolean at_once, guint stop_after)
{
  static Line line;
  GString *found = g_string_new (NULL);
  TallyBatch *batch;
  guint n = 0;

  line_open (&line, source, steps, at_once);
  while ((batch = tally_queue_pop (line.stages.shaped, -1)) != NULL)
    {
      const char *position = tally_batch_position (batch);

      if (++n == stop_after)
        tally_stages_stop (&line.stages);
      g_string_append_printf (found, "%u:%s ", tally_batch_n_rows (batch), position != NULL ? position : "-");
      tally_batch_free (batch);
    }
  line_close (&line);
  return g_string_free (found, FALSE);
}

static char *
positions (const char *steps, gboolean at_once, guint stop_after)
{
  return positions_of (LINES, steps, at_once, stop_after);
}

/* Without a wish of its own it would be given up after eight calls, and a minute. */
static void
test_a_source_is_left_alone_as_long_as_it_asks (void)
{
  g_autofree char *found = positions_of ("shout-begged: {}", "", FALSE, 0);

  assert_text (found, "1:- ");
}

static void
test_positions_come_with_their_rows (void)
{
  g_autofree char *found = positions ("filter: line < 'c'", FALSE, 0);

  assert_text (found, "1:2 1:4 0:6 0:8 0:10 0:12 0:14 0:16 0:18 0:20 0:22 0:24 0:26 0:28 0:- ");
}

static void
test_rows_are_looked_up_before_the_first_comes (void)
{
  g_autofree char *found = positions ("lookup: { from: { lines: { path: lines.txt, batch-rows: 2 } }, match: { line: line }, "
                                      "columns: { other: line } }, filter: other < 'c'", FALSE, 0);

  assert_text (found, "1:2 1:4 0:6 0:8 0:10 0:12 0:14 0:16 0:18 0:20 0:22 0:24 0:26 0:28 0:- ");
}

/* The other source has nothing to say, and would never end. */
static void
test_a_source_to_look_up_in_can_be_interrupted (void)
{
  static Line line;

  line_open (&line, LINES, "lookup: { from: shout-mute, match: { word: line }, collect: all }", FALSE);
  assert_true (tally_queue_pop (line.stages.shaped, G_USEC_PER_SEC / 10) == NULL);
  tally_stages_join (&line.stages);
  assert_error (line.stages.error, TALLY_ERROR, TALLY_ERROR_INTERRUPTED, "step \"lookup\": source \"shout-mute\": interrupted");
  line_close (&line);
}

static void
test_the_last_position_follows_rows_that_are_remembered (void)
{
  g_autofree char *enough = positions ("limit: 2", FALSE, 0), *all = positions ("limit: 100", FALSE, 0);

  assert_text (enough, "1:- 1:- 0:4 ");
  assert_text (all, "1:- 1:- 1:- 1:- 1:- 1:- 1:- 1:- 1:- 1:- 1:- 1:- 1:- 1:- 0:- 0:28 ");
}

static void
test_the_last_position_follows_rows_that_are_committed_at_once (void)
{
  g_autofree char *found = positions ("filter: line < 'c'", TRUE, 0);

  assert_text (found, "1:- 1:- 0:- 0:- 0:- 0:- 0:- 0:- 0:- 0:- 0:- 0:- 0:- 0:- 0:- 0:28 ");
}

static void
test_a_stop_leaves_no_position_of_rows_that_are_remembered (void)
{
  static const guint stops[] = { 1, 13 }; /* the source goes on, or is at its end already */

  for (guint i = 0; i < G_N_ELEMENTS (stops); i++)
    {
      g_autofree char *found = positions ("limit: 100", FALSE, stops[i]);

      assert_true (g_str_has_prefix (found, "1:- "));
      for (const char *position = found; (position = strchr (position, ':')) != NULL; position++)
        assert_int (position[1], '-');
    }
}

static const Promise promises[] = {
  { "a source is left alone as long as it asks", test_a_source_is_left_alone_as_long_as_it_asks },
  { "positions come with their rows", test_positions_come_with_their_rows },
  { "rows are looked up before the first comes", test_rows_are_looked_up_before_the_first_comes },
  { "a source to look up in can be interrupted", test_a_source_to_look_up_in_can_be_interrupted },
  { "the last position follows rows that are remembered", test_the_last_position_follows_rows_that_are_remembered },
  { "the last position follows rows that are committed at once", test_the_last_position_follows_rows_that_are_committed_at_once },
  { "a stop leaves no position of rows that are remembered", test_a_stop_leaves_no_position_of_rows_that_are_remembered },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("stages", promises, argc, argv);
}
