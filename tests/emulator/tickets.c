/* tickets.c: what the emulator promises about tickets, beside what the service really answered */
#include "promise.h"
#include "rig.h"

#include <string.h>

/* --- what was recorded --- */

/* The first exchange of a recording whose cassette begins with @cassette and whose status is
 * @status.  NULL, with the test skipped, where the recordings are absent. */
static json_object *
find_recorded (const char *cassette, gint64 status)
{
  const char *data = g_getenv ("SHARED_DATA");
  g_autofree char *path = g_build_filename (data != NULL ? data : "", "zendesk",
                                            "recorded-2015-ruby-client.jsonl", NULL);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    {
      skip_promise ("%s is not here", path);
      return NULL;
    }

  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      json_object *exchange = json_tokener_parse (*line);
      g_autofree char *name = at (exchange, "cassette");

      if (name != NULL && g_str_has_prefix (name, cassette)
          && number_at (exchange, "response.status") == status)
        return exchange;
      json_object_put (exchange);
    }
  skip_promise ("nothing was recorded of %s with %d", cassette, (int)status);
  return NULL;
}

static json_object *
member (json_object *object, const char *name)
{
  json_object *value = NULL;

  json_object_object_get_ex (object, name, &value);
  return value;
}

/* Every member of @theirs is one of @ours, and is a list where ours is a list. */
static void
assert_has_members (const char *label, json_object *ours, json_object *theirs)
{
  json_object_object_foreach (theirs, name, value)
  {
    g_autofree char *where = g_strdup_printf ("%s: %s", label, name);

    assert_row_int (where, json_object_object_get_ex (ours, name, NULL), TRUE);
    assert_row_int (where, json_object_is_type (value, json_type_array),
                    json_object_is_type (member (ours, name), json_type_array));
  }
}

/* Sends the recorded request and holds the answer against the recorded one. */
static void
check_recorded (const char *cassette, gint64 status, const char *const *same)
{
  json_object *exchange = find_recorded (cassette, status);
  g_autoptr (Rig) rig = NULL;

  if (exchange == NULL)
    return;
  rig = rig_new (NULL);

  g_autofree char *path = at (exchange, "request.path");
  g_autofree char *body = at (exchange, "request.body");
  g_autoptr (Reply) reply = rig_call (rig, "POST", path, body, NULL);
  json_object *theirs = member (member (exchange, "response"), "body");

  assert_row_int (cassette, reply->status, status);
  if (status == 201)
    {
      assert_has_members ("ticket", member (reply->json, "ticket"), member (theirs, "ticket"));
      if (member (theirs, "audit") != NULL)
        assert_has_members ("audit", member (reply->json, "audit"), member (theirs, "audit"));
      else
        assert_row_int (cassette, member (reply->json, "audit") != NULL, FALSE);
    }
  for (; same != NULL && *same != NULL; same++)
    {
      g_autofree char *our_value = at (reply->json, *same), *their_value = at (theirs, *same);

      assert_row_text (*same, our_value, their_value);
    }
  json_object_put (exchange);
}

static void
test_answers_a_creation_as_recorded (void)
{
  static const char *const same[] = { "ticket.subject",
                                      "ticket.raw_subject",
                                      "ticket.description",
                                      "ticket.type",
                                      "ticket.priority",
                                      "ticket.status",
                                      "ticket.requester_id",
                                      "ticket.submitter_id",
                                      "ticket.collaborator_ids",
                                      "ticket.tags",
                                      "ticket.via",
                                      "ticket.external_id",
                                      "ticket.due_at",
                                      "audit.via",
                                      "audit.events.0.type",
                                      "audit.events.0.body",
                                      "audit.events.0.public",
                                      NULL };

  check_recorded ("ticket_inline_comments", 201, same);
}

static void
test_answers_an_import_as_recorded (void)
{
  static const char *const same[]
      = { "ticket.subject",    "ticket.description",      "ticket.created_at",
          "ticket.updated_at", "ticket.priority",         "ticket.status",
          "ticket.tags",       "ticket.collaborator_ids", NULL };

  check_recorded ("ticket_import_can_import", 201, same);
}

static void
test_refuses_an_empty_import_as_recorded (void)
{
  static const char *const same[] = { "error", "description", "details", NULL };

  check_recorded ("ticket_import_cannot_import", 422, same);
}

