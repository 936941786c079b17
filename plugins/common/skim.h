/* skim.h: JSON as it stands: checked, cut into members, not built
 *
 * A number keeps its digits, a string without escapes is a view, and what is nested stays text (RFC 8259).
 */
#pragma once
#include <tallyman/types.h>

typedef enum
{
  JSON_NULL,
  JSON_BOOLEAN,
  JSON_INTEGER, /* a number without fraction and exponent */
  JSON_NUMBER,
  JSON_STRING,
  JSON_OBJECT,
  JSON_ARRAY,
} JsonKind;

typedef struct
{
  JsonKind kind;
  TallyText text;   /* of a string what is between its quotes, else the value as it stands */
  gboolean escapes; /* a string with escapes in it */
} JsonValue;

typedef struct
{
  const char *data; /* (unowned) valid UTF-8 */
  gsize length;
  gsize at;
  guint max_depth;
  guint depth;      /* objects begun and not ended */
  const char *flaw; /* (nullable) what is wrong at that place; static */
} JsonSkim;

/* Reads the value at the place, with all that is nested in it.  FALSE: see flaw. */
gboolean json_skim_value (JsonSkim *skim, JsonValue *ret_value);
/* Whether nothing but white space follows. */
gboolean json_skim_is_done (JsonSkim *skim);

/* Walks over an object's members: begin, then a name and its value by turns until there is no next name, either at the
 * object's end (flaw is NULL) or not.  A value that is an object may be walked over in its turn. */
gboolean json_skim_begin_object (JsonSkim *skim);
gboolean json_skim_next_name (JsonSkim *skim, JsonValue *ret_name);

/* The same with an array's elements: TRUE before each, whose value is to be read then. */
gboolean json_skim_begin_array (JsonSkim *skim);
gboolean json_skim_next_element (JsonSkim *skim);

/* Whether a value is a string, and this one. */
gboolean json_value_is_text (const JsonValue *value, const char *text);

/* Writes a string's value to out, which has room for as many bytes as its text.  Returns the bytes written, or -1 for half a
 * surrogate pair or a NUL, which no text can hold. */
gssize json_unescape (TallyText text, char *out);
