/* fuzz_mail.c: any bytes as one message, by limits that the first byte chooses */
#include "email.h"
#include "fuzz_source.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  guint8 flags;

  if (size < 1)
    return 0;

  flags = data[0];
  const FuzzOption options[] = {
    { "format", "eml" },
    { "max-message", flags & 1 ? "500" : "64MiB" },
    { "max-depth", flags & 2 ? "2" : "50" },
    { "max-parts", flags & 4 ? "5" : "10000" },
    { "max-headers", flags & 8 ? "5" : "10000" },
    { "max-header-size", flags & 16 ? "100" : "1MiB" },
    { NULL, NULL },
  };

  fuzz_source (&email_source, options, data + 1, size - 1);
  return 0;
}
