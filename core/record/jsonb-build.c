/* jsonb-build.c: jsonb put together, changed, and printed in other ways */
#include "json.h"
#include "jsonb-private.h"
#include "numeric.h"
#include "value-private.h"
#include "value.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static TallyText
finish (GString *text, TallyBatch *batch)
{
  TallyText json = tally_value_copy (batch, text->str, text->len);

  g_string_free (text, TRUE);
  return json;
}

static void
append (GString *out, TallyText text)
{
  g_string_append_len (out, text.data, text.length);
}

/* Building. */

TallyText
tally_jsonb_from_value (TallyType type, gconstpointer value, TallyBatch *batch)
{
  GString *text;
  TallyText json;

  if (value == NULL)
    return (TallyText){ "null", 4 };
  if (type == TALLY_TYPE_JSONB)
    return *(const TallyText *)value;

  text = g_string_new (NULL);
  tally_json_append_value (type, value, text);
  json = finish (text, batch);
  if (type == TALLY_TYPE_DOUBLE && json.data[0] != '"')
    tally_numeric_parse (json, batch, &json, NULL); /* without exponent */
  return json;
}

TallyText
tally_jsonb_build_array (const TallyText *elements, guint n_elements, TallyBatch *batch)
{
  GString *text = g_string_new ("[");

  for (guint i = 0; i < n_elements; i++)
    {
      if (i > 0)
        g_string_append (text, ", ");
      append (text, elements[i]);
    }
  g_string_append_c (text, ']');
  return finish (text, batch);
}

static int
compare_members (const void *a, const void *b)
{
  const TallyJsonbMember *x = a, *y = b;
  gint order = tally_jsonb_compare_keys (x->key, y->key);

  return order != 0 ? order : x->order < y->order ? -1 : 1;
}

guint
tally_jsonb_sort_members (TallyJsonbMember *members, guint n)
{
  guint kept = 0;

  if (n > 1)
    qsort (members, n, sizeof *members, compare_members);
  for (guint i = 0; i < n; i++)
    if (i + 1 == n || tally_jsonb_compare_keys (members[i].key, members[i + 1].key) != 0)
      members[kept++] = members[i];
  return kept;
}

TallyText
tally_jsonb_build_object (const TallyText *keys, const TallyText *values, guint n_members,
                          TallyBatch *batch)
{
  g_autofree TallyJsonbMember *members = g_new (TallyJsonbMember, n_members);
  GString *text = g_string_new ("{");
  guint n;

  for (guint i = 0; i < n_members; i++)
    members[i] = (TallyJsonbMember){ keys[i], values[i], i };
  n = tally_jsonb_sort_members (members, n_members);
  for (guint i = 0; i < n; i++)
    {
      if (i > 0)
        g_string_append (text, ", ");
      tally_json_append_string (members[i].key, text);
      g_string_append (text, ": ");
      append (text, members[i].value);
    }
  g_string_append_c (text, '}');
  return finish (text, batch);
}

/* Changing. */

static gint
compare_quoted (TallyText a, TallyText b)
{
  g_autofree char *x = g_malloc (a.length), *y = g_malloc (b.length);

  return tally_jsonb_compare_keys ((TallyText){ x, tally_jsonb_decode (a, x) },
                                   (TallyText){ y, tally_jsonb_decode (b, y) });
}

static void
append_member (GString *out, TallyText quoted, TallyText value)
{
  if (out->len > 1)
    g_string_append (out, ", ");
  append (out, quoted);
  g_string_append (out, ": ");
  append (out, value);
}

/* Both are in order, so they are merged. */
static TallyText
merge_objects (TallyText a, TallyText b, TallyBatch *batch)
{
  GString *text = g_string_new ("{");
  TallyJsonbIter left, right;
  TallyText a_key, a_value, b_key, b_value;
  gboolean in_a, in_b;

  tally_jsonb_iter_init (&left, a);
  tally_jsonb_iter_init (&right, b);
  in_a = tally_jsonb_iter_next (&left, &a_key, &a_value);
  in_b = tally_jsonb_iter_next (&right, &b_key, &b_value);
  while (in_a || in_b)
    {
      gint order = !in_a ? 1 : !in_b ? -1 : compare_quoted (a_key, b_key);

      if (order < 0)
        append_member (text, a_key, a_value);
      else
        append_member (text, b_key, b_value);
      if (order <= 0)
        in_a = tally_jsonb_iter_next (&left, &a_key, &a_value);
      if (order >= 0)
        in_b = tally_jsonb_iter_next (&right, &b_key, &b_value);
    }
  g_string_append_c (text, '}');
  return finish (text, batch);
}

