/* source.c: the records of an account, as incremental exports and lists give them
 *
 * A page is fetched as a whole; its records go out in batches, each with the place that it reached.  The comments of tickets are asked
 * for ticket by ticket, several at once: those of one batch, before it goes out.
 */
#include "answer.h"
#include "gather.h"
#include "layout.h"
#include "pager.h"
#include "plugins.h"
#include "skim.h"

#include <string.h>

/* Tickets whose comments are held at once. */
#define TICKETS_AT_ONCE 64u

enum
{
  DELETED_MARK,
  DELETED_SKIP,
};

/* What the comments of tickets are for. */
typedef enum
{
  COMMENTS_NONE,
  COMMENTS_COLUMN, /* one of their ticket's columns */
  COMMENTS_ROWS,   /* the rows themselves */
} CommentsUse;

typedef struct
{
  ZendeskAccount account;

  /* options */
  char *name, *since;
  gboolean comments;
  gint deleted;
  gint64 page_size, parallel;

  /* from open() to close() */
  ZendeskResource resource; /* points into name */
  CommentsUse use;
  ZendeskLayout layout;
  ZendeskGather gather;
  ZendeskPager pager;
  guint next;         /* record of the page */
  guint n_gathered;   /* from that one on: their comments are there */
  guint comment;      /* the next one of that record's, if they are the rows */
  guint room;         /* rows and rejects that the batch still takes */
} ZendeskSource;

/* --- options --- */

static const char *const deleted_names[] = { "mark", "skip", NULL };

#define FIELD(name) G_STRUCT_OFFSET (ZendeskSource, name)

static const TallyOption options[] = {
  ZENDESK_ACCOUNT_OPTIONS (ZendeskSource),
  { .name = "resource", .type = TALLY_OPTION_TEXT, .fallback = "tickets", .offset = FIELD (name),
    .summary = "What is read: tickets, ticket_comments, users, organizations, ticket_events, or any list by its path",
    .example = "users" },
  { .name = "since", .type = TALLY_OPTION_TEXT, .fallback = "1970-01-01", .offset = FIELD (since),
    .summary = "Day or time of the first change that is read, of resources with an incremental export",
    .example = "2024-01-01T00:00:00Z" },
  { .name = "comments", .type = TALLY_OPTION_BOOL, .fallback = "false", .offset = FIELD (comments),
    .summary = "Whether tickets bring their comments, as a column of arrays", .example = "true" },
  { .name = "deleted", .type = TALLY_OPTION_CHOICE, .fallback = "mark", .choices = deleted_names, .offset = FIELD (deleted),
    .summary = "Deleted tickets: mark them in the column \"deleted\", or skip them", .example = "skip" },
  { .name = "page-size", .type = TALLY_OPTION_INT, .fallback = "1000", .min = 1, .max = 1000, .offset = FIELD (page_size),
    .summary = "Records asked for at once; of a list at most 100", .example = "500" },
  { .name = "parallel", .type = TALLY_OPTION_INT, .fallback = "8", .min = 1, .max = 64, .offset = FIELD (parallel),
    .summary = "Requests for comments at the same time", .example = "4" },
  ZENDESK_NETWORK_OPTIONS (ZendeskSource),
  { 0 },
};

/* A day, or a time by ISO 8601; UTC if it names no zone. */
static gboolean
parse_since (const char *text, gint64 *ret_seconds, GError **error)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autofree char *midnight = g_strconcat (text, "T00:00:00", NULL);
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (text, utc);

  if (time == NULL)
    time = g_date_time_new_from_iso8601 (midnight, utc);
  if (time == NULL || g_date_time_to_unix (time) < 0)
    return tally_throw (error, TALLY_ERROR_USAGE,
                        "\"since\" is a day or time since 1970, as 2024-01-01 or 2024-01-01T06:00:00Z; not \"%s\"", text);
  *ret_seconds = g_date_time_to_unix (time);
  return TRUE;
}

static gboolean
source_check (gpointer self, GError **error)
{
  ZendeskSource *source = self;
  ZendeskResource resource;
  gint64 since;

  if (!zendesk_account_check (&source->account, error) || !zendesk_resource_find (source->name, &resource, error)
      || !parse_since (source->since, &since, error))
    return FALSE;
  if (source->comments && !g_str_equal (source->name, "tickets"))
    return tally_throw (error, TALLY_ERROR_USAGE, "\"comments\" are of tickets; \"resource\" is \"%s\"", source->name);
  if (source->deleted == DELETED_SKIP && !g_str_equal (resource.list, "tickets"))
    return tally_throw (error, TALLY_ERROR_USAGE, "\"deleted\" is about tickets; \"resource\" is \"%s\"", source->name);
  if (since > 0 && resource.paging == ZENDESK_PAGING_LIST)
    return tally_throw (error, TALLY_ERROR_USAGE, "\"since\" is for incremental exports; \"%s\" is a list, which comes whole",
                        source->name);
  return TRUE;
}

