/* fuzz_csv.c: the csv source on any bytes, by options that the first three bytes choose
 *
 * Beyond not falling over: values are UTF-8 without NUL, lines go up, and whoever goes on at an offered position reads the rest.
 */
#include "csv.h"
#include "fuzz_source.h"

static const char *const delimiters[] = { ",", ";", "tab", "|" };
static const char *const encodings[] = { "UTF-8", "windows-1252", "UTF-16LE", "SHIFT_JIS" };

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  guint8 flags, limits;

  if (size < 3)
    return 0;

  flags = data[1];
  limits = data[2];
  const FuzzOption options[] = {
    { "delimiter", delimiters[data[0] % 4] },
    { "encoding", encodings[data[0] / 4 % 4] },
    { "header", flags & 1 ? "false" : "true" },
    { "trim", flags & 2 ? "true" : "false" },
    { "ragged", flags & 4 ? "pad" : "reject" },
    { "comment", flags & 8 ? "#" : "none" },
    { "quote", flags & 16 ? "none" : flags & 32 ? "'" : "\"" },
    { "escape", flags & 16 ? "none" : flags & 64 ? "\\" : flags & 32 ? "'" : "\"" },
    { "skip", flags & 128 ? "1" : "0" },
    { "max-field", limits & 1 ? "40" : "16MiB" },
    { "max-record", limits & 2 ? "60" : "64MiB" },
    { "max-columns", limits & 4 ? "3" : "4096" },
    { NULL, NULL },
  };

  fuzz_source (&csv_source, options, data + 3, size - 3);
  return 0;
}