static void
test_misses_a_ticket_as_recorded (void)
{
  json_object *exchange = find_recorded ("ZendeskAPI_Ticket/deletion", 404);
  g_autoptr (Rig) rig = NULL;

  if (exchange == NULL)
    return;
  rig = rig_new (NULL);

  g_autofree char *path = at (exchange, "request.path");
  g_autofree char *body = at (exchange, "response.body");
  g_autoptr (Reply) reply = rig_get (rig, path);

  assert_int (reply->status, 404);
  assert_text (reply->body, body);
  json_object_put (exchange);
}

static void
test_shows_fields_as_recorded (void)
{
  json_object *exchange = find_recorded ("ZendeskAPI_TicketField/read", 200);
  g_autoptr (Rig) rig = NULL;

  if (exchange == NULL)
    return;
  rig = rig_new (NULL);

  g_autoptr (Reply) reply = rig_get (rig, "/api/v2/ticket_fields.json");
  json_object *ours = member (reply->json, "ticket_fields");
  json_object *theirs = member (member (member (exchange, "response"), "body"), "ticket_fields");

  assert_has_members ("field", json_object_array_get_idx (ours, 0),
                      json_object_array_get_idx (theirs, 0));
  json_object_put (exchange);
}

/* --- creating --- */

static void
test_shows_every_member_of_a_ticket (void)
{
  static const char *const members[] = { "url",
                                         "id",
                                         "external_id",
                                         "via",
                                         "created_at",
                                         "updated_at",
                                         "generated_timestamp",
                                         "type",
                                         "subject",
                                         "raw_subject",
                                         "description",
                                         "priority",
                                         "status",
                                         "recipient",
                                         "requester_id",
                                         "submitter_id",
                                         "assignee_id",
                                         "organization_id",
                                         "group_id",
                                         "collaborator_ids",
                                         "follower_ids",
                                         "email_cc_ids",
                                         "forum_topic_id",
                                         "problem_id",
                                         "has_incidents",
                                         "is_public",
                                         "due_at",
                                         "tags",
                                         "custom_fields",
                                         "satisfaction_rating",
                                         "sharing_agreement_ids",
                                         "custom_status_id",
                                         "fields",
                                         "followup_ids",
                                         "ticket_form_id",
                                         "brand_id",
                                         "allow_channelback",
                                         "allow_attachments",
                                         "from_messaging_channel" };
  g_autoptr (Rig) rig = rig_new ("--first-id", "4013", NULL);
  g_autoptr (Reply) made = rig_create (rig, "{'ticket':{'description':'only this'}}", NULL);
  g_autoptr (Reply) shown = rig_get (rig, "/api/v2/tickets/4013");
  g_autofree char *location = reply_header (made, "Location");
  g_autofree char *expected = g_strconcat (rig->url, "/api/v2/tickets/4013.json", NULL);
  json_object *ticket = member (shown->json, "ticket");

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    assert_row_int (members[i], json_object_object_get_ex (ticket, members[i], NULL), TRUE);
  assert_int (json_object_object_length (ticket), G_N_ELEMENTS (members));
  assert_text (location, expected);
  assert_int (number_at (made->json, "ticket.generated_timestamp"), 0);
  assert_true (number_at (shown->json, "ticket.generated_timestamp") > 1000000000);
}

typedef struct
{
  const char *label, *body, *path, *value;
} Shown;

