/* test-reconcile.c: updates, and a ledger that lost commits, with the whole program and both ledgers
 *
 * The target is a file, see tests/harness/shelf.c; what it holds is never asked of the program.
 */
#include "cluster.h"
#include "promise.h"
#include <glib/gstdio.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_object, json_object_put)

static char *folder;
static char *output, *errors;

static char *
path_of (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

static void
write_file (const char *name, const char *text)
{
  g_autofree char *path = path_of (name);

  if (!g_file_set_contents (path, text, -1, NULL))
    g_error ("could not write \"%s\"", path);
}

static char *
read_file (const char *name)
{
  g_autofree char *path = path_of (name);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text : g_strdup ("");
}

/* tallyman with arguments up to NULL.  Its exit code. */
static int G_GNUC_NULL_TERMINATED
tallyman (const char *argument, ...)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  va_list arguments;
  int status = -1;

  g_ptr_array_add (argv, (char *) g_getenv ("TALLYMAN"));
  va_start (arguments, argument);
  for (; argument != NULL; argument = va_arg (arguments, const char *))
    g_ptr_array_add (argv, (char *) argument);
  va_end (arguments);
  g_ptr_array_add (argv, NULL);
  g_clear_pointer (&output, g_free);
  g_clear_pointer (&errors, g_free);
  g_spawn_sync (folder, (char **) argv->pdata, NULL, 0, NULL, NULL, &output, &errors, &status, &error);
  assert_no_error (error);
  return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

static void
expect (const char *label, int found, int expected)
{
  if (!assert_row_int (label, found, expected))
    g_printerr ("%s%s", output, errors);
}

/* ---- Ledgers that can be put back ---- */

typedef struct
{
  const char *label;
  char *uri;                   /* (owned) */
  char *admin, *name;          /* (owned) (nullable) of PostgreSQL */
  char *copy;                  /* (owned) (nullable) of SQLite */
  gsize length;
} Place;

static void
place_clear (Place *place)
{
  g_free (place->uri);
  g_free (place->admin);
  g_free (place->name);
  g_free (place->copy);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)

static void
place_sql (const Place *place, const char *format)
{
  g_autofree char *sql = g_strdup_printf (format, place->name, place->name), *answer = NULL;

  answer = cluster_query (place->admin, sql);
}

/* An empty folder and an empty ledger.  FALSE if there is no such database. */
static gboolean
place_init (Place *place, gboolean postgresql)
{
  static const char *const files[] = { "ledger.sqlite", "shelf.tsv", "desk.yaml", "desk.csv" };
  const char *name;

  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = path_of (files[i]);
      g_unlink (path);
    }
  {
    g_autofree char *marks = path_of ("tallyman"), *command = g_strdup_printf ("rm -rf '%s'", marks);
    assert_int (system (command), 0);
  }
  *place = (Place){ .label = postgresql ? "postgresql" : "sqlite" };
  if (!postgresql)
    {
      place->uri = g_strdup ("sqlite:ledger.sqlite");
      return TRUE;
    }
  if (!cluster_is_available ())
    {
      skip_promise ("there is no PostgreSQL server on this machine");
      return FALSE;
    }
  place->uri = cluster_create_database (cluster_shared ());
  place->admin = cluster_dup_uri (cluster_shared (), NULL);
  name = strstr (place->uri, "@/") + 2;
  place->name = g_strndup (name, strcspn (name, "?"));
  return TRUE;
}

static void
place_keep (Place *place)
{
  g_autofree char *path = path_of ("ledger.sqlite");

  if (place->admin != NULL)
    place_sql (place, "CREATE DATABASE %s_copy TEMPLATE %s");
  else
    assert_true (g_file_get_contents (path, &place->copy, &place->length, NULL));
}

static void
place_put_back (Place *place)
{
  g_autofree char *path = path_of ("ledger.sqlite");

  if (place->admin != NULL)
    {
      place_sql (place, "DROP DATABASE %s");
      place_sql (place, "ALTER DATABASE %s_copy RENAME TO %s");
    }
  else
    assert_true (g_file_set_contents (path, place->copy, (gssize) place->length, NULL));
}

