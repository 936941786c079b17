/* array.c: arrays of text, which are held as jsonb arrays of strings and nulls
 *
 * Both are canonical, so that two elements are equal if their JSON is.
 */
#include "record/jsonb.h"
#include "text.h"

static const TallyText null_element = { "null", 4 };

static gboolean
is_null (const Call *call, guint arg)
{
  return (call->nulls >> arg & 1) != 0;
}

TallyText
tally_call_json_string (Call *call, TallyText text)
{
  g_autoptr (GString) out = g_string_sized_new (text.length + 2);

  tally_json_append_string (text, out);
  return tally_call_copy (call, out->str, out->len);
}

static TallyText
element_of (Call *call, const Value *args, guint arg)
{
  return is_null (call, arg) ? null_element : tally_call_json_string (call, args[arg].text);
}

static gboolean
is_same (TallyText a, TallyText b)
{
  return a.length == b.length && memcmp (a.data, b.data, a.length) == 0;
}

static gint64
length_of (TallyText array)
{
  gint64 length = 0;

  tally_jsonb_array_length (array, &length, NULL);
  return length;
}

static gboolean
contains_element (TallyText array, TallyText wanted)
{
  TallyJsonbIter iter;
  TallyText element;

  tally_jsonb_iter_init (&iter, array);
  while (tally_jsonb_iter_next (&iter, NULL, &element))
    if (is_same (element, wanted))
      return TRUE;

  return FALSE;
}

static gboolean
array (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText elements[MAX_ARGS];

  for (guint i = 0; i < call->term->n_args; i++)
    elements[i] = element_of (call, args, i);
  ret->text = tally_jsonb_build_array (elements, call->term->n_args, call->batch);
  return TRUE;
}

/* a[n], from 1. */
static gboolean
element (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText found;

  call->is_null = args[1].integer < 1
                  || !tally_jsonb_element (args[0].text, args[1].integer - 1, &found)
                  || !tally_jsonb_to_text (found, call->batch, &ret->text);
  return TRUE;
}

/* a || b: NULL is no array, and adds nothing. */
static gboolean
concat (Call *call, const Value *args, Value *ret, GError **error)
{
  call->is_null = call->nulls == 3;
  if (call->nulls != 0)
    {
      *ret = args[is_null (call, 0)];
      return TRUE;
    }
  return tally_jsonb_concat (args[0].text, args[1].text, call->batch, &ret->text, error);
}

/* array_append(array, element), and with detail array_prepend(element, array). */
static gboolean
add (Call *call, const Value *args, Value *ret, GError **error)
{
  guint which = (guint)call->term->function->detail;
  TallyText added = element_of (call, args, !which);
  TallyText single = tally_jsonb_build_array (&added, 1, call->batch);

  if (is_null (call, which))
    {
      ret->text = single;
      return TRUE;
    }
  return which == 0 ? tally_jsonb_concat (args[0].text, single, call->batch, &ret->text, error)
                    : tally_jsonb_concat (single, args[1].text, call->batch, &ret->text, error);
}

/* array_remove(array, element), array_replace(array, element, other) */
static gboolean
replace (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autoptr (GArray) kept = g_array_new (FALSE, FALSE, sizeof (TallyText));
  gboolean removes = call->term->n_args == 2;
  TallyText wanted, other = null_element, found;
  TallyJsonbIter iter;

  call->is_null = is_null (call, 0);
  if (call->is_null)
    return TRUE;

  wanted = element_of (call, args, 1);
  if (!removes)
    other = element_of (call, args, 2);
  tally_jsonb_iter_init (&iter, args[0].text);
  while (tally_jsonb_iter_next (&iter, NULL, &found))
    if (!is_same (found, wanted))
      g_array_append_val (kept, found);
    else if (!removes)
      g_array_append_val (kept, other);
  ret->text = tally_jsonb_build_array ((const TallyText *)kept->data, kept->len, call->batch);
  return TRUE;
}