/* An array's elements, or the value itself. */
static void
append_elements (GString *out, TallyText json)
{
  TallyText elements = json;

  if (json.data[0] == '[')
    elements = (TallyText){ json.data + 1, json.length - 2 };
  if (elements.length == 0)
    return;
  if (out->len > 1)
    g_string_append (out, ", ");
  append (out, elements);
}

gboolean
tally_jsonb_concat (TallyText a, TallyText b, TallyBatch *batch, TallyText *ret_json,
                    GError **error)
{
  GString *text;

  if (a.data[0] == '{' && b.data[0] == '{')
    {
      *ret_json = merge_objects (a, b, batch);
      return TRUE;
    }

  text = g_string_new ("[");
  append_elements (text, a);
  append_elements (text, b);
  g_string_append_c (text, ']');
  *ret_json = finish (text, batch);
  return TRUE;
}

static gboolean
is_container (TallyText json)
{
  return json.data[0] == '{' || json.data[0] == '[';
}

static gboolean
equals_plain (TallyText quoted, TallyText plain)
{
  g_autofree char *text = NULL;

  if (quoted.data[0] != '"')
    return FALSE;
  text = g_malloc (quoted.length);
  return tally_jsonb_compare_keys ((TallyText){ text, tally_jsonb_decode (quoted, text) }, plain)
         == 0;
}

gboolean
tally_jsonb_delete_key (TallyText json, TallyText key, TallyBatch *batch, TallyText *ret_json,
                        GError **error)
{
  gboolean object = json.data[0] == '{';
  TallyJsonbIter iter;
  TallyText quoted, value;
  GString *text;

  if (!is_container (json))
    return tally_throw (error, TALLY_ERROR_DATA, "cannot delete from scalar");

  text = g_string_new (object ? "{" : "[");
  tally_jsonb_iter_init (&iter, json);
  while (tally_jsonb_iter_next (&iter, &quoted, &value))
    if (!equals_plain (object ? quoted : value, key))
      {
        if (object)
          append_member (text, quoted, value);
        else
          {
            if (text->len > 1)
              g_string_append (text, ", ");
            append (text, value);
          }
      }
  g_string_append_c (text, object ? '}' : ']');
  *ret_json = finish (text, batch);
  return TRUE;
}

static gint64
count_elements (TallyText json)
{
  gint64 n = 0;

  tally_jsonb_array_length (json, &n, NULL);
  return n;
}

gboolean
tally_jsonb_delete_index (TallyText json, gint64 index, TallyBatch *batch, TallyText *ret_json,
                          GError **error)
{
  TallyJsonbIter iter;
  TallyText value;
  GString *text;

  if (!is_container (json))
    return tally_throw (error, TALLY_ERROR_DATA, "cannot delete from scalar");
  if (json.data[0] == '{')
    return tally_throw (error, TALLY_ERROR_DATA, "cannot delete from object using integer index");

  if (index < 0)
    index += count_elements (json);
  text = g_string_new ("[");
  tally_jsonb_iter_init (&iter, json);
  for (gint64 i = 0; tally_jsonb_iter_next (&iter, NULL, &value); i++)
    if (i != index)
      {
        if (text->len > 1)
          g_string_append (text, ", ");
        append (text, value);
      }
  g_string_append_c (text, ']');
  *ret_json = finish (text, batch);
  return TRUE;
}

gboolean
tally_jsonb_read_index (TallyText text, gint64 *ret_index)
{
  g_autofree char *copy = NULL;
  char *end;
  glong index;

  if (text.length == 0 || memchr (text.data, '\0', text.length) != NULL)
    return FALSE;
  copy = tally_text_dup (text);
  errno = 0;
  index = strtol (copy, &end, 10);
  if (end == copy || *end != '\0' || errno != 0 || index != (gint)index)
    return FALSE;

  *ret_index = index;
  return TRUE;
}

