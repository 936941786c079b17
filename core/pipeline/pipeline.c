/* pipeline.c: a file becomes a pipeline, and everything that is wrong with it is said at once */
#include "reader.h"
#include "record/nearest.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <tallyman/error.h>
#include <unistd.h>

#define MAX_AFTER 1000
#define MAX_NAME 100

typedef struct
{
  const char *name;
  gboolean required;
  void (*read) (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node);
} Key;

/* ---- The keys of a pipeline ---- */

static gboolean
is_pipeline_name (const char *name)
{
  gsize length = strlen (name);

  if (length == 0 || length > MAX_NAME || !g_ascii_isalnum (*name))
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (name[i]) && strchr ("-_.", name[i]) == NULL)
      return FALSE;
  return TRUE;
}

/* A text as it is written: these keys name things, so that they must not depend on the environment.
 */
static char *
dup_plain (TallyPipeline *pipeline, const TallyYamlNode *node)
{
  if (node->kind == TALLY_YAML_SCALAR && !tally_yaml_is_empty (node))
    return g_strdup (node->text);

  g_autofree char *message
      = g_strdup_printf ("\"%s\" takes a text", node->key != NULL ? node->key->text : "item");
  tally_pipeline_report_node (pipeline, node, message, NULL);
  return NULL;
}

static void
read_name (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node)
{
  g_autofree char *name = dup_plain (pipeline, node);

  if (name == NULL)
    return;
  if (!is_pipeline_name (name))
    tally_pipeline_report_node (
        pipeline, node, "a pipeline's name is made of letters, digits, \"-\", \"_\" and \".\"",
        "the ledger knows the pipeline by it");
  else if (pipeline->name == NULL)
    pipeline->name = g_steal_pointer (&name);
}

static void
read_description (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node)
{
  g_free (pipeline->description);
  pipeline->description = dup_plain (pipeline, node);
}

static void
read_origin (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node)
{
  g_autofree char *origin = dup_plain (pipeline, node);

  if (origin == NULL)
    return;
  /* References are origin:key, and two of them must not be the same for different keys. */
  if (strchr (origin, ':') != NULL || strlen (origin) > MAX_NAME)
    tally_pipeline_report_node (pipeline, node, "an origin has no \":\" and at most 100 bytes",
                                NULL);
  else if (pipeline->origin == NULL)
    pipeline->origin = g_steal_pointer (&origin);
}

static void
read_after (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  guint n = node->kind == TALLY_YAML_LIST ? node->items->len : 1;

  if (node->kind == TALLY_YAML_MAP || n > MAX_AFTER)
    {
      tally_pipeline_report_node (pipeline, node, "\"after\" takes a list of pipelines' names",
                                  NULL);
      return;
    }
  for (guint i = 0; i < n; i++)
    {
      char *name
          = dup_plain (pipeline, node->kind == TALLY_YAML_LIST ? node->items->pdata[i] : node);

      if (name != NULL)
        g_ptr_array_add (names, name);
    }
  g_ptr_array_add (names, NULL);
  g_strfreev (pipeline->after);
  pipeline->after = (char **) g_ptr_array_steal (names, NULL);
}

static void
read_source (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node)
{
  tally_pipeline_read_plugin (pipeline, registry, TALLY_SOURCE, node);
}

static void
read_sink (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node)
{
  tally_pipeline_read_plugin (pipeline, registry, TALLY_SINK, node);
}

static void
read_transform (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node)
{
  tally_pipeline_read_steps (pipeline, registry, node, pipeline->reader->steps);
}

static void
read_ledger (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node)
{
  g_free (pipeline->ledger);
  pipeline->ledger = tally_pipeline_dup_scalar (pipeline, node);
}

/* (transfer full) (nullable) the way out where there is no file. */
static char *
reference_hint (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS)
             ? NULL
             : g_strdup ("\"tallyman plan --references FILE\" drafts it, before this line is there; or begin it with the line "
                         "entity,origin,key,uses,id");
}