/* --- columns --- */

static gboolean
read_fields (ZendeskSource *source, GError **error)
{
  g_auto (ZendeskReply) reply = { 0 };
  g_autofree char *path = g_strdup_printf (ZENDESK_API "/%s.json", source->resource.fields);

  return zendesk_account_get (&source->account, path, "the custom fields", &reply, error)
         && zendesk_layout_add_fields (&source->layout, reply.body, reply.length, error);
}

static gboolean
source_open (gpointer self, TallyContext *ctx, GError **error)
{
  ZendeskSource *source = self;
  gint64 since;

  if (!zendesk_resource_find (source->name, &source->resource, error) || !parse_since (source->since, &since, error))
    return FALSE;
  source->use = g_str_equal (source->name, "ticket_comments") ? COMMENTS_ROWS
                : source->comments                            ? COMMENTS_COLUMN
                                                              : COMMENTS_NONE;
  zendesk_layout_init (&source->layout, &source->resource, source->use == COMMENTS_COLUMN);
  zendesk_gather_init (&source->gather, &source->account, (guint) source->parallel);
  if (!zendesk_pager_init (&source->pager, &source->account, &source->resource, (guint) source->page_size,
                           tally_context_position (ctx), since, error))
    return FALSE;
  source->pager.query = source->deleted == DELETED_SKIP ? "exclude_deleted=true" : NULL;
  return zendesk_account_open (&source->account, ctx, NULL, error)
         && (source->resource.fields == NULL || read_fields (source, error));
}

static TallySchema *
source_describe (gpointer self, TallyContext *ctx, GError **error)
{
  ZendeskSource *source = self;

  return zendesk_layout_schema (&source->layout);
}

static gboolean
source_probe (gpointer self, TallyContext *ctx, GError **error)
{
  ZendeskSource *source = self;

  if (source->resource.paging != ZENDESK_PAGING_LIST)
    source->account.admin_for = "an incremental export";
  return zendesk_account_probe (&source->account, error);
}

/* --- rows --- */

static const ZendeskPageRecord *
next_record (const ZendeskSource *source)
{
  return &g_array_index (source->pager.page.records, ZendeskPageRecord, source->next);
}

/* Sets the column of a ticket's comments in the last row. */
static gboolean
set_comments (ZendeskSource *source, const ZendeskGathered *ticket, TallyBatch *out, char **ret_reason)
{
  g_autofree char *array = g_strconcat ("[", ticket->comments->str, "]", NULL);
  g_autoptr (GError) error = NULL;

  if (tally_batch_set_from_text (out, (guint) source->layout.comments, array, strlen (array), &error))
    return TRUE;
  *ret_reason = g_strdup_printf ("\"" ZENDESK_COLUMN_COMMENTS "\" does not fit: %s", error->message);
  return FALSE;
}

/* ticket: (nullable) whose comments are wanted. */
static void
add_row (ZendeskSource *source, TallyText text, gint64 id, const ZendeskGathered *ticket, TallyBatch *out)
{
  guint row = tally_batch_add_row (out);
  g_autofree char *reason = NULL;

  source->room--;
  tally_batch_set_row_number (out, row, id);
  if (!zendesk_layout_fill (&source->layout, text, out, &reason)
      || (source->use == COMMENTS_COLUMN && !set_comments (source, ticket, out, &reason)))
    {
      tally_batch_undo_row (out);
      tally_batch_add_reject (out, id, reason, text);
    }
  else if (source->use == COMMENTS_ROWS)
    tally_batch_set_int (out, (guint) tally_schema_find (tally_batch_schema (out), "ticket_id"), ticket->ticket);
}

/* Fetches the comments of the next tickets, if none are there. */
static TallyFlow
gather (ZendeskSource *source, GError **error)
{
  guint left = source->pager.page.records->len - source->next;
  TallyFlow flow;

  if (source->use == COMMENTS_NONE || source->n_gathered > 0)
    return TALLY_FLOW_OK;
  if (source->gather.tickets->len == 0)
    for (guint i = 0; i < MIN (left, TICKETS_AT_ONCE); i++)
      zendesk_gather_add (&source->gather, next_record (source)[i].id);
  flow = zendesk_gather_run (&source->gather, error);
  if (flow == TALLY_FLOW_OK)
    source->n_gathered = source->gather.tickets->len;
  return flow;
}

