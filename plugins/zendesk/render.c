/* render.c: a record becomes the bytes of a request */
#include "render.h"
#include "comments.h"
#include "parts.h"
#include "text.h"
#include "update.h"
#include "values.h"
#include "writer.h"

#include <string.h>

/* By it the comment of an update is found again. */
static void
add_mark (const char *reference, gboolean html, char **text)
{
  g_autofree char *before = *text, *mark = zendesk_update_mark (reference);

  *text = html ? g_strdup_printf ("%s<p>%s</p>", before, mark) : g_strdup_printf ("%s\n\n%s", before, mark);
}

/* The ticket's text, which must be there and fit; ret_parts gets what it was split into, or NULL. */
static gboolean
take_body (const ZendeskRender *render, const TallyBatch *batch, guint row, ZendeskMemberIndex member,
           const char *reference, char **ret_text, GPtrArray **ret_parts, GError **error)
{
  const char *name = zendesk_ticket_table.members[member].name;
  g_autofree char *text = zendesk_plan_dup (render->plan, batch, row, member);
  g_autofree char *status = zendesk_plan_dup (render->plan, batch, row, ZENDESK_MEMBER_STATUS);
  gsize length;

  if (render->plan->mode == ZENDESK_MODE_UPDATE && !zendesk_text_is_blank (text))
    add_mark (reference, member == ZENDESK_MEMBER_HTML_BODY, &text);
  length = text != NULL ? strlen (text) : 0;
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
                        member == ZENDESK_MEMBER_HTML_BODY || render->plan->mode == ZENDESK_MODE_UPDATE
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

/* Whether the row has a comment; a creation must have one. */
static gboolean
has_comment (const ZendeskRender *render, const TallyBatch *batch, guint row)
{
  return render->plan->mode == ZENDESK_MODE_CREATE || zendesk_plan_gives (render->plan, batch, row, ZENDESK_MEMBER_BODY)
         || zendesk_plan_gives (render->plan, batch, row, ZENDESK_MEMBER_HTML_BODY);
}

static gboolean
append_comment_body (const ZendeskRender *render, const TallyBatch *batch, guint row,
                     const char *reference, ZendeskWriter *writer, GPtrArray **ret_parts,
                     guint *ret_notes, GError **error)
{
  ZendeskMemberIndex member = render->plan->columns[ZENDESK_MEMBER_HTML_BODY] >= 0
                                  ? ZENDESK_MEMBER_HTML_BODY
                              : render->plan->columns[ZENDESK_MEMBER_BODY] >= 0
                                  ? ZENDESK_MEMBER_BODY
                                  : ZENDESK_MEMBER_DESCRIPTION;
  g_autofree char *text = NULL;

  if (!take_body (render, batch, row, member, reference, &text, ret_parts, error))
    return FALSE;
  if (strstr (text, "{{") != NULL)
    *ret_notes |= ZENDESK_NOTE_BRACES;
  zendesk_writer_begin (writer, member == ZENDESK_MEMBER_HTML_BODY ? "comment.html_body" : "comment.body");
  zendesk_append_string (text, writer->out);
  if (!zendesk_plan_gives (render->plan, batch, row, ZENDESK_MEMBER_PUBLIC)) /* left out, it would be inherited */
    {
      zendesk_writer_begin (writer, "comment.public");
      g_string_append (writer->out, "true");
    }
  return TRUE;
}

/* The files of the column.  (transfer full) (nullable) ret_files: their descriptions, or NULL. */
static gboolean
take_files (const ZendeskRender *render, const TallyBatch *batch, guint row, char **ret_files, GError **error)
{
  g_autofree char *text = zendesk_plan_dup (render->plan, batch, row, ZENDESK_MEMBER_ATTACHMENTS);
  gboolean is_json = text != NULL && render->plan->types[ZENDESK_MEMBER_ATTACHMENTS] == TALLY_TYPE_JSONB;
  g_autoptr (json_object) list = is_json ? zendesk_json_parse (text, strlen (text)) : NULL;
  GString *out;
  guint n = 0;

  *ret_files = NULL;
  if (text == NULL || zendesk_text_is_blank (text))
    return TRUE;
  if (!is_json)
    list = json_object_new_string (text);
  out = g_string_new (NULL);
  if (!zendesk_files_append (render->files, list, out, &n, error))
    {
      g_string_free (out, TRUE);
      return tally_throw_prefix (error, "attachments");
    }
  *ret_files = g_string_free (out, n == 0);
  return TRUE;
}

static gboolean
append_files (const ZendeskRender *render, const TallyBatch *batch, guint row, ZendeskWriter *writer, GError **error)
{
  g_autofree char *files = NULL;

  if (!take_files (render, batch, row, &files, error))
    return FALSE;
  if (files == NULL)
    return TRUE;
  if (!has_comment (render, batch, row))
    return tally_throw (error, TALLY_ERROR_DATA, "attachments: they belong to a comment, and there is none");
  zendesk_writer_begin (writer, "comment.uploads");
  g_string_append (writer->out, files);
  return TRUE;
}

/* --- the conversation of an import --- */

/* The column's files belong to the first comment, beside what it has. */
static gboolean
add_files (const ZendeskRender *render, const TallyBatch *batch, guint row, GPtrArray *comments, GError **error)
{
  ZendeskComment *first = comments->len > 0 ? comments->pdata[0] : NULL;
  g_autofree char *files = NULL, *before = NULL;

  if (!take_files (render, batch, row, &files, error))
    return FALSE;
  if (files == NULL || first == NULL)
    return TRUE;
  before = g_steal_pointer (&first->files);
  first->files = before == NULL ? g_steal_pointer (&files)
                                : g_strdup_printf ("%.*s,%s", (int) strlen (before) - 1, before, files + 1);
  return TRUE;
}

static gboolean
read_id (const ZendeskRender *render, const TallyBatch *batch, guint row, ZendeskMemberIndex member, gint64 *ret_id)
{
  g_autofree char *text = zendesk_plan_dup (render->plan, batch, row, member);

  return text != NULL && g_ascii_string_to_signed (g_strstrip (text), 10, 1, G_MAXINT64 - 1, ret_id, NULL);
}

/* The description was the first comment, by whom and when the ticket was made. */
static gboolean
add_description (const ZendeskRender *render, const TallyBatch *batch, guint row, GPtrArray *comments, GError **error)
{
  g_autofree char *text = zendesk_plan_dup (render->plan, batch, row, ZENDESK_MEMBER_DESCRIPTION);
  ZendeskComment *comment;
  gint column = render->plan->columns[ZENDESK_MEMBER_CREATED_AT];
  gint64 seconds;

  if (zendesk_text_is_blank (text))
    return TRUE;
  comment = g_new0 (ZendeskComment, 1);
  comment->is_public = TRUE;
  comment->text = g_steal_pointer (&text);
  g_ptr_array_insert (comments, 0, comment);
  if (!read_id (render, batch, row, ZENDESK_MEMBER_SUBMITTER_ID, &comment->author_id)
      && !read_id (render, batch, row, ZENDESK_MEMBER_REQUESTER_ID, &comment->author_id))
    comment->author_id = 0; /* then it is the requester */
  if (!zendesk_plan_gives (render->plan, batch, row, ZENDESK_MEMBER_CREATED_AT))
    return TRUE;
  if (!zendesk_value_seconds (batch, row, (guint) column, render->plan->types[ZENDESK_MEMBER_CREATED_AT], &seconds, error))
    return tally_throw_prefix (error, "created_at");
  comment->has_time = TRUE;
  comment->time = seconds * G_USEC_PER_SEC;
  return TRUE;
}

/* (transfer full) (element-type ZendeskComment) */
static GPtrArray *
take_conversation (const ZendeskRender *render, const TallyBatch *batch, guint row, guint *ret_notes, GError **error)
{
  g_autofree char *json = zendesk_plan_dup (render->plan, batch, row, ZENDESK_MEMBER_COMMENTS);
  g_autoptr (GPtrArray) comments = zendesk_comments_parse (render, json != NULL ? json : "[]", ret_notes, error);

  if (comments == NULL)
    {
      tally_throw_prefix (error, "comments");
      return NULL;
    }
  if (!add_description (render, batch, row, comments, error))
    return NULL;
  if (!zendesk_comments_order (comments, error))
    {
      tally_throw_prefix (error, "comments");
      return NULL;
    }
  return add_files (render, batch, row, comments, error) ? g_steal_pointer (&comments) : NULL;
}

static gboolean
append_conversation (const ZendeskRender *render, const TallyBatch *batch, guint row, const char *reference,
                     ZendeskWriter *writer, guint *ret_notes, GError **error)
{
  g_autoptr (GPtrArray) comments = take_conversation (render, batch, row, ret_notes, error);

  if (comments == NULL)
    return FALSE;
  if (comments->len == 0)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "the ticket has no text: neither a comment nor a \"description\", and Zendesk takes none without; "
                        "a \"set\" with coalesce(nullif(trim(…), ''), '(no text)') would give it one");
  zendesk_writer_begin (writer, "comments");
  return zendesk_comments_append (render, comments, reference, writer->out, ret_notes, error)
         || tally_throw_prefix (error, "comments");
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

  if (render->plan->mode == ZENDESK_MODE_UPDATE && !zendesk_plan_gives (render->plan, batch, row, ZENDESK_MEMBER_ID))
    return tally_throw (error, TALLY_ERROR_DATA, "\"id\" is NULL: which ticket is it?");

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

/* --- people --- */

/* Whether a member tells who somebody is, and this row does not. */
static gboolean
is_nobody (const ZendeskRender *render, const TallyBatch *batch, guint row, ZendeskMemberIndex member)
{
  const ZendeskPlan *plan = render->plan;
  gboolean has_column = plan->columns[member] >= 0;

  if (zendesk_plan_gives (plan, batch, row, member))
    return FALSE;
  switch (member)
    {
    case ZENDESK_MEMBER_REQUESTER_ID:
      return (has_column || plan->mode == ZENDESK_MODE_IMPORT)
             && !zendesk_plan_gives (plan, batch, row, ZENDESK_MEMBER_REQUESTER_EMAIL)
             && !zendesk_plan_gives (plan, batch, row, ZENDESK_MEMBER_REQUESTER_NAME);
    case ZENDESK_MEMBER_SUBMITTER_ID:
    case ZENDESK_MEMBER_COMMENT_AUTHOR_ID:
      return has_column;
    default:
      return FALSE;
    }
}

/* Left out, it would be the user whose credentials these are. */
static gboolean
append_nobody (const ZendeskRender *render, ZendeskMemberIndex member, ZendeskWriter *writer, guint *ret_notes,
               GError **error)
{
  const char *name = zendesk_ticket_table.members[member].name;

  if (render->placeholder == 0 && render->plan->mode == ZENDESK_MODE_IMPORT)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "%s: nobody is given; \"placeholder\" names a user for those who are not known", name);
  if (render->placeholder == 0)
    return TRUE;
  zendesk_writer_begin (writer, name);
  g_string_append_printf (writer->out, "%" G_GINT64_FORMAT, render->placeholder);
  *ret_notes |= ZENDESK_NOTE_PLACEHOLDER;
  return TRUE;
}