static void
read_references (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node)
{
  g_autofree char *name = tally_pipeline_dup_scalar (pipeline, node), *path = NULL, *hint = NULL;
  g_autoptr (GError) error = NULL;

  if (name == NULL)
    return;

  path = g_canonicalize_filename (name, pipeline->directory);
  g_clear_pointer (&pipeline->references, tally_reference_file_free);
  pipeline->references = tally_reference_file_read (path, registry, &error);
  if (pipeline->references != NULL)
    return;
  hint = reference_hint (path);
  tally_pipeline_report_node (pipeline, node, error->message, hint);
}

static void
read_tests (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node)
{
  tally_pipeline_read_tests (pipeline, node);
}

/* ---- errors: ---- */

/* `100`, or a share of the records read: `1%`, `0.5 %` */
static gboolean
parse_limit (const char *text, TallyPipeline *pipeline)
{
  gint64 count;
  double share;
  char *end;

  if (!g_ascii_isdigit (*text))
    return FALSE;
  errno = 0;
  count = g_ascii_strtoll (text, &end, 10);
  if (*end == '\0' && errno == 0)
    {
      pipeline->reject_limit = count;
      return TRUE;
    }

  share = g_ascii_strtod (text, &end);
  while (*end == ' ')
    end++;
  if (strcmp (end, "%") != 0 || !isfinite (share) || share > 100)
    return FALSE;
  pipeline->reject_percent = share;
  return TRUE;
}

static void
read_reject_limit (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node)
{
  g_autofree char *text = tally_pipeline_dup_scalar (pipeline, node);

  if (text == NULL || parse_limit (text, pipeline))
    return;

  g_autofree char *message = g_strdup_printf (
      "\"limit\" takes a number or a share of the records, not \"%s\"", node->text);
  tally_pipeline_report_node (pipeline, node, message, "for example 100, or 1%");
}

static void
read_rejects_path (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node)
{
  g_autofree char *path = tally_pipeline_dup_scalar (pipeline, node);

  if (path == NULL)
    return;

  g_free (pipeline->rejects_path);
  pipeline->rejects_path = g_canonicalize_filename (path, pipeline->directory);
}

static const Key error_keys[] = {
  { "limit", FALSE, read_reject_limit },
  { "rejects", FALSE, read_rejects_path },
  { NULL },
};

static void read_keys (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node,
                       const char *what, const Key *keys);

static void
read_errors (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node)
{
  read_keys (pipeline, registry, node, "\"errors\"", error_keys);
}

static const Key pipeline_keys[] = {
  { "pipeline", TRUE, read_name },
  { "description", FALSE, read_description },
  { "origin", FALSE, read_origin },
  { "after", FALSE, read_after },
  { "source", TRUE, read_source },
  { "transform", FALSE, read_transform },
  { "sink", TRUE, read_sink },
  { "references", FALSE, read_references },
  { "errors", FALSE, read_errors },
  { "ledger", FALSE, read_ledger },
  { "tests", FALSE, read_tests },
  { NULL },
};

/* ---- Any map of known keys ---- */

static void
report_unknown_key (TallyPipeline *pipeline, const TallyYamlNode *key, const char *what,
                    const Key *keys)
{
  g_autofree char *message = g_strdup_printf ("%s has no key \"%s\"", what, key->text);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *hint = NULL;

  for (const Key *known = keys; known->name != NULL; known++)
    g_ptr_array_add (names, (gpointer) known->name);
  hint = tally_pipeline_name_hint (
      "its keys are", (const char *const *) names->pdata, names->len,
      tally_nearest (key->text, (const char *const *) names->pdata, names->len));
  tally_pipeline_report_node (pipeline, key, message, hint);
}

