/* jsonb.c: looking into jsonb
 *
 * Canonical text is easy to walk: no blanks but one after a colon and a comma, strings that end at
 * the first quote without a backslash, members in order of length and bytes, so that a search for a
 * key may stop early.
 */
#include "jsonb-private.h"
#include "numeric.h"
#include "value-private.h"
#include <string.h>

static const char *
skip_string (const char *at, const char *end)
{
  for (at++; at < end && *at != '"'; at++)
    if (*at == '\\')
      at++;
  return at + 1;
}

const char *
tally_jsonb_skip (const char *at, const char *end)
{
  gsize depth = 0;

  do
    switch (*at)
      {
      case '"':
        at = skip_string (at, end);
        break;
      case '{':
      case '[':
        depth++;
        at++;
        break;
      case '}':
      case ']':
        depth--;
        at++;
        break;
      case ',':
      case ':':
        at += 2;
        break;
      default:
        while (at < end && *at != ',' && *at != '}' && *at != ']')
          at++;
        break;
      }
  while (depth > 0 && at < end);
  return at;
}

gboolean
tally_jsonb_has_escapes (TallyText quoted)
{
  return memchr (quoted.data, '\\', quoted.length) != NULL;
}

gsize
tally_jsonb_decode (TallyText quoted, char *to)
{
  const char *at = quoted.data + 1, *end = quoted.data + quoted.length - 1;
  char *out = to;

  while (at < end)
    {
      const char *escape = memchr (at, '\\', (gsize)(end - at));

      if (escape == NULL)
        escape = end;
      out = mempcpy (out, at, (gsize)(escape - at));
      at = escape;
      if (at == end)
        break;
      switch (at[1])
        {
        case 'b':
          *out++ = '\b';
          break;
        case 'f':
          *out++ = '\f';
          break;
        case 'n':
          *out++ = '\n';
          break;
        case 'r':
          *out++ = '\r';
          break;
        case 't':
          *out++ = '\t';
          break;
        case 'u': /* only control characters are written so */
          *out++ = (char)(g_ascii_xdigit_value (at[4]) << 4 | g_ascii_xdigit_value (at[5]));
          at += 4;
          break;
        default:
          *out++ = at[1];
          break;
        }
      at += 2;
    }

  return (gsize)(out - to);
}

/* A string's bytes: a view where it has no escapes, else memory that the caller frees. */
static TallyText
plain_string (TallyText quoted, char **ret_owned)
{
  char *copy;

  *ret_owned = NULL;
  if (!tally_jsonb_has_escapes (quoted))
    return (TallyText){ quoted.data + 1, quoted.length - 2 };

  copy = g_malloc (quoted.length);
  *ret_owned = copy;
  return (TallyText){ copy, tally_jsonb_decode (quoted, copy) };
}

TallyJsonbKind
tally_jsonb_kind (TallyText json)
{
  switch (json.data[0])
    {
    case '{':
      return TALLY_JSONB_OBJECT;
    case '[':
      return TALLY_JSONB_ARRAY;
    case '"':
      return TALLY_JSONB_STRING;
    case 't':
    case 'f':
      return TALLY_JSONB_BOOLEAN;
    case 'n':
      return TALLY_JSONB_NULL;
    default:
      return TALLY_JSONB_NUMBER;
    }
}

const char *
tally_jsonb_typeof (TallyText json)
{
  static const char *const names[] = { "null", "string", "number", "boolean", "array", "object" };

  return names[tally_jsonb_kind (json)];
}

static gboolean
is_container (TallyText json)
{
  return tally_jsonb_kind (json) >= TALLY_JSONB_ARRAY;
}

/* Members and elements. */

void
tally_jsonb_iter_init (TallyJsonbIter *iter, TallyText json)
{
  iter->at = is_container (json) ? json.data + 1 : json.data + json.length;
  iter->end = json.data + json.length;
  iter->is_object = json.data[0] == '{';
}