static void
place_empty (Place *place)
{
  g_autofree char *path = path_of ("ledger.sqlite");

  if (place->admin != NULL)
    {
      place_sql (place, "DROP DATABASE %s");
      place_sql (place, "CREATE DATABASE %s");
    }
  else
    g_unlink (path);
}

/* ---- The pipeline, and its target ---- */

static void
write_pipeline_of (const Place *place, const char *name, const char *origin, const char *sink, const char *more)
{
  g_autofree char *file = g_strdup_printf ("%s.yaml", name);
  g_autofree char *yaml
      = g_strdup_printf ("pipeline: %s\norigin: %s\nsource:\n  csv: { path: %s.csv }\n"
                         "sink:\n  %s: { path: shelf.tsv, subject: subject, key: id, %s }\nledger: %s\n",
                         name, origin, name, sink, more, place->uri);

  write_file (file, yaml);
}

static void
write_pipeline (const Place *place, const char *sink, const char *more)
{
  write_pipeline_of (place, "desk", "desk", sink, more);
}

/* How often a reference was made: the ids that carry it. */
static guint
count_books (const char *reference)
{
  g_autofree char *text = read_file ("shelf.tsv");
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (char **line = lines; *line != NULL; line++)
    {
      g_auto (GStrv) fields = g_strsplit (*line, "\t", 4);

      if (g_strv_length (fields) == 4 && (reference == NULL || g_str_equal (fields[2], reference)))
        g_hash_table_add (ids, g_strdup (fields[0]));
    }
  return g_hash_table_size (ids);
}

/* What the newest state of a reference says. */
static char *
text_of (const char *reference)
{
  g_autofree char *text = read_file ("shelf.tsv");
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  char *found = NULL;

  for (char **line = lines; *line != NULL; line++)
    {
      g_auto (GStrv) fields = g_strsplit (*line, "\t", 4);

      if (g_strv_length (fields) != 4 || !g_str_equal (fields[2], reference))
        continue;
      g_free (found);
      found = g_strdup (fields[3]);
    }
  return found;
}

static void
put_book (const char *id, const char *reference)
{
  g_autofree char *text = read_file ("shelf.tsv");
  g_autofree char *longer = g_strdup_printf ("%s%s\t1\t%s\tby hand\n", text, id, reference);

  write_file ("shelf.tsv", longer);
}

static void
remove_book (const char *reference)
{
  g_autofree char *text = read_file ("shelf.tsv"), *tabbed = g_strdup_printf ("\t%s\t", reference);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GString) rest = g_string_new (NULL);

  for (char **line = lines; *line != NULL; line++)
    if (**line != '\0' && strstr (*line, tabbed) == NULL)
      g_string_append_printf (rest, "%s\n", *line);
  write_file ("shelf.tsv", rest->str);
}

/* A member of the JSON in a line of the output, by a path of names. */
static gint64
number (const char *line, const char *group, const char *name)
{
  g_autoptr (json_object) object = json_tokener_parse (line);
  json_object *value = object;

  if (group != NULL && !json_object_object_get_ex (object, group, &value))
    return -1;
  return json_object_object_get_ex (value, name, &value) ? json_object_get_int64 (value) : -1;
}

static const char *
last_line (void)
{
  const char *end = output + strlen (output);

  for (end -= end > output; end > output && end[-1] != '\n';)
    end--;
  return end;
}

/* ---- Updates ---- */

