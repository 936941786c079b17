/* types.c: what there is to know of a type without its values */
#include <string.h>
#include <tallyman/types.h>

static const struct
{
  const char *name;
  gsize size;
} types[TALLY_N_TYPES] = {
  [TALLY_TYPE_TEXT] = { "text", sizeof (TallyText) },
  [TALLY_TYPE_BOOLEAN] = { "boolean", sizeof (guint8) },
  [TALLY_TYPE_BIGINT] = { "bigint", sizeof (gint64) },
  [TALLY_TYPE_DOUBLE] = { "double precision", sizeof (double) },
  [TALLY_TYPE_NUMERIC] = { "numeric", sizeof (TallyText) },
  [TALLY_TYPE_DATE] = { "date", sizeof (gint32) },
  [TALLY_TYPE_TIMESTAMP] = { "timestamp", sizeof (gint64) },
  [TALLY_TYPE_TIMESTAMPTZ] = { "timestamptz", sizeof (gint64) },
  [TALLY_TYPE_INTERVAL] = { "interval", sizeof (TallyInterval) },
  [TALLY_TYPE_BYTEA] = { "bytea", sizeof (TallyText) },
  [TALLY_TYPE_JSONB] = { "jsonb", sizeof (TallyText) },
};

/* PostgreSQL's other names for these, and those that fit into one of these without loss. */
static const struct
{
  const char *name;
  TallyType type;
} synonyms[] = {
  { "bool", TALLY_TYPE_BOOLEAN },
  { "int8", TALLY_TYPE_BIGINT },
  { "int4", TALLY_TYPE_BIGINT },
  { "int2", TALLY_TYPE_BIGINT },
  { "int", TALLY_TYPE_BIGINT },
  { "integer", TALLY_TYPE_BIGINT },
  { "smallint", TALLY_TYPE_BIGINT },
  { "float8", TALLY_TYPE_DOUBLE },
  { "float", TALLY_TYPE_DOUBLE },
  { "decimal", TALLY_TYPE_NUMERIC },
  { "varchar", TALLY_TYPE_TEXT },
  { "character varying", TALLY_TYPE_TEXT },
  { "string", TALLY_TYPE_TEXT },
  { "json", TALLY_TYPE_JSONB },
  { "timestamp without time zone", TALLY_TYPE_TIMESTAMP },
  { "timestamp with time zone", TALLY_TYPE_TIMESTAMPTZ },
};

const char *
tally_type_name (TallyType type)
{
  return types[type].name;
}

gboolean
tally_type_from_name (const char *name, TallyType *ret_type)
{
  for (guint i = 0; i < TALLY_N_TYPES; i++)
    if (g_ascii_strcasecmp (name, types[i].name) == 0)
      {
        *ret_type = i;
        return TRUE;
      }

  for (guint i = 0; i < G_N_ELEMENTS (synonyms); i++)
    if (g_ascii_strcasecmp (name, synonyms[i].name) == 0)
      {
        *ret_type = synonyms[i].type;
        return TRUE;
      }

  return FALSE;
}

gsize
tally_type_size (TallyType type)
{
  return types[type].size;
}

gboolean
tally_text_equal (TallyText text, const char *string)
{
  return text.length == strlen (string) && memcmp (text.data, string, text.length) == 0;
}

char *
tally_text_dup (TallyText text)
{
  return g_strndup (text.data, text.length);
}
