/* sort-order.c: what stands behind ORDER BY, as a list of arguments */
#include "sort-order.h"
#include <string.h>

/* Cuts word, in any case, and the blanks before it from the end of text. */
static gboolean
cut_word (char *text, const char *word)
{
  gsize length = strlen (text), size = strlen (word);

  if (length <= size || g_ascii_strcasecmp (text + length - size, word) != 0
      || !g_ascii_isspace (text[length - size - 1]))
    return FALSE;

  text[length - size] = '\0';
  g_strchomp (text);
  return TRUE;
}

static gboolean
cut_nulls (char *text, const char *place)
{
  g_autofree char *before = g_strdup (text);

  if (cut_word (text, place) && cut_word (text, "NULLS"))
    return TRUE;

  strcpy (text, before);
  return FALSE;
}

/* Cuts off what may follow the column's name. */
static TallySortFlags
cut_order (char *text)
{
  gboolean first = cut_nulls (text, "FIRST"), last = !first && cut_nulls (text, "LAST");
  gboolean descending = cut_word (text, "DESC");

  if (!descending)
    cut_word (text, "ASC");
  return (descending ? TALLY_SORT_DESCENDING : 0)
         | (first || (descending && !last) ? TALLY_SORT_NULLS_FIRST : 0);
}

/* A column may be called what looks like an order. */
static gboolean
read_argument (GPtrArray *complaints, const TallyStepArgument *arguments, guint argument, TallySchema *schema,
               const char *who, TallySortColumn *ret_column)
{
  g_autofree char *name = g_strdup (arguments[argument].value);
  g_autofree TallyStepArgument *plain = g_memdup2 (arguments, (argument + 1) * sizeof *arguments);

  *ret_column = (TallySortColumn){ .column = tally_schema_find (schema, name) };
  if (ret_column->column >= 0)
    return TRUE;

  ret_column->flags = cut_order (name);
  plain[argument].value = name;
  ret_column->column
      = tally_step_find_column_in (complaints, plain, argument, /* in_name= */ FALSE, schema, who);
  return ret_column->column >= 0;
}

GArray *
tally_sort_order_read (GPtrArray *complaints, const TallyStepArgument *arguments, guint first, guint n,
                       TallySchema *schema, const char *who)
{
  g_autoptr (GArray) order = g_array_new (FALSE, FALSE, sizeof (TallySortColumn));
  g_autofree gboolean *named = g_new0 (gboolean, tally_schema_n_columns (schema) + 1);

  for (guint i = first; i < first + n; i++)
    {
      g_autofree char *message = NULL;
      TallySortColumn by;

      if (!read_argument (complaints, arguments, i, schema, who, &by))
        continue;
      if (named[by.column])
        {
          message = g_strdup_printf ("column \"%s\" is named twice",
                                     tally_schema_column (schema, (guint)by.column)->name);
          tally_step_complain (complaints, arguments, i, /* in_name= */ FALSE, message, NULL);
        }
      named[by.column] = TRUE;
      g_array_append_val (order, by);
    }
  return g_steal_pointer (&order);
}

void
tally_sort_order_append (const GArray *order, const TallyBatch *batch, guint row, GByteArray *out)
{
  for (guint i = 0; i < order->len; i++)
    {
      const TallySortColumn *by = &g_array_index (order, TallySortColumn, i);

      tally_sort_key_append_column (batch, row, (guint)by->column, by->flags, out);
    }
}