gboolean
tally_jsonb_iter_next (TallyJsonbIter *iter, TallyText *ret_key, TallyText *ret_value)
{
  const char *start;

  if (iter->at >= iter->end - 1)
    return FALSE;
  if (iter->is_object)
    {
      start = iter->at;
      iter->at = skip_string (start, iter->end);
      if (ret_key != NULL)
        *ret_key = (TallyText){ start, (gsize)(iter->at - start) };
      iter->at += strlen (": ");
    }

  start = iter->at;
  iter->at = tally_jsonb_skip (start, iter->end);
  *ret_value = (TallyText){ start, (gsize)(iter->at - start) };
  if (*iter->at == ',')
    iter->at += strlen (", ");
  return TRUE;
}

static gint64
count_items (TallyText json)
{
  TallyJsonbIter iter;
  TallyText value;
  gint64 n = 0;

  tally_jsonb_iter_init (&iter, json);
  while (tally_jsonb_iter_next (&iter, NULL, &value))
    n++;
  return n;
}

gint
tally_jsonb_compare_keys (TallyText a, TallyText b)
{
  if (a.length != b.length)
    return a.length < b.length ? -1 : 1;
  return a.length == 0 ? 0 : memcmp (a.data, b.data, a.length);
}

gboolean
tally_jsonb_member (TallyText json, TallyText key, TallyText *ret_json)
{
  TallyJsonbIter iter;
  TallyText quoted, value;

  if (json.data[0] != '{')
    return FALSE;
  tally_jsonb_iter_init (&iter, json);
  while (tally_jsonb_iter_next (&iter, &quoted, &value))
    {
      g_autofree char *owned = NULL;
      gint order = tally_jsonb_compare_keys (plain_string (quoted, &owned), key);

      if (order == 0)
        {
          *ret_json = value;
          return TRUE;
        }
      if (order > 0)
        return FALSE;
    }

  return FALSE;
}

gboolean
tally_jsonb_element (TallyText json, gint64 index, TallyText *ret_json)
{
  TallyJsonbIter iter;
  TallyText value;

  if (!is_container (json) && (index == 0 || index == -1)) /* as if it were an array of one */
    {
      *ret_json = json;
      return TRUE;
    }
  if (json.data[0] != '[')
    return FALSE;
  if (index < 0)
    index += count_items (json);
  if (index < 0)
    return FALSE;

  tally_jsonb_iter_init (&iter, json);
  while (tally_jsonb_iter_next (&iter, NULL, &value))
    if (index-- == 0)
      {
        *ret_json = value;
        return TRUE;
      }

  return FALSE;
}

gboolean
tally_jsonb_at_path (TallyText json, const TallyText *path, guint n_path, TallyText *ret_json)
{
  for (guint i = 0; i < n_path; i++)
    {
      gint64 index;

      if (json.data[0] == '{' ? !tally_jsonb_member (json, path[i], &json)
                              : json.data[0] != '[' || !tally_jsonb_read_index (path[i], &index)
                                    || !tally_jsonb_element (json, index, &json))
        return FALSE;
    }

  *ret_json = json;
  return TRUE;
}

gboolean
tally_jsonb_to_text (TallyText json, TallyBatch *batch, TallyText *ret_text)
{
  char *text;

  switch (tally_jsonb_kind (json))
    {
    case TALLY_JSONB_NULL:
      return FALSE;
    case TALLY_JSONB_STRING:
      if (tally_jsonb_has_escapes (json))
        {
          text = tally_batch_alloc (batch, json.length);
          *ret_text = (TallyText){ text, tally_jsonb_decode (json, text) };
        }
      else
        *ret_text = (TallyText){ json.data + 1, json.length - 2 };
      return TRUE;
    default:
      *ret_text = json;
      return TRUE;
    }
}

