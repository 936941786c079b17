/* metrics.c: the measures of a ticket */
#include "metrics.h"

#include "api.h"
#include "ticket-json.h"

static guint
count_replies (const EmuTicket *ticket)
{
  guint n = 0;

  for (guint i = 1; i < ticket->comments->len; i++)
    {
      const EmuComment *comment = &g_array_index (ticket->comments, EmuComment, i);

      n += comment->is_public && comment->author != ticket->requester;
    }
  return n;
}

void
emu_metrics_write (const Emulator *emu, const EmuTicket *ticket, GString *out)
{
  static const char *const spans[]
      = { "reply_time",      "first_resolution_time", "full_resolution_time",
          "agent_wait_time", "requester_wait_time",   "on_hold_time" };
  const EmuComment *last = &g_array_index (ticket->comments, EmuComment, ticket->comments->len - 1);
  gint64 id = ticket->first_id + EMU_CREATE_IDS - 1;
  const struct
  {
    const char *name;
    gint64 time;
  } times[] = {
    { "created_at", ticket->created },
    { "updated_at", ticket->updated },
    { "assignee_updated_at", 0 },
    { "requester_updated_at", ticket->updated },
    { "status_updated_at", ticket->updated },
    { "initially_assigned_at", 0 },
    { "assigned_at", 0 },
    { "solved_at", ticket->solved },
    { "latest_comment_added_at", last->created },
  };

  g_string_append_printf (out,
                          "{\"url\":\"%s/api/v2/ticket_metrics/%" G_GINT64_FORMAT
                          ".json\",\"id\":%" G_GINT64_FORMAT ",\"ticket_id\":%" G_GINT64_FORMAT
                          ",\"group_stations\":%d,\"assignee_stations\":%d,\"reopens\":0,"
                          "\"replies\":%u",
                          emu->base_url, id, id, ticket->id, ticket->group != 0,
                          ticket->assignee != 0, count_replies (ticket));
  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    {
      g_string_append_printf (out, ",\"%s\":", times[i].name);
      emu_json_add_time (out, times[i].time);
    }
  for (guint i = 0; i < G_N_ELEMENTS (spans); i++)
    g_string_append_printf (out, ",\"%s_in_minutes\":{\"calendar\":null,\"business\":null}",
                            spans[i]);
  g_string_append_c (out, '}');
}

void
emu_show_metrics (EmuExchange *x)
{
  const EmuTicket *ticket = emu_api_find_ticket (x);
  GString *out;

  if (ticket == NULL)
    return;
  out = emu_answer_begin (&x->answer, 200, "shown");
  g_string_append (out, "{\"ticket_metric\":");
  emu_metrics_write (x->emu, ticket, out);
  g_string_append_c (out, '}');
}
