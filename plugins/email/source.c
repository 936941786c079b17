/* source.c: messages to rows, whatever carries them */
#include "block.h"
#include "email.h"
#include "feed.h"
#include "files.h"
#include "message.h"
#include "mime.h"
#include "twins.h"
#include <string.h>

typedef struct
{
  char **path;              /* option */
  gint format;              /* option */
  gint dialect;             /* option */
  char *attachments_folder; /* option */
  MailLimits limits;        /* options */

  MailCarrier *carrier; /* (owned) (nullable) from open to close */
  MailTwins *twins;     /* (owned) (nullable) */
  gboolean in_origin;   /* it has more messages, as far as we know */
} EmailSource;

static const char *const format_choices[] = { "auto", "mbox", "maildir", "eml", NULL };
static const char *const dialect_choices[] = { "auto", "mboxo", "mboxrd", "mboxcl", "mboxcl2", NULL };

static gboolean
email_check (gpointer self, GError **error)
{
  EmailSource *email = self;

  return tally_feed_check (email->path, NULL, error);
}

static gboolean
email_open (gpointer self, TallyContext *ctx, GError **error)
{
  EmailSource *email = self;
  FilesOptions options = {
    .paths = email->path,
    .format = (FilesFormat)email->format,
    .dialect = (MboxDialect)email->dialect,
    .max_message = email->limits.max_message,
  };

  mime_options (); /* here, where no other thread is at work that begins with GMime as well */
  email->twins = mail_twins_new ();
  email->carrier = files_carrier_new (&options, error);
  return email->carrier != NULL;
}

static gboolean
email_probe (gpointer self, TallyContext *ctx, GError **error)
{
  EmailSource *email = self;

  email->carrier->class->probe (email->carrier, ctx);
  return TRUE;
}

static TallySchema *
email_describe (gpointer self, TallyContext *ctx, GError **error)
{
  return mail_schema ();
}

/* A row or a reject; FALSE if this machine fails. */
static gboolean
add_item (EmailSource *email, TallyContext *ctx, TallyBatch *out, const MailItem *item, GError **error)
{
  MailOptions options = { .limits = email->limits, .attachments_folder = email->attachments_folder };
  g_autofree char *identity = NULL;

  if (item->flaw != NULL)
    {
      tally_batch_add_reject (out, item->number, item->flaw, mime_view (item->bytes));
      return TRUE;
    }
  if (!mail_add_row (out, item->bytes, item->number, item->folder, &options, &identity, error))
    return FALSE;
  if (identity != NULL && mail_twins_met (email->twins, identity))
    tally_context_warn (ctx, "Message-ID \"%.*s\" is that of several mails with other content; each is a record of its own",
                        (int)(strrchr (identity, '/') - identity), identity);
  return TRUE;
}

static TallyFlow
fill_batch (EmailSource *email, TallyContext *ctx, TallyBatch *out, gboolean *ret_is_empty, GError **error)
{
  MailCarrier *carrier = email->carrier;
  guint capacity = tally_batch_capacity (out);
  gsize n_bytes = 0;

  carrier->class->set_origin (carrier, ctx, out);
  /* Rejects count, too, so that a file of nothing else does not pile up in one batch. */
  for (guint n_read = 0; n_read < capacity && n_bytes < TALLY_BATCH_BYTES; n_read++)
    {
      MailItem item;
      TallyFlow flow = carrier->class->next (carrier, &item, error);

      if (flow != TALLY_FLOW_OK)
        return flow;
      *ret_is_empty = FALSE;
      n_bytes += item.bytes->len;
      if (!add_item (email, ctx, out, &item, error))
        return TALLY_FLOW_FATAL;
    }
  return TALLY_FLOW_OK;
}

