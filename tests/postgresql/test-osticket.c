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

/* A table of the database with a row (j) for each of the emulator's answers to these paths, up to NULL. */
static void
take_answers (Desk *desk, const char *table, char **paths)
{
  g_autoptr (GString) sql = g_string_new (NULL);

  g_string_printf (sql, "CREATE TABLE %s (j jsonb)", table);
  for (guint i = 0; paths[i] != NULL; i++)
    {
      g_autofree char *answer = rig_ask (desk->rig, "GET", paths[i], NULL);

      g_string_append_printf (sql, "; INSERT INTO %s VALUES ($json$%s$json$)", table, answer);
    }
  desk_do (desk, sql->str);
}

/* The server joins what is staged, and compares. */
static void
expect_what_sql_joins (Desk *desk)
{
  g_auto (GStrv) pages = g_strsplit ("/api/v2/tickets.json?per_page=100", " ", -1), people = NULL;
  g_autofree char *joined = NULL;

  take_answers (desk, "pages", pages);
  joined = cluster_query (desk->uri, "SELECT string_agg (DISTINCT '/api/v2/users/' || (t->>'requester_id') || '.json', ' ') "
                                     "FROM pages, jsonb_array_elements (j->'tickets') AS t");
  people = g_strsplit (joined, " ", -1);
  take_answers (desk, "people", people);
  desk_do (desk,
           "CREATE VIEW made (id, subject, priority, status, body, name, email) AS SELECT t->>'external_id', t->>'subject', t->>'priority', t->>'status', t->>'description',"
           "  p.j->'user'->>'name', p.j->'user'->>'email'"
           "  FROM pages, jsonb_array_elements (pages.j->'tickets') AS t JOIN people AS p ON p.j->'user'->'id' = t->'requester_id';"
           "CREATE VIEW joined (id, subject, priority, status, body, name, email) AS SELECT 'osticket:' || t.id, '[' || t.number || '] ' || t.subject,"
           "  CASE t.priority WHEN 'emergency' THEN 'urgent' ELSE t.priority END, CASE t.status WHEN 'open' THEN 'open' ELSE 'solved' END,"
           "  string_agg (to_char (h.created AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' ' || h.poster || E':\\n' || h.body,"
           "              E'\\n\\n' ORDER BY h.created, h.id), u.name, u.email"
           "  FROM osticket_tickets t JOIN osticket_users u ON u.id = t.user_id JOIN osticket_thread h ON h.ticket_id = t.id"
           "  WHERE u.email IS NOT NULL GROUP BY t.id, u.id");
  desk_expect (desk, "as SQL joins them",
               "SELECT (SELECT count (*) FROM (TABLE made EXCEPT ALL TABLE joined) AS a) || ' ' || "
               "(SELECT count (*) FROM (TABLE joined EXCEPT ALL TABLE made) AS a) || ' ' || (SELECT count (*) FROM made)",
               "0 0 59");
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

  expect_what_sql_joins (desk);

  /* Nothing is created by the second run, and nothing is staged again that has not changed. */
  rig_command (desk->rig, "run", "osticket", NULL);
  assert_int (rig_tickets (desk->rig), 59);
  desk_do (desk, "INSERT INTO osticket_thread VALUES (1000, 1, 'M', 'Ada', 'one more', now ()); "
                 "INSERT INTO osticket_users VALUES (99, 'New', 'new@example.org'); "
                 "INSERT INTO osticket_tickets VALUES (99, 99, 99, 's', 'open', 'low', now ()); "
                 "INSERT INTO osticket_thread VALUES (1001, 99, 'M', 'New', 'hello', now ()); "
                 "INSERT INTO osticket_tickets VALUES (100, 100, 98, 'nobody', 'open', 'low', now ()), "
                 "(101, 101, 99, 'silent', 'open', 'low', now ())");
  if (!assert_int (rig_command (desk->rig, "plan", "--json", "osticket/tickets-to-zendesk.yaml", NULL), 3))
    g_printerr ("%s\n", rig_errors (desk->rig));
  assert_contains (rig_output (desk->rig), "\"created\": 1,");
  assert_contains (rig_output (desk->rig), "\"rejected\": 3,");
  rig_command (desk->rig, "run", "osticket", NULL);
  assert_int (rig_tickets (desk->rig), 60);

  /* What a join would leave out without a word is told. */
  g_free (rejects);
  rejects = rig_read (desk->rig, "osticket/rejects.ndjson");
  assert_contains (rejects, "there is no row to look up with \\\"id\\\" 98");
  assert_contains (rejects, "there is no row to look up with \\\"ticket_id\\\" 101");
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
