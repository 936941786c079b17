/* test-registry.c: which plugins are found, and which are not believed */
#include "plugin/descriptor.h"
#include "plugin/registry.h"
#include "promise.h"
#include <glib/gstdio.h>
#include <string.h>

typedef struct
{
  char *text;
  gint choice;
} Instance;

/* ---- Descriptors ---- */

static TallyFlow
do_nothing (gpointer self, TallyContext *ctx, TallyBatch *batch, GError **error)
{
  return TALLY_FLOW_END;
}

static TallySchema *
describe_nothing (gpointer self, TallyContext *ctx, GError **error)
{
  return NULL;
}

static const TallyOption good_options[] = {
  { .name = "text",
    .type = TALLY_OPTION_TEXT,
    .offset = G_STRUCT_OFFSET (Instance, text),
    .summary = "A text" },
  { 0 },
};

#define GOOD                                                                                       \
  TALLY_PLUGIN_INIT, .kind = TALLY_SINK, .name = "good", .summary = "Good",                        \
                     .instance_size = sizeof (Instance), .options = good_options,                  \
                     .write = do_nothing
#define ONE_OPTION(...)                                                                            \
  (const TallyOption[])                                                                            \
  {                                                                                                \
    { __VA_ARGS__ },                                                                               \
    {                                                                                              \
      0                                                                                            \
    }                                                                                              \
  }

static const TallyDeliverySink half_delivery = { TALLY_DELIVERY_SINK_INIT };
static const TallyDeliverySink tiny_delivery = { .size = 8 };
static const char *const no_choices[] = { NULL };

static void
test_refuses_what_cannot_work (void)
{
  const struct
  {
    const char *label;
    TallyPlugin plugin;
    const char *message;
  } rows[] = {
    { "later interface",
      { GOOD, .abi = 2 },
      "is built for plugin interface 2, this tallyman has 1" },
    { "no interface", { GOOD, .abi = 0 }, "is built for plugin interface 0" },
    { "half a struct", { GOOD, .size = 40 }, "its descriptor has 40 bytes" },
    { "half an option", { GOOD, .option_size = 16 }, "rows of its option table have 16 bytes" },
    { "no name", { GOOD, .name = NULL }, "has a sink with no name" },
    { "a path for a name",
      { GOOD, .name = "../x" },
      "has a sink with the name \"../x\", which none can have" },
    { "no summary", { GOOD, .summary = NULL }, "sink \"good\" has no summary" },
    { "unknown kind", { GOOD, .kind = 7 }, "is of an unknown kind 7" },
    { "a sink that writes nowhere",
      { GOOD, .write = NULL },
      "sink \"good\" has no callback \"write\"" },
    { "a source that reads nothing",
      { GOOD, .kind = TALLY_SOURCE },
      "source \"good\" has no callback \"read\"" },
    { "a source without columns",
      { GOOD, .kind = TALLY_SOURCE, .read = do_nothing },
      "has no callback \"describe\"" },
    { "a transform that does nothing",
      { GOOD, .kind = TALLY_TRANSFORM },
      "has no callback \"apply\"" },
    { "half a delivery",
      { GOOD, .delivery = &half_delivery },
      "has no callback \"delivery.profile\"" },
    { "a tiny delivery",
      { GOOD, .delivery = &tiny_delivery },
      "its delivery callbacks have 8 bytes" },
    { "an option outside",
      { GOOD, .options = ONE_OPTION (.name = "x", .offset = sizeof (Instance), .summary = "s") },
      "sink \"good\": option \"x\" lies outside of the instance" },
    { "an option of no type",
      { GOOD, .options = ONE_OPTION (.name = "x", .type = 99, .summary = "s") },
      "option \"x\" is of an unknown type 99" },
    { "an option without words",
      { GOOD, .options = ONE_OPTION (.name = "x") },
      "option \"x\" has no summary" },
    { "an option with a bad name",
      { GOOD, .options = ONE_OPTION (.name = "X", .summary = "s") },
      "option \"X\" has a name that none can have" },
    { "a choice of nothing",
      { GOOD, .options = ONE_OPTION (.name = "x", .type = TALLY_OPTION_CHOICE,
                                     .choices = no_choices, .summary = "s") },
      "option \"x\" has no choices" },
    { "a default that is none",
      { GOOD, .options = ONE_OPTION (.name = "x", .type = TALLY_OPTION_INT, .fallback = "many",
                                     .summary = "s") },
      "default: \"x\" takes a whole number, not \"many\"" },
    { "bounds upside down",
      { GOOD, .options = ONE_OPTION (.name = "x", .type = TALLY_OPTION_INT, .min = 2, .max = 1,
                                     .summary = "s") },
      "option \"x\" has bounds that nothing fits into" },
    { "an expression in a source",
      { GOOD, .kind = TALLY_SOURCE, .read = do_nothing, .describe = describe_nothing,
        .options = ONE_OPTION (.name = "x", .type = TALLY_OPTION_EXPRESSION, .summary = "s") },
      "option \"x\" is an expression, which only a sink can have" },
    { "the same option twice",
      { GOOD, .options = (const TallyOption[]) { { .name = "a-b", .summary = "s" },
                                                { .name = "a_b", .summary = "s" },
                                                { 0 } } },
      "option \"a_b\" is there twice" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (TallyDescriptor) descriptor = tally_descriptor_new (&rows[i].plugin, &error);

      assert_row_int (rows[i].label, descriptor == NULL, TRUE);
      if (error != NULL)
        assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, rows[i].message);
    }
}

