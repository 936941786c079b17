/* history.c: what really happened, in order */
#include "history.h"

#include "clock.h"
#include "json.h"

static void
clear_ref (GRefString **text)
{
  g_clear_pointer (text, g_ref_string_release);
}

static void
event_clear (gpointer data)
{
  EmuEvent *event = data;

  clear_ref (&event->path);
  clear_ref (&event->key);
  clear_ref (&event->external_id);
  clear_ref (&event->details);
}

EmuHistory *
emu_history_new (void)
{
  EmuHistory *history = g_new0 (EmuHistory, 1);

  history->events = g_array_new (FALSE, FALSE, sizeof (EmuEvent));
  g_array_set_clear_func (history->events, event_clear);
  return history;
}

void
emu_history_free (EmuHistory *history)
{
  if (history == NULL)
    return;
  g_array_unref (history->events);
  g_free (history);
}

guint
emu_history_add (EmuHistory *history, const EmuEvent *event)
{
  g_array_append_vals (history->events, event, 1);
  return history->events->len - 1;
}

void
emu_history_note (EmuHistory *history, gint64 time, const char *what, const char *details)
{
  EmuEvent event = { .time = time, .note = what, .details = g_ref_string_new (details) };

  emu_history_add (history, &event);
}

EmuEvent *
emu_history_get (EmuHistory *history, guint place)
{
  return &g_array_index (history->events, EmuEvent, place);
}

static void
add_member (GString *out, const char *name, const char *text)
{
  g_string_append_printf (out, ",\"%s\":", name);
  emu_json_add_text (out, text);
}

void
emu_history_write (EmuHistory *history, guint place, GString *out)
{
  const EmuEvent *event = emu_history_get (history, place);
  char time[EMU_CLOCK_SIZE];

  emu_clock_format (event->time, time);
  g_string_append_printf (out, "{\"seq\":%u,\"event\":\"%s\",\"time\":\"%s\"", place + 1,
                          event->note != NULL  ? event->note
                          : event->ticket != 0 ? "created"
                                               : "request",
                          time);
  if (event->note != NULL)
    {
      g_string_append_printf (out, ",%s}\n", event->details);
      return;
    }
  if (event->ticket != 0)
    {
      g_string_append_printf (out, ",\"id\":%" G_GINT64_FORMAT, event->ticket);
      add_member (out, "external_id", event->external_id);
      add_member (out, "key", event->key);
      g_string_append_printf (out, ",\"notified\":%s}\n", event->notified ? "true" : "false");
      return;
    }
  add_member (out, "method", event->method);
  add_member (out, "path", event->path);
  add_member (out, "key", event->key);
  add_member (out, "external_id", event->external_id);
  g_string_append (out, ",\"status\":");
  emu_json_add_id (out, event->status);
  add_member (out, "outcome", event->outcome != NULL ? event->outcome : "at-work");
  add_member (out, "fault", event->fault);
  add_member (out, "lookup", event->lookup);
  g_string_append_printf (
      out, ",\"body\":\"%016" G_GINT64_MODIFIER "x\",\"connection\":%u,\"answered\":%s%s}\n",
      event->body, event->connection, event->answered ? "true" : "false",
      event->leaked ? ",\"leaked\":true" : "");
}

guint64
emu_history_hash (const char *data, gsize length)
{
  guint64 hash = G_GUINT64_CONSTANT (14695981039346656037);

  for (gsize i = 0; i < length; i++)
    hash = (hash ^ (guchar)data[i]) * G_GUINT64_CONSTANT (1099511628211);
  return hash;
}
