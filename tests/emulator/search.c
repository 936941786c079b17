/* search.c: what the emulator promises about searching */
#include "promise.h"
#include "rig.h"

#include <string.h>

#define SEARCH "/api/v2/search.json?query="

static void
post (Rig *rig, const char *path, const char *body)
{
  g_autofree char *text = quoted (body);

  assert_int (reply_take_status (rig_call (rig, "POST", path, text, NULL)), 201);
}

static Rig *
prepare (void)
{
  Rig *rig = rig_new (NULL);

  post (rig, "/api/v2/organizations", "{'organization':{'name':'ACME','external_id':'o:1'}}");
  post (rig, "/api/v2/users",
        "{'user':{'name':'Ada Lovelace','email':'ada@x.example','external_id':'u-1'}}");
  post (rig, "/api/v2/imports/tickets",
        "{'ticket':{'external_id':'a:1','subject':'Printer on fire','status':'open',"
        "'priority':'high','type':'incident','tags':['hot','red'],'created_at':"
        "'2012-06-01T10:00:00Z','comments':[{'value':'help'}]}}");
  post (rig, "/api/v2/imports/tickets",
        "{'ticket':{'external_id':'A 2','subject':'No sound','status':'pending','priority':'low',"
        "'requester':{'email':'ada@x.example'},'tags':['hot'],'created_at':"
        "'2012-06-02T23:59:59Z','comments':[{'value':'quiet printers'}]}}");
  post (rig, "/api/v2/imports/tickets?archive_immediately=true",
        "{'ticket':{'external_id':'a:3','subject':'Old','status':'closed','group_id':360000001001,"
        "'created_at':'2013-01-01T00:00:00Z','comments':[{'value':'gone'}]}}");
  rig_advance (rig, 120);
  return rig;
}

/* The ids of the tickets, or the names of the other results: "1 3 Ada". */
static char *
results_of (const Reply *reply)
{
  gint64 n = number_at (reply->json, "results.#");
  GString *all = g_string_new (NULL);

  for (gint64 i = 0; i < n; i++)
    {
      g_autofree char *type_place = g_strdup_printf ("results.%d.result_type", (int)i);
      g_autofree char *type = at (reply->json, type_place);
      g_autofree char *place = g_strdup_printf ("results.%d.%s", (int)i,
                                                g_strcmp0 (type, "ticket") == 0 ? "id" : "name");
      g_autofree char *value = at (reply->json, place);

      g_string_append_printf (all, "%s%s", i > 0 ? " " : "", value);
    }
  return g_string_free (all, FALSE);
}

static void
test_finds_what_the_operators_ask_for (void)
{
  static const struct
  {
    const char *query, *found; /* oldest first */
  } rows[] = {
    { "type:ticket", "1 2 3" },
    { "type:ticket status:open", "1" },
    { "type:ticket status:open status:pending", "1 2" },
    { "status<solved", "1 2" },
    { "status<=pending status>open", "2" },
    { "type:ticket -status:closed", "1 2" },
    { "priority>=high", "1" },
    { "ticket_type:incident", "1" },
    { "type:ticket external_id:a:1", "1" },
    { "external_id:\"a 2\"", "2" },
    { "type:ticket external_id:a*", "1 2 3" },
    { "external_id:a", "" },
    { "type:user external_id:U-1", "Ada Lovelace" },
    { "external_id:o:1", "ACME" },
    { "created:2012-06-02", "2" },
    { "type:ticket created<2012-06-02", "1" },
    { "type:ticket created<=2012-06-02", "1 2" },
    { "type:ticket created>2012-06-02 created<2020-01-01", "3" },
    { "created:2012-06-01T10:00:00Z", "1" },
    { "tags:red", "1" },
    { "tags:hot -tags:red", "2" },
    { "type:ticket -tags:hot", "3" },
    { "subject:printer", "1" },
    { "subject:\"on fire\"", "1" },
    { "subject:print", "" },
    { "subject:print*", "1" },
    { "printer*", "1 2" },
    { "type:ticket 3", "3" },
    { "requester:ada@x.example", "2" },
    { "group:Support", "3" },
    { "type:ticket group:none", "1 2" },
    { "type:organization", "ACME" },
    { "type:group", "Support" },
    { "email:ADA@x.example", "Ada Lovelace" },
    { "name:lovelace", "Ada Lovelace" },
    { "nothing", "" },
  };
  g_autoptr (Rig) rig = prepare ();

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *escaped = g_uri_escape_string (rows[i].query, NULL, FALSE);
      g_autofree char *path
          = g_strconcat (SEARCH, escaped, "&sort_by=created_at&sort_order=asc", NULL);
      g_autofree char *count = g_strconcat ("/api/v2/search/count.json?query=", escaped, NULL);
      g_autoptr (Reply) reply = rig_get (rig, path);
      g_autoptr (Reply) counted = rig_get (rig, count);
      g_autofree char *found = results_of (reply);

      assert_row_text (rows[i].query, found, rows[i].found);
      assert_row_int (rows[i].query, number_at (counted->json, "count"),
                      number_at (reply->json, "count"));
    }
}

