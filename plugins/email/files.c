/* files.c: messages in files: an mbox, a Maildir, one message a file
 *
 * An origin is a file: a whole mbox, or one message of its own, so that whatever is said of a message names its file.
 */
#include "files.h"
#include "feed.h"
#include "flags.h"
#include "maildir.h"
#include "message.h"
#include <string.h>

#define BLOCK (64 * 1024)
/* The decoder of another encoding wants that much room. */
#define LEAST_ROOM 64

typedef struct
{
  MailCarrier base;
  FilesOptions options;
  TallyFeed feed;
  gboolean is_begun;   /* the position of an earlier run was looked at */
  char *folder;        /* (owned) (nullable) the file that is read, without its folders and its end */
  MboxReader *mbox;    /* (owned) (nullable) of these three at most one is there: */
  Maildir *maildir;    /* (owned) (nullable) */
  TallyInput *single;  /* (owned) (nullable) a message of its own, */
  char *single_name;   /* (owned) (nullable) its file, */
  gsize single_length; /* and what was read of it */
  GByteArray *bytes;   /* (owned) */
  char *flags;         /* (owned) (nullable) of the last message */
} Files;

/* ---- One file ---- */

static void
leave_file (Files *files)
{
  g_clear_pointer (&files->mbox, mbox_reader_free);
  g_clear_pointer (&files->maildir, maildir_free);
  g_clear_pointer (&files->single, tally_input_free);
  g_clear_pointer (&files->single_name, g_free);
  g_clear_pointer (&files->folder, g_free);
  files->single_length = 0;
}

/* Looks at the first bytes of a view of its own. */
static gboolean
begins_like_mbox (Files *files, gboolean *ret_does, GError **error)
{
  g_autoptr (TallyInput) input = tally_feed_open_input (&files->feed, NULL, error);
  guint8 start[MBOX_MAX_LINE + LEAST_ROOM];
  gsize length = 0;

  if (input == NULL)
    return FALSE;
  while (length < MBOX_MAX_LINE)
    {
      gssize got = tally_input_read (input, start + length, sizeof start - length, error);

      if (got < 0)
        return FALSE;
      if (got == 0)
        break;
      length += (gsize)got;
    }
  *ret_does = mbox_begins_message ((const char *)start, length);
  return TRUE;
}

/* The file's name as the name of a folder: archive.mbox.gz is "archive". */
static char *
folder_of (const char *name)
{
  g_autofree char *base = g_path_get_basename (name);
  char *end = strchr (base + 1, '.');

  if (g_str_equal (name, "-"))
    return NULL;
  if (end != NULL)
    *end = '\0';
  return g_steal_pointer (&base);
}

static gboolean
enter_file (Files *files, GError **error)
{
  const char *name = tally_feed_name (&files->feed);
  FilesFormat format = files->options.format;
  TallyInput *input;
  gboolean is_mbox;

  if (format == FILES_AUTO && g_file_test (name, G_FILE_TEST_IS_DIR))
    format = FILES_MAILDIR;
  if (format == FILES_MAILDIR && !maildir_is (name))
    return tally_throw (error, TALLY_ERROR_USAGE, "\"%s\" is no Maildir: it has no folders \"new\" and \"cur\"", name);
  if (format == FILES_MAILDIR)
    return (files->maildir = maildir_open (name, error)) != NULL;

  if (format == FILES_AUTO)
    {
      if (!begins_like_mbox (files, &is_mbox, error))
        return FALSE;
      format = is_mbox ? FILES_MBOX : FILES_EML;
    }
  input = tally_feed_open_input (&files->feed, NULL, error);
  if (input == NULL)
    return FALSE;
  if (format == FILES_MBOX)
    {
      files->folder = folder_of (name);
      files->mbox = mbox_reader_new (input, files->options.dialect, files->options.max_message);
    }
  else
    {
      files->single = input;
      files->single_name = g_strdup (name);
    }
  return TRUE;
}

/* The next message of a Maildir as a file of its own. */
static gboolean
enter_message (Files *files, gboolean *ret_found, GError **error)
{
  g_clear_pointer (&files->single, tally_input_free);
  g_clear_pointer (&files->single_name, g_free);
  files->single_length = 0;
  files->single_name = maildir_next (files->maildir);
  *ret_found = files->single_name != NULL;
  if (!*ret_found)
    return TRUE;
  files->single = tally_input_open (files->single_name, &(TallyInputOptions){ NULL, files->feed.wake }, error);
  return files->single != NULL;
}

/* ---- Where an earlier run has stopped ---- */