gboolean
tally_jsonb_array_length (TallyText json, gint64 *ret_length, GError **error)
{
  if (json.data[0] == '{')
    return tally_throw (error, TALLY_ERROR_DATA, "cannot get array length of a non-array");
  if (json.data[0] != '[')
    return tally_throw (error, TALLY_ERROR_DATA, "cannot get array length of a scalar");

  *ret_length = count_items (json);
  return TRUE;
}

static gboolean
is_string (TallyText json, TallyText plain)
{
  g_autofree char *owned = NULL;

  return json.data[0] == '"' && tally_jsonb_compare_keys (plain_string (json, &owned), plain) == 0;
}

gboolean
tally_jsonb_exists (TallyText json, TallyText key)
{
  TallyJsonbIter iter;
  TallyText value;

  if (json.data[0] == '{')
    return tally_jsonb_member (json, key, &value);
  if (json.data[0] != '[')
    return is_string (json, key);

  tally_jsonb_iter_init (&iter, json);
  while (tally_jsonb_iter_next (&iter, NULL, &value))
    if (is_string (value, key))
      return TRUE;
  return FALSE;
}

/* Containment. */

static gboolean
equal_scalars (TallyText a, TallyText b)
{
  TallyJsonbKind kind = tally_jsonb_kind (a);

  if (kind != tally_jsonb_kind (b))
    return FALSE;
  if (kind == TALLY_JSONB_NUMBER)
    return tally_numeric_compare (a, b) == 0;
  return a.length == b.length && memcmp (a.data, b.data, a.length) == 0;
}

static gboolean
array_has (TallyText array, TallyText part)
{
  TallyJsonbIter iter;
  TallyText value;

  tally_jsonb_iter_init (&iter, array);
  while (tally_jsonb_iter_next (&iter, NULL, &value))
    if (is_container (part) ? tally_jsonb_kind (value) == tally_jsonb_kind (part)
                                  && tally_jsonb_contains (value, part)
                            : equal_scalars (value, part))
      return TRUE;
  return FALSE;
}

static gboolean
object_contains (TallyText json, TallyText part)
{
  TallyJsonbIter iter;
  TallyText quoted, value, other;

  tally_jsonb_iter_init (&iter, part);
  while (tally_jsonb_iter_next (&iter, &quoted, &value))
    {
      g_autofree char *owned = NULL;

      if (!tally_jsonb_member (json, plain_string (quoted, &owned), &other)
          || tally_jsonb_kind (other) != tally_jsonb_kind (value)
          || !(is_container (value) ? tally_jsonb_contains (other, value)
                                    : equal_scalars (other, value)))
        return FALSE;
    }

  return TRUE;
}

gboolean
tally_jsonb_contains (TallyText json, TallyText part)
{
  TallyJsonbIter iter;
  TallyText value;

  if ((json.data[0] == '{') != (part.data[0] == '{'))
    return FALSE;
  if (json.data[0] == '{')
    return object_contains (json, part);
  if (part.data[0] != '[') /* an array contains the scalars that are in it */
    return json.data[0] == '[' ? array_has (json, part) : equal_scalars (json, part);
  if (json.data[0] != '[')
    return FALSE;

  tally_jsonb_iter_init (&iter, part);
  while (tally_jsonb_iter_next (&iter, NULL, &value))
    if (!array_has (json, value))
      return FALSE;
  return TRUE;
}

/* Order. */

static gint
compare_strings (TallyText a, TallyText b)
{
  g_autofree char *a_owned = NULL, *b_owned = NULL;
  TallyText x = plain_string (a, &a_owned), y = plain_string (b, &b_owned);
  gint order = memcmp (x.data, y.data, MIN (x.length, y.length));

  return order != 0 ? order : (x.length > y.length) - (x.length < y.length);
}

