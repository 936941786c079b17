/* test_jsonb.c: JSON in, jsonb's text out, and what can be asked of it */
#include "cases.h"
#include "record/jsonb.h"
#include <string.h>

static void
test_json_becomes_canonical (void)
{
  static const struct
  {
    const char *what, *text, *expected;
  } cases[] = {
    { "shorter names first, then bytes", "{\"bb\":1,\"b\":2,\"a\":3,\"\":4}",
      "{\"\": 4, \"a\": 3, \"b\": 2, \"bb\": 1}" },
    { "the last of equal names", "{\"a\":1,\"\\u0061\":2}", "{\"a\": 2}" },
    { "inside, too", "[{\"b\":[],\"a\":{}}]", "[{\"a\": {}, \"b\": []}]" },
    { "numbers digit for digit", "[1.50,1e3,-0,123456789012345678901234567890]",
      "[1.50, 1000, 0, 123456789012345678901234567890]" },
    { "escapes", "\"\\u00e9\\ud83d\\ude00\\/\\b\\u001f\"", "\"é😀/\\b\\u001f\"" },
    { "blanks", " [ 1 ,\t2\n] ", "[1, 2]" },
    { "a zero byte", "\"\\u0000\"", "! unsupported Unicode escape sequence" },
    { "half a character", "\"\\ud83d\"", "! invalid input syntax for type json" },
    { "a comma too many", "[1,]", "! invalid input syntax for type json" },
    { "a zero in front", "01", "! invalid input syntax for type json" },
    { "something behind it", "{} x", "! invalid input syntax for type json" },
    { "a control character", "\"\x01\"", "! invalid input syntax for type json" },
    { "nothing", "", "! invalid input syntax for type json" },
    { "a number beyond numeric", "1e131072", "! value overflows numeric format" },
  };
  g_autoptr (TallyBatch) memory = memory_new ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *told = tell_parsed (TALLY_TYPE_JSONB, cases[i].text, memory);

      assert_row_text (cases[i].what, told, cases[i].expected);
    }
}

static void
test_canonical_text_is_not_copied (void)
{
  static const char text[] = "{\"a\": [1, 2.50], \"bb\": \"x\\n\"}";
  g_autoptr (TallyBatch) memory = memory_new ();
  TallyText json;

  assert_true (tally_jsonb_parse (TEXT_OF (text), memory, &json, NULL));
  assert_true (json.data == text);
}

static void
test_depth_is_bounded (void)
{
  g_autoptr (TallyBatch) memory = memory_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) deep = g_string_new (NULL);
  TallyText json;

  for (guint i = 0; i < TALLY_JSONB_MAX_DEPTH; i++)
    g_string_append_c (deep, '[');
  for (guint i = 0; i < TALLY_JSONB_MAX_DEPTH; i++)
    g_string_append_c (deep, ']');
  assert_true (tally_jsonb_parse ((TallyText){ deep->str, deep->len }, memory, &json, NULL));
  g_string_prepend_c (deep, '[');
  g_string_append_c (deep, ']');
  assert_true (!tally_jsonb_parse ((TallyText){ deep->str, deep->len }, memory, &json, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LIMIT, "nested deeper than 1000 levels");
}

/* A number of eight bytes stands for a hundred thousand digits: many of them are refused before
 * they fill the memory. */
static void
test_size_is_bounded (void)
{
  g_autoptr (TallyBatch) memory = memory_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) large = g_string_new ("[0");
  TallyText json;

  for (guint i = 0; i < 2100; i++)
    g_string_append (large, ",1e131071");
  g_string_append_c (large, ']');
  assert_true (!tally_jsonb_parse ((TallyText){ large->str, large->len }, memory, &json, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_LIMIT, "longer than");
}