/* A Maildir's place is in the name of a message, with no blanks in it. */
static char *
escaped_name (const char *lasting)
{
  return g_uri_escape_string (*lasting != '\0' ? lasting : ".", NULL, TRUE);
}

static gboolean
go_to_place (Files *files, const TallyPlace *place, gboolean *ret_fits, GError **error)
{
  if (!enter_file (files, error))
    return FALSE;

  if (files->maildir != NULL)
    {
      g_autofree char *lasting = g_uri_unescape_string (place->identity, NULL);

      maildir_skip (files->maildir, lasting != NULL ? lasting : "");
      *ret_fits = TRUE;
      return TRUE;
    }
  *ret_fits = tally_input_is (files->mbox != NULL ? mbox_reader_input (files->mbox) : files->single, place->identity);
  if (!*ret_fits || place->offset == 0)
    return TRUE;
  if (files->mbox != NULL)
    return mbox_reader_resume (files->mbox, place->offset, place->line, ret_fits, error);
  files->single_length = place->offset;
  return TRUE;
}

static gboolean
begin (Files *files, TallyContext *ctx, GError **error)
{
  g_auto (TallyPlace) place = { 0 };
  gboolean fits = TRUE;

  files->is_begun = TRUE;
  if (!tally_feed_find_place (&files->feed, ctx, &place))
    return TRUE;
  if (!go_to_place (files, &place, &fits, error))
    return FALSE;
  if (!fits)
    {
      leave_file (files);
      tally_feed_start_over (&files->feed, ctx, place.name);
    }
  return TRUE;
}

/* ---- The carrier ---- */

/* Whether there may be a message to read where we are. */
static gboolean
is_ready (Files *files)
{
  return files->mbox != NULL || (files->single != NULL && files->maildir == NULL);
}

static TallyFlow
files_next_origin (MailCarrier *carrier, TallyContext *ctx, GError **error)
{
  Files *files = (Files *)carrier;
  gboolean was_begun = files->is_begun, found;

  if (!was_begun && !begin (files, ctx, error))
    return TALLY_FLOW_FATAL;
  if (!was_begun && is_ready (files))
    return TALLY_FLOW_OK;

  for (;;)
    {
      if (files->maildir != NULL)
        {
          if (!enter_message (files, &found, error))
            return TALLY_FLOW_FATAL;
          if (found)
            return TALLY_FLOW_OK;
        }
      if (is_ready (files) || files->maildir != NULL)
        {
          leave_file (files);
          files->feed.index++;
        }
      if (tally_feed_name (&files->feed) == NULL)
        return TALLY_FLOW_END;
      if (!enter_file (files, error))
        return TALLY_FLOW_FATAL;
      if (is_ready (files))
        return TALLY_FLOW_OK;
    }
}

/* A line in front of the header that a mailbox has left there: "From jane", not "From : jane". */
static void
drop_from_line (GByteArray *bytes)
{
  const guint8 *end = memchr (bytes->data, '\n', bytes->len);
  gsize at = bytes->len > 0 && bytes->data[0] == '>';

  if (end == NULL || bytes->len - at < 6 || memcmp (bytes->data + at, "From ", 5) != 0)
    return;
  for (at += 5; bytes->data[at] == ' '; at++)
    ;
  if (bytes->data[at] != ':')
    g_byte_array_remove_range (bytes, 0, (guint)(end + 1 - bytes->data));
}

/* A message of its own: all of the file. */
static TallyFlow
next_single (Files *files, MailItem *item, GError **error)
{
  gssize got = 1;

  if (files->single_length > 0)
    return TALLY_FLOW_END;
  tally_input_consume (files->single);
  g_byte_array_set_size (files->bytes, 0);
  *item = (MailItem){ .bytes = files->bytes, .number = 1 };
  if (files->maildir != NULL)
    {
      item->folder = maildir_folder (files->maildir);
      item->flags = files->flags = mail_flags_from_maildir (files->single_name);
    }
  while (got > 0 && files->bytes->len <= files->options.max_message)
    {
      guint length = files->bytes->len;

      g_byte_array_set_size (files->bytes, length + BLOCK);
      got = tally_input_read (files->single, files->bytes->data + length, BLOCK, error);
      g_byte_array_set_size (files->bytes, length + (guint)MAX (got, 0));
    }
  if (got < 0)
    return TALLY_FLOW_FATAL;

  files->single_length = MAX (files->bytes->len, 1);
  if (files->bytes->len > files->options.max_message)
    {
      item->flaw = "is larger than max-message";
      g_byte_array_set_size (files->bytes, MIN (files->bytes->len, MAIL_MOST_RAW));
    }
  else if (files->bytes->len > 0)
    drop_from_line (files->bytes);
  /* An mbox may be empty, a message may not. */
  return files->bytes->len > 0 || files->maildir != NULL || files->options.format == FILES_EML ? TALLY_FLOW_OK : TALLY_FLOW_END;
}

