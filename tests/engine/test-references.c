/* test-references.c: ref(): the ids that one pipeline got are used by another
 *
 * What it finds is held against the history of the emulator; over both ledgers.
 */
#include "cluster.h"
#include "engine/references.h"
#include "promise.h"
#include "rig.h"
#include <glib/gstdio.h>
#include <json-c/json.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_object, json_object_put)

/* The id of the ticket that was made for a key of "desk", as the emulator has it. */
static gint64
made_for (Rig *rig, const char *key)
{
  g_autofree char *history = rig_ask (rig, "GET", "/_emulator/history", NULL);
  g_auto (GStrv) lines = g_strsplit (history, "\n", -1);
  g_autofree char *wanted = g_strdup_printf ("desk:%s", key);

  for (char **line = lines; *line != NULL; line++)
    {
      g_autoptr (json_object) event = json_tokener_parse (*line);
      json_object *value = NULL;

      if (json_object_object_get_ex (event, "external_id", &value)
          && g_strcmp0 (json_object_get_string (value), wanted) == 0
          && json_object_object_get_ex (event, "id", &value))
        return json_object_get_int64 (value);
    }
  return 0;
}

#define FOLLOW_UPS "id,parent\na,5\nb, 6 \nc,99\nd,\n"

/* A pipeline follow-ups.yaml into a file, whose rows name tickets. */
static void
write_follow_ups (const Rig *rig, const char *ledger, const char *head, const char *reference)
{
  g_autofree char *yaml
      = g_strdup_printf ("pipeline: follow-ups\n%ssource:\n  csv: { path: follow-ups.csv }\n"
                         "transform:\n  - set: { parent: \"%s\" }\n"
                         "sink:\n  json: { path: out.ndjson }\nerrors: { rejects: rejects.ndjson }\nledger: %s\n",
                         head, reference, ledger);

  rig_write (rig, "follow-ups.csv", FOLLOW_UPS);
  rig_write (rig, "follow-ups.yaml", yaml);
}

static void
assert_output (Rig *rig, const char *label, gboolean has_missing)
{
  g_autofree char *found = rig_read (rig, "out.ndjson");
  g_autofree char *expected
      = g_strdup_printf ("{\"id\":\"a\",\"parent\":\"%" G_GINT64_FORMAT "\"}\n{\"id\":\"b\",\"parent\":\"%" G_GINT64_FORMAT
                         "\"}\n%s{\"id\":\"d\",\"parent\":null}\n",
                         made_for (rig, "5"), made_for (rig, "6"), has_missing ? "{\"id\":\"c\",\"parent\":null}\n" : "");

  assert_row_text (label, found, expected);
}

static void
follow (const char *label, const char *ledger)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
  g_autofree char *rejects = NULL;

  rig_write_rows (rig, 5, 3);
  rig_write_pipeline (rig, ledger, NULL, NULL);

  /* Nothing was delivered yet: an end before the first row, not a reject of all. */
  write_follow_ups (rig, ledger, "origin: desk\n", "ref('ticket', parent)");
  assert_row_int (label, rig_command (rig, "run", "follow-ups.yaml", NULL), 2);
  assert_row_int (label, strstr (rig_errors (rig), "no pipeline has delivered such a thing into this ledger") != NULL, TRUE);

  assert_row_int (label, rig_run (rig), 0);
  assert_row_int (label, rig_command (rig, "run", "follow-ups.yaml", NULL), 3);
  assert_output (rig, label, FALSE);
  rejects = rig_read (rig, "rejects.ndjson");
  assert_row_int (label, strstr (rejects, "ref(): the ticket \\\"99\\\" of \\\"desk\\\" was not delivered before this run") != NULL, TRUE);

  write_follow_ups (rig, ledger, "", "ref('ticket', parent, origin => 'desk', missing => 'null')");
  assert_row_int (label, rig_command (rig, "run", "follow-ups.yaml", NULL), 0);
  assert_output (rig, label, TRUE);
}

