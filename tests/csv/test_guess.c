/* test_guess.c: tallyman guess: drafts say what is in a file, and run as they are */
#include "plug.h"
#include "promise.h"
#include <string.h>
#include <sys/wait.h>

/* Runs the command; returns what it wrote, both streams. */
static char *
tallyman (const char *const *arguments, int *ret_status)
{
  g_autoptr (GPtrArray) command = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *out = NULL, *complaint = NULL;
  int status = -1;

  g_ptr_array_add (command, (gpointer) g_getenv ("TALLYMAN"));
  for (; *arguments != NULL; arguments++)
    g_ptr_array_add (command, (gpointer) *arguments);
  g_ptr_array_add (command, NULL);
  g_spawn_sync (NULL, (char **) command->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &complaint, &status, &error);
  assert_no_error (error);
  *ret_status = WEXITSTATUS (status);
  return g_strconcat (out, complaint, NULL);
}

static char *
guess (const char *path, const char *sink)
{
  int status;
  char *draft = tallyman ((const char *[]) { "guess", path, "--sink", sink, NULL }, &status);

  assert_row_int (path, status, 0);
  return draft;
}

#define MBOX                                                                                                           \
  "From ann@example.org Mon Mar  4 08:12:40 2019\nFrom: Ann <Ann@example.org>\nMessage-ID: <1@x>\nSubject: Printer\n"     \
  "Date: Mon, 4 Mar 2019 08:12:40 +0000\n\nIt burns.\n\n"                                                              \
  "From bob@example.org Mon Mar  4 09:00:00 2019\nFrom: bob@example.org\nMessage-ID: <2@x>\nReferences: <1@x>\n"         \
  "Date: Mon, 4 Mar 2019 09:00:00 +0000\n\nLeave the room.\n\nOn 4 March 2019 Ann wrote:\n> It burns.\n\n"             \
  "From x Mon Mar  4 09:30:00 2019\nFrom: robot@example.org\nAuto-Submitted: auto-replied\n\nThanks!\n"

/* A file, and lines that its draft has, for the csv sink. */
static const struct
{
  const char *label, *data, *parts[6];
} cases[] = {
  { "types", "id,m,x,b,t\n1,-5,1.50,true,a\n2,7,2,no,b\n",
    { "      m: >-\n        nullif(trim(\"m\"), '')::bigint\n", "nullif(trim(\"x\"), '')::numeric\n",
      "nullif(trim(\"b\"), '')::boolean\n", "#   t: text", "#   id: bigint, up to 1 bytes, differs in each record\n" } },
  { "codes are no numbers", "id,zip\n1,01234\n2,5678\n", { "#   zip: text" } },
  { "semicolons", "a;b\n1,5;x\n2,5;y\n", { "    delimiter: \";\"\n" } },
  { "tabs", "a\tb\n1,5\tx\n", { "    delimiter: tab\n" } },
  { "windows-1252", "a,b\n1,caf\xe9\n2,\x80\n", { "    encoding: windows-1252\n" } },
  { "backslashes", "a,b\n1,\"say \\\"hi\\\", you\"\n2,\"x\\\"\"\n", { "    escape: \"\\\\\"\n" } },
  { "lines before the header", "Report of today\nmade by hand\na,b,c\n1,2,3\n4,5,6\n7,8,9\n", { "    skip: 2\n", "#   c: bigint" } },
  { "no header", "1,x@example.com\n2,y@example.com\n", { "    header: false\n", "#   column_2: e-mail" } },
  { "dates of Jira", "a,d\nx,30/Sep/21 17:20\ny,1/Oct/21 07:05\n",
    { "to_timestamp(nullif(trim(\"d\"), ''), 'DD/Mon/YY HH24:MI')\n" } },
  { "dates with the month first", "a,d\nx,9/24/19\ny,12/1/19\n", { "'MM/DD/YY')\n" } },
  { "dates with the day first", "a,d\nx,24/9/2019\ny,1/12/2019\n", { "'DD/MM/YYYY')\n" } },
  { "dates that may be either", "a,d\nx,1/2/2019\n", { "'MM/DD/YYYY')\n", "day and month may be the other way round" } },
  { "ISO", "a,d,e,f\nx,2020-01-02,2020-01-02 03:04:05,2020-01-02T03:04:05.5+01:00\n",
    { "nullif(trim(\"d\"), '')::date\n", "nullif(trim(\"e\"), '')::timestamp\n", "nullif(trim(\"f\"), '')::timestamptz\n" } },
  { "records that cannot be read", "a,b\n1,2\n3\n4,5\n6,7\n",
    { "# 1 of them cannot be read and would be set aside, first:\n", "has 1 field where there are 2 columns\n", "  limit: 50%\n" } },
  { "names that mean something in SQL or YAML", "\"a\"\"b\",'c: #d,${HOME}\n1,2,3\n",
    { "      \"a\\\"b\": >-\n        nullif(trim(\"a\"\"b\"), '')::bigint\n", "      \"'c: #d\": >-\n" } },
  { "an object a line", "{\"id\":1,\"d\":\"2020-01-02\",\"who\":{\"email\":\"a@b.de\",\"age\":7}}\n{\"id\":2,\"d\":null,\"who\":{}}\n",
    { "source:\n  json:\n", "#   id: bigint, up to 1 bytes, differs in each record\n", "#   who.email: e-mail, up to 6 bytes, empty 1 times\n",
      "#   who.age: bigint", "transform:\n  - set:\n      d: >-\n        nullif(trim(\"d\"), '')::date\n\nsink:" } },
  { "an array of objects", " [{\"a\": true, \"list\": [1, 2]},\n {\"a\": false}]", { "source:\n  json:\n", "#   a: boolean", "#   list: jsonb, up to 6 bytes" } },
  { "members that mean something in SQL or YAML", "{\"a\\\"b\": {\"'); --\": \"x\"}, \"${HOME}\": {\"c: #d\\n\": 1}}\n", { "#   a\"b.'); --: text" } },
  { "a mailbox", MBOX,
    { "from guess.csv: 3 mails.\n", "source:\n  email:\n", "#   written: 2019-03-04 to 2019-03-04\n", "#   without a date that can be read: 1\n",
      "#   conversations: 2\n#   senders: 3\n#   automatic, bounces among them: 1\n", "sink:\n  csv:\n" } },
};

