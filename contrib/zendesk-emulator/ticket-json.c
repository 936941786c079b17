/* ticket-json.c: a ticket, its comments and its audits as the service shows them */
#include "ticket-json.h"

#include <string.h>

#define VIA "{\"channel\":\"api\",\"source\":{\"from\":{},\"to\":{},\"rel\":null}}"
#define LIT(out, text) g_string_append_len ((out), (text), sizeof (text) - 1)

static void
write_ids (GString *out, const GArray *ids)
{
  g_string_append_c (out, '[');
  for (guint i = 0; ids != NULL && i < ids->len; i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      emu_json_add_number (out, g_array_index (ids, gint64, i));
    }
  g_string_append_c (out, ']');
}

static void
write_values (GString *out, const EmuTicket *ticket, const EmuFields *fields)
{
  g_string_append_c (out, '[');
  for (guint i = 0; i < fields->custom->len; i++)
    {
      g_string_append (out, i > 0 ? ",{\"id\":" : "{\"id\":");
      emu_json_add_number (out, ((EmuField *)fields->custom->pdata[i])->id);
      LIT (out, ",\"value\":");
      g_string_append (out, ticket->values != NULL && *ticket->values[i] != '\0' ? ticket->values[i]
                                                                                 : "null");
      g_string_append_c (out, '}');
    }
  g_string_append_c (out, ']');
}

static void
add_id (GString *out, const char *name, gint64 id)
{
  g_string_append (out, name);
  emu_json_add_id (out, id);
}

static void
add_choice (GString *out, const char *name, const char *const *choices, gint64 choice)
{
  g_string_append (out, name);
  emu_json_add_text (out, choice != 0 ? choices[choice] : NULL);
}

static void
write_head (const EmuTicket *ticket, const char *base_url, gboolean fresh, GString *out)
{
  LIT (out, "{\"url\":\"");
  g_string_append (out, base_url);
  LIT (out, "/api/v2/tickets/");
  emu_json_add_number (out, ticket->id);
  LIT (out, ".json\",\"id\":");
  emu_json_add_number (out, ticket->id);
  LIT (out, ",\"external_id\":");
  emu_json_add_text (out, ticket->external_id);
  LIT (out, ",\"via\":" VIA ",\"created_at\":");
  emu_json_add_moment (out, ticket->created);
  LIT (out, ",\"updated_at\":");
  emu_json_add_moment (out, ticket->updated);
  LIT (out, ",\"generated_timestamp\":");
  emu_json_add_number (out, fresh ? 0 : ticket->generated);
  add_choice (out, ",\"type\":", emu_types, ticket->type);
  LIT (out, ",\"subject\":");
  emu_json_add_text (out, ticket->subject);
  LIT (out, ",\"raw_subject\":");
  emu_json_add_text (out, ticket->subject);
  LIT (out, ",\"description\":");
  emu_json_add_text (out, g_array_index (ticket->comments, EmuComment, 0).body);
  add_choice (out, ",\"priority\":", emu_priorities, ticket->priority);
  LIT (out, ",\"status\":");
  emu_json_add_text (out, ticket->deleted ? "deleted" : emu_statuses[ticket->status]);
  LIT (out, ",\"recipient\":");
  emu_json_add_text (out, ticket->recipient);
}