static const Shown shown[] = {
  { "a description becomes the first comment", "{'ticket':{'description':'d'}}",
    "audit.events.0.body", "d" },
  { "a comment may be a text", "{'ticket':{'comment':'c'}}", "ticket.description", "c" },
  { "a comment may have a value", "{'ticket':{'comment':{'value':'v'}}}", "ticket.description",
    "v" },
  { "HTML is wrapped", "{'ticket':{'comment':{'body':'a <b'}}}", "audit.events.0.html_body",
    "<div class=\"zd-comment\" dir=\"auto\"><p dir=\"auto\">a &lt;b</p></div>" },
  { "HTML is stripped for the text", "{'ticket':{'comment':{'html_body':'<p>a &amp; b</p>'}}}",
    "ticket.description", "a & b" },
  { "a private comment makes a private ticket",
    "{'ticket':{'comment':{'body':'c','public':false}}}", "ticket.is_public", "false" },
  { "public is the default", "{'ticket':{'comment':'c'}}", "ticket.is_public", "true" },
  { "new is the default", "{'ticket':{'comment':'c'}}", "ticket.status", "new" },
  { "assigned is open", "{'ticket':{'comment':'c','assignee_id':7}}", "ticket.status", "open" },
  { "an external_id is text", "{'ticket':{'comment':'c','external_id':17}}", "ticket.external_id",
    "17" },
  { "an id may be text", "{'ticket':{'comment':'c','group_id':'360000000001'}}", "ticket.group_id",
    "360000000001" },
  { "tags are lower case, once", "{'ticket':{'comment':'c','tags':['A','b','a','c d']}}",
    "ticket.tags", "[\"a\",\"b\",\"c\",\"d\"]" },
  { "tags may be a text", "{'ticket':{'comment':'c','tags':'x, y'}}", "ticket.tags",
    "[\"x\",\"y\"]" },
  { "due_at needs a task", "{'ticket':{'comment':'c','due_at':'2026-01-02T03:04:05Z'}}",
    "ticket.due_at", NULL },
  { "a task is due",
    "{'ticket':{'comment':'c','type':'task','due_at':'2026-01-02T03:04:05+01:00'}}",
    "ticket.due_at", "2026-01-02T02:04:05Z" },
  { "custom fields as a list",
    "{'ticket':{'comment':'c','custom_fields':[{'id':360000000201,'value':'7'}]}}",
    "ticket.custom_fields.0.value", "7" },
  { "custom fields as an object",
    "{'ticket':{'comment':'c','custom_fields':{'360000000203':true}}}",
    "ticket.custom_fields.2.value", "true" },
  { "fields repeat them", "{'ticket':{'comment':'c','custom_fields':{'360000000201':'7'}}}",
    "ticket.fields.0.value", "7" },
  { "several values",
    "{'ticket':{'comment':'c','custom_fields':{'360000000209':"
    "['component_mail','component_network']}}}",
    "ticket.custom_fields.8.value", "[\"component_mail\",\"component_network\"]" },
  { "a field that is not there is dropped", "{'ticket':{'comment':'c','custom_fields':{'1':'x'}}}",
    "ticket.custom_fields.0.value", NULL },
  { "a subject may be long and odd",
    "{'ticket':{'comment':'c','subject':'\\u00e4\\t\\\\ \\ud83d\\ude00'}}", "ticket.subject",
    "ä\t\\ 😀" },
  { "zero bytes are dropped", "{'ticket':{'comment':'c','subject':'a\\u0000b'}}", "ticket.subject",
    "ab" },
  { "the caller is the requester", "{'ticket':{'comment':'c'}}", "ticket.requester_id",
    "31679402515609" },
  { "the submitter is the requester", "{'ticket':{'comment':'c','requester_id':601}}",
    "ticket.submitter_id", "601" },
  { "the submitter writes the first comment",
    "{'ticket':{'comment':'c','requester_id':601,'submitter_id':700}}", "audit.events.0.author_id",
    "700" },
  { "the caller makes the audit", "{'ticket':{'comment':'c','requester_id':601}}",
    "audit.author_id", "31679402515609" },
};

static void
test_takes_what_the_service_takes (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (shown); i++)
    {
      g_autoptr (Reply) reply = rig_create (rig, shown[i].body, NULL);
      g_autofree char *value = at (reply->json, shown[i].path);

      assert_row_int (shown[i].label, reply->status, 201);
      assert_row_text (shown[i].label, value, shown[i].value);
    }
}