static void
test_says_what_is_in_a_file (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = plug_write_file ("guess.csv", cases[i].data, -1);
      g_autofree char *draft = guess (path, "csv");

      for (gsize j = 0; j < G_N_ELEMENTS (cases[i].parts) && cases[i].parts[j] != NULL; j++)
        assert_contains (draft, cases[i].parts[j]);
    }
}

static void
assert_all (const char *draft, const char *const *parts, gsize n)
{
  for (gsize i = 0; i < n; i++)
    assert_contains (draft, parts[i]);
}

static void
test_finds_what_a_ticket_is_made_of (void)
{
  g_autofree char *path = plug_write_file (
      "desk.csv",
      "No,Title,Description,Prio,State,Reporter E-Mail,Reporter,Labels,Opened\n"
      "T-1,Printer,on fire,Critical,Closed,Ada@Example.com,Ada,a:b,2020-01-02\nT-2,Mouse,,Low,In progress,,,c,2020-01-03\n",
      -1);
  g_autofree char *draft = guess (path, "zendesk-tickets");
  static const char *const parts[] = {
    "      source_key: >-\n        \"No\"\n",
    "        coalesce(nullif(trim(\"Title\"), ''), '(no subject)')\n",
    "        coalesce(nullif(trim(\"Description\"), ''), '(no description)')\n",
    "        WHEN 'Critical' THEN 'high'\n",
    "        WHEN 'Closed' THEN 'solved'\n",
    "        WHEN 'In progress' THEN 'open'\n",
    "        THEN lower(nullif(trim(\"Reporter E-Mail\"), '')) END\n",
    "        translate(lower(\"Labels\"), ':;|/', '    ')\n",
    "  - keep: [source_key, subject, comment.body, priority, status, requester.email, requester.name, tags]\n",
    "    key: source_key\n",
  };

  assert_all (draft, parts, G_N_ELEMENTS (parts));
}

static void
test_finds_a_ticket_in_objects (void)
{
  g_autofree char *path = plug_write_file ("desk.ndjson",
                                           "{\"id\": 1, \"fields\": {\"summary\": \"Printer\", \"priority\": \"High\"}, \"tags\": [\"a\"],"
                                           " \"requester\": {\"email\": \"a@b.de\", \"name\": \"Ann\"}}\n", -1);
  g_autofree char *draft = guess (path, "zendesk-tickets");
  static const char *const parts[] = {
    "      source_key: >-\n        \"id\"\n",
    "        coalesce(nullif(trim((\"fields\" ->> 'summary')), ''), '(no subject)')\n",
    "        CASE trim((\"fields\" ->> 'priority'))\n",
    "        THEN lower(nullif(trim((\"requester\" ->> 'email')), '')) END\n",
    "      tags: >-\n        \"tags\"\n",
  };

  assert_all (draft, parts, G_N_ELEMENTS (parts));
}