static void
test_the_ids_of_another_pipeline (void)
{
  g_autofree char *uri = NULL;

  follow ("sqlite", "sqlite:ledger.sqlite");
  if (!cluster_is_available ())
    {
      skip_promise ("there is no PostgreSQL server on this machine");
      return;
    }
  uri = cluster_create_database (cluster_shared ());
  follow ("postgresql", uri);
}

static void
test_what_is_meant_is_never_guessed (void)
{
  static const struct
  {
    const char *label, *head, *reference, *complaint;
  } rows[] = {
    { "another origin", "", "ref('ticket', parent)",
      "the ledger has none of this origin and target, but of others; if one is meant, say so: origin => 'desk', target => '" },
    { "a slip of the pen", "origin: desk\n", "ref('tickte', parent)", "did you mean \"ticket\"?" },
    { "a row decides", "origin: desk\n", "ref(id, parent)", "ref(): the entity must be a constant" },
    { "another target", "origin: desk\n", "ref('ticket', parent, target => 'elsewhere')", "none of this origin and target" },
  };
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL), other = rig_new (FALSE, "--plan", "none", NULL);
  g_autofree char *ledger = rig_path (rig, "ledger.sqlite"), *uri = g_strconcat ("sqlite:", ledger, NULL);

  rig_write_rows (rig, 5, 2);
  rig_write_pipeline (rig, uri, NULL, NULL);
  assert_int (rig_run (rig), 0);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      write_follow_ups (rig, uri, rows[i].head, rows[i].reference);
      assert_row_int (rows[i].label, rig_command (rig, "run", "follow-ups.yaml", NULL), 2);
      if (!assert_row_int (rows[i].label, strstr (rig_errors (rig), rows[i].complaint) != NULL, TRUE))
        g_printerr ("%s", rig_errors (rig));
    }

  /* The same origin in two accounts. */
  g_autofree char *yaml = NULL, *renamed = NULL;
  rig_write_rows (other, 1, 2);
  rig_write_pipeline (other, uri, NULL, NULL);
  yaml = rig_read (other, "pipeline.yaml");
  renamed = g_strdup_printf ("pipeline: others%s", yaml + strlen ("pipeline: tickets"));
  rig_write (other, "pipeline.yaml", renamed);
  assert_int (rig_run (other), 0);
  write_follow_ups (rig, uri, "origin: desk\n", "ref('ticket', parent)");
  assert_int (rig_command (rig, "run", "follow-ups.yaml", NULL), 2);
  if (!assert_true (strstr (rig_errors (rig), "is ambiguous: the ledger knows of several targets") != NULL))
    g_printerr ("%s", rig_errors (rig));
}

/* Its own target and the snapshot: what the same run delivers is not seen, however fast it is. */
static void
test_a_delivering_pipeline_sees_its_target_as_it_was (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
  g_autofree char *yaml = NULL, *rejects = NULL, *shown = NULL;

  rig_write_rows (rig, 5, 2);
  rig_write_pipeline (rig, "sqlite:ledger.sqlite", NULL, NULL);
  assert_int (rig_run (rig), 0);
  yaml = g_strdup_printf ("pipeline: children\norigin: desk\nsource:\n  csv: { path: children.csv }\n"
                          "transform:\n  - set: { comment.body: \"'of #' || ref('ticket', parent)\" }\n"
                          "  - drop: [parent]\n  - set: { subject: \"'child'\" }\n"
                          "sink:\n  zendesk-tickets:\n    url: %s\n    access_token: secret\n    key: id\n    settle: 1s\n"
                          "errors: { rejects: rejects.ndjson }\nledger: sqlite:ledger.sqlite\n",
                          rig_url (rig));
  rig_write (rig, "children.yaml", yaml);
  rig_write (rig, "children.csv", "id,parent\n11,5\n12,6\n13,11\n");
  assert_int (rig_command (rig, "run", "--batch-rows", "1", "children.yaml", NULL), 3);
  assert_int (rig_tickets (rig), 4);
  rejects = rig_read (rig, "rejects.ndjson");
  assert_true (strstr (rejects, "the ticket \\\"11\\\" of \\\"desk\\\" was not delivered before this run began") != NULL);

  assert_int (rig_command (rig, "run", "children.yaml", NULL), 0);
  assert_int (rig_tickets (rig), 5);
  shown = g_strdup_printf ("of #%" G_GINT64_FORMAT, made_for (rig, "11"));
  assert_int (rig_command (rig, "preview", "children.yaml", NULL), 0);
  if (!assert_true (strstr (rig_output (rig), shown) != NULL))
    g_printerr ("%s%s", rig_output (rig), rig_errors (rig));
}