static void
test_refuses_what_the_service_refuses (void)
{
  static const struct
  {
    const char *label, *body;
    long status;
    const char *path;
  } rows[] = {
    { "no text", "{'ticket':{'subject':'s'}}", 422, "details.base.0.description" },
    { "a blank text", "{'ticket':{'comment':{'body':' \\n'}}}", 422, "details.base.0.error" },
    { "no ticket", "{}", 422, "details.base.0.description" },
    { "a list", "[]", 422, "details.base.0.description" },
    { "a ticket that is a number", "{'ticket':3}", 422, "details.base.0.description" },
    { "a wrong status", "{'ticket':{'comment':'c','status':'done'}}", 422,
      "details.status.0.error" },
    { "a status in capitals", "{'ticket':{'comment':'c','status':'Open'}}", 422,
      "details.status.0.error" },
    { "a wrong priority", "{'ticket':{'comment':'c','priority':1}}", 422,
      "details.priority.0.error" },
    { "a wrong type", "{'ticket':{'comment':'c','type':'bug'}}", 422, "details.type.0.error" },
    { "an id that is none", "{'ticket':{'comment':'c','group_id':'x'}}", 422,
      "details.group_id.0.error" },
    { "a time that is none", "{'ticket':{'comment':'c','due_at':'soon'}}", 422,
      "details.due_at.0.error" },
    { "a new requester without a name", "{'ticket':{'comment':'c','requester':{'email':'a@b.c'}}}",
      422, "details.requester.0.description" },
    { "an address that is none",
      "{'ticket':{'comment':'c','requester':{'name':'A','email':'nobody'}}}", 422,
      "details.requester.0.description" },
    { "an option that is not offered",
      "{'ticket':{'comment':'c','custom_fields':{'360000000210':"
      "'nonsense'}}}",
      422, "details.base.0.description" },
    { "a day that is none",
      "{'ticket':{'comment':'c','custom_fields':{'360000000204':"
      "'2023-02-30'}}}",
      422, "details.base.0.description" },
    { "not JSON", "{'ticket':", 400, "error" },
    { "nothing", "", 400, "error" },
    { "something after the end", "{'ticket':{'comment':'c'}} x", 400, "error" },
    { "no UTF-8", "{'ticket':{'comment':'\xff\xfe'}}", 400, "error" },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Reply) reply = rig_create (rig, rows[i].body, NULL);
      g_autofree char *value = at (reply->json, rows[i].path);

      assert_row_int (rows[i].label, reply->status, rows[i].status);
      assert_row_int (rows[i].label, value != NULL, TRUE);
    }
  assert_int (rig_count (rig, "created"), 0);
}

static void
test_refuses_what_is_too_deep_or_too_large (void)
{
  g_autoptr (Rig) rig = rig_new ("--max-body", "100000", NULL);
  g_autofree char *deep = g_strnfill (1000, '['), *large = g_strnfill (100001, 'x');
  g_autofree char *head = g_strnfill (200000, 'h');
  g_autofree char *header = g_strconcat ("X-Long: ", head, NULL);
  g_autoptr (Reply) too_deep = rig_create (rig, deep, NULL);
  g_autoptr (Reply) too_large = rig_create (rig, large, NULL);
  g_autoptr (Reply) too_long = rig_call (rig, "GET", "/api/v2/users/me", NULL, header);
  g_autoptr (Reply) fine = rig_create (rig, "{'ticket':{'comment':'c'}}", NULL);

  assert_int (too_deep->status, 400);
  assert_int (too_large->status, 413);
  assert_true (too_long->status == 431 || too_long->status == 413);
  assert_int (fine->status, 201);
}

static void
test_names_what_it_drops (void)
{
  static const struct
  {
    const char *label, *body, *keys;
  } rows[] = {
    { "nothing", "{'ticket':{'comment':'c'}}", NULL },
    { "a member of the ticket", "{'ticket':{'comment':'c','id':5}}", "\"ticket.id\"" },
    { "a member of the comment", "{'ticket':{'comment':{'body':'c','text':'d'}}}",
      "\"ticket.comment.text\"" },
    { "a member beside the ticket", "{'ticket':{'comment':'c'},'extra':1}", "\"extra\"" },
    { "two", "{'ticket':{'comment':'c','stauts':'open','prority':'low'}}",
      "\"ticket.stauts\", \"ticket.prority\"" },
    { "one that could break the header", "{'ticket':{'comment':'c','a\\r\\nX: y':1}}",
      "\"ticket.a\\x0D\\x0AX: y\"" },
    { "comments belong to imports", "{'ticket':{'comment':'c','comments':[]}}",
      "\"ticket.comments\"" },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Reply) reply = rig_create (rig, rows[i].body, NULL);
      g_autofree char *warning = reply_header (reply, "x-zendesk-api-warn");
      g_autofree char *expected
          = rows[i].keys == NULL
                ? NULL
                : g_strdup_printf ("{:allowed_parameters=>{:controller=>\"tickets\", "
                                   ":action=>\"create\", :unpermitted_keys=>[%s], "
                                   ":invalid_values=>[]}}",
                                   rows[i].keys);

      assert_row_int (rows[i].label, reply->status, 201);
      assert_row_text (rows[i].label, warning, expected);
    }
}

