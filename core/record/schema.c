/* schema.c: columns that never change once they are named */
#include "bitmap.h"
#include "nearest.h"
#include "schema-private.h"
#include <tallyman/schema.h>

struct _TallySchema
{
  gatomicrefcount references;
  guint n_columns;
  TallyColumn *columns;  /* (owned) names too */
  GHashTable *by_name;   /* (owned) name (unowned) → index */
  guint64 *keys;         /* (owned) (nullable) bitmap of the columns that the key reads */
};

TallySchema *
tally_schema_new (const TallyColumn *columns, guint n_columns)
{
  TallySchema *schema = g_new0 (TallySchema, 1);

  g_atomic_ref_count_init (&schema->references);
  schema->n_columns = n_columns;
  schema->columns = g_new0 (TallyColumn, n_columns);
  schema->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < n_columns; i++)
    {
      char *name = g_strdup (columns[i].name);

      schema->columns[i] = (TallyColumn) { .name = name, .type = columns[i].type };
      g_hash_table_insert (schema->by_name, name, GUINT_TO_POINTER (i));
    }

  return schema;
}

gboolean
tally_schema_check_names (const TallyColumn *columns, guint n_columns, guint *ret_duplicate)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < n_columns; i++)
    if (!g_hash_table_add (names, (gpointer) columns[i].name))
      {
        if (ret_duplicate != NULL)
          *ret_duplicate = i;
        return FALSE;
      }

  return TRUE;
}

TallySchema *
tally_schema_ref (TallySchema *schema)
{
  g_atomic_ref_count_inc (&schema->references);
  return schema;
}

void
tally_schema_unref (TallySchema *schema)
{
  if (schema == NULL || !g_atomic_ref_count_dec (&schema->references))
    return;

  g_hash_table_destroy (schema->by_name);
  for (guint i = 0; i < schema->n_columns; i++)
    g_free ((char *) schema->columns[i].name);
  g_free (schema->columns);
  g_free (schema->keys);
  g_free (schema);
}

guint
tally_schema_n_columns (const TallySchema *schema)
{
  return schema->n_columns;
}

const TallyColumn *
tally_schema_column (const TallySchema *schema, guint index)
{
  return &schema->columns[index];
}

gint
tally_schema_find (const TallySchema *schema, const char *name)
{
  gpointer index;

  if (!g_hash_table_lookup_extended (schema->by_name, name, NULL, &index))
    return -1;

  return GPOINTER_TO_INT (index);
}

void
tally_schema_mark_keys (TallySchema *schema, const guint64 *columns)
{
  g_free (schema->keys);
  schema->keys = g_memdup2 (columns, tally_bitmap_words (schema->n_columns) * sizeof (guint64));
}

gboolean
tally_schema_is_key (const TallySchema *schema, guint index)
{
  return schema->keys != NULL && tally_bitmap_get (schema->keys, index);
}

const char *
tally_schema_nearest (const TallySchema *schema, const char *name)
{
  g_autofree const char **names = g_new (const char *, schema->n_columns);

  for (guint i = 0; i < schema->n_columns; i++)
    names[i] = schema->columns[i].name;
  return tally_nearest (name, names, schema->n_columns);
}

gboolean
tally_schema_equal (TallySchema *a, TallySchema *b)
{
  guint n = tally_schema_n_columns (a);

  if (n != tally_schema_n_columns (b))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      const TallyColumn *first = tally_schema_column (a, i), *second = tally_schema_column (b, i);

      if (first->type != second->type || strcmp (first->name, second->name) != 0)
        return FALSE;
    }
  return TRUE;
}
