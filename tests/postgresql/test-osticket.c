/* test-osticket.c: the old help desk of pipelines/osticket, from three dumps over PostgreSQL into Zendesk */
#include "desk.h"

static void
copy_folder (Desk *desk)
{
  g_autofree char *folder = g_build_filename (g_getenv ("SOURCE_ROOT"), "pipelines", "osticket", NULL);
  g_autofree char *target = rig_path (desk->rig, "osticket");
  g_autofree char *command = g_strdup_printf ("cp -r '%s' '%s'", folder, target);

  assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
}

static void
test_is_rebuilt (void)
{
  g_autoptr (Desk) desk = desk_new (FALSE);
  g_autofree char *rejects = NULL;

  if (desk == NULL)
    return;
  copy_folder (desk);
  rig_setenv (desk->rig, "STAGING", desk->uri);
  rig_setenv (desk->rig, "ZENDESK_URL", rig_url (desk->rig));
  rig_setenv (desk->rig, "ZENDESK_TOKEN", "token");
  if (!assert_int (rig_command (desk->rig, "run", "osticket", NULL), 3))
    g_printerr ("%s%s\n", rig_output (desk->rig), rig_errors (desk->rig));
  assert_int (rig_tickets (desk->rig), 59);
  desk_expect (desk, "staged", "SELECT (SELECT count (*) FROM osticket_thread) || ' ' || pg_typeof (created) FROM osticket_tickets LIMIT 1",
               "168 timestamp with time zone");
  rejects = rig_read (desk->rig, "osticket/rejects.ndjson");
  assert_contains (rejects, "the requester has no e-mail address");

  /* Nothing is created by the second run, and nothing is staged again that has not changed. */
  rig_command (desk->rig, "run", "osticket", NULL);
  assert_int (rig_tickets (desk->rig), 59);
  desk_do (desk, "INSERT INTO osticket_thread VALUES (1000, 1, 'M', 'Ada', 'one more', now ()); "
                 "INSERT INTO osticket_users VALUES (99, 'New', 'new@example.org'); "
                 "INSERT INTO osticket_tickets VALUES (99, 99, 99, 's', 'open', 'low', now ()); "
                 "INSERT INTO osticket_thread VALUES (1001, 99, 'M', 'New', 'hello', now ())");
  rig_command (desk->rig, "run", "osticket", NULL);
  assert_int (rig_tickets (desk->rig), 60);
}

static const Promise promises[] = {
  { "an old desk is rebuilt", test_is_rebuilt },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("osticket", promises, argc, argv);
}
