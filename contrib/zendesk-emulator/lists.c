/* lists.c: the lists of tickets */
#include "lists.h"

#include "api.h"

#include "sideload.h"

#define MAX_RECENT 5

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
  EmuTicket *ticket = ((GPtrArray *)list->data)->pdata[place];
  Emulator *emu = list->x->emu;

  if (ticket->deleted || (ticket->archived && !emu->config.find_archived)
      || ticket->arrived + emu->config.lookup_lag > emu_clock_seconds (&emu->clock))
    return NULL;
  return ticket;
}

static void
write_ticket (const EmuList *list, gpointer row, GString *out)
{
  emu_sideload_write_ticket (list->x, row, out);
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
                   .write = write_ticket,
                   .sideload = emu_sideload_tickets };

  if (external_id != NULL)
    list_external_id (&list, external_id);
  else if (!choose_order (&list))
    return;
  emu_list_answer (&list);
  g_free (list.more);
}

/* --- whose tickets they are --- */

static gboolean
is_requested (const EmuTicket *ticket, gint64 id)
{
  return ticket->requester == id;
}

static gboolean
is_assigned (const EmuTicket *ticket, gint64 id)
{
  return ticket->assignee == id;
}

static gboolean
is_of_organization (const EmuTicket *ticket, gint64 id)
{
  return ticket->organization == id;
}

typedef struct
{
  gboolean (*test) (const EmuTicket *ticket, gint64 id);
} Relation;

static gpointer
get_related (const EmuList *list, guint place)
{
  const Relation *relation = list->data;
  EmuTicket *ticket = get_by_id (list, place);

  return ticket != NULL && relation->test (ticket, list->x->id) ? ticket : NULL;
}

/* The tickets to which the user or the organization of the route stands in this relation. */
static void
list_related (EmuExchange *x, gboolean exists, Relation relation)
{
  EmuList list = { .x = x,
                   .name = "tickets",
                   .order = "nice_id",
                   .data = &relation,
                   .n_places = x->emu->tickets->all->len,
                   .get = get_related,
                   .write = write_ticket,
                   .sideload = emu_sideload_tickets,
                   .more = (char *)"" };

  if (!exists)
    {
      emu_answer_not_found (&x->answer);
      return;
    }
  for (guint i = 0; i < list.n_places; i++)
    list.n_rows += get_related (&list, i) != NULL;
  emu_list_answer (&list);
}

static gboolean
is_user (const EmuExchange *x)
{
  return emu_users_get (x->emu->users, x->id) != NULL;
}

static void
list_requested (EmuExchange *x)
{
  list_related (x, is_user (x), (Relation){ is_requested });
}

static void
list_assigned (EmuExchange *x)
{
  list_related (x, is_user (x), (Relation){ is_assigned });
}

static void
list_ccd (EmuExchange *x)
{
  list_related (x, is_user (x), (Relation){ emu_ticket_is_copied_to });
}

static void
list_followed (EmuExchange *x)
{
  list_related (x, is_user (x), (Relation){ emu_ticket_is_followed_by });
}

static void
list_of_organization (EmuExchange *x)
{
  gboolean exists = emu_organizations_get (x->emu->organizations, x->id) != NULL;

  list_related (x, exists, (Relation){ is_of_organization });
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
  EmuList list
      = { .x = x, .name = "tickets", .write = write_ticket, .sideload = emu_sideload_tickets };

  if (g_strv_length (words) > EMU_MAX_PAGE)
    {
      emu_answer_too_many (&x->answer, "ids");
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

/* What the administrator, who is everybody here, looked at last: the newest. */
static void
list_recent (EmuExchange *x)
{
  const EmuTickets *tickets = x->emu->tickets;
  g_autoptr (GPtrArray) rows = g_ptr_array_new ();
  EmuList list
      = { .x = x, .name = "tickets", .write = write_ticket, .sideload = emu_sideload_tickets };

  for (guint i = tickets->all->len; i > 0 && rows->len < MAX_RECENT; i--)
    if (if_visible (tickets->all->pdata[i - 1]) != NULL)
      g_ptr_array_add (rows, tickets->all->pdata[i - 1]);

  GString *out = emu_answer_begin (&x->answer, 200, "listed");
  emu_list_write_rows (&list, rows, out);
  emu_list_write_whole (rows->len, out);
}

const EmuRoute emu_list_routes[] = {
  { "GET", "tickets/recent", list_recent },
  { "GET", "users/#/tickets/requested", list_requested },
  { "GET", "users/#/tickets/assigned", list_assigned },
  { "GET", "users/#/tickets/ccd", list_ccd },
  { "GET", "users/#/tickets/followed", list_followed },
  { "GET", "organizations/#/tickets", list_of_organization },
  { 0 },
};
