/* guess-mail.c: what is in a mailbox, and how it becomes tickets
 *
 * A mailbox has always the same columns, so what is looked for is how much there is of what.
 */
#include "guess-reading.h"
#include "guess-text.h"
#include "guess.h"
#include "record/jsonb.h"
#include <string.h>

/* A set of strangers' words does not grow without an end. */
#define MOST_KEPT 2000000

struct _GuessMail
{
  gboolean has_folders;              /* of Maildir++, beside the Maildir */
  GHashTable *threads, *senders;     /* (owned) (element-type utf8) */
  gint64 first, last;                /* microseconds since 2000 */
  guint64 n_dated, n_automatic, n_with_files, n_files;
};

void
guess_mail_free (GuessMail *mail)
{
  g_hash_table_destroy (mail->threads);
  g_hash_table_destroy (mail->senders);
  g_free (mail);
}

/* A row's value of a column that all mail has; FALSE if it is NULL. */
static gboolean
get_text (const GuessReading *reading, guint row, const char *column, TallyText *ret_text)
{
  guint index = (guint) tally_schema_find (reading->schema, column);

  if (tally_batch_is_null (reading->batch, row, index))
    return FALSE;
  *ret_text = tally_batch_get_text (reading->batch, row, index);
  return TRUE;
}

static void
keep_different (GHashTable *set, TallyText text)
{
  if (g_hash_table_size (set) < MOST_KEPT)
    g_hash_table_add (set, tally_text_dup (text));
}

static gboolean
is_automatic (const GuessReading *reading, guint row)
{
  TallyText text;

  return get_text (reading, row, "bounce", &text)
         || (get_text (reading, row, "auto_submitted", &text) && !tally_text_equal (text, "no"));
}

static void
note_date (GuessMail *mail, const GuessReading *reading, guint row)
{
  guint index = (guint) tally_schema_find (reading->schema, "date");
  gint64 date;

  if (tally_batch_is_null (reading->batch, row, index))
    return;
  date = tally_batch_get_int (reading->batch, row, index);
  mail->first = mail->n_dated == 0 ? date : MIN (mail->first, date);
  mail->last = mail->n_dated == 0 ? date : MAX (mail->last, date);
  mail->n_dated++;
}

static void
note_mail (GuessMail *mail, const GuessReading *reading, guint row)
{
  gint64 n_files = 0;
  TallyText text;

  note_date (mail, reading, row);
  mail->n_automatic += is_automatic (reading, row);
  if (get_text (reading, row, "thread_id", &text))
    keep_different (mail->threads, text);
  if (get_text (reading, row, "from_address", &text))
    {
      g_autofree char *address = tally_text_dup (text), *lower = g_utf8_strdown (address, -1);

      keep_different (mail->senders, (TallyText) { lower, strlen (lower) });
    }
  if (get_text (reading, row, "attachments", &text) && tally_jsonb_array_length (text, &n_files, NULL))
    {
      mail->n_with_files += n_files > 0;
      mail->n_files += (guint64) n_files;
    }
}

static void
note_batch (GuessFile *file, const GuessReading *reading)
{
  for (guint row = 0; row < tally_batch_n_rows (reading->batch); row++)
    note_mail (file->mail, reading, row);
  guess_file_count (file, reading->batch);
}

/* (transfer full) Folders of Maildir++ lie in the Maildir and begin with a dot. */
static char *
folders_of (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);

  for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
    {
      g_autofree char *current = g_build_filename (path, name, "cur", NULL);

      if (*name == '.' && g_file_test (current, G_FILE_TEST_IS_DIR))
        return g_build_filename (path, ".*", NULL);
    }
  return NULL;
}

gboolean
guess_look_at_mail (GuessFile *file, TallyRegistry *registry, guint64 most, GError **error)
{
  g_auto (GuessReading) reading = { 0 };
  g_autofree char *folders = folders_of (file->path);
  const GuessOption options[] = { { "path", file->path }, { "path", folders } };
  TallyFlow flow = TALLY_FLOW_OK;

  file->mail = g_new0 (GuessMail, 1);
  file->mail->has_folders = folders != NULL;
  file->mail->threads = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  file->mail->senders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!guess_reading_begin (&reading, registry, file->source, options, G_N_ELEMENTS (options), error))
    return FALSE;

  while (flow == TALLY_FLOW_OK && file->n_records < most)
    {
      flow = guess_reading_next (&reading, error);
      note_batch (file, &reading);
    }
  file->is_whole = flow == TALLY_FLOW_END;
  return flow != TALLY_FLOW_FATAL;
}

