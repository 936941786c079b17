/* lookup-build.c: what is asked of a lookup, held against the columns of both sides */
#include "kinds.h"
#include "lookup-private.h"
#include <string.h>

static const char *const missing_choices[] = { "keep", "reject", "drop", NULL };
static const char *const many_choices[] = { "reject", "first", NULL };
static const char *const errors_choices[] = { "fail", "reject", NULL };

const TallyOption tally_lookup_options[] = {
  { .name = "missing",
    .type = TALLY_OPTION_CHOICE,
    .fallback = "keep",
    .choices = missing_choices,
    .offset = G_STRUCT_OFFSET (TallyLookupOptions, missing),
    .summary = "What becomes of a row for which there is none; a kept one gets NULL",
    .example = "reject" },
  { .name = "many",
    .type = TALLY_OPTION_CHOICE,
    .fallback = "reject",
    .choices = many_choices,
    .offset = G_STRUCT_OFFSET (TallyLookupOptions, many),
    .summary = "What becomes of a row for which there are several",
    .example = "first" },
  { .name = "errors",
    .type = TALLY_OPTION_CHOICE,
    .fallback = "fail",
    .choices = errors_choices,
    .offset = G_STRUCT_OFFSET (TallyLookupOptions, errors),
    .summary = "What a bad row of the other source does: it ends the run, or is a reject",
    .example = "reject" },
  { .name = "memory",
    .type = TALLY_OPTION_SIZE,
    .fallback = "64MiB",
    .min = 64 * 1024,
    .max = G_GINT64_CONSTANT (2) * 1024 * 1024 * 1024,
    .offset = G_STRUCT_OFFSET (TallyLookupOptions, memory),
    .summary = "Memory for the other source's rows; more of them go to a temporary file",
    .example = "256MiB" },
  { 0 },
};

/* Who has the other side's columns. */
#define OTHER "The rows to look up have"

/* One lookup that is being built. */
typedef struct
{
  TallyLookup *lookup;
  const TallyLookupWish *wish;
  TallySchema *schema, *other; /* (unowned) of the rows that come, and of the other side */
  GPtrArray *complaints;
} Builder;

static gint
find_other (const Builder *builder, guint argument, gboolean in_name)
{
  return tally_step_find_column_in (builder->complaints, builder->wish->arguments, argument, in_name,
                                    builder->other, OTHER);
}

/* ---- match ---- */

/* The casts that would help.  Everything can become a text. */
static char *
cast_hint (const TallyStepArgument *match, TallyType ours, TallyType theirs)
{
  gboolean here = tally_type_can_cast (ours, theirs), there = tally_type_can_cast (theirs, ours);
  const char *our_wish = tally_type_name (here ? theirs : TALLY_TYPE_TEXT);
  const char *their_wish = tally_type_name (there ? ours : TALLY_TYPE_TEXT);
  g_autofree char *cast = g_strdup_printf ("(%s)::%s", match->value, our_wish);
  g_autofree char *step
      = g_strdup_printf ("transform: [{ cast: { %s: %s } }]", match->name, their_wish);

  if (here && there)
    return g_strdup_printf ("cast it here: %s; or there: %s", cast, step);
  if (here || there)
    return g_strdup_printf ("cast it %s: %s", here ? "here" : "there", here ? cast : step);
  return g_strdup_printf ("compare them as text: cast it here: %s; and there: %s", cast, step);
}

/* As in PostgreSQL nothing is converted by guess. */
static gboolean
find_type (const Builder *builder, guint argument, TallyLookupKey *key)
{
  TallyType ours = tally_expression_type (key->expression);
  TallyType theirs = tally_schema_column (builder->other, key->column)->type;
  g_autofree char *message = NULL, *hint = NULL;

  if (tally_type_find_common (ours, theirs, &key->type))
    return TRUE;

  message = g_strdup_printf ("\"%s\" of the rows to look up is %s, and this is %s", key->name,
                             tally_type_name (theirs), tally_type_name (ours));
  hint = cast_hint (&builder->wish->arguments[argument], ours, theirs);
  tally_step_complain (builder->complaints, builder->wish->arguments, argument,
                       /* in_name= */ FALSE, message, hint);
  return FALSE;
}

