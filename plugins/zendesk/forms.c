/* forms.c: what a member of a request holds */
#include "forms.h"
#include "text.h"
#include "values.h"

#include <string.h>

#define BIT(type) (1u << TALLY_TYPE_##type)

/* Types that a form takes without guessing. */
static const struct
{
  guint types;
  const char *hint;
} forms[] = {
  [ZENDESK_FORM_TEXT] = { BIT (TEXT), "cast it with ::text" },
  [ZENDESK_FORM_BODY] = { BIT (TEXT), "cast it with ::text" },
  [ZENDESK_FORM_HTML] = { BIT (TEXT), "cast it with ::text" },
  [ZENDESK_FORM_ID] = { BIT (BIGINT) | BIT (NUMERIC) | BIT (TEXT), "cast it with ::bigint" },
  [ZENDESK_FORM_IDS] = { BIT (JSONB) | BIT (TEXT) | BIT (BIGINT) | BIT (NUMERIC), "cast it with ::text" },
  [ZENDESK_FORM_BOOLEAN] = { BIT (BOOLEAN) | BIT (TEXT), "cast it with ::boolean" },
  [ZENDESK_FORM_CHOICE] = { BIT (TEXT), "map it to text with CASE" },
  [ZENDESK_FORM_TAGS] = { BIT (JSONB) | BIT (TEXT), "cast it with ::text" },
  [ZENDESK_FORM_TIME] = { BIT (TIMESTAMPTZ) | BIT (TIMESTAMP) | BIT (DATE), "cast it with ::timestamptz" },
  [ZENDESK_FORM_LIST] = { BIT (JSONB), "cast it with ::jsonb" },
  [ZENDESK_FORM_TOKENS] = { BIT (JSONB) | BIT (TEXT), "cast it with ::text" },
  [ZENDESK_FORM_FILES] = { BIT (JSONB) | BIT (TEXT), "cast it with ::jsonb" },
  [ZENDESK_FORM_NAME] = { BIT (TEXT), "cast it with ::text" },
  [ZENDESK_FORM_OURS] = { 0, "" },
};

gboolean
zendesk_form_takes (ZendeskForm form, TallyType type, const char **ret_hint)
{
  if (forms[form].types & (1u << type))
    return TRUE;
  if (ret_hint != NULL)
    *ret_hint = forms[form].hint;
  return FALSE;
}

static gboolean
append_choice (const char *const *choices, const char *text, GString *out, GError **error)
{
  if (g_strv_contains (choices, text))
    {
      zendesk_append_string (text, out);
      return TRUE;
    }

  g_autofree char *shown = zendesk_text_clean (text, strlen (text), 60);
  g_autofree char *all = g_strjoinv (", ", (char **) choices);
  return tally_throw (error, TALLY_ERROR_DATA, "\"%s\" is none of: %s", shown, all);
}

static gboolean
append_boolean (const TallyBatch *batch, guint row, guint column, TallyType type, GString *out, GError **error)
{
  gboolean value;

  if (!zendesk_value_boolean (batch, row, column, type, &value, error))
    return FALSE;
  g_string_append (out, value ? "true" : "false");
  return TRUE;
}

static gboolean
append_words (const TallyBatch *batch, guint row, guint column, TallyType type, const char *separators,
              GString *out, GError **error)
{
  g_autoptr (GPtrArray) words = zendesk_value_words (batch, row, column, type, separators, error);

  if (words == NULL)
    return FALSE;
  zendesk_words_append (words, out);
  return TRUE;
}

static gboolean
append_ids (const TallyBatch *batch, guint row, guint column, TallyType type, GString *out, GError **error)
{
  g_autoptr (GPtrArray) words = zendesk_value_words (batch, row, column, type, ZENDESK_SEPARATORS, error);

  if (words == NULL)
    return FALSE;
  g_string_append_c (out, '[');
  for (guint i = 0; i < words->len; i++)
    {
      g_string_append (out, i > 0 ? "," : "");
      if (!zendesk_id_append (words->pdata[i], out, error))
        return FALSE;
    }
  g_string_append_c (out, ']');
  return TRUE;
}

gboolean
zendesk_form_append (ZendeskForm form, const char *const *choices, const TallyBatch *batch, guint row, guint column,
                     TallyType type, GString *out, GError **error)
{
  g_autofree char *text = NULL;

  switch (form)
    {
    case ZENDESK_FORM_ID:
      return zendesk_value_id (batch, row, column, type, out, error);
    case ZENDESK_FORM_IDS:
      return append_ids (batch, row, column, type, out, error);
    case ZENDESK_FORM_TIME:
      return zendesk_value_time (batch, row, column, type, out, error);
    case ZENDESK_FORM_LIST:
      return zendesk_value_list (batch, row, column, out, error);
    case ZENDESK_FORM_BOOLEAN:
      return append_boolean (batch, row, column, type, out, error);
    case ZENDESK_FORM_TOKENS:
      return append_words (batch, row, column, type, "", out, error);
    case ZENDESK_FORM_TAGS:
      return append_words (batch, row, column, type, ZENDESK_SEPARATORS, out, error);
    case ZENDESK_FORM_CHOICE:
      text = zendesk_value_dup_text (batch, row, column);
      return append_choice (choices, text, out, error);
    default:
      text = zendesk_value_dup_text (batch, row, column);
      zendesk_append_string (text, out);
      return TRUE;
    }
}