static char *
day_of (gint64 date)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (date / G_USEC_PER_SEC + TALLY_EPOCH_UNIX);

  return g_date_time_format (time, "%Y-%m-%d");
}

void
guess_append_mail_facts (const GuessFile *file, GString *out)
{
  const GuessMail *mail = file->mail;
  g_autofree char *first = day_of (mail->first), *last = day_of (mail->last);

  if (mail->n_dated > 0)
    g_string_append_printf (out, "#   written: %s to %s\n", first, last);
  if (mail->n_dated < file->n_rows)
    g_string_append_printf (out, "#   without a date that can be read: %" G_GUINT64_FORMAT "\n", file->n_rows - mail->n_dated);
  g_string_append_printf (out, "#   conversations: %u\n#   senders: %u\n", g_hash_table_size (mail->threads),
                          g_hash_table_size (mail->senders));
  g_string_append_printf (out, "#   automatic, bounces among them: %" G_GUINT64_FORMAT "\n", mail->n_automatic);
  g_string_append_printf (out, "#   with files: %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT " files\n", mail->n_with_files,
                          mail->n_files);
}

void
guess_append_mail_source (const GuessFile *file, GString *out)
{
  g_autofree char *path = guess_escape_reference (file->path), *folders = g_build_filename (path, ".*", NULL);

  if (!file->mail->has_folders)
    {
      guess_append_entry (out, 4, "path", path);
      return;
    }
  g_string_append (out, "    path:\n      - ");
  guess_append_yaml (out, path);
  g_string_append (out, "\n      - ");
  guess_append_yaml (out, folders);
  g_string_append_c (out, '\n');
}

/* Without users of the account, whose ids a pipeline for people would find, comments have no authors: a conversation is one text. */
void
guess_append_mail_tickets (GString *out)
{
  g_string_append (out,
                   "\ntransform:\n"
                   "  - thread: [message_id, references, in_reply_to]\n"
                   "  - filter: bounce IS NULL AND coalesce(auto_submitted, 'no') = 'no'   # nothing that machines wrote\n"
                   "  - distinct: [identity]                   # a mail that lies in two folders is one\n"
                   "  - assert: { from_address IS NOT NULL: nobody can be answered }\n"
                   "  - sort: [date, identity]\n"
                   "  - set:\n"
                   "      mail: >-\n"
                   "        coalesce(from_name || ' ', '') || '<' || from_address || '>'\n"
                   "        || coalesce(to_char(date, ', YYYY-MM-DD HH24:MI'), '') || E':\\n\\n'\n"
                   "        || coalesce(nullif(btrim(reply_text(best_text), E' \\n'), ''), '(no text)')\n"
                   "      sender: >-\n"
                   "        jsonb_build_object('email', lower(from_address), 'name', coalesce(from_name, from_address))\n"
                   "  # A conversation is one ticket, its mails one text.  That each is a comment of who wrote it, with its files, needs\n"
                   "  # the people first: start from pipelines/mail-archive then.\n"
                   "  - group:\n"
                   "      conversation: thread_id\n"
                   "      subjects: jsonb_agg(subject)\n"
                   "      senders: jsonb_agg(sender)\n"
                   "      comment.body: string_agg(mail, E'\\n\\n----\\n\\n')\n"
                   "  - set:\n"
                   "      subject: coalesce(subjects ->> 0, '(no subject)')\n"
                   "      requester.email: senders -> 0 ->> 'email'\n"
                   "      requester.name: senders -> 0 ->> 'name'\n"
                   "  - keep: [conversation, subject, comment.body, requester.email, requester.name]\n"
                   "\nsink:\n"
                   "  zendesk-tickets:\n"
                   "    url: ${ZENDESK_URL}\n"
                   "    access_token: ${ZENDESK_TOKEN}\n"
                   "    key: conversation\n"
                   "    long-body: split\n");
}