static void
read_keys (TallyPipeline *pipeline, TallyRegistry *registry, TallyYamlNode *node, const char *what,
           const Key *keys)
{
  if (node->kind != TALLY_YAML_MAP)
    {
      g_autofree char *message = g_strdup_printf ("%s is a map of keys and values", what);
      g_autofree char *hint = g_strdup_printf ("write lines such as \"%s: …\"", keys[0].name);

      tally_pipeline_report_node (pipeline, node, message, hint);
      return;
    }

  for (guint i = 0; i < node->items->len; i++)
    {
      TallyYamlNode *value = node->items->pdata[i];
      const Key *known = keys;

      while (known->name != NULL && strcmp (known->name, value->key->text) != 0)
        known++;
      if (known->name != NULL)
        known->read (pipeline, registry, value);
      else
        report_unknown_key (pipeline, value->key, what, keys);
    }

  for (const Key *key = keys; key->name != NULL; key++)
    if (key->required && tally_yaml_find (node, key->name) == NULL)
      {
        g_autofree char *message = g_strdup_printf ("\"%s\" is missing", key->name);

        tally_pipeline_report_whole (pipeline, message, NULL);
      }
}

/* ---- The file ---- */

static gsize
valid_length (const char *text)
{
  const char *end;

  g_utf8_validate (text, -1, &end);
  return end - text;
}

static gboolean
read_text (TallyPipeline *pipeline)
{
  int fd = open (pipeline->file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  g_autofree char *text = NULL;
  g_autofree char *message = NULL;
  gsize length = 0;
  gssize n = 1;

  if (fd < 0)
    {
      message = g_strdup_printf ("cannot be opened: %s", g_strerror (errno));
      tally_pipeline_report_whole (pipeline, message, NULL);
      return FALSE;
    }

  text = g_malloc0 (TALLY_YAML_MAX_SIZE + 2);
  while (length <= TALLY_YAML_MAX_SIZE
         && (n = read (fd, text + length, TALLY_YAML_MAX_SIZE + 1 - length)) > 0)
    length += n;
  if (n < 0)
    message = g_strdup_printf ("cannot be read: %s", g_strerror (errno));
  else if (length > TALLY_YAML_MAX_SIZE)
    message = g_strdup ("is longer than 1 MiB, which no pipeline is");
  close (fd);
  if (message != NULL)
    {
      tally_pipeline_report_whole (pipeline, message, NULL);
      return FALSE;
    }

  /* Some editors put a byte order mark in front; the columns are counted without it. */
  g_free (pipeline->text);
  pipeline->text = g_strdup (g_str_has_prefix (text, "\xef\xbb\xbf") ? text + 3 : text);
  if (strlen (text) == length && g_utf8_validate (text, length, NULL))
    return TRUE;

  /* What is shown must be text: up to the bad byte. */
  pipeline->text[valid_length (pipeline->text)] = '\0';
  tally_pipeline_report (pipeline, TALLY_SEVERITY_ERROR, strlen (pipeline->text), 1,
                         "is not UTF-8 text from here on", NULL);
  return FALSE;
}

static void
report_mistake (gsize offset, gsize length, const char *message, const char *hint, gpointer data)
{
  tally_pipeline_report (data, TALLY_SEVERITY_ERROR, offset, length, message, hint);
}

static void
free_expression (gpointer expression)
{
  tally_expression_free (expression);
}

static TallyPipeline *
pipeline_new (const char *file)
{
  TallyPipeline *pipeline = g_new0 (TallyPipeline, 1);
  g_autofree char *path = g_canonicalize_filename (file, NULL);

  pipeline->file = g_strdup (file);
  pipeline->text = g_strdup ("");
  pipeline->directory = g_path_get_dirname (path);
  pipeline->after = g_new0 (char *, 1);
  pipeline->steps = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_step_free);
  pipeline->sink_expressions = g_ptr_array_new_with_free_func (free_expression);
  pipeline->reject_limit = G_MAXINT64;
  pipeline->reject_percent = 100;
  pipeline->tests = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_pipeline_test_free);
  pipeline->diagnostics = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_diagnostic_free);
  pipeline->reader = g_new0 (TallyReader, 1);
  pipeline->reader->steps = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_step_draft_free);
  pipeline->reader->secrets = g_ptr_array_new_with_free_func ((GDestroyNotify) tally_secret_free);
  return pipeline;
}