static void
test_finds_late_what_is_new (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (Rig) prompt = rig_new ("--search-lag", "0", NULL);

  post (rig, "/api/v2/tickets", "{'ticket':{'comment':'c'}}");
  post (prompt, "/api/v2/tickets", "{'ticket':{'comment':'c'}}");
  rig_advance (rig, 119);
  g_autoptr (Reply) early = rig_get (rig, SEARCH "type:ticket");
  rig_advance (rig, 1);
  g_autoptr (Reply) late = rig_get (rig, SEARCH "type:ticket");
  g_autoptr (Reply) at_once = rig_get (prompt, SEARCH "type:ticket");

  assert_int (number_at (early->json, "count"), 0);
  assert_int (number_at (late->json, "count"), 1);
  assert_int (number_at (at_once->json, "count"), 1);
}

static void
test_gives_out_a_thousand_and_counts_them_all (void)
{
  g_autoptr (Rig) rig = rig_new ("--search-lag", "0", NULL);
  GString *body = g_string_new ("{\"ticket\":{\"comment\":\"c\"}}");

  for (guint i = 0; i < 1001; i++)
    reply_free (rig_call (rig, "POST", "/api/v2/tickets", body->str, NULL));
  g_string_free (body, TRUE);
  g_autoptr (Reply) last = rig_get (rig, SEARCH "type:ticket&page=10");
  g_autofree char *next = at (last->json, "next_page");
  g_autoptr (Reply) beyond = rig_get (rig, next + strlen (rig->url));
  g_autofree char *error = at (beyond->json, "error");

  assert_int (number_at (last->json, "results.#"), 100);
  assert_int (number_at (last->json, "count"), 1001);
  assert_int (beyond->status, 422);
  assert_text (error, "invalid");
}

static void
test_pages_by_number_only (void)
{
  g_autoptr (Rig) rig = prepare ();
  g_autoptr (Reply) first = rig_get (rig, SEARCH "type:ticket&per_page=2");
  g_autofree char *ids = results_of (first), *next = at (first->json, "next_page");
  g_autoptr (Reply) second = rig_get (rig, next + strlen (rig->url));
  g_autofree char *rest = results_of (second), *end = at (second->json, "next_page");
  g_autoptr (Reply) refused = rig_get (rig, SEARCH "type:ticket&page%5Bsize%5D=2");
  g_autoptr (Reply) unknown = rig_get (rig, SEARCH "colour:red");
  g_autofree char *why = at (unknown->json, "description");

  assert_text (ids, "3 2"); /* the newest first */
  assert_text (rest, "1");
  assert_text (end, NULL);
  assert_int (refused->status, 400);
  assert_int (unknown->status, 422);
  assert_contains (why, "colour");
}

static void
test_sends_users_along_with_tickets (void)
{
  g_autoptr (Rig) rig = prepare ();
  g_autoptr (Reply) reply = rig_get (rig, SEARCH "subject:sound&include=tickets(users,groups)");
  g_autofree char *name = at (reply->json, "users.0.name");

  assert_text (name, "Ada Lovelace");
  assert_int (number_at (reply->json, "groups.#"), 0);
}

static void
test_exports_what_it_finds_by_cursor (void)
{
  static const char path[]
      = "/api/v2/search/export.json?query=-status:open&filter%5Btype%5D=ticket&page%5Bsize%5D=1";
  g_autoptr (Rig) rig = prepare ();
  g_autoptr (Reply) first = rig_get (rig, path);
  g_autofree char *ids = results_of (first), *more = at (first->json, "meta.has_more");
  g_autofree char *next = at (first->json, "links.next"), *count = at (first->json, "count");
  g_autoptr (Reply) second = rig_get (rig, next + strlen (rig->url));
  g_autofree char *rest = results_of (second), *end = at (second->json, "meta.has_more");
  g_autoptr (Reply) untyped = rig_get (rig, "/api/v2/search/export.json?query=x");

  assert_text (ids, "2");
  assert_text (more, "true");
  assert_text (count, NULL);
  assert_text (rest, "3");
  assert_text (end, "false");
  assert_int (untyped->status, 422);
  rig_advance (rig, 3590);
  assert_int (reply_take_status (rig_get (rig, next + strlen (rig->url))), 200);
  rig_advance (rig, 20);
  assert_int (reply_take_status (rig_get (rig, next + strlen (rig->url))), 400);
}

static void
test_exports_a_hundred_times_a_minute (void)
{
  static const char path[] = "/api/v2/search/export?query=x&filter%5Btype%5D=user";
  g_autoptr (Rig) rig = rig_new ("--plan", "enterprise", "--time-rate", "0", NULL);

  for (guint i = 0; i < 100; i++)
    assert_int (reply_take_status (rig_get (rig, path)), 200);
  assert_int (reply_take_status (rig_get (rig, path)), 429);
}

static const Promise promises[] = {
  { "finds what the operators ask for", test_finds_what_the_operators_ask_for },
  { "finds late what is new", test_finds_late_what_is_new },
  { "gives out a thousand and counts them all", test_gives_out_a_thousand_and_counts_them_all },
  { "pages by number only", test_pages_by_number_only },
  { "sends users along with tickets", test_sends_users_along_with_tickets },
  { "exports what it finds by cursor", test_exports_what_it_finds_by_cursor },
  { "exports a hundred times a minute", test_exports_a_hundred_times_a_minute },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("emulator search", promises, argc, argv);
}
