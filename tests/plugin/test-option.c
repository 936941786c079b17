/* test-option.c: texts become fields, or a message that says what would have been right */
#include "plugin/instance.h"
#include "plugin/option.h"
#include "promise.h"
#include <string.h>

typedef struct
{
  gint64 number;
  gboolean flag;
  gint choice;
  char *text;
  char **list;
} Fields;

static const char *const fruits[] = { "apple", "green-pear", NULL };

static const TallyOption options[] = {
  { "int", TALLY_OPTION_INT, 0, G_STRUCT_OFFSET (Fields, number), NULL, -5, 100, NULL, "s", NULL },
  { "any-int", TALLY_OPTION_INT, 0, G_STRUCT_OFFSET (Fields, number), NULL, 0, 0, NULL, "s", NULL },
  { "size", TALLY_OPTION_SIZE, 0, G_STRUCT_OFFSET (Fields, number), NULL, 1, 1 << 30, NULL, "s",
    NULL },
  { "duration", TALLY_OPTION_DURATION, 0, G_STRUCT_OFFSET (Fields, number), NULL, 0, G_MAXINT64,
    NULL, "s", NULL },
  { "bool", TALLY_OPTION_BOOL, 0, G_STRUCT_OFFSET (Fields, flag), NULL, 0, 0, NULL, "s", NULL },
  { "choice", TALLY_OPTION_CHOICE, 0, G_STRUCT_OFFSET (Fields, choice), NULL, 0, 0, fruits, "s",
    NULL },
  { "text", TALLY_OPTION_TEXT, 0, G_STRUCT_OFFSET (Fields, text), NULL, 0, 0, NULL, "s", NULL },
  { "path", TALLY_OPTION_TEXT, TALLY_OPTION_PATH, G_STRUCT_OFFSET (Fields, text), NULL, 0, 0, NULL,
    "s", NULL },
  { "secret", TALLY_OPTION_SECRET, 0, G_STRUCT_OFFSET (Fields, text), NULL, 0, 0, NULL, "s", NULL },
  { "list", TALLY_OPTION_LIST, 0, G_STRUCT_OFFSET (Fields, list), NULL, 0, 0, NULL, "s", NULL },
  { 0 },
};

