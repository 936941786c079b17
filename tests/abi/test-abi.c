/* test-abi.c: what was built once loads for ever, and what is exported is what the headers declare
 */
#include "promise.h"
#include <dlfcn.h>
#include <string.h>
#include <tallyman/harness.h>

static void
test_a_plugin_of_the_frozen_headers_runs (void)
{
  g_autoptr (TallyHarness) harness = tally_harness_new ("old-plugin");

  assert_int (tally_harness_pull (harness), TALLY_FLOW_OK);
  g_autofree char *numbers = tally_harness_get_column (harness, 0);
  g_autofree char *names = tally_harness_get_column (harness, 1);
  assert_text (numbers, "0\n1");
  assert_text (names, "\na");
  tally_harness_commit (harness);
  tally_harness_restart (harness);
  assert_int (tally_harness_pull (harness), TALLY_FLOW_OK);
  g_autofree char *rest = tally_harness_get_column (harness, 0);
  assert_text (rest, "2");
  assert_int (tally_harness_pull (harness), TALLY_FLOW_END);
}

static char *
read_source (const char *name)
{
  g_autofree char *path = g_build_filename (g_getenv ("SOURCE_ROOT"), name, NULL);
  char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    g_error ("cannot read %s", path);
  return text;
}

/* All matches of pattern's first group, as a set. */
static void
collect (const char *text, const char *pattern, GHashTable *names)
{
  g_autoptr (GRegex) regex = g_regex_new (pattern, G_REGEX_MULTILINE, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;

  for (g_regex_match (regex, text, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL))
    g_hash_table_add (names, g_match_info_fetch (match, 1));
}

/* The functions that the headers of a folder declare. */
static GHashTable *
functions_of (const char *headers)
{
  GHashTable *names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *folder = g_build_filename (g_getenv ("SOURCE_ROOT"), headers, NULL);
  g_autoptr (GDir) directory = g_dir_open (folder, 0, NULL);
  g_autoptr (GRegex) comments = g_regex_new ("/\\*.*?\\*/", G_REGEX_DOTALL, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *path = g_build_filename (headers, name, NULL);
      g_autofree char *text = read_source (path);
      g_autofree char *code = g_regex_replace_literal (comments, text, -1, 0, "", 0, NULL);

      collect (code, "^[A-Za-z][^;#{}()]*?\\b(tally_[a-z0-9_]+) \\(", names);
    }
  return names;
}

static GHashTable *
listed_symbols (void)
{
  GHashTable *names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *map = read_source ("core/libtallyman.map");
  g_auto (GStrv) nodes = g_strsplit (map, "};", 2);

  collect (nodes[0], "^\\s*(tally_[a-z0-9_]+);", names);
  return names;
}

static char *
missing_from (GHashTable *names, GHashTable *others)
{
  g_autoptr (GList) list = g_list_sort (g_hash_table_get_keys (names), (GCompareFunc) strcmp);
  GString *missing = g_string_new (NULL);

  for (GList *item = list; item != NULL; item = item->next)
    if (!g_hash_table_contains (others, item->data))
      g_string_append_printf (missing, "%s ", (const char *) item->data);
  return g_string_free (missing, FALSE);
}

static void
test_the_map_lists_what_the_headers_declare (void)
{
  g_autoptr (GHashTable) declared = functions_of ("core/tallyman");
  g_autoptr (GHashTable) listed = listed_symbols ();
  g_autofree char *unlisted = missing_from (declared, listed);
  g_autofree char *undeclared = missing_from (listed, declared);

  assert_true (g_hash_table_size (declared) > 70);
  assert_text (unlisted, "");
  assert_text (undeclared, "");
}

static void
test_the_library_has_what_the_headers_declare (void)
{
  g_autoptr (GHashTable) declared = functions_of ("core/tallyman");
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, declared);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    assert_row_int (name, dlvsym (RTLD_DEFAULT, name, "TALLYMAN_1") != NULL, TRUE);
}

static void
test_no_function_of_the_frozen_headers_went_away (void)
{
  g_autoptr (GHashTable) frozen = functions_of ("tests/abi/1/tallyman");
  g_autoptr (GHashTable) listed = listed_symbols ();
  g_autofree char *gone = missing_from (frozen, listed);

  assert_true (g_hash_table_size (frozen) > 60);
  assert_text (gone, "");
}

static const Promise promises[] = {
  { "a plugin of the frozen headers runs", test_a_plugin_of_the_frozen_headers_runs },
  { "the map lists what the headers declare", test_the_map_lists_what_the_headers_declare },
  { "the library has what the headers declare", test_the_library_has_what_the_headers_declare },
  { "no function of the frozen headers went away",
    test_no_function_of_the_frozen_headers_went_away },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("abi", promises, argc, argv);
}
