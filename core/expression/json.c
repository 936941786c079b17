/* json.c: jsonb */
#include "record/datetime.h"
#include "record/jsonb.h"
#include "text.h"

static gboolean
member (Call *call, const Value *args, Value *ret, GError **error)
{
  call->is_null = !tally_jsonb_member (args[0].text, args[1].text, &ret->text)
                  || (call->term->type == TALLY_TYPE_TEXT
                      && !tally_jsonb_to_text (ret->text, call->batch, &ret->text));
  return TRUE;
}

static gboolean
element (Call *call, const Value *args, Value *ret, GError **error)
{
  call->is_null = !tally_jsonb_element (args[0].text, args[1].integer, &ret->text)
                  || (call->term->type == TALLY_TYPE_TEXT
                      && !tally_jsonb_to_text (ret->text, call->batch, &ret->text));
  return TRUE;
}

/* A text[] as a path.  FALSE if there is a NULL in it. */
static gboolean
read_path (Call *call, TallyText array, GArray *path)
{
  TallyJsonbIter iter;
  TallyText part, text;

  tally_jsonb_iter_init (&iter, array);
  while (tally_jsonb_iter_next (&iter, NULL, &part))
    {
      if (!tally_jsonb_to_text (part, call->batch, &text))
        return FALSE;
      g_array_append_val (path, text);
    }
  return TRUE;
}

static gboolean
at_path (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autoptr (GArray) path = g_array_new (FALSE, FALSE, sizeof (TallyText));

  call->is_null
      = !read_path (call, args[1].text, path)
        || !tally_jsonb_at_path (args[0].text, (const TallyText *)path->data, path->len, &ret->text)
        || (call->term->type == TALLY_TYPE_TEXT
            && !tally_jsonb_to_text (ret->text, call->batch, &ret->text));
  return TRUE;
}

/* jsonb_extract_path(json, key, …).  The keys are an array, which is not NULL if one of them is. */
static gboolean
extract_path (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText path[MAX_ARGS];

  for (guint i = 1; i < call->term->n_args; i++)
    path[i - 1] = args[i].text;
  call->is_null = !tally_jsonb_at_path (args[0].text, path, call->term->n_args - 1, &ret->text)
                  || (call->term->type == TALLY_TYPE_TEXT
                      && !tally_jsonb_to_text (ret->text, call->batch, &ret->text));
  return TRUE;
}

static gboolean
contains (Call *call, const Value *args, Value *ret, GError **error)
{
  gboolean reversed = call->term->function->detail;

  ret->boolean = tally_jsonb_contains (args[reversed].text, args[!reversed].text);
  return TRUE;
}

static gboolean
exists (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->boolean = tally_jsonb_exists (args[0].text, args[1].text);
  return TRUE;
}

/* ?| and ?& (detail: all of them). NULLs among the keys are passed over. */
static gboolean
exists_many (Call *call, const Value *args, Value *ret, GError **error)
{
  gboolean all = call->term->function->detail;
  TallyJsonbIter iter;
  TallyText part, key;

  ret->boolean = all;
  tally_jsonb_iter_init (&iter, args[1].text);
  while (tally_jsonb_iter_next (&iter, NULL, &part))
    if (tally_jsonb_to_text (part, call->batch, &key)
        && tally_jsonb_exists (args[0].text, key) != all)
      {
        ret->boolean = !all;
        break;
      }
  return TRUE;
}

static gboolean
concat (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_jsonb_concat (args[0].text, args[1].text, call->batch, &ret->text, error);
}

static gboolean
delete_key (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_jsonb_delete_key (args[0].text, args[1].text, call->batch, &ret->text, error);
}

static gboolean
delete_index (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_jsonb_delete_index (args[0].text, args[1].integer, call->batch, &ret->text, error);
}

static gboolean
delete_keys (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyJsonbIter iter;
  TallyText part, key;

  if (tally_jsonb_kind (args[0].text) != TALLY_JSONB_OBJECT
      && tally_jsonb_kind (args[0].text) != TALLY_JSONB_ARRAY)
    return tally_throw (error, TALLY_ERROR_DATA, "cannot delete from scalar");

  ret->text = args[0].text;
  tally_jsonb_iter_init (&iter, args[1].text);
  while (tally_jsonb_iter_next (&iter, NULL, &part))
    if (tally_jsonb_to_text (part, call->batch, &key)
        && !tally_jsonb_delete_key (ret->text, key, call->batch, &ret->text, error))
      return FALSE;

  return TRUE;
}

