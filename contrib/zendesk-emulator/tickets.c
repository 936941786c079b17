/* tickets.c: the tickets of the account and the ways to find them */
#include "tickets.h"

#define OBJECT_ID_FLOOR G_GINT64_CONSTANT (40000000000000)

const char *const emu_statuses[]
    = { "", "new", "open", "pending", "hold", "solved", "closed", NULL };
const char *const emu_priorities[] = { "", "low", "normal", "high", "urgent", NULL };
const char *const emu_types[] = { "", "problem", "incident", "question", "task", NULL };

static void
clear_ref (GRefString **text)
{
  g_clear_pointer (text, g_ref_string_release);
}

void
emu_comment_clear (gpointer data)
{
  EmuComment *comment = data;

  g_clear_pointer (&comment->body, g_free);
  g_clear_pointer (&comment->html, g_free);
  g_clear_pointer (&comment->tokens, g_strfreev);
  g_clear_pointer (&comment->attachments, g_ptr_array_unref);
  clear_ref (&comment->client);
  clear_ref (&comment->address);
}

EmuTicket *
emu_ticket_new (void)
{
  EmuTicket *ticket = g_new0 (EmuTicket, 1);

  ticket->comments = g_array_new (FALSE, FALSE, sizeof (EmuComment));
  g_array_set_clear_func (ticket->comments, emu_comment_clear);
  return ticket;
}

void
emu_ticket_free (EmuTicket *ticket)
{
  if (ticket == NULL)
    return;
  clear_ref (&ticket->external_id);
  clear_ref (&ticket->client);
  clear_ref (&ticket->address);
  g_free (ticket->subject);
  g_free (ticket->recipient);
  g_strfreev (ticket->tags);
  g_strfreev (ticket->values);
  g_clear_pointer (&ticket->collaborators, g_array_unref);
  g_clear_pointer (&ticket->followers, g_array_unref);
  g_clear_pointer (&ticket->ccs, g_array_unref);
  g_array_unref (ticket->comments);
  g_free (ticket->first_audit);
  g_clear_pointer (&ticket->audits, g_ptr_array_unref);
  g_free (ticket);
}

void
emu_ticket_add_comment (EmuTicket *ticket, EmuComment *comment)
{
  g_array_append_vals (ticket->comments, comment, 1);
  *comment = (EmuComment){ 0 };
}

static void
free_ticket (gpointer data)
{
  emu_ticket_free (data);
}

static void
free_list (gpointer data)
{
  g_ptr_array_unref (data);
}

static void
free_ref (gpointer data)
{
  g_ref_string_release (data);
}

EmuTickets *
emu_tickets_new (gint64 first_id)
{
  EmuTickets *tickets = g_new0 (EmuTickets, 1);

  tickets->all = g_ptr_array_new_with_free_func (free_ticket);
  tickets->changes = g_array_new (FALSE, FALSE, sizeof (EmuChange));
  tickets->events = g_array_new (FALSE, FALSE, sizeof (EmuTicketEvent));
  tickets->by_external = g_hash_table_new_full (g_str_hash, g_str_equal, free_ref, free_list);
  tickets->first_id = first_id;
  tickets->next_object_id = OBJECT_ID_FLOOR;
  return tickets;
}

void
emu_tickets_free (EmuTickets *tickets)
{
  if (tickets == NULL)
    return;
  g_hash_table_unref (tickets->by_external);
  g_array_unref (tickets->changes);
  g_array_unref (tickets->events);
  g_ptr_array_unref (tickets->all);
  g_free (tickets);
}

/* How many of @list are not deleted, as far as it matters: 0, 1 or 2 for more. */
static guint
count_live (const GPtrArray *list)
{
  guint n = 0;

  for (guint i = 0; i < list->len && n < 2; i++)
    n += !((EmuTicket *)list->pdata[i])->deleted;
  return n;
}

static void
file_external (EmuTickets *tickets, EmuTicket *ticket)
{
  GPtrArray *list;

  if (ticket->external_id == NULL)
    return;
  list = g_hash_table_lookup (tickets->by_external, ticket->external_id);
  if (list == NULL)
    {
      list = g_ptr_array_sized_new (1);
      g_hash_table_insert (tickets->by_external, g_ref_string_acquire (ticket->external_id), list);
    }
  if (count_live (list) == 1)
    tickets->n_duplicates++;
  g_ptr_array_add (list, ticket);
}

/* Called while @ticket still counts as live. */
static void
uncount_duplicate (EmuTickets *tickets, GPtrArray *list)
{
  guint n = 0;

  for (guint i = 0; i < list->len && n < 3; i++)
    n += !((EmuTicket *)list->pdata[i])->deleted;
  if (n == 2)
    tickets->n_duplicates--;
}

void
emu_tickets_add (EmuTickets *tickets, EmuTicket *ticket, gint64 now)
{
  ticket->id = tickets->first_id + tickets->all->len;
  ticket->arrived = now;
  g_ptr_array_add (tickets->all, ticket);
  file_external (tickets, ticket);
  tickets->n_live += !ticket->archived;
  emu_tickets_changed (tickets, ticket, now);
}

