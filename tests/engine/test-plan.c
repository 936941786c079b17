/* test-plan.c: what tallyman plan says is what the run then does; and the plan itself changes nothing */
#include "promise.h"
#include "rig.h"
#include <glib/gstdio.h>
#include <json-c/json.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (json_object, json_object_put)

static gint64
number (json_object *object, const char *name)
{
  json_object *value = NULL;

  return json_object_object_get_ex (object, name, &value) ? json_object_get_int64 (value) : -1;
}

/* (transfer full): the plan of a pipeline. */
static json_object *
plan (Rig *rig, const char *file, int exit)
{
  if (!assert_int (rig_command (rig, "plan", "--json", file, NULL), exit))
    g_printerr ("%s%s", rig_output (rig), rig_errors (rig));
  return json_tokener_parse (rig_output (rig));
}

static json_object *
sink_of (json_object *object)
{
  json_object *sink = NULL;

  json_object_object_get_ex (object, "sink", &sink);
  return sink;
}

#define FILES                                                                                                                 \
  "pipeline: files\nsource:\n  csv: { path: in.csv }\ntransform:\n  - cast: { n: bigint }\n  - filter: n < 3\n"              \
  "sink:\n  %s: { path: %s }\nledger: sqlite:ledger.sqlite\n"

static void
test_files (void)
{
  static const char *const rows[][2]
      = { { "json", "out.ndjson" }, { "csv", "out.csv" }, { "csv", "out.csv.gz" }, { "json", "out.ndjson.zst" } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
      g_autofree char *yaml = g_strdup_printf (FILES, rows[i][0], rows[i][1]), *path = rig_path (rig, rows[i][1]);
      g_autofree char *ledger = rig_path (rig, "ledger.sqlite"), *bytes = NULL, *before = NULL, *after = NULL;
      gsize length = 0, n_before = 0, n_after = 0;

      rig_write (rig, "files.yaml", yaml);
      rig_write (rig, "in.csv", "id,n\na,1\nb,x\nc,3\nd,2\n");
      g_autoptr (json_object) planned = plan (rig, "files.yaml", 3);
      assert_row_int (rows[i][1], g_file_test (path, G_FILE_TEST_EXISTS), FALSE);
      assert_row_int (rows[i][1], g_file_test (ledger, G_FILE_TEST_EXISTS), FALSE);

      assert_row_int (rows[i][1], rig_command (rig, "run", "--json", "files.yaml", NULL), 3);
      assert_row_int (rows[i][1], number (planned, "read"), rig_count (rig, "read"));
      assert_row_int (rows[i][1], number (planned, "filtered"), rig_count (rig, "filtered"));
      assert_row_int (rows[i][1], number (planned, "rejected"), rig_count (rig, "rejected"));
      assert_row_int (rows[i][1], number (planned, "rows"), rig_count (rig, "delivered"));
      assert_true (g_file_get_contents (path, &bytes, &length, NULL));
      assert_row_int (rows[i][1], number (sink_of (planned), "bytes"), (gint64) length);
      assert_row_int (rows[i][1], number (sink_of (planned), "replaced_bytes"), -1);

      /* And once more, over what is there now. */
      assert_true (g_file_get_contents (ledger, &before, &n_before, NULL));
      g_autoptr (json_object) again = plan (rig, "files.yaml", 3);
      assert_row_int (rows[i][1], number (sink_of (again), "replaced_bytes"), (gint64) length);
      assert_true (g_file_get_contents (ledger, &after, &n_after, NULL));
      assert_row_int (rows[i][1], n_before == n_after && memcmp (before, after, n_before) == 0, TRUE);
    }
}

static void
test_deliveries (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);

  rig_write_pipeline (rig, "sqlite:ledger.sqlite", NULL, NULL);
  rig_write (rig, "tickets.csv", "id,subject,body\n1,one,b\n2,two,b\n1,again,b\n");
  g_autoptr (json_object) first = plan (rig, "pipeline.yaml", 3);
  assert_int (rig_tickets (rig), 0);
  assert_int (rig_run (rig), 3);
  assert_int (number (sink_of (first), "created"), rig_count (rig, "delivered"));
  assert_int (number (first, "rejected"), rig_count (rig, "rejected"));

  rig_write (rig, "tickets.csv", "id,subject,body\n1,one,b\n2,other,b\n3,three,b\n");
  g_autoptr (json_object) second = plan (rig, "pipeline.yaml", 0);
  assert_int (rig_tickets (rig), 2);
  assert_int (rig_run (rig), 0);
  assert_int (number (sink_of (second), "created"), rig_count (rig, "delivered"));
  assert_int (number (sink_of (second), "unchanged"), rig_count (rig, "unchanged"));
  assert_int (number (sink_of (second), "of_these_drifted"), rig_count (rig, "drifted"));
  assert_int (number (sink_of (second), "created"), 1);
  assert_int (rig_tickets (rig), 3);
}

