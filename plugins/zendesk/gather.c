/* gather.c: the comments of several tickets, asked for at once */
#include "gather.h"
#include "page.h"

/* A ticket has 5000 comments at most (section 4.1), a page 100. */
#define MAX_PAGES 60

static void
gathered_free (gpointer data)
{
  ZendeskGathered *ticket = data;

  g_string_free (ticket->comments, TRUE);
  g_free (ticket->cursor);
  g_free (ticket);
}

void
zendesk_gather_init (ZendeskGather *gather, ZendeskAccount *account, guint parallel)
{
  gather->account = account;
  gather->parallel = parallel;
  gather->tickets = g_ptr_array_new_with_free_func (gathered_free);
}

void
zendesk_gather_clear (ZendeskGather *gather)
{
  g_clear_pointer (&gather->tickets, g_ptr_array_unref);
  g_clear_error (&gather->error);
}

void
zendesk_gather_reset (ZendeskGather *gather)
{
  g_ptr_array_set_size (gather->tickets, 0);
}

void
zendesk_gather_add (ZendeskGather *gather, gint64 id)
{
  ZendeskGathered *ticket = g_new0 (ZendeskGathered, 1);

  ticket->gather = gather;
  ticket->ticket = id;
  ticket->comments = g_string_new (NULL);
  g_ptr_array_add (gather->tickets, ticket);
}

/* Adds a page's comments. */
static gboolean
take_page (ZendeskGathered *ticket, const ZendeskReply *reply, GError **error)
{
  g_auto (ZendeskPage) page = { 0 };

  if (!zendesk_page_read (&page, ZENDESK_PAGING_LIST, "comments", (TallyText){ reply->body, reply->length }, error))
    return FALSE;
  for (guint i = 0; i < page.records->len; i++)
    {
      TallyText text = g_array_index (page.records, ZendeskPageRecord, i).text;

      if (ticket->comments->len > 0)
        g_string_append_c (ticket->comments, ',');
      g_string_append_len (ticket->comments, text.data, (gssize) text.length);
    }
  ticket->n_pages++;
  ticket->done = page.ends;
  g_free (ticket->cursor);
  ticket->cursor = g_steal_pointer (&page.cursor);
  if (!ticket->done && (ticket->n_pages >= MAX_PAGES || ticket->cursor == NULL))
    return tally_throw (error, TALLY_ERROR_DATA, "the comments have more pages than a ticket can have");
  return TRUE;
}

static void
on_page (ZendeskCall *call, gpointer data)
{
  ZendeskGathered *ticket = data;
  ZendeskGather *gather = ticket->gather;
  g_auto (ZendeskReply) reply = { .account = gather->account };
  g_autofree char *what = g_strdup_printf ("the comments of ticket %" G_GINT64_FORMAT, ticket->ticket);
  g_autoptr (GError) failure = NULL;
  TallyFlow flow = TALLY_FLOW_OK;

  gather->in_flight--;
  zendesk_reply_take (&reply, call);
  if (reply.status == 404)
    ticket->done = TRUE;
  else if (reply.status == 401)
    gather->unauthorized = TRUE; /* a token cannot be fetched from within this */
  else if (reply.status != 200)
    flow = zendesk_account_refuse (gather->account, &reply, what, &failure);
  else if (!take_page (ticket, &reply, &failure))
    {
      flow = TALLY_FLOW_FATAL;
      tally_throw_prefix (&failure, "%s", what);
    }
  gather->flow = MAX (gather->flow, flow);
  if (failure == NULL)
    return;
  g_clear_error (&gather->error);
  gather->error = g_steal_pointer (&failure);
}

static void
begin (ZendeskGather *gather, ZendeskGathered *ticket)
{
  g_autofree char *after = ticket->cursor != NULL ? g_uri_escape_string (ticket->cursor, NULL, FALSE) : NULL;
  g_autofree char *path = g_strdup_printf (ZENDESK_API "/tickets/%" G_GINT64_FORMAT "/comments.json?page%%5Bsize%%5D=100%s%s",
                                           ticket->ticket, after != NULL ? "&page%5Bafter%5D=" : "",
                                           after != NULL ? after : "");

  gather->in_flight++;
  zendesk_http_start (gather->account->http, "GET", path, gather->account->access.header, NULL, NULL, 0,
                      ZENDESK_HTTP_LONG, on_page, ticket);
}

/* The next ticket that is not done, in turns; NULL: none but those in flight. */
static ZendeskGathered *
find_next (ZendeskGather *gather, guint *at)
{
  while (*at < gather->tickets->len)
    {
      ZendeskGathered *ticket = gather->tickets->pdata[(*at)++];

      if (!ticket->done)
        return ticket;
    }
  return NULL;
}

static gboolean
wait_for_answer (ZendeskGather *gather)
{
  g_autoptr (GError) failure = NULL;

  if (zendesk_account_glance (gather->account, ZENDESK_GLANCE, &failure))
    return TRUE;
  for (guint i = 0; i < gather->tickets->len; i++)
    zendesk_http_give_up (gather->account->http, gather->tickets->pdata[i]);
  gather->in_flight = 0;
  gather->flow = TALLY_FLOW_FATAL;
  if (gather->error == NULL)
    gather->error = g_steal_pointer (&failure);
  return FALSE;
}

/* One page of each that is not done, and no more once one could not be had. */
static void
run_round (ZendeskGather *gather)
{
  ZendeskGathered *ticket;
  guint at = 0;

  do
    while (gather->flow == TALLY_FLOW_OK && !gather->unauthorized && gather->in_flight < gather->parallel
           && (ticket = find_next (gather, &at)) != NULL)
      begin (gather, ticket);
  while (gather->in_flight > 0 && wait_for_answer (gather));
}

TallyFlow
zendesk_gather_run (ZendeskGather *gather, GError **error)
{
  const ZendeskReply refusal = { .account = gather->account, .status = 401 };
  guint at = 0;

  gather->flow = TALLY_FLOW_OK;
  gather->unauthorized = FALSE;
  for (; gather->flow == TALLY_FLOW_OK && !gather->unauthorized && find_next (gather, &at) != NULL; at = 0)
    run_round (gather);
  if (gather->unauthorized && gather->flow != TALLY_FLOW_FATAL)
    {
      g_clear_error (&gather->error);
      return zendesk_account_refuse (gather->account, &refusal, "comments", error);
    }
  if (gather->error != NULL)
    g_propagate_error (error, g_steal_pointer (&gather->error));
  return gather->flow;
}
