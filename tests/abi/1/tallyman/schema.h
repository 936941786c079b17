/* schema.h: the names and types of a batch's columns */
#pragma once
#include "types.h"

G_BEGIN_DECLS

/**
 * TallyColumn:
 * @name: the column's name; dots in it mean members of objects (`requester.email`)
 * @type: the type of its values
 *
 * Since: 0.1
 */
typedef struct
{
  const char *name;
  TallyType type;
} TallyColumn;

/**
 * TallySchema:
 *
 * An immutable, counted list of columns whose names are unique.
 *
 * Since: 0.1
 */
typedef struct _TallySchema TallySchema;

/**
 * tally_schema_new:
 * @columns: (array length=n_columns): the columns, in order; copied
 * @n_columns: their number
 *
 * Names must be unique; tally_schema_check_names() tells beforehand.
 *
 * Returns: (transfer full): a new schema
 * Since: 0.1
 */
TallySchema *tally_schema_new (const TallyColumn *columns, guint n_columns);

/**
 * tally_schema_check_names:
 * @columns: (array length=n_columns): columns-to-be
 * @n_columns: their number
 * @ret_duplicate: (out) (optional): the index of the first column whose name stands earlier, too
 *
 * Returns: %TRUE if all the names differ
 * Since: 0.1
 */
gboolean tally_schema_check_names (const TallyColumn *columns, guint n_columns, guint *ret_duplicate);

/**
 * tally_schema_ref:
 * @schema: a schema
 *
 * Returns: (transfer full): the same schema, held once more
 * Since: 0.1
 */
TallySchema *tally_schema_ref (TallySchema *schema);

/**
 * tally_schema_unref:
 * @schema: (nullable) (transfer full): a schema
 *
 * Since: 0.1
 */
void tally_schema_unref (TallySchema *schema);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TallySchema, tally_schema_unref)

/**
 * tally_schema_n_columns:
 * @schema: a schema
 *
 * Returns: the number of its columns
 * Since: 0.1
 */
guint tally_schema_n_columns (const TallySchema *schema);

/**
 * tally_schema_column:
 * @schema: a schema
 * @index: a column's index, below tally_schema_n_columns()
 *
 * Returns: (transfer none): the column; lives as long as the schema
 * Since: 0.1
 */
const TallyColumn *tally_schema_column (const TallySchema *schema, guint index);

/**
 * tally_schema_find:
 * @schema: a schema
 * @name: a column's name, matched byte for byte
 *
 * Returns: its index, or -1
 * Since: 0.1
 */
gint tally_schema_find (const TallySchema *schema, const char *name);

/**
 * tally_schema_is_key:
 * @schema: a schema that accept() of a delivering sink got
 * @index: a column's index, below tally_schema_n_columns()
 *
 * A column that the pipeline's key is made of may be there for that alone, so a sink that has no
 * use for its name leaves it out rather than refusing it.
 *
 * Returns: %TRUE if the key of the records reads the column
 * Since: 0.1
 */
gboolean tally_schema_is_key (const TallySchema *schema, guint index);

/**
 * tally_schema_nearest:
 * @schema: a schema
 * @name: a name that is not in it
 *
 * Returns: (transfer none) (nullable): the column's name that was most likely meant, or
 *   %NULL if none is close
 * Since: 0.1
 */
const char *tally_schema_nearest (const TallySchema *schema, const char *name);

G_END_DECLS