static gboolean
throw_null_path (GError **error)
{
  return tally_throw (error, TALLY_ERROR_DATA, "path element at position 1 is null");
}

static gboolean
delete_path (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autoptr (GArray) path = g_array_new (FALSE, FALSE, sizeof (TallyText));

  if (!read_path (call, args[1].text, path))
    return throw_null_path (error);
  return tally_jsonb_delete_path (args[0].text, (const TallyText *)path->data, path->len,
                                  call->batch, &ret->text, error);
}

static gboolean
set (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autoptr (GArray) path = g_array_new (FALSE, FALSE, sizeof (TallyText));
  gboolean create = call->term->n_args < 4 || args[3].boolean;

  if (!read_path (call, args[1].text, path))
    return throw_null_path (error);
  return tally_jsonb_set (args[0].text, (const TallyText *)path->data, path->len, args[2].text,
                          create, call->batch, &ret->text, error);
}

static gboolean
type_of (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->text = text_literal (tally_jsonb_typeof (args[0].text));
  return TRUE;
}

static gboolean
array_length (Call *call, const Value *args, Value *ret, GError **error)
{
  return tally_jsonb_array_length (args[0].text, &ret->integer, error);
}

static gboolean
strip_nulls (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->text = tally_jsonb_strip_nulls (args[0].text, call->batch);
  return TRUE;
}

static gboolean
pretty (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->text = tally_jsonb_pretty (args[0].text, call->batch);
  return TRUE;
}

/* Values as jsonb.  An array is held as jsonb. */
static TallyText
to_json (Call *call, guint arg, const Value *args)
{
  guint type = call->term->args[arg]->type;

  if (call->nulls >> arg & 1)
    return (TallyText){ "null", 4 };
  return tally_jsonb_from_value (type == TYPE_TEXT_ARRAY ? TALLY_TYPE_JSONB : (TallyType)type,
                                 &args[arg], call->batch);
}

static gboolean
to_jsonb (Call *call, const Value *args, Value *ret, GError **error)
{
  ret->text = to_json (call, 0, args);
  return TRUE;
}

static gboolean
build_array (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText elements[MAX_ARGS];

  for (guint i = 0; i < call->term->n_args; i++)
    elements[i] = to_json (call, i, args);
  ret->text = tally_jsonb_build_array (elements, call->term->n_args, call->batch);
  return TRUE;
}

static gboolean
build_object (Call *call, const Value *args, Value *ret, GError **error)
{
  TallyText keys[MAX_ARGS / 2], values[MAX_ARGS / 2];
  guint n_args = call->term->n_args;

  for (guint i = 0; i < n_args / 2; i++)
    {
      guint type = call->term->args[2 * i]->type;

      if (call->nulls >> (2 * i) & 1)
        return tally_throw (error, TALLY_ERROR_DATA, "argument %u: key must not be null",
                            2 * i + 1);
      if (type == TALLY_TYPE_JSONB || type == TYPE_TEXT_ARRAY)
        return tally_throw (error, TALLY_ERROR_DATA,
                            "key value must be scalar, not array, composite, or json");
      g_string_truncate (call->scratch, 0);
      if (type == TALLY_TYPE_BOOLEAN)
        g_string_append (call->scratch, args[2 * i].boolean ? "true" : "false");
      else if (type == TALLY_TYPE_TIMESTAMP || type == TALLY_TYPE_TIMESTAMPTZ)
        tally_timestamp_append_iso (type, args[2 * i].integer, call->scratch);
      else
        tally_term_append_value (type, &args[2 * i], call->batch, call->scratch);
      keys[i] = tally_call_copy (call, call->scratch->str, call->scratch->len);
      values[i] = to_json (call, 2 * i + 1, args);
    }
  ret->text = tally_jsonb_build_object (keys, values, n_args / 2, call->batch);
  return TRUE;
}

static gboolean
prepare_object (Term *term, GError **error)
{
  if (term->n_args % 2 != 0)
    return tally_throw (error, TALLY_ERROR_DATA, "argument list must have even number of elements");

  return TRUE;
}