static void
test_cuts_a_long_text_in_silence (void)
{
  static const struct
  {
    const char *label, *unit;
    gsize units, kept;
  } rows[] = {
    { "short enough", "x", 65535, 65535 },
    { "one too many", "x", 65536, 65535 },
    { "never half a letter", "\xc3\xa4", 40000, 65534 },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GString) body = g_string_new ("{'ticket':{'comment':'");
      for (gsize k = 0; k < rows[i].units; k++)
        g_string_append (body, rows[i].unit);
      g_string_append (body, "'}}");
      g_autoptr (Reply) reply = rig_create (rig, body->str, NULL);
      g_autofree char *text = at (reply->json, "ticket.description");
      g_autofree char *warning = reply_header (reply, "x-zendesk-api-warn");

      assert_row_int (rows[i].label, reply->status, 201);
      assert_row_int (rows[i].label, text != NULL ? (gint64)strlen (text) : -1,
                      (gint64)rows[i].kept);
      assert_row_text (rows[i].label, warning, NULL);
    }
}

static void
test_knows_a_requester_by_the_address (void)
{
  static const char body[] = "{'ticket':{'comment':'c','requester':{'name':'Ada','email':'%s'}}}";
  static const char *const emails[] = { "ada@example.org", "Ada@Example.ORG", "bob@example.org" };
  gint64 ids[2][3];

  for (guint run = 0; run < 2; run++)
    {
      g_autoptr (Rig) rig = rig_new (NULL);

      for (guint i = 0; i < 3; i++)
        {
          g_autofree char *text = g_strdup_printf (body, emails[run == 0 ? i : 2 - i]);
          g_autoptr (Reply) reply = rig_create (rig, text, NULL);

          ids[run][run == 0 ? i : 2 - i] = number_at (reply->json, "ticket.requester_id");
        }
      g_autofree char *path
          = g_strdup_printf ("/api/v2/users/%" G_GINT64_FORMAT ".json", ids[run][0]);
      g_autoptr (Reply) user = rig_get (rig, path);
      g_autofree char *name = at (user->json, "user.name");

      assert_int (ids[run][0], ids[run][1]);
      assert_true (ids[run][0] != ids[run][2]);
      assert_true (ids[run][0] > G_GINT64_CONSTANT (1) << 40);
      assert_text (name, "Ada");
    }
  assert_int (ids[0][0], ids[1][0]); /* also in another emulator, in another order */
  assert_int (ids[0][2], ids[1][2]);
}

/* --- changing --- */

static Reply *
change (Rig *rig, gint64 id, const char *body)
{
  g_autofree char *path = g_strdup_printf ("/api/v2/tickets/%" G_GINT64_FORMAT ".json", id);
  g_autofree char *text = quoted (body);

  return rig_call (rig, "PUT", path, text, NULL);
}

static void
test_changes_what_is_named_and_nothing_else (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  assert_int (reply_take_status (rig_create (
                  rig,
                  "{'ticket':{'comment':'c','subject':'s','priority':'high','tags':['a'],"
                  "'custom_fields':{'360000000201':'1','360000000202':'2'}}}",
                  NULL)),
              201);
  rig_advance (rig, 100);
  g_autoptr (Reply) changed
      = change (rig, 1,
                "{'ticket':{'status':'pending','comment':{'body':'more'},'custom_fields':{"
                "'360000000202':null}}}");
  g_autoptr (Reply) comments = rig_get (rig, "/api/v2/tickets/1/comments.json");
  static const struct
  {
    const char *path, *value;
  } rows[] = {
    { "ticket.status", "pending" },
    { "ticket.subject", "s" },
    { "ticket.priority", "high" },
    { "ticket.tags", "[\"a\"]" },
    { "ticket.description", "c" },
    { "ticket.custom_fields.0.value", "1" },
    { "ticket.custom_fields.1.value", NULL },
    { "audit.events.0.type", "Comment" },
    { "audit.events.0.body", "more" },
    { "audit.events.1.field_name", "status" },
    { "audit.events.1.value", "pending" },
    { "audit.events.1.previous_value", "new" },
    { "audit.events.#", "2" },
  };

  assert_int (changed->status, 200);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *value = at (changed->json, rows[i].path);
      assert_row_text (rows[i].path, value, rows[i].value);
    }
  g_autofree char *created = at (changed->json, "ticket.created_at");
  g_autofree char *updated = at (changed->json, "ticket.updated_at");
  assert_true (strcmp (created, updated) < 0);
  assert_int (number_at (comments->json, "count"), 2);
  assert_int (number_at (comments->json, "comments.#"), 2);
}