/* FALSE if there is nothing to go on with. */
static gboolean
read_root (TallyPipeline *pipeline)
{
  TallyReader *reader = pipeline->reader;

  if (!read_text (pipeline))
    return FALSE;
  reader->root
      = tally_yaml_parse (pipeline->text, strlen (pipeline->text), report_mistake, pipeline);
  if (reader->root == NULL && tally_pipeline_n_errors (pipeline) == 0)
    tally_pipeline_report_whole (pipeline, "is empty", "begin with \"pipeline: NAME\"");
  return reader->root != NULL;
}

TallyPipeline *
tally_pipeline_load_place (const char *file)
{
  TallyPipeline *pipeline = pipeline_new (file);
  const TallyYamlNode *root;

  if (!read_root (pipeline))
    return pipeline;
  root = pipeline->reader->root;
  for (guint i = 0; root->kind == TALLY_YAML_MAP && i < root->items->len; i++)
    {
      TallyYamlNode *value = root->items->pdata[i];

      if (g_str_equal (value->key->text, "pipeline"))
        read_name (pipeline, NULL, value);
      else if (g_str_equal (value->key->text, "ledger"))
        read_ledger (pipeline, NULL, value);
    }
  if (pipeline->name == NULL && tally_pipeline_n_errors (pipeline) == 0)
    tally_pipeline_report_whole (pipeline, "\"pipeline\" is missing", NULL);
  return pipeline;
}

TallyPipeline *
tally_pipeline_load (const char *file, TallyRegistry *registry)
{
  TallyPipeline *pipeline = pipeline_new (file);
  TallyReader *reader = pipeline->reader;
  g_autoptr (TallySchema) schema = NULL;
  guint n_errors;

  if (!read_root (pipeline))
    return pipeline;

  n_errors = tally_pipeline_n_errors (pipeline);
  read_keys (pipeline, registry, reader->root, "a pipeline", pipeline_keys);
  if (pipeline->origin == NULL)
    pipeline->origin = g_strdup (pipeline->name);

  /* Mistakes elsewhere do not keep the columns from being checked, but those in the source do. */
  reader->n_unbound = pipeline->diagnostics->len;
  if (n_errors == 0 && reader->source.good
      && (pipeline->source->plugin->flags & TALLY_PLUGIN_LOCAL) != 0)
    schema = tally_pipeline_describe_source (pipeline, &reader->source);
  reader->n_unbound = pipeline->diagnostics->len;
  if (schema != NULL)
    tally_pipeline_bind (pipeline, schema);
  return pipeline;
}

void
tally_pipeline_free (TallyPipeline *pipeline)
{
  if (pipeline == NULL)
    return;

  g_ptr_array_unref (pipeline->steps);
  g_ptr_array_unref (pipeline->sink_expressions);
  g_clear_pointer (&pipeline->source_schema, tally_schema_unref);
  g_clear_pointer (&pipeline->sink_schema, tally_schema_unref);
  tally_instance_free (pipeline->source);
  tally_instance_free (pipeline->sink);
  tally_instance_free (pipeline->reader->delivery);
  g_clear_pointer (&pipeline->reader->accepted, tally_schema_unref);
  g_ptr_array_unref (pipeline->reader->steps);
  g_ptr_array_unref (pipeline->reader->secrets);
  tally_yaml_node_free (pipeline->reader->root);
  g_free (pipeline->reader);
  g_clear_pointer (&pipeline->references, tally_reference_file_free);
  g_ptr_array_unref (pipeline->tests);
  g_ptr_array_unref (pipeline->diagnostics);
  g_strfreev (pipeline->after);
  g_free (pipeline->ledger);
  g_free (pipeline->rejects_path);
  g_free (pipeline->origin);
  g_free (pipeline->description);
  g_free (pipeline->name);
  g_free (pipeline->directory);
  g_free (pipeline->text);
  g_free (pipeline->file);
  g_free (pipeline);
}