static void
check_updates (gboolean postgresql)
{
  g_auto (Place) place = { 0 };

  if (!place_init (&place, postgresql))
    return;
  write_pipeline (&place, "shelf", "settle: 0s");
  write_file ("desk.csv", "id,subject\na,one\nb,two\nc,three\n");
  expect (place.label, tallyman ("run", "--json", "desk.yaml", NULL), 0);

  write_file ("desk.csv", "id,subject\na,one more\nb,same\nc,three\nd,four\n");
  expect (place.label, tallyman ("plan", "--json", "desk.yaml", NULL), 0);
  assert_row_int (place.label, number (output, "sink", "created"), 1);
  assert_row_int (place.label, number (output, "sink", "updated"), 1);
  assert_row_int (place.label, number (output, "sink", "unchanged"), 2);
  expect (place.label, tallyman ("run", "--json", "desk.yaml", NULL), 0);
  assert_row_int (place.label, number (output, "counts", "delivered"), 2);
  assert_row_int (place.label, number (output, "counts", "updated"), 1);
  assert_row_int (place.label, number (output, "counts", "unchanged"), 2);
  assert_row_int (place.label, count_books (NULL), 4);
  g_autofree char *text = text_of ("desk:a");
  assert_row_text (place.label, text, "one more");

  expect (place.label, tallyman ("trace", "--ledger", place.uri, "a", NULL), 0);
  assert_contains (output, "generation       2\n");
  assert_contains (output, "generation 2  update: after one that is delivered, key ");
  expect (place.label, tallyman ("trace", "--ledger", place.uri, "b", NULL), 0);
  assert_contains (output, "generation 1  changed, nothing to send\n");

  /* A sink that cannot update. */
  write_pipeline (&place, "shelf-blind", "settle: 0s");
  write_file ("desk.csv", "id,subject\na,one again\n");
  expect (place.label, tallyman ("plan", "--json", "desk.yaml", NULL), 0);
  assert_row_int (place.label, number (output, "sink", "of_these_drifted"), 1);
  expect (place.label, tallyman ("run", "--json", "desk.yaml", NULL), 0);
  assert_row_int (place.label, number (output, "counts", "drifted"), 1);
  assert_row_int (place.label, count_books (NULL), 4);
}

static void
test_updates (void)
{
  check_updates (FALSE);
  check_updates (TRUE);
}

/* ---- A copy from before ---- */

/* In the ledger's copy: a and b delivered, c rejected, d in doubt.  After it: a updated, c corrected, d found, e new. */
static void
lose_commits (Place *place)
{
  guint n_before = count_books (NULL);

  write_pipeline (place, "shelf", "settle: 1h, answers: 3");
  write_file ("desk.csv", "id,subject\na,one\nb,two\nc,bad\nd,four\n");
  expect (place->label, tallyman ("run", "--no-wait", "desk.yaml", NULL), 4);
  place_keep (place);
  write_pipeline (place, "shelf", "settle: 0s");
  write_file ("desk.csv", "id,subject\na,one more\nb,two\nc,three\nd,four\ne,five\n");
  expect (place->label, tallyman ("run", "desk.yaml", NULL), 0);
  assert_row_int (place->label, count_books (NULL), n_before + 5);
}

