/* source.c: messages to rows, whatever carries them */
#include "source.h"
#include "block.h"
#include "message.h"
#include "mime.h"
#include <string.h>

void
mail_source_begin (MailSource *source, MailCarrier *carrier)
{
  mime_options (); /* here, where no other thread is at work that begins with GMime as well */
  source->twins = mail_twins_new ();
  source->carrier = carrier;
}

gboolean
mail_source_probe (gpointer self, TallyContext *ctx, GError **error)
{
  MailSource *source = self;

  source->carrier->class->probe (source->carrier, ctx);
  return TRUE;
}

TallySchema *
mail_source_describe (gpointer self, TallyContext *ctx, GError **error)
{
  return mail_schema ();
}

/* A row or a reject; FALSE if this machine fails. */
static gboolean
add_item (MailSource *source, TallyContext *ctx, TallyBatch *out, const MailItem *item, GError **error)
{
  MailOptions options = { .limits = source->limits, .attachments_folder = source->attachments_folder };
  g_autofree char *identity = NULL;

  if (item->flaw != NULL)
    {
      tally_batch_add_reject (out, item->number, item->flaw, mime_view (item->bytes));
      return TRUE;
    }
  if (!mail_add_row (out, item, &options, &identity, error))
    return FALSE;
  if (identity != NULL && mail_twins_met (source->twins, identity))
    tally_context_warn (ctx, "Message-ID \"%.*s\" is that of several mails with other content; each is a record of its own",
                        (int)(strrchr (identity, '/') - identity), identity);
  return TRUE;
}

static TallyFlow
fill_batch (MailSource *source, TallyContext *ctx, TallyBatch *out, gboolean *ret_is_empty, GError **error)
{
  MailCarrier *carrier = source->carrier;
  guint capacity = tally_batch_capacity (out);
  gsize n_bytes = 0;

  carrier->class->set_origin (carrier, ctx, out);
  /* Rejects count, too, so that a file of nothing else does not pile up in one batch. */
  for (guint n_read = 0; n_read < capacity && n_bytes < TALLY_BATCH_BYTES; n_read++)
    {
      MailItem item;
      TallyFlow flow = carrier->class->next (carrier, &item, error);

      /* What came before the connection was lost is a batch; the next call tries again. */
      if (flow == TALLY_FLOW_RETRY && !*ret_is_empty)
        {
          g_clear_error (error);
          return TALLY_FLOW_OK;
        }
      if (flow != TALLY_FLOW_OK)
        return flow;
      *ret_is_empty = FALSE;
      n_bytes += item.bytes->len;
      if (!add_item (source, ctx, out, &item, error))
        return TALLY_FLOW_FATAL;
    }
  return TALLY_FLOW_OK;
}

/* A batch has messages of one origin only. */
TallyFlow
mail_source_read (gpointer self, TallyContext *ctx, TallyBatch *out, GError **error)
{
  MailSource *source = self;
  MailCarrier *carrier = source->carrier;
  gboolean is_empty = TRUE;

  while (is_empty)
    {
      TallyFlow flow = source->in_origin ? TALLY_FLOW_OK : carrier->class->next_origin (carrier, ctx, error);

      if (flow != TALLY_FLOW_OK)
        return flow;
      source->in_origin = TRUE;
      flow = fill_batch (source, ctx, out, &is_empty, error);
      if (flow == TALLY_FLOW_END)
        source->in_origin = FALSE;
      else if (flow != TALLY_FLOW_OK)
        return flow;
      carrier->class->set_position (carrier, out);
    }
  return TALLY_FLOW_OK;
}

void
mail_source_interrupt (gpointer self)
{
  MailSource *source = self;

  if (source->carrier != NULL)
    source->carrier->class->interrupt (source->carrier);
}

void
mail_source_close (gpointer self)
{
  MailSource *source = self;

  if (source->carrier != NULL)
    source->carrier->class->free (source->carrier);
  source->carrier = NULL;
  g_clear_pointer (&source->twins, mail_twins_free);
  source->in_origin = FALSE;
}
