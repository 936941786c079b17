/* fuzz_ndjson.c: the json source on any bytes, by options that the first byte chooses */
#include "fuzz_source.h"
#include "json.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  guint8 flags;

  if (size < 1)
    return 0;

  flags = data[0];
  const FuzzOption options[] = {
    { "format", flags & 1 ? "auto" : flags & 2 ? "lines" : "array" },
    { "sample", flags & 4 ? "1" : "1000" },
    { "max-record", flags & 8 ? "60" : "64MiB" },
    { "max-depth", flags & 16 ? "3" : "100" },
    { flags & 32 ? "columns" : NULL, "a bigint" },
    { NULL, NULL },
  };

  fuzz_source (&json_source, options, data + 1, size - 1);
  return 0;
}