/* What is done at the end of a path. */
typedef struct
{
  const TallyText *path;
  guint n_path;
  TallyText value; /* to set */
  gboolean remove; /* rather than set */
  gboolean create; /* set what is not there, too */
  GError **error;
} Change;

static gboolean change_container (const Change *change, guint level, TallyText json, GString *out);

/* The item is at the path's element level. */
static gboolean
change_item (const Change *change, guint level, TallyText value, GString *out)
{
  if (level + 1 == change->n_path)
    {
      append (out, change->value);
      return TRUE;
    }

  return change_container (change, level + 1, value, out);
}

static gboolean
change_object (const Change *change, guint level, TallyText json, GString *out)
{
  const TallyText key = change->path[level];
  gboolean last = level + 1 == change->n_path, done = FALSE, first = TRUE;
  TallyJsonbIter iter;
  TallyText quoted, value;

  g_string_append_c (out, '{');
  tally_jsonb_iter_init (&iter, json);
  for (gboolean more = TRUE; more;)
    {
      gint order = -1;
      g_autofree char *plain = NULL;

      more = tally_jsonb_iter_next (&iter, &quoted, &value);
      if (more)
        {
          plain = g_malloc (quoted.length);
          order = tally_jsonb_compare_keys (
              (TallyText){ plain, tally_jsonb_decode (quoted, plain) }, key);
        }
      if (!done && (!more || order > 0) && last && change->create && !change->remove)
        {
          g_string_append (out, first ? "" : ", ");
          first = FALSE;
          tally_json_append_string (key, out);
          g_string_append (out, ": ");
          append (out, change->value);
          done = TRUE;
        }
      if (!more || (order == 0 && last && change->remove))
        continue;

      g_string_append (out, first ? "" : ", ");
      first = FALSE;
      append (out, quoted);
      g_string_append (out, ": ");
      done |= order == 0;
      if (order != 0)
        append (out, value);
      else if (!change_item (change, level, value, out))
        return FALSE;
    }

  g_string_append_c (out, '}');
  return TRUE;
}

static gboolean
change_array (const Change *change, guint level, TallyText json, GString *out)
{
  gboolean last = level + 1 == change->n_path, adds = last && change->create && !change->remove,
           first = TRUE;
  gint64 index, n = count_elements (json);
  TallyJsonbIter iter;
  TallyText value;

  if (!tally_jsonb_read_index (change->path[level], &index))
    {
      g_autofree char *quoted = tally_value_quote (change->path[level]);

      return tally_throw (change->error, TALLY_ERROR_DATA,
                          "path element at position %u is not an integer: \"%s\"", level + 1,
                          quoted);
    }
  if (index < 0)
    index = -index > n ? G_MININT64 : index + n;

  g_string_append_c (out, '[');
  if (adds && (index == G_MININT64 || n == 0))
    {
      append (out, change->value);
      first = FALSE;
    }
  tally_jsonb_iter_init (&iter, json);
  for (gint64 i = 0; tally_jsonb_iter_next (&iter, NULL, &value); i++)
    {
      if (i == index && last && change->remove)
        continue;
      g_string_append (out, first ? "" : ", ");
      first = FALSE;
      if (i != index)
        append (out, value);
      else if (!change_item (change, level, value, out))
        return FALSE;
    }
  if (adds && index >= n && n > 0)
    {
      g_string_append (out, ", ");
      append (out, change->value);
    }
  g_string_append_c (out, ']');
  return TRUE;
}

static gboolean
change_container (const Change *change, guint level, TallyText json, GString *out)
{
  if (json.data[0] == '{')
    return change_object (change, level, json, out);
  if (json.data[0] == '[')
    return change_array (change, level, json, out);

  append (out, json);
  return TRUE;
}