void
emu_ticket_write (const EmuTicket *ticket, const EmuFields *fields, const char *base_url,
                  gboolean fresh, GString *out)
{
  write_head (ticket, base_url, fresh, out);
  add_id (out, ",\"requester_id\":", ticket->requester);
  add_id (out, ",\"submitter_id\":", ticket->submitter);
  add_id (out, ",\"assignee_id\":", ticket->assignee);
  add_id (out, ",\"organization_id\":", ticket->organization);
  add_id (out, ",\"group_id\":", ticket->group);
  LIT (out, ",\"collaborator_ids\":");
  write_ids (out, ticket->collaborators);
  LIT (out, ",\"follower_ids\":");
  write_ids (out, ticket->followers);
  LIT (out, ",\"email_cc_ids\":");
  write_ids (out, ticket->ccs);
  add_id (out, ",\"forum_topic_id\":null,\"problem_id\":", ticket->problem);
  LIT (out, ",\"has_incidents\":false,\"is_public\":");
  g_string_append (out, ticket->is_public ? "true" : "false");
  LIT (out, ",\"due_at\":");
  emu_json_add_time (out, ticket->due);
  LIT (out, ",\"tags\":");
  emu_json_add_tags (out, ticket->tags);

  LIT (out, ",\"custom_fields\":");
  gsize from = out->len;
  write_values (out, ticket, fields);
  gsize length = out->len - from;
  add_id (out, ",\"satisfaction_rating\":null,\"sharing_agreement_ids\":[],\"custom_status_id\":",
          ticket->custom_status);
  LIT (out, ",\"fields\":"); /* the same list once more */
  g_string_set_size (out, out->len + length);
  memcpy (out->str + out->len - length, out->str + from, length);

  add_id (out, ",\"followup_ids\":[],\"ticket_form_id\":", ticket->form);
  add_id (out, ",\"brand_id\":", ticket->brand);
  LIT (out, ",\"allow_channelback\":false,\"allow_attachments\":true,"
            "\"from_messaging_channel\":false}");
}

static void
write_escaped (GString *out, const char *text, gboolean break_lines)
{
  for (const char *p = text; *p != '\0'; p++)
    if (*p == '<')
      LIT (out, "&lt;");
    else if (*p == '>')
      LIT (out, "&gt;");
    else if (*p == '&')
      LIT (out, "&amp;");
    else if (*p == '\n' && break_lines)
      LIT (out, "<br>");
    else
      g_string_append_c (out, *p);
}

/* A picture in the text is one that the text refers to. */
static gboolean
is_inline (const EmuComment *comment, const EmuAttachment *attachment)
{
  return comment->html != NULL && strstr (comment->html, attachment->secret) != NULL;
}

static void
write_attachments (const EmuComment *comment, gboolean with_inline, const char *base_url,
                   GString *out)
{
  gboolean first = TRUE;

  g_string_append_c (out, '[');
  for (guint i = 0; comment->attachments != NULL && i < comment->attachments->len; i++)
    {
      const EmuAttachment *attachment = comment->attachments->pdata[i];
      gboolean in_text = is_inline (comment, attachment);

      if (in_text && !with_inline)
        continue;
      g_string_append (out, first ? "" : ",");
      first = FALSE;
      emu_attachment_write (attachment, in_text, base_url, out);
    }
  g_string_append_c (out, ']');
}

/* {"id",…,"public","attachments"}, still open: the members that audits and lists share. */
static void
write_comment_body (const EmuComment *comment, gboolean with_inline, const char *base_url,
                    GString *out)
{
  g_autoptr (GString) html = g_string_sized_new (strlen (comment->body) + 128);

  LIT (html, "<div class=\"zd-comment\" dir=\"auto\">");
  if (comment->html != NULL)
    g_string_append (html, comment->html);
  else
    {
      LIT (html, "<p dir=\"auto\">");
      write_escaped (html, comment->body, TRUE);
      LIT (html, "</p>");
    }
  LIT (html, "</div>");

  add_id (out, "{\"id\":", comment->id);
  add_id (out, ",\"type\":\"Comment\",\"author_id\":", comment->author);
  LIT (out, ",\"body\":");
  emu_json_add_text (out, comment->body);
  LIT (out, ",\"html_body\":");
  emu_json_add_text (out, html->str);
  LIT (out, ",\"plain_body\":");
  emu_json_add_text (out, comment->body);
  LIT (out, ",\"public\":");
  g_string_append (out, comment->is_public ? "true" : "false");
  LIT (out, ",\"attachments\":");
  write_attachments (comment, with_inline, base_url, out);
  add_id (out, ",\"audit_id\":", comment->audit_id);
}

static void
write_metadata (const char *client, const char *address, GString *out)
{
  LIT (out, ",\"metadata\":{\"system\":{\"client\":");
  emu_json_add_text (out, client);
  LIT (out, ",\"ip_address\":");
  emu_json_add_text (out, address);
  LIT (out, ",\"location\":null,\"latitude\":null,\"longitude\":null},\"custom\":{}}");
}

