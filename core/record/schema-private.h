/* schema-private.h: what the pipeline knows of a schema beyond its columns */
#pragma once
#include <tallyman/schema.h>

/* Marks the columns that the key reads: a bitmap, bit i % 64 of word i / 64.  Only while nobody else holds the schema. */
void tally_schema_mark_keys (TallySchema *schema, const guint64 *columns);
