/* render.c: a record becomes the bytes of a request */
#include "render.h"
#include "parts.h"
#include "text.h"
#include "values.h"
#include "writer.h"

#include <string.h>

/* The ticket's text, which must be there and fit; ret_parts gets what it was split into, or NULL. */
static gboolean
take_body (const ZendeskRender *render, const TallyBatch *batch, guint row, ZendeskMemberIndex member,
           const char *reference, char **ret_text, GPtrArray **ret_parts, GError **error)
{
  const char *name = zendesk_ticket_table.members[member].name;
  g_autofree char *text = zendesk_plan_dup (render->plan, batch, row, member);
  g_autofree char *status = zendesk_plan_dup (render->plan, batch, row, ZENDESK_MEMBER_STATUS);
  gsize length = text != NULL ? strlen (text) : 0;

  if (zendesk_text_is_blank (text))
    return tally_throw (error, TALLY_ERROR_DATA,
                        "the ticket has no text: \"%s\" is empty, and Zendesk takes none without; a "
                        "\"set\" with coalesce(nullif(trim(…), ''), '(no text)') would give it one", name);
  if (length <= ZENDESK_MAX_BODY)
    {
      *ret_text = g_steal_pointer (&text);
      return TRUE;
    }
  if (member == ZENDESK_MEMBER_HTML_BODY || render->long_body == ZENDESK_LONG_REJECT)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "\"%s\" has %" G_GSIZE_FORMAT " bytes, and Zendesk would cut it off after %d%s",
                        name, length, ZENDESK_MAX_BODY,
                        member == ZENDESK_MEMBER_HTML_BODY
                            ? ""
                            : "; \"long-body: split\" makes several comments of it");
  if (g_strcmp0 (status, "closed") == 0)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "\"%s\" has %" G_GSIZE_FORMAT " bytes and needs more than one comment, but a "
                        "closed ticket takes no more comments", name, length);

  *ret_parts = zendesk_parts_split (text, ZENDESK_MAX_BODY, ZENDESK_MAX_PARTS, reference);
  if (*ret_parts == NULL)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "\"%s\" has %" G_GSIZE_FORMAT " bytes, more than fit into %d comments", name,
                        length, ZENDESK_MAX_PARTS);
  *ret_text = g_strdup ((*ret_parts)->pdata[0]);
  return TRUE;
}

static gboolean
append_comment_body (const ZendeskRender *render, const TallyBatch *batch, guint row,
                     const char *reference, ZendeskWriter *writer, GPtrArray **ret_parts,
                     gboolean *ret_placeholder, GError **error)
{
  ZendeskMemberIndex member = render->plan->columns[ZENDESK_MEMBER_HTML_BODY] >= 0
                                  ? ZENDESK_MEMBER_HTML_BODY
                              : render->plan->columns[ZENDESK_MEMBER_BODY] >= 0
                                  ? ZENDESK_MEMBER_BODY
                                  : ZENDESK_MEMBER_DESCRIPTION;
  g_autofree char *text = NULL;

  if (!take_body (render, batch, row, member, reference, &text, ret_parts, error))
    return FALSE;
  *ret_placeholder = strstr (text, "{{") != NULL;
  zendesk_writer_begin (writer, member == ZENDESK_MEMBER_HTML_BODY ? "comment.html_body" : "comment.body");
  zendesk_append_string (text, writer->out);
  if (!zendesk_plan_gives (render->plan, batch, row, ZENDESK_MEMBER_PUBLIC)) /* left out, it would be inherited */
    {
      zendesk_writer_begin (writer, "comment.public");
      g_string_append (writer->out, "true");
    }
  return TRUE;
}

static gboolean
append_tags (const ZendeskRender *render, const TallyBatch *batch, guint row, ZendeskWriter *writer,
             GError **error)
{
  g_autoptr (GPtrArray) words = NULL;

  if (zendesk_plan_gives (render->plan, batch, row, ZENDESK_MEMBER_TAGS))
    words = zendesk_value_words (batch, row, (guint) render->plan->columns[ZENDESK_MEMBER_TAGS],
                                 render->plan->types[ZENDESK_MEMBER_TAGS], ZENDESK_SEPARATORS, error);
  else
    words = g_ptr_array_new_with_free_func (g_free);
  if (words == NULL)
    return FALSE;

  for (guint i = 0; render->tags != NULL && render->tags[i] != NULL; i++)
    zendesk_words_add (words, g_strdup (render->tags[i]));
  if (render->run_tag != NULL)
    zendesk_words_add (words, g_strdup (render->run_tag));
  if (words->len == 0)
    return TRUE;
  zendesk_writer_begin (writer, "tags");
  zendesk_words_append (words, writer->out);
  return TRUE;
}