/* ---- The file ---- */

#define FILE_HEAD "entity,origin,key,uses,replaces,id\n"

/* What the ledger has wins; a row without an id is none; blanks around values are nothing. */
static void
test_a_file_has_what_the_ledger_has_not (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
  g_autofree char *yaml = NULL, *tests = NULL;

  rig_write_rows (rig, 5, 3);
  rig_write_pipeline (rig, "sqlite:ledger.sqlite", NULL, NULL);
  rig_write (rig, "people.csv", "id,key,entity,origin\n1,5,ticket,desk\n 777 , 99,ticket,desk\n888,99,user,desk\n999,99,ticket,other\n");
  write_follow_ups (rig, "sqlite:ledger.sqlite", "references: people.csv\norigin: desk\n", "ref('ticket', parent)");

  /* Nothing was delivered yet, but the file knows of one. */
  assert_int (rig_command (rig, "preview", "follow-ups.yaml", NULL), 0);
  assert_contains (rig_output (rig), "777");
  assert_int (rig_run (rig), 0);
  assert_int (rig_command (rig, "check", "follow-ups.yaml", NULL), 0);
  assert_int (rig_command (rig, "plan", "--json", "follow-ups.yaml", NULL), 0);
  assert_contains (rig_output (rig), "\"rejected\": 0");
  assert_int (rig_command (rig, "run", "follow-ups.yaml", NULL), 0);
  g_autofree char *found = rig_read (rig, "out.ndjson"), *made = g_strdup_printf ("%" G_GINT64_FORMAT, made_for (rig, "5"));
  assert_contains (found, made);
  assert_contains (found, "{\"id\":\"c\",\"parent\":\"777\"}");

  /* What a test gives wins over both. */
  yaml = rig_read (rig, "follow-ups.yaml");
  tests = g_strconcat (yaml, "tests:\n  - { name: t, refs: { ticket: { \"5\": \"55\" } }, "
                             "given: [{ parent: \"5\" }, { parent: \"99\" }], expect: [{ parent: \"55\" }, { parent: \"777\" }] }\n", NULL);
  rig_write (rig, "follow-ups.yaml", tests);
  if (!assert_int (rig_command (rig, "test", "follow-ups.yaml", NULL), 0))
    g_printerr ("%s", rig_output (rig));

  rig_write (rig, "people.csv", FILE_HEAD "ticket,desk,99,3,,\n");
  rig_write (rig, "follow-ups.yaml", yaml);
  assert_int (rig_command (rig, "run", "follow-ups.yaml", NULL), 3);
}

/* It may be in the target: nobody else stands for it. */
static void
test_nobody_stands_for_what_is_in_doubt (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
  g_autofree char *rejects = NULL;

  rig_write_rows (rig, 5, 1);
  rig_write_pipeline (rig, "sqlite:ledger.sqlite", "    settle: 60s\n", NULL);
  rig_faults (rig, "[{\"kind\":\"drop-after\",\"method\":\"POST\",\"count\":1}]");
  assert_int (rig_command (rig, "run", "--no-wait", "pipeline.yaml", NULL), 4);
  rig_write (rig, "people.csv", FILE_HEAD "ticket,desk,5,1,,777\n");
  write_follow_ups (rig, "sqlite:ledger.sqlite", "references: people.csv\norigin: desk\n", "ref('ticket', parent, missing => 'null')");
  rig_write (rig, "follow-ups.csv", "id,parent\na,5\n");
  assert_int (rig_command (rig, "run", "follow-ups.yaml", NULL), 3);
  rejects = rig_read (rig, "rejects.ndjson");
  assert_contains (rejects, "was in doubt when this run began");
}