/* Puts a ledger in the place of the one that is there, whose readers have left files beside it. NULL: none */
static void
put_ledger (Rig *rig, const char *bytes, gsize length)
{
  static const char *const names[] = { "ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = rig_path (rig, names[i]);

      g_unlink (path);
      if (i == 0 && bytes != NULL)
        assert_true (g_file_set_contents (path, bytes, (gssize) length, NULL));
    }
}

/* E1, E4: a run would not begin, and so says the plan. */
static void
test_a_ledger_that_went_backwards (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
  g_autofree char *path = rig_path (rig, "ledger.sqlite"), *old = NULL;
  gsize length = 0;

  rig_write_pipeline (rig, "sqlite:ledger.sqlite", NULL, NULL);
  rig_write_rows (rig, 1, 1);
  assert_int (rig_run (rig), 0);
  assert_true (g_file_get_contents (path, &old, &length, NULL));
  json_object_put (plan (rig, "pipeline.yaml", 0));
  rig_write_rows (rig, 1, 2);
  assert_int (rig_run (rig), 0);

  put_ledger (rig, old, length);
  json_object_put (plan (rig, "pipeline.yaml", 1));
  assert_contains (rig_errors (rig), "went backwards");
  assert_int (rig_run (rig), 1);
  assert_contains (rig_errors (rig), "went backwards");

  put_ledger (rig, NULL, 0);
  json_object_put (plan (rig, "pipeline.yaml", 1));
  assert_contains (rig_errors (rig), "is not there, and one was at its place");
  assert_true (!g_file_test (path, G_FILE_TEST_EXISTS));
  assert_int (rig_run (rig), 1);
  assert_contains (rig_errors (rig), "is new, and another one was at its place");
  assert_int (rig_tickets (rig), 2);
}

static void
test_a_quick_look (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);

  rig_write (rig, "files.yaml", "pipeline: files\nsource:\n  csv: { path: in.csv }\nsink:\n  json: { path: out.ndjson }\n");
  rig_write (rig, "in.csv", "id\na\nb\nc\n");
  assert_int (rig_command (rig, "plan", "--limit", "2", "--rows", "1", "files.yaml", NULL), 0);
  assert_contains (rig_output (rig), "the rest was not read");
  assert_contains (rig_output (rig), "read                   2\n");
  assert_int (rig_command (rig, "plan", "--limit", "-1", "files.yaml", NULL), 2);
}