/* --- members of other kinds --- */

gboolean
zendesk_render_check_time (const ZendeskRender *render, gint64 seconds, GError **error)
{
  if (seconds >= 0 && seconds <= render->now)
    return TRUE;
  return tally_throw (error, TALLY_ERROR_DATA, "it lies %s", seconds < 0 ? "before 1970" : "in the future");
}

static gboolean
append_past (const ZendeskRender *render, const TallyBatch *batch, guint row, ZendeskMemberIndex member, GString *out,
             GError **error)
{
  gint64 seconds;

  if (!zendesk_value_seconds (batch, row, (guint) render->plan->columns[member], render->plan->types[member], &seconds, error)
      || !zendesk_render_check_time (render, seconds, error))
    return FALSE;
  zendesk_append_time (seconds, out);
  return TRUE;
}

/* Members that are given by a name, and sent by an id. */
static const struct
{
  ZendeskMemberIndex member;
  ZendeskNamesKind kind;
  const char *name;
} named[] = {
  { ZENDESK_MEMBER_ASSIGNEE, ZENDESK_NAMES_AGENT, "assignee_id" },
  { ZENDESK_MEMBER_GROUP, ZENDESK_NAMES_GROUP, "group_id" },
  { ZENDESK_MEMBER_BRAND, ZENDESK_NAMES_BRAND, "brand_id" },
  { ZENDESK_MEMBER_FORM, ZENDESK_NAMES_FORM, "ticket_form_id" },
};

