/* imports.c: what the emulator promises about tickets with a past */
#include "promise.h"
#include "talk.h"

#include <string.h>

static Reply *
import (Rig *rig, const char *body, const char *query)
{
  g_autofree char *text = quoted (body);
  g_autofree char *path
      = g_strconcat ("/api/v2/imports/tickets.json", query != NULL ? query : "", NULL);

  return rig_call (rig, "POST", path, text, NULL);
}

/* "a b c": what stands at @member of each row of the list @name. */
static char *
column (const Reply *reply, const char *name, const char *member)
{
  g_autofree char *count = g_strconcat (name, ".#", NULL);
  gint64 n = number_at (reply->json, count);
  GString *all = g_string_new (NULL);

  for (gint64 i = 0; i < n; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s.%d.%s", name, (int)i, member);
      g_autofree char *value = at (reply->json, path);

      g_string_append_printf (all, "%s%s", i > 0 ? " " : "", value);
    }
  return g_string_free (all, FALSE);
}

static const char past[]
    = "{'ticket':{'subject':'s','status':'solved','created_at':'2012-06-01T10:00:00Z',"
      "'updated_at':'2012-06-05T10:00:00Z','solved_at':'2012-06-04T10:00:00Z','comments':["
      "{'author_id':827,'created_at':'2012-06-01T10:00:00Z','value':'one'},"
      "{'author_id':19,'created_at':'2012-06-03T10:00:00Z','value':'three','public':false},"
      "{'author_id':827,'created_at':'2012-06-02T10:00:00Z','value':'two'}]}}";

static void
test_keeps_the_times_and_the_order_it_was_given (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (Reply) made = import (rig, past, NULL);
  g_autoptr (Reply) comments = rig_get (rig, "/api/v2/tickets/1/comments.json");
  g_autoptr (Reply) metrics = rig_get (rig, "/api/v2/tickets/1/metrics.json");
  g_autofree char *created = at (made->json, "ticket.created_at");
  g_autofree char *updated = at (made->json, "ticket.updated_at");
  g_autofree char *solved = at (metrics->json, "ticket_metric.solved_at");
  g_autofree char *bodies = column (comments, "comments", "body");
  g_autofree char *times = column (comments, "comments", "created_at");
  g_autofree char *public = column (comments, "comments", "public");

  assert_text (created, "2012-06-01T10:00:00Z");
  assert_text (updated, "2012-06-05T10:00:00Z");
  assert_text (solved, "2012-06-04T10:00:00Z");
  assert_text (bodies, "one three two");
  assert_text (times, "2012-06-01T10:00:00Z 2012-06-03T10:00:00Z 2012-06-02T10:00:00Z");
  assert_text (public, "true false true");
}

static void
test_sorts_the_comments_if_told_so (void)
{
  g_autoptr (Rig) rig = rig_new ("--comment-order", "time", NULL);
  g_autoptr (Reply) made = import (rig, past, NULL);
  g_autoptr (Reply) comments = rig_get (rig, "/api/v2/tickets/1/comments.json");
  g_autofree char *bodies = column (comments, "comments", "body");

  assert_int (made->status, 201);
  assert_text (bodies, "one two three");
}

static void
test_knows_what_times_may_be (void)
{
  static const struct
  {
    const char *label, *ticket;
    long status;
    const char *created;
  } rows[] = {
    { "a ticket before 1970", "'created_at':'1965-01-01T00:00:00Z','comments':[{'value':'c'}]", 201,
      "1970-01-01T00:00:00Z" },
    { "no time", "'created_at':null,'comments':[{'value':'c','created_at':null}]", 201, NULL },
    { "a comment of 1970", "'comments':[{'value':'c','created_at':'1970-01-01T00:00:00Z'}]", 201,
      NULL },
    { "a comment before 1970", "'comments':[{'value':'c','created_at':'1969-12-31T23:59:59Z'}]",
      422, NULL },
    { "a comment of the future", "'comments':[{'value':'c','created_at':'2999-01-01T00:00:00Z'}]",
      422, NULL },
    { "a comment's time that is none", "'comments':[{'value':'c','created_at':'yesterday'}]", 422,
      NULL },
    { "a ticket's time that is none", "'created_at':'soon','comments':[{'value':'c'}]", 422, NULL },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *body = g_strdup_printf ("{'ticket':{%s}}", rows[i].ticket);
      g_autoptr (Reply) reply = import (rig, body, NULL);
      g_autofree char *created = at (reply->json, "ticket.created_at");

      assert_row_int (rows[i].label, reply->status, rows[i].status);
      if (rows[i].created != NULL)
        assert_row_text (rows[i].label, created, rows[i].created);
    }
}