static void
test_lets_a_comment_inherit_whether_it_is_public (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  assert_int (reply_take_status (
                  rig_create (rig, "{'ticket':{'comment':{'body':'c','public':false}}}", NULL)),
              201);
  g_autoptr (Reply) changed = change (rig, 1, "{'ticket':{'comment':{'body':'d'}}}");
  g_autofree char *is_public = at (changed->json, "audit.events.0.public");

  assert_text (is_public, "false");
}

static void
test_keeps_a_closed_ticket_closed (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  assert_int (
      reply_take_status (rig_create (rig, "{'ticket':{'comment':'c','status':'closed'}}", NULL)),
      201);
  g_autoptr (Reply) refused = change (rig, 1, "{'ticket':{'status':'open'}}");
  g_autoptr (Reply) still = rig_get (rig, "/api/v2/tickets/1.json");
  g_autofree char *why = at (refused->json, "details.status.0.description");

  assert_int (refused->status, 422);
  assert_text (why, "Status: closed prevents ticket update");
  assert_int (still->status, 200);
}

static void
test_changes_all_or_nothing (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  assert_int (
      reply_take_status (rig_create (rig, "{'ticket':{'comment':'c','subject':'s'}}", NULL)), 201);
  g_autoptr (Reply) refused
      = change (rig, 1, "{'ticket':{'subject':'other','comment':'d','priority':'none'}}");
  g_autoptr (Reply) still = rig_get (rig, "/api/v2/tickets/1.json");
  g_autofree char *subject = at (still->json, "ticket.subject");

  assert_int (refused->status, 422);
  assert_text (subject, "s");
}

static void
test_updates_safely_when_asked (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (Reply) made = rig_create (rig, "{'ticket':{'comment':'c'}}", NULL);
  g_autofree char *stamp = at (made->json, "ticket.updated_at");
  g_autofree char *safe = g_strdup_printf (
      "{'ticket':{'subject':'x','safe_update':true,'updated_stamp':'%s'}}", stamp);
  rig_advance (rig, 10);
  g_autoptr (Reply) first = change (rig, 1, safe);
  g_autoptr (Reply) second = change (rig, 1, safe);

  assert_int (first->status, 200);
  assert_int (second->status, 409);
}

static void
test_holds_5000_comments_and_no_more (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (GString) body = g_string_new ("{\"ticket\":{\"comments\":[");
  for (guint i = 0; i < 4999; i++)
    g_string_append (body, i > 0 ? ",{\"value\":\"c\"}" : "{\"value\":\"c\"}");
  g_string_append (body, "]}}");
  g_autoptr (Reply) made = rig_call (rig, "POST", "/api/v2/imports/tickets.json", body->str, NULL);
  g_autoptr (Reply) last = change (rig, 1, "{'ticket':{'comment':'the last'}}");
  g_autoptr (Reply) refused = change (rig, 1, "{'ticket':{'comment':'one more'}}");
  g_autoptr (Reply) comments = rig_get (rig, "/api/v2/tickets/1/comments.json");

  assert_int (made->status, 201);
  assert_int (last->status, 200);
  assert_int (refused->status, 422);
  assert_int (number_at (comments->json, "count"), 5000);
}

static void
test_deletes_for_good (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  assert_int (
      reply_take_status (rig_create (rig, "{'ticket':{'comment':'c','external_id':'a'}}", NULL)),
      201);
  g_autoptr (Reply) deleted = rig_call (rig, "DELETE", "/api/v2/tickets/1.json", NULL, NULL);
  static const struct
  {
    const char *method, *path, *body;
    long status;
  } rows[] = {
    { "GET", "/api/v2/tickets/1.json", NULL, 404 },
    { "GET", "/api/v2/tickets/1/comments", NULL, 404 },
    { "PUT", "/api/v2/tickets/1", "{\"ticket\":{}}", 404 },
    { "DELETE", "/api/v2/tickets/1", NULL, 404 },
    { "DELETE", "/api/v2/tickets/99999999999999999999", NULL, 404 },
  };

  assert_int (deleted->status, 204);
  assert_text (deleted->body, "");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Reply) reply = rig_call (rig, rows[i].method, rows[i].path, rows[i].body, NULL);
      assert_row_int (rows[i].path, reply->status, rows[i].status);
    }
  assert_int (rig_count (rig, "deleted"), 1);
  assert_int (rig_count (rig, "tickets"), 0);
}