/* text: what the pipeline says, behind prefix bytes more.  NULL with a complaint. */
static TallyExpression *
compile_key (const Builder *builder, guint argument, const char *text, gsize prefix, TallySchema *schema)
{
  TallyComplaint *complaint = NULL;
  TallyExpression *expression = tally_expression_compile (text, schema, &complaint);

  if (expression == NULL)
    tally_step_take_complaint (builder->complaints, argument, builder->wish->arguments, prefix,
                               complaint);
  return expression;
}

static gboolean
cast_ours (const Builder *builder, guint argument, TallyLookupKey *key)
{
  g_autofree char *text = NULL;

  if (tally_expression_type (key->expression) == key->type)
    return TRUE;

  /* The end of the line ends a comment, too. */
  text = g_strdup_printf ("(%s\n)::%s", builder->wish->arguments[argument].value,
                          tally_type_name (key->type));
  tally_expression_free (key->expression);
  key->expression = compile_key (builder, argument, text, strlen ("("), builder->schema);
  return key->expression != NULL;
}

static gboolean
cast_theirs (const Builder *builder, guint argument, TallyLookupKey *key)
{
  g_autofree char *prefix = NULL, *text = NULL;

  if (tally_schema_column (builder->other, key->column)->type == key->type)
    return TRUE;

  prefix = tally_step_cast_prefix (key->name);
  text = g_strconcat (prefix, tally_type_name (key->type), NULL);
  key->cast = compile_key (builder, argument, text, 0, builder->other);
  return key->cast != NULL;
}

static void
key_clear (gpointer data)
{
  TallyLookupKey *key = data;

  tally_expression_free (key->expression);
  tally_scratch_clear (&key->scratch);
  tally_expression_free (key->cast);
  tally_scratch_clear (&key->cast_scratch);
}

static void
build_key (Builder *builder, guint argument)
{
  const char *value = builder->wish->arguments[argument].value;
  gint column = find_other (builder, argument, /* in_name= */ TRUE);
  TallyLookupKey key = { .column = column };

  key.expression = compile_key (builder, argument, value, 0, builder->schema);
  if (key.expression == NULL || column < 0)
    {
      key_clear (&key);
      return;
    }

  key.name = tally_schema_column (builder->other, column)->name;
  if (!find_type (builder, argument, &key) || !cast_ours (builder, argument, &key)
      || !cast_theirs (builder, argument, &key))
    {
      key_clear (&key);
      return;
    }
  if (tally_expression_is_volatile (key.expression))
    tally_step_warn (&builder->lookup->base, "\"%s\" is looked up by a value that changes with each run",
                     key.name);
  g_array_append_val (builder->lookup->keys, key);
}

/* ---- columns and collect ---- */

static gboolean
is_key (const Builder *builder, const char *name)
{
  const TallyStepArguments *match = &builder->wish->match;

  for (guint i = 0; i < match->n; i++)
    if (strcmp (builder->wish->arguments[match->first + i].name, name) == 0)
      return TRUE;
  return FALSE;
}

/* Without `columns`: all but those that the rows that come have already. */
static void
take_all (Builder *builder)
{
  for (guint i = 0; i < tally_schema_n_columns (builder->other); i++)
    {
      const char *name = tally_schema_column (builder->other, i)->name;
      TallyLookupColumn column = { .column = i };

      if (is_key (builder, name))
        continue;
      column.name = g_strdup (name);
      g_array_append_val (builder->lookup->columns, column);
    }
}