void
emu_tickets_changed (EmuTickets *tickets, EmuTicket *ticket, gint64 now)
{
  EmuChange change = { now, (guint)(ticket->id - tickets->first_id) };

  if (tickets->changes->len > 0)
    change.time
        = MAX (now, g_array_index (tickets->changes, EmuChange, tickets->changes->len - 1).time);
  ticket->generated = now;
  ticket->change = tickets->changes->len;
  g_array_append_val (tickets->changes, change);
}

guint
emu_ticket_get_n_audits (const EmuTicket *ticket)
{
  return ticket->n_initial + (ticket->audits != NULL ? ticket->audits->len : 0);
}

void
emu_tickets_log_event (EmuTickets *tickets, const EmuTicket *ticket, guint audit, gint64 now)
{
  EmuTicketEvent event = { now, (guint)(ticket->id - tickets->first_id), audit };
  guint n = tickets->events->len;

  if (n > 0)
    event.time = MAX (now, g_array_index (tickets->events, EmuTicketEvent, n - 1).time);
  g_array_append_val (tickets->events, event);
}

void
emu_tickets_delete (EmuTickets *tickets, EmuTicket *ticket, gint64 now)
{
  if (ticket->external_id != NULL)
    uncount_duplicate (tickets, emu_tickets_lookup (tickets, ticket->external_id));
  tickets->n_live -= !ticket->archived;
  tickets->n_deleted++;
  ticket->deleted = TRUE;
  emu_tickets_changed (tickets, ticket, now);
}

void
emu_tickets_restore (EmuTickets *tickets, EmuTicket *ticket, gint64 now)
{
  if (ticket->external_id != NULL
      && count_live (emu_tickets_lookup (tickets, ticket->external_id)) == 1)
    tickets->n_duplicates++;
  tickets->n_live += !ticket->archived;
  tickets->n_deleted--;
  ticket->deleted = FALSE;
  emu_tickets_changed (tickets, ticket, now);
}

void
emu_tickets_scrub (EmuTickets *tickets, EmuTicket *ticket, gint64 now)
{
  for (guint i = 0; i < ticket->comments->len; i++)
    {
      EmuComment *comment = &g_array_index (ticket->comments, EmuComment, i);

      g_free (comment->body);
      comment->body = g_strdup ("X");
      g_clear_pointer (&comment->html, g_free);
      g_clear_pointer (&comment->attachments, g_ptr_array_unref);
    }
  g_free (ticket->subject);
  ticket->subject = g_strdup ("SCRUBBED");
  g_clear_pointer (&ticket->recipient, g_free);
  g_clear_pointer (&ticket->tags, g_strfreev);
  g_clear_pointer (&ticket->values, g_strfreev);
  ticket->scrubbed = TRUE;
  emu_tickets_changed (tickets, ticket, now);
}

void
emu_tickets_rename (EmuTickets *tickets, EmuTicket *ticket, const char *external_id)
{
  if (ticket->external_id != NULL)
    {
      GPtrArray *list = emu_tickets_lookup (tickets, ticket->external_id);

      uncount_duplicate (tickets, list);
      g_ptr_array_remove (list, ticket);
      if (list->len == 0)
        g_hash_table_remove (tickets->by_external, ticket->external_id);
      clear_ref (&ticket->external_id);
    }
  if (external_id != NULL)
    ticket->external_id = g_ref_string_new (external_id);
  file_external (tickets, ticket);
}

EmuTicket *
emu_tickets_get (const EmuTickets *tickets, gint64 id)
{
  if (id < tickets->first_id || id - tickets->first_id >= tickets->all->len)
    return NULL;
  return tickets->all->pdata[id - tickets->first_id];
}

GPtrArray *
emu_tickets_lookup (const EmuTickets *tickets, const char *external_id)
{
  return g_hash_table_lookup (tickets->by_external, external_id);
}

guint
emu_tickets_find_change (const EmuTickets *tickets, gint64 time)
{
  guint low = 0, high = tickets->changes->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (tickets->changes, EmuChange, middle).time < time)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

EmuTicket *
emu_tickets_get_change (const EmuTickets *tickets, guint entry)
{
  EmuTicket *ticket
      = tickets->all->pdata[g_array_index (tickets->changes, EmuChange, entry).ticket];

  return ticket->change == entry ? ticket : NULL;
}

gint64
emu_tickets_reserve (EmuTickets *tickets, guint n)
{
  gint64 first = tickets->next_object_id;

  tickets->next_object_id += n;
  return first;
}

static gboolean
has_id (const GArray *ids, gint64 id)
{
  for (guint i = 0; ids != NULL && i < ids->len; i++)
    if (g_array_index (ids, gint64, i) == id)
      return TRUE;
  return FALSE;
}

gboolean
emu_ticket_is_copied_to (const EmuTicket *ticket, gint64 user)
{
  return has_id (ticket->ccs, user) || has_id (ticket->collaborators, user);
}

gboolean
emu_ticket_is_followed_by (const EmuTicket *ticket, gint64 user)
{
  return has_id (ticket->followers, user);
}
