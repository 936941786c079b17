/* catalog.h: the server's types and ours */
#pragma once
#include <tallyman/schema.h>

/* Types as pg_type numbers them; they never change. */
enum
{
  PG_BOOL = 16,
  PG_BYTEA = 17,
  PG_NAME = 19,
  PG_INT8 = 20,
  PG_INT2 = 21,
  PG_INT4 = 23,
  PG_TEXT = 25,
  PG_OID = 26,
  PG_JSON = 114,
  PG_FLOAT4 = 700,
  PG_FLOAT8 = 701,
  PG_BPCHAR = 1042,
  PG_VARCHAR = 1043,
  PG_DATE = 1082,
  PG_TIMESTAMP = 1114,
  PG_TIMESTAMPTZ = 1184,
  PG_INTERVAL = 1186,
  PG_NUMERIC = 1700,
  PG_JSONB = 3802,
};

/* How a column of the server is read: as our type, through a cast (a printf format of the column's SQL, or NULL).  What we
 * have no type for comes as the server's text, arrays as jsonb. */
typedef struct
{
  TallyType type;
  const char *cast;
} PgReading;

PgReading pg_reading (guint32 oid, gboolean is_array);

/* The type of the server for a new column of ours. */
const char *pg_type_for (TallyType type);

/* Whether the binary form of our type is that of the server's. */
gboolean pg_has_binary (TallyType type, guint32 oid);
