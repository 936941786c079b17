/* deleted.c: tickets that were deleted, and may come back for a while */
#include "deleted.h"

#include "pages.h"

static gboolean
is_waiting (const EmuTicket *ticket)
{
  return ticket != NULL && ticket->deleted && !ticket->scrubbed;
}

/* What is archived is listed nowhere. */
static gpointer
get_deleted (const EmuList *list, guint place)
{
  EmuTicket *ticket = list->x->emu->tickets->all->pdata[place];

  return is_waiting (ticket) && !ticket->archived ? ticket : NULL;
}

static void
write_deleted (const EmuList *list, gpointer row, GString *out)
{
  const EmuTicket *ticket = row;
  const EmuUser *actor = list->x->emu->users->admin;

  g_string_append_printf (out, "{\"id\":%" G_GINT64_FORMAT ",\"subject\":", ticket->id);
  emu_json_add_text (out, ticket->subject);
  g_string_append_printf (out, ",\"actor\":{\"id\":%" G_GINT64_FORMAT ",\"name\":", actor->id);
  emu_json_add_text (out, actor->name);
  g_string_append (out, "},\"deleted_at\":");
  emu_json_add_time (out, ticket->generated);
  g_string_append (out, ",\"previous_state\":");
  emu_json_add_text (out, emu_statuses[ticket->status]);
  g_string_append_c (out, '}');
}

void
emu_list_deleted (EmuExchange *x)
{
  EmuList list = { .x = x,
                   .name = "deleted_tickets",
                   .order = "nice_id",
                   .n_places = x->emu->tickets->all->len,
                   .get = get_deleted,
                   .write = write_deleted,
                   .more = (char *)"" };

  for (guint i = 0; i < list.n_places; i++)
    list.n_rows += get_deleted (&list, i) != NULL;
  emu_list_answer (&list);
}

void
emu_restore_ticket (EmuExchange *x)
{
  EmuTicket *ticket = emu_tickets_get (x->emu->tickets, x->id);

  if (!is_waiting (ticket))
    {
      emu_answer_not_found (&x->answer);
      return;
    }
  emulator_restore (x->emu, ticket, emu_clock_seconds (&x->emu->clock));
  emu_answer_set (&x->answer, 200, NULL, "restored", "{}");
}

/* Those that are not there to be restored are passed over. */
void
emu_restore_many (EmuExchange *x)
{
  const char *ids = emu_query (x, "ids");
  g_auto (GStrv) words = g_strsplit (ids != NULL ? ids : "", ",", EMU_MAX_PAGE + 1);

  if (g_strv_length (words) > EMU_MAX_PAGE)
    {
      emu_answer_too_many (&x->answer, "ids");
      return;
    }
  for (char **word = words; *word != NULL; word++)
    {
      EmuTicket *ticket = emu_tickets_get (x->emu->tickets, g_ascii_strtoll (*word, NULL, 10));

      if (is_waiting (ticket))
        emulator_restore (x->emu, ticket, emu_clock_seconds (&x->emu->clock));
    }
  emu_answer_set (&x->answer, 200, NULL, "restored", "{}");
}
