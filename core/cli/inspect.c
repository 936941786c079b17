/* inspect.c: tallyman inspect [PLUGIN]: what a plugin is, takes and gives, from its own tables */
#include "inspect.h"
#include "command.h"
#include "engine/engine.h"
#include "plugin/descriptor.h"
#include "plugin/option.h"
#include "record/nearest.h"
#include "transform/lookup.h"
#include <stdio.h>
#include <string.h>

static const struct
{
  guint flag;
  const char *word, *meaning;
} flags[] = {
  { TALLY_PLUGIN_LOCAL, "local", "its columns are known without a network, and check looks at them" },
  { TALLY_PLUGIN_KEEPS_POSITION, "keeps-position", "the next run reads only what is new" },
  { TALLY_PLUGIN_WHOLE, "whole", "its output appears as a whole, or not at all" },
  { TALLY_PLUGIN_KEEPS_STATE, "keeps-state", "a run with it is never gone on with in the middle" },
  { TALLY_PLUGIN_RECORDS_MOVE, "records-move", "its records may lie elsewhere by the next run" },
};

static const char *const form_names[] = {
  [TALLY_STEP_SCALAR] = "one value", [TALLY_STEP_LIST] = "a list", [TALLY_STEP_LOOKUP] = "a map", [TALLY_STEP_MAP] = "a map"
};

/* ---- As text ---- */

static void
append_number (const char *label, const TallyOption *option, gint64 number, GString *out)
{
  g_string_append (out, label);
  tally_option_append_number (option, number, out);
}

static void
append_option (const TallyOption *option, GString *out)
{
  g_string_append_printf (out, "    %s: %s (%s%s)\n", option->name, option->summary,
                          tally_option_type_name (option->type),
                          option->flags & TALLY_OPTION_REQUIRED ? ", required" : "");
  if (option->type == TALLY_OPTION_CHOICE)
    {
      g_autofree char *choices = g_strjoinv (", ", (char **) option->choices);

      g_string_append_printf (out, "        one of: %s\n", choices);
    }
  if (tally_option_has_bounds (option))
    {
      append_number (option->max == G_MAXINT64 ? "        at least: " : "        from ", option,
                     option->min, out);
      if (option->max != G_MAXINT64)
        append_number (" to ", option, option->max, out);
      g_string_append_c (out, '\n');
    }
  if (option->fallback != NULL)
    g_string_append_printf (out, "        default: %s\n",
                            *option->fallback != '\0' ? option->fallback : "\"\"");
  if (option->example != NULL)
    g_string_append_printf (out, "        example: %s: %s\n", option->name, option->example);
}

static void
append_options (const char *title, const TallyOption *options, GString *out)
{
  if (tally_option_count (options) == 0)
    return;

  g_string_append_printf (out, "  %s:\n", title);
  for (guint i = 0; i < tally_option_count (options); i++)
    append_option (&options[i], out);
}

static void
append_plugin (TallyRegistry *registry, const TallyPlugin *plugin, GString *out)
{
  g_string_append_printf (out, "%s %s: %s\n", tally_kind_name (plugin->kind), plugin->name,
                          plugin->summary);
  g_string_append_printf (out, "  file: %s\n", tally_registry_path (registry, plugin));
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    if ((plugin->flags & flags[i].flag) != 0)
      g_string_append_printf (out, "  %s: %s\n", flags[i].word, flags[i].meaning);
  if (plugin->delivery != NULL)
    g_string_append (out, "  delivers: each record is created once, with the ledger around it\n");
  append_options ("options", plugin->options, out);
  if (plugin->delivery != NULL)
    append_options ("options of every sink that delivers", tally_delivery_options, out);
}

/* What a lookup takes is more than arguments. */
static void
append_lookup (GString *out)
{
  const TallyLookupKeyInfo *key;

  g_string_append (out, "  keys:\n");
  for (guint i = 0; (key = tally_pipeline_lookup_key (i)) != NULL; i++)
    g_string_append_printf (out, "    %s (%s%s)\n      %s, for example %s: %s\n", key->name, key->takes,
                            key->required ? ", required" : "", key->summary, key->name, key->example);
  append_options ("options", tally_lookup_options, out);
}

static void
append_step (const TallyStepKind *kind, GString *out)
{
  g_string_append_printf (out, "step %s: %s\n  takes: %s\n", kind->name, kind->summary,
                          form_names[kind->form]);
  if (kind->form == TALLY_STEP_LOOKUP)
    append_lookup (out);
}

