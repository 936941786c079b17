/* hello: a source that greets, as often as it is asked to */
#include <tallyman/plugin.h>

typedef struct
{
  gint64 times; /* option */
  gboolean done;
} Hello;

static TallySchema *
hello_describe (gpointer self, TallyContext *ctx, GError **error)
{
  return tally_schema_new (&(TallyColumn) { "greeting", TALLY_TYPE_TEXT }, 1);
}

static TallyFlow
hello_read (gpointer self, TallyContext *ctx, TallyBatch *out, GError **error)
{
  Hello *hello = self;

  for (gint64 i = 0; i < hello->times && !hello->done; i++)
    {
      tally_batch_add_row (out);
      tally_batch_set_text (out, 0, "hello world", 11);
    }
  hello->done = TRUE;
  return TALLY_FLOW_END;
}

static const TallyOption options[] = {
  { .name = "times", .type = TALLY_OPTION_INT, .fallback = "1", .min = 1, .max = 100,
    .offset = G_STRUCT_OFFSET (Hello, times), .summary = "How often to greet" },
  { 0 },
};
static const TallyPlugin hello = { TALLY_PLUGIN_INIT, .kind = TALLY_SOURCE, .name = "hello", .summary = "Greetings",
                                   .flags = TALLY_PLUGIN_LOCAL, .instance_size = sizeof (Hello), .options = options,
                                   .describe = hello_describe, .read = hello_read };
TALLY_REGISTER (&hello);
