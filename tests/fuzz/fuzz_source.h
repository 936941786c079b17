/* fuzz_source.h: a source that reads bytes as a file */
#pragma once
#include <tallyman/plugin.h>

typedef struct
{
  const char *name; /* NULL ends the list */
  const char *value;
} FuzzOption;

/* Reads all of it, looks at what comes, and reads the rest once more from the first position that was offered. */
void fuzz_source (const TallyPlugin *plugin, const FuzzOption *options, const guint8 *data, gsize size);