static void
take_columns (Builder *builder)
{
  const TallyStepArguments *columns = &builder->wish->columns;

  for (guint i = 0; i < columns->n; i++)
    {
      const TallyStepArgument *argument = &builder->wish->arguments[columns->first + i];
      gint found = find_other (builder, columns->first + i, /* in_name= */ FALSE);
      TallyLookupColumn column = { .column = found };

      if (found < 0)
        continue;
      column.name = g_strdup (argument->name != NULL ? argument->name : argument->value);
      g_array_append_val (builder->lookup->columns, column);
    }
}

/* Columns that are named in the list have a place to complain of. */
static void
complain_of_name (const Builder *builder, guint i, const char *message, const char *hint)
{
  guint argument = builder->wish->columns.first + i;

  if (i < builder->wish->columns.n)
    tally_step_complain (builder->complaints, builder->wish->arguments, argument,
                         builder->wish->arguments[argument].name != NULL, message, hint);
  else
    tally_step_complain_of_all (builder->complaints, message, hint);
}

static void
check_names (const Builder *builder)
{
  const GArray *columns = builder->lookup->columns;

  for (guint i = 0; i < columns->len; i++)
    {
      const char *name = g_array_index (columns, TallyLookupColumn, i).name;
      g_autofree char *message = NULL, *hint = NULL;

      for (guint j = 0; j < i && message == NULL; j++)
        if (strcmp (g_array_index (columns, TallyLookupColumn, j).name, name) == 0)
          message = g_strdup_printf ("column \"%s\" is named twice", name);
      if (message == NULL && !builder->lookup->collects
          && tally_schema_find (builder->schema, name) >= 0)
        {
          message = g_strdup_printf ("there is a column \"%s\" already", name);
          hint = g_strdup_printf ("give the one that is looked up another name: columns: { other_%s: %s }",
                                  name, name);
        }
      if (message != NULL)
        complain_of_name (builder, i, message, hint);
    }
}

static void
check_collect (const Builder *builder)
{
  guint argument = builder->wish->collect.first;
  const char *name = builder->wish->arguments[argument].value;
  g_autofree char *message = NULL;

  if (tally_schema_find (builder->schema, name) < 0)
    return;
  message = g_strdup_printf ("there is a column \"%s\" already", name);
  tally_step_complain (builder->complaints, builder->wish->arguments, argument,
                       /* in_name= */ FALSE, message,
                       "give the array another name, or drop that column before");
}

/* ---- The columns that come out ---- */

static void
number_columns (TallyLookup *lookup)
{
  lookup->from = g_new (gint, lookup->columns->len + 1);
  lookup->to = g_new (gint, lookup->columns->len + 1);
  for (guint i = 0; i < lookup->columns->len; i++)
    {
      lookup->from[i] = g_array_index (lookup->columns, TallyLookupColumn, i).column;
      lookup->to[i] = i;
    }
}

static TallySchema *
added_schema (const Builder *builder)
{
  const GArray *chosen = builder->lookup->columns;
  g_autofree TallyColumn *columns = g_new (TallyColumn, chosen->len + 1);

  if (builder->lookup->collects)
    {
      columns[0] = (TallyColumn){ builder->wish->arguments[builder->wish->collect.first].value,
                                  TALLY_TYPE_JSONB };
      return tally_schema_new (columns, 1);
    }
  for (guint i = 0; i < chosen->len; i++)
    {
      const TallyLookupColumn *column = &g_array_index (chosen, TallyLookupColumn, i);

      columns[i] = (TallyColumn){ column->name,
                                  tally_schema_column (builder->other, column->column)->type };
    }
  return tally_schema_new (columns, chosen->len);
}

static TallySchema *
joined_schema (TallySchema *a, TallySchema *b)
{
  guint n_a = tally_schema_n_columns (a), n_b = tally_schema_n_columns (b);
  g_autofree TallyColumn *columns = g_new (TallyColumn, MAX (n_a + n_b, 1));

  for (guint i = 0; i < n_a + n_b; i++)
    columns[i] = *(i < n_a ? tally_schema_column (a, i) : tally_schema_column (b, i - n_a));
  return tally_schema_new (columns, n_a + n_b);
}

