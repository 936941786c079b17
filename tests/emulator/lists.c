/* lists.c: what the emulator promises about finding tickets again */
#include "promise.h"
#include "rig.h"

#include <string.h>

static void
create (Rig *rig, guint n)
{
  for (guint i = 1; i <= n; i++)
    {
      g_autofree char *body
          = g_strdup_printf ("{'ticket':{'comment':'c','external_id':'x:%u'}}", i);
      g_autoptr (Reply) reply = rig_create (rig, body, NULL);

      if (reply->status != 201)
        g_error ("no ticket was made: %s", reply->body);
    }
}

static void delete (Rig *rig, guint id)
{
  g_autofree char *path = g_strdup_printf ("/api/v2/tickets/%u.json", id);
  g_autoptr (Reply) reply = rig_call (rig, "DELETE", path, NULL, NULL);

  assert_int (reply->status, 204);
}

static void
touch (Rig *rig, guint id)
{
  g_autofree char *path = g_strdup_printf ("/api/v2/tickets/%u.json", id);
  g_autoptr (Reply) reply = rig_call (rig, "PUT", path, "{\"ticket\":{\"subject\":\"t\"}}", NULL);

  assert_int (reply->status, 200);
}

/* The ids of a page: "1 2 3". */
static char *
ids_of (const Reply *reply)
{
  GString *ids = g_string_new (NULL);
  gint64 n = number_at (reply->json, "tickets.#");

  for (gint64 i = 0; i < n; i++)
    {
      g_autofree char *path = g_strdup_printf ("tickets.%d.id", (int)i);
      g_autofree char *id = at (reply->json, path);

      g_string_append_printf (ids, "%s%s", i > 0 ? " " : "", id);
    }
  return g_string_free (ids, FALSE);
}

/* Follows a link of the answer; NULL if that is null. */
static Reply *
follow (Rig *rig, const Reply *reply, const char *link)
{
  g_autofree char *url = at (reply->json, link);

  return url != NULL ? rig_get (rig, url + strlen (rig->url)) : NULL;
}

/* All pages by following: "1 2|3 4|5". */
static char *
walk (Rig *rig, const char *path, const char *link)
{
  GString *seen = g_string_new (NULL);
  Reply *reply = rig_get (rig, path);

  for (guint pages = 0; reply != NULL && pages < 20; pages++)
    {
      g_autofree char *ids = ids_of (reply);
      g_autofree char *more = at (reply->json, "meta.has_more");
      Reply *next = g_strcmp0 (more, "false") != 0 ? follow (rig, reply, link) : NULL;

      g_string_append_printf (seen, "%s%s", pages > 0 ? "|" : "", ids);
      reply_free (reply);
      reply = next;
    }
  reply_free (reply);
  return g_string_free (seen, FALSE);
}

static void
test_pages_to_the_end_in_both_ways (void)
{
  static const struct
  {
    const char *path, *link, *seen;
  } rows[] = {
    { "/api/v2/tickets.json", "next_page", "1 3 4 5 6 7" },
    { "/api/v2/tickets.json?per_page=4", "next_page", "1 3 4 5|6 7" },
    { "/api/v2/tickets.json?per_page=2", "next_page", "1 3|4 5|6 7" },
    { "/api/v2/tickets.json?per_page=2&page=2", "next_page", "4 5|6 7" },
    { "/api/v2/tickets?per_page=3&sort_by=id&sort_order=desc", "next_page", "7 6 5|4 3 1" },
    { "/api/v2/tickets?sort_by=updated_at&per_page=3", "next_page", "1 4 5|6 7 3" },
    { "/api/v2/tickets.json?page%5Bsize%5D=4", "links.next", "1 3 4 5|6 7" },
    { "/api/v2/tickets.json?page%5Bsize%5D=3", "links.next", "1 3 4|5 6 7" },
    { "/api/v2/tickets.json?page%5Bsize%5D=4&sort=-id", "links.next", "7 6 5 4|3 1" },
    { "/api/v2/tickets.json?page%5Bsize%5D=4&sort=updated_at", "links.next", "1 4 5 6|7 3" },
    { "/api/v2/tickets.json?page%5Bsize%5D=4&sort=-updated_at", "links.next", "3 7 6 5|4 1" },
    { "/api/v2/tickets.json?external_id=x:3", "next_page", "3" },
    { "/api/v2/tickets.json?external_id=x:2", "next_page", "" },
    { "/api/v2/tickets.json?external_id=none", "next_page", "" },
    { "/api/v2/tickets.json?external_id=x%3A3&page%5Bsize%5D=1", "links.next", "3" },
  };
  g_autoptr (Rig) rig = rig_new (NULL);

  create (rig, 7);
  delete (rig, 2);
  rig_advance (rig, 5);
  touch (rig, 3);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *seen = walk (rig, rows[i].path, rows[i].link);

      assert_row_text (rows[i].path, seen, rows[i].seen);
    }
}

