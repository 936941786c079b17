/* editor-schema.c: the option tables once more, as a JSON Schema that editors complete and check
 * YAML with */
#include "inspect.h"
#include "plugin/descriptor.h"
#include "plugin/option.h"
#include "pipeline/pipeline.h"
#include "transform/lookup.h"
#include <string.h>

/* Anything may also be a text, because a reference such as ${PORT} is one. */
static const char *const option_types[] = {
  [TALLY_OPTION_TEXT] = "[\"string\",\"number\",\"boolean\"]",
  [TALLY_OPTION_INT] = "[\"integer\",\"string\"]",
  [TALLY_OPTION_SIZE] = "[\"integer\",\"string\"]",
  [TALLY_OPTION_DURATION] = "\"string\"",
  [TALLY_OPTION_BOOL] = "[\"boolean\",\"string\"]",
  [TALLY_OPTION_CHOICE] = "\"string\"",
  [TALLY_OPTION_LIST] = "[\"array\",\"string\",\"number\"]",
  [TALLY_OPTION_SECRET] = "\"string\"",
  [TALLY_OPTION_EXPRESSION] = "[\"string\",\"number\"]",
};

static const char *const step_types[]
    = { [TALLY_STEP_SCALAR] = "[\"string\",\"number\",\"boolean\"]",
        [TALLY_STEP_LIST] = "[\"array\",\"string\"]",
        [TALLY_STEP_MAP] = "\"object\"",
        [TALLY_STEP_LOOKUP] = "\"object\"" };

static void
append_option (const TallyOption *option, GString *out)
{
  tally_json_append_string ((TallyText) { option->name, strlen (option->name) }, out);
  g_string_append_printf (out, ":{\"type\":%s,", option_types[option->type]);
  tally_inspect_append_member ("description", option->summary, out);
  if (option->fallback != NULL)
    {
      g_string_append_c (out, ',');
      tally_inspect_append_member ("default", option->fallback, out);
    }
  for (guint i = 0; option->type == TALLY_OPTION_CHOICE && option->choices[i] != NULL; i++)
    {
      g_string_append (out, i == 0 ? ",\"examples\":[" : ",");
      tally_json_append_string ((TallyText) { option->choices[i], strlen (option->choices[i]) },
                                out);
      if (option->choices[i + 1] == NULL)
        g_string_append_c (out, ']');
    }
  g_string_append_c (out, '}');
}

static void
append_plugin (const TallyPlugin *plugin, GString *out)
{
  guint n_own = tally_option_count (plugin->options);
  guint n_core = plugin->delivery != NULL ? tally_option_count (tally_delivery_options) : 0;
  g_autoptr (GString) required = g_string_new (NULL);

  g_string_append (out, "{\"type\":[\"object\",\"null\"],");
  tally_inspect_append_member ("description", plugin->summary, out);
  g_string_append (out, ",\"additionalProperties\":false,\"properties\":{");
  for (guint i = 0; i < n_own + n_core; i++)
    {
      const TallyOption *option
          = i < n_own ? &plugin->options[i] : &tally_delivery_options[i - n_own];

      if (i > 0)
        g_string_append_c (out, ',');
      append_option (option, out);
      if ((option->flags & TALLY_OPTION_REQUIRED) != 0)
        g_string_append_printf (required, "%s\"%s\"", required->len > 0 ? "," : "", option->name);
    }
  g_string_append_c (out, '}');
  if (required->len > 0)
    g_string_append_printf (out, ",\"required\":[%s]", required->str);
  g_string_append_c (out, '}');
}

static void
append_plugins (const GPtrArray *plugins, TallyKind kind, GString *out)
{
  gboolean first = TRUE;

  g_string_append (out, "{\"type\":[\"object\",\"string\"],\"minProperties\":1,\"maxProperties\":1,"
                        "\"additionalProperties\":false,\"properties\":{");
  for (guint i = 0; i < plugins->len; i++)
    {
      const TallyPlugin *plugin = plugins->pdata[i];

      if (plugin->kind != kind)
        continue;
      if (!first)
        g_string_append_c (out, ',');
      first = FALSE;
      tally_json_append_string ((TallyText) { plugin->name, strlen (plugin->name) }, out);
      g_string_append_c (out, ':');
      append_plugin (plugin, out);
    }
  g_string_append (out, "}}");
}

/* A key of a lookup.  What stands beside a reference does not count, so it is wrapped. */
static void
append_lookup_key (const TallyLookupKeyInfo *key, GString *out)
{
  g_string_append_printf (out, "\"%s\":{", key->name);
  tally_inspect_append_member ("description", key->summary, out);
  if (g_str_equal (key->name, "from"))
    g_string_append (out, ",\"allOf\":[{\"$ref\":\"#/definitions/source\"}]");
  else if (g_str_equal (key->name, "transform"))
    g_string_append (out, ",\"allOf\":[{\"$ref\":\"#/definitions/steps-of-a-lookup\"}]");
  g_string_append_c (out, '}');
}