/* A run waits as long as the account asks for, and so does a plan. */
static void
test_patience (void)
{
  static const struct
  {
    const char *label, *steps; /* %s: the account */
  } rows[] = {
    { "the source", "source:\n  zendesk: { url: \"%s\", access_token: x, resource: groups }\n" },
    { "the source of a lookup", "source:\n  csv: { path: in.csv }\ntransform:\n  - lookup:\n"
                                "      from: { zendesk: { url: \"%s\", access_token: x, resource: groups } }\n"
                                "      match: { name: id }\n      columns: { group_id: id }\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
      g_autoptr (GString) yaml = g_string_new ("pipeline: groups\n");

      g_string_append (yaml, rows[i].steps);
      g_string_replace (yaml, "%s", rig_url (rig), 0);
      g_string_append (yaml, "sink:\n  json: { path: out.ndjson }\n");
      rig_write (rig, "groups.yaml", yaml->str);
      rig_write (rig, "in.csv", "id\na\n");
      g_autoptr (json_object) calm = plan (rig, "groups.yaml", 0);
      rig_faults (rig, "[{\"kind\":\"storm\",\"path\":\"/api/v2/groups\",\"count\":2,\"retry_after\":\"1\"}]");
      g_autoptr (json_object) stormy = plan (rig, "groups.yaml", 0);
      assert_row_int (rows[i].label, strstr (rig_errors (rig), "HTTP 429") != NULL, TRUE);
      assert_row_int (rows[i].label, rig_emulator_count (rig, "limited"), 2);
      assert_row_int (rows[i].label, number (calm, "read") > 0, TRUE);
      assert_row_int (rows[i].label, number (stormy, "read"), number (calm, "read"));
    }
}

/* ---- Requests ---- */

/* "PUT /api/v2/tickets/#" of "PUT", "/api/v2/tickets/7.json?x". (transfer full) */
static char *
name_kind (const char *method, const char *path)
{
  g_autoptr (GString) kind = g_string_new (path);
  g_auto (GStrv) parts = NULL;

  g_string_truncate (kind, strcspn (kind->str, "?"));
  if (g_str_has_suffix (kind->str, ".json"))
    g_string_truncate (kind, kind->len - strlen (".json"));
  parts = g_strsplit (kind->str, "/", -1);
  g_string_assign (kind, method);
  for (guint i = 1; parts[i] != NULL; i++)
    g_string_append_printf (kind, "%s/%s", i == 1 ? " " : "", g_ascii_isdigit (*parts[i]) ? "#" : parts[i]);
  return g_string_free (g_steal_pointer (&kind), FALSE);
}

/* What the emulator was asked, by kind. */
static GHashTable *
count_requests (Rig *rig)
{
  GHashTable *counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *history = rig_ask (rig, "GET", "/_emulator/history", NULL);
  g_auto (GStrv) lines = g_strsplit (history, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autoptr (json_object) line = *lines[i] != '\0' ? json_tokener_parse (lines[i]) : NULL;
      json_object *method, *path;

      if (line == NULL || !json_object_object_get_ex (line, "method", &method)
          || !json_object_object_get_ex (line, "path", &path))
        continue;
      char *kind = name_kind (json_object_get_string (method), json_object_get_string (path));
      gpointer n = g_hash_table_lookup (counts, kind);

      g_hash_table_replace (counts, kind, GUINT_TO_POINTER (GPOINTER_TO_UINT (n) + 1));
    }
  return counts;
}

static gint64
planned_requests (json_object *object, const char *kind)
{
  json_object *requests = NULL, *name;

  json_object_object_get_ex (object, "requests", &requests);
  for (gsize i = 0; requests != NULL && i < json_object_array_length (requests); i++)
    {
      json_object *one = json_object_array_get_idx (requests, i);

      if (json_object_object_get_ex (one, "kind", &name) && g_str_equal (json_object_get_string (name), kind))
        return number (one, "count");
    }
  return 0;
}

/* -1: the sink does not say. */
static gint64
n_kinds (json_object *object)
{
  json_object *requests = NULL;

  json_object_object_get_ex (object, "requests", &requests);
  return requests != NULL ? (gint64) json_object_array_length (requests) : -1;
}

/* What somebody has of addresses and is taken over only the run sees. */
static gboolean
is_foretold (const char *kind)
{
  return strstr (kind, "/users/#/identities") == NULL;
}

/* Whatever acts was planned, and of what was planned just so much was done. */
static void
compare_requests (const char *label, json_object *planned, GHashTable *before, GHashTable *after)
{
  GHashTableIter iter;
  gpointer kind, n;

  g_hash_table_iter_init (&iter, after);
  while (g_hash_table_iter_next (&iter, &kind, &n))
    {
      gint64 made = GPOINTER_TO_UINT (n) - GPOINTER_TO_UINT (g_hash_table_lookup (before, kind));
      gint64 expected = planned_requests (planned, kind);
      gboolean acts = !g_str_has_prefix (kind, "GET ") && is_foretold (kind);

      if ((acts || expected > 0) && !assert_row_int (label, expected, made))
        g_printerr ("%s: %s\n", label, (char *) kind);
    }
}

static const struct
{
  const char *label, *sink, *columns;
  int kinds; /* that are planned */
  guint n;   /* records */
} request_rows[] = {
  { "tickets", "zendesk-tickets: { in-flight: 1, ignore: [more, file, about]", "subject: 'id', comment.body: more", 2, 3 },
  { "more tickets than are looked up first", "zendesk-tickets: { in-flight: 1, ignore: [more, file, about]",
    "subject: 'id', comment.body: more", 2, 20 },
  { "files", "zendesk-tickets: { ignore: [more, file, about]", "subject: 'id', comment.body: about, attachments: file", 3, 3 },
  { "long texts",
    "zendesk-tickets: { in-flight: 1, long-body: split, ignore: [more, file, about]",
    "comment.body: \"repeat('word ', 30000) || id\"", 5, 3 },
  { "updates", "zendesk-tickets: { mode: update, ignore: [more, file, about]", "subject: about", 2, 3 },
  { "updates without a look", "zendesk-tickets: { mode: update, safe-update: false, ignore: [more, file, about]", "comment.body: about", 1, 3 },
  { "users", "zendesk-users: { ignore: [more, file, about]", "name: about, identities: more", 3, 3 },
  { "users who may be there", "zendesk-users: { adopt: [name], ignore: [more, file, about]", "name: about", 2, 3 },
  { "organizations", "zendesk-organizations: { ignore: [more, file, about]", "name: about", 1, 3 },
};

static void
test_requests (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (request_rows); i++)
    {
      const char *label = request_rows[i].label;
      g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
      g_autofree char *yaml = g_strdup_printf (
          "pipeline: p\norigin: desk\nsource:\n  csv: { path: in.csv }\ntransform:\n  - set: { %s }\nsink:\n  %s, key: id, "
          "url: \"%s\", access_token: x }\nledger: sqlite:ledger.sqlite\n",
          request_rows[i].columns, request_rows[i].sink, rig_url (rig));
      g_autoptr (GString) csv = g_string_new ("id,about,more,file\n");

      for (guint n = 0; n < 3; n++)
        g_free (rig_ask (rig, "POST", "/api/v2/tickets.json", "{\"ticket\":{\"comment\":{\"body\":\"b\"}}}"));
      rig_write (rig, "p.yaml", yaml);
      for (guint n = 1; n <= request_rows[i].n; n++)
        g_string_append_printf (csv, "%u,about %u,a%u@x.example b%u@x.example,in.csv\n", n, n, n, n);
      rig_write (rig, "in.csv", csv->str);
      g_autoptr (json_object) planned = plan (rig, "p.yaml", 0);
      g_autoptr (GHashTable) before = count_requests (rig);
      if (!assert_row_int (label, rig_command (rig, "run", "p.yaml", NULL), 0))
        g_printerr ("%s", rig_errors (rig));
      g_autoptr (GHashTable) after = count_requests (rig);
      assert_row_int (label, n_kinds (planned), request_rows[i].kinds);
      compare_requests (label, planned, before, after);

      g_autoptr (json_object) again = plan (rig, "p.yaml", 0);
      assert_row_int (label, n_kinds (again), 0);
    }
}

