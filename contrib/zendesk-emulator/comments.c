/* comments.c: what was said in a ticket, and what was done to it */
#include "comments.h"

#include "api.h"
#include "sideload.h"
#include "ticket-json.h"

static gpointer
get_comment (const EmuList *list, guint place)
{
  return &g_array_index (((EmuTicket *)list->data)->comments, EmuComment, place);
}

static void
write_comment (const EmuList *list, gpointer row, GString *out)
{
  const char *pictures = emu_query (list->x, "include_inline_images");

  emu_comment_write (row, g_strcmp0 (pictures, "true") == 0, list->x->emu->base_url, out);
}

static void
sideload_authors (const EmuList *list, const GPtrArray *rows, GString *out)
{
  g_autoptr (EmuIds) ids = emu_ids_new ();

  if (!emu_query_has (list->x, "include", "users"))
    return;
  for (guint i = 0; i < rows->len; i++)
    emu_ids_add (ids, ((EmuComment *)rows->pdata[i])->author);
  emu_sideload_write_users (list->x->emu, ids, out);
}

/* With a cursor sort= counts, without one sort_order=; the other is ignored. */
static gboolean
is_descending (EmuExchange *x)
{
  if (emu_query (x, "page[size]") != NULL)
    return g_strcmp0 (emu_query (x, "sort"), "-created_at") == 0;
  return g_strcmp0 (emu_query (x, "sort_order"), "desc") == 0;
}

void
emu_list_comments (EmuExchange *x)
{
  static const char *const repeated[]
      = { "sort", "sort_order", "include", "include_inline_images", NULL };
  EmuTicket *ticket = emu_api_find_ticket (x);
  EmuList list = { .x = x,
                   .name = "comments",
                   .order = is_descending (x) ? "-created_at" : "created_at",
                   .data = ticket,
                   .descending = is_descending (x),
                   .get = get_comment,
                   .write = write_comment,
                   .sideload = sideload_authors };

  if (ticket == NULL)
    return;
  list.more = emu_query_dup (x, repeated);
  list.n_places = list.n_rows = ticket->comments->len;
  emu_list_answer (&list);
  g_free (list.more);
}

/* A row is a number, from 1 on. */
static gpointer
get_audit (const EmuList *list, guint place)
{
  return GUINT_TO_POINTER (place + 1);
}

static void
write_audit (const EmuList *list, gpointer row, GString *out)
{
  const Emulator *emu = list->x->emu;

  emu_ticket_write_audit (list->data, GPOINTER_TO_UINT (row) - 1, emu->users->admin->id,
                          emu->base_url, out);
}

/* (transfer full): the @i-th audit, as an object */
static json_object *
read_audit (const Emulator *emu, const EmuTicket *ticket, guint i)
{
  g_autoptr (GString) text = g_string_new (NULL);

  emu_ticket_write_audit (ticket, i, emu->users->admin->id, emu->base_url, text);
  return emu_json_parse (text->str, text->len, EMU_JSON_DEPTH);
}

static void
sideload_auditors (const EmuList *list, const GPtrArray *rows, GString *out)
{
  g_autoptr (EmuIds) ids = emu_ids_new ();

  if (!emu_query_has (list->x, "include", "users"))
    return;
  for (guint i = 0; i < rows->len; i++)
    {
      g_autoptr (json_object) audit
          = read_audit (list->x->emu, list->data, GPOINTER_TO_UINT (rows->pdata[i]) - 1);

      emu_ids_add (ids, json_object_get_int64 (emu_json_get (audit, "author_id")));
    }
  emu_sideload_write_users (list->x->emu, ids, out);
}

void
emu_list_audits (EmuExchange *x)
{
  static const char *const repeated[] = { "include", NULL };
  EmuTicket *ticket = emu_api_find_ticket (x);
  EmuList list = { .x = x,
                   .name = "audits",
                   .order = "created_at",
                   .data = ticket,
                   .get = get_audit,
                   .write = write_audit,
                   .sideload = sideload_auditors };

  if (ticket == NULL)
    return;
  list.more = emu_query_dup (x, repeated);
  list.n_places = list.n_rows = emu_ticket_get_n_audits (ticket);
  emu_list_answer (&list);
  g_free (list.more);
}

void
emu_show_audit (EmuExchange *x)
{
  EmuTicket *ticket = emu_api_find_ticket (x);
  gint64 id = x->word != NULL ? g_ascii_strtoll (x->word, NULL, 10) : 0;

  for (guint i = 0; ticket != NULL && i < emu_ticket_get_n_audits (ticket); i++)
    {
      g_autoptr (json_object) audit = read_audit (x->emu, ticket, i);

      if (json_object_get_int64 (emu_json_get (audit, "id")) != id)
        continue;
      g_string_append_printf (emu_answer_begin (&x->answer, 200, "shown"), "{\"audit\":%s}",
                              json_object_to_json_string_ext (audit, JSON_C_TO_STRING_PLAIN));
      return;
    }
  emu_answer_not_found (&x->answer);
}