static void
append_list (const GPtrArray *plugins, GString *out)
{
  for (TallyKind kind = TALLY_SOURCE; kind <= TALLY_SINK; kind++)
    {
      gboolean first = TRUE;

      for (guint i = 0; i < plugins->len; i++)
        {
          const TallyPlugin *plugin = plugins->pdata[i];

          if (plugin->kind != kind)
            continue;
          if (first)
            g_string_append_printf (out, "%ss:\n", tally_kind_name (kind));
          first = FALSE;
          g_string_append_printf (out, "  %-18s %s\n", plugin->name, plugin->summary);
        }
    }
  g_string_append (out, "steps:\n");
  for (const TallyStepKind *const *step = tally_step_kinds (); *step != NULL; step++)
    g_string_append_printf (out, "  %-18s %s\n", (*step)->name, (*step)->summary);
}

/* ---- As JSON ---- */

void
tally_inspect_append_member (const char *name, const char *value, GString *out)
{
  g_string_append_printf (out, "\"%s\":", name);
  if (value == NULL)
    g_string_append (out, "null");
  else
    tally_json_append_string ((TallyText) { .data = value, .length = strlen (value) }, out);
}

static void
append_option_json (const TallyOption *option, gboolean of_core, GString *out)
{
  g_string_append_c (out, '{');
  tally_inspect_append_member ("name", option->name, out);
  g_string_append_c (out, ',');
  tally_inspect_append_member ("type", tally_option_type_name (option->type), out);
  g_string_append_printf (out, ",\"required\":%s,\"path\":%s,\"of_core\":%s,",
                          option->flags & TALLY_OPTION_REQUIRED ? "true" : "false",
                          option->flags & TALLY_OPTION_PATH ? "true" : "false",
                          of_core ? "true" : "false");
  tally_inspect_append_member ("default", option->fallback, out);
  if (tally_option_has_bounds (option))
    g_string_append_printf (out, ",\"min\":%" G_GINT64_FORMAT ",\"max\":%" G_GINT64_FORMAT,
                            option->min, option->max);
  for (guint i = 0; option->type == TALLY_OPTION_CHOICE && option->choices[i] != NULL; i++)
    {
      g_string_append (out, i == 0 ? ",\"choices\":[" : ",");
      tally_json_append_string ((TallyText) { option->choices[i], strlen (option->choices[i]) },
                                out);
      if (option->choices[i + 1] == NULL)
        g_string_append_c (out, ']');
    }
  g_string_append_c (out, ',');
  tally_inspect_append_member ("summary", option->summary, out);
  g_string_append_c (out, ',');
  tally_inspect_append_member ("example", option->example, out);
  g_string_append_c (out, '}');
}

static void
append_plugin_json (TallyRegistry *registry, const TallyPlugin *plugin, GString *out)
{
  guint n_own = tally_option_count (plugin->options);
  guint n_core = plugin->delivery != NULL ? tally_option_count (tally_delivery_options) : 0;
  gboolean first = TRUE;

  g_string_append_c (out, '{');
  tally_inspect_append_member ("kind", tally_kind_name (plugin->kind), out);
  g_string_append_c (out, ',');
  tally_inspect_append_member ("name", plugin->name, out);
  g_string_append_c (out, ',');
  tally_inspect_append_member ("summary", plugin->summary, out);
  g_string_append_c (out, ',');
  tally_inspect_append_member ("file", tally_registry_path (registry, plugin), out);
  g_string_append_printf (out, ",\"delivers\":%s,\"flags\":[",
                          plugin->delivery != NULL ? "true" : "false");
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    if ((plugin->flags & flags[i].flag) != 0)
      {
        g_string_append_printf (out, "%s\"%s\"", first ? "" : ",", flags[i].word);
        first = FALSE;
      }
  g_string_append (out, "],\"options\":[");
  for (guint i = 0; i < n_own + n_core; i++)
    {
      g_string_append (out, i > 0 ? ",\n    " : "\n    ");
      append_option_json (i < n_own ? &plugin->options[i] : &tally_delivery_options[i - n_own],
                          i >= n_own, out);
    }
  g_string_append (out, "]}");
}