static void
test_keeps_its_links_on_the_last_page (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  create (rig, 2);
  g_autoptr (Reply) last = rig_get (rig, "/api/v2/tickets.json?page%5Bsize%5D=2");
  g_autofree char *more = at (last->json, "meta.has_more");
  g_autofree char *next = at (last->json, "links.next");
  g_autofree char *count = at (last->json, "count");
  g_autoptr (Reply) beyond = follow (rig, last, "links.next");
  g_autofree char *none = ids_of (beyond);

  assert_text (more, "false");
  assert_true (next != NULL);
  assert_text (count, NULL);
  assert_text (none, "");
}

static void
test_walks_back (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  create (rig, 5);
  g_autoptr (Reply) first = rig_get (rig, "/api/v2/tickets.json?page%5Bsize%5D=2");
  g_autoptr (Reply) second = follow (rig, first, "links.next");
  g_autoptr (Reply) third = follow (rig, second, "links.next");
  g_autoptr (Reply) back = follow (rig, third, "links.prev");
  g_autoptr (Reply) start = follow (rig, back, "links.prev");
  g_autofree char *ids = ids_of (back);
  g_autofree char *start_ids = ids_of (start);

  assert_text (ids, "3 4");
  assert_text (start_ids, "1 2");
}

static void
test_does_not_lose_its_place_when_tickets_change (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  create (rig, 5);
  g_autoptr (Reply) first = rig_get (rig, "/api/v2/tickets.json?page%5Bsize%5D=2");
  delete (rig, 1);
  delete (rig, 2);
  g_autoptr (Reply) second = follow (rig, first, "links.next");
  g_autofree char *ids = ids_of (second);

  assert_text (ids, "3 4");
}

static void
test_says_what_offset_paging_says (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  create (rig, 3);
  g_autoptr (Reply) middle = rig_get (rig, "/api/v2/tickets.json?per_page=1&page=2");
  g_autofree char *count = at (middle->json, "count");
  g_autofree char *next = at (middle->json, "next_page");
  g_autofree char *previous = at (middle->json, "previous_page");
  g_autoptr (Reply) deep = rig_get (rig, "/api/v2/tickets.json?page=101");
  g_autofree char *code = at (deep->json, "errors.0.code");
  g_autoptr (Reply) just = rig_get (rig, "/api/v2/tickets.json?page=100");

  assert_text (count, "3");
  assert_true (g_str_has_suffix (next, "?page=3&per_page=1"));
  assert_true (g_str_has_suffix (previous, "?page=1&per_page=1"));
  assert_int (deep->status, 400);
  assert_text (code, "InvalidPaginationDepth");
  assert_int (just->status, 200);
}

static void
test_refuses_an_order_or_a_cursor_that_it_does_not_know (void)
{
  static const char *const paths[]
      = { "/api/v2/tickets?page%5Bsize%5D=2&sort=subject",
          "/api/v2/tickets?page%5Bsize%5D=2&page%5Bafter%5D=x",
          "/api/v2/tickets?page%5Bsize%5D=2&page%5Bafter%5D=eyJvIjoieCIsInYiOiIwIn0%3D" };
  g_autoptr (Rig) rig = rig_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autoptr (Reply) reply = rig_get (rig, paths[i]);
      g_autofree char *code = at (reply->json, "errors.0.code");

      assert_row_int (paths[i], reply->status, 400);
      assert_row_text (paths[i], code, "InvalidPaginationParameter");
    }
}