gboolean
zendesk_render_needs (const ZendeskPlan *plan, ZendeskNamesKind kind)
{
  for (guint i = 0; i < G_N_ELEMENTS (named); i++)
    if (named[i].kind == kind)
      return plan->columns[named[i].member] >= 0;
  return FALSE;
}

static gboolean
append_named (const ZendeskRender *render, const TallyBatch *batch, guint row, ZendeskMemberIndex member,
              ZendeskWriter *writer, GError **error)
{
  g_autofree char *text = zendesk_plan_dup (render->plan, batch, row, member);

  for (guint i = 0; i < G_N_ELEMENTS (named); i++)
    if (named[i].member == member)
      {
        zendesk_writer_begin (writer, named[i].name);
        return zendesk_names_append (render->names[named[i].kind], text, writer->out, error);
      }
  g_return_val_if_reached (FALSE);
}

static gboolean
append_plain (const ZendeskRender *render, const TallyBatch *batch, guint row, ZendeskMemberIndex member,
              ZendeskWriter *writer, GError **error)
{
  const ZendeskMember *what = &zendesk_ticket_table.members[member];
  gboolean good;

  if (what->form == ZENDESK_FORM_NAME)
    good = append_named (render, batch, row, member, writer, error);
  else
    {
      zendesk_writer_begin (writer, what->name);
      good = what->modes == ZENDESK_MODE_IMPORT && what->form == ZENDESK_FORM_TIME
                 ? append_past (render, batch, row, member, writer->out, error)
                 : zendesk_plan_append (render->plan, batch, row, member, writer->out, error);
    }
  return good || tally_throw_prefix (error, "%s", what->name);
}