/* A batch has messages of one origin only. */
static TallyFlow
email_read (gpointer self, TallyContext *ctx, TallyBatch *out, GError **error)
{
  EmailSource *email = self;
  MailCarrier *carrier = email->carrier;
  gboolean is_empty = TRUE;

  while (is_empty)
    {
      TallyFlow flow = email->in_origin ? TALLY_FLOW_OK : carrier->class->next_origin (carrier, ctx, error);

      if (flow != TALLY_FLOW_OK)
        return flow;
      email->in_origin = TRUE;
      flow = fill_batch (email, ctx, out, &is_empty, error);
      if (flow == TALLY_FLOW_END)
        email->in_origin = FALSE;
      else if (flow != TALLY_FLOW_OK)
        return flow;
      carrier->class->set_position (carrier, out);
    }
  return TALLY_FLOW_OK;
}

static void
email_interrupt (gpointer self)
{
  EmailSource *email = self;

  if (email->carrier != NULL)
    email->carrier->class->interrupt (email->carrier);
}

static void
email_close (gpointer self)
{
  EmailSource *email = self;

  if (email->carrier != NULL)
    email->carrier->class->free (email->carrier);
  email->carrier = NULL;
  g_clear_pointer (&email->twins, mail_twins_free);
  email->in_origin = FALSE;
}

#define FIELD(name) G_STRUCT_OFFSET (EmailSource, name)
#define MiB (1024 * 1024)

static const TallyOption email_options[] = {
  { .name = "path", .type = TALLY_OPTION_LIST, .flags = TALLY_OPTION_REQUIRED | TALLY_OPTION_PATH, .offset = FIELD (path),
    .summary = "Mboxes, Maildirs and files of one message each, also patterns; - for standard input", .example = "archive/*.mbox.gz" },
  { .name = "format", .type = TALLY_OPTION_CHOICE, .fallback = "auto", .choices = format_choices, .offset = FIELD (format),
    .summary = "What each path is: an mbox, a Maildir, one message, or whichever it looks like" },
  { .name = "mbox", .type = TALLY_OPTION_CHOICE, .fallback = "auto", .choices = dialect_choices, .offset = FIELD (dialect),
    .summary = "How an mbox keeps lines that begin with From apart from the beginnings of messages" },
  { .name = "attachments-folder", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_PATH, .offset = FIELD (attachments_folder),
    .summary = "Folder to keep the content of attachments in, under their SHA-256", .example = "attachments" },
  { .name = "max-message", .type = TALLY_OPTION_SIZE, .fallback = "64MiB", .min = 1, .max = 1024 * MiB,
    .offset = FIELD (limits.max_message), .summary = "Largest message; a larger one is rejected" },
  { .name = "max-depth", .type = TALLY_OPTION_INT, .fallback = "50", .min = 0, .max = 500, .offset = FIELD (limits.max_depth),
    .summary = "Deepest nesting of parts; a message with a deeper one is rejected" },
  { .name = "max-parts", .type = TALLY_OPTION_INT, .fallback = "10000", .min = 1, .max = 10 * MiB,
    .offset = FIELD (limits.max_parts), .summary = "Most lines that could begin a part; a message with more is rejected" },
  { .name = "max-headers", .type = TALLY_OPTION_INT, .fallback = "10000", .min = 1, .max = 10 * MiB,
    .offset = FIELD (limits.max_headers), .summary = "Most header fields of a message with its parts; one with more is rejected" },
  { .name = "max-header-size", .type = TALLY_OPTION_SIZE, .fallback = "1MiB", .min = 1, .max = 1024 * MiB,
    .offset = FIELD (limits.max_header_size), .summary = "Most bytes of all these fields; a message with more is rejected" },
  { 0 },
};

const TallyPlugin email_source = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SOURCE,
  .name = "email",
  .summary = "Messages from mboxes, Maildirs and single files",
  .flags = TALLY_PLUGIN_LOCAL,
  .threading = TALLY_THREADING_INSTANCE,
  .instance_size = sizeof (EmailSource),
  .options = email_options,
  .check = email_check,
  .open = email_open,
  .probe = email_probe,
  .describe = email_describe,
  .read = email_read,
  .interrupt = email_interrupt,
  .close = email_close,
};