static void
test_finds_all_with_one_external_id (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  static const char same[] = "{'ticket':{'comment':'c','external_id':'same'}}";

  for (guint i = 0; i < 3; i++)
    reply_free (rig_create (rig, same, NULL));
  g_autofree char *all = walk (rig, "/api/v2/tickets.json?external_id=same", "next_page");
  g_autofree char *paged
      = walk (rig, "/api/v2/tickets.json?external_id=same&per_page=2", "next_page");
  assert_text (all, "1 2 3");
  assert_text (paged, "1 2|3");
  assert_int (rig_count (rig, "duplicates"), 1);

  delete (rig, 2);
  assert_int (reply_take_status (rig_call (rig, "PUT", "/api/v2/tickets/3.json",
                                           "{\"ticket\":{\"external_id\":\"other\"}}", NULL)),
              200);
  g_autofree char *left = walk (rig, "/api/v2/tickets.json?external_id=same", "next_page");
  g_autofree char *other = walk (rig, "/api/v2/tickets.json?external_id=other", "next_page");
  assert_text (left, "1");
  assert_text (other, "3");
  assert_int (rig_count (rig, "duplicates"), 0);
}

static void
test_finds_at_once_or_as_late_as_asked (void)
{
  g_autoptr (Rig) rig = rig_new ("--lookup-lag", "30", NULL);

  create (rig, 1);
  g_autofree char *early = walk (rig, "/api/v2/tickets.json?external_id=x:1", "next_page");
  g_autofree char *listed = walk (rig, "/api/v2/tickets.json", "next_page");
  rig_advance (rig, 31);
  g_autofree char *late = walk (rig, "/api/v2/tickets.json?external_id=x:1", "next_page");

  assert_text (early, "");
  assert_text (listed, "1");
  assert_text (late, "1");
}

static void
test_hides_what_is_archived_from_lists_only (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autofree char *body
      = quoted ("{'ticket':{'comment':'c','status':'closed','external_id':'old'}}");
  g_autoptr (Reply) made
      = rig_call (rig, "POST", "/api/v2/imports/tickets.json?archive_immediately=true", body, NULL);
  g_autofree char *listed = walk (rig, "/api/v2/tickets.json", "next_page");
  g_autofree char *found = walk (rig, "/api/v2/tickets.json?external_id=old", "next_page");
  g_autoptr (Reply) shown = rig_get (rig, "/api/v2/tickets/1.json");
  rig_advance (rig, 100);
  g_autofree char *exported
      = walk (rig, "/api/v2/incremental/tickets/cursor.json?start_time=0", "none");

  assert_int (made->status, 201);
  assert_text (listed, "");
  assert_text (found, "");
  assert_int (shown->status, 200);
  assert_text (exported, "1");
}

static void
test_archives_only_what_is_closed (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autofree char *body = quoted ("{'ticket':{'comment':'c','status':'open'}}");
  assert_int (reply_take_status (rig_call (rig, "POST",
                                           "/api/v2/imports/tickets.json?archive_immediately=true",
                                           body, NULL)),
              201);
  g_autofree char *listed = walk (rig, "/api/v2/tickets.json", "next_page");

  assert_text (listed, "1");
}

static void
test_shows_many_in_its_own_order (void)
{
  static const struct
  {
    const char *ids, *seen;
  } rows[] = {
    { "3,1", "1 3" }, { "1,99,2", "1 2" }, { "2,2", "2" }, { "", "" }, { "x,-1,4", "" },
  };
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (GString) many = g_string_new ("/api/v2/tickets/show_many.json?ids=1");

  create (rig, 4);
  delete (rig, 4);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path
          = g_strconcat ("/api/v2/tickets/show_many.json?ids=", rows[i].ids, NULL);
      g_autoptr (Reply) reply = rig_get (rig, path);
      g_autofree char *ids = ids_of (reply);

      assert_row_text (rows[i].ids, ids, rows[i].seen);
    }
  for (guint i = 0; i < 100; i++)
    g_string_append (many, ",2");
  g_autoptr (Reply) refused = rig_get (rig, many->str);
  assert_int (refused->status, 400);
  assert_int (number_at (refused->json, "max_count"), 100);
}

static void
test_counts_what_lists_show (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  create (rig, 3);
  delete (rig, 1);
  g_autoptr (Reply) reply = rig_get (rig, "/api/v2/tickets/count.json");
  assert_int (number_at (reply->json, "count.value"), 2);
}