/* What no single member can tell. */
static gboolean
check_row (const ZendeskRender *render, const TallyBatch *batch, guint row, GError **error)
{
  g_autofree char *type = zendesk_plan_dup (render->plan, batch, row, ZENDESK_MEMBER_TYPE);

  if (zendesk_plan_gives (render->plan, batch, row, ZENDESK_MEMBER_DUE_AT) && g_strcmp0 (type, "task") != 0)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "\"due_at\" is set, but \"type\" is not \"task\": Zendesk would drop it");
  if (zendesk_plan_gives (render->plan, batch, row, ZENDESK_MEMBER_REQUESTER_ID)
      && (zendesk_plan_gives (render->plan, batch, row, ZENDESK_MEMBER_REQUESTER_EMAIL)
          || zendesk_plan_gives (render->plan, batch, row, ZENDESK_MEMBER_REQUESTER_NAME)))
    return tally_throw (error, TALLY_ERROR_DATA,
                        "both \"requester_id\" and a new \"requester\" are set; only one can count");
  return TRUE;
}

static gboolean
append_custom_fields (const ZendeskRender *render, const TallyBatch *batch, guint row, ZendeskWriter *writer,
                      GError **error)
{
  gboolean first = TRUE;

  for (guint i = 0; i < render->plan->n_custom; i++)
    {
      const ZendeskCustomColumn *column = &render->plan->custom[i];
      const ZendeskField *field = render->fields->pdata[column->field];

      if (tally_batch_is_null (batch, row, column->column))
        continue;
      if (first)
        zendesk_writer_begin (writer, "custom_fields");
      g_string_append_printf (writer->out, "%s{\"id\":%" G_GINT64_FORMAT ",\"value\":",
                              first ? "[" : ",", field->id);
      first = FALSE;
      if (!zendesk_field_render (field, batch, row, column, writer->out, error))
        return tally_throw_prefix (error, "custom_fields.%s", column->name);
      g_string_append_c (writer->out, '}');
    }
  if (!first)
    g_string_append_c (writer->out, ']');
  return TRUE;
}

static gboolean
append_members (const ZendeskRender *render, const TallyBatch *batch, guint row, const char *reference,
                ZendeskWriter *writer, GPtrArray **ret_parts, gboolean *ret_placeholder, GError **error)
{
  zendesk_writer_begin (writer, "external_id");
  zendesk_append_string (reference, writer->out);

  for (guint i = 0; i < ZENDESK_N_MEMBERS; i++)
    if (i == ZENDESK_MEMBER_BODY)
      {
        if (!append_comment_body (render, batch, row, reference, writer, ret_parts, ret_placeholder,
                                  error))
          return FALSE;
      }
    else if (i == ZENDESK_MEMBER_TAGS)
      {
        if (!append_tags (render, batch, row, writer, error))
          return tally_throw_prefix (error, "tags");
      }
    else if (i != ZENDESK_MEMBER_DESCRIPTION && i != ZENDESK_MEMBER_HTML_BODY
             && zendesk_plan_gives (render->plan, batch, row, i))
      {
        zendesk_writer_begin (writer, zendesk_ticket_table.members[i].name);
        if (!zendesk_plan_append (render->plan, batch, row, i, writer->out, error))
          return tally_throw_prefix (error, "%s", zendesk_ticket_table.members[i].name);
      }
  return append_custom_fields (render, batch, row, writer, error);
}

/* The further parts, on a line of their own: the JSON before them has no line break. */
static void
append_parts (const GPtrArray *parts, GString *out)
{
  g_string_append_c (out, '\n');
  for (guint i = 1; i < parts->len; i++)
    {
      g_string_append_c (out, i == 1 ? '[' : ',');
      zendesk_append_string (parts->pdata[i], out);
    }
  g_string_append_c (out, ']');
}

gboolean
zendesk_render (const ZendeskRender *render, const TallyBatch *batch, guint row, const char *reference,
                GString *out, gboolean *ret_placeholder, GError **error)
{
  ZendeskWriter writer = ZENDESK_WRITER_INIT (out);
  g_autoptr (GPtrArray) parts = NULL;

  if (!check_row (render, batch, row, error))
    return FALSE;
  g_string_append (out, "{\"ticket\":{");
  if (!append_members (render, batch, row, reference, &writer, &parts, ret_placeholder, error))
    return FALSE;
  zendesk_writer_end (&writer);
  g_string_append (out, "}}");
  if (parts != NULL)
    append_parts (parts, out);
  return TRUE;
}
