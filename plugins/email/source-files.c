/* source-files.c: email, messages in files */
#include "email.h"
#include "feed.h"
#include "files.h"
#include "source.h"

typedef struct
{
  MailSource base;
  char **path;  /* option */
  gint format;  /* option */
  gint dialect; /* option */
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
    .max_message = email->base.limits.max_message,
  };

  mail_source_begin (&email->base, files_carrier_new (&options, error));
  return email->base.carrier != NULL;
}

static const TallyOption email_options[] = {
  { .name = "path", .type = TALLY_OPTION_LIST, .flags = TALLY_OPTION_REQUIRED | TALLY_OPTION_PATH, .offset = G_STRUCT_OFFSET (EmailSource, path),
    .summary = "Mboxes, Maildirs and files of one message each, also patterns; - for standard input", .example = "archive/*.mbox.gz" },
  { .name = "format", .type = TALLY_OPTION_CHOICE, .fallback = "auto", .choices = format_choices, .offset = G_STRUCT_OFFSET (EmailSource, format),
    .summary = "What each path is: an mbox, a Maildir, one message, or whichever it looks like" },
  { .name = "mbox", .type = TALLY_OPTION_CHOICE, .fallback = "auto", .choices = dialect_choices, .offset = G_STRUCT_OFFSET (EmailSource, dialect),
    .summary = "How an mbox keeps lines that begin with From apart from the beginnings of messages" },
  MAIL_SOURCE_OPTIONS,
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
  .probe = mail_source_probe,
  .describe = mail_source_describe,
  .read = mail_source_read,
  .interrupt = mail_source_interrupt,
  .close = mail_source_close,
};