/* All that is wrong with it is said before anything is sent, with file and line. */
static void
test_a_bad_file_is_named_with_its_line (void)
{
  static const struct
  {
    const char *label, *text, *complaint;
  } rows[] = {
    { "not there", NULL, "\"tallyman plan --references FILE\" drafts it" },
    { "empty", "", "people.csv" },
    { "twice", FILE_HEAD "user,desk,a,1,,7\nuser,desk,b,1,,8\nuser,desk,a,,,\n",
      "people.csv:4: user \"a\" of \"desk\" is on line 2 already" },
    { "a column is missing", "entity,key,uses,id\n", "people.csv:1: there is no column \"origin\"" },
    { "semicolons", "entity;origin;key;uses;id\n", "people.csv:1: there is no column \"entity\"" },
    { "a column too many", "entity,origin,key,uses,id,note\n", "people.csv:1: the column \"note\" is none of" },
    { "no key", FILE_HEAD "user,desk,,1,,7\n", "people.csv:2: \"key\" is empty" },
    { "a key with a blank", FILE_HEAD "user,desk,\"a \",1,,7\n", "people.csv:2: \"key\" has a control character in it, or a blank" },
    { "a count that is none", FILE_HEAD "user,desk,a,many,,7\n", "people.csv:2: \"uses\" is a number, not \"many\"" },
    { "a spreadsheet", FILE_HEAD "user,desk,a,1,,3.31446E+13\n", "people.csv:2: the id \"3.31446E+13\" was rounded by a spreadsheet" },
    { "a short row", FILE_HEAD "user,desk,a\n", "people.csv:2: " },
    { "bytes of another encoding", FILE_HEAD "user,desk,\xe9,1,,7\n", "people.csv:2: " },
  };
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);

  write_follow_ups (rig, "sqlite:ledger.sqlite", "references: people.csv\norigin: desk\n", "ref('ticket', parent)");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      if (rows[i].text != NULL)
        rig_write (rig, "people.csv", rows[i].text);
      assert_row_int (rows[i].label, rig_command (rig, "check", "follow-ups.yaml", NULL), 2);
      if (!assert_row_int (rows[i].label, strstr (rig_errors (rig), rows[i].complaint) != NULL, TRUE))
        g_printerr ("%s", rig_errors (rig));
      assert_row_int (rows[i].label, strstr (rig_errors (rig), "follow-ups.yaml:2:13: error: ") != NULL, TRUE);
    }

  write_follow_ups (rig, "sqlite:ledger.sqlite", "references: .\norigin: desk\n", "ref('ticket', parent)");
  assert_int (rig_command (rig, "check", "follow-ups.yaml", NULL), 2);
  assert_contains (rig_errors (rig), "is no regular file");
}

/* Rows of people.csv after a plan. */
static void
assert_draft (Rig *rig, const char *label, const char *file, const char *expected)
{
  g_autofree char *found = NULL;

  if (!assert_row_int (label, rig_command (rig, "plan", "--references", "people.csv", file, NULL), 0))
    g_printerr ("%s", rig_errors (rig));
  found = rig_read (rig, "people.csv");
  assert_row_text (label, found, expected);
}

