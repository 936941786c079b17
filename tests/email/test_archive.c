/* test_archive.c: mail becomes tickets, each once; the pipelines of pipelines/mail-archive among them */
#include "promise.h"
#include "rig.h"
#include <signal.h>
#include <string.h>

static void
copy_folder (Rig *rig)
{
  g_autofree char *command = g_strdup_printf ("sh -c \"cp '%s/pipelines/mail-archive'/* '%s'\"", g_getenv ("SOURCE_ROOT"), rig_folder (rig));

  assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  rig_setenv (rig, "ZENDESK_URL", rig_url (rig));
  rig_setenv (rig, "ZENDESK_TOKEN", "secret");
}

/* Somebody to stand for strangers; and an agent who is there already. */
static void
make_people (Rig *rig)
{
  g_autofree char *agent = rig_ask (rig, "POST", "/api/v2/users.json",
                                    "{\"user\":{\"name\":\"Support\",\"email\":\"support@example.com\",\"skip_verify_email\":true}}");
  g_autofree char *answer = rig_ask (rig, "POST", "/api/v2/users.json", "{\"user\":{\"name\":\"Nobody\",\"skip_verify_email\":true}}");
  const char *id = strstr (answer, "\"id\":");
  g_autofree char *placeholder = id != NULL ? g_strndup (id + 5, strspn (id + 5, "0123456789")) : g_strdup ("0");

  assert_contains (agent, "\"email\":\"support@example.com\"");
  rig_setenv (rig, "ZENDESK_PLACEHOLDER", placeholder);
}

static void
run_folder (Rig *rig, const char *label)
{
  if (!assert_row_int (label, rig_command (rig, "run", rig_folder (rig), NULL), 0))
    g_printerr ("%s%s", rig_output (rig), rig_errors (rig));
  assert_row_int (label, rig_tickets (rig), 2);
  assert_row_int (label, rig_emulator_count (rig, "users_created"), 4); /* two made by hand */
}

/* (transfer full) What the account has of a conversation's ticket, and of its comments. */
static char *
ticket_of (Rig *rig, const char *external_id, char **ret_comments)
{
  g_autofree char *path = g_strdup_printf ("/api/v2/tickets.json?external_id=%s", external_id);
  char *tickets = rig_ask (rig, "GET", path, NULL);
  const char *id = strstr (tickets, "\"id\":");
  g_autofree char *number = g_strndup (id != NULL ? id + 5 : "0", strspn (id != NULL ? id + 5 : "0", "0123456789"));
  g_autofree char *comments = g_strdup_printf ("/api/v2/tickets/%s/comments.json", number);

  *ret_comments = rig_ask (rig, "GET", comments, NULL);
  return tickets;
}

/* All of them stand there, one behind the other. */
static void
assert_in_order (const char *text, const char *const *parts)
{
  const char *at = text;

  for (; *parts != NULL; parts++)
    {
      const char *found = strstr (at, *parts);

      if (found == NULL)
        assert_contains (at, *parts);
      else
        at = found + strlen (*parts);
    }
}

static void
test_a_mailbox_becomes_tickets (void)
{
  static const char *const conversation[] = { "the display came with scratches on the left", "\"file_name\":\"report.txt\"",
                                              "a new one is on its way", "It is here and perfect. Thank you!\\nFrom now on I buy here.\"", NULL };
  g_autoptr (Rig) rig = rig_new (FALSE, "--search-lag", "0", NULL);
  g_autofree char *comments = NULL, *other = NULL;

  copy_folder (rig);
  make_people (rig);
  run_folder (rig, "the first run");
  run_folder (rig, "run again");

  g_autofree char *ticket = ticket_of (rig, "mailbox:k1@mail.example.org", &comments);
  assert_contains (ticket, "\"subject\":\"Scratches on the display\"");
  assert_contains (ticket, "\"created_at\":\"2019-03-04T08:12:30Z\"");
  assert_in_order (comments, conversation);
  assert_true (strstr (comments, "wrote:") == NULL);
  assert_true (strstr (comments, "We have received") == NULL);

  g_autofree char *second = ticket_of (rig, "mailbox:o1@example.net", &other);
  assert_contains (second, "\"subject\":\"R\xc3\xbc" "ckgabe?\"");
  assert_contains (other, "I read \xe2\x80\x93 14 days.");
}