/* array_position(array, element [, start]) */
static gboolean
position (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText wanted, found;
  TallyJsonbIter iter;

  call->is_null = TRUE;
  if (is_null (call, 0) || length_of (args[0].text) == 0
      || (is_null (call, 1) && !contains_element (args[0].text, null_element)))
    return TRUE;
  if (call->term->n_args == 3 && is_null (call, 2))
    return tally_throw (error, TALLY_ERROR_DATA, "initial position must not be null");

  wanted = element_of (call, args, 1);
  ret->integer = 0;
  tally_jsonb_iter_init (&iter, args[0].text);
  while (tally_jsonb_iter_next (&iter, NULL, &found))
    {
      ret->integer++;
      if ((call->term->n_args < 3 || ret->integer >= args[2].integer) && is_same (found, wanted))
        {
          call->is_null = FALSE;
          return TRUE;
        }
    }
  return TRUE;
}

enum
{
  CARDINALITY,
  LENGTH,
  LOWER,
  N_DIMENSIONS,
};

/* An empty array has no dimensions, others have one. */
static gboolean
dimension (Call *call, const Value *args, Value *ret, GError **error)
{
  gintptr wanted = call->term->function->detail;
  gint64 length = length_of (args[0].text);

  ret->integer = wanted == CARDINALITY || wanted == LENGTH ? length : 1;
  call->is_null
      = wanted != CARDINALITY && (length == 0 || (call->term->n_args == 2 && args[1].integer != 1));
  return TRUE;
}

/* array && other (detail: any), array @> other, array <@ other.  NULL is no element of anything. */
enum
{
  CONTAINS,
  CONTAINED,
  OVERLAPS,
};

static gboolean
compare_sets (Call *call, const Value *args, Value *ret, GError **error)
{
  gintptr relation = call->term->function->detail;
  TallyText all = args[relation == CONTAINED].text, some = args[relation != CONTAINED].text, found;
  TallyJsonbIter iter;

  ret->boolean = relation != OVERLAPS;
  tally_jsonb_iter_init (&iter, some);
  while (tally_jsonb_iter_next (&iter, NULL, &found))
    if ((!is_same (found, null_element) && contains_element (all, found)) != ret->boolean)
      {
        ret->boolean = !ret->boolean;
        break;
      }
  return TRUE;
}

static gboolean
trim (Call *call, const Value *args, Value *ret, GError **error)
{
  gint64 length = length_of (args[0].text), left = args[1].integer;

  if (left < 0 || left > length)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "number of elements to trim must be between 0 and %" G_GINT64_FORMAT,
                        length);

  g_autoptr (GArray) kept = g_array_new (FALSE, FALSE, sizeof (TallyText));
  TallyJsonbIter iter;
  TallyText found;

  tally_jsonb_iter_init (&iter, args[0].text);
  while (kept->len < length - left && tally_jsonb_iter_next (&iter, NULL, &found))
    g_array_append_val (kept, found);
  ret->text = tally_jsonb_build_array ((const TallyText *)kept->data, kept->len, call->batch);
  return TRUE;
}

/* text = ANY (array): nothing is in an empty array, not even what is not known. */
static gboolean
any (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText wanted;

  ret->boolean = FALSE;
  call->is_null = is_null (call, 1) || (is_null (call, 0) && length_of (args[1].text) > 0);
  if (call->nulls != 0)
    return TRUE;

  wanted = tally_call_json_string (call, args[0].text);
  ret->boolean = contains_element (args[1].text, wanted);
  call->is_null = !ret->boolean && contains_element (args[1].text, null_element);
  return TRUE;
}

/* array_to_string(array, separator [, null]) */
static gboolean
to_string (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText found, text;
  TallyJsonbIter iter;
  gboolean first = TRUE;

  if (call->nulls & 3)
    {
      call->is_null = TRUE;
      return TRUE;
    }

  tally_jsonb_iter_init (&iter, args[0].text);
  while (tally_jsonb_iter_next (&iter, NULL, &found))
    {
      if (!tally_jsonb_to_text (found, call->batch, &text))
        {
          if (call->term->n_args < 3 || is_null (call, 2))
            continue;
          text = args[2].text;
        }
      if (!first)
        g_string_append_len (call->scratch, args[1].text.data, (gssize)args[1].text.length);
      first = FALSE;
      g_string_append_len (call->scratch, text.data, (gssize)text.length);
    }
  return text_finish (call, ret, error);
}