static void
check_put_back (gboolean postgresql)
{
  g_auto (Place) place = { 0 };

  if (!place_init (&place, postgresql))
    return;
  lose_commits (&place);
  place_put_back (&place);
  remove_book ("desk:b");
  put_book ("6", "desk:a");
  put_book ("7", "other:a");
  put_book ("8", "nobody's");

  expect (place.label, tallyman ("run", "desk.yaml", NULL), 1);
  assert_contains (errors, "went backwards");
  assert_contains (errors, "tallyman doubt reconcile PIPELINE");

  for (guint i = 0; i < 2; i++)
    {
      const char *counts;

      expect (place.label, tallyman ("doubt", "reconcile", "--json", "desk.yaml", NULL), 4);
      counts = last_line ();
      assert_row_int (place.label, number (counts, "counts", "surveyed"), 5);
      assert_row_int (place.label, number (counts, "counts", "known"), i == 0 ? 1 : 4);
      assert_row_int (place.label, number (counts, "counts", "unknown"), i == 0 ? 1 : 0);
      assert_row_int (place.label, number (counts, "counts", "settled"), i == 0 ? 1 : 0);
      assert_row_int (place.label, number (counts, "counts", "rejected"), i == 0 ? 1 : 0);
      assert_row_int (place.label, number (counts, "counts", "doubles"), 1);
      assert_row_int (place.label, number (counts, "counts", "missing"), 1);
      assert_row_int (place.label, number (counts, "counts", "in_doubt"), 0);
      assert_row_int (place.label, number (counts, "counts", "foreign"), 2);
      assert_row_int (place.label, number (counts, "origins", "other"), 1);
      assert_contains (output, "\"finding\": \"double\", \"key\": \"a\", \"target_id\": \"6\", \"known_id\": \"1\"");
      assert_contains (output, "\"finding\": \"missing\", \"key\": \"b\", \"target_id\": \"2\"");
      if (i == 0)
        assert_contains (errors, "went backwards");
      else
        assert_row_text (place.label, errors, "");
    }

  expect (place.label, tallyman ("run", "--json", "desk.yaml", NULL), 0);
  assert_row_int (place.label, number (output, "counts", "delivered"), 3);
  assert_row_int (place.label, number (output, "counts", "updated"), 3); /* a, c and e: what they say is not known */
  assert_row_int (place.label, number (output, "counts", "unchanged"), 2);
  assert_row_int (place.label, count_books (NULL), 7); /* and none was made a second time */
  g_autofree char *text = text_of ("desk:e");
  assert_row_text (place.label, text, "five");
  expect (place.label, tallyman ("trace", "--ledger", place.uri, "c", NULL), 0);
  assert_contains (output, "generation 2  adopted: found in the target");
  expect (place.label, tallyman ("status", "--ledger", place.uri, "desk", NULL), 0);
  assert_contains (output, "reconciled");
}

static void
test_a_copy_from_before (void)
{
  check_put_back (FALSE);
  check_put_back (TRUE);
}

static void
check_emptied (gboolean postgresql)
{
  g_auto (Place) place = { 0 };

  if (!place_init (&place, postgresql))
    return;
  write_pipeline (&place, "shelf", "settle: 0s");
  write_file ("desk.csv", "id,subject\na,one\nb,two\n");
  expect (place.label, tallyman ("run", "desk.yaml", NULL), 0);
  place_empty (&place);

  write_file ("desk.csv", "id,subject\na,one\nb,two\nc,three\n");
  expect (place.label, tallyman ("run", "desk.yaml", NULL), 1);
  assert_contains (errors, "is new, and another one was at its place");
  assert_contains (errors, "guarantee: none was needed: nothing was read, and nothing sent\n");
  assert_contains (errors, "tallyman doubt reconcile PIPELINE");
  expect (place.label, tallyman ("doubt", "reconcile", "desk.yaml", NULL), 0);
  assert_contains (output, "known 0, unknown until now 2,");
  expect (place.label, tallyman ("run", "--json", "desk.yaml", NULL), 0);
  assert_row_int (place.label, number (output, "counts", "updated"), 2);
  assert_row_int (place.label, number (output, "counts", "delivered"), 3);
  assert_row_int (place.label, count_books (NULL), 3);
}

static void
test_an_emptied_ledger (void)
{
  check_emptied (FALSE);
  check_emptied (TRUE);
}

/* ---- What is refused ---- */

static void
test_a_target_that_cannot_be_listed (void)
{
  g_auto (Place) place = { 0 };

  place_init (&place, FALSE);
  lose_commits (&place);
  place_put_back (&place);
  write_pipeline (&place, "shelf-blind", "settle: 0s");
  expect ("blind", tallyman ("doubt", "reconcile", "desk.yaml", NULL), 1);
  assert_contains (errors, "cannot list what its target holds");
  assert_contains (errors, "bring the ledger's newest state back");
  expect ("blind", tallyman ("run", "desk.yaml", NULL), 1);
  assert_contains (errors, "went backwards");

  write_file ("desk.yaml", "pipeline: desk\nsource:\n  csv: { path: desk.csv }\nsink:\n  json: { path: out.ndjson }\n");
  expect ("json", tallyman ("doubt", "reconcile", "desk.yaml", NULL), 2);
  assert_contains (errors, "does not deliver");
}

