/* old-plugin: a source built with the headers of interface 1 as they were frozen, and with nothing
 * else */
#include <tallyman/plugin.h>

typedef struct
{
  gint64 rows; /* option */
  gint64 next;
} CountSource;

static gboolean
count_open (gpointer self, TallyContext *ctx, GError **error)
{
  CountSource *count = self;
  const char *position = tally_context_position (ctx);

  count->next = position != NULL ? g_ascii_strtoll (position, NULL, 10) : 0;
  return TRUE;
}

static TallySchema *
count_describe (gpointer self, TallyContext *ctx, GError **error)
{
  static const TallyColumn columns[]
      = { { "number", TALLY_TYPE_BIGINT }, { "name", TALLY_TYPE_TEXT } };

  return tally_schema_new (columns, 2);
}

static TallyFlow
count_read (gpointer self, TallyContext *ctx, TallyBatch *out, GError **error)
{
  CountSource *count = self;
  g_autofree char *position = NULL;

  while (count->next < count->rows && tally_batch_n_rows (out) < 2)
    {
      tally_batch_add_row (out);
      tally_batch_set_int (out, 0, count->next);
      tally_batch_set_text (out, 1, "abc", count->next++ % 4);
    }
  if (tally_batch_n_rows (out) == 0)
    return TALLY_FLOW_END;

  position = g_strdup_printf ("%" G_GINT64_FORMAT, count->next);
  tally_batch_set_position (out, position);
  return TALLY_FLOW_OK;
}

static const TallyOption count_options[] = {
  { .name = "rows",
    .type = TALLY_OPTION_INT,
    .fallback = "3",
    .min = 1,
    .max = 1000,
    .offset = G_STRUCT_OFFSET (CountSource, rows),
    .summary = "How many" },
  { 0 },
};

static const TallyPlugin count_source = {
  TALLY_PLUGIN_INIT,        .kind = TALLY_SOURCE,        .name = "old-plugin",
  .summary = "Numbers",     .flags = TALLY_PLUGIN_LOCAL, .instance_size = sizeof (CountSource),
  .options = count_options, .open = count_open,          .describe = count_describe,
  .read = count_read,
};

TALLY_REGISTER (&count_source);
