/* ticket-parts.c: what is asked about a ticket apart: its tags, its people, where it comes from */
#include "people-api.h"
#include "sideload.h"

/* --- tags --- */

static void
answer_tags (EmuExchange *x, const EmuTicket *ticket, guint status, const char *outcome)
{
  GString *out = emu_answer_begin (&x->answer, status, outcome);

  g_string_append (out, "{\"tags\":");
  emu_json_add_tags (out, ticket->tags);
  g_string_append_c (out, '}');
}

static void
show_tags (EmuExchange *x)
{
  const EmuTicket *ticket = emu_api_find_ticket (x);

  if (ticket != NULL)
    answer_tags (x, ticket, 200, "shown");
}

/* The tags that the ticket has, without those in @except. */
static json_object *
list_tags (const EmuTicket *ticket, const GStrv except)
{
  json_object *list = json_object_new_array ();

  for (guint i = 0; ticket->tags != NULL && ticket->tags[i] != NULL; i++)
    if (except == NULL || !g_strv_contains ((const char *const *)except, ticket->tags[i]))
      json_object_array_add (list, json_object_new_string (ticket->tags[i]));
  return list;
}

/* What the ticket's tags are to be, as a request for a change would say it. */
static json_object *
make_wish (const EmuTicket *ticket, const char *method, json_object *body)
{
  g_auto (GStrv) named = emu_json_dup_tags (emu_json_get (body, "tags"));
  json_object *root = json_object_new_object (), *wish = json_object_new_object ();
  json_object *tags = g_str_equal (method, "DELETE") ? list_tags (ticket, named)
                      : g_str_equal (method, "PUT")  ? list_tags (ticket, NULL)
                                                     : json_object_new_array ();

  if (!g_str_equal (method, "DELETE"))
    for (guint i = 0; named != NULL && named[i] != NULL; i++)
      json_object_array_add (tags, json_object_new_string (named[i]));
  json_object_object_add (wish, "tags", tags);
  json_object_object_add (root, "ticket", wish);
  return root;
}

/* POST sets, PUT adds, DELETE takes away. */
static void
change_tags (EmuExchange *x)
{
  Emulator *emu = x->emu;
  gint64 now = emu_clock_now (&emu->clock);
  EmuTicket *ticket = emu_api_find_ticket (x);
  g_autoptr (GString) audit = g_string_new (NULL);

  if (ticket == NULL || !emu_api_has_json (x))
    return;
  g_autoptr (json_object) root = make_wish (ticket, x->method, x->json);
  g_autoptr (EmuDraft) draft
      = emulator_read_draft (emu, EMU_UPDATE, root, ticket, now / G_USEC_PER_SEC);
  EmuOrigin origin = {
    .client = x->client, .address = x->address, .json = root, .time = now, .arrived = x->arrived
  };

  emu_draft_check_update (draft, ticket);
  g_autofree char *details = emu_problems_dup_details (&draft->problems);
  if (details != NULL)
    {
      emu_answer_invalid (&x->answer, details);
      return;
    }
  emulator_update (emu, ticket, draft, &origin, audit);
  if (g_str_equal (x->method, "DELETE"))
    emu_answer_set (&x->answer, 204, NULL, "updated", "");
  else
    answer_tags (x, ticket, g_str_equal (x->method, "POST") ? 201 : 200, "updated");
}

/* --- people --- */

static void
answer_people (EmuExchange *x, const GArray *ids)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();

  for (guint i = 0; ids != NULL && i < ids->len; i++)
    {
      EmuUser *user = emu_users_get (x->emu->users, g_array_index (ids, gint64, i));

      if (user != NULL)
        g_ptr_array_add (rows, user);
    }
  emu_answer_rows (x, "users", rows, emu_write_user_row);
}

static void
list_collaborators (EmuExchange *x)
{
  const EmuTicket *ticket = emu_api_find_ticket (x);

  if (ticket != NULL)
    answer_people (x, ticket->collaborators);
}

static void
list_followers (EmuExchange *x)
{
  const EmuTicket *ticket = emu_api_find_ticket (x);

  if (ticket != NULL)
    answer_people (x, ticket->followers);
}

static void
list_ccs (EmuExchange *x)
{
  const EmuTicket *ticket = emu_api_find_ticket (x);

  if (ticket != NULL)
    answer_people (x, ticket->ccs);
}

/* --- where it comes from --- */

static void
show_related (EmuExchange *x)
{
  const EmuTicket *ticket = emu_api_find_ticket (x);
  GString *out;

  if (ticket == NULL)
    return;
  out = emu_answer_begin (&x->answer, 200, "shown");
  g_string_append_printf (out,
                          "{\"ticket_related\":{\"url\":\"%s/api/v2/tickets/%" G_GINT64_FORMAT
                          "/related.json\",\"topic_id\":null,\"jira_issue_ids\":[],"
                          "\"followup_source_ids\":[",
                          x->emu->base_url, ticket->id);
  if (ticket->followup_source != 0)
    g_string_append_printf (out, "%" G_GINT64_FORMAT, ticket->followup_source);
  g_string_append_printf (out, "],\"from_archive\":%s,\"incidents\":0,\"twitter\":{}}}",
                          ticket->archived ? "true" : "false");
}

const EmuRoute emu_ticket_part_routes[] = {
  { "GET", "tickets/#/tags", show_tags },
  { "POST", "tickets/#/tags", change_tags, EMU_BUCKET_UPDATE, EMU_BUCKET_TICKET },
  { "PUT", "tickets/#/tags", change_tags, EMU_BUCKET_UPDATE, EMU_BUCKET_TICKET },
  { "DELETE", "tickets/#/tags", change_tags, EMU_BUCKET_UPDATE, EMU_BUCKET_TICKET },
  { "GET", "tickets/#/collaborators", list_collaborators },
  { "GET", "tickets/#/followers", list_followers },
  { "GET", "tickets/#/email_ccs", list_ccs },
  { "GET", "tickets/#/related", show_related },
  { 0 },
};
