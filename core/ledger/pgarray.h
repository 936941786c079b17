/* pgarray.h: parameters of a statement in PostgreSQL's binary form, arrays above all */
#pragma once
#include <glib.h>

typedef struct
{
  GPtrArray *buffers; /* (owned) (element-type GByteArray) (nullable elements) */
  GArray *types;      /* (owned) (element-type guint32) */
} TallyPgParameters;

void tally_pg_parameters_init (TallyPgParameters *parameters);
void tally_pg_parameters_clear (TallyPgParameters *parameters);

void tally_pg_add_int (TallyPgParameters *parameters, gint64 value);
void tally_pg_add_text (TallyPgParameters *parameters, const char *text); /* (nullable) */

/* Begins an array; its elements follow, as many as were announced. */
void tally_pg_begin_texts (TallyPgParameters *parameters, guint n);
void tally_pg_begin_bytes (TallyPgParameters *parameters, guint n);
void tally_pg_begin_ints (TallyPgParameters *parameters, guint n);
void tally_pg_begin_bigints (TallyPgParameters *parameters, guint n);
void tally_pg_begin_booleans (TallyPgParameters *parameters, guint n);
void tally_pg_text (TallyPgParameters *parameters, const char *text); /* (nullable) */
void tally_pg_bytes (TallyPgParameters *parameters, GBytes *bytes);
void tally_pg_int (TallyPgParameters *parameters, gint32 value);
void tally_pg_bigint (TallyPgParameters *parameters, gint64 value);
void tally_pg_boolean (TallyPgParameters *parameters, gboolean value);
