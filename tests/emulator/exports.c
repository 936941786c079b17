/* exports.c: what the emulator promises about reading an account out */
#include "promise.h"
#include "rig.h"

#include <string.h>

#define TICKETS "/api/v2/incremental/tickets.json?start_time="
#define CURSOR "/api/v2/incremental/tickets/cursor.json?start_time="

static void
set_clock (Rig *rig, const char *time)
{
  g_autofree char *body = g_strdup_printf ("{\"set\":\"%s\"}", time);

  reply_free (rig_call (rig, "POST", "/_emulator/clock", body, NULL));
}

/* @n tickets in this second. */
static void
create (Rig *rig, guint n)
{
  for (guint i = 0; i < n; i++)
    assert_int (reply_take_status (rig_create (rig, "{'ticket':{'comment':'c'}}", NULL)), 201);
}

/* Two tickets in one second, three in the next, one in that after it, all a while ago. */
static Rig *
prepare (const char *option, const char *value)
{
  Rig *rig = rig_new ("--time-rate", "0", option, value, NULL);

  set_clock (rig, "2030-01-01T00:00:00Z"); /* 1893456000 */
  create (rig, 2);
  rig_advance (rig, 1);
  create (rig, 3);
  rig_advance (rig, 1);
  create (rig, 1);
  rig_advance (rig, 1000);
  return rig;
}

static char *
ids_of (const Reply *reply)
{
  GString *ids = g_string_new (NULL);
  gint64 n = number_at (reply->json, "tickets.#");

  for (gint64 i = 0; i < n; i++)
    {
      g_autofree char *path = g_strdup_printf ("tickets.%d.id", (int)i);

      g_string_append_printf (ids, "%s%" G_GINT64_FORMAT, i > 0 ? " " : "",
                              number_at (reply->json, path));
    }
  return g_string_free (ids, FALSE);
}

/* The pages by following next_page until the end of the stream: "1 2|3 4"; at most four. */
static char *
walk (Rig *rig, const char *path)
{
  GString *seen = g_string_new (NULL);
  g_autofree char *next = g_strdup (path);

  for (guint pages = 0; pages < 4 && next != NULL; pages++)
    {
      g_autoptr (Reply) reply = rig_get (rig, next);
      g_autofree char *ids = ids_of (reply);
      g_autofree char *end = at (reply->json, "end_of_stream");
      g_autofree char *time_link = at (reply->json, "next_page");
      g_autofree char *link
          = time_link != NULL ? g_steal_pointer (&time_link) : at (reply->json, "after_url");

      g_string_append_printf (seen, "%s%s", pages > 0 ? "|" : "", ids);
      g_free (next);
      next = g_strcmp0 (end, "false") == 0 ? g_strdup (link + strlen (rig->url)) : NULL;
    }
  return g_string_free (seen, FALSE);
}

static void
test_begins_again_with_the_second_that_a_page_ended_with (void)
{
  static const struct
  {
    const char *path, *seen;
  } rows[] = {
    { TICKETS "0", "1 2 3 4 5 6" },
    { TICKETS "0&per_page=1", "1 2|1 2 3 4 5|3 4 5 6" }, /* a floor, and never half a second */
    { TICKETS "0&per_page=2", "1 2|1 2 3 4 5|3 4 5 6" },
    { TICKETS "0&per_page=3", "1 2 3 4 5|3 4 5 6" },
    { TICKETS "1893456001", "3 4 5 6" },
    { TICKETS "1893456002", "6" },
    { TICKETS "1893456003", "" },
  };
  g_autoptr (Rig) rig = prepare (NULL, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *seen = walk (rig, rows[i].path);

      assert_row_text (rows[i].path, seen, rows[i].seen);
    }
}

static void
test_tells_where_a_page_ends (void)
{
  g_autoptr (Rig) rig = prepare (NULL, NULL);
  g_autoptr (Reply) page = rig_get (rig, TICKETS "0&per_page=3");
  g_autoptr (Reply) last = rig_get (rig, TICKETS "1893456002");
  g_autoptr (Reply) none = rig_get (rig, TICKETS "1893456500");
  g_autofree char *next = at (page->json, "next_page"), *more = at (page->json, "end_of_stream");
  g_autofree char *own = at (last->json, "next_page"), *end = at (last->json, "end_of_stream");
  g_autofree char *expected = g_strconcat (
      rig->url, "/api/v2/incremental/tickets.json?per_page=3&start_time=1893456001", NULL);
  g_autofree char *itself = g_strconcat (rig->url, TICKETS "1893456002", NULL);

  assert_int (number_at (page->json, "count"), 5);
  assert_int (number_at (page->json, "end_time"), 1893456001);
  assert_int (number_at (page->json, "tickets.4.generated_timestamp"), 1893456001);
  assert_text (next, expected);
  assert_text (more, "false");
  assert_text (own, itself); /* never null: a client that follows it does not end */
  assert_text (end, "true");
  assert_int (number_at (none->json, "count"), 0);
  assert_int (number_at (none->json, "end_time"), 1893456500);
}

