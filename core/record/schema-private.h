/* schema-private.h: what the pipeline knows of a schema beyond its columns */
#pragma once
#include <tallyman/schema.h>

/* Whether both have the same names and types in the same order. */
gboolean tally_schema_equal (TallySchema *a, TallySchema *b);

/* Marks the columns that the key reads: a bitmap, bit i % 64 of word i / 64.  Only while nobody else holds the schema. */
void tally_schema_mark_keys (TallySchema *schema, const guint64 *columns);
