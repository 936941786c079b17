/* reconcile.c: tallyman doubt reconcile PIPELINE…: a ledger that has lost commits is refilled from the target */
#include "reconcile.h"
#include "listing.h"
#include "load.h"
#include "record/datetime.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define UNIX_TO_2000 (G_GINT64_CONSTANT (946684800) * G_USEC_PER_SEC)

typedef struct
{
  const TallyReconcileWish *wish;
  const TallyPipeline *pipeline; /* (unowned) the one at work */
} Reconcile;

/* ---- On the way ---- */

/* What is settled without a word of the user is one line for a program; a person reads of what is left. */
static void
show_difference (const TallyDifference *difference, gpointer data)
{
  const Reconcile *self = data;
  g_autofree char *key = tally_listing_clean (difference->key, strlen (difference->key), FALSE);
  g_autofree char *id = tally_listing_clean (difference->target_id, strlen (difference->target_id), FALSE);

  if (self->wish->json)
    {
      g_autoptr (GString) object = tally_listing_object ();

      tally_listing_add_text (object, "pipeline", self->pipeline->name);
      tally_listing_add_text (object, "finding", tally_difference_name (difference->kind));
      tally_listing_add_text (object, "key", difference->key);
      tally_listing_add_text (object, "target_id", difference->target_id);
      tally_listing_add_text (object, "known_id", difference->known_id);
      printf ("%s}\n", object->str);
    }
  else if (difference->kind == TALLY_DIFFERENCE_MISSING)
    printf ("missing: \"%s\" is delivered as %s, says the ledger, and the target does not show it\n", key, id);
  else if (difference->kind == TALLY_DIFFERENCE_DOUBLE && difference->known_id == NULL)
    printf ("double: \"%s\" was discarded, and the target has it as %s\n", key, id);
  else if (difference->kind == TALLY_DIFFERENCE_DOUBLE)
    printf ("double: \"%s\" is in the target as %s, and the ledger keeps %s\n", key, id, difference->known_id);
}

static void
show_note (const char *message, gpointer data)
{
  const Reconcile *self = data;
  g_autofree char *shown = tally_pipeline_redact (self->pipeline, message);

  tally_command_complain ("%s: %s", self->pipeline->file, shown);
}

/* ---- At the end ---- */

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

/* Whose the other records are: other pipelines', or somebody else's (D4). */
static void
show_origins (const TallyReconciled *result)
{
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (result->origins), compare_names);

  printf ("  of other origins: %" G_GUINT64_FORMAT, result->foreign);
  for (GList *link = names; link != NULL; link = link->next)
    {
      const char *name = link->data;
      g_autofree char *clean = tally_listing_clean (name, strlen (name), FALSE);
      const guint64 *count = g_hash_table_lookup (result->origins, name);

      printf ("%s %" G_GUINT64_FORMAT " of \"%s\"", link == names ? ":" : ",", *count, clean);
    }
  putchar ('\n');
}

static void
show_result (const TallyReconciled *result, const TallyPipeline *pipeline)
{
  printf ("%s: reconciled\n"
          "  in the target: %" G_GUINT64_FORMAT " of \"%s\"; known %" G_GUINT64_FORMAT
          ", unknown until now %" G_GUINT64_FORMAT ", were in doubt %" G_GUINT64_FORMAT
          ", were rejected %" G_GUINT64_FORMAT ", doubles %" G_GUINT64_FORMAT "\n"
          "  missing %" G_GUINT64_FORMAT ", still in doubt %" G_GUINT64_FORMAT "\n",
          pipeline->name, result->surveyed, pipeline->origin, result->known, result->unknown,
          result->settled, result->rejected, result->doubles, result->missing, result->in_doubt);
  if (result->foreign > 0)
    show_origins (result);
}

static void
print_result (const TallyReconciled *result, const TallyPipeline *pipeline)
{
  g_autoptr (GString) object = tally_listing_object (), counts = g_string_new (NULL), origins = tally_listing_object ();
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (result->origins), compare_names);

  for (GList *link = names; link != NULL; link = link->next)
    tally_listing_add_number (origins, link->data,
                              *(const gint64 *) g_hash_table_lookup (result->origins, link->data));
  g_string_append_c (origins, '}');
  tally_reconciled_format_json (result, counts);
  tally_listing_add_text (object, "pipeline", pipeline->name);
  tally_listing_add_json (object, "counts", counts->str);
  tally_listing_add_json (object, "origins", origins->str);
  printf ("%s}\n", object->str);
}