static void
test_never_gets_past_a_full_second_if_told_so (void)
{
  g_autoptr (Rig) rig = prepare ("--same-second", "stick");
  g_autofree char *seen = walk (rig, TICKETS "0&per_page=3");

  assert_text (seen, "1 2 3 4 5|3 4 5|3 4 5|3 4 5");
}

static void
test_repeats_rows_if_told_so (void)
{
  g_autoptr (Rig) rig = prepare ("--repeat-exported", "2");
  g_autofree char *by_time = walk (rig, TICKETS "0");
  g_autofree char *by_cursor = walk (rig, CURSOR "0");
  g_autoptr (Reply) first = rig_get (rig, CURSOR "0&per_page=3");
  g_autofree char *link = at (first->json, "after_url"), *ids = ids_of (first);
  g_autoptr (Reply) rest = rig_get (rig, link + strlen (rig->url));
  g_autofree char *next_ids = ids_of (rest);

  assert_text (by_time, "1 2 2 3 4 4 5 6 6");
  assert_text (by_cursor, "1 2 2 3 4 4 5 6 6");
  assert_text (ids, "1 2 2 3");
  assert_text (next_ids, "3 4 4 5 6 6"); /* what the page before ended with, too */
}

static void
test_is_a_minute_late_to_the_second (void)
{
  g_autoptr (Rig) rig = rig_new ("--time-rate", "0", NULL);

  set_clock (rig, "2030-01-01T00:00:00Z");
  create (rig, 1);
  rig_advance (rig, 59);
  g_autofree char *early = walk (rig, TICKETS "0");
  rig_advance (rig, 1);
  g_autofree char *late = walk (rig, TICKETS "0");

  assert_text (early, "");
  assert_text (late, "1");
  assert_int (reply_take_status (rig_get (rig, TICKETS "1893456000")), 200);
  assert_int (reply_take_status (rig_get (rig, TICKETS "1893456001")), 422);
  assert_int (reply_take_status (rig_get (rig, TICKETS "x")), 400);
}

static void
test_tells_of_the_import_not_of_the_past (void)
{
  g_autoptr (Rig) rig = rig_new ("--time-rate", "0", NULL);
  g_autofree char *body
      = quoted ("{'ticket':{'created_at':'2012-06-01T10:00:00Z','status':'closed','comments':["
                "{'created_at':'2012-06-01T10:00:00Z','value':'c'}]}}");

  set_clock (rig, "2030-01-01T00:00:00Z");
  reply_free (
      rig_call (rig, "POST", "/api/v2/imports/tickets?archive_immediately=true", body, NULL));
  rig_advance (rig, 100);
  g_autoptr (Reply) page = rig_get (rig, TICKETS "1893456000");
  g_autofree char *updated = at (page->json, "tickets.0.updated_at");

  assert_int (number_at (page->json, "count"), 1);
  assert_text (updated, "2012-06-01T10:00:00Z"); /* older than the start */
  assert_int (number_at (page->json, "end_time"), 1893456000);
}