static TallyText
part_element (Call *call, const Value *args, TallyText part)
{
  return call->term->n_args == 3 && !is_null (call, 2) && is_same (part, args[2].text)
             ? null_element
             : tally_call_json_string (call, part);
}

/* string_to_array(text, separator [, null]): a NULL separator cuts between all letters. */
static gboolean
from_string (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autoptr (GArray) parts = g_array_new (FALSE, FALSE, sizeof (TallyText));
  TallyText text = args[0].text, part;
  gsize at = 0;

  if (is_null (call, 0))
    {
      call->is_null = TRUE;
      return TRUE;
    }

  while (text.length > 0)
    {
      const char *found;
      gsize end, next;

      if (is_null (call, 1))
        end = next = at + text_char_size (text, at);
      else if (args[1].text.length == 0 || (found = text_find (text, at, args[1].text)) == NULL)
        end = next = text.length;
      else
        {
          end = (gsize)(found - text.data);
          next = end + args[1].text.length;
        }
      part = part_element (call, args, text_slice (text, at, end));
      g_array_append_val (parts, part);
      if (next == text.length && next > end)
        {
          part = part_element (call, args, (TallyText){ "", 0 });
          g_array_append_val (parts, part);
        }
      if (next >= text.length)
        break;
      at = next;
    }

  ret->text = tally_jsonb_build_array ((const TallyText *)parts->data, parts->len, call->batch);
  return TRUE;
}

const Function tally_array_function
    = { "array", "t", 'A', array, .flags = FUNCTION_VARIADIC | FUNCTION_TAKES_NULL };
const Function tally_array_element_function = { "[]", "Ai", 't', element };
const Function tally_array_concat_function
    = { "||", "AA", 'A', concat, .flags = FUNCTION_TAKES_NULL };
const Function tally_array_append_function
    = { "||", "At", 'A', add, .flags = FUNCTION_TAKES_NULL, .detail = 0 };
const Function tally_array_prepend_function
    = { "||", "tA", 'A', add, .flags = FUNCTION_TAKES_NULL, .detail = 1 };
const Function tally_any_function = { "any", "tA", 'b', any, .flags = FUNCTION_TAKES_NULL };

const Function tally_array_functions[] = {
  { "array_append", "At", 'A', add, .flags = FUNCTION_TAKES_NULL, .detail = 0 },
  { "array_prepend", "tA", 'A', add, .flags = FUNCTION_TAKES_NULL, .detail = 1 },
  { "array_cat", "AA", 'A', concat, .flags = FUNCTION_TAKES_NULL },
  { "array_remove", "At", 'A', replace, .flags = FUNCTION_TAKES_NULL },
  { "array_replace", "Att", 'A', replace, .flags = FUNCTION_TAKES_NULL },
  { "array_position", "At", 'i', position, .flags = FUNCTION_TAKES_NULL },
  { "array_position", "Ati", 'i', position, .flags = FUNCTION_TAKES_NULL },
  { "array_length", "Ai", 'i', dimension, .detail = LENGTH },
  { "array_upper", "Ai", 'i', dimension, .detail = LENGTH },
  { "array_lower", "Ai", 'i', dimension, .detail = LOWER },
  { "array_ndims", "A", 'i', dimension, .detail = N_DIMENSIONS },
  { "cardinality", "A", 'i', dimension, .detail = CARDINALITY },
  { "trim_array", "Ai", 'A', trim },
  { "@>", "AA", 'b', compare_sets, .detail = CONTAINS },
  { "<@", "AA", 'b', compare_sets, .detail = CONTAINED },
  { "&&", "AA", 'b', compare_sets, .detail = OVERLAPS },
  { "array_to_string", "At", 't', to_string },
  { "array_to_string", "Att", 't', to_string, .flags = FUNCTION_TAKES_NULL },
  { "string_to_array", "tt", 'A', from_string, .flags = FUNCTION_TAKES_NULL },
  { "string_to_array", "ttt", 'A', from_string, .flags = FUNCTION_TAKES_NULL },
  { NULL },
};