static void
append_lookup (GString *out)
{
  g_autoptr (GString) required = g_string_new (NULL);
  const TallyLookupKeyInfo *key;

  g_string_append (out, ",\"additionalProperties\":false,\"properties\":{");
  for (guint i = 0; (key = tally_pipeline_lookup_key (i)) != NULL; i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      append_lookup_key (key, out);
      if (key->required)
        g_string_append_printf (required, "%s\"%s\"", required->len > 0 ? "," : "", key->name);
    }
  for (const TallyOption *option = tally_lookup_options; option->name != NULL; option++)
    {
      g_string_append_c (out, ',');
      append_option (option, out);
    }
  g_string_append_printf (out, "},\"required\":[%s]", required->str);
}

static void
append_step_definitions (const GPtrArray *plugins, GString *out)
{
  for (const TallyStepKind *const *step = tally_step_kinds (); *step != NULL; step++)
    {
      g_string_append_printf (out, ",\n\"step-%s\":{\"type\":%s,", (*step)->name,
                              step_types[(*step)->form]);
      tally_inspect_append_member ("description", (*step)->summary, out);
      if ((*step)->form == TALLY_STEP_LOOKUP)
        append_lookup (out);
      g_string_append_c (out, '}');
    }
  for (guint i = 0; i < plugins->len; i++)
    {
      const TallyPlugin *plugin = plugins->pdata[i];

      if (plugin->kind != TALLY_TRANSFORM)
        continue;
      g_string_append_printf (out, ",\n\"step-%s\":", plugin->name);
      append_plugin (plugin, out);
    }
}

static void
append_step (gboolean *first, const char *name, GString *out)
{
  g_string_append_printf (out, "%s\"%s\":{\"$ref\":\"#/definitions/step-%s\"}",
                          *first ? "" : ",", name, name);
  *first = FALSE;
}

/* A list of steps; there is no lookup among a lookup's own. */
static void
append_steps (const GPtrArray *plugins, gboolean with_lookup, GString *out)
{
  gboolean first = TRUE;

  g_string_append (
      out,
      "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"minProperties\":1,\"maxProperties\":1,"
      "\"additionalProperties\":false,\"properties\":{");
  for (const TallyStepKind *const *step = tally_step_kinds (); *step != NULL; step++)
    if (with_lookup || (*step)->form != TALLY_STEP_LOOKUP)
      append_step (&first, (*step)->name, out);
  for (guint i = 0; i < plugins->len; i++)
    {
      const TallyPlugin *plugin = plugins->pdata[i];

      if (plugin->kind == TALLY_TRANSFORM)
        append_step (&first, plugin->name, out);
    }
  g_string_append (out, "}}}");
}

/* What is used in more than one place: a source, a step, the steps of a lookup. */
static void
append_definitions (const GPtrArray *plugins, GString *out)
{
  g_string_append (out, ",\n\"definitions\":{\n\"source\":");
  append_plugins (plugins, TALLY_SOURCE, out);
  append_step_definitions (plugins, out);
  g_string_append (out, ",\n\"steps-of-a-lookup\":");
  append_steps (plugins, /* with_lookup= */ FALSE, out);
  g_string_append (out, "}");
}

void
tally_inspect_append_editor_schema (const GPtrArray *plugins, GString *out)
{
  g_string_append (
      out,
      "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"title\":\"A pipeline of Tallyman\","
      "\"type\":\"object\",\"additionalProperties\":false,"
      "\"required\":[\"pipeline\",\"source\",\"sink\"],\"properties\":{\n"
      "\"pipeline\":{\"type\":\"string\",\"description\":\"The name that the ledger knows it by\"},\n"
      "\"description\":{\"type\":\"string\"},\n"
      "\"origin\":{\"type\":\"string\",\"description\":\"The system whose ids the keys are\"},\n"
      "\"after\":{\"type\":[\"array\",\"string\"],\"items\":{\"type\":\"string\"}},\n"
      "\"source\":{\"$ref\":\"#/definitions/source\"},\n\"transform\":");
  append_steps (plugins, /* with_lookup= */ TRUE, out);
  g_string_append (out, ",\n\"sink\":");
  append_plugins (plugins, TALLY_SINK, out);
  g_string_append (
      out,
      ",\n\"references\":{\"type\":\"string\",\"description\":\"The CSV file of ids that ref() finds where the ledger has "
      "none\"},\n"
      "\"errors\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
      "\"limit\":{\"type\":[\"integer\",\"string\"],\"description\":\"Most rejects: a number, or a share "
      "such as 1%\"},\"rejects\":{\"type\":\"string\",\"description\":\"The file that rejects go to\"}}},\n"
      "\"ledger\":{\"type\":\"string\"},\n"
      "\"tests\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"additionalProperties\":false,"
      "\"required\":[\"name\",\"given\",\"expect\"],\"properties\":{\"name\":{\"type\":\"string\"},"
      "\"refs\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"object\"},\"description\":"
      "\"What ref() finds: ids by entity and key\"},"
      "\"given\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"
      "\"lookup\":{\"type\":\"array\",\"items\":{\"type\":[\"object\",\"array\"]}},"
      "\"expect\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}}}}}}");
  append_definitions (plugins, out);
  g_string_append (out, "}\n");
}