static gboolean
change_at_path (Change *change, TallyText json, TallyBatch *batch, TallyText *ret_json,
                GError **error)
{
  GString *text;

  if (change->n_path == 0 || (json.length == strlen ("{}") && !change->create))
    {
      *ret_json = json;
      return TRUE;
    }

  change->error = error;
  text = g_string_new (NULL);
  if (!change_container (change, 0, json, text))
    {
      g_string_free (text, TRUE);
      return FALSE;
    }

  *ret_json = finish (text, batch);
  return TRUE;
}

gboolean
tally_jsonb_delete_path (TallyText json, const TallyText *path, guint n_path, TallyBatch *batch,
                         TallyText *ret_json, GError **error)
{
  Change change = { .path = path, .n_path = n_path, .remove = TRUE };

  if (!is_container (json))
    return tally_throw (error, TALLY_ERROR_DATA, "cannot delete path in scalar");
  return change_at_path (&change, json, batch, ret_json, error);
}

gboolean
tally_jsonb_set (TallyText json, const TallyText *path, guint n_path, TallyText value,
                 gboolean create, TallyBatch *batch, TallyText *ret_json, GError **error)
{
  Change change = { .path = path, .n_path = n_path, .value = value, .create = create };

  if (!is_container (json))
    return tally_throw (error, TALLY_ERROR_DATA, "cannot set path in scalar");
  return change_at_path (&change, json, batch, ret_json, error);
}

static void
append_without_nulls (GString *out, TallyText json)
{
  gboolean object = json.data[0] == '{', first = TRUE;
  TallyJsonbIter iter;
  TallyText quoted, value;

  if (!is_container (json))
    {
      append (out, json);
      return;
    }
  g_string_append_c (out, json.data[0]);
  tally_jsonb_iter_init (&iter, json);
  while (tally_jsonb_iter_next (&iter, &quoted, &value))
    if (!object || value.data[0] != 'n')
      {
        g_string_append (out, first ? "" : ", ");
        first = FALSE;
        if (object)
          {
            append (out, quoted);
            g_string_append (out, ": ");
          }
        append_without_nulls (out, value);
      }
  g_string_append_c (out, json.data[json.length - 1]);
}

TallyText
tally_jsonb_strip_nulls (TallyText json, TallyBatch *batch)
{
  GString *text = g_string_new (NULL);

  append_without_nulls (text, json);
  return finish (text, batch);
}

/* Other forms. */

static void
append_line (GString *out, guint level)
{
  g_string_append_c (out, '\n');
  for (guint i = 0; i < level; i++)
    g_string_append (out, "    ");
}

static void
append_pretty (GString *out, TallyText json, guint level)
{
  TallyJsonbIter iter;
  TallyText quoted, value;
  gboolean first = TRUE;

  if (!is_container (json))
    {
      append (out, json);
      return;
    }
  g_string_append_c (out, json.data[0]);
  tally_jsonb_iter_init (&iter, json);
  while (tally_jsonb_iter_next (&iter, &quoted, &value))
    {
      g_string_append (out, first ? "" : ",");
      first = FALSE;
      append_line (out, level + 1);
      if (json.data[0] == '{')
        {
          append (out, quoted);
          g_string_append (out, ": ");
        }
      append_pretty (out, value, level + 1);
    }
  append_line (out, level);
  g_string_append_c (out, json.data[json.length - 1]);
}

TallyText
tally_jsonb_pretty (TallyText json, TallyBatch *batch)
{
  GString *text = g_string_new (NULL);

  append_pretty (text, json, 0);
  return finish (text, batch);
}

/* Arrays of text, as PostgreSQL writes them: {a,"b c",NULL} */

static gboolean
throw_array (GError **error, TallyText text)
{
  g_autofree char *quoted = tally_value_quote (text);

  return tally_throw (error, TALLY_ERROR_DATA, "malformed array literal: \"%s\"", quoted);
}

