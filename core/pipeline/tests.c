/* tests.c: tests: rows in, rows out */
#include "reader.h"
#include <string.h>

void
tally_pipeline_test_free (TallyPipelineTest *test)
{
  if (test == NULL)
    return;

  g_free (test->name);
  g_ptr_array_unref (test->given);
  g_ptr_array_unref (test->lookups);
  g_ptr_array_unref (test->expect);
  g_clear_pointer (&test->refs, g_hash_table_unref);
  g_free (test);
}

static void
read_rows (TallyPipeline *pipeline, const TallyYamlNode *node, GPtrArray *rows)
{
  if (node->kind != TALLY_YAML_LIST)
    {
      tally_pipeline_report_node (pipeline, node, "rows are a list of maps",
                                  "for example: [{ id: \"1\", prio: high }]");
      return;
    }

  for (guint i = 0; i < node->items->len; i++)
    {
      const TallyYamlNode *row = node->items->pdata[i];
      GString *json;

      if (row->kind != TALLY_YAML_MAP)
        {
          tally_pipeline_report_node (pipeline, row, "a row is a map of columns and values", NULL);
          continue;
        }
      json = g_string_new (NULL);
      tally_yaml_append_json (row, json);
      g_ptr_array_add (rows, g_string_free (json, FALSE));
    }
}

/* refs: { ticket: { "17": "35436" } } */
static void
read_refs (TallyPipeline *pipeline, const TallyYamlNode *node, TallyPipelineTest *test)
{
  test->refs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref);
  for (guint i = 0; node->kind == TALLY_YAML_MAP && i < node->items->len; i++)
    {
      const TallyYamlNode *entity = node->items->pdata[i];
      GHashTable *ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

      g_hash_table_insert (test->refs, g_strdup (entity->key->text), ids);
      if (entity->kind != TALLY_YAML_MAP)
        {
          tally_pipeline_report_node (pipeline, entity, "an entity is a map of keys and ids", NULL);
          return;
        }
      for (guint j = 0; j < entity->items->len; j++)
        {
          const TallyYamlNode *id = entity->items->pdata[j];

          if (id->kind != TALLY_YAML_SCALAR || *id->text == '\0')
            tally_pipeline_report_node (pipeline, id, "an id is a text", NULL);
          else
            g_hash_table_insert (ids, g_strdup (id->key->text), g_strdup (id->text));
        }
    }
  if (node->kind != TALLY_YAML_MAP)
    tally_pipeline_report_node (pipeline, node, "\"refs\" is a map of entities",
                                "for example: { ticket: { \"17\": \"35436\" } }");
}

/* Rows of the one lookup that there is, or a list of rows for each. */
static void
read_lookups (TallyPipeline *pipeline, const TallyYamlNode *node, GPtrArray *lookups)
{
  gboolean many = node->kind == TALLY_YAML_LIST && node->items->len > 0
                  && ((TallyYamlNode *) node->items->pdata[0])->kind == TALLY_YAML_LIST;

  for (guint i = 0; i < (many ? node->items->len : 1); i++)
    {
      GPtrArray *rows = g_ptr_array_new_with_free_func (g_free);

      read_rows (pipeline, many ? node->items->pdata[i] : node, rows);
      g_ptr_array_add (lookups, rows);
    }
}

static void
read_test (TallyPipeline *pipeline, const TallyYamlNode *node)
{
  TallyPipelineTest *test;

  if (node->kind != TALLY_YAML_MAP)
    {
      tally_pipeline_report_node (pipeline, node, "a test has a name, \"given\" and \"expect\"",
                                  NULL);
      return;
    }

  test = g_new0 (TallyPipelineTest, 1);
  test->given = g_ptr_array_new_with_free_func (g_free);
  test->lookups = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  test->expect = g_ptr_array_new_with_free_func (g_free);
  test->line = tally_pipeline_line (pipeline, node->start);
  g_ptr_array_add (pipeline->tests, test);
  for (guint i = 0; i < node->items->len; i++)
    {
      const TallyYamlNode *value = node->items->pdata[i];
      const char *key = value->key->text;

      if (strcmp (key, "name") == 0 && value->kind == TALLY_YAML_SCALAR)
        {
          g_free (test->name);
          test->name = g_strdup (value->text);
        }
      else if (strcmp (key, "given") == 0)
        read_rows (pipeline, value, test->given);
      else if (strcmp (key, "lookup") == 0)
        read_lookups (pipeline, value, test->lookups);
      else if (strcmp (key, "expect") == 0)
        read_rows (pipeline, value, test->expect);
      else if (strcmp (key, "refs") == 0)
        read_refs (pipeline, value, test);
      else
        tally_pipeline_report_node (pipeline, value->key,
                                    "a test has a name, \"given\" and \"expect\"",
                                    "and \"lookup\" and \"refs\", if rows to look up or ids are to be given, too");
    }
  if (test->name == NULL)
    tally_pipeline_report_node (pipeline, node, "the test has no name",
                                "say in it what the test promises");
  if (tally_yaml_find (node, "given") == NULL || tally_yaml_find (node, "expect") == NULL)
    tally_pipeline_report_node (pipeline, node, "the test needs \"given\" and \"expect\"", NULL);
}

void
tally_pipeline_read_tests (TallyPipeline *pipeline, TallyYamlNode *node)
{
  if (node->kind != TALLY_YAML_LIST)
    {
      tally_pipeline_report_node (pipeline, node, "\"tests\" takes a list of tests",
                                  "begin each test with \"- \"");
      return;
    }

  for (guint i = 0; i < node->items->len; i++)
    read_test (pipeline, node->items->pdata[i]);
}