void
emu_comment_write (const EmuComment *comment, gboolean with_inline, const char *base_url,
                   GString *out)
{
  write_comment_body (comment, with_inline, base_url, out);
  LIT (out, ",\"via\":" VIA ",\"created_at\":");
  emu_json_add_moment (out, comment->created);
  write_metadata (comment->client, comment->address, out);
  g_string_append_c (out, '}');
}

typedef enum
{
  AUDITED_ID,
  AUDITED_CHOICE,
  AUDITED_TEXT,
  AUDITED_TAGS,
} Audited;

/* What audits speak of, beside comments. */
static const struct
{
  const char *name;
  gsize offset;
  Audited type;
  const char *const *choices;
} audited[] = {
  { "subject", G_STRUCT_OFFSET (EmuTicket, subject), AUDITED_TEXT },
  { "requester_id", G_STRUCT_OFFSET (EmuTicket, requester) },
  { "assignee_id", G_STRUCT_OFFSET (EmuTicket, assignee) },
  { "organization_id", G_STRUCT_OFFSET (EmuTicket, organization) },
  { "group_id", G_STRUCT_OFFSET (EmuTicket, group) },
  { "brand_id", G_STRUCT_OFFSET (EmuTicket, brand) },
  { "ticket_form_id", G_STRUCT_OFFSET (EmuTicket, form) },
  { "tags", G_STRUCT_OFFSET (EmuTicket, tags), AUDITED_TAGS },
  { "type", G_STRUCT_OFFSET (EmuTicket, type), AUDITED_CHOICE, emu_types },
  { "priority", G_STRUCT_OFFSET (EmuTicket, priority), AUDITED_CHOICE, emu_priorities },
  { "status", G_STRUCT_OFFSET (EmuTicket, status), AUDITED_CHOICE, emu_statuses },
};

G_STATIC_ASSERT (G_N_ELEMENTS (audited) + 3 <= EMU_CREATE_IDS);

/* In audits every value is a text, but for lists. */
static void
write_audited (GString *out, const EmuTicket *ticket, guint i)
{
  gconstpointer place = G_STRUCT_MEMBER_P (ticket, audited[i].offset);
  gint64 number;

  switch (audited[i].type)
    {
    case AUDITED_TEXT:
      emu_json_add_text (out, *(char *const *)place);
      return;
    case AUDITED_TAGS:
      emu_json_add_tags (out, *(const GStrv *)place);
      return;
    default:
      number = *(const gint64 *)place;
    }
  if (audited[i].type == AUDITED_CHOICE || number == 0)
    emu_json_add_text (out, number != 0 ? audited[i].choices[number] : NULL);
  else
    {
      g_string_append_c (out, '"');
      emu_json_add_number (out, number);
      g_string_append_c (out, '"');
    }
}

static gboolean
has_tags (const GStrv tags)
{
  return tags != NULL && *tags != NULL;
}

static gboolean
is_set (const EmuTicket *ticket, guint i)
{
  gconstpointer place = G_STRUCT_MEMBER_P (ticket, audited[i].offset);

  if (audited[i].type == AUDITED_TAGS)
    return has_tags (*(const GStrv *)place);
  return audited[i].type == AUDITED_TEXT ? *(char *const *)place != NULL
                                         : *(const gint64 *)place != 0;
}

static gboolean
is_changed (const EmuTicket *ticket, const EmuTicket *before, guint i)
{
  gconstpointer now = G_STRUCT_MEMBER_P (ticket, audited[i].offset);
  gconstpointer then = G_STRUCT_MEMBER_P (before, audited[i].offset);

  switch (audited[i].type)
    {
    case AUDITED_TEXT:
      return g_strcmp0 (*(char *const *)now, *(char *const *)then) != 0;
    case AUDITED_TAGS:
      if (!has_tags (*(const GStrv *)now) || !has_tags (*(const GStrv *)then))
        return has_tags (*(const GStrv *)now) != has_tags (*(const GStrv *)then);
      return !g_strv_equal (*(const char *const *const *)now, *(const char *const *const *)then);
    default:
      return *(const gint64 *)now != *(const gint64 *)then;
    }
}

/* {"id",…,"events":[ */
static void
open_audit (const EmuTicket *ticket, gint64 id, gint64 created, gint64 author, const char *client,
            const char *address, GString *out)
{
  add_id (out, "{\"id\":", id);
  add_id (out, ",\"ticket_id\":", ticket->id);
  LIT (out, ",\"created_at\":");
  emu_json_add_moment (out, created);
  add_id (out, ",\"author_id\":", author);
  write_metadata (client, address, out);
  LIT (out, ",\"events\":[");
}

