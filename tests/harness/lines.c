/* lines: one record for each line of a text file
 *
 * The position is the byte offset after the last line handed on, so a run
 * that stopped half-way resumes at the next line.
 */
#include <tallyman/plugin.h>

enum
{
  COLUMN_LINE
};

typedef struct
{
  char *path;          /* option */
  gint64 batch_rows;   /* option */
  GIOChannel *channel; /* (owned) (nullable) from open() to close() */
  gint64 offset;
} LinesSource;

static gboolean
lines_open (gpointer self, TallyContext *ctx, GError **error)
{
  LinesSource *lines = self;
  const char *position = tally_context_position (ctx);

  lines->offset = position != NULL ? g_ascii_strtoll (position, NULL, 10) : 0;
  lines->channel = g_io_channel_new_file (lines->path, "r", error);
  return lines->channel != NULL
         && g_io_channel_seek_position (lines->channel, lines->offset, G_SEEK_SET, error)
                == G_IO_STATUS_NORMAL;
}

static TallySchema *
lines_describe (gpointer self, TallyContext *ctx, GError **error)
{
  static const TallyColumn columns[] = { [COLUMN_LINE] = { "line", TALLY_TYPE_TEXT } };

  return tally_schema_new (columns, G_N_ELEMENTS (columns));
}

static TallyFlow
lines_read (gpointer self, TallyContext *ctx, TallyBatch *out, GError **error)
{
  LinesSource *lines = self;
  gint64 n_rows = 0;

  while (n_rows < lines->batch_rows)
    {
      g_autofree char *line = NULL;
      gsize length, end;
      GIOStatus status = g_io_channel_read_line (lines->channel, &line, &length, &end, error);

      if (status == G_IO_STATUS_EOF)
        break;
      if (status != G_IO_STATUS_NORMAL)
        return TALLY_FLOW_FATAL;

      tally_batch_add_row (out);
      tally_batch_set_text (out, COLUMN_LINE, line, end);
      lines->offset += length;
      n_rows++;
    }

  if (n_rows == 0)
    return TALLY_FLOW_END;

  g_autofree char *position = g_strdup_printf ("%" G_GINT64_FORMAT, lines->offset);
  tally_batch_set_position (out, position);
  return TALLY_FLOW_OK;
}

static void
lines_close (gpointer self)
{
  LinesSource *lines = self;

  g_clear_pointer (&lines->channel, g_io_channel_unref);
}

static const TallyOption lines_options[] = {
  { .name = "path",
    .type = TALLY_OPTION_TEXT,
    .flags = TALLY_OPTION_REQUIRED | TALLY_OPTION_PATH,
    .offset = G_STRUCT_OFFSET (LinesSource, path),
    .summary = "File to read" },
  { .name = "batch-rows",
    .type = TALLY_OPTION_INT,
    .fallback = "1000",
    .min = 1,
    .max = 100000,
    .offset = G_STRUCT_OFFSET (LinesSource, batch_rows),
    .summary = "Most lines in a batch" },
  { 0 },
};

static const TallyPlugin lines_source = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SOURCE,
  .name = "lines",
  .summary = "One record for each line of a text file",
  .flags = TALLY_PLUGIN_LOCAL,
  .instance_size = sizeof (LinesSource),
  .options = lines_options,
  .open = lines_open,
  .describe = lines_describe,
  .read = lines_read,
  .close = lines_close,
};

TALLY_REGISTER (&lines_source);
