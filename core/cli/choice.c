/* choice.c: see choice.h */
#include "choice.h"
#include "record/nearest.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* So many names are told where none is near. */
#define MOST_TOLD 10

/* What a word may mean. */
typedef struct
{
  GPtrArray *names; /* (owned) (element-type utf8) */
  char *ledger;     /* (owned) (nullable) the one that their files name */
} Meaning;

static void
meaning_clear (Meaning *meaning)
{
  g_clear_pointer (&meaning->names, g_ptr_array_unref);
  g_free (meaning->ledger);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Meaning, meaning_clear)

static gboolean
has_name (const GPtrArray *names, const char *name)
{
  return g_ptr_array_find_with_equal_func ((GPtrArray *)names, name, g_str_equal, NULL);
}

/* ---- Files ---- */

/* Adds what one file says; ledger: (nullable) the user's, before which the file's does not count. */
static gboolean
add_file (Meaning *meaning, const char *file, const char *ledger, GError **error)
{
  g_autoptr (TallyPipeline) pipeline = tally_pipeline_load_place (file);
  g_autoptr (GString) mistakes = g_string_new (NULL);

  if (pipeline->name == NULL || (ledger == NULL && tally_pipeline_n_errors (pipeline) > 0))
    {
      tally_pipeline_format_diagnostics (pipeline, tally_command_has_colour (STDERR_FILENO), mistakes);
      fputs (mistakes->str, stderr);
      return tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" does not say which pipeline of which ledger it is", file);
    }
  if (meaning->names->len > 0 && ledger == NULL && g_strcmp0 (meaning->ledger, pipeline->ledger) != 0)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "\"%s\" has another ledger than the files before it; name one file, or a ledger by --ledger", file);

  g_free (meaning->ledger);
  meaning->ledger = g_strdup (pipeline->ledger);
  if (!has_name (meaning->names, pipeline->name))
    g_ptr_array_add (meaning->names, g_strdup (pipeline->name));
  return TRUE;
}

static gboolean
read_path (Meaning *meaning, const char *path, const char *ledger, GError **error)
{
  g_auto (GStrv) files = tally_pipeline_order (path, error);

  for (guint i = 0; files != NULL && files[i] != NULL; i++)
    if (!add_file (meaning, files[i], ledger, error))
      return FALSE;
  return files != NULL;
}

/* ---- What the ledger knows ---- */

static gboolean
throw_unknown (const TallyLedger *ledger, const char *name, const GPtrArray *known, GError **error)
{
  const char *nearest = tally_nearest (name, (const char *const *)known->pdata, known->len);
  g_autoptr (GString) hint = g_string_new (known->len == 0 ? "; it knows none" : nearest != NULL ? "; did you mean " : "; it knows ");

  for (guint i = 0; nearest == NULL && i < known->len && i < MOST_TOLD; i++)
    g_string_append_printf (hint, "%s\"%s\"", i > 0 ? ", " : "", (const char *)known->pdata[i]);
  if (nearest != NULL)
    g_string_append_printf (hint, "\"%s\"?", nearest);
  else if (known->len > MOST_TOLD)
    g_string_append (hint, ", …");
  return tally_throw (error, TALLY_ERROR_USAGE, "the ledger %s knows no run of pipeline \"%s\"%s", tally_ledger_description (ledger), name,
                      hint->str);
}

/* Of a folder some may not have run yet. */
static gboolean
keep_known (TallyChoice *choice, const GPtrArray *names, const GPtrArray *known, GError **error)
{
  for (guint i = 0; i < names->len; i++)
    if (has_name (known, names->pdata[i]))
      g_ptr_array_add (choice->names, g_strdup (names->pdata[i]));
  return choice->names->len > 0 || throw_unknown (choice->ledger, names->pdata[0], known, error);
}

static gboolean
choose_files (TallyChoice *choice, const char *path, const char *uri, char **ret_uri, GError **error)
{
  g_auto (Meaning) meaning = { .names = g_ptr_array_new_with_free_func (g_free) };
  g_autoptr (GPtrArray) known = NULL;

  if (!read_path (&meaning, path, uri, error))
    return FALSE;
  *ret_uri = g_strdup (uri != NULL ? uri : meaning.ledger);
  g_clear_pointer (&choice->ledger, tally_ledger_close);
  return (choice->ledger = tally_ledger_open (*ret_uri, TALLY_LEDGER_READ, error)) != NULL
         && (known = tally_ledger_list_pipelines (choice->ledger, error)) != NULL
         && keep_known (choice, meaning.names, known, error);
}

/* A name of the ledger is meant before a folder that is called so. */
static gboolean
choose (TallyChoice *choice, const char *word, const char *uri, char **ret_uri, GError **error)
{
  gboolean is_path = strchr (word, '/') != NULL || g_str_has_suffix (word, ".yaml");
  g_autoptr (GPtrArray) known = NULL;
  g_autoptr (GError) failure = NULL;

  if (!is_path && (choice->ledger = tally_ledger_open (uri, TALLY_LEDGER_READ, &failure)) != NULL)
    known = tally_ledger_list_pipelines (choice->ledger, &failure);
  if (is_path || ((known == NULL || !has_name (known, word)) && g_file_test (word, G_FILE_TEST_EXISTS)))
    return choose_files (choice, word, uri, ret_uri, error);
  if (known == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (!has_name (known, word))
    return throw_unknown (choice->ledger, word, known, error);
  g_ptr_array_add (choice->names, g_strdup (word));
  *ret_uri = g_strdup (uri);
  return TRUE;
}

gboolean
tally_choice_open (TallyChoice *choice, const char *word, const char *uri, TallyLedgerFlags flags, TallyExit *ret_how)
{
  g_autofree char *chosen = NULL;
  g_autoptr (GError) error = NULL;

  choice->names = g_ptr_array_new_with_free_func (g_free);
  if (word == NULL)
    g_ptr_array_add (choice->names, NULL);
  else if (!choose (choice, word, uri, &chosen, &error))
    {
      *ret_how = tally_command_fail (error);
      return FALSE;
    }
  if (word == NULL || flags != TALLY_LEDGER_READ)
    {
      g_clear_pointer (&choice->ledger, tally_ledger_close);
      choice->ledger = tally_command_open_ledger (word == NULL ? uri : chosen, flags);
    }
  *ret_how = TALLY_EXIT_FAILED;
  return choice->ledger != NULL;
}

void
tally_choice_clear (TallyChoice *choice)
{
  g_clear_pointer (&choice->names, g_ptr_array_unref);
  g_clear_pointer (&choice->ledger, tally_ledger_close);
}

/* ---- What is listed of them ---- */

gboolean
tally_choice_each_delivery (const TallyChoice *choice, const TallyLedgerFilter *filter, TallyLedgerEach each, gpointer data,
                            GError **error)
{
  TallyLedgerFilter one = *filter;

  for (guint i = 0; i < choice->names->len; i++)
    {
      one.pipeline = choice->names->pdata[i];
      if (!tally_ledger_each_delivery (choice->ledger, &one, each, data, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
tally_choice_each_reject (const TallyChoice *choice, TallyLedgerEachReject each, gpointer data, GError **error)
{
  for (guint i = 0; i < choice->names->len; i++)
    if (!tally_ledger_each_reject (choice->ledger, choice->names->pdata[i], each, data, error))
      return FALSE;
  return TRUE;
}
