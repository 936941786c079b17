/* lists.c: the lists of tickets */
#include "lists.h"

#include "pages.h"
#include "ticket-json.h"

#include <stdlib.h>
#include <string.h>

#define MAX_EXPORT 1000
#define EXPORT_LAG 60 /* seconds that an export is behind */

static gpointer
if_visible (EmuTicket *ticket)
{
  return ticket != NULL && !ticket->deleted && !ticket->archived ? ticket : NULL;
}

static gpointer
get_by_id (const EmuList *list, guint place)
{
  return if_visible (list->x->emu->tickets->all->pdata[place]);
}

static gpointer
get_by_change (const EmuList *list, guint place)
{
  return if_visible (emu_tickets_get_change (list->x->emu->tickets, place));
}

static gpointer
get_of_external_id (const EmuList *list, guint place)
{
  EmuTicket *ticket = if_visible (((GPtrArray *)list->data)->pdata[place]);
  Emulator *emu = list->x->emu;

  if (ticket == NULL || ticket->created + emu->config.lookup_lag > emu_clock_seconds (&emu->clock))
    return NULL;
  return ticket;
}

static void
write_ticket (const EmuList *list, gpointer row, GString *out)
{
  emu_ticket_write (row, list->x->emu->fields, list->x->emu->base_url, FALSE, out);
}

static void
list_external_id (EmuList *list, const char *external_id)
{
  g_autofree char *escaped = g_uri_escape_string (external_id, NULL, FALSE);
  GPtrArray *found = emu_tickets_lookup (list->x->emu->tickets, external_id);

  list->more = g_strdup_printf ("external_id=%s&", escaped);
  list->data = found;
  list->get = get_of_external_id;
  list->n_places = found != NULL ? found->len : 0;
  list->n_rows = 0;
  for (guint i = 0; i < list->n_places; i++)
    list->n_rows += list->get (list, i) != NULL;
}

/* FALSE, with an answer, for an order that this paging does not know. */
static gboolean
choose_order (EmuList *list)
{
  EmuExchange *x = list->x;
  gboolean by_cursor = emu_query (x, "page[size]") != NULL;
  const char *sort = emu_query (x, by_cursor ? "sort" : "sort_by"), *name = sort;
  const char *direction = by_cursor ? NULL : emu_query (x, "sort_order");

  if (by_cursor && name != NULL && *name == '-')
    name++;
  list->descending = name != sort || g_strcmp0 (direction, "desc") == 0;
  if (name == NULL || g_str_equal (name, "id") || (!by_cursor && g_str_equal (name, "created_at")))
    list->order = list->descending ? "-nice_id" : "nice_id";
  else if (g_str_equal (name, "updated_at"))
    {
      list->order = list->descending ? "-updated_at" : "updated_at";
      list->get = get_by_change;
      list->n_places = x->emu->tickets->changes->len;
    }
  else
    {
      emu_answer_bad_page (&x->answer, "InvalidPaginationParameter",
                           "sort is not valid. It must be id or updated_at");
      return FALSE;
    }
  g_free (list->more);
  list->more = sort == NULL ? g_strdup ("")
               : by_cursor  ? g_strdup_printf ("sort=%s&", sort)
                            : g_strdup_printf ("sort_by=%s&sort_order=%s&", name,
                                              list->descending ? "desc" : "asc");
  return TRUE;
}

void
emu_list_tickets (EmuExchange *x)
{
  const char *external_id = emu_query (x, "external_id");
  EmuList list = { .x = x,
                   .name = "tickets",
                   .order = "nice_id",
                   .n_places = x->emu->tickets->all->len,
                   .n_rows = x->emu->tickets->n_live,
                   .get = get_by_id,
                   .write = write_ticket };

  if (external_id != NULL)
    list_external_id (&list, external_id);
  else if (!choose_order (&list))
    return;
  emu_list_answer (&list);
  g_free (list.more);
}

static gpointer
get_comment (const EmuList *list, guint place)
{
  return &g_array_index (((EmuTicket *)list->data)->comments, EmuComment, place);
}

static void
write_comment (const EmuList *list, gpointer row, GString *out)
{
  emu_comment_write (row, list->data, out);
}

void
emu_list_comments (EmuExchange *x)
{
  EmuTicket *ticket = emu_tickets_get (x->emu->tickets, x->id);
  const char *sort = emu_query (x, "sort"), *order = emu_query (x, "sort_order");
  EmuList list
      = { .x = x,
          .name = "comments",
          .order = "created_at",
          .data = ticket,
          .descending = g_strcmp0 (sort, "-created_at") == 0 || g_strcmp0 (order, "desc") == 0,
          .get = get_comment,
          .write = write_comment,
          .more = (char *)"" };

  if (ticket == NULL || ticket->deleted)
    {
      emu_answer_not_found (&x->answer);
      return;
    }
  list.n_places = list.n_rows = ticket->comments->len;
  emu_list_answer (&list);
}