static TallyFlow
files_next (MailCarrier *carrier, MailItem *ret_item, GError **error)
{
  Files *files = (Files *)carrier;
  TallyFlow flow;

  g_clear_pointer (&files->flags, g_free);
  if (files->mbox == NULL)
    return next_single (files, ret_item, error);

  tally_input_consume (mbox_reader_input (files->mbox));
  flow = mbox_reader_next (files->mbox, ret_item, error);
  ret_item->folder = files->folder;
  if (flow == TALLY_FLOW_OK && ret_item->flaw == NULL)
    ret_item->flags = files->flags = mail_flags_from_mbox ((TallyText){ (const char *)ret_item->bytes->data, ret_item->bytes->len });
  if (flow == TALLY_FLOW_FATAL)
    tally_throw_prefix (error, "%s", tally_feed_name (&files->feed));
  return flow;
}

static void
files_set_origin (MailCarrier *carrier, TallyContext *ctx, TallyBatch *batch)
{
  Files *files = (Files *)carrier;

  tally_feed_set_origin_name (files->single_name != NULL ? files->single_name : tally_feed_name (&files->feed), ctx, batch);
}

static void
files_set_position (MailCarrier *carrier, TallyBatch *batch)
{
  Files *files = (Files *)carrier;

  if (files->maildir != NULL)
    {
      g_autofree char *name = escaped_name (maildir_lasting (files->maildir));

      tally_feed_set_place (&files->feed, name, 0, 1, batch);
    }
  else if (files->mbox != NULL)
    tally_feed_set_position (&files->feed, mbox_reader_input (files->mbox), mbox_reader_offset (files->mbox),
                             mbox_reader_line (files->mbox), batch);
  else
    tally_feed_set_position (&files->feed, files->single, files->single_length, 1, batch);
}

static void
probe_maildir (const char *name, TallyContext *ctx)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Maildir) maildir = maildir_open (name, &error);

  if (maildir != NULL)
    tally_context_tell (ctx, TALLY_FINDING_OK, NULL, "%u message%s in %s", maildir_count (maildir),
                        maildir_count (maildir) == 1 ? "" : "s", name);
  else
    tally_context_tell (ctx, TALLY_FINDING_PROBLEM, "name folders that have \"new\" and \"cur\"", "%s", error->message);
}

static void
files_probe (MailCarrier *carrier, TallyContext *ctx)
{
  Files *files = (Files *)carrier;
  gboolean has_files = FALSE;

  for (guint i = 0; i < files->feed.names->len; i++)
    {
      const char *name = g_ptr_array_index (files->feed.names, i);

      if (g_file_test (name, G_FILE_TEST_IS_DIR))
        probe_maildir (name, ctx);
      else
        has_files = TRUE;
    }
  if (has_files)
    tally_feed_probe (&files->feed, ctx);
}

static void
files_interrupt (MailCarrier *carrier)
{
  tally_feed_interrupt (&((Files *)carrier)->feed);
}

static void
files_free (MailCarrier *carrier)
{
  Files *files = (Files *)carrier;

  leave_file (files);
  tally_feed_close (&files->feed);
  g_byte_array_unref (files->bytes);
  g_free (files->flags);
  g_free (files);
}

static const MailCarrierClass files_class = {
  .next_origin = files_next_origin,
  .next = files_next,
  .set_origin = files_set_origin,
  .set_position = files_set_position,
  .probe = files_probe,
  .interrupt = files_interrupt,
  .free = files_free,
};

/* A pattern for Maildir++'s folders, Mail/.*, also matches the folder itself and the one above. */
static void
leave_out_dots (GPtrArray *names)
{
  for (guint i = names->len; i-- > 0;)
    if (g_str_has_suffix (g_ptr_array_index (names, i), "/.") || g_str_has_suffix (g_ptr_array_index (names, i), "/.."))
      g_ptr_array_remove_index (names, i);
}

MailCarrier *
files_carrier_new (const FilesOptions *options, GError **error)
{
  Files *files = g_new0 (Files, 1);

  files->base.class = &files_class;
  files->options = *options;
  files->bytes = g_byte_array_new ();
  if (!tally_feed_open (&files->feed, options->paths, error))
    {
      files_free (&files->base);
      return NULL;
    }
  leave_out_dots (files->feed.names);
  return &files->base;
}
