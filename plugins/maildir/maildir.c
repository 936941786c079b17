/* maildir: a delivering sink that writes each record as a message into a Maildir
 *
 * A message has a name that its key makes.  It is written into tmp, synced, and linked into new, which fails if it is there
 * already; whether it is, in new or, once a mail reader has seen it, in cur, can be looked up at any time.
 */
#include "compose.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  /* options */
  char *path, *from, *attachments_root;
  gboolean create;
  gint64 max_message;
  char **ignore;

  EmailPlan plan;
  EmailRules rules;

  /* from open() to close() */
  gboolean ready; /* its folders are there */
} MaildirSink;

static const char *const folders[] = { "tmp", "new", "cur" };

static const TallyOption options[] = {
  { .name = "path", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_REQUIRED | TALLY_OPTION_PATH,
    .offset = G_STRUCT_OFFSET (MaildirSink, path), .summary = "The Maildir: a folder with new, cur and tmp in it",
    .example = "archive/2024" },
  { .name = "create", .type = TALLY_OPTION_BOOL, .offset = G_STRUCT_OFFSET (MaildirSink, create), .fallback = "false",
    .summary = "Whether it is made if it is not there", .example = "true" },
  { .name = "from", .type = TALLY_OPTION_TEXT, .offset = G_STRUCT_OFFSET (MaildirSink, from),
    .summary = "Sender of records whose column \"from\" names none", .example = "Archive <archive@example.org>" },
  { .name = "max-message", .type = TALLY_OPTION_SIZE, .offset = G_STRUCT_OFFSET (MaildirSink, max_message), .fallback = "25MiB",
    .min = 1024, .max = 64 << 20, .summary = "Largest message, attachments included", .example = "50MiB" },
  { .name = "attachments-root", .type = TALLY_OPTION_TEXT, .flags = TALLY_OPTION_PATH,
    .offset = G_STRUCT_OFFSET (MaildirSink, attachments_root),
    .summary = "Folder outside of which no file is attached, whatever the records say", .example = "export/files" },
  { .name = "ignore", .type = TALLY_OPTION_LIST, .offset = G_STRUCT_OFFSET (MaildirSink, ignore),
    .summary = "Columns that are not written, beyond those that only the key needs", .example = "[notes]" },
  { 0 },
};

static gboolean
maildir_check (gpointer self, GError **error)
{
  MaildirSink *sink = self;
  g_autoptr (InternetAddressList) list = NULL;

  email_init ();
  list = internet_address_list_new ();
  if (sink->from == NULL
      || (email_check_header (sink->from, error) && email_addresses_add_list (list, sink->from, error)
          && (email_addresses_count (list) == 1
              || tally_throw (error, TALLY_ERROR_USAGE, "it names %u addresses, and one is needed", email_addresses_count (list)))))
    return TRUE;
  return tally_throw_prefix (error, "\"from\"");
}

static gboolean
maildir_accept (gpointer self, TallySchema *schema, GError **error)
{
  MaildirSink *sink = self;

  if (!email_plan_accept (&sink->plan, schema, (const char *const *) sink->ignore, /* takes_raw= */ TRUE, error))
    return FALSE;
  if (sink->plan.columns[EMAIL_RAW] < 0 && sink->plan.columns[EMAIL_FROM] < 0 && sink->from == NULL)
    return tally_throw (error, TALLY_ERROR_USAGE, "nobody sends: give a column or an option \"from\", or a column \"raw\"");
  return TRUE;
}

static void
maildir_profile (gpointer self, TallyDeliveryProfile *ret_profile)
{
  ret_profile->entity = "message";
  ret_profile->in_flight = TALLY_IN_FLIGHT_CONFLICT;
  ret_profile->can_resolve = TRUE;
  ret_profile->max_in_flight = 64;
}

/* ---- The folder ---- */

/* Whether its folders are there. */
static gboolean
look (MaildirSink *sink)
{
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *folder = g_build_filename (sink->path, folders[i], NULL);

      if (!g_file_test (folder, G_FILE_TEST_IS_DIR))
        return FALSE;
    }
  return TRUE;
}