/* jsonb_object(text[]): keys and values in turn. */
static gboolean
object_of_array (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autoptr (GArray) keys = g_array_new (FALSE, FALSE, sizeof (TallyText)),
                     values = g_array_new (FALSE, FALSE, sizeof (TallyText));
  TallyJsonbIter iter;
  TallyText key, value;
  gint64 length;

  if (!tally_jsonb_array_length (args[0].text, &length, error))
    return FALSE;
  if (length % 2 != 0)
    return tally_throw (error, TALLY_ERROR_DATA, "array must have even number of elements");

  tally_jsonb_iter_init (&iter, args[0].text);
  while (tally_jsonb_iter_next (&iter, NULL, &key) && tally_jsonb_iter_next (&iter, NULL, &value))
    {
      if (!tally_jsonb_to_text (key, call->batch, &key))
        return tally_throw (error, TALLY_ERROR_DATA, "null value not allowed for object key");
      g_array_append_val (keys, key);
      g_array_append_val (values, value);
    }
  ret->text = tally_jsonb_build_object ((const TallyText *)keys->data,
                                        (const TallyText *)values->data, keys->len, call->batch);
  return TRUE;
}

/* j[key]: of an array, the element of that number. */
static gboolean
subscript (Call *call, const Value *args, Value *ret, GError **error)
{
  call->is_null = !tally_jsonb_at_path (args[0].text, &args[1].text, 1, &ret->text);
  return TRUE;
}

static gboolean
subscript_number (Call *call, const Value *args, Value *ret, GError **error)
{
  g_autofree char *number = g_strdup_printf ("%" G_GINT64_FORMAT, args[1].integer);
  TallyText key = text_literal (number);

  call->is_null = !tally_jsonb_at_path (args[0].text, &key, 1, &ret->text);
  return TRUE;
}

const Function tally_jsonb_member_function = { "[]", "jt", 'j', subscript };
const Function tally_jsonb_element_function = { "[]", "ji", 'j', subscript_number };
const Function tally_jsonb_concat_function = { "||", "jj", 'j', concat };

const Function tally_json_functions[] = {
  { "->", "jt", 'j', member },
  { "->", "ji", 'j', element },
  { "->>", "jt", 't', member },
  { "->>", "ji", 't', element },
  { "#>", "jA", 'j', at_path },
  { "#>>", "jA", 't', at_path },
  { "@>", "jj", 'b', contains, .detail = FALSE },
  { "<@", "jj", 'b', contains, .detail = TRUE },
  { "?", "jt", 'b', exists },
  { "?|", "jA", 'b', exists_many, .detail = FALSE },
  { "?&", "jA", 'b', exists_many, .detail = TRUE },
  { "-", "jt", 'j', delete_key },
  { "-", "ji", 'j', delete_index },
  { "-", "jA", 'j', delete_keys },
  { "#-", "jA", 'j', delete_path },
  { "jsonb_set", "jAj", 'j', set },
  { "jsonb_set", "jAjb", 'j', set },
  { "jsonb_object", "A", 'j', object_of_array },
  { "jsonb_extract_path", "jt", 'j', extract_path,
    .flags = FUNCTION_VARIADIC | FUNCTION_NULL_BY_FIRST },
  { "jsonb_extract_path_text", "jt", 't', extract_path,
    .flags = FUNCTION_VARIADIC | FUNCTION_NULL_BY_FIRST },
  { "jsonb_typeof", "j", 't', type_of },
  { "jsonb_array_length", "j", 'i', array_length },
  { "jsonb_strip_nulls", "j", 'j', strip_nulls },
  { "jsonb_pretty", "j", 't', pretty },
  { "to_jsonb", "*", 'j', to_jsonb },
  { "jsonb_build_array", "", 'j', build_array },
  { "jsonb_build_array", "*", 'j', build_array, .flags = FUNCTION_VARIADIC | FUNCTION_TAKES_NULL },
  { "jsonb_build_object", "", 'j', build_object },
  { "jsonb_build_object", "*", 'j', build_object, .prepare = prepare_object,
    .flags = FUNCTION_VARIADIC | FUNCTION_TAKES_NULL },
  { NULL },
};
