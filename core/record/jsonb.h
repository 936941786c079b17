/* jsonb.h: PostgreSQL's jsonb as text
 *
 * A jsonb is held as the text that PostgreSQL prints for it (see TALLY_TYPE_JSONB).  That text is
 * canonical but for the scale of numbers, so most of what jsonb can do is a walk over text, without
 * a tree.  All functions take canonical text, as tally_jsonb_parse() gives it; views that they
 * return point into their arguments, into constant memory, or into the batch. Keys and text are
 * UTF-8 without JSON's quotes and escapes, except where it says so.
 *
 * Errors are TALLY_ERROR_DATA with PostgreSQL's messages.
 *
 * Not supported: jsonpath (`@?`, `@@`, jsonb_path_*), subscripting for assignment, the json type's
 * keeping of blanks, order and duplicates.
 */
#pragma once
#include <tallyman/batch.h>
#include <tallyman/error.h>

#define TALLY_JSONB_MAX_DEPTH 1000
#define TALLY_JSONB_MAX_SIZE (256 * 1024 * 1024)

/* In jsonb's sort order. */
typedef enum
{
  TALLY_JSONB_NULL,
  TALLY_JSONB_STRING,
  TALLY_JSONB_NUMBER,
  TALLY_JSONB_BOOLEAN,
  TALLY_JSONB_ARRAY,
  TALLY_JSONB_OBJECT,
} TallyJsonbKind;

/* Reads any JSON text (RFC 8259).  Deeper than TALLY_JSONB_MAX_DEPTH or longer than
 * TALLY_JSONB_MAX_SIZE is TALLY_ERROR_LIMIT. */
gboolean tally_jsonb_parse (TallyText text, TallyBatch *batch, TallyText *ret_json, GError **error);

TallyJsonbKind tally_jsonb_kind (TallyText json);
/* jsonb_typeof(): "object", "array", "string", "number", "boolean", "null". */
const char *tally_jsonb_typeof (TallyText json);

/* json -> key, json -> index (negative from the end; a scalar is its own element 0), json #> path.
 * FALSE is SQL's NULL. */
gboolean tally_jsonb_member (TallyText json, TallyText key, TallyText *ret_json);
gboolean tally_jsonb_element (TallyText json, gint64 index, TallyText *ret_json);
gboolean tally_jsonb_at_path (TallyText json, const TallyText *path, guint n_path,
                              TallyText *ret_json);
/* The second half of ->> and #>>: a string without quotes, others as their text; FALSE (SQL's NULL)
 * for JSON's null. */
gboolean tally_jsonb_to_text (TallyText json, TallyBatch *batch, TallyText *ret_text);

/* Members or elements in order:
 *
 *   TallyJsonbIter iter;
 *   tally_jsonb_iter_init (&iter, json);
 *   while (tally_jsonb_iter_next (&iter, &key, &value)) …
 *
 * A scalar has none. */
typedef struct
{
  const char *at; /* private */
  const char *end;
  gboolean is_object;
} TallyJsonbIter;
void tally_jsonb_iter_init (TallyJsonbIter *iter, TallyText json);
/* ret_key: (out) (optional): for an object the key as a JSON string with quotes
 * (tally_jsonb_to_text() decodes it). */
gboolean tally_jsonb_iter_next (TallyJsonbIter *iter, TallyText *ret_key, TallyText *ret_value);

/* jsonb_array_length(). */
gboolean tally_jsonb_array_length (TallyText json, gint64 *ret_length, GError **error);
/* json ? key. */
gboolean tally_jsonb_exists (TallyText json, TallyText key);
/* json @> part. */
gboolean tally_jsonb_contains (TallyText json, TallyText part);
/* Below 0, 0, above 0 in jsonb's btree order: = <> < > and so on. */
gint tally_jsonb_compare (TallyText a, TallyText b);
/* The same for values that compare equal. */
guint tally_jsonb_hash (TallyText json);

/* a || b; json - key; json - index; json #- path. */
gboolean tally_jsonb_concat (TallyText a, TallyText b, TallyBatch *batch, TallyText *ret_json,
                             GError **error);
gboolean tally_jsonb_delete_key (TallyText json, TallyText key, TallyBatch *batch,
                                 TallyText *ret_json, GError **error);
gboolean tally_jsonb_delete_index (TallyText json, gint64 index, TallyBatch *batch,
                                   TallyText *ret_json, GError **error);
gboolean tally_jsonb_delete_path (TallyText json, const TallyText *path, guint n_path,
                                  TallyBatch *batch, TallyText *ret_json, GError **error);
/* jsonb_set(json, path, value, create). */
gboolean tally_jsonb_set (TallyText json, const TallyText *path, guint n_path, TallyText value,
                          gboolean create, TallyBatch *batch, TallyText *ret_json, GError **error);
/* jsonb_strip_nulls(); jsonb_pretty(). */
TallyText tally_jsonb_strip_nulls (TallyText json, TallyBatch *batch);
TallyText tally_jsonb_pretty (TallyText json, TallyBatch *batch);

/* to_jsonb() of a value: numbers and booleans as such, jsonb as itself, timestamps in ISO 8601 with
 * a T, the rest as strings. NaN and the infinities become strings.  value is NULL for SQL's NULL.
 */
TallyText tally_jsonb_from_value (TallyType type, gconstpointer value, TallyBatch *batch);
/* jsonb_build_array(), jsonb_build_object(): elements and values are jsonb (see above); the last of
 * equal keys is kept. */
TallyText tally_jsonb_build_array (const TallyText *elements, guint n_elements, TallyBatch *batch);
TallyText tally_jsonb_build_object (const TallyText *keys, const TallyText *values, guint n_members,
                                    TallyBatch *batch);

/* Casts from jsonb: numbers to numeric, bigint, double; booleans.  Errors: cannot cast jsonb string
 * to type numeric. */
gboolean tally_jsonb_to_numeric (TallyText json, TallyText *ret_value, GError **error);
gboolean tally_jsonb_to_bigint (TallyText json, gint64 *ret_value, GError **error);
gboolean tally_jsonb_to_double (TallyText json, double *ret_value, GError **error);
gboolean tally_jsonb_to_boolean (TallyText json, gboolean *ret_value, GError **error);

/* Arrays are held as jsonb.  Reads PostgreSQL's form of a text[] ('{a,"b c",NULL}') into a jsonb
 * array of strings and nulls. One dimension only. */
gboolean tally_jsonb_from_array_text (TallyText text, TallyBatch *batch, TallyText *ret_json,
                                      GError **error);
/* A jsonb array of scalars as PostgreSQL prints the text[] of their texts: for paths and for array
 * output. */
gboolean tally_jsonb_to_array_text (TallyText json, TallyBatch *batch, TallyText *ret_text,
                                    GError **error);
