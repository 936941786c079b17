/* fuzz_pipeline.c: any bytes as a pipeline's file
 *
 * The file is an anonymous one in memory.  No plugin is found, so that no other file is opened by
 * what a pipeline names; the sources and sinks have fuzzers of their own.  What the reader says of
 * the bytes is shown as well: that is code, too.
 */
#include "pipeline/pipeline.h"
#include "pipeline/yaml.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* ${file:…} would read what it names: of a stranger's bytes only those go in that ask for no file.
 */
static gboolean
names_a_file (const guint8 *data, gsize size)
{
  return memmem (data, size, "${file", 6) != NULL || memmem (data, size, "${cred", 6) != NULL;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const TallyColumn columns[] = { { "id", TALLY_TYPE_TEXT }, { "n", TALLY_TYPE_BIGINT } };
  g_autofree char *name = NULL;
  g_autoptr (GString) shown = g_string_new (NULL);
  int fd;

  if (size > 64 * 1024 || names_a_file (data, size))
    return 0;
  fd = memfd_create ("pipeline", MFD_CLOEXEC);
  if (write (fd, data, size) != (gssize) size)
    g_error ("no memory for the pipeline");
  name = g_strdup_printf ("/proc/self/fd/%d", fd);

  g_setenv ("TALLYMAN_PLUGIN_PATH", "", TRUE);
  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  g_autoptr (TallyPipeline) pipeline = tally_pipeline_load (name, registry);
  g_autoptr (TallySchema) schema = tally_schema_new (columns, G_N_ELEMENTS (columns));
  tally_pipeline_bind (pipeline, schema);
  tally_pipeline_format_diagnostics (pipeline, /* colour= */ TRUE, shown);
  for (guint i = 0; i < pipeline->diagnostics->len; i++)
    tally_diagnostic_format_json (pipeline->diagnostics->pdata[i], shown);
  g_assert (g_utf8_validate (shown->str, shown->len, NULL));
  close (fd);
  return 0;
}