/* The next record is done with. */
static void
pass_record (ZendeskSource *source)
{
  zendesk_place_advance (&source->pager.place, next_record (source), 0);
  source->next++;
  source->comment = 0;
  if (source->n_gathered > 0 && --source->n_gathered == 0)
    zendesk_gather_reset (&source->gather);
}

/* The comments of the next ticket as rows, from source->comment on.  FALSE: there was no room for all. */
static gboolean
add_comments (ZendeskSource *source, const ZendeskGathered *ticket, TallyBatch *out)
{
  g_autofree char *array = g_strconcat ("[", ticket->comments->str, "]", NULL);
  JsonSkim skim = { .data = array, .length = strlen (array), .max_depth = ZENDESK_MAX_DEPTH };
  JsonValue value;
  guint index = 0;

  for (json_skim_begin_array (&skim); json_skim_next_element (&skim) && json_skim_value (&skim, &value); index++)
    if (index >= source->comment && source->room == 0)
      {
        zendesk_place_advance (&source->pager.place, next_record (source), source->comment);
        return FALSE;
      }
    else if (index >= source->comment)
      {
        add_row (source, value.text, ticket->ticket, ticket, out);
        source->comment = index + 1;
      }
  return TRUE;
}

/* Gives what the page still has, as far as there is room, and comments are there. */
static void
fill_batch (ZendeskSource *source, TallyBatch *out)
{
  while (source->room > 0 && source->next < source->pager.page.records->len
         && (source->use == COMMENTS_NONE || source->n_gathered > 0))
    {
      const ZendeskPageRecord *record = next_record (source);
      const ZendeskGathered *ticket = source->use == COMMENTS_NONE
                                          ? NULL
                                          : source->gather.tickets->pdata[source->gather.tickets->len - source->n_gathered];

      if (source->use != COMMENTS_ROWS)
        add_row (source, record->text, record->id, ticket, out);
      else if (!add_comments (source, ticket, out))
        return;
      pass_record (source);
    }
}

static TallyFlow
fetch_page (ZendeskSource *source, GError **error)
{
  TallyFlow flow = zendesk_pager_fetch (&source->pager, error);

  source->next = 0;
  source->comment = (guint) source->pager.place.number;
  return flow;
}

static TallyFlow
source_read (gpointer self, TallyContext *ctx, TallyBatch *out, GError **error)
{
  ZendeskSource *source = self;
  ZendeskPager *pager = &source->pager;
  g_autofree char *position = NULL;
  TallyFlow flow;

  tally_batch_set_origin (out, source->name);
  source->room = tally_batch_capacity (out);
  if (!pager->has_page && (pager->ended || zendesk_pager_is_too_early (pager)))
    return TALLY_FLOW_END;
  flow = pager->has_page ? TALLY_FLOW_OK : fetch_page (source, error);
  if (flow == TALLY_FLOW_OK && source->next < pager->page.records->len)
    flow = gather (source, error);
  if (flow != TALLY_FLOW_OK)
    return flow;

  fill_batch (source, out);
  if (source->next == pager->page.records->len)
    zendesk_pager_turn (pager);
  position = zendesk_place_dup_text (&pager->place);
  if (position != NULL)
    tally_batch_set_position (out, position);
  return TALLY_FLOW_OK;
}

static void
source_interrupt (gpointer self)
{
  ZendeskSource *source = self;

  zendesk_account_interrupt (&source->account);
}

static void
source_close (gpointer self)
{
  ZendeskSource *source = self;

  zendesk_account_close (&source->account);
  zendesk_pager_clear (&source->pager);
  zendesk_gather_clear (&source->gather);
  zendesk_layout_clear (&source->layout);
  source->n_gathered = 0;
}

const TallyPlugin zendesk_source = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SOURCE,
  .name = "zendesk",
  .summary = "Records of a Zendesk account: tickets, comments, users, organizations, any list",
  .flags = TALLY_PLUGIN_KEEPS_POSITION,
  .threading = TALLY_THREADING_INSTANCE,
  .instance_size = sizeof (ZendeskSource),
  .options = options,
  .check = source_check,
  .open = source_open,
  .probe = source_probe,
  .describe = source_describe,
  .read = source_read,
  .interrupt = source_interrupt,
  .close = source_close,
};
