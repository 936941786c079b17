/* cases.h: what the tests of values share */
#pragma once
#include "record/value.h"
#include <promise.h>

#define TEXT_OF(string) ((TallyText){ (string), strlen (string) })

/* A batch that only lends its memory. */
static inline TallyBatch *
memory_new (void)
{
  TallyColumn column = { .name = "value", .type = TALLY_TYPE_TEXT };
  TallySchema *schema = tally_schema_new (&column, 1);
  TallyBatch *batch = tally_batch_new (schema, 1);

  tally_schema_unref (schema);
  return batch;
}

/* Large enough for a value of any type. */
typedef union
{
  guint8 boolean;
  gint64 bigint;
  double real;
  TallyText text;
  gint32 date;
  TallyInterval interval;
} Value;

/* A test's words for a result: the text of a value, NULL, or an error after an exclamation mark. */
static inline char *
tell_error (GError **error)
{
  char *text = g_strconcat ("! ", *error != NULL ? (*error)->message : "no reason given", NULL);

  g_clear_error (error);
  return text;
}

static inline char *
tell_value (TallyType type, const Value *value)
{
  GString *text = g_string_new (NULL);

  tally_value_format (type, value, text);
  return g_string_free (text, FALSE);
}

static inline char *
tell_parsed (TallyType type, const char *literal, TallyBatch *memory)
{
  g_autoptr (GError) error = NULL;
  Value value;

  if (!tally_value_parse (type, TEXT_OF (literal), memory, &value, &error))
    return tell_error (&error);
  return tell_value (type, &value);
}