static void
test_a_plan_drafts_the_file (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
  const char *ref = "coalesce(ref('ticket', parent, missing => 'null'), ref('user', id, missing => 'null'))";

  rig_write_rows (rig, 5, 2);
  rig_write_pipeline (rig, "sqlite:ledger.sqlite", NULL, NULL);
  assert_int (rig_run (rig), 0);
  write_follow_ups (rig, "sqlite:ledger.sqlite", "origin: desk\n", ref);
  rig_write (rig, "follow-ups.csv", "id,parent\na,5\n\"b,\"\"b\", 99\na,98\nc,99\na,7\n");
  assert_draft (rig, "a first one", "follow-ups.yaml",
                FILE_HEAD "ticket,desk,99,2,,\nuser,desk,a,2,,\nticket,desk,7,1,,\nticket,desk,98,1,,\nuser,desk,\"b,\"\"b\",1,,\n"
                          "user,desk,c,1,,\n");
  assert_contains (rig_output (rig), "not in the ledger, or unfit: 6 (6 new here); rows without an id: 6 of 6\n");

  /* The person has filled in some rows, taken out one, and added one; the pipeline reads it; 7 is delivered meanwhile. */
  rig_write (rig, "people.csv", FILE_HEAD "ticket,desk,99,2,,70001\nuser,desk,a,3,,70002\nuser,desk,zoe,,,70003\nticket,desk,7,1,,\n");
  rig_write_rows (rig, 5, 3);
  assert_int (rig_run (rig), 0);
  write_follow_ups (rig, "sqlite:ledger.sqlite", "references: people.csv\norigin: desk\n", ref);
  rig_write (rig, "follow-ups.csv", "id,parent\na,5\nb,99\na,98\n");
  assert_draft (rig, "what a person wrote stays", "follow-ups.yaml",
                FILE_HEAD "ticket,desk,7,1,,\nticket,desk,98,1,,\nticket,desk,99,1,,70001\nuser,desk,a,1,,70002\nuser,desk,zoe,,,70003\n");
  assert_int (rig_command (rig, "plan", "--json", "--references", "people.csv", "follow-ups.yaml", NULL), 0);
  assert_contains (rig_output (rig), "\"missed\": 3, \"added\": 0, \"rows\": 5, \"open\": 2}\n");

  /* One that is wrong is left as it is. */
  g_autofree char *bad = g_strdup (FILE_HEAD "user,desk,a,2,,70002\nuser,desk,a,2,,70003\n"), *after = NULL;
  rig_write (rig, "people.csv", bad);
  assert_int (rig_command (rig, "plan", "--references", "people.csv", "pipeline.yaml", NULL), 2);
  assert_contains (rig_errors (rig), "people.csv:3: user \"a\" of \"desk\" is on line 2 already");
  after = rig_read (rig, "people.csv");
  assert_text (after, bad);
}

/* Before anything was delivered: whom an earlier pipeline of the folder brings is not missed. */
static void
test_what_is_coming_is_not_missed (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
  g_autofree char *users = g_strdup_printf ("pipeline: users\norigin: desk\nsource:\n  csv: { path: ../users.csv }\nsink:\n"
                                            "  zendesk-users: { url: \"%s\", access_token: x, key: id }\n"
                                            "ledger: sqlite:../ledger.sqlite\n", rig_url (rig));
  g_autofree char *tickets = g_strdup_printf ("pipeline: tickets\norigin: desk\nafter: [users]\nsource:\n"
                                              "  csv: { path: ../tickets.csv }\ntransform:\n"
                                              "  - set: { requester_id: \"ref('user', who, missing => 'null')\", comment.body: who }\n"
                                              "  - drop: [who]\nsink:\n"
                                              "  zendesk-tickets: { url: \"%s\", access_token: x, key: id }\n"
                                              "ledger: sqlite:../ledger.sqlite\n", rig_url (rig));
  g_autofree char *folder = rig_path (rig, "move"), *found = NULL;

  assert_int (g_mkdir (folder, 0700), 0);
  rig_write (rig, "move/1.yaml", tickets);
  rig_write (rig, "move/2.yaml", users);
  rig_write (rig, "users.csv", "id,name\nann,Ann\nbob,\n");
  rig_write (rig, "tickets.csv", "id,who\n1,ann\n2,bob\n3,zoe\n4,zoe\n");
  assert_int (rig_command (rig, "plan", "--references", "people.csv", "move", NULL), 3); /* Bob has no name */
  found = rig_read (rig, "people.csv");
  assert_text (found, FILE_HEAD "user,desk,zoe,2,,\nuser,desk,bob,1,,\n");
}

/* A ticket of each user, and what a plan and a run make of it. */
typedef struct
{
  Rig *rig;
  char *ids[3]; /* (owned) of ann, who is suspended, of bob, who is deleted, and of eve */
} Past;