/* (transfer full): the first requests, each as kind, blank and the id that stands in its text, one a line. */
static char *
first_requests (json_object *object)
{
  GString *lines = g_string_new (NULL);
  json_object *requests = NULL, *kind, *body;

  json_object_object_get_ex (object, "first_requests", &requests);
  for (gsize i = 0; requests != NULL && i < json_object_array_length (requests); i++)
    {
      json_object *one = json_object_array_get_idx (requests, i);
      const char *mark = NULL;

      if (json_object_object_get_ex (one, "kind", &kind) && json_object_object_get_ex (one, "body", &body))
        mark = strstr (json_object_get_string (body), "row ");
      g_string_append_printf (lines, "%s %.5s\n", json_object_get_string (kind), mark != NULL ? mark : "?");
    }
  return g_string_free (lines, FALSE);
}

/* One of each kind comes before others, whenever it comes. */
static void
test_first_requests (void)
{
  static const struct
  {
    const char *label, *sink, *columns, *again, *expected; /* again: rows once the others are there */
  } rows[] = {
    { "all of a kind", "zendesk-tickets", "comment.body: text", NULL,
      "POST /api/v2/tickets row 1\nPOST /api/v2/tickets row 2\nPOST /api/v2/tickets row 3\n" },
    { "one with a file", "zendesk-tickets", "comment.body: text, attachments: file", NULL,
      "POST /api/v2/tickets row 1\nPOST /api/v2/tickets, POST /api/v2/uploads row 4\nPOST /api/v2/tickets row 2\n" },
    { "a change", "zendesk-users", "name: text", "1,row 9,\n2,row 2,\n5,row 5,\n6,row 6,\n7,row 7,\n8,row 8,\n",
      "PUT /api/v2/users/# row 9\nPOST /api/v2/users row 5\nPOST /api/v2/users row 6\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
      g_autofree char *yaml = g_strdup_printf (
          "pipeline: p\norigin: desk\nsource:\n  csv: { path: in.csv }\ntransform:\n  - set: { %s }\n  - drop: [text, file]\nsink:\n"
          "  %s: { key: id, url: \"%s\", access_token: x }\nledger: sqlite:ledger.sqlite\n",
          rows[i].columns, rows[i].sink, rig_url (rig));
      g_autofree char *csv = g_strconcat ("id,text,file\n", rows[i].again, NULL), *found = NULL;

      rig_write (rig, "p.yaml", yaml);
      rig_write (rig, "in.csv", "id,text,file\n1,row 1,\n2,row 2,\n3,row 3,\n4,row 4,p.yaml\n");
      if (rows[i].again != NULL)
        {
          assert_row_int (rows[i].label, rig_command (rig, "run", "p.yaml", NULL), 0);
          rig_write (rig, "in.csv", csv);
        }
      g_autoptr (json_object) planned = plan (rig, "p.yaml", 0);
      found = first_requests (planned);
      assert_row_text (rows[i].label, found, rows[i].expected);
      assert_int (rig_command (rig, "plan", "p.yaml", NULL), 0);
      assert_contains (rig_output (rig), "first requests");
    }
}

/* ---- Who is there already ---- */

#define THERE_USERS                                                                                                           \
  "/api/v2/users.json {\"user\":{\"name\":\"Ann\",\"email\":\"ann@x.example\"}}\n"                                           \
  "/api/v2/users.json {\"user\":{\"name\":\"Bob\",\"email\":\"bob@x.example\",\"external_id\":\"other:1\"}}\n"                \
  "/api/v2/users.json {\"user\":{\"name\":\"Cid\",\"external_id\":\"desk:3\"}}\n"                                           \
  "/api/v2/users.json {\"user\":{\"name\":\"Eve\",\"email\":\"old@x.example\",\"identities\":[{\"type\":\"email\","            \
  "\"value\":\"eve@x.example\"}]}}\n"                                                                                         \
  "/api/v2/users.json {\"user\":{\"name\":\"Fay\"}}\n"

#define USERS                                                                                                                 \
  "id,name,email\n1,Ann,ANN@x.example\n2,Bob,bob@x.example\n3,Cid,cid@x.example\n4,Dan,dan@x.example\n"                        \
  "5,Eve,eve@x.example\n6,Fay,fay@x.example\n"

#define THERE_ORGANIZATIONS                                                                                                   \
  "/api/v2/organizations.json {\"organization\":{\"name\":\"Acme\"}}\n"                                                         \
  "/api/v2/organizations.json {\"organization\":{\"name\":\"Bolt\",\"external_id\":\"other:1\"}}\n"

static const struct
{
  const char *label, *sink, *there, *csv, *faults;
  gint64 created, adopted, rejected;
  const char *reason;
} there_rows[] = {
  { "users by their address", "zendesk-users: { adopt: [email]", THERE_USERS, USERS,
    "[{\"kind\":\"storm\",\"path\":\"/api/v2/users/search\",\"after\":2,\"count\":1,\"retry_after\":\"1\"}]", 2, 3, 1,
    "has this e-mail address and the external_id \"other:1\"" },
  { "users by their name, too", "zendesk-users: { adopt: [email, name]", THERE_USERS, USERS, NULL, 1, 4, 1, "other:1" },
  { "users by no rule", "zendesk-users: { ignore: [nothing]", THERE_USERS, USERS, NULL, 2, 1, 3, "\"adopt: [email]\" would take it over" },
  { "organizations", "zendesk-organizations: { adopt: [name]", THERE_ORGANIZATIONS, "id,name\n1,ACME\n2,Bolt\n3,Cove\n", NULL, 1, 1, 1,
    "has this name and the external_id \"other:1\"" },
};

/* Makes what the account has before, a path and a body a line. */
static void
make_there (Rig *rig, const char *there)
{
  g_auto (GStrv) lines = g_strsplit (there, "\n", -1);

  for (guint i = 0; *lines[i] != '\0'; i++)
    {
      g_auto (GStrv) words = g_strsplit (lines[i], " ", 2);

      g_free (rig_ask (rig, "POST", words[0], words[1]));
    }
}

/* Between the two nothing was asked that could change anything. */
static void
assert_only_asked (const char *label, GHashTable *before, GHashTable *after)
{
  GHashTableIter iter;
  gpointer kind, n;

  g_hash_table_iter_init (&iter, after);
  while (g_hash_table_iter_next (&iter, &kind, &n))
    if (!g_str_has_prefix (kind, "GET ") && !assert_row_int (label, GPOINTER_TO_UINT (n), GPOINTER_TO_UINT (g_hash_table_lookup (before, kind))))
      g_printerr ("%s: %s\n", label, (char *) kind);
}

static void
test_who_is_there (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (there_rows); i++)
    {
      const char *label = there_rows[i].label;
      g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", "--search-lag", "0", NULL);
      g_autofree char *yaml = g_strdup_printf ("pipeline: p\norigin: desk\nsource:\n  csv: { path: in.csv }\nsink:\n"
                                               "  %s, key: id, url: \"%s\", access_token: x }\nledger: sqlite:ledger.sqlite\n",
                                               there_rows[i].sink, rig_url (rig));

      make_there (rig, there_rows[i].there);
      rig_write (rig, "p.yaml", yaml);
      rig_write (rig, "in.csv", there_rows[i].csv);
      g_autoptr (GHashTable) before = count_requests (rig);
      if (there_rows[i].faults != NULL)
        rig_faults (rig, there_rows[i].faults);
      g_autoptr (json_object) planned = plan (rig, "p.yaml", 3);
      g_autoptr (GHashTable) between = count_requests (rig);
      assert_only_asked (label, before, between);
      assert_row_int (label, rig_emulator_count (rig, "limited"), there_rows[i].faults != NULL);
      assert_row_int (label, strstr (rig_output (rig), "\"reason\"") != NULL, TRUE);
      assert_row_int (label, number (sink_of (planned), "created"), there_rows[i].created);
      assert_row_int (label, number (sink_of (planned), "adopted"), there_rows[i].adopted);
      assert_row_int (label, number (sink_of (planned), "not_looked_up"), 0);
      assert_row_int (label, number (planned, "rejected"), there_rows[i].rejected);
      assert_row_int (label, rig_command (rig, "plan", "p.yaml", NULL), 3);
      assert_row_int (label, strstr (rig_output (rig), ", PUT /api") != NULL, FALSE); /* no creation is of two kinds */
      if (!assert_row_int (label, strstr (rig_output (rig), there_rows[i].reason) != NULL, TRUE))
        g_printerr ("%s", rig_output (rig));

      g_autoptr (GHashTable) again = count_requests (rig);
      assert_row_int (label, rig_command (rig, "run", "--json", "p.yaml", NULL), 3);
      g_autoptr (GHashTable) after = count_requests (rig);
      assert_row_int (label, rig_count (rig, "delivered"), there_rows[i].created + there_rows[i].adopted);
      assert_row_int (label, rig_count (rig, "rejected"), there_rows[i].rejected);
      compare_requests (label, planned, again, after);
    }
}