/* What comes out of the draft's last step, as JSON. */
static void
test_makes_a_ticket_of_a_conversation (void)
{
  g_autofree char *path = plug_write_file ("support.mbox", MBOX, -1), *draft = guess (path, "zendesk-tickets");
  g_autofree char *pipeline = plug_write_file ("draft.yaml", draft, -1), *rows = NULL;
  int status;

  rows = tallyman ((const char *[]) { "preview", "--json", pipeline, NULL }, &status);
  assert_int (status, 0);
  assert_contains (rows, "{\"conversation\":\"1@x\",\"subject\":\"Printer\",\"comment.body\":\"Ann <Ann@example.org>, 2019-03-04 08:12:\\n\\n"
                         "It burns.\\n\\n----\\n\\n<bob@example.org>, 2019-03-04 09:00:\\n\\nLeave the room.\","
                         "\"requester.email\":\"ann@example.org\",\"requester.name\":\"Ann\"}");
  assert_true (strstr (rows, "(no subject)") == NULL);
}

static void
test_takes_a_maildir_with_its_folders (void)
{
  g_autofree char *folder = plug_path ("Mail"), *draft = NULL, *file = NULL, *second = NULL;
  static const char *const places[] = { "new", "cur", ".Sent/new", ".Sent/cur" };

  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *place = g_build_filename (folder, places[i], NULL);

      assert_int (g_mkdir_with_parents (place, 0700), 0);
    }
  file = plug_write_file ("Mail/new/1.a", "From: a@example.org\n\nx\n", -1);
  second = plug_write_file ("Mail/.Sent/cur/2.b:2,S", "From: b@example.org\n\nx\n", -1);
  draft = guess (folder, "json");
  assert_contains (draft, "from Mail: 2 mails.\n");
  assert_contains (draft, "Mail/.*\"\n");
}

static void
check_draft (const char *label, const char *path, const char *sink)
{
  g_autofree char *draft = guess (path, sink), *pipeline = plug_write_file ("draft.yaml", draft, -1), *complaint = NULL;
  int status;

  complaint = tallyman ((const char *[]) { "check", pipeline, NULL }, &status);
  if (status != 0)
    assert_row_text (label, complaint, "");
}

static void
test_drafts_are_right_as_they_are (void)
{
  static const char *const sinks[] = { "zendesk-tickets", "json", "postgresql" };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (sinks); j++)
      {
        g_autofree char *path = plug_write_file ("guess.csv", cases[i].data, -1);

        check_draft (cases[i].label, path, sinks[j]);
      }
}

static void
test_drafts_of_real_exports_are_right_as_they_are (void)
{
  static const char *const names[] = { "jira-hadoop-bugs.csv", "github-vscode-multilingual.csv", "jira-moodle-stories.csv",
                                       "cfpb-complaints-v2-public.csv", "boston-311-requests.csv",
                                       "uk-inpatients-utf16le-bom.csv", "uk-spend-utf8-bom.csv",
                                       "csvkit-examples/test_latin1.csv", "csvkit-examples/test_header_newline.csv" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (g_getenv ("SHARED_DATA"), "csv", names[i], NULL);

      if (!g_file_test (path, G_FILE_TEST_EXISTS))
        {
          skip_promise ("%s is not there", path);
          return;
        }
      check_draft (names[i], path, "zendesk-tickets");
    }
}

static void
test_refuses_what_it_cannot_do (void)
{
  g_autofree char *path = plug_write_file ("guess.csv", "a\n1\n", -1), *missing = plug_path ("missing.csv");
  int status;
  g_autofree char *first = tallyman ((const char *[]) { "guess", NULL }, &status);

  assert_int (status, 2);
  assert_contains (first, "name one file");
  g_autofree char *second = tallyman ((const char *[]) { "guess", path, "--sink", "fax", NULL }, &status);
  assert_int (status, 2);
  assert_contains (second, "there is no draft for the sink \"fax\"");
  g_autofree char *third = tallyman ((const char *[]) { "guess", missing, NULL }, &status);
  assert_int (status, 1);
  assert_contains (third, "could not open");
}

static const Promise promises[] = {
  { "says what is in a file", test_says_what_is_in_a_file },
  { "finds what a ticket is made of", test_finds_what_a_ticket_is_made_of },
  { "finds a ticket in objects", test_finds_a_ticket_in_objects },
  { "makes a ticket of a conversation", test_makes_a_ticket_of_a_conversation },
  { "takes a Maildir with its folders", test_takes_a_maildir_with_its_folders },
  { "drafts are right as they are", test_drafts_are_right_as_they_are },
  { "drafts of real exports are right as they are", test_drafts_of_real_exports_are_right_as_they_are },
  { "refuses what it cannot do", test_refuses_what_it_cannot_do },
  { NULL },
};

int
main (int argc, char **argv)
{
  g_setenv ("ZENDESK_URL", "http://127.0.0.1:1", TRUE);
  g_setenv ("ZENDESK_TOKEN", "none", TRUE);
  g_setenv ("DATABASE", "dbname=none", TRUE);
  return keep_promises ("guess", promises, argc, argv);
}