static void
test_members_and_elements_are_found (void)
{
  static const struct
  {
    const char *what, *path, *expected;
  } cases[] = {
    { "a member", "{a}", "[1, {\"b\": \"x\\ny\"}]" },
    { "an element of it", "{a,0}", "1" },
    { "from the end, decoded", "{a,-1,b}", "x\ny" },
    { "a name with a quote", "{\"q\\\"\"}", "true" },
    { "JSON's null is SQL's", "{none}", NULL },
    { "no such member", "{b}", NULL },
    { "no such element", "{a,2}", NULL },
    { "a name where an index is due", "{a,b}", NULL },
  };
  g_autoptr (TallyBatch) memory = memory_new ();
  TallyText json;

  tally_jsonb_parse (TEXT_OF ("{\"none\":null,\"q\\\"\":true,\"a\":[1,{\"b\":\"x\\ny\"}]}"), memory,
                     &json, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TallyText path[4], array, value, text;
      g_autofree char *told = NULL;
      TallyJsonbIter iter;
      guint n = 0;

      assert_true (tally_jsonb_from_array_text (TEXT_OF (cases[i].path), memory, &array, NULL));
      tally_jsonb_iter_init (&iter, array);
      while (tally_jsonb_iter_next (&iter, NULL, &value))
        tally_jsonb_to_text (value, memory, &path[n++]);
      if (tally_jsonb_at_path (json, path, n, &value) && tally_jsonb_to_text (value, memory, &text))
        told = tally_text_dup (text);
      assert_row_text (cases[i].what, told, cases[i].expected);
    }
}

static void
test_containment (void)
{
  static const struct
  {
    const char *what, *json, *part;
    gboolean expected;
  } cases[] = {
    { "some members", "{\"a\": 1, \"b\": 2}", "{\"b\": 2.0}", TRUE },
    { "deep inside", "{\"a\": [{\"x\": 1, \"y\": 2}]}", "{\"a\": [{\"y\": 2}]}", TRUE },
    { "order does not count", "[1, 2, 3]", "[3, 1, 1]", TRUE },
    { "an array has its scalars", "[\"a\"]", "\"a\"", TRUE },
    { "a scalar has no array", "\"a\"", "[\"a\"]", FALSE },
    { "levels are not skipped", "[[1]]", "[1]", FALSE },
    { "other kinds", "{\"a\": \"1\"}", "{\"a\": 1}", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_row_int (cases[i].what,
                    tally_jsonb_contains (TEXT_OF (cases[i].json), TEXT_OF (cases[i].part)),
                    cases[i].expected);
}

static void
test_order_is_of_kinds_then_sizes_then_values (void)
{
  static const char *const ascending[]
      = { "[]",         "null",       "\"a\"",      "\"b\"",
          "1",          "1.5",        "false",      "true",
          "[null]",     "[1]",        "[1, 2]",     "{}",
          "{\"a\": 1}", "{\"a\": 2}", "{\"b\": 0}", "{\"a\": 0, \"b\": 0}" };

  for (guint i = 0; i < G_N_ELEMENTS (ascending); i++)
    for (guint j = 0; j < G_N_ELEMENTS (ascending); j++)
      {
        gint order = tally_jsonb_compare (TEXT_OF (ascending[i]), TEXT_OF (ascending[j]));

        assert_row_int (ascending[i], (order > 0) - (order < 0), (i > j) - (i < j));
      }
  assert_int (tally_jsonb_hash (TEXT_OF ("[1.0]")), tally_jsonb_hash (TEXT_OF ("[1]")));
}

static void
test_objects_are_built_in_order (void)
{
  g_autoptr (TallyBatch) memory = memory_new ();
  const TallyText keys[] = { TEXT_OF ("bb"), TEXT_OF ("a\""), TEXT_OF ("a"), TEXT_OF ("a") };
  const TallyText values[] = { TEXT_OF ("1"), TEXT_OF ("[]"), TEXT_OF ("2"), TEXT_OF ("null") };
  g_autofree char *object = tally_text_dup (tally_jsonb_build_object (keys, values, 4, memory));
  g_autofree char *array = tally_text_dup (tally_jsonb_build_array (values, 4, memory));

  assert_text (object, "{\"a\": null, \"a\\\"\": [], \"bb\": 1}");
  assert_text (array, "[1, [], 2, null]");
}

static const Promise promises[] = {
  { "JSON becomes canonical", test_json_becomes_canonical },
  { "canonical text is not copied", test_canonical_text_is_not_copied },
  { "depth is bounded", test_depth_is_bounded },
  { "size is bounded", test_size_is_bounded },
  { "members and elements are found", test_members_and_elements_are_found },
  { "containment", test_containment },
  { "order is of kinds, then sizes, then values", test_order_is_of_kinds_then_sizes_then_values },
  { "objects are built in order", test_objects_are_built_in_order },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("jsonb", promises, argc, argv);
}