/* What was not looked up is said to be so, and is not guessed. */
static void
test_so_many_lookups (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", "--search-lag", "0", NULL);
  g_autofree char *yaml = g_strdup_printf ("pipeline: p\norigin: desk\nsource:\n  csv: { path: in.csv }\nsink:\n"
                                           "  zendesk-users: { adopt: [email], key: id, url: \"%s\", access_token: x }\n"
                                           "ledger: sqlite:ledger.sqlite\n", rig_url (rig));

  make_there (rig, THERE_USERS);
  rig_write (rig, "p.yaml", yaml);
  rig_write (rig, "in.csv", USERS);
  assert_int (rig_command (rig, "plan", "--lookups", "1", "p.yaml", NULL), 0);
  assert_contains (rig_output (rig), "created                5\n  adopted                1\n  looked up              1\n  not looked up          5\n");
  assert_int (rig_command (rig, "plan", "--lookups", "0", "p.yaml", NULL), 0);
  assert_contains (rig_output (rig), "created                6\n  adopted                0\n  looked up              0\n  not looked up          6\n");
}

/* (transfer full): the id of a new user, as the emulator tells it. */
static char *
make_user (Rig *rig, const char *name)
{
  g_autofree char *body = g_strdup_printf ("{\"user\":{\"name\":\"%s\"}}", name);
  g_autofree char *text = rig_ask (rig, "POST", "/api/v2/users.json", body);
  g_autoptr (json_object) answer = json_tokener_parse (text);
  json_object *user = NULL;

  json_object_object_get_ex (answer, "user", &user);
  return g_strdup_printf ("%" G_GINT64_FORMAT, number (user, "id"));
}

