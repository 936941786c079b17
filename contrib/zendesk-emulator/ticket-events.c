/* ticket-events.c: an audit as the export of ticket events tells it
 *
 * The record is made from the audit's own JSON, so that the two never tell different things.
 */
#include "ticket-events.h"

#include "ticket-json.h"

#include <string.h>

static void
write_time_of (const char *text, GString *out)
{
  gint64 seconds = 0;
  g_autoptr (json_object) value = json_object_new_string (text);

  emu_json_get_time (value, &seconds);
  emu_json_add_number (out, seconds);
}

static void
add_member (GString *out, const char *name, json_object *value)
{
  g_string_append_printf (out, ",\"%s\":%s", name,
                          json_object_to_json_string_ext (
                              value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void
write_comment (json_object *comment, gboolean in_full, GString *out)
{
  static const char *const members[] = { "type",       "author_id", "body",        "html_body",
                                         "plain_body", "public",    "attachments", "audit_id" };

  g_string_append (out, ",\"event_type\":\"Comment\"");
  if (!in_full)
    {
      g_string_append (out, ",\"comment_present\":true");
      add_member (out, "comment_public", emu_json_get (comment, "public"));
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    add_member (out, members[i], emu_json_get (comment, members[i]));
}

/* What changed is a member of its own: "status":"open". */
static void
write_field (json_object *change, GString *out)
{
  g_autofree char *name = emu_json_dup_text (emu_json_get (change, "field_name"));
  g_autofree char *type = emu_json_dup_text (emu_json_get (change, "type"));

  add_member (out, name, emu_json_get (change, "value"));
  if (g_str_equal (type, "Change"))
    add_member (out, "previous_value", emu_json_get (change, "previous_value"));
  g_string_append_printf (out, ",\"event_type\":\"%s\"", type);
}

static void
write_children (json_object *events, gboolean with_comments, GString *out)
{
  for (gsize i = 0; i < json_object_array_length (events); i++)
    {
      json_object *event = json_object_array_get_idx (events, i);
      const char *type = json_object_get_string (emu_json_get (event, "type"));

      g_string_append (out, i > 0 ? ",{\"id\":" : "{\"id\":");
      emu_json_add_number (out, json_object_get_int64 (emu_json_get (event, "id")));
      g_string_append (out, ",\"via\":\"Web service\",\"via_reference_id\":null");
      if (strcmp (type, "Comment") == 0)
        write_comment (event, with_comments, out);
      else
        write_field (event, out);
      g_string_append_c (out, '}');
    }
}

void
emu_ticket_event_write (const Emulator *emu, const EmuTicketEvent *event, gboolean with_comments,
                        GString *out)
{
  const EmuTicket *ticket = emu->tickets->all->pdata[event->ticket];
  g_autoptr (GString) text = g_string_new (NULL);

  emu_ticket_write_audit (ticket, event->audit, emu->users->admin->id, emu->base_url, text);
  g_autoptr (json_object) audit = emu_json_parse (text->str, text->len, EMU_JSON_DEPTH);
  const char *created = json_object_get_string (emu_json_get (audit, "created_at"));

  g_string_append (out, "{\"id\":");
  emu_json_add_number (out, json_object_get_int64 (emu_json_get (audit, "id")));
  g_string_append_printf (out, ",\"ticket_id\":%" G_GINT64_FORMAT ",\"timestamp\":", ticket->id);
  write_time_of (created, out);
  add_member (out, "created_at", emu_json_get (audit, "created_at"));
  add_member (out, "updater_id", emu_json_get (audit, "author_id"));
  g_string_append (out, ",\"via\":\"Web service\"");
  add_member (out, "system", emu_json_get (emu_json_get (audit, "metadata"), "system"));
  g_string_append (out, ",\"event_type\":\"Audit\",\"child_events\":[");
  if (!ticket->scrubbed)
    write_children (emu_json_get (audit, "events"), with_comments, out);
  g_string_append (out, "]}");
}
