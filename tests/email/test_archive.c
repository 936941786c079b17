/* test_archive.c: the pipelines of pipelines/mail-archive, from a mailbox into an account */
#include "promise.h"
#include "rig.h"
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

static const Promise promises[] = {
  { "a mailbox becomes tickets", test_a_mailbox_becomes_tickets },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("email archive", promises, argc, argv);
}
