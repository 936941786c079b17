/* status.c: tallyman status [PIPELINE]: the runs, and what they left */
#include "choice.h"
#include <json-c/json.h>
#include <stdio.h>

/* "read 10, delivered 9": what is not nought of an object of numbers. (transfer full) */
static char *
format_counts (const char *counts)
{
  json_object *object = counts != NULL ? json_tokener_parse (counts) : NULL;
  GString *text = g_string_new (NULL);

  if (json_object_is_type (object, json_type_object))
    {
      json_object_object_foreach (object, name, value)
      {
        if (json_object_get_int64 (value) != 0)
          g_string_append_printf (text, "%s%s %s", text->len > 0 ? ", " : "", name,
                                  json_object_get_string (value));
      }
    }
  json_object_put (object);
  g_strdelimit (text->str, "_", ' ');
  return g_string_free (text, FALSE);
}

static char *
format_span (const TallyLedgerRun *run)
{
  gint64 seconds = (run->ended_at - run->started_at) / G_USEC_PER_SEC;

  if (run->ended_at == 0)
    return NULL;
  if (seconds >= 3600)
    return g_strdup_printf ("%dh %02dm", (int)(seconds / 3600), (int)(seconds / 60 % 60));
  if (seconds >= 60)
    return g_strdup_printf ("%dm %02ds", (int)(seconds / 60), (int)(seconds % 60));
  return g_strdup_printf ("%.1fs", (double)(run->ended_at - run->started_at) / G_USEC_PER_SEC);
}

static void
list_run (TallyListing *listing, const TallyLedgerRun *run)
{
  g_autofree char *counts = format_counts (run->counts);
  g_autofree char *span = format_span (run);
  GString *object = tally_listing_row_object (listing);

  tally_listing_number (listing, "run", run->id);
  tally_listing_text (listing, "pipeline", run->pipeline);
  tally_listing_time (listing, "started_at", run->started_at);
  tally_listing_plain (listing, "took", span);
  tally_listing_plain (listing, "outcome", run->outcome != NULL ? run->outcome : "at work");
  tally_listing_plain (listing, "counts", counts);
  if (object != NULL)
    {
      tally_listing_add_time (object, "ended_at", run->ended_at);
      tally_listing_add_text (object, "outcome", run->outcome);
      tally_listing_add_json (object, "counts", run->counts);
      tally_listing_add_text (object, "target", run->target);
      tally_listing_add_text (object, "holder", run->holder);
      tally_listing_add_text (object, "version", run->version);
    }
  tally_listing_end_row (listing);
}

static gboolean
list_runs (const TallyChoice *choice, guint limit, gboolean json, GError **error)
{
  g_autoptr (TallyListing) listing = tally_listing_new (json);

  for (guint i = 0; i < choice->names->len; i++)
    {
      g_autoptr (GPtrArray) runs = tally_ledger_list_runs (choice->ledger, choice->names->pdata[i], limit, error);

      if (runs == NULL)
        return FALSE;
      for (guint j = 0; j < runs->len; j++)
        list_run (listing, g_ptr_array_index (runs, j));
    }
  return TRUE;
}

static gboolean
show_totals (const TallyChoice *choice, gboolean json, GError **error)
{
  TallyLedgerTotals totals = { 0 }, one;

  for (guint i = 0; i < choice->names->len; i++)
    {
      if (!tally_ledger_total (choice->ledger, choice->names->pdata[i], &one, error))
        return FALSE;
      totals.delivered += one.delivered;
      totals.unsettled += one.unsettled;
      totals.rejected += one.rejected;
      totals.discarded += one.discarded;
      totals.rejects += one.rejects;
    }
  printf (json ? "{\"delivered\": %" G_GUINT64_FORMAT ", \"unsettled\": %" G_GUINT64_FORMAT
                 ", \"rejected\": %" G_GUINT64_FORMAT ", \"discarded\": %" G_GUINT64_FORMAT
                 ", \"rejects\": %" G_GUINT64_FORMAT "}\n"
               : "\nIn the ledger: %" G_GUINT64_FORMAT " delivered, %" G_GUINT64_FORMAT
                 " unsettled, %" G_GUINT64_FORMAT " rejected by the target, %" G_GUINT64_FORMAT
                 " discarded, %" G_GUINT64_FORMAT " rejected on the way\n",
          totals.delivered, totals.unsettled, totals.rejected, totals.discarded, totals.rejects);
  return TRUE;
}

static int
status_main (int argc, char **argv)
{
  g_autofree char *uri = NULL;
  gboolean json = FALSE;
  int limit = 10;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &json,
      "A line of JSON for each run, then one with the totals", NULL },
    { "ledger", 0, 0, G_OPTION_ARG_STRING, &uri,
      TALLY_CHOICE_LEDGER, "URI" },
    { "runs", 'n', 0, G_OPTION_ARG_INT, &limit, "Most runs to list, of each pipeline that is named, the newest first (10)", "N" },
    { NULL },
  };
  g_auto (TallyChoice) choice = { 0 };
  g_autoptr (GError) error = NULL;
  TallyExit how;

  if (!tally_command_parse (&tally_command_status, entries, &argc, &argv))
    return TALLY_EXIT_USAGE;
  if (argc > 2 || limit < 1)
    {
      tally_command_complain ("status takes one pipeline, and at least one run");
      return TALLY_EXIT_USAGE;
    }
  if (!tally_choice_open (&choice, argc == 2 ? argv[1] : NULL, uri, TALLY_LEDGER_READ, &how))
    return how;
  if (!list_runs (&choice, limit, json, &error) || !show_totals (&choice, json, &error))
    return tally_command_fail (error);
  return TALLY_EXIT_COMPLETE;
}

const TallyCommand tally_command_status = {
  .name = "status",
  .arguments = "[PIPELINE]",
  .summary = "list runs, and count what is unsettled or rejected",
  .main = status_main,
};