static gint
compare_ids (gconstpointer a, gconstpointer b)
{
  const EmuTicket *one = *(EmuTicket *const *)a, *other = *(EmuTicket *const *)b;

  return one->id < other->id ? -1 : one->id > other->id;
}

/* The order is the tickets' own, not the one that was asked for. */
void
emu_show_many (EmuExchange *x)
{
  const char *ids = emu_query (x, "ids");
  g_auto (GStrv) words = g_strsplit (ids != NULL ? ids : "", ",", -1);
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();
  EmuList list = { .x = x, .name = "tickets", .write = write_ticket };

  if (g_strv_length (words) > EMU_MAX_PAGE)
    {
      emu_answer_set (&x->answer, 400, NULL, "too-many",
                      "{\"error\":\"TooManyValues\",\"description\":\"Parameter ids cannot specify "
                      "more than 100 values\",\"max_count\":100}");
      return;
    }
  for (char **word = words; *word != NULL; word++)
    {
      EmuTicket *ticket = emu_tickets_get (x->emu->tickets, g_ascii_strtoll (*word, NULL, 10));

      if (ticket != NULL && !ticket->deleted && !g_ptr_array_find (rows, ticket, NULL))
        g_ptr_array_add (rows, ticket);
    }
  g_ptr_array_sort (rows, compare_ids);

  GString *out = emu_answer_begin (&x->answer, 200, "listed");
  emu_list_write_rows (&list, rows, out);
  emu_list_write_whole (rows->len, out);
}

/* Where the export begins: behind the cursor, or at the start time.  FALSE with an answer. */
static gboolean
find_start (EmuExchange *x, guint *ret_entry)
{
  const char *cursor = emu_query (x, "cursor"), *start = emu_query (x, "start_time");
  gint64 time;
  gsize length = 0;

  if (cursor != NULL)
    {
      g_autofree guchar *text = g_base64_decode (cursor, &length);
      g_autofree char *copy = g_strndup ((char *)text, length);
      const char *bar = strstr (copy, "||");

      if (bar == NULL || !g_ascii_isdigit (bar[2]))
        {
          emu_answer_bad_attribute (&x->answer,
                                    "You passed an invalid value for the cursor attribute.");
          return FALSE;
        }
      *ret_entry = (guint)g_ascii_strtoull (bar + 2, NULL, 10);
      return TRUE;
    }
  if (start == NULL || !g_ascii_string_to_signed (start, 10, 0, G_MAXINT64, &time, NULL))
    {
      emu_answer_bad_attribute (&x->answer, "You passed an invalid value for the start_time "
                                            "attribute. must be an integer");
      return FALSE;
    }
  if (time > emu_clock_seconds (&x->emu->clock) - EXPORT_LAG)
    {
      emu_answer_error (&x->answer, 422, "InvalidValue",
                        "Too recent start_time. Use a start_time older than 60 seconds");
      return FALSE;
    }
  *ret_entry = emu_tickets_find_change (x->emu->tickets, time);
  return TRUE;
}

void
emu_export_tickets (EmuExchange *x)
{
  EmuTickets *tickets = x->emu->tickets;
  gint64 size = emu_query_number (x, "per_page", MAX_EXPORT, 1, MAX_EXPORT);
  gboolean no_deleted = g_strcmp0 (emu_query (x, "exclude_deleted"), "true") == 0;
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();
  EmuList list = { .x = x, .name = "tickets", .write = write_ticket };
  guint entry, end;

  if (!find_start (x, &entry))
    return;
  end = emu_tickets_find_change (tickets, emu_clock_seconds (&x->emu->clock) - EXPORT_LAG);
  for (; entry < end && rows->len < size; entry++)
    {
      EmuTicket *ticket = emu_tickets_get_change (tickets, entry);

      if (ticket != NULL && !(no_deleted && ticket->deleted))
        g_ptr_array_add (rows, ticket);
    }

  gint64 time = entry > 0 && entry <= tickets->changes->len
                    ? g_array_index (tickets->changes, EmuChange, entry - 1).time
                    : 0;
  g_autofree char *plain = g_strdup_printf ("%" G_GINT64_FORMAT ".0||%u|", time, entry);
  g_autofree char *cursor = g_base64_encode ((guchar *)plain, strlen (plain));
  g_autofree char *escaped = g_uri_escape_string (cursor, NULL, FALSE);
  GString *out = emu_answer_begin (&x->answer, 200, "exported");

  emu_list_write_rows (&list, rows, out);
  g_string_append_printf (out,
                          ",\"after_url\":\"%s/api/v2/incremental/tickets/cursor.json?cursor=%s\","
                          "\"before_url\":null,\"after_cursor\":\"%s\",\"before_cursor\":null,"
                          "\"end_of_stream\":%s}",
                          x->emu->base_url, escaped, cursor, entry >= end ? "true" : "false");
}
