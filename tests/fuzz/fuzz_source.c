/* fuzz_source.c: what holds for every source of files, whatever is in them */
#include "fuzz_source.h"
#include "plugin/instance.h"
#include "record/batch-private.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Small, so that there are several. */
#define BATCH 3

typedef struct
{
  guint64 n_read;
  gboolean complete; /* END was reached */
  char *position;    /* (owned) (nullable) the first one */
  guint64 n_before;  /* records up to it */
} Reading;

static void
check_batch (TallyBatch *batch)
{
  gint64 line = 0;

  for (guint row = 0; row < tally_batch_n_rows (batch); row++)
    {
      g_assert (tally_batch_row_number (batch, row) >= line);
      line = tally_batch_row_number (batch, row);
      for (guint i = 0; i < tally_schema_n_columns (tally_batch_schema (batch)); i++)
        if (tally_schema_column (tally_batch_schema (batch), i)->type == TALLY_TYPE_TEXT && !tally_batch_is_null (batch, row, i))
          {
            TallyText text = tally_batch_get_text (batch, row, i);

            g_assert (g_utf8_validate_len (text.data, text.length, NULL));
          }
    }
}

static void
count_warning (const char *message, gpointer data)
{
  ++*(guint *) data;
}

static void
read_all (TallyInstance *instance, TallyContext *ctx, Reading *reading)
{
  g_autoptr (TallySchema) schema = instance->plugin->describe (instance->self, ctx, NULL);
  TallyFlow flow = TALLY_FLOW_OK;

  if (schema == NULL)
    return;

  g_autoptr (TallyBatch) batch = tally_batch_new (schema, BATCH);
  while (flow == TALLY_FLOW_OK)
    {
      tally_batch_clear (batch);
      flow = instance->plugin->read (instance->self, ctx, batch, NULL);
      check_batch (batch);
      reading->n_read += tally_batch_n_read (batch);
      if (reading->position == NULL && tally_batch_position (batch) != NULL)
        {
          reading->position = g_strdup (tally_batch_position (batch));
          reading->n_before = reading->n_read;
        }
    }
  reading->complete = flow == TALLY_FLOW_END;
}

/* Returns the warnings that it gave. */
static guint
read_once (const TallyPlugin *plugin, const FuzzOption *options, const char *path, const char *position, Reading *ret_reading)
{
  g_autoptr (TallyInstance) instance = tally_instance_new (plugin);
  g_autoptr (TallyContext) ctx = tally_context_new ("/");
  guint n_warnings = 0;

  ctx->position = g_strdup (position);
  ctx->warn = count_warning;
  ctx->warn_data = &n_warnings;
  tally_instance_set (instance, "path", path, "/", NULL);
  for (; options->name != NULL; options++)
    tally_instance_set (instance, options->name, options->value, "/", NULL);
  if (tally_instance_finish (instance, NULL, NULL) && tally_instance_open (instance, ctx, NULL))
    read_all (instance, ctx, ret_reading);
  return n_warnings;
}

void
fuzz_source (const TallyPlugin *plugin, const FuzzOption *options, const guint8 *data, gsize size)
{
  int descriptor = memfd_create ("fuzz", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", descriptor);
  Reading whole = { 0 }, rest = { 0 };
  guint n_warnings;

  g_assert (descriptor >= 0 && write (descriptor, data, size) == (gssize) size);
  n_warnings = read_once (plugin, options, path, NULL, &whole);
  /* What the header or the members warn of, both readings warn of. */
  if (whole.complete && whole.position != NULL && read_once (plugin, options, path, whole.position, &rest) <= n_warnings)
    g_assert_cmpuint (whole.n_before + rest.n_read, ==, whole.n_read);
  g_free (whole.position);
  g_free (rest.position);
  close (descriptor);
}