static void
test_exports_everything_a_minute_late (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  static const char start[] = "/api/v2/incremental/tickets/cursor.json?start_time=0&per_page=2";

  create (rig, 3);
  rig_advance (rig, 30);
  g_autoptr (Reply) early = rig_get (rig, start);
  g_autofree char *nothing = ids_of (early);
  assert_text (nothing, "");

  rig_advance (rig, 61);
  touch (rig, 1); /* leaves its old place: seen once, and only after another minute */
  delete (rig, 2);
  g_autoptr (Reply) first = rig_get (rig, start);
  g_autofree char *ids = ids_of (first);
  g_autofree char *end = at (first->json, "end_of_stream");
  assert_text (ids, "3");
  assert_text (end, "true");

  rig_advance (rig, 61);
  g_autofree char *after = at (first->json, "after_cursor");
  g_autofree char *escaped = g_uri_escape_string (after, NULL, FALSE);
  g_autofree char *path
      = g_strconcat ("/api/v2/incremental/tickets/cursor.json?cursor=", escaped, NULL);
  g_autoptr (Reply) second = rig_get (rig, path);
  g_autofree char *second_ids = ids_of (second);
  g_autofree char *status = at (second->json, "tickets.1.status");
  assert_text (second_ids, "1 2");
  assert_text (status, "deleted");

  g_autoptr (Reply) kept
      = rig_get (rig, "/api/v2/incremental/tickets/cursor.json?start_time=0&exclude_deleted=true");
  g_autofree char *kept_ids = ids_of (kept);
  assert_text (kept_ids, "3 1");
}

static void
test_exports_in_pages_that_join (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  create (rig, 5);
  rig_advance (rig, 61);
  g_autoptr (Reply) one
      = rig_get (rig, "/api/v2/incremental/tickets/cursor.json?start_time=0&per_page=2");
  g_autoptr (Reply) rest = follow (rig, one, "after_url");
  g_autofree char *first = ids_of (one), *second = ids_of (rest);
  g_autofree char *more = at (one->json, "end_of_stream"), *end = at (rest->json, "end_of_stream");

  assert_text (first, "1 2");
  assert_text (more, "false");
  assert_text (second, "3 4 5");
  assert_text (end, "true");
}

static void
test_refuses_an_export_without_a_good_start (void)
{
  static const struct
  {
    const char *label, *start;
    gint64 offset;
    long status;
  } rows[] = {
    { "none", NULL, 0, 400 },
    { "no number", "?start_time=today", 0, 400 },
    { "a bad cursor", "?cursor=abc", 0, 400 },
    { "half a minute ago", NULL, -30, 422 },
    { "two minutes ago", NULL, -120, 200 },
  };
  g_autoptr (Rig) rig = rig_new (NULL);
  g_autoptr (Reply) clock = rig_get (rig, "/_emulator/clock");
  gint64 now = number_at (clock->json, "unix");

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path
          = rows[i].offset != 0
                ? g_strdup_printf (
                    "/api/v2/incremental/tickets/cursor?start_time=%" G_GINT64_FORMAT,
                    now + rows[i].offset)
                : g_strconcat ("/api/v2/incremental/tickets/cursor", rows[i].start, NULL);
      g_autoptr (Reply) reply = rig_get (rig, path);

      assert_row_int (rows[i].label, reply->status, rows[i].status);
    }
}

static const Promise promises[] = {
  { "pages to the end in both ways", test_pages_to_the_end_in_both_ways },
  { "keeps its links on the last page", test_keeps_its_links_on_the_last_page },
  { "walks back", test_walks_back },
  { "does not lose its place when tickets change",
    test_does_not_lose_its_place_when_tickets_change },
  { "says what offset paging says", test_says_what_offset_paging_says },
  { "refuses an order or a cursor that it does not know",
    test_refuses_an_order_or_a_cursor_that_it_does_not_know },
  { "finds all with one external_id", test_finds_all_with_one_external_id },
  { "finds at once, or as late as asked", test_finds_at_once_or_as_late_as_asked },
  { "hides what is archived from lists only", test_hides_what_is_archived_from_lists_only },
  { "archives only what is closed", test_archives_only_what_is_closed },
  { "shows many in its own order", test_shows_many_in_its_own_order },
  { "counts what lists show", test_counts_what_lists_show },
  { "exports everything a minute late", test_exports_everything_a_minute_late },
  { "exports in pages that join", test_exports_in_pages_that_join },
  { "refuses an export without a good start", test_refuses_an_export_without_a_good_start },
  { NULL },
};

int
main (int argc, char **argv)
{
  return keep_promises ("emulator lists", promises, argc, argv);
}
