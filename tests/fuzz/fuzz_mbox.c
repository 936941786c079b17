/* fuzz_mbox.c: any bytes as an mbox, of a dialect that the first byte chooses */
#include "email.h"
#include "fuzz_source.h"

static const char *const dialects[] = { "auto", "mboxo", "mboxrd", "mboxcl", "mboxcl2" };

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  if (size < 1)
    return 0;

  const FuzzOption options[] = {
    { "format", data[0] & 128 ? "auto" : "mbox" },
    { "mbox", dialects[data[0] % 8 % G_N_ELEMENTS (dialects)] },
    { "max-message", data[0] & 64 ? "100" : "64MiB" },
    { NULL, NULL },
  };

  fuzz_source (&email_source, options, data + 1, size - 1);
  return 0;
}