/* The audit of the creation, with the first comment and all that was set. */
static void
write_first_audit (const EmuTicket *ticket, gint64 author, const char *base_url, GString *out)
{
  const EmuComment *first = &g_array_index (ticket->comments, EmuComment, 0);
  gint64 id = ticket->first_id + 2;

  open_audit (ticket, ticket->first_id, ticket->imported ? first->created : ticket->created,
              ticket->imported ? first->author : author, ticket->client, ticket->address, out);
  write_comment_body (first, TRUE, base_url, out);
  g_string_append_c (out, '}');
  for (guint i = 0; i < G_N_ELEMENTS (audited); i++)
    if (is_set (ticket, i))
      {
        add_id (out, ",{\"id\":", id++);
        LIT (out, ",\"type\":\"Create\",\"field_name\":\"");
        g_string_append (out, audited[i].name);
        LIT (out, "\",\"value\":");
        write_audited (out, ticket, i);
        g_string_append_c (out, '}');
      }
  LIT (out, "],\"via\":" VIA "}");
}

void
emu_ticket_write_created (const EmuTicket *ticket, const EmuFields *fields, gint64 author,
                          const char *base_url, GString *out)
{
  LIT (out, "{\"ticket\":");
  emu_ticket_write (ticket, fields, base_url, TRUE, out);
  LIT (out, ",\"audit\":");
  write_first_audit (ticket, author, base_url, out);
  g_string_append_c (out, '}');
}

void
emu_ticket_write_audit (const EmuTicket *ticket, guint i, gint64 author, const char *base_url,
                        GString *out)
{
  const EmuComment *comment;

  if (i >= ticket->n_initial)
    g_string_append (out, ticket->audits->pdata[i - ticket->n_initial]);
  else if (i == 0 && ticket->first_audit != NULL)
    g_string_append (out, ticket->first_audit);
  else if (i == 0)
    write_first_audit (ticket, author, base_url, out);
  else
    {
      comment = &g_array_index (ticket->comments, EmuComment, i);
      open_audit (ticket, comment->audit_id, comment->created, comment->author, comment->client,
                  comment->address, out);
      write_comment_body (comment, TRUE, base_url, out);
      LIT (out, "}],\"via\":" VIA "}");
    }
}

void
emu_ticket_write_status_audit (const EmuTicket *ticket, const char *status, const char *before,
                               gint64 author, gint64 ids, gint64 now, GString *out)
{
  open_audit (ticket, ids, now, author, NULL, NULL, out);
  add_id (out, "{\"id\":", ids + 1);
  LIT (out, ",\"type\":\"Change\",\"field_name\":\"status\",\"value\":");
  emu_json_add_text (out, status);
  LIT (out, ",\"previous_value\":");
  emu_json_add_text (out, before);
  LIT (out, "}],\"via\":" VIA "}");
}

void
emu_ticket_write_update_audit (const EmuTicket *ticket, const EmuTicket *before, gboolean commented,
                               gint64 author, gint64 ids, const char *client, const char *address,
                               const char *base_url, GString *out)
{
  gboolean first = !commented;

  open_audit (ticket, ids, ticket->updated, author, client, address, out);
  if (commented)
    {
      write_comment_body (&g_array_index (ticket->comments, EmuComment, ticket->comments->len - 1),
                          TRUE, base_url, out);
      g_string_append_c (out, '}');
    }
  ids += 2;
  for (guint i = 0; i < G_N_ELEMENTS (audited); i++)
    if (is_changed (ticket, before, i))
      {
        add_id (out, first ? "{\"id\":" : ",{\"id\":", ids++);
        first = FALSE;
        LIT (out, ",\"type\":\"Change\",\"field_name\":\"");
        g_string_append (out, audited[i].name);
        LIT (out, "\",\"value\":");
        write_audited (out, ticket, i);
        LIT (out, ",\"previous_value\":");
        write_audited (out, before, i);
        g_string_append_c (out, '}');
      }
  LIT (out, "],\"via\":" VIA "}");
}