static void
test_tells_of_events_with_what_was_said_if_asked (void)
{
  static const char path[] = "/api/v2/incremental/ticket_events.json?start_time=0";
  g_autoptr (Rig) rig = rig_new ("--time-rate", "0", NULL);
  g_autofree char *body
      = quoted ("{'ticket':{'comments':[{'value':'one','author_id':827,"
                "'created_at':'2012-06-01T10:00:00Z'},{'value':'two','public':false}]}}");
  g_autofree char *change = quoted ("{'ticket':{'status':'open','comment':'three'}}");
  g_autofree char *full_path = g_strconcat (path, "&include=comment_events", NULL);

  set_clock (rig, "2030-01-01T00:00:00Z");
  reply_free (rig_call (rig, "POST", "/api/v2/imports/tickets", body, NULL));
  reply_free (rig_call (rig, "PUT", "/api/v2/tickets/1", change, NULL));
  reply_free (rig_call (rig, "DELETE", "/api/v2/tickets/1", NULL, NULL));
  rig_advance (rig, 100);
  g_autoptr (Reply) brief = rig_get (rig, path);
  g_autoptr (Reply) full = rig_get (rig, full_path);
  static const struct
  {
    const char *place, *brief, *full;
  } rows[] = {
    { "count", "4", "4" },
    { "ticket_events.0.ticket_id", "1", "1" },
    { "ticket_events.0.updater_id", "827", "827" },
    { "ticket_events.0.timestamp", "1338544800", "1338544800" },
    { "ticket_events.0.event_type", "Audit", "Audit" },
    { "ticket_events.0.child_events.0.event_type", "Comment", "Comment" },
    { "ticket_events.0.child_events.0.comment_present", "true", NULL },
    { "ticket_events.0.child_events.0.body", NULL, "one" },
    { "ticket_events.1.child_events.0.comment_public", "false", NULL },
    { "ticket_events.1.child_events.0.public", NULL, "false" },
    { "ticket_events.2.child_events.0.body", NULL, "three" },
    { "ticket_events.2.child_events.1.status", "open", "open" },
    { "ticket_events.2.child_events.1.previous_value", "new", "new" },
    { "ticket_events.3.child_events.0.status", "deleted", "deleted" },
    { "end_of_stream", "true", "true" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *one = at (brief->json, rows[i].place);
      g_autofree char *other = at (full->json, rows[i].place);

      assert_row_text (rows[i].place, one, rows[i].brief);
      assert_row_text (rows[i].place, other, rows[i].full);
    }
}

static void
post (Rig *rig, const char *path, const char *body)
{
  g_autofree char *text = quoted (body);

  assert_int (reply_take_status (rig_call (rig, "POST", path, text, NULL)), 201);
}

/* "name" of each row of the list @name: "A B". */
static char *
names_of (const Reply *reply, const char *name)
{
  g_autofree char *count = g_strconcat (name, ".#", NULL);
  gint64 n = number_at (reply->json, count);
  GString *all = g_string_new (NULL);

  for (gint64 i = 0; i < n; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s.%d.name", name, (int)i);
      g_autofree char *value = at (reply->json, path);

      g_string_append_printf (all, "%s%s", i > 0 ? " " : "", value);
    }
  return g_string_free (all, FALSE);
}

static void
test_tells_of_users_by_cursor_and_by_time (void)
{
  g_autoptr (Rig) rig = rig_new ("--time-rate", "0", NULL);
  g_autofree char *delete_path = NULL;

  set_clock (rig, "2030-01-01T00:00:00Z");
  post (rig, "/api/v2/organizations", "{'organization':{'name':'ACME'}}");
  post (rig, "/api/v2/users",
        "{'user':{'name':'A','email':'a@x.example','organization':{'name':'ACME'}}}");
  rig_advance (rig, 1);
  post (rig, "/api/v2/users", "{'user':{'name':'B','email':'b@x.example'}}");
  rig_advance (rig, 100);
  post (rig, "/api/v2/users", "{'user':{'name':'C','email':'c@x.example'}}");
  g_autoptr (Reply) first
      = rig_get (rig, "/api/v2/incremental/users/cursor.json?start_time=1893456000&per_page=1"
                      "&include=organizations");
  g_autofree char *link = at (first->json, "after_url"), *a = names_of (first, "users");
  g_autofree char *organization = at (first->json, "organizations.0.name");
  g_autofree char *more = at (first->json, "end_of_stream");
  g_autoptr (Reply) second = rig_get (rig, link + strlen (rig->url));
  g_autofree char *next = at (second->json, "after_url"), *b = names_of (second, "users");
  g_autofree char *end = at (second->json, "end_of_stream");
  assert_text (a, "A");
  assert_text (organization, "ACME");
  assert_int (number_at (first->json, "users.0.generated_timestamp"), 1893456000);
  assert_text (more, "false");
  assert_text (b, "B"); /* C came in this second, which is not over */
  assert_text (end, "true");

  rig_advance (rig, 1);
  delete_path
      = g_strdup_printf ("/api/v2/users/%" G_GINT64_FORMAT, number_at (first->json, "users.0.id"));
  reply_free (rig_call (rig, "DELETE", delete_path, NULL, NULL));
  rig_advance (rig, 1);
  g_autoptr (Reply) third = rig_get (rig, next + strlen (rig->url));
  g_autofree char *c = names_of (third, "users"), *active = at (third->json, "users.1.active");
  g_autoptr (Reply) by_time
      = rig_get (rig, "/api/v2/incremental/users.json?start_time=1893456001&per_page=1");
  g_autofree char *all = names_of (by_time, "users");
  assert_text (c, "C A");
  assert_text (active, "false");
  assert_text (all, "B C"); /* the second that is asked for does not count */
  assert_int (number_at (by_time->json, "end_time"), 1893456101);
}

static void
test_tells_of_organizations_by_time (void)
{
  g_autoptr (Rig) rig = rig_new ("--time-rate", "0", NULL);

  set_clock (rig, "2030-01-01T00:00:00Z");
  post (rig, "/api/v2/organizations", "{'organization':{'name':'O'}}");
  post (rig, "/api/v2/organizations", "{'organization':{'name':'P'}}");
  rig_advance (rig, 100);
  g_autoptr (Reply) page
      = rig_get (rig, "/api/v2/incremental/organizations.json?start_time=0&per_page=1");
  g_autofree char *names = names_of (page, "organizations");
  g_autofree char *end = at (page->json, "end_of_stream");
  g_autoptr (Reply) sample
      = rig_get (rig, "/api/v2/incremental/organizations/sample.json?start_time=0");

  assert_text (names, "O P");
  assert_int (number_at (page->json, "count"), 2);
  assert_int (number_at (page->json, "end_time"), 1893456000);
  assert_int (number_at (page->json, "organizations.1.generated_timestamp"), 1893456000);
  assert_text (end, "true");
  assert_int (number_at (sample->json, "organizations.#"), 2);
}

static void
test_sends_along_what_is_asked_for (void)
{
  static const char path[] = TICKETS "0&include=users,comment_count,metric_sets";
  g_autoptr (Rig) rig = prepare (NULL, NULL);
  g_autoptr (Reply) page = rig_get (rig, path);
  g_autoptr (Reply) bare = rig_get (rig, TICKETS "0");
  g_autofree char *name = at (page->json, "users.0.name");
  g_autofree char *none = at (bare->json, "users");

  assert_int (number_at (page->json, "users.#"), 1);
  assert_text (name, "Emulator Admin");
  assert_int (number_at (page->json, "tickets.0.comment_count"), 1);
  assert_int (number_at (page->json, "metric_sets.5.ticket_id"), 6);
  assert_text (none, NULL);
}

static void
test_gives_a_sample_of_fifty (void)
{
  g_autoptr (Rig) rig = rig_new ("--time-rate", "0", NULL);

  create (rig, 51);
  rig_advance (rig, 100);
  g_autoptr (Reply) tickets = rig_get (rig, "/api/v2/incremental/tickets/sample?start_time=0");
  g_autoptr (Reply) events = rig_get (rig, "/api/v2/incremental/ticket_events/sample?start_time=0");

  assert_int (number_at (tickets->json, "tickets.#"), 50);
  assert_int (number_at (events->json, "ticket_events.#"), 50);
}

static void
test_allows_ten_exports_a_minute (void)
{
  static const char *const paths[]
      = { TICKETS "0", CURSOR "0", "/api/v2/incremental/ticket_events?start_time=0" };
  g_autoptr (Rig) rig = rig_new ("--plan", "enterprise", "--time-rate", "0", NULL);

  for (guint i = 0; i < 10; i++)
    assert_int (reply_take_status (rig_get (rig, paths[i % G_N_ELEMENTS (paths)])), 200);
  assert_int (reply_take_status (rig_get (rig, paths[0])), 429);
  rig_advance (rig, 60);
  assert_int (reply_take_status (rig_get (rig, paths[1])), 200);
}

static void
test_allows_ten_samples_in_twenty_minutes (void)
{
  static const char path[] = "/api/v2/incremental/users/sample?start_time=0";
  g_autoptr (Rig) rig = rig_new ("--plan", "enterprise", "--time-rate", "0", NULL);

  set_clock (rig, "2030-01-01T00:01:00Z");
  for (guint i = 0; i < 10; i++)
    assert_int (reply_take_status (rig_get (rig, path)), 200);
  rig_advance (rig, 18 * 60);
  assert_int (reply_take_status (rig_get (rig, path)), 429);
  rig_advance (rig, 60);
  assert_int (reply_take_status (rig_get (rig, path)), 200);
}

static const Promise promises[] = {
  { "begins again with the second that a page ended with",
    test_begins_again_with_the_second_that_a_page_ended_with },
  { "tells where a page ends", test_tells_where_a_page_ends },
  { "never gets past a full second if told so", test_never_gets_past_a_full_second_if_told_so },
  { "repeats rows if told so", test_repeats_rows_if_told_so },
  { "is a minute late, to the second", test_is_a_minute_late_to_the_second },
  { "tells of the import, not of the past", test_tells_of_the_import_not_of_the_past },
  { "tells of events, with what was said if asked",
    test_tells_of_events_with_what_was_said_if_asked },
  { "tells of users by cursor and by time", test_tells_of_users_by_cursor_and_by_time },
  { "tells of organizations by time", test_tells_of_organizations_by_time },
  { "sends along what is asked for", test_sends_along_what_is_asked_for },
  { "gives a sample of fifty", test_gives_a_sample_of_fifty },
  { "allows ten exports a minute", test_allows_ten_exports_a_minute },
  { "allows ten samples in twenty minutes", test_allows_ten_samples_in_twenty_minutes },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("emulator exports", promises, argc, argv);
}