static void
past_clear (Past *past)
{
  rig_free (past->rig);
  for (guint i = 0; i < G_N_ELEMENTS (past->ids); i++)
    g_free (past->ids[i]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Past, past_clear)

static void
write_tickets (Rig *rig, const char *extra)
{
  g_autofree char *tickets = g_strdup_printf ("pipeline: tickets\norigin: desk\n%ssource:\n  csv: { path: tickets.csv }\ntransform:\n"
                                              "  - set: { requester_id: \"ref('user', who)::bigint\", description: who, "
                                              "created_at: \"'2019-05-01T08:00:00Z'::timestamptz\", status: \"'open'\" }\n  - drop: [who]\nsink:\n"
                                              "  zendesk-tickets: { mode: import, url: \"%s\", access_token: x, key: id }\n"
                                              "ledger: sqlite:ledger.sqlite\n", extra, rig_url (rig));

  rig_write (rig, "tickets.yaml", tickets);
}

static void
begin_past (Past *past)
{
  static const char *const names[] = { "ann", "bob", "eve" };
  Rig *rig = past->rig = rig_new (FALSE, "--plan", "none", NULL);
  g_autofree char *users = g_strdup_printf ("pipeline: users\norigin: desk\nsource:\n  csv: { path: users.csv }\nsink:\n"
                                            "  zendesk-users: { url: \"%s\", access_token: x, key: id }\n"
                                            "ledger: sqlite:ledger.sqlite\n", rig_url (rig));

  rig_write (rig, "users.yaml", users);
  rig_write (rig, "users.csv", "id,name\nann,Ann\nbob,Bob\neve,Eve\n");
  rig_write (rig, "tickets.csv", "id,who\n1,ann\n2,bob\n3,eve\n4,ann\n");
  assert_int (rig_command (rig, "run", "users.yaml", NULL), 0);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    past->ids[i] = g_strdup_printf ("%" G_GINT64_FORMAT, made_for (rig, names[i]));

  g_autofree char *ann = g_strdup_printf ("/api/v2/users/%s.json", past->ids[0]);
  g_autofree char *bob = g_strdup_printf ("/api/v2/users/%s.json", past->ids[1]);
  g_free (rig_ask (rig, "PUT", ann, "{\"user\":{\"suspended\":true}}"));
  g_free (rig_ask (rig, "DELETE", bob, NULL));
}

static void
assert_requester (Rig *rig, const char *key, const char *expected)
{
  g_autofree char *path = g_strdup_printf ("/api/v2/tickets/%" G_GINT64_FORMAT ".json", made_for (rig, key));
  g_autofree char *text = rig_ask (rig, "GET", path, NULL);
  g_autoptr (json_object) answer = json_tokener_parse (text);
  json_object *ticket = NULL, *requester = NULL;

  json_object_object_get_ex (answer, "ticket", &ticket);
  json_object_object_get_ex (ticket, "requester_id", &requester);
  assert_row_text (key, json_object_get_string (requester), expected);
}

/* Who was delivered and is suspended or gone by now is listed, and replaced: by that id alone, and not before somebody says by whom. */
static void
test_who_is_unfit_is_replaced (void)
{
  g_auto (Past) past = { 0 };

  begin_past (&past);
  write_tickets (past.rig, "");
  g_autofree char *drafted = g_strdup_printf (FILE_HEAD "user,desk,ann,2,%s,\nuser,desk,bob,1,%s,\n", past.ids[0], past.ids[1]);
  assert_draft (past.rig, "drafted", "tickets.yaml", drafted);
  assert_contains (rig_output (past.rig), "not in the ledger, or unfit: 2 (2 new here); rows without an id: 2 of 2\n");

  g_autofree char *filled = g_strdup_printf (FILE_HEAD "user,desk,ann,2,%s,%s\nuser,desk,bob,1,12345,%s\n", past.ids[0], past.ids[2], past.ids[2]);
  g_autofree char *again = g_strdup_printf (FILE_HEAD "user,desk,ann,2,%s,%s\nuser,desk,bob,1,%s,%s\n", past.ids[0], past.ids[2], past.ids[1],
                                            past.ids[2]);
  rig_write (past.rig, "people.csv", filled);
  write_tickets (past.rig, "references: people.csv\n");
  assert_draft (past.rig, "what a person wrote stays", "tickets.yaml", again);

  rig_write (past.rig, "people.csv", filled);
  assert_int (rig_command (past.rig, "run", "tickets.yaml", NULL), 0);
  assert_requester (past.rig, "1", past.ids[2]);
  assert_requester (past.rig, "2", past.ids[1]); /* whose row is about another id */
  assert_requester (past.rig, "3", past.ids[2]);
  assert_requester (past.rig, "4", past.ids[2]);
}

static void
test_the_fate_of_a_key (void)
{
  static const struct
  {
    const char *label;
    TallyDeliveryState state;
    gint64 intended_at, settled_at;
    TallyRefFate fate;
    gint64 known_since;
  } rows[] = {
    { "delivered before", TALLY_DELIVERY_DELIVERED, 10, 20, TALLY_REF_FOUND, 20 },
    { "rejected before", TALLY_DELIVERY_REJECTED, 10, 20, TALLY_REF_ABSENT },
    { "discarded before", TALLY_DELIVERY_DISCARDED, 10, 20, TALLY_REF_ABSENT },
    { "released before", TALLY_DELIVERY_RELEASED, 10, 20, TALLY_REF_ABSENT },
    { "in doubt", TALLY_DELIVERY_IN_DOUBT, 10, 0, TALLY_REF_IN_DOUBT },
    { "at work", TALLY_DELIVERY_INTENDED, 10, 0, TALLY_REF_IN_DOUBT },
    { "was in doubt, settled meanwhile", TALLY_DELIVERY_DELIVERED, 10, 100, TALLY_REF_IN_DOUBT, 100 },
    { "was in doubt, rejected meanwhile", TALLY_DELIVERY_REJECTED, 10, 120, TALLY_REF_IN_DOUBT },
    { "begun meanwhile", TALLY_DELIVERY_INTENDED, 100, 0, TALLY_REF_ABSENT },
    { "delivered meanwhile", TALLY_DELIVERY_DELIVERED, 110, 120, TALLY_REF_ABSENT, 120 },
    { "E9: updated before", TALLY_DELIVERY_DELIVERED, 30, 40, TALLY_REF_FOUND, 20 },
    { "E9: an update is in doubt", TALLY_DELIVERY_IN_DOUBT, 30, 0, TALLY_REF_FOUND, 20 },
    { "E9: an update was rejected", TALLY_DELIVERY_REJECTED, 30, 40, TALLY_REF_FOUND, 20 },
    { "E9: an update was rejected, and discarded", TALLY_DELIVERY_DISCARDED, 30, 40, TALLY_REF_FOUND, 20 },
    { "E9: updated meanwhile", TALLY_DELIVERY_DELIVERED, 110, 120, TALLY_REF_FOUND, 20 },
    { "delivered and updated meanwhile", TALLY_DELIVERY_DELIVERED, 130, 140, TALLY_REF_ABSENT, 120 },
  };

  assert_int (tally_ref_fate (NULL, 100), TALLY_REF_ABSENT);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const TallyLedgerDelivery delivery
          = { .state = rows[i].state, .intended_at = rows[i].intended_at, .settled_at = rows[i].settled_at,
              .target_id = rows[i].known_since != 0 ? (char *) "7" : NULL, .known_since = rows[i].known_since };

      assert_row_int (rows[i].label, tally_ref_fate (&delivery, 100), rows[i].fate);
    }
}

static const Promise promises[] = {
  { "the ids of another pipeline, in both ledgers", test_the_ids_of_another_pipeline },
  { "what is meant is never guessed", test_what_is_meant_is_never_guessed },
  { "a delivering pipeline sees its target as it was", test_a_delivering_pipeline_sees_its_target_as_it_was },
  { "a file has what the ledger has not", test_a_file_has_what_the_ledger_has_not },
  { "nobody stands for what is in doubt", test_nobody_stands_for_what_is_in_doubt },
  { "a bad file is named with its line", test_a_bad_file_is_named_with_its_line },
  { "a plan drafts the file, and what a person wrote stays", test_a_plan_drafts_the_file },
  { "what is coming is not missed", test_what_is_coming_is_not_missed },
  { "who is unfit is replaced", test_who_is_unfit_is_replaced },
  { "the fate of a key", test_the_fate_of_a_key },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("ref()", promises, argc, argv);
}