static gint
compare_values (TallyText a, TallyText b)
{
  TallyJsonbKind kind = tally_jsonb_kind (a), other = tally_jsonb_kind (b);
  TallyText a_key, b_key, x, y;
  TallyJsonbIter a_iter, b_iter;
  gint64 a_count, b_count;
  gint order = 0;

  if (kind != other)
    return kind < other ? -1 : 1;
  switch (kind)
    {
    case TALLY_JSONB_NULL:
      return 0;
    case TALLY_JSONB_STRING:
      return compare_strings (a, b);
    case TALLY_JSONB_NUMBER:
      return tally_numeric_compare (a, b);
    case TALLY_JSONB_BOOLEAN:
      return (a.data[0] == 't') - (b.data[0] == 't');
    default:
      break;
    }

  /* The one with more in it is greater. */
  a_count = count_items (a);
  b_count = count_items (b);
  if (a_count != b_count)
    return a_count < b_count ? -1 : 1;
  tally_jsonb_iter_init (&a_iter, a);
  tally_jsonb_iter_init (&b_iter, b);
  while (order == 0 && tally_jsonb_iter_next (&a_iter, &a_key, &x)
         && tally_jsonb_iter_next (&b_iter, &b_key, &y))
    {
      if (kind == TALLY_JSONB_OBJECT)
        order = compare_strings (a_key, b_key);
      if (order == 0)
        order = compare_values (x, y);
    }
  return order;
}

gint
tally_jsonb_compare (TallyText a, TallyText b)
{
  gboolean a_scalar = !is_container (a), b_scalar = !is_container (b);

  /* At the top PostgreSQL takes a scalar for an array of one, so that it is greater than an empty
   * array. */
  if (a_scalar && b.data[0] == '[')
    return b.length == strlen ("[]") ? 1 : -1;
  if (b_scalar && a.data[0] == '[')
    return a.length == strlen ("[]") ? -1 : 1;
  return compare_values (a, b);
}

guint
tally_jsonb_hash (TallyText json)
{
  const char *at = json.data, *end = json.data + json.length;
  guint hash = 2166136261u;

  while (at < end)
    {
      const char *start = at;

      if (*at == '-' || g_ascii_isdigit (*at))
        {
          at = tally_jsonb_skip (at, end);
          hash
              = (hash ^ tally_numeric_hash ((TallyText){ start, (gsize)(at - start) })) * 16777619u;
          continue;
        }
      at = *at == '"' ? skip_string (at, end) : at + 1;
      for (; start < at; start++)
        hash = (hash ^ (guchar)*start) * 16777619u;
    }

  return hash;
}

/* Casts. */

static gboolean
throw_cast (GError **error, TallyText json, const char *type)
{
  static const char *const names[] = { "null", "string", "numeric", "boolean", "array", "object" };

  return tally_throw (error, TALLY_ERROR_DATA, "cannot cast jsonb %s to type %s",
                      names[tally_jsonb_kind (json)], type);
}

gboolean
tally_jsonb_to_numeric (TallyText json, TallyText *ret_value, GError **error)
{
  if (tally_jsonb_kind (json) != TALLY_JSONB_NUMBER)
    return throw_cast (error, json, "numeric");

  *ret_value = json;
  return TRUE;
}

gboolean
tally_jsonb_to_bigint (TallyText json, gint64 *ret_value, GError **error)
{
  return tally_jsonb_kind (json) == TALLY_JSONB_NUMBER
             ? tally_numeric_to_bigint (json, ret_value, error)
             : throw_cast (error, json, "bigint");
}

gboolean
tally_jsonb_to_double (TallyText json, double *ret_value, GError **error)
{
  return tally_jsonb_kind (json) == TALLY_JSONB_NUMBER
             ? tally_numeric_to_double (json, ret_value, error)
             : throw_cast (error, json, "double precision");
}

gboolean
tally_jsonb_to_boolean (TallyText json, gboolean *ret_value, GError **error)
{
  if (tally_jsonb_kind (json) != TALLY_JSONB_BOOLEAN)
    return throw_cast (error, json, "boolean");

  *ret_value = json.data[0] == 't';
  return TRUE;
}