/* Reconciling one pipeline says nothing about what another one has lost. */
static void
test_all_pipelines_of_a_ledger (void)
{
  g_auto (Place) place = { 0 };

  place_init (&place, FALSE);
  write_pipeline_of (&place, "users", "users", "shelf", "settle: 0s");
  write_file ("users.csv", "id,subject\nu,ann\n");
  expect ("users", tallyman ("run", "users.yaml", NULL), 0);
  lose_commits (&place);
  place_put_back (&place);

  expect ("one", tallyman ("doubt", "reconcile", "desk.yaml", NULL), 2);
  assert_contains (errors, "is not accepted yet: it also has deliveries of book of users in the shelf");
  expect ("one", tallyman ("run", "desk.yaml", NULL), 1);
  assert_contains (errors, "went backwards");
  expect ("both", tallyman ("doubt", "reconcile", "desk.yaml", "users.yaml", NULL), 0);
  expect ("both", tallyman ("run", "desk.yaml", "users.yaml", NULL), 0);
  assert_int (count_books (NULL), 6);
}

static void
test_others_may_be_left (void)
{
  g_auto (Place) place = { 0 };

  place_init (&place, FALSE);
  write_pipeline_of (&place, "users", "users", "shelf", "settle: 0s");
  write_file ("users.csv", "id,subject\nu,ann\n");
  expect ("users", tallyman ("run", "users.yaml", NULL), 0);
  lose_commits (&place);
  place_put_back (&place);
  expect ("one", tallyman ("doubt", "reconcile", "--leave-others", "desk.yaml", NULL), 0);
  expect ("one", tallyman ("run", "desk.yaml", NULL), 0);
}

static void
test_only_what_is_new (void)
{
  g_auto (Place) place = { 0 };

  place_init (&place, FALSE);
  lose_commits (&place);
  remove_book ("desk:b");
  expect ("since", tallyman ("doubt", "reconcile", "--json", "--since", "2099-01-01", "desk.yaml", NULL), 0);
  assert_int (number (last_line (), "counts", "surveyed"), 0);
  assert_int (number (last_line (), "counts", "missing"), 0);
  expect ("since", tallyman ("doubt", "reconcile", "--json", "--since", "2020-01-01", "desk.yaml", NULL), 0);
  assert_int (number (last_line (), "counts", "surveyed"), 4);
  expect ("since", tallyman ("doubt", "reconcile", "--json", "desk.yaml", NULL), 4);
  assert_int (number (last_line (), "counts", "missing"), 1);
  expect ("since", tallyman ("doubt", "reconcile", "--since", "yester", "desk.yaml", NULL), 2);
  assert_contains (errors, "--since: invalid input");
  expect ("since", tallyman ("doubt", "reconcile", "--since", "infinity", "desk.yaml", NULL), 2);
}

static const Promise promises[] = {
  { "what changed is updated, as planned", test_updates },
  { "R8, E1: a copy from before is refilled", test_a_copy_from_before },
  { "E4: an emptied ledger is refilled", test_an_emptied_ledger },
  { "a target that cannot be listed is said to be one", test_a_target_that_cannot_be_listed },
  { "a ledger is accepted once all its pipelines are reconciled", test_all_pipelines_of_a_ledger },
  { "unless the others are left", test_others_may_be_left },
  { "only what is new", test_only_what_is_new },
  { NULL },
};

int
main (int argc, char **argv)
{
  g_autofree char *command = NULL;
  int result;

  folder = g_dir_make_tmp ("reconcile-XXXXXX", NULL);
  g_setenv ("XDG_STATE_HOME", folder, TRUE);
  result = keep_promises ("reconcile", promises, argc, argv);
  command = g_strdup_printf ("rm -rf '%s'", folder);
  result |= system (command);
  g_free (folder);
  g_free (output);
  g_free (errors);
  return result;
}