/* ---- The step ---- */

static void
column_clear (gpointer data)
{
  g_free (((TallyLookupColumn *)data)->name);
}

static void
lookup_clear (TallyStep *step)
{
  TallyLookup *lookup = (TallyLookup *)step;

  tally_lookup_side_free (lookup->side);
  tally_keyed_free (lookup->keyed);
  g_array_unref (lookup->keys);
  g_array_unref (lookup->columns);
  g_clear_pointer (&lookup->order, g_array_unref);
  g_free (lookup->from);
  g_free (lookup->to);
  g_clear_pointer (&lookup->added, tally_schema_unref);
  tally_digester_clear (&lookup->digester);
  g_byte_array_unref (lookup->row);
  g_byte_array_unref (lookup->place);
  g_string_free (lookup->array, TRUE);
}

static TallyLookup *
lookup_new (TallyLookupSide *side, const TallyLookupWish *wish, TallySchema *schema)
{
  TallyLookup *lookup = tally_step_new (sizeof (TallyLookup), tally_step_lookup.name, schema);

  lookup->side = side;
  lookup->options = wish->options;
  lookup->collects = wish->collect.n > 0;
  lookup->keys = g_array_new (FALSE, FALSE, sizeof (TallyLookupKey));
  g_array_set_clear_func (lookup->keys, key_clear);
  lookup->columns = g_array_new (FALSE, FALSE, sizeof (TallyLookupColumn));
  g_array_set_clear_func (lookup->columns, column_clear);
  tally_digester_init (&lookup->digester);
  lookup->row = g_byte_array_new ();
  lookup->place = g_byte_array_new ();
  lookup->array = g_string_new (NULL);
  lookup->base.open = tally_lookup_open;
  lookup->base.prepare = tally_lookup_prepare;
  lookup->base.apply = tally_lookup_apply;
  lookup->base.interrupt = tally_lookup_interrupt;
  lookup->base.close = tally_lookup_close;
  lookup->base.clear = lookup_clear;
  return lookup;
}

TallyStep *
tally_step_new_lookup (TallyLookupSide *side, const TallyLookupWish *wish, TallySchema *schema,
                       GPtrArray *complaints)
{
  TallyLookup *lookup = lookup_new (side, wish, schema);
  Builder builder = { .lookup = lookup,
                      .wish = wish,
                      .schema = schema,
                      .other = tally_lookup_side_schema (side),
                      .complaints = complaints };
  guint n_before = complaints->len;

  for (guint i = 0; i < wish->match.n; i++)
    build_key (&builder, wish->match.first + i);
  if (wish->columns.n > 0)
    take_columns (&builder);
  else
    take_all (&builder);
  if (complaints->len == n_before)
    check_names (&builder);
  if (lookup->collects)
    check_collect (&builder);
  lookup->order = tally_sort_order_read (complaints, wish->arguments, wish->order.first,
                                         wish->order.n, builder.other, OTHER);
  if (complaints->len > n_before)
    {
      tally_step_free (&lookup->base);
      return NULL;
    }

  number_columns (lookup);
  lookup->added = added_schema (&builder);
  tally_schema_unref (lookup->base.schema);
  lookup->base.schema = joined_schema (schema, lookup->added);
  return &lookup->base;
}

TallyLookupSide *
tally_step_lookup_side (TallyStep *step)
{
  return step->apply == tally_lookup_apply ? ((TallyLookup *)step)->side : NULL;
}

const TallyStepKind tally_step_lookup = {
  .name = "lookup",
  .summary = "adds what another source has for each row: lookup: { from: { csv: { path: users.csv } }, "
             "match: { id: user_id } }",
  .form = TALLY_STEP_LOOKUP,
};