/* --- importing --- */

static void
test_imports_a_history (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autofree char *body
      = quoted ("{'ticket':{'subject':'s','status':'closed','requester_id':601,"
                "'created_at':'2012-06-01T10:00:00Z','updated_at':'2012-06-03T10:00:00Z',"
                "'solved_at':'2012-06-03T09:00:00Z','comments':["
                "{'author_id':601,'created_at':'2012-06-01T10:00:00Z','value':'first'},"
                "{'author_id':19,'created_at':'2012-06-02T10:00:00Z','html_body':'<p>note</"
                "p>','public':false}]}}");
  g_autoptr (Reply) made = rig_call (rig, "POST", "/api/v2/imports/tickets.json", body, NULL);
  g_autoptr (Reply) comments = rig_get (rig, "/api/v2/tickets/1/comments.json");
  g_autoptr (Reply) history = rig_get (rig, "/_emulator/history");
  g_autofree char *created = at (made->json, "ticket.created_at");
  g_autofree char *updated = at (made->json, "ticket.updated_at");
  g_autofree char *second = at (comments->json, "comments.1.created_at");
  g_autofree char *author = at (comments->json, "comments.1.author_id");
  g_autofree char *warning = reply_header (made, "x-zendesk-api-warn");

  assert_int (made->status, 201);
  assert_true (member (made->json, "audit") == NULL);
  assert_text (created, "2012-06-01T10:00:00Z");
  assert_text (updated, "2012-06-03T10:00:00Z");
  assert_text (second, "2012-06-02T10:00:00Z");
  assert_text (author, "19");
  assert_text (warning, NULL);
  assert_contains (history->body, "\"notified\":false"); /* nobody would have got mail */
}

static void
test_refuses_a_comment_of_the_future (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autofree char *body
      = quoted ("{'ticket':{'comments':[{'value':'c','created_at':'2222-01-01T00:00:00Z'}]}}");
  g_autoptr (Reply) reply = rig_call (rig, "POST", "/api/v2/imports/tickets.json", body, NULL);

  assert_int (reply->status, 422);
}

static const Promise promises[] = {
  { "answers a creation as recorded", test_answers_a_creation_as_recorded },
  { "answers an import as recorded", test_answers_an_import_as_recorded },
  { "refuses an empty import as recorded", test_refuses_an_empty_import_as_recorded },
  { "misses a ticket as recorded", test_misses_a_ticket_as_recorded },
  { "shows fields as recorded", test_shows_fields_as_recorded },
  { "shows every member of a ticket", test_shows_every_member_of_a_ticket },
  { "takes what the service takes", test_takes_what_the_service_takes },
  { "refuses what the service refuses", test_refuses_what_the_service_refuses },
  { "refuses what is too deep or too large", test_refuses_what_is_too_deep_or_too_large },
  { "names what it drops", test_names_what_it_drops },
  { "cuts a long text in silence", test_cuts_a_long_text_in_silence },
  { "knows a requester by the address", test_knows_a_requester_by_the_address },
  { "changes what is named and nothing else", test_changes_what_is_named_and_nothing_else },
  { "lets a comment inherit whether it is public",
    test_lets_a_comment_inherit_whether_it_is_public },
  { "keeps a closed ticket closed", test_keeps_a_closed_ticket_closed },
  { "changes all or nothing", test_changes_all_or_nothing },
  { "updates safely when asked", test_updates_safely_when_asked },
  { "holds 5000 comments and no more", test_holds_5000_comments_and_no_more },
  { "deletes for good", test_deletes_for_good },
  { "imports a history", test_imports_a_history },
  { "refuses a comment of the future", test_refuses_a_comment_of_the_future },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("emulator tickets", promises, argc, argv);
}