static void
test_takes_a_good_one (void)
{
  const TallyPlugin good = { GOOD };
  g_autoptr (GError) error = NULL;
  g_autoptr (TallyDescriptor) descriptor = tally_descriptor_new (&good, &error);

  assert_no_error (error);
  assert_text (descriptor->plugin.name, "good");
  assert_true (descriptor->plugin.write == do_nothing);
}

/* A plugin that is built with a later header has larger structs; what is known of them is where it
 * was. */
static void
test_walks_the_options_of_a_later_plugin_by_its_size (void)
{
  static const struct
  {
    TallyOption option;
    gpointer later[3];
  } options[] = {
    { { .name = "one", .offset = G_STRUCT_OFFSET (Instance, text), .summary = "First" }, { 0 } },
    { { .name = "two",
        .type = TALLY_OPTION_BOOL,
        .offset = G_STRUCT_OFFSET (Instance, choice),
        .summary = "Second" },
      { 0 } },
    { { 0 }, { 0 } },
  };
  struct
  {
    TallyPlugin plugin;
    gpointer later[5];
  } later = { .plugin = { GOOD, .options = &options[0].option, .option_size = sizeof options[0] },
              .later = { &later } };
  g_autoptr (GError) error = NULL;

  later.plugin.size = sizeof later;
  g_autoptr (TallyDescriptor) descriptor = tally_descriptor_new (&later.plugin, &error);
  assert_no_error (error);
  assert_int (descriptor->plugin.size, sizeof (TallyPlugin));
  assert_text (descriptor->plugin.options[1].name, "two");
  assert_true (descriptor->plugin.options[2].name == NULL);
}

/* ---- Folders ---- */

static void
test_finds_by_name_and_by_first_word (void)
{
  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  g_autoptr (GError) error = NULL;
  const TallyPlugin *lines = tally_registry_find (registry, TALLY_SOURCE, "lines", &error);
  const TallyPlugin *letter = tally_registry_find (registry, TALLY_SINK, "shout-letter", &error);

  assert_no_error (error);
  assert_text (lines->name, "lines");
  assert_true (letter->delivery != NULL);
  assert_true (g_str_has_suffix (tally_registry_path (registry, letter), "/shout.so"));
  assert_true (tally_registry_find (registry, TALLY_SOURCE, "lines", &error) == lines);
}