/* In an account that asks to be left alone on the way, and with more users than are asked about at once. */
static void
test_whom_records_name (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
  g_autofree char *good = make_user (rig, "Good"), *suspended = make_user (rig, "Suspended"), *deleted = make_user (rig, "Deleted");
  g_autofree char *path = g_strdup_printf ("/api/v2/users/%s.json", suspended), *gone = g_strdup_printf ("/api/v2/users/%s.json", deleted);
  g_autofree char *yaml = g_strdup_printf (
      "pipeline: p\norigin: desk\nsource:\n  csv: { path: in.csv }\ntransform:\n  - set:\n      requester_id: who::bigint\n"
      "      submitter_id: who::bigint\n      assignee_id: agent::bigint\n"
      "      comments: jsonb_build_array(jsonb_build_object('author_id', author::bigint, 'body', 'b', 'created_at', '2019-05-01T08:00:00Z'))\n"
      "  - drop: [who, agent, author]\nsink:\n  zendesk-tickets: { mode: import, key: id, url: \"%s\", access_token: x }\n"
      "ledger: sqlite:ledger.sqlite\n", rig_url (rig));
  g_autofree char *told = g_strdup_printf ("user %s is suspended, and is named 3 times", suspended);
  g_autofree char *missed = g_strdup_printf ("user %s was deleted, and is named 1 time\n", deleted);
  g_autoptr (GString) csv = g_string_new ("id,who,agent,author\n");

  g_free (rig_ask (rig, "PUT", path, "{\"user\":{\"suspended\":true}}"));
  g_free (rig_ask (rig, "DELETE", gone, NULL));
  g_string_append_printf (csv, "a,%s,%s,%s\nb,%s,%s,%s\n", good, good, suspended, suspended, deleted, good);
  for (guint i = 1; i <= 110; i++)
    g_string_append_printf (csv, "%u,%s,%s,%u\n", i, good, good, i);
  rig_write (rig, "p.yaml", yaml);
  rig_write (rig, "in.csv", csv->str);
  rig_faults (rig, "[{\"kind\":\"storm\",\"path\":\"/api/v2/users/show_many\",\"count\":1,\"retry_after\":\"1\"}]");
  g_autoptr (json_object) planned = plan (rig, "p.yaml", 0);
  assert_int (rig_emulator_count (rig, "limited"), 1);
  assert_int (number (sink_of (planned), "named_users"), 3 + 110);
  assert_int (number (sink_of (planned), "of_these_suspended"), 1);
  assert_int (number (sink_of (planned), "of_these_deleted"), 1);
  assert_int (number (sink_of (planned), "of_these_not_there"), 110);
  assert_contains (rig_errors (rig), told);
  assert_contains (rig_errors (rig), missed);
  assert_contains (rig_errors (rig), "user 7 is not in the account, and is named 1 time\n");
  assert_true (strstr (rig_errors (rig), "user 9 is not") == NULL); /* ten are enough */
}