static void
append_lookup_json (GString *out)
{
  const TallyLookupKeyInfo *key;

  g_string_append (out, ",\"keys\":[");
  for (guint i = 0; (key = tally_pipeline_lookup_key (i)) != NULL; i++)
    {
      g_string_append (out, i > 0 ? ",{" : "{");
      tally_inspect_append_member ("name", key->name, out);
      g_string_append_c (out, ',');
      tally_inspect_append_member ("takes", key->takes, out);
      g_string_append_printf (out, ",\"required\":%s,", key->required ? "true" : "false");
      tally_inspect_append_member ("summary", key->summary, out);
      g_string_append_c (out, ',');
      tally_inspect_append_member ("example", key->example, out);
      g_string_append_c (out, '}');
    }
  g_string_append (out, "],\"options\":[");
  for (guint i = 0; i < tally_option_count (tally_lookup_options); i++)
    {
      g_string_append (out, i > 0 ? ",\n    " : "\n    ");
      append_option_json (&tally_lookup_options[i], /* of_core= */ FALSE, out);
    }
  g_string_append_c (out, ']');
}

static void
append_step_json (const TallyStepKind *kind, GString *out)
{
  g_string_append (out, "{\"kind\":\"step\",");
  tally_inspect_append_member ("name", kind->name, out);
  g_string_append_c (out, ',');
  tally_inspect_append_member ("summary", kind->summary, out);
  g_string_append_c (out, ',');
  tally_inspect_append_member ("takes", form_names[kind->form], out);
  if (kind->form == TALLY_STEP_LOOKUP)
    append_lookup_json (out);
  g_string_append_c (out, '}');
}

/* ---- Which ones ---- */

/* Describes what is named, or everything, in full.  The number of things described. */
static guint
describe (TallyRegistry *registry, const GPtrArray *plugins, const char *name, gboolean json,
          GString *out)
{
  guint n = 0;

  for (guint i = 0; i < plugins->len; i++)
    {
      const TallyPlugin *plugin = plugins->pdata[i];

      if (name != NULL && strcmp (plugin->name, name) != 0)
        continue;
      g_string_append (out, n == 0 ? json ? "[\n  " : "" : json ? ",\n  " : "\n");
      n++;
      if (json)
        append_plugin_json (registry, plugin, out);
      else
        append_plugin (registry, plugin, out);
    }
  for (const TallyStepKind *const *step = tally_step_kinds (); *step != NULL; step++)
    {
      if (name != NULL && strcmp ((*step)->name, name) != 0)
        continue;
      g_string_append (out, n == 0 ? json ? "[\n  " : "" : json ? ",\n  " : "\n");
      n++;
      if (json)
        append_step_json (*step, out);
      else
        append_step (*step, out);
    }
  if (json && n > 0)
    g_string_append (out, "\n]\n");
  return n;
}

static int
complain_of_name (const GPtrArray *plugins, const char *name)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *nearest;

  for (guint i = 0; i < plugins->len; i++)
    g_ptr_array_add (names, (gpointer) ((const TallyPlugin *) plugins->pdata[i])->name);
  for (const TallyStepKind *const *step = tally_step_kinds (); *step != NULL; step++)
    g_ptr_array_add (names, (gpointer) (*step)->name);
  nearest = tally_nearest (name, (const char *const *) names->pdata, names->len);
  tally_command_complain ("there is no plugin or step \"%s\"%s%s%s", name,
                          nearest != NULL ? "; did you mean \"" : "",
                          nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
  return TALLY_EXIT_USAGE;
}

static int
inspect_main (int argc, char **argv)
{
  gboolean json = FALSE, schema = FALSE;
  g_auto (GStrv) rest = NULL;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print a JSON array, all in full", NULL },
    { "schema", 0, 0, G_OPTION_ARG_NONE, &schema, "Print a JSON Schema of pipelines, for editors",
      NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GPtrArray) plugins = NULL, warnings = NULL;

  if (!tally_command_parse (&tally_command_inspect, entries, &argc, &argv))
    return TALLY_EXIT_USAGE;
  if (rest != NULL && rest[1] != NULL)
    {
      tally_command_complain ("inspect describes one plugin at a time");
      return TALLY_EXIT_USAGE;
    }

  g_autoptr (TallyRegistry) registry = tally_registry_new ();
  plugins = tally_registry_list (registry, &warnings);
  for (guint i = 0; i < warnings->len; i++)
    tally_command_warn ("%s", (const char *) warnings->pdata[i]);

  if (schema)
    tally_inspect_append_editor_schema (plugins, text);
  else if (rest == NULL && !json)
    append_list (plugins, text);
  else if (describe (registry, plugins, rest != NULL ? *rest : NULL, json, text) == 0)
    return complain_of_name (plugins, *rest);
  fputs (text->str, stdout);
  return TALLY_EXIT_COMPLETE;
}

const TallyCommand tally_command_inspect = {
  .name = "inspect",
  .arguments = "[PLUGIN]",
  .summary = "list plugins and steps, or describe one",
  .main = inspect_main,
};