/* ---- One each ---- */

#define N_MAILS 60

/* Some without a Message-ID, some with one that others have, too. */
static char *
mail (guint i)
{
  g_autofree char *id = i % 3 == 0 ? g_strdup ("") : g_strdup_printf ("Message-ID: <%u@example.org>\n", i % 3 == 1 ? i : i / 10);

  return g_strdup_printf ("%sFrom: Jane <jane@example.org>\nSubject: mail %u\nDate: Mon, 4 Mar 2019 09:12:%02u +0100\n\nFrom here on %u.\n", id, i,
                          i % 60, i);
}

static void
write_mbox (Rig *rig)
{
  g_autoptr (GString) mbox = g_string_new (NULL);

  for (guint i = 0; i < N_MAILS; i++)
    {
      g_autofree char *text = mail (i);
      g_auto (GStrv) parts = g_strsplit (text, "\nFrom here", 2);

      g_string_append_printf (mbox, "From jane@example.org Mon Mar  4 08:12:40 2019\nStatus: RO\n%s\n>From here%s\n", parts[0], parts[1]);
    }
  rig_write (rig, "mails.mbox", mbox->str);
}

/* The same, delivered in another order, and with other line ends. */
static void
write_maildir (Rig *rig)
{
  g_autofree char *command = g_strdup_printf ("mkdir -p '%s/Mail/cur' '%s/Mail/new' '%s/Mail/tmp'", rig_folder (rig), rig_folder (rig),
                                              rig_folder (rig));

  assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  for (guint i = 0; i < N_MAILS; i++)
    {
      g_autofree char *text = mail (i), *name = g_strdup_printf ("Mail/%s/%u.%u.host%s", i % 2 ? "new" : "cur", N_MAILS - i, i, i % 2 ? "" : ":2,S");
      g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
      g_autofree char *crlf = g_strjoinv ("\r\n", lines), *message = g_strconcat ("Delivered-To: support@example.com\r\n", crlf, NULL);

      rig_write (rig, name, message);
    }
}

static void
write_pipeline (Rig *rig, const char *path)
{
  g_autofree char *pipeline = g_strdup_printf (
      "pipeline: mails\norigin: desk\nsource: { email: { path: %s } }\n"
      "transform:\n  - set: { comment.body: best_text }\n  - keep: [identity, subject, comment.body]\n"
      "sink:\n  zendesk-tickets:\n    url: %s\n    access_token: secret\n    key: identity\n    settle: 1s\n", path, rig_url (rig));

  rig_write (rig, "pipeline.yaml", pipeline);
}

static void
test_mail_without_an_id_or_with_one_that_repeats_is_one_each (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--search-lag", "0", "--delay", "20", NULL);

  write_mbox (rig);
  write_maildir (rig);
  write_pipeline (rig, "mails.mbox");
  for (guint n = 10; n <= 40; n += 15)
    {
      rig_start (rig);
      rig_wait_for_tickets (rig, n);
      rig_signal (rig, SIGKILL);
      assert_int (rig_wait (rig), 128 + SIGKILL);
    }
  if (!assert_int (rig_run (rig), 0))
    g_printerr ("%s%s", rig_output (rig), rig_errors (rig));
  assert_int (rig_tickets (rig), N_MAILS);

  write_pipeline (rig, "Mail");
  if (!assert_int (rig_run (rig), 0))
    g_printerr ("%s%s", rig_output (rig), rig_errors (rig));
  assert_int (rig_count (rig, "read"), N_MAILS);
  assert_int (rig_tickets (rig), N_MAILS);

  g_autoptr (GHashTable) created = rig_count_creations (rig, "created");
  assert_int (g_hash_table_size (created), N_MAILS);
}

static const Promise promises[] = {
  { "a mailbox becomes tickets", test_a_mailbox_becomes_tickets },
  { "mail without an id, or with one that repeats, is one each", test_mail_without_an_id_or_with_one_that_repeats_is_one_each },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("email archive", promises, argc, argv);
}