static TallyExit
fail (const TallyPipeline *pipeline, const GError *error, TallyExit how)
{
  g_autofree char *shown = tally_pipeline_redact (pipeline, error->message);

  tally_command_complain ("%s: %s", pipeline->file, shown);
  return how;
}

/* ---- The command ---- */

static gboolean
read_since (const char *text, gint64 *ret_since)
{
  g_autoptr (GError) error = NULL;
  gint64 since;

  *ret_since = 0;
  if (text == NULL)
    return TRUE;
  if (!tally_timestamptz_parse ((TallyText){ text, strlen (text) }, &since, &error))
    {
      tally_command_complain ("--since: %s", error->message);
      return FALSE;
    }
  if (since < 0 || since == TALLY_TIMESTAMP_INFINITY)
    {
      tally_command_complain ("--since takes a time from 2000-01-01 on, in UTC: 2026-11-20 10:00");
      return FALSE;
    }
  *ret_since = since + UNIX_TO_2000; /* that is what a timestamp counts from */
  return TRUE;
}

static TallyExit
reconcile_one (Reconcile *self, TallyPipeline *pipeline, const TallyReconcileOptions *options,
               TallyReconciledScopes *done)
{
  g_auto (TallyReconciled) result = { 0 };
  g_autoptr (GError) error = NULL;
  TallyExit how;

  self->pipeline = pipeline;
  how = tally_reconcile (pipeline, options, done, &result, &error);
  if (error != NULL)
    return fail (pipeline, error, how);
  if (self->wish->json)
    print_result (&result, pipeline);
  else
    show_result (&result, pipeline);
  return how;
}

/* Only when all of them are reconciled does the ledger count as it is. */
static TallyExit
accept_all (const GPtrArray *pipelines, const TallyReconcileOptions *options, TallyReconciledScopes *done)
{
  for (guint i = 0; i < pipelines->len; i++)
    {
      const TallyPipeline *pipeline = g_ptr_array_index (pipelines, i);
      g_autoptr (GError) error = NULL;

      if (!tally_reconcile_accept (pipeline, options, done, &error))
        return fail (pipeline, error,
                     g_error_matches (error, TALLY_ERROR, TALLY_ERROR_USAGE) ? TALLY_EXIT_USAGE
                                                                             : TALLY_EXIT_FAILED);
    }
  return TALLY_EXIT_COMPLETE;
}

static TallyExit
reconcile_all (Reconcile *self, const GPtrArray *pipelines, const TallyReconcileOptions *options)
{
  g_autoptr (GHashTable) done = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  TallyExit worst = TALLY_EXIT_COMPLETE, how;

  for (guint i = 0; i < pipelines->len; i++)
    {
      how = reconcile_one (self, g_ptr_array_index (pipelines, i), options, done);
      if (how != TALLY_EXIT_COMPLETE && how != TALLY_EXIT_DOUBT)
        return how;
      worst = MAX (worst, how);
    }
  how = accept_all (pipelines, options, done);
  return how != TALLY_EXIT_COMPLETE ? how : worst;
}

TallyExit
tally_doubt_reconcile (const TallyReconcileWish *wish, char **arguments)
{
  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  g_autofree char *names = g_strjoinv (" ", arguments);
  g_autofree char *command = g_strdup_printf ("tallyman doubt reconcile %s", names);
  g_autoptr (GPtrArray) pipelines = NULL;
  Reconcile self = { .wish = wish };
  TallyReconcileOptions options = { .ledger = wish->ledger,
                                    .unsafe_ledger = wish->unsafe_ledger,
                                    .leave_others = wish->leave_others,
                                    .command = command,
                                    .found = show_difference,
                                    .note = show_note,
                                    .data = &self };

  if (arguments[0] == NULL)
    {
      tally_command_complain ("doubt reconcile takes a pipeline's file, or a folder of them");
      return TALLY_EXIT_USAGE;
    }
  if (!read_since (wish->since, &options.since)
      || (pipelines = tally_command_load_all (arguments, registry)) == NULL)
    return TALLY_EXIT_USAGE;
  return reconcile_all (&self, pipelines, &options);
}
