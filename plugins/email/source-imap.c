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
  char *uids;        /* option */
  gboolean changes;  /* option */
  gint after;        /* option */
  char *move_to;     /* option */
} ImapSource;

static const char *const after_choices[] = { "keep", "seen", "move", NULL };

static gboolean
parse_uid (const char *text, const char **ret_end, guint32 *ret_uid)
{
  guint64 number = g_ascii_strtoull (text, (char **)ret_end, 10);

  *ret_uid = (guint32)number;
  return g_ascii_isdigit (*text) && number > 0 && number <= G_MAXUINT32;
}

static gboolean
parse_uids (const char *text, ImapOptions *options, GError **error)
{
  const char *end;

  options->first = 1;
  options->last = G_MAXUINT32;
  if (text == NULL)
    return TRUE;
  if (!parse_uid (text, &end, &options->first) || *end != ':'
      || (!g_str_equal (end, ":*") && (!parse_uid (end + 1, &end, &options->last) || *end != '\0')))
    return tally_throw (error, TALLY_ERROR_USAGE, "\"uids\" is no range of UIDs, as 1000:2000 or 1000:* is one: \"%s\"", text);
  return options->first <= options->last
         || tally_throw (error, TALLY_ERROR_USAGE, "\"uids\" ends before it begins: \"%s\"", text);
}

static gboolean
imap_check (gpointer self, GError **error)
{
  ImapSource *imap = self;
  ImapOptions range;

  if (!parse_uids (imap->uids, &range, error))
    return FALSE;
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

  if (!parse_uids (imap->uids, &options, error))
    return FALSE;
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
  { .name = "uids", .type = TALLY_OPTION_TEXT, .offset = FIELD (uids),
    .summary = "UIDs to read, of each folder", .example = "1000:2000" },
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
  .flags = TALLY_PLUGIN_LOCAL | TALLY_PLUGIN_KEEPS_POSITION | TALLY_PLUGIN_RECORDS_MOVE,
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