static void
test_takes_numbers_with_units (void)
{
  static const struct
  {
    const char *label, *option, *text;
    gint64 value;
  } rows[] = {
    { "plain", "int", "7", 7 },
    { "negative", "int", "-5", -5 },
    { "greatest of all", "any-int", "9223372036854775807", G_MAXINT64 },
    { "bytes", "size", "1000", 1000 },
    { "bytes with their unit", "size", "17B", 17 },
    { "thousands", "size", "64kB", 64000 },
    { "binary", "size", "16MiB", 16 << 20 },
    { "milliseconds", "duration", "500ms", 500000 },
    { "minutes", "duration", "2min", 120 * G_USEC_PER_SEC },
    { "hours", "duration", "2h", 7200 * (gint64) G_USEC_PER_SEC },
    { "days", "duration", "1d", 86400 * (gint64) G_USEC_PER_SEC },
    { "nothing needs no unit", "duration", "0", 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      Fields fields = { 0 };

      tally_option_set (tally_option_find (options, rows[i].option), &fields, rows[i].text, NULL,
                        "/", &error);
      assert_no_error (error);
      assert_row_int (rows[i].label, fields.number, rows[i].value);
    }
}

static void
test_says_what_would_be_right (void)
{
  static const struct
  {
    const char *label, *option, *text, *message;
  } rows[] = {
    { "no number", "int", "abc", "\"int\" takes a whole number, from -5 to 100, not \"abc\"" },
    { "nothing", "int", "", "\"int\" takes a whole number, from -5 to 100, not \"\"" },
    { "a minus alone", "int", "-", "not \"-\"" },
    { "a fraction", "int", "1.5", "not \"1.5\"" },
    { "a plus", "int", "+1", "not \"+1\"" },
    { "blanks", "int", " 1", "not \" 1\"" },
    { "too small", "int", "-6", "from -5 to 100, not \"-6\"" },
    { "too great", "int", "101", "not \"101\"" },
    { "past 64 bits", "any-int", "9223372036854775808", "\"any-int\" takes a whole number, not" },
    { "unknown unit", "size", "5kb",
      "\"size\" takes a size such as 64kB or 16MiB, from 1B to 1GiB, not \"5kb\"" },
    { "overflow by its unit", "size", "9223372036854775807TiB", "not \"9223372036854775807TiB\"" },
    { "no unit", "duration", "30",
      "\"duration\" takes a duration such as 500ms, 30s or 2h, at least 0, not \"30\"" },
    { "negative time", "duration", "-1s", "at least 0, not \"-1s\"" },
    { "yes", "bool", "yes", "\"bool\" takes true or false, not \"yes\"" },
    { "another choice", "choice", "plum",
      "\"choice\" takes one of apple, green-pear, not \"plum\"" },
    { "half a character", "text", "a\xff", "\"text\" takes a text, not" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      Fields fields = { 0 };
      gboolean taken = tally_option_set (tally_option_find (options, rows[i].option), &fields,
                                         rows[i].text, NULL, "/", &error);

      assert_row_int (rows[i].label, taken, FALSE);
      assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, rows[i].message);
    }
}

static void
test_shows_a_reference_and_never_its_value (void)
{
  g_autoptr (GError) error = NULL;
  Fields fields = { 0 };

  tally_option_set (tally_option_find (options, "int"), &fields, "hunter2", "${PORT}", "/", &error);
  assert_text (error->message, "\"int\" takes a whole number, from -5 to 100, not \"${PORT}\"");
  g_clear_error (&error);
  tally_option_set (tally_option_find (options, "secret"), &fields, "hunter2\xff", NULL, "/",
                    &error);
  assert_text (error->message, "\"secret\" takes a text");
}

static void
test_takes_words (void)
{
  Fields fields = { 0 };

  tally_option_set (tally_option_find (options, "bool"), &fields, "true", NULL, "/", NULL);
  assert_int (fields.flag, TRUE);
  tally_option_set (tally_option_find (options, "choice"), &fields, "green_pear", NULL, "/", NULL);
  assert_int (fields.choice, 1);
  tally_option_set (tally_option_find (options, "text"), &fields, "first", NULL, "/", NULL);
  tally_option_set (tally_option_find (options, "text"), &fields, "second", NULL, "/", NULL);
  assert_text (fields.text, "second");
  tally_option_set (tally_option_find (options, "list"), &fields, "a", NULL, "/", NULL);
  tally_option_set (tally_option_find (options, "list"), &fields, "b", NULL, "/", NULL);
  assert_int (g_strv_length (fields.list), 2);
  assert_text (fields.list[1], "b");
  tally_option_clear (tally_option_find (options, "text"), &fields);
  tally_option_clear (tally_option_find (options, "list"), &fields);
  assert_true (fields.text == NULL && fields.list == NULL);
}

static void
test_takes_paths_from_the_folder (void)
{
  static const struct
  {
    const char *label, *text, *path;
  } rows[] = {
    { "relative", "a/b.csv", "/home/p/a/b.csv" },
    { "up", "../b.csv", "/home/b.csv" },
    { "absolute", "/b.csv", "/b.csv" },
    { "standard input", "-", "-" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      Fields fields = { 0 };

      tally_option_set (tally_option_find (options, "path"), &fields, rows[i].text, NULL, "/home/p",
                        NULL);
      assert_row_text (rows[i].label, fields.text, rows[i].path);
      tally_option_clear (tally_option_find (options, "path"), &fields);
    }
}

static void
test_names_match_with_dash_and_underscore (void)
{
  assert_true (tally_option_find (options, "any_int") == &options[1]);
  assert_true (tally_option_find (options, "any-int") == &options[1]);
  assert_true (tally_option_find (options, "any") == NULL);
  assert_true (tally_option_find (NULL, "any") == NULL);
  assert_text (tally_option_nearest (options, "duratoin"), "duration");
}

static void
test_a_list_is_bounded (void)
{
  g_autoptr (GError) error = NULL;
  const TallyOption *list = tally_option_find (options, "list");
  Fields fields = { 0 };

  fields.list = g_new0 (char *, TALLY_OPTION_MAX_ELEMENTS + 1);
  for (guint i = 0; i < TALLY_OPTION_MAX_ELEMENTS; i++)
    fields.list[i] = g_strdup ("x");
  assert_true (!tally_option_set (list, &fields, "one more", NULL, "/", &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "at most 10000");
  tally_option_clear (list, &fields);
}

static const TallyOption filled_options[] = {
  { "limit", TALLY_OPTION_INT, 0, G_STRUCT_OFFSET (Fields, number), "42", 1, 100, NULL, "s", NULL },
  { "name", TALLY_OPTION_TEXT, TALLY_OPTION_REQUIRED, G_STRUCT_OFFSET (Fields, text), NULL, 0, 0,
    NULL, "s", NULL },
  { "mark", TALLY_OPTION_EXPRESSION, 0, G_STRUCT_OFFSET (Fields, choice), NULL, 0, 0, NULL, "s",
    NULL },
  { 0 },
};

static gboolean
refuses_bob (gpointer self, GError **error)
{
  return strcmp (((Fields *) self)->text, "bob") != 0
         || tally_throw (error, TALLY_ERROR_USAGE, "not bob");
}

static const TallyPlugin filled = {
  TALLY_PLUGIN_INIT,         .kind = TALLY_SINK,
  .name = "filled",          .instance_size = sizeof (Fields),
  .options = filled_options, .check = refuses_bob,
};

static void
test_an_instance_is_whole_before_its_rules_are_asked (void)
{
  g_autoptr (TallyInstance) instance = tally_instance_new (&filled);
  g_autoptr (GError) error = NULL;
  Fields *fields = instance->self;
  const char *missing = NULL;

  assert_int (fields->choice, -1);
  assert_true (!tally_instance_finish (instance, &missing, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "\"filled\" needs \"name\"");
  assert_text (missing, "name");

  tally_instance_set (instance, "name", "bob", "/", &error);
  assert_true (!tally_instance_finish (instance, NULL, &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "not bob");
  assert_int (fields->number, 42);

  tally_instance_set (instance, "name", "eve", "/", &error);
  tally_instance_set (instance, "mark", "id || 'x'", "/", &error);
  assert_true (tally_instance_finish (instance, NULL, &error));
  assert_text (g_array_index (instance->expressions, TallyInstanceExpression, 0).text, "id || 'x'");
  assert_true (!tally_instance_set (instance, "mark", "again", "/", &error));
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "\"mark\" is given twice");
}

static const Promise promises[] = {
  { "takes numbers with units", test_takes_numbers_with_units },
  { "says what would be right", test_says_what_would_be_right },
  { "shows a reference and never its value", test_shows_a_reference_and_never_its_value },
  { "takes words", test_takes_words },
  { "takes paths from the folder", test_takes_paths_from_the_folder },
  { "names match with dash and underscore", test_names_match_with_dash_and_underscore },
  { "a list is bounded", test_a_list_is_bounded },
  { "an instance is whole before its rules are asked",
    test_an_instance_is_whole_before_its_rules_are_asked },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("options", promises, argc, argv);
}
