/* people-api.c: what the endpoints of users, organizations and jobs have in common */
#include "people-api.h"

EmuDeed
emu_begin_deed (EmuExchange *x, EmuDeedKind kind, const char *name)
{
  return (EmuDeed){ .kind = kind,
                    .id = x->id,
                    .other = x->other,
                    .wish = name != NULL ? emu_json_get (x->json, name) : NULL,
                    .now = emu_clock_seconds (&x->emu->clock) };
}

static void
answer_failure (EmuExchange *x, const EmuOutcome *outcome)
{
  g_autofree char *details = emu_problems_dup_details (&outcome->problems);

  if (outcome->status == 422)
    emu_answer_invalid (&x->answer, details != NULL ? details : "");
  else if (outcome->status == 404)
    emu_answer_not_found (&x->answer);
  else
    emu_answer_error (&x->answer, outcome->status, outcome->error, outcome->description);
}

static void
take_warning (EmuExchange *x, const EmuOutcome *outcome, const char *route)
{
  char *warning = emu_problems_dup_warning (&outcome->problems, route,
                                            outcome->status == 201 ? "create" : "update");

  if (warning != NULL)
    emu_answer_take_header (&x->answer, "x-zendesk-api-warn", warning);
}

void
emu_answer_deed (EmuExchange *x, const EmuDeed *deed, const char *name, const char *route,
                 EmuRowWriter write)
{
  EmuList list = { .x = x };
  EmuOutcome outcome;

  emu_deed_do (x->emu, deed, &outcome);
  if (!emu_outcome_is_good (&outcome))
    answer_failure (x, &outcome);
  else if (outcome.status == 204)
    emu_answer_set (&x->answer, 204, NULL, "deleted", "");
  else
    {
      GString *out = emu_answer_begin (&x->answer, outcome.status,
                                       outcome.status == 201           ? "created"
                                       : deed->kind == EMU_USER_DELETE ? "deleted"
                                                                       : "updated");

      g_string_append_printf (out, "{\"%s\":", name);
      write (&list, outcome.record, out);
      g_string_append_c (out, '}');
      if (outcome.status == 201)
        emu_answer_take_header (&x->answer, "Location",
                                g_strdup_printf ("%s/api/v2/%s/%" G_GINT64_FORMAT ".json",
                                                 x->emu->base_url, route, outcome.id));
    }
  take_warning (x, &outcome, route);
  emu_outcome_clear (&outcome);
}

void
emu_answer_record (EmuExchange *x, const char *name, gpointer record, EmuRowWriter write)
{
  EmuList list = { .x = x };
  GString *out = emu_answer_begin (&x->answer, 200, "shown");

  g_string_append_printf (out, "{\"%s\":", name);
  write (&list, record, out);
  g_string_append_c (out, '}');
}

void
emu_answer_rows (EmuExchange *x, const char *names, const GPtrArray *rows, EmuRowWriter write)
{
  EmuList list = { .x = x, .name = names, .write = write };
  GString *out = emu_answer_begin (&x->answer, 200, "listed");

  emu_list_write_rows (&list, rows, out);
  emu_list_write_whole (rows->len, out);
}

static gpointer
get_row (const EmuList *list, guint place)
{
  return ((GPtrArray *)list->data)->pdata[place];
}

void
emu_answer_pages (EmuExchange *x, const char *names, GPtrArray *rows, EmuRowWriter write)
{
  EmuList list = { .x = x,
                   .name = names,
                   .order = "id",
                   .n_places = rows->len,
                   .n_rows = rows->len,
                   .data = rows,
                   .get = get_row,
                   .write = write,
                   .more = (char *)"" };

  emu_list_answer (&list);
}

void
emu_answer_count (EmuExchange *x, guint n)
{
  GString *out = emu_answer_begin (&x->answer, 200, "shown");

  g_string_append_printf (out, "{\"count\":{\"value\":%u,\"refreshed_at\":", n);
  emu_json_add_time (out, emu_clock_seconds (&x->emu->clock));
  g_string_append (out, "}}");
}

GStrv
emu_query_words (EmuExchange *x, const char *name)
{
  const char *text = emu_query (x, name);
  g_auto (GStrv) words = g_strsplit (text != NULL ? text : "", ",", -1);

  if (g_strv_length (words) <= EMU_MAX_PAGE)
    return g_steal_pointer (&words);
  emu_answer_too_many (&x->answer, name);
  return NULL;
}

void
emu_answer_fields (EmuExchange *x, const EmuFields *fields, const char *route)
{
  GString *out = emu_answer_begin (&x->answer, 200, "listed");

  g_string_append_printf (out, "{\"%s\":[", route);
  for (guint i = 0; i < fields->custom->len; i++)
    {
      if (i > 0)
        g_string_append_c (out, ',');
      emu_field_write_keyed (fields->custom->pdata[i], out, i, route, x->emu->base_url);
    }
  g_string_append_c (out, ']');
  emu_list_write_whole (fields->custom->len, out);
}

void
emu_answer_field (EmuExchange *x, const EmuFields *fields, const char *route, const char *name)
{
  gint place = emu_fields_find (fields, x->id);
  GString *out;

  if (place < 0)
    {
      emu_answer_not_found (&x->answer);
      return;
    }
  out = emu_answer_begin (&x->answer, 200, "shown");
  g_string_append_printf (out, "{\"%s\":", name);
  emu_field_write_keyed (fields->custom->pdata[place], out, (guint)place, route, x->emu->base_url);
  g_string_append_c (out, '}');
}

gboolean
emu_is_known (const Emulator *emu, gint64 created, gint64 lag)
{
  return created + lag <= emu_clock_seconds (&emu->clock);
}