/* --- the whole --- */

typedef struct
{
  const ZendeskRender *render;
  const TallyBatch *batch;
  guint row;
  const char *reference;
  ZendeskWriter writer;
  GPtrArray *parts; /* (owned) (nullable) (element-type utf8) */
  guint notes;
} Request;

static gboolean
append_member (Request *request, ZendeskMemberIndex member, GError **error)
{
  const ZendeskRender *render = request->render;
  const TallyBatch *batch = request->batch;
  guint row = request->row;

  switch (member)
    {
    case ZENDESK_MEMBER_EXTERNAL_ID:
    case ZENDESK_MEMBER_ID:
    case ZENDESK_MEMBER_DESCRIPTION:
    case ZENDESK_MEMBER_HTML_BODY:
      return TRUE; /* ours, or a part of what follows */
    case ZENDESK_MEMBER_BODY:
      return render->plan->mode == ZENDESK_MODE_IMPORT || !has_comment (render, batch, row)
             || append_comment_body (render, batch, row, request->reference, &request->writer, &request->parts,
                                     &request->notes, error);
    case ZENDESK_MEMBER_ATTACHMENTS:
      return render->plan->mode == ZENDESK_MODE_IMPORT
             || append_files (render, batch, row, &request->writer, error);
    case ZENDESK_MEMBER_COMMENTS:
      return render->plan->mode != ZENDESK_MODE_IMPORT
             || append_conversation (render, batch, row, request->reference, &request->writer, &request->notes, error);
    case ZENDESK_MEMBER_TAGS:
      return append_tags (render, batch, row, &request->writer, error) || tally_throw_prefix (error, "tags");
    case ZENDESK_MEMBER_PUBLIC:
    case ZENDESK_MEMBER_UPLOADS:
    case ZENDESK_MEMBER_COMMENT_AUTHOR_ID:
      if (!has_comment (render, batch, row))
        return TRUE;
      G_GNUC_FALLTHROUGH;
    default:
      if (is_nobody (render, batch, row, member))
        return append_nobody (render, member, &request->writer, &request->notes, error);
      return !zendesk_plan_gives (render->plan, batch, row, member)
             || append_plain (render, batch, row, member, &request->writer, error);
    }
}

static gboolean
append_members (Request *request, GError **error)
{
  if (request->render->plan->mode != ZENDESK_MODE_UPDATE)
    {
      zendesk_writer_begin (&request->writer, "external_id");
      zendesk_append_string (request->reference, request->writer.out);
    }
  for (guint i = 0; i < ZENDESK_N_MEMBERS; i++)
    if (!append_member (request, i, error))
      return FALSE;
  return append_custom_fields (request->render, request->batch, request->row, &request->writer, error);
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

/* The line before an update. */
static gboolean
append_target (const ZendeskRender *render, const TallyBatch *batch, guint row, GString *out, GError **error)
{
  if (!zendesk_plan_append (render->plan, batch, row, ZENDESK_MEMBER_ID, out, error))
    return tally_throw_prefix (error, "id");
  g_string_append_c (out, '\n');
  return TRUE;
}

gboolean
zendesk_render (const ZendeskRender *render, const TallyBatch *batch, guint row, const char *reference,
                GString *out, guint *ret_notes, GError **error)
{
  Request request = { .render = render, .batch = batch, .row = row, .reference = reference,
                      .writer = ZENDESK_WRITER_INIT (out) };
  gboolean good;

  if (!check_row (render, batch, row, error))
    return FALSE;
  if (render->plan->mode == ZENDESK_MODE_UPDATE && !append_target (render, batch, row, out, error))
    return FALSE;
  g_string_append (out, "{\"ticket\":{");
  good = append_members (&request, error);
  zendesk_writer_end (&request.writer);
  if (good && request.writer.first)
    good = tally_throw (error, TALLY_ERROR_DATA, "nothing is given to update; a \"filter\" leaves such records out");
  g_string_append (out, "}}");
  if (good && request.parts != NULL)
    append_parts (request.parts, out);
  g_clear_pointer (&request.parts, g_ptr_array_unref);
  *ret_notes = request.notes;
  return good;
}
