/* deliver-update.c: send and resolve of zendesk-tickets in mode update
 *
 *   send ─► files ─► ticket ─► update ──► settled
 *
 *   resolve ─► ticket ─┬─► comments ───► settled: the mark is there, or not
 *                      └───────────────► settled: the ticket is as it should be, or not
 *
 * Nothing protects an update from being done twice.  One that only sets members may be, so that a ticket which is not as
 * it should be is updated once more; a comment must not, and is looked for.
 */
#include "errand.h"
#include "sink.h"
#include "update.h"
#include "upload.h"

#include <string.h>

/* Of a ticket's comments. */
#define MAX_PAGES 100

typedef struct
{
  ZendeskErrand base;
  ZendeskSink *sink;        /* (unowned) */
  ZendeskUpdate update;
  TallyText request;        /* (unowned) as it is sent, but for the stamp */
  ZendeskUploads *uploads;  /* (owned) (nullable) */
  char *mark;               /* (owned) */
  gboolean resolving;
  guint page;
} Errand;

static void ask_comments (Errand *errand);

static void
clear_errand (ZendeskErrand *base)
{
  Errand *errand = (Errand *) base;

  g_clear_pointer (&errand->uploads, zendesk_uploads_free);
  zendesk_update_clear (&errand->update);
  g_free (errand->mark);
}

/* NULL if it is settled. */
static Errand *
errand_new (ZendeskSink *sink, TallyDelivery *delivery)
{
  Errand *errand = zendesk_errand_new (sizeof *errand, "ticket", &sink->account, sink->errands, delivery, clear_errand);

  errand->sink = sink;
  errand->page = 1;
  errand->mark = zendesk_update_mark (tally_delivery_reference (delivery));
  if (!zendesk_update_read (&errand->update, tally_delivery_body (delivery)))
    {
      zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNKNOWN, "the stored request is not as it was written");
      return NULL;
    }
  errand->request = errand->update.request;
  errand->base.finding.target_id = errand->update.id;
  return errand;
}

/* Takes an answer and sets the finding by it.  TRUE if it is about the ticket; else the errand is settled, or will be. */
static gboolean
take_answer (Errand *errand, ZendeskCall *call, gboolean acts)
{
  ZendeskFinding *finding = &errand->base.finding;
  gboolean whole = zendesk_errand_take_answer (&errand->base, call);

  if (whole && call->status == 401 && zendesk_access_refused (errand->base.account, &errand->base.waiter))
    return FALSE;
  if (whole)
    zendesk_errand_judge (&errand->base, call, ZENDESK_ASK_UPDATE);
  if (whole && finding->verdict == TALLY_VERDICT_DELIVERED)
    return TRUE;

  /* What was only read has not been acted upon. */
  if (!acts && finding->verdict == TALLY_VERDICT_UNKNOWN)
    finding->verdict = TALLY_VERDICT_BUSY;
  /* The ticket is gone: a lookup finds that there is nothing left to do, an update that it cannot be done. */
  if (!errand->resolving && finding->verdict == TALLY_VERDICT_ABSENT)
    finding->verdict = TALLY_VERDICT_REJECTED;
  zendesk_errand_settle (&errand->base);
  return FALSE;
}

/* --- send --- */

static void
on_updated (ZendeskCall *call, gpointer data)
{
  Errand *errand = data;

  if (take_answer (errand, call, /* acts= */ TRUE))
    zendesk_errand_settle (&errand->base);
}

/* updated_at: (nullable) refused if the ticket has changed since */
static void
ask_update (Errand *errand, const char *updated_at)
{
  g_autofree char *path = g_strdup_printf (ZENDESK_API "/tickets/%" G_GINT64_FORMAT ".json", errand->update.id);

  if (!tally_delivery_may_send (errand->base.delivery))
    zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNSENT, "not sent: meanwhile this run may not send any more");
  else
    zendesk_errand_ask (&errand->base, "PUT", path,
                        updated_at != NULL ? zendesk_update_stamp (errand->request, updated_at)
                                           : g_strndup (errand->request.data, errand->request.length),
                        on_updated);
}

