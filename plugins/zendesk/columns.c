/* columns.c: which column fills which member of a request */
#include "columns.h"
#include "values.h"

#include <string.h>

static gint
find_member (const ZendeskTable *table, const char *name, ZendeskMode mode)
{
  for (guint i = 0; i < table->n_members; i++)
    if ((table->members[i].modes & mode) && table->members[i].form != ZENDESK_FORM_OURS
        && g_str_equal (table->members[i].name, name))
      return (gint) i;
  return -1;
}

/* Says what is wrong with a name that is none of the table's. */
static gboolean
refuse_name (const ZendeskTable *table, const char *name, ZendeskMode mode, GError **error)
{
  TallyColumn known[ZENDESK_MAX_MEMBERS];
  guint n_known = 0;

  for (guint i = 0; table->refused != NULL && table->refused[i].name != NULL; i++)
    if (g_str_equal (table->refused[i].name, name))
      return tally_throw (error, TALLY_ERROR_USAGE, "column \"%s\": %s's %s %s", name, table->an_entity, name,
                          table->refused[i].why);

  for (guint i = 0; i < table->n_members; i++)
    if (table->members[i].modes & mode)
      known[n_known++] = (TallyColumn){ table->members[i].name, TALLY_TYPE_TEXT };
  g_autoptr (TallySchema) schema = tally_schema_new (known, n_known);
  const char *nearest = tally_schema_nearest (schema, name);

  if (nearest != NULL)
    return tally_throw (error, TALLY_ERROR_USAGE, "column \"%s\" is no member of %s; did you mean \"%s\"?", name,
                        table->an_entity, nearest);
  return tally_throw (error, TALLY_ERROR_USAGE,
                      "column \"%s\" is no member of %s; leave it out with \"keep\" or \"drop\", "
                      "name it \"%s<%s>\" to fill a custom field, or name it in \"ignore\"", name,
                      table->an_entity, table->custom_prefix, table->custom_name);
}

static gboolean
add_custom (ZendeskPlan *plan, guint column, const TallyColumn *what, GError **error)
{
  const char *name = what->name + strlen (plan->table->custom_prefix);
  ZendeskCustomColumn *custom = &plan->custom[plan->n_custom];

  if (*name == '\0')
    return tally_throw (error, TALLY_ERROR_USAGE, "column \"%s\" names no field", what->name);
  if (strlen (name) >= ZENDESK_MAX_TITLE)
    return tally_throw (error, TALLY_ERROR_USAGE, "column \"%.40s…\" names a field by more than %d bytes%s", what->name,
                        ZENDESK_MAX_TITLE - 1, plan->table->fields_have_keys ? "" : "; name it by its id");
  if (plan->n_custom == ZENDESK_MAX_CUSTOM)
    return tally_throw (error, TALLY_ERROR_USAGE, "more than %d columns are custom fields",
                        ZENDESK_MAX_CUSTOM);

  g_strlcpy (custom->name, name, ZENDESK_MAX_TITLE);
  custom->column = column;
  custom->type = what->type;
  plan->n_custom++;
  return TRUE;
}

static gboolean
add_column (ZendeskPlan *plan, ZendeskMode mode, guint column, const TallyColumn *what, GError **error)
{
  const ZendeskTable *table = plan->table;
  const char *hint;
  gint i;

  if (g_str_has_prefix (what->name, table->custom_prefix))
    return add_custom (plan, column, what, error);
  i = find_member (table, what->name, mode);
  if (i < 0)
    return refuse_name (table, what->name, mode, error);
  if (!zendesk_form_takes (table->members[i].form, what->type, &hint))
    return tally_throw (error, TALLY_ERROR_USAGE, "column \"%s\" cannot be of type %s; %s", what->name,
                        tally_type_name (what->type), hint);
  plan->columns[i] = (gint) column;
  plan->types[i] = what->type;
  return TRUE;
}

gboolean
zendesk_plan_accept (ZendeskPlan *plan, const ZendeskTable *table, ZendeskMode mode, TallySchema *schema,
                     const char *const *ignored, GError **error)
{
  memset (plan, 0, sizeof *plan);
  plan->table = table;
  plan->mode = mode;
  for (guint i = 0; i < ZENDESK_MAX_MEMBERS; i++)
    plan->columns[i] = -1;

  for (guint i = 0; i < tally_schema_n_columns (schema); i++)
    {
      const TallyColumn *column = tally_schema_column (schema, i);

      if (ignored != NULL && g_strv_contains (ignored, column->name))
        continue;
      /* There for the key alone, unless the record has a member of its name. */
      if (tally_schema_is_key (schema, i) && find_member (table, column->name, mode) < 0
          && !g_str_has_prefix (column->name, table->custom_prefix))
        continue;
      if (!add_column (plan, mode, i, column, error))
        return FALSE;
    }
  return table->check == NULL || table->check (plan, error);
}

gboolean
zendesk_plan_gives (const ZendeskPlan *plan, const TallyBatch *batch, guint row, guint member)
{
  gint column = plan->columns[member];

  return column >= 0 && !tally_batch_is_null (batch, row, (guint) column);
}

char *
zendesk_plan_dup (const ZendeskPlan *plan, const TallyBatch *batch, guint row, guint member)
{
  if (!zendesk_plan_gives (plan, batch, row, member))
    return NULL;
  return zendesk_value_dup_text (batch, row, (guint) plan->columns[member]);
}

gboolean
zendesk_plan_append (const ZendeskPlan *plan, const TallyBatch *batch, guint row, guint member, GString *out,
                     GError **error)
{
  const ZendeskMember *what = &plan->table->members[member];

  return zendesk_form_append (what->form, what->choices, batch, row, (guint) plan->columns[member],
                              plan->types[member], out, error);
}
