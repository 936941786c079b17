/* catalog.c: the server's types and ours */
#include "catalog.h"

/* A numeric or a jsonb is held as the text that the server prints; a float4 is read by its own digits, 0.1, and not as
 * the double that its bits are, 0.10000000149011612; a json keeps its blanks, so it is no jsonb. */
static const struct
{
  guint32 oid;
  PgReading reading;
} readings[] = {
  { PG_BOOL, { TALLY_TYPE_BOOLEAN, NULL } },
  { PG_BYTEA, { TALLY_TYPE_BYTEA, NULL } },
  { PG_NAME, { TALLY_TYPE_TEXT, "%s::text" } },
  { PG_INT8, { TALLY_TYPE_BIGINT, NULL } },
  { PG_INT2, { TALLY_TYPE_BIGINT, "%s::bigint" } },
  { PG_INT4, { TALLY_TYPE_BIGINT, "%s::bigint" } },
  { PG_TEXT, { TALLY_TYPE_TEXT, NULL } },
  { PG_OID, { TALLY_TYPE_BIGINT, "%s::bigint" } },
  { PG_FLOAT4, { TALLY_TYPE_DOUBLE, "%s::text::double precision" } },
  { PG_FLOAT8, { TALLY_TYPE_DOUBLE, NULL } },
  { PG_BPCHAR, { TALLY_TYPE_TEXT, NULL } },
  { PG_VARCHAR, { TALLY_TYPE_TEXT, NULL } },
  { PG_DATE, { TALLY_TYPE_DATE, NULL } },
  { PG_TIMESTAMP, { TALLY_TYPE_TIMESTAMP, NULL } },
  { PG_TIMESTAMPTZ, { TALLY_TYPE_TIMESTAMPTZ, NULL } },
  { PG_INTERVAL, { TALLY_TYPE_INTERVAL, NULL } },
  { PG_NUMERIC, { TALLY_TYPE_NUMERIC, "%s::text" } },
  { PG_JSONB, { TALLY_TYPE_JSONB, "%s::text" } },
};

PgReading
pg_reading (guint32 oid, gboolean is_array)
{
  for (guint i = 0; i < G_N_ELEMENTS (readings); i++)
    if (readings[i].oid == oid)
      return readings[i].reading;
  if (is_array)
    return (PgReading){ TALLY_TYPE_JSONB, "to_jsonb (%s)::text" };
  return (PgReading){ TALLY_TYPE_TEXT, "%s::text" };
}

static const struct
{
  const char *name;
  guint32 binary[4]; /* whose binary form is ours, 0 for no more */
} types[TALLY_N_TYPES] = {
  [TALLY_TYPE_TEXT] = { "text", { PG_TEXT, PG_VARCHAR, PG_BPCHAR } },
  [TALLY_TYPE_BOOLEAN] = { "boolean", { PG_BOOL } },
  [TALLY_TYPE_BIGINT] = { "bigint", { PG_INT8 } },
  [TALLY_TYPE_DOUBLE] = { "double precision", { PG_FLOAT8 } },
  [TALLY_TYPE_NUMERIC] = { "numeric", { PG_NUMERIC } },
  [TALLY_TYPE_DATE] = { "date", { PG_DATE } },
  [TALLY_TYPE_TIMESTAMP] = { "timestamp", { PG_TIMESTAMP } },
  [TALLY_TYPE_TIMESTAMPTZ] = { "timestamptz", { PG_TIMESTAMPTZ } },
  [TALLY_TYPE_INTERVAL] = { "interval", { PG_INTERVAL } },
  [TALLY_TYPE_BYTEA] = { "bytea", { PG_BYTEA } },
  [TALLY_TYPE_JSONB] = { "jsonb", { PG_JSONB } },
};

const char *
pg_type_for (TallyType type)
{
  return types[type].name;
}

gboolean
pg_has_binary (TallyType type, guint32 oid)
{
  for (guint i = 0; i < G_N_ELEMENTS (types[type].binary); i++)
    if (types[type].binary[i] == oid)
      return TRUE;
  return FALSE;
}