static void
test_finds_archived_tickets_if_told_so (void)
{
  static const char closed[]
      = "{'ticket':{'status':'closed','external_id':'old','comments':[{'value':'c'}]}}";
  static const char path[] = "/api/v2/tickets.json?external_id=old";
  g_autoptr (Rig) hidden = rig_new (NULL);
  g_autoptr (Rig) found = rig_new ("--archived", "found", NULL);

  reply_free (import (hidden, closed, "?archive_immediately=true"));
  reply_free (import (found, closed, "?archive_immediately=true"));
  g_autoptr (Reply) none = rig_get (hidden, path);
  g_autoptr (Reply) one = rig_get (found, path);
  g_autoptr (Reply) listed = rig_get (found, "/api/v2/tickets.json");
  assert_int (number_at (none->json, "count"), 0);
  assert_int (number_at (one->json, "count"), 1);
  assert_int (number_at (listed->json, "count"), 0);
}

static void
test_pages_through_comments_in_both_ways (void)
{
  static const struct
  {
    const char *query, *link, *first, *second;
  } rows[] = {
    { "?per_page=2", "next_page", "one three", "two" },
    { "?per_page=2&sort_order=desc", "next_page", "two three", "one" },
    { "?page%5Bsize%5D=2", "links.next", "one three", "two" },
    { "?page%5Bsize%5D=2&sort=-created_at", "links.next", "two three", "one" },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  reply_free (import (rig, past, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strconcat ("/api/v2/tickets/1/comments.json", rows[i].query, NULL);
      g_autoptr (Reply) page = rig_get (rig, path);
      g_autofree char *link = at (page->json, rows[i].link);
      g_autoptr (Reply) rest = link != NULL ? rig_get (rig, link + strlen (rig->url)) : NULL;
      g_autofree char *first = column (page, "comments", "body");
      g_autofree char *second = rest != NULL ? column (rest, "comments", "body") : NULL;

      assert_row_text (rows[i].query, first, rows[i].first);
      assert_row_text (rows[i].query, second, rows[i].second);
    }
}

static void
test_shows_a_comment_as_the_service_does (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autofree char *change = quoted ("{'ticket':{'comment':{'body':'<b> & c'}}}");
  reply_free (rig_create (rig,
                          "{'ticket':{'requester':{'name':'Ada','email':'ada@x.example'},"
                          "'comment':'hello'}}",
                          NULL));
  reply_free (rig_call (rig, "PUT", "/api/v2/tickets/1.json", change, "User-Agent: second"));
  g_autoptr (Reply) comments
      = rig_get (rig, "/api/v2/tickets/1/comments.json?include=users&sort_order=asc");
  g_autofree char *html = at (comments->json, "comments.1.html_body");
  g_autofree char *client = at (comments->json, "comments.1.metadata.system.client");
  g_autofree char *names = column (comments, "users", "name");

  assert_text (html, "<div class=\"zd-comment\" dir=\"auto\"><p dir=\"auto\">&lt;b&gt; &amp; "
                     "c</p></div>");
  assert_text (client, "second");
  assert_text (names, "Ada Emulator Admin");
}

static void
test_has_an_audit_for_each_thing_that_happened (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autofree char *change = quoted ("{'ticket':{'priority':'high','comment':'more'}}");
  g_autofree char *subject = quoted ("{'ticket':{'subject':'other'}}");

  reply_free (import (rig, past, NULL));
  reply_free (rig_call (rig, "PUT", "/api/v2/tickets/1.json", subject, NULL));
  reply_free (rig_call (rig, "PUT", "/api/v2/tickets/1.json", change, NULL));
  g_autoptr (Reply) audits = rig_get (rig, "/api/v2/tickets/1/audits.json");
  g_autofree char *types = column (audits, "audits", "events.0.type");
  g_autofree char *times = column (audits, "audits", "created_at");
  g_autofree char *authors = column (audits, "audits", "author_id");
  g_autofree char *created = at (audits->json, "audits.0.events.1.value");
  g_autofree char *second = at (audits->json, "audits.1.id");
  g_autofree char *path = g_strdup_printf ("/api/v2/tickets/1/audits/%s.json", second);
  g_autoptr (Reply) one = rig_get (rig, path);
  g_autofree char *body = at (one->json, "audit.events.0.body");

  assert_int (number_at (audits->json, "count"), 5);
  assert_text (types, "Comment Comment Comment Change Comment");
  assert_true (g_str_has_prefix (times, "2012-06-01T10:00:00Z 2012-06-03T10:00:00Z 2012-"));
  assert_true (g_str_has_prefix (authors, "827 19 827 "));
  assert_text (created, "s"); /* the subject as it was, not as it is */
  assert_text (body, "three");
  assert_int (reply_take_status (rig_get (rig, "/api/v2/tickets/1/audits/1.json")), 404);
}

static void
test_refuses_an_author_who_is_nobody_if_told_so (void)
{
  g_autoptr (Rig) rig = rig_new ("--check-authors", NULL);
  g_autoptr (Reply) refused = import (rig, past, NULL);
  g_autoptr (Reply) me = rig_get (rig, "/api/v2/users/me.json");
  g_autofree char *id = at (me->json, "user.id");
  g_autofree char *body
      = g_strdup_printf ("{'ticket':{'comments':[{'value':'c','author_id':%s}]}}", id);
  g_autoptr (Reply) taken = import (rig, body, NULL);

  assert_int (refused->status, 422);
  assert_int (taken->status, 201);
  assert_int (rig_count (rig, "created"), 1);
}

static void
test_tells_and_changes_the_parts_of_a_ticket (void)
{
  static const Line lines[] = {
    { "an agent", "POST", "users", "{'user':{'name':'Ann','email':'ann@x.example','role':'agent'}}",
      201, .keep = "a=user.id" },
    { "an archived ticket", "POST", "imports/tickets?archive_immediately=true",
      "{'ticket':{'status':'closed','comments':[{'value':'c'}]}}", 201 },
    { "a ticket", "POST", "tickets",
      "{'ticket':{'comment':'c','tags':['one'],'via_followup_source_id':1,'followers':[$a],"
      "'collaborators':[$a],'email_ccs':[{'user_email':'cc@x.example'}]}}",
      201 },
    { "its tags", "GET", "tickets/2/tags", NULL, 200, { { "tags.#", "1" } } },
    { "a tag more",
      "PUT",
      "tickets/2/tags",
      "{'tags':['two','one']}",
      200,
      { { "tags.#", "2" }, { "tags.1", "two" } } },
    { "a tag less", "DELETE", "tickets/2/tags", "{'tags':['one']}", 204 },
    { "what is left",
      "GET",
      "tickets/2/tags",
      NULL,
      200,
      { { "tags.#", "1" }, { "tags.0", "two" } } },
    { "other tags", "POST", "tickets/2/tags", "{'tags':['x','y']}", 201, { { "tags.#", "2" } } },
    { "an audit for each",
      "GET",
      "tickets/2/audits",
      NULL,
      200,
      { { "count", "4" },
        { "audits.1.events.0.field_name", "tags" },
        { "audits.1.events.0.previous_value.#", "1" } } },
    { "a closed one keeps its tags", "POST", "tickets/1/tags", "{'tags':['x']}", 422 },
    { "collaborators", "GET", "tickets/2/collaborators", NULL, 200, { { "users.0.name", "Ann" } } },
    { "followers", "GET", "tickets/2/followers", NULL, 200, { { "users.0.name", "Ann" } } },
    { "copies",
      "GET",
      "tickets/2/email_ccs",
      NULL,
      200,
      { { "users.0.email", "cc@x.example" }, { "count", "1" } } },
    { "what it follows",
      "GET",
      "tickets/2/related",
      NULL,
      200,
      { { "ticket_related.followup_source_ids.0", "1" },
        { "ticket_related.from_archive", "false" } } },
    { "from the archive",
      "GET",
      "tickets/1/related",
      NULL,
      200,
      { { "ticket_related.from_archive", "true" } } },
    { "with its people",
      "GET",
      "tickets/2?include=users,comment_count",
      NULL,
      200,
      { { "ticket.comment_count", "1" }, { "users.#", "3" } } },
    { "of none", "GET", "tickets/9/related", NULL, 404 },
    { 0 },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  talk (rig, lines);
  talk_forget ();
}

static const Promise promises[] = {
  { "keeps the times and the order it was given", test_keeps_the_times_and_the_order_it_was_given },
  { "sorts the comments if told so", test_sorts_the_comments_if_told_so },
  { "knows what times may be", test_knows_what_times_may_be },
  { "finds archived tickets if told so", test_finds_archived_tickets_if_told_so },
  { "pages through comments in both ways", test_pages_through_comments_in_both_ways },
  { "shows a comment as the service does", test_shows_a_comment_as_the_service_does },
  { "has an audit for each thing that happened", test_has_an_audit_for_each_thing_that_happened },
  { "refuses an author who is nobody if told so", test_refuses_an_author_who_is_nobody_if_told_so },
  { "tells and changes the parts of a ticket", test_tells_and_changes_the_parts_of_a_ticket },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("emulator imports", promises, argc, argv);
}