static gboolean
maildir_open (gpointer self, TallyContext *ctx, GError **error)
{
  MaildirSink *sink = self;
  g_autofree char *full = g_canonicalize_filename (sink->path, tally_context_directory (ctx));
  g_autofree char *target = g_strdup_printf ("maildir %s", full);

  sink->rules = (EmailRules){ .directory = tally_context_directory (ctx),
                              .root = sink->attachments_root,
                              .most = sink->max_message,
                              .from = sink->from };
  tally_context_set_target (ctx, target);
  sink->ready = look (sink);
  return sink->ready || sink->create
         || tally_throw (error, TALLY_ERROR_IO, "\"%s\" is no Maildir, with new, cur and tmp in it; \"create: true\" makes one",
                         sink->path);
}

static gboolean
sync_path (const char *path, GError **error)
{
  int descriptor = open (path, O_RDONLY | O_CLOEXEC);
  gboolean good = descriptor >= 0 && fsync (descriptor) == 0;
  int problem = errno;

  if (descriptor >= 0)
    close (descriptor);
  return good || tally_throw_errno (error, problem, "could not sync \"%s\"", path);
}

/* Only once there is something to write: a plan makes no folders. */
static gboolean
make_folders (MaildirSink *sink, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (sink->path);

  for (guint i = 0; i < G_N_ELEMENTS (folders) && !sink->ready; i++)
    {
      g_autofree char *folder = g_build_filename (sink->path, folders[i], NULL);

      if (g_mkdir_with_parents (folder, 0700) < 0)
        return tally_throw_errno (error, errno, "could not make \"%s\"", folder);
    }
  if (!sink->ready && (!sync_path (sink->path, error) || !sync_path (parent, error)))
    return FALSE;
  sink->ready = TRUE;
  return TRUE;
}

/* ---- Messages ---- */

static gboolean
render_raw (MaildirSink *sink, const TallyBatch *batch, guint row, GString *out, GError **error)
{
  TallyText raw = tally_batch_get_text (batch, row, (guint) sink->plan.columns[EMAIL_RAW]);

  if ((gint64) raw.length > sink->max_message)
    return tally_throw (error, TALLY_ERROR_DATA,
                        "column \"raw\": it has %" G_GSIZE_FORMAT " bytes, and \"max-message\" is %" G_GINT64_FORMAT, raw.length,
                        sink->max_message);
  g_string_append_len (out, raw.data, (gssize) raw.length);
  return TRUE;
}

/* Files of this system end their lines in its way. */
static void
end_lines_with_lf (GString *text)
{
  gsize to = 0;

  for (gsize from = 0; from < text->len; from++)
    if (text->str[from] != '\r' || text->str[from + 1] != '\n')
      text->str[to++] = text->str[from];
  g_string_truncate (text, to);
}

static gboolean
maildir_render (gpointer self, TallyContext *ctx, const TallyBatch *batch, guint row, const char *reference, GString *ret_body,
                GError **error)
{
  MaildirSink *sink = self;
  g_auto (EmailLetter) letter = { 0 };

  if (email_plan_gives (&sink->plan, batch, row, EMAIL_RAW))
    return render_raw (sink, batch, row, ret_body, error);
  if (!email_letter_read (&letter, &sink->plan, &sink->rules, batch, row, reference, error)
      || !email_compose (&letter, /* keep_bcc= */ TRUE, sink->max_message, ret_body, error))
    return FALSE;
  end_lines_with_lf (ret_body);
  return TRUE;
}

/* (transfer full) the name of the message that a record becomes */
static char *
make_name (const TallyDelivery *delivery)
{
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, tally_delivery_reference (delivery), -1);

  return g_strdup_printf ("%.40s.tallyman", sum);
}

static gboolean
write_file (const char *path, TallyText body, GError **error)
{
  int descriptor = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  gsize written = 0;
  gssize n = 0;
  gboolean good;
  int problem;

  while (descriptor >= 0 && written < body.length && (n >= 0 || errno == EINTR))
    {
      n = write (descriptor, body.data + written, body.length - written);
      written += (gsize) MAX (n, 0);
    }
  good = descriptor >= 0 && written == body.length && fsync (descriptor) == 0;
  problem = errno;
  if (descriptor >= 0)
    close (descriptor);
  return good || tally_throw_errno (error, problem, "could not write \"%s\"", path);
}