/* 201 records fill two jobs, and one is left.  Users are named by the results, organizations by a question for each job. */
static void
plan_people_in_bulk (const char *sink, const char *shown, guint kinds)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
  g_autofree char *yaml = g_strdup_printf ("pipeline: p\norigin: desk\nsource:\n  csv: { path: tickets.csv }\n"
                                           "transform:\n  - set: { name: subject }\n  - keep: [id, name]\nsink:\n"
                                           "  %s: { url: \"%s\", access_token: x, key: id, bulk: true }\n"
                                           "ledger: sqlite:ledger.sqlite\n", sink, rig_url (rig));

  rig_write (rig, "p.yaml", yaml);
  rig_write_rows (rig, 1, 201);
  g_autoptr (json_object) planned = plan (rig, "p.yaml", 0);
  assert_row_int (sink, planned_requests (planned, "jobs"), 3);
  assert_row_int (sink, planned_requests (planned, shown), kinds > 1 ? 3 : 0);
  assert_row_int (sink, n_kinds (planned), kinds);
}

static void
test_jobs_of_people (void)
{
  plan_people_in_bulk ("zendesk-users", "GET /api/v2/users/show_many", 1);
  plan_people_in_bulk ("zendesk-organizations", "GET /api/v2/organizations/show_many", 2);
}