static void
test_names_the_nearest (void)
{
  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  g_autoptr (GError) error = NULL;

  assert_true (tally_registry_find (registry, TALLY_SOURCE, "linse", &error) == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE,
                "there is no source \"linse\"; did you mean \"lines\"?");
  assert_true (tally_registry_find (registry, TALLY_SINK, "lines", &error) == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "there is no sink \"lines\"");
  assert_true (tally_registry_find (registry, TALLY_SINK, "../lines", &error) == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "there is no sink \"../lines\"");
}

static void
test_lists_in_order (void)
{
  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  g_autoptr (GPtrArray) warnings = NULL;
  g_autoptr (GPtrArray) plugins = tally_registry_list (registry, &warnings);
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < plugins->len; i++)
    g_string_append_printf (names, "%s ", ((const TallyPlugin *) plugins->pdata[i])->name);
  assert_text (names->str, "lines shout-begged shout-far shout-late shout-mute shout-receipt shout shout-echo shelf shelf-blind shout-busy shout-later shout-letter ");
  assert_int (warnings->len, 0);
}

/* A folder with things in it that are no plugins. */
static void
test_says_why_something_does_not_load (void)
{
  g_autofree char *folder = g_dir_make_tmp ("plugins-XXXXXX", NULL);
  g_autofree char *text = g_build_filename (folder, "text.so", NULL);
  g_autofree char *path
      = g_strdup_printf ("plugins:%s:%s", folder, g_getenv ("TALLYMAN_PLUGIN_PATH"));
  g_autofree char *before = g_strdup (g_getenv ("TALLYMAN_PLUGIN_PATH"));
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) warnings = NULL, plugins = NULL;

  g_file_set_contents (text, "no shared object", -1, NULL);
  g_setenv ("TALLYMAN_PLUGIN_PATH", path, TRUE);
  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  assert_true (tally_registry_find (registry, TALLY_SINK, "text", &error) == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "sink \"text\" cannot be loaded: ");
  plugins = tally_registry_list (registry, &warnings);
  assert_int (plugins->len, 13);
  assert_int (warnings->len, 2);
  assert_text (warnings->pdata[0], "\"plugins\" in TALLYMAN_PLUGIN_PATH is not an absolute path");
  assert_contains (warnings->pdata[1], "text.so");

  g_setenv ("TALLYMAN_PLUGIN_PATH", before, TRUE);
  g_unlink (text);
  g_rmdir (folder);
}

static void
test_never_looks_in_the_working_directory (void)
{
  g_autofree char *before = g_strdup (g_getenv ("TALLYMAN_PLUGIN_PATH"));
  g_autofree char *here = g_get_current_dir ();
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_chdir (before), ==, 0);
  g_unsetenv ("TALLYMAN_PLUGIN_PATH");
  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  assert_true (tally_registry_find (registry, TALLY_SOURCE, "lines", &error) == NULL);
  assert_error (error, TALLY_ERROR, TALLY_ERROR_USAGE, "there is no source \"lines\"");
  g_setenv ("TALLYMAN_PLUGIN_PATH", before, TRUE);
  g_assert_cmpint (g_chdir (here), ==, 0);
}

static const Promise promises[] = {
  { "takes a good one", test_takes_a_good_one },
  { "refuses what cannot work", test_refuses_what_cannot_work },
  { "walks the options of a later plugin by its size",
    test_walks_the_options_of_a_later_plugin_by_its_size },
  { "finds by name and by first word", test_finds_by_name_and_by_first_word },
  { "names the nearest", test_names_the_nearest },
  { "lists in order", test_lists_in_order },
  { "says why something does not load", test_says_why_something_does_not_load },
  { "never looks in the working directory", test_never_looks_in_the_working_directory },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("registry", promises, argc, argv);
}
