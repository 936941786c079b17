/* source-imap.c: email-imap, messages in the folders of a server
 *
 * A source of its own beside the one for files, because its position lives on: a UID, unlike a file, says what is new.
 */
#include "email.h"
#include "imap-carrier.h"
#include "source.h"

#define SECOND ((gint64)G_USEC_PER_SEC)

typedef struct
{
  MailSource base;
  MailServer server; /* options */
  char **folders;    /* option */
  gboolean changes;  /* option */
  gint after;        /* option */
  char *move_to;     /* option */
} ImapSource;

static const char *const after_choices[] = { "keep", "seen", "move", NULL };

static gboolean
imap_check (gpointer self, GError **error)
{
  ImapSource *imap = self;

  if ((imap->after == IMAP_MOVE) != (imap->move_to != NULL))
    return tally_throw (error, TALLY_ERROR_USAGE, "\"after: move\" and \"move-to\" need each other");
  if (imap->changes && imap->after == IMAP_MOVE)
    return tally_throw (error, TALLY_ERROR_USAGE, "\"changes\" looks at mails that were read before, which \"after: move\" moves away");
  return mail_server_check (&imap->server, "imap", "imaps://mail.example.org", error);
}

static gboolean
imap_open (gpointer self, TallyContext *ctx, GError **error)
{
  ImapSource *imap = self;
  ImapOptions options = {
    .server = &imap->server,
    .folders = imap->folders,
    .changes = imap->changes,
    .after = (ImapAfter)imap->after,
    .move_to = imap->move_to,
    .max_message = imap->base.limits.max_message,
  };

  mail_source_begin (&imap->base, imap_carrier_new (&options, error));
  return imap->base.carrier != NULL;
}

static gboolean
imap_acknowledge (gpointer self, TallyContext *ctx, const char *position, GError **error)
{
  ImapSource *imap = self;

  return imap->base.carrier->class->acknowledge (imap->base.carrier, ctx, position, error);
}

#define FIELD(name) G_STRUCT_OFFSET (ImapSource, name)

static const TallyOption imap_options[] = {
  { .name = "url", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_REQUIRED, .offset = FIELD (server.url),
    .summary = "Server that keeps the mail; imaps:// for TLS from the first byte, imap:// for STARTTLS",
    .example = "imaps://mail.example.org" },
  { .name = "tls", .type = TALLY_OPTION_CHOICE, .offset = FIELD (server.tls), .fallback = "required", .choices = mail_tls_names,
    .summary = "Whether the connection must be secure; off for a server on this machine", .example = "off" },
  { .name = "user", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_REQUIRED, .offset = FIELD (server.user),
    .summary = "Who logs in", .example = "support@example.org" },
  { .name = "password", .type = TALLY_OPTION_SECRET, .offset = FIELD (server.password), .summary = "The user's password",
    .example = "${MAIL_PASSWORD}" },
  { .name = "access-token", .type = TALLY_OPTION_SECRET, .offset = FIELD (server.access_token),
    .summary = "OAuth access token in place of a password, for XOAUTH2", .example = "${MAIL_TOKEN}" },
  { .name = "ca-file", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_PATH, .offset = FIELD (server.ca_file),
    .summary = "Certificates to trust in place of the system's", .example = "ca.pem" },
  { .name = "folders", .type = TALLY_OPTION_LIST, .offset = FIELD (folders), .fallback = "INBOX",
    .summary = "Folders to read; * stands for any letters, % for any but those between a folder and one in it",
    .example = "[INBOX, 'Support/*']" },
  { .name = "changes", .type = TALLY_OPTION_BOOL, .offset = FIELD (changes), .fallback = "false",
    .summary = "Whether a mail whose flags have changed since the last run is read again", .example = "true" },
  { .name = "after", .type = TALLY_OPTION_CHOICE, .offset = FIELD (after), .fallback = "keep", .choices = after_choices,
    .summary = "What becomes of mails at the server once they are in the target: keep them as they are, mark them seen, or move them",
    .example = "seen" },
  { .name = "move-to", .type = TALLY_OPTION_TEXT, .offset = FIELD (move_to),
    .summary = "Folder that \"after: move\" moves them to; it is not read", .example = "Done" },
  { .name = "timeout", .type = TALLY_OPTION_DURATION, .offset = FIELD (server.timeout), .fallback = "120s", .min = SECOND,
    .max = 3600 * SECOND, .summary = "How long the server may be silent", .example = "60s" },
  { .name = "connect-timeout", .type = TALLY_OPTION_DURATION, .offset = FIELD (server.connect_timeout), .fallback = "60s",
    .min = SECOND, .max = 3600 * SECOND, .summary = "How long connecting and logging in may take", .example = "10s" },
  MAIL_SOURCE_OPTIONS,
  { 0 },
};

const TallyPlugin imap_source = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SOURCE,
  .name = "email-imap",
  .summary = "Messages from the folders of an IMAP server",
  .flags = TALLY_PLUGIN_LOCAL | TALLY_PLUGIN_KEEPS_POSITION,
  .threading = TALLY_THREADING_INSTANCE,
  .instance_size = sizeof (ImapSource),
  .options = imap_options,
  .check = imap_check,
  .open = imap_open,
  .probe = mail_source_probe,
  .describe = mail_source_describe,
  .read = mail_source_read,
  .interrupt = mail_source_interrupt,
  .close = mail_source_close,
  .acknowledge = imap_acknowledge,
};