/* The same of tickets, which are looked for at first. */
static void
test_jobs (void)
{
  g_autoptr (Rig) rig = rig_new (FALSE, "--plan", "none", NULL);
  g_autofree char *yaml = g_strdup_printf ("pipeline: p\norigin: desk\nsource:\n  csv: { path: tickets.csv }\n"
                                           "transform:\n  - set: { requester_id: '7', description: body }\n  - drop: [body]\nsink:\n"
                                           "  zendesk-tickets: { url: \"%s\", access_token: x, key: id, mode: import, bulk: true }\n"
                                           "ledger: sqlite:ledger.sqlite\n", rig_url (rig));

  rig_write (rig, "p.yaml", yaml);
  rig_write_rows (rig, 1, 201);
  g_autoptr (json_object) planned = plan (rig, "p.yaml", 0);
  assert_int (planned_requests (planned, "jobs"), 3);
  assert_int (planned_requests (planned, "GET /api/v2/tickets"), 16);
  assert_int (planned_requests (planned, "GET /api/v2/tickets/show_many"), 3);
  assert_int (n_kinds (planned), 3);
}

/* How long they take: 700 a minute, of which 5 % are ours; or as a kind's own limit has it; or nobody knows. */
static void
test_time (void)
{
  static const struct
  {
    const char *label, *plan, *sink;
    gint64 limit, seconds;
    const char *slowest, *text;
  } rows[] = {
    { "the account's", "enterprise", "reserve: [95%]", 700, 12, NULL, "12 s at least, until " },
    { "an update's own", "enterprise", "mode: update, reserve: [0%]", 700, 2, "PUT /api/v2/tickets/#", "a limit of their own" },
    { "not told", "none", "reserve: [95%]", -1, -1, NULL, "no answer has told the account's limit" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Rig) rig = rig_new (FALSE, "--plan", rows[i].plan, NULL);
      g_autofree char *yaml = g_strdup_printf (
          "pipeline: p\norigin: desk\nsource:\n  csv: { path: in.csv }\ntransform:\n  - set: { comment.body: id }\nsink:\n"
          "  zendesk-tickets: { key: id, in-flight: 1, url: \"%s\", access_token: x, %s }\nledger: sqlite:ledger.sqlite\n",
          rig_url (rig), rows[i].sink);
      json_object *time = NULL, *slowest = NULL;

      rig_write (rig, "p.yaml", yaml);
      rig_write (rig, "in.csv", "id\n1\n2\n3\n");
      g_autoptr (json_object) planned = plan (rig, "p.yaml", 0);
      assert_row_int (rows[i].label, json_object_object_get_ex (planned, "time", &time), TRUE);
      json_object_object_get_ex (time, "slowest", &slowest);
      assert_row_int (rows[i].label, number (time, "limit_per_minute"), rows[i].limit);
      assert_row_int (rows[i].label, number (time, "seconds"), rows[i].seconds);
      assert_row_text (rows[i].label, json_object_get_string (slowest), rows[i].slowest);
      assert_int (rig_command (rig, "plan", "p.yaml", NULL), 0);
      assert_contains (rig_output (rig), rows[i].text);
    }
}

static const Promise promises[] = {
  { "of files: rows, rejects and bytes", test_files },
  { "of deliveries: what is created and what is not", test_deliveries },
  { "of a ledger that went backwards: there would be no run (E1, E4)", test_a_ledger_that_went_backwards },
  { "of requests: those that the run then makes", test_requests },
  { "of first requests: one of each kind", test_first_requests },
  { "of who is there: taken over or refused, found out by asking alone", test_who_is_there },
  { "of who was looked up, and who was not", test_so_many_lookups },
  { "of whom records name: suspended, deleted, or not there", test_whom_records_name },
  { "of jobs: as full as they can be", test_jobs },
  { "of jobs of users and organizations", test_jobs_of_people },
  { "of the time that they take at the account's limits", test_time },
  { "an account that asks to be left alone is waited for", test_patience },
  { "a quick look says that it is one", test_a_quick_look },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("plan", promises, argc, argv);
}