/* One element up to its comma or brace, as a JSON string or null. */
static gboolean
read_array_element (const char **at, const char *end, GString *plain, GString *out,
                    gboolean *ret_nested)
{
  gboolean in_quotes = FALSE, was_quoted = FALSE;
  gsize solid = 0; /* without blanks at the end */

  g_string_truncate (plain, 0);
  while (*at < end && tally_is_space (**at))
    (*at)++;
  for (; *at < end && (in_quotes || (**at != ',' && **at != '}')); (*at)++)
    {
      if (**at == '"')
        {
          if (!in_quotes && (was_quoted || plain->len > 0))
            return FALSE;
          in_quotes = !in_quotes;
          was_quoted = TRUE;
          solid = plain->len;
          continue;
        }
      if (!in_quotes && **at == '{')
        {
          *ret_nested = TRUE;
          return FALSE;
        }
      if (!in_quotes && was_quoted && !tally_is_space (**at))
        return FALSE;
      if (!in_quotes && was_quoted)
        continue;
      if (**at == '\\' && ++*at == end)
        return FALSE;
      g_string_append_c (plain, **at);
      if (in_quotes || (*at)[-1] == '\\' || !tally_is_space (**at))
        solid = plain->len;
    }
  if (in_quotes || *at == end || (!was_quoted && solid == 0))
    return FALSE;

  if (!was_quoted && solid == 4 && g_ascii_strncasecmp (plain->str, "NULL", 4) == 0)
    g_string_append (out, "null");
  else
    tally_json_append_string ((TallyText){ plain->str, solid }, out);
  return TRUE;
}

static gboolean
read_array (TallyText text, GString *plain, GString *out, gboolean *ret_nested)
{
  TallyText trimmed = tally_value_trim (text);
  const char *at = trimmed.data + 1, *end = trimmed.data + trimmed.length;

  if (trimmed.length < 2 || trimmed.data[0] != '{')
    return FALSE;
  g_string_append_c (out, '[');
  while (at < end && tally_is_space (*at))
    at++;
  if (at == end || *at != '}')
    for (;; at++)
      {
        if (!read_array_element (&at, end, plain, out, ret_nested))
          return FALSE;
        if (*at == '}')
          break;
        g_string_append (out, ", ");
      }

  g_string_append_c (out, ']');
  return at + 1 == end;
}

gboolean
tally_jsonb_from_array_text (TallyText text, TallyBatch *batch, TallyText *ret_json, GError **error)
{
  g_autoptr (GString) plain = g_string_new (NULL), out = g_string_new (NULL);

  gboolean nested = FALSE;

  if (!read_array (text, plain, out, &nested))
    return nested ? tally_throw (error, TALLY_ERROR_UNSUPPORTED,
                                 "arrays of more than one dimension are not supported")
                  : throw_array (error, text);

  *ret_json = tally_value_copy (batch, out->str, out->len);
  return TRUE;
}

static gboolean
needs_quotes (TallyText text)
{
  if (text.length == 0 || (text.length == 4 && g_ascii_strncasecmp (text.data, "NULL", 4) == 0))
    return TRUE;
  for (gsize i = 0; i < text.length; i++)
    if (strchr ("\"\\{},", text.data[i]) != NULL || tally_is_space (text.data[i]))
      return TRUE;
  return FALSE;
}

gboolean
tally_jsonb_to_array_text (TallyText json, TallyBatch *batch, TallyText *ret_text, GError **error)
{
  g_autoptr (GString) out = g_string_new ("{");
  TallyJsonbIter iter;
  TallyText value, text;

  if (json.data[0] != '[')
    return tally_throw (error, TALLY_ERROR_DATA, "cannot cast jsonb %s to type text[]",
                        tally_jsonb_typeof (json));
  tally_jsonb_iter_init (&iter, json);
  while (tally_jsonb_iter_next (&iter, NULL, &value))
    {
      if (out->len > 1)
        g_string_append_c (out, ',');
      if (!tally_jsonb_to_text (value, batch, &text))
        {
          g_string_append (out, "NULL");
          continue;
        }
      if (!needs_quotes (text))
        {
          append (out, text);
          continue;
        }
      g_string_append_c (out, '"');
      for (gsize i = 0; i < text.length; i++)
        {
          if (text.data[i] == '"' || text.data[i] == '\\')
            g_string_append_c (out, '\\');
          g_string_append_c (out, text.data[i]);
        }
      g_string_append_c (out, '"');
    }

  g_string_append_c (out, '}');
  *ret_text = tally_value_copy (batch, out->str, out->len);
  return TRUE;
}