static void
settle (TallyDelivery *delivery, TallyVerdict verdict, const char *name, gboolean repeated, const GError *error)
{
  const TallyOutcome outcome = { TALLY_OUTCOME_INIT, .verdict = verdict, .target_id = name, .repeated = repeated,
                                 .detail = error != NULL ? error->message : NULL };

  tally_delivery_settle (delivery, &outcome);
}

/* A server of files may have linked it although its answer was lost.  It is not looked for in "new": a mail reader may have moved it. */
static gboolean
has_two_names (const char *path)
{
  struct stat status;

  return stat (path, &status) < 0 || status.st_nlink > 1;
}

/* TRUE: it is there for good.  FALSE with ret_linked: it may be. */
static gboolean
deliver (MaildirSink *sink, const char *name, TallyText body, gboolean *ret_linked, gboolean *ret_before, GError **error)
{
  g_autofree char *draft = g_build_filename (sink->path, "tmp", name, NULL);
  g_autofree char *folder = g_build_filename (sink->path, "new", NULL);
  g_autofree char *final = g_build_filename (folder, name, NULL);

  if (!make_folders (sink, error) || !write_file (draft, body, error))
    return FALSE;
  *ret_linked = link (draft, final) == 0;
  *ret_before = !*ret_linked && errno == EEXIST;
  if (!*ret_linked && !*ret_before)
    {
      tally_throw_errno (error, errno, "could not link \"%s\" into \"new\"", draft);
      *ret_linked = has_two_names (draft);
      return FALSE;
    }
  *ret_linked = TRUE;
  unlink (draft);
  return sync_path (folder, error);
}

static void
maildir_send (gpointer self, TallyContext *ctx, TallyDelivery *delivery)
{
  g_autofree char *name = make_name (delivery);
  gboolean linked = FALSE, before = FALSE;
  g_autoptr (GError) error = NULL;

  if (deliver (self, name, tally_delivery_body (delivery), &linked, &before, &error))
    settle (delivery, TALLY_VERDICT_DELIVERED, name, before, NULL);
  else
    settle (delivery, linked ? TALLY_VERDICT_UNKNOWN : TALLY_VERDICT_UNSENT, NULL, FALSE, error);
}

/* Whether a folder has it, whatever a mail reader has noted after its name. */
static gboolean
has_message (MaildirSink *sink, const char *folder, const char *name, gboolean *ret_found, GError **error)
{
  g_autofree char *path = g_build_filename (sink->path, folder, NULL);
  g_autoptr (GDir) entries = g_dir_open (path, 0, error);
  gsize length = strlen (name);
  const char *entry;

  while (entries != NULL && !*ret_found && (entry = g_dir_read_name (entries)) != NULL)
    *ret_found = strncmp (entry, name, length) == 0 && (entry[length] == '\0' || entry[length] == ':');
  return entries != NULL;
}

static void
maildir_resolve (gpointer self, TallyContext *ctx, TallyDelivery *delivery)
{
  MaildirSink *sink = self;
  g_autofree char *name = make_name (delivery);
  g_autoptr (GError) error = NULL;
  gboolean found = FALSE;

  /* In this order: a mail reader moves it from new to cur. */
  if (sink->ready
      && (!has_message (sink, "new", name, &found, &error) || !has_message (sink, "cur", name, &found, &error)))
    settle (delivery, TALLY_VERDICT_UNKNOWN, NULL, FALSE, error);
  else
    settle (delivery, found ? TALLY_VERDICT_DELIVERED : TALLY_VERDICT_ABSENT, found ? name : NULL, FALSE, NULL);
}

static const TallyDeliverySink delivery = {
  TALLY_DELIVERY_SINK_INIT,
  .profile = maildir_profile,
  .render = maildir_render,
  .send = maildir_send,
  .resolve = maildir_resolve,
};

static const TallyPlugin maildir_sink = {
  TALLY_PLUGIN_INIT,
  .kind = TALLY_SINK,
  .name = "maildir",
  .summary = "Writes each record as a message into a Maildir",
  .instance_size = sizeof (MaildirSink),
  .options = options,
  .check = maildir_check,
  .accept = maildir_accept,
  .open = maildir_open,
  .delivery = &delivery,
};

TALLY_REGISTER (&maildir_sink);
