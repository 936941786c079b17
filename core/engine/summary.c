/* summary.c: what a run says at its end */
#include "engine.h"
#include <string.h>

static const struct
{
  const char *name;
  gsize offset;
  gboolean always; /* shown to a person even when it is 0 */
} fields[] = {
  { "read", G_STRUCT_OFFSET (TallyCounts, read), TRUE },
  { "taken_up", G_STRUCT_OFFSET (TallyCounts, taken_up), FALSE },
  { "added", G_STRUCT_OFFSET (TallyCounts, added), FALSE },
  { "delivered", G_STRUCT_OFFSET (TallyCounts, delivered), TRUE },
  { "updated", G_STRUCT_OFFSET (TallyCounts, updated), FALSE },
  { "adopted", G_STRUCT_OFFSET (TallyCounts, adopted), FALSE },
  { "repeated", G_STRUCT_OFFSET (TallyCounts, repeated), FALSE },
  { "unchanged", G_STRUCT_OFFSET (TallyCounts, unchanged), FALSE },
  { "drifted", G_STRUCT_OFFSET (TallyCounts, drifted), FALSE },
  { "rejected", G_STRUCT_OFFSET (TallyCounts, rejected), TRUE },
  { "in_doubt", G_STRUCT_OFFSET (TallyCounts, in_doubt), TRUE },
  { "filtered", G_STRUCT_OFFSET (TallyCounts, filtered), TRUE },
  { "retries", G_STRUCT_OFFSET (TallyCounts, retries), FALSE },
};

static const char *const words[] = {
  [TALLY_EXIT_COMPLETE] = "complete",
  [TALLY_EXIT_FAILED] = "failed",
  [TALLY_EXIT_USAGE] = "failed",
  [TALLY_EXIT_REJECTS] = "complete, with rejects",
  [TALLY_EXIT_DOUBT] = "complete, with records in doubt",
  [TALLY_EXIT_LEASE] = "failed",
};

static guint64
count (const TallyCounts *counts, guint field)
{
  return G_STRUCT_MEMBER (guint64, counts, fields[field].offset);
}

static const char *
word (const TallySummary *summary)
{
  return summary->exit == TALLY_EXIT_INTERRUPTED ? "interrupted" : words[summary->exit];
}

void
tally_counts_format_json (const TallyCounts *counts, GString *out)
{
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    g_string_append_printf (out, "%c\"%s\":%" G_GUINT64_FORMAT, i == 0 ? '{' : ',', fields[i].name,
                            count (counts, i));
  g_string_append_c (out, '}');
}

static void
append_counts (const TallyCounts *counts, GString *out)
{
  const char *separator = "  ";

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      g_autofree char *name = g_strdelimit (g_strdup (fields[i].name), "_", ' ');

      if (count (counts, i) == 0 && !fields[i].always)
        continue;
      g_string_append_printf (out, "%s%s %" G_GUINT64_FORMAT, separator, name, count (counts, i));
      separator = ", ";
    }
  g_string_append_c (out, '\n');
}

void
tally_summary_format (const TallySummary *summary, const TallyPipeline *pipeline, GString *out)
{
  double seconds = (double) summary->elapsed / G_USEC_PER_SEC;

  g_string_append_printf (out, "%s: %s in %.1f s", pipeline->name, word (summary), seconds);
  if (summary->run != 0)
    g_string_append_printf (out, " (run %" G_GINT64_FORMAT ")", summary->run);
  g_string_append_c (out, '\n');
  append_counts (&summary->counts, out);
  if (summary->rejected_before > 0)
    g_string_append_printf (out, "  rejected before it was resumed: %" G_GUINT64_FORMAT "\n",
                            summary->rejected_before);
  g_string_append_printf (out, "  guarantee: %s\n", summary->guarantee);
}

void
tally_summary_format_json (const TallySummary *summary, const TallyPipeline *pipeline, GString *out)
{
  g_string_append (out, "{\"pipeline\":");
  tally_json_append_string ((TallyText) { pipeline->name, strlen (pipeline->name) }, out);
  g_string_append_printf (out, ",\"run\":%" G_GINT64_FORMAT ",\"exit\":%d,\"outcome\":\"%s\"",
                          summary->run, summary->exit, word (summary));
  g_string_append_printf (out, ",\"seconds\":%.3f,\"counts\":", (double) summary->elapsed / G_USEC_PER_SEC);
  tally_counts_format_json (&summary->counts, out);
  g_string_append_printf (out, ",\"rejected_before\":%" G_GUINT64_FORMAT, summary->rejected_before);
  g_string_append_printf (out, ",\"guarantee\":\"%s\",\"error\":", summary->guarantee);
  if (summary->error == NULL)
    g_string_append (out, "null");
  else
    tally_json_append_string ((TallyText) { summary->error->message, strlen (summary->error->message) }, out);
  g_string_append (out, "}\n");
}