/* --- the ticket --- */

static void
judge_done (Errand *errand, const ZendeskUpdatable *ticket)
{
  if (errand->update.comments)
    ask_comments (errand);
  else if (ticket->done)
    zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_DELIVERED, "the ticket is as the update makes it");
  else
    zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_ABSENT, "the ticket is not as the update makes it");
}

static void
on_ticket (ZendeskCall *call, gpointer data)
{
  Errand *errand = data;
  ZendeskUpdatable ticket = { 0 };

  if (!take_answer (errand, call, /* acts= */ FALSE))
    return;
  if (!zendesk_updatable_read (&errand->update, call->answer->str, call->answer->len, &ticket))
    zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_BUSY, "the ticket cannot be read");
  else if (errand->resolving)
    judge_done (errand, &ticket);
  else if (ticket.closed)
    zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_REJECTED, "the ticket is closed, and takes no more updates");
  else
    ask_update (errand, ticket.updated_at);
  g_free (ticket.updated_at);
}

static void
ask_ticket (Errand *errand)
{
  g_autofree char *path = g_strdup_printf (ZENDESK_API "/tickets/%" G_GINT64_FORMAT ".json", errand->update.id);

  zendesk_errand_ask (&errand->base, "GET", path, NULL, on_ticket);
}

static void
on_uploads (ZendeskErrand *base, TallyText request)
{
  Errand *errand = (Errand *) base;

  errand->request = request;
  errand->base.finding.target_id = errand->update.id;
  if (errand->sink->safe_update)
    ask_ticket (errand);
  else
    ask_update (errand, NULL);
}

void
zendesk_send_update (gpointer self, TallyContext *ctx, TallyDelivery *delivery)
{
  ZendeskSink *sink = self;
  Errand *errand = errand_new (sink, delivery);

  if (errand == NULL || zendesk_access_queue (&sink->account, &errand->base.waiter))
    return;
  if (!zendesk_uploads_needed (errand->request))
    {
      on_uploads (&errand->base, errand->request);
      return;
    }
  errand->uploads = zendesk_uploads_new (&errand->base, &sink->files, errand->request);
  if (errand->uploads != NULL)
    zendesk_uploads_go (errand->uploads, on_uploads);
  else
    zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNKNOWN, "the stored request is not as it was written");
}

/* --- resolve --- */

static void
on_comments (ZendeskCall *call, gpointer data)
{
  Errand *errand = data;
  gboolean found, more;

  if (!zendesk_errand_take_answer (&errand->base, call) || call->status != 200)
    {
      if (call->status != 0)
        zendesk_errand_judge (&errand->base, call, ZENDESK_ASK_CONTINUE);
      errand->base.finding.verdict = TALLY_VERDICT_BUSY;
      zendesk_errand_settle (&errand->base);
    }
  else if (!zendesk_update_find_mark (call->answer->str, call->answer->len, errand->mark, &found, &more)
           || (!found && more && errand->page == MAX_PAGES))
    zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_UNKNOWN, "the comments of the ticket cannot be read");
  else if (found)
    zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_DELIVERED, "the ticket has the comment %s", errand->mark);
  else if (more)
    {
      errand->page++;
      ask_comments (errand);
    }
  else
    zendesk_errand_settle_with (&errand->base, TALLY_VERDICT_ABSENT, "the ticket has no comment %s", errand->mark);
}

static void
ask_comments (Errand *errand)
{
  g_autofree char *path = g_strdup_printf (ZENDESK_API "/tickets/%" G_GINT64_FORMAT "/comments.json?per_page=100&page=%u",
                                           errand->update.id, errand->page);

  zendesk_errand_ask (&errand->base, "GET", path, NULL, on_comments);
}

void
zendesk_resolve_update (gpointer self, TallyContext *ctx, TallyDelivery *delivery)
{
  ZendeskSink *sink = self;
  Errand *errand = errand_new (sink, delivery);

  if (errand == NULL)
    return;
  errand->resolving = TRUE;
  if (!zendesk_access_queue (&sink->account, &errand->base.waiter))
    ask_ticket (errand);
}
